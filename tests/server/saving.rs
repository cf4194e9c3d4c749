//! Snapshots on a real disk: whole files or none, whatever happens to the process and to the disk.

use crate::harness::{Client, Server, names};
use rustix::process::Signal;
use std::fs;
use std::net::TcpStream;

/// A value that one file of [`FILE_MAX_BYTES`] cannot hold.
const LARGE_BYTES: usize = 300_000;
const FILE_MAX_BYTES: u64 = 100_000;

/// Bytes that do not compress.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'!' + (state >> 58) as u8)
    };
    (0..bytes).map(|_| letter()).collect()
}

fn set(client: &mut Client<TcpStream>, key: &str, value: &str) {
    client.ask(
        format!(
            "*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n",
            key.len(),
            value.len()
        ),
        "+OK\r\n",
    );
}

fn dump(server: &Server) -> Vec<u8> {
    fs::read(server.folder.file("dump.rdb")).expect("it was saved")
}

fn is_whole(file: &[u8]) -> bool {
    file.starts_with(b"REDIS0011") && file[file.len() - 9] == 0xff
}

#[test]
fn what_bgsave_writes_takes_its_place_when_it_is_whole() {
    let server = Server::start(&["--save", ""]);
    let mut client = server.client();
    set(&mut client, "key", "first");
    client.ask("BGSAVE\r\n", "+Background saving started\r\n");
    server.log.expect("Background saving started");
    server.log.expect("DB saved on disk");
    server
        .log
        .expect("Background saving terminated with success");
    assert_eq!(names(server.folder.path()), ["dump.rdb"]);
    let file = dump(&server);
    assert!(is_whole(&file) && file.windows(5).any(|window| window == b"first"));
    set(&mut client, "key", "second");
    client.ask("SAVE\r\n", "+OK\r\n");
    assert!(dump(&server).windows(6).any(|window| window == b"second"));
}

#[test]
fn data_and_functions_are_there_after_a_restart() {
    let mut server = Server::start(&["--save", "900 1"]);
    let mut client = server.client();
    client.ask(
        "RPUSH list a b c\r\nHSET hash field value\r\nZADD zset 1.5 member\r\n",
        ":3\r\n:1\r\n:1\r\n",
    );
    let library = "#!lua name=lib\nredis.register_function('answer', function() return 42 end)";
    let length = library.len();
    client.ask(
        format!("*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n${length}\r\n{library}\r\n"),
        "$3\r\nlib\r\n",
    );
    assert_eq!(server.terminate().code(), Some(0));
    let folder = server.folder.path().display().to_string();
    let other = Server::start(&["--save", "", "--dir", &folder]);
    let mut client = other.client();
    client.ask(
        "LRANGE list 0 -1\r\n",
        "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
    );
    client.ask("HGET hash field\r\n", "$5\r\nvalue\r\n");
    client.ask("ZSCORE zset member\r\n", "$3\r\n1.5\r\n");
    client.ask("FCALL answer 0\r\n", ":42\r\n");
}

#[test]
fn sigterm_saves_where_there_are_save_points() {
    for (save, saves) in [("900 1", true), ("", false)] {
        let mut server = Server::start(&["--save", save]);
        set(&mut server.client(), "key", "value");
        assert_eq!(server.terminate().code(), Some(0));
        assert_eq!(server.folder.path().join("dump.rdb").exists(), saves);
        if saves {
            server
                .log
                .expect("Saving the final RDB snapshot before exiting.");
            assert!(is_whole(&dump(&server)));
        }
    }
}

#[test]
fn a_save_into_another_folder_after_config_set_dir() {
    let server = Server::start(&["--save", "", "--enable-protected-configs", "yes"]);
    let folder = server.folder.file("sub");
    fs::create_dir(&folder).expect("the folder is writable");
    let mut client = server.client();
    client.ask(
        format!("CONFIG SET dir {folder}\r\nSAVE\r\n"),
        "+OK\r\n+OK\r\n",
    );
    assert!(fs::exists(format!("{folder}/dump.rdb")).expect("the folder is readable"));
}

