//! Hashs.

use super::{Collection, Form, Object, Scratch, Stored, Type, View};
use crate::ds::listpack::{Listpack, Pack};

/// A hash.
#[derive(Debug)]
pub enum Hash {
    /// A short one.
    Packed(Listpack),
}

/// A hash that is being read.
#[derive(Clone, Copy, Debug)]
pub enum HashRef<'a> {
    /// A short one.
    Packed(Pack<'a>),
}

impl Default for Hash {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl View for HashRef<'_> {
    fn encoding(self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Packed(pack) => pack.len() / 2,
        }
    }

    fn visit(self, _now_ms: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        match self {
            Self::Packed(pack) => {
                let mut rooms = (Vec::new(), Vec::new());
                let mut items = pack.iter();
                while let (Some(one), Some(other)) = (items.next(), items.next()) {
                    let name = one.element.bytes(&mut rooms.0);
                    visit(&[name, other.element.bytes(&mut rooms.1)]);
                }
            }
        }
    }
}

impl Stored for Hash {
    fn type_of(&self) -> Type {
        Type::Hash
    }
    fn len(&self) -> usize {
        self.view().len()
    }
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(pack) => pack.capacity(),
        }
    }
    fn free_effort(&self) -> usize {
        match self {
            Self::Packed(_) => 1,
        }
    }
    fn copy(&self) -> Object {
        match self {
            Self::Packed(pack) => Object::Hash(Self::Packed(pack.clone())),
        }
    }
}

impl Collection for Hash {
    const TYPE: Type = Type::Hash;
    type Ref<'a> = HashRef<'a>;

    fn view(&self) -> HashRef<'_> {
        match self {
            Self::Packed(pack) => HashRef::Packed(pack.pack()),
        }
    }

    fn view_packed(_: Form, bytes: &[u8]) -> HashRef<'_> {
        HashRef::Packed(Pack::new(bytes))
    }

    fn load(&mut self, _: Form, bytes: &[u8]) {
        match self {
            Self::Packed(pack) => pack.load(Pack::new(bytes)),
        }
    }

    fn packed(&self) -> Option<(Form, &[u8])> {
        match self {
            Self::Packed(pack) => Some((Form::Listpack, pack.pack().bytes())),
        }
    }

    fn shrink(&mut self) {
        match self {
            Self::Packed(pack) => pack.shrink(),
        }
    }

    fn of(object: &Object) -> Option<&Self> {
        match object {
            Object::Hash(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Hash(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Hash(self)
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.hash
    }
}
