//! Changes: HSET, HMSET, HSETNX, HDEL, HINCRBY, HINCRBYFLOAT.

use super::expire_named;
use crate::base::long_double::LongDouble;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::hash::{Hash, Lifetime, Unsummable};

pub(super) fn hset(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let created = set_pairs(ctx, args)?;
    ctx.reply.integer(created);
    Ok(Flow::Done)
}

pub(super) fn hmset(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    set_pairs(ctx, args)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// Sets fields that lose their deadlines; how many are new.
#[inline]
fn set_pairs(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<i64, Error> {
    let key = args.key()?;
    if !args.left().is_multiple_of(2) {
        return Err(Error::Arity(ctx.row.full_name.to_owned()));
    }
    let mut edit = ctx.db.edit_or_create::<Hash>(&key)?;
    let (hash, limits) = edit.parts();
    let mut words = args.rest();
    let mut created = 0;
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        created += i64::from(hash.set(limits, name, value, Lifetime::Forever));
    }
    edit.changed(event::HSET);
    Ok(created)
}

pub(super) fn hsetnx(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, value) = (args.key()?, args.word()?, args.word()?);
    expire_named(&mut ctx.db, &key, [name]);
    let mut edit = ctx.db.edit_or_create::<Hash>(&key)?;
    let is_free = edit.view().get(name).is_none();
    if is_free {
        let (hash, limits) = edit.parts();
        hash.set(limits, name, value, Lifetime::Forever);
        edit.changed(event::HSET);
    }
    ctx.reply.integer(i64::from(is_free));
    Ok(Flow::Done)
}

pub(super) fn hdel(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let Some(mut edit) = ctx.db.edit::<Hash>(&key)? else {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    };
    let hash = edit.value();
    let mut deleted = 0;
    for name in args.rest() {
        deleted += i64::from(hash.remove(name));
    }
    if deleted > 0 {
        edit.changed(event::HDEL);
    } else {
        edit.unchanged();
    }
    ctx.reply.integer(deleted);
    Ok(Flow::Done)
}

pub(super) fn hincrby(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, increment) = (args.key()?, args.word()?, args.int()?);
    expire_named(&mut ctx.db, &key, [name]);
    let mut edit = ctx.db.edit_or_create::<Hash>(&key)?;
    let (hash, limits) = edit.parts();
    match hash.add(limits, name, increment) {
        Ok(sum) => {
            edit.changed(event::HINCRBY);
            ctx.reply.integer(sum);
            Ok(Flow::Done)
        }
        Err(reason) => {
            edit.unchanged();
            Err(match reason {
                Unsummable::NotInteger => Error::Text("ERR hash value is not an integer"),
                Unsummable::Overflow => Error::Overflow,
            })
        }
    }
}

pub(super) fn hincrbyfloat(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, increment) = (args.key()?, args.word()?, args.word()?);
    let increment = LongDouble::parse(increment).ok_or(Error::NotFloat)?;
    if increment.is_nan() || increment.is_infinite() {
        return Err(Error::Text("ERR value is NaN or Infinity"));
    }
    expire_named(&mut ctx.db, &key, [name]);
    let mut edit = ctx.db.edit_or_create::<Hash>(&key)?;
    let before = match edit.view().get(name) {
        None => LongDouble::ZERO,
        Some(field) => LongDouble::parse(field.value.bytes(&mut Vec::new()))
            .ok_or(Error::Text("ERR hash value is not a float"))?,
    };
    let sum = before + increment;
    if sum.is_nan() || sum.is_infinite() {
        return Err(Error::Text("ERR increment would produce NaN or Infinity"));
    }
    let mut text = Vec::new();
    sum.format(&mut text);
    let (hash, limits) = edit.parts();
    hash.set(limits, name, &text, Lifetime::Keep);
    edit.changed(event::HINCRBYFLOAT);
    propagate_value(ctx, &key, name, &text);
    ctx.reply.bulk(&text);
    Ok(Flow::Done)
}

/// Another machine's floats might differ: the result goes out.
fn propagate_value(ctx: &mut Ctx<'_>, key: &Key<'_>, name: &[u8], text: &[u8]) {
    let words = [
        b"HSETEX", key.bytes, b"KEEPTTL", b"FIELDS", b"1", name, text,
    ];
    ctx.propagate.instead(&words);
}
