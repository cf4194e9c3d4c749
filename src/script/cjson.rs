//! The library `cjson` (lua-cjson 2.1.0): Lua values as JSON and back.
//!
//! A table whose keys are positive integers is an array (unless it has too many holes), any other an object; JSON's null is
//! a light userdata, `cjson.null`. Each library (`cjson.new()`) has settings of its own.

mod decode;
mod encode;

use super::arguments::{bad_argument, number, string};
use super::machine::State;
use super::reply::truncated;
use super::stack::{Native, Raise, Seen, Stack};

/// What happens to numbers that JSON has no form for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

/// A library's settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    sparse_convert: bool,
    sparse_ratio: i32,
    sparse_safe: i32,
    encode_max_depth: i32,
    decode_max_depth: i32,
    encode_invalid: Invalid,
    decode_invalid: bool,
    keep_buffer: bool,
    precision: i32,
    array_metatable: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_max_depth: 1_000,
            decode_max_depth: 1_000,
            encode_invalid: Invalid::Refused,
            decode_invalid: true,
            keep_buffer: true,
            precision: 14,
            array_metatable: false,
        }
    }
}

/// The depth at which it ends whatever a script chooses: each level takes stack.
const DEPTH_MAX: i32 = 1_000;

/// Libraries in one Lua state.
const LIBRARIES_MAX: usize = 1 << 16;

const FUNCTIONS: &[(&str, Native)] = &[
    ("encode", encode),
    ("decode", decode),
    ("encode_sparse_array", encode_sparse_array),
    ("encode_max_depth", encode_max_depth),
    ("decode_max_depth", decode_max_depth),
    ("encode_number_precision", encode_number_precision),
    ("encode_keep_buffer", encode_keep_buffer),
    ("encode_invalid_numbers", encode_invalid_numbers),
    ("decode_invalid_numbers", decode_invalid_numbers),
    ("decode_array_with_array_mt", decode_array_with_array_mt),
    ("new", new),
];

/// Pushes a library with the default settings; its functions find them by the number of the library.
pub(super) fn push_library(stack: &mut Stack, state: &State) {
    let id = {
        let mut libraries = state.cjson_settings.borrow_mut();
        libraries.push(Settings::default());
        libraries.len() - 1
    };
    let table = stack.push_table(0, FUNCTIONS.len() + 3);
    for (name, native) in FUNCTIONS {
        stack.push_native(state, *native, id);
        stack.set(table, name);
    }
    stack.push_null();
    stack.set(table, "null");
    for (name, text) in [("_NAME", "cjson"), ("_VERSION", "2.1.0")] {
        stack.push_text(text.as_bytes());
        stack.set(table, name);
    }
}

fn new(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    if state.cjson_settings.borrow().len() >= LIBRARIES_MAX {
        return Err("too many libraries".to_owned().into());
    }
    stack.clear();
    push_library(stack, state);
    Ok(1)
}

/// The settings of the library whose function runs.
fn settings_of(stack: &Stack, state: &State) -> Settings {
    let libraries = state.cjson_settings.borrow();
    libraries.get(stack.id()).copied().unwrap_or_default()
}

fn set_settings(stack: &Stack, state: &State, settings: Settings) {
    let mut libraries = state.cjson_settings.borrow_mut();
    if let Some(known) = libraries.get_mut(stack.id()) {
        *known = settings;
    }
}

fn check_only_argument(stack: &Stack, name: &str) -> Result<(), String> {
    match stack.top() {
        1 => Ok(()),
        _ => Err(bad_argument(1, name, "expected 1 argument")),
    }
}

fn encode(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    check_only_argument(stack, "encode")?;
    let settings = settings_of(stack, state);
    let bytes = encode::encode(settings, state, stack)?;
    stack.clear();
    stack.push_text(&bytes);
    Ok(1)
}

fn decode(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    check_only_argument(stack, "decode")?;
    let settings = settings_of(stack, state);
    let text = string(stack, 1, "decode")?.to_vec();
    stack.clear();
    decode::decode(settings, stack, &text)?;
    Ok(1)
}

fn at_most(stack: &Stack, count: i32, name: &str) -> Result<(), String> {
    if stack.top() > count {
        return Err(bad_argument(count + 1, name, "found too many arguments"));
    }
    Ok(())
}

