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

use super::stack::{Name, Raise, Seen, Stack, View};
use crate::base::number::{parse_f64, parse_i64};
use crate::resp::reply::{Protocol, Reply};
use std::cell::Cell;

/// Tables inside one another that a script may return.
pub const RETURNED_NESTING_MAX: usize = 1_000;

/// Bytes that a script's reply may have, together with what its client has yet to receive.
pub const REPLY_MAX_BYTES: usize = 512 << 20;
/// Values that a script's reply may have.
pub const REPLY_VALUES_MAX: usize = 1 << 24;
/// Elements between two looks at the memory in use.
const CHECK_PERIOD: usize = 64;

/// Reads one reply and pushes it as a value.
///
/// # Errors
/// Lua's memory is used up.
pub(super) fn push(stack: &mut Stack, bytes: &[u8]) -> Result<(), Raise> {
    Reader { bytes, at: 0 }.value(stack)
}

/// Whether the reply is an error; its text.
pub(super) fn error_text(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.strip_prefix(b"-")?;
    Some(line.strip_suffix(b"\r\n").unwrap_or(line))
}

/// Reads replies that this server has written: they are whole and well formed.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, stack: &mut Stack) -> Result<(), Raise> {
        let (kind, line) = self.line();
        match kind {
            b'$' => match length(line) {
                Some(length) => stack.push_text(self.payload(length)),
                None => stack.push_boolean(false),
            },
            b':' => stack.push_number(parse_i64(line).unwrap_or_default() as f64),
            b'+' => tagged(stack, Name::Ok, line),
            b'-' => tagged(stack, Name::Err, line),
            b'*' | b'>' => match length(line) {
                Some(count) => self.array(stack, count)?,
                None => stack.push_boolean(false),
            },
            b'%' => self.wrapped(stack, Name::Map, length(line), true)?,
            b'~' => self.wrapped(stack, Name::Set, length(line), false)?,
            b'#' => stack.push_boolean(line == b"t"),
            b',' => {
                let table = stack.push_table(0, 1);
                stack.push_number(parse_f64(line).unwrap_or(f64::NAN));
                stack.set_field(table, Name::Double);
            }
            b'(' => tagged(stack, Name::BigNumber, line),
            b'=' => self.verbatim(stack, length(line).unwrap_or_default()),
            b'|' => self.behind_attributes(stack, length(line).unwrap_or_default())?,
            _ => stack.push_nil(),
        }
        Ok(())
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

    fn array(&mut self, stack: &mut Stack, count: usize) -> Result<(), Raise> {
        check_room(stack)?;
        let table = stack.push_table(count, 0);
        for index in 1..=count {
            self.value(stack)?;
            stack.set_element(table, index);
            if index.is_multiple_of(CHECK_PERIOD) {
                stack.check_memory()?;
            }
        }
        Ok(())
    }

    /// A table `{map = {...}}` of pairs, or `{set = {...}}` of members.
    fn wrapped(
        &mut self,
        stack: &mut Stack,
        name: Name,
        count: Option<usize>,
        has_values: bool,
    ) -> Result<(), Raise> {
        check_room(stack)?;
        let count = count.unwrap_or_default();
        let outer = stack.push_table(0, 1);
        let inner = stack.push_table(0, count);
        for index in 1..=count {
            self.value(stack)?;
            if has_values {
                self.value(stack)?;
            } else {
                stack.push_boolean(true);
            }
            stack.set_pair(inner).map_err(str::to_owned)?;
            if index.is_multiple_of(CHECK_PERIOD) {
                stack.check_memory()?;
            }
        }
        stack.set_field(outer, name);
        Ok(())
    }

    fn verbatim(&mut self, stack: &mut Stack, length: usize) {
        let payload = self.payload(length);
        let (format, text) = payload.split_at_checked(4).unwrap_or((b"txt:", payload));
        let outer = stack.push_table(0, 1);
        let inner = stack.push_table(0, 2);
        stack.push_text(format.get(..3).unwrap_or(b"txt"));
        stack.set_field(inner, Name::Format);
        stack.push_text(text);
        stack.set_field(inner, Name::String);
        stack.set_field(outer, Name::VerbatimString);
    }

    /// The value behind attributes, which scripts do not see.
    fn behind_attributes(&mut self, stack: &mut Stack, pairs: usize) -> Result<(), Raise> {
        let below = stack.top();
        for _ in 0..2 * pairs {
            self.value(stack)?;
            stack.truncate(below);
        }
        self.value(stack)
    }
}

fn check_room(stack: &Stack) -> Result<(), Raise> {
    match stack.has_room(8) {
        true => Ok(()),
        false => Err("reached lua stack limit".to_owned().into()),
    }
}

