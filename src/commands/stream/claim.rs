//! XCLAIM, XAUTOCLAIM and XNACK: pending entries change hands.

use super::entries::{reply_entry_of, reply_id};
use super::ids::{counted_ids, parse_id, parse_start};
use super::told::Teller;
use crate::base::number;
use crate::command::error::{SHOWN_MAX, shown};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::edit::Edit;
use crate::keyspace::event;
use crate::resp::reply::Reply;
use crate::types::stream::{ConsumerId, Group, Log, Pending, Stream, StreamId};

/// Entries that XAUTOCLAIM looks at for each one that is wanted.
const LOOKED_AT_PER_CLAIM: usize = 10;
/// The largest COUNT of XAUTOCLAIM.
const COUNT_MAX: i64 = i64::MAX / 16;
/// Entries that XAUTOCLAIM claims at most if COUNT says nothing.
const COUNT_DEFAULT: i64 = 100;

/// There is no such key, or no such group of it.
pub(super) fn no_key_or_group(key: &[u8], group: &[u8]) -> Error {
    Error::Message(format!(
        "NOGROUP No such key '{}' or consumer group '{}'",
        shown(key, usize::MAX),
        shown(group, usize::MAX)
    ))
}

/// The stream, if it has the group.
pub(super) fn with_group<'k>(
    edit: Option<Edit<'k, Stream>>,
    group: &[u8],
) -> Option<Edit<'k, Stream>> {
    let mut edit = edit?;
    let has_group = edit.view().groups.contains_key(group);
    has_group.then_some(edit)
}

fn parse_min_idle(word: &[u8], error: &'static str) -> Result<i64, Error> {
    let ms = number::parse_i64(word).ok_or(Error::Text(error))?;
    Ok(ms.max(0))
}

/// The consumer of that name, which may be new; it was seen now.
fn enter(group: &mut Group, name: &[u8], now_ms: i64) -> (ConsumerId, bool) {
    let known = group.find(name);
    let id = known.unwrap_or_else(|| group.add_consumer(name, now_ms));
    if let Some(consumer) = group.consumer_mut(id) {
        consumer.seen_ms = now_ms;
    }
    (id, known.is_none())
}

/// Announces what came of a claim.
fn announce(mut edit: Edit<'_, Stream>, created: bool, changed: bool) {
    if created {
        edit.also(event::XGROUP_CREATECONSUMER);
    }
    if created || changed {
        edit.counted();
    } else {
        edit.unchanged();
    }
}

/// The options of XCLAIM.
struct ClaimOptions {
    /// When the entries count as delivered, Unix milliseconds.
    delivered_ms: i64,
    retry_count: Option<i64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl ClaimOptions {
    fn read(args: &mut Args<'_>, now_ms: i64) -> Result<Self, Error> {
        let mut options = ClaimOptions {
            delivered_ms: now_ms,
            retry_count: None,
            force: false,
            just_id: false,
            last_id: StreamId::MIN,
        };
        let mut delivered_ms = -1;
        while let Some(word) = args.peek() {
            let number = |args: &mut Args<'_>, error| {
                number::parse_i64(args.word()?).ok_or(Error::Text(error))
            };
            let has_value = args.left() >= 2;
            if args.flag("FORCE") {
                options.force = true;
            } else if args.flag("JUSTID") {
                options.just_id = true;
            } else if has_value && args.flag("IDLE") {
                let idle = number(args, "ERR Invalid IDLE option argument for XCLAIM")?;
                delivered_ms = now_ms.wrapping_sub(idle);
            } else if has_value && args.flag("TIME") {
                delivered_ms = number(args, "ERR Invalid TIME option argument for XCLAIM")?;
            } else if has_value && args.flag("RETRYCOUNT") {
                let error = "ERR Invalid RETRYCOUNT option argument for XCLAIM";
                let count = number(args, error)?;
                options.retry_count = (count >= 0).then_some(count);
            } else if has_value && args.flag("LASTID") {
                options.last_id = parse_id(args.word()?)?;
            } else {
                return Err(Error::err(format_args!(
                    "Unrecognized XCLAIM option '{}'",
                    shown(word, SHOWN_MAX)
                )));
            }
        }
        // A time in the future is that of a client whose clock is a bit ahead.
        if (0..=now_ms).contains(&delivered_ms) {
            options.delivered_ms = delivered_ms;
        }
        Ok(options)
    }
}

