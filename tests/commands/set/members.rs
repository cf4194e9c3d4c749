//! SADD, SREM, SMOVE, SCARD, SISMEMBER, SMISMEMBER, SMEMBERS, SSCAN.

use super::{check_all, sorted};
use crate::harness::Server;

#[test]
fn members_come_and_go_once_and_the_empty_set_is_no_key() {
    check_all(
        "SADD s 1 2 1 -> (2)
         SADD s 2 -> (0)
         SADD s 3 -> (1)
         SCARD s -> (3)
         TYPE s -> set
         SISMEMBER s 3 -> (1)
         SISMEMBER s 4 -> (0)
         SISMEMBER s 03 -> (0)
         SMISMEMBER s 1 x 2 1 -> [(1) (0) (1) (1)]
         SREM s x -> (0)
         SREM s 1 1 x 2 -> (2)
         SMEMBERS s -> [3]
         SREM s 3 -> (1)
         EXISTS s -> (0)
         SREM s 3 -> (0)",
    );
}

#[test]
fn no_key_is_an_empty_set() {
    Server::new().check(
        "SCARD n -> (0)
         SISMEMBER n a -> (0)
         SMISMEMBER n a b -> [(0) (0)]
         SMEMBERS n -> []
         SREM n a -> (0)
         SSCAN n 0 -> [0 []]
         SSCAN n 0 COUNT x -> [0 []]
         SSCAN n x -> !ERR invalid cursor
         SMOVE n other a -> (0)
         EXISTS n other -> (0)",
    );
}

#[test]
fn a_key_of_another_type_is_refused() {
    let mut server = Server::new();
    server.check(
        "SET str 1 -> OK
         SADD s a -> (1)",
    );
    for line in [
        "SADD str a",
        "SREM str a",
        "SCARD str",
        "SISMEMBER str a",
        "SMISMEMBER str a",
        "SMEMBERS str",
        "SMOVE str s a",
        "SMOVE s str a",
        "SMOVE s str x",
        "SPOP str",
        "SPOP str 1",
        "SRANDMEMBER str",
        "SRANDMEMBER str 1",
        "SSCAN str 0",
        "SINTER s str",
        "SINTER none str",
        "SUNION str",
        "SDIFF none str",
        "SINTERCARD 2 none str",
        "SUNIONSTORE d s str",
        "STTL str MEMBERS 1 a",
        "SPERSIST str MEMBERS 1 a",
        "SEXPIRE str 1 MEMBERS 1 a",
    ] {
        let wrong = "!WRONGTYPE Operation against a key holding the wrong kind of value";
        assert_eq!(server.run(line), wrong, "{line}");
    }
    server.check(
        "GET s -> !WRONGTYPE Operation against a key holding the wrong kind of value
         SMOVE none str a -> (0)",
    );
}

#[test]
fn a_member_moves_to_another_set() {
    check_all(
        "SADD a x y -> (2)
         SADD b y -> (1)
         SMOVE a b none -> (0)
         SMOVE a a x -> (1)
         SMOVE a a none -> (0)
         SCARD a -> (2)
         SMOVE a b x -> (1)
         SCARD b -> (2)
         SMOVE a b y -> (1)
         SCARD b -> (2)
         EXISTS a -> (0)
         SMOVE b c y -> (1)
         SMEMBERS c -> [y]
         SMEMBERS b -> [x]",
    );
}

#[test]
fn resp3_has_sets_of_its_own() {
    for config in super::CONFIGS {
        let mut server = Server::with_config(config);
        server.run("HELLO 3");
        server.check(
            "SADD s a -> (1)
             SMEMBERS s -> ~[a]
             SMEMBERS n -> ~[]
             SINTER s s -> ~[a]
             SUNION s n -> ~[a]
             SDIFF s n -> ~[a]
             SRANDMEMBER s 1 -> [a]
             SRANDMEMBER n -> nil
             SISMEMBER s a -> (1)
             SSCAN s 0 -> [0 [a]]
             SPOP n -> nil
             SPOP n 3 -> ~[]
             SPOP s 0 -> ~[]
             SPOP s 1 -> ~[a]",
        );
    }
}

