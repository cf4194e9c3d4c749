//! A counted B+ tree: what a large sorted set is ordered by. Elements are ordered by score, and by name where scores are
//! equal.
//!
//! ```text
//! inner   for each child: the score and handle of its first element | elements below it | the child
//! leaf    number | scores of all its elements | handles of all its elements
//! ```
//! The tree keeps no names: a handle leads to the member's record, and whoever searches says how an element compares
//! with what is sought. A search by score alone touches one or two cache lines of a leaf and no record.
//!
//! What must hold:
//! - All leaves stand at one height; no node is empty.
//! - `first` and `count` of a child are always exact, so no handle of a member that left stays anywhere.
//! - A node that is full gives to a sibling with room before it is split: random insertion fills leaves to some 80 %. At
//!   the right end it is split so that nearly all stays: ascending insertion leaves full nodes behind.
//! - Scores are never NaN. There are at most [`ELEMENTS_MAX`] elements.

mod node;

use node::{Inner, Leaf, Node};
use std::cmp::Ordering;
use std::ops::Range;

/// Elements of one tree: counts are kept in 32 bits.
pub const ELEMENTS_MAX: usize = u32::MAX as usize;

/// A leaf's elements where nothing else is said: with handles of six bytes a leaf takes 880 bytes.
pub const LEAF_ENTRIES: usize = 62;
/// An inner node's children where nothing else is said.
pub const INNER_CHILDREN: usize = 28;

/// An element: its score, and what leads to its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<H> {
    /// Not NaN.
    pub score: f64,
    /// What leads to the member.
    pub handle: H,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Tree<H, const L: usize = LEAF_ENTRIES, const I: usize = INNER_CHILDREN> {
    root: Option<Node<H, L, I>>,
}

