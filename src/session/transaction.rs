//! The state of MULTI and WATCH.

use crate::resp::request::StoredArgv;

/// Bytes that the queue of one transaction may take; more spoils it.
pub const QUEUE_MAX_BYTES: usize = 1 << 30;

/// What a client has queued, and whether it still counts.
#[derive(Debug, Default)]
pub struct Transaction {
    /// The queued commands.
    pub queue: Vec<StoredArgv>,
    /// Bytes of the queue.
    pub queue_bytes: usize,
    /// A command could not be queued: EXEC must fail with EXECABORT.
    pub refused: bool,
    /// A watched key was changed: EXEC answers null.
    pub spoilt: bool,
    /// A command that may write is in the queue.
    pub writes: bool,
    /// A command that is refused when memory is full is in the queue.
    pub uses_memory: bool,
    /// Bytes of the watched keys, and of watching them.
    pub watched_bytes: usize,
}

/// Bytes that watching a key takes besides its name.
const WATCH_BYTES: usize = 64;

impl Transaction {
    /// Adds a command to the queue.
    pub fn push(&mut self, argv: StoredArgv) {
        self.queue_bytes += argv.heap_bytes();
        self.queue.push(argv);
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        size_of::<Transaction>() + self.queue_bytes + self.watched_bytes
    }

    /// Notes that one more key is watched.
    pub fn note_watched(&mut self, name: &[u8]) {
        self.watched_bytes += name.len() + WATCH_BYTES;
    }
}
