//! INCREX (Redis 8.8): a counter with bounds and a deadline in one step, made for rate limits.
//! <https://redis.io/docs/latest/commands/increx/>
//!
//! A result outside of the bounds changes nothing and is answered `[current value, 0]`; with SATURATE the bound takes
//! its place. It is propagated as the SET or DEL that it comes to.

use super::counters::{NOT_FINITE, as_long_double, text_of};
use super::lifetime::{self, Lifetime};
use crate::base::long_double::LongDouble;
use crate::base::number;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::entry::Key;
use crate::keyspace::event::{self, Event};
use crate::types::string::{NewString, StringRef};

/// The words of the command; numbers are still text.
struct Words<'a> {
    by_int: Option<&'a [u8]>,
    by_float: Option<&'a [u8]>,
    low: Option<&'a [u8]>,
    high: Option<&'a [u8]>,
    saturate: bool,
    lifetime: Lifetime<'a>,
    /// ENX: a deadline that is there stays.
    only_first_deadline: bool,
}

impl<'a> Words<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        let mut words = Words {
            by_int: None,
            by_float: None,
            low: None,
            high: None,
            saturate: false,
            lifetime: Lifetime::Unsaid,
            only_first_deadline: false,
        };
        while !args.is_empty() {
            words.read_one(args)?;
        }
        let both = words.by_int.is_some() && words.by_float.is_some();
        if both || words.only_first_deadline && words.lifetime == Lifetime::Persist {
            return Err(Error::Syntax);
        }
        if words.only_first_deadline && words.lifetime == Lifetime::Unsaid {
            return Err(Error::Text("ERR ENX flag requires an expiration"));
        }
        Ok(words)
    }

    /// Reads one option; unlike in SET, none may come twice.
    fn read_one(&mut self, args: &mut Args<'a>) -> Result<(), Error> {
        let valued = [
            ("BYINT", &mut self.by_int),
            ("BYFLOAT", &mut self.by_float),
            ("LBOUND", &mut self.low),
            ("UBOUND", &mut self.high),
        ];
        for (word, slot) in valued {
            if let Some(value) = args.value_of(word)? {
                return match slot.replace(value) {
                    None => Ok(()),
                    Some(_) => Err(Error::Syntax),
                };
            }
        }
        let flags = [
            ("SATURATE", &mut self.saturate),
            ("ENX", &mut self.only_first_deadline),
        ];
        for (word, slot) in flags {
            if args.flag(word) {
                return match std::mem::replace(slot, true) {
                    false => Ok(()),
                    true => Err(Error::Syntax),
                };
            }
        }
        let first = self.lifetime == Lifetime::Unsaid;
        if first && self.lifetime.take(args, "PERSIST", Lifetime::Persist)? {
            return Ok(());
        }
        Err(Error::Syntax)
    }
}

/// What INCREX computes in.
trait Number: Copy {
    /// The end of the error about a text that is no such number.
    const NOT_ONE: &'static str;
    const ZERO: Self;
    const EVENT: Event;

