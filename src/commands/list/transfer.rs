//! From one list to another: LMOVE, RPOPLPUSH, LMOVEM, and BLMOVE, BRPOPLPUSH, BLMOVEM, which wait for what they move.
//!
//! As in Redis the destination's event comes before the source's.

use super::{block, popped, pushed, reply_value, side, side_name};
use crate::command::{Args, Ctx, Error, Flow, timeout};
use crate::ds::listpack::Element;
use crate::keyspace::entry::Key;
use crate::resp::reply::Reply;
use crate::types::list::{List, ListRef, OwnedValue, Side, Value};
use crate::types::{Limits, View};

/// Between which lists, and at which of their ends.
struct Route<'a> {
    source: Key<'a>,
    destination: Key<'a>,
    from: Side,
    to: Side,
}

impl<'a> Route<'a> {
    /// `source destination LEFT|RIGHT LEFT|RIGHT`
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        Ok(Self {
            source: args.key()?,
            destination: args.key()?,
            from: side(args)?,
            to: side(args)?,
        })
    }

    /// `source destination`, as RPOPLPUSH has it.
    fn read_short(args: &mut Args<'a>) -> Result<Self, Error> {
        Ok(Self {
            source: args.key()?,
            destination: args.key()?,
            from: Side::Back,
            to: Side::Front,
        })
    }

    /// What `read` finds in the source, which must have at least `least` elements; else `None`. Nothing is changed; the
    /// types of both keys are right.
    fn find<R>(
        &self,
        ctx: &mut Ctx<'_>,
        least: usize,
        read: impl FnOnce(ListRef<'_>) -> R,
    ) -> Result<Option<R>, Error> {
        let Some(mut edit) = ctx.db.edit::<List>(&self.source)? else {
            return Ok(None);
        };
        let view = edit.view();
        if view.len() < least {
            return Ok(None);
        }
        let found = read(view);
        drop(edit);
        drop(ctx.db.edit::<List>(&self.destination)?);
        Ok(Some(found))
    }

    /// Takes the block from the source and adds it to the destination, where it stands in the same order.
    fn carry(&self, ctx: &mut Ctx<'_>, block: &[OwnedValue]) -> Result<(), Error> {
        if self.source.bytes == self.destination.bytes {
            let Some(mut edit) = ctx.db.edit::<List>(&self.source)? else {
                return Ok(());
            };
            let (list, limits) = edit.parts();
            list.cut(self.from, block.len(), limits);
            add(list, limits, block, self.to);
            edit.also(pushed(self.to));
            edit.changed(popped(self.from));
            return Ok(());
        }
        let mut edit = ctx.db.edit_or_create::<List>(&self.destination)?;
        let (list, limits) = edit.parts();
        add(list, limits, block, self.to);
        edit.changed(pushed(self.to));
        if let Some(mut edit) = ctx.db.edit::<List>(&self.source)? {
            let (list, limits) = edit.parts();
            list.cut(self.from, block.len(), limits);
            edit.changed(popped(self.from));
        }
        Ok(())
    }
}

/// Up to `most` elements at one end, as they follow one another in the list.
fn taken(list: ListRef<'_>, from: Side, most: usize) -> Vec<OwnedValue> {
    match from {
        Side::Front => list.iter().take(most).map(OwnedValue::from).collect(),
        Side::Back => {
            let mut block: Vec<_> = list.iter_back().take(most).map(OwnedValue::from).collect();
            block.reverse();
            block
        }
    }
}

/// Adds a block at one end; it keeps its order.
fn add(list: &mut List, limits: &Limits, block: &[OwnedValue], to: Side) {
    let mut add_one = |value: &OwnedValue| {
        value.as_word(|word| {
            list.expect(word.bytes.len(), 1, limits);
            list.push(to, word, limits);
        });
    };
    match to {
        Side::Front => block.iter().rev().for_each(&mut add_one),
        Side::Back => block.iter().for_each(&mut add_one),
    }
}

fn reply_owned(reply: &mut Reply<'_>, value: &OwnedValue) {
    reply_value(
        reply,
        match value {
            OwnedValue::Int(value) => Value::Packed(Element::Int(*value)),
            OwnedValue::Packed(bytes) => Value::Packed(Element::Bytes(bytes)),
            OwnedValue::Plain(bytes) => Value::Plain(bytes),
        },
    );
}

/// Moves one element and answers it; whether there was one.
fn move_one(ctx: &mut Ctx<'_>, route: &Route<'_>) -> Result<bool, Error> {
    let found = route.find(ctx, 1, |list| list.end(route.from).map(OwnedValue::from))?;
    let Some(value) = found.flatten() else {
        return Ok(false);
    };
    route.carry(ctx, std::slice::from_ref(&value))?;
    reply_owned(&mut ctx.reply, &value);
    Ok(true)
}

