//! Memory for the records of one database: cells of exact sizes in slabs, slabs in regions.
//!
//! Why not the general allocator: records are small, there are millions of them, and their size decides how many
//! bytes a key costs. Cells here are 2 bytes apart up to 64 bytes and at most 6 % apart above, nothing is stored
//! beside a cell, and a whole arena moves to another thread (a flushed database) or disappears at once.
//!
//! ```text
//! region   2 MiB, aligned to 2 MiB       [ slab headers, 4 KiB | slab 0 (short) | slab 1 | ... | slab 31 ]
//! slab     64 KiB, cells of one class    free cells form a list through their first 4 bytes (offset in the slab)
//! header   class, cells in use, first free cell, first cell never used yet, neighbours in the list of its class
//! ```
//!
//! Invariants: a slab belongs to one class from its first cell to its last free; a slab with no cell in use goes back
//! to its region, a region with no slab in use goes back to the system (one is kept). A cell's slab is found by its
//! address alone. Sizes above [`CELL_MAX_BYTES`] go to the global allocator under the same interface.
//! Cells are aligned to 2 bytes (to 64 where the size is a multiple of 64): readers use unaligned loads.

use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of a region, and its alignment: one huge page.
const REGION_BYTES: usize = 2 << 20;
/// Bytes of a slab.
const SLAB_BYTES: usize = 64 << 10;
/// Slabs of a region.
const SLABS: usize = REGION_BYTES / SLAB_BYTES;
/// Bytes at the start of a region that hold its slab headers; the first slab is shorter by them.
const HEADERS_BYTES: usize = 4096;
/// The largest cell; a larger request is a global allocation of its own.
pub const CELL_MAX_BYTES: usize = 4096;
/// Regions after this many are asked to be huge pages (a small database shall not cost 2 MiB of memory).
const SMALL_REGIONS: usize = 1;
/// An arena of so many regions takes the next one from the spares: the first touch of a huge page takes the better part
/// of a millisecond, which the helper thread has then spent beforehand.
const SPARES_FROM: usize = 64;
/// Spares that are kept.
const SPARES_MAX: usize = 1;
/// No slab, no cell.
const NONE: u32 = u32::MAX;

/// One slab's state; lives in the header page of its region.
#[derive(Clone, Copy)]
struct Slab {
    class: u16,
    used: u16,
    /// Offset of the first free cell in the slab, or `NONE`.
    free: u32,
    /// Offset where cells that were never used begin.
    fresh: u32,
    /// Neighbours among the slabs of the class that have room, as global slab numbers.
    previous: u32,
    next: u32,
}

struct Region {
    base: NonNull<u8>,
    /// A bit per slab that no class holds.
    idle: u32,
}

/// A bump-and-free-list allocator of small cells. See the head of the file.
pub struct Arena {
    regions: Vec<Option<Region>>,
    /// First slab with room, by class.
    partial: [u32; CLASSES],
    used_bytes: usize,
    mapped_bytes: usize,
    large_bytes: usize,
}

// SAFETY: an arena owns its regions alone and hands out raw cells; whoever moves it moves the cells' owner with it.
unsafe impl Send for Arena {}

/// The steps between cell sizes: (up to this size, step).
const STEPS: [(usize, usize); 7] = [
    (64, 2),
    (128, 4),
    (256, 8),
    (512, 16),
    (1024, 32),
    (2048, 128),
    (4096, 512),
];
/// Cells hold at least the link of the free list.
const CELL_MIN_BYTES: usize = 4;
const CLASSES: usize = class_count();

const fn class_count() -> usize {
    let (mut count, mut size, mut step) = (0, 0, 0);
    while step < STEPS.len() {
        count += (STEPS[step].0 - size) / STEPS[step].1;
        size = STEPS[step].0;
        step += 1;
    }
    count
}

