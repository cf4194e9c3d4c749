//! Streams from RDB bytes: nodes, what is known of entries that are gone, groups with their consumers.
//!
//! A node is believed only when each of its entries has been gone through: numbers where numbers stand, as many elements
//! as told, ids that ascend from node to node.

use super::node::Node;
use super::{ConsumerId, Group, Pending, Range, Stream, StreamId};
use crate::base::hash::Hasher;
use crate::ds::listpack::{Element, Items, Listpack, Pack};
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::types::Object;
use crate::types::walk::{Item, LogNumbers};
use std::collections::VecDeque;

const ID_BYTES: usize = 16;
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
/// Bytes of an entry of a group's pending list, at least: id, time, count.
const PENDING_MIN_BYTES: u64 = 25;
/// Counts that grow by one stay far from the end of their type.
const COUNT_MAX: u64 = i64::MAX as u64;

pub(in crate::types) fn load(of_kind: u8, from: &mut Reader<'_>) -> Result<Box<Object>, ReadError> {
    let mut stream = Stream::default();
    let log = &mut stream.log;
    let seen = for_each_node(from, |node, live| {
        log.len += live;
        log.nodes.push_back(node);
        Ok::<(), ReadError>(())
    })?;
    let numbers = read_numbers(seen, of_kind, from)?;
    log.last_id = numbers.last_id;
    log.max_deleted_id = numbers.max_deleted_id;
    log.entries_added = numbers.entries_added;
    log.find_first();
    for _ in 0..from.count(4)? {
        let name: Box<[u8]> = from.string()?.into();
        let group = group(of_kind, from)?;
        if stream.groups.insert(name, group).is_some() {
            return Err(from.corrupt("each group once", "one a second time"));
        }
    }
    Ok(Box::new(Object::Stream(Box::new(stream))))
}

/// Gives each piece of a stream to `visit`. That each pending entry has one owner is found by sums of the hashes of their
/// ids: no group is kept.
pub(in crate::types) fn walk<E: From<ReadError>>(
    of_kind: u8,
    from: &mut Reader<'_>,
    hasher: &Hasher,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let seen = for_each_node(from, |node, _| {
        let nodes = VecDeque::from([node]);
        let mut entries = Range::new(&nodes, StreamId::MIN, StreamId::MAX);
        let mut pairs = Vec::new();
        while let Some(entry) = entries.next() {
            let id = entry.id;
            pairs.clear();
            entry.for_each_pair(|field, value| pairs.push((field, value)));
            visit(Item::Entry(id, &pairs))?;
        }
        Ok::<(), E>(())
    })?;
    visit(Item::Log(read_numbers(seen, of_kind, from)?))?;
    let hash = |id: StreamId| hasher.hash(&bytes_of(id));
    for _ in 0..from.count(4)? {
        let name = from.string()?.to_vec();
        let (last_id, entries_read) = read_group_head(of_kind, from)?;
        visit(Item::Group {
            name: &name,
            last_id,
            entries_read,
        })?;
        let (mut pending, mut owned, mut sum) = (0u64, 0u64, 0u64);
        for_each_delivered(from, |Delivered { id, pending: it }| {
            (pending, sum) = (pending + 1, sum.wrapping_add(hash(id)));
            visit(Item::Pending(id, it.delivered_ms, it.deliveries))
        })?;
        for _ in 0..from.count(10)? {
            let name = from.string()?.to_vec();
            let (seen_ms, active_ms) = read_times(of_kind, from)?;
            visit(Item::Consumer {
                name: &name,
                seen_ms,
                active_ms,
            })?;
            for _ in 0..from.count(ID_BYTES as u64)? {
                let id = raw_id(from)?;
                (owned, sum) = (owned + 1, sum.wrapping_sub(hash(id)));
                visit(Item::Owned(id))?;
            }
        }
        if pending != owned || sum != 0 {
            return Err(unowned(from).into());
        }
    }
    Ok(())
}

/// What the nodes of a stream have told.
#[derive(Default)]
struct Seen {
    entries: u64,
    last: Option<StreamId>,
}