fn tagged(stack: &mut Stack, name: Name, text: &[u8]) {
    let table = stack.push_table(0, 1);
    stack.push_text(text);
    stack.set_field(table, name);
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
///
/// A table may hold another many times over, and that a third: what is written of a few of them would fill the memory. So
/// the writer stops at [`REPLY_MAX_BYTES`] or [`REPLY_VALUES_MAX`]; whoever had it write asks whether it
/// [`Writer::is_full`], and takes it back.
pub(super) struct Writer {
    pub(super) protocol: Protocol,
    /// Values written.
    pub(super) values: Cell<usize>,
}

impl Writer {
    /// Writes what stands at a place. `depth`: tables around it.
    pub(super) fn write(&self, view: &mut View, at: i32, reply: &mut Reply<'_>, depth: usize) {
        self.values.set(self.values.get() + 1);
        if self.is_full(reply) {
            return;
        }
        match view.seen(at) {
            Seen::Text(text) => reply.bulk(text),
            Seen::Number(number) => reply.integer(truncated(number)),
            Seen::Boolean(truth) => self.boolean(truth, reply),
            Seen::Table => self.table(view, at, reply, depth),
            _ => reply.null(),
        }
    }

    /// Whether the reply has become too large.
    pub(super) fn is_full(&self, reply: &mut Reply<'_>) -> bool {
        reply.output().len() > REPLY_MAX_BYTES || self.values.get() > REPLY_VALUES_MAX
    }

    fn boolean(&self, truth: bool, reply: &mut Reply<'_>) {
        match (self.protocol, truth) {
            (Protocol::Resp3, truth) => reply.boolean(truth),
            (Protocol::Resp2, true) => reply.integer(1),
            (Protocol::Resp2, false) => reply.null(),
        }
    }

    fn table(&self, view: &mut View, at: i32, reply: &mut Reply<'_>, depth: usize) {
        if depth >= RETURNED_NESTING_MAX || !view.has_room(8) {
            return reply.error("ERR reached lua stack limit");
        }
        if self.named(view, at, reply, depth) {
            return;
        }
        let later = reply.array_later();
        let mut count = 0;
        loop {
            let is_there = view.with_element(at, count + 1, |view, element| {
                let is_there = view.seen(element) != Seen::Nil;
                let is_there = is_there && !self.is_full(reply);
                if is_there {
                    self.write(view, element, reply, depth + 1);
                }
                is_there
            });
            if !is_there {
                break;
            }
            count += 1;
        }
        reply.finish(later, count);
    }

    /// Writes a table that says by a name what it is; whether it is one.
    fn named(&self, view: &mut View, at: i32, reply: &mut Reply<'_>, depth: usize) -> bool {
        let mut is = |name: Name, write: Attempt<'_>| {
            view.with_field(at, name, |view, field| write(view, field, reply))
        };
        is(Name::Err, &mut |view, field, reply| {
            text_of(view, field, |text| reply.error(text))
        }) || is(Name::Ok, &mut |view, field, reply| {
            text_of(view, field, |text| status(text, reply))
        }) || is(Name::Double, &mut |view, field, reply| {
            match view.seen(field) {
                Seen::Number(number) => reply.double(number),
                _ => return false,
            }
            true
        }) || is(Name::Map, &mut |view, field, reply| {
            self.map(view, field, reply, depth)
        }) || is(Name::Set, &mut |view, field, reply| {
            self.set(view, field, reply, depth)
        }) || is(Name::BigNumber, &mut |view, field, reply| {
            text_of(view, field, |digits| reply.big_number(&one_line(digits)))
        }) || is(Name::VerbatimString, &mut |view, field, reply| {
            verbatim(view, field, reply)
        })
    }

    fn map(&self, view: &mut View, at: i32, reply: &mut Reply<'_>, depth: usize) -> bool {
        if view.seen(at) != Seen::Table {
            return false;
        }
        let later = reply.map_later();
        let mut count = 0;
        let _ = view.each_pair(at, |view, key| {
            self.write(view, key, reply, depth + 1);
            self.write(view, key + 1, reply, depth + 1);
            count += 1;
            stop_if(self.is_full(reply))
        });
        reply.finish(later, count);
        true
    }

    fn set(&self, view: &mut View, at: i32, reply: &mut Reply<'_>, depth: usize) -> bool {
        if view.seen(at) != Seen::Table {
            return false;
        }
        let later = reply.set_later();
        let mut count = 0;
        let _ = view.each_pair(at, |view, key| {
            self.write(view, key, reply, depth + 1);
            count += 1;
            stop_if(self.is_full(reply))
        });
        reply.finish(later, count);
        true
    }
}

/// Ends an iteration.
fn stop_if(is_full: bool) -> Result<(), ()> {
    if is_full { Err(()) } else { Ok(()) }
}

/// Writes a field if it has the right type; whether it has.
type Attempt<'a> = &'a mut dyn FnMut(&mut View, i32, &mut Reply<'_>) -> bool;

fn text_of(view: &View, at: i32, write: impl FnOnce(&[u8])) -> bool {
    let Seen::Text(text) = view.seen(at) else {
        return false;
    };
    write(text);
    true
}

fn status(text: &[u8], reply: &mut Reply<'_>) {
    if let Ok(line) = std::str::from_utf8(text)
        && line.is_ascii()
    {
        return reply.simple(line);
    }
    reply.raw(&[b"+", &*one_line(text), b"\r\n"].concat());
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

fn verbatim(view: &mut View, at: i32, reply: &mut Reply<'_>) -> bool {
    let field = |view: &mut View, name: Name| {
        view.with_field(at, name, |view, field| match view.seen(field) {
            Seen::Text(text) => Some(text.to_vec()),
            _ => None,
        })
    };
    let (Some(text), Some(format)) = (field(view, Name::String), field(view, Name::Format)) else {
        return false;
    };
    let letters: String = String::from_utf8_lossy(&format).chars().take(3).collect();
    let letters = format!("{letters:3}");
    let is_plain = letters.is_ascii();
    reply.verbatim(if is_plain { &letters } else { "txt" }, &text);
    true
}
