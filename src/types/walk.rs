//! Values from RDB bytes handed out element by element, for those who look at a file without keeping what is in it: its
//! check and its export. How an element is read and checked is told beside the loading of each type (`load.rs`); here it
//! is only handed on, so that a value of any size takes no more memory than its longest string.
//!
//! What needs the whole value in memory is left to others: that the elements of a collection which stands there element
//! by element (kinds 2 to 5, 22, 24) differ.

use super::load::{Dialect, Room, module, with_word};
use super::stream::StreamId;
use super::{Type, hash, list, set, stream, zset};
use crate::base::hash::Hasher;
use crate::base::number::Decimal;
use crate::ds::intset::Ints;
use crate::ds::listpack::{Element, Pack};
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::ziplist::visit_ziplist;

/// A piece of a value.
pub enum Item<'a> {
    /// The whole of a string.
    String(&'a [u8]),
    /// An element of a list.
    Element(&'a [u8]),
    /// A member of a set.
    Member(&'a [u8]),
    /// A member of a sorted set, and its score.
    Scored(&'a [u8], f64),
    /// A field of a hash, its value, and its deadline in Unix milliseconds.
    Field(&'a [u8], &'a [u8], Option<i64>),
    /// An entry of a stream, its fields and values; entries come first.
    Entry(StreamId, &'a [(Element<'a>, Element<'a>)]),
    /// What a stream knows besides its entries; groups follow.
    Log(LogNumbers),
    /// A group of a stream.
    Group {
        /// Its name.
        name: &'a [u8],
        /// What was delivered last.
        last_id: StreamId,
        /// Entries up to there; `None`: not known.
        entries_read: Option<u64>,
    },
    /// A pending entry of the group that came last: id, Unix milliseconds, how often it was delivered.
    Pending(StreamId, i64, i64),
    /// A consumer of that group; it follows the pending entries.
    Consumer {
        /// Its name.
        name: &'a [u8],
        /// When it last tried to get something, Unix milliseconds.
        seen_ms: i64,
        /// When it last got something, Unix milliseconds; -1: never.
        active_ms: i64,
    },
    /// A pending entry that this consumer has.
    Owned(StreamId),
}

/// What a stream knows besides its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogNumbers {
    /// The largest id that was ever used.
    pub last_id: StreamId,
    /// The largest id that was deleted.
    pub max_deleted_id: StreamId,
    /// Entries that were ever added.
    pub entries_added: u64,
}

/// The type of the values of a kind; `None`: there is none that this server has.
pub fn type_of_kind(of_kind: u8, dialect: Dialect) -> Option<Type> {
    match of_kind {
        kind::STRING => Some(Type::String),
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => {
            Some(Type::List)
        }
        kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => Some(Type::Set),
        kind::ZSET | kind::ZSET_2 | kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => Some(Type::Zset),
        kind::HASH
        | kind::HASH_ZIPMAP
        | kind::HASH_ZIPLIST
        | kind::HASH_LISTPACK
        | kind::HASH_METADATA
        | kind::HASH_LISTPACK_EX => Some(Type::Hash),
        kind::HASH_VALKEY if dialect == Dialect::Valkey => Some(Type::Hash),
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 => Some(Type::Stream),
        _ => None,
    }
}

/// Reads the body of a value and gives `visit` each piece of it.
///
/// # Errors
/// Why the bytes are none, or the kind is none that this server knows; and what `visit` says.
pub fn walk_value<E: From<ReadError>>(
    of_kind: u8,
    dialect: Dialect,
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match type_of_kind(of_kind, dialect) {
        Some(Type::String) => visit(Item::String(from.string()?)),
        Some(Type::List) => walk_list(of_kind, from, room, visit),
        Some(Type::Set) => walk_set(of_kind, from, hasher, room, visit),
        Some(Type::Zset) => walk_zset(of_kind, from, hasher, room, visit),
        Some(Type::Hash) => walk_hash(of_kind, from, hasher, room, visit),
        Some(Type::Stream) => stream::load::walk(of_kind, from, hasher, visit),
        None if of_kind == kind::MODULE_2 => Err(module(from).into()),
        None => Err(from.corrupt("a kind of value", of_kind).into()),
    }
}

/// Shows an element of a listpack as a word.
#[inline]
pub fn with_element<R>(element: Element<'_>, see: impl FnOnce(&[u8]) -> R) -> R {
    match element {
        Element::Int(value) => see(Decimal::new(value).bytes()),
        Element::Bytes(bytes) => see(bytes),
    }
}

fn elements<'a>(pack: Pack<'a>) -> impl Iterator<Item = Element<'a>> {
    pack.iter().map(|item| item.element)
}

/// Has a packed collection of old files read, whose readers know no error but that the bytes are none (`None`): after an
/// error of `visit` it is shown nothing any more.
fn walk_old<E>(
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
    read: impl FnOnce(&mut dyn FnMut(Item<'_>)) -> Option<()>,
) -> Result<Option<()>, E> {
    let mut visited = Ok(());
    let whole = read(&mut |item| {
        if visited.is_ok() {
            visited = visit(item);
        }
    });
    visited.map(|()| whole)
}

fn walk_list<E: From<ReadError>>(
    of_kind: u8,
    from: &mut Reader<'_>,
    room: &mut Room,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let parts = list::load::read_parts(of_kind, from)?;
    for _ in 0..parts {
        match of_kind {
            kind::LIST => visit(Item::Element(from.string()?))?,
            kind::LIST_QUICKLIST_2 => match list::load::read_node_form(from)? {
                list::load::NodeForm::Plain => {
                    let bytes = from.string()?;
                    if bytes.is_empty() {
                        return Err(list::load::empty_alone(from).into());
                    }
                    visit(Item::Element(bytes))?;
                }
                list::load::NodeForm::Packed => {
                    room.take_listpack(from, 1)?;
                    elements(room.pack())
                        .try_for_each(|it| with_element(it, |word| visit(Item::Element(word))))?;
                }
            },
            _ => {
                let blob = from.string()?;
                let whole = walk_old(visit, |show| {
                    visit_ziplist(blob, |entry| {
                        with_word(entry, |word| show(Item::Element(word)));
                    })
                })?;
                whole.ok_or_else(|| from.corrupt("a ziplist", "other bytes"))?;
            }
        }
    }
    Ok(())
}

fn walk_set<E: From<ReadError>>(
    of_kind: u8,
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match of_kind {
        kind::SET_INTSET => {
            set::load::take_ints(from, room)?;
            let ints = Ints::check(&room.bytes);
            let ints = ints.map_err(|error| from.corrupt("an intset", error))?;
            let mut ints = ints.iter().map(Element::Int);
            ints.try_for_each(|it| with_element(it, |word| visit(Item::Member(word))))
        }
        kind::SET_LISTPACK => {
            set::load::take_pack(from, hasher, room)?;
            let mut members = elements(room.pack());
            members.try_for_each(|it| with_element(it, |word| visit(Item::Member(word))))
        }
        _ => {
            for _ in 0..from.count(1)? {
                visit(Item::Member(from.string()?))?;
            }
            Ok(())
        }
    }
}

fn walk_zset<E: From<ReadError>>(
    of_kind: u8,
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match of_kind {
        kind::ZSET_LISTPACK => {
            zset::load::take_pairs(from, hasher, room)?;
            let mut items = elements(room.pack());
            while let (Some(name), Some(score)) = (items.next(), items.next()) {
                let score = zset::load::score_of(score).unwrap_or(0.0);
                with_element(name, |name| visit(Item::Scored(name, score)))?;
            }
            Ok(())
        }
        kind::ZSET_ZIPLIST => {
            let blob = from.string()?;
            let whole = walk_old(visit, |show| {
                zset::load::visit_old(blob, &mut room.name, |name, score| {
                    show(Item::Scored(name, score));
                })
            })?;
            Ok(whole.ok_or_else(|| zset::load::no_ziplist(from))?)
        }
        _ => {
            for _ in 0..from.count(2)? {
                room.name.clear();
                room.name.extend_from_slice(from.string()?);
                let score = zset::load::read_score(of_kind, from)?;
                visit(Item::Scored(&room.name, score))?;
            }
            Ok(())
        }
    }
}

fn walk_hash<E: From<ReadError>>(
    of_kind: u8,
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    match of_kind {
        kind::HASH_LISTPACK => {
            hash::load::take_pairs(from, hasher, room)?;
            let mut items = elements(room.pack());
            while let (Some(name), Some(value)) = (items.next(), items.next()) {
                with_element(name, |name| {
                    with_element(value, |value| visit(Item::Field(name, value, None)))
                })?;
            }
            Ok(())
        }
        kind::HASH_LISTPACK_EX => {
            hash::load::take_triples(from, hasher, room)?;
            let mut items = elements(room.pack());
            while let (Some(name), Some(value), Some(deadline)) =
                (items.next(), items.next(), items.next())
            {
                let deadline = deadline.as_i64().filter(|deadline| *deadline != 0);
                with_element(name, |name| {
                    with_element(value, |value| visit(Item::Field(name, value, deadline)))
                })?;
            }
            Ok(())
        }
        kind::HASH_ZIPLIST | kind::HASH_ZIPMAP => {
            let blob = from.string()?;
            let whole = walk_old(visit, |show| {
                hash::load::visit_old(of_kind, blob, &mut room.name, |name, value| {
                    show(Item::Field(name, value, None));
                })
            })?;
            Ok(whole.ok_or_else(|| hash::load::no_packed_hash(from))?)
        }
        _ => {
            let (earliest, count) = hash::load::read_head(of_kind, from)?;
            for _ in 0..count {
                let deadline = hash::load::read_field(of_kind, earliest, from, room)?;
                visit(Item::Field(&room.name, &room.bytes, deadline))?;
            }
            Ok(())
        }
    }
}
