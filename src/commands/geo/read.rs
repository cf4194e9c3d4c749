//! GEODIST, GEOHASH, GEOPOS: where places are, and how far from one another.

use super::{Unit, place_of, reply_distance, reply_point};
use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::Reply;
use crate::types::geohash::Point;
use crate::types::zset::Zset;

pub(super) fn geodist(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (one, other) = (args.word()?, args.word()?);
    if args.left() > 1 {
        return Err(Error::Syntax);
    }
    let unit = if args.is_empty() {
        Unit::METRES
    } else {
        Unit::read(args)?
    };
    let Ctx { db, reply, .. } = ctx;
    let zset = db.read::<Zset>(&key)?;
    let places = zset.and_then(|zset| Some((place_of(zset, one)?, place_of(zset, other)?)));
    match places {
        Some((one, other)) => reply_distance(reply, unit.of_metres(one.distance_m(other))),
        None => reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn geohash(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer_each(ctx, args, |reply, place| match place {
        Some(place) => reply.bulk(&place.text()),
        None => reply.null(),
    })
}

pub(super) fn geopos(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer_each(ctx, args, |reply, place| match place {
        Some(place) => reply_point(reply, place),
        None => reply.null_array(),
    })
}

/// Answers an array of what `write` makes of the place of each member.
fn answer_each(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    write: impl Fn(&mut Reply<'_>, Option<Point>),
) -> Result<Flow, Error> {
    let key = args.key()?;
    let names = args.rest();
    let Ctx { db, reply, .. } = ctx;
    let zset = db.read::<Zset>(&key)?;
    reply.array(names.len());
    for name in names {
        write(reply, zset.and_then(|zset| place_of(zset, name)));
    }
    Ok(Flow::Done)
}
