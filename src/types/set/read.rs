//! What can be asked of a set: who is in it, all of it, steps of an iteration, chance.

use super::{SetIter, SetRef};
use crate::base::random::{Choice, Random};
use crate::ds::listpack::Element;
use crate::ds::members::{Members, Name, NameOnly};
use crate::types::View;
use std::collections::HashSet;

/// Members that are looked up together: their cache misses overlap.
pub(super) const BATCH: usize = 64;
/// From a set that is at least so many times as large as the sample, members are drawn until there are enough different
/// ones; a smaller one is gone through.
pub(super) const SPARSE: usize = 3;

impl<'a> SetRef<'a> {
    /// Every member.
    #[inline]
    pub fn iter(self, now_ms: i64) -> SetIter<'a> {
        match self {
            Self::Ints(ints) => SetIter::Ints(ints.iter()),
            Self::Packed(pack) => SetIter::Packed(pack.iter()),
            Self::Table(members) => SetIter::Table(members.iter(), now_ms),
        }
    }

    /// Members that live at `now_ms`.
    pub fn count(self, now_ms: i64) -> usize {
        match self {
            Self::Table(members) if !all_live(members, now_ms) => self.iter(now_ms).count(),
            _ => self.len(),
        }
    }

    /// Whether `word` is a member.
    #[inline]
    pub fn contains(self, word: &[u8], now_ms: i64) -> bool {
        match self {
            Self::Table(members) => self.contains_name(&members.name(word), now_ms),
            _ => self.contains_name(
                &Name {
                    bytes: word,
                    hash: 0,
                },
                now_ms,
            ),
        }
    }

    /// The same for a name whose hash is known; only tables look at it.
    #[inline]
    pub fn contains_name(self, name: &Name<'_>, now_ms: i64) -> bool {
        match self {
            Self::Ints(ints) => Element::Bytes(name.bytes)
                .as_i64()
                .is_some_and(|value| ints.contains(value)),
            Self::Packed(pack) => pack.find(name.bytes, 1).is_some(),
            Self::Table(members) => members.get(name).is_some_and(|member| member.lives(now_ms)),
        }
    }

    /// When the member of this name expires; the outer `None`: there is no such member.
    pub fn deadline_of(self, word: &[u8], now_ms: i64) -> Option<Option<i64>> {
        match self {
            Self::Table(members) => members
                .get(&members.name(word))
                .filter(|member| member.lives(now_ms))
                .map(|member| member.deadline()),
            _ => self.contains(word, now_ms).then_some(None),
        }
    }

    /// Tells of each word, in order, whether it is a member; look-ups in a table overlap.
    pub fn contains_each<'w>(
        self,
        mut words: impl Iterator<Item = &'w [u8]>,
        now_ms: i64,
        mut tell: impl FnMut(bool),
    ) {
        let Self::Table(members) = self else {
            return words.for_each(|word| tell(self.contains(word, now_ms)));
        };
        let mut names = Names::default();
        while names.fill(members, &mut words) {
            for name in names.as_slice() {
                tell(self.contains_name(name, now_ms));
            }
        }
    }

    /// One step of an iteration: visits some members and returns where to go on; 0 starts and ends. A member that is in
    /// the set from the start of an iteration to its end is visited at least once.
    pub fn scan(self, cursor: u64, now_ms: i64, mut visit: impl FnMut(Element<'a>)) -> u64 {
        match self {
            Self::Ints(_) | Self::Packed(_) => {
                self.iter(now_ms).for_each(visit);
                0
            }
            Self::Table(members) => members.scan(cursor, |member| {
                if member.lives(now_ms) {
                    visit(Element::Bytes(member.name()));
                }
            }),
        }
    }

    /// A member, each with the same probability.
    pub fn random(self, random: &mut Random, now_ms: i64) -> Option<Element<'a>> {
        match self {
            Self::Table(members) if all_live(members, now_ms) => members
                .random(random)
                .map(|member| Element::Bytes(member.name())),
            _ => {
                let count = self.count(now_ms);
                let index = (count > 0).then(|| random.below(count as u64) as usize)?;
                self.nth(index, now_ms)
            }
        }
    }

    fn nth(self, index: usize, now_ms: i64) -> Option<Element<'a>> {
        match self {
            Self::Ints(ints) => ints.get(index).map(Element::Int),
            Self::Packed(pack) => pack.nth(index).map(|item| item.element),
            Self::Table(_) => self.iter(now_ms).nth(index),
        }
    }

    /// Draws `count` times from all members, each draw with the same probability; from an empty set none.
    pub fn draw(
        self,
        count: usize,
        random: &mut Random,
        now_ms: i64,
        mut visit: impl FnMut(Element<'a>),
    ) {
        if let Self::Table(members) = self
            && all_live(members, now_ms)
        {
            for _ in 0..count {
                if let Some(member) = members.random(random) {
                    visit(Element::Bytes(member.name()));
                }
            }
            return;
        }
        let all: Vec<Element<'a>> = self.iter(now_ms).collect();
        for _ in 0..count {
            if !all.is_empty() {
                visit(all[random.below(all.len() as u64) as usize]);
            }
        }
    }

    /// `count` different members (all of them, if there are no more), every choice with the same probability.
    pub fn sample(
        self,
        count: usize,
        random: &mut Random,
        now_ms: i64,
        mut visit: impl FnMut(Element<'a>),
    ) {
        let all = self.count(now_ms);
        match self {
            Self::Table(members) if all == members.len() && count <= all / SPARSE => {
                // A name's address stands for the member: hashing it is no look at the member.
                let mut seen = HashSet::with_capacity(count);
                while seen.len() < count
                    && let Some(member) = members.random(random)
                {
                    if seen.insert(member.name().as_ptr()) {
                        visit(Element::Bytes(member.name()));
                    }
                }
            }
            _ => {
                let mut choice = Choice::new(count, all);
                for member in self.iter(now_ms) {
                    if choice.takes_next(random) {
                        visit(member);
                    }
                }
            }
        }
    }
}

/// Whether no member's deadline has passed.
#[inline]
pub(super) fn all_live(members: &Members<NameOnly>, now_ms: i64) -> bool {
    members
        .first_expiring()
        .is_none_or(|(deadline, _)| deadline >= now_ms)
}

/// Names that are looked up together.
pub(super) struct Names<'w> {
    names: [Name<'w>; BATCH],
    count: usize,
}

impl Default for Names<'_> {
    fn default() -> Self {
        Self {
            names: [Name {
                bytes: b"",
                hash: 0,
            }; BATCH],
            count: 0,
        }
    }
}

impl<'w> Names<'w> {
    /// Takes the next words, and asks for the cache lines of those that are members; whether there were any words.
    pub(super) fn fill(
        &mut self,
        members: &Members<NameOnly>,
        words: &mut impl Iterator<Item = &'w [u8]>,
    ) -> bool {
        self.count = 0;
        for (name, word) in self.names.iter_mut().zip(words) {
            *name = members.name(word);
            self.count += 1;
        }
        if self.count > 1 {
            members.prefetch(self.as_slice().iter().map(|name| name.hash));
        }
        self.count > 0
    }

    pub(super) fn as_slice(&self) -> &[Name<'w>] {
        &self.names[..self.count]
    }
}
