//! Streams against a plain model, over node sizes.

use super::*;
use crate::base::random::Random;
use std::collections::BTreeMap;

type Words = Vec<Vec<u8>>;

/// What a stream should be: entries by id.
#[derive(Default)]
struct Model(BTreeMap<StreamId, Words>);

fn limits(max_bytes: usize, max_entries: usize) -> NodeLimits {
    NodeLimits::new(max_bytes, max_entries)
}

fn add(stream: &mut Stream, id: StreamId, words: &[Vec<u8>], limits: &NodeLimits) {
    stream
        .log
        .append(id, words.iter().map(Vec::as_slice), limits);
}

fn collect(mut range: Range<'_>) -> Vec<(StreamId, Words)> {
    let mut entries = Vec::new();
    while let Some(entry) = range.next() {
        let (id, pairs) = (entry.id, entry.pairs());
        let mut words = Words::new();
        entry.for_each_pair(|field, value| words.extend([field.to_vec(), value.to_vec()]));
        assert_eq!(words.len(), 2 * pairs);
        entries.push((id, words));
    }
    entries
}

fn random_words(random: &mut Random) -> Words {
    const SHAPES: [&[&str]; 4] = [&["a", "b"], &["a", "b"], &["x"], &["12", "long field name"]];
    let shape = SHAPES[random.below(4) as usize];
    let mut words = Words::new();
    for field in shape {
        words.push(field.as_bytes().to_vec());
        let length = [0, 3, 70][random.below(3) as usize];
        words.push(match random.below(3) {
            0 => random.below(100_000).to_string().into_bytes(),
            _ => vec![b'v'; length],
        });
    }
    words
}

fn check(stream: &Stream, model: &Model, random: &mut Random) {
    assert_eq!(stream.log.len(), model.0.len() as u64);
    let first = model.0.keys().next().copied().unwrap_or_default();
    assert_eq!(stream.log.first_id(), first);
    let (mut from, mut to) = (StreamId::MIN, StreamId::MAX);
    if random.below(2) == 0 {
        from = StreamId::new(random.below(60), random.below(4));
        to = StreamId::new(from.ms + random.below(20), random.below(4));
    }
    let expected: Vec<(StreamId, Words)> = if from <= to {
        let entries = model.0.range(from..=to);
        entries.map(|(id, words)| (*id, words.clone())).collect()
    } else {
        Vec::new()
    };
    assert_eq!(collect(stream.log.range(from, to)), expected);
    let mut backwards = collect(stream.log.range_backwards(from, to));
    backwards.reverse();
    assert_eq!(backwards, expected);
    let counted = stream
        .log
        .nodes
        .iter()
        .map(|node| node.counts().live as u64);
    assert_eq!(counted.sum::<u64>(), stream.log.len());
}

fn trim_model(model: &mut Model, bound: Bound) -> u64 {
    let before = model.0.len();
    match bound {
        Bound::Entries(max) => {
            while model.0.len() as u64 > max {
                model.0.pop_first();
            }
        }
        Bound::From(id) => model.0 = model.0.split_off(&id),
    }
    (before - model.0.len()) as u64
}

#[test]
fn a_stream_does_what_a_sorted_map_does() {
    for (seed, limits) in [
        limits(0, 5),
        limits(200, 0),
        limits(4096, 100),
        limits(0, 1),
    ]
    .into_iter()
    .cycle()
    .take(24)
    .enumerate()
    {
        let mut random = Random::from_seed(seed as u64);
        let (mut stream, mut model) = (Stream::default(), Model::default());
        for _ in 0..400 {
            let last = stream.log.last_id;
            match random.below(10) {
                0..6 => {
                    let id = StreamId::new(last.ms + random.below(2), last.seq + 1);
                    let words = random_words(&mut random);
                    add(&mut stream, id, &words, &limits);
                    model.0.insert(id, words);
                }
                6..8 => {
                    let id = StreamId::new(random.below(last.ms + 1), random.below(last.seq + 1));
                    let near = model.0.range(id..).next().map_or(id, |(id, _)| *id);
                    assert_eq!(stream.log.contains(near), model.0.contains_key(&near));
                    let deleted = stream.delete(near, References::Keep);
                    assert_eq!(deleted.is_some(), model.0.remove(&near).is_some());
                }
                8 => {
                    let bound = match random.below(2) {
                        0 => Bound::Entries(stream.log.len().saturating_sub(random.below(9))),
                        _ => Bound::From(StreamId::new(
                            stream.log.first_id().ms + random.below(3),
                            stream.log.first_id().seq + 2,
                        )),
                    };
                    let trim = Trim {
                        bound,
                        approximate: false,
                        limit: 0,
                        references: References::Keep,
                    };
                    assert_eq!(stream.trim(&trim), trim_model(&mut model, bound));
                }
                _ => check(&stream, &model, &mut random),
            }
        }
        check(&stream, &model, &mut random);
        check(&stream.clone(), &model, &mut random);
    }
}

#[test]
fn a_node_has_the_bytes_that_redis_writes() {
    let mut stream = Stream::default();
    let limits = limits(4096, 100);
    let words = |words: &[&str]| -> Words { words.iter().map(|w| w.as_bytes().to_vec()).collect() };
    add(
        &mut stream,
        StreamId::new(1, 1),
        &words(&["f", "v"]),
        &limits,
    );
    let (id, bytes) = stream.log.packs().next().expect("there is a node");
    assert_eq!(id, StreamId::new(1, 1));
    // The payload that upstream's test of old persistence restores.
    let expected = b"\x1D\x00\x00\x00\x0A\x00\x01\x01\x00\x01\x01\x01\x81\x66\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81\x76\x02\x04\x01\xFF";
    assert_eq!(bytes, expected);
}

