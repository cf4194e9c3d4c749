//! Making room: keys are evicted before a command that wants memory, and between turns, until less than `maxmemory` is used.
//!
//! A round has a bound of time (`maxmemory-eviction-tenacity`). What is left then is done in the next turns, and meanwhile
//! writes pass, as they do while values that were evicted are being freed on the helper thread. Only where there is nothing
//! (more) to evict are they refused. What a round has to free is known when it begins: what those are told whose keys went
//! takes memory too until it is sent, and must not cost further keys. Nothing is evicted while CLIENT PAUSE keeps the data set as it is.

use super::serve::spoil;
use super::{Engine, Turn, gates};
use crate::command::host::Host;

/// Keys that are evicted between two looks at the clock.
const KEYS_BETWEEN_LOOKS: usize = 16;
/// Nanoseconds of a round for each step of tenacity up to [`TENACITY_LINEAR_MAX`].
const STEP_NS: u64 = 50_000;
/// Until here effort grows evenly, from here on by 15 % a step.
const TENACITY_LINEAR_MAX: u32 = 10;
/// From here on the time is not bounded.
const TENACITY_MAX: u32 = 100;

/// Nanoseconds that a round may take; `None`: any.
fn round_ns(tenacity: u32) -> Option<u64> {
    match tenacity {
        ..=TENACITY_LINEAR_MAX => Some(STEP_NS * u64::from(tenacity)),
        TENACITY_MAX.. => None,
        _ => {
            let most_even = (STEP_NS * u64::from(TENACITY_LINEAR_MAX)) as f64;
            let steps = f64::from(tenacity - TENACITY_LINEAR_MAX);
            Some((most_even * 1.15f64.powf(steps)) as u64)
        }
    }
}

impl Engine {
    /// Before a command of a client: a round, and what it means to those who watch.
    pub(super) fn make_room_for(&mut self, turn: &mut Turn<'_>) {
        self.make_room(turn.host);
        if self.keyspace.waiters.has_ready() {
            // The client itself is lent: its own transaction may have watched what went.
            if self.keyspace.waiters.take_spoilt(turn.session.id) {
                spoil(&mut turn.session);
            }
            self.spoil_watchers();
        }
    }

    /// Evicts keys for one round if memory is full.
    pub(super) fn make_room(&mut self, host: &mut dyn Host) {
        (self.evicting, self.memory_is_short) = (false, false);
        let excess_bytes = gates::excess_bytes(self, host);
        if excess_bytes == 0 {
            let (stats, clock) = (&mut self.server.stats, &self.server.clock);
            return stats.eviction.end(|| clock.monotonic_ns());
        }
        let settings = &self.server.config.settings;
        let (policy, samples) = (settings.maxmemory_policy, settings.maxmemory_samples);
        let limit_ns = round_ns(settings.maxmemory_eviction_tenacity);
        let began_ns = self.server.clock.monotonic_ns();
        self.server.stats.eviction.begin(began_ns);
        // Commands run on while a script is busy or data is loaded: that memory is not theirs to answer for.
        let waits = self.server.pause.is_set()
            || self.server.scripts.running.is_some()
            || self.server.loading.is_some();
        let (mut evicted, mut freed_bytes) = (0, 0);
        self.evicting = waits || host.pending_frees() > 0;
        while !self.evicting && freed_bytes < excess_bytes {
            let allocated = || host.allocated_bytes();
            let Some(bytes) = self.keyspace.evict(policy, samples, &allocated) else {
                self.memory_is_short = true;
                break;
            };
            freed_bytes += bytes;
            evicted += 1;
            self.evicting = self.keyspace.has_garbage();
            if evicted % KEYS_BETWEEN_LOOKS == 0
                && let Some(limit_ns) = limit_ns
            {
                let took_ns = self.server.clock.monotonic_ns().saturating_sub(began_ns);
                self.evicting |= took_ns > limit_ns;
            }
        }
        if evicted > 0 {
            self.tell_deletions(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_round_grows_with_tenacity() {
        assert_eq!(round_ns(0), Some(0));
        assert_eq!(round_ns(10), Some(500_000));
        assert_eq!(round_ns(11), Some(575_000));
        assert_eq!(round_ns(100), None);
    }
}
