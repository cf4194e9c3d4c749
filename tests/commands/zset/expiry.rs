//! Deadlines of members: ZEXPIRE and its relatives, and how members expire.

use super::{encodings, on_each};
use crate::harness::{START_MS, Server};

#[test]
fn a_deadline_is_told_in_every_unit() {
    let at = |more: i64| START_MS + more;
    on_each(
        "1 a 2 b",
        &format!(
            "ZEXPIRE z 100 MEMBERS 2 a x -> [(1) (-2)]
             ZTTL z MEMBERS 3 a b x -> [(100) (-1) (-2)]
             ZPTTL z MEMBERS 1 a -> [(100000)]
             ZEXPIRETIME z MEMBERS 1 a -> [({})]
             ZPEXPIRETIME z MEMBERS 1 a -> [({})]
             ZPEXPIRE z 1500 MEMBERS 1 a -> [(1)]
             ZEXPIREAT z {} MEMBERS 1 b -> [(1)]
             ZTTL z MEMBERS 2 a b -> [(2) (7)]
             ZPEXPIREAT z {} MEMBERS 1 a -> [(1)]
             ZPERSIST z MEMBERS 3 a b x -> [(1) (1) (-2)]
             ZPERSIST z MEMBERS 1 a -> [(-1)]
             ZTTL z MEMBERS 1 a -> [(-1)]
             ZRANGE z 0 -1 WITHSCORES -> [a 1 b 2]",
            at(100_000) / 1000,
            at(100_000),
            at(7_000) / 1000,
            at(8_000),
        ),
    );
}

#[test]
fn conditions_and_words_are_those_of_hashes() {
    on_each(
        "1 a 2 b",
        "ZEXPIRE z 100 XX MEMBERS 1 a -> [(0)]
         ZEXPIRE z 100 NX MEMBERS 1 a -> [(1)]
         ZEXPIRE z 50 GT MEMBERS 1 a -> [(0)]
         ZEXPIRE z 50 LT MEMBERS 2 a b -> [(1) (1)]
         ZEXPIRE z 10 FIELDS 1 a -> !ERR Mandatory argument MEMBERS is missing or not at the right position
         ZEXPIRE z 10 MEMBERS 2 a -> !ERR The `nummembers` parameter must match the number of arguments
         ZEXPIRE z -1 MEMBERS 1 a -> !ERR invalid expire time, must be >= 0
         ZEXPIRE nothing 10 MEMBERS 2 a b -> [(-2) (-2)]
         ZTTL nothing MEMBERS 1 a -> [(-2)]",
    );
}

#[test]
fn a_time_that_has_passed_removes_the_member_and_the_last_one_the_key() {
    on_each(
        "1 a 2 b",
        "ZEXPIRE z 0 MEMBERS 1 a -> [(2)]
         ZRANGE z 0 -1 -> [b]
         ZPEXPIREAT z 1 MEMBERS 2 b x -> [(2) (-2)]
         EXISTS z -> (0)",
    );
}

/// A server whose `z` has members a to e, of which b and d have expired; nothing was removed for it yet.
fn with_expired(mut server: Server) -> Server {
    server.run("ZADD z 1 a 2 b 3 c 4 d 5 e");
    server.run("ZPEXPIRE z 100 MEMBERS 2 b d");
    server.clock.advance_ms(101);
    server
}

#[test]
fn a_member_that_has_expired_is_not_there_for_any_command() {
    let cases = [
        ("ZCARD z", "(3)"),
        ("ZRANGE z 0 -1", "[a c e]"),
        ("ZSCORE z b", "nil"),
        ("ZRANK z c", "(1)"),
        ("ZCOUNT z -inf inf", "(3)"),
        ("ZRANGEBYSCORE z 2 4 LIMIT 0 1", "[c]"),
        ("ZREM z b", "(0)"),
        ("ZINCRBY z 1 b", "1"),
        ("ZADD z XX CH 9 d", "(0)"),
        ("ZREMRANGEBYRANK z 1 1", "(1)"),
        ("ZMPOP 1 z MAX COUNT 2", "[z [[e 5] [c 3]]]"),
        ("ZUNION 1 z WITHSCORES", "[a 1 c 3 e 5]"),
        ("ZRANDMEMBER z 9", "[a c e]"),
        ("ZTTL z MEMBERS 2 a b", "[(-1) (-2)]"),
        ("ZPERSIST z MEMBERS 1 b", "[(-2)]"),
    ];
    for (command, expected) in cases {
        for (_, server) in encodings() {
            assert_eq!(with_expired(server).run(command), expected, "{command}");
        }
    }
}

#[test]
fn members_expire_without_anybody_looking_and_the_key_with_the_last() {
    for (_, mut server) in encodings() {
        let reader = server.engine.open_stream();
        server.run("ZADD z 1 a 2 b");
        server.run("ZPEXPIRE z 100 MEMBERS 1 a");
        server.run("ZPEXPIRE z 200 MEMBERS 1 b");
        server.stream(reader);
        server.pass_ms(101);
        assert_eq!(server.stream(reader), ["ZREM z a"]);
        server.check("ZRANGE z 0 -1 -> [b]");
        server.pass_ms(100);
        assert_eq!(server.stream(reader), ["ZREM z b"]);
        server.check("DBSIZE -> (0)");
    }
}

#[test]
fn the_first_look_at_members_that_are_due_takes_them_out_for_those_who_read_the_stream_too() {
    for (_, mut server) in encodings() {
        let reader = server.engine.open_stream();
        server.run("ZADD z 1 a 2 b 3 c");
        server.run("ZPEXPIRE z 100 MEMBERS 2 a b");
        server.clock.advance_ms(101);
        server.stream(reader);
        server.check("ZRANK z c -> (0)");
        assert_eq!(server.stream(reader), ["ZREM z a b"]);
        server.run("ZPEXPIRE z 100 MEMBERS 1 c");
        server.clock.advance_ms(101);
        server.stream(reader);
        server.check("ZADD z 5 d -> (1)");
        assert_eq!(server.stream(reader), ["ZREM z c", "ZADD z 5 d"]);
        server.check("ZRANGE z 0 -1 -> [d]");
    }
}

#[test]
fn a_new_score_leaves_the_deadline_and_a_copy_has_it_too() {
    for (_, mut server) in encodings() {
        server.check(
            "ZADD z 1 a 2 b -> (2)
             ZEXPIRE z 10 MEMBERS 1 a -> [(1)]
             ZADD z 9 a -> (0)
             ZINCRBY z 1 a -> 10
             ZTTL z MEMBERS 1 a -> [(10)]
             COPY z y -> (1)
             ZTTL y MEMBERS 2 a b -> [(10) (-1)]
             ZREM z a -> (1)
             ZADD z 1 a -> (1)
             ZTTL z MEMBERS 1 a -> [(-1)]",
        );
        server.pass_ms(10_001);
        server.check(
            "ZRANGE y 0 -1 -> [b]
             ZRANGE z 0 -1 -> [a b]",
        );
    }
}
