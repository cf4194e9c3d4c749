//! One database as a command sees it: typed reads, edits that announce their change, deadlines.
//!
//! - [`Database::read`] gives a value or `WrongType`; it counts hits and misses and notes the use of the key.
//! - [`Database::edit`], [`Database::edit_or_create`] and [`Database::put`] give an [`Edit`] (of a string: a
//!   [`StringEdit`]): the only way to a changed value. Who has changed it calls [`Edit::changed`] once: watchers, waiters,
//!   notifications, the dirty count and the removal of an empty collection follow. An edit that was used and not announced
//!   is a bug that tests catch.
//! - A key whose deadline has passed is not there: the first look at it deletes it.

use super::Keyspace;
use super::edit::{Edit, StringEdit, kept_form};
use super::entry::{Key, LookUpAhead, NewValue, OwnedValue, Position, RecordRef, Store};
use super::event::{self, Event};
use crate::types::string::{NewString, StringRef};
use crate::types::{Collection, Limits, Type, ValueRef, WrongType};

/// Look-ups whose cache misses overlap.
const PREFETCH_MAX: usize = 64;

/// A type as handlers name it: `read::<Str>`, `edit::<Hash>`.
pub trait Typed {
    /// What a reader gets.
    type Ref<'a>;
    /// What changes it.
    type Edit<'a>;
    /// The reader's view of a record, if it is of this type.
    fn view(record: RecordRef<'_>) -> Option<Self::Ref<'_>>;
    /// The value of a key, to be changed; `position`: where the key is, `None` if it is to be made.
    fn edit<'a>(
        keyspace: &'a mut Keyspace,
        db: usize,
        key: Key<'a>,
        position: Option<Position>,
    ) -> Self::Edit<'a>;
    /// Whether the record is of this type.
    fn is_type_of(record: RecordRef<'_>) -> bool;
    /// Whether members that are due must be taken out of the value before it is looked at.
    #[inline]
    fn must_settle(_: RecordRef<'_>, _now_ms: i64) -> bool {
        false
    }
}

/// Strings.
pub struct Str;

impl Typed for Str {
    type Ref<'a> = StringRef<'a>;
    type Edit<'a> = StringEdit<'a>;

    #[inline]
    fn view(record: RecordRef<'_>) -> Option<StringRef<'_>> {
        record.string()
    }

    #[inline]
    fn edit<'a>(
        keyspace: &'a mut Keyspace,
        db: usize,
        key: Key<'a>,
        position: Option<Position>,
    ) -> StringEdit<'a> {
        let is_new = position.is_none();
        let position =
            position.unwrap_or_else(|| keyspace.create(db, &key, NewValue::Inline(&[]), None));
        StringEdit::new(keyspace, db, key, position, is_new)
    }

    #[inline]
    fn is_type_of(record: RecordRef<'_>) -> bool {
        record.type_of() == Type::String
    }
}

impl<T: Collection> Typed for T {
    type Ref<'a> = T::Ref<'a>;
    type Edit<'a> = Edit<'a, T>;

    #[inline]
    fn view(record: RecordRef<'_>) -> Option<T::Ref<'_>> {
        record.collection::<T>()
    }

    #[inline]
    fn edit<'a>(
        keyspace: &'a mut Keyspace,
        db: usize,
        key: Key<'a>,
        position: Option<Position>,
    ) -> Edit<'a, T> {
        Edit::new(keyspace, db, key, position)
    }

    #[inline]
    fn is_type_of(record: RecordRef<'_>) -> bool {
        record.type_of() == T::TYPE
    }

    #[inline]
    fn must_settle(record: RecordRef<'_>, now_ms: i64) -> bool {
        let value = record.object().and_then(T::of);
        value.is_some_and(|value| value.must_settle(now_ms))
    }
}

/// What happens to the deadline of a key that gets a new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// It stays.
    Keep,
    /// It goes.
    Clear,
    /// It becomes this, in Unix milliseconds.
    At(i64),
}

/// See the head of the file.
pub struct Database<'k> {
    keyspace: &'k mut Keyspace,
    index: usize,
    /// Whether reads note the use of keys (not under CLIENT NO-TOUCH).
    touch: bool,
}

