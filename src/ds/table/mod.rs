//! The hash table of the keyspace and of large collections: extendible hashing in hash order.
//!
//! ```text
//! directory  2^depth entries, indexed by the top bits of the hash; neighbours may name the same segment
//! entry      u64: local depth (8) | address, aligned to 64 (42) ... | buckets - 1 (6)
//! segment    1 to 64 buckets; the hash bits after the local depth, scaled to their number, give the home. Up to 8
//!            stand in one page, which the entry names; more in pages of 8, and the entry names a cache line of the
//!            pages' addresses: all pages have one size, so that growing segments leave no holes
//! bucket     64 bytes, one cache line:
//!            [ state 1 | tags 9 x 1 | slots 9 x 6 ]
//!            tag 0 is a free slot; state: bit 7 the snapshot parity; of the elements whose home this bucket is, but
//!            that were put into a following one (at most SPILL_MAX further, wrapping): bits 3-6 the longest distance,
//!            bits 0-2 their number (7: or more; then both stay until the segment is laid out anew). At the usual fill
//!            of 80 to 87 % nine of ten elements are at home, and a miss looks at 1.6 to 2 buckets
//! ```
//!
//! What must hold, whatever happens:
//! - Elements are ordered by hash between buckets and segments. Growth, splits and merges keep that order, so a cursor
//!   that is a position in hash space ([`Table::scan`]) meets every element that stays.
//! - Nothing grows by more than one segment at a time: a step lays out at most 64 buckets anew.
//! - While a walk ([`Table::begin_walk`]) is under way, a bucket's content goes to the sink exactly once: when the walk
//!   reaches it, or just before its first change. A bucket is saved when its parity bit equals the table's. Only
//!   [`Table::insert`], [`Table::change`], [`Table::replace`] and [`Table::remove`] lead to changes, and all save first;
//!   a segment is saved whole before it is laid out anew.
//! - The table owns buckets, not records: handles are `Copy`, the owner frees what they lead to.

mod bucket;
mod iterate;
mod layout;

use super::arena::Arena;
use bucket::{Bucket, Entry, bits_of, tag_of};
pub use iterate::Iter;
use layout::release_segment;
use std::marker::PhantomData;

/// Slots of a bucket.
pub const SLOTS: usize = 9;
/// Buckets of the largest segment.
const BUCKETS_MAX: usize = 64;
/// Buckets of a page.
const PAGE_BUCKETS: usize = 8;
/// Pages of the largest segment.
const PAGES_MAX: usize = BUCKETS_MAX / PAGE_BUCKETS;
/// How many buckets past its home an element may be put.
const SPILL_MAX: usize = 15;
/// The numbers of buckets a segment may have.
const SIZES: [u8; 14] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 56, 64];
/// Local depth that no segment passes: keyed hashes do not agree on that many bits. Eight bits of a cursor are left, so
/// that the buckets of the deepest segments still have stretches of their own.
const DEPTH_MAX: u32 = CURSOR_BITS - 8;
/// Bits of a SCAN cursor. Fewer than 53, so that clients that keep numbers in doubles get it right.
pub const CURSOR_BITS: u32 = 48;
/// A segment laid out anew is filled to at most this many elements of 64 slots' worth.
const FILL_AFTER_SPLIT_PERCENT: usize = 80;
/// A segment with less than this is made smaller or merged with its buddy.
const FILL_MIN_PERCENT: usize = 30;

/// What a slot holds: 48 bits that lead to a record.
pub trait Slot: Copy {
    /// The handle as a number below 2^48.
    fn bits(self) -> u64;
    /// The handle of `bits`.
    ///
    /// # Safety
    /// `bits` came from [`Slot::bits`] of a handle whose record still lives.
    // SAFETY: the contract is the caller's, stated above.
    unsafe fn from_bits(bits: u64) -> Self;
    /// The hash of the record's key: the one it was inserted under.
    fn hash(self, hasher: &crate::base::hash::Hasher) -> u64;
    /// Asks the processor for the record's first cache lines.
    fn prefetch(self);
}

/// Where an element is; good until the next change of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    directory: u32,
    bucket: u8,
    slot: u8,
}

/// A look-up that is known in advance, after its second stage.
#[derive(Clone, Copy)]
pub struct Ahead<'t, S> {
    entry: Entry,
    bucket: u8,
    tag: u8,
    table: PhantomData<&'t Table<S>>,
}

