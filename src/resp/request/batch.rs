//! Commands as the parser hands them over: words that point into the bytes they came in.
//!
//! A word is eight bytes: an offset and a length, or the number of a large bulk that was received on its own. The bytes
//! are those of the input, of the head (the buffer in which a command that came in pieces was put together) or of copies
//! (the unquoted ones of inline words; those of commands that wait in a transaction); one command's words all lie in the
//! same place. Nothing is allocated per command.

use bytes::Bytes;

use super::LARGE_BULK_MIN_BYTES;

/// Words a cleared batch keeps room for.
const WORDS_KEPT_MAX: usize = 16 * 1024;
/// Bytes of copied words a cleared batch keeps room for.
const COPIES_KEPT_MAX_BYTES: usize = 64 * 1024;
/// From here on the words of one buffer are kept apart, so that offsets never outgrow 32 bits.
pub(super) const OFFSETS_MAX_BYTES: usize = 1 << 30;

/// One word of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// First byte, or the number of the large bulk.
    offset: u32,
    /// Bytes, or `LARGE`.
    length: u32,
}

/// The length that marks a large bulk.
const LARGE: u32 = u32::MAX;

impl Word {
    /// A word in a buffer. Both numbers are below `OFFSETS_MAX_BYTES` plus one small bulk: every buffer is bounded so.
    #[inline(always)]
    pub(super) fn at(offset: usize, length: usize) -> Word {
        debug_assert!(
            offset <= 2 * OFFSETS_MAX_BYTES && length <= OFFSETS_MAX_BYTES,
            "the buffers of words are bounded"
        );
        Word {
            offset: offset as u32,
            length: length as u32,
        }
    }

    /// A word received as the large bulk of that number. A command has at most `i32::MAX` words.
    pub(super) fn large(number: usize) -> Word {
        Word {
            offset: number as u32,
            length: LARGE,
        }
    }

    /// The same word after `dropped` bytes before it went away.
    pub(super) fn moved_back(self, dropped: usize) -> Word {
        Word {
            offset: self.offset - dropped as u32,
            length: self.length,
        }
    }
}

/// Where the words of a command lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Input,
    Head,
    Copies,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    first: u32,
    count: u32,
    /// Input bytes up to and with this command.
    input_end: u32,
    source: Source,
}

/// The commands of one `parse`, for the caller to keep and use again.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) words: Vec<Word>,
    pub(super) copies: Vec<u8>,
    commands: Vec<Span>,
    larges: Vec<Bytes>,
    head: Vec<u8>,
}

impl Batch {
    /// Forgets the commands; keeps room for the next ones, but not the room an unusually big one took.
    pub fn clear(&mut self) {
        self.words.clear();
        self.commands.clear();
        self.copies.clear();
        self.larges.clear();
        if self.head.capacity() > 0 {
            self.head = Vec::new();
        }
        if self.words.capacity() > WORDS_KEPT_MAX {
            self.words = Vec::new();
        }
        if self.copies.capacity() > COPIES_KEPT_MAX_BYTES {
            self.copies = Vec::new();
        }
    }

    /// Adds a copy of a command, whose words need no input then; large words are shared. How many bytes that takes.
    pub fn copy_in(&mut self, argv: Argv<'_>) -> usize {
        let first = self.words.len();
        let mut bytes = size_of::<Span>() + argv.len() * size_of::<Word>();
        for index in 0..argv.len() {
            let word = argv.word(index);
            bytes += word.len();
            let is_small =
                word.len() <= LARGE_BULK_MIN_BYTES && self.copies.len() <= OFFSETS_MAX_BYTES;
            match argv.large(index) {
                None if is_small => {
                    self.words.push(Word::at(self.copies.len(), word.len()));
                    self.copies.extend_from_slice(word);
                }
                shared => {
                    let shared = shared.cloned();
                    self.words.push(Word::large(self.larges.len()));
                    self.larges
                        .push(shared.unwrap_or_else(|| Bytes::copy_from_slice(word)));
                }
            }
        }
        self.finish(first, 0, Source::Copies);
        bytes
    }

