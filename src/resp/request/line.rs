//! The lines of a request: `*3`, `$16`, and inline commands.
//!
//! A header ends at its CR; the byte after it is skipped unseen, as Redis does. What a line may hold is decided here once,
//! for requests that lie whole in the input and for those that come in pieces, so that both refuse the same things.

use super::batch::Word;
use super::{
    INLINE_MAX_BYTES, ProtocolError, RequestLimits, UNAUTHENTICATED_BULK_MAX_BYTES,
    UNAUTHENTICATED_WORDS_MAX, WORDS_MAX,
};
use crate::base::number::parse_i64;
use crate::base::quoting::split_args;

/// What the two kinds of header lines announce.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// `*3`: words of a command.
    Count,
    /// `$16`: bytes of a word.
    Bulk,
}

impl Header {
    /// The error of a line that does not end.
    pub(super) fn too_long(self) -> ProtocolError {
        match self {
            Header::Count => ProtocolError::CountTooLong,
            Header::Bulk => ProtocolError::BulkLengthTooLong,
        }
    }

    /// Reads the number of a complete line (without its CR) and holds it against the limits. A negative number of words
    /// is none.
    pub(super) fn value_of(
        self,
        line: &[u8],
        limits: &RequestLimits,
    ) -> Result<usize, ProtocolError> {
        match self {
            Header::Count => count_of(line, limits),
            Header::Bulk => bulk_length_of(line, limits),
        }
    }

    /// The number at the start of `rest` and the bytes its line takes with CRLF; `None` while the line is not complete.
    #[cold]
    #[inline(never)]
    pub(super) fn read(
        self,
        rest: &[u8],
        limits: &RequestLimits,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let window = &rest[..rest.len().min(INLINE_MAX_BYTES + 1)];
        match window.iter().position(|&byte| byte == b'\r') {
            Some(end) if end + 1 < rest.len() => {
                Ok(Some((self.value_of(&rest[..end], limits)?, end + 2)))
            }
            None if window.len() > INLINE_MAX_BYTES => Err(self.too_long()),
            _ => Ok(None),
        }
    }
}

fn count_of(line: &[u8], limits: &RequestLimits) -> Result<usize, ProtocolError> {
    let count = parse_i64(line.get(1..).unwrap_or_default()).ok_or(ProtocolError::InvalidCount)?;
    let count = usize::try_from(count).unwrap_or(0);
    if count > WORDS_MAX {
        Err(ProtocolError::InvalidCount)
    } else if count > UNAUTHENTICATED_WORDS_MAX && !limits.authenticated {
        Err(ProtocolError::UnauthenticatedCount)
    } else {
        Ok(count)
    }
}

fn bulk_length_of(line: &[u8], limits: &RequestLimits) -> Result<usize, ProtocolError> {
    let digits = match line {
        [b'$', digits @ ..] => digits,
        [other, ..] => return Err(ProtocolError::ExpectedBulk(*other)),
        [] => return Err(ProtocolError::ExpectedBulk(b'\r')),
    };
    let length = parse_i64(digits).and_then(|length| usize::try_from(length).ok());
    match length {
        Some(length) if length <= limits.bulk_max_bytes => {
            if length > UNAUTHENTICATED_BULK_MAX_BYTES && !limits.authenticated {
                return Err(ProtocolError::UnauthenticatedBulk);
            }
            Ok(length)
        }
        _ => Err(ProtocolError::InvalidBulkLength),
    }
}

