//! HSCAN: the fields of a hash step by step. A short hash is answered at once.

use super::reply_element;
use crate::command::member_expiry::type_first;
use crate::command::scan::{ScanOptions, Scanned, cursor};
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::listpack::Element;
use crate::types::hash::Hash;

pub(super) fn hscan(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let mut cursor = cursor(args)?;
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
    let (mut seen, mut steps) = (0, 0);
    loop {
        cursor = hash.scan(cursor, now_ms, |name, value| {
            seen += 1;
            if options.accepts(name.bytes(&mut room)) {
                found.push((name, value));
            }
        });
        steps += 1;
        if cursor == 0 || seen >= options.count || steps >= options.steps_max() {
            break;
        }
    }
    let reply = &mut ctx.reply;
    reply.array(2);
    reply.bulk(cursor.to_string().as_bytes());
    if options.without_values {
        reply.array(found.len());
        found
            .iter()
            .for_each(|(name, _)| reply_element(reply, *name));
        return Ok(Flow::Done);
    }
    reply.array(found.len() * 2);
    for (name, value) in found {
        reply_element(reply, name);
        reply_element(reply, value);
    }
    Ok(Flow::Done)
}

fn reply_nothing(ctx: &mut Ctx<'_>) -> Flow {
    ctx.reply.array(2);
    ctx.reply.bulk(b"0");
    ctx.reply.empty_array();
    Flow::Done
}
