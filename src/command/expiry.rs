//! The grammar of expiry options, shared by SET, GETEX, MSETEX and the commands of other types.

use super::args::Args;
use super::error::Error;
use crate::base::number;

/// A unit of time in which a command gives a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// EX: seconds from now.
    Seconds,
    /// PX: milliseconds from now.
    Milliseconds,
    /// EXAT: Unix seconds.
    UnixSeconds,
    /// PXAT: Unix milliseconds.
    UnixMilliseconds,
}

/// The options and their units.
pub const OPTIONS: [(&str, Unit); 4] = [
    ("EX", Unit::Seconds),
    ("PX", Unit::Milliseconds),
    ("EXAT", Unit::UnixSeconds),
    ("PXAT", Unit::UnixMilliseconds),
];

impl Unit {
    /// `value` of this unit as Unix milliseconds; `None` on overflow.
    pub fn deadline_ms(self, value: i64, now_ms: i64) -> Option<i64> {
        let ms = match self {
            Unit::Seconds | Unit::UnixSeconds => value.checked_mul(1000)?,
            Unit::Milliseconds | Unit::UnixMilliseconds => value,
        };
        match self {
            Unit::Seconds | Unit::Milliseconds => ms.checked_add(now_ms),
            Unit::UnixSeconds | Unit::UnixMilliseconds => Some(ms),
        }
    }
}

/// Takes the next two words if they are one of [`OPTIONS`] with its value, which stays text: it is judged by
/// [`deadline`] when the grammar of the whole command has been seen to be right.
pub fn option<'a>(args: &mut Args<'a>) -> Result<Option<(Unit, &'a [u8])>, Error> {
    for (word, unit) in OPTIONS {
        if let Some(value) = args.value_of(word)? {
            return Ok(Some((unit, value)));
        }
    }
    Ok(None)
}

/// A deadline that must lie after the start of time, in Unix milliseconds; it may lie in the past.
pub fn deadline(
    unit: Unit,
    value: &[u8],
    now_ms: i64,
    command: &'static str,
) -> Result<i64, Error> {
    let value = number::parse_i64(value).ok_or(Error::NotInteger)?;
    let deadline = (value > 0)
        .then(|| unit.deadline_ms(value, now_ms))
        .flatten();
    deadline.ok_or(Error::InvalidExpire(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_must_be_positive_and_must_not_overflow() {
        let at = |unit, value: &str| deadline(unit, value.as_bytes(), 1_000, "set");
        assert_eq!(at(Unit::Seconds, "10"), Ok(11_000));
        assert_eq!(at(Unit::UnixMilliseconds, "5"), Ok(5));
        assert_eq!(at(Unit::Seconds, "0"), Err(Error::InvalidExpire("set")));
        assert_eq!(
            at(Unit::UnixSeconds, "9223372036854775807"),
            Err(Error::InvalidExpire("set"))
        );
        assert_eq!(
            at(Unit::Milliseconds, "9223372036854775807"),
            Err(Error::InvalidExpire("set"))
        );
        assert_eq!(at(Unit::Milliseconds, "x"), Err(Error::NotInteger));
    }
}
