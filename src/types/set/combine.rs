//! The algebra of several sets: who is in all, in the first alone, in any.
//!
//! All three go through one set and ask others about its members, a batch at a time: a member's hash is computed once
//! for all tables that are asked, and the cache misses of a batch overlap. Tables are gone through in the order of
//! hashes, which is that of the tables asked: large ones are read nearly in sequence. Nothing is copied but where a
//! difference or a union is cheaper by a table of what has been seen.
//!
//! Each calls `emit` once for every member of the result until that answers `false`; the sets are put into the order in
//! which they are asked.

use super::read::BATCH;
use super::{SetIter, SetRef};
use crate::base::hash::Hasher;
use crate::ds::listpack::Element;
use crate::ds::members::Name;
use crate::types::View;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash};

/// What the algebra must be told.
#[derive(Clone, Copy)]
pub struct Around {
    /// The keyspace's hash.
    pub hasher: Hasher,
    /// Unix milliseconds that the running command sees.
    pub now_ms: i64,
}

/// Members that are in all sets; of no sets, none. It goes through the smallest.
pub fn intersection<'a>(
    sets: &mut [SetRef<'a>],
    around: Around,
    mut emit: impl FnMut(Element<'a>) -> bool,
) {
    sets.sort_by_key(|set| set.len());
    if let Some((smallest, others)) = sets.split_first() {
        Sieve::new(others, true, around).pass(*smallest, &mut emit);
    }
}

/// Members of the first set that are in none of the others.
///
/// Either each other set is asked about each member of the first, the largest first; or, where the first is much larger
/// than all others together, the members of the others are gathered and the first set's are looked up among them.
pub fn difference<'a>(
    first: SetRef<'a>,
    others: &mut [SetRef<'a>],
    around: Around,
    mut emit: impl FnMut(Element<'a>) -> bool,
) {
    let sum: usize = others.iter().map(|set| set.len()).sum();
    let asked = first.len().saturating_mul(others.len());
    if asked / 2 <= sum + first.len() {
        others.sort_by_key(|set| std::cmp::Reverse(set.len()));
        Sieve::new(others, false, around).pass(first, &mut emit);
        return;
    }
    let mut seen = Seen::new(sum, around.hasher);
    let members = others.iter().flat_map(|set| set.iter(around.now_ms));
    members.for_each(|member| {
        seen.insert(member);
    });
    let mut members = first.iter(around.now_ms);
    while let Some(member) = members.next()
        && (seen.contains(member) || emit(member))
    {}
}

/// Members that are in any of the sets.
///
/// Either each set's members are looked up in the larger ones before it; or, of many sets, they are gathered in a table.
pub fn union<'a>(
    sets: &mut [SetRef<'a>],
    around: Around,
    mut emit: impl FnMut(Element<'a>) -> bool,
) {
    sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let sum: usize = sets.iter().map(|set| set.len()).sum();
    let asked: usize = sets
        .iter()
        .enumerate()
        .map(|(at, set)| at * set.len())
        .sum();
    if asked <= sum {
        for (at, set) in sets.iter().enumerate() {
            if !Sieve::new(&sets[..at], false, around).pass(*set, &mut emit) {
                return;
            }
        }
        return;
    }
    let mut seen = Seen::new(sets.first().map_or(0, |set| set.len()), around.hasher);
    let mut members = sets.iter().flat_map(|set| set.iter(around.now_ms));
    while let Some(member) = members.next()
        && (!seen.insert(member) || emit(member))
    {}
}

/// Asks sets about the members of another one, and lets those through that all of them have, or that none of them has.
struct Sieve<'s, 'a> {
    asked: &'s [SetRef<'a>],
    wanted: bool,
    around: Around,
    /// Whether a set that is asked needs hashes, and whether one needs the text of integers.
    hashes: bool,
    texts: bool,
}

/// A member that has got through so far.
struct Candidate<'a> {
    element: Element<'a>,
    /// Where in the batch's text an integer's is.
    text: std::ops::Range<usize>,
    hash: u64,
}

impl Candidate<'_> {
    #[inline]
    fn name<'b>(&'b self, texts: &'b [u8]) -> Name<'b> {
        let bytes = match self.element {
            Element::Bytes(bytes) => bytes,
            Element::Int(_) => &texts[self.text.clone()],
        };
        Name {
            bytes,
            hash: self.hash,
        }
    }
}

