//! The helper thread that does what the engine wants done on disk, in its order, and the way back of its reports.
//!
//! The thread is started with the first job. The loop is woken for every report, and when the queue of a walk that rests
//! has become half as long as it may be.

use crate::persist::writer::SnapshotWriter;
use crate::persist::{Job, QUEUE_MAX_BYTES, Report};
use mio::Waker;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// See the head of the file.
pub(super) struct Disk {
    shared: Arc<Shared>,
    queue: Option<Sender<Job>>,
}

/// What both sides see.
struct Shared {
    state: Mutex<State>,
    /// A job is done.
    done: Condvar,
    waker: Waker,
}

#[derive(Default)]
struct State {
    jobs: usize,
    bytes: usize,
    reports: Vec<Report>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        if wakes && let Err(error) = self.waker.wake() {
            tracing::warn!("Waking the event loop: {error}");
        }
    }
}

impl Disk {
    /// Wakes the loop by `waker`.
    pub(super) fn new(waker: Waker) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                done: Condvar::new(),
                waker,
            }),
            queue: None,
        }
    }

    /// Has the job done; here and now if there can be no thread.
    pub(super) fn send(&mut self, mut job: Job) {
        job.make_absolute();
        let mut state = self.shared.state();
        state.jobs += 1;
        state.bytes += job.bytes();
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
    fn refuse(&self, job: &Job, error: &io::Error) {
        use crate::persist::SnapshotJob::Begin;
        let Job::Snapshot(snapshot) = job;
        let report = match snapshot {
            Begin(target) => Some(Report::SnapshotFailed {
                id: target.id,
                reason: format!("No thread that writes: {error}"),
            }),
            _ => None,
        };
        self.shared.settle(job.bytes(), report);
    }

    /// Bytes of jobs that are not done yet.
    pub(super) fn queue_bytes(&self) -> usize {
        self.shared.state().bytes
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

fn spawn(shared: Arc<Shared>) -> io::Result<Sender<Job>> {
    let (sender, receiver): (Sender<Job>, Receiver<Job>) = channel();
    let work = move || {
        let mut snapshots = SnapshotWriter::default();
        for job in receiver {
            let bytes = job.bytes();
            let Job::Snapshot(job) = job;
            let report = snapshots.run(job);
            shared.settle(bytes, report);
        }
    };
    let thread = std::thread::Builder::new().name("snapshot writer".into());
    thread.spawn(work)?;
    Ok(sender)
}
