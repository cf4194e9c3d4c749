//! DEBUG's switches. A number that is none counts as 0, as Redis reads it.

use crate::base::number::{parse_i64, parse_memory};
use crate::command::help::wrong_words;
use crate::command::rewrite::rewrite_config;
use crate::command::{Args, Ctx, Error, Flow};

/// Reads a switch: anything but 0 is on.
fn is_on(args: &mut Args<'_>) -> Result<bool, Error> {
    Ok(args.int().unwrap_or(0) != 0)
}

fn done(ctx: &mut Ctx<'_>) -> Result<Flow, Error> {
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn set_active_expire(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let on = is_on(args)?;
    ctx.db.keyspace().set_active_expire(on);
    done(ctx)
}

pub(super) fn pause_cron(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.server.debug.pause_cron = is_on(args)?;
    done(ctx)
}

pub(super) fn aof_flush_sleep(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let pause_us = args.int().unwrap_or(0);
    ctx.server.debug.log_pause_us = u64::try_from(pause_us).unwrap_or(0);
    done(ctx)
}

pub(super) fn set_disable_deny_scripts(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
) -> Result<Flow, Error> {
    ctx.server.debug.allow_denied_in_scripts = is_on(args)?;
    done(ctx)
}

pub(super) fn packed_threshold(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let bytes = parse_memory(args.word()?).and_then(|bytes| u32::try_from(bytes).ok());
    ctx.server.debug.packed_threshold_bytes = bytes.ok_or(Error::Text(
        "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
    ))?;
    ctx.server.apply_settings(ctx.db.keyspace());
    done(ctx)
}

/// What concerns nothing in this server.
pub(super) fn accepted(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    done(ctx)
}

/// Buffers go back to a pool when they are empty: there is no size to be reset, and no timer that does it.
pub(super) fn replybuffer(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if args.flag("PEAK-RESET-TIME") {
        let word = args.word()?;
        let is_named = word.eq_ignore_ascii_case(b"never") || word.eq_ignore_ascii_case(b"reset");
        if !is_named {
            parse_i64(word).ok_or(Error::NotInteger)?;
        }
    } else if !args.flag("RESIZING") {
        return Err(wrong_words(args));
    }
    done(ctx)
}

pub(super) fn config_rewrite_force_all(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.server.debug.rewrite_all = true;
    let result = rewrite_config(ctx);
    ctx.server.debug.rewrite_all = false;
    result?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn set_skip_checksum_validation(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
) -> Result<Flow, Error> {
    ctx.server.debug.skip_checksums = is_on(args)?;
    done(ctx)
}
