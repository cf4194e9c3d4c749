//! SEXPIRE and its relatives: deadlines of members, in the grammar that hashes, sets and sorted sets share.
//!
//! A deadline belongs to the member in its set: SADD of a member that is there leaves it, and what SMOVE, SINTERSTORE and
//! their like put into another set has none.

use crate::command::member_expiry::{ExpiringMembers, Vocabulary};
use crate::keyspace::event;
use crate::types::set::{Set, SetRef};
use crate::types::{Collection, Fate, Limits};

impl ExpiringMembers for Set {
    const VOCABULARY: &'static Vocabulary = &Vocabulary {
        keyword: "MEMBERS",
        noun: "members",
        count: "numMembers",
        expire_at: "SPEXPIREAT",
        remove: "SREM",
        expires: event::SEXPIRE,
        persists: event::SPERSIST,
        removed: event::SREM,
    };

    fn deadline_of(view: SetRef<'_>, name: &[u8], now_ms: i64) -> Option<Option<i64>> {
        view.deadline_of(name, now_ms)
    }

    fn settle(
        &mut self,
        limits: &Limits,
        name: &[u8],
        fate: impl FnOnce(Option<i64>) -> Fate,
    ) -> Option<Fate> {
        let fate = fate(self.view().deadline_of(name, limits.now_ms)?);
        match fate {
            Fate::Stay => {}
            Fate::Expire(deadline) => self.set_deadline(name, Some(deadline), limits),
            Fate::Persist => self.set_deadline(name, None, limits),
            Fate::Remove => {
                self.remove(name);
            }
        }
        Some(fate)
    }
}
