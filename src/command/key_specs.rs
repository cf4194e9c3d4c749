//! Which words of a command are keys, and what becomes of them: what COMMAND GETKEYS, ACL and cluster slots ask.
//!
//! The row's key specs tell it for nearly all commands. Four have options that no spec can describe; they have a finder
//! of their own here, by name, and nowhere else is a command's name asked for.

use super::row::{Begin, Find, KeySpec, Row, key_flag};
use crate::base::number;
use crate::resp::request::Argv;

/// A key: the number of its word and bits of [`key_flag`].
pub type FoundKey = (usize, u32);

/// The words do not have the form in which the command's keys can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ERR Invalid arguments specified for command")]
pub struct InvalidWords;

type Finder = fn(Argv<'_>) -> Vec<FoundKey>;

/// The commands whose specs are not the whole truth.
const FINDERS: [(&str, Finder); 4] = [
    ("bitfield", bitfield),
    ("migrate", migrate),
    ("set", set),
    ("sort", sort),
];

/// Marks of the specs themselves, which say nothing about a key that was found.
const ABOUT_SPECS: u32 = key_flag::VARIABLE | key_flag::INCOMPLETE;

/// Whether the command may have keys.
pub fn may_have_keys(row: &Row) -> bool {
    row.keys
        .iter()
        .any(|spec| spec.flags & key_flag::NOT_KEY == 0)
}

/// The keys among the words of a command, in the order of its specs. The arity must have been checked.
///
/// # Errors
/// The words are no whole command: a count is no number or exceeds the words, a keyword is missing.
pub fn keys_of(row: &Row, argv: Argv<'_>) -> Result<Vec<FoundKey>, InvalidWords> {
    if let Some((_, find)) = FINDERS.iter().find(|(name, _)| *name == row.full_name) {
        return Ok(find(argv));
    }
    let mut keys = Vec::new();
    for spec in row.keys {
        if spec.flags & key_flag::NOT_KEY == 0 {
            follow(row, spec, argv, &mut keys)?;
        }
    }
    let needs_keyword = matches!(row.keys, [spec] if matches!(spec.begin, Begin::Keyword(..)));
    if keys.is_empty() && needs_keyword {
        return Err(InvalidWords);
    }
    Ok(keys)
}

/// Adds the keys of one spec.
fn follow(
    row: &Row,
    spec: &KeySpec,
    argv: Argv<'_>,
    keys: &mut Vec<FoundKey>,
) -> Result<(), InvalidWords> {
    let Some(begin) = beginning(spec.begin, argv) else {
        return Ok(());
    };
    let incomplete = spec.flags & key_flag::INCOMPLETE != 0;
    let found = match spec.find {
        Find::Unknown => return Ok(()),
        Find::Range { last, step, limit } => range(argv, begin, last, step, limit),
        Find::Count {
            count_at,
            first,
            step,
        } => counted(row, argv, begin + count_at, begin + first, step),
    };
    match found {
        Ok(places) => {
            let flags = spec.flags & !ABOUT_SPECS;
            keys.extend(places.map(|place| (place, flags)));
            Ok(())
        }
        Err(_) if incomplete => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where the search for keys begins; `None`: the keyword is not there, or nobody knows.
fn beginning(begin: Begin, argv: Argv<'_>) -> Option<usize> {
    match begin {
        Begin::Unknown => None,
        Begin::Index(at) => Some(at),
        Begin::Keyword(keyword, from) => {
            let is_it = |at: &usize| {
                let word = argv.get(*at);
                word.is_some_and(|word| word.eq_ignore_ascii_case(keyword.as_bytes()))
            };
            let start = from.unsigned_abs() as usize;
            let at = if from >= 0 {
                (start..argv.len()).find(is_it)
            } else {
                (1..=argv.len().checked_sub(start)?).rev().find(is_it)
            };
            at.map(|at| at + 1)
        }
    }
}

type Places = std::iter::StepBy<std::ops::Range<usize>>;

fn range(
    argv: Argv<'_>,
    first: usize,
    last: i32,
    step: usize,
    limit: usize,
) -> Result<Places, InvalidWords> {
    let left = argv.len().checked_sub(first).ok_or(InvalidWords)?;
    let distance = last.unsigned_abs() as usize;
    let words = if last >= 0 {
        distance + 1
    } else if limit > 1 {
        // What remains is divided evenly (keys, then as many ids).
        if left % limit != 0 {
            return Err(InvalidWords);
        }
        (left / limit + 1)
            .checked_sub(distance)
            .ok_or(InvalidWords)?
    } else {
        (left + 1).checked_sub(distance).ok_or(InvalidWords)?
    };
    if words == 0 || words > left {
        return Err(InvalidWords);
    }
    Ok((first..first + words).step_by(step.max(1)))
}

/// No key at all is right only where the arity asks for no word behind the count.
fn counted(
    row: &Row,
    argv: Argv<'_>,
    count_at: usize,
    first: usize,
    step: usize,
) -> Result<Places, InvalidWords> {
    let word = argv.get(count_at).ok_or(InvalidWords)?;
    let count = number::parse_i64(word)
        .and_then(|count| usize::try_from(count).ok())
        .ok_or(InvalidWords)?;
    let step = step.max(1);
    let may_be_none = first >= row.arity.unsigned_abs() as usize;
    let end = count
        .checked_mul(step)
        .and_then(|words| words.checked_add(first));
    match end {
        Some(end) if end <= argv.len() && (count > 0 || may_be_none) => {
            Ok((first..end).step_by(step))
        }
        _ => Err(InvalidWords),
    }
}

fn is(word: &[u8], keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword.as_bytes())
}

/// SET reads the key only with GET.
fn set(argv: Argv<'_>) -> Vec<FoundKey> {
    let reads = argv.iter().skip(3).any(|word| is(word, "get"));
    let flags = if reads {
        key_flag::RW | key_flag::ACCESS | key_flag::UPDATE
    } else {
        key_flag::OW | key_flag::UPDATE
    };
    vec![(1, flags)]
}

/// BITFIELD of nothing but GETs changes nothing.
fn bitfield(argv: Argv<'_>) -> Vec<FoundKey> {
    let mut at = 2;
    let mut changes = false;
    while let Some(word) = argv.get(at) {
        let (words, writes) = match word.to_ascii_lowercase().as_slice() {
            b"get" => (3, false),
            b"overflow" => (2, false),
            _ => (4, true),
        };
        changes |= writes;
        at += words;
    }
    let flags = if changes {
        key_flag::RW | key_flag::ACCESS | key_flag::UPDATE
    } else {
        key_flag::RO | key_flag::ACCESS
    };
    vec![(1, flags)]
}

/// SORT writes to the key behind STORE, which may stand anywhere among the options.
fn sort(argv: Argv<'_>) -> Vec<FoundKey> {
    let mut keys = vec![(1, key_flag::RO | key_flag::ACCESS)];
    let mut at = 2;
    while let Some(word) = argv.get(at) {
        at += match word.to_ascii_lowercase().as_slice() {
            b"limit" => 3,
            b"get" | b"by" => 2,
            b"store" if at + 1 < argv.len() => {
                keys.truncate(1);
                keys.push((at + 1, key_flag::OW | key_flag::UPDATE));
                2
            }
            _ => 1,
        };
    }
    keys
}

/// MIGRATE has its key in front, or "" there and several behind KEYS.
fn migrate(argv: Argv<'_>) -> Vec<FoundKey> {
    let flags = key_flag::RW | key_flag::ACCESS | key_flag::DELETE;
    if argv.get(3).is_some_and(<[u8]>::is_empty) {
        let mut at = 6;
        while let Some(word) = argv.get(at) {
            at += match word.to_ascii_lowercase().as_slice() {
                b"auth" => 2,
                b"auth2" => 3,
                b"keys" => {
                    return (at + 1..argv.len()).map(|place| (place, flags)).collect();
                }
                _ => 1,
            };
        }
    }
    vec![(3, flags)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::row::Group;
    use crate::command::{Args, Ctx, Error, Flow};
    use crate::resp::request::StoredArgv;

    fn nothing(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
        Ok(Flow::Done)
    }

    const fn row(name: &'static str, arity: i32, keys: &'static [KeySpec]) -> Row {
        Row::new(name, Group::Generic, arity, nothing).keys(keys)
    }

    /// The keys of a command as `word:FLAG,flag`; `''` stands for an empty word.
    fn shown(row: &Row, line: &str) -> String {
        let words: Vec<&str> = line
            .split(' ')
            .map(|word| if word == "''" { "" } else { word })
            .collect();
        let stored = StoredArgv::from_words(&words);
        let found = match keys_of(row, stored.argv()) {
            Ok(found) => found,
            Err(error) => return error.to_string(),
        };
        let names = |flags: u32| {
            let names = key_flag::NAMES.iter().filter(|(bit, _)| flags & bit != 0);
            names.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
        };
        let keys = found
            .iter()
            .map(|(at, flags)| format!("{}:{}", words[*at], names(*flags)));
        keys.collect::<Vec<_>>().join(" ")
    }

    const INVALID: &str = "ERR Invalid arguments specified for command";

    #[test]
    fn ranges_end_where_they_say() {
        const RO: u32 = key_flag::RO;
        const ALL: &[KeySpec] = &[KeySpec::range(1, -1, 1, RO)];
        const PAIRS: &[KeySpec] = &[KeySpec::range(1, -1, 2, RO)];
        const BUT_LAST: &[KeySpec] = &[KeySpec::range(1, -2, 1, RO)];
        const TWO: &[KeySpec] = &[KeySpec::range(1, 1, 1, RO)];
        let (all, pairs) = (row("mget", -2, ALL), row("mset", -3, PAIRS));
        let (but_last, two) = (row("blpop", -3, BUT_LAST), row("lcs", -3, TWO));
        assert_eq!(shown(&all, "mget a b c"), "a:RO b:RO c:RO");
        assert_eq!(shown(&pairs, "mset a 1 b 2"), "a:RO b:RO");
        assert_eq!(shown(&but_last, "blpop a b 0"), "a:RO b:RO");
        assert_eq!(shown(&two, "lcs a b len"), "a:RO b:RO");
        assert_eq!(shown(&two, "lcs a"), INVALID);
    }

    #[test]
    fn a_count_must_fit_the_words() {
        const KEYS: &[KeySpec] = &[
            KeySpec::one(1, key_flag::OW),
            KeySpec::counted(2, 1, key_flag::RO),
        ];
        let union = row("zunionstore", -4, KEYS);
        assert_eq!(
            shown(&union, "zunionstore d 2 a b weights 1 2"),
            "d:OW a:RO b:RO"
        );
        for line in ["d x a b", "d 5 a b", "d 0 a b", "d -1 a b"] {
            assert_eq!(shown(&union, &format!("zunionstore {line}")), INVALID);
        }
        const COUNTED: &[KeySpec] = &[KeySpec::counted(2, 1, key_flag::RW)];
        let eval = row("eval", -3, COUNTED);
        assert_eq!(shown(&eval, "eval s 0"), "");
        assert_eq!(shown(&eval, "eval s 1 k arg"), "k:RW");
    }

    #[test]
    fn a_keyword_is_found_in_any_case_and_divides_what_follows() {
        const STREAMS: &[KeySpec] = &[KeySpec {
            begin: Begin::Keyword("STREAMS", 1),
            find: Find::Range {
                last: -1,
                step: 1,
                limit: 2,
            },
            flags: key_flag::RO,
            notes: "",
        }];
        let xread = row("xread", -4, STREAMS);
        assert_eq!(shown(&xread, "xread count 1 streams a b 0 0"), "a:RO b:RO");
        assert_eq!(shown(&xread, "xread streams a b 0"), INVALID);
        assert_eq!(shown(&xread, "xread count 1 a b"), INVALID);
    }

    #[test]
    fn options_decide_where_no_spec_can() {
        let set = row("set", -3, &[]);
        assert_eq!(shown(&set, "set k v"), "k:OW,update");
        assert_eq!(shown(&set, "set k v nx get"), "k:RW,access,update");
        let sort = row("sort", -2, &[]);
        assert_eq!(
            shown(&sort, "sort k by store get store limit 0 1 store d"),
            "k:RO,access d:OW,update"
        );
        let migrate = row("migrate", -6, &[]);
        assert_eq!(shown(&migrate, "migrate h 1 k 0 9"), "k:RW,access,delete");
        assert_eq!(
            shown(&migrate, "migrate h 1 '' 0 9 auth keys keys a b"),
            "a:RW,access,delete b:RW,access,delete"
        );
        let bitfield = row("bitfield", -2, &[]);
        assert_eq!(
            shown(&bitfield, "bitfield k get u8 0 overflow sat"),
            "k:RO,access"
        );
        assert_eq!(
            shown(&bitfield, "bitfield k get u8 0 set u8 0 1"),
            "k:RW,access,update"
        );
    }

    #[test]
    fn names_that_are_no_keys_are_not_found() {
        const CHANNEL: &[KeySpec] = &[KeySpec::one(1, key_flag::NOT_KEY)];
        let publish = row("spublish", 3, CHANNEL);
        assert!(!may_have_keys(&publish));
        assert_eq!(shown(&publish, "spublish c m"), "");
    }
}
