//! The bytes of RDB files and of DUMP payloads: lengths, strings, numbers, opcodes, checksum. What a value looks like in
//! them is each type's own matter (`types`), what a file looks like that of `persist`.
//!
//! ```text
//! length  00xxxxxx | 01xxxxxx + 1 byte | 0x80 + u32 big-endian | 0x81 + u64 big-endian
//! string  length, bytes | 0xc0 + i8 | 0xc1 + i16 | 0xc2 + i32 | 0xc3 + length compressed, length, LZF bytes
//! ```
//! All other numbers are little-endian. The checksum is CRC-64/Redis over every byte before it.
//!
//! Compressing is left to the thread that writes: an [`Encoder`] notes where plain strings stand that may be worth it, and
//! [`Encoder::compress_to`] makes the final bytes of a piece.

pub mod lzf;
pub mod read;
pub mod ziplist;

use crate::base::number;
use lzf::Compressor;

/// The version of files and payloads that are written: every Redis since 7.2 and every Valkey reads it.
pub const VERSION: u16 = 11;
/// The version that is written where a hash has fields with deadlines.
pub const VERSION_FIELD_EXPIRY: u16 = 12;
/// The version that Redis 7.0 reads at most.
pub const VERSION_REDIS_70: u16 = 10;
/// The last version that Redis' own numbering reaches here.
pub const VERSION_READ_MAX: u16 = 12;
/// The version of Valkey's own dialect.
pub const VERSION_VALKEY: u16 = 80;

/// For whom files and payloads are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edition {
    /// Every Redis since 7.2 and every Valkey: version 11, and 12 where a hash has fields with deadlines.
    #[default]
    Current,
    /// Redis 7.0 too: version 10, which knows no listpacks of members, no last activity of a stream's consumer, no deadlines
    /// of fields.
    Redis70,
}

impl Edition {
    /// The version that stands in files and payloads where nothing needs a later one.
    pub const fn version(self) -> u16 {
        match self {
            Edition::Current => VERSION,
            Edition::Redis70 => VERSION_REDIS_70,
        }
    }
}

/// Single bytes between the keys of a file.
pub mod opcode {
    /// The end; the checksum follows.
    pub const EOF: u8 = 255;
    /// The database of the keys that follow.
    pub const SELECT_DB: u8 = 254;
    /// The next key's deadline in seconds.
    pub const EXPIRE_SECONDS: u8 = 253;
    /// The next key's deadline in milliseconds.
    pub const EXPIRE_MS: u8 = 252;
    /// How many keys follow, and how many of them expire.
    pub const RESIZE_DB: u8 = 251;
    /// A name and a value about the file.
    pub const AUX: u8 = 250;
    /// The next key's LFU counter.
    pub const FREQ: u8 = 249;
    /// The next key's idle seconds.
    pub const IDLE: u8 = 248;
    /// A module's data.
    pub const MODULE_AUX: u8 = 247;
    /// A function library.
    pub const FUNCTION: u8 = 245;
    /// A slot's numbers of keys (cluster).
    pub const SLOT_INFO: u8 = 244;
    /// Valkey 9: a slot import under way.
    pub const SLOT_IMPORT: u8 = 243;
}

