//! A disk that takes no writes: the old file stays, clients are refused writes, and all goes on by itself.

use super::file::read;
use crate::harness::Server;

const MISCONF: &str = "!MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. \
Commands that may modify the data set are disabled, because this instance is configured to report errors during writes \
if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB \
error.";

fn status(server: &mut Server) -> String {
    server.persistence("rdb_last_bgsave_status")
}

/// A server whose disk is full, with a good old file and a failed save.
fn failed() -> Server {
    let mut server = Server::with_config("save 3600 1");
    server.check("SET a 1 -> OK\nSAVE -> OK\nSET b 2 -> OK");
    server.host.disk.is_full = true;
    server.check("BGSAVE -> Background saving started");
    server.pass_ms(1);
    assert_eq!(status(&mut server), "err");
    server
}

#[test]
fn a_failed_save_leaves_the_old_file_and_nothing_half_written() {
    let mut server = failed();
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 1);
    assert!(!server.host.disk.has_draft());
    server.check("SAVE -> !ERR");
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 1);
}

#[test]
fn writes_are_refused_and_reads_go_on_after_a_failed_save() {
    let mut server = failed();
    server.check(&format!(
        "SET c 3 -> {MISCONF}
         GET b -> 2
         PING -> {MISCONF}
         CONFIG GET save -> [save 3600 1]
         MULTI -> OK
         GET a -> QUEUED
         EXEC -> [1]
         MULTI -> OK
         SET c 3 -> {MISCONF}
         EXEC -> !EXECABORT Transaction discarded because of previous errors.
         CONFIG SET stop-writes-on-bgsave-error no -> OK
         SET c 3 -> OK
         MULTI -> OK
         SET d 4 -> QUEUED
         CONFIG SET stop-writes-on-bgsave-error yes -> QUEUED
         DISCARD -> OK"
    ));
}

#[test]
fn a_transaction_that_was_queued_before_the_failure_is_refused_as_a_whole() {
    let mut server = Server::with_config("save 3600 1");
    let other = server.connect();
    server.check("MULTI -> OK\nSET a 1 -> QUEUED");
    server.host.disk.is_full = true;
    server.run_as(other, "BGSAVE");
    server.pass_ms(1);
    let refused = MISCONF.strip_prefix('!').expect("an error");
    server.check(&format!(
        "EXEC -> !EXECABORT Transaction discarded because of: {refused}
         GET a -> nil"
    ));
}

#[test]
fn scripts_are_refused_their_writes_too() {
    let mut server = failed();
    let refused = MISCONF.strip_prefix('!').expect("an error");
    for script in [
        "redis.call('set', 'c', 3)",
        "redis.call('get', 'a') redis.call('del', 'a')",
    ] {
        let reply = server.run(&format!("EVAL \"{script}\" 0"));
        assert!(reply.contains(refused), "{reply}");
    }
    server.check(&format!(
        "EVAL \"return redis.call('get', 'a')\" 0 -> 1
         EVAL \"#!lua\\nreturn 1\" 0 -> {MISCONF}
         EVAL \"#!lua flags=no-writes\\nreturn 1\" 0 -> (1)
         EXISTS c -> (0)"
    ));
}

#[test]
fn nothing_is_refused_where_nothing_is_saved_by_itself() {
    let mut server = failed();
    server.check("CONFIG SET save \"\" -> OK\nSET c 3 -> OK");
}

#[test]
fn service_resumes_by_itself_when_the_disk_takes_writes_again() {
    let mut server = failed();
    server.pass_ms(6000);
    server.pass_ms(1);
    server.check(&format!("SET c 3 -> {MISCONF}"));
    server.host.disk.is_full = false;
    server.pass_ms(6000);
    server.pass_ms(1);
    assert_eq!(status(&mut server), "ok");
    server.check("SET c 3 -> OK");
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 2);
}

#[test]
fn a_good_save_by_hand_ends_it_too() {
    let mut server = failed();
    server.host.disk.is_full = false;
    server.check("SAVE -> OK\nSET c 3 -> OK");
    assert_eq!(status(&mut server), "ok");
}

#[test]
fn a_failure_in_the_middle_of_a_walk_can_be_followed_by_a_good_save_at_once() {
    let mut server =
        Server::with_config("save \"\"\nrdb-key-save-delay 1\nenable-debug-command yes");
    server.run("DEBUG POPULATE 20000 key 100");
    server.run("BGSAVE");
    for _ in 0..20 {
        server.pass_ms(1);
    }
    server.host.disk.is_full = true;
    while server.engine.server.saver.is_running() {
        server.pass_ms(1);
    }
    assert_eq!(status(&mut server), "err");
    server.host.disk.is_full = false;
    server.check("SET late 1 -> OK\nSAVE -> OK");
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 20_001);
}

#[test]
fn shutdown_is_refused_if_saving_fails_unless_by_force() {
    let mut server = failed();
    server.check("SHUTDOWN -> !ERR Errors trying to SHUTDOWN. Check logs.");
    assert!(!server.host.stopped);
    server.check("GET a -> 1");
    assert_eq!(server.run("SHUTDOWN FORCE"), "");
    assert!(server.host.stopped);
}
