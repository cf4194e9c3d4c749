//! What a value looks like in an RDB file: its kind, and its body. Which encoding a value has after loading is up to
//! whoever loads it ([`super::load`]). A packed collection goes out as its own bytes, which are those of Redis; all others
//! element by element.
//!
//! ```text
//! set    11  intset                  20  listpack of members
//! zset   17  listpack of members and scores
//! hash   16  listpack of pairs       25  earliest deadline i64, listpack of triples
//! list   18  nodes, (2, listpack | 1, element)...
//! set     2  count, members                zset     5  count, member, score of 8 bytes...
//! hash    4  count, field, value...
//! hash   24  earliest deadline i64, count, (deadline - earliest + 1, or 0: none; field; value)...
//! stream 21  nodes, (16, first id, listpack)..., entries, last id, first id, largest deleted id, entries ever added,
//!            groups, (name, last id, entries read, pending..., consumers...)...
//! ```
//! A large collection is not encoded at once: [`Head`] writes what stands before its elements, and the elements follow one
//! by one while the collection is walked. Deadlines of members of sets and sorted sets have no place in a value; they
//! follow it in auxiliary fields of the name [`MEMBER_DEADLINES`], which other servers pass over. For Redis 7.0
//! ([`Edition::Redis70`]) kinds 20, 21, 24 and 25 are written as 2, 19, 4 and 16, and deadlines of fields follow in the same way:
//! there the fields live for ever, here none is lost.
//!
//! ```text
//! value of the field  key, (member, deadline i64)...     strings as everywhere in the file
//! ```

use super::hash::{DEADLINE_MAX, HashRef};
use super::set::SetRef;
use super::stream::{Stream, StreamId};
use super::string::StringRef;
use super::zset::ZsetRef;
use super::{Type, ValueRef, Walked};
use crate::ds::listpack::Listpack;
use crate::ds::quicklist::Part;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::{Edition, Encoder, kind, opcode};

/// The forms of a list's node: one element that stands alone, and a listpack.
const NODE_PLAIN: usize = 1;
const NODE_PACKED: usize = 2;
/// The name of the auxiliary fields with the deadlines of members of the key before them.
pub const MEMBER_DEADLINES: &[u8] = b"oxidis-member-deadlines";

/// The kind of a large collection's body and what stands before its elements.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The kind.
    pub kind: u8,
    elements: usize,
    /// The earliest deadline of a field.
    earliest: i64,
    /// Deadlines of fields have no place in it.
    is_without_deadlines: bool,
}

impl Head {
    /// Of a collection of this type with so many elements, whose first deadline this is.
    pub fn of(
        type_of: Type,
        elements: usize,
        first_deadline: Option<i64>,
        edition: Edition,
    ) -> Self {
        let kind = match (type_of, first_deadline) {
            (Type::Hash, Some(_)) if edition == Edition::Current => kind::HASH_METADATA,
            (Type::Hash, _) => kind::HASH,
            (Type::Zset, _) => kind::ZSET_2,
            (Type::Set, _) => kind::SET,
            (Type::List | Type::String | Type::Stream, _) => kind::LIST,
        };
        Self {
            kind,
            elements,
            earliest: first_deadline.unwrap_or(0),
            is_without_deadlines: edition == Edition::Redis70,
        }
    }

    /// What stands before the elements.
    pub fn encode(&self, to: &mut Encoder) {
        if self.kind == kind::HASH_METADATA {
            to.i64(self.earliest);
        }
        to.length(self.elements);
    }

    /// An element.
    #[inline]
    pub fn encode_element(&self, element: Walked<'_>, to: &mut Encoder) {
        if self.kind == kind::HASH_METADATA {
            // Deadlines count from 1 on; the earliest of all is the earliest of this one too.
            let after = |deadline: i64| deadline.wrapping_sub(self.earliest).wrapping_add(1) as u64;
            to.number(element.deadline.map_or(0, after));
        }
        to.string(element.name);
        if let Some(value) = element.value {
            to.string(value);
        }
        if let Some(score) = element.score {
            to.f64(score);
        }
    }

    /// Whether the deadlines of its elements have no place in the body.
    pub fn keeps_deadlines_apart(&self) -> bool {
        matches!(self.kind, kind::SET | kind::ZSET_2) || self.is_without_deadlines
    }
}

