//! When two replies are the same.

use super::grammar::Comparison;
use oxidis::base::number;
use oxidis::resp::value::Value;

/// How far numbers that depend on time may be apart.
const NEARBY: i64 = 2000;
/// Up to so many digits there is one shortest spelling of a double, which all algorithms find.
const DOUBLE_DIGITS_SURE: usize = 15;
/// Valkey writes 17 decimals of a coordinate, which are not all there is of small ones.
const COORDINATE_CUT: f64 = 1e-17;

/// Whether replies to one command are equal as far as they must be; `texts`: those of errors too.
pub fn equal(ours: &Value, theirs: &Value, comparison: Comparison, texts: bool) -> bool {
    if let (Value::Error(ours), Value::Error(theirs)) = (ours, theirs) {
        return if texts {
            ours == theirs
        } else {
            code(ours) == code(theirs)
        };
    }
    match comparison {
        Comparison::Equal => same(ours, theirs),
        Comparison::AnyOrder => sorted(ours, 1) == sorted(theirs, 1),
        Comparison::AnyOrderOfPairs => sorted(ours, 2) == sorted(theirs, 2),
        Comparison::Shape => shape(ours) == shape(theirs),
        Comparison::NearbyNumbers => near(ours, theirs),
    }
}

fn code(error: &[u8]) -> &[u8] {
    error.split(|byte| *byte == b' ').next().unwrap_or_default()
}

/// A hash that has had fields with deadlines goes on being called `listpackex` by Redis when they are gone.
fn is_listpack(value: &Value) -> bool {
    matches!(value, Value::Bulk(name) if name == b"listpack" || name == b"listpackex")
}

/// Equal, and a not-a-number equals itself.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
        }
        (Value::Bulk(a), Value::Bulk(b)) if a != b => {
            is_listpack(ours) && is_listpack(theirs) || same_double(a, b)
        }
        (Value::Double(ours), Value::Double(theirs)) if close(*ours, *theirs) => true,
        _ => ours == theirs || format!("{ours:?}") == format!("{theirs:?}"),
    }
}

/// Two spellings of one double: the algorithm of Redis misses the shortest of them in one case of some thousands.
fn same_double(ours: &[u8], theirs: &[u8]) -> bool {
    let is_long = ours.len().max(theirs.len()) > DOUBLE_DIGITS_SURE;
    let is_integer = |text: &[u8]| number::parse_i64(text).is_some();
    let double = |text: &[u8]| number::parse_f64(text);
    // A packed sorted set keeps no sign of zero, a large one does; in Redis too.
    let is_zero = |text: &[u8]| text == b"0" || text == b"-0";
    if is_zero(ours) && is_zero(theirs) {
        return true;
    }
    let both = double(ours).zip(double(theirs));
    is_long && !is_integer(ours) && !is_integer(theirs) && both.is_some_and(|(a, b)| close(a, b))
}

/// Equal, but for the digits that Valkey cuts off coordinates.
fn close(ours: f64, theirs: f64) -> bool {
    ours == theirs || (ours - theirs).abs() <= COORDINATE_CUT
}

/// The elements in groups of `group`, sorted by their looks.
fn sorted(value: &Value, group: usize) -> Vec<String> {
    let mut parts: Vec<String> = match value {
        Value::Array(elements) | Value::Set(elements) => elements
            .chunks(group)
            .map(|chunk| format!("{chunk:?}"))
            .collect(),
        Value::Map(pairs) => pairs.iter().map(|pair| format!("{pair:?}")).collect(),
        other => vec![format!("{other:?}")],
    };
    parts.sort();
    parts
}

/// What is left of a reply without its content.
fn shape(value: &Value) -> String {
    match value {
        Value::Array(elements) => format!("array of {}", elements.len()),
        Value::Map(pairs) => format!("map of {}", pairs.len()),
        Value::Set(elements) => format!("set of {}", elements.len()),
        Value::Bulk(_) => "bulk".to_string(),
        other => format!("{other:?}"),
    }
}

fn near(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Integer(ours), Value::Integer(theirs)) => ours.abs_diff(*theirs) <= NEARBY as u64,
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| near(a, b))
        }
        (Value::Map(ours), Value::Map(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(a, b)| near(&a.0, &b.0) && near(&a.1, &b.1))
        }
        (ours, theirs) => same(ours, theirs),
    }
}
