//! Hashes from RDB bytes: fields one by one, with deadlines in Redis' and in Valkey's form or without, a zipmap, a
//! ziplist, listpacks of pairs and of triples.

use super::expiring::{self, TRIPLE};
use super::{Hash, Lifetime, PAIR};
use crate::ds::listpack::Element;
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::ziplist::{visit_ziplist, visit_zipmap};
use crate::types::load::{Loaded, Room, finish, twice, with_word};
use crate::types::{Collection, Form, Limits, Type};

/// What stands for no deadline in Valkey's form.
const NONE_VALKEY: i64 = -1;
/// Deadlines are kept in 48 bits.
const DEADLINE_MAX: i64 = (1 << 48) - 1;

pub(in crate::types) fn load<'r>(
    of_kind: u8,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    match of_kind {
        kind::HASH_LISTPACK => pairs(from, limits, room),
        kind::HASH_LISTPACK_EX => triples(from, limits, room),
        kind::HASH_ZIPLIST | kind::HASH_ZIPMAP => old(of_kind, from, limits, room),
        _ => fields(of_kind, from, limits, room),
    }
}

fn pairs<'r>(
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let len = room.take_listpack(from, PAIR)?;
    if len == 0 {
        return Ok(Loaded::Empty);
    }
    room.check_unique(from, &limits.hasher, PAIR)?;
    if len <= limits.hash_max_listpack_entries {
        return Ok(Loaded::Packed(Type::Hash, Form::Listpack, &room.bytes));
    }
    let mut hash = Hash::default();
    hash.load(Form::Listpack, &room.bytes);
    hash.make_table(limits);
    Ok(finish(hash, room))
}

fn triples<'r>(
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let _earliest = from.i64()?;
    let len = room.take_listpack(from, TRIPLE)?;
    let (mut last, mut is_ordered) = (0, true);
    for item in room.pack().iter().skip(2).step_by(TRIPLE) {
        let Element::Int(deadline @ 0..=DEADLINE_MAX) = item.element else {
            return Err(from.corrupt("a deadline", "something else in a listpack"));
        };
        let rank = if deadline == 0 { i64::MAX } else { deadline };
        is_ordered &= rank >= last;
        last = rank;
    }
    room.check_unique(from, &limits.hasher, TRIPLE)?;
    let mut pack = crate::ds::listpack::Listpack::new();
    pack.load(room.pack());
    let mut hash = Hash::Expiring(pack);
    if len > limits.hash_max_listpack_entries {
        hash.make_table(limits);
    } else if !is_ordered {
        hash = ordered(&hash, limits);
    }
    Ok(finish(hash, room))
}

/// The same fields in the order of their deadlines.
fn ordered(hash: &Hash, limits: &Limits) -> Hash {
    let mut other = Hash::Expiring(crate::ds::listpack::Listpack::new());
    let Hash::Expiring(pack) = hash else {
        unreachable!("callers have one with deadlines");
    };
    for triple in expiring::triples(pack.pack(), None) {
        let lifetime = triple.deadline.map_or(Lifetime::Forever, Lifetime::Until);
        let (name, value) = (triple.name.element.to_vec(), triple.value.element.to_vec());
        other.set(limits, &name, &value, lifetime);
    }
    other
}

fn old<'r>(
    of_kind: u8,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let mut hash = Hash::default();
    let mut is_unique = true;
    let name = &mut room.name;
    let mut has_name = false;
    let blob = from.string()?;
    let whole = if of_kind == kind::HASH_ZIPMAP {
        visit_zipmap(blob, |name, value| {
            is_unique &= hash.set(limits, name, value, Lifetime::Forever);
        })
    } else {
        visit_ziplist(blob, |entry| {
            with_word(entry, |word| {
                if has_name {
                    is_unique &= hash.set(limits, name, word, Lifetime::Forever);
                } else {
                    name.clear();
                    name.extend_from_slice(word);
                }
            });
            has_name = !has_name;
        })
    };
    if whole.is_none() || has_name {
        return Err(from.corrupt("a packed hash", "other bytes"));
    }
    if !is_unique {
        return Err(twice(from, b"a field"));
    }
    Ok(finish(hash, room))
}

fn fields<'r>(
    of_kind: u8,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let earliest = match of_kind {
        kind::HASH_METADATA => from.i64()?,
        _ => 0,
    };
    let count = from.count(2)?;
    let mut hash = Hash::default();
    if count > limits.hash_max_listpack_entries {
        hash.make_table(limits);
    }
    for _ in 0..count {
        let mut deadline = None;
        if of_kind == kind::HASH_METADATA {
            deadline = since(from, earliest)?;
        }
        room.name.clear();
        room.name.extend_from_slice(from.string()?);
        room.take_blob(from)?;
        if of_kind == kind::HASH_VALKEY {
            let at = from.i64()?;
            deadline = Some(at).filter(|at| *at != NONE_VALKEY);
        }
        if deadline.is_some_and(|at| !(0..=DEADLINE_MAX).contains(&at)) {
            return Err(from.corrupt("a deadline", "one that is out of range"));
        }
        let lifetime = deadline.map_or(Lifetime::Forever, Lifetime::Until);
        if !hash.set(limits, &room.name, &room.bytes, lifetime) {
            return Err(twice(from, &room.name));
        }
    }
    Ok(finish(hash, room))
}

/// A deadline that is told as the time after the earliest of all; it counts from 1, and 0 is none.
fn since(from: &mut Reader<'_>, earliest: i64) -> Result<Option<i64>, ReadError> {
    let after = from.number()?;
    if after == 0 {
        return Ok(None);
    }
    let after = i64::try_from(after - 1).ok();
    match after.and_then(|after| earliest.checked_add(after)) {
        Some(deadline) => Ok(Some(deadline)),
        None => Err(from.corrupt("a deadline", "one that is out of range")),
    }
}
