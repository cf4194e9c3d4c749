//! One node of a stream: up to some hundred entries in a listpack, byte for byte as Redis has it.
//!
//! ```text
//! node    master entry...
//! master  live entries, deleted entries, number of fields, field..., 0
//! entry   flags, ms - first ms, seq - first seq, (value... | number of fields, (field, value)...), elements before this
//! flags   1: deleted, 2: the fields are those of the master, and are left out
//! ```
//! Each of these is an element of the listpack. A node is named by the id of its first entry, deleted or not; the
//! fields of that entry are the master's. No node is empty: who deletes its last live entry drops the node.

use super::NodeLimits;
use super::id::StreamId;
use super::shared::SharedPack;
use crate::ds::listpack::{Element, Items, Listpack, Pack, Sought};

/// The entry is deleted.
const DELETED: i64 = 1;
/// The entry has the fields of the master.
const SAME_FIELDS: i64 = 2;
/// Bytes that an entry takes at most besides those of its words: eleven for each of its own numbers.
const ENTRY_OVERHEAD_BYTES: usize = 55;
/// Bytes that a word of everyday length takes besides its own: a hint for reserving memory.
const WORD_OVERHEAD_BYTES: usize = 3;
/// Entries at the end of a node that are looked at before it is searched from its beginning.
const TAIL_STEPS: usize = 4;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The id of the first entry.
    pub(super) first: StreamId,
    pub(super) pack: SharedPack,
    /// Offset of an entry before which all are deleted; 0: not known.
    live_from: usize,
}

/// The numbers at the head of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) live: usize,
    pub(super) deleted: usize,
}

/// Where an entry stands in a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) id: StreamId,
    /// Offset of its flags.
    flags_at: usize,
    flags: i64,
}

