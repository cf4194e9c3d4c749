//! The append-only file: what is in it, who waits for it, rewrites, and what is built from it.

use crate::harness::{START_MS, Server, replies};
use oxidis::persist::Report;
use oxidis::persist::aof::AofReport;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub const ON: &str = "appendonly yes\nsave \"\"";

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("oxidis-aof-{}-{number}", std::process::id());
        // In memory where there is such a place: each start and each write waits for the disk.
        let memory = Path::new("/dev/shm");
        let path = match memory.is_dir() {
            true => memory.join(name),
            false => std::env::temp_dir().join(name),
        };
        fs::create_dir_all(&path).expect("the folder for temporary files is writable");
        Self(path)
    }

    /// Itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// A file of the append-only file's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join("appendonlydir").join(name)
    }

    fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The commands in a file.
    fn commands(&self, name: &str) -> String {
        let bytes = fs::read(self.path(name)).expect("the file is there");
        replies(&bytes)
    }

    fn manifest(&self) -> String {
        self.text("appendonly.aof.manifest")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(folder: &Folder, lines: &str) -> Server {
    Server::in_folder(&folder.0, &format!("{ON}\n{lines}"))
}

#[test]
fn changes_are_in_the_increment_and_the_data_is_built_from_it() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check(
        "SET a 1 -> OK
         GET a -> 1
         SET t x EX 100 -> OK
         SELECT 3 -> OK
         MULTI -> OK
         RPUSH l a b -> QUEUED
         INCR n -> QUEUED
         EXEC -> [(2) (1)]",
    );
    let at = START_MS + 100_000;
    let expected = format!(
        "[SELECT 0] ; [SET a 1] ; [SET t x PXAT {at}] ; [SELECT 3] ; [MULTI] ; [RPUSH l a b] ; [INCR n] ; [EXEC]"
    );
    assert_eq!(folder.commands("appendonly.aof.1.incr.aof"), expected);
    assert_eq!(
        folder.manifest(),
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    );
    let mut server = start(&folder, "");
    server.check(
        "GET a -> 1
         PTTL t -> (100000)
         SELECT 3 -> OK
         LRANGE l 0 -1 -> [a b]
         INCR n -> (2)",
    );
}

#[test]
fn what_expired_between_two_changes_is_as_it_was_when_they_ran() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("SET a 1 PX 100 -> OK\nINCR a -> (2)");
    // The server is gone before the deletion is written.
    let mut server = Server::with_config(ON);
    server.host.disk.folder = Some(folder.0.clone());
    server.clock.advance_ms(1000);
    server
        .engine
        .load_log(&mut server.host)
        .expect("it is whole");
    server.check("EXISTS a -> (0)");
}

#[test]
fn a_writer_is_answered_when_its_bytes_are_written_and_readers_at_once() {
    for policy in ["always", "everysec", "no"] {
        let folder = Folder::new();
        let mut server = start(&folder, &format!("appendfsync {policy}"));
        let reader = server.connect();
        server.host.disk.is_held = true;
        server.check("SET a 1 ->\nGET a ->");
        assert_eq!(server.run_as(reader, "GET a"), "1", "{policy}");
        // It waits behind the append that is under way.
        assert_eq!(server.run_as(reader, "SET b 2"), "");
        assert_eq!(server.run_as(reader, "GET b"), "");
        server.host.disk.is_held = false;
        work(&mut server);
        assert_eq!(server.received(0), "OK ; 1", "{policy}");
        assert_eq!(server.received(reader), "OK ; 2", "{policy}");
        assert_eq!(
            folder.commands("appendonly.aof.1.incr.aof"),
            "[SELECT 0] ; [SET a 1] ; [SET b 2]"
        );
    }
}

/// Lets the disk do what it was given.
fn work(server: &mut Server) {
    let files = &mut server.host.files;
    server.host.disk.work(files);
    server.pass_ms(0);
}

#[test]
fn replies_of_before_leave_although_later_ones_wait() {
    let folder = Folder::new();
    let mut server = start(&folder, "appendfsync always");
    server.host.disk.is_held = true;
    let client = server.client;
    server.engine.feed(client, b"GET a\r\n", &mut server.host);
    server.engine.feed(client, b"SET a 1\r\n", &mut server.host);
    assert_eq!(server.received(client), "nil");
    server.engine.feed(client, b"GET a\r\n", &mut server.host);
    assert_eq!(server.received(client), "");
    server.host.disk.is_held = false;
    work(&mut server);
    assert_eq!(server.received(client), "OK ; 1");
}

