//! Unions, intersections and differences of sorted sets and sets, whose members all have the score 1.
//!
//! Inputs are borrowed where they lie. Members are gathered as borrowed names with a sort key of eight bytes, sorted by
//! name (in the order of their inputs where names are equal), joined, and sorted by score, which keeps names in order: no
//! allocation for a member, and only the members of the result are copied. Inputs count from the smallest to the
//! largest, as sums of doubles depend on their order.

use super::{begin_members, reply_shown};
use crate::base::number::{self, Decimal};
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::listpack::Element;
use crate::keyspace::db::{Database, Deadline};
use crate::keyspace::entry::Key;
use crate::keyspace::event::{self, Event};
use crate::types::set::SetRef;
use crate::types::zset::{Zset, ZsetRef};
use crate::types::{Limits, Stored, Type, ValueRef, View, WrongType};
use std::cmp::Ordering;

/// Bytes of a name that its sort key holds.
const KEY_BYTES: usize = 8;

/// How the scores of a member in several inputs become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
    /// Scores count as 1.
    Count,
}

impl Aggregate {
    fn read(word: &[u8]) -> Result<Self, Error> {
        let known = [
            ("SUM", Aggregate::Sum),
            ("MIN", Aggregate::Min),
            ("MAX", Aggregate::Max),
            ("COUNT", Aggregate::Count),
        ];
        let is_it = |(name, _): &&(&str, Self)| word.eq_ignore_ascii_case(name.as_bytes());
        let found = known.iter().find(is_it);
        found.map(|(_, aggregate)| *aggregate).ok_or(Error::Syntax)
    }

    /// What a score counts with the weight of its input; what is no number (0 x inf) counts as 0.
    fn weigh(self, score: f64, weight: f64) -> f64 {
        number_or_zero(self.product(score, weight))
    }

    /// The same, but what is no number stays none.
    fn product(self, score: f64, weight: f64) -> f64 {
        let score = if self == Aggregate::Count { 1.0 } else { score };
        score * weight
    }

    fn join(self, one: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum | Aggregate::Count => number_or_zero(one + other),
            // Of two zeros the first stays, whatever their signs.
            Aggregate::Min if other < one => other,
            Aggregate::Max if other > one => other,
            Aggregate::Min | Aggregate::Max => one,
        }
    }
}