/// Reads the nodes, each with the number of its live entries.
fn for_each_node<E: From<ReadError>>(
    from: &mut Reader<'_>,
    mut take: impl FnMut(Node, u64) -> Result<(), E>,
) -> Result<Seen, E> {
    let mut seen = Seen::default();
    for _ in 0..from.count(ID_BYTES as u64 + 2)? {
        let id: Option<[u8; ID_BYTES]> = from.string()?.try_into().ok();
        let Some(id) = id else {
            let error = from.corrupt("the 16 bytes of a stream's id", "another string");
            return Err(error.into());
        };
        let first = id_of(id);
        let bytes = from.string()?.to_vec();
        let pack =
            Listpack::of_foreign(bytes).map_err(|error| from.corrupt("a listpack", error))?;
        let Some((live, end)) = check_node(first, pack.pack()) else {
            let error = from.corrupt("the entries of a stream", "a listpack of something else");
            return Err(error.into());
        };
        if seen.last.is_some_and(|last| first <= last) {
            return Err(from.corrupt("ids that ascend", "one that does not").into());
        }
        seen.last = Some(end);
        seen.entries += live;
        take(Node::of_pack(first, pack), live)?;
    }
    Ok(seen)
}

fn id_of(bytes: [u8; ID_BYTES]) -> StreamId {
    let both = u128::from_be_bytes(bytes);
    StreamId::new((both >> 64) as u64, both as u64)
}

fn bytes_of(id: StreamId) -> [u8; ID_BYTES] {
    (u128::from(id.ms) << 64 | u128::from(id.seq)).to_be_bytes()
}

/// How many live entries a node has, and the id of its last one; `None` if it is no node.
fn check_node(first: StreamId, pack: Pack<'_>) -> Option<(u64, StreamId)> {
    let mut items = pack.iter();
    let (live, deleted) = (count(&mut items)?, count(&mut items)?);
    let fields = count(&mut items)?;
    if fields > 0 {
        items.nth(usize::try_from(fields).ok()? - 1)?;
    }
    if live == 0 || number(&mut items)? != 0 {
        return None;
    }
    let (mut seen_live, mut seen_deleted, mut last) = (0, 0, None);
    while seen_live + seen_deleted < live + deleted {
        let (id, is_deleted) = check_entry(first, fields, &mut items)?;
        if last.map_or(id < first, |last| id <= last) {
            return None;
        }
        last = Some(id);
        seen_deleted += u64::from(is_deleted);
        seen_live += u64::from(!is_deleted);
    }
    let is_whole = items.next().is_none() && seen_live == live;
    last.filter(|_| is_whole).map(|last| (live, last))
}

/// Goes over an entry; its id, and whether it is deleted.
fn check_entry(
    first: StreamId,
    master_fields: u64,
    items: &mut Items<'_>,
) -> Option<(StreamId, bool)> {
    let flags = number(items)?;
    if flags & !(DELETED | SAME_FIELDS) != 0 {
        return None;
    }
    let (ms, seq) = (number(items)?, number(items)?);
    let id = StreamId::new(
        first.ms.wrapping_add(ms.cast_unsigned()),
        first.seq.wrapping_add(seq.cast_unsigned()),
    );
    let (words, told) = if flags & SAME_FIELDS != 0 {
        (master_fields, master_fields.checked_add(3)?)
    } else {
        let words = count(items)?.checked_mul(2)?;
        (words, words.checked_add(4)?)
    };
    if words > 0 {
        items.nth(usize::try_from(words).ok()? - 1)?;
    }
    (count(items)? == told).then_some((id, flags & DELETED != 0))
}

fn number(items: &mut Items<'_>) -> Option<i64> {
    match items.next()?.element {
        Element::Int(value) => Some(value),
        Element::Bytes(_) => None,
    }
}

fn count(items: &mut Items<'_>) -> Option<u64> {
    u64::try_from(number(items)?).ok()
}

fn id(from: &mut Reader<'_>) -> Result<StreamId, ReadError> {
    Ok(StreamId::new(from.number()?, from.number()?))
}

fn raw_id(from: &mut Reader<'_>) -> Result<StreamId, ReadError> {
    from.array().map(id_of)
}

/// Reads what follows the nodes.
fn read_numbers(seen: Seen, of_kind: u8, from: &mut Reader<'_>) -> Result<LogNumbers, ReadError> {
    let told = from.number()?;
    if told != seen.entries {
        let found = format_args!("{told} announced, {} there", seen.entries);
        return Err(from.corrupt("as many entries as announced", found));
    }
    let mut numbers = LogNumbers {
        last_id: id(from)?,
        max_deleted_id: StreamId::MIN,
        entries_added: seen.entries,
    };
    if seen.last.is_some_and(|last| numbers.last_id < last) {
        return Err(from.corrupt("the largest id of all", "one below an entry's"));
    }
    if of_kind == kind::STREAM {
        return Ok(numbers);
    }
    // What the nodes tell of the first entry is the truth.
    let _first = id(from)?;
    numbers.max_deleted_id = id(from)?;
    numbers.entries_added = from.number()?;
    if !(seen.entries..=COUNT_MAX).contains(&numbers.entries_added) {
        let found = numbers.entries_added;
        return Err(from.corrupt("how many entries were ever added", found));
    }
    Ok(numbers)
}

