//! SPOP and SRANDMEMBER: members by chance, every choice with the same probability.
//!
//! What SPOP has drawn goes out as SREM of these members, or as DEL when it was all of them.

use super::reply_members;
use crate::command::elements;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::set::Set;

pub(super) fn spop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    match args.left() {
        0 => pop_one(ctx, &key),
        1 => {
            let count = args.count()?;
            pop_several(ctx, &key, count)
        }
        _ => Err(Error::Syntax),
    }
}

fn pop_one(ctx: &mut Ctx<'_>, key: &Key<'_>) -> Result<Flow, Error> {
    let Some(mut edit) = ctx.db.edit::<Set>(key)? else {
        ctx.reply.null();
        return Ok(Flow::Done);
    };
    let (reply, propagate) = (&mut ctx.reply, &mut *ctx.propagate);
    let (set, limits) = edit.parts();
    set.pop(1, &mut ctx.server.random, limits, &mut |member| {
        elements::reply(reply, member);
        if propagate.is_wanted() {
            propagate.instead(&[b"SREM", key.bytes, &member.to_vec()]);
        }
    });
    edit.changed(event::SPOP);
    Ok(Flow::Done)
}

fn pop_several(ctx: &mut Ctx<'_>, key: &Key<'_>, count: usize) -> Result<Flow, Error> {
    let now_ms = ctx.db.now_ms();
    let Some(mut edit) = ctx.db.edit::<Set>(key)?.filter(|_| count > 0) else {
        ctx.reply.set(0);
        return Ok(Flow::Done);
    };
    let set = edit.view();
    let all = set.count(now_ms);
    ctx.reply.set(count.min(all));
    if count >= all {
        reply_members(&mut ctx.reply, set, now_ms);
        edit.also(event::SPOP);
        drop(edit);
        ctx.db.remove(key, event::DEL);
        ctx.propagate.instead(&[b"DEL", key.bytes]);
        return Ok(Flow::Done);
    }
    let (reply, wanted) = (&mut ctx.reply, ctx.propagate.is_wanted());
    let mut popped = Vec::new();
    let (set, limits) = edit.parts();
    set.pop(count, &mut ctx.server.random, limits, &mut |member| {
        elements::reply(reply, member);
        if wanted {
            popped.push(member.to_vec());
        }
    });
    edit.changed(event::SPOP);
    if wanted {
        let mut words: Vec<&[u8]> = vec![b"SREM", key.bytes];
        words.extend(popped.iter().map(Vec::as_slice));
        ctx.propagate.instead(&words);
    }
    Ok(Flow::Done)
}

pub(super) fn srandmember(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    match args.left() {
        0 => draw_one(ctx, &key),
        1 => {
            let count = args.draws()?;
            draw_several(ctx, &key, count)
        }
        _ => Err(Error::Syntax),
    }
}

fn draw_one(ctx: &mut Ctx<'_>, key: &Key<'_>) -> Result<Flow, Error> {
    let now_ms = ctx.db.now_ms();
    let set = ctx.db.read::<Set>(key)?;
    let random = &mut ctx.server.random;
    match set.and_then(|set| set.random(random, now_ms)) {
        Some(member) => elements::reply(&mut ctx.reply, member),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

/// A negative count: that many draws, in which a member may come again.
fn draw_several(ctx: &mut Ctx<'_>, key: &Key<'_>, count: i64) -> Result<Flow, Error> {
    let now_ms = ctx.db.now_ms();
    let (reply, random) = (&mut ctx.reply, &mut ctx.server.random);
    let Some(set) = ctx.db.read::<Set>(key)?.filter(|_| count != 0) else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    let all = set.count(now_ms);
    let draws = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        reply.array(if all == 0 { 0 } else { draws });
        set.draw(draws as u64, random, now_ms, |member| {
            elements::reply(reply, member);
        });
    } else {
        reply.array(draws.min(all));
        set.sample(draws, random, now_ms, |member| {
            elements::reply(reply, member)
        });
    }
    Ok(Flow::Done)
}
