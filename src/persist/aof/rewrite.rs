//! Rewriting: when it begins, what it leaves behind, and what is done when it fails.
//!
//! ```text
//! before   base 1, increment 1
//! begun    base 1, increment 1, increment 2          increment 2 is where changes go from the walk's moment on
//! done     base 2, increment 2                       base 2 is the walk's file; the others are history, and removed
//! ```
//! A server whose append-only file is just being turned on has none of the old files: its first increment has a temporary
//! name, so that no manifest speaks of it, until the base is there.

use super::manifest::Listed;
use super::{Aof, AofJob, Publication, State, Wish};
use crate::config::settings::Settings;
use crate::observe::Info;
use std::path::PathBuf;

/// The temporary files of bases are called `temp-rewriteaof-bg-<process id>.aof`.
pub const BASE_DRAFT_PREFIX: &str = "temp-rewriteaof-bg-";
/// After so many failures in a row, rewrites that nobody asked for wait longer and longer.
const FAILURES_BEFORE_DELAY: u64 = 3;
/// The longest they wait.
const DELAY_MAX_MINUTES: u64 = 60;
const MINUTE_MS: i64 = 60_000;
/// A rewrite that has to succeed and has failed is tried again after so long.
const RETRY_MS: i64 = 1000;

/// A rewrite that is under way.
#[derive(Debug)]
struct Running {
    began_ms: i64,
    base: Listed,
    /// The first increment that the base does not contain.
    increment: Listed,
    /// The increment has a temporary name.
    is_first: bool,
    /// No increment is written: the append-only file is off.
    base_only: bool,
    increment_is_open: bool,
    /// Bytes of the base, when it is in its place.
    base_bytes: Option<u64>,
    is_published: bool,
    increment_bytes: u64,
}

/// The increment that is being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// The manifest on disk names it as soon as it is there.
    Listed,
    /// It has a temporary name.
    Temporary,
}

/// What a rewrite needs of the engine.
pub struct Begin {
    /// For the thread of the append-only file.
    pub job: Option<AofJob>,
    /// Where the base belongs.
    pub base: PathBuf,
}

#[derive(Debug)]
pub(super) struct Rewrites {
    running: Option<Running>,
    /// It is opened to the end whatever becomes of the rewrite.
    opening: Option<Opening>,
    /// One is to begin as soon as it can, but not before this time.
    pub(super) is_scheduled: bool,
    scheduled_from_ms: i64,
    count: u64,
    last_ok: bool,
    last_took_s: Option<i64>,
    failures: u64,
    /// None that nobody asked for begins before this time.
    not_before_ms: i64,
    pub(super) last_peak_bytes: usize,
}

impl Default for Rewrites {
    fn default() -> Self {
        Self {
            running: None,
            opening: None,
            is_scheduled: false,
            scheduled_from_ms: 0,
            count: 0,
            last_ok: true,
            last_took_s: None,
            failures: 0,
            not_before_ms: 0,
            last_peak_bytes: 0,
        }
    }
}

impl Rewrites {
    pub(super) fn count_bytes(&mut self, bytes: u64) {
        if let Some(running) = &mut self.running {
            running.increment_bytes += bytes;
        }
    }

    /// The append-only file is turned off.
    pub(super) fn forget(&mut self) {
        self.running = None;
        self.is_scheduled = false;
    }

    fn end(&mut self, is_good: bool, now_ms: i64) -> Option<Running> {
        let running = self.running.take()?;
        self.last_ok = is_good;
        self.last_took_s = Some((now_ms - running.began_ms).max(0) / 1000);
        if is_good {
            self.failures = 0;
            return Some(running);
        }
        self.failures += 1;
        if self.failures >= FAILURES_BEFORE_DELAY {
            let doublings = (self.failures - FAILURES_BEFORE_DELAY).min(6);
            let minutes = (1 << doublings).min(DELAY_MAX_MINUTES);
            self.not_before_ms = now_ms + minutes as i64 * MINUTE_MS;
            tracing::warn!(
                "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {minutes} minutes"
            );
        }
        Some(running)
    }

