//! HyperLogLog: an estimate of how many different elements a set has, within 12 KiB. The representation is Redis' own,
//! byte for byte, and lives in a string that clients may read and write as any other.
//!
//! ```text
//! header  [ "HYLL" | encoding 1 (0 dense, 1 sparse) | unused 3 | cached estimate 8, lowest byte first ]
//! dense   16384 registers of 6 bits: see ds::six_bit
//! sparse  a sequence of runs that covers the same registers: see `sparse`
//! ```
//! The highest bit of the cached estimate says that it is no longer valid. A register holds the longest run of zeros, plus
//! one, that the hashes which chose it ended with: the low 14 bits of a hash choose, the other 50 are looked at.
//!
//! Clients can put any bytes into the string. Nothing here panics on any of them: a wrong header is no HyperLogLog
//! ([`encoding`] is `None`), and runs that do not cover exactly the registers are [`Corrupt`].
//!
//! Source: Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm" (2007), and for
//! the estimate see `estimate`.

mod estimate;
mod self_test;
mod sparse;

pub use self_test::self_test;
pub use sparse::describe;

use crate::base::murmur::murmur64a;
use crate::ds::six_bit;
use std::borrow::Cow;

/// Bits of a hash that choose a register.
const INDEX_BITS: u32 = 14;
/// Bits of a hash whose zeros are counted.
const RUN_BITS: u32 = u64::BITS - INDEX_BITS;
/// How many registers there are.
pub const REGISTERS: usize = 1 << INDEX_BITS;
const SEED: u64 = 0xadc8_3b19;

const HEADER_BYTES: usize = 16;
const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING_AT: usize = 4;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
const CACHED_AT: usize = 8;
/// In the last byte of the header: the cached estimate is not valid.
const STALE: u8 = 0x80;
/// Bytes of a dense HyperLogLog.
pub const DENSE_BYTES: usize = HEADER_BYTES + REGISTERS * 6 / 8;

/// The registers as numbers, a byte each.
pub type Registers = [u8; REGISTERS];

/// How the registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// All of them, packed.
    Dense,
    /// As runs.
    Sparse,
}

/// Runs that do not cover the registers exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("INVALIDOBJ Corrupted HLL object detected")]
pub struct Corrupt;

/// One that has seen nothing: sparse, all registers in one run of zeros.
pub fn empty() -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[SPARSE, 0, 0, 0]);
    bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, STALE]);
    bytes.extend_from_slice(&sparse::ALL_ZEROS);
    bytes
}

/// How the registers of this string are kept; `None`: it is no HyperLogLog.
#[inline]
pub fn encoding(bytes: &[u8]) -> Option<Encoding> {
    let header = bytes.first_chunk::<HEADER_BYTES>()?;
    if !header.starts_with(MAGIC) {
        return None;
    }
    match header[ENCODING_AT] {
        DENSE if bytes.len() == DENSE_BYTES => Some(Encoding::Dense),
        SPARSE => Some(Encoding::Sparse),
        _ => None,
    }
}

/// The estimate that was written into the header, while it is valid.
pub fn cached(bytes: &[u8]) -> Option<u64> {
    let field = bytes.get(CACHED_AT..)?.first_chunk::<8>()?;
    (field[7] & STALE == 0).then(|| u64::from_le_bytes(*field))
}

/// Writes an estimate into the header.
pub fn set_cached(bytes: &mut [u8], estimate: u64) {
    if let Some(field) = bytes.get_mut(CACHED_AT..HEADER_BYTES) {
        field.copy_from_slice(&estimate.to_le_bytes());
    }
}

/// Says that the cached estimate is no longer valid.
pub fn invalidate(bytes: &mut [u8]) {
    if let Some(last) = bytes.get_mut(HEADER_BYTES - 1) {
        *last |= STALE;
    }
}

/// What lies behind the header.
fn body(bytes: &[u8]) -> &[u8] {
    bytes.get(HEADER_BYTES..).unwrap_or(&[])
}

fn body_mut(bytes: &mut [u8]) -> &mut [u8] {
    bytes.get_mut(HEADER_BYTES..).unwrap_or_default()
}

/// The register that an element chooses, and the value to which it raises it: 1 to 51.
#[inline]
pub fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur64a(element, SEED);
    let index = hash as usize & (REGISTERS - 1);
    // The bit above the last one ends the run.
    let run = (hash >> INDEX_BITS | 1 << RUN_BITS).trailing_zeros();
    (index, run as u8 + 1)
}

