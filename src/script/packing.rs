//! The library `struct` (0.2): numbers and strings to bytes and back, by a format.
//!
//! ```text
//! <  >        little, big endian            b B h H l L T   integers of 1, 2, 8 and 8 bytes; capitals unsigned
//! ! [n]       align at up to n bytes        i I [n]         integers of n (4) bytes
//! x           a byte of padding             f d             floating point of 4 and 8 bytes
//! (space)     nothing                       s  c [n]        zero-terminated string; n bytes (0: all, or as just read)
//! ```

use super::arguments::{bad_argument, integer_or, number, string};
use super::machine::STRING_MAX_BYTES;
use super::reply::truncated;
use super::stack::{Native, Raise, Stack};

/// Bytes of the widest integer.
const INTEGER_MAX_BYTES: usize = 32;
/// The alignment that a bare `!` asks for.
const ALIGNMENT_DEFAULT: usize = 8;

/// Its functions.
pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("pack", |stack, _| pack(stack)),
    ("unpack", |stack, _| unpack(stack)),
    ("size", |stack, _| size_of_format(stack)),
];

/// A format that is being read.
struct Format<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
    align: usize,
    function: &'static str,
}

impl<'a> Format<'a> {
    fn new(bytes: &'a [u8], function: &'static str) -> Self {
        Self {
            bytes,
            at: 0,
            big_endian: false,
            align: 1,
            function,
        }
    }

    /// The next option and its size; `None`: the format ends.
    fn next(&mut self) -> Result<Option<(u8, usize)>, String> {
        // A format ends at a NUL as well.
        let Some(option) = self.bytes.get(self.at).filter(|option| **option != 0) else {
            return Ok(None);
        };
        self.at += 1;
        let size = match option {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'f' => 4,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'c' => self.count(1)?,
            b'i' | b'I' => {
                let size = self.count(4)?;
                if size > INTEGER_MAX_BYTES {
                    return Err(format!(
                        "integral size {size} is larger than limit of {INTEGER_MAX_BYTES}"
                    ));
                }
                size
            }
            _ => 0,
        };
        Ok(Some((*option, size)))
    }

    fn count(&mut self, default: usize) -> Result<usize, String> {
        let digits = self.bytes.get(self.at..).unwrap_or_default();
        let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
        let mut count = None;
        for digit in digits {
            let next = count.unwrap_or(0_i32).checked_mul(10);
            let next = next.and_then(|tens| tens.checked_add(i32::from(digit - b'0')));
            count = Some(next.ok_or("integral size overflow")?);
            self.at += 1;
        }
        Ok(count.map_or(default, |count| count as usize))
    }

    /// Bytes to skip before a value of this size.
    fn padding(&self, offset: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let size = size.min(self.align);
        size.wrapping_sub(offset & (size - 1)) & (size - 1)
    }

    /// An option that is no value.
    fn control(&mut self, option: u8) -> Result<(), String> {
        match option {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let align = self.count(ALIGNMENT_DEFAULT)?;
                if !align.is_power_of_two() {
                    return Err(format!("alignment {align} is not a power of 2"));
                }
                self.align = align;
            }
            _ => {
                let what = format!("invalid format option '{}'", char::from(option));
                return Err(bad_argument(1, self.function, &what));
            }
        }
        Ok(())
    }
}

fn pack(stack: &mut Stack) -> Result<i32, Raise> {
    let text = string(stack, 1, "pack")?.to_vec();
    let mut format = Format::new(&text, "pack");
    let mut out = Vec::new();
    let mut at = 2;
    while let Some((option, size)) = format.next()? {
        let padded = out.len() + format.padding(out.len(), option, size);
        out.resize(padded, 0);
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let value = number(stack, at, "pack")?;
                put_integer(&mut out, value, size, format.big_endian);
                at += 1;
            }
            b'x' => out.push(0),
            b'f' => {
                let value = (number(stack, at, "pack")? as f32).to_bits();
                put_bytes(&mut out, &value.to_le_bytes(), format.big_endian);
                at += 1;
            }
            b'd' => {
                let value = number(stack, at, "pack")?.to_bits();
                put_bytes(&mut out, &value.to_le_bytes(), format.big_endian);
                at += 1;
            }
            b'c' | b's' => {
                let value = string(stack, at, "pack")?;
                at += 1;
                let size = if size == 0 { value.len() } else { size };
                let taken = value
                    .get(..size)
                    .ok_or_else(|| bad_argument(at, "pack", "string too short"))?;
                out.extend_from_slice(taken);
                if option == b's' {
                    out.push(0);
                }
            }
            other => format.control(other)?,
        }
        // One long string may be an argument many times over.
        if out.len() > STRING_MAX_BYTES {
            return Err(Raise::Memory);
        }
    }
    stack.clear();
    stack.push_text(&out);
    Ok(1)
}

