//! Arguments of the libraries' functions, with the errors that Lua's own functions raise for wrong ones.

use mlua::{Lua, LuaString, MultiValue, Value};

/// `bad argument #2 to 'name' (...)`
pub(super) fn bad_argument(at: usize, function: &str, what: &str) -> String {
    format!("bad argument #{at} to '{function}' ({what})")
}

fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None => "no value",
        Some(Value::LightUserData(_)) => "userdata",
        Some(value) => match value {
            Value::Integer(_) | Value::Number(_) => "number",
            Value::Error(_) => "userdata",
            other => other.type_name(),
        },
    }
}

/// Argument `at` (from 1 on) as a number; strings that are numbers count.
pub(super) fn number(
    lua: &Lua,
    args: &MultiValue,
    at: usize,
    function: &str,
) -> Result<f64, String> {
    let value = args.get(at - 1);
    let number = match value {
        Some(Value::Integer(number)) => Some(*number as f64),
        Some(Value::Number(number)) => Some(*number),
        Some(text @ Value::String(_)) => lua.coerce_number(text.clone()).ok().flatten(),
        _ => None,
    };
    number.ok_or_else(|| {
        let got = type_name(value);
        bad_argument(at, function, &format!("number expected, got {got}"))
    })
}

/// Argument `at` as an integer; `default` where it is missing or nil.
pub(super) fn integer_or(
    lua: &Lua,
    args: &MultiValue,
    at: usize,
    function: &str,
    default: i64,
) -> Result<i64, String> {
    match args.get(at - 1) {
        None | Some(Value::Nil) => Ok(default),
        Some(_) => number(lua, args, at, function).map(super::reply::truncated),
    }
}

/// Argument `at` as a string; numbers count.
pub(super) fn string(
    lua: &Lua,
    args: &MultiValue,
    at: usize,
    function: &str,
) -> Result<LuaString, String> {
    let value = args.get(at - 1);
    match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(number @ (Value::Integer(_) | Value::Number(_))) => {
            lua.coerce_string(number.clone()).ok().flatten()
        }
        _ => None,
    }
    .ok_or_else(|| {
        let got = type_name(value);
        bad_argument(at, function, &format!("string expected, got {got}"))
    })
}

/// An error of memory as a text that the sandbox raises.
pub(super) fn out_of_memory(_: mlua::Error) -> String {
    "not enough memory".to_owned()
}

/// One result.
pub(super) fn one(value: Value) -> MultiValue {
    MultiValue::from_iter([value])
}
