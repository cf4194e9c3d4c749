//! A listpack with room on both sides: what is pushed at either end moves nothing.
//!
//! ```text
//! bytes  [ room | listpack: header, entries, end mark | room ]
//!               ^ start                               ^ end
//! ```
//! The listpack in the middle is true at any time: [`Run::pack`] lends it as it is, and its bytes are what RDB files
//! have. A run without elements has no listpack and may have no memory. Offsets of elements are those of the listpack.

use crate::ds::listpack::{END, Encoded, entry_bytes_at, header};
use crate::ds::listpack::{Element, HEADER_BYTES, Pack, Sought};

/// The smallest allocation.
const ROOM_MIN_BYTES: usize = 64;
/// Room that a loaded listpack is given on either side.
const LOADED_ROOM_BYTES: usize = 256;
/// A run of this size is not made larger as long as its elements fit: its room is divided anew.
const LARGE_BYTES: usize = 4096;

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first element: LEFT.
    Front,
    /// The last element: RIGHT.
    Back,
}

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Run {
    bytes: Box<[u8]>,
    start: u32,
    end: u32,
    len: u32,
}

/// A whole number of bytes that an allocator gives without waste: eight sizes between two powers of two.
fn allocation_bytes(needed: usize) -> usize {
    let step = (needed.next_power_of_two() / 16).max(1);
    needed.next_multiple_of(step).max(ROOM_MIN_BYTES)
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).expect("listpacks stay below LISTPACK_MAX_BYTES")
}

