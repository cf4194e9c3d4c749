//! Deadlines: lazily, when a key is looked up, and actively, in the order in which they are due. Members of values expire
//! actively too; until then their types do not show them.
//!
//! A key lives through the millisecond of its deadline and is gone in the next. Every deletion is logged for the
//! propagation stream, so that replicas and the append-only file need no clock.

use super::db::Database;
use super::entry::{Key, Position};
use super::event::{self, Event};
use super::{Deletion, Keyspace};
use crate::types::{Collection, Object, Type};

/// Keys that are freed between two looks at the clock.
const KEYS_BETWEEN_LOOKS: usize = 32;

/// Members of one value that are freed between two looks at the clock.
const MEMBERS_BETWEEN_LOOKS: usize = 64;

/// What is announced when members of a value expire.
fn members_expired(type_of: Type) -> Event {
    match type_of {
        Type::Set => event::SEXPIRED,
        Type::Zset => event::ZEXPIRED,
        _ => event::HEXPIRED,
    }
}

impl Keyspace {
    /// When the next key of any database is due, in Unix milliseconds. The loop asks twice a turn: databases without
    /// deadlines are passed over quickly.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        if !self.expire_actively {
            return None;
        }
        let mut next = None;
        for store in &self.stores {
            if !store.has_deadlines() {
                continue;
            }
            let key = store.first_deadline().map(|(deadline, _)| deadline);
            let member = store.first_member_deadline().map(|(deadline, _)| deadline);
            next = next.into_iter().chain(key).chain(member).min();
        }
        next
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
                self.expire_first_members(db);
                if !keep_going() {
                    self.counters.expire_capped += u64::from(self.is_due(db));
                    return !self.is_due(db);
                }
            }
        }
        true
    }

    fn is_due(&self, db: usize) -> bool {
        let store = &self.stores[db];
        let due = |deadline: i64| deadline < self.now_ms;
        store.first_deadline().is_some_and(|first| due(first.0))
            || store
                .first_member_deadline()
                .is_some_and(|first| due(first.0))
    }

    /// Takes members that are due out of the value whose members are due first; the empty value goes with them.
    fn expire_first_members(&mut self, db: usize) {
        let name = match self.stores[db].first_member_deadline() {
            Some((deadline, name)) if deadline < self.now_ms => name.to_vec(),
            _ => return,
        };
        let key = self.key(&name);
        self.expire_some_members(db, &key, MEMBERS_BETWEEN_LOOKS);
    }

    /// Takes all members that are due out of the key's value.
    pub(in crate::keyspace) fn expire_members_of(&mut self, db: usize, key: &Key<'_>) {
        self.expire_some_members(db, key, usize::MAX);
    }

    /// Takes up to `max` members that are due out of the key's value.
    fn expire_some_members(&mut self, db: usize, key: &Key<'_>, max: usize) {
        let now_ms = self.now_ms;
        self.take_expired(db, key, |value, gone| {
            let value = value.stored_mut();
            value.expire_members(now_ms, max, &mut |name| gone.push(name.into()));
        });
    }

    /// Members that `take` takes out of the key's value, and tells, have expired; the empty value goes with them.
    fn take_expired(
        &mut self,
        db: usize,
        key: &Key<'_>,
        take: impl FnOnce(&mut Object, &mut Vec<Box<[u8]>>),
    ) {
        let store = &mut self.stores[db];
        let found = store.find(key).map(|(position, _)| position);
        let object = found.and_then(|position| Some((position, store.object_mut(position)?)));
        let Some((position, object)) = object else {
            return;
        };
        let mut gone = Vec::new();
        let before = object.stored().first_deadline();
        take(object, &mut gone);
        let value = object.stored();
        let (after, is_empty) = (value.first_deadline(), value.is_empty());
        let type_of = value.type_of();
        store.reschedule_members(key.bytes, before, after);
        if gone.is_empty() {
            return;
        }
        self.counters.expired_members += gone.len() as u64;
        self.spoil(db, key.bytes, false);
        self.notify(db, key.bytes, members_expired(type_of));
        if is_empty {
            let remains = self.stores[db].remove(position, key.hash);
            self.discard(remains);
            self.notify(db, key.bytes, event::DEL);
        }
        if self.log_deletions {
            self.deletions.push(Deletion {
                db,
                key: key.bytes.into(),
                members: Some((type_of, gone)),
            });
        }
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
        self.counters.expired += 1;
        self.remove_unasked(db, key, position);
        self.tell_removed(db, key, event::EXPIRED);
    }

    /// Takes away a key that no command has named; [`Self::tell_removed`] is to follow.
    pub(in crate::keyspace) fn remove_unasked(
        &mut self,
        db: usize,
        key: &Key<'_>,
        position: Position,
    ) {
        let remains = self.stores[db].remove(position, key.hash);
        self.discard(remains);
    }

    /// Tells the stream, and those whom changes concern, that the key has gone.
    pub(in crate::keyspace) fn tell_removed(&mut self, db: usize, key: &Key<'_>, event: Event) {
        if self.log_deletions {
            self.deletions.push(Deletion {
                db,
                key: key.bytes.into(),
                members: None,
            });
        }
        self.touched(db, key.bytes, event);
    }
}

impl Database<'_> {
    /// Whether values have members whose deadline has passed, and that may go now: a command looks for them among those
    /// that it works on.
    #[inline]
    pub fn has_due_members(&mut self) -> bool {
        let (db, keyspace) = (self.index(), self.keyspace());
        let first = keyspace.stores[db].first_member_deadline();
        first.is_some_and(|(deadline, _)| deadline < keyspace.now_ms) && !keyspace.frozen
    }

    /// Takes all members that are due out of the key's value.
    #[inline]
    pub fn expire_members(&mut self, key: &Key<'_>) {
        if self.has_due_members() {
            let db = self.index();
            self.keyspace().expire_members_of(db, key);
        }
    }

    /// A command has found that a member's deadline has passed: it goes, unless the data set stands still. `remove` takes
    /// the member of this name out of the key's value; whether it was there.
    #[cold]
    pub fn expire_member<T: Collection>(
        &mut self,
        key: &Key<'_>,
        name: &[u8],
        remove: impl FnOnce(&mut T, &[u8]) -> bool,
    ) {
        let (db, keyspace) = (self.index(), self.keyspace());
        if keyspace.frozen {
            return;
        }
        keyspace.take_expired(db, key, |object, gone| {
            if T::of_mut(object).is_some_and(|value| remove(value, name)) {
                gone.push(name.into());
            }
        });
    }
}