/// Cell bytes by class.
const CLASS_BYTES: [u16; CLASSES] = {
    let mut table = [0; CLASSES];
    let (mut class, mut size, mut step) = (0, 0, 0);
    while step < STEPS.len() {
        while size < STEPS[step].0 {
            size += STEPS[step].1;
            table[class] = size as u16;
            class += 1;
        }
        step += 1;
    }
    table
};

/// Class by half the size, rounded up.
const CLASS_OF: [u8; CELL_MAX_BYTES / 2 + 1] = {
    let mut table = [0; CELL_MAX_BYTES / 2 + 1];
    let (mut half, mut class) = (0, 1);
    while half <= CELL_MAX_BYTES / 2 {
        while (CLASS_BYTES[class] as usize) < half * 2 {
            class += 1;
        }
        table[half] = class as u8;
        half += 1;
    }
    table
};

#[inline]
fn class_of(bytes: usize) -> usize {
    CLASS_OF[bytes.div_ceil(2)] as usize
}

/// What a cell for `bytes` really takes.
#[inline]
pub fn cell_bytes(bytes: usize) -> usize {
    if bytes <= CELL_MAX_BYTES {
        CLASS_BYTES[class_of(bytes)] as usize
    } else {
        bytes
    }
}

/// Whether content of `old` bytes and of `new` bytes fit the same cell, so that it can be changed in place.
#[inline]
pub fn same_cell(old: usize, new: usize) -> bool {
    cell_bytes(old) == cell_bytes(new)
}

