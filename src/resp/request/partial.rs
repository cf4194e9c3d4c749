//! A command that came in pieces.
//!
//! Its small words are put together in the head, each large one in a buffer of its own. Every piece continues exactly
//! where the last one ended: no byte is looked at twice, no byte of a following command is copied, and no room is taken
//! for bytes that were announced but did not come (beyond the named bounds).
//!
//! ```text
//! Inline ─────────────────────────────────────────────▶ complete
//! Count ──▶ BulkHeader ──▶ Payload ──▶ PayloadEnd ──▶ complete
//!               ▲    └───▶ Large ─────────▲ │
//!               └───────────────────────────┘ words missing
//! ```

use bytes::Bytes;

use super::batch::{OFFSETS_MAX_BYTES, Word};
use super::line::{Header, InlineWords, inline_end, split_inline};
use super::{INLINE_MAX_BYTES, LARGE_BULK_MIN_BYTES, ProtocolError, RequestLimits};

/// Room taken for a large bulk before its bytes come.
pub const FILLING_RESERVED_MAX_BYTES: usize = 64 * 1024;
/// Room grows to so many times what has come, up to what was announced.
const FILLING_GROWTH: usize = 4;

/// A large bulk on its way: the caller may read the socket straight into [`Filling::buffer`].
#[derive(Debug)]
pub struct Filling {
    buffer: Vec<u8>,
    announced: usize,
}

impl Filling {
    fn new(announced: usize) -> Filling {
        Filling {
            buffer: Vec::with_capacity(announced.min(FILLING_RESERVED_MAX_BYTES)),
            announced,
        }
    }

    /// Payload bytes that have not come yet; the CRLF behind them goes through `parse`.
    #[inline]
    pub fn missing(&self) -> usize {
        self.announced - self.buffer.len()
    }

    /// Bytes to read at most in one go: what is missing, as far as the buffer has room (it is given room if it has none).
    /// Reading no more than this keeps the buffer from growing past the announced length.
    pub fn room(&mut self) -> usize {
        if self.buffer.len() == self.buffer.capacity() {
            self.grow(1);
        }
        self.missing()
            .min(self.buffer.capacity() - self.buffer.len())
    }

    /// Where payload bytes are appended: at most [`Filling::missing`] of them. Then `parse`, be it with no input, goes on.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Makes room for `more` bytes, or for a multiple of what has come, up to what was announced.
    fn grow(&mut self, more: usize) {
        let ahead = self.buffer.len() * (FILLING_GROWTH - 1);
        let wanted = more.max(ahead.min(self.missing()));
        self.buffer.reserve_exact(wanted);
    }

    fn absorb(&mut self, rest: &mut &[u8]) {
        assert!(
            self.buffer.len() <= self.announced,
            "the caller reads no more than is missing"
        );
        let piece = split_front(rest, self.missing());
        if self.buffer.capacity() - self.buffer.len() < piece.len() {
            self.grow(piece.len());
        }
        self.buffer.extend_from_slice(piece);
    }

    fn into_bytes(mut self) -> Bytes {
        if self.buffer.capacity() - self.buffer.len() > self.buffer.len() / 8 {
            self.buffer.shrink_to_fit();
        }
        Bytes::from(self.buffer)
    }
}

/// What the next byte belongs to.
#[derive(Debug)]
enum Stage {
    /// An inline command; the head is its line so far.
    Inline,
    /// `*3`; the head is the line so far.
    Count,
    /// `$16`; the head from `start` on is the line so far.
    BulkHeader { start: usize },
    /// A small word; it begins in the head at `start`.
    Payload { start: usize, missing: usize },
    /// A large word.
    Large(Filling),
    /// The two bytes behind a word.
    PayloadEnd { missing: usize },
}

/// What came of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resumed {
    /// The piece is used up and the command is not complete.
    Cut,
    /// The command is complete.
    Complete,
    /// What was complete turned out to hold no words.
    Empty,
}

