//! Going through a table: all of it, by cursor, by chance, and point in time.

use super::bucket::{Bucket, Entry, PARITY, TAGS_MASK, visit_bucket};
use super::{BUCKETS_MAX, CURSOR_BITS, SLOTS, Sink, Slot, Table, Walk, prefetch};

impl<S: Slot> Table<S> {
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
                self.foresee(entry, home + 1);
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

    /// Asks for the records of a bucket that the walk comes to next, and for the bucket behind it.
    fn foresee(&self, entry: Entry, index: usize) {
        if index + 1 < entry.count() {
            prefetch(entry.address(index + 1).cast());
        }
        if index < entry.count() && entry.bucket(index).parity() != self.parity {
            visit_bucket(entry.bucket(index), &mut |handle: S| handle.prefetch());
        }
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
    pub(super) fn save(&mut self, entry: Entry, index: usize) {
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

/// Goes through a table in the order of hashes. The records of the bucket ahead are asked for while those of one are
/// looked at.
pub struct Iter<'t, S> {
    table: &'t Table<S>,
    /// Where in the directory the segment is that is being looked at, and which of its buckets comes next.
    index: usize,
    next: usize,
    current: Option<&'t Bucket>,
    left: u32,
}

impl<S: Slot> Table<S> {
    /// Every element, in the order of hashes.
    pub fn iter(&self) -> Iter<'_, S> {
        let mut iter = Iter {
            table: self,
            index: 0,
            next: 0,
            current: None,
            left: 0,
        };
        iter.advance();
        iter
    }
}

impl<'t, S: Slot> Iter<'t, S> {
    /// Where bucket number `next` of the segment at `index`, or the first of the segment behind it, is.
    fn ahead(&self) -> Option<(usize, usize, &'t Bucket)> {
        let entry = self.table.directory.get(self.index)?;
        if self.next < entry.count() {
            return Some((self.index, self.next, entry.bucket(self.next)));
        }
        let index = self.index + (1 << (self.table.depth - entry.depth()));
        let entry = self.table.directory.get(index)?;
        Some((index, 0, entry.bucket(0)))
    }

    fn advance(&mut self) -> bool {
        let Some((index, at, bucket)) = self.ahead() else {
            return false;
        };
        (self.index, self.next) = (index, at + 1);
        self.current = Some(bucket);
        self.left = !bucket.matches(0) & TAGS_MASK >> 1;
        if let Some((_, _, bucket)) = self.ahead() {
            visit_bucket(bucket, &mut |handle: S| handle.prefetch());
        }
        true
    }
}

impl<S: Slot> Iterator for Iter<'_, S> {
    type Item = S;

    #[inline]
    fn next(&mut self) -> Option<S> {
        while self.left == 0 {
            if !self.advance() {
                return None;
            }
        }
        let slot = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        // SAFETY: a used slot holds the bits of a handle whose record lives: the iterator borrows the table.
        self.current
            .map(|bucket| unsafe { S::from_bits(bucket.get(slot)) })
    }
}
