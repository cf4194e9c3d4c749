//! What the engine owes to every command: waiting, units, the stream, errors, WATCH, CLIENT PAUSE, and that it does not
//! matter how bytes are cut. The commands of `rows` stand for all others.

use crate::harness::{Server, replies};
use crate::rows::{HALF, PUT, TAKE};
use oxidis::engine::stream::ReaderId;

fn server() -> Server {
    Server::build("", [&PUT, &TAKE, &HALF])
}

fn blocked(server: &Server) -> usize {
    server.engine.server.clients.blocked()
}

/// What has come to the stream since, command by command.
fn stream(server: &mut Server, reader: ReaderId) -> Vec<String> {
    server.stream(reader)
}

#[test]
fn waiters_are_served_in_order_of_arrival_one_for_each_change() {
    let mut server = server();
    let (first, second) = (server.connect(), server.connect());
    assert_eq!(server.run_as(second, "TAKE k 0"), "");
    assert_eq!(server.run_as(first, "TAKE k 0"), "");
    assert_eq!(blocked(&server), 2);
    server.check("PUT k one -> OK");
    assert_eq!(
        (server.received(second), server.received(first)),
        ("one".into(), "".into())
    );
    server.check("PUT k two -> OK\n GET k -> nil");
    assert_eq!(
        (server.received(second), server.received(first)),
        ("".into(), "two".into())
    );
    assert_eq!(blocked(&server), 0);
}

#[test]
fn waiters_are_served_before_the_next_command_of_the_same_pipeline() {
    let mut server = server();
    let (waiter, client) = (server.connect(), server.client);
    server.run_as(waiter, "TAKE k 0");
    assert_eq!(
        replies(&server.feed(client, b"PUT k v\r\nGET k\r\n")),
        "OK ; nil"
    );
    assert_eq!(server.received(waiter), "v");
}

#[test]
fn a_wait_ends_at_its_deadline_with_the_commands_own_reply() {
    let mut server = server();
    assert_eq!(server.run("TAKE k 500"), "");
    server.pass_ms(499);
    assert_eq!(server.received(server.client), "");
    server.pass_ms(1);
    assert_eq!(server.received(server.client), "nil");
    assert_eq!(blocked(&server), 0);
    server.check("PUT k v -> OK\n GET k -> v");
}

#[test]
fn a_waiter_that_came_too_late_keeps_its_deadline_and_its_next_wait_has_its_own() {
    let mut server = server();
    let (first, late) = (server.connect(), server.connect());
    server.run_as(first, "TAKE k 0");
    server.run_as(late, "TAKE k 500");
    server.pass_ms(300);
    // It is served and finds nothing: the one before took it.
    server.check("PUT k v -> OK");
    server.pass_ms(199);
    assert_eq!(server.received(late), "");
    server.pass_ms(1);
    assert_eq!(server.received(late), "nil");
    server.run_as(late, "TAKE k 0");
    server.pass_ms(10_000);
    assert_eq!((server.received(late), blocked(&server)), ("".into(), 1));
}

#[test]
fn nothing_waits_inside_a_transaction() {
    let mut server = server();
    server.check("MULTI -> OK\n TAKE k 0 -> QUEUED\n PUT k v -> QUEUED\n TAKE k 0 -> QUEUED\n EXEC -> [nil OK v]");
    assert_eq!(blocked(&server), 0);
}

#[test]
fn a_key_set_inside_exec_wakes_who_waits_for_it_after_the_whole_unit() {
    let mut server = server();
    let waiter = server.connect();
    server.run_as(waiter, "TAKE k 0");
    server
        .check("MULTI -> OK\n PUT k v -> QUEUED\n GET k -> QUEUED\n EXEC -> [OK v]\n GET k -> nil");
    assert_eq!(server.received(waiter), "v");
}

#[test]
fn who_disconnects_while_waiting_takes_nothing() {
    let mut server = server();
    let waiter = server.connect();
    server.run_as(waiter, "TAKE k 500");
    server.disconnect(waiter);
    assert_eq!(blocked(&server), 0);
    server.check("PUT k v -> OK\n GET k -> v");
    server.pass_ms(1_000);
    assert!(server.engine.keyspace.waiters.is_empty());
}

#[test]
fn who_is_killed_while_waiting_takes_nothing_either() {
    let mut server = server();
    let (waiter, client) = (server.connect(), server.client);
    server.run_as(waiter, "TAKE k 0");
    let bytes = b"CLIENT KILL ID 2\r\nPUT k v\r\nGET k\r\nCLIENT UNBLOCK 2\r\n";
    assert_eq!(replies(&server.feed(client, bytes)), "(1) ; OK ; v ; (0)");
    server.close_ended();
    assert_eq!(
        (blocked(&server), server.engine.server.clients.len()),
        (0, 1)
    );
}

