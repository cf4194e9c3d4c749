//! XREADGROUP: the entries that a group has not been given yet go to a consumer; or what it was given and has not
//! acknowledged, again.

use super::claim::with_group;
use super::entries::{begin_stream, reply_delivery, reply_entry, reply_id, streams_later};
use super::ids::parse_id;
use super::read::{Request, wait};
use super::told::Teller;
use crate::command::error::shown;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::Database;
use crate::keyspace::edit::Edit;
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::resp::reply::Reply;
use crate::resp::request::StoredArgv;
use crate::types::stream::{ConsumerId, Group, Log, Pending, Stream, StreamId};
use std::ops::Bound::{Excluded, Unbounded};

/// What a consumer wants of one stream.
#[derive(Clone, Copy)]
enum From {
    /// `>`: what nobody was given.
    New,
    /// What it has pending after this id.
    History(StreamId),
}

fn parse_from(word: &[u8]) -> Result<From, Error> {
    let meaningless = |symbol: &str, id: &str| {
        Err(Error::err(format_args!(
            "The {symbol} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The {id} ID would just return an empty result set."
        )))
    };
    match word {
        b"$" => meaningless("$", "$"),
        b"+" => meaningless("+", "+"),
        b">" => Ok(From::New),
        _ => Ok(match parse_id(word)? {
            // Nothing comes after it: this is how `>` is spelled out.
            StreamId::MAX => From::New,
            id => From::History(id),
        }),
    }
}

/// Who reads.
struct Reading<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    count: usize,
    no_ack: bool,
    claim_ms: Option<i64>,
    now_ms: i64,
}

pub(super) fn xreadgroup(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let request = Request::read(args, true, ctx.db.wall_ms())?;
    let (group, consumer) = request.group.ok_or(Error::Syntax)?;
    let argv = args.argv();
    let from = |at| parse_from(argv.word(request.ids_at + at));
    if request.keys > 1 {
        // Of several keys all must be right before anything is delivered.
        let mut ahead = args.clone();
        for at in 0..request.keys {
            let key = ahead.key()?;
            drop(edit_group(&mut ctx.db, &key, group)?);
            from(at)?;
        }
    }
    let reading = Reading {
        group,
        consumer,
        count: request.count,
        no_ack: request.no_ack,
        claim_ms: request.claim_ms,
        now_ms: ctx.db.wall_ms(),
    };
    let before = ctx.reply.output().mark();
    let streams = streams_later(&mut ctx.reply);
    let (mut served, mut again_ms) = (0, None);
    for at in 0..request.keys {
        let key = args.key()?;
        let edit = edit_group(&mut ctx.db, &key, group)?;
        let from = from(at)?;
        if at == 0 {
            ctx.propagate.nothing();
        }
        let teller = Teller::more(ctx.propagate, key.bytes, group);
        let outcome = reading.serve(&mut ctx.reply, edit, from, teller);
        served += usize::from(outcome.served);
        again_ms = earliest(again_ms, outcome.again_ms);
    }
    if served > 0 {
        ctx.reply.finish(streams, served);
        return Ok(Flow::Done);
    }
    ctx.reply.output().truncate(before);
    let Some(deadline_ms) = request.deadline_ms else {
        ctx.reply.null_array();
        return Ok(Flow::Done);
    };
    let keys = argv.iter().skip(request.ids_at - request.keys);
    let names = keys.take(request.keys).map(Box::from).collect();
    let words = StoredArgv::from_argv(argv);
    Ok(wait(names, true, deadline_ms, words, again_ms))
}

fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The stream, which must have the group.
fn edit_group<'k>(
    db: &'k mut Database<'_>,
    key: &Key<'k>,
    group: &[u8],
) -> Result<Edit<'k, Stream>, Error> {
    let edit = db.edit::<Stream>(key)?;
    with_group(edit, group).ok_or_else(|| {
        Error::Message(format!(
            "NOGROUP No such key '{}' or consumer group '{}' in XREADGROUP with GROUP option",
            shown(key.bytes, usize::MAX),
            shown(group, usize::MAX)
        ))
    })
}

/// What came of one stream.
#[derive(Default)]
struct Outcome {
    /// It was answered.
    served: bool,
    /// When entries will have been pending long enough, Unix milliseconds.
    again_ms: Option<i64>,
}

