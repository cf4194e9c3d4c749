//! GET, and reads that leave something behind: GETEX, GETDEL.

use super::lifetime::{self, Lifetime};
use super::reply_string;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::entry::Key;
use crate::keyspace::event;

pub(super) fn get(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    reply_string(&mut ctx.reply, ctx.db.read::<Str>(&key)?);
    Ok(Flow::Done)
}

pub(super) fn getex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let mut lifetime = Lifetime::Unsaid;
    while !args.is_empty() {
        if !lifetime.take(args, "PERSIST", Lifetime::Persist)? {
            return Err(Error::Syntax);
        }
    }
    let value = ctx.db.read::<Str>(&key)?;
    let found = value.is_some();
    reply_string(&mut ctx.reply, value);
    if !found {
        return Ok(Flow::Done);
    }
    // A bad deadline is found out only if there is a value: so it is in Redis.
    match lifetime.deadline(ctx.db.wall_ms(), "getex")? {
        Deadline::At(at_ms) => expire_at(ctx, &key, at_ms),
        _ if lifetime == Lifetime::Persist => persist(ctx, &key),
        _ => {}
    }
    Ok(Flow::Done)
}

fn expire_at(ctx: &mut Ctx<'_>, key: &Key<'_>, at_ms: i64) {
    if lifetime::has_passed(Deadline::At(at_ms), ctx.db.now_ms()) {
        ctx.db.remove(key, event::DEL);
        return ctx.propagate.instead(&[b"DEL", key.bytes]);
    }
    ctx.db.set_deadline(key, Some(at_ms));
    if ctx.propagate.is_wanted() {
        let at = at_ms.to_string();
        ctx.propagate
            .instead(&[b"PEXPIREAT", key.bytes, at.as_bytes()]);
    }
}

fn persist(ctx: &mut Ctx<'_>, key: &Key<'_>) {
    if matches!(ctx.db.deadline(key), Some(Some(_))) {
        ctx.db.set_deadline(key, None);
        ctx.propagate.instead(&[b"PERSIST", key.bytes]);
    }
}

pub(super) fn getdel(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    reply_string(&mut ctx.reply, ctx.db.read::<Str>(&key)?);
    if ctx.db.remove(&key, event::DEL) {
        ctx.propagate.instead(&[b"DEL", key.bytes]);
    }
    Ok(Flow::Done)
}
