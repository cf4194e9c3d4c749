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
    /// Digits of an integer that a double holds for certain.
    const EXACT_DIGITS: usize = 15;
    if (1..=EXACT_DIGITS).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) {
        let digit = |byte: &u8| u64::from(byte - b'0');
        let value = text.iter().fold(0, |value, byte| value * 10 + digit(byte));
        return Some(value as f64);
    }
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

/// An integer in decimal, without an allocation.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    text: [u8; U64_DIGITS_MAX],
    start: usize,
}

impl Decimal {
    /// The decimal form of `value`.
    #[inline]
    pub fn new(value: i64) -> Self {
        let mut text = [0; U64_DIGITS_MAX];
        let mut start = U64_DIGITS_MAX;
        let mut rest = value.unsigned_abs();
        while rest >= 10 {
            start -= 2;
            text[start..start + 2].copy_from_slice(&DIGIT_PAIRS[(rest % 100) as usize]);
            rest /= 100;
        }
        if rest > 0 || start == U64_DIGITS_MAX {
            start -= 1;
            text[start] = b'0' + rest as u8;
        }
        if value < 0 {
            start -= 1;
            text[start] = b'-';
        }
        Self { text, start }
    }

    /// Its characters.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

/// How many decimal digits `value` has; 1 for 0.
#[inline]
pub fn digits_u64(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Appends `value` as replies show doubles: `inf`, `-inf`, `nan`, whole numbers up to 2^62 as integers, and else the
/// fewest digits that read back as the same number, with an exponent where the plain form would be long.
///
/// The digits are always the fewest; Redis' own printer misses them by one digit for about one number in 400 (it shows
/// 2e23 as `199999999999999980000000`).
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

/// Appends `value` as C's `%.17g` does: 17 digits without zeros at their end, which is how ZSCAN shows scores.
pub fn format_f64_in_full(value: f64, out: &mut Vec<u8>) {
    /// From this exponent on, and below -4, the exponent is shown.
    const DIGITS: i64 = 17;
    if !value.is_finite() {
        return format_f64(value, out);
    }
    let text = format!("{value:.16e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let shown = if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        let plain = format!("{value:.decimals$}");
        without_zeros(&plain).to_owned()
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
    };
    out.extend_from_slice(shown.as_bytes());
}

/// The text of a number without the zeros at the end of its fraction.
fn without_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64) -> String {
        let mut out = Vec::new();
        format_f64(value, &mut out);
        String::from_utf8(out).expect("digits are ASCII")
    }

