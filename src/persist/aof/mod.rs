//! The append-only file: every change is in it before its author is answered, and after a restart the data is built from it.
//!
//! ```text
//! engine's stream --- log_changes, once a turn ---> [Append] --> writer's thread --> increment on disk
//!      |                                                              |
//! a client's output waits at its offset  <--- acknowledged <--- [Appended, Synced]
//! ```
//! - Files: a base and increments behind it, named by a [`manifest`]; [`load`] reads them at the start.
//! - A reply of a client that wrote leaves when its bytes are written (`appendfsync no`, `everysec`) or on disk (`always`).
//!   Nobody else waits. One append is under way at a time; the next takes everything that has come meanwhile (group commit,
//!   see [`gather`]).
//! - A rewrite opens a new increment and makes a new base by a walk of the keyspace, both from the same moment on. Until
//!   base and increment are both there, the old files are what counts; if one fails, they stay.
//! - While the disk refuses bytes they are kept and tried again, and new writes of clients are refused (MISCONF). A reply
//!   that waits for such bytes goes on waiting: it is neither good, nor can what it says be undone.
//! - A flush that failed leaves the disk in a state that nobody knows: after it has recovered, the data is written anew by
//!   a rewrite, which is tried until it succeeds.

pub mod commands;
mod gather;
pub mod load;
pub mod manifest;
mod rewrite;
mod rotate;
pub mod tape;
pub mod writer;

pub use rewrite::BASE_DRAFT_PREFIX;
pub use rotate::Rotation;

use crate::config::settings::{AppendFsync, Settings};
use crate::observe::Info;
use gather::Gather;
use manifest::Manifest;
use rewrite::Rewrites;
use std::path::{Path, PathBuf};

/// Between two flushes to the disk under `everysec`.
const SYNC_PERIOD_MS: i64 = 1000;
/// Between two attempts at a disk that refuses.
const RETRY_PERIOD_MS: i64 = 100;

/// Something to be done for the append-only file, in the order in which it is handed over.
#[derive(Debug)]
pub enum AofJob {
    /// Opens the file to which is appended.
    Open {
        /// The file; it may be there already.
        path: PathBuf,
    },
    /// Makes a file of this content, whole and durable.
    Create {
        /// The file.
        path: PathBuf,
        /// What is in it.
        content: Vec<u8>,
    },
    /// Cuts a file off.
    Cut {
        /// The file.
        path: PathBuf,
        /// Bytes that stay.
        length: u64,
    },
    /// Goes on with a new file. The old one stays in use if that cannot be.
    OpenIncrement {
        /// The new file.
        path: PathBuf,
        /// Where its manifest belongs, and what that says; `None`: it is in none yet.
        manifest: Option<(PathBuf, Vec<u8>)>,
    },
    /// The same, for a backup that needs the files before it.
    Rotate {
        /// The new file.
        path: PathBuf,
        /// Where its manifest belongs, and what that says.
        manifest: (PathBuf, Vec<u8>),
    },
    /// Appends bytes of the stream.
    Append {
        /// The bytes.
        bytes: Vec<u8>,
        /// Their end in the stream.
        end: u64,
        /// They are reported when they are on the disk, not when they are written.
        sync: bool,
    },
    /// Tries again to write what could not be written.
    Retry,
    /// Flushes to the disk what is written.
    Sync {
        /// Its end in the stream.
        end: u64,
    },
    /// Puts a new manifest in place.
    Publish(Publication),
    /// Removes files that nobody needs.
    Remove {
        /// The files; what is not there is passed over.
        paths: Vec<PathBuf>,
    },
    /// Writes what waits, flushes and closes.
    Close,
}

/// A new manifest, and what comes with it.
#[derive(Debug, Default)]
pub struct Publication {
    /// A file that gets its final name first.
    pub rename: Option<(PathBuf, PathBuf)>,
    /// Where the manifest belongs.
    pub manifest: PathBuf,
    /// What it says.
    pub text: Vec<u8>,
    /// Files that are superfluous then.
    pub remove: Vec<PathBuf>,
    /// What the manifest says without them.
    pub text_after: Vec<u8>,
    /// A file that is superfluous if the manifest cannot be put in place.
    pub on_failure_remove: Option<PathBuf>,
}

