//! Intset: different integers in ascending order in one run of bytes. Small sets of integers are one of these.
//!
//! ```text
//! intset  [ width u32 LE: 2, 4 or 8 | integers u32 LE | integers of that width, LE, signed, ascending ]
//! ```
//! The format is that of Redis, byte for byte: it goes into RDB files and DUMP payloads as it is. The width is that of
//! the widest integer that was ever in it. No bytes at all are an empty intset too, so that an empty one needs no memory.
//!
//! [`Ints`] reads borrowed bytes, [`Intset`] owns and changes them. Both trust their bytes: those from outside pass
//! [`Ints::check`] first.

const HEADER_BYTES: usize = 8;

/// Bytes that are no intset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an intset: {reason} at byte {at}")]
pub struct Corrupt {
    /// Where.
    pub at: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// The integers by their width.
#[derive(Clone, Copy)]
enum Body<'a> {
    Two(&'a [[u8; 2]]),
    Four(&'a [[u8; 4]]),
    Eight(&'a [[u8; 8]]),
}

#[inline]
fn value<const N: usize>(bytes: &[u8; N]) -> i64 {
    let mut high = [0; 8];
    high[8 - N..].copy_from_slice(bytes);
    i64::from_le_bytes(high) >> (64 - 8 * N)
}

#[inline]
fn search<const N: usize>(values: &[[u8; N]], wanted: i64) -> Result<usize, usize> {
    values.binary_search_by(|bytes| value(bytes).cmp(&wanted))
}

/// Bytes that `value` takes.
#[inline]
fn width_of(value: i64) -> usize {
    if i16::try_from(value).is_ok() {
        2
    } else if i32::try_from(value).is_ok() {
        4
    } else {
        8
    }
}

/// An intset that is being read. See the head of the file.
#[derive(Clone, Copy, Debug)]
pub struct Ints<'a>(&'a [u8]);

impl<'a> Ints<'a> {
    /// The intset in `bytes`, which came from an [`Intset`] or were checked.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The intset in bytes from outside, if width, count and order are as they must be.
    pub fn check(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let wrong = |at, reason| Err(Corrupt { at, reason });
        let Some((head, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return wrong(0, "too short");
        };
        let [a, b, c, d, told @ ..] = *head;
        let width = u32::from_le_bytes([a, b, c, d]) as usize;
        if !matches!(width, 2 | 4 | 8) {
            return wrong(0, "no known width");
        }
        let told = u32::from_le_bytes(told) as usize;
        if Some(body.len()) != told.checked_mul(width) {
            return wrong(4, "another length than told");
        }
        let ints = Self(bytes);
        let mut pairs = ints.iter().zip(ints.iter().skip(1));
        match pairs.position(|(one, next)| one >= next) {
            Some(index) => wrong(HEADER_BYTES + (index + 1) * width, "out of order"),
            None => Ok(ints),
        }
    }

    #[inline]
    fn width(self) -> usize {
        usize::from(self.0.first().copied().unwrap_or(2))
    }

    #[inline]
    fn body(self) -> Body<'a> {
        let body = self.0.get(HEADER_BYTES..).unwrap_or_default();
        match self.width() {
            2 => Body::Two(body.as_chunks().0),
            4 => Body::Four(body.as_chunks().0),
            _ => Body::Eight(body.as_chunks().0),
        }
    }

    /// The bytes, as RDB files have them; an empty intset may have none.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Integers.
    #[inline]
    pub fn len(self) -> usize {
        self.0.len().saturating_sub(HEADER_BYTES) / self.width()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.len() <= HEADER_BYTES
    }

    /// Where the integer stands, or where it would.
    #[inline]
    pub fn find(self, wanted: i64) -> Result<usize, usize> {
        match self.body() {
            Body::Two(values) => search(values, wanted),
            Body::Four(values) => search(values, wanted),
            Body::Eight(values) => search(values, wanted),
        }
    }

    /// Whether the integer is there.
    #[inline]
    pub fn contains(self, wanted: i64) -> bool {
        self.find(wanted).is_ok()
    }

    /// Integer number `index`.
    #[inline]
    pub fn get(self, index: usize) -> Option<i64> {
        match self.body() {
            Body::Two(values) => values.get(index).map(value),
            Body::Four(values) => values.get(index).map(value),
            Body::Eight(values) => values.get(index).map(value),
        }
    }

    /// The smallest integer.
    pub fn first(self) -> Option<i64> {
        self.get(0)
    }

    /// The largest integer.
    pub fn last(self) -> Option<i64> {
        self.len().checked_sub(1).and_then(|index| self.get(index))
    }

    /// All integers, ascending.
    #[inline]
    pub fn iter(self) -> IntsIter<'a> {
        IntsIter {
            ints: self,
            at: 0,
            end: self.len(),
        }
    }
}

/// Goes through an intset from the smallest to the largest.
#[derive(Clone, Debug)]
pub struct IntsIter<'a> {
    ints: Ints<'a>,
    at: usize,
    end: usize,
}

