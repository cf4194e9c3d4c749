//! The generic commands. The replies are those of Redis 8.0.

use crate::harness::{START_MS, Server};
use oxidis::engine::stream::ReaderId;
use std::collections::BTreeSet;

/// What has come to the stream since, in one line.
fn stream(server: &mut Server, reader: ReaderId) -> String {
    server.stream(reader).join(" ; ")
}

/// Every key that a whole iteration with these options answers.
fn scan_all(server: &mut Server, options: &str) -> Vec<String> {
    let mut cursor = "0".to_owned();
    let mut names = Vec::new();
    loop {
        let reply = server.run(&format!("SCAN {cursor} {options}"));
        let (next, found) = reply
            .trim_start_matches('[')
            .split_once(' ')
            .expect("a cursor and an array");
        let found = found.trim_matches(['[', ']']);
        names.extend(
            found
                .split(' ')
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        );
        cursor = next.to_owned();
        if cursor == "0" {
            return names;
        }
    }
}

#[test]
fn del_unlink_and_delete_count_the_keys_that_were_there() {
    Server::new().check(
        "SET a 1 -> OK
         SET b 2 -> OK
         SET c 3 -> OK
         SET d 4 -> OK
         DEL a nothing a -> (1)
         UNLINK b nothing -> (1)
         DELETE c d -> (2)
         DBSIZE -> (0)
         DEL -> !ERR wrong number of arguments for 'del' command",
    );
}

#[test]
fn many_keys_are_deleted_and_counted_as_few_are() {
    let mut server = Server::new();
    let names: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
    for name in &names {
        server.run(&format!("SET {name} v"));
    }
    let names = names.join(" ");
    assert_eq!(server.run(&format!("EXISTS {names} k1 none")), "(101)");
    assert_eq!(server.run(&format!("TOUCH {names} k1 none")), "(101)");
    assert_eq!(server.run(&format!("UNLINK {names} k1 none")), "(100)");
}

#[test]
fn type_names_what_a_key_holds() {
    Server::new().check(
        "SET a 1 -> OK
         TYPE a -> string
         TYPE nothing -> none",
    );
}

#[test]
fn reads_count_hits_and_misses_but_looking_at_a_key_is_no_use_of_it() {
    let mut server = Server::new();
    server.run("SET a 1");
    server.pass_ms(30_000);
    server.check(
        "EXISTS a nothing -> (1)
         TTL a -> (-1)
         TYPE a -> string
         OBJECT IDLETIME a -> (30)
         OBJECT ENCODING a -> int",
    );
    let counters = server.engine.keyspace.counters;
    assert_eq!((counters.hits, counters.misses), (5, 1));
    server.check(
        "TOUCH a -> (1)
         OBJECT IDLETIME a -> (0)",
    );
}

#[test]
fn keys_answers_those_that_match_and_live() {
    let mut server = Server::new();
    server.check(
        "SET k?y 1 -> OK
         SET other 1 PX 100 -> OK
         KEYS k\\?y -> [k?y]
         KEYS other -> [other]
         KEYS nothing -> []
         KEYS o* -> [other]
         KEYS [k]?[y] -> [k?y]",
    );
    server.clock.advance_ms(101);
    server.check(
        "KEYS o* -> []
         KEYS other -> []
         KEYS * -> [k?y]",
    );
}

#[test]
fn a_whole_scan_answers_every_key_whatever_the_count() {
    let mut server = Server::with_config("enable-debug-command yes");
    server.run("DEBUG POPULATE 1000");
    for options in [
        "",
        "COUNT 1",
        "COUNT 5 TYPE string",
        "COUNT 9223372036854775807",
    ] {
        let names = scan_all(&mut server, options);
        assert_eq!(
            names.iter().collect::<BTreeSet<_>>().len(),
            1000,
            "{options}"
        );
    }
    let names: BTreeSet<String> = scan_all(&mut server, "MATCH key:1??").into_iter().collect();
    assert_eq!(names.len(), 100);
    assert!(scan_all(&mut server, "TYPE list").is_empty());
    assert!(scan_all(&mut server, "TYPE nosuch").is_empty());
}

