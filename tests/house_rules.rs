//! The house rules as a test: reads the sources and lists every place that breaks one, as `file:line: rule`.
//!
//! What a reviewer would otherwise have to look for again and again is looked for here: the direction of imports
//! between the layers (their table is the one at the head of `src/lib.rs`), the size of files and functions, the fence
//! around `unsafe`, and what is never left behind in a commit. It works on the text, line by line, with comments and
//! strings blanked out; it is no parser, and it need not be one while the sources are formatted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

const FILE_LINES_MAX: usize = 1_200;
const FUNCTION_LINES_MAX: usize = 100;
/// How far above `unsafe` its SAFETY comment may begin.
const SAFETY_LINES_MAX: usize = 6;
/// The only modules that may hold `unsafe` (a file, or the folder it grew into).
const FENCE: &[&str] = &[
    "src/ds/arena",
    "src/ds/bits/count",
    "src/ds/expiry_heap",
    "src/ds/members",
    "src/ds/ranking",
    "src/ds/six_bit",
    "src/ds/table",
    "src/keyspace/entry",
    "src/observe/memory",
];
/// Imports within a layer that the design names: who, whom.
const WRITTEN_EDGES: [(&str, &str); 4] = [
    ("replication", "persist"),
    ("cluster", "replication"),
    ("main", "net"),
    ("main", "cli"),
];
const BANNED_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];
const BANNED_MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// Spelled in halves, so that this file may be read too.
const BANNED_WORDS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("HA", "CK"),
];

#[test]
fn the_sources_keep_the_house_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        collect(root, folder, &mut sources);
    }
    let findings = check(&sources);
    let listed: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(
        listed.is_empty(),
        "{} findings:\n{}",
        listed.len(),
        listed.join("\n")
    );
}

/// Reads every Rust file below `folder` of `root`, in the order of their names.
fn collect(root: &Path, folder: &str, sources: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return;
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("the folder is readable").file_name())
        .map(|name| name.into_string().expect("source names are ASCII"))
        .collect();
    names.sort();
    for name in names {
        let path = format!("{folder}/{name}");
        if root.join(&path).is_dir() {
            collect(root, &path, sources);
        } else if path.ends_with(".rs") {
            let text = std::fs::read_to_string(root.join(&path)).expect("sources are UTF-8");
            sources.push(Source::new(&path, &text));
        }
    }
}

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

/// A file in the views that the rules look at. All of them have the same lines at the same offsets.
struct Source {
    path: String,
    text: String,
    /// Without comments and the insides of strings and chars.
    code: String,
    /// Only the comments.
    comments: String,
    /// `code` without the items marked `#[cfg(test)]`.
    shipped: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        let (code, comments) = split_views(text);
        let shipped = blank_tests(&code);
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            comments,
            shipped,
        }
    }

    fn finding(&self, line: usize, rule: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            rule: rule.into(),
        }
    }

    fn is_in_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// The module path below the crate: `src/ds/table.rs` is `["ds", "table"]`, `src/ds/mod.rs` is `["ds"]`.
    fn module(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        let mut parts: Vec<&str> = path.split('/').collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        parts
    }
}

/// Every finding in a set of files that are read together.
fn check(sources: &[Source]) -> Vec<Finding> {
    let test_modules = outlined_tests(sources);
    let is_test = |source: &Source| {
        !source.is_in_src()
            || test_modules.iter().any(|module| {
                let path = source.path.trim_end_matches(".rs");
                path == module || path.starts_with(&format!("{module}/"))
            })
    };
    let layers = match sources.iter().find(|source| source.path == "src/lib.rs") {
        Some(lib) => read_layers(&lib.text),
        None => BTreeMap::new(),
    };
    let mut findings = Vec::new();
    for source in sources {
        check_shape(source, &mut findings);
        check_functions(source, &mut findings);
        check_unsafe(source, &mut findings);
        check_leftovers(source, &mut findings);
        if !is_test(source) {
            check_unwrap(source, &mut findings);
            check_imports(source, &layers, &mut findings);
        }
    }
    findings
}

// ---- the views ----

