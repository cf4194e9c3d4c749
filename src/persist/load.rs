//! An RDB file becomes the content of a keyspace. The file is opened by whoever calls: here is a [`Reader`] and no more.
//!
//! ```text
//! file     "REDIS" version 4 | "VALKEY" version 3, records, EOF, checksum u64 (from version 5 on; 0: none)
//! record   [ deadline ] [ idle seconds | LFU counter ] kind, key, value
//!          | database | sizes | auxiliary field | function library | slot and module fields
//! ```
//! All versions from 1 to 12 are read, and Valkey's 80. Keys whose deadline has passed are dropped, collections without
//! elements are passed over; a key that is there already, an unknown kind, a wrong checksum end it with the offset, what
//! should stand there and what does. What has come in by then stays: the caller decides what becomes of it.

use crate::keyspace::Keyspace;
use crate::keyspace::entry::KEY_MAX_BYTES;
use crate::keyspace::load::{Batch, Duplicate};
use crate::rdb::read::{ReadError, Reader, Text};
use crate::rdb::{VERSION_READ_MAX, VERSION_VALKEY, kind, opcode};
use crate::types::load::{Dialect, Loaded, Room, load_value};
use crate::types::rdb::{MEMBER_DEADLINES, MemberDeadlines, ReadDeadlines};
use crate::types::string::SHARED_MIN_BYTES;

/// Bytes of a file between two reports of progress.
const PROGRESS_BYTES: u64 = 2 << 20;
/// The first version that ends with a checksum.
const VERSION_CHECKSUM: u16 = 5;
/// Keys without elements that are named in the log.
const SHOWN_MAX: u64 = 10;
/// What a file says of itself that is kept: so many fields, of so many bytes each.
const FIELDS_MAX: usize = 64;
const FIELD_MAX_BYTES: usize = 1024;

/// What is met in a file besides keys.
pub trait Visitor {
    /// The source of a function library.
    ///
    /// # Errors
    /// Why it cannot be taken: loading ends.
    fn library(&mut self, source: &[u8]) -> Result<(), String>;

    /// Whether a key that is there already gives way to that of the file; else it is an error.
    fn replaces(&self) -> bool {
        false
    }

    /// Loading has come so far in the file.
    fn progress(&mut self, _offset: u64) {}
}

/// What has come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The version in the file's head.
    pub version: u16,
    /// Keys that came in.
    pub keys: u64,
    /// Keys that were dropped because their deadline has passed.
    pub expired: u64,
    /// Collections without elements that were passed over.
    pub empty: u64,
    /// Function libraries.
    pub libraries: u64,
    /// What the file says of itself: names and values.
    pub fields: Vec<(String, String)>,
}