#[test]
fn a_scan_answers_every_key_that_stays_while_others_come_and_go() {
    let mut server = Server::with_config("enable-debug-command yes");
    server.run("DEBUG POPULATE 500");
    let (mut cursor, mut seen) = ("0".to_owned(), BTreeSet::new());
    for round in 0.. {
        let reply = server.run(&format!("SCAN {cursor}"));
        let (next, found) = reply
            .trim_start_matches('[')
            .split_once(' ')
            .expect("a cursor and an array");
        seen.extend(found.trim_matches(['[', ']']).split(' ').map(str::to_owned));
        next.clone_into(&mut cursor);
        if cursor == "0" {
            break;
        }
        for n in 0..20 {
            server.run(&format!("SET added:{round}:{n} v"));
        }
        if round % 5 == 4 {
            for n in 0..20 {
                server.run(&format!("DEL added:{}:{n}", round - 1));
            }
        }
    }
    assert_eq!(
        seen.iter().filter(|name| name.starts_with("key:")).count(),
        500
    );
}

#[test]
fn a_nearly_empty_table_is_scanned_in_bounded_steps() {
    let mut server = Server::with_config("enable-debug-command yes");
    server.run("DEBUG POPULATE 20000");
    let reply = server.run("SCAN 0 COUNT 1 MATCH nothing");
    assert!(
        reply.ends_with(" []]") && !reply.starts_with("[0 "),
        "{reply}"
    );
}

#[test]
fn scan_reads_its_arguments_as_redis_does() {
    Server::new().check(
        "SCAN x -> !ERR invalid cursor
         SCAN -1 -> !ERR invalid cursor
         SCAN \"\" -> !ERR invalid cursor
         SCAN 18446744073709551616 -> !ERR invalid cursor
         SCAN 18446744073709551615 -> [0 []]
         SCAN 0 COUNT -> !ERR syntax error
         SCAN 0 COUNT 0 -> !ERR syntax error
         SCAN 0 COUNT -5 -> !ERR syntax error
         SCAN 0 COUNT x -> !ERR value is not an integer or out of range
         SCAN 0 TYPE nosuch COUNT x -> !ERR value is not an integer or out of range
         SCAN 0 TYPE nosuch -> [0 []]
         SCAN 0 foo bar -> !ERR syntax error
         SCAN x foo -> !ERR invalid cursor
         SCAN 0 NOVALUES -> !ERR NOVALUES option can only be used in HSCAN
         SET k v -> OK
         SCAN 0 TYPE string TYPE hash -> [0 []]
         SCAN 0 TYPE STRING -> [0 [k]]",
    );
}

#[test]
fn a_scan_deletes_expired_keys_and_they_go_out_as_del() {
    let mut server = Server::with_config("enable-debug-command yes");
    server.check(
        "DEBUG SET-ACTIVE-EXPIRE 0 -> OK
         SET a 1 PX 1 -> OK
         SET b 1 PX 1 -> OK",
    );
    server.pass_ms(10);
    let reader = server.engine.open_stream();
    server.check("DBSIZE -> (2)\n SCAN 0 -> [0 []]\n DBSIZE -> (0)");
    let out = stream(&mut server, reader);
    assert!(
        ["SELECT 0 ; DEL a ; DEL b", "SELECT 0 ; DEL b ; DEL a"].contains(&out.as_str()),
        "{out}"
    );
}

#[test]
fn randomkey_answers_living_keys_only() {
    let mut server = Server::with_config("enable-debug-command yes");
    server.check(
        "RANDOMKEY -> nil
         DEBUG SET-ACTIVE-EXPIRE 0 -> OK
         SET a 1 PX 1 -> OK
         SET b 1 -> OK",
    );
    server.pass_ms(10);
    for _ in 0..20 {
        server.check("RANDOMKEY -> b");
    }
    let mut seen = BTreeSet::new();
    server.run("SET c 1");
    for _ in 0..100 {
        seen.insert(server.run("RANDOMKEY"));
    }
    assert_eq!(seen, BTreeSet::from(["b".to_owned(), "c".to_owned()]));
}

#[test]
fn rename_takes_value_and_deadline_along_and_nothing_of_the_target() {
    Server::new().check(
        "SET a 1 PX 5000 -> OK
         SET b 2 -> OK
         RENAME a b -> OK
         EXISTS a -> (0)
         GET b -> 1
         PTTL b -> (5000)
         SET c 3 -> OK
         RENAME c b -> OK
         PTTL b -> (-1)
         RENAME b b -> OK
         RENAME nothing b -> !ERR no such key
         RENAME nothing nothing -> !ERR no such key",
    );
}

