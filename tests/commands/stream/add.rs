//! XADD, XTRIM, XSETID, and what producers send twice.

use super::filled;
use crate::harness::Server;

#[test]
fn ids_come_from_the_clock_and_grow() {
    let mut server = Server::new();
    server.check(
        "XADD s * f v -> 1704067200000-0
         XADD s * f v -> 1704067200000-1
         XADD s 1704067200000-* f v -> 1704067200000-2
         XADD s 1704067200009-* f v -> 1704067200009-0
         XADD s * f v -> 1704067200009-1
         XADD s 1704067200009-* f v -> 1704067200009-2
         TYPE s -> stream
         OBJECT ENCODING s -> stream
         XLEN s -> (6)
         XLEN none -> (0)
         XADD t 0-* f v -> 0-1
         XADD t 5 f v -> 5-0
         XADD t 5-18446744073709551615 f v -> 5-18446744073709551615
         XADD t 5-* f v -> !ERR The ID specified in XADD is equal or smaller than the target stream top item
         XADD t 4-* f v -> !ERR The ID specified in XADD is equal or smaller than the target stream top item
         XADD t 5-0 f v -> !ERR The ID specified in XADD is equal or smaller than the target stream top item
         XADD t 6-0 f v -> 6-0",
    );
    server.pass_ms(20);
    server.check("XADD s * f v -> 1704067200020-0");
}

#[test]
fn what_is_no_entry_is_refused_and_leaves_no_key() {
    Server::new().check(
        "XADD s 0-0 f v -> !ERR The ID specified in XADD must be greater than 0-0
         XADD s 0 f v -> !ERR The ID specified in XADD must be greater than 0-0
         XADD s * f -> !ERR wrong number of arguments for 'xadd' command
         XADD s * f v g -> !ERR wrong number of arguments for 'xadd' command
         XADD s NOMKSTREAM * f v -> nil
         XADD s - f v -> !ERR Invalid stream ID specified as stream command argument
         XADD s 1-2-3 f v -> !ERR Invalid stream ID specified as stream command argument
         XADD s MAXLEN -1 * f v -> !ERR The MAXLEN argument must be >= 0.
         XADD s MAXLEN x * f v -> !ERR value is not an integer or out of range
         XADD s MAXLEN 5 LIMIT 1 * f v -> !ERR syntax error, LIMIT cannot be used without the special ~ option
         XADD s LIMIT 1 * f v -> !ERR syntax error, LIMIT cannot be used without specifying a trimming strategy
         XADD s MAXLEN ~ 5 LIMIT -1 * f v -> !ERR The LIMIT argument must be >= 0.
         XADD s MAXLEN 5 MINID 1 * f v -> !ERR syntax error, MAXLEN and MINID options at the same time are not compatible
         XADD s KEEPREF DELREF * f v -> !ERR syntax error
         EXISTS s -> (0)
         SET s x -> OK
         XADD s * f v -> !WRONGTYPE Operation against a key holding the wrong kind of value
         XADD t 18446744073709551615-18446744073709551615 f v -> 18446744073709551615-18446744073709551615
         XADD t * f v -> !ERR The stream has exhausted the last possible ID, unable to add more items",
    );
}

#[test]
fn an_added_entry_may_push_out_old_ones() {
    for mut server in filled(5) {
        server.check(
            "XADD s MAXLEN 3 6-0 f v -> 6-0
             XRANGE s - + COUNT 1 -> [[4-0 [f v4]]]
             XADD s MINID = 6 7-0 f v -> 7-0
             XLEN s -> (2)
             XADD s MAXLEN 0 8-0 f v -> 8-0
             XLEN s -> (0)
             TYPE s -> stream
             XADD s NOMKSTREAM 9-0 f v -> 9-0
             XTRIM s MAXLEN 0 -> (1)
             XTRIM s MAXLEN 0 -> (0)
             XTRIM none MAXLEN 0 -> (0)",
        );
    }
}

#[test]
fn approximate_trimming_drops_whole_nodes_only() {
    let mut server = Server::with_config("stream-node-max-entries 10");
    for ms in 1..=35 {
        server.run(&format!("XADD s {ms} f v"));
    }
    server.check(
        "XTRIM s MAXLEN ~ 12 LIMIT 10 -> (10)
         XTRIM s MAXLEN ~ 12 -> (10)
         XTRIM s MAXLEN ~ 12 -> (0)
         XTRIM s MINID ~ 29 -> (0)
         XTRIM s MINID 29 -> (8)
         XLEN s -> (7)
         XTRIM s -> !ERR wrong number of arguments for 'xtrim' command
         XTRIM s FOO 1 -> !ERR syntax error
         XTRIM s MAXLEN 1 LIMIT 1 -> !ERR syntax error, LIMIT cannot be used without the special ~ option
         XTRIM s KEEPREF ACKED -> !ERR syntax error",
    );
}

