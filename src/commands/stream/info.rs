//! XINFO: what a stream, its groups and their consumers are.

use super::entries::{reply_entry_of, reply_id, reply_range};
use super::groups::no_group_of;
use crate::command::help::{reply_help, wrong_words};
use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::Reply;
use crate::types::stream::{Consumer, Group, Log, Producers, Stream, StreamId};

/// Entries and pending entries that XINFO STREAM FULL shows if COUNT says nothing.
const FULL_COUNT: usize = 10;

fn integer(reply: &mut Reply<'_>, name: &str, value: u64) {
    reply.bulk(name.as_bytes());
    reply.integer(value.cast_signed());
}

fn length(reply: &mut Reply<'_>, name: &str, value: usize) {
    integer(reply, name, value as u64);
}

fn id(reply: &mut Reply<'_>, name: &str, id: StreamId) {
    reply.bulk(name.as_bytes());
    reply_id(reply, id);
}

pub(super) fn stream(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let stream = ctx.db.read::<Stream>(&key)?.ok_or(Error::NoSuchKey)?;
    let full = read_full(args)?;
    let reply = &mut ctx.reply;
    let log = &stream.log;
    let producers = stream.producers.as_deref();
    let pairs = if full.is_some() { 9 } else { 10 };
    reply.map(pairs + if producers.is_some() { 6 } else { 0 });
    reply_log(reply, log);
    if let Some(producers) = producers {
        reply_producers(reply, producers);
    }
    match full {
        None => reply_ends(reply, stream),
        Some(count) => reply_full(reply, stream, count),
    }
    Ok(Flow::Done)
}

/// `[FULL [COUNT n]]`: how many entries are wanted; `None`: a summary.
fn read_full(args: &mut Args<'_>) -> Result<Option<usize>, Error> {
    if args.is_empty() {
        return Ok(None);
    }
    if !args.flag("FULL") {
        return Err(wrong_words(args));
    }
    if args.is_empty() {
        return Ok(Some(FULL_COUNT));
    }
    if args.left() != 2 || !args.flag("COUNT") {
        return Err(wrong_words(args));
    }
    Ok(Some(match args.int()? {
        0 => usize::MAX,
        count => usize::try_from(count).unwrap_or(FULL_COUNT),
    }))
}

fn reply_log(reply: &mut Reply<'_>, log: &Log) {
    integer(reply, "length", log.len());
    // A tree that would hold these nodes: each is a leaf below one root.
    length(reply, "radix-tree-keys", log.nodes());
    length(reply, "radix-tree-nodes", log.nodes() + 1);
    id(reply, "last-generated-id", log.last_id);
    id(reply, "max-deleted-entry-id", log.max_deleted_id);
    integer(reply, "entries-added", log.entries_added);
    id(reply, "recorded-first-entry-id", log.first_id());
}

fn reply_producers(reply: &mut Reply<'_>, producers: &Producers) {
    integer(reply, "idmp-duration", producers.duration_s);
    length(reply, "idmp-maxsize", producers.max_ids);
    length(reply, "pids-tracked", producers.len());
    length(reply, "iids-tracked", producers.ids());
    integer(reply, "iids-added", producers.added);
    integer(reply, "iids-duplicates", producers.duplicates);
}

/// The rest of a summary.
fn reply_ends(reply: &mut Reply<'_>, stream: &Stream) {
    let log = &stream.log;
    length(reply, "groups", stream.groups.len());
    let first = (!log.is_empty()).then(|| log.first_id());
    for (name, entry) in [("first-entry", first), ("last-entry", log.last_entry_id())] {
        reply.bulk(name.as_bytes());
        match entry {
            Some(entry) => reply_entry_of(reply, log, entry),
            None => reply.null(),
        }
    }
}

/// The rest of what FULL shows.
fn reply_full(reply: &mut Reply<'_>, stream: &Stream, count: usize) {
    reply.bulk(b"entries");
    let range = stream.log.range(StreamId::MIN, StreamId::MAX);
    reply_range(reply, range, count);
    reply.bulk(b"groups");
    reply.array(stream.groups.len());
    for (name, group) in &stream.groups {
        let nacked = group.unowned_len();
        reply.map(if nacked > 0 { 8 } else { 7 });
        reply_position(reply, &stream.log, name, group);
        reply_pending(reply, group, count);
        reply.bulk(b"consumers");
        let consumers = group.consumers();
        reply.array(consumers.len());
        for (name, consumer) in consumers {
            reply_consumer(reply, group, name, consumer, count);
        }
        if nacked > 0 {
            length(reply, "nacked-count", nacked);
        }
    }
}

