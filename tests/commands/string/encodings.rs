//! Each command that reads a string, on each way in which a string is kept.

use crate::harness::Server;

const LONG: usize = 20 << 10;

/// Strings by the name of their encoding, with the commands that make `a` that string.
fn encodings() -> Vec<(&'static str, String, Vec<String>)> {
    let long = "0123456789abcdef".repeat(LONG / 16);
    let (head, tail) = long.split_at(LONG / 2);
    let set = |value: &str| vec![format!("SET a {value}")];
    vec![
        ("int", "-1234567".to_owned(), set("-1234567")),
        ("embstr", "short".to_owned(), set("short")),
        ("inline", "y".repeat(1000), set(&"y".repeat(1000))),
        (
            "raw",
            "12345".to_owned(),
            vec!["SET a 123".to_owned(), "APPEND a 45".to_owned()],
        ),
        ("shared", long.clone(), set(&long)),
        (
            "grown",
            long.clone(),
            vec![format!("SET a {head}"), format!("APPEND a {tail}")],
        ),
    ]
}

/// Runs `command` on a fresh `a` of each encoding; `expected` makes the reply from the value, `after` the value after it.
#[track_caller]
fn on_each(
    command: impl Fn(&str) -> String,
    expected: impl Fn(&str) -> String,
    after: impl Fn(&str) -> String,
) {
    for (name, value, script) in encodings() {
        let mut server = Server::new();
        for line in &script {
            server.run(line);
        }
        assert_eq!(server.run("GET a"), value, "{name}");
        let command = command(&value);
        assert_eq!(
            server.run(&command),
            expected(&value),
            "{name}: {}",
            command.get(..40).unwrap_or(&command)
        );
        assert_eq!(server.run("GET a"), after(&value), "{name} after");
    }
}

fn same(value: &str) -> String {
    value.to_owned()
}

fn nil(_: &str) -> String {
    "nil".to_owned()
}

#[test]
fn reads_see_the_same_bytes() {
    let fixed = |line: &'static str| move |_: &str| line.to_owned();
    on_each(fixed("STRLEN a"), |v| format!("({})", v.len()), same);
    on_each(fixed("MGET a"), |v| format!("[{v}]"), same);
    on_each(fixed("GETRANGE a 0 -1"), same, same);
    on_each(fixed("GETRANGE a 1 3"), |v| v[1..4].to_owned(), same);
    on_each(
        fixed("GETRANGE a 2 -2"),
        |v| v[2..v.len() - 1].to_owned(),
        same,
    );
    on_each(fixed("GETEX a EX 10"), same, same);
    on_each(fixed("GETDEL a"), same, nil);
    on_each(fixed("GETSET a z"), same, fixed("z"));
    on_each(fixed("SET a z GET"), same, fixed("z"));
    on_each(fixed("SETNX a z"), fixed("(0)"), same);
    on_each(fixed("DELEX a"), fixed("(1)"), nil);
}

#[test]
fn conditions_compare_the_same_bytes() {
    let fixed = |line: &'static str| move |_: &str| line.to_owned();
    on_each(|v| format!("SET a z IFEQ {v}"), fixed("OK"), fixed("z"));
    on_each(|v| format!("SET a z IFEQ {v}x"), fixed("nil"), same);
    on_each(|v| format!("SET a z IFNE {v}"), fixed("nil"), same);
    on_each(|v| format!("DELEX a IFEQ {v}"), fixed("(1)"), nil);
    on_each(|v| format!("DELIFEQ a {v}"), fixed("(1)"), nil);
    on_each(|v| format!("DELIFEQ a {v}x"), fixed("(0)"), same);
    on_each(fixed("LCS a nothing LEN"), fixed("(0)"), same);
    on_each(fixed("LCS a b"), |_| String::new(), same);
}

#[test]
fn changes_keep_the_other_bytes() {
    let fixed = |line: &'static str| move |_: &str| line.to_owned();
    on_each(
        fixed("APPEND a xyz"),
        |v| format!("({})", v.len() + 3),
        |v| format!("{v}xyz"),
    );
    on_each(
        fixed("SETRANGE a 1 ##"),
        |v| format!("({})", v.len()),
        |v| format!("{}##{}", &v[..1], &v[3..]),
    );
    on_each(
        |v| format!("SETRANGE a {} ##", v.len() - 1),
        |v| format!("({})", v.len() + 1),
        |v| format!("{}##", &v[..v.len() - 1]),
    );
}

#[test]
fn numbers_are_counted_in_every_encoding_and_texts_in_none() {
    for (name, value, script) in encodings() {
        for (command, sum) in [("INCR a", 1), ("DECRBY a 5", -5), ("INCREX a BYINT 2", 2)] {
            let mut server = Server::new();
            for line in &script {
                server.run(line);
            }
            match value.parse::<i64>() {
                Ok(number) => {
                    server.run(command);
                    let after = (number + sum).to_string();
                    assert_eq!(server.run("GET a"), after, "{name} {command}");
                }
                Err(_) => {
                    assert_eq!(
                        server.run(command),
                        "!ERR value is not an integer or out of range",
                        "{name} {command}"
                    );
                    assert_eq!(
                        server.run("INCRBYFLOAT a 1"),
                        "!ERR value is not a valid float",
                        "{name}"
                    );
                    assert_eq!(server.run("GET a"), value, "{name} {command}");
                }
            }
        }
    }
}

#[test]
fn a_value_received_as_a_large_bulk_is_stored_whole() {
    let value = "v".repeat(100_000);
    let mut server = Server::new();
    for command in [
        "SET a",
        "SETNX b",
        "GETSET c",
        "MSET x 1 d",
        "APPEND e",
        "MSETEX 1 f",
    ] {
        server.run(&format!("{command} {value}"));
        let key = command.split(' ').next_back().expect("a command has words");
        assert_eq!(
            server.run(&format!("STRLEN {key}")),
            "(100000)",
            "{command}"
        );
        assert_eq!(server.run(&format!("GET {key}")), value, "{command}");
    }
    server.run(&format!("SET a {value} EX 10"));
    assert_eq!(server.run("GETRANGE a 99990 -1"), "v".repeat(10));
    assert_eq!(server.run("GETRANGE a 10 -11"), "v".repeat(99_980));
}
