//! What goes to the append-only file and to replicas: absolute deadlines, results in place of conditions, and nothing
//! where nothing changed.

use crate::harness::{START_MS, Server};
use oxidis::resp::value::parse_value;

/// Runs `setup` unseen, then checks lines of `command => what it leaves in the stream`.
#[track_caller]
fn leaves(setup: &[&str], script: &str) {
    let mut server = Server::new();
    for line in setup {
        server.run(line);
    }
    let reader = server.engine.stream.open();
    server.run("SET first 1");
    server.engine.stream.read(reader);
    for line in script.lines().map(str::trim) {
        let (command, expected) = line.split_once(" =>").expect("there is an arrow");
        let command = command.replace("{100s}", &(START_MS + 100_000).to_string());
        let reply = server.run(&command);
        assert!(!reply.starts_with('!'), "{command}: {reply}");
        let bytes = server.engine.stream.read(reader);
        let expected = expected.replace("{100s}", &(START_MS + 100_000).to_string());
        assert_eq!(commands(&bytes), expected.trim(), "{command}");
    }
}

/// The commands in these bytes, separated by ` ; `.
fn commands(mut bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    while !bytes.is_empty() {
        let (value, used) = parse_value(bytes)
            .expect("the stream is well formed")
            .expect("the stream is whole");
        let short = crate::harness::short(&value);
        shown.push(short.trim_matches(['[', ']']).to_owned());
        bytes = bytes.get(used..).expect("a command lies within its bytes");
    }
    shown.join(" ; ")
}

#[test]
fn set_goes_out_with_an_absolute_deadline_and_without_questions() {
    leaves(
        &[],
        "SET a 1 => SET a 1
         SET a 1 EX 100 => SET a 1 PXAT {100s}
         SET a 1 EX 100 NX =>
         SET a 1 XX GET EX 100 => SET a 1 PXAT {100s}
         SET a 1 PX 100000 => SET a 1 PXAT {100s}
         SET a 1 XX GET => SET a 1 XX
         SET a 1 GET => SET a 1
         SET b 1 NX => SET b 1 NX
         SET b 1 NX GET =>
         SET a 2 KEEPTTL => SET a 2 KEEPTTL
         SET a 2 KEEPTTL GET => SET a 2 KEEPTTL
         SET a 2 PXAT {100s} => SET a 2 PXAT {100s}
         SET a 2 PXAT {100s} XX => SET a 2 PXAT {100s} XX
         SET a 2 EXAT 99999999999 => SET a 2 PXAT 99999999999000
         SET a 2 IFEQ 1 =>
         SET a 1 IFEQ 2 => SET a 1
         SET a 1 IFNE 2 EX 100 => SET a 1 PXAT {100s}
         SET a 2 IFEQ 1 KEEPTTL GET => SET a 2 KEEPTTL",
    );
}

#[test]
fn a_deadline_in_the_past_goes_out_as_del() {
    leaves(
        &[],
        "SET a 1 => SET a 1
         SET a 1 PXAT 1 => DEL a
         SET a 1 PXAT 1 => DEL a
         SET a 1 => SET a 1
         SET a 1 EXAT 1 GET => DEL a
         SET a 1 => SET a 1
         GETEX a PXAT 1 => DEL a
         MSET a 1 b 1 => MSET a 1 b 1
         MSETEX 3 a 1 b 2 c 3 PXAT 1 => DEL a b c
         INCREX a PXAT 1 =>
         SET a 1 => SET a 1
         INCREX a EXAT 1 => DEL a",
    );
}

#[test]
fn relatives_of_set_go_out_as_set() {
    leaves(
        &[],
        "SETEX a 100 v => SET a v PXAT {100s}
         PSETEX a 100000 v => SET a v PXAT {100s}
         SETNX a v =>
         SETNX b v => SETNX b v
         GETSET a w => SET a w
         GETSET c w => SET c w",
    );
}

#[test]
fn reads_that_change_go_out_as_what_they_change() {
    leaves(
        &["SET a v"],
        "GET a =>
         GETEX a =>
         GETEX a EX 100 => PEXPIREAT a {100s}
         GETEX a PXAT {100s} => PEXPIREAT a {100s}
         GETEX a PERSIST => PERSIST a
         GETEX a PERSIST =>
         GETEX nothing EX 100 =>
         GETDEL a => DEL a
         GETDEL a =>
         SET a v => SET a v
         DELEX a IFEQ w =>
         DELEX a IFEQ v => DEL a
         SET a v => SET a v
         DELIFEQ a w =>
         DELIFEQ a v => DEL a
         DELEX a =>",
    );
}

#[test]
fn several_keys_go_out_in_one_command() {
    leaves(
        &[],
        "MSET a 1 b 2 => MSET a 1 b 2
         MSETNX a 1 m 2 =>
         MSETNX m 1 n 2 => MSETNX m 1 n 2
         MSETEX 2 a 1 b 2 EX 100 => MSETEX 2 a 1 b 2 PXAT {100s}
         MSETEX 2 a 1 b 2 EX 100 XX => MSETEX 2 a 1 b 2 PXAT {100s} XX
         MSETEX 2 x 1 y 2 NX => MSETEX 2 x 1 y 2 NX
         MSETEX 2 x 1 y 2 NX =>
         MSETEX 2 a 1 b 2 KEEPTTL => MSETEX 2 a 1 b 2 KEEPTTL
         MSETEX 1 a 1 EXAT 99999999999 => MSETEX 1 a 1 PXAT 99999999999000",
    );
}

#[test]
fn sums_of_floats_go_out_as_results() {
    leaves(
        &["SET a 1"],
        "INCR a => INCR a
         DECRBY a 2 => DECRBY a 2
         INCRBYFLOAT a 1.5 => SET a 1.5 KEEPTTL
         INCRBYFLOAT a 0 => SET a 1.5 KEEPTTL
         INCREX a BYFLOAT 0.5 => SET a 2 KEEPTTL
         INCREX a BYINT 5 EX 100 => SET a 7 PXAT {100s}
         INCREX a EX 5 ENX => SET a 8 KEEPTTL
         INCREX a PERSIST => SET a 9
         INCREX a EX 100 ENX => SET a 10 PXAT {100s}
         INCREX a BYINT 100 UBOUND 20 =>
         INCREX a BYINT 100 UBOUND 20 SATURATE => SET a 20 KEEPTTL",
    );
}

#[test]
fn parts_go_out_as_they_are_and_an_empty_part_not_at_all() {
    leaves(
        &[],
        "APPEND a x => APPEND a x
         SETRANGE a 1 xx => SETRANGE a 1 xx
         SETRANGE b 0 \"\" =>
         STRLEN a =>
         LCS a b =>
         MGET a b =>",
    );
}
