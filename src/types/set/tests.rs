//! Each encoding against a set of the standard library, and the algebra against its operators.

use super::*;
use crate::base::hash::Hasher;
use crate::base::random::Random;
use crate::types::Limits;
use std::collections::{BTreeMap, BTreeSet};

type Model = BTreeSet<Vec<u8>>;

const NOW_MS: i64 = 1_000;

fn limits() -> Limits {
    Limits {
        now_ms: NOW_MS,
        ..Limits::new(Hasher::new(1, 2))
    }
}

fn around() -> Around {
    Around {
        hasher: limits().hasher,
        now_ms: NOW_MS,
    }
}

/// Limits under which sets of words become the three encodings soon.
fn limits_of(entries: usize) -> Limits {
    Limits {
        set_max_intset_entries: entries,
        set_max_listpack_entries: entries,
        ..limits()
    }
}

fn words(set: SetRef<'_>) -> Model {
    let all: Vec<Vec<u8>> = set.iter(NOW_MS).map(Element::to_vec).collect();
    let different: Model = all.iter().cloned().collect();
    assert_eq!(different.len(), all.len(), "each member comes once");
    different
}

fn set_of<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>, limits: &Limits) -> Set {
    let mut set = Set::default();
    for word in words {
        set.add(word.as_ref(), limits);
    }
    set
}

/// A set of each encoding.
fn three() -> [Set; 3] {
    let numbers = || (0..60).map(|n: i64| (n * n * 37 - 500).to_string());
    let mut packed = set_of(numbers(), &limits());
    packed.as_packed();
    let mut table = set_of(numbers(), &limits());
    table.as_table(&limits());
    [set_of(numbers(), &limits()), packed, table]
}

#[test]
fn model_a_set_behaves_as_that_of_the_standard_library_in_every_encoding() {
    let mut random = Random::from_seed(9);
    for (entries, only_ints) in [(1000, true), (1000, false), (20, false), (0, false)] {
        let limits = limits_of(entries);
        let (mut set, mut model) = (Set::default(), Model::new());
        for step in 0..4_000 {
            let number = random.below(150) as i64 - 75;
            let word = if only_ints || random.below(2) == 0 {
                number.to_string()
            } else {
                format!("word:{number}")
            };
            let word = word.into_bytes();
            match random.below(3) {
                0 => assert_eq!(set.remove(&word), model.remove(&word)),
                _ => assert_eq!(set.add(&word, &limits), model.insert(word.clone())),
            }
            assert_eq!(set.view().contains(&word, NOW_MS), model.contains(&word));
            if step % 100 == 0 {
                assert_eq!(words(set.view()), model);
                assert_eq!(set.len(), model.len());
                let Object::Set(copy) = set.copy() else {
                    panic!("the copy of a set is a set");
                };
                assert_eq!(words(copy.view()), model);
            }
        }
        let encoding = set.view().encoding();
        assert_eq!(encoding == "intset", only_ints, "{encoding}");
    }
}

#[test]
fn encodings_change_where_redis_changes_them() {
    let encoding = |limits: &Limits, words: &[&str]| set_of(words, limits).view().encoding();
    let few = limits_of(3);
    assert_eq!(encoding(&few, &["1", "2", "3"]), "intset");
    assert_eq!(encoding(&few, &["1", "2", "3", "4"]), "hashtable");
    assert_eq!(encoding(&few, &["1", "2", "a"]), "listpack");
    assert_eq!(encoding(&few, &["1", "2", "3", "a"]), "hashtable");
    assert_eq!(encoding(&few, &["a", "b", "c"]), "listpack");
    assert_eq!(encoding(&few, &["a", "b", "c", "d"]), "hashtable");
    let long = "x".repeat(65);
    assert_eq!(encoding(&few, &["1", &long]), "hashtable");
    assert_eq!(encoding(&few, &["a", &long]), "hashtable");
    assert_eq!(encoding(&few, &["a", &long[1..]]), "listpack");
    let short = Limits {
        set_max_listpack_value: 2,
        ..few
    };
    assert_eq!(encoding(&short, &["100", "a"]), "hashtable");
    assert_eq!(encoding(&short, &["-1", "a"]), "listpack");
    assert_eq!(encoding(&limits_of(0), &["1"]), "hashtable");
}

#[test]
fn a_new_set_is_prepared_for_the_words_to_come() {
    let prepared = |first: &str, count, limits: &Limits| {
        let mut set = Set::default();
        set.prepare(true, first.as_bytes(), count, limits);
        set.view().encoding()
    };
    assert_eq!(prepared("1", 512, &limits()), "intset");
    assert_eq!(prepared("1", 513, &limits()), "hashtable");
    assert_eq!(prepared("a", 128, &limits()), "listpack");
    assert_eq!(prepared("a", 129, &limits()), "hashtable");
    assert_eq!(
        prepared(
            "1",
            100,
            &Limits {
                set_max_intset_entries: 0,
                ..limits()
            }
        ),
        "listpack"
    );
    let mut set = set_of(["a"], &limits());
    set.prepare(false, b"b", 129, &limits());
    assert_eq!(set.view().encoding(), "hashtable");
    assert_eq!(words(set.view()).len(), 1);
}

