//! The append-only file of the real program: what it refuses to start with, what it repairs, and a file that may not grow.

use crate::harness::{PATIENCE, Server, program, run};
use redis::Commands;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
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

/// All files under a folder, with what is in them.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("it is readable") {
        let path = entry.expect("it is readable").path();
        match path.is_dir() {
            true => all.extend(contents(&path)),
            // What a link leads to may not be there.
            false => all.push((path.clone(), fs::read(path).unwrap_or_default())),
        }
    }
    all.sort();
    all
}

/// What is done to a folder, and what the refusal to start then names.
type Harm<'a> = (&'a str, &'a dyn Fn(&Path), &'a [&'a str]);

#[test]
fn a_server_does_not_begin_empty_over_files_that_it_cannot_read() {
    const BASE: &str = "appendonlydir/appendonly.aof.1.base.rdb";
    const INCREMENT: &str = "appendonlydir/appendonly.aof.1.incr.aof";
    const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";
    let put = |path: &Path, content: &[u8]| fs::write(path, content).expect("it is writable");
    let remove = |path: &Path| fs::remove_file(path).expect("it is there");
    let make_folder = |path: &Path| {
        fs::remove_file(path).expect("it is there");
        fs::create_dir(path).expect("it is writable");
    };
    let harm: [Harm; 12] = [
        (
            "no manifest",
            &|root| remove(&root.join(MANIFEST)),
            &["No AOF manifest", "has data"],
        ),
        (
            "a manifest that leads nowhere",
            &|root| {
                remove(&root.join(MANIFEST));
                symlink("nowhere", root.join(MANIFEST)).expect("it is writable");
            },
            &["No AOF manifest", "has data"],
        ),
        (
            "a manifest that leads to itself",
            &|root| {
                remove(&root.join(MANIFEST));
                symlink("appendonly.aof.manifest", root.join(MANIFEST)).expect("it is writable");
            },
            &["appendonly.aof.manifest", "symbolic links"],
        ),
        (
            "an empty manifest",
            &|root| put(&root.join(MANIFEST), b""),
            &["line 1", "empty"],
        ),
        (
            "junk for a manifest",
            &|root| put(&root.join(MANIFEST), &[0xff, 0, b'"', 7, b'\n', 0x80]),
            &["line 1", ".manifest"],
        ),
        (
            "a folder for a manifest",
            &|root| make_folder(&root.join(MANIFEST)),
            &[".manifest", "directory"],
        ),
        (
            "no base",
            &|root| remove(&root.join(BASE)),
            &["base.rdb", "doesn't exist"],
        ),
        (
            "an empty base",
            &|root| put(&root.join(BASE), b""),
            &["base.rdb", "at byte 0", "signature"],
        ),
        (
            "junk for a base",
            &|root| put(&root.join(BASE), b"REDIS0011\xff\0\0\0\0\0\0\0\x01"),
            &["base.rdb", "at byte 18", "checksum"],
        ),
        (
            "a folder for a base",
            &|root| make_folder(&root.join(BASE)),
            &["base.rdb", "directory"],
        ),
        (
            "a folder for an increment",
            &|root| make_folder(&root.join(INCREMENT)),
            &["incr.aof", "directory"],
        ),
        (
            "a file for the folder",
            &|root| {
                fs::remove_dir_all(root.join("appendonlydir")).expect("it is there");
                put(&root.join("appendonlydir"), b"");
            },
            &["appendonlydir", "Not a directory"],
        ),
    ];
    for (what, harm, texts) in harm {
        let mut server = killed();
        let root = server.folder.path().to_owned();
        harm(&root);
        let before = contents(&root);
        refused(&mut server, &OPTIONS, texts);
        assert!(contents(&root) == before, "{what}: files were changed");
    }
}

#[test]
fn what_a_start_leaves_that_did_not_come_to_its_manifest_hinders_none() {
    let mut server = Server::start(&OPTIONS);
    server.signal(Signal::KILL);
    server.wait();
    let folder = server.folder.path().join("appendonlydir");
    fs::remove_file(folder.join("appendonly.aof.manifest")).expect("it is there");
    for draft in [
        "temp-appendonly.aof.manifest",
        "temp-appendonly.aof.incr",
        "temp-appendonly.aof.2.base.rdb",
    ] {
        fs::write(folder.join(draft), "half").expect("it is writable");
    }
    fs::write(folder.join("temp-other"), "of somebody else").expect("it is writable");
    server.restart(&OPTIONS);
    server
        .client()
        .ask("DBSIZE\r\nSET a 1\r\n", ":0\r\n+OK\r\n");
    let drafts = || {
        contents(&folder)
            .iter()
            .filter(|(path, _)| path.display().to_string().contains("temp-"))
            .count()
    };
    assert_eq!(drafts(), 1);
    server.signal(Signal::KILL);
    server.restart(&OPTIONS);
    server.client().ask("GET a\r\n", "$1\r\n1\r\n");
}

#[test]
fn two_servers_do_not_append_to_one_file() {
    let mut server = Server::start(&OPTIONS);
    let folder = server.folder.path().display().to_string();
    let mut client = server.client();
    client.ask("SET a 1\r\n", "+OK\r\n");
    // Its last command looks as if a crash had cut it off: so it does to who reads while another writes.
    let whole = fs::read(increment(&server)).expect("it is there");
    for length in [whole.len(), whole.len() - 3] {
        fs::write(increment(&server), &whole[..length]).expect("it is writable");
        let mut other = Server::start(&["--save", ""]);
        other.signal(Signal::KILL);
        let options = [&OPTIONS[..], &["--dir", &folder]].concat();
        refused(
            &mut other,
            &options,
            &["another server appends to it", "appendonly.aof.1.incr.aof"],
        );
        assert_eq!(
            fs::read(increment(&server)).expect("it is there").len(),
            length
        );
    }
    let mut tool = program();
    tool.args(["check-aof", "--fix", "--yes"])
        .arg(increment(&server));
    let (status, said, failed) = run(&mut tool);
    assert!(!status.success(), "{said}");
    assert!((said + &failed).contains("another server appends to it"));
    fs::write(increment(&server), &whole).expect("it is writable");
    client.ask("SET b 2\r\n", "+OK\r\n");
    server.signal(Signal::KILL);
    server.restart(&OPTIONS);
    server
        .client()
        .ask("MGET a b\r\n", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
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
        // A write that came before the disk's answer would wait too.
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
