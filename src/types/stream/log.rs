//! The entries of a stream, in the order of their ids, and what is known of those that are gone.
//!
//! Nodes stand in a ring by the id of their first entry: adding at the end and dropping at the front take constant time,
//! an id is found by bisection. A node that an XDEL empties in the middle moves its neighbours.

use super::NodeLimits;
use super::id::StreamId;
use super::node::Node;
use super::range::{Range, node_of};
use crate::ds::listpack::Listpack;
use std::collections::VecDeque;
use std::sync::Arc;

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub(super) nodes: VecDeque<Node>,
    pub(super) len: u64,
    /// The id of the first entry; zero if there is none.
    pub(super) first_id: StreamId,
    /// The largest id that was ever used, or was set.
    pub last_id: StreamId,
    /// The largest id of a single entry that was deleted.
    pub max_deleted_id: StreamId,
    /// Entries that were ever added.
    pub entries_added: u64,
}

impl Log {
    /// Entries.
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no entries.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The id of the first entry; zero if there is none.
    #[inline]
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// Nodes.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The id of each node's first entry (deleted or not) and its listpack, as RDB files have them.
    pub fn packs(&self) -> impl Iterator<Item = (StreamId, &[u8])> {
        self.nodes
            .iter()
            .map(|node| (node.first, node.pack.pack().bytes()))
    }

    /// All nodes as they are now, each with the id of its first entry, without a copy of their content.
    pub fn share(&mut self) -> Vec<(StreamId, Arc<Listpack>)> {
        let nodes = self.nodes.iter_mut();
        nodes.map(|node| (node.first, node.pack.share())).collect()
    }

    /// Adds an entry with these fields and values, in turn. Its id is larger than [`Self::last_id`], which it becomes.
    pub fn append<'w>(
        &mut self,
        id: StreamId,
        words: impl Iterator<Item = &'w [u8]> + Clone,
        limits: &NodeLimits,
    ) {
        let bytes = words.clone().map(<[u8]>::len).sum();
        match self.nodes.back_mut() {
            Some(node) if !node.is_full(bytes, limits) => node.append(id, words, bytes),
            full => {
                // The next node will be about as long as this one, most likely.
                let room = full.map_or(0, |node| {
                    node.pack.shrink();
                    let bytes = node.pack.pack().bytes().len();
                    bytes + bytes / 16
                });
                let mut node = Node::new(id, words.clone(), room);
                node.append(id, words, bytes);
                self.nodes.push_back(node);
            }
        }
        self.len += 1;
        self.entries_added += 1;
        self.last_id = id;
        if self.len == 1 {
            self.first_id = id;
        }
    }

    /// The entries from `from` to `to`, both included.
    #[inline]
    pub fn range(&self, from: StreamId, to: StreamId) -> Range<'_> {
        Range::new(&self.nodes, from, to)
    }

    /// The same from the last to the first.
    #[inline]
    pub fn range_backwards(&self, from: StreamId, to: StreamId) -> Range<'_> {
        Range::backwards(&self.nodes, from, to)
    }

    /// Whether there is an entry of that id.
    pub fn contains(&self, id: StreamId) -> bool {
        let node = node_of(&self.nodes, id).and_then(|index| self.nodes.get(index));
        node.is_some_and(|node| node.find(id).is_some())
    }

    /// The id of the last entry that is there.
    pub fn last_entry_id(&self) -> Option<StreamId> {
        self.range_backwards(StreamId::MIN, StreamId::MAX).next_id()
    }

    /// Deletes an entry; whether it was there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some(index) = node_of(&self.nodes, id) else {
            return false;
        };
        let Some(node) = self.nodes.get_mut(index) else {
            return false;
        };
        let Some(place) = node.find(id) else {
            return false;
        };
        if node.counts().live == 1 {
            self.nodes.remove(index);
        } else {
            node.delete(place);
        }
        self.len -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if id == self.first_id {
            self.find_first();
        }
        true
    }

    /// Brings [`Self::first_id`] up to date.
    pub(super) fn find_first(&mut self) {
        let first = self.range(StreamId::MIN, StreamId::MAX).next_id();
        self.first_id = first.unwrap_or_default();
    }

    /// Whether an entry after `after` was deleted by its id, as far as is known.
    fn has_gap_after(&self, after: StreamId) -> bool {
        self.len > 0
            && self.max_deleted_id != StreamId::MIN
            && self.first_id <= self.max_deleted_id
            && after <= self.max_deleted_id
    }

    /// How many entries were added up to this id, itself included; `None` where that cannot be known.
    pub fn added_until(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.len == 0 && id <= self.last_id {
            return Some(self.entries_added);
        }
        if id != StreamId::MIN && id < self.max_deleted_id {
            return None;
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(self.entries_added);
        }
        if self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id {
            if id < self.first_id {
                return Some(self.entries_added - self.len);
            }
            if id == self.first_id {
                return Some(self.entries_added - self.len + 1);
            }
        }
        None
    }

    /// How many entries a group has yet to be given, whose last one was `last_id`, the `read`-th ever added; `None` where
    /// that cannot be known.
    pub fn lag(&self, last_id: StreamId, read: Option<u64>) -> Option<i64> {
        let left = |read: u64| self.entries_added.wrapping_sub(read).cast_signed();
        if self.len == 0 {
            return Some(0);
        }
        if last_id < self.first_id && self.max_deleted_id < self.first_id {
            return Some(self.len.cast_signed());
        }
        match read {
            Some(read) if !self.has_gap_after(last_id) => Some(left(read)),
            _ => self.added_until(last_id).map(left),
        }
    }

    /// The count of a group that had read `read` entries up to `last_id` when it gets the entry `id`.
    pub fn read_count_after(
        &self,
        last_id: StreamId,
        read: Option<u64>,
        id: StreamId,
    ) -> Option<u64> {
        match read {
            Some(read) if last_id >= self.first_id && !self.has_gap_after(last_id) => {
                Some(read + 1)
            }
            _ if self.entries_added > 0 => self.added_until(id),
            _ => read,
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let packs: usize = self.nodes.iter().map(|node| node.pack.capacity()).sum();
        packs + self.nodes.capacity() * size_of::<Node>()
    }
}
