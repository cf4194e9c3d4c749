//! The append-only file of the real program: what it refuses to start with, what it repairs, and a file that may not grow.

use crate::harness::{PATIENCE, Server};
use redis::Commands;
use rustix::process::Signal;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

const OPTIONS: [&str; 4] = ["--save", "", "--appendonly", "yes"];

fn increment(server: &Server) -> PathBuf {
    let folder = server.folder.path().join("appendonlydir");
    folder.join("appendonly.aof.1.incr.aof")
}

/// A server that was killed after `SET a 1`, `SET b 2` and a unit of two commands.
fn killed() -> Server {
    let mut server = Server::start(&OPTIONS);
    let mut client = server.client();
    client.ask("SET a 1\r\nSET b 2\r\n", "+OK\r\n+OK\r\n");
    client.ask(
        "MULTI\r\nINCR a\r\nINCR b\r\nEXEC\r\n",
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:2\r\n:3\r\n",
    );
    server.signal(Signal::KILL);
    server.wait();
    server
}

#[test]
fn a_tail_cut_at_any_byte_is_repaired_and_what_is_written_then_survives() {
    let mut server = killed();
    let path = increment(&server);
    let whole = fs::read(&path).expect("it is there");
    let unit = whole
        .windows(5)
        .position(|at| at == b"MULTI")
        .expect("a unit")
        - "*1\r\n$5\r\n".len();
    // Every byte of the unit would take long here: each place of a different kind.
    for length in [
        unit,
        unit + 1,
        unit + 9,
        unit + 20,
        unit + 40,
        whole.len() - 3,
        whole.len(),
    ] {
        fs::write(&path, &whole[..length]).expect("it is writable");
        server.restart(&OPTIONS);
        let mut client = server.client();
        let values = if length == whole.len() {
            "*2\r\n$1\r\n2\r\n$1\r\n3\r\n"
        } else {
            "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
        };
        client.ask("MGET a b\r\n", values);
        client.ask("SET after 1\r\n", "+OK\r\n");
        server.signal(Signal::KILL);
        server.restart(&OPTIONS);
        server.client().ask(
            "MGET a b\r\nGET after\r\n",
            [values, "$1\r\n1\r\n"].concat(),
        );
        server.signal(Signal::KILL);
        server.wait();
    }
}

fn refused(server: &mut Server, options: &[&str], texts: &[&str]) {
    let log = server.respawn(options);
    let line = log.expect(texts[0]);
    for text in texts {
        assert!(line.contains(text), "{text} is not in {line}");
    }
    assert_eq!(server.wait().code(), Some(1));
}

#[test]
fn what_cannot_be_read_is_refused_with_file_offset_and_reason_and_stays_as_it_is() {
    let mut server = killed();
    let path = increment(&server);
    let whole = fs::read(&path).expect("it is there");
    let strict = [&OPTIONS[..], &["--aof-load-truncated", "no"]].concat();
    fs::write(&path, &whole[..whole.len() - 1]).expect("it is writable");
    refused(
        &mut server,
        &strict,
        &[
            "Unexpected end of file reading the append only file",
            "incr.aof",
            "at byte 77 of 147",
        ],
    );
    let mut broken = whole.clone();
    broken[50] = b'!';
    fs::write(&path, &broken).expect("it is writable");
    refused(
        &mut server,
        &OPTIONS,
        &[
            "Bad file format reading the append only file",
            "incr.aof",
            "At byte",
        ],
    );
    assert_eq!(fs::read(&path).expect("it is there"), broken);
    fs::write(&path, [whole.as_slice(), b"*1\r\n$3\r\nbla\r\n"].concat()).expect("it is writable");
    refused(
        &mut server,
        &OPTIONS,
        &["Unknown command 'bla' reading the append only file"],
    );
    fs::remove_file(&path).expect("it is there");
    refused(&mut server, &OPTIONS, &["The AOF file", "doesn't exist"]);
    let manifest = server
        .folder
        .path()
        .join("appendonlydir/appendonly.aof.manifest");
    fs::write(manifest, "file appendonly.aof.1.base.rdb seq 1 type x\n").expect("it is writable");
    refused(
        &mut server,
        &OPTIONS,
        &["line 1: Unknown AOF file type", ".manifest"],
    );
}

#[test]
fn a_file_of_the_time_before_manifests_is_taken_over() {
    let mut server = killed();
    let folder = server.folder.path().to_owned();
    let old = fs::read(increment(&server)).expect("it is there");
    fs::remove_dir_all(folder.join("appendonlydir")).expect("it is there");
    fs::write(folder.join("appendonly.aof"), old).expect("it is writable");
    for _ in 0..2 {
        server.restart(&OPTIONS);
        server
            .client()
            .ask("MGET a b\r\n", "*2\r\n$1\r\n2\r\n$1\r\n3\r\n");
        assert!(!folder.join("appendonly.aof").exists());
        assert!(folder.join("appendonlydir/appendonly.aof").exists());
        server.signal(Signal::KILL);
    }
}

/// Asks until it is answered so.
fn until(server: &Server, command: &str, wanted: &str) {
    let began = Instant::now();
    loop {
        let words: Vec<&str> = command.split(' ').collect();
        let reply: Result<String, _> = redis::cmd(words[0])
            .arg(&words[1..])
            .query(&mut server.redis());
        let reply = reply.unwrap_or_else(|error| error.to_string());
        if reply.contains(wanted) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{command}: {reply}");
        std::thread::yield_now();
    }
}

#[test]
fn a_file_that_may_not_grow_refuses_writes_and_loses_nothing_and_goes_on_when_it_may() {
    let mut server = Server::start(&OPTIONS);
    for policy in ["always", "everysec", "no"] {
        let options = [&OPTIONS[..], &["--appendfsync", policy]].concat();
        server.signal(Signal::KILL);
        server.restart(&options);
        let mut redis = server.redis();
        let value = "x".repeat(10_000);
        for key in 0..5 {
            let _: () = redis
                .set(format!("{policy}:{key}"), &value)
                .expect("there is room");
        }
        let length = fs::metadata(increment(&server)).expect("it is there").len();
        server.limit_files(Some(length + 5000));
        let mut writer = server.client();
        // It is not answered before its bytes are safe.
        writer.send(format!("SET {policy}:waits {value}\r\n"));
        // A write before the failure is known would wait as well.
        until(&server, "INFO persistence", "aof_last_write_status:err");
        until(&server, "SET refused 1", "File too large");
        let there: String = redis.get(format!("{policy}:waits")).expect("reads go on");
        assert_eq!(there, value);
        assert_eq!(
            fs::metadata(increment(&server)).expect("it is there").len(),
            length
        );
        server.limit_files(None);
        writer.expect("+OK\r\n");
        until(&server, "SET accepted 1", "OK");
        server.signal(Signal::KILL);
        server.restart(&options);
        let there: String = server
            .redis()
            .get(format!("{policy}:waits"))
            .expect("it is there");
        assert_eq!(there, value);
    }
}
