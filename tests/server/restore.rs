//! `restore`: the data of a moment, out of logs whose times stand in them.

use crate::harness::{Folder, Server, program, run};
use std::fs;

/// A command as a log has it.
fn command(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text += &format!("${}\r\n{word}\r\n", word.len());
    }
    text
}

/// A log of lines: `@100` is a timestamp, all others are commands.
fn log(lines: &[&str]) -> String {
    let line = |line: &&str| match line.strip_prefix('@') {
        Some(second) => format!("#TS:{second}\r\n"),
        None => command(line),
    };
    lines.iter().map(line).collect()
}

/// A log in a file of the time before manifests, and the folder for what is made of it.
fn of_lines(lines: &[&str]) -> Folder {
    let folder = Folder::new();
    fs::write(folder.file("a.aof"), log(lines)).expect("it is writable");
    folder
}

/// Restores; whether that went well, and what was said.
fn restore(folder: &Folder, aof: &str, until: &str) -> (bool, String) {
    let out = folder.file("dump.rdb");
    // One of before is in the way.
    let _ = fs::remove_file(&out);
    let words = ["--aof", &folder.file(aof), "--until", until, "--out", &out];
    let (status, said, err) = run(program().arg("restore").args(words));
    assert_eq!(status.success(), fs::exists(&out).is_ok_and(|there| there));
    (status.success(), said + &err)
}

/// A server with what was restored.
fn serve(folder: &Folder, until: &str) -> Server {
    let (good, said) = restore(folder, "a.aof", until);
    assert!(good, "{said}");
    let path = folder.path().display().to_string();
    Server::start(&["--dir", &path, "--save", ""])
}

#[track_caller]
fn refused(folder: &Folder, aof: &str, until: &str, texts: &[&str]) {
    let (good, said) = restore(folder, aof, until);
    assert!(!good, "{said}");
    for text in texts {
        assert!(said.contains(text), "{text} is not in {said}");
    }
    let left = fs::read_dir(folder.path()).expect("it is there");
    let drafts = left.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(drafts.filter(|name| name.starts_with("temp-")).count(), 0);
}

#[test]
fn the_data_is_that_of_the_end_of_the_second() {
    let folder = of_lines(&[
        "@100",
        "SET a 1",
        "SELECT 20",
        "SET far 1",
        "SELECT 0",
        "@200",
        "SET a 2",
        "RPUSH l x y",
        "@300",
        "FLUSHALL",
        "SET b 3",
    ]);
    for (until, reply) in [
        ("100", "*3\r\n$1\r\n1\r\n$-1\r\n$-1\r\n"),
        ("199", "*3\r\n$1\r\n1\r\n$-1\r\n$-1\r\n"),
        ("200", "*3\r\n$1\r\n2\r\n$-1\r\n$-1\r\n"),
        ("1970-01-01 00:04:59 UTC", "*3\r\n$1\r\n2\r\n$-1\r\n$-1\r\n"),
        (
            "1970-01-01T01:05:00+01:00",
            "*3\r\n$-1\r\n$1\r\n3\r\n$-1\r\n",
        ),
        ("4000000000", "*3\r\n$-1\r\n$1\r\n3\r\n$-1\r\n"),
    ] {
        let (good, said) = restore(&folder, "a.aof", until);
        assert!(good, "{said}");
        let path = folder.path().display().to_string();
        let server = Server::start(&["--dir", &path, "--save", "", "--databases", "32"]);
        server.client().ask("MGET a b l\r\n", reply);
        let is_before = !reply.contains('3') || reply.starts_with("*3\r\n$1");
        let far = if is_before { ":1\r\n" } else { ":0\r\n" };
        let mut client = server.client();
        client.ask("SELECT 20\r\n", "+OK\r\n");
        client.ask("EXISTS far\r\n", far);
    }
}

#[test]
fn what_was_to_expire_since_then_is_in_the_file_with_its_deadline() {
    const DEADLINE_MS: i64 = 1_500_000;
    let folder = of_lines(&[
        "@1000",
        "SET short v",
        "PEXPIREAT short 1500000",
        "@1600",
        "DEL short",
        "SET a 1",
    ]);
    let (good, said) = restore(&folder, "a.aof", "1200");
    assert!(good && said.contains("has the 1 keys"), "{said}");
    let file = fs::read(folder.file("dump.rdb")).expect("it is there");
    let record = [&[0xfc][..], &DEADLINE_MS.to_le_bytes(), b"\0\x05short\x01v"].concat();
    let found = file.windows(record.len()).any(|at| at == record);
    assert!(found, "{}", file.escape_ascii());
}

