//! Numbers as the protocol spells them: strict reading and fast writing.
//!
//! Reading is strict because the text of a number is data: `INCR` works on exactly those strings that printing an
//! integer gives, so that an integer kept as a number prints back the very bytes the client sent. Nothing here skips
//! spaces or stops early: the whole text is the number, or it is none.

use super::binary_float;
use std::io::Write;

/// Reads a canonical decimal integer: digits with an optional `-`, no `+`, no leading zeros, no `-0`.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => match parse_u64(digits)? {
            0 => None,
            magnitude => 0_i64.checked_sub_unsigned(magnitude),
        },
        digits => i64::try_from(parse_u64(digits)?).ok(),
    }
}

/// Reads a canonical decimal integer without a sign: digits, no leading zeros.
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    /// Digits that cannot overflow.
    const SAFE_DIGITS: usize = 19;
    match text {
        [b'0'] => return Some(0),
        [b'1'..=b'9', ..] if text.len() <= SAFE_DIGITS + 1 => {}
        _ => return None,
    }
    let (safe, last) = text.split_at(text.len().min(SAFE_DIGITS));
    let mut value = 0_u64;
    for byte in safe {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    match last {
        [] => Some(value),
        [byte @ b'0'..=b'9', ..] => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    }
}

/// Reads what C's `strtod` reads, as scores and increments are spelled: decimal and hexadecimal floats (`0x1p3`), and
/// `inf` or `infinity` with either sign, in any case.
///
/// `None` for anything else, for surrounding spaces, for `nan`, and for numbers that are too large or that would
/// become zero.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let (negative, unsigned) = binary_float::split_sign(text);
    let magnitude = if matches!(unsigned, [b'0'..=b'9' | b'.', ..]) {
        match binary_float::strip_hex_prefix(unsigned) {
            Some(digits) => parse_hex_f64(digits)?,
            None => parse_decimal_f64(unsigned)?,
        }
    } else if binary_float::is_infinity(unsigned) {
        f64::INFINITY
    } else {
        return None;
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn parse_decimal_f64(unsigned: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(unsigned).ok()?.parse().ok()?;
    let underflow = value == 0.0 && !is_decimal_zero(unsigned);
    (!underflow && value.is_finite()).then_some(value)
}

/// Whether the digits before the exponent are all zeros.
fn is_decimal_zero(unsigned: &[u8]) -> bool {
    let mut digits = unsigned
        .iter()
        .take_while(|byte| !byte.eq_ignore_ascii_case(&b'e'));
    digits.all(|byte| matches!(byte, b'0' | b'.'))
}

fn parse_hex_f64(digits: &[u8]) -> Option<f64> {
    const EXPONENT_MIN: i64 = -1074;
    const EXPONENT_MAX: i64 = 971;
    let scaled = binary_float::parse_hex(digits)?;
    let rounded = scaled.round(f64::MANTISSA_DIGITS, EXPONENT_MIN);
    let underflow = rounded.mantissa == 0 && scaled.mantissa != 0;
    if underflow || rounded.exponent > EXPONENT_MAX {
        return None;
    }
    // Both factors and the product are exact: rounding has left no bit that the format cannot hold.
    Some(rounded.mantissa as f64 * power_of_two(rounded.exponent))
}

/// 2^exponent for exponents from -1074 to 1023.
fn power_of_two(exponent: i64) -> f64 {
    let bits = if exponent < -1022 {
        1_u64 << (exponent + 1074)
    } else {
        ((exponent + 1023) as u64) << 52
    };
    f64::from_bits(bits)
}

/// Reads an amount of memory in bytes: digits and one of the units `b`, `k` (1000), `kb` (1024), `m`, `mb`, `g`, `gb`
/// in any case, or none.
///
/// `None` for a sign, a fraction, an unknown unit, or more than `i64::MAX` bytes.
pub fn parse_memory(text: &[u8]) -> Option<i64> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    if digits.is_empty() {
        return None;
    }
    let scale: i64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let mut amount = 0_i64;
    for digit in digits {
        amount = amount
            .checked_mul(10)?
            .checked_add(i64::from(digit - b'0'))?;
    }
    amount.checked_mul(scale)
}

