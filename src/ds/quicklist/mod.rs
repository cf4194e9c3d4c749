//! Quicklist: a long list as a chain of listpacks.
//!
//! ```text
//! nodes  [ first 0: run of 454 | first 454: plain | first 455: run of 300 | ... ]
//! ```
//! Each node knows the number of its first element. The numbers are relative: what is pushed or taken at an end changes
//! the numbers of no other node (the first may become negative), so that element `i` is found by a binary search for
//! `first of the front node + i`. A change in the middle moves the numbers on its shorter side.
//!
//! A snapshot shares the nodes of a list ([`Quicklist::share`]): from then on a node that is to be changed is copied first,
//! unless the snapshot has let go of it by then.
//!
//! A node is a [`Run`] within the [`NodeLimits`], or a single large element that stands alone. Inner nodes hold little
//! more memory than their elements; the two at the ends have room on the side that grows. No node is empty.

mod run;

pub use run::{Run, Side};

use super::listpack::{Element, Items, Pack, Sought};
use bytes::Bytes;
use std::collections::VecDeque;
use std::iter::Skip;
use std::sync::Arc;

/// What an entry takes besides its word, at a guess that is never too low for words of a node.
const ENTRY_OVERHEAD_BYTES: usize = 8;
/// The memory that a new node is given at once, if it may become so large.
const NODE_ROOM_MAX_BYTES: usize = 8192;

/// How large a node may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Bytes of a listpack.
    pub max_bytes: usize,
    /// Elements of a listpack.
    pub max_len: usize,
    /// Bytes from which an element stands alone.
    pub large_min_bytes: usize,
}

impl NodeLimits {
    /// Whether a listpack with so much in it keeps them.
    #[inline]
    pub fn allow(&self, bytes: usize, len: usize) -> bool {
        bytes <= self.max_bytes && len <= self.max_len
    }

    /// Whether an element of `word_bytes` may be added to the run.
    #[inline]
    fn allow_in(&self, run: &Run, word_bytes: usize) -> bool {
        let bytes = run.pack_bytes() + word_bytes + ENTRY_OVERHEAD_BYTES;
        self.allow(bytes, run.len() + 1)
    }

    /// Whether two runs may be one. They keep some room: else the next insertion would part them again.
    fn allow_merge(&self, one: &Run, other: &Run) -> bool {
        let bytes = one.pack_bytes() + other.pack_bytes();
        let len = one.len() + other.len();
        bytes <= self.max_bytes / 4 * 3 && len <= self.max_len.saturating_sub(self.max_len / 4 + 1)
    }

    fn new_run(&self) -> Run {
        let known = self.max_len == usize::MAX && self.max_bytes <= NODE_ROOM_MAX_BYTES;
        Run::with_capacity(if known { self.max_bytes } else { 0 })
    }
}

/// A word on its way into a list.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The same bytes, if they may be kept without a copy.
    pub shared: Option<&'a Bytes>,
}

impl<'a> From<&'a [u8]> for Word<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            shared: None,
        }
    }
}

impl Word<'_> {
    fn to_plain(self) -> Node {
        let bytes = self.shared.cloned();
        Node::Plain(Box::new(
            bytes.unwrap_or_else(|| Bytes::copy_from_slice(self.bytes)),
        ))
    }
}

/// An element of a list.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// One of a listpack.
    Packed(Element<'a>),
    /// One that stands alone.
    Plain(&'a Bytes),
}

impl<'a> Value<'a> {
    /// Its bytes; a number is written into `room`.
    pub fn bytes<'b>(self, room: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Value::Packed(element) => element.bytes(room),
            Value::Plain(bytes) => bytes,
        }
    }

    /// Whether it is the word that is looked for.
    #[inline]
    pub fn is(self, word: &Sought<'_>) -> bool {
        match self {
            Value::Packed(element) => word.is(element),
            Value::Plain(bytes) => word.is(Element::Bytes(bytes)),
        }
    }
}

#[derive(Clone, Debug)]
enum Node {
    Packed(Run),
    Plain(Box<Bytes>),
    /// A run that a snapshot may hold too: it must not change.
    Shared(Arc<Run>),
}

impl Node {
    #[inline]
    fn len(&self) -> usize {
        match self {
            Node::Packed(run) => run.len(),
            Node::Plain(_) => 1,
            Node::Shared(run) => run.len(),
        }
    }

    /// The run, to be changed.
    #[inline]
    fn run(&mut self) -> Option<&mut Run> {
        self.unshare();
        match self {
            Node::Packed(run) => Some(run),
            Node::Plain(_) | Node::Shared(_) => None,
        }
    }