/// An unfinished command.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) head: Vec<u8>,
    pub(super) words: Vec<Word>,
    pub(super) larges: Vec<Bytes>,
    large_bytes: usize,
    words_missing: usize,
    stage: Stage,
}

impl Partial {
    /// A command of which nothing has been understood yet.
    pub(super) fn at_start(first_byte: u8) -> Partial {
        let stage = if first_byte == b'*' {
            Stage::Count
        } else {
            Stage::Inline
        };
        Partial {
            head: Vec::new(),
            words: Vec::new(),
            larges: Vec::new(),
            large_bytes: 0,
            words_missing: 0,
            stage,
        }
    }

    /// A command whose first `words` lie in `head`, cut before the header of the next one.
    pub(super) fn at_header(head: Vec<u8>, words: Vec<Word>, words_missing: usize) -> Partial {
        let stage = Stage::BulkHeader { start: head.len() };
        Partial {
            head,
            words,
            larges: Vec::new(),
            large_bytes: 0,
            words_missing,
            stage,
        }
    }

    /// The same, cut inside a word of `length` bytes.
    pub(super) fn at_payload(
        head: Vec<u8>,
        words: Vec<Word>,
        words_missing: usize,
        length: usize,
    ) -> Partial {
        let mut partial = Partial::at_header(head, words, words_missing);
        partial.begin_payload(length);
        partial
    }

    /// Bytes kept: words so far and their places.
    pub(super) fn buffered_bytes(&self) -> usize {
        let filling = match &self.stage {
            Stage::Large(filling) => filling.buffer.len(),
            _ => 0,
        };
        self.head.len() + self.words.len() * size_of::<Word>() + self.large_bytes + filling
    }

    /// Bytes of the word that is being received, if it is large; else all that is kept.
    pub(super) fn unparsed_bytes(&self) -> usize {
        match (&self.stage, self.larges.last()) {
            (Stage::Large(filling), _) => filling.buffer.len(),
            (Stage::PayloadEnd { .. }, Some(large)) => large.len(),
            _ => self.buffered_bytes(),
        }
    }

    /// The large bulk being received, if bytes of it are missing.
    pub(super) fn filling(&mut self) -> Option<&mut Filling> {
        match &mut self.stage {
            Stage::Large(filling) if filling.missing() > 0 => Some(filling),
            _ => None,
        }
    }

    /// Takes from `rest` what belongs to this command.
    pub(super) fn resume(
        &mut self,
        rest: &mut &[u8],
        limits: &RequestLimits,
    ) -> Result<Resumed, ProtocolError> {
        loop {
            let finished = match self.stage {
                Stage::Inline => return self.resume_inline(rest),
                Stage::Count => self.resume_count(rest, limits)?,
                Stage::BulkHeader { start } => self.resume_bulk_header(start, rest, limits)?,
                Stage::Payload { .. } | Stage::Large(_) => self.resume_payload(rest),
                Stage::PayloadEnd { .. } => self.resume_payload_end(rest),
            };
            if let Some(resumed) = finished {
                return Ok(resumed);
            }
        }
    }

    fn resume_inline(&mut self, rest: &mut &[u8]) -> Result<Resumed, ProtocolError> {
        let Some(end) = inline_end(rest, self.head.len())? else {
            self.head.extend_from_slice(split_front(rest, usize::MAX));
            return Ok(Resumed::Cut);
        };
        self.head.extend_from_slice(split_front(rest, end));
        split_front(rest, 1);
        let mut unquoted = Vec::new();
        if split_inline(&self.head, 0, &mut self.words, &mut unquoted)? == InlineWords::Unquoted {
            self.head = unquoted;
        }
        Ok(if self.words.is_empty() {
            Resumed::Empty
        } else {
            Resumed::Complete
        })
    }