#[test]
fn several_words_at_once_are_one_after_the_other() {
    for entries in [0, 3, 1000] {
        let limits = limits_of(entries);
        let names: Vec<String> = (0..300).map(|n| format!("m{}", n % 200)).collect();
        let words_of = || names.iter().map(String::as_bytes);
        let mut set = Set::default();
        assert_eq!(set.add_all(words_of(), &limits), 200);
        assert_eq!(set.add_all(words_of(), &limits), 0);
        let mut found = 0;
        let asked = words_of().chain([&b"none"[..]]);
        set.view()
            .contains_each(asked, NOW_MS, |is_member| found += usize::from(is_member));
        assert_eq!(found, 300);
        assert_eq!(set.remove_all(words_of().skip(10)), 200);
        assert!(set.is_empty());
    }
}

#[test]
fn scratch_memory_takes_any_packed_set_after_any_other() {
    let mut scratch = Set::default();
    let sets = three();
    for step in 0..12 {
        let set = &sets[step % 2];
        let (form, bytes) = set.packed().expect("both are packed");
        scratch.load(form, bytes);
        assert_eq!(words(scratch.view()), words(set.view()));
        if step % 3 == 0 {
            scratch.as_table(&limits());
        }
        if step % 4 == 0 {
            scratch.load(Form::Listpack, &[]);
            assert!(scratch.is_empty());
        }
    }
}

#[test]
fn every_member_is_drawn_as_often_as_any_other() {
    const DRAWS: usize = 24_000;
    let even = |counts: &BTreeMap<Vec<u8>, usize>, total: usize| {
        assert_eq!(counts.len(), 60);
        let expected = total / 60;
        let near = expected * 8 / 10..expected * 12 / 10;
        assert!(
            counts.values().all(|count| near.contains(count)),
            "{counts:?}"
        );
    };
    let mut random = Random::from_seed(4);
    for set in three() {
        let (mut single, mut drawn) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..DRAWS {
            let member = set
                .view()
                .random(&mut random, NOW_MS)
                .expect("there are some");
            *single.entry(member.to_vec()).or_insert(0) += 1;
        }
        even(&single, DRAWS);
        set.view().draw(DRAWS, &mut random, NOW_MS, |member| {
            *drawn.entry(member.to_vec()).or_insert(0) += 1;
        });
        even(&drawn, DRAWS);
        for size in [1, 10, 40] {
            let mut sampled = BTreeMap::new();
            for _ in 0..DRAWS / size {
                let mut seen = Model::new();
                set.view().sample(size, &mut random, NOW_MS, |member| {
                    assert!(seen.insert(member.to_vec()), "a sample has no member twice");
                });
                assert_eq!(seen.len(), size);
                for word in seen {
                    *sampled.entry(word).or_insert(0) += 1;
                }
            }
            even(&sampled, DRAWS);
        }
        let mut all = Model::new();
        set.view().sample(100, &mut random, NOW_MS, |member| {
            all.insert(member.to_vec());
        });
        assert_eq!(all, words(set.view()));
    }
}

#[test]
fn popping_takes_out_what_it_tells_and_is_as_fair() {
    let mut random = Random::from_seed(5);
    for encoding in 0..3 {
        for size in [1, 12, 45] {
            let mut popped = BTreeMap::new();
            const ROUNDS: usize = 600;
            for _ in 0..ROUNDS {
                let mut set = match (encoding, three()) {
                    (0, [ints, ..]) => ints,
                    (1, [_, packed, _]) => packed,
                    (_, [.., table]) => table,
                };
                let before = words(set.view());
                let mut told = Model::new();
                set.pop(size, &mut random, &limits(), &mut |member| {
                    told.insert(member.to_vec());
                });
                let after = words(set.view());
                assert_eq!((told.len(), after.len()), (size, 60 - size));
                assert_eq!(told.union(&after).cloned().collect::<Model>(), before);
                for word in told {
                    *popped.entry(word).or_insert(0) += 1;
                }
            }
            let expected = ROUNDS * size / 60;
            let near = expected / 4..expected * 3 + 10;
            assert!(popped.values().all(|count| near.contains(count)));
        }
    }
}

