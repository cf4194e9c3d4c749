//! How the memory in use divides: for INFO and for MEMORY.

use super::ctx::Ctx;
use super::host::Usage;

/// How the memory in use divides, in bytes.
pub struct MemoryFigures {
    /// What the process has used.
    pub usage: Usage,
    /// In use: the allocator's and what keys and tables take beside it.
    pub used_bytes: u64,
    /// The most that was in use.
    pub peak_bytes: u64,
    /// In use right after the start.
    pub startup_bytes: u64,
    /// Buffers and queues of clients.
    pub clients_bytes: u64,
    /// Tables of keys and deadlines.
    pub tables_bytes: u64,
    /// What is not data.
    pub overhead_bytes: u64,
}

impl MemoryFigures {
    /// As it is now.
    pub fn of(ctx: &mut Ctx<'_>) -> Self {
        let usage = ctx.host.usage();
        let keyspace = ctx.db.keyspace();
        let used_bytes = usage.allocated_bytes + keyspace.arena_bytes() as u64;
        let (tables_bytes, now_ms) = (keyspace.overhead_bytes() as u64, keyspace.now_ms());
        let server = &mut *ctx.server;
        server.stats.note_memory(used_bytes, now_ms);
        let clients_bytes = (server.clients.memory_bytes() + ctx.client.memory_bytes()) as u64;
        let startup_bytes = server.stats.startup_memory_bytes;
        Self {
            usage,
            used_bytes,
            peak_bytes: server.stats.peak_memory_bytes,
            startup_bytes,
            clients_bytes,
            tables_bytes,
            overhead_bytes: (startup_bytes + tables_bytes + clients_bytes).min(used_bytes),
        }
    }

    /// Bytes of data.
    pub fn dataset_bytes(&self) -> u64 {
        self.used_bytes - self.overhead_bytes
    }

    /// Its share of what came after the start.
    pub fn dataset_percent(&self) -> f64 {
        let grown = self.used_bytes.saturating_sub(self.startup_bytes).max(1);
        (self.dataset_bytes() as f64 * 100.0 / grown as f64).min(100.0)
    }

    /// Resident bytes for each byte in use.
    pub fn fragmentation(&self) -> f64 {
        self.usage.resident_bytes as f64 / self.used_bytes.max(1) as f64
    }
}
