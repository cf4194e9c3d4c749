//! An RDB file becomes the content of a keyspace. The file is opened by whoever calls: here is a [`Reader`] and no more.
//!
//! [`super::records`] says what such a file consists of. Keys whose deadline has passed are dropped, collections without
//! elements are passed over; a key that is there already, an unknown kind, a wrong checksum end it with the offset, what
//! should stand there and what does. What has come in by then stays: the caller decides what becomes of it.

use super::records::{Record, Records};
use crate::keyspace::Keyspace;
use crate::keyspace::entry::KEY_MAX_BYTES;
use crate::keyspace::load::{Batch, Duplicate};
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader, Text};
use crate::types::load::{Loaded, Room, load_value};
use crate::types::rdb::{MEMBER_DEADLINES, MemberDeadlines, ReadDeadlines, in_field};
use crate::types::string::SHARED_MIN_BYTES;

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
    let mut loader = Loader::begin(from, keep_expired, visitor.replaces())?;
    let all = Slice {
        bytes: u64::MAX,
        keys: u64::MAX,
    };
    while !loader.step(keyspace, from, visitor, all)? {}
    Ok(loader.into_summary())
}

/// How much is read at once.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Bytes, about.
    pub bytes: u64,
    /// Keys.
    pub keys: u64,
}

/// A file that is being read, slice by slice. What it has gathered and not handed over yet is at most a batch.
pub struct Loader {
    batch: Batch,
    room: Room,
    records: Records,
    db: usize,
    keep_expired: bool,
    summary: Summary,
}

impl Loader {
    /// Reads the head of a file. `keep_expired`, `replaces`: as for [`load`] and [`Visitor::replaces`].
    ///
    /// # Errors
    /// It is not that of a file that can be read.
    pub fn begin(
        from: &mut Reader<'_>,
        keep_expired: bool,
        replaces: bool,
    ) -> Result<Self, ReadError> {
        let records = Records::begin(from)?;
        let summary = Summary {
            version: records.version,
            ..Summary::default()
        };
        Ok(Self {
            batch: Batch::new(replaces),
            room: Room::default(),
            records,
            db: 0,
            keep_expired,
            summary,
        })
    }

    /// Reads a slice; whether the file has come to its end.
    ///
    /// # Errors
    /// Why it cannot be read, or what in it is not as it must be.
    pub fn step(
        &mut self,
        keyspace: &mut Keyspace,
        from: &mut Reader<'_>,
        visitor: &mut dyn Visitor,
        slice: Slice,
    ) -> Result<bool, ReadError> {
        let end = from.offset().saturating_add(slice.bytes);
        let keys = self.summary.keys.saturating_add(slice.keys);
        while from.offset() < end && self.summary.keys < keys {
            match self.records.next(from)? {
                Record::End => {
                    self.settle(keyspace, from)?;
                    let _sum = self.records.end(from)?;
                    return Ok(true);
                }
                Record::Key(kind) => self.record(kind, keyspace, from)?,
                other => self.other(other, keyspace, from, visitor)?,
            }
        }
        Ok(false)
    }

    /// What has come in so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What has come in.
    pub fn into_summary(self) -> Summary {
        self.summary
    }

    #[inline]
    fn record(
        &mut self,
        of_kind: u8,
        keyspace: &mut Keyspace,
        from: &mut Reader<'_>,
    ) -> Result<(), ReadError> {
        let at = from.offset();
        self.batch.begin(from.string()?);
        if self.batch.key().len() > KEY_MAX_BYTES {
            return Err(from.corrupt("a key", "a longer string than any key may be"));
        }
        let next = self.records.attributes();
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
                let loaded =
                    load_value(of_kind, self.records.dialect, from, limits, &mut self.room);
                loaded.inspect_err(|_| {
                    let (name, key) = (kind::name(of_kind), self.batch.key().escape_ascii());
                    tracing::warn!("RDB: {name} integrity check failed, key: {key}");
                })?
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
            self.settle(keyspace, from)?;
        }
        Ok(())
    }

    /// Puts what was gathered into the keyspace.
    fn settle(&mut self, keyspace: &mut Keyspace, from: &Reader<'_>) -> Result<(), ReadError> {
        let loaded = keyspace.load(self.db, &mut self.batch);
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
        record: Record,
        keyspace: &mut Keyspace,
        from: &mut Reader<'_>,
        visitor: &mut dyn Visitor,
    ) -> Result<(), ReadError> {
        match record {
            Record::Database(number) => self.select(number, keyspace, from)?,
            Record::Sizes { keys, .. } => self.expect(keyspace, keys, from.left()),
            Record::Field(name) => self.auxiliary(&name, keyspace, from)?,
            Record::Library => {
                self.summary.libraries += 1;
                let taken = visitor.library(from.string()?);
                taken.map_err(|reason| from.corrupt("a library that can be loaded", reason))?;
            }
            Record::Key(_) | Record::Passed | Record::End => {}
        }
        Ok(())
    }

    /// Makes room for so many keys, if what is left of the file can hold them.
    fn expect(&self, keyspace: &mut Keyspace, keys: u64, left: u64) {
        /// A kind, a key and a value.
        const RECORD_MIN_BYTES: u64 = 3;
        let is_known = left <= i64::MAX.cast_unsigned();
        if is_known && keys <= left / RECORD_MIN_BYTES {
            keyspace.reserve(self.db, keys as usize);
        }
    }

    fn select(
        &mut self,
        number: u64,
        keyspace: &mut Keyspace,
        from: &Reader<'_>,
    ) -> Result<(), ReadError> {
        self.settle(keyspace, from)?;
        let databases = keyspace.databases();
        match usize::try_from(number).ok().filter(|db| *db < databases) {
            Some(db) => self.db = db,
            None => {
                let found = format_args!("database {number} of {databases}");
                return Err(from.corrupt("a database that is configured", found));
            }
        }
        Ok(())
    }

    fn auxiliary(
        &mut self,
        name: &[u8],
        keyspace: &mut Keyspace,
        from: &mut Reader<'_>,
    ) -> Result<(), ReadError> {
        if name == MEMBER_DEADLINES {
            self.settle(keyspace, from)?;
            let at = from.offset();
            let deadlines = MemberDeadlines::read(from.string()?);
            let deadlines = deadlines.map_err(|error| in_field(&error, at))?;
            return self.set_deadlines(keyspace, &deadlines, from);
        }
        let (name, value) = (String::from_utf8_lossy(name).into_owned(), from.string()?);
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
        &self,
        keyspace: &mut Keyspace,
        deadlines: &ReadDeadlines,
        from: &Reader<'_>,
    ) -> Result<(), ReadError> {
        let members = deadlines.members.iter();
        let members = members.map(|(name, at)| (name.as_slice(), *at));
        let (key, db) = (deadlines.key.as_slice(), self.db);
        let place = keyspace.store(db).find(&keyspace.key(key));
        // The key has expired: its members with it.
        if place.is_none() || keyspace.load_member_deadlines(db, key, members) {
            return Ok(());
        }
        Err(from.corrupt("a set, sorted set or hash", "a value of another type"))
    }
}
