//! ZADD, ZINCRBY, ZREM: members come, change their score, and go.

use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::zset::{Added, Rule, Zset};

const NOT_A_NUMBER: Error = Error::Text("ERR resulting score is not a number (NaN)");

/// The options of ZADD.
#[derive(Clone, Copy, Default)]
struct Options {
    rule: Rule,
    /// CH: changed members count as well as new ones.
    count_changed: bool,
}

impl Options {
    fn read(args: &mut Args<'_>) -> Self {
        let mut options = Self::default();
        // A score mostly starts with a digit or a sign, as no option does.
        while let Some([b'A'..=b'z', ..]) = args.peek() {
            let target = if args.flag("NX") {
                &mut options.rule.if_missing
            } else if args.flag("XX") {
                &mut options.rule.if_present
            } else if args.flag("GT") {
                &mut options.rule.if_greater
            } else if args.flag("LT") {
                &mut options.rule.if_less
            } else if args.flag("CH") {
                &mut options.count_changed
            } else if args.flag("INCR") {
                &mut options.rule.increment
            } else {
                break;
            };
            *target = true;
        }
        options
    }

    fn check(&self, pairs: usize) -> Result<(), Error> {
        let rule = self.rule;
        if rule.if_missing && rule.if_present {
            let text = "ERR XX and NX options at the same time are not compatible";
            return Err(Error::Text(text));
        }
        let several = [rule.if_missing, rule.if_greater, rule.if_less];
        if several.iter().filter(|given| **given).count() > 1 {
            let text = "ERR GT, LT, and/or NX options at the same time are not compatible";
            return Err(Error::Text(text));
        }
        if rule.increment && pairs > 1 {
            let text = "ERR INCR option supports a single increment-element pair";
            return Err(Error::Text(text));
        }
        Ok(())
    }
}

pub(super) fn zadd(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let options = Options::read(args);
    let pairs = args.left() / 2;
    if pairs == 0 || !args.left().is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    options.check(pairs)?;
    if pairs > 1 {
        return add_several(ctx, args, &key, options);
    }
    let (score, name) = (args.float()?, args.word()?);
    if options.rule.increment {
        return increment(ctx, &key, name, score, options.rule);
    }
    let mut edit = ctx.db.edit_or_create::<Zset>(&key)?;
    let (zset, limits) = edit.parts();
    let outcome = zset.add(name, score, options.rule, limits);
    if let Added::New(_) | Added::Changed(_) = outcome {
        edit.changed(event::ZADD);
    } else {
        edit.unchanged();
    }
    let counts = match outcome {
        Added::New(_) => true,
        Added::Changed(_) => options.count_changed,
        _ => false,
    };
    ctx.reply.integer(counts.into());
    Ok(Flow::Done)
}

/// All scores are read before the first member is added.
fn add_several(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    key: &Key<'_>,
    options: Options,
) -> Result<Flow, Error> {
    let pairs = args.left() / 2;
    let mut ahead = args.clone();
    let names = args.rest().skip(1).step_by(2);
    let mut scores = Vec::with_capacity(pairs);
    for _ in 0..pairs {
        scores.push(ahead.float()?);
        ahead.word()?;
    }
    let mut edit = ctx.db.edit_or_create::<Zset>(key)?;
    edit.view().prefetch(names.clone());
    let (zset, limits) = edit.parts();
    let (new, changed) = zset.add_all(names.zip(scores), options.rule, limits);
    if new + changed > 0 {
        edit.changed(event::ZADD);
    } else {
        edit.unchanged();
    }
    let counted = if options.count_changed {
        new + changed
    } else {
        new
    };
    ctx.reply.integer(counted);
    Ok(Flow::Done)
}

pub(super) fn zincrby(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (score, name) = (args.float()?, args.word()?);
    let rule = Rule {
        increment: true,
        ..Rule::default()
    };
    increment(ctx, &key, name, score, rule)
}

fn increment(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    name: &[u8],
    score: f64,
    rule: Rule,
) -> Result<Flow, Error> {
    let mut edit = ctx.db.edit_or_create::<Zset>(key)?;
    let (zset, limits) = edit.parts();
    match zset.add(name, score, rule, limits) {
        Added::New(score) | Added::Changed(score) => {
            edit.changed(event::ZINCR);
            ctx.reply.double(score);
        }
        Added::Same(score) => {
            edit.unchanged();
            ctx.reply.double(score);
        }
        Added::Refused => {
            edit.unchanged();
            ctx.reply.null();
        }
        Added::NotANumber => {
            edit.unchanged();
            return Err(NOT_A_NUMBER);
        }
    }
    Ok(Flow::Done)
}

pub(super) fn zrem(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let names = args.rest();
    let Some(mut edit) = ctx.db.edit::<Zset>(&key)? else {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    };
    edit.view().prefetch(names.clone());
    let zset = edit.value();
    let removed = names.filter(|name| zset.remove(name).is_some()).count();
    if removed > 0 {
        edit.changed(event::ZREM);
    } else {
        edit.unchanged();
    }
    ctx.reply.integer(removed as i64);
    Ok(Flow::Done)
}
