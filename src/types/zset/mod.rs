//! Sorted sets: different strings, each with a score, ordered by score and by name where scores are equal.
//!
//! A small one is a listpack of name and score in turn, in that order (Redis' `listpack`); from
//! `zset-max-listpack-entries` members or `zset-max-listpack-value` bytes of a name on it is a [`Ranking`] (what OBJECT
//! ENCODING calls `skiplist`). Members with a deadline are kept in a ranking, whatever their number. It never becomes
//! small again in place.
//!
//! Scores are never NaN. Ranks count members whose deadline has passed until they are taken out, so the keyspace does
//! that before it lends such a value ([`Collection::must_settle`]).

pub(in crate::types) mod load;
mod packed;
mod range;

pub use range::{LexBound, LexRange, ScoreRange};

use super::{Collection, ElementSink, Form, Limits, Object, Scratch, Stored, Type, View, Walked};
use crate::base::number;
use crate::ds::listpack::{Element, Listpack, Pack};
use crate::ds::ranking::{Ranking, RankingBuilder};
use std::cmp::Ordering;
use std::ops::Range;

/// Members of a table that are asked for ahead of time, when several are looked up.
const PREFETCH_MIN: usize = 2;

/// A sorted set.
#[derive(Debug)]
pub enum Zset {
    /// Names and scores in turn.
    Packed(Listpack),
    /// A large one.
    Table(Box<Ranking>),
}

/// A sorted set that is being read.
#[derive(Clone, Copy, Debug)]
pub enum ZsetRef<'a> {
    /// Names and scores in turn.
    Packed(Pack<'a>),
    /// A large one.
    Table(&'a Ranking),
}

/// How two members stand to one another.
#[inline]
pub fn compare(one: (f64, &[u8]), other: (f64, &[u8])) -> Ordering {
    let scores = one.0.partial_cmp(&other.0).expect("scores are never NaN");
    scores.then_with(|| one.1.cmp(other.1))
}

/// When a member is to get its score.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rule {
    /// Only if it is not there.
    pub if_missing: bool,
    /// Only if it is there.
    pub if_present: bool,
    /// If it is there, only a greater score than it has.
    pub if_greater: bool,
    /// If it is there, only a lower one.
    pub if_less: bool,
    /// The score is added to the one it has.
    pub increment: bool,
}

impl Rule {
    /// The score that a member is to get which has `old`.
    fn score(self, old: f64, score: f64) -> Result<f64, Added> {
        if self.if_missing {
            return Err(Added::Refused);
        }
        let new = if self.increment { old + score } else { score };
        if new.is_nan() {
            return Err(Added::NotANumber);
        }
        if self.if_greater && new <= old || self.if_less && new >= old {
            return Err(Added::Refused);
        }
        if new == old {
            return Err(Added::Same(new));
        }
        Ok(new)
    }
}

/// What became of a member that was to get a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Added {
    /// It is new, with this score.
    New(f64),
    /// It has got this score.
    Changed(f64),
    /// It had this score already.
    Same(f64),
    /// The rule forbade it.
    Refused,
    /// The sum would be no number.
    NotANumber,
}

impl Default for Zset {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Zset {
    /// Whether a packed sorted set may have so many members, the longest of so many bytes.
    #[inline]
    fn may_be_packed(limits: &Limits, members: usize, name_bytes: usize) -> bool {
        members <= limits.zset_max_listpack_entries && name_bytes <= limits.zset_max_listpack_value
    }

    /// The sorted set of names and scores that come in order, each name once.
    pub fn from_sorted<'a>(
        sorted: impl ExactSizeIterator<Item = (Element<'a>, f64)> + Clone,
        limits: &Limits,
    ) -> Self {
        let longest = || sorted.clone().map(|(name, _)| name.text_bytes()).max();
        let few = sorted.len() <= limits.zset_max_listpack_entries;
        if few && Self::may_be_packed(limits, sorted.len(), longest().unwrap_or(0)) {
            let mut pack = Listpack::new();
            for (name, score) in sorted {
                pack.push_back_element(name);
                packed::push_score(&mut pack, score);
            }
            return Self::Packed(pack);
        }
        let mut ranking = RankingBuilder::new(limits.hasher);
        let mut room = Vec::new();
        sorted.for_each(|(name, score)| ranking.push(name.bytes(&mut room), score));
        Self::Table(Box::new(ranking.finish()))
    }

