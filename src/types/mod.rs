//! What a key can hold. A type knows its content, encoding and size; no key names, clients, clock or configuration:
//! thresholds come in as [`Limits`].
//!
//! A short string, a number and a small collection live in the record of their key; everything else is an [`Object`]
//! behind a pointer. A reader gets the same view of both ([`ValueRef`], or a type's own `Ref`). A new type is a file here
//! with `impl Collection`, and its variants below.

pub mod geohash;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod load;
pub mod rdb;
pub mod set;
pub mod stream;
pub mod string;
pub mod walk;
pub mod zset;

use crate::base::hash::Hasher;
use crate::rdb::Encoder;
use bytes::Bytes;
use hash::{Hash, HashRef};
use list::{List, ListRef};
use set::{Set, SetRef};
use stream::Stream;
use string::{Digits, StringRef};
use zset::{Zset, ZsetRef};

/// The types that a key can have, as TYPE names them. The numbers stand in the headers of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Type {
    /// Bytes or an integer.
    String = 0,
    /// A sequence of strings.
    List = 1,
    /// Different strings.
    Set = 2,
    /// Different strings, ordered by a score.
    Zset = 3,
    /// Fields with values.
    Hash = 4,
    /// Entries in the order of their ids.
    Stream = 5,
}

/// Every type that there is, by number.
pub const TYPES: [Type; 6] = [
    Type::String,
    Type::List,
    Type::Set,
    Type::Zset,
    Type::Hash,
    Type::Stream,
];

impl Type {
    /// The word that TYPE answers.
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::List => "list",
            Type::Set => "set",
            Type::Zset => "zset",
            Type::Hash => "hash",
            Type::Stream => "stream",
        }
    }

    /// The type that a record's header numbers `number`.
    #[inline]
    pub fn of_number(number: u8) -> Option<Type> {
        TYPES.get(usize::from(number)).copied()
    }
}

/// The key holds a value of another type than the command works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
pub struct WrongType;

/// Where encodings change, and what else a value must be told from outside. The names are those of the parameters.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The keyspace's hash, for tables of members.
    pub hasher: Hasher,
    /// Unix milliseconds that the running command sees.
    pub now_ms: i64,
    /// Fields of a compact hash.
    pub hash_max_listpack_entries: usize,
    /// Bytes of a field or value of a compact hash.
    pub hash_max_listpack_value: usize,
    /// Elements of a list's node; -1 to -5 mean 4, 8, 16, 32 and 64 KiB.
    pub list_max_listpack_size: i32,
    /// Bytes from which a list element stands alone in its node; 0: the default (DEBUG QUICKLIST-PACKED-THRESHOLD).
    pub list_packed_threshold: u32,
    /// Members of a compact set of integers.
    pub set_max_intset_entries: usize,
    /// Members of a compact set.
    pub set_max_listpack_entries: usize,
    /// Bytes of a member of a compact set.
    pub set_max_listpack_value: usize,
    /// Members of a compact sorted set.
    pub zset_max_listpack_entries: usize,
    /// Bytes of a member of a compact sorted set.
    pub zset_max_listpack_value: usize,
    /// Bytes of a stream's node; 0 means no limit.
    pub stream_node_max_bytes: usize,
    /// Entries of a stream's node; 0 means no limit.
    pub stream_node_max_entries: usize,
}

impl Limits {
    /// The defaults of the configuration.
    pub fn new(hasher: Hasher) -> Self {
        Self {
            hasher,
            now_ms: 0,
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            list_max_listpack_size: -2,
            list_packed_threshold: 0,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            stream_node_max_bytes: 4096,
            stream_node_max_entries: 100,
        }
    }
}

/// Which of its packed forms a small collection has in the record of its key (a set: 0 listpack, 1 intset).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// The first; a listpack.
    Listpack = 0,
    /// The second: of sets, an intset.
    Intset = 1,
}

/// What becomes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is.
    Stay,
    /// It expires at this time, in Unix milliseconds.
    Expire(i64),
    /// It loses its deadline.
    Persist,
    /// It goes.
    Remove,
}

/// What the server needs of any value that lives outside its record.
pub trait Stored: Send {
    /// Its type.
    fn type_of(&self) -> Type;
    /// Elements; a key whose collection is empty must not exist (streams aside).
    fn len(&self) -> usize;
    /// Whether it has no elements and must go.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes on the heap behind the object itself.
    fn heap_bytes(&self) -> usize;
    /// How many allocations must be freed: above a threshold that happens on the helper thread.
    fn free_effort(&self) -> usize;
    /// An equal value that shares nothing that may change.
    fn copy(&self) -> Object;
    /// When the first of its members expires, Unix milliseconds.
    fn first_deadline(&self) -> Option<i64> {
        None
    }
    /// Takes out up to `max` members whose deadline is before `now_ms`, the earliest first, and tells their names.
    fn expire_members(&mut self, _now_ms: i64, _max: usize, _gone: &mut dyn FnMut(&[u8])) {}
    /// Whether [`Self::begin_walk`] has something to begin: the elements are in a table.
    fn is_walkable(&self) -> bool {
        false
    }
    /// Starts a point-in-time walk: from now on the sink gets, once each and in no particular order, the elements that are
    /// there at this moment, as they are at this moment. Must be [walkable](Self::is_walkable); one walk at a time.
    fn begin_walk(&mut self, _sink: ElementSink) {}
    /// Goes on with the walk for up to `buckets` buckets of the table; whether it is complete, or there is none.
    fn walk(&mut self, _buckets: usize) -> bool {
        true
    }
    /// Whether [`Self::freeze`] has something cheaper to give than the encoded form.
    fn is_freezable(&self) -> bool {
        false
    }
    /// The value as it is now, to be encoded on another thread while this one changes. Must be
    /// [freezable](Self::is_freezable).
    fn freeze(&mut self) -> Option<Box<dyn Frozen>> {
        None
    }
}

