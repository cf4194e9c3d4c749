//! SSCAN.

use crate::command::elements;
use crate::command::scan::{ScanOptions, Scanned, cursor};
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::listpack::Element;
use crate::types::set::Set;

pub(super) fn sscan(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let cursor = cursor(args)?;
    let now_ms = ctx.db.now_ms();
    let Some(set) = ctx.db.read::<Set>(&key)? else {
        ctx.reply.array(2);
        ctx.reply.bulk(b"0");
        ctx.reply.empty_array();
        return Ok(Flow::Done);
    };
    let options = ScanOptions::read(args, Scanned::Set)?;
    let (mut found, mut room) = (Vec::new(), Vec::new());
    let next = options.walk(cursor, |cursor, seen| {
        set.scan(cursor, now_ms, |member: Element<'_>| {
            *seen += 1;
            if options.accepts(member.bytes(&mut room)) {
                found.push(member);
            }
        })
    });
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(found.len());
    found
        .into_iter()
        .for_each(|member| elements::reply(&mut ctx.reply, member));
    Ok(Flow::Done)
}
