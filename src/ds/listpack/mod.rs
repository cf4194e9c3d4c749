//! Listpack: a sequence of short strings and integers in one run of bytes. Small collections are one of these.
//!
//! ```text
//! listpack  [ bytes in all u32 LE | elements u16 LE (65535: count them) | entries | 0xff ]
//! entry     [ encoding and data | back length: bytes before it, 7 bits a byte, read from its end ]
//! encoding  0xxxxxxx                    0 to 127
//!           10llllll  bytes             string of up to 63 bytes
//!           110xxxxx  1 byte            13-bit signed integer, high bits first
//!           1110llll  1 byte, bytes     string of up to 4095 bytes, length high bits first
//!           0xf0      u32 LE, bytes     longer string
//!           0xf1 to 0xf4                16-, 24-, 32-, 64-bit signed integer, LE
//! ```
//! The format is that of Redis 5 and later, byte for byte: it goes into RDB files and DUMP payloads as it is. No bytes
//! at all are an empty listpack too, so that an empty one needs no memory.
//!
//! [`Pack`] reads borrowed bytes, [`Listpack`] owns and changes them. An element is named by its offset, good until the
//! next change before it. Both trust their bytes (a lie panics): bytes from outside pass [`Pack::check`] first.

mod append;
mod entry;
mod foreign;

pub use append::Appender;
pub use entry::Element;
pub(in crate::ds) use entry::Encoded;
use entry::{back_length_bytes, decode, size_before};

pub(in crate::ds) const HEADER_BYTES: usize = 6;
pub(in crate::ds) const END: u8 = 0xff;
/// The largest number of elements that the header can tell.
const COUNT_UNKNOWN: u16 = u16::MAX;
/// No listpack grows beyond this, as in Redis: a collection is converted long before.
pub const LISTPACK_MAX_BYTES: usize = 1 << 30;

/// The header of a listpack of `bytes` with `len` elements.
#[inline]
pub(in crate::ds) fn header(bytes: u32, len: u32) -> [u8; HEADER_BYTES] {
    let count = u16::try_from(len).unwrap_or(COUNT_UNKNOWN);
    let ([a, b, c, d], [low, high]) = (bytes.to_le_bytes(), count.to_le_bytes());
    [a, b, c, d, low, high]
}

/// Bytes of the entry at `at`, its back length included.
#[inline]
pub(in crate::ds) fn entry_bytes_at(bytes: &[u8], at: usize) -> usize {
    let size = entry::size_of(bytes, at);
    size + back_length_bytes(size)
}

/// An element and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Offset in the listpack's bytes.
    pub at: usize,
    /// The element.
    pub element: Element<'a>,
}

/// Bytes that are no listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a listpack: {reason} at byte {at}")]
pub struct Corrupt {
    /// Where.
    pub at: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// A listpack that is being read. See the head of the file.
#[derive(Clone, Copy, Debug)]
pub struct Pack<'a>(&'a [u8]);

impl<'a> Pack<'a> {
    /// Bytes of a listpack without elements, header and end mark.
    pub const EMPTY_BYTES: usize = HEADER_BYTES + 1;

    /// The listpack in `bytes`, which came from a [`Listpack`] or were checked.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The listpack in bytes from outside, if every length in it is true.
    pub fn check(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let wrong = |at, reason| Err(Corrupt { at, reason });
        if bytes.len() <= HEADER_BYTES {
            return wrong(0, "too short");
        }
        let pack = Self(bytes);
        if pack.told_bytes() != bytes.len() {
            return wrong(0, "another length than told");
        }
        let (mut at, mut count) = (HEADER_BYTES, 0usize);
        while bytes.get(at).is_some_and(|byte| *byte != END) {
            let Some(size) = entry::checked_size(bytes, at) else {
                return wrong(at, "an element that is cut off or of no known encoding");
            };
            let back = back_length_bytes(size);
            if bytes.len() < at + size + back + 1
                || size_before(bytes, at + size + back) != Some(size)
            {
                return wrong(at + size, "a wrong back length");
            }
            at += size + back;
            count += 1;
        }
        if at + 1 != bytes.len() {
            return wrong(at, "no end mark in the last byte");
        }
        match pack.told_count() {
            COUNT_UNKNOWN => Ok(pack),
            told if usize::from(told) == count => Ok(pack),
            _ => wrong(4, "another count than told"),
        }
    }

