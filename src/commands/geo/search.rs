//! GEOSEARCH and GEOSEARCHSTORE, and their older relatives GEORADIUS and GEORADIUSBYMEMBER: which places lie in an area.
//!
//! The area's ranges of geohashes are ranges of scores; what is found in them is measured. The key is looked up first:
//! a place by its name is one of that key's, and of a wrong one the error comes where its name stands.

use super::{Unit, place_of, point, reply_distance, reply_point};
use crate::base::number;
use crate::command::{Args, Ctx, Error, Flow, elements};
use crate::ds::listpack::Element;
use crate::keyspace::db::Deadline;
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::resp::reply::Reply;
use crate::types::geohash::{Area, Point, Shape};
use crate::types::zset::{ScoreRange, Zset, ZsetRef, compare};
use crate::types::{Limits, Stored};
use std::cmp::Ordering;
use std::ops::Range;

/// Members that are measured between two looks at whether there are enough.
const MEASURED_AT_ONCE: usize = 64;

const NOT_A_PLACE: Error = Error::Text("ERR could not decode requested zset member");

/// Which of the relatives is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// GEORADIUS and GEORADIUSBYMEMBER.
    Radius,
    /// The same with _RO.
    RadiusReadOnly,
    Search,
    SearchStore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Nearest,
    Farthest,
}

/// What was asked for besides the area.
#[derive(Clone, Copy, Default)]
struct Options<'a> {
    with_distance: bool,
    with_geohash: bool,
    with_point: bool,
    sort: Option<Sort>,
    count: Option<usize>,
    /// COUNT is content with any that are found.
    any: bool,
    store: Option<Key<'a>>,
    /// Distances are stored in place of geohashes.
    store_distances: bool,
}

impl Options<'_> {
    fn shows_more_than_names(&self) -> bool {
        self.with_distance || self.with_geohash || self.with_point
    }
}

/// An area in the making, from options in any order.
#[derive(Default)]
struct Sketch {
    center: Option<Point>,
    /// FROMMEMBER stood there; of a key that is not there the place is not asked for.
    from_member: bool,
    from_point: bool,
    shape: Option<Shape>,
    polygon: Option<Vec<Point>>,
    unit: Unit,
}

/// A search, read from the words of a command.
struct Wanted<'a> {
    /// `None`: the key is not there.
    area: Option<Area>,
    unit: Unit,
    options: Options<'a>,
}

/// A place that was found.
struct Found<'a> {
    name: Element<'a>,
    point: Point,
    geohash: f64,
    /// In the unit of the command.
    distance: f64,
}

fn distance(args: &mut Args<'_>, error: Error) -> Result<f64, Error> {
    number::parse_f64(args.word()?).ok_or(error)
}

