//! OBJECT: how a value is kept, and how much it is used.

use crate::command::help::reply_help;
use crate::command::{Args, Ctx, Error, Flow};
use crate::config::settings::MaxmemoryPolicy;
use crate::keyspace::access::AccessPolicy;
use crate::keyspace::entry::RecordRef;
use crate::types::string::StringRef;

const NOT_LFU: Error = Error::Text(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between \
     policies at runtime LRU and LFU data will take some time to adjust.",
);
const NOT_LRU: Error = Error::Text(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at \
     runtime LRU and LFU data will take some time to adjust.",
);
/// Numbers below this one are shared in Redis, where their count of references has a fixed value. Tools tell small
/// numbers by it; here every value belongs to one key.
const SHARED_INTEGERS: i64 = 10_000;
const SHARED_REFERENCES: i64 = i32::MAX as i64;

pub(super) fn encoding(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    match ctx
        .db
        .inspect_quietly(&key)
        .map(|record| record.value().encoding())
    {
        Some(encoding) => ctx.reply.bulk(encoding.as_bytes()),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn freq(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |policy, record, now_ms| match policy {
        AccessPolicy::Lru => Err(NOT_LFU),
        AccessPolicy::Lfu { .. } => Ok(i64::from(policy.frequency(record.access(), now_ms))),
    })
}

pub(super) fn idletime(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |policy, record, now_ms| match policy {
        AccessPolicy::Lru => Ok(policy.idle_s(record.access(), now_ms) as i64),
        AccessPolicy::Lfu { .. } => Err(NOT_LRU),
    })
}

pub(super) fn refcount(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let settings = &ctx.server.config.settings;
    let is_evicting_by_use = !matches!(
        settings.maxmemory_policy,
        MaxmemoryPolicy::NoEviction
            | MaxmemoryPolicy::AllkeysRandom
            | MaxmemoryPolicy::VolatileRandom
            | MaxmemoryPolicy::VolatileTtl
    );
    let shares = settings.maxmemory == 0 || !is_evicting_by_use;
    answer(ctx, args, |_, record, _| {
        Ok(match record.string() {
            Some(StringRef::Int(0..SHARED_INTEGERS)) if shares => SHARED_REFERENCES,
            _ => 1,
        })
    })
}

/// Answers a number about the key's record, or null.
fn answer(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    of: impl FnOnce(AccessPolicy, RecordRef<'_>, i64) -> Result<i64, Error>,
) -> Result<Flow, Error> {
    let key = args.key()?;
    let now_ms = ctx.db.now_ms();
    let policy = ctx.db.keyspace().access_policy();
    match ctx.db.inspect_quietly(&key) {
        Some(record) => ctx.reply.integer(of(policy, record, now_ms)?),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "ENCODING <key>",
            "    How the key's value is kept in memory.",
            "FREQ <key>",
            "    How often the key is used, on a logarithmic scale from 0 to 255; it needs an LFU",
            "    maxmemory-policy.",
            "IDLETIME <key>",
            "    Seconds since the key was last used; it needs a maxmemory-policy that is not LFU.",
            "REFCOUNT <key>",
            "    How many references the key's value has.",
        ],
    ))
}
