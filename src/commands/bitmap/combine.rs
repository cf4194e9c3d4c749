//! BITOP.

use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::bits::combine::{Operation, combine};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::event;
use crate::types::string::{Digits, NewString, SHARED_MIN_BYTES, StringRef};
use bytes::Bytes;
use std::ops::Range;

const OPERATIONS: [(&str, Operation); 8] = [
    ("AND", Operation::And),
    ("OR", Operation::Or),
    ("XOR", Operation::Xor),
    ("NOT", Operation::Not),
    ("DIFF", Operation::Diff),
    ("DIFF1", Operation::Diff1),
    ("ANDOR", Operation::AndOr),
    ("ONE", Operation::One),
];

/// The operation, if as many sources are given as it takes.
fn read_operation(args: &mut Args<'_>) -> Result<Operation, Error> {
    let named = OPERATIONS.into_iter().find(|(name, _)| args.flag(name));
    let (name, operation) = named.ok_or(Error::Syntax)?;
    let sources = args.left().saturating_sub(1);
    match operation {
        Operation::Not if sources != 1 => Err(Error::Text(
            "ERR BITOP NOT must be called with a single source key.",
        )),
        Operation::Diff | Operation::Diff1 | Operation::AndOr if sources < 2 => Err(Error::err(
            format_args!("BITOP {name} must be called with at least two source keys."),
        )),
        _ => Ok(operation),
    }
}

/// Where the bytes of a source are while the others are looked up.
enum Source {
    /// Shared with the keyspace.
    Shared(Bytes),
    /// Short ones are gathered one after another.
    Gathered(Range<usize>),
}

pub(super) fn bitop(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let operation = read_operation(args)?;
    let target = args.key()?;
    let mut sources = Vec::with_capacity(args.left());
    let (mut gathered, mut digits) = (Vec::new(), Digits::default());
    while !args.is_empty() {
        let value = ctx.db.read::<Str>(&args.key()?)?;
        sources.push(match value {
            Some(StringRef::Shared(bytes)) => Source::Shared(bytes.clone()),
            value => {
                let start = gathered.len();
                gathered.extend_from_slice(value.map_or(&[][..], |value| value.bytes(&mut digits)));
                Source::Gathered(start..gathered.len())
            }
        });
    }
    let rows = sources.iter().map(|source| match source {
        Source::Shared(bytes) => bytes.as_ref(),
        Source::Gathered(range) => gathered.get(range.clone()).unwrap_or(&[]),
    });
    let result = combine(operation, &rows.collect::<Vec<&[u8]>>());
    let length = result.len();
    if length == 0 {
        ctx.db.remove(&target, event::DEL);
    } else {
        let result = if length < SHARED_MIN_BYTES {
            NewString::Raw(&result)
        } else {
            NewString::Shared(Bytes::from(result))
        };
        ctx.db
            .put(&target, result, Deadline::Clear)
            .changed(event::SET);
    }
    ctx.reply.integer(i64::try_from(length).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
