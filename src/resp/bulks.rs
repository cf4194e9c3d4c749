//! Many short byte strings in a row, as LRANGE and its like answer them: written into a piece on the stack, from where
//! they go into the reply together.
//!
//! The length of a short string is not known to the compiler, so that copying it is a call. But when memory behind it
//! may be read, and memory behind its place written, then a copy of a fixed size does: a few moves without a loop.

use super::reply::write_header;
use crate::base::number::write_i64;

/// Bytes of the piece.
const PIECE_BYTES: usize = 1024;
/// Strings of so many bytes are copied in one go.
const WIDE_BYTES: usize = 32;
/// `$32`, two line ends and 32 bytes, and what may be written beyond.
const WIDE_ROOM_BYTES: usize = 48;

/// See the head of the file. What was written counts when it is dropped.
pub struct Bulks<'a> {
    out: &'a mut Vec<u8>,
    piece: [u8; PIECE_BYTES],
    filled: usize,
    digits: Vec<u8>,
}

impl<'a> Bulks<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            piece: [0; PIECE_BYTES],
            filled: 0,
            digits: Vec::new(),
        }
    }

    /// The first `length` bytes of `from` as a byte string; what follows them may be read.
    #[inline]
    pub fn word(&mut self, from: &[u8], length: usize) {
        if self.filled + WIDE_ROOM_BYTES > PIECE_BYTES {
            self.flush();
        }
        let room = self.piece.get_mut(self.filled..);
        let room = room.and_then(|room| room.first_chunk_mut::<WIDE_ROOM_BYTES>());
        match (from.first_chunk::<WIDE_BYTES>(), room) {
            (Some(source), Some(room)) if length <= WIDE_BYTES => {
                self.filled += write_wide(source, length, room);
            }
            _ => self.long_word(&from[..length]),
        }
    }

    /// A byte string of any length.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.word(bytes, bytes.len());
    }

    /// An integer as a byte string.
    pub fn int(&mut self, value: i64) {
        let mut digits = std::mem::take(&mut self.digits);
        digits.clear();
        write_i64(&mut digits, value);
        let length = digits.len();
        // Room behind the digits, so that they are copied as short words are.
        digits.resize(WIDE_BYTES.max(length), 0);
        self.word(&digits, length);
        self.digits = digits;
    }

    fn long_word(&mut self, word: &[u8]) {
        self.flush();
        self.out.reserve(word.len() + 24);
        write_header(self.out, b'$', word.len());
        self.out.extend_from_slice(word);
        self.out.extend_from_slice(b"\r\n");
    }

    fn flush(&mut self) {
        self.out.extend_from_slice(&self.piece[..self.filled]);
        self.filled = 0;
    }
}

impl Drop for Bulks<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Writes a byte string of up to [`WIDE_BYTES`]; how many bytes it takes.
#[inline(always)]
fn write_wide(source: &[u8; WIDE_BYTES], length: usize, room: &mut [u8; WIDE_ROOM_BYTES]) -> usize {
    let [tens, ones] = [b'0' + (length / 10) as u8, b'0' + (length % 10) as u8];
    let start = if length < 10 {
        room[..4].copy_from_slice(&[b'$', ones, b'\r', b'\n']);
        4
    } else {
        room[..5].copy_from_slice(&[b'$', tens, ones, b'\r', b'\n']);
        5
    };
    room[start..start + WIDE_BYTES].copy_from_slice(source);
    let end = start + length.min(WIDE_BYTES);
    room[end..end + 2].copy_from_slice(b"\r\n");
    end + 2
}

#[cfg(test)]
mod tests {
    use crate::resp::output::Output;
    use crate::resp::reply::{Protocol, Reply};

    #[test]
    fn words_of_every_length_and_numbers_come_out_as_single_bulks_do() {
        let letters: Vec<u8> = (0..3000).map(|at| b'a' + (at % 26) as u8).collect();
        let (mut one_by_one, mut together) = (Output::default(), Output::default());
        let mut reply = Reply::new(&mut one_by_one, Protocol::Resp2);
        let mut written = Reply::new(&mut together, Protocol::Resp2);
        let mut bulks = written.bulks();
        for length in (0..80).chain([999, 1000, 1024, 2500]) {
            for behind in [0, 1, 31, 32, 400] {
                reply.bulk(&letters[..length]);
                bulks.word(&letters[..length + behind], length);
            }
            let number = length as i64 * -123_456_789_012;
            reply.bulk_i64(number);
            bulks.int(number);
        }
        drop(bulks);
        assert_eq!(together.bytes(), one_by_one.bytes());
    }
}
