//! What is due first: an indexed min-heap of deadlines.
//!
//! Every item knows its place in the heap (the heap tells it through [`Located::set_place`] at each move), so a deadline
//! is changed or taken away in O(log n) without a search. Four children a node: half the levels of a binary heap, and
//! the children of a node lie together. Items live in chunks, so growth never copies the whole heap.
//!
//! An item is 12 bytes: a deadline of 48 bits and a handle of 48. Invariant: `heap[i].deadline <= heap[4i + 1 ..= 4i + 4].deadline`, and the item at `i` has been told `i`.

use super::table::Slot;
use crate::base::random::Random;
use std::marker::PhantomData;

/// Children of a node.
const ARITY: usize = 4;
/// Items of a chunk: 12 KiB, which allocators have a size for.
const CHUNK: usize = 1024;
/// Deadlines are kept in 48 bits (until the year 10889); later ones are as good as that.
const DEADLINE_MAX: i64 = (1 << 48) - 1;

/// A handle that remembers where in the heap it is.
pub trait Located: Slot {
    /// The heap has put the item at `place`.
    fn set_place(self, place: u32);
}

/// 48 bits of deadline above 48 bits of handle.
#[derive(Clone, Copy)]
struct Item([u32; 3]);

impl Item {
    #[inline]
    fn new(deadline: i64, handle_bits: u64) -> Self {
        let deadline = deadline.clamp(0, DEADLINE_MAX) as u64;
        Self([
            handle_bits as u32,
            (handle_bits >> 32 | deadline << 16) as u32,
            (deadline >> 16) as u32,
        ])
    }

    #[inline]
    fn deadline(self) -> i64 {
        (u64::from(self.0[2]) << 16 | u64::from(self.0[1] >> 16)) as i64
    }

    #[inline]
    fn handle<H: Slot>(self) -> H {
        let bits = u64::from(self.0[1] & 0xffff) << 32 | u64::from(self.0[0]);
        // SAFETY: the bits are those of a handle that was pushed, and whose owner takes it out before its record goes.
        unsafe { H::from_bits(bits) }
    }
}

/// See the head of the file.
pub struct ExpiryHeap<H> {
    chunks: Vec<Vec<Item>>,
    len: usize,
    handle: PhantomData<H>,
}

