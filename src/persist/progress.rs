//! How far loading has come: for INFO, and for the loop, which looks at the clients every so many bytes.

use crate::observe::Info;

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    began_ms: i64,
    /// Bytes of all files.
    total_bytes: u64,
    /// Bytes of the files that have been read to their end.
    before_bytes: u64,
    loaded_bytes: u64,
    /// Bytes of memory that the writer of the snapshot used.
    writer_bytes: u64,
    /// Bytes loaded at which clients are looked at again.
    next_look_bytes: u64,
    /// Microseconds waited since the last look, because the settings want it.
    paused_us: u64,
}

/// After so long a wait clients are looked at too.
const PAUSE_MAX_US: u64 = 10_000;

impl Progress {
    /// Loading begins: of files with so many bytes in all. Clients are looked at every `interval_bytes`.
    pub fn new(now_ms: i64, total_bytes: u64, interval_bytes: u64) -> Self {
        Self {
            began_ms: now_ms,
            total_bytes,
            next_look_bytes: interval_bytes,
            ..Self::default()
        }
    }

    /// The file that is being read is read up to here.
    #[inline]
    pub fn come_to(&mut self, offset: u64) {
        self.loaded_bytes = self.before_bytes + offset;
    }

    /// The file that was being read ends here; the next one follows.
    pub fn end_file(&mut self, bytes: u64) {
        self.before_bytes += bytes;
        self.loaded_bytes = self.before_bytes;
    }

    /// What the snapshot says of its writer's memory.
    pub fn note_writer(&mut self, memory_bytes: Option<&str>) {
        let bytes = memory_bytes.and_then(|bytes| bytes.parse().ok());
        self.writer_bytes = bytes.unwrap_or(self.writer_bytes);
    }

    /// Whether it is time to look at the clients, which is done every `interval_bytes`.
    #[inline]
    pub fn must_look(&mut self, interval_bytes: u64) -> bool {
        if self.loaded_bytes < self.next_look_bytes && self.paused_us < PAUSE_MAX_US {
            return false;
        }
        self.paused_us = 0;
        self.next_look_bytes = self.loaded_bytes + interval_bytes;
        true
    }

    /// Loading has waited.
    pub fn note_pause(&mut self, us: u64) {
        self.paused_us += us;
    }

    /// INFO persistence.
    pub fn info(&self, now_ms: i64, info: &mut Info) {
        let (total, loaded) = (self.total_bytes, self.loaded_bytes);
        let percent = loaded as f64 * 100.0 / total.max(1) as f64;
        let elapsed_s = (now_ms - self.began_ms).max(0) as u64 / 1000;
        let left = u128::from(total.saturating_sub(loaded));
        let eta_s = match elapsed_s {
            // There is nothing to tell it from yet.
            0 => 1,
            elapsed_s => u128::from(elapsed_s) * left / (u128::from(loaded) + 1),
        };
        info.field("loading_start_time", self.began_ms.div_euclid(1000))
            .field("loading_total_bytes", total)
            .field("loading_rdb_used_mem", self.writer_bytes)
            .field("loading_loaded_bytes", loaded)
            .field("loading_loaded_perc", format_args!("{percent:.2}"))
            .field("loading_eta_seconds", eta_s);
    }
}
