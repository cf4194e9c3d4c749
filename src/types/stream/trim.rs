//! Deletes entries from the beginning of a stream, and what groups still hold of deleted entries.

use super::Stream;
use super::group::Groups;
use super::id::StreamId;

/// What remains of a stream that is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// MAXLEN: so many entries.
    Entries(u64),
    /// MINID: the entries from this id on.
    From(StreamId),
}

/// What becomes of an entry that groups have delivered and consumers not acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// KEEPREF: the entry goes, its id stays pending.
    #[default]
    Keep,
    /// DELREF: both go.
    Delete,
    /// ACKED: only entries go that each group has delivered and had acknowledged.
    Acknowledged,
}

/// How a stream is trimmed.
#[derive(Clone, Copy, Debug)]
pub struct Trim {
    /// What remains.
    pub bound: Bound,
    /// Only whole nodes go.
    pub approximate: bool,
    /// Not more entries than this go, if only whole nodes do; 0: no limit.
    pub limit: u64,
    /// What becomes of pending entries.
    pub references: References,
}

impl Stream {
    /// Deletes entries; how many.
    pub fn trim(&mut self, trim: &Trim) -> u64 {
        let before = self.log.len;
        let mut index = 0;
        while let Some(node) = self.log.nodes.get(index) {
            if let Bound::Entries(max) = trim.bound
                && self.log.len <= max
            {
                break;
            }
            let live = node.counts().live as u64;
            if trim.limit > 0 && before - self.log.len + live > trim.limit {
                break;
            }
            let whole = match trim.bound {
                Bound::Entries(max) => self.log.len - live >= max,
                Bound::From(id) => node.last() < id,
            };
            if !whole && trim.approximate {
                break;
            }
            if whole && trim.references != References::Acknowledged {
                self.drop_node(index, live, trim.references);
                continue;
            }
            let kept = self.trim_node(index, trim);
            if !whole {
                break;
            }
            index += usize::from(kept);
        }
        let deleted = before - self.log.len;
        if deleted > 0 {
            self.log.find_first();
        }
        deleted
    }

    /// Drops a node with its `live` entries.
    fn drop_node(&mut self, index: usize, live: u64, references: References) {
        let node = self.log.nodes.remove(index);
        self.log.len -= live;
        if let Some(mut node) = node.filter(|_| references == References::Delete) {
            let groups = &mut self.groups;
            node.delete_first(|id| {
                forget(groups, id);
                Some(true)
            });
        }
    }

    /// Deletes single entries at the beginning of a node; whether any is left in it.
    fn trim_node(&mut self, index: usize, trim: &Trim) -> bool {
        let (groups, len) = (&mut self.groups, &mut self.log.len);
        let Some(node) = self.log.nodes.get_mut(index) else {
            return false;
        };
        node.delete_first(|id| {
            let goes = match trim.bound {
                Bound::Entries(max) => *len > max,
                Bound::From(from) => id < from,
            };
            if !goes {
                return None;
            }
            match trim.references {
                References::Acknowledged if is_referenced(groups, id) => return Some(false),
                References::Delete => drop(forget(groups, id)),
                _ => {}
            }
            *len -= 1;
            Some(true)
        });
        let kept = node.counts().live > 0;
        if !kept {
            self.log.nodes.remove(index);
        }
        kept
    }

    /// Deletes one entry. `None`: there is none of that id; `Some(false)`: it has to stay for the sake of a group.
    pub fn delete(&mut self, id: StreamId, references: References) -> Option<bool> {
        match references {
            References::Keep => {}
            References::Delete => drop(forget(&mut self.groups, id)),
            References::Acknowledged => {
                if is_referenced(&self.groups, id) && self.log.contains(id) {
                    return Some(false);
                }
            }
        }
        self.log.delete(id).then_some(true)
    }

    /// Whether a group has this entry pending.
    pub fn is_pending(&self, id: StreamId) -> bool {
        self.groups
            .values()
            .any(|group| group.pending(id).is_some())
    }
}

/// Whether a group has yet to deliver the entry, or to have it acknowledged.
fn is_referenced(groups: &Groups, id: StreamId) -> bool {
    let mut groups = groups.values();
    groups.any(|group| group.last_id < id || group.pending(id).is_some())
}

/// No group has the entry pending any more; whether one had.
fn forget(groups: &mut Groups, id: StreamId) -> bool {
    groups
        .values_mut()
        .fold(false, |had, group| group.acknowledge(id) | had)
}
