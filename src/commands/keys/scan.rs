//! KEYS, SCAN, RANDOMKEY, DBSIZE: what is there.

use crate::base::glob::glob_match;
use crate::command::scan::{ScanOptions, Scanned, cursor};
use crate::command::{Args, Ctx, Error, Flow};

pub(super) fn keys(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let pattern = args.key()?;
    let Ctx { db, reply, .. } = ctx;
    let later = reply.array_later();
    let mut count = 0;
    if pattern.bytes.iter().any(|byte| b"*?[\\".contains(byte)) {
        let all = pattern.bytes == b"*";
        db.for_each(|record| {
            if all || glob_match(pattern.bytes, record.key(), false) {
                reply.bulk(record.key());
                count += 1;
            }
        });
    } else if db.peek(&pattern).is_some() {
        reply.bulk(pattern.bytes);
        count = 1;
    }
    reply.finish(later, count);
    Ok(Flow::Done)
}

pub(super) fn scan(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let cursor = cursor(args)?;
    let options = ScanOptions::read(args, Scanned::Keys)?;
    let mut found = Names::default();
    let next = options.walk(cursor, |cursor, seen| {
        ctx.db.scan(cursor, |record| {
            *seen += 1;
            let is_of_type = options.type_name.is_none_or(|name| {
                let own_name = record.type_of().name();
                name.eq_ignore_ascii_case(own_name.as_bytes())
            });
            if is_of_type && options.accepts(record.key()) {
                found.push(record.key());
            }
        })
    });
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(found.ends.len());
    found.iter().for_each(|name| ctx.reply.bulk(name));
    Ok(Flow::Done)
}

/// Names in one allocation: the cursor stands before them in the reply, and is known after them.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Names {
    fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.bytes[start..*end])
    }
}

pub(super) fn randomkey(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    match ctx.db.random_key() {
        Some(name) => ctx.reply.bulk(&name),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn dbsize(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let keys = i64::try_from(ctx.db.len()).expect("keys in memory are fewer than 2^63");
    ctx.reply.integer(keys);
    Ok(Flow::Done)
}
