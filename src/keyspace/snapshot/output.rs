//! What the sinks of a snapshot write into: records in the order in which they come, and the collections that are walked on
//! their own.
//!
//! The bytes of a record stand together in the file, but those of an open collection come bit by bit while other records
//! come too. So the file has one writer at a time: while a collection is open, its bytes go out and those of all others
//! wait, the closed records in `main`, other open collections each in a run of its own. When it is complete, what waited
//! in `main` goes out, and then the next open collection has its turn.

use super::piece::{Part, Run};
use crate::keyspace::Garbage;
use crate::keyspace::access::AccessPolicy;
use crate::keyspace::entry::RecordRef;
use crate::rdb::{Edition, Encoder, opcode};
use crate::types::rdb::{Head, MemberDeadlines};
use crate::types::string::StringRef;
use crate::types::{ElementSink, Object, Type, Walked, Wanted};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A collection with more elements is walked on its own.
const WHOLE_MAX_ELEMENTS: usize = 128;
/// And so is one that takes more memory.
const WHOLE_MAX_BYTES: usize = 64 << 10;

/// Deadlines of members make a field when they take so many bytes: no step has to encode very many of them.
const DEADLINES_BYTES: usize = 16 << 10;

/// Locks what walks share with the keyspace. They take turns in one thread, so nobody ever waits; the lock is there
/// because a store may be dropped on another thread, and its walk with it.
pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a store is that is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// It is this database.
    Database(usize),
    /// It was flushed, and has this number in custody.
    Flushed(u64),
}

/// Where an open collection is.
pub(super) enum Place {
    /// The value of a key there.
    Key(Home, Box<[u8]>),
    /// Deleted: kept until it is walked.
    Custody(Box<Object>),
}

/// A collection that is walked on its own.
pub(super) struct Open {
    pub(super) place: Place,
    /// Where the object lies: it stays there whoever owns it.
    pub(super) address: usize,
    run: Arc<Mutex<Run>>,
    deadlines: Option<Arc<Mutex<Deadlines>>>,
}

/// Deadlines of members that have no place beside them: fields that follow the record.
struct Deadlines {
    key: Box<[u8]>,
    /// Those of the next field.
    field: MemberDeadlines,
    fields: Run,
}

impl Deadlines {
    fn add(&mut self, name: &[u8], deadline: i64) {
        self.field.add(name, deadline);
        if self.field.bytes() >= DEADLINES_BYTES {
            self.end_field();
        }
    }

    fn end_field(&mut self) {
        self.field.encode(&self.key, self.fields.tail());
        self.fields.settle();
    }
}

/// See the head of the file.
#[derive(Default)]
pub(super) struct Output {
    /// What is in the file's final order.
    out: Run,
    /// Closed records that wait for the open collection.
    main: Run,
    /// The database of the last record in `main`; `None`: the next one must say.
    selected: Option<usize>,
    /// Keys and keys with deadlines of each database, until they are written.
    sizes: Vec<Option<(usize, usize)>>,
    /// Open collections by the order in which they were opened; the bytes of the first go to `out`.
    open: BTreeMap<u64, Open>,
    by_address: HashMap<usize, u64>,
    opened: u64,
    /// How the use of keys is written, if it is.
    access: Option<(AccessPolicy, i64)>,
    edition: Edition,
    /// Where the stores are by now that were these databases at the beginning.
    pub(super) homes: Vec<Home>,
    /// Records that were taken.
    pub(super) keys: u64,
    /// Nobody wants the file any more: the walks go on only because they must end.
    pub(super) is_abandoned: bool,
}

impl Output {
    pub(super) fn new(
        sizes: impl Iterator<Item = (usize, usize)>,
        access: Option<(AccessPolicy, i64)>,
        edition: Edition,
    ) -> Self {
        let sizes: Vec<_> = sizes.map(Some).collect();
        Self {
            homes: (0..sizes.len()).map(Home::Database).collect(),
            sizes,
            access,
            edition,
            ..Self::default()
        }
    }