    /// The ranking that it is, or becomes.
    fn table(&mut self, limits: &Limits) -> &mut Ranking {
        if let Self::Packed(pack) = self {
            *self = Self::Table(Box::new(packed::to_ranking(pack.pack(), limits.hasher)));
        }
        match self {
            Self::Table(ranking) => ranking,
            Self::Packed(_) => unreachable!("it has just become a table"),
        }
    }

    /// So many members are about to be given scores: a listpack that could not hold them becomes a table at once.
    #[inline]
    fn expect(&mut self, members: usize, limits: &Limits) {
        if members > limits.zset_max_listpack_entries {
            self.table(limits);
        }
    }

    /// Gives a member a score, or adds to the one it has, if the rule allows.
    pub fn add(&mut self, name: &[u8], score: f64, rule: Rule, limits: &Limits) -> Added {
        let pack = match self {
            Self::Table(ranking) => return add_to_table(ranking, name, score, rule),
            Self::Packed(pack) => pack,
        };
        if let Some((at, old)) = packed::find(pack.pack(), name) {
            return match rule.score(old, score) {
                Err(outcome) => outcome,
                Ok(new) => {
                    packed::change_score(pack, at, name, new);
                    Added::Changed(new)
                }
            };
        }
        if rule.if_present {
            return Added::Refused;
        }
        let members = pack.pack().len() / 2 + 1;
        if Self::may_be_packed(limits, members, name.len()) && pack.has_room_for(name.len()) {
            packed::insert(pack, name, score);
        } else {
            let ranking = self.table(limits);
            let name = ranking.name(name);
            ranking.insert(&name, score, None);
        }
        Added::New(score)
    }

    /// Gives members scores one after the other; how many of them are new, and how many had another score.
    pub fn add_all<'n>(
        &mut self,
        members: impl ExactSizeIterator<Item = (&'n [u8], f64)>,
        rule: Rule,
        limits: &Limits,
    ) -> (i64, i64) {
        self.expect(members.len(), limits);
        let (mut new, mut changed) = (0, 0);
        for (name, score) in members {
            match self.add(name, score, rule, limits) {
                Added::New(_) => new += 1,
                Added::Changed(_) => changed += 1,
                Added::Same(_) | Added::Refused | Added::NotANumber => {}
            }
        }
        (new, changed)
    }

    /// Takes a member out; the score it had.
    pub fn remove(&mut self, name: &[u8]) -> Option<f64> {
        match self {
            Self::Packed(pack) => {
                let (at, score) = packed::find(pack.pack(), name)?;
                pack.remove(at, 2);
                Some(score)
            }
            Self::Table(ranking) => {
                let name = ranking.name(name);
                ranking.remove(&name)
            }
        }
    }

    /// Takes out the members of these ranks.
    pub fn remove_range(&mut self, ranks: Range<usize>) {
        match self {
            Self::Packed(pack) => packed::remove_range(pack, ranks),
            Self::Table(ranking) => ranking.remove_range(ranks, |_, _| {}),
        }
    }

    /// When a member expires; the outer `None`: there is no such member.
    pub fn deadline(&self, name: &[u8]) -> Option<Option<i64>> {
        self.view().deadline(name)
    }

    /// Sets or clears a member's deadline; whether there is such a member.
    pub fn set_deadline(&mut self, name: &[u8], deadline: Option<i64>, limits: &Limits) -> bool {
        if deadline.is_none() && matches!(self, Self::Packed(_)) {
            return self.view().score(name).is_some();
        }
        let ranking = self.table(limits);
        let name = ranking.name(name);
        ranking.set_deadline(&name, deadline)
    }
}

fn add_to_table(ranking: &mut Ranking, name: &[u8], score: f64, rule: Rule) -> Added {
    let name = ranking.name(name);
    let Some((position, old)) = ranking.find(&name) else {
        if rule.if_present {
            return Added::Refused;
        }
        ranking.insert(&name, score, None);
        return Added::New(score);
    };
    match rule.score(old, score) {
        Err(outcome) => outcome,
        Ok(new) => {
            ranking.set_score(position, name.bytes, old, new);
            Added::Changed(new)
        }
    }
}

impl<'a> ZsetRef<'a> {
    /// A member's score.
    #[inline]
    pub fn score(self, name: &[u8]) -> Option<f64> {
        match self {
            Self::Packed(pack) => packed::find(pack, name).map(|(_, score)| score),
            Self::Table(ranking) => ranking.find(&ranking.name(name)).map(|(_, score)| score),
        }
    }

