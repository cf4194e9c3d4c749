//! Who adds what only once: the ids under which producers have sent their entries, so that one sent again is recognised.
//!
//! A producer's id of an entry is forgotten after some seconds, and when the producer has sent a number of newer ones.

use super::id::StreamId;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The ids of one producer.
#[derive(Clone, Debug, Default)]
struct Producer {
    entries: HashMap<Box<[u8]>, StreamId>,
    /// The same, oldest first.
    order: VecDeque<(Box<[u8]>, StreamId)>,
}

/// See the head of the file.
#[derive(Clone, Debug)]
pub struct Producers {
    /// Seconds for which an id is remembered.
    pub duration_s: u64,
    /// Ids that are remembered of each producer.
    pub max_ids: usize,
    producers: BTreeMap<Box<[u8]>, Producer>,
    /// Ids that were ever remembered.
    pub added: u64,
    /// Entries that were recognised and not added.
    pub duplicates: u64,
}

impl Default for Producers {
    fn default() -> Self {
        Self {
            duration_s: 100,
            max_ids: 100,
            producers: BTreeMap::new(),
            added: 0,
            duplicates: 0,
        }
    }
}

impl Producers {
    /// Forgets the ids of entries that are older than [`Self::duration_s`].
    pub fn expire(&mut self, now_ms: i64) {
        let age_ms = self.duration_s.saturating_mul(1000);
        let now_ms = u64::try_from(now_ms).unwrap_or(0);
        self.producers.retain(|_, producer| {
            while let Some((_, id)) = producer.order.front()
                && id.ms.saturating_add(age_ms) <= now_ms
            {
                producer.forget_oldest();
            }
            !producer.order.is_empty()
        });
    }

    /// The entry that this producer has sent under this id.
    pub fn find(&self, producer: &[u8], id: &[u8]) -> Option<StreamId> {
        self.producers.get(producer)?.entries.get(id).copied()
    }

    /// Remembers the entry that a producer has sent under an id that is not remembered.
    pub fn remember(&mut self, producer: &[u8], id: &[u8], entry: StreamId) {
        let max_ids = self.max_ids;
        if !self.producers.contains_key(producer) {
            self.producers.insert(producer.into(), Producer::default());
        }
        let Some(producer) = self.producers.get_mut(producer) else {
            return;
        };
        while producer.order.len() >= max_ids {
            producer.forget_oldest();
        }
        producer.entries.insert(id.into(), entry);
        producer.order.push_back((id.into(), entry));
        self.added += 1;
    }

    /// Sets how long and how many ids are remembered; if that changes anything, all are forgotten.
    pub fn configure(&mut self, duration_s: u64, max_ids: usize) {
        if (self.duration_s, self.max_ids) != (duration_s, max_ids) {
            (self.duration_s, self.max_ids) = (duration_s, max_ids);
            self.producers.clear();
        }
    }

    /// Producers whose ids are remembered.
    pub fn len(&self) -> usize {
        self.producers.len()
    }

    /// Whether no id is remembered.
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// Ids that are remembered.
    pub fn ids(&self) -> usize {
        self.producers.values().map(|p| p.order.len()).sum()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let ids = self.producers.values().flat_map(|p| &p.order);
        ids.map(|(id, _)| 2 * (id.len() + size_of::<(Box<[u8]>, StreamId)>()))
            .sum()
    }
}

impl Producer {
    fn forget_oldest(&mut self) {
        if let Some((id, _)) = self.order.pop_front() {
            self.entries.remove(&id);
        }
    }
}
