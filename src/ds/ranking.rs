//! The members of a large sorted set: by name in [`Members`], in order of score and name in a [`Tree`].
//!
//! Both lead to the same record; the score stands in the record and in the tree's leaf. Invariant: the tree holds the
//! handle of each member exactly once, under the score of its record, and no other handle; what adds, moves or frees a
//! record changes both in one go.

use super::bptree::{Entry, Iter, Tree};
use super::members::{Handle, MemberRef, Members, Name, WithScore};
use super::table::{Position, Slot};
use crate::base::hash::Hasher;
use std::cmp::Ordering;
use std::ops::Range;

/// Records that a walk asks for before it comes to them.
const AHEAD: usize = 6;

/// A handle in the six bytes that its number needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link([u16; 3]);

impl Link {
    #[inline]
    fn new(handle: Handle<WithScore>) -> Self {
        let bits = handle.bits();
        Self([bits as u16, (bits >> 16) as u16, (bits >> 32) as u16])
    }

    #[inline]
    fn handle(self) -> Handle<WithScore> {
        let [low, middle, high] = self.0.map(u64::from);
        // SAFETY: links are made of handles alone, and leave the tree before their record is freed.
        unsafe { Handle::from_bits(low | middle << 16 | high << 32) }
    }
}

/// How a member of this score and name compares with those of the tree.
#[inline]
fn order_of(score: f64, name: &[u8]) -> impl Fn(f64, Link) -> Ordering + Copy {
    move |other, link| {
        if other < score {
            Ordering::Less
        } else if other > score {
            Ordering::Greater
        } else {
            link.handle().name().cmp(name)
        }
    }
}

/// See the head of the file.
#[derive(Debug)]
pub struct Ranking {
    members: Members<WithScore>,
    tree: Tree<Link>,
}

impl Ranking {
    /// An empty one under the keyspace's hash secret.
    pub fn new(hasher: Hasher) -> Self {
        Self {
            members: Members::new(hasher),
            tree: Tree::new(),
        }
    }

    /// The members by name, for reading.
    #[inline]
    pub fn members(&self) -> &Members<WithScore> {
        &self.members
    }

