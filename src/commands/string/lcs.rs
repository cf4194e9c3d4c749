//! LCS: the longest common subsequence of two strings, by the classic table of the lengths for all pairs of prefixes.
//!
//! ```text
//! cell(i, j) = length for the first i bytes of one and the first j of the other
//!            = cell(i-1, j-1) + 1                   if byte i equals byte j
//!            = max(cell(i-1, j), cell(i, j-1))      otherwise
//! ```
//! The table takes four bytes a cell and is bounded by `proto-max-bulk-len`. Walking it back from the last cell gives
//! the matching runs, last one first; that order, and which of several longest ones is found, is part of the protocol.

use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::Str;
use crate::keyspace::entry::Key;
use crate::types::string::Digits;
use std::ops::Range;

/// What is to be answered.
#[derive(Default)]
struct Options {
    length: bool,
    runs: bool,
    run_bytes_min: i64,
    with_run_bytes: bool,
}

impl Options {
    fn read(args: &mut Args<'_>) -> Result<Self, Error> {
        let mut options = Options::default();
        while !args.is_empty() {
            if args.flag("LEN") {
                options.length = true;
            } else if args.flag("IDX") {
                options.runs = true;
            } else if args.flag("WITHMATCHLEN") {
                options.with_run_bytes = true;
            } else if args.left() > 1 && args.flag("MINMATCHLEN") {
                options.run_bytes_min = args.int()?;
            } else {
                return Err(Error::Syntax);
            }
        }
        if options.length && options.runs {
            return Err(Error::Text(
                "ERR If you want both the length and indexes, please just use IDX.",
            ));
        }
        Ok(options)
    }
}

/// Bytes that follow each other in both strings.
struct Run {
    one: usize,
    other: usize,
    bytes: usize,
}

/// See the head of the file.
struct Table {
    columns: usize,
    cells: Vec<u32>,
}

impl Table {
    /// `bytes_max` bounds the memory.
    fn new(one: &[u8], other: &[u8], bytes_max: usize) -> Result<Self, Error> {
        let columns = other.len() + 1;
        let size = (one.len() + 1)
            .checked_mul(columns)
            .filter(|cells| {
                cells
                    .checked_mul(size_of::<u32>())
                    .is_some_and(|bytes| bytes <= bytes_max)
            })
            .ok_or(Error::Text(
                "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
            ))?;
        let mut table = Table {
            columns,
            cells: vec![0; size],
        };
        table.fill(one, other);
        Ok(table)
    }

    fn fill(&mut self, one: &[u8], other: &[u8]) {
        for (i, byte) in one.iter().enumerate() {
            let (above, row) = self.cells[i * self.columns..].split_at_mut(self.columns);
            for (j, their_byte) in other.iter().enumerate() {
                row[j + 1] = if byte == their_byte {
                    above[j] + 1
                } else {
                    above[j + 1].max(row[j])
                };
            }
        }
    }

    fn cell(&self, i: usize, j: usize) -> u32 {
        self.cells[i * self.columns + j]
    }

    /// The length of the longest common subsequence.
    fn longest(&self) -> u32 {
        self.cells.last().copied().unwrap_or(0)
    }

    /// Its runs, last one first.
    fn runs(&self, one: &[u8], other: &[u8]) -> Vec<Run> {
        let (mut i, mut j) = (one.len(), other.len());
        let mut runs: Vec<Run> = Vec::new();
        while i > 0 && j > 0 {
            if one[i - 1] != other[j - 1] {
                if self.cell(i - 1, j) > self.cell(i, j - 1) {
                    i -= 1;
                } else {
                    j -= 1;
                }
                continue;
            }
            (i, j) = (i - 1, j - 1);
            match runs.last_mut() {
                Some(run) if run.one == i + 1 && run.other == j + 1 => {
                    (run.one, run.other) = (i, j);
                    run.bytes += 1;
                }
                _ => runs.push(Run {
                    one: i,
                    other: j,
                    bytes: 1,
                }),
            }
        }
        runs
    }
}

/// A copy of the string, empty if there is none.
fn string_of(ctx: &mut Ctx<'_>, key: &Key<'_>) -> Result<Vec<u8>, Error> {
    let value = ctx
        .db
        .read::<Str>(key)
        .map_err(|_| Error::Text("ERR The specified keys must contain string values"))?;
    let mut digits = Digits::default();
    Ok(value.map_or_else(Vec::new, |value| value.bytes(&mut digits).to_vec()))
}

pub(super) fn lcs(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, other_key) = (args.key()?, args.key()?);
    let one = string_of(ctx, &key)?;
    let other = string_of(ctx, &other_key)?;
    let options = Options::read(args)?;
    let bytes_max = ctx.server.config.settings.proto_max_bulk_len;
    let table = Table::new(&one, &other, bytes_max)?;
    if options.length {
        ctx.reply.integer(i64::from(table.longest()));
    } else if options.runs {
        reply_runs(ctx, &table.runs(&one, &other), &options, table.longest());
    } else {
        let runs = table.runs(&one, &other);
        let text: Vec<u8> = runs
            .iter()
            .rev()
            .flat_map(|run| &one[run.one..run.one + run.bytes])
            .copied()
            .collect();
        ctx.reply.bulk(&text);
    }
    Ok(Flow::Done)
}

fn reply_runs(ctx: &mut Ctx<'_>, runs: &[Run], options: &Options, longest: u32) {
    let is_shown = |run: &&Run| run.bytes as i64 >= options.run_bytes_min;
    ctx.reply.map(2);
    ctx.reply.bulk(b"matches");
    ctx.reply.array(runs.iter().filter(is_shown).count());
    for run in runs.iter().filter(is_shown) {
        ctx.reply.array(2 + usize::from(options.with_run_bytes));
        reply_range(ctx, run.one..run.one + run.bytes);
        reply_range(ctx, run.other..run.other + run.bytes);
        if options.with_run_bytes {
            ctx.reply.integer(run.bytes as i64);
        }
    }
    ctx.reply.bulk(b"len");
    ctx.reply.integer(i64::from(longest));
}

/// The first and the last place; ranges are never empty.
fn reply_range(ctx: &mut Ctx<'_>, range: Range<usize>) {
    ctx.reply.array(2);
    ctx.reply.integer(range.start as i64);
    ctx.reply.integer(range.end as i64 - 1);
}
