//! The library `bit` (BitOp 1.0.2): operations on 32 bits. Numbers are taken modulo 2^32, results are signed.

use super::arguments::{number, one};
use super::bridge::functions;
use mlua::{Lua, MultiValue, Table, Value};

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    functions(
        lua,
        &[
            ("tobit", |lua, args| unary(lua, args, "tobit", |bits| bits)),
            ("bnot", |lua, args| unary(lua, args, "bnot", |bits| !bits)),
            ("bswap", |lua, args| {
                unary(lua, args, "bswap", u32::swap_bytes)
            }),
            ("band", |lua, args| fold(lua, args, "band", |a, b| a & b)),
            ("bor", |lua, args| fold(lua, args, "bor", |a, b| a | b)),
            ("bxor", |lua, args| fold(lua, args, "bxor", |a, b| a ^ b)),
            ("lshift", |lua, args| {
                shift(lua, args, "lshift", |bits, by| bits << by)
            }),
            ("rshift", |lua, args| {
                shift(lua, args, "rshift", |bits, by| bits >> by)
            }),
            ("arshift", |lua, args| {
                shift(lua, args, "arshift", |bits, by| (bits as i32 >> by) as u32)
            }),
            ("rol", |lua, args| shift(lua, args, "rol", u32::rotate_left)),
            ("ror", |lua, args| {
                shift(lua, args, "ror", u32::rotate_right)
            }),
            ("tohex", tohex),
        ],
    )
}

type Result = std::result::Result<MultiValue, String>;

/// Added to a number, it moves the low 32 bits of the integer to the low end of the mantissa.
const SHIFTER: f64 = 6_755_399_441_055_744.0;

fn bits(lua: &Lua, args: &MultiValue, at: usize, name: &str) -> std::result::Result<u32, String> {
    Ok((number(lua, args, at, name)? + SHIFTER).to_bits() as u32)
}

fn signed(bits: u32) -> Result {
    Ok(one(Value::Integer(bits as i32 as mlua::Integer)))
}

fn unary(lua: &Lua, args: &MultiValue, name: &str, operation: fn(u32) -> u32) -> Result {
    signed(operation(bits(lua, args, 1, name)?))
}

fn fold(lua: &Lua, args: &MultiValue, name: &str, operation: fn(u32, u32) -> u32) -> Result {
    let mut result = bits(lua, args, 1, name)?;
    for at in (2..=args.len()).rev() {
        result = operation(result, bits(lua, args, at, name)?);
    }
    signed(result)
}

fn shift(lua: &Lua, args: &MultiValue, name: &str, operation: fn(u32, u32) -> u32) -> Result {
    let value = bits(lua, args, 1, name)?;
    let by = bits(lua, args, 2, name)?;
    signed(operation(value, by & 31))
}

fn tohex(lua: &Lua, args: &MultiValue) -> Result {
    let value = bits(lua, args, 1, "tohex")?;
    let digits = if args.len() < 2 {
        8
    } else {
        bits(lua, args, 2, "tohex")? as i32
    };
    let count = digits.unsigned_abs().min(8) as usize;
    let all = if digits < 0 {
        format!("{value:08X}")
    } else {
        format!("{value:08x}")
    };
    let shown = all.get(8 - count..).unwrap_or_default();
    let text = lua.create_string(shown);
    Ok(one(Value::String(
        text.map_err(super::arguments::out_of_memory)?,
    )))
}
