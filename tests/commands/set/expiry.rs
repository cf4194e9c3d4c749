//! Deadlines of members: SEXPIRE and its relatives, and members that expire.

use super::commands;
use crate::harness::{START_MS, Server};

#[test]
fn members_get_deadlines_and_lose_them() {
    let mut server = Server::new();
    server.check(
        "SADD s a b c 1 -> (4)
         STTL s MEMBERS 2 a x -> [(-1) (-2)]
         SEXPIRE s 100 MEMBERS 3 a 1 x -> [(1) (1) (-2)]
         OBJECT ENCODING s -> hashtable
         STTL s MEMBERS 3 a b 1 -> [(100) (-1) (100)]
         SPTTL s MEMBERS 1 a -> [(100000)]
         SPEXPIRE s 50500 MEMBERS 1 b -> [(1)]
         STTL s MEMBERS 1 b -> [(51)]
         SEXPIRE s 200 NX MEMBERS 2 a c -> [(0) (1)]
         SEXPIRE s 150 GT MEMBERS 2 a c -> [(1) (0)]
         SEXPIRE s 150 LT MEMBERS 2 a c -> [(0) (1)]
         SEXPIRE s 10 XX MEMBERS 1 a -> [(1)]
         SPERSIST s MEMBERS 3 a b x -> [(1) (1) (-2)]
         SPERSIST s MEMBERS 1 a -> [(-1)]
         SPEXPIRETIME s MEMBERS 1 a -> [(-1)]
         SEXPIRE none 10 MEMBERS 2 a b -> [(-2) (-2)]
         STTL none MEMBERS 1 a -> [(-2)]
         SPERSIST none MEMBERS 1 a -> [(-2)]",
    );
    let at = START_MS / 1000 + 1000;
    server.check(&format!(
        "SEXPIREAT s {at} MEMBERS 1 a -> [(1)]
         SEXPIRETIME s MEMBERS 1 a -> [({at})]
         SPEXPIREAT s {at}500 MEMBERS 1 a -> [(1)]
         SPEXPIRETIME s MEMBERS 1 a -> [({at}500)]"
    ));
}

#[test]
fn a_time_that_has_passed_removes_members_and_the_empty_set() {
    Server::new().check(
        "SADD s a b -> (2)
         SEXPIRE s 0 MEMBERS 1 a -> [(2)]
         SMEMBERS s -> [b]
         SPEXPIREAT s 1 MEMBERS 2 a b -> [(-2) (2)]
         EXISTS s -> (0)",
    );
}

#[test]
fn members_expire_by_themselves_and_the_set_with_the_last() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.check(
        "SADD s a b -> (2)
         SPEXPIRE s 100 MEMBERS 1 a -> [(1)]
         SPEXPIRE s 200 MEMBERS 1 b -> [(1)]",
    );
    server.engine.stream.read(reader);
    server.pass_ms(101);
    let stream = commands(&server.engine.stream.read(reader));
    assert_eq!(stream, "SREM s a");
    server.check("SMEMBERS s -> [b]");
    server.pass_ms(100);
    let stream = commands(&server.engine.stream.read(reader));
    assert_eq!(stream, "SREM s b");
    server.check(
        "EXISTS s -> (0)
         DBSIZE -> (0)",
    );
    assert_eq!(server.engine.keyspace.counters.expired_members, 2);
}

#[test]
fn nobody_sees_a_member_whose_deadline_has_passed() {
    let mut server = Server::new();
    for key in ["r", "s", "t", "u", "v", "w"] {
        server.run(&format!("SADD {key} a b c"));
        server.run(&format!("SPEXPIRE {key} 100 MEMBERS 2 a b"));
    }
    server.run("SADD other a b c");
    let reader = server.engine.open_stream();
    server.engine.stream.read(reader);
    // No timed duties in between: every command meets members that are due.
    server.clock.advance_ms(101);
    server.check(
        "SINTER r other -> [c]
         SMEMBERS s -> [c]
         SCARD t -> (1)
         SADD u a -> (1)
         STTL u MEMBERS 2 a b -> [(-1) (-2)]
         SREM v b c -> (1)
         EXISTS v -> (0)
         SPOP w 10 -> [c]",
    );
    let stream = commands(&server.engine.stream.read(reader));
    assert!(stream.contains("SREM u a b ; SADD u a"), "{stream}");
    assert!(stream.contains("SREM v a b ; SREM v b c"), "{stream}");
}

#[test]
fn a_deadline_stays_with_the_member_in_its_set() {
    let mut server = Server::new();
    server.check(
        "SADD s a b -> (2)
         SEXPIRE s 100 MEMBERS 1 a -> [(1)]
         SADD s a -> (0)
         STTL s MEMBERS 1 a -> [(100)]
         COPY s copy -> (1)
         STTL copy MEMBERS 2 a b -> [(100) (-1)]
         RENAME copy renamed -> OK
         STTL renamed MEMBERS 1 a -> [(100)]
         SUNIONSTORE stored s -> (2)
         STTL stored MEMBERS 1 a -> [(-1)]
         SMOVE s moved a -> (1)
         STTL moved MEMBERS 1 a -> [(-1)]
         SADD s a -> (1)
         STTL s MEMBERS 1 a -> [(-1)]",
    );
    server.pass_ms(100_001);
    server.check("SMEMBERS renamed -> [b]");
}

#[test]
fn deadlines_go_out_absolute() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.run("SADD s a b c");
    server.engine.stream.read(reader);
    let at = START_MS + 100_000;
    for (command, expected) in [
        (
            "SEXPIRE s 100 MEMBERS 2 a x",
            format!("SPEXPIREAT s {at} MEMBERS 1 a"),
        ),
        ("SEXPIRE s 200 NX MEMBERS 1 a", String::new()),
        (
            "SPERSIST s MEMBERS 1 a",
            "SPERSIST s MEMBERS 1 a".to_owned(),
        ),
        ("SPERSIST s MEMBERS 1 a", String::new()),
        ("SEXPIRE s 0 MEMBERS 2 a x", "SREM s a".to_owned()),
    ] {
        server.run(command);
        let stream = commands(&server.engine.stream.read(reader));
        assert_eq!(stream, expected, "{command}");
    }
}

#[test]
fn wrong_words_are_refused() {
    Server::new().check(
        "SADD s a -> (1)
         SEXPIRE s 10 FIELDS 1 a -> !ERR Mandatory argument MEMBERS is missing or not at the right position
         SEXPIRE s 10 MEMBERS 2 a -> !ERR The `nummembers` parameter must match the number of arguments
         SEXPIRE s 10 MEMBERS 0 a -> !ERR Parameter `numMembers` should be greater than 0
         SEXPIRE s x MEMBERS 1 a -> !ERR value is not an integer or out of range
         SEXPIRE s -1 MEMBERS 1 a -> !ERR invalid expire time, must be >= 0
         STTL s MEMBERS 0 a -> !ERR Number of members must be a positive integer
         SEXPIRE s 10 -> !ERR wrong number of arguments for 'sexpire' command",
    );
}
