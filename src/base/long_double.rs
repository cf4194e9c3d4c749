//! The x87 80-bit float, in software: INCRBYFLOAT and HINCRBYFLOAT compute in C's `long double` and show the result
//! with 17 decimals, so its rounding is part of the protocol (`0.1 + 0.2` is `0.3` there).
//!
//! It is not a number type for general use: reading, adding and printing is all there is. Every operation rounds
//! once, to nearest, ties to even.
//!
//! ```text
//! value = mantissa x 2^exponent    mantissa: 64 bits, the highest one set unless the exponent is the smallest
//! ```

use super::binary_float::{self, Scaled};
use super::natural::Natural;
use super::number;

/// Significant bits.
const MANTISSA_BITS: u32 = 64;
/// Exponent of the smallest positive number, 2^-16445.
const EXPONENT_MIN: i64 = -16_445;
/// Exponent of the largest numbers, just below 2^16384.
const EXPONENT_MAX: i64 = 16_384 - 64;
/// Longer texts are no numbers to Redis (it reads them through a buffer of 5 KiB with a final NUL).
const TEXT_MAX_BYTES: usize = 5 * 1024 - 1;
/// From 10^4933 on everything is infinite.
const DECIMAL_MAGNITUDE_MAX: i64 = 4933;
/// Below 10^-4951 everything is zero.
const DECIMAL_MAGNITUDE_MIN: i64 = -4951;
/// The largest power of five in 64 bits.
const FAST_POWER_MAX: i64 = 27;
/// Decimals that are shown.
const DECIMALS: usize = 17;
/// 10^17.
const DECIMALS_SCALE: u128 = 100_000_000_000_000_000;

/// A float with 64 bits of mantissa and 15 bits of exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    magnitude: Magnitude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Magnitude {
    Finite { mantissa: u64, exponent: i64 },
    Infinite,
    NotANumber,
}

/// The parts of a decimal text: its significant digits and the power of ten of the last one.
struct Decimal<'a> {
    /// Digits and at most one dot, without leading and trailing zeros.
    digits: &'a [u8],
    /// Number of digits in `digits`.
    count: usize,
    exponent: i64,
}

impl LongDouble {
    /// Reads what C's `strtold` reads: decimal and hexadecimal floats and the two words for infinity.
    ///
    /// `None` for anything else, for surrounding spaces, for `nan`, for texts of 5 KiB and more, and for numbers that
    /// are too large or that would become zero: INCRBYFLOAT refuses them all.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        if text.len() > TEXT_MAX_BYTES {
            return None;
        }
        let (negative, unsigned) = binary_float::split_sign(text);
        if binary_float::is_infinity(unsigned) {
            let magnitude = Magnitude::Infinite;
            return Some(LongDouble {
                negative,
                magnitude,
            });
        }
        let scaled = match binary_float::strip_hex_prefix(unsigned) {
            Some(digits) => binary_float::parse_hex(digits)?,
            None => Decimal::split(unsigned)?.scaled()?,
        };
        let result = LongDouble::rounded(negative, scaled);
        let lost = scaled.mantissa != 0 && result.is_zero();
        (!lost && !result.is_infinite()).then_some(result)
    }

    /// The sum, rounded once. Infinities of opposite signs give not-a-number; a sum that is too large is infinite.
    #[must_use]
    pub fn add(self, other: LongDouble) -> LongDouble {
        use Magnitude::{Finite, Infinite, NotANumber};
        match (self.magnitude, other.magnitude) {
            (NotANumber, _) | (_, NotANumber) => LongDouble::not_a_number(),
            (Infinite, Infinite) if self.negative != other.negative => LongDouble::not_a_number(),
            (Infinite, _) => self,
            (_, Infinite) => other,
            (
                Finite { mantissa, exponent },
                Finite {
                    mantissa: their_mantissa,
                    exponent: their_exponent,
                },
            ) => {
                let ours = (exponent, mantissa, self.negative);
                let theirs = (their_exponent, their_mantissa, other.negative);
                add_finite(ours.max(theirs), ours.min(theirs))
            }
        }
    }

    /// Whether this is the result of an addition that has none.
    pub fn is_nan(self) -> bool {
        self.magnitude == Magnitude::NotANumber
    }

    /// Whether this is an infinity of either sign.
    pub fn is_infinite(self) -> bool {
        self.magnitude == Magnitude::Infinite
    }

    /// Appends the number with 17 decimals, rounded, without trailing zeros; zero of either sign is `0`.
    pub fn format(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if self.negative && !self.is_nan() {
            out.push(b'-');
        }
        match self.magnitude {
            Magnitude::NotANumber => out.extend_from_slice(b"nan"),
            Magnitude::Infinite => out.extend_from_slice(b"inf"),
            Magnitude::Finite { mantissa, exponent } => format_finite(mantissa, exponent, out),
        }
        if out[start..] == *b"-0" {
            out.remove(start);
        }
    }

    fn is_zero(self) -> bool {
        matches!(self.magnitude, Magnitude::Finite { mantissa: 0, .. })
    }

    fn not_a_number() -> LongDouble {
        LongDouble {
            negative: false,
            magnitude: Magnitude::NotANumber,
        }
    }

    fn rounded(negative: bool, scaled: Scaled) -> LongDouble {
        let Scaled { mantissa, exponent } = scaled.round(MANTISSA_BITS, EXPONENT_MIN);
        let magnitude = if mantissa != 0 && exponent > EXPONENT_MAX {
            Magnitude::Infinite
        } else {
            let mantissa = u64::try_from(mantissa).expect("rounding leaves at most 64 bits");
            Magnitude::Finite { mantissa, exponent }
        };
        LongDouble {
            negative,
            magnitude,
        }
    }
}

