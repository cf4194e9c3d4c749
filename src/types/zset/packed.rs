//! The small form of a sorted set: names and scores in turn in a listpack, in the order of scores and names.
//!
//! A whole score is kept as an integer, any other as its shortest text, as Redis keeps them. Names are searched without a
//! look at the scores; a place for a new score is searched from the end, where ascending scores go.

use crate::base::hash::Hasher;
use crate::base::number::{self, Decimal};
use crate::ds::listpack::{Element, Items, Listpack, Pack};
use crate::ds::ranking::{Ranking, RankingBuilder};
use std::cmp::Ordering;
use std::ops::Range;

/// The longest text of a double is shorter.
const SCORE_TEXT_BYTES: usize = 32;

/// The score that an element is.
#[inline]
fn score_of(element: Element<'_>) -> f64 {
    match element {
        Element::Int(value) => value as f64,
        Element::Bytes(text) => number::parse_f64(text).expect("scores are written as numbers"),
    }
}

/// The integer that a score can be kept as.
#[inline]
fn whole(score: f64) -> Option<i64> {
    /// Integers up to 2^53 are doubles without loss.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let integer = score as i64;
    (score.abs() <= EXACT_MAX && integer as f64 == score).then_some(integer)
}

fn text_of(score: f64) -> Vec<u8> {
    let mut text = Vec::with_capacity(SCORE_TEXT_BYTES);
    number::format_f64(score, &mut text);
    text
}

/// Adds a score behind its name.
#[inline]
pub(super) fn push_score(pack: &mut Listpack, score: f64) {
    match whole(score) {
        Some(value) => pack.push_back_int(value),
        None => pack.push_back(&text_of(score)),
    }
}

/// A name, its score, and where the name stands.
struct Pair<'a> {
    at: usize,
    name: Element<'a>,
    score: Element<'a>,
}

impl Pair<'_> {
    /// How it stands to a member of this score and name.
    #[inline]
    fn compare(&self, score: f64, name: &[u8]) -> Ordering {
        match (score_of(self.score), self.name) {
            (own, _) if own < score => Ordering::Less,
            (own, _) if own > score => Ordering::Greater,
            (_, Element::Bytes(own)) => own.cmp(name),
            (_, Element::Int(own)) => Decimal::new(own).bytes().cmp(name),
        }
    }
}

#[inline]
fn next<'a>(items: &mut Items<'a>) -> Option<Pair<'a>> {
    let (name, score) = (items.next()?, items.next()?);
    Some(Pair {
        at: name.at,
        name: name.element,
        score: score.element,
    })
}

#[inline]
fn next_back<'a>(items: &mut Items<'a>) -> Option<Pair<'a>> {
    let (score, name) = (items.next_back()?, items.next_back()?);
    Some(Pair {
        at: name.at,
        name: name.element,
        score: score.element,
    })
}

/// Where a member's name stands, and its score.
#[inline]
pub(super) fn find(pack: Pack<'_>, name: &[u8]) -> Option<(usize, f64)> {
    let at = pack.find(name, 2)?.at;
    let score = pack.next(at)?;
    Some((at, score_of(score.element)))
}

/// Adds a member that is not there at its place.
pub(super) fn insert(pack: &mut Listpack, name: &[u8], score: f64) {
    let at = place_for(pack, name, score);
    if at == pack.end() {
        pack.push_back(name);
        return push_score(pack, score);
    }
    // The score first: the name then comes before it, at the same place.
    match whole(score) {
        Some(value) => pack.insert_int(at, value),
        None => pack.insert(at, &text_of(score)),
    }
    pack.insert(at, name);
}

/// Where a member with this score belongs.
fn place_for(pack: &Listpack, name: &[u8], score: f64) -> usize {
    let mut items = pack.pack().iter();
    let mut place = pack.end();
    while let Some(pair) = next_back(&mut items)
        && pair.compare(score, name).is_gt()
    {
        place = pair.at;
    }
    place
}

