//! The functions of the server that `sandbox.lua` wraps: `redis.*` and what the sandbox itself asks for.

use super::door::{DOOR, Manner};
use super::library::Registered;
use super::machine::{C_STACK_MAX_BYTES, HEAP_MAX_BYTES, PATTERN_ITEMS_MAX, State};
use super::prng::Prng;
use super::reply::truncated;
use super::stack::{Native, Raise, Seen, Stack, View};
use super::{bit, cjson, cmsgpack, packing, reply, shebang};
use crate::base::number::{format_f64, write_i64};
use crate::resp::reply::Protocol;
use crate::resp::request::StoredArgv;
use sha1::{Digest, Sha1};

/// The version of Redis whose interface scripts see.
const REDIS_VERSION: &str = "8.0.0";
const REDIS_VERSION_NUMBER: i32 = 0x0008_0000;
/// `redis.LOG_*`, `redis.REPL_*`.
const CONSTANTS: [(&str, i32); 10] = [
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

const FUNCTIONS: &[(&str, Native)] = &[
    ("call", |stack, state| call(stack, state, true)),
    ("pcall", |stack, state| call(stack, state, false)),
    ("log", log),
    ("sha1hex", sha1hex),
    ("setresp", set_protocol),
    ("set_repl", set_propagation),
    ("acl_check_cmd", acl_check_cmd),
    ("error_reply", error_reply),
    ("status_reply", status_reply),
    ("register", register),
    ("random", random),
    ("seed_random", seed_random),
    ("is_deep_pattern", is_deep_pattern),
    ("is_deep", is_deep),
    ("is_killed", is_killed),
    ("killed_text", killed_text),
    ("place", place),
    ("placed", placed),
];

/// Pushes the table that the sandbox is given.
pub(super) fn push_table(stack: &mut Stack, state: &State) {
    let table = stack.push_table(0, 24);
    set_functions(stack, state, table, FUNCTIONS);
    let constants = stack.push_table(0, 16);
    for (name, value) in CONSTANTS {
        stack.push_number(f64::from(value));
        stack.set(constants, name);
    }
    stack.push_text(REDIS_VERSION.as_bytes());
    stack.set(constants, "REDIS_VERSION");
    stack.set(table, "constants");
    let libraries = stack.push_table(0, 4);
    for (name, functions, fields) in [
        ("bit", bit::FUNCTIONS, &[][..]),
        ("cmsgpack", cmsgpack::FUNCTIONS, cmsgpack::FIELDS),
        ("struct", packing::FUNCTIONS, &[]),
    ] {
        let library = stack.push_table(0, functions.len() + fields.len());
        set_functions(stack, state, library, functions);
        for (field, text) in fields {
            stack.push_text(text.as_bytes());
            stack.set(library, field);
        }
        stack.set(libraries, name);
    }
    cjson::push_library(stack, state);
    stack.set(libraries, "cjson");
    stack.set(table, "libraries");
}

fn set_functions(stack: &mut Stack, state: &State, table: i32, list: &[(&str, Native)]) {
    for (name, native) in list {
        stack.push_native(state, *native, 0);
        stack.set(table, name);
    }
}

/// An error that scripts see as `{err = text}`.
fn table_error(text: &str) -> Raise {
    Raise::Table {
        text: latin(text),
        is_counted: false,
    }
}

/// `redis.call`, which raises errors, and `redis.pcall`, which returns them.
fn call(stack: &mut Stack, state: &State, raises: bool) -> Result<i32, Raise> {
    match run_command(stack, state) {
        Err(Raise::Table { text, is_counted }) if !raises => {
            stack.clear();
            stack.push_error(&text, is_counted);
        }
        result => result?,
    }
    Ok(1)
}

/// Runs the command whose words are on the stack, and pushes its reply.
fn run_command(stack: &mut Stack, state: &State) -> Result<(), Raise> {
    let mut argv = state.argv.borrow_mut();
    read_words(stack, &mut argv, BAD_WORD)?;
    stack.clear();
    if !DOOR.is_set() {
        return Err(table_error(NO_DOOR));
    }
    let manner = Manner {
        protocol: state.protocol.get(),
        propagates: state.propagates.get(),
    };
    DOOR.with(|door| match door.call(argv.argv(), manner) {
        // Whoever refuses counts that.
        Err(text) => Err(Raise::Table {
            text: latin(&text),
            is_counted: true,
        }),
        Ok(output) => match output.as_slice() {
            Some(bytes) => push_reply(stack, bytes),
            None => push_reply(stack, &output.bytes()),
        },
    })
}

/// Reads the words of a command.
fn read_words(stack: &Stack, argv: &mut StoredArgv, bad_word: &str) -> Result<(), Raise> {
    argv.clear();
    let mut bytes = 0;
    for at in 1..=stack.top() {
        match stack.seen(at) {
            Seen::Text(word) => {
                // The same text may be there a thousand times, and is copied for each.
                bytes += word.len();
                if bytes > HEAP_MAX_BYTES {
                    return Err(Raise::Memory);
                }
                argv.push(word);
            }
            Seen::Number(number) => push_number(argv, number),
            _ => return Err(table_error(bad_word)),
        }
    }
    match argv.argv().is_empty() {
        true => Err(table_error(NO_COMMAND)),
        false => Ok(()),
    }
}

fn push_reply(stack: &mut Stack, bytes: &[u8]) -> Result<(), Raise> {
    if let Some(text) = reply::error_text(bytes) {
        let (text, is_counted) = (text.to_vec(), true);
        return Err(Raise::Table { text, is_counted });
    }
    reply::push(stack, bytes)
}

fn push_number(argv: &mut StoredArgv, number: f64) {
    /// Integers beyond this are shown as the numbers that Lua holds them as.
    const SHOWN_EXACT_MAX: f64 = (1_u64 << 62) as f64;
    let mut digits = Vec::with_capacity(24);
    if number.abs() <= SHOWN_EXACT_MAX && number.trunc() == number {
        write_i64(&mut digits, number as i64);
    } else {
        if number.is_nan() && number.is_sign_negative() {
            digits.push(b'-');
        }
        format_f64(number, &mut digits);
    }
    argv.push(&digits);
}

/// The bytes of a text that has a character for each.
pub(super) fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u32::from(letter) as u8).collect()
}

