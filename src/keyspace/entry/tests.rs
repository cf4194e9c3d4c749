//! The store against a BTreeMap of owned values, with walks under way.

use super::*;
use crate::base::random::Random;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

type Content = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

struct Twin {
    hasher: Hasher,
    store: Store,
    model: Content,
}

fn content_of(record: RecordRef<'_>) -> (Vec<u8>, Option<i64>) {
    let mut digits = crate::types::string::Digits::default();
    let string = record.string().expect("all are strings");
    (string.bytes(&mut digits).to_vec(), record.deadline())
}

impl Twin {
    fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        Key {
            bytes,
            hash: self.hasher.hash(bytes),
        }
    }

    fn put(&mut self, name: &[u8], value: &[u8], deadline: Option<i64>) {
        let key = self.key(name);
        let new = NewValue::from(NewString::Bytes(value));
        match self.store.find(&key).map(|(position, _)| position) {
            Some(position) => drop(self.store.set(position, new, deadline, 1)),
            None => drop(self.store.insert(&key, new, deadline, 1)),
        }
        self.model.insert(name.to_vec(), (value.to_vec(), deadline));
    }

    fn step(&mut self, name: &[u8], random: &mut Random) {
        let key = self.key(name);
        let found = self
            .store
            .find(&key)
            .map(|(position, record)| (position, content_of(record)));
        assert_eq!(
            found.as_ref().map(|(_, content)| content),
            self.model.get(name)
        );
        let deadline = (random.below(2) == 0).then(|| random.below(1000) as i64);
        let lengths = [0, 3, 8, 40, 250, 260, 5_000, 20_000];
        let length = lengths[random.below(lengths.len() as u64) as usize];
        let Some((position, (value, _))) = found else {
            let value = vec![random.below(10) as u8 + b'0'; length as usize];
            return self.put(name, &value, deadline);
        };
        match random.below(5) {
            0 => {
                drop(self.store.remove(position, key.hash));
                self.model.remove(name);
            }
            1 => {
                self.store.set_deadline(position, deadline);
                self.model.insert(name.to_vec(), (value, deadline));
            }
            2 => {
                let length = value.len() + random.below(30) as usize;
                self.store.string_mut(position, length, |bytes| {
                    bytes.iter_mut().for_each(|byte| *byte |= 1)
                });
                let content = self.model.get_mut(name).expect("found above");
                content.0.resize(length, 0);
                content.0.iter_mut().for_each(|byte| *byte |= 1);
            }
            _ => {
                let value = random.below(u64::MAX).to_string().into_bytes();
                self.put(name, &value, deadline);
            }
        }
    }

    fn check(&self) {
        let mut all = Content::new();
        self.store
            .for_each(|record| drop(all.insert(record.key().to_vec(), content_of(record))));
        assert!(all == self.model);
        assert_eq!(
            self.store.expiring(),
            self.model
                .values()
                .filter(|(_, deadline)| deadline.is_some())
                .count()
        );
        let first = self
            .model
            .values()
            .filter_map(|(_, deadline)| *deadline)
            .min();
        assert_eq!(
            self.store.first_deadline().map(|(deadline, _)| deadline),
            first
        );
    }
}

#[test]
fn model_records_keep_key_value_and_deadline_and_walks_save_exact_snapshots() {
    let operations: usize = std::env::var("OXIDIS_MODEL_OPERATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(60_000);
    let hasher = Hasher::new(3, 4);
    let mut twin = Twin {
        hasher,
        store: Store::new(hasher),
        model: Content::new(),
    };
    let mut random = Random::from_seed(21);
    let saved = Arc::new(Mutex::new(Content::new()));
    let mut expected: Option<Content> = None;
    for step in 0..operations {
        let long = if random.below(20) == 0 { 300 } else { 0 };
        let name = format!("key:{}{}", random.below(700), "x".repeat(long));
        twin.step(name.as_bytes(), &mut random);
        match &expected {
            None if step % 1000 == 0 => {
                let sink = Arc::clone(&saved);
                twin.store.begin_walk(Box::new(move |record| {
                    let before = sink
                        .lock()
                        .expect("one thread")
                        .insert(record.key().to_vec(), content_of(record));
                    assert!(before.is_none(), "each key once");
                    None
                }));
                expected = Some(twin.model.clone());
            }
            Some(content) if step % 7 == 0 && twin.store.walk(1) => {
                assert!(*saved.lock().expect("one thread") == *content);
                saved.lock().expect("one thread").clear();
                expected = None;
                twin.check();
            }
            _ => {}
        }
    }
}

#[test]
fn a_short_string_costs_six_bytes_beside_key_and_value() {
    let hasher = Hasher::new(3, 4);
    let mut store = Store::new(hasher);
    let name = [b'k'; 16];
    let key = Key {
        bytes: &name,
        hash: hasher.hash(&name),
    };
    let position = store.insert(&key, NewValue::Inline(&[b'v'; 32]), None, 0);
    assert_eq!(store.at(position).memory_bytes(), 54);
}

#[test]
fn a_value_that_fits_its_cell_is_changed_in_place() {
    let hasher = Hasher::new(3, 4);
    let mut store = Store::new(hasher);
    let key = Key {
        bytes: b"k",
        hash: hasher.hash(b"k"),
    };
    let position = store.insert(&key, NewValue::Inline(b"aaaa"), None, 7);
    let before = store.at(position).key().as_ptr();
    store.set(position, NewValue::Inline(b"bbbbb"), None, 8);
    let record = store.at(position);
    assert_eq!((record.key().as_ptr(), record.access()), (before, 8));
    assert_eq!(content_of(record), (b"bbbbb".to_vec(), None));
}
