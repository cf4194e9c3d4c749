//! The RDB format, as far as payloads of libraries need it: lengths, strings, opcodes, the seal of a payload.
//!
//! ```text
//! length   00xxxxxx                        6 bits
//!          01xxxxxx xxxxxxxx               14 bits, big-endian
//!          10000000 u32 | 10000001 u64     big-endian
//!          11xxxxxx                        no length: a string in the form xxxxxx
//! string   length bytes | 11000000 i8 | 11000001 i16 | 11000010 i32 (little-endian) | 11000011 length length LZF
//! payload  ... u16 version, u64 CRC-64 of all before it (little-endian)
//! ```

mod lzf;

use crate::base::checksum::crc64;

/// The version that is written: every server since Redis 7.2 and Valkey 7.2 reads it.
pub const VERSION: u16 = 11;
/// The newest version that is read.
pub const VERSION_MAX: u16 = 12;
/// The version of Valkey 9, read too.
pub const VERSION_VALKEY: u16 = 80;
/// The longest string that is taken from compressed bytes.
pub const STRING_MAX_BYTES: usize = 512 << 20;

/// Bytes that say what follows.
pub mod opcode {
    /// A library of functions: its text.
    pub const FUNCTION2: u8 = 245;
}

/// What is wrong with bytes that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RdbError {
    /// They end too early.
    #[error("the data ends at byte {at}, in the middle of a value")]
    Ends {
        /// Where they end.
        at: usize,
    },
    /// A form that there is not.
    #[error("unknown form {found:#04x} at byte {at}")]
    UnknownForm {
        /// Where.
        at: usize,
        /// The byte that says it.
        found: u8,
    },
    /// A compressed string that does not give what it announced.
    #[error("damaged compressed string at byte {at}")]
    Compressed {
        /// Where.
        at: usize,
    },
    /// A payload of a newer version.
    #[error("version {0} is not known")]
    Version(u16),
    /// A payload whose checksum is another.
    #[error("the checksum is wrong")]
    Checksum,
}

