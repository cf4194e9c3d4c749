//! RDB files: what is saved is loaded, and what is not as it must be is told with its place.

use crate::harness::{START_MS, Server};
use crate::rdb_samples::{Sample, fill, samples};
use oxidis::engine::Engine;
use oxidis::persist::load::{Summary, Visitor, load};
use oxidis::rdb::read::Reader;
use oxidis::rdb::{Encoder, opcode};

/// Remembers what it meets.
#[derive(Default)]
pub struct Met {
    pub libraries: Vec<Vec<u8>>,
    pub refuses: bool,
}

impl Visitor for Met {
    fn library(&mut self, source: &[u8]) -> Result<(), String> {
        self.libraries.push(source.to_vec());
        match self.refuses {
            true => Err("no engine of that name".to_owned()),
            false => Ok(()),
        }
    }
}

/// A file of this head whose records are these bytes, without a checksum.
pub fn file(head: &str, records: &[u8]) -> Vec<u8> {
    [head.as_bytes(), records, &[opcode::EOF], &[0; 8]].concat()
}

/// Loads a file into an engine.
pub fn load_into(engine: &mut Engine, file: &[u8]) -> Result<Summary, String> {
    let mut reader = Reader::of_source(file, file.len() as u64);
    load(
        &mut engine.keyspace,
        &mut reader,
        false,
        &mut Met::default(),
    )
    .map_err(|error| error.to_string())
}

fn refused(file: &[u8]) -> String {
    load_into(&mut Server::new().engine, file).expect_err("it is not as it must be")
}

/// A record of the key `k`.
pub fn record(sample: &Sample, key: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.byte(sample.kind);
    encoder.string(key);
    encoder.raw(&sample.body);
    encoder.bytes
}

#[test]
fn what_was_saved_is_loaded_with_every_deadline() {
    let mut server = Server::with_config("enable-debug-command yes");
    fill(&mut server);
    server.check(
        "SADD set:due a b -> (2)
         SPEXPIREAT set:due 1900000000000 MEMBERS 1 a -> [(1)]
         SELECT 3 -> OK
         SET other 1 -> OK
         SAVE -> OK",
    );
    let digest = server.run("DEBUG DIGEST");
    let saved = server
        .host
        .files
        .get("dump.rdb")
        .cloned()
        .expect("it was saved");
    let mut other = Server::with_config("enable-debug-command yes");
    let summary = load_into(&mut other.engine, &saved).expect("it is good");
    assert_eq!(
        (summary.version, summary.expired, summary.empty),
        (12, 0, 0)
    );
    assert_eq!(summary.field("aof-base"), Some("0"));
    assert_eq!(other.run("DEBUG DIGEST"), digest);
    other.check(
        "SPEXPIRETIME set:due MEMBERS 2 a b -> [(1900000000000) (-1)]
         HPEXPIRETIME hash:table FIELDS 3 3 5 x -> [(1900000000000) (-1) (-2)]
         PEXPIRETIME list:long -> (1900000000000)
         SELECT 3 -> OK
         GET other -> 1",
    );
}

#[test]
fn a_cut_file_is_refused_at_every_byte() {
    let mut server = Server::new();
    server.check("SET a 1 -> OK\n RPUSH l a b -> (2)\n SET c 2 PX 5000 -> OK\n SAVE -> OK");
    let saved = server
        .host
        .files
        .get("dump.rdb")
        .cloned()
        .expect("it was saved");
    for end in 0..saved.len() {
        let error = refused(&saved[..end]);
        assert!(error.starts_with("at byte "), "{end}: {error}");
    }
    let mut bad = saved.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let error = refused(&bad);
    assert!(error.contains("RDB CRC error"), "{error}");
}

#[test]
fn files_of_every_version_are_loaded() {
    for version in 1..=12 {
        let records = [0, 1, b'k', 1, b'v'];
        let mut bytes = file(&format!("REDIS{version:04}"), &records);
        if version < 5 {
            bytes.truncate(bytes.len() - 8);
        }
        let mut server = Server::new();
        let summary = load_into(&mut server.engine, &bytes).expect("it is good");
        assert_eq!((summary.version, summary.keys), (version, 1));
        server.check("GET k -> v");
    }
    for sample in samples() {
        let head = match sample.version {
            80 => "VALKEY080".to_owned(),
            version => format!("REDIS{version:04}"),
        };
        let mut server = Server::new();
        load_into(&mut server.engine, &file(&head, &record(&sample, b"k"))).expect("it is good");
        let (command, reply) = sample.check;
        assert_eq!(server.run(command), reply, "kind {}", sample.kind);
    }
}