/// Argument `at` as a number, cut to an integer; texts that are numbers count.
fn integer_at(view: &View, at: i32) -> Option<i64> {
    view.number(at).map(truncated)
}

/// Bytes of a line that a script logs; the rest is cut off.
const LOGGED_MAX_BYTES: usize = 1_024;

fn log(stack: &mut Stack, _: &State) -> Result<i32, Raise> {
    let count = stack.top();
    if count < 2 {
        return Err(table_error(
            "ERR redis.log() requires two arguments or more.",
        ));
    }
    let Some(level) = integer_at(stack, 1) else {
        return Err(table_error(
            "ERR First argument must be a number (log level).",
        ));
    };
    let mut line = Vec::new();
    for at in 2..=count {
        let Some(word) = stack.bytes(at) else {
            continue;
        };
        if !line.is_empty() {
            line.push(b' ');
        }
        let room = LOGGED_MAX_BYTES.saturating_sub(line.len());
        line.extend_from_slice(word.get(..room).unwrap_or(word));
    }
    let line = String::from_utf8_lossy(&line);
    match level {
        0 => tracing::trace!("{line}"),
        1 => tracing::debug!("{line}"),
        2 => tracing::info!("{line}"),
        3 => tracing::warn!("{line}"),
        _ => return Err(table_error("ERR Invalid log level.")),
    }
    Ok(0)
}