    #[test]
    fn doubles_in_full_are_those_of_printf() {
        let shown = |value: f64| {
            let mut out = Vec::new();
            format_f64_in_full(value, &mut out);
            String::from_utf8(out).expect("digits are ASCII")
        };
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (2.5, "2.5"),
            (1.739, "1.7390000000000001"),
            (-0.0001, "-0.0001"),
            (-0.00001, "-1.0000000000000001e-05"),
            (1e20, "1e+20"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (-0.0, "-0"),
            (1.5e300, "1.5000000000000001e+300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn decimals_are_what_integers_are_written_as() {
        let near = |value: i64| (-2..=2).map(move |more| value.saturating_add(more));
        let powers = (0..19).flat_map(|power| near(10_i64.pow(power)));
        let values = powers.chain(near(0)).chain([i64::MAX, 100_000_000]);
        for value in values.flat_map(|value| [value, -value]).chain([i64::MIN]) {
            let text = Decimal::new(value);
            assert_eq!(text.bytes(), value.to_string().as_bytes());
        }
    }

    #[test]
    fn integers_are_read_over_their_whole_range() {
        for value in [
            0,
            1,
            -1,
            9,
            10,
            -10,
            1234567890,
            i64::MAX,
            i64::MIN,
            i64::MAX - 1,
            i64::MIN + 1,
        ] {
            assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
        }
        for value in [
            0,
            10,
            u64::MAX,
            u64::MAX - 9,
            10_000_000_000_000_000_000,
            9_999_999_999_999_999_999,
        ] {
            assert_eq!(parse_u64(value.to_string().as_bytes()), Some(value));
        }
    }

    #[test]
    fn integers_that_would_not_print_back_the_same_are_refused() {
        for text in [
            "", "-", "+", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1\0", "1.0", "1e3", "0x1",
            "--1", "a", "1a", "/", ":",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text}");
            assert_eq!(parse_u64(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_u64(b"-1"), None);
    }

    #[test]
    fn integers_out_of_range_are_refused() {
        for text in [
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "99999999999999999999",
            "100000000000000000000",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text}");
        }
        for text in [
            "18446744073709551616",
            "18446744073709551620",
            "99999999999999999999",
            "100000000000000000000",
            "1844674407370955161x",
        ] {
            assert_eq!(parse_u64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn integers_are_written_as_the_standard_library_writes_them() {
        let mut values = vec![0, u64::MAX];
        let mut power = 1_u64;
        while let Some(next) = power.checked_mul(10) {
            values.extend([power - 1, power, power + 1, power * 7 + power / 3]);
            power = next;
        }
        values.extend([power - 1, power, power + 1]);
        for value in values {
            let (mut unsigned, mut signed) = (Vec::new(), b"n=".to_vec());
            write_u64(&mut unsigned, value);
            assert_eq!(unsigned, value.to_string().as_bytes());
            assert_eq!(digits_u64(value), unsigned.len());
            let negated = (value as i64).wrapping_neg();
            write_i64(&mut signed, negated);
            assert_eq!(signed, format!("n={negated}").as_bytes());
        }
    }

    #[test]
    fn floats_are_read_as_strtod_reads_them() {
        for (text, value) in [
            ("3.0", 3.0),
            ("+5", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+.5e+1", 5.0),
            ("1E3", 1000.0),
            ("5e-324", 5e-324),
            ("0e-400", 0.0),
            ("0e400", 0.0),
            ("0x1p3", 8.0),
            ("0x1.8", 1.5),
            ("0X10", 16.0),
            ("0x.8P1", 1.0),
            ("-0x1p-3", -0.125),
            ("0x1.p1", 2.0),
            ("0x1p-1074", 5e-324),
            ("0x1.8p-1075", 5e-324),
            ("0x1p1023", 8.98846567431158e307),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1.fffffffffffff7p1023", f64::MAX),
            ("0x0p-9999", 0.0),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.00000000000018p0", 1.0000000000000004),
            ("inf", f64::INFINITY),
            ("+inf", f64::INFINITY),
            ("-INF", f64::NEG_INFINITY),
            ("iNfinity", f64::INFINITY),
            ("2.4703282292062328e-324", 5e-324),
            ("1.7976931348623157e308", f64::MAX),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
        }
        assert!(parse_f64(b"-0").is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
        assert!(parse_f64(b"-0x0").is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
    }

    #[test]
    fn texts_of_any_length_are_read() {
        let text = format!("{}e-380", "1".repeat(400));
        assert_eq!(
            parse_f64(text.as_bytes()),
            Some(11_111_111_111_111_110_000.0)
        );
        let text = format!("0x1{}p-1200", "0".repeat(300));
        assert_eq!(parse_f64(text.as_bytes()), Some(1.0));
    }

    #[test]
    fn floats_that_strtod_does_not_read_to_the_end_are_refused() {
        for text in [
            "",
            " 1",
            "1 ",
            "\t1",
            "1\0",
            "1e",
            "e5",
            "1e2.5",
            ".",
            "+",
            "-",
            "++1",
            "+-1",
            "0x",
            "0x.p1",
            "0x1p",
            "0xg",
            "1_0",
            "nan",
            "-nan",
            "nan(1)",
            "infin",
            "infinityx",
            "one",
            "1,5",
            "\u{0661}",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_f64(b"1\xff"), None);
    }

    #[test]
    fn floats_out_of_range_are_refused() {
        for text in [
            "1e400",
            "-1e400",
            "1e99999",
            "1e-400",
            "2e-324",
            "2.4703282292062327e-324",
            "0x1p1024",
            "0x1.fffffffffffff8p1023",
            "0x1p-1075",
            "0x1p99999999999999999999",
            "0x1p-99999999999999999999",
        ] {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn floats_are_shown_as_redis_8_shows_scores() {
        for (text, expected) in [
            ("3.0", "3"),
            ("0", "0"),
            ("-0", "-0"),
            ("0.1", "0.1"),
            ("100000", "100000"),
            ("-1.5", "-1.5"),
            ("1e15", "1000000000000000"),
            ("1e16", "10000000000000000"),
            ("1e17", "100000000000000000"),
            ("1e18", "1000000000000000000"),
            ("1e19", "1e+19"),
            ("1e20", "1e+20"),
            ("1e21", "1e+21"),
            ("1e22", "1e+22"),
            ("12345678901234567", "12345678901234568"),
            ("123456789012345680", "123456789012345680"),
            ("4611686018427387904", "4611686018427387904"),
            ("4611686018427388928", "4611686018427389000"),
            ("-4611686018427387904", "-4611686018427387904"),
            ("5e18", "5e+18"),
            ("-5e18", "-5e+18"),
            ("9223372036854775807", "9223372036854776000"),
            ("9223372036854774784", "9223372036854775000"),
            ("1.2345e20", "1.2345e+20"),
            ("123456789012345678901234", "123456789012345690000000"),
            ("1.5e-7", "1.5e-7"),
            ("1e-5", "0.00001"),
            ("0.0001", "0.0001"),
            ("0.00001234", "1.234e-5"),
            ("0.000001", "0.000001"),
            ("1e-7", "1e-7"),
            ("0.5e-5", "0.000005"),
            ("1.25e-6", "1.25e-6"),
            ("-1e-10", "-1e-10"),
            ("1.234567e-3", "0.001234567"),
            ("123456.7e-12", "1.234567e-7"),
            ("1234567.125", "1234567.125"),
            ("123456789.1234567", "1.234567891234567e+8"),
            ("33333333.333333332", "3.3333333333333332e+7"),
            ("3.141592653589793", "3.141592653589793"),
            ("1e300", "1e+300"),
            ("1.5e300", "1.5e+300"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"),
            ("inf", "inf"),
            ("-inf", "-inf"),
            ("0x1p1023", "8.98846567431158e+307"),
        ] {
            let value = parse_f64(text.as_bytes()).expect("the tests spell numbers");
            assert_eq!(shown(value), expected, "{text}");
        }
        assert_eq!(shown(f64::NAN), "nan");
        assert_eq!(shown(-f64::NAN), "nan");
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same_number() {
        let mut random = crate::base::random::Random::from_seed(5);
        for _ in 0..5000 {
            let value = f64::from_bits(random.next_u64());
            let near = (random.next_u64() as i64 >> random.below(60)) as f64 / 1024.0;
            for value in [value, near] {
                if value.is_finite() {
                    assert_eq!(parse_f64(shown(value).as_bytes()), Some(value));
                }
            }
        }
    }

    #[test]
    fn amounts_of_memory_have_decimal_and_binary_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1", 1),
            ("01", 1),
            ("1b", 1),
            ("1k", 1000),
            ("1kb", 1024),
            ("1KB", 1024),
            ("2m", 2_000_000),
            ("2mb", 2 << 20),
            ("3g", 3_000_000_000),
            ("3Gb", 3 << 30),
            ("9223372036854775807", i64::MAX),
            ("8589934591gb", 8_589_934_591 << 30),
        ] {
            assert_eq!(parse_memory(text.as_bytes()), Some(bytes), "{text}");
        }
        for text in [
            "",
            "k",
            "-1",
            "-1mb",
            "+1k",
            "1.5k",
            "1 k",
            " 1",
            "1kk",
            "1t",
            "0x10",
            "1%",
            "9223372036854775808",
            "8589934592gb",
            "99999999999999999999999",
            "9223372036854775807k",
        ] {
            assert_eq!(parse_memory(text.as_bytes()), None, "{text}");
        }
    }
}