/// Writes a length.
pub fn write_length(out: &mut Vec<u8>, length: u64) {
    match length {
        0..=0x3f => out.push(length as u8),
        0x40..=0x3fff => out.extend_from_slice(&[0x40 | (length >> 8) as u8, length as u8]),
        0x4000..=0xffff_ffff => {
            out.push(0x80);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}

/// Writes a string as it is.
pub fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    write_length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Ends a payload: version and checksum.
pub fn seal(payload: &mut Vec<u8>) {
    payload.extend_from_slice(&VERSION.to_le_bytes());
    let checksum = crc64(0, payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
}

/// What a sealed payload holds.
///
/// # Errors
/// Its version or checksum is wrong.
pub fn unseal(payload: &[u8]) -> Result<&[u8], RdbError> {
    let ends = RdbError::Ends { at: payload.len() };
    let (covered, checksum) = payload.split_last_chunk::<8>().ok_or(ends)?;
    let (body, version) = covered.split_last_chunk::<2>().ok_or(ends)?;
    let version = u16::from_le_bytes(*version);
    if version > VERSION_MAX && version != VERSION_VALKEY {
        return Err(RdbError::Version(version));
    }
    // A checksum of 0 says that there is none.
    let checksum = u64::from_le_bytes(*checksum);
    if checksum != 0 && checksum != crc64(0, covered) {
        return Err(RdbError::Checksum);
    }
    Ok(body)
}

/// Reads values one after the other.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A length, or the form of a string that has none.
enum Length {
    Plain(u64),
    Form(u8),
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether all is read.
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next so many bytes.
    ///
    /// # Errors
    /// There are not as many.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], RdbError> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(RdbError::Ends {
            at: self.bytes.len(),
        })?;
        self.at += count;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], RdbError> {
        let mut chunk = [0; N];
        chunk.copy_from_slice(self.take(N)?);
        Ok(chunk)
    }

    /// The next byte.
    ///
    /// # Errors
    /// There is none.
    pub fn byte(&mut self) -> Result<u8, RdbError> {
        self.chunk().map(|[byte]| byte)
    }

    fn length_or_form(&mut self) -> Result<Length, RdbError> {
        let at = self.at;
        let first = self.byte()?;
        Ok(match first >> 6 {
            0 => Length::Plain(u64::from(first & 0x3f)),
            1 => Length::Plain(u64::from(u16::from_be_bytes([first & 0x3f, self.byte()?]))),
            2 if first == 0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.chunk()?))),
            2 if first == 0x81 => Length::Plain(u64::from_be_bytes(self.chunk()?)),
            3 => Length::Form(first & 0x3f),
            _ => return Err(RdbError::UnknownForm { at, found: first }),
        })
    }

    /// A length.
    ///
    /// # Errors
    /// There is something else.
    pub fn length(&mut self) -> Result<u64, RdbError> {
        let at = self.at;
        match self.length_or_form()? {
            Length::Plain(length) => Ok(length),
            Length::Form(found) => Err(RdbError::UnknownForm { at, found }),
        }
    }

    /// A string in any form.
    ///
    /// # Errors
    /// There is something else.
    pub fn string(&mut self) -> Result<Vec<u8>, RdbError> {
        let at = self.at;
        let number = |value: i64| value.to_string().into_bytes();
        Ok(match self.length_or_form()? {
            Length::Plain(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                self.take(length)?.to_vec()
            }
            Length::Form(0) => number(i64::from(i8::from_le_bytes(self.chunk()?))),
            Length::Form(1) => number(i64::from(i16::from_le_bytes(self.chunk()?))),
            Length::Form(2) => number(i64::from(i32::from_le_bytes(self.chunk()?))),
            Length::Form(3) => {
                let compressed = usize::try_from(self.length()?).unwrap_or(usize::MAX);
                let length = usize::try_from(self.length()?).unwrap_or(usize::MAX);
                let bytes = self.take(compressed)?;
                let plain = (length <= STRING_MAX_BYTES).then(|| lzf::decompress(bytes, length));
                plain.flatten().ok_or(RdbError::Compressed { at })?
            }
            Length::Form(found) => return Err(RdbError::UnknownForm { at, found }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form_and_come_back() {
        let table = [
            (0, 1),
            (63, 1),
            (64, 2),
            (16_383, 2),
            (16_384, 5),
            (u64::from(u32::MAX), 5),
            (1 << 32, 9),
        ];
        for (length, bytes) in table {
            let mut out = Vec::new();
            write_length(&mut out, length);
            assert_eq!(out.len(), bytes, "{length}");
            assert_eq!(Reader::new(&out).length(), Ok(length));
            for end in 0..out.len() {
                assert!(Reader::new(&out[..end]).length().is_err());
            }
        }
    }

    #[test]
    fn strings_are_read_in_every_form() {
        let table: [(&[u8], &[u8]); 5] = [
            (b"\x03abc", b"abc"),
            (b"\xc0\xff", b"-1"),
            (b"\xc1\x00\x01", b"256"),
            (b"\xc2\x00\x00\x00\x80", b"-2147483648"),
            (b"\xc3\x04\x08\x01ab\xc0\x01", b""),
        ];
        for (bytes, text) in &table[..4] {
            assert_eq!(Reader::new(bytes).string().as_deref(), Ok(*text));
        }
        let damaged = Reader::new(table[4].0).string();
        assert!(damaged.is_err());
        let compressed = b"\xc3\x05\x0a\x01ab\xc0\x01";
        let plain = Reader::new(compressed).string();
        assert_eq!(plain.as_deref(), Ok(&b"ababababab"[..]));
    }

    #[test]
    fn a_payload_is_sealed_against_change() {
        let mut payload = b"abc".to_vec();
        seal(&mut payload);
        assert_eq!(unseal(&payload), Ok(&b"abc"[..]));
        payload[1] ^= 1;
        assert_eq!(unseal(&payload), Err(RdbError::Checksum));
        let newer = [b"abc", &99_u16.to_le_bytes()[..], &[0; 8]].concat();
        assert_eq!(unseal(&newer), Err(RdbError::Version(99)));
    }
}
