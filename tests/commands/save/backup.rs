//! BACKUP of a server without an append-only file: a snapshot that is nobody's save, and what it gives way to.

use super::file::read;
use crate::harness::Server;

const FILE: &str = "b/dump.rdb";

fn with_keys(lines: &str) -> Server {
    let mut server = Server::with_config(lines);
    for key in 0..300 {
        server.run(&format!("SET key:{key} value"));
    }
    server
}

/// Lets the backup come to its end.
fn finish(server: &mut Server) {
    for _ in 0..1000 {
        if server.persistence("backup_in_progress") == "0"
            && server.persistence("backup_scheduled") == "0"
        {
            return;
        }
        server.pass_ms(100);
    }
    panic!("the backup does not end");
}

#[test]
fn a_backup_is_no_save() {
    let mut server = with_keys("save 3600 1000000");
    let before = [
        "rdb_changes_since_last_save",
        "rdb_last_save_time",
        "rdb_saves",
    ];
    let before = before.map(|name| (name, server.persistence(name)));
    server.check("BACKUP b -> Background backup started");
    server.run("SET later 1");
    server.run("DEL later");
    finish(&mut server);
    assert_eq!(server.persistence("backup_last_status"), "ok");
    assert_eq!(server.persistence("backups"), "1");
    let files: Vec<&String> = server.host.files.keys().collect();
    assert_eq!(files, [FILE]);
    let file = &server.host.files[FILE];
    assert_eq!(read(file).data.len(), 300);
    let bytes = file.len().to_string();
    assert_eq!(server.persistence("backup_last_bytes"), bytes);
    for (name, value) in before {
        let two_more = name == "rdb_changes_since_last_save";
        let value = value.parse::<u64>().expect("a number") + u64::from(two_more) * 2;
        assert_eq!(server.persistence(name), value.to_string(), "{name}");
    }
}

#[test]
fn a_backup_within_a_transaction_has_all_of_it() {
    let mut server = with_keys("");
    server.check(
        "MULTI -> OK
         SET a 1 -> QUEUED
         BACKUP b -> QUEUED
         SET c 1 -> QUEUED
         EXEC -> [OK Background backup started OK]",
    );
    finish(&mut server);
    assert_eq!(read(&server.host.files[FILE]).data.len(), 302);
}

#[test]
fn one_thing_is_saved_at_a_time_and_what_comes_later_waits() {
    let mut server = with_keys("rdb-key-save-delay 1000000");
    server.check(
        "BACKUP b -> Background backup started
         BACKUP c -> !ERR Background backup already in progress
         BGSAVE SCHEDULE -> Background saving scheduled",
    );
    assert_eq!(server.persistence("rdb_bgsave_in_progress"), "0");
    assert_eq!(server.persistence("backup_current_stage"), "walking");
    server.run("CONFIG SET rdb-key-save-delay 0");
    finish(&mut server);
    for _ in 0..10 {
        server.pass_ms(100);
    }
    let mut files: Vec<&String> = server.host.files.keys().collect();
    files.sort();
    assert_eq!(files, [FILE, "dump.rdb"]);
}

#[test]
fn a_flush_takes_nothing_from_a_backup_and_is_saved_behind_it() {
    let mut server = with_keys("rdb-key-save-delay 1000000\nsave 3600 1");
    server.check(
        "BACKUP b -> Background backup started
         FLUSHALL -> OK",
    );
    server.run("CONFIG SET rdb-key-save-delay 0");
    finish(&mut server);
    assert_eq!(server.persistence("backup_last_status"), "ok");
    assert_eq!(read(&server.host.files[FILE]).data.len(), 300);
    for _ in 0..10 {
        server.pass_ms(100);
    }
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 0);
}

#[test]
fn a_server_that_does_not_end_after_all_says_that_the_backup_was_given_up() {
    let mut server = with_keys("rdb-key-save-delay 1000000\nsave 3600 1");
    server.check("BACKUP b -> Background backup started");
    // What it would save before it ends cannot be written.
    server.host.disk.is_full = true;
    server.check("SHUTDOWN -> !ERR Errors trying to SHUTDOWN. Check logs.");
    server.pass_ms(100);
    assert_eq!(server.persistence("backup_last_status"), "err");
    assert_eq!(
        server.persistence("backup_last_error"),
        "the snapshot was given up"
    );
    assert!(server.host.files.is_empty());
}

#[test]
fn a_backup_that_cannot_be_written_is_told_and_the_next_one_is_good() {
    let mut server = with_keys("");
    server.host.disk.is_full = true;
    server.check("BACKUP b -> Background backup started");
    finish(&mut server);
    assert_eq!(server.persistence("backup_last_status"), "err");
    assert!(server.persistence("backup_last_error").contains("no room"));
    // Only a save that fails makes writes refused: a backup is not what the data depends on.
    server.check("SET a 1 -> OK");
    server.host.disk.is_full = false;
    server.check("BACKUP b -> Background backup started");
    finish(&mut server);
    assert_eq!(server.persistence("backup_last_status"), "ok");
}

#[test]
fn paths_that_lead_out_of_the_working_folder_are_refused() {
    let mut server = Server::new();
    for path in ["..", "a/../b", "/a", "''", "./../a"] {
        let refused = "!ERR BACKUP takes the path of a new folder below the working folder ('dir'), without '..'";
        assert_eq!(server.run(&format!("BACKUP {path}")), refused, "{path}");
    }
    let refused = "!ERR BACKUP takes a path without control characters: INFO tells it in a line";
    assert_eq!(server.run("BACKUP \"a\\r\\nb\""), refused);
    server.check("BACKUP -> !ERR wrong number of arguments for 'backup' command");
}
