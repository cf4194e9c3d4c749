//! What a client has yet to receive.
//!
//! Replies are written into one buffer; values that are big and shared anyway are not copied but spliced in where they
//! belong, and go out with `writev`. A buffer that has grown big is set aside between commands, so that a slow reader's
//! backlog never has to be moved to grow. An output with nothing in it holds no heap memory unless its buffer is kept.
//!
//! ```text
//! aside   [....][....]           whole pieces, first to go out
//! buffer  xxxx|..........|....   x: sent; |: a splice, the shared bytes that go out at this place
//! ```

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// A shared value of so many bytes is spliced in; a smaller one is cheaper to copy.
pub const SHARED_REPLY_MIN_BYTES: usize = 16 * 1024;
/// Most slices one `writev` is given.
pub const OUTPUT_SLICES_MAX: usize = 64;
/// From this size on [`Output::settle`] sets the buffer aside.
pub const SETTLE_MIN_BYTES: usize = 1024 * 1024;
/// Sent bytes that are worth moving the rest of the buffer down for, if they are at least half of it.
const COMPACT_MIN_BYTES: usize = 64 * 1024;

/// A client's pending reply bytes.
#[derive(Debug, Default)]
pub struct Output {
    buffer: Vec<u8>,
    /// Bytes of the buffer that are sent already.
    sent: usize,
    shared: Option<Box<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    aside: VecDeque<Bytes>,
    splices: VecDeque<Splice>,
    /// Unsent bytes in both.
    bytes: usize,
}

#[derive(Debug)]
struct Splice {
    /// The place in the buffer before which these bytes go out.
    at: usize,
    bytes: Bytes,
}

/// A place to cut an output back to; good until `advance` or `settle` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    at: usize,
    splices: usize,
}

impl Output {
    /// An output that writes into `buffer`, which is emptied: a pool lends it.
    pub fn from_vec(mut buffer: Vec<u8>) -> Output {
        buffer.clear();
        Output {
            buffer,
            sent: 0,
            shared: None,
        }
    }

    /// Takes the buffer out of an output with nothing pending, so that an idle client holds none.
    pub fn take_buffer(&mut self) -> Option<Vec<u8>> {
        (self.is_empty() && self.buffer.capacity() > 0).then(|| {
            self.sent = 0;
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            buffer
        })
    }

    /// Lends a buffer to an output that has none; one that has keeps its own and hands this one back.
    pub fn give_buffer(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        if self.buffer.capacity() > 0 {
            return Some(buffer);
        }
        self.buffer = buffer;
        self.buffer.clear();
        None
    }

    /// Whether it has a buffer to write into.
    #[inline]
    pub fn has_buffer(&self) -> bool {
        self.buffer.capacity() > 0
    }

    /// Bytes not sent yet, shared ones included.
    #[inline]
    pub fn len(&self) -> usize {
        self.buffer.len() - self.sent + self.shared.as_ref().map_or(0, |shared| shared.bytes)
    }

