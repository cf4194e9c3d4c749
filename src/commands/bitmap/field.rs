//! BITFIELD and BITFIELD_RO.
//!
//! The words are read twice: once to find every mistake and the farthest bit that is written, before anything is touched;
//! once more while the operations run. So no operation needs to be kept anywhere.

use super::{OFFSET, bit_offset, bytes_up_to, limit_bytes, within};
use crate::base::number;
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::bits::field::{Field, Overflow};
use crate::keyspace::db::Str;
use crate::keyspace::event;
use crate::resp::reply::Reply;
use crate::types::string::Digits;

const TYPE: Error = Error::Text(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);

/// What is done with a field.
#[derive(Clone, Copy, Debug)]
enum Action {
    Get,
    Set(i64),
    IncrBy(i64),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
struct Operation {
    action: Action,
    field: Field,
    offset: u64,
    overflow: Overflow,
}

/// The type that a word names: `i` or `u` and its bits.
fn read_type(word: &[u8]) -> Option<Field> {
    let (sign, width) = word.split_first()?;
    let signed = match sign {
        b'i' => true,
        b'u' => false,
        _ => return None,
    };
    Field::new(signed, u32::try_from(number::parse_i64(width)?).ok()?)
}

/// The bit that a word names; after a `#` it counts fields.
fn read_offset(word: &[u8], field: Field, limit_bytes: u64) -> Result<u64, Error> {
    let Some(fields) = word.strip_prefix(b"#") else {
        return bit_offset(word, limit_bytes);
    };
    number::parse_i64(fields)
        .and_then(|at| at.checked_mul(i64::from(field.width())))
        .and_then(|offset| within(offset, limit_bytes))
        .ok_or(OFFSET)
}

/// The operations that the words name, one after another.
#[derive(Clone)]
struct Operations<'a> {
    args: Args<'a>,
    /// What the last OVERFLOW said.
    overflow: Overflow,
    limit_bytes: u64,
}

impl Operations<'_> {
    fn next(&mut self) -> Result<Option<Operation>, Error> {
        while self.args.flag("OVERFLOW") {
            self.overflow = match self.args.word()? {
                word if word.eq_ignore_ascii_case(b"WRAP") => Overflow::Wrap,
                word if word.eq_ignore_ascii_case(b"SAT") => Overflow::Saturate,
                word if word.eq_ignore_ascii_case(b"FAIL") => Overflow::Fail,
                _ => return Err(Error::Text("ERR Invalid OVERFLOW type specified")),
            };
        }
        if self.args.is_empty() {
            return Ok(None);
        }
        let args = &mut self.args;
        let (action, words): (fn(i64) -> Action, _) = if args.flag("GET") {
            (|_| Action::Get, 2)
        } else if args.flag("SET") {
            (Action::Set, 3)
        } else if args.flag("INCRBY") {
            (Action::IncrBy, 3)
        } else {
            return Err(Error::Syntax);
        };
        if args.left() < words {
            return Err(Error::Syntax);
        }
        let field = read_type(args.word()?).ok_or(TYPE)?;
        let offset = read_offset(args.word()?, field, self.limit_bytes)?;
        let number = if words == 3 { args.int()? } else { 0 };
        Ok(Some(Operation {
            action: action(number),
            field,
            offset,
            overflow: self.overflow,
        }))
    }

    /// How many there are, and the bytes that the string must have for what is written; `None`: nothing is.
    fn measure(mut self) -> Result<(usize, Option<usize>), Error> {
        let (mut count, mut written) = (0, None);
        while let Some(operation) = self.next()? {
            count += 1;
            if !matches!(operation.action, Action::Get) {
                let last = operation.offset + u64::from(operation.field.width()) - 1;
                written = written.max(Some(bytes_up_to(last)));
            }
        }
        Ok((count, written))
    }
}

impl Operation {
    /// Does it and answers; whether the string changed.
    fn run(self, bytes: &mut [u8], reply: &mut Reply<'_>) -> bool {
        let before = self.field.read(bytes, self.offset);
        let (answer, after) = match self.action {
            Action::Get => (Some(before), None),
            Action::Set(value) => {
                let after = self.field.fit(value, self.overflow);
                (after.map(|_| before), after)
            }
            Action::IncrBy(increment) => {
                let after = self.field.add(before, increment, self.overflow);
                (after, after)
            }
        };
        match answer {
            Some(number) => reply.integer(number),
            None => reply.null(),
        }
        let changed = after.filter(|after| *after != before);
        if let Some(after) = changed {
            self.field.write(bytes, self.offset, after);
        }
        changed.is_some()
    }
}

pub(super) fn bitfield(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    run(ctx, args, true)
}

pub(super) fn bitfield_ro(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    run(ctx, args, false)
}

fn run(ctx: &mut Ctx<'_>, args: &mut Args<'_>, may_write: bool) -> Result<Flow, Error> {
    let key = args.key()?;
    let mut operations = Operations {
        args: args.clone(),
        overflow: Overflow::Wrap,
        limit_bytes: limit_bytes(ctx),
    };
    let (count, written) = operations.clone().measure()?;
    let Some(written) = written else {
        let mut digits = Digits::default();
        let value = ctx.db.read::<Str>(&key)?;
        let bytes = value.map_or(&[][..], |value| value.bytes(&mut digits));
        ctx.reply.array(count);
        while let Some(Operation { field, offset, .. }) = operations.next()? {
            ctx.reply.integer(field.read(bytes, offset));
        }
        return Ok(Flow::Done);
    };
    if !may_write {
        return Err(Error::Text(
            "ERR BITFIELD_RO only supports the GET subcommand",
        ));
    }
    let mut edit = ctx.db.edit_or_create::<Str>(&key)?;
    let before = edit.string().len();
    let total = before.max(written);
    ctx.reply.array(count);
    let changes = edit.bytes_mut_if(total, |bytes| {
        let mut changes = total > before;
        while let Ok(Some(operation)) = operations.next() {
            changes |= operation.run(bytes, &mut ctx.reply);
        }
        changes
    });
    if changes {
        edit.changed(event::SETBIT);
    }
    Ok(Flow::Done)
}
