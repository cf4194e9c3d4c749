//! RENAME, RENAMENX, COPY, MOVE: values that come to another key.

use super::database_number;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::event;

const SAME: Error = Error::Text("ERR source and destination objects are the same");

pub(super) fn rename(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (from, to) = (args.key()?, args.key()?);
    ctx.db.peek(&from).ok_or(Error::NoSuchKey)?;
    if from.bytes != to.bytes {
        let place = (ctx.db.index(), &to);
        ctx.db
            .relocate(&from, place, event::RENAME_FROM, event::RENAME_TO);
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn renamenx(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (from, to) = (args.key()?, args.key()?);
    ctx.db.peek(&from).ok_or(Error::NoSuchKey)?;
    let is_free = ctx.db.peek(&to).is_none();
    if is_free {
        let place = (ctx.db.index(), &to);
        ctx.db
            .relocate(&from, place, event::RENAME_FROM, event::RENAME_TO);
    }
    ctx.reply.integer(i64::from(is_free));
    Ok(Flow::Done)
}

pub(super) fn copy(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (from, to) = (args.key()?, args.key()?);
    let (mut db, mut replace) = (ctx.db.index(), false);
    while !args.is_empty() {
        if args.flag("REPLACE") {
            replace = true;
        } else if let Some(number) = args.value_of("DB")? {
            db = database_number(number, ctx.db.keyspace().databases())?;
        } else {
            return Err(Error::Syntax);
        }
    }
    if db == ctx.db.index() && from.bytes == to.bytes {
        return Err(SAME);
    }
    let is_free = replace || ctx.db.other(db).peek(&to).is_none();
    let copied = ctx.db.look_up(&from).filter(|_| is_free);
    let copied = copied.map(|record| (record.copy_value(), record.deadline()));
    ctx.reply.integer(i64::from(copied.is_some()));
    if let Some((value, deadline)) = copied {
        ctx.db.other(db).give(&to, value, deadline, event::COPY_TO);
    }
    Ok(Flow::Done)
}

pub(super) fn r#move(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let db = database_number(args.word()?, ctx.db.keyspace().databases())?;
    if db == ctx.db.index() {
        return Err(SAME);
    }
    let is_free = ctx.db.other(db).peek(&key).is_none();
    let done = is_free
        && ctx
            .db
            .relocate(&key, (db, &key), event::MOVE_FROM, event::MOVE_TO);
    ctx.reply.integer(i64::from(done));
    Ok(Flow::Done)
}
