//! Lua values to JSON.

use super::{DEPTH_MAX, Invalid, Settings};
use crate::script::machine::{STRING_MAX_BYTES, State};
use crate::script::number_text::write_g;
use crate::script::stack::{Raise, Seen, View};

/// Writes the first value on the stack.
///
/// # Errors
/// It, or something in it, has no form in JSON, or is too deep.
pub(super) fn encode(settings: Settings, state: &State, view: &mut View) -> Result<Vec<u8>, Raise> {
    let mut encoder = Encoder {
        settings,
        state,
        steps: 0,
        out: Vec::with_capacity(256),
    };
    encoder.value(view, 1, 0)?;
    Ok(encoder.out)
}

struct Encoder<'a> {
    settings: Settings,
    state: &'a State,
    steps: u32,
    out: Vec<u8>,
}

impl Encoder<'_> {
    fn value(&mut self, view: &mut View, at: i32, depth: i32) -> Result<(), Raise> {
        match view.seen(at) {
            Seen::Text(text) => self.string(text),
            Seen::Number(number) => self.number(number)?,
            Seen::Boolean(true) => self.out.extend_from_slice(b"true"),
            Seen::Boolean(false) => self.out.extend_from_slice(b"false"),
            Seen::Nil | Seen::Null => self.out.extend_from_slice(b"null"),
            Seen::Table => self.table(view, at, depth + 1)?,
            other => return Err(not_serialisable(other.type_name(), "type not supported")),
        }
        Ok(())
    }

    fn number(&mut self, number: f64) -> Result<(), Raise> {
        if number.is_finite() {
            write_g(&mut self.out, number, self.settings.precision as usize);
            return Ok(());
        }
        match self.settings.encode_invalid {
            Invalid::Refused => Err(not_serialisable("number", "must not be NaN or Inf")),
            Invalid::Null => {
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            Invalid::Written => {
                let text: &[u8] = if number.is_nan() {
                    b"nan"
                } else if number > 0.0 {
                    b"inf"
                } else {
                    b"-inf"
                };
                self.out.extend_from_slice(text);
                Ok(())
            }
        }
    }

    fn string(&mut self, text: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        let mut rest = text;
        loop {
            let plain = rest.iter().position(|byte| IS_ESCAPED[usize::from(*byte)]);
            let Some((plain, [byte, behind @ ..])) = plain.and_then(|at| rest.split_at_checked(at))
            else {
                break;
            };
            self.out.extend_from_slice(plain);
            rest = behind;
            let short = match byte {
                b'"' | b'\\' | b'/' => *byte,
                0x08 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                0x0c => b'f',
                b'\r' => b'r',
                _ => {
                    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
                    self.out.extend_from_slice(b"\\u00");
                    self.out
                        .extend_from_slice(&[digit(byte >> 4), digit(*byte)]);
                    continue;
                }
            };
            self.out.extend_from_slice(&[b'\\', short]);
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
    }

    fn table(&mut self, view: &mut View, at: i32, depth: i32) -> Result<(), Raise> {
        if depth > self.settings.encode_max_depth.min(DEPTH_MAX) || !view.has_room(8) {
            return Err(format!("Cannot serialise, excessive nesting ({depth})").into());
        }
        match self.array_length(view, at)? {
            Some(length) => self.array(view, at, length, depth),
            None => self.object(view, at, depth),
        }
    }

    /// The number of elements, if the table is an array.
    fn array_length(&self, view: &mut View, at: i32) -> Result<Option<usize>, Raise> {
        let (mut highest, mut count) = (0.0_f64, 0_u32);
        let looked = view.each_pair(at, |view, key| match view.seen(key) {
            Seen::Number(key)
                if key.floor() == key && (1.0..=f64::from(i32::MAX)).contains(&key) =>
            {
                highest = highest.max(key);
                count += 1;
                Ok(())
            }
            _ => Err(()),
        });
        if looked.is_err() {
            return Ok(None);
        }
        let settings = &self.settings;
        let is_sparse = settings.sparse_ratio > 0
            && highest > f64::from(count) * f64::from(settings.sparse_ratio)
            && highest > f64::from(settings.sparse_safe);
        if is_sparse && !settings.sparse_convert {
            return Err(not_serialisable("table", "excessively sparse array"));
        }
        let is_array = !is_sparse && (highest > 0.0 || view.is_marked_array(at));
        Ok(is_array.then_some(highest as usize))
    }

    fn array(&mut self, view: &mut View, at: i32, length: usize, depth: i32) -> Result<(), Raise> {
        self.out.push(b'[');
        for index in 1..=length {
            if index > 1 {
                self.out.push(b',');
            }
            view.with_element(at, index, |view, element| self.value(view, element, depth))?;
            self.check_bounds(view)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, view: &mut View, at: i32, depth: i32) -> Result<(), Raise> {
        self.out.push(b'{');
        let mut is_first = true;
        view.each_pair(at, |view, key| {
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            match view.seen(key) {
                Seen::Text(text) => self.string(text),
                Seen::Number(number) => self.number_key(number)?,
                other => {
                    let what = "table key must be a number or string";
                    return Err(not_serialisable(other.type_name(), what));
                }
            }
            self.out.push(b':');
            self.value(view, key + 1, depth)?;
            self.check_bounds(view)
        })?;
        self.out.push(b'}');
        Ok(())
    }

    /// A small table that holds another many times over, and so on, would fill the memory and never end.
    fn check_bounds(&mut self, view: &View) -> Result<(), Raise> {
        if self.out.len() > STRING_MAX_BYTES {
            return Err(Raise::Memory);
        }
        self.state.check_clock(view, &mut self.steps)
    }

    fn number_key(&mut self, number: f64) -> Result<(), Raise> {
        self.out.push(b'"');
        self.number(number)?;
        self.out.push(b'"');
        Ok(())
    }
}

/// The bytes that stand in a string only behind a backslash.
static IS_ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[b'/' as usize] = true;
    table[0x7f] = true;
    table
};

fn not_serialisable(kind: &str, reason: &str) -> Raise {
    format!("Cannot serialise {kind}: {reason}").into()
}