impl Node {
    /// A node for an entry with these fields and values, in turn, still without it; with room for `bytes`.
    pub(super) fn new<'w>(
        first: StreamId,
        words: impl Iterator<Item = &'w [u8]> + Clone,
        bytes: usize,
    ) -> Self {
        let mut pack = Listpack::new();
        pack.reserve(bytes);
        let mut master = pack.append_many();
        master.push_int(0);
        master.push_int(0);
        master.push_int(as_i64(words.clone().count() / 2));
        words.step_by(2).for_each(|field| master.push(field));
        master.push_int(0);
        drop(master);
        Self {
            first,
            pack: SharedPack::Own(pack),
            live_from: 0,
        }
    }

    /// The node of an entry `first` and those after it in a listpack from outside that has been found to be one.
    pub(super) fn of_pack(first: StreamId, pack: Listpack) -> Self {
        Self {
            first,
            pack: SharedPack::Own(pack),
            live_from: 0,
        }
    }

    /// Whether another entry whose words have `bytes` in all goes into a new node.
    #[inline]
    pub(super) fn is_full(&self, bytes: usize, limits: &NodeLimits) -> bool {
        if self.pack.pack().bytes().len() + bytes >= limits.max_bytes {
            return true;
        }
        let counts = self.counts();
        counts.live + counts.deleted >= limits.max_entries
    }

    /// Adds an entry, whose id is larger than that of all others in the node. `words_bytes`: of all words together.
    #[inline]
    pub(super) fn append<'w>(
        &mut self,
        id: StreamId,
        words: impl Iterator<Item = &'w [u8]> + Clone,
        words_bytes: usize,
    ) {
        let count = words.clone().count();
        let same = self.has_fields(words.clone(), count / 2);
        self.pack
            .reserve(words_bytes + count * WORD_OVERHEAD_BYTES + ENTRY_OVERHEAD_BYTES);
        let mut entry = self.pack.append_many();
        entry.push_int(if same { SAME_FIELDS } else { 0 });
        // The differences wrap: Redis keeps them as signed 64-bit integers too.
        entry.push_int(id.ms.wrapping_sub(self.first.ms).cast_signed());
        entry.push_int(id.seq.wrapping_sub(self.first.seq).cast_signed());
        if same {
            words.skip(1).step_by(2).for_each(|value| entry.push(value));
            entry.push_int(as_i64(count / 2 + 3));
        } else {
            entry.push_int(as_i64(count / 2));
            words.for_each(|word| entry.push(word));
            entry.push_int(as_i64(count + 4));
        }
        drop(entry);
        let live = self.counts().live;
        self.set_head(0, live + 1);
    }

    /// Whether an entry with these words has the fields of the master.
    #[inline]
    fn has_fields<'w>(&self, words: impl Iterator<Item = &'w [u8]>, fields: usize) -> bool {
        let mut items = self.pack.pack().iter();
        let told = items.nth(2).map_or(0, |item| count_of(item.element));
        told == fields
            && words
                .step_by(2)
                .zip(items)
                .all(|(field, item)| Sought::new(field).is(item.element))
    }

    /// Live and deleted entries.
    #[inline]
    pub(super) fn counts(&self) -> Counts {
        let mut items = self.pack.pack().iter();
        let mut next = || items.next().map_or(0, |item| count_of(item.element));
        Counts {
            live: next(),
            deleted: next(),
        }
    }

    /// Sets number `index` of the head; all offsets behind it may move.
    #[inline]
    fn set_head(&mut self, index: usize, value: usize) {
        let before = self.pack.pack().bytes().len();
        let at = self.pack.pack().iter().nth(index).map(|item| item.at);
        if let Some(at) = at {
            self.pack.replace_int(at, as_i64(value));
        }
        if self.live_from != 0 {
            self.live_from = self.live_from + self.pack.pack().bytes().len() - before;
        }
    }

    /// Marks the entry at `place` as deleted; live entries that are left.
    pub(super) fn delete(&mut self, place: Place) -> usize {
        self.mark(place);
        let counts = self.counts();
        self.set_head(0, counts.live - 1);
        self.set_head(1, counts.deleted + 1);
        counts.live - 1
    }

    /// Sets the flag of an entry: it keeps its size, so that no offset moves.
    fn mark(&mut self, place: Place) {
        self.pack.replace_int(place.flags_at, place.flags | DELETED);
        let mut reader = Reader::new(self);
        if reader.items.front() == place.flags_at {
            reader.read_head();
            self.live_from = reader.position();
        }
    }

    /// Deletes live entries from the first on as long as `decide` says so: `None` ends it, `Some(false)` keeps an entry;
    /// how many it deleted.
    pub(super) fn delete_first(
        &mut self,
        mut decide: impl FnMut(StreamId) -> Option<bool>,
    ) -> usize {
        let mut deleted = 0;
        let mut at = None;
        loop {
            let mut reader = Reader::new(self);
            if let Some(at) = at {
                reader.items = reader.items.starting_at(at);
            }
            let Some(place) = reader.next() else { break };
            at = Some(reader.position());
            match decide(place.id) {
                None => break,
                Some(true) => {
                    self.mark(place);
                    deleted += 1;
                }
                Some(false) => {}
            }
        }
        let counts = self.counts();
        self.set_head(0, counts.live - deleted);
        self.set_head(1, counts.deleted + deleted);
        deleted
    }

    /// The live entry of that id.
    pub(super) fn find(&self, id: StreamId) -> Option<Place> {
        let mut reader = Reader::new(self);
        reader.seek(id);
        reader.next().filter(|place| place.id == id)
    }

    /// The id of the last entry, deleted or not.
    pub(super) fn last(&self) -> StreamId {
        let mut reader = Reader::new(self);
        reader.step_back().map_or(self.first, |place| place.id)
    }
}

