//! What a key can hold. A type knows its content, encoding and size; no key names, clients, clock or configuration.
//!
//! A short string or a number lives in the record of its key; everything else is an [`Object`] behind a pointer. A new
//! type is a file here with `impl Stored`, and its variant in [`Object`].

pub mod stream;
pub mod string;

use bytes::Bytes;

/// The types that a key can have, as TYPE names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Type {
    /// Bytes or an integer.
    String = 0,
}

/// Every type that there is.
pub const TYPES: [Type; 1] = [Type::String];

impl Type {
    /// The word that TYPE answers.
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "string",
        }
    }

    /// The type that a record's header numbers `number`.
    pub fn of_number(number: u8) -> Option<Type> {
        TYPES.get(usize::from(number)).copied()
    }
}

/// The key holds a value of another type than the command works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
pub struct WrongType;

/// What the server needs of any value that lives outside its record.
pub trait Stored: Send {
    /// Its type.
    fn type_of(&self) -> Type;
    /// What OBJECT ENCODING answers.
    fn encoding(&self) -> &'static str;
    /// Elements; a key whose collection is empty must not exist.
    fn len(&self) -> usize;
    /// Whether it has no elements.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes on the heap behind the object itself.
    fn heap_bytes(&self) -> usize;
    /// How many allocations must be freed: above a threshold that happens on the helper thread.
    fn free_effort(&self) -> usize;
    /// An equal value that shares nothing that may change.
    fn copy(&self) -> Object;
}

/// A value that lives outside the record of its key.
#[derive(Debug)]
pub enum Object {
    /// A string of [`string::SHARED_MIN_BYTES`] or more: replies share it without a copy.
    String(Bytes),
}

impl Object {
    /// The type behind the variant.
    pub fn stored(&self) -> &dyn Stored {
        match self {
            Object::String(bytes) => bytes,
        }
    }
}
