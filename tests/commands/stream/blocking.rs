//! XREAD and XREADGROUP that wait.

use crate::harness::Server;

#[test]
fn xread_waits_for_entries_after_the_last_one_of_now() {
    let mut server = Server::new();
    server.check("XADD s 1 f v -> 1-0");
    let (first, second) = (server.connect(), server.connect());
    assert_eq!(server.run_as(first, "XREAD BLOCK 0 STREAMS none s $ $"), "");
    assert_eq!(
        server.run_as(second, "XREAD COUNT 1 BLOCK 50 STREAMS s 2"),
        ""
    );
    server.check("XADD s 2 f v -> 2-0");
    assert_eq!(server.received(first), "[[s [[2-0 [f v]]]]]");
    assert_eq!(server.received(second), "");
    server.check("XADD none 1 f v -> 1-0");
    assert_eq!(server.received(first), "");
    server.pass_ms(49);
    assert_eq!(server.received(second), "");
    server.pass_ms(1);
    assert_eq!(server.received(second), "nil[]");
}

#[test]
fn an_entry_that_is_gone_again_wakes_nobody() {
    let mut server = Server::new();
    let reader = server.connect();
    server.run_as(reader, "XREAD BLOCK 0 STREAMS s $");
    for line in ["MULTI", "XADD s 5 f v", "DEL s", "EXEC"] {
        server.run(line);
    }
    assert_eq!(server.received(reader), "");
    server.check("XADD s 1 f v -> 1-0");
    assert_eq!(server.received(reader), "[[s [[1-0 [f v]]]]]");
}

#[test]
fn xread_goes_on_waiting_while_its_key_is_of_another_type() {
    let mut server = Server::new();
    let reader = server.connect();
    server.run_as(reader, "XREAD BLOCK 0 STREAMS s $");
    server.check("SET s x -> OK");
    assert_eq!(server.received(reader), "");
    server.check(
        "DEL s -> (1)
         XADD s 1 f v -> 1-0",
    );
    assert_eq!(server.received(reader), "[[s [[1-0 [f v]]]]]");
}

#[test]
fn consumers_are_served_in_the_order_in_which_they_came() {
    let mut server = Server::new();
    server.check("XGROUP CREATE s g 0 MKSTREAM -> OK");
    let clients = [server.connect(), server.connect(), server.connect()];
    for (name, client) in ["a", "b", "c"].iter().zip(clients) {
        let line = format!("XREADGROUP GROUP g {name} COUNT 1 BLOCK 0 STREAMS s >");
        assert_eq!(server.run_as(client, &line), "");
    }
    server.check("XADD s 1 f v -> 1-0");
    assert_eq!(server.received(clients[0]), "[[s [[1-0 [f v]]]]]");
    for line in ["MULTI", "XADD s 2 f v", "XADD s 3 f v", "EXEC"] {
        server.run(line);
    }
    assert_eq!(server.received(clients[1]), "[[s [[2-0 [f v]]]]]");
    assert_eq!(server.received(clients[2]), "[[s [[3-0 [f v]]]]]");
    server.check("XPENDING s g -> [(3) 1-0 3-0 [[a 1] [b 1] [c 1]]]");
}

#[test]
fn who_waits_for_a_group_learns_that_it_is_gone() {
    let gone = "!NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
    for (lines, reply) in [
        (&["XGROUP DESTROY s g"][..], gone),
        (&["DEL s"], gone),
        (&["FLUSHALL"], gone),
        (
            &["SET s x"],
            "!WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
    ] {
        let mut server = Server::new();
        server.run("XGROUP CREATE s g $ MKSTREAM");
        let reader = server.connect();
        server.run_as(reader, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        for line in lines {
            server.run(line);
        }
        assert_eq!(server.received(reader), reply, "{lines:?}");
    }
}

#[test]
fn history_is_answered_at_once_and_nothing_waits_in_a_transaction() {
    Server::new().check(
        "XGROUP CREATE s g $ MKSTREAM -> OK
         XREAD BLOCK 9223372036854775807 STREAMS s 0 -> !ERR timeout is out of range
         XREADGROUP GROUP g c BLOCK 9223372036854775807 STREAMS s > -> !ERR timeout is out of range
         XREADGROUP GROUP g c BLOCK 0 STREAMS s 0 -> [[s []]]
         MULTI -> OK
         XREADGROUP GROUP g c BLOCK 0 STREAMS s > -> QUEUED
         XREAD BLOCK 0 STREAMS s $ -> QUEUED
         EXEC -> [nil[] nil[]]",
    );
}

#[test]
fn who_claims_is_woken_when_an_entry_has_been_pending_long_enough() {
    let mut server = Server::new();
    server.check(
        "XADD s 1 f v -> 1-0
         XGROUP CREATE s g 0 -> OK
         XREADGROUP GROUP g a STREAMS s > -> [[s [[1-0 [f v]]]]]",
    );
    let reader = server.connect();
    let line = "XREADGROUP GROUP g b BLOCK 100 CLAIM 40 STREAMS s >";
    assert_eq!(server.run_as(reader, line), "");
    server.pass_ms(39);
    assert_eq!(server.received(reader), "");
    server.pass_ms(1);
    assert_eq!(server.received(reader), "[[s [[1-0 [f v] (40) (1)]]]]");
    assert_eq!(server.run_as(reader, line), "");
    server.check("XACK s g 1-0 -> (1)");
    server.pass_ms(99);
    assert_eq!(server.received(reader), "");
    server.pass_ms(1);
    assert_eq!(server.received(reader), "nil[]");
}

#[test]
fn who_claims_gets_what_is_given_back_at_once() {
    let mut server = Server::new();
    server.check(
        "XADD s 1 f v -> 1-0
         XGROUP CREATE s g 0 -> OK
         XREADGROUP GROUP g a STREAMS s > -> [[s [[1-0 [f v]]]]]",
    );
    let reader = server.connect();
    server.run_as(
        reader,
        "XREADGROUP GROUP g b BLOCK 0 CLAIM 5000 STREAMS s >",
    );
    server.check("XNACK s g SILENT IDS 1 1-0 -> (1)");
    assert_eq!(server.received(reader), "[[s [[1-0 [f v] (-1) (0)]]]]");
}