    pub(super) fn info(&self, is_rewriting: bool, now_ms: i64, info: &mut Info) {
        let running_s = self
            .running
            .as_ref()
            .map_or(-1, |running| (now_ms - running.began_ms).max(0) / 1000);
        info.field("aof_rewrite_in_progress", u8::from(is_rewriting))
            .field("aof_rewrite_scheduled", u8::from(self.is_scheduled))
            .field("aof_last_rewrite_time_sec", self.last_took_s.unwrap_or(-1))
            .field("aof_current_rewrite_time_sec", running_s)
            .field(
                "aof_last_bgrewrite_status",
                if self.last_ok { "ok" } else { "err" },
            )
            .field("aof_rewrites", self.count)
            .field("aof_rewrites_consecutive_failures", self.failures);
    }
}

impl Aof {
    /// Whether a rewrite is under way, or begins at the end of the turn.
    pub fn is_rewriting(&self) -> bool {
        self.rewrites.running.is_some() || matches!(self.wish, Some(Wish::Rewrite | Wish::Start))
    }

    /// Whether an increment is being opened: until that is reported, nobody knows what the manifest on disk says.
    pub fn is_opening(&self) -> bool {
        self.rewrites.opening.is_some()
    }

    /// Whether the files of a rewrite are there, and are about to count.
    pub fn is_publishing(&self) -> bool {
        let running = self.rewrites.running.as_ref();
        running.is_some_and(|running| running.is_published)
    }

    /// A rewrite is to begin as soon as nothing else is being saved.
    pub fn schedule_rewrite(&mut self) {
        self.rewrites.is_scheduled = true;
        self.rewrites.scheduled_from_ms = 0;
    }

    /// Whether a rewrite is to begin now: one was put off, or the file has grown by as much as the settings say.
    pub fn must_rewrite(&mut self, settings: &Settings, now_ms: i64) -> bool {
        if self.rewrites.running.is_some() || self.is_opening() {
            return false;
        }
        if self.rewrites.is_scheduled {
            return now_ms >= self.rewrites.scheduled_from_ms;
        }
        let percent = settings.auto_aof_rewrite_percentage;
        if !self.is_on() || percent == 0 || self.bytes <= settings.auto_aof_rewrite_min_size {
            return false;
        }
        let before = self.bytes_at_base.max(1);
        let growth = (u128::from(self.bytes) * 100 / u128::from(before)).saturating_sub(100);
        if growth < u128::from(percent) || now_ms < self.rewrites.not_before_ms {
            return false;
        }
        tracing::info!("Starting automatic rewriting of AOF on {growth}% growth");
        true
    }

    /// The append-only file is turned on: with the next rewrite it begins to exist.
    pub fn start(&mut self, names: super::Names) {
        self.state = State::Starting;
        self.names = names;
    }

    /// Begins a rewrite: of the data as it is now, and with what comes behind offset `end` of the stream. No increment may
    /// be on its way.
    pub fn begin_rewrite(&mut self, settings: &Settings, end: u64, now_ms: i64) -> Begin {
        assert!(!self.is_opening(), "one increment at a time");
        self.rewrites.is_scheduled = false;
        self.rewrites.count += 1;
        // Every increment says of its own when it begins: those before it will be gone.
        self.stamped_s = 0;
        if self.state == State::Off {
            self.names = super::Names::of(settings);
        }
        let as_rdb = settings.aof_use_rdb_preamble;
        let base = self.manifest.next_base(&self.names.file, as_rdb);
        let path = self.names.path(&base.name);
        let mut grown = self.manifest.clone();
        let increment = grown.add_increment(&self.names.file);
        let job = match self.state {
            State::Off => None,
            State::Starting => {
                (self.handed, self.acknowledged, self.durable) = (end, end, end);
                // What an attempt before this one had under way was given up with it.
                (self.is_appending, self.failing) = (false, None);
                Some(AofJob::OpenIncrement {
                    path: self.names.first_increment(),
                    manifest: None,
                })
            }
            State::On => Some(AofJob::OpenIncrement {
                path: self.names.path(&increment.name),
                manifest: Some((self.names.manifest(), grown.text())),
            }),
        };
        self.rewrites.opening = match self.state {
            State::Off => None,
            State::Starting => Some(Opening::Temporary),
            State::On => Some(Opening::Listed),
        };
        if job.is_some() {
            tracing::info!(
                "Creating AOF incr file {} on background rewrite",
                increment.name
            );
        }
        self.rewrites.running = Some(Running {
            began_ms: now_ms,
            base,
            increment,
            is_first: self.state == State::Starting,
            base_only: self.state == State::Off,
            increment_is_open: self.state == State::Off,
            base_bytes: None,
            is_published: false,
            increment_bytes: 0,
        });
        tracing::info!("Background append only file rewriting started");
        Begin { job, base: path }
    }

