//! DUMP, RESTORE and MIGRATE.

use crate::harness::{Server, replies};
use crate::rdb_samples::{fill, listpack, payload, samples};
use oxidis::rdb::{Encoder, VERSION, VERSION_FIELD_EXPIRY, kind, opcode, seal_payload};
use oxidis::resp::value::{Value, parse_value};
use oxidis::types::rdb::MEMBER_DEADLINES;

const WITH_DEBUG: &str = "enable-debug-command yes";

/// The payload of a key.
fn dump(server: &mut Server, key: &str) -> Vec<u8> {
    let reply = server.raw(server.client, &[b"DUMP", key.as_bytes()]);
    match parse_value(&reply) {
        Ok(Some((Value::Bulk(payload), _))) => payload.to_vec(),
        other => panic!("{key}: {other:?}"),
    }
}

fn restore(server: &mut Server, words: &[&[u8]]) -> String {
    let words = [&[&b"RESTORE"[..]], words].concat();
    replies(&server.raw(server.client, &words))
}

#[test]
fn a_value_of_every_kind_and_version_is_read() {
    for sample in samples() {
        let mut server = Server::new();
        let restored = restore(&mut server, &[b"k", b"0", &sample.payload()]);
        assert_eq!(restored, "OK", "kind {}", sample.kind);
        let (command, reply) = sample.check;
        assert_eq!(server.run(command), reply, "kind {}", sample.kind);
    }
}

#[test]
fn every_encoding_comes_back_as_it_was() {
    let mut server = Server::with_config(WITH_DEBUG);
    fill(&mut server);
    let names = server.run("KEYS *");
    let names: Vec<&str> = names.trim_matches(['[', ']']).split(' ').collect();
    assert_eq!(names.len(), 17);
    for name in names {
        let payload = dump(&mut server, name);
        assert_eq!(
            restore(&mut server, &[b"copy", b"0", &payload, b"REPLACE"]),
            "OK",
            "{name}"
        );
        let digest = server.run(&format!("DEBUG DIGEST-VALUE {name}"));
        assert_eq!(server.run("DEBUG DIGEST-VALUE copy"), digest, "{name}");
        let encoding = server.run(&format!("OBJECT ENCODING {name}"));
        if name != "hash:settled" && name != "string:raw" {
            assert_eq!(server.run("OBJECT ENCODING copy"), encoding, "{name}");
        }
        assert_eq!(dump(&mut server, "copy").len(), payload.len(), "{name}");
    }
}

#[test]
fn a_field_that_was_due_at_the_beginning_of_time_does_not_take_the_deadlines_of_others_with_it() {
    let mut server = Server::new();
    let mut value = Encoder::default();
    value.byte(kind::HASH_METADATA);
    value.i64(0);
    value.length(2);
    // Deadlines count from 1 on.
    for (deadline, name) in [(0, "due"), (1_900_000_000_000, "later")] {
        value.number(deadline + 1);
        value.string(name.as_bytes());
        value.string(b"value");
    }
    let mut payload = value.bytes;
    seal_payload(&mut payload, VERSION_FIELD_EXPIRY);
    assert_eq!(restore(&mut server, &[b"k", b"0", &payload]), "OK");
    let payload = dump(&mut server, "k");
    assert_eq!(restore(&mut server, &[b"copy", b"0", &payload]), "OK");
    for key in ["k", "copy"] {
        server.check(&format!(
            "HGETALL {key} -> [later value]
             HPEXPIRETIME {key} FIELDS 1 later -> [(1900000000000)]"
        ));
    }
}

#[test]
fn deadlines_of_members_that_no_file_could_have_are_refused() {
    let mut server = Server::new();
    for deadline in [i64::MIN, -1, 1 << 48, i64::MAX] {
        for (of_kind, words) in [(kind::HASH, 2), (kind::SET, 1)] {
            let mut field = Encoder::default();
            field.string(b"");
            field.string(b"name");
            field.i64(deadline);
            let mut value = Encoder::default();
            value.byte(of_kind);
            value.length(1);
            (0..words).for_each(|_| value.string(b"name"));
            value.byte(opcode::AUX);
            value.string(MEMBER_DEADLINES);
            value.string(&field.bytes);
            let mut payload = value.bytes;
            seal_payload(&mut payload, VERSION);
            let reply = restore(&mut server, &[b"k", b"0", &payload]);
            assert_eq!(reply, "!ERR Bad data format", "{of_kind} {deadline}");
        }
    }
}

