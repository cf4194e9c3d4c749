//! Streams: entries of fields and values under growing ids, and groups of consumers that share them.
//!
//! `log` has the entries (`node`: the bytes of some hundred of them, `range`: going through them), `group` the consumer
//! groups, `trim` deletes from the beginning, `producers` recognises what was sent before. A stream stays when its last
//! entry is gone: the ids that it has used count on.

mod collection;
mod group;
mod id;
pub(in crate::types) mod load;
mod log;
mod node;
mod producers;
mod range;
mod shared;
mod trim;

pub use group::{Consumer, ConsumerId, Group, Groups, Pending};
pub use id::StreamId;
pub use log::Log;
pub use producers::Producers;
pub use range::{Entry, Range};
pub use trim::{Bound, References, Trim};

use super::Limits;

/// No listpack of a stream grows beyond this.
const NODE_MAX_BYTES: usize = 1 << 30;

/// When an entry goes into a new node.
#[derive(Clone, Copy, Debug)]
pub struct NodeLimits {
    max_bytes: usize,
    max_entries: usize,
}

impl From<&Limits> for NodeLimits {
    fn from(limits: &Limits) -> Self {
        let (bytes, entries) = (limits.stream_node_max_bytes, limits.stream_node_max_entries);
        Self::new(bytes, entries)
    }
}

impl NodeLimits {
    /// The limits that the configuration names; 0: none.
    pub fn new(max_bytes: usize, max_entries: usize) -> Self {
        let limit = |value: usize, max: usize| if value == 0 { max } else { value.min(max) };
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

#[cfg(test)]
mod tests;
