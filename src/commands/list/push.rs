//! LPUSH, RPUSH, LPUSHX, RPUSHX.

use super::{pushed, word_at};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::edit::Edit;
use crate::types::Stored;
use crate::types::list::{List, Side};

pub(super) fn lpush(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    push(ctx, args, Side::Front)
}

pub(super) fn rpush(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    push(ctx, args, Side::Back)
}

pub(super) fn lpushx(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    push_to_existing(ctx, args, Side::Front)
}

pub(super) fn rpushx(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    push_to_existing(ctx, args, Side::Back)
}

#[inline]
fn push(ctx: &mut Ctx<'_>, args: &mut Args<'_>, side: Side) -> Result<Flow, Error> {
    let key = args.key()?;
    let edit = ctx.db.edit_or_create::<List>(&key)?;
    let len = push_all(edit, args, side);
    ctx.reply.integer(len as i64);
    Ok(Flow::Done)
}

fn push_to_existing(ctx: &mut Ctx<'_>, args: &mut Args<'_>, side: Side) -> Result<Flow, Error> {
    let key = args.key()?;
    let len = match ctx.db.edit::<List>(&key)? {
        Some(edit) => push_all(edit, args, side),
        None => 0,
    };
    ctx.reply.integer(len as i64);
    Ok(Flow::Done)
}

/// Pushes the words that are left, one after the other; the length of the list then.
#[inline]
fn push_all(mut edit: Edit<'_, List>, args: &Args<'_>, side: Side) -> usize {
    let argv = args.argv();
    let words = argv.len() - args.left()..argv.len();
    let bytes = words.clone().map(|at| argv.word(at).len()).sum();
    let (list, limits) = edit.parts();
    list.expect(bytes, words.len(), limits);
    for at in words {
        list.push(side, word_at(args, at), limits);
    }
    let len = list.len();
    edit.changed(pushed(side));
    len
}
