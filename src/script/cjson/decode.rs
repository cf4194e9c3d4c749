//! JSON to Lua values.

use super::{DEPTH_MAX, Settings};
use crate::script::stack::{Raise, Stack};

/// Elements between two looks at the memory in use.
const CHECK_PERIOD: usize = 256;

/// Reads a text that holds one value, and pushes that.
///
/// # Errors
/// What was expected and what was found, and at which character.
pub(super) fn decode(settings: Settings, stack: &mut Stack, text: &[u8]) -> Result<(), Raise> {
    if let [first, second, ..] = text
        && (*first == 0 || *second == 0)
    {
        return Err("JSON parser does not support UTF-16 or UTF-32"
            .to_owned()
            .into());
    }
    // A NUL ends the text, wherever it stands.
    let end = text.iter().position(|byte| *byte == 0);
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let mut parser = Parser {
        stack,
        marks_arrays: settings.array_metatable,
        invalid_numbers: settings.decode_invalid,
        depth_max: settings.decode_max_depth.min(DEPTH_MAX),
        text,
        at: 0,
        scratch: Vec::new(),
    };
    let token = parser.token();
    parser.value(token, 0)?;
    let token = parser.token();
    if !matches!(token.kind, Kind::End) {
        return Err(unexpected("the end", &token));
    }
    Ok(())
}

/// What a piece of the text is.
enum Kind<'a> {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// As it stands there.
    Plain(&'a [u8]),
    /// With escapes: what it says is in the parser's scratch.
    Escaped,
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Kind<'_> {
    fn name(&self) -> &'static str {
        match self {
            Kind::ObjectBegin => "T_OBJ_BEGIN",
            Kind::ObjectEnd => "T_OBJ_END",
            Kind::ArrayBegin => "T_ARR_BEGIN",
            Kind::ArrayEnd => "T_ARR_END",
            Kind::Plain(_) | Kind::Escaped => "T_STRING",
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

struct Token<'a> {
    kind: Kind<'a>,
    /// Offset of its first byte.
    at: usize,
}

fn unexpected(expected: &str, token: &Token<'_>) -> Raise {
    let (found, at) = (token.kind.name(), token.at + 1);
    format!("Expected {expected} but found {found} at character {at}").into()
}

struct Parser<'a> {
    stack: &'a mut Stack,
    marks_arrays: bool,
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

    fn value(&mut self, token: Token<'a>, depth: i32) -> Result<(), Raise> {
        match token.kind {
            Kind::Plain(_) | Kind::Escaped => self.push_string(&token.kind),
            Kind::Number(number) => self.stack.push_number(number),
            Kind::Boolean(truth) => self.stack.push_boolean(truth),
            Kind::Null => self.stack.push_null(),
            Kind::ObjectBegin => self.object(depth + 1)?,
            Kind::ArrayBegin => self.array(depth + 1)?,
            _ => return Err(unexpected("value", &token)),
        }
        Ok(())
    }

    fn push_string(&mut self, kind: &Kind<'a>) {
        match kind {
            Kind::Plain(text) => self.stack.push_text(text),
            _ => self.stack.push_text(&self.scratch),
        }
    }

    fn check_depth(&self, depth: i32) -> Result<(), Raise> {
        if depth > self.depth_max || !self.stack.has_room(8) {
            let at = self.at;
            let text = format!("Found too many nested data structures ({depth}) at character {at}");
            return Err(text.into());
        }
        self.stack.check_memory()
    }

    fn check_now_and_then(&self, index: usize) -> Result<(), Raise> {
        match index.is_multiple_of(CHECK_PERIOD) {
            true => self.stack.check_memory(),
            false => Ok(()),
        }
    }

    fn object(&mut self, depth: i32) -> Result<(), Raise> {
        self.check_depth(depth)?;
        let table = self.stack.push_table(0, 0);
        let mut token = self.token();
        if matches!(token.kind, Kind::ObjectEnd) {
            return Ok(());
        }
        for index in 1_usize.. {
            if !matches!(token.kind, Kind::Plain(_) | Kind::Escaped) {
                return Err(unexpected("object key string", &token));
            }
            self.push_string(&token.kind);
            token = self.token();
            if !matches!(token.kind, Kind::Colon) {
                return Err(unexpected("colon", &token));
            }
            let token_of_value = self.token();
            self.value(token_of_value, depth)?;
            self.stack.set_pair(table).map_err(str::to_owned)?;
            self.check_now_and_then(index)?;
            token = self.token();
            match token.kind {
                Kind::ObjectEnd => break,
                Kind::Comma => token = self.token(),
                _ => return Err(unexpected("comma or object end", &token)),
            }
        }
        Ok(())
    }

    fn array(&mut self, depth: i32) -> Result<(), Raise> {
        self.check_depth(depth)?;
        let table = self.stack.push_table(0, 0);
        if self.marks_arrays {
            self.stack.mark_array(table);
        }
        let mut token = self.token();
        if matches!(token.kind, Kind::ArrayEnd) {
            return Ok(());
        }
        for index in 1.. {
            self.value(token, depth)?;
            self.stack.set_element(table, index);
            self.check_now_and_then(index)?;
            token = self.token();
            match token.kind {
                Kind::ArrayEnd => break,
                Kind::Comma => token = self.token(),
                _ => return Err(unexpected("comma or array end", &token)),
            }
        }
        Ok(())
    }

    /// The next token.
    fn token(&mut self) -> Token<'a> {
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

    fn punctuation(&mut self, kind: Kind<'a>) -> Kind<'a> {
        self.word(1, kind)
    }

    fn word(&mut self, length: usize, kind: Kind<'a>) -> Kind<'a> {
        self.at += length;
        kind
    }

    fn number(&mut self) -> Kind<'a> {
        if let Some((number, length)) = short_integer(self.rest()) {
            return self.word(length, Kind::Number(number));
        }
        match leading_number(self.rest()) {
            Some((number, length)) => self.word(length, Kind::Number(number)),
            None => Kind::Wrong("invalid number"),
        }
    }

    /// A string, from its quote on; an error stands where the string goes wrong.
    fn string(&mut self, at: usize) -> Token<'a> {
        self.scratch.clear();
        self.at += 1;
        let mut is_plain = true;
        loop {
            let rest = self.rest();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let plain = rest.get(..plain.unwrap_or(rest.len())).unwrap_or_default();
            self.at += plain.len();
            match self.rest() {
                [b'"', ..] => {
                    self.at += 1;
                    if is_plain {
                        let kind = Kind::Plain(plain);
                        return Token { kind, at };
                    }
                    self.scratch.extend_from_slice(plain);
                    let kind = Kind::Escaped;
                    return Token { kind, at };
                }
                [b'\\', ..] => {
                    is_plain = false;
                    self.scratch.extend_from_slice(plain);
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

/// A decimal integer that is exact whatever its digits, and its length; `None`: it takes a closer look.
fn short_integer(text: &[u8]) -> Option<(f64, usize)> {
    const DIGITS_MAX: usize = 15;
    let sign = usize::from(text.first() == Some(&b'-'));
    let mut value = 0_i64;
    let mut length = 0;
    for byte in text.get(sign..)? {
        match byte {
            b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
            b'.' | b'e' | b'E' | b'x' | b'X' => return None,
            _ => break,
        }
        length += 1;
        if length > DIGITS_MAX {
            return None;
        }
    }
    if length == 0 || (sign == 1 && value == 0) {
        return None;
    }
    let number = value as f64;
    Some((if sign == 1 { -number } else { number }, sign + length))
}
