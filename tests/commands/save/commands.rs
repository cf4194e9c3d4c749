//! SAVE, BGSAVE, LASTSAVE, save points, SHUTDOWN, and what INFO says.

use super::file::{Content, data_of, read};
use crate::harness::{START_MS, Server};

#[test]
fn save_writes_what_is_there() {
    let mut server = Server::new();
    server.check(
        "SET string value -> OK
         SET number 12345 PX 100000 -> OK
         SELECT 3 -> OK
         RPUSH list a b -> (2)
         SAVE -> OK",
    );
    let file = read(&server.host.files["dump.rdb"]);
    assert_eq!(file.version, "0011");
    assert_eq!(file.fields[&b"redis-ver".to_vec()], b"8.0.0");
    assert_eq!(file.fields[&b"redis-bits".to_vec()], b"64");
    assert_eq!(file.fields[&b"aof-base".to_vec()], b"0");
    assert_eq!(file.data.len(), 3);
    let number = &file.data[&(0, b"number".to_vec())];
    assert_eq!(number.content, Content::String(b"12345".to_vec()));
    assert_eq!(number.deadline, Some(START_MS + 100_000));
    let list = &file.data[&(3, b"list".to_vec())];
    assert_eq!(
        list.content,
        Content::List(vec![b"a".to_vec(), b"b".to_vec()])
    );
}

#[test]
fn a_field_with_a_deadline_makes_a_file_of_version_12() {
    let mut server = Server::new();
    server.check(
        "HSET hash a 1 b 2 -> (2)
         HPEXPIREAT hash 1800000000000 FIELDS 1 b -> [(1)]
         SAVE -> OK",
    );
    let file = read(&server.host.files["dump.rdb"]);
    assert_eq!(file.version, "0012");
    let Content::Hash(fields) = &file.data[&(0, b"hash".to_vec())].content else {
        panic!("a hash");
    };
    assert_eq!(fields[&b"a".to_vec()], (b"1".to_vec(), None));
    assert_eq!(
        fields[&b"b".to_vec()],
        (b"2".to_vec(), Some(1_800_000_000_000))
    );
}

#[test]
fn deadlines_of_members_follow_their_key() {
    let mut server = Server::new();
    server.check(
        "SADD set a b -> (2)
         SEXPIREAT set 1800000000 MEMBERS 1 b -> [(1)]
         SAVE -> OK",
    );
    let file = read(&server.host.files["dump.rdb"]);
    assert_eq!(file.version, "0011");
    let Content::Set(members) = &file.data[&(0, b"set".to_vec())].content else {
        panic!("a set");
    };
    assert_eq!(members[&b"a".to_vec()], None);
    assert_eq!(members[&b"b".to_vec()], Some(1_800_000_000_000));
}

#[test]
fn very_many_deadlines_of_members_make_several_fields_behind_their_key() {
    const MEMBERS: usize = 3000;
    let mut server = Server::new();
    for key in ["SADD set", "ZADD zset"] {
        let (command, key) = key.split_once(' ').expect("two words");
        let score = if command == "ZADD" { "1 " } else { "" };
        let words: String = (0..MEMBERS)
            .map(|n| format!(" {score}member:{n}"))
            .collect();
        server.run(&format!("{command} {key}{words}"));
        let names: String = (0..MEMBERS).map(|n| format!(" member:{n}")).collect();
        let expire = if command == "ZADD" {
            "ZPEXPIREAT"
        } else {
            "SPEXPIREAT"
        };
        server.run(&format!(
            "{expire} {key} 1800000000000 MEMBERS {MEMBERS}{names}"
        ));
    }
    server.check("SET behind 1 -> OK\n SAVE -> OK");
    let file = read(&server.host.files["dump.rdb"]);
    assert_eq!(file.data, data_of(&server.engine.keyspace));
    let fields = server.host.files["dump.rdb"].windows(23);
    let fields = fields
        .filter(|bytes| *bytes == b"oxidis-member-deadlines")
        .count();
    assert!(fields > 6, "{fields} fields");
}

#[test]
fn strings_are_compressed_and_the_file_summed_unless_the_settings_say_otherwise() {
    for (lines, is_small, is_summed) in [
        ("", true, true),
        ("rdbcompression no", false, true),
        ("rdbchecksum no", true, false),
    ] {
        let mut server = Server::with_config(lines);
        server.run(&format!("SET key {}", "x".repeat(10_000)));
        server.run(&format!("SET large {}", "y".repeat(100_000)));
        server.check("SAVE -> OK");
        let bytes = &server.host.files["dump.rdb"];
        assert_eq!(bytes.len() < 2000, is_small, "{lines}");
        assert_eq!(bytes[bytes.len() - 8..] != [0; 8], is_summed, "{lines}");
        assert_eq!(read(bytes).data.len(), 2);
    }
}