impl<H: Copy, const L: usize, const I: usize> Default for Tree<H, L, I> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: Copy, const L: usize, const I: usize> Tree<H, L, I> {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        assert!(
            L >= 4 && I >= 4,
            "nodes of fewer cannot be split and merged"
        );
        Self { root: None }
    }

    /// The tree of elements that come in order.
    pub fn from_sorted(entries: impl Iterator<Item = Entry<H>>) -> Self {
        let mut leaves: Vec<Node<H, L, I>> = Vec::new();
        for entry in entries {
            match leaves.last_mut() {
                Some(Node::Leaf(leaf)) if leaf.len() < L => leaf.insert(leaf.len(), entry),
                _ => leaves.push(Node::Leaf(Leaf::of(entry))),
            }
        }
        let mut level = leaves;
        while level.len() > 1 {
            let mut above: Vec<Node<H, L, I>> = Vec::with_capacity(level.len().div_ceil(I));
            for node in level {
                match above.last_mut() {
                    Some(Node::Inner(inner)) if inner.len() < I => inner.push(node),
                    _ => above.push(Node::Inner(Inner::of(node))),
                }
            }
            level = above;
        }
        Self { root: level.pop() }
    }

    /// Elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.root.as_ref().map_or(0, Node::count)
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Bytes of all nodes.
    pub fn heap_bytes(&self) -> usize {
        self.root.as_ref().map_or(0, Node::heap_bytes)
    }

    /// Nodes, more or less: what freeing it costs.
    pub fn free_effort(&self) -> usize {
        self.len().div_ceil(L / 2)
    }

    /// Adds an element. `order` compares any element with the new one, which none equals.
    pub fn insert(&mut self, entry: Entry<H>, order: impl Fn(f64, H) -> Ordering) {
        let Some(root) = &mut self.root else {
            self.root = Some(Node::Leaf(Leaf::of(entry)));
            return;
        };
        if root.is_full() {
            let old = std::mem::replace(root, Node::Leaf(Leaf::of(entry)));
            *root = Node::Inner(Inner::of(old));
        }
        let (mut node, mut at_edge) = (root, true);
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let at = leaf.search(&order);
                    return leaf.insert(at, entry);
                }
                Node::Inner(inner) => {
                    let mut at = inner.search(&order);
                    if inner.child(at).is_full() {
                        inner.make_room(at, at_edge && at + 1 == inner.len());
                        at = inner.search(&order);
                    }
                    at_edge &= at + 1 == inner.len();
                    node = inner.child_for_new(at, entry, &order);
                }
            }
        }
    }

    /// Takes out the element that `order` calls equal to what is sought.
    pub fn remove(&mut self, order: impl Fn(f64, H) -> Ordering) -> Option<Entry<H>> {
        let (removed, _) = self.root.as_mut()?.remove(&order)?;
        self.lower_root();
        Some(removed)
    }

    /// Takes out the element of this rank.
    pub fn remove_at(&mut self, rank: usize) -> Option<Entry<H>> {
        if rank >= self.len() {
            return None;
        }
        let removed = self.root.as_mut()?.remove_at(rank);
        self.lower_root();
        Some(removed)
    }

    /// Takes out the elements of these ranks, each of which is shown to `visit`, in order.
    pub fn remove_range(&mut self, ranks: Range<usize>, mut visit: impl FnMut(Entry<H>)) {
        let len = self.len();
        let (start, end) = (ranks.start, ranks.end.min(len));
        if start >= end {
            return;
        }
        match &mut self.root {
            Some(root) if end - start < len => root.remove_range(start, end, &mut visit),
            root => {
                if let Some(root) = root.take() {
                    root.for_each(&mut visit);
                }
            }
        }
        self.lower_root();
    }

    /// Gives the element that `old_order` calls equal the score `new_score`; `new_order` compares any other element with
    /// what it becomes. Where it stays between elements of one leaf, nothing above the leaf changes.
    pub fn change_score(
        &mut self,
        new_score: f64,
        old_order: impl Fn(f64, H) -> Ordering,
        new_order: impl Fn(f64, H) -> Ordering,
    ) -> bool {
        let Some(root) = &mut self.root else {
            return false;
        };
        let (leaf, at) = root.leaf_of(&old_order);
        let Some(old) = leaf
            .get(at)
            .filter(|old| old_order(old.score, old.handle).is_eq())
        else {
            return false;
        };
        if !leaf.move_within(at, new_score, &new_order) {
            self.remove(old_order);
            let entry = Entry {
                score: new_score,
                ..old
            };
            self.insert(entry, new_order);
        }
        true
    }

    fn lower_root(&mut self) {
        while let Some(Node::Inner(inner)) = &mut self.root
            && inner.len() <= 1
        {
            self.root = inner.take_only();
        }
        if self.root.as_ref().is_some_and(Node::is_empty) {
            self.root = None;
        }
    }

    /// How many elements `is_before` holds for: it must hold for all up to some rank and for none after.
    pub fn count_while(&self, is_before: impl Fn(f64, H) -> bool) -> usize {
        let Some(mut node) = self.root.as_ref() else {
            return 0;
        };
        let mut rank = 0;
        loop {
            match node {
                Node::Leaf(leaf) => return rank + leaf.partition(&is_before),
                Node::Inner(inner) => {
                    let at = inner.partition(&is_before);
                    let Some(at) = at.checked_sub(1) else {
                        return rank;
                    };
                    rank += inner.count_before(at);
                    node = inner.child(at);
                }
            }
        }
    }

    /// The element of this rank.
    pub fn nth(&self, rank: usize) -> Option<Entry<H>> {
        let (leaf, at) = self.leaf_at(rank)?;
        leaf.get(at)
    }

    /// The leaf with the element of this rank, and its place in it.
    fn leaf_at(&self, mut rank: usize) -> Option<(&Leaf<H, L>, usize)> {
        let mut node = self.root.as_ref()?;
        loop {
            match node {
                Node::Leaf(leaf) => return (rank < leaf.len()).then_some((leaf, rank)),
                Node::Inner(inner) => {
                    let (at, rest) = inner.child_with(rank)?;
                    (node, rank) = (inner.child(at), rest);
                }
            }
        }
    }

    /// All elements in order; from both ends.
    pub fn iter(&self) -> Iter<'_, H, L, I> {
        self.range(0..self.len())
    }

    /// The elements of these ranks in order; from both ends.
    pub fn range(&self, ranks: Range<usize>) -> Iter<'_, H, L, I> {
        let end = ranks.end.min(self.len());
        Iter {
            tree: self,
            front: ranks.start.min(end),
            back: end,
            head: (&[], &[]),
            tail: (&[], &[]),
        }
    }
}