/// Gives the member whose name stands at `at` another score.
pub(super) fn change_score(pack: &mut Listpack, at: usize, name: &[u8], score: f64) {
    if !stays_in_place(pack.pack(), at, name, score) {
        pack.remove(at, 2);
        return insert(pack, name, score);
    }
    let old = pack.pack().next(at).expect("a score follows each name");
    match whole(score) {
        Some(value) => pack.replace_int(old.at, value),
        None => pack.replace(old.at, &text_of(score)),
    }
}

/// Whether the member at `at` keeps its neighbours with this score.
fn stays_in_place(pack: Pack<'_>, at: usize, name: &[u8], score: f64) -> bool {
    let before = next_back(&mut pack.iter_until(at));
    if before.is_some_and(|pair| pair.compare(score, name).is_gt()) {
        return false;
    }
    let mut items = pack.iter_from(at);
    next(&mut items);
    next(&mut items).is_none_or(|pair| pair.compare(score, name).is_gt())
}

/// Takes out the members of these ranks.
pub(super) fn remove_range(pack: &mut Listpack, ranks: Range<usize>) {
    let count = ranks.end.saturating_sub(ranks.start).saturating_mul(2);
    if let Some(item) = pack.pack().nth(ranks.start.saturating_mul(2)) {
        pack.remove(item.at, count);
    }
}

/// A member's rank and score.
pub(super) fn rank(pack: Pack<'_>, name: &[u8]) -> Option<(usize, f64)> {
    let (at, score) = find(pack, name)?;
    let (mut items, mut before) = (pack.iter_until(at), 0);
    while items.nth(1).is_some() {
        before += 1;
    }
    Some((before, score))
}

/// How many scores from the first on `is_before` holds for.
pub(super) fn count_scores(pack: Pack<'_>, is_before: impl Fn(f64) -> bool) -> usize {
    let mut items = pack.iter();
    let mut count = 0;
    // Only the second of two is looked at.
    while let Some(score) = items.nth(1)
        && is_before(score_of(score.element))
    {
        count += 1;
    }
    count
}

/// The same for names.
pub(super) fn count_names(pack: Pack<'_>, is_before: impl Fn(&[u8]) -> bool) -> usize {
    let mut items = pack.iter();
    let (mut count, mut room) = (0, Vec::new());
    while let Some(pair) = next(&mut items)
        && is_before(pair.name.bytes(&mut room))
    {
        count += 1;
    }
    count
}

/// The members of these ranks with their scores, in order or backwards.
#[inline]
pub(super) fn for_each<'a>(
    pack: Pack<'a>,
    ranks: Range<usize>,
    backwards: bool,
    mut visit: impl FnMut(Element<'a>, f64),
) {
    let len = pack.len() / 2;
    let end = ranks.end.min(len);
    if ranks.start >= end {
        return;
    }
    let count = end - ranks.start;
    let mut left = count;
    if backwards {
        let mut items = match pack.nth(end * 2) {
            Some(after) => pack.iter_until(after.at),
            None => pack.iter(),
        };
        while left > 0
            && let Some(pair) = next_back(&mut items)
        {
            visit(pair.name, score_of(pair.score));
            left -= 1;
        }
    } else if let Some(first) = pack.nth(ranks.start * 2) {
        let mut items = pack.iter_from(first.at);
        while left > 0
            && let Some(pair) = next(&mut items)
        {
            visit(pair.name, score_of(pair.score));
            left -= 1;
        }
    }
}

/// The same members as a table.
pub(super) fn to_ranking(pack: Pack<'_>, hasher: Hasher) -> Ranking {
    let mut builder = RankingBuilder::new(hasher);
    let mut room = Vec::new();
    for_each(pack, 0..usize::MAX, false, |name, score| {
        builder.push(name.bytes(&mut room), score);
    });
    builder.finish()
}