#[test]
fn waitaof_waits_for_the_disk() {
    let folder = Folder::new();
    let mut server = start(&folder, "appendfsync everysec");
    server.host.disk.are_flushes_held = true;
    server.check(
        "WAITAOF 1 0 0 -> [(1) (0)]
         SET a 1 -> OK
         WAITAOF 0 0 0 -> [(0) (0)]
         WAITAOF 1 0 50 ->",
    );
    server.pass_ms(60);
    assert_eq!(server.received(0), "[(0) (0)]");
    server.check("WAITAOF 1 0 0 ->");
    server.pass_ms(1000);
    assert_eq!(server.received(0), "");
    server.host.disk.flush();
    server.pass_ms(0);
    assert_eq!(server.received(0), "[(1) (0)]");
    server.check("WAITAOF 1 1 10 ->");
    server.pass_ms(20);
    assert_eq!(server.received(0), "[(1) (0)]");
    server.check(
        "WAITAOF 2 0 0 -> !ERR value is out of range, value must between 0 and 1
         WAITAOF 1 -1 0 -> !ERR value is out of range, must be positive
         WAITAOF 1 x 0 -> !ERR value is out of range, must be positive
         WAITAOF 1 0 -1 -> !ERR timeout is negative
         WAITAOF 1 0 x -> !ERR timeout is not an integer or out of range
         SET a 2 -> OK
         MULTI -> OK
         WAITAOF 1 0 0 -> QUEUED
         EXEC -> [[(0) (0)]]
         WAITAOF 1 0 0 ->",
    );
    let other = server.connect();
    assert_eq!(server.run_as(other, "CONFIG SET appendonly no"), "OK");
    let refused = "!ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
    assert_eq!(server.received(0), refused);
}

#[test]
fn a_rewrite_takes_the_place_of_what_was_before() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("SET a 1 -> OK\nSET a 2 -> OK");
    server.host.disk.is_held = true;
    server.check(
        "BGREWRITEAOF -> Background append only file rewriting started
         BGREWRITEAOF -> !ERR Background append only file rewriting already in progress
         BGSAVE SCHEDULE -> Background saving scheduled",
    );
    assert!(
        server
            .run("BGSAVE")
            .starts_with("!ERR Another child process is active (AOF?)")
    );
    assert_eq!(server.persistence("aof_rewrite_in_progress"), "1");
    server.run("SET b 3");
    server.host.disk.is_held = false;
    for _ in 0..3 {
        work(&mut server);
    }
    assert_eq!(server.received(0), "OK");
    assert_eq!(server.persistence("aof_rewrite_in_progress"), "0");
    assert_eq!(server.persistence("aof_rewrites"), "1");
    assert_eq!(
        folder.manifest(),
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n"
    );
    assert_eq!(
        folder.commands("appendonly.aof.2.incr.aof"),
        "[SELECT 0] ; [SET b 3]"
    );
    assert!(!folder.path("appendonly.aof.1.incr.aof").exists());
    let mut server = start(&folder, "");
    server.check("MGET a b -> [2 3]");
}

#[test]
fn a_rewrite_that_fails_leaves_the_files_of_before() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.run("SET a 1");
    // Nothing can be written where a folder stands.
    fs::create_dir_all(folder.path("appendonly.aof.2.base.rdb/x")).expect("it is writable");
    for failures in 1..4 {
        server.check("BGREWRITEAOF -> Background append only file rewriting started");
        (0..3).for_each(|_| work(&mut server));
        assert_eq!(server.persistence("aof_last_bgrewrite_status"), "err");
        assert_eq!(
            server.persistence("aof_rewrites_consecutive_failures"),
            failures.to_string()
        );
    }
    server.run("SET b 2");
    let mut server = start(&folder, "");
    server.check("MGET a b -> [1 2]");
    fs::remove_dir_all(folder.path("appendonly.aof.2.base.rdb")).expect("it is there");
    server.check("BGREWRITEAOF -> Background append only file rewriting started");
    (0..3).for_each(|_| work(&mut server));
    assert_eq!(server.persistence("aof_last_bgrewrite_status"), "ok");
    let mut server = start(&folder, "");
    server.check("MGET a b -> [1 2]");
}

