//! BGREWRITEAOF and WAITAOF: the append-only file as clients see it.

use crate::command::saving::finish_flush;
use crate::command::timeout;
use crate::command::{Args, Block, Ctx, Error, Flow};
use crate::persist::aof::Wish;
use crate::resp::reply::Reply;
use crate::types::Type;

pub(super) fn bgrewriteaof(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    finish_flush(ctx.server, ctx.db.keyspace(), ctx.host);
    let server = &mut *ctx.server;
    if server.aof.is_rewriting() {
        return Err(Error::Text(
            "ERR Background append only file rewriting already in progress",
        ));
    }
    // In the middle of EXEC the data is in no state that anybody wants to keep. What somebody else wishes comes first.
    let is_busy = server.saver.is_running() || server.backups.is_running();
    if is_busy || server.aof.wish.is_some() || ctx.client.is_nested() {
        server.aof.schedule_rewrite();
        ctx.reply
            .simple("Background append only file rewriting scheduled");
        return Ok(Flow::Done);
    }
    server.aof.wish = Some(Wish::Rewrite);
    ctx.reply
        .simple("Background append only file rewriting started");
    Ok(Flow::Done)
}

/// Who is answered: whether this server's disk has it, and on how many replicas it is. There are none.
pub(super) fn waitaof(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let local = args.int()?;
    if !(0..=1).contains(&local) {
        return Err(Error::Text(
            "ERR value is out of range, value must between 0 and 1",
        ));
    }
    let replicas = args.int()?;
    if !(0..=i64::from(i32::MAX)).contains(&replicas) {
        return Err(Error::Text("ERR value is out of range, must be positive"));
    }
    let deadline_ms = timeout::milliseconds(args, ctx.db.now_ms())?;
    let aof = &mut ctx.server.aof;
    if local > 0 && !aof.is_enabled() {
        return Err(Error::Text(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
        ));
    }
    let is_here = aof.is_on() && aof.durable() >= ctx.client.wrote_until;
    let enough = i64::from(is_here) >= local && replicas == 0;
    if enough || ctx.client.is_nested() {
        reply(&mut ctx.reply, is_here);
        return Ok(Flow::Done);
    }
    if !is_here {
        aof.wait(ctx.client.id);
    }
    Ok(Flow::Block(Block {
        keys: Vec::new(),
        awaits: Type::String,
        on_loss: false,
        deadline_ms,
        on_timeout: match is_here {
            true => |out| reply(out, true),
            false => |out| reply(out, false),
        },
    }))
}

fn reply(out: &mut Reply<'_>, is_here: bool) {
    out.array(2);
    out.integer(i64::from(is_here));
    out.integer(0);
}