/// Splits a text into its code and its comments; what belongs to the other view becomes blanks.
fn split_views(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut comments = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (length, kind) = next_piece(&bytes[at..], at.checked_sub(1).map(|last| bytes[last]));
        for &byte in &bytes[at..at + length] {
            let shown = if byte.is_ascii() { byte } else { b'_' };
            let blank = if byte == b'\n' { b'\n' } else { b' ' };
            code.push(if kind == Piece::Code { shown } else { blank });
            comments.push(if kind == Piece::Comment { shown } else { blank });
        }
        at += length;
    }
    let ascii = |view| String::from_utf8(view).expect("other bytes were replaced");
    (ascii(code), ascii(comments))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece {
    Code,
    Comment,
    Literal,
}

/// The length and kind of the piece at the head of `rest`: a comment, a literal, or one byte of code.
fn next_piece(rest: &[u8], before: Option<u8>) -> (usize, Piece) {
    let in_word = before.is_some_and(is_word);
    match rest {
        [b'/', b'/', ..] => {
            let end = rest.iter().position(|&byte| byte == b'\n');
            (end.unwrap_or(rest.len()), Piece::Comment)
        }
        [b'/', b'*', ..] => (block_comment_length(rest), Piece::Comment),
        [b'"', ..] => (quoted_length(rest, b'"'), Piece::Literal),
        [b'\'', ..] => match char_length(rest) {
            Some(length) => (length, Piece::Literal),
            None => (1, Piece::Code),
        },
        [b'r', ..] if !in_word => raw_string_piece(rest, 1),
        [b'b' | b'c', b'r', ..] if !in_word => raw_string_piece(rest, 2),
        _ => (1, Piece::Code),
    }
}

/// A raw string whose prefix has `prefix` bytes; one byte of code if it is none.
fn raw_string_piece(rest: &[u8], prefix: usize) -> (usize, Piece) {
    let hashes = rest[prefix..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let start = prefix + hashes;
    if rest.get(start) != Some(&b'"') {
        return (1, Piece::Code);
    }
    let closing = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = &rest[start + 1..];
    let end = body
        .windows(closing.len())
        .position(|window| window == closing);
    let length = end.map_or(rest.len(), |end| start + 1 + end + closing.len());
    (length, Piece::Literal)
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a char literal; `None` for a lifetime or label.
fn char_length(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted_length(rest, b'\''));
    }
    let continued = |byte: &&u8| **byte & 0xc0 == 0x80;
    let width = 1 + rest.get(2..)?.iter().take_while(continued).count();
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// Blanks the items behind `#[cfg(test)]`.
fn blank_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut shipped = code.as_bytes().to_vec();
    for (start, _) in code.match_indices(MARK) {
        let end = item_end(code, start + MARK.len());
        for byte in &mut shipped[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(shipped).expect("blanks are ASCII")
}

/// Where the item that starts at `start` ends: behind its closing brace or its semicolon.
fn item_end(code: &str, start: usize) -> usize {
    let bytes = code.as_bytes();
    let mut nesting = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => nesting += 1,
            b')' | b']' => nesting = nesting.saturating_sub(1),
            b'{' if nesting == 0 => return block_end(code, at),
            b';' if nesting == 0 => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

/// Where the block ends whose `{` is at `open`.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].bytes().filter(|&byte| byte == b'\n').count()
}

/// Offsets where `word` stands alone in `text`.
fn word_offsets<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = at.checked_sub(1).map(|last| bytes[last]);
            let after = bytes.get(at + word.len()).copied();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
}

/// The word at the head of `text`.
fn leading_word(text: &str) -> &str {
    let end = text.bytes().position(|byte| !is_word(byte));
    &text[..end.unwrap_or(text.len())]
}

/// Modules declared as `#[cfg(test)] mod name;`, as paths without `.rs`.
fn outlined_tests(sources: &[Source]) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for source in sources.iter().filter(|source| source.is_in_src()) {
        for at in word_offsets(&source.code, "mod") {
            let rest = source.code[at + 3..].trim_start();
            let name = leading_word(rest);
            let outlined = rest[name.len()..].trim_start().starts_with(';');
            if outlined && source.shipped.as_bytes()[at] == b' ' {
                modules.insert(format!("{}/{name}", child_folder(&source.path)));
            }
        }
    }
    modules
}