/// An element of a set, hash or sorted set on its way into a snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walked<'a> {
    /// The member, or the field.
    pub name: &'a [u8],
    /// The field's value.
    pub value: Option<&'a [u8]>,
    /// The member's score.
    pub score: Option<f64>,
    /// When it expires, Unix milliseconds.
    pub deadline: Option<i64>,
}

/// What a walk wants of a value besides its head.
pub enum Wanted {
    /// Its elements, as they are at this moment, one by one from now on: see [`Stored::begin_walk`].
    Elements(ElementSink),
    /// The value itself: see [`Stored::freeze`].
    Frozen(FrozenSink),
}

/// Takes a frozen value; `None`: there is none after all.
pub type FrozenSink = Box<dyn FnOnce(Option<Box<dyn Frozen>>) + Send>;

/// Takes each element of a walked collection once.
pub type ElementSink = Box<dyn FnMut(Walked<'_>) + Send>;

/// Bytes after which a [`Frozen`] value ends a part of its body.
pub const FROZEN_PART_BYTES: usize = 64 << 10;

/// A value that does not change any more. See [`Stored::freeze`].
pub trait Frozen: Send {
    /// Appends the next part of its body, [`FROZEN_PART_BYTES`] and a node at most; whether there is more.
    fn encode(&mut self, to: &mut Encoder) -> bool;
}

/// A reader's view of a value.
pub trait View: Copy {
    /// What OBJECT ENCODING answers.
    fn encoding(self) -> &'static str;
    /// Elements.
    fn len(self) -> usize;
    /// Whether it has none.
    fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// Every element as what a client can see of it: `[value]` of a list, `[member]` of a set, `[field, value]` of a hash,
    /// `[member, score]` of a sorted set, `[id, field, value, ...]` of a stream. What has expired is left out.
    fn visit(self, now_ms: i64, visit: &mut dyn FnMut(&[&[u8]]));
}

/// A type of many elements, whose small values are packed into the record of their key.
pub trait Collection: Stored + Default + 'static {
    /// Its type.
    const TYPE: Type;
    /// What a reader gets.
    type Ref<'a>: View;
    /// The reader's view.
    fn view(&self) -> Self::Ref<'_>;
    /// The reader's view of packed bytes.
    fn view_packed(form: Form, bytes: &[u8]) -> Self::Ref<'_>;
    /// Becomes the value that is packed in `bytes` (none: empty); memory of before is used again.
    fn load(&mut self, form: Form, bytes: &[u8]);
    /// The bytes that may stand in the key's record in place of this value, if it is of a packed encoding.
    fn packed(&self) -> Option<(Form, &[u8])>;
    /// Whether members whose deadline has passed must be taken out before anyone looks at the value (types that hide them
    /// by themselves say no).
    fn must_settle(&self, _now_ms: i64) -> bool {
        false
    }
    /// Gives back spare memory: it will be kept for long.
    fn shrink(&mut self) {}
    /// The value in an object of its type.
    fn of(object: &Object) -> Option<&Self>;
    /// The same, to be changed.
    fn of_mut(object: &mut Object) -> Option<&mut Self>;
    /// The object of it.
    fn into_object(self) -> Object;
    /// Its place among the values that are loaded to be changed.
    fn scratch(scratch: &mut Scratch) -> &mut Self;
}

/// A value that lives outside the record of its key.
#[derive(Debug)]
pub enum Object {
    /// A string of [`string::SHARED_MIN_BYTES`] or more: replies share it without a copy.
    String(Bytes),
    /// A list that is too large for its key's record.
    List(List),
    /// A set that is.
    Set(Set),
    /// A sorted set that is.
    Zset(Zset),
    /// A hash that is.
    Hash(Hash),
    /// A stream.
    Stream(Box<Stream>),
}

impl Object {
    /// The object of a collection that was packed; `None` for types that never are.
    pub fn of_packed(type_of: Type, form: Form, bytes: &[u8]) -> Option<Self> {
        fn unpacked<T: Collection>(form: Form, bytes: &[u8]) -> Object {
            let mut value = T::default();
            value.load(form, bytes);
            value.shrink();
            value.into_object()
        }
        match type_of {
            Type::List => Some(unpacked::<List>(form, bytes)),
            Type::Set => Some(unpacked::<Set>(form, bytes)),
            Type::Zset => Some(unpacked::<Zset>(form, bytes)),
            Type::Hash => Some(unpacked::<Hash>(form, bytes)),
            Type::String | Type::Stream => None,
        }
    }

