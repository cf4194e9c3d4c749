//! Places on the globe as numbers of 52 bits, and areas of it as ranges of such numbers.
//!
//! ```text
//! geohash   [ longitude 26 bits | latitude 26 bits ], bit by bit in turn, the longitude's first
//! longitude -180 to 180 degrees, latitude -85.05112878 to 85.05112878 (what the web's Mercator maps show), each cut into
//!           2^26 equal steps
//! ```
//! A geohash is an integer that a double holds exactly: places are members of sorted sets, and places that are near one
//! another mostly have near scores. The prefix of a geohash is a cell that holds all places with that prefix: a range of
//! scores. An area is covered by the cell around its centre, of about its size, and the eight around that.
//!
//! Distances are those on a sphere of the radius [`EARTH_RADIUS_M`] (haversine). Every constant and every order of
//! operations is that of Redis: scores, distances and coordinates agree to the last bit.

use std::ops::Range;

/// The latest latitude that can be told, in degrees.
pub const LATITUDE_MAX: f64 = 85.05112878;
/// The latest longitude, in degrees.
pub const LONGITUDE_MAX: f64 = 180.0;
/// The radius of the sphere that distances are measured on.
pub const EARTH_RADIUS_M: f64 = 6_372_797.560856;
/// Half of the circumference on Mercator maps.
const MERCATOR_MAX_M: f64 = 20_037_726.37;
/// Steps of a full geohash: bits of each coordinate.
const STEPS_MAX: u32 = 26;
/// Characters of a geohash's text.
pub const TEXT_BYTES: usize = 11;
/// The digits of such a text.
const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// Radians of a degree.
const DEGREE: f64 = std::f64::consts::PI / 180.0;
/// By how much a first guess at a distance must exceed the limit to count as exact.
const GUESS_MARGIN: f64 = 1.0 + 1e-9;

/// A place, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

impl Point {
    /// The place, if it has a geohash.
    pub fn new(longitude: f64, latitude: f64) -> Option<Self> {
        let is_inside = (-LONGITUDE_MAX..=LONGITUDE_MAX).contains(&longitude)
            && (-LATITUDE_MAX..=LATITUDE_MAX).contains(&latitude);
        is_inside.then_some(Self {
            longitude,
            latitude,
        })
    }

    /// Its geohash.
    pub fn encode(self) -> u64 {
        Cell::around(self, STEPS_MAX).bits()
    }

    /// The middle of the places with this geohash.
    #[inline]
    pub fn decode(geohash: u64) -> Self {
        let (latitude, longitude) = Cell::of_bits(geohash, STEPS_MAX).spans();
        let middle = |(low, high): (f64, f64), max: f64| ((low + high) / 2.0).clamp(-max, max);
        Self {
            longitude: middle(longitude, LONGITUDE_MAX),
            latitude: middle(latitude, LATITUDE_MAX),
        }
    }

    /// The geohash as other systems write it: on latitudes of -90 to 90 degrees, in 11 characters, the last of which
    /// tells nothing.
    pub fn text(self) -> [u8; TEXT_BYTES] {
        let longitude = step_of(self.longitude, LONGITUDE_MAX, STEPS_MAX);
        let latitude = step_of(self.latitude, 90.0, STEPS_MAX);
        let bits = interleave(latitude, longitude);
        let mut text = [b'0'; TEXT_BYTES];
        for (place, character) in text.iter_mut().take(TEXT_BYTES - 1).enumerate() {
            let digit = bits >> (2 * STEPS_MAX as usize - 5 * (place + 1)) & 31;
            *character = ALPHABET[digit as usize];
        }
        text
    }

    /// How far another place is, in metres.
    pub fn distance_m(self, other: Point) -> f64 {
        let v = ((other.longitude * DEGREE - self.longitude * DEGREE) / 2.0).sin();
        if v == 0.0 {
            return latitude_distance_m(self.latitude, other.latitude);
        }
        let (one, two) = (self.latitude * DEGREE, other.latitude * DEGREE);
        let u = ((two - one) / 2.0).sin();
        let a = u * u + one.cos() * two.cos() * v * v;
        // Rounding may take it just above 1 for places on opposite sides.
        2.0 * EARTH_RADIUS_M * a.sqrt().min(1.0).asin()
    }
}

/// How far two latitudes are from one another, in metres.
fn latitude_distance_m(one: f64, other: f64) -> f64 {
    EARTH_RADIUS_M * (other * DEGREE - one * DEGREE).abs()
}

/// In which of `2^steps` steps from `-max` to `max` a coordinate lies; `max` itself lies behind the last.
fn step_of(coordinate: f64, max: f64, steps: u32) -> u32 {
    let part = (coordinate - -max) / (max - -max);
    (part * (1u64 << steps) as f64) as u32
}

