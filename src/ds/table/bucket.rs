//! Buckets and directory entries: the bits and bytes drawn at the head of [`super`].

use super::{CURSOR_BITS, PAGE_BUCKETS, PAGES_MAX, SLOTS, Slot};
use std::ptr::NonNull;

/// The bits of a hash that decide its home: those of a cursor, so that every boundary between buckets is a cursor.
const HOME_MASK: u64 = u64::MAX << (64 - CURSOR_BITS);

/// A directory entry; see the head of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry(u64);

/// Where the pages of a segment are: one cache line.
#[repr(C, align(64))]
pub(super) struct Pages(pub(super) [*mut Bucket; PAGES_MAX]);

impl Entry {
    /// `memory`: the only page of a segment of up to [`PAGE_BUCKETS`], else its [`Pages`]. Aligned to 64 either way.
    pub(super) fn new(memory: NonNull<u8>, count: usize, depth: u32) -> Self {
        Self(
            u64::from(depth) << 56
                | memory.as_ptr().expose_provenance() as u64
                | (count - 1) as u64,
        )
    }

    #[inline]
    pub(super) fn depth(self) -> u32 {
        (self.0 >> 56) as u32
    }

    #[inline]
    pub(super) fn count(self) -> usize {
        (self.0 & 63) as usize + 1
    }

    /// The only page, or the [`Pages`].
    #[inline]
    pub(super) fn memory(self) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut((self.0 & 0x00ff_ffff_ffff_ffc0) as usize)
    }

    /// Where bucket `index` is.
    #[inline]
    pub(super) fn address(self, index: usize) -> *mut Bucket {
        debug_assert!(index < self.count());
        if self.count() <= PAGE_BUCKETS {
            return self.memory().cast::<Bucket>().wrapping_add(index);
        }
        // SAFETY: the entry of a segment of more than one page names its `Pages`, which live as long as it is named.
        let pages = unsafe { &*self.memory().cast::<Pages>() };
        pages.0[index / PAGE_BUCKETS].wrapping_add(index % PAGE_BUCKETS)
    }

    /// The bucket that `hash` belongs to.
    #[inline]
    pub(super) fn home(self, hash: u64) -> usize {
        let fraction = (hash & HOME_MASK).unbounded_shl(self.depth()) >> 32;
        ((fraction * self.count() as u64) >> 32) as usize
    }

    #[inline]
    pub(super) fn bucket(&self, index: usize) -> &Bucket {
        // SAFETY: an entry names `count` initialised buckets that live as long as the directory names them.
        unsafe { &*self.address(index) }
    }

    #[inline]
    #[allow(
        clippy::mut_from_ref,
        reason = "an entry is a pointer; `&mut Table` is what makes the access unique"
    )]
    pub(super) fn bucket_mut(&self, index: usize) -> &mut Bucket {
        // SAFETY: as in `bucket`; callers hold `&mut Table` and one bucket at a time.
        unsafe { &mut *self.address(index) }
    }

    /// The lowest hash whose home is bucket `index` of a segment that starts at hash `start`, a multiple of the cursor's
    /// step; `None` past the last hash.
    pub(super) fn first_hash(self, start: u64, index: usize) -> Option<u64> {
        let fraction = ((index as u64) << 32).div_ceil(self.count() as u64);
        if fraction < 1 << 32 {
            let hash = start | (fraction << 32).unbounded_shr(self.depth());
            return hash.checked_add(!HOME_MASK).map(|hash| hash & HOME_MASK);
        }
        start
            .checked_add(1u64.unbounded_shl(64 - self.depth()))
            .filter(|_| self.depth() > 0)
    }
}

#[repr(C, align(64))]
pub(super) struct Bucket(pub(super) [u8; 64]);

pub(super) const PARITY: u8 = 0x80;
const SPILLED: u8 = 0x07;
pub(super) const TAGS_MASK: u32 = 0x3fe;

impl Bucket {
    #[inline]
    pub(super) fn parity(&self) -> u8 {
        self.0[0] & PARITY
    }

    #[inline]
    pub(super) fn set_parity(&mut self, parity: u8) {
        self.0[0] = self.0[0] & !PARITY | parity;
    }

    /// How many buckets in a row may hold elements whose home this is.
    #[inline]
    pub(super) fn reach(&self) -> usize {
        (self.0[0] >> 3 & 15) as usize + 1
    }

    /// An element at home here was put `distance` buckets further.
    pub(super) fn note_spill(&mut self, distance: usize) {
        let count = (self.0[0] & SPILLED).saturating_add(1).min(SPILLED);
        let longest = self.reach().max(distance + 1) - 1;
        self.0[0] = self.parity() | (longest as u8) << 3 | count;
    }

    /// An element at home here that had been put further was taken out.
    pub(super) fn forget_spill(&mut self) {
        let count = self.0[0] & SPILLED;
        debug_assert!(count > 0);
        match count {
            SPILLED => {}
            1 => self.0[0] = self.parity(),
            _ => self.0[0] -= 1,
        }
    }

    #[inline]
    pub(super) fn is_used(&self, slot: usize) -> bool {
        self.0[1 + slot] != 0
    }

    /// Bit `slot` is set where the tag equals `tag`; tag 0 gives the free slots.
    #[inline]
    pub(super) fn matches(&self, tag: u8) -> u32 {
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
    pub(super) fn get(&self, slot: usize) -> u64 {
        let at = 8 + slot * 6;
        match self.0[at..at + 8].try_into() {
            Ok(bytes) => u64::from_le_bytes(bytes) >> 16,
            Err(_) => unreachable!("the range is 8 bytes long"),
        }
    }

    #[inline]
    pub(super) fn set(&mut self, slot: usize, bits: u64) {
        debug_assert!(bits >> 48 == 0);
        self.0[10 + slot * 6..16 + slot * 6].copy_from_slice(&bits.to_le_bytes()[..6]);
    }

    #[inline]
    pub(super) fn put(&mut self, slot: usize, tag: u8, bits: u64) {
        self.0[1 + slot] = tag;
        self.set(slot, bits);
    }

    pub(super) fn used(&self) -> usize {
        SLOTS - self.matches(0).count_ones() as usize
    }
}

#[inline]
pub(super) fn tag_of(hash: u64) -> u8 {
    (hash as u8).max(1)
}

/// Iterates over the set bits of a mask of slots.
#[inline]
pub(super) fn bits_of(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (slot < 32).then_some(slot as usize)
    })
}

pub(super) fn visit_bucket<S: Slot>(bucket: &Bucket, visit: &mut impl FnMut(S)) {
    for slot in bits_of(!bucket.matches(0) & TAGS_MASK >> 1) {
        // SAFETY: a used slot holds the bits of a handle whose record lives.
        visit(unsafe { S::from_bits(bucket.get(slot)) });
    }
}

pub(super) fn used_of(entry: Entry) -> usize {
    (0..entry.count())
        .map(|bucket| entry.bucket(bucket).used())
        .sum()
}