/// Some members, looked up together.
#[derive(Default)]
struct Batch<'a> {
    candidates: Vec<Candidate<'a>>,
    texts: Vec<u8>,
}

impl<'s, 'a> Sieve<'s, 'a> {
    fn new(asked: &'s [SetRef<'a>], wanted: bool, around: Around) -> Self {
        Self {
            asked,
            wanted,
            around,
            hashes: asked.iter().any(|set| matches!(set, SetRef::Table(_))),
            texts: asked.iter().any(|set| !matches!(set, SetRef::Ints(_))),
        }
    }

    /// Whether the whole set has passed; `false`: `emit` wants no more.
    fn pass(&self, set: SetRef<'a>, emit: &mut impl FnMut(Element<'a>) -> bool) -> bool {
        let mut members = set.iter(self.around.now_ms);
        if self.asked.is_empty() {
            return members.all(emit);
        }
        let mut batch = Batch::default();
        batch.candidates.reserve(set.len().min(BATCH));
        loop {
            self.fill(&mut batch, &mut members);
            if batch.candidates.is_empty() {
                return true;
            }
            self.asked.iter().for_each(|set| self.ask(*set, &mut batch));
            if !batch.candidates.iter().all(|left| emit(left.element)) {
                return false;
            }
        }
    }

    fn fill(&self, batch: &mut Batch<'a>, members: &mut SetIter<'a>) {
        batch.candidates.clear();
        batch.texts.clear();
        for element in members.take(BATCH) {
            let start = batch.texts.len();
            if self.texts && matches!(element, Element::Int(_)) {
                element.append_to(&mut batch.texts);
            }
            let mut candidate = Candidate {
                element,
                text: start..batch.texts.len(),
                hash: 0,
            };
            if self.hashes {
                let name = candidate.name(&batch.texts);
                candidate.hash = self.around.hasher.hash(name.bytes);
            }
            batch.candidates.push(candidate);
        }
    }

    /// Keeps the candidates about which the set answers as wanted.
    fn ask(&self, set: SetRef<'a>, batch: &mut Batch<'a>) {
        if let SetRef::Table(members) = set
            && batch.candidates.len() > 1
        {
            members.prefetch(batch.candidates.iter().map(|candidate| candidate.hash));
        }
        let (texts, now_ms) = (&batch.texts, self.around.now_ms);
        batch.candidates.retain(|candidate| {
            let found = match (set, candidate.element) {
                (SetRef::Ints(ints), Element::Int(value)) => ints.contains(value),
                _ => set.contains_name(&candidate.name(texts), now_ms),
            };
            found == self.wanted
        });
    }
}

/// Members that have been seen: borrowed, under their hash. A number is the same in any encoding.
struct Seen<'a> {
    members: HashSet<Hashed<'a>, BuildHasherDefault<Known>>,
    hasher: Hasher,
}

#[derive(PartialEq, Eq)]
struct Hashed<'a> {
    element: Key<'a>,
    hash: u64,
}

#[derive(PartialEq, Eq)]
enum Key<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

impl Hash for Hashed<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The hash of what has one already.
#[derive(Default)]
struct Known(u64);

impl std::hash::Hasher for Known {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("what is hashed writes one number");
    }
}

impl<'a> Seen<'a> {
    fn new(capacity: usize, hasher: Hasher) -> Self {
        Self {
            members: HashSet::with_capacity_and_hasher(capacity, BuildHasherDefault::default()),
            hasher,
        }
    }

    #[inline]
    fn hashed(&self, element: Element<'a>) -> Hashed<'a> {
        match (element.as_i64(), element) {
            (Some(value), _) | (None, Element::Int(value)) => Hashed {
                element: Key::Int(value),
                hash: self.hasher.hash(&value.to_le_bytes()),
            },
            (None, Element::Bytes(bytes)) => Hashed {
                element: Key::Bytes(bytes),
                hash: self.hasher.hash(bytes),
            },
        }
    }

    /// Whether it had not been seen.
    #[inline]
    fn insert(&mut self, element: Element<'a>) -> bool {
        self.members.insert(self.hashed(element))
    }

    #[inline]
    fn contains(&self, element: Element<'a>) -> bool {
        self.members.contains(&self.hashed(element))
    }
}
