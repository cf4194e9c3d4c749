//! XDEL and XDELEX, XACK and XACKDEL: entries go, or are done with.

use super::claim::with_group;
use super::ids::{counted_ids, rest_of_ids, take_references};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::event;
use crate::resp::reply::Reply;
use crate::types::stream::{References, Stream, StreamId};

/// There is no such entry.
const MISSING: i64 = -1;
/// It was deleted.
const DELETED: i64 = 1;
/// It stays, for a group needs it.
const REFERENCED: i64 = 2;

pub(super) fn xdel(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let Some(mut edit) = ctx.db.edit::<Stream>(&key)? else {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    };
    let ids = rest_of_ids(args)?;
    let stream = edit.value();
    let mut deleted = 0;
    for id in ids {
        deleted += i64::from(stream.log.delete(id));
    }
    ctx.reply.integer(deleted);
    if deleted > 0 {
        edit.changed(event::XDEL);
    } else {
        edit.unchanged();
    }
    Ok(Flow::Done)
}

/// `[KEEPREF | DELREF | ACKED] IDS numids id...`, in any order.
fn read_ids(args: &mut Args<'_>) -> Result<(References, Vec<StreamId>), Error> {
    let (mut references, mut ids) = (None, None);
    while !args.is_empty() {
        if take_references(args, &mut references)? {
            continue;
        }
        if ids.is_some() || args.left() < 3 || !args.flag("IDS") {
            return Err(Error::Syntax);
        }
        ids = Some(counted_ids(args)?);
    }
    let ids = ids.ok_or(Error::Syntax)?;
    Ok((references.unwrap_or_default(), ids))
}

fn reply_missing(reply: &mut Reply<'_>, ids: &[StreamId]) -> Flow {
    reply.array(ids.len());
    ids.iter().for_each(|_| reply.integer(MISSING));
    Flow::Done
}

pub(super) fn xdelex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (references, ids) = read_ids(args)?;
    let Some(mut edit) = ctx.db.edit::<Stream>(&key)? else {
        return Ok(reply_missing(&mut ctx.reply, &ids));
    };
    let stream = edit.value();
    let (mut deleted, mut forgotten) = (false, false);
    ctx.reply.array(ids.len());
    for id in ids {
        forgotten |= references == References::Delete && stream.is_pending(id);
        ctx.reply.integer(match stream.delete(id, references) {
            None => MISSING,
            Some(false) => REFERENCED,
            Some(true) => {
                deleted = true;
                DELETED
            }
        });
    }
    match (deleted, forgotten) {
        (true, _) => edit.changed(event::XDEL),
        (false, true) => edit.counted(),
        (false, false) => edit.unchanged(),
    }
    Ok(Flow::Done)
}

pub(super) fn xack(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, group) = (args.key()?, args.word()?);
    let Some(mut edit) = with_group(ctx.db.edit::<Stream>(&key)?, group) else {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    };
    let ids = rest_of_ids(args)?;
    let mut acknowledged = 0;
    if let Some(group) = edit.value().groups.get_mut(group) {
        for id in ids {
            acknowledged += i64::from(group.acknowledge(id));
        }
    }
    ctx.reply.integer(acknowledged);
    if acknowledged > 0 {
        edit.counted();
    } else {
        edit.unchanged();
    }
    Ok(Flow::Done)
}

pub(super) fn xackdel(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, group) = (args.key()?, args.word()?);
    let (references, ids) = read_ids(args)?;
    let Some(mut edit) = ctx.db.edit::<Stream>(&key)? else {
        return Ok(reply_missing(&mut ctx.reply, &ids));
    };
    let stream = edit.value();
    let (mut acknowledged, mut deleted) = (false, false);
    ctx.reply.array(ids.len());
    for id in ids {
        let group = stream.groups.get_mut(group);
        if !group.is_some_and(|group| group.acknowledge(id)) {
            ctx.reply.integer(MISSING);
            continue;
        }
        acknowledged = true;
        let outcome = stream.delete(id, references);
        deleted |= outcome == Some(true);
        ctx.reply.integer(if outcome == Some(false) {
            REFERENCED
        } else {
            DELETED
        });
    }
    match (deleted, acknowledged) {
        (true, _) => edit.changed(event::XDEL),
        (false, true) => edit.counted(),
        (false, false) => edit.unchanged(),
    }
    Ok(Flow::Done)
}