/// The bits of two numbers in turn, those of `even` at the even places.
fn interleave(even: u32, odd: u32) -> u64 {
    spread(even) | spread(odd) << 1
}

/// Puts a zero before each bit.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

/// The bits at the even places.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

/// All places whose geohashes begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    latitude: u32,
    longitude: u32,
    steps: u32,
}

impl Cell {
    fn around(point: Point, steps: u32) -> Self {
        Self {
            latitude: step_of(point.latitude, LATITUDE_MAX, steps),
            longitude: step_of(point.longitude, LONGITUDE_MAX, steps),
            steps,
        }
    }

    fn of_bits(bits: u64, steps: u32) -> Self {
        Self {
            latitude: gather(bits),
            longitude: gather(bits >> 1),
            steps,
        }
    }

    fn bits(self) -> u64 {
        interleave(self.latitude, self.longitude)
    }

    /// From which latitude to which, and the same of longitudes, in degrees.
    #[inline]
    fn spans(self) -> ((f64, f64), (f64, f64)) {
        let count = (1u64 << self.steps) as f64;
        let span = |step: u32, max: f64| {
            let scale = max - -max;
            let edge = |step: f64| -max + (step / count) * scale;
            (edge(f64::from(step)), edge(f64::from(step) + 1.0))
        };
        (
            span(self.latitude, LATITUDE_MAX),
            span(self.longitude, LONGITUDE_MAX),
        )
    }

    /// The cell so many to the north and to the east, around the globe if need be.
    fn neighbour(self, north: i32, east: i32) -> Self {
        let mask = (1u32 << self.steps) - 1;
        // The very last coordinates have a step of their own, behind all others.
        let moved = |step: u32, by: i32| match by {
            0 => step,
            _ => step.wrapping_add_signed(by) & mask,
        };
        Self {
            latitude: moved(self.latitude, north),
            longitude: moved(self.longitude, east),
            steps: self.steps,
        }
    }

    /// The geohashes in it.
    fn geohashes(self) -> Range<u64> {
        let below = 2 * (STEPS_MAX - self.steps);
        let bits = self.bits();
        bits << below..(bits + 1) << below
    }
}

/// What an area looks like around its centre.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// All places not farther away.
    Circle {
        /// In metres.
        radius_m: f64,
    },
    /// A box along the meridians.
    Box {
        /// From west to east, in metres.
        width_m: f64,
        /// From south to north, in metres.
        height_m: f64,
    },
    /// A polygon of straight lines on the map.
    Polygon {
        /// Its corners, three at least, in order.
        vertices: Vec<Point>,
    },
}

/// A part of the globe.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// Where distances are measured from.
    pub center: Point,
    /// What lies around it.
    pub shape: Shape,
}

/// The outermost coordinates of an area, in degrees.
struct Bounds {
    west: f64,
    east: f64,
    south: f64,
    north: f64,
}

impl Area {
    /// A polygon around the middle of its corners: where the mean of the corners, as points of space, points to.
    pub fn polygon(vertices: Vec<Point>) -> Self {
        let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
        for vertex in &vertices {
            let (longitude, latitude) = (vertex.longitude * DEGREE, vertex.latitude * DEGREE);
            x += latitude.cos() * longitude.cos();
            y += latitude.cos() * longitude.sin();
            z += latitude.sin();
        }
        let center = Point {
            longitude: y.atan2(x) / DEGREE,
            latitude: z.atan2((x * x + y * y).sqrt()) / DEGREE,
        };
        Self {
            center,
            shape: Shape::Polygon { vertices },
        }
    }

    /// How far a place of the area is from its centre, in metres; `None` if it lies outside.
    #[inline]
    pub fn distance_within_m(&self, point: Point) -> Option<f64> {
        let center = self.center;
        match &self.shape {
            Shape::Circle { radius_m } => {
                // What is too far away by its latitude alone needs no trigonometry.
                let least = latitude_distance_m(center.latitude, point.latitude);
                if least > radius_m * GUESS_MARGIN {
                    return None;
                }
                let distance_m = center.distance_m(point);
                (distance_m <= *radius_m).then_some(distance_m)
            }
            Shape::Box { width_m, height_m } => {
                if latitude_distance_m(point.latitude, center.latitude) > height_m / 2.0 {
                    return None;
                }
                let beside = Point {
                    longitude: center.longitude,
                    latitude: point.latitude,
                };
                if point.distance_m(beside) > width_m / 2.0 {
                    return None;
                }
                Some(center.distance_m(point))
            }
            Shape::Polygon { vertices } => {
                is_inside(vertices, point).then(|| center.distance_m(point))
            }
        }
    }