    /// Bytes of words that do not lie in the input.
    pub fn heap_bytes(&self) -> usize {
        let large: usize = self.larges.iter().map(Bytes::len).sum();
        large + self.head.len() + self.copies.len()
    }

    /// Commands in the batch.
    #[inline]
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether no command is in the batch.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The words of command `index`; `input` must be the input this batch was parsed from.
    #[inline]
    pub fn argv<'a>(&'a self, index: usize, input: &'a [u8]) -> Argv<'a> {
        let span = self.commands[index];
        let first = span.first as usize;
        let bytes = match span.source {
            Source::Input => input,
            Source::Head => &self.head,
            Source::Copies => &self.copies,
        };
        Argv {
            words: &self.words[first..first + span.count as usize],
            bytes,
            larges: &self.larges,
        }
    }

    /// Input bytes up to and with command `index`: whoever stops after it (a blocked client) keeps what follows,
    /// calls [`super::RequestParser::forget`], and parses that later.
    #[inline]
    pub fn input_end(&self, index: usize) -> usize {
        self.commands[index].input_end as usize
    }

    /// Makes a command of the words from `first` on.
    #[inline(always)]
    pub(super) fn finish(&mut self, first: usize, input_end: usize, source: Source) {
        let count = (self.words.len() - first) as u32;
        self.commands.push(Span {
            first: first as u32,
            count,
            input_end: input_end as u32,
            source,
        });
    }

    /// Takes over a command that was put together from pieces: always the first one of a batch.
    pub(super) fn adopt(
        &mut self,
        words: Vec<Word>,
        head: Vec<u8>,
        larges: Vec<Bytes>,
        input_end: usize,
    ) {
        assert!(
            self.is_empty() && self.words.is_empty(),
            "a command in pieces began before this input"
        );
        self.words = words;
        self.head = head;
        self.larges = larges;
        self.finish(0, input_end, Source::Head);
    }
}

/// One command's words: a view to be copied around freely.
#[derive(Clone, Copy, Debug)]
pub struct Argv<'a> {
    words: &'a [Word],
    bytes: &'a [u8],
    larges: &'a [Bytes],
}

impl<'a> Argv<'a> {
    /// Number of words, the command's name included.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word; the parser never yields such a command.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word of that number, if there is one.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.words.get(index).map(|&word| self.bytes_of(word))
    }

    /// The word of that number, which the caller knows to exist (the arity was checked).
    #[inline(always)]
    pub fn word(&self, index: usize) -> &'a [u8] {
        self.bytes_of(self.words[index])
    }

    /// The words in order.
    #[inline]
    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + Clone + use<'a> {
        let argv = *self;
        argv.words.iter().map(move |&word| argv.bytes_of(word))
    }

    /// The word as shared bytes, when it was received as a large bulk: to be stored or sent without a copy.
    #[inline]
    pub fn large(&self, index: usize) -> Option<&'a Bytes> {
        let word = self.words.get(index)?;
        (word.length == LARGE).then(|| &self.larges[word.offset as usize])
    }

    /// Bytes of all words together.
    pub fn wire_bytes(&self) -> usize {
        self.iter().map(<[u8]>::len).sum()
    }

    #[inline(always)]
    fn bytes_of(&self, word: Word) -> &'a [u8] {
        let start = word.offset as usize;
        if word.length == LARGE {
            return &self.larges[start];
        }
        &self.bytes[start..start + word.length as usize]
    }
}

/// An owned copy of a command, for queues (MULTI) and waiting clients. Large words share their bytes.
#[derive(Clone, Debug, Default)]
pub struct StoredArgv {
    words: Vec<Word>,
    bytes: Vec<u8>,
    larges: Vec<Bytes>,
}

