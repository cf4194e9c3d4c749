//! What commands answer: ids, entries, and entries with what is known of their delivery.

use crate::command::elements;
use crate::resp::reply::{Later, Protocol, Reply};
use crate::types::stream::{Entry, Log, Range, StreamId};

/// Answers an id.
#[inline]
pub(super) fn reply_id(reply: &mut Reply<'_>, id: StreamId) {
    reply.bulk_with(id.text_bytes(), |out| id.write(out));
}

/// Answers `[id [field value ...]]`.
#[inline]
pub(super) fn reply_entry(reply: &mut Reply<'_>, entry: Entry<'_, '_>) {
    reply.array(2);
    reply_id(reply, entry.id);
    reply_pairs(reply, entry);
}

/// Answers `[id [field value ...] idle deliveries]`.
pub(super) fn reply_delivery(
    reply: &mut Reply<'_>,
    entry: Entry<'_, '_>,
    idle_ms: i64,
    deliveries: i64,
) {
    reply.array(4);
    reply_id(reply, entry.id);
    reply_pairs(reply, entry);
    reply.integer(idle_ms);
    reply.integer(deliveries);
}

#[inline]
fn reply_pairs(reply: &mut Reply<'_>, entry: Entry<'_, '_>) {
    reply.array(2 * entry.pairs());
    entry.for_each_pair(|field, value| {
        elements::reply(reply, field);
        elements::reply(reply, value);
    });
}

/// Answers the entry of that id, which is there.
pub(super) fn reply_entry_of(reply: &mut Reply<'_>, log: &Log, id: StreamId) {
    match log.range(id, id).next() {
        Some(entry) => reply_entry(reply, entry),
        None => reply.null(),
    }
}

/// Answers an array of up to `max` entries.
pub(super) fn reply_range(reply: &mut Reply<'_>, mut range: Range<'_>, max: usize) {
    let array = reply.array_later();
    let mut count = 0;
    while count < max
        && let Some(entry) = range.next()
    {
        reply_entry(reply, entry);
        count += 1;
    }
    reply.finish(array, count);
}

/// Answers what XREAD does for one key, if it has any entry in `range`; whether it has. `alone`: the only key.
pub(super) fn reply_stream(
    reply: &mut Reply<'_>,
    key: &[u8],
    mut range: Range<'_>,
    max: usize,
    alone: bool,
) -> bool {
    let Some(first) = range.next() else {
        return false;
    };
    if alone {
        begin_streams(reply, 1);
    }
    begin_stream(reply, key);
    let array = reply.array_later();
    reply_entry(reply, first);
    let mut count = 1;
    while count < max
        && let Some(entry) = range.next()
    {
        reply_entry(reply, entry);
        count += 1;
    }
    reply.finish(array, count);
    true
}

/// Begins what XREAD and XREADGROUP answer for one key.
pub(super) fn begin_stream(reply: &mut Reply<'_>, key: &[u8]) {
    if reply.protocol() == Protocol::Resp2 {
        reply.array(2);
    }
    reply.bulk(key);
}

/// Begins what XREAD and XREADGROUP answer for `keys` keys.
pub(super) fn begin_streams(reply: &mut Reply<'_>, keys: usize) {
    match reply.protocol() {
        Protocol::Resp2 => reply.array(keys),
        Protocol::Resp3 => reply.map(keys),
    }
}

/// The same when the number of keys is known only at the end.
pub(super) fn streams_later(reply: &mut Reply<'_>) -> Later {
    match reply.protocol() {
        Protocol::Resp2 => reply.array_later(),
        Protocol::Resp3 => reply.map_later(),
    }
}