/// The kinds of values: the byte before each key.
pub mod kind {
    /// A string.
    pub const STRING: u8 = 0;
    /// Elements.
    pub const LIST: u8 = 1;
    /// Members.
    pub const SET: u8 = 2;
    /// Members with scores as text.
    pub const ZSET: u8 = 3;
    /// Fields with values.
    pub const HASH: u8 = 4;
    /// Members with scores of 8 bytes.
    pub const ZSET_2: u8 = 5;
    /// A module's value.
    pub const MODULE_2: u8 = 7;
    /// A zipmap.
    pub const HASH_ZIPMAP: u8 = 9;
    /// A ziplist.
    pub const LIST_ZIPLIST: u8 = 10;
    /// An intset.
    pub const SET_INTSET: u8 = 11;
    /// A ziplist of members and scores.
    pub const ZSET_ZIPLIST: u8 = 12;
    /// A ziplist of fields and values.
    pub const HASH_ZIPLIST: u8 = 13;
    /// Ziplists.
    pub const LIST_QUICKLIST: u8 = 14;
    /// A stream of Redis 5.
    pub const STREAM: u8 = 15;
    /// A listpack of fields and values.
    pub const HASH_LISTPACK: u8 = 16;
    /// A listpack of members and scores.
    pub const ZSET_LISTPACK: u8 = 17;
    /// Listpacks and single elements.
    pub const LIST_QUICKLIST_2: u8 = 18;
    /// A stream of Redis 7.0.
    pub const STREAM_2: u8 = 19;
    /// A listpack of members.
    pub const SET_LISTPACK: u8 = 20;
    /// A stream of Redis 7.2.
    pub const STREAM_3: u8 = 21;
    /// Valkey 9: fields with values and deadlines.
    pub const HASH_VALKEY: u8 = 22;
    /// Fields with values and deadlines.
    pub const HASH_METADATA: u8 = 24;
    /// A listpack of fields, values and deadlines.
    pub const HASH_LISTPACK_EX: u8 = 25;

    /// The kind in words, for people.
    pub const fn name(kind: u8) -> &'static str {
        match kind {
            STRING => "String",
            LIST => "List",
            SET => "Set",
            ZSET | ZSET_2 => "Zset",
            HASH => "Hash",
            MODULE_2 => "Module value",
            HASH_ZIPMAP => "Zipmap",
            LIST_ZIPLIST => "List ziplist",
            SET_INTSET => "Intset",
            ZSET_ZIPLIST => "Zset ziplist",
            HASH_ZIPLIST => "Hash ziplist",
            LIST_QUICKLIST => "Quicklist ziplist",
            STREAM | STREAM_2 | STREAM_3 => "Stream listpack",
            HASH_LISTPACK => "Hash listpack",
            ZSET_LISTPACK => "Zset listpack",
            LIST_QUICKLIST_2 => "Quicklist listpack",
            SET_LISTPACK => "Set listpack",
            HASH_VALKEY | HASH_METADATA => "Hash with deadlines",
            HASH_LISTPACK_EX => "Hash listpack with deadlines",
            _ => "Unknown value",
        }
    }
}

pub(super) const STRING_INT8: u8 = 0xc0;
pub(super) const STRING_INT16: u8 = 0xc1;
pub(super) const STRING_INT32: u8 = 0xc2;
pub(super) const STRING_LZF: u8 = 0xc3;
const LENGTH_32: u8 = 0x80;
const LENGTH_64: u8 = 0x81;
/// The longest text that is written as an integer.
const INT_MAX_DIGITS: usize = 11;
/// Shorter strings are not worth being compressed.
const COMPRESS_MIN_BYTES: usize = 21;
/// What compressing must save to be kept.
const COMPRESS_MIN_SAVING: usize = 4;

/// Appends a length in its shortest form.
pub fn put_length(to: &mut Vec<u8>, length: u64) {
    match length {
        0..0x40 => to.push(length as u8),
        0x40..0x4000 => to.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
        0x4000..=0xffff_ffff => {
            to.push(LENGTH_32);
            to.extend_from_slice(&(length as u32).to_be_bytes());
        }
        _ => {
            to.push(LENGTH_64);
            to.extend_from_slice(&length.to_be_bytes());
        }
    }
}

/// Writes a part of a file or a payload. See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    /// The bytes so far, strings plain.
    pub bytes: Vec<u8>,
    /// Where the length of a plain string stands that may be compressed, and how long it is.
    plain: Vec<(usize, usize)>,
}

impl Encoder {
    /// A byte: an opcode or a kind.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A length or count.
    pub fn length(&mut self, length: usize) {
        put_length(&mut self.bytes, length as u64);
    }

    /// A number in the form of a length.
    pub fn number(&mut self, number: u64) {
        put_length(&mut self.bytes, number);
    }

