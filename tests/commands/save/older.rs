//! `rdb-version 10`: what Redis 7.0 reads.

use super::file::read;
use crate::harness::Server;
use crate::rdb_samples::fill;
use oxidis::rdb::kind;

const LINES: &str = "rdb-version 10\nenable-debug-command yes\nsave \"\"";

/// A server with values of all types and sizes, also with members that have deadlines.
fn server() -> Server {
    let mut server = Server::with_config(LINES);
    fill(&mut server);
    server.check(
        "SADD set:few a b -> (2)
         SADD set:due a b -> (2)
         SPEXPIREAT set:due 1900000000000 MEMBERS 1 a -> [(1)]
         HSET hash:due a 1 b 2 c 3 -> (3)
         HPEXPIREAT hash:due 1900000000000 FIELDS 2 a b -> [(1) (1)]
         XADD stream:due 5-1 a 1 -> 5-1
         XGROUP CREATE stream:due group 0 -> OK",
    );
    server.run("XREADGROUP GROUP group consumer STREAMS stream:due >");
    server
}

const DEADLINES: &str = "SPEXPIRETIME set:due MEMBERS 2 a b -> [(1900000000000) (-1)]
     HPEXPIRETIME hash:due FIELDS 3 a b c -> [(1900000000000) (1900000000000) (-1)]
     HPEXPIRETIME hash:table FIELDS 3 3 4 5 -> [(1900000000000) (1900000000000) (-1)]
     HGET hash:due b -> 2
     TYPE stream:due -> stream";

#[test]
fn the_file_has_only_what_that_version_knows_and_nothing_is_lost_here() {
    let mut server = server();
    let digest = server.run("DEBUG DIGEST");
    server.check("DEBUG RELOAD -> OK");
    assert_eq!(server.run("DEBUG DIGEST"), digest);
    server.check(DEADLINES);
    let file = read(&server.host.files["dump.rdb"]);
    assert_eq!(file.version, "0010");
    assert_eq!(
        file.kinds.iter().max(),
        Some(&kind::STREAM_2),
        "{:?}",
        file.kinds
    );
}

#[test]
fn payloads_have_only_what_that_version_knows_and_nothing_is_lost_here() {
    let mut server = server();
    for key in ["set:few", "set:due", "hash:due", "hash:table", "stream:due"] {
        let before = server.run(&format!("DEBUG DIGEST-VALUE {key}"));
        let dumped = server.raw(server.client, &[b"DUMP", key.as_bytes()]);
        let start = dumped
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("a bulk")
            + 1;
        let payload = &dumped[start..dumped.len() - 2];
        assert!(payload[0] <= kind::STREAM_2, "{key}");
        let version = payload.len() - 10;
        assert_eq!(payload[version..version + 2], [10, 0], "{key}");
        let restored = server.raw(
            server.client,
            &[b"RESTORE", key.as_bytes(), b"0", payload, b"REPLACE"],
        );
        assert_eq!(restored, b"+OK\r\n", "{key}");
        assert_eq!(
            server.run(&format!("DEBUG DIGEST-VALUE {key}")),
            before,
            "{key}"
        );
    }
    server.check(DEADLINES);
}

#[test]
fn a_base_of_commands_has_what_that_version_knows_too() {
    let folder = std::env::temp_dir().join(format!("oxidis-older-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    let mut server = server();
    server.host.disk.folder = Some(folder.clone());
    server.check("SAVE -> OK");
    let digest = server.run("DEBUG DIGEST");
    let lines = format!("{LINES}\nappendonly yes\naof-use-rdb-preamble no");
    // The append-only file is made of the snapshot, and the data of the append-only file.
    Server::in_folder(&folder, &lines);
    let mut server = Server::in_folder(&folder, &lines);
    assert_eq!(server.run("DEBUG DIGEST"), digest);
    server.check(DEADLINES);
    // What cannot be removed harms nobody.
    let _ = std::fs::remove_dir_all(&folder);
}
