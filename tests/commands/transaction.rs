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
