//! Takes commands out of the bytes a client sends, in whatever pieces they come.
//!
//! A command that lies whole in the input is parsed in place: its words are offsets into the input, nothing is copied or
//! allocated. Only a command cut by the end of the input is kept ([`partial`]), and an idle client keeps nothing at all.
//! The same bytes give the same commands and the same errors however they are cut: `tests/resp_fuzz.rs` holds this file
//! to that.
//!
//! ```text
//! multibulk   *2 CRLF $4 CRLF ECHO CRLF $2 CRLF hi CRLF     any bytes in the words
//! inline      ECHO "hi" LF                                  quoted as in redis.conf; CR is white space
//! ```
//! Texts and tolerances are those of Redis 8: the two bytes behind a word and the one behind a header's CR are skipped
//! unseen; empty lines and `*0`, `*-1` are nothing. Where the C servers refuse a line over 64 KiB only if its end is not
//! in the same read, it is refused here always.

mod batch;
mod line;
mod partial;

pub use batch::{Argv, Batch, StoredArgv};
pub use partial::{FILLING_RESERVED_MAX_BYTES, Filling};

use batch::Source;
use line::{Header, InlineWords, inline_end, short_length, split_inline};
use partial::{Partial, Resumed};

/// Bytes a line (inline command or header) may have before its end.
pub const INLINE_MAX_BYTES: usize = 64 * 1024;
/// Words a command may announce.
pub const WORDS_MAX: usize = i32::MAX as usize;
/// A bulk longer than this that is not whole in the input is received into a buffer of its own.
pub const LARGE_BULK_MIN_BYTES: usize = 32 * 1024;
/// Words of a command before the client has authenticated.
pub const UNAUTHENTICATED_WORDS_MAX: usize = 10;
/// Bytes of a word before the client has authenticated.
pub const UNAUTHENTICATED_BULK_MAX_BYTES: usize = 16384;
/// Commands of one batch.
pub const BATCH_COMMANDS_MAX: usize = 64;
/// Places made ready for words that are only announced.
const WORDS_RESERVED_MAX: usize = 64;
/// Input looked at in one call; word offsets have 32 bits.
const INPUT_MAX_BYTES: usize = batch::OFFSETS_MAX_BYTES;

/// What a client may send.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// Longest word (`proto-max-bulk-len`).
    pub bulk_max_bytes: usize,
    /// Whether the client may send long requests; if not, commands come one to a batch, since the first may be AUTH.
    pub authenticated: bool,
}

/// Why a request cannot be understood: the text after "Protocol error: ". The connection ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// An inline command does not end.
    #[error("too big inline request")]
    InlineTooLong,
    /// The line after `*` does not end.
    #[error("too big mbulk count string")]
    CountTooLong,
    /// The number after `*` is none or out of range.
    #[error("invalid multibulk length")]
    InvalidCount,
    /// Too many words for a client that has not authenticated.
    #[error("unauthenticated multibulk length")]
    UnauthenticatedCount,
    /// The line after `$` does not end.
    #[error("too big bulk count string")]
    BulkLengthTooLong,
    /// Something else where a word should begin. Line ends are shown as spaces; see [`ProtocolError::write_text`].
    #[error("expected '$', got '{}'", shown(*.0) as char)]
    ExpectedBulk(u8),
    /// The number after `$` is none or out of range.
    #[error("invalid bulk length")]
    InvalidBulkLength,
    /// Too long a word for a client that has not authenticated.
    #[error("unauthenticated bulk length")]
    UnauthenticatedBulk,
    /// A quote of an inline command is not closed, or not followed by a space.
    #[error("unbalanced quotes in request")]
    UnbalancedQuotes,
}

impl ProtocolError {
    /// Appends the text as Redis sends it: unlike `Display`, a byte that is no ASCII goes out as it came in.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        match self {
            ProtocolError::ExpectedBulk(byte) => {
                out.extend_from_slice(b"expected '$', got '");
                out.extend_from_slice(&[shown(*byte), b'\'']);
            }
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
    }
}

fn shown(byte: u8) -> u8 {
    if matches!(byte, b'\r' | b'\n') {
        b' '
    } else {
        byte
    }
}

/// What came of one call of [`RequestParser::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The batch is full or the input is used up; `consumed` bytes of input are done with.
    Progress {
        /// Bytes of the input not to be given again.
        consumed: usize,
    },
    /// The input is wrong behind the commands of the batch, which are still to be run.
    Error {
        /// Bytes of the input before what is wrong.
        consumed: usize,
        /// What is wrong.
        error: ProtocolError,
    },
}

