//! How segments come, grow, split, shrink and merge. Each step lays one segment out anew (a merge: two), and saves it
//! whole before if a walk is under way.

use super::bucket::{Bucket, Entry, Pages, TAGS_MASK, bits_of, used_of};
use super::{
    Arena, BUCKETS_MAX, DEPTH_MAX, FILL_AFTER_SPLIT_PERCENT, FILL_MIN_PERCENT, PAGE_BUCKETS,
    PAGES_MAX, SIZES, SLOTS, Slot, Table,
};
use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;

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

fn next_size(count: usize) -> Option<usize> {
    SIZES
        .iter()
        .map(|size| *size as usize)
        .find(|size| *size > count)
}

fn page_layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, size_of::<Bucket>()).expect("a page is at most 512 bytes")
}

/// Bytes of page `page` of a segment of `count` buckets.
fn page_bytes(count: usize, page: usize) -> usize {
    (count - page * PAGE_BUCKETS).min(PAGE_BUCKETS) * size_of::<Bucket>()
}

/// Memory for a page or for `Pages`, aligned to 64: cells of such sizes are.
fn take(arena: &mut Option<Box<Arena>>, bytes: usize) -> NonNull<u8> {
    if let Some(arena) = arena {
        return arena.alloc(bytes);
    }
    let layout = page_layout(bytes);
    // SAFETY: the size is not zero.
    NonNull::new(unsafe { std::alloc::alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives back what `take` gave.
fn give(arena: &mut Option<Box<Arena>>, memory: *mut u8, bytes: usize) {
    let Some(memory) = NonNull::new(memory) else {
        return;
    };
    match arena {
        // SAFETY: `take` took it from the arena with this size, and no directory entry names it any more.
        Some(arena) => unsafe { arena.free(memory, bytes) },
        // SAFETY: `take` took it from the global allocator with this layout, and nobody names it any more.
        None => unsafe { std::alloc::dealloc(memory.as_ptr(), page_layout(bytes)) },
    }
}

/// Gives back the memory of a segment that no directory entry names any more.
pub(super) fn release_segment(arena: &mut Option<Box<Arena>>, entry: Entry) {
    let count = entry.count();
    for page in 0..count.div_ceil(PAGE_BUCKETS) {
        give(
            arena,
            entry.address(page * PAGE_BUCKETS).cast(),
            page_bytes(count, page),
        );
    }
    if count > PAGE_BUCKETS {
        give(arena, entry.memory(), size_of::<Pages>());
    }
}

/// The depth of the directory and the buckets of each segment of a table that is made for `len` elements at once.
fn shape_for(len: usize) -> (u32, usize) {
    /// How full the average segment is to be; the few that are too full by chance grow.
    const FILL_PERCENT: usize = 87;
    let fits = |size: usize, len: usize| size * SLOTS * FILL_PERCENT >= len * 100;
    let depth = (0..DEPTH_MAX / 2).find(|depth| fits(BUCKETS_MAX, len >> depth));
    let depth = depth.unwrap_or(DEPTH_MAX / 2);
    let mut sizes = SIZES.iter().map(|size| usize::from(*size));
    let size = sizes.find(|size| fits(*size, len >> depth));
    (depth, size.unwrap_or(BUCKETS_MAX))
}

impl<S: Slot> Table<S> {
    /// Makes room for `len` elements that are about to come, so that no segment has to be laid out anew for them. Only a
    /// table that has never held any does so.
    pub fn reserve(&mut self, len: usize) {
        if !self.directory.is_empty() || len == 0 {
            return;
        }
        let (depth, count) = shape_for(len);
        let segments = 1usize << depth;
        self.depth = depth;
        self.directory.reserve_exact(segments);
        for _ in 0..segments {
            let entry = self.allocate(count, depth);
            self.directory.push(entry);
        }
        (self.segments, self.deepest) = (segments, segments);
    }

    /// While very many elements of unknown number come: a segment that is full becomes as large as it may be at once, so
    /// that an element is laid out anew about once, not three times, while the table doubles. Afterwards the table is less
    /// full than it would be, by no more than a fresh layout is.
    pub fn set_in_bulk(&mut self, in_bulk: bool) {
        self.in_bulk = in_bulk;
    }

    pub(super) fn allocate(&mut self, count: usize, depth: u32) -> Entry {
        self.bucket_bytes += count * size_of::<Bucket>();
        let mut pages = Pages([std::ptr::null_mut(); PAGES_MAX]);
        for page in 0..count.div_ceil(PAGE_BUCKETS) {
            let bytes = page_bytes(count, page);
            let buckets = take(&mut self.arena, bytes).cast::<Bucket>();
            let mut empty = [0; 64];
            empty[0] = self.parity;
            for index in 0..bytes / size_of::<Bucket>() {
                // SAFETY: the memory has room for that many buckets and is aligned to 64.
                unsafe { buckets.add(index).write(Bucket(empty)) };
            }
            pages.0[page] = buckets.as_ptr();
        }
        let only_page = NonNull::new(pages.0[0].cast::<u8>()).filter(|_| count <= PAGE_BUCKETS);
        let memory = only_page.unwrap_or_else(|| {
            let memory = take(&mut self.arena, size_of::<Pages>());
            // SAFETY: the memory has the size of `Pages` and is aligned to 64.
            unsafe { memory.cast::<Pages>().write(pages) };
            memory
        });
        Entry::new(memory, count, depth)
    }

    pub(super) fn release(&mut self, entry: Entry) {
        self.bucket_bytes -= entry.count() * size_of::<Bucket>();
        release_segment(&mut self.arena, entry);
    }

    /// The hash at which the segment of `hash` starts.
    pub(super) fn start_of(hash: u64, depth: u32) -> u64 {
        hash & u64::MAX.unbounded_shl(64 - depth)
    }

    /// Names `entry` for all hashes of its segment.
    pub(super) fn publish(&mut self, start: u64, entry: Entry) {
        self.segments += 1;
        self.deepest += usize::from(entry.depth() == self.depth);
        let first = self.index(start);
        let run = 1usize << (self.depth - entry.depth());
        self.directory[first..first + run].fill(entry);
    }

    /// The segment is about to be replaced.
    fn uncount(&mut self, entry: Entry) {
        self.segments -= 1;
        self.deepest -= usize::from(entry.depth() == self.depth);
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

    /// Lays `elements` out in a fresh segment: the smallest of at least `count` buckets that takes them all, if one does.
    fn lay_out(&mut self, elements: &[(u64, S)], count: usize, depth: u32) -> Option<Entry> {
        let mut size = Some(count);
        while let Some(count) = size {
            let entry = self.allocate(count, depth);
            if elements
                .iter()
                .all(|(hash, handle)| self.place(entry, *hash, *handle).is_some())
            {
                return Some(entry);
            }
            self.release(entry);
            size = next_size(count);
        }
        None
    }

    /// There is no room near the home of `hash`: its segment grows, or is split.
    #[cold]
    pub(super) fn make_room(&mut self, hash: u64, entry: Entry) {
        let mut elements = Vec::with_capacity(entry.count() * SLOTS);
        self.elements(entry, &mut elements);
        let start = Self::start_of(hash, entry.depth());
        self.uncount(entry);
        match next_size(entry.count()).map(|count| self.size_in_bulk(count)) {
            Some(count) => self.settle(start, entry.depth(), count, &elements),
            None => self.split(start, entry.depth(), &elements),
        }
        self.release(entry);
    }

    /// Gives the stretch of hash space from `start`, which no segment holds any more, a segment with these elements; or
    /// several, where they stand so close together that one cannot take them.
    fn settle(&mut self, start: u64, depth: u32, count: usize, elements: &[(u64, S)]) {
        match self.lay_out(elements, count, depth) {
            Some(entry) => self.publish(start, entry),
            None => self.split(start, depth, elements),
        }
    }

    fn split(&mut self, start: u64, depth: u32, elements: &[(u64, S)]) {
        assert!(
            depth < DEPTH_MAX,
            "so many keyed hashes cannot agree on {DEPTH_MAX} bits"
        );
        if depth == self.depth {
            self.directory = self
                .directory
                .iter()
                .flat_map(|entry| [*entry, *entry])
                .collect();
            self.depth += 1;
            self.deepest = 0;
        }
        let middle = start | 1 << (63 - depth);
        let (low, high): (Vec<_>, Vec<_>) = elements.iter().partition(|(hash, _)| *hash < middle);
        for (start, half) in [(start, low), (middle, high)] {
            let count = self.size_in_bulk(size_for(half.len()));
            self.settle(start, depth + 1, count, &half);
        }
    }

    /// The size of a segment that would get `count` buckets.
    fn size_in_bulk(&self, count: usize) -> usize {
        /// Smaller ones belong to a table of which nobody knows that it will be large.
        const BULK_MIN: usize = 16;
        if self.in_bulk && count >= BULK_MIN {
            return BUCKETS_MAX;
        }
        count
    }

    /// Makes the segment of `hash` smaller, or merges it with its buddy, if it is sparse.
    pub(super) fn shrink(&mut self, hash: u64) {
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
            self.replace_segments(
                &[entry],
                Self::start_of(hash, depth),
                depth,
                count,
                &elements,
            );
        }
    }

    fn merge(&mut self, hash: u64, entry: Entry, buddy: Entry) {
        let mut elements = Vec::new();
        self.elements(entry, &mut elements);
        self.elements(buddy, &mut elements);
        let depth = entry.depth() - 1;
        let count = size_for(elements.len() * 5 / 4);
        self.replace_segments(
            &[entry, buddy],
            Self::start_of(hash, depth),
            depth,
            count,
            &elements,
        );
        if self.deepest == 0 && self.depth > 0 {
            self.halve_directory();
        }
    }

    /// Puts one smaller segment in the place of those that hold the elements; all stays as it is if it would not be.
    fn replace_segments(
        &mut self,
        old: &[Entry],
        start: u64,
        depth: u32,
        count: usize,
        elements: &[(u64, S)],
    ) {
        let Some(entry) = self.lay_out(elements, count, depth) else {
            return;
        };
        if entry.count() >= old.iter().map(|old| old.count()).sum() {
            return self.release(entry);
        }
        old.iter().for_each(|old| self.uncount(*old));
        self.publish(start, entry);
        old.iter().for_each(|old| self.release(*old));
    }

    fn halve_directory(&mut self) {
        self.directory = self.directory.iter().copied().step_by(2).collect();
        self.depth -= 1;
        self.deepest = self
            .directory
            .iter()
            .filter(|entry| entry.depth() == self.depth)
            .count();
    }
}