fn large_layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, 8).expect("a record is far smaller than isize::MAX")
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl Arena {
    /// An arena that holds no memory yet.
    pub const fn new() -> Self {
        Self {
            regions: Vec::new(),
            partial: [NONE; CLASSES],
            used_bytes: 0,
            mapped_bytes: 0,
            large_bytes: 0,
        }
    }

    /// Bytes of all live cells, rounded to their classes; those of the global allocator are not in it.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// Bytes of address space that the regions take.
    pub fn mapped_bytes(&self) -> usize {
        self.mapped_bytes
    }

    /// Memory for `bytes`, uninitialised. It must come back through [`Arena::free`] with the same size.
    #[inline]
    pub fn alloc(&mut self, bytes: usize) -> NonNull<u8> {
        if bytes > CELL_MAX_BYTES {
            return self.alloc_large(bytes);
        }
        let class = class_of(bytes);
        let number = match self.partial[class] {
            NONE => self.add_slab(class),
            number => number,
        };
        let cell_bytes = CLASS_BYTES[class] as usize;
        self.used_bytes += cell_bytes;
        let base = self.slab_base(number);
        let slab = self.slab_mut(number);
        slab.used += 1;
        let offset = if slab.free != NONE {
            let offset = slab.free;
            // SAFETY: a free cell lies in its slab and its first 4 bytes hold the next link, written by `free`.
            slab.free = unsafe { base.add(offset as usize).cast::<u32>().read_unaligned() };
            offset
        } else {
            let offset = slab.fresh;
            slab.fresh += cell_bytes as u32;
            offset
        };
        if slab.free == NONE && slab.fresh as usize + cell_bytes > SLAB_BYTES {
            self.unlink(number, class);
        }
        // SAFETY: the offset lies in the slab, which is part of a live region.
        unsafe { NonNull::new_unchecked(base.add(offset as usize)) }
    }

    /// Gives a cell back.
    ///
    /// # Safety
    /// `cell` came from `alloc(bytes)` of this arena with the same `bytes` and is not used any more.
    // SAFETY: the contract is the caller's, stated above.
    #[inline]
    pub unsafe fn free(&mut self, cell: NonNull<u8>, bytes: usize) {
        if bytes > CELL_MAX_BYTES {
            self.large_bytes -= bytes;
            // SAFETY: by the contract it came from `alloc_large` with this size.
            return unsafe { std::alloc::dealloc(cell.as_ptr(), large_layout(bytes)) };
        }
        let address = cell.as_ptr() as usize;
        let region_base = address & !(REGION_BYTES - 1);
        // SAFETY: a cell lies in a region, whose first word after the headers' array is its number (see `add_region`).
        let region = unsafe { *((region_base + NUMBER_AT) as *const u32) };
        let slab_index = (address & (REGION_BYTES - 1)) / SLAB_BYTES;
        let number = region * SLABS as u32 + slab_index as u32;
        let offset = (address & (SLAB_BYTES - 1)) as u32;
        let class = class_of(bytes);
        self.used_bytes -= CLASS_BYTES[class] as usize;
        let slab = self.slab_mut(number);
        debug_assert_eq!(slab.class as usize, class);
        let was_full =
            slab.free == NONE && slab.fresh as usize + CLASS_BYTES[class] as usize > SLAB_BYTES;
        // SAFETY: the cell is dead by the contract and at least 4 bytes long.
        unsafe { cell.as_ptr().cast::<u32>().write_unaligned(slab.free) };
        slab.free = offset;
        slab.used -= 1;
        let unused = slab.used == 0;
        if was_full {
            self.link(number, class);
        }
        if unused {
            self.release_slab(number, class);
        }
    }

    #[cold]
    fn alloc_large(&mut self, bytes: usize) -> NonNull<u8> {
        let layout = large_layout(bytes);
        self.large_bytes += bytes;
        // SAFETY: the size is not zero.
        NonNull::new(unsafe { std::alloc::alloc(layout) })
            .unwrap_or_else(|| handle_alloc_error(layout))
    }

    #[inline]
    fn slab_base(&self, number: u32) -> *mut u8 {
        // SAFETY: slab numbers are made by `add_slab` only, for slabs of live regions.
        unsafe {
            self.region(number)
                .as_ptr()
                .add(number as usize % SLABS * SLAB_BYTES)
        }
    }

    #[inline]
    fn region(&self, number: u32) -> NonNull<u8> {
        match &self.regions[number as usize / SLABS] {
            Some(region) => region.base,
            None => unreachable!("a slab in use keeps its region"),
        }
    }

    #[inline]
    fn slab_mut(&mut self, number: u32) -> &mut Slab {
        // SAFETY: the header page of a region holds SLABS headers, written by `add_region`; `&mut self` makes it unique.
        unsafe {
            &mut *self
                .region(number)
                .as_ptr()
                .cast::<Slab>()
                .add(number as usize % SLABS)
        }
    }

    /// Puts a slab at the head of its class' list.
    fn link(&mut self, number: u32, class: usize) {
        let next = self.partial[class];
        let slab = self.slab_mut(number);
        slab.previous = NONE;
        slab.next = next;
        if next != NONE {
            self.slab_mut(next).previous = number;
        }
        self.partial[class] = number;
    }

    /// Takes a slab out of its class' list.
    fn unlink(&mut self, number: u32, class: usize) {
        let Slab { previous, next, .. } = *self.slab_mut(number);
        match previous {
            NONE => self.partial[class] = next,
            previous => self.slab_mut(previous).next = next,
        }
        if next != NONE {
            self.slab_mut(next).previous = previous;
        }
    }

    #[cold]
    fn add_slab(&mut self, class: usize) -> u32 {
        let with_room = self
            .regions
            .iter()
            .rposition(|region| region.as_ref().is_some_and(|r| r.idle != 0));
        let index = with_room.unwrap_or_else(|| self.add_region());
        let Some(region) = &mut self.regions[index] else {
            unreachable!("chosen because it is there")
        };
        let slab_index = region.idle.trailing_zeros() as usize;
        region.idle &= !(1 << slab_index);
        let number = (index * SLABS + slab_index) as u32;
        let cell_bytes = CLASS_BYTES[class] as usize;
        let fresh = if slab_index == 0 {
            HEADERS_BYTES.next_multiple_of(cell_bytes)
        } else {
            0
        };
        *self.slab_mut(number) = Slab {
            class: class as u16,
            used: 0,
            free: NONE,
            fresh: fresh as u32,
            previous: NONE,
            next: NONE,
        };
        self.link(number, class);
        number
    }

    fn release_slab(&mut self, number: u32, class: usize) {
        self.unlink(number, class);
        let index = number as usize / SLABS;
        let Some(region) = &mut self.regions[index] else {
            unreachable!("a slab in use keeps its region")
        };
        region.idle |= 1 << (number as usize % SLABS);
        if region.idle == u32::MAX {
            let has_room = |(i, r): (usize, &Option<Region>)| {
                i != index && r.as_ref().is_some_and(|r| r.idle != 0)
            };
            if self.regions.iter().enumerate().any(has_room) {
                self.drop_region(index);
            }
        }
    }

    fn add_region(&mut self) -> usize {
        let index = self
            .regions
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.regions.len());
        let base = if self.regions.len() >= SPARES_FROM {
            take_spare()
        } else {
            None
        };
        let base = base.unwrap_or_else(|| map_region(index >= SMALL_REGIONS));
        self.mapped_bytes += REGION_BYTES;
        // SAFETY: fresh memory of REGION_BYTES; the number stands behind the headers, inside the header page.
        unsafe {
            base.as_ptr()
                .add(NUMBER_AT)
                .cast::<u32>()
                .write(index as u32)
        };
        let region = Some(Region {
            base,
            idle: u32::MAX,
        });
        if index == self.regions.len() {
            self.regions.push(region);
        } else {
            self.regions[index] = region;
        }
        index
    }

    fn drop_region(&mut self, index: usize) {
        if let Some(region) = self.regions[index].take() {
            self.mapped_bytes -= REGION_BYTES;
            unmap_region(region.base);
        }
    }
}

