//! Sets: integers in order (`intset`), a few short words (`listpack`), or a table of members (`hashtable`).
//!
//! `read` answers questions about a set, `change` adds and removes and holds the rules by which encodings change,
//! `combine` has the algebra of several sets.
//!
//! Encodings go from intset to listpack to table, never back. Members with deadlines are in tables alone: a set whose
//! member gets one becomes a table. A member whose deadline has passed is not there for any reader.

mod change;
mod combine;
pub(in crate::types) mod load;
mod read;

pub use combine::{Around, difference, intersection, union};

use super::{Collection, ElementSink, Form, Object, Scratch, Stored, Type, View, Walked};
use crate::ds::intset::{Ints, IntsIter, Intset};
use crate::ds::listpack::{Element, Items, Listpack, Pack};
use crate::ds::members::{Members, MembersIter, NameOnly};

/// A set.
#[derive(Debug)]
pub enum Set {
    /// Integers alone; a set without members is one too.
    Ints(Intset),
    /// A short one.
    Packed(Listpack),
    /// Any other.
    Table(Box<Members<NameOnly>>),
}

/// A set that is being read.
#[derive(Clone, Copy, Debug)]
pub enum SetRef<'a> {
    /// Integers alone.
    Ints(Ints<'a>),
    /// A short one.
    Packed(Pack<'a>),
    /// Any other.
    Table(&'a Members<NameOnly>),
}

impl Default for Set {
    fn default() -> Self {
        Self::Ints(Intset::new())
    }
}

/// Goes through the members of a set. One of a table is always bytes, a number too.
pub enum SetIter<'a> {
    /// Of an intset.
    Ints(IntsIter<'a>),
    /// Of a listpack.
    Packed(Items<'a>),
    /// Of a table, and what time it is, in Unix milliseconds.
    Table(MembersIter<'a, NameOnly>, i64),
}

impl<'a> Iterator for SetIter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        match self {
            Self::Ints(ints) => ints.next().map(Element::Int),
            Self::Packed(items) => items.next().map(|item| item.element),
            Self::Table(members, now_ms) => loop {
                let member = members.next()?;
                if member.lives(*now_ms) {
                    return Some(Element::Bytes(member.name()));
                }
            },
        }
    }
}

impl View for SetRef<'_> {
    fn encoding(self) -> &'static str {
        match self {
            Self::Ints(_) => "intset",
            Self::Packed(_) => "listpack",
            Self::Table(_) => "hashtable",
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Ints(ints) => ints.len(),
            Self::Packed(pack) => pack.len(),
            Self::Table(members) => members.len(),
        }
    }

    fn visit(self, now_ms: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        let mut room = Vec::new();
        for member in self.iter(now_ms) {
            visit(&[member.bytes(&mut room)]);
        }
    }
}

impl Stored for Set {
    fn type_of(&self) -> Type {
        Type::Set
    }

    fn len(&self) -> usize {
        self.view().len()
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Ints(ints) => ints.capacity(),
            Self::Packed(pack) => pack.capacity(),
            Self::Table(members) => size_of::<Members<NameOnly>>() + members.heap_bytes(),
        }
    }

    fn free_effort(&self) -> usize {
        match self {
            Self::Ints(_) | Self::Packed(_) => 1,
            Self::Table(members) => members.len(),
        }
    }

    fn copy(&self) -> Object {
        Object::Set(match self {
            Self::Ints(ints) => Self::Ints(ints.clone()),
            Self::Packed(pack) => Self::Packed(pack.clone()),
            Self::Table(members) => Self::Table(Box::new(members.copy())),
        })
    }

    fn first_deadline(&self) -> Option<i64> {
        match self {
            Self::Ints(_) | Self::Packed(_) => None,
            Self::Table(members) => members.first_expiring().map(|(deadline, _)| deadline),
        }
    }

    fn expire_members(&mut self, now_ms: i64, max: usize, gone: &mut dyn FnMut(&[u8])) {
        let Self::Table(members) = self else { return };
        (0..max)
            .take_while(|_| members.expire_first(now_ms, gone))
            .for_each(drop);
    }

    fn is_walkable(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    fn begin_walk(&mut self, mut sink: ElementSink) {
        if let Self::Table(members) = self {
            members.begin_walk(move |member| {
                sink(Walked {
                    name: member.name(),
                    value: None,
                    score: None,
                    deadline: member.deadline(),
                });
            });
        }
    }

    fn walk(&mut self, buckets: usize) -> bool {
        match self {
            Self::Table(members) => members.walk(buckets),
            _ => true,
        }
    }
}

impl Collection for Set {
    const TYPE: Type = Type::Set;
    type Ref<'a> = SetRef<'a>;

    #[inline]
    fn view(&self) -> SetRef<'_> {
        match self {
            Self::Ints(ints) => SetRef::Ints(ints.ints()),
            Self::Packed(pack) => SetRef::Packed(pack.pack()),
            Self::Table(members) => SetRef::Table(members),
        }
    }

    #[inline]
    fn view_packed(form: Form, bytes: &[u8]) -> SetRef<'_> {
        match form {
            Form::Listpack => SetRef::Packed(Pack::new(bytes)),
            Form::Intset => SetRef::Ints(Ints::new(bytes)),
        }
    }

    fn load(&mut self, form: Form, bytes: &[u8]) {
        if form == Form::Listpack && !bytes.is_empty() {
            self.as_packed().load(Pack::new(bytes));
        } else {
            self.as_ints().load(Ints::new(bytes));
        }
    }

    fn packed(&self) -> Option<(Form, &[u8])> {
        match self {
            Self::Ints(ints) => Some((Form::Intset, ints.ints().bytes())),
            Self::Packed(pack) => Some((Form::Listpack, pack.pack().bytes())),
            Self::Table(_) => None,
        }
    }

    fn must_settle(&self, now_ms: i64) -> bool {
        self.first_deadline()
            .is_some_and(|deadline| deadline < now_ms)
    }

    fn shrink(&mut self) {
        match self {
            Self::Ints(ints) => ints.shrink(),
            Self::Packed(pack) => pack.shrink(),
            Self::Table(_) => {}
        }
    }

    #[inline]
    fn of(object: &Object) -> Option<&Self> {
        match object {
            Object::Set(value) => Some(value),
            _ => None,
        }
    }

    #[inline]
    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Set(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Set(self)
    }

    #[inline]
    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.set
    }
}

#[cfg(test)]
mod tests;