/// Adds two finite numbers given as (exponent, mantissa, negative), the one of larger magnitude first.
fn add_finite(large: (i64, u64, bool), small: (i64, u64, bool)) -> LongDouble {
    // 63 bits of room below the larger mantissa: enough to be exact while the numbers overlap, and where they do not,
    // a jammed lowest bit is enough to round rightly.
    const ROOM: u32 = 63;
    let distance = large.0 - small.0;
    let wide = u128::from(small.1) << ROOM;
    let shift = u32::try_from(distance).unwrap_or(u32::MAX).min(127);
    let moved = wide >> shift;
    let jam = u128::from(moved << shift != wide);
    let base = u128::from(large.1) << ROOM;
    let mantissa = if large.2 == small.2 {
        base + (moved | jam)
    } else {
        base - (moved | jam)
    };
    let exponent = large.0 - i64::from(ROOM);
    let negative = large.2 && mantissa != 0;
    LongDouble::rounded(negative, Scaled { mantissa, exponent })
}

impl Decimal<'_> {
    /// Splits an unsigned decimal float into its parts; `None` if it is none.
    fn split(text: &[u8]) -> Option<Decimal<'_>> {
        let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        let end = text.iter().position(|byte| !is_part(byte));
        let (number, exponent) = text.split_at(end.unwrap_or(text.len()));
        let dots = number.iter().filter(|&&byte| byte == b'.').count();
        if dots > 1 || number.len() == dots {
            return None;
        }
        let mut exponent = binary_float::parse_exponent(exponent, b'e')?;
        let dot = number.iter().position(|&byte| byte == b'.');
        let significant = |byte: &u8| matches!(byte, b'1'..=b'9');
        let Some(first) = number.iter().position(significant) else {
            return Some(Decimal {
                digits: &[],
                count: 0,
                exponent: 0,
            });
        };
        let last = number.iter().rposition(significant).unwrap_or(first);
        exponent += match dot.unwrap_or(number.len()) {
            dot if dot > last => (dot - last - 1) as i64,
            dot => -((last - dot) as i64),
        };
        let digits = &number[first..=last];
        let dot_within = usize::from(dot.is_some_and(|dot| (first..last).contains(&dot)));
        Some(Decimal {
            digits,
            count: digits.len() - dot_within,
            exponent,
        })
    }

    /// The value as a binary float of far more than 64 bits; `None` if it is out of every range.
    fn scaled(&self) -> Option<Scaled> {
        // The value lies between 10^(magnitude - 1) and 10^magnitude.
        let magnitude = self.exponent + self.count as i64;
        if self.count == 0 {
            return Some(Scaled {
                mantissa: 0,
                exponent: 0,
            });
        }
        if !(DECIMAL_MAGNITUDE_MIN..=DECIMAL_MAGNITUDE_MAX).contains(&magnitude) {
            return None;
        }
        let digits = self.digits.iter().filter(|byte| **byte != b'.').copied();
        if self.count <= 19 && self.exponent.abs() <= FAST_POWER_MAX {
            let number = digits.fold(0, |sum: u64, digit| sum * 10 + u64::from(digit - b'0'));
            Some(scale_fast(number, self.exponent))
        } else {
            let digits: Vec<u8> = digits.collect();
            Some(scale_exactly(Natural::from_decimal(&digits), self.exponent))
        }
    }
}

