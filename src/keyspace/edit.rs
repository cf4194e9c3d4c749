//! A value that is being changed, and the announcement of the change: the funnel that every change of content goes
//! through.
//!
//! A small collection lies packed in the record of its key. Its [`Edit`] loads it into a scratch value that the keyspace
//! keeps, and [`Edit::changed`] writes it back: into the record while it is small, behind a box once it is not (or has
//! another encoding), and there it stays. A key that is not there yet comes into being with the announcement; a
//! collection that has become empty goes with it.

use super::Keyspace;
use super::entry::{INLINE_MAX_BYTES, Key, NewValue, Position, RecordRef};
use super::event::{self, Event};
use crate::types::string::{NewString, StringRef};
use crate::types::{Collection, Limits};
use std::marker::PhantomData;

/// Where the value is while it is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Packed in the record of its key.
    Record,
    /// In the keyspace's scratch value.
    Scratch,
    /// In an object behind the record.
    Object,
}

/// A collection that is being changed. See the head of the file.
#[must_use = "a change is announced with `changed`"]
pub struct Edit<'a, T> {
    keyspace: &'a mut Keyspace,
    db: usize,
    key: Key<'a>,
    /// Where the key is; `None`: it is made when the change is announced.
    position: Option<Position>,
    place: Place,
    /// When the first member expires, as the store knows it.
    due: Option<i64>,
    changed: bool,
    /// Whether it was published that the key came into being.
    announced_new: bool,
    value: PhantomData<T>,
}

impl<'a, T: Collection> Edit<'a, T> {
    #[inline]
    pub(in crate::keyspace) fn new(
        keyspace: &'a mut Keyspace,
        db: usize,
        key: Key<'a>,
        position: Option<Position>,
    ) -> Self {
        let (mut place, mut due) = (Place::Scratch, None);
        match position {
            None => T::scratch(&mut keyspace.scratch).load(crate::types::Form::Listpack, &[]),
            Some(position) => match keyspace.stores[db].at(position).object() {
                None => place = Place::Record,
                Some(object) => {
                    place = Place::Object;
                    due = object.stored().first_deadline();
                }
            },
        }
        Self {
            keyspace,
            db,
            key,
            position,
            place,
            due,
            changed: false,
            announced_new: false,
            value: PhantomData,
        }
    }

