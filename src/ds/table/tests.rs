//! The table against a BTreeMap: random operations from a seed, walks and scans under way all the while.

use super::*;
use crate::base::{hash::Hasher, random::Random};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// A record that is its own handle: a key of 24 bits and a version of 24 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    key: u32,
    version: u32,
}

impl Slot for Item {
    fn bits(self) -> u64 {
        u64::from(self.key) << 24 | u64::from(self.version)
    }
    // SAFETY: any number is an item.
    unsafe fn from_bits(bits: u64) -> Self {
        Self {
            key: (bits >> 24) as u32,
            version: bits as u32 & 0xff_ffff,
        }
    }
    fn hash(self, hasher: &Hasher) -> u64 {
        hasher.hash(&self.key.to_le_bytes())
    }
    fn prefetch(self) {}
}

fn operations() -> usize {
    std::env::var("OXIDIS_MODEL_OPERATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(300_000)
}

type Saved = Arc<Mutex<Vec<Item>>>;

/// A table, its safe twin, and what a walk has saved so far beside what it must have saved at its end.
struct Twin {
    hasher: Hasher,
    table: Table<Item>,
    model: BTreeMap<u32, u32>,
    walk: Option<(Saved, BTreeMap<u32, u32>)>,
}

impl Twin {
    fn new(arena: bool) -> Self {
        let hasher = Hasher::new(1, 2);
        Self {
            hasher,
            table: Table::new(hasher, arena),
            model: BTreeMap::new(),
            walk: None,
        }
    }

    fn find(&self, key: u32) -> Option<(Position, Item)> {
        self.table
            .find(self.hasher.hash(&key.to_le_bytes()), |item| item.key == key)
    }

    fn put(&mut self, key: u32, version: u32) {
        let item = Item { key, version };
        match self.find(key) {
            Some((position, old)) => assert_eq!(self.table.replace(position, item), old),
            None => {
                let position = self.table.insert(item.hash(&self.hasher), item);
                assert_eq!(self.find(key), Some((position, item)));
            }
        }
        self.model.insert(key, version);
    }

    fn delete(&mut self, key: u32) {
        let expected = self.model.remove(&key);
        let found = self.find(key);
        assert_eq!(found.map(|(_, item)| item.version), expected);
        if let Some((position, item)) = found {
            assert_eq!(self.table.remove(position, item.hash(&self.hasher)), item);
        }
    }

    fn walk_on(&mut self, buckets: usize) {
        if self.walk.is_none() {
            let saved: Saved = Arc::default();
            let sink = Arc::clone(&saved);
            self.table.begin_walk(Box::new(move |item| {
                sink.lock().expect("one thread").push(item)
            }));
            self.walk = Some((saved, self.model.clone()));
        }
        if self.table.walk(buckets) {
            let (saved, expected) = self.walk.take().expect("begun above");
            let saved = saved.lock().expect("one thread");
            assert_eq!(saved.len(), expected.len(), "each element once");
            let got: BTreeMap<u32, u32> =
                saved.iter().map(|item| (item.key, item.version)).collect();
            assert_eq!(got, expected);
        }
    }

    fn check(&self) {
        assert_eq!(self.table.len(), self.model.len());
        let mut all = BTreeMap::new();
        self.table
            .for_each(|item| assert_eq!(all.insert(item.key, item.version), None));
        assert_eq!(all, self.model);
        let directory = &self.table.directory;
        let deepest = directory
            .iter()
            .filter(|entry| entry.depth() == self.table.depth)
            .count();
        assert_eq!(deepest, self.table.deepest);
    }
}

#[test]
fn model_random_operations_agree_with_a_btreemap_while_walks_save_exact_snapshots() {
    for (seed, arena) in [(1, false), (2, true)] {
        let mut random = Random::from_seed(seed);
        let mut twin = Twin::new(arena);
        let mut span = 10;
        for step in 0..operations() {
            if step % 5000 == 0 {
                span = [10, 300, 5_000, 60_000][random.below(4) as usize];
                twin.check();
            }
            let key = random.below(span) as u32;
            // Phases that mostly add and phases that mostly delete, so that it grows, splits, shrinks and merges.
            let adding = if step / 20_000 % 2 == 0 { 80 } else { 25 };
            match random.below(100) {
                roll if roll < adding => twin.put(key, step as u32 & 0xff_ffff),
                99 => twin.walk_on(random.below(40) as usize),
                _ => twin.delete(key),
            }
        }
        twin.check();
        let keys: Vec<u32> = twin.model.keys().copied().collect();
        keys.into_iter().for_each(|key| twin.delete(key));
        twin.check();
    }
}

#[test]
fn model_a_scan_meets_every_element_that_stays() {
    let mut random = Random::from_seed(3);
    for size in [0u32, 1, 5, 100, 2_000, 20_000] {
        let mut twin = Twin::new(false);
        (0..size).for_each(|key| twin.put(key, 0));
        let (mut met, mut cursor, mut steps) = (BTreeSet::new(), 0, 0u32);
        loop {
            cursor = twin.table.scan(cursor, |item| {
                met.insert(item.key);
            });
            assert!(cursor < 1 << 53);
            if cursor == 0 {
                break;
            }
            // Elements outside the range of those that stay come and go, in waves larger than the table.
            for _ in 0..20 {
                let key = size + random.below(u64::from(size) * 4 + 1) as u32;
                if steps / 300 % 2 == 0 {
                    twin.put(key, 1)
                } else {
                    twin.delete(key)
                }
            }
            steps += 1;
        }
        assert!((0..size).all(|key| met.contains(&key)), "size {size}");
    }
}

#[test]
fn a_scan_of_a_table_that_rests_meets_every_element_once() {
    let mut twin = Twin::new(false);
    (0..50_000).for_each(|key| twin.put(key, 0));
    let (mut met, mut cursor) = (Vec::new(), 0);
    loop {
        cursor = twin.table.scan(cursor, |item| met.push(item.key));
        if cursor == 0 {
            break;
        }
    }
    met.sort_unstable();
    assert_eq!(met, (0..50_000).collect::<Vec<_>>());
}

#[test]
fn any_cursor_is_answered() {
    let mut twin = Twin::new(false);
    (0..5_000).for_each(|key| twin.put(key, 0));
    let mut random = Random::from_seed(4);
    for _ in 0..10_000 {
        let cursor = random.next_u64();
        let next = twin.table.scan(cursor, |_| ());
        assert!(next == 0 || next > cursor & ((1 << CURSOR_BITS) - 1));
    }
}

#[test]
fn random_elements_are_chosen_evenly() {
    let mut twin = Twin::new(false);
    let elements = 3_000u32;
    (0..elements).for_each(|key| twin.put(key, 0));
    let mut random = Random::from_seed(5);
    let mut counts = vec![0f64; elements as usize];
    let rounds = 300_000;
    for _ in 0..rounds {
        counts[twin.table.random(&mut random).expect("not empty").key as usize] += 1.0;
    }
    let mean = f64::from(rounds) / f64::from(elements);
    let chi_squared: f64 = counts
        .iter()
        .map(|count| (count - mean).powi(2) / mean)
        .sum();
    // 3,000 degrees of freedom: standard deviation sqrt(2 * 3000) = 77; five of them on either side.
    assert!(
        (chi_squared - f64::from(elements)).abs() < 5.0 * 78.0,
        "{chi_squared}"
    );
}

#[test]
fn an_abandoned_walk_leaves_a_table_that_can_be_walked_again() {
    let mut twin = Twin::new(false);
    (0..3_000).for_each(|key| twin.put(key, 0));
    twin.walk_on(10);
    twin.table.abandon_walk();
    twin.walk = None;
    (0..3_000).for_each(|key| twin.put(key, 1));
    while twin.walk.is_some() || twin.table.walk.is_some() {
        twin.walk_on(100);
    }
    twin.walk_on(usize::MAX);
    twin.check();
}

#[test]
fn the_fill_stays_high_at_every_size() {
    let mut twin = Twin::new(true);
    let mut lowest = 1.0f64;
    let mut total = 0.0;
    for key in 0..200_000 {
        twin.put(key, 0);
        if key >= 20_000 && key % 1_000 == 0 {
            let fill = twin.table.len() as f64 / twin.table.capacity() as f64;
            lowest = lowest.min(fill);
            total += fill / 180.0;
        }
    }
    assert!(
        lowest > 0.78 && total > 0.82,
        "lowest {lowest}, mean {total}"
    );
}

/// An item whose hash says little: its key, in bits that are far from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clustered(u32);

impl Slot for Clustered {
    fn bits(self) -> u64 {
        u64::from(self.0)
    }
    // SAFETY: any number is an item.
    unsafe fn from_bits(bits: u64) -> Self {
        Self(bits as u32)
    }
    fn hash(self, _: &Hasher) -> u64 {
        u64::from(self.0) << 42
    }
    fn prefetch(self) {}
}

/// An item whose hash agrees with all others in its first 20 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Deep(u32);

impl Slot for Deep {
    fn bits(self) -> u64 {
        u64::from(self.0)
    }
    // SAFETY: any number is an item.
    unsafe fn from_bits(bits: u64) -> Self {
        Self(bits as u32)
    }
    fn hash(self, hasher: &Hasher) -> u64 {
        0x5555_5000_0000_0000 | hasher.hash(&self.0.to_le_bytes()) >> 20
    }
    fn prefetch(self) {}
}

#[test]
fn a_scan_of_very_deep_segments_ends_and_meets_everything() {
    // Segments of some 30 million keys are as deep as these; the cursor then once stood still.
    let hasher = Hasher::new(1, 2);
    let mut table = Table::new(hasher, false);
    for key in 0..1_000 {
        table.insert(Deep(key).hash(&hasher), Deep(key));
    }
    assert!(table.depth >= 17, "{}", table.depth);
    let (mut met, mut cursor, mut steps) = (BTreeSet::new(), 0, 0);
    loop {
        cursor = table.scan(cursor, |item| {
            met.insert(item.0);
        });
        steps += 1;
        assert!(steps < 1_000_000);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(met.len(), 1_000);
    let saved = Arc::new(Mutex::new(0));
    let sink = Arc::clone(&saved);
    table.begin_walk(Box::new(move |_| *sink.lock().expect("one thread") += 1));
    while !table.walk(1000) {}
    assert_eq!(*saved.lock().expect("one thread"), 1_000);
}

#[test]
fn elements_that_stand_close_together_split_segments_until_they_fit() {
    // A segment of 64 buckets that is four fifths full may still have no room in one place: that once was a panic.
    let hasher = Hasher::new(1, 2);
    let mut table = Table::new(hasher, false);
    for key in 0..3_000 {
        table.insert(Clustered(key).hash(&hasher), Clustered(key));
    }
    let find =
        |table: &Table<Clustered>, key: u32| table.find(u64::from(key) << 42, |item| item.0 == key);
    assert!((0..3_000).all(|key| find(&table, key).is_some()));
    for key in 0..3_000 {
        let (position, item) = find(&table, key).expect("it is in the table");
        table.remove(position, item.hash(&hasher));
    }
    assert!(table.is_empty());
    assert_eq!(
        table.segments,
        table
            .directory
            .iter()
            .collect::<std::collections::HashSet<_>>()
            .len()
    );
}

#[test]
fn in_bulk_segments_become_large_at_once_and_stay_as_full_as_fresh_ones() {
    let hasher = Hasher::new(1, 2);
    let mut table: Table<Item> = Table::new(hasher, true);
    let hash = |key: u32| hasher.hash(&key.to_le_bytes());
    table.set_in_bulk(true);
    for key in 0..40_000 {
        table.insert(hash(key), Item { key, version: 1 });
        let (_, _, largest) = table.shape();
        assert!(largest < 16 || largest == BUCKETS_MAX);
        let is_full = table.len() * 100 >= table.capacity() * 38;
        assert!(
            is_full || largest < BUCKETS_MAX || table.len() < 1000,
            "{key}"
        );
    }
    table.set_in_bulk(false);
    for key in 0..40_000 {
        let found = table.find(hash(key), |item| item.key == key);
        let (position, _) = found.expect("it was inserted");
        table.remove(position, hash(key));
    }
    assert!(table.is_empty());
}

#[test]
fn a_table_made_for_so_many_elements_takes_them_and_more_and_loses_them_again() {
    for len in [1, 9, 100, 500, 5_000, 40_000] {
        let hasher = Hasher::new(1, 2);
        let mut table: Table<Item> = Table::new(hasher, true);
        table.reserve(len);
        let segments = table.shape().0;
        let hash = |key: u32| hasher.hash(&key.to_le_bytes());
        let end = u32::try_from(len * 2).expect("tests are small");
        for key in 0..end {
            if key as usize == len {
                assert_eq!(table.shape().0, segments, "none was split for {len}");
            }
            table.insert(hash(key), Item { key, version: 1 });
        }
        assert_eq!(table.len(), len * 2);
        for key in 0..end {
            let found = table.find(hash(key), |item| item.key == key);
            let (position, _) = found.expect("it was inserted");
            table.remove(position, hash(key));
        }
        assert!(table.is_empty() && table.shape().0 < segments.max(2));
    }
}
