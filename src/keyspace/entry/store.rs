//! The store: all records of one database, in table, arena and expiry heap, always in step.
//!
//! A record that does not fit its cell any more is made anew elsewhere, and its place in table and heap is given to the new
//! one in one step ([`Store::exchange`]). Whatever changes content goes through [`Store::changing`] first, so that a walk
//! that is under way has had the content of before.
//!
//! Keys whose value has members with deadlines stand in an index of their own ([`Store::first_member_deadline`]), under
//! the earliest of these deadlines. An object enters it with its record and leaves it with its record; who changes one
//! in place says so ([`Store::reschedule_members`]).

use super::{
    EXPIRY_BYTES, HAS_EXPIRY, KEPT_BOXED, KEPT_MASK, KEPT_RAW, KEY_LENGTH_AT, Key, NewValue,
    OwnedValue, Record, RecordRef, Remains, SPARE_MAX_BYTES, length_bytes,
};
use crate::base::{hash::Hasher, random::Random};
use crate::ds::arena::{Arena, CELL_MAX_BYTES, same_cell};
use crate::ds::expiry_heap::ExpiryHeap;
use crate::ds::table::{Ahead, Position as TablePosition, Sink, Table};
use crate::types::string::{Digits, SHARED_MIN_BYTES, StringRef, edit_shared};
use crate::types::{Object, Wanted};
use bytes::BytesMut;
use std::collections::BTreeSet;

/// Where a record is; good until the next change of the store's keys.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    slot: TablePosition,
    record: Record,
    /// [`Store::version`] when it was found: while that stays, the record is known without another look at the table.
    version: u64,
}

/// A look-up that is known in advance.
#[derive(Clone, Copy)]
pub struct LookUpAhead<'s>(Ahead<'s, Record>);

impl LookUpAhead<'_> {
    /// Asks for the records that these look-ups will read; their buckets have been asked for. Nine of ten are found in
    /// their home bucket, the others most often in the next.
    #[inline]
    pub fn prefetch_records(ahead: &mut [Option<Self>]) {
        let mut unsettled = false;
        for look_up in ahead.iter_mut() {
            let settled = look_up
                .as_mut()
                .is_none_or(|found| found.0.prefetch_records());
            if settled {
                *look_up = None;
            }
            unsettled |= !settled;
        }
        if unsettled {
            for look_up in ahead.iter_mut().flatten() {
                look_up.0.prefetch_records();
            }
        }
    }
}

