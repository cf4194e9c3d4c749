//! The registers as runs of equal values, in order.
//!
//! ```text
//! ZERO   00llllll             l + 1 registers (1 to 64) of 0
//! XZERO  01llllll llllllll    l + 1 registers (1 to 16384) of 0, the high bits of l first
//! VAL    1vvvvvll             l + 1 registers (1 to 4) of v + 1 (1 to 32)
//! ```
//! The same elements added in the same order must give the same bytes as they do in Redis, so what is done is fixed: a run
//! that is hit in its middle is split in up to three, zeros take an XZERO only above 64, and afterwards, from the run
//! before on, neighbours of the same value are joined, looking at [`JOIN_RUNS`] runs.

use super::{Corrupt, Registers};
use super::{HEADER_BYTES, REGISTERS};
use crate::ds::six_bit::VALUES;
use std::borrow::Cow;
use std::fmt::Write;

/// The runs of a HyperLogLog that has seen nothing.
pub const ALL_ZEROS: [u8; 2] = [0x7f, 0xff];
/// The highest value that a run can have.
const VALUE_MAX: u8 = 32;
/// The longest run of a value.
const VAL_MAX_LENGTH: usize = 4;
/// The longest ZERO.
const ZERO_MAX_LENGTH: usize = 64;
/// Runs that are looked at, from the one before the change on, to join neighbours.
const JOIN_RUNS: usize = 5;

/// A run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// 0: zeros.
    value: u8,
    /// Registers.
    length: usize,
    /// Bytes that it takes.
    bytes: usize,
}

impl Run {
    /// The run that begins at `at`; `None`: the end. The second byte of an XZERO that is cut off counts as 0.
    #[inline]
    fn read(bytes: &[u8], at: usize) -> Option<Run> {
        let first = *bytes.get(at)?;
        Some(match first >> 6 {
            0 => Run {
                value: 0,
                length: usize::from(first) + 1,
                bytes: 1,
            },
            1 => {
                let second = bytes.get(at + 1).copied().unwrap_or(0);
                Run {
                    value: 0,
                    length: (usize::from(first & 0x3f) << 8 | usize::from(second)) + 1,
                    bytes: 2,
                }
            }
            _ => Run {
                value: (first >> 2 & 0x1f) + 1,
                length: usize::from(first & 3) + 1,
                bytes: 1,
            },
        })
    }
}

/// The byte of a VAL.
fn val(value: u8, length: usize) -> u8 {
    0x80 | (value - 1) << 2 | (length - 1) as u8
}

/// Up to three runs that take the place of one.
#[derive(Default)]
struct Runs {
    bytes: [u8; 5],
    length: usize,
}

impl Runs {
    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// A run of `length` registers; none if that is 0.
    fn add(&mut self, value: u8, length: usize) {
        match length {
            0 => {}
            _ if value > 0 => self.push(val(value, length)),
            1..=ZERO_MAX_LENGTH => self.push((length - 1) as u8),
            _ => {
                self.push(0x40 | ((length - 1) >> 8) as u8);
                self.push((length - 1) as u8);
            }
        }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// All runs with the register at which each begins; the last item is an error if they do not cover the registers exactly.
fn runs(body: &[u8]) -> impl Iterator<Item = Result<(usize, Run), Corrupt>> {
    let (mut at, mut first, mut ended) = (0, 0, false);
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        match Run::read(body, at) {
            Some(run) if first + run.length <= REGISTERS => {
                let begin = first;
                at += run.bytes;
                first += run.length;
                Some(Ok((begin, run)))
            }
            None if first == REGISTERS => None,
            _ => {
                ended = true;
                Some(Err(Corrupt))
            }
        }
    })
}

/// Raises `registers` to those of the runs.
pub fn raise_all(registers: &mut Registers, body: &[u8]) -> Result<(), Corrupt> {
    for run in runs(body) {
        let (first, run) = run?;
        if run.value > 0 {
            let covered = registers.iter_mut().skip(first).take(run.length);
            covered.for_each(|register| *register = (*register).max(run.value));
        }
    }
    Ok(())
}

/// How many registers have each value.
pub fn histogram(body: &[u8]) -> Result<[u32; VALUES], Corrupt> {
    let mut counts = [0; VALUES];
    for run in runs(body) {
        let (_, run) = run?;
        // Runs within the registers have lengths of up to 16384.
        counts[usize::from(run.value) % VALUES] += run.length as u32;
    }
    Ok(counts)
}

