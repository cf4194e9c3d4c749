//! Hashes from RDB bytes: fields one by one, with deadlines in Redis' and in Valkey's form or without, a zipmap, a
//! ziplist, listpacks of pairs and of triples.

use super::expiring::{self, TRIPLE};
use super::{Hash, Lifetime, PAIR};
use crate::base::hash::Hasher;
use crate::ds::listpack::Element;
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::ziplist::{visit_ziplist, visit_zipmap};
use crate::types::load::{Loaded, Room, finish, twice, with_word};
use crate::types::{Collection, Form, Limits, Type};

/// What stands for no deadline in Valkey's form.
const NONE_VALKEY: i64 = -1;
/// Deadlines are kept in 48 bits: Unix milliseconds up to here.
pub const DEADLINE_MAX: i64 = (1 << 48) - 1;

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

/// Reads a listpack of different fields and their values into the room; how many pairs it has.
pub(in crate::types) fn take_pairs(
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
) -> Result<usize, ReadError> {
    let len = room.take_listpack(from, PAIR)?;
    room.check_unique(from, hasher, PAIR)?;
    Ok(len)
}

/// Reads a listpack of different fields, their values and deadlines into the room; how many triples it has, and whether
/// their deadlines ascend.
pub(in crate::types) fn take_triples(
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
) -> Result<(usize, bool), ReadError> {
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
    room.check_unique(from, hasher, TRIPLE)?;
    Ok((len, is_ordered))
}

/// Gives each field of a zipmap or ziplist and its value to `visit`; `None` if the bytes are none, after some were given
/// perhaps. `name` is memory for the names.
pub(in crate::types) fn visit_old(
    of_kind: u8,
    blob: &[u8],
    name: &mut Vec<u8>,
    mut visit: impl FnMut(&[u8], &[u8]),
) -> Option<()> {
    if of_kind == kind::HASH_ZIPMAP {
        return visit_zipmap(blob, visit);
    }
    let mut has_name = false;
    visit_ziplist(blob, |entry| {
        with_word(entry, |word| {
            if has_name {
                visit(name, word);
            } else {
                name.clear();
                name.extend_from_slice(word);
            }
        });
        has_name = !has_name;
    })?;
    (!has_name).then_some(())
}

/// The error that bytes are neither of them.
pub(in crate::types) fn no_packed_hash(from: &Reader<'_>) -> ReadError {
    from.corrupt("a packed hash", "other bytes")
}

/// Reads what stands before the fields of a hash that come one by one: what their deadlines count from, and their number.
pub(in crate::types) fn read_head(
    of_kind: u8,
    from: &mut Reader<'_>,
) -> Result<(i64, usize), ReadError> {
    let earliest = match of_kind {
        kind::HASH_METADATA => from.i64()?,
        _ => 0,
    };
    Ok((earliest, from.count(2)?))
}

/// Reads a field's name and value into the room; its deadline.
#[inline]
pub(in crate::types) fn read_field(
    of_kind: u8,
    earliest: i64,
    from: &mut Reader<'_>,
    room: &mut Room,
) -> Result<Option<i64>, ReadError> {
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
    Ok(deadline)
}

fn pairs<'r>(
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let len = take_pairs(from, &limits.hasher, room)?;
    if len == 0 {
        return Ok(Loaded::Empty);
    }
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
    let (len, is_ordered) = take_triples(from, &limits.hasher, room)?;
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
    let blob = from.string()?;
    let whole = visit_old(of_kind, blob, &mut room.name, |name, value| {
        is_unique &= hash.set(limits, name, value, Lifetime::Forever);
    });
    whole.ok_or_else(|| no_packed_hash(from))?;
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
    let (earliest, count) = read_head(of_kind, from)?;
    let mut hash = Hash::default();
    if count > limits.hash_max_listpack_entries {
        hash.make_table(limits);
    }
    for _ in 0..count {
        let deadline = read_field(of_kind, earliest, from, room)?;
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