#[test]
fn a_scan_visits_every_member_that_stays() {
    for set in three() {
        let mut seen = Model::new();
        let mut cursor = 0;
        loop {
            cursor = set.view().scan(cursor, NOW_MS, |member| {
                seen.insert(member.to_vec());
            });
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(seen, words(set.view()));
    }
}

#[test]
fn members_whose_deadline_has_passed_are_not_there() {
    let limits = limits();
    let mut set = set_of((0..100).map(|n| format!("m{n}")), &limits);
    let members = set.as_table(&limits);
    for n in 0..100 {
        let word = format!("m{n}");
        let name = members.name(word.as_bytes());
        let (position, _) = members.find(&name).expect("it was added");
        let deadline = match n % 3 {
            0 => Some(NOW_MS - 1 - i64::from(n)),
            1 => Some(NOW_MS),
            _ => None,
        };
        members.set_deadline(position, deadline);
    }
    assert!(set.must_settle(NOW_MS));
    let view = set.view();
    assert_eq!((view.len(), view.count(NOW_MS)), (100, 66));
    assert_eq!(words(view).len(), 66);
    assert!(!view.contains(b"m3", NOW_MS) && view.contains(b"m4", NOW_MS));
    let mut random = Random::from_seed(1);
    view.draw(1000, &mut random, NOW_MS, |member| {
        assert!(view.contains(&member.to_vec(), NOW_MS));
    });
    view.sample(66, &mut random, NOW_MS, |member| {
        assert!(view.contains(&member.to_vec(), NOW_MS));
    });
    assert!(view.random(&mut random, NOW_MS).is_some());
    let mut gone = Vec::new();
    set.expire_members(NOW_MS, 10, &mut |name| gone.push(name.to_vec()));
    assert_eq!(gone.first().map(Vec::as_slice), Some(&b"m99"[..]));
    assert_eq!((gone.len(), set.len()), (10, 90));
    set.expire_members(NOW_MS, 100, &mut |name| gone.push(name.to_vec()));
    assert_eq!((gone.len(), set.len()), (34, 66));
    assert!(!set.must_settle(NOW_MS) && set.first_deadline() == Some(NOW_MS));
}

/// A random set in a random encoding.
fn some_set(random: &mut Random) -> Set {
    let max = [0, 5, 60, 300][random.below(4) as usize];
    let limits = limits_of([0, 10, 1000][random.below(3) as usize]);
    let mut set = Set::default();
    let only_ints = random.below(3) == 0;
    for _ in 0..max {
        let number = random.below(200);
        let word = if only_ints || random.below(2) == 0 {
            number.to_string()
        } else {
            format!("w{number}")
        };
        set.add(word.as_bytes(), &limits);
    }
    set
}

#[test]
fn model_the_algebra_of_sets_is_that_of_the_standard_library() {
    let mut random = Random::from_seed(21);
    for _ in 0..600 {
        let count = 1 + random.below(6) as usize;
        let sets: Vec<Set> = (0..count).map(|_| some_set(&mut random)).collect();
        let views: Vec<SetRef<'_>> = sets.iter().map(Set::view).collect();
        let any_order = || views.clone();
        let models: Vec<Model> = views.iter().map(|view| words(*view)).collect();
        let (first, others) = models.split_first().expect("there is at least one");
        let mut gathered = Vec::new();
        intersection(&mut any_order(), around(), |member| {
            gathered.push(member.to_vec());
            true
        });
        let expected = others.iter().fold(first.clone(), |all, other| &all & other);
        assert_gathered(&mut gathered, &expected);
        difference(views[0], &mut any_order()[1..], around(), |member| {
            gathered.push(member.to_vec());
            true
        });
        let expected = others.iter().fold(first.clone(), |all, other| &all - other);
        assert_gathered(&mut gathered, &expected);
        union(&mut any_order(), around(), |member| {
            gathered.push(member.to_vec());
            true
        });
        let expected = others.iter().fold(first.clone(), |all, other| &all | other);
        assert_gathered(&mut gathered, &expected);
    }
}

#[track_caller]
fn assert_gathered(gathered: &mut Vec<Vec<u8>>, expected: &Model) {
    gathered.sort();
    assert!(gathered.iter().eq(expected.iter()));
    gathered.clear();
}

#[test]
fn the_algebra_ends_when_nobody_wants_more() {
    let limits = limits_of(0);
    let sets = [0, 0, 50, 50, 90]
        .map(|start| set_of((start..start + 100).map(|n: i32| n.to_string()), &limits));
    let views = sets.each_ref().map(Set::view);
    for wanted in 1..5 {
        let mut counts = [0; 4];
        let [a, b, c, d] = &mut counts;
        let stop = |count: &mut i32| {
            *count += 1;
            *count < wanted
        };
        intersection(&mut { views }[..3], around(), |_| stop(a));
        difference(views[0], &mut { views }[2..3], around(), |_| stop(b));
        union(&mut { views }[..2], around(), |_| stop(c));
        union(&mut { views }, around(), |_| stop(d));
        assert_eq!(counts, [wanted; 4]);
    }
}