/// What a group's pending list tells of an entry before its owner is known.
struct Delivered {
    id: StreamId,
    pending: Pending,
}

/// Reads what a group has been given last, and how many entries that were.
fn read_group_head(
    of_kind: u8,
    from: &mut Reader<'_>,
) -> Result<(StreamId, Option<u64>), ReadError> {
    let last_id = id(from)?;
    let entries_read = match of_kind {
        kind::STREAM => None,
        _ => Some(from.number()?).filter(|read| *read != u64::MAX),
    };
    if entries_read.is_some_and(|read| read > COUNT_MAX) {
        return Err(from.corrupt("how many entries a group has read", "too many"));
    }
    Ok((last_id, entries_read))
}

/// The error that a pending entry is nobody's, or that of two.
fn unowned(from: &Reader<'_>) -> ReadError {
    from.corrupt("an owner of each pending entry", "an entry without one")
}

fn group(of_kind: u8, from: &mut Reader<'_>) -> Result<Group, ReadError> {
    let (last_id, entries_read) = read_group_head(of_kind, from)?;
    let mut group = Group::new(last_id, entries_read);
    let mut pending = Vec::new();
    for_each_delivered(from, |delivered| {
        pending.push(delivered);
        Ok::<(), ReadError>(())
    })?;
    for _ in 0..from.count(10)? {
        consumer(&mut group, &mut pending, of_kind, from)?;
    }
    if pending
        .iter()
        .any(|delivered| delivered.pending.owner.is_none())
    {
        return Err(unowned(from));
    }
    Ok(group)
}

/// Reads a group's pending list.
fn for_each_delivered<E: From<ReadError>>(
    from: &mut Reader<'_>,
    mut take: impl FnMut(Delivered) -> Result<(), E>,
) -> Result<(), E> {
    let mut last = None;
    for _ in 0..from.count(PENDING_MIN_BYTES)? {
        let id = raw_id(from)?;
        if last.is_some_and(|last| id <= last) {
            return Err(from
                .corrupt("pending ids that ascend", "one that does not")
                .into());
        }
        last = Some(id);
        let delivered_ms = from.i64()?;
        let deliveries = from.number()?.min(COUNT_MAX).cast_signed();
        let pending = Pending {
            owner: None,
            delivered_ms,
            deliveries,
        };
        take(Delivered { id, pending })?;
    }
    Ok(())
}

/// Reads when a consumer was seen last, and when it was active last.
fn read_times(of_kind: u8, from: &mut Reader<'_>) -> Result<(i64, i64), ReadError> {
    let seen_ms = from.i64()?;
    let active_ms = match of_kind {
        kind::STREAM_3 => from.i64()?,
        // Who has something has got it; when, is not told.
        _ => seen_ms,
    };
    Ok((seen_ms, active_ms))
}

fn consumer(
    group: &mut Group,
    pending: &mut [Delivered],
    of_kind: u8,
    from: &mut Reader<'_>,
) -> Result<(), ReadError> {
    let name = from.string()?.to_vec();
    if group.find(&name).is_some() {
        let found = format_args!(
            "\"{}\" again (Duplicate stream consumer detected)",
            name.escape_ascii()
        );
        return Err(from.corrupt("each consumer once", found));
    }
    let (seen_ms, active_ms) = read_times(of_kind, from)?;
    let owner: ConsumerId = group.add_consumer(&name, seen_ms);
    if let Some(consumer) = group.consumer_mut(owner) {
        consumer.active_ms = active_ms;
    }
    for _ in 0..from.count(ID_BYTES as u64)? {
        let id = raw_id(from)?;
        let found = pending.binary_search_by(|delivered| delivered.id.cmp(&id));
        let delivered = found.ok().and_then(|at| pending.get_mut(at));
        match delivered.filter(|delivered| delivered.pending.owner.is_none()) {
            Some(delivered) => {
                delivered.pending.owner = Some(owner);
                group.deliver(id, delivered.pending);
            }
            None => return Err(from.corrupt("a pending entry of the group", "another id")),
        }
    }
    Ok(())
}
