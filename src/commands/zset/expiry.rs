//! ZEXPIRE and its relatives: deadlines of members, in the grammar that hashes, sets and sorted sets share.

use crate::command::member_expiry::{ExpiringMembers, Fate, Vocabulary};
use crate::keyspace::event;
use crate::types::Limits;
use crate::types::zset::{Zset, ZsetRef};

impl ExpiringMembers for Zset {
    const VOCABULARY: &'static Vocabulary = &Vocabulary {
        keyword: "MEMBERS",
        noun: "members",
        count: "numMembers",
        expire_at: "ZPEXPIREAT",
        remove: "ZREM",
        expires: event::ZEXPIRE,
        persists: event::ZPERSIST,
        removed: event::ZREM,
    };

    fn deadline_of(view: ZsetRef<'_>, name: &[u8], now_ms: i64) -> Option<Option<i64>> {
        let deadline = view.deadline(name)?;
        // While the data set stands still, members stay that are due.
        deadline
            .is_none_or(|deadline| deadline >= now_ms)
            .then_some(deadline)
    }

    fn settle(
        &mut self,
        limits: &Limits,
        name: &[u8],
        fate: impl FnOnce(Option<i64>) -> Fate,
    ) -> Option<Fate> {
        let fate = fate(self.deadline(name)?);
        match fate {
            Fate::Stay => {}
            Fate::Expire(deadline) => {
                self.set_deadline(name, Some(deadline), limits);
            }
            Fate::Persist => {
                self.set_deadline(name, None, limits);
            }
            Fate::Remove => {
                self.remove(name);
            }
        }
        Some(fate)
    }
}
