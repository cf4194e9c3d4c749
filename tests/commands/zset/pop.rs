//! ZPOPMIN, ZPOPMAX, ZMPOP, and the commands that wait.

use super::{encodings, on_each, on_each_resp3};
use crate::harness::{Server, replies};

#[test]
fn members_are_taken_from_either_end() {
    on_each(
        "1 a 2 b 3 c 4 d",
        "ZPOPMIN z -> [a 1]
         ZPOPMAX z 2 -> [d 4 c 3]
         ZPOPMIN z 0 -> []
         ZPOPMIN z -1 -> !ERR value is out of range, must be positive
         ZPOPMIN z x -> !ERR value is out of range, must be positive
         ZPOPMIN z 1 2 -> !ERR syntax error
         ZPOPMIN z 10 -> [b 2]
         EXISTS z -> (0)
         ZPOPMIN z -> []
         ZPOPMAX z 3 -> []",
    );
    on_each_resp3(
        "1 a 2 b 3 c 4.5 d",
        "ZPOPMIN z -> [a ,1]
         ZPOPMAX z 1 -> [[d ,4.5]]
         ZPOPMIN z 2 -> [[b ,2] [c ,3]]
         ZPOPMIN z -> []",
    );
}

#[test]
fn zmpop_takes_from_the_first_key_that_has_members() {
    on_each(
        "1 a 2 b 3 c",
        "ZMPOP 2 nothing z MIN -> [z [[a 1]]]
         ZMPOP 1 z MAX COUNT 5 -> [z [[c 3] [b 2]]]
         ZMPOP 2 nothing z MIN -> nil[]
         ZMPOP 0 z MIN -> !ERR numkeys should be greater than 0
         ZMPOP x z MIN -> !ERR numkeys should be greater than 0
         ZMPOP 2 z MIN -> !ERR syntax error
         ZMPOP 1 z FOO -> !ERR syntax error
         ZMPOP 1 z MIN COUNT 0 -> !ERR count should be greater than 0
         ZMPOP 1 z MIN COUNT 1 COUNT 2 -> !ERR syntax error
         SET s x -> OK
         ZMPOP 2 s z MIN -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}

#[test]
fn what_is_there_is_taken_without_waiting() {
    on_each(
        "1 a 2 b 3 c",
        "BZPOPMIN nothing z 0 -> [z a 1]
         BZPOPMAX z 0 -> [z c 3]
         BZMPOP 0 1 z MIN COUNT 2 -> [z [[b 2]]]
         BZPOPMIN z -1 -> !ERR timeout is negative
         BZPOPMIN z x -> !ERR timeout is not a float or out of range
         BZMPOP x 0 z MIN -> !ERR numkeys should be greater than 0
         BZMPOP -1 1 z MIN COUNT 0 -> !ERR count should be greater than 0
         BZMPOP x 1 z MIN -> !ERR timeout is not a float or out of range",
    );
}

/// What `client` is answered to a command.
fn ask(server: &mut Server, client: usize, line: &str) -> String {
    let bytes = server.feed(client, format!("{line}\r\n").as_bytes());
    replies(&bytes)
}

/// What has come for `client` since.
fn came(server: &mut Server, client: usize) -> String {
    replies(&server.engine.take_output(client))
}

#[test]
fn who_waits_is_served_in_order_of_arrival() {
    for (_, mut server) in encodings() {
        let (first, second) = (server.connect(), server.connect());
        assert_eq!(ask(&mut server, first, "BZPOPMIN z y 0"), "");
        assert_eq!(ask(&mut server, second, "BZMPOP 0 1 z MAX COUNT 9"), "");
        server.check("ZADD z 1 a 2 b 3 c -> (3)");
        assert_eq!(came(&mut server, first), "[z a 1]");
        assert_eq!(came(&mut server, second), "[z [[c 3] [b 2]]]");
        server.check("EXISTS z -> (0)");
    }
}

#[test]
fn a_key_of_another_type_and_a_key_that_is_gone_again_wake_nobody() {
    let mut server = Server::new();
    let waiting = server.connect();
    assert_eq!(ask(&mut server, waiting, "BZPOPMAX z 0"), "");
    server.check("SET z x -> OK");
    assert_eq!(came(&mut server, waiting), "");
    server.check(
        "DEL z -> (1)
         MULTI -> OK
         ZADD z 1 a -> QUEUED
         DEL z -> QUEUED
         EXEC -> [(1) (1)]",
    );
    assert_eq!(came(&mut server, waiting), "");
    server.check("ZINCRBY z 7 a -> 7");
    assert_eq!(came(&mut server, waiting), "[z a 7]");
}

#[test]
fn members_that_are_stored_wake_who_waits() {
    let mut server = Server::new();
    let waiting = server.connect();
    server.run("ZADD source 1 a 2 b");
    for store in [
        "ZUNIONSTORE z 1 source",
        "ZRANGESTORE z source 0 0",
        "RENAME source z",
    ] {
        assert_eq!(ask(&mut server, waiting, "BZPOPMIN z 0"), "");
        server.run(store);
        assert_eq!(came(&mut server, waiting), "[z a 1]", "{store}");
        server.run("DEL z");
    }
}

#[test]
fn a_wait_ends_with_null_at_its_deadline_and_at_once_in_a_transaction() {
    let mut server = Server::new();
    let waiting = server.connect();
    assert_eq!(ask(&mut server, waiting, "BZPOPMIN z 0.5"), "");
    server.pass_ms(499);
    assert_eq!(came(&mut server, waiting), "");
    server.pass_ms(2);
    assert_eq!(came(&mut server, waiting), "nil[]");
    server.check(
        "MULTI -> OK
         BZPOPMIN z 0 -> QUEUED
         BZMPOP 0 1 z MIN -> QUEUED
         EXEC -> [nil[] nil[]]",
    );
}
