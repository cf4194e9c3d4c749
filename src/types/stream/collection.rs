//! Streams as one of the types that a key can have. A stream always stands behind a pointer: none is packed into the
//! record of its key.

use super::{Group, Stream, StreamId};
use crate::ds::listpack::Listpack;
use crate::rdb::{Edition, Encoder};
use crate::types::{
    Collection, FROZEN_PART_BYTES, Form, Frozen, Object, Scratch, Stored, Type, View, rdb,
};
use std::sync::Arc;

impl View for &Stream {
    fn encoding(self) -> &'static str {
        "stream"
    }

    fn len(self) -> usize {
        usize::try_from(self.log.len()).unwrap_or(usize::MAX)
    }

    fn visit(self, _: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        let mut range = self.log.range(StreamId::MIN, StreamId::MAX);
        let mut words = Vec::new();
        while let Some(entry) = range.next() {
            words.clear();
            words.push(entry.id.to_vec());
            entry.for_each_pair(|field, value| words.extend([field.to_vec(), value.to_vec()]));
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            visit(&words);
        }
    }
}

impl Stored for Stream {
    fn type_of(&self) -> Type {
        Type::Stream
    }

    fn len(&self) -> usize {
        View::len(self)
    }

    /// A stream without entries is a stream.
    fn is_empty(&self) -> bool {
        false
    }

    fn heap_bytes(&self) -> usize {
        let groups = self.groups.iter();
        let groups: usize = groups
            .map(|(name, group)| name.len() + size_of::<Group>() * 3 / 2 + group.heap_bytes())
            .sum();
        let producers = self.producers.as_ref();
        let producers = producers.map_or(0, |producers| producers.heap_bytes());
        size_of::<Self>() + self.log.heap_bytes() + groups + producers
    }

    fn free_effort(&self) -> usize {
        /// Elements of one node of a B-tree.
        const TREE_NODE_ELEMENTS: usize = 8;
        let groups = self.groups.values();
        let pending: usize = groups
            .map(|group| 1 + 2 * group.pending_len() / TREE_NODE_ELEMENTS)
            .sum();
        self.log.nodes() + pending
    }

    fn copy(&self) -> Object {
        Object::Stream(Box::new(self.clone()))
    }

    fn is_freezable(&self) -> bool {
        true
    }

    fn freeze(&mut self) -> Option<Box<dyn Frozen>> {
        let mut rest = Encoder::default();
        rdb::save_stream_rest(self, &mut rest, Edition::Current);
        Some(Box::new(FrozenStream {
            nodes: self.log.share().into_iter(),
            begun: false,
            rest,
        }))
    }
}

/// A stream on its way into a snapshot. Nodes are let go of as they are encoded.
struct FrozenStream {
    nodes: std::vec::IntoIter<(StreamId, Arc<Listpack>)>,
    begun: bool,
    /// What follows the nodes, encoded already.
    rest: Encoder,
}

impl Frozen for FrozenStream {
    fn encode(&mut self, to: &mut Encoder) -> bool {
        if !std::mem::replace(&mut self.begun, true) {
            to.length(self.nodes.len());
        }
        while to.len() < FROZEN_PART_BYTES {
            match self.nodes.next() {
                Some((id, pack)) => rdb::save_stream_node(id, pack.pack().bytes(), to),
                None => {
                    to.append(&self.rest);
                    return false;
                }
            }
        }
        true
    }
}

impl Collection for Stream {
    const TYPE: Type = Type::Stream;
    type Ref<'a> = &'a Stream;

    fn view(&self) -> &Stream {
        self
    }

    fn view_packed(_: Form, _: &[u8]) -> &'static Stream {
        unreachable!("a stream is never packed")
    }

    /// A stream is never packed: this empties it.
    fn load(&mut self, _: Form, _: &[u8]) {
        *self = Self::default();
    }

    fn packed(&self) -> Option<(Form, &[u8])> {
        None
    }

    fn of(object: &Object) -> Option<&Self> {
        match object {
            Object::Stream(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Stream(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Stream(Box::new(self))
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.stream
    }
}
