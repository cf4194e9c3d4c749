//! What a sorted set tells without being changed: scores, ranks, counts, ZSCAN.

use crate::base::number;
use crate::command::scan::{ScanOptions, Scanned, cursor};
use crate::command::{Args, Ctx, Error, Flow, ranges};
use crate::types::View;
use crate::types::zset::{Zset, ZsetRef};

pub(super) fn zscore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name) = (args.key()?, args.word()?);
    let zset = ctx.db.read::<Zset>(&key)?;
    match zset.and_then(|zset| zset.score(name)) {
        Some(score) => ctx.reply.double(score),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn zmscore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let names = args.rest();
    let Ctx { db, reply, .. } = ctx;
    let zset = db.read::<Zset>(&key)?;
    if let Some(zset) = zset {
        zset.prefetch(names.clone());
    }
    reply.array(names.len());
    for name in names {
        match zset.and_then(|zset| zset.score(name)) {
            Some(score) => reply.double(score),
            None => reply.null(),
        }
    }
    Ok(Flow::Done)
}

pub(super) fn zcard(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let members = ctx.db.read::<Zset>(&key)?.map_or(0, View::len);
    ctx.reply.integer(members as i64);
    Ok(Flow::Done)
}

pub(super) fn zcount(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let range = ranges::scores(args.word()?, args.word()?)?;
    let zset = ctx.db.read::<Zset>(&key)?;
    let count = zset.map_or(0, |zset| zset.ranks_of_scores(&range).len());
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}

pub(super) fn zlexcount(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let range = ranges::names(args.word()?, args.word()?)?;
    let zset = ctx.db.read::<Zset>(&key)?;
    let count = zset.map_or(0, |zset| zset.ranks_of_names(&range).len());
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}

pub(super) fn zrank(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    rank(ctx, args, false)
}

pub(super) fn zrevrank(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    rank(ctx, args, true)
}

fn rank(ctx: &mut Ctx<'_>, args: &mut Args<'_>, reversed: bool) -> Result<Flow, Error> {
    let (key, name) = (args.key()?, args.word()?);
    if args.left() > 1 {
        return Err(Error::Arity(ctx.row.full_name.to_owned()));
    }
    let with_score = args.flag("WITHSCORE");
    args.finish()?;
    let zset = ctx.db.read::<Zset>(&key)?;
    let found = zset.and_then(|zset| {
        let (rank, score) = zset.rank(name)?;
        let rank = if reversed {
            zset.len() - 1 - rank
        } else {
            rank
        };
        Some((rank as i64, score))
    });
    let reply = &mut ctx.reply;
    match (found, with_score) {
        (Some((rank, _)), false) => reply.integer(rank),
        (Some((rank, score)), true) => {
            reply.array(2);
            reply.integer(rank);
            reply.double(score);
        }
        (None, false) => reply.null(),
        (None, true) => reply.null_array(),
    }
    Ok(Flow::Done)
}

pub(super) fn zscan(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let cursor = cursor(args)?;
    let Ctx { db, reply, .. } = ctx;
    let Some(zset) = db.read::<Zset>(&key)? else {
        // Nobody looks at the options then.
        reply.array(2);
        reply.bulk(b"0");
        reply.empty_array();
        return Ok(Flow::Done);
    };
    let options = ScanOptions::read(args, Scanned::SortedSet)?;
    // Names in one allocation: the cursor stands before them in the reply, and is known after them.
    let (mut names, mut found): (Vec<u8>, Vec<(usize, f64)>) = Default::default();
    let mut room = Vec::new();
    let next = options.walk(cursor, |cursor, seen| {
        zset.scan(cursor, |name, score| {
            *seen += 1;
            let name = name.bytes(&mut room);
            if options.accepts(name) {
                names.extend_from_slice(name);
                found.push((names.len(), score));
            }
        })
    });
    reply.array(2);
    reply.bulk(next.to_string().as_bytes());
    let each = if options.without_values { 1 } else { 2 };
    reply.array(found.len() * each);
    let is_table = matches!(zset, ZsetRef::Table(_));
    let mut start = 0;
    for (end, score) in found {
        reply.bulk(&names[start..end]);
        start = end;
        if options.without_values {
            continue;
        }
        if is_table {
            room.clear();
            number::format_f64_in_full(score, &mut room);
            reply.bulk(&room);
        } else {
            reply.bulk_f64(score);
        }
    }
    Ok(Flow::Done)
}