impl Run {
    /// An empty one with `bytes` of memory.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: vec![0; bytes].into(),
            ..Self::default()
        }
    }

    /// A run with the content of `pack`, in exactly as much memory.
    pub fn of_pack(pack: Pack<'_>) -> Self {
        let mut run = Self::with_capacity(pack.bytes().len());
        run.append(pack);
        run
    }

    /// For reading.
    #[inline]
    pub fn pack(&self) -> Pack<'_> {
        Pack::new(&self.bytes[self.start as usize..self.end as usize])
    }

    /// Elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the listpack; 0 if there are no elements.
    #[inline]
    pub fn pack_bytes(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Bytes of memory.
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the content of `pack`, and keeps its own memory.
    pub fn load(&mut self, pack: Pack<'_>) {
        let bytes = pack.bytes();
        self.clear();
        if pack.is_empty() {
            return;
        }
        let needed = bytes.len() + 2 * LOADED_ROOM_BYTES;
        if self.bytes.len() < needed {
            self.bytes = vec![0; allocation_bytes(needed)].into();
        }
        let end = LOADED_ROOM_BYTES + bytes.len();
        self.bytes[LOADED_ROOM_BYTES..end].copy_from_slice(bytes);
        self.start = narrow(LOADED_ROOM_BYTES);
        self.end = narrow(end);
        self.len = narrow(pack.len());
    }

    /// Takes out all elements; the memory stays.
    pub fn clear(&mut self) {
        (self.start, self.end, self.len) = (0, 0, 0);
    }

    /// Gives back room that is not needed.
    pub fn shrink(&mut self) {
        if self.pack_bytes() < self.bytes.len() {
            self.bytes = self.pack().bytes().into();
            (self.start, self.end) = (0, narrow(self.bytes.len()));
        }
    }

    /// The same if it is more than an eighth of the memory.
    pub fn shrink_if_loose(&mut self) {
        let room = self.bytes.len() - self.pack_bytes();
        if room > self.bytes.len() / 8 {
            self.shrink();
        }
    }

    /// Adds a word at one end; a number in its shortest form is kept as one.
    #[inline]
    pub fn push(&mut self, side: Side, word: &[u8]) {
        self.put(side, Encoded::word(word));
    }

    /// Adds an element of this or another run at one end.
    pub fn push_element(&mut self, side: Side, element: Element<'_>) {
        self.put(side, Encoded::element(element));
    }

    #[inline]
    fn put(&mut self, side: Side, entry: Encoded<'_>) {
        let new = entry.bytes();
        let room = match side {
            Side::Front => self.start as usize,
            Side::Back => self.bytes.len() - self.end as usize,
        };
        if room < new || self.len == 0 {
            self.make_room(side, new);
        }
        let at = match side {
            Side::Front => {
                self.start -= new as u32;
                self.start as usize + HEADER_BYTES
            }
            Side::Back => {
                self.end += new as u32;
                let end = self.end as usize - 1;
                self.bytes[end] = END;
                end - new
            }
        };
        entry.write(&mut self.bytes[at..at + new]);
        self.set_len(self.len + 1);
    }

    /// Makes room for `new` bytes at one end; the run has a listpack from then on.
    #[cold]
    fn make_room(&mut self, side: Side, new: usize) {
        let live = self.pack_bytes().max(HEADER_BYTES + 1);
        let needed = live + new;
        let capacity = self.bytes.len();
        let other_room = match side {
            Side::Front => capacity - self.end as usize,
            Side::Back => self.start as usize,
        };
        let fits =
            needed <= capacity && (capacity >= LARGE_BYTES || capacity - live >= capacity / 4);
        let target = if fits {
            capacity
        } else {
            allocation_bytes(needed)
        };
        // Whoever works on both ends finds room there too.
        let free = target - needed;
        let kept = if self.len > 0 && other_room > 0 {
            free / 4
        } else {
            0
        };
        let start = match side {
            Side::Front => target - kept - live,
            Side::Back => kept,
        };
        self.settle(target, start);
    }

    /// Puts the listpack (an empty one if there is none) at `start` of `capacity` bytes of memory.
    fn settle(&mut self, capacity: usize, start: usize) {
        let live = self.start as usize..self.end as usize;
        let bytes = live.len().max(HEADER_BYTES + 1);
        if capacity == self.bytes.len() {
            self.bytes.copy_within(live, start);
        } else {
            let mut roomy = vec![0; capacity];
            roomy[start..start + live.len()].copy_from_slice(&self.bytes[live]);
            self.bytes = roomy.into();
        }
        (self.start, self.end) = (narrow(start), narrow(start + bytes));
        self.bytes[start + bytes - 1] = END;
    }

    #[inline]
    fn set_len(&mut self, len: u32) {
        self.len = len;
        if len == 0 {
            return self.clear();
        }
        let (start, bytes) = (self.start as usize, self.end - self.start);
        if let Some(head) = self.bytes[start..].first_chunk_mut() {
            *head = header(bytes, len);
        }
    }

    /// Makes `old` bytes at `at` of the listpack `new` bytes long; the shorter side moves.
    fn resize(&mut self, at: usize, old: usize, new: usize) {
        if new > old {
            self.widen(at, new - old);
        } else {
            self.narrow_down(at, old - new);
        }
    }

    fn widen(&mut self, at: usize, more: usize) {
        let (before, after) = (at, self.pack_bytes() - at);
        let fits_front = self.start as usize >= more;
        let fits_back = self.bytes.len() - self.end as usize >= more;
        let to_front = match (fits_front, fits_back) {
            (true, true) => before < after,
            (false, false) => {
                let side = if before < after {
                    Side::Front
                } else {
                    Side::Back
                };
                self.make_room(side, more);
                side == Side::Front
            }
            (front, _) => front,
        };
        let (start, end) = (self.start as usize, self.end as usize);
        if to_front {
            self.bytes.copy_within(start..start + at, start - more);
            self.start -= narrow(more);
        } else {
            self.bytes.copy_within(start + at..end, start + at + more);
            self.end += narrow(more);
        }
    }

    fn narrow_down(&mut self, at: usize, less: usize) {
        let (start, end) = (self.start as usize, self.end as usize);
        if at < end - start - at - less {
            self.bytes.copy_within(start..start + at, start + less);
            self.start += narrow(less);
        } else {
            self.bytes.copy_within(start + at + less..end, start + at);
            self.end -= narrow(less);
        }
    }

    /// Puts a word before the element at `at` of the listpack.
    pub fn insert(&mut self, at: usize, word: &[u8]) {
        self.splice(at, 0, Encoded::word(word), 1);
    }

    /// Puts a word in the place of the element at `at`.
    pub fn replace(&mut self, at: usize, word: &[u8]) {
        let old = entry_bytes_at(self.pack().bytes(), at);
        self.splice(at, old, Encoded::word(word), 0);
    }

    fn splice(&mut self, at: usize, old: usize, entry: Encoded<'_>, added: u32) {
        let new = entry.bytes();
        self.resize(at, old, new);
        let place = self.start as usize + at;
        entry.write(&mut self.bytes[place..place + new]);
        self.set_len(self.len + added);
    }

    /// Takes out `count` elements at one end, or as many as there are.
    #[inline]
    pub fn cut(&mut self, side: Side, count: usize) {
        if count == 0 {
            return;
        }
        if count >= self.len() {
            return self.clear();
        }
        let pack = self.pack();
        match side {
            Side::Front => {
                let next = pack.nth(count).map_or(HEADER_BYTES, |item| item.at);
                self.start += narrow(next - HEADER_BYTES);
            }
            Side::Back => {
                let first = pack.nth(self.len() - count).map_or(0, |item| item.at);
                self.end = self.start + narrow(first) + 1;
                self.bytes[self.end as usize - 1] = END;
            }
        }
        self.set_len(self.len - narrow(count));
    }

    /// Takes out `count` elements from number `index` on; there must be so many.
    pub fn remove(&mut self, index: usize, count: usize) {
        if index == 0 {
            return self.cut(Side::Front, count);
        }
        if index + count >= self.len() {
            return self.cut(Side::Back, self.len() - index);
        }
        let pack = self.pack();
        let offset = |index| {
            pack.nth(index)
                .map_or(pack.bytes().len() - 1, |item| item.at)
        };
        let (from, to) = (offset(index), offset(index + count));
        self.narrow_down(from, to - from);
        self.set_len(self.len - narrow(count));
    }

    /// Takes out the elements from number `index` on and returns them as a run of their own.
    pub fn split_off(&mut self, index: usize) -> Run {
        let mut other = Run::default();
        let pack = self.pack();
        let Some(first) = pack.nth(index) else {
            return other;
        };
        let tail = &pack.bytes()[first.at..];
        let bytes = HEADER_BYTES + tail.len();
        other.bytes = vec![0; allocation_bytes(bytes)].into();
        other.bytes[HEADER_BYTES..bytes].copy_from_slice(tail);
        other.end = narrow(bytes);
        other.set_len(self.len - narrow(index));
        self.cut(Side::Back, other.len());
        other
    }

    /// Adds all elements of `other` at the end.
    pub fn append(&mut self, other: Pack<'_>) {
        if other.is_empty() {
            return;
        }
        let entries = &other.bytes()[HEADER_BYTES..];
        let room = self.bytes.len() - self.end as usize;
        let new = entries.len() - 1;
        if room < new || self.len == 0 {
            self.make_room(Side::Back, new);
        }
        let at = self.end as usize - 1;
        self.bytes[at..at + entries.len()].copy_from_slice(entries);
        self.end += narrow(new);
        self.set_len(self.len + narrow(other.len()));
    }

    /// Takes out up to `max` elements that equal `word`, those nearest to one end; how many.
    pub fn remove_equal(&mut self, word: &Sought<'_>, from: Side, max: usize) -> usize {
        let pack = self.pack();
        let is_it = |item: &crate::ds::listpack::Item<'_>| word.is(item.element);
        let mut found: Vec<usize> = match from {
            Side::Front => pack
                .iter()
                .filter(is_it)
                .take(max)
                .map(|item| item.at)
                .collect(),
            Side::Back => pack
                .iter()
                .rev()
                .filter(is_it)
                .take(max)
                .map(|item| item.at)
                .collect(),
        };
        if from == Side::Back {
            found.reverse();
        }
        self.close_gaps(&found);
        found.len()
    }

    /// Takes out the elements at these offsets, which ascend.
    fn close_gaps(&mut self, found: &[usize]) {
        let Some(first) = found.first() else {
            return;
        };
        let start = self.start as usize;
        let bytes = self.pack_bytes();
        let mut to = *first;
        for (number, at) in found.iter().enumerate() {
            let from = at + entry_bytes_at(&self.bytes[start..], *at);
            let until = found.get(number + 1).copied().unwrap_or(bytes);
            self.bytes
                .copy_within(start + from..start + until, start + to);
            to += until - from;
        }
        self.end = self.start + narrow(to);
        self.set_len(self.len - narrow(found.len()));
    }
}
