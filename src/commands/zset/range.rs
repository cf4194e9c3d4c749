//! Ranges: ZRANGE and its older relatives, ZRANGESTORE, ZREMRANGEBY*. One grammar of options and one way from a range to
//! ranks.

use super::reply_members;
use crate::base::number;
use crate::command::{Args, Ctx, Error, Flow, ranges};
use crate::keyspace::db::Deadline;
use crate::keyspace::event::{self, Event};
use crate::types::zset::{LexRange, ScoreRange, Zset, ZsetRef};
use crate::types::{Stored, View};
use std::ops::Range;

/// What the bounds of a range are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Name,
}

/// What a command says by its name; `None`: its options say it.
#[derive(Clone, Copy)]
struct Grammar {
    by: Option<By>,
    reversed: Option<bool>,
    /// Whether WITHSCORES is known.
    shows: bool,
}

/// The bounds of a range, read.
enum Bounds<'a> {
    Ranks(i64, i64),
    Scores(ScoreRange),
    Names(LexRange<'a>),
}

/// A range, read from the words of a command.
struct Wanted<'a> {
    bounds: Bounds<'a>,
    reversed: bool,
    offset: i64,
    /// Negative: all.
    limit: i64,
    with_scores: bool,
}

impl<'a> Wanted<'a> {
    fn read(args: &mut Args<'a>, grammar: Grammar) -> Result<Self, Error> {
        let (first, second) = (args.word()?, args.word()?);
        let (mut by, mut reversed) = (grammar.by, grammar.reversed);
        let (mut offset, mut limit, mut with_scores) = (0, -1, false);
        while !args.is_empty() {
            if grammar.shows && args.flag("WITHSCORES") {
                with_scores = true;
            } else if args.left() > 2 && args.flag("LIMIT") {
                (offset, limit) = (args.int()?, args.int()?);
            } else if reversed.is_none() && args.flag("REV") {
                reversed = Some(true);
            } else if by.is_none() && args.flag("BYLEX") {
                by = Some(By::Name);
            } else if by.is_none() && args.flag("BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(Error::Syntax);
            }
        }
        let (by, reversed) = (by.unwrap_or(By::Rank), reversed.unwrap_or(false));
        if limit != -1 && by == By::Rank {
            return Err(Error::Text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Name {
            return Err(Error::Text(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        Ok(Self {
            bounds: Bounds::read(by, reversed, first, second)?,
            reversed,
            offset,
            limit,
            with_scores,
        })
    }

    /// The ranks of the members that are wanted, counted from the lowest.
    fn ranks(&self, zset: ZsetRef<'_>) -> Range<usize> {
        let range = match &self.bounds {
            Bounds::Ranks(start, stop) => {
                let len = zset.len();
                let range = ranges::places(*start, *stop, len);
                return if self.reversed {
                    len - range.end..len - range.start
                } else {
                    range
                };
            }
            Bounds::Scores(range) => zset.ranks_of_scores(range),
            Bounds::Names(range) => zset.ranks_of_names(range),
        };
        // A negative offset passes over everything.
        let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let skipped = offset.min(range.len());
        let taken = limit.min(range.len() - skipped);
        if self.reversed {
            let end = range.end - skipped;
            end - taken..end
        } else {
            let start = range.start + skipped;
            start..start + taken
        }
    }
}

impl<'a> Bounds<'a> {
    /// Of a reversed range of scores or names the upper bound comes first.
    fn read(by: By, reversed: bool, first: &'a [u8], second: &'a [u8]) -> Result<Self, Error> {
        let (min, max) = if reversed {
            (second, first)
        } else {
            (first, second)
        };
        Ok(match by {
            By::Rank => Bounds::Ranks(rank(first)?, rank(second)?),
            By::Score => Bounds::Scores(ranges::scores(min, max)?),
            By::Name => Bounds::Names(ranges::names(min, max)?),
        })
    }
}

fn rank(word: &[u8]) -> Result<i64, Error> {
    number::parse_i64(word).ok_or(Error::NotInteger)
}

pub(super) fn zrange(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, None, None)
}

pub(super) fn zrevrange(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Some(By::Rank), Some(true))
}

pub(super) fn zrangebyscore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Some(By::Score), Some(false))
}

pub(super) fn zrevrangebyscore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Some(By::Score), Some(true))
}

pub(super) fn zrangebylex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Some(By::Name), Some(false))
}

pub(super) fn zrevrangebylex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Some(By::Name), Some(true))
}

#[inline]
fn show(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    by: Option<By>,
    reversed: Option<bool>,
) -> Result<Flow, Error> {
    let key = args.key()?;
    let grammar = Grammar {
        by,
        reversed,
        shows: true,
    };
    let wanted = Wanted::read(args, grammar)?;
    let Ctx { db, reply, .. } = ctx;
    let Some(zset) = db.read::<Zset>(&key)? else {
        reply.empty_array();
        return Ok(Flow::Done);
    };
    let ranks = wanted.ranks(zset);
    reply_members(reply, zset, ranks, wanted.reversed, wanted.with_scores);
    Ok(Flow::Done)
}

pub(super) fn zrangestore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (destination, source) = (args.key()?, args.key()?);
    let grammar = Grammar {
        by: None,
        reversed: None,
        shows: false,
    };
    let wanted = Wanted::read(args, grammar)?;
    let limits = *ctx.db.limits();
    let taken = match ctx.db.read::<Zset>(&source)? {
        None => Zset::default(),
        Some(zset) => zset.part(wanted.ranks(zset), &limits),
    };
    let members = taken.len();
    ctx.db
        .put_collection(&destination, taken, Deadline::Clear, event::ZRANGESTORE);
    ctx.reply.integer(members as i64);
    Ok(Flow::Done)
}

pub(super) fn zremrangebyrank(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    remove(ctx, args, By::Rank, event::ZREMRANGEBYRANK)
}

pub(super) fn zremrangebyscore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    remove(ctx, args, By::Score, event::ZREMRANGEBYSCORE)
}

pub(super) fn zremrangebylex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    remove(ctx, args, By::Name, event::ZREMRANGEBYLEX)
}

fn remove(ctx: &mut Ctx<'_>, args: &mut Args<'_>, by: By, event: Event) -> Result<Flow, Error> {
    let key = args.key()?;
    let grammar = Grammar {
        by: Some(by),
        reversed: Some(false),
        shows: false,
    };
    let wanted = Wanted::read(args, grammar)?;
    let mut removed = 0;
    if let Some(mut edit) = ctx.db.edit::<Zset>(&key)? {
        let ranks = wanted.ranks(edit.view());
        removed = ranks.len();
        if removed > 0 {
            edit.value().remove_range(ranks);
            edit.changed(event);
        }
    }
    ctx.reply.integer(removed as i64);
    Ok(Flow::Done)
}
