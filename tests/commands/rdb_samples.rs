//! A value of every kind that RDB files of any version have, written by hand, and what a command answers of it.

use oxidis::base::number::parse_i64;
use oxidis::ds::intset::Intset;
use oxidis::ds::listpack::Listpack;
use oxidis::rdb::{Encoder, VERSION, VERSION_FIELD_EXPIRY, VERSION_VALKEY, kind, seal_payload};

/// See the head of the file.
pub struct Sample {
    pub kind: u8,
    pub version: u16,
    pub body: Vec<u8>,
    /// A command for the key `k`, and its reply in short.
    pub check: (&'static str, &'static str),
}

impl Sample {
    /// Its DUMP payload.
    pub fn payload(&self) -> Vec<u8> {
        payload(self.kind, self.version, &self.body)
    }
}

/// A payload of any bytes.
pub fn payload(kind: u8, version: u16, body: &[u8]) -> Vec<u8> {
    let mut payload = [&[kind][..], body].concat();
    seal_payload(&mut payload, version);
    payload
}

fn body(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut encoder = Encoder::default();
    write(&mut encoder);
    encoder.bytes
}

fn strings(to: &mut Encoder, words: &[&str]) {
    words.iter().for_each(|word| to.string(word.as_bytes()));
}

/// A ziplist as servers wrote it until Redis 6.2.
pub fn ziplist(words: &[&str]) -> Vec<u8> {
    let (mut entries, mut before, mut last) = (Vec::new(), 0u8, 10);
    for word in words {
        last = 10 + entries.len();
        entries.push(before);
        match parse_i64(word.as_bytes()) {
            Some(value) => {
                entries.push(0xe0);
                entries.extend_from_slice(&value.to_le_bytes());
            }
            None => {
                entries.push(u8::try_from(word.len()).expect("words are short"));
                entries.extend_from_slice(word.as_bytes());
            }
        }
        before = u8::try_from(10 + entries.len() - last).expect("words are short");
    }
    let total = u32::try_from(entries.len() + 11).expect("lists are short");
    let mut bytes = total.to_le_bytes().to_vec();
    bytes.extend_from_slice(&u32::try_from(last).expect("lists are short").to_le_bytes());
    bytes.extend_from_slice(&u16::try_from(words.len()).expect("few").to_le_bytes());
    bytes.extend_from_slice(&entries);
    bytes.push(0xff);
    bytes
}

/// A listpack of words; what looks like a number is one.
pub fn listpack(words: &[&str]) -> Vec<u8> {
    let pack: Listpack = words.iter().collect();
    pack.pack().bytes().to_vec()
}

fn intset(values: &[i64]) -> Vec<u8> {
    let mut ints = Intset::new();
    values.iter().for_each(|value| {
        ints.insert(*value);
    });
    ints.ints().bytes().to_vec()
}

fn text_score(to: &mut Encoder, text: &str) {
    to.byte(u8::try_from(text.len()).expect("scores are short"));
    to.raw(text.as_bytes());
}

/// A stream with the entry 1-1, which the consumer c of the group g has.
fn stream(version: u8) -> Vec<u8> {
    const ID: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    body(|to| {
        to.length(1);
        to.plain_string(&ID);
        to.plain_string(&listpack(&[
            "1", "0", "1", "f", "0", "2", "0", "0", "v", "4",
        ]));
        [1, 1, 1].iter().for_each(|number| to.number(*number));
        if version >= 2 {
            // First id, largest deleted id, entries ever added.
            [1, 1, 0, 0, 1].iter().for_each(|number| to.number(*number));
        }
        to.length(1);
        to.string(b"g");
        [1, 1].iter().for_each(|number| to.number(*number));
        if version >= 2 {
            to.number(1);
        }
        to.length(1);
        to.raw(&ID);
        to.i64(1_700_000_000_000);
        to.number(3);
        to.length(1);
        to.string(b"c");
        to.i64(1_700_000_000_000);
        if version >= 3 {
            to.i64(1_700_000_000_000);
        }
        to.length(1);
        to.raw(&ID);
    })
}