    /// Whether everything is sent.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what is pending; the buffer stays.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.sent = 0;
        self.shared = None;
    }

    /// Heap bytes this client is answerable for: the buffer's room and the shared bytes in full.
    pub fn heap_bytes(&self) -> usize {
        let shared = self.shared.as_ref().map_or(0, |shared| {
            size_of::<Shared>()
                + shared.bytes
                + shared.splices.capacity() * size_of::<Splice>()
                + shared.aside.capacity() * size_of::<Bytes>()
        });
        self.buffer.capacity() + shared
    }

    /// The present end, to come back to when a command fails half way.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark {
            at: self.buffer.len(),
            splices: self.splice_count(),
        }
    }

    /// Drops everything written since `mark`.
    pub fn truncate(&mut self, mark: Mark) {
        assert!(
            mark.at <= self.buffer.len() && mark.at >= self.sent,
            "a mark is used before anything behind it is sent"
        );
        self.buffer.truncate(mark.at);
        if let Some(shared) = &mut self.shared {
            for splice in shared.splices.drain(mark.splices..) {
                shared.bytes -= splice.bytes.len();
            }
        }
        self.drop_empty_shared();
    }

    /// To be called between commands, when no mark is in use: sets a big buffer aside as it is, so that growing never
    /// moves more than about [`SETTLE_MIN_BYTES`] of old replies.
    #[inline]
    pub fn settle(&mut self) {
        if self.buffer.len() - self.sent >= SETTLE_MIN_BYTES {
            self.set_aside();
        }
    }

    /// Counts `n` bytes from the front as sent.
    pub fn advance(&mut self, n: usize) {
        assert!(n <= self.len(), "no more is sent than was pending");
        if self.shared.is_some() {
            self.advance_shared(n);
        } else {
            self.sent += n;
        }
        if self.sent == self.buffer.len() && self.shared.is_none() {
            self.buffer.clear();
            self.sent = 0;
        } else if self.sent >= COMPACT_MIN_BYTES && self.sent >= self.buffer.len() / 2 {
            self.compact();
        }
    }

    /// All pending bytes as one slice, if they are one: then a plain `write` does.
    #[inline]
    pub fn as_slice(&self) -> Option<&[u8]> {
        self.shared.is_none().then(|| &self.buffer[self.sent..])
    }

    /// Fills `list` with the first pending pieces for `writev` and says how many there are.
    pub fn io_slices<'a>(&'a self, list: &mut [IoSlice<'a>; OUTPUT_SLICES_MAX]) -> usize {
        let mut count = 0;
        for (place, piece) in list.iter_mut().zip(self.pieces()) {
            *place = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    /// The pending bytes in order, none of the pieces empty.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let shared = self.shared.as_deref();
        let aside = shared
            .into_iter()
            .flat_map(|shared| shared.aside.iter().map(|bytes| &bytes[..]));
        let splices = shared.into_iter().flat_map(|shared| shared.splices.iter());
        let mut from = self.sent;
        let spliced = splices.flat_map(move |splice| {
            let before = &self.buffer[from..splice.at];
            from = splice.at;
            [before, &splice.bytes[..]]
        });
        let last = shared
            .and_then(|shared| shared.splices.back())
            .map_or(self.sent, |splice| splice.at);
        let tail = std::iter::once(&self.buffer[last..]);
        aside
            .chain(spliced)
            .chain(tail)
            .filter(|piece| !piece.is_empty())
    }

    /// All pending bytes in one copy, for tests and tools.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces().flatten().copied().collect()
    }

    /// Where replies are written.
    #[inline(always)]
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Puts shared bytes behind what was written.
    pub(super) fn splice(&mut self, bytes: Bytes) {
        let at = self.buffer.len();
        let shared = self.shared.get_or_insert_default();
        shared.bytes += bytes.len();
        shared.splices.push_back(Splice { at, bytes });
    }

    /// Moves the bytes from `written` on (few: a header) to where `mark` is, before what came since.
    pub(super) fn move_to(&mut self, mark: Mark, written: usize) {
        let moved = self.buffer.len() - written;
        self.buffer[mark.at..].rotate_right(moved);
        if let Some(shared) = &mut self.shared {
            let later = shared.splices.range_mut(mark.splices..);
            later.for_each(|splice| splice.at += moved);
        }
    }

    fn splice_count(&self) -> usize {
        self.shared
            .as_ref()
            .map_or(0, |shared| shared.splices.len())
    }

    fn advance_shared(&mut self, mut n: usize) {
        let Some(shared) = &mut self.shared else {
            return;
        };
        while n > 0 {
            let next_splice = shared
                .splices
                .front()
                .map_or(self.buffer.len(), |splice| splice.at);
            n -= if !shared.aside.is_empty() {
                let taken = take_front(shared.aside.front_mut(), n);
                shared.bytes -= taken;
                if shared.aside.front().is_some_and(Bytes::is_empty) {
                    shared.aside.pop_front();
                }
                taken
            } else if next_splice > self.sent {
                let taken = n.min(next_splice - self.sent);
                self.sent += taken;
                taken
            } else {
                let taken = take_front(
                    shared.splices.front_mut().map(|splice| &mut splice.bytes),
                    n,
                );
                shared.bytes -= taken;
                if shared
                    .splices
                    .front()
                    .is_some_and(|splice| splice.bytes.is_empty())
                {
                    shared.splices.pop_front();
                }
                taken
            };
        }
        self.drop_empty_shared();
    }

    /// Moves the unsent part of the buffer to its start: at most as many bytes as were sent since the last time.
    fn compact(&mut self) {
        self.buffer.drain(..self.sent);
        if let Some(shared) = &mut self.shared {
            shared
                .splices
                .iter_mut()
                .for_each(|splice| splice.at -= self.sent);
        }
        self.sent = 0;
    }

    fn set_aside(&mut self) {
        let whole = Bytes::from(std::mem::take(&mut self.buffer));
        let mut from = std::mem::take(&mut self.sent);
        let shared = self.shared.get_or_insert_default();
        shared.bytes += whole.len() - from;
        for splice in shared.splices.drain(..) {
            if splice.at > from {
                shared.aside.push_back(whole.slice(from..splice.at));
            }
            shared.aside.push_back(splice.bytes);
            from = splice.at;
        }
        if from < whole.len() {
            shared.aside.push_back(whole.slice(from..));
        }
    }

    fn drop_empty_shared(&mut self) {
        if self.shared.as_ref().is_some_and(|shared| shared.bytes == 0) {
            self.shared = None;
        }
    }
}