#[test]
fn the_name_of_the_file_is_that_of_the_settings() {
    let mut server = Server::with_config("dbfilename other.rdb\nenable-protected-configs yes");
    server.check("SAVE -> OK");
    assert!(server.host.files.contains_key("other.rdb"));
    server.check("CONFIG SET dbfilename third.rdb -> OK\nSAVE -> OK");
    assert!(server.host.files.contains_key("third.rdb"));
}

#[test]
fn bgsave_answers_at_once_and_one_save_is_under_way_at_a_time() {
    let mut server = Server::with_config("rdb-key-save-delay 1\nenable-debug-command yes");
    server.run("DEBUG POPULATE 5000");
    server.check(
        "BGSAVE other -> !ERR syntax error
         BGSAVE SCHEDULE more -> !ERR syntax error
         SAVE x -> !ERR wrong number of arguments for 'save' command
         BGSAVE -> Background saving started
         BGSAVE -> !ERR Background save already in progress
         BGSAVE SCHEDULE -> !ERR Background save already in progress
         SAVE -> !ERR Background save already in progress",
    );
    assert_eq!(server.persistence("rdb_bgsave_in_progress"), "1");
    assert_eq!(server.persistence("rdb_current_bgsave_time_sec"), "0");
    while server.persistence("rdb_bgsave_in_progress") == "1" {
        server.pass_ms(1);
    }
    server.check("BGSAVE SCHEDULE -> Background saving started");
}

#[test]
fn bgsave_between_multi_and_exec_waits_for_their_end() {
    let mut server = Server::new();
    server.check(
        "MULTI -> OK
         BGSAVE -> QUEUED
         SET a 1 -> QUEUED
         SAVE -> !ERR Command not allowed inside a transaction
         DISCARD -> OK
         MULTI -> OK
         BGSAVE -> QUEUED
         SET a 1 -> QUEUED
         EXEC -> [Background saving scheduled OK]",
    );
    server.pass_ms(200);
    server.pass_ms(1);
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 1);
}

#[test]
fn progress_is_told_key_by_key() {
    let mut server = Server::with_config("rdb-key-save-delay 1\nenable-debug-command yes");
    server.run("DEBUG POPULATE 3000");
    assert_eq!(server.persistence("current_save_keys_total"), "0");
    server.run("BGSAVE");
    assert_eq!(server.persistence("current_save_keys_total"), "3000");
    let mut last = 0;
    while server.persistence("rdb_bgsave_in_progress") == "1" {
        let taken: u64 = server
            .persistence("current_save_keys_processed")
            .parse()
            .expect("a number");
        assert!(taken >= last && taken <= 3000);
        let percent = format!("{:.2}", taken as f64 / 30.0);
        assert_eq!(server.persistence("current_fork_perc"), percent);
        last = taken;
        server.pass_ms(1);
    }
    assert!(last > 1000, "it was seen on its way");
    assert_eq!(server.persistence("current_save_keys_processed"), "0");
    assert_eq!(server.persistence("rdb_last_bgsave_status"), "ok");
    assert_eq!(server.persistence("rdb_last_bgsave_time_sec"), "0");
    assert_eq!(server.persistence("rdb_saves"), "1");
}

#[test]
fn lastsave_is_the_time_of_the_last_good_save() {
    let mut server = Server::new();
    let start_s = START_MS / 1000;
    server.check(&format!("LASTSAVE -> ({start_s})"));
    server.run("SET a 1");
    server.pass_ms(5000);
    server.check(&format!(
        "LASTSAVE -> ({start_s})\nSAVE -> OK\nLASTSAVE -> ({})",
        start_s + 5
    ));
    assert_eq!(
        server.persistence("rdb_last_save_time"),
        (start_s + 5).to_string()
    );
}

#[test]
fn changes_since_the_last_save_are_those_after_its_beginning() {
    let mut server =
        Server::with_config("save \"\"\nrdb-key-save-delay 1\nenable-debug-command yes");
    server.check("MSET a 1 b 2 -> OK\nSET c 3 -> OK");
    let before: u64 = server
        .persistence("rdb_changes_since_last_save")
        .parse()
        .expect("a number");
    assert!(before >= 2);
    server.check("BGSAVE -> Background saving started\nSET d 4 -> OK");
    while server.persistence("rdb_bgsave_in_progress") == "1" {
        server.pass_ms(1);
    }
    assert_eq!(server.persistence("rdb_changes_since_last_save"), "1");
}

