//! Deadlines of members: of the fields of hashes, and of the members of sets and sorted sets. One grammar and one set of
//! answers for all three.
//!
//! ```text
//! HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT    key time [NX | XX | GT | LT] FIELDS count name...
//! HTTL HPTTL HEXPIRETIME HPEXPIRETIME      key FIELDS count name...
//! HPERSIST                                 key FIELDS count name...
//! ```
//! Sets and sorted sets begin with S and Z and say MEMBERS. The answer is an array with a number for each name:
//!
//! | | no such member | | |
//! |---|---|---|---|
//! | HEXPIRE... | -2 | 0: the condition does not hold | 1: set, 2: the time has passed and the member is gone |
//! | HTTL... | -2 | -1: no deadline | time left or deadline |
//! | HPERSIST | -2 | -1: no deadline | 1: taken away |
//!
//! A type takes part with [`ExpiringMembers`] and a [`Vocabulary`]; its rows name the handlers of this file
//! (`member_expiry::expire::<Hash>`). A deadline goes out as an absolute one (HPEXPIREAT), with those names only that
//! got it; members whose time has passed go out as removed (HDEL).

use super::expiry::Unit;
use super::{Args, Ctx, Error, Flow, Propagate};
use crate::base::number;
use crate::keyspace::entry::Key;
use crate::keyspace::event::Event;
pub use crate::types::Fate;
use crate::types::{Collection, Limits};

/// The latest deadline that a member can have, in Unix milliseconds: the year 4199.
pub const DEADLINE_MAX_MS: i64 = (1 << 46) - 1;

const NO_MEMBER: i64 = -2;
const NO_DEADLINE: i64 = -1;
const REFUSED: i64 = 0;
const DONE: i64 = 1;
const REMOVED: i64 = 2;

/// The words in which the commands of one type differ from those of the others.
#[derive(Debug)]
pub struct Vocabulary {
    /// The word before the count of names: `FIELDS`.
    pub keyword: &'static str,
    /// What errors call the names: `fields`.
    pub noun: &'static str,
    /// What an error calls their count: `numFields`.
    pub count: &'static str,
    /// The command that sets an absolute deadline in milliseconds: `HPEXPIREAT`.
    pub expire_at: &'static str,
    /// The command that removes members: `HDEL`.
    pub remove: &'static str,
    /// Deadlines were set.
    pub expires: Event,
    /// Deadlines were taken away.
    pub persists: Event,
    /// Members were removed.
    pub removed: Event,
}

/// A collection whose members may have deadlines. A member whose deadline has passed is not there.
pub trait ExpiringMembers: Collection {
    /// Its words.
    const VOCABULARY: &'static Vocabulary;
    /// The deadline of the member of this name; the outer `None`: there is no such member at `now_ms`.
    fn deadline_of(view: Self::Ref<'_>, name: &[u8], now_ms: i64) -> Option<Option<i64>>;
    /// Looks the member up, asks `fate` with its present deadline what is to become of it, and does that; `None`: there
    /// is no such member.
    fn settle(
        &mut self,
        limits: &Limits,
        name: &[u8],
        fate: impl FnOnce(Option<i64>) -> Fate,
    ) -> Option<Fate>;
}

/// Under which present deadline a new one may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    None,
    Absent,
    Present,
    Later,
    Earlier,
}

const CONDITIONS: [(&str, Condition); 4] = [
    ("NX", Condition::Absent),
    ("XX", Condition::Present),
    ("GT", Condition::Later),
    ("LT", Condition::Earlier),
];

impl Condition {
    fn read(args: &mut Args<'_>) -> Self {
        let found = CONDITIONS.iter().find(|(word, _)| args.flag(word));
        found.map_or(Condition::None, |(_, condition)| *condition)
    }