    /// Asks for the cache lines of members that are about to be looked up.
    pub fn prefetch<'n>(self, names: impl Iterator<Item = &'n [u8]> + Clone) {
        if let Self::Table(ranking) = self
            && names.clone().nth(PREFETCH_MIN - 1).is_some()
        {
            let hasher = ranking.members().hasher();
            let hashes = names.map(|name| hasher.hash(name));
            ranking.members().prefetch(hashes);
        }
    }

    /// A member's rank and score.
    pub fn rank(self, name: &[u8]) -> Option<(usize, f64)> {
        match self {
            Self::Packed(pack) => packed::rank(pack, name),
            Self::Table(ranking) => {
                let (_, score) = ranking.find(&ranking.name(name))?;
                Some((ranking.rank(score, name), score))
            }
        }
    }

    /// The ranks of the members whose scores lie in `range`.
    pub fn ranks_of_scores(self, range: &ScoreRange) -> Range<usize> {
        let (start, end) = match self {
            Self::Packed(pack) => (
                packed::count_scores(pack, |score| range.is_below(score)),
                packed::count_scores(pack, |score| !range.is_above(score)),
            ),
            Self::Table(ranking) => (
                ranking.count_scores(|score| range.is_below(score)),
                ranking.count_scores(|score| !range.is_above(score)),
            ),
        };
        start..end.max(start)
    }

    /// The ranks of the members whose names lie in `range`, where all scores are equal.
    pub fn ranks_of_names(self, range: &LexRange<'_>) -> Range<usize> {
        let (start, end) = match self {
            Self::Packed(pack) => (
                packed::count_names(pack, |name| range.is_below(name)),
                packed::count_names(pack, |name| !range.is_above(name)),
            ),
            Self::Table(ranking) => (
                ranking.count_names(|name| range.is_below(name)),
                ranking.count_names(|name| !range.is_above(name)),
            ),
        };
        start..end.max(start)
    }

    /// The members of these ranks with their scores, in order or backwards.
    #[inline]
    pub fn for_each(
        self,
        ranks: Range<usize>,
        backwards: bool,
        mut visit: impl FnMut(Element<'a>, f64),
    ) {
        match self {
            Self::Packed(pack) => packed::for_each(pack, ranks, backwards, visit),
            Self::Table(ranking) => ranking.for_each(ranks, backwards, |name, score| {
                visit(Element::Bytes(name), score)
            }),
        }
    }

    /// The members of these ranks as a sorted set of their own.
    pub fn part(self, ranks: Range<usize>, limits: &Limits) -> Zset {
        let mut members = Vec::with_capacity(ranks.len());
        self.for_each(ranks, false, |name, score| members.push((name, score)));
        Zset::from_sorted(members.iter().copied(), limits)
    }

    /// All members with their scores, in no particular order: cheaper than in order.
    pub fn for_each_unordered(self, mut visit: impl FnMut(Element<'a>, f64)) {
        match self {
            Self::Packed(pack) => packed::for_each(pack, 0..usize::MAX, false, visit),
            Self::Table(ranking) => ranking
                .members()
                .iter()
                .for_each(|member| visit(Element::Bytes(member.name()), member.value())),
        }
    }

    /// One step of an iteration from `cursor`, after which the next one starts where this says (0: it is complete).
    pub fn scan(self, cursor: u64, mut visit: impl FnMut(Element<'_>, f64)) -> u64 {
        match self {
            Self::Packed(pack) => {
                packed::for_each(pack, 0..usize::MAX, false, visit);
                0
            }
            Self::Table(ranking) => ranking.members().scan(cursor, |member| {
                visit(Element::Bytes(member.name()), member.value())
            }),
        }
    }

    /// When a member expires; the outer `None`: there is no such member.
    pub fn deadline(self, name: &[u8]) -> Option<Option<i64>> {
        match self {
            Self::Packed(pack) => packed::find(pack, name).map(|_| None),
            Self::Table(ranking) => {
                let member = ranking.members().get(&ranking.name(name))?;
                Some(member.deadline())
            }
        }
    }
}

impl View for ZsetRef<'_> {
    fn encoding(self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
            Self::Table(_) => "skiplist",
        }
    }

    #[inline]
    fn len(self) -> usize {
        match self {
            Self::Packed(pack) => pack.len() / 2,
            Self::Table(ranking) => ranking.len(),
        }
    }

    fn visit(self, now_ms: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        let (mut name_room, mut score_room) = (Vec::new(), Vec::new());
        let mut show = |name: Element<'_>, score: f64| {
            score_room.clear();
            number::format_f64(score, &mut score_room);
            visit(&[name.bytes(&mut name_room), &score_room]);
        };
        match self {
            Self::Packed(_) => self.for_each(0..self.len(), false, show),
            Self::Table(ranking) => ranking
                .range(0..ranking.len())
                .filter(|(member, _)| member.lives(now_ms))
                .for_each(|(member, score)| show(Element::Bytes(member.name()), score)),
        }
    }
}

