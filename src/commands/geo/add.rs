//! GEOADD: places become members of a sorted set, whose scores are their geohashes.

use super::point;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::event;
use crate::types::zset::{Rule, Zset};

pub(super) fn geoadd(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let (mut rule, mut count_changed) = (Rule::default(), false);
    loop {
        if args.flag("NX") {
            rule.if_missing = true;
        } else if args.flag("XX") {
            rule.if_present = true;
        } else if args.flag("CH") {
            count_changed = true;
        } else {
            break;
        }
    }
    if !args.left().is_multiple_of(3) || rule.if_missing && rule.if_present {
        return Err(Error::Syntax);
    }
    let mut places = Vec::with_capacity(args.left() / 3);
    while !args.is_empty() {
        let point = point(args)?;
        places.push((args.word()?, point.encode() as f64));
    }
    let mut edit = ctx.db.edit_or_create::<Zset>(&key)?;
    let (zset, limits) = edit.parts();
    let (new, changed) = zset.add_all(places.into_iter(), rule, limits);
    if new + changed > 0 {
        edit.changed(event::ZADD);
    } else {
        edit.unchanged();
    }
    ctx.reply
        .integer(if count_changed { new + changed } else { new });
    Ok(Flow::Done)
}