/// The runs of a sparse HyperLogLog as text, as PFDEBUG DECODE shows them: `z:` ZERO, `Z:` XZERO, `v:value,` VAL.
pub fn describe(bytes: &[u8]) -> String {
    let body = super::body(bytes);
    let (mut text, mut at) = (String::new(), 0);
    while let Some(run) = Run::read(body, at) {
        let length = run.length;
        let written = match run {
            Run {
                value: 0, bytes: 1, ..
            } => write!(text, "z:{length} "),
            Run { value: 0, .. } => write!(text, "Z:{length} "),
            Run { value, .. } => write!(text, "v:{value},{length} "),
        };
        written.expect("writing to a string does not fail");
        at += run.bytes;
    }
    text.truncate(text.trim_end().len());
    text
}

/// Where a run begins: its place in the bytes and its first register. Who raises registers in ascending order goes on
/// from there.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    at: usize,
    first: usize,
}

impl Default for Cursor {
    fn default() -> Self {
        Self {
            at: HEADER_BYTES,
            first: 0,
        }
    }
}

/// The run that covers a register.
struct Found {
    at: usize,
    first: usize,
    run: Run,
    /// The run before it; its own place if it is the first.
    before: Cursor,
}

/// Eight runs of one byte each, looked at together: how many registers they cover, `None` if an XZERO is among them.
#[inline(always)]
fn eight_lengths(runs: &[u8; 8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let runs = u64::from_le_bytes(*runs);
    if !runs >> 1 & runs & (ONES * 0x40) != 0 {
        return None;
    }
    // Of a VAL only the lowest two bits are its length.
    let value_bits = (runs >> 7 & ONES) * 0x3c;
    let lengths = runs & (ONES * 0x3f) & !value_bits;
    const PAIRS: u64 = 0x00ff_00ff_00ff_00ff;
    let pairs = (lengths & PAIRS) + (lengths >> 8 & PAIRS);
    Some((pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize + 8)
}

/// Finds the run that covers register `index`, from `cursor` on, which must not be behind it.
fn find(bytes: &[u8], cursor: Cursor, index: usize) -> Option<Found> {
    let Cursor { mut at, mut first } = cursor;
    let mut before = cursor;
    loop {
        let eight = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>);
        if let Some(eight) = eight
            && let Some(length) = eight_lengths(eight)
            && first + length <= index
        {
            at += 8;
            first += length;
            let last = Run::read(eight, 7)?;
            before = Cursor {
                at: at - 1,
                first: first - last.length,
            };
            continue;
        }
        let run = Run::read(bytes, at)?;
        if index < first + run.length {
            return Some(Found {
                at,
                first,
                run,
                before,
            });
        }
        before = Cursor { at, first };
        at += run.bytes;
        first += run.length;
    }
}

/// What became of a register that should be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as high already.
    Is,
    /// It was raised.
    Raised,
    /// Runs cannot hold the value, or not in so few bytes.
    TooBig,
}

/// Raises register `index` of a sparse HyperLogLog, header included, to `value`. `cursor` is where the search may begin
/// and becomes that for the next register; `max_bytes` is what the whole may grow to.
pub fn raise(
    bytes: &mut Cow<'_, [u8]>,
    cursor: &mut Cursor,
    index: usize,
    value: u8,
    max_bytes: usize,
) -> Result<Outcome, Corrupt> {
    if value > VALUE_MAX {
        return Ok(Outcome::TooBig);
    }
    if index < cursor.first {
        *cursor = Cursor::default();
    }
    let mut found = find(bytes, *cursor, index).ok_or(Corrupt)?;
    if found.at == cursor.at {
        // What comes before the run is not known from here.
        found = find(bytes, Cursor::default(), index).ok_or(Corrupt)?;
    }
    *cursor = found.before;
    let Found { at, first, run, .. } = found;
    if run.value >= value {
        return Ok(Outcome::Is);
    }
    let mut new = Runs::default();
    new.add(run.value, index - first);
    new.add(value, 1);
    new.add(run.value, first + run.length - index - 1);
    // An XZERO of one register, which only a client writes, keeps its two bytes until it is replaced by one.
    let old_end = (at + run.bytes).min(bytes.len());
    let new_total = bytes.len() - (old_end - at) + new.length;
    if new_total > bytes.len() && new_total > max_bytes {
        return Ok(Outcome::TooBig);
    }
    let bytes = bytes.to_mut();
    bytes.splice(at..old_end, new.as_slice().iter().copied());
    join(bytes, found.before.at);
    Ok(Outcome::Raised)
}

/// Joins neighbours of the same value, from the run at `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_RUNS {
        let Some(run) = Run::read(bytes, at) else {
            return;
        };
        let next = Run::read(bytes, at + 1);
        if run.value > 0
            && let Some(next) = next
            && next.value == run.value
            && run.length + next.length <= VAL_MAX_LENGTH
        {
            bytes.remove(at);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = val(run.value, run.length + next.length);
            }
        } else {
            at += run.bytes;
        }
    }
}
