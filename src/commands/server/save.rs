//! SAVE, BGSAVE, LASTSAVE.

use crate::command::saving::{begin_save, finish_flush, save_now};
use crate::command::{Args, Ctx, Error, Flow};

const UNDER_WAY: Error = Error::Text("ERR Background save already in progress");

pub(super) fn save(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    finish_flush(ctx.server, ctx.db.keyspace(), ctx.host);
    if ctx.server.saver.is_saving() {
        return Err(UNDER_WAY);
    }
    ctx.server.saver.count_save();
    // Why it failed stands in the log, as the operators of Redis expect.
    save_now(ctx.server, ctx.db.keyspace(), ctx.host).map_err(|_| Error::Text("ERR"))?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn bgsave(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let schedule = args.flag("SCHEDULE");
    if !args.is_empty() {
        return Err(Error::Syntax);
    }
    finish_flush(ctx.server, ctx.db.keyspace(), ctx.host);
    if ctx.server.saver.is_saving() {
        return Err(UNDER_WAY);
    }
    let rewrites = ctx.server.saver.is_running() || ctx.server.aof.is_rewriting();
    if rewrites && !schedule && !ctx.client.is_nested() {
        return Err(Error::Text(
            "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a \
             BGSAVE whenever possible.",
        ));
    }
    if rewrites || ctx.client.is_nested() {
        // In the middle of EXEC the data is in no state that anybody wants to keep.
        ctx.server.saver.is_scheduled = true;
        ctx.reply.simple("Background saving scheduled");
        return Ok(Flow::Done);
    }
    ctx.server.saver.count_save();
    begin_save(ctx.server, ctx.db.keyspace(), ctx.host, true);
    ctx.reply.simple("Background saving started");
    Ok(Flow::Done)
}

pub(super) fn lastsave(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.integer(ctx.server.saver.last_save_s());
    Ok(Flow::Done)
}
