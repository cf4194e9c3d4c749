//! Reads RDB bytes, from memory or from a file of any size in bounded memory. Nothing is believed: a length is compared
//! with what is left before anything is reserved for it.

use super::lzf;
use super::{Checksum, LENGTH_32, LENGTH_64, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF};
use crate::base::number;
use std::io::{self, Read};

/// Bytes that are asked of the source at once.
const CHUNK_BYTES: usize = 1 << 20;
/// The longest string that is believed: a key or a member may be so long.
const STRING_MAX_BYTES: u64 = u32::MAX as u64;

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed.
    #[error("at byte {at}: {source}")]
    Io {
        /// Offset in the source.
        at: u64,
        /// What it said.
        source: io::Error,
    },
    /// The bytes are not what they must be.
    #[error("at byte {at}: expected {expected}, found {found}")]
    Corrupt {
        /// Offset in the source.
        at: u64,
        /// What should stand there.
        expected: &'static str,
        /// What does.
        found: String,
    },
}

/// A string in the form in which it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// The number whose shortest decimal form it is.
    Int(i64),
    /// Anything else; it may look like a number.
    Bytes(&'a [u8]),
}

/// See the head of the file.
pub struct Reader<'s> {
    source: Option<Box<dyn Read + 's>>,
    buffer: Vec<u8>,
    /// Where in the buffer reading goes on.
    at: usize,
    /// Offset in the source of the buffer's first byte.
    before: u64,
    /// Bytes that the source has in all, if it is known.
    total: u64,
    /// Of the bytes before `at`, those that have been taken in.
    checksum: Checksum,
    summed: usize,
    /// The string that was decoded last.
    string: Vec<u8>,
}