#[test]
fn an_increment_that_opens_after_its_rewrite_has_failed_is_not_begun_anew() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("SET a 1 -> OK");
    server.host.disk.is_held = true;
    server.check("BGREWRITEAOF -> Background append only file rewriting started");
    let failed = Report::SnapshotFailed {
        id: 1,
        reason: "Write error saving DB on disk: no room".to_owned(),
    };
    server.engine.on_disk_report(&failed, &mut server.host);
    assert_eq!(server.persistence("aof_last_bgrewrite_status"), "err");
    server.host.disk.is_held = false;
    work(&mut server);
    server.check("SET b 2 -> OK");
    fs::create_dir_all(folder.path("appendonly.aof.2.base.rdb/x")).expect("it is writable");
    server.check("BGREWRITEAOF -> Background append only file rewriting started");
    (0..3).for_each(|_| work(&mut server));
    server.check("SET c 3 -> OK");
    let mut server = start(&folder, "");
    server.check("MGET a b c -> [1 2 3]");
}

#[test]
fn a_rewrite_after_a_failed_flush_is_tried_until_it_succeeds_and_nothing_is_safe_before() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("SET a 1 -> OK");
    fs::create_dir_all(folder.path("appendonly.aof.2.base.rdb/x")).expect("it is writable");
    let failed = Report::Aof(AofReport::SyncFailed {
        reason: "Input/output error".to_owned(),
    });
    server.engine.on_disk_report(&failed, &mut server.host);
    server.check("SET b 2 -> !MISCONF Errors writing to the AOF file: Input/output error");
    server.pass_ms(100);
    (0..3).for_each(|_| work(&mut server));
    server.check("SET b 2 -> OK");
    server.pass_ms(100);
    (0..3).for_each(|_| work(&mut server));
    assert_eq!(server.persistence("aof_last_bgrewrite_status"), "err");
    assert_eq!(server.run("WAITAOF 1 0 0"), "");
    fs::remove_dir_all(folder.path("appendonly.aof.2.base.rdb")).expect("it is there");
    server.pass_ms(1000);
    (0..3).for_each(|_| work(&mut server));
    assert!(folder.manifest().contains("appendonly.aof.2.base.rdb"));
    server.pass_ms(1100);
    assert_eq!(server.received(server.client), "[(1) (0)]");
    assert_eq!(server.persistence("aof_last_bgrewrite_status"), "ok");
}

#[test]
fn a_shutdown_that_gives_up_a_rewrite_and_fails_leaves_room_for_the_next() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("SET a 1 -> OK");
    fs::create_dir_all(folder.root().join("dump.rdb/x")).expect("it is writable");
    server.host.disk.is_held = true;
    server.check("BGREWRITEAOF -> Background append only file rewriting started");
    assert!(server.run("SHUTDOWN SAVE").starts_with("!ERR"));
    server.host.disk.is_held = false;
    work(&mut server);
    server.check(
        "SET b 2 -> OK
         BGREWRITEAOF -> Background append only file rewriting started",
    );
    (0..3).for_each(|_| work(&mut server));
    assert_eq!(server.persistence("aof_last_bgrewrite_status"), "ok");
    let mut server = start(&folder, "");
    server.check("MGET a b -> [1 2]");
}

#[test]
fn it_is_rewritten_when_it_has_grown() {
    let folder = Folder::new();
    let mut server = start(&folder, "auto-aof-rewrite-min-size 1000");
    for _ in 0..100 {
        server.run("SET key value");
    }
    server.pass_ms(200);
    (0..3).for_each(|_| work(&mut server));
    assert!(folder.manifest().contains("appendonly.aof.2.base.rdb"));
    assert_eq!(
        server.persistence("aof_base_size"),
        server.persistence("aof_current_size")
    );
}

