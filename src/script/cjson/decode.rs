//! JSON to Lua values.

use super::{DEPTH_MAX, Library, null};
use crate::script::arguments::out_of_memory;
use mlua::{Lua, LuaString, Table, Value};

/// Reads a text that holds one value.
///
/// # Errors
/// What was expected and what was found, and at which character.
pub(super) fn decode(lua: &Lua, library: &Library, text: &[u8]) -> Result<Value, String> {
    if let [first, second, ..] = text
        && (*first == 0 || *second == 0)
    {
        return Err("JSON parser does not support UTF-16 or UTF-32".to_owned());
    }
    // A NUL ends the text, wherever it stands.
    let end = text.iter().position(|byte| *byte == 0);
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let settings = library.settings.get();
    let mut parser = Parser {
        lua,
        array_metatable: settings.array_metatable.then_some(&library.array_metatable),
        invalid_numbers: settings.decode_invalid,
        depth_max: settings.decode_max_depth.min(DEPTH_MAX),
        text,
        at: 0,
        scratch: Vec::new(),
    };
    let token = parser.token();
    let value = parser.value(token, 0)?;
    let token = parser.token();
    if !matches!(token.kind, Kind::End) {
        return Err(unexpected("the end", &token));
    }
    Ok(value)
}

/// What a piece of the text is.
enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Kind::ObjectBegin => "T_OBJ_BEGIN",
            Kind::ObjectEnd => "T_OBJ_END",
            Kind::ArrayBegin => "T_ARR_BEGIN",
            Kind::ArrayEnd => "T_ARR_END",
            Kind::String(_) => "T_STRING",
            Kind::Number(_) => "T_NUMBER",
            Kind::Boolean(_) => "T_BOOLEAN",
            Kind::Null => "T_NULL",
            Kind::Colon => "T_COLON",
            Kind::Comma => "T_COMMA",
            Kind::End => "T_END",
            Kind::Wrong(what) => what,
        }
    }
}

struct Token {
    kind: Kind,
    /// Offset of its first byte.
    at: usize,
}

fn unexpected(expected: &str, token: &Token) -> String {
    format!(
        "Expected {expected} but found {} at character {}",
        token.kind.name(),
        token.at + 1
    )
}

