//! Prefixes of names that clients with BCAST want to hear of, and the names that have changed since they were told.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Changed names, each with the client whose command changed it last.
pub(super) type Names = BTreeMap<Box<[u8]>, Option<u64>>;

#[derive(Debug, Default)]
struct Prefix {
    readers: BTreeSet<u64>,
    changed: Names,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    prefixes: BTreeMap<Box<[u8]>, Prefix>,
    has_news: bool,
}

impl Prefixes {
    /// Prefixes that anybody asked for.
    pub(super) fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// Whether names have changed since the last [`Self::take_news`].
    #[inline]
    pub(super) fn has_news(&self) -> bool {
        self.has_news
    }

    /// The client wants to hear of names with this prefix; whether it did not before.
    pub(super) fn add(&mut self, prefix: &[u8], id: u64) -> bool {
        let prefix = self.prefixes.entry(prefix.into()).or_default();
        prefix.readers.insert(id)
    }

    /// It does not any more.
    pub(super) fn remove(&mut self, prefix: &[u8], id: u64) {
        if let Entry::Occupied(mut entry) = self.prefixes.entry(prefix.into()) {
            entry.get_mut().readers.remove(&id);
            if entry.get().readers.is_empty() {
                entry.remove();
            }
        }
    }

    /// A key was changed by this client.
    #[inline]
    pub(super) fn note(&mut self, name: &[u8], by: Option<u64>) {
        for (prefix, state) in &mut self.prefixes {
            if name.starts_with(prefix) {
                self.has_news = true;
                match state.changed.get_mut(name) {
                    Some(last) => *last = by,
                    None => {
                        state.changed.insert(name.into(), by);
                    }
                }
            }
        }
    }

    /// Hands out the readers of each prefix and the names that have changed, and forgets these.
    pub(super) fn take_news(&mut self, mut tell: impl FnMut(&BTreeSet<u64>, &Names)) {
        self.has_news = false;
        for state in self.prefixes.values_mut() {
            if !state.changed.is_empty() {
                tell(&state.readers, &std::mem::take(&mut state.changed));
            }
        }
    }
}