impl<'k> Database<'k> {
    /// Database `index` of the keyspace.
    #[inline]
    pub fn new(keyspace: &'k mut Keyspace, index: usize, touch: bool) -> Self {
        Self {
            keyspace,
            index,
            touch,
        }
    }

    /// Its number.
    pub fn index(&self) -> usize {
        self.index
    }

    /// From now on this is another database.
    pub fn select(&mut self, index: usize) {
        self.index = index;
    }

    /// What all databases share.
    pub fn keyspace(&mut self) -> &mut Keyspace {
        self.keyspace
    }

    /// Another database, for as long as this one is lent.
    pub fn other(&mut self, index: usize) -> Database<'_> {
        Database {
            keyspace: self.keyspace,
            index,
            touch: self.touch,
        }
    }

    /// Unix milliseconds that the command sees.
    #[inline]
    pub fn now_ms(&self) -> i64 {
        self.keyspace.now_ms
    }

    /// Unix milliseconds of the clock on the wall. While a log is replayed this is not [`Self::now_ms`], for which no deadline
    /// has passed then: what is given relative to now counts from here, and what was done now was done then.
    #[inline]
    pub fn wall_ms(&self) -> i64 {
        self.keyspace.wall_ms
    }

    /// Where encodings change, and the hash of members.
    #[inline]
    pub fn limits(&self) -> &Limits {
        &self.keyspace.limits
    }

    /// A key with its hash.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        self.keyspace.key(bytes)
    }

    #[inline]
    fn store(&self) -> &Store {
        &self.keyspace.stores[self.index]
    }

    #[inline]
    fn store_mut(&mut self) -> &mut Store {
        &mut self.keyspace.stores[self.index]
    }

    /// Asks for the cache lines of several keys at once: their look-ups will not wait for one another.
    pub fn prefetch(&self, keys: &[Key<'_>]) {
        let store = self.store();
        for keys in keys.chunks(PREFETCH_MAX) {
            keys.iter().for_each(|key| store.prefetch_segment(key.hash));
            let mut ahead = [None; PREFETCH_MAX];
            for (ahead, key) in ahead.iter_mut().zip(keys) {
                *ahead = store.prefetch_bucket(key.hash);
            }
            LookUpAhead::prefetch_records(&mut ahead);
        }
    }

    /// Where the key is, if it lives; one whose deadline has passed is deleted.
    #[inline]
    fn locate(&mut self, key: &Key<'_>) -> Option<Position> {
        let (position, record) = self.store().find(key)?;
        match record.deadline() {
            Some(deadline) if deadline < self.keyspace.now_ms => {
                self.keyspace.expire(self.index, key, position);
                None
            }
            _ => Some(position),
        }
    }

    /// The same for a reader, who deletes nothing while the data set stands still.
    #[inline]
    fn locate_to_read(&mut self, key: &Key<'_>) -> Option<Position> {
        if !self.keyspace.frozen {
            return self.locate(key);
        }
        let (position, record) = self.store().find(key)?;
        let lives = record
            .deadline()
            .is_none_or(|deadline| deadline >= self.keyspace.now_ms);
        lives.then_some(position)
    }

    /// The key's record; not counted as a use, no hit and no miss.
    #[inline]
    pub fn peek(&mut self, key: &Key<'_>) -> Option<RecordRef<'_>> {
        self.locate_to_read(key)
            .map(|position| self.store().at(position))
    }

    /// The key's record, counted as a read.
    #[inline]
    pub fn look_up(&mut self, key: &Key<'_>) -> Option<RecordRef<'_>> {
        let position = self.locate_counted(key)?;
        if !self.touch {
            return Some(self.store().at(position));
        }
        Some(self.note_use(position))
    }

    /// The key's record, counted as a read that is no use of the value (TTL, TYPE, OBJECT).
    #[inline]
    pub fn inspect(&mut self, key: &Key<'_>) -> Option<RecordRef<'_>> {
        let position = self.locate_counted(key)?;
        Some(self.store().at(position))
    }

    /// The same for a look at how the value is kept (OBJECT): it is no event if there is none.
    pub fn inspect_quietly(&mut self, key: &Key<'_>) -> Option<RecordRef<'_>> {
        let position = self.locate_to_read(key);
        if position.is_some() {
            self.keyspace.counters.hits += 1;
        } else {
            self.keyspace.counters.misses += 1;
        }
        position.map(|position| self.store().at(position))
    }

    /// Where the key is, counted as a hit or a miss.
    #[inline]
    fn locate_counted(&mut self, key: &Key<'_>) -> Option<Position> {
        let position = self.locate_to_read(key);
        if position.is_some() {
            self.keyspace.counters.hits += 1;
        } else {
            self.keyspace.counters.misses += 1;
            self.keyspace.notify(self.index, key.bytes, event::KEYMISS);
        }
        position
    }

    /// The record at `position`, used now.
    #[inline]
    fn note_use(&mut self, position: Position) -> RecordRef<'_> {
        let keyspace = &mut *self.keyspace;
        let record = keyspace.stores[self.index].at(position);
        let before = record.access();
        let after = keyspace.access.touch(
            before,
            keyspace.access_now,
            keyspace.now_ms,
            &mut keyspace.random,
        );
        if before != after {
            record.set_access(after);
        }
        record
    }

    /// Whether the key exists; counted as a read that is no use of the value.
    pub fn exists(&mut self, key: &Key<'_>) -> bool {
        self.inspect(key).is_some()
    }

    /// Notes a use of the key, under CLIENT NO-TOUCH too; whether it exists. Counted as a read.
    pub fn touch(&mut self, key: &Key<'_>) -> bool {
        let touch = std::mem::replace(&mut self.touch, true);
        let exists = self.look_up(key).is_some();
        self.touch = touch;
        exists
    }

    /// Keys, those included whose deadline has passed and that nobody has looked at since.
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Whether it has no keys.
    pub fn is_empty(&self) -> bool {
        self.store().is_empty()
    }

    /// The key's value, if it has the type.
    #[inline]
    pub fn read<T: Typed>(&mut self, key: &Key<'_>) -> Result<Option<T::Ref<'_>>, WrongType> {
        let found = self.locate_counted(key);
        let Some(position) = found.and_then(|position| self.settled::<T>(key, position)) else {
            return Ok(None);
        };
        let record = if self.touch {
            self.note_use(position)
        } else {
            self.store().at(position)
        };
        T::view(record).map(Some).ok_or(WrongType)
    }

    /// The values of several keys at the same time, if each that is there has the type.
    pub fn read_all<T: Typed>(
        &mut self,
        keys: &[Key<'_>],
    ) -> Result<Vec<Option<T::Ref<'_>>>, WrongType> {
        if keys.len() > 1 {
            self.prefetch(keys);
        }
        for key in keys {
            self.read::<T>(key)?;
        }
        // What may go at a look has gone; expired keys are still there only while the data set stands still.
        let now_ms = self.keyspace.now_ms;
        let lives = |record: &RecordRef<'_>| record.deadline().is_none_or(|at| at >= now_ms);
        let view = |key| {
            let found = self.store().find(key).map(|(_, record)| record);
            found.filter(lives).and_then(T::view)
        };
        Ok(keys.iter().map(view).collect())
    }

    /// The value of a key that this command has read before, for commands that look at several at once: no use, no hit
    /// and no miss, and no expiry, which the first read has seen to.
    pub fn value(&self, key: &Key<'_>) -> Option<ValueRef<'_>> {
        self.store().find(key).map(|(_, record)| record.value())
    }

    /// Where a key found at `position` is once its value may be looked at; `None`: it went with its last member.
    #[inline]
    fn settled<T: Typed>(&mut self, key: &Key<'_>, position: Position) -> Option<Position> {
        if T::must_settle(self.store().at(position), self.keyspace.now_ms) {
            return self.settle(key);
        }
        Some(position)
    }

    /// Takes members that are due out of the key's value; where the key is then, if it still is. While the data set
    /// stands still they stay.
    #[cold]
    fn settle(&mut self, key: &Key<'_>) -> Option<Position> {
        if !self.keyspace.frozen {
            self.keyspace.expire_members_of(self.index, key);
        }
        self.store().find(key).map(|(position, _)| position)
    }

    /// The key's value, to be changed.
    pub fn edit<'a, T: Typed>(
        &'a mut self,
        key: &Key<'a>,
    ) -> Result<Option<T::Edit<'a>>, WrongType> {
        let Some(position) = self.locate_typed::<T>(key)? else {
            return Ok(None);
        };
        Ok(Some(T::edit(
            self.keyspace,
            self.index,
            *key,
            Some(position),
        )))
    }

    /// The key's value, to be changed; an empty one if there is none. A collection comes into being when the change is
    /// announced.
    pub fn edit_or_create<'a, T: Typed>(
        &'a mut self,
        key: &Key<'a>,
    ) -> Result<T::Edit<'a>, WrongType> {
        let position = self.locate_typed::<T>(key)?;
        Ok(T::edit(self.keyspace, self.index, *key, position))
    }

    /// Where the key of a value that will be changed is; used now.
    #[inline]
    fn locate_typed<T: Typed>(&mut self, key: &Key<'_>) -> Result<Option<Position>, WrongType> {
        let Some(position) = self.locate(key) else {
            return Ok(None);
        };
        if !T::is_type_of(self.store().at(position)) {
            return Err(WrongType);
        }
        let Some(position) = self.settled::<T>(key, position) else {
            return Ok(None);
        };
        if self.touch {
            self.note_use(position);
        }
        Ok(Some(position))
    }

    /// Gives the key a collection, whatever it held; an empty one deletes the key. One change.
    pub fn put_collection<T: Collection>(
        &mut self,
        key: &Key<'_>,
        mut value: T,
        deadline: Deadline,
        event: Event,
    ) {
        if value.is_empty() {
            self.remove(key, event::DEL);
            return;
        }
        self.replace(key, kept_form(&mut value), deadline);
        self.keyspace.changed(self.index, key.bytes, event);
    }

    /// Gives the key a string, whatever it held. The caller announces the change.
    #[inline]
    pub fn put<'a>(
        &'a mut self,
        key: &Key<'a>,
        value: NewString<'_>,
        deadline: Deadline,
    ) -> StringEdit<'a> {
        let position = self.replace(key, value.into(), deadline);
        StringEdit::new(self.keyspace, self.index, *key, position, true)
    }

    /// Gives the key any value, whatever it held.
    #[inline]
    fn replace(&mut self, key: &Key<'_>, value: NewValue<'_>, deadline: Deadline) -> Position {
        let at = match deadline {
            Deadline::At(at) => Some(at),
            _ => None,
        };
        let Some(position) = self.locate(key) else {
            return self.keyspace.create(self.index, key, value, at);
        };
        let record = self.store().at(position);
        let at = if deadline == Deadline::Keep {
            record.deadline()
        } else {
            at
        };
        let access = match self.keyspace.access {
            super::access::AccessPolicy::Lru => self.keyspace.access_now,
            super::access::AccessPolicy::Lfu { .. } => record.access(),
        };
        let remains = self.store_mut().set(position, value, at, access);
        self.keyspace.discard(remains);
        position
    }

    /// Deletes the key; whether it was there. `lazy`: a big value is freed on the helper thread.
    pub fn remove(&mut self, key: &Key<'_>, event: Event) -> bool {
        let Some(position) = self.locate(key) else {
            return false;
        };
        let remains = self.store_mut().remove(position, key.hash);
        self.keyspace.discard(remains);
        self.keyspace.changed(self.index, key.bytes, event);
        true
    }

    /// When the key expires; the outer `None`: there is no such key. Not counted as a use.
    pub fn deadline(&mut self, key: &Key<'_>) -> Option<Option<i64>> {
        self.peek(key).map(|record| record.deadline())
    }

    /// Sets or clears the deadline of a key that exists; whether it does.
    pub fn set_deadline(&mut self, key: &Key<'_>, deadline: Option<i64>) -> bool {
        self.set_deadline_if(key, deadline, |_| true)
    }

    /// The same for a key whose present deadline `allows` it.
    pub fn set_deadline_if(
        &mut self,
        key: &Key<'_>,
        deadline: Option<i64>,
        allows: impl FnOnce(Option<i64>) -> bool,
    ) -> bool {
        let Some(position) = self.locate(key) else {
            return false;
        };
        if !allows(self.store().at(position).deadline()) {
            return false;
        }
        self.store_mut().set_deadline(position, deadline);
        let event = if deadline.is_some() {
            event::EXPIRE
        } else {
            event::PERSIST
        };
        self.keyspace.changed(self.index, key.bytes, event);
        true
    }

    /// Moves a value with its deadline and its memory of use to another key, perhaps of another database: one change,
    /// announced as the `left` of the old key and the `arrived` of the new one, whose value is replaced. Whether there
    /// was such a key. The two must not be the same.
    pub fn relocate(
        &mut self,
        key: &Key<'_>,
        to: (usize, &Key<'_>),
        left: Event,
        arrived: Event,
    ) -> bool {
        let (db, new_key) = to;
        let Some(position) = self.locate(key) else {
            return false;
        };
        let record = self.store().at(position);
        let (deadline, access) = (record.deadline(), record.access());
        let value = self.store_mut().take(position, key.hash);
        let mut target = self.other(db);
        if let Some(position) = target.locate(new_key) {
            let remains = target.store_mut().remove(position, new_key.hash);
            target.keyspace.discard(remains);
        }
        if let (Some(snapshot), OwnedValue::Boxed(object)) = (&mut target.keyspace.snapshot, &value)
        {
            snapshot.moved(std::ptr::from_ref(&**object).addr(), db, new_key.bytes);
        }
        let mut room = Vec::new();
        let value = value.into_new(&mut room);
        target.store_mut().insert(new_key, value, deadline, access);
        self.keyspace.notify(db, new_key.bytes, event::NEW);
        self.keyspace.touched(self.index, key.bytes, left);
        self.keyspace.changed(db, new_key.bytes, arrived);
        true
    }

    /// Gives a key that is not there a string without counting it as a change: it does not go into the propagation
    /// stream. Whether it was not there.
    pub fn plant(&mut self, key: &Key<'_>, value: NewString<'_>) -> bool {
        let is_new = self.locate(key).is_none();
        if is_new {
            self.keyspace.create(self.index, key, value.into(), None);
            self.keyspace.spoil(self.index, key.bytes, true);
        }
        is_new
    }

    /// Puts a value that came from another key, announced as `event`; what was there goes first, so that the key is new.
    pub fn give(&mut self, key: &Key<'_>, value: OwnedValue, deadline: Option<i64>, event: Event) {
        if let Some(position) = self.locate(key) {
            let remains = self.store_mut().remove(position, key.hash);
            self.keyspace.discard(remains);
        }
        let mut room = Vec::new();
        let value = value.into_new(&mut room);
        let deadline = deadline.map_or(Deadline::Clear, Deadline::At);
        self.replace(key, value, deadline);
        self.keyspace.changed(self.index, key.bytes, event);
    }

    /// A living key, each with the same probability.
    pub fn random_key(&mut self) -> Option<Vec<u8>> {
        loop {
            let name = {
                let keyspace = &mut *self.keyspace;
                keyspace.stores[self.index]
                    .random(&mut keyspace.random)?
                    .key()
                    .to_vec()
            };
            let key = self.key(&name);
            if self.locate(&key).is_some() {
                return Some(name);
            }
        }
    }

    /// Every key that has not expired, in no particular order.
    pub fn for_each(&self, mut visit: impl FnMut(RecordRef<'_>)) {
        let now_ms = self.keyspace.now_ms;
        self.store().for_each(|record| {
            if record.deadline().is_none_or(|deadline| deadline >= now_ms) {
                visit(record);
            }
        });
    }

    /// One step of an iteration; see [`crate::ds::table::Table::scan`]. Keys whose deadline has passed are deleted.
    pub fn scan(&mut self, cursor: u64, mut visit: impl FnMut(RecordRef<'_>)) -> u64 {
        let now_ms = self.keyspace.now_ms;
        let mut expired = Vec::new();
        let next = self.store().scan(cursor, |record| match record.deadline() {
            Some(deadline) if deadline < now_ms => expired.push(record.key().to_vec()),
            _ => visit(record),
        });
        for name in expired {
            let key = self.key(&name);
            self.locate(&key);
        }
        next
    }
}