    fn word(self) -> Option<&'static str> {
        let found = CONDITIONS.iter().find(|(_, known)| *known == self);
        found.map(|(word, _)| *word)
    }

    /// A member without a deadline lives for ever: later than any.
    fn allows(self, present: Option<i64>, new: i64) -> bool {
        match self {
            Condition::None => true,
            Condition::Absent => present.is_none(),
            Condition::Present => present.is_some(),
            Condition::Later => present.is_some_and(|present| new > present),
            Condition::Earlier => present.is_none_or(|present| new < present),
        }
    }
}

/// A deadline in Unix milliseconds, which may have passed. `command` is named in the error.
pub fn deadline(
    unit: Unit,
    value: &[u8],
    now_ms: i64,
    command: &'static str,
) -> Result<i64, Error> {
    let value = number::parse_i64(value).ok_or(Error::NotInteger)?;
    if value < 0 {
        return Err(Error::Text("ERR invalid expire time, must be >= 0"));
    }
    unit.deadline_ms(value, now_ms)
        .filter(|deadline| *deadline <= DEADLINE_MAX_MS)
        .ok_or(Error::InvalidExpire(command))
}

/// Takes the keyword and the count of the names, which are all words that are left then.
pub fn names_follow(args: &mut Args<'_>, words: &Vocabulary) -> Result<(), Error> {
    names_follow_or(args, words, || {
        Error::err(format_args!(
            "Number of {} must be a positive integer",
            words.noun
        ))
    })
}

fn names_follow_or(
    args: &mut Args<'_>,
    words: &Vocabulary,
    no_count: impl Fn() -> Error,
) -> Result<(), Error> {
    if !args.flag(words.keyword) {
        return Err(Error::err(format_args!(
            "Mandatory argument {} is missing or not at the right position",
            words.keyword
        )));
    }
    let count = number::parse_i64(args.word()?).filter(|count| *count > 0);
    let count = count.ok_or_else(no_count)?;
    if usize::try_from(count) != Ok(args.left()) {
        return Err(Error::err(format_args!(
            "The `num{}` parameter must match the number of arguments",
            words.noun
        )));
    }
    Ok(())
}

/// The error of a command's words; but that the key is of another type comes before them.
#[cold]
pub fn type_first<T: ExpiringMembers>(ctx: &mut Ctx<'_>, key: &Key<'_>, error: Error) -> Error {
    match ctx.db.peek(key) {
        Some(record) if record.type_of() != T::TYPE => crate::types::WrongType.into(),
        _ => error,
    }
}

/// HEXPIRE and its like: seconds from now.
pub fn expire<T: ExpiringMembers>(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    expire_at::<T>(ctx, args, Unit::Seconds)
}

/// HPEXPIRE and its like: milliseconds from now.
pub fn pexpire<T: ExpiringMembers>(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    expire_at::<T>(ctx, args, Unit::Milliseconds)
}

/// HEXPIREAT and its like: Unix seconds.
pub fn expireat<T: ExpiringMembers>(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    expire_at::<T>(ctx, args, Unit::UnixSeconds)
}

/// HPEXPIREAT and its like: Unix milliseconds.
pub fn pexpireat<T: ExpiringMembers>(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
) -> Result<Flow, Error> {
    expire_at::<T>(ctx, args, Unit::UnixMilliseconds)
}

fn read_order<T: ExpiringMembers>(
    ctx: &Ctx<'_>,
    args: &mut Args<'_>,
    unit: Unit,
) -> Result<(i64, Condition), Error> {
    let words = T::VOCABULARY;
    let deadline = deadline(unit, args.word()?, ctx.db.wall_ms(), ctx.row.full_name)?;
    let condition = Condition::read(args);
    names_follow_or(args, words, || {
        Error::err(format_args!(
            "Parameter `{}` should be greater than 0",
            words.count
        ))
    })?;
    Ok((deadline, condition))
}