/// Where a region keeps its own number.
const NUMBER_AT: usize = SLABS * size_of::<Slab>();
const _: () = assert!(NUMBER_AT + 4 <= HEADERS_BYTES && CELL_MIN_BYTES >= 4 && CLASSES <= 256);

impl Drop for Arena {
    /// Returns every region; what lives in cells is not dropped (its owner walked it), large allocations are not known here.
    fn drop(&mut self) {
        for index in 0..self.regions.len() {
            self.drop_region(index);
        }
    }
}

/// Regions that have been touched already. Shared by all arenas; they hold no content.
static SPARES: Mutex<Vec<Spare>> = Mutex::new(Vec::new());
/// Whether an arena has taken a spare, or found none.
static SPARE_WANTED: AtomicBool = AtomicBool::new(false);

struct Spare(NonNull<u8>);

// SAFETY: a spare is memory that nobody else knows of.
unsafe impl Send for Spare {}

fn take_spare() -> Option<NonNull<u8>> {
    SPARE_WANTED.store(true, Ordering::Relaxed);
    SPARES.lock().ok()?.pop().map(|spare| spare.0)
}

/// Whether [`prepare_spare`] should be called on a thread that has time. Asks once for each region that was taken.
#[inline]
pub fn wants_spare() -> bool {
    SPARE_WANTED.load(Ordering::Relaxed) && SPARE_WANTED.swap(false, Ordering::Relaxed)
}

/// Maps and touches regions until there are enough spares.
pub fn prepare_spare() {
    while SPARES.lock().is_ok_and(|spares| spares.len() < SPARES_MAX) {
        let base = map_region(true);
        for page in (0..REGION_BYTES).step_by(4096) {
            // SAFETY: the region was mapped just now and nobody else knows of it.
            unsafe { base.as_ptr().add(page).write_volatile(0) };
        }
        match SPARES.lock() {
            Ok(mut spares) => spares.push(Spare(base)),
            Err(_) => return unmap_region(base),
        }
    }
}