fn sha1hex(stack: &mut Stack, _: &State) -> Result<i32, Raise> {
    if stack.top() != 1 {
        return Err(table_error("ERR wrong number of arguments"));
    }
    let digits = hex(&Sha1::digest(stack.bytes(1).unwrap_or_default()));
    stack.push_text(digits.as_bytes());
    Ok(1)
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

fn set_protocol(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    if stack.top() != 1 {
        return Err(table_error("ERR redis.setresp() requires one argument."));
    }
    match integer_at(stack, 1) {
        Some(2) => state.protocol.set(Protocol::Resp2),
        Some(3) => state.protocol.set(Protocol::Resp3),
        _ => return Err(table_error("ERR RESP version must be 2 or 3.")),
    }
    Ok(0)
}

fn set_propagation(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    if stack.top() != 1 {
        return Err(table_error("ERR redis.set_repl() requires one argument."));
    }
    match integer_at(stack, 1).unwrap_or_default() {
        // There is one stream: what goes to either of its readers goes to both.
        flags @ 0..=3 => state.propagates.set(flags != 0),
        _ => {
            let text =
                "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
            return Err(table_error(text));
        }
    }
    Ok(0)
}

fn acl_check_cmd(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let mut argv = state.argv.borrow_mut();
    read_words(stack, &mut argv, BAD_WORD)?;
    stack.clear();
    if !DOOR.is_set() {
        return Err(table_error(
            "ERR redis.acl_check_cmd can only be called inside a script invocation",
        ));
    }
    match DOOR.with(|door| door.may_run(argv.argv())) {
        Some(allowed) => stack.push_boolean(allowed),
        None => {
            return Err(table_error(
                "ERR Invalid command passed to redis.acl_check_cmd()",
            ));
        }
    }
    Ok(1)
}

const WRONG_FIELD: &[u8] = b"ERR wrong number or type of arguments";

/// The only argument of `error_reply` or `status_reply`.
fn only_text(stack: &Stack) -> Option<Vec<u8>> {
    match (stack.seen(1), stack.top()) {
        (Seen::Text(text), 1) => Some(text.to_vec()),
        _ => None,
    }
}

/// Returns its own errors, too.
fn error_reply(stack: &mut Stack, _: &State) -> Result<i32, Raise> {
    let line = match only_text(stack) {
        None => WRONG_FIELD.to_vec(),
        Some(given) => {
            let bare = given.strip_prefix(b"-").unwrap_or(&given);
            let end = bare.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
            let bare = bare.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
            match bare.contains(&b' ') {
                true => bare.to_vec(),
                false => [b"ERR ", bare].concat(),
            }
        }
    };
    stack.clear();
    stack.push_error(&line, false);
    Ok(1)
}

fn status_reply(stack: &mut Stack, _: &State) -> Result<i32, Raise> {
    let text = only_text(stack);
    stack.clear();
    match text {
        None => stack.push_error(WRONG_FIELD, false),
        Some(text) => {
            let table = stack.push_table(0, 1);
            stack.push_text(&text);
            stack.set_field(table, super::stack::Name::Ok);
        }
    }
    Ok(1)
}

/// Takes a function of a library that is being loaded: name, callback, flags, description.
fn register(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let (Seen::Text(name), Seen::Function) = (stack.seen(1), stack.seen(2)) else {
        return Err(table_error(
            "ERR redis.register_function must get a function name argument",
        ));
    };
    if !shebang::is_valid_name(name) {
        let text = "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";
        return Err(table_error(text));
    }
    let name = shebang::text(name);
    let Some(flags) = flags_at(stack, 3) else {
        return Err(table_error("ERR unknown flag given"));
    };
    let description = match stack.seen(4) {
        Seen::Text(text) => Some(text.to_vec()),
        _ => None,
    };
    let callback = stack.keep(state, 2);
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
    registered.push(Registered {
        name,
        callback,
        flags,
        description,
    });
    Ok(0)
}

/// The flags whose names are in the list at `at`, if they are known.
fn flags_at(view: &mut View, at: i32) -> Option<u32> {
    let mut bits = 0;
    for index in 1..=view.length(at) {
        bits |= view.with_element(at, index, |view, element| match view.seen(element) {
            Seen::Text(name) => shebang::flag_of(name),
            _ => None,
        })?;
    }
    Some(bits)
}

fn random(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let (prng, number) = state.prng.get().next();
    state.prng.set(prng);
    stack.push_number(number);
    Ok(1)
}

fn seed_random(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let seed = integer_at(stack, 1).unwrap_or_default();
    state.prng.set(Prng::new(seed as i32));
    Ok(0)
}

/// Whether a pattern has so many items that matching it could take all of the C stack.
fn is_deep_pattern(stack: &mut Stack, _: &State) -> Result<i32, Raise> {
    let deep = match stack.seen(1) {
        Seen::Text(pattern) => {
            let takes_stack = |byte: &&u8| matches!(byte, b'*' | b'+' | b'-' | b'?' | b'(' | b')');
            pattern.iter().filter(takes_stack).count() > PATTERN_ITEMS_MAX
        }
        _ => false,
    };
    stack.push_boolean(deep);
    Ok(1)
}

/// Whether so much C stack is in use that no more should be taken.
fn is_deep(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let deep = stack.c_stack_bytes(state) > C_STACK_MAX_BYTES;
    stack.push_boolean(deep);
    Ok(1)
}

fn is_killed(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    stack.push_boolean(state.killed.get().is_some());
    Ok(1)
}

fn killed_text(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    stack.push_text(state.killed.get().unwrap_or_default().as_bytes());
    Ok(1)
}

/// The chunk and line of the script that runs: the innermost function that is not the sandbox's.
fn place(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let place = stack.script_frame();
    let (chunk, line) =
        place.unwrap_or_else(|| (format!("@{}", state.flavor.chunk()).into_bytes(), 1));
    stack.push_text(&chunk);
    stack.push_number(line as f64);
    Ok(2)
}

/// A message whose place is one in the sandbox, with the place of the script instead.
fn placed(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let text = stack.bytes(1).unwrap_or_default();
    let rest = text.strip_prefix(b"sandbox:").and_then(|rest| {
        let colon = rest.iter().position(|byte| *byte == b':')?;
        rest.get(colon..)
    });
    let Some(rest) = rest.map(<[u8]>::to_vec) else {
        stack.push_again(1);
        return Ok(1);
    };
    // A tail call leaves no trace of its caller: most scripts have one line.
    let chunk = state.flavor.chunk();
    let line = stack.script_frame().map_or(1, |(_, line)| line);
    stack.push_text(&[format!("{chunk}:{line}").as_bytes(), &rest].concat());
    Ok(1)
}