#[test]
fn what_follows_a_waiting_command_waits_and_then_runs() {
    let mut server = server();
    let waiter = server.connect();
    let bytes = b"ECHO a\r\nTAKE k 0\r\nECHO b\r\nTAKE l 100\r\nECHO c\r\n";
    assert_eq!(replies(&server.feed(waiter, bytes)), "a");
    assert_eq!(server.run_as(waiter, "ECHO d"), "");
    server.check("PUT k v -> OK");
    assert_eq!(server.received(waiter), "v ; b");
    server.pass_ms(100);
    assert_eq!(server.received(waiter), "nil ; c ; d");
}

#[test]
fn unblock_ends_a_wait_as_its_deadline_would_or_with_an_error() {
    let mut server = server();
    let waiter = server.connect();
    server.run_as(waiter, "TAKE k 500");
    server.check("CLIENT UNBLOCK 2 -> (1)\n CLIENT UNBLOCK 2 -> (0)");
    assert_eq!(server.received(waiter), "nil");
    server.run_as(waiter, "TAKE k 500");
    let client = server.client;
    let bytes = b"CLIENT UNBLOCK 2 ERROR\r\nPUT k v\r\nGET k\r\n";
    assert_eq!(replies(&server.feed(client, bytes)), "(1) ; OK ; v");
    assert_eq!(
        server.received(waiter),
        "!UNBLOCKED client unblocked via CLIENT UNBLOCK"
    );
    assert_eq!(server.engine.server.stats.errors.get("UNBLOCKED"), Some(&1));
    server.pass_ms(1_000);
    assert_eq!((server.received(waiter), blocked(&server)), ("".into(), 0));
    assert_eq!(server.run_as(waiter, "PING"), "PONG");
}

#[test]
fn a_muted_client_gets_no_late_reply_either() {
    let mut server = server();
    let waiter = server.connect();
    server.run_as(waiter, "CLIENT REPLY OFF");
    server.run_as(waiter, "TAKE k 0");
    server.check("PUT k v -> OK\n GET k -> nil");
    assert_eq!(server.received(waiter), "");
    server.run_as(waiter, "CLIENT REPLY ON");
    server.run_as(waiter, "CLIENT REPLY SKIP");
    server.run_as(waiter, "TAKE k 50");
    server.pass_ms(50);
    assert_eq!(server.received(waiter), "");
    assert_eq!(server.run_as(waiter, "PING"), "PONG");
}

#[test]
fn the_stream_has_changes_only_and_says_in_which_database() {
    let mut server = server();
    let reader = server.engine.open_stream();
    server.check(
        "PUT a 1 -> OK
         GET a -> 1
         PUT a -> !ERR wrong number of arguments for 'put' command
         PUT a 1 x -> !ERR value is not an integer or out of range
         HALF -> !ERR value is not an integer or out of range
         SELECT 3 -> OK
         GET a -> nil
         PUT a 2 -> OK
         TAKE a 0 -> 2
         MULTI -> OK
         SELECT 0 -> QUEUED
         TAKE a 0 -> QUEUED
         SELECT 3 -> QUEUED
         PUT b 1 -> QUEUED
         EXEC -> [OK 1 OK OK]
         MULTI -> OK
         GET b -> QUEUED
         EXEC -> [1]",
    );
    assert_eq!(
        stream(&mut server, reader),
        [
            "SELECT 0", "PUT a 1", "SELECT 3", "PUT a 2", "DEL a", "SELECT 0", "MULTI", "DEL a",
            "SELECT 3", "PUT b 1", "EXEC"
        ]
    );
}

#[test]
fn what_a_waiter_takes_follows_what_woke_it() {
    let mut server = server();
    let reader = server.engine.open_stream();
    let (waiter, client) = (server.connect(), server.client);
    server.run_as(waiter, "TAKE k 0");
    server.feed(client, b"PUT k 1\r\nPUT l 2\r\n");
    assert_eq!(
        stream(&mut server, reader),
        ["SELECT 0", "PUT k 1", "DEL k", "PUT l 2"]
    );
}

#[test]
fn keys_that_expire_are_deleted_in_the_stream_whoever_notices() {
    let mut server = server();
    let reader = server.engine.open_stream();
    server.check("PUT a 1 50 -> OK\n PUT b 1 50 -> OK");
    server.clock.advance_ms(51);
    server.check("GET a -> nil");
    assert_eq!(
        stream(&mut server, reader),
        ["SELECT 0", "PUT a 1 50", "PUT b 1 50", "DEL a"]
    );
    server.pass_ms(1);
    assert_eq!(stream(&mut server, reader), ["DEL b"]);
}