/// Scores and handles of neighbours in one leaf, as many of the ones as of the others.
pub type Run<'t, H> = (&'t [f64], &'t [H]);

/// Goes through a tree from either end. A leaf is looked up by its rank when the one before it is exhausted.
#[derive(Debug)]
pub struct Iter<'t, H, const L: usize = LEAF_ENTRIES, const I: usize = INNER_CHILDREN> {
    tree: &'t Tree<H, L, I>,
    front: usize,
    back: usize,
    /// The elements from `front` on, in its leaf.
    head: Run<'t, H>,
    /// The elements before `back`, in the leaf of the last of them.
    tail: Run<'t, H>,
}

impl<'t, H: Copy, const L: usize, const I: usize> Iter<'t, H, L, I> {
    /// The next elements that stand in one leaf: much cheaper than one by one. Not to be mixed with `next`.
    #[inline]
    pub fn next_run(&mut self) -> Option<Run<'t, H>> {
        if self.front >= self.back {
            return None;
        }
        let (leaf, at) = self.tree.leaf_at(self.front)?;
        let end = leaf.len().min(at + self.back - self.front);
        self.front += end - at;
        Some((leaf.scores().get(at..end)?, leaf.handles().get(at..end)?))
    }

    /// The last elements that stand in one leaf, in order. Not to be mixed with `next_back`.
    #[inline]
    pub fn next_run_back(&mut self) -> Option<Run<'t, H>> {
        if self.front >= self.back {
            return None;
        }
        let (leaf, at) = self.tree.leaf_at(self.back - 1)?;
        let count = (at + 1).min(self.back - self.front);
        self.back -= count;
        let run = at + 1 - count..at + 1;
        Some((leaf.scores().get(run.clone())?, leaf.handles().get(run)?))
    }
}

impl<H: Copy, const L: usize, const I: usize> Iterator for Iter<'_, H, L, I> {
    type Item = Entry<H>;

    #[inline]
    fn next(&mut self) -> Option<Entry<H>> {
        if self.front >= self.back {
            return None;
        }
        if self.head.0.is_empty() {
            let (leaf, at) = self.tree.leaf_at(self.front)?;
            self.head = (leaf.scores().get(at..)?, leaf.handles().get(at..)?);
        }
        self.front += 1;
        let ((score, scores), (handle, handles)) =
            (self.head.0.split_first()?, self.head.1.split_first()?);
        self.head = (scores, handles);
        Some(Entry {
            score: *score,
            handle: *handle,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.back - self.front;
        (left, Some(left))
    }
}

impl<H: Copy, const L: usize, const I: usize> DoubleEndedIterator for Iter<'_, H, L, I> {
    #[inline]
    fn next_back(&mut self) -> Option<Entry<H>> {
        if self.front >= self.back {
            return None;
        }
        if self.tail.0.is_empty() {
            let (leaf, at) = self.tree.leaf_at(self.back - 1)?;
            self.tail = (leaf.scores().get(..=at)?, leaf.handles().get(..=at)?);
        }
        self.back -= 1;
        let ((score, scores), (handle, handles)) =
            (self.tail.0.split_last()?, self.tail.1.split_last()?);
        self.tail = (scores, handles);
        Some(Entry {
            score: *score,
            handle: *handle,
        })
    }
}

impl<H: Copy, const L: usize, const I: usize> ExactSizeIterator for Iter<'_, H, L, I> {}

#[cfg(test)]
mod tests;
