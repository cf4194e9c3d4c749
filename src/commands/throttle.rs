//! CL.THROTTLE: limits how often something may be done, without a script. Its grammar and reply are those of redis-cell.
//!
//! The generic cell rate algorithm (GCRA): actions are let in evenly, one each `period / count` seconds, and up to
//! `burst` more at once. All that has to be remembered is the moment at which, at that pace, everything let in so far would
//! be through (the *theoretical arrival time*): a string of that moment in nanoseconds after 1970, which expires when the
//! moment has come.
//!
//! ```text
//!            now       allowed at                    arrival
//! -----------|-------------|---------------------------|----->   refused: the action would come in too early
//!                          |<- (burst + 1) intervals ->|
//! ```
//! Source: <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>.

use crate::base::number;
use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::event;
use crate::types::string::NewString;

const NS_PER_S: i128 = 1_000_000_000;
const NS_PER_MS: i128 = 1_000_000;

/// The rows of this family.
pub const ROWS: &[Row] = &[Row::new("cl.throttle", Group::String, -5, throttle)
    .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
    .keys(&[KeySpec::one(
        1,
        key_flag::RW | key_flag::ACCESS | key_flag::UPDATE,
    )])
    .acl(acl::STRING)
    .about(
        "8.0.0",
        "O(1)",
        "Lets an action through, or says how long to wait for it.",
    )
    .syntax("key max-burst:integer count:integer period:integer [quantity:integer]")];

/// A pace, and an action that wants to be let in.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Actions that may come at once.
    limit: i128,
    /// Nanoseconds between two of them.
    interval_ns: i128,
    /// How many actions this one counts as.
    quantity: i128,
}

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    /// When everything let in so far is through.
    arrival_ns: i128,
    /// Actions that may still come at once.
    remaining: i128,
    /// How long to wait before the same would be let in; `None`: it was, or it never will be.
    retry_after_ns: Option<i128>,
    is_limited: bool,
}

impl Pace {
    fn read(args: &mut Args<'_>) -> Result<Self, Error> {
        let (burst, count, period) = (args.int()?, args.int()?, args.int()?);
        let quantity = if args.is_empty() { 1 } else { args.int()? };
        if !args.is_empty() {
            return Err(Error::Arity("cl.throttle".to_owned()));
        }
        if burst < 0 || count < 1 || period < 1 || quantity < 0 {
            return Err(Error::NotPositive);
        }
        Ok(Self {
            limit: i128::from(burst) + 1,
            interval_ns: (i128::from(period) * NS_PER_S / i128::from(count)).max(1),
            quantity: i128::from(quantity),
        })
    }

    /// `arrival_ns`: when what came before is through.
    fn judge(self, arrival_ns: i128, now_ns: i128) -> Option<Verdict> {
        let tolerance_ns = self.interval_ns.checked_mul(self.limit)?;
        let increment_ns = self.interval_ns.checked_mul(self.quantity)?;
        let before_ns = arrival_ns.max(now_ns);
        let after_ns = before_ns.checked_add(increment_ns)?;
        let early_ns = after_ns.checked_sub(tolerance_ns)? - now_ns;
        let is_limited = early_ns > 0;
        let arrival_ns = if is_limited { before_ns } else { after_ns };
        let left_ns = tolerance_ns - (arrival_ns - now_ns);
        Some(Verdict {
            arrival_ns,
            remaining: (left_ns / self.interval_ns).max(0),
            retry_after_ns: (is_limited && increment_ns <= tolerance_ns).then_some(early_ns),
            is_limited,
        })
    }
}

fn throttle(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let pace = Pace::read(args)?;
    let stored = match ctx.db.read::<Str>(&key)? {
        Some(state) => Some(state.as_i64().ok_or(Error::NotInteger)?),
        None => None,
    };
    let now_ns = i128::from(ctx.db.now_ms()) * NS_PER_MS;
    let verdict = pace
        .judge(stored.map_or(now_ns, i128::from), now_ns)
        .ok_or(Error::OutOfRange)?;
    if !verdict.is_limited && pace.quantity > 0 {
        let arrival_ns = i64::try_from(verdict.arrival_ns).map_err(|_| Error::OutOfRange)?;
        let until_ms = number_of(ceiling(verdict.arrival_ns, NS_PER_MS));
        let mut digits = Vec::new();
        number::write_i64(&mut digits, arrival_ns);
        let value = NewString::Bytes(&digits);
        let mut edit = ctx.db.put(&key, value, Deadline::At(until_ms));
        edit.also(event::SET);
        edit.changed(event::EXPIRE);
        if ctx.propagate.is_wanted() {
            let until = until_ms.to_string();
            let words: [&[u8]; 5] = [b"SET", key.bytes, &digits, b"PXAT", until.as_bytes()];
            ctx.propagate.instead(&words);
        }
    }
    let reset_ns = (verdict.arrival_ns - now_ns).max(0);
    let retry_s = verdict
        .retry_after_ns
        .map_or(-1, |ns| ceiling(ns, NS_PER_S));
    ctx.reply.array(5);
    ctx.reply.integer(i64::from(verdict.is_limited));
    for number in [
        pace.limit,
        verdict.remaining,
        retry_s,
        ceiling(reset_ns, NS_PER_S),
    ] {
        ctx.reply.integer(number_of(number));
    }
    Ok(Flow::Done)
}

/// Rounded up, so that whoever waits so long has waited long enough.
fn ceiling(number: i128, unit: i128) -> i128 {
    (number + unit - 1).div_euclid(unit)
}

fn number_of(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
