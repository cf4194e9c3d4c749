//! The record of a key, and the store that owns all records of a database.
//!
//! ```text
//! record  [ kind 1 | access 3 | key length 1 (255: 4 more) | deadline 8, heap place 4 (only with expiry) | key | value ]
//! kind    bit 7: has an expiry; bits 3-6: the type's number; bits 0-2: how the value is kept
//! value   int: 8 bytes; inline: length 1 (255: 4 more), bytes: a string, or a small collection packed in one of the two
//!         forms of its type; boxed: the address of a `Box<Object>`, 8 bytes
//! ```
//! One allocation of exactly that many bytes in the store's arena, nothing aligned: 5 bytes of header and 1 of length
//! for a short key with a short value. `access` is the LRU or LFU word, `deadline` Unix milliseconds, `heap place` where
//! the record stands in the expiry heap.
//!
//! Invariants: a record is in the table, and with an expiry in the heap, from its creation to its removal; both name
//! its current address. Every `Box<Object>` belongs to one record. References handed out borrow the store; nothing
//! moves or frees a record but `&mut Store`. Content changes only behind the table's `change` and `replace`.

mod store;

pub use store::{LookUpAhead, Position, RecordSink, Store};

use crate::base::hash::Hasher;
use crate::ds::arena::cell_bytes;
use crate::ds::expiry_heap::Located;
use crate::ds::table::{Slot, prefetch};
use crate::types::string::{NewString, StringRef};
use crate::types::{Collection, Form, Object, Type, ValueRef};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A key with its hash, computed once.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key's name.
    pub bytes: &'a [u8],
    /// Its hash under the keyspace's secret.
    pub hash: u64,
}

impl<'a> Key<'a> {
    /// The key of this name under the keyspace's secret.
    #[inline]
    pub fn new(bytes: &'a [u8], hasher: &Hasher) -> Self {
        Self {
            bytes,
            hash: hasher.hash(bytes),
        }
    }
}

const HAS_EXPIRY: u8 = 0x80;
const KEPT_MASK: u8 = 0x07;
const KEPT_INT: u8 = 0;
const KEPT_INLINE: u8 = 1;
const KEPT_RAW: u8 = 2;
const KEPT_BOXED: u8 = 3;
const TYPE_SHIFT: u32 = 3;

const KEY_LENGTH_AT: usize = 4;
const HEADER_BYTES: usize = 5;
const EXPIRY_BYTES: usize = 12;
/// A length byte that says: the length is in the 4 bytes that follow.
const LONG: u8 = 255;
/// Packed bytes of a collection that may stand in the record of its key.
pub const INLINE_MAX_BYTES: usize = 1024;
/// The longest key: its length must fit the record.
pub const KEY_MAX_BYTES: usize = u32::MAX as usize;
/// Room that a long string which grows is given ahead.
const SPARE_MAX_BYTES: usize = 1 << 20;
/// The mask of the access word.
pub const ACCESS_MASK: u32 = 0xff_ffff;

/// The address of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record(NonNull<u8>);

fn length_bytes(length: usize) -> usize {
    if length < LONG as usize { 1 } else { 5 }
}

impl Record {
    #[inline]
    fn byte(self, at: usize) -> u8 {
        // SAFETY: callers read inside the record: the header always, the rest as the header tells.
        unsafe { *self.0.as_ptr().add(at) }
    }

    #[inline]
    fn read<const N: usize>(self, at: usize) -> [u8; N] {
        // SAFETY: as in `byte`; an array of bytes needs no alignment.
        unsafe { self.0.as_ptr().add(at).cast::<[u8; N]>().read() }
    }

    #[inline]
    fn write(self, at: usize, bytes: &[u8]) {
        // SAFETY: as in `byte`; the source is never part of the record (callers pass locals or foreign slices).
        unsafe {
            self.0
                .as_ptr()
                .add(at)
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
        }
    }

    #[inline]
    fn slice<'a>(self, at: usize, length: usize) -> &'a [u8] {
        // SAFETY: as in `byte`; `RecordRef` ties the lifetime to a borrow of the store.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), length) }
    }

    /// A length at `at`, and where what follows it begins.
    #[inline]
    fn length(self, at: usize) -> (usize, usize) {
        match self.byte(at) {
            LONG => (u32::from_le_bytes(self.read(at + 1)) as usize, at + 5),
            short => (short as usize, at + 1),
        }
    }

    fn write_length(self, at: usize, length: usize) -> usize {
        if length < LONG as usize {
            self.write(at, &[length as u8]);
            return at + 1;
        }
        assert!(
            length <= KEY_MAX_BYTES,
            "longer keys are refused, longer values are shared"
        );
        self.write(at, &[LONG]);
        self.write(at + 1, &(length as u32).to_le_bytes());
        at + 5
    }

    #[inline]
    fn kind(self) -> u8 {
        self.byte(0)
    }

    #[inline]
    fn has_expiry(self) -> bool {
        self.kind() & HAS_EXPIRY != 0
    }

    #[inline]
    fn expiry_at(self) -> usize {
        if self.byte(KEY_LENGTH_AT) == LONG {
            HEADER_BYTES + 4
        } else {
            HEADER_BYTES
        }
    }