#[test]
fn a_whole_scan_answers_every_member() {
    for config in super::CONFIGS {
        let mut server = Server::with_config(config);
        for n in 0..300 {
            server.run(&format!("SADD s word:{n}"));
        }
        let mut found = std::collections::BTreeSet::new();
        let mut cursor = "0".to_owned();
        let mut calls = 0;
        loop {
            let reply = server.run(&format!("SSCAN s {cursor} COUNT 7 MATCH word:*[05]"));
            let (next, words) = reply
                .trim_start_matches('[')
                .split_once(" [")
                .expect("a cursor and an array");
            let words = words.trim_matches(']').split(' ');
            found.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
            cursor = next.to_owned();
            calls += 1;
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(found.len(), 60);
        assert!(calls > 10, "{calls}");
    }
}

#[test]
fn a_scan_of_a_small_set_is_one_step() {
    let mut server = Server::new();
    server.check(
        "SADD s 1 2 3 -> (3)
         SSCAN s 0 COUNT 1 -> [0 [1 2 3]]
         SSCAN s 0 MATCH [13] -> [0 [1 3]]
         SSCAN s 0 COUNT 0 -> !ERR syntax error
         SSCAN s 0 COUNT x -> !ERR value is not an integer or out of range
         SSCAN s 0 TYPE set -> !ERR syntax error
         SSCAN s 0 NOVALUES -> !ERR NOVALUES option can only be used in HSCAN
         SSCAN s -1 -> !ERR invalid cursor",
    );
}

#[test]
fn generic_commands_know_sets() {
    for config in super::CONFIGS {
        let mut server = Server::with_config(config);
        let words = (0..150)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join(" ");
        server.check(
            "SADD small 1 2 x -> (3)
             COPY small other -> (1)
             SADD other y -> (1)
             SCARD small -> (3)
             RENAME other renamed -> OK
             MOVE renamed 3 -> (1)
             SELECT 3 -> OK
             SISMEMBER renamed y -> (1)
             SELECT 0 -> OK
             EXPIRE small 100 -> (1)
             SADD small z -> (1)
             TTL small -> (100)
             OBJECT IDLETIME small -> (0)
             OBJECT REFCOUNT small -> (1)
             TOUCH small -> (1)",
        );
        server.run(&format!("SADD large {words} word"));
        server.check(
            "OBJECT ENCODING large -> hashtable
             COPY large copy -> (1)
             SREM copy 1 -> (1)
             SCARD large -> (151)
             RENAME copy renamed -> OK
             SCARD renamed -> (150)
             SCAN 0 TYPE set COUNT 1000 MATCH large -> [0 [large]]
             SCAN 0 TYPE string COUNT 1000 -> [0 []]
             UNLINK large renamed -> (2)",
        );
        assert_eq!(server.host.freed, 2);
    }
}

#[test]
fn a_digest_does_not_depend_on_encoding_and_order() {
    let mut digests = super::CONFIGS.map(|config| {
        let mut server = Server::with_config(&format!("{config}\nenable-debug-command yes"));
        let words = if config.is_empty() { "3 1 2" } else { "1 2 3" };
        server.run(&format!("SADD s {words}"));
        let (all, value) = (
            server.run("DEBUG DIGEST"),
            server.run("DEBUG DIGEST-VALUE s"),
        );
        format!("{all} {value}")
    });
    digests.sort();
    assert_eq!(digests.first(), digests.last());
}

#[test]
fn memory_of_sets_is_told() {
    let mut server = Server::new();
    let words = (0..1000)
        .map(|n| format!("w{n}"))
        .collect::<Vec<_>>()
        .join(" ");
    server.run("SADD small 1 2 3");
    server.run(&format!("SADD large {words}"));
    let bytes = |server: &mut Server, line: &str| -> usize {
        let reply = server.run(line);
        reply.trim_matches(['(', ')']).parse().expect("a number")
    };
    assert!((20..100).contains(&bytes(&mut server, "MEMORY USAGE small")));
    assert!((10_000..40_000).contains(&bytes(&mut server, "MEMORY USAGE large SAMPLES 0")));
}

#[test]
fn members_are_bytes() {
    for config in super::CONFIGS {
        let mut server = Server::with_config(config);
        let client = server.client;
        let long = vec![0xff; 5000];
        for word in [&b""[..], b"a\r\nb", b"\0", &long] {
            assert_eq!(server.raw(client, &[b"SADD", b"s", word]), b":1\r\n");
            assert_eq!(server.raw(client, &[b"SISMEMBER", b"s", word]), b":1\r\n");
        }
        assert_eq!(server.run("SCARD s"), "(4)");
    }
    let mut server = Server::new();
    server.run("SADD s -9223372036854775808 9223372036854775807 9223372036854775808 -0 01");
    assert_eq!(
        sorted(&mut server, "SMEMBERS s"),
        "[-0 -9223372036854775808 01 9223372036854775807 9223372036854775808]"
    );
}

#[test]
fn debug_looks_into_sets() {
    let mut server = Server::with_config("enable-debug-command yes");
    let words = (0..200)
        .map(|n| format!("w{n}"))
        .collect::<Vec<_>>()
        .join(" ");
    server.run(&format!("SADD large {words}"));
    server.check(
        "SADD ints 1 2 3 -> (3)
         SADD words a b -> (2)
         DEBUG LISTPACK ints -> !ERR Not a listpack encoded object.
         DEBUG LISTPACK words -> Listpack structure printed on stdout
         DEBUG LISTPACK none -> !ERR no such key
         DEBUG HTSTATS-KEY words -> !ERR The value stored at the specified key is not represented using an hash table",
    );
    assert!(
        server
            .run("DEBUG HTSTATS-KEY large")
            .contains("number of elements: 200")
    );
    let object = |server: &mut Server, key: &str| server.run(&format!("DEBUG OBJECT {key}"));
    assert!(object(&mut server, "ints").contains("encoding:intset serializedlength:15 "));
    assert!(object(&mut server, "words").contains("encoding:listpack serializedlength:14 "));
    // 10 words of 2 bytes, 90 of 3, 100 of 4, each with a length of 1; 200 takes 2.
    assert!(object(&mut server, "large").contains("encoding:hashtable serializedlength:892 "));
}
