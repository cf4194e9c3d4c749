//! The functions of the server that `sandbox.lua` wraps: `redis.*` and what the sandbox itself asks for.
//!
//! What they raise is a [`Raised`] in a userdata of mlua: Rust cannot raise a table. Scripts see nothing of it: all ways to
//! catch an error are the sandbox's, and it turns these into what Redis' own functions raise: `{err = text}`, or a text
//! that begins with its place.

use super::door::{DOOR, Manner};
use super::library::Registered;
use super::machine::{HEAP_MAX_BYTES, PATTERN_ITEMS_MAX, State, Values};
use super::prng::Prng;
use super::{bit, cjson, cmsgpack, packing, reply, shebang};
use crate::base::number::{format_f64, write_i64};
use crate::resp::reply::Protocol;
use mlua::{IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};
use sha1::{Digest, Sha1};
use std::rc::Rc;

/// The version of Redis whose interface scripts see.
const REDIS_VERSION: &str = "8.0.0";
const REDIS_VERSION_NUMBER: i64 = 0x0008_0000;
/// `redis.LOG_*`, `redis.REPL_*`.
const CONSTANTS: [(&str, i64); 10] = [
    ("LOG_DEBUG", 0),
    ("LOG_VERBOSE", 1),
    ("LOG_NOTICE", 2),
    ("LOG_WARNING", 3),
    ("REPL_NONE", 0),
    ("REPL_AOF", 1),
    ("REPL_SLAVE", 2),
    ("REPL_REPLICA", 2),
    ("REPL_ALL", 3),
    ("REDIS_VERSION_NUM", REDIS_VERSION_NUMBER),
];

const NO_COMMAND: &str = "ERR Please specify at least one argument for this redis lib call";
const NO_DOOR: &str = "ERR redis.call can only be called inside a script invocation";
const BAD_WORD: &str = "ERR Lua redis lib command arguments must be strings or integers";

/// The table that the sandbox is given.
pub(super) fn table(lua: &Lua, state: &Rc<State>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let add = |name: &str, function: fn(&Lua, &State, MultiValue) -> Values| {
        let state = Rc::clone(state);
        let function = lua.create_function(move |lua, args| function(lua, &state, args))?;
        table.raw_set(name, function)
    };
    for (name, raises) in [("call", true), ("pcall", false)] {
        let state = Rc::clone(state);
        let function = lua.create_function(move |lua, args| call(lua, &state, args, raises))?;
        table.raw_set(name, function)?;
    }
    add("log", log)?;
    add("sha1hex", sha1hex)?;
    add("setresp", set_protocol)?;
    add("set_repl", set_propagation)?;
    add("acl_check_cmd", acl_check_cmd)?;
    add("error_reply", error_reply)?;
    add("status_reply", status_reply)?;
    add("register", register)?;
    add("random", random)?;
    add("seed_random", seed_random)?;
    add("is_deep_pattern", is_deep_pattern)?;
    add("is_killed", is_killed)?;
    add("killed_text", killed_text)?;
    add("plain", plain)?;
    add("place", place)?;
    add("placed", placed)?;
    let constants = lua.create_table()?;
    for (name, value) in CONSTANTS {
        constants.raw_set(name, value)?;
    }
    constants.raw_set("REDIS_VERSION", REDIS_VERSION)?;
    table.raw_set("constants", constants)?;
    let libraries = lua.create_table()?;
    libraries.raw_set("bit", bit::library(lua)?)?;
    libraries.raw_set("cjson", cjson::library(lua)?)?;
    libraries.raw_set("cmsgpack", cmsgpack::library(lua)?)?;
    libraries.raw_set("struct", packing::library(lua)?)?;
    table.raw_set("libraries", libraries)?;
    Ok(table)
}

/// An error of a function of the server.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Raised {
    /// The text, a character for each byte.
    text: String,
    /// Whether Lua's own functions would raise it as a text that begins with its place; if not, it is a table.
    is_placed: bool,
    /// Whether it is the error of a command, which was counted when that failed.
    is_counted: bool,
}

