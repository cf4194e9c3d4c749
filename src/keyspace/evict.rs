//! Eviction: which key goes when memory is full, and its going.
//!
//! The least used key is approximated. For each victim some keys of every database are sampled, and the best candidates met
//! so far are remembered in a small pool, so that a few samples at a time come close to the true order. A candidate that is
//! gone or kept for other reasons by its turn is passed over. The key that expires first needs no samples: the heap of
//! deadlines knows it.
//! Source: the description of key eviction in Redis' documentation.

use super::entry::{RecordRef, Store};
use super::{Keyspace, access::AccessPolicy, event};
use crate::base::random::Random;
use crate::config::settings::MaxmemoryPolicy;

/// Candidates that are remembered.
const POOL_MAX: usize = 16;

/// A key that may go.
#[derive(Debug)]
struct Candidate {
    /// The higher, the sooner it goes: seconds without use, or how far its counter is below the highest.
    score: u64,
    db: usize,
    name: Box<[u8]>,
}

/// The candidates met so far, the best at the end.
#[derive(Debug, Default)]
pub(super) struct EvictionPool {
    candidates: Vec<Candidate>,
    /// The database that gives the next victim where any will do.
    next_db: usize,
}

impl EvictionPool {
    /// Takes a key in if there is room or it is better than the worst.
    fn offer(&mut self, score: u64, db: usize, name: &[u8]) {
        let full = self.candidates.len() == POOL_MAX;
        let worst = self.candidates.first().map_or(0, |worst| worst.score);
        let is_known = |known: &Candidate| known.db == db && *known.name == *name;
        if full && score <= worst || self.candidates.iter().any(is_known) {
            return;
        }
        if full {
            self.candidates.remove(0);
        }
        let at = self
            .candidates
            .partition_point(|known| known.score <= score);
        let name = name.into();
        self.candidates.insert(at, Candidate { score, db, name });
    }
}

/// Whether only keys with a deadline may go.
fn is_volatile(policy: MaxmemoryPolicy) -> bool {
    use MaxmemoryPolicy::{VolatileLfu, VolatileLru, VolatileRandom, VolatileTtl};
    matches!(
        policy,
        VolatileLru | VolatileLfu | VolatileRandom | VolatileTtl
    )
}

impl Keyspace {
    /// Deletes the key that should go first under this policy, which looks at `samples` keys of each database; how many
    /// bytes came free at once. `None`: there is none that may go. `allocated`: bytes of the global allocator in use.
    pub fn evict(
        &mut self,
        policy: MaxmemoryPolicy,
        samples: u32,
        allocated: &dyn Fn() -> u64,
    ) -> Option<u64> {
        let victim = match policy {
            MaxmemoryPolicy::NoEviction => None,
            MaxmemoryPolicy::AllkeysRandom | MaxmemoryPolicy::VolatileRandom => {
                self.any_victim(is_volatile(policy))
            }
            MaxmemoryPolicy::VolatileTtl => self.first_to_expire(),
            _ => self.least_used(is_volatile(policy), samples),
        };
        let (db, name) = victim?;
        let key = self.key(&name);
        let Some((position, _)) = self.stores[db].find(&key) else {
            return Some(0);
        };
        self.counters.evicted += 1;
        let before = allocated() + self.stores[db].arena_bytes() as u64;
        self.remove_unasked(db, &key, position);
        let after = allocated() + self.stores[db].arena_bytes() as u64;
        self.tell_removed(db, &key, event::EVICTED);
        Some(before.saturating_sub(after))
    }

    /// Some key; databases take turns.
    fn any_victim(&mut self, volatile: bool) -> Option<(usize, Box<[u8]>)> {
        for step in 0..self.stores.len() {
            let db = (self.eviction.next_db + step) % self.stores.len();
            if let Some(record) = sample(&self.stores[db], volatile, &mut self.random) {
                let name = record.key().into();
                self.eviction.next_db = db + 1;
                return Some((db, name));
            }
        }
        None
    }

    /// The key whose deadline comes first.
    fn first_to_expire(&self) -> Option<(usize, Box<[u8]>)> {
        let stores = self.stores.iter().enumerate();
        stores
            .filter_map(|(db, store)| store.first_deadline().map(|first| (db, first)))
            .min_by_key(|(_, (deadline, _))| *deadline)
            .map(|(db, (_, record))| (db, record.key().into()))
    }

    /// The best candidate that is still there, after another look around.
    fn least_used(&mut self, volatile: bool, samples: u32) -> Option<(usize, Box<[u8]>)> {
        loop {
            self.sample_candidates(volatile, samples);
            // A pool of which nothing is left is filled again; an empty one after that says that there is nothing.
            if self.eviction.candidates.is_empty() {
                return None;
            }
            while let Some(Candidate { db, name, .. }) = self.eviction.candidates.pop() {
                let found = self.stores[db].find(&self.key(&name));
                if found.is_some_and(|(_, record)| !volatile || record.deadline().is_some()) {
                    return Some((db, name));
                }
            }
        }
    }

    fn sample_candidates(&mut self, volatile: bool, samples: u32) {
        let (access, now_ms) = (self.access, self.now_ms);
        for (db, store) in self.stores.iter().enumerate() {
            for _ in 0..samples {
                let Some(record) = sample(store, volatile, &mut self.random) else {
                    break;
                };
                let score = score(access, record.access(), now_ms);
                self.eviction.offer(score, db, record.key());
            }
        }
    }
}

/// A key by chance, of those with a deadline or of all.
fn sample<'s>(store: &'s Store, volatile: bool, random: &mut Random) -> Option<RecordRef<'s>> {
    if volatile {
        store.random_expiring(random)
    } else {
        store.random(random)
    }
}

fn score(access: AccessPolicy, word: u32, now_ms: i64) -> u64 {
    match access {
        AccessPolicy::Lru => access.idle_s(word, now_ms),
        AccessPolicy::Lfu { .. } => u64::from(u8::MAX - access.frequency(word, now_ms)),
    }
}
