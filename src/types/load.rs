//! Values from the bytes of RDB files and DUMP payloads: every kind of versions 1 to 12, and of Valkey's dialect.
//!
//! Nothing is believed: each packed collection is checked to the last byte before it is kept, members must differ, scores
//! must be numbers. Which encoding a value has afterwards is decided by the [`Limits`], as it is when commands fill it.
//! What small values need while they are read is in a [`Room`] that is used again and again: a small collection or a
//! string takes no allocation here.

use super::{Collection, Form, Limits, Object, Stored, Type, hash, list, set, stream, zset};
use crate::base::hash::Hasher;
use crate::base::number::{self, Decimal};
use crate::ds::listpack::{Element, Listpack, Pack};
use crate::rdb::read::{ReadError, Reader, Text};
use crate::rdb::ziplist::Entry;
use crate::rdb::{VERSION_VALKEY, kind};
use bytes::Bytes;

/// Members whose look-ups overlap.
const GATHERED_MAX: usize = 64;
/// Bytes of gathered members after which no more are added.
const GATHERED_MAX_BYTES: usize = 64 << 10;
/// Bytes of a name that are shown in an error.
const SHOWN_MAX: usize = 64;

/// Whose numbers of kinds the bytes have, where two servers use the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Redis, and Valkey before 9.
    Redis,
    /// Valkey from 9 on.
    Valkey,
}

impl Dialect {
    /// The dialect of a payload of this version.
    pub fn of_version(version: u16) -> Self {
        match version {
            VERSION_VALKEY.. => Dialect::Valkey,
            _ => Dialect::Redis,
        }
    }
}

/// A value that has been read; small ones are borrowed from the [`Room`].
#[derive(Debug)]
pub enum Loaded<'r> {
    /// A collection without elements: the key is to be passed over.
    Empty,
    /// A number, as a string.
    Int(i64),
    /// A string that may look like a number.
    String(&'r [u8]),
    /// A small collection.
    Packed(Type, Form, &'r [u8]),
    /// Anything else.
    Boxed(Box<Object>),
}

impl Loaded<'_> {
    /// A long string, shared with the replies that carry it.
    pub fn shared(bytes: &[u8]) -> Self {
        let shared = Bytes::copy_from_slice(bytes);
        Loaded::Boxed(Box::new(Object::String(shared)))
    }
}

/// Memory for values that are being read.
#[derive(Debug, Default)]
pub struct Room {
    /// A blob, or the value of a field.
    pub(super) bytes: Vec<u8>,
    /// The name of a field.
    pub(super) name: Vec<u8>,
    hashes: Vec<u64>,
    /// Members that were gathered, one behind the other.
    text: Vec<u8>,
    /// Where each of them ends, and its score.
    ends: Vec<(usize, f64)>,
}

/// Reads the body of a value.
///
/// # Errors
/// Why the bytes are none, or the kind is none that this server knows.
pub fn load_value<'r>(
    of_kind: u8,
    dialect: Dialect,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    match of_kind {
        kind::STRING => string(from, room),
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => {
            list::load::load(of_kind, from, limits, room)
        }
        kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => {
            set::load::load(of_kind, from, limits, room)
        }
        kind::ZSET | kind::ZSET_2 | kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => {
            zset::load::load(of_kind, from, limits, room)
        }
        kind::HASH
        | kind::HASH_ZIPMAP
        | kind::HASH_ZIPLIST
        | kind::HASH_LISTPACK
        | kind::HASH_METADATA
        | kind::HASH_LISTPACK_EX => hash::load::load(of_kind, from, limits, room),
        kind::HASH_VALKEY if dialect == Dialect::Valkey => {
            hash::load::load(of_kind, from, limits, room)
        }
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 => {
            stream::load::load(of_kind, from).map(Loaded::Boxed)
        }
        kind::MODULE_2 => Err(module(from)),
        other => Err(from.corrupt("a kind of value", other)),
    }
}

/// Reads past the body of a stream, and checks it on the way.
///
/// # Errors
/// Why the bytes are none.
pub fn skip_stream(of_kind: u8, from: &mut Reader<'_>) -> Result<(), ReadError> {
    stream::load::load(of_kind, from).map(drop)
}

fn string<'r>(from: &mut Reader<'_>, room: &'r mut Room) -> Result<Loaded<'r>, ReadError> {
    Ok(match from.text()? {
        Text::Int(value) => Loaded::Int(value),
        Text::Bytes(bytes) if bytes.len() >= super::string::SHARED_MIN_BYTES => {
            Loaded::shared(bytes)
        }
        Text::Bytes(bytes) => {
            room.bytes.clear();
            room.bytes.extend_from_slice(bytes);
            Loaded::String(&room.bytes)
        }
    })
}

/// The refusal of a module's value, by the name of its type: nine characters of six bits each before ten of version.
pub(super) fn module(from: &mut Reader<'_>) -> ReadError {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let id = match from.number() {
        Ok(id) => id,
        Err(error) => return error,
    };
    let letter = |place: u32| LETTERS.get((id >> (10 + 6 * place) & 0x3f) as usize);
    let name: Vec<u8> = (0..9).rev().filter_map(letter).copied().collect();
    let name = String::from_utf8_lossy(&name).into_owned();
    from.corrupt(
        "a type of value that this server has",
        format_args!("the type '{name}' of a module"),
    )
}

/// The error that a member or field stands there a second time.
pub(super) fn twice(from: &Reader<'_>, name: &[u8]) -> ReadError {
    let shown = name.get(..SHOWN_MAX).unwrap_or(name).escape_ascii();
    from.corrupt(
        "each element once",
        format_args!("\"{shown}\" a second time"),
    )
}

