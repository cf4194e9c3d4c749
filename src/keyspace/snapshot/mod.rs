//! Point-in-time snapshots of all databases, without a fork and without a pause: every store is walked bit by bit between
//! commands, and whatever a command is about to change gives its content of before first. What stands in the file is the
//! data set at the moment of [`Keyspace::begin_snapshot`].
//!
//! - A record is encoded at once when the walk comes to its bucket, or just before the first change in it; a large string
//!   is shared, a large list or stream frozen, both without a copy of their content.
//! - A large set, hash or sorted set is *opened*: its head is written, and its own table is walked by the same rules
//!   (`output` keeps its bytes together). It is known by the address of its object, which stays where it is when its key
//!   is renamed or moved, and comes into custody here when it is deleted or replaced before it is walked to its end.
//! - A flushed database comes into custody with its walk.
//! - An abandoned snapshot goes on walking, which is cheap then, because the tables must come to its end before the next.
//!
//! Bounds: a step looks up from its work after [`BUCKETS_A_LOOK`] buckets. What waits to be written is bounded by whoever
//! calls [`Keyspace::snapshot_step`], who stops doing so; then only what is about to be changed comes.

mod output;
mod piece;

pub use piece::{PART_BYTES, Part};

use super::access::AccessPolicy;
use super::entry::{Key, Remains, Store};
use super::{Garbage, Keyspace};
use crate::base::hash::Hasher;
use crate::rdb::Edition;
use crate::types::Type;
use output::{Home, Output, Place, lock};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Buckets between two looks at the clock: some 30 records, or 70 members.
pub const BUCKETS_A_LOOK: usize = 8;
/// Keys with expiring members that are looked at to find a hash among them.
const EXPIRING_LOOKS_MAX: usize = 1000;

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Keys that have been taken.
    pub keys: u64,
    /// Keys at its beginning.
    pub keys_total: u64,
    /// Bytes that wait in memory, about.
    pub bytes: usize,
}

/// See the head of the file.
pub(super) struct Snapshot {
    output: Arc<Mutex<Output>>,
    /// Stores that are not walked to their end.
    walks: VecDeque<Home>,
    /// Flushed databases by number.
    flushed: Vec<(u64, Box<Store>)>,
    flushes: u64,
    keys_total: u64,
    hasher: Hasher,
    /// Memory that is to be freed.
    garbage: Vec<Garbage>,
}

impl Snapshot {
    fn begin(
        stores: &mut [Store],
        hasher: Hasher,
        access: Option<(AccessPolicy, i64)>,
        edition: Edition,
    ) -> Self {
        let sizes = stores.iter().map(|store| (store.len(), store.expiring()));
        let keys_total = stores.iter().map(|store| store.len() as u64).sum();
        let output = Arc::new(Mutex::new(Output::new(sizes, access, edition)));
        let mut walks = VecDeque::new();
        let filled = stores
            .iter_mut()
            .enumerate()
            .filter(|(_, store)| !store.is_empty());
        for (db, store) in filled {
            let output = Arc::clone(&output);
            store.begin_walk(Box::new(move |record| {
                lock(&output).take(db, record, &output)
            }));
            walks.push_back(Home::Database(db));
        }
        Self {
            output,
            walks,
            flushed: Vec::new(),
            flushes: 0,
            keys_total,
            hasher,
            garbage: Vec::new(),
        }
    }

    /// Does a small part of the work; whether all is done.
    fn work(&mut self, stores: &mut [Store]) -> bool {
        if self.walk_open(stores) {
            return false;
        }
        let Some(walked) = self.walks.front().copied() else {
            return true;
        };
        let store = match walked {
            Home::Database(db) => stores.get_mut(db),
            Home::Flushed(number) => in_custody(&mut self.flushed, number),
        };
        if store.is_none_or(|store| store.walk(BUCKETS_A_LOOK)) {
            self.walks.pop_front();
            self.release_flushed();
        }
        false
    }

    /// Goes on with the first open collection; whether there is one.
    fn walk_open(&mut self, stores: &mut [Store]) -> bool {
        let mut output = lock(&self.output);
        let Some((number, open)) = output.first_open() else {
            return false;
        };
        let address = open.address;
        let complete = match &mut open.place {
            Place::Custody(object) => object.stored_mut().walk(BUCKETS_A_LOOK),
            Place::Key(home, key) => {
                let store = match *home {
                    Home::Database(db) => stores.get_mut(db),
                    Home::Flushed(number) => in_custody(&mut self.flushed, number),
                };
                let key = Key::new(key, &self.hasher);
                store.is_none_or(|store| store.walk_object(&key, address, BUCKETS_A_LOOK))
            }
        };
        let back = output.advance(number, complete);
        drop(output);
        self.garbage.extend(back.map(Garbage::Object));
        if complete {
            self.release_flushed();
        }
        true
    }

    /// Lets go of flushed databases that are walked to their end and have no open collection left.
    fn release_flushed(&mut self) {
        if self.flushed.is_empty() {
            return;
        }
        let mut output = lock(&self.output);
        let used: Vec<u64> = output
            .all_open()
            .filter_map(|open| match open.place {
                Place::Key(Home::Flushed(number), _) => Some(number),
                _ => None,
            })
            .collect();
        let done = self.flushed.extract_if(.., |(number, store)| {
            !store.is_walked() && !used.contains(number)
        });
        let done = done.map(|(_, store)| Garbage::Store(store));
        self.garbage.extend(done);
    }