/// A client's request parser: one pointer, and nothing behind it between commands.
#[derive(Debug, Default)]
pub struct RequestParser {
    partial: Option<Box<Partial>>,
}

impl RequestParser {
    /// Parses up to [`BATCH_COMMANDS_MAX`] commands from `input` (only newly read bytes, never what was given before)
    /// into `batch`, which is cleared first. If less than the input was consumed the batch is full (or ends in an error):
    /// the caller runs it and comes back with the rest.
    pub fn parse(&mut self, input: &[u8], limits: &RequestLimits, batch: &mut Batch) -> Parsed {
        batch.clear();
        let input = &input[..input.len().min(INPUT_MAX_BYTES)];
        let mut position = 0;
        if self.partial.is_some() {
            match self.resume(input, limits, batch) {
                Ok(consumed) => position = consumed,
                Err(error) => return Parsed::Error { consumed: 0, error },
            }
        }
        let commands_max = if limits.authenticated {
            BATCH_COMMANDS_MAX
        } else {
            1
        };
        while batch.len() < commands_max && position < input.len() {
            let first_word = batch.words.len();
            let step = if input[position] == b'*' {
                parse_multibulk(input, position, limits, batch)
            } else {
                parse_inline(input, position, batch)
            };
            match step {
                Ok(Step::Next(next)) => position = next,
                Ok(Step::Cut(cut)) => {
                    self.keep(input, position, first_word, cut, limits, batch);
                    return Parsed::Progress {
                        consumed: input.len(),
                    };
                }
                Err(error) => {
                    batch.words.truncate(first_word);
                    return Parsed::Error {
                        consumed: position,
                        error,
                    };
                }
            }
        }
        Parsed::Progress { consumed: position }
    }

    /// Bytes kept for an unfinished command (`client-query-buffer-limit`, `qbuf=`), its large words included.
    pub fn buffered_bytes(&self) -> usize {
        self.partial
            .as_ref()
            .map_or(0, |partial| partial.buffered_bytes())
    }

    /// The same without what is parsed already of a command whose large word is being received: what CLIENT LIST shows.
    pub fn unparsed_bytes(&self) -> usize {
        let partial = self.partial.as_ref();
        partial.map_or(0, |partial| partial.unparsed_bytes())
    }

    /// The large bulk being received: the caller may read the socket straight into it, then calls `parse` again.
    #[inline]
    pub fn filling(&mut self) -> Option<&mut Filling> {
        self.partial.as_mut()?.filling()
    }

    /// Drops an unfinished command. After a batch with at least one command, all of it came from that batch's input,
    /// so whoever keeps the input behind some command ([`Batch::input_end`]) loses nothing.
    pub fn forget(&mut self) {
        self.partial = None;
    }

    /// Continues the unfinished command; says how much of the input that took.
    fn resume(
        &mut self,
        input: &[u8],
        limits: &RequestLimits,
        batch: &mut Batch,
    ) -> Result<usize, ProtocolError> {
        let Some(mut partial) = self.partial.take() else {
            return Ok(0);
        };
        let mut rest = input;
        let resumed = partial.resume(&mut rest, limits)?;
        let consumed = input.len() - rest.len();
        match resumed {
            Resumed::Cut => self.partial = Some(partial),
            Resumed::Complete => batch.adopt(partial.words, partial.head, partial.larges, consumed),
            Resumed::Empty => {}
        }
        Ok(consumed)
    }

    /// Copies what there is of the command at `start`, whose first words are the last ones of the batch.
    #[cold]
    #[inline(never)]
    fn keep(
        &mut self,
        input: &[u8],
        start: usize,
        first_word: usize,
        cut: Cut,
        limits: &RequestLimits,
        batch: &mut Batch,
    ) {
        let words: Vec<_> = batch
            .words
            .drain(first_word..)
            .map(|word| word.moved_back(start))
            .collect();
        let (mut partial, at) = match cut {
            Cut::Start => (Partial::at_start(input[start]), start),
            Cut::Header { at, missing } => (
                Partial::at_header(input[start..at].to_vec(), words, missing),
                at,
            ),
            Cut::Payload {
                at,
                missing,
                length,
            } => (
                Partial::at_payload(input[start..at].to_vec(), words, missing, length),
                at,
            ),
        };
        let resumed = partial.resume(&mut &input[at..], limits);
        assert_eq!(
            resumed,
            Ok(Resumed::Cut),
            "a command that is not whole in the input does not end there"
        );
        self.partial = Some(Box::new(partial));
    }
}