    fn record(&self) -> RecordRef<'_> {
        let position = self.position.expect("a value outside scratch has a key");
        self.keyspace.stores[self.db].at(position)
    }

    /// Whether the key is not there yet.
    pub fn is_new(&self) -> bool {
        self.position.is_none()
    }

    /// The key.
    pub fn key(&self) -> Key<'a> {
        self.key
    }

    /// The value as it is.
    #[inline]
    pub fn view(&mut self) -> T::Ref<'_> {
        match self.place {
            Place::Scratch => T::scratch(&mut self.keyspace.scratch).view(),
            Place::Record | Place::Object => self
                .record()
                .collection::<T>()
                .expect("the type was checked"),
        }
    }

    /// The value, to be changed, and the limits that hold for it. From now on the change must be announced.
    #[inline]
    pub fn parts(&mut self) -> (&mut T, &Limits) {
        self.changed = true;
        let keyspace = &mut *self.keyspace;
        if let (Place::Record, Some(position)) = (self.place, self.position) {
            let (form, bytes) = keyspace.stores[self.db]
                .at(position)
                .packed()
                .expect("a collection without an object is packed");
            T::scratch(&mut keyspace.scratch).load(form, bytes);
            self.place = Place::Scratch;
        }
        let value = match (self.place, self.position) {
            (Place::Object, Some(position)) => keyspace.stores[self.db]
                .object_mut(position)
                .and_then(T::of_mut)
                .expect("the type was checked"),
            _ => T::scratch(&mut keyspace.scratch),
        };
        (value, &keyspace.limits)
    }

    /// The value, to be changed. From now on the change must be announced.
    #[inline]
    pub fn value(&mut self) -> &mut T {
        self.parts().0
    }

    /// The value was lent for a change that was none after all: nothing is written back and nothing announced.
    pub fn unchanged(mut self) {
        self.changed = false;
    }

    /// When the key expires.
    pub fn deadline(&self) -> Option<i64> {
        self.position?;
        self.record().deadline()
    }

    /// Another event of the same change: it is published, and counts no second time.
    pub fn also(&mut self, event: Event) {
        self.announce_new();
        self.keyspace.notify(self.db, self.key.bytes, event);
    }

    /// That a key came into being is published before what happened to it.
    #[inline]
    fn announce_new(&mut self) {
        if self.position.is_none() && !self.announced_new {
            self.announced_new = true;
            self.keyspace.notify(self.db, self.key.bytes, event::NEW);
        }
    }

    /// Announces the change; a collection that became empty is removed.
    #[inline]
    pub fn changed(mut self, event: Event) {
        self.changed = false;
        let (db, key) = (self.db, self.key);
        let is_empty = self.write_back();
        if !is_empty {
            self.announce_new();
        }
        self.keyspace.changed(db, key.bytes, event);
        if let Some(position) = self.position.filter(|_| is_empty) {
            let remains = self.keyspace.stores[db].remove(position, key.hash);
            self.keyspace.discard(remains);
            self.keyspace.notify(db, key.bytes, event::DEL);
        }
    }

    /// Announces a change of what only its readers among themselves know (a consumer has acknowledged an entry): it counts
    /// and is propagated, but nobody who waits for the key or watches it is told, and no event is published.
    pub fn counted(mut self) {
        self.changed = false;
        self.write_back();
        self.keyspace.add_dirty(1);
    }

    /// Puts the value where it belongs; whether it is empty, and then nothing is written.
    fn write_back(&mut self) -> bool {
        let (db, key) = (self.db, self.key);
        match self.place {
            Place::Record => false,
            Place::Object => {
                let stored = self.record().object().map(|object| object.stored());
                let (is_empty, due) = stored.map_or((true, None), |stored| {
                    (stored.is_empty(), stored.first_deadline())
                });
                self.keyspace.stores[db].reschedule_members(key.bytes, self.due, due);
                is_empty
            }
            Place::Scratch => self.store_scratch(),
        }
    }

    fn store_scratch(&mut self) -> bool {
        let keyspace = &mut *self.keyspace;
        let value = T::scratch(&mut keyspace.scratch);
        if value.is_empty() {
            return true;
        }
        let new = kept_form(value);
        let store = &mut keyspace.stores[self.db];
        match self.position {
            None => {
                store.insert(&self.key, new, None, keyspace.access_now);
            }
            Some(position) => {
                let record = store.at(position);
                let (deadline, access) = (record.deadline(), record.access());
                store.set(position, new, deadline, access);
            }
        }
        false
    }
}

/// How a collection is kept: packed in the record of its key while it is small, else behind a box, and then nothing is
/// left in `value`.
pub(in crate::keyspace) fn kept_form<T: Collection>(value: &mut T) -> NewValue<'_> {
    let is_small = value
        .packed()
        .is_some_and(|(_, bytes)| bytes.len() <= INLINE_MAX_BYTES);
    if !is_small {
        value.shrink();
        return NewValue::Boxed(Box::new(std::mem::take(value).into_object()));
    }
    match value.packed() {
        Some((form, bytes)) => NewValue::Packed(T::TYPE, form, bytes),
        None => unreachable!("what is small is packed"),
    }
}

impl<T> Drop for Edit<'_, T> {
    #[inline]
    fn drop(&mut self) {
        assert_announced(self.changed);
    }
}

/// A string that is being changed. See the head of the file.
#[must_use = "a change is announced with `changed`"]
pub struct StringEdit<'a> {
    keyspace: &'a mut Keyspace,
    db: usize,
    key: Key<'a>,
    position: Position,
    changed: bool,
}

impl<'a> StringEdit<'a> {
    #[inline]
    pub(in crate::keyspace) fn new(
        keyspace: &'a mut Keyspace,
        db: usize,
        key: Key<'a>,
        position: Position,
        changed: bool,
    ) -> Self {
        Self {
            keyspace,
            db,
            key,
            position,
            changed,
        }
    }

    /// When the key expires.
    pub fn deadline(&self) -> Option<i64> {
        self.keyspace.stores[self.db].at(self.position).deadline()
    }

    /// Sets or clears the deadline; part of the change that will be announced.
    pub fn set_deadline(&mut self, deadline: Option<i64>) {
        self.changed = true;
        self.keyspace.stores[self.db].set_deadline(self.position, deadline);
    }

    /// Another event of the same change: it is published, and counts no second time.
    pub fn also(&mut self, event: Event) {
        self.keyspace.notify(self.db, self.key.bytes, event);
    }

    /// Announces the change.
    #[inline]
    pub fn changed(mut self, event: Event) {
        self.changed = false;
        self.keyspace.changed(self.db, self.key.bytes, event);
    }

