//! JSON as a stream: read and written value by value, so that an array of any length takes no memory. What the fields mean
//! is told in `README.md` ("As JSON lines") and known to `export` and `import`; here are the words.
//!
//! Bytes that are no UTF-8 are told apart from text: as a value they are `{"base64": "..."}`, as a name, where JSON wants a
//! string, `"base64:..."`. A name that begins with `base64:` itself is written so too, and therefore all names come back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::{self, Read};

/// Bytes that are asked of the source at once.
const CHUNK_BYTES: usize = 256 << 10;
/// The longest string that is read, in bytes of JSON.
const STRING_MAX_BYTES: usize = 1 << 32;
/// The longest number that is read.
const NUMBER_MAX_BYTES: usize = 400;
/// What names begin with that are written in base64.
const NAME_PREFIX: &[u8] = b"base64:";

/// Writes `"text"`.
fn put_str(to: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        to.push(b'"');
        to.extend_from_slice(text.as_bytes());
        to.push(b'"');
        return;
    }
    let written = serde_json::to_writer(to, text);
    written.expect("a text can be written to memory");
}

fn put_base64(to: &mut Vec<u8>, prefix: &[u8], bytes: &[u8]) {
    to.push(b'"');
    to.extend_from_slice(prefix);
    to.extend_from_slice(BASE64.encode(bytes).as_bytes());
    to.push(b'"');
}

/// Writes a string: as text, or as an object with its bytes.
pub fn put_text(to: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => put_str(to, text),
        Err(_) => {
            to.extend_from_slice(b"{\"base64\":");
            put_base64(to, b"", bytes);
            to.push(b'}');
        }
    }
}

/// Writes a string that has a deadline: as an object.
pub fn put_text_until(to: &mut Vec<u8>, bytes: &[u8], deadline: i64) {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            to.extend_from_slice(b"{\"text\":");
            put_str(to, text);
        }
        Err(_) => {
            to.extend_from_slice(b"{\"base64\":");
            put_base64(to, b"", bytes);
        }
    }
    to.extend_from_slice(format!(",\"deadline_ms\":{deadline}}}").as_bytes());
}

/// Writes a string as the name of a field.
pub fn put_name(to: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.starts_with(NAME_PREFIX) => put_str(to, text),
        _ => put_base64(to, NAME_PREFIX, bytes),
    }
}

/// The bytes that a name stands for; `None`: it is no base64 though it begins as if.
pub fn name_bytes(name: &[u8]) -> Option<Vec<u8>> {
    match name.strip_prefix(NAME_PREFIX) {
        Some(coded) => BASE64.decode(coded).ok(),
        None => Some(name.to_vec()),
    }
}

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The source failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What was read cannot be kept.
    #[error("{0}")]
    Kept(io::Error),
    /// It is not what it must be.
    #[error("line {line}: {reason}")]
    Wrong {
        /// Counts from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// What a value is, as its first byte tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `"`
    String,
    /// A digit, or a minus sign.
    Number,
    /// `{`
    Object,
    /// `[`
    Array,
    /// `null`
    Null,
}

/// A string that was read, and what was said of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The string.
    pub bytes: Vec<u8>,
    /// Unix milliseconds.
    pub deadline: Option<i64>,
}

/// Reads JSON. See the head of the file.
pub struct Json<'s> {
    source: Box<dyn Read + 's>,
    buffer: Vec<u8>,
    at: usize,
    line: u64,
    is_over: bool,
}

impl<'s> Json<'s> {
    /// Reads this source.
    pub fn new(source: impl Read + 's) -> Self {
        Self {
            source: Box::new(source),
            buffer: Vec::new(),
            at: 0,
            line: 1,
            is_over: false,
        }
    }

    /// The line that is being read, from 1 on.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The error that this line is wrong.
    pub fn wrong(&self, reason: impl Into<String>) -> JsonError {
        JsonError::Wrong {
            line: self.line,
            reason: reason.into(),
        }
    }

