//! HEXPIRE and its relatives, HTTL and its relatives, HPERSIST, and how fields expire.

use super::{encodings, on_each};
use crate::harness::{START_MS, Server};

#[test]
fn a_deadline_is_told_in_every_unit() {
    let at = |more: i64| START_MS + more;
    on_each(
        "a 1 b 2",
        &format!(
            "HEXPIRE h 100 FIELDS 2 a x -> [(1) (-2)]
             HTTL h FIELDS 3 a b x -> [(100) (-1) (-2)]
             HPTTL h FIELDS 1 a -> [(100000)]
             HEXPIRETIME h FIELDS 1 a -> [({})]
             HPEXPIRETIME h FIELDS 1 a -> [({})]
             HPEXPIRE h 1500 FIELDS 1 a -> [(1)]
             HTTL h FIELDS 1 a -> [(2)]
             HEXPIREAT h {} FIELDS 1 a -> [(1)]
             HTTL h FIELDS 1 a -> [(7)]
             HPEXPIREAT h {} FIELDS 1 a -> [(1)]
             HEXPIRETIME h FIELDS 1 a -> [({})]
             HPERSIST h FIELDS 3 a b x -> [(1) (-1) (-2)]
             HTTL h FIELDS 1 a -> [(-1)]",
            at(100_000) / 1000,
            at(100_000),
            at(7_000) / 1000,
            at(7_001),
            at(8_000) / 1000,
        ),
    );
}

#[test]
fn a_key_that_is_not_there_has_no_fields() {
    Server::new().check(
        "HEXPIRE h 10 FIELDS 2 a b -> [(-2) (-2)]
         HTTL h FIELDS 2 a b -> [(-2) (-2)]
         HPERSIST h FIELDS 1 a -> [(-2)]
         EXISTS h -> (0)",
    );
}

#[test]
fn conditions_look_at_the_present_deadline() {
    on_each(
        "a 1 b 2",
        "HEXPIRE h 100 XX FIELDS 1 a -> [(0)]
         HEXPIRE h 100 GT FIELDS 1 a -> [(0)]
         HEXPIRE h 100 NX FIELDS 2 a a -> [(1) (0)]
         HEXPIRE h 50 gt FIELDS 1 a -> [(0)]
         HEXPIRE h 100 GT FIELDS 1 a -> [(0)]
         HEXPIRE h 100 LT FIELDS 1 a -> [(0)]
         HEXPIRE h 200 GT FIELDS 1 a -> [(1)]
         HEXPIRE h 50 LT FIELDS 2 a b -> [(1) (1)]
         HEXPIRE h 60 XX FIELDS 1 b -> [(1)]
         HEXPIRE h 0 NX FIELDS 1 a -> [(0)]
         HTTL h FIELDS 2 a b -> [(50) (60)]",
    );
}

#[test]
fn a_deadline_that_has_passed_deletes() {
    on_each(
        "a 1 b 2",
        "HEXPIRE h 0 FIELDS 3 a a x -> [(2) (-2) (-2)]
         HLEN h -> (1)
         HPEXPIREAT h 1 FIELDS 1 b -> [(2)]
         EXISTS h -> (0)",
    );
}

#[test]
fn a_new_value_takes_the_deadline_away_and_a_sum_does_not() {
    on_each(
        "a 1 b 2",
        "HEXPIRE h 100 FIELDS 2 a b -> [(1) (1)]
         HINCRBY h a 1 -> (2)
         HINCRBYFLOAT h a 1 -> 3
         HTTL h FIELDS 1 a -> [(100)]
         HSETNX h a 9 -> (0)
         HTTL h FIELDS 1 a -> [(100)]
         HSET h a 5 -> (0)
         HTTL h FIELDS 2 a b -> [(-1) (100)]",
    );
}

#[test]
fn the_grammar_is_that_of_redis() {
    let missing = "!ERR Mandatory argument FIELDS is missing or not at the right position";
    let unequal = "!ERR The `numfields` parameter must match the number of arguments";
    Server::new().check(&format!(
        "HSET h a 1 -> (1)
         HEXPIRE h 10 FIELDS 1 -> !ERR wrong number of arguments for 'hexpire' command
         HEXPIRE h x FIELDS 1 a -> !ERR value is not an integer or out of range
         HEXPIRE h -1 NAMES 1 a -> !ERR invalid expire time, must be >= 0
         HEXPIRE h 99999999999999999 FIELDS 1 a -> !ERR invalid expire time in 'hexpire' command
         HPEXPIREAT h 70368744177664 FIELDS 1 a -> !ERR invalid expire time in 'hpexpireat' command
         HEXPIRE h 10 NAMES 1 a -> {missing}
         HEXPIRE h 10 NX XX FIELDS 1 a -> {missing}
         HEXPIRE h 10 FIELDS 0 a -> !ERR Parameter `numFields` should be greater than 0
         HEXPIRE h 10 FIELDS x a -> !ERR Parameter `numFields` should be greater than 0
         HEXPIRE h 10 FIELDS 2 a -> {unequal}
         HEXPIRE h 10 FIELDS 1 a NX -> {unequal}
         HTTL h NAMES 1 a -> {missing}
         HTTL h FIELDS 0 a -> !ERR Number of fields must be a positive integer
         HTTL h FIELDS 2 a -> {unequal}
         HPERSIST h FIELDS x a -> !ERR Number of fields must be a positive integer
         HTTL h FIELDS 1 a -> [(-1)]"
    ));
}

