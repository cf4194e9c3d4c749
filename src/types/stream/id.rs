//! The id of a stream's entry: milliseconds and a sequence number, in that order.

use crate::base::number;

/// See the head of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Unix milliseconds, or whatever the client uses.
    pub ms: u64,
    /// Tells ids of one millisecond apart.
    pub seq: u64,
}

impl StreamId {
    /// The smallest id, which no entry has.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The largest id.
    pub const MAX: StreamId = StreamId {
        ms: u64::MAX,
        seq: u64::MAX,
    };

    /// `ms-seq`.
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// The id after this one; `None` after the largest.
    #[inline]
    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self::new(self.ms, seq)),
            None => Some(Self::new(self.ms.checked_add(1)?, 0)),
        }
    }

    /// The id before this one; `None` before the smallest.
    #[inline]
    pub fn previous(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self::new(self.ms, seq)),
            None => Some(Self::new(self.ms.checked_sub(1)?, u64::MAX)),
        }
    }

    /// Reads `ms-seq`, or `ms` with the sequence number `missing_seq`.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<Self> {
        let Some(dash) = text.iter().position(|byte| *byte == b'-') else {
            return Some(Self::new(parse_part(text)?, missing_seq));
        };
        let (ms, seq) = (text.get(..dash)?, text.get(dash + 1..)?);
        Some(Self::new(parse_part(ms)?, parse_part(seq)?))
    }

    /// Bytes of its text.
    #[inline]
    pub fn text_bytes(self) -> usize {
        number::digits_u64(self.ms) + 1 + number::digits_u64(self.seq)
    }

    /// Appends `ms-seq`.
    #[inline]
    pub fn write(self, out: &mut Vec<u8>) {
        number::write_u64(out, self.ms);
        out.push(b'-');
        number::write_u64(out, self.seq);
    }

    /// `ms-seq` in an allocation of its own.
    pub fn to_vec(self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.text_bytes());
        self.write(&mut text);
        text
    }
}

/// One of the two numbers: decimal digits, leading zeros and a plus sign as `strtoull` reads them.
fn parse_part(text: &[u8]) -> Option<u64> {
    if let Some(number) = number::parse_u64(text) {
        return Some(number);
    }
    let digits = text.trim_ascii_start();
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_whole_or_with_the_sequence_number_that_is_wanted() {
        let read = |text: &str| StreamId::parse(text.as_bytes(), 7);
        assert_eq!(read("12-3"), Some(StreamId::new(12, 3)));
        assert_eq!(read("12"), Some(StreamId::new(12, 7)));
        assert_eq!(read("0012-+3"), Some(StreamId::new(12, 3)));
        assert_eq!(
            read("18446744073709551615-18446744073709551615"),
            Some(StreamId::MAX)
        );
        for wrong in [
            "",
            "-",
            "1-",
            "-1",
            "1-2-3",
            "1-*",
            "a",
            "18446744073709551616",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn neighbours_cross_the_milliseconds() {
        let last_of_1 = StreamId::new(1, u64::MAX);
        assert_eq!(last_of_1.next(), Some(StreamId::new(2, 0)));
        assert_eq!(StreamId::new(2, 0).previous(), Some(last_of_1));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::MIN.previous(), None);
        assert_eq!(StreamId::new(10, 0).to_vec(), b"10-0");
    }
}