/// The folder that holds the child modules of a file.
fn child_folder(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    for root in ["/mod", "/lib", "/main"] {
        if let Some(folder) = stem.strip_suffix(root) {
            return folder;
        }
    }
    stem
}

// ---- the rules on one file ----

/// The name, the opening doc and the length of a file.
fn check_shape(source: &Source, findings: &mut Vec<Finding>) {
    let path = source.path.trim_end_matches(".rs");
    if path.split('/').any(|part| BANNED_NAMES.contains(&part)) {
        findings.push(source.finding(1, "name: says nothing about what is inside"));
    }
    for at in word_offsets(&source.code, "mod") {
        let rest = source.code[at + 3..].trim_start();
        if BANNED_NAMES.contains(&leading_word(rest)) {
            let line = line_of(&source.code, at);
            findings.push(source.finding(line, "name: says nothing about what is inside"));
        }
    }
    if !source.text.starts_with("//!") {
        findings.push(source.finding(1, "doc: a file opens with a //! doc"));
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        let rule = format!("length: a file of {lines} lines, at most {FILE_LINES_MAX}");
        findings.push(source.finding(FILE_LINES_MAX + 1, rule));
    }
}

fn check_functions(source: &Source, findings: &mut Vec<Finding>) {
    for at in word_offsets(&source.code, "fn") {
        let name = leading_word(source.code[at + 2..].trim_start());
        if name.is_empty() {
            continue; // the type of a function pointer
        }
        let first = line_of(&source.code, at);
        let lines = line_of(&source.code, item_end(&source.code, at)) - first + 1;
        if lines > FUNCTION_LINES_MAX {
            let rule = format!("length: fn {name} has {lines} lines, at most {FUNCTION_LINES_MAX}");
            findings.push(source.finding(first, rule));
        }
    }
}

fn check_unsafe(source: &Source, findings: &mut Vec<Finding>) {
    let path = source.path.trim_end_matches(".rs");
    let fenced = FENCE
        .iter()
        .any(|fence| path == *fence || path.starts_with(&format!("{fence}/")));
    let comments: Vec<&str> = source.comments.lines().collect();
    for at in word_offsets(&source.code, "unsafe") {
        let line = line_of(&source.code, at);
        let above = &comments[line.saturating_sub(SAFETY_LINES_MAX + 1)..line];
        if !fenced {
            findings.push(source.finding(line, "unsafe: outside the fence"));
        } else if !above.iter().any(|comment| comment.contains("SAFETY:")) {
            findings.push(source.finding(line, "unsafe: no SAFETY: line above it"));
        }
    }
    for lint in ["allow", "expect", "warn"] {
        for (at, _) in source.code.match_indices(&format!("{lint}(unsafe_code")) {
            if !fenced {
                let line = line_of(&source.code, at);
                findings.push(source.finding(line, "unsafe: allowed outside the fence"));
            }
        }
    }
    if source.path == "src/lib.rs" && !source.code.contains("#![deny(unsafe_code)]") {
        findings.push(source.finding(1, "unsafe: the crate must deny unsafe_code"));
    }
}

/// What is never left behind in a commit, be it in a test.
fn check_leftovers(source: &Source, findings: &mut Vec<Finding>) {
    for name in BANNED_MACROS {
        for at in word_offsets(&source.code, name) {
            if source.code[at + name.len()..].starts_with('!') {
                let rule = format!("leftover: {name}!");
                findings.push(source.finding(line_of(&source.code, at), rule));
            }
        }
    }
    for word in BANNED_WORDS {
        for at in word_offsets(&source.text, word) {
            let rule = format!("leftover: the word {word}");
            findings.push(source.finding(line_of(&source.text, at), rule));
        }
    }
    for (at, _) in source.code.match_indices("#[ignore") {
        findings.push(source.finding(line_of(&source.code, at), "test: ignored"));
    }
    for at in word_offsets(&source.code, "thread") {
        let Some(rest) = source.code[at..].strip_prefix("thread::") else {
            continue;
        };
        let grouped =
            rest.starts_with('{') && path_heads(rest).iter().any(|(_, name)| *name == "sleep");
        if leading_word(rest) == "sleep" || grouped {
            findings.push(source.finding(line_of(&source.code, at), "sleep: wait for an event"));
        }
    }
}

