//! Integers of 1 to 64 bits at any bit of a string, highest bit first: what BITFIELD works on.
//!
//! A field lies within nine bytes. They are read as one number of 128 bits, in which two shifts find the field.

/// Bytes that are read for a field: more than it may touch.
const WINDOW_BYTES: usize = 16;
/// Bytes that a field may touch.
const FIELD_MAX_BYTES: usize = 9;

/// An integer's type: `i8`, `u63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    signed: bool,
    width: u32,
}

/// What becomes of a number that does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Its lowest bits remain.
    Wrap,
    /// It becomes the nearest number that fits.
    Saturate,
    /// It is not written.
    Fail,
}

impl Field {
    /// A type of `width` bits: 1 to 64 with a sign, 1 to 63 without.
    pub fn new(signed: bool, width: u32) -> Option<Field> {
        let max = if signed { 64 } else { 63 };
        (1..=max)
            .contains(&width)
            .then_some(Field { signed, width })
    }

    /// Its bits.
    pub fn width(self) -> u32 {
        self.width
    }

    /// The number at bit `offset`.
    #[inline]
    pub fn read(self, bytes: &[u8], offset: u64) -> i64 {
        let bits = window(bytes, offset) << (offset % 8) >> (u128::BITS - self.width);
        self.number(bits as u64)
    }

    /// Writes the lowest bits of `value` at bit `offset`; what lies behind the string's end is lost.
    #[inline]
    pub fn write(self, bytes: &mut [u8], offset: u64, value: i64) {
        let shift = u128::BITS - self.width - (offset % 8) as u32;
        let mask = u128::from(self.mask()) << shift;
        let bits = u128::from(value as u64) << shift & mask;
        let changed = (window(bytes, offset) & !mask | bits).to_be_bytes();
        let target = usize::try_from(offset / 8)
            .ok()
            .and_then(|at| bytes.get_mut(at..));
        for (byte, changed) in target
            .unwrap_or_default()
            .iter_mut()
            .zip(changed)
            .take(FIELD_MAX_BYTES)
        {
            *byte = changed;
        }
    }

    /// The number that is stored for `value`, which a client gave for the field; without a sign it counts as 64 bits
    /// without one. `None`: nothing is stored.
    pub fn fit(self, value: i64, overflow: Overflow) -> Option<i64> {
        if !self.signed {
            return self.fit_wide(i128::from(value as u64), overflow);
        }
        let (_, most) = self.bounds();
        let is_far_below = most - i128::from(value) > i128::from(i64::MAX);
        if is_far_below && self.width < u64::BITS && overflow == Overflow::Saturate {
            // So Redis answers, and clients may have come to rely on it: what is this far below counts as above.
            return Some(most as i64);
        }
        self.fit_wide(i128::from(value), overflow)
    }

    /// The number that is stored for `value + increment`.
    pub fn add(self, value: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        self.fit_wide(i128::from(value) + i128::from(increment), overflow)
    }

    fn fit_wide(self, value: i128, overflow: Overflow) -> Option<i64> {
        let (least, most) = self.bounds();
        if (least..=most).contains(&value) {
            return Some(value as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.number(value as u64 & self.mask())),
            Overflow::Saturate => Some(value.clamp(least, most) as i64),
            Overflow::Fail => None,
        }
    }

    fn bounds(self) -> (i128, i128) {
        if self.signed {
            let half = 1 << (self.width - 1);
            (-half, half - 1)
        } else {
            (0, (1 << self.width) - 1)
        }
    }

    fn mask(self) -> u64 {
        u64::MAX >> (u64::BITS - self.width)
    }

    /// The number whose lowest bits these are; the others are zeros.
    fn number(self, bits: u64) -> i64 {
        let spare = u64::BITS - self.width;
        if self.signed {
            (bits << spare) as i64 >> spare
        } else {
            bits as i64
        }
    }
}

