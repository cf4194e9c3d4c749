//! The library `bit` (BitOp 1.0.2): operations on 32 bits. Numbers are taken modulo 2^32, results are signed.

use super::arguments::number;
use super::stack::{Native, Raise, Stack};

/// Its functions.
pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("tobit", |stack, _| unary(stack, "tobit", |bits| bits)),
    ("bnot", |stack, _| unary(stack, "bnot", |bits| !bits)),
    ("bswap", |stack, _| unary(stack, "bswap", u32::swap_bytes)),
    ("band", |stack, _| fold(stack, "band", |a, b| a & b)),
    ("bor", |stack, _| fold(stack, "bor", |a, b| a | b)),
    ("bxor", |stack, _| fold(stack, "bxor", |a, b| a ^ b)),
    ("lshift", |stack, _| {
        shift(stack, "lshift", |bits, by| bits << by)
    }),
    ("rshift", |stack, _| {
        shift(stack, "rshift", |bits, by| bits >> by)
    }),
    ("arshift", |stack, _| {
        shift(stack, "arshift", |bits, by| (bits as i32 >> by) as u32)
    }),
    ("rol", |stack, _| shift(stack, "rol", u32::rotate_left)),
    ("ror", |stack, _| shift(stack, "ror", u32::rotate_right)),
    ("tohex", |stack, _| tohex(stack)),
];

/// Added to a number, it moves the low 32 bits of the integer to the low end of the mantissa.
const SHIFTER: f64 = 6_755_399_441_055_744.0;

fn bits(stack: &Stack, at: i32, name: &str) -> Result<u32, Raise> {
    Ok((number(stack, at, name)? + SHIFTER).to_bits() as u32)
}

/// Answers the result, in the place of the arguments: there may be more of these than leave room for it.
fn signed(stack: &mut Stack, bits: u32) -> Result<i32, Raise> {
    stack.clear();
    stack.push_number(f64::from(bits as i32));
    Ok(1)
}

fn unary(stack: &mut Stack, name: &str, operation: fn(u32) -> u32) -> Result<i32, Raise> {
    let result = operation(bits(stack, 1, name)?);
    signed(stack, result)
}

fn fold(stack: &mut Stack, name: &str, operation: fn(u32, u32) -> u32) -> Result<i32, Raise> {
    let mut result = bits(stack, 1, name)?;
    for at in (2..=stack.top()).rev() {
        result = operation(result, bits(stack, at, name)?);
    }
    signed(stack, result)
}

fn shift(stack: &mut Stack, name: &str, operation: fn(u32, u32) -> u32) -> Result<i32, Raise> {
    let value = bits(stack, 1, name)?;
    let by = bits(stack, 2, name)?;
    signed(stack, operation(value, by & 31))
}

fn tohex(stack: &mut Stack) -> Result<i32, Raise> {
    let value = bits(stack, 1, "tohex")?;
    let digits = match stack.top() {
        1 => 8,
        _ => bits(stack, 2, "tohex")? as i32,
    };
    let count = digits.unsigned_abs().min(8) as usize;
    let all = if digits < 0 {
        format!("{value:08X}")
    } else {
        format!("{value:08x}")
    };
    let shown = all.get(8 - count..).unwrap_or_default();
    stack.clear();
    stack.push_text(shown.as_bytes());
    Ok(1)
}
