//! The elements of a large collection by name: members of a set, fields of a hash, members of a sorted set.
//!
//! ```text
//! record  [ head 1 | name length 4 (where head says 127) | deadline 8, heap place 4 (only with a deadline) | score 8
//!           (sorted sets) | name | value length 1 (255: 4 more), value (hashes) ]
//! head    bit 7: has a deadline; bits 0-6: the name's length, 127: in the 4 bytes that follow
//! ```
//! A record is one allocation of exactly that many bytes from the global allocator (medium collections share its pages,
//! and a large one is freed on another thread), named by a slot of a [`Table`] and, with a deadline, by the item of an
//! expiry heap. What differs between the three is the [`Kind`].
//!
//! Invariants: a record is in the table, and with a deadline in the heap, from its creation to its removal; both name its
//! current address. Only `&mut Members` moves, changes or frees one, and what is handed out borrows the whole. Content
//! changes only behind the table's `change` and `replace`, so that a walk has had the content of before.

use super::expiry_heap::{ExpiryHeap, Located};
use super::table::{Iter, Position, Sink, Slot, Table, prefetch};
use crate::base::hash::Hasher;
use crate::base::random::Random;
use std::alloc::{Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

const HAS_DEADLINE: u8 = 0x80;
/// A length in the head that says: it is in the 4 bytes that follow.
const LONG_NAME: u8 = 0x7f;
/// A value's length byte that says the same.
const LONG_VALUE: u8 = 0xff;
const DEADLINE_BYTES: usize = 12;
/// Look-ups whose cache misses overlap.
const PREFETCH_MAX: usize = 64;

/// A member's name with its hash, computed once for all collections that are asked.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// The name.
    pub bytes: &'a [u8],
    /// Its hash under the keyspace's secret.
    pub hash: u64,
}

impl<'a> Name<'a> {
    /// The name with its hash.
    #[inline]
    pub fn new(bytes: &'a [u8], hasher: &Hasher) -> Self {
        Self {
            bytes,
            hash: hasher.hash(bytes),
        }
    }
}