fn reply_position(reply: &mut Reply<'_>, log: &Log, name: &[u8], group: &Group) {
    reply.bulk(b"name");
    reply.bulk(name);
    id(reply, "last-delivered-id", group.last_id);
    reply_read(reply, log, group);
}

/// How much a group has read, and how much it has yet to.
fn reply_read(reply: &mut Reply<'_>, log: &Log, group: &Group) {
    let lag = log.lag(group.last_id, group.entries_read);
    let read = group.entries_read.map(u64::cast_signed);
    for (name, value) in [("entries-read", read), ("lag", lag)] {
        reply.bulk(name.as_bytes());
        match value {
            Some(value) => reply.integer(value),
            None => reply.null(),
        }
    }
}

fn reply_pending(reply: &mut Reply<'_>, group: &Group, count: usize) {
    length(reply, "pel-count", group.pending_len());
    reply.bulk(b"pending");
    reply.array(group.pending_len().min(count));
    for (entry, pending) in group.pending_range(..).take(count) {
        reply.array(4);
        reply_id(reply, entry);
        reply.bulk(group.owner_name(pending));
        reply.integer(pending.delivered_ms);
        reply.integer(pending.deliveries);
    }
}

fn reply_consumer(
    reply: &mut Reply<'_>,
    group: &Group,
    name: &[u8],
    consumer: Option<&Consumer>,
    count: usize,
) {
    reply.map(5);
    reply.bulk(b"name");
    reply.bulk(name);
    let (seen_ms, active_ms) = consumer.map_or((0, -1), |c| (c.seen_ms, c.active_ms));
    integer(reply, "seen-time", seen_ms.cast_unsigned());
    integer(reply, "active-time", active_ms.cast_unsigned());
    let ids = || consumer.into_iter().flat_map(|consumer| &consumer.pending);
    length(reply, "pel-count", ids().count());
    reply.bulk(b"pending");
    let shown = ids().take(count);
    let array = reply.array_later();
    let mut written = 0;
    for (entry, pending) in shown.filter_map(|entry| Some((*entry, group.pending(*entry)?))) {
        reply.array(3);
        reply_id(reply, entry);
        reply.integer(pending.delivered_ms);
        reply.integer(pending.deliveries);
        written += 1;
    }
    reply.finish(array, written);
}

pub(super) fn groups(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let stream = ctx.db.read::<Stream>(&key)?.ok_or(Error::NoSuchKey)?;
    let reply = &mut ctx.reply;
    reply.array(stream.groups.len());
    for (name, group) in &stream.groups {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        length(reply, "consumers", group.consumers().len());
        length(reply, "pending", group.pending_len());
        id(reply, "last-delivered-id", group.last_id);
        reply_read(reply, &stream.log, group);
    }
    Ok(Flow::Done)
}

pub(super) fn consumers(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name) = (args.key()?, args.word()?);
    let now_ms = ctx.db.now_ms();
    let stream = ctx.db.read::<Stream>(&key)?.ok_or(Error::NoSuchKey)?;
    let group = stream.groups.get(name);
    let group = group.ok_or_else(|| no_group_of(key.bytes, name))?;
    let reply = &mut ctx.reply;
    reply.array(group.consumers().len());
    for (name, consumer) in group.consumers() {
        let (seen_ms, active_ms) = consumer.map_or((0, -1), |c| (c.seen_ms, c.active_ms));
        let pending = consumer.map_or(0, |consumer| consumer.pending.len());
        let inactive_ms = if active_ms < 0 {
            -1
        } else {
            (now_ms - active_ms).max(0)
        };
        reply.map(4);
        reply.bulk(b"name");
        reply.bulk(name);
        length(reply, "pending", pending);
        reply.bulk(b"idle");
        reply.integer((now_ms - seen_ms).max(0));
        reply.bulk(b"inactive");
        reply.integer(inactive_ms);
    }
    Ok(Flow::Done)
}

pub(super) fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "CONSUMERS <key> <groupname>",
            "    Show consumers of <groupname>.",
            "GROUPS <key>",
            "    Show the stream consumer groups.",
            "STREAM <key> [FULL [COUNT <count>]",
            "    Show information about the stream.",
        ],
    ))
}
