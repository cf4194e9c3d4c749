//! MULTI, EXEC, DISCARD, WATCH, UNWATCH. Queueing itself is the engine's: between MULTI and EXEC every admitted command
//! goes into the queue, and EXEC asks the engine to run it as one unit.

use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::session::hindrance;
use crate::session::transaction::Transaction;

const BASE: u32 = flag::NOSCRIPT | flag::LOADING | flag::STALE | flag::ALLOW_BUSY;

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("discard", Group::Transactions, 1, discard)
        .flags(BASE | flag::FAST | flag::IN_MULTI)
        .acl(acl::TRANSACTION)
        .about(
            "2.0.0",
            "O(N), when N is the number of queued commands",
            "Discards a transaction.",
        ),
    Row::new("exec", Group::Transactions, 1, exec)
        .flags(flag::NOSCRIPT | flag::LOADING | flag::STALE | flag::SKIP_SLOWLOG | flag::IN_MULTI)
        .acl(acl::TRANSACTION)
        .about(
            "1.2.0",
            "Depends on commands in the transaction",
            "Executes all commands in a transaction.",
        ),
    Row::new("multi", Group::Transactions, 1, multi)
        .flags(BASE | flag::FAST | flag::IN_MULTI)
        .acl(acl::TRANSACTION)
        .about("1.2.0", "O(1)", "Starts a transaction."),
    Row::new("unwatch", Group::Transactions, 1, unwatch)
        .flags(BASE | flag::FAST)
        .acl(acl::TRANSACTION)
        .about(
            "2.2.0",
            "O(1)",
            "Forgets about watched keys of a transaction.",
        ),
    Row::new("watch", Group::Transactions, -2, watch)
        .flags(BASE | flag::FAST | flag::IN_MULTI)
        .keys(&[KeySpec::range(1, -1, 1, key_flag::RO)])
        .acl(acl::TRANSACTION)
        .about(
            "2.2.0",
            "O(1) for every key.",
            "Monitors changes to keys to determine the execution of a transaction.",
        )
        .syntax("key..."),
];

fn multi(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    if ctx.client.in_transaction() {
        return Err(Error::Text("ERR MULTI calls can not be nested"));
    }
    ctx.client.hinder(hindrance::IN_TRANSACTION, true);
    ctx.client
        .transaction
        .get_or_insert_with(|| Box::new(Transaction::default()));
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn exec(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    if !ctx.client.in_transaction() {
        return Err(Error::Text("ERR EXEC without MULTI"));
    }
    let expired = expired_watch(ctx);
    ctx.db.keyspace().waiters.unwatch(ctx.client.id);
    let (refused, spoilt) = ctx
        .client
        .transaction
        .as_ref()
        .map_or((false, false), |t| (t.refused, t.spoilt));
    if refused {
        end(ctx);
        return Err(Error::ExecAbort);
    }
    if spoilt || expired {
        end(ctx);
        ctx.reply.null_array();
        return Ok(Flow::Done);
    }
    Ok(Flow::RunQueued)
}

/// Whether a watched key has expired since: looking at it deletes it, which spoils the transaction.
fn expired_watch(ctx: &mut Ctx<'_>) -> bool {
    let id = ctx.client.id;
    let watched = ctx.db.keyspace().waiters.watched_by(id).to_vec();
    for (db, name) in &watched {
        let mut db = ctx.db.other(*db);
        let key = db.key(name);
        db.peek(&key);
    }
    ctx.db.keyspace().waiters.take_spoilt(id)
}

fn discard(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    if !ctx.client.in_transaction() {
        return Err(Error::Text("ERR DISCARD without MULTI"));
    }
    ctx.db.keyspace().waiters.unwatch(ctx.client.id);
    end(ctx);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn end(ctx: &mut Ctx<'_>) {
    ctx.client.transaction = None;
    ctx.client.hinder(hindrance::IN_TRANSACTION, false);
}

fn watch(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if ctx.client.in_transaction() {
        return Err(Error::Text("ERR WATCH inside MULTI is not allowed"));
    }
    let (id, db) = (ctx.client.id, ctx.db.index());
    let transaction = ctx
        .client
        .transaction
        .get_or_insert_with(|| Box::new(Transaction::default()));
    for name in args.rest() {
        let key = ctx.db.key(name);
        // A key that has expired already must not spoil the transaction later: it is deleted now.
        ctx.db.peek(&key);
        if ctx.db.keyspace().waiters.watch(id, db, name) {
            transaction.note_watched(name);
        }
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn unwatch(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.db.keyspace().waiters.unwatch(ctx.client.id);
    // Between MULTI and EXEC it is queued: when it runs there is no queue that could be lost.
    ctx.client.transaction = None;
    ctx.reply.ok();
    Ok(Flow::Done)
}
