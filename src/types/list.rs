//! Lists.

use super::{Collection, Form, Object, Scratch, Stored, Type, View};
use crate::ds::listpack::{Listpack, Pack};

/// A list.
#[derive(Debug)]
pub enum List {
    /// A short one.
    Packed(Listpack),
}

/// A list that is being read.
#[derive(Clone, Copy, Debug)]
pub enum ListRef<'a> {
    /// A short one.
    Packed(Pack<'a>),
}

impl Default for List {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl View for ListRef<'_> {
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

impl Stored for List {
    fn type_of(&self) -> Type {
        Type::List
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
            Self::Packed(pack) => Object::List(Self::Packed(pack.clone())),
        }
    }
}

impl Collection for List {
    const TYPE: Type = Type::List;
    type Ref<'a> = ListRef<'a>;

    fn view(&self) -> ListRef<'_> {
        match self {
            Self::Packed(pack) => ListRef::Packed(pack.pack()),
        }
    }

    fn view_packed(_: Form, bytes: &[u8]) -> ListRef<'_> {
        ListRef::Packed(Pack::new(bytes))
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
            Object::List(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::List(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::List(self)
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.list
    }
}