    /// Unix milliseconds, and other numbers of 8 bytes.
    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_le_bytes());
    }

    /// A score.
    pub fn f64(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    /// A string: as an integer where it is the shortest form of one of 32 bits.
    pub fn string(&mut self, string: &[u8]) {
        if string.len() <= INT_MAX_DIGITS
            && let Some(value) = number::parse_i64(string)
            && self.short_int(value)
        {
            return;
        }
        self.plain_string(string);
    }

    /// The decimal form of a number, as a string.
    pub fn int(&mut self, value: i64) {
        if !self.short_int(value) {
            let mut text = Vec::with_capacity(20);
            number::write_i64(&mut text, value);
            self.plain_string(&text);
        }
    }

    fn short_int(&mut self, value: i64) -> bool {
        match value {
            -0x80..=0x7f => self.raw(&[STRING_INT8, value as u8]),
            -0x8000..=0x7fff => {
                self.byte(STRING_INT16);
                self.raw(&(value as i16).to_le_bytes());
            }
            -0x8000_0000..=0x7fff_ffff => {
                self.byte(STRING_INT32);
                self.raw(&(value as i32).to_le_bytes());
            }
            _ => return false,
        }
        true
    }

    /// A string that is no number: a packed collection.
    pub fn plain_string(&mut self, string: &[u8]) {
        if string.len() >= COMPRESS_MIN_BYTES {
            self.plain.push((self.bytes.len(), string.len()));
        }
        self.length(string.len());
        self.raw(string);
    }

    /// Whether there are strings for which compression may be worth it.
    pub fn may_shrink(&self) -> bool {
        !self.plain.is_empty()
    }

    /// Bytes so far, without compression.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An encoder with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            plain: Vec::new(),
        }
    }

    /// Appends what another has written.
    pub fn append(&mut self, other: &Encoder) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        let moved = other
            .plain
            .iter()
            .map(|(at, length)| (at + before, *length));
        self.plain.extend(moved);
    }

    /// Forgets all that was written; the memory is used again.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.plain.clear();
    }

    /// Bytes of memory that it holds.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.plain.capacity() * size_of::<(usize, usize)>()
    }

    /// Appends the final bytes to `to`: strings compressed where that saves something.
    pub fn compress_to(&self, compressor: &mut Compressor, to: &mut Vec<u8>) {
        let mut done = 0;
        let mut packed = Vec::new();
        for (at, length) in &self.plain {
            let head = head_bytes(*length);
            let string = &self.bytes[at + head..at + head + length];
            packed.clear();
            if compressor.compress(string, &mut packed, length - COMPRESS_MIN_SAVING) {
                to.extend_from_slice(&self.bytes[done..*at]);
                to.push(STRING_LZF);
                put_length(to, packed.len() as u64);
                put_length(to, *length as u64);
                to.extend_from_slice(&packed);
                done = at + head + length;
            }
        }
        to.extend_from_slice(&self.bytes[done..]);
    }
}

