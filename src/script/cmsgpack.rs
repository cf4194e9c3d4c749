//! The library `cmsgpack` (lua-cmsgpack 0.4.0): Lua values as MessagePack and back.
//!
//! Format: <https://github.com/msgpack/msgpack/blob/master/spec.md>. Integers take the shortest form; other numbers 4 bytes
//! where that loses nothing; a table whose keys are 1 to n is an array, any other a map; what has no form is nil.

use super::arguments::{bad_argument, integer_or, one, out_of_memory, string};
use super::bridge::functions;
use mlua::{Lua, LuaString, MultiValue, Table, Value};

/// Tables inside one another that are packed: deeper ones become nil.
const PACKED_NESTING_MAX: usize = 16;
/// Arrays and maps inside one another that are unpacked.
const UNPACKED_NESTING_MAX: usize = 1_000;
/// Values that one call returns.
const RESULTS_MAX: usize = 7_900;
/// Places made ready for elements that are only announced.
const RESERVED_MAX: usize = 1_024;

const MISSING: &str = "Missing bytes in input.";
const BAD: &str = "Bad data format in input.";

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = functions(
        lua,
        &[
            ("pack", pack),
            ("unpack", unpack_all),
            ("unpack_one", unpack_one),
            ("unpack_limit", unpack_limit),
        ],
    )?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(table)
}

fn pack(lua: &Lua, args: &MultiValue) -> Result<MultiValue, String> {
    if args.is_empty() {
        return Err(bad_argument(0, "pack", "MessagePack pack needs input."));
    }
    let mut out = Vec::new();
    for arg in args {
        put(&mut out, arg, 0);
    }
    let packed = lua.create_string(&out).map_err(out_of_memory)?;
    Ok(one(Value::String(packed)))
}

