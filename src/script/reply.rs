//! Replies as Lua values, and what scripts return as replies.
//!
//! | reply | Lua | | Lua | reply |
//! |---|---|---|---|---|
//! | integer | number | | number | integer, cut towards zero |
//! | bulk | string | | string | bulk |
//! | null (RESP2) | false | | true | 1, or `#t` after `setresp(3)` |
//! | null (RESP3) | nil | | false | null, or `#f` after `setresp(3)` |
//! | simple | `{ok = s}` | | nil, functions ... | null |
//! | error | `{err = s}` | | `{ok}` `{err}` `{double}` `{map}` `{set}` `{big_number}` `{verbatim_string}` | what they say |
//! | array | sequence | | any other table | array up to the first nil |
//! | map, set | `{map = {k = v}}`, `{set = {k = true}}` | | | |
//! | double, big number | `{double = n}`, `{big_number = s}` | | | |
//! | verbatim text | `{verbatim_string = {format, string}}` | | | |
//!
//! Replies are read as bytes and become Lua values in one pass. All reads of a script's tables are raw: no metamethod of a
//! script runs while its result is written.

use crate::base::number::{parse_f64, parse_i64};
use crate::resp::reply::{Protocol, Reply};
use mlua::{Lua, LuaString, Table, Value};

/// Tables inside one another that a script may return.
pub const RETURNED_NESTING_MAX: usize = 1_000;

/// Reads one reply.
///
/// # Errors
/// Lua's memory is used up.
pub(super) fn to_lua(lua: &Lua, bytes: &[u8]) -> mlua::Result<Value> {
    Reader { lua, bytes, at: 0 }.value()
}

/// Whether the reply is an error; its text.
pub(super) fn error_text(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.strip_prefix(b"-")?;
    Some(line.strip_suffix(b"\r\n").unwrap_or(line))
}

/// Reads replies that this server has written: they are whole and well formed.
struct Reader<'a> {
    lua: &'a Lua,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> mlua::Result<Value> {
        let (kind, line) = self.line();
        Ok(match kind {
            b'$' => match length(line) {
                Some(length) => self.string(length)?,
                None => Value::Boolean(false),
            },
            b':' => Value::Integer(parse_i64(line).unwrap_or_default() as mlua::Integer),
            b'+' => self.tagged("ok", line)?,
            b'-' => self.tagged("err", line)?,
            b'*' | b'>' => match length(line) {
                Some(count) => self.array(count)?,
                None => Value::Boolean(false),
            },
            b'%' => self.map(length(line).unwrap_or_default())?,
            b'~' => self.set(length(line).unwrap_or_default())?,
            b'#' => Value::Boolean(line == b"t"),
            b',' => self.double(line)?,
            b'(' => self.tagged("big_number", line)?,
            b'=' => self.verbatim(length(line).unwrap_or_default())?,
            b'|' => {
                for _ in 0..2 * length(line).unwrap_or_default() {
                    self.value()?;
                }
                self.value()?
            }
            _ => Value::Nil,
        })
    }

    /// The type byte and the rest of the line.
    fn line(&mut self) -> (u8, &'a [u8]) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\r');
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += line.len() + 2;
        line.split_first()
            .map_or((0, &b""[..]), |(kind, rest)| (*kind, rest))
    }

    fn payload(&mut self, length: usize) -> &'a [u8] {
        let start = self.at;
        self.at = start + length + 2;
        self.bytes.get(start..start + length).unwrap_or_default()
    }

    fn string(&mut self, length: usize) -> mlua::Result<Value> {
        let payload = self.payload(length);
        self.lua.create_string(payload).map(Value::String)
    }

    fn tagged(&self, tag: &str, text: &[u8]) -> mlua::Result<Value> {
        let table = self.lua.create_table_with_capacity(0, 1)?;
        table.raw_set(tag, LuaString::wrap(text))?;
        Ok(Value::Table(table))
    }

    fn array(&mut self, count: usize) -> mlua::Result<Value> {
        let table = self.lua.create_table_with_capacity(count, 0)?;
        for index in 1..=count {
            let value = self.value()?;
            table.raw_seti(index, value)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, pairs: usize) -> mlua::Result<Value> {
        let inner = self.lua.create_table_with_capacity(0, pairs)?;
        for _ in 0..pairs {
            let key = self.value()?;
            let value = self.value()?;
            inner.raw_set(key, value)?;
        }
        self.wrapped("map", inner)
    }

    fn set(&mut self, count: usize) -> mlua::Result<Value> {
        let inner = self.lua.create_table_with_capacity(0, count)?;
        for _ in 0..count {
            let key = self.value()?;
            inner.raw_set(key, true)?;
        }
        self.wrapped("set", inner)
    }

    fn wrapped(&self, tag: &str, inner: Table) -> mlua::Result<Value> {
        let table = self.lua.create_table_with_capacity(0, 1)?;
        table.raw_set(tag, inner)?;
        Ok(Value::Table(table))
    }

    fn double(&self, line: &[u8]) -> mlua::Result<Value> {
        let number = parse_f64(line).unwrap_or(f64::NAN);
        let table = self.lua.create_table_with_capacity(0, 1)?;
        table.raw_set("double", number)?;
        Ok(Value::Table(table))
    }

    fn verbatim(&mut self, length: usize) -> mlua::Result<Value> {
        let payload = self.payload(length);
        let inner = self.lua.create_table_with_capacity(0, 2)?;
        let (format, text) = payload.split_at_checked(4).unwrap_or((b"txt:", payload));
        inner.raw_set("format", LuaString::wrap(format.get(..3).unwrap_or(b"txt")))?;
        inner.raw_set("string", LuaString::wrap(text))?;
        self.wrapped("verbatim_string", inner)
    }
}

