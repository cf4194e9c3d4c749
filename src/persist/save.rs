//! Snapshots on disk: when one begins, its head, its progress, and what has become of it.
//!
//! A save is a walk of the keyspace ([`crate::keyspace::snapshot`]) whose parts become jobs for the writer. It is over when
//! the writer has reported; until then it is under way, also after the walk has come to its end. One at a time.

use super::aof::BASE_DRAFT_PREFIX;
use super::{Format, Job, Report, SnapshotJob, Target, writer};
use crate::config::settings::{MaxmemoryPolicy, SavePoint, Settings};
use crate::keyspace::Keyspace;
use crate::keyspace::snapshot::Part;
use crate::observe::Info;
use crate::rdb::{Edition, Encoder, VERSION_FIELD_EXPIRY, opcode};
use std::path::{Path, PathBuf};

/// After a failure the next attempt is not made sooner.
const RETRY_MS: i64 = 5000;

/// What the head of a file says of its writer.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// The Redis version whose format this is.
    pub redis_version: &'a str,
    /// Bytes of memory in use.
    pub used_bytes: u64,
    /// The process.
    pub pid: u32,
    /// The source texts of the function libraries.
    pub libraries: &'a [&'a [u8]],
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To be loaded at the next start.
    Snapshot,
    /// The base of an append-only file.
    Base,
    /// A backup is made of it.
    Backup,
}

/// A save that is under way.
#[derive(Debug)]
struct Running {
    purpose: Purpose,
    id: u64,
    began_ms: i64,
    /// The keyspace's count of changes at its beginning.
    dirty: u64,
    /// The same count before that was counted as saved in advance.
    saved_before: u64,
    keys_total: u64,
    /// The walk is complete: the writer has yet to report.
    is_walked: bool,
    /// The most bytes that waited at once.
    peak_bytes: usize,
    in_background: bool,
    /// It is that of a flush: there was nothing left to be saved.
    is_of_flush: bool,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Saver {
    running: Option<Running>,
    saves_begun: u64,
    /// A save is to begin as soon as it can.
    pub is_scheduled: bool,
    /// The keyspace's count of changes that the last good save has.
    saved_dirty: u64,
    /// When the last good save was complete, Unix milliseconds.
    last_save_ms: i64,
    last_try_ms: i64,
    /// Whether the last save was good.
    last_ok: bool,
    /// Seconds that the last save in the background took.
    last_took_s: Option<i64>,
    last_peak_bytes: usize,
    /// Saves that were asked for.
    saves: u64,
    /// Why the last one failed.
    last_error: Option<String>,
    /// Keys that may be taken from now on: DEBUG's slowness.
    allowed_keys: u64,
}

impl Saver {
    /// Of a server that starts now.
    pub fn new(now_ms: i64) -> Self {
        Self {
            running: None,
            saves_begun: 0,
            is_scheduled: false,
            saved_dirty: 0,
            last_save_ms: now_ms,
            last_try_ms: 0,
            last_ok: true,
            last_took_s: None,
            last_peak_bytes: 0,
            saves: 0,
            last_error: None,
            allowed_keys: 0,
        }
    }

    /// Whether a save is under way.
    #[inline]
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether the save that is under way is that of a flush.
    pub fn is_of_flush(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| running.is_of_flush)
    }

