//! Deadlines: lazily, when a key is looked up, and actively, in the order in which they are due.
//!
//! A key lives through the millisecond of its deadline and is gone in the next. Every deletion is logged for the
//! propagation stream, so that replicas and the append-only file need no clock.

use super::Keyspace;
use super::entry::{Key, Position};
use super::event;

/// Keys that are freed between two looks at the clock.
const KEYS_BETWEEN_LOOKS: usize = 32;

impl Keyspace {
    /// When the next key of any database is due, in Unix milliseconds.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        if !self.expire_actively {
            return None;
        }
        self.stores
            .iter()
            .filter_map(|store| store.first_deadline())
            .map(|(deadline, _)| deadline)
            .min()
    }

    /// Frees keys that are due, in the order of their deadlines within each database, while `keep_going` says so; it is
    /// asked between batches. Whether all are gone.
    pub fn expire_due(&mut self, mut keep_going: impl FnMut() -> bool) -> bool {
        if !self.expire_actively {
            return true;
        }
        for db in 0..self.stores.len() {
            while self.is_due(db) {
                (0..KEYS_BETWEEN_LOOKS).for_each(|_| self.expire_first(db));
                if !keep_going() {
                    self.counters.expire_capped += u64::from(self.is_due(db));
                    return !self.is_due(db);
                }
            }
        }
        true
    }

    fn is_due(&self, db: usize) -> bool {
        self.stores[db]
            .first_deadline()
            .is_some_and(|(deadline, _)| deadline < self.now_ms)
    }

    fn expire_first(&mut self, db: usize) {
        let Some((deadline, record)) = self.stores[db].first_deadline() else {
            return;
        };
        if deadline >= self.now_ms {
            return;
        }
        let name = record.key().to_vec();
        let key = self.key(&name);
        let found = self.stores[db].find(&key).map(|(position, _)| position);
        let position = found.expect("a record in the heap is in the table");
        self.expire(db, &key, position);
    }

    /// Deletes the key if its deadline has passed.
    pub(in crate::keyspace) fn expire_if_due(&mut self, db: usize, key: &Key<'_>) {
        let due = self.stores[db].find(key).filter(|(_, record)| {
            record
                .deadline()
                .is_some_and(|deadline| deadline < self.now_ms)
        });
        if let Some(position) = due.map(|(position, _)| position) {
            self.expire(db, key, position);
        }
    }

    /// Deletes a key whose deadline has passed.
    #[cold]
    pub(in crate::keyspace) fn expire(&mut self, db: usize, key: &Key<'_>, position: Position) {
        let remains = self.stores[db].remove(position, key.hash);
        self.discard(remains);
        self.counters.expired += 1;
        if self.log_deletions {
            self.deletions.push((db, key.bytes.into()));
        }
        self.touched(db, key.bytes, event::EXPIRED);
    }
}