/// What a member has besides its name.
pub trait Kind: 'static {
    /// The value as it is read and written.
    type Value<'a>: Copy;
    /// Bytes that stand before the name.
    const FIXED_BYTES: usize;
    /// Bytes that stand after the name.
    fn tail_bytes(value: Self::Value<'_>) -> usize;
    /// Writes what stands before the name, and what stands after it.
    fn write(fixed: &mut [u8], tail: &mut [u8], value: Self::Value<'_>);
    /// Reads it; `tail` starts where the name ends and has at least [`Kind::told_tail_bytes`].
    fn read<'a>(fixed: &'a [u8], tail: &'a [u8]) -> Self::Value<'a>;
    /// How long the tail is, from its first bytes: `head(n)` gives `n` of them.
    fn told_tail_bytes(head: impl Fn(usize) -> [u8; 5]) -> usize;
}

/// Members of a set: a name and no more.
#[derive(Debug)]
pub struct NameOnly;
/// Fields of a hash: a name and a value.
#[derive(Debug)]
pub struct WithValue;
/// Members of a sorted set: a name and a score.
#[derive(Debug)]
pub struct WithScore;

impl Kind for NameOnly {
    type Value<'a> = ();
    const FIXED_BYTES: usize = 0;
    #[inline]
    fn tail_bytes((): ()) -> usize {
        0
    }
    #[inline]
    fn write(_: &mut [u8], _: &mut [u8], (): ()) {}
    #[inline]
    fn read<'a>(_: &'a [u8], _: &'a [u8]) {}
    #[inline]
    fn told_tail_bytes(_: impl Fn(usize) -> [u8; 5]) -> usize {
        0
    }
}

impl Kind for WithScore {
    type Value<'a> = f64;
    const FIXED_BYTES: usize = 8;
    #[inline]
    fn tail_bytes(_: f64) -> usize {
        0
    }
    #[inline]
    fn write(fixed: &mut [u8], _: &mut [u8], score: f64) {
        fixed.copy_from_slice(&score.to_le_bytes());
    }
    #[inline]
    fn read(fixed: &[u8], _: &[u8]) -> f64 {
        fixed
            .first_chunk()
            .map_or(0.0, |bytes| f64::from_le_bytes(*bytes))
    }
    #[inline]
    fn told_tail_bytes(_: impl Fn(usize) -> [u8; 5]) -> usize {
        0
    }
}

impl Kind for WithValue {
    type Value<'a> = &'a [u8];
    const FIXED_BYTES: usize = 0;
    #[inline]
    fn tail_bytes(value: &[u8]) -> usize {
        value.len()
            + if value.len() < LONG_VALUE as usize {
                1
            } else {
                5
            }
    }
    #[inline]
    fn write(_: &mut [u8], tail: &mut [u8], value: &[u8]) {
        let (head, bytes) = tail.split_at_mut(tail.len() - value.len());
        match head {
            [length] => *length = value.len() as u8,
            [mark, length @ ..] => {
                *mark = LONG_VALUE;
                length.copy_from_slice(&(value.len() as u32).to_le_bytes());
            }
            [] => unreachable!("a value has a length"),
        }
        bytes.copy_from_slice(value);
    }
    #[inline]
    fn read<'a>(_: &'a [u8], tail: &'a [u8]) -> &'a [u8] {
        match tail {
            [LONG_VALUE, _, _, _, _, value @ ..] => value,
            [_, value @ ..] => value,
            [] => unreachable!("a value has a length"),
        }
    }
    #[inline]
    fn told_tail_bytes(head: impl Fn(usize) -> [u8; 5]) -> usize {
        match head(1) {
            [LONG_VALUE, ..] => {
                let [_, a, b, c, d] = head(5);
                5 + u32::from_le_bytes([a, b, c, d]) as usize
            }
            [length, ..] => 1 + usize::from(length),
        }
    }
}

/// The address of a member's record.
pub(in crate::ds) struct Handle<K>(NonNull<u8>, PhantomData<K>);

impl<K> Clone for Handle<K> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Handle<K> {}
impl<K> PartialEq for Handle<K> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K: Kind> Handle<K> {
    #[inline]
    fn bytes<'a>(self, at: usize, length: usize) -> &'a [u8] {
        // SAFETY: callers stay inside the record, as its header tells; `MemberRef` ties the lifetime to the owner.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), length) }
    }

    #[inline]
    fn bytes_mut<'a>(self, at: usize, length: usize) -> &'a mut [u8] {
        // SAFETY: as in `bytes`; callers hold `&mut Members` and one such slice at a time.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(at), length) }
    }

    #[inline]
    fn array<const N: usize>(self, at: usize) -> [u8; N] {
        // SAFETY: as in `bytes`; an array of bytes needs no alignment.
        unsafe { self.0.as_ptr().add(at).cast::<[u8; N]>().read() }
    }

    #[inline]
    fn head(self) -> u8 {
        self.array::<1>(0)[0]
    }

    #[inline]
    fn has_deadline(self) -> bool {
        self.head() & HAS_DEADLINE != 0
    }

    /// The name's length, and where what follows the length begins.
    #[inline]
    fn name_length(self) -> (usize, usize) {
        match self.head() & !HAS_DEADLINE {
            LONG_NAME => (u32::from_le_bytes(self.array(1)) as usize, 5),
            short => (usize::from(short), 1),
        }
    }

    /// Where the fixed part begins, where the name begins, and where it ends.
    #[inline]
    fn spans(self) -> (usize, usize, usize) {
        let (length, at) = self.name_length();
        let fixed = if self.has_deadline() {
            at + DEADLINE_BYTES
        } else {
            at
        };
        let name = fixed + K::FIXED_BYTES;
        (fixed, name, name + length)
    }

    #[inline]
    pub(in crate::ds) fn name<'a>(self) -> &'a [u8] {
        let (_, start, end) = self.spans();
        self.bytes(start, end - start)
    }

    #[inline]
    fn tail_bytes(self, at: usize) -> usize {
        K::told_tail_bytes(|count| {
            let mut head = [0; 5];
            head[..count].copy_from_slice(self.bytes(at, count));
            head
        })
    }

    #[inline]
    fn value<'a>(self) -> K::Value<'a> {
        let (fixed, name, end) = self.spans();
        K::read(
            self.bytes(fixed, name - fixed),
            self.bytes(end, self.tail_bytes(end)),
        )
    }

    fn bytes_total(self) -> usize {
        let (_, _, end) = self.spans();
        end + self.tail_bytes(end)
    }

    #[inline]
    fn deadline(self) -> Option<i64> {
        self.has_deadline()
            .then(|| i64::from_le_bytes(self.array(self.name_length().1)))
    }

    fn place(self) -> u32 {
        u32::from_le_bytes(self.array(self.name_length().1 + 8))
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, 1).expect("a member is far smaller than isize::MAX")
    }

    fn create(name: &[u8], value: K::Value<'_>, deadline: Option<i64>) -> Self {
        let long = name.len() >= LONG_NAME as usize;
        let deadline_at = if long { 5 } else { 1 };
        let fixed = deadline_at + deadline.map_or(0, |_| DEADLINE_BYTES);
        let start = fixed + K::FIXED_BYTES;
        let end = start + name.len();
        let total = end + K::tail_bytes(value);
        let layout = Self::layout(total);
        // SAFETY: the size is not zero: there is a head.
        let memory = NonNull::new(unsafe { std::alloc::alloc(layout) })
            .unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: fresh memory of `total` bytes, written here before anything is read.
        unsafe { memory.as_ptr().write_bytes(0, start) };
        let handle = Self(memory, PhantomData);
        let mark = if deadline.is_some() { HAS_DEADLINE } else { 0 };
        if long {
            let length = u32::try_from(name.len()).expect("a word is at most 512 MiB");
            handle
                .bytes_mut(1, 4)
                .copy_from_slice(&length.to_le_bytes());
        }
        let short = if long { LONG_NAME } else { name.len() as u8 };
        handle.bytes_mut(0, 1).copy_from_slice(&[mark | short]);
        if let Some(deadline) = deadline {
            let bytes = handle.bytes_mut(deadline_at, 8);
            bytes.copy_from_slice(&deadline.to_le_bytes());
        }
        // SAFETY: the name and the tail lie inside the allocation, and `name` outside of it.
        unsafe {
            let to = memory.as_ptr().add(start);
            to.copy_from_nonoverlapping(name.as_ptr(), name.len());
            to.add(name.len()).write_bytes(0, total - end);
        }
        K::write(
            handle.bytes_mut(fixed, K::FIXED_BYTES),
            handle.bytes_mut(end, total - end),
            value,
        );
        handle
    }

    /// Frees the record.
    ///
    /// # Safety
    /// Nothing names it any more.
    // SAFETY: the contract is the caller's, stated above.
    unsafe fn free(self) {
        let layout = Self::layout(self.bytes_total());
        // SAFETY: `create` allocated it with this layout.
        unsafe { std::alloc::dealloc(self.0.as_ptr(), layout) };
    }
}

