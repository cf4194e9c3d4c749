//! Lists: short ones are one listpack, long ones a chain of them.
//!
//! A list becomes a chain before what is added would take it past the limit of a node, and one listpack again when what
//! was taken away leaves a single node of at most half that size: so it does not change back and forth.

pub(in crate::types) mod load;

use super::{
    Collection, FROZEN_PART_BYTES, Form, Frozen, Limits, Object, Scratch, Stored, Type, View, rdb,
};
use crate::ds::listpack::{Element, Pack, Sought};
use crate::ds::quicklist::{NodeLimits, Quicklist, Run, SharedPart};
use crate::rdb::Encoder;

pub use crate::ds::quicklist::{Part, Side, Value, Word};

/// Bytes of the largest node of a list whose limit is a number of elements.
const COUNTED_NODE_MAX_BYTES: usize = 8192;
/// Bytes of a node by the limits -1 to -5.
const NODE_MAX_BYTES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];

/// A list.
#[derive(Debug)]
pub enum List {
    /// A short one.
    Packed(Run),
    /// A long one.
    Quick(Box<Quicklist>),
}

/// A list that is being read.
#[derive(Clone, Copy, Debug)]
pub enum ListRef<'a> {
    /// A short one.
    Packed(Pack<'a>),
    /// A long one.
    Quick(&'a Quicklist),
}

impl Default for List {
    fn default() -> Self {
        Self::Packed(Run::default())
    }
}

/// The limits of a node under `list-max-listpack-size` and DEBUG QUICKLIST-PACKED-THRESHOLD.
#[inline]
fn node_limits(limits: &Limits) -> NodeLimits {
    let size = limits.list_max_listpack_size;
    let (max_bytes, max_len) = match size {
        0.. => (COUNTED_NODE_MAX_BYTES, size.max(1) as usize),
        _ => {
            let row = (size.unsigned_abs() as usize - 1).min(NODE_MAX_BYTES.len() - 1);
            (NODE_MAX_BYTES[row], usize::MAX)
        }
    };
    let large_min_bytes = match limits.list_packed_threshold {
        0 => max_bytes + 1,
        threshold => threshold as usize,
    };
    NodeLimits {
        max_bytes,
        max_len,
        large_min_bytes,
    }
}

impl List {
    /// A list of these words, in the encoding that fits it.
    pub fn of_words<'a>(words: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> Self {
        let mut list = Self::default();
        for word in words {
            list.expect(word.len(), 1, limits);
            list.push(Side::Back, word.into(), limits);
        }
        list
    }

    /// A list that was loaded as a chain, in the encoding that fits it.
    pub fn of_quicklist(list: Quicklist, limits: &Limits) -> Self {
        let nodes = node_limits(limits);
        let fits = |run: &Run| nodes.allow(run.pack_bytes(), run.len());
        let mut list = Box::new(list);
        if list.is_empty() {
            return Self::default();
        }
        match list
            .only_run()
            .is_some_and(fits)
            .then(|| list.take_only_run())
        {
            Some(Some(run)) => Self::Packed(run),
            _ => Self::Quick(list),
        }
    }

    /// Becomes a chain if so many words, of so many bytes together, are more than one listpack may have besides what is
    /// there.
    #[inline]
    pub fn expect(&mut self, word_bytes: usize, words: usize, limits: &Limits) {
        if let Self::Packed(run) = self
            && !node_limits(limits).allow(
                // Even an empty listpack has a header and an end.
                run.pack_bytes().max(Pack::EMPTY_BYTES) + word_bytes,
                run.len() + words,
            )
        {
            *self = Self::Quick(Box::new(Quicklist::of_run(std::mem::take(run))));
        }
    }

    /// Becomes one listpack again if little is left.
    fn relax(&mut self, limits: &Limits) {
        let Self::Quick(list) = self else {
            return;
        };
        let nodes = node_limits(limits);
        let is_small = |run: &Run| match limits.list_max_listpack_size {
            0.. => run.len() <= nodes.max_len / 2,
            _ => run.pack_bytes() <= nodes.max_bytes / 2,
        };
        if list.only_run().is_some_and(is_small)
            && let Some(run) = list.take_only_run()
        {
            *self = Self::Packed(run);
        }
    }

    /// Adds a word at one end. [`List::expect`] has been told of it.
    #[inline]
    pub fn push(&mut self, side: Side, word: Word<'_>, limits: &Limits) {
        match self {
            Self::Packed(run) => run.push(side, word.bytes),
            Self::Quick(list) => list.push(side, word, &node_limits(limits)),
        }
    }

    /// Takes out up to `count` elements at one end.
    #[inline]
    pub fn cut(&mut self, side: Side, count: usize, limits: &Limits) {
        match self {
            Self::Packed(run) => run.cut(side, count),
            Self::Quick(list) => {
                list.cut(side, count);
                if list.nodes() <= 1 {
                    self.relax(limits);
                }
            }
        }
    }

    /// Puts a word in the place of element `index`, which must be there.
    pub fn set(&mut self, index: usize, word: Word<'_>, limits: &Limits) {
        self.expect(word.bytes.len(), 1, limits);
        match self {
            Self::Packed(run) => {
                if let Some(at) = run.pack().nth(index).map(|item| item.at) {
                    run.replace(at, word.bytes);
                }
            }
            Self::Quick(list) => {
                list.set(index, word, &node_limits(limits));
                self.relax(limits);
            }
        }
    }

    /// Puts a word before element `index`, at the end if there is none.
    pub fn insert(&mut self, index: usize, word: Word<'_>, limits: &Limits) {
        self.expect(word.bytes.len(), 1, limits);
        match self {
            Self::Packed(run) => match run.pack().nth(index).map(|item| item.at) {
                Some(at) => run.insert(at, word.bytes),
                None => run.push(Side::Back, word.bytes),
            },
            Self::Quick(list) => list.insert(index, word, &node_limits(limits)),
        }
    }

    /// Takes out up to `max` elements that equal `word`, those nearest to one end; how many.
    pub fn remove_equal(&mut self, word: &[u8], from: Side, max: usize, limits: &Limits) -> usize {
        match self {
            Self::Packed(run) => run.remove_equal(&Sought::new(word), from, max),
            Self::Quick(list) => {
                let removed = list.remove_equal(word, from, max, &node_limits(limits));
                self.relax(limits);
                removed
            }
        }
    }

    /// Keeps `count` elements from `start` on; there must be so many.
    pub fn trim(&mut self, start: usize, count: usize, limits: &Limits) {
        let len = Stored::len(self);
        self.cut(Side::Back, len.saturating_sub(start + count), limits);
        self.cut(Side::Front, start, limits);
    }
}