    /// Starts a point-in-time walk; see [`Members::begin_walk`].
    pub fn begin_walk(&mut self, sink: impl FnMut(MemberRef<'_, WithScore>) + Send + 'static) {
        self.members.begin_walk(sink);
    }

    /// Goes on with the walk for up to `buckets` buckets; whether it is complete.
    pub fn walk(&mut self, buckets: usize) -> bool {
        self.members.walk(buckets)
    }

    /// Members.
    #[inline]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Bytes of records, table and tree.
    pub fn heap_bytes(&self) -> usize {
        self.members.heap_bytes() + self.tree.heap_bytes()
    }

    /// Allocations, more or less.
    pub fn free_effort(&self) -> usize {
        self.members.len() + self.tree.free_effort()
    }

    /// The name with its hash.
    #[inline]
    pub fn name<'a>(&self, bytes: &'a [u8]) -> Name<'a> {
        self.members.name(bytes)
    }

    /// A member's place until the next change, and its score.
    #[inline]
    pub fn find(&self, name: &Name<'_>) -> Option<(Position, f64)> {
        let (position, member) = self.members.find(name)?;
        Some((position, member.value()))
    }

    /// Adds a member that is not there.
    pub fn insert(&mut self, name: &Name<'_>, score: f64, deadline: Option<i64>) {
        let handle = self.members.insert(name, score, deadline).handle();
        let entry = Entry {
            score,
            handle: Link::new(handle),
        };
        self.tree.insert(entry, order_of(score, name.bytes));
    }

    /// Gives the member at `position`, which has this name and the score `old`, another score.
    pub fn set_score(&mut self, position: Position, name: &[u8], old: f64, new: f64) {
        let there = self
            .tree
            .change_score(new, order_of(old, name), order_of(new, name));
        assert!(there, "a member is in the tree under its score");
        self.members.set(position, new);
    }

    /// Takes a member out; its score.
    pub fn remove(&mut self, name: &Name<'_>) -> Option<f64> {
        let (position, score) = self.find(name)?;
        let removed = self.tree.remove(order_of(score, name.bytes));
        assert!(removed.is_some(), "a member is in the tree under its score");
        self.members.remove(position, name.hash);
        Some(score)
    }

    /// Takes out the member whose deadline is the earliest, if that is before `now_ms`; `gone` is told its name.
    pub fn expire_first(&mut self, now_ms: i64, gone: &mut dyn FnMut(&[u8])) -> bool {
        let first = self.members.first_expiring();
        let Some((_, member)) = first.filter(|(deadline, _)| *deadline < now_ms) else {
            return false;
        };
        let bytes = member.name().to_vec();
        gone(&bytes);
        self.remove(&self.name(&bytes)).is_some()
    }

    /// Takes out the members of these ranks; each is shown to `visit` before it goes.
    pub fn remove_range(&mut self, ranks: Range<usize>, mut visit: impl FnMut(&[u8], f64)) {
        let members = &mut self.members;
        self.tree.remove_range(ranks, |entry| {
            let handle = entry.handle.handle();
            visit(handle.name(), entry.score);
            let hash = handle.hash(&members.hasher());
            let name = Name {
                bytes: handle.name(),
                hash,
            };
            let (position, _) = members
                .find(&name)
                .expect("what the tree holds is a member");
            members.remove(position, hash);
        });
    }

    /// Sets or clears a member's deadline; whether there is such a member.
    pub fn set_deadline(&mut self, name: &Name<'_>, deadline: Option<i64>) -> bool {
        let Some((position, member)) = self.members.find(name) else {
            return false;
        };
        let score = member.value();
        if member.deadline().is_some() == deadline.is_some() {
            self.members.set_deadline(position, deadline);
            return true;
        }
        // The record moves: the tree must not know the old one any more, nor look at it while it learns of the new one.
        let removed = self.tree.remove(order_of(score, name.bytes));
        assert!(removed.is_some(), "a member is in the tree under its score");
        let handle = self.members.set_deadline(position, deadline).handle();
        let entry = Entry {
            score,
            handle: Link::new(handle),
        };
        self.tree.insert(entry, order_of(score, name.bytes));
        true
    }

    /// How many members come before one of this score and name.
    pub fn rank(&self, score: f64, name: &[u8]) -> usize {
        let order = order_of(score, name);
        self.tree
            .count_while(|other, link| order(other, link).is_lt())
    }

    /// How many members have a score that `is_before` holds for: for all up to some score, for none after.
    #[inline]
    pub fn count_scores(&self, is_before: impl Fn(f64) -> bool) -> usize {
        self.tree.count_while(|score, _| is_before(score))
    }

    /// The same by name, where all scores are equal.
    pub fn count_names(&self, is_before: impl Fn(&[u8]) -> bool) -> usize {
        self.tree
            .count_while(|_, link| is_before(link.handle().name()))
    }

    /// The member of this rank, and its score.
    pub fn nth(&self, rank: usize) -> Option<(MemberRef<'_, WithScore>, f64)> {
        let entry = self.tree.nth(rank)?;
        Some((MemberRef::new(entry.handle.handle()), entry.score))
    }

    /// The names and scores of the members of these ranks, in order or backwards. The records of those to come are asked
    /// for ahead of time.
    #[inline]
    pub fn for_each<'a>(
        &'a self,
        ranks: Range<usize>,
        backwards: bool,
        mut visit: impl FnMut(&'a [u8], f64),
    ) {
        let ask = |link: Option<&Link>| link.into_iter().for_each(|link| link.handle().prefetch());
        let mut members = self.tree.range(ranks);
        if backwards {
            while let Some((scores, links)) = members.next_run_back() {
                links
                    .iter()
                    .rev()
                    .take(AHEAD)
                    .for_each(|link| ask(Some(link)));
                for (at, (score, link)) in scores.iter().zip(links).enumerate().rev() {
                    ask(at.checked_sub(AHEAD).and_then(|ahead| links.get(ahead)));
                    visit(link.handle().name(), *score);
                }
            }
        } else {
            while let Some((scores, links)) = members.next_run() {
                links.iter().take(AHEAD).for_each(|link| ask(Some(link)));
                for (at, (score, link)) in scores.iter().zip(links).enumerate() {
                    ask(links.get(at + AHEAD));
                    visit(link.handle().name(), *score);
                }
            }
        }
    }

    /// The members of these ranks in order; from both ends.
    #[inline]
    pub fn range(&self, ranks: Range<usize>) -> Ranked<'_> {
        Ranked(self.tree.range(ranks))
    }

    /// An equal one that shares nothing.
    pub fn copy(&self) -> Self {
        let mut members = Members::new(self.members.hasher());
        let entries = self.range(0..self.len()).map(|(member, score)| {
            let name = members.name(member.name());
            let copied = members.insert(&name, score, member.deadline());
            Entry {
                score,
                handle: Link::new(copied.handle()),
            }
        });
        let tree = Tree::from_sorted(entries);
        Self { members, tree }
    }
}

/// Makes a ranking of members that come in order, each name once: much cheaper than one insertion after another. In any
/// order, and perhaps twice, they come through [`RankingBuilder::add`].
#[derive(Debug)]
pub struct RankingBuilder {
    members: Members<WithScore>,
    entries: Vec<Entry<Link>>,
    unordered: bool,
}

impl RankingBuilder {
    /// Of no members yet.
    pub fn new(hasher: Hasher) -> Self {
        Self {
            members: Members::new(hasher),
            entries: Vec::new(),
            unordered: false,
        }
    }

    /// Adds the next member.
    pub fn push(&mut self, name: &[u8], score: f64) {
        let name = self.members.name(name);
        let handle = self.members.insert(&name, score, None).handle();
        self.entries.push(Entry {
            score,
            handle: Link::new(handle),
        });
    }

