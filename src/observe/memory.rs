//! The allocator of the process, and how many of its bytes are in use.
//!
//! [`Counting`] wraps the allocator that was chosen and adds up the sizes that were asked for. The thread that serves
//! commands has a counter that no other thread writes, so counting there is a load and a store; the others share
//! one and pay for an atomic addition. What one thread allocates another may free: only the sum means anything.

#![allow(
    unsafe_code,
    reason = "an allocator cannot be written without; each call is handed on unchanged"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

/// The allocator that was chosen, as INFO names it.
pub const ALLOCATOR: &str = if cfg!(feature = "jemalloc") {
    "jemalloc"
} else {
    "mimalloc"
};

#[cfg(not(feature = "jemalloc"))]
static CHOSEN: mimalloc::MiMalloc = mimalloc::MiMalloc;
#[cfg(feature = "jemalloc")]
static CHOSEN: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Bytes that the serving thread allocated and did not free; negative if it frees what others allocated.
static SERVING: AtomicI64 = AtomicI64::new(0);
/// The same of all other threads.
static OTHERS: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static SERVES: Cell<bool> = const { Cell::new(false) };
}

/// See the head of the file.
pub struct Counting;

/// Says that this thread serves commands; at most one thread may say so.
pub fn claim_serving_thread() {
    SERVES.set(true);
}

/// Bytes in use: the sum of the sizes that were asked for.
pub fn allocated_bytes() -> u64 {
    let sum = SERVING.load(Ordering::Relaxed) + OTHERS.load(Ordering::Relaxed);
    u64::try_from(sum).unwrap_or(0)
}

#[inline]
fn count(bytes: i64) {
    if SERVES.get() {
        SERVING.store(SERVING.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    } else {
        OTHERS.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// No allocation is larger than `isize::MAX` bytes, so the size fits.
#[inline]
fn signed(bytes: usize) -> i64 {
    bytes as i64
}

// SAFETY: every call is handed on to an allocator that fulfils the contract, with the arguments unchanged; counting
// neither allocates nor unwinds (the thread-local has no destructor and is initialised at compile time).
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { CHOSEN.alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: the block came from the same allocator with this layout, as the caller promises.
        unsafe { CHOSEN.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { CHOSEN.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        count(signed(new_bytes) - signed(layout.size()));
        // SAFETY: the block came from the same allocator with this layout, as the caller promises.
        unsafe { CHOSEN.realloc(block, layout, new_bytes) }
    }
}
