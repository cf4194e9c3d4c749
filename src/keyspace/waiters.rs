//! Who wants to know when a key changes: clients that watch it (WATCH) and clients that wait for it (blocking commands).
//!
//! Two queues for the engine come out of it: watchers whose transaction is spoilt, and keys that have waiters and were
//! changed. Order is that of the changes, and of arrival among the waiters of one key. Nothing here knows what a client
//! is: it is a number.

use crate::types::Type;
use std::collections::{HashMap, HashSet, VecDeque};

/// A database and a key in it.
pub type Place = (usize, Box<[u8]>);

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// A value of this type.
    pub awaits: Type,
    /// Or that there is none any more.
    pub on_loss: bool,
}

impl Wish {
    /// Whether a key with a value of this type (`None`: no value) is what was waited for.
    pub fn is_met_by(self, found: Option<Type>) -> bool {
        found == Some(self.awaits) || self.on_loss
    }
}

#[derive(Clone, Copy)]
struct Waiter {
    client: u64,
    wish: Wish,
}

#[derive(Default)]
struct Interest {
    watchers: Vec<u64>,
    waiters: VecDeque<Waiter>,
    ready: bool,
}

/// See the head of the file.
#[derive(Default)]
pub struct Waiters {
    /// By database and key, so that a change is looked up without a copy of its key.
    places: HashMap<usize, HashMap<Box<[u8]>, Interest>>,
    /// Keys that each client watches.
    watched: HashMap<u64, Vec<Place>>,
    /// Keys that each client waits for. A set: one command may name a hundred thousand of them.
    awaited: HashMap<u64, HashSet<Place>>,
    spoilt: Vec<u64>,
    ready: VecDeque<Place>,
}

