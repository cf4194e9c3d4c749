//! Hashes: fields with values, each perhaps with a deadline.
//!
//! | encoding | kept as | until |
//! |---|---|---|
//! | `listpack` | field, value, field, value... in the order in which they came | the first deadline, or the thresholds |
//! | `listpackex` | field, value, deadline... by deadline; those without one (0) last | the thresholds |
//! | `hashtable` | [`Members`] | for ever |
//!
//! A hash never goes back to an earlier encoding. A field whose deadline has passed stays until it is expired (see
//! [`Stored::expire_members`]); readers do not see it, but it counts in the length, and HSET and HDEL find it there.

mod expiring;
pub(in crate::types) mod load;
mod view;

pub use load::DEADLINE_MAX;
pub use view::{Field, HashRef};

use super::{
    Collection, ElementSink, Fate, Form, Limits, Object, Scratch, Stored, Type, View, Walked,
};
use crate::base::number::Decimal;
use crate::ds::listpack::{Element, Listpack, Pack};
use crate::ds::members::{Members, Name, WithValue};

/// Elements of a field in a listpack without deadlines.
const PAIR: usize = 2;

/// A hash. See the head of the file.
#[derive(Debug)]
pub enum Hash {
    /// A short one without deadlines.
    Packed(Listpack),
    /// A short one that has had deadlines.
    Expiring(Listpack),
    /// A long one.
    Table(Box<Members<WithValue>>),
}

/// What becomes of the deadline of a field that gets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// It goes.
    Forever,
    /// It stays, unless it has passed.
    Keep,
    /// It becomes this, in Unix milliseconds.
    Until(i64),
}

/// Why a number was not added to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsummable {
    /// The field's value is no integer.
    NotInteger,
    /// The sum leaves 64 bits.
    Overflow,
}

impl Default for Hash {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Hash {
    /// Gives a field a value; whether the field is new.
    #[inline]
    pub fn set(&mut self, limits: &Limits, name: &[u8], value: &[u8], lifetime: Lifetime) -> bool {
        match self {
            Hash::Packed(pack)
                if !matches!(lifetime, Lifetime::Until(_))
                    && fits(pack, limits, name, value.len()) =>
            {
                if let Some(item) = pack.pack().find(name, PAIR) {
                    let at = after(pack.pack(), item.at);
                    pack.replace(at, value);
                    return false;
                }
                pack.push_back(name);
                pack.push_back(value);
            }
            Hash::Table(members) => return set_member(members, limits, name, value, lifetime),
            _ => return self.set_otherwise(limits, name, value, lifetime),
        }
        self.grow(limits);
        true
    }

    /// [`Self::set`] where deadlines are kept, or the encoding changes first.
    #[cold]
    fn set_otherwise(
        &mut self,
        limits: &Limits,
        name: &[u8],
        value: &[u8],
        lifetime: Lifetime,
    ) -> bool {
        let is_new = match self {
            Hash::Packed(pack) | Hash::Expiring(pack) if !fits(pack, limits, name, value.len()) => {
                self.make_table(limits);
                return self.set(limits, name, value, lifetime);
            }
            Hash::Packed(pack) => {
                *self = Hash::Expiring(expiring::from_pairs(pack.pack()));
                return self.set_otherwise(limits, name, value, lifetime);
            }
            Hash::Expiring(pack) => expiring::set(pack, limits.now_ms, name, value, lifetime),
            Hash::Table(members) => set_member(members, limits, name, value, lifetime),
        };
        self.grow(limits);
        is_new
    }

    /// Becomes a table if there are too many fields for a listpack.
    #[inline]
    fn grow(&mut self, limits: &Limits) {
        let fields = match self {
            Hash::Packed(pack) => pack.pack().len() / PAIR,
            Hash::Expiring(pack) => pack.pack().len() / expiring::TRIPLE,
            Hash::Table(_) => return,
        };
        if fields > limits.hash_max_listpack_entries {
            self.make_table(limits);
        }
    }

    #[cold]
    fn make_table(&mut self, limits: &Limits) {
        let mut members = Members::new(limits.hasher);
        let mut rooms = (Vec::new(), Vec::new());
        self.view().for_each_field(|name, field| {
            let name = members.name(name.bytes(&mut rooms.0));
            members.insert(&name, field.value.bytes(&mut rooms.1), field.deadline);
        });
        *self = Hash::Table(Box::new(members));
    }

