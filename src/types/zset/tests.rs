//! Both encodings against a map, over random changes.

use super::*;
use crate::base::hash::Hasher;
use crate::base::random::Random;
use std::collections::BTreeMap;

type Model = BTreeMap<Vec<u8>, f64>;

fn limits(entries: usize) -> Limits {
    Limits {
        zset_max_listpack_entries: entries,
        ..Limits::new(Hasher::new(1, 2))
    }
}

fn sorted(model: &Model) -> Vec<(f64, Vec<u8>)> {
    let mut all: Vec<(f64, Vec<u8>)> = model.iter().map(|(n, s)| (*s, n.clone())).collect();
    all.sort_by(|one, other| compare((one.0, &one.1), (other.0, &other.1)));
    all
}

fn seen(zset: ZsetRef<'_>, ranks: Range<usize>, backwards: bool) -> Vec<(f64, Vec<u8>)> {
    let mut seen = Vec::new();
    zset.for_each(ranks, backwards, |name, score| {
        seen.push((score, name.to_vec()))
    });
    seen
}

fn assert_equal(zset: ZsetRef<'_>, model: &Model, random: &mut Random) {
    let all = sorted(model);
    assert_eq!(zset.len(), all.len());
    assert_eq!(seen(zset, 0..usize::MAX, false), all);
    let (start, end) = (random.below(20) as usize, random.below(60) as usize);
    let mut part: Vec<_> = all.iter().take(end).skip(start).cloned().collect();
    assert_eq!(seen(zset, start..end, false), part);
    part.reverse();
    assert_eq!(seen(zset, start..end, true), part);
    for (rank, (score, name)) in all.iter().enumerate() {
        assert_eq!(zset.rank(name), Some((rank, *score)));
    }
    let mut unordered = Vec::new();
    zset.for_each_unordered(|name, score| unordered.push((score, name.to_vec())));
    unordered.sort_by(|one, other| compare((one.0, &one.1), (other.0, &other.1)));
    assert_eq!(unordered, all);
    let range = ScoreRange {
        min: random.below(10) as f64,
        max: random.below(12) as f64,
        without_min: random.below(2) == 0,
        without_max: random.below(2) == 0,
    };
    let inside = |score: f64| !range.is_below(score) && !range.is_above(score);
    let wanted: Vec<_> = all.iter().filter(|(s, _)| inside(*s)).cloned().collect();
    assert_eq!(seen(zset, zset.ranks_of_scores(&range), false), wanted);
}

fn model_run(entries: usize, names: u64) {
    let mut random = Random::from_seed(entries as u64);
    let limits = limits(entries);
    let (mut zset, mut model) = (Zset::default(), Model::new());
    for step in 0..6_000 {
        let number = random.below(names);
        // Names that are numbers and names that are not; whole scores and others.
        let name = if number.is_multiple_of(2) {
            number.to_string().into_bytes()
        } else {
            format!("n{number}").into_bytes()
        };
        let score = random.below(40) as f64 / 4.0;
        match random.below(10) {
            0..6 => {
                let old = model.insert(name.clone(), score);
                let outcome = match old {
                    None => Added::New(score),
                    Some(old) if old == score => Added::Same(score),
                    Some(_) => Added::Changed(score),
                };
                assert_eq!(zset.add(&name, score, Rule::default(), &limits), outcome);
            }
            6 => {
                let rule = Rule {
                    increment: true,
                    ..Rule::default()
                };
                let sum = model.get(&name).map_or(score, |old| old + score);
                model.insert(name.clone(), sum);
                let outcome = zset.add(&name, score, rule, &limits);
                assert!(
                    [Added::New(sum), Added::Changed(sum), Added::Same(sum)].contains(&outcome)
                );
            }
            7 if step % 50 == 0 => {
                let start = random.below(30) as usize;
                let gone = seen(zset.view(), start..start + 9, false);
                zset.remove_range(start..start + 9);
                for (_, name) in gone {
                    model.remove(&name);
                }
            }
            _ => assert_eq!(zset.remove(&name), model.remove(&name)),
        }
        if step % 40 == 0 {
            assert_equal(zset.view(), &model, &mut random);
        }
    }
}