    fn told_bytes(self) -> usize {
        match self.0 {
            [a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
            _ => 0,
        }
    }

    fn told_count(self) -> u16 {
        match self.0 {
            [_, _, _, _, low, high, ..] => u16::from_le_bytes([*low, *high]),
            _ => 0,
        }
    }

    /// The bytes, as RDB files have them; an empty listpack may have none.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Elements.
    #[inline]
    pub fn len(self) -> usize {
        match self.told_count() {
            COUNT_UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.len() <= HEADER_BYTES + 1
    }

    /// Where the entries end: the offset of the end mark.
    #[inline]
    fn end(self) -> usize {
        self.0.len().saturating_sub(1).max(HEADER_BYTES)
    }

    /// The elements from the first to the last; from both ends.
    #[inline]
    pub fn iter(self) -> Items<'a> {
        Items {
            bytes: self.0,
            front: HEADER_BYTES,
            back: self.end(),
        }
    }

    /// The elements from the one at `at` to the last.
    #[inline]
    pub fn iter_from(self, at: usize) -> Items<'a> {
        Items {
            bytes: self.0,
            front: at,
            back: self.end(),
        }
    }

    /// The elements from number `index` on, with what lies behind them.
    pub fn wide_from(self, index: usize) -> WideItems<'a> {
        WideItems {
            bytes: self.0,
            front: self.nth(index).map_or(self.end(), |item| item.at),
            back: self.end(),
        }
    }

    /// The elements before the one at `at`; from both ends.
    #[inline]
    pub fn iter_until(self, at: usize) -> Items<'a> {
        Items {
            bytes: self.0,
            front: HEADER_BYTES,
            back: at,
        }
    }

    /// Element number `index`, found from the nearer end.
    #[inline]
    pub fn nth(self, index: usize) -> Option<Item<'a>> {
        let len = self.len();
        if index >= len {
            return None;
        }
        if index <= len / 2 {
            self.iter().nth(index)
        } else {
            self.iter().nth_back(len - 1 - index)
        }
    }

    /// The first element.
    #[inline]
    pub fn first(self) -> Option<Item<'a>> {
        self.iter().next()
    }

    /// The last element.
    #[inline]
    pub fn last(self) -> Option<Item<'a>> {
        self.iter().next_back()
    }

    /// The element at `at`, an offset that this listpack gave.
    #[inline]
    pub fn get(self, at: usize) -> Element<'a> {
        decode(self.0, at).0
    }

    /// The element after the one at `at`.
    #[inline]
    pub fn next(self, at: usize) -> Option<Item<'a>> {
        self.iter_from(at).nth(1)
    }

    /// The element before the one at `at`.
    #[inline]
    pub fn previous(self, at: usize) -> Option<Item<'a>> {
        self.iter_until(at).next_back()
    }

    /// The first element that equals `word`, of every `stride`-th one (2: the keys of pairs).
    pub fn find(self, word: &[u8], stride: usize) -> Option<Item<'a>> {
        let wanted = Sought::new(word);
        let mut at = HEADER_BYTES;
        let end = self.end();
        while at < end {
            let (element, size) = decode(self.0, at);
            if wanted.is(element) {
                return Some(Item { at, element });
            }
            at += size + back_length_bytes(size);
            for _ in 1..stride {
                if at >= end {
                    return None;
                }
                let size = entry::size_of(self.0, at);
                at += size + back_length_bytes(size);
            }
        }
        None
    }
}

/// An element with what lies behind it in memory.
#[derive(Clone, Copy, Debug)]
pub enum WideElement<'a> {
    /// A number.
    Int(i64),
    /// Anything else.
    Bytes {
        /// All bytes of the listpack from the first one of the element on.
        from: &'a [u8],
        /// How many of them are the element's.
        length: usize,
    },
}

/// Goes through a listpack and shows what lies behind each element: short ones can be copied together with it, in one go
/// of a fixed size.
#[derive(Clone, Debug)]
pub struct WideItems<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Iterator for WideItems<'a> {
    type Item = WideElement<'a>;

    #[inline]
    fn next(&mut self) -> Option<WideElement<'a>> {
        let at = self.front;
        if at >= self.back {
            return None;
        }
        let first = self.bytes[at];
        if first & 0xc0 == 0x80 {
            let length = usize::from(first & 0x3f);
            self.front = at + length + 2;
            return Some(WideElement::Bytes {
                from: &self.bytes[at + 1..],
                length,
            });
        }
        let (element, size) = decode(self.bytes, at);
        self.front = at + size + back_length_bytes(size);
        Some(match element {
            Element::Int(value) => WideElement::Int(value),
            Element::Bytes(bytes) => WideElement::Bytes {
                from: &self.bytes[at + size - bytes.len()..],
                length: bytes.len(),
            },
        })
    }
}

