//! The keyspace: databases of keys, their expiry, who waits for a change, and the log of changes.
//! It knows no commands and no protocol; time and chance are handed in.
//!
//! [`Keyspace`] holds what all databases share; handlers work through [`db::Database`], one database of it seen through
//! one command. Whatever changes a key goes through [`Keyspace::changed`]: dirty count, watchers, waiters and
//! notifications follow from there. Deletions that no command asked for (expiry) are logged for the propagation stream.

pub mod access;
pub mod changes;
pub mod db;
pub mod edit;
#[allow(
    unsafe_code,
    reason = "the layout of records is part of the fence that unsafe lives in"
)]
pub mod entry;
pub mod event;
pub mod evict;
pub mod expire;
pub mod load;
pub mod snapshot;
pub mod waiters;

use crate::base::{
    hash::Hasher,
    random::{Random, Seeds},
};
use crate::observe::Info;
use crate::types::{Limits, Object, Scratch, Type};
use access::AccessPolicy;
use changes::Changes;
use entry::{Key, NewValue, Position, Remains, Store};
use event::{Event, class};
use evict::EvictionPool;
use snapshot::Snapshot;
use waiters::Waiters;

/// Numbers that INFO shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Keys deleted because their deadline passed.
    pub expired: u64,
    /// Fields of hashes, and members of sets and sorted sets, deleted because their deadline passed.
    pub expired_members: u64,
    /// Keys deleted because memory was full.
    pub evicted: u64,
    /// Turns in which due keys were left over when the time was up.
    pub expire_capped: u64,
    /// Objects handed to the helper thread to be freed.
    pub lazy_freed: u64,
}

impl Counters {
    /// INFO stats: expiry and eviction.
    pub fn info_expiry(&self, info: &mut Info) {
        info.field("expired_subkeys", self.expired_members)
            .field("expired_keys", self.expired)
            .field("expired_stale_perc", "0.00")
            .field("expired_time_cap_reached_count", self.expire_capped)
            .field("evicted_keys", self.evicted);
    }

    /// INFO stats: what reads have found.
    pub fn info_reads(&self, info: &mut Info) {
        info.field("keyspace_hits", self.hits)
            .field("keyspace_misses", self.misses);
    }
}

/// An event to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The database.
    pub db: usize,
    /// The key.
    pub key: Box<[u8]>,
    /// What happened.
    pub event: Event,
}

/// What expiry or eviction has deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The database.
    pub db: usize,
    /// The key.
    pub key: Box<[u8]>,
    /// Of a value of this type only these members; `None`: the key.
    pub members: Option<(Type, Vec<Box<[u8]>>)>,
}

/// What is freed away from the reactor: dropping it may take long.
pub enum Garbage {
    /// A flushed database.
    Store(Box<Store>),
    /// A big value.
    Object(Box<Object>),
}

impl Garbage {
    /// Keys or values in it, as `lazyfree_pending_objects` counts.
    pub fn objects(&self) -> usize {
        match self {
            Garbage::Store(store) => store.len(),
            Garbage::Object(_) => 1,
        }
    }
}

/// Values whose freeing takes more allocations than this go to the helper thread.
pub const LAZY_FREE_MIN_EFFORT: usize = 64;

/// Deadlines that INFO averages.
const TTL_SAMPLES: usize = 64;

/// All databases. See the head of the file.
pub struct Keyspace {
    stores: Vec<Store>,
    hasher: Hasher,
    /// Chance for RANDOMKEY, sampling and LFU.
    pub random: Random,
    /// Unix milliseconds that this command sees.
    now_ms: i64,
    /// The same, but while a log is replayed: then it is the time of the replay.
    wall_ms: i64,
    access: AccessPolicy,
    /// The access word of a key used now.
    access_now: u32,
    dirty: u64,
    /// Who watches and waits.
    pub waiters: Waiters,
    notify: u32,
    notifications: Vec<Notification>,
    /// Whether names of changed keys are noted in `changes`.
    note_changes: bool,
    changes: Changes,
    log_deletions: bool,
    deletions: Vec<Deletion>,
    garbage: Vec<Garbage>,
    /// Numbers for INFO.
    pub counters: Counters,
    expire_actively: bool,
    /// During CLIENT PAUSE reads delete nothing.
    frozen: bool,
    /// Keys that may go when memory is full.
    eviction: EvictionPool,
    /// Where encodings change, and what else values are told.
    limits: Limits,
    /// Where small collections are changed.
    scratch: Scratch,
    /// The point-in-time copy that is being made.
    snapshot: Option<Snapshot>,
}