impl<K: Kind> Slot for Handle<K> {
    #[inline]
    fn bits(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }
    // SAFETY: the trait's contract: the bits are of a record that lives, so they are not zero.
    #[inline]
    unsafe fn from_bits(bits: u64) -> Self {
        let address = std::ptr::with_exposed_provenance_mut(bits as usize);
        // SAFETY: see above.
        Self(unsafe { NonNull::new_unchecked(address) }, PhantomData)
    }
    #[inline]
    fn hash(self, hasher: &Hasher) -> u64 {
        hasher.hash(self.name())
    }
    #[inline]
    fn prefetch(self) {
        prefetch(self.0.as_ptr());
        prefetch(self.0.as_ptr().wrapping_add(48));
    }
}

impl<K: Kind> Located for Handle<K> {
    #[inline]
    fn set_place(self, place: u32) {
        let at = self.name_length().1 + 8;
        self.bytes_mut(at, 4).copy_from_slice(&place.to_le_bytes());
    }
}

/// A member that is being read; it borrows the collection.
pub struct MemberRef<'a, K> {
    handle: Handle<K>,
    owner: PhantomData<&'a ()>,
}

impl<K> Clone for MemberRef<'_, K> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for MemberRef<'_, K> {}

impl<'a, K: Kind> MemberRef<'a, K> {
    #[inline]
    pub(in crate::ds) fn new(handle: Handle<K>) -> Self {
        Self {
            handle,
            owner: PhantomData,
        }
    }

    /// The record, for structures beside the table that are kept in step with it.
    #[inline]
    pub(in crate::ds) fn handle(self) -> Handle<K> {
        self.handle
    }

    /// The member's name.
    #[inline]
    pub fn name(self) -> &'a [u8] {
        self.handle.name()
    }

    /// What it has besides its name.
    #[inline]
    pub fn value(self) -> K::Value<'a> {
        self.handle.value()
    }

    /// When it expires, in Unix milliseconds.
    #[inline]
    pub fn deadline(self) -> Option<i64> {
        self.handle.deadline()
    }

    /// Whether it is there at `now_ms`: it lives through the millisecond of its deadline.
    #[inline]
    pub fn lives(self, now_ms: i64) -> bool {
        self.deadline().is_none_or(|deadline| deadline >= now_ms)
    }
}

