//! What the 64-bit and the 80-bit float share: reading hexadecimal floats, and rounding to nearest, ties to even.
//!
//! A value on its way to be rounded is a [`Scaled`]: `mantissa x 2^exponent`. A mantissa that had to drop bits keeps
//! its lowest bit set ("jammed"), so that no later rounding takes it for an exact tie; it then has more than 100
//! significant bits, and every format here keeps at most 64 of them.

/// `mantissa x 2^exponent`, with the lowest bit set if anything below it was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) mantissa: u128,
    pub(super) exponent: i64,
}

/// No exponent that a format knows is near this; keeps the sums below from overflowing.
const EXPONENT_BOUND: i64 = 1 << 40;

/// Splits the sign off a number's text: whether it is negative, and the rest.
pub(super) fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// The text behind a leading `0x`, if it has one.
pub(super) fn strip_hex_prefix(unsigned: &[u8]) -> Option<&[u8]> {
    match unsigned {
        [b'0', b'x' | b'X', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Whether an unsigned text is one of C's two words for infinity.
pub(super) fn is_infinity(unsigned: &[u8]) -> bool {
    unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity")
}

/// Reads an optional exponent (`letter`, sign, digits) that must fill `text`; none is 0, absurd ones saturate.
pub(super) fn parse_exponent(text: &[u8], letter: u8) -> Option<i64> {
    let [first, rest @ ..] = text else {
        return Some(0);
    };
    let (negative, digits) = split_sign(rest);
    if !first.eq_ignore_ascii_case(&letter) || digits.is_empty() {
        return None;
    }
    let mut exponent = 0_i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        exponent = (exponent * 10 + i64::from(digit - b'0')).min(EXPONENT_BOUND);
    }
    Some(if negative { -exponent } else { exponent })
}

/// Reads what follows the `0x` of a hexadecimal float: digits with at most one dot, and a binary exponent.
pub(super) fn parse_hex(text: &[u8]) -> Option<Scaled> {
    let mut mantissa = 0_u128;
    let mut exponent = 0_i64;
    let (mut any_digit, mut after_dot) = (false, false);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'.' && !after_dot {
            after_dot = true;
        } else if let Some(digit) = char::from(byte).to_digit(16) {
            any_digit = true;
            exponent -= if after_dot { 4 } else { 0 };
            if mantissa >> 124 == 0 {
                mantissa = mantissa << 4 | u128::from(digit);
            } else {
                mantissa |= u128::from(digit != 0);
                exponent += 4;
            }
        } else {
            break;
        }
        at += 1;
    }
    if !any_digit {
        return None;
    }
    exponent += parse_exponent(&text[at..], b'p')?;
    Some(Scaled { mantissa, exponent })
}

/// `value / 2^shift`, rounded to nearest, ties to even.
pub(super) fn shift_right_rounded(value: u128, shift: u32) -> u128 {
    if shift == 0 {
        return value;
    }
    if shift > 128 {
        return 0;
    }
    let quotient = value.checked_shr(shift).unwrap_or(0);
    let half = 1_u128 << (shift - 1);
    let rest = value & (half | (half - 1));
    let up = rest > half || (rest == half && quotient & 1 == 1);
    quotient + u128::from(up)
}

impl Scaled {
    /// Rounds to at most `bits` significant bits (64 or fewer) and an exponent of at least `exponent_min`.
    ///
    /// The result has exactly `bits` bits, or the exponent `exponent_min`; the upper bound is the caller's affair.
    pub(super) fn round(self, bits: u32, exponent_min: i64) -> Scaled {
        if self.mantissa == 0 {
            return Scaled {
                mantissa: 0,
                exponent: exponent_min,
            };
        }
        let length = 128 - self.mantissa.leading_zeros();
        let mut exponent = (self.exponent + i64::from(length) - i64::from(bits)).max(exponent_min);
        let shift = exponent - self.exponent;
        let mut mantissa = if shift > 0 {
            shift_right_rounded(self.mantissa, u32::try_from(shift).unwrap_or(u32::MAX))
        } else {
            self.mantissa << -shift
        };
        if mantissa >> bits != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
        Scaled { mantissa, exponent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_and_exponents_are_read() {
        let read = |text: &str| parse_hex(text.as_bytes()).map(|s| (s.mantissa, s.exponent));
        assert_eq!(read("1p3"), Some((1, 3)));
        assert_eq!(read("a.8P-2"), Some((0xa8, -6)));
        assert_eq!(read(".8"), Some((8, -4)));
        assert_eq!(read("1."), Some((1, 0)));
        for bad in ["", ".", ".p1", "1p", "1p+", "g", "1.2.3", "1p1x", "p1"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn more_hexadecimal_digits_than_fit_are_jammed() {
        let text = [b"1".as_slice(), &[b'0'; 40], b"1"].concat();
        let scaled = parse_hex(&text).expect("only hexadecimal digits");
        assert_eq!(scaled.mantissa & 1, 1);
        assert_eq!(scaled.exponent, 10 * 4);
        assert_eq!(scaled.mantissa >> 1, 1 << 123);
    }

    #[test]
    fn ties_go_to_the_even_neighbour() {
        assert_eq!(shift_right_rounded(0b101, 1), 0b10);
        assert_eq!(shift_right_rounded(0b111, 1), 0b100);
        assert_eq!(shift_right_rounded(0b1011, 2), 0b11);
        assert_eq!(shift_right_rounded(1 << 127, 128), 0);
        assert_eq!(shift_right_rounded((1 << 127) + 1, 128), 1);
        assert_eq!(shift_right_rounded(u128::MAX, 129), 0);
        assert_eq!(shift_right_rounded(7, 0), 7);
    }

    #[test]
    fn rounding_up_over_a_power_of_two_keeps_the_number_of_bits() {
        let scaled = Scaled {
            mantissa: 0b1_1111,
            exponent: 0,
        };
        let rounded = scaled.round(4, -100);
        assert_eq!((rounded.mantissa, rounded.exponent), (0b1000, 2));
        let tiny = scaled.round(4, 3);
        assert_eq!((tiny.mantissa, tiny.exponent), (4, 3));
    }
}
