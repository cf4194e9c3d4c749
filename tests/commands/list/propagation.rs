//! What reaches the propagation stream.

use crate::harness::Server;

/// What the stream has after these lines.
fn stream_of(script: &str) -> Vec<String> {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.check(script);
    server.stream(reader)
}

#[test]
fn what_changes_nothing_leaves_nothing() {
    let stream = stream_of(
        "RPUSH l a b -> (2)
         LPOP l 0 -> []
         LREM l 0 z -> (0)
         LTRIM l 0 -1 -> OK
         LINSERT l BEFORE z x -> (-1)
         LPUSHX nokey a -> (0)
         LMOVE nokey l LEFT LEFT -> nil
         LTRIM l 0 0 -> OK",
    );
    assert_eq!(stream, ["SELECT 0", "RPUSH l a b", "LTRIM l 0 0"]);
}

#[test]
fn commands_that_choose_or_wait_leave_what_they_did() {
    let stream = stream_of(
        "RPUSH l a b c d e f g h i -> (9)
         LMPOP 2 x l RIGHT COUNT 2 -> [l [i h]]
         BLPOP x l 0 -> [l a]
         BRPOP l 0 -> [l g]
         BLMPOP 0 2 x l LEFT COUNT 2 -> [l [b c]]
         BLMOVE l m LEFT RIGHT 0 -> d
         BRPOPLPUSH l m 0 -> f
         LMOVE m m LEFT RIGHT -> f
         BLMOVEM m n LEFT LEFT 0 EXACTLY 2 OBO -> [f d]",
    );
    assert_eq!(
        stream,
        [
            "SELECT 0",
            "RPUSH l a b c d e f g h i",
            "RPOP l 2",
            "LPOP l",
            "RPOP l",
            "LPOP l 2",
            "LMOVE l m LEFT RIGHT",
            "RPOPLPUSH l m",
            "LMOVE m m LEFT RIGHT",
            "LMOVEM m n LEFT LEFT EXACTLY 2 OBO",
        ]
    );
}

#[test]
fn what_a_waiter_takes_comes_after_what_woke_it() {
    let mut server = Server::new();
    let (reader, waiter) = (server.engine.open_stream(), server.connect());
    server.run_as(waiter, "BLMOVE l m LEFT LEFT 0");
    server.check("MULTI -> OK\n LPUSH l a -> QUEUED\n SET k v -> QUEUED\n EXEC -> [(1) OK]");
    assert_eq!(server.received(waiter), "a");
    let expected = [
        "SELECT 0",
        "MULTI",
        "LPUSH l a",
        "SET k v",
        "EXEC",
        "LMOVE l m LEFT LEFT",
    ];
    assert_eq!(server.stream(reader), expected);
}