    #[inline]
    fn key_span(self) -> (usize, usize) {
        let (length, at) = self.length(KEY_LENGTH_AT);
        (
            if self.has_expiry() {
                at + EXPIRY_BYTES
            } else {
                at
            },
            length,
        )
    }

    #[inline]
    fn value_at(self) -> usize {
        let (at, length) = self.key_span();
        at + length
    }

    fn bytes_total(self) -> usize {
        let at = self.value_at();
        match self.kind() & KEPT_MASK {
            KEPT_INLINE | KEPT_RAW => {
                let (length, start) = self.length(at);
                start + length
            }
            _ => at + 8,
        }
    }

    #[inline]
    fn object(self) -> Option<NonNull<Object>> {
        if self.kind() & KEPT_MASK != KEPT_BOXED {
            return None;
        }
        let address = usize::from_le_bytes(self.read(self.value_at()));
        NonNull::new(std::ptr::with_exposed_provenance_mut::<Object>(address))
    }

    fn access(self) -> u32 {
        let [a, b, c] = self.read(1);
        u32::from_le_bytes([a, b, c, 0])
    }
}

impl Slot for Record {
    #[inline]
    fn bits(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }
    // SAFETY: the trait's contract: the bits are of a record that lives, so they are not zero.
    #[inline]
    unsafe fn from_bits(bits: u64) -> Self {
        // SAFETY: see above.
        Self(unsafe {
            NonNull::new_unchecked(std::ptr::with_exposed_provenance_mut(bits as usize))
        })
    }
    #[inline]
    fn hash(self, hasher: &Hasher) -> u64 {
        let (at, length) = self.key_span();
        hasher.hash(self.slice(at, length))
    }
    #[inline]
    fn prefetch(self) {
        // A record of a 100-byte value may reach into a third line; the last prefetch is of the second for shorter ones.
        prefetch(self.0.as_ptr());
        prefetch(self.0.as_ptr().wrapping_add(64));
        prefetch(self.0.as_ptr().wrapping_add(124));
    }
}

impl Located for Record {
    #[inline]
    fn set_place(self, place: u32) {
        self.write(self.expiry_at() + 8, &place.to_le_bytes());
    }
}

/// A record that is being read; it borrows the store.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    record: Record,
    store: PhantomData<&'a Store>,
}

impl<'a> RecordRef<'a> {
    fn new(record: Record) -> Self {
        Self {
            record,
            store: PhantomData,
        }
    }

    /// The key's name.
    #[inline]
    pub fn key(&self) -> &'a [u8] {
        let (at, length) = self.record.key_span();
        self.record.slice(at, length)
    }

    /// The value's type.
    #[inline]
    pub fn type_of(&self) -> Type {
        let number = self.record.kind() >> TYPE_SHIFT & 15;
        Type::of_number(number).expect("records are written with the number of a type")
    }

    /// When the key expires, in Unix milliseconds.
    #[inline]
    pub fn deadline(&self) -> Option<i64> {
        self.record
            .has_expiry()
            .then(|| i64::from_le_bytes(self.record.read(self.record.expiry_at())))
    }

    /// The LRU or LFU word, 24 bits.
    #[inline]
    pub fn access(&self) -> u32 {
        self.record.access()
    }

    /// Notes a use of the key. Not content: a snapshot may or may not see it.
    #[inline]
    pub fn set_access(&self, access: u32) {
        let [a, b, c, _] = access.to_le_bytes();
        self.record.write(1, &[a, b, c]);
    }

    /// Where the record lies, for DEBUG OBJECT: it stays there while its value is changed in place.
    pub fn address(&self) -> usize {
        self.record.0.addr().get()
    }

    /// The object, where the value is kept outside the record.
    pub fn object(&self) -> Option<&'a Object> {
        // SAFETY: the record owns the box, and the store is borrowed for as long.
        self.record
            .object()
            .map(|object| unsafe { object.as_ref() })
    }

    /// The string, if it is one.
    #[inline]
    pub fn string(&self) -> Option<StringRef<'a>> {
        let record = self.record;
        match record.kind() & !HAS_EXPIRY {
            KEPT_INT => Some(StringRef::Int(i64::from_le_bytes(
                record.read(record.value_at()),
            ))),
            kept @ (KEPT_INLINE | KEPT_RAW) => {
                let (length, at) = record.length(record.value_at());
                Some(StringRef::Bytes {
                    bytes: record.slice(at, length),
                    raw: kept == KEPT_RAW,
                })
            }
            _ => match self.object() {
                Some(Object::String(bytes)) => Some(StringRef::Shared(bytes)),
                _ => None,
            },
        }
    }

    /// The bytes of a small collection, and which packed form of its type they are.
    #[inline]
    pub fn packed(&self) -> Option<(Form, &'a [u8])> {
        let form = match self.record.kind() & KEPT_MASK {
            KEPT_INLINE => Form::Listpack,
            KEPT_RAW => Form::Intset,
            _ => return None,
        };
        let (length, at) = self.record.length(self.record.value_at());
        Some((form, self.record.slice(at, length)))
    }

    /// The collection, if it is of this type.
    #[inline]
    pub fn collection<T: Collection>(&self) -> Option<T::Ref<'a>> {
        if self.type_of() != T::TYPE {
            return None;
        }
        match self.packed() {
            Some((form, bytes)) => Some(T::view_packed(form, bytes)),
            None => self.object().and_then(T::of).map(T::view),
        }
    }

    /// The value, whatever it is.
    pub fn value(&self) -> ValueRef<'a> {
        let value = match (self.string(), self.object()) {
            (Some(string), _) => Some(ValueRef::String(string)),
            (None, Some(object)) => Some(object.view()),
            (None, None) => self
                .packed()
                .and_then(|(form, bytes)| ValueRef::of_packed(self.type_of(), form, bytes)),
        };
        value.expect("a value is a string, a packed collection or an object")
    }

    /// An equal value that belongs to no record.
    pub fn copy_value(&self) -> OwnedValue {
        match (self.string(), self.object(), self.packed()) {
            (Some(StringRef::Int(value)), ..) => OwnedValue::Int(value),
            (Some(StringRef::Bytes { bytes, raw }), ..) => OwnedValue::Inline(bytes.to_vec(), raw),
            (_, Some(object), _) => OwnedValue::Boxed(Box::new(object.stored().copy())),
            (_, None, Some((form, bytes))) => {
                OwnedValue::Packed(self.type_of(), form, bytes.to_vec())
            }
            (_, None, None) => unreachable!("a value is a number, inline or an object"),
        }
    }

    /// Bytes of the record and of what it owns.
    pub fn memory_bytes(&self) -> usize {
        let record = cell_bytes(self.record.bytes_total());
        record
            + self.object().map_or(0, |object| {
                size_of::<Object>() + object.stored().heap_bytes()
            })
    }
}

