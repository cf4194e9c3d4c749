//! What goes to the append-only file and to replicas.

use super::commands;
use crate::harness::Server;

/// Runs `setup` unseen, then checks lines of `command => what it leaves in the stream`.
#[track_caller]
fn leaves(setup: &[&str], script: &str) {
    let mut server = Server::new();
    for line in setup {
        server.run(line);
    }
    let reader = server.engine.open_stream();
    server.run("SET first 1");
    server.engine.stream.read(reader);
    for line in script.lines().map(str::trim) {
        let (command, expected) = line.split_once(" =>").expect("there is an arrow");
        let reply = server.run(command);
        assert!(!reply.starts_with('!'), "{command}: {reply}");
        let bytes = server.engine.stream.read(reader);
        assert_eq!(commands(&bytes), expected.trim(), "{command}");
    }
}

#[test]
fn changes_go_out_as_they_are_and_nothing_where_nothing_changed() {
    leaves(
        &["SADD a 1 2", "SADD b 2"],
        "SADD a 1 =>
         SADD a 1 x => SADD a 1 x
         SREM a none =>
         SREM a x none => SREM a x none
         SMOVE a b none =>
         SMOVE a a 1 =>
         SMOVE a b 1 => SMOVE a b 1
         SINTERSTORE d a b => SINTERSTORE d a b
         SINTERSTORE d a none => SINTERSTORE d a none
         SINTERSTORE d a none =>
         SMEMBERS a =>
         SRANDMEMBER a 5 =>",
    );
}

#[test]
fn what_was_drawn_goes_out_by_name() {
    leaves(
        &["SADD a 1", "SADD b x", "SADD c 1 2 3"],
        "SPOP a => SREM a 1
         SPOP a =>
         SPOP b 5 => DEL b
         SPOP b 5 =>
         SPOP c 0 =>",
    );
    let mut server = Server::new();
    server.run("SADD c 1 2 3");
    let reader = server.engine.open_stream();
    server.engine.stream.read(reader);
    let popped = server.run("SPOP c 2");
    let expected = format!("SREM c {}", popped.trim_matches(['[', ']']));
    let left = commands(&server.engine.stream.read(reader));
    assert!(left.ends_with(&expected), "{left}");
}

#[test]
fn sort_goes_out_only_with_store() {
    leaves(
        &["SADD a 2 1"],
        "SORT a =>
         SORT a STORE d => SORT a STORE d
         SORT none STORE d => SORT none STORE d
         SORT none STORE d =>",
    );
}