#[test]
fn it_is_turned_off_and_on_while_the_server_runs() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("SET a 1 -> OK\nCONFIG SET appendonly no -> OK\nSET b 2 -> OK");
    assert_eq!(server.persistence("aof_enabled"), "0");
    assert_eq!(
        folder.commands("appendonly.aof.1.incr.aof"),
        "[SELECT 0] ; [SET a 1]"
    );
    server.check("CONFIG SET appendonly yes -> OK");
    (0..3).for_each(|_| work(&mut server));
    server.check("SET c 3 -> OK");
    assert_eq!(server.persistence("aof_enabled"), "1");
    let mut server = start(&folder, "");
    server.check("MGET a b c -> [1 2 3]");
}

#[test]
fn who_waits_for_the_disk_while_it_is_turned_on_is_answered_when_it_is() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("CONFIG SET appendonly no -> OK\nSET a 1 -> OK");
    server.host.disk.is_held = true;
    server.check("CONFIG SET appendonly yes -> OK\nWAITAOF 1 0 0 ->");
    server.host.disk.is_held = false;
    (0..3).for_each(|_| work(&mut server));
    assert_eq!(server.received(server.client), "[(1) (0)]");
}

#[test]
fn turning_it_on_is_tried_again_until_the_disk_takes_it() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.check("CONFIG SET appendonly no -> OK");
    // No folder can be where a file stands.
    let place = folder.root().join("appendonlydir");
    fs::remove_dir_all(&place).expect("it is there");
    fs::write(&place, "").expect("it is writable");
    server.check("CONFIG SET appendonly yes -> OK\nSET a 1 -> OK\nSET b 2 -> OK");
    server.pass_ms(100);
    (0..3).for_each(|_| work(&mut server));
    let attempts = server.persistence("aof_rewrites");
    server.pass_ms(500);
    assert_eq!(
        server.persistence("aof_rewrites"),
        attempts,
        "it waits a moment"
    );
    server.check("SET c 3 -> OK");
    fs::remove_file(&place).expect("it is there");
    server.pass_ms(1000);
    (0..3).for_each(|_| work(&mut server));
    server.check("SET d 4 -> OK");
    let mut server = start(&folder, "");
    server.check("MGET a b c d -> [1 2 3 4]");
}

#[test]
fn it_is_turned_on_while_a_rewrite_without_it_is_under_way() {
    for is_published in [false, true] {
        let folder = Folder::new();
        let mut server = Server::with_config("save \"\"");
        server.host.disk.folder = Some(folder.0.clone());
        server.host.disk.is_held = !is_published;
        server.host.disk.are_flushes_held = true;
        server.check(
            "SET a 1 -> OK
             BGREWRITEAOF -> Background append only file rewriting started",
        );
        while is_published && server.host.disk.flushes.is_empty() {
            work(&mut server);
        }
        server.check("CONFIG SET appendonly yes -> OK\nSET b 2 -> OK");
        server.host.disk.is_held = false;
        server.host.disk.are_flushes_held = false;
        server.host.disk.flush();
        while server.persistence("aof_rewrite_scheduled") == "1"
            || server.persistence("aof_rewrite_in_progress") == "1"
        {
            work(&mut server);
            server.pass_ms(100);
        }
        server.check("SET c 3 -> OK");
        let mut server = start(&folder, "");
        server.check("MGET a b c -> [1 2 3]");
    }
}

#[test]
fn it_is_turned_off_and_on_while_a_rewrite_comes_to_its_end() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    server.host.disk.are_flushes_held = true;
    server.check(
        "SET a 1 -> OK
         BGREWRITEAOF -> Background append only file rewriting started",
    );
    while server.host.disk.flushes.is_empty() {
        work(&mut server);
    }
    server.check(
        "CONFIG SET appendonly no -> OK
         SET b 2 -> OK
         CONFIG SET appendonly yes -> OK",
    );
    server.host.disk.are_flushes_held = false;
    server.host.disk.flush();
    (0..5).for_each(|_| work(&mut server));
    server.check("SET c 3 -> OK");
    assert_eq!(server.persistence("aof_rewrite_in_progress"), "0");
    assert_eq!(
        folder.manifest(),
        "file appendonly.aof.3.base.rdb seq 3 type b\nfile appendonly.aof.3.incr.aof seq 3 type i\n"
    );
    let mut server = start(&folder, "");
    server.check("MGET a b c -> [1 2 3]");
}