/// Sets an integer if argument `at` gives one.
fn set_integer(
    stack: &Stack,
    at: i32,
    name: &str,
    range: (i32, i32),
    setting: &mut i32,
) -> Result<(), String> {
    if matches!(stack.seen(at), Seen::Missing | Seen::Nil) {
        return Ok(());
    }
    let value = truncated(number(stack, at, name)?);
    let (low, high) = range;
    if value < i64::from(low) || value > i64::from(high) {
        let what = format!("expected integer between {low} and {high}");
        return Err(bad_argument(at, name, &what));
    }
    *setting = value as i32;
    Ok(())
}

/// Reads `on`, `off`, a boolean or one more word; `None`: nothing is given.
fn choice(stack: &Stack, name: &str, other: Option<&str>) -> Result<Option<Invalid>, String> {
    let given = match stack.seen(1) {
        Seen::Missing | Seen::Nil => return Ok(None),
        Seen::Boolean(true) => return Ok(Some(Invalid::Written)),
        Seen::Boolean(false) => return Ok(Some(Invalid::Refused)),
        Seen::Text(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    };
    match given.as_str() {
        "on" => Ok(Some(Invalid::Written)),
        "off" => Ok(Some(Invalid::Refused)),
        word if Some(word) == other => Ok(Some(Invalid::Null)),
        word => Err(bad_argument(1, name, &format!("invalid option '{word}'"))),
    }
}

fn encode_sparse_array(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    const NAME: &str = "encode_sparse_array";
    at_most(stack, 3, NAME)?;
    let mut settings = settings_of(stack, state);
    if let Some(choice) = choice(stack, NAME, None)? {
        settings.sparse_convert = choice == Invalid::Written;
    }
    let range = (0, i32::MAX);
    set_integer(stack, 2, NAME, range, &mut settings.sparse_ratio)?;
    set_integer(stack, 3, NAME, range, &mut settings.sparse_safe)?;
    set_settings(stack, state, settings);
    stack.push_boolean(settings.sparse_convert);
    stack.push_number(f64::from(settings.sparse_ratio));
    stack.push_number(f64::from(settings.sparse_safe));
    Ok(3)
}

/// A function that sets one integer and returns it.
fn integer_setting(
    stack: &mut Stack,
    state: &State,
    name: &str,
    range: (i32, i32),
    field: fn(&mut Settings) -> &mut i32,
) -> Result<i32, Raise> {
    at_most(stack, 1, name)?;
    let mut settings = settings_of(stack, state);
    set_integer(stack, 1, name, range, field(&mut settings))?;
    set_settings(stack, state, settings);
    stack.push_number(f64::from(*field(&mut settings)));
    Ok(1)
}

fn encode_max_depth(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let range = (1, i32::MAX);
    integer_setting(stack, state, "encode_max_depth", range, |settings| {
        &mut settings.encode_max_depth
    })
}

fn decode_max_depth(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let range = (1, i32::MAX);
    integer_setting(stack, state, "decode_max_depth", range, |settings| {
        &mut settings.decode_max_depth
    })
}

fn encode_number_precision(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let name = "encode_number_precision";
    integer_setting(stack, state, name, (1, 14), |settings| {
        &mut settings.precision
    })
}

/// A function that sets one switch and returns it.
fn switch(
    stack: &mut Stack,
    state: &State,
    name: &str,
    field: fn(&mut Settings) -> &mut bool,
) -> Result<i32, Raise> {
    at_most(stack, 1, name)?;
    let mut settings = settings_of(stack, state);
    if let Some(choice) = choice(stack, name, None)? {
        *field(&mut settings) = choice == Invalid::Written;
    }
    set_settings(stack, state, settings);
    stack.push_boolean(*field(&mut settings));
    Ok(1)
}

fn encode_keep_buffer(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    switch(stack, state, "encode_keep_buffer", |settings| {
        &mut settings.keep_buffer
    })
}

fn decode_invalid_numbers(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    switch(stack, state, "decode_invalid_numbers", |settings| {
        &mut settings.decode_invalid
    })
}

fn decode_array_with_array_mt(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    switch(stack, state, "decode_array_with_array_mt", |settings| {
        &mut settings.array_metatable
    })
}

fn encode_invalid_numbers(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    const NAME: &str = "encode_invalid_numbers";
    at_most(stack, 1, NAME)?;
    let mut settings = settings_of(stack, state);
    if let Some(choice) = choice(stack, NAME, Some("null"))? {
        settings.encode_invalid = choice;
    }
    set_settings(stack, state, settings);
    match settings.encode_invalid {
        Invalid::Refused => stack.push_boolean(false),
        Invalid::Written => stack.push_boolean(true),
        Invalid::Null => stack.push_text(b"null"),
    }
    Ok(1)
}