/// Fresh zeroed memory of `REGION_BYTES`, aligned to as much.
fn map_region(huge: bool) -> NonNull<u8> {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
    let span = REGION_BYTES * 2;
    // SAFETY: a private anonymous mapping at an address of the kernel's choice touches nothing of ours.
    let start = unsafe {
        mmap_anonymous(
            std::ptr::null_mut(),
            span,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    };
    let Ok(start) = start else {
        handle_alloc_error(Layout::new::<[u8; REGION_BYTES]>())
    };
    let before = start.cast::<u8>().align_offset(REGION_BYTES);
    let base = start.cast::<u8>().wrapping_add(before);
    trim(start.cast(), before);
    trim(
        base.wrapping_add(REGION_BYTES),
        span - before - REGION_BYTES,
    );
    if huge {
        // SAFETY: the range was mapped above. A kernel without huge pages refuses, which costs speed only.
        let _ = unsafe { madvise(base.cast(), REGION_BYTES, Advice::LinuxHugepage) };
    }
    NonNull::new(base).expect("a mapping never starts at address zero")
}

/// Unmaps what alignment left over.
fn trim(start: *mut u8, bytes: usize) {
    if bytes > 0 {
        // SAFETY: the range is part of the mapping just made and nothing refers to it.
        let _ = unsafe { rustix::mm::munmap(start.cast(), bytes) };
    }
}

fn unmap_region(base: NonNull<u8>) {
    // SAFETY: the region's owner gives it up; no cell in it is used any more.
    let _ = unsafe { rustix::mm::munmap(base.as_ptr().cast(), REGION_BYTES) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_close_and_ascending() {
        for bytes in 1..=CELL_MAX_BYTES {
            let cell = cell_bytes(bytes);
            assert!(cell >= bytes && cell >= CELL_MIN_BYTES);
            assert!(
                !(4..=1024).contains(&bytes) || cell - bytes <= bytes.div_ceil(16).max(2),
                "{bytes} takes {cell}"
            );
        }
        assert_eq!(cell_bytes(54), 54);
        assert_eq!(cell_bytes(CELL_MAX_BYTES + 1), CELL_MAX_BYTES + 1);
    }

    #[test]
    fn model_cells_never_overlap_and_memory_returns() {
        let operations: usize = std::env::var("OXIDIS_MODEL_OPERATIONS")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(200_000);
        let mut random = crate::base::random::Random::from_seed(7);
        let mut arena = Arena::new();
        let mut live: Vec<(NonNull<u8>, usize, u8)> = Vec::new();
        for step in 0..operations {
            if random.below(100) < 55 || live.is_empty() {
                let span = if random.below(8) == 0 { 5000 } else { 150 };
                let bytes = 4 + random.below(span) as usize;
                let cell = arena.alloc(bytes);
                // SAFETY: the cell has `bytes` bytes.
                unsafe { cell.as_ptr().write_bytes(step as u8, bytes) };
                live.push((cell, bytes, step as u8));
            } else {
                let (cell, bytes, mark) =
                    live.swap_remove(random.below(live.len() as u64) as usize);
                // SAFETY: the cell is live and was filled with `mark`.
                let content = unsafe { std::slice::from_raw_parts(cell.as_ptr(), bytes) };
                assert!(content.iter().all(|byte| *byte == mark));
                // SAFETY: allocated above with the same size, freed once.
                unsafe { arena.free(cell, bytes) };
            }
        }
        let expected: usize = live
            .iter()
            .filter(|l| l.1 <= CELL_MAX_BYTES)
            .map(|l| cell_bytes(l.1))
            .sum();
        assert_eq!(arena.used_bytes(), expected);
        for (cell, bytes, _) in live.drain(..) {
            // SAFETY: allocated above with the same size, freed once.
            unsafe { arena.free(cell, bytes) };
        }
        assert_eq!((arena.used_bytes(), arena.large_bytes), (0, 0));
        assert!(arena.mapped_bytes() <= 2 * REGION_BYTES);
    }
}