struct Parser<'a> {
    lua: &'a Lua,
    array_metatable: Option<&'a Table>,
    invalid_numbers: bool,
    depth_max: i32,
    text: &'a [u8],
    at: usize,
    scratch: Vec<u8>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn value(&mut self, token: Token, depth: i32) -> Result<Value, String> {
        Ok(match token.kind {
            Kind::String(text) => Value::String(self.string_value(&text)?),
            Kind::Number(number) => Value::Number(number),
            Kind::Boolean(truth) => Value::Boolean(truth),
            Kind::Null => null(),
            Kind::ObjectBegin => self.object(depth + 1)?,
            Kind::ArrayBegin => self.array(depth + 1)?,
            _ => return Err(unexpected("value", &token)),
        })
    }

    fn string_value(&self, text: &[u8]) -> Result<LuaString, String> {
        self.lua.create_string(text).map_err(out_of_memory)
    }

    fn check_depth(&self, depth: i32) -> Result<(), String> {
        if depth > self.depth_max {
            return Err(format!(
                "Found too many nested data structures ({depth}) at character {}",
                self.at
            ));
        }
        Ok(())
    }

    fn object(&mut self, depth: i32) -> Result<Value, String> {
        self.check_depth(depth)?;
        let table = self.lua.create_table().map_err(out_of_memory)?;
        let mut token = self.token();
        if matches!(token.kind, Kind::ObjectEnd) {
            return Ok(Value::Table(table));
        }
        loop {
            let Kind::String(key) = &token.kind else {
                return Err(unexpected("object key string", &token));
            };
            let key = self.string_value(key)?;
            token = self.token();
            if !matches!(token.kind, Kind::Colon) {
                return Err(unexpected("colon", &token));
            }
            let token_of_value = self.token();
            let value = self.value(token_of_value, depth)?;
            table.raw_set(key, value).map_err(out_of_memory)?;
            token = self.token();
            match token.kind {
                Kind::ObjectEnd => return Ok(Value::Table(table)),
                Kind::Comma => token = self.token(),
                _ => return Err(unexpected("comma or object end", &token)),
            }
        }
    }

    fn array(&mut self, depth: i32) -> Result<Value, String> {
        self.check_depth(depth)?;
        let table = self.lua.create_table().map_err(out_of_memory)?;
        if let Some(metatable) = self.array_metatable {
            table
                .set_metatable(Some(metatable.clone()))
                .map_err(out_of_memory)?;
        }
        let mut token = self.token();
        if matches!(token.kind, Kind::ArrayEnd) {
            return Ok(Value::Table(table));
        }
        for index in 1.. {
            let value = self.value(token, depth)?;
            table.raw_seti(index, value).map_err(out_of_memory)?;
            token = self.token();
            match token.kind {
                Kind::ArrayEnd => break,
                Kind::Comma => token = self.token(),
                _ => return Err(unexpected("comma or array end", &token)),
            }
        }
        Ok(Value::Table(table))
    }

    /// The next token.
    fn token(&mut self) -> Token {
        while matches!(self.rest().first(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let at = self.at;
        let kind = match self.rest() {
            [] => Kind::End,
            [b'{', ..] => self.punctuation(Kind::ObjectBegin),
            [b'}', ..] => self.punctuation(Kind::ObjectEnd),
            [b'[', ..] => self.punctuation(Kind::ArrayBegin),
            [b']', ..] => self.punctuation(Kind::ArrayEnd),
            [b',', ..] => self.punctuation(Kind::Comma),
            [b':', ..] => self.punctuation(Kind::Colon),
            [b'"', ..] => return self.string(at),
            [b'-' | b'0'..=b'9', ..] => {
                if !self.invalid_numbers && is_invalid_number(self.rest()) {
                    Kind::Wrong("invalid number")
                } else {
                    self.number()
                }
            }
            rest if rest.starts_with(b"true") => self.word(4, Kind::Boolean(true)),
            rest if rest.starts_with(b"false") => self.word(5, Kind::Boolean(false)),
            rest if rest.starts_with(b"null") => self.word(4, Kind::Null),
            rest if self.invalid_numbers && is_invalid_number(rest) => self.number(),
            _ => Kind::Wrong("invalid token"),
        };
        Token { kind, at }
    }

    fn punctuation(&mut self, kind: Kind) -> Kind {
        self.word(1, kind)
    }

    fn word(&mut self, length: usize, kind: Kind) -> Kind {
        self.at += length;
        kind
    }

    fn number(&mut self) -> Kind {
        match leading_number(self.rest()) {
            Some((number, length)) => self.word(length, Kind::Number(number)),
            None => Kind::Wrong("invalid number"),
        }
    }

    /// A string, from its quote on; an error stands where the string goes wrong.
    fn string(&mut self, at: usize) -> Token {
        self.scratch.clear();
        self.at += 1;
        loop {
            let rest = self.rest();
            let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\'));
            let plain = rest.get(..plain.count()).unwrap_or_default();
            self.scratch.extend_from_slice(plain);
            self.at += plain.len();
            match self.rest() {
                [b'"', ..] => {
                    self.at += 1;
                    let kind = Kind::String(std::mem::take(&mut self.scratch));
                    return Token { kind, at };
                }
                [b'\\', ..] => {
                    if let Err(what) = self.escape() {
                        let kind = Kind::Wrong(what);
                        return Token { kind, at: self.at };
                    }
                }
                _ => {
                    let kind = Kind::Wrong("unexpected end of string");
                    return Token { kind, at: self.at };
                }
            }
        }
    }

    /// Reads one escape, from its backslash on.
    fn escape(&mut self) -> Result<(), &'static str> {
        let byte = match self.rest().get(1) {
            Some(b'b') => 0x08,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'f') => 0x0c,
            Some(b'r') => b'\r',
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'u') => {
                let (letter, length) = unicode(self.rest()).ok_or("invalid unicode escape code")?;
                push_utf8(&mut self.scratch, letter);
                self.at += length;
                return Ok(());
            }
            _ => return Err("invalid escape code"),
        };
        self.scratch.push(byte);
        self.at += 2;
        Ok(())
    }
}