    /// Takes a record of a database; what else is wanted of its value. `shared` is this.
    pub(super) fn take(
        &mut self,
        db: usize,
        record: RecordRef<'_>,
        shared: &Arc<Mutex<Output>>,
    ) -> Option<Wanted> {
        if self.is_abandoned {
            return None;
        }
        self.keys += 1;
        if let Some(object) = record.object() {
            return self.take_object(db, record, object, shared);
        }
        self.select(db);
        let (to, value) = (self.main.tail(), record.value());
        put_head(to, record, value.rdb_kind(self.edition), self.access);
        value.save(to, self.edition);
        self.main.settle();
        None
    }

    fn take_object(
        &mut self,
        db: usize,
        record: RecordRef<'_>,
        object: &Object,
        shared: &Arc<Mutex<Output>>,
    ) -> Option<Wanted> {
        let (stored, access) = (object.stored(), self.access);
        let is_large = stored.len() > WHOLE_MAX_ELEMENTS || stored.heap_bytes() > WHOLE_MAX_BYTES;
        // Some deadlines have no place in the body.
        if stored.is_walkable() && (is_large || stored.first_deadline().is_some()) {
            return Some(Wanted::Elements(self.open(db, record, object)));
        }
        self.select(db);
        let (to, value, edition) = (self.main.tail(), record.value(), self.edition);
        put_head(to, record, value.rdb_kind(edition), access);
        if let Some(StringRef::Shared(bytes)) = record.string() {
            self.main.put(Part::String(bytes.clone()));
            return None;
        }
        // What is frozen is frozen as the current edition has it; lists are the same in all.
        let is_same = edition == Edition::Current || stored.type_of() == Type::List;
        if is_large && is_same && stored.is_freezable() {
            let shared = Arc::clone(shared);
            return Some(Wanted::Frozen(Box::new(move |frozen| {
                let frozen = frozen.map(Part::Frozen);
                lock(&shared).main.put_all(frozen);
            })));
        }
        value.save(to, edition);
        if stored.first_deadline().is_some() {
            let mut deadlines = MemberDeadlines::default();
            value.for_each_deadline_apart(edition, |name, at| deadlines.add(name, at));
            deadlines.encode(record.key(), to);
        }
        self.main.settle();
        None
    }

    /// Says in `main` which database the next record is of.
    fn select(&mut self, db: usize) {
        if self.selected != Some(db) {
            self.selected = Some(db);
            put_select(self.main.tail(), db, &mut self.sizes);
        }
    }

    /// Begins the bytes of a collection that is walked on its own.
    fn open(&mut self, db: usize, record: RecordRef<'_>, object: &Object) -> ElementSink {
        let stored = object.stored();
        let head = Head::of(
            stored.type_of(),
            stored.len(),
            stored.first_deadline(),
            self.edition,
        );
        let mut run = Run::default();
        put_select(run.tail(), db, &mut self.sizes);
        put_head(run.tail(), record, head.kind, self.access);
        head.encode(run.tail());
        let run = Arc::new(Mutex::new(run));
        let deadlines =
            (head.keeps_deadlines_apart() && stored.first_deadline().is_some()).then(|| {
                Deadlines {
                    key: record.key().into(),
                    field: MemberDeadlines::default(),
                    fields: Run::default(),
                }
            });
        let deadlines = deadlines.map(|deadlines| Arc::new(Mutex::new(deadlines)));
        let address = std::ptr::from_ref(object).addr();
        if self.open.is_empty() {
            self.settle_main();
        }
        let home = self.homes.get(db).copied().unwrap_or(Home::Database(db));
        self.opened += 1;
        self.by_address.insert(address, self.opened);
        let open = Open {
            place: Place::Key(home, record.key().into()),
            address,
            run: Arc::clone(&run),
            deadlines: deadlines.clone(),
        };
        self.open.insert(self.opened, open);
        sink_of_elements(head, run, deadlines)
    }

    /// What waited goes out; what comes next in `main` comes behind something else.
    fn settle_main(&mut self) {
        self.out.take_from(&mut self.main);
        self.selected = None;
    }

    /// The open collection whose turn it is.
    pub(super) fn first_open(&mut self) -> Option<(u64, &mut Open)> {
        let number = *self.open.first_key_value()?.0;
        self.open.get_mut(&number).map(|open| (number, open))
    }