fn check_unwrap(source: &Source, findings: &mut Vec<Finding>) {
    for (at, _) in source.shipped.match_indices(".unwrap()") {
        let line = line_of(&source.shipped, at);
        findings.push(source.finding(line, "unwrap: handle it, or expect with the proof"));
    }
}

// ---- the layers ----

/// Reads the table at the head of `src/lib.rs`: rows of `//! N  name  name   description`, three spaces or more
/// before the description.
fn read_layers(lib: &str) -> BTreeMap<String, u32> {
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
fn check_imports(source: &Source, layers: &BTreeMap<String, u32>, findings: &mut Vec<Finding>) {
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
fn path_heads(text: &str) -> Vec<(usize, &str)> {
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

// ---- tests of the checker itself ----

const TABLE: &str = "\
//! The map.
//!
//! ```text
//! 9  net  main     sockets
//! 7  commands      one file a family
//! 5  session  persist  replication   services
//! 1  ds            structures and session of nothing
//! 0  base          numbers
//! ```

#![deny(unsafe_code)]
";

/// What the checker says about one file beside the table above, as `line: rule`.
fn findings_in(path: &str, text: &str) -> Vec<String> {
    let sources = [Source::new("src/lib.rs", TABLE), Source::new(path, text)];
    let findings = check(&sources);
    findings
        .iter()
        .map(|finding| format!("{}: {}", finding.line, finding.rule))
        .collect()
}

fn assert_finds(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(findings_in(path, text), expected, "{path}\n{text}");
}

#[test]
fn a_good_source_has_no_findings() {
    let text = "//! Doc.\n\nuse crate::base::number;\nuse crate::{base::glob, ds::Table};\n\nfn small() {}\n";
    assert_finds("src/session.rs", text, &[]);
    assert_finds("src/ds/table.rs", "//! Doc.\nuse super::Other;\n", &[]);
}

#[test]
fn imports_that_point_up_are_found() {
    let up = "layer: ds (1) imports session (5) above it";
    let line = |number: usize| format!("{number}: {up}");
    assert_finds(
        "src/ds/table.rs",
        "//! Doc.\nuse crate::session;\n",
        &[&line(2)],
    );
    let path = "//! Doc.\nfn a() {\n    crate::session::open();\n}\n";
    assert_finds("src/ds/table.rs", path, &[&line(3)]);
    let group = "//! Doc.\nuse crate::{\n    base::{number, session},\n    session::Session,\n};\n";
    assert_finds("src/ds/mod.rs", group, &[&line(4)]);
    let path = "//! Doc.\nuse super::super::session::Session;\n";
    assert_finds("src/ds/table.rs", path, &[&line(2)]);
    assert_finds("src/ds.rs", "//! Doc.\nuse super::session;\n", &[&line(2)]);
}

#[test]
fn families_of_commands_do_not_import_each_other() {
    let text = "//! Doc.\nuse crate::commands::keys::delete;\n";
    let sideways = "2: layer: the family debug imports the family keys";
    assert_finds("src/commands/debug/mod.rs", text, &[sideways]);
    assert_finds("src/commands/keys/scan.rs", text, &[]);
    let docs = "//! Doc.\nuse crate::commands::docs;\n";
    assert_finds("src/commands/server/command.rs", docs, &[]);
}

#[test]
fn imports_of_the_own_layer_are_found_unless_the_edge_is_written() {
    let text = "//! Doc.\nuse crate::persist;\n";
    let sideways = "2: layer: session imports persist, both in layer 5";
    assert_finds("src/session.rs", text, &[sideways]);
    assert_finds("src/replication/replica.rs", text, &[]);
    assert_finds("src/persist/aof.rs", text, &[]);
    let back = "//! Doc.\nuse crate::replication;\n";
    let sideways = "2: layer: persist imports replication, both in layer 5";
    assert_finds("src/persist/mod.rs", back, &[sideways]);
    assert_finds("src/main.rs", "//! Doc.\nuse oxidis::net;\n", &[]);
}

#[test]
fn modules_without_a_layer_are_found() {
    let missing = "layer: wild is not in the table of src/lib.rs";
    assert_finds("src/wild.rs", "//! Doc.\n", &[&format!("1: {missing}")]);
    assert_finds(
        "src/net/mod.rs",
        "//! Doc.\nuse crate::wild;\n",
        &[&format!("2: {missing}")],
    );
}

#[test]
fn imports_in_tests_comments_and_strings_are_nobodys_business() {
    let text = "//! Doc of crate::session.\n/* crate::net /* nested */ crate::net */\n\
        const A: &str = \"crate::net \\\" crate::net\";\nconst B: &str = r#\"crate::net\" crate::net\"#;\n\
        #[cfg(test)]\nmod tests {\n    use crate::net;\n    fn a() { b().unwrap(); }\n}\n";
    assert_finds("src/ds/table.rs", text, &[]);
    let after = format!("{text}use crate::net;\n");
    assert_finds(
        "src/ds/table.rs",
        &after,
        &["10: layer: ds (1) imports net (9) above it"],
    );
}

#[test]
fn a_test_module_in_a_file_of_its_own_is_a_test() {
    let parent = Source::new(
        "src/ds/table.rs",
        "//! Doc.\n#[cfg(test)]\nmod tests;\nmod rows;\n",
    );
    let text = "//! Doc.\nuse crate::net;\nfn a() { b().unwrap(); }\n";
    let lib = || Source::new("src/lib.rs", TABLE);
    let tests = Source::new("src/ds/table/tests.rs", text);
    assert_eq!(check(&[lib(), parent, tests]), []);
    let parent = Source::new("src/ds/table.rs", "//! Doc.\nmod tests;\n");
    let tests = Source::new("src/ds/table/tests.rs", text);
    assert_eq!(check(&[lib(), parent, tests]).len(), 2);
}

#[test]
fn long_files_are_found() {
    let fill = |lines: usize| format!("//! Doc.\n{}", "// a line\n".repeat(lines - 1));
    assert_finds("src/net/mod.rs", &fill(1_200), &[]);
    let found = "1201: length: a file of 1201 lines, at most 1200";
    assert_finds("src/net/mod.rs", &fill(1_201), &[found]);
}

#[test]
fn long_functions_are_found_whatever_braces_their_strings_hold() {
    let function = |lines: usize| {
        let body = "    a('}', b'{', \"}\", r\"}\", '\\'', \"\\\"}\"); // }\n".repeat(lines - 3);
        format!("//! Doc.\n\npub fn long<'a>(\n    _: [u8; 4]) {{\n{body}}}\nfn after() {{}}\n")
    };
    assert_finds("src/net/mod.rs", &function(100), &[]);
    let found = "3: length: fn long has 101 lines, at most 100";
    assert_finds("src/net/mod.rs", &function(101), &[found]);
    let found = findings_in("tests/server.rs", &function(101));
    assert_eq!(found.len(), 1);
}

#[test]
fn a_declaration_and_a_function_pointer_have_no_body() {
    let rest = "fn next() {\n    a();\n}\n".repeat(60);
    let text = format!(
        "//! Doc.\ntrait T {{ fn bare(&self) -> [u8; 2]; }}\ntype P = fn(u8) -> u8;\n{rest}"
    );
    assert_finds("src/net/mod.rs", &text, &[]);
}

#[test]
fn unsafe_outside_the_fence_is_found() {
    let text = "//! Doc.\n// SAFETY: none.\nfn a() { unsafe { b() } }\n";
    assert_finds("src/net/mod.rs", text, &["3: unsafe: outside the fence"]);
    assert_finds("tests/a.rs", text, &["3: unsafe: outside the fence"]);
    let text = "//! Doc of unsafe.\n#![allow(unsafe_code)]\nconst A: &str = \"unsafe\";\n";
    assert_finds(
        "src/net/mod.rs",
        text,
        &["2: unsafe: allowed outside the fence"],
    );
    assert_finds("src/ds/table.rs", text, &[]);
}

#[test]
fn unsafe_inside_the_fence_needs_its_argument() {
    let text = |gap: usize| {
        let gap = "\n".repeat(gap);
        format!("//! Doc.\n// SAFETY: the pointer lives.\n{gap}unsafe impl Send for A {{}}\n")
    };
    assert_finds("src/ds/table.rs", &text(0), &[]);
    assert_finds("src/ds/table/bucket.rs", &text(5), &[]);
    let found = "9: unsafe: no SAFETY: line above it";
    assert_finds("src/ds/arena.rs", &text(6), &[found]);
    let text = "//! Doc.\nconst A: &str = \"SAFETY:\"; unsafe fn a() {}\n";
    assert_finds(
        "src/ds/arena.rs",
        text,
        &["2: unsafe: no SAFETY: line above it"],
    );
}

#[test]
fn a_crate_that_does_not_deny_unsafe_is_found() {
    let found = check(&[Source::new(
        "src/lib.rs",
        "//! Doc.\n// #![deny(unsafe_code)]\n",
    )]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule, "unsafe: the crate must deny unsafe_code");
}

#[test]
fn files_without_a_doc_are_found() {
    let found = "1: doc: a file opens with a //! doc";
    assert_finds("src/net/mod.rs", "// Comment.\n", &[found]);
    assert_finds("tests/a.rs", "", &[found]);
}

#[test]
fn names_that_say_nothing_are_found() {
    let found = "1: name: says nothing about what is inside";
    assert_finds("src/net/utils.rs", "//! Doc.\n", &[found]);
    assert_finds("tests/common/mod.rs", "//! Doc.\n", &[found]);
    let inline = "//! Doc.\npub mod helpers {}\nmod help {}\n";
    assert_finds(
        "src/net/mod.rs",
        inline,
        &["2: name: says nothing about what is inside"],
    );
}

#[test]
fn unwrap_is_found_in_what_ships_only() {
    let text =
        "//! Doc: `.unwrap()`\nfn a() {\n    b()\n        .unwrap();\n    c().unwrap_or(1);\n}\n";
    let found = "4: unwrap: handle it, or expect with the proof";
    assert_finds("src/net/mod.rs", text, &[found]);
    assert_finds("tests/a.rs", text, &[]);
}

#[test]
fn leftovers_are_found_everywhere() {
    let text =
        "//! Doc.\nfn a() { todo!() }\nfn b() { dbg!(1); unimplemented!(); my_todo!(); todo(); }\n";
    let found = [
        "2: leftover: todo!",
        "3: leftover: unimplemented!",
        "3: leftover: dbg!",
    ];
    assert_finds("src/net/mod.rs", text, &found);
    assert_finds("tests/a.rs", text, &found);
    for word in BANNED_WORDS {
        let text = format!("//! Doc.\n// {word}: later\nconst A: &str = \"A{word}A\";\n");
        assert_finds(
            "tests/a.rs",
            &text,
            &[&format!("2: leftover: the word {word}")],
        );
    }
}

#[test]
fn ignored_tests_and_sleeps_are_found() {
    let text = "//! Doc.\n#[test]\n#[ignore = \"slow\"]\nfn a() {\n    std::thread::sleep(b);\n}\n\
        use std::thread::{self, sleep};\nuse std::thread::{self, spawn};\nfn sleep() {}\n";
    let found = [
        "3: test: ignored",
        "5: sleep: wait for an event",
        "7: sleep: wait for an event",
    ];
    assert_finds("tests/a.rs", text, &found);
    assert_finds("src/net/mod.rs", text, &found);
}

#[test]
fn the_layers_are_read_from_the_table_alone() {
    let layers = read_layers(TABLE);
    assert_eq!(layers.len(), 8);
    assert_eq!(layers.get("replication"), Some(&5));
    assert_eq!(layers.get("session"), Some(&5));
    assert_eq!(layers.get("structures"), None);
}

#[test]
fn lifetimes_chars_and_raw_names_are_told_apart() {
    let text =
        "a<'b>('c', '\\'', 'é', b'\"', 'd: loop, r#e, r#\"f\"#, br##\"g\"#\"##, c\"h\", bar\"i\")";
    let (code, comments) = split_views(text);
    assert_eq!(code.len(), text.len());
    let words: Vec<&str> = code
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    assert_eq!(words, ["a", "b", "b", "d", "loop", "r", "e", "c", "bar"]);
    assert_eq!(comments.trim(), "");
}