impl Iterator for IntsIter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        if self.at == self.end {
            return None;
        }
        self.at += 1;
        self.ints.get(self.at - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}

impl ExactSizeIterator for IntsIter<'_> {}

/// An intset of one's own. See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Intset(Vec<u8>);

impl Intset {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty one in the memory of `bytes`.
    pub fn in_memory_of(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self(bytes)
    }

    /// Its memory, to be used for something else.
    pub fn into_memory(self) -> Vec<u8> {
        self.0
    }

    /// For reading.
    #[inline]
    pub fn ints(&self) -> Ints<'_> {
        Ints(&self.0)
    }

    /// Takes the content of `ints`, and keeps its own memory.
    #[inline]
    pub fn load(&mut self, ints: Ints<'_>) {
        self.0.clear();
        self.0.extend_from_slice(ints.0);
    }

    /// Bytes of memory that it holds.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Gives back memory that is not used.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Adds an integer; whether it was not there.
    pub fn insert(&mut self, value: i64) -> bool {
        let width = width_of(value);
        if self.0.is_empty() {
            self.0
                .extend_from_slice(&[width as u8, 0, 0, 0, 0, 0, 0, 0]);
        }
        let index = if width > self.ints().width() {
            // Wider than all others: smaller than all, or larger.
            self.widen(width);
            if value < 0 { 0 } else { self.ints().len() }
        } else {
            match self.ints().find(value) {
                Ok(_) => return false,
                Err(index) => index,
            }
        };
        let (width, end) = (self.ints().width(), self.0.len());
        let at = HEADER_BYTES + index * width;
        self.0.resize(end + width, 0);
        self.0.copy_within(at..end, at + width);
        self.0[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        self.write_count();
        true
    }

    /// Takes an integer out; whether it was there.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.ints().find(value) else {
            return false;
        };
        let width = self.ints().width();
        let at = HEADER_BYTES + index * width;
        self.0.drain(at..at + width);
        self.write_count();
        true
    }

    /// Keeps the integers that `keep` accepts; it is asked in ascending order.
    pub fn retain(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let (width, mut to) = (self.ints().width(), HEADER_BYTES);
        for index in 0..self.ints().len() {
            if self.ints().get(index).is_some_and(&mut keep) {
                let from = HEADER_BYTES + index * width;
                self.0.copy_within(from..from + width, to);
                to += width;
            }
        }
        if !self.0.is_empty() {
            self.0.truncate(to);
            self.write_count();
        }
    }

    fn widen(&mut self, width: usize) {
        let values: Vec<i64> = self.ints().iter().collect();
        self.0.truncate(HEADER_BYTES);
        self.0[0] = width as u8;
        self.0.reserve((values.len() + 1) * width);
        for value in values {
            self.0.extend_from_slice(&value.to_le_bytes()[..width]);
        }
    }

    fn write_count(&mut self) {
        let count = u32::try_from(self.ints().len()).expect("sets are converted long before");
        self.0[4..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use std::collections::BTreeSet;

    /// Integers of all widths, some of them at the borders between two.
    fn some_integer(random: &mut Random) -> i64 {
        const BORDERS: [i64; 8] = [
            i16::MIN as i64 - 1,
            i16::MIN as i64,
            i16::MAX as i64,
            i16::MAX as i64 + 1,
            i32::MIN as i64 - 1,
            i32::MAX as i64 + 1,
            i64::MIN,
            i64::MAX,
        ];
        match random.below(400) {
            0 => BORDERS[random.below(BORDERS.len() as u64) as usize],
            1..20 => random.next_u64() as i64 >> random.below(64),
            _ => random.below(300) as i64 - 150,
        }
    }

    #[test]
    fn model_an_intset_behaves_as_an_ordered_set_does() {
        let operations: usize = std::env::var("OXIDIS_MODEL_OPERATIONS")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(30_000);
        let mut random = Random::from_seed(3);
        let (mut intset, mut model) = (Intset::new(), BTreeSet::new());
        for step in 0..operations {
            let value = some_integer(&mut random);
            match random.below(2) {
                0 => assert_eq!(intset.insert(value), model.insert(value)),
                _ => assert_eq!(intset.remove(value), model.remove(&value)),
            }
            assert_eq!(intset.ints().contains(value), model.contains(&value));
            assert_eq!(intset.ints().len(), model.len());
            if step % 50 == 0 {
                assert!(intset.ints().iter().eq(model.iter().copied()));
                assert_eq!(intset.ints().first(), model.first().copied());
                assert_eq!(intset.ints().last(), model.last().copied());
                assert!(Ints::check(intset.ints().bytes()).is_ok());
            }
            if step % 5_000 == 4_999 {
                intset.retain(|value| value % 2 == 0);
                model.retain(|value| value % 2 == 0);
            }
            if step % 10_000 == 9_999 {
                (intset, model) = (Intset::new(), BTreeSet::new());
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_redis() {
        let mut intset = Intset::new();
        assert!(intset.insert(5) && intset.insert(-1) && !intset.insert(5));
        assert_eq!(intset.ints().bytes(), b"\x02\0\0\0\x02\0\0\0\xff\xff\x05\0");
        assert!(intset.insert(70_000));
        assert_eq!(
            intset.ints().bytes(),
            b"\x04\0\0\0\x03\0\0\0\xff\xff\xff\xff\x05\0\0\0\x70\x11\x01\0"
        );
        assert!(intset.insert(i64::MIN));
        assert_eq!(intset.ints().bytes().len(), 8 + 4 * 8);
        assert_eq!(intset.ints().first(), Some(i64::MIN));
    }

    #[test]
    fn foreign_bytes_are_checked() {
        let reason = |bytes: &[u8]| Ints::check(bytes).map(|_| ()).map_err(|error| error.reason);
        assert_eq!(reason(b"\x02\0\0\0\x01\0\0\0\x05\0"), Ok(()));
        assert_eq!(reason(b"\x02\0\0\0\0\0\0\0"), Ok(()));
        assert_eq!(reason(b""), Err("too short"));
        assert_eq!(reason(b"\x02\0\0\0\x01\0\0"), Err("too short"));
        assert_eq!(reason(b"\x03\0\0\0\0\0\0\0"), Err("no known width"));
        assert_eq!(reason(b"\x02\x01\0\0\0\0\0\0"), Err("no known width"));
        assert_eq!(
            reason(b"\x02\0\0\0\x02\0\0\0\x05\0"),
            Err("another length than told")
        );
        assert_eq!(
            reason(b"\x02\0\0\0\x01\0\0\0\x05\0\0"),
            Err("another length than told")
        );
        for unordered in [
            b"\x02\0\0\0\x02\0\0\0\x05\0\x05\0",
            b"\x02\0\0\0\x02\0\0\0\x05\0\xff\xff",
        ] {
            assert_eq!(reason(unordered), Err("out of order"));
        }
    }
}
