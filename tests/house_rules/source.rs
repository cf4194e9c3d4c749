//! A source in the views that the rules look at: its code without comments and literals, its comments alone, its code
//! without tests. Everything else is blank, so that offsets and lines are the same in all of them.

use super::Finding;

/// A file in the views that the rules look at. All of them have the same lines at the same offsets.
pub struct Source {
    pub path: String,
    pub text: String,
    /// Without comments and the insides of strings and chars.
    pub code: String,
    /// Only the comments.
    pub comments: String,
    /// `code` without the items marked `#[cfg(test)]`.
    pub shipped: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let (code, comments) = split_views(text);
        let shipped = blank_tests(&code);
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            comments,
            shipped,
        }
    }

    pub fn finding(&self, line: usize, rule: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            rule: rule.into(),
        }
    }

    pub fn is_in_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// The module path below the crate: `src/ds/table.rs` is `["ds", "table"]`, `src/ds/mod.rs` is `["ds"]`.
    pub fn module(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        let mut parts: Vec<&str> = path.split('/').collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        parts
    }
}

/// Splits a text into its code and its comments; what belongs to the other view becomes blanks.
pub fn split_views(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut comments = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (length, kind) = next_piece(&bytes[at..], at.checked_sub(1).map(|last| bytes[last]));
        for &byte in &bytes[at..at + length] {
            let shown = if byte.is_ascii() { byte } else { b'_' };
            let blank = if byte == b'\n' { b'\n' } else { b' ' };
            code.push(if kind == Piece::Code { shown } else { blank });
            comments.push(if kind == Piece::Comment { shown } else { blank });
        }
        at += length;
    }
    let ascii = |view| String::from_utf8(view).expect("other bytes were replaced");
    (ascii(code), ascii(comments))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece {
    Code,
    Comment,
    Literal,
}

/// The length and kind of the piece at the head of `rest`: a comment, a literal, or one byte of code.
fn next_piece(rest: &[u8], before: Option<u8>) -> (usize, Piece) {
    let in_word = before.is_some_and(is_word);
    match rest {
        [b'/', b'/', ..] => {
            let end = rest.iter().position(|&byte| byte == b'\n');
            (end.unwrap_or(rest.len()), Piece::Comment)
        }
        [b'/', b'*', ..] => (block_comment_length(rest), Piece::Comment),
        [b'"', ..] => (quoted_length(rest, b'"'), Piece::Literal),
        [b'\'', ..] => match char_length(rest) {
            Some(length) => (length, Piece::Literal),
            None => (1, Piece::Code),
        },
        [b'r', ..] if !in_word => raw_string_piece(rest, 1),
        [b'b' | b'c', b'r', ..] if !in_word => raw_string_piece(rest, 2),
        _ => (1, Piece::Code),
    }
}

/// A raw string whose prefix has `prefix` bytes; one byte of code if it is none.
fn raw_string_piece(rest: &[u8], prefix: usize) -> (usize, Piece) {
    let hashes = rest[prefix..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let start = prefix + hashes;
    if rest.get(start) != Some(&b'"') {
        return (1, Piece::Code);
    }
    let closing = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = &rest[start + 1..];
    let end = body
        .windows(closing.len())
        .position(|window| window == closing);
    let length = end.map_or(rest.len(), |end| start + 1 + end + closing.len());
    (length, Piece::Literal)
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a char literal; `None` for a lifetime or label.
fn char_length(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted_length(rest, b'\''));
    }
    let continued = |byte: &&u8| **byte & 0xc0 == 0x80;
    let width = 1 + rest.get(2..)?.iter().take_while(continued).count();
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

pub fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// Blanks the items behind `#[cfg(test)]`.
fn blank_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut shipped = code.as_bytes().to_vec();
    for (start, _) in code.match_indices(MARK) {
        let end = item_end(code, start + MARK.len());
        for byte in &mut shipped[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(shipped).expect("blanks are ASCII")
}

/// Where the item that starts at `start` ends: behind its closing brace or its semicolon.
pub fn item_end(code: &str, start: usize) -> usize {
    let bytes = code.as_bytes();
    let mut nesting = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => nesting += 1,
            b')' | b']' => nesting = nesting.saturating_sub(1),
            b'{' if nesting == 0 => return block_end(code, at),
            b';' if nesting == 0 => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

/// Where the block ends whose `{` is at `open`.
pub fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].bytes().filter(|&byte| byte == b'\n').count()
}

/// Offsets where `word` stands alone in `text`.
pub fn word_offsets<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = at.checked_sub(1).map(|last| bytes[last]);
            let after = bytes.get(at + word.len()).copied();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
}

/// The word at the head of `text`.
pub fn leading_word(text: &str) -> &str {
    let end = text.bytes().position(|byte| !is_word(byte));
    &text[..end.unwrap_or(text.len())]
}