    /// The string as it is.
    #[inline]
    pub fn string(&self) -> StringRef<'_> {
        self.keyspace.stores[self.db]
            .at(self.position)
            .string()
            .expect("the type was checked")
    }

    /// Replaces the string; the deadline stays.
    pub fn set(&mut self, value: NewString<'_>) {
        self.changed = true;
        let store = &mut self.keyspace.stores[self.db];
        let record = store.at(self.position);
        let (deadline, access) = (record.deadline(), record.access());
        let remains = store.set(self.position, value.into(), deadline, access);
        self.keyspace.discard(remains);
    }

    /// Makes the string `length` bytes long, filled up with zeros, and lends the bytes for changes.
    pub fn bytes_mut(&mut self, length: usize, edit: impl FnOnce(&mut [u8])) {
        self.changed = true;
        self.keyspace.stores[self.db].string_mut(self.position, length, edit);
    }

    /// The same for an `edit` that finds out only then whether anything changes, and says so; what it said. If nothing
    /// does, `length` must be that of the string, and there is nothing to announce.
    pub fn bytes_mut_if(&mut self, length: usize, edit: impl FnOnce(&mut [u8]) -> bool) -> bool {
        let mut changes = false;
        let store = &mut self.keyspace.stores[self.db];
        store.string_mut(self.position, length, |bytes| changes = edit(bytes));
        self.changed |= changes;
        changes
    }
}

impl Drop for StringEdit<'_> {
    #[inline]
    fn drop(&mut self) {
        assert_announced(self.changed);
    }
}

#[inline]
fn assert_announced(changed: bool) {
    debug_assert!(
        !changed || std::thread::panicking(),
        "a change was not announced"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Seeds;
    use crate::keyspace::db::Database;
    use crate::types::list::{List, ListRef, Side};
    use crate::types::{Type, View, WrongType};

    /// A list of any number of words, added at its end.
    fn push(db: &mut Database<'_>, key: &[u8], word: &[u8]) {
        let key = db.key(key);
        let mut edit = db.edit_or_create::<List>(&key).expect("a list");
        let (list, limits) = edit.parts();
        list.push(Side::Back, word.into(), limits);
        edit.changed(event::SET);
    }

    fn len(db: &mut Database<'_>, key: &[u8]) -> Option<usize> {
        let key = db.key(key);
        db.read::<List>(&key).expect("a list").map(ListRef::len)
    }

    #[test]
    fn a_small_collection_stays_in_its_record_and_a_large_one_does_not() {
        let mut keyspace = Keyspace::new(2, Seeds::fixed(1));
        let mut db = Database::new(&mut keyspace, 0, true);
        for count in 1..=200 {
            push(&mut db, b"key", b"element");
            assert_eq!(len(&mut db, b"key"), Some(count));
            let key = db.key(b"key");
            let record = db.peek(&key).expect("it is there");
            let packed_bytes = 7 + 9 * count;
            assert_eq!(record.object().is_some(), packed_bytes > INLINE_MAX_BYTES);
            assert_eq!(record.value().type_of(), Type::List);
        }
        let (key, other) = (db.key(b"key"), db.key(b"other"));
        assert!(db.relocate(&key, (1, &other), event::DEL, event::SET));
        assert_eq!(len(&mut db.other(1), b"other"), Some(200));
    }

    #[test]
    fn a_collection_comes_with_its_first_element_and_goes_with_its_last() {
        let mut keyspace = Keyspace::new(1, Seeds::fixed(1));
        let mut db = Database::new(&mut keyspace, 0, true);
        let key = db.key(b"key");
        drop(db.edit_or_create::<List>(&key).expect("no such key"));
        assert_eq!((db.len(), len(&mut db, b"key")), (0, None));
        push(&mut db, b"key", b"element");
        let mut edit = db.edit::<List>(&key).expect("a list").expect("a key");
        assert_eq!(edit.view().len(), 1);
        let (list, limits) = edit.parts();
        list.cut(Side::Front, 1, limits);
        edit.changed(event::DEL);
        assert_eq!((db.len(), len(&mut db, b"key")), (0, None));
    }

    #[test]
    fn a_key_of_another_type_is_refused() {
        let mut keyspace = Keyspace::new(1, Seeds::fixed(1));
        let mut db = Database::new(&mut keyspace, 0, true);
        push(&mut db, b"key", b"element");
        let key = db.key(b"key");
        assert_eq!(
            db.read::<crate::types::set::Set>(&key).err(),
            Some(WrongType)
        );
        assert!(db.edit::<crate::keyspace::db::Str>(&key).is_err());
    }
}