impl Keyspace {
    /// `databases` empty databases. `seeds` decide the hash's secret and all chance.
    pub fn new(databases: usize, seeds: Seeds) -> Self {
        let [k0, k1] = seeds.hash;
        let hasher = Hasher::new(k0, k1);
        Self {
            stores: (0..databases).map(|_| Store::new(hasher)).collect(),
            hasher,
            random: Random::from_seed(seeds.samples),
            now_ms: 0,
            wall_ms: 0,
            access: AccessPolicy::default(),
            access_now: 0,
            dirty: 0,
            waiters: Waiters::default(),
            notify: 0,
            notifications: Vec::new(),
            note_changes: false,
            changes: Changes::default(),
            log_deletions: false,
            deletions: Vec::new(),
            garbage: Vec::new(),
            counters: Counters::default(),
            expire_actively: true,
            frozen: false,
            eviction: EvictionPool::default(),
            limits: Limits::new(hasher),
            scratch: Scratch::default(),
            snapshot: None,
        }
    }

    /// Databases.
    pub fn databases(&self) -> usize {
        self.stores.len()
    }

    /// The store of a database.
    pub fn store(&self, db: usize) -> &Store {
        &self.stores[db]
    }

    /// The hash under which keys are stored.
    pub fn hasher(&self) -> Hasher {
        self.hasher
    }