#[test]
fn an_error_after_half_a_reply_leaves_the_error_alone() {
    let mut server = server();
    let client = server.client;
    assert_eq!(
        replies(&server.feed(client, b"PING\r\nHALF\r\nPING\r\n")),
        "PONG ; !ERR value is not an integer or out of range ; PONG"
    );
}

#[test]
fn a_watched_key_that_changes_spoils_the_transaction_whoever_changes_it() {
    let mut server = server();
    let other = server.connect();
    // Another client, before and after MULTI.
    server.check("WATCH k -> OK");
    server.run_as(other, "PUT k 1");
    server.check("MULTI -> OK\n GET k -> QUEUED\n EXEC -> nil[]\n MULTI -> OK\n GET k -> QUEUED\n EXEC -> [1]");
    server.check("WATCH k -> OK\n MULTI -> OK\n GET k -> QUEUED");
    server.run_as(other, "PUT k 2");
    server.check("EXEC -> nil[]");
    // The client itself; another key; another database; UNWATCH; DISCARD.
    server.check(
        "WATCH k -> OK
         PUT k 3 -> OK
         MULTI -> OK
         EXEC -> nil[]
         WATCH k -> OK
         PUT other 3 -> OK
         SELECT 1 -> OK
         PUT k 3 -> OK
         MULTI -> OK
         EXEC -> []
         SELECT 0 -> OK
         WATCH k -> OK
         PUT k 4 -> OK
         UNWATCH -> OK
         MULTI -> OK
         WATCH k -> !ERR WATCH inside MULTI is not allowed
         DISCARD -> OK
         WATCH k -> OK
         MULTI -> OK
         DISCARD -> OK
         PUT k 5 -> OK
         MULTI -> OK
         PUT k 6 -> QUEUED
         EXEC -> [OK]",
    );
    assert!(server.engine.keyspace.waiters.is_empty());
}

#[test]
fn a_watched_key_that_expires_spoils_and_one_that_had_expired_before_does_not() {
    let mut server = server();
    server.check("PUT k 1 50 -> OK\n WATCH k -> OK");
    server.clock.advance_ms(51);
    server.check("MULTI -> OK\n PING -> QUEUED\n EXEC -> nil[]\n PUT k 1 50 -> OK");
    server.clock.advance_ms(51);
    server.check("WATCH k -> OK\n MULTI -> OK\n PING -> QUEUED\n EXEC -> [PONG]");
}

#[test]
fn a_waiter_that_the_watchers_own_command_wakes_spoils_its_transaction() {
    let mut server = server();
    let (waiter, client) = (server.connect(), server.client);
    server.run_as(waiter, "TAKE k 0 l");
    assert_eq!(
        replies(&server.feed(client, b"WATCH l\r\nPUT k 1\r\nMULTI\r\nEXEC\r\nGET l\r\n")),
        "OK ; OK ; OK ; nil[] ; 1"
    );
}

#[test]
fn what_a_served_waiter_changes_serves_the_next_one() {
    let mut server = server();
    let (first, second) = (server.connect(), server.connect());
    server.run_as(first, "TAKE k 0 l");
    server.run_as(second, "TAKE l 0 m");
    server.check("PUT k 1 -> OK\n GET l -> nil\n GET m -> 1");
    assert_eq!(
        (server.received(first), server.received(second)),
        ("1".into(), "1".into())
    );
}

#[test]
fn pause_write_lets_reads_go_on_and_runs_writes_afterwards_in_order() {
    let mut server = server();
    let (writer, late) = (server.connect(), server.connect());
    server.check("PUT k 0 -> OK\n CLIENT PAUSE 1000 WRITE -> OK");
    let bytes = b"GET k\r\nPUT k 1\r\nGET k\r\nPUT k 2\r\n";
    assert_eq!(replies(&server.feed(writer, bytes)), "0");
    assert_eq!(server.run_as(late, "PUT k 3"), "");
    server.check("GET k -> 0\n EVAL -> !ERR wrong number of arguments for 'eval' command");
    assert_eq!(blocked(&server), 2);
    let line = server.run("CLIENT LIST ID 2");
    assert!(
        line.contains(" flags=b ") && line.contains(" cmd=put "),
        "{line}"
    );
    assert_eq!(
        server.run("CLIENT UNBLOCK 2"),
        "(0)",
        "it is not blocked but held back"
    );
    server.pass_ms(999);
    assert_eq!(server.received(writer), "");
    server.pass_ms(1);
    assert_eq!(server.received(writer), "OK ; 1 ; OK");
    assert_eq!(server.received(late), "OK");
    server.check("GET k -> 3");
    assert_eq!(blocked(&server), 0);
}