    /// Makes a shared run the list's own.
    #[inline]
    fn unshare(&mut self) {
        if let Node::Shared(run) = self {
            *self = Node::Packed(Arc::unwrap_or_clone(std::mem::take(run)));
        }
    }

    /// The node for somebody else, who changes it no more than this list from now on.
    fn share(&mut self) -> SharedPart {
        if let Node::Packed(run) = self {
            *self = Node::Shared(Arc::new(std::mem::take(run)));
        }
        match self {
            Node::Shared(run) => SharedPart::Packed(Arc::clone(run)),
            Node::Plain(bytes) => SharedPart::Plain(Bytes::clone(bytes)),
            Node::Packed(_) => unreachable!("it has become a shared one"),
        }
    }

    fn part(&self) -> Part<'_> {
        match self {
            Node::Packed(run) => Part::Packed(run.pack()),
            Node::Plain(bytes) => Part::Plain(bytes),
            Node::Shared(run) => Part::Packed(run.pack()),
        }
    }
}

/// A node that does not change any more.
#[derive(Clone, Debug)]
pub enum SharedPart {
    /// Several elements.
    Packed(Arc<Run>),
    /// One that stands alone.
    Plain(Bytes),
}

impl SharedPart {
    /// For reading.
    pub fn part(&self) -> Part<'_> {
        match self {
            SharedPart::Packed(run) => Part::Packed(run.pack()),
            SharedPart::Plain(bytes) => Part::Plain(bytes),
        }
    }
}

/// A node as readers see it.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Several elements.
    Packed(Pack<'a>),
    /// One that stands alone.
    Plain(&'a Bytes),
}

impl<'a> Part<'a> {
    /// Its elements, from both ends.
    pub fn values(self) -> Values<'a> {
        match self {
            Part::Packed(pack) => Values::Packed(pack.iter()),
            Part::Plain(bytes) => Values::Plain(Some(bytes)),
        }
    }

    /// Element number `index`.
    pub fn nth(self, index: usize) -> Option<Value<'a>> {
        match self {
            Part::Packed(pack) => pack.nth(index).map(|item| Value::Packed(item.element)),
            Part::Plain(bytes) => (index == 0).then_some(Value::Plain(bytes)),
        }
    }
}

/// The elements of a [`Part`].
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// Of a listpack.
    Packed(Items<'a>),
    /// The one that stands alone, once.
    Plain(Option<&'a Bytes>),
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Values::Packed(items) => items.next().map(|item| Value::Packed(item.element)),
            Values::Plain(bytes) => bytes.take().map(Value::Plain),
        }
    }

    #[inline]
    fn nth(&mut self, count: usize) -> Option<Value<'a>> {
        match self {
            Values::Packed(items) => items.nth(count).map(|item| Value::Packed(item.element)),
            Values::Plain(bytes) => bytes.take().filter(|_| count == 0).map(Value::Plain),
        }
    }
}

impl DoubleEndedIterator for Values<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Values::Packed(items) => items.next_back().map(|item| Value::Packed(item.element)),
            Values::Plain(bytes) => bytes.take().map(Value::Plain),
        }
    }
}

#[derive(Clone, Debug)]
struct Numbered {
    /// The number of the node's first element.
    first: i64,
    node: Node,
}

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Quicklist {
    nodes: VecDeque<Numbered>,
    len: usize,
}

impl Quicklist {
    /// A list of one node.
    pub fn of_run(run: Run) -> Self {
        let mut list = Self::default();
        if !run.is_empty() {
            list.len = run.len();
            list.nodes.push_back(Numbered {
                first: 0,
                node: Node::Packed(run),
            });
        }
        list
    }