    /// Whether nothing but blanks is left.
    ///
    /// # Errors
    /// What the source says.
    pub fn is_at_end(&mut self) -> Result<bool, JsonError> {
        Ok(self.next_word()?.is_none())
    }

    /// What comes next.
    ///
    /// # Errors
    /// No value begins so.
    pub fn shape(&mut self) -> Result<Shape, JsonError> {
        match self.next_word()? {
            Some(b'"') => Ok(Shape::String),
            Some(b'-' | b'0'..=b'9') => Ok(Shape::Number),
            Some(b'{') => Ok(Shape::Object),
            Some(b'[') => Ok(Shape::Array),
            Some(b'n') => Ok(Shape::Null),
            Some(byte) => Err(self.wrong(format!(
                "expected a string, a number, a list or an object, found '{}'",
                byte.escape_ascii()
            ))),
            None => Err(self.wrong("the text ends within an object")),
        }
    }

    /// Reads `null`.
    ///
    /// # Errors
    /// It is something else.
    pub fn null(&mut self) -> Result<(), JsonError> {
        self.next_word()?;
        b"null".iter().try_for_each(|byte| self.expect(*byte))
    }

    /// Reads an object: `field` reads the value of each, which it is told the name of.
    ///
    /// # Errors
    /// It is none, and what `field` says.
    pub fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &[u8]) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        let mut name = Vec::new();
        self.items(b'{', b'}', |json| {
            name.clear();
            json.next_word()?;
            json.string(&mut name)?;
            json.next_word()?;
            json.expect(b':')?;
            field(json, &name)
        })
    }

    /// Reads an array: `element` reads each of its values.
    ///
    /// # Errors
    /// It is none, and what `element` says.
    pub fn array(
        &mut self,
        element: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.items(b'[', b']', element)
    }

    fn items(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.next_word()?;
        self.expect(open)?;
        if self.next_word()? == Some(close) {
            return self.expect(close);
        }
        loop {
            item(self)?;
            if self.next_word()? != Some(b',') {
                return self.expect(close);
            }
            self.expect(b',')?;
        }
    }

    /// Reads a string: `"text"`, `{"text": "..."}`, `{"base64": "..."}`, or an integer, which is its decimal form. Only the
    /// objects may have a deadline.
    ///
    /// # Errors
    /// It is none of them.
    pub fn text(&mut self) -> Result<Text, JsonError> {
        let mut text = Text::default();
        match self.shape()? {
            Shape::String => self.string(&mut text.bytes)?,
            Shape::Number => {
                text.bytes = self.number()?;
                if !text.bytes.iter().all(|byte| b"-0123456789".contains(byte)) {
                    return Err(self.wrong("a string that looks like this number has to be quoted"));
                }
            }
            Shape::Object => self.text_object(&mut text)?,
            Shape::Array | Shape::Null => return Err(self.wrong("expected a string")),
        }
        Ok(text)
    }

    fn text_object(&mut self, text: &mut Text) -> Result<(), JsonError> {
        let mut has_bytes = false;
        self.object(|json, name| {
            match name {
                b"deadline_ms" => {
                    text.deadline = Some(json.integer()?);
                    return Ok(());
                }
                b"text" | b"base64" if has_bytes => {
                    return Err(json.wrong("a string has either text or base64"));
                }
                b"text" => json.quoted(&mut text.bytes)?,
                b"base64" => {
                    let mut coded = Vec::new();
                    json.quoted(&mut coded)?;
                    let bytes = BASE64.decode(coded);
                    text.bytes = bytes.map_err(|error| json.wrong(format!("base64: {error}")))?;
                }
                other => return Err(json.unknown(other)),
            }
            has_bytes = true;
            Ok(())
        })?;
        match has_bytes {
            true => Ok(()),
            false => Err(self.wrong("expected a string: text or base64")),
        }
    }

    /// The error that there is no field of this name here.
    pub fn unknown(&self, name: &[u8]) -> JsonError {
        self.wrong(format!("unknown field \"{}\"", name.escape_ascii()))
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// It is none that fits.
    pub fn integer<N: std::str::FromStr>(&mut self) -> Result<N, JsonError> {
        if self.shape()? != Shape::Number {
            return Err(self.wrong("expected a whole number"));
        }
        let text = self.number()?;
        let number = std::str::from_utf8(&text).ok();
        let number = number.and_then(|text| text.parse().ok());
        number.ok_or_else(|| {
            let text = text.escape_ascii();
            self.wrong(format!("expected a whole number in range, found {text}"))
        })
    }

    /// Reads the text of a number.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&mut self) -> Result<Vec<u8>, JsonError> {
        let mut text = Vec::new();
        while let Some(byte @ (b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) = self.peek()? {
            self.at += 1;
            text.push(byte);
            if text.len() > NUMBER_MAX_BYTES {
                return Err(self.wrong("a number of too many digits"));
            }
        }
        match serde_json::from_slice::<serde_json::Number>(&text) {
            Ok(_) => Ok(text),
            Err(_) => Err(self.wrong(format!("{} is no number", text.escape_ascii()))),
        }
    }

    /// Reads `"text"` where nothing else may stand.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn quoted(&mut self, to: &mut Vec<u8>) -> Result<(), JsonError> {
        match self.shape()? {
            Shape::String => self.string(to),
            _ => Err(self.wrong("expected a string")),
        }
    }

    /// Reads `"text"`, which begins here.
    fn string(&mut self, to: &mut Vec<u8>) -> Result<(), JsonError> {
        self.expect(b'"')?;
        let start = to.len();
        let mut has_escapes = false;
        loop {
            let Some(_) = self.peek()? else {
                return Err(self.wrong("the text ends within a string"));
            };
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
            let plain = rest.iter().position(|byte| !is_plain(byte));
            let plain = plain.unwrap_or(rest.len());
            to.extend_from_slice(&rest[..plain]);
            self.at += plain;
            if to.len() - start > STRING_MAX_BYTES {
                return Err(self.wrong("a string of too many bytes"));
            }
            match self.peek()? {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 1;
                    to.push(b'\\');
                    to.extend(self.peek()?);
                    self.at += 1;
                }
                Some(byte) if byte < b' ' => {
                    return Err(self.wrong("a control character within a string"));
                }
                _ => {}
            }
        }
        self.at += 1;
        self.decode(to, start, has_escapes)
    }

    /// What was read from `start` on has to be text; its escapes are resolved.
    fn decode(&self, to: &mut Vec<u8>, start: usize, has_escapes: bool) -> Result<(), JsonError> {
        let raw = to.get(start..).unwrap_or_default();
        if !has_escapes {
            return match std::str::from_utf8(raw) {
                Ok(_) => Ok(()),
                Err(_) => Err(self.wrong("bytes that are no UTF-8 have to be written in base64")),
            };
        }
        let quoted = [b"\"", raw, b"\""].concat();
        let text: String = serde_json::from_slice(&quoted)
            .map_err(|error| self.wrong(format!("a string that is none: {error}")))?;
        to.truncate(start);
        to.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// The first byte after blanks.
    fn next_word(&mut self) -> Result<Option<u8>, JsonError> {
        loop {
            match self.peek()? {
                Some(b'\n') => {
                    self.line += 1;
                    self.at += 1;
                }
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), JsonError> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(byte) => {
                let (wanted, byte) = (char::from(wanted), byte.escape_ascii());
                Err(self.wrong(format!("expected '{wanted}', found '{byte}'")))
            }
            None => Err(self.wrong("the text ends within an object")),
        }
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<u8>, JsonError> {
        match self.buffer.get(self.at) {
            Some(byte) => Ok(Some(*byte)),
            None => self.fill(),
        }
    }

    #[cold]
    fn fill(&mut self) -> Result<Option<u8>, JsonError> {
        if !self.is_over {
            self.buffer.clear();
            self.at = 0;
            let chunk = CHUNK_BYTES as u64;
            let came = self.source.by_ref().take(chunk);
            self.is_over = { came }.read_to_end(&mut self.buffer)? == 0;
        }
        Ok(self.buffer.get(self.at).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Result<Text, String> {
        let mut json = Json::new(json.as_bytes());
        let text = json.text().map_err(|error| error.to_string())?;
        assert!(json.is_at_end().expect("memory can be read"));
        Ok(text)
    }

    #[test]
    fn strings_of_any_bytes_come_back_as_values_and_as_names() {
        let all: Vec<u8> = (0..=255).collect();
        let words: [&[u8]; 8] = [
            b"",
            b"plain",
            b"a \"quoted\" \\ word\n\t\0",
            "gr\u{fc}n \u{1f600}".as_bytes(),
            b"base64:",
            b"base64:QQ==",
            b"\xff\xfe",
            &all,
        ];
        for word in words {
            let mut out = Vec::new();
            put_text(&mut out, word);
            let out = String::from_utf8(out).expect("JSON is text");
            assert_eq!(text(&out).expect("our own").bytes, word, "{out}");
            let mut out = b"{".to_vec();
            put_name(&mut out, word);
            out.extend_from_slice(b":1}");
            let mut name = None;
            let read = Json::new(out.as_slice()).object(|json, found| {
                name = name_bytes(found);
                json.integer::<u8>().map(drop)
            });
            assert!(read.is_ok());
            assert_eq!(name.as_deref(), Some(word));
        }
        let mut out = Vec::new();
        put_text_until(&mut out, b"\xff", -5);
        let out = String::from_utf8(out).expect("JSON is text");
        let read = text(&out).expect("our own");
        assert_eq!((read.bytes, read.deadline), (b"\xff".to_vec(), Some(-5)));
    }

    #[test]
    fn what_people_write_is_read_too() {
        assert_eq!(text(" -12 ").expect("a number").bytes, b"-12");
        assert_eq!(
            text(r#""\u00fc\ud83d\ude00""#).expect("escapes").bytes,
            "\u{fc}\u{1f600}".as_bytes()
        );
        assert_eq!(text(r#"{ "text" : "a" }"#).expect("an object").bytes, b"a");
        for (json, reason) in [
            (
                "1.5",
                "a string that looks like this number has to be quoted",
            ),
            ("007", "007 is no number"),
            (
                "true",
                "expected a string, a number, a list or an object, found 't'",
            ),
            ("\"a", "the text ends within a string"),
            ("\"a\nb\"", "a control character within a string"),
            (
                r#"{"text":"a","base64":""}"#,
                "a string has either text or base64",
            ),
            (r#"{"deadline_ms":1}"#, "expected a string: text or base64"),
            (r#"{"texts":"a"}"#, "unknown field \"texts\""),
            ("null", "expected a string"),
        ] {
            assert_eq!(text(json), Err(format!("line 1: {reason}")), "{json}");
        }
        let wrong = text(r#"{"base64":"?"}"#).expect_err("no base64");
        assert!(wrong.starts_with("line 1: base64: "), "{wrong}");
    }

    #[test]
    fn errors_name_the_line() {
        let mut json = Json::new(&b"{\n\"a\": [1,\n\n2,}"[..]);
        let read = json.object(|json, _| json.array(|json| json.integer::<u8>().map(drop)));
        let error = read.expect_err("a comma too much").to_string();
        assert_eq!(
            error,
            "line 4: expected a string, a number, a list or an object, found '}'"
        );
    }

    #[test]
    fn strings_may_be_longer_than_what_is_read_at_once() {
        let long = format!(
            "\"{}\\n{}\"",
            "x".repeat(CHUNK_BYTES + 5),
            "y".repeat(CHUNK_BYTES)
        );
        let read = text(&long).expect("a string").bytes;
        assert_eq!(read.len(), 2 * CHUNK_BYTES + 6);
    }
}