    /// The type behind the variant.
    pub fn stored(&self) -> &dyn Stored {
        match self {
            Object::String(value) => value,
            Object::List(value) => value,
            Object::Set(value) => value,
            Object::Zset(value) => value,
            Object::Hash(value) => value,
            Object::Stream(value) => value.as_ref(),
        }
    }

    /// The same, to be changed.
    pub fn stored_mut(&mut self) -> &mut dyn Stored {
        match self {
            Object::String(value) => value,
            Object::List(value) => value,
            Object::Set(value) => value,
            Object::Zset(value) => value,
            Object::Hash(value) => value,
            Object::Stream(value) => value.as_mut(),
        }
    }

    /// The reader's view.
    pub fn view(&self) -> ValueRef<'_> {
        match self {
            Object::String(value) => ValueRef::String(StringRef::Shared(value)),
            Object::List(value) => ValueRef::List(value.view()),
            Object::Set(value) => ValueRef::Set(value.view()),
            Object::Zset(value) => ValueRef::Zset(value.view()),
            Object::Hash(value) => ValueRef::Hash(value.view()),
            Object::Stream(value) => ValueRef::Stream(value),
        }
    }
}

/// Any value as a reader sees it, wherever it is kept.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string.
    String(StringRef<'a>),
    /// A list.
    List(ListRef<'a>),
    /// A set.
    Set(SetRef<'a>),
    /// A sorted set.
    Zset(ZsetRef<'a>),
    /// A hash.
    Hash(HashRef<'a>),
    /// A stream.
    Stream(&'a Stream),
}

impl<'a> ValueRef<'a> {
    /// A collection that is packed in the record of its key; `None` for types that never are.
    pub fn of_packed(type_of: Type, form: Form, bytes: &'a [u8]) -> Option<Self> {
        match type_of {
            Type::List => Some(ValueRef::List(List::view_packed(form, bytes))),
            Type::Set => Some(ValueRef::Set(Set::view_packed(form, bytes))),
            Type::Zset => Some(ValueRef::Zset(Zset::view_packed(form, bytes))),
            Type::Hash => Some(ValueRef::Hash(Hash::view_packed(form, bytes))),
            Type::String | Type::Stream => None,
        }
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(self) -> &'static str {
        match self {
            ValueRef::String(value) => value.encoding(),
            ValueRef::List(value) => value.encoding(),
            ValueRef::Set(value) => value.encoding(),
            ValueRef::Zset(value) => value.encoding(),
            ValueRef::Hash(value) => value.encoding(),
            ValueRef::Stream(value) => value.encoding(),
        }
    }

    /// See [`View::visit`]; of a string, `[value]`.
    pub fn visit(self, now_ms: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        match self {
            ValueRef::String(value) => visit(&[value.bytes(&mut Digits::default())]),
            ValueRef::List(value) => value.visit(now_ms, visit),
            ValueRef::Set(value) => value.visit(now_ms, visit),
            ValueRef::Zset(value) => value.visit(now_ms, visit),
            ValueRef::Hash(value) => value.visit(now_ms, visit),
            ValueRef::Stream(value) => value.visit(now_ms, visit),
        }
    }

    /// Its type.
    pub fn type_of(self) -> Type {
        match self {
            ValueRef::String(_) => Type::String,
            ValueRef::List(_) => Type::List,
            ValueRef::Set(_) => Type::Set,
            ValueRef::Zset(_) => Type::Zset,
            ValueRef::Hash(_) => Type::Hash,
            ValueRef::Stream(_) => Type::Stream,
        }
    }

    /// Asks for the cache lines of members that will be looked for, whose names have these hashes: their look-ups will
    /// not wait for one another.
    pub fn prefetch_members(self, hashes: &[u64]) {
        let hashes = hashes.iter().copied();
        match self {
            ValueRef::Set(SetRef::Table(members)) => members.prefetch(hashes),
            ValueRef::Zset(ZsetRef::Table(ranking)) => ranking.members().prefetch(hashes),
            ValueRef::Hash(HashRef::Table(members)) => members.prefetch(hashes),
            _ => {}
        }
    }

    /// Elements; of a string, 1.
    pub fn elements(self) -> usize {
        match self {
            ValueRef::String(_) => 1,
            ValueRef::List(value) => value.len(),
            ValueRef::Set(value) => value.len(),
            ValueRef::Zset(value) => value.len(),
            ValueRef::Hash(value) => value.len(),
            ValueRef::Stream(value) => View::len(value),
        }
    }
}

/// One value of each packed type, into which small ones are loaded to be changed: their memory is used again and again.
#[derive(Debug, Default)]
pub struct Scratch {
    list: List,
    set: Set,
    zset: Zset,
    hash: Hash,
    stream: Stream,
}