    /// Elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Nodes.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let nodes = self.nodes.iter().map(|numbered| match &numbered.node {
            Node::Packed(run) => run.capacity(),
            Node::Plain(bytes) => size_of::<Bytes>() + bytes.len(),
            Node::Shared(run) => size_of::<Run>() + run.capacity(),
        });
        self.nodes.capacity() * size_of::<Numbered>() + nodes.sum::<usize>()
    }

    /// The run of a list that is nothing else.
    pub fn only_run(&self) -> Option<&Run> {
        match self.nodes.front() {
            Some(Numbered {
                node: Node::Packed(run),
                ..
            }) if self.nodes.len() == 1 => Some(run),
            _ => None,
        }
    }

    /// The same, taken out.
    pub fn take_only_run(&mut self) -> Option<Run> {
        self.only_run()?;
        self.len = 0;
        match self.nodes.pop_front()?.node {
            Node::Packed(run) => Some(run),
            Node::Plain(_) | Node::Shared(_) => None,
        }
    }

    /// All nodes as they are now, node by node, without a copy of their content.
    pub fn share(&mut self) -> Vec<SharedPart> {
        let nodes = self.nodes.iter_mut();
        nodes.map(|numbered| numbered.node.share()).collect()
    }

    /// Node by node, from the first to the last.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = Part<'_>> {
        self.nodes.iter().map(|numbered| numbered.node.part())
    }

    /// Adds all elements of a listpack at the end, as a node of their own.
    pub fn push_pack(&mut self, pack: Pack<'_>) {
        if !pack.is_empty() {
            self.push_node(Side::Back, Node::Packed(Run::of_pack(pack)));
        }
    }

    /// Adds an element that stands alone at the end.
    pub fn push_plain(&mut self, bytes: Bytes) {
        self.push_node(Side::Back, Node::Plain(Box::new(bytes)));
    }

    /// Gives back spare memory.
    pub fn shrink(&mut self) {
        for numbered in &mut self.nodes {
            if let Some(run) = numbered.node.run() {
                run.shrink_if_loose();
            }
        }
        self.nodes.shrink_to_fit();
    }

    /// The node that holds element `index`, and the element's number in it. There must be such an element.
    #[inline]
    fn place_of(&self, index: usize) -> (usize, usize) {
        let origin = self.nodes.front().map_or(0, |front| front.first);
        let number = origin + index as i64;
        let last = self.nodes.len().saturating_sub(1);
        let is_in_last = |back: &Numbered| number >= back.first;
        let at = if self.nodes.back().is_some_and(is_in_last) {
            last
        } else {
            let after = self.nodes.partition_point(|node| node.first <= number);
            after.saturating_sub(1)
        };
        let first = self.nodes.get(at).map_or(0, |node| node.first);
        (at, (number - first) as usize)
    }

    /// Element `index`.
    pub fn get(&self, index: usize) -> Option<Value<'_>> {
        if index >= self.len {
            return None;
        }
        let (at, within) = self.place_of(index);
        self.nodes.get(at)?.node.part().nth(within)
    }

    /// The elements from `index` on, node by node: each with the number of its first element that belongs to them.
    pub fn parts_from(&self, index: usize) -> impl Iterator<Item = (Part<'_>, usize)> {
        let (at, within) = if index < self.len {
            self.place_of(index)
        } else {
            (self.nodes.len(), 0)
        };
        let parts = self.nodes.range(at..).enumerate();
        parts.map(move |(number, numbered)| {
            let from = if number == 0 { within } else { 0 };
            (numbered.node.part(), from)
        })
    }

    /// The elements from `index` on.
    pub fn iter_from(&self, index: usize) -> impl Iterator<Item = Value<'_>> {
        self.parts_from(index)
            .flat_map(|(part, from)| -> Skip<Values<'_>> { part.values().skip(from) })
    }

    /// All elements, from the last to the first.
    pub fn iter_back(&self) -> impl Iterator<Item = Value<'_>> {
        self.parts().rev().flat_map(|part| part.values().rev())
    }

    /// Adds an element at one end.
    #[inline]
    pub fn push(&mut self, side: Side, word: Word<'_>, limits: &NodeLimits) {
        let node = match side {
            Side::Front => self.nodes.front_mut(),
            Side::Back => self.nodes.back_mut(),
        };
        if let Some(numbered) = node
            && let Node::Packed(run) = &mut numbered.node
            && limits.allow_in(run, word.bytes.len())
            && word.bytes.len() < limits.large_min_bytes
        {
            run.push(side, word.bytes);
            numbered.first -= i64::from(side == Side::Front);
            self.len += 1;
            return;
        }
        self.push_in_new_node(side, word, limits);
    }

    #[cold]
    fn push_in_new_node(&mut self, side: Side, word: Word<'_>, limits: &NodeLimits) {
        let node = match side {
            Side::Front => self.nodes.front_mut(),
            Side::Back => self.nodes.back_mut(),
        };
        if let Some(Numbered {
            node: node @ Node::Shared(_),
            ..
        }) = node
        {
            node.unshare();
            return self.push(side, word, limits);
        }
        let node = if word.bytes.len() >= limits.large_min_bytes {
            word.to_plain()
        } else {
            let mut run = limits.new_run();
            run.push(side, word.bytes);
            Node::Packed(run)
        };
        self.push_node(side, node);
    }

    /// Adds a node at one end; the one that was there becomes an inner one.
    fn push_node(&mut self, side: Side, node: Node) {
        let len = node.len();
        let before = match side {
            Side::Front => self.nodes.front_mut(),
            Side::Back => self.nodes.back_mut(),
        };
        let first = match (before, side) {
            (None, _) => 0,
            (Some(before), side) => {
                let end = before.first + before.node.len() as i64;
                if let Some(run) = before.node.run() {
                    run.shrink_if_loose();
                }
                match side {
                    Side::Front => before.first - len as i64,
                    Side::Back => end,
                }
            }
        };
        let numbered = Numbered { first, node };
        match side {
            Side::Front => self.nodes.push_front(numbered),
            Side::Back => self.nodes.push_back(numbered),
        }
        self.len += len;
    }

    /// Takes out `count` elements at one end, or as many as there are.
    #[inline]
    pub fn cut(&mut self, side: Side, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while left > 0 {
            let node = match side {
                Side::Front => self.nodes.front_mut(),
                Side::Back => self.nodes.back_mut(),
            };
            let Some(numbered) = node else {
                return;
            };
            let len = numbered.node.len();
            if left < len {
                if let Some(run) = numbered.node.run() {
                    run.cut(side, left);
                }
                if side == Side::Front {
                    numbered.first += left as i64;
                }
                return;
            }
            match side {
                Side::Front => self.nodes.pop_front(),
                Side::Back => self.nodes.pop_back(),
            };
            left -= len;
        }
    }

    /// Puts a word in the place of element `index`, which must be there.
    pub fn set(&mut self, index: usize, word: Word<'_>, limits: &NodeLimits) {
        let (at, within) = self.place_of(index);
        let Some(numbered) = self.nodes.get_mut(at) else {
            return;
        };
        let is_large = word.bytes.len() >= limits.large_min_bytes;
        numbered.node.unshare();
        match &mut numbered.node {
            Node::Plain(bytes) if is_large => {
                **bytes = word
                    .shared
                    .map_or_else(|| Bytes::copy_from_slice(word.bytes), Bytes::clone);
            }
            Node::Packed(run)
                if !is_large && (run.len() == 1 || limits.allow_in(run, word.bytes.len())) =>
            {
                let offset = run.pack().nth(within).map(|item| item.at);
                if let Some(offset) = offset {
                    run.replace(offset, word.bytes);
                }
            }
            _ => {
                self.remove(index, 1, limits);
                self.insert(index, word, limits);
            }
        }
    }

    /// Puts a word before element `index`; at the end if there is none.
    pub fn insert(&mut self, index: usize, word: Word<'_>, limits: &NodeLimits) {
        if index == 0 {
            return self.push(Side::Front, word, limits);
        }
        if index >= self.len {
            return self.push(Side::Back, word, limits);
        }
        let (at, within) = self.place_of(index);
        let size = word.bytes.len();
        if size < limits.large_min_bytes && self.insert_in_run(at, within, word.bytes, limits) {
            return;
        }
        // Neither the node itself nor the one before it may take the word: it gets one between two halves.
        let at = self.part_node(at, within);
        let node = if size >= limits.large_min_bytes {
            word.to_plain()
        } else {
            let mut run = Run::default();
            run.push(Side::Back, word.bytes);
            Node::Packed(run)
        };
        let first = self.nodes.get(at).map_or(0, |node| node.first);
        self.nodes.insert(at, Numbered { first, node });
        self.len += 1;
        self.renumber(at + 1, 1);
        self.merge(at, limits);
        self.merge(at.saturating_sub(1), limits);
    }

    /// Inserts into node `at`, or at the end of the one before it; whether one of them had room.
    fn insert_in_run(
        &mut self,
        at: usize,
        within: usize,
        word: &[u8],
        limits: &NodeLimits,
    ) -> bool {
        let before = at.checked_sub(1).filter(|_| within == 0);
        let end_before = before.and_then(|at| Some((at, self.nodes.get(at)?.node.len())));
        let places = [Some((at, within)), end_before].into_iter().flatten();
        for (at, within) in places {
            let Some(run) = self.nodes.get_mut(at).and_then(|node| node.node.run()) else {
                continue;
            };
            if !limits.allow_in(run, word.len()) {
                continue;
            }
            let offset = run.pack().nth(within).map(|item| item.at);
            match offset {
                Some(offset) => run.insert(offset, word),
                None => run.push(Side::Back, word),
            }
            self.len += 1;
            self.renumber(at + 1, 1);
            return true;
        }
        false
    }

    /// Parts node `at` before its element `within`; the number of the node that begins there.
    fn part_node(&mut self, at: usize, within: usize) -> usize {
        let Some(numbered) = self.nodes.get_mut(at) else {
            return at;
        };
        if within == 0 {
            return at;
        }
        let first = numbered.first + within as i64;
        if let Some(run) = numbered.node.run() {
            let node = Node::Packed(run.split_off(within));
            run.shrink_if_loose();
            self.nodes.insert(at + 1, Numbered { first, node });
        }
        at + 1
    }

    /// The nodes from number `from` on begin `by` elements later, as far as it matters: the numbers are relative.
    fn renumber(&mut self, from: usize, by: i64) {
        if from > self.nodes.len() / 2 {
            let after = self.nodes.range_mut(from.min(self.nodes.len())..);
            after.for_each(|node| node.first += by);
        } else {
            self.nodes
                .range_mut(..from)
                .for_each(|node| node.first -= by);
        }
    }

    /// Makes node `at` and the next one a single node, if both are small.
    fn merge(&mut self, at: usize, limits: &NodeLimits) {
        let (Some(Node::Packed(one)), Some(Node::Packed(other))) = (
            self.nodes.get(at).map(|node| &node.node),
            self.nodes.get(at + 1).map(|node| &node.node),
        ) else {
            return;
        };
        if !limits.allow_merge(one, other) {
            return;
        }
        let Some(Node::Packed(other)) = self.nodes.remove(at + 1).map(|node| node.node) else {
            return;
        };
        if let Some(run) = self.nodes.get_mut(at).and_then(|node| node.node.run()) {
            run.append(other.pack());
        }
    }

    /// Takes out up to `count` elements from `index` on.
    pub fn remove(&mut self, index: usize, count: usize, limits: &NodeLimits) {
        let count = count.min(self.len.saturating_sub(index));
        if index == 0 {
            return self.cut(Side::Front, count);
        }
        if index + count == self.len {
            return self.cut(Side::Back, count);
        }
        let (at, within) = self.place_of(index);
        let (mut node, mut within, mut left) = (at, within, count);
        while left > 0 {
            let Some(numbered) = self.nodes.get_mut(node) else {
                break;
            };
            let taken = left.min(numbered.node.len() - within);
            if taken == numbered.node.len() {
                self.nodes.remove(node);
            } else {
                if let Some(run) = numbered.node.run() {
                    run.remove(within, taken);
                }
                if within == 0 {
                    numbered.first += taken as i64;
                }
                node += 1;
            }
            within = 0;
            left -= taken;
        }
        self.len -= count;
        self.renumber_all_after(at.saturating_sub(1));
        self.merge(at, limits);
        self.merge(at.saturating_sub(1), limits);
    }

    /// Numbers all nodes behind node `from` by their lengths.
    fn renumber_all_after(&mut self, from: usize) {
        let mut nodes = self.nodes.range_mut(from..);
        let Some(start) = nodes.next() else {
            return;
        };
        let mut next = start.first + start.node.len() as i64;
        for node in nodes {
            node.first = next;
            next += node.node.len() as i64;
        }
    }

    /// Takes out up to `max` elements that equal `word`, those nearest to one end; how many.
    pub fn remove_equal(
        &mut self,
        word: &[u8],
        from: Side,
        max: usize,
        limits: &NodeLimits,
    ) -> usize {
        let sought = Sought::new(word);
        let mut left = max;
        let mut remove = |numbered: &mut Numbered| {
            let removed = match &mut numbered.node {
                Node::Packed(run) if left > 0 => run.remove_equal(&sought, from, left),
                Node::Plain(bytes) if left > 0 && **bytes == word => {
                    let empty = Run::default();
                    numbered.node = Node::Packed(empty);
                    1
                }
                Node::Shared(shared) if left > 0 => {
                    let mut run = Run::clone(shared);
                    let removed = run.remove_equal(&sought, from, left);
                    if removed > 0 {
                        numbered.node = Node::Packed(run);
                    }
                    removed
                }
                _ => 0,
            };
            left -= removed;
        };
        match from {
            Side::Front => self.nodes.iter_mut().for_each(&mut remove),
            Side::Back => self.nodes.iter_mut().rev().for_each(&mut remove),
        }
        let removed = max - left;
        if removed > 0 {
            self.len -= removed;
            self.nodes.retain(|numbered| numbered.node.len() > 0);
            (0..self.nodes.len())
                .rev()
                .for_each(|at| self.merge(at, limits));
            self.renumber_all_after(0);
        }
        removed
    }
}

#[cfg(test)]
mod tests;