pub(super) fn lmove(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let route = Route::read(args)?;
    if !move_one(ctx, &route)? {
        ctx.reply.null();
    }
    Ok(Flow::Done)
}

pub(super) fn rpoplpush(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let route = Route::read_short(args)?;
    if !move_one(ctx, &route)? {
        ctx.reply.null();
    }
    Ok(Flow::Done)
}

pub(super) fn blmove(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let route = Route::read(args)?;
    let deadline_ms = timeout::seconds(args, ctx.db.now_ms())?;
    if move_one(ctx, &route)? {
        ctx.propagate.instead(&[
            b"LMOVE",
            route.source.bytes,
            route.destination.bytes,
            side_name(route.from),
            side_name(route.to),
        ]);
        return Ok(Flow::Done);
    }
    Ok(wait_for_one(ctx, &route, deadline_ms))
}

pub(super) fn brpoplpush(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let route = Route::read_short(args)?;
    let deadline_ms = timeout::seconds(args, ctx.db.now_ms())?;
    if move_one(ctx, &route)? {
        ctx.propagate
            .instead(&[b"RPOPLPUSH", route.source.bytes, route.destination.bytes]);
        return Ok(Flow::Done);
    }
    Ok(wait_for_one(ctx, &route, deadline_ms))
}

/// Where nobody can wait, the answer is that of the command that does not; who has waited in vain gets the null of an
/// array, as from BLPOP.
fn wait_for_one(ctx: &Ctx<'_>, route: &Route<'_>, deadline_ms: Option<i64>) -> Flow {
    let keys = [route.source.bytes].into_iter();
    if ctx.client.is_nested() {
        block(keys, deadline_ms, |reply| reply.null())
    } else {
        block(keys, deadline_ms, |reply| reply.null_array())
    }
}

/// How many elements LMOVEM moves, and in which order.
struct HowMany {
    least: usize,
    most: usize,
    one_by_one: bool,
}

impl HowMany {
    /// `[COUNT count | EXACTLY count, OBO | BULK]`, up to the end.
    fn read(args: &mut Args<'_>) -> Result<Self, Error> {
        const COUNT: Error = Error::Text("ERR count should be greater than 0");
        if args.is_empty() {
            return Ok(Self {
                least: 1,
                most: 1,
                one_by_one: true,
            });
        }
        let exactly = args.flag("EXACTLY");
        if !exactly && !args.flag("COUNT") {
            return Err(Error::Syntax);
        }
        // The count is looked at when the grammar has been seen to be right.
        let mut number = args.clone();
        args.word()?;
        let one_by_one = args.flag("OBO");
        if !one_by_one && !args.flag("BULK") {
            return Err(Error::Syntax);
        }
        args.finish()?;
        let most = number.positive(COUNT)?;
        Ok(Self {
            least: if exactly { most } else { 1 },
            most,
            one_by_one,
        })
    }
}

/// Moves several elements and answers them in the order of the destination; whether there were enough.
fn move_several(ctx: &mut Ctx<'_>, route: &Route<'_>, how_many: &HowMany) -> Result<bool, Error> {
    let found = route.find(ctx, how_many.least, |list| {
        taken(list, route.from, how_many.most)
    })?;
    let Some(mut block) = found else {
        return Ok(false);
    };
    // Pushed one by one where it was taken, each stands before the one that was taken earlier.
    if how_many.one_by_one && route.from == route.to {
        block.reverse();
    }
    route.carry(ctx, &block)?;
    ctx.reply.array(block.len());
    block
        .iter()
        .for_each(|value| reply_owned(&mut ctx.reply, value));
    Ok(true)
}

pub(super) fn lmovem(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let route = Route::read(args)?;
    let how_many = HowMany::read(args)?;
    if !move_several(ctx, &route, &how_many)? {
        ctx.reply.null_array();
    }
    Ok(Flow::Done)
}

pub(super) fn blmovem(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    /// Of the command's words, the one that LMOVEM does not have.
    const TIMEOUT_AT: usize = 5;
    let route = Route::read(args)?;
    let deadline_ms = timeout::seconds(args, ctx.db.now_ms())?;
    let how_many = HowMany::read(args)?;
    if !move_several(ctx, &route, &how_many)? {
        let keys = [route.source.bytes].into_iter();
        return Ok(block(keys, deadline_ms, |reply| reply.null_array()));
    }
    if ctx.propagate.is_wanted() {
        let words = args.argv().iter().enumerate();
        let words = words.filter(|(at, _)| *at != TIMEOUT_AT);
        let words: Vec<&[u8]> = words
            .map(|(at, word)| if at == 0 { b"LMOVEM" } else { word })
            .collect();
        ctx.propagate.instead(&words);
    }
    Ok(Flow::Done)
}
