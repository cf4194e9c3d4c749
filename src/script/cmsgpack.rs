//! The library `cmsgpack` (lua-cmsgpack 0.4.0): Lua values as MessagePack and back.
//!
//! Format: <https://github.com/msgpack/msgpack/blob/master/spec.md>. Integers take the shortest form; other numbers 4 bytes
//! where that loses nothing; a table whose keys are 1 to n is an array, any other a map; what has no form is nil.

use super::arguments::{bad_argument, integer_or, number, string};
use super::machine::{STRING_MAX_BYTES, State};
use super::reply::truncated;
use super::stack::{Native, Raise, Seen, Stack, View};
use std::convert::Infallible;

/// Tables inside one another that are packed: deeper ones become nil.
const PACKED_NESTING_MAX: usize = 16;
/// Places on the stack that packing takes for them.
const NESTING_SLOTS: i32 = 4 * PACKED_NESTING_MAX as i32;
/// Arrays and maps inside one another that are unpacked.
const UNPACKED_NESTING_MAX: usize = 1_000;
/// Places made ready for elements that are only announced.
const RESERVED_MAX: usize = 1_024;

const MISSING: &str = "Missing bytes in input.";
const BAD: &str = "Bad data format in input.";

/// Its functions.
pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("pack", pack),
    ("unpack", |stack, _| unpack_all(stack)),
    ("unpack_one", |stack, _| unpack_one(stack)),
    ("unpack_limit", |stack, _| unpack_limit(stack)),
];
/// Its other fields.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("_NAME", "cmsgpack"),
    ("_VERSION", "lua-cmsgpack 0.4.0"),
    ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
    ("_DESCRIPTION", "MessagePack C implementation for Lua"),
];

fn pack(stack: &mut Stack, state: &State) -> Result<i32, Raise> {
    let count = stack.top();
    if count == 0 {
        return Err(bad_argument(0, "pack", "MessagePack pack needs input.").into());
    }
    if !stack.has_room(count.max(NESTING_SLOTS)) {
        return Err("Too many arguments for MessagePack pack.".to_owned().into());
    }
    let mut packer = Packer {
        state,
        steps: 0,
        out: Vec::with_capacity(64),
    };
    for at in 1..=count {
        packer.put(stack, at, 0)?;
    }
    stack.clear();
    stack.push_text(&packer.out);
    Ok(1)
}

/// Packs one value after the other.
struct Packer<'a> {
    state: &'a State,
    steps: u32,
    out: Vec<u8>,
}

impl Packer<'_> {
    fn put(&mut self, view: &mut View, at: i32, depth: usize) -> Result<(), Raise> {
        let out = &mut self.out;
        match view.seen(at) {
            Seen::Boolean(truth) => out.push(if truth { 0xc3 } else { 0xc2 }),
            Seen::Number(number) => put_number(out, number),
            Seen::Text(text) => put_string(out, text),
            Seen::Table if depth < PACKED_NESTING_MAX => self.put_table(view, at, depth)?,
            _ => out.push(0xc0),
        }
        // A small table that holds another many times over, and so on, would fill the memory.
        if self.out.len() > STRING_MAX_BYTES {
            return Err(Raise::Memory);
        }
        self.state.check_clock(view, &mut self.steps)
    }

    fn put_table(&mut self, view: &mut View, at: i32, depth: usize) -> Result<(), Raise> {
        let (keys, is_sequence) = keys_of(view, at);
        if is_sequence {
            let tags = [None, Some(0xdc), Some(0xdd)];
            put_count(&mut self.out, keys, (0x90, 15), tags);
            return (1..=keys).try_for_each(|index| {
                view.with_element(at, index, |view, element| {
                    self.put(view, element, depth + 1)
                })
            });
        }
        let tags = [None, Some(0xde), Some(0xdf)];
        put_count(&mut self.out, keys, (0x80, 15), tags);
        view.each_pair(at, |view, key| {
            self.put(view, key, depth + 1)?;
            self.put(view, key + 1, depth + 1)
        })
    }
}