fn head_bytes(length: usize) -> usize {
    match length {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        0x4000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// CRC-64/Redis: polynomial 0xad93d23594c935a9, reflected, from 0, nothing added at the end.
pub struct Checksum(crc_fast::Digest);

impl Default for Checksum {
    fn default() -> Self {
        Self(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Redis))
    }
}

impl Checksum {
    /// Takes more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes so far.
    pub fn value(&self) -> u64 {
        self.0.finalize()
    }

    /// The checksum of these bytes and, behind them, the `bytes` ones so far: for a head that is known last.
    pub fn value_behind(&self, head: &[u8], bytes: u64) -> u64 {
        let mut before = Self::default();
        before.update(head);
        let algorithm = crc_fast::CrcAlgorithm::Crc64Redis;
        crc_fast::checksum_combine(algorithm, before.value(), self.value(), bytes)
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checksum({:016x})", self.value())
    }
}

/// Makes a value, encoded with its kind in front, a DUMP payload: version and checksum follow it.
pub fn seal_payload(payload: &mut Vec<u8>, version: u16) {
    payload.extend_from_slice(&version.to_le_bytes());
    let mut checksum = Checksum::default();
    checksum.update(payload);
    payload.extend_from_slice(&checksum.value().to_le_bytes());
}

/// Why bytes are no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DUMP payload version or checksum are wrong")]
pub struct BadPayload;

/// The value in a payload with its kind in front (libraries of functions: all of them, perhaps none), and the version
/// that it is written in; the checksum has been compared.
pub fn open_payload(payload: &[u8]) -> Result<(&[u8], u16), BadPayload> {
    let (signed, checksum) = payload.split_last_chunk::<8>().ok_or(BadPayload)?;
    let (value, version) = signed.split_last_chunk::<2>().ok_or(BadPayload)?;
    let (version, told) = (u16::from_le_bytes(*version), u64::from_le_bytes(*checksum));
    let mut checksum = Checksum::default();
    checksum.update(signed);
    let known = version <= VERSION_READ_MAX || version == VERSION_VALKEY;
    if !known || told != checksum.value() {
        return Err(BadPayload);
    }
    Ok((value, version))
}

/// The same, whatever its checksum and version say (DEBUG SET-SKIP-CHECKSUM-VALIDATION).
pub fn open_unchecked_payload(payload: &[u8]) -> Result<(&[u8], u16), BadPayload> {
    let (signed, _) = payload.split_last_chunk::<8>().ok_or(BadPayload)?;
    let (value, version) = signed.split_last_chunk::<2>().ok_or(BadPayload)?;
    if value.is_empty() {
        return Err(BadPayload);
    }
    Ok((value, u16::from_le_bytes(*version)))
}

#[cfg(test)]
mod tests {
    use super::read::Reader;
    use super::*;

    #[test]
    fn the_checksum_is_that_of_redis() {
        let mut checksum = Checksum::default();
        checksum.update(b"12345");
        checksum.update(b"6789");
        assert_eq!(checksum.value(), 0xe9c6_d914_c4b8_d9ca);
        let mut behind = Checksum::default();
        behind.update(b"6789");
        assert_eq!(behind.value_behind(b"12345", 4), checksum.value());
    }

    #[test]
    fn what_is_encoded_is_read_back_compressed_or_not() {
        let strings: Vec<Vec<u8>> = [0, 1, 20, 21, 63, 64, 16383, 16384, 70_000]
            .iter()
            .map(|length| vec![b'x'; *length])
            .chain(
                [
                    "0",
                    "-1",
                    "127",
                    "128",
                    "-32769",
                    "2147483647",
                    "2147483648",
                    "007",
                ]
                .map(Vec::from),
            )
            .collect();
        let mut encoder = Encoder::default();
        strings.iter().for_each(|string| encoder.string(string));
        encoder.int(i64::MIN);
        encoder.f64(-0.5);
        encoder.number(u64::MAX);
        let mut compressed = Vec::new();
        encoder.compress_to(&mut Compressor::default(), &mut compressed);
        assert!(compressed.len() < 2000);
        for bytes in [&encoder.bytes, &compressed] {
            let mut reader = Reader::of_bytes(bytes);
            for string in &strings {
                assert_eq!(reader.string().expect("it was written"), string);
            }
            assert_eq!(
                reader.string().expect("it was written"),
                i64::MIN.to_string().as_bytes()
            );
            assert_eq!(reader.f64().expect("it was written"), -0.5);
            assert_eq!(reader.number().expect("it was written"), u64::MAX);
            assert!(reader.byte().is_err());
        }
    }

    #[test]
    fn a_payload_is_opened_only_if_it_is_whole() {
        let mut payload = b"\x00\x01a".to_vec();
        seal_payload(&mut payload, VERSION);
        assert_eq!(open_payload(&payload), Ok((&b"\x00\x01a"[..], VERSION)));
        for at in 0..payload.len() {
            let mut bad = payload.clone();
            bad[at] ^= 1;
            assert_eq!(open_payload(&bad), Err(BadPayload));
            assert_eq!(open_payload(&payload[..at]), Err(BadPayload));
        }
    }
}
