//! The grammar of SCAN and its relatives: `cursor [MATCH pattern] [COUNT count] [TYPE type] [NOVALUES] [NOSCORES]`.
//!
//! COUNT says how many elements are looked at, not how many are answered: MATCH and TYPE sort out afterwards.

use super::args::Args;
use super::error::Error;
use crate::base::glob::glob_match;
use crate::base::number;

/// Elements that one call looks at where COUNT does not say.
const COUNT_DEFAULT: u64 = 10;
/// Steps that one call makes at most for each element of COUNT: a nearly empty table must not make it long.
const STEPS_PER_COUNT: u64 = 10;

/// Which of the relatives is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// SCAN: it knows TYPE.
    Keys,
    /// HSCAN: it knows NOVALUES.
    Hash,
    /// SSCAN.
    Set,
    /// ZSCAN: it knows NOSCORES.
    SortedSet,
}

/// What was asked for. See the head of the file.
#[derive(Clone, Copy, Debug)]
pub struct ScanOptions<'a> {
    /// How many elements to look at; at least 1.
    pub count: u64,
    /// Elements of this type only.
    pub type_name: Option<&'a [u8]>,
    /// Fields without their values, members without their scores.
    pub without_values: bool,
    pattern: Option<&'a [u8]>,
}

impl<'a> ScanOptions<'a> {
    /// Reads the options that are left; a repeated one replaces the one before it.
    pub fn read(args: &mut Args<'a>, scanned: Scanned) -> Result<Self, Error> {
        let mut options = Self {
            count: COUNT_DEFAULT,
            type_name: None,
            without_values: false,
            pattern: None,
        };
        while !args.is_empty() {
            if let Some(count) = args.value_of("COUNT")? {
                let count = number::parse_i64(count).ok_or(Error::NotInteger)?;
                options.count = u64::try_from(count).map_err(|_| Error::Syntax)?;
                if count == 0 {
                    return Err(Error::Syntax);
                }
            } else if let Some(pattern) = args.value_of("MATCH")? {
                options.pattern = Some(pattern).filter(|pattern| *pattern != b"*");
            } else if scanned == Scanned::Keys
                && let Some(type_name) = args.value_of("TYPE")?
            {
                options.type_name = Some(type_name);
            } else if args.flag("NOVALUES") {
                if scanned != Scanned::Hash {
                    return Err(Error::Text("ERR NOVALUES option can only be used in HSCAN"));
                }
                options.without_values = true;
            } else if scanned == Scanned::SortedSet && args.flag("NOSCORES") {
                options.without_values = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// Whether MATCH lets the element through.
    #[inline]
    pub fn accepts(&self, name: &[u8]) -> bool {
        self.pattern
            .is_none_or(|pattern| glob_match(pattern, name, false))
    }

    /// Makes steps from `cursor` on until enough elements were seen: `step` makes one, counts the elements that it sees,
    /// and tells where to go on. Where the next call goes on; 0: everything was seen.
    pub fn walk(&self, mut cursor: u64, mut step: impl FnMut(u64, &mut u64) -> u64) -> u64 {
        let mut seen = 0;
        let mut steps_left = self.count.saturating_mul(STEPS_PER_COUNT);
        loop {
            cursor = step(cursor, &mut seen);
            steps_left -= 1;
            if cursor == 0 || seen >= self.count || steps_left == 0 {
                return cursor;
            }
        }
    }
}

/// Reads a cursor: an unsigned 64-bit number in the forms that C's `strtoull` reads, but none that is negative.
pub fn cursor(args: &mut Args<'_>) -> Result<u64, Error> {
    let word = args.word()?;
    let text = std::str::from_utf8(word).map_err(|_| Error::InvalidCursor)?;
    let digits = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    // `str::parse` takes a plus sign itself.
    digits.parse().map_err(|_| Error::InvalidCursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::Hasher;
    use crate::resp::request::StoredArgv;

    fn with<R>(line: &str, test: impl FnOnce(&mut Args<'_>) -> R) -> R {
        let stored = StoredArgv::from_words(line.split(','));
        test(&mut Args::new(stored.argv(), 1, Hasher::new(1, 2), (0, 0)))
    }

    #[test]
    fn cursors_are_unsigned_numbers() {
        let read = |text: &str| with(&format!("scan,{text}"), cursor);
        assert_eq!(read("18446744073709551615"), Ok(u64::MAX));
        assert_eq!((read("01"), read("+1"), read(" 1")), (Ok(1), Ok(1), Ok(1)));
        for bad in ["", "-1", "x", "1 ", "18446744073709551616"] {
            assert_eq!(read(bad), Err(Error::InvalidCursor), "{bad}");
        }
    }

    #[test]
    fn each_relative_knows_its_own_options() {
        let read = |line: &str, scanned| with(line, |args| ScanOptions::read(args, scanned).err());
        assert_eq!(read("s,COUNT,5,match,a*", Scanned::Set), None);
        assert_eq!(read("s,TYPE,string", Scanned::Keys), None);
        assert_eq!(read("s,TYPE,string", Scanned::Hash), Some(Error::Syntax));
        assert_eq!(read("s,NOVALUES", Scanned::Hash), None);
        assert!(read("s,NOVALUES", Scanned::Keys).is_some());
        assert_eq!(read("s,noscores", Scanned::SortedSet), None);
        assert_eq!(read("s,NOSCORES", Scanned::Set), Some(Error::Syntax));
        assert_eq!(read("s,COUNT,0", Scanned::Keys), Some(Error::Syntax));
        assert_eq!(read("s,COUNT,x", Scanned::Keys), Some(Error::NotInteger));
        assert_eq!(read("s,COUNT", Scanned::Keys), Some(Error::Syntax));
    }
}