#[test]
fn a_rewrite_does_not_keep_it_from_being_turned_off() {
    let folder = Folder::new();
    let mut server = start(&folder, "");
    let client = server.client;
    let lines = b"CONFIG SET appendonly no\r\nBGREWRITEAOF\r\n";
    server.engine.feed(client, lines, &mut server.host);
    work(&mut server);
    assert_eq!(
        server.received(client),
        "OK ; Background append only file rewriting scheduled"
    );
    assert_eq!(server.persistence("aof_enabled"), "0");
    server.check("SET a 1 -> OK");
    assert_eq!(folder.commands("appendonly.aof.1.incr.aof"), "");
}

#[test]
fn every_type_is_built_again_from_a_base_of_commands() {
    let folder = Folder::new();
    let lines = "aof-use-rdb-preamble no\nenable-debug-command yes";
    let mut server = start(&folder, lines);
    for number in 0..5000 {
        for line in [
            "RPUSH bl {}",
            "SADD bs m{}",
            "HSET bh f{} v{}",
            "ZADD bz {} m{}",
        ] {
            server.run(&line.replace("{}", &number.to_string()));
        }
    }
    server.check(
        "HPEXPIREAT bh 1900000000000 FIELDS 1 f7 -> [(1)]
         SADD ints 1 2 -7 -> (3)
         SADD pack a b 3 -> (3)
         SPEXPIREAT pack 1900000000000 MEMBERS 1 a -> [(1)]
         HSET h a 1 b two -> (2)
         HPEXPIREAT h 1900000000000 FIELDS 1 a -> [(1)]
         ZADD z 1.5 a -inf b -> (2)
         SET n 12345 PXAT 1900000000000 -> OK
         XADD st 1-1 a 1 -> 1-1
         XGROUP CREATE st g 0 -> OK
         SELECT 5 -> OK
         RPUSH l 1 two -> (2)",
    );
    let digest = server.run("DEBUG DIGEST");
    server.check("BGREWRITEAOF -> Background append only file rewriting started");
    while server.persistence("aof_rewrite_in_progress") == "1" {
        work(&mut server);
    }
    assert!(
        folder
            .text("appendonly.aof.2.base.aof")
            .starts_with("*2\r\n$6\r\nSELECT")
    );
    server.check("DEBUG LOADAOF -> OK");
    assert_eq!(server.run("DEBUG DIGEST"), digest);
    let mut server = start(&folder, lines);
    assert_eq!(server.run("DEBUG DIGEST"), digest);
    server.check(
        "HPEXPIRETIME bh FIELDS 1 f7 -> [(1900000000000)]
         SPEXPIRETIME pack MEMBERS 1 a -> [(1900000000000)]
         PEXPIRETIME n -> (1900000000000)",
    );
}

#[test]
fn the_time_stands_before_what_happened_then() {
    let folder = Folder::new();
    let mut server = start(&folder, "aof-timestamp-enabled yes");
    server.check("SET a 1 -> OK\nSET a 2 -> OK");
    server.pass_ms(1500);
    server.check("SET a 3 -> OK");
    let text = folder.text("appendonly.aof.1.incr.aof");
    let seconds = START_MS / 1000;
    let stamps: Vec<&str> = text
        .split("\r\n")
        .filter(|line| line.starts_with('#'))
        .collect();
    assert_eq!(
        stamps,
        [format!("#TS:{seconds}"), format!("#TS:{}", seconds + 1)]
    );
    let mut server = start(&folder, "");
    server.check("GET a -> 3");
}

#[test]
fn history_that_a_crash_left_is_removed_at_the_start() {
    let folder = Folder::new();
    drop(start(&folder, ""));
    let manifest = format!("{}file old.incr.aof seq 1 type h\n", folder.manifest());
    fs::write(folder.path("old.incr.aof"), "").expect("it is writable");
    write(&folder.path("appendonly.aof.manifest"), &manifest);
    drop(start(&folder, ""));
    assert!(!folder.path("old.incr.aof").exists());
    assert!(!folder.manifest().contains("old"));
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("it is writable");
}

const LIBRARY: &str =
    "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f', function() return 1 end)\" -> l";

