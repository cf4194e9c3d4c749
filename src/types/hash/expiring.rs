//! The fields of a short hash with deadlines: one listpack of triples, `field, value, deadline`.
//!
//! The deadline is an integer in Unix milliseconds, 0 for none. The triples stand in the order of their deadlines, those
//! without one last: what is due first is the first, and what is due at a time is a run from the beginning. It is the
//! order, and the bytes, that RDB files of Redis 7.4 and later have.

use super::{Field, Lifetime};
use crate::ds::listpack::{Element, Item, Listpack, Pack};
use crate::types::Fate;

/// Elements of a field.
pub(super) const TRIPLE: usize = 3;
/// What stands for no deadline.
const NONE: i64 = 0;
/// The earliest deadline: what was due before has been due then too.
const EARLIEST: i64 = 1;

/// A field and where it is.
#[derive(Clone, Copy)]
pub(super) struct Triple<'a> {
    pub(super) name: Item<'a>,
    pub(super) value: Item<'a>,
    pub(super) deadline: Option<i64>,
}

impl<'a> Triple<'a> {
    pub(super) fn field(self) -> Field<'a> {
        Field {
            value: self.value.element,
            deadline: self.deadline,
        }
    }
}

/// The triples from the one at `at` on, or from the first on.
pub(super) fn triples(pack: Pack<'_>, at: Option<usize>) -> impl Iterator<Item = Triple<'_>> {
    let mut items = at.map_or_else(|| pack.iter(), |at| pack.iter_from(at));
    std::iter::from_fn(move || {
        let (name, value, deadline) = (items.next()?, items.next()?, items.next()?);
        let deadline = match deadline.element {
            Element::Int(NONE) => None,
            Element::Int(at) => Some(at),
            Element::Bytes(_) => unreachable!("the deadline of a field is an integer"),
        };
        Some(Triple {
            name,
            value,
            deadline,
        })
    })
}

/// The triple of this name.
pub(super) fn find<'a>(pack: Pack<'a>, name: &[u8]) -> Option<Triple<'a>> {
    let item = pack.find(name, TRIPLE)?;
    triples(pack, Some(item.at)).next()
}

/// The triples of these pairs; none has a deadline.
pub(super) fn from_pairs(pairs: Pack<'_>) -> Listpack {
    /// Bytes of a deadline that there is not.
    const NONE_BYTES: usize = 2;
    let mut pack = Listpack::new();
    pack.reserve(pairs.bytes().len() + pairs.len() / 2 * NONE_BYTES);
    for (position, item) in pairs.iter().enumerate() {
        pack.push_back_element(item.element);
        if position % 2 == 1 {
            pack.push_back_int(NONE);
        }
    }
    pack
}

/// Adds a triple where its deadline belongs.
fn insert(pack: &mut Listpack, name: &[u8], value: &[u8], deadline: Option<i64>) {
    let Some(deadline) = deadline else {
        pack.push_back(name);
        pack.push_back(value);
        return pack.push_back_int(NONE);
    };
    let deadline = deadline.max(EARLIEST);
    let later = triples(pack.pack(), None)
        .find(|triple| triple.deadline.is_none_or(|present| present > deadline));
    let at = later.map_or(pack.end(), |triple| triple.name.at);
    pack.insert_int(at, deadline);
    pack.insert(at, value);
    pack.insert(at, name);
}

/// Gives a field a value; whether the field is new.
pub(super) fn set(
    pack: &mut Listpack,
    now_ms: i64,
    name: &[u8],
    value: &[u8],
    lifetime: Lifetime,
) -> bool {
    let present = find(pack.pack(), name);
    let present_deadline = present.and_then(|triple| triple.deadline);
    let deadline = match lifetime {
        Lifetime::Forever => None,
        Lifetime::Keep => present_deadline.filter(|at| *at >= now_ms),
        Lifetime::Until(at) => Some(at),
    };
    match present.map(|triple| (triple.name.at, triple.value.at)) {
        None => {
            insert(pack, name, value, deadline);
            return true;
        }
        Some((_, at)) if deadline == present_deadline => pack.replace(at, value),
        Some((at, _)) => {
            pack.remove(at, TRIPLE);
            insert(pack, name, value, deadline);
        }
    }
    false
}

/// See [`super::Hash::settle`].
pub(super) fn settle(
    pack: &mut Listpack,
    now_ms: i64,
    name: &[u8],
    fate: impl FnOnce(Field<'_>) -> Fate,
) -> Option<Fate> {
    let triple = find(pack.pack(), name).filter(|triple| triple.field().lives(now_ms))?;
    let (at, present) = (triple.name.at, triple.deadline);
    let fate = fate(triple.field());
    let deadline = match fate {
        Fate::Stay => return Some(fate),
        Fate::Remove => {
            pack.remove(at, TRIPLE);
            return Some(fate);
        }
        Fate::Persist => None,
        Fate::Expire(deadline) => Some(deadline),
    };
    if deadline != present {
        let value = triple.value.element.to_vec();
        pack.remove(at, TRIPLE);
        insert(pack, name, &value, deadline);
    }
    Some(fate)
}

/// Takes out up to `max` fields whose deadline is before `now_ms`.
pub(super) fn expire(pack: &mut Listpack, now_ms: i64, max: usize, gone: &mut dyn FnMut(&[u8])) {
    let mut room = Vec::new();
    let mut count = 0;
    let due = triples(pack.pack(), None)
        .take_while(|triple| triple.deadline.is_some_and(|deadline| deadline < now_ms));
    for triple in due.take(max) {
        gone(triple.name.element.bytes(&mut room));
        count += 1;
    }
    if let Some(first) = pack.pack().first().filter(|_| count > 0) {
        pack.remove(first.at, count * TRIPLE);
    }
}