/// What has become of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AofReport {
    /// The file or increment is open, or why not.
    Opened {
        /// What the system said.
        error: Option<String>,
    },
    /// The stream up to here is written.
    Appended {
        /// Offset in the stream.
        end: u64,
        /// It is on the disk too.
        synced: bool,
    },
    /// Bytes could not be written; they are kept.
    Failed {
        /// What the system said.
        reason: String,
    },
    /// The stream up to here is on the disk.
    Synced {
        /// Offset in the stream.
        end: u64,
    },
    /// A flush failed.
    SyncFailed {
        /// What the system said.
        reason: String,
    },
    /// The increment that a backup wants is open, or why not.
    Rotated {
        /// What the system said.
        error: Option<String>,
    },
    /// The manifest is in place, or why not.
    Published {
        /// What the system said.
        error: Option<String>,
    },
}

impl AofJob {
    /// All paths in it.
    pub fn paths(&mut self) -> Vec<&mut PathBuf> {
        match self {
            AofJob::Open { path } | AofJob::Create { path, .. } | AofJob::Cut { path, .. } => {
                vec![path]
            }
            AofJob::OpenIncrement { path, manifest } => {
                let manifest = manifest.iter_mut().map(|(path, _)| path);
                manifest.chain([path]).collect()
            }
            AofJob::Rotate { path, manifest } => vec![path, &mut manifest.0],
            AofJob::Publish(publication) => {
                let rename = publication.rename.iter_mut().flat_map(|(a, b)| [a, b]);
                rename
                    .chain([&mut publication.manifest])
                    .chain(&mut publication.remove)
                    .chain(&mut publication.on_failure_remove)
                    .collect()
            }
            AofJob::Remove { paths } => paths.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
}

/// Whether there is an append-only file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Off,
    /// It was turned on: there is one when the first rewrite is complete.
    Starting,
    On,
}

/// What somebody wants, until the loop comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `CONFIG SET appendonly yes`.
    Start,
    /// `CONFIG SET appendonly no`.
    Stop,
    /// BGREWRITEAOF.
    Rewrite,
}

/// Where the files are, relative to the working folder.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// `appenddirname`.
    pub folder: String,
    /// `appendfilename`.
    pub file: String,
}

impl Names {
    /// As the settings say.
    pub fn of(settings: &Settings) -> Names {
        Names {
            folder: settings.appenddirname.clone(),
            file: settings.appendfilename.clone(),
        }
    }

    /// Where a file of the folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }

    /// Where the manifest is.
    pub fn manifest(&self) -> PathBuf {
        self.path(&format!("{}.manifest", self.file))
    }

    /// Whether a file of this name is one that was being made: at the start nobody makes it any more.
    pub fn is_draft(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix("temp-") else {
            return false;
        };
        let own = rest.strip_prefix(self.file.as_str());
        matches!(own, Some(".incr" | ".manifest" | ".start"))
            || Manifest::may_list(&self.file, rest)
    }

    /// A file that is there while a start makes the append-only file of a snapshot: without a manifest, what else is in the
    /// folder then is not whole, and all of it is in the snapshot.
    pub fn start_mark(&self) -> String {
        format!("temp-{}.start", self.file)
    }

