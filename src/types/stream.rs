//! Streams.

use super::{Collection, Form, Object, Scratch, Stored, Type, View};

/// A stream.
#[derive(Debug, Default)]
pub struct Stream {}

impl View for &Stream {
    fn encoding(self) -> &'static str {
        "stream"
    }
    fn len(self) -> usize {
        0
    }
    fn visit(self, _now_ms: i64, _visit: &mut dyn FnMut(&[&[u8]])) {}
}

impl Stored for Stream {
    fn type_of(&self) -> Type {
        Type::Stream
    }
    fn len(&self) -> usize {
        0
    }
    /// A stream without entries is a stream.
    fn is_empty(&self) -> bool {
        false
    }
    fn heap_bytes(&self) -> usize {
        size_of::<Self>()
    }
    fn free_effort(&self) -> usize {
        1
    }
    fn copy(&self) -> Object {
        Object::Stream(Box::new(Self {}))
    }
}

impl Collection for Stream {
    const TYPE: Type = Type::Stream;
    type Ref<'a> = &'a Stream;

    fn view(&self) -> &Stream {
        self
    }

    fn view_packed(_: Form, _: &[u8]) -> &'static Stream {
        unreachable!("a stream is never packed")
    }

    /// A stream is never packed: this empties it.
    fn load(&mut self, _: Form, _: &[u8]) {
        *self = Self::default();
    }

    fn packed(&self) -> Option<(Form, &[u8])> {
        None
    }

    fn of(object: &Object) -> Option<&Self> {
        match object {
            Object::Stream(value) => Some(value),
            _ => None,
        }
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        match object {
            Object::Stream(value) => Some(value),
            _ => None,
        }
    }

    fn into_object(self) -> Object {
        Object::Stream(Box::new(self))
    }

    fn scratch(scratch: &mut Scratch) -> &mut Self {
        &mut scratch.stream
    }
}