impl<S: Slot> Ahead<'_, S> {
    /// Third stage: asks for the records whose tags match in the bucket; whether there were any. If not, and the element
    /// may have been put further, the next bucket is asked for, and a fourth stage is the third once more.
    #[inline]
    pub fn prefetch_records(&mut self) -> bool {
        let home = self.entry.bucket(usize::from(self.bucket));
        let matches = home.matches(self.tag);
        for slot in bits_of(matches) {
            // SAFETY: a used slot holds the bits of a handle whose record lives.
            unsafe { S::from_bits(home.get(slot)) }.prefetch();
        }
        let next = usize::from(self.bucket) + 1;
        if matches != 0 || home.reach() == 1 || next == self.entry.count() {
            return true;
        }
        self.bucket = next as u8;
        prefetch(self.entry.address(next).cast());
        false
    }
}

/// Takes each element of a snapshot once.
pub type Sink<S> = Box<dyn FnMut(S) + Send>;

struct Walk<S> {
    sink: Sink<S>,
    /// The next hash to be visited; `None` when the walk has seen all.
    next: Option<u64>,
}

/// See the head of the file.
pub struct Table<S> {
    directory: Vec<Entry>,
    depth: u32,
    len: usize,
    segments: usize,
    /// Segments whose local depth is the directory's.
    deepest: usize,
    parity: u8,
    hasher: crate::base::hash::Hasher,
    walk: Option<Walk<S>>,
    /// Where buckets come from; `None`: the global allocator, for tables of collections.
    arena: Option<Box<Arena>>,
    bucket_bytes: usize,
    /// Very many elements are coming: segments become as large as they may be at once.
    in_bulk: bool,
}

impl<S: Slot> Table<S> {
    /// An empty table that holds no memory. `own_arena`: take buckets from huge pages of its own (a database), instead
    /// of the global allocator (a collection).
    pub fn new(hasher: crate::base::hash::Hasher, own_arena: bool) -> Self {
        Self {
            directory: Vec::new(),
            depth: 0,
            len: 0,
            segments: 0,
            deepest: 0,
            parity: 0,
            hasher,
            walk: None,
            arena: own_arena.then(|| Box::new(Arena::new())),
            bucket_bytes: 0,
            in_bulk: false,
        }
    }

    /// Elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Buckets times slots: how many elements a full table of this size would hold.
    pub fn capacity(&self) -> usize {
        self.bucket_bytes / size_of::<Bucket>() * SLOTS
    }

    /// The arena that buckets come from, for the records that the table leads to.
    #[inline]
    pub fn arena(&mut self) -> Option<&mut Arena> {
        self.arena.as_deref_mut()
    }

    /// Bytes of the arena that are in use.
    pub fn arena_bytes(&self) -> usize {
        self.arena.as_ref().map_or(0, |arena| arena.used_bytes())
    }

    /// Bytes of buckets and directory.
    pub fn heap_bytes(&self) -> usize {
        self.bucket_bytes + self.directory.capacity() * size_of::<Entry>()
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        hash.unbounded_shr(64 - self.depth) as usize
    }

    #[inline]
    fn entry(&self, hash: u64) -> Option<Entry> {
        self.directory.get(self.index(hash)).copied()
    }

    /// First stage of a look-up that is known in advance: asks for the line that tells where the pages are.
    #[inline]
    pub fn prefetch_segment(&self, hash: u64) {
        if let Some(entry) = self.entry(hash) {
            prefetch(entry.memory());
        }
    }

