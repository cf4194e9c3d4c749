//! How many elements a command draws by chance: `[count [keyword]]`, shared by SRANDMEMBER, HRANDFIELD and ZRANDMEMBER.
//!
//! A positive count asks for so many different elements, or all if there are no more; a negative one for so many draws,
//! in which an element may come again.

use super::args::Args;
use super::error::Error;

/// Draws that one command makes at most where elements may come again: the reply must fit into memory.
const DRAWS_MAX: i64 = 1 << 27;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draws {
    /// No count: one element, not in an array.
    One,
    /// Up to so many different ones.
    Different(usize),
    /// So many, which may repeat.
    Repeated(usize),
}

impl Draws {
    /// Reads the words that are left; whether `keyword` (WITHVALUES, WITHSCORES) stood behind the count.
    ///
    /// # Errors
    /// The count is no integer or out of range, or other words are left.
    pub fn read(args: &mut Args<'_>, keyword: Option<&str>) -> Result<(Self, bool), Error> {
        if args.is_empty() {
            return Ok((Draws::One, false));
        }
        let count = args.int_with_negative()?;
        let is_said = keyword.is_some_and(|keyword| args.flag(keyword));
        args.finish()?;
        let max = if is_said { i64::MAX / 2 } else { i64::MAX };
        if !(-DRAWS_MAX..=max).contains(&count) {
            return Err(Error::OutOfRange);
        }
        let draws = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(match count {
            ..0 => (Draws::Repeated(draws), is_said),
            _ => (Draws::Different(draws), is_said),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::Hasher;
    use crate::resp::request::StoredArgv;

    fn read(line: &str, keyword: Option<&str>) -> Result<(Draws, bool), Error> {
        let stored = StoredArgv::from_words(line.split(' '));
        let mut args = Args::new(stored.argv(), 1, Hasher::new(1, 2), (0, 0));
        Draws::read(&mut args, keyword)
    }

    #[test]
    fn the_sign_of_the_count_says_whether_elements_may_repeat() {
        assert_eq!(read("x", None), Ok((Draws::One, false)));
        assert_eq!(read("x 0", None), Ok((Draws::Different(0), false)));
        assert_eq!(
            read("x 3 WITH", Some("with")),
            Ok((Draws::Different(3), true))
        );
        assert_eq!(read("x -3", Some("with")), Ok((Draws::Repeated(3), false)));
    }

    #[test]
    fn a_count_whose_reply_could_not_fit_into_memory_is_refused() {
        assert_eq!(
            read("x -134217728", None),
            Ok((Draws::Repeated(1 << 27), false))
        );
        assert_eq!(read("x -134217729", None), Err(Error::OutOfRange));
        assert!(read("x 9223372036854775807", None).is_ok());
        assert_eq!(
            read("x 9223372036854775807 with", Some("with")),
            Err(Error::OutOfRange)
        );
        let least = read("x -9223372036854775808", None);
        assert!(matches!(least, Err(Error::Text(_))));
        assert_eq!(read("x 1 with", None), Err(Error::Syntax));
    }
}
