//! DEL, UNLINK, EXISTS, TOUCH, TYPE: commands that count keys, and the type of one.
//!
//! DEL and UNLINK are the same: a value whose freeing takes long always goes to the helper thread.

use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::Database;
use crate::keyspace::entry::Key;
use crate::keyspace::event;

/// Keys whose cache lines are asked for at once.
const PREFETCHED: usize = 32;

pub(super) fn del(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    count(ctx, args, |db, key| db.remove(key, event::DEL))
}

pub(super) fn exists(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    count(ctx, args, |db, key| db.exists(key))
}

pub(super) fn touch(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    count(ctx, args, |db, key| db.touch(key))
}

/// Answers for how many of the keys `one` is true.
#[inline]
fn count(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    mut one: impl FnMut(&mut Database<'_>, &Key<'_>) -> bool,
) -> Result<Flow, Error> {
    let mut counted = 0;
    if args.left() == 1 {
        counted += i64::from(one(&mut ctx.db, &args.key()?));
    } else {
        for keys in args.keys().chunks(PREFETCHED) {
            ctx.db.prefetch(keys);
            for key in keys {
                counted += i64::from(one(&mut ctx.db, key));
            }
        }
    }
    ctx.reply.integer(counted);
    Ok(Flow::Done)
}

pub(super) fn type_of(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let record = ctx.db.inspect(&key);
    let name = record.map_or("none", |record| record.type_of().name());
    ctx.reply.simple(name);
    Ok(Flow::Done)
}