/// The hot reader: `marker`, one to eight digits, CR and one more byte. `None` sends the line to [`Header::read`], which
/// knows whether it is wrong, unusual or incomplete.
#[inline(always)]
pub(super) fn short_length(marker: u8, rest: &[u8]) -> Option<(usize, usize)> {
    let line = rest.first_chunk::<4>()?;
    let high = line[1].wrapping_sub(b'0');
    if line[0] != marker || high > 9 {
        return None;
    }
    if line[2] == b'\r' {
        return Some((usize::from(high), 4));
    }
    let low = line[2].wrapping_sub(b'0');
    if low > 9 || high == 0 {
        return None;
    }
    let two_digits = usize::from(high) * 10 + usize::from(low);
    if line[3] == b'\r' && rest.len() > 4 {
        return Some((two_digits, 5));
    }
    longer_length(two_digits, &rest[3..])
}

/// Continues [`short_length`] after two digits.
#[inline]
fn longer_length(mut value: usize, rest: &[u8]) -> Option<(usize, usize)> {
    for (index, &byte) in rest.iter().enumerate().take(7) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (byte == b'\r' && rest.len() > index + 1).then_some((value, index + 5));
        }
        value = value * 10 + usize::from(digit);
    }
    None
}

/// Where an inline command ends: the place of its LF, or `None` while that has not come.
///
/// `seen` bytes of the line came before. A NUL ends the hope for an LF (the C servers look for it with string functions
/// and wait until the line is too long): the line is refused at once with the same words.
pub(super) fn inline_end(rest: &[u8], seen: usize) -> Result<Option<usize>, ProtocolError> {
    let window = &rest[..rest.len().min(INLINE_MAX_BYTES + 1 - seen)];
    match window.iter().position(|&byte| byte == b'\n' || byte == 0) {
        Some(end) if window[end] == b'\n' => Ok(Some(end)),
        None if seen + window.len() <= INLINE_MAX_BYTES => Ok(None),
        _ => Err(ProtocolError::InlineTooLong),
    }
}

/// Where the words of an inline command went.
#[derive(PartialEq, Eq)]
pub(super) enum InlineWords {
    /// Nothing was quoted: the words lie in the line itself.
    InLine,
    /// Something was quoted: the words are copies in the buffer of copies.
    Unquoted,
}

/// Appends the words of `line`, which starts at `offset` of its buffer.
pub(super) fn split_inline(
    line: &[u8],
    offset: usize,
    words: &mut Vec<Word>,
    unquoted: &mut Vec<u8>,
) -> Result<InlineWords, ProtocolError> {
    if line.iter().any(|&byte| byte == b'"' || byte == b'\'') {
        for word in split_args(line).ok_or(ProtocolError::UnbalancedQuotes)? {
            words.push(Word::at(unquoted.len(), word.len()));
            unquoted.extend_from_slice(&word);
        }
        return Ok(InlineWords::Unquoted);
    }
    let mut at = 0;
    for word in line.split(|&byte| byte.is_ascii_whitespace() || byte == 0x0b) {
        if !word.is_empty() {
            words.push(Word::at(offset + at, word.len()));
        }
        at += word.len() + 1;
    }
    Ok(InlineWords::InLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hot_reader_agrees_with_the_thorough_one() {
        let limits = RequestLimits {
            bulk_max_bytes: usize::MAX,
            authenticated: true,
        };
        for text in [
            "$0\r\n",
            "$9\r\n",
            "$10\r\n",
            "$99\r\nx",
            "$123\r\n",
            "$12345678\r\n",
            "$123456789\r\n",
            "$1\rx",
            "$1\r",
            "$1",
            "$",
            "$12\r",
            "$123\r",
            "$00\r\n",
            "$01\r\n",
            "$-1\r\n",
            "$a\r\n",
            "$1a\r\n",
            "$12a\r\n",
            "$\r\n",
            ":1\r\n",
            "",
        ] {
            let thorough = Header::Bulk.read(text.as_bytes(), &limits);
            match short_length(b'$', text.as_bytes()) {
                Some(short) => assert_eq!(thorough, Ok(Some(short)), "{text:?}"),
                None => assert!(
                    text.len() > 10 || !matches!(thorough, Ok(Some(_))),
                    "{text:?}"
                ),
            }
        }
    }
}
