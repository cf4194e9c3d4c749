//! Reads a snapshot into plain maps, and the keyspace into the same, so that they can be compared.

use oxidis::ds::intset::Ints;
use oxidis::ds::listpack::Pack;
use oxidis::keyspace::Keyspace;
use oxidis::keyspace::entry::RecordRef;
use oxidis::rdb::read::Reader;
use oxidis::rdb::{kind, opcode};
use oxidis::types::{ValueRef, View};
use std::collections::BTreeMap;

pub type Bytes = Vec<u8>;

/// A value in a form that knows no encodings.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    String(Bytes),
    List(Vec<Bytes>),
    /// Members with their deadlines.
    Set(BTreeMap<Bytes, Option<i64>>),
    /// Fields with values and deadlines.
    Hash(BTreeMap<Bytes, (Bytes, Option<i64>)>),
    /// Members with the bits of their scores, and deadlines.
    Zset(BTreeMap<Bytes, (u64, Option<i64>)>),
    /// The listpacks of the nodes, the number of entries, and how many groups there are.
    Stream(Vec<Bytes>, u64, u64),
}

/// What is under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub deadline: Option<i64>,
    pub content: Content,
}

/// All keys by database and name.
pub type Data = BTreeMap<(usize, Bytes), Entry>;

/// A snapshot.
#[derive(Default)]
pub struct File {
    pub version: String,
    pub fields: BTreeMap<Bytes, Bytes>,
    pub data: Data,
}

/// Reads a whole file; every byte of it must be in order.
pub fn read(bytes: &[u8]) -> File {
    let mut reader = Reader::of_bytes(bytes);
    let mut file = File::default();
    let head = reader.take(9).expect("a head");
    assert!(head.starts_with(b"REDIS"));
    file.version = String::from_utf8_lossy(&head[5..]).into_owned();
    let (mut db, mut deadline) = (0, None);
    loop {
        match reader.byte().expect("a record") {
            opcode::EOF => break,
            opcode::SELECT_DB => db = reader.number().expect("a database") as usize,
            opcode::RESIZE_DB => {
                reader.number().expect("keys");
                reader.number().expect("keys with deadlines");
            }
            opcode::AUX => {
                let name = string(&mut reader);
                let value = string(&mut reader);
                if name == oxidis::types::rdb::MEMBER_DEADLINES {
                    add_deadlines(&mut file.data, db, &value);
                } else {
                    file.fields.insert(name, value);
                }
            }
            opcode::EXPIRE_MS => deadline = Some(reader.i64().expect("a deadline")),
            opcode::IDLE => {
                reader.number().expect("seconds");
            }
            opcode::FREQ => {
                reader.byte().expect("a counter");
            }
            kind => {
                let key = string(&mut reader);
                let content = content(kind, &mut reader);
                let deadline = deadline.take();
                let before = file.data.insert((db, key), Entry { deadline, content });
                assert!(before.is_none(), "each key once");
            }
        }
    }
    let told = reader.checksum();
    let checksum = u64::from_le_bytes(reader.array().expect("a checksum"));
    assert!(checksum == told || checksum == 0, "the checksum is right");
    assert_eq!(reader.left(), 0, "nothing is behind the end");
    file
}

fn string(reader: &mut Reader<'_>) -> Bytes {
    reader.string().expect("a string").to_vec()
}

fn content(kind: u8, reader: &mut Reader<'_>) -> Content {
    if kind == kind::STRING {
        return Content::String(string(reader));
    }
    if let Some(content) = packed(kind, reader) {
        return content;
    }
    let earliest = (kind == kind::HASH_METADATA).then(|| reader.i64().expect("a deadline"));
    let count = reader.count(1).expect("a count");
    match kind {
        kind::LIST_QUICKLIST_2 => Content::List((0..count).flat_map(|_| node(reader)).collect()),
        kind::SET => Content::Set((0..count).map(|_| (string(reader), None)).collect()),
        kind::HASH | kind::HASH_METADATA => {
            let field = |_| {
                let after = earliest.map_or(0, |_| reader.number().expect("a deadline"));
                let at = |earliest: i64| earliest + after as i64 - 1;
                let deadline = earliest.filter(|_| after > 0).map(at);
                (string(reader), (string(reader), deadline))
            };
            Content::Hash((0..count).map(field).collect())
        }
        kind::ZSET_2 => {
            let member = |_| {
                let name = string(reader);
                (name, (reader.f64().expect("a score").to_bits(), None))
            };
            Content::Zset((0..count).map(member).collect())
        }
        kind::STREAM_3 => stream(count, reader),
        other => panic!("a value of kind {other}"),
    }
}

