//! A consumer group: how far it has read, who consumes, and what was delivered and not yet acknowledged.
//!
//! Each delivered entry is in the group's pending list (id -> owner, time, count) and in that of its owner (ids only). An
//! entry that was given back (XNACK) has no owner: it is as old as time itself, so that whoever claims gets it first.
//! Who asks for entries by their age (XREADGROUP CLAIM) makes the group keep an index by time from then on; who never
//! asks does not pay for it.

use super::id::StreamId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

/// A consumer within its group: good until the consumer is removed.
pub type ConsumerId = u32;

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Who has it; `None`: it was given back.
    pub owner: Option<ConsumerId>,
    /// When it was delivered last, Unix milliseconds; 0 if it was given back.
    pub delivered_ms: i64,
    /// How often.
    pub deliveries: i64,
}

/// Who consumes.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// Its name.
    pub name: Box<[u8]>,
    /// When it last tried to get something, Unix milliseconds.
    pub seen_ms: i64,
    /// When it last got something, Unix milliseconds; -1: never.
    pub active_ms: i64,
    /// What it has.
    pub pending: BTreeSet<StreamId>,
}

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The last entry that was delivered.
    pub last_id: StreamId,
    /// How many entries were ever added up to there; `None`: not known.
    pub entries_read: Option<u64>,
    pending: BTreeMap<StreamId, Pending>,
    names: BTreeMap<Box<[u8]>, ConsumerId>,
    /// By id; the places of removed ones are used again.
    consumers: Vec<Option<Consumer>>,
    by_time: Option<BTreeSet<(i64, StreamId)>>,
    unowned: usize,
}

impl Group {
    /// A group that has been given everything up to `last_id`.
    pub fn new(last_id: StreamId, entries_read: Option<u64>) -> Self {
        Self {
            last_id,
            entries_read,
            ..Self::default()
        }
    }

    /// The consumer of that name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<ConsumerId> {
        self.names.get(name).copied()
    }

    /// A consumer that this group has named.
    #[inline]
    pub fn consumer(&self, id: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(id as usize)?.as_ref()
    }

    /// The same, to set its times.
    #[inline]
    pub fn consumer_mut(&mut self, id: ConsumerId) -> Option<&mut Consumer> {
        self.consumers.get_mut(id as usize)?.as_mut()
    }

    /// All consumers by name.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (&[u8], Option<&Consumer>)> {
        self.names
            .iter()
            .map(|(name, id)| (&**name, self.consumer(*id)))
    }

    /// The name of an entry's owner; empty if it has none.
    pub fn owner_name(&self, pending: &Pending) -> &[u8] {
        pending
            .owner
            .and_then(|id| self.consumer(id))
            .map_or(&[], |consumer| &consumer.name)
    }

    /// A new consumer, of a name that the group has not.
    pub fn add_consumer(&mut self, name: &[u8], now_ms: i64) -> ConsumerId {
        let consumer = Consumer {
            name: name.into(),
            seen_ms: now_ms,
            active_ms: -1,
            pending: BTreeSet::new(),
        };
        let has_free = self.names.len() < self.consumers.len();
        let mut places = self.consumers.iter();
        let free = has_free.then(|| places.position(Option::is_none)).flatten();
        let at = free.unwrap_or_else(|| {
            self.consumers.push(None);
            self.consumers.len() - 1
        });
        if let Some(place) = self.consumers.get_mut(at) {
            *place = Some(consumer);
        }
        let id = ConsumerId::try_from(at).expect("consumers are fewer than 4 thousand million");
        self.names.insert(name.into(), id);
        id
    }

    /// Removes a consumer and forgets what it had; how many entries that were. `None`: there is none of that name.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let id = self.names.remove(name)?;
        let consumer = self.consumers.get_mut(id as usize)?.take()?;
        for entry in &consumer.pending {
            if let Some(pending) = self.pending.remove(entry)
                && let Some(index) = &mut self.by_time
            {
                index.remove(&(pending.delivered_ms, *entry));
            }
        }
        Some(consumer.pending.len())
    }

    /// Pending entries.
    #[inline]
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// Pending entries that nobody owns.
    #[inline]
    pub fn unowned_len(&self) -> usize {
        self.unowned
    }

    /// A pending entry.
    #[inline]
    pub fn pending(&self, id: StreamId) -> Option<&Pending> {
        self.pending.get(&id)
    }

    /// Pending entries by id.
    pub fn pending_range(
        &self,
        ids: impl RangeBounds<StreamId>,
    ) -> impl DoubleEndedIterator<Item = (StreamId, &Pending)> {
        self.pending.range(ids).map(|(id, pending)| (*id, pending))
    }

    /// Delivers an entry: it is pending from now on, whoever had it before.
    pub fn deliver(&mut self, id: StreamId, pending: Pending) {
        let before = self.pending.insert(id, pending);
        if let Some(index) = &mut self.by_time {
            if let Some(before) = before {
                index.remove(&(before.delivered_ms, id));
            }
            index.insert((pending.delivered_ms, id));
        }
        let owner_before = before.and_then(|before| before.owner);
        if before.is_some() && owner_before.is_none() {
            self.unowned -= 1;
        }
        if pending.owner.is_none() {
            self.unowned += 1;
        }
        if before.is_some() && owner_before == pending.owner {
            return;
        }
        if let Some(consumer) = owner_before.and_then(|owner| self.consumer_mut(owner)) {
            consumer.pending.remove(&id);
        }
        if let Some(consumer) = pending.owner.and_then(|owner| self.consumer_mut(owner)) {
            consumer.pending.insert(id);
        }
    }

    /// An entry is not pending any more; whether it was.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        if let Some(index) = &mut self.by_time {
            index.remove(&(pending.delivered_ms, id));
        }
        match pending.owner.and_then(|owner| self.consumer_mut(owner)) {
            Some(consumer) => drop(consumer.pending.remove(&id)),
            None => self.unowned -= 1,
        }
        true
    }

    /// Up to `max` entries that were delivered at `until_ms` or before, the oldest first. The first call makes the index.
    pub fn oldest(&mut self, until_ms: i64, max: usize) -> Vec<StreamId> {
        let pending = &self.pending;
        let index = self.by_time.get_or_insert_with(|| {
            let by_time = pending.iter().map(|(id, entry)| (entry.delivered_ms, *id));
            by_time.collect()
        });
        let due = index.range(..=(until_ms, StreamId::MAX));
        due.take(max).map(|(_, id)| *id).collect()
    }

    /// When the entry was delivered that has waited longest; `None` if nothing is pending, or nobody has asked by age.
    pub fn oldest_delivered_ms(&self) -> Option<i64> {
        self.by_time.as_ref()?.first().map(|(ms, _)| *ms)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        /// What a B-tree takes for an element of so many bytes: its leaves are two thirds full.
        const fn in_tree(element: usize) -> usize {
            element + element / 2
        }
        let index = self.by_time.as_ref().map_or(0, BTreeSet::len);
        let pending = self.pending.len() * in_tree(size_of::<(StreamId, Pending)>())
            + (self.pending.len() - self.unowned) * in_tree(size_of::<StreamId>())
            + index * in_tree(size_of::<(i64, StreamId)>());
        let names: usize = self.names.keys().map(|name| 2 * name.len()).sum();
        pending
            + names
            + self.names.len() * in_tree(size_of::<(Box<[u8]>, ConsumerId)>())
            + self.consumers.capacity() * size_of::<Option<Consumer>>()
    }
}

/// The groups of a stream, by name.
pub type Groups = BTreeMap<Box<[u8]>, Group>;