/// Deadlines of members that were read.
#[derive(Debug)]
pub struct ReadDeadlines {
    /// The key; empty in a payload.
    pub key: Vec<u8>,
    /// Members with their deadlines.
    pub members: Vec<(Vec<u8>, i64)>,
}

/// Reads the value of the auxiliary field one deadline after the other.
pub struct DeadlineReader<'v> {
    /// The key; empty in a payload.
    pub key: Vec<u8>,
    name: Vec<u8>,
    from: Reader<'v>,
}

impl<'v> DeadlineReader<'v> {
    /// Reads the key.
    ///
    /// # Errors
    /// What is wrong with it; offsets count from the beginning of `value`.
    pub fn begin(value: &'v [u8]) -> Result<Self, ReadError> {
        let mut from = Reader::of_source(value, value.len() as u64);
        let key = from.string()?.to_vec();
        Ok(Self {
            key,
            name: Vec::new(),
            from,
        })
    }

    /// The next member and its deadline; `None` at the end.
    ///
    /// # Errors
    /// What is wrong with it; offsets count from the beginning of the value.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend its items"
    )]
    pub fn next(&mut self) -> Result<Option<(&[u8], i64)>, ReadError> {
        if self.from.left() == 0 {
            return Ok(None);
        }
        self.name.clear();
        self.name.extend_from_slice(self.from.string()?);
        let at = self.from.i64()?;
        if !(0..=DEADLINE_MAX).contains(&at) {
            return Err(self.from.corrupt("a deadline", "one that is out of range"));
        }
        Ok(Some((&self.name, at)))
    }
}

/// The error of an auxiliary field, as one of the file in which its value stands behind `at`.
pub fn in_field(error: &ReadError, at: u64) -> ReadError {
    ReadError::Corrupt {
        at,
        expected: "deadlines of members",
        found: format!("others ({error} in the field)"),
    }
}

/// Deadlines of members, collected while their collection is walked.
#[derive(Debug, Default)]
pub struct MemberDeadlines {
    pairs: Encoder,
}

impl MemberDeadlines {
    /// Reads the value of the auxiliary field.
    ///
    /// # Errors
    /// What is wrong with it; offsets count from its beginning.
    pub fn read(value: &[u8]) -> Result<ReadDeadlines, ReadError> {
        let mut from = DeadlineReader::begin(value)?;
        let mut members = Vec::new();
        while let Some((name, at)) = from.next()? {
            members.push((name.to_vec(), at));
        }
        let key = from.key;
        Ok(ReadDeadlines { key, members })
    }

    /// Notes one.
    pub fn add(&mut self, name: &[u8], deadline: i64) {
        self.pairs.string(name);
        self.pairs.i64(deadline);
    }

    /// Bytes of those that were noted.
    pub fn bytes(&self) -> usize {
        self.pairs.len()
    }

    /// The auxiliary field of the key, which the deadlines leave with it; nothing if there are none.
    pub fn encode(&mut self, key: &[u8], to: &mut Encoder) {
        if self.pairs.is_empty() {
            return;
        }
        let mut value = Encoder::default();
        value.string(key);
        value.append(&self.pairs);
        to.byte(opcode::AUX);
        to.string(MEMBER_DEADLINES);
        to.plain_string(&value.bytes);
        self.pairs.clear();
    }
}

/// The body of a stream of kind 21 as one of kind 19, which Redis 7.0 reads too: all but the times at which consumers last
/// got something.
///
/// # Errors
/// The body is none of kind 21.
pub fn stream_for_redis_7_0(body: &[u8]) -> Result<Vec<u8>, ReadError> {
    /// Entries, three ids, entries ever added.
    const NUMBERS: usize = 8;
    let mut from = Reader::of_bytes(body);
    let (mut older, mut kept) = (Vec::with_capacity(body.len()), 0);
    for _ in 0..from.count(2)? {
        from.skip_string()?;
        from.skip_string()?;
    }
    for _ in 0..NUMBERS {
        from.number()?;
    }
    for _ in 0..from.count(4)? {
        from.skip_string()?;
        for _ in 0..3 {
            from.number()?;
        }
        for _ in 0..from.count(25)? {
            from.array::<24>()?;
            from.number()?;
        }
        for _ in 0..from.count(18)? {
            from.skip_string()?;
            from.i64()?;
            let active = usize::try_from(from.offset()).unwrap_or(body.len());
            older.extend_from_slice(body.get(kept..active).unwrap_or_default());
            from.i64()?;
            kept = active + size_of::<i64>();
            for _ in 0..from.count(16)? {
                from.array::<16>()?;
            }
        }
    }
    older.extend_from_slice(body.get(kept..).unwrap_or_default());
    Ok(older)
}

