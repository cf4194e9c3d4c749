//! Reads a snapshot into plain maps, and the keyspace into the same, so that they can be compared.

use oxidis::base::hash::Hasher;
use oxidis::keyspace::Keyspace;
use oxidis::rdb::read::Reader;
use oxidis::rdb::{kind, opcode};
use oxidis::types::load::{Dialect, Loaded, Room, load_value};
use oxidis::types::{Limits, ValueRef, View};
use std::collections::{BTreeMap, BTreeSet};

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
    /// The kinds of all values.
    pub kinds: BTreeSet<u8>,
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
                file.kinds.insert(kind);
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
    let limits = Limits::new(Hasher::new(1, 2));
    let mut room = Room::default();
    match load_value(kind, Dialect::Redis, reader, &limits, &mut room).expect("a value") {
        Loaded::Packed(type_of, form, bytes) => {
            let value = ValueRef::of_packed(type_of, form, bytes);
            content_of(value.expect("a collection"))
        }
        Loaded::Boxed(object) => content_of(object.view()),
        other => panic!("a collection has {other:?}"),
    }
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
            Content::Hash(fields) => fields.get_mut(&name).map(|field| &mut field.1),
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
                content: content_of(record.value()),
            };
            data.insert((db, record.key().to_vec()), entry);
        });
    }
    data
}

fn content_of(value: ValueRef<'_>) -> Content {
    let mut words: Vec<Vec<Bytes>> = Vec::new();
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
