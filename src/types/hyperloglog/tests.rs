//! HyperLogLogs against a plain array of registers, and against bytes that no HyperLogLog has.

use super::*;
use crate::base::random::Random;

const MAX_BYTES: usize = 3000;

fn registers_of(bytes: &[u8]) -> Registers {
    let mut registers = [0; REGISTERS];
    let encoding = encoding(bytes).expect("it is a HyperLogLog");
    merge_into(&mut registers, bytes, encoding).expect("it is whole");
    registers
}

#[test]
fn both_encodings_hold_the_registers_of_a_plain_array() {
    let mut random = Random::from_seed(1);
    for round in 0..30u64 {
        let mut model: Registers = [0; REGISTERS];
        let mut bytes = empty();
        // Now and then all elements fall on few registers, so that runs of every length occur.
        let most = [REGISTERS as u64, 50, 400][round as usize % 3];
        for _ in 0..40 {
            let encoding = encoding(&bytes).expect("it is a HyperLogLog");
            let mut sketch = Sketch::new(bytes.as_slice(), encoding, MAX_BYTES);
            let mut any = false;
            for _ in 0..random.below(60) {
                let index = random.below(most) as usize;
                let value = 1
                    + (random.next_u64().trailing_zeros() as u8).min(if round < 20 {
                        31
                    } else {
                        40
                    });
                let raises = model[index] < value;
                assert_eq!(sketch.raise(index, value), Ok(raises));
                model[index] = model[index].max(value);
                any |= raises;
            }
            let changed = sketch.into_changed();
            assert_eq!(changed.is_some(), any);
            bytes = changed.unwrap_or(bytes);
            assert!(registers_of(&bytes) == model);
            let encoding = super::encoding(&bytes).expect("it is a HyperLogLog");
            assert_eq!(count(&bytes, encoding), Ok(count_registers(&model)));
        }
    }
}

#[test]
fn ascending_registers_are_found_from_where_the_last_one_was() {
    let mut random = Random::from_seed(2);
    for _ in 0..50 {
        let start: Vec<(usize, u8)> = (0..random.below(300))
            .map(|_| {
                (
                    random.below(REGISTERS as u64) as usize,
                    1 + random.below(4) as u8,
                )
            })
            .collect();
        let mut first = Sketch::new(empty(), Encoding::Sparse, MAX_BYTES);
        for (index, value) in &start {
            first.raise(*index, *value).expect("it is whole");
        }
        let start = first.into_changed().expect("it was created");
        let mut ascending: Vec<usize> = (0..400)
            .map(|_| random.below(REGISTERS as u64) as usize)
            .collect();
        ascending.sort_unstable();
        let mut from_cursor = Sketch::new(start.as_slice(), Encoding::Sparse, MAX_BYTES);
        let mut one_by_one = start.clone();
        for index in ascending {
            let value = 1 + (index % 4) as u8;
            let raised = from_cursor.raise(index, value);
            let mut anew = Sketch::new(one_by_one.as_slice(), Encoding::Sparse, MAX_BYTES);
            assert_eq!(anew.raise(index, value), raised);
            one_by_one = anew.into_changed().unwrap_or(one_by_one);
        }
        assert_eq!(
            from_cursor.into_changed().expect("something changed"),
            one_by_one
        );
    }
}

#[test]
fn elements_have_the_place_that_redis_gives_them() {
    let mut sketch = Sketch::new(empty(), Encoding::Sparse, MAX_BYTES);
    for element in [b"a", b"b", b"c"] {
        let (index, value) = place(element);
        assert_eq!(sketch.raise(index, value), Ok(true));
    }
    let bytes = sketch.into_changed().expect("elements were added");
    assert_eq!(
        bytes,
        b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80`\xf3\x80P\xb1\x84K\xfb\x80BZ"
    );
    assert_eq!(
        describe(&bytes),
        "Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603"
    );
    assert_eq!(count(&bytes, Encoding::Sparse), Ok(3));
}

#[test]
fn a_value_above_32_or_too_many_bytes_make_it_dense() {
    let dense_after = |value: u8, max_bytes: usize| {
        let mut sketch = Sketch::new(empty(), Encoding::Sparse, max_bytes);
        assert_eq!(sketch.raise(7, value), Ok(true));
        let bytes = sketch.into_changed().expect("a register was raised");
        assert_eq!(registers_of(&bytes)[7], value);
        encoding(&bytes) == Some(Encoding::Dense)
    };
    assert!(!dense_after(32, MAX_BYTES) && dense_after(33, MAX_BYTES));
    assert!(!dense_after(1, 20) && dense_after(1, 19));
}

#[test]
fn headers_say_what_is_a_hyperloglog() {
    let dense = to_dense(&empty()).expect("it is whole");
    assert_eq!(
        (encoding(&empty()), encoding(&dense)),
        (Some(Encoding::Sparse), Some(Encoding::Dense))
    );
    assert_eq!(dense.len(), DENSE_BYTES);
    assert_eq!(
        (
            encoding(b""),
            encoding(b"HYLL\x01"),
            encoding(&dense[..100])
        ),
        (None, None, None)
    );
    let mut other = empty();
    other[4] = 2;
    assert_eq!(encoding(&other), None);
    other[4] = 1;
    other[0] = b'h';
    assert_eq!(encoding(&other), None);
}

#[test]
fn an_estimate_is_cached_until_it_is_invalidated() {
    let mut bytes = empty();
    assert_eq!(cached(&bytes), None);
    set_cached(&mut bytes, 77);
    assert_eq!(cached(&bytes), Some(77));
    invalidate(&mut bytes);
    assert_eq!(cached(&bytes), None);
}

#[test]
fn forged_bytes_are_an_error_or_a_number_but_never_a_panic() {
    let mut random = Random::from_seed(4);
    for round in 0..20_000 {
        let mut bytes = empty();
        if round % 2 == 0 {
            bytes.truncate(16);
        }
        for _ in 0..random.below(40) {
            bytes.push(random.next_u64() as u8);
        }
        if round % 3 == 0 {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        let Some(encoding) = encoding(&bytes) else {
            continue;
        };
        let mut registers = [0; REGISTERS];
        let whole = merge_into(&mut registers, &bytes, encoding);
        assert_eq!(
            count(&bytes, encoding),
            whole.map(|()| count_registers(&registers))
        );
        assert_eq!(to_dense(&bytes).is_ok(), whole.is_ok());
        describe(&bytes);
        let mut sketch = Sketch::new(bytes.as_slice(), encoding, MAX_BYTES);
        for _ in 0..10 {
            let index = random.below(REGISTERS as u64) as usize;
            let raised = sketch.raise(index, 1 + random.below(34) as u8);
            assert!(raised.is_ok() || whole.is_err());
        }
    }
}

#[test]
fn the_self_test_passes() {
    assert_eq!(self_test(&mut Random::from_seed(8)), Ok(()));
}
