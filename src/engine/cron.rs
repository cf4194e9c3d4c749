//! Timed duties: each has its period and its bound. [`Engine::tick`] runs those that are due and says when to come again.

use super::Engine;
use super::saving::NextSlice;
use crate::command::host::Host;
use crate::ds::arena::wants_spare;
use crate::session::Closing;

/// Milliseconds between two rounds of the slow duties.
const PERIOD_MS: i64 = 100;
/// Nanoseconds that expiry may take in one turn, times `active-expire-effort`.
const EXPIRE_TURN_NS: u64 = 250_000;

/// When duties ran last.
#[derive(Debug, Default)]
pub(super) struct Cron {
    last_round_ms: i64,
    /// Nanoseconds of commands in all turns until the last slice of a save.
    pub(super) busy_ns: u64,
}

impl Engine {
    /// Does what is due; milliseconds until it wants to be called again at the latest.
    pub fn tick(&mut self, host: &mut dyn Host) -> u64 {
        self.refresh_time();
        let expired = self.expire_for_a_while(host);
        self.time_out_blocked(host);
        if self.server.pause.is_set() && self.server.pause.at(self.keyspace.now_ms()).is_none() {
            self.server.pause.stop();
        }
        self.end_pause();
        self.make_room(host);
        self.serve_ready(host);
        self.limit_client_memory();
        if wants_spare() {
            host.prepare_memory();
        }
        let now_ms = self.keyspace.now_ms();
        if now_ms - self.cron.last_round_ms >= PERIOD_MS || now_ms < self.cron.last_round_ms {
            let elapsed_ms = now_ms.saturating_sub(self.cron.last_round_ms);
            self.cron.last_round_ms = now_ms;
            if !self.server.debug.pause_cron {
                self.round(elapsed_ms.max(0) as u64, host);
            }
        }
        let slice = self.save_for_a_while(host);
        let goes_on = self.evicting && !self.server.pause.is_set();
        if !expired || goes_on || self.keyspace.waiters.has_ready() {
            return 0;
        }
        match slice {
            NextSlice::In(ms) => self.wait_ms().min(ms),
            NextSlice::Later => self.wait_ms(),
        }
    }

    fn wait_ms(&self) -> u64 {
        let now_ms = self.keyspace.now_ms();
        let expiry = self
            .keyspace
            .next_deadline_ms()
            .filter(|_| self.expires_actively())
            .map(|deadline_ms| deadline_ms.saturating_add(1));
        let blocked = self.timeouts.first().map(|(deadline_ms, _)| *deadline_ms);
        let pause = self.server.pause.end_ms();
        let round = Some(self.cron.last_round_ms + PERIOD_MS);
        let next = [expiry, blocked, pause, round]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now_ms);
        next.saturating_sub(now_ms).max(0) as u64
    }

    /// Whether keys that are due go by themselves. None does during CLIENT PAUSE (the data set stands still), nor after
    /// DEBUG PAUSE-CRON.
    fn expires_actively(&self) -> bool {
        !self.server.pause.is_set() && !self.server.debug.pause_cron
    }

    /// Whether all keys that are due, and may go, are gone.
    fn expire_for_a_while(&mut self, host: &mut dyn Host) -> bool {
        if !self.expires_actively() {
            return true;
        }
        if self
            .keyspace
            .next_deadline_ms()
            .is_none_or(|deadline_ms| deadline_ms >= self.keyspace.now_ms())
        {
            return true;
        }
        let clock = &self.server.clock;
        let effort = u64::from(self.server.config.settings.active_expire_effort);
        let end = clock.monotonic_ns() + EXPIRE_TURN_NS * effort;
        let done = self.keyspace.expire_due(|| clock.monotonic_ns() < end);
        self.tell_deletions(host);
        done
    }

    /// Tells what expiry and eviction have deleted, and has it freed.
    pub(super) fn tell_deletions(&mut self, host: &mut dyn Host) {
        if self.keyspace.has_news() || self.keyspace.has_garbage() {
            self.tell_news(None);
            self.carry_out();
            self.keyspace
                .take_garbage()
                .into_iter()
                .for_each(|garbage| host.free(garbage));
        }
    }

    /// The slow duties.
    fn round(&mut self, elapsed_ms: u64, host: &mut dyn Host) {
        self.server.clock.synchronize();
        let stats = &mut self.server.stats;
        stats.commands_rate.sample(stats.commands, elapsed_ms);
        stats.input_rate.sample(stats.net_input_bytes, elapsed_ms);
        stats.output_rate.sample(stats.net_output_bytes, elapsed_ms);
        let used = host.allocated_bytes() + self.keyspace.arena_bytes() as u64;
        stats.note_memory(used, self.keyspace.now_ms());
        self.keyspace.set_log_deletions(self.stream.has_readers());
        self.close_idle_clients();
        self.save_if_due(host);
        self.tend_backup(host);
        self.tend_log(host);
        self.close_slow_clients();
    }

    fn close_idle_clients(&mut self) {
        let timeout_ms = self.server.config.settings.timeout_s.saturating_mul(1000);
        if timeout_ms == 0 {
            return;
        }
        let now_ms = self.keyspace.now_ms();
        let is_idle = |idle_ms: i64| idle_ms >= 0 && idle_ms as u64 > timeout_ms;
        let clients = &mut self.server.clients;
        let idle: Vec<usize> = clients
            .iter()
            .filter(|session| !session.is_waiting() && is_idle(now_ms - session.active_ms))
            .map(|session| session.slot)
            .collect();
        for slot in idle {
            clients.close(slot, Closing::Now);
        }
    }
}