    /// Lets the bytes go out that the open collection has got; `complete`: there are no more, and others have their turn.
    /// An object in custody comes back.
    pub(super) fn advance(&mut self, number: u64, complete: bool) -> Option<Box<Object>> {
        if let Some(open) = self.open.get(&number) {
            let mut run = lock(&open.run);
            if complete {
                self.out.take_from(&mut run);
            } else {
                self.out.take_complete_from(&mut run);
            }
        }
        let open = complete.then(|| self.open.remove(&number)).flatten()?;
        self.by_address.remove(&open.address);
        if !self.is_abandoned {
            if let Some(deadlines) = &open.deadlines {
                let mut deadlines = lock(deadlines);
                deadlines.end_field();
                self.out.take_from(&mut deadlines.fields);
            }
            self.settle_main();
        }
        match open.place {
            Place::Custody(object) => Some(object),
            _ => None,
        }
    }

    /// The open collection at this address.
    pub(super) fn open_at(&mut self, address: usize) -> Option<&mut Open> {
        let number = self.by_address.get(&address)?;
        self.open.get_mut(number)
    }

    /// Every open collection.
    pub(super) fn all_open(&mut self) -> impl Iterator<Item = &mut Open> {
        self.open.values_mut()
    }

    /// Parts that are complete; `all`: those too that are not.
    pub(super) fn take_parts(&mut self, all: bool) -> Vec<Part> {
        if self.open.is_empty() {
            self.out.take_complete_from(&mut self.main);
        }
        if all {
            self.settle_main();
        }
        self.out.take(all)
    }

    /// Bytes that wait here, about.
    pub(super) fn bytes(&self) -> usize {
        let open = self.open.values().map(|open| {
            let deadlines = open.deadlines.as_ref();
            let deadlines = deadlines.map_or(0, |deadlines| lock(deadlines).fields.bytes());
            lock(&open.run).bytes() + deadlines
        });
        self.out.bytes() + self.main.bytes() + open.sum::<usize>()
    }

    /// Nothing is written any more. The deleted objects that were kept come back.
    pub(super) fn abandon(&mut self) -> Vec<Garbage> {
        self.is_abandoned = true;
        self.out.abandon();
        self.main.abandon();
        let mut back = Vec::new();
        for (number, mut open) in std::mem::take(&mut self.open) {
            lock(&open.run).abandon();
            if let Place::Custody(object) = open.place {
                self.by_address.remove(&open.address);
                back.push(Garbage::Object(object));
                continue;
            }
            open.deadlines = None;
            self.open.insert(number, open);
        }
        back
    }
}

/// The elements of a collection go into its run as they come.
fn sink_of_elements(
    head: Head,
    run: Arc<Mutex<Run>>,
    deadlines: Option<Arc<Mutex<Deadlines>>>,
) -> ElementSink {
    Box::new(move |element: Walked<'_>| {
        let mut run = lock(&run);
        if run.is_dropped {
            return;
        }
        head.encode_element(element, run.tail());
        run.settle();
        if let (Some(deadlines), Some(deadline)) = (&deadlines, element.deadline) {
            lock(deadlines).add(element.name, deadline);
        }
    })
}

/// The database of what follows, with its sizes the first time.
fn put_select(to: &mut Encoder, db: usize, sizes: &mut [Option<(usize, usize)>]) {
    to.byte(opcode::SELECT_DB);
    to.length(db);
    if let Some((keys, expiring)) = sizes.get_mut(db).and_then(Option::take) {
        to.byte(opcode::RESIZE_DB);
        to.length(keys);
        to.length(expiring);
    }
}

/// What stands before a value: deadline, use, kind, key.
fn put_head(
    to: &mut Encoder,
    record: RecordRef<'_>,
    kind: u8,
    access: Option<(AccessPolicy, i64)>,
) {
    if let Some(deadline) = record.deadline() {
        to.byte(opcode::EXPIRE_MS);
        to.i64(deadline);
    }
    match access {
        Some((policy @ AccessPolicy::Lru, now_ms)) => {
            to.byte(opcode::IDLE);
            to.number(policy.idle_s(record.access(), now_ms));
        }
        Some((policy, now_ms)) => {
            to.byte(opcode::FREQ);
            to.byte(policy.frequency(record.access(), now_ms));
        }
        None => {}
    }
    to.byte(kind);
    to.string(record.key());
}
