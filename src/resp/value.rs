//! Reads replies, for those who are clients themselves: the replication link, tools and tests.
//!
//! Everything of RESP2 and RESP3 but streamed types, which no server sends. Nothing is believed that did not arrive:
//! counts reserve little, nesting is bounded.

use crate::base::number::parse_i64;

/// Deepest nesting of arrays, maps, sets and pushes.
pub const NESTING_MAX: usize = 128;
/// Places made ready for elements that are only announced.
const ELEMENTS_RESERVED_MAX: usize = 1024;

/// A reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `+`
    Simple(Vec<u8>),
    /// `-`, without the dash.
    Error(Vec<u8>),
    /// `:`
    Integer(i64),
    /// `$`
    Bulk(Vec<u8>),
    /// `_` and `$-1`
    Null,
    /// `*-1`
    NullArray,
    /// `*`
    Array(Vec<Value>),
    /// `%`
    Map(Vec<(Value, Value)>),
    /// `~`
    Set(Vec<Value>),
    /// `>`
    Push(Vec<Value>),
    /// `,`
    Double(f64),
    /// `#`
    Boolean(bool),
    /// `(`: the digits.
    BigNumber(Vec<u8>),
    /// `!`
    BulkError(Vec<u8>),
    /// `=`
    Verbatim {
        /// `txt` or `mkd`.
        format: [u8; 3],
        /// The text behind the colon.
        text: Vec<u8>,
    },
    /// `|` and the value it belongs to.
    Attributed {
        /// What is said about the value.
        attributes: Vec<(Value, Value)>,
        /// The value itself.
        value: Box<Value>,
    },
}

/// Why bytes are no reply; `at` counts from their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// No type begins with this byte.
    #[error("byte {at}: no reply begins with 0x{found:02x}")]
    UnknownType {
        /// Offset of the byte.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// The line is not what its type allows.
    #[error("byte {at}: the line is not a valid value of its type")]
    InvalidLine {
        /// Offset of the line.
        at: usize,
    },
    /// A bulk does not end with CRLF.
    #[error("byte {at}: a bulk does not end here")]
    MissingEnd {
        /// Offset where the CRLF should be.
        at: usize,
    },
    /// Nested too deeply.
    #[error("byte {at}: nested deeper than {NESTING_MAX}")]
    TooDeep {
        /// Offset of the value that is too deep.
        at: usize,
    },
}

/// Reads the reply at the start of `input`: the value and the bytes it took, or `None` if it is not complete.
pub fn parse_value(input: &[u8]) -> Result<Option<(Value, usize)>, ValueError> {
    let mut reader = Reader { input, at: 0 };
    Ok(reader.value(0)?.map(|value| (value, reader.at)))
}

struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

type Read<T> = Result<Option<T>, ValueError>;

/// Unwraps a `Read`, leaving the function where the input ends.
macro_rules! complete {
    ($read:expr) => {
        match $read? {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Read<Value> {
        let start = self.at;
        if depth > NESTING_MAX {
            return Err(ValueError::TooDeep { at: start });
        }
        let Some(&kind) = self.input.get(start) else {
            return Ok(None);
        };
        if !b"+-:$*_%~>,#(!=|".contains(&kind) {
            return Err(ValueError::UnknownType {
                at: start,
                found: kind,
            });
        }
        let line = complete!(self.line());
        let invalid = ValueError::InvalidLine { at: start };
        let value = match kind {
            b'+' => Value::Simple(line.to_vec()),
            b'-' => Value::Error(line.to_vec()),
            b':' => Value::Integer(parse_i64(line).ok_or(invalid)?),
            b'_' if line.is_empty() => Value::Null,
            b'#' if matches!(line, b"t" | b"f") => Value::Boolean(line == b"t"),
            b',' => Value::Double(double_of(line).ok_or(invalid)?),
            b'(' if is_big_number(line) => Value::BigNumber(line.to_vec()),
            b'$' if line == b"-1" => Value::Null,
            b'*' if line == b"-1" => Value::NullArray,
            b'_' | b'#' | b'(' => return Err(invalid),
            _ => {
                let count = parse_i64(line)
                    .and_then(|count| usize::try_from(count).ok())
                    .ok_or(invalid)?;
                complete!(self.counted(kind, count, depth, invalid))
            }
        };
        Ok(Some(value))
    }

    /// The rest of a value whose header announced `count` bytes, elements or pairs.
    fn counted(
        &mut self,
        kind: u8,
        count: usize,
        depth: usize,
        invalid: ValueError,
    ) -> Read<Value> {
        Ok(Some(match kind {
            b'$' => Value::Bulk(complete!(self.payload(count)).to_vec()),
            b'!' => Value::BulkError(complete!(self.payload(count)).to_vec()),
            b'=' => match complete!(self.payload(count)) {
                [a, b, c, b':', text @ ..] => Value::Verbatim {
                    format: [*a, *b, *c],
                    text: text.to_vec(),
                },
                _ => return Err(invalid),
            },
            b'%' => Value::Map(complete!(self.pairs(count, depth))),
            b'|' => {
                let attributes = complete!(self.pairs(count, depth));
                let value = Box::new(complete!(self.value(depth + 1)));
                Value::Attributed { attributes, value }
            }
            b'~' => Value::Set(complete!(self.elements(count, depth))),
            b'>' => Value::Push(complete!(self.elements(count, depth))),
            _ => Value::Array(complete!(self.elements(count, depth))),
        }))
    }

    fn elements(&mut self, count: usize, depth: usize) -> Read<Vec<Value>> {
        let mut elements = Vec::with_capacity(count.min(ELEMENTS_RESERVED_MAX));
        for _ in 0..count {
            elements.push(complete!(self.value(depth + 1)));
        }
        Ok(Some(elements))
    }

    fn pairs(&mut self, count: usize, depth: usize) -> Read<Vec<(Value, Value)>> {
        let mut pairs = Vec::with_capacity(count.min(ELEMENTS_RESERVED_MAX));
        for _ in 0..count {
            let key = complete!(self.value(depth + 1));
            pairs.push((key, complete!(self.value(depth + 1))));
        }
        Ok(Some(pairs))
    }

    /// The line behind the type byte at the present place, without its CRLF.
    fn line(&mut self) -> Read<&'a [u8]> {
        let rest = &self.input[self.at..];
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return Ok(None);
        };
        let line = rest[1..end]
            .strip_suffix(b"\r")
            .ok_or(ValueError::InvalidLine { at: self.at })?;
        self.at += end + 1;
        Ok(Some(line))
    }

    /// `count` bytes and their CRLF.
    fn payload(&mut self, count: usize) -> Read<&'a [u8]> {
        let rest = &self.input[self.at..];
        if rest.len() < count.saturating_add(2) {
            return Ok(None);
        }
        let (payload, rest) = rest.split_at(count);
        if !rest.starts_with(b"\r\n") {
            return Err(ValueError::MissingEnd {
                at: self.at + count,
            });
        }
        self.at += count + 2;
        Ok(Some(payload))
    }
}