fn expire_at<T: ExpiringMembers>(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    unit: Unit,
) -> Result<Flow, Error> {
    let key = args.key()?;
    let (deadline, condition) = match read_order::<T>(ctx, args, unit) {
        Ok(order) => order,
        Err(error) => return Err(type_first::<T>(ctx, &key, error)),
    };
    let fate = if deadline <= ctx.db.now_ms() {
        Fate::Remove
    } else {
        Fate::Expire(deadline)
    };
    let names = args.rest();
    let Ctx { db, reply, .. } = ctx;
    let Some(mut edit) = db.edit::<T>(&key)? else {
        return no_such_key(ctx, names.len());
    };
    reply.array(names.len());
    let mut settled = Settled::new(ctx.propagate);
    let (value, limits) = edit.parts();
    for name in names {
        let done = value.settle(limits, name, |present| {
            if condition.allows(present, deadline) {
                fate
            } else {
                Fate::Stay
            }
        });
        reply.integer(match done {
            None => NO_MEMBER,
            Some(Fate::Stay | Fate::Persist) => REFUSED,
            Some(Fate::Expire(_)) => DONE,
            Some(Fate::Remove) => REMOVED,
        });
        if done == Some(fate) {
            settled.add(name);
        }
    }
    if settled.count == 0 {
        edit.unchanged();
        return Ok(Flow::Done);
    }
    let words = T::VOCABULARY;
    if fate == Fate::Remove {
        edit.changed(words.removed);
        propagate_removed(ctx.propagate, words, &key, &settled.names);
    } else {
        edit.changed(words.expires);
        let names = &settled.names;
        propagate_deadline(
            ctx.propagate,
            words,
            &key,
            (deadline, condition.word()),
            names,
        );
    }
    Ok(Flow::Done)
}

/// The members that a command did something to; their names only if somebody reads the stream.
struct Settled<'a> {
    count: usize,
    names: Vec<&'a [u8]>,
    wanted: bool,
}

impl<'a> Settled<'a> {
    fn new(propagate: &Propagate) -> Self {
        Self {
            count: 0,
            names: Vec::new(),
            wanted: propagate.is_wanted(),
        }
    }

    fn add(&mut self, name: &'a [u8]) {
        self.count += 1;
        if self.wanted {
            self.names.push(name);
        }
    }
}

/// Members that a command has removed go out as removed, instead of the command.
pub fn propagate_removed(
    propagate: &mut Propagate,
    words: &Vocabulary,
    key: &Key<'_>,
    names: &[&[u8]],
) {
    if propagate.is_wanted() {
        let head: [&[u8]; 2] = [words.remove.as_bytes(), key.bytes];
        propagate.instead(&[&head, names].concat());
    }
}

/// Members that got a deadline, and the condition under which they did, go out with it, instead of the command.
pub fn propagate_deadline(
    propagate: &mut Propagate,
    words: &Vocabulary,
    key: &Key<'_>,
    deadline: (i64, Option<&str>),
    names: &[&[u8]],
) {
    if !propagate.is_wanted() {
        return;
    }
    let (at, count) = (deadline.0.to_string(), names.len().to_string());
    let mut all: Vec<&[u8]> = vec![words.expire_at.as_bytes(), key.bytes, at.as_bytes()];
    all.extend(deadline.1.map(str::as_bytes));
    all.extend([words.keyword.as_bytes(), count.as_bytes()]);
    all.extend(names);
    propagate.instead(&all);
}

fn no_such_key(ctx: &mut Ctx<'_>, names: usize) -> Result<Flow, Error> {
    ctx.reply.array(names);
    (0..names).for_each(|_| ctx.reply.integer(NO_MEMBER));
    Ok(Flow::Done)
}

/// HTTL and its like: seconds left.
pub fn ttl<T: ExpiringMembers>(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer::<T>(ctx, args, |deadline, now_ms| in_seconds(deadline - now_ms))
}

/// HPTTL and its like: milliseconds left.
pub fn pttl<T: ExpiringMembers>(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    answer::<T>(ctx, args, |deadline, now_ms| deadline - now_ms)
}

/// HEXPIRETIME and its like: the deadline in Unix seconds.
pub fn expiretime<T: ExpiringMembers>(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
) -> Result<Flow, Error> {
    answer::<T>(ctx, args, |deadline, _| in_seconds(deadline))
}

