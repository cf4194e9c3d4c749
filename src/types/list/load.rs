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

/// The forms of a node: an element that stands alone, and a listpack.
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
    let lists = match of_kind {
        kind::LIST_ZIPLIST => 1,
        _ => from.count(1)?,
    };
    for _ in 0..lists {
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

fn add(list: &mut List, word: &[u8], limits: &Limits) {
    list.expect(word.len(), 1, limits);
    list.push(Side::Back, word.into(), limits);
}

fn nodes<'r>(
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let count = from.count(2)?;
    let mut list = Quicklist::default();
    for _ in 0..count {
        match from.number()? {
            NODE_PLAIN => list.push_plain(Bytes::copy_from_slice(from.string()?)),
            NODE_PACKED => {
                let len = room.take_listpack(from, 1)?;
                if count == 1 && len > 0 && node_limits(limits).allow(room.bytes.len(), len) {
                    return Ok(Loaded::Packed(Type::List, Form::Listpack, &room.bytes));
                }
                list.push_pack(Pack::new(&room.bytes));
            }
            other => return Err(from.corrupt("the form of a list's node", other)),
        }
    }
    Ok(finish(List::of_quicklist(list, limits), room))
}
