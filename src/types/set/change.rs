//! Sets that change, and the rules by which encodings change with them.
//!
//! An intset takes integers up to `set-max-intset-entries`, then it becomes a table. With its first other word it becomes
//! a listpack if that may hold all of it, otherwise a table. A listpack takes `set-max-listpack-entries` words of
//! `set-max-listpack-value` bytes, then it becomes a table.

use super::read::{Names, SPARSE};
use super::{Set, SetRef};
use crate::base::number;
use crate::base::random::{Choice, Random};
use crate::ds::intset::Intset;
use crate::ds::listpack::{Element, LISTPACK_MAX_BYTES, Listpack};
use crate::ds::members::{Members, Name, NameOnly};
use crate::types::{Collection, Limits, Stored};

/// No intset grows beyond this, whatever the configuration says.
const INTSET_MAX_ENTRIES: usize = 1 << 30;
/// Bytes that an integer takes at most in a listpack.
const ENTRY_MAX_BYTES: usize = 10;

impl Set {
    /// Chooses the encoding of a new set by its first word, and changes that of another one, in view of `count` words
    /// that are going to be added.
    pub fn prepare(&mut self, is_new: bool, first: &[u8], count: usize, limits: &Limits) {
        let is_int = number::parse_i64(first).is_some();
        match self {
            _ if is_new && is_int && count <= limits.set_max_intset_entries => {
                self.as_ints();
            }
            _ if is_new && count <= limits.set_max_listpack_entries => {
                self.as_packed();
            }
            Self::Ints(_) if !is_new && count <= limits.set_max_intset_entries => {}
            Self::Packed(_) if !is_new && count <= limits.set_max_listpack_entries => {}
            _ => {
                self.as_table(limits);
            }
        }
    }

    /// Adds a word; whether it was not there.
    pub fn add(&mut self, word: &[u8], limits: &Limits) -> bool {
        match self {
            Self::Table(members) => add_to(members, &members.name(word)),
            Self::Packed(pack) if pack.pack().find(word, 1).is_some() => false,
            Self::Packed(pack)
                if pack.pack().len() < limits.set_max_listpack_entries
                    && word.len() <= limits.set_max_listpack_value
                    && pack.has_room_for(word.len()) =>
            {
                pack.push_back(word);
                true
            }
            Self::Packed(_) => {
                let members = self.as_table(limits);
                add_to(members, &members.name(word))
            }
            Self::Ints(_) => match number::parse_i64(word) {
                Some(value) => self.add_int(value, limits),
                None => self.add_first_word(word, limits),
            },
        }
    }

    /// Adds a member of another set; whether it was not there.
    pub fn add_element(&mut self, element: Element<'_>, limits: &Limits) -> bool {
        match (&self, element) {
            (Self::Ints(_), Element::Int(value)) => self.add_int(value, limits),
            _ => self.add(element.bytes(&mut Vec::new()), limits),
        }
    }

