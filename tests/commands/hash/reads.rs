//! HGET, HMGET, HEXISTS, HSTRLEN, HLEN, HGETALL, HKEYS, HVALS, HSCAN.

use super::{encodings, on_each, resp3, sorted};
use crate::harness::Server;

#[test]
fn fields_are_read_by_name() {
    on_each(
        "a 1 b two 3 three",
        "HGET h a -> 1
         HGET h 3 -> three
         HGET h x -> nil
         HMGET h b x a -> [two nil 1]
         HEXISTS h b -> (1)
         HEXISTS h x -> (0)
         HSTRLEN h b -> (3)
         HSTRLEN h a -> (1)
         HSTRLEN h x -> (0)
         HLEN h -> (3)",
    );
}

#[test]
fn all_fields_are_read_in_any_order() {
    for (_, mut server) in encodings("a 1 b two") {
        assert_eq!(sorted(&server.run("HGETALL h")), "1 a b two");
        assert_eq!(sorted(&server.run("HKEYS h")), "a b");
        assert_eq!(sorted(&server.run("HVALS h")), "1 two");
    }
    on_each("a 1", "HGETALL h -> [a 1]");
    for (_, server) in encodings("a 1") {
        resp3(server).check(
            "HGETALL h -> {a 1}
             HGETALL nothing -> {}
             HKEYS nothing -> []
             HVALS h -> [1]",
        );
    }
}

#[test]
fn what_is_not_there_has_no_fields() {
    Server::new().check(
        "HGET h a -> nil
         HMGET h a b -> [nil nil]
         HEXISTS h a -> (0)
         HSTRLEN h a -> (0)
         HLEN h -> (0)
         HGETALL h -> []
         HKEYS h -> []
         HVALS h -> []
         HSCAN h 0 -> [0 []]
         EXISTS h -> (0)",
    );
}

#[test]
fn a_key_of_another_type_is_refused() {
    let wrong = "!WRONGTYPE Operation against a key holding the wrong kind of value";
    let mut server = Server::new();
    server.run("SET s 1");
    for line in [
        "HGET s a",
        "HMGET s a",
        "HGETALL s",
        "HLEN s",
        "HSET s a 1",
        "HSETNX s a 1",
        "HDEL s a",
        "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1",
        "HSCAN s 0",
        "HSCAN s 0 COUNT 0",
        "HRANDFIELD s",
        "HRANDFIELD s 1",
        "HEXPIRE s x FIELDS 0 a",
        "HTTL s FIELDS 5 a",
        "HPERSIST s NAMES 1 a",
        "HGETEX s EX x FIELDS 1 a",
        "HGETDEL s FIELDS 9 a",
        "HSETEX s FIELDS 1 a 1",
    ] {
        assert_eq!(server.run(line), wrong, "{line}");
    }
    server.check(
        "HSET s a -> !ERR wrong number of arguments for 'hset' command
         HINCRBY s a x -> !ERR value is not an integer or out of range
         HSCAN s x -> !ERR invalid cursor",
    );
}

#[test]
fn a_scan_of_a_short_hash_is_one_step() {
    on_each(
        "alpha 1",
        "HSCAN h 0 -> [0 [alpha 1]]
         HSCAN h 0 NOVALUES -> [0 [alpha]]
         HSCAN h 0 MATCH b* -> [0 []]
         HSCAN h 0 MATCH a* COUNT 100 -> [0 [alpha 1]]
         HSCAN h 0 COUNT 0 -> !ERR syntax error
         HSCAN nothing 0 COUNT 0 -> [0 []]",
    );
}

#[test]
fn a_scan_of_a_long_hash_meets_every_field() {
    let mut server = Server::with_config("hash-max-listpack-entries 0");
    for n in 0..1000 {
        server.run(&format!("HSET h field:{n} {n}"));
    }
    let (mut cursor, mut steps, mut seen) = ("0".to_owned(), 0, Vec::new());
    loop {
        let reply = server.run(&format!("HSCAN h {cursor} COUNT 20 NOVALUES"));
        let (next, names) = reply[1..].split_once(' ').expect("a cursor and names");
        seen.extend(names.trim_matches(['[', ']']).split(' ').map(str::to_owned));
        steps += 1;
        cursor = next.to_owned();
        if cursor == "0" {
            break;
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
    assert!((10..=60).contains(&steps), "{steps}");
}
