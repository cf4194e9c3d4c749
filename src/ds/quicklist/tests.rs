//! The chain against a plain vector of words, under every kind of limit.

use super::*;
use crate::base::random::Random;

const LIMITS: [NodeLimits; 5] = [
    NodeLimits {
        max_bytes: 4096,
        max_len: usize::MAX,
        large_min_bytes: 4097,
    },
    NodeLimits {
        max_bytes: 8192,
        max_len: 1,
        large_min_bytes: 8193,
    },
    NodeLimits {
        max_bytes: 8192,
        max_len: 5,
        large_min_bytes: 20,
    },
    NodeLimits {
        max_bytes: 8192,
        max_len: usize::MAX,
        large_min_bytes: 1,
    },
    NodeLimits {
        max_bytes: 100,
        max_len: usize::MAX,
        large_min_bytes: 101,
    },
];

fn word(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0..4 => random.below(30).to_string().into_bytes(),
        4..7 => format!("word:{}", random.below(20)).into_bytes(),
        7 => (random.next_u64() as i64).to_string().into_bytes(),
        8 => vec![b'x'; random.below(100) as usize],
        _ => vec![b'y'; random.below(5000) as usize],
    }
}

fn words(list: &Quicklist) -> Vec<Vec<u8>> {
    let mut room = Vec::new();
    list.iter_from(0)
        .map(|value| value.bytes(&mut room).to_vec())
        .collect()
}

/// What must hold between any two calls, and that all ways of reading agree with the model.
fn check(list: &Quicklist, model: &[Vec<u8>], limits: &NodeLimits) {
    assert_eq!(list.len(), model.len());
    assert_eq!(words(list), model);
    let mut room = Vec::new();
    let back: Vec<Vec<u8>> = list
        .iter_back()
        .map(|value| value.bytes(&mut room).to_vec())
        .collect();
    assert!(back.iter().eq(model.iter().rev()));
    let mut next = list.nodes.front().map_or(0, |node| node.first);
    for numbered in &list.nodes {
        assert_eq!(numbered.first, next);
        assert!(numbered.node.len() > 0, "no node is empty");
        next += numbered.node.len() as i64;
        if let Node::Packed(run) = &numbered.node {
            let pack = Pack::check(run.pack().bytes()).expect("a node is a true listpack");
            assert_eq!(pack.len(), run.len());
            assert!(run.len() == 1 || limits.allow(run.pack_bytes(), run.len()));
        }
    }
    for index in [
        0,
        1,
        model.len() / 3,
        model.len() / 2,
        model.len().wrapping_sub(1),
    ] {
        let found = list.get(index).map(|value| value.bytes(&mut room).to_vec());
        assert_eq!(found.as_ref(), model.get(index));
    }
}

fn side(random: &mut Random) -> Side {
    if random.below(2) == 0 {
        Side::Front
    } else {
        Side::Back
    }
}

fn push(list: &mut Quicklist, model: &mut Vec<Vec<u8>>, random: &mut Random, limits: &NodeLimits) {
    let (side, word) = (side(random), word(random));
    list.push(side, word.as_slice().into(), limits);
    match side {
        Side::Front => model.insert(0, word),
        Side::Back => model.push(word),
    }
}

fn change(
    list: &mut Quicklist,
    model: &mut Vec<Vec<u8>>,
    random: &mut Random,
    limits: &NodeLimits,
) {
    let index = random.below(model.len() as u64 + 1) as usize;
    match random.below(8) {
        0 | 1 => {
            let word = word(random);
            list.insert(index, word.as_slice().into(), limits);
            model.insert(index, word);
        }
        2 | 3 if index < model.len() => {
            let word = word(random);
            list.set(index, word.as_slice().into(), limits);
            model[index] = word;
        }
        4 => {
            let count = (random.below(40) as usize).min(model.len() - index);
            list.remove(index, count, limits);
            model.drain(index..index + count);
        }
        5 => {
            let (side, count) = (side(random), random.below(4) as usize);
            list.cut(side, count);
            let count = count.min(model.len());
            match side {
                Side::Front => model.drain(..count),
                Side::Back => model.drain(model.len() - count..),
            };
        }
        6 => {
            let (side, word, max) = (side(random), word(random), random.below(5) as usize);
            let removed = list.remove_equal(&word, side, max, limits);
            let mut places: Vec<usize> = (0..model.len()).filter(|at| model[*at] == word).collect();
            if side == Side::Back {
                places.reverse();
            }
            places.truncate(max);
            places.sort_unstable_by(|a, b| b.cmp(a));
            assert_eq!(removed, places.len());
            places.into_iter().for_each(|at| drop(model.remove(at)));
        }
        _ => push(list, model, random, limits),
    }
}