impl<H: Located> Default for ExpiryHeap<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: Located> ExpiryHeap<H> {
    /// An empty heap, without memory.
    pub const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
            handle: PhantomData,
        }
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has a deadline.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the chunks.
    pub fn heap_bytes(&self) -> usize {
        self.chunks
            .iter()
            .map(|chunk| chunk.capacity() * size_of::<Item>())
            .sum()
    }

    /// Deadlines at even distances in the heap's order, at most `max` of them.
    pub fn sample(&self, max: usize) -> impl Iterator<Item = i64> + '_ {
        let step = self.len.div_ceil(max.max(1)).max(1);
        (0..self.len)
            .step_by(step)
            .map(|place| self.at(place).deadline())
    }

    /// The earliest deadline and whose it is.
    pub fn first(&self) -> Option<(i64, H)> {
        (self.len > 0).then(|| (self.at(0).deadline(), self.at(0).handle()))
    }

    /// An item, each with the same probability.
    pub fn random(&self, random: &mut Random) -> Option<H> {
        let places = u64::try_from(self.len).ok().filter(|len| *len > 0)?;
        Some(self.at(random.below(places) as usize).handle())
    }

    /// Adds an item; it learns its place.
    pub fn push(&mut self, deadline: i64, handle: H) {
        let place = self.len;
        if place == self.chunks.len() * CHUNK {
            // The first chunk grows by doubling: many heaps are small.
            let capacity = if place == 0 { ARITY } else { CHUNK };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        self.chunks[place / CHUNK].push(Item::new(deadline, handle.bits()));
        self.len += 1;
        self.rise(place);
    }

    /// Changes the deadline of the item at `place`.
    pub fn update(&mut self, place: u32, deadline: i64) {
        let place = place as usize;
        let item = *self.at(place);
        let new = Item::new(deadline, item.handle::<H>().bits());
        let earlier = new.deadline() < item.deadline();
        *self.at_mut(place) = new;
        if earlier {
            self.rise(place)
        } else {
            self.sink(place)
        }
    }

    /// The item at `place` has got another handle (its record moved).
    #[inline]
    pub fn rename(&mut self, place: u32, handle: H) {
        let deadline = self.at(place as usize).deadline();
        *self.at_mut(place as usize) = Item::new(deadline, handle.bits());
    }

    /// Takes away the item at `place`.
    pub fn remove(&mut self, place: u32) {
        let place = place as usize;
        let chunk = (self.len - 1) / CHUNK;
        let Some(last) = self.chunks[chunk].pop() else {
            unreachable!("the last chunk is never empty")
        };
        if self.chunks[chunk].is_empty() {
            self.chunks.pop();
        }
        self.len -= 1;
        if place < self.len {
            let removed = std::mem::replace(self.at_mut(place), last);
            if last.deadline() < removed.deadline() {
                self.rise(place)
            } else {
                self.sink(place)
            }
        }
    }

    #[inline]
    fn at(&self, place: usize) -> &Item {
        &self.chunks[place / CHUNK][place % CHUNK]
    }

    #[inline]
    fn at_mut(&mut self, place: usize) -> &mut Item {
        &mut self.chunks[place / CHUNK][place % CHUNK]
    }

    /// Moves the item at `place` towards the root until its parent is not later.
    fn rise(&mut self, mut place: usize) {
        let item = *self.at(place);
        while place > 0 {
            let parent = (place - 1) / ARITY;
            let above = *self.at(parent);
            if above.deadline() <= item.deadline() {
                break;
            }
            self.settle(place, above);
            place = parent;
        }
        self.settle(place, item);
    }

    /// Moves the item at `place` away from the root until no child is earlier.
    fn sink(&mut self, mut place: usize) {
        let item = *self.at(place);
        loop {
            let first = place * ARITY + 1;
            let children = first..(first + ARITY).min(self.len);
            let Some(child) = children.min_by_key(|child| self.at(*child).deadline()) else {
                break;
            };
            let below = *self.at(child);
            if below.deadline() >= item.deadline() {
                break;
            }
            self.settle(place, below);
            place = child;
        }
        self.settle(place, item);
    }

    #[inline]
    fn settle(&mut self, place: usize, item: Item) {
        *self.at_mut(place) = item;
        item.handle::<H>().set_place(place as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    thread_local! { static PLACES: RefCell<BTreeMap<u32, u32>> = const { RefCell::new(BTreeMap::new()) }; }

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Id(u32);

    impl Slot for Id {
        fn bits(self) -> u64 {
            u64::from(self.0)
        }
        // SAFETY: any number is an id.
        unsafe fn from_bits(bits: u64) -> Self {
            Self(bits as u32)
        }
        fn hash(self, _: &crate::base::hash::Hasher) -> u64 {
            0
        }
        fn prefetch(self) {}
    }

    impl Located for Id {
        fn set_place(self, place: u32) {
            PLACES.with_borrow_mut(|places| places.insert(self.0, place));
        }
    }

    #[test]
    fn model_the_first_is_always_the_earliest_and_everyone_knows_their_place() {
        let operations: usize = std::env::var("OXIDIS_MODEL_OPERATIONS")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(100_000);
        let mut random = Random::from_seed(11);
        let mut heap = ExpiryHeap::new();
        let mut model: BTreeMap<u32, i64> = BTreeMap::new();
        let place_of = |id: u32| PLACES.with_borrow(|places| places[&id]);
        for step in 0..operations {
            let id = random.below(if step / 20_000 % 2 == 0 { 12_000 } else { 50 }) as u32;
            let deadline = random.below(1_000_000) as i64;
            match (model.contains_key(&id), random.below(3)) {
                (false, _) => {
                    heap.push(deadline, Id(id));
                    model.insert(id, deadline);
                }
                (true, 0) => {
                    heap.remove(place_of(id));
                    model.remove(&id);
                }
                (true, _) => {
                    heap.update(place_of(id), deadline);
                    model.insert(id, deadline);
                }
            }
            assert_eq!(heap.len(), model.len());
            if step % 97 == 0 {
                assert_eq!(
                    heap.first().map(|(deadline, _)| deadline),
                    model.values().min().copied()
                );
            }
        }
        let mut last = i64::MIN;
        while let Some((deadline, Id(id))) = heap.first() {
            assert!(deadline >= last && model.remove(&id) == Some(deadline) && place_of(id) == 0);
            last = deadline;
            heap.remove(0);
        }
        assert!(model.is_empty() && heap.is_empty());
    }
}