    /// Takes what a removed value left, if it is still to be walked; gives it back if not.
    pub(super) fn keep(&mut self, remains: Remains) -> Remains {
        let object = remains?;
        let mut output = lock(&self.output);
        match output.open_at(std::ptr::from_ref(&*object).addr()) {
            Some(open) => {
                open.place = Place::Custody(object);
                None
            }
            None => Some(object),
        }
    }

    /// The object at this address is the value of another key now.
    pub(super) fn moved(&mut self, address: usize, db: usize, key: &[u8]) {
        if let Some(open) = lock(&self.output).open_at(address) {
            open.place = Place::Key(Home::Database(db), key.into());
        }
    }

    /// Takes a flushed database, if it is still to be walked; gives it back if not.
    pub(super) fn keep_store(&mut self, db: usize, store: Store) -> Option<Store> {
        let mut output = lock(&self.output);
        if output.is_abandoned {
            // What nobody wants to read can be freed in the middle of its walk.
            self.walks.retain(|walked| *walked != Home::Database(db));
            return Some(store);
        }
        let (before, after) = (Home::Database(db), Home::Flushed(self.flushes + 1));
        let mut wanted = store.is_walked();
        for open in output.all_open() {
            if let Place::Key(home, _) = &mut open.place
                && *home == before
            {
                *home = after;
                wanted = true;
            }
        }
        if !wanted {
            return Some(store);
        }
        self.flushes += 1;
        for home in self.walks.iter_mut().chain(&mut output.homes) {
            if *home == before {
                *home = after;
            }
        }
        self.flushed.push((self.flushes, Box::new(store)));
        None
    }

    /// Two databases have changed places.
    pub(super) fn swapped(&mut self, one: usize, other: usize) {
        let there = |home: &mut Home| match home {
            Home::Database(db) if *db == one => *db = other,
            Home::Database(db) if *db == other => *db = one,
            _ => {}
        };
        let mut output = lock(&self.output);
        self.walks.iter_mut().for_each(there);
        output.homes.iter_mut().for_each(there);
        for open in output.all_open() {
            if let Place::Key(home, _) = &mut open.place {
                there(home);
            }
        }
    }

    fn abandon(&mut self) {
        let objects = lock(&self.output).abandon();
        self.garbage.extend(objects);
        let stores = self.flushed.drain(..);
        self.garbage
            .extend(stores.map(|(_, store)| Garbage::Store(store)));
        self.walks
            .retain(|walked| matches!(walked, Home::Database(_)));
    }
}

fn in_custody(flushed: &mut [(u64, Box<Store>)], number: u64) -> Option<&mut Store> {
    let mut stores = flushed.iter_mut();
    stores
        .find(|(its, _)| *its == number)
        .map(|(_, store)| &mut **store)
}

impl Keyspace {
    /// Starts a snapshot of the data as it is now. `with_access`: the use of keys is written with them; `edition`: for whom. There must be none
    /// under way; one that was abandoned is brought to its end.
    pub fn begin_snapshot(&mut self, with_access: bool, edition: Edition) {
        while !self.snapshot_step(|| true) {}
        let access = with_access.then_some((self.access, self.now_ms));
        self.snapshot = Some(Snapshot::begin(
            &mut self.stores,
            self.hasher,
            access,
            edition,
        ));
    }

    /// Goes on with the snapshot while `keep_going` says so; whether there is none, or it is complete: then
    /// [`Self::end_snapshot`] has its last parts.
    pub fn snapshot_step(&mut self, mut keep_going: impl FnMut() -> bool) -> bool {
        loop {
            let Some(snapshot) = &mut self.snapshot else {
                return true;
            };
            let complete = snapshot.work(&mut self.stores);
            self.garbage.append(&mut snapshot.garbage);
            if complete {
                if lock(&snapshot.output).is_abandoned {
                    self.snapshot = None;
                }
                return true;
            }
            if !keep_going() {
                return false;
            }
        }
    }

    /// The parts of the snapshot that are complete, in the order of the file.
    pub fn take_snapshot_parts(&mut self) -> Vec<Part> {
        let snapshot = self.snapshot.as_mut();
        snapshot.map_or_else(Vec::new, |snapshot| {
            lock(&snapshot.output).take_parts(false)
        })
    }

    /// Ends a complete snapshot; its last parts.
    pub fn end_snapshot(&mut self) -> Vec<Part> {
        let snapshot = self.snapshot.take();
        snapshot.map_or_else(Vec::new, |snapshot| lock(&snapshot.output).take_parts(true))
    }

    /// Nobody wants the snapshot any more: it gives no more parts, and its steps bring it to its end.
    pub fn abandon_snapshot(&mut self) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.abandon();
            self.garbage.append(&mut snapshot.garbage);
        }
    }

    /// Whether there is work for [`Self::snapshot_step`].
    #[inline]
    pub fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// How far the snapshot is.
    pub fn snapshot_progress(&self) -> Option<Progress> {
        let snapshot = self.snapshot.as_ref()?;
        let output = lock(&snapshot.output);
        Some(Progress {
            keys: output.keys,
            keys_total: snapshot.keys_total,
            bytes: output.bytes(),
        })
    }

    /// Whether a hash has fields with deadlines, which files of older versions have no place for. Where very many keys
    /// have members with deadlines, not all of them are looked at.
    pub fn has_expiring_fields(&self) -> bool {
        self.stores.iter().any(|store| {
            let mut keys = store.expiring_members_of();
            let is_hash = |name: &[u8]| {
                let found = store.find(&self.key(name));
                found.is_some_and(|(_, record)| record.type_of() == Type::Hash)
            };
            keys.by_ref().take(EXPIRING_LOOKS_MAX).any(is_hash) || keys.next().is_some()
        })
    }
}
