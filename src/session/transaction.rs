//! The state of MULTI and WATCH.
//!
//! Queued commands lie in batches like those that the parser makes, and EXEC runs these in the same way. What they take
//! counts against `client-query-buffer-limit`, since they are requests that have yet to run.

use crate::resp::request::{Argv, BATCH_COMMANDS_MAX, Batch};

/// A batch that has grown to this takes no more commands, so that growing never moves much.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// What a client has queued, and whether it still counts.
#[derive(Debug, Default)]
pub struct Transaction {
    batches: Vec<Batch>,
    commands: usize,
    queue_bytes: usize,
    /// Bytes of the last batch.
    batch_bytes: usize,
    /// A command could not be queued: EXEC must fail with EXECABORT.
    pub refused: bool,
    /// A watched key was changed: EXEC answers null.
    pub spoilt: bool,
    /// A command that may write is in the queue.
    pub writes: bool,
    /// A command that is refused when memory is full is in the queue.
    pub uses_memory: bool,
    /// A command that does not run while the data is being loaded is in the queue.
    pub needs_data: bool,
    /// Bytes of the watched keys, and of watching them.
    pub watched_bytes: usize,
}

/// Bytes that watching a key takes besides its name.
const WATCH_BYTES: usize = 64;

impl Transaction {
    /// Adds a command to the queue; `spare` gives a batch when the queue needs one.
    pub fn push(&mut self, argv: Argv<'_>, spare: impl FnOnce() -> Batch) {
        let has_room = |batch: &&mut Batch| {
            batch.len() < BATCH_COMMANDS_MAX && self.batch_bytes < BATCH_BYTES_MAX
        };
        if self.batches.last_mut().filter(has_room).is_none() {
            self.batches.push(spare());
            self.batch_bytes = 0;
        }
        if let Some(batch) = self.batches.last_mut() {
            let bytes = batch.copy_in(argv);
            self.batch_bytes += bytes;
            self.queue_bytes += bytes;
            self.commands += 1;
        }
    }

    /// Queued commands.
    pub fn len(&self) -> usize {
        self.commands
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.commands == 0
    }

    /// Bytes of the queue.
    pub fn queue_bytes(&self) -> usize {
        self.queue_bytes
    }

    /// The queued commands, in order.
    pub fn into_batches(self) -> Vec<Batch> {
        self.batches
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
