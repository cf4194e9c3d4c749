//! SADD, SREM, SMOVE, and what can be asked of one set: SCARD, SISMEMBER, SMISMEMBER, SMEMBERS.

use super::reply_members;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::event;
use crate::types::set::Set;

pub(super) fn sadd(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (count, first) = (args.left(), args.peek().ok_or(Error::Syntax)?);
    let mut edit = ctx.db.edit_or_create::<Set>(&key)?;
    let is_new = edit.is_new();
    let (set, limits) = edit.parts();
    if is_new || count > 1 {
        set.prepare(is_new, first, count, limits);
    }
    let added = if count == 1 {
        usize::from(set.add(first, limits))
    } else {
        set.add_all(args.rest(), limits)
    };
    if added > 0 {
        edit.changed(event::SADD);
    } else {
        edit.unchanged();
    }
    ctx.reply.integer(added as i64);
    Ok(Flow::Done)
}

pub(super) fn srem(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let Some(mut edit) = ctx.db.edit::<Set>(&key)? else {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    };
    let set = edit.value();
    let removed = if args.left() == 1 {
        usize::from(set.remove(args.word()?))
    } else {
        set.remove_all(args.rest())
    };
    if removed > 0 {
        edit.changed(event::SREM);
    } else {
        edit.unchanged();
    }
    ctx.reply.integer(removed as i64);
    Ok(Flow::Done)
}

/// A member that comes to a set it was in already has left the other one all the same.
pub(super) fn smove(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (from, to, member) = (args.key()?, args.key()?, args.word()?);
    let now_ms = ctx.db.now_ms();
    let is_member = match ctx.db.edit::<Set>(&from)? {
        Some(mut edit) => edit.view().contains(member, now_ms),
        None => {
            ctx.reply.integer(0);
            return Ok(Flow::Done);
        }
    };
    // Its type is right, or nothing has happened.
    drop(ctx.db.edit::<Set>(&to)?);
    if is_member && from.bytes != to.bytes {
        if let Some(mut edit) = ctx.db.edit::<Set>(&from)? {
            edit.value().remove(member);
            edit.changed(event::SREM);
        }
        let mut edit = ctx.db.edit_or_create::<Set>(&to)?;
        let is_new = edit.is_new();
        let (set, limits) = edit.parts();
        if is_new {
            set.prepare(is_new, member, 1, limits);
        }
        if set.add(member, limits) {
            edit.changed(event::SADD);
        } else {
            edit.unchanged();
        }
    }
    ctx.reply.integer(i64::from(is_member));
    Ok(Flow::Done)
}

pub(super) fn scard(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let now_ms = ctx.db.now_ms();
    let set = ctx.db.read::<Set>(&key)?;
    let count = set.map_or(0, |set| set.count(now_ms));
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}

pub(super) fn sismember(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, member) = (args.key()?, args.word()?);
    let now_ms = ctx.db.now_ms();
    let set = ctx.db.read::<Set>(&key)?;
    let is_member = set.is_some_and(|set| set.contains(member, now_ms));
    ctx.reply.integer(i64::from(is_member));
    Ok(Flow::Done)
}

pub(super) fn smismember(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let words = args.rest();
    let now_ms = ctx.db.now_ms();
    let Ctx { db, reply, .. } = ctx;
    let set = db.read::<Set>(&key)?;
    reply.array(words.len());
    match set {
        Some(set) => set.contains_each(words, now_ms, |is_member| {
            reply.integer(i64::from(is_member));
        }),
        None => words.for_each(|_| reply.integer(0)),
    }
    Ok(Flow::Done)
}

pub(super) fn smembers(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let now_ms = ctx.db.now_ms();
    match ctx.db.read::<Set>(&key)? {
        Some(set) => {
            ctx.reply.set(set.count(now_ms));
            reply_members(&mut ctx.reply, set, now_ms);
        }
        None => ctx.reply.set(0),
    }
    Ok(Flow::Done)
}
