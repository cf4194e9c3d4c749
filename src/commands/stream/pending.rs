//! XPENDING: what consumers have and not yet acknowledged.

use super::claim::no_key_or_group;
use super::entries::reply_id;
use super::ids::{parse_end, parse_start};
use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::Reply;
use crate::types::stream::{Group, Pending, Stream, StreamId};

/// Words of the command with the least that names a range, and with all that it may have.
const WORDS: std::ops::RangeInclusive<usize> = 6..=9;
/// Words of the command that asks for a summary.
const SUMMARY_WORDS: usize = 3;

/// Which pending entries are wanted.
struct Filter<'a> {
    min_idle_ms: i64,
    from: StreamId,
    to: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        let mut min_idle_ms = 0;
        if args.flag("IDLE") {
            min_idle_ms = args.int()?;
            if args.left() < 3 {
                return Err(Error::Syntax);
            }
        }
        let (start, end) = (args.word()?, args.word()?);
        let count = usize::try_from(args.int()?).unwrap_or(0);
        Ok(Filter {
            min_idle_ms,
            from: parse_start(start)?,
            to: parse_end(end)?,
            count,
            consumer: args.word().ok(),
        })
    }

    /// Answers the entries of a group.
    fn reply(&self, reply: &mut Reply<'_>, group: &Group, now_ms: i64) {
        let owner = self.consumer.map(|name| group.find(name));
        if owner == Some(None) || self.from > self.to {
            return reply.empty_array();
        }
        let array = reply.array_later();
        let count = match owner.flatten().and_then(|owner| group.consumer(owner)) {
            Some(consumer) => {
                let ids = consumer.pending.range(self.from..=self.to);
                let entries = ids.filter_map(|id| Some((*id, group.pending(*id)?)));
                self.reply_entries(reply, group, now_ms, entries)
            }
            None => {
                let entries = group.pending_range(self.from..=self.to);
                self.reply_entries(reply, group, now_ms, entries)
            }
        };
        reply.finish(array, count);
    }

    /// Answers those entries that have been idle for long enough; how many.
    fn reply_entries<'g>(
        &self,
        reply: &mut Reply<'_>,
        group: &Group,
        now_ms: i64,
        entries: impl Iterator<Item = (StreamId, &'g Pending)>,
    ) -> usize {
        let idle_ms = |pending: &Pending| match pending.owner {
            Some(_) => (now_ms - pending.delivered_ms).max(0),
            // What was given back is as idle as can be.
            None => -1,
        };
        let wanted = entries
            .filter(|(_, pending)| pending.owner.is_none() || idle_ms(pending) >= self.min_idle_ms);
        let mut count = 0;
        for (id, pending) in wanted.take(self.count) {
            reply.array(4);
            reply_id(reply, id);
            reply.bulk(group.owner_name(pending));
            reply.integer(idle_ms(pending));
            reply.integer(pending.deliveries);
            count += 1;
        }
        count
    }
}

pub(super) fn xpending(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let words = args.argv().len();
    let (key, name) = (args.key()?, args.word()?);
    let filter = if words == SUMMARY_WORDS {
        None
    } else if WORDS.contains(&words) {
        Some(Filter::read(args)?)
    } else {
        return Err(Error::Syntax);
    };
    let now_ms = ctx.db.now_ms();
    let stream = ctx.db.read::<Stream>(&key)?;
    let group = stream.and_then(|stream| stream.groups.get(name));
    let group = group.ok_or_else(|| no_key_or_group(key.bytes, name))?;
    match filter {
        Some(filter) => filter.reply(&mut ctx.reply, group, now_ms),
        None => reply_summary(&mut ctx.reply, group),
    }
    Ok(Flow::Done)
}

/// Answers how many entries are pending, the ends of their range, and how many each consumer has.
fn reply_summary(reply: &mut Reply<'_>, group: &Group) {
    reply.array(4);
    reply.integer(i64::try_from(group.pending_len()).unwrap_or(i64::MAX));
    let mut ids = group.pending_range(..).map(|(id, _)| id);
    let Some(first) = ids.next() else {
        reply.null();
        reply.null();
        return reply.null_array();
    };
    reply_id(reply, first);
    reply_id(reply, ids.next_back().unwrap_or(first));
    let array = reply.array_later();
    let mut count = 0;
    for (name, consumer) in group.consumers() {
        let pending = consumer.map_or(0, |consumer| consumer.pending.len());
        if pending > 0 {
            reply.array(2);
            reply.bulk(name);
            reply.bulk_i64(i64::try_from(pending).unwrap_or(i64::MAX));
            count += 1;
        }
    }
    reply.finish(array, count);
}