/// An error that scripts see as `{err = text}`.
fn table_error(text: impl Into<String>) -> mlua::Error {
    mlua::Error::external(Raised {
        text: text.into(),
        is_placed: false,
        is_counted: false,
    })
}

/// An error that scripts see as a text with its place.
fn placed_error(text: String) -> mlua::Error {
    mlua::Error::external(Raised {
        text,
        is_placed: true,
        is_counted: false,
    })
}

/// `redis.call`, which raises errors, and `redis.pcall`, which returns them.
fn call(lua: &Lua, state: &State, args: MultiValue, raises: bool) -> mlua::Result<Value> {
    // See the head of `machine`: this is what keeps the steps below cheap.
    lua.set_memory_limit(0)?;
    let result = match run_command(lua, state, &args) {
        Err(Failed::Command(raised)) if !raises => error_table(lua, &raised).map(Value::Table),
        Err(Failed::Command(raised)) => Err(mlua::Error::external(raised)),
        Err(Failed::Lua(error)) => Err(error),
        Ok(value) => Ok(value),
    };
    let within = lua.used_memory() <= HEAP_MAX_BYTES;
    lua.set_memory_limit(HEAP_MAX_BYTES)?;
    if !within {
        return Err(mlua::Error::MemoryError("not enough memory".to_owned()));
    }
    result
}

/// Why there is no reply.
enum Failed {
    Command(Raised),
    Lua(mlua::Error),
}

impl From<mlua::Error> for Failed {
    fn from(error: mlua::Error) -> Self {
        Failed::Lua(error)
    }
}

impl Failed {
    fn refused(text: impl Into<String>) -> Self {
        Failed::Command(Raised {
            text: text.into(),
            is_placed: false,
            is_counted: false,
        })
    }
}

fn run_command(lua: &Lua, state: &State, args: &MultiValue) -> Result<Value, Failed> {
    if args.is_empty() {
        return Err(Failed::refused(NO_COMMAND));
    }
    let mut argv = state.argv.borrow_mut();
    argv.clear();
    for arg in args {
        match arg {
            Value::String(word) => argv.push(&word.as_bytes()),
            Value::Integer(number) => push_integer(&mut argv, *number),
            Value::Number(number) => push_number(&mut argv, *number),
            _ => return Err(Failed::refused(BAD_WORD)),
        }
    }
    if !DOOR.is_set() {
        return Err(Failed::refused(NO_DOOR));
    }
    let manner = Manner {
        protocol: state.protocol.get(),
        propagates: state.propagates.get(),
    };
    DOOR.with(|door| match door.call(argv.argv(), manner) {
        // Whoever refuses counts that.
        Err(text) => Err(Failed::Command(Raised {
            text,
            is_placed: false,
            is_counted: true,
        })),
        Ok(output) => match output.as_slice() {
            Some(bytes) => returned(lua, bytes),
            None => returned(lua, &output.bytes()),
        },
    })
}

fn returned(lua: &Lua, bytes: &[u8]) -> Result<Value, Failed> {
    if let Some(text) = reply::error_text(bytes) {
        return Err(Failed::Command(Raised {
            text: shebang::text(text),
            is_placed: false,
            is_counted: true,
        }));
    }
    Ok(reply::to_lua(lua, bytes)?)
}

/// The bytes of a text that has a character for each.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u32::from(letter) as u8).collect()
}

/// An error as scripts see it.
fn error_table(lua: &Lua, raised: &Raised) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("err", LuaString::wrap(latin(&raised.text)))?;
    if raised.is_counted {
        table.raw_set("ignore_error_stats_update", true)?;
    }
    Ok(table)
}

fn push_integer(argv: &mut crate::resp::request::StoredArgv, number: i64) {
    // Integers beyond this are shown as the numbers that Lua holds them as.
    const SHOWN_EXACT_MAX: u64 = 1 << 62;
    if number.unsigned_abs() > SHOWN_EXACT_MAX {
        return push_number(argv, number as f64);
    }
    let mut digits = Vec::with_capacity(20);
    write_i64(&mut digits, number);
    argv.push(&digits);
}

