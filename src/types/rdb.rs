//! What a value looks like in an RDB file: its kind, and its body. All kinds written here are plain ones that every
//! version of every server reads; which encoding a value has after loading is up to whoever loads it.
//!
//! ```text
//! list    1  count, elements               set      2  count, members
//! hash    4  count, field, value...        zset     5  count, member, score of 8 bytes...
//! hash   24  earliest deadline i64, count, (deadline - earliest + 1, or 0: none; field; value)...
//! ```
//! A large collection is not encoded at once: [`Head`] writes what stands before its elements, and the elements follow one
//! by one while the collection is walked. Deadlines of members of sets and sorted sets have no place in a value; they
//! follow it in auxiliary fields of the name [`MEMBER_DEADLINES`], which other servers pass over:
//!
//! ```text
//! value of the field  key, (member, deadline i64)...     strings as everywhere in the file
//! ```

use super::{Type, ValueRef, Walked};
use crate::base::number;
use crate::rdb::{Encoder, kind, opcode};

/// The name of the auxiliary fields with the deadlines of members of the key before them.
pub const MEMBER_DEADLINES: &[u8] = b"oxidis-member-deadlines";

/// The kind of a large collection's body and what stands before its elements.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The kind.
    pub kind: u8,
    elements: usize,
    /// The earliest deadline of a field.
    earliest: i64,
}

impl Head {
    /// Of a collection of this type with so many elements, whose first deadline this is.
    pub fn of(type_of: Type, elements: usize, first_deadline: Option<i64>) -> Self {
        let kind = match (type_of, first_deadline) {
            (Type::Hash, Some(_)) => kind::HASH_METADATA,
            (Type::Hash, None) => kind::HASH,
            (Type::Zset, _) => kind::ZSET_2,
            (Type::Set, _) => kind::SET,
            (Type::List | Type::String | Type::Stream, _) => kind::LIST,
        };
        Self {
            kind,
            elements,
            earliest: first_deadline.unwrap_or(0),
        }
    }

    /// What stands before the elements.
    pub fn encode(&self, to: &mut Encoder) {
        if self.kind == kind::HASH_METADATA {
            to.i64(self.earliest);
        }
        to.length(self.elements);
    }

    /// An element.
    #[inline]
    pub fn encode_element(&self, element: Walked<'_>, to: &mut Encoder) {
        if self.kind == kind::HASH_METADATA {
            // Deadlines count from 1 on; the earliest of all is the earliest of this one too.
            let after = |deadline: i64| deadline.wrapping_sub(self.earliest).wrapping_add(1) as u64;
            to.number(element.deadline.map_or(0, after));
        }
        to.string(element.name);
        if let Some(value) = element.value {
            to.string(value);
        }
        if let Some(score) = element.score {
            to.f64(score);
        }
    }

    /// Whether the deadlines of its elements have no place in the body.
    pub fn keeps_deadlines_apart(&self) -> bool {
        matches!(self.kind, kind::SET | kind::ZSET_2)
    }
}

/// Deadlines of members, collected while their collection is walked.
#[derive(Debug, Default)]
pub struct MemberDeadlines {
    pairs: Encoder,
}

impl MemberDeadlines {
    /// Notes one.
    pub fn add(&mut self, name: &[u8], deadline: i64) {
        self.pairs.string(name);
        self.pairs.i64(deadline);
    }

    /// The auxiliary field of the key, which the deadlines leave with it; nothing if there are none.
    pub fn encode(&mut self, key: &[u8], to: &mut Encoder) {
        if self.pairs.is_empty() {
            return;
        }
        let mut value = Encoder::default();
        value.string(key);
        value.append(&self.pairs);
        to.byte(opcode::AUX);
        to.string(MEMBER_DEADLINES);
        to.plain_string(&value.bytes);
        self.pairs.clear();
    }
}

impl ValueRef<'_> {
    /// The kind of the body that [`Self::save`] writes.
    pub fn rdb_kind(self) -> u8 {
        match self {
            ValueRef::String(_) => kind::STRING,
            ValueRef::List(_) => kind::LIST,
            ValueRef::Set(_) => kind::SET,
            ValueRef::Zset(_) => kind::ZSET_2,
            ValueRef::Hash(_) => kind::HASH,
            ValueRef::Stream(_) => kind::STREAM_3,
        }
    }

    /// The body.
    pub fn save(self, to: &mut Encoder) {
        if let ValueRef::String(string) = self {
            match string {
                super::string::StringRef::Int(value) => to.int(value),
                super::string::StringRef::Bytes { bytes, .. } => to.string(bytes),
                super::string::StringRef::Shared(bytes) => to.plain_string(bytes),
            }
            return;
        }
        to.length(self.elements());
        // Seen from before all time nothing has expired: whether a member has is for the reader to decide.
        self.visit(i64::MIN, &mut |element| match (self, element) {
            (ValueRef::Zset(_), [name, score]) => {
                to.string(name);
                to.f64(number::parse_f64(score).unwrap_or_default());
            }
            _ => element.iter().for_each(|word| to.string(word)),
        });
    }
}