    /// Takes a field out; whether it was there, its deadline passed or not.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        match self {
            Hash::Packed(pack) => {
                let Some(item) = pack.pack().find(name, PAIR) else {
                    return false;
                };
                pack.remove(item.at, PAIR);
            }
            Hash::Expiring(pack) => {
                let Some(item) = pack.pack().find(name, expiring::TRIPLE) else {
                    return false;
                };
                pack.remove(item.at, expiring::TRIPLE);
            }
            Hash::Table(members) => {
                let name = members.name(name);
                let Some((position, _)) = members.find(&name) else {
                    return false;
                };
                members.remove(position, name.hash);
            }
        }
        true
    }

    /// Adds to a field's number, which keeps its deadline; a field that is not there counts as 0. The sum.
    pub fn add(&mut self, limits: &Limits, name: &[u8], increment: i64) -> Result<i64, Unsummable> {
        match self {
            Hash::Packed(pack) => {
                if let Some(item) = pack.pack().find(name, PAIR) {
                    let at = after(pack.pack(), item.at);
                    let sum = sum(pack.pack().get(at), increment)?;
                    pack.replace_int(at, sum);
                    return Ok(sum);
                }
            }
            Hash::Expiring(pack) => {
                let field = expiring::find(pack.pack(), name).map(|triple| triple.field());
                if let Some(field) = field.filter(|field| field.lives(limits.now_ms)) {
                    let sum = sum(field.value, increment)?;
                    self.set(limits, name, Decimal::new(sum).bytes(), Lifetime::Keep);
                    return Ok(sum);
                }
            }
            Hash::Table(members) => {
                let found = members.find(&members.name(name));
                if let Some((position, member)) = found.filter(|found| found.1.lives(limits.now_ms))
                {
                    let sum = sum(Element::Bytes(member.value()), increment)?;
                    members.set(position, Decimal::new(sum).bytes());
                    return Ok(sum);
                }
            }
        }
        let digits = Decimal::new(increment);
        self.set(limits, name, digits.bytes(), Lifetime::Forever);
        Ok(increment)
    }

    /// Looks a field up that lives at `now_ms`, asks `fate` what is to become of it, and does that; `None`: there is no
    /// such field.
    pub fn settle(
        &mut self,
        now_ms: i64,
        name: &[u8],
        fate: impl FnOnce(Field<'_>) -> Fate,
    ) -> Option<Fate> {
        match self {
            Hash::Packed(pack) => {
                let item = pack.pack().find(name, PAIR)?;
                let value = pack.pack().next(item.at)?.element;
                let deadline = None;
                let fate = fate(Field { value, deadline });
                match fate {
                    Fate::Stay | Fate::Persist => {}
                    Fate::Remove => {
                        pack.remove(item.at, PAIR);
                    }
                    Fate::Expire(_) => {
                        let mut triples = expiring::from_pairs(pack.pack());
                        expiring::settle(&mut triples, now_ms, name, |_| fate);
                        *self = Hash::Expiring(triples);
                    }
                }
                Some(fate)
            }
            Hash::Expiring(pack) => expiring::settle(pack, now_ms, name, fate),
            Hash::Table(members) => {
                let name = members.name(name);
                let (position, member) = members.find(&name)?;
                let (value, deadline) = (Element::Bytes(member.value()), member.deadline());
                let field = Field { value, deadline };
                let fate = field.lives(now_ms).then(|| fate(field))?;
                match fate {
                    Fate::Stay => {}
                    Fate::Persist => {
                        members.set_deadline(position, None);
                    }
                    Fate::Expire(at) => {
                        members.set_deadline(position, Some(at));
                    }
                    Fate::Remove => members.remove(position, name.hash),
                }
                Some(fate)
            }
        }
    }
}

#[inline]
fn sum(value: Element<'_>, increment: i64) -> Result<i64, Unsummable> {
    let value = value.as_i64().ok_or(Unsummable::NotInteger)?;
    value.checked_add(increment).ok_or(Unsummable::Overflow)
}

/// Whether a field and value may be added to a compact hash.
#[inline]
fn fits(pack: &Listpack, limits: &Limits, name: &[u8], value_bytes: usize) -> bool {
    let max = limits.hash_max_listpack_value;
    name.len() <= max && value_bytes <= max && pack.has_room_for(name.len() + value_bytes)
}

