//! Writes replies: the only code that knows how RESP2 and RESP3 differ.
//!
//! A handler says what it means (a map, a set, a double, nothing there) and the client's protocol decides the bytes.
//!
//! | said | RESP2 | RESP3 |
//! |---|---|---|
//! | null, null_array | `$-1`, `*-1` | `_` |
//! | map of n | `*2n` | `%n` |
//! | set, push of n | `*n` | `~n`, `>n` |
//! | double, big number, verbatim text | bulk | `,` `(` `=` |
//! | boolean | `:1` `:0` | `#t` `#f` |
//! | attribute | nothing | `|n` |

use bytes::Bytes;

use super::bulks::Bulks;
use super::output::{Mark, Output, SHARED_REPLY_MIN_BYTES};
use crate::base::number::{digits_u64, format_f64, write_i64};

/// The reply of a command that has nothing to tell.
pub const OK: &[u8] = b"+OK\r\n";
/// The integer 0.
pub const ZERO: &[u8] = b":0\r\n";
/// The integer 1.
pub const ONE: &[u8] = b":1\r\n";
/// RESP2's bulk that is not there.
pub const NULL_BULK: &[u8] = b"$-1\r\n";
/// RESP2's array that is not there.
pub const NULL_ARRAY: &[u8] = b"*-1\r\n";
/// RESP3's null.
pub const NULL: &[u8] = b"_\r\n";
/// An array without elements.
pub const EMPTY_ARRAY: &[u8] = b"*0\r\n";

/// What a client speaks (`HELLO`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The default.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// Writes one client's replies.
pub struct Reply<'a> {
    out: &'a mut Output,
    protocol: Protocol,
}

/// A header still to be written, by [`Reply::finish`]; inner ones are finished before outer ones.
#[must_use = "the elements have no header until it is finished"]
#[derive(Debug)]
pub struct Later {
    mark: Mark,
    kind: u8,
    /// Elements per counted item: 2 for a map that is written as an array.
    elements: usize,
}

impl<'a> Reply<'a> {
    /// Writes to `out` what a client with this protocol understands.
    #[inline(always)]
    pub fn new(out: &'a mut Output, protocol: Protocol) -> Reply<'a> {
        Reply { out, protocol }
    }

    /// What the client speaks.
    #[inline(always)]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The output behind, for marks and sizes.
    #[inline(always)]
    pub fn output(&mut self) -> &mut Output {
        self.out
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(OK);
    }

    /// A short status line; line ends in it become spaces.
    pub fn simple(&mut self, line: &str) {
        self.line(b'+', line.as_bytes());
    }

    /// An error: its code and text without the dash; line ends in it become spaces.
    pub fn error(&mut self, line: impl AsRef<[u8]>) {
        self.line(b'-', line.as_ref());
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        if let 0..=9 = value {
            return self.raw(&[b':', b'0' + value as u8, b'\r', b'\n']);
        }
        let out = self.out.buffer();
        out.push(b':');
        write_i64(out, value);
        out.extend_from_slice(b"\r\n");
    }

    /// A byte string, copied.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        let out = self.out.buffer();
        out.reserve(bytes.len() + 24);
        write_header(out, b'$', bytes.len());
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    }

    /// A byte string of exactly `length` bytes, which `write` appends.
    #[inline]
    pub fn bulk_with(&mut self, length: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let out = self.out.buffer();
        out.reserve(length + 24);
        write_header(out, b'$', length);
        write(out);
        out.extend_from_slice(b"\r\n");
    }

