//! Parts of strings: APPEND, STRLEN, GETRANGE (also called SUBSTR), SETRANGE.

use super::reply_string;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::event;
use crate::types::string::{Digits, StringRef};
use std::ops::Range;

/// The length of a string of `length` bytes with `more` after them, if a string may be so long.
fn bounded(ctx: &Ctx<'_>, length: usize, more: usize) -> Result<usize, Error> {
    let limit = ctx.server.config.settings.proto_max_bulk_len;
    length
        .checked_add(more)
        .filter(|total| *total <= limit)
        .ok_or(Error::StringTooLong)
}

fn as_reply(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

pub(super) fn append(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let mut ahead = args.clone();
    let tail = ahead.word()?;
    let before = ctx.db.edit::<Str>(&key)?.map(|edit| edit.string().len());
    let total = bounded(ctx, before.unwrap_or(0), tail.len())?;
    match before {
        None => ctx
            .db
            .put(&key, args.string()?, Deadline::Keep)
            .changed(event::APPEND),
        Some(before) => {
            let mut edit = ctx.db.edit_or_create::<Str>(&key)?;
            edit.bytes_mut(total, |bytes| bytes[before..].copy_from_slice(tail));
            edit.changed(event::APPEND);
        }
    }
    ctx.reply.integer(as_reply(total));
    Ok(Flow::Done)
}

pub(super) fn strlen(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let length = ctx.db.read::<Str>(&key)?.map_or(0, |value| value.len());
    ctx.reply.integer(as_reply(length));
    Ok(Flow::Done)
}

/// The bytes from `start` to `end`, both included; negative ones count from the end. What lies outside is left out, but
/// a negative `end` before the first byte means the first byte.
fn range(start: i64, end: i64, length: usize) -> Range<usize> {
    let length = as_reply(length);
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let from_front = |at: i64| if at < 0 { (at + length).max(0) } else { at };
    let (start, end) = (from_front(start), from_front(end).min(length - 1));
    if start > end {
        return 0..0;
    }
    // Both lie between 0 and the length now.
    start as usize..end as usize + 1
}

pub(super) fn getrange(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (start, end) = (args.int()?, args.int()?);
    match ctx.db.read::<Str>(&key)? {
        None => ctx.reply.bulk(b""),
        Some(StringRef::Shared(bytes)) => {
            let part = bytes.slice(range(start, end, bytes.len()));
            reply_string(&mut ctx.reply, Some(StringRef::Shared(&part)));
        }
        Some(value) => {
            let mut digits = Digits::default();
            let bytes = value.bytes(&mut digits);
            ctx.reply.bulk(&bytes[range(start, end, bytes.len())]);
        }
    }
    Ok(Flow::Done)
}

pub(super) fn setrange(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let offset = args.int()?;
    let part = args.word()?;
    let offset = usize::try_from(offset).map_err(|_| Error::Text("ERR offset is out of range"))?;
    let before = ctx
        .db
        .edit::<Str>(&key)?
        .map_or(0, |edit| edit.string().len());
    if part.is_empty() {
        ctx.reply.integer(as_reply(before));
        return Ok(Flow::Done);
    }
    let end = bounded(ctx, offset, part.len())?;
    let total = before.max(end);
    let mut edit = ctx.db.edit_or_create::<Str>(&key)?;
    edit.bytes_mut(total, |bytes| bytes[offset..end].copy_from_slice(part));
    edit.changed(event::SETRANGE);
    ctx.reply.integer(as_reply(total));
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_from_either_end_and_never_leave_the_string() {
        assert_eq!(range(0, -1, 5), 0..5);
        assert_eq!(range(-2, -1, 5), 3..5);
        assert_eq!(range(-1, -2, 5), 0..0);
        assert_eq!(range(-100, -99, 5), 0..1);
        assert_eq!(range(3, 100, 5), 3..5);
        assert_eq!(range(5, 100, 5), 0..0);
        assert_eq!(range(i64::MIN, i64::MAX, 5), 0..5);
        assert_eq!(range(i64::MAX, i64::MAX, 5), 0..0);
        assert_eq!(range(0, -1, 0), 0..0);
    }
}