/// HPEXPIRETIME and its like: the deadline in Unix milliseconds.
pub fn pexpiretime<T: ExpiringMembers>(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
) -> Result<Flow, Error> {
    answer::<T>(ctx, args, |deadline, _| deadline)
}

/// Whole seconds, a begun one included.
fn in_seconds(ms: i64) -> i64 {
    ms / 1000 + i64::from(ms % 1000 > 0)
}

/// Answers what `of` makes of each member's deadline and the time.
fn answer<T: ExpiringMembers>(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    of: impl Fn(i64, i64) -> i64,
) -> Result<Flow, Error> {
    let key = args.key()?;
    if let Err(error) = names_follow(args, T::VOCABULARY) {
        return Err(type_first::<T>(ctx, &key, error));
    }
    let names = args.rest();
    let now_ms = ctx.db.now_ms();
    let Ctx { db, reply, .. } = ctx;
    let Some(view) = db.read::<T>(&key)? else {
        return no_such_key(ctx, names.len());
    };
    reply.array(names.len());
    for name in names {
        reply.integer(match T::deadline_of(view, name, now_ms) {
            None => NO_MEMBER,
            Some(None) => NO_DEADLINE,
            Some(Some(deadline)) => of(deadline, now_ms),
        });
    }
    Ok(Flow::Done)
}

/// HPERSIST and its like.
pub fn persist<T: ExpiringMembers>(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    if let Err(error) = names_follow(args, T::VOCABULARY) {
        return Err(type_first::<T>(ctx, &key, error));
    }
    let names = args.rest();
    let Ctx { db, reply, .. } = ctx;
    let Some(mut edit) = db.edit::<T>(&key)? else {
        return no_such_key(ctx, names.len());
    };
    reply.array(names.len());
    let mut persisted = false;
    let (value, limits) = edit.parts();
    for name in names {
        let done = value.settle(limits, name, |present| match present {
            Some(_) => Fate::Persist,
            None => Fate::Stay,
        });
        persisted |= done == Some(Fate::Persist);
        reply.integer(match done {
            None => NO_MEMBER,
            Some(Fate::Persist) => DONE,
            Some(_) => NO_DEADLINE,
        });
    }
    if persisted {
        edit.changed(T::VOCABULARY.persists);
    } else {
        edit.unchanged();
    }
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_not_negative_and_end_in_the_year_4199() {
        let at = |unit, value: &str| deadline(unit, value.as_bytes(), 1_000, "hexpire");
        assert_eq!(at(Unit::Seconds, "0"), Ok(1_000));
        assert_eq!(
            at(Unit::UnixMilliseconds, "70368744177663"),
            Ok(DEADLINE_MAX_MS)
        );
        let invalid = Err(Error::InvalidExpire("hexpire"));
        assert_eq!(at(Unit::UnixMilliseconds, "70368744177664"), invalid);
        assert_eq!(at(Unit::Seconds, "9223372036854775807"), invalid);
        assert_eq!(at(Unit::Seconds, "1.5"), Err(Error::NotInteger));
        assert_eq!(
            at(Unit::Seconds, "-1"),
            Err(Error::Text("ERR invalid expire time, must be >= 0"))
        );
    }

    #[test]
    fn no_deadline_is_later_than_any() {
        assert!(Condition::Earlier.allows(None, 5) && !Condition::Later.allows(None, 5));
        assert!(Condition::Earlier.allows(Some(6), 5) && !Condition::Earlier.allows(Some(5), 5));
        assert!(Condition::Later.allows(Some(4), 5) && !Condition::Later.allows(Some(5), 5));
        assert!(Condition::Absent.allows(None, 5) && !Condition::Present.allows(None, 5));
    }

    #[test]
    fn a_begun_second_counts() {
        assert_eq!((in_seconds(0), in_seconds(1)), (0, 1));
        assert_eq!((in_seconds(1000), in_seconds(1001)), (1, 2));
    }
}
