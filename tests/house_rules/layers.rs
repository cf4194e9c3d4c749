//! The layers: who may import whom, as the table at the head of `src/lib.rs` says.

use super::Finding;
use super::source::{Source, block_end, is_word, leading_word, line_of, word_offsets};
use std::collections::BTreeMap;

/// Imports within a layer that the design names: who, whom.
const WRITTEN_EDGES: [(&str, &str); 6] = [
    ("replication", "persist"),
    ("cluster", "replication"),
    ("main", "net"),
    ("main", "cli"),
    ("main", "tool"),
    ("cli", "tool"),
];

/// Reads the table at the head of `src/lib.rs`: rows of `//! N  name  name   description`, three spaces or more
/// before the description.
pub fn read_layers(lib: &str) -> BTreeMap<String, u32> {
    let mut layers = BTreeMap::new();
    for line in lib.lines() {
        let Some(row) = line.strip_prefix("//! ") else {
            continue;
        };
        let digits = leading_word(row);
        let names = &row[digits.len()..];
        let (Ok(layer), true) = (digits.parse(), names.starts_with("  ")) else {
            continue;
        };
        let names = names[2..].split("   ").next().unwrap_or("");
        for name in names.split_whitespace() {
            layers.insert(name.to_owned(), layer);
        }
    }
    layers
}

/// Imports of a shipped file, by `crate::`, `super::` and (in the program) `oxidis::`.
pub fn check_imports(source: &Source, layers: &BTreeMap<String, u32>, findings: &mut Vec<Finding>) {
    let module = source.module();
    let own = module[0];
    if own == "lib" {
        return;
    }
    let Some(&layer) = layers.get(own) else {
        let rule = format!("layer: {own} is not in the table of src/lib.rs");
        findings.push(source.finding(1, rule));
        return;
    };
    check_families(source, &module, findings);
    for (at, name, certain) in imported_modules(source, module.len()) {
        let line = line_of(&source.shipped, at);
        let rule = match layers.get(name) {
            _ if name == own => continue,
            None if !certain => continue,
            None => format!("layer: {name} is not in the table of src/lib.rs"),
            Some(theirs) if *theirs < layer => continue,
            Some(_) if WRITTEN_EDGES.contains(&(own, name)) => continue,
            Some(theirs) if *theirs == layer => {
                format!("layer: {own} imports {name}, both in layer {layer}")
            }
            Some(theirs) => format!("layer: {own} ({layer}) imports {name} ({theirs}) above it"),
        };
        findings.push(source.finding(line, rule));
    }
}

/// A family of commands knows no other family: what two of them need stands in `command`.
fn check_families(source: &Source, module: &[&str], findings: &mut Vec<Finding>) {
    const SHARED: [&str; 2] = ["docs", "rows"];
    let ["commands", family, ..] = module else {
        return;
    };
    let code = source.shipped.as_str();
    for (at, path) in code.match_indices("crate::commands::") {
        let rest = &code[at + path.len()..];
        let name = rest
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        let name = name.unwrap_or_default();
        if name != *family && !SHARED.contains(&name) {
            let rule = format!("layer: the family {family} imports the family {name}");
            findings.push(source.finding(line_of(code, at), rule));
        }
    }
}

/// Where a file names a module of the crate, and which. Not certain: names that `super` may take from elsewhere.
fn imported_modules(source: &Source, depth: usize) -> Vec<(usize, &str, bool)> {
    let code = source.shipped.as_str();
    let mut found = Vec::new();
    let roots: &[&str] = if source.path == "src/main.rs" {
        &["oxidis", "crate"]
    } else {
        &["crate"]
    };
    for root in roots {
        for at in word_offsets(code, root) {
            if let Some(rest) = code[at + root.len()..].strip_prefix("::") {
                let start = code.len() - rest.len();
                let heads = path_heads(rest).into_iter();
                found.extend(heads.map(|(offset, name)| (start + offset, name, true)));
            }
        }
    }
    for at in word_offsets(code, "super") {
        if code[..at].ends_with("super::") {
            continue; // counted from the first one
        }
        let mut rest = &code[at..];
        let mut levels = 0;
        while let Some(shorter) = rest.strip_prefix("super::") {
            rest = shorter;
            levels += 1;
        }
        if levels == depth {
            let start = code.len() - rest.len();
            let heads = path_heads(rest).into_iter();
            found.extend(heads.map(|(offset, name)| (start + offset, name, false)));
        }
    }
    found
}

/// The first names of the path or of the group of paths at the head of `text`, with their offsets.
pub fn path_heads(text: &str) -> Vec<(usize, &str)> {
    if !text.starts_with('{') {
        return vec![(0, leading_word(text))];
    }
    let end = block_end(text, 0);
    let (mut heads, mut depth, mut fresh) = (Vec::new(), 0, true);
    for (at, byte) in text.bytes().enumerate().take(end) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 1 => fresh = true,
            _ if fresh && depth == 1 && is_word(byte) => {
                heads.push((at, leading_word(&text[at..])));
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}