/// The bytes from the one of bit `offset` on, the first one highest.
#[inline]
fn window(bytes: &[u8], offset: u64) -> u128 {
    let rest = usize::try_from(offset / 8)
        .ok()
        .and_then(|at| bytes.get(at..))
        .unwrap_or(&[]);
    if let Some(whole) = rest.first_chunk::<WINDOW_BYTES>() {
        return u128::from_be_bytes(*whole);
    }
    let mut window = [0; WINDOW_BYTES];
    for (to, from) in window.iter_mut().zip(rest) {
        *to = *from;
    }
    u128::from_be_bytes(window)
}

#[cfg(test)]
mod tests {
    use super::super::bit;
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn fields_are_read_and_written_as_bit_by_bit() {
        let mut random = Random::from_seed(5);
        for _ in 0..20_000 {
            let length = random.next_u64() as usize % 40;
            let mut bytes: Vec<u8> = (0..length).map(|_| random.next_u64() as u8).collect();
            let signed = random.next_u64().is_multiple_of(2);
            let width = 1 + random.next_u64() as u32 % if signed { 64 } else { 63 };
            let field = Field::new(signed, width).expect("the width is allowed");
            let offset = random.next_u64() % 330;
            let before = bytes.clone();
            let bits = (0..u64::from(width)).fold(0u64, |bits, at| {
                bits << 1 | u64::from(bit(&bytes, offset + at))
            });
            let expected = if signed && width < 64 && bits >> (width - 1) == 1 {
                bits as i64 - (1i64 << (width - 1)) - (1i64 << (width - 1))
            } else {
                bits as i64
            };
            assert_eq!(field.read(&bytes, offset), expected);
            let value = random.next_u64() as i64;
            field.write(&mut bytes, offset, value);
            for at in 0..length as u64 * 8 {
                let expected = match at.checked_sub(offset) {
                    Some(into) if into < u64::from(width) => {
                        value as u64 >> (u64::from(width) - 1 - into) & 1 == 1
                    }
                    _ => bit(&before, at),
                };
                assert_eq!(
                    bit(&bytes, at),
                    expected,
                    "bit {at} of {field:?} at {offset}"
                );
            }
        }
    }

    #[test]
    fn numbers_outside_a_field_wrap_saturate_or_fail() {
        let field = |signed, width| Field::new(signed, width).expect("the width is allowed");
        let all = |field: Field, value, increment| {
            [Overflow::Wrap, Overflow::Saturate, Overflow::Fail]
                .map(|how| field.add(value, increment, how))
        };
        assert_eq!(all(field(true, 8), 100, 27), [Some(127); 3]);
        assert_eq!(all(field(true, 8), 100, 28), [Some(-128), Some(127), None]);
        assert_eq!(
            all(field(true, 8), -100, -29),
            [Some(127), Some(-128), None]
        );
        assert_eq!(all(field(false, 2), 3, 1), [Some(0), Some(3), None]);
        assert_eq!(all(field(false, 2), 0, -1), [Some(3), Some(0), None]);
        assert_eq!(
            all(field(true, 64), i64::MAX, 1),
            [Some(i64::MIN), Some(i64::MAX), None]
        );
        assert_eq!(
            all(field(false, 63), i64::MAX, 1),
            [Some(0), Some(i64::MAX), None]
        );
        let unsigned = field(false, 4);
        assert_eq!(unsigned.fit(-1, Overflow::Saturate), Some(15));
        assert_eq!(unsigned.fit(-2, Overflow::Wrap), Some(14));
        assert_eq!(field(true, 4).fit(-9, Overflow::Wrap), Some(7));
        assert_eq!(field(true, 4).fit(-9, Overflow::Saturate), Some(-8));
        assert_eq!(field(true, 4).fit(i64::MIN, Overflow::Saturate), Some(7));
        assert_eq!(
            (
                Field::new(false, 64),
                Field::new(true, 65),
                Field::new(true, 0)
            ),
            (None, None, None)
        );
    }
}
