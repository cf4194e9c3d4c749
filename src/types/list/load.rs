//! Lists from RDB bytes: elements one by one, one ziplist, a chain of ziplists, a chain of listpacks and single elements.
//! The nodes of a chain of listpacks are kept as they come, as Redis keeps them; all else is laid out by the limits.

use super::{List, Side, node_limits};
use crate::ds::listpack::Pack;
use crate::ds::quicklist::Quicklist;
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::ziplist::visit_ziplist;
use crate::types::load::{Loaded, Room, finish, with_word};
use crate::types::{Form, Limits, Type};
use bytes::Bytes;

/// The forms of a node in the file.
const NODE_PLAIN: u64 = 1;
const NODE_PACKED: u64 = 2;

pub(in crate::types) fn load<'r>(
    of_kind: u8,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    if of_kind == kind::LIST_QUICKLIST_2 {
        return nodes(from, limits, room);
    }
    let mut list = List::default();
    for _ in 0..read_parts(of_kind, from)? {
        if of_kind == kind::LIST {
            add(&mut list, from.string()?, limits);
            continue;
        }
        let whole = visit_ziplist(from.string()?, |entry| {
            with_word(entry, |word| add(&mut list, word, limits));
        });
        whole.ok_or_else(|| from.corrupt("a ziplist", "other bytes"))?;
    }
    Ok(finish(list, room))
}

/// How many elements, ziplists or nodes follow.
pub(in crate::types) fn read_parts(of_kind: u8, from: &mut Reader<'_>) -> Result<usize, ReadError> {
    match of_kind {
        kind::LIST_ZIPLIST => Ok(1),
        kind::LIST_QUICKLIST_2 => from.count(2),
        _ => from.count(1),
    }
}

/// The forms of a node.
pub(in crate::types) enum NodeForm {
    /// An element that stands alone.
    Plain,
    /// A listpack.
    Packed,
}

/// Reads what form the next node has.
pub(in crate::types) fn read_node_form(from: &mut Reader<'_>) -> Result<NodeForm, ReadError> {
    match from.number()? {
        NODE_PLAIN => Ok(NodeForm::Plain),
        NODE_PACKED => Ok(NodeForm::Packed),
        other => Err(from.corrupt("the form of a list's node", other)),
    }
}

/// The error that an empty element stands alone: only long ones do.
pub(in crate::types) fn empty_alone(from: &Reader<'_>) -> ReadError {
    from.corrupt("a long element", "an empty one")
}

fn add(list: &mut List, word: &[u8], limits: &Limits) {
    list.expect(word.len(), 1, limits);
    list.push(Side::Back, word.into(), limits);
}

fn nodes<'r>(
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let count = read_parts(kind::LIST_QUICKLIST_2, from)?;
    let mut list = Quicklist::default();
    for _ in 0..count {
        match read_node_form(from)? {
            NodeForm::Plain => {
                let bytes = Bytes::copy_from_slice(from.string()?);
                if bytes.is_empty() {
                    return Err(empty_alone(from));
                }
                list.push_plain(bytes);
            }
            NodeForm::Packed => {
                let len = room.take_listpack(from, 1)?;
                if count == 1 && len > 0 && node_limits(limits).allow(room.bytes.len(), len) {
                    return Ok(Loaded::Packed(Type::List, Form::Listpack, &room.bytes));
                }
                list.push_pack(Pack::new(&room.bytes));
            }
        }
    }
    Ok(finish(List::of_quicklist(list, limits), room))
}
