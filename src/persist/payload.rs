//! DUMP payloads: a single value with its kind, version and checksum, to be carried to another server or back.
//!
//! ```text
//! payload  kind 1, body, [ auxiliary field: deadlines of members ], version u16, checksum u64
//! ```
//! The version is 11, and 12 where a hash has fields with deadlines, or 10 on request ([`Edition`]). Deadlines of members of sets and sorted sets follow the
//! body as they follow a key in a file; other servers read the body and look no further.

use crate::keyspace::load::set_deadlines;
use crate::rdb::lzf::Compressor;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::{
    BadPayload, Edition, Encoder, VERSION_FIELD_EXPIRY, kind, opcode, open_payload,
    open_unchecked_payload, seal_payload,
};
use crate::types::load::{Dialect, Loaded, Room, load_value};
use crate::types::rdb::{MEMBER_DEADLINES, MemberDeadlines};
use crate::types::{Limits, Object, ValueRef};

/// Makes payloads, in memory that is used again.
#[derive(Default)]
pub struct PayloadWriter {
    encoder: Encoder,
    compressor: Option<Compressor>,
}

impl PayloadWriter {
    /// The payload of a value; `compress`: long strings are compressed.
    pub fn write(&mut self, value: ValueRef<'_>, compress: bool, edition: Edition) -> Vec<u8> {
        let encoder = &mut self.encoder;
        encoder.clear();
        let kind = value.rdb_kind(edition);
        encoder.byte(kind);
        value.save(encoder, edition);
        let mut deadlines = MemberDeadlines::default();
        value.for_each_deadline_apart(edition, |name, at| deadlines.add(name, at));
        deadlines.encode(b"", encoder);
        let mut payload = Vec::with_capacity(encoder.len() + 10);
        if compress && encoder.may_shrink() {
            let compressor = self.compressor.get_or_insert_default();
            encoder.compress_to(compressor, &mut payload);
        } else {
            payload.extend_from_slice(&encoder.bytes);
        }
        let version = match kind {
            kind::HASH_METADATA | kind::HASH_LISTPACK_EX => VERSION_FIELD_EXPIRY,
            _ => edition.version(),
        };
        seal_payload(&mut payload, version);
        payload
    }
}

/// Why a payload was refused.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It is none, or was changed on its way.
    #[error("{0}")]
    Bad(#[from] BadPayload),
    /// It is whole, but what it holds is no value.
    #[error("{0}")]
    Corrupt(#[from] ReadError),
}

/// The value in a payload; `checked`: its checksum must be right.
///
/// # Errors
/// Why there is none. A collection without elements is one too.
pub fn read_payload<'r>(
    payload: &[u8],
    checked: bool,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, PayloadError> {
    let (body, version) = if checked {
        open_payload(payload)?
    } else {
        open_unchecked_payload(payload)?
    };
    let mut from = Reader::of_bytes(body);
    let kind = from.byte()?;
    let value = load_value(kind, Dialect::of_version(version), &mut from, limits, room)?;
    if let Loaded::Empty = value {
        return Err(from.corrupt("elements", "none").into());
    }
    if from.left() == 0 {
        return Ok(value);
    }
    let is_known = from.byte()? == opcode::AUX && from.string()? == MEMBER_DEADLINES;
    if !is_known {
        return Err(from.corrupt("the end", "something else").into());
    }
    let deadlines = MemberDeadlines::read(from.string()?)?;
    let mut object = match value {
        Loaded::Boxed(object) => object,
        Loaded::Packed(type_of, form, bytes) => {
            let object = Object::of_packed(type_of, form, bytes);
            Box::new(object.ok_or_else(|| from.corrupt("a collection", "another value"))?)
        }
        _ => return Err(from.corrupt("a collection", "a string").into()),
    };
    let members = deadlines.members.iter();
    let members = members.map(|(name, at)| (name.as_slice(), *at));
    if !set_deadlines(&mut object, limits, members) {
        let error = from.corrupt("a set, sorted set or hash", "a value of another type");
        return Err(error.into());
    }
    Ok(Loaded::Boxed(object))
}