/// The code point of `\uXXXX`, or of a pair of surrogates, and the bytes it takes.
fn unicode(text: &[u8]) -> Option<(u32, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |value, digit| {
            Some(value * 16 + char::from(*digit).to_digit(16)?)
        })
    };
    let first: u32 = unit(0)?;
    match first {
        0xD800..=0xDBFF => {
            let second = unit(6)?;
            if !(0xDC00..=0xDFFF).contains(&second) {
                return None;
            }
            Some((0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF), 12))
        }
        0xDC00..=0xDFFF => None,
        _ => Some((first, 6)),
    }
}

fn push_utf8(out: &mut Vec<u8>, code_point: u32) {
    if let Some(letter) = char::from_u32(code_point) {
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Whether what begins here is a number that JSON does not have: hexadecimal, with leading zeros or a plus, inf, nan.
fn is_invalid_number(text: &[u8]) -> bool {
    if text.first() == Some(&b'+') {
        return true;
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    match text {
        [b'0', second, ..] => (second | 0x20) == b'x' || second.is_ascii_digit(),
        [b'0'..=b'9', ..] => false,
        _ => {
            let word = text.get(..3).unwrap_or_default();
            word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan")
        }
    }
}

/// The number that the text begins with, as C's `strtod` reads it, and its length.
fn leading_number(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let is_negative = text.first() == Some(&b'-');
    let signed = |number: f64| if is_negative { -number } else { number };
    let body = text.get(sign..)?;
    if let Some(word) = ["infinity", "inf", "nan"]
        .iter()
        .find(|word| starts_with_word(body, word))
    {
        let number = if word.starts_with('i') {
            f64::INFINITY
        } else {
            f64::NAN
        };
        return Some((signed(number), sign + word.len()));
    }
    if starts_with_word(body, "0x")
        && let Some((number, length)) = hexadecimal(body.get(2..)?)
    {
        return Some((signed(number), sign + 2 + length));
    }
    let digits_from = |at: usize| {
        let rest = body.get(at..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let whole = digits_from(0);
    let mut end = whole;
    if body.get(whole) == Some(&b'.') && (whole > 0 || digits_from(whole + 1) > 0) {
        end = whole + 1 + digits_from(whole + 1);
    }
    if end == 0 {
        return None;
    }
    if matches!(body.get(end), Some(b'e' | b'E')) {
        let signed_exponent = usize::from(matches!(body.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits_from(end + 1 + signed_exponent);
        if exponent > 0 {
            end += 1 + signed_exponent + exponent;
        }
    }
    let number = std::str::from_utf8(body.get(..end)?).ok()?.parse().ok()?;
    Some((signed(number), sign + end))
}

fn starts_with_word(text: &[u8], word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// Hexadecimal digits with a point and a binary exponent; the value and the length.
fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let (mut value, mut scale, mut at, mut digits) = (0.0_f64, 0_i32, 0, 0);
    let mut behind_point = false;
    while let Some(byte) = text.get(at) {
        if let Some(digit) = char::from(*byte).to_digit(16) {
            value = value * 16.0 + f64::from(digit);
            scale -= if behind_point { 4 } else { 0 };
            digits += 1;
        } else if *byte == b'.' && !behind_point {
            behind_point = true;
        } else {
            break;
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    if matches!(text.get(at), Some(b'p' | b'P')) {
        let rest = text.get(at + 1..).unwrap_or_default();
        let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let digits = rest.get(sign..).unwrap_or_default();
        let count = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let exponent = std::str::from_utf8(rest.get(..sign + count)?).ok()?;
        if count > 0
            && let Ok(exponent) = exponent.parse::<i32>()
        {
            scale = scale.saturating_add(exponent);
            at += 1 + sign + count;
        }
    }
    Some((value * 2.0_f64.powi(scale), at))
}