    /// Adds words; how many were not there. Look-ups in a table overlap.
    pub fn add_all<'w>(
        &mut self,
        mut words: impl Iterator<Item = &'w [u8]>,
        limits: &Limits,
    ) -> usize {
        let mut added = 0;
        while !matches!(self, Self::Table(_)) {
            let Some(word) = words.next() else {
                return added;
            };
            added += usize::from(self.add(word, limits));
        }
        let members = self.as_table(limits);
        let mut names = Names::default();
        while names.fill(members, &mut words) {
            for name in names.as_slice() {
                added += usize::from(add_to(members, name));
            }
        }
        added
    }

    /// Adds an integer to an intset.
    fn add_int(&mut self, value: i64, limits: &Limits) -> bool {
        let Self::Ints(ints) = self else {
            unreachable!("callers have an intset");
        };
        let added = ints.insert(value);
        let max = limits.set_max_intset_entries.min(INTSET_MAX_ENTRIES);
        if added && ints.ints().len() > max {
            self.as_table(limits);
        }
        added
    }

    /// Adds the first word that is no integer to an intset.
    fn add_first_word(&mut self, word: &[u8], limits: &Limits) -> bool {
        let Self::Ints(ints) = self else {
            unreachable!("callers have an intset");
        };
        let ints = ints.ints();
        // The integers that are longest are among the smallest and the largest.
        let ends = [ints.first(), ints.last()].into_iter().flatten();
        let longest = ends.map(|value| Element::Int(value).text_bytes()).max();
        let fits = ints.len() < limits.set_max_listpack_entries
            && word.len().max(longest.unwrap_or(0)) <= limits.set_max_listpack_value
            && ints.len() * ENTRY_MAX_BYTES + word.len() <= LISTPACK_MAX_BYTES;
        if fits {
            self.as_packed().push_back(word);
            return true;
        }
        let members = self.as_table(limits);
        add_to(members, &members.name(word))
    }

    /// Takes a word out; whether it was there.
    pub fn remove(&mut self, word: &[u8]) -> bool {
        match self {
            Self::Ints(ints) => number::parse_i64(word).is_some_and(|value| ints.remove(value)),
            Self::Packed(pack) => {
                let found = pack.pack().find(word, 1).map(|item| item.at);
                found.is_some_and(|at| pack.remove(at, 1) == 1)
            }
            Self::Table(members) => remove_from(members, &members.name(word)),
        }
    }

    /// Takes words out; how many were there. Look-ups in a table overlap.
    pub fn remove_all<'w>(&mut self, mut words: impl Iterator<Item = &'w [u8]>) -> usize {
        let Self::Table(members) = self else {
            return words.filter(|word| self.remove(word)).count();
        };
        let mut removed = 0;
        let mut names = Names::default();
        while names.fill(members, &mut words) {
            for name in names.as_slice() {
                removed += usize::from(remove_from(members, name));
            }
        }
        removed
    }

    /// Sets or clears the deadline of a member; the set becomes a table for it.
    pub fn set_deadline(&mut self, word: &[u8], deadline: Option<i64>, limits: &Limits) {
        let members = self.as_table(limits);
        let found = members.find(&members.name(word));
        if let Some(position) = found.map(|(position, _)| position) {
            members.set_deadline(position, deadline);
        }
    }

    /// Takes out `count` members, fewer than there are, every choice with the same probability, and tells them. Members
    /// whose deadline has passed must have been taken out before.
    pub fn pop(
        &mut self,
        count: usize,
        random: &mut Random,
        limits: &Limits,
        tell: &mut dyn FnMut(Element<'_>),
    ) {
        let mut choice = Choice::new(count, self.len());
        match self {
            Self::Ints(ints) if count == 1 => {
                let index = random.below(ints.ints().len() as u64) as usize;
                if let Some(value) = ints.ints().get(index) {
                    tell(Element::Int(value));
                    ints.remove(value);
                }
            }
            Self::Ints(ints) => ints.retain(|value| {
                let goes = choice.takes_next(random);
                if goes {
                    tell(Element::Int(value));
                }
                !goes
            }),
            Self::Packed(pack) if count == 1 => {
                let index = random.below(pack.pack().len() as u64) as usize;
                if let Some(item) = pack.pack().nth(index) {
                    tell(item.element);
                    let at = item.at;
                    pack.remove(at, 1);
                }
            }
            Self::Packed(pack) => {
                let mut kept = Listpack::new();
                for item in pack.pack().iter() {
                    if choice.takes_next(random) {
                        tell(item.element);
                    } else {
                        kept.push_back_element(item.element);
                    }
                }
                *pack = kept;
            }
            Self::Table(members) if count <= members.len() / SPARSE => {
                for _ in 0..count {
                    let Some(member) = members.random(random) else {
                        return;
                    };
                    tell(Element::Bytes(member.name()));
                    let name = members.name(member.name());
                    let found = members.find(&name).map(|(position, _)| position);
                    let position = found.expect("a drawn member is in the table");
                    let hash = name.hash;
                    members.remove(position, hash);
                }
            }
            Self::Table(members) => {
                let mut kept = Members::new(limits.hasher);
                for member in members.iter() {
                    if choice.takes_next(random) {
                        tell(Element::Bytes(member.name()));
                    } else {
                        kept.insert(&kept.name(member.name()), (), member.deadline());
                    }
                }
                **members = kept;
            }
        }
    }

    /// An empty set for what `smallest` and others have in common: no more than it has.
    pub fn for_members_of(smallest: Option<SetRef<'_>>) -> Self {
        match smallest {
            Some(SetRef::Packed(_) | SetRef::Table(_)) => Self::Packed(Listpack::new()),
            Some(SetRef::Ints(_)) | None => Self::default(),
        }
    }

    /// Becomes an intset if its members are integers alone and an intset may hold so many.
    pub fn compact(&mut self, limits: &Limits) {
        if matches!(self, Self::Ints(_)) || self.len() > limits.set_max_intset_entries {
            return;
        }
        let mut ints = Intset::new();
        for member in self.view().iter(limits.now_ms) {
            let Some(value) = member.as_i64() else {
                return;
            };
            ints.insert(value);
        }
        *self = Self::Ints(ints);
    }

    /// Becomes an intset without members, unless it is an intset; its memory is used again.
    pub(super) fn as_ints(&mut self) -> &mut Intset {
        if let Self::Packed(pack) = self {
            *self = Self::Ints(Intset::in_memory_of(std::mem::take(pack).into_memory()));
        } else if let Self::Table(_) = self {
            *self = Self::Ints(Intset::new());
        }
        let Self::Ints(ints) = self else {
            unreachable!("it is one now");
        };
        ints
    }

    /// Becomes a listpack of its integers, if it is an intset; of a table, none. Its memory is used again.
    pub(super) fn as_packed(&mut self) -> &mut Listpack {
        if let Self::Ints(ints) = self {
            let pack = if ints.ints().is_empty() {
                Listpack::in_memory_of(std::mem::take(ints).into_memory())
            } else {
                let mut pack = Listpack::new();
                ints.ints()
                    .iter()
                    .for_each(|value| pack.push_back_int(value));
                pack
            };
            *self = Self::Packed(pack);
        } else if let Self::Table(_) = self {
            *self = Self::Packed(Listpack::new());
        }
        let Self::Packed(pack) = self else {
            unreachable!("it is one now");
        };
        pack
    }

    /// Becomes a table of its members.
    pub fn as_table(&mut self, limits: &Limits) -> &mut Members<NameOnly> {
        if !matches!(self, Self::Table(_)) {
            let mut members = Members::new(limits.hasher);
            let mut room = Vec::new();
            for member in self.view().iter(limits.now_ms) {
                members.insert(&members.name(member.bytes(&mut room)), (), None);
            }
            *self = Self::Table(Box::new(members));
        }
        let Self::Table(members) = self else {
            unreachable!("it is one now");
        };
        members
    }
}

#[inline]
fn add_to(members: &mut Members<NameOnly>, name: &Name<'_>) -> bool {
    let is_new = members.find(name).is_none();
    if is_new {
        members.insert(name, (), None);
    }
    is_new
}

#[inline]
fn remove_from(members: &mut Members<NameOnly>, name: &Name<'_>) -> bool {
    let Some(position) = members.find(name).map(|(position, _)| position) else {
        return false;
    };
    members.remove(position, name.hash);
    true
}
