//! `check-aof` on files that are in order and on files that are not, in all their forms.

use crate::harness::{Folder, Server, program, run};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const SET: &str = "*3\r\n$3\r\nSET\r\n$3\r\nfoo\r\n$5\r\nhello\r\n";
const UNIT: &str = "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n";
const MANIFEST: &str = "file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n";

/// Whether the tool ended well, and its report.
fn check(words: &[&str]) -> (bool, String) {
    let (status, out, err) = run(program().arg("check-aof").args(words));
    (status.success(), out + &err)
}

#[track_caller]
fn expect(words: &[&str], is_good: bool, texts: &[&str]) {
    let (good, said) = check(words);
    assert_eq!(good, is_good, "{said}");
    for text in texts {
        assert!(said.contains(text), "{text} is not in {said}");
    }
}

/// A folder with these three files and their manifest.
fn parts(contents: [&str; 3]) -> Folder {
    let folder = Folder::new();
    let names = ["a.1.base.aof", "a.1.incr.aof", "a.2.incr.aof"];
    for (name, content) in names.iter().zip(contents) {
        fs::write(folder.file(name), content).expect("it is writable");
    }
    fs::write(folder.file("a.manifest"), MANIFEST).expect("it is writable");
    folder
}

#[test]
fn a_log_cut_at_any_byte_is_told_from_a_whole_one_and_is_whole_when_it_was_mended() {
    let folder = Folder::new();
    let file = folder.file("a.aof");
    let whole = [SET, UNIT, "#TS:5\r\n", SET].concat();
    let bounds = [
        0,
        SET.len(),
        SET.len() + UNIT.len(),
        SET.len() + UNIT.len() + 7,
        whole.len(),
    ];
    for length in (0..=whole.len()).step_by(5).chain(bounds) {
        fs::write(&file, &whole[..length]).expect("it is writable");
        let last = bounds.iter().filter(|bound| **bound <= length).max();
        let good = *last.expect("the first bound is 0");
        let (is_whole, said) = check(&[&file]);
        assert_eq!(is_whole, good == length, "at {length}: {said}");
        if !is_whole {
            let up_to = format!("size={length}, ok_up_to={good}, ");
            assert!(said.contains(&up_to), "{up_to} is not in {said}");
            assert!(said.contains("is not valid"), "{said}");
            expect(
                &["--fix", "--yes", &file],
                true,
                &["Successfully truncated"],
            );
            assert_eq!(
                fs::read(&file).expect("it is there"),
                &whole.as_bytes()[..good]
            );
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_its_offset() {
    let folder = Folder::new();
    let file = folder.file("a.aof");
    for (bad, reason) in [
        ("!!!", "0x              21: expected '*' or '#', found '!'"),
        (
            "*1\r\n$4\r\nEXEC\r\n",
            "0x              21: Unexpected EXEC",
        ),
        (
            "*2\r\n$x\r\nfoo\r\n",
            "0x              21: invalid bulk length",
        ),
        ("*x\r\n", "0x              21: invalid multibulk length"),
        (
            "*1\r\n$5\r\nmulti\r\n*1\r\n$5\r\nmulti\r\n",
            "Unexpected MULTI",
        ),
    ] {
        fs::write(&file, [SET, bad, SET].concat()).expect("it is writable");
        expect(&[&file], false, &[reason, "ok_up_to=33, ok_up_to_line=8"]);
    }
    expect(
        &["/missing/a.aof"],
        false,
        &["/missing/a.aof: No such file"],
    );
    expect(&[], false, &["Usage: oxidis check-aof"]);
}

/// Runs it with an answer on standard input; its report.
fn answer(file: &str, answer: &str) -> String {
    let mut child = program()
        .args(["check-aof", "--fix", file])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(answer.as_bytes()).expect("it is read");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn nothing_is_cut_without_a_yes() {
    let folder = Folder::new();
    let file = folder.file("a.aof");
    fs::write(&file, [SET, "!!!"].concat()).expect("it is writable");
    for no in ["n\n", "", "\n"] {
        let said = answer(&file, no);
        assert!(
            said.contains("from 36 bytes, with 3 bytes, to 33 bytes"),
            "{said}"
        );
        assert!(said.contains("Continue? [y/N]: Aborting..."), "{said}");
        assert_eq!(fs::read(&file).expect("it is there").len(), 36);
    }
    assert!(answer(&file, "y\n").contains("Successfully truncated AOF"));
    assert_eq!(fs::read(&file).expect("it is there"), SET.as_bytes());
}

#[test]
fn a_manifest_and_its_folder_mean_all_files() {
    let folder = parts([SET, UNIT, SET]);
    let manifest = folder.file("a.manifest");
    for word in [&manifest, &folder.path().display().to_string()] {
        expect(
            &[word],
            true,
            &[
                "Start checking Multi Part AOF",
                "Start to check BASE AOF (RESP format).",
                "Start to check INCR files.",
                "All AOF files and manifest are valid",
            ],
        );
    }
    fs::write(folder.file("a.1.incr.aof"), [SET, "*"].concat()).expect("it is writable");
    let not_last = "because it is not the last file";
    expect(&["--fix", "--yes", &manifest], false, &[not_last]);
    fs::remove_file(folder.file("a.1.incr.aof")).expect("it is there");
    expect(&[&manifest], false, &["a.1.incr.aof: No such file"]);
    fs::write(&manifest, "file x\n").expect("it is writable");
    expect(
        &[&manifest],
        false,
        &["line 1: Invalid AOF manifest file format"],
    );
}

#[test]
fn what_is_later_than_a_timestamp_is_cut_off_the_last_file_alone() {
    let timed = ["#TS:100\r\n", SET, "#TS:200\r\n", SET].concat();
    let folder = parts([SET, "", &timed]);
    let (manifest, last) = (folder.file("a.manifest"), folder.file("a.2.incr.aof"));
    let cut = |seconds| check(&["--truncate-to-timestamp", seconds, &manifest]);
    let (good, said) = cut("200");
    assert!(good && said.contains("Truncate nothing"), "{said}");
    let (good, said) = cut("99");
    assert!(
        !good && said.contains("nothing before timestamp 99, aborting"),
        "{said}"
    );
    assert_eq!(fs::read(&last).expect("it is there"), timed.as_bytes());
    let (good, said) = cut("150");
    assert!(
        good && said.contains("Successfully truncated AOF"),
        "{said}"
    );
    let left = fs::read(&last).expect("it is there");
    assert_eq!(left, ["#TS:100\r\n", SET].concat().as_bytes());
    fs::write(folder.file("a.1.incr.aof"), &timed).expect("it is writable");
    let (good, said) = cut("150");
    assert!(
        !good && said.contains("because it is not the last file"),
        "{said}"
    );
}

#[test]
fn a_file_that_a_backup_shares_is_cut_under_its_own_name_alone() {
    let folder = Folder::new();
    let (file, shared) = (folder.file("a.aof"), folder.file("shared"));
    fs::write(&file, [SET, "!!!"].concat()).expect("it is writable");
    fs::hard_link(&file, &shared).expect("links can be made");
    expect(
        &["--fix", "--yes", &file],
        true,
        &["Successfully truncated"],
    );
    assert_eq!(fs::read(&file).expect("it is there"), SET.as_bytes());
    assert_eq!(fs::read(&shared).expect("it is there").len(), 36);
}

#[test]
fn the_log_of_a_running_server_is_not_cut() {
    let server = Server::start(&["--save", "", "--appendonly", "yes"]);
    server.client().ask("SET a 1\r\n", "+OK\r\n");
    let log = server.folder.file("appendonlydir");
    expect(&[&log], true, &["All AOF files and manifest are valid"]);
    let last = format!("{log}/appendonly.aof.1.incr.aof");
    let damaged = [fs::read(&last).expect("it is there"), b"!!!".to_vec()].concat();
    fs::write(&last, &damaged).expect("it is writable");
    expect(
        &["--fix", "--yes", &log],
        false,
        &["another server appends to it"],
    );
    assert_eq!(fs::read(&last).expect("it is there"), damaged);
}

#[test]
fn a_snapshot_in_front_that_is_not_in_order_is_never_cut() {
    let folder = Folder::new();
    let file = folder.file("a.aof");
    fs::write(&file, b"REDIS0011\xfe\x00\x00\x01a").expect("it is writable");
    let before = fs::read(&file).expect("it is there");
    expect(
        &["--fix", "--yes", &file],
        false,
        &[
            "RDB preamble of AOF file is not sane, aborting.",
            "[offset ",
        ],
    );
    assert_eq!(fs::read(&file).expect("it is there"), before);
}

#[test]
fn the_program_is_the_tool_whose_name_it_is_called_by() {
    let folder = Folder::new();
    let file = folder.file("a.aof");
    fs::write(&file, SET).expect("it is writable");
    for name in ["redis-check-aof", "valkey-check-aof", "oxidis-check-aof"] {
        let link = folder.path().join(name);
        let target = Path::new(env!("CARGO_BIN_EXE_oxidis"));
        std::os::unix::fs::symlink(target, &link).expect("links can be made");
        let (status, out, _) = run(Command::new(&link).arg(&file).stdout(Stdio::piped()));
        assert!(
            status.success() && out.contains("is valid"),
            "{name}: {out}"
        );
    }
}