/// A word that is compared with many elements: it is looked at once for being a number.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'w> {
    word: &'w [u8],
    number: Option<i64>,
}

impl<'w> Sought<'w> {
    /// Ready to be compared.
    #[inline]
    pub fn new(word: &'w [u8]) -> Self {
        Self {
            word,
            number: entry::number_of(word),
        }
    }

    /// Whether the element is this word.
    #[inline]
    pub fn is(&self, element: Element<'_>) -> bool {
        match element {
            Element::Bytes(bytes) => bytes == self.word,
            Element::Int(value) => self.number == Some(value),
        }
    }
}

/// Goes through a listpack from either end.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Items<'a> {
    /// Offset of the element that comes next from the front.
    #[inline]
    pub fn front(&self) -> usize {
        self.front
    }

    /// Offset behind the element that comes next from the back.
    #[inline]
    pub fn back(&self) -> usize {
        self.back
    }

    /// The same elements, but from the one at `at` on.
    #[inline]
    pub fn starting_at(mut self, at: usize) -> Self {
        self.front = at;
        self
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let at = self.front;
        if at >= self.back {
            return None;
        }
        let (element, size) = decode(self.bytes, at);
        self.front = at + size + back_length_bytes(size);
        Some(Item { at, element })
    }

    /// Passes over elements without looking at their content.
    #[inline]
    fn nth(&mut self, count: usize) -> Option<Item<'a>> {
        for _ in 0..count {
            if self.front >= self.back {
                return None;
            }
            let size = entry::size_of(self.bytes, self.front);
            self.front += size + back_length_bytes(size);
        }
        self.next()
    }
}

impl<'a> DoubleEndedIterator for Items<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let size =
            size_before(self.bytes, self.back).expect("a listpack of ours tells true back lengths");
        let at = self.back - size - back_length_bytes(size);
        self.back = at;
        Some(Item {
            at,
            element: decode(self.bytes, at).0,
        })
    }
}

/// A listpack of one's own. See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Listpack(Vec<u8>);

impl Listpack {
    /// An empty one, without memory.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty one in the memory of `bytes`.
    pub fn in_memory_of(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self(bytes)
    }

    /// Its memory, to be used for something else.
    pub fn into_memory(self) -> Vec<u8> {
        self.0
    }

