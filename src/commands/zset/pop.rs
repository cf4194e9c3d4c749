//! Members taken from either end: ZPOPMIN, ZPOPMAX, ZMPOP, and the commands that wait for a member: BZPOPMIN, BZPOPMAX,
//! BZMPOP.
//!
//! What waits is the ordinary command: it runs again when one of its keys changes. What goes out to the append-only file
//! and to replicas is ZPOPMIN or ZPOPMAX of the one key that gave something.

use super::{reply_member, reply_members};
use crate::command::{Args, Block, Ctx, Error, Flow, timeout};
use crate::keyspace::entry::Key;
use crate::keyspace::event::{self, Event};
use crate::types::zset::Zset;
use crate::types::{Type, View};
use std::ops::Range;

/// Which members go first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Lowest,
    Highest,
}

impl End {
    fn event(self) -> Event {
        match self {
            End::Lowest => event::ZPOPMIN,
            End::Highest => event::ZPOPMAX,
        }
    }

    fn command(self) -> &'static [u8] {
        match self {
            End::Lowest => b"ZPOPMIN",
            End::Highest => b"ZPOPMAX",
        }
    }

    /// The ranks of `count` members at this end.
    fn ranks(self, count: usize, members: usize) -> Range<usize> {
        let count = count.min(members);
        match self {
            End::Lowest => 0..count,
            End::Highest => members - count..members,
        }
    }
}

pub(super) fn zpopmin(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    pop(ctx, args, End::Lowest)
}

pub(super) fn zpopmax(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    pop(ctx, args, End::Highest)
}

fn pop(ctx: &mut Ctx<'_>, args: &mut Args<'_>, end: End) -> Result<Flow, Error> {
    let key = args.key()?;
    if args.left() > 1 {
        return Err(Error::Syntax);
    }
    let count = if args.is_empty() {
        None
    } else {
        Some(args.count()?)
    };
    let Ctx { db, reply, .. } = ctx;
    let Some(mut edit) = db.edit::<Zset>(&key)? else {
        reply.empty_array();
        return Ok(Flow::Done);
    };
    let zset = edit.view();
    let ranks = end.ranks(count.unwrap_or(1), zset.len());
    match count {
        None => {
            reply.array(2);
            zset.for_each(ranks.clone(), false, |name, score| {
                reply_member(reply, name, score)
            });
        }
        Some(_) => reply_members(reply, zset, ranks.clone(), end == End::Highest, true),
    }
    if !ranks.is_empty() {
        edit.value().remove_range(ranks);
        edit.changed(end.event());
    }
    Ok(Flow::Done)
}

/// `numkeys key... MIN|MAX [COUNT count]`
struct Several<'a> {
    keys: Vec<Key<'a>>,
    end: End,
    count: usize,
}

impl<'a> Several<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        let no_keys = Error::Text("ERR numkeys should be greater than 0");
        let numkeys = args.positive(no_keys)?;
        // One word must come after the keys.
        if numkeys >= args.left() {
            return Err(Error::Syntax);
        }
        let keys: Result<_, _> = (0..numkeys).map(|_| args.key()).collect();
        let end = if args.flag("MIN") {
            End::Lowest
        } else if args.flag("MAX") {
            End::Highest
        } else {
            return Err(Error::Syntax);
        };
        let count = if args.flag("COUNT") {
            args.positive(Error::Text("ERR count should be greater than 0"))?
        } else {
            1
        };
        args.finish()?;
        Ok(Self {
            keys: keys?,
            end,
            count,
        })
    }
}

pub(super) fn zmpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let several = Several::read(args)?;
    if !pop_several(ctx, &several)? {
        ctx.reply.null_array();
    }
    Ok(Flow::Done)
}

pub(super) fn bzmpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let timeout = args.word()?;
    let several = Several::read(args)?;
    let deadline_ms = timeout::seconds_of(timeout, ctx.db.now_ms())?;
    if pop_several(ctx, &several)? {
        return Ok(Flow::Done);
    }
    Ok(wait(&several.keys, deadline_ms))
}

/// Pops from the first key that has members; whether there was one.
fn pop_several(ctx: &mut Ctx<'_>, several: &Several<'_>) -> Result<bool, Error> {
    let Several { keys, end, count } = several;
    let Ctx { db, reply, .. } = ctx;
    for key in keys {
        let Some(mut edit) = db.edit::<Zset>(key)? else {
            continue;
        };
        let zset = edit.view();
        let ranks = end.ranks(*count, zset.len());
        reply.array(2);
        reply.bulk(key.bytes);
        reply.array(ranks.len());
        zset.for_each(ranks.clone(), *end == End::Highest, |name, score| {
            reply.array(2);
            reply_member(reply, name, score);
        });
        let popped = ranks.len().to_string();
        edit.value().remove_range(ranks);
        edit.changed(end.event());
        ctx.propagate
            .instead(&[end.command(), key.bytes, popped.as_bytes()]);
        return Ok(true);
    }
    Ok(false)
}

pub(super) fn bzpopmin(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    pop_or_wait(ctx, args, End::Lowest)
}

pub(super) fn bzpopmax(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    pop_or_wait(ctx, args, End::Highest)
}

fn pop_or_wait(ctx: &mut Ctx<'_>, args: &mut Args<'_>, end: End) -> Result<Flow, Error> {
    let keys: Result<Vec<Key<'_>>, _> = (1..args.left()).map(|_| args.key()).collect();
    let keys = keys?;
    let deadline_ms = timeout::seconds(args, ctx.db.now_ms())?;
    let Ctx { db, reply, .. } = ctx;
    for key in &keys {
        let Some(mut edit) = db.edit::<Zset>(key)? else {
            continue;
        };
        let zset = edit.view();
        let ranks = end.ranks(1, zset.len());
        reply.array(3);
        reply.bulk(key.bytes);
        zset.for_each(ranks.clone(), false, |name, score| {
            reply_member(reply, name, score)
        });
        edit.value().remove_range(ranks);
        edit.changed(end.event());
        ctx.propagate.instead(&[end.command(), key.bytes]);
        return Ok(Flow::Done);
    }
    Ok(wait(&keys, deadline_ms))
}

fn wait(keys: &[Key<'_>], deadline_ms: Option<i64>) -> Flow {
    Flow::Block(Block {
        keys: keys.iter().map(|key| key.bytes.into()).collect(),
        awaits: Type::Zset,
        on_loss: false,
        deadline_ms,
        on_timeout: |reply| reply.null_array(),
    })
}