    /// A key with its hash.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        Key::new(bytes, &self.hasher)
    }

    /// Unix milliseconds that the running command sees.
    #[inline]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Until the next [`Self::set_now_ms`] nothing is due, as at the beginning of time; what is used is used at `now_ms`.
    pub fn stand_before_deadlines(&mut self, now_ms: i64) {
        self.set_now_ms(0);
        self.wall_ms = now_ms;
        self.access_now = self.access.word(now_ms);
    }

    /// Sets the time that commands see from now on.
    #[inline]
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        self.wall_ms = now_ms;
        self.limits.now_ms = now_ms;
        self.access_now = self.access.word(now_ms);
    }

    /// Where encodings change; what is not a threshold stays as it is.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = Limits {
            hasher: self.hasher,
            now_ms: self.now_ms,
            ..limits
        };
    }

    /// Where encodings change.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Adds a key that is not there.
    fn create(
        &mut self,
        db: usize,
        key: &Key<'_>,
        value: NewValue<'_>,
        deadline: Option<i64>,
    ) -> Position {
        let position = self.stores[db].insert(key, value, deadline, self.access_now);
        self.notify(db, key.bytes, event::NEW);
        position
    }

    /// Which keys are to be remembered as used, and how.
    pub fn set_access_policy(&mut self, access: AccessPolicy) {
        if access != self.access {
            self.eviction = EvictionPool::default();
        }
        self.access = access;
        self.access_now = access.word(self.now_ms);
    }

    /// How the use of keys is remembered.
    pub fn access_policy(&self) -> AccessPolicy {
        self.access
    }

    /// Which [`class`]es of events are published; 0: none.
    pub fn set_notify(&mut self, classes: u32) {
        self.notify = classes;
    }

    /// Whether the names of changed keys are noted for [`Self::take_changes`].
    pub fn set_note_changes(&mut self, note: bool) {
        self.note_changes = note;
    }

    /// The names of changed keys since the last call.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Gives the room of [`Self::take_changes`] back, to be used again.
    pub fn give_back_changes(&mut self, mut changes: Changes) {
        if self.changes.is_empty() {
            changes.clear();
            self.changes = changes;
        }
    }

    /// Whether deletions by expiry and eviction are logged for the propagation stream.
    pub fn set_log_deletions(&mut self, log: bool) {
        self.log_deletions = log;
    }

    /// Whether the data set stands still: reads see expired keys as gone but leave them.
    pub fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    /// DEBUG SET-ACTIVE-EXPIRE.
    pub fn set_active_expire(&mut self, active: bool) {
        self.expire_actively = active;
    }

    /// Changes since the start.
    #[inline]
    pub fn dirty(&self) -> u64 {
        self.dirty
    }

    /// Adds changes that are not those of one key (FLUSHALL).
    pub fn add_dirty(&mut self, changes: u64) {
        self.dirty += changes;
    }

    /// The funnel of all changes by commands.
    #[inline]
    pub(in crate::keyspace) fn changed(&mut self, db: usize, key: &[u8], event: Event) {
        self.dirty += 1;
        self.touched(db, key, event);
    }

    /// What follows from a change besides the dirty count.
    #[inline]
    fn touched(&mut self, db: usize, key: &[u8], event: Event) {
        let by_command = event.class & (class::EXPIRED | class::EVICTED) == 0;
        self.spoil(db, key, by_command);
        self.notify(db, key, event);
    }

    /// Tells those who watch the key, wait for it or have read it.
    #[inline]
    fn spoil(&mut self, db: usize, key: &[u8], by_command: bool) {
        if self.note_changes {
            self.changes.note_key(key, by_command);
        }
        if !self.waiters.is_empty() {
            self.waiters.changed(db, key);
        }
    }

    /// Notes an event for publication, if its class is.
    #[inline]
    pub(in crate::keyspace) fn notify(&mut self, db: usize, key: &[u8], event: Event) {
        if self.notify & event.class != 0 && self.notify & (class::KEYSPACE | class::KEYEVENT) != 0
        {
            self.notifications.push(Notification {
                db,
                key: key.into(),
                event,
            });
        }
    }

    /// The events noted since the last call.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        std::mem::take(&mut self.notifications)
    }

    /// Whether something waits for [`Self::take_deletions`], [`Self::take_notifications`] or [`Self::take_changes`].
    #[inline]
    pub fn has_news(&self) -> bool {
        !self.deletions.is_empty() || !self.notifications.is_empty() || !self.changes.is_empty()
    }

    /// The keys and members that expiry and eviction deleted since the last call.
    pub fn take_deletions(&mut self) -> Vec<Deletion> {
        std::mem::take(&mut self.deletions)
    }

    /// Whether there is garbage for the helper thread.
    #[inline]
    pub fn has_garbage(&self) -> bool {
        !self.garbage.is_empty()
    }

    /// What is to be freed on the helper thread.
    pub fn take_garbage(&mut self) -> Vec<Garbage> {
        std::mem::take(&mut self.garbage)
    }

    /// Frees what a removed value left: at once, or on the helper thread if that takes long.
    #[inline]
    pub(in crate::keyspace) fn discard(&mut self, mut remains: Remains) {
        if let (Some(snapshot), true) = (&mut self.snapshot, remains.is_some()) {
            remains = snapshot.keep(remains);
        }
        if let Some(object) = remains
            && object.stored().free_effort() > LAZY_FREE_MIN_EFFORT
        {
            self.counters.lazy_freed += 1;
            self.garbage.push(Garbage::Object(object));
        }
    }

    /// Empties a database; how many keys it had. `lazy`: freed on the helper thread. Of those who watch or wait, it
    /// concerns those of keys that were there.
    pub fn flush(&mut self, db: usize, lazy: bool) -> usize {
        let store = std::mem::replace(&mut self.stores[db], Store::new(self.hasher));
        let (keys, hasher) = (store.len(), self.hasher);
        if self.note_changes {
            self.changes.note_flush();
        }
        self.waiters
            .database_changed(db, |name| store.find(&Key::new(name, &hasher)).is_some());
        let store = match &mut self.snapshot {
            Some(snapshot) => snapshot.keep_store(db, store),
            None => Some(store),
        };
        if let Some(store) = store.filter(|_| lazy && keys > 0) {
            self.counters.lazy_freed += keys as u64;
            self.garbage.push(Garbage::Store(Box::new(store)));
        }
        keys
    }

    /// Exchanges the content of two databases. Clients stay with their number. Of those who watch or wait, it concerns
    /// those of keys that were there before or are there now.
    pub fn swap(&mut self, one: usize, other: usize) {
        for (here, there) in [(one, other), (other, one)] {
            for name in self.waiters.names_in(here) {
                let key = Key::new(&name, &self.hasher);
                self.expire_if_due(there, &key);
                let concerned = [here, there]
                    .iter()
                    .any(|db| self.stores[*db].find(&key).is_some());
                if concerned {
                    self.waiters.changed(here, &name);
                }
            }
        }
        self.stores.swap(one, other);
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.swapped(one, other);
        }
    }

    /// INFO keyspace: a line for each database that has keys. `avg_ttl` in milliseconds is that of a sample.
    pub fn info(&self, info: &mut Info) {
        for (db, store) in self.stores.iter().enumerate() {
            if store.is_empty() {
                continue;
            }
            let left_ms = |deadline: i64| deadline.saturating_sub(self.now_ms).max(0);
            let (sum_ms, sampled) = store
                .sample_deadlines(TTL_SAMPLES)
                .fold((0i128, 0i128), |(sum, count), deadline| {
                    (sum + i128::from(left_ms(deadline)), count + 1)
                });
            let (keys, expires) = (store.len(), store.expiring());
            let avg_ttl = sum_ms.checked_div(sampled).unwrap_or(0);
            let subexpiry = store.keys_with_expiring_members();
            info.field(
                format_args!("db{db}"),
                format_args!(
                    "keys={keys},expires={expires},avg_ttl={avg_ttl},subexpiry={subexpiry}"
                ),
            );
        }
    }

    /// Bytes that keys and tables take from outside the global allocator.
    pub fn arena_bytes(&self) -> usize {
        self.stores.iter().map(Store::arena_bytes).sum()
    }

    /// Bytes of tables and expiry heaps.
    pub fn overhead_bytes(&self) -> usize {
        self.stores.iter().map(Store::overhead_bytes).sum()
    }
}
