//! Sets.

use super::{Collection, Form, Object, Scratch, Stored, Type, View};
use crate::ds::listpack::{Listpack, Pack};

/// A set.
#[derive(Debug)]
pub enum Set {
    /// A short one.
    Packed(Listpack),
}

/// A set that is being read.
#[derive(Clone, Copy, Debug)]
pub enum SetRef<'a> {
    /// A short one.
    Packed(Pack<'a>),
}

impl Default for Set {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl View for SetRef<'_> {
    fn encoding(self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Packed(pack) => pack.len(),
        }
    }

    fn visit(self, _now_ms: i64, visit: &mut dyn FnMut(&[&[u8]])) {
        match self {
            Self::Packed(pack) => {
                let mut room = Vec::new();
                for item in pack.iter() {
                    visit(&[item.element.bytes(&mut room)]);
                }
            }
        }
    }
}

impl Stored for Set {
    fn type_of(&self) -> Type {
        Type::Set
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
            Self::Packed(pack) => Object::Set(Self::Packed(pack.clone())),
        }
    }
}

impl Collection for Set {
    const TYPE: Type = Type::Set;
    type Ref<'a> = SetRef<'a>;

    fn view(&self) -> SetRef<'_> {
        match self {
            Self::Packed(pack) => SetRef::Packed(pack.pack()),
        }
    }

    fn view_packed(_: Form, bytes: &[u8]) -> SetRef<'_> {
        SetRef::Packed(Pack::new(bytes))
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
            Object::Set(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Set(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Set(self)
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.set
    }
}
