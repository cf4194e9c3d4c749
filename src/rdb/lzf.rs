//! LZF, the compression of strings in RDB files: fast, small, without a header.
//!
//! ```text
//! control c < 32    a literal run of c + 1 bytes follows
//! control c >= 32   a copy: length (c >> 5) + 2, or for 7 the next byte + 9; distance ((c & 31) << 8 | next byte) + 1
//! ```
//! Copies reach 8 KiB back, are 3 to 264 bytes long, and may overlap what they produce. Format: libLZF by Marc Lehmann.

const LITERALS_MAX: usize = 32;
const COPY_MIN: usize = 3;
const COPY_MAX: usize = 264;
const DISTANCE_MAX: usize = 1 << 13;
/// Entries of the table of places where three bytes were seen last.
const PLACES: usize = 1 << 14;
/// Three bytes of input give at most this much output: a bound for what may be announced.
const EXPANSION_MAX: usize = COPY_MAX / COPY_MIN + 1;

/// Compresses; the table of places is used again from string to string.
pub struct Compressor {
    /// Where each hash was seen last, plus `base`; what is below `base` is of an earlier string.
    places: Box<[u32; PLACES]>,
    base: u32,
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            places: Box::new([0; PLACES]),
            base: 1,
        }
    }
}

impl Compressor {
    /// Appends the compressed form of `input` to `to`; leaves `to` as it was and answers `false` if that would take more
    /// than `max_bytes`.
    pub fn compress(&mut self, input: &[u8], to: &mut Vec<u8>, max_bytes: usize) -> bool {
        let start = to.len();
        if self.base.checked_add(input.len() as u32).is_none() || input.len() >= u32::MAX as usize {
            *self = Self::default();
        }
        let base = self.base;
        let fits = self.encode(input, to, start + max_bytes);
        self.base = base.saturating_add(input.len() as u32);
        if !fits {
            to.truncate(start);
        }
        fits
    }

    fn encode(&mut self, input: &[u8], to: &mut Vec<u8>, end: usize) -> bool {
        let (mut at, mut literals) = (0, 0);
        while at + COPY_MIN <= input.len() {
            let place = &mut self.places[hash_of(input, at)];
            let before = place.checked_sub(self.base).map(|before| before as usize);
            *place = self.base + at as u32;
            let found = before.filter(|before| {
                at - before <= DISTANCE_MAX
                    && input[*before..*before + COPY_MIN] == input[at..at + COPY_MIN]
            });
            let Some(before) = found else {
                at += 1;
                continue;
            };
            let max = (input.len() - at).min(COPY_MAX);
            let more = input[before + COPY_MIN..]
                .iter()
                .zip(&input[at + COPY_MIN..at + max])
                .take_while(|(one, other)| one == other)
                .count();
            let length = COPY_MIN + more;
            put_literals(to, &input[literals..at]);
            put_copy(to, length, at - before);
            if to.len() > end {
                return false;
            }
            // The last places of the copy are remembered: what follows it often follows it again.
            for at in at + length - 2..at + length {
                if at + COPY_MIN <= input.len() {
                    self.places[hash_of(input, at)] = self.base + at as u32;
                }
            }
            at += length;
            literals = at;
        }
        put_literals(to, &input[literals..]);
        to.len() <= end
    }
}

#[inline]
fn hash_of(input: &[u8], at: usize) -> usize {
    let [a, b, c] = match input[at..].first_chunk() {
        Some(bytes) => *bytes,
        None => unreachable!("callers stay three bytes before the end"),
    };
    let word = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
    (word.wrapping_mul(0x9e37_79b1) >> (32 - PLACES.trailing_zeros())) as usize
}

fn put_literals(to: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(LITERALS_MAX) {
        to.push(run.len() as u8 - 1);
        to.extend_from_slice(run);
    }
}

