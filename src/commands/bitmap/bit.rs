//! Single bits: SETBIT and GETBIT.

use super::{bit_offset, bytes_up_to, limit_bytes};
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::bits;
use crate::keyspace::db::Str;
use crate::keyspace::event;
use crate::types::string::Digits;

pub(super) fn setbit(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let offset = bit_offset(args.word()?, limit_bytes(ctx))?;
    let on = match args.word()? {
        b"0" => false,
        b"1" => true,
        _ => return Err(Error::Text("ERR bit is not an integer or out of range")),
    };
    let mut edit = ctx.db.edit_or_create::<Str>(&key)?;
    let before = edit.string().len();
    let total = before.max(bytes_up_to(offset));
    let mut was_on = false;
    let changes = edit.bytes_mut_if(total, |bytes| {
        was_on = bits::exchange(bytes, offset, on);
        was_on != on || total > before
    });
    if changes {
        edit.changed(event::SETBIT);
    }
    ctx.reply.integer(i64::from(was_on));
    Ok(Flow::Done)
}

pub(super) fn getbit(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let offset = bit_offset(args.word()?, limit_bytes(ctx))?;
    let mut digits = Digits::default();
    let value = ctx.db.read::<Str>(&key)?;
    let on = value.is_some_and(|value| bits::bit(value.bytes(&mut digits), offset));
    ctx.reply.integer(i64::from(on));
    Ok(Flow::Done)
}
