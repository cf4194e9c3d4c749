//! The helper thread that frees what takes long: flushed databases, big values.
//!
//! It is started with the first thing to free. Its queue has no bound because what stands in it was in memory before:
//! it only becomes less.

use crate::keyspace::Garbage;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// See the head of the file.
#[derive(Default)]
pub(super) struct Freer {
    queue: Option<Sender<Garbage>>,
    counts: Arc<Counts>,
}

/// Objects, as [`Garbage::objects`] counts.
#[derive(Default)]
struct Counts {
    pending: AtomicUsize,
    freed: AtomicU64,
}

impl Freer {
    /// Frees this soon; at once if there can be no thread.
    pub(super) fn free(&mut self, garbage: Garbage) {
        if self.queue.is_none() {
            self.queue = spawn(Arc::clone(&self.counts));
        }
        let objects = garbage.objects();
        self.counts.pending.fetch_add(objects, Ordering::Relaxed);
        let unsent = match &self.queue {
            Some(queue) => queue.send(garbage).err().map(|error| error.0),
            None => Some(garbage),
        };
        if let Some(garbage) = unsent {
            self.counts.free(garbage);
        }
    }

    /// Objects that wait.
    pub(super) fn pending(&self) -> usize {
        self.counts.pending.load(Ordering::Relaxed)
    }

    /// Objects that were freed.
    pub(super) fn freed(&self) -> u64 {
        self.counts.freed.load(Ordering::Relaxed)
    }
}

impl Counts {
    fn free(&self, garbage: Garbage) {
        let objects = garbage.objects();
        drop(garbage);
        self.pending.fetch_sub(objects, Ordering::Relaxed);
        self.freed.fetch_add(objects as u64, Ordering::Relaxed);
    }
}

fn spawn(counts: Arc<Counts>) -> Option<Sender<Garbage>> {
    let (sender, receiver): (Sender<Garbage>, Receiver<Garbage>) = channel();
    let work = move || receiver.iter().for_each(|garbage| counts.free(garbage));
    let thread = std::thread::Builder::new().name("freer".into());
    match thread.spawn(work) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::warn!("No helper thread, big values are freed in place: {error}");
            None
        }
    }
}