#[test]
fn deadlines_of_members_travel_with_their_value() {
    let mut server = Server::new();
    server.check(
        "SADD s a b c -> (3)
         SPEXPIREAT s 1900000000000 MEMBERS 2 a c -> [(1) (1)]
         ZADD z 1 a 2 b -> (2)
         ZPEXPIREAT z 1900000000000 MEMBERS 1 b -> [(1)]",
    );
    for (name, time) in [("s", "SPEXPIRETIME"), ("z", "ZPEXPIRETIME")] {
        let before = server.run(&format!("{time} {name} MEMBERS 3 a b c"));
        let payload = dump(&mut server, name);
        assert_eq!(
            restore(&mut server, &[b"copy", b"0", &payload, b"REPLACE"]),
            "OK"
        );
        assert_eq!(server.run(&format!("{time} copy MEMBERS 3 a b c")), before);
    }
}

#[test]
fn the_limits_decide_which_encoding_a_restored_value_has() {
    let mut server = Server::new();
    let packed = [
        ("h", kind::HASH_LISTPACK, "hashtable"),
        ("s", kind::SET_LISTPACK, "hashtable"),
        ("z", kind::ZSET_LISTPACK, "skiplist"),
    ];
    server.check(
        "CONFIG SET hash-max-listpack-entries 1 -> OK
         CONFIG SET set-max-listpack-entries 1 -> OK
         CONFIG SET zset-max-listpack-entries 1 -> OK",
    );
    for (name, kind, encoding) in packed {
        let body = listpack(&["a", "1", "b", "2"]);
        let body = [&[u8::try_from(body.len()).expect("it is short")], &body[..]].concat();
        let payload = payload(kind, VERSION, &body);
        assert_eq!(
            restore(&mut server, &[name.as_bytes(), b"0", &payload]),
            "OK"
        );
        assert_eq!(server.run(&format!("OBJECT ENCODING {name}")), encoding);
    }
}