#[test]
fn unpause_lets_everybody_go_on_at_once() {
    let mut server = server();
    let writer = server.connect();
    server.check("CLIENT PAUSE 100000 WRITE -> OK");
    assert_eq!(replies(&server.feed(writer, b"PUT k 1\r\nPING\r\n")), "");
    server.check("CLIENT UNPAUSE -> OK\n GET k -> 1");
    assert_eq!(server.received(writer), "OK ; PONG");
}

#[test]
fn pause_all_holds_back_every_command_even_the_end_of_the_pause() {
    let mut server = server();
    let other = server.connect();
    server.check("CLIENT PAUSE 1000 -> OK");
    assert_eq!(server.run("CLIENT UNPAUSE"), "");
    assert_eq!(server.run_as(other, "PING"), "");
    server.pass_ms(1000);
    assert_eq!(
        (server.received(server.client), server.received(other)),
        ("OK".into(), "PONG".into())
    );
}

#[test]
fn pause_write_holds_back_exec_with_writes_and_writes_that_would_be_queued() {
    let mut server = server();
    let (reads, writes, queues) = (server.connect(), server.connect(), server.connect());
    for client in [reads, writes, queues] {
        server.run_as(client, "MULTI");
    }
    server.run_as(writes, "PUT k 1");
    server.check("CLIENT PAUSE 1000 WRITE -> OK");
    assert_eq!(server.run_as(reads, "GET k"), "QUEUED");
    assert_eq!(server.run_as(reads, "EXEC"), "[nil]");
    assert_eq!(server.run_as(writes, "EXEC"), "");
    assert_eq!(replies(&server.feed(queues, b"PUT k 2\r\nEXEC\r\n")), "");
    server.pass_ms(1000);
    assert_eq!(server.received(writes), "[OK]");
    assert_eq!(server.received(queues), "QUEUED ; [OK]");
}

#[test]
fn who_goes_away_while_held_back_is_not_counted_any_more_and_writes_nothing() {
    let mut server = server();
    let (gone, killed) = (server.connect(), server.connect());
    server.check("CLIENT PAUSE 1000 WRITE -> OK");
    server.run_as(gone, "PUT k 1");
    server.run_as(killed, "PUT k 2");
    server.disconnect(gone);
    server.check("CLIENT KILL ID 3 -> (1)");
    server.close_ended();
    assert_eq!(blocked(&server), 0);
    server.pass_ms(1000);
    server.check("GET k -> nil");
}

#[test]
fn keys_stay_while_paused_and_expire_afterwards() {
    let mut server = server();
    let reader = server.engine.open_stream();
    server.check("PUT k 1 50 -> OK\n CLIENT PAUSE 1000 WRITE -> OK");
    server.pass_ms(500);
    assert_eq!(stream(&mut server, reader), ["SELECT 0", "PUT k 1 50"]);
    server.pass_ms(500);
    server.pass_ms(1);
    assert_eq!(stream(&mut server, reader), ["DEL k"]);
}

#[test]
fn it_does_not_matter_where_bytes_are_cut() {
    let bytes: &[u8] = b"PUT a 1\r\n*3\r\n$3\r\nPUT\r\n$1\r\nb\r\n$3\r\nx\r\ny\r\nMULTI\r\nGET a\r\n\
        *2\r\n$3\r\nGET\r\n$1\r\nb\r\nEXEC\r\nHALF\r\nNOSUCH \"q r\"\r\nTAKE a 0\r\nGET a\r\nGET\r\n*1\r\n$4\r\nPING\r\n";
    let whole = {
        let mut server = server();
        let client = server.client;
        server.feed(client, bytes)
    };
    assert!(replies(&whole).ends_with("PONG"));
    for cut in 0..=bytes.len() {
        let mut server = server();
        let client = server.client;
        let (head, tail) = bytes.split_at(cut);
        let mut pieces = server.feed(client, head);
        pieces.extend(server.feed(client, tail));
        assert_eq!(pieces, whole, "cut at {cut}");
    }
    let mut server = server();
    let client = server.client;
    let mut pieces = Vec::new();
    for byte in bytes {
        pieces.extend(server.feed(client, &[*byte]));
    }
    assert_eq!(pieces, whole, "byte by byte");
}
