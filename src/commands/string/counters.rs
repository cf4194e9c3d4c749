//! Numbers in strings: INCR, DECR, INCRBY, DECRBY, and INCRBYFLOAT, which computes in C's `long double`.

use crate::base::long_double::LongDouble;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::string::{Digits, NewString, StringRef};

/// The answer to a sum that is no number.
pub(super) const NOT_FINITE: Error = Error::Text("ERR increment would produce NaN or Infinity");

pub(super) fn incr(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    add(ctx, &key, 1)
}

pub(super) fn decr(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    add(ctx, &key, -1)
}

pub(super) fn incrby(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let increment = args.int()?;
    add(ctx, &key, increment)
}

pub(super) fn decrby(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let decrement = args.int()?;
    let increment = decrement
        .checked_neg()
        .ok_or(Error::Text("ERR decrement would overflow"))?;
    add(ctx, &key, increment)
}

#[inline]
fn add(ctx: &mut Ctx<'_>, key: &Key<'_>, increment: i64) -> Result<Flow, Error> {
    let Some(mut edit) = ctx.db.edit::<Str>(key)? else {
        ctx.db
            .put(key, NewString::Int(increment), Deadline::Keep)
            .changed(event::INCRBY);
        ctx.reply.integer(increment);
        return Ok(Flow::Done);
    };
    let before = edit.string().as_i64().ok_or(Error::NotInteger)?;
    let sum = before.checked_add(increment).ok_or(Error::Overflow)?;
    edit.set(NewString::Int(sum));
    edit.changed(event::INCRBY);
    ctx.reply.integer(sum);
    Ok(Flow::Done)
}

/// The long double that a string is.
pub(super) fn as_long_double(value: StringRef<'_>) -> Result<LongDouble, Error> {
    let mut digits = Digits::default();
    LongDouble::parse(value.bytes(&mut digits)).ok_or(Error::NotFloat)
}

/// A long double as it is stored and shown.
pub(super) fn text_of(value: LongDouble) -> Vec<u8> {
    let mut text = Vec::new();
    value.format(&mut text);
    text
}

pub(super) fn incrbyfloat(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let increment = args.word()?;
    let before = match ctx.db.edit::<Str>(&key)? {
        None => LongDouble::ZERO,
        Some(edit) => as_long_double(edit.string())?,
    };
    let increment = LongDouble::parse(increment).ok_or(Error::NotFloat)?;
    let sum = before + increment;
    if sum.is_nan() || sum.is_infinite() {
        return Err(NOT_FINITE);
    }
    let text = text_of(sum);
    ctx.db
        .put(&key, NewString::Text(&text), Deadline::Keep)
        .changed(event::INCRBYFLOAT);
    // Another machine's floats might differ: the result goes out.
    ctx.propagate
        .instead(&[b"SET", key.bytes, &text, b"KEEPTTL"]);
    ctx.reply.bulk(&text);
    Ok(Flow::Done)
}
