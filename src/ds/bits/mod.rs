//! Strings as rows of bits: counting, finding, combining, and integers of any width at any place.
//!
//! Bit 0 is the highest bit of the first byte, as SETBIT numbers them. Everything works on words of several bytes at a
//! time, in loops that the compiler turns into vector instructions; [`count`] alone needs to know the processor.
//! What lies behind the end of a string reads as zeros; nothing here makes a string longer.

pub mod combine;
pub mod count;
pub mod field;

use std::ops::Range;

/// Bytes that [`find`] passes over at once.
const BLOCK_BYTES: usize = 128;

/// The bit at `offset`.
#[inline]
pub fn bit(bytes: &[u8], offset: u64) -> bool {
    let byte = usize::try_from(offset / 8)
        .ok()
        .and_then(|at| bytes.get(at));
    byte.is_some_and(|byte| byte << (offset % 8) & 0x80 != 0)
}

/// Gives the bit at `offset`, which must lie within `bytes`, another value; what it was.
#[inline]
pub fn exchange(bytes: &mut [u8], offset: u64, on: bool) -> bool {
    let byte = usize::try_from(offset / 8)
        .ok()
        .and_then(|at| bytes.get_mut(at))
        .expect("the caller made the string long enough");
    let mask = 0x80 >> (offset % 8);
    let before = *byte & mask != 0;
    *byte = if on { *byte | mask } else { *byte & !mask };
    before
}

/// A range of bits, taken apart at the borders of bytes.
struct Parts<'a> {
    /// The first byte where the range begins inside it or ends before its end; bits outside the range are off in the mask.
    head: Option<(u8, u8)>,
    /// Whole bytes.
    body: &'a [u8],
    /// The last byte where the range ends inside it, and its mask.
    tail: Option<(u8, u8)>,
}

impl<'a> Parts<'a> {
    /// `range` is cut to the string.
    fn of(bytes: &'a [u8], range: Range<u64>) -> Self {
        let total = bytes.len() as u64 * 8;
        let (start, end) = (range.start.min(total), range.end.min(total));
        // Both are at most the length of the string now.
        let (from, to) = ((start / 8) as usize, (end / 8) as usize);
        let (into, rest) = ((start % 8) as u32, (end % 8) as u32);
        let first_mask = 0xff >> into;
        let last_mask = !(0xff >> rest);
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        if start >= end {
            return Self {
                head: None,
                body: &[],
                tail: None,
            };
        }
        if from == to {
            return Self {
                head: Some((byte(from), first_mask & last_mask)),
                body: &[],
                tail: None,
            };
        }
        let body_from = from + usize::from(into != 0);
        Self {
            head: (into != 0).then(|| (byte(from), first_mask)),
            body: bytes.get(body_from..to).unwrap_or(&[]),
            tail: (rest != 0).then(|| (byte(to), last_mask)),
        }
    }
}

/// How many bits of `range` are on.
pub fn count_range(bytes: &[u8], range: Range<u64>) -> u64 {
    let parts = Parts::of(bytes, range);
    let masked = |part: Option<(u8, u8)>| part.map_or(0, |(byte, mask)| (byte & mask).count_ones());
    count::count(parts.body) + u64::from(masked(parts.head) + masked(parts.tail))
}

/// Where the first bit of `range` is that is `on`.
pub fn find(bytes: &[u8], range: Range<u64>, on: bool) -> Option<u64> {
    let start = range.start;
    let parts = Parts::of(bytes, range);
    let flip = if on { 0 } else { 0xff };
    let first_in = |part: Option<(u8, u8)>| {
        let wanted = part.map_or(0, |(byte, mask)| (byte ^ flip) & mask);
        (wanted != 0).then(|| u64::from(wanted.leading_zeros()))
    };
    if let Some(at) = first_in(parts.head) {
        return Some(start / 8 * 8 + at);
    }
    let body_start = start.div_ceil(8) * 8;
    if let Some(at) = find_whole(parts.body, on) {
        return Some(body_start + at);
    }
    first_in(parts.tail).map(|at| body_start + parts.body.len() as u64 * 8 + at)
}

/// Where the first bit is that is `on`.
fn find_whole(bytes: &[u8], on: bool) -> Option<u64> {
    let flip = if on { 0 } else { u64::MAX };
    let wanted = |word: &[u8; 8]| u64::from_be_bytes(*word) ^ flip;
    let (blocks, _) = bytes.as_chunks::<BLOCK_BYTES>();
    // Whether any bit is wanted does not depend on the order of bytes, and without it the loop is vector work.
    let has_none = |block: &&[u8; BLOCK_BYTES]| {
        let (words, _) = block.as_chunks::<8>();
        let any = |any, word: &[u8; 8]| any | (u64::from_ne_bytes(*word) ^ flip);
        words.iter().fold(0, any) == 0
    };
    let passed = blocks.iter().take_while(has_none).count() * BLOCK_BYTES;
    let rest = bytes.get(passed..).unwrap_or(&[]);
    let (words, last) = rest.as_chunks::<8>();
    for (at, word) in words.iter().map(wanted).enumerate() {
        if word != 0 {
            return Some((passed + at * 8) as u64 * 8 + u64::from(word.leading_zeros()));
        }
    }
    let last_start = bytes.len() - last.len();
    let flip = flip as u8;
    let at = last.iter().position(|byte| byte ^ flip != 0)?;
    let byte = last.get(at).map_or(0, |byte| byte ^ flip);
    Some((last_start + at) as u64 * 8 + u64::from(byte.leading_zeros()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    /// Bytes of which many are all zeros or all ones.
    fn some_bytes(random: &mut Random, length: usize) -> Vec<u8> {
        let kind = random.next_u64() % 4;
        let byte = |random: &mut Random| match kind {
            0 => 0,
            1 => 0xff,
            2 => random.next_u64() as u8,
            _ if random.next_u64().is_multiple_of(40) => random.next_u64() as u8,
            _ => 0,
        };
        (0..length).map(|_| byte(random)).collect()
    }

    #[test]
    fn counts_and_finds_are_those_of_bit_by_bit() {
        let mut random = Random::from_seed(7);
        for round in 0..3000 {
            let length = (random.next_u64() % if round % 10 == 0 { 700 } else { 40 }) as usize;
            let bytes = some_bytes(&mut random, length);
            let total = length as u64 * 8;
            let (one, other) = (
                random.next_u64() % (total + 9),
                random.next_u64() % (total + 9),
            );
            for range in [one..other, other..one, 0..total, one..total] {
                let inside = range.start.min(total)..range.end.min(total);
                let on = inside.clone().filter(|at| bit(&bytes, *at)).count() as u64;
                assert_eq!(
                    count_range(&bytes, range.clone()),
                    on,
                    "{bytes:?} {range:?}"
                );
                for wanted in [false, true] {
                    let first = inside.clone().find(|at| bit(&bytes, *at) == wanted);
                    assert_eq!(
                        find(&bytes, range.clone(), wanted),
                        first,
                        "{bytes:?} {range:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_bit_is_exchanged_and_its_neighbours_stay() {
        let mut bytes = [0b1010_0000, 0xff];
        assert!(!exchange(&mut bytes, 1, true));
        assert!(exchange(&mut bytes, 0, false));
        assert!(exchange(&mut bytes, 15, true));
        assert_eq!(bytes, [0b0110_0000, 0xff]);
        assert!(bit(&bytes, 1) && !bit(&bytes, 0) && !bit(&bytes, 16) && !bit(&bytes, u64::MAX));
    }
}