#[test]
fn model_both_encodings_hold_what_a_map_holds() {
    model_run(1000, 60);
    model_run(0, 60);
    model_run(0, 2000);
    model_run(50, 100);
}

#[test]
fn rules_are_obeyed_in_both_encodings() {
    for entries in [0, 128] {
        let limits = limits(entries);
        let mut zset = Zset::default();
        let mut add = |score: f64, rule: Rule| zset.add(b"a", score, rule, &limits);
        let (any, off) = (Rule::default(), Rule::default());
        let present = Rule {
            if_present: true,
            ..off
        };
        let missing = Rule {
            if_missing: true,
            ..off
        };
        let greater = Rule {
            if_greater: true,
            ..off
        };
        let less = Rule {
            if_less: true,
            ..off
        };
        let sum = Rule {
            increment: true,
            ..off
        };
        assert_eq!(add(1.0, present), Added::Refused);
        assert_eq!(add(1.0, greater), Added::New(1.0));
        assert_eq!(add(2.0, missing), Added::Refused);
        assert_eq!(add(0.5, greater), Added::Refused);
        assert_eq!(add(1.0, less), Added::Refused);
        assert_eq!(add(0.5, less), Added::Changed(0.5));
        assert_eq!(add(0.5, any), Added::Same(0.5));
        assert_eq!(add(f64::INFINITY, sum), Added::Changed(f64::INFINITY));
        assert_eq!(add(f64::NEG_INFINITY, sum), Added::NotANumber);
    }
}

#[test]
fn members_with_a_deadline_are_kept_in_a_table_and_leave_in_time_order() {
    let limits = limits(128);
    let mut zset = Zset::default();
    for (name, score) in [("a", 3.0), ("b", 2.0), ("c", 1.0)] {
        zset.add(name.as_bytes(), score, Rule::default(), &limits);
    }
    assert!(!zset.set_deadline(b"missing", None, &limits));
    assert_eq!(zset.view().encoding(), "listpack");
    assert!(zset.set_deadline(b"b", Some(20), &limits));
    assert!(zset.set_deadline(b"c", Some(10), &limits));
    assert_eq!(zset.view().encoding(), "skiplist");
    assert_eq!(zset.first_deadline(), Some(10));
    assert_eq!(zset.view().deadline(b"b"), Some(Some(20)));
    let mut gone = Vec::new();
    zset.expire_members(10, 9, &mut |name| gone.push(name.to_vec()));
    assert!(gone.is_empty() && !zset.must_settle(10) && zset.must_settle(11));
    zset.expire_members(100, 9, &mut |name| gone.push(name.to_vec()));
    assert_eq!(gone, [b"c", b"b"]);
    assert_eq!(seen(zset.view(), 0..9, false), [(3.0, b"a".to_vec())]);
}

#[test]
fn members_in_order_become_the_encoding_that_fits() {
    let cases = [
        (10, 5, "listpack"),
        (128, 64, "listpack"),
        (129, 5, "skiplist"),
        (3, 65, "skiplist"),
    ];
    for (count, name_bytes, encoding) in cases {
        let limits = limits(128);
        let names: Vec<Vec<u8>> = (0..count)
            .map(|number| format!("{number:0name_bytes$}").into_bytes())
            .collect();
        let members: Vec<(Element<'_>, f64)> = names
            .iter()
            .enumerate()
            .map(|(place, name)| (Element::Bytes(name), (place / 7) as f64))
            .collect();
        let zset = Zset::from_sorted(members.iter().copied(), &limits);
        assert_eq!((zset.len(), zset.view().encoding()), (count, encoding));
        let wanted: Vec<(f64, Vec<u8>)> = members.iter().map(|m| (m.1, m.0.to_vec())).collect();
        assert_eq!(seen(zset.view(), 0..usize::MAX, false), wanted);
        let part = zset.view().part(1..3, &limits);
        assert_eq!(seen(part.view(), 0..9, false), wanted[1..3]);
    }
}
