//! The helper thread for memory: it frees what takes long (flushed databases, big values) and makes regions ready that
//! the keyspace will need soon.
//!
//! It is started with the first thing to free. Its queue has no bound because what stands in it was in memory before:
//! it only becomes less.

use crate::ds::arena::prepare_spare;
use crate::keyspace::Garbage;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// See the head of the file.
#[derive(Default)]
pub(super) struct Freer {
    queue: Option<Sender<Job>>,
    counts: Arc<Counts>,
}

/// What the thread does.
enum Job {
    Free(Garbage),
    PrepareSpare,
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
        let objects = garbage.objects();
        self.counts.pending.fetch_add(objects, Ordering::Relaxed);
        if let Some(Job::Free(garbage)) = self.send(Job::Free(garbage)) {
            self.counts.free(garbage);
        }
    }

    /// Makes memory ready; there is none made ready if there can be no thread.
    pub(super) fn prepare_memory(&mut self) {
        self.send(Job::PrepareSpare);
    }

    /// Gives the job to the thread, which is started with the first one; gives it back if there is none.
    fn send(&mut self, job: Job) -> Option<Job> {
        if self.queue.is_none() {
            self.queue = spawn(Arc::clone(&self.counts));
        }
        match &self.queue {
            Some(queue) => queue.send(job).err().map(|error| error.0),
            None => Some(job),
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

fn spawn(counts: Arc<Counts>) -> Option<Sender<Job>> {
    let (sender, receiver): (Sender<Job>, Receiver<Job>) = channel();
    let work = move || {
        receiver.iter().for_each(|job| match job {
            Job::Free(garbage) => counts.free(garbage),
            Job::PrepareSpare => prepare_spare(),
        });
    };
    let thread = std::thread::Builder::new().name("freer".into());
    match thread.spawn(work) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::warn!("No helper thread, big values are freed in place: {error}");
            None
        }
    }
}
