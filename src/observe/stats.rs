//! Counters of what the server has done, as INFO's stats, commandstats, errorstats and latencystats show them.

use super::Info;
use super::histogram::Histogram;
use std::collections::BTreeMap;

/// Different error codes that are counted apart; more are refused with [`ERRORS_FULL`].
const ERROR_CODES_MAX: usize = 128;
/// The code under which further ones are counted.
const ERRORS_FULL: &str = "ERRORSTATS_OVERFLOW";
/// Samples over which a rate is averaged.
const RATE_SAMPLES: usize = 16;

/// What is known of one command.
#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    /// Times it ran.
    pub calls: u64,
    /// Nanoseconds it ran.
    pub ns: u64,
    /// Times it was refused before it ran.
    pub rejected: u64,
    /// Times it ran and answered an error.
    pub failed: u64,
    /// How long it took, where `latency-tracking` is on.
    pub latency: Option<Histogram>,
}

impl CommandStats {
    /// The line of INFO commandstats; none for a command that nobody has sent.
    pub fn info(&self, name: &str, info: &mut Info) {
        if self.calls == 0 && self.rejected == 0 && self.failed == 0 {
            return;
        }
        let us = self.ns / 1000;
        let us_per_call = if self.calls == 0 {
            0.0
        } else {
            self.ns as f64 / 1000.0 / self.calls as f64
        };
        info.field(
            format_args!("cmdstat_{name}"),
            format_args!(
                "calls={},usec={us},usec_per_call={us_per_call:.2},rejected_calls={},failed_calls={}",
                self.calls, self.rejected, self.failed
            ),
        );
    }

    /// The line of INFO latencystats, in microseconds; none where nothing was measured.
    pub fn info_latency(&self, name: &str, percentiles: &[f64], info: &mut Info) {
        let Some(latency) = self.latency.as_ref().filter(|latency| latency.total() > 0) else {
            return;
        };
        let values: Vec<String> = percentiles
            .iter()
            .map(|percent| {
                let us = latency.percentile_ns(*percent) as f64 / 1000.0;
                format!("p{percent}={us:.3}")
            })
            .collect();
        info.field(
            format_args!("latency_percentiles_usec_{name}"),
            values.join(","),
        );
    }
}

/// A rate per second, averaged over the last samples.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    samples: [f64; RATE_SAMPLES],
    at: usize,
    last_total: u64,
}

impl Rate {
    /// Takes a sample: the counter's value after `elapsed_ms`.
    pub fn sample(&mut self, total: u64, elapsed_ms: u64) {
        if elapsed_ms > 0 {
            self.samples[self.at] =
                (total - self.last_total.min(total)) as f64 * 1000.0 / elapsed_ms as f64;
            self.at = (self.at + 1) % RATE_SAMPLES;
        }
        self.last_total = total;
    }

    /// The average per second.
    pub fn per_second(&self) -> f64 {
        self.samples.iter().sum::<f64>() / RATE_SAMPLES as f64
    }
}

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// By command number.
    pub by_command: Vec<CommandStats>,
    /// Commands that ran.
    pub commands: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Connections refused because of `maxclients`.
    pub rejected_connections: u64,
    /// Bytes received.
    pub net_input_bytes: u64,
    /// Bytes sent.
    pub net_output_bytes: u64,
    /// Reads from sockets.
    pub reads: u64,
    /// Writes to sockets.
    pub writes: u64,
    /// Error replies by code.
    pub errors: BTreeMap<String, u64>,
    /// Error replies.
    pub error_replies: u64,
    /// Clients closed because their unfinished command was too long.
    pub query_buffer_closes: u64,
    /// Clients closed because too much output waited for them.
    pub output_buffer_closes: u64,
    /// Clients closed because all together took too much memory.
    pub evicted_clients: u64,
    /// How long memory has been above `maxmemory`.
    pub eviction: EvictionTime,
    /// Failed AUTHs.
    pub auth_failures: u64,
    /// Most bytes in use at once, as far as seen.
    pub peak_memory_bytes: u64,
    /// When it was, Unix milliseconds.
    pub peak_memory_ms: i64,
    /// Bytes in use when it was asked for the first time: the first timed duties do, right after the start.
    pub startup_memory_bytes: u64,
    /// Turns of the event loop.
    pub loop_turns: u64,
    /// Nanoseconds of all turns, without waiting.
    pub loop_ns: u64,
    /// Nanoseconds of commands in all turns.
    pub loop_command_ns: u64,
    /// Nanoseconds of the longest turn.
    pub loop_max_ns: u64,
    /// Commands per second.
    pub commands_rate: Rate,
    /// Bytes received per second.
    pub input_rate: Rate,
    /// Bytes sent per second.
    pub output_rate: Rate,
}

/// How long more memory was used than `maxmemory` allows. Nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvictionTime {
    ended_ns: u64,
    since_ns: Option<u64>,
}

impl EvictionTime {
    /// It is above now.
    pub fn begin(&mut self, now_ns: u64) {
        self.since_ns.get_or_insert(now_ns);
    }

    /// It is not, or no more.
    #[inline]
    pub fn end(&mut self, now_ns: impl FnOnce() -> u64) {
        if let Some(since_ns) = self.since_ns.take() {
            self.ended_ns += now_ns().saturating_sub(since_ns);
        }
    }