#[test]
fn renamenx_leaves_a_name_that_is_taken() {
    Server::new().check(
        "SET a 1 -> OK
         SET b 2 -> OK
         RENAMENX a b -> (0)
         RENAMENX a a -> (0)
         RENAMENX a c -> (1)
         MGET a b c -> [nil 2 1]
         RENAMENX nothing b -> !ERR no such key
         RENAMENX nothing nothing -> !ERR no such key",
    );
}

#[test]
fn a_renamed_key_keeps_its_memory_of_use() {
    let mut server = Server::new();
    server.run("SET a 1");
    server.pass_ms(20_000);
    server.check("RENAME a b -> OK\n OBJECT IDLETIME b -> (20)");
}

#[test]
fn copy_leaves_the_source_and_replaces_when_told() {
    Server::new().check(
        "SET a 1 PX 5000 -> OK
         COPY a b -> (1)
         PTTL b -> (5000)
         SET b 2 -> OK
         COPY a b -> (0)
         COPY a b REPLACE replace -> (1)
         MGET a b -> [1 1]
         COPY a a DB 1 -> (1)
         COPY a a DB 1 -> (0)
         COPY a a DB 1 REPLACE -> (1)
         SELECT 1 -> OK
         GET a -> 1
         SELECT 0 -> OK
         COPY nothing b REPLACE -> (0)
         GET b -> 1
         COPY a a -> !ERR source and destination objects are the same
         COPY nothing nothing DB 0 -> !ERR source and destination objects are the same
         COPY a a DB 0 foo -> !ERR syntax error
         COPY a b DB -> !ERR syntax error
         COPY a b DB x foo -> !ERR value is not an integer or out of range
         COPY a b DB 99 foo -> !ERR DB index is out of range
         COPY a b DB -1 -> !ERR DB index is out of range",
    );
}

#[test]
fn a_long_string_that_was_copied_changes_alone() {
    let mut server = Server::new();
    let long = "x".repeat(20_000);
    server.run(&format!("SET a {long}"));
    server.check(
        "COPY a b -> (1)
         APPEND b y -> (20001)
         STRLEN a -> (20000)",
    );
}

#[test]
fn move_takes_a_key_to_a_free_place_in_another_database() {
    Server::new().check(
        "SET a 1 PX 5000 -> OK
         MOVE a 1 -> (1)
         EXISTS a -> (0)
         SELECT 1 -> OK
         PTTL a -> (5000)
         GET a -> 1
         SELECT 0 -> OK
         SET a 2 -> OK
         MOVE a 1 -> (0)
         MOVE nothing 1 -> (0)
         MOVE nothing 0 -> !ERR source and destination objects are the same
         MOVE nothing 99 -> !ERR DB index is out of range
         MOVE nothing x -> !ERR value is not an integer or out of range
         MOVE a 99999999999 -> !ERR value is out of range, value must between -2147483648 and 2147483647",
    );
}

#[test]
fn deadlines_are_set_asked_for_and_taken_away() {
    let mut server = Server::new();
    server.check(
        "SET a 1 -> OK
         TTL a -> (-1)
         PTTL nothing -> (-2)
         EXPIRETIME a -> (-1)
         PEXPIRETIME nothing -> (-2)
         EXPIRE a 10 -> (1)
         TTL a -> (10)
         PEXPIRE a 1500 -> (1)
         PTTL a -> (1500)
         TTL a -> (2)
         PEXPIRE a 1499 -> (1)
         TTL a -> (1)
         EXPIREAT a 1704067300 -> (1)
         EXPIRETIME a -> (1704067300)
         PTTL a -> (100000)
         PEXPIREAT a 1704067300500 -> (1)
         PEXPIRETIME a -> (1704067300500)
         EXPIRETIME a -> (1704067301)
         PERSIST a -> (1)
         PERSIST a -> (0)
         PERSIST nothing -> (0)
         TTL a -> (-1)
         EXPIRE nothing 10 -> (0)
         PEXPIREAT a 9223372036854775807 -> (1)
         PEXPIRETIME a -> (9223372036854775807)
         EXPIRETIME a -> (9223372036854776)",
    );
}