impl Waiters {
    /// Whether any key is of interest: if not, a change costs nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn interest(&mut self, db: usize, key: &[u8]) -> &mut Interest {
        self.places
            .entry(db)
            .or_default()
            .entry(key.into())
            .or_default()
    }

    fn find(&self, place: &Place) -> Option<&Interest> {
        self.places.get(&place.0)?.get(&place.1)
    }

    /// `client` watches the key from now on; whether it did not before.
    pub fn watch(&mut self, client: u64, db: usize, key: &[u8]) -> bool {
        let interest = self.interest(db, key);
        let is_new = !interest.watchers.contains(&client);
        if is_new {
            interest.watchers.push(client);
            self.watched
                .entry(client)
                .or_default()
                .push((db, key.into()));
        }
        is_new
    }

    /// `client` waits at the end of the key's queue; who waits there already keeps its place.
    pub fn wait(&mut self, client: u64, db: usize, key: &[u8], wish: Wish) {
        let places = self.awaited.entry(client).or_default();
        if !places.insert((db, key.into())) {
            return;
        }
        self.interest(db, key)
            .waiters
            .push_back(Waiter { client, wish });
    }

    /// `client` watches nothing any more.
    pub fn unwatch(&mut self, client: u64) {
        let places = self.watched.remove(&client).unwrap_or_default();
        self.leave(places, |interest| {
            interest.watchers.retain(|watcher| *watcher != client)
        });
    }

    /// `client` waits for nothing any more.
    pub fn stop_waiting(&mut self, client: u64) {
        let places = self.awaited.remove(&client).unwrap_or_default();
        self.leave(places, |interest| {
            // Who is served stands in front: with thousands behind it, this is one step.
            let mut waiters = interest.waiters.iter();
            if let Some(at) = waiters.position(|waiter| waiter.client == client) {
                interest.waiters.remove(at);
            }
        });
    }

    fn leave(
        &mut self,
        places: impl IntoIterator<Item = Place>,
        mut leave_one: impl FnMut(&mut Interest),
    ) {
        for (db, key) in places {
            let Some(keys) = self.places.get_mut(&db) else {
                continue;
            };
            let Some(interest) = keys.get_mut(&key) else {
                continue;
            };
            leave_one(interest);
            if interest.watchers.is_empty() && interest.waiters.is_empty() {
                keys.remove(&key);
            }
            if keys.is_empty() {
                self.places.remove(&db);
            }
        }
    }

    /// The keys that `client` watches.
    pub fn watched_by(&self, client: u64) -> &[Place] {
        self.watched.get(&client).map_or(&[], Vec::as_slice)
    }

    /// The keys of a database that anybody watches or waits for.
    pub fn names_in(&self, db: usize) -> Vec<Box<[u8]>> {
        let keys = self.places.get(&db).into_iter().flatten();
        keys.map(|(name, _)| name.clone()).collect()
    }

    /// The key was changed.
    #[cold]
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        let keys = self.places.get_mut(&db);
        let Some(interest) = keys.and_then(|keys| keys.get_mut(key)) else {
            return;
        };
        // Once is enough: who is spoilt watches nothing until it starts anew.
        self.spoilt.append(&mut interest.watchers);
        if !interest.waiters.is_empty() && !interest.ready {
            interest.ready = true;
            self.ready.push_back((db, key.into()));
        }
    }

    /// Everything in `db` was changed for which `is_affected` says so (the key before or after is what counts).
    pub fn database_changed(&mut self, db: usize, is_affected: impl Fn(&[u8]) -> bool) {
        let names = self.names_in(db);
        for key in names.iter().filter(|key| is_affected(key)) {
            self.changed(db, key);
        }
    }

    /// The next client whose watched key was changed.
    pub fn next_spoilt(&mut self) -> Option<u64> {
        self.spoilt.pop()
    }

    /// Whether a key that `client` watched was changed since the last call of this or [`Self::next_spoilt`].
    pub fn take_spoilt(&mut self, client: u64) -> bool {
        let before = self.spoilt.len();
        self.spoilt.retain(|spoilt| *spoilt != client);
        self.spoilt.len() != before
    }

    /// The next changed key that has waiters, and how many they are.
    pub fn next_ready(&mut self) -> Option<(Place, usize)> {
        loop {
            let place = self.ready.pop_front()?;
            let keys = self.places.get_mut(&place.0);
            if let Some(interest) = keys.and_then(|keys| keys.get_mut(&place.1)) {
                interest.ready = false;
                return Some((place, interest.waiters.len()));
            }
        }
    }

    /// The first client in the key's queue, from place `from` on, for whom a value of this type (`None`: no value) is
    /// what it waits for; and where it stands.
    pub fn next_waiter(
        &self,
        place: &Place,
        from: usize,
        found: Option<Type>,
    ) -> Option<(usize, u64)> {
        let waiters = self.find(place)?.waiters.iter().enumerate();
        waiters
            .skip(from)
            .find(|(_, waiter)| waiter.wish.is_met_by(found))
            .map(|(at, waiter)| (at, waiter.client))
    }

    /// Whether `client` waits for the key.
    pub fn is_waiting(&self, client: u64, place: &Place) -> bool {
        self.awaited
            .get(&client)
            .is_some_and(|places| places.contains(place))
    }

    /// Whether changed keys have waiters.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty() || !self.spoilt.is_empty()
    }

    /// Clients that watch keys, for INFO.
    pub fn watching_clients(&self) -> usize {
        self.watched.len()
    }

    /// (keys with waiters, those of them with a waiter for their loss, keys that are watched), for INFO.
    pub fn counts(&self) -> (usize, usize, usize) {
        let all = || self.places.values().flat_map(HashMap::values);
        let waited = all().filter(|interest| !interest.waiters.is_empty());
        let lost = all().filter(|interest| interest.waiters.iter().any(|w| w.wish.on_loss));
        let watched = all().filter(|interest| !interest.watchers.is_empty());
        (waited.count(), lost.count(), watched.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR_LIST: Wish = Wish {
        awaits: Type::List,
        on_loss: false,
    };

    #[test]
    fn waiters_of_a_key_come_in_order_of_arrival_and_once_per_change() {
        let mut waiters = Waiters::default();
        waiters.wait(3, 0, b"k", FOR_LIST);
        waiters.wait(1, 0, b"k", FOR_LIST);
        waiters.wait(3, 0, b"k", FOR_LIST);
        waiters.changed(0, b"k");
        waiters.changed(0, b"k");
        waiters.changed(1, b"k");
        let place = (0, Box::from(&b"k"[..]));
        assert_eq!(waiters.next_ready(), Some((place.clone(), 2)));
        assert_eq!(waiters.next_ready(), None);
        let list = Some(Type::List);
        assert_eq!(waiters.next_waiter(&place, 0, list), Some((0, 3)));
        assert_eq!(waiters.next_waiter(&place, 1, list), Some((1, 1)));
        assert_eq!(waiters.next_waiter(&place, 2, list), None);
        waiters.stop_waiting(3);
        assert_eq!(waiters.next_waiter(&place, 0, list), Some((0, 1)));
        waiters.stop_waiting(1);
        assert!(waiters.is_empty());
    }

    #[test]
    fn one_client_may_wait_for_very_many_keys() {
        let mut waiters = Waiters::default();
        let names: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
        for name in names.iter().chain(&names) {
            waiters.wait(1, 0, name.as_bytes(), FOR_LIST);
        }
        assert_eq!(waiters.counts(), (100_000, 0, 0));
        waiters.stop_waiting(1);
        assert!(waiters.is_empty());
    }

    #[test]
    fn another_type_wakes_only_who_waits_for_the_loss_too() {
        let mut waiters = Waiters::default();
        let place = (0, Box::from(&b"k"[..]));
        let group = Wish {
            awaits: Type::Stream,
            on_loss: true,
        };
        waiters.wait(1, 0, b"k", FOR_LIST);
        waiters.wait(2, 0, b"k", group);
        for found in [None, Some(Type::String), Some(Type::Stream)] {
            assert_eq!(waiters.next_waiter(&place, 0, found), Some((1, 2)));
        }
        assert_eq!(waiters.counts(), (1, 1, 0));
    }

    #[test]
    fn a_change_spoils_every_watcher_of_that_key_only() {
        let mut waiters = Waiters::default();
        waiters.watch(7, 2, b"a");
        waiters.watch(8, 2, b"b");
        waiters.database_changed(2, |key| key == b"a");
        assert_eq!(
            (waiters.next_spoilt(), waiters.next_spoilt()),
            (Some(7), None)
        );
    }
}