impl Stored for Zset {
    fn type_of(&self) -> Type {
        Type::Zset
    }

    fn len(&self) -> usize {
        self.view().len()
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(pack) => pack.capacity(),
            Self::Table(ranking) => size_of::<Ranking>() + ranking.heap_bytes(),
        }
    }

    fn free_effort(&self) -> usize {
        match self {
            Self::Packed(_) => 1,
            Self::Table(ranking) => ranking.free_effort(),
        }
    }

    fn copy(&self) -> Object {
        Object::Zset(match self {
            Self::Packed(pack) => Self::Packed(pack.clone()),
            Self::Table(ranking) => Self::Table(Box::new(ranking.copy())),
        })
    }

    fn first_deadline(&self) -> Option<i64> {
        match self {
            Self::Packed(_) => None,
            Self::Table(ranking) => {
                let (deadline, _) = ranking.members().first_expiring()?;
                Some(deadline)
            }
        }
    }

    fn expire_members(&mut self, now_ms: i64, max: usize, gone: &mut dyn FnMut(&[u8])) {
        if let Self::Table(ranking) = self {
            (0..max)
                .take_while(|_| ranking.expire_first(now_ms, gone))
                .for_each(drop);
        }
    }

    fn is_walkable(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    fn begin_walk(&mut self, mut sink: ElementSink) {
        if let Self::Table(ranking) = self {
            ranking.begin_walk(move |member| {
                sink(Walked {
                    name: member.name(),
                    value: None,
                    score: Some(member.value()),
                    deadline: member.deadline(),
                });
            });
        }
    }

    fn walk(&mut self, buckets: usize) -> bool {
        match self {
            Self::Table(ranking) => ranking.walk(buckets),
            _ => true,
        }
    }
}

impl Collection for Zset {
    const TYPE: Type = Type::Zset;
    type Ref<'a> = ZsetRef<'a>;

    #[inline]
    fn view(&self) -> ZsetRef<'_> {
        match self {
            Self::Packed(pack) => ZsetRef::Packed(pack.pack()),
            Self::Table(ranking) => ZsetRef::Table(ranking),
        }
    }

    #[inline]
    fn view_packed(_: Form, bytes: &[u8]) -> ZsetRef<'_> {
        ZsetRef::Packed(Pack::new(bytes))
    }

    #[inline]
    fn load(&mut self, _: Form, bytes: &[u8]) {
        match self {
            Self::Packed(pack) => pack.load(Pack::new(bytes)),
            // A scratch value that grew and was not written back.
            Self::Table(_) => {
                let mut pack = Listpack::new();
                pack.load(Pack::new(bytes));
                *self = Self::Packed(pack);
            }
        }
    }

    #[inline]
    fn packed(&self) -> Option<(Form, &[u8])> {
        match self {
            Self::Packed(pack) => Some((Form::Listpack, pack.pack().bytes())),
            Self::Table(_) => None,
        }
    }

    #[inline]
    fn must_settle(&self, now_ms: i64) -> bool {
        self.first_deadline()
            .is_some_and(|deadline| deadline < now_ms)
    }

    fn shrink(&mut self) {
        if let Self::Packed(pack) = self {
            pack.shrink();
        }
    }

    fn of(object: &Object) -> Option<&Self> {
        match object {
            Object::Zset(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Zset(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Zset(self)
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.zset
    }
}

#[cfg(test)]
mod tests;