    /// A byte string that is shared: sent without a copy from [`SHARED_REPLY_MIN_BYTES`] on.
    #[inline]
    pub fn bulk_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED_REPLY_MIN_BYTES {
            return self.bulk(bytes);
        }
        write_header(self.out.buffer(), b'$', bytes.len());
        self.out.splice(bytes.clone());
        self.raw(b"\r\n");
    }

    /// Writes many byte strings in a row.
    #[inline]
    pub fn bulks(&mut self) -> Bulks<'_> {
        Bulks::new(self.out.buffer())
    }

    /// An integer as a byte string.
    #[inline]
    pub fn bulk_i64(&mut self, value: i64) {
        let digits = digits_u64(value.unsigned_abs()) + usize::from(value < 0);
        let out = self.out.buffer();
        write_header(out, b'$', digits);
        write_i64(out, value);
        out.extend_from_slice(b"\r\n");
    }

    /// A double as a byte string.
    pub fn bulk_f64(&mut self, value: f64) {
        if let Some(whole) = whole(value) {
            return self.bulk_i64(whole);
        }
        let mark = self.out.mark();
        let start = self.out.buffer().len();
        format_f64(value, self.out.buffer());
        let written = self.out.buffer().len();
        write_header(self.out.buffer(), b'$', written - start);
        self.out.move_to(mark, written);
        self.raw(b"\r\n");
    }

    /// Nothing where a value could be.
    #[inline]
    pub fn null(&mut self) {
        self.raw(if self.resp3() { NULL } else { NULL_BULK });
    }

    /// Nothing where an array could be.
    #[inline]
    pub fn null_array(&mut self) {
        self.raw(if self.resp3() { NULL } else { NULL_ARRAY });
    }

    /// An array without elements.
    #[inline]
    pub fn empty_array(&mut self) {
        self.raw(EMPTY_ARRAY);
    }

    /// Begins an array of `count` elements, which follow.
    #[inline]
    pub fn array(&mut self, count: usize) {
        write_header(self.out.buffer(), b'*', count);
    }

    /// Begins a map of `pairs` keys and values, which follow in turn.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        let (kind, elements) = self.map_form();
        write_header(self.out.buffer(), kind, pairs * elements);
    }

    /// Begins a set of `count` elements, which follow.
    #[inline]
    pub fn set(&mut self, count: usize) {
        let kind = self.either(b'*', b'~');
        write_header(self.out.buffer(), kind, count);
    }

    /// Begins a message out of turn of `count` elements, which follow.
    #[inline]
    pub fn push(&mut self, count: usize) {
        let kind = self.either(b'*', b'>');
        write_header(self.out.buffer(), kind, count);
    }

    /// Begins the attributes of the reply to come, `pairs` keys and values; `false` when the protocol has none: then
    /// they must not be written.
    pub fn attribute(&mut self, pairs: usize) -> bool {
        if self.resp3() {
            write_header(self.out.buffer(), b'|', pairs);
        }
        self.resp3()
    }

    /// A floating point number.
    pub fn double(&mut self, value: f64) {
        if !self.resp3() {
            return self.bulk_f64(value);
        }
        let out = self.out.buffer();
        out.push(b',');
        match whole(value) {
            Some(whole) => write_i64(out, whole),
            None => format_f64(value, out),
        }
        out.extend_from_slice(b"\r\n");
    }

    /// A floating point number of more digits than a double has, as its text.
    pub fn double_text(&mut self, text: &[u8]) {
        if self.resp3() {
            self.line(b',', text);
        } else {
            self.bulk(text);
        }
    }

    /// An integer of any size, as its digits.
    pub fn big_number(&mut self, digits: &[u8]) {
        if self.resp3() {
            self.line(b'(', digits);
        } else {
            self.bulk(digits);
        }
    }

    /// True or false.
    pub fn boolean(&mut self, value: bool) {
        self.raw(match (self.protocol, value) {
            (Protocol::Resp2, false) => ZERO,
            (Protocol::Resp2, true) => ONE,
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
        });
    }

    /// Text for people to read; `format` is its three letters, `txt` or `mkd`.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        assert_eq!(
            format.len(),
            3,
            "the format of a verbatim text has three letters"
        );
        if !self.resp3() {
            return self.bulk(text);
        }
        let out = self.out.buffer();
        write_header(out, b'=', text.len() + 4);
        for part in [format.as_bytes(), b":", text, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }

    /// Bytes that are a reply already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.buffer().extend_from_slice(bytes);
    }

    /// Begins an array whose number of elements is known only at its [`Reply::finish`].
    pub fn array_later(&mut self) -> Later {
        self.later(b'*', 1)
    }

    /// The same for a map; its pairs are counted.
    pub fn map_later(&mut self) -> Later {
        let (kind, elements) = self.map_form();
        self.later(kind, elements)
    }

    /// The same for a set.
    pub fn set_later(&mut self) -> Later {
        let kind = self.either(b'*', b'~');
        self.later(kind, 1)
    }

    /// Writes the header of `count` elements (pairs of a map) before what was written since `later` began.
    pub fn finish(&mut self, later: Later, count: usize) {
        let written = self.out.buffer().len();
        write_header(self.out.buffer(), later.kind, count * later.elements);
        self.out.move_to(later.mark, written);
    }

    fn later(&mut self, kind: u8, elements: usize) -> Later {
        Later {
            mark: self.out.mark(),
            kind,
            elements,
        }
    }

    #[inline(always)]
    fn resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    #[inline(always)]
    fn either(&self, resp2: u8, resp3: u8) -> u8 {
        if self.resp3() { resp3 } else { resp2 }
    }

    #[inline(always)]
    fn map_form(&self) -> (u8, usize) {
        if self.resp3() { (b'%', 1) } else { (b'*', 2) }
    }

    fn line(&mut self, kind: u8, line: &[u8]) {
        let out = self.out.buffer();
        out.push(kind);
        let start = out.len();
        out.extend_from_slice(line);
        for byte in &mut out[start..] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The integer that a double is, where that is shown as an integer is: nearly all scores are.
#[inline(always)]
fn whole(value: f64) -> Option<i64> {
    /// Integers up to 2^53 are doubles without loss.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let integer = value as i64;
    let is_it = value.abs() <= EXACT_MAX && integer as f64 == value;
    // Zero may have a sign.
    (is_it && value.to_bits() != (-0.0_f64).to_bits()).then_some(integer)
}

/// Writes `kind`, the number and CRLF; the lengths of nearly all words take one copy of four to six bytes.
#[inline(always)]
pub(super) fn write_header(out: &mut Vec<u8>, kind: u8, number: usize) {
    let digit = |value: usize| b'0' + value as u8;
    match number {
        0..10 => out.extend_from_slice(&[kind, digit(number), b'\r', b'\n']),
        10..100 => {
            let digits = [digit(number / 10), digit(number % 10)];
            out.extend_from_slice(&[kind, digits[0], digits[1], b'\r', b'\n']);
        }
        100..1000 => {
            let digits = [
                digit(number / 100),
                digit(number / 10 % 10),
                digit(number % 10),
            ];
            out.extend_from_slice(&[kind, digits[0], digits[1], digits[2], b'\r', b'\n']);
        }
        _ => write_long_header(out, kind, number),
    }
}

#[inline(never)]
fn write_long_header(out: &mut Vec<u8>, kind: u8, number: usize) {
    out.push(kind);
    write_i64(
        out,
        i64::try_from(number).expect("lengths of what lies in memory fit an i64"),
    );
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: Protocol, write: impl Fn(&mut Reply<'_>)) -> String {
        let mut out = Output::default();
        write(&mut Reply::new(&mut out, protocol));
        String::from_utf8(out.bytes()).expect("the tests write text")
    }

    #[test]
    fn each_reply_has_its_form_in_both_protocols() {
        type Write = fn(&mut Reply<'_>);
        let table: &[(&str, Write, &str, &str)] = &[
            ("ok", |r| r.ok(), "+OK\r\n", "+OK\r\n"),
            ("simple", |r| r.simple("a\nb"), "+a b\r\n", "+a b\r\n"),
            (
                "error",
                |r| r.error("ERR a\r\nb"),
                "-ERR a  b\r\n",
                "-ERR a  b\r\n",
            ),
            ("small integer", |r| r.integer(7), ":7\r\n", ":7\r\n"),
            (
                "integer",
                |r| r.integer(i64::MIN),
                ":-9223372036854775808\r\n",
                ":-9223372036854775808\r\n",
            ),
            ("empty bulk", |r| r.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n"),
            (
                "bulk",
                |r| r.bulk(b"0123456789"),
                "$10\r\n0123456789\r\n",
                "$10\r\n0123456789\r\n",
            ),
            (
                "bulk integer",
                |r| r.bulk_i64(-10),
                "$3\r\n-10\r\n",
                "$3\r\n-10\r\n",
            ),
            ("bulk zero", |r| r.bulk_i64(0), "$1\r\n0\r\n", "$1\r\n0\r\n"),
            (
                "bulk double",
                |r| r.bulk_f64(0.5),
                "$3\r\n0.5\r\n",
                "$3\r\n0.5\r\n",
            ),
            ("null", |r| r.null(), "$-1\r\n", "_\r\n"),
            ("null array", |r| r.null_array(), "*-1\r\n", "_\r\n"),
            ("empty array", |r| r.empty_array(), "*0\r\n", "*0\r\n"),
            ("long array", |r| r.array(1234), "*1234\r\n", "*1234\r\n"),
            ("array", |r| r.array(123), "*123\r\n", "*123\r\n"),
            ("map", |r| r.map(2), "*4\r\n", "%2\r\n"),
            ("set", |r| r.set(2), "*2\r\n", "~2\r\n"),
            ("push", |r| r.push(2), "*2\r\n", ">2\r\n"),
            (
                "attribute",
                |r| assert_eq!(r.attribute(1), r.protocol() == Protocol::Resp3),
                "",
                "|1\r\n",
            ),
            ("double", |r| r.double(3.25), "$4\r\n3.25\r\n", ",3.25\r\n"),
            (
                "infinity",
                |r| r.double(f64::NEG_INFINITY),
                "$4\r\n-inf\r\n",
                ",-inf\r\n",
            ),
            (
                "big number",
                |r| r.big_number(b"123"),
                "$3\r\n123\r\n",
                "(123\r\n",
            ),
            ("true", |r| r.boolean(true), ":1\r\n", "#t\r\n"),
            ("false", |r| r.boolean(false), ":0\r\n", "#f\r\n"),
            (
                "verbatim",
                |r| r.verbatim("txt", b"hi"),
                "$2\r\nhi\r\n",
                "=6\r\ntxt:hi\r\n",
            ),
        ];
        for (name, write, resp2, resp3) in table {
            assert_eq!(written(Protocol::Resp2, write), *resp2, "{name}");
            assert_eq!(written(Protocol::Resp3, write), *resp3, "{name}");
        }
    }

    #[test]
    fn counts_may_be_told_after_the_elements() {
        let write = |r: &mut Reply<'_>| {
            r.ok();
            let outer = r.array_later();
            r.bulk_shared(&Bytes::from_static(&[b'x'; SHARED_REPLY_MIN_BYTES]));
            let inner = r.map_later();
            for n in 0..12 {
                r.integer(n);
                r.null();
            }
            r.finish(inner, 12);
            let empty = r.set_later();
            r.finish(empty, 0);
            r.finish(outer, 3);
        };
        let value = "x".repeat(SHARED_REPLY_MIN_BYTES);
        let items = |null: &str| {
            (0..12)
                .map(|n| format!(":{n}\r\n{null}\r\n"))
                .collect::<String>()
        };
        let resp2 = format!(
            "+OK\r\n*3\r\n$16384\r\n{value}\r\n*24\r\n{}*0\r\n",
            items("$-1")
        );
        let resp3 = format!(
            "+OK\r\n*3\r\n$16384\r\n{value}\r\n%12\r\n{}~0\r\n",
            items("_")
        );
        assert_eq!(written(Protocol::Resp2, write), resp2);
        assert_eq!(written(Protocol::Resp3, write), resp3);
    }

    #[test]
    fn big_shared_values_are_not_copied_and_small_ones_are() {
        for (bytes, pieces) in [(SHARED_REPLY_MIN_BYTES - 1, 1), (SHARED_REPLY_MIN_BYTES, 3)] {
            let value = Bytes::from(vec![b'v'; bytes]);
            let mut out = Output::default();
            Reply::new(&mut out, Protocol::Resp2).bulk_shared(&value);
            assert_eq!(out.pieces().count(), pieces);
            assert_eq!(
                out.pieces().any(|piece| piece.as_ptr() == value.as_ptr()),
                pieces == 3
            );
        }
    }
}