#[test]
fn a_key_lives_through_the_millisecond_of_its_deadline() {
    let mut server = Server::new();
    server.check("SET a 1 -> OK\n PEXPIRE a 100 -> (1)");
    server.clock.advance_ms(100);
    server.check("PTTL a -> (0)\n GET a -> 1");
    server.clock.advance_ms(1);
    server.check("PTTL a -> (-2)\n GET a -> nil\n EXPIRE a 10 -> (0)");
}

#[test]
fn a_deadline_that_has_passed_deletes() {
    let mut server = Server::new();
    for command in [
        "EXPIRE a 0".to_owned(),
        "PEXPIRE a -1".to_owned(),
        "EXPIREAT a 1".to_owned(),
        format!("PEXPIREAT a {START_MS}"),
        "PEXPIREAT a -9223372036854775808".to_owned(),
        "EXPIRE a -9223372036854775".to_owned(),
        "EXPIRE a -10 LT".to_owned(),
    ] {
        server.run("SET a 1");
        assert_eq!(server.run(&command), "(1)", "{command}");
        server.check("EXISTS a -> (0)");
    }
}

#[test]
fn conditions_compare_with_the_deadline_of_before() {
    Server::new().check(
        "SET none 1 -> OK
         SET some 1 EX 100 -> OK
         EXPIRE some 200 NX -> (0)
         EXPIRE none 200 XX -> (0)
         EXPIRE none 200 GT -> (0)
         EXPIRE none 200 XX LT -> (0)
         EXPIRE some 50 GT -> (0)
         EXPIRE some 100 GT -> (0)
         EXPIRE some 200 LT -> (0)
         EXPIRE some 100 LT -> (0)
         EXPIRE some -1 GT -> (0)
         EXPIRE none -1 XX -> (0)
         TTL some -> (100)
         TTL none -> (-1)
         EXPIRE some 200 gt xx -> (1)
         EXPIRE some 150 LT XX -> (1)
         EXPIRE none 300 LT -> (1)
         EXPIRE some 160 XX -> (1)
         PERSIST none -> (1)
         EXPIRE none 300 NX -> (1)
         TTL some -> (160)
         TTL none -> (300)",
    );
}

#[test]
fn the_expire_family_fails_in_the_order_of_redis() {
    Server::new().check(
        "SET k 1 -> OK
         EXPIRE k x -> !ERR value is not an integer or out of range
         EXPIRE nothing x -> !ERR value is not an integer or out of range
         EXPIRE k 10 foo -> !ERR Unsupported option foo
         EXPIRE k x foo -> !ERR Unsupported option foo
         EXPIRE k 10 NX GT foo -> !ERR Unsupported option foo
         EXPIRE k x GT LT -> !ERR GT and LT options at the same time are not compatible
         EXPIRE k 10 NX XX -> !ERR NX and XX, GT or LT options at the same time are not compatible
         EXPIRE k 10 NX GT LT -> !ERR NX and XX, GT or LT options at the same time are not compatible
         EXPIRE nothing 9223372036854775807 -> !ERR invalid expire time in 'expire' command
         EXPIRE k 9223370399119966 -> !ERR invalid expire time in 'expire' command
         EXPIRE k 9223372036854776 -> !ERR invalid expire time in 'expire' command
         EXPIRE k -9223372036854776 -> !ERR invalid expire time in 'expire' command
         PEXPIRE k 9223372036854770000 -> !ERR invalid expire time in 'pexpire' command
         EXPIREAT k 9223372036854775807 -> !ERR invalid expire time in 'expireat' command
         EXPIRE k \"\" -> !ERR value is not an integer or out of range
         TTL k -> (-1)",
    );
}

#[test]
fn deadlines_go_out_as_unix_milliseconds_and_without_conditions() {
    let mut server = Server::new();
    server.run("SET a 1");
    let reader = server.engine.open_stream();
    server.check(
        "EXPIRE a 10 NX -> (1)
         PEXPIRE a 20000 GT -> (1)
         EXPIREAT a 1704067300 -> (1)
         PEXPIREAT a 1704067300001 XX -> (1)
         EXPIRE a 10 NX -> (0)
         PERSIST a -> (1)
         PERSIST a -> (0)
         EXPIRE a -1 -> (1)
         EXPIRE a -1 -> (0)",
    );
    assert_eq!(
        stream(&mut server, reader),
        "SELECT 0 ; PEXPIREAT a 1704067210000 ; PEXPIREAT a 1704067220000 ; PEXPIREAT a 1704067300000 ; \
         PEXPIREAT a 1704067300001 ; PERSIST a ; DEL a"
    );
}