/// Takes up to `max` bytes off the front of a shared piece; says how many.
fn take_front(piece: Option<&mut Bytes>, max: usize) -> usize {
    let piece = piece.expect("pending bytes that are not in the buffer are in a shared piece");
    let taken = piece.len().min(max);
    piece.advance(taken);
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed() -> (Output, Vec<u8>) {
        let mut out = Output::default();
        let mut plain = Vec::new();
        for round in 0..5u8 {
            out.buffer().extend_from_slice(&[b'a' + round; 7]);
            plain.extend_from_slice(&[b'a' + round; 7]);
            out.splice(Bytes::from(vec![b'A' + round; 11]));
            plain.extend_from_slice(&[b'A' + round; 11]);
            if round == 3 {
                out.splice(Bytes::from_static(b"again"));
                plain.extend_from_slice(b"again");
            }
        }
        (out, plain)
    }

    #[test]
    fn pieces_go_out_in_order_whatever_each_write_takes() {
        for step in 1..40 {
            for aside in [false, true] {
                let (mut out, plain) = mixed();
                if aside {
                    out.set_aside();
                    out.buffer().extend_from_slice(b"tail");
                }
                let mut expected = plain;
                if aside {
                    expected.extend_from_slice(b"tail");
                }
                let mut received = Vec::new();
                while !out.is_empty() {
                    assert_eq!(out.len(), expected.len() - received.len());
                    let piece: Vec<u8> = out.bytes().into_iter().take(step).collect();
                    out.advance(piece.len());
                    received.extend(piece);
                }
                assert_eq!(received, expected);
                assert!(out.shared.is_none() && out.sent == 0);
            }
        }
    }

    #[test]
    fn cutting_back_drops_what_came_after_the_mark() {
        let (mut out, plain) = mixed();
        out.advance(3);
        let mark = out.mark();
        out.buffer().extend_from_slice(b"half a reply");
        out.splice(Bytes::from_static(b"shared"));
        out.truncate(mark);
        assert_eq!(out.bytes(), &plain[3..]);
        assert_eq!(out.len(), plain.len() - 3);
    }

    #[test]
    fn a_header_written_late_moves_later_splices_and_leaves_earlier_ones() {
        let mut out = Output::default();
        out.splice(Bytes::from_static(b"first"));
        let mark = out.mark();
        out.splice(Bytes::from_static(b"second"));
        out.buffer().extend_from_slice(b"end");
        out.buffer().extend_from_slice(b"<here>");
        out.move_to(mark, 3);
        assert_eq!(out.bytes(), b"first<here>secondend");
    }

    #[test]
    fn one_writev_is_given_a_bounded_number_of_pieces() {
        let mut out = Output::default();
        for _ in 0..100 {
            out.splice(Bytes::from_static(b"x"));
        }
        let mut list = [IoSlice::new(&[]); OUTPUT_SLICES_MAX];
        assert_eq!(out.io_slices(&mut list), OUTPUT_SLICES_MAX);
        assert!(out.as_slice().is_none());
    }

    #[test]
    fn a_big_backlog_is_set_aside_and_a_long_sent_part_is_dropped() {
        let mut out = Output::default();
        out.buffer().extend_from_slice(&vec![1; SETTLE_MIN_BYTES]);
        out.settle();
        assert!(out.buffer.is_empty());
        assert_eq!(out.len(), SETTLE_MIN_BYTES);
        out.clear();
        out.buffer()
            .extend_from_slice(&vec![1; 3 * COMPACT_MIN_BYTES]);
        out.splice(Bytes::from_static(b"end"));
        out.advance(2 * COMPACT_MIN_BYTES);
        assert_eq!(out.buffer.len(), COMPACT_MIN_BYTES);
        assert!(out.bytes().ends_with(b"\x01end"));
    }

    #[test]
    fn an_idle_output_gives_its_buffer_away() {
        let mut out = Output::from_vec(Vec::with_capacity(100));
        out.buffer().push(1);
        assert!(out.take_buffer().is_none());
        out.advance(1);
        let buffer = out.take_buffer().expect("nothing is pending");
        assert_eq!(out.heap_bytes(), 0);
        assert!(out.give_buffer(buffer).is_none());
        assert!(out.give_buffer(Vec::new()).is_some());
    }
}
