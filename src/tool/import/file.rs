//! The RDB file that an import makes: records go in one after the other, and the head is known last, for a hash with
//! deadlines of fields asks for another version.

use crate::persist::writer::COMPRESS_MAX_BYTES;
use crate::rdb::lzf::Compressor;
use crate::rdb::{Checksum, Edition, Encoder, VERSION_FIELD_EXPIRY, opcode};
use std::io::{self, Write};

/// Bytes of the head.
pub const HEAD_BYTES: usize = 9;
/// Bytes that are compressed and written at once.
const PIECE_BYTES: usize = 256 << 10;

/// See the head of the file.
pub struct RdbFile<W: Write> {
    to: W,
    /// What comes next.
    pub piece: Encoder,
    compressor: Compressor,
    compressed: Vec<u8>,
    /// Of all bytes behind the head.
    sum: Checksum,
    bytes: u64,
    /// For whom it is written.
    pub edition: Edition,
    /// A hash has deadlines in its body.
    pub has_field_deadlines: bool,
}

impl<W: Write> RdbFile<W> {
    /// An empty file for those who read this edition; room is left for its head.
    ///
    /// # Errors
    /// What `to` says.
    pub fn begin(mut to: W, edition: Edition) -> io::Result<Self> {
        to.write_all(&[0; HEAD_BYTES])?;
        Ok(Self {
            to,
            piece: Encoder::with_capacity(2 * PIECE_BYTES),
            compressor: Compressor::default(),
            compressed: Vec::new(),
            sum: Checksum::default(),
            bytes: 0,
            edition,
            has_field_deadlines: false,
        })
    }

    /// Adds a string of any length.
    ///
    /// # Errors
    /// What the file says.
    pub fn string(&mut self, string: &[u8]) -> io::Result<()> {
        if string.len() <= COMPRESS_MAX_BYTES {
            self.piece.string(string);
            return self.pass_on();
        }
        self.piece.length(string.len());
        self.flush()?;
        self.put(string)
    }

    /// Writes what has been added, if it is enough.
    ///
    /// # Errors
    /// What the file says.
    #[inline]
    pub fn pass_on(&mut self) -> io::Result<()> {
        if self.piece.len() >= PIECE_BYTES {
            return self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut compressed = std::mem::take(&mut self.compressed);
        compressed.clear();
        self.piece
            .compress_to(&mut self.compressor, &mut compressed);
        self.piece.clear();
        let written = self.put(&compressed);
        self.compressed = compressed;
        written
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.to.write_all(bytes)
    }

    /// Ends the file, all but its head, which belongs at its beginning.
    ///
    /// # Errors
    /// What the file says.
    pub fn end(mut self) -> io::Result<(W, [u8; HEAD_BYTES])> {
        self.piece.byte(opcode::EOF);
        self.flush()?;
        let version = match self.has_field_deadlines {
            true => VERSION_FIELD_EXPIRY,
            false => self.edition.version(),
        };
        let mut head = *b"REDIS0000";
        let digits = format!("{version:04}");
        head[HEAD_BYTES - digits.len()..].copy_from_slice(digits.as_bytes());
        let sum = self.sum.value_behind(&head, self.bytes);
        self.to.write_all(&sum.to_le_bytes())?;
        self.to.flush()?;
        Ok((self.to, head))
    }
}