/// Goes through the live entries of one node, from either end.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    first: StreamId,
    /// What was not seen yet; at the front begin `unread` elements of the entry seen last.
    items: Items<'a>,
    unread: usize,
    /// The fields of the master.
    fields: Items<'a>,
    field_count: usize,
    /// The words of the entry seen last: its values, or fields and values.
    words: Items<'a>,
    word_fields: usize,
    same_fields: bool,
    from_back: bool,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn new(node: &'a Node) -> Self {
        let pack: Pack<'a> = node.pack.pack();
        let mut items = pack.iter();
        let field_count = items.nth(2).map_or(0, |item| count_of(item.element));
        let fields = items.clone();
        if node.live_from == 0 {
            items.nth(field_count);
        } else {
            items = items.starting_at(node.live_from);
        }
        Self {
            first: node.first,
            words: items.clone(),
            items,
            unread: 0,
            fields,
            field_count,
            word_fields: 0,
            same_fields: false,
            from_back: false,
        }
    }

    /// The next live entry.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Place> {
        loop {
            self.pass();
            let place = self.read_head()?;
            if place.flags & DELETED == 0 {
                return Some(place);
            }
        }
    }

    /// The live entry before those seen from the back.
    #[inline]
    pub(super) fn next_back(&mut self) -> Option<Place> {
        loop {
            let place = self.step_back()?;
            if place.flags & DELETED == 0 {
                return Some(place);
            }
        }
    }

    /// Passes over what is left of the entry seen last.
    #[inline]
    fn pass(&mut self) {
        if self.unread > 0 {
            self.items.nth(self.unread - 1);
            self.unread = 0;
        }
    }

    /// Offset of the next entry from the front.
    fn position(&mut self) -> usize {
        self.pass();
        self.items.front()
    }

    /// The entry before those seen from the back, deleted or not.
    fn step_back(&mut self) -> Option<Place> {
        let whole = self.items.clone();
        let elements = count_of(self.items.next_back()?.element);
        let flags_at = self.items.nth_back(elements.checked_sub(1)?)?.at;
        let rest = std::mem::replace(&mut self.items, whole.starting_at(flags_at));
        let place = self.read_head();
        self.items = rest;
        self.unread = 0;
        self.from_back = true;
        place
    }

    /// Reads flags and id of the entry at the front.
    #[inline]
    fn read_head(&mut self) -> Option<Place> {
        let flags = self.items.next()?;
        let flags_at = flags.at;
        let flags = int_of(flags.element);
        let mut difference = || Some(int_of(self.items.next()?.element).cast_unsigned());
        let id = StreamId::new(
            self.first.ms.wrapping_add(difference()?),
            self.first.seq.wrapping_add(difference()?),
        );
        self.same_fields = flags & SAME_FIELDS != 0;
        self.word_fields = if self.same_fields {
            self.field_count
        } else {
            count_of(self.items.next()?.element)
        };
        self.words = self.items.clone();
        self.unread = self.word_fields * if self.same_fields { 1 } else { 2 } + 1;
        self.from_back = false;
        Some(Place {
            id,
            flags_at,
            flags,
        })
    }

    /// Fields of the entry seen last.
    #[inline]
    pub(super) fn word_fields(&self) -> usize {
        self.word_fields
    }

    /// Hands out the fields and values of the entry seen last.
    #[inline]
    pub(super) fn for_each_pair(&mut self, mut visit: impl FnMut(Element<'a>, Element<'a>)) {
        let mut words = self.words.clone();
        let mut fields = self.fields.clone();
        for _ in 0..self.word_fields {
            let field = if self.same_fields {
                fields.next()
            } else {
                words.next()
            };
            if let (Some(field), Some(value)) = (field, words.next()) {
                visit(field.element, value.element);
            }
        }
        if !self.from_back {
            // The count of elements is left.
            self.items = words;
            self.unread = 1;
        }
    }

    /// Goes on with the first entry whose id is not below `from`, seen from the front. Near the end of the node that is
    /// found from the end: consumers mostly ask for what came last.
    pub(super) fn seek(&mut self, from: StreamId) {
        if from <= self.first {
            return;
        }
        let mut back = self.clone();
        for _ in 0..TAIL_STEPS {
            let end = back.items.back();
            match back.step_back() {
                Some(place) if place.id >= from => {}
                Some(_) => return self.items = self.items.clone().starting_at(end),
                None => return,
            }
        }
        loop {
            let here = self.position();
            match self.read_head() {
                Some(place) if place.id < from => {}
                _ => {
                    self.items = self.items.clone().starting_at(here);
                    self.unread = 0;
                    return;
                }
            }
        }
    }

    /// Leaves out the entries above `to`, seen from the back.
    pub(super) fn seek_back(&mut self, to: StreamId) {
        loop {
            let here = self.items.clone();
            match self.step_back() {
                Some(place) if place.id > to => {}
                _ => return self.items = here,
            }
        }
    }
}

#[inline]
fn int_of(element: Element<'_>) -> i64 {
    element.as_i64().unwrap_or(0)
}

#[inline]
fn count_of(element: Element<'_>) -> usize {
    usize::try_from(int_of(element)).unwrap_or(0)
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).expect("what lies in memory is counted by an i64")
}
