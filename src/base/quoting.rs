//! The quoting of redis.conf lines, inline commands and redis-cli: words from text, and text from a word.
//!
//! Words are separated by blanks. `"..."` understands `\n \r \t \b \a \xHH` and `\` before any other byte;
//! `'...'` understands `\'` alone. A closing quote must be followed by a blank or the end.

/// Splits a line into words; `None` when a quote is not closed or is followed directly by more text.
pub fn split_args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = line;
    let mut words = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(words);
        }
        let (word, after) = read_word(rest)?;
        words.push(word);
        rest = after;
    }
}

/// Writes a word in double quotes so that [`split_args`] gives it back, whatever its bytes.
pub fn quote(word: &[u8]) -> String {
    let mut out = String::with_capacity(word.len() + 2);
    out.push('"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

fn read_word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        match rest {
            [] => return Some((word, rest)),
            [blank, after @ ..] if is_blank(*blank) => return Some((word, after)),
            [quote @ (b'"' | b'\''), inside @ ..] => {
                rest = if *quote == b'"' {
                    read_double(inside, &mut word)?
                } else {
                    read_single(inside, &mut word)?
                };
                if rest.first().is_some_and(|next| !is_blank(*next)) {
                    return None;
                }
                return Some((word, rest));
            }
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

fn read_double<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'"', after @ ..] => return Some(after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex_digit(*high) << 4 | hex_digit(*low));
                rest = after;
            }
            [b'\\', escaped, after @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest = after;
            }
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

fn read_single<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'\'', after @ ..] => return Some(after),
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                rest = after;
            }
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.to_ascii_uppercase().wrapping_sub(b'A') + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let split = split_args(line.as_bytes())?;
        Some(
            split
                .iter()
                .map(|w| String::from_utf8_lossy(w).into_owned())
                .collect(),
        )
    }

    #[test]
    fn words_are_split_at_blanks_and_quotes_are_removed() {
        let expect = |line: &str, expected: &[&str]| {
            assert_eq!(
                words(line).as_deref(),
                Some(expected.map_strings().as_slice()),
                "{line}"
            );
        };
        expect("set  a\tb ", &["set", "a", "b"]);
        expect("a \"b c\" 'd e'", &["a", "b c", "d e"]);
        expect("'it\\'s' \"say \\\"x\\\"\"", &["it's", "say \"x\""]);
        expect("\"\\x41\\n\\q\" '\\n'", &["A\nq", "\\n"]);
        expect("\"\" ''", &["", ""]);
        expect("foo\"bar baz\"", &["foobar baz"]);
        expect("   ", &[]);
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in ["\"a", "'a", "\"a\"b", "'a'b", "a \"b"] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    #[test]
    fn a_quoted_word_of_any_bytes_is_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(split_args(quote(&all).as_bytes()), Some(vec![all]));
        assert_eq!(quote(b"a b\x01\\\""), "\"a b\\x01\\\\\\\"\"");
    }

    trait MapStrings {
        fn map_strings(&self) -> Vec<String>;
    }
    impl MapStrings for [&str] {
        fn map_strings(&self) -> Vec<String> {
            self.iter().map(ToString::to_string).collect()
        }
    }
}