fn put_copy(to: &mut Vec<u8>, length: usize, distance: usize) {
    let (distance, length) = (distance - 1, length - 2);
    let high = (distance >> 8) as u8;
    if length < 7 {
        to.push((length as u8) << 5 | high);
    } else {
        to.extend_from_slice(&[7 << 5 | high, (length - 7) as u8]);
    }
    to.push(distance as u8);
}

/// Whether compressed bytes of this number can become so many: asked before anything is allocated.
pub fn may_become(compressed: usize, bytes: usize) -> bool {
    bytes > 0 && bytes <= compressed.saturating_mul(EXPANSION_MAX)
}

/// Appends what `input` was made of to `to`; `None` if it is not exactly `bytes` long or not LZF.
pub fn decompress(mut input: &[u8], bytes: usize, to: &mut Vec<u8>) -> Option<()> {
    let start = to.len();
    let end = start + bytes;
    while let Some((control, rest)) = input.split_first() {
        let control = usize::from(*control);
        if control < LITERALS_MAX {
            let (run, rest) = rest.split_at_checked(control + 1)?;
            to.extend_from_slice(run);
            input = rest;
        } else {
            let (mut length, mut rest) = (control >> 5, rest);
            if length == 7 {
                let (more, after) = rest.split_first()?;
                length += usize::from(*more);
                rest = after;
            }
            let (low, rest) = rest.split_first()?;
            let distance = ((control & 31) << 8 | usize::from(*low)) + 1;
            copy(to, start, distance, length + 2)?;
            input = rest;
        }
        if to.len() > end {
            return None;
        }
    }
    (to.len() == end).then_some(())
}

fn copy(to: &mut Vec<u8>, start: usize, distance: usize, length: usize) -> Option<()> {
    let from = to
        .len()
        .checked_sub(distance)
        .filter(|from| *from >= start)?;
    if distance >= length {
        to.extend_from_within(from..from + length);
    } else {
        (from..from + length).for_each(|at| to.push(to[at]));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    fn round_trip(compressor: &mut Compressor, input: &[u8]) -> usize {
        let mut compressed = b"before".to_vec();
        assert!(compressor.compress(input, &mut compressed, usize::MAX / 2));
        let mut output = b"other".to_vec();
        decompress(&compressed[6..], input.len(), &mut output).expect("our own bytes");
        assert!(output[5..] == *input);
        compressed.len() - 6
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let mut random = Random::from_seed(3);
        let mut compressor = Compressor::default();
        for round in 0..600 {
            let letters = 1 + random.below(20);
            let length = random.below(if round % 50 == 0 { 100_000 } else { 400 });
            let input: Vec<u8> = (0..length).map(|_| random.below(letters) as u8).collect();
            round_trip(&mut compressor, &input);
        }
        assert!(round_trip(&mut compressor, &[b'a'; 10_000]) < 130);
        assert!(round_trip(&mut compressor, b"hello hello hello hello hello") < 20);
    }

    #[test]
    fn too_large_a_result_leaves_nothing() {
        let mut to = b"kept".to_vec();
        let mut compressor = Compressor::default();
        assert!(!compressor.compress(b"abcdefghijklmnopqrstuvwxyz", &mut to, 20));
        assert_eq!(to, b"kept");
    }

    #[test]
    fn bytes_that_are_no_lzf_are_refused() {
        let refuse = |input: &[u8], bytes| decompress(input, bytes, &mut Vec::new()).is_none();
        assert!(refuse(&[5, b'a'], 6));
        assert!(refuse(&[0, b'a', 0x20, 5], 4));
        assert!(refuse(&[0, b'a'], 2));
        assert!(refuse(&[1, b'a', b'b'], 1));
        assert!(refuse(&[0, b'a', 0xe0], 9));
        let mut random = Random::from_seed(9);
        for _ in 0..20_000 {
            let input: Vec<u8> = (0..random.below(40))
                .map(|_| random.next_u64() as u8)
                .collect();
            let mut to = vec![1, 2, 3];
            let bytes = random.below(60) as usize;
            if decompress(&input, bytes, &mut to).is_some() {
                assert_eq!(to.len(), 3 + bytes);
            }
        }
    }
}