pub(super) fn xclaim(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, consumer) = (args.key()?, args.word()?, args.word()?);
    let now_ms = ctx.db.wall_ms();
    let (reply, propagate) = (&mut ctx.reply, &mut *ctx.propagate);
    let edit = ctx.db.edit::<Stream>(&key)?;
    let mut edit = with_group(edit, name).ok_or_else(|| no_key_or_group(key.bytes, name))?;
    let min_idle_ms = parse_min_idle(
        args.word()?,
        "ERR Invalid min-idle-time argument for XCLAIM",
    )?;
    let mut ids = Vec::new();
    while let Some(id) = args.peek().and_then(|word| parse_id(word).ok()) {
        args.word()?;
        ids.push(id);
    }
    let options = ClaimOptions::read(args, now_ms)?;
    let mut teller = Teller::new(propagate, key.bytes, name);
    let Stream { log, groups, .. } = edit.value();
    let Some(group) = groups.get_mut(name) else {
        edit.unchanged();
        return Err(no_key_or_group(key.bytes, name));
    };
    let moved_on = options.last_id > group.last_id;
    group.last_id = group.last_id.max(options.last_id);
    let (owner, created) = enter(group, consumer, now_ms);
    if created {
        teller.created(consumer);
    }
    let mut claim = Claim {
        log,
        group,
        owner,
        consumer,
        now_ms,
        min_idle_ms,
        options,
        teller,
    };
    let array = reply.array_later();
    let (mut claimed, mut changed) = (0, false);
    for id in ids {
        match claim.take(id) {
            Taken::No => {}
            Taken::Gone => changed = true,
            Taken::Yes => {
                changed = true;
                claimed += 1;
                claim.reply(reply, id);
            }
        }
    }
    reply.finish(array, claimed);
    if moved_on {
        claim.teller.read(claim.group);
    }
    announce(edit, created, changed || moved_on);
    Ok(Flow::Done)
}

/// What became of an entry that is to be claimed.
#[derive(PartialEq, Eq)]
enum Taken {
    /// It stays where it is, or is not pending.
    No,
    /// It is gone from the stream, and not pending any more.
    Gone,
    /// It is the consumer's.
    Yes,
}

/// A consumer that takes entries over.
struct Claim<'a> {
    log: &'a Log,
    group: &'a mut Group,
    owner: ConsumerId,
    consumer: &'a [u8],
    now_ms: i64,
    min_idle_ms: i64,
    options: ClaimOptions,
    teller: Teller<'a>,
}

impl Claim<'_> {
    fn take(&mut self, id: StreamId) -> Taken {
        let before = self.group.pending(id).copied();
        if !self.log.contains(id) {
            if before.is_none() {
                return Taken::No;
            }
            self.group.acknowledge(id);
            self.teller.acknowledged(id);
            return Taken::Gone;
        }
        let before = match before {
            Some(before) => before,
            None if self.options.force => Pending {
                owner: None,
                delivered_ms: self.now_ms,
                deliveries: 1,
            },
            None => return Taken::No,
        };
        let idle_ms = self.now_ms - before.delivered_ms;
        if before.owner.is_some() && idle_ms < self.min_idle_ms {
            return Taken::No;
        }
        let again = i64::from(!self.options.just_id);
        let pending = Pending {
            owner: Some(self.owner),
            delivered_ms: self.options.delivered_ms,
            deliveries: self
                .options
                .retry_count
                .unwrap_or(before.deliveries.saturating_add(again)),
        };
        self.group.deliver(id, pending);
        if let Some(consumer) = self.group.consumer_mut(self.owner) {
            consumer.active_ms = self.now_ms;
        }
        self.teller
            .delivered(self.consumer, id, &pending, self.group.last_id);
        Taken::Yes
    }

    fn reply(&self, reply: &mut Reply<'_>, id: StreamId) {
        if self.options.just_id {
            reply_id(reply, id);
        } else {
            reply_entry_of(reply, self.log, id);
        }
    }
}

