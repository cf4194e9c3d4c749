//! What survives the end of the process: snapshots on disk.
//!
//! The reactor opens no file. [`save`] decides when a snapshot begins, drives its walk and makes [`Job`]s of what it gives;
//! the host has them run on a helper thread ([`writer`]) and brings back [`Report`]s.

pub mod load;
pub mod payload;
pub mod save;
pub mod writer;

use crate::keyspace::snapshot::Part;
use std::path::PathBuf;

/// The walk rests while so many bytes wait for the writer: only what is about to be changed comes then.
pub const QUEUE_MAX_BYTES: usize = 2 << 20;

/// Something to be done on disk.
pub enum Job {
    /// For the thread that writes snapshots.
    Snapshot(SnapshotJob),
}

/// Something to be done for a snapshot. One at a time; each begins with `Begin` and ends with `Finish` or `Abort`.
pub enum SnapshotJob {
    /// Creates the temporary file.
    Begin(Target),
    /// Writes this behind what there is.
    Write(Part),
    /// Completes the file, makes it durable and puts it in its place; a report follows.
    Finish,
    /// Removes the temporary file.
    Abort,
}

/// The file of a snapshot.
#[derive(Clone, Debug)]
pub struct Target {
    /// The snapshot's number: reports bear it.
    pub id: u64,
    /// Where it is written. Relative paths count from the working folder at the time of the order.
    pub temporary: PathBuf,
    /// Where it belongs.
    pub path: PathBuf,
    /// The version in its head.
    pub version: u16,
    /// Whether strings are compressed.
    pub compress: bool,
    /// Whether a checksum stands at the end.
    pub checksum: bool,
    /// Whether it goes to the disk bit by bit, not all at its end.
    pub sync_often: bool,
}

/// What has become of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The snapshot of this number is in its place, durable.
    SnapshotSaved {
        /// Its number.
        id: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// The snapshot of this number could not be written; its temporary file is gone.
    SnapshotFailed {
        /// Its number.
        id: u64,
        /// What was being done, and what the system said.
        reason: String,
    },
    /// There is room in the queue again.
    Room,
}

impl Job {
    /// Bytes that it keeps from being freed, about.
    pub fn bytes(&self) -> usize {
        match self {
            Job::Snapshot(SnapshotJob::Write(part)) => part.bytes(),
            Job::Snapshot(_) => 0,
        }
    }

    /// Makes its paths independent of the working folder.
    pub fn make_absolute(&mut self) {
        if let Job::Snapshot(SnapshotJob::Begin(target)) = self {
            for path in [&mut target.temporary, &mut target.path] {
                // A working folder that is gone shows when the file is created.
                *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
            }
        }
    }
}