#[test]
fn what_is_said_of_a_key_counts_for_that_key_alone() {
    let mut server = Server::new();
    let past = (START_MS - 1).to_le_bytes();
    let later = (START_MS + 5000).to_le_bytes();
    let seconds = i32::try_from(START_MS / 1000 + 9)
        .expect("it is before 2038")
        .to_le_bytes();
    let records = [
        &[
            opcode::SELECT_DB,
            1,
            opcode::RESIZE_DB,
            5,
            3,
            opcode::EXPIRE_MS,
        ][..],
        &past,
        &[0, 1, b'x', 1, b'1', opcode::EXPIRE_MS],
        &later,
        &[
            opcode::IDLE,
            50,
            0,
            1,
            b'a',
            1,
            b'1',
            opcode::EXPIRE_SECONDS,
        ],
        &seconds,
        &[0, 1, b'b', 1, b'2', 0, 1, b'c', 1, b'3', 2, 1, b'e', 0],
    ];
    let summary = load_into(&mut server.engine, &file("REDIS0011", &records.concat()));
    let summary = summary.expect("it is good");
    assert_eq!((summary.keys, summary.expired, summary.empty), (3, 1, 1));
    server.check(
        "SELECT 1 -> OK
         DBSIZE -> (3)
         PEXPIRETIME a -> (1704067205000)
         EXPIRETIME b -> (1704067209)
         TTL c -> (-1)
         OBJECT IDLETIME a -> (50)
         OBJECT IDLETIME c -> (0)",
    );
}

#[test]
fn libraries_are_handed_on_and_what_others_left_is_passed_over() {
    let records = [
        &[opcode::FUNCTION, 4][..],
        b"code",
        &[opcode::SLOT_INFO, 1, 2, 3],
        // A module's field: its id, when, an integer, a string, the end.
        &[
            opcode::MODULE_AUX,
            0x81,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            1,
            2,
            1,
            2,
            9,
            5,
            1,
            b'x',
            0,
        ],
        &[opcode::AUX, 1, b'n', 1, b'v'],
    ]
    .concat();
    let mut server = Server::new();
    let bytes = file("REDIS0012", &records);
    let mut met = Met::default();
    let mut reader = Reader::of_source(bytes.as_slice(), bytes.len() as u64);
    let summary = load(&mut server.engine.keyspace, &mut reader, false, &mut met);
    let summary = summary.expect("it is good");
    assert_eq!((summary.libraries, summary.field("n")), (1, Some("v")));
    assert_eq!(met.libraries, [b"code".to_vec()]);
    met.refuses = true;
    let mut reader = Reader::of_source(bytes.as_slice(), bytes.len() as u64);
    let refused = load(&mut server.engine.keyspace, &mut reader, false, &mut met);
    assert!(refused.is_err_and(|error| error.to_string().contains("no engine of that name")));
}

#[test]
fn errors_name_the_place_what_should_stand_there_and_what_does() {
    let twice = [0, 1, b'k', 1, b'v', 0, 1, b'k', 1, b'w'];
    let cases: [(Vec<u8>, &str); 6] = [
        (
            b"RUBBISH.....".to_vec(),
            "at byte 9: expected the signature of an RDB file, found RUBBISH..",
        ),
        (
            file("REDIS0013", &[]),
            "at byte 9: expected a version that this server reads, found REDIS0013",
        ),
        (
            file("REDIS0011", &twice),
            "at byte 15: expected each key once, found \"k\" a second time",
        ),
        (
            file("REDIS0011", &[opcode::SELECT_DB, 16]),
            "at byte 11: expected a database that is configured, found database 16 of 16",
        ),
        (
            file("REDIS0011", &[200]),
            "at byte 10: expected a kind of record, found 200",
        ),
        (
            file("REDIS0011", &[opcode::SLOT_IMPORT]),
            "at byte 10: expected a kind of record, found 243",
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(refused(&bytes), error);
    }
}