    /// Second stage: asks for the home bucket's cache line.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) -> Option<Ahead<'_, S>> {
        let entry = self.entry(hash)?;
        let home = entry.home(hash);
        prefetch(entry.address(home).cast());
        Some(Ahead {
            entry,
            bucket: home as u8,
            tag: tag_of(hash),
            table: PhantomData,
        })
    }

    /// The element under `hash` that `is_it` accepts.
    #[inline]
    pub fn find(&self, hash: u64, is_it: impl Fn(S) -> bool) -> Option<(Position, S)> {
        let index = self.index(hash);
        let entry = *self.directory.get(index)?;
        let tag = tag_of(hash);
        let (home, count) = (entry.home(hash), entry.count());
        let mut at = home;
        for _ in 0..entry.bucket(home).reach() {
            let bucket = entry.bucket(at);
            for slot in bits_of(bucket.matches(tag)) {
                // SAFETY: a used slot holds the bits of a handle whose record lives.
                let handle = unsafe { S::from_bits(bucket.get(slot)) };
                if is_it(handle) {
                    return Some((
                        Position {
                            directory: index as u32,
                            bucket: at as u8,
                            slot: slot as u8,
                        },
                        handle,
                    ));
                }
            }
            at = if at + 1 == count { 0 } else { at + 1 };
        }
        None
    }

    fn resolve(&self, position: Position) -> (Entry, usize, usize) {
        let entry = self.directory[position.directory as usize];
        let (bucket, slot) = (position.bucket as usize, position.slot as usize);
        assert!(
            bucket < entry.count() && slot < SLOTS && entry.bucket(bucket).is_used(slot),
            "a stale position"
        );
        (entry, bucket, slot)
    }

    /// The element at `position`.
    #[inline]
    pub fn get(&self, position: Position) -> S {
        let (entry, bucket, slot) = self.resolve(position);
        // SAFETY: `resolve` saw that the slot is used.
        unsafe { S::from_bits(entry.bucket(bucket).get(slot)) }
    }

    /// Whether a walk is under way, so that changes must go through [`Self::change`].
    #[inline]
    pub fn is_walked(&self) -> bool {
        self.walk.is_some()
    }

    /// The element at `position`, about to be changed in place.
    #[inline]
    pub fn change(&mut self, position: Position) -> S {
        let (entry, bucket, slot) = self.resolve(position);
        self.save(entry, bucket);
        // SAFETY: `resolve` saw that the slot is used.
        unsafe { S::from_bits(entry.bucket(bucket).get(slot)) }
    }

    /// Puts another handle, of the same key, in the place of the one at `position`, which is returned.
    #[inline]
    pub fn replace(&mut self, position: Position, handle: S) -> S {
        let old = self.change(position);
        let (entry, bucket, slot) = self.resolve(position);
        entry.bucket_mut(bucket).set(slot, handle.bits());
        old
    }

    /// Adds an element whose key is not in the table.
    pub fn insert(&mut self, hash: u64, handle: S) -> Position {
        if self.directory.is_empty() {
            let entry = self.allocate(1, 0);
            self.directory.push(entry);
            self.publish(0, entry);
        }
        loop {
            let index = self.index(hash);
            let entry = self.directory[index];
            if let Some((bucket, slot)) = self.place(entry, hash, handle) {
                self.len += 1;
                return Position {
                    directory: index as u32,
                    bucket: bucket as u8,
                    slot: slot as u8,
                };
            }
            self.make_room(hash, entry);
        }
    }

    /// Puts the element into its segment, or finds that there is no room near its home.
    #[inline]
    fn place(&mut self, entry: Entry, hash: u64, handle: S) -> Option<(usize, usize)> {
        let (home, count) = (entry.home(hash), entry.count());
        let mut at = home;
        for distance in 0..count.min(SPILL_MAX + 1) {
            let free = entry.bucket(at).matches(0);
            if free != 0 {
                let slot = free.trailing_zeros() as usize;
                self.save(entry, at);
                entry.bucket_mut(at).put(slot, tag_of(hash), handle.bits());
                if distance > 0 {
                    entry.bucket_mut(home).note_spill(distance);
                }
                return Some((at, slot));
            }
            at = if at + 1 == count { 0 } else { at + 1 };
        }
        None
    }

    /// Takes out the element at `position`, whose hash is `hash`.
    pub fn remove(&mut self, position: Position, hash: u64) -> S {
        let handle = self.change(position);
        let (entry, bucket, slot) = self.resolve(position);
        entry.bucket_mut(bucket).0[1 + slot] = 0;
        let home = entry.home(hash);
        if home != bucket {
            entry.bucket_mut(home).forget_spill();
        }
        self.len -= 1;
        if entry.bucket(bucket).matches(0).count_ones() as usize == SLOTS && bucket & 3 == 0 {
            self.shrink(hash);
        }
        handle
    }
}

/// Asks the processor for a cache line.
#[inline]
pub fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch(address.cast(), std::arch::x86_64::_MM_HINT_T0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

impl<S> Drop for Table<S> {
    fn drop(&mut self) {
        let mut index = 0;
        while let Some(entry) = self.directory.get(index).copied() {
            index += 1 << (self.depth - entry.depth());
            if self.arena.is_none() {
                release_segment(&mut None, entry);
            }
        }
    }
}

#[cfg(test)]
mod tests;
