//! The fieldsets of a connection: lists of field names under a name, which HIMPORT SET takes in place of the names.
//! They belong to the connection alone and end with it, or at RESET.

use std::collections::HashMap;

/// Names of fields, in the order in which values come.
type Fields = Box<[Box<[u8]>]>;

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Fieldsets {
    by_name: HashMap<Box<[u8]>, Fields>,
    heap_bytes: usize,
}

/// Bytes that a fieldset takes beside its words.
const OVERHEAD_BYTES: usize = 64;

impl Fieldsets {
    /// Keeps these fields, which are different, under a name; the fieldset that had it is forgotten.
    pub fn put(&mut self, name: &[u8], fields: &[&[u8]]) {
        self.remove(name);
        let fields: Fields = fields.iter().map(|field| Box::from(*field)).collect();
        self.heap_bytes += bytes_of(name, &fields);
        self.by_name.insert(name.into(), fields);
    }

    /// The fields under a name.
    pub fn get(&self, name: &[u8]) -> Option<&[Box<[u8]>]> {
        self.by_name.get(name).map(|fields| &**fields)
    }

    /// Forgets a fieldset; whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Some(fields) = self.by_name.remove(name) else {
            return false;
        };
        self.heap_bytes -= bytes_of(name, &fields);
        true
    }

    /// Fieldsets.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Bytes that they take, about.
    pub fn heap_bytes(&self) -> usize {
        self.heap_bytes
    }
}

fn bytes_of(name: &[u8], fields: &[Box<[u8]>]) -> usize {
    let words: usize = fields.iter().map(|field| field.len()).sum();
    OVERHEAD_BYTES + name.len() + words + size_of_val(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_takes_no_memory() {
        let mut sets = Fieldsets::default();
        sets.put(b"one", &[b"a", b"b"]);
        sets.put(b"one", &[b"longer"]);
        assert_eq!(sets.get(b"one").map(<[_]>::len), Some(1));
        assert!(sets.heap_bytes() > 0 && sets.len() == 1);
        assert!(sets.remove(b"one") && !sets.remove(b"one"));
        assert!(sets.is_empty() && sets.heap_bytes() == 0);
    }
}