/// The two digits of every number below 100.
const DIGIT_PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Digits of the largest `u64`.
const U64_DIGITS_MAX: usize = 20;

/// Appends `value` in decimal.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    write_u64(out, value.unsigned_abs());
}

/// Appends `value` in decimal.
#[inline]
pub fn write_u64(out: &mut Vec<u8>, value: u64) {
    if value < 10 {
        out.push(b'0' + value as u8);
        return;
    }
    let mut digits = [0; U64_DIGITS_MAX];
    let mut start = U64_DIGITS_MAX;
    let mut rest = value;
    while rest >= 10 {
        start -= 2;
        digits[start..start + 2].copy_from_slice(&DIGIT_PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest > 0 {
        start -= 1;
        digits[start] = b'0' + rest as u8;
    }
    out.extend_from_slice(&digits[start..]);
}

/// How many decimal digits `value` has; 1 for 0.
#[inline]
pub fn digits_u64(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Appends `value` as replies show doubles: `inf`, `-inf`, `nan`, whole numbers up to 2^62 as integers, and else the
/// fewest digits that read back as the same number, with an exponent where the plain form would be long.
pub fn format_f64(value: f64, out: &mut Vec<u8>) {
    /// The largest magnitude that is shown through an integer, 2^62.
    const INTEGER_MAX: f64 = (1_i64 << 62) as f64;
    if value.is_nan() {
        out.extend_from_slice(b"nan");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.extend_from_slice(b"inf");
    } else if magnitude <= INTEGER_MAX && magnitude.trunc() == magnitude {
        write_u64(out, magnitude as u64);
    } else {
        format_shortest(magnitude, out);
    }
}

/// Shortest digits of a positive finite number, laid out plainly or with an exponent.
fn format_shortest(magnitude: f64, out: &mut Vec<u8>) {
    /// One digit, a dot, 16 more, `e-` and three digits of exponent; some to spare.
    const SCIENTIFIC_MAX_BYTES: usize = 32;
    /// A plain integer may end in fewer than this many zeros more than it has digits.
    const ZEROS_MAX: i32 = 7;
    let mut buffer = [0; SCIENTIFIC_MAX_BYTES];
    let mut rest = buffer.as_mut_slice();
    write!(rest, "{magnitude:e}").expect("17 digits and an exponent fit 32 bytes");
    let unused = rest.len();
    let text = &buffer[..SCIENTIFIC_MAX_BYTES - unused];
    let (digits, exponent) = split_scientific(text);
    let (digits, count) = (&digits.0[..digits.1], digits.1 as i32);
    // The power of ten of the last digit: the number is digits x 10^last.
    let last = exponent - (count - 1);
    if last >= 0 && exponent < count + ZEROS_MAX {
        out.extend_from_slice(digits);
        out.resize(out.len() + last as usize, b'0');
    } else if last < 0 && (last > -ZEROS_MAX || exponent.abs() < 4) {
        push_plain_fraction(digits, exponent, out);
    } else {
        out.extend_from_slice(&digits[..1]);
        if count > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        write_u64(out, u64::from(exponent.unsigned_abs()));
    }
}

/// Takes `d.ddde-x` apart: the digits without the dot with their number, and the exponent of the first one.
fn split_scientific(text: &[u8]) -> (([u8; 17], usize), i32) {
    let mut digits = [0; 17];
    let mut count = 0;
    let mut bytes = text.iter();
    for &byte in bytes.by_ref().take_while(|byte| **byte != b'e') {
        if byte != b'.' {
            digits[count] = byte;
            count += 1;
        }
    }
    let exponent = parse_i64(bytes.as_slice()).expect("the standard library ends with an integer");
    ((digits, count), exponent as i32)
}

/// Appends digits with a dot somewhere before the last one, or zeros between the dot and the first one.
fn push_plain_fraction(digits: &[u8], exponent: i32, out: &mut Vec<u8>) {
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        let zeros = exponent.unsigned_abs() as usize - 1;
        out.resize(out.len() + zeros, b'0');
        out.extend_from_slice(digits);
    } else {
        let (whole, fraction) = digits.split_at(exponent as usize + 1);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}
