//! XRANGE, XREVRANGE, XREAD without waiting.

use super::{filled, resp3};
use crate::harness::Server;

#[test]
fn ranges_have_ends_that_may_be_open() {
    for mut server in filled(5) {
        server.check(
            "XRANGE s - + COUNT 2 -> [[1-0 [f v1]] [2-0 [f v2]]]
             XREVRANGE s + - COUNT 2 -> [[5-0 [f v5]] [4-0 [f v4]]]
             XRANGE s 2 3 -> [[2-0 [f v2]] [3-0 [f v3]]]
             XRANGE s (2-0 (4 -> [[3-0 [f v3]] [4-0 [f v4]]]
             XRANGE s (2 (4-0 -> [[3-0 [f v3]]]
             XREVRANGE s 3 2 -> [[3-0 [f v3]] [2-0 [f v2]]]
             XRANGE s 3 2 -> []
             XRANGE s - + COUNT 0 -> nil[]
             XRANGE s - + COUNT -5 -> nil[]
             XRANGE none - + -> []
             XRANGE s 6 + -> []
             XREVRANGE s 0-5 - -> []",
        );
    }
}

#[test]
fn bad_ranges_are_refused() {
    Server::new().check(
        "XRANGE s (18446744073709551615-18446744073709551615 + -> !ERR invalid start ID for the interval
         XRANGE s - (0-0 -> !ERR invalid end ID for the interval
         XRANGE s ( + -> !ERR Invalid stream ID specified as stream command argument
         XRANGE s (- + -> !ERR Invalid stream ID specified as stream command argument
         XRANGE s - + COUNT -> !ERR syntax error
         XRANGE s - + LIMIT 1 -> !ERR syntax error
         XRANGE s - + COUNT x -> !ERR value is not an integer or out of range
         SET s x -> OK
         XRANGE s - + -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}

#[test]
fn a_time_to_wait_that_is_none_is_refused() {
    Server::new().check(
        "XREAD BLOCK x STREAMS s $ -> !ERR timeout is not an integer or out of range
         XREAD BLOCK 1.5 STREAMS s $ -> !ERR timeout is not an integer or out of range
         XREAD BLOCK -1 STREAMS s $ -> !ERR timeout is negative
         XREAD BLOCK 9223372036854775807 STREAMS s $ -> !ERR timeout is out of range",
    );
}

#[test]
fn entries_keep_their_fields_in_order_and_in_any_bytes() {
    for config in super::NODE_SIZES {
        Server::with_config(config).check(
            r#"XADD s 1 a 1 b 2 -> 1-0
               XADD s 2 a -5 b "" -> 2-0
               XADD s 3 b 1 a 2 -> 3-0
               XADD s 4 a 007 a 99999999999999999999 -> 4-0
               XADD s 5 12 34 -> 5-0
               XADD s 6 "x\r\ny" z -> 6-0
               XRANGE s - 5 -> [[1-0 [a 1 b 2]] [2-0 [a -5 b ]] [3-0 [b 1 a 2]] [4-0 [a 007 a 99999999999999999999]] [5-0 [12 34]]]
               XREVRANGE s 5 4 -> [[5-0 [12 34]] [4-0 [a 007 a 99999999999999999999]]]"#,
        );
    }
}

#[test]
fn xread_answers_what_comes_after_an_id() {
    for mut server in filled(4) {
        server.check(
            "XREAD STREAMS s 2 -> [[s [[3-0 [f v3]] [4-0 [f v4]]]]]
             XREAD COUNT 1 STREAMS s 0 -> [[s [[1-0 [f v1]]]]]
             XREAD COUNT 0 STREAMS s 3 -> [[s [[4-0 [f v4]]]]]
             XREAD STREAMS s + -> [[s [[4-0 [f v4]]]]]
             XREAD STREAMS s $ -> nil[]
             XREAD STREAMS s 9 -> nil[]
             XREAD STREAMS none s t 0 3 0 -> [[s [[4-0 [f v4]]]]]
             XADD t 1 g w -> 1-0
             XREAD STREAMS s t 3 0 -> [[s [[4-0 [f v4]]]] [t [[1-0 [g w]]]]]
             XDEL s 4-0 -> (1)
             XREAD STREAMS s 3 -> nil[]
             XREAD STREAMS s + -> [[s [[3-0 [f v3]]]]]",
        );
    }
    let mut server = resp3();
    server.run("XADD s 1 f v");
    server.check(
        "XREAD STREAMS s 0 -> {s [[1-0 [f v]]]}
         XREAD STREAMS s s 0 0 -> {s [[1-0 [f v]]] s [[1-0 [f v]]]}
         XREAD STREAMS s 1 -> nil",
    );
}

#[test]
fn xread_has_a_grammar() {
    Server::new().check(
        "XREAD STREAMS s -> !ERR wrong number of arguments for 'xread' command
         XREAD STREAMS s t 0 -> !ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.
         XREAD COUNT 1 BLOCK 1 -> !ERR syntax error
         XREAD COUNT x STREAMS s 0 -> !ERR value is not an integer or out of range
         XREAD BLOCK -1 STREAMS s 0 -> !ERR timeout is negative
         XREAD BLOCK x STREAMS s 0 -> !ERR timeout is not an integer or out of range
         XREAD STREAMS s > -> !ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.
         XREAD GROUP g c STREAMS s 0 -> !ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.
         XREAD NOACK STREAMS s 0 -> !ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.
         SET k x -> OK
         XREAD STREAMS s k 0 0 -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}
