//! What survives the end of the process: snapshots on disk, the log of all changes since ([`aof`]), and folders with the
//! data of one moment, to be copied ([`backup`]).
//!
//! The reactor opens no file. [`save`] decides when a snapshot begins, drives its walk and makes [`Job`]s of what it gives;
//! the host has them run on a helper thread ([`writer`]) and brings back [`Report`]s. The append-only file has a thread of
//! its own.

pub mod aof;
pub mod backup;
pub mod draft;
pub mod load;
pub mod payload;
pub mod progress;
pub mod records;
pub mod save;
pub mod writer;

use crate::keyspace::snapshot::Part;
use aof::{AofJob, AofReport};
use backup::Collection;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The walk rests while so many bytes wait for the writer: only what is about to be changed comes then.
pub const QUEUE_MAX_BYTES: usize = 2 << 20;

/// Something to be done on disk.
pub enum Job {
    /// For the thread that writes snapshots.
    Snapshot(SnapshotJob),
    /// For the thread that writes the append-only file.
    Aof(AofJob),
}

/// Something to be done for a snapshot. One at a time; each begins with `Begin` and ends with `Finish` or `Abort`. Folders
/// of backups are made between any of them.
pub enum SnapshotJob {
    /// Creates the temporary file.
    Begin(Target),
    /// Writes this behind what there is.
    Write(Part),
    /// Completes the file, makes it durable and puts it in its place; a report follows.
    Finish,
    /// Removes the temporary file.
    Abort,
    /// Makes the folder of a backup; a report follows.
    Collect(Collection),
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
    /// RDB bytes or commands.
    pub format: Format,
    /// The version in its head.
    pub version: u16,
    /// Whether strings are compressed.
    pub compress: bool,
    /// Whether a checksum stands at the end.
    pub checksum: bool,
    /// Whether it goes to the disk bit by bit, not all at its end.
    pub sync_often: bool,
}

/// What a file consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// RDB bytes.
    #[default]
    Rdb,
    /// Commands that build the data: the base of an append-only file.
    Commands {
        /// The second that it is annotated with, if it is.
        stamp_s: Option<i64>,
    },
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
    /// The folder of a backup is in its place, durable; or there is none.
    Collected {
        /// Bytes of its files, or what the system said.
        outcome: Result<u64, String>,
    },
    /// There is room in the queue again.
    Room,
    /// Of the append-only file.
    Aof(AofReport),
}

impl SnapshotJob {
    /// Bytes that it keeps from being freed, about.
    pub fn bytes(&self) -> usize {
        match self {
            SnapshotJob::Write(part) => part.bytes(),
            _ => 0,
        }
    }
}

impl Job {
    /// Bytes that a walk waits for, about. It does not wait for the append-only file.
    pub fn bytes(&self) -> usize {
        match self {
            Job::Snapshot(job) => job.bytes(),
            Job::Aof(_) => 0,
        }
    }

    /// Makes its paths independent of the working folder, which is `folder`.
    pub fn resolve(&mut self, folder: &Path) {
        let resolve = |path: &mut PathBuf| *path = folder.join(&*path);
        match self {
            Job::Snapshot(SnapshotJob::Begin(target)) => {
                resolve(&mut target.temporary);
                resolve(&mut target.path);
            }
            Job::Snapshot(SnapshotJob::Collect(collection)) => {
                collection.paths().into_iter().for_each(resolve);
            }
            Job::Snapshot(_) => {}
            Job::Aof(job) => job.paths().into_iter().for_each(resolve),
        }
    }
}

/// The system's own words for an error, without the number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Makes the names in the folder of a file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
