//! The hash table of the keyspace and of large collections: extendible hashing in hash order.
//!
//! ```text
//! directory  2^depth entries, indexed by the top bits of the hash; neighbours may name the same segment
//! entry      u64: local depth (8) | address of the buckets (42, they are aligned to 64) ... | buckets - 1 (6)
//! segment    1 to 64 buckets in a row; the hash bits after the local depth, scaled to their number, give the home
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

use super::arena::Arena;
use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;

/// Slots of a bucket.
pub const SLOTS: usize = 9;
/// Buckets of the largest segment.
const BUCKETS_MAX: usize = 64;
/// How many buckets past its home an element may be put.
const SPILL_MAX: usize = 15;
/// The numbers of buckets a segment may have.
const SIZES: [u8; 14] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 56, 64];
/// Local depth that no segment passes: keyed hashes do not agree on that many bits.
const DEPTH_MAX: u32 = 48;
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
}

/// A directory entry; see the head of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry(u64);

impl Entry {
    fn new(buckets: NonNull<Bucket>, count: usize, depth: u32) -> Self {
        Self(
            u64::from(depth) << 56
                | buckets.as_ptr().expose_provenance() as u64
                | (count - 1) as u64,
        )
    }

    #[inline]
    fn depth(self) -> u32 {
        (self.0 >> 56) as u32
    }

    #[inline]
    fn count(self) -> usize {
        (self.0 & 63) as usize + 1
    }

    #[inline]
    fn buckets(self) -> *mut Bucket {
        std::ptr::with_exposed_provenance_mut((self.0 & 0x00ff_ffff_ffff_ffc0) as usize)
    }

    /// The bucket that `hash` belongs to.
    #[inline]
    fn home(self, hash: u64) -> usize {
        let fraction = hash.unbounded_shl(self.depth()) >> 32;
        ((fraction * self.count() as u64) >> 32) as usize
    }

    #[inline]
    fn bucket(&self, index: usize) -> &Bucket {
        debug_assert!(index < self.count());
        // SAFETY: an entry names `count` initialised buckets that live as long as the directory names them.
        unsafe { &*self.buckets().add(index) }
    }

    #[inline]
    #[allow(
        clippy::mut_from_ref,
        reason = "an entry is a pointer; `&mut Table` is what makes the access unique"
    )]
    fn bucket_mut(&self, index: usize) -> &mut Bucket {
        debug_assert!(index < self.count());
        // SAFETY: as in `bucket`; callers hold `&mut Table` and one bucket at a time.
        unsafe { &mut *self.buckets().add(index) }
    }

    /// The lowest hash whose home is bucket `index` of a segment that starts at hash `start`; `None` past the last hash.
    fn first_hash(self, start: u64, index: usize) -> Option<u64> {
        let fraction = ((index as u64) << 32).div_ceil(self.count() as u64);
        if fraction < 1 << 32 {
            return Some(start | (fraction << 32).unbounded_shr(self.depth()));
        }
        start
            .checked_add(1u64.unbounded_shl(64 - self.depth()))
            .filter(|_| self.depth() > 0)
    }
}

#[repr(C, align(64))]
struct Bucket([u8; 64]);

const PARITY: u8 = 0x80;
const SPILLED: u8 = 0x07;
const TAGS_MASK: u32 = 0x3fe;

impl Bucket {
    #[inline]
    fn parity(&self) -> u8 {
        self.0[0] & PARITY
    }

    #[inline]
    fn set_parity(&mut self, parity: u8) {
        self.0[0] = self.0[0] & !PARITY | parity;
    }

    /// How many buckets in a row may hold elements whose home this is.
    #[inline]
    fn reach(&self) -> usize {
        (self.0[0] >> 3 & 15) as usize + 1
    }

    /// An element at home here was put `distance` buckets further.
    fn note_spill(&mut self, distance: usize) {
        let count = (self.0[0] & SPILLED).saturating_add(1).min(SPILLED);
        let longest = self.reach().max(distance + 1) - 1;
        self.0[0] = self.parity() | (longest as u8) << 3 | count;
    }

    /// An element at home here that had been put further was taken out.
    fn forget_spill(&mut self) {
        let count = self.0[0] & SPILLED;
        debug_assert!(count > 0);
        match count {
            SPILLED => {}
            1 => self.0[0] = self.parity(),
            _ => self.0[0] -= 1,
        }
    }

