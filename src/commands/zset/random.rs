//! ZRANDMEMBER: members by chance, each with the same probability. A positive count asks for different members, a
//! negative one for draws that may repeat.

use super::{begin_members, reply_shown};
use crate::base::random::{Choice, Random};
use crate::command::draws::Draws;
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
    let (draws, with_scores) = Draws::read(args, Some("WITHSCORES"))?;
    let random = &mut ctx.server.random;
    let Ctx { db, reply, .. } = ctx;
    let Some(zset) = db.read::<Zset>(&key)? else {
        match draws {
            Draws::One => reply.null(),
            Draws::Different(_) | Draws::Repeated(_) => reply.empty_array(),
        }
        return Ok(Flow::Done);
    };
    match draws {
        Draws::One => {
            let rank = random.below(zset.len() as u64) as usize;
            zset.for_each(rank..rank + 1, false, |name, _| {
                elements::reply(reply, name)
            });
        }
        Draws::Different(count) => {
            let count = count.min(zset.len());
            let mut show = begin(reply, count, with_scores);
            different(zset, count, random, &mut show);
        }
        Draws::Repeated(count) => {
            let mut show = begin(reply, count, with_scores);
            draw(zset, count, random, &mut show);
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

/// `wanted` members, which may repeat.
fn draw(
    zset: ZsetRef<'_>,
    wanted: usize,
    random: &mut Random,
    show: &mut impl FnMut(Element<'_>, f64),
) {
    let len = zset.len();
    if let ZsetRef::Packed(_) = zset {
        let mut all = Vec::with_capacity(len);
        zset.for_each(0..len, false, |name, score| all.push((name, score)));
        for _ in 0..wanted {
            let (name, score) = all[random.below(len as u64) as usize];
            show(name, score);
        }
        return;
    }
    for _ in 0..wanted {
        let rank = random.below(len as u64) as usize;
        zset.for_each(rank..rank + 1, false, &mut *show);
    }
}

/// `wanted` different members; there are so many.
fn different(
    zset: ZsetRef<'_>,
    wanted: usize,
    random: &mut Random,
    show: &mut impl FnMut(Element<'_>, f64),
) {
    let len = zset.len();
    if wanted.saturating_mul(WALK_PART) >= len || matches!(zset, ZsetRef::Packed(_)) {
        let mut choice = Choice::new(wanted, len);
        return zset.for_each(0..len, false, |name, score| {
            if choice.takes_next(random) {
                show(name, score);
            }
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