#[test]
fn trimming_heeds_what_groups_need_if_that_is_wanted() {
    for mut server in filled(5) {
        server.check(
            "XGROUP CREATE s g 0 -> OK
             XREADGROUP GROUP g c COUNT 2 STREAMS s > -> [[s [[1-0 [f v1]] [2-0 [f v2]]]]]
             XACK s g 1-0 -> (1)
             XTRIM s MAXLEN 0 ACKED -> (1)
             XLEN s -> (4)
             XTRIM s MAXLEN 3 DELREF -> (1)
             XPENDING s g -> [(0) nil nil nil[]]
             XREADGROUP GROUP g c COUNT 1 STREAMS s > -> [[s [[3-0 [f v3]]]]]
             XADD s KEEPREF MAXLEN 1 6-0 f v -> 6-0
             XPENDING s g -> [(1) 3-0 3-0 [[c 1]]]",
        );
    }
}

#[test]
fn the_last_id_can_be_set() {
    Server::new().check(
        "XSETID s 1-0 -> !ERR no such key
         XADD s 5-0 f v -> 5-0
         XSETID s 4-0 -> !ERR The ID specified in XSETID is smaller than the target stream top item
         XSETID s 9-0 ENTRIESADDED 0 -> !ERR The entries_added specified in XSETID is smaller than the target stream length
         XSETID s 9-0 ENTRIESADDED -1 -> !ERR entries_added must be positive
         XSETID s 9-0 MAXDELETEDID 10-0 -> !ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id
         XSETID s 9-0 ENTRIESADDED 7 MAXDELETEDID 3-0 -> OK
         XADD s 8-0 f v -> !ERR The ID specified in XADD is equal or smaller than the target stream top item
         XSETID s 9-0 FOO 1 -> !ERR syntax error
         XDEL s 5-0 -> (1)
         XSETID s 4-0 -> !ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
    );
}

#[test]
fn what_a_producer_sends_again_is_not_added_again() {
    let mut server = Server::new();
    server.check(
        "XADD s IDMP p 1 * f v -> 1704067200000-0
         XADD s IDMP p 1 * f other -> 1704067200000-0
         XADD s IDMP p 2 * f v -> 1704067200000-1
         XADD s IDMP q 1 * f v -> 1704067200000-2
         XADD s IDMPAUTO p * f v g w -> 1704067200000-3
         XADD s IDMPAUTO p * g w f v -> 1704067200000-3
         XADD s IDMPAUTO p * f w g v -> 1704067200000-4
         XLEN s -> (5)
         XADD none NOMKSTREAM IDMP p 1 * f v -> nil
         XADD s IDMP p 1 1-1 f v -> !ERR IDMP/IDMPAUTO can be used only with auto-generated IDs
         XADD s IDMPAUTO p IDMP q 1 * f v -> !ERR IDMP/IDMPAUTO specified multiple times
         XADD s IDMP p * f v -> !ERR Invalid stream ID specified as stream command argument",
    );
    for (words, error) in [
        (r#"IDMP "" 1"#, "IDMP requires a non-empty producer ID"),
        (r#"IDMP p """#, "IDMP requires a non-empty idempotent ID"),
        (
            r#"IDMPAUTO """#,
            "IDMPAUTO requires a non-empty producer ID",
        ),
    ] {
        let reply = server.run(&format!("XADD s {words} * f v"));
        assert_eq!(reply, format!("!ERR {error}"));
    }
    server.pass_ms(100_000);
    server.check("XADD s IDMP p 1 * f v -> 1704067300000-0");
}

#[test]
fn how_long_ids_of_producers_are_remembered_can_be_set() {
    Server::new().check(
        "XCFGSET s IDMP-DURATION 5 -> !ERR no such key
         XADD s IDMP p 1 * f v -> 1704067200000-0
         XCFGSET s -> !ERR At least one parameter must be specified
         XCFGSET s IDMP-DURATION -> !ERR syntax error
         XCFGSET s IDMP-DURATION x -> !ERR value is not an integer or out of range
         XCFGSET s IDMP-DURATION 86401 -> !ERR IDMP-DURATION must be between 1 and 86400 seconds
         XCFGSET s IDMP-MAXSIZE 0 -> !ERR IDMP-MAXSIZE must be between 1 and 10000 entries
         XCFGSET s IDMP-DURATION 100 IDMP-MAXSIZE 100 -> OK
         XADD s IDMP p 1 * f v -> 1704067200000-0
         XCFGSET s IDMP-MAXSIZE 2 -> OK
         XADD s IDMP p 1 * f v -> 1704067200000-1
         XADD s IDMP p 2 * f v -> 1704067200000-2
         XADD s IDMP p 3 * f v -> 1704067200000-3
         XADD s IDMP p 1 * f v -> 1704067200000-4
         XADD s IDMP p 3 * f v -> 1704067200000-3
         XIDMPRECORD s p 4 1704067200000-0 -> OK
         XIDMPRECORD s p 4 1704067200000-0 -> OK
         XIDMPRECORD s p 4 1704067200000-1 -> !ERR The specified IDMP producer-id/idempotent-id pair maps to a different stream ID
         XIDMPRECORD s p 4 9-9 -> !ERR The specified stream ID was deleted or doesn't exist
         XADD s IDMP p 4 * f v -> 1704067200000-0",
    );
}
