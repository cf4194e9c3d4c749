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
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where the loop waits for the processor on which the thread that writes snapshots runs, it has it after so long: left to
/// itself, the system lets a thread run for some milliseconds.
const YIELDS_AFTER: Duration = Duration::from_micros(300);
/// And what the thread adds to its niceness.
const WRITER_NICENESS: i32 = 5;

/// See the head of the file.
pub(super) struct Disk {
    shared: Arc<Shared>,
    queue: Option<Sender<SnapshotJob>>,
    log: LogDisk,
}

/// What both sides see. The loop asks for the counts every turn, so they stand apart from the lock: it never waits for a
/// thread that was put aside while it held it.
pub(super) struct Shared {
    jobs: AtomicUsize,
    /// Bytes of jobs that are not done yet.
    bytes: AtomicUsize,
    has_reports: AtomicBool,
    reports: Mutex<Vec<Report>>,
    /// A job is done.
    done: Condvar,
    waker: Waker,
}

impl Shared {
    fn reports(&self) -> MutexGuard<'_, Vec<Report>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more job is to be done.
    pub(super) fn begin(&self) {
        self.jobs.fetch_add(1, Ordering::AcqRel);
    }

    /// A job is done, and this is what there is to be told of it.
    pub(super) fn end(&self, reports: impl IntoIterator<Item = Report>) {
        self.settle(0, reports);
    }

    /// Tells the loop what it has done itself: it will look for reports in this turn.
    pub(super) fn tell(&self, report: Report) {
        self.reports().push(report);
        self.has_reports.store(true, Ordering::Release);
    }

    /// A job of so many bytes is done.
    fn settle(&self, bytes: usize, news: impl IntoIterator<Item = Report>) {
        let before = self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        let has_room = before > QUEUE_MAX_BYTES / 2 && before - bytes <= QUEUE_MAX_BYTES / 2;
        let mut reports = self.reports();
        let known = reports.len();
        reports.extend(news);
        reports.extend(has_room.then_some(Report::Room));
        let wakes = reports.len() > known;
        if wakes {
            self.has_reports.store(true, Ordering::Release);
        }
        // Whoever waits has looked at the counts under the lock.
        self.jobs.fetch_sub(1, Ordering::AcqRel);
        drop(reports);
        self.done.notify_all();
        if wakes && let Err(error) = self.waker.wake() {
            tracing::warn!("Waking the event loop: {error}");
        }
    }
}

impl Disk {
    /// Wakes the loop by `waker`.
    pub(super) fn new(waker: Waker) -> Self {
        let shared = Arc::new(Shared {
            jobs: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            has_reports: AtomicBool::new(false),
            reports: Mutex::default(),
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
        self.shared.begin();
        self.shared.bytes.fetch_add(bytes, Ordering::AcqRel);
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
        self.shared.bytes.load(Ordering::Acquire)
    }

    /// Whether something was reported.
    #[inline]
    pub(super) fn has_reports(&self) -> bool {
        self.shared.has_reports.load(Ordering::Acquire)
    }

    /// What was reported since.
    pub(super) fn take_reports(&self) -> Vec<Report> {
        self.take(&mut self.shared.reports())
    }

    /// Waits until no more than so many bytes are left to be done (0: no job at all); what was reported since.
    pub(super) fn wait(&self, bytes_max: usize) -> Vec<Report> {
        let (shared, mut reports) = (&self.shared, self.shared.reports());
        while self.queue_bytes() > bytes_max
            || (bytes_max == 0 && shared.jobs.load(Ordering::Acquire) > 0)
        {
            let waited = shared.done.wait(reports);
            reports = waited.unwrap_or_else(PoisonError::into_inner);
        }
        self.take(&mut reports)
    }

    fn take(&self, reports: &mut Vec<Report>) -> Vec<Report> {
        self.shared.has_reports.store(false, Ordering::Release);
        std::mem::take(reports)
    }
}

fn spawn(shared: Arc<Shared>) -> io::Result<Sender<SnapshotJob>> {
    let (sender, receiver): (Sender<SnapshotJob>, Receiver<SnapshotJob>) = channel();
    let work = move || {
        // Clients come first; that it cannot be asked for is no harm.
        let _ = rustix::process::nice(WRITER_NICENESS);
        let mut ran_from = Instant::now();
        let mut snapshots = SnapshotWriter::default();
        for job in receiver {
            let bytes = job.bytes();
            let report = snapshots.run(job);
            shared.settle(bytes, report);
            if ran_from.elapsed() > YIELDS_AFTER {
                rustix::thread::sched_yield();
                ran_from = Instant::now();
            }
        }
    };
    let thread = std::thread::Builder::new().name("snapshot writer".into());
    thread.spawn(work)?;
    Ok(sender)
}