    #[inline]
    fn is_used(&self, slot: usize) -> bool {
        self.0[1 + slot] != 0
    }

    /// Bit `slot` is set where the tag equals `tag`; tag 0 gives the free slots.
    #[inline]
    fn matches(&self, tag: u8) -> u32 {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{
                __m128i, _mm_cmpeq_epi8, _mm_load_si128, _mm_movemask_epi8, _mm_set1_epi8,
            };
            // SAFETY: a bucket is 64 bytes aligned to 64, and SSE2 is part of x86-64.
            let equal = unsafe {
                let head = _mm_load_si128(self.0.as_ptr().cast::<__m128i>());
                _mm_movemask_epi8(_mm_cmpeq_epi8(head, _mm_set1_epi8(tag as i8)))
            };
            (equal as u32 & TAGS_MASK) >> 1
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self.0[1..=SLOTS]
                .iter()
                .enumerate()
                .fold(0, |mask, (slot, t)| mask | u32::from(*t == tag) << slot)
        }
    }

    #[inline]
    fn get(&self, slot: usize) -> u64 {
        let at = 8 + slot * 6;
        match self.0[at..at + 8].try_into() {
            Ok(bytes) => u64::from_le_bytes(bytes) >> 16,
            Err(_) => unreachable!("the range is 8 bytes long"),
        }
    }

    #[inline]
    fn set(&mut self, slot: usize, bits: u64) {
        debug_assert!(bits >> 48 == 0);
        self.0[10 + slot * 6..16 + slot * 6].copy_from_slice(&bits.to_le_bytes()[..6]);
    }

    #[inline]
    fn put(&mut self, slot: usize, tag: u8, bits: u64) {
        self.0[1 + slot] = tag;
        self.set(slot, bits);
    }

    fn used(&self) -> usize {
        SLOTS - self.matches(0).count_ones() as usize
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    (hash as u8).max(1)
}

/// Iterates over the set bits of a mask of slots.
#[inline]
fn bits_of(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (slot < 32).then_some(slot as usize)
    })
}