    fn bounds(&self) -> Bounds {
        let (half_width_m, half_height_m) = match &self.shape {
            Shape::Circle { radius_m } => (*radius_m, *radius_m),
            Shape::Box { width_m, height_m } => (width_m / 2.0, height_m / 2.0),
            Shape::Polygon { vertices } => return bounds_of(vertices),
        };
        let Point {
            longitude,
            latitude,
        } = self.center;
        let height = half_height_m / EARTH_RADIUS_M / DEGREE;
        // Meridians lie closest at the end that is farther from the equator.
        let outer = if latitude < 0.0 {
            latitude - height
        } else {
            latitude + height
        };
        let width = half_width_m / EARTH_RADIUS_M / (outer * DEGREE).cos() / DEGREE;
        Bounds {
            west: longitude - width,
            east: longitude + width,
            south: latitude - height,
            north: latitude + height,
        }
    }

    /// The radius of a circle around the centre that holds all, in metres.
    fn radius_m(&self) -> f64 {
        match &self.shape {
            Shape::Circle { radius_m } => *radius_m,
            Shape::Box { width_m, height_m } => {
                ((width_m / 2.0) * (width_m / 2.0) + (height_m / 2.0) * (height_m / 2.0)).sqrt()
            }
            Shape::Polygon { vertices } => vertices
                .iter()
                .map(|vertex| self.center.distance_m(*vertex))
                .fold(0.0, f64::max),
        }
    }

    /// Ranges of geohashes that hold all places of the area, in the order in which they are searched: the cell of the
    /// centre and those around it that the area reaches into. They do not overlap.
    pub fn geohashes(&self) -> Vec<Range<u64>> {
        let bounds = self.bounds();
        let mut steps = steps_for(self.radius_m(), self.center.latitude);
        let mut home = Cell::around(self.center, steps);
        if steps > 1 && !reaches(home, &bounds) {
            steps -= 1;
            home = Cell::around(self.center, steps);
        }
        let (latitude, longitude) = home.spans();
        // A cell so large that few are left is searched with all of them.
        let all = steps < 2;
        let south = all || latitude.0 >= bounds.south;
        let north = all || latitude.1 <= bounds.north;
        let west = all || longitude.0 >= bounds.west;
        let east = all || longitude.1 <= bounds.east;
        let cells = [
            (true, home),
            (north, home.neighbour(1, 0)),
            (south, home.neighbour(-1, 0)),
            (east, home.neighbour(0, 1)),
            (west, home.neighbour(0, -1)),
            (north && east, home.neighbour(1, 1)),
            (north && west, home.neighbour(1, -1)),
            (south && east, home.neighbour(-1, 1)),
            (south && west, home.neighbour(-1, -1)),
        ];
        let mut ranges: Vec<Range<u64>> = Vec::with_capacity(cells.len());
        for (is_needed, cell) in cells {
            // Around the globe the same cell may be a neighbour twice.
            let range = cell.geohashes();
            if is_needed && !ranges.contains(&range) {
                ranges.push(range);
            }
        }
        ranges
    }
}

/// Whether the cell and its neighbours reach beyond the bounds on every side.
fn reaches(home: Cell, bounds: &Bounds) -> bool {
    let (north, _) = home.neighbour(1, 0).spans();
    let (south, _) = home.neighbour(-1, 0).spans();
    let (_, east) = home.neighbour(0, 1).spans();
    let (_, west) = home.neighbour(0, -1).spans();
    north.1 >= bounds.north
        && south.0 <= bounds.south
        && east.1 >= bounds.east
        && west.0 <= bounds.west
}

/// How fine the cells must be so that nine of them cover a circle. Towards the poles they are narrower.
fn steps_for(radius_m: f64, latitude: f64) -> u32 {
    const POLAR: f64 = 66.0;
    const NEAR_POLE: f64 = 80.0;
    if radius_m == 0.0 {
        return STEPS_MAX;
    }
    let (mut range_m, mut steps) = (radius_m, 1i32);
    while range_m < MERCATOR_MAX_M {
        range_m *= 2.0;
        steps += 1;
    }
    // The cell must be as large as the circle wherever the centre is in it.
    steps -= 2;
    steps -= i32::from(latitude.abs() > POLAR) + i32::from(latitude.abs() > NEAR_POLE);
    steps.clamp(1, STEPS_MAX as i32) as u32
}

fn bounds_of(vertices: &[Point]) -> Bounds {
    let start = Bounds {
        west: f64::INFINITY,
        east: f64::NEG_INFINITY,
        south: f64::INFINITY,
        north: f64::NEG_INFINITY,
    };
    vertices.iter().fold(start, |bounds, point| Bounds {
        west: bounds.west.min(point.longitude),
        east: bounds.east.max(point.longitude),
        south: bounds.south.min(point.latitude),
        north: bounds.north.max(point.latitude),
    })
}