    /// Where the first increment is until there is a base.
    fn first_increment(&self) -> PathBuf {
        self.path(&format!("temp-{}.incr", self.file))
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Aof {
    state: State,
    names: Names,
    manifest: Manifest,
    rewrites: Rewrites,
    /// What is to be done at the end of the turn.
    pub wish: Option<Wish>,
    /// The stream's end at the last hand-over.
    handed: u64,
    acknowledged: u64,
    durable: u64,
    is_appending: bool,
    gather: Gather,
    is_syncing: bool,
    has_news: bool,
    last_sync_ms: i64,
    last_retry_ms: i64,
    /// The second that the last annotation names.
    stamped_s: i64,
    /// Why the disk refuses, while it does.
    failing: Option<String>,
    /// A flush has failed: what is on the disk is not to be trusted.
    is_distrusted: bool,
    /// One had failed: the files have to be written anew, only then is all of the stream on the disk.
    must_renew: bool,
    delayed_syncs: u64,
    /// Bytes of base and increments, and what they were after the last rewrite.
    bytes: u64,
    bytes_at_base: u64,
    /// Clients in WAITAOF.
    waiting: Vec<u64>,
}

impl Aof {
    /// Whether `appendonly` is on, even if the first file is not complete yet.
    pub fn is_enabled(&self) -> bool {
        self.state != State::Off && self.wish != Some(Wish::Stop) || self.wish == Some(Wish::Start)
    }

    /// Whether the changes of clients go to a file.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.state == State::On
    }

    /// Whether the first file is being made.
    pub fn is_starting(&self) -> bool {
        self.state == State::Starting
    }

    /// Up to which offset of the stream authors may be answered.
    #[inline]
    pub fn acknowledged(&self) -> u64 {
        if self.state == State::On {
            self.acknowledged
        } else {
            u64::MAX
        }
    }

    /// Up to which offset the stream was handed over.
    pub fn handed(&self) -> u64 {
        self.handed
    }

    /// Bytes that were handed over and are not written yet.
    pub fn buffered_bytes(&self) -> u64 {
        match self.state {
            State::Off => 0,
            _ => self.handed.saturating_sub(self.acknowledged),
        }
    }

    /// Up to which offset the stream is on the disk.
    pub fn durable(&self) -> u64 {
        match self.state {
            State::On => self.durable,
            // The base has yet to be on the disk.
            _ => 0,
        }
    }

    /// A client waits until its bytes are on the disk.
    pub fn wait(&mut self, client: u64) {
        if !self.waiting.contains(&client) {
            self.waiting.push(client);
        }
    }

    /// Whether clients wait for the disk.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Clients that wait for the disk; each must come anew if it goes on waiting.
    pub fn take_waiting(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.waiting)
    }

    /// Why writes are refused.
    #[inline]
    pub fn refusal(&self) -> Option<&str> {
        self.failing.as_deref()
    }

    /// The server begins without an append-only file; this is what the folder has of earlier times.
    pub fn note_files(&mut self, names: Names, manifest: Manifest) {
        self.names = names;
        self.manifest = manifest;
    }

    /// There are files from which the data came: changes from offset `end` of the stream on go to the last increment.
    pub fn begin(&mut self, names: Names, opened: load::Opened, end: u64) -> AofJob {
        self.state = State::On;
        self.manifest = opened.manifest;
        (self.bytes, self.bytes_at_base) = (opened.bytes, opened.bytes);
        (self.handed, self.acknowledged, self.durable) = (end, end, end);
        let path = names.path(&opened.increment);
        self.names = names;
        AofJob::Open { path }
    }

    /// No more is appended; the files stay.
    pub fn stop(&mut self) -> AofJob {
        self.state = State::Off;
        self.must_renew = false;
        self.rewrites.forget();
        self.close()
    }

    /// The file is closed, and what it does not have yet is given up.
    pub fn close(&mut self) -> AofJob {
        self.failing = None;
        self.is_appending = false;
        self.is_distrusted = false;
        AofJob::Close
    }

    /// Whether bytes may be handed over now.
    #[inline]
    pub fn may_append(&self) -> bool {
        self.state != State::Off && !self.is_appending
    }

    /// Whether what the stream has is to be handed over now, or waits for more writers.
    pub fn is_gathered(&mut self, settings: &Settings, now_ns: impl FnOnce() -> u64) -> bool {
        let waits = settings.appendfsync == AppendFsync::Always && self.state == State::On;
        !waits || self.gather.is_complete(now_ns())
    }

    /// A writer whose last change is at `offset` of the stream is to be answered when that is acknowledged.
    #[inline]
    pub fn note_writer(&mut self, offset: u64) {
        if offset > self.handed {
            self.gather.come();
        }
    }

    /// Hands over what the stream has from the last time on to `end`.
    pub fn append(
        &mut self,
        mut bytes: Vec<u8>,
        end: u64,
        settings: &Settings,
        (now_ms, now_ns): (i64, u64),
        is_saving: bool,
    ) -> AofJob {
        self.gather.go(now_ns);
        let now_s = now_ms.div_euclid(1000);
        if settings.aof_timestamp_enabled && now_s != self.stamped_s {
            self.stamped_s = now_s;
            bytes.splice(0..0, format!("#TS:{now_s}\r\n").into_bytes());
        }
        self.handed = end;
        self.is_appending = true;
        self.bytes += bytes.len() as u64;
        self.rewrites.count_bytes(bytes.len() as u64);
        let spares_disk = is_saving && settings.no_appendfsync_on_rewrite;
        let sync =
            settings.appendfsync == AppendFsync::Always && !spares_disk && self.state == State::On;
        AofJob::Append { bytes, end, sync }
    }

