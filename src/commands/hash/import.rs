//! HIMPORT: many hashes of the same fields. The names are sent once, and each hash is its values.
//!
//! A hash made so is one like any other. It goes out as HSET (after DEL if the key was there): who reads the stream knows
//! no fieldsets.

use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::Deadline;
use crate::keyspace::event;
use crate::types::hash::{Hash, Lifetime};
use std::collections::HashSet;

pub(super) fn prepare(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let name = args.word()?;
    let fields: Vec<&[u8]> = args.rest().collect();
    let mut seen = HashSet::with_capacity(fields.len());
    if !fields.iter().all(|field| seen.insert(*field)) {
        return Err(Error::Text("ERR duplicate field name in fieldset"));
    }
    let fieldsets = &mut ctx.client.fieldsets;
    fieldsets.get_or_insert_default().put(name, &fields);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn set(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name) = (args.key()?, args.word()?);
    let fieldsets = ctx.client.fieldsets.as_deref();
    let fields = fieldsets.and_then(|fieldsets| fieldsets.get(name));
    let fields = fields.ok_or(Error::Text("ERR no such fieldset"))?;
    let values = args.rest();
    if values.len() != fields.len() {
        return Err(Error::Text("ERR value count does not match fieldset"));
    }
    let mut hash = Hash::default();
    let wanted = ctx.propagate.is_wanted();
    let mut words: Vec<&[u8]> = vec![b"HSET", key.bytes];
    for (field, value) in fields.iter().zip(values) {
        hash.set(ctx.db.limits(), field, value, Lifetime::Forever);
        if wanted {
            words.extend([&**field, value]);
        }
    }
    let replaces = ctx.db.peek(&key).is_some();
    ctx.db
        .put_collection(&key, hash, Deadline::Clear, event::HSET);
    if replaces {
        ctx.propagate.instead(&[b"DEL", key.bytes]);
        ctx.propagate.also(&words);
    } else {
        ctx.propagate.instead(&words);
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn discard(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let name = args.word()?;
    let fieldsets = ctx.client.fieldsets.as_mut();
    let was_there = fieldsets.is_some_and(|fieldsets| fieldsets.remove(name));
    ctx.reply.integer(i64::from(was_there));
    Ok(Flow::Done)
}

pub(super) fn discardall(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let fieldsets = ctx.client.fieldsets.take();
    let count = fieldsets.map_or(0, |fieldsets| fieldsets.len());
    let count = i64::try_from(count).expect("fieldsets in memory are fewer than 2^63");
    ctx.reply.integer(count);
    Ok(Flow::Done)
}
