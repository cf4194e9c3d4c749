//! Strings: integers, short bytes in the record, long bytes shared.
//!
//! The encodings are those that OBJECT ENCODING names: `int` (the shortest decimal form of a 64-bit number), `embstr`
//! (up to [`EMBSTR_MAX_BYTES`]), `raw` (longer, or changed in place). Where the bytes lie is our own: in the record up
//! to [`SHARED_MIN_BYTES`], above that in a reference-counted [`Bytes`] that goes out to clients without a copy.

use super::{Object, Stored, Type};
use crate::base::number;
use bytes::{Bytes, BytesMut};

/// From this length on a string is shared with the replies that carry it.
pub const SHARED_MIN_BYTES: usize = 16 << 10;
/// Bytes whose freeing costs about as much as freeing one small allocation.
const PAGES_BYTES: usize = 64 << 10;
/// The longest string that is called `embstr`.
pub const EMBSTR_MAX_BYTES: usize = 44;
/// The longest decimal form of an `i64`.
const INT_MAX_DIGITS: usize = 20;

/// A string as a reader sees it.
#[derive(Clone, Copy, Debug)]
pub enum StringRef<'a> {
    /// The number whose decimal form the string is.
    Int(i64),
    /// Bytes in the record; `raw` where a change in place made it so at any length.
    Bytes { bytes: &'a [u8], raw: bool },
    /// Shared bytes.
    Shared(&'a Bytes),
}

/// Room for the decimal form of an integer.
#[derive(Default)]
pub struct Digits(Vec<u8>);

impl<'a> StringRef<'a> {
    /// The string's bytes; an integer is written into `digits`.
    pub fn bytes<'b>(&self, digits: &'b mut Digits) -> &'b [u8]
    where
        'a: 'b,
    {
        match *self {
            StringRef::Int(value) => {
                digits.0.clear();
                digits.0.reserve(INT_MAX_DIGITS);
                number::write_i64(&mut digits.0, value);
                &digits.0
            }
            StringRef::Bytes { bytes, .. } => bytes,
            StringRef::Shared(bytes) => bytes,
        }
    }

    /// Bytes of the string.
    pub fn len(&self) -> usize {
        match *self {
            StringRef::Int(value) => {
                number::digits_u64(value.unsigned_abs()) + usize::from(value < 0)
            }
            StringRef::Bytes { bytes, .. } => bytes.len(),
            StringRef::Shared(bytes) => bytes.len(),
        }
    }

    /// Whether it is the empty string.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match self {
            StringRef::Int(_) => "int",
            StringRef::Bytes { bytes, raw: false } if bytes.len() <= EMBSTR_MAX_BYTES => "embstr",
            _ => "raw",
        }
    }

    /// The 64-bit number that the string is, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            StringRef::Int(value) => Some(value),
            StringRef::Bytes { bytes, .. } => number::parse_i64(bytes),
            StringRef::Shared(_) => None,
        }
    }
}

/// A string to be stored.
#[derive(Debug)]
pub enum NewString<'a> {
    /// A number, stored as such.
    Int(i64),
    /// Bytes that may turn out to be a number.
    Bytes(&'a [u8]),
    /// Bytes that stay bytes though they may look like a number.
    Text(&'a [u8]),
    /// Bytes that stay bytes, called `raw` whatever their length.
    Raw(&'a [u8]),
    /// Bytes that were received into an allocation of their own.
    Shared(Bytes),
}

impl<'a> NewString<'a> {
    /// The form in which it is kept: numbers as numbers, long strings shared.
    #[inline]
    pub fn encoded(self) -> NewString<'a> {
        match self {
            NewString::Bytes(bytes) if bytes.len() <= INT_MAX_DIGITS => {
                match number::parse_i64(bytes) {
                    Some(value) => NewString::Int(value),
                    None => self,
                }
            }
            NewString::Bytes(bytes) | NewString::Text(bytes) | NewString::Raw(bytes)
                if bytes.len() >= SHARED_MIN_BYTES =>
            {
                NewString::Shared(Bytes::copy_from_slice(bytes))
            }
            other => other,
        }
    }
}

/// Appends to, or writes into, a shared string; it is copied only if a reply still holds it.
pub fn edit_shared(bytes: &mut Bytes, edit: impl FnOnce(&mut BytesMut)) {
    let mut own = match std::mem::take(bytes).try_into_mut() {
        Ok(own) => own,
        Err(shared) => BytesMut::from(shared.as_ref()),
    };
    edit(&mut own);
    *bytes = own.freeze();
}

impl Stored for Bytes {
    fn type_of(&self) -> Type {
        Type::String
    }
    fn len(&self) -> usize {
        Bytes::len(self)
    }
    fn heap_bytes(&self) -> usize {
        Bytes::len(self)
    }
    fn free_effort(&self) -> usize {
        // What takes time is giving the pages back to the system.
        Bytes::len(self) / PAGES_BYTES
    }
    fn copy(&self) -> Object {
        Object::String(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_named_as_users_know_them() {
        let bytes = |len: usize| vec![b'x'; len];
        let of = |bytes: &[u8], raw| StringRef::Bytes { bytes, raw }.encoding();
        assert_eq!(StringRef::Int(-5).encoding(), "int");
        assert_eq!(
            (
                of(&bytes(44), false),
                of(&bytes(45), false),
                of(&bytes(1), true)
            ),
            ("embstr", "raw", "raw")
        );
    }

    #[test]
    fn only_the_shortest_decimal_form_is_a_number() {
        let is_int = |text: &'static str| {
            matches!(
                NewString::Bytes(text.as_bytes()).encoded(),
                NewString::Int(_)
            )
        };
        assert!(is_int("0") && is_int("-9223372036854775808") && is_int("9223372036854775807"));
        assert!(
            !is_int("")
                && !is_int("01")
                && !is_int("+1")
                && !is_int(" 1")
                && !is_int("9223372036854775808")
        );
    }

    #[test]
    fn a_shared_string_is_copied_only_while_someone_else_holds_it() {
        let mut value = Bytes::from(vec![b'a'; 100_000]);
        let reader = value.clone();
        edit_shared(&mut value, |bytes| bytes.extend_from_slice(b"tail"));
        assert_eq!((reader.len(), value.len()), (100_000, 100_004));
        let address = value.as_ptr();
        edit_shared(&mut value, |bytes| bytes[0] = b'b');
        assert_eq!((value.as_ptr(), value[0], reader[0]), (address, b'b', b'a'));
    }

    #[test]
    fn the_length_of_a_number_is_that_of_its_digits() {
        for value in [0, 9, 10, -1, i64::MIN, i64::MAX] {
            assert_eq!(StringRef::Int(value).len(), value.to_string().len());
        }
    }
}
