//! A hash as readers see it.

use super::PAIR;
use super::expiring::{self, TRIPLE};
use crate::base::random::Random;
use crate::ds::listpack::{Element, Pack};
use crate::ds::members::{MemberRef, Members, WithValue};
use crate::types::View;

/// A hash that is being read.
#[derive(Clone, Copy, Debug)]
pub enum HashRef<'a> {
    /// A short one without deadlines.
    Packed(Pack<'a>),
    /// A short one that has had deadlines.
    Expiring(Pack<'a>),
    /// A long one.
    Table(&'a Members<WithValue>),
}

/// What a field has besides its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its value.
    pub value: Element<'a>,
    /// When it expires, in Unix milliseconds.
    pub deadline: Option<i64>,
}

impl<'a> Field<'a> {
    /// Whether it is there at `now_ms`: it lives through the millisecond of its deadline.
    #[inline]
    pub fn lives(&self, now_ms: i64) -> bool {
        self.deadline.is_none_or(|deadline| deadline >= now_ms)
    }

    #[inline]
    fn of(member: MemberRef<'a, WithValue>) -> Self {
        Self {
            value: Element::Bytes(member.value()),
            deadline: member.deadline(),
        }
    }
}

impl<'a> HashRef<'a> {
    /// The field of this name, its deadline passed or not.
    #[inline]
    pub fn get(self, name: &[u8]) -> Option<Field<'a>> {
        match self {
            HashRef::Packed(pack) => {
                let item = pack.find(name, PAIR)?;
                let (value, deadline) = (pack.next(item.at)?.element, None);
                Some(Field { value, deadline })
            }
            HashRef::Expiring(pack) => expiring::find(pack, name).map(|triple| triple.field()),
            HashRef::Table(members) => members.get(&members.name(name)).map(Field::of),
        }
    }

    /// When the first field expires.
    #[inline]
    pub fn first_deadline(self) -> Option<i64> {
        match self {
            HashRef::Packed(_) => None,
            HashRef::Expiring(pack) => expiring::triples(pack, None).next()?.deadline,
            HashRef::Table(members) => members.first_expiring().map(|(deadline, _)| deadline),
        }
    }

    /// Whether there are fields whose deadline has passed.
    #[inline]
    pub fn has_expired(self, now_ms: i64) -> bool {
        self.first_deadline()
            .is_some_and(|deadline| deadline < now_ms)
    }

    /// Every field, those included whose deadline has passed.
    pub fn for_each_field(self, mut visit: impl FnMut(Element<'a>, Field<'a>)) {
        match self {
            HashRef::Packed(pack) => {
                let mut items = pack.iter();
                while let (Some(name), Some(value)) = (items.next(), items.next()) {
                    let (value, deadline) = (value.element, None);
                    visit(name.element, Field { value, deadline });
                }
            }
            HashRef::Expiring(pack) => {
                for triple in expiring::triples(pack, None) {
                    visit(triple.name.element, triple.field());
                }
            }
            HashRef::Table(members) => {
                for member in members.iter() {
                    visit(Element::Bytes(member.name()), Field::of(member));
                }
            }
        }
    }

    /// Every field that lives at `now_ms`, with its value.
    #[inline]
    pub fn for_each(self, now_ms: i64, mut visit: impl FnMut(Element<'a>, Element<'a>)) {
        self.for_each_field(|name, field| {
            if field.lives(now_ms) {
                visit(name, field.value);
            }
        });
    }

    /// A field with its value, each with the same probability, its deadline passed or not.
    pub fn random(self, random: &mut Random) -> Option<(Element<'a>, Element<'a>)> {
        let (pack, stride) = match self {
            HashRef::Packed(pack) => (pack, PAIR),
            HashRef::Expiring(pack) => (pack, TRIPLE),
            HashRef::Table(members) => {
                let member = members.random(random)?;
                return Some((
                    Element::Bytes(member.name()),
                    Element::Bytes(member.value()),
                ));
            }
        };
        let fields = pack.len() / stride;
        if fields == 0 {
            return None;
        }
        let index = random.below(fields as u64) as usize;
        let name = pack.nth(index * stride)?;
        Some((name.element, pack.next(name.at)?.element))
    }

    /// One step of an iteration that lives in its cursor (see [`crate::ds::table::Table::scan`]); a short hash is one
    /// step. Fields whose deadline has passed at `now_ms` are left out.
    pub fn scan(
        self,
        cursor: u64,
        now_ms: i64,
        mut visit: impl FnMut(Element<'a>, Element<'a>),
    ) -> u64 {
        match self {
            HashRef::Packed(_) | HashRef::Expiring(_) => {
                self.for_each(now_ms, visit);
                0
            }
            HashRef::Table(members) => members.scan(cursor, |member| {
                if member.lives(now_ms) {
                    visit(
                        Element::Bytes(member.name()),
                        Element::Bytes(member.value()),
                    );
                }
            }),
        }
    }
}

impl View for HashRef<'_> {
    fn encoding(self) -> &'static str {
        match self {
            HashRef::Packed(_) => "listpack",
            HashRef::Expiring(_) => "listpackex",
            HashRef::Table(_) => "hashtable",
        }
    }

    #[inline]
    fn len(self) -> usize {
        match self {
            HashRef::Packed(pack) => pack.len() / PAIR,
            HashRef::Expiring(pack) => pack.len() / TRIPLE,
            HashRef::Table(members) => members.len(),
        }
    }

    fn visit(self, now_ms: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        let mut rooms = (Vec::new(), Vec::new());
        self.for_each(now_ms, |name, value| {
            visit(&[name.bytes(&mut rooms.0), value.bytes(&mut rooms.1)]);
        });
    }
}
