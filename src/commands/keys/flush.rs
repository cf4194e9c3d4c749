//! FLUSHDB, FLUSHALL, SWAPDB: whole databases.
//!
//! All three count as a change, and so go out, even where nothing was there: a replica may hold what this server lost.

use crate::base::number;
use crate::command::saving::{abort_save, begin_save};
use crate::command::{Args, Ctx, Error, Flow};

pub(super) fn flushdb(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let lazy = is_lazy(ctx, args)?;
    let db = ctx.db.index();
    let keys = ctx.db.keyspace().flush(db, lazy);
    ctx.db.keyspace().add_dirty(keys as u64 + 1);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn flushall(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let lazy = is_lazy(ctx, args)?;
    let keyspace = ctx.db.keyspace();
    let keys: usize = (0..keyspace.databases())
        .map(|db| keyspace.flush(db, lazy))
        .sum();
    keyspace.add_dirty(keys as u64 + 1);
    save_nothing(ctx);
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// A save that is under way is given up: nobody wants what it has. Where data is saved by itself, what was deleted must not
/// come back with the next start: a save of the empty data set begins, behind a rewrite of the append-only file if there is
/// one.
fn save_nothing(ctx: &mut Ctx<'_>) {
    if ctx.server.saver.is_saving() {
        abort_save(&mut ctx.server.saver, ctx.db.keyspace(), ctx.host);
    }
    if ctx.server.config.settings.save.is_empty() {
        return;
    }
    if ctx.server.saver.is_running() {
        ctx.server.saver.is_scheduled = true;
        return;
    }
    begin_save(ctx.server, ctx.db.keyspace(), ctx.host, true);
    ctx.server.saver.count_as_saved();
}

/// Whether the memory is freed on the helper thread: `[ASYNC | SYNC]`, or as `lazyfree-lazy-user-flush` says.
fn is_lazy(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<bool, Error> {
    let lazy = if args.flag("ASYNC") {
        true
    } else if args.flag("SYNC") {
        false
    } else {
        ctx.server.config.settings.lazyfree_lazy_user_flush
    };
    args.finish()?;
    Ok(lazy)
}

pub(super) fn swapdb(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let read = |word: &[u8], error| {
        let number = number::parse_i64(word).ok_or(error);
        number.and_then(|number| i32::try_from(number).map_err(|_| error))
    };
    let one = read(args.word()?, "ERR invalid first DB index").map_err(Error::Text)?;
    let other = read(args.word()?, "ERR invalid second DB index").map_err(Error::Text)?;
    let databases = ctx.db.keyspace().databases();
    let in_range = |number: i32| {
        let number = usize::try_from(number).map_err(|_| Error::DbIndex)?;
        (number < databases).then_some(number).ok_or(Error::DbIndex)
    };
    let (one, other) = (in_range(one)?, in_range(other)?);
    let keyspace = ctx.db.keyspace();
    if one != other {
        keyspace.swap(one, other);
    }
    keyspace.add_dirty(1);
    ctx.reply.ok();
    Ok(Flow::Done)
}
