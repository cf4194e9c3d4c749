//! The log of changed names, for those who remember what clients have read. It is kept only while somebody asks for it.
//!
//! Names lie one behind the other in one buffer, which is used again: a change costs no allocation.

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A key was changed by a command.
    Key(&'a [u8]),
    /// A key was taken away by expiry or eviction, which no client asked for.
    Removed(&'a [u8]),
    /// A database was emptied.
    Flush,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Key,
    Removed,
    Flush,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Changes {
    names: Vec<u8>,
    /// What happened, and where its name ends.
    entries: Vec<(What, usize)>,
}

/// Room for names that is kept.
const KEPT_MAX_BYTES: usize = 64 << 10;

impl Changes {
    /// Whether nothing was noted.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn note_key(&mut self, name: &[u8], by_command: bool) {
        self.names.extend_from_slice(name);
        let what = if by_command { What::Key } else { What::Removed };
        self.entries.push((what, self.names.len()));
    }

    /// Databases that are emptied one after the other are one change.
    pub(super) fn note_flush(&mut self) {
        if !matches!(self.entries.last(), Some((What::Flush, _))) {
            self.entries.push((What::Flush, self.names.len()));
        }
    }

    /// What was noted, in order.
    pub fn iter(&self) -> impl Iterator<Item = Change<'_>> {
        let mut start = 0;
        self.entries.iter().map(move |(what, end)| {
            let name = &self.names[start..*end];
            start = *end;
            match what {
                What::Key => Change::Key(name),
                What::Removed => Change::Removed(name),
                What::Flush => Change::Flush,
            }
        })
    }

    /// Forgets what was noted.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.names.clear();
        if self.names.capacity() > KEPT_MAX_BYTES {
            self.names = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_back_in_order_and_flushes_in_a_row_as_one() {
        let mut changes = Changes::default();
        changes.note_key(b"a", true);
        changes.note_key(b"", false);
        changes.note_flush();
        changes.note_flush();
        changes.note_key(b"bc", true);
        let noted: Vec<Change<'_>> = changes.iter().collect();
        let expected = [
            Change::Key(b"a"),
            Change::Removed(b""),
            Change::Flush,
            Change::Key(b"bc"),
        ];
        assert_eq!(noted, expected);
        changes.clear();
        assert!(changes.is_empty() && changes.iter().next().is_none());
    }
}