    fn resume_count(
        &mut self,
        rest: &mut &[u8],
        limits: &RequestLimits,
    ) -> Result<Option<Resumed>, ProtocolError> {
        if !self.take_line(0, rest, Header::Count)? {
            return Ok(Some(Resumed::Cut));
        }
        self.words_missing = Header::Count.value_of(&self.head, limits)?;
        self.head.clear();
        if self.words_missing == 0 {
            return Ok(Some(Resumed::Empty));
        }
        self.stage = Stage::BulkHeader { start: 0 };
        Ok(None)
    }

    fn resume_bulk_header(
        &mut self,
        start: usize,
        rest: &mut &[u8],
        limits: &RequestLimits,
    ) -> Result<Option<Resumed>, ProtocolError> {
        if !self.take_line(start, rest, Header::Bulk)? {
            return Ok(Some(Resumed::Cut));
        }
        let length = Header::Bulk.value_of(&self.head[start..], limits)?;
        self.head.truncate(start);
        self.begin_payload(length);
        Ok(None)
    }

    fn begin_payload(&mut self, length: usize) {
        self.stage = if length > LARGE_BULK_MIN_BYTES || self.head.len() > OFFSETS_MAX_BYTES {
            Stage::Large(Filling::new(length))
        } else {
            Stage::Payload {
                start: self.head.len(),
                missing: length,
            }
        };
    }

    fn resume_payload(&mut self, rest: &mut &[u8]) -> Option<Resumed> {
        match &mut self.stage {
            Stage::Payload { start, missing } => {
                let piece = split_front(rest, *missing);
                self.head.extend_from_slice(piece);
                *missing -= piece.len();
                if *missing > 0 {
                    return Some(Resumed::Cut);
                }
                self.words.push(Word::at(*start, self.head.len() - *start));
            }
            Stage::Large(filling) => {
                filling.absorb(rest);
                if filling.missing() > 0 {
                    return Some(Resumed::Cut);
                }
            }
            _ => return None,
        }
        if let Stage::Large(filling) =
            std::mem::replace(&mut self.stage, Stage::PayloadEnd { missing: 2 })
        {
            self.words.push(Word::large(self.larges.len()));
            self.large_bytes += filling.announced;
            self.larges.push(filling.into_bytes());
        }
        None
    }

    fn resume_payload_end(&mut self, rest: &mut &[u8]) -> Option<Resumed> {
        if let Stage::PayloadEnd { missing } = &mut self.stage {
            *missing -= split_front(rest, *missing).len();
            if *missing > 0 {
                return Some(Resumed::Cut);
            }
        }
        self.words_missing -= 1;
        if self.words_missing == 0 {
            return Some(Resumed::Complete);
        }
        self.stage = Stage::BulkHeader {
            start: self.head.len(),
        };
        None
    }

    /// Moves header bytes to the head until the line that begins there at `start` is complete (its CR dropped again).
    fn take_line(
        &mut self,
        start: usize,
        rest: &mut &[u8],
        header: Header,
    ) -> Result<bool, ProtocolError> {
        if self.head.len() > start && self.head.last() == Some(&b'\r') {
            let complete = split_front(rest, 1).len() == 1;
            if complete {
                self.head.pop();
            }
            return Ok(complete);
        }
        let window_bytes = INLINE_MAX_BYTES + 1 - (self.head.len() - start);
        let window = &rest[..rest.len().min(window_bytes)];
        let Some(end) = window.iter().position(|&byte| byte == b'\r') else {
            if window.len() == window_bytes {
                return Err(header.too_long());
            }
            self.head.extend_from_slice(split_front(rest, usize::MAX));
            return Ok(false);
        };
        let complete = end + 1 < rest.len();
        self.head
            .extend_from_slice(split_front(rest, if complete { end } else { end + 1 }));
        if complete {
            split_front(rest, 2);
        }
        Ok(complete)
    }
}

/// Takes up to `max` bytes from the front of `rest`.
#[inline]
fn split_front<'a>(rest: &mut &'a [u8], max: usize) -> &'a [u8] {
    let (front, back) = rest.split_at(rest.len().min(max));
    *rest = back;
    front
}
