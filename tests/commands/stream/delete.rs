//! XDEL and XDELEX, XACK and XACKDEL.

use super::filled;
use crate::harness::Server;

#[test]
fn single_entries_go() {
    for mut server in filled(4) {
        server.check(
            "XDEL s 2-0 9-0 2-0 -> (1)
             XRANGE s - + -> [[1-0 [f v1]] [3-0 [f v3]] [4-0 [f v4]]]
             XREVRANGE s + - COUNT 2 -> [[4-0 [f v4]] [3-0 [f v3]]]
             XDEL s 1-0 3-0 4-0 -> (3)
             XLEN s -> (0)
             EXISTS s -> (1)
             XADD s 4-0 f v -> !ERR The ID specified in XADD is equal or smaller than the target stream top item
             XDEL s x -> !ERR Invalid stream ID specified as stream command argument
             XDEL none x -> (0)",
        );
    }
}

/// Two groups have been given the entries 1-0 and 2-0.
fn shared(server: &mut Server) {
    for line in [
        "XGROUP CREATE s g 0",
        "XGROUP CREATE s h 0",
        "XREADGROUP GROUP g a COUNT 2 STREAMS s >",
        "XREADGROUP GROUP h b COUNT 2 STREAMS s >",
    ] {
        server.run(line);
    }
}

#[test]
fn an_entry_goes_with_or_without_what_groups_have_of_it() {
    for mut server in filled(4) {
        shared(&mut server);
        server.check(
            "XDELEX s ACKED IDS 2 1-0 3-0 -> [(2) (2)]
             XACK s g 1-0 -> (1)
             XDELEX s ACKED IDS 1 1-0 -> [(2)]
             XACK s h 1-0 1-0 -> (1)
             XDELEX s ACKED IDS 2 1-0 1-0 -> [(1) (-1)]
             XDELEX s KEEPREF IDS 1 2-0 -> [(1)]
             XPENDING s g -> [(1) 2-0 2-0 [[a 1]]]
             XDELEX s DELREF IDS 1 2-0 -> [(-1)]
             XPENDING s g -> [(0) nil nil nil[]]
             XDELEX s IDS 2 3-0 3-1 -> [(1) (-1)]
             XDELEX none IDS 2 3-0 3-1 -> [(-1) (-1)]",
        );
    }
}

#[test]
fn an_acknowledged_entry_may_go_at_once() {
    for mut server in filled(4) {
        shared(&mut server);
        server.check(
            "XACKDEL s g ACKED IDS 2 1-0 3-0 -> [(2) (-1)]
             XACKDEL s h ACKED IDS 1 1-0 -> [(1)]
             XACKDEL s g IDS 1 2-0 -> [(1)]
             XLEN s -> (2)
             XPENDING s h -> [(1) 2-0 2-0 [[b 1]]]
             XACKDEL s h DELREF IDS 1 2-0 -> [(1)]
             XACKDEL s none IDS 1 3-0 -> [(-1)]
             XACKDEL none g IDS 1 3-0 -> [(-1)]",
        );
    }
}

#[test]
fn ids_are_counted() {
    for command in ["XDELEX s", "XACKDEL s g"] {
        let mut server = Server::new();
        for (words, error) in [
            ("IDS x 1-1", "Number of IDs must be a positive integer"),
            ("IDS 0 1-1", "Number of IDs must be a positive integer"),
            (
                "IDS 2 1-1",
                "The `numids` parameter must match the number of arguments",
            ),
            ("IDS 1 1-1 2-2", "syntax error"),
            ("KEEPREF ACKED IDS 1 1-1", "syntax error"),
            (
                "IDS 1 x",
                "Invalid stream ID specified as stream command argument",
            ),
        ] {
            let reply = server.run(&format!("{command} {words}"));
            assert_eq!(reply, format!("!ERR {error}"), "{command} {words}");
        }
    }
    Server::new().check(
        "XACK none g x -> (0)
         XADD s 1 f v -> 1-0
         XACK s g x -> (0)
         XGROUP CREATE s g 0 -> OK
         XACK s g x -> !ERR Invalid stream ID specified as stream command argument",
    );
}