#[test]
fn only_whole_nodes_go_when_trimming_need_not_be_exact() {
    let mut stream = Stream::default();
    let limits = limits(0, 10);
    for ms in 1..=35 {
        add(
            &mut stream,
            StreamId::new(ms, 0),
            &[b"f".to_vec(), b"v".to_vec()],
            &limits,
        );
    }
    let mut trim = Trim {
        bound: Bound::Entries(12),
        approximate: true,
        limit: 10,
        references: References::Keep,
    };
    assert_eq!(stream.trim(&trim), 10);
    trim.limit = 0;
    assert_eq!(stream.trim(&trim), 10);
    assert_eq!((stream.trim(&trim), stream.log.len()), (0, 15));
    trim.bound = Bound::From(StreamId::new(30, 5));
    assert_eq!((stream.trim(&trim), stream.log.len()), (10, 5));
}

fn delivered(stream: &mut Stream, group: &str, ids: std::ops::RangeInclusive<u64>) {
    let group = stream.groups.entry(group.as_bytes().into()).or_default();
    let owner = group
        .find(b"c")
        .unwrap_or_else(|| group.add_consumer(b"c", 5));
    for ms in ids {
        group.last_id = StreamId::new(ms, 0);
        group.deliver(
            group.last_id,
            Pending {
                owner: Some(owner),
                delivered_ms: 5,
                deliveries: 1,
            },
        );
    }
}

#[test]
fn entries_that_a_group_still_needs_stay_if_that_is_wanted() {
    let mut stream = Stream::default();
    for ms in 1..=20 {
        add(
            &mut stream,
            StreamId::new(ms, 0),
            &[b"f".to_vec(), b"v".to_vec()],
            &limits(0, 4),
        );
    }
    delivered(&mut stream, "g", 1..=10);
    delivered(&mut stream, "h", 1..=12);
    for group in stream.groups.values_mut() {
        (1..=6).for_each(|ms| assert!(group.acknowledge(StreamId::new(ms, 0))));
    }
    let trim = |bound, references| Trim {
        bound,
        approximate: false,
        limit: 0,
        references,
    };
    let acknowledged = trim(Bound::Entries(0), References::Acknowledged);
    assert_eq!(stream.trim(&acknowledged), 6);
    assert_eq!(stream.log.first_id(), StreamId::new(7, 0));
    let id = StreamId::new(7, 0);
    assert_eq!(stream.delete(id, References::Acknowledged), Some(false));
    assert_eq!(stream.delete(id, References::Delete), Some(true));
    assert!(!stream.is_pending(id));
    assert_eq!(stream.delete(id, References::Acknowledged), None);
    assert_eq!(stream.trim(&trim(Bound::Entries(9), References::Delete)), 4);
    assert!(!stream.is_pending(StreamId::new(9, 0)));
    assert_eq!(stream.trim(&trim(Bound::Entries(0), References::Keep)), 9);
    assert!(stream.is_pending(StreamId::new(12, 0)));
}

#[test]
fn a_group_knows_who_has_what_and_since_when() {
    let mut group = Group::default();
    let (a, b) = (group.add_consumer(b"a", 1), group.add_consumer(b"b", 1));
    let give = |group: &mut Group, ms: u64, owner, delivered_ms| {
        let pending = Pending {
            owner,
            delivered_ms,
            deliveries: 1,
        };
        group.deliver(StreamId::new(ms, 0), pending);
    };
    give(&mut group, 1, Some(a), 30);
    give(&mut group, 2, Some(a), 10);
    let ids =
        |list: &[u64]| -> Vec<StreamId> { list.iter().map(|ms| StreamId::new(*ms, 0)).collect() };
    assert_eq!(group.oldest(30, 9), ids(&[2, 1]));
    give(&mut group, 3, Some(b), 20);
    give(&mut group, 2, Some(b), 40);
    assert_eq!(group.oldest(30, 9), ids(&[3, 1]));
    give(&mut group, 1, None, 0);
    assert_eq!((group.oldest(30, 1), group.unowned_len()), (ids(&[1]), 1));
    assert!(group.consumer(a).is_some_and(|a| a.pending.is_empty()));
    assert_eq!(group.remove_consumer(b"b"), Some(2));
    assert_eq!(group.remove_consumer(b"b"), None);
    assert_eq!((group.pending_len(), group.oldest(99, 9)), (1, ids(&[1])));
    assert!(group.acknowledge(StreamId::new(1, 0)));
    assert_eq!((group.pending_len(), group.unowned_len()), (0, 0));
    assert_eq!(group.add_consumer(b"c", 2), b);
}

#[test]
fn ids_of_producers_are_forgotten_by_age_and_by_number() {
    let mut producers = Producers::default();
    producers.configure(10, 2);
    for ms in [1_000, 2_000, 3_000] {
        producers.remember(b"p", ms.to_string().as_bytes(), StreamId::new(ms, 0));
    }
    assert_eq!(producers.find(b"p", b"1000"), None);
    assert_eq!(producers.find(b"q", b"2000"), None);
    assert_eq!(producers.find(b"p", b"2000"), Some(StreamId::new(2_000, 0)));
    producers.expire(12_000);
    assert_eq!(
        (producers.len(), producers.ids(), producers.added),
        (1, 1, 3)
    );
    producers.expire(13_000);
    assert!(producers.is_empty());
    producers.remember(b"p", b"x", StreamId::new(20_000, 0));
    producers.configure(10, 2);
    assert_eq!(producers.len(), 1);
    producers.configure(10, 3);
    assert_eq!(producers.len(), 0);
}