#[test]
fn any_sequence_of_changes_leaves_what_a_vector_would_have() {
    for (seed, limits) in LIMITS.iter().enumerate() {
        let mut random = Random::from_seed(seed as u64 + 7);
        let (mut list, mut model) = (Quicklist::default(), Vec::new());
        for round in 0..4_000 {
            if round % 500 < 200 {
                push(&mut list, &mut model, &mut random, limits);
            } else {
                change(&mut list, &mut model, &mut random, limits);
            }
            if round % 7 == 0 {
                check(&list, &model, limits);
            }
        }
        check(&list, &model, limits);
    }
}

#[test]
fn shared_nodes_stay_as_they_were_whatever_the_list_does() {
    for (seed, limits) in LIMITS.iter().enumerate() {
        let mut random = Random::from_seed(seed as u64 + 70);
        let (mut list, mut model) = (Quicklist::default(), Vec::new());
        let mut shared: Vec<(Vec<SharedPart>, Vec<Vec<u8>>)> = Vec::new();
        for round in 0..3_000 {
            match random.below(30) {
                0 => shared.push((list.share(), model.clone())),
                1 if !shared.is_empty() => {
                    let (parts, then) = shared.swap_remove(0);
                    let mut room = Vec::new();
                    let values = parts.iter().flat_map(|part| part.part().values());
                    let values = values.map(|value| value.bytes(&mut room).to_vec());
                    assert_eq!(values.collect::<Vec<_>>(), then);
                }
                2..12 => push(&mut list, &mut model, &mut random, limits),
                _ => change(&mut list, &mut model, &mut random, limits),
            }
            if round % 7 == 0 {
                check(&list, &model, limits);
            }
        }
    }
}

#[test]
fn a_run_that_is_worked_on_at_both_ends_stays_a_true_listpack() {
    let mut random = Random::from_seed(3);
    let (mut run, mut model) = (Run::default(), VecDeque::new());
    for _ in 0..20_000 {
        let (side, word) = (side(&mut random), word(&mut random));
        match (random.below(5), side) {
            (0..3, Side::Front) if run.pack_bytes() < 6_000 => {
                run.push(side, &word);
                model.push_front(word);
            }
            (0..3, Side::Back) if run.pack_bytes() < 6_000 => {
                run.push(side, &word);
                model.push_back(word);
            }
            (_, Side::Front) if !run.is_empty() => {
                run.cut(side, 1);
                model.pop_front();
            }
            (_, Side::Back) if !run.is_empty() => {
                run.cut(side, 1);
                model.pop_back();
            }
            _ => {}
        }
        assert_eq!(run.len(), model.len());
        if !run.is_empty() {
            let pack = Pack::check(run.pack().bytes()).expect("it is a true listpack");
            let ends = (pack.first(), pack.last());
            let bytes = ends
                .0
                .zip(ends.1)
                .map(|(first, last)| (first.element.to_vec(), last.element.to_vec()));
            let expected = model.front().cloned().zip(model.back().cloned());
            assert_eq!(bytes, expected);
        }
    }
}

#[test]
fn elements_of_16_bytes_take_at_most_18_and_a_half() {
    for side in [Side::Front, Side::Back] {
        let limits = NodeLimits {
            max_bytes: 8192,
            ..LIMITS[0]
        };
        let mut list = Quicklist::default();
        for number in 0..100_000 {
            let word = format!("element:{number:08}");
            list.push(side, word.as_bytes().into(), &limits);
        }
        let bytes_per_element = list.heap_bytes() as f64 / 100_000.0;
        assert!(bytes_per_element < 18.6, "{bytes_per_element}");
    }
}
