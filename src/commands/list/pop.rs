//! LPOP, RPOP, LMPOP, and BLPOP, BRPOP, BLMPOP, which wait until there is something to take.

use super::{block, pop_name, popped, reply_taken, reply_value, side};
use crate::command::{Args, Ctx, Error, Flow, timeout};
use crate::keyspace::edit::Edit;
use crate::keyspace::entry::Key;
use crate::resp::reply::Reply;
use crate::types::View;
use crate::types::list::{List, Side};

pub(super) fn lpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    pop(ctx, args, Side::Front)
}

pub(super) fn rpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    pop(ctx, args, Side::Back)
}

#[inline]
fn pop(ctx: &mut Ctx<'_>, args: &mut Args<'_>, side: Side) -> Result<Flow, Error> {
    let key = args.key()?;
    if !args.is_empty() {
        return pop_several(ctx, args, &key, side);
    }
    match ctx.db.edit::<List>(&key)? {
        Some(edit) => take_one(edit, &mut ctx.reply, side),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

fn pop_several(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    key: &Key<'_>,
    side: Side,
) -> Result<Flow, Error> {
    if args.left() > 1 {
        return Err(Error::Arity(ctx.row.full_name.to_owned()));
    }
    let count = args.count()?;
    match ctx.db.edit::<List>(key)? {
        None => ctx.reply.null_array(),
        Some(_) if count == 0 => ctx.reply.empty_array(),
        Some(edit) => {
            take_several(edit, &mut ctx.reply, side, count);
        }
    }
    Ok(Flow::Done)
}

/// Answers the element at one side and takes it.
#[inline]
fn take_one(mut edit: Edit<'_, List>, reply: &mut Reply<'_>, side: Side) {
    if let Some(value) = edit.view().end(side) {
        reply_value(reply, value);
    }
    let (list, limits) = edit.parts();
    list.cut(side, 1, limits);
    edit.changed(popped(side));
}

/// Answers an array of up to `count` elements and takes them; how many.
fn take_several(
    mut edit: Edit<'_, List>,
    reply: &mut Reply<'_>,
    side: Side,
    count: usize,
) -> usize {
    let view = edit.view();
    let count = count.min(view.len());
    reply.array(count);
    reply_taken(reply, view, side, count);
    let (list, limits) = edit.parts();
    list.cut(side, count, limits);
    edit.changed(popped(side));
    count
}

/// What LMPOP and BLMPOP share behind the timeout.
struct MultiPop<'a> {
    /// The keys are the next so many words.
    keys: Args<'a>,
    numkeys: usize,
    side: Side,
    count: usize,
}

impl<'a> MultiPop<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        const NUMKEYS: Error = Error::Text("ERR numkeys should be greater than 0");
        const COUNT: Error = Error::Text("ERR count should be greater than 0");
        let numkeys = args.positive(NUMKEYS)?;
        let keys = args.clone();
        if numkeys >= args.left() {
            return Err(Error::Syntax);
        }
        for _ in 0..numkeys {
            args.word()?;
        }
        let side = side(args)?;
        let count = if args.flag("COUNT") {
            args.positive(COUNT)?
        } else {
            1
        };
        args.finish()?;
        Ok(Self {
            keys,
            numkeys,
            side,
            count,
        })
    }

    /// Takes from the first list that there is; whether there was one.
    fn take(&self, ctx: &mut Ctx<'_>) -> Result<bool, Error> {
        let mut keys = self.keys.clone();
        for _ in 0..self.numkeys {
            let key = keys.key()?;
            let Some(edit) = ctx.db.edit::<List>(&key)? else {
                continue;
            };
            ctx.reply.array(2);
            ctx.reply.bulk(key.bytes);
            let count = take_several(edit, &mut ctx.reply, self.side, self.count);
            if ctx.propagate.is_wanted() {
                let count = count.to_string();
                ctx.propagate
                    .instead(&[pop_name(self.side), key.bytes, count.as_bytes()]);
            }
            return Ok(true);
        }
        Ok(false)
    }
}

pub(super) fn lmpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let pop = MultiPop::read(args)?;
    if !pop.take(ctx)? {
        ctx.reply.null_array();
    }
    Ok(Flow::Done)
}

pub(super) fn blmpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let timeout = args.word()?;
    let mut pop = MultiPop::read(args)?;
    let deadline_ms = timeout::seconds_of(timeout, ctx.db.now_ms())?;
    if pop.take(ctx)? {
        return Ok(Flow::Done);
    }
    let keys = pop.keys.rest().take(pop.numkeys);
    Ok(block(keys, deadline_ms, |reply| reply.null_array()))
}

pub(super) fn blpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    blocking_pop(ctx, args, Side::Front)
}

pub(super) fn brpop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    blocking_pop(ctx, args, Side::Back)
}

fn blocking_pop(ctx: &mut Ctx<'_>, args: &mut Args<'_>, side: Side) -> Result<Flow, Error> {
    let argv = args.argv();
    let deadline_ms = timeout::seconds_of(argv.word(argv.len() - 1), ctx.db.now_ms())?;
    let keys = args.left() - 1;
    let mut names = args.clone();
    for _ in 0..keys {
        let key = args.key()?;
        let Some(edit) = ctx.db.edit::<List>(&key)? else {
            continue;
        };
        ctx.reply.array(2);
        ctx.reply.bulk(key.bytes);
        take_one(edit, &mut ctx.reply, side);
        ctx.propagate.instead(&[pop_name(side), key.bytes]);
        return Ok(Flow::Done);
    }
    let names = names.rest().take(keys);
    Ok(block(names, deadline_ms, |reply| reply.null_array()))
}
