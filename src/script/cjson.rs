//! The library `cjson` (lua-cjson 2.1.0): Lua values as JSON and back.
//!
//! A table whose keys are positive integers is an array (unless it has too many holes), any other an object; JSON's null is
//! a light userdata, `cjson.null`. Each library (`cjson.new()`) has settings of its own.

mod decode;
mod encode;

use super::arguments::{bad_argument, number, one};
use super::bridge::finish;
use mlua::{LightUserData, Lua, MultiValue, Table, Value};
use std::cell::Cell;
use std::ptr::null_mut;
use std::rc::Rc;

/// What happens to numbers that JSON has no form for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

/// A library's settings.
#[derive(Clone, Copy, Debug)]
struct Settings {
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

/// A library and what its functions share.
struct Library {
    settings: Cell<Settings>,
    /// The metatable of arrays that were decoded, if that is asked for.
    array_metatable: Table,
}

/// JSON's null.
fn null() -> Value {
    Value::LightUserData(LightUserData(null_mut()))
}

type Outcome = Result<MultiValue, String>;
type Method = fn(&Lua, &Library, &MultiValue) -> Outcome;

const METHODS: [(&str, Method); 9] = [
    ("encode", encode),
    ("decode", decode),
    ("encode_sparse_array", encode_sparse_array),
    ("encode_max_depth", encode_max_depth),
    ("decode_max_depth", decode_max_depth),
    ("encode_number_precision", encode_number_precision),
    ("encode_keep_buffer", encode_keep_buffer),
    ("encode_invalid_numbers", encode_invalid_numbers),
    ("decode_invalid_numbers", decode_invalid_numbers),
];

/// A library with the default settings.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let array_metatable = lua.create_table()?;
    array_metatable.raw_set("__metatable", false)?;
    let library = Rc::new(Library {
        settings: Cell::default(),
        array_metatable,
    });
    let table = lua.create_table()?;
    let with_arrays: [(&str, Method); 1] =
        [("decode_array_with_array_mt", decode_array_with_array_mt)];
    for (name, method) in METHODS.into_iter().chain(with_arrays) {
        let library = Rc::clone(&library);
        let function =
            lua.create_function(move |lua, args: MultiValue| finish(method(lua, &library, &args)))?;
        table.raw_set(name, function)?;
    }
    table.raw_set("null", null())?;
    let new = lua.create_function(|lua, _: MultiValue| self::library(lua))?;
    table.raw_set("new", new)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    Ok(table)
}

fn only_argument<'a>(args: &'a MultiValue, name: &str) -> Result<&'a Value, String> {
    match args.front() {
        Some(value) if args.len() == 1 => Ok(value),
        _ => Err(bad_argument(1, name, "expected 1 argument")),
    }
}

fn encode(lua: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    let value = only_argument(args, "encode")?;
    let bytes = encode::encode(library, value)?;
    let text = lua
        .create_string(&bytes)
        .map_err(super::arguments::out_of_memory)?;
    Ok(one(Value::String(text)))
}

fn decode(lua: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    only_argument(args, "decode")?;
    let text = super::arguments::string(lua, args, 1, "decode")?;
    decode::decode(lua, library, &text.as_bytes()).map(one)
}

fn at_most(args: &MultiValue, count: usize, name: &str) -> Result<(), String> {
    if args.len() > count {
        return Err(bad_argument(count + 1, name, "found too many arguments"));
    }
    Ok(())
}

/// Sets an integer if argument `at` gives one.
fn set_integer(
    lua: &Lua,
    args: &MultiValue,
    at: usize,
    name: &str,
    range: (i32, i32),
    setting: &mut i32,
) -> Result<(), String> {
    if matches!(args.get(at - 1), None | Some(Value::Nil)) {
        return Ok(());
    }
    let value = super::reply::truncated(number(lua, args, at, name)?);
    let (low, high) = range;
    if value < i64::from(low) || value > i64::from(high) {
        let what = format!("expected integer between {low} and {high}");
        return Err(bad_argument(at, name, &what));
    }
    *setting = value as i32;
    Ok(())
}