/// The smallest segment that holds `len` elements at the fill of a fresh layout.
fn size_for(len: usize) -> usize {
    let needed = (len * 100)
        .div_ceil(SLOTS * FILL_AFTER_SPLIT_PERCENT)
        .max(1);
    SIZES
        .iter()
        .map(|size| *size as usize)
        .find(|size| *size >= needed)
        .unwrap_or(BUCKETS_MAX)
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

    /// Bytes of buckets that do not come from the global allocator.
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

    /// First stage of a look-up that is known in advance: asks for the home bucket's cache line.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) {
        if let Some(entry) = self.entry(hash) {
            prefetch(entry.buckets().wrapping_add(entry.home(hash)).cast());
        }
    }

    /// Second stage: asks for the records whose tags match in the home bucket.
    #[inline]
    pub fn prefetch_records(&self, hash: u64) {
        if let Some(entry) = self.entry(hash) {
            let bucket = entry.bucket(entry.home(hash));
            for slot in bits_of(bucket.matches(tag_of(hash))) {
                // SAFETY: a used slot holds the bits of a handle whose record lives.
                unsafe { S::from_bits(bucket.get(slot)) }.prefetch();
            }
        }
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
            (self.segments, self.deepest) = (1, 1);
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

    // ---- layout -------------------------------------------------------------------------------------------------

    fn allocate(&mut self, count: usize, depth: u32) -> Entry {
        let bytes = count * size_of::<Bucket>();
        self.bucket_bytes += bytes;
        let memory = match &mut self.arena {
            Some(arena) => arena.alloc(bytes),
            None => {
                let layout = bucket_layout(count);
                // SAFETY: the size is not zero.
                NonNull::new(unsafe { std::alloc::alloc(layout) })
                    .unwrap_or_else(|| handle_alloc_error(layout))
            }
        };
        let buckets = memory.cast::<Bucket>();
        for index in 0..count {
            let mut empty = [0; 64];
            empty[0] = self.parity;
            // SAFETY: the memory has room for `count` buckets and is aligned to 64 (arena cells of such sizes are).
            unsafe { buckets.add(index).write(Bucket(empty)) };
        }
        Entry::new(buckets, count, depth)
    }

    fn release(&mut self, entry: Entry) {
        let bytes = entry.count() * size_of::<Bucket>();
        self.bucket_bytes -= bytes;
        let Some(memory) = NonNull::new(entry.buckets().cast::<u8>()) else {
            return;
        };
        match &mut self.arena {
            // SAFETY: `allocate` took it from the arena with this size, and no directory entry names it any more.
            Some(arena) => unsafe { arena.free(memory, bytes) },
            // SAFETY: `allocate` took it from the global allocator with this layout.
            None => unsafe { std::alloc::dealloc(memory.as_ptr(), bucket_layout(entry.count())) },
        }
    }

    /// The hash at which the segment of `hash` starts.
    fn start_of(hash: u64, depth: u32) -> u64 {
        hash & u64::MAX.unbounded_shl(64 - depth)
    }

    /// Names `entry` for all hashes of its segment.
    fn publish(&mut self, start: u64, entry: Entry) {
        let first = self.index(start);
        let run = 1usize << (self.depth - entry.depth());
        self.directory[first..first + run].fill(entry);
    }

    /// Every element of a segment, saved if a walk wants it, with its hash. The records are asked for beforehand.
    fn elements(&mut self, entry: Entry, into: &mut Vec<(u64, S)>) {
        let first = into.len();
        for index in 0..entry.count() {
            self.save(entry, index);
            let bucket = entry.bucket(index);
            for slot in bits_of(!bucket.matches(0) & TAGS_MASK >> 1) {
                // SAFETY: a used slot holds the bits of a handle whose record lives.
                let handle = unsafe { S::from_bits(bucket.get(slot)) };
                handle.prefetch();
                into.push((0, handle));
            }
        }
        for (hash, handle) in &mut into[first..] {
            *hash = handle.hash(&self.hasher);
        }
    }

    /// Lays `elements` out in a fresh segment: the smallest of at least `count` buckets that takes them all.
    fn lay_out(&mut self, elements: &[(u64, S)], mut count: usize, depth: u32) -> Entry {
        loop {
            let entry = self.allocate(count, depth);
            if elements
                .iter()
                .all(|(hash, handle)| self.place(entry, *hash, *handle).is_some())
            {
                return entry;
            }
            self.release(entry);
            count = next_size(count)
                .expect("a segment is split before it holds more than its largest size takes");
        }
    }

    #[cold]
    fn make_room(&mut self, hash: u64, entry: Entry) {
        let mut elements = Vec::with_capacity(entry.count() * SLOTS);
        self.elements(entry, &mut elements);
        let depth = entry.depth();
        match next_size(entry.count()) {
            Some(count) => {
                let grown = self.lay_out(&elements, count, depth);
                self.publish(Self::start_of(hash, depth), grown);
            }
            None => self.split(hash, depth, &elements),
        }
        self.release(entry);
    }

    fn split(&mut self, hash: u64, depth: u32, elements: &[(u64, S)]) {
        assert!(
            depth < DEPTH_MAX,
            "so many keyed hashes cannot agree on {DEPTH_MAX} bits"
        );
        if depth == self.depth {
            let doubled = self
                .directory
                .iter()
                .flat_map(|entry| [*entry, *entry])
                .collect();
            self.directory = doubled;
            self.depth += 1;
            self.deepest = 0;
        }
        let start = Self::start_of(hash, depth);
        let middle = start | 1 << (63 - depth);
        let (low, high): (Vec<_>, Vec<_>) = elements.iter().partition(|(hash, _)| *hash < middle);
        for (start, half) in [(start, low), (middle, high)] {
            let entry = self.lay_out(&half, size_for(half.len()), depth + 1);
            self.publish(start, entry);
        }
        self.segments += 1;
        if depth + 1 == self.depth {
            self.deepest += 2;
        }
    }

    /// Makes the segment of `hash` smaller, or merges it with its buddy, if it is sparse.
    fn shrink(&mut self, hash: u64) {
        let Some(entry) = self.entry(hash) else {
            return;
        };
        let len = used_of(entry);
        if entry.count() == 1 || len * 100 >= entry.count() * SLOTS * FILL_MIN_PERCENT {
            return;
        }
        let depth = entry.depth();
        if depth > 0 {
            let buddy_start = Self::start_of(hash, depth) ^ 1 << (64 - depth);
            if let Some(buddy) = self
                .entry(buddy_start)
                .filter(|buddy| buddy.depth() == depth)
                && (len + used_of(buddy)) * 100 <= BUCKETS_MAX * SLOTS * 50
            {
                return self.merge(hash, entry, buddy);
            }
        }
        let count = size_for(len * 5 / 4);
        if count < entry.count() {
            let mut elements = Vec::with_capacity(len);
            self.elements(entry, &mut elements);
            let smaller = self.lay_out(&elements, count, depth);
            self.publish(Self::start_of(hash, depth), smaller);
            self.release(entry);
        }
    }

    fn merge(&mut self, hash: u64, entry: Entry, buddy: Entry) {
        let mut elements = Vec::new();
        self.elements(entry, &mut elements);
        self.elements(buddy, &mut elements);
        let depth = entry.depth() - 1;
        let merged = self.lay_out(&elements, size_for(elements.len() * 5 / 4), depth);
        self.publish(Self::start_of(hash, depth), merged);
        self.release(entry);
        self.release(buddy);
        self.segments -= 1;
        if depth + 1 == self.depth {
            self.deepest -= 2;
            if self.deepest == 0 && self.depth > 0 {
                self.halve_directory();
            }
        }
    }

    fn halve_directory(&mut self) {
        self.directory = self.directory.iter().copied().step_by(2).collect();
        self.depth -= 1;
        let deep = self
            .directory
            .iter()
            .filter(|entry| entry.depth() == self.depth)
            .count();
        self.deepest = deep;
    }

    // ---- iteration ----------------------------------------------------------------------------------------------

    /// Every element, in no particular order.
    pub fn for_each(&self, mut visit: impl FnMut(S)) {
        let mut index = 0;
        while let Some(entry) = self.directory.get(index) {
            for bucket in 0..entry.count() {
                visit_bucket(entry.bucket(bucket), &mut visit);
            }
            index += 1 << (self.depth - entry.depth());
        }
    }

    /// Takes every element out.
    pub fn drain(&mut self, visit: impl FnMut(S)) {
        self.finish_walk();
        self.for_each(visit);
        self.clear();
    }

    fn clear(&mut self) {
        let mut index = 0;
        while let Some(entry) = self.directory.get(index).copied() {
            index += 1 << (self.depth - entry.depth());
            self.release(entry);
        }
        self.directory = Vec::new();
        (self.depth, self.len, self.segments, self.deepest) = (0, 0, 0, 0);
    }

    /// One step of an iteration that lives in its cursor: visits the elements of one bucket's stretch of hash space and
    /// returns where to go on; 0 starts and ends. An element that is in the table from the start of an iteration to its
    /// end is visited at least once, whatever is added, removed and laid out anew meanwhile.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(S)) -> u64 {
        let from = (cursor & ((1 << CURSOR_BITS) - 1)) << (64 - CURSOR_BITS);
        let Some(entry) = self.entry(from) else {
            return 0;
        };
        let (home, count) = (entry.home(from), entry.count());
        for distance in 0..entry.bucket(home).reach() {
            visit_bucket(entry.bucket((home + distance) % count), &mut |handle: S| {
                let hash = handle.hash(&self.hasher);
                if hash >= from && entry.home(hash) == home {
                    visit(handle);
                }
            });
        }
        let start = Self::start_of(from, entry.depth());
        entry
            .first_hash(start, home + 1)
            .map_or(0, |hash| hash >> (64 - CURSOR_BITS))
    }

    /// An element, each with the same probability.
    pub fn random(&self, random: &mut crate::base::random::Random) -> Option<S> {
        /// Fair tries before the search goes on from a random place.
        const TRIES: usize = 4096;
        if self.len == 0 {
            return None;
        }
        for _ in 0..TRIES {
            let index = random.below(self.directory.len() as u64) as usize;
            let entry = self.directory[index];
            if index & ((1 << (self.depth - entry.depth())) - 1) != 0 {
                continue;
            }
            let at = random.below((self.largest_segment() * SLOTS) as u64) as usize;
            let (bucket, slot) = (at / SLOTS, at % SLOTS);
            if bucket < entry.count() && entry.bucket(bucket).is_used(slot) {
                // SAFETY: a used slot holds the bits of a handle whose record lives.
                return Some(unsafe { S::from_bits(entry.bucket(bucket).get(slot)) });
            }
        }
        let mut found = None;
        let mut cursor = random.next_u64();
        while found.is_none() {
            cursor = self.scan(cursor, |handle| found = Some(handle));
        }
        found
    }

    /// Buckets of the largest segment there can be now.
    fn largest_segment(&self) -> usize {
        if self.segments == 1 {
            self.directory[0].count()
        } else {
            BUCKETS_MAX
        }
    }

    /// How many segments have how many elements, for DEBUG HTSTATS: (segments, directory entries, longest run of buckets).
    pub fn shape(&self) -> (usize, usize, usize) {
        (
            self.segments,
            self.directory.len(),
            self.directory
                .iter()
                .map(|entry| entry.count())
                .max()
                .unwrap_or(0),
        )
    }

    // ---- snapshot -----------------------------------------------------------------------------------------------

    /// Starts a walk: from now on the sink gets, once each, the elements that are in the table at this moment, with the
    /// content they have at this moment. One walk at a time.
    pub fn begin_walk(&mut self, sink: Sink<S>) {
        assert!(self.walk.is_none(), "one walk at a time");
        self.parity ^= PARITY;
        self.walk = Some(Walk {
            sink,
            next: Some(0),
        });
    }

    /// Goes on with the walk for up to `buckets` buckets; whether it is complete. A complete walk lets go of its sink.
    pub fn walk(&mut self, buckets: usize) -> bool {
        for _ in 0..buckets {
            let Some(from) = self.walk.as_ref().and_then(|walk| walk.next) else {
                break;
            };
            let next = self.entry(from).and_then(|entry| {
                let home = entry.home(from);
                self.save(entry, home);
                entry.first_hash(Self::start_of(from, entry.depth()), home + 1)
            });
            if let Some(walk) = &mut self.walk {
                walk.next = next;
            }
        }
        if self.walk.as_ref().is_some_and(|walk| walk.next.is_none()) {
            self.walk = None;
        }
        self.walk.is_none()
    }

    /// Ends a walk at once: what it has not seen is not saved any more.
    pub fn abandon_walk(&mut self) {
        if let Some(walk) = &mut self.walk {
            walk.sink = Box::new(|_| ());
            self.finish_walk();
        }
    }

    fn finish_walk(&mut self) {
        while !self.walk(BUCKETS_MAX) {}
    }

    /// Gives the bucket's content to the walk, if there is one that has not had it.
    #[inline]
    fn save(&mut self, entry: Entry, index: usize) {
        if self.walk.is_some() {
            self.save_for_walk(entry, index);
        }
    }

    #[cold]
    fn save_for_walk(&mut self, entry: Entry, index: usize) {
        let Some(walk) = &mut self.walk else { return };
        let bucket = entry.bucket_mut(index);
        if bucket.parity() != self.parity {
            bucket.set_parity(self.parity);
            visit_bucket(bucket, &mut walk.sink);
        }
    }
}

fn visit_bucket<S: Slot>(bucket: &Bucket, visit: &mut impl FnMut(S)) {
    for slot in bits_of(!bucket.matches(0) & TAGS_MASK >> 1) {
        // SAFETY: a used slot holds the bits of a handle whose record lives.
        visit(unsafe { S::from_bits(bucket.get(slot)) });
    }
}

fn used_of(entry: Entry) -> usize {
    (0..entry.count())
        .map(|bucket| entry.bucket(bucket).used())
        .sum()
}

fn next_size(count: usize) -> Option<usize> {
    SIZES
        .iter()
        .map(|size| *size as usize)
        .find(|size| *size > count)
}

fn bucket_layout(count: usize) -> Layout {
    Layout::array::<Bucket>(count).expect("a segment is at most 4 KiB")
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
                // SAFETY: `allocate` took it from the global allocator with this layout; the table is going away.
                unsafe {
                    std::alloc::dealloc(entry.buckets().cast(), bucket_layout(entry.count()))
                };
            }
        }
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
