//! Streams: entries of fields and values under growing ids, and groups of consumers that share them.
//!
//! `log` has the entries (`node`: the bytes of some hundred of them, `range`: going through them), `group` the consumer
//! groups, `trim` deletes from the beginning, `producers` recognises what was sent before. A stream stays when its last
//! entry is gone: the ids that it has used count on.

mod group;
mod id;
mod log;
mod node;
mod producers;
mod range;
mod trim;

pub use group::{Consumer, ConsumerId, Group, Groups, Pending};
pub use id::StreamId;
pub use log::Log;
pub use producers::Producers;
pub use range::{Entry, Range};
pub use trim::{Bound, References, Trim};

/// No listpack of a stream grows beyond this.
const NODE_MAX_BYTES: usize = 1 << 30;

/// When an entry goes into a new node.
#[derive(Clone, Copy, Debug)]
pub struct NodeLimits {
    max_bytes: usize,
    max_entries: usize,
}

impl NodeLimits {
    /// The limits that the configuration names; 0: none.
    pub fn new(max_bytes: u64, max_entries: u64) -> Self {
        let limit = |value: u64, max: usize| match usize::try_from(value) {
            Ok(0) | Err(_) => max,
            Ok(value) => value.min(max),
        };
        Self {
            max_bytes: limit(max_bytes, NODE_MAX_BYTES),
            max_entries: limit(max_entries, usize::MAX),
        }
    }
}

/// See the head of the file. Entries and groups are apart so that they can be borrowed apart.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The entries.
    pub log: Log,
    /// The groups by name.
    pub groups: Groups,
    /// Who adds what only once; `None`: nobody ever did.
    pub producers: Option<Box<Producers>>,
}

impl Stream {
    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let groups = self.groups.iter();
        let groups: usize = groups
            .map(|(name, group)| name.len() + size_of::<Group>() * 3 / 2 + group.heap_bytes())
            .sum();
        let producers = self.producers.as_ref();
        self.log.heap_bytes() + groups + producers.map_or(0, |producers| producers.heap_bytes())
    }

    /// Allocations that freeing it takes, roughly.
    pub fn free_effort(&self) -> usize {
        /// Elements of one node of a B-tree.
        const TREE_NODE_ELEMENTS: usize = 8;
        let groups = self.groups.values();
        let pending: usize = groups
            .map(|group| 1 + 2 * group.pending_len() / TREE_NODE_ELEMENTS)
            .sum();
        self.log.nodes() + pending
    }
}

#[cfg(test)]
mod tests;
