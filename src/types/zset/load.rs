//! Sorted sets from RDB bytes: members one by one, with scores as text or as doubles, a ziplist, a listpack. They may come
//! in any order.

use super::{Zset, compare};
use crate::base::hash::Hasher;
use crate::base::number;
use crate::ds::listpack::Element;
use crate::ds::ranking::RankingBuilder;
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::ziplist::{Entry, visit_ziplist};
use crate::types::load::{Loaded, Room, element_of, finish, twice, with_word};
use crate::types::{Collection, Form, Limits, Type};

pub(in crate::types) fn load<'r>(
    of_kind: u8,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    match of_kind {
        kind::ZSET_LISTPACK => pairs(from, limits, room),
        kind::ZSET_ZIPLIST => ziplist(from, limits, room),
        _ => members(of_kind, from, limits, room),
    }
}

/// The score that an element is; `None` if it is none.
pub(in crate::types) fn score_of(element: Element<'_>) -> Option<f64> {
    match element {
        Element::Int(value) => Some(value as f64),
        Element::Bytes(text) => number::parse_f64(text).filter(|score| !score.is_nan()),
    }
}

/// Reads a listpack of different members and their scores into the room; how many pairs it has.
pub(in crate::types) fn take_pairs(
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
) -> Result<usize, ReadError> {
    let len = room.take_listpack(from, 2)?;
    for score in room.pack().iter().skip(1).step_by(2) {
        if score_of(score.element).is_none() {
            return Err(from.corrupt("a score", "something else in a listpack"));
        }
    }
    room.check_unique(from, hasher, 2)?;
    Ok(len)
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
    if len <= limits.zset_max_listpack_entries && is_ordered(room) {
        return Ok(Loaded::Packed(Type::Zset, Form::Listpack, &room.bytes));
    }
    // A listpack that is in order becomes a table; what is not in order is put in order.
    let mut zset = Zset::default();
    zset.load(Form::Listpack, &room.bytes);
    room.begin_gathering();
    let mut name = Vec::new();
    zset.view()
        .for_each(0..usize::MAX, false, |element, score| {
            room.gather(element.bytes(&mut name), score);
        });
    Ok(in_order(limits, room))
}

/// Whether the pairs of the listpack that was read ascend.
fn is_ordered(room: &Room) -> bool {
    let (mut before, mut name): (Option<(f64, Vec<u8>)>, _) = (None, Vec::new());
    let mut items = room.pack().iter();
    while let (Some(element), Some(score)) = (items.next(), items.next()) {
        let score = score_of(score.element).unwrap_or(0.0);
        let bytes = element.element.bytes(&mut name);
        match &mut before {
            Some(before) => {
                if compare((before.0, &before.1), (score, bytes)).is_ge() {
                    return false;
                }
                before.0 = score;
                before.1.clear();
                before.1.extend_from_slice(bytes);
            }
            None => before = Some((score, bytes.to_vec())),
        }
    }
    true
}

/// Gives each member of a ziplist and its score to `visit`; `None` if the bytes are none, after some were given perhaps.
/// `name` is memory for the names.
pub(in crate::types) fn visit_old(
    blob: &[u8],
    name: &mut Vec<u8>,
    mut visit: impl FnMut(&[u8], f64),
) -> Option<()> {
    let (mut is_name, mut is_good) = (true, true);
    visit_ziplist(blob, |entry| {
        if is_name {
            with_word(entry, |word| {
                name.clear();
                name.extend_from_slice(word);
            });
        } else {
            let score = match entry {
                Entry::Int(value) => Some(value as f64),
                Entry::Bytes(text) => score_of(Element::Bytes(text)),
            };
            match score {
                Some(score) => visit(name, score),
                None => is_good = false,
            }
        }
        is_name = !is_name;
    })?;
    (is_good && is_name).then_some(())
}

/// The error that bytes are no such ziplist.
pub(in crate::types) fn no_ziplist(from: &Reader<'_>) -> ReadError {
    from.corrupt("a ziplist of members and scores", "other bytes")
}

fn ziplist<'r>(
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    room.begin_gathering();
    let mut name = std::mem::take(&mut room.name);
    let whole = visit_old(from.string()?, &mut name, |name, score| {
        room.gather(name, score);
    });
    room.name = name;
    whole.ok_or_else(|| no_ziplist(from))?;
    unique_in_order(from, limits, room)
}

/// Reads the score of a member that stands alone.
#[inline]
pub(in crate::types) fn read_score(of_kind: u8, from: &mut Reader<'_>) -> Result<f64, ReadError> {
    let score = match of_kind {
        kind::ZSET => from.text_f64()?,
        _ => from.f64()?,
    };
    if score.is_nan() {
        return Err(from.corrupt("a number", "NaN"));
    }
    Ok(score)
}

fn members<'r>(
    of_kind: u8,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let mut left = from.count(2)?;
    let is_small = left <= limits.zset_max_listpack_entries;
    let mut ranking = RankingBuilder::new(limits.hasher);
    room.begin_gathering();
    while left > 0 {
        room.gather_name(from)?;
        room.score_last(read_score(of_kind, from)?);
        left -= 1;
        if !is_small && (left == 0 || room.is_full()) {
            if !ranking.add(room.members()) {
                return Err(twice(from, b"a member"));
            }
            room.begin_gathering();
        }
    }
    if is_small {
        return unique_in_order(from, limits, room);
    }
    Ok(finish(Zset::Table(Box::new(ranking.finish())), room))
}

/// The sorted set of what was gathered, each member of which must be there once.
fn unique_in_order<'r>(
    from: &Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let mut names: Vec<&[u8]> = room.members().map(|(name, _)| name).collect();
    names.sort_unstable();
    let mut neighbours = names.iter().zip(names.iter().skip(1));
    if let Some((one, _)) = neighbours.find(|(one, next)| one == next) {
        return Err(twice(from, one));
    }
    Ok(in_order(limits, room))
}

fn in_order<'r>(limits: &Limits, room: &'r mut Room) -> Loaded<'r> {
    let mut members: Vec<(&[u8], f64)> = room.members().collect();
    members.sort_unstable_by(|one, other| compare((one.1, one.0), (other.1, other.0)));
    let members = members
        .iter()
        .map(|(name, score)| (element_of(name), *score));
    let zset = Zset::from_sorted(members, limits);
    finish(zset, room)
}
