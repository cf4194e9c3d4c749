//! The nodes of the tree: leaves and inner nodes, and what siblings do for one another. Invariants at the head of
//! [`super`].

use super::Entry;
use std::cmp::Ordering;

/// A node with fewer than this part of its capacity takes from a sibling or joins it.
const UNDERFULL_PART: usize = 3;
/// A sibling with at least this part of its capacity free takes elements of a full node.
const ROOM_PART: usize = 8;
/// At the right end only this part of a full node goes to the new one.
const EDGE_PART: usize = 16;

/// The first of `len` places that `is_before` does not hold for.
#[inline]
fn partition(len: usize, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut left) = (0, len);
    while left > 0 {
        let half = left / 2;
        if is_before(low + half) {
            low += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    low
}

/// Moves what stands in `array` from `at` to `len` by one place to the right, and puts `value` there.
#[inline]
fn put<T: Copy>(array: &mut [T], at: usize, len: usize, value: T) {
    array.copy_within(at..len, at + 1);
    array[at] = value;
}

/// Moves the first `n` of `right` behind the `left_len` of `left`.
#[inline]
fn to_left<T: Copy>(left: &mut [T], left_len: usize, right: &mut [T], right_len: usize, n: usize) {
    left[left_len..left_len + n].copy_from_slice(&right[..n]);
    right.copy_within(n..right_len, 0);
}

/// Moves the last `n` of `left` before the `right_len` of `right`.
#[inline]
fn to_right<T: Copy>(left: &mut [T], left_len: usize, right: &mut [T], right_len: usize, n: usize) {
    right.copy_within(0..right_len, n);
    right[..n].copy_from_slice(&left[left_len - n..left_len]);
}

/// Scores and handles apart, so that a search by score passes over few cache lines.
#[derive(Debug)]
pub(super) struct Leaf<H, const L: usize> {
    len: u32,
    scores: [f64; L],
    handles: [H; L],
}

impl<H: Copy, const L: usize> Leaf<H, L> {
    /// A leaf of one element.
    pub(super) fn of(entry: Entry<H>) -> Box<Self> {
        Box::new(Self {
            len: 1,
            scores: [entry.score; L],
            handles: [entry.handle; L],
        })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(super) fn scores(&self) -> &[f64] {
        &self.scores[..self.len()]
    }

    #[inline]
    pub(super) fn handles(&self) -> &[H] {
        &self.handles[..self.len()]
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<Entry<H>> {
        Some(Entry {
            score: *self.scores().get(at)?,
            handle: *self.handles().get(at)?,
        })
    }

    /// How many elements `is_before` holds for.
    #[inline]
    pub(super) fn partition(&self, is_before: impl Fn(f64, H) -> bool) -> usize {
        let (scores, handles) = (self.scores(), self.handles());
        partition(scores.len(), |at| is_before(scores[at], handles[at]))
    }

    /// The place of the element that `order` calls equal, or where it would be.
    #[inline]
    pub(super) fn search(&self, order: impl Fn(f64, H) -> Ordering) -> usize {
        self.partition(|score, handle| order(score, handle).is_lt())
    }

    #[inline]
    pub(super) fn insert(&mut self, at: usize, entry: Entry<H>) {
        let len = self.len();
        put(&mut self.scores, at, len, entry.score);
        put(&mut self.handles, at, len, entry.handle);
        self.len += 1;
    }

    #[inline]
    fn remove(&mut self, at: usize) -> Entry<H> {
        let len = self.len();
        let removed = Entry {
            score: self.scores[at],
            handle: self.handles[at],
        };
        self.cut(at, at + 1, len);
        removed
    }

    #[inline]
    fn cut(&mut self, from: usize, to: usize, len: usize) {
        self.scores.copy_within(to..len, from);
        self.handles.copy_within(to..len, from);
        self.len -= (to - from) as u32;
    }

    /// Gives the element at `at` another score if it stays between others of this leaf; whether it did.
    pub(super) fn move_within(
        &mut self,
        at: usize,
        score: f64,
        order: impl Fn(f64, H) -> Ordering,
    ) -> bool {
        let handle = self.handles[at];
        // Places before and after it are searched apart: its own old score says nothing.
        let (scores, handles) = (self.scores(), self.handles());
        let is_before = |place: usize| order(scores[place], handles[place]).is_lt();
        let len = scores.len();
        let target = if at + 1 < len && is_before(at + 1) {
            at + 1 + partition(len - at - 1, |place| is_before(at + 1 + place)) - 1
        } else {
            partition(at, is_before)
        };
        // The first element is known above, and after the last one the next leaf may come in.
        let stays_inside = target > 0 && target + 1 < len && at > 0;
        if !stays_inside {
            return false;
        }
        match target.cmp(&at) {
            Ordering::Greater => {
                self.scores.copy_within(at + 1..target + 1, at);
                self.handles.copy_within(at + 1..target + 1, at);
            }
            Ordering::Less => {
                self.scores.copy_within(target..at, target + 1);
                self.handles.copy_within(target..at, target + 1);
            }
            Ordering::Equal => {}
        }
        self.scores[target] = score;
        self.handles[target] = handle;
        true
    }
}

/// Children with what must be known of each for a search.
#[derive(Debug)]
pub(super) struct Inner<H, const L: usize, const I: usize> {
    len: u32,
    counts: [u32; I],
    scores: [f64; I],
    handles: [H; I],
    children: [Option<Node<H, L, I>>; I],
}

#[derive(Debug)]
pub(super) enum Node<H, const L: usize, const I: usize> {
    Leaf(Box<Leaf<H, L>>),
    Inner(Box<Inner<H, L, I>>),
}

const IS_THERE: &str = "there is a child at every place below the number of children";

impl<H: Copy, const L: usize, const I: usize> Inner<H, L, I> {
    /// A node above one child.
    pub(super) fn of(child: Node<H, L, I>) -> Box<Self> {
        let first = child.first();
        let mut inner = Self::empty(first);
        inner.push(child);
        inner
    }

    fn empty(filling: Entry<H>) -> Box<Self> {
        Box::new(Self {
            len: 0,
            counts: [0; I],
            scores: [filling.score; I],
            handles: [filling.handle; I],
            children: [const { None }; I],
        })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(super) fn child(&self, at: usize) -> &Node<H, L, I> {
        self.children[at].as_ref().expect(IS_THERE)
    }

    #[inline]
    fn child_mut(&mut self, at: usize) -> &mut Node<H, L, I> {
        self.children[at].as_mut().expect(IS_THERE)
    }

    fn children(&self) -> impl Iterator<Item = &Node<H, L, I>> {
        self.children[..self.len()].iter().flatten()
    }

    fn count(&self) -> usize {
        self.count_before(self.len())
    }

    /// Elements of the children before this one.
    #[inline]
    pub(super) fn count_before(&self, at: usize) -> usize {
        self.counts[..at].iter().map(|count| *count as usize).sum()
    }

    /// The child with the element of this rank, and the rank in it.
    #[inline]
    pub(super) fn child_with(&self, mut rank: usize) -> Option<(usize, usize)> {
        for (at, count) in self.counts[..self.len()].iter().enumerate() {
            let count = *count as usize;
            if rank < count {
                return Some((at, rank));
            }
            rank -= count;
        }
        None
    }

    /// How many children have a first element that `is_before` holds for.
    #[inline]
    pub(super) fn partition(&self, is_before: impl Fn(f64, H) -> bool) -> usize {
        let len = self.len();
        let (scores, handles) = (&self.scores[..len], &self.handles[..len]);
        partition(len, |at| is_before(scores[at], handles[at]))
    }

    /// The child where the element that `order` calls equal is, or would be.
    #[inline]
    pub(super) fn search(&self, order: impl Fn(f64, H) -> Ordering) -> usize {
        let after = self.partition(|score, handle| order(score, handle).is_le());
        after.saturating_sub(1)
    }

    /// The child that an element is going to be put into.
    #[inline]
    pub(super) fn child_for_new(
        &mut self,
        at: usize,
        entry: Entry<H>,
        order: impl Fn(f64, H) -> Ordering,
    ) -> &mut Node<H, L, I> {
        self.counts[at] += 1;
        if at == 0 && order(self.scores[0], self.handles[0]).is_gt() {
            self.scores[0] = entry.score;
            self.handles[0] = entry.handle;
        }
        self.child_mut(at)
    }

    /// Adds a child at the end.
    pub(super) fn push(&mut self, child: Node<H, L, I>) {
        self.insert_child(self.len(), child);
    }

    fn insert_child(&mut self, at: usize, child: Node<H, L, I>) {
        let (len, first) = (self.len(), child.first());
        put(&mut self.scores, at, len, first.score);
        put(&mut self.handles, at, len, first.handle);
        put(&mut self.counts, at, len, child.count() as u32);
        self.children[at..=len].rotate_right(1);
        self.children[at] = Some(child);
        self.len += 1;
    }

    fn remove_child(&mut self, at: usize) -> Option<Node<H, L, I>> {
        let len = self.len();
        self.scores.copy_within(at + 1..len, at);
        self.handles.copy_within(at + 1..len, at);
        self.counts.copy_within(at + 1..len, at);
        let child = self.children[at].take();
        self.children[at..len].rotate_left(1);
        self.len -= 1;
        child
    }

    /// The only child, or none if there are none.
    pub(super) fn take_only(&mut self) -> Option<Node<H, L, I>> {
        (self.len() > 0).then(|| self.remove_child(0)).flatten()
    }

    /// Looks anew at a child that changed.
    fn refresh(&mut self, at: usize) {
        let child = self.child(at);
        let (first, count) = (child.first(), child.count());
        self.scores[at] = first.score;
        self.handles[at] = first.handle;
        self.counts[at] = count as u32;
    }

    /// Makes room in a full child, or beside it. There is room for one more child here. `at_edge`: nothing comes after
    /// that child in the whole tree.
    pub(super) fn make_room(&mut self, at: usize, at_edge: bool) {
        let child = self.child(at);
        let (len, capacity) = (child.len(), child.capacity());
        let has_room =
            |sibling: &Node<H, L, I>| capacity - sibling.len() >= (capacity / ROOM_PART).max(2);
        if at + 1 < self.len() && has_room(self.child(at + 1)) {
            return self.level(at);
        }
        if at > 0 && has_room(self.child(at - 1)) {
            return self.level(at - 1);
        }
        let moved = if at_edge {
            (len / EDGE_PART).max(1)
        } else {
            len / 2
        };
        let child = self.child_mut(at);
        let new = child.split(len - moved);
        self.insert_child(at + 1, new);
        self.refresh(at);
    }

    /// Two neighbours get equally many.
    fn level(&mut self, at: usize) {
        self.shift_between(at, |left, right| {
            let (one, other) = (left.len(), right.len());
            if one > other {
                left.shift_right(right, (one - other) / 2);
            } else {
                left.shift_left(right, (other - one) / 2);
            }
        });
        self.refresh(at + 1);
    }

    fn shift_between(
        &mut self,
        at: usize,
        shift: impl FnOnce(&mut Node<H, L, I>, &mut Node<H, L, I>),
    ) {
        let (before, after) = self.children.split_at_mut(at + 1);
        let left = before[at].as_mut().expect(IS_THERE);
        let right = after[0].as_mut().expect(IS_THERE);
        shift(left, right);
        self.refresh(at);
    }

    /// What is to be done after a child lost one element; `was_first`: its first one.
    #[inline]
    fn child_lost_one(&mut self, at: usize, was_first: bool) {
        self.counts[at] -= 1;
        if self.counts[at] > 0 && was_first {
            let first = self.child(at).first();
            self.scores[at] = first.score;
            self.handles[at] = first.handle;
        }
        self.mend(at);
    }

    /// If the child is empty, removes it; if it has too few, joins it with a sibling, or takes from it.
    fn mend(&mut self, at: usize) {
        if at >= self.len() {
            return;
        }
        let child = self.child(at);
        if child.is_empty() {
            self.remove_child(at);
            return;
        }
        if child.len() >= child.capacity() / UNDERFULL_PART || self.len() == 1 {
            return;
        }
        let left = if at + 1 < self.len() { at } else { at - 1 };
        let seam = self.child(left).len();
        if seam + self.child(left + 1).len() > child.capacity() {
            return self.level(left);
        }
        if let Some(mut right) = self.remove_child(left + 1) {
            let all = right.len();
            self.child_mut(left).shift_left(&mut right, all);
        }
        // Children of the two that had no siblings may have some now.
        if let Node::Inner(joined) = self.child_mut(left) {
            joined.mend(seam);
            joined.mend(seam - 1);
        }
        self.refresh(left);
    }

    fn remove_range(&mut self, from: usize, to: usize, visit: &mut impl FnMut(Entry<H>)) {
        let (mut at, mut passed, mut touched) = (0, 0, None);
        while at < self.len() && passed < to {
            let count = self.counts[at] as usize;
            let within = |rank: usize| rank.saturating_sub(passed).min(count);
            let (start, end) = (within(from), within(to));
            passed += count;
            if start < end {
                touched.get_or_insert(at);
            }
            if end - start == count {
                if let Some(child) = self.remove_child(at) {
                    child.for_each(visit);
                }
                continue;
            }
            if start < end {
                self.child_mut(at).remove_range(start, end, visit);
                self.refresh(at);
            }
            at += 1;
        }
        if let Some(touched) = touched {
            self.mend(touched + 1);
            self.mend(touched);
        }
    }
}

const ONE_HEIGHT: &str = "siblings stand at one height";

impl<H: Copy, const L: usize, const I: usize> Node<H, L, I> {
    /// Elements of a leaf, children of an inner node.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Inner(inner) => inner.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn capacity(&self) -> usize {
        match self {
            Node::Leaf(_) => L,
            Node::Inner(_) => I,
        }
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Elements below.
    pub(super) fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Inner(inner) => inner.count(),
        }
    }

    /// The first element below; the node is not empty.
    fn first(&self) -> Entry<H> {
        let (score, handle) = match self {
            Node::Leaf(leaf) => (leaf.scores[0], leaf.handles[0]),
            Node::Inner(inner) => (inner.scores[0], inner.handles[0]),
        };
        Entry { score, handle }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Node::Leaf(_) => size_of::<Leaf<H, L>>(),
            Node::Inner(inner) => {
                let below: usize = inner.children().map(Node::heap_bytes).sum();
                size_of::<Inner<H, L, I>>() + below
            }
        }
    }

    pub(super) fn for_each(&self, visit: &mut impl FnMut(Entry<H>)) {
        match self {
            Node::Leaf(leaf) => {
                let pairs = leaf.scores().iter().zip(leaf.handles());
                pairs.for_each(|(score, handle)| {
                    visit(Entry {
                        score: *score,
                        handle: *handle,
                    })
                });
            }
            Node::Inner(inner) => inner.children().for_each(|child| child.for_each(visit)),
        }
    }

    /// The leaf where the element that `order` calls equal is, or would be, and its place there.
    pub(super) fn leaf_of(
        &mut self,
        order: &impl Fn(f64, H) -> Ordering,
    ) -> (&mut Leaf<H, L>, usize) {
        let mut node = self;
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let at = leaf.search(order);
                    return (leaf, at);
                }
                Node::Inner(inner) => {
                    let at = inner.search(order);
                    node = inner.child_mut(at);
                }
            }
        }
    }

    /// Takes out the element that `order` calls equal; whether it was the first one.
    pub(super) fn remove(
        &mut self,
        order: &impl Fn(f64, H) -> Ordering,
    ) -> Option<(Entry<H>, bool)> {
        match self {
            Node::Leaf(leaf) => {
                let at = leaf.search(order);
                let entry = leaf.get(at)?;
                order(entry.score, entry.handle)
                    .is_eq()
                    .then(|| (leaf.remove(at), at == 0))
            }
            Node::Inner(inner) => {
                let at = inner.search(order);
                let (removed, was_first) = inner.child_mut(at).remove(order)?;
                inner.child_lost_one(at, was_first);
                Some((removed, was_first && at == 0))
            }
        }
    }

    /// Takes out the element of this rank, which is below the number of elements.
    pub(super) fn remove_at(&mut self, rank: usize) -> Entry<H> {
        match self {
            Node::Leaf(leaf) => leaf.remove(rank),
            Node::Inner(inner) => {
                let (at, rest) = inner.child_with(rank).expect("ranks below the count exist");
                let removed = inner.child_mut(at).remove_at(rest);
                inner.child_lost_one(at, rest == 0);
                removed
            }
        }
    }

    /// Takes out some but not all elements: those of ranks `from` to `to`, without `to`.
    pub(super) fn remove_range(
        &mut self,
        from: usize,
        to: usize,
        visit: &mut impl FnMut(Entry<H>),
    ) {
        match self {
            Node::Leaf(leaf) => {
                (from..to).filter_map(|at| leaf.get(at)).for_each(visit);
                leaf.cut(from, to, leaf.len());
            }
            Node::Inner(inner) => inner.remove_range(from, to, visit),
        }
    }

    /// Keeps the first `keep`; the others become a sibling to the right.
    fn split(&mut self, keep: usize) -> Self {
        let (moved, first) = (self.len() - keep, self.first());
        let mut right = match self {
            Node::Leaf(_) => {
                let mut leaf = Leaf::of(first);
                leaf.len = 0;
                Node::Leaf(leaf)
            }
            Node::Inner(_) => Node::Inner(Inner::empty(first)),
        };
        self.shift_right(&mut right, moved);
        right
    }

    /// Moves the first `n` of the sibling to the right into this node.
    fn shift_left(&mut self, right: &mut Self, n: usize) {
        let (len, right_len) = (self.len(), right.len());
        match (self, right) {
            (Node::Leaf(left), Node::Leaf(right)) => {
                to_left(&mut left.scores, len, &mut right.scores, right_len, n);
                to_left(&mut left.handles, len, &mut right.handles, right_len, n);
                left.len += n as u32;
                right.len -= n as u32;
            }
            (Node::Inner(left), Node::Inner(right)) => {
                to_left(&mut left.scores, len, &mut right.scores, right_len, n);
                to_left(&mut left.handles, len, &mut right.handles, right_len, n);
                to_left(&mut left.counts, len, &mut right.counts, right_len, n);
                left.children[len..len + n].swap_with_slice(&mut right.children[..n]);
                right.children[..right_len].rotate_left(n);
                left.len += n as u32;
                right.len -= n as u32;
            }
            _ => unreachable!("{ONE_HEIGHT}"),
        }
    }

    /// Moves the last `n` of this node into the sibling to the right.
    fn shift_right(&mut self, right: &mut Self, n: usize) {
        let (len, right_len) = (self.len(), right.len());
        match (self, right) {
            (Node::Leaf(left), Node::Leaf(right)) => {
                to_right(&mut left.scores, len, &mut right.scores, right_len, n);
                to_right(&mut left.handles, len, &mut right.handles, right_len, n);
                left.len -= n as u32;
                right.len += n as u32;
            }
            (Node::Inner(left), Node::Inner(right)) => {
                to_right(&mut left.scores, len, &mut right.scores, right_len, n);
                to_right(&mut left.handles, len, &mut right.handles, right_len, n);
                to_right(&mut left.counts, len, &mut right.counts, right_len, n);
                right.children[..right_len + n].rotate_right(n);
                left.children[len - n..len].swap_with_slice(&mut right.children[..n]);
                left.len -= n as u32;
                right.len += n as u32;
            }
            _ => unreachable!("{ONE_HEIGHT}"),
        }
    }

    /// Checks every invariant below; the height. For tests.
    #[cfg(test)]
    pub(super) fn check(&self) -> usize {
        assert!(!self.is_empty() && self.len() <= self.capacity());
        match self {
            Node::Leaf(leaf) => {
                assert!(leaf.scores().is_sorted());
                1
            }
            Node::Inner(inner) => {
                let heights: Vec<usize> = inner.children().map(Node::check).collect();
                assert!(heights.len() == inner.len() && heights.windows(2).all(|w| w[0] == w[1]));
                assert!(inner.children[inner.len()..].iter().all(Option::is_none));
                for (at, child) in inner.children().enumerate() {
                    let first = child.first();
                    assert_eq!(child.count(), inner.counts[at] as usize);
                    assert_eq!(first.score.to_bits(), inner.scores[at].to_bits());
                }
                heights[0] + 1
            }
        }
    }
}