/// `radius unit`
fn circle(args: &mut Args<'_>) -> Result<(Shape, Unit), Error> {
    let radius = distance(args, Error::Text("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(Error::Text("ERR radius cannot be negative"));
    }
    let unit = Unit::read(args)?;
    let radius_m = unit.to_metres(radius);
    Ok((Shape::Circle { radius_m }, unit))
}

/// `width height unit`
fn rectangle(args: &mut Args<'_>) -> Result<(Shape, Unit), Error> {
    let width = distance(args, Error::Text("ERR need numeric width"))?;
    let height = distance(args, Error::Text("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(Error::Text("ERR height or width cannot be negative"));
    }
    let unit = Unit::read(args)?;
    let (width_m, height_m) = (unit.to_metres(width), unit.to_metres(height));
    Ok((Shape::Box { width_m, height_m }, unit))
}

/// `vertices longitude latitude...`
fn polygon(args: &mut Args<'_>) -> Result<Vec<Point>, Error> {
    const VERTICES_MIN: usize = 3;
    let count = number::parse_i64(args.word()?);
    let count = count.ok_or(Error::Text("ERR invalid number of vertices"))?;
    let count = usize::try_from(count)
        .ok()
        .filter(|count| *count >= VERTICES_MIN && *count <= args.left() / 2);
    let count = count.ok_or(Error::Text(
        "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices",
    ))?;
    (0..count).map(|_| point(args)).collect()
}

/// The place of a member that must be there; `None`: the key is not.
fn center_of(zset: Option<ZsetRef<'_>>, name: &[u8]) -> Result<Option<Point>, Error> {
    let place = zset.map(|zset| place_of(zset, name).ok_or(NOT_A_PLACE));
    place.transpose()
}

impl Sketch {
    /// Takes an option that tells of the area; whether there was one.
    fn read(&mut self, args: &mut Args<'_>, zset: Option<ZsetRef<'_>>) -> Result<bool, Error> {
        let left = args.left();
        let is_polygon = self.polygon.is_some();
        if left > 1 && !self.from_point && !is_polygon && args.flag("FROMMEMBER") {
            self.center = center_of(zset, args.word()?)?;
            self.from_member = true;
        } else if left > 2 && !self.from_member && !is_polygon && args.flag("FROMLONLAT") {
            self.center = Some(point(args)?);
            self.from_point = true;
        } else if left > 2 && self.may_be(true) && args.flag("BYRADIUS") {
            let (shape, unit) = circle(args)?;
            (self.shape, self.unit) = (Some(shape), unit);
        } else if left > 3 && self.may_be(false) && args.flag("BYBOX") {
            let (shape, unit) = rectangle(args)?;
            (self.shape, self.unit) = (Some(shape), unit);
        } else if left > 1 && self.may_be_polygon() && args.flag("BYPOLYGON") {
            self.polygon = Some(polygon(args)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether a circle (or else a box) may be told: nothing else was, but perhaps the same before.
    fn may_be(&self, circle: bool) -> bool {
        let fits = match self.shape {
            None => true,
            Some(Shape::Circle { .. }) => circle,
            Some(_) => !circle,
        };
        fits && self.polygon.is_none()
    }

    fn may_be_polygon(&self) -> bool {
        !self.from_member && !self.from_point && self.shape.is_none()
    }

    /// The area, if all of it was told; `None`: the key of its centre is not there.
    fn finish(self, command: &str) -> Result<Option<Area>, Error> {
        if let Some(vertices) = self.polygon {
            return Ok(Some(Area::polygon(vertices)));
        }
        if !self.from_member && !self.from_point {
            return Err(Error::err(format_args!(
                "exactly one of FROMMEMBER or FROMLONLAT can be specified for {command}"
            )));
        }
        let Some(shape) = self.shape else {
            return Err(Error::err(format_args!(
                "exactly one of BYRADIUS and BYBOX can be specified for {command}"
            )));
        };
        Ok(self.center.map(|center| Area { center, shape }))
    }
}

impl<'a> Wanted<'a> {
    /// Reads what follows the keys (and, of [`Form::Radius`], the area, which is `sketch`).
    fn read(
        args: &mut Args<'a>,
        form: Form,
        mut sketch: Sketch,
        zset: Option<ZsetRef<'_>>,
        command: &str,
    ) -> Result<Self, Error> {
        let is_search = matches!(form, Form::Search | Form::SearchStore);
        let mut options = Options::default();
        while !args.is_empty() {
            let is_told = options.read(args, form)? || is_search && sketch.read(args, zset)?;
            if !is_told {
                return Err(Error::Syntax);
            }
        }
        let stores = options.store.is_some() || form == Form::SearchStore;
        if stores && options.shows_more_than_names() {
            let what = match form {
                Form::SearchStore => "GEOSEARCHSTORE",
                _ => "STORE option in GEORADIUS",
            };
            return Err(Error::err(format_args!(
                "{what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        let unit = sketch.unit;
        let area = sketch.finish(command)?;
        if options.any && options.count.is_none() {
            let text = "ERR the ANY argument requires COUNT argument";
            return Err(Error::Text(text));
        }
        // The first so many of no order would be no answer.
        if options.count.is_some() && options.sort.is_none() && !options.any {
            options.sort = Some(Sort::Nearest);
        }
        Ok(Self {
            area,
            unit,
            options,
        })
    }

    /// The places that are wanted, in the order that is.
    fn find<'z>(&self, zset: ZsetRef<'z>) -> Vec<Found<'z>> {
        let mut found = Vec::new();
        let Some(area) = &self.area else {
            return found;
        };
        let any = self.options.count.filter(|_| self.options.any);
        let enough = any.unwrap_or(usize::MAX);
        for geohashes in area.geohashes() {
            let range = ScoreRange {
                min: geohashes.start as f64,
                max: geohashes.end as f64,
                without_min: false,
                without_max: true,
            };
            let mut ranks = zset.ranks_of_scores(&range);
            while !ranks.is_empty() && found.len() < enough {
                let end = ranks.end.min(ranks.start + MEASURED_AT_ONCE);
                self.measure(zset, area, ranks.start..end, &mut found);
                ranks.start = end;
            }
        }
        found.truncate(enough);
        self.arrange(&mut found);
        found
    }

    /// Adds the places of these ranks that lie in the area.
    fn measure<'z>(
        &self,
        zset: ZsetRef<'z>,
        area: &Area,
        ranks: Range<usize>,
        found: &mut Vec<Found<'z>>,
    ) {
        zset.for_each(ranks, false, |name, score| {
            let point = Point::decode(score as u64);
            if let Some(distance_m) = area.distance_within_m(point) {
                found.push(Found {
                    name,
                    point,
                    geohash: score,
                    distance: self.unit.of_metres(distance_m),
                });
            }
        });
    }

    fn arrange(&self, found: &mut Vec<Found<'_>>) {
        let nearest = |one: &Found<'_>, other: &Found<'_>| one.distance.total_cmp(&other.distance);
        let count = self.options.count.unwrap_or(usize::MAX);
        let order = |sort: Sort, one: &Found<'_>, other: &Found<'_>| match sort {
            Sort::Nearest => nearest(one, other),
            Sort::Farthest => nearest(other, one),
        };
        if let Some(sort) = self.options.sort {
            if count < found.len() {
                // Those that are not wanted need no order.
                found.select_nth_unstable_by(count, |one, other| order(sort, one, other));
                found.truncate(count);
            }
            found.sort_by(|one, other| order(sort, one, other));
        }
        found.truncate(count);
    }
}

impl<'a> Options<'a> {
    /// Takes an option that tells nothing of the area; whether there was one.
    fn read(&mut self, args: &mut Args<'a>, form: Form) -> Result<bool, Error> {
        if args.flag("WITHDIST") {
            self.with_distance = true;
        } else if args.flag("WITHHASH") {
            self.with_geohash = true;
        } else if args.flag("WITHCOORD") {
            self.with_point = true;
        } else if args.flag("ANY") {
            self.any = true;
        } else if args.flag("ASC") {
            self.sort = Some(Sort::Nearest);
        } else if args.flag("DESC") {
            self.sort = Some(Sort::Farthest);
        } else if args.left() > 1 && args.flag("COUNT") {
            let count = args.int()?;
            let count = usize::try_from(count).ok().filter(|count| *count > 0);
            self.count = Some(count.ok_or(Error::Text("ERR COUNT must be > 0"))?);
        } else if form == Form::Radius && args.left() > 1 && args.flag("STORE") {
            self.store = Some(args.key()?);
            self.store_distances = false;
        } else if form == Form::Radius && args.left() > 1 && args.flag("STOREDIST") {
            self.store = Some(args.key()?);
            self.store_distances = true;
        } else if form == Form::SearchStore && args.flag("STOREDIST") {
            self.store_distances = true;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

pub(super) fn georadius(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    radius(ctx, args, Form::Radius, false)
}

pub(super) fn georadius_ro(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    radius(ctx, args, Form::RadiusReadOnly, false)
}

pub(super) fn georadiusbymember(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    radius(ctx, args, Form::Radius, true)
}

pub(super) fn georadiusbymember_ro(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    radius(ctx, args, Form::RadiusReadOnly, true)
}

fn radius(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    form: Form,
    by_member: bool,
) -> Result<Flow, Error> {
    let key = args.key()?;
    let command = ctx.row.full_name;
    let limits = *ctx.db.limits();
    let Ctx { db, reply, .. } = ctx;
    let zset = db.read::<Zset>(&key)?;
    let mut sketch = Sketch {
        from_member: by_member,
        from_point: !by_member,
        ..Sketch::default()
    };
    sketch.center = if by_member {
        center_of(zset, args.word()?)?
    } else {
        Some(point(args)?)
    };
    if by_member && zset.is_none() {
        // Nobody looks at radius and unit then.
        args.word()?;
        args.word()?;
        sketch.shape = Some(Shape::Circle { radius_m: 0.0 });
    } else {
        let (shape, unit) = circle(args)?;
        (sketch.shape, sketch.unit) = (Some(shape), unit);
    }
    let wanted = Wanted::read(args, form, sketch, zset, command)?;
    let found = zset.map_or_else(Vec::new, |zset| wanted.find(zset));
    match wanted.options.store {
        None => show(reply, &found, &wanted.options),
        Some(destination) => {
            let places = to_zset(found, wanted.options.store_distances, &limits);
            let members = places.len();
            let event = event::GEORADIUSSTORE;
            db.put_collection(&destination, places, Deadline::Clear, event);
            reply.integer(members as i64);
        }
    }
    Ok(Flow::Done)
}

pub(super) fn geosearch(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let command = ctx.row.full_name;
    let Ctx { db, reply, .. } = ctx;
    let zset = db.read::<Zset>(&key)?;
    let wanted = Wanted::read(args, Form::Search, Sketch::default(), zset, command)?;
    let found = zset.map_or_else(Vec::new, |zset| wanted.find(zset));
    show(reply, &found, &wanted.options);
    Ok(Flow::Done)
}

pub(super) fn geosearchstore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (destination, source) = (args.key()?, args.key()?);
    let command = ctx.row.full_name;
    let limits = *ctx.db.limits();
    let zset = ctx.db.read::<Zset>(&source)?;
    let wanted = Wanted::read(args, Form::SearchStore, Sketch::default(), zset, command)?;
    let found = zset.map_or_else(Vec::new, |zset| wanted.find(zset));
    let places = to_zset(found, wanted.options.store_distances, &limits);
    let members = places.len();
    let event = event::GEOSEARCHSTORE;
    ctx.db
        .put_collection(&destination, places, Deadline::Clear, event);
    ctx.reply.integer(members as i64);
    Ok(Flow::Done)
}

fn show(reply: &mut Reply<'_>, found: &[Found<'_>], options: &Options<'_>) {
    let more = [
        options.with_distance,
        options.with_geohash,
        options.with_point,
    ];
    let more = more.iter().filter(|wanted| **wanted).count();
    reply.array(found.len());
    for place in found {
        if more > 0 {
            reply.array(1 + more);
        }
        elements::reply(reply, place.name);
        if options.with_distance {
            reply_distance(reply, place.distance);
        }
        if options.with_geohash {
            reply.integer(place.geohash as i64);
        }
        if options.with_point {
            reply_point(reply, place.point);
        }
    }
}

/// What was found as a sorted set of geohashes or distances.
fn to_zset(found: Vec<Found<'_>>, distances: bool, limits: &Limits) -> Zset {
    let score = |place: &Found<'_>| {
        if distances {
            place.distance
        } else {
            place.geohash
        }
    };
    let mut places: Vec<(Element<'_>, f64)> = found.iter().map(|p| (p.name, score(p))).collect();
    places.sort_by(|one, other| in_order(*one, *other));
    Zset::from_sorted(places.iter().copied(), limits)
}

fn in_order(one: (Element<'_>, f64), other: (Element<'_>, f64)) -> Ordering {
    let (mut room, mut other_room) = (Vec::new(), Vec::new());
    let name = one.0.bytes(&mut room);
    compare((one.1, name), (other.1, other.0.bytes(&mut other_room)))
}
