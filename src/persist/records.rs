//! What an RDB file consists of, one record after the other; the values of keys are read by whoever wants them. Here is a
//! [`Reader`] and no file, and nothing is kept but what was said of the next key.
//!
//! ```text
//! file     "REDIS" version 4 | "VALKEY" version 3, records, EOF, checksum u64 (from version 5 on; 0: none)
//! record   [ deadline ] [ idle seconds | LFU counter ] kind, key, value
//!          | database | sizes | auxiliary field | function library | slot and module fields
//! ```
//! All versions from 1 to 12 are read, and Valkey's 80.

use crate::rdb::read::{ReadError, Reader};
use crate::rdb::{VERSION_READ_MAX, VERSION_VALKEY, kind, opcode};
use crate::types::load::Dialect;

/// The first version that ends with a checksum.
const VERSION_CHECKSUM: u16 = 5;

/// A record, or its head: what follows it is to be read before the next.
#[derive(Debug, PartialEq, Eq)]
pub enum Record {
    /// A key follows, and a value of this kind. [`Records::attributes`] has what was said of it.
    Key(u8),
    /// The keys that follow are in this database.
    Database(u64),
    /// How many keys the database has, and how many of them expire: a hint.
    Sizes {
        /// Keys.
        keys: u64,
        /// Keys with a deadline.
        expiring: u64,
    },
    /// An auxiliary field of this name; a string follows: its value.
    Field(Vec<u8>),
    /// A function library; a string follows: its source.
    Library,
    /// Something of modules or of a cluster; it was passed over.
    Passed,
    /// The end of the records.
    End,
}

/// What was said of the next key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Unix milliseconds.
    pub deadline: Option<i64>,
    /// Seconds since it was used.
    pub idle_s: Option<u64>,
    /// The LFU counter.
    pub frequency: Option<u8>,
}

/// What is known of a file's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Files of its version have none.
    Unknown,
    /// It was written without one.
    Disabled,
    /// It is that of the bytes.
    Right,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Records {
    /// The version in the file's head.
    pub version: u16,
    /// Whose numbers of kinds it has.
    pub dialect: Dialect,
    next: Attributes,
}

impl Records {
    /// Reads signature and version.
    ///
    /// # Errors
    /// It is no RDB file, or of no version that is read here.
    pub fn begin(from: &mut Reader<'_>) -> Result<Self, ReadError> {
        const BYTES: usize = 9;
        let head = from.array::<BYTES>()?;
        let wrong = |expected| ReadError::Corrupt {
            at: 0,
            expected,
            found: head.escape_ascii().to_string(),
        };
        let (dialect, digits) = match &head {
            [b'R', b'E', b'D', b'I', b'S', digits @ ..] => (Dialect::Redis, digits.as_slice()),
            [b'V', b'A', b'L', b'K', b'E', b'Y', digits @ ..] => {
                (Dialect::Valkey, digits.as_slice())
            }
            _ => return Err(wrong("the signature of an RDB file")),
        };
        let digits = std::str::from_utf8(digits).ok();
        let version = digits.and_then(|digits| digits.parse::<u16>().ok());
        let version = match (dialect, version) {
            (Dialect::Redis, Some(version @ 1..=VERSION_READ_MAX)) => version,
            (Dialect::Valkey, Some(version @ VERSION_VALKEY)) => version,
            _ => return Err(wrong("a version that this server reads")),
        };
        Ok(Self {
            version,
            dialect,
            next: Attributes::default(),
        })
    }

    /// The next record. After [`Record::End`] comes [`Self::end`].
    ///
    /// # Errors
    /// Why it cannot be read, or that no record begins so.
    #[inline]
    pub fn next(&mut self, from: &mut Reader<'_>) -> Result<Record, ReadError> {
        loop {
            match from.byte()? {
                kind @ 0..=kind::HASH_LISTPACK_EX => return Ok(Record::Key(kind)),
                opcode::EXPIRE_MS => self.next.deadline = Some(from.i64()?),
                other => {
                    if let Some(record) = self.other(other, from)? {
                        return Ok(record);
                    }
                }
            }
        }
    }

    /// What was said of the key that [`Self::next`] has come upon; the one after it begins anew.
    #[inline]
    pub fn attributes(&mut self) -> Attributes {
        std::mem::take(&mut self.next)
    }

    /// Reads the rest of the file: its checksum, where it has one.
    ///
    /// # Errors
    /// It is another one than the bytes have.
    pub fn end(&self, from: &mut Reader<'_>) -> Result<Sum, ReadError> {
        if self.version < VERSION_CHECKSUM {
            return Ok(Sum::Unknown);
        }
        let right = from.checksum();
        let told = from.i64()?.cast_unsigned();
        if told != 0 && told != right {
            let found = format_args!("{told:016x}, the bytes have {right:016x} (RDB CRC error)");
            return Err(from.corrupt("the checksum of all bytes before it", found));
        }
        Ok(if told == 0 { Sum::Disabled } else { Sum::Right })
    }

    /// Everything but keys; `None`: it belongs to the next key.
    fn other(&mut self, code: u8, from: &mut Reader<'_>) -> Result<Option<Record>, ReadError> {
        match code {
            opcode::EXPIRE_SECONDS => {
                let seconds = i32::from_le_bytes(from.array()?);
                self.next.deadline = Some(i64::from(seconds) * 1000);
                return Ok(None);
            }
            opcode::FREQ => {
                self.next.frequency = Some(from.byte()?);
                return Ok(None);
            }
            opcode::IDLE => {
                self.next.idle_s = Some(from.number()?);
                return Ok(None);
            }
            opcode::MODULE_AUX => skip_module_field(from)?,
            opcode::SLOT_INFO => skip_numbers(from, 3)?,
            opcode::SLOT_IMPORT if self.dialect == Dialect::Valkey => {
                from.skip_string()?;
                for _ in 0..from.count(2)? {
                    skip_numbers(from, 2)?;
                }
            }
            opcode::SELECT_DB => return Ok(Some(Record::Database(from.number()?))),
            opcode::RESIZE_DB => {
                let (keys, expiring) = (from.number()?, from.number()?);
                return Ok(Some(Record::Sizes { keys, expiring }));
            }
            opcode::AUX => return Ok(Some(Record::Field(from.string()?.to_vec()))),
            opcode::FUNCTION => return Ok(Some(Record::Library)),
            opcode::EOF => return Ok(Some(Record::End)),
            other => return Err(from.corrupt("a kind of record", other)),
        }
        Ok(Some(Record::Passed))
    }
}

/// Passes over so many numbers.
fn skip_numbers(from: &mut Reader<'_>, count: usize) -> Result<(), ReadError> {
    (0..count).try_for_each(|_| from.number().map(drop))
}

/// Passes over what a module has left: fields of the kinds that modules know, up to an end mark.
fn skip_module_field(from: &mut Reader<'_>) -> Result<(), ReadError> {
    const END: u64 = 0;
    let _module = from.number()?;
    // When it is to be read: the mark of an integer, and 1 or 2.
    skip_numbers(from, 2)?;
    loop {
        match from.number()? {
            END => return Ok(()),
            1 | 2 => drop(from.number()?),
            3 => drop(from.array::<4>()?),
            4 => drop(from.array::<8>()?),
            5 => from.skip_string()?,
            other => return Err(from.corrupt("a field of a module", other)),
        }
    }
}