/// A word as listpacks keep it: a number in its shortest form is one.
pub(super) fn element_of(word: &[u8]) -> Element<'_> {
    match number::parse_i64(word) {
        Some(value) => Element::Int(value),
        None => Element::Bytes(word),
    }
}

/// An element of a ziplist as a word.
pub(super) fn with_word<R>(entry: Entry<'_>, with: impl FnOnce(&[u8]) -> R) -> R {
    match entry {
        Entry::Int(value) => with(Decimal::new(value).bytes()),
        Entry::Bytes(bytes) => with(bytes),
    }
}

/// The value that was filled: packed if it is small.
pub(super) fn finish<T: Collection>(mut value: T, room: &mut Room) -> Loaded<'_> {
    if Stored::is_empty(&value) {
        return Loaded::Empty;
    }
    value.shrink();
    let packed = value.packed().map(|(form, bytes)| {
        room.bytes.clear();
        room.bytes.extend_from_slice(bytes);
        form
    });
    match packed {
        Some(form) => Loaded::Packed(T::TYPE, form, &room.bytes),
        None => Loaded::Boxed(Box::new(value.into_object())),
    }
}

impl Room {
    /// Reads a string into [`Self::bytes`].
    pub(super) fn take_blob(&mut self, from: &mut Reader<'_>) -> Result<(), ReadError> {
        self.bytes.clear();
        self.bytes.extend_from_slice(from.string()?);
        Ok(())
    }

    /// Reads a listpack into [`Self::bytes`], whose elements come in groups of `stride`; how many groups there are.
    pub(super) fn take_listpack(
        &mut self,
        from: &mut Reader<'_>,
        stride: usize,
    ) -> Result<usize, ReadError> {
        self.take_blob(from)?;
        let pack = Listpack::of_foreign(std::mem::take(&mut self.bytes));
        self.bytes = pack
            .map_err(|error| from.corrupt("a listpack", error))?
            .into_memory();
        let len = Pack::new(&self.bytes).len();
        if !len.is_multiple_of(stride) {
            let found = format_args!("{len} elements");
            return Err(from.corrupt("a listpack of whole groups", found));
        }
        Ok(len / stride)
    }

    /// The listpack that was read.
    pub(super) fn pack(&self) -> Pack<'_> {
        Pack::new(&self.bytes)
    }

    /// The first elements of the groups of the listpack that was read must differ.
    pub(super) fn check_unique(
        &mut self,
        from: &Reader<'_>,
        hasher: &Hasher,
        stride: usize,
    ) -> Result<(), ReadError> {
        let pack = Pack::new(&self.bytes);
        self.hashes.clear();
        for item in pack.iter().step_by(stride) {
            self.hashes
                .push(hasher.hash(item.element.bytes(&mut self.name)));
        }
        self.hashes.sort_unstable();
        if self.hashes.is_sorted_by(|one, next| one < next) {
            return Ok(());
        }
        // Two equal hashes are two equal names, but for a chance that nobody will live to see.
        for item in pack.iter().step_by(stride) {
            let word = item.element.bytes(&mut self.name);
            let mut same = pack.iter().step_by(stride);
            let is_same = |other: &Element<'_>| match other {
                Element::Int(value) => Decimal::new(*value).bytes() == word,
                Element::Bytes(bytes) => *bytes == word,
            };
            if same.find(|other| is_same(&other.element)).map(|it| it.at) != Some(item.at) {
                let shown = word.get(..SHOWN_MAX).unwrap_or(word).escape_ascii();
                let found = format_args!("a listpack with dup elements: \"{shown}\"");
                return Err(from.corrupt("each element once", found));
            }
        }
        Ok(())
    }

    /// Forgets what was gathered.
    pub(super) fn begin_gathering(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Gathers a member with a score.
    pub(super) fn gather(&mut self, name: &[u8], score: f64) {
        self.text.extend_from_slice(name);
        self.ends.push((self.text.len(), score));
    }

    /// Gathers the next string.
    pub(super) fn gather_name(&mut self, from: &mut Reader<'_>) -> Result<(), ReadError> {
        self.text.extend_from_slice(from.string()?);
        self.ends.push((self.text.len(), 0.0));
        Ok(())
    }

    /// Gives the member that was gathered last a score.
    pub(super) fn score_last(&mut self, score: f64) {
        if let Some(last) = self.ends.last_mut() {
            last.1 = score;
        }
    }

    /// Whether enough members are gathered for their look-ups to overlap.
    pub(super) fn is_full(&self) -> bool {
        self.ends.len() >= GATHERED_MAX || self.text.len() >= GATHERED_MAX_BYTES
    }

    /// Members that were gathered.
    pub(super) fn gathered(&self) -> usize {
        self.ends.len()
    }

    /// The members that were gathered.
    pub(super) fn members(&self) -> impl ExactSizeIterator<Item = (&[u8], f64)> + Clone {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        // The chain is one longer than the ends; `zip` stops there, and `take` knows its length.
        Members {
            starts,
            ends: self.ends.iter(),
            text: &self.text,
        }
    }
}

/// Goes through what was gathered.
#[derive(Clone)]
struct Members<'r, S> {
    starts: S,
    ends: std::slice::Iter<'r, (usize, f64)>,
    text: &'r [u8],
}

impl<'r, S: Iterator<Item = usize>> Iterator for Members<'r, S> {
    type Item = (&'r [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        let (end, score) = self.ends.next()?;
        let name = self.text.get(self.starts.next()?..*end)?;
        Some((name, *score))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ends.size_hint()
    }
}

impl<S: Iterator<Item = usize>> ExactSizeIterator for Members<'_, S> {}
