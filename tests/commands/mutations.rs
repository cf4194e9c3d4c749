//! Payloads, snapshots and append-only files of all types with bytes changed, cut, doubled and put in: whatever becomes of them, there is no
//! panic, no hang, and no more memory than there are bytes to justify it. What is taken must be a value that can be used.

use crate::append_only::{Folder, ON, encoded};
use crate::harness::Server;
use crate::load::{Met, file, record};
use crate::rdb_samples::{fill, payload, samples};
use oxidis::base::random::{Random, Seeds};
use oxidis::keyspace::Keyspace;
use oxidis::persist::load::load;
use oxidis::rdb::read::Reader;
use oxidis::resp::value::{Value, parse_value};

const MEMORY_MAX_KIB: u64 = 2 << 20;

fn mutations(share: usize) -> usize {
    let all = std::env::var("OXIDIS_MUTATIONS").ok();
    all.and_then(|all| all.parse().ok()).unwrap_or(20_000) / share
}

/// Changes some bytes.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const NOTABLE: [u8; 12] = [
        0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xfe, 0xff,
    ];
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len().max(1) as u64) as usize;
        let notable = NOTABLE[random.below(12) as usize];
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = notable,
            2 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes.truncate(at),
            4 => bytes.insert(at.min(bytes.len()), notable),
            _ => {
                let end = (at + random.below(20) as usize).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let to = random.below(bytes.len() as u64 + 1) as usize;
                bytes.splice(to..to, piece);
            }
        }
    }
}

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let words = line.and_then(|line| line.split_whitespace().nth(1));
    words.and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// Commands that look at a value from all sides and change it.
const USES: [&str; 22] = [
    "DUMP k",
    "DEBUG DIGEST-VALUE k",
    "OBJECT ENCODING k",
    "APPEND k x",
    "LRANGE k 0 -1",
    "LINSERT k BEFORE a new",
    "LPOP k",
    "RPOP k 2",
    "SADD k new 17",
    "SPOP k",
    "ZADD k 3 new",
    "ZRANGE k 0 -1 REV WITHSCORES",
    "ZREMRANGEBYRANK k 0 1",
    "HSET k new value",
    "HGETALL k",
    "HDEL k f",
    "XRANGE k - +",
    "XREVRANGE k + - COUNT 3",
    "XINFO STREAM k FULL",
    "XADD k * f v",
    "XDEL k 1-1",
    "DEL k",
];

fn use_value(server: &mut Server) {
    for line in USES {
        server.run(line);
    }
}

/// The bodies of all samples and of values of every encoding that this server has, with kind and version.
fn payloads() -> Vec<(u8, u16, Vec<u8>)> {
    let mut all: Vec<_> = samples()
        .into_iter()
        .map(|sample| (sample.kind, sample.version, sample.body))
        .collect();
    let mut server = Server::new();
    fill(&mut server);
    let names = server.run("KEYS *");
    for name in names.trim_matches(['[', ']']).split(' ') {
        let reply = server.raw(server.client, &[b"DUMP", name.as_bytes()]);
        let Ok(Some((Value::Bulk(bytes), _))) = parse_value(&reply) else {
            panic!("{name} has a payload");
        };
        let (value, version) = oxidis::rdb::open_payload(&bytes).expect("it is good");
        let (kind, body) = value.split_first().expect("it has a kind");
        all.push((*kind, version, body.to_vec()));
    }
    all
}

#[test]
fn changed_payloads_are_refused_or_are_values_that_can_be_used() {
    let all = payloads();
    let mut random = Random::from_seed(7);
    let mut server = Server::with_config("enable-debug-command yes\nproto-max-bulk-len 1mb");
    let mut taken = 0;
    let rounds = mutations(2);
    for _ in 0..rounds {
        let (kind, version, body) = &all[random.below(all.len() as u64) as usize];
        let mut body = body.clone();
        mutate(&mut body, &mut random);
        let payload = payload(*kind, *version, &body);
        let words: [&[u8]; 4] = [b"RESTORE", b"k", b"0", &payload];
        if server.raw(server.client, &words) == b"+OK\r\n" {
            taken += 1;
            use_value(&mut server);
        }
    }
    assert!(taken > rounds / 50 && taken < rounds, "{taken} of {rounds}");
    assert!(peak_kib() < MEMORY_MAX_KIB, "{} KiB", peak_kib());
}

