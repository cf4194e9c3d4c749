//! The checker itself, on small examples: what it finds, and what it must leave alone.

use super::check;
use super::layers::read_layers;
use super::rules::BANNED_WORDS;
use super::source::{Source, split_views};

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
    assert_finds("benches/a.rs", text, &found[..1]);
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
