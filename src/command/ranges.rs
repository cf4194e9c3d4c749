//! The grammar of ranges: of places in lists and sorted sets (`0`, `-1`), of scores (`1.5`, `(1.5`, `-inf`) and of names
//! (`[a`, `(a`, `-`, `+`).

use super::error::Error;
use crate::types::zset::{LexBound, LexRange, ScoreRange};
use std::ops::Range;

/// The places from `start` to `stop`, which is one of them, among `len`; negative ones count from the end.
#[inline]
pub fn places(start: i64, stop: i64, len: usize) -> Range<usize> {
    let len = len as i64;
    let from_front = |place: i64| {
        if place < 0 {
            place.saturating_add(len)
        } else {
            place
        }
    };
    let start = from_front(start).max(0);
    let end = from_front(stop).min(len - 1) + 1;
    if start >= end {
        return 0..0;
    }
    start as usize..end as usize
}

/// What is answered to a bound that is no score.
const NOT_A_SCORE: Error = Error::Text("ERR min or max is not a float");
/// What is answered to a bound that is no name.
const NOT_A_NAME: Error = Error::Text("ERR min or max not valid string range item");

/// Reads the bounds of a range of scores.
pub fn scores(min: &[u8], max: &[u8]) -> Result<ScoreRange, Error> {
    let (min, without_min) = score_bound(min)?;
    let (max, without_max) = score_bound(max)?;
    Ok(ScoreRange {
        min,
        max,
        without_min,
        without_max,
    })
}

/// A bound, and whether it lies outside itself. In contrast to a score, a bound may be too large for a double (then it is
/// infinite), too small (0), or no text at all (0).
fn score_bound(word: &[u8]) -> Result<(f64, bool), Error> {
    let (text, is_open) = match word {
        [b'(', text @ ..] => (text, true),
        text => (text, false),
    };
    if text.is_empty() {
        return Ok((0.0, is_open));
    }
    let text = std::str::from_utf8(text).map_err(|_| NOT_A_SCORE)?;
    let score: f64 = text.parse().map_err(|_| NOT_A_SCORE)?;
    if score.is_nan() {
        return Err(NOT_A_SCORE);
    }
    Ok((score, is_open))
}

/// Reads the bounds of a range of names.
pub fn names<'a>(min: &'a [u8], max: &'a [u8]) -> Result<LexRange<'a>, Error> {
    Ok(LexRange {
        min: lex_bound(min)?,
        max: lex_bound(max)?,
    })
}

fn lex_bound(word: &[u8]) -> Result<LexBound<'_>, Error> {
    match word {
        b"-" => Ok(LexBound::First),
        b"+" => Ok(LexBound::Last),
        [b'[', name @ ..] => Ok(LexBound::With(name)),
        [b'(', name @ ..] => Ok(LexBound::Without(name)),
        _ => Err(NOT_A_NAME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_scores_are_open_or_closed_and_may_leave_the_doubles() {
        let read = |word: &str| score_bound(word.as_bytes());
        assert_eq!(read("1.5"), Ok((1.5, false)));
        assert_eq!(read("(-3e2"), Ok((-300.0, true)));
        assert_eq!(read("+inf"), Ok((f64::INFINITY, false)));
        assert_eq!(read("(-Infinity"), Ok((f64::NEG_INFINITY, true)));
        assert_eq!(read("-1e400"), Ok((f64::NEG_INFINITY, false)));
        assert_eq!(read("1e-400"), Ok((0.0, false)));
        assert_eq!((read(""), read("(")), (Ok((0.0, false)), Ok((0.0, true))));
        for bad in ["nan", "((1", "0x1", " 1", "1 ", "x", "5e", "."] {
            assert_eq!(read(bad), Err(NOT_A_SCORE), "{bad}");
        }
    }

    #[test]
    fn places_count_from_either_end_and_never_leave_the_sequence() {
        assert_eq!(places(0, -1, 3), 0..3);
        assert_eq!((places(-2, 100, 3), places(1, 1, 3)), (1..3, 1..2));
        assert_eq!((places(2, 1, 3), places(3, 9, 3)), (0..0, 0..0));
        assert_eq!(places(i64::MIN, i64::MAX, 3), 0..3);
        assert_eq!(
            (places(i64::MIN, i64::MIN, 3), places(0, -1, 0)),
            (0..0, 0..0)
        );
    }

    #[test]
    fn bounds_of_names_say_whether_they_lie_inside() {
        let read = |word: &'static str| lex_bound(word.as_bytes());
        assert_eq!(read("-"), Ok(LexBound::First));
        assert_eq!(read("+"), Ok(LexBound::Last));
        assert_eq!(read("[a"), Ok(LexBound::With(b"a")));
        assert_eq!(read("("), Ok(LexBound::Without(b"")));
        for bad in ["", "a", "--", "++", "-a"] {
            assert_eq!(read(bad), Err(NOT_A_NAME), "{bad}");
        }
    }
}