/// See the head of the file.
pub struct Members<K: Kind> {
    table: Table<Handle<K>>,
    expiring: ExpiryHeap<Handle<K>>,
    hasher: Hasher,
    record_bytes: usize,
}

// SAFETY: the records belong to the table alone, and handles lead nowhere else.
unsafe impl<K: Kind> Send for Members<K> {}

impl<K: Kind> Members<K> {
    /// An empty collection under the keyspace's hash secret.
    pub fn new(hasher: Hasher) -> Self {
        Self {
            table: Table::new(hasher, false),
            expiring: ExpiryHeap::new(),
            hasher,
            record_bytes: 0,
        }
    }

    /// The name with its hash.
    #[inline]
    pub fn name<'a>(&self, bytes: &'a [u8]) -> Name<'a> {
        Name::new(bytes, &self.hasher)
    }

    /// The hash under which names are kept.
    pub fn hasher(&self) -> Hasher {
        self.hasher
    }

    /// Members, those included whose deadline has passed.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Members with a deadline.
    pub fn expiring(&self) -> usize {
        self.expiring.len()
    }

    /// Bytes of records, table and heap.
    pub fn heap_bytes(&self) -> usize {
        self.record_bytes + self.table.heap_bytes() + self.expiring.heap_bytes()
    }

    /// The member of this name, and where it is until the next change.
    #[inline]
    pub fn find(&self, name: &Name<'_>) -> Option<(Position, MemberRef<'_, K>)> {
        self.table
            .find(name.hash, |handle| handle.name() == name.bytes)
            .map(|(position, handle)| (position, MemberRef::new(handle)))
    }

    /// The member of this name.
    #[inline]
    pub fn get(&self, name: &Name<'_>) -> Option<MemberRef<'_, K>> {
        self.find(name).map(|(_, member)| member)
    }

    /// Adds a member that is not there.
    #[inline]
    pub fn insert(
        &mut self,
        name: &Name<'_>,
        value: K::Value<'_>,
        deadline: Option<i64>,
    ) -> MemberRef<'_, K> {
        let handle = Handle::create(name.bytes, value, deadline);
        self.record_bytes += handle.bytes_total();
        self.table.insert(name.hash, handle);
        if let Some(deadline) = deadline {
            self.expiring.push(deadline, handle);
        }
        MemberRef::new(handle)
    }

    /// Gives the member at `position` another value; its deadline stays. The record moves if the size changes.
    #[inline]
    pub fn set(&mut self, position: Position, value: K::Value<'_>) -> MemberRef<'_, K> {
        let old = self.table.change(position);
        let (fixed, name, end) = old.spans();
        let tail = old.tail_bytes(end);
        if tail == K::tail_bytes(value) {
            K::write(
                old.bytes_mut(fixed, name - fixed),
                old.bytes_mut(end, tail),
                value,
            );
            return MemberRef::new(old);
        }
        let new = Handle::create(old.name(), value, old.deadline());
        self.exchange(position, old, new);
        MemberRef::new(new)
    }

    /// Sets or clears the deadline of the member at `position`; its record may move.
    pub fn set_deadline(&mut self, position: Position, deadline: Option<i64>) -> MemberRef<'_, K> {
        let old = self.table.change(position);
        match (old.has_deadline(), deadline) {
            (false, None) => MemberRef::new(old),
            (true, Some(deadline)) => {
                let at = old.name_length().1;
                let bytes = old.bytes_mut(at, 8);
                bytes.copy_from_slice(&deadline.to_le_bytes());
                self.expiring.update(old.place(), deadline);
                MemberRef::new(old)
            }
            _ => {
                let new = Handle::create(old.name(), old.value(), deadline);
                self.exchange(position, old, new);
                MemberRef::new(new)
            }
        }
    }

    /// Puts `new` in the place of `old` in table and heap, and frees `old`.
    fn exchange(&mut self, position: Position, old: Handle<K>, new: Handle<K>) {
        self.table.replace(position, new);
        self.record_bytes += new.bytes_total();
        self.record_bytes -= old.bytes_total();
        let place = old.has_deadline().then(|| old.place());
        match (place, new.deadline()) {
            (Some(place), Some(deadline)) => {
                self.expiring.rename(place, new);
                self.expiring.update(place, deadline);
            }
            (Some(place), None) => self.expiring.remove(place),
            (None, Some(deadline)) => self.expiring.push(deadline, new),
            (None, None) => {}
        }
        // SAFETY: table and heap name the new record now.
        unsafe { old.free() };
    }

    /// Takes the member at `position`, whose name has the hash `hash`, out.
    #[inline]
    pub fn remove(&mut self, position: Position, hash: u64) {
        let handle = self.table.remove(position, hash);
        self.record_bytes -= handle.bytes_total();
        if handle.has_deadline() {
            self.expiring.remove(handle.place());
        }
        // SAFETY: the table and the heap have forgotten it.
        unsafe { handle.free() };
    }

    /// The member that expires first, and when.
    #[inline]
    pub fn first_expiring(&self) -> Option<(i64, MemberRef<'_, K>)> {
        self.expiring
            .first()
            .map(|(deadline, handle)| (deadline, MemberRef::new(handle)))
    }

    /// Takes out the member that expires first and tells its name, if its deadline is before `now_ms`; whether it was.
    pub fn expire_first(&mut self, now_ms: i64, gone: &mut dyn FnMut(&[u8])) -> bool {
        let Some((_, member)) = self
            .first_expiring()
            .filter(|(deadline, _)| *deadline < now_ms)
        else {
            return false;
        };
        gone(member.name());
        let name = self.name(member.name());
        let (hash, found) = (name.hash, self.find(&name));
        let (position, _) = found.expect("a member in the heap is in the table");
        self.remove(position, hash);
        true
    }

    /// Every member, in the order of hashes; the records of the bucket ahead are asked for.
    pub fn iter(&self) -> MembersIter<'_, K> {
        MembersIter(self.table.iter())
    }

    /// One step of an iteration; see [`Table::scan`].
    pub fn scan<'a>(&'a self, cursor: u64, mut visit: impl FnMut(MemberRef<'a, K>)) -> u64 {
        self.table
            .scan(cursor, |handle| visit(MemberRef::new(handle)))
    }

    /// A member, each with the same probability.
    pub fn random(&self, random: &mut Random) -> Option<MemberRef<'_, K>> {
        self.table.random(random).map(MemberRef::new)
    }

    /// Asks for the cache lines of several members at once: their look-ups will not wait for one another.
    pub fn prefetch(&self, hashes: impl Iterator<Item = u64> + Clone) {
        hashes
            .clone()
            .take(PREFETCH_MAX)
            .for_each(|hash| self.table.prefetch_segment(hash));
        let mut ahead = [None; PREFETCH_MAX];
        for (ahead, hash) in ahead.iter_mut().zip(hashes) {
            *ahead = self.table.prefetch_bucket(hash);
        }
        ahead.iter_mut().flatten().for_each(|look_up| {
            look_up.prefetch_records();
        });
    }

    /// Asks for the line in which a look-up of `hash` starts, before it is known whether it will be made.
    #[inline]
    pub fn prefetch_segment(&self, hash: u64) {
        self.table.prefetch_segment(hash);
    }

    /// Starts a point-in-time walk; see [`Table::begin_walk`].
    pub fn begin_walk(&mut self, mut sink: impl FnMut(MemberRef<'_, K>) + Send + 'static) {
        let sink: Sink<Handle<K>> = Box::new(move |handle| sink(MemberRef::new(handle)));
        self.table.begin_walk(sink);
    }

    /// Goes on with the walk for up to `buckets` buckets; whether it is complete.
    pub fn walk(&mut self, buckets: usize) -> bool {
        self.table.walk(buckets)
    }

    /// An equal collection that shares nothing.
    pub fn copy(&self) -> Self {
        let mut copy = Self::new(self.hasher);
        for member in self.iter() {
            let name = copy.name(member.name());
            copy.insert(&name, member.value(), member.deadline());
        }
        copy
    }
}

/// Goes through all members, in the order of hashes.
pub struct MembersIter<'a, K: Kind>(Iter<'a, Handle<K>>);

impl<'a, K: Kind> Iterator for MembersIter<'a, K> {
    type Item = MemberRef<'a, K>;

    #[inline]
    fn next(&mut self) -> Option<MemberRef<'a, K>> {
        self.0.next().map(MemberRef::new)
    }
}

impl<K: Kind> std::fmt::Debug for Members<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Members({})", self.len())
    }
}

impl<K: Kind> Drop for Members<K> {
    fn drop(&mut self) {
        // SAFETY: the table forgets each record as it gives it out.
        self.table.drain(|handle| unsafe { handle.free() });
    }
}

#[cfg(test)]
mod tests;
