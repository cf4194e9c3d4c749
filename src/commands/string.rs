//! Strings: values of up to `proto-max-bulk-len` bytes, numbers among them.

use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow, expiry};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::event;
use crate::types::string::StringRef;

const FIRST_READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];

/// The rows of this family.
pub const ROWS: &[Row] = &[Row::new("get", Group::String, 2, get)
    .flags(flag::READONLY | flag::FAST)
    .keys(FIRST_READ)
    .acl(acl::STRING)
    .about("1.0.0", "O(1)", "Returns the string value of a key.")
    .syntax("key")];

fn get(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    match ctx.db.read::<Str>(&key)? {
        None => ctx.reply.null(),
        Some(StringRef::Int(value)) => ctx.reply.bulk_i64(value),
        Some(StringRef::Bytes { bytes, .. }) => ctx.reply.bulk(bytes),
        Some(StringRef::Shared(bytes)) => ctx.reply.bulk_shared(bytes),
    }
    Ok(Flow::Done)
}
