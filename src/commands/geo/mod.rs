//! Places: members of sorted sets whose scores are geohashes ([`crate::types::geohash`]).
//!
//! `add` has GEOADD, `read` what is asked about single places, `search` what lies in an area.

mod add;
mod read;
mod search;

use crate::command::row::{Begin, Find, Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Error};
use crate::resp::reply::Reply;
use crate::types::geohash::Point;
use crate::types::zset::ZsetRef;

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const RADIUS_KEYS: &[KeySpec] = &[
    KeySpec::one(1, key_flag::RO | key_flag::ACCESS),
    after("STORE", 6),
    after("STOREDIST", 6),
];
const BYMEMBER_KEYS: &[KeySpec] = &[
    KeySpec::one(1, key_flag::RO | key_flag::ACCESS),
    after("STORE", 5),
    after("STOREDIST", 5),
];

/// The key behind an option that stands at or behind word `start`.
const fn after(keyword: &'static str, start: i32) -> KeySpec {
    KeySpec {
        begin: Begin::Keyword(keyword, start),
        find: Find::Range {
            last: 0,
            step: 1,
            limit: 0,
        },
        flags: key_flag::OW | key_flag::UPDATE,
        notes: "",
    }
}

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("geoadd", Group::Geo, -5, add::geoadd)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)])
        .acl(acl::GEO)
        .about("3.2.0", "O(log(N)) for each item added, where N is the number of elements in the sorted set.", "Adds places to a geospatial index, or moves them.")
        .history(&[("6.2.0", "Added the `CH`, `NX` and `XX` options.")])
        .syntax("key [condition:( NX | XX )^6.2.0] [change:CH^6.2.0] data:( longitude:double latitude:double member )..."),
    Row::new("geodist", Group::Geo, -4, read::geodist)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::GEO)
        .about("3.2.0", "O(1)", "Returns how far two places are from one another.")
        .syntax("key member1 member2 [unit:( M | KM | FT | MI )]"),
    Row::new("geohash", Group::Geo, -2, read::geohash)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::GEO)
        .about("3.2.0", "O(1) for each member requested.", "Returns the geohash strings of places.")
        .syntax("key [member...]"),
    Row::new("geopos", Group::Geo, -2, read::geopos)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::GEO)
        .about("3.2.0", "O(1) for each member requested.", "Returns the longitudes and latitudes of places.")
        .syntax("key [member...]"),
    Row::new("georadius", Group::Geo, -6, search::georadius)
        .flags(flag::WRITE | flag::DENYOOM | flag::MOVABLEKEYS)
        .keys(RADIUS_KEYS)
        .acl(acl::GEO)
        .about("3.2.0", "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.", "Finds the places within a distance of a point, and stores them if wanted.")
        .history(&[("6.2.0", "Added the `ANY` option for `COUNT`."), ("7.0.0", "Added support for uppercase unit names.")])
        .syntax("key longitude:double latitude:double radius:double unit:( M | KM | FT | MI ) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:( COUNT count:integer [ANY^6.2.0] )] [order:( ASC | DESC )] [store:( STORE storekey=\"key\":key@1 | STOREDIST storedistkey=\"key\":key@2 )]")
        .deprecated("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"),
    Row::new("georadius_ro", Group::Geo, -6, search::georadius_ro)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::GEO)
        .about("3.2.10", "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.", "Finds the places within a distance of a point.")
        .history(&[("6.2.0", "Added the `ANY` option for `COUNT`."), ("7.0.0", "Added support for uppercase unit names.")])
        .syntax("key longitude:double latitude:double radius:double unit:( M | KM | FT | MI ) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:( COUNT count:integer [ANY^6.2.0] )] [order:( ASC | DESC )]")
        .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument"),
    Row::new("georadiusbymember", Group::Geo, -5, search::georadiusbymember)
        .flags(flag::WRITE | flag::DENYOOM | flag::MOVABLEKEYS)
        .keys(BYMEMBER_KEYS)
        .acl(acl::GEO)
        .about("3.2.0", "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.", "Finds the places within a distance of another place, and stores them if wanted.")
        .history(&[("6.2.0", "Added the `ANY` option for `COUNT`."), ("7.0.0", "Added support for uppercase unit names.")])
        .syntax("key member radius:double unit:( M | KM | FT | MI ) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:( COUNT count:integer [ANY] )] [order:( ASC | DESC )] [store:( STORE storekey=\"key\":key@1 | STOREDIST storedistkey=\"key\":key@2 )]")
        .deprecated("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"),
    Row::new("georadiusbymember_ro", Group::Geo, -5, search::georadiusbymember_ro)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::GEO)
        .about("3.2.10", "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.", "Finds the places within a distance of another place.")
        .history(&[("6.2.0", "Added the `ANY` option for `COUNT`."), ("7.0.0", "Added support for uppercase unit names.")])
        .syntax("key member radius:double unit:( M | KM | FT | MI ) [WITHCOORD] [WITHDIST] [WITHHASH] [count-block:( COUNT count:integer [ANY] )] [order:( ASC | DESC )]")
        .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
    Row::new("geosearch", Group::Geo, -7, search::geosearch)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::GEO)
        .about("6.2.0", "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape", "Finds the places inside a circle, a box or a polygon.")
        .history(&[("9.0.0", "Added support for the `BYPOLYGON` option."), ("7.0.0", "Added support for uppercase unit names.")])
        .syntax("key [from:( FROMMEMBER member | FROMLONLAT fromlonlat:( longitude:double latitude:double ) )] by:( circle:( BYRADIUS radius:double unit:( M | KM | FT | MI ) ) | box:( BYBOX width:double height:double unit:( M | KM | FT | MI ) ) | polygon:( BYPOLYGON num-vertices:integer vertices:( longitude:double latitude:double )... )^9.0.0 ) [order:( ASC | DESC )] [count-block:( COUNT count:integer [ANY] )] [WITHCOORD] [WITHDIST] [WITHHASH]"),
    Row::new("geosearchstore", Group::Geo, -8, search::geosearchstore)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::one(1, key_flag::OW | key_flag::UPDATE), KeySpec::one(2, key_flag::RO | key_flag::ACCESS)])
        .acl(acl::GEO)
        .about("6.2.0", "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape", "Stores the places inside a circle, a box or a polygon.")
        .history(&[("9.0.0", "Added support for the `BYPOLYGON` option."), ("7.0.0", "Added support for uppercase unit names.")])
        .syntax("destination:key source:key@1 [from:( FROMMEMBER member | FROMLONLAT fromlonlat:( longitude:double latitude:double ) )] by:( circle:( BYRADIUS radius:double unit:( M | KM | FT | MI ) ) | box:( BYBOX width:double height:double unit:( M | KM | FT | MI ) ) | polygon:( BYPOLYGON num-vertices:integer vertices:( longitude:double latitude:double )... )^9.0.0 ) [order:( ASC | DESC )] [count-block:( COUNT count:integer [ANY] )] [STOREDIST]"),
];