    /// Whether a snapshot is under way that somebody may want to load.
    pub fn is_saving(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| running.purpose == Purpose::Snapshot)
    }

    /// Whether the base of an append-only file is under way.
    pub fn is_rewriting(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| running.purpose == Purpose::Base)
    }

    /// Whether the snapshot that a backup is made of is under way.
    pub fn is_backing_up(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| running.purpose == Purpose::Backup)
    }

    /// The most bytes that have waited at once in the last save.
    pub fn last_peak_bytes(&self) -> usize {
        self.last_peak_bytes
    }

    /// Whether its walk has work to do.
    pub fn is_walking(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| !running.is_walked)
    }

    /// When the last good save was complete, Unix seconds.
    pub fn last_save_s(&self) -> i64 {
        self.last_save_ms / 1000
    }

    /// Changes since what the last good save has.
    pub fn changes(&self, keyspace: &Keyspace) -> u64 {
        keyspace.dirty().saturating_sub(self.saved_dirty)
    }

    /// What is in the keyspace came from disk: it need not be saved.
    pub fn mark_saved(&mut self, keyspace: &Keyspace, now_ms: i64) {
        self.saved_dirty = keyspace.dirty();
        self.last_save_ms = now_ms;
    }

    /// Why the last save failed, if it did.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Whether writes are refused until a save is good again.
    pub fn refuses_writes(&self, settings: &Settings) -> bool {
        !self.last_ok && settings.stop_writes_on_bgsave_error && !settings.save.is_empty()
    }

    /// The save point that asks for a save now.
    pub fn due<'s>(
        &self,
        keyspace: &Keyspace,
        settings: &'s Settings,
        now_ms: i64,
    ) -> Option<&'s SavePoint> {
        let changes = self.changes(keyspace);
        let elapsed_s = (now_ms - self.last_save_ms) / 1000;
        let may_try = self.last_ok || now_ms - self.last_try_ms > RETRY_MS;
        let is_due = |point: &&SavePoint| {
            changes >= point.changes && elapsed_s > i64::try_from(point.seconds).unwrap_or(i64::MAX)
        };
        settings.save.iter().find(is_due).filter(|_| may_try)
    }

    /// Whether it is time to find out if the disk takes writes again, which clients are refused until then.
    pub fn must_retry(&self, settings: &Settings, now_ms: i64) -> bool {
        self.refuses_writes(settings) && now_ms - self.last_try_ms > RETRY_MS
    }

    /// Counts a save that somebody asked for.
    pub fn count_save(&mut self) {
        self.saves += 1;
    }

    /// Begins a save of the data as it is now; none must be under way.
    pub fn begin(
        &mut self,
        keyspace: &mut Keyspace,
        settings: &Settings,
        author: Author<'_>,
        in_background: bool,
        jobs: &mut Vec<Job>,
    ) {
        self.is_scheduled = false;
        self.last_try_ms = keyspace.now_ms();
        let temporary = writer::temporary_name(author.pid).into();
        let path = settings.dbfilename.as_str().into();
        let target = self.target(settings, temporary, path);
        self.start(keyspace, settings, author, target, Purpose::Snapshot, jobs);
        if let Some(running) = &mut self.running {
            running.in_background = in_background;
        }
    }

    /// Begins the base of an append-only file, of the data as it is now; nothing may be under way.
    pub fn begin_base(
        &mut self,
        keyspace: &mut Keyspace,
        settings: &Settings,
        author: Author<'_>,
        path: PathBuf,
        jobs: &mut Vec<Job>,
    ) {
        let temporary = format!("{BASE_DRAFT_PREFIX}{}.aof", author.pid).into();
        let mut target = self.target(settings, temporary, path);
        target.sync_often = settings.aof_rewrite_incremental_fsync;
        if !settings.aof_use_rdb_preamble {
            let now_s = keyspace.now_ms().div_euclid(1000);
            target.format = Format::Commands {
                stamp_s: settings.aof_timestamp_enabled.then_some(now_s),
            };
        }
        self.start(keyspace, settings, author, target, Purpose::Base, jobs);
    }

    /// Begins the snapshot that a backup is made of, in its folder, of the data as it is now; nothing may be under way.
    pub fn begin_backup(
        &mut self,
        keyspace: &mut Keyspace,
        settings: &Settings,
        author: Author<'_>,
        folder: &Path,
        jobs: &mut Vec<Job>,
    ) {
        let temporary = writer::temporary_name(author.pid).into();
        let path = folder.join(&settings.dbfilename);
        let target = self.target(settings, temporary, path);
        self.start(keyspace, settings, author, target, Purpose::Backup, jobs);
    }

    fn target(&self, settings: &Settings, temporary: PathBuf, path: PathBuf) -> Target {
        Target {
            id: self.saves_begun + 1,
            temporary,
            path,
            format: Format::Rdb,
            version: settings.rdb_version.edition().version(),
            compress: settings.rdbcompression,
            checksum: settings.rdbchecksum,
            sync_often: settings.rdb_save_incremental_fsync,
        }
    }

    fn start(
        &mut self,
        keyspace: &mut Keyspace,
        settings: &Settings,
        author: Author<'_>,
        mut target: Target,
        purpose: Purpose,
        jobs: &mut Vec<Job>,
    ) {
        assert!(self.running.is_none(), "one save at a time");
        self.saves_begun = target.id;
        self.allowed_keys = 0;
        let now_ms = keyspace.now_ms();
        let with_access = matches!(
            settings.maxmemory_policy,
            MaxmemoryPolicy::AllkeysLru
                | MaxmemoryPolicy::VolatileLru
                | MaxmemoryPolicy::AllkeysLfu
                | MaxmemoryPolicy::VolatileLfu
        );
        let edition = settings.rdb_version.edition();
        keyspace.begin_snapshot(with_access, edition);
        match edition {
            _ if !keyspace.has_expiring_fields() => {}
            Edition::Current => target.version = VERSION_FIELD_EXPIRY,
            Edition::Redis70 => tracing::warn!(
                "Hashes have fields with deadlines, for which RDB version 10 has no place: other servers that load this file \
                 keep the fields for ever."
            ),
        }
        self.running = Some(Running {
            id: target.id,
            began_ms: now_ms,
            dirty: keyspace.dirty(),
            saved_before: self.saved_dirty,
            keys_total: keyspace
                .snapshot_progress()
                .map_or(0, |progress| progress.keys_total),
            is_walked: false,
            peak_bytes: 0,
            in_background: true,
            is_of_flush: false,
            purpose,
        });
        jobs.push(Job::Snapshot(SnapshotJob::Begin(target)));
        let is_base = purpose == Purpose::Base;
        let head = Part::Encoded(head(author, now_ms, is_base));
        jobs.push(Job::Snapshot(SnapshotJob::Write(head)));
    }

    /// The save that has just begun has nothing to lose: its changes count as saved already.
    pub fn count_as_saved(&mut self) {
        if let Some(running) = &mut self.running {
            self.saved_dirty = running.dirty;
            running.is_of_flush = true;
        }
    }

    /// Goes on with the walk while `keep_going` says so; what is there to be written. `waiting_bytes`: what waits for the
    /// writer.
    pub fn step(
        &mut self,
        keyspace: &mut Keyspace,
        waiting_bytes: usize,
        keep_going: impl FnMut() -> bool,
        jobs: &mut Vec<Job>,
    ) {
        let Some(running) = self.running.as_mut().filter(|running| !running.is_walked) else {
            return;
        };
        let complete = keyspace.snapshot_step(keep_going);
        let waiting = keyspace
            .snapshot_progress()
            .map_or(0, |progress| progress.bytes);
        running.peak_bytes = running.peak_bytes.max(waiting + waiting_bytes);
        let parts = if complete {
            keyspace.end_snapshot()
        } else {
            keyspace.take_snapshot_parts()
        };
        let write = |part| Job::Snapshot(SnapshotJob::Write(part));
        jobs.extend(parts.into_iter().map(write));
        if complete {
            running.is_walked = true;
            jobs.push(Job::Snapshot(SnapshotJob::Finish));
        }
    }

    /// Hands over what commands have given before they changed it, without going on with the walk.
    pub fn hand_over(
        &mut self,
        keyspace: &mut Keyspace,
        waiting_bytes: usize,
        jobs: &mut Vec<Job>,
    ) {
        let Some(running) = self.running.as_mut().filter(|running| !running.is_walked) else {
            return;
        };
        let waiting = keyspace
            .snapshot_progress()
            .map_or(0, |progress| progress.bytes);
        running.peak_bytes = running.peak_bytes.max(waiting + waiting_bytes);
        let write = |part| Job::Snapshot(SnapshotJob::Write(part));
        jobs.extend(keyspace.take_snapshot_parts().into_iter().map(write));
    }

    /// How many keys the walk may take until `now_ms` when each is to take `delay_us` microseconds, for tests that want a
    /// slow save; whether it may go on.
    pub fn may_take_more(&mut self, keyspace: &Keyspace, delay_us: i64, now_ms: i64) -> bool {
        let (Some(running), Ok(delay_us @ 1..)) = (&self.running, u64::try_from(delay_us)) else {
            return true;
        };
        let elapsed_us = now_ms.saturating_sub(running.began_ms).max(0) as u64 * 1000;
        let taken = keyspace
            .snapshot_progress()
            .map_or(0, |progress| progress.keys);
        self.allowed_keys = elapsed_us / delay_us;
        taken < self.allowed_keys
    }

    /// Ends the save that is under way at once; it counts neither as good nor as failed.
    pub fn abort(&mut self, keyspace: &mut Keyspace, jobs: &mut Vec<Job>) {
        if let Some(running) = self.running.take() {
            if running.purpose == Purpose::Snapshot {
                self.saved_dirty = running.saved_before;
            }
            keyspace.abandon_snapshot();
            jobs.push(Job::Snapshot(SnapshotJob::Abort));
        }
    }

    /// Takes a report of the writer; whether it ended the save.
    pub fn on_report(&mut self, keyspace: &mut Keyspace, report: &Report, now_ms: i64) -> bool {
        let (Report::SnapshotSaved { id, .. } | Report::SnapshotFailed { id, .. }) = report else {
            return false;
        };
        let Some(running) = self.running.take_if(|running| running.id == *id) else {
            return false;
        };
        self.last_peak_bytes = running.peak_bytes;
        if running.purpose != Purpose::Snapshot {
            if let Report::SnapshotFailed { reason, .. } = report {
                keyspace.abandon_snapshot();
                tracing::warn!("{reason}");
            }
            return true;
        }
        self.last_try_ms = now_ms;
        if running.in_background {
            self.last_took_s = Some((now_ms - running.began_ms).max(0) / 1000);
        }
        match report {
            Report::SnapshotFailed { reason, .. } => {
                self.saved_dirty = running.saved_before;
                keyspace.abandon_snapshot();
                tracing::warn!("{reason}");
                if running.in_background {
                    tracing::warn!("Background saving error");
                    self.last_ok = false;
                }
                self.last_error = Some(reason.clone());
            }
            _ => {
                self.saved_dirty = running.dirty;
                self.last_save_ms = now_ms;
                self.last_ok = true;
                self.last_error = None;
                tracing::info!("DB saved on disk");
                if running.in_background {
                    tracing::info!("Background saving terminated with success");
                }
            }
        }
        true
    }

    /// INFO persistence: the part of snapshots. `waiting_bytes`: what waits for the writer.
    pub fn info(&self, keyspace: &Keyspace, waiting_bytes: usize, info: &mut Info) {
        let running = self.running.as_ref();
        let is_saving = self.is_saving();
        let progress = running.and_then(|_| keyspace.snapshot_progress());
        let total = running.map_or(0, |running| running.keys_total);
        // Between the end of the walk and the writer's report all keys have been taken.
        let taken = progress.map_or(total, |progress| progress.keys.min(total));
        let waiting = running.map_or(0, |_| {
            waiting_bytes + progress.map_or(0, |progress| progress.bytes)
        });
        let peak = running.map_or(0, |running| running.peak_bytes.max(waiting));
        let percent = taken as f64 * 100.0 / total.max(1) as f64;
        let now_ms = keyspace.now_ms();
        let running_s = running
            .filter(|running| running.in_background && is_saving)
            .map_or(-1, |running| (now_ms - running.began_ms).max(0) / 1000);
        info.field("current_cow_peak", peak)
            .field("current_cow_size", waiting)
            .field("current_cow_size_age", 0)
            .field("current_fork_perc", format_args!("{percent:.2}"))
            .field("current_save_keys_processed", taken)
            .field("current_save_keys_total", total)
            .field("rdb_changes_since_last_save", self.changes(keyspace))
            .field("rdb_bgsave_in_progress", u8::from(running_s >= 0))
            .field("rdb_last_save_time", self.last_save_s())
            .field(
                "rdb_last_bgsave_status",
                if self.last_ok { "ok" } else { "err" },
            )
            .field("rdb_last_bgsave_time_sec", self.last_took_s.unwrap_or(-1))
            .field("rdb_current_bgsave_time_sec", running_s)
            .field("rdb_saves", self.saves)
            .field("rdb_last_cow_size", self.last_peak_bytes);
    }
}

/// What a file says of itself before its keys.
pub fn head(author: Author<'_>, now_ms: i64, is_base: bool) -> Encoder {
    let mut head = Encoder::default();
    let fields = [
        ("redis-ver", author.redis_version.to_owned()),
        ("redis-bits", usize::BITS.to_string()),
        ("ctime", (now_ms / 1000).to_string()),
        ("used-mem", author.used_bytes.to_string()),
        ("aof-base", u8::from(is_base).to_string()),
    ];
    for (name, value) in fields {
        head.byte(opcode::AUX);
        head.string(name.as_bytes());
        head.string(value.as_bytes());
    }
    for text in author.libraries {
        head.byte(opcode::FUNCTION);
        head.plain_string(text);
    }
    head
}