#[test]
fn what_moves_and_what_empties_goes_out_in_its_own_words() {
    let mut server = Server::new();
    server.run("SET a 1");
    let reader = server.engine.open_stream();
    server.check(
        "RENAME a b -> OK
         RENAME b b -> OK
         RENAMENX b a -> (1)
         COPY a c DB 2 -> (1)
         COPY a c DB 2 -> (0)
         MOVE a 1 -> (1)
         MOVE a 1 -> (0)
         SWAPDB 0 1 -> OK
         SWAPDB 0 0 -> OK
         UNLINK a nothing -> (1)
         DEL a -> (0)
         FLUSHDB SYNC -> OK
         FLUSHALL -> OK",
    );
    assert_eq!(
        stream(&mut server, reader),
        "SELECT 0 ; RENAME a b ; RENAMENX b a ; COPY a c DB 2 ; MOVE a 1 ; SWAPDB 0 1 ; SWAPDB 0 0 ; UNLINK a nothing ; \
         FLUSHDB SYNC ; FLUSHALL"
    );
}

#[test]
fn flushes_empty_one_or_all_databases() {
    let mut server = Server::new();
    let fill = "SELECT 0 -> OK\n SET a 1 -> OK\n SELECT 1 -> OK\n SET a 1 -> OK\n SET b 1 -> OK";
    server.check(fill);
    server.check(
        "FLUSHDB foo -> !ERR syntax error
         FLUSHDB ASYNC SYNC -> !ERR syntax error
         FLUSHALL foo -> !ERR syntax error
         FLUSHDB -> OK
         DBSIZE -> (0)
         SELECT 0 -> OK
         DBSIZE -> (1)
         FLUSHALL SYNC -> OK
         DBSIZE -> (0)",
    );
    assert_eq!(server.host.freed, 0);
    server.check(fill);
    server.check("FLUSHALL async -> OK\n DBSIZE -> (0)");
    assert_eq!(server.host.freed, 3);
    assert_eq!(server.engine.keyspace.counters.lazy_freed, 3);
}

#[test]
fn lazyfree_lazy_user_flush_decides_where_the_memory_is_freed() {
    let mut server = Server::with_config("lazyfree-lazy-user-flush yes");
    server.check("SET a 1 -> OK\n FLUSHDB -> OK");
    assert_eq!(server.host.freed, 1);
    server.check("SET a 1 -> OK\n FLUSHDB SYNC -> OK");
    assert_eq!(server.host.freed, 1);
}

#[test]
fn swapdb_exchanges_what_two_databases_hold() {
    Server::new().check(
        "SET a 1 PX 5000 -> OK
         SWAPDB 0 1 -> OK
         EXISTS a -> (0)
         SELECT 1 -> OK
         PTTL a -> (5000)
         SWAPDB x y -> !ERR invalid first DB index
         SWAPDB 0 99999999999 -> !ERR invalid second DB index
         SWAPDB 99 x -> !ERR invalid second DB index
         SWAPDB 0 99 -> !ERR DB index is out of range
         SWAPDB -1 0 -> !ERR DB index is out of range",
    );
}

/// Whether what happens between WATCH of `x` in the selected database and EXEC spoils the transaction.
fn is_spoilt(before: &str, between: &str) -> bool {
    let mut server = Server::with_config("enable-debug-command yes");
    server.run("DEBUG SET-ACTIVE-EXPIRE 0");
    before
        .lines()
        .for_each(|line| drop(server.run(line.trim())));
    server.clock.advance_ms(10);
    server.run("WATCH x");
    between
        .lines()
        .for_each(|line| drop(server.run(line.trim())));
    server.run("MULTI");
    server.run("PING");
    server.run("EXEC") == "nil[]"
}