#[test]
fn functions_are_in_a_base_of_either_form() {
    for preamble in ["yes", "no"] {
        let folder = Folder::new();
        let mut server = start(&folder, &format!("aof-use-rdb-preamble {preamble}"));
        server.check(LIBRARY);
        server
            .check("SET a 1 -> OK\nBGREWRITEAOF -> Background append only file rewriting started");
        server.pass_ms(200);
        if preamble == "no" {
            let commands = folder.commands("appendonly.aof.2.base.aof");
            assert!(
                commands.starts_with("[FUNCTION LOAD #!lua name=l"),
                "{commands}"
            );
        }
        let mut server = start(&folder, "enable-debug-command yes");
        server.check("FCALL f 0 -> (1)\nGET a -> 1\nDEBUG LOADAOF -> OK\nFCALL f 0 -> (1)");
    }
}

#[test]
fn a_snapshot_without_an_append_only_file_is_the_data_and_stays() {
    for preamble in ["yes", "no"] {
        let folder = Folder::new();
        let mut server = Server::with_config("save \"\"");
        server.host.disk.folder = Some(folder.0.clone());
        server.check(LIBRARY);
        server.check("SET a 1 -> OK\nRPUSH l x y -> (2)\nSAVE -> OK");
        let dump = fs::read(folder.0.join("dump.rdb")).expect("it was saved");
        let lines = format!("aof-use-rdb-preamble {preamble}");
        let mut server = start(&folder, &lines);
        let kind = if preamble == "yes" { "rdb" } else { "aof" };
        assert_eq!(
            folder.manifest(),
            format!(
                "file appendonly.aof.1.base.{kind} seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
            )
        );
        assert_eq!(server.persistence("aof_enabled"), "1");
        assert_eq!(server.persistence("loading"), "0");
        server.check("GET a -> 1\nLLEN l -> (2)\nFCALL f 0 -> (1)\nINCR a -> (2)");
        assert_eq!(fs::read(folder.0.join("dump.rdb")).expect("it stays"), dump);
        // From now on the append-only file counts.
        let mut server = start(&folder, &lines);
        server.check("GET a -> 2\nLLEN l -> (2)\nFCALL f 0 -> (1)");
    }
}

#[test]
fn a_snapshot_that_is_no_snapshot_is_no_reason_to_start_empty() {
    let folder = Folder::new();
    fs::write(folder.0.join("dump.rdb"), b"REDIS0011\xfa").expect("the folder is writable");
    let mut server = Server::with_config(ON);
    server.host.disk.folder = Some(folder.0.clone());
    let error = server.engine.load_log(&mut server.host);
    let text = error.expect_err("it must not start").to_string();
    assert!(
        text.starts_with("Fatal error loading the DB, dump.rdb: "),
        "{text}"
    );
    assert!(!folder.0.join("appendonlydir").exists());
}

#[test]
fn flushall_lets_a_rewrite_come_to_its_end() {
    let folder = Folder::new();
    let mut server = start(&folder, "save 3600 1\nenable-debug-command yes");
    server.run("DEBUG POPULATE 5000");
    server.check(
        "BGREWRITEAOF -> Background append only file rewriting started
         FLUSHALL -> OK
         SET a 1 -> OK",
    );
    while server.persistence("aof_rewrite_in_progress") == "1" {
        server.pass_ms(10);
    }
    server.pass_ms(200);
    assert_eq!(server.persistence("aof_last_bgrewrite_status"), "ok");
    assert_eq!(server.persistence("rdb_bgsave_in_progress"), "0");
    let mut server = start(&folder, "");
    server.check("DBSIZE -> (1)");
}