/// Takes each record of a walk once. See [`Store::begin_walk`].
pub type RecordSink = Box<dyn FnMut(RecordRef<'_>) -> Option<Wanted> + Send>;

/// The records of one database: table (with the arena) and expiry heap, always in step.
pub struct Store {
    table: Table<Record>,
    expiring: ExpiryHeap<Record>,
    /// Changes with every record that comes, goes or moves.
    version: u64,
    /// When the first member of a value expires, and the value's key.
    members_due: BTreeSet<(i64, Box<[u8]>)>,
}

// SAFETY: the store owns its records, objects are `Send`, and handles lead nowhere else.
unsafe impl Send for Store {}

impl Store {
    /// An empty store that holds no memory.
    pub fn new(hasher: Hasher) -> Self {
        Self {
            table: Table::new(hasher, true),
            expiring: ExpiryHeap::new(),
            version: 0,
            members_due: BTreeSet::new(),
        }
    }

    /// When the next member of a value expires, and of which key's value.
    pub fn first_member_deadline(&self) -> Option<(i64, &[u8])> {
        let (deadline, key) = self.members_due.first()?;
        Some((*deadline, key))
    }

    /// Keys whose value has members with a deadline.
    pub fn keys_with_expiring_members(&self) -> usize {
        self.members_due.len()
    }

    /// Keys whose value has members with a deadline, the earliest first.
    pub fn expiring_members_of(&self) -> impl Iterator<Item = &[u8]> {
        self.members_due.iter().map(|(_, key)| &**key)
    }

    /// The first deadline of the value's members was `before` and is `after`.
    #[inline]
    pub fn reschedule_members(&mut self, key: &[u8], before: Option<i64>, after: Option<i64>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.members_due.remove(&(before, key.into()));
        }
        if let Some(after) = after {
            self.members_due.insert((after, key.into()));
        }
    }

    /// The record's object, which leaves it: the record must be freed or overwritten next.
    #[inline]
    fn take_object(&mut self, record: Record) -> Remains {
        let object = take_object(record)?;
        let due = object.stored().first_deadline();
        self.reschedule_members(RecordRef::new(record).key(), due, None);
        Some(object)
    }

    /// Notes the deadlines of a value's members that comes into a record.
    #[inline]
    fn schedule_members(&mut self, key: &[u8], value: &NewValue<'_>) {
        if let NewValue::Boxed(object) = value {
            let due = object.stored().first_deadline();
            self.reschedule_members(key, None, due);
        }
    }

    #[inline]
    fn arena(&mut self) -> &mut Arena {
        self.table
            .arena()
            .expect("the table of a store has an arena")
    }

    /// Keys.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Keys with an expiry.
    pub fn expiring(&self) -> usize {
        self.expiring.len()
    }

    /// Deadlines of some keys, at most `max`, from all over the heap of them.
    pub fn sample_deadlines(&self, max: usize) -> impl Iterator<Item = i64> + '_ {
        self.expiring.sample(max)
    }

    /// Bytes that this store takes from outside the global allocator.
    pub fn arena_bytes(&self) -> usize {
        self.table.arena_bytes()
    }

    /// Bytes of table and heap: what is neither key nor value.
    pub fn overhead_bytes(&self) -> usize {
        self.table.heap_bytes() + self.expiring.heap_bytes()
    }

    /// Makes room for so many keys that are about to come into a store that has had none.
    pub fn reserve(&mut self, keys: usize) {
        self.table.reserve(keys);
    }

    /// Very many keys are about to come, nobody knows how many; or no more.
    pub fn set_in_bulk(&mut self, in_bulk: bool) {
        self.table.set_in_bulk(in_bulk);
    }

    /// (segments, directory entries, largest segment, capacity) of the table.
    pub fn shape(&self) -> (usize, usize, usize, usize) {
        let (segments, directory, largest) = self.table.shape();
        (segments, directory, largest, self.table.capacity())
    }

    /// Asks for the cache line in which a look-up of `hash` starts: the first of three stages.
    #[inline]
    pub fn prefetch_segment(&self, hash: u64) {
        self.table.prefetch_segment(hash);
    }

    /// Asks for the bucket of `hash`; the segment should have been asked for before.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) -> Option<LookUpAhead<'_>> {
        self.table.prefetch_bucket(hash).map(LookUpAhead)
    }

    /// The record of `key`.
    #[inline]
    pub fn find(&self, key: &Key<'_>) -> Option<(Position, RecordRef<'_>)> {
        let is_it = |record: Record| {
            let (at, length) = record.key_span();
            length == key.bytes.len() && record.slice(at, length) == key.bytes
        };
        self.table
            .find(key.hash, is_it)
            .map(|(slot, record)| (self.position(slot, record), RecordRef::new(record)))
    }

    /// Adds a key that is not there.
    pub fn insert(
        &mut self,
        key: &Key<'_>,
        value: NewValue<'_>,
        deadline: Option<i64>,
        access: u32,
    ) -> Position {
        self.schedule_members(key.bytes, &value);
        let record = self.create(key.bytes, value, deadline, access);
        let slot = self.table.insert(key.hash, record);
        if let Some(deadline) = deadline {
            self.expiring.push(deadline, record);
        }
        self.version += 1;
        self.position(slot, record)
    }

    #[inline]
    fn position(&self, slot: TablePosition, record: Record) -> Position {
        Position {
            slot,
            record,
            version: self.version,
        }
    }

    /// The record at `position`.
    #[inline]
    fn record(&self, position: Position) -> Record {
        if position.version != self.version {
            return self.table.get(position.slot);
        }
        debug_assert_eq!(self.table.get(position.slot), position.record);
        position.record
    }

    /// The record at `position`, about to be changed: a walk that is under way gets its content first.
    #[inline]
    fn changing(&mut self, position: Position) -> Record {
        if self.table.is_walked() {
            return self.table.change(position.slot);
        }
        self.record(position)
    }

    fn create(
        &mut self,
        key: &[u8],
        value: NewValue<'_>,
        deadline: Option<i64>,
        access: u32,
    ) -> Record {
        let expiry = if deadline.is_some() { EXPIRY_BYTES } else { 0 };
        let bytes = KEY_LENGTH_AT + length_bytes(key.len()) + expiry + key.len() + value.bytes();
        let record = Record(self.arena().alloc(bytes));
        let [a, b, c, _] = access.to_le_bytes();
        record.write(
            0,
            &[
                value.kind() | if deadline.is_some() { HAS_EXPIRY } else { 0 },
                a,
                b,
                c,
            ],
        );
        let mut at = record.write_length(KEY_LENGTH_AT, key.len());
        if let Some(deadline) = deadline {
            record.write(at, &deadline.to_le_bytes());
            at += EXPIRY_BYTES;
        }
        record.write(at, key);
        write_value(record, at + key.len(), value);
        record
    }

    /// Gives the key at `position` another value and deadline; in place where the record's cell fits.
    #[inline]
    pub fn set(
        &mut self,
        position: Position,
        value: NewValue<'_>,
        deadline: Option<i64>,
        access: u32,
    ) -> Remains {
        let old = self.changing(position);
        let remains = self.take_object(old);
        self.schedule_members(RecordRef::new(old).key(), &value);
        let at = old.value_at();
        let expires = deadline.is_some();
        if expires == old.has_expiry() && same_cell(old.bytes_total(), at + value.bytes()) {
            let [a, b, c, _] = access.to_le_bytes();
            old.write(
                0,
                &[value.kind() | if expires { HAS_EXPIRY } else { 0 }, a, b, c],
            );
            write_value(old, at, value);
            if deadline.is_some() && deadline != RecordRef::new(old).deadline() {
                self.set_deadline(position, deadline);
            }
            return remains;
        }
        let key = RecordRef::new(old).key();
        let record = self.create(key, value, deadline, access);
        self.exchange(position, old, record);
        remains
    }

    /// Puts `record` in the place of `old` in table and heap, and frees `old`; its object has been taken or moved.
    fn exchange(&mut self, position: Position, old: Record, record: Record) {
        self.table.replace(position.slot, record);
        self.version += 1;
        let place = old
            .has_expiry()
            .then(|| u32::from_le_bytes(old.read(old.expiry_at() + 8)));
        match (place, RecordRef::new(record).deadline()) {
            (Some(place), Some(deadline)) => {
                self.expiring.rename(place, record);
                self.expiring.update(place, deadline);
            }
            (Some(place), None) => self.expiring.remove(place),
            (None, Some(deadline)) => self.expiring.push(deadline, record),
            (None, None) => {}
        }
        let bytes = old.bytes_total();
        // SAFETY: the record was allocated with that many bytes and nothing names it any more.
        unsafe { self.arena().free(old.0, bytes) };
    }

    /// Sets or clears the deadline of the key at `position`.
    pub fn set_deadline(&mut self, position: Position, deadline: Option<i64>) {
        let old = self.changing(position);
        match (old.has_expiry(), deadline) {
            (false, None) => {}
            (true, Some(deadline)) => {
                let at = old.expiry_at();
                old.write(at, &deadline.to_le_bytes());
                self.expiring
                    .update(u32::from_le_bytes(old.read(at + 8)), deadline);
            }
            _ => {
                let value_at = old.value_at();
                let value_bytes = old.bytes_total() - value_at;
                let (key_at, key_bytes) = old.key_span();
                // The new record is made with an empty value of the same size; the value's bytes, a pointer included, move.
                let expiry = if deadline.is_some() { EXPIRY_BYTES } else { 0 };
                let bytes =
                    KEY_LENGTH_AT + length_bytes(key_bytes) + expiry + key_bytes + value_bytes;
                let record = Record(self.arena().alloc(bytes));
                record.write(0, &old.read::<4>(0));
                record.write(
                    0,
                    &[old.kind() & !HAS_EXPIRY | if deadline.is_some() { HAS_EXPIRY } else { 0 }],
                );
                let at = record.write_length(KEY_LENGTH_AT, key_bytes);
                record.write(at, &deadline.unwrap_or(0).to_le_bytes()[..expiry.min(8)]);
                record.write(at + expiry, old.slice(key_at, key_bytes + value_bytes));
                self.exchange(position, old, record);
            }
        }
    }

    /// Takes the key at `position` out.
    pub fn remove(&mut self, position: Position, hash: u64) -> Remains {
        let record = self.table.remove(position.slot, hash);
        self.version += 1;
        if record.has_expiry() {
            self.expiring
                .remove(u32::from_le_bytes(record.read(record.expiry_at() + 8)));
        }
        let remains = self.take_object(record);
        let bytes = record.bytes_total();
        // SAFETY: the record was allocated with that many bytes and nothing names it any more.
        unsafe { self.arena().free(record.0, bytes) };
        remains
    }

    /// Takes the key at `position` out and keeps its value, without copying an object.
    pub fn take(&mut self, position: Position, hash: u64) -> OwnedValue {
        let record = RecordRef::new(self.changing(position));
        let inline = (record.record.kind() & KEPT_MASK != KEPT_BOXED).then(|| record.copy_value());
        match (inline, self.remove(position, hash)) {
            (Some(value), _) => value,
            (None, Some(object)) => OwnedValue::Boxed(object),
            (None, None) => unreachable!("a boxed value leaves its box"),
        }
    }

    /// The record at `position`.
    pub fn at(&self, position: Position) -> RecordRef<'_> {
        RecordRef::new(self.record(position))
    }

    /// The object at `position`, to be changed.
    pub fn object_mut(&mut self, position: Position) -> Option<&mut Object> {
        // SAFETY: the record owns the box, and the store is borrowed uniquely for as long.
        self.changing(position)
            .object()
            .map(|mut object| unsafe { object.as_mut() })
    }

    /// Makes the string at `position` `length` bytes long, filled up with zeros, as bytes (never a number), and lends
    /// them for changes. The value must be a string.
    pub fn string_mut(&mut self, position: Position, length: usize, edit: impl FnOnce(&mut [u8])) {
        let old = self.changing(position);
        let mut digits = Digits::default();
        match RecordRef::new(old).string() {
            Some(StringRef::Shared(_)) => self.edit_shared_string(old, length, edit),
            Some(string) if length >= SHARED_MIN_BYTES => {
                // A string that grows to this size in place tends to go on growing.
                let mut own = BytesMut::with_capacity(length + length.min(SPARE_MAX_BYTES));
                own.extend_from_slice(string.bytes(&mut digits));
                own.resize(length, 0);
                edit(&mut own);
                let access = old.access();
                let deadline = RecordRef::new(old).deadline();
                self.set(
                    position,
                    NewValue::Boxed(Box::new(Object::String(own.freeze()))),
                    deadline,
                    access,
                );
            }
            Some(StringRef::Bytes { bytes, .. }) if bytes.len() == length => {
                let (_, at) = old.length(old.value_at());
                old.write(0, &[old.kind() & !KEPT_MASK | KEPT_RAW]);
                // SAFETY: the record's value has `length` bytes at `at`, and the store is borrowed uniquely.
                edit(unsafe { std::slice::from_raw_parts_mut(old.0.as_ptr().add(at), length) });
            }
            Some(string) => {
                let mut own = Vec::with_capacity(length);
                own.extend_from_slice(string.bytes(&mut digits));
                own.resize(length, 0);
                edit(&mut own);
                let (access, deadline) = (old.access(), RecordRef::new(old).deadline());
                self.set(position, NewValue::Raw(&own), deadline, access);
            }
            None => unreachable!("callers check the type"),
        }
    }

    fn edit_shared_string(&mut self, record: Record, length: usize, edit: impl FnOnce(&mut [u8])) {
        // SAFETY: the record owns the box, and the store is borrowed uniquely for as long.
        if let Some(Object::String(bytes)) =
            record.object().map(|mut object| unsafe { object.as_mut() })
        {
            edit_shared(bytes, |own| {
                if length > own.capacity() {
                    own.reserve(length - own.len() + length.min(SPARE_MAX_BYTES));
                }
                own.resize(length, 0);
                edit(own);
            });
        }
    }

    /// Whether any key, or member of a value, has a deadline.
    #[inline]
    pub fn has_deadlines(&self) -> bool {
        !self.expiring.is_empty() || !self.members_due.is_empty()
    }

    /// The key that expires first, and when.
    #[inline]
    pub fn first_deadline(&self) -> Option<(i64, RecordRef<'_>)> {
        self.expiring
            .first()
            .map(|(deadline, record)| (deadline, RecordRef::new(record)))
    }

    /// See [`Table::scan`].
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(RecordRef<'_>)) -> u64 {
        self.table
            .scan(cursor, |record| visit(RecordRef::new(record)))
    }

    /// Every key, in no particular order.
    pub fn for_each(&self, mut visit: impl FnMut(RecordRef<'_>)) {
        self.table.for_each(|record| visit(RecordRef::new(record)));
    }

    /// A key, each with the same probability.
    pub fn random(&self, random: &mut Random) -> Option<RecordRef<'_>> {
        self.table.random(random).map(RecordRef::new)
    }

    /// A key with an expiry, each with the same probability.
    pub fn random_expiring(&self, random: &mut Random) -> Option<RecordRef<'_>> {
        self.expiring.random(random).map(RecordRef::new)
    }

    /// Starts a point-in-time walk; see [`Table::begin_walk`]. Where the sink wants the elements, the record's collection is
    /// walked on its own ([`Self::walk_object`]) from this moment.
    pub fn begin_walk(&mut self, mut sink: RecordSink) {
        let sink: Sink<Record> = Box::new(move |record| {
            let wanted = sink(RecordRef::new(record));
            if let (Some(wanted), Some(mut object)) = (wanted, record.object()) {
                // SAFETY: the record owns the box. Whoever makes the table save a bucket holds `&mut` to the store, so no
                // reference to the object is out, and the one that the sink was lent has ended.
                let object = unsafe { object.as_mut() };
                match wanted {
                    Wanted::Elements(sink) => object.stored_mut().begin_walk(sink),
                    Wanted::Frozen(take) => take(object.stored_mut().freeze()),
                }
            }
        });
        self.table.begin_walk(sink);
    }

    /// Whether a walk is under way.
    #[inline]
    pub fn is_walked(&self) -> bool {
        self.table.is_walked()
    }

    /// Goes on with the walk of the collection that lies at `address` and is the value of `key`, for up to `buckets`
    /// buckets; whether it is complete, or gone.
    pub fn walk_object(&mut self, key: &Key<'_>, address: usize, buckets: usize) -> bool {
        let Some((_, found)) = self.find(key) else {
            return true;
        };
        match found.record.object() {
            Some(mut object) if object.addr().get() == address => {
                // SAFETY: the record owns the box, and the store is borrowed uniquely for as long. A walk changes no
                // content, so the record need not be saved before.
                let object = unsafe { object.as_mut() };
                object.stored_mut().walk(buckets)
            }
            _ => true,
        }
    }

    /// Goes on with the walk for up to `buckets` buckets; whether it is complete.
    pub fn walk(&mut self, buckets: usize) -> bool {
        self.table.walk(buckets)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let mut large = Vec::new();
        self.table.drain(|record| {
            drop(take_object(record));
            if record.bytes_total() > CELL_MAX_BYTES {
                large.push(record);
            }
        });
        // Cells go with the arena as a whole; what came from the global allocator goes one by one.
        for record in large {
            let bytes = record.bytes_total();
            // SAFETY: the record was allocated with that many bytes, and the table has forgotten it.
            unsafe { self.arena().free(record.0, bytes) };
        }
    }
}

fn write_value(record: Record, at: usize, value: NewValue<'_>) {
    match value {
        NewValue::Int(value) => record.write(at, &value.to_le_bytes()),
        NewValue::Inline(bytes) | NewValue::Raw(bytes) | NewValue::Packed(_, _, bytes) => {
            let at = record.write_length(at, bytes.len());
            record.write(at, bytes);
        }
        NewValue::Boxed(object) => {
            let address = Box::into_raw(object).expose_provenance();
            record.write(at, &address.to_le_bytes());
        }
    }
}

/// The record's object, which leaves it: the record must be freed or overwritten next.
#[inline]
fn take_object(record: Record) -> Remains {
    // SAFETY: the address came from `Box::into_raw` in `write_value` and is taken once.
    record
        .object()
        .map(|object| unsafe { Box::from_raw(object.as_ptr()) })
}
