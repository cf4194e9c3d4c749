//! The listpack of a node, which a snapshot may hold too: who changes it then gets a copy of its own first.

use crate::ds::listpack::Listpack;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) enum SharedPack {
    /// The node's own.
    Own(Listpack),
    /// A snapshot may hold it too.
    Shared(Arc<Listpack>),
}

impl SharedPack {
    /// The listpack for somebody else, for whom it stays as it is now.
    pub(super) fn share(&mut self) -> Arc<Listpack> {
        if let Self::Own(pack) = self {
            *self = Self::Shared(Arc::new(std::mem::take(pack)));
        }
        match self {
            Self::Shared(pack) => Arc::clone(pack),
            Self::Own(_) => unreachable!("it has become a shared one"),
        }
    }

    #[cold]
    fn unshare(&mut self) {
        if let Self::Shared(pack) = self {
            *self = Self::Own(Arc::unwrap_or_clone(std::mem::take(pack)));
        }
    }
}

impl Deref for SharedPack {
    type Target = Listpack;

    #[inline]
    fn deref(&self) -> &Listpack {
        match self {
            Self::Own(pack) => pack,
            Self::Shared(pack) => pack,
        }
    }
}

impl DerefMut for SharedPack {
    #[inline]
    fn deref_mut(&mut self) -> &mut Listpack {
        if let Self::Shared(_) = self {
            self.unshare();
        }
        match self {
            Self::Own(pack) => pack,
            Self::Shared(_) => unreachable!("it has become the node's own"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_what_was_shared_as_it_was() {
        let mut pack = SharedPack::Own(Listpack::new());
        pack.push_back(b"one");
        let held = pack.share();
        assert!(Arc::ptr_eq(&held, &pack.share()));
        pack.push_back(b"two");
        assert_eq!((held.pack().len(), pack.pack().len()), (1, 2));
        drop(pack.share());
        pack.push_back(b"three");
        assert_eq!(pack.pack().len(), 3);
    }
}
