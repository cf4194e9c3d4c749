//! The tools for RDB files as programs: what they are called, what goes to which stream, and how they end.

use crate::harness::{Folder, Server, names, program, run};
use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// A file with some keys, and the server that has made it.
fn saved() -> Server {
    let mut server = Server::start(&[]);
    let mut redis = server.redis();
    for line in [
        "SET string hello PXAT 1900000000000",
        "RPUSH list a b c",
        "SADD set 1 2 3",
        "SPEXPIREAT set 1900000000000 MEMBERS 1 2",
        "ZADD zset inf a -1.5 b",
        "HSET hash f v g w",
        "HPEXPIREAT hash 1900000000000 FIELDS 1 f",
        "XADD stream 1-1 f v",
        "XGROUP CREATE stream group 0",
    ] {
        let mut words = line.split(' ');
        let mut command = redis::cmd(words.next().expect("a line has words"));
        words.for_each(|word| {
            command.arg(word);
        });
        command.exec(&mut redis).expect("it is a good command");
    }
    redis::cmd("FUNCTION")
        .arg("LOAD")
        .arg("#!lua name=lib\nredis.register_function('f', function() return 1 end)")
        .exec(&mut redis)
        .expect("it is a good library");
    redis::cmd("SAVE")
        .exec(&mut redis)
        .expect("the disk is there");
    server.terminate();
    server
}

#[test]
fn a_file_goes_out_as_lines_and_comes_back_for_a_server_to_load() {
    let mut server = saved();
    let (dump, lines, other) = (
        server.folder.file("dump.rdb"),
        server.folder.file("data.jsonl"),
        server.folder.file("other.rdb"),
    );
    let (status, out, err) = run(program().args(["export", &dump]));
    assert!(status.success() && err.is_empty(), "{err}");
    assert!(
        out.contains(r#"{"db":0,"key":"list","type":"list","value":["a","b","c"]}"#),
        "{out}"
    );
    fs::write(&lines, &out).expect("the folder is writable");
    let (status, said, err) = run(program().args(["import", &lines, "--out", &other]));
    assert!(
        status.success() && said.is_empty() && err.is_empty(),
        "{err}"
    );
    let (_, again, _) = run(program().args(["export", &other]));
    assert_eq!(again, out);
    let (status, report, err) = run(program().args(["check-rdb", &other]));
    assert!(status.success() && err.is_empty(), "{report}{err}");
    assert!(report.contains("[info] 6 keys read\n"), "{report}");
    server.restart(&["--dbfilename", "other.rdb"]);
    let mut redis = server.redis();
    let mut ask = |words: &[&str]| -> redis::Value {
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(*word);
        });
        command.query(&mut redis).expect("it is a good command")
    };
    assert_eq!(ask(&["DBSIZE"]), redis::Value::Int(6));
    assert_eq!(ask(&["FCALL", "f", "0"]), redis::Value::Int(1));
    assert_eq!(
        ask(&["PEXPIRETIME", "string"]),
        redis::Value::Int(1_900_000_000_000)
    );
    let deadlines = ask(&["SPEXPIRETIME", "set", "MEMBERS", "2", "2", "3"]);
    let expected = [1_900_000_000_000, -1].map(redis::Value::Int);
    assert_eq!(deadlines, redis::Value::Array(expected.to_vec()));
}

#[test]
fn lines_may_come_from_standard_input_and_nothing_is_written_over() {
    let folder = Folder::new();
    let out = folder.file("new.rdb");
    let import = |lines: &str| {
        let mut child = program()
            .args(["import", "--out", &out])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        // It may have ended before it has read them all.
        let _ = stdin.write_all(lines.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    };
    let (is_good, said) = import("{\"key\":\"a\",\"value\":1}\n{\"key\":\"a\"\n");
    assert!(!is_good);
    assert_eq!(
        said,
        "standard input: line 3: the text ends within an object\n"
    );
    assert!(
        names(folder.path()).is_empty(),
        "{:?}",
        names(folder.path())
    );
    assert_eq!(
        import("{\"key\":\"a\",\"value\":1}\n"),
        (true, String::new())
    );
    assert_eq!(names(folder.path()), ["new.rdb"]);
    let (is_good, said) = import("{\"key\":\"b\",\"value\":1}\n");
    assert!(!is_good && said.contains("it is there already"), "{said}");
}

#[test]
fn a_bad_file_ends_badly_and_is_told_with_its_place() {
    let folder = Folder::new();
    let (bad, missing) = (folder.file("bad.rdb"), folder.file("missing.rdb"));
    fs::write(&bad, b"REDIS0011\x00\x01k\x05abc").expect("the folder is writable");
    let (status, report, err) = run(program().args(["check-rdb", &bad]));
    assert_eq!((status.code(), err.as_str()), (Some(1), ""));
    assert!(
        report.contains("[offset 13] expected a string, found 5 bytes announced, 3 left\n"),
        "{report}"
    );
    let (status, out, err) = run(program().args(["export", &bad]));
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert_eq!(
        err,
        format!("{bad}, at byte 13: expected a string, found 5 bytes announced, 3 left\n")
    );
    for tool in ["check-rdb", "export"] {
        let (status, out, err) = run(program().args([tool, &missing]));
        assert_eq!((status.code(), out.as_str()), (Some(1), ""));
        assert_eq!(err, format!("{missing}: No such file or directory\n"));
        let (status, out, err) = run(program().args([tool, "/dev/null"]));
        assert_eq!((status.code(), out.as_str()), (Some(1), ""));
        assert_eq!(
            err,
            "/dev/null: a regular file is wanted, whose length is known\n"
        );
    }
}

#[test]
fn the_program_is_the_check_when_it_is_called_by_its_name() {
    let server = saved();
    let link = server.folder.file("redis-check-rdb");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_oxidis"), &link)
        .expect("the folder is writable");
    let (status, report, _) = run(Command::new(&link).arg(server.folder.file("dump.rdb")));
    assert!(status.success(), "{report}");
    assert!(report.contains("\\o/ RDB looks OK! \\o/"), "{report}");
}

#[test]
fn whoever_has_seen_enough_of_an_export_is_not_told_of_a_failure() {
    let folder = Folder::new();
    let (lines, rdb) = (folder.file("many.jsonl"), folder.file("many.rdb"));
    let many: String = (0..20_000)
        .map(|number| format!("{{\"key\":\"key:{number}\",\"value\":\"a value of some bytes\"}}\n"))
        .collect();
    fs::write(&lines, many).expect("the folder is writable");
    assert!(
        run(program().args(["import", &lines, "--out", &rdb]))
            .0
            .success()
    );
    let mut child = program()
        .args(["export", &rdb])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut out = child.stdout.take().expect("standard output is piped");
    let mut first = [0; 5];
    out.read_exact(&mut first).expect("it writes");
    drop(out);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((&first, output.stderr.as_slice()), (b"{\"db\"", &b""[..]));
}
