//! How long a blocking command waits: the grammar of its timeout, shared by lists, sorted sets and streams.
//!
//! What comes out is a deadline in Unix milliseconds; `None` means for ever (a timeout of 0).

use super::args::Args;
use super::error::Error;
use crate::base::long_double::LongDouble;
use crate::base::number;

const NOT_FLOAT: Error = Error::Text("ERR timeout is not a float or out of range");
const NOT_INTEGER: Error = Error::Text("ERR timeout is not an integer or out of range");
const OUT_OF_RANGE: Error = Error::Text("ERR timeout is out of range");
const NEGATIVE: Error = Error::Text("ERR timeout is negative");

/// Parts of a millisecond below this one are noise of the multiplication.
const NOISE_MS: f64 = 1e-6;

/// The next word as seconds, with or without a fraction (BLPOP).
///
/// # Errors
/// It is no number, negative, or the deadline leaves 64 bits.
pub fn seconds(args: &mut Args<'_>, now_ms: i64) -> Result<Option<i64>, Error> {
    seconds_of(args.word()?, now_ms)
}

/// The same of a word that was read before.
///
/// # Errors
/// As [`seconds`].
pub fn seconds_of(word: &[u8], now_ms: i64) -> Result<Option<i64>, Error> {
    let Some(seconds) = number::parse_f64(word) else {
        // What only a wider format can hold is a number all the same.
        return Err(match LongDouble::parse(word) {
            Some(wide) if !wide.is_nan() => OUT_OF_RANGE,
            _ => NOT_FLOAT,
        });
    };
    let exact_ms = seconds * 1000.0;
    let nearest_ms = exact_ms.round();
    let ms = if (exact_ms - nearest_ms).abs() < NOISE_MS && nearest_ms != 0.0 {
        nearest_ms
    } else {
        exact_ms.ceil()
    };
    // 2^63 itself is the first value that does not fit.
    if ms >= i64::MAX as f64 {
        return Err(OUT_OF_RANGE);
    }
    deadline(ms as i64, now_ms)
}

/// The next word as whole milliseconds (XREAD BLOCK).
///
/// # Errors
/// It is no integer, negative, or the deadline leaves 64 bits.
pub fn milliseconds(args: &mut Args<'_>, now_ms: i64) -> Result<Option<i64>, Error> {
    let ms = number::parse_i64(args.word()?).ok_or(NOT_INTEGER)?;
    deadline(ms, now_ms)
}

fn deadline(ms: i64, now_ms: i64) -> Result<Option<i64>, Error> {
    match ms {
        ..0 => Err(NEGATIVE),
        0 => Ok(None),
        _ => now_ms.checked_add(ms).map(Some).ok_or(OUT_OF_RANGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_deadline_rounded_up_to_a_millisecond_and_zero_is_for_ever() {
        let at = |word: &str| seconds_of(word.as_bytes(), 5_000);
        for (word, deadline) in [
            ("0", None),
            ("-0", None),
            ("-0.0001", None),
            ("1", Some(6_000)),
            ("0.0001", Some(5_001)),
            ("1e-9", Some(5_001)),
            ("1.1", Some(6_100)),
            ("0x10", Some(21_000)),
            (".05", Some(5_050)),
        ] {
            assert_eq!(at(word), Ok(deadline), "{word}");
        }
    }

    #[test]
    fn what_is_no_time_to_wait_is_refused() {
        let error = |word: &str| seconds_of(word.as_bytes(), 5_000).err();
        for word in ["", "abc", " 1", "1 ", "nan", "1e"] {
            assert_eq!(error(word), Some(NOT_FLOAT), "{word}");
        }
        for word in ["-1", "-0.1", "-inf"] {
            assert_eq!(error(word), Some(NEGATIVE), "{word}");
        }
        for word in [
            "inf",
            "1e400",
            "9223372036854775",
            "9223372036854775807",
            "0x7fffffffffffffff",
        ] {
            assert_eq!(error(word), Some(OUT_OF_RANGE), "{word}");
        }
    }
}
