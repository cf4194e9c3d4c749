//! The thread that writes snapshots: compresses, sums, writes, makes durable, renames. It runs one job after the other
//! and knows nothing of the data set.
//!
//! ```text
//! file  "REDIS" version 4 | what the jobs bring | 255 | checksum 8 (0: none)
//! ```
//! Only a whole file that is on disk takes its place, and then the folder is made durable too. After an error the
//! temporary file is removed at once, so that a full disk gets its room back, and the rest of the snapshot is passed over.

use super::aof::BASE_DRAFT_PREFIX;
use super::aof::commands::Commands;
use super::backup::STAGING_PREFIX;
use super::draft::Draft;
use super::{Format, Report, SnapshotJob, Target, reason};
use crate::keyspace::snapshot::Part;
use crate::rdb::lzf::Compressor;
use crate::rdb::{Checksum, Encoder, opcode};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Bytes after which a file goes to the disk, if it does so bit by bit.
const SYNC_BYTES: u64 = 4 << 20;
/// Longer strings are written as they are: their compressed form would take too much memory.
pub const COMPRESS_MAX_BYTES: usize = 32 << 20;
/// The temporary files of servers are called `temp-<process id>.rdb`.
const TEMPORARY_PREFIX: &str = "temp-";
const TEMPORARY_SUFFIX: &str = ".rdb";
/// What those of bases of append-only files end with.
const BASE_DRAFT_SUFFIX: &str = ".aof";

/// Makes the final bytes of a file.
pub struct FileBytes {
    compressor: Option<Compressor>,
    checksum: Option<Checksum>,
    room: Vec<u8>,
    /// The file consists of commands.
    commands: Option<Commands>,
}

impl FileBytes {
    /// Of this file.
    pub fn of(target: &Target) -> Self {
        let mut bytes = Self::new(target.compress, target.checksum);
        if let Format::Commands { .. } = target.format {
            bytes = Self {
                commands: Some(Commands::default()),
                ..Self::new(false, false)
            };
        }
        bytes
    }

    /// Of a file that is compressed and summed as wanted.
    pub fn new(compress: bool, checksum: bool) -> Self {
        Self {
            compressor: compress.then(Compressor::default),
            checksum: checksum.then(Checksum::default),
            room: Vec::new(),
            commands: None,
        }
    }

    /// The bytes that a file begins with.
    ///
    /// # Errors
    /// What `write` says.
    pub fn begin(
        &mut self,
        version: u16,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.commands.is_some() {
            return Ok(());
        }
        self.put(format!("REDIS{version:04}").as_bytes(), write)
    }

    /// The bytes of a part.
    ///
    /// # Errors
    /// What `write` says.
    pub fn part(
        &mut self,
        part: Part,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        match part {
            Part::Encoded(encoder) => self.encoded(&encoder, write),
            Part::String(string) if string.len() > COMPRESS_MAX_BYTES => {
                let mut head = Encoder::default();
                head.length(string.len());
                self.put(&head.bytes, write)?;
                self.put(&string, write)
            }
            Part::String(string) => {
                let mut encoder = Encoder::default();
                encoder.plain_string(&string);
                self.encoded(&encoder, write)
            }
            Part::Frozen(mut value) => {
                let mut encoder = Encoder::default();
                while value.encode(&mut encoder) {
                    self.encoded(&encoder, write)?;
                    encoder.clear();
                }
                self.encoded(&encoder, write)
            }
        }
    }

    /// The bytes that a file ends with.
    ///
    /// # Errors
    /// What `write` says.
    pub fn end(&mut self, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if let Some(commands) = &mut self.commands {
            return write(&commands.finish()?);
        }
        self.put(&[opcode::EOF], write)?;
        let checksum = self.checksum.as_ref().map_or(0, Checksum::value);
        write(&checksum.to_le_bytes())
    }

    fn encoded(
        &mut self,
        encoder: &Encoder,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(compressor) = &mut self.compressor else {
            return self.put(&encoder.bytes, write);
        };
        let mut room = std::mem::take(&mut self.room);
        room.clear();
        encoder.compress_to(compressor, &mut room);
        let written = self.put(&room, write);
        self.room = room;
        written
    }

    fn put(
        &mut self,
        bytes: &[u8],
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if let Some(commands) = &mut self.commands {
            return write(&commands.take(bytes));
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(bytes);
        }
        write(bytes)
    }
}

/// A snapshot that is being written.
struct Snapshot {
    target: Target,
    file: Draft,
    bytes: FileBytes,
    written: u64,
    synced: u64,
}

/// See the head of the file.
#[derive(Default)]
pub struct SnapshotWriter {
    draft: Option<Snapshot>,
}

