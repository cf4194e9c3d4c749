//! XRANGE, XREVRANGE and XLEN.

use super::entries::reply_range;
use super::ids::{parse_end, parse_start};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::entry::Key;
use crate::types::stream::{Stream, StreamId};

pub(super) fn xlen(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let len = ctx.db.read::<Stream>(&key)?;
    let len = len.map_or(0, |stream| stream.log.len());
    ctx.reply.integer(i64::try_from(len).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

pub(super) fn xrange(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let from = parse_start(args.word()?)?;
    let to = parse_end(args.word()?)?;
    let count = take_count(args)?;
    reply(ctx, &key, (from, to), count, false)
}

pub(super) fn xrevrange(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let end = args.word()?;
    let from = parse_start(args.word()?)?;
    let to = parse_end(end)?;
    let count = take_count(args)?;
    reply(ctx, &key, (from, to), count, true)
}

/// `[COUNT n]...`; fewer than none are none.
fn take_count(args: &mut Args<'_>) -> Result<Option<usize>, Error> {
    let mut count = None;
    while !args.is_empty() {
        if args.left() < 2 || !args.flag("COUNT") {
            return Err(Error::Syntax);
        }
        count = Some(usize::try_from(args.int()?).unwrap_or(0));
    }
    Ok(count)
}

fn reply(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    (from, to): (StreamId, StreamId),
    count: Option<usize>,
    backwards: bool,
) -> Result<Flow, Error> {
    match ctx.db.read::<Stream>(key)? {
        None => ctx.reply.empty_array(),
        Some(_) if count == Some(0) => ctx.reply.null_array(),
        Some(stream) => {
            let range = if backwards {
                stream.log.range_backwards(from, to)
            } else {
                stream.log.range(from, to)
            };
            reply_range(&mut ctx.reply, range, count.unwrap_or(usize::MAX));
        }
    }
    Ok(Flow::Done)
}