fn number_or_zero(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

/// Which members of the inputs are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What a command asks for.
struct Wanted<'a> {
    operation: Operation,
    keys: Vec<Key<'a>>,
    /// One for each key.
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl<'a> Wanted<'a> {
    /// Reads the words, and looks the inputs up before it judges the options, as Redis does.
    fn read(
        ctx: &mut Ctx<'_>,
        args: &mut Args<'a>,
        operation: Operation,
        stores: bool,
    ) -> Result<Self, Error> {
        let keys = read_keys(ctx, args)?;
        look_up(&mut ctx.db, &keys)?;
        let mut wanted = Self {
            operation,
            weights: vec![1.0; keys.len()],
            keys,
            aggregate: Aggregate::Sum,
            with_scores: false,
        };
        let weighs = operation != Operation::Difference;
        while !args.is_empty() {
            if weighs && args.left() > wanted.keys.len() && args.flag("WEIGHTS") {
                for weight in &mut wanted.weights {
                    let value = number::parse_f64(args.word()?);
                    *weight = value.ok_or(Error::Text("ERR weight value is not a float"))?;
                }
            } else if weighs && args.left() > 1 && args.flag("AGGREGATE") {
                wanted.aggregate = Aggregate::read(args.word()?)?;
            } else if !stores && args.flag("WITHSCORES") {
                wanted.with_scores = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(wanted)
    }
}

/// `numkeys key...`
fn read_keys<'a>(ctx: &Ctx<'_>, args: &mut Args<'a>) -> Result<Vec<Key<'a>>, Error> {
    let count = args.int()?;
    if count < 1 {
        return Err(Error::err(format_args!(
            "at least 1 input key is needed for '{}' command",
            ctx.row.full_name
        )));
    }
    let count = usize::try_from(count).map_err(|_| Error::Syntax)?;
    if count > args.left() {
        return Err(Error::Syntax);
    }
    (0..count).map(|_| args.key()).collect()
}

/// An input where it lies.
#[derive(Clone, Copy)]
enum Input<'a> {
    Nothing,
    Zset(ZsetRef<'a>),
    Set(SetRef<'a>, i64),
}

impl<'a> Input<'a> {
    fn of(value: Option<ValueRef<'a>>, now_ms: i64) -> Self {
        match value {
            Some(ValueRef::Zset(zset)) => Input::Zset(zset),
            Some(ValueRef::Set(set)) => Input::Set(set, now_ms),
            _ => Input::Nothing,
        }
    }

    fn len(self) -> usize {
        match self {
            Input::Nothing => 0,
            Input::Zset(zset) => zset.len(),
            Input::Set(set, now_ms) => set.count(now_ms),
        }
    }

    /// A member's score.
    fn score(self, name: &[u8]) -> Option<f64> {
        match self {
            Input::Nothing => None,
            Input::Zset(zset) => zset.score(name),
            Input::Set(set, now_ms) => set.contains(name, now_ms).then_some(1.0),
        }
    }

    fn for_each(self, mut visit: impl FnMut(Element<'a>, f64)) {
        match self {
            Input::Nothing => {}
            Input::Zset(zset) => zset.for_each_unordered(visit),
            Input::Set(set, now_ms) => set.iter(now_ms).for_each(|name| visit(name, 1.0)),
        }
    }
}

/// A member that is gathered.
#[derive(Clone, Copy)]
struct Member<'a> {
    /// The first bytes of the name: they decide most comparisons.
    key: u64,
    name: Element<'a>,
    score: f64,
}

impl<'a> Member<'a> {
    fn new(name: Element<'a>, score: f64, room: &mut Vec<u8>) -> Self {
        let bytes = name.bytes(room);
        let mut key = [0; KEY_BYTES];
        let length = bytes.len().min(KEY_BYTES);
        key[..length].copy_from_slice(&bytes[..length]);
        Self {
            key: u64::from_be_bytes(key),
            name,
            score,
        }
    }

    fn compare_names(&self, other: &Self) -> Ordering {
        self.key
            .cmp(&other.key)
            .then_with(|| match (self.name, other.name) {
                (Element::Bytes(one), Element::Bytes(other)) => one.cmp(other),
                (Element::Int(one), Element::Int(other)) if one == other => Ordering::Equal,
                (Element::Int(one), Element::Bytes(other)) => Decimal::new(one).bytes().cmp(other),
                (Element::Bytes(one), Element::Int(other)) => one.cmp(Decimal::new(other).bytes()),
                (Element::Int(one), Element::Int(other)) => {
                    Decimal::new(one).bytes().cmp(Decimal::new(other).bytes())
                }
            })
    }
}

/// Notes the look-ups of the inputs; they must be sorted sets or sets.
fn look_up(db: &mut Database<'_>, keys: &[Key<'_>]) -> Result<(), Error> {
    for key in keys {
        if db.read::<Zset>(key).is_err() {
            let found = db.peek(key).map(|record| record.type_of());
            if found.is_some_and(|found| found != Type::Set) {
                return Err(WrongType.into());
            }
        }
    }
    Ok(())
}

/// The members of the result in order. The inputs have been looked up.
fn combine<'a>(db: &'a Database<'_>, wanted: &Wanted<'_>) -> Vec<Member<'a>> {
    let now_ms = db.now_ms();
    let inputs = wanted
        .keys
        .iter()
        .map(|key| Input::of(db.value(key), now_ms));
    let mut inputs: Vec<(Input<'a>, f64)> = inputs.zip(wanted.weights.iter().copied()).collect();
    if wanted.operation != Operation::Difference {
        inputs.sort_by_key(|(input, _)| input.len());
    }
    let mut members = match wanted.operation {
        Operation::Union => union(&inputs, wanted.aggregate),
        Operation::Intersection => {
            let mut members = Vec::new();
            intersect(&inputs, wanted.aggregate, &mut |member| {
                members.push(member);
                true
            });
            members.sort_unstable_by(Member::compare_names);
            members
        }
        Operation::Difference => difference(&inputs),
    };
    members.sort_by(|one, other| {
        let scores = one.score.partial_cmp(&other.score);
        scores.expect("scores are never NaN")
    });
    members
}

fn union<'a>(inputs: &[(Input<'a>, f64)], aggregate: Aggregate) -> Vec<Member<'a>> {
    let all = inputs.iter().map(|(input, _)| input.len()).sum();
    let mut members = Vec::with_capacity(all);
    let mut room = Vec::new();
    for (input, weight) in inputs {
        input.for_each(|name, score| {
            let score = aggregate.weigh(score, *weight);
            members.push(Member::new(name, score, &mut room));
        });
    }
    // A stable sort: equal names stay in the order of their inputs.
    members.sort_by(Member::compare_names);
    members.dedup_by(|next, kept| {
        let is_same = next.compare_names(kept).is_eq();
        if is_same {
            kept.score = aggregate.join(kept.score, next.score);
        }
        is_same
    });
    members
}