impl<'a> ListRef<'a> {
    /// Element `index`.
    #[inline]
    pub fn get(self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Packed(pack) => pack.nth(index).map(|item| Value::Packed(item.element)),
            Self::Quick(list) => list.get(index),
        }
    }

    /// The element at one end.
    #[inline]
    pub fn end(self, side: Side) -> Option<Value<'a>> {
        match side {
            Side::Front => self.get(0),
            Side::Back => self.get(self.len().checked_sub(1)?),
        }
    }

    /// The elements from `index` on, node by node: each with the number of its first element that belongs to them.
    pub fn parts_from(self, index: usize) -> impl Iterator<Item = (Part<'a>, usize)> {
        let (pack, list) = match self {
            Self::Packed(pack) => (Some((Part::Packed(pack), index)), None),
            Self::Quick(list) => (None, Some(list)),
        };
        let parts = list
            .into_iter()
            .flat_map(move |list| list.parts_from(index));
        pack.into_iter().chain(parts)
    }

    /// All elements, from the first to the last.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        self.parts_from(0).flat_map(|(part, _)| part.values())
    }

    /// All elements, from the last to the first.
    pub fn iter_back(self) -> impl Iterator<Item = Value<'a>> {
        let (pack, list) = match self {
            Self::Packed(pack) => (Some(pack), None),
            Self::Quick(list) => (None, Some(list)),
        };
        let packed = pack.into_iter().flat_map(|pack| pack.iter().rev());
        packed
            .map(|item| Value::Packed(item.element))
            .chain(list.into_iter().flat_map(Quicklist::iter_back))
    }

    /// The number of the first element that equals `word`.
    pub fn position(self, word: &[u8]) -> Option<usize> {
        let sought = Sought::new(word);
        self.iter().position(|value| value.is(&sought))
    }
}