impl Summary {
    /// What the file says of itself under this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads a whole file, up to its checksum and no further. `keep_expired`: keys whose deadline has passed come in too (the
/// file is the base of an append-only file, whose later commands may concern them).
///
/// # Errors
/// Why it cannot be read, or what in it is not as it must be.
pub fn load(
    keyspace: &mut Keyspace,
    from: &mut Reader<'_>,
    keep_expired: bool,
    visitor: &mut dyn Visitor,
) -> Result<Summary, ReadError> {
    let (version, dialect) = read_head(from)?;
    let summary = Summary {
        version,
        ..Summary::default()
    };
    let mut loader = Loader {
        keyspace,
        batch: Batch::new(visitor.replaces()),
        room: Room::default(),
        dialect,
        db: 0,
        keep_expired,
        next: Attributes::default(),
        summary,
    };
    let mut told = 0;
    loop {
        if from.offset() - told >= PROGRESS_BYTES {
            told = from.offset();
            visitor.progress(told);
        }
        match from.byte()? {
            opcode::EOF => break,
            kind @ 0..=kind::HASH_LISTPACK_EX => loader.record(kind, from)?,
            other => loader.other(other, from, visitor)?,
        }
    }
    loader.settle(from)?;
    check_end(version, from)?;
    Ok(loader.summary)
}

/// Reads signature and version.
fn read_head(from: &mut Reader<'_>) -> Result<(u16, Dialect), ReadError> {
    const BYTES: usize = 9;
    let head = from.array::<BYTES>()?;
    let wrong = |expected| ReadError::Corrupt {
        at: 0,
        expected,
        found: head.escape_ascii().to_string(),
    };
    let (dialect, digits) = match &head {
        [b'R', b'E', b'D', b'I', b'S', digits @ ..] => (Dialect::Redis, digits.as_slice()),
        [b'V', b'A', b'L', b'K', b'E', b'Y', digits @ ..] => (Dialect::Valkey, digits.as_slice()),
        _ => return Err(wrong("the signature of an RDB file")),
    };
    let digits = std::str::from_utf8(digits).ok();
    let version = digits.and_then(|digits| digits.parse::<u16>().ok());
    match (dialect, version) {
        (Dialect::Redis, Some(version @ 1..=VERSION_READ_MAX)) => Ok((version, dialect)),
        (Dialect::Valkey, Some(version @ VERSION_VALKEY)) => Ok((version, dialect)),
        _ => Err(wrong("a version that this server reads")),
    }
}

fn check_end(version: u16, from: &mut Reader<'_>) -> Result<(), ReadError> {
    if version < VERSION_CHECKSUM {
        return Ok(());
    }
    let right = from.checksum();
    let told = from.i64()?.cast_unsigned();
    if told != 0 && told != right {
        let found = format_args!("{told:016x}, the bytes have {right:016x} (RDB CRC error)");
        return Err(from.corrupt("the checksum of all bytes before it", found));
    }
    Ok(())
}

/// What was said of the next key.
#[derive(Clone, Copy, Debug, Default)]
struct Attributes {
    deadline: Option<i64>,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

struct Loader<'k> {
    keyspace: &'k mut Keyspace,
    batch: Batch,
    room: Room,
    dialect: Dialect,
    db: usize,
    keep_expired: bool,
    next: Attributes,
    summary: Summary,
}

impl Loader<'_> {
    #[inline]
    fn record(&mut self, of_kind: u8, from: &mut Reader<'_>) -> Result<(), ReadError> {
        let at = from.offset();
        self.batch.begin(from.string()?);
        if self.batch.key().len() > KEY_MAX_BYTES {
            return Err(from.corrupt("a key", "a longer string than any key may be"));
        }
        let next = std::mem::take(&mut self.next);
        let keyspace = &*self.keyspace;
        let (now_ms, policy) = (keyspace.now_ms(), keyspace.access_policy());
        let access = policy.word_of(now_ms, next.idle_s, next.frequency);
        let is_expired = next.deadline.is_some_and(|deadline| deadline < now_ms);
        let text = match of_kind {
            kind::STRING => Some(from.text()?),
            _ => None,
        };
        let value = match text {
            Some(Text::Int(value)) => Loaded::Int(value),
            Some(Text::Bytes(bytes)) if bytes.len() < SHARED_MIN_BYTES => Loaded::String(bytes),
            Some(Text::Bytes(bytes)) => Loaded::shared(bytes),
            None => {
                let limits = keyspace.limits();
                load_value(of_kind, self.dialect, from, limits, &mut self.room)?
            }
        };
        if is_expired && !self.keep_expired {
            self.summary.expired += 1;
            self.batch.forget();
            return Ok(());
        }
        if let Loaded::Empty = value {
            if self.summary.empty < SHOWN_MAX {
                let key = self.batch.key().escape_ascii();
                tracing::warn!("RDB: skipping empty key: {key}");
            }
            self.summary.empty += 1;
            self.batch.forget();
            return Ok(());
        }
        self.summary.keys += 1;
        self.batch.put(keyspace, value, next.deadline, access, at);
        if self.batch.is_full() {
            self.settle(from)?;
        }
        Ok(())
    }

    /// Puts what was gathered into the keyspace.
    fn settle(&mut self, from: &Reader<'_>) -> Result<(), ReadError> {
        let loaded = self.keyspace.load(self.db, &mut self.batch);
        loaded.map_err(
            |Duplicate { key, at }| match from.corrupt("each key once", "") {
                ReadError::Corrupt { expected, .. } => ReadError::Corrupt {
                    at,
                    expected,
                    found: format!("\"{}\" a second time", key.escape_ascii()),
                },
                other => other,
            },
        )
    }