    /// What is due by time: a flush, another attempt at a disk that refused.
    pub fn due(&mut self, settings: &Settings, now_ms: i64, is_saving: bool) -> Option<AofJob> {
        if self.state == State::Off {
            return None;
        }
        if self.failing.is_some() {
            if now_ms - self.last_retry_ms < RETRY_PERIOD_MS {
                return None;
            }
            self.last_retry_ms = now_ms;
            return match self.is_appending {
                true => Some(AofJob::Retry),
                false => self.sync(now_ms),
            };
        }
        let wanted = match settings.appendfsync {
            AppendFsync::No => self.has_waiting(),
            AppendFsync::Everysec | AppendFsync::Always => true,
        };
        let is_unsafe = self.state == State::On && self.acknowledged > self.durable;
        let spares_disk = is_saving && settings.no_appendfsync_on_rewrite;
        if !wanted || !is_unsafe || spares_disk || now_ms - self.last_sync_ms < SYNC_PERIOD_MS {
            return None;
        }
        if self.is_syncing {
            self.delayed_syncs += 1;
            self.last_sync_ms = now_ms;
            return None;
        }
        self.sync(now_ms)
    }

    fn sync(&mut self, now_ms: i64) -> Option<AofJob> {
        if self.is_syncing {
            return None;
        }
        self.is_syncing = true;
        self.last_sync_ms = now_ms;
        Some(AofJob::Sync {
            end: self.acknowledged,
        })
    }

    /// Whether more is acknowledged, or on the disk, than at the last call.
    #[inline]
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Takes a report.
    pub fn on_report(&mut self, report: &AofReport, now_ns: u64) {
        match report {
            AofReport::Appended { end, synced } => {
                if *end >= self.handed {
                    self.is_appending = false;
                    self.gather.end(now_ns);
                    if *synced || !self.is_distrusted {
                        self.recover();
                    }
                }
                self.acknowledged = self.acknowledged.max(*end);
                if *synced {
                    self.durable = self.durable.max(*end);
                }
                self.has_news = true;
            }
            AofReport::Synced { end } => {
                self.is_syncing = false;
                if !self.is_appending {
                    self.recover();
                }
                if !self.must_renew {
                    self.durable = self.durable.max(*end);
                }
                self.has_news = true;
            }
            AofReport::Failed { reason } => {
                self.fail(reason);
            }
            AofReport::SyncFailed { reason } => {
                self.is_syncing = false;
                self.is_distrusted = self.state == State::On;
                self.fail(reason);
            }
            AofReport::Opened { .. } | AofReport::Rotated { .. } | AofReport::Published { .. } => {}
        }
    }

    fn fail(&mut self, reason: &str) {
        if self.state == State::Off {
            return;
        }
        if self.failing.is_none() {
            tracing::warn!("Error writing to the AOF file: {reason}");
        }
        self.failing = Some(reason.to_owned());
    }

    fn recover(&mut self) {
        if self.failing.take().is_none() {
            return;
        }
        tracing::warn!("AOF write error looks solved. The server can write again.");
        if std::mem::take(&mut self.is_distrusted) {
            tracing::warn!("A flush had failed: the AOF is written anew.");
            self.must_renew = true;
            self.schedule_rewrite();
        }
    }

    /// INFO persistence: the part of the append-only file.
    pub fn info(&self, is_rewriting: bool, now_ms: i64, info: &mut Info) {
        info.field("aof_enabled", u8::from(self.is_enabled()));
        self.rewrites.info(is_rewriting, now_ms, info);
        let status = if self.failing.is_some() { "err" } else { "ok" };
        info.field("aof_last_write_status", status)
            .field("aof_last_cow_size", self.rewrites.last_peak_bytes)
            .zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
        if self.is_enabled() {
            info.field("aof_current_size", self.bytes)
                .field("aof_base_size", self.bytes_at_base)
                .field("aof_pending_rewrite", u8::from(self.rewrites.is_scheduled))
                .field("aof_buffer_length", self.buffered_bytes())
                .field("aof_pending_bio_fsync", u8::from(self.is_syncing))
                .field("aof_delayed_fsync", self.delayed_syncs);
        }
    }

    /// The files that hold the data, in the order in which they are read.
    pub fn files(&self) -> Vec<PathBuf> {
        let listed = self.manifest.base.iter().chain(&self.manifest.increments);
        listed.map(|file| self.names.path(&file.name)).collect()
    }
}
