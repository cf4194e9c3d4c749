//! XPENDING, XCLAIM, XAUTOCLAIM, XNACK.

use super::filled;
use crate::harness::Server;

/// Consumer `a` of the group `g` got all entries 10 ms ago.
fn pending(entries: u64) -> impl Iterator<Item = Server> {
    filled(entries).map(|mut server| {
        server.run("XGROUP CREATE s g 0");
        server.run("XREADGROUP GROUP g a STREAMS s >");
        server.pass_ms(10);
        server
    })
}

#[test]
fn pending_entries_are_listed_by_range_consumer_and_idle_time() {
    for mut server in pending(3) {
        server.run("XCLAIM s g b 0 2-0");
        server.check(
            "XPENDING s g - + 2 -> [[1-0 a (10) (1)] [2-0 b (0) (2)]]
             XPENDING s g (1-0 3 10 a -> [[3-0 a (10) (1)]]
             XPENDING s g IDLE 5 - + 10 -> [[1-0 a (10) (1)] [3-0 a (10) (1)]]
             XPENDING s g - + 10 none -> []
             XPENDING s g - + 0 -> []
             XPENDING s g - + -3 -> []
             XPENDING s g - + -> !ERR syntax error
             XPENDING s g - + x -> !ERR value is not an integer or out of range
             XPENDING s g IDLE 5 - + -> !ERR syntax error
             XPENDING s none -> !NOGROUP No such key 's' or consumer group 'none'
             XPENDING none g - + 10 -> !NOGROUP No such key 'none' or consumer group 'g'",
        );
    }
}

#[test]
fn entries_that_were_idle_long_enough_change_hands() {
    for mut server in pending(3) {
        server.check(
            "XCLAIM s g b 20 1-0 -> []
             XCLAIM s g b 10 1-0 9-0 -> [[1-0 [f v1]]]
             XCLAIM s g b 5 2-0 JUSTID -> [2-0]
             XPENDING s g - + 10 -> [[1-0 b (0) (2)] [2-0 b (0) (1)] [3-0 a (10) (1)]]
             XCLAIM s g b 0 3-0 IDLE 1000 RETRYCOUNT 7 -> [[3-0 [f v3]]]
             XPENDING s g 3 3 1 -> [[3-0 b (1000) (7)]]
             XACK s g 1-0 -> (1)
             XCLAIM s g b 0 1-0 -> []
             XCLAIM s g b 0 1-0 FORCE JUSTID -> [1-0]
             XDEL s 2-0 -> (1)
             XCLAIM s g b 0 2-0 -> []
             XPENDING s g -> [(2) 1-0 3-0 [[b 2]]]
             XCLAIM s g b 0 1-0 LASTID 7-0 -> [[1-0 [f v1]]]
             XREADGROUP GROUP g b STREAMS s > -> nil[]
             XCLAIM s g b x 1-0 -> !ERR Invalid min-idle-time argument for XCLAIM
             XCLAIM s g b 0 1-0 IDLE x -> !ERR Invalid IDLE option argument for XCLAIM
             XCLAIM s g b 0 1-0 TIME x -> !ERR Invalid TIME option argument for XCLAIM
             XCLAIM s g b 0 1-0 RETRYCOUNT x -> !ERR Invalid RETRYCOUNT option argument for XCLAIM
             XCLAIM s g b 0 1-0 FOO -> !ERR Unrecognized XCLAIM option 'FOO'
             XCLAIM s none b 0 1-0 -> !NOGROUP No such key 's' or consumer group 'none'",
        );
    }
}

#[test]
fn idle_entries_are_claimed_in_order_as_a_scan() {
    for mut server in pending(5) {
        server.check(
            "XAUTOCLAIM s g b 20 0 -> [0-0 [] []]
             XDEL s 2-0 -> (1)
             XAUTOCLAIM s g b 10 - COUNT 3 -> [4-0 [[1-0 [f v1]] [3-0 [f v3]]] [2-0]]
             XAUTOCLAIM s g b 10 4-0 JUSTID -> [0-0 [4-0 5-0] []]
             XPENDING s g - + 10 -> [[1-0 b (0) (2)] [3-0 b (0) (2)] [4-0 b (0) (1)] [5-0 b (0) (1)]]
             XAUTOCLAIM s g b 0 (3-0 COUNT 1 JUSTID -> [5-0 [4-0] []]
             XAUTOCLAIM s g b x 0 -> !ERR Invalid min-idle-time argument for XAUTOCLAIM
             XAUTOCLAIM s g b 0 0 COUNT 0 -> !ERR COUNT must be > 0
             XAUTOCLAIM s g b 0 0 COUNT -> !ERR syntax error
             XAUTOCLAIM s none b 0 0 -> !NOGROUP No such key 's' or consumer group 'none'",
        );
    }
}

#[test]
fn an_entry_that_is_given_back_is_the_first_to_be_taken() {
    for mut server in pending(3) {
        server.check(
            "XNACK s g FAIL IDS 2 3-0 9-0 -> (1)
             XPENDING s g - + 10 -> [[1-0 a (10) (1)] [2-0 a (10) (1)] [3-0  (-1) (1)]]
             XPENDING s g -> [(3) 1-0 3-0 [[a 2]]]
             XREADGROUP GROUP g b COUNT 1 CLAIM 1000 STREAMS s > -> [[s [[3-0 [f v3] (-1) (1)]]]]
             XPENDING s g 3 3 1 -> [[3-0 b (0) (2)]]
             XNACK s g SILENT IDS 2 1-0 3-0 -> (2)
             XNACK s g FATAL IDS 1 2-0 -> (1)
             XPENDING s g - + 10 -> [[1-0  (-1) (0)] [2-0  (-1) (9223372036854775807)] [3-0  (-1) (1)]]
             XCLAIM s g b 99999 2-0 JUSTID -> [2-0]
             XAUTOCLAIM s g b 99999 0 JUSTID -> [0-0 [1-0 3-0] []]
             XACK s g 1-0 -> (1)
             XNACK s g FAIL IDS 1 1-0 -> (0)
             XNACK s g FAIL IDS 1 1-0 RETRYCOUNT 4 FORCE -> (1)
             XPENDING s g 1 1 1 -> [[1-0  (-1) (4)]]
             XGROUP DELCONSUMER s g b -> (2)
             XACK s g 1-0 -> (1)
             XNACK s g FOO IDS 1 1-0 -> !ERR syntax error
             XNACK s g FAIL IDS 2 1-0 -> !ERR The `numids` parameter must match the number of arguments
             XNACK s none FAIL IDS 1 1-0 -> !NOGROUP No such key 's' or consumer group 'none'",
        );
    }
}