#[test]
fn changed_files_are_refused_or_loaded() {
    let mut server = Server::new();
    fill(&mut server);
    server.run("DEL string:shared list:long hash:table set:table zset:table");
    server.run("SAVE");
    let saved = server
        .host
        .files
        .get("dump.rdb")
        .cloned()
        .expect("it was saved");
    let mut files = vec![saved];
    for (head, version) in [("REDIS0012", 12), ("VALKEY080", 80)] {
        let good = samples()
            .into_iter()
            .filter(|sample| sample.version <= version);
        let records: Vec<u8> = good
            .enumerate()
            .flat_map(|(number, sample)| record(&sample, number.to_string().as_bytes()))
            .collect();
        files.push(file(head, &records));
    }
    let mut random = Random::from_seed(8);
    for _ in 0..mutations(2) {
        let mut bytes = files[random.below(files.len() as u64) as usize].clone();
        let end = bytes.len() - 8;
        bytes[end..].fill(0);
        mutate(&mut bytes, &mut random);
        let mut keyspace = Keyspace::new(2, Seeds::fixed(1));
        let mut reader = Reader::of_source(bytes.as_slice(), bytes.len() as u64);
        // Either is right: what matters is that it comes to an end.
        let _ = load(&mut keyspace, &mut reader, false, &mut Met::default());
    }
    assert!(peak_kib() < MEMORY_MAX_KIB, "{} KiB", peak_kib());
}

/// What an append-only file may have.
const LOGGED: [&str; 26] = [
    "SELECT 0",
    "SET a 1 PXAT 1900000000000",
    "INCRBY a 7",
    "SETRANGE a 70 x",
    "SETBIT b 900 1",
    "PFADD hll a b c",
    "RPUSH l a 1 2 b",
    "LSET l 1 x",
    "LTRIM l 0 2",
    "SADD s 1 2 3",
    "SADD s x",
    "SREM s 1",
    "HSET h f v 1 2",
    "HPEXPIREAT h 1900000000000 FIELDS 1 f",
    "ZADD z 1.5 m inf n",
    "ZREM z m",
    "XADD st 1-1 f v",
    "XGROUP CREATE st g 0",
    "XCLAIM st g c 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
    "MULTI",
    "SELECT 5",
    "RENAME a b",
    "EXEC",
    "COPY b c DB 1",
    "SPEXPIREAT s 1900000000000 MEMBERS 1 2",
    "DEL l",
];

#[test]
fn changed_append_only_files_are_refused_or_replayed() {
    let folder = Folder::new();
    let lines = format!("{ON}\nenable-debug-command yes\nproto-max-bulk-len 1mb");
    let mut server = Server::in_folder(folder.root(), &lines);
    let path = folder.path("appendonly.aof.1.incr.aof");
    let good = encoded(&LOGGED);
    let mut random = Random::from_seed(9);
    let (mut replayed, rounds) = (0, mutations(4));
    for _ in 0..rounds {
        let mut bytes = good.clone();
        mutate(&mut bytes, &mut random);
        std::fs::write(&path, &bytes).expect("it is writable");
        replayed += usize::from(server.run("DEBUG LOADAOF") == "OK");
        assert_eq!(server.run("PING"), "PONG");
    }
    assert!(
        replayed > rounds / 50 && replayed < rounds,
        "{replayed} of {rounds}"
    );
    assert!(peak_kib() < MEMORY_MAX_KIB, "{} KiB", peak_kib());
}
