//! SET and its older relatives: SETNX, SETEX, PSETEX, GETSET.
//!
//! SET without options is the most frequent command of all and takes the shortest path. What goes out to the
//! append-only file and to replicas has met its conditions and carries an absolute deadline.

use super::condition::Condition;
use super::lifetime::{self, Lifetime};
use super::reply_string;
use crate::command::expiry::{self, Unit};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::entry::Key;
use crate::keyspace::event;

/// When SET is to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only<'a> {
    Always,
    /// NX.
    IfMissing,
    /// XX.
    IfPresent,
    If(Condition<'a>),
}

impl Only<'_> {
    fn holds(self, ctx: &mut Ctx<'_>, key: &Key<'_>) -> Result<bool, Error> {
        match self {
            Only::Always => Ok(true),
            Only::IfMissing => Ok(ctx.db.peek(key).is_none()),
            Only::IfPresent => Ok(ctx.db.peek(key).is_some()),
            Only::If(condition) => condition.holds(ctx.db.read::<Str>(key)?),
        }
    }

    /// The word that may stay in what is propagated.
    fn word(self) -> Option<&'static [u8]> {
        match self {
            Only::IfMissing => Some(b"NX"),
            Only::IfPresent => Some(b"XX"),
            Only::Always | Only::If(_) => None,
        }
    }
}

/// The options of SET.
struct Options<'a> {
    only: Only<'a>,
    get: bool,
    lifetime: Lifetime<'a>,
}

impl<'a> Options<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        let mut options = Options {
            only: Only::Always,
            get: false,
            lifetime: Lifetime::Unsaid,
        };
        while !args.is_empty() {
            if args.flag("GET") {
                options.get = true;
            } else if args.flag("NX") {
                options.restrict(Only::IfMissing)?;
            } else if args.flag("XX") {
                options.restrict(Only::IfPresent)?;
            } else if let Some(condition) = Condition::take(args)? {
                options.restrict_once(Only::If(condition))?;
            } else if !options.lifetime.take(args, "KEEPTTL", Lifetime::Keep)? {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// NX and XX may be said again.
    fn restrict(&mut self, only: Only<'a>) -> Result<(), Error> {
        if self.only == only {
            return Ok(());
        }
        self.restrict_once(only)
    }

    fn restrict_once(&mut self, only: Only<'a>) -> Result<(), Error> {
        if self.only != Only::Always {
            return Err(Error::Syntax);
        }
        self.only = only;
        Ok(())
    }

    /// Whether the command's own words do the same anywhere, and ask for nothing.
    fn is_absolute(&self) -> bool {
        self.lifetime.is_absolute() && !self.get && !matches!(self.only, Only::If(_))
    }
}

pub(super) fn set(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let value = args.string()?;
    if !args.is_empty() {
        return set_with_options(ctx, args, &key);
    }
    ctx.db.put(&key, value, Deadline::Clear).changed(event::SET);
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// SET, with the cursor behind the value.
fn set_with_options(ctx: &mut Ctx<'_>, args: &mut Args<'_>, key: &Key<'_>) -> Result<Flow, Error> {
    const VALUE_AT: usize = 2;
    let options = Options::read(args)?;
    let deadline = options.lifetime.deadline(ctx.db.wall_ms(), "set")?;
    if options.get {
        reply_string(&mut ctx.reply, ctx.db.read::<Str>(key)?);
    }
    if !options.only.holds(ctx, key)? {
        if !options.get {
            ctx.reply.null();
        }
        return Ok(Flow::Done);
    }
    lifetime::store(&mut ctx.db, key, args.string_at(VALUE_AT)?, deadline);
    if !options.is_absolute() || lifetime::has_passed(deadline, ctx.db.now_ms()) {
        let value = args.argv().word(VALUE_AT);
        propagate(ctx, key, value, deadline, options.only.word());
    }
    if !options.get {
        ctx.reply.ok();
    }
    Ok(Flow::Done)
}

/// What every SET comes to: `SET key value [PXAT ms | KEEPTTL] [NX | XX]`, or DEL if the deadline has passed.
fn propagate(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    value: &[u8],
    deadline: Deadline,
    only: Option<&[u8]>,
) {
    if !ctx.propagate.is_wanted() {
        return;
    }
    if lifetime::has_passed(deadline, ctx.db.now_ms()) {
        return ctx.propagate.instead(&[b"DEL", key.bytes]);
    }
    let at;
    let mut words: Vec<&[u8]> = vec![b"SET", key.bytes, value];
    match deadline {
        Deadline::At(at_ms) => {
            at = at_ms.to_string();
            words.extend([&b"PXAT"[..], at.as_bytes()]);
        }
        Deadline::Keep => {
            words.push(b"KEEPTTL");
            words.extend(only);
        }
        Deadline::Clear => words.extend(only),
    }
    ctx.propagate.instead(&words);
}

pub(super) fn setnx(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let value = args.string()?;
    let missing = ctx.db.peek(&key).is_none();
    if missing {
        ctx.db.put(&key, value, Deadline::Clear).changed(event::SET);
    }
    ctx.reply.integer(i64::from(missing));
    Ok(Flow::Done)
}

pub(super) fn setex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    set_for(ctx, args, Unit::Seconds, "setex")
}

pub(super) fn psetex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    set_for(ctx, args, Unit::Milliseconds, "psetex")
}

fn set_for(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    unit: Unit,
    command: &'static str,
) -> Result<Flow, Error> {
    const VALUE_AT: usize = 3;
    let key = args.key()?;
    let time = args.word()?;
    let value = args.string()?;
    let at_ms = expiry::deadline(unit, time, ctx.db.wall_ms(), command)?;
    let deadline = Deadline::At(at_ms);
    lifetime::store(&mut ctx.db, &key, value, deadline);
    propagate(ctx, &key, args.argv().word(VALUE_AT), deadline, None);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn getset(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    const VALUE_AT: usize = 2;
    let key = args.key()?;
    let value = args.string()?;
    reply_string(&mut ctx.reply, ctx.db.read::<Str>(&key)?);
    ctx.db.put(&key, value, Deadline::Clear).changed(event::SET);
    let value = args.argv().word(VALUE_AT);
    ctx.propagate.instead(&[b"SET", key.bytes, value]);
    Ok(Flow::Done)
}
