//! The helper threads that do what the engine wants done on disk, and the way back of their reports: the one that writes
//! snapshots stands here, those of the append-only file in [`super::log_disk`].
//!
//! The thread is started with the first job. The loop is woken for every report, and when the queue of a walk that rests
//! has become half as long as it may be.

use super::log_disk::LogDisk;
use crate::persist::aof::AofJob;
use crate::persist::writer::SnapshotWriter;
use crate::persist::{Job, QUEUE_MAX_BYTES, Report, SnapshotJob};
use mio::Waker;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// See the head of the file.
pub(super) struct Disk {
    shared: Arc<Shared>,
    queue: Option<Sender<SnapshotJob>>,
    log: LogDisk,
}

/// What both sides see.
pub(super) struct Shared {
    state: Mutex<State>,
    /// A job is done.
    done: Condvar,
    waker: Waker,
}

#[derive(Default)]
pub(super) struct State {
    jobs: usize,
    bytes: usize,
    pub(super) reports: Vec<Report>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more job is to be done.
    pub(super) fn begin(&self) {
        self.state().jobs += 1;
    }

    /// A job is done, and this is what there is to be told of it.
    pub(super) fn end(&self, reports: impl IntoIterator<Item = Report>) {
        let mut state = self.state();
        state.jobs -= 1;
        let before = state.reports.len();
        state.reports.extend(reports);
        let wakes = state.reports.len() > before;
        drop(state);
        self.done.notify_all();
        if wakes {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::warn!("Waking the event loop: {error}");
        }
    }

    /// A job of so many bytes is done.
    fn settle(&self, bytes: usize, report: Option<Report>) {
        let mut state = self.state();
        let before = state.bytes;
        state.jobs -= 1;
        state.bytes -= bytes;
        let has_room = before > QUEUE_MAX_BYTES / 2 && state.bytes <= QUEUE_MAX_BYTES / 2;
        let wakes = has_room || report.is_some();
        state.reports.extend(report);
        if has_room {
            state.reports.push(Report::Room);
        }
        drop(state);
        self.done.notify_all();
        if wakes {
            self.wake();
        }
    }
}

impl Disk {
    /// Wakes the loop by `waker`.
    pub(super) fn new(waker: Waker) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            done: Condvar::new(),
            waker,
        });
        Self {
            log: LogDisk::new(Arc::clone(&shared)),
            shared,
            queue: None,
        }
    }

    /// Has the job done; here and now if there can be no thread.
    pub(super) fn send(&mut self, mut job: Job) {
        if !matches!(job, Job::Aof(AofJob::Append { .. })) {
            // A working folder that is gone shows when the file is created.
            job.resolve(&std::env::current_dir().unwrap_or_default());
        }
        let bytes = job.bytes();
        let job = match job {
            Job::Snapshot(job) => job,
            Job::Aof(job) => return self.log.send(job),
        };
        let mut state = self.shared.state();
        state.jobs += 1;
        state.bytes += bytes;
        drop(state);
        if self.queue.is_none() {
            match spawn(Arc::clone(&self.shared)) {
                Ok(queue) => self.queue = Some(queue),
                Err(error) => return self.refuse(&job, &error),
            }
        }
        if let Some(queue) = &self.queue
            && let Err(error) = queue.send(job)
        {
            self.refuse(&error.0, &io::ErrorKind::BrokenPipe.into());
        }
    }

    /// There is no thread: what begins fails.
    fn refuse(&self, job: &SnapshotJob, error: &io::Error) {
        let report = match job {
            SnapshotJob::Begin(target) => Some(Report::SnapshotFailed {
                id: target.id,
                reason: format!("No thread that writes: {error}"),
            }),
            SnapshotJob::Collect(_) => Some(Report::Collected {
                outcome: Err(format!("No thread that writes: {error}")),
            }),
            _ => None,
        };
        self.shared.settle(job.bytes(), report);
    }

    /// Bytes of jobs that are not done yet.
    pub(super) fn queue_bytes(&self) -> usize {
        self.shared.state().bytes
    }

    /// Whether something was reported.
    pub(super) fn has_reports(&self) -> bool {
        !self.shared.state().reports.is_empty()
    }

    /// What was reported since.
    pub(super) fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut self.shared.state().reports)
    }

    /// Waits until no more than so many bytes are left to be done (0: no job at all); what was reported since.
    pub(super) fn wait(&self, bytes_max: usize) -> Vec<Report> {
        let mut state = self.shared.state();
        while state.bytes > bytes_max || (bytes_max == 0 && state.jobs > 0) {
            let waited = self.shared.done.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut state.reports)
    }
}

fn spawn(shared: Arc<Shared>) -> io::Result<Sender<SnapshotJob>> {
    let (sender, receiver): (Sender<SnapshotJob>, Receiver<SnapshotJob>) = channel();
    let work = move || {
        let mut snapshots = SnapshotWriter::default();
        for job in receiver {
            let bytes = job.bytes();
            let report = snapshots.run(job);
            shared.settle(bytes, report);
        }
    };
    let thread = std::thread::Builder::new().name("snapshot writer".into());
    thread.spawn(work)?;
    Ok(sender)
}