/// A unit of distances.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    metres: f64,
}

impl Default for Unit {
    fn default() -> Self {
        Self::METRES
    }
}

impl Unit {
    const METRES: Self = Self { metres: 1.0 };

    const KNOWN: [(&str, Self); 4] = [
        ("M", Self::METRES),
        ("KM", Self { metres: 1000.0 }),
        ("FT", Self { metres: 0.3048 }),
        ("MI", Self { metres: 1609.34 }),
    ];

    fn read(args: &mut Args<'_>) -> Result<Self, Error> {
        let found = Self::KNOWN.iter().find(|(word, _)| args.flag(word));
        found.map(|(_, unit)| *unit).ok_or(Error::Text(
            "ERR unsupported unit provided. please use M, KM, FT, MI",
        ))
    }

    fn to_metres(self, distance: f64) -> f64 {
        distance * self.metres
    }

    fn of_metres(self, distance_m: f64) -> f64 {
        distance_m / self.metres
    }
}

/// Takes a longitude and a latitude.
fn point(args: &mut Args<'_>) -> Result<Point, Error> {
    let (longitude, latitude) = (args.float()?, args.float()?);
    Point::new(longitude, latitude).ok_or_else(|| {
        Error::err(format_args!(
            "invalid longitude,latitude pair {longitude:.6},{latitude:.6}"
        ))
    })
}

/// Where a member is.
fn place_of(zset: ZsetRef<'_>, name: &[u8]) -> Option<Point> {
    zset.score(name).map(|score| Point::decode(score as u64))
}

/// Answers a distance with four decimals.
fn reply_distance(reply: &mut Reply<'_>, distance: f64) {
    reply.bulk(format!("{distance:.4}").as_bytes());
}

fn reply_point(reply: &mut Reply<'_>, point: Point) {
    reply.array(2);
    reply.double(point.longitude);
    reply.double(point.latitude);
}
