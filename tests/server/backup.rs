//! BACKUP of the real program: the data of one moment, while others write; what is refused; what a failure leaves.

use crate::harness::{PATIENCE, Server, names};
use redis::Commands;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

const LOGGED: [&str; 4] = ["--save", "", "--appendonly", "yes"];
const PLAIN: [&str; 4] = ["--save", "", "--appendonly", "no"];

/// Ends the writers, also when an assertion fails.
struct StopAtEnd<'s>(&'s AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn persistence(server: &Server) -> String {
    let info = redis::cmd("INFO")
        .arg("persistence")
        .query(&mut server.redis());
    info.expect("it is answered")
}

/// What INFO persistence says under this name.
fn info(server: &Server, name: &str) -> String {
    let info = persistence(server);
    let mut lines = info.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_default().to_owned()
}

/// Waits until the backup has ended; how.
fn outcome(server: &Server) -> String {
    let began = Instant::now();
    loop {
        // Both in one answer: it may begin between two.
        let info = persistence(server);
        let is_there = |line: &str| info.lines().any(|other| other == line);
        if is_there("backup_in_progress:0") && is_there("backup_scheduled:0") {
            return self::info(server, "backup_last_status");
        }
        assert!(began.elapsed() < PATIENCE, "the backup does not end");
        std::thread::yield_now();
    }
}

/// A server of its own that is started in the backup.
fn restored(server: &Server, path: &str, options: &[&str]) -> Server {
    let folder = server.folder.path().join(path).display().to_string();
    Server::start(&[options, &["--dir", &folder]].concat())
}

fn ask(server: &Server, words: &[&str]) -> Result<String, String> {
    let reply = redis::cmd(words[0])
        .arg(&words[1..])
        .query(&mut server.redis());
    reply.map_err(|error| error.to_string())
}

#[test]
fn a_backup_has_the_data_of_its_moment_and_nothing_of_later() {
    for options in [LOGGED, PLAIN] {
        let mut server = Server::start(&options);
        let mut redis = server.redis();
        for key in 0..500 {
            let _: () = redis.set(key, "x".repeat(100)).expect("it is set");
        }
        let _: () = redis.set("a", "before").expect("it is set");
        let started = ask(&server, &["BACKUP", "saved/today"]);
        assert_eq!(started, Ok("Background backup started".to_owned()));
        let _: () = redis.set("a", "after").expect("it is set");
        let _: () = redis.set("b", "after").expect("it is set");
        assert_eq!(outcome(&server), "ok");
        assert_eq!(info(&server, "backup_last_path"), "saved/today");
        // The other server appends, and rewrites: the files of this one are not touched by it.
        let mut other = restored(&server, "saved/today", &options);
        let mut theirs = other.redis();
        let there: Vec<Option<String>> = theirs.mget(&["a", "b", "499"]).expect("it is there");
        assert_eq!(there, [Some("before".into()), None, Some("x".repeat(100))]);
        let _: () = theirs.set("theirs", 1).expect("it is set");
        assert!(other.terminate().success());
        assert!(server.terminate().success());
        if options == LOGGED {
            server.restart(&options);
            let there: Vec<Option<String>> = server
                .redis()
                .mget(&["a", "b", "theirs"])
                .expect("it is there");
            assert_eq!(there, [Some("after".into()), Some("after".into()), None]);
        }
    }
}

#[test]
fn under_writes_a_backup_is_one_moment_of_all_keys() {
    for options in [LOGGED, PLAIN] {
        let server = Server::start(&options);
        let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
        let mut redis = server.redis();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let unit = redis::pipe().atomic().incr("a", 1).incr("b", 1).to_owned();
                    let counts: (u64, u64) = unit.query(&mut redis).expect("it is answered");
                    acknowledged.store(counts.0, Ordering::SeqCst);
                }
            });
            let _ends = StopAtEnd(&stop);
            for round in 0..5 {
                let wanted = acknowledged.load(Ordering::SeqCst) + 20;
                while acknowledged.load(Ordering::SeqCst) < wanted {
                    std::thread::yield_now();
                }
                let before = acknowledged.load(Ordering::SeqCst);
                let path = format!("round{round}");
                let started = ask(&server, &["BACKUP", &path]);
                assert_eq!(started, Ok("Background backup started".to_owned()));
                let after = acknowledged.load(Ordering::SeqCst) + 1;
                assert_eq!(outcome(&server), "ok");
                let other = restored(&server, &path, &options);
                let (a, b): (u64, u64) = other.redis().mget(&["a", "b"]).expect("they are there");
                assert_eq!(a, b);
                assert!((before..=after).contains(&a), "{before} {a} {after}");
            }
        });
    }
}