/// A collection in one string; `None`: this kind is none.
fn packed(kind: u8, reader: &mut Reader<'_>) -> Option<Content> {
    match kind {
        kind::SET_INTSET => {
            let bytes = string(reader);
            let text = |number: i64| (number.to_string().into_bytes(), None);
            Some(Content::Set(Ints::new(&bytes).iter().map(text).collect()))
        }
        kind::SET_LISTPACK => {
            let members = words(&string(reader)).into_iter();
            Some(Content::Set(members.map(|member| (member, None)).collect()))
        }
        kind::HASH_LISTPACK => {
            let words = words(&string(reader));
            let field = |pair: &[Bytes]| (pair[0].clone(), (pair[1].clone(), None));
            Some(Content::Hash(words.chunks(2).map(field).collect()))
        }
        kind::HASH_LISTPACK_EX => {
            reader.i64().expect("the earliest deadline");
            let words = words(&string(reader));
            let field = |triple: &[Bytes]| {
                let deadline = parse::<i64>(&triple[2]);
                let deadline = Some(deadline).filter(|deadline| *deadline != 0);
                (triple[0].clone(), (triple[1].clone(), deadline))
            };
            Some(Content::Hash(words.chunks(3).map(field).collect()))
        }
        kind::ZSET_LISTPACK => {
            let words = words(&string(reader));
            let member = |pair: &[Bytes]| {
                let score = parse::<f64>(&pair[1]);
                (pair[0].clone(), (score.to_bits(), None))
            };
            Some(Content::Zset(words.chunks(2).map(member).collect()))
        }
        _ => None,
    }
}

fn parse<T: std::str::FromStr>(text: &[u8]) -> T {
    let text = String::from_utf8_lossy(text);
    text.parse()
        .unwrap_or_else(|_| panic!("a number, not {text}"))
}

/// The elements of a listpack.
fn words(bytes: &[u8]) -> Vec<Bytes> {
    let mut room = Vec::new();
    let items = Pack::check(bytes).expect("a true listpack").iter();
    items
        .map(|item| item.element.bytes(&mut room).to_vec())
        .collect()
}

fn node(reader: &mut Reader<'_>) -> Vec<Bytes> {
    let form = reader.number().expect("a form");
    let bytes = string(reader);
    if form == 1 {
        return vec![bytes];
    }
    words(&bytes)
}

/// A stream without groups, or with groups of which nothing was read.
fn stream(nodes: usize, reader: &mut Reader<'_>) -> Content {
    let packs = (0..nodes).map(|_| {
        assert_eq!(string(reader).len(), 16, "an id");
        string(reader)
    });
    let packs = packs.collect();
    let entries = reader.number().expect("entries");
    for _ in 0..7 {
        reader.number().expect("ids and entries ever added");
    }
    let groups = reader.number().expect("groups");
    for _ in 0..groups {
        string(reader);
        for _ in 0..5 {
            reader
                .number()
                .expect("ids, entries read, nothing pending, nobody");
        }
    }
    Content::Stream(packs, entries, groups)
}

fn add_deadlines(data: &mut Data, db: usize, value: &[u8]) {
    let mut reader = Reader::of_bytes(value);
    let key = string(&mut reader);
    let entry = data.get_mut(&(db, key)).expect("the key comes before");
    while reader.left() > 0 {
        let name = string(&mut reader);
        let deadline = Some(reader.i64().expect("a deadline"));
        let place = match &mut entry.content {
            Content::Set(members) => members.get_mut(&name),
            Content::Zset(members) => members.get_mut(&name).map(|member| &mut member.1),
            other => panic!("{other:?} has no members"),
        };
        *place.expect("a member") = deadline;
    }
}

/// What is in a keyspace now.
pub fn data_of(keyspace: &Keyspace) -> Data {
    let mut data = Data::new();
    for db in 0..keyspace.databases() {
        keyspace.store(db).for_each(|record| {
            let entry = Entry {
                deadline: record.deadline(),
                content: content_of(record),
            };
            data.insert((db, record.key().to_vec()), entry);
        });
    }
    data
}

fn content_of(record: RecordRef<'_>) -> Content {
    let mut words: Vec<Vec<Bytes>> = Vec::new();
    let value = record.value();
    value.visit(i64::MIN, &mut |element| {
        words.push(element.iter().map(|word| word.to_vec()).collect());
    });
    let mut firsts = words.iter().map(|words| words[0].clone());
    match value {
        ValueRef::String(_) => Content::String(firsts.next().expect("one")),
        ValueRef::List(_) => Content::List(firsts.collect()),
        ValueRef::Set(set) => {
            let deadline = |name: &Bytes| set.deadline_of(name, i64::MIN).flatten();
            Content::Set(firsts.map(|name| (name.clone(), deadline(&name))).collect())
        }
        ValueRef::Zset(zset) => {
            let member = |name: Bytes| {
                let score = zset.score(&name).expect("a member").to_bits();
                let deadline = zset.deadline(&name).flatten();
                (name, (score, deadline))
            };
            Content::Zset(firsts.map(member).collect())
        }
        ValueRef::Hash(hash) => {
            let (mut fields, mut rooms) = (BTreeMap::new(), (Vec::new(), Vec::new()));
            hash.for_each_field(|name, field| {
                let value = field.value.bytes(&mut rooms.1).to_vec();
                let name = name.bytes(&mut rooms.0).to_vec();
                fields.insert(name, (value, field.deadline));
            });
            Content::Hash(fields)
        }
        ValueRef::Stream(stream) => Content::Stream(
            stream.log.packs().map(|(_, pack)| pack.to_vec()).collect(),
            View::len(stream) as u64,
            stream.groups.len() as u64,
        ),
    }
}
