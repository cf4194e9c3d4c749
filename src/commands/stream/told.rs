//! What goes out for changes of groups that no command's own words tell: deliveries name their time and count, so that
//! they come out the same everywhere.

use crate::command::Propagate;
use crate::types::stream::{Group, Pending, StreamId};

/// A group of one key, for those who want to tell of its changes.
pub(super) struct Teller<'a> {
    propagate: &'a mut Propagate,
    key: &'a [u8],
    group: &'a [u8],
}

impl<'a> Teller<'a> {
    /// Nothing goes out but what is told from now on.
    pub(super) fn new(propagate: &'a mut Propagate, key: &'a [u8], group: &'a [u8]) -> Self {
        propagate.nothing();
        Self::more(propagate, key, group)
    }

    /// The same beside what was told of other keys.
    pub(super) fn more(propagate: &'a mut Propagate, key: &'a [u8], group: &'a [u8]) -> Self {
        Self {
            propagate,
            key,
            group,
        }
    }

    /// A consumer came into being.
    pub(super) fn created(&mut self, consumer: &[u8]) {
        let words = [
            b"XGROUP",
            &b"CREATECONSUMER"[..],
            self.key,
            self.group,
            consumer,
        ];
        self.propagate.also(&words);
    }

    /// An entry is pending for this consumer.
    pub(super) fn delivered(
        &mut self,
        consumer: &[u8],
        id: StreamId,
        pending: &Pending,
        last_id: StreamId,
    ) {
        if !self.propagate.is_wanted() {
            return;
        }
        let (time, count) = (
            pending.delivered_ms.to_string(),
            pending.deliveries.to_string(),
        );
        self.propagate.also(&[
            b"XCLAIM",
            self.key,
            self.group,
            consumer,
            b"0",
            &id.to_vec(),
            b"TIME",
            time.as_bytes(),
            b"RETRYCOUNT",
            count.as_bytes(),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            &last_id.to_vec(),
        ]);
    }

    /// An entry that is gone is not pending any more.
    pub(super) fn acknowledged(&mut self, id: StreamId) {
        if self.propagate.is_wanted() {
            self.propagate
                .also(&[b"XACK", self.key, self.group, &id.to_vec()]);
        }
    }

    /// The group has read up to where it is now.
    pub(super) fn read(&mut self, group: &Group) {
        if !self.propagate.is_wanted() {
            return;
        }
        let entries_read = group.entries_read.map_or(-1, u64::cast_signed).to_string();
        self.propagate.also(&[
            b"XGROUP",
            b"SETID",
            self.key,
            self.group,
            &group.last_id.to_vec(),
            b"ENTRIESREAD",
            entries_read.as_bytes(),
        ]);
    }
}
