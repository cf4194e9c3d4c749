//! The append-only file's way to the disk.
//!
//! ```text
//! the loop --- Append without sync, nothing under way ---> written here and now: a copy into the system's cache
//!     '------- everything else ---> thread "append-only file" --- Sync, Publish ---> thread "flusher" (appending goes on)
//! ```
//! Jobs that open or make files wait until the flusher has nothing left to do, so that manifests keep their order.
//!
//! Writing here spares two switches between threads a turn, and a slow disk shows in it at once: a write that takes longer
//! than [`SLOW_WRITE`] sends all writes of the next second to the thread, and so does what the flusher has under way.

use super::disk::Shared;
use crate::persist::Report;
use crate::persist::aof::AofJob;
use crate::persist::aof::writer::{AofWriter, Aside};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A write into the system's cache that takes so long has waited for the disk.
const SLOW_WRITE: Duration = Duration::from_millis(1);
/// So long after one, the loop does not write.
const AVOIDS_DISK: Duration = Duration::from_secs(1);

/// See the head of the file.
pub(super) struct LogDisk {
    shared: Arc<Shared>,
    state: Arc<State>,
    queue: Option<Sender<AofJob>>,
    slow_until: Option<Instant>,
}

struct State {
    writer: Mutex<AofWriter>,
    /// Jobs that wait for the thread or are run by it.
    jobs: AtomicUsize,
    /// What the flusher has yet to do.
    aside: AtomicUsize,
    flusher: Mutex<Option<Sender<Aside>>>,
    /// The flusher has nothing left to do.
    idle: Condvar,
}

impl LogDisk {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            state: Arc::new(State {
                writer: Mutex::new(AofWriter::locking()),
                jobs: AtomicUsize::new(0),
                aside: AtomicUsize::new(0),
                flusher: Mutex::default(),
                idle: Condvar::new(),
            }),
            queue: None,
            slow_until: None,
        }
    }

    /// Has the job done, here and now where it does not wait for the disk.
    pub(super) fn send(&mut self, job: AofJob) {
        let Some(job) = self.run_here(job) else {
            return;
        };
        self.shared.begin();
        self.state.jobs.fetch_add(1, Ordering::AcqRel);
        if self.queue.is_none()
            && let Err(error) = self.spawn()
        {
            tracing::error!("No thread that writes the append-only file: {error}");
        }
        let left = match &self.queue {
            Some(queue) => queue.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        // Without a thread the loop has to wait: what was promised counts more.
        if let Some(job) = left {
            self.state.run(job, &self.shared);
        }
    }

    fn spawn(&mut self) -> io::Result<()> {
        let (sender, receiver) = channel::<AofJob>();
        let (state, shared) = (Arc::clone(&self.state), Arc::clone(&self.shared));
        let work = move || {
            for job in receiver {
                state.run(job, &shared);
            }
        };
        let thread = std::thread::Builder::new().name("append-only file".into());
        thread.spawn(work)?;
        self.queue = Some(sender);
        Ok(())
    }

    /// Writes bytes here if nothing else is under way; gives back what is for the thread.
    fn run_here(&mut self, job: AofJob) -> Option<AofJob> {
        let is_plain = matches!(job, AofJob::Append { sync: false, .. });
        let is_busy = self.state.jobs.load(Ordering::Acquire) > 0
            || self.state.aside.load(Ordering::Acquire) > 0;
        if !is_plain || is_busy {
            return Some(job);
        }
        let began = Instant::now();
        if self.slow_until.is_some_and(|until| began < until) {
            return Some(job);
        }
        let Ok(mut writer) = self.state.writer.try_lock() else {
            return Some(job);
        };
        writer.run(job, &mut |report| self.shared.tell(Report::Aof(report)));
        drop(writer);
        let took = began.elapsed();
        self.slow_until = (took > SLOW_WRITE).then(|| began + took + AVOIDS_DISK);
        None
    }
}

impl State {
    /// Does a job of the thread.
    fn run(self: &Arc<Self>, job: AofJob, shared: &Arc<Shared>) {
        if !matches!(
            job,
            AofJob::Append { .. } | AofJob::Retry | AofJob::Sync { .. }
        ) {
            self.wait_for_flusher();
        }
        let mut reports = Vec::new();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let aside = writer.run(job, &mut |report| reports.push(report));
        drop(writer);
        self.jobs.fetch_sub(1, Ordering::AcqRel);
        match aside {
            Some(aside) => self.put_aside(aside, shared),
            None => shared.end(reports.into_iter().map(Report::Aof)),
        }
    }

    fn wait_for_flusher(&self) {
        let mut flusher = self.flusher.lock().unwrap_or_else(PoisonError::into_inner);
        while self.aside.load(Ordering::Acquire) > 0 {
            let waited = self.idle.wait(flusher);
            flusher = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has it done on a thread of its own.
    fn put_aside(self: &Arc<Self>, aside: Aside, shared: &Arc<Shared>) {
        self.aside.fetch_add(1, Ordering::AcqRel);
        let mut flusher = self.flusher.lock().unwrap_or_else(PoisonError::into_inner);
        if flusher.is_none() {
            *flusher = spawn_flusher(Arc::clone(self), Arc::clone(shared)).ok();
        }
        let left = match &*flusher {
            Some(queue) => queue.send(aside).err().map(|error| error.0),
            None => Some(aside),
        };
        drop(flusher);
        if let Some(aside) = left {
            self.run_aside(aside, shared);
        }
    }

    fn run_aside(&self, aside: Aside, shared: &Shared) {
        let report = aside.run();
        let flusher = self.flusher.lock().unwrap_or_else(PoisonError::into_inner);
        self.aside.fetch_sub(1, Ordering::AcqRel);
        drop(flusher);
        self.idle.notify_all();
        shared.end([Report::Aof(report)]);
    }
}

fn spawn_flusher(state: Arc<State>, shared: Arc<Shared>) -> io::Result<Sender<Aside>> {
    let (sender, receiver) = channel::<Aside>();
    let work = move || {
        for aside in receiver {
            state.run_aside(aside, &shared);
        }
    };
    let thread = std::thread::Builder::new().name("flusher".into());
    thread.spawn(work)?;
    Ok(sender)
}
