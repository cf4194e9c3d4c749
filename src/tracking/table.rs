//! Which clients have read which keys: by the hash of the key, under which the keyspace has just found it.
//!
//! Two names of the same 64-bit hash count as one. The hash is keyed with a secret, so nobody can bring that about, and
//! among a million keys it comes by chance on one server in forty million.
//!
//! The table is many small ones, chosen by bits of the hash, so that growing stops nobody for long; entries of each lie in
//! a dense list, so that one can be drawn at random.
//!
//! ```text
//! hash -- bits 40..48 --> shard: hash -> place, only reader    entries: [hash, name, readers] ...
//! ```

use crate::base::random::Random;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Tables; a power of two.
const SHARDS: usize = 256;
/// Small tables that wait to be freed; more are freed at once.
const RETIRED_MAX: usize = 4 * SHARDS;
/// The bits of the hash that choose one: those that the maps inside use least.
const SHARD_SHIFT: u32 = 40;

/// Clients by id: mostly one; several in ascending order.
#[derive(Debug)]
pub(super) enum Readers {
    One(u64),
    Many(Vec<u64>),
}

impl Readers {
    /// Their ids.
    pub(super) fn ids(&self) -> &[u64] {
        match self {
            Readers::One(id) => std::slice::from_ref(id),
            Readers::Many(ids) => ids,
        }
    }

    /// Adds a reader; by how many there are more now (less, if some were no more alive).
    #[inline]
    fn add(&mut self, id: u64, is_alive: impl Fn(u64) -> bool) -> isize {
        match self {
            Readers::One(one) if *one == id => 0,
            Readers::One(one) => {
                let one = *one;
                *self = Readers::Many(vec![one.min(id), one.max(id)]);
                1
            }
            Readers::Many(ids) => {
                let Err(place) = ids.binary_search(&id) else {
                    return 0;
                };
                if ids.len() < ids.capacity() {
                    ids.insert(place, id);
                    return 1;
                }
                // Before it grows, those who are gone make room.
                let before = ids.len() as isize;
                ids.retain(|id| is_alive(*id));
                let place = ids.partition_point(|other| *other < id);
                ids.insert(place, id);
                ids.len() as isize - before
            }
        }
    }
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    name: Box<[u8]>,
    readers: Readers,
}

/// Takes a number that is a hash already as it is.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Where a key's entry is.
#[derive(Debug)]
struct Place {
    at: u32,
    /// The only reader, where that is so and its id fits; else 0, which is nobody's id. Whoever reads a key again and again
    /// need not touch the entry.
    only_reader: u32,
}

#[derive(Debug, Default)]
struct Shard {
    places: HashMap<u64, Place, BuildHasherDefault<AsIs>>,
    entries: Vec<Entry>,
}

impl Shard {
    fn take(&mut self, place: u32) -> Entry {
        let entry = self.entries.swap_remove(place as usize);
        self.places.remove(&entry.hash);
        let moved = self.entries.get(place as usize);
        if let Some(its_place) = moved.and_then(|moved| self.places.get_mut(&moved.hash)) {
            its_place.at = place;
        }
        entry
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// None until the first key comes.
    shards: Vec<Shard>,
    /// What has been forgotten as a whole and not been freed.
    retired: Vec<Shard>,
    keys: usize,
    items: usize,
}

#[inline]
fn shard_of(hash: u64) -> usize {
    (hash >> SHARD_SHIFT) as usize & (SHARDS - 1)
}

impl Table {
    /// Keys that are remembered.
    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    /// Readers of all keys together.
    pub(super) fn items(&self) -> usize {
        self.items
    }

    /// Forgets all keys. To free a million of them at once would stop everybody: [`Self::free_some`] does it bit by bit.
    pub(super) fn clear(&mut self) {
        let shards = self.shards.drain(..);
        let filled = shards.filter(|shard| !shard.entries.is_empty());
        self.retired.extend(filled);
        let too_many = self.retired.len().saturating_sub(RETIRED_MAX);
        self.retired.drain(..too_many);
        (self.keys, self.items) = (0, 0);
    }

    /// Frees one small table of what was forgotten, if there is one.
    #[inline]
    pub(super) fn free_some(&mut self) {
        if !self.retired.is_empty() {
            drop(self.retired.pop());
        }
    }