impl Reading<'_> {
    fn serve(
        &self,
        reply: &mut Reply<'_>,
        mut edit: Edit<'_, Stream>,
        from: From,
        mut teller: Teller<'_>,
    ) -> Outcome {
        let key = edit.key();
        let Stream { log, groups, .. } = edit.value();
        let Some(group) = groups.get_mut(self.group) else {
            edit.unchanged();
            return Outcome::default();
        };
        let known = group.find(self.consumer);
        let consumer = known.unwrap_or_else(|| {
            teller.created(self.consumer);
            group.add_consumer(self.consumer, self.now_ms)
        });
        if let Some(consumer) = group.consumer_mut(consumer) {
            consumer.seen_ms = self.now_ms;
        }
        let outcome = match from {
            From::History(after) => {
                begin_stream(reply, key.bytes);
                self.reply_history(reply, log, group, consumer, after);
                Outcome {
                    served: true,
                    again_ms: None,
                }
            }
            From::New => self.deliver(reply, key.bytes, (log, group), consumer, &mut teller),
        };
        if known.is_none() {
            edit.also(event::XGROUP_CREATECONSUMER);
        }
        if outcome.served || known.is_none() {
            edit.counted();
        } else {
            edit.unchanged();
        }
        outcome
    }

    /// Answers what the consumer has pending after an id; each of it is delivered once more.
    fn reply_history(
        &self,
        reply: &mut Reply<'_>,
        log: &Log,
        group: &mut Group,
        consumer: ConsumerId,
        after: StreamId,
    ) {
        let pending = group.consumer(consumer).map(|consumer| &consumer.pending);
        let ids = pending
            .into_iter()
            .flat_map(|pending| pending.range((Excluded(after), Unbounded)));
        let ids: Vec<StreamId> = ids.take(self.count).copied().collect();
        reply.array(ids.len());
        for id in ids {
            let mut range = log.range(id, id);
            let Some(entry) = range.next() else {
                reply.array(2);
                reply_id(reply, id);
                reply.null_array();
                continue;
            };
            reply_entry(reply, entry);
            if let Some(pending) = group.pending(id).copied() {
                group.deliver(
                    id,
                    Pending {
                        delivered_ms: self.now_ms,
                        deliveries: pending.deliveries.saturating_add(1),
                        ..pending
                    },
                );
            }
        }
    }

    /// Delivers what waits too long for an acknowledgement, if wanted, and then what nobody was given.
    fn deliver(
        &self,
        reply: &mut Reply<'_>,
        key: &[u8],
        (log, group): (&Log, &mut Group),
        consumer: ConsumerId,
        teller: &mut Teller<'_>,
    ) -> Outcome {
        let mark = reply.output().mark();
        begin_stream(reply, key);
        let entries = reply.array_later();
        let claimed = match self.claim_ms {
            Some(min_ms) => self.claim(reply, (log, group), consumer, min_ms, teller),
            None => 0,
        };
        let new = self.deliver_new(reply, (log, group), consumer, self.count - claimed, teller);
        if new + claimed > 0 {
            reply.finish(entries, new + claimed);
            if let Some(consumer) = group
                .consumer_mut(consumer)
                .filter(|_| claimed > 0 || !self.no_ack)
            {
                consumer.active_ms = self.now_ms;
            }
            return Outcome {
                served: true,
                again_ms: None,
            };
        }
        reply.output().truncate(mark);
        let oldest_ms = self.claim_ms.and(group.oldest_delivered_ms());
        let again_ms = oldest_ms
            .zip(self.claim_ms)
            .map(|(oldest_ms, min_ms)| oldest_ms.saturating_add(min_ms).max(self.now_ms + 1));
        Outcome {
            served: false,
            again_ms,
        }
    }

    /// Takes over what was pending for `min_ms`, from whomever; how many entries. What is gone from the stream is not
    /// pending any more.
    fn claim(
        &self,
        reply: &mut Reply<'_>,
        (log, group): (&Log, &mut Group),
        consumer: ConsumerId,
        min_ms: i64,
        teller: &mut Teller<'_>,
    ) -> usize {
        // What was given back was delivered at the beginning of time: it is always due.
        let until_ms = self.now_ms.saturating_sub(min_ms).max(0);
        let mut claimed = 0;
        for id in group.oldest(until_ms, self.count) {
            let Some(before) = group.pending(id).copied() else {
                continue;
            };
            let mut range = log.range(id, id);
            let Some(entry) = range.next() else {
                group.acknowledge(id);
                teller.acknowledged(id);
                continue;
            };
            let idle_ms = match before.owner {
                Some(_) => (self.now_ms - before.delivered_ms).max(0),
                None => -1,
            };
            reply_delivery(reply, entry, idle_ms, before.deliveries);
            let pending = Pending {
                owner: Some(consumer),
                delivered_ms: self.now_ms,
                deliveries: before.deliveries.saturating_add(1),
            };
            group.deliver(id, pending);
            teller.delivered(self.consumer, id, &pending, group.last_id);
            claimed += 1;
        }
        claimed
    }

    /// Delivers up to `max` entries that nobody was given; how many.
    fn deliver_new(
        &self,
        reply: &mut Reply<'_>,
        (log, group): (&Log, &mut Group),
        consumer: ConsumerId,
        max: usize,
        teller: &mut Teller<'_>,
    ) -> usize {
        let Some(from) = group.last_id.next().filter(|_| log.last_id > group.last_id) else {
            return 0;
        };
        let mut range = log.range(from, StreamId::MAX);
        let pending = Pending {
            owner: Some(consumer),
            delivered_ms: self.now_ms,
            deliveries: 1,
        };
        let mut count = 0;
        while count < max
            && let Some(entry) = range.next()
        {
            let id = entry.id;
            group.entries_read = log.read_count_after(group.last_id, group.entries_read, id);
            group.last_id = id;
            if self.claim_ms.is_some() {
                reply_delivery(reply, entry, 0, 0);
            } else {
                reply_entry(reply, entry);
            }
            if !self.no_ack {
                group.deliver(id, pending);
                teller.delivered(self.consumer, id, &pending, id);
            }
            count += 1;
        }
        if count > 0 {
            teller.read(group);
        }
        count
    }
}
