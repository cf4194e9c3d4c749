//! Keys from elsewhere: many at once from a file ([`Batch`]), or one from a payload ([`Keyspace::restore`]).
//!
//! A batch gathers some dozen records, names and short values one behind the other in one piece of memory, so that no
//! record takes an allocation of its own before it is in its place. When it is full, the cache lines of all their buckets
//! are asked for at once, and then they are inserted. Loading is no change: nobody is told of it, and it does not count.

use super::Keyspace;
use super::entry::{INLINE_MAX_BYTES, Key, NewValue, Store};
use super::event;
use crate::types::hash::Hash;
use crate::types::load::Loaded;
use crate::types::set::Set;
use crate::types::string::NewString;
use crate::types::zset::Zset;
use crate::types::{Collection, Fate, Form, Limits, Object, Type};
use std::ops::Range;

/// Records of a batch: their look-ups overlap.
const BATCH_MAX: usize = 64;
/// Bytes after which a batch takes no more records.
const BATCH_MAX_BYTES: usize = 256 << 10;

/// A value that waits in a batch.
enum Waiting {
    Int(i64),
    String(Range<usize>),
    Packed(Type, Form, Range<usize>),
    Boxed(Box<Object>),
}

struct Record {
    key: Range<usize>,
    hash: u64,
    value: Waiting,
    deadline: Option<i64>,
    access: u32,
    /// Where it came from.
    at: u64,
}

/// See the head of the file.
pub struct Batch {
    bytes: Vec<u8>,
    records: Vec<Record>,
    /// The key that waits for its value.
    key: Range<usize>,
    /// A key that is there already gives way.
    replaces: bool,
}

/// A key was there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Its name.
    pub key: Vec<u8>,
    /// Where the second one came from.
    pub at: u64,
}

impl Batch {
    /// An empty one; `replaces`: a key that is there already gives way, else it is an error.
    pub fn new(replaces: bool) -> Self {
        Self {
            bytes: Vec::new(),
            records: Vec::new(),
            key: 0..0,
            replaces,
        }
    }

    /// Whether it is time to [`Keyspace::load`] what there is.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.records.len() >= BATCH_MAX || self.bytes.len() >= BATCH_MAX_BYTES
    }

    fn add(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// Names the key whose value follows.
    #[inline]
    pub fn begin(&mut self, key: &[u8]) {
        self.key = self.add(key);
    }

    /// The name of that key.
    pub fn key(&self) -> &[u8] {
        self.slice(&self.key)
    }

    /// Forgets the key that was begun.
    pub fn forget(&mut self) {
        self.bytes.truncate(self.key.start);
    }

    /// Adds the record of the key that was begun; `at`: where it comes from. Nothing if the value is empty.
    #[inline]
    pub fn put(
        &mut self,
        keyspace: &Keyspace,
        value: Loaded<'_>,
        deadline: Option<i64>,
        access: u32,
        at: u64,
    ) {
        let value = match value {
            Loaded::Empty => return,
            Loaded::Int(value) => Waiting::Int(value),
            Loaded::String(bytes) => Waiting::String(self.add(bytes)),
            Loaded::Packed(type_of, form, bytes) => Waiting::Packed(type_of, form, self.add(bytes)),
            Loaded::Boxed(object) => Waiting::Boxed(object),
        };
        let key = self.key.clone();
        let hash = keyspace.hasher().hash(self.slice(&key));
        self.records.push(Record {
            key,
            hash,
            value,
            deadline,
            access,
            at,
        });
    }
}

