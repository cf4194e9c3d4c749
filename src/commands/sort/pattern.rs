//! The patterns of BY and GET, and the values that they name: an element takes the place of the first asterisk.
//!
//! | pattern | names |
//! |---|---|
//! | `#` | the element itself |
//! | `before*after` | the string of that key |
//! | `before*after->field` | a field of the hash of that key |
//! | anything without an asterisk | nothing |
//!
//! A key that is missing or of another type has no value. Keys are looked up a batch at a time, so that their cache misses
//! overlap.

use super::words::Words;
use crate::keyspace::db::{Database, Str};
use crate::keyspace::entry::Key;
use crate::types::hash::Hash;
use crate::types::string::Digits;

/// Elements whose keys are looked up together.
const BATCH: usize = 32;

/// See the head of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern<'a> {
    Element,
    Nothing,
    Key {
        before: &'a [u8],
        after: &'a [u8],
        field: Option<&'a [u8]>,
    },
}

impl<'a> Pattern<'a> {
    /// The pattern of BY, where `#` has no meaning of its own.
    pub(super) fn of_order(pattern: &'a [u8]) -> Self {
        if pattern == b"#" {
            return Pattern::Nothing;
        }
        Self::of(pattern)
    }

    /// The pattern of GET.
    pub(super) fn of(pattern: &'a [u8]) -> Self {
        if pattern == b"#" {
            return Pattern::Element;
        }
        let Some(at) = pattern.iter().position(|byte| *byte == b'*') else {
            return Pattern::Nothing;
        };
        let (before, rest) = pattern.split_at(at);
        let rest = rest.strip_prefix(b"*").unwrap_or(rest);
        let arrow = rest.windows(2).position(|two| two == b"->");
        let (after, field) = match arrow.map(|arrow| rest.split_at(arrow)) {
            // An arrow with nothing behind it is part of the key.
            Some((after, field)) if field.len() > 2 => (after, field.strip_prefix(b"->")),
            _ => (rest, None),
        };
        Pattern::Key {
            before,
            after,
            field,
        }
    }
}

/// Tells the value of each pattern for the first element, for the second, and so on.
pub(super) fn look_up<'w>(
    db: &mut Database<'_>,
    patterns: &[Pattern<'_>],
    mut elements: impl Iterator<Item = &'w [u8]>,
    mut tell: impl FnMut(Option<&[u8]>),
) {
    if patterns == [Pattern::Element] {
        return elements.for_each(|element| tell(Some(element)));
    }
    let (mut batch, mut names) = (Vec::new(), Words::default());
    let mut digits = Digits::default();
    loop {
        batch.clear();
        batch.extend(elements.by_ref().take(BATCH));
        if batch.is_empty() {
            return;
        }
        names.clear();
        for element in &batch {
            for pattern in patterns {
                match pattern {
                    Pattern::Key { before, after, .. } => {
                        names.push_parts([before, element, after]);
                    }
                    Pattern::Element | Pattern::Nothing => names.push(b""),
                }
            }
        }
        let keys: Vec<Key<'_>> = names.iter().map(|name| db.key(name)).collect();
        db.prefetch(&keys);
        let asked = batch
            .iter()
            .flat_map(|element| patterns.iter().map(move |pattern| (*element, pattern)));
        for ((element, pattern), key) in asked.zip(&keys) {
            match pattern {
                Pattern::Element => tell(Some(element)),
                Pattern::Nothing => tell(None),
                Pattern::Key { field: None, .. } => match db.read::<Str>(key) {
                    Ok(Some(value)) => tell(Some(value.bytes(&mut digits))),
                    _ => tell(None),
                },
                Pattern::Key {
                    field: Some(field), ..
                } => tell_field(db, key, field, &mut tell),
            }
        }
    }
}

fn tell_field(
    db: &mut Database<'_>,
    key: &Key<'_>,
    field: &[u8],
    mut tell: impl FnMut(Option<&[u8]>),
) {
    let now_ms = db.now_ms();
    let hash = db.read::<Hash>(key).ok().flatten();
    let found = hash.and_then(|hash| hash.get(field));
    match found.filter(|field| field.lives(now_ms)) {
        Some(field) => tell(Some(field.value.bytes(&mut Vec::new()))),
        None => tell(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart_at_the_first_asterisk_and_the_first_arrow_behind_it() {
        let key = |before, after, field: Option<&'static str>| Pattern::Key {
            before: str::as_bytes(before),
            after: str::as_bytes(after),
            field: field.map(str::as_bytes),
        };
        for (text, pattern) in [
            ("#", Pattern::Element),
            ("nosort", Pattern::Nothing),
            ("", Pattern::Nothing),
            ("a->b", Pattern::Nothing),
            ("*", key("", "", None)),
            ("a*b", key("a", "b", None)),
            ("a*b*", key("a", "b*", None)),
            ("a*b->f", key("a", "b", Some("f"))),
            ("a*->f->g", key("a", "", Some("f->g"))),
            ("a*->", key("a", "->", None)),
            ("a->*b", key("a->", "b", None)),
            ("#*", key("#", "", None)),
        ] {
            assert_eq!(Pattern::of(text.as_bytes()), pattern, "{text}");
        }
    }
}
