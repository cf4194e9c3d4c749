//! Goes through the entries of a stream between two ids, in either direction.

use super::id::StreamId;
use super::node::{Node, Reader};
use crate::ds::listpack::Element;
use std::collections::VecDeque;

/// Entries between two ids. It lends one entry at a time: see [`Range::next`].
#[derive(Clone, Debug)]
pub struct Range<'a> {
    nodes: &'a VecDeque<Node>,
    /// The node that is being read, unless it is beyond the range.
    index: usize,
    reader: Option<Reader<'a>>,
    from: StreamId,
    to: StreamId,
    backwards: bool,
}

/// An entry, lent by a [`Range`].
pub struct Entry<'r, 'a> {
    /// Its id.
    pub id: StreamId,
    reader: &'r mut Reader<'a>,
}

impl<'a> Entry<'_, 'a> {
    /// Pairs of a field and a value.
    #[inline]
    pub fn pairs(&self) -> usize {
        self.reader.word_fields()
    }

    /// Hands out the fields and values, in the order in which they were added.
    #[inline]
    pub fn for_each_pair(self, visit: impl FnMut(Element<'a>, Element<'a>)) {
        self.reader.for_each_pair(visit);
    }
}

impl<'a> Range<'a> {
    /// The entries from `from` to `to`, both included.
    pub(super) fn new(nodes: &'a VecDeque<Node>, from: StreamId, to: StreamId) -> Self {
        let index = node_of(nodes, from).unwrap_or(0);
        let mut range = Self {
            nodes,
            index,
            reader: None,
            from,
            to,
            backwards: false,
        };
        if from <= to {
            range.open();
        }
        range
    }

    /// The same entries from the last to the first.
    pub(super) fn backwards(nodes: &'a VecDeque<Node>, from: StreamId, to: StreamId) -> Self {
        let mut range = Self {
            nodes,
            index: 0,
            reader: None,
            from,
            to,
            backwards: true,
        };
        if let Some(index) = node_of(nodes, to)
            && from <= to
        {
            range.index = index;
            range.open();
        }
        range
    }

    /// Begins to read the node at `index`.
    fn open(&mut self) {
        self.reader = self.nodes.get(self.index).map(|node| {
            let mut reader = Reader::new(node);
            if self.backwards {
                reader.seek_back(self.to);
            } else {
                reader.seek(self.from);
            }
            reader
        });
    }

    /// The next entry; `None` at the end.
    #[inline]
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend its items"
    )]
    pub fn next(&mut self) -> Option<Entry<'_, 'a>> {
        let id = self.step()?;
        let reader = self.reader.as_mut()?;
        Some(Entry { id, reader })
    }

    /// The id of the next entry.
    #[inline]
    pub fn next_id(&mut self) -> Option<StreamId> {
        self.step()
    }

    #[inline]
    fn step(&mut self) -> Option<StreamId> {
        loop {
            let reader = self.reader.as_mut()?;
            let place = if self.backwards {
                reader.next_back()
            } else {
                reader.next()
            };
            match place {
                Some(place) if place.id >= self.from && place.id <= self.to => {
                    return Some(place.id);
                }
                Some(_) => {
                    self.reader = None;
                    return None;
                }
                None => self.turn(),
            }
        }
    }

    /// Goes on to the neighbouring node.
    fn turn(&mut self) {
        let next = if self.backwards {
            self.index.checked_sub(1)
        } else {
            Some(self.index + 1)
        };
        match next {
            Some(next) => {
                self.index = next;
                self.open();
            }
            None => self.reader = None,
        }
    }
}

/// The node in which an entry of that id would stand; `None`: it is before all nodes.
#[inline]
pub(super) fn node_of(nodes: &VecDeque<Node>, id: StreamId) -> Option<usize> {
    match nodes.back() {
        Some(last) if last.first <= id => Some(nodes.len() - 1),
        _ => nodes
            .partition_point(|node| node.first <= id)
            .checked_sub(1),
    }
}
