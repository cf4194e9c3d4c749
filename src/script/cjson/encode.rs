//! Lua values to JSON.

use super::{DEPTH_MAX, Invalid, Library, Settings};
use crate::script::number_text::write_g;
use mlua::{Table, Value};

/// Writes a value.
///
/// # Errors
/// It, or something in it, has no form in JSON, or is too deep.
pub(super) fn encode(library: &Library, value: &Value) -> Result<Vec<u8>, String> {
    let mut encoder = Encoder {
        library,
        settings: library.settings.get(),
        out: Vec::with_capacity(64),
    };
    encoder.value(value, 0)?;
    Ok(encoder.out)
}

struct Encoder<'a> {
    library: &'a Library,
    settings: Settings,
    out: Vec<u8>,
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value, depth: i32) -> Result<(), String> {
        match value {
            Value::String(text) => self.string(&text.as_bytes()),
            Value::Integer(number) => self.number(*number as f64)?,
            Value::Number(number) => self.number(*number)?,
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::LightUserData(pointer) if pointer.0.is_null() => {
                self.out.extend_from_slice(b"null");
            }
            Value::Table(table) => self.table(table, depth + 1)?,
            other => return Err(not_serialisable(kind(other), "type not supported")),
        }
        Ok(())
    }

    fn number(&mut self, number: f64) -> Result<(), String> {
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
        for byte in text {
            let short = match byte {
                b'"' | b'\\' | b'/' => *byte,
                0x08 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                0x0c => b'f',
                b'\r' => b'r',
                0..=0x1f | 0x7f => {
                    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
                    self.out.extend_from_slice(b"\\u00");
                    self.out
                        .extend_from_slice(&[digit(byte >> 4), digit(*byte)]);
                    continue;
                }
                _ => {
                    self.out.push(*byte);
                    continue;
                }
            };
            self.out.extend_from_slice(&[b'\\', short]);
        }
        self.out.push(b'"');
    }

    fn table(&mut self, table: &Table, depth: i32) -> Result<(), String> {
        if depth > self.settings.encode_max_depth.min(DEPTH_MAX) {
            return Err(format!("Cannot serialise, excessive nesting ({depth})"));
        }
        match self.array_length(table)? {
            Some(length) => self.array(table, length, depth),
            None => self.object(table, depth),
        }
    }

    /// The number of elements, if the table is an array.
    fn array_length(&self, table: &Table) -> Result<Option<usize>, String> {
        let (mut highest, mut count) = (0.0_f64, 0_u32);
        let is_marked = table.metatable().as_ref() == Some(&self.library.array_metatable);
        for pair in table.pairs::<Value, Value>() {
            let key = match pair.map_err(super::super::arguments::out_of_memory)?.0 {
                Value::Integer(key) => key as f64,
                Value::Number(key) => key,
                _ => return Ok(None),
            };
            if key.floor() != key || !(1.0..=f64::from(i32::MAX)).contains(&key) {
                return Ok(None);
            }
            highest = highest.max(key);
            count += 1;
        }
        let settings = &self.settings;
        let is_sparse = settings.sparse_ratio > 0
            && highest > f64::from(count) * f64::from(settings.sparse_ratio)
            && highest > f64::from(settings.sparse_safe);
        if is_sparse && !settings.sparse_convert {
            return Err(not_serialisable("table", "excessively sparse array"));
        }
        let is_array = !is_sparse && (highest > 0.0 || is_marked);
        Ok(is_array.then_some(highest as usize))
    }

    fn array(&mut self, table: &Table, length: usize, depth: i32) -> Result<(), String> {
        self.out.push(b'[');
        for index in 1..=length {
            if index > 1 {
                self.out.push(b',');
            }
            let element = table.raw_get::<Value>(index as mlua::Integer);
            self.value(&element.unwrap_or(Value::Nil), depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, table: &Table, depth: i32) -> Result<(), String> {
        self.out.push(b'{');
        let mut is_first = true;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair.map_err(super::super::arguments::out_of_memory)?;
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            match key {
                Value::String(text) => self.string(&text.as_bytes()),
                Value::Integer(number) => self.number_key(number as f64)?,
                Value::Number(number) => self.number_key(number)?,
                other => {
                    let what = "table key must be a number or string";
                    return Err(not_serialisable(kind(&other), what));
                }
            }
            self.out.push(b':');
            self.value(&value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn number_key(&mut self, number: f64) -> Result<(), String> {
        self.out.push(b'"');
        self.number(number)?;
        self.out.push(b'"');
        Ok(())
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::LightUserData(_) | Value::Error(_) => "userdata",
        other => other.type_name(),
    }
}

fn not_serialisable(kind: &str, reason: &str) -> String {
    format!("Cannot serialise {kind}: {reason}")
}