/// The form in which a value is kept.
fn kept(value: Loaded<'_>) -> Option<NewValue<'_>> {
    match value {
        Loaded::Empty => None,
        Loaded::Int(value) => Some(NewValue::Int(value)),
        Loaded::String(bytes) => Some(NewString::Bytes(bytes).into()),
        Loaded::Packed(type_of, form, bytes) if bytes.len() <= INLINE_MAX_BYTES => {
            Some(NewValue::Packed(type_of, form, bytes))
        }
        Loaded::Packed(type_of, form, bytes) => {
            let object = Object::of_packed(type_of, form, bytes)?;
            Some(NewValue::Boxed(Box::new(object)))
        }
        Loaded::Boxed(object) => Some(NewValue::Boxed(object)),
    }
}

impl Keyspace {
    /// Makes room for so many keys that are about to come into a database that has had none.
    pub fn reserve(&mut self, db: usize, keys: usize) {
        self.stores[db].reserve(keys);
    }

    /// Very many keys are about to come, nobody knows how many; or no more.
    pub fn set_in_bulk(&mut self, in_bulk: bool) {
        let stores = self.stores.iter_mut();
        stores.for_each(|store| store.set_in_bulk(in_bulk));
    }

    /// Puts the records of a batch into a database; the batch is empty afterwards.
    ///
    /// # Errors
    /// A key that is there already; those before it have come in.
    pub fn load(&mut self, db: usize, batch: &mut Batch) -> Result<(), Duplicate> {
        let mut records = std::mem::take(&mut batch.records);
        let store = &mut self.stores[db];
        records
            .iter()
            .for_each(|record| store.prefetch_segment(record.hash));
        for record in &records {
            store.prefetch_bucket(record.hash);
        }
        let mut duplicate = None;
        for record in records.drain(..) {
            if batch.replaces {
                self.make_way(db, batch, &record);
            }
            if let Err(error) = insert(&mut self.stores[db], batch, record) {
                duplicate = Some(error);
                break;
            }
        }
        batch.records = records;
        batch.records.clear();
        batch.bytes.clear();
        duplicate.map_or(Ok(()), Err)
    }

    /// Removes the key of a record, if it is there.
    fn make_way(&mut self, db: usize, batch: &Batch, record: &Record) {
        let key = Key {
            bytes: batch.slice(&record.key),
            hash: record.hash,
        };
        let store = &mut self.stores[db];
        if let Some(position) = store.find(&key).map(|(position, _)| position) {
            let remains = store.remove(position, key.hash);
            self.discard(remains);
        }
    }

    /// Gives a key a value from a payload, whatever it held; `None` of `access`: it is used now. One change, which is
    /// announced. Whether there is such a value: an empty one changes nothing.
    pub fn restore(
        &mut self,
        db: usize,
        key: &Key<'_>,
        value: Loaded<'_>,
        deadline: Option<i64>,
        access: Option<u32>,
    ) -> bool {
        let Some(value) = kept(value) else {
            return false;
        };
        self.expire_if_due(db, key);
        let store = &mut self.stores[db];
        if let Some(position) = store.find(key).map(|(position, _)| position) {
            let remains = store.remove(position, key.hash);
            self.discard(remains);
        }
        let access = access.unwrap_or(self.access_now);
        self.stores[db].insert(key, value, deadline, access);
        self.notify(db, key.bytes, event::NEW);
        self.changed(db, key.bytes, event::RESTORE);
        true
    }

    /// Sets the deadlines of members of a set, sorted set or hash that has come in; whether the key holds such a value.
    pub fn load_member_deadlines<'m>(
        &mut self,
        db: usize,
        key: &[u8],
        deadlines: impl Iterator<Item = (&'m [u8], i64)>,
    ) -> bool {
        let limits = self.limits;
        let key = self.key(key);
        let store = &mut self.stores[db];
        let Some((position, record)) = store.find(&key) else {
            return false;
        };
        let (deadline, access) = (record.deadline(), record.access());
        let packed = record.packed().and_then(|(form, bytes)| {
            // What is packed has no deadlines yet.
            Object::of_packed(record.type_of(), form, bytes)
        });
        if let Some(mut object) = packed {
            let is_good = set_deadlines(&mut object, &limits, deadlines);
            let value = NewValue::Boxed(Box::new(object));
            store.set(position, value, deadline, access);
            return is_good;
        }
        let Some(object) = store.object_mut(position) else {
            return false;
        };
        let before = object.stored().first_deadline();
        let is_good = set_deadlines(object, &limits, deadlines);
        let after = object.stored().first_deadline();
        store.reschedule_members(key.bytes, before, after);
        is_good
    }
}

/// Sets deadlines of members; whether the object is of a type that has such.
pub fn set_deadlines<'m>(
    object: &mut Object,
    limits: &Limits,
    deadlines: impl Iterator<Item = (&'m [u8], i64)>,
) -> bool {
    if let Some(set) = Set::of_mut(object) {
        deadlines.for_each(|(name, at)| set.set_deadline(name, Some(at), limits));
    } else if let Some(zset) = Zset::of_mut(object) {
        deadlines.for_each(|(name, at)| {
            zset.set_deadline(name, Some(at), limits);
        });
    } else if let Some(hash) = Hash::of_mut(object) {
        // Whatever the time: all fields are there.
        deadlines.for_each(|(name, at)| {
            hash.settle(i64::MIN, name, |_| Fate::Expire(at));
        });
    } else {
        return false;
    }
    true
}

fn insert(store: &mut Store, batch: &Batch, record: Record) -> Result<(), Duplicate> {
    let key = Key {
        bytes: batch.slice(&record.key),
        hash: record.hash,
    };
    if store.find(&key).is_some() {
        return Err(Duplicate {
            key: key.bytes.to_vec(),
            at: record.at,
        });
    }
    let value = match record.value {
        Waiting::Int(value) => Loaded::Int(value),
        Waiting::String(range) => Loaded::String(batch.slice(&range)),
        Waiting::Packed(type_of, form, range) => Loaded::Packed(type_of, form, batch.slice(&range)),
        Waiting::Boxed(object) => Loaded::Boxed(object),
    };
    if let Some(value) = kept(value) {
        store.insert(&key, value, record.deadline, record.access);
    }
    Ok(())
}