#[test]
fn whole_databases_spoil_transactions_on_keys_that_were_or_are_there() {
    for command in ["FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC"] {
        assert!(is_spoilt("SET x 1", command), "{command}");
        assert!(!is_spoilt("SET y 1", command), "{command}");
        assert!(!is_spoilt("SET x 1 PX 1", command), "{command}");
    }
    assert!(is_spoilt("SET x 1", "SWAPDB 0 1"));
    assert!(is_spoilt("SELECT 1\n SET x 1\n SELECT 0", "SWAPDB 0 1"));
    assert!(is_spoilt("SELECT 1\n SET x 1\n SELECT 0", "SWAPDB 1 0"));
    assert!(!is_spoilt("SET y 1", "SWAPDB 0 1"));
    assert!(!is_spoilt("SET x 1", "SWAPDB 1 2"));
    assert!(!is_spoilt("SET x 1 PX 1", "SWAPDB 0 1"));
    assert!(!is_spoilt(
        "SELECT 1\n SET x 1 PX 1\n SELECT 0",
        "SWAPDB 0 1"
    ));
    assert!(!is_spoilt(
        "SET x 1 PX 1\n SELECT 1\n SET x 1 PX 1\n SELECT 0",
        "SWAPDB 0 1"
    ));
}

#[test]
fn every_change_of_a_watched_key_spoils_and_a_refused_one_does_not() {
    for spoils in [
        "DEL x",
        "EXPIRE x 10",
        "EXPIRE x -1",
        "RENAME x y",
        "RENAME z x",
        "MOVE x 1",
        "COPY z x REPLACE",
    ] {
        assert!(is_spoilt("SET x 1\n SET z 1", spoils), "{spoils}");
    }
    for leaves in [
        "DEL y",
        "EXPIRE x 10 XX",
        "RENAME x x",
        "RENAMENX z x",
        "COPY x y",
        "PERSIST x",
        "TOUCH x",
    ] {
        assert!(!is_spoilt("SET x 1\n SET z 1", leaves), "{leaves}");
    }
}

#[test]
fn object_looks_at_how_a_value_is_kept() {
    let mut server = Server::new();
    server.check(
        "SET a hello -> OK
         OBJECT ENCODING a -> embstr
         OBJECT REFCOUNT a -> (1)
         SET a 10000 -> OK
         OBJECT ENCODING a -> int
         OBJECT REFCOUNT a -> (1)
         SET a 9999 -> OK
         OBJECT REFCOUNT a -> (2147483647)
         OBJECT IDLETIME a -> (0)
         OBJECT FREQ nothing -> nil
         OBJECT ENCODING nothing -> nil
         OBJECT foo a -> !ERR unknown subcommand 'foo'. Try OBJECT HELP.
         OBJECT ENCODING -> !ERR wrong number of arguments for 'object|encoding' command
         OBJECT HELP x -> !ERR wrong number of arguments for 'object|help' command
         OBJECT -> !ERR wrong number of arguments for 'object' command
         OBJECT FREQ a -> !ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
         CONFIG SET maxmemory-policy allkeys-lfu -> OK
         SET a 1 -> OK
         OBJECT IDLETIME nothing -> nil
         OBJECT IDLETIME a -> !ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
         OBJECT REFCOUNT a -> (2147483647)
         CONFIG SET maxmemory 100mb -> OK
         OBJECT REFCOUNT a -> (1)
         SET b 1 -> OK
         OBJECT FREQ b -> (5)",
    );
    assert!(
        server
            .run("OBJECT HELP")
            .starts_with("[OBJECT <subcommand>")
    );
}

#[test]
fn a_long_string_is_freed_on_the_helper_thread() {
    let mut server = Server::new();
    let client = server.client;
    let value = vec![b'x'; 8 << 20];
    server.raw(client, &[b"SET", b"long", &value]);
    server.raw(client, &[b"SET", b"short", b"x"]);
    server.check(
        "DEL short -> (1)
         DEL long -> (1)",
    );
    assert_eq!(server.host.freed, 1);
}

#[test]
fn taking_del_away_takes_its_other_name_away() {
    let mut server = Server::new();
    server
        .engine
        .rename_command("del", "")
        .expect("there is such a command");
    assert!(server.run("DEL a").starts_with("!ERR unknown command"));
    assert!(server.run("DELETE a").starts_with("!ERR unknown command"));
}

#[test]
fn reads_during_a_pause_see_expired_keys_as_gone_and_leave_them() {
    let mut server = Server::new();
    server.check(
        "SET e 1 PX 50 -> OK
         CLIENT PAUSE 1000 WRITE -> OK",
    );
    server.clock.advance_ms(100);
    server.check(
        "GET e -> nil
         DBSIZE -> (1)",
    );
}