impl View for ListRef<'_> {
    fn encoding(self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
            Self::Quick(_) => "quicklist",
        }
    }

    #[inline]
    fn len(self) -> usize {
        match self {
            Self::Packed(pack) => pack.len(),
            Self::Quick(list) => list.len(),
        }
    }

    fn visit(self, _now_ms: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        let mut room = Vec::new();
        for value in self.iter() {
            visit(&[value.bytes(&mut room)]);
        }
    }
}

impl Stored for List {
    fn type_of(&self) -> Type {
        Type::List
    }

    #[inline]
    fn len(&self) -> usize {
        match self {
            Self::Packed(run) => run.len(),
            Self::Quick(list) => list.len(),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(run) => run.capacity(),
            Self::Quick(list) => size_of::<Quicklist>() + list.heap_bytes(),
        }
    }

    fn free_effort(&self) -> usize {
        match self {
            Self::Packed(_) => 1,
            Self::Quick(list) => list.nodes(),
        }
    }

    fn copy(&self) -> Object {
        Object::List(match self {
            Self::Packed(run) => Self::Packed(Run::of_pack(run.pack())),
            Self::Quick(list) => Self::Quick(list.clone()),
        })
    }

    fn is_freezable(&self) -> bool {
        matches!(self, Self::Quick(_))
    }

    fn freeze(&mut self) -> Option<Box<dyn Frozen>> {
        match self {
            Self::Packed(_) => None,
            Self::Quick(list) => Some(Box::new(FrozenList {
                nodes: list.share().into_iter(),
                begun: false,
            })),
        }
    }
}

/// A list on its way into a snapshot. Nodes are let go of as they are encoded.
struct FrozenList {
    nodes: std::vec::IntoIter<SharedPart>,
    begun: bool,
}

impl Frozen for FrozenList {
    fn encode(&mut self, to: &mut Encoder) -> bool {
        if !std::mem::replace(&mut self.begun, true) {
            to.length(self.nodes.len());
        }
        while to.len() < FROZEN_PART_BYTES {
            match self.nodes.next() {
                Some(node) => rdb::save_list_node(node.part(), to),
                None => return false,
            }
        }
        true
    }
}

impl Collection for List {
    const TYPE: Type = Type::List;
    type Ref<'a> = ListRef<'a>;

