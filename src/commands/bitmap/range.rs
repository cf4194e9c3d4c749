//! Counting and finding within a part of a string: BITCOUNT and BITPOS.

use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::bits;
use crate::keyspace::db::Str;
use crate::types::string::Digits;
use std::ops::Range;

/// What the ends of a range count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn read(args: &mut Args<'_>) -> Result<Unit, Error> {
        if args.flag("BIT") {
            Ok(Unit::Bit)
        } else if args.flag("BYTE") {
            Ok(Unit::Byte)
        } else {
            Err(Error::Syntax)
        }
    }
}

/// A part of a string: both ends are included, negative ones count from its end.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: i64,
    end: i64,
    unit: Unit,
}

impl Span {
    const ALL: Span = Span {
        start: 0,
        end: -1,
        unit: Unit::Byte,
    };

    /// The bits of a string of `length` bytes that are meant, if there are any. An end before the string's first unit
    /// means the first.
    fn bits(self, length: usize) -> Option<Range<u64>> {
        let scale = match self.unit {
            Unit::Byte => 1,
            Unit::Bit => 8,
        };
        let total = i64::try_from(length)
            .unwrap_or(i64::MAX)
            .saturating_mul(scale);
        let from_front = |at: i64| if at < 0 { (at + total).max(0) } else { at };
        let (start, end) = (from_front(self.start), from_front(self.end).min(total - 1));
        if start > end {
            return None;
        }
        // Both lie between 0 and the number of units now.
        let bits = 8 / scale as u64;
        Some(start as u64 * bits..(end as u64 + 1) * bits)
    }
}

pub(super) fn bitcount(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let span = match args.left() {
        0 => Span::ALL,
        2 | 3 => {
            let (start, end) = (args.int()?, args.int()?);
            let unit = if args.is_empty() {
                Unit::Byte
            } else {
                Unit::read(args)?
            };
            Span { start, end, unit }
        }
        _ => return Err(Error::Syntax),
    };
    let mut digits = Digits::default();
    let value = ctx.db.read::<Str>(&key)?;
    let bytes = value.map_or(&[][..], |value| value.bytes(&mut digits));
    // Two ends in the wrong order that both count from the end mean nothing, wherever they would come to lie.
    let is_backwards = span.end < 0 && span.start < 0 && span.start > span.end;
    let count = match span.bits(bytes.len()) {
        Some(range) if !is_backwards => bits::count_range(bytes, range),
        _ => 0,
    };
    ctx.reply.integer(as_reply(count));
    Ok(Flow::Done)
}

pub(super) fn bitpos(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let on = match args.int()? {
        0 => false,
        1 => true,
        _ => return Err(Error::Text("ERR The bit argument must be 1 or 0.")),
    };
    let mut span = Span::ALL;
    if !args.is_empty() {
        span.start = args.int()?;
    }
    let has_end = !args.is_empty();
    if has_end {
        // The unit is looked at before the number in front of it.
        let mut ahead = args.clone();
        ahead.word()?;
        if !ahead.is_empty() {
            span.unit = Unit::read(&mut ahead)?;
            ahead.finish()?;
        }
        span.end = args.int()?;
    }
    let mut digits = Digits::default();
    let Some(value) = ctx.db.read::<Str>(&key)? else {
        // Zeros without end.
        ctx.reply.integer(if on { -1 } else { 0 });
        return Ok(Flow::Done);
    };
    let bytes = value.bytes(&mut digits);
    let found = match span.bits(bytes.len()) {
        None => None,
        Some(range) => match bits::find(bytes, range, on) {
            // Without an end the string goes on with zeros.
            None if !on && !has_end => Some(bytes.len() as u64 * 8),
            found => found,
        },
    };
    ctx.reply.integer(found.map_or(-1, as_reply));
    Ok(Flow::Done)
}

fn as_reply(bits: u64) -> i64 {
    i64::try_from(bits).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_from_either_end_and_never_leave_the_string() {
        let bits = |start, end, unit, length| Span { start, end, unit }.bits(length);
        assert_eq!(bits(0, -1, Unit::Byte, 3), Some(0..24));
        assert_eq!(bits(-2, 100, Unit::Byte, 3), Some(8..24));
        assert_eq!(bits(1, -1, Unit::Bit, 3), Some(1..24));
        assert_eq!(bits(-1, -3, Unit::Bit, 3), None);
        assert_eq!(bits(i64::MIN, i64::MIN, Unit::Byte, 3), Some(0..8));
        assert_eq!(bits(i64::MIN, i64::MAX, Unit::Bit, 3), Some(0..24));
        assert_eq!(bits(i64::MAX, i64::MAX, Unit::Bit, 3), None);
        assert_eq!(bits(0, -1, Unit::Byte, 0), None);
    }
}
