//! Sets from RDB bytes: members one by one, an intset, a listpack.

use super::Set;
use crate::base::hash::Hasher;
use crate::ds::intset::Ints;
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::types::load::{Loaded, Room, finish, twice};
use crate::types::{Collection, Form, Limits, Type};

pub(in crate::types) fn load<'r>(
    of_kind: u8,
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    match of_kind {
        kind::SET_INTSET => {
            let len = take_ints(from, room)?;
            let max = limits.set_max_intset_entries;
            Ok(packed(Form::Intset, len, max, limits, room))
        }
        kind::SET_LISTPACK => {
            let len = take_pack(from, &limits.hasher, room)?;
            let max = limits.set_max_listpack_entries;
            Ok(packed(Form::Listpack, len, max, limits, room))
        }
        _ => members(from, limits, room),
    }
}

/// Reads an intset into the room; how many members it has.
pub(in crate::types) fn take_ints(
    from: &mut Reader<'_>,
    room: &mut Room,
) -> Result<usize, ReadError> {
    room.take_blob(from)?;
    let ints = Ints::check(&room.bytes);
    Ok(ints
        .map_err(|error| from.corrupt("an intset", error))?
        .len())
}

/// Reads a listpack of different members into the room; how many it has.
pub(in crate::types) fn take_pack(
    from: &mut Reader<'_>,
    hasher: &Hasher,
    room: &mut Room,
) -> Result<usize, ReadError> {
    let len = room.take_listpack(from, 1)?;
    room.check_unique(from, hasher, 1)?;
    Ok(len)
}

/// The packed set that was read, which stays so if it has at most `max` members.
fn packed<'r>(
    form: Form,
    len: usize,
    max: usize,
    limits: &Limits,
    room: &'r mut Room,
) -> Loaded<'r> {
    if len == 0 {
        return Loaded::Empty;
    }
    if len <= max {
        return Loaded::Packed(Type::Set, form, &room.bytes);
    }
    let mut set = Set::default();
    set.load(form, &room.bytes);
    set.as_table(limits);
    finish(set, room)
}

fn members<'r>(
    from: &mut Reader<'_>,
    limits: &Limits,
    room: &'r mut Room,
) -> Result<Loaded<'r>, ReadError> {
    let mut left = from.count(1)?;
    let mut set = Set::default();
    if left
        > limits
            .set_max_intset_entries
            .max(limits.set_max_listpack_entries)
    {
        set.as_table(limits);
    }
    while left > 0 {
        room.begin_gathering();
        while left > 0 && !room.is_full() {
            room.gather_name(from)?;
            left -= 1;
        }
        let mut added = 0;
        if let Set::Table(_) = set {
            added += set.add_all(room.members().map(|(name, _)| name), limits);
        } else {
            let members = room.members();
            added += members.filter(|(name, _)| set.add(name, limits)).count();
        }
        if added < room.gathered() {
            return Err(twice(from, b"a member"));
        }
    }
    Ok(finish(set, room))
}
