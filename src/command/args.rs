//! A cursor over the words of a command: every way in which handlers read arguments, each failure with the exact error.
//!
//! Words are borrowed from the read buffer; nothing is allocated. The cursor starts behind the command's name (and its
//! subcommand's). A word that is missing is a syntax error: the arity check has seen to the ones that must be there.

use super::error::Error;
use crate::base::hash::Hasher;
use crate::base::number;
use crate::keyspace::entry::{KEY_MAX_BYTES, Key};
use crate::resp::request::Argv;
use crate::types::string::NewString;

/// Elements that one command draws at most where they may repeat themselves: the reply must fit into memory.
const DRAWS_MAX: i64 = 1 << 27;

/// See the head of the file. A clone looks ahead.
#[derive(Clone)]
pub struct Args<'a> {
    argv: Argv<'a>,
    at: usize,
    hasher: Hasher,
    /// The word whose hash was computed ahead of time, and its hash.
    hashed: (usize, u64),
}

impl<'a> Args<'a> {
    /// The words of `argv` from word `at` on. `hashed`: a word (0: none) whose hash is known.
    #[inline]
    pub fn new(argv: Argv<'a>, at: usize, hasher: Hasher, hashed: (usize, u64)) -> Self {
        Self {
            argv,
            at,
            hasher,
            hashed,
        }
    }

    /// The whole command.
    #[inline]
    pub fn argv(&self) -> Argv<'a> {
        self.argv
    }

    /// Words that are left.
    #[inline]
    pub fn left(&self) -> usize {
        self.argv.len() - self.at
    }

    /// Whether no word is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// The next word, which stays.
    #[inline]
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.argv.get(self.at)
    }

    /// The next word.
    #[inline]
    pub fn word(&mut self) -> Result<&'a [u8], Error> {
        let word = self.argv.get(self.at).ok_or(Error::Syntax)?;
        self.at += 1;
        Ok(word)
    }

    /// The next word as the name of a key.
    #[inline]
    pub fn key(&mut self) -> Result<Key<'a>, Error> {
        let at = self.at;
        let bytes = self.word()?;
        if bytes.len() > KEY_MAX_BYTES {
            return Err(Error::StringTooLong);
        }
        let hash = if self.hashed.0 == at {
            self.hashed.1
        } else {
            self.hasher.hash(bytes)
        };
        Ok(Key { bytes, hash })
    }

    /// All words that are left as keys.
    pub fn keys(&mut self) -> Vec<Key<'a>> {
        std::iter::from_fn(|| self.key().ok()).collect()
    }

    /// The next word as a string to be stored: shared if it was received as a large bulk.
    #[inline]
    pub fn string(&mut self) -> Result<NewString<'a>, Error> {
        let string = self.string_at(self.at)?;
        self.at += 1;
        Ok(string)
    }

    /// Word `at` of the whole command as a string to be stored; the cursor stays.
    #[inline]
    pub fn string_at(&self, at: usize) -> Result<NewString<'a>, Error> {
        let bytes = self.argv.get(at).ok_or(Error::Syntax)?;
        Ok(match self.argv.large(at) {
            Some(shared) => NewString::Shared(shared.clone()),
            None => NewString::Bytes(bytes),
        })
    }

    /// The next word as a 64-bit integer.
    #[inline]
    pub fn int(&mut self) -> Result<i64, Error> {
        number::parse_i64(self.word()?).ok_or(Error::NotInteger)
    }

    /// The next word as an integer from `low` to `high`; outside of them: `value is out of range`.
    pub fn int_in(&mut self, low: i64, high: i64) -> Result<i64, Error> {
        let value = self.int()?;
        if (low..=high).contains(&value) {
            Ok(value)
        } else {
            Err(Error::OutOfRange)
        }
    }

    /// The next word as how many elements to choose by chance: different ones, or if negative any. More draws than
    /// any reply can hold are refused before the first of them.
    pub fn draws(&mut self) -> Result<i64, Error> {
        match self.int()? {
            i64::MIN => Err(Error::Text(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            )),
            count if count < -DRAWS_MAX => Err(Error::OutOfRange),
            count => Ok(count),
        }
    }

    /// The next word as an integer that is at least 0.
    pub fn count(&mut self) -> Result<usize, Error> {
        let value = self.int().map_err(|_| Error::NotPositive)?;
        usize::try_from(value).map_err(|_| Error::NotPositive)
    }

    /// The next word as a floating-point number.
    pub fn float(&mut self) -> Result<f64, Error> {
        number::parse_f64(self.word()?).ok_or(Error::NotFloat)
    }

    /// Takes the next word if it is `word`, in any case.
    #[inline]
    pub fn flag(&mut self, word: &str) -> bool {
        let is_it = self
            .peek()
            .is_some_and(|next| next.eq_ignore_ascii_case(word.as_bytes()));
        self.at += usize::from(is_it);
        is_it
    }

    /// Takes the next two words if the first is `word`; gives the second. A missing second is a syntax error.
    pub fn value_of(&mut self, word: &str) -> Result<Option<&'a [u8]>, Error> {
        if self.flag(word) {
            self.word().map(Some)
        } else {
            Ok(None)
        }
    }

    /// After a count word, exactly so many words must stand before the end; gives the count.
    pub fn counted(&mut self, error: Error) -> Result<usize, Error> {
        let count = number::parse_i64(self.word()?).ok_or_else(|| error.clone())?;
        match usize::try_from(count) {
            Ok(count) if count > 0 && count <= self.left() => Ok(count),
            _ => Err(error),
        }
    }

    /// The words that are left.
    pub fn rest(&mut self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let (argv, start) = (self.argv, self.at);
        self.at = argv.len();
        (start..argv.len()).map(move |at| argv.word(at))
    }

    /// No word may be left.
    #[inline]
    pub fn finish(&self) -> Result<(), Error> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Error::Syntax)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::StoredArgv;

    fn with<R>(line: &str, test: impl FnOnce(&mut Args<'_>) -> R) -> R {
        let stored = StoredArgv::from_words(line.split(' '));
        test(&mut Args::new(stored.argv(), 1, Hasher::new(1, 2), (0, 0)))
    }

    #[test]
    fn flags_and_values_are_taken_in_any_case_and_the_rest_must_be_nothing() {
        with("set k v nx Px 10", |args| {
            assert_eq!(args.key().map(|key| key.bytes), Ok(&b"k"[..]));
            assert!(matches!(args.string(), Ok(NewString::Bytes(b"v"))));
            assert!(args.flag("NX") && !args.flag("XX"));
            assert_eq!(args.finish(), Err(Error::Syntax));
            assert_eq!(args.value_of("PX"), Ok(Some(&b"10"[..])));
            assert_eq!(args.finish(), Ok(()));
        });
    }

    #[test]
    fn numbers_fail_with_the_error_of_their_kind() {
        with("x 1x", |args| {
            assert_eq!(args.int(), Err(Error::NotInteger))
        });
        with("x 11", |args| {
            assert_eq!(args.int_in(0, 10), Err(Error::OutOfRange))
        });
        with("x -1", |args| {
            assert_eq!(args.count(), Err(Error::NotPositive))
        });
        with("x 1.5e3", |args| assert_eq!(args.float(), Ok(1500.0)));
        with("x 3 a b", |args| {
            assert_eq!(args.counted(Error::Syntax), Err(Error::Syntax))
        });
    }
}
