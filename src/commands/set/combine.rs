//! Several sets: SINTER, SUNION, SDIFF, and the forms that store or only count the result.
//!
//! SUNIONCARD counts exactly with APPROX too: nothing is gathered for it but what an exact count needs.

use crate::command::elements;
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::listpack::Element;
use crate::keyspace::db::{Database, Deadline};
use crate::keyspace::event::{self, Event};
use crate::types::set::{Around, Set, SetRef, difference, intersection, union};
use crate::types::{Stored, View};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

impl Operation {
    /// Calls `emit` for the members of the result until that answers `false`.
    fn run<'a>(
        self,
        sets: &[Option<SetRef<'a>>],
        around: Around,
        emit: impl FnMut(Element<'a>) -> bool,
    ) {
        let mut there: Vec<SetRef<'a>> = sets.iter().copied().flatten().collect();
        match self {
            Operation::Intersection if there.len() < sets.len() => {}
            Operation::Intersection => intersection(&mut there, around, emit),
            Operation::Union => union(&mut there, around, emit),
            Operation::Difference => {
                if let (Some(Some(first)), Some((_, others))) =
                    (sets.first(), there.split_first_mut())
                {
                    difference(*first, others, around, emit);
                }
            }
        }
    }
}

fn around(db: &Database<'_>) -> Around {
    Around {
        hasher: db.limits().hasher,
        now_ms: db.now_ms(),
    }
}

pub(super) fn sinter(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, Operation::Intersection)
}

pub(super) fn sunion(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, Operation::Union)
}

pub(super) fn sdiff(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer(ctx, args, Operation::Difference)
}

fn answer(ctx: &mut Ctx<'_>, args: &mut Args<'_>, operation: Operation) -> Result<Flow, Error> {
    let keys = args.keys();
    let around = around(&ctx.db);
    let sets = ctx.db.read_all::<Set>(&keys)?;
    let (reply, mut count) = (&mut ctx.reply, 0);
    let later = reply.set_later();
    operation.run(&sets, around, |member| {
        elements::reply(reply, member);
        count += 1;
        true
    });
    reply.finish(later, count);
    Ok(Flow::Done)
}

pub(super) fn sinterstore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    store(ctx, args, Operation::Intersection, event::SINTERSTORE)
}

pub(super) fn sunionstore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    store(ctx, args, Operation::Union, event::SUNIONSTORE)
}

pub(super) fn sdiffstore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    store(ctx, args, Operation::Difference, event::SDIFFSTORE)
}

fn store(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    operation: Operation,
    event: Event,
) -> Result<Flow, Error> {
    let to = args.key()?;
    let keys = args.keys();
    let (around, limits) = (around(&ctx.db), *ctx.db.limits());
    let sets = ctx.db.read_all::<Set>(&keys)?;
    let mut result = match operation {
        Operation::Intersection => {
            let there = sets.iter().flatten().copied();
            Set::for_members_of(there.min_by_key(|set| set.len()))
        }
        Operation::Union | Operation::Difference => Set::default(),
    };
    if operation == Operation::Union {
        // The result knows by itself what it has.
        for set in sets.iter().flatten() {
            for member in set.iter(around.now_ms) {
                result.add_element(member, &limits);
            }
        }
    } else {
        operation.run(&sets, around, |member| {
            result.add_element(member, &limits);
            true
        });
    }
    if operation == Operation::Intersection {
        result.compact(&limits);
    }
    let count = result.len();
    ctx.db.put_collection(&to, result, Deadline::Clear, event);
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}

pub(super) fn sintercard(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    count(ctx, args, Operation::Intersection)
}

pub(super) fn sunioncard(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    count(ctx, args, Operation::Union)
}

pub(super) fn sdiffcard(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    count(ctx, args, Operation::Difference)
}

/// `numkeys key... [APPROX] [LIMIT limit]`; APPROX of unions only. LIMIT 0: none.
fn count(ctx: &mut Ctx<'_>, args: &mut Args<'_>, operation: Operation) -> Result<Flow, Error> {
    let numkeys = args.positive(Error::Text("ERR numkeys should be greater than 0"))?;
    if numkeys > args.left() {
        return Err(Error::Text(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    let keys = (0..numkeys)
        .map(|_| args.key())
        .collect::<Result<Vec<_>, _>>()?;
    let mut limit = 0;
    while !args.is_empty() {
        if args.flag("LIMIT") {
            limit = args.natural(Error::Text("ERR LIMIT can't be negative"))?;
        } else if operation != Operation::Union || !args.flag("APPROX") {
            return Err(Error::Syntax);
        }
    }
    let around = around(&ctx.db);
    let sets = ctx.db.read_all::<Set>(&keys)?;
    let mut count = 0;
    operation.run(&sets, around, |_| {
        count += 1;
        count != limit
    });
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}