/// Where the element after the one at `at` is.
#[inline]
fn after(pack: Pack<'_>, at: usize) -> usize {
    let next = pack.next(at);
    next.expect("a field of a hash is followed by its value").at
}

#[inline]
fn set_member(
    members: &mut Members<WithValue>,
    limits: &Limits,
    name: &[u8],
    value: &[u8],
    lifetime: Lifetime,
) -> bool {
    let name: Name<'_> = members.name(name);
    let Some((position, member)) = members.find(&name) else {
        let deadline = match lifetime {
            Lifetime::Until(at) => Some(at),
            Lifetime::Forever | Lifetime::Keep => None,
        };
        members.insert(&name, value, deadline);
        return true;
    };
    let present = member.deadline();
    let deadline = match lifetime {
        Lifetime::Forever => None,
        Lifetime::Keep => present.filter(|at| *at >= limits.now_ms),
        Lifetime::Until(at) => Some(at),
    };
    if deadline != present {
        members.set_deadline(position, deadline);
    }
    members.set(position, value);
    false
}

impl Stored for Hash {
    fn type_of(&self) -> Type {
        Type::Hash
    }

    fn len(&self) -> usize {
        self.view().len()
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Hash::Packed(pack) | Hash::Expiring(pack) => pack.capacity(),
            Hash::Table(members) => size_of::<Members<WithValue>>() + members.heap_bytes(),
        }
    }

    fn free_effort(&self) -> usize {
        match self {
            Hash::Packed(_) | Hash::Expiring(_) => 1,
            Hash::Table(members) => members.len(),
        }
    }

    fn copy(&self) -> Object {
        Object::Hash(match self {
            Hash::Packed(pack) => Hash::Packed(pack.clone()),
            Hash::Expiring(pack) => Hash::Expiring(pack.clone()),
            Hash::Table(members) => Hash::Table(Box::new(members.copy())),
        })
    }

    fn first_deadline(&self) -> Option<i64> {
        self.view().first_deadline()
    }

    fn expire_members(&mut self, now_ms: i64, max: usize, gone: &mut dyn FnMut(&[u8])) {
        match self {
            Hash::Packed(_) => {}
            Hash::Expiring(pack) => expiring::expire(pack, now_ms, max, gone),
            Hash::Table(members) => (0..max)
                .take_while(|_| members.expire_first(now_ms, gone))
                .for_each(drop),
        }
    }

    fn is_walkable(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    fn begin_walk(&mut self, mut sink: ElementSink) {
        if let Self::Table(members) = self {
            members.begin_walk(move |member| {
                sink(Walked {
                    name: member.name(),
                    value: Some(member.value()),
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

impl Collection for Hash {
    const TYPE: Type = Type::Hash;
    type Ref<'a> = HashRef<'a>;

    #[inline]
    fn view(&self) -> HashRef<'_> {
        match self {
            Hash::Packed(pack) => HashRef::Packed(pack.pack()),
            Hash::Expiring(pack) => HashRef::Expiring(pack.pack()),
            Hash::Table(members) => HashRef::Table(members),
        }
    }

    #[inline]
    fn view_packed(_: Form, bytes: &[u8]) -> HashRef<'_> {
        HashRef::Packed(Pack::new(bytes))
    }

    #[inline]
    fn load(&mut self, _: Form, bytes: &[u8]) {
        match self {
            Hash::Packed(pack) => pack.load(Pack::new(bytes)),
            Hash::Expiring(_) | Hash::Table(_) => {
                let mut pack = Listpack::new();
                pack.load(Pack::new(bytes));
                *self = Hash::Packed(pack);
            }
        }
    }

    #[inline]
    fn packed(&self) -> Option<(Form, &[u8])> {
        match self {
            Hash::Packed(pack) => Some((Form::Listpack, pack.pack().bytes())),
            Hash::Expiring(_) | Hash::Table(_) => None,
        }
    }

    fn shrink(&mut self) {
        match self {
            Hash::Packed(pack) | Hash::Expiring(pack) => pack.shrink(),
            Hash::Table(_) => {}
        }
    }

    fn of(object: &Object) -> Option<&Self> {
        match object {
            Object::Hash(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Hash(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Hash(self)
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.hash
    }
}

#[cfg(test)]
mod tests;