#[test]
fn a_backup_waits_for_what_is_being_saved_and_outlives_a_rewrite() {
    let server = Server::start(&LOGGED);
    let mut redis = server.redis();
    for key in 0..50 {
        let _: () = redis.set(key, key).expect("it is set");
    }
    let _: () = redis::cmd("CONFIG")
        .arg(&["SET", "rdb-key-save-delay", "10000000"])
        .query(&mut redis)
        .expect("it is a parameter");
    let rewriting = ask(&server, &["BGREWRITEAOF"]);
    assert_eq!(
        rewriting,
        Ok("Background append only file rewriting started".to_owned())
    );
    let scheduled = ask(&server, &["BACKUP", "b"]);
    assert_eq!(scheduled, Ok("Background backup scheduled".to_owned()));
    let second = ask(&server, &["BACKUP", "c"]).expect_err("one at a time");
    assert!(second.contains("already in progress"), "{second}");
    assert_eq!(info(&server, "backup_in_progress"), "0");
    let _: () = redis.set("late", 1).expect("it is set");
    let _: () = redis::cmd("CONFIG")
        .arg(&["SET", "rdb-key-save-delay", "0"])
        .query(&mut redis)
        .expect("it is a parameter");
    assert_eq!(outcome(&server), "ok");
    // The files that it has are gone from the folder of the log after the next rewrite, and live on here.
    ask(&server, &["BGREWRITEAOF"]).expect("nothing is under way");
    for _ in 0..2 {
        server
            .log
            .expect("Background AOF rewrite finished successfully");
    }
    let other = restored(&server, "b", &LOGGED);
    let keys: u64 = redis::cmd("DBSIZE")
        .query(&mut other.redis())
        .expect("it is answered");
    assert_eq!(keys, 51);
    assert!(ask(&server, &["SET", "more", "1"]).is_ok());
    // The place is taken while it waits: what is there stays, and nothing else.
    ask(
        &server,
        &["CONFIG", "SET", "rdb-key-save-delay", "10000000"],
    )
    .expect("a parameter");
    ask(&server, &["BGREWRITEAOF"]).expect("nothing is under way");
    let scheduled = ask(&server, &["BACKUP", "taken"]);
    assert_eq!(scheduled, Ok("Background backup scheduled".to_owned()));
    fs::create_dir(server.folder.path().join("taken")).expect("it is writable");
    ask(&server, &["CONFIG", "SET", "rdb-key-save-delay", "0"]).expect("a parameter");
    assert_eq!(outcome(&server), "err");
    assert!(names(&server.folder.path().join("taken")).is_empty());
    assert_eq!(names(server.folder.path()), ["appendonlydir", "b", "taken"]);
}

#[test]
fn nothing_is_written_over_and_nothing_leaves_the_working_folder() {
    let server = Server::start(&PLAIN);
    fs::create_dir(server.folder.path().join("there")).expect("it is writable");
    fs::write(server.folder.path().join("file"), "").expect("it is writable");
    for (path, text) in [
        ("there", "must not exist yet"),
        ("file", "must not exist yet"),
        ("file/below", "must not exist yet"),
        ("../x", "without '..'"),
        ("/tmp/x", "below the working folder"),
        ("", "below the working folder"),
        ("a/../../b", "without '..'"),
    ] {
        let error = ask(&server, &["BACKUP", path]).expect_err("it is refused");
        assert!(error.contains(text), "{path}: {error}");
    }
    assert_eq!(names(server.folder.path()), ["file", "there"]);
    assert_eq!(info(&server, "backups"), "0");
}

#[test]
fn a_backup_that_fails_leaves_nothing_and_says_why() {
    for options in [LOGGED, PLAIN] {
        let server = Server::start(&options);
        let mut redis = server.redis();
        let _: () = redis.set("a", "x".repeat(10_000)).expect("it is set");
        let before = names(server.folder.path());
        // The place is taken while the backup is being made, or the disk is full.
        match options == LOGGED {
            true => {
                let path = server
                    .folder
                    .path()
                    .join("appendonlydir/appendonly.aof.2.incr.aof");
                fs::create_dir(path).expect("it is writable");
            }
            false => server.limit_files(Some(100)),
        }
        assert!(ask(&server, &["BACKUP", "b"]).is_ok());
        assert_eq!(outcome(&server), "err");
        assert_ne!(info(&server, "backup_last_error"), "");
        assert_eq!(names(server.folder.path()), before);
        server.limit_files(None);
        if options == LOGGED {
            let path = server
                .folder
                .path()
                .join("appendonlydir/appendonly.aof.2.incr.aof");
            fs::remove_dir(path).expect("it is there");
        }
        let _: () = redis.set("b", 1).expect("writes go on");
        assert!(ask(&server, &["BACKUP", "b"]).is_ok());
        assert_eq!(outcome(&server), "ok");
        let other = restored(&server, "b", &options);
        let there: u64 = other.redis().get("b").expect("it is there");
        assert_eq!(there, 1);
    }
}

#[test]
fn what_a_server_that_was_killed_left_of_a_backup_goes_with_the_next_start() {
    let mut server = Server::start(&LOGGED);
    // No process has this number.
    let staging = server.folder.path().join("temp-backup-999999999");
    fs::create_dir_all(staging.join("appendonlydir")).expect("it is writable");
    fs::write(staging.join("appendonlydir/x"), "x").expect("it is writable");
    server.terminate();
    server.restart(&LOGGED);
    assert!(!staging.exists());
}