/// A length or count; `None`: the null of RESP2.
fn length(line: &[u8]) -> Option<usize> {
    if let [digit @ b'0'..=b'9'] = line {
        return Some(usize::from(digit - b'0'));
    }
    parse_i64(line).and_then(|length| usize::try_from(length).ok())
}

/// What Lua holds as a number, cut to 64 bits as the processor does it: what does not fit is the smallest integer.
pub(super) fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// Writes what a script returned; `protocol` is what the script has chosen.
pub(super) struct Writer {
    pub(super) protocol: Protocol,
}

impl Writer {
    /// Writes one value. `depth`: tables around it.
    pub(super) fn write(&self, value: &Value, reply: &mut Reply<'_>, depth: usize) {
        match value {
            Value::String(text) => reply.bulk(&text.as_bytes()),
            Value::Integer(number) => reply.integer(*number),
            Value::Number(number) => reply.integer(truncated(*number)),
            Value::Boolean(truth) => self.boolean(*truth, reply),
            Value::Table(table) => self.table(table, reply, depth),
            _ => reply.null(),
        }
    }

    fn boolean(&self, truth: bool, reply: &mut Reply<'_>) {
        match (self.protocol, truth) {
            (Protocol::Resp3, truth) => reply.boolean(truth),
            (Protocol::Resp2, true) => reply.integer(1),
            (Protocol::Resp2, false) => reply.null(),
        }
    }

    fn table(&self, table: &Table, reply: &mut Reply<'_>, depth: usize) {
        if depth >= RETURNED_NESTING_MAX {
            return reply.error("ERR reached lua stack limit");
        }
        // A sequence has none of the names: most tables are asked for nothing more than their first element.
        if table.raw_len() == 0 && self.named(table, reply, depth) {
            return;
        }
        if table.raw_len() > 0 && has_names(table) && self.named(table, reply, depth) {
            return;
        }
        let later = reply.array_later();
        let mut count = 0;
        while let Ok(value) = table.raw_get::<Value>(count as mlua::Integer + 1) {
            if value.is_nil() {
                break;
            }
            self.write(&value, reply, depth + 1);
            count += 1;
        }
        reply.finish(later, count);
    }

    /// Writes a table that says by a name what it is; whether it is one.
    fn named(&self, table: &Table, reply: &mut Reply<'_>, depth: usize) -> bool {
        let field = |name: &str| table.raw_get::<Value>(name).unwrap_or(Value::Nil);
        if let Value::String(text) = field("err") {
            let text = text.as_bytes();
            reply.error(&*text);
        } else if let Value::String(text) = field("ok") {
            let text = text.as_bytes();
            let line: String = text.iter().map(|byte| char::from(*byte)).collect();
            status(&line, reply);
        } else if let Some(number) = number_of(&field("double")) {
            reply.double(number);
        } else if let Value::Table(pairs) = field("map") {
            self.map(&pairs, reply, depth);
        } else if let Value::Table(members) = field("set") {
            self.set(&members, reply, depth);
        } else if let Value::String(digits) = field("big_number") {
            reply.big_number(&one_line(&digits.as_bytes()));
        } else if let Value::Table(text) = field("verbatim_string") {
            return verbatim(&text, reply);
        } else {
            return false;
        }
        true
    }

    fn map(&self, pairs: &Table, reply: &mut Reply<'_>, depth: usize) {
        let later = reply.map_later();
        let mut count = 0;
        for (key, value) in pairs.pairs::<Value, Value>().flatten() {
            self.write(&key, reply, depth + 1);
            self.write(&value, reply, depth + 1);
            count += 1;
        }
        reply.finish(later, count);
    }

    fn set(&self, members: &Table, reply: &mut Reply<'_>, depth: usize) {
        let later = reply.set_later();
        let mut count = 0;
        for (key, _) in members.pairs::<Value, Value>().flatten() {
            self.write(&key, reply, depth + 1);
            count += 1;
        }
        reply.finish(later, count);
    }
}

/// Whether a table with a sequence part has one of the names too.
fn has_names(table: &Table) -> bool {
    const NAMES: [&str; 7] = [
        "err",
        "ok",
        "double",
        "map",
        "set",
        "big_number",
        "verbatim_string",
    ];
    NAMES.iter().any(|name| {
        table
            .raw_get::<Value>(*name)
            .is_ok_and(|value| !value.is_nil())
    })
}

fn status(line: &str, reply: &mut Reply<'_>) {
    if line.is_ascii() {
        return reply.simple(line);
    }
    let mut bytes = b"+".to_vec();
    let text = line.chars().map(|letter| u32::from(letter) as u8);
    bytes.extend(text.map(|byte| {
        if matches!(byte, b'\r' | b'\n') {
            b' '
        } else {
            byte
        }
    }));
    bytes.extend_from_slice(b"\r\n");
    reply.raw(&bytes);
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

fn one_line(text: &[u8]) -> Vec<u8> {
    let spaced = |byte: &u8| {
        if matches!(byte, b'\r' | b'\n') {
            b' '
        } else {
            *byte
        }
    };
    text.iter().map(spaced).collect()
}

fn verbatim(text: &Table, reply: &mut Reply<'_>) -> bool {
    let string = text.raw_get::<Value>("string").unwrap_or(Value::Nil);
    let format = text.raw_get::<Value>("format").unwrap_or(Value::Nil);
    let (Value::String(string), Value::String(format)) = (string, format) else {
        return false;
    };
    let mut letters: String = format.to_string_lossy().chars().take(3).collect();
    while letters.len() < 3 {
        letters.push(' ');
    }
    let is_plain = letters.is_ascii();
    reply.verbatim(if is_plain { &letters } else { "txt" }, &string.as_bytes());
    true
}