    /// The client has read the key.
    #[inline]
    pub(super) fn add(&mut self, name: &[u8], hash: u64, id: u64, is_alive: impl Fn(u64) -> bool) {
        if self.shards.is_empty() {
            self.shards.resize_with(SHARDS, Shard::default);
        }
        let shard = &mut self.shards[shard_of(hash)];
        let only_reader = u32::try_from(id).unwrap_or(0);
        if let Some(place) = shard.places.get_mut(&hash) {
            if place.only_reader == only_reader && only_reader != 0 {
                return;
            }
            place.only_reader = 0;
            let readers = &mut shard.entries[place.at as usize].readers;
            self.items = self.items.saturating_add_signed(readers.add(id, is_alive));
            return;
        }
        let at = shard.entries.len() as u32;
        shard.places.insert(hash, Place { at, only_reader });
        shard.entries.push(Entry {
            hash,
            name: name.into(),
            readers: Readers::One(id),
        });
        self.keys += 1;
        self.items += 1;
    }

    /// Forgets the key; who has read it.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64) -> Option<Readers> {
        let shard = self.shards.get_mut(shard_of(hash))?;
        let place = shard.places.get(&hash)?.at;
        let entry = shard.take(place);
        self.count_removed(&entry);
        Some(entry.readers)
    }

    /// Forgets some key; its name and who has read it.
    pub(super) fn remove_random(&mut self, random: &mut Random) -> Option<(Box<[u8]>, Readers)> {
        if self.keys == 0 {
            return None;
        }
        let mut at = random.below(SHARDS as u64) as usize;
        while self.shards[at].entries.is_empty() {
            at = (at + 1) % SHARDS;
        }
        let shard = &mut self.shards[at];
        let place = random.below(shard.entries.len() as u64) as u32;
        let entry = shard.take(place);
        self.count_removed(&entry);
        Some((entry.name, entry.readers))
    }

    fn count_removed(&mut self, entry: &Entry) {
        self.keys -= 1;
        self.items -= entry.readers.ids().len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_readers_are_counted_whichever_way_they_go() {
        let mut table = Table::default();
        let mut random = Random::from_seed(1);
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for n in 0..1000_u64 {
            for id in 0..=n % 3 {
                table.add(n.to_string().as_bytes(), hash(n), id, |_| true);
                table.add(n.to_string().as_bytes(), hash(n), id, |_| true);
            }
        }
        assert_eq!(
            (table.keys(), table.items()),
            (1000, 334 + 333 * 2 + 333 * 3)
        );
        for n in 0..500_u64 {
            let readers = table.remove(hash(n)).expect("it is there");
            assert_eq!(readers.ids().len() as u64, n % 3 + 1);
            assert!(table.remove(hash(n)).is_none());
        }
        let mut names = Vec::new();
        while let Some((name, _)) = table.remove_random(&mut random) {
            names.push(name);
        }
        names.sort();
        names.dedup();
        assert_eq!((names.len(), table.keys(), table.items()), (500, 0, 0));
    }

    #[test]
    fn what_was_forgotten_as_a_whole_is_freed_bit_by_bit() {
        let mut table = Table::default();
        for n in 0..1000_u64 {
            table.add(b"k", n << SHARD_SHIFT, 1, |_| true);
        }
        table.clear();
        assert_eq!((table.keys(), table.items()), (0, 0));
        assert!(table.remove(1 << SHARD_SHIFT).is_none());
        table.add(b"k", 1 << SHARD_SHIFT, 1, |_| true);
        assert_eq!(table.retired.len(), SHARDS);
        for _ in 0..SHARDS {
            table.free_some();
        }
        assert!(table.retired.is_empty() && table.remove(1 << SHARD_SHIFT).is_some());
        for _ in 0..2 * RETIRED_MAX {
            table.add(b"k", 1, 1, |_| true);
            table.clear();
        }
        assert_eq!(table.retired.len(), RETIRED_MAX);
    }

    #[test]
    fn readers_that_are_gone_do_not_pile_up() {
        let mut table = Table::default();
        for id in 0..100_000 {
            table.add(b"hot", 7, id, |other| other + 2 > id);
        }
        assert!(table.items() < 10, "{}", table.items());
    }
}