#[test]
fn kill_9_in_the_middle_leaves_the_old_file_and_the_next_start_tidies_up() {
    let mut server = Server::start(&["--save", "", "--enable-debug-command", "yes"]);
    let mut client = server.client();
    set(&mut client, "key", "value");
    client.ask("SAVE\r\n", "+OK\r\n");
    let before = dump(&server);
    client.ask("DEBUG POPULATE 5000\r\n", "+OK\r\n");
    client.ask("CONFIG SET rdb-key-save-delay 1000000\r\n", "+OK\r\n");
    client.ask("BGSAVE\r\n", "+Background saving started\r\n");
    // The answer to this comes from a later turn of the loop; the file is created meanwhile, sooner or later.
    while names(server.folder.path()).len() < 2 {
        client.ask("PING\r\n", "+PONG\r\n");
    }
    server.signal(Signal::KILL);
    assert!(!server.wait().success());
    assert!(names(server.folder.path())[1].starts_with("temp-"));
    assert_eq!(dump(&server), before);
    let folder = server.folder.path().display().to_string();
    let other = Server::start(&["--save", "", "--dir", &folder]);
    assert_eq!(names(server.folder.path()), ["dump.rdb"]);
    drop(other);
}

#[test]
fn a_snapshot_that_cannot_be_read_is_refused_with_the_place_and_stays_as_it_is() {
    let mut server = Server::start(&["--save", ""]);
    let mut client = server.client();
    set(&mut client, "key", &noise(100));
    client.ask("RPUSH list a b c\r\nSAVE\r\n", ":3\r\n+OK\r\n");
    server.signal(Signal::KILL);
    let whole = dump(&server);
    let path = server.folder.path().join("dump.rdb");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 4;
    let longer = [&whole[..whole.len() - 8], &[0; 8]].concat();
    for (bytes, refused) in [
        (&b""[..], "at byte 0: expected more bytes"),
        (b"REDIS", "at byte 0: expected more bytes"),
        (
            b"\x7fELF is no snapshot",
            "expected the signature of an RDB file",
        ),
        (
            b"REDIS9999\xff\0\0\0\0\0\0\0\0",
            "expected a version that this server reads",
        ),
        (&whole[..whole.len() - 1], "expected more bytes"),
        (
            &whole[..whole.len() / 2],
            "expected a string, found 100 bytes announced",
        ),
        (&changed, "at byte"),
        // No checksum is none that could be wrong.
        (&longer, ""),
    ] {
        fs::write(&path, bytes).expect("it is writable");
        if refused.is_empty() {
            server.restart(&["--save", ""]);
            server.client().ask("DBSIZE\r\n", ":2\r\n");
            server.signal(Signal::KILL);
            continue;
        }
        let log = server.respawn(&["--save", "1 1"]);
        let line = log.expect("Fatal error loading the DB, dump.rdb");
        assert!(line.contains(refused), "{refused} is not in {line}");
        assert_eq!(server.wait().code(), Some(1));
        assert!(dump(&server) == bytes, "it was changed");
    }
    fs::remove_file(&path).expect("it is there");
    fs::create_dir(&path).expect("it is writable");
    let log = server.respawn(&["--save", "1 1"]);
    let line = log.expect("Fatal error loading the DB, dump.rdb");
    assert!(line.contains("directory"), "{line}");
    assert_eq!(server.wait().code(), Some(1));
}

#[test]
fn a_full_disk_costs_neither_the_old_file_nor_the_service() {
    let server = Server::start(&["--save", "3600 1"]);
    let mut client = server.client();
    set(&mut client, "key", "value");
    client.ask("SAVE\r\n", "+OK\r\n");
    let before = dump(&server);
    server.limit_files(Some(FILE_MAX_BYTES));
    set(&mut client, "large", &noise(LARGE_BYTES));
    client.ask("BGSAVE\r\n", "+Background saving started\r\n");
    server.log.expect("Write error saving DB on disk");
    server.log.expect("Background saving error");
    assert_eq!(
        (names(server.folder.path()), dump(&server)),
        (vec!["dump.rdb".to_owned()], before)
    );
    client.send("SET key other\r\n");
    client.expect("-MISCONF Redis is configured to save RDB snapshots");
    let mut client = server.client();
    client.ask("GET key\r\n", "$5\r\nvalue\r\n");
    client.ask("SAVE\r\n", "-ERR\r\n");
    server.signal(Signal::TERM);
    server
        .log
        .expect("Error trying to save the DB, can't exit.");
    client.ask("GET key\r\n", "$5\r\nvalue\r\n");
    server.limit_files(None);
    server
        .log
        .expect("Background saving terminated with success");
    // The report comes with the log's line.
    client.ask("SET key other\r\n", "+OK\r\n");
    assert!(is_whole(&dump(&server)) && dump(&server).len() > LARGE_BYTES / 2);
}
