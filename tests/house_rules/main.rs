//! The house rules as a test: reads the sources and lists every place that breaks one, as `file:line: rule`.
//!
//! What a reviewer would otherwise have to look for again and again is looked for here: the direction of imports
//! between the layers (their table is the one at the head of `src/lib.rs`), the size of files and functions, the fence
//! around `unsafe`, and what is never left behind in a commit. It works on the text, line by line, with comments and
//! strings blanked out; it is no parser, and it need not be one while the sources are formatted.
//!
//! `source` blanks out, `rules` looks at one file, `layers` at imports, `checks` tests all of them on small examples.

mod checks;
mod layers;
mod rules;
mod source;

use layers::{check_imports, read_layers};
use rules::{check_functions, check_leftovers, check_shape, check_unsafe, check_unwrap};
use source::{Source, leading_word, word_offsets};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

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