/// Shows each member that all inputs have, while `visit` says so. The first input is the smallest.
fn intersect<'a>(
    inputs: &[(Input<'a>, f64)],
    aggregate: Aggregate,
    visit: &mut impl FnMut(Member<'a>) -> bool,
) {
    let Some(((first, weight), others)) = inputs.split_first() else {
        return;
    };
    let (mut room, mut goes_on) = (Vec::new(), true);
    first.for_each(|name, score| {
        if !goes_on {
            return;
        }
        let mut sum = aggregate.weigh(score, *weight);
        let bytes = name.bytes(&mut room);
        for (other, weight) in others {
            match other.score(bytes) {
                // As in Redis, a product of a further input that is no number makes the whole sum 0.
                Some(score) => sum = aggregate.join(sum, aggregate.product(score, *weight)),
                None => return,
            }
        }
        goes_on = visit(Member::new(name, sum, &mut Vec::new()));
    });
}

fn difference<'a>(inputs: &[(Input<'a>, f64)]) -> Vec<Member<'a>> {
    let mut members = Vec::new();
    let Some(((first, _), others)) = inputs.split_first() else {
        return members;
    };
    let mut room = Vec::new();
    first.for_each(|name, score| {
        let bytes = name.bytes(&mut room);
        if others.iter().all(|(other, _)| other.score(bytes).is_none()) {
            members.push(Member::new(name, score, &mut Vec::new()));
        }
    });
    members.sort_unstable_by(Member::compare_names);
    members
}

pub(super) fn zunion(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Operation::Union)
}

pub(super) fn zinter(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Operation::Intersection)
}

pub(super) fn zdiff(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    show(ctx, args, Operation::Difference)
}

fn show(ctx: &mut Ctx<'_>, args: &mut Args<'_>, operation: Operation) -> Result<Flow, Error> {
    let wanted = Wanted::read(ctx, args, operation, false)?;
    let members = combine(&ctx.db, &wanted);
    let shown = begin_members(&mut ctx.reply, members.len(), wanted.with_scores);
    for member in members {
        reply_shown(&mut ctx.reply, shown, member.name, member.score);
    }
    Ok(Flow::Done)
}

pub(super) fn zunionstore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    store(ctx, args, Operation::Union, event::ZUNIONSTORE)
}

pub(super) fn zinterstore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    store(ctx, args, Operation::Intersection, event::ZINTERSTORE)
}

pub(super) fn zdiffstore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    store(ctx, args, Operation::Difference, event::ZDIFFSTORE)
}

fn store(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    operation: Operation,
    event: Event,
) -> Result<Flow, Error> {
    let destination = args.key()?;
    let wanted = Wanted::read(ctx, args, operation, true)?;
    let limits = *ctx.db.limits();
    let zset = to_zset(&combine(&ctx.db, &wanted), &limits);
    let members = zset.len();
    ctx.db
        .put_collection(&destination, zset, Deadline::Clear, event);
    ctx.reply.integer(members as i64);
    Ok(Flow::Done)
}

fn to_zset(members: &[Member<'_>], limits: &Limits) -> Zset {
    Zset::from_sorted(members.iter().map(|m| (m.name, m.score)), limits)
}

pub(super) fn zintercard(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let keys = read_keys(ctx, args)?;
    look_up(&mut ctx.db, &keys)?;
    let mut limit = 0;
    while !args.is_empty() {
        if !args.flag("LIMIT") {
            return Err(Error::Syntax);
        }
        limit = args.natural(Error::Text("ERR LIMIT can't be negative"))?;
    }
    let now_ms = ctx.db.now_ms();
    let inputs = keys.iter().map(|key| Input::of(ctx.db.value(key), now_ms));
    let mut inputs: Vec<(Input<'_>, f64)> = inputs.map(|input| (input, 1.0)).collect();
    inputs.sort_by_key(|(input, _)| input.len());
    let mut count = 0;
    intersect(&inputs, Aggregate::Count, &mut |_| {
        count += 1;
        limit == 0 || count < limit
    });
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}