/// A node of a list.
pub fn save_list_node(node: Part<'_>, to: &mut Encoder) {
    match node {
        Part::Packed(pack) => {
            to.length(NODE_PACKED);
            to.plain_string(pack.bytes());
        }
        Part::Plain(bytes) => {
            to.length(NODE_PLAIN);
            to.plain_string(bytes);
        }
    }
}

fn save_id(id: StreamId, to: &mut Encoder) {
    to.raw(&id.ms.to_be_bytes());
    to.raw(&id.seq.to_be_bytes());
}

/// A node of a stream.
pub fn save_stream_node(id: StreamId, pack: &[u8], to: &mut Encoder) {
    /// The length of what follows.
    const ID_BYTES: usize = 16;
    to.length(ID_BYTES);
    save_id(id, to);
    to.plain_string(pack);
}

/// What follows the nodes of a stream. Entries that were given back have no owner, for which there is no place: they are
/// left out.
pub fn save_stream_rest(stream: &Stream, to: &mut Encoder, edition: Edition) {
    let log = &stream.log;
    to.number(log.len());
    for id in [log.last_id, log.first_id(), log.max_deleted_id] {
        to.number(id.ms);
        to.number(id.seq);
    }
    to.number(log.entries_added);
    to.length(stream.groups.len());
    for (name, group) in &stream.groups {
        to.string(name);
        to.number(group.last_id.ms);
        to.number(group.last_id.seq);
        to.number(group.entries_read.unwrap_or(u64::MAX));
        to.length(group.pending_len() - group.unowned_len());
        for (id, pending) in group.pending_range(..) {
            if pending.owner.is_some() {
                save_id(id, to);
                to.i64(pending.delivered_ms);
                to.number(pending.deliveries.unsigned_abs());
            }
        }
        to.length(
            group
                .consumers()
                .filter(|(_, consumer)| consumer.is_some())
                .count(),
        );
        for (name, consumer) in group.consumers() {
            let Some(consumer) = consumer else { continue };
            to.string(name);
            to.i64(consumer.seen_ms);
            if edition == Edition::Current {
                to.i64(consumer.active_ms);
            }
            to.length(consumer.pending.len());
            consumer.pending.iter().for_each(|id| save_id(*id, to));
        }
    }
}

