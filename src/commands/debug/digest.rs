//! DEBUG DIGEST and DEBUG DIGEST-VALUE: a fingerprint of the data, for tests that compare servers.
//!
//! A scheme of our own over SHA-1: a key's digest covers its database, name, type, content and whether it expires (not
//! when); the digests of all keys are combined by exclusive or, so that the order of keys does not matter. Of a value,
//! what counts is what a client can see: two encodings of one content have one digest; the order of elements counts in
//! lists and streams. No data: all zeros.

use crate::keyspace::entry::RecordRef;
use crate::types::Type;
use sha1::{Digest, Sha1};
use std::fmt::Write;

const BYTES: usize = 20;

/// A fingerprint.
#[derive(Clone, Copy, Default)]
pub(super) struct Fingerprint([u8; BYTES]);

impl Fingerprint {
    /// Of the value alone.
    pub(super) fn of_value(record: RecordRef<'_>, now_ms: i64) -> Self {
        let value = record.value();
        let is_ordered = matches!(value.type_of(), Type::List | Type::Stream);
        let mut elements = Self::default();
        value.visit(now_ms, &mut |element| {
            let element = Self::of_parts(element);
            if is_ordered {
                elements = Self::of_parts(&[&elements.0, &element.0]);
            } else {
                elements.combine(element);
            }
        });
        Self::of_parts(&[value.type_of().name().as_bytes(), &elements.0])
    }

    /// Of the key with its value.
    pub(super) fn of_key(db: usize, record: RecordRef<'_>, now_ms: i64) -> Self {
        let db = (db as u64).to_be_bytes();
        let expires = [u8::from(record.deadline().is_some())];
        let value = Self::of_value(record, now_ms);
        Self::of_parts(&[&db, record.key(), &expires, &value.0])
    }

    /// Of several byte strings, each with its length: where one ends and the next begins counts too.
    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = Sha1::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Adds another one, in any order.
    pub(super) fn combine(&mut self, other: Self) {
        for (byte, other) in self.0.iter_mut().zip(other.0) {
            *byte ^= other;
        }
    }

    /// 40 hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        self.0
            .iter()
            .fold(String::with_capacity(2 * BYTES), |mut hex, byte| {
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}