fn put(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        Value::Boolean(truth) => out.push(if *truth { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => put_integer(out, *number),
        Value::Number(number) => put_number(out, *number),
        Value::String(text) => put_string(out, &text.as_bytes()),
        Value::Table(table) if depth < PACKED_NESTING_MAX => put_table(out, table, depth),
        _ => out.push(0xc0),
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

fn put_table(out: &mut Vec<u8>, table: &Table, depth: usize) {
    if let Some(length) = sequence_length(table) {
        put_count(out, length, (0x90, 15), [None, Some(0xdc), Some(0xdd)]);
        for index in 1..=length {
            let element = table.raw_get(index as mlua::Integer).unwrap_or(Value::Nil);
            put(out, &element, depth + 1);
        }
        return;
    }
    let pairs: Vec<(Value, Value)> = table.pairs().flatten().collect();
    put_count(out, pairs.len(), (0x80, 15), [None, Some(0xde), Some(0xdf)]);
    for (key, value) in &pairs {
        put(out, key, depth + 1);
        put(out, value, depth + 1);
    }
}

/// The number of elements, if the keys are exactly 1 to that.
fn sequence_length(table: &Table) -> Option<usize> {
    let (mut count, mut highest) = (0, 0);
    for pair in table.pairs::<Value, Value>() {
        let Ok((Value::Integer(key), _)) = pair else {
            return None;
        };
        if key <= 0 {
            return None;
        }
        highest = highest.max(key as usize);
        count += 1;
    }
    (highest == count).then_some(count)
}

fn unpack_all(lua: &Lua, args: &MultiValue) -> Result<MultiValue, String> {
    unpack(lua, args, "unpack", 0, 0).map(|(_, values)| values)
}

fn unpack_one(lua: &Lua, args: &MultiValue) -> Result<MultiValue, String> {
    let offset = integer_or(lua, args, 2, "unpack_one", 0)?;
    let (next, mut values) = unpack(lua, args, "unpack_one", 1, offset)?;
    values.push_front(Value::Number(next));
    Ok(values)
}

fn unpack_limit(lua: &Lua, args: &MultiValue) -> Result<MultiValue, String> {
    let limit = super::arguments::number(lua, args, 2, "unpack_limit")? as i64;
    let offset = integer_or(lua, args, 3, "unpack_limit", 0)?;
    let (next, mut values) = unpack(lua, args, "unpack_limit", limit, offset)?;
    if limit != 0 || offset != 0 {
        values.push_front(Value::Number(next));
    }
    Ok(values)
}

/// Reads up to `limit` values (0: all) from `offset` on; where it stopped (-1: at the end), and the values.
fn unpack(
    lua: &Lua,
    args: &MultiValue,
    function: &str,
    limit: i64,
    offset: i64,
) -> Result<(f64, MultiValue), String> {
    let text: LuaString = string(lua, args, 1, function)?;
    let bytes = text.as_bytes();
    let (Ok(limit), Ok(offset)) = (usize::try_from(limit), usize::try_from(offset)) else {
        return Err(format!(
            "Invalid request to unpack with offset of {offset} and limit of {}.",
            bytes.len()
        ));
    };
    if offset > bytes.len() {
        return Err(format!(
            "Start offset {offset} greater than input length {}.",
            bytes.len()
        ));
    }
    let mut reader = Reader {
        lua,
        bytes: &bytes,
        at: offset,
    };
    let mut values = Vec::new();
    while reader.at < bytes.len() && (limit == 0 || values.len() < limit) {
        if values.len() >= RESULTS_MAX {
            return Err("stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)".to_owned());
        }
        values.push(reader.value(0)?);
    }
    let next = if reader.at >= bytes.len() {
        -1.0
    } else {
        reader.at as f64
    };
    Ok((next, MultiValue::from_vec(values)))
}

struct Reader<'a> {
    lua: &'a Lua,
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

    fn signed(&mut self, count: usize) -> Result<Value, String> {
        let unused = 64 - 8 * count as u32;
        let value = ((self.unsigned(count)? << unused) as i64) >> unused;
        Ok(Value::Number(value as f64))
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        let tag = self.unsigned(1)? as u8;
        Ok(match tag {
            0x00..=0x7f => Value::Integer(mlua::Integer::from(tag)),
            0xe0..=0xff => Value::Integer(mlua::Integer::from(tag as i8)),
            0x80..=0x8f => self.map(usize::from(tag & 15), depth)?,
            0x90..=0x9f => self.array(usize::from(tag & 15), depth)?,
            0xa0..=0xbf => self.string(usize::from(tag & 31))?,
            0xc0 => Value::Nil,
            0xc2 | 0xc3 => Value::Boolean(tag == 0xc3),
            0xca => Value::Number(f64::from(f32::from_bits(self.unsigned(4)? as u32))),
            0xcb => Value::Number(f64::from_bits(self.unsigned(8)?)),
            // Lua-cmsgpack takes 64 bits as signed ones, here too.
            0xcc..=0xcf => Value::Number(self.unsigned(1 << (tag - 0xcc))? as i64 as f64),
            0xd0..=0xd3 => self.signed(1 << (tag - 0xd0))?,
            0xd9..=0xdb => self.sized(1 << (tag - 0xd9), Self::string)?,
            0xdc | 0xdd => self.sized(2 << (tag - 0xdc), |reader, count| {
                reader.array(count, depth)
            })?,
            0xde | 0xdf => {
                self.sized(2 << (tag - 0xde), |reader, count| reader.map(count, depth))?
            }
            _ => return Err(BAD.to_owned()),
        })
    }

    /// What is preceded by its length in so many bytes.
    fn sized(
        &mut self,
        count_bytes: usize,
        read: impl FnOnce(&mut Self, usize) -> Result<Value, String>,
    ) -> Result<Value, String> {
        let count = self.unsigned(count_bytes)? as usize;
        read(self, count)
    }

    fn string(&mut self, length: usize) -> Result<Value, String> {
        let text = self.take(length)?;
        let text = self.lua.create_string(text).map_err(out_of_memory)?;
        Ok(Value::String(text))
    }

    fn array(&mut self, count: usize, depth: usize) -> Result<Value, String> {
        check_depth(depth, "mp_decode_to_lua_array")?;
        let table = self.table(count, 0)?;
        for index in 1..=count {
            let value = self.value(depth + 1)?;
            table.raw_seti(index, value).map_err(out_of_memory)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, count: usize, depth: usize) -> Result<Value, String> {
        check_depth(depth, "mp_decode_to_lua_hash")?;
        let table = self.table(0, count)?;
        for _ in 0..count {
            let key = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            match key {
                Value::Nil => return Err("table index is nil".to_owned()),
                Value::Number(number) if number.is_nan() => {
                    return Err("table index is NaN".to_owned());
                }
                key => table.raw_set(key, value).map_err(out_of_memory)?,
            }
        }
        Ok(Value::Table(table))
    }

    fn table(&self, elements: usize, pairs: usize) -> Result<Table, String> {
        let (elements, pairs) = (elements.min(RESERVED_MAX), pairs.min(RESERVED_MAX));
        let table = self.lua.create_table_with_capacity(elements, pairs);
        table.map_err(out_of_memory)
    }
}

fn check_depth(depth: usize, function: &str) -> Result<(), String> {
    if depth >= UNPACKED_NESTING_MAX {
        return Err(format!("stack overflow (in function {function})"));
    }
    Ok(())
}
