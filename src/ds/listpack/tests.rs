//! Against a plain vector of words, over random changes; and the bytes that Redis writes.

use super::*;
use crate::base::random::Random;

fn words(pack: Pack<'_>) -> Vec<Vec<u8>> {
    pack.iter().map(|item| item.element.to_vec()).collect()
}

fn some_word(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => random.below(200).to_string().into_bytes(),
        1 => (random.below(10_000) as i64 - 5000)
            .to_string()
            .into_bytes(),
        2 => (random.next_u64() as i64 >> random.below(64))
            .to_string()
            .into_bytes(),
        3 => vec![b'x'; 60 + random.below(10) as usize],
        4 => vec![b'y'; 4090 + random.below(10) as usize],
        5 if random.below(50) == 0 => vec![b'z'; 20_000],
        _ => (0..random.below(12))
            .map(|_| random.below(256) as u8)
            .collect(),
    }
}

#[test]
fn it_behaves_as_a_vector_of_words_does() {
    for seed in 0..5 {
        let mut random = Random::from_seed(seed);
        let (mut pack, mut model) = (Listpack::new(), Vec::<Vec<u8>>::new());
        for _ in 0..300 {
            let word = some_word(&mut random);
            let index = random.below(model.len() as u64 + 1) as usize;
            let at = pack.pack().nth(index).map(|item| item.at);
            match (random.below(9), at) {
                (0 | 1, _) => {
                    pack.push_back(&word);
                    model.push(word);
                }
                (2, _) => {
                    pack.push_front(&word);
                    model.insert(0, word);
                }
                (3, Some(at)) => {
                    pack.insert(at, &word);
                    model.insert(index, word);
                }
                (4 | 5, Some(at)) => {
                    pack.replace(at, &word);
                    model[index] = word;
                }
                (6, Some(at)) => {
                    let count = random.below(4) as usize;
                    let taken = pack.remove(at, count);
                    assert_eq!(taken, count.min(model.len() - index));
                    model.drain(index..index + taken);
                }
                (7, Some(at)) => {
                    let tail = pack.split_off(at);
                    assert_eq!(words(tail.pack()), &model[index..]);
                    Pack::check(tail.pack().bytes()).expect("a part is a listpack");
                    pack.append(tail.pack());
                }
                (8, Some(at)) if random.below(4) == 0 => {
                    pack.remove_before(at, index);
                    model.drain(..index);
                }
                _ => continue,
            }
            assert_eq!(
                (words(pack.pack()), pack.pack().len()),
                (model.clone(), model.len())
            );
            Pack::check(pack.pack().bytes()).expect("every change leaves a listpack");
            let backwards: Vec<_> = pack
                .pack()
                .iter()
                .rev()
                .map(|item| item.element.to_vec())
                .collect();
            assert!(backwards.iter().eq(model.iter().rev()));
            if let Some(word) = model.get(index) {
                let first = model.iter().position(|other| other == word);
                let found = pack.pack().find(word, 1).map(|item| item.at);
                assert_eq!(
                    found,
                    first
                        .and_then(|first| pack.pack().nth(first))
                        .map(|item| item.at)
                );
            }
        }
    }
}

#[test]
fn the_bytes_are_those_that_redis_writes() {
    let pack: Listpack = ["1", "-1", "abc", "4096", "hello world"]
        .into_iter()
        .collect();
    let expected = [
        &[37, 0, 0, 0, 5, 0][..],
        &[1, 1],
        &[0xdf, 0xff, 2],
        &[0x83, b'a', b'b', b'c', 4],
        &[0xf1, 0x00, 0x10, 3],
        b"\x8bhello world\x0c",
        &[0xff],
    ]
    .concat();
    assert_eq!(pack.pack().bytes()[6..], expected[6..]);
    assert_eq!(usize::from(pack.pack().bytes()[0]), expected.len());
}

#[test]
fn only_every_stride_th_element_is_searched() {
    let pack: Listpack = ["a", "b", "b", "7", "7", "c"].into_iter().collect();
    let index_of = |word: &str| {
        let found = pack.pack().find(word.as_bytes(), 2)?;
        pack.pack().iter().position(|item| item.at == found.at)
    };
    assert_eq!(
        (index_of("b"), index_of("7"), index_of("c")),
        (Some(2), Some(4), None)
    );
    assert!(pack.pack().find(b"07", 1).is_none());
}

#[test]
fn bytes_with_a_lie_in_them_are_refused() {
    let pack: Listpack = [
        "1",
        "abc",
        "70000",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]
    .into_iter()
    .collect();
    let good = pack.pack().bytes();
    assert!(Pack::check(good).is_ok());
    for cut in 0..good.len() {
        assert!(Pack::check(&good[..cut]).is_err(), "cut at {cut}");
    }
    for at in 0..good.len() {
        for value in [
            0, 1, 0x7f, 0x80, 0xbf, 0xc0, 0xe0, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
        ] {
            let mut bad = good.to_vec();
            bad[at] = value;
            // Either it is refused, or it can be read in both directions.
            if let Ok(pack) = Pack::check(&bad) {
                assert_eq!(pack.iter().count(), pack.iter().rev().count());
            }
        }
    }
}

#[test]
fn more_elements_than_the_header_can_tell_are_counted() {
    let mut pack = Listpack::new();
    (0..70_000).for_each(|_| pack.push_back(b"1"));
    assert_eq!(pack.pack().len(), 70_000);
    assert_eq!(pack.remove(HEADER_BYTES, 10_000), 10_000);
    assert_eq!((pack.pack().len(), pack.pack().is_empty()), (60_000, false));
}