fn push_number(argv: &mut crate::resp::request::StoredArgv, number: f64) {
    if number == 0.0 {
        return argv.push(b"0");
    }
    let mut digits = Vec::with_capacity(24);
    if number.is_nan() && number.is_sign_negative() {
        digits.push(b'-');
    }
    format_f64(number, &mut digits);
    argv.push(&digits);
}

fn one(lua: &Lua, value: impl mlua::IntoLua) -> Values {
    Ok(MultiValue::from_iter([value.into_lua(lua)?]))
}

/// The bytes of a string or number.
pub(super) fn bytes_of(lua: &Lua, value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(_) | Value::Number(_) => {
            let text = lua.coerce_string(value.clone()).ok()??;
            Some(text.as_bytes().to_vec())
        }
        _ => None,
    }
}

/// Argument `at` as a number; strings that are numbers count.
fn number_at(lua: &Lua, args: &MultiValue, at: usize) -> Option<f64> {
    super::arguments::number(lua, args, at + 1, "").ok()
}

fn log(lua: &Lua, _: &State, args: MultiValue) -> Values {
    if args.len() < 2 {
        return Err(table_error(
            "ERR redis.log() requires two arguments or more.",
        ));
    }
    let Some(level) = number_at(lua, &args, 0) else {
        return Err(table_error(
            "ERR First argument must be a number (log level).",
        ));
    };
    let words: Vec<Vec<u8>> = args
        .iter()
        .skip(1)
        .filter_map(|arg| bytes_of(lua, arg))
        .collect();
    let line = words.join(&b' ');
    let line = String::from_utf8_lossy(&line);
    match reply::truncated(level) {
        0 => tracing::trace!("{line}"),
        1 => tracing::debug!("{line}"),
        2 => tracing::info!("{line}"),
        3 => tracing::warn!("{line}"),
        _ => return Err(table_error("ERR Invalid log level.")),
    }
    Ok(MultiValue::new())
}