fn double_of(line: &[u8]) -> Option<f64> {
    std::str::from_utf8(line).ok()?.parse().ok()
}

fn is_big_number(line: &[u8]) -> bool {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec())
    }

    #[test]
    fn every_type_is_read_and_every_shorter_input_is_incomplete() {
        let table: Vec<(&str, Value)> = vec![
            ("+OK\r\n", Value::Simple(b"OK".to_vec())),
            ("-ERR no\r\n", Value::Error(b"ERR no".to_vec())),
            (":-5\r\n", Value::Integer(-5)),
            ("$0\r\n\r\n", bulk("")),
            ("$4\r\na\r\nb\r\n", bulk("a\r\nb")),
            ("$-1\r\n", Value::Null),
            ("_\r\n", Value::Null),
            ("*-1\r\n", Value::NullArray),
            ("*0\r\n", Value::Array(vec![])),
            (
                "*2\r\n:1\r\n*1\r\n_\r\n",
                Value::Array(vec![Value::Integer(1), Value::Array(vec![Value::Null])]),
            ),
            (
                "%1\r\n$1\r\na\r\n#t\r\n",
                Value::Map(vec![(bulk("a"), Value::Boolean(true))]),
            ),
            ("~1\r\n#f\r\n", Value::Set(vec![Value::Boolean(false)])),
            (">1\r\n$1\r\na\r\n", Value::Push(vec![bulk("a")])),
            (",3.5\r\n", Value::Double(3.5)),
            (",-inf\r\n", Value::Double(f64::NEG_INFINITY)),
            (
                "(-123456789012345678901\r\n",
                Value::BigNumber(b"-123456789012345678901".to_vec()),
            ),
            ("!5\r\nERR x\r\n", Value::BulkError(b"ERR x".to_vec())),
            (
                "=6\r\ntxt:hi\r\n",
                Value::Verbatim {
                    format: *b"txt",
                    text: b"hi".to_vec(),
                },
            ),
            (
                "|1\r\n+a\r\n:1\r\n:2\r\n",
                Value::Attributed {
                    attributes: vec![(Value::Simple(b"a".to_vec()), Value::Integer(1))],
                    value: Box::new(Value::Integer(2)),
                },
            ),
        ];
        for (text, value) in table {
            assert_eq!(
                parse_value(text.as_bytes()),
                Ok(Some((value, text.len()))),
                "{text:?}"
            );
            for end in 0..text.len() {
                assert_eq!(
                    parse_value(&text.as_bytes()[..end]),
                    Ok(None),
                    "{text:?} up to {end}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_reply_is_refused_where_it_goes_wrong() {
        let table = [
            ("?\r\n", ValueError::UnknownType { at: 0, found: b'?' }),
            ("*1\r\nx", ValueError::UnknownType { at: 4, found: b'x' }),
            (":1a\r\n", ValueError::InvalidLine { at: 0 }),
            (":1\n", ValueError::InvalidLine { at: 0 }),
            ("$-2\r\n", ValueError::InvalidLine { at: 0 }),
            ("#x\r\n", ValueError::InvalidLine { at: 0 }),
            ("(1x\r\n", ValueError::InvalidLine { at: 0 }),
            ("=2\r\nhi\r\n", ValueError::InvalidLine { at: 0 }),
            ("$1\r\nabc", ValueError::MissingEnd { at: 5 }),
        ];
        for (text, error) in table {
            assert_eq!(parse_value(text.as_bytes()), Err(error), "{text:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| "*1\r\n".repeat(depth) + ":1\r\n";
        assert!(matches!(
            parse_value(nested(NESTING_MAX).as_bytes()),
            Ok(Some(_))
        ));
        let at = 4 * (NESTING_MAX + 1);
        assert_eq!(
            parse_value(nested(NESTING_MAX + 1).as_bytes()),
            Err(ValueError::TooDeep { at })
        );
    }

    #[test]
    fn an_announced_count_takes_no_memory() {
        assert_eq!(parse_value(b"*9223372036854775807\r\n"), Ok(None));
        assert_eq!(parse_value(b"$9223372036854775807\r\nx"), Ok(None));
    }
}
