//! Snapshots from the loop's side: when save points are due, a slice of the walk each turn, and what the writer reports.

use super::Engine;
use crate::command::host::Host;
use crate::command::saving::{Ending, begin_save, end};
use crate::config::settings::ShutdownOn;
use crate::persist::QUEUE_MAX_BYTES;
use crate::persist::load::Summary;

/// Nanoseconds of the walk in one turn, at the most: a client that comes meanwhile waits so long.
const SLICE_MAX_NS: u64 = 500_000;
/// And at the least, so that a save comes to its end under any load.
const SLICE_MIN_NS: u64 = 50_000;

/// When the next slice of a walk is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextSlice {
    /// There is nothing to be walked, or no room for it: a report will come.
    Later,
    /// After so many milliseconds.
    In(u64),
}

impl Engine {
    /// A slice of the walk, if a save is under way. A busy loop gives it as much time as its commands took.
    pub(super) fn save_for_a_while(&mut self, host: &mut dyn Host) -> NextSlice {
        if !self.keyspace.has_snapshot() {
            return NextSlice::Later;
        }
        let (stats, clock) = (&self.server.stats, &self.server.clock);
        let busy_ns = stats.loop_command_ns.saturating_sub(self.cron.busy_ns);
        self.cron.busy_ns = stats.loop_command_ns;
        let slice_ns = match busy_ns {
            0 => SLICE_MAX_NS,
            busy_ns => busy_ns.clamp(SLICE_MIN_NS, SLICE_MAX_NS),
        };
        let end_ns = clock.monotonic_ns() + slice_ns;
        if !self.server.saver.is_walking() {
            // An abandoned one: there is nothing to be written, but it must come to its end.
            let done = self
                .keyspace
                .snapshot_step(|| clock.monotonic_ns() < end_ns);
            self.free_garbage(host);
            return if done {
                NextSlice::Later
            } else {
                NextSlice::In(0)
            };
        }
        let waiting = host.disk_queue_bytes();
        let saver = &mut self.server.saver;
        let mut jobs = Vec::new();
        let next = if waiting > QUEUE_MAX_BYTES {
            saver.hand_over(&mut self.keyspace, waiting, &mut jobs);
            NextSlice::Later
        } else {
            let delay_us = self.server.config.settings.rdb_key_save_delay;
            let now_ms = self.keyspace.now_ms();
            if delay_us > 0 {
                if saver.may_take_more(&self.keyspace, delay_us, now_ms) {
                    saver.step(&mut self.keyspace, waiting, || false, &mut jobs);
                }
                NextSlice::In(1)
            } else {
                let keep_going = || clock.monotonic_ns() < end_ns;
                saver.step(&mut self.keyspace, waiting, keep_going, &mut jobs);
                NextSlice::In(0)
            }
        };
        jobs.into_iter().for_each(|job| host.disk(job));
        self.free_garbage(host);
        next
    }

    pub(super) fn free_garbage(&mut self, host: &mut dyn Host) {
        if self.keyspace.has_garbage() {
            let garbage = self.keyspace.take_garbage();
            garbage.into_iter().for_each(|garbage| host.free(garbage));
        }
    }

    /// Begins a save if one is due.
    pub(super) fn save_if_due(&mut self, host: &mut dyn Host) {
        let server = &mut self.server;
        if server.saver.is_running() {
            return;
        }
        let (settings, now_ms) = (&server.config.settings, self.keyspace.now_ms());
        let due = server.saver.due(&self.keyspace, settings, now_ms);
        if let Some(point) = due {
            tracing::info!(
                "{} changes in {} seconds. Saving...",
                point.changes,
                point.seconds
            );
        }
        let retry = server.saver.must_retry(settings, now_ms);
        if due.is_some() || retry || server.saver.is_scheduled {
            server.saver.count_save();
            begin_save(server, &mut self.keyspace, host, true);
        }
    }

    /// The keyspace has been loaded from disk.
    pub fn note_loaded(&mut self, summary: &Summary) {
        self.server.last_load = summary.clone();
        let now_ms = self.keyspace.now_ms();
        self.server.saver.mark_saved(&self.keyspace, now_ms);
    }

    /// The process was asked to end by a signal for which these are the settings; whether it ends.
    pub fn end(&mut self, how: ShutdownOn, host: &mut dyn Host) -> bool {
        self.refresh_time();
        let ending = Ending {
            save: how.save,
            nosave: how.nosave,
            force: how.force,
        };
        end(&mut self.server, &mut self.keyspace, host, ending)
    }
}
