//! Conditions on a key's value, and the commands around them: DIGEST, DELEX, DELIFEQ.
//!
//! A digest is the 64-bit XXH3 of the string in 16 hexadecimal digits: a client compares a long value without having it.

use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::Str;
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::Type;
use crate::types::string::{Digits, StringRef};
use xxhash_rust::xxh3::xxh3_64;

/// Hexadecimal digits of a digest.
const DIGEST_DIGITS: usize = 16;

/// What must be true of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// IFEQ: it is this.
    Equal(&'a [u8]),
    /// IFNE: it is not this, or there is none.
    NotEqual(&'a [u8]),
    /// IFDEQ: its digest is this.
    Digest(&'a [u8]),
    /// IFDNE: its digest is not this, or there is no value.
    NotDigest(&'a [u8]),
}

impl<'a> Condition<'a> {
    /// Takes the next two words if they are a condition.
    pub(super) fn take(args: &mut Args<'a>) -> Result<Option<Condition<'a>>, Error> {
        if let Some(value) = args.value_of("IFEQ")? {
            return Ok(Some(Condition::Equal(value)));
        }
        if let Some(value) = args.value_of("IFNE")? {
            return Ok(Some(Condition::NotEqual(value)));
        }
        if let Some(digest) = args.value_of("IFDEQ")? {
            return Ok(Some(Condition::Digest(digest)));
        }
        if let Some(digest) = args.value_of("IFDNE")? {
            return Ok(Some(Condition::NotDigest(digest)));
        }
        Ok(None)
    }

    /// Whether it is true of this value. A malformed digest is found out only where it is compared, as in Redis.
    pub(super) fn holds(self, value: Option<StringRef<'_>>) -> Result<bool, Error> {
        let Some(value) = value else {
            return Ok(matches!(
                self,
                Condition::NotEqual(_) | Condition::NotDigest(_)
            ));
        };
        let mut digits = Digits::default();
        let value = value.bytes(&mut digits);
        Ok(match self {
            Condition::Equal(other) => value == other,
            Condition::NotEqual(other) => value != other,
            Condition::Digest(other) => has_digest(value, other)?,
            Condition::NotDigest(other) => !has_digest(value, other)?,
        })
    }
}

fn has_digest(value: &[u8], digest: &[u8]) -> Result<bool, Error> {
    if digest.len() != DIGEST_DIGITS {
        return Err(Error::Text(
            "ERR The digest must be exactly 16 hexadecimal characters",
        ));
    }
    Ok(digest.eq_ignore_ascii_case(digest_of(value).as_bytes()))
}

fn digest_of(value: &[u8]) -> String {
    format!("{:0width$x}", xxh3_64(value), width = DIGEST_DIGITS)
}

pub(super) fn digest(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    match ctx.db.read::<Str>(&key)? {
        None => ctx.reply.null(),
        Some(value) => {
            let mut digits = Digits::default();
            let digest = digest_of(value.bytes(&mut digits));
            ctx.reply.bulk(digest.as_bytes());
        }
    }
    Ok(Flow::Done)
}

pub(super) fn delex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    if !matches!(args.left(), 0 | 2) {
        return Err(Error::Arity("delex".to_owned()));
    }
    let Some(record) = ctx.db.peek(&key) else {
        return delete_if(ctx, &key, false);
    };
    if args.is_empty() {
        return delete_if(ctx, &key, true);
    }
    if record.type_of() != Type::String {
        return Err(Error::Text(
            "ERR Key should be of string type if conditions are specified",
        ));
    }
    let condition = Condition::take(args)?.ok_or(Error::Text(
        "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE",
    ))?;
    let holds = condition.holds(record.string())?;
    delete_if(ctx, &key, holds)
}

pub(super) fn delifeq(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let condition = Condition::Equal(args.word()?);
    let holds = condition.holds(ctx.db.read::<Str>(&key)?)?;
    delete_if(ctx, &key, holds)
}

fn delete_if(ctx: &mut Ctx<'_>, key: &Key<'_>, holds: bool) -> Result<Flow, Error> {
    if holds {
        ctx.db.remove(key, event::DEL);
        ctx.propagate.instead(&[b"DEL", key.bytes]);
    }
    ctx.reply.integer(i64::from(holds));
    Ok(Flow::Done)
}
