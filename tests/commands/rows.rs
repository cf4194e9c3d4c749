//! Commands that only tests know: small ones that reach every way in which a handler can end.
//!
//! ```text
//! PUT key value [ms]   writes a string, with a deadline that far away if ms is given
//! TAKE key ms [to]     takes a key's value away, perhaps to another key; waits for it until ms have passed (0: for
//!                      ever), then answers null
//! HALF                 answers the half of an array, then fails
//! PASS ms              lets so much time pass in the middle of a command
//! ```

use oxidis::command::row::{Group, KeySpec, Row, flag, key_flag};
use oxidis::command::{Args, Block, Ctx, Error, Flow};
use oxidis::keyspace::db::{Deadline, Str};
use oxidis::keyspace::event;
use oxidis::types::Type;
use oxidis::types::string::{NewString, StringRef};

const FIRST: &[KeySpec] = &[KeySpec::one(1, key_flag::RW)];

/// PUT
pub static PUT: Row = Row::new("put", Group::String, -3, put)
    .flags(flag::WRITE)
    .keys(FIRST);
/// TAKE
pub static TAKE: Row = Row::new("take", Group::String, -3, take)
    .flags(flag::WRITE | flag::BLOCKING)
    .keys(FIRST);
/// HALF
pub static HALF: Row = Row::new("half", Group::String, 1, half);
/// PASS
pub static PASS: Row = Row::new("pass", Group::Server, 2, pass);

fn put(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, value) = (args.key()?, args.string()?);
    let deadline = if args.is_empty() {
        Deadline::Clear
    } else {
        Deadline::At(ctx.db.now_ms() + args.int()?)
    };
    args.finish()?;
    ctx.db.put(&key, value, deadline).changed(event::SET);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn take(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let timeout_ms = args.int()?;
    let to = if args.is_empty() {
        None
    } else {
        Some(args.key()?)
    };
    let value = match ctx.db.read::<Str>(&key)? {
        Some(StringRef::Int(value)) => value.to_string().into_bytes(),
        Some(StringRef::Bytes { bytes, .. }) => bytes.to_vec(),
        Some(StringRef::Shared(bytes)) => bytes.to_vec(),
        None => {
            return Ok(Flow::Block(Block {
                keys: vec![key.bytes.into()],
                awaits: Type::String,
                on_loss: false,
                deadline_ms: (timeout_ms > 0).then(|| ctx.db.now_ms() + timeout_ms),
                on_timeout: |reply| reply.null(),
            }));
        }
    };
    ctx.db.remove(&key, event::DEL);
    ctx.propagate.instead(&[b"DEL", key.bytes]);
    if let Some(to) = to {
        let edit = ctx.db.put(&to, NewString::Bytes(&value), Deadline::Clear);
        edit.changed(event::SET);
        ctx.propagate.also(&[b"PUT", to.bytes, &value]);
    }
    ctx.reply.bulk(&value);
    Ok(Flow::Done)
}

fn half(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.array(2);
    ctx.reply.bulk(b"one");
    Err(Error::NotInteger)
}

fn pass(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let ms = args.count()?;
    ctx.server.clock.advance_ms(ms as u64);
    ctx.reply.ok();
    Ok(Flow::Done)
}