#[test]
fn functions_and_units_are_those_of_the_moment() {
    let library = "#!lua name=m\nredis.register_function('f', function() return 7 end)";
    let load = format!(
        "*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n${}\r\n{library}\r\n",
        library.len()
    );
    let folder = Folder::new();
    let text = [
        log(&["@100"]),
        load,
        log(&[
            "MULTI",
            "SET a 1",
            "SET b 1",
            "EXEC",
            "@200",
            "FUNCTION FLUSH",
            "MULTI",
            "SET a 2",
            "@300",
            "SET b 2",
            "EXEC",
        ]),
    ];
    fs::write(folder.file("a.aof"), text.concat()).expect("it is writable");
    let server = serve(&folder, "100");
    server.client().ask(
        "FCALL f 0\r\nMGET a b\r\n",
        ":7\r\n*2\r\n$1\r\n1\r\n$1\r\n1\r\n",
    );
    // A unit whose end is later is not in.
    let server = serve(&folder, "200");
    let none = "-ERR Function not found\r\n";
    server.client().ask(
        "FCALL f 0\r\nMGET a b\r\n",
        [none, "*2\r\n$1\r\n1\r\n$1\r\n1\r\n"].concat(),
    );
    let server = serve(&folder, "300");
    server
        .client()
        .ask("MGET a b\r\n", "*2\r\n$1\r\n2\r\n$1\r\n2\r\n");
}

#[test]
fn damage_behind_the_moment_does_no_harm_and_before_it_is_told() {
    let folder = of_lines(&["@100", "SET a 1", "@200", "SET a 2"]);
    let good = fs::read(folder.file("a.aof")).expect("it is there");
    fs::write(folder.file("a.aof"), [&good, b"!!!".as_slice()].concat()).expect("it is writable");
    let server = serve(&folder, "150");
    server.client().ask("GET a\r\n", "$1\r\n1\r\n");
    refused(
        &folder,
        "a.aof",
        "200",
        &[
            "Bad file format",
            "At byte",
            "moments before 1970-01-01 00:03:20 UTC (200) can be had",
        ],
    );
    // A tail that a crash has cut was never told to be there.
    let cut = [&good, b"*3\r\n$3\r\nSE".as_slice()].concat();
    fs::write(folder.file("a.aof"), cut).expect("it is writable");
    let server = serve(&folder, "300");
    server.client().ask("GET a\r\n", "$1\r\n2\r\n");
}

#[test]
fn moments_that_the_log_does_not_know_are_refused() {
    let folder = of_lines(&["SET a 1", "SET b 1"]);
    refused(
        &folder,
        "a.aof",
        "100",
        &["a.aof", "the log has no timestamps"],
    );
    let folder = of_lines(&["SET a 1", "@200", "SET b 1"]);
    refused(
        &folder,
        "a.aof",
        "100",
        &[
            "no timestamps before 1970-01-01 00:03:20 UTC (200)",
            "1 commands",
        ],
    );
    let folder = of_lines(&["@200", "SET b 1"]);
    refused(
        &folder,
        "a.aof",
        "100",
        &["the log begins at 1970-01-01 00:03:20 UTC (200)"],
    );
    refused(
        &folder,
        "a.aof",
        "soon",
        &["invalid value 'soon'", "expected Unix seconds"],
    );
    refused(&folder, "missing", "300", &["missing: No such file"]);
    let out = folder.file("dump.rdb");
    fs::write(&out, "precious").expect("it is writable");
    let words = [
        "restore",
        "--aof",
        &folder.file("a.aof"),
        "--until",
        "300",
        "--out",
        &out,
    ];
    let (status, _, said) = run(program().args(words));
    assert!(
        !status.success() && said.contains("nothing is written over"),
        "{said}"
    );
    assert_eq!(fs::read(&out).expect("it is there"), b"precious");
}

#[test]
fn the_folder_of_a_server_is_read_by_its_manifest() {
    let mut server = Server::start(&[
        "--save",
        "",
        "--appendonly",
        "yes",
        "--aof-timestamp-enabled",
        "yes",
    ]);
    let mut client = server.client();
    client.ask(
        "SET a 1\r\nBGREWRITEAOF\r\n",
        "+OK\r\n+Background append only file rewriting started\r\n",
    );
    server
        .log
        .expect("Background AOF rewrite finished successfully");
    client.ask("SET a 2\r\n", "+OK\r\n");
    server.terminate();
    let folder = server.folder.path().join("appendonlydir");
    let increment = folder.join("appendonly.aof.2.incr.aof");
    let written = fs::read_to_string(&increment).expect("it is there");
    assert!(written.starts_with("#TS:"), "{written}");
    // The clock of the test may stand still or not: what comes next is far in the future.
    let later = [written, log(&["@4000000000", "SET a 3"])].concat();
    fs::write(&increment, later).expect("it is writable");
    refused(
        &server.folder,
        "appendonlydir",
        "100",
        &["the log begins at"],
    );
    for (until, value) in [("3999999999", "2"), ("4000000000", "3")] {
        let (good, said) = restore(&server.folder, "appendonlydir", until);
        assert!(good, "{said}");
        let path = server.folder.path().display().to_string();
        let restored = Server::start(&["--dir", &path, "--save", ""]);
        restored
            .client()
            .ask("GET a\r\n", format!("$1\r\n{value}\r\n"));
    }
}