/// Whether register `index` of a dense HyperLogLog is below `value`.
#[inline]
pub fn is_below(bytes: &[u8], index: usize, value: u8) -> bool {
    six_bit::get(body(bytes), index) < value
}

/// Raises register `index` of a dense HyperLogLog to `value`; whether it was below.
#[inline]
pub fn raise_dense(bytes: &mut [u8], index: usize, value: u8) -> bool {
    let raises = is_below(bytes, index, value);
    if raises {
        six_bit::set(body_mut(bytes), index, value);
    }
    raises
}

/// Raises `registers` to those of a HyperLogLog.
pub fn merge_into(
    registers: &mut Registers,
    bytes: &[u8],
    encoding: Encoding,
) -> Result<(), Corrupt> {
    match encoding {
        Encoding::Dense => six_bit::raise(registers, body(bytes)),
        Encoding::Sparse => sparse::raise_all(registers, body(bytes))?,
    }
    Ok(())
}

/// The estimate for a HyperLogLog.
pub fn count(bytes: &[u8], encoding: Encoding) -> Result<u64, Corrupt> {
    Ok(estimate::estimate(&match encoding {
        Encoding::Dense => six_bit::histogram(body(bytes)),
        Encoding::Sparse => sparse::histogram(body(bytes))?,
    }))
}

/// The estimate for registers.
pub fn count_registers(registers: &Registers) -> u64 {
    estimate::estimate(&six_bit::histogram_of_bytes(registers))
}

/// Gives a dense HyperLogLog other registers; its cached estimate is no longer valid.
pub fn overwrite_dense(bytes: &mut [u8], registers: &Registers) {
    six_bit::pack(registers, body_mut(bytes));
    invalidate(bytes);
}

/// A dense HyperLogLog with these registers and the header of `like`, its cached estimate included.
pub fn dense_with(like: &[u8], registers: &Registers) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DENSE_BYTES);
    bytes.extend_from_slice(like.get(..HEADER_BYTES).unwrap_or(&[]));
    bytes.resize(DENSE_BYTES, 0);
    if let Some(encoding) = bytes.get_mut(ENCODING_AT) {
        *encoding = DENSE;
    }
    six_bit::pack(registers, body_mut(&mut bytes));
    bytes
}

/// A sparse HyperLogLog made dense.
pub fn to_dense(bytes: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut registers = [0; REGISTERS];
    merge_into(&mut registers, bytes, Encoding::Sparse)?;
    Ok(dense_with(bytes, &registers))
}

/// A HyperLogLog that is being filled: borrowed until something changes, and dense once the runs no longer pay.
pub struct Sketch<'a> {
    bytes: Cow<'a, [u8]>,
    encoding: Encoding,
    /// Bytes that a sparse one may have.
    sparse_max_bytes: usize,
    cursor: sparse::Cursor,
}

impl<'a> Sketch<'a> {
    /// Begins with `bytes`, which [`encoding`] has seen.
    pub fn new(
        bytes: impl Into<Cow<'a, [u8]>>,
        encoding: Encoding,
        sparse_max_bytes: usize,
    ) -> Self {
        Self {
            bytes: bytes.into(),
            encoding,
            sparse_max_bytes,
            cursor: sparse::Cursor::default(),
        }
    }

    /// Raises register `index` to `value`; whether it was below.
    pub fn raise(&mut self, index: usize, value: u8) -> Result<bool, Corrupt> {
        if self.encoding == Encoding::Sparse {
            let (bytes, cursor) = (&mut self.bytes, &mut self.cursor);
            match sparse::raise(bytes, cursor, index, value, self.sparse_max_bytes)? {
                sparse::Outcome::Is => return Ok(false),
                sparse::Outcome::Raised => return Ok(true),
                sparse::Outcome::TooBig => {
                    self.bytes = Cow::Owned(to_dense(&self.bytes)?);
                    self.encoding = Encoding::Dense;
                }
            }
        }
        let raises = is_below(&self.bytes, index, value);
        if raises {
            raise_dense(self.bytes.to_mut(), index, value);
        }
        Ok(raises)
    }

    /// The new bytes, their cached estimate invalidated; `None`: nothing has changed.
    pub fn into_changed(self) -> Option<Vec<u8>> {
        match self.bytes {
            Cow::Borrowed(_) => None,
            Cow::Owned(mut bytes) => {
                invalidate(&mut bytes);
                Some(bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests;
