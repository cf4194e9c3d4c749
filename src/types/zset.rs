//! Zsets.

use super::{Collection, Form, Object, Scratch, Stored, Type, View};
use crate::ds::listpack::{Listpack, Pack};

/// A zset.
#[derive(Debug)]
pub enum Zset {
    /// A short one.
    Packed(Listpack),
}

/// A zset that is being read.
#[derive(Clone, Copy, Debug)]
pub enum ZsetRef<'a> {
    /// A short one.
    Packed(Pack<'a>),
}

impl Default for Zset {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl View for ZsetRef<'_> {
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

impl Stored for Zset {
    fn type_of(&self) -> Type {
        Type::Zset
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
            Self::Packed(pack) => Object::Zset(Self::Packed(pack.clone())),
        }
    }
}

impl Collection for Zset {
    const TYPE: Type = Type::Zset;
    type Ref<'a> = ZsetRef<'a>;

    fn view(&self) -> ZsetRef<'_> {
        match self {
            Self::Packed(pack) => ZsetRef::Packed(pack.pack()),
        }
    }

    fn view_packed(_: Form, bytes: &[u8]) -> ZsetRef<'_> {
        ZsetRef::Packed(Pack::new(bytes))
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
            Object::Zset(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Zset(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Zset(self)
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.zset
    }
}