/// `number x 10^power` for a number that is not 0 and a power of at most 27 either way.
fn scale_fast(number: u64, power: i64) -> Scaled {
    let five = 5_u64.pow(u32::try_from(power.unsigned_abs()).expect("at most 27"));
    if power >= 0 {
        return Scaled {
            mantissa: u128::from(number) * u128::from(five),
            exponent: power,
        };
    }
    // The dividend has 128 bits and the divisor 3 to 63, so the quotient has 65 to 126; one more for the rest.
    let room = number.leading_zeros();
    let dividend = u128::from(number << room) << 64;
    let quotient = dividend / u128::from(five);
    let rest = quotient * u128::from(five) != dividend;
    Scaled {
        mantissa: quotient << 1 | u128::from(rest),
        exponent: power - i64::from(room) - 64 - 1,
    }
}

/// `number x 10^power` with integers as long as it takes.
fn scale_exactly(mut number: Natural, power: i64) -> Scaled {
    /// Quotient bits: more than 64, one for the comparison of equal lengths, one for rounding, one for the rest.
    const STEPS: u32 = 100;
    let five = u32::try_from(power.unsigned_abs()).expect("the magnitude was checked");
    if power >= 0 {
        number.multiply_power_of_five(five);
        let (top, below, dropped) = number.top_bits();
        return Scaled {
            mantissa: top | u128::from(dropped),
            exponent: power + below as i64,
        };
    }
    let mut divisor = Natural::power_of_five(five);
    let (length, divisor_length) = (number.bit_length(), divisor.bit_length());
    number.shift_left(divisor_length.saturating_sub(length));
    divisor.shift_left(length.saturating_sub(divisor_length));
    let (quotient, rest) = number.divide_aligned(&divisor, STEPS);
    Scaled {
        mantissa: quotient << 1 | u128::from(rest),
        exponent: power + length as i64 - divisor_length as i64 - i64::from(STEPS),
    }
}

fn format_finite(mantissa: u64, exponent: i64, out: &mut Vec<u8>) {
    if exponent >= 0 {
        let shift = usize::try_from(exponent).expect("not negative here");
        Natural::shifted(mantissa, shift).write_decimal(out);
        return;
    }
    let shift = u32::try_from(-exponent).expect("exponents are small");
    // A mantissa below 2^64 times 10^17 stays below 2^121.
    let scaled = binary_float::shift_right_rounded(u128::from(mantissa) * DECIMALS_SCALE, shift);
    let whole = u64::try_from(scaled / DECIMALS_SCALE).expect("at most half a mantissa");
    let fraction = (scaled % DECIMALS_SCALE) as u64;
    number::write_u64(out, whole);
    if fraction > 0 {
        out.push(b'.');
        let zeros = DECIMALS - number::digits_u64(fraction);
        out.resize(out.len() + zeros, b'0');
        number::write_u64(out, fraction);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}