#[test]
fn a_start_that_was_killed_while_it_made_the_files_of_a_snapshot_is_made_again() {
    let folder = Folder::new();
    let mut server = Server::with_config("save \"\"");
    server.host.disk.folder = Some(folder.0.clone());
    server.check("SET a 1 -> OK\nSAVE -> OK");
    // The base was in its place, the manifest was not.
    fs::create_dir(folder.0.join("appendonlydir")).expect("the folder is writable");
    fs::copy(
        folder.0.join("dump.rdb"),
        folder.path("appendonly.aof.1.base.rdb"),
    )
    .expect("the folder is writable");
    let mut server = Server::with_config(ON);
    server.host.disk.folder = Some(folder.0.clone());
    let refused = server.engine.load_log(&mut server.host);
    assert!(
        refused
            .expect_err("it may be all there is")
            .to_string()
            .starts_with("No AOF manifest")
    );
    fs::write(folder.path("temp-appendonly.aof.start"), b"").expect("the folder is writable");
    let mut server = start(&folder, "");
    server.check("GET a -> 1\nINCR a -> (2)");
    let mut names: Vec<String> = fs::read_dir(folder.0.join("appendonlydir"))
        .expect("the folder is readable")
        .map(|entry| {
            entry
                .expect("it is readable")
                .file_name()
                .display()
                .to_string()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "appendonly.aof.1.base.rdb",
            "appendonly.aof.1.incr.aof",
            "appendonly.aof.manifest"
        ]
    );
    let mut server = start(&folder, "");
    server.check("GET a -> 2");
}

/// Commands as they stand in a file.
pub fn encoded(lines: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        bytes.extend(format!("*{}\r\n", words.len()).into_bytes());
        for word in words {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
        }
    }
    bytes
}

#[test]
fn what_counts_from_now_counts_from_the_time_of_loading() {
    let folder = Folder::new();
    drop(start(&folder, ""));
    // Today's servers write points in time; files of others, and scripts in them, have such lines.
    let lines = [
        "SET set v EX 100",
        "SETEX setex 100 v",
        "SET expire v",
        "EXPIRE expire 100",
        "SET at v",
        "PEXPIREAT at 1000",
        "INCRBY n 1",
        "EVAL return(redis.call('SET','script','v','PX','100000')) 0",
        "HSET hash f v",
        "HPEXPIRE hash 100000 FIELDS 1 f",
        "HSETEX hashex EX 100 FIELDS 1 f v",
        "XADD stream 1-1 f v",
        "XADD stream 1-2 f v",
        "XGROUP CREATE stream g 0",
        &format!(
            "XCLAIM stream g c 0 1-1 TIME {} RETRYCOUNT 3 FORCE JUSTID LASTID 1-1",
            START_MS - 500
        ),
        &format!(
            "XCLAIM stream g other 0 1-1 TIME {} RETRYCOUNT 4 FORCE JUSTID LASTID 1-1",
            START_MS - 300
        ),
        "XREADGROUP GROUP g c STREAMS stream >",
    ];
    fs::write(folder.path("appendonly.aof.1.incr.aof"), encoded(&lines)).expect("it is writable");
    let mut server = start(&folder, "");
    server.check(
        "PTTL set -> (100000)
         PTTL setex -> (100000)
         PTTL expire -> (100000)
         PTTL script -> (100000)
         EXISTS at -> (0)
         HPTTL hash FIELDS 1 f -> [(100000)]
         HPTTL hashex FIELDS 1 f -> [(100000)]
         XPENDING stream g - + 10 -> [[1-1 other (300) (4)] [1-2 c (0) (1)]]",
    );
}

#[test]
fn who_waited_for_a_change_is_answered_when_its_bytes_are_safe() {
    for (waits, change, answer, reply) in [
        ("BLPOP l 0", "RPUSH l x", "[l x]", "(1)"),
        ("BLMOVE l to LEFT LEFT 0", "RPUSH l x", "x", "(1)"),
        ("BZPOPMIN z 0", "ZADD z 1 m", "[z m 1]", "(1)"),
        (
            "XREADGROUP GROUP g c BLOCK 0 STREAMS st >",
            "XADD st 1-1 f v",
            "[[st [[1-1 [f v]]]]]",
            "1-1",
        ),
    ] {
        let folder = Folder::new();
        let mut server = start(&folder, "appendfsync always");
        server.run("XGROUP CREATE st g 0 MKSTREAM");
        let waiter = server.connect();
        assert_eq!(server.run_as(waiter, waits), "", "{waits}");
        server.host.disk.is_held = true;
        assert_eq!(server.run(change), "", "{change}");
        server.pass_ms(0);
        assert_eq!(server.received(waiter), "", "{waits}");
        server.host.disk.is_held = false;
        work(&mut server);
        assert_eq!(server.received(0), reply, "{change}");
        assert_eq!(server.received(waiter), answer, "{waits}");
    }
}