impl<'s> Reader<'s> {
    /// Reads `bytes`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::with(None, bytes.to_vec(), bytes.len() as u64)
    }

    /// Reads a source of `total` bytes; `u64::MAX`: nobody knows.
    pub fn of_source(source: impl Read + 's, total: u64) -> Self {
        Self::with(Some(Box::new(source)), Vec::new(), total)
    }

    fn with(source: Option<Box<dyn Read + 's>>, buffer: Vec<u8>, total: u64) -> Self {
        Self {
            source,
            buffer,
            at: 0,
            before: 0,
            total,
            checksum: Checksum::default(),
            summed: 0,
            string: Vec::new(),
        }
    }

    /// Offset of the next byte.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// What was read from the source and not taken.
    pub fn into_rest(mut self) -> Vec<u8> {
        self.buffer.drain(..self.at);
        self.buffer
    }

    /// Bytes that are left at most.
    pub fn left(&self) -> u64 {
        self.total.saturating_sub(self.offset())
    }

    /// The checksum of all bytes read so far.
    pub fn checksum(&mut self) -> u64 {
        self.sum();
        self.checksum.value()
    }

    /// The error that something else stands here than `expected`.
    pub fn corrupt(&self, expected: &'static str, found: impl std::fmt::Display) -> ReadError {
        ReadError::Corrupt {
            at: self.offset(),
            expected,
            found: found.to_string(),
        }
    }

    fn sum(&mut self) {
        self.checksum.update(&self.buffer[self.summed..self.at]);
        self.summed = self.at;
    }

    /// Makes the next `count` bytes lie in the buffer.
    #[cold]
    fn fill(&mut self, count: usize) -> Result<(), ReadError> {
        if count as u64 > self.left() {
            let left = format!("{} bytes until the end, {count} are announced", self.left());
            return Err(self.corrupt("more bytes", left));
        }
        self.sum();
        self.before += self.at as u64;
        self.buffer.drain(..self.at);
        (self.at, self.summed) = (0, 0);
        while self.buffer.len() < count {
            let Some(source) = &mut self.source else {
                return Err(self.corrupt("more bytes", "the end"));
            };
            // Announced bytes are not reserved before they have come.
            let wanted = (count - self.buffer.len()).clamp(CHUNK_BYTES / 2, CHUNK_BYTES) as u64;
            let came = source.take(wanted).read_to_end(&mut self.buffer);
            match came {
                Ok(0) => return Err(self.corrupt("more bytes", "the end")),
                Ok(_) => {}
                Err(source) => {
                    let at = self.before + self.buffer.len() as u64;
                    return Err(ReadError::Io { at, source });
                }
            }
        }
        Ok(())
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&[u8], ReadError> {
        if self.buffer.len() - self.at < count {
            self.fill(count)?;
        }
        self.at += count;
        Ok(&self.buffer[self.at - count..self.at])
    }

    /// The next byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, ReadError> {
        Ok(self.array::<1>()?[0])
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        match self.take(N)?.first_chunk() {
            Some(bytes) => Ok(*bytes),
            None => unreachable!("`take` gives as many as asked for"),
        }
    }

    /// A number of 8 bytes.
    pub fn i64(&mut self) -> Result<i64, ReadError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A score of 8 bytes, which must be a number.
    pub fn f64(&mut self) -> Result<f64, ReadError> {
        let value = f64::from_le_bytes(self.array()?);
        if value.is_nan() {
            return Err(self.corrupt("a number", "NaN"));
        }
        Ok(value)
    }

    /// A score as text, as files had it before version 8.
    pub fn text_f64(&mut self) -> Result<f64, ReadError> {
        let length = self.byte()?;
        match length {
            253 => Err(self.corrupt("a number", "NaN")),
            254 => Ok(f64::INFINITY),
            255 => Ok(f64::NEG_INFINITY),
            _ => {
                let text = self.take(usize::from(length))?.to_vec();
                number::parse_f64(&text)
                    .ok_or_else(|| self.corrupt("a number", text.escape_ascii()))
            }
        }
    }

    /// A number in the form of a length.
    #[inline]
    pub fn number(&mut self) -> Result<u64, ReadError> {
        let first = self.byte()?;
        match self.length_after(first)? {
            Some(length) => Ok(length),
            None => Err(self.corrupt("a length", format_args!("0x{first:02x}"))),
        }
    }

    /// The length whose first byte was read; `None`: no length begins so.
    #[inline]
    fn length_after(&mut self, first: u8) -> Result<Option<u64>, ReadError> {
        Ok(Some(match first {
            0..0x40 => u64::from(first),
            0x40..0x80 => u64::from(first & 0x3f) << 8 | u64::from(self.byte()?),
            LENGTH_32 => u64::from(u32::from_be_bytes(self.array()?)),
            LENGTH_64 => u64::from_be_bytes(self.array()?),
            _ => return Ok(None),
        }))
    }

    /// A count of things that take at least `bytes_each` bytes: it cannot be larger than what is left allows.
    pub fn count(&mut self, bytes_each: u64) -> Result<usize, ReadError> {
        let count = self.number()?;
        if count > self.left() / bytes_each.max(1) {
            return Err(self.corrupt(
                "as many elements as are announced",
                format_args!("{} bytes for {count}", self.left()),
            ));
        }
        usize::try_from(count).map_err(|_| self.corrupt("a count", count))
    }

    fn string_length(&mut self, length: u64) -> Result<usize, ReadError> {
        if length > self.left().min(STRING_MAX_BYTES) {
            return Err(self.corrupt(
                "a string",
                format_args!("{length} bytes announced, {} left", self.left()),
            ));
        }
        usize::try_from(length).map_err(|_| self.corrupt("a string", length))
    }

    /// A string, as text also where it is written as a number; good until the next read.
    #[inline]
    pub fn string(&mut self) -> Result<&[u8], ReadError> {
        let first = self.byte()?;
        if let Some(length) = self.length_after(first)? {
            let length = self.string_length(length)?;
            return self.take(length);
        }
        if first == STRING_LZF {
            return self.compressed();
        }
        let value = self.short_int(first)?;
        self.string.clear();
        number::write_i64(&mut self.string, value);
        Ok(&self.string)
    }

    /// The same, without making text of a number.
    #[inline]
    pub fn text(&mut self) -> Result<Text<'_>, ReadError> {
        let first = self.byte()?;
        if let Some(length) = self.length_after(first)? {
            let length = self.string_length(length)?;
            return self.take(length).map(Text::Bytes);
        }
        if first == STRING_LZF {
            return self.compressed().map(Text::Bytes);
        }
        self.short_int(first).map(Text::Int)
    }

    fn short_int(&mut self, first: u8) -> Result<i64, ReadError> {
        match first {
            STRING_INT8 => Ok(i64::from(i8::from_le_bytes(self.array()?))),
            STRING_INT16 => Ok(i64::from(i16::from_le_bytes(self.array()?))),
            STRING_INT32 => Ok(i64::from(i32::from_le_bytes(self.array()?))),
            other => Err(self.corrupt("a string", format_args!("0x{other:02x}"))),
        }
    }

    fn compressed(&mut self) -> Result<&[u8], ReadError> {
        let compressed = self.number()?;
        let bytes = self.number()?;
        let compressed = self.string_length(compressed)?;
        let wanted = usize::try_from(bytes).ok().filter(|bytes| {
            lzf::may_become(compressed, *bytes) && *bytes as u64 <= STRING_MAX_BYTES
        });
        let Some(wanted) = wanted else {
            return Err(self.corrupt(
                "a length that the compressed bytes can have",
                format_args!("{bytes} from {compressed}"),
            ));
        };
        let mut string = std::mem::take(&mut self.string);
        string.clear();
        let bytes = self.take(compressed)?;
        string.reserve(wanted);
        let is_whole = lzf::decompress(bytes, wanted, &mut string).is_some();
        self.string = string;
        if !is_whole {
            return Err(self.corrupt("LZF bytes", "others"));
        }
        Ok(&self.string)
    }

    /// Passes over a string.
    pub fn skip_string(&mut self) -> Result<(), ReadError> {
        self.string().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::Encoder;

    #[test]
    fn a_file_is_read_in_pieces_and_summed_as_a_whole() {
        let mut encoder = Encoder::default();
        for number in 0..5000 {
            encoder.plain_string(&vec![number as u8; number]);
        }
        let bytes = encoder.bytes;
        let mut reader = Reader::of_source(bytes.as_slice(), bytes.len() as u64);
        for number in 0..5000 {
            let string = reader.string().expect("it was written");
            assert!(string.len() == number && string.iter().all(|byte| *byte == number as u8));
        }
        let mut whole = Checksum::default();
        whole.update(&bytes);
        assert_eq!((reader.left(), reader.checksum()), (0, whole.value()));
    }

    #[test]
    fn announced_lengths_are_not_believed() {
        let refused = |bytes: &[u8]| Reader::of_bytes(bytes).string().map(<[u8]>::len).is_err();
        assert!(refused(&[0x81, 0x7f, 0, 0, 0, 0, 0, 0, 0]));
        assert!(refused(&[0x80, 0xff, 0xff, 0xff, 0xff]));
        assert!(refused(&[0xc3, 3, 0x80, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
        assert!(refused(&[0x90]) && refused(&[0xc4]) && refused(&[]));
        assert!(Reader::of_bytes(&[0x80, 0, 0, 1, 0]).count(1).is_err());
        // A source of unknown length gives what it has, and no more is reserved for it.
        let announced = [0x80, 0x40, 0, 0, 0, 1, 2, 3];
        let mut reader = Reader::of_source(announced.as_slice(), u64::MAX);
        assert!(reader.string().is_err());
        assert!(reader.buffer.capacity() < 4 * CHUNK_BYTES);
    }
}