    fn other(
        &mut self,
        code: u8,
        from: &mut Reader<'_>,
        visitor: &mut dyn Visitor,
    ) -> Result<(), ReadError> {
        match code {
            opcode::EXPIRE_SECONDS => {
                let seconds = i32::from_le_bytes(from.array()?);
                self.next.deadline = Some(i64::from(seconds) * 1000);
            }
            opcode::EXPIRE_MS => self.next.deadline = Some(from.i64()?),
            opcode::FREQ => self.next.frequency = Some(from.byte()?),
            opcode::IDLE => self.next.idle_s = Some(from.number()?),
            opcode::SELECT_DB => self.select(from)?,
            opcode::RESIZE_DB => {
                let keys = from.number()?;
                let _expiring = from.number()?;
                self.expect(keys, from.left());
            }
            opcode::AUX => self.auxiliary(from)?,
            opcode::FUNCTION => {
                self.summary.libraries += 1;
                let taken = visitor.library(from.string()?);
                taken.map_err(|reason| from.corrupt("a library that can be loaded", reason))?;
            }
            opcode::MODULE_AUX => skip_module_field(from)?,
            opcode::SLOT_INFO => {
                skip_numbers(from, 3)?;
            }
            opcode::SLOT_IMPORT if self.dialect == Dialect::Valkey => {
                from.skip_string()?;
                for _ in 0..from.count(2)? {
                    skip_numbers(from, 2)?;
                }
            }
            other => return Err(from.corrupt("a kind of record", other)),
        }
        Ok(())
    }

    /// Makes room for so many keys, if what is left of the file can hold them.
    fn expect(&mut self, keys: u64, left: u64) {
        /// A kind, a key and a value.
        const RECORD_MIN_BYTES: u64 = 3;
        let is_known = left <= i64::MAX.cast_unsigned();
        if is_known && keys <= left / RECORD_MIN_BYTES {
            self.keyspace.reserve(self.db, keys as usize);
        }
    }

    fn select(&mut self, from: &mut Reader<'_>) -> Result<(), ReadError> {
        self.settle(from)?;
        let number = from.number()?;
        let databases = self.keyspace.databases();
        match usize::try_from(number).ok().filter(|db| *db < databases) {
            Some(db) => self.db = db,
            None => {
                let found = format_args!("database {number} of {databases}");
                return Err(from.corrupt("a database that is configured", found));
            }
        }
        Ok(())
    }

    fn auxiliary(&mut self, from: &mut Reader<'_>) -> Result<(), ReadError> {
        let name = String::from_utf8_lossy(from.string()?).into_owned();
        if name.as_bytes() == MEMBER_DEADLINES {
            self.settle(from)?;
            let deadlines = MemberDeadlines::read(from.string()?)?;
            return self.set_deadlines(&deadlines, from);
        }
        let value = from.string()?;
        let fits = self.summary.fields.len() < FIELDS_MAX && value.len() <= FIELD_MAX_BYTES;
        if name.starts_with('%') {
            tracing::info!("RDB '{name}': {}", value.escape_ascii());
        } else if fits {
            let value = String::from_utf8_lossy(value).into_owned();
            self.summary.fields.push((name, value));
        }
        Ok(())
    }

    fn set_deadlines(
        &mut self,
        deadlines: &ReadDeadlines,
        from: &Reader<'_>,
    ) -> Result<(), ReadError> {
        let members = deadlines.members.iter();
        let members = members.map(|(name, at)| (name.as_slice(), *at));
        let (key, db) = (deadlines.key.as_slice(), self.db);
        let place = self.keyspace.store(db).find(&self.keyspace.key(key));
        // The key has expired: its members with it.
        if place.is_none() || self.keyspace.load_member_deadlines(db, key, members) {
            return Ok(());
        }
        Err(from.corrupt("a set or sorted set", "a value of another type"))
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
