//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.

use crate::harness::Server;

#[test]
fn a_queue_runs_at_exec_and_not_before() {
    Server::new().check(
        "MULTI -> OK
         GET a -> QUEUED
         GET b -> QUEUED
         EXEC -> [nil nil]
         EXEC -> !ERR EXEC without MULTI
         DISCARD -> !ERR DISCARD without MULTI",
    );
}

#[test]
fn a_command_that_cannot_be_queued_spoils_the_transaction() {
    Server::new().check(
        "MULTI -> OK
         GET -> !ERR wrong number of arguments for 'get' command
         NOSUCH -> !ERR unknown command 'NOSUCH', with args beginning with:
         GET a -> QUEUED
         EXEC -> !EXECABORT Transaction discarded because of previous errors.
         GET a -> nil",
    );
}

#[test]
fn an_exec_that_is_refused_ends_its_transaction() {
    Server::new().check(
        "MULTI -> OK
         SET m 1 -> QUEUED
         EXEC x -> !EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
         SET m 2 -> OK
         EXEC -> !ERR EXEC without MULTI",
    );
}

#[test]
fn unwatch_forgets_what_was_watched_and_what_became_of_it() {
    let mut server = Server::new();
    let other = server.connect();
    server.check("WATCH a b -> OK");
    server.run_as(other, "SET a 1");
    server.check(
        "UNWATCH -> OK
         MULTI -> OK
         GET a -> QUEUED
         EXEC -> [1]",
    );
    server.check("WATCH a -> OK");
    server.run_as(other, "SELECT 1");
    server.run_as(other, "SET a 2");
    server.check(
        "MULTI -> OK
         GET a -> QUEUED
         EXEC -> [1]",
    );
}

#[test]
fn reset_leaves_a_transaction_and_its_queue_behind() {
    Server::new().check(
        "MULTI -> OK
         SET a 1 -> QUEUED
         RESET -> RESET
         GET a -> nil
         EXEC -> !ERR EXEC without MULTI",
    );
}

#[test]
fn a_long_queue_runs_in_order_in_the_middle_of_a_pipeline() {
    let mut server = Server::new();
    let client = server.connect();
    let mut pipeline = b"SET n 0\r\nMULTI\r\n".to_vec();
    for _ in 0..150 {
        pipeline.extend_from_slice(b"INCR n\r\nAPPEND log .\r\n");
    }
    pipeline.extend_from_slice(b"EXEC\r\nGET n\r\nSTRLEN log\r\n");
    let replies = String::from_utf8_lossy(&server.feed(client, &pipeline)).into_owned();
    let (_, ran) = replies.split_once("*300\r\n").expect("EXEC answers all");
    assert!(ran.starts_with(":1\r\n:1\r\n:2\r\n:2\r\n"));
    assert!(ran.ends_with(":150\r\n:150\r\n$3\r\n150\r\n:150\r\n"));
}

#[test]
fn large_words_of_a_queue_are_shared_and_all_count_as_its_memory() {
    let mut server = Server::new();
    let client = server.connect();
    let multi_mem = |server: &mut Server| {
        let list = server.run("CLIENT LIST");
        let fields = list.split(" multi-mem=").skip(1);
        let counts = fields.filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        counts.max().expect("there are clients")
    };
    server.run_as(client, "MULTI");
    assert_eq!(multi_mem(&mut server), 0);
    let large = vec![b'x'; 100_000];
    assert_eq!(server.raw(client, &[b"SET", b"k", &large]), b"+QUEUED\r\n");
    server.run_as(client, "STRLEN k");
    let bytes = multi_mem(&mut server);
    assert!((100_000..101_000).contains(&bytes), "{bytes}");
    assert_eq!(server.run_as(client, "EXEC"), "[OK (100000)]");
    assert_eq!(multi_mem(&mut server), 0);
}

#[test]
fn a_queue_counts_against_the_limit_of_requests_that_have_yet_to_run() {
    let mut server = Server::with_config("client-query-buffer-limit 1mb");
    let client = server.connect();
    server.run_as(client, "MULTI");
    let value = vec![b'x'; 30_000];
    for _ in 0..50 {
        server.raw(client, &[b"SET", b"k", &value]);
    }
    assert_eq!(server.close_ended(), [client]);
    assert_eq!(server.engine.server.stats.query_buffer_closes, 1);
    server.check("EXISTS k -> (0)");
}

#[test]
fn watched_keys_of_several_databases_are_told_apart() {
    let mut server = Server::new();
    let other = server.connect();
    server.check("WATCH k -> OK\nSELECT 1 -> OK\nWATCH k -> OK");
    server.run_as(other, "SELECT 2");
    server.run_as(other, "SET k 1");
    server.check("MULTI -> OK\nPING -> QUEUED\nEXEC -> [PONG]");
    server.check("WATCH k -> OK");
    server.run_as(other, "SELECT 1");
    server.run_as(other, "SET k 1");
    server.check("MULTI -> OK\nPING -> QUEUED\nEXEC -> nil[]");
}

#[test]
fn swapped_databases_touch_what_is_watched_and_there_in_either() {
    for (filled, spoils) in [("", false), ("0", true), ("1", true)] {
        let mut server = Server::new();
        let other = server.connect();
        if !filled.is_empty() {
            server.run_as(other, &format!("SELECT {filled}"));
            server.run_as(other, "SET k 1");
        }
        server.check("WATCH k -> OK");
        server.run_as(other, "SWAPDB 0 1");
        let reply = if spoils { "nil[]" } else { "[PONG]" };
        server.check(&format!("MULTI -> OK\nPING -> QUEUED\nEXEC -> {reply}"));
    }
}

#[test]
fn a_watched_key_that_expires_spoils_and_one_that_had_expired_does_not() {
    let mut server = Server::new();
    server.check("SET k v PX 10 -> OK\nWATCH k -> OK");
    server.pass_ms(20);
    server.check("MULTI -> OK\nPING -> QUEUED\nEXEC -> nil[]");
    server.check("SET k v PX 10 -> OK");
    server.pass_ms(20);
    server.check("WATCH k -> OK\nMULTI -> OK\nPING -> QUEUED\nEXEC -> [PONG]");
}
