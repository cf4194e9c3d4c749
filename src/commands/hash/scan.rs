//! HSCAN: the fields of a hash step by step. A short hash is answered at once.

use crate::command::member_expiry::type_first;
use crate::command::scan::{ScanOptions, Scanned, cursor};
use crate::command::{Args, Ctx, Error, Flow, elements};
use crate::ds::listpack::Element;
use crate::types::hash::Hash;

pub(super) fn hscan(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let cursor = cursor(args)?;
    let options = match ScanOptions::read(args, Scanned::Hash) {
        Ok(options) => options,
        // Redis looks at the key before the options: without one it answers nothing, and no error.
        Err(_) if ctx.db.peek(&key).is_none() => return Ok(reply_nothing(ctx)),
        Err(error) => return Err(type_first::<Hash>(ctx, &key, error)),
    };
    let now_ms = ctx.db.now_ms();
    let Some(hash) = ctx.db.read::<Hash>(&key)? else {
        return Ok(reply_nothing(ctx));
    };
    let mut found: Vec<(Element<'_>, Element<'_>)> = Vec::new();
    let mut room = Vec::new();
    let next = options.walk(cursor, |cursor, seen| {
        hash.scan(cursor, now_ms, |name, value| {
            *seen += 1;
            if options.accepts(name.bytes(&mut room)) {
                found.push((name, value));
            }
        })
    });
    let reply = &mut ctx.reply;
    reply.array(2);
    reply.bulk(next.to_string().as_bytes());
    if options.without_values {
        reply.array(found.len());
        found
            .iter()
            .for_each(|(name, _)| elements::reply(reply, *name));
        return Ok(Flow::Done);
    }
    reply.array(found.len() * 2);
    for (name, value) in found {
        elements::reply(reply, name);
        elements::reply(reply, value);
    }
    Ok(Flow::Done)
}

fn reply_nothing(ctx: &mut Ctx<'_>) -> Flow {
    ctx.reply.array(2);
    ctx.reply.bulk(b"0");
    ctx.reply.empty_array();
    Flow::Done
}
