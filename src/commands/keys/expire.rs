//! EXPIRE and its relatives, TTL and its relatives, PERSIST.
//!
//! Every deadline goes out as PEXPIREAT, in Unix milliseconds and without conditions: what was decided here needs no
//! clock and no decision elsewhere. A deadline that has passed deletes the key, and goes out as DEL.

use crate::command::error::{SHOWN_MAX, shown};
use crate::command::expiry::Unit;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::entry::Key;
use crate::keyspace::event;

/// What TTL and its relatives answer for a key without a deadline, and for no key.
const NO_DEADLINE: i64 = -1;
const NO_KEY: i64 = -2;
pub(super) fn expire(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    expire_at(ctx, args, Unit::Seconds)
}

pub(super) fn pexpire(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    expire_at(ctx, args, Unit::Milliseconds)
}

pub(super) fn expireat(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    expire_at(ctx, args, Unit::UnixSeconds)
}

pub(super) fn pexpireat(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    expire_at(ctx, args, Unit::UnixMilliseconds)
}

/// Under which present deadline a new one may be set.
#[derive(Clone, Copy, Debug, Default)]
struct Conditions {
    /// NX
    absent: bool,
    /// XX
    present: bool,
    /// GT
    later: bool,
    /// LT
    earlier: bool,
}

impl Conditions {
    fn read(args: &mut Args<'_>) -> Result<Self, Error> {
        let mut conditions = Self::default();
        while let Some(word) = args.peek() {
            if args.flag("NX") {
                conditions.absent = true;
            } else if args.flag("XX") {
                conditions.present = true;
            } else if args.flag("GT") {
                conditions.later = true;
            } else if args.flag("LT") {
                conditions.earlier = true;
            } else {
                let word = shown(word, SHOWN_MAX);
                return Err(Error::err(format_args!("Unsupported option {word}")));
            }
        }
        if conditions.absent && (conditions.present || conditions.later || conditions.earlier) {
            return Err(Error::Text(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if conditions.later && conditions.earlier {
            return Err(Error::Text(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(conditions)
    }

    /// A key without a deadline lives for ever: later than any.
    fn allow(self, present: Option<i64>, new: i64) -> bool {
        let refused = self.absent && present.is_some()
            || self.present && present.is_none()
            || self.later && present.is_none_or(|present| new <= present)
            || self.earlier && present.is_some_and(|present| new >= present);
        !refused
    }
}

fn expire_at(ctx: &mut Ctx<'_>, args: &mut Args<'_>, unit: Unit) -> Result<Flow, Error> {
    let key = args.key()?;
    let value = args.word()?;
    let conditions = Conditions::read(args)?;
    let value = crate::base::number::parse_i64(value).ok_or(Error::NotInteger)?;
    let now_ms = ctx.db.now_ms();
    let deadline = unit
        .deadline_ms(value, ctx.db.wall_ms())
        .ok_or(Error::InvalidExpire(ctx.row.full_name))?;
    let allowed = |present| conditions.allow(present, deadline);
    let done = if deadline <= now_ms {
        delete_if(ctx, &key, allowed)
    } else {
        let done = ctx.db.set_deadline_if(&key, Some(deadline), allowed);
        if done && ctx.propagate.is_wanted() {
            let text = deadline.to_string();
            ctx.propagate
                .instead(&[b"PEXPIREAT", key.bytes, text.as_bytes()]);
        }
        done
    };
    ctx.reply.integer(i64::from(done));
    Ok(Flow::Done)
}

fn delete_if(ctx: &mut Ctx<'_>, key: &Key<'_>, allowed: impl Fn(Option<i64>) -> bool) -> bool {
    let done = ctx.db.deadline(key).is_some_and(allowed) && ctx.db.remove(key, event::DEL);
    if done {
        ctx.propagate.instead(&[b"DEL", key.bytes]);
    }
    done
}

pub(super) fn ttl(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |deadline, now_ms| {
        in_seconds(left_ms(deadline, now_ms))
    })
}

pub(super) fn pttl(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, left_ms)
}

pub(super) fn expiretime(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |deadline, _| in_seconds(deadline))
}

pub(super) fn pexpiretime(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, |deadline, _| deadline)
}

/// Answers what `of` makes of the key's deadline and the time.
fn answer(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    of: impl FnOnce(i64, i64) -> i64,
) -> Result<Flow, Error> {
    let key = args.key()?;
    let now_ms = ctx.db.now_ms();
    let answer = match ctx.db.inspect(&key).map(|record| record.deadline()) {
        None => NO_KEY,
        Some(None) => NO_DEADLINE,
        Some(Some(deadline)) => of(deadline, now_ms),
    };
    ctx.reply.integer(answer);
    Ok(Flow::Done)
}

fn left_ms(deadline: i64, now_ms: i64) -> i64 {
    deadline.saturating_sub(now_ms).max(0)
}

/// The nearest second.
fn in_seconds(ms: i64) -> i64 {
    ms / 1000 + i64::from(ms % 1000 >= 500)
}

pub(super) fn persist(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let done = ctx
        .db
        .set_deadline_if(&key, None, |present| present.is_some());
    ctx.reply.integer(i64::from(done));
    Ok(Flow::Done)
}