fn sha1hex(lua: &Lua, _: &State, args: MultiValue) -> Values {
    let (Some(arg), 1) = (args.front(), args.len()) else {
        return Err(table_error("ERR wrong number of arguments"));
    };
    let bytes = bytes_of(lua, arg).unwrap_or_default();
    one(lua, hex(&Sha1::digest(&bytes)))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

fn set_protocol(lua: &Lua, state: &State, args: MultiValue) -> Values {
    if args.len() != 1 {
        return Err(table_error("ERR redis.setresp() requires one argument."));
    }
    match number_at(lua, &args, 0).map(reply::truncated) {
        Some(2) => state.protocol.set(Protocol::Resp2),
        Some(3) => state.protocol.set(Protocol::Resp3),
        _ => return Err(table_error("ERR RESP version must be 2 or 3.")),
    }
    Ok(MultiValue::new())
}

fn set_propagation(lua: &Lua, state: &State, args: MultiValue) -> Values {
    if args.len() != 1 {
        return Err(table_error("ERR redis.set_repl() requires one argument."));
    }
    match number_at(lua, &args, 0).map_or(0, reply::truncated) {
        // There is one stream: what goes to either of its readers goes to both.
        flags @ 0..=3 => state.propagates.set(flags != 0),
        _ => {
            let text =
                "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
            return Err(table_error(text));
        }
    }
    Ok(MultiValue::new())
}

fn acl_check_cmd(lua: &Lua, state: &State, args: MultiValue) -> Values {
    if args.is_empty() {
        return Err(table_error(NO_COMMAND));
    }
    let mut argv = state.argv.borrow_mut();
    argv.clear();
    for arg in &args {
        match bytes_of(lua, arg) {
            Some(word) => argv.push(&word),
            None => return Err(table_error(BAD_WORD)),
        }
    }
    if !DOOR.is_set() {
        return Err(table_error(
            "ERR redis.acl_check_cmd can only be called inside a script invocation",
        ));
    }
    match DOOR.with(|door| door.may_run(argv.argv())) {
        Some(allowed) => one(lua, allowed),
        None => Err(table_error(
            "ERR Invalid command passed to redis.acl_check_cmd()",
        )),
    }
}

const WRONG_FIELD: &str = "ERR wrong number or type of arguments";

fn error_reply(lua: &Lua, _: &State, args: MultiValue) -> Values {
    let (Some(Value::String(text)), 1) = (args.front(), args.len()) else {
        return wrong_field(lua);
    };
    let given = text.as_bytes();
    let bare = given.strip_prefix(b"-").unwrap_or(&given);
    let end = bare.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
    let bare = bare.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    let line = if bare.contains(&b' ') {
        bare.to_vec()
    } else {
        [b"ERR ", bare].concat()
    };
    let text = shebang::text(&line);
    let (is_placed, is_counted) = (false, false);
    let table = error_table(
        lua,
        &Raised {
            text,
            is_placed,
            is_counted,
        },
    )?;
    one(lua, table)
}

/// These two return their errors.
fn wrong_field(lua: &Lua) -> Values {
    let text = WRONG_FIELD.to_owned();
    let (is_placed, is_counted) = (false, false);
    let table = error_table(
        lua,
        &Raised {
            text,
            is_placed,
            is_counted,
        },
    )?;
    one(lua, table)
}

fn status_reply(lua: &Lua, _: &State, args: MultiValue) -> Values {
    let (Some(text @ Value::String(_)), 1) = (args.front(), args.len()) else {
        return wrong_field(lua);
    };
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set("ok", text)?;
    one(lua, table)
}

/// Takes a function of a library that is being loaded: name, callback, flags, description.
fn register(_: &Lua, state: &State, args: MultiValue) -> Values {
    let mut args = args.into_iter();
    let mut next = || args.next().unwrap_or(Value::Nil);
    let (name, callback, flags, description) = (next(), next(), next(), next());
    let (Value::String(name), Value::Function(callback)) = (name, callback) else {
        return Err(table_error(
            "ERR redis.register_function must get a function name argument",
        ));
    };
    let name = shebang::text(&name.as_bytes());
    if !shebang::is_valid_name(name.as_bytes()) {
        let text = "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";
        return Err(table_error(text));
    }
    let Some(bits) = flags_of(&flags) else {
        return Err(table_error("ERR unknown flag given"));
    };
    let mut registering = state.registering.borrow_mut();
    let Some(registered) = registering.as_mut() else {
        let text = "ERR redis.register_function can only be called on FUNCTION LOAD command";
        return Err(table_error(text));
    };
    if registered
        .iter()
        .any(|known| known.name.eq_ignore_ascii_case(&name))
    {
        return Err(table_error("ERR Function already exists in the library"));
    }
    let description = match description {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        _ => None,
    };
    registered.push(Registered {
        name,
        callback,
        flags: bits,
        description,
    });
    Ok(MultiValue::new())
}

fn flags_of(flags: &Value) -> Option<u32> {
    let Value::Table(names) = flags else {
        return Some(0);
    };
    let mut bits = 0;
    for name in names.sequence_values::<Value>() {
        let Ok(Value::String(name)) = name else {
            return None;
        };
        bits |= shebang::flag_of(&name.as_bytes())?;
    }
    Some(bits)
}

fn random(lua: &Lua, state: &State, _: MultiValue) -> Values {
    let (prng, number) = state.prng.get().next();
    state.prng.set(prng);
    one(lua, number)
}

fn seed_random(lua: &Lua, state: &State, args: MultiValue) -> Values {
    let seed = number_at(lua, &args, 0).map_or(0, reply::truncated);
    state.prng.set(Prng::new(seed as i32));
    Ok(MultiValue::new())
}

/// Whether a pattern has so many items that matching it could take all of the C stack.
fn is_deep_pattern(lua: &Lua, _: &State, args: MultiValue) -> Values {
    let deep = match args.front() {
        Some(Value::String(pattern)) => {
            let takes_stack = |byte: &&u8| matches!(byte, b'*' | b'+' | b'-' | b'?' | b'(' | b')');
            pattern.as_bytes().iter().filter(takes_stack).count() > PATTERN_ITEMS_MAX
        }
        _ => false,
    };
    one(lua, deep)
}

fn is_killed(lua: &Lua, state: &State, _: MultiValue) -> Values {
    one(lua, state.killed.get().is_some())
}

fn killed_text(lua: &Lua, state: &State, _: MultiValue) -> Values {
    one(lua, state.killed.get().unwrap_or_default())
}

/// What a script sees of an error that a function of the server has raised.
fn plain(lua: &Lua, _: &State, args: MultiValue) -> Values {
    let Some(Value::Error(error)) = args.front() else {
        return Ok(args);
    };
    let (mut error, mut place) = (&**error, None);
    while let mlua::Error::CallbackError { cause, traceback } = error {
        place = place.or_else(|| caller_in(traceback));
        error = cause;
    }
    let text = match (error, error.downcast_ref::<Raised>()) {
        (_, Some(raised)) if !raised.is_placed => return one(lua, error_table(lua, raised)?),
        (_, Some(raised)) => {
            place.map_or_else(|| raised.text.clone(), |place| place + &raised.text)
        }
        (mlua::Error::RuntimeError(text), _) => text.clone(),
        (mlua::Error::MemoryError(_), _) => "not enough memory".to_owned(),
        (other, _) => other.to_string(),
    };
    one(lua, LuaString::wrap(latin(&text)))
}

/// `user_script:3: `, where the function that failed was called, if it was called by Lua.
fn caller_in(traceback: &str) -> Option<String> {
    let mut frames = traceback.lines().skip(1).map(str::trim);
    let first = frames.next()?;
    let caller = if first.starts_with("[C]") {
        frames.next()?
    } else {
        first
    };
    let (place, _) = caller.split_once(": in ")?;
    (place != "[C]").then(|| format!("{place}: "))
}

/// The chunk and line of the script that runs: the innermost function that is not the sandbox's.
fn place(lua: &Lua, state: &State, _: MultiValue) -> Values {
    let place = script_frame(lua, 1).unwrap_or_else(|| (format!("@{}", state.flavor.chunk()), 1));
    place.into_lua_multi(lua)
}

/// The chunk and line of the innermost function, from `level` on, that is not the sandbox's.
pub(super) fn script_frame(lua: &Lua, level: usize) -> Option<(String, i64)> {
    for level in level.. {
        let found = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let name = source.source.as_deref().unwrap_or_default();
            let is_script = matches!(source.what, "Lua" | "main") && name != "=sandbox";
            is_script.then(|| {
                (
                    name.to_owned(),
                    debug.current_line().map_or(0, |line| line as i64),
                )
            })
        });
        match found {
            None => return None,
            Some(Some(place)) => return Some(place),
            Some(None) => {}
        }
    }
    None
}