#[test]
fn save_points_save_when_enough_has_changed_for_long_enough() {
    let mut server = Server::with_config("save 60 3 10 100");
    server.check("SET a 1 -> OK\nSET b 2 -> OK");
    server.pass_ms(61_000);
    assert!(!server.host.files.contains_key("dump.rdb"), "two changes");
    server.check("SET c 3 -> OK");
    server.pass_ms(1000);
    server.pass_ms(1);
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 3);
    assert_eq!(server.persistence("rdb_changes_since_last_save"), "0");
    for number in 0..100 {
        server.run(&format!("SET key:{number} x"));
    }
    server.pass_ms(5000);
    assert_eq!(server.persistence("rdb_changes_since_last_save"), "100");
    server.pass_ms(6000);
    server.pass_ms(1);
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 103);
}

#[test]
fn flushall_saves_the_empty_data_set_where_data_is_saved_by_itself() {
    let mut server = Server::with_config("save 3600 1");
    server.check("SET a 1 -> OK\nSAVE -> OK\nSET b 1 -> OK\nFLUSHALL -> OK");
    assert_eq!(server.persistence("rdb_changes_since_last_save"), "0");
    server.pass_ms(1);
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 0);
    let mut server = Server::with_config("save \"\"");
    server.check("SET a 1 -> OK\nSAVE -> OK\nFLUSHALL -> OK");
    server.pass_ms(1);
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 1);
    assert_ne!(server.persistence("rdb_changes_since_last_save"), "0");
}

#[test]
fn flushall_gives_up_the_save_that_is_under_way() {
    let mut server =
        Server::with_config("save 3600 1\nrdb-key-save-delay 1\nenable-debug-command yes");
    server.run("DEBUG POPULATE 3000");
    server.run("BGSAVE");
    server.pass_ms(1);
    server.check("SET late 1 -> OK\nFLUSHALL -> OK");
    while server.persistence("rdb_bgsave_in_progress") == "1" {
        server.pass_ms(1);
    }
    assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 0);
}

#[test]
fn flushall_gives_it_up_without_save_points_too_and_what_it_had_counts_as_unsaved() {
    let mut server =
        Server::with_config("save \"\"\nrdb-key-save-delay 1\nenable-debug-command yes");
    server.run("DEBUG POPULATE 3000");
    server.check("SET a 1 -> OK\nBGSAVE -> Background saving started");
    server.pass_ms(1);
    server.check("FLUSHALL -> OK");
    assert_eq!(server.persistence("rdb_bgsave_in_progress"), "0");
    assert_ne!(server.persistence("rdb_changes_since_last_save"), "0");
    assert_eq!(server.persistence("rdb_last_bgsave_status"), "ok");
    assert!(!server.host.files.contains_key("dump.rdb"));
}

#[test]
fn save_waits_for_the_save_of_a_flush() {
    let mut server = Server::with_config("save 3600 1");
    server.check("SET a 1 -> OK\nFLUSHALL -> OK\nSAVE -> OK\nFLUSHALL -> OK\nBGSAVE -> Background saving started");
}

#[test]
fn shutdown_saves_if_there_are_save_points_or_it_is_told_to() {
    for (lines, command, saves) in [
        ("save 3600 1", "SHUTDOWN", true),
        ("save 3600 1", "SHUTDOWN NOSAVE", false),
        ("save \"\"", "SHUTDOWN", false),
        ("save \"\"", "SHUTDOWN SAVE", true),
        ("save \"\"", "SHUTDOWN NOW SAVE FORCE", true),
    ] {
        let mut server = Server::with_config(lines);
        server.check("SET a 1 -> OK");
        assert_eq!(server.run(command), "");
        assert!(server.host.stopped);
        assert_eq!(
            server.host.files.contains_key("dump.rdb"),
            saves,
            "{command}"
        );
    }
}

#[test]
fn shutdown_gives_up_the_save_that_is_under_way() {
    let mut server =
        Server::with_config("save \"\"\nrdb-key-save-delay 1\nenable-debug-command yes");
    server.run("DEBUG POPULATE 3000");
    server.run("BGSAVE");
    server.pass_ms(1);
    assert!(server.host.disk.has_draft());
    assert_eq!(server.run("SHUTDOWN NOSAVE"), "");
    assert!(!server.host.disk.has_draft() && !server.host.files.contains_key("dump.rdb"));
}

#[test]
fn the_use_of_keys_is_written_where_eviction_goes_by_it() {
    for policy in ["allkeys-lru", "volatile-lfu"] {
        let mut server = Server::with_config(&format!("maxmemory-policy {policy}"));
        server.check("SET a 1 -> OK\nRPUSH b 1 -> (1)\nSAVE -> OK");
        let with = server.host.files["dump.rdb"].len();
        server.check("CONFIG SET maxmemory-policy noeviction -> OK\nSAVE -> OK");
        assert_eq!(
            with - server.host.files["dump.rdb"].len(),
            4,
            "two bytes a key"
        );
        assert_eq!(read(&server.host.files["dump.rdb"]).data.len(), 2);
    }
}
