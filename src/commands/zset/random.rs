//! ZRANDMEMBER: members by chance, each with the same probability. A positive count asks for different members, a
//! negative one for draws that may repeat.

use super::{begin_members, reply_shown};
use crate::base::random::Random;
use crate::command::{Args, Ctx, Error, Flow, elements};
use crate::ds::listpack::Element;
use crate::resp::reply::Reply;
use crate::types::View;
use crate::types::zset::{Zset, ZsetRef};
use std::collections::HashSet;

/// From this part of all members on, different ones are chosen by walking over all.
const WALK_PART: usize = 3;

pub(super) fn zrandmember(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    if args.is_empty() {
        return one(ctx, &key);
    }
    let count = args.draws()?;
    let with_scores = args.flag("WITHSCORES");
    args.finish()?;
    if with_scores && count > i64::MAX / 2 {
        return Err(Error::OutOfRange);
    }
    let random = &mut ctx.server.random;
    let Ctx { db, reply, .. } = ctx;
    let zset = db.read::<Zset>(&key)?.filter(|_| count != 0);
    let Some(zset) = zset else {
        reply.empty_array();
        return Ok(Flow::Done);
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        let mut show = begin(reply, wanted, with_scores);
        return draw(zset, wanted, random, &mut show).map(|()| Flow::Done);
    }
    let mut show = begin(reply, wanted.min(zset.len()), with_scores);
    different(zset, wanted, random, &mut show);
    Ok(Flow::Done)
}

fn one(ctx: &mut Ctx<'_>, key: &crate::keyspace::entry::Key<'_>) -> Result<Flow, Error> {
    let random = &mut ctx.server.random;
    let Ctx { db, reply, .. } = ctx;
    match db.read::<Zset>(key)? {
        None => reply.null(),
        Some(zset) => {
            let rank = random.below(zset.len() as u64) as usize;
            zset.for_each(rank..rank + 1, false, |name, _| {
                elements::reply(reply, name)
            });
        }
    }
    Ok(Flow::Done)
}

/// Begins the answer of `count` members; what shows one of them.
fn begin<'r>(
    reply: &'r mut Reply<'_>,
    count: usize,
    with_scores: bool,
) -> impl FnMut(Element<'_>, f64) {
    let shown = begin_members(reply, count, with_scores);
    move |name, score| reply_shown(reply, shown, name, score)
}

fn draw(
    zset: ZsetRef<'_>,
    wanted: usize,
    random: &mut Random,
    show: &mut impl FnMut(Element<'_>, f64),
) -> Result<(), Error> {
    let len = zset.len();
    if let ZsetRef::Packed(_) = zset {
        let mut all = Vec::with_capacity(len);
        zset.for_each(0..len, false, |name, score| all.push((name, score)));
        for _ in 0..wanted {
            let (name, score) = all[random.below(len as u64) as usize];
            show(name, score);
        }
        return Ok(());
    }
    for _ in 0..wanted {
        let rank = random.below(len as u64) as usize;
        zset.for_each(rank..rank + 1, false, &mut *show);
    }
    Ok(())
}

fn different(
    zset: ZsetRef<'_>,
    wanted: usize,
    random: &mut Random,
    show: &mut impl FnMut(Element<'_>, f64),
) {
    let len = zset.len();
    if wanted >= len {
        return zset.for_each(0..len, false, show);
    }
    if wanted.saturating_mul(WALK_PART) >= len || matches!(zset, ZsetRef::Packed(_)) {
        // Of those left to come, as many are taken as are left to choose.
        let (mut left, mut choose) = (len, wanted);
        return zset.for_each(0..len, false, |name, score| {
            if random.below(left as u64) < choose as u64 {
                show(name, score);
                choose -= 1;
            }
            left -= 1;
        });
    }
    // Floyd's choice: each new rank is tried among one more, and the last of them taken if it is known already.
    let mut chosen = HashSet::with_capacity(wanted);
    for last in len - wanted..len {
        let rank = random.below(last as u64 + 1) as usize;
        let rank = if chosen.insert(rank) { rank } else { last };
        chosen.insert(rank);
        zset.for_each(rank..rank + 1, false, &mut *show);
    }
}