impl StoredArgv {
    /// Copies the small words of `argv` and shares the large ones.
    pub fn from_argv(argv: Argv<'_>) -> StoredArgv {
        let small_bytes = (0..argv.len())
            .filter(|&i| argv.large(i).is_none())
            .map(|i| argv.word(i).len());
        let mut stored = StoredArgv {
            words: Vec::with_capacity(argv.len()),
            bytes: Vec::with_capacity(small_bytes.filter(|&len| len <= LARGE_BULK_MIN_BYTES).sum()),
            larges: Vec::new(),
        };
        for index in 0..argv.len() {
            match argv.large(index) {
                Some(bytes) => stored.push_large(bytes.clone()),
                None => stored.push(argv.word(index)),
            }
        }
        stored
    }

    /// Makes a command of these words.
    pub fn from_words(words: impl IntoIterator<Item = impl AsRef<[u8]>>) -> StoredArgv {
        let mut stored = StoredArgv::default();
        for word in words {
            stored.push(word.as_ref());
        }
        stored
    }

    /// The view that handlers take.
    #[inline]
    pub fn argv(&self) -> Argv<'_> {
        Argv {
            words: &self.words,
            bytes: &self.bytes,
            larges: &self.larges,
        }
    }

    /// Heap bytes this copy holds; shared bytes count in full.
    pub fn heap_bytes(&self) -> usize {
        self.words.capacity() * size_of::<Word>()
            + self.bytes.capacity()
            + self.larges.capacity() * size_of::<Bytes>()
            + self.larges.iter().map(Bytes::len).sum::<usize>()
    }

    /// Forgets the words; the room for them stays.
    pub fn clear(&mut self) {
        self.words.clear();
        self.bytes.clear();
        self.larges.clear();
    }

    /// Adds a word, copied.
    pub fn push(&mut self, word: &[u8]) {
        if word.len() > LARGE_BULK_MIN_BYTES || self.bytes.len() > OFFSETS_MAX_BYTES {
            return self.push_large(Bytes::copy_from_slice(word));
        }
        self.words.push(Word::at(self.bytes.len(), word.len()));
        self.bytes.extend_from_slice(word);
    }

    fn push_large(&mut self, bytes: Bytes) {
        self.words.push(Word::large(self.larges.len()));
        self.larges.push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_command_reads_like_its_original_and_shares_large_words() {
        let big = vec![7u8; LARGE_BULK_MIN_BYTES + 1];
        let original = StoredArgv::from_words([&b"SET"[..], b"", &big]);
        let copy = StoredArgv::from_argv(original.argv());
        assert!(copy.argv().iter().eq([&b"SET"[..], b"", &big]));
        let (one, two) = (original.argv().large(2), copy.argv().large(2));
        assert_eq!(one.map(|b| b.as_ptr()), two.map(|b| b.as_ptr()));
        assert_eq!(copy.argv().get(3), None);
        assert_eq!(copy.argv().wire_bytes(), 3 + big.len());
        assert!(copy.heap_bytes() >= big.len() + 3);
    }

    #[test]
    fn commands_that_are_copied_into_a_batch_need_no_input() {
        let big = vec![7u8; LARGE_BULK_MIN_BYTES + 1];
        let set = StoredArgv::from_words([&b"SET"[..], b"k", &big]);
        let get = StoredArgv::from_words(["GET", ""]);
        let mut batch = Batch::default();
        let taken = batch.copy_in(set.argv()) + batch.copy_in(get.argv());
        assert!(taken > big.len() + 7);
        assert!(batch.argv(0, &[]).iter().eq([&b"SET"[..], b"k", &big]));
        assert!(batch.argv(1, &[]).iter().eq([&b"GET"[..], b""]));
        let (one, two) = (set.argv().large(2), batch.argv(0, &[]).large(2));
        assert_eq!(one.map(|b| b.as_ptr()), two.map(|b| b.as_ptr()));
        batch.clear();
        assert!(batch.is_empty() && batch.heap_bytes() == 0);
    }

    #[test]
    fn a_word_takes_eight_bytes() {
        assert_eq!(size_of::<Word>(), 8);
    }
}