impl ValueRef<'_> {
    /// The kind of the body that [`Self::save`] writes.
    pub fn rdb_kind(self, edition: Edition) -> u8 {
        let is_current = edition == Edition::Current;
        match self {
            ValueRef::String(_) => kind::STRING,
            ValueRef::List(_) => kind::LIST_QUICKLIST_2,
            ValueRef::Set(SetRef::Ints(_)) => kind::SET_INTSET,
            ValueRef::Set(SetRef::Packed(_)) if is_current => kind::SET_LISTPACK,
            ValueRef::Set(SetRef::Packed(_) | SetRef::Table(_)) => kind::SET,
            ValueRef::Zset(ZsetRef::Packed(_)) => kind::ZSET_LISTPACK,
            ValueRef::Zset(ZsetRef::Table(_)) => kind::ZSET_2,
            ValueRef::Hash(hash) => match (hash, hash.first_deadline()) {
                (HashRef::Expiring(_), Some(_)) if is_current => kind::HASH_LISTPACK_EX,
                (HashRef::Packed(_) | HashRef::Expiring(_), _) => kind::HASH_LISTPACK,
                (HashRef::Table(_), Some(_)) if is_current => kind::HASH_METADATA,
                (HashRef::Table(_), _) => kind::HASH,
            },
            ValueRef::Stream(_) if is_current => kind::STREAM_3,
            ValueRef::Stream(_) => kind::STREAM_2,
        }
    }

    /// The body.
    pub fn save(self, to: &mut Encoder, edition: Edition) {
        match self {
            ValueRef::String(StringRef::Int(value)) => to.int(value),
            ValueRef::String(StringRef::Bytes { bytes, .. }) => to.string(bytes),
            ValueRef::String(StringRef::Shared(bytes)) => to.plain_string(bytes),
            ValueRef::List(list) => {
                to.length(list.parts_from(0).count());
                let parts = list.parts_from(0);
                parts.for_each(|(part, _)| save_list_node(part, to));
            }
            ValueRef::Set(SetRef::Ints(ints)) => to.plain_string(ints.bytes()),
            ValueRef::Set(SetRef::Packed(pack)) if edition == Edition::Redis70 => {
                let mut room = Vec::new();
                to.length(pack.len());
                let members = pack.iter().map(|item| item.element);
                members.for_each(|member| to.string(member.bytes(&mut room)));
            }
            ValueRef::Set(SetRef::Packed(pack)) | ValueRef::Zset(ZsetRef::Packed(pack)) => {
                to.plain_string(pack.bytes());
            }
            // Whether a member has expired is for the reader to decide.
            ValueRef::Set(SetRef::Table(members)) => {
                to.length(members.len());
                members.iter().for_each(|member| to.string(member.name()));
            }
            // Readers insert one that comes before all others with the least effort.
            ValueRef::Zset(ZsetRef::Table(ranking)) => {
                to.length(ranking.len());
                for (member, score) in ranking.range(0..ranking.len()).rev() {
                    to.string(member.name());
                    to.f64(score);
                }
            }
            ValueRef::Hash(hash) => save_hash(hash, to, edition),
            ValueRef::Stream(stream) => {
                to.length(stream.log.nodes());
                let packs = stream.log.packs();
                packs.for_each(|(id, pack)| save_stream_node(id, pack, to));
                save_stream_rest(stream, to, edition);
            }
        }
    }

    /// The members whose deadline has no place in the body, each with it.
    pub fn for_each_deadline_apart(self, edition: Edition, mut visit: impl FnMut(&[u8], i64)) {
        match self {
            ValueRef::Set(SetRef::Table(members)) if members.expiring() > 0 => {
                for member in members.iter() {
                    member
                        .deadline()
                        .into_iter()
                        .for_each(|at| visit(member.name(), at));
                }
            }
            ValueRef::Zset(ZsetRef::Table(ranking)) if ranking.members().expiring() > 0 => {
                for member in ranking.members().iter() {
                    member
                        .deadline()
                        .into_iter()
                        .for_each(|at| visit(member.name(), at));
                }
            }
            ValueRef::Hash(hash) if edition == Edition::Redis70 => {
                let mut room = Vec::new();
                hash.for_each_field(|name, field| {
                    let deadline = field.deadline.into_iter();
                    deadline.for_each(|at| visit(name.bytes(&mut room), at));
                });
            }
            _ => {}
        }
    }
}

fn save_hash(hash: HashRef<'_>, to: &mut Encoder, edition: Edition) {
    match (hash, hash.first_deadline()) {
        (HashRef::Packed(pack), _) => to.plain_string(pack.bytes()),
        (HashRef::Expiring(pack), Some(earliest)) if edition == Edition::Current => {
            to.i64(earliest);
            to.plain_string(pack.bytes());
        }
        // It has had deadlines: what is left of them is nothing, or has no place here.
        (HashRef::Expiring(_), _) => {
            let mut pairs = Listpack::new();
            hash.for_each_field(|name, field| {
                pairs.push_back_element(name);
                pairs.push_back_element(field.value);
            });
            to.plain_string(pairs.pack().bytes());
        }
        (HashRef::Table(members), earliest) => {
            let head = Head::of(Type::Hash, members.len(), earliest, edition);
            head.encode(to);
            for member in members.iter() {
                let element = Walked {
                    name: member.name(),
                    value: Some(member.value()),
                    score: None,
                    deadline: member.deadline(),
                };
                head.encode_element(element, to);
            }
        }
    }
}
