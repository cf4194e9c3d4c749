//! Every encoding of a hash against a map that does the same.

use super::*;
use crate::base::hash::Hasher;
use crate::base::random::Random;
use std::collections::BTreeMap;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn limits(entries: usize) -> Limits {
    Limits {
        hash_max_listpack_entries: entries,
        ..Limits::new(Hasher::new(1, 2))
    }
}

fn content(hash: &Hash) -> Model {
    let mut found = Model::new();
    hash.view().for_each_field(|name, field| {
        let value = (field.value.to_vec(), field.deadline);
        let before = found.insert(name.to_vec(), value);
        assert!(before.is_none(), "a field stands there once");
    });
    found
}

/// One step on both; what they answered.
fn step(hash: &mut Hash, model: &mut Model, random: &mut Random, limits: &Limits) {
    let now_ms = limits.now_ms;
    let name = format!("field{}", random.below(40)).into_bytes();
    let value = match random.below(3) {
        0 => random.below(1000).to_string().into_bytes(),
        1 => vec![b'v'; random.below(60) as usize],
        _ => random.next_u64().to_string().into_bytes(),
    };
    let later = now_ms + random.below(50) as i64;
    let present = model.get(&name).and_then(|(_, deadline)| *deadline);
    let lives = model.contains_key(&name) && present.is_none_or(|at| at >= now_ms);
    match random.below(6) {
        choice @ 0..3 => {
            let lifetime = [Lifetime::Forever, Lifetime::Keep, Lifetime::Until(later)];
            let deadline = [None, present.filter(|at| *at >= now_ms), Some(later)];
            let is_new = hash.set(limits, &name, &value, lifetime[choice as usize]);
            let before = model.insert(name, (value, deadline[choice as usize]));
            assert_eq!(is_new, before.is_none());
        }
        3 => assert_eq!(hash.remove(&name), model.remove(&name).is_some()),
        4 => {
            let fates = [Fate::Stay, Fate::Persist, Fate::Expire(later), Fate::Remove];
            let fate = fates[random.below(4) as usize];
            let told = hash.settle(now_ms, &name, |field| {
                assert_eq!(field.deadline, present);
                fate
            });
            assert_eq!(told, lives.then_some(fate));
            match fate {
                Fate::Remove if lives => drop(model.remove(&name)),
                Fate::Persist if lives => {
                    model
                        .entry(name)
                        .and_modify(|field| field.1 = None)
                        .or_default()
                        .1 = None
                }
                Fate::Expire(at) if lives => model.entry(name).or_default().1 = Some(at),
                _ => {}
            }
        }
        _ => {
            let mut gone = Vec::new();
            hash.expire_members(now_ms, 3, &mut |name| gone.push(name.to_vec()));
            let mut last = i64::MIN;
            for name in gone {
                let (_, deadline) = model.remove(&name).expect("what expires was there");
                let deadline = deadline.expect("what expires has a deadline");
                assert!(
                    deadline < now_ms && deadline >= last,
                    "in the order of deadlines"
                );
                last = deadline;
            }
        }
    }
}

#[test]
fn model_every_encoding_does_what_a_map_does() {
    let operations: usize = std::env::var("OXIDIS_MODEL_OPERATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(20_000);
    for entries in [0, 8, 512] {
        let mut random = Random::from_seed(entries as u64);
        let (mut hash, mut model) = (Hash::default(), Model::new());
        let mut limits = limits(entries);
        for _ in 0..operations {
            limits.now_ms += random.below(3) as i64;
            step(&mut hash, &mut model, &mut random, &limits);
            assert_eq!(hash.len(), model.len());
            let first = model.values().filter_map(|(_, deadline)| *deadline).min();
            assert_eq!(hash.first_deadline(), first);
            if random.below(50) == 0 {
                assert_eq!(content(&hash), model);
                let copy = hash.copy();
                assert_eq!(Hash::of(&copy).map(content), Some(model.clone()));
            }
        }
    }
}

#[test]
fn numbers_are_added_in_every_encoding_and_keep_their_deadline() {
    for (entries, deadline) in [(512, None), (512, Some(5)), (0, None), (0, Some(5))] {
        let limits = limits(entries);
        let mut hash = Hash::default();
        assert_eq!(hash.add(&limits, b"n", 5), Ok(5));
        if let Some(at) = deadline {
            hash.settle(0, b"n", |_| Fate::Expire(at));
        }
        assert_eq!(hash.add(&limits, b"n", -7), Ok(-2));
        assert_eq!(
            hash.view().get(b"n").map(|field| field.deadline),
            Some(deadline)
        );
        assert_eq!(hash.add(&limits, b"n", i64::MIN), Err(Unsummable::Overflow));
        hash.set(&limits, b"n", b"1.5", Lifetime::Forever);
        assert_eq!(hash.add(&limits, b"n", 1), Err(Unsummable::NotInteger));
        assert_eq!(
            content(&hash),
            Model::from([(b"n".to_vec(), (b"1.5".to_vec(), None))])
        );
    }
}

#[test]
fn a_field_that_has_expired_counts_as_nothing_when_a_number_is_added() {
    for entries in [512, 0] {
        let mut limits = limits(entries);
        let mut hash = Hash::default();
        hash.set(&limits, b"n", b"100", Lifetime::Until(5));
        limits.now_ms = 6;
        assert_eq!(hash.add(&limits, b"n", 1), Ok(1));
        assert_eq!(hash.first_deadline(), None);
    }
}