    fn current_ns(&self, now_ns: u64) -> u64 {
        self.since_ns
            .map_or(0, |since| now_ns.saturating_sub(since))
    }

    /// INFO stats: milliseconds in all, and of this time.
    pub fn info(&self, now_ns: u64, info: &mut Info) {
        const MS: u64 = 1_000_000;
        let current = self.current_ns(now_ns);
        info.field(
            "total_eviction_exceeded_time",
            (self.ended_ns + current) / MS,
        )
        .field("current_eviction_exceeded_time", current / MS);
    }
}

impl Stats {
    /// Counters for a table of so many commands.
    pub fn new(commands: usize) -> Self {
        Self {
            by_command: vec![CommandStats::default(); commands],
            ..Self::default()
        }
    }

    /// Counts an error reply of this code.
    pub fn count_error(&mut self, code: &str) {
        self.error_replies += 1;
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
            return;
        }
        let code = if self.errors.len() < ERROR_CODES_MAX {
            code
        } else {
            ERRORS_FULL
        };
        *self.errors.entry(code.to_owned()).or_default() += 1;
    }

    /// CONFIG RESETSTAT.
    pub fn reset(&mut self) {
        *self = Self {
            peak_memory_bytes: self.peak_memory_bytes,
            peak_memory_ms: self.peak_memory_ms,
            startup_memory_bytes: self.startup_memory_bytes,
            ..Self::new(self.by_command.len())
        };
    }

    /// Notes how many bytes are in use, for the peak and for what the start took.
    pub fn note_memory(&mut self, used_bytes: u64, now_ms: i64) {
        if self.startup_memory_bytes == 0 {
            self.startup_memory_bytes = used_bytes;
        }
        if used_bytes > self.peak_memory_bytes {
            self.peak_memory_bytes = used_bytes;
            self.peak_memory_ms = now_ms;
        }
    }

    /// INFO stats: connections, commands and bytes.
    pub fn info_traffic(&self, info: &mut Info) {
        let kib = |rate: &Rate| format!("{:.2}", rate.per_second() / 1024.0);
        info.field("total_connections_received", self.connections)
            .field("total_commands_processed", self.commands)
            .field(
                "instantaneous_ops_per_sec",
                self.commands_rate.per_second().round(),
            )
            .field("total_net_input_bytes", self.net_input_bytes)
            .field("total_net_output_bytes", self.net_output_bytes)
            .zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"])
            .field("instantaneous_input_kbps", kib(&self.input_rate))
            .field("instantaneous_output_kbps", kib(&self.output_rate))
            .field("instantaneous_input_repl_kbps", "0.00")
            .field("instantaneous_output_repl_kbps", "0.00")
            .field("rejected_connections", self.rejected_connections);
    }

    /// INFO stats: errors, sockets and the event loop.
    pub fn info_work(&self, info: &mut Info) {
        let turn_us = self.loop_ns.checked_div(self.loop_turns).unwrap_or(0) / 1000;
        info.field("total_error_replies", self.error_replies)
            .zeros(&["dump_payload_sanitizations"])
            .field("total_reads_processed", self.reads)
            .field("total_writes_processed", self.writes)
            .zeros(&[
                "io_threaded_reads_processed",
                "io_threaded_writes_processed",
            ])
            .field(
                "client_query_buffer_limit_disconnections",
                self.query_buffer_closes,
            )
            .field(
                "client_output_buffer_limit_disconnections",
                self.output_buffer_closes,
            )
            .field("eventloop_cycles", self.loop_turns)
            .field("eventloop_duration_sum", self.loop_ns / 1000)
            .field("eventloop_duration_cmd_sum", self.loop_command_ns / 1000)
            .field("eventloop_duration_avg", turn_us)
            .field("eventloop_duration_max", self.loop_max_ns / 1000)
            .field("acl_access_denied_auth", self.auth_failures);
    }

    /// INFO errorstats.
    pub fn info_errors(&self, info: &mut Info) {
        for (code, count) in &self.errors {
            info.field(
                format_args!("errorstat_{code}"),
                format_args!("count={count}"),
            );
        }
    }

    /// Adds `calls` calls of a command that took `ns` nanoseconds in all.
    #[inline]
    pub fn count_calls(&mut self, command: u16, calls: u64, ns: u64, track_latency: bool) {
        let stats = &mut self.by_command[usize::from(command)];
        stats.calls += calls;
        stats.ns += ns;
        self.commands += calls;
        if track_latency {
            stats
                .latency
                .get_or_insert_default()
                .record(ns / calls.max(1), calls);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_beyond_the_bound_are_counted_together() {
        let mut stats = Stats::new(0);
        (0..500).for_each(|n| stats.count_error(&format!("CODE{n}")));
        assert_eq!(
            (stats.errors.len(), stats.error_replies),
            (ERROR_CODES_MAX + 1, 500)
        );
    }

    #[test]
    fn a_rate_is_the_average_of_its_samples() {
        let mut rate = Rate::default();
        (1..=16).for_each(|step| rate.sample(step * 10, 100));
        assert!((rate.per_second() - 100.0).abs() < 1e-9);
    }
}