#[test]
fn what_is_no_value_is_refused_and_changes_nothing() {
    let mut server = Server::new();
    let string =
        |bytes: Vec<u8>| [&[u8::try_from(bytes.len()).expect("short")], &bytes[..]].concat();
    let bad: [(u8, Vec<u8>); 14] = [
        (kind::SET_LISTPACK, string(listpack(&["a", "5", "a"]))),
        (kind::HASH_LISTPACK, string(listpack(&["a", "1", "b"]))),
        (kind::HASH_LISTPACK, string(listpack(&["a", "1", "a", "2"]))),
        (kind::ZSET_LISTPACK, string(listpack(&["a", "no number"]))),
        (kind::ZSET_LISTPACK, string(listpack(&["a", "nan"]))),
        (kind::SET_LISTPACK, string(listpack(&[]))),
        (kind::SET, vec![2, 1, b'a', 1, b'a']),
        (kind::HASH, vec![2, 1, b'a', 1, b'a', 1, b'a', 1, b'a']),
        (
            kind::ZSET_2,
            [&[1, 1, b'a'][..], &f64::NAN.to_le_bytes()].concat(),
        ),
        (kind::ZSET, vec![1, 1, b'a', 253]),
        (
            kind::SET_INTSET,
            string(vec![2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 4, 0]),
        ),
        (kind::LIST, vec![0]),
        (kind::MODULE_2, vec![0x81, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        (99, vec![0]),
    ];
    server.check("SET k old -> OK");
    for (kind, body) in bad {
        let payload = payload(kind, VERSION, &body);
        let reply = restore(&mut server, &[b"k", b"0", &payload, b"REPLACE"]);
        assert_eq!(reply, "!ERR Bad data format", "kind {kind}");
    }
    server.check("GET k -> old");
}

#[test]
fn restore_says_what_is_wrong_with_its_words() {
    let mut server = Server::new();
    server.check("SET k v -> OK");
    let good = dump(&mut server, "k");
    let mut bad = good.clone();
    bad[0] ^= 1;
    let mut unsigned = good.clone();
    unsigned.truncate(good.len() - 8);
    unsigned.extend([0; 8]);
    let cases: [(&[&[u8]], &str); 11] = [
        (
            &[b"k", b"0", &good],
            "!BUSYKEY Target key name already exists.",
        ),
        (
            &[b"n", b"-1", &good],
            "!ERR Invalid TTL value, must be >= 0",
        ),
        (
            &[b"n", b"x", &good],
            "!ERR value is not an integer or out of range",
        ),
        (
            &[b"n", b"0", &bad],
            "!ERR DUMP payload version or checksum are wrong",
        ),
        (
            &[b"n", b"0", b""],
            "!ERR DUMP payload version or checksum are wrong",
        ),
        (
            &[b"n", b"0", &unsigned],
            "!ERR DUMP payload version or checksum are wrong",
        ),
        (&[b"n", b"0", &good, b"NOTHING"], "!ERR syntax error"),
        (
            &[b"n", b"0", &good, b"IDLETIME", b"-1"],
            "!ERR Invalid IDLETIME value, must be >= 0",
        ),
        (
            &[b"n", b"0", &good, b"FREQ", b"256"],
            "!ERR Invalid FREQ value, must be >= 0 and <= 255",
        ),
        (
            &[b"n", b"0", &good, b"IDLETIME", b"1", b"FREQ", b"1"],
            "!ERR syntax error",
        ),
        (&[b"n", b"0", &good, b"IDLETIME", b"1000"], "OK"),
    ];
    for (words, reply) in cases {
        assert_eq!(restore(&mut server, words), reply);
    }
    server.check("OBJECT IDLETIME n -> (1000)\n DUMP missing -> nil");
}

#[test]
fn a_restored_key_lives_as_long_as_it_is_told() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.check("SET k v -> OK");
    let good = dump(&mut server, "k");
    assert_eq!(restore(&mut server, &[b"a", b"5000", &good]), "OK");
    assert_eq!(
        restore(&mut server, &[b"b", b"1704067205000", &good, b"ABSTTL"]),
        "OK"
    );
    server.check("PEXPIRETIME a -> (1704067205000)\n PEXPIRETIME b -> (1704067205000)");
    // What has expired already is deleted, and nothing comes in its place.
    assert_eq!(
        restore(&mut server, &[b"a", b"5", &good, b"ABSTTL", b"REPLACE"]),
        "OK"
    );
    assert_eq!(restore(&mut server, &[b"c", b"5", &good, b"ABSTTL"]), "OK");
    server.check("EXISTS a c -> (0)");
    let stream = server.stream(reader);
    assert!(
        stream
            .iter()
            .any(|line| line.starts_with("RESTORE a 1704067205000") && line.ends_with("ABSTTL")),
        "{stream:?}"
    );
    assert!(stream.contains(&"DEL a".to_owned()));
    assert!(
        !stream.iter().any(|line| line.contains("RESTORE c")),
        "{stream:?}"
    );
}

#[test]
fn keys_move_to_another_server_and_stay_where_it_refuses_them() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.check(
        "SET a 1 -> OK
         SET b 2 PX 1000 -> OK
         MIGRATE host 7000 missing 0 1000 -> NOKEY
         MIGRATE host 7000 a 0 1000 -> !IOERR error or timeout connecting to the client
         MIGRATE host 7000 a 0 x -> !ERR value is not an integer or out of range
         MIGRATE host 7000 a 0 1000 NOTHING -> !ERR syntax error
         MIGRATE host 7000 a 0 1000 KEYS a b -> !ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
    );
    server.host.answer =
        Some(b"+OK\r\n+OK\r\n-BUSYKEY Target key name already exists.\r\n".to_vec());
    server.check(
        "MIGRATE host 7000 \"\" 3 1000 REPLACE KEYS a b c -> !ERR Target instance replied with error: BUSYKEY Target key name already exists.
         EXISTS a -> (0)
         EXISTS b -> (1)",
    );
    let asked = String::from_utf8_lossy(&server.host.asked).into_owned();
    assert!(
        asked.starts_with(
            "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*5\r\n$7\r\nRESTORE\r\n$1\r\na\r\n$1\r\n0\r\n"
        ),
        "{asked}"
    );
    assert!(asked.contains("$1\r\nb\r\n$4\r\n1000\r\n"), "{asked}");
    server.host.answer = Some(b"+OK\r\n+OK\r\n+OK\r\n".to_vec());
    server.check("MIGRATE host 7000 b 0 1000 COPY AUTH2 user secret -> OK\n EXISTS b -> (1)");
    let asked = String::from_utf8_lossy(&server.host.asked).into_owned();
    assert!(
        asked.starts_with("*3\r\n$4\r\nAUTH\r\n$4\r\nuser\r\n$6\r\nsecret\r\n"),
        "{asked}"
    );
    server.host.answer = Some(b"-WRONGPASS no\r\n+OK\r\n+OK\r\n".to_vec());
    server.check("MIGRATE host 7000 b 0 1000 AUTH x -> !ERR Target instance replied with error: WRONGPASS no\n EXISTS b -> (1)");
    let stream = server.stream(reader);
    assert_eq!(
        stream.last().map(String::as_str),
        Some("DEL a"),
        "{stream:?}"
    );
}
