//! Arguments of the libraries' functions, with the errors that Lua's own functions raise for wrong ones.

use super::reply::truncated;
use super::stack::{Seen, View};

/// `bad argument #2 to 'name' (...)`
pub(super) fn bad_argument(at: i32, function: &str, what: &str) -> String {
    format!("bad argument #{at} to '{function}' ({what})")
}

/// Argument `at` as a number; strings that are numbers count.
pub(super) fn number(view: &View, at: i32, function: &str) -> Result<f64, String> {
    view.number(at)
        .ok_or_else(|| wrong(view, at, function, "number"))
}

/// Argument `at` as an integer; `default` where it is missing or nil.
pub(super) fn integer_or(
    view: &View,
    at: i32,
    function: &str,
    default: i64,
) -> Result<i64, String> {
    match view.seen(at) {
        Seen::Missing | Seen::Nil => Ok(default),
        _ => number(view, at, function).map(truncated),
    }
}

/// Argument `at` as a string; numbers count.
pub(super) fn string<'a>(view: &'a mut View, at: i32, function: &str) -> Result<&'a [u8], String> {
    match view.seen(at) {
        Seen::Text(_) | Seen::Number(_) => Ok(view.bytes(at).unwrap_or_default()),
        _ => Err(wrong(view, at, function, "string")),
    }
}

fn wrong(view: &View, at: i32, function: &str, expected: &str) -> String {
    let got = view.seen(at).type_name();
    bad_argument(at, function, &format!("{expected} expected, got {got}"))
}