    /// Adds members that come in no order; whether each was not there. Look-ups overlap.
    pub fn add<'n>(&mut self, members: impl Iterator<Item = (&'n [u8], f64)> + Clone) -> bool {
        self.unordered = true;
        let hasher = self.members.hasher();
        self.members
            .prefetch(members.clone().map(|(name, _)| hasher.hash(name)));
        for (name, score) in members {
            if self.members.get(&self.members.name(name)).is_some() {
                return false;
            }
            self.push(name, score);
        }
        true
    }

    /// The ranking of them.
    pub fn finish(mut self) -> Ranking {
        if self.unordered {
            self.entries.sort_unstable_by(|one, other| {
                let name = |entry: &Entry<Link>| entry.handle.handle().name();
                let scores = one.score.partial_cmp(&other.score);
                let scores = scores.expect("scores are never NaN");
                scores.then_with(|| name(one).cmp(name(other)))
            });
        }
        Ranking {
            members: self.members,
            tree: Tree::from_sorted(self.entries.into_iter()),
        }
    }
}

/// Goes through members in order. See [`Ranking::range`].
#[derive(Debug)]
pub struct Ranked<'a>(Iter<'a, Link>);

impl<'a> Iterator for Ranked<'a> {
    type Item = (MemberRef<'a, WithScore>, f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.0.next()?;
        Some((MemberRef::new(entry.handle.handle()), entry.score))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Ranked<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = self.0.next_back()?;
        Some((MemberRef::new(entry.handle.handle()), entry.score))
    }
}

impl ExactSizeIterator for Ranked<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use std::collections::BTreeMap;

    fn assert_equal(ranking: &Ranking, model: &BTreeMap<Vec<u8>, (i64, Option<i64>)>) {
        let mut wanted: Vec<(i64, &[u8], Option<i64>)> = model
            .iter()
            .map(|(name, (score, deadline))| (*score, name.as_slice(), *deadline))
            .collect();
        wanted.sort();
        let content: Vec<(i64, &[u8], Option<i64>)> = ranking
            .range(0..ranking.len())
            .map(|(member, score)| (score as i64, member.name(), member.deadline()))
            .collect();
        assert_eq!(content, wanted);
        for (rank, (score, name, _)) in wanted.iter().enumerate().step_by(11) {
            assert_eq!(ranking.rank(*score as f64, name), rank);
            let found = ranking.find(&ranking.name(name)).map(|(_, score)| score);
            assert_eq!(found, Some(*score as f64));
        }
        let backwards: Vec<&[u8]> = ranking
            .range(0..ranking.len())
            .rev()
            .map(|(member, _)| member.name())
            .collect();
        assert!(backwards.iter().rev().eq(wanted.iter().map(|w| &w.1)));
        let part = wanted.len() / 4..wanted.len() / 2;
        for backwards in [false, true] {
            let mut seen = Vec::new();
            ranking.for_each(part.clone(), backwards, |name, score| {
                seen.push((score as i64, name))
            });
            if backwards {
                seen.reverse();
            }
            let names = wanted[part.clone()].iter().map(|w| (w.0, w.1));
            assert!(names.eq(seen));
        }
    }

    #[test]
    fn model_members_stay_in_order_through_all_changes() {
        let operations: usize = std::env::var("OXIDIS_MODEL_OPERATIONS")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(20_000);
        let mut random = Random::from_seed(9);
        let mut ranking = Ranking::new(Hasher::new(1, 2));
        let mut model = BTreeMap::new();
        for step in 0..operations {
            let bytes = format!("member:{}", random.below(700)).into_bytes();
            let name = ranking.name(&bytes);
            let score = random.below(50) as i64;
            let deadline = (random.below(2) == 0).then(|| random.below(1000) as i64);
            match (ranking.find(&name), random.below(6)) {
                (None, _) => {
                    ranking.insert(&name, score as f64, deadline);
                    model.insert(bytes, (score, deadline));
                }
                (Some(_), 0) => {
                    let old = model.remove(&bytes).map(|(score, _)| score as f64);
                    assert_eq!(ranking.remove(&name), old);
                }
                (Some(_), 1) => {
                    assert!(ranking.set_deadline(&name, deadline));
                    model.entry(bytes).and_modify(|entry| entry.1 = deadline);
                }
                (Some(_), 2) if step % 40 == 0 => {
                    let start = random.below(ranking.len() as u64) as usize;
                    ranking.remove_range(start..start + 30, |name, score| {
                        let old = model.remove(name).map(|(score, _)| score as f64);
                        assert_eq!(old, Some(score));
                    });
                }
                (Some((position, old)), _) => {
                    ranking.set_score(position, &bytes, old, score as f64);
                    model.entry(bytes).and_modify(|entry| entry.0 = score);
                }
            }
            if step % 500 == 0 {
                assert_equal(&ranking, &model);
                assert_equal(&ranking.copy(), &model);
            }
        }
        let mut builder = RankingBuilder::new(Hasher::new(3, 4));
        for (member, score) in ranking.range(0..ranking.len()) {
            builder.push(member.name(), score);
        }
        model.values_mut().for_each(|entry| entry.1 = None);
        assert_equal(&builder.finish(), &model);
    }
}