fn put_number(out: &mut Vec<u8>, number: f64) {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) && number as i64 as f64 == number {
        return put_integer(out, number as i64);
    }
    let short = number as f32;
    if f64::from(short) == number {
        out.push(0xca);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn put_integer(out: &mut Vec<u8>, number: i64) {
    let mut tagged = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match number {
        0..=127 => tagged(number as u8, &[]),
        128..=0xff => tagged(0xcc, &[number as u8]),
        0x100..=0xffff => tagged(0xcd, &(number as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => tagged(0xce, &(number as u32).to_be_bytes()),
        0x1_0000_0000.. => tagged(0xcf, &number.to_be_bytes()),
        -32..=-1 => tagged(number as u8, &[]),
        -128..=-33 => tagged(0xd0, &[number as u8]),
        -0x8000..=-129 => tagged(0xd1, &(number as i16).to_be_bytes()),
        -0x8000_0000..=-0x8001 => tagged(0xd2, &(number as i32).to_be_bytes()),
        _ => tagged(0xd3, &number.to_be_bytes()),
    }
}

/// A tag and a count: in the tag itself, or in 1 (where there is such a form), 2 or 4 bytes behind it.
fn put_count(out: &mut Vec<u8>, count: usize, short: (u8, usize), tags: [Option<u8>; 3]) {
    let (tag, limit) = short;
    if count <= limit {
        return out.push(tag | count as u8);
    }
    match (tags, count) {
        ([Some(tag), _, _], 0..=0xff) => out.extend_from_slice(&[tag, count as u8]),
        ([_, Some(tag), _], 0..=0xffff) => {
            out.push(tag);
            out.extend_from_slice(&(count as u16).to_be_bytes());
        }
        ([_, _, tag], _) => {
            out.push(tag.unwrap_or_default());
            out.extend_from_slice(&(count as u32).to_be_bytes());
        }
    }
}

fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    let tags = [Some(0xd9), Some(0xda), Some(0xdb)];
    put_count(out, text.len(), (0xa0, 31), tags);
    out.extend_from_slice(text);
}

/// The number of keys, and whether they are 1 to that.
fn keys_of(view: &mut View, at: i32) -> (usize, bool) {
    let (mut count, mut highest, mut is_sequence) = (0, 0.0_f64, true);
    let Ok(()) = view.each_pair(at, |view, key| {
        count += 1;
        match view.seen(key) {
            Seen::Number(number) if number > 0.0 && number.floor() == number => {
                highest = highest.max(number);
            }
            _ => is_sequence = false,
        }
        Ok::<(), Infallible>(())
    });
    (count, is_sequence && highest == count as f64)
}

fn unpack_all(stack: &mut Stack) -> Result<i32, Raise> {
    unpack(stack, "unpack", 0, 0)?;
    Ok(stack.top())
}

fn unpack_one(stack: &mut Stack) -> Result<i32, Raise> {
    let offset = integer_or(stack, 2, "unpack_one", 0)?;
    let next = unpack(stack, "unpack_one", 1, offset)?;
    Ok(with_first(stack, next))
}

fn unpack_limit(stack: &mut Stack) -> Result<i32, Raise> {
    let limit = truncated(number(stack, 2, "unpack_limit")?);
    let offset = integer_or(stack, 3, "unpack_limit", 0)?;
    let next = unpack(stack, "unpack_limit", limit, offset)?;
    if limit == 0 && offset == 0 {
        return Ok(stack.top());
    }
    Ok(with_first(stack, next))
}

/// Puts a number below the results.
fn with_first(stack: &mut Stack, number: f64) -> i32 {
    stack.push_number(number);
    stack.sink();
    stack.top()
}

/// Reads up to `limit` values (0: all) from `offset` on, which are then all that is on the stack; where it stopped (-1: at
/// the end).
fn unpack(stack: &mut Stack, function: &str, limit: i64, offset: i64) -> Result<f64, Raise> {
    let bytes = string(stack, 1, function)?.to_vec();
    let (Ok(limit), Ok(offset)) = (usize::try_from(limit), usize::try_from(offset)) else {
        let length = bytes.len();
        return Err(format!(
            "Invalid request to unpack with offset of {offset} and limit of {length}."
        )
        .into());
    };
    if offset > bytes.len() {
        let length = bytes.len();
        return Err(format!("Start offset {offset} greater than input length {length}.").into());
    }
    let mut reader = Reader {
        bytes: &bytes,
        at: offset,
    };
    stack.clear();
    let mut values = 0;
    while reader.at < bytes.len() && (limit == 0 || values < limit) {
        if !stack.has_room(8) {
            return Err("stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)".to_owned().into());
        }
        reader.value(stack, 0)?;
        values += 1;
    }
    Ok(if reader.at >= bytes.len() {
        -1.0
    } else {
        reader.at as f64
    })
}

/// Reads values and pushes them.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).ok_or(MISSING)?;
        let bytes = self.bytes.get(self.at..end).ok_or(MISSING)?;
        self.at = end;
        Ok(bytes)
    }

    /// A big-endian number of so many bytes.
    fn unsigned(&mut self, count: usize) -> Result<u64, String> {
        let bytes = self.take(count)?;
        Ok(bytes
            .iter()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte)))
    }

    fn signed(&mut self, count: usize) -> Result<f64, String> {
        let unused = 64 - 8 * count as u32;
        let value = ((self.unsigned(count)? << unused) as i64) >> unused;
        Ok(value as f64)
    }

    fn value(&mut self, stack: &mut Stack, depth: usize) -> Result<(), Raise> {
        let tag = self.unsigned(1)? as u8;
        match tag {
            0x00..=0x7f => stack.push_number(f64::from(tag)),
            0xe0..=0xff => stack.push_number(f64::from(tag as i8)),
            0x80..=0x8f => self.map(stack, usize::from(tag & 15), depth)?,
            0x90..=0x9f => self.array(stack, usize::from(tag & 15), depth)?,
            0xa0..=0xbf => stack.push_text(self.take(usize::from(tag & 31))?),
            0xc0 => stack.push_nil(),
            0xc2 | 0xc3 => stack.push_boolean(tag == 0xc3),
            0xca => stack.push_number(f64::from(f32::from_bits(self.unsigned(4)? as u32))),
            0xcb => stack.push_number(f64::from_bits(self.unsigned(8)?)),
            // Lua-cmsgpack takes 64 bits as signed ones, here too.
            0xcc..=0xcf => stack.push_number(self.unsigned(1 << (tag - 0xcc))? as i64 as f64),
            0xd0..=0xd3 => stack.push_number(self.signed(1 << (tag - 0xd0))?),
            0xd9..=0xdb => {
                let length = self.unsigned(1 << (tag - 0xd9))? as usize;
                stack.push_text(self.take(length)?);
            }
            0xdc | 0xdd => {
                let count = self.unsigned(2 << (tag - 0xdc))? as usize;
                self.array(stack, count, depth)?;
            }
            0xde | 0xdf => {
                let count = self.unsigned(2 << (tag - 0xde))? as usize;
                self.map(stack, count, depth)?;
            }
            _ => return Err(BAD.to_owned().into()),
        }
        Ok(())
    }

    fn array(&mut self, stack: &mut Stack, count: usize, depth: usize) -> Result<(), Raise> {
        check_depth(stack, depth, "mp_decode_to_lua_array")?;
        let table = stack.push_table(count.min(RESERVED_MAX), 0);
        for index in 1..=count {
            self.value(stack, depth + 1)?;
            stack.set_element(table, index);
            check_now_and_then(stack, index)?;
        }
        Ok(())
    }

    fn map(&mut self, stack: &mut Stack, count: usize, depth: usize) -> Result<(), Raise> {
        check_depth(stack, depth, "mp_decode_to_lua_hash")?;
        let table = stack.push_table(0, count.min(RESERVED_MAX));
        for index in 1..=count {
            self.value(stack, depth + 1)?;
            self.value(stack, depth + 1)?;
            stack.set_pair(table).map_err(str::to_owned)?;
            check_now_and_then(stack, index)?;
        }
        Ok(())
    }
}

fn check_depth(stack: &Stack, depth: usize, function: &str) -> Result<(), String> {
    if depth >= UNPACKED_NESTING_MAX || !stack.has_room(8) {
        return Err(format!("stack overflow (in function {function})"));
    }
    Ok(())
}

fn check_now_and_then(stack: &Stack, index: usize) -> Result<(), Raise> {
    const PERIOD: usize = 256;
    if index.is_multiple_of(PERIOD) {
        stack.check_memory()?;
    }
    Ok(())
}
