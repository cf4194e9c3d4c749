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
use std::ops::{Add, Neg};

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

    /// Whether this is the result of an addition that has none.
    pub fn is_nan(self) -> bool {
        self.magnitude == Magnitude::NotANumber
    }

    /// Whether this is an infinity of either sign.
    pub fn is_infinite(self) -> bool {
        self.magnitude == Magnitude::Infinite
    }

    /// Zero.
    pub const ZERO: LongDouble = LongDouble {
        negative: false,
        magnitude: Magnitude::Finite {
            mantissa: 0,
            exponent: EXPONENT_MIN,
        },
    };

    /// The largest finite number.
    pub const MAX: LongDouble = LongDouble {
        negative: false,
        magnitude: Magnitude::Finite {
            mantissa: u64::MAX,
            exponent: EXPONENT_MAX,
        },
    };

    /// Whether this is less than `other`; no number is less or more than what is not a number.
    pub fn is_less(self, other: LongDouble) -> bool {
        // The difference of two different numbers is never rounded to zero: the smallest ones are evenly spaced.
        let difference = self + -other;
        difference.negative && !difference.is_nan() && !difference.is_zero()
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

impl Neg for LongDouble {
    type Output = LongDouble;

    fn neg(self) -> LongDouble {
        LongDouble {
            negative: !self.negative,
            ..self
        }
    }
}

impl Add for LongDouble {
    type Output = LongDouble;

    /// The sum, rounded once. Infinities of opposite signs give not-a-number; a sum that is too large is infinite.
    fn add(self, other: LongDouble) -> LongDouble {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: LongDouble) -> String {
        let mut out = Vec::new();
        number.format(&mut out);
        String::from_utf8(out).expect("digits are ASCII")
    }

    fn read(text: &str) -> LongDouble {
        LongDouble::parse(text.as_bytes()).expect("the tests spell numbers")
    }

    /// What Redis 8.0 answers to `SET k <first>` and `INCRBYFLOAT k <second>`.
    const FACTS: &[(&str, &str, &str)] = &[
        (
            "0xfab032b1e1.3ca6911f050e532388p-56",
            "48552108",
            "48552108.00001494218668086",
        ),
        (
            "0.0000",
            "-0xefdb94ea35.36ea3b7911f0bc09fbp19",
            "-540111616518764369.84375",
        ),
        (
            "730916368341866",
            "0x247da42f02.35e3dd7f8f43782b2ap-59",
            "730916368341866",
        ),
        (
            "0x8de5a8f631.3651875d4cc66869f9p-38",
            "639278e-2670",
            "2.21714233438692529",
        ),
        (
            "0.037243236",
            "0xbf482a4edd.fe4e52f12c849fbfp-50",
            "0.03797291852399441",
        ),
        (
            "0x10862e0b9a.14796b448983b83d99p-77",
            "27.8013856733",
            "27.80138567330046965",
        ),
        ("0e2927", "-0e2927", "0"),
        ("7988476917", "-7988476917", "0"),
        (
            "269318094.51809376478195190",
            "-269318094.51809376478195197",
            "0",
        ),
        (
            "62223620940356037.3513390280638",
            "-62223620940356037.3513390280637",
            "0",
        ),
        ("94.7603940913e7", "-94.7603940913e7", "0"),
        ("33.9e-6", "-33.9e-7", "0.00003051"),
        ("17.9915559e10", "-2034483e-2416", "179915559000"),
        (
            "-98.52209088e-24",
            "84.68075508120479361645e5",
            "8468075.50812047936142335",
        ),
        (
            "-4.578563794630551e21",
            "4.578563794630551e27",
            "4578559216066756369360879616",
        ),
        (
            "-59828471937e-4255",
            "-85.10496267024644107e22",
            "-851049626702464410714112",
        ),
        (
            "-9.738823286161493173101e-18",
            "9.738823286161493173101e-17",
            "0.00000000000000009",
        ),
        ("95.12e0", "-95.12e7", "-951199904.88000000000465661"),
        (
            "-24.14799520074426857e3",
            "81.705091435e10",
            "817050890202.0047992467880249",
        ),
        (
            "92.962652700937077584e0",
            "-7e-2611",
            "92.96265270093707758",
        ),
        (
            "-70.3135633408941e22",
            "4124562994463",
            "-703135633404816437018624",
        ),
        (
            "38.4699978743e23",
            "1245658088315",
            "3846999787431245658193920",
        ),
        (
            "32457001779",
            "0xa9cfc10a39.581cca40f410cdf66p57",
            "105108251819596527522950414336",
        ),
        (
            "0x114bd18a87.1cb1bac5b147b0588dp59",
            "0.01",
            "42823233067323337554427641856",
        ),
        (
            "-73.3871974050133037288e24",
            "50051.6348144759177",
            "-73387197405013303730634752",
        ),
        (
            "7499810",
            "94.6772851512944975e24",
            "94677285151294497509867520",
        ),
        (
            "29.33",
            "-0x4c14c8a4ec.1e6410ebb940ed8910p29",
            "-175431272226506965504",
        ),
        ("-13446204899867616", "54.1e20", "5409986553795100132352"),
        ("0.0007188", "-0.0007187", "0.0000001"),
        (
            "0.7453375850866568",
            "-0.7453375850866567",
            "0.0000000000000001",
        ),
        (
            "-0.309432630982815",
            "0.309432630982817",
            "0.000000000000002",
        ),
        (
            "43111782.0288531929",
            "-43111782.0288531927",
            "0.00000000020008883",
        ),
        ("-4.53138154", "4.53138157", "0.00000003"),
        ("0.04425786", "-0.04425787", "-0.00000001"),
        (
            "-3679185.683687198",
            "3679185.683687197",
            "-0.00000000099998942",
        ),
        ("-0.0000", "0.0007", "0.0007"),
        ("-0.024025", "553539.4", "553539.37597499999998263"),
        ("92.747224", "-92.747227", "-0.000003"),
        ("-80.70501126", "80.70501127", "0.00000001"),
        ("0.0582", "-67783.32900107", "-67783.27080106999999742"),
        (
            "-0.07306487918875583",
            "0.0003215378914617286",
            "-0.0727433412972941",
        ),
        (
            "-0.0001",
            "-1907338051207959",
            "-1907338051207959.0001220703125",
        ),
        (
            "-776777.765741963637993",
            "941096720.33145890522",
            "940319942.56571694160811603",
        ),
        ("-4930.7524", "5102.10973546", "171.35733545999999983"),
        ("98.22556025796704659570", "-5294", "-5195.7744397420329534"),
        ("0.00089879", "191", "191.00089879"),
        (
            "-18.808394967663101",
            "296031746168653",
            "296031746168634.191619873046875",
        ),
        ("-0.058352103", "0.058352107", "0.000000004"),
        ("-40.75672297", "-72522784", "-72522824.75672296999982791"),
        ("356", "8.7912640515498737", "364.7912640515498737"),
        (
            "0.000073041101597308",
            "-329701510513587",
            "-329701510513586.99993896484375",
        ),
        ("-568.02031", "568.02037", "0.00006"),
        (
            "90457882.86059",
            "0.00000580300",
            "90457882.86059580299479421",
        ),
        ("-476.033", "476.037", "0.004"),
        ("-7222047", "-0.03130124", "-7222047.03130124000017531"),
        ("0", "6576456.19711", "6576456.19711000000006607"),
        (
            "-81565370.73359",
            "-0.27165354408",
            "-81565371.00524354408116778",
        ),
        (
            "2330",
            "-21094470.23749985173344612",
            "-21092140.23749985173344612",
        ),
        (
            "-6.66818557872461159519",
            "-0.00000468260011254",
            "-6.66819026132472414",
        ),
    ];

    #[test]
    fn sums_are_those_of_incrbyfloat() {
        for &(first, second, sum) in FACTS {
            assert_eq!(shown(read(first) + read(second)), sum, "{first} {second}");
            assert_eq!(shown(read(second) + read(first)), sum, "{second} {first}");
        }
    }

    #[test]
    fn the_sums_of_the_documentation_have_no_binary_dust() {
        for (first, second, sum) in [
            ("10.50", "0.1", "10.6"),
            ("10.6", "-5", "5.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("3", "1.1", "4.1"),
        ] {
            assert_eq!(shown(read(first) + read(second)), sum);
        }
    }

    #[test]
    fn numbers_are_shown_with_seventeen_decimals_and_no_trailing_zeros() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("5.", "5"),
            ("+.5", "0.5"),
            ("1e-17", "0.00000000000000001"),
            ("5e-18", "0"),
            ("-5e-18", "0"),
            ("15e-18", "0.00000000000000002"),
            ("0x1.8p-57", "0.00000000000000001"),
            ("0x1p-58", "0"),
            ("0x1p-16445", "0"),
            ("3e-4951", "0"),
            ("100", "100"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551617", "18446744073709551616"),
            ("1e20", "100000000000000000000"),
            ("1e30", "1000000000000000000024696061952"),
        ] {
            assert_eq!(shown(read(text)), expected, "{text}");
        }
    }

    #[test]
    fn the_largest_numbers_are_shown_in_full() {
        let shown = shown(read("1e4932"));
        assert_eq!(shown.len(), 4933);
        assert!(
            shown.starts_with("10000000000000000000060189493879638913238377742545331147737850")
        );
    }

    #[test]
    fn what_strtold_does_not_read_to_the_end_is_no_number() {
        for text in [
            "",
            " 1",
            "1 ",
            "1\0",
            "e5",
            ".",
            "+",
            "-",
            "++1",
            "1e",
            "1e+",
            "1.2.3",
            "1,5",
            "0x",
            "0x.p1",
            "0x1p",
            "nan",
            "-nan",
            "nan(1)",
            "infin",
            "infinityx",
            "1_0",
            "1e5.5",
        ] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for text in [
            "1.2e4932",
            "1e5000",
            "-1e5000",
            "1e-4951",
            "1e-5000",
            "0x1p16384",
            "0x1p-16446",
            "1e99999999999999999999",
            "1e-99999999999999999999",
        ] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(shown(read("0e99999999999999999999")), "0");
    }

    #[test]
    fn texts_of_five_kibibytes_are_refused() {
        let longest = [[b'0'; TEXT_MAX_BYTES - 1].as_slice(), b"1"].concat();
        let number = LongDouble::parse(&longest).expect("just short enough");
        assert_eq!(shown(number), "1");
        let longer = [b"0".as_slice(), &longest].concat();
        assert_eq!(LongDouble::parse(&longer), None);
        let digits = format!("0.{}1e5111", "0".repeat(5110));
        assert_eq!(shown(read(&digits)), "1");
    }

    #[test]
    fn infinities_are_read_and_add_up_as_ieee_754_says() {
        let (plus, minus) = (read("+Infinity"), read("-inf"));
        assert!(plus.is_infinite() && minus.is_infinite());
        assert_eq!((shown(plus), shown(minus)), ("inf".into(), "-inf".into()));
        assert!((plus + minus).is_nan());
        assert_eq!(shown(plus + minus), "nan");
        assert!((plus + minus + read("1")).is_nan());
        assert_eq!(plus + read("-5"), plus);
        assert_eq!(read("5") + minus, minus);
        assert_eq!(plus + plus, plus);
        assert!(!read("1").is_nan() && !read("1").is_infinite());
    }

    #[test]
    fn a_sum_beyond_the_range_is_infinite() {
        let large = read("1e4932");
        assert!((large + large).is_infinite());
        assert!(!(large + read("1e4931")).is_infinite());
    }

    #[test]
    fn ties_between_mantissas_go_to_the_even_one() {
        // 2^63 + 1/2 lies between two neighbours; so does 2^63 + 3/2.
        let base = read("9223372036854775808");
        assert_eq!(shown(base + read("0.5")), "9223372036854775808");
        assert_eq!(shown(base + read("1.5")), "9223372036854775810");
        assert_eq!(shown(base + read("0.5000000001")), "9223372036854775809");
    }

    #[test]
    fn the_fast_and_the_exact_way_agree() {
        let mut random = crate::base::random::Random::from_seed(11);
        for _ in 0..2000 {
            let number = random.next_u64() >> random.below(50);
            if number == 0 {
                continue;
            }
            let power = random.below(55) as i64 - FAST_POWER_MAX;
            let digits = number.to_string();
            let exact = scale_exactly(Natural::from_decimal(digits.as_bytes()), power);
            assert_eq!(
                LongDouble::rounded(false, scale_fast(number, power)),
                LongDouble::rounded(false, exact),
                "{number}e{power}"
            );
        }
    }

    #[test]
    fn numbers_are_ordered_across_signs_and_sizes() {
        let number = |text: &str| LongDouble::parse(text.as_bytes()).expect("it is a number");
        let ordered = [
            "-inf", "-1e4932", "-1.5", "-1", "0", "3e-4950", "0.1", "1", "1e4932", "inf",
        ];
        for (i, small) in ordered.iter().enumerate() {
            assert!(!number(small).is_less(number(small)), "{small}");
            for large in &ordered[i + 1..] {
                assert!(number(small).is_less(number(large)), "{small} {large}");
                assert!(!number(large).is_less(number(small)), "{large} {small}");
            }
        }
        assert!(
            number("1e4932").is_less(LongDouble::MAX) && LongDouble::MAX.is_less(number("inf"))
        );
        assert!(!number("-0").is_less(LongDouble::ZERO) && !LongDouble::ZERO.is_less(number("-0")));
    }
}
