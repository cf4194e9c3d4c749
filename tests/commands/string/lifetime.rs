//! Deadlines: which commands set, keep and clear them.

use crate::harness::{START_MS, Server};

/// Whether the key `a` outlives 100 ms after these commands.
fn outlives(script: &str) -> bool {
    let mut server = Server::new();
    server.check(script);
    server.pass_ms(101);
    server.run("GET a") != "nil"
}

#[test]
fn every_unit_means_the_same_moment() {
    let second = START_MS / 1000 + 1;
    for option in [
        "EX 1".to_owned(),
        "PX 1000".to_owned(),
        format!("EXAT {second}"),
        format!("PXAT {}", second * 1000),
    ] {
        for command in ["SET a v", "MSETEX 1 a v", "INCREX a", "GETEX a"] {
            let mut server = Server::new();
            if command == "GETEX a" {
                server.run("SET a v");
            }
            let reply = server.run(&format!("{command} {option}"));
            assert!(!reply.starts_with('!'), "{command} {option}: {reply}");
            server.pass_ms(1000);
            assert_ne!(server.run("GET a"), "nil", "{command} {option}");
            server.pass_ms(1);
            assert_eq!(server.run("GET a"), "nil", "{command} {option}");
        }
    }
}

#[test]
fn a_new_value_clears_the_deadline_unless_it_says_otherwise() {
    assert!(!outlives("SET a 1 PX 100 -> OK"));
    assert!(!outlives("PSETEX a 100 1 -> OK"));
    assert!(outlives("SETEX a 1 1 -> OK"));
    for command in [
        "SET a 2",
        "GETSET a 2",
        "MSET a 2",
        "MSETEX 1 a 2",
        "SET a 2 GET",
    ] {
        let mut server = Server::new();
        server.run("SET a 1 PX 100");
        server.run(command);
        server.pass_ms(101);
        assert_eq!(server.run("GET a"), "2", "{command}");
    }
}

#[test]
fn a_changed_value_keeps_the_deadline() {
    for command in [
        "SET a 2 KEEPTTL",
        "MSETEX 1 a 2 KEEPTTL",
        "INCR a",
        "INCRBYFLOAT a 0.5",
        "INCREX a",
        "APPEND a 1",
        "SETRANGE a 5 x",
        "SETNX a 2",
        "GETEX a",
        "GET a",
    ] {
        let mut server = Server::new();
        server.run("SET a 1 PX 100");
        let reply = server.run(command);
        assert!(!reply.starts_with('!'), "{command}: {reply}");
        server.pass_ms(101);
        assert_eq!(server.run("GET a"), "nil", "{command}");
    }
}

#[test]
fn getex_sets_and_removes_the_deadline() {
    assert!(!outlives(
        "SET a 1 -> OK
         GETEX a PX 100 -> 1"
    ));
    assert!(outlives(
        "SET a 1 PX 100 -> OK
         GETEX a PERSIST -> 1"
    ));
    assert!(outlives(
        "SET a 1 PX 100 -> OK
         GETEX a EX 10 -> 1"
    ));
}