fn put_integer(out: &mut Vec<u8>, number: f64, size: usize, big_endian: bool) {
    let value = if number < 0.0 {
        truncated(number) as u64
    } else {
        unsigned(number)
    };
    let mut bytes = [0; INTEGER_MAX_BYTES];
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    put_bytes(out, bytes.get(..size).unwrap_or_default(), big_endian);
}

/// A number that is not negative as the processor makes an unsigned integer of it.
fn unsigned(number: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if number >= HALF {
        (truncated(number - HALF) as u64) ^ (1 << 63)
    } else {
        truncated(number) as u64
    }
}

/// Appends the bytes of a little-endian value in the order that is asked for.
fn put_bytes(out: &mut Vec<u8>, little: &[u8], big_endian: bool) {
    if big_endian {
        out.extend(little.iter().rev());
    } else {
        out.extend_from_slice(little);
    }
}

fn unpack(stack: &mut Stack) -> Result<i32, Raise> {
    let text = string(stack, 1, "unpack")?.to_vec();
    let data = string(stack, 2, "unpack")?.to_vec();
    let start = integer_or(stack, 3, "unpack", 1)?;
    if start == 0 {
        return Err(bad_argument(3, "unpack", "offset must be 1 or greater").into());
    }
    let short = || bad_argument(2, "unpack", "data string too short");
    let mut format = Format::new(&text, "unpack");
    // A negative start is one far behind the data.
    let mut at = (start as usize).wrapping_sub(1);
    stack.clear();
    while let Some((option, mut size)) = format.next()? {
        at = at.saturating_add(format.padding(at, option, size));
        let slice = |size: usize| {
            let end = at.checked_add(size).ok_or_else(short)?;
            data.get(at..end).ok_or_else(short)
        };
        let bytes = slice(size)?;
        if !stack.has_room(2) {
            return Err("stack overflow (too many results)".to_owned().into());
        }
        match option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let is_signed = option.is_ascii_lowercase();
                stack.push_number(integer_of(bytes, format.big_endian, is_signed));
            }
            b'x' => {}
            b'f' => {
                let bits = ordered(bytes, format.big_endian) as u32;
                stack.push_number(f64::from(f32::from_bits(bits)));
            }
            b'd' => {
                let bits = ordered(bytes, format.big_endian);
                stack.push_number(f64::from_bits(bits));
            }
            b'c' => {
                if size == 0 {
                    size = previous_size(stack)?.ok_or_else(short)?;
                }
                stack.push_text(slice(size)?);
            }
            b's' => {
                let rest = data.get(at..).unwrap_or_default();
                let end = rest.iter().position(|byte| *byte == 0);
                let end = end.ok_or_else(|| "unfinished string in data".to_owned())?;
                stack.push_text(rest.get(..end).unwrap_or_default());
                size = end + 1;
            }
            other => format.control(other)?,
        }
        at += size;
    }
    stack.push_number(at.wrapping_add(1) as i64 as f64);
    Ok(stack.top())
}

/// Takes the number that was read last as the size of a string; `None`: it is no size.
fn previous_size(stack: &mut Stack) -> Result<Option<usize>, String> {
    let top = stack.top();
    let before = (top > 0).then(|| stack.number(top)).flatten();
    let before = before.ok_or("format 'c0' needs a previous size")?;
    stack.truncate(top - 1);
    Ok((before >= 0.0).then(|| unsigned(before) as usize))
}

/// Up to the last 8 bytes of a number, as the processor adds them up.
fn ordered(bytes: &[u8], big_endian: bool) -> u64 {
    let add = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
    if big_endian {
        bytes.iter().fold(0, add)
    } else {
        bytes.iter().rev().fold(0, add)
    }
}

fn integer_of(bytes: &[u8], big_endian: bool, is_signed: bool) -> f64 {
    let value = ordered(bytes, big_endian);
    if !is_signed {
        return value as f64;
    }
    let sign_at = (bytes.len() as u32).wrapping_mul(8).wrapping_sub(1);
    let mask = u64::MAX.wrapping_shl(sign_at);
    let value = if value & mask == 0 {
        value
    } else {
        value | mask
    };
    value as i64 as f64
}

fn size_of_format(stack: &mut Stack) -> Result<i32, Raise> {
    let text = string(stack, 1, "size")?.to_vec();
    let mut format = Format::new(&text, "size");
    let mut at = 0_usize;
    while let Some((option, size)) = format.next()? {
        at = at.saturating_add(format.padding(at, option, size));
        match (option, size) {
            (b's', _) => {
                return Err(bad_argument(1, "size", "option 's' has no fixed size").into());
            }
            (b'c', 0) => {
                return Err(bad_argument(1, "size", "option 'c0' has no fixed size").into());
            }
            (option, _) if !option.is_ascii_alphanumeric() => format.control(option)?,
            _ => {}
        }
        at = at.saturating_add(size);
    }
    stack.clear();
    stack.push_number(at as f64);
    Ok(1)
}
