//! Reads: HGET, HMGET, HEXISTS, HSTRLEN, HLEN, HGETALL, HKEYS, HVALS.
//!
//! A field whose deadline has passed is not there. Who asks for it by name makes it go; who goes through all only leaves
//! it out.

use super::expire;
use crate::command::{Args, Ctx, Error, Flow, elements};
use crate::ds::listpack::Element;
use crate::keyspace::entry::Key;
use crate::resp::reply::Reply;
use crate::types::View;
use crate::types::hash::{Hash, HashRef};

pub(super) fn hget(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |reply, value| match value {
        Some(value) => elements::reply(reply, value),
        None => reply.null(),
    })
}

pub(super) fn hexists(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |reply, value| {
        reply.integer(i64::from(value.is_some()));
    })
}

pub(super) fn hstrlen(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |reply, value| {
        let bytes = value.map_or(0, Element::text_bytes);
        reply.integer(i64::try_from(bytes).expect("what lies in memory is shorter than 2^63"));
    })
}

/// Answers what `write` makes of a field's value.
#[inline]
fn answer(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    write: impl FnOnce(&mut Reply<'_>, Option<Element<'_>>),
) -> Result<Flow, Error> {
    let (key, name) = (args.key()?, args.word()?);
    let now_ms = ctx.db.now_ms();
    let field = ctx.db.read::<Hash>(&key)?.and_then(|hash| hash.get(name));
    let living = field.filter(|field| field.lives(now_ms));
    write(&mut ctx.reply, living.map(|field| field.value));
    if field.is_some() && living.is_none() {
        expire(&mut ctx.db, &key, name);
    }
    Ok(Flow::Done)
}

pub(super) fn hmget(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    read_fields(ctx, &key, args)
}

/// Answers an array of the values of all fields that are left in `args`.
pub(super) fn read_fields<'a>(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    args: &mut Args<'a>,
) -> Result<Flow, Error> {
    let now_ms = ctx.db.now_ms();
    let names = args.rest();
    let Ctx { db, reply, .. } = ctx;
    let hash = db.read::<Hash>(key)?;
    reply.array(names.len());
    let mut expired: Vec<&'a [u8]> = Vec::new();
    for name in names {
        match hash.and_then(|hash| hash.get(name)) {
            Some(field) if field.lives(now_ms) => elements::reply(reply, field.value),
            Some(_) => {
                reply.null();
                expired.push(name);
            }
            None => reply.null(),
        }
    }
    for name in expired {
        expire(db, key, name);
    }
    Ok(Flow::Done)
}

pub(super) fn hlen(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let fields = ctx.db.read::<Hash>(&key)?.map_or(0, HashRef::len);
    let fields = i64::try_from(fields).expect("fields in memory are fewer than 2^63");
    ctx.reply.integer(fields);
    Ok(Flow::Done)
}

/// Which part of each field is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Names,
    Values,
    Both,
}

pub(super) fn hgetall(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    all(ctx, args, Part::Both)
}

pub(super) fn hkeys(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    all(ctx, args, Part::Names)
}

pub(super) fn hvals(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    all(ctx, args, Part::Values)
}

#[inline]
fn all(ctx: &mut Ctx<'_>, args: &mut Args<'_>, part: Part) -> Result<Flow, Error> {
    let key = args.key()?;
    let now_ms = ctx.db.now_ms();
    let hash = ctx.db.read::<Hash>(&key)?;
    let count = hash.map_or(0, |hash| living(hash, now_ms));
    let reply = &mut ctx.reply;
    match part {
        Part::Both => reply.map(count),
        Part::Names | Part::Values => reply.array(count),
    }
    let Some(hash) = hash else {
        return Ok(Flow::Done);
    };
    hash.for_each(now_ms, |name, value| {
        if part != Part::Values {
            elements::reply(reply, name);
        }
        if part != Part::Names {
            elements::reply(reply, value);
        }
    });
    Ok(Flow::Done)
}

/// How many fields live.
#[inline]
fn living(hash: HashRef<'_>, now_ms: i64) -> usize {
    if !hash.has_expired(now_ms) {
        return hash.len();
    }
    let mut count = 0;
    hash.for_each(now_ms, |_, _| count += 1);
    count
}