fn sample(
    kind: u8,
    check: (&'static str, &'static str),
    write: impl FnOnce(&mut Encoder),
) -> Sample {
    Sample {
        kind,
        version: VERSION,
        body: body(write),
        check,
    }
}

/// All of them.
pub fn samples() -> Vec<Sample> {
    let mut all = old_samples();
    all.extend(new_samples());
    all
}

const LIST: (&str, &str) = ("LRANGE k 0 -1", "[a 1 b]");
const ZSET: (&str, &str) = ("ZRANGE k 0 -1 WITHSCORES", "[a 1.5 b 2]");
const HASH: (&str, &str) = ("HGETALL k", "[f v g 7]");
const PENDING: (&str, &str) = ("XPENDING k g", "[(1) 1-1 1-1 [[c 1]]]");
const DEADLINES: (&str, &str) = ("HPEXPIRETIME k FIELDS 2 f g", "[(-1) (1900000000000)]");

fn old_samples() -> Vec<Sample> {
    vec![
        sample(kind::LIST, LIST, |to| {
            to.length(3);
            strings(to, &["a", "1", "b"]);
        }),
        sample(kind::ZSET, ZSET, |to| {
            to.length(2);
            to.string(b"b");
            text_score(to, "2");
            to.string(b"a");
            text_score(to, "1.5");
        }),
        sample(kind::ZSET, ("ZSCORE k b", "inf"), |to| {
            to.length(1);
            to.string(b"b");
            to.byte(254);
        }),
        sample(
            kind::HASH_ZIPMAP,
            ("HMGET k foo hello", "[bar world]"),
            |to| {
                to.plain_string(b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world..\xff");
            },
        ),
        sample(kind::LIST_ZIPLIST, LIST, |to| {
            to.plain_string(&ziplist(&["a", "1", "b"]));
        }),
        sample(kind::ZSET_ZIPLIST, ZSET, |to| {
            to.plain_string(&ziplist(&["a", "1.5", "b", "2"]));
        }),
        sample(kind::HASH_ZIPLIST, HASH, |to| {
            to.plain_string(&ziplist(&["f", "v", "g", "7"]));
        }),
        sample(kind::LIST_QUICKLIST, LIST, |to| {
            to.length(2);
            to.plain_string(&ziplist(&["a", "1"]));
            to.plain_string(&ziplist(&["b"]));
        }),
        Sample {
            kind: kind::STREAM,
            version: 9,
            body: stream(1),
            check: PENDING,
        },
        Sample {
            kind: kind::STREAM_2,
            version: 10,
            body: stream(2),
            check: PENDING,
        },
    ]
}

fn new_samples() -> Vec<Sample> {
    const LATER: i64 = 1_900_000_000_000;
    let mut all = vec![
        sample(kind::STRING, ("GET k", "hello"), |to| to.string(b"hello")),
        sample(kind::STRING, ("GET k", "-70000"), |to| to.string(b"-70000")),
        sample(kind::STRING, ("GET k", "aaaaaaaa"), |to| {
            // LZF: a literal, and a copy of seven from one byte back.
            to.raw(&[0xc3, 4, 8, 0, b'a', 0xa0, 0]);
        }),
        sample(kind::SET, ("SCARD k", "(3)"), |to| {
            to.length(3);
            strings(to, &["a", "b", "5"]);
        }),
        sample(kind::SET_INTSET, ("SMEMBERS k", "[-5 1 70000]"), |to| {
            to.plain_string(&intset(&[1, 70_000, -5]));
        }),
        sample(kind::SET_LISTPACK, ("SMEMBERS k", "[a 5 b]"), |to| {
            to.plain_string(&listpack(&["a", "5", "b"]));
        }),
        sample(kind::ZSET_2, ZSET, |to| {
            to.length(2);
            to.string(b"b");
            to.f64(2.0);
            to.string(b"a");
            to.f64(1.5);
        }),
        sample(kind::ZSET_LISTPACK, ZSET, |to| {
            to.plain_string(&listpack(&["a", "1.5", "b", "2"]));
        }),
        sample(kind::HASH, HASH, |to| {
            to.length(2);
            strings(to, &["f", "v", "g", "7"]);
        }),
        sample(kind::HASH_LISTPACK, HASH, |to| {
            to.plain_string(&listpack(&["f", "v", "g", "7"]));
        }),
        sample(kind::LIST_QUICKLIST_2, LIST, |to| {
            to.length(2);
            to.length(2);
            to.plain_string(&listpack(&["a", "1"]));
            to.length(1);
            to.string(b"b");
        }),
        sample(kind::STREAM_3, PENDING, |to| to.raw(&stream(3))),
    ];
    let mut valkey = sample(kind::HASH_VALKEY, DEADLINES, |to| {
        to.length(2);
        strings(to, &["f", "v"]);
        to.i64(-1);
        strings(to, &["g", "w"]);
        to.i64(LATER);
    });
    valkey.version = VERSION_VALKEY;
    let mut metadata = sample(kind::HASH_METADATA, DEADLINES, |to| {
        to.i64(LATER - 5);
        to.length(2);
        to.number(0);
        strings(to, &["f", "v"]);
        to.number(6);
        strings(to, &["g", "w"]);
    });
    metadata.version = VERSION_FIELD_EXPIRY;
    let mut triples = sample(kind::HASH_LISTPACK_EX, DEADLINES, |to| {
        to.i64(LATER);
        to.plain_string(&listpack(&["g", "w", "1900000000000", "f", "v", "0"]));
    });
    triples.version = VERSION_FIELD_EXPIRY;
    all.extend([valkey, metadata, triples]);
    all
}

/// Commands that make a value of every encoding, each under a name of its own.
pub const FILL: &str = "
    SET string:int 12345
    SET string:embstr hello
    SET string:raw aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    SETRANGE string:shared 20000 x
    RPUSH list:small a 1 -70000 9223372036854775807
    SADD set:ints 1 2 -70000
    SADD set:packed a 1 b
    ZADD zset:packed 1.5 a 2 b -inf c
    HSET hash:packed f v 1 2
    HSET hash:expiring f v g w
    HPEXPIREAT hash:expiring 1900000000000 FIELDS 1 f
    HSET hash:settled f v g w
    HPEXPIREAT hash:settled 1900000000000 FIELDS 1 f
    HPERSIST hash:settled FIELDS 1 f
    XADD stream 1-1 f v
    XADD stream 1-2 f v g w
    XADD stream 2-1 f v
    XDEL stream 1-2
    XGROUP CREATE stream group 0
    XREADGROUP GROUP group alice COUNT 1 STREAMS stream >
    XREADGROUP GROUP group bob STREAMS stream >
    XGROUP CREATECONSUMER stream group idle
    XGROUP CREATE stream:empty group 0 MKSTREAM
";

/// Names, commands and words that make a large value of each type.
pub const LARGE: [(&str, &str, usize); 4] = [
    ("list:long", "RPUSH", 1),
    ("set:table", "SADD", 1),
    ("zset:table", "ZADD", 2),
    ("hash:table", "HSET", 2),
];

/// Makes all of them.
pub fn fill(server: &mut crate::harness::Server) {
    for line in FILL.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let reply = server.run(line);
        assert!(!reply.starts_with('!'), "{line}: {reply}");
    }
    for (name, command, words) in LARGE {
        for number in 0..700 {
            let numbers = vec![number.to_string(); words].join(" ");
            let word = "x".repeat(if number == 5 { 100 } else { 0 });
            server.run(&format!("{command} {name} {numbers}{word}"));
        }
    }
    server.run("HPEXPIREAT hash:table 1900000000000 FIELDS 2 3 4");
    server.run("PEXPIREAT list:long 1900000000000");
}