    fn parse(text: &[u8]) -> Option<Self>;
    fn of(value: StringRef<'_>) -> Result<Self, Error>;
    fn is_less(self, other: Self) -> bool;
    /// The smallest and the largest number.
    fn limits() -> (Self, Self);
    /// The sum brought between the bounds, and whether it had to be.
    fn add_within(self, other: Self, low: Self, high: Self) -> Result<(Self, bool), Error>;
    /// What must be added to `before` to get this.
    fn since(self, before: Self) -> Result<Self, Error>;
    fn reply(self, ctx: &mut Ctx<'_>);
    fn text(self) -> Vec<u8>;
}

impl Number for i64 {
    const NOT_ONE: &'static str = "is not an integer or out of range";
    const ZERO: Self = 0;
    const EVENT: Event = event::INCRBY;

    fn parse(text: &[u8]) -> Option<Self> {
        number::parse_i64(text)
    }

    fn of(value: StringRef<'_>) -> Result<Self, Error> {
        value.as_i64().ok_or(Error::NotInteger)
    }

    fn is_less(self, other: Self) -> bool {
        self < other
    }

    fn limits() -> (Self, Self) {
        (i64::MIN, i64::MAX)
    }

    fn add_within(self, other: Self, low: Self, high: Self) -> Result<(Self, bool), Error> {
        let sum = i128::from(self) + i128::from(other);
        Ok(if sum < i128::from(low) {
            (low, true)
        } else if sum > i128::from(high) {
            (high, true)
        } else {
            (self.saturating_add(other), false)
        })
    }

    fn since(self, before: Self) -> Result<Self, Error> {
        self.checked_sub(before).ok_or(Error::Overflow)
    }

    fn reply(self, ctx: &mut Ctx<'_>) {
        ctx.reply.integer(self);
    }

    fn text(self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl Number for LongDouble {
    const NOT_ONE: &'static str = "is not a valid float";
    const ZERO: Self = LongDouble::ZERO;
    const EVENT: Event = event::INCRBYFLOAT;

    fn parse(text: &[u8]) -> Option<Self> {
        LongDouble::parse(text)
    }

    fn of(value: StringRef<'_>) -> Result<Self, Error> {
        as_long_double(value)
    }

    fn is_less(self, other: Self) -> bool {
        LongDouble::is_less(self, other)
    }

    fn limits() -> (Self, Self) {
        (-LongDouble::MAX, LongDouble::MAX)
    }

    fn add_within(self, other: Self, low: Self, high: Self) -> Result<(Self, bool), Error> {
        let sum = self + other;
        if sum.is_nan() {
            return Err(NOT_FINITE);
        }
        Ok(if sum.is_less(low) {
            (low, true)
        } else if high.is_less(sum) {
            (high, true)
        } else {
            (sum, false)
        })
    }

    fn since(self, before: Self) -> Result<Self, Error> {
        let difference = self + -before;
        if difference.is_nan() || difference.is_infinite() {
            return Err(NOT_FINITE);
        }
        Ok(difference)
    }

    fn reply(self, ctx: &mut Ctx<'_>) {
        ctx.reply.double_text(&text_of(self));
    }

    fn text(self) -> Vec<u8> {
        text_of(self)
    }
}

/// A bounded increment.
struct Increment<N> {
    by: N,
    low: N,
    high: N,
}

impl<N: Number> Increment<N> {
    fn read(words: &Words<'_>, by: Option<&[u8]>, default: N) -> Result<Self, Error> {
        let read = |text: Option<&[u8]>, name: &str, default: N| match text {
            None => Ok(default),
            Some(text) => {
                N::parse(text).ok_or_else(|| Error::err(format_args!("{name} {}", N::NOT_ONE)))
            }
        };
        let (lowest, highest) = N::limits();
        let increment = Increment {
            by: read(by, "Increment", default)?,
            low: read(words.low, "LBOUND", lowest)?,
            high: read(words.high, "UBOUND", highest)?,
        };
        if increment.high.is_less(increment.low) {
            return Err(Error::Text("ERR LBOUND can't be greater than UBOUND"));
        }
        Ok(increment)
    }
}

pub(super) fn increx(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let words = Words::read(args)?;
    match words.by_float {
        Some(by) => {
            let increment = Increment::read(&words, Some(by), LongDouble::ZERO)?;
            run(ctx, &key, &words, &increment)
        }
        None => {
            let increment = Increment::read(&words, words.by_int, 1_i64)?;
            run(ctx, &key, &words, &increment)
        }
    }
}

fn run<N: Number>(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    words: &Words<'_>,
    increment: &Increment<N>,
) -> Result<Flow, Error> {
    let said = words.lifetime.deadline(ctx.db.wall_ms(), "increx")?;
    let (before, had_deadline) = match ctx.db.edit::<Str>(key)? {
        None => (N::ZERO, false),
        Some(edit) => (N::of(edit.string())?, edit.deadline().is_some()),
    };
    let (after, out_of_bounds) = before.add_within(increment.by, increment.low, increment.high)?;
    if out_of_bounds && !words.saturate {
        reply_pair(ctx, before, N::ZERO);
        return Ok(Flow::Done);
    }
    let applied = if out_of_bounds {
        after.since(before)?
    } else {
        increment.by
    };
    let keep = words.lifetime == Lifetime::Unsaid || words.only_first_deadline && had_deadline;
    let deadline = if keep { Deadline::Keep } else { said };
    store(ctx, key, &after.text(), deadline, had_deadline, N::EVENT);
    reply_pair(ctx, after, applied);
    Ok(Flow::Done)
}

fn reply_pair<N: Number>(ctx: &mut Ctx<'_>, value: N, applied: N) {
    ctx.reply.array(2);
    value.reply(ctx);
    applied.reply(ctx);
}

fn store(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    text: &[u8],
    deadline: Deadline,
    had_deadline: bool,
    event: Event,
) {
    if lifetime::has_passed(deadline, ctx.db.now_ms()) {
        ctx.db.remove(key, event::DEL);
        return ctx.propagate.instead(&[b"DEL", key.bytes]);
    }
    let mut edit = ctx.db.put(key, NewString::Bytes(text), deadline);
    let second = match deadline {
        Deadline::At(_) => Some(event::EXPIRE),
        Deadline::Clear if had_deadline => Some(event::PERSIST),
        Deadline::Clear | Deadline::Keep => None,
    };
    match second {
        None => edit.changed(event),
        Some(second) => {
            edit.also(event);
            edit.changed(second);
        }
    }
    match deadline {
        Deadline::Keep => ctx
            .propagate
            .instead(&[b"SET", key.bytes, text, b"KEEPTTL"]),
        Deadline::Clear => ctx.propagate.instead(&[b"SET", key.bytes, text]),
        Deadline::At(at_ms) => {
            let at = at_ms.to_string();
            ctx.propagate
                .instead(&[b"SET", key.bytes, text, b"PXAT", at.as_bytes()]);
        }
    }
}