/// The second word of the first command in `input`, if it stands there whole as a multibulk of short words.
#[inline]
pub fn second_word(input: &[u8]) -> Option<&[u8]> {
    let rest = short_header(input, b'*')?.1;
    let (name_bytes, rest) = short_header(rest, b'$')?;
    let (word_bytes, rest) = short_header(rest.get(name_bytes + 2..)?, b'$')?;
    rest.get(..word_bytes)
}

/// A header of one or two digits: its number and what follows it.
#[inline]
fn short_header(input: &[u8], sign: u8) -> Option<(usize, &[u8])> {
    match *input {
        [first, a, b'\r', b'\n', ref rest @ ..] if first == sign && a.is_ascii_digit() => {
            Some((usize::from(a - b'0'), rest))
        }
        [first, a, b, b'\r', b'\n', ref rest @ ..]
            if first == sign && a.is_ascii_digit() && b.is_ascii_digit() =>
        {
            Some((usize::from(a - b'0') * 10 + usize::from(b - b'0'), rest))
        }
        _ => None,
    }
}

/// Whether a command is in truth an HTTP request that a browser was lured into sending; the client is to be cut off.
#[inline]
pub fn is_http(argv: Argv<'_>) -> bool {
    argv.get(0).is_some_and(|word| match word.len() {
        4 => word.eq_ignore_ascii_case(b"POST"),
        5 => word.eq_ignore_ascii_case(b"HOST:"),
        _ => false,
    })
}

/// How a look at one command in the input ended.
enum Step {
    /// It was complete (or empty); the next one begins there.
    Next(usize),
    /// It is not whole in the input.
    Cut(Cut),
}

/// Where the input ended inside a command; `missing` counts the words that are not complete.
enum Cut {
    /// In its first line.
    Start,
    /// In the header at `at`.
    Header { at: usize, missing: usize },
    /// In the word (or the two bytes behind it) that begins at `at`.
    Payload {
        at: usize,
        missing: usize,
        length: usize,
    },
}

#[inline]
fn parse_multibulk(
    input: &[u8],
    start: usize,
    limits: &RequestLimits,
    batch: &mut Batch,
) -> Result<Step, ProtocolError> {
    let (words_max, bulk_max_bytes) = if limits.authenticated {
        (WORDS_MAX, limits.bulk_max_bytes)
    } else {
        (
            UNAUTHENTICATED_WORDS_MAX,
            limits.bulk_max_bytes.min(UNAUTHENTICATED_BULK_MAX_BYTES),
        )
    };
    let (count, used) = match short_length(b'*', &input[start..]) {
        Some(read) if read.0 <= words_max => read,
        _ => match Header::Count.read(&input[start..], limits)? {
            Some(read) => read,
            None => return Ok(Step::Cut(Cut::Start)),
        },
    };
    let mut at = start + used;
    let first_word = batch.words.len();
    batch.words.reserve(count.min(WORDS_RESERVED_MAX));
    for done in 0..count {
        let rest = &input[at..];
        let (length, used) = match short_length(b'$', rest) {
            Some(read) if read.0 <= bulk_max_bytes => read,
            _ => match Header::Bulk.read(rest, limits)? {
                Some(read) => read,
                None => {
                    return Ok(Step::Cut(Cut::Header {
                        at,
                        missing: count - done,
                    }));
                }
            },
        };
        if rest.len() - used < length.saturating_add(2) {
            return Ok(Step::Cut(Cut::Payload {
                at: at + used,
                missing: count - done,
                length,
            }));
        }
        batch.words.push(batch::Word::at(at + used, length));
        at += used + length + 2;
    }
    if count > 0 {
        batch.finish(first_word, at, Source::Input);
    }
    Ok(Step::Next(at))
}

fn parse_inline(input: &[u8], start: usize, batch: &mut Batch) -> Result<Step, ProtocolError> {
    let rest = &input[start..];
    let Some(end) = inline_end(rest, 0)? else {
        return Ok(Step::Cut(Cut::Start));
    };
    let first_word = batch.words.len();
    let source = match split_inline(&rest[..end], start, &mut batch.words, &mut batch.copies)? {
        InlineWords::InLine => Source::Input,
        InlineWords::Unquoted => Source::Copies,
    };
    let next = start + end + 1;
    if batch.words.len() > first_word {
        batch.finish(first_word, next, source);
    }
    Ok(Step::Next(next))
}

#[cfg(test)]
mod tests;