/// A value on its way into a record, or out of one.
#[derive(Debug)]
pub enum NewValue<'a> {
    /// A number.
    Int(i64),
    /// A string of less than [`SHARED_MIN_BYTES`](crate::types::string::SHARED_MIN_BYTES).
    Inline(&'a [u8]),
    /// The same, called `raw` at any length.
    Raw(&'a [u8]),
    /// A small collection.
    Packed(Type, Form, &'a [u8]),
    /// Anything else.
    Boxed(Box<Object>),
}

impl<'a> From<NewString<'a>> for NewValue<'a> {
    #[inline]
    fn from(string: NewString<'a>) -> Self {
        match string.encoded() {
            NewString::Int(value) => NewValue::Int(value),
            NewString::Bytes(bytes) | NewString::Text(bytes) => NewValue::Inline(bytes),
            NewString::Raw(bytes) => NewValue::Raw(bytes),
            NewString::Shared(bytes) => NewValue::Boxed(Box::new(Object::String(bytes))),
        }
    }
}

impl NewValue<'_> {
    #[inline]
    fn kind(&self) -> u8 {
        match self {
            NewValue::Int(_) => KEPT_INT,
            NewValue::Inline(_) => KEPT_INLINE,
            NewValue::Raw(_) => KEPT_RAW,
            NewValue::Packed(type_of, Form::Listpack, _) => {
                KEPT_INLINE | (*type_of as u8) << TYPE_SHIFT
            }
            NewValue::Packed(type_of, Form::Intset, _) => KEPT_RAW | (*type_of as u8) << TYPE_SHIFT,
            NewValue::Boxed(object) => KEPT_BOXED | (object.stored().type_of() as u8) << TYPE_SHIFT,
        }
    }

    #[inline]
    fn bytes(&self) -> usize {
        match self {
            NewValue::Inline(bytes) | NewValue::Raw(bytes) | NewValue::Packed(_, _, bytes) => {
                length_bytes(bytes.len()) + bytes.len()
            }
            NewValue::Int(_) | NewValue::Boxed(_) => 8,
        }
    }
}

/// A value outside any record: on its way from one key to another.
#[derive(Debug)]
pub enum OwnedValue {
    /// A number.
    Int(i64),
    /// A short string, and whether it is called `raw`.
    Inline(Vec<u8>, bool),
    /// A small collection.
    Packed(Type, Form, Vec<u8>),
    /// Anything else.
    Boxed(Box<Object>),
}

impl OwnedValue {
    /// The value, to be put into a record; `copied` inline bytes are borrowed from `room`.
    pub fn into_new(self, room: &mut Vec<u8>) -> NewValue<'_> {
        match self {
            OwnedValue::Int(value) => NewValue::Int(value),
            OwnedValue::Inline(bytes, raw) => {
                *room = bytes;
                if raw {
                    NewValue::Raw(room)
                } else {
                    NewValue::Inline(room)
                }
            }
            OwnedValue::Packed(type_of, form, bytes) => {
                *room = bytes;
                NewValue::Packed(type_of, form, room)
            }
            OwnedValue::Boxed(object) => NewValue::Boxed(object),
        }
    }
}

/// What a removed or replaced value leaves to be freed, here or on the helper thread.
pub type Remains = Option<Box<Object>>;

#[cfg(test)]
mod tests;