    /// The increment of a rewrite is there; or it cannot be (`error`), and the rewrite must end: then the answer is `false`.
    pub fn on_opened(&mut self, error: Option<&str>) -> bool {
        let opening = self.rewrites.opening.take();
        if error.is_none() && opening == Some(Opening::Listed) {
            // It is in the manifest, and in use, whatever becomes of the base, and if the rewrite has failed already.
            self.manifest.add_increment(&self.names.file);
        }
        let Some(running) = &mut self.rewrites.running else {
            if let (Some(reason), None) = (error, opening) {
                self.fail(reason);
            }
            return true;
        };
        if let Some(reason) = error {
            tracing::warn!("The AOF increment {}: {reason}", running.increment.name);
            return false;
        }
        running.increment_is_open = true;
        true
    }

    /// The base is in its place.
    pub fn on_base(&mut self, bytes: u64, peak_bytes: usize) {
        self.rewrites.last_peak_bytes = peak_bytes;
        if let Some(running) = &mut self.rewrites.running {
            running.base_bytes = Some(bytes);
        }
    }

    /// What makes the new files count, as soon as all of them are there.
    pub fn publish(&mut self, settings: &Settings) -> Option<AofJob> {
        let running = self.rewrites.running.as_mut()?;
        let is_ready = running.increment_is_open && running.base_bytes.is_some();
        if !is_ready || std::mem::replace(&mut running.is_published, true) {
            return None;
        }
        tracing::info!("Background AOF rewrite terminated with success");
        let mut next = self.manifest.clone();
        let first = match running.base_only {
            true => u64::MAX,
            false => running.increment.seq,
        };
        if running.is_first {
            next.add_increment(&self.names.file);
        }
        next.rebase(running.base.clone(), first);
        let text = next.text();
        let removed = if settings.aof_disable_auto_gc {
            Vec::new()
        } else {
            std::mem::take(&mut next.history)
        };
        let path = |listed: &Listed| self.names.path(&listed.name);
        Some(AofJob::Publish(Publication {
            rename: running
                .is_first
                .then(|| (self.names.first_increment(), path(&running.increment))),
            manifest: self.names.manifest(),
            text,
            remove: removed.iter().map(path).collect(),
            text_after: next.text(),
            on_failure_remove: Some(path(&running.base)),
        }))
    }

    /// The rewrite is over: its files count, or (`error`) those of before do.
    pub fn on_published(&mut self, error: Option<&str>, settings: &Settings, now_ms: i64) {
        if let Some(reason) = error {
            tracing::warn!("The AOF manifest could not be put in place: {reason}");
            return self.fail_rewrite(now_ms);
        }
        let Some(running) = self.rewrites.end(true, now_ms) else {
            return;
        };
        if running.is_first {
            self.manifest.add_increment(&self.names.file);
        }
        let first = match running.base_only {
            true => u64::MAX,
            false => running.increment.seq,
        };
        // It may have been turned on meanwhile: a base without an increment does not begin it.
        let begins = self.state == State::Starting && !running.base_only;
        self.manifest.rebase(running.base, first);
        if !settings.aof_disable_auto_gc {
            self.manifest.history.clear();
        }
        self.bytes = running.base_bytes.unwrap_or(0) + running.increment_bytes;
        self.bytes_at_base = self.bytes;
        self.must_renew = false;
        if begins {
            self.state = State::On;
            // Whoever has waited for the disk waits for what is in the base.
            self.has_news = true;
        }
        tracing::info!("Background AOF rewrite finished successfully");
    }

    /// The rewrite has failed: the files of before count. One that has to succeed is tried again.
    pub fn fail_rewrite(&mut self, now_ms: i64) {
        tracing::warn!("Background AOF rewrite terminated with error");
        self.rewrites.end(false, now_ms);
        if self.state == State::Starting || self.must_renew {
            self.rewrites.is_scheduled = true;
            self.rewrites.scheduled_from_ms = now_ms + RETRY_MS;
        }
    }
}