/// A message whose place is one in the sandbox, with the place of the script instead.
fn placed(lua: &Lua, state: &State, args: MultiValue) -> Values {
    let Some(Value::String(text)) = args.front() else {
        return one(lua, args.front());
    };
    let bytes = text.as_bytes();
    let rest = bytes.strip_prefix(b"sandbox:").and_then(|rest| {
        let colon = rest.iter().position(|byte| *byte == b':')?;
        rest.get(colon..)
    });
    let Some(rest) = rest else {
        return one(lua, text);
    };
    // A tail call leaves no trace of its caller: most scripts have one line.
    let chunk = state.flavor.chunk();
    let line = script_frame(lua, 1).map_or(1, |(_, line)| line);
    let placed = [format!("{chunk}:{line}").as_bytes(), rest].concat();
    one(lua, LuaString::wrap(placed))
}

/// A table of functions.
pub(super) fn functions(lua: &Lua, list: &[(&str, Native)]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, list.len())?;
    for (name, native) in list {
        table.raw_set(*name, wrap(lua, *native)?)?;
    }
    Ok(table)
}

/// A function of a library: its results, or the text of its error.
pub(super) type Native = fn(&Lua, &MultiValue) -> Result<MultiValue, String>;

fn wrap(lua: &Lua, native: Native) -> mlua::Result<mlua::Function> {
    lua.create_function(move |lua, args: MultiValue| native(lua, &args).map_err(placed_error))
}

/// The result of a library's function as Lua gets it.
pub(super) fn finish(result: Result<MultiValue, String>) -> Values {
    result.map_err(placed_error)
}