/// Reads `on`, `off`, a boolean or one more word; `None`: nothing is given.
fn choice(
    args: &MultiValue,
    at: usize,
    name: &str,
    other: Option<&str>,
) -> Result<Option<Invalid>, String> {
    let given = match args.get(at - 1) {
        None | Some(Value::Nil) => return Ok(None),
        Some(Value::Boolean(true)) => return Ok(Some(Invalid::Written)),
        Some(Value::Boolean(false)) => return Ok(Some(Invalid::Refused)),
        Some(Value::String(text)) => text.to_string_lossy(),
        Some(_) => String::new(),
    };
    match given.as_str() {
        "on" => Ok(Some(Invalid::Written)),
        "off" => Ok(Some(Invalid::Refused)),
        word if Some(word) == other => Ok(Some(Invalid::Null)),
        word => Err(bad_argument(at, name, &format!("invalid option '{word}'"))),
    }
}

fn encode_sparse_array(lua: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    const NAME: &str = "encode_sparse_array";
    at_most(args, 3, NAME)?;
    let mut settings = library.settings.get();
    if let Some(choice) = choice(args, 1, NAME, None)? {
        settings.sparse_convert = choice == Invalid::Written;
    }
    let range = (0, i32::MAX);
    set_integer(lua, args, 2, NAME, range, &mut settings.sparse_ratio)?;
    set_integer(lua, args, 3, NAME, range, &mut settings.sparse_safe)?;
    library.settings.set(settings);
    Ok(MultiValue::from_iter([
        Value::Boolean(settings.sparse_convert),
        Value::Integer(settings.sparse_ratio as mlua::Integer),
        Value::Integer(settings.sparse_safe as mlua::Integer),
    ]))
}

/// A function that sets one integer and returns it.
fn integer_setting(
    lua: &Lua,
    library: &Library,
    args: &MultiValue,
    name: &str,
    range: (i32, i32),
    field: fn(&mut Settings) -> &mut i32,
) -> Outcome {
    at_most(args, 1, name)?;
    let mut settings = library.settings.get();
    set_integer(lua, args, 1, name, range, field(&mut settings))?;
    let value = *field(&mut settings);
    library.settings.set(settings);
    Ok(one(Value::Integer(value as mlua::Integer)))
}

fn encode_max_depth(lua: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    let range = (1, i32::MAX);
    integer_setting(lua, library, args, "encode_max_depth", range, |settings| {
        &mut settings.encode_max_depth
    })
}

fn decode_max_depth(lua: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    let range = (1, i32::MAX);
    integer_setting(lua, library, args, "decode_max_depth", range, |settings| {
        &mut settings.decode_max_depth
    })
}

fn encode_number_precision(lua: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    let name = "encode_number_precision";
    integer_setting(lua, library, args, name, (1, 14), |settings| {
        &mut settings.precision
    })
}

/// A function that sets one switch and returns it.
fn switch(
    library: &Library,
    args: &MultiValue,
    name: &str,
    field: fn(&mut Settings) -> &mut bool,
) -> Outcome {
    at_most(args, 1, name)?;
    let mut settings = library.settings.get();
    if let Some(choice) = choice(args, 1, name, None)? {
        *field(&mut settings) = choice == Invalid::Written;
    }
    let value = *field(&mut settings);
    library.settings.set(settings);
    Ok(one(Value::Boolean(value)))
}

fn encode_keep_buffer(_: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    switch(library, args, "encode_keep_buffer", |settings| {
        &mut settings.keep_buffer
    })
}

fn decode_invalid_numbers(_: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    switch(library, args, "decode_invalid_numbers", |settings| {
        &mut settings.decode_invalid
    })
}

fn decode_array_with_array_mt(_: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    switch(library, args, "decode_array_with_array_mt", |settings| {
        &mut settings.array_metatable
    })
}

fn encode_invalid_numbers(lua: &Lua, library: &Library, args: &MultiValue) -> Outcome {
    const NAME: &str = "encode_invalid_numbers";
    at_most(args, 1, NAME)?;
    let mut settings = library.settings.get();
    if let Some(choice) = choice(args, 1, NAME, Some("null"))? {
        settings.encode_invalid = choice;
    }
    library.settings.set(settings);
    Ok(one(match settings.encode_invalid {
        Invalid::Refused => Value::Boolean(false),
        Invalid::Written => Value::Boolean(true),
        Invalid::Null => {
            let word = lua.create_string("null");
            Value::String(word.map_err(super::arguments::out_of_memory)?)
        }
    }))
}