impl SnapshotWriter {
    /// Does a job; what there is to be told.
    pub fn run(&mut self, job: SnapshotJob) -> Option<Report> {
        match job {
            SnapshotJob::Begin(target) => {
                self.abort();
                self.begin(target)
            }
            SnapshotJob::Write(part) => {
                let draft = self.draft.as_mut()?;
                let written = draft.write(part);
                written
                    .err()
                    .and_then(|error| self.fail("Write error saving DB on disk", &error))
            }
            SnapshotJob::Finish => self.finish(),
            SnapshotJob::Abort => {
                self.abort();
                None
            }
            SnapshotJob::Collect(collection) => Some(Report::Collected {
                outcome: collection.collect().map_err(|error| reason(&error)),
            }),
        }
    }

    fn begin(&mut self, target: Target) -> Option<Report> {
        let opened = Draft::create(target.temporary.clone(), target.path.clone());
        let file = match opened {
            Ok(file) => file,
            Err(error) => {
                let shown = target.temporary.display();
                let doing = format!("Failed opening the temp RDB file {shown} for saving");
                return Some(Report::SnapshotFailed {
                    id: target.id,
                    reason: format!("{doing}: {error}"),
                });
            }
        };
        let bytes = FileBytes::of(&target);
        let stamp = match target.format {
            Format::Commands { stamp_s } => stamp_s,
            Format::Rdb => None,
        };
        let draft = self.draft.insert(Snapshot {
            target,
            file,
            bytes,
            written: 0,
            synced: 0,
        });
        let version = draft.target.version;
        let written = draft.put(|bytes, write| {
            if let Some(stamp_s) = stamp {
                write(format!("#TS:{stamp_s}\r\n").as_bytes())?;
            }
            bytes.begin(version, write)
        });
        written
            .err()
            .and_then(|error| self.fail("Write error saving DB on disk", &error))
    }

    fn finish(&mut self) -> Option<Report> {
        let draft = self.draft.as_mut()?;
        let written = draft.put(|bytes, write| bytes.end(write));
        if let Err(error) = written.and_then(|()| draft.file.sync()) {
            return self.fail("Write error saving DB on disk", &error);
        }
        let draft = self.draft.take()?;
        let (id, bytes) = (draft.target.id, draft.written);
        Some(match draft.file.place() {
            Ok(()) => Report::SnapshotSaved { id, bytes },
            Err(error) => Report::SnapshotFailed {
                id,
                reason: format!(
                    "Error moving temp DB file {} on the final destination {}: {error}",
                    draft.target.temporary.display(),
                    draft.target.path.display()
                ),
            },
        })
    }

    fn fail(&mut self, doing: &str, error: &io::Error) -> Option<Report> {
        let id = self.draft.as_ref()?.target.id;
        self.abort();
        Some(Report::SnapshotFailed {
            id,
            reason: format!("{doing}: {error}"),
        })
    }

    fn abort(&mut self) {
        self.draft = None;
    }
}

impl Snapshot {
    fn write(&mut self, part: Part) -> io::Result<()> {
        self.put(|bytes, write| bytes.part(part, write))?;
        if self.target.sync_often && self.written - self.synced >= SYNC_BYTES {
            self.synced = self.written;
            self.file.file().sync_data()?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        make: impl FnOnce(&mut FileBytes, &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (file, written) = (&mut self.file, &mut self.written);
        make(&mut self.bytes, &mut |bytes| {
            *written += bytes.len() as u64;
            file.write_all(bytes)
        })
    }
}

/// The name of the temporary file of the process `pid`.
pub fn temporary_name(pid: u32) -> String {
    format!("{TEMPORARY_PREFIX}{pid}{TEMPORARY_SUFFIX}")
}

/// Removes the temporary snapshots in a folder that servers left which did not live to remove them; their names. Those of
/// processes that live, `is_alive`, are theirs.
///
/// # Errors
/// What the system says to reading the folder.
pub fn remove_stale(folder: &Path, is_alive: impl Fn(u32) -> bool) -> io::Result<Vec<String>> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(STAGING_PREFIX).map(str::parse);
        if let Some(Ok(pid)) = pid {
            if !is_alive(pid) && fs::remove_dir_all(entry.path()).is_ok() {
                removed.push(name);
            }
            continue;
        }
        let middle = |prefix, suffix| name.strip_prefix(prefix)?.strip_suffix(suffix);
        let pid = middle(TEMPORARY_PREFIX, TEMPORARY_SUFFIX)
            .or_else(|| middle(BASE_DRAFT_PREFIX, BASE_DRAFT_SUFFIX))
            .and_then(|pid: &str| pid.parse().ok());
        if pid.is_some_and(|pid| !is_alive(pid)) && fs::remove_file(entry.path()).is_ok() {
            removed.push(name);
        }
    }
    Ok(removed)
}