/// Whether a ray from the place to the west crosses the polygon's lines an odd number of times.
fn is_inside(vertices: &[Point], point: Point) -> bool {
    let following = vertices.iter().cycle().skip(1);
    let crossings = vertices.iter().zip(following).filter(|(one, other)| {
        let spans = (one.latitude > point.latitude) != (other.latitude > point.latitude);
        let part = (point.latitude - one.latitude) / (other.latitude - one.latitude);
        let crossing = one.longitude + (other.longitude - one.longitude) * part;
        spans && point.longitude < crossing
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    const PALERMO: Point = Point {
        longitude: 13.361389,
        latitude: 38.115556,
    };
    const CATANIA: Point = Point {
        longitude: 15.087269,
        latitude: 37.502669,
    };

    #[test]
    fn places_have_the_geohashes_and_distances_that_the_documentation_shows() {
        assert_eq!(PALERMO.encode(), 3_479_099_956_230_698);
        assert_eq!(CATANIA.encode(), 3_479_447_370_796_909);
        let (palermo, catania) = (
            Point::decode(PALERMO.encode()),
            Point::decode(CATANIA.encode()),
        );
        assert_eq!(palermo.longitude, 13.361389338970184);
        assert_eq!(palermo.latitude, 38.1155563954963);
        assert_eq!(&palermo.text(), b"sqc8b49rny0");
        assert_eq!(&catania.text(), b"sqdtr74hyu0");
        assert_eq!(format!("{:.4}", palermo.distance_m(catania)), "166274.1516");
        assert_eq!(palermo.distance_m(palermo), 0.0);
    }

    #[test]
    fn bits_in_turn_come_apart_again() {
        for (even, odd) in [
            (0, 0),
            (1, 0),
            (0, 1),
            (0x03ff_ffff, 5),
            (12_345, 67_890_123),
        ] {
            let bits = interleave(even, odd);
            assert_eq!((gather(bits), gather(bits >> 1)), (even, odd));
        }
        assert_eq!(interleave(0b11, 0b01), 0b0111);
    }

    #[test]
    fn only_what_the_map_shows_has_a_geohash() {
        assert!(Point::new(180.0, 85.05112878).is_some());
        assert!(Point::new(180.1, 0.0).is_none() && Point::new(0.0, -85.1).is_none());
        assert!(Point::new(f64::NAN, 0.0).is_none());
    }

    /// Places, half of them near `near`.
    fn some_point(random: &mut Random, near: Point, degrees: f64) -> Point {
        let part = |random: &mut Random| random.below(1 << 30) as f64 / (1 << 29) as f64 - 1.0;
        let (x, y) = (part(random), part(random));
        let far = Point::new(x * LONGITUDE_MAX, y * LATITUDE_MAX);
        let close = Point::new(near.longitude + x * degrees, near.latitude + y * degrees);
        match close {
            Some(close) if random.below(2) == 0 => close,
            _ => far.expect("both parts are at most 1"),
        }
    }

    #[test]
    fn model_the_ranges_of_an_area_hold_all_of_its_places() {
        let mut random = Random::from_seed(7);
        let (mut inside, mut outside) = (0, 0);
        for _ in 0..400 {
            let center = some_point(&mut random, CATANIA, 50.0);
            let size_m = 10f64.powi(random.below(7) as i32);
            // Where the globe is cut, areas are not followed to the other side.
            if center.longitude.abs() + size_m / 20_000.0 > 170.0 || center.latitude.abs() > 80.0 {
                continue;
            }
            let shape = match random.below(2) {
                0 => Shape::Circle { radius_m: size_m },
                _ => Shape::Box {
                    width_m: size_m,
                    height_m: size_m / 3.0,
                },
            };
            let area = Area { center, shape };
            let ranges = area.geohashes();
            for _ in 0..100 {
                let point = some_point(&mut random, center, size_m / 100_000.0);
                let geohash = point.encode();
                let point = Point::decode(geohash);
                if area.distance_within_m(point).is_some() && size_m < 1e6 {
                    let holding = ranges.iter().filter(|range| range.contains(&geohash));
                    assert_eq!(holding.count(), 1, "{area:?} {point:?}");
                    inside += 1;
                } else {
                    outside += 1;
                }
            }
        }
        assert!(inside > 1000 && outside > 1000, "{inside} {outside}");
    }

    #[test]
    fn a_polygon_holds_what_lies_between_its_lines() {
        let corners = [(13.0, 37.0), (16.0, 37.0), (15.0, 39.0)];
        let vertices = corners.map(|(longitude, latitude)| Point {
            longitude,
            latitude,
        });
        let area = Area::polygon(vertices.to_vec());
        assert!(area.distance_within_m(CATANIA).is_some());
        assert!(area.distance_within_m(PALERMO).is_none());
        let ranges = area.geohashes();
        assert!(ranges.iter().any(|range| range.contains(&CATANIA.encode())));
    }
}