    /// For reading.
    #[inline]
    pub fn pack(&self) -> Pack<'_> {
        Pack(&self.0)
    }

    /// Takes the content of `pack`, and keeps its own memory.
    #[inline]
    pub fn load(&mut self, pack: Pack<'_>) {
        self.0.clear();
        self.0.extend_from_slice(pack.0);
    }

    /// Bytes of memory that it holds.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Makes room for `bytes` more.
    pub fn reserve(&mut self, bytes: usize) {
        self.0.reserve(bytes);
    }

    /// Gives back memory that is not used. A copy does what the allocator may not: it likes to leave in its place what
    /// becomes less than twice as small.
    pub fn shrink(&mut self) {
        if self.0.capacity() > self.0.len() {
            self.0 = self.0.as_slice().into();
        }
    }

    /// Whether a word of `word_bytes` may be added without passing [`LISTPACK_MAX_BYTES`].
    pub fn has_room_for(&self, word_bytes: usize) -> bool {
        self.0.len() + word_bytes <= LISTPACK_MAX_BYTES
    }

    /// Adds a word at the end; a number in its shortest form is kept as one.
    #[inline]
    pub fn push_back(&mut self, word: &[u8]) {
        self.put(self.pack().end(), 0, Encoded::word(word), 1);
    }

    /// Adds a word at the beginning.
    #[inline]
    pub fn push_front(&mut self, word: &[u8]) {
        self.put(HEADER_BYTES, 0, Encoded::word(word), 1);
    }

    /// Adds a number at the end.
    #[inline]
    pub fn push_back_int(&mut self, value: i64) {
        self.put(self.pack().end(), 0, Encoded::int(value), 1);
    }

    /// Adds an element of this or another listpack at the end.
    #[inline]
    pub fn push_back_element(&mut self, element: Element<'_>) {
        self.put(self.pack().end(), 0, Encoded::element(element), 1);
    }

    /// Adds a word before the element at `at`.
    #[inline]
    pub fn insert(&mut self, at: usize, word: &[u8]) {
        self.put(at, 0, Encoded::word(word), 1);
    }

    /// Adds a number before the element at `at`.
    #[inline]
    pub fn insert_int(&mut self, at: usize, value: i64) {
        self.put(at, 0, Encoded::int(value), 1);
    }

    /// Where a new last element would stand: to [`Listpack::insert`] before the end.
    #[inline]
    pub fn end(&self) -> usize {
        self.pack().end()
    }

    /// Puts a word in the place of the element at `at`.
    #[inline]
    pub fn replace(&mut self, at: usize, word: &[u8]) {
        let size = entry::size_of(&self.0, at);
        self.put(at, size + back_length_bytes(size), Encoded::word(word), 0);
    }

    /// Puts a number in the place of the element at `at`.
    #[inline]
    pub fn replace_int(&mut self, at: usize, value: i64) {
        let size = entry::size_of(&self.0, at);
        self.put(at, size + back_length_bytes(size), Encoded::int(value), 0);
    }

    /// Takes out `count` elements from the one at `at` on, or as many as there are; how many it took.
    pub fn remove(&mut self, at: usize, count: usize) -> usize {
        let (mut to, end, mut taken) = (at, self.pack().end(), 0);
        while taken < count && to < end {
            let size = entry::size_of(&self.0, to);
            to += size + back_length_bytes(size);
            taken += 1;
        }
        let left = self.pack().len().saturating_sub(taken);
        self.0.drain(at.min(to)..to);
        self.write_header(left);
        taken
    }

    /// Takes out all elements before the one at `at`, of which there are `count`.
    pub fn remove_before(&mut self, at: usize, count: usize) {
        let left = self.pack().len().saturating_sub(count);
        self.0.drain(HEADER_BYTES..at);
        self.write_header(left);
    }

    /// Takes out the element at `at` and all after it; returns them as a listpack of their own.
    pub fn split_off(&mut self, at: usize) -> Listpack {
        let end = self.pack().end();
        let before = self.pack().iter_until(at).count();
        let after = self.pack().len() - before;
        let mut other = Listpack::new();
        other.start();
        other.0.truncate(HEADER_BYTES);
        other.0.extend_from_slice(&self.0[at..=end]);
        other.write_header(after);
        self.0.truncate(at);
        self.0.push(END);
        self.write_header(before);
        other
    }

    /// Adds all elements of `other` at the end.
    pub fn append(&mut self, other: Pack<'_>) {
        if other.is_empty() {
            return;
        }
        self.start();
        let len = self.pack().len() + other.len();
        self.0.pop();
        self.0.extend_from_slice(&other.0[HEADER_BYTES..]);
        self.write_header(len);
    }

    /// Takes out all elements.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn start(&mut self) {
        if self.0.is_empty() {
            self.0
                .extend_from_slice(&[HEADER_BYTES as u8 + 1, 0, 0, 0, 0, 0, END]);
        }
    }

    /// Puts an entry in the place of the `old` bytes at `at`; `added` elements more.
    #[inline]
    fn put(&mut self, at: usize, old: usize, entry: Encoded<'_>, added: usize) {
        self.start();
        let len = self.pack().len() + added;
        let new = entry.bytes();
        let before = self.0.len();
        if new > old {
            self.0.resize(before + new - old, 0);
        }
        if new != old {
            self.0.copy_within(at + old..before, at + new);
            self.0.truncate(before + new - old);
        }
        entry.write(&mut self.0[at..at + new]);
        self.write_header(len);
    }

    #[inline]
    fn write_header(&mut self, len: usize) {
        let bytes = u32::try_from(self.0.len()).expect("listpacks stay below LISTPACK_MAX_BYTES");
        let count = u16::try_from(len).unwrap_or(COUNT_UNKNOWN);
        if let Some(header) = self.0.first_chunk_mut::<HEADER_BYTES>() {
            let ([a, b, c, d], [low, high]) = (bytes.to_le_bytes(), count.to_le_bytes());
            *header = [a, b, c, d, low, high];
        }
    }
}

impl<W: AsRef<[u8]>> FromIterator<W> for Listpack {
    fn from_iter<I: IntoIterator<Item = W>>(words: I) -> Self {
        let mut listpack = Listpack::new();
        words
            .into_iter()
            .for_each(|word| listpack.push_back(word.as_ref()));
        listpack
    }
}

#[cfg(test)]
mod tests;