    #[inline]
    fn view(&self) -> ListRef<'_> {
        match self {
            Self::Packed(run) => ListRef::Packed(run.pack()),
            Self::Quick(list) => ListRef::Quick(list),
        }
    }

    #[inline]
    fn view_packed(_: Form, bytes: &[u8]) -> ListRef<'_> {
        ListRef::Packed(Pack::new(bytes))
    }

    #[inline]
    fn load(&mut self, _: Form, bytes: &[u8]) {
        let pack = Pack::new(bytes);
        match self {
            Self::Packed(run) => run.load(pack),
            Self::Quick(_) => {
                let mut run = Run::default();
                run.load(pack);
                *self = Self::Packed(run);
            }
        }
    }

    #[inline]
    fn packed(&self) -> Option<(Form, &[u8])> {
        match self {
            Self::Packed(run) => Some((Form::Listpack, run.pack().bytes())),
            Self::Quick(_) => None,
        }
    }

    fn shrink(&mut self) {
        match self {
            Self::Packed(run) => run.shrink_if_loose(),
            Self::Quick(list) => list.shrink(),
        }
    }

    fn of(object: &Object) -> Option<&Self> {
        match object {
            Object::List(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::List(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::List(self)
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.list
    }
}

/// A value that outlives the list that it comes from.
#[derive(Clone, Debug)]
pub enum OwnedValue {
    /// A number.
    Int(i64),
    /// Bytes of a listpack.
    Packed(Vec<u8>),
    /// One that stands alone, without a copy.
    Plain(bytes::Bytes),
}

impl OwnedValue {
    /// Calls `with` with the value as a word.
    pub fn as_word<R>(&self, with: impl FnOnce(Word<'_>) -> R) -> R {
        match self {
            Self::Int(value) => {
                let mut digits = super::string::Digits::default();
                with(
                    super::string::StringRef::Int(*value)
                        .bytes(&mut digits)
                        .into(),
                )
            }
            Self::Packed(bytes) => with(bytes.as_slice().into()),
            Self::Plain(bytes) => with(Word {
                bytes,
                shared: Some(bytes),
            }),
        }
    }
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Packed(Element::Int(value)) => Self::Int(value),
            Value::Packed(Element::Bytes(bytes)) => Self::Packed(bytes.to_vec()),
            Value::Plain(bytes) => Self::Plain(bytes.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::Hasher;

    fn limits(size: i32) -> Limits {
        Limits {
            list_max_listpack_size: size,
            ..Limits::new(Hasher::new(1, 2))
        }
    }

    fn encodings(list: &mut List, limits: &Limits) -> Vec<&'static str> {
        let mut seen = Vec::new();
        for _ in 0..40 {
            list.expect(10, 1, limits);
            list.push(Side::Back, b"0123456789"[..].into(), limits);
            seen.push(list.view().encoding());
        }
        while !list.is_empty() {
            list.cut(Side::Front, 1, limits);
            seen.push(list.view().encoding());
        }
        seen.dedup();
        seen
    }

    #[test]
    fn a_list_becomes_a_chain_at_the_limit_and_a_listpack_again_at_half_of_it() {
        let limits = limits(20);
        let mut list = List::default();
        assert_eq!(
            encodings(&mut list, &limits),
            ["listpack", "quicklist", "listpack"]
        );
        for _ in 0..21 {
            list.expect(1, 1, &limits);
            list.push(Side::Back, b"a"[..].into(), &limits);
        }
        assert_eq!(list.view().encoding(), "quicklist");
        list.cut(Side::Back, 10, &limits);
        assert_eq!(list.view().encoding(), "quicklist");
        list.cut(Side::Back, 1, &limits);
        assert_eq!(list.view().encoding(), "listpack");
    }

    #[test]
    fn both_encodings_agree_on_every_change() {
        for size in [-2, 1, 3, 64] {
            let limits = limits(size);
            let words = ["a", "b", "5", "a", "-7", "a"].map(str::as_bytes);
            let mut list = List::of_words(words, &limits);
            list.insert(1, b"new"[..].into(), &limits);
            list.set(0, b"first"[..].into(), &limits);
            assert_eq!(list.remove_equal(b"a", Side::Back, 1, &limits), 1);
            list.trim(0, 5, &limits);
            list.trim(1, 4, &limits);
            let mut room = Vec::new();
            let left: Vec<Vec<u8>> = list
                .view()
                .iter()
                .map(|value| value.bytes(&mut room).to_vec())
                .collect();
            assert_eq!(left, ["new", "b", "5", "a"].map(str::as_bytes), "{size}");
            let back = list.view().iter_back().count();
            assert_eq!((back, list.view().position(b"5")), (4, Some(2)));
        }
    }
}
