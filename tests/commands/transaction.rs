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
