//! LLEN, LINDEX, LRANGE, LPOS.

use super::{index_of, reply_span, reply_value};
use crate::command::{Args, Ctx, Error, Flow, ranges};
use crate::ds::listpack::Sought;
use crate::types::View;
use crate::types::list::{List, ListRef};

pub(super) fn llen(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let len = ctx.db.read::<List>(&key)?.map_or(0, ListRef::len);
    ctx.reply.integer(len as i64);
    Ok(Flow::Done)
}

pub(super) fn lindex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    // As in Redis a missing key is answered before the index is looked at.
    let Some(list) = ctx.db.read::<List>(&key)? else {
        ctx.reply.null();
        return Ok(Flow::Done);
    };
    let index = index_of(args.int()?, list.len());
    match index.and_then(|index| list.get(index)) {
        Some(value) => reply_value(&mut ctx.reply, value),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn lrange(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (start, stop) = (args.int()?, args.int()?);
    let Some(list) = ctx.db.read::<List>(&key)? else {
        ctx.reply.empty_array();
        return Ok(Flow::Done);
    };
    let range = ranges::places(start, stop, list.len());
    ctx.reply.array(range.len());
    reply_span(&mut ctx.reply, list, range);
    Ok(Flow::Done)
}

/// What LPOS looks for.
struct Search<'a> {
    word: Sought<'a>,
    backwards: bool,
    /// Matches that are passed over.
    skip: usize,
    /// Matches that are answered; 0: all. `None`: the first, and not in an array.
    count: Option<usize>,
    /// Elements that are compared; 0: all.
    compare_max: usize,
}

impl<'a> Search<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        const COUNT: Error = Error::Text("ERR COUNT can't be negative");
        const MAXLEN: Error = Error::Text("ERR MAXLEN can't be negative");
        let mut search = Self {
            word: Sought::new(args.word()?),
            backwards: false,
            skip: 0,
            count: None,
            compare_max: 0,
        };
        while !args.is_empty() {
            if args.flag("RANK") {
                search.set_rank(args.int_with_negative()?)?;
            } else if args.flag("COUNT") {
                search.count = Some(args.natural(COUNT)?);
            } else if args.flag("MAXLEN") {
                search.compare_max = args.natural(MAXLEN)?;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(search)
    }

    fn set_rank(&mut self, rank: i64) -> Result<(), Error> {
        match rank {
            0 => Err(Error::Text(
                "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to \
                 start from the end of the list",
            )),
            rank => {
                self.backwards = rank < 0;
                self.skip = usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
                Ok(())
            }
        }
    }

    /// Calls `found` with the index of every match that is to be answered.
    fn run(&self, list: ListRef<'_>, mut found: impl FnMut(usize)) {
        let unlimited = |max: usize| if max == 0 { usize::MAX } else { max };
        let (compare_max, count) = (
            unlimited(self.compare_max),
            unlimited(self.count.unwrap_or(1)),
        );
        let last = list.len().saturating_sub(1);
        let is_match = |(number, is_it): (usize, bool)| is_it.then_some(number);
        if self.backwards {
            let values = list.iter_back().take(compare_max);
            let matches = values.map(|value| value.is(&self.word)).enumerate();
            let matches = matches.filter_map(is_match).skip(self.skip).take(count);
            matches.for_each(|number| found(last - number));
        } else {
            let values = list.iter().take(compare_max);
            let matches = values.map(|value| value.is(&self.word)).enumerate();
            let matches = matches.filter_map(is_match).skip(self.skip).take(count);
            matches.for_each(found);
        }
    }
}

pub(super) fn lpos(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let search = Search::read(args)?;
    let list = ctx.db.read::<List>(&key)?;
    if search.count.is_none() {
        let mut first = None;
        if let Some(list) = list {
            search.run(list, |index| first = Some(index));
        }
        match first {
            Some(index) => ctx.reply.integer(index as i64),
            None => ctx.reply.null(),
        }
        return Ok(Flow::Done);
    }
    let (later, mut matches) = (ctx.reply.array_later(), 0);
    if let Some(list) = list {
        search.run(list, |index| {
            ctx.reply.integer(index as i64);
            matches += 1;
        });
    }
    ctx.reply.finish(later, matches);
    Ok(Flow::Done)
}
