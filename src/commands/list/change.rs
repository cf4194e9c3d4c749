//! LSET, LINSERT, LREM, LTRIM.

use super::{index_of, span, word};
use crate::base::number;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::event;
use crate::types::list::{List, Side};
use crate::types::{Stored, View};

pub(super) fn lset(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (index, word) = (args.word()?, word(args)?);
    // As in Redis a missing key is answered before the index is looked at.
    let mut edit = ctx.db.edit::<List>(&key)?.ok_or(key)?;
    let index = number::parse_i64(index).ok_or(Error::NotInteger)?;
    let index = index_of(index, edit.view().len()).ok_or(Error::Text("ERR index out of range"))?;
    let (list, limits) = edit.parts();
    list.set(index, word, limits);
    edit.changed(event::LSET);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn linsert(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let after = args.flag("AFTER");
    if !after && !args.flag("BEFORE") {
        return Err(Error::Syntax);
    }
    let (pivot, word) = (args.word()?, word(args)?);
    let Some(mut edit) = ctx.db.edit::<List>(&key)? else {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    };
    let Some(index) = edit.view().position(pivot) else {
        ctx.reply.integer(-1);
        return Ok(Flow::Done);
    };
    let (list, limits) = edit.parts();
    list.insert(index + usize::from(after), word, limits);
    let len = list.len();
    edit.changed(event::LINSERT);
    ctx.reply.integer(len as i64);
    Ok(Flow::Done)
}

pub(super) fn lrem(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let count = args.int()?;
    if count == i64::MIN {
        return Err(Error::Text(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ));
    }
    let word = args.word()?;
    let from = if count < 0 { Side::Back } else { Side::Front };
    let max = match count.unsigned_abs() {
        0 => usize::MAX,
        count => usize::try_from(count).unwrap_or(usize::MAX),
    };
    let removed = match ctx.db.edit::<List>(&key)? {
        None => 0,
        Some(mut edit) => {
            let (list, limits) = edit.parts();
            let removed = list.remove_equal(word, from, max, limits);
            if removed > 0 {
                edit.changed(event::LREM);
            } else {
                edit.unchanged();
            }
            removed
        }
    };
    ctx.reply.integer(removed as i64);
    Ok(Flow::Done)
}

pub(super) fn ltrim(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (start, stop) = (args.int()?, args.int()?);
    if let Some(mut edit) = ctx.db.edit::<List>(&key)? {
        let (list, limits) = edit.parts();
        let len = list.len();
        let (start, count) = span(start, stop, len);
        list.trim(start, count, limits);
        edit.changed(event::LTRIM);
        if count == len {
            // Watchers are told as in Redis; the data is what it was.
            ctx.propagate.nothing();
        }
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}
