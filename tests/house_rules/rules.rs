//! The rules on one file: its name, opening doc and length, its functions, `unsafe`, and what is never left behind.

use super::Finding;
use super::layers::path_heads;
use super::source::{Source, item_end, leading_word, line_of, word_offsets};

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
    "src/script/stack",
];
const BANNED_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];
const BANNED_MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// Spelled in halves, so that this file may be read too.
pub const BANNED_WORDS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("HA", "CK"),
];

/// The name, the opening doc and the length of a file.
pub fn check_shape(source: &Source, findings: &mut Vec<Finding>) {
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

pub fn check_functions(source: &Source, findings: &mut Vec<Finding>) {
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

pub fn check_unsafe(source: &Source, findings: &mut Vec<Finding>) {
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
pub fn check_leftovers(source: &Source, findings: &mut Vec<Finding>) {
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
    if source.path.starts_with("benches/") {
        // What is measured for a time has no event at its end.
        return;
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

pub fn check_unwrap(source: &Source, findings: &mut Vec<Finding>) {
    for (at, _) in source.shipped.match_indices(".unwrap()") {
        let line = line_of(&source.shipped, at);
        findings.push(source.finding(line, "unwrap: handle it, or expect with the proof"));
    }
}
