//! What a command says about the deadline of the keys it touches: EX, PX, EXAT, PXAT, and KEEPTTL or PERSIST where the
//! command has them. Also how a string is stored under a deadline, which may have passed already.
//!
//! Only one of these words may be said. The value of a deadline is judged after the grammar of the whole command.

use crate::command::expiry::{self, Unit};
use crate::command::{Args, Error};
use crate::keyspace::db::{Database, Deadline};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::string::NewString;

/// See the head of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime<'a> {
    /// Nothing was said.
    Unsaid,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Persist,
    /// A deadline in this unit; the number is still text.
    Until(Unit, &'a [u8]),
}

impl<'a> Lifetime<'a> {
    /// Takes the next words if they speak of a deadline, or if the next is the command's own `word` that means
    /// `meaning`; whether they did. The same option may come again and then counts; two different ones may not.
    pub(super) fn take(
        &mut self,
        args: &mut Args<'a>,
        word: &str,
        meaning: Lifetime<'a>,
    ) -> Result<bool, Error> {
        let said = if args.flag(word) {
            meaning
        } else if let Some((unit, value)) = expiry::option(args)? {
            Lifetime::Until(unit, value)
        } else {
            return Ok(false);
        };
        let fits = match (*self, said) {
            (Lifetime::Unsaid, _) => true,
            (Lifetime::Until(before, _), Lifetime::Until(now, _)) => before == now,
            (before, now) => before == now,
        };
        if !fits {
            return Err(Error::Syntax);
        }
        *self = said;
        Ok(true)
    }

    /// What becomes of the deadline of a key that gets a new value.
    pub(super) fn deadline(self, now_ms: i64, command: &'static str) -> Result<Deadline, Error> {
        Ok(match self {
            Lifetime::Unsaid | Lifetime::Persist => Deadline::Clear,
            Lifetime::Keep => Deadline::Keep,
            Lifetime::Until(unit, value) => {
                Deadline::At(expiry::deadline(unit, value, now_ms, command)?)
            }
        })
    }

    /// Whether it means the same at any time and on any machine: the words can be propagated as they are.
    pub(super) fn is_absolute(self) -> bool {
        !matches!(
            self,
            Lifetime::Until(Unit::Seconds | Unit::Milliseconds | Unit::UnixSeconds, _)
        )
    }
}

/// Whether a key of this deadline is not to be there at all.
pub(super) fn has_passed(deadline: Deadline, now_ms: i64) -> bool {
    matches!(deadline, Deadline::At(at) if at <= now_ms)
}

/// Gives the key a string and a deadline, announced as SET does; a key whose deadline has passed expires at once.
#[inline]
pub(super) fn store(
    db: &mut Database<'_>,
    key: &Key<'_>,
    value: NewString<'_>,
    deadline: Deadline,
) {
    if has_passed(deadline, db.now_ms()) {
        let mut edit = db.put(key, value, Deadline::Clear);
        edit.also(event::SET);
        edit.changed(event::EXPIRE);
        db.remove(key, event::EXPIRED);
        return;
    }
    let mut edit = db.put(key, value, deadline);
    if matches!(deadline, Deadline::At(_)) {
        edit.also(event::SET);
        edit.changed(event::EXPIRE);
    } else {
        edit.changed(event::SET);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Seeds;
    use crate::keyspace::Keyspace;
    use crate::keyspace::event::class;

    const NOW_MS: i64 = 1_000;

    /// The events of storing `a` under these deadlines, one after the other.
    fn events(deadlines: &[Deadline]) -> Vec<&'static str> {
        let mut keyspace = Keyspace::new(1, Seeds::fixed(1));
        keyspace.set_now_ms(NOW_MS);
        keyspace.set_notify(class::of_letters("KEA"));
        for deadline in deadlines {
            let mut db = Database::new(&mut keyspace, 0, true);
            let key = db.key(b"a");
            store(&mut db, &key, NewString::Bytes(b"v"), *deadline);
        }
        let notifications = keyspace.take_notifications();
        notifications.iter().map(|note| note.event.name).collect()
    }

    #[test]
    fn storing_is_announced_before_the_deadline() {
        assert_eq!(events(&[Deadline::Clear]), ["set"]);
        assert_eq!(events(&[Deadline::Keep]), ["set"]);
        assert_eq!(events(&[Deadline::At(NOW_MS + 1)]), ["set", "expire"]);
    }

    #[test]
    fn a_deadline_that_has_passed_expires_the_key_at_once() {
        let expired = ["set", "expire", "expired"];
        assert_eq!(events(&[Deadline::At(NOW_MS)]), expired);
    }
}