#[test]
fn fields_expire_by_themselves_and_the_hash_with_the_last() {
    for (_, mut server) in encodings("a 1 b 2 c 3") {
        server.run("HPEXPIRE h 10 FIELDS 1 b");
        server.run("HPEXPIRE h 20 FIELDS 2 a c");
        server.pass_ms(10);
        assert_eq!(server.run("HLEN h"), "(3)");
        server.pass_ms(1);
        server.check("HLEN h -> (2)\nHGET h b -> nil\nHGET h a -> 1");
        server.pass_ms(9);
        assert_eq!(server.run("EXISTS h"), "(1)");
        server.pass_ms(1);
        assert_eq!(server.run("EXISTS h"), "(0)");
    }
}

#[test]
fn many_fields_expire_and_the_others_stay() {
    let mut server = Server::new();
    for n in 0..3000 {
        server.run(&format!("HSET h {n} value"));
        if n % 3 > 0 {
            server.run(&format!("HPEXPIRE h {} FIELDS 1 {n}", 1000 + n));
        }
    }
    server.pass_ms(10_000);
    server.check("HLEN h -> (1000)\nHEXISTS h 1 -> (0)\nHEXISTS h 3 -> (1)");
}

/// An `h` whose fields `a` and `b` have expired, and nothing has deleted them; `c` lives.
fn overdue() -> Vec<Server> {
    let servers = encodings("a 1 b 2 c 3").into_iter();
    servers
        .map(|(_, mut server)| {
            server.run("DEBUG SET-ACTIVE-EXPIRE 0");
            server.run("HPEXPIRE h 10 FIELDS 2 a b");
            server.pass_ms(11);
            server
        })
        .collect()
}

#[track_caller]
fn on_each_overdue(script: &str) {
    for mut server in overdue() {
        server.check(script);
    }
}

#[test]
fn readers_do_not_see_what_has_expired() {
    on_each_overdue(
        "HLEN h -> (3)
         HGETALL h -> [c 3]
         HKEYS h -> [c]
         HVALS h -> [3]
         HSCAN h 0 -> [0 [c 3]]
         HTTL h FIELDS 2 a c -> [(-2) (-1)]
         HLEN h -> (3)",
    );
}

#[test]
fn who_asks_for_an_expired_field_deletes_it() {
    on_each_overdue("HGET h a -> nil\nHLEN h -> (2)");
    on_each_overdue("HMGET h c a b -> [3 nil nil]\nHLEN h -> (1)");
    on_each_overdue("HEXISTS h a -> (0)\nHLEN h -> (2)");
    on_each_overdue("HSTRLEN h a -> (0)\nHLEN h -> (2)");
    on_each_overdue("HDEL h c -> (1)\nEXISTS h -> (1)\nHMGET h a b -> [nil nil]\nEXISTS h -> (0)");
}

#[test]
fn changes_take_what_has_expired_for_nothing() {
    on_each_overdue("HINCRBY h a 5 -> (5)\nHTTL h FIELDS 1 a -> [(-1)]");
    on_each_overdue("HINCRBYFLOAT h a 5 -> 5\nHTTL h FIELDS 1 a -> [(-1)]");
    on_each_overdue("HSETNX h a 5 -> (1)\nHGET h a -> 5");
    on_each_overdue("HSETEX h FXX FIELDS 1 a 5 -> (0)");
    on_each_overdue("HSETEX h FNX KEEPTTL FIELDS 1 a 5 -> (1)\nHTTL h FIELDS 1 a -> [(-1)]");
    on_each_overdue("HGETDEL h FIELDS 2 a c -> [nil 3]\nHLEN h -> (1)");
    on_each_overdue("HGETEX h EX 100 FIELDS 1 a -> [nil]\nHLEN h -> (2)");
    on_each_overdue("HSET h a 5 -> (0)\nHTTL h FIELDS 1 a -> [(-1)]\nHGET h a -> 5");
    on_each_overdue("HDEL h a -> (1)");
    on_each_overdue("HRANDFIELD h -> c\nHLEN h -> (1)");
    on_each_overdue("HRANDFIELD h 5 WITHVALUES -> [c 3]");
}

#[test]
fn deadlines_come_along_when_a_hash_is_copied_renamed_or_moved() {
    for (_, mut server) in encodings("a 1 b 2") {
        server.run("HPEXPIRE h 100 FIELDS 1 a");
        server.check(
            "COPY h copy -> (1)
             RENAME h other -> OK
             MOVE other 1 -> (1)
             HPTTL copy FIELDS 2 a b -> [(100) (-1)]",
        );
        server.pass_ms(101);
        server.check(
            "HGETALL copy -> [b 2]
             SELECT 1 -> OK
             HGETALL other -> [b 2]",
        );
    }
}

#[test]
fn a_key_that_is_overwritten_leaves_no_deadlines() {
    for (_, mut server) in encodings("a 1") {
        server.run("HPEXPIRE h 100 FIELDS 1 a");
        server.run("SET h string");
        server.pass_ms(101);
        assert_eq!(server.run("GET h"), "string");
        server.run("DEL h");
        server.run("HSET h a 1");
        server.run("HPEXPIRE h 100 FIELDS 1 a");
        server.run("DEL h");
        server.run("HSET h a 1");
        server.pass_ms(101);
        assert_eq!(server.run("HGET h a"), "1");
    }
}