pub(super) fn xautoclaim(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, consumer) = (args.key()?, args.word()?, args.word()?);
    let now_ms = ctx.db.wall_ms();
    let min_idle_ms = parse_min_idle(
        args.word()?,
        "ERR Invalid min-idle-time argument for XAUTOCLAIM",
    )?;
    let start = parse_start(args.word()?)?;
    let (mut count, mut just_id) = (COUNT_DEFAULT, false);
    while !args.is_empty() {
        if args.left() >= 2 && args.flag("COUNT") {
            let wanted = args.int().ok();
            let in_range = wanted.filter(|count| (1..=COUNT_MAX).contains(count));
            count = in_range.ok_or(Error::Text("ERR COUNT must be > 0"))?;
        } else if args.flag("JUSTID") {
            just_id = true;
        } else {
            return Err(Error::Syntax);
        }
    }
    let (reply, propagate) = (&mut ctx.reply, &mut *ctx.propagate);
    let edit = ctx.db.edit::<Stream>(&key)?;
    let mut edit = with_group(edit, name).ok_or_else(|| no_key_or_group(key.bytes, name))?;
    let mut teller = Teller::new(propagate, key.bytes, name);
    let Stream { log, groups, .. } = edit.value();
    let Some(group) = groups.get_mut(name) else {
        edit.unchanged();
        return Err(no_key_or_group(key.bytes, name));
    };
    let (owner, created) = enter(group, consumer, now_ms);
    if created {
        teller.created(consumer);
    }
    let claim = Claim {
        log,
        group,
        owner,
        consumer,
        now_ms,
        min_idle_ms,
        options: ClaimOptions {
            delivered_ms: now_ms,
            retry_count: None,
            force: false,
            just_id,
            last_id: StreamId::MIN,
        },
        teller,
    };
    let changed = claim.take_idle(reply, start, usize::try_from(count).unwrap_or(usize::MAX));
    announce(edit, created, changed);
    Ok(Flow::Done)
}

impl Claim<'_> {
    /// Takes over up to `count` entries from `start` on, and answers where to go on, what was taken, and what was gone;
    /// whether anything was.
    fn take_idle(mut self, reply: &mut Reply<'_>, start: StreamId, count: usize) -> bool {
        let attempts = count.saturating_mul(LOOKED_AT_PER_CLAIM);
        let ids = self.group.pending_range(start..).map(|(id, _)| id);
        let ids: Vec<StreamId> = ids.take(attempts.saturating_add(1)).collect();
        let (mut taken, mut gone, mut seen) = (Vec::new(), Vec::new(), 0);
        for id in ids.iter().take(attempts) {
            if taken.len() + gone.len() == count {
                break;
            }
            seen += 1;
            match self.take(*id) {
                Taken::No => {}
                Taken::Gone => gone.push(*id),
                Taken::Yes => taken.push(*id),
            }
        }
        reply.array(3);
        reply_id(reply, ids.get(seen).copied().unwrap_or_default());
        reply.array(taken.len());
        taken.iter().for_each(|id| self.reply(reply, *id));
        reply.array(gone.len());
        gone.iter().for_each(|id| reply_id(reply, *id));
        !taken.is_empty() || !gone.is_empty()
    }
}

/// What XNACK makes of the number of deliveries.
#[derive(Clone, Copy)]
enum Mode {
    /// This one did not count.
    Silent,
    /// It counts.
    Fail,
    /// The entry is bad for everyone.
    Fatal,
}

pub(super) fn xnack(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name) = (args.key()?, args.word()?);
    let mode = if args.flag("SILENT") {
        Mode::Silent
    } else if args.flag("FAIL") {
        Mode::Fail
    } else if args.flag("FATAL") {
        Mode::Fatal
    } else {
        return Err(Error::Syntax);
    };
    if args.left() < 3 || !args.flag("IDS") {
        return Err(Error::Syntax);
    }
    let ids = counted_ids(args)?;
    let (mut retry_count, mut force) = (None, false);
    while !args.is_empty() {
        if args.left() >= 2 && args.flag("RETRYCOUNT") {
            let count = args.int()?;
            if count < 0 {
                return Err(Error::Text("ERR Invalid RETRYCOUNT value, must be >= 0"));
            }
            retry_count = Some(count);
        } else if args.flag("FORCE") {
            force = true;
        } else {
            return Err(Error::Syntax);
        }
    }
    let edit = ctx.db.edit::<Stream>(&key)?;
    let mut edit = with_group(edit, name).ok_or_else(|| no_key_or_group(key.bytes, name))?;
    let Stream { log, groups, .. } = edit.value();
    let mut released = 0;
    for id in ids {
        let Some(group) = groups.get_mut(name) else {
            break;
        };
        let before = group.pending(id).map(|pending| pending.deliveries);
        let before = before.or_else(|| (force && log.contains(id)).then_some(0));
        let Some(before) = before else {
            continue;
        };
        let by_mode = match mode {
            Mode::Silent => (before - 1).max(0),
            Mode::Fail => before,
            Mode::Fatal => i64::MAX,
        };
        let pending = Pending {
            owner: None,
            delivered_ms: 0,
            deliveries: retry_count.unwrap_or(by_mode),
        };
        group.deliver(id, pending);
        released += 1;
    }
    ctx.reply.integer(released);
    if released > 0 {
        // Who waits for entries to claim may have these.
        edit.changed(event::UNPUBLISHED);
    } else {
        edit.unchanged();
    }
    Ok(Flow::Done)
}
