//! Commands on several keys at once: MGET, MSET, MSETNX, MSETEX.
//!
//! Keys are hashed and looked up in chunks of [`CHUNK`]: the cache misses of one chunk overlap. The chunk lies on the
//! stack, so that no command allocates for its keys.

use super::lifetime::{self, Lifetime};
use super::reply_string;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Database, Deadline};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::string::NewString;

/// Keys that are looked up together.
const CHUNK: usize = 64;

const NO_KEYS: [Key<'static>; CHUNK] = [Key {
    bytes: b"",
    hash: 0,
}; CHUNK];

pub(super) fn mget(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.array(args.left());
    while !args.is_empty() {
        let mut keys = NO_KEYS;
        let keys = &mut keys[..args.left().min(CHUNK)];
        for key in keys.iter_mut() {
            *key = args.key()?;
        }
        ctx.db.prefetch(keys);
        for key in keys.iter() {
            let value = ctx.db.look_up(key).and_then(|record| record.string());
            reply_string(&mut ctx.reply, value);
        }
    }
    Ok(Flow::Done)
}

/// Hands the next `pairs` keys and values on, in order. There must be so many words.
#[inline]
fn for_each_pair<'a>(
    db: &mut Database<'_>,
    args: &mut Args<'a>,
    mut pairs: usize,
    mut each: impl FnMut(&mut Database<'_>, &Key<'a>, NewString<'a>),
) -> Result<(), Error> {
    while pairs > 0 {
        let mut keys: [Key<'a>; CHUNK] = NO_KEYS;
        let keys = &mut keys[..pairs.min(CHUNK)];
        let mut ahead = args.clone();
        for key in keys.iter_mut() {
            *key = ahead.key()?;
            ahead.word()?;
        }
        db.prefetch(keys);
        for key in keys.iter() {
            args.word()?;
            each(db, key, args.string()?);
        }
        pairs -= keys.len();
    }
    Ok(())
}

/// How many of the next `pairs` keys exist; looks ahead only.
fn count_existing(db: &mut Database<'_>, args: &Args<'_>, pairs: usize) -> Result<usize, Error> {
    let mut existing = 0;
    for_each_pair(db, &mut args.clone(), pairs, |db, key, _| {
        existing += usize::from(db.peek(key).is_some());
    })?;
    Ok(existing)
}

fn put_pairs(ctx: &mut Ctx<'_>, args: &mut Args<'_>, pairs: usize) -> Result<(), Error> {
    for_each_pair(&mut ctx.db, args, pairs, |db, key, value| {
        db.put(key, value, Deadline::Clear).changed(event::SET);
    })
}

/// The words that are left as pairs.
fn all_pairs(args: &Args<'_>, command: &str) -> Result<usize, Error> {
    if args.left().is_multiple_of(2) {
        Ok(args.left() / 2)
    } else {
        Err(Error::Arity(command.to_owned()))
    }
}

pub(super) fn mset(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let pairs = all_pairs(args, "mset")?;
    put_pairs(ctx, args, pairs)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn msetnx(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let pairs = all_pairs(args, "msetnx")?;
    let free = count_existing(&mut ctx.db, args, pairs)? == 0;
    if free {
        put_pairs(ctx, args, pairs)?;
    }
    ctx.reply.integer(i64::from(free));
    Ok(Flow::Done)
}

/// What MSETEX says after its pairs.
struct Options<'a> {
    /// `NX`: no key may exist; `XX`: all must.
    only: Option<&'static str>,
    lifetime: Lifetime<'a>,
}

impl<'a> Options<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        let mut options = Options {
            only: None,
            lifetime: Lifetime::Unsaid,
        };
        while !args.is_empty() {
            let only = ["NX", "XX"].into_iter().find(|word| args.flag(word));
            match (only, options.only) {
                (Some(word), Some(before)) if word != before => return Err(Error::Syntax),
                (Some(word), _) => options.only = Some(word),
                (None, _) if options.lifetime.take(args, "KEEPTTL", Lifetime::Keep)? => {}
                (None, _) => return Err(Error::Syntax),
            }
        }
        Ok(options)
    }

    fn hold(&self, existing: usize, pairs: usize) -> bool {
        match self.only {
            None => true,
            Some("NX") => existing == 0,
            Some(_) => existing == pairs,
        }
    }
}

pub(super) fn msetex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let wrong_count = Error::Text("ERR invalid numkeys value or out of range");
    let pairs = args
        .int_in(1, i64::from(i32::MAX))
        .map_err(|_| wrong_count)?;
    let pairs = usize::try_from(pairs).map_err(|_| Error::Syntax)?;
    if args.left() / 2 < pairs {
        return Err(Error::Syntax);
    }
    let mut data = args.clone();
    for _ in 0..pairs * 2 {
        args.word()?;
    }
    let options = Options::read(args)?;
    let deadline = options.lifetime.deadline(ctx.db.wall_ms(), "msetex")?;

    let existing = match options.only {
        None => 0,
        Some(_) => count_existing(&mut ctx.db, &data, pairs)?,
    };
    let holds = options.hold(existing, pairs);
    if holds {
        for_each_pair(&mut ctx.db, &mut data, pairs, |db, key, value| {
            lifetime::store(db, key, value, deadline);
        })?;
        propagate(ctx, args, pairs, &options, deadline);
    }
    ctx.reply.integer(i64::from(holds));
    Ok(Flow::Done)
}

/// A relative deadline goes out as an absolute one; a deadline that has passed, as DEL.
fn propagate(
    ctx: &mut Ctx<'_>,
    args: &Args<'_>,
    pairs: usize,
    options: &Options<'_>,
    deadline: Deadline,
) {
    const FIRST_KEY_AT: usize = 2;
    let passed = lifetime::has_passed(deadline, ctx.db.now_ms());
    let is_said = options.lifetime.is_absolute() && !passed;
    if is_said || !ctx.propagate.is_wanted() {
        return;
    }
    let argv = args.argv();
    if passed {
        let keys = argv.iter().skip(FIRST_KEY_AT).step_by(2).take(pairs);
        let words: Vec<&[u8]> = std::iter::once(&b"DEL"[..]).chain(keys).collect();
        return ctx.propagate.instead(&words);
    }
    let mut words: Vec<&[u8]> = argv.iter().take(FIRST_KEY_AT + pairs * 2).collect();
    let at;
    if let Deadline::At(at_ms) = deadline {
        at = at_ms.to_string();
        words.extend([&b"PXAT"[..], at.as_bytes()]);
    }
    words.extend(options.only.map(str::as_bytes));
    ctx.propagate.instead(&words);
}
