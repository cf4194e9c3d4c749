//! The value of a stream, from JSON into RDB bytes. Entries go into nodes as XADD puts them; groups, their pending entries,
//! their consumers and what those have wait in a spool each, so that their fields may come in any order.
//!
//! What must hold is what loading asks for: ids ascend, each pending entry has one owner, names differ.

use super::body::{Lost, lost, plain_text};
use super::file::RdbFile;
use crate::base::hash::Hasher;
use crate::base::random::seed_from_os;
use crate::rdb::read::Reader;
use crate::rdb::{Edition, Encoder};
use crate::tool::json::{Json, JsonError, Shape};
use crate::tool::scratch::{Distinct, Spool};
use crate::types::rdb::save_stream_node;
use crate::types::stream::{Log, NodeLimits, StreamId};
use std::io::{self, Write};
use std::path::Path;

/// Bytes and entries of a node.
const NODE_BYTES: usize = 4096;
const NODE_ENTRIES: usize = 100;
/// Bytes that the words of an entry have at most.
const ENTRY_MAX_BYTES: usize = 512 << 20;
/// Bytes of an id in the file.
const ID_BYTES: usize = 16;
/// Counts that grow by one stay far from the end of their type.
const COUNT_MAX: u64 = i64::MAX as u64;

/// See the head of the file.
pub struct StreamBody {
    /// The node that is being filled.
    node: Log,
    nodes: Spool,
    node_count: u64,
    entries: u64,
    first_entry: StreamId,
    last_entry: StreamId,
    last_id: Option<StreamId>,
    max_deleted_id: StreamId,
    entries_added: Option<u64>,
    groups: Spool,
    group_count: u64,
    pending: Spool,
    consumers: Spool,
    owned: Spool,
    hasher: Hasher,
    names: Distinct,
    scratch: Encoder,
}

/// Entries of a group that are pending, and those that consumers have: the same ones, if the sums of their hashes agree.
#[derive(Default)]
struct Ownership {
    pending: u64,
    owned: u64,
    sum: u64,
    consumers: u64,
}

impl StreamBody {
    /// An empty one; what does not fit memory goes into this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            node: Log::default(),
            nodes: Spool::in_folder(folder),
            node_count: 0,
            entries: 0,
            first_entry: StreamId::MIN,
            last_entry: StreamId::MIN,
            last_id: None,
            max_deleted_id: StreamId::MIN,
            entries_added: None,
            groups: Spool::in_folder(folder),
            group_count: 0,
            pending: Spool::in_folder(folder),
            consumers: Spool::in_folder(folder),
            owned: Spool::in_folder(folder),
            hasher: Hasher::new(seed_from_os(), seed_from_os()),
            names: Distinct::in_folder(folder),
            scratch: Encoder::default(),
        }
    }

    /// Forgets the last stream.
    pub fn clear(&mut self) {
        if self.last_id.take().is_none() {
            return;
        }
        self.node = Log::default();
        let spools = [
            &mut self.nodes,
            &mut self.groups,
            &mut self.pending,
            &mut self.consumers,
            &mut self.owned,
        ];
        spools.into_iter().for_each(Spool::clear);
        (self.node_count, self.entries, self.group_count) = (0, 0, 0);
        (self.first_entry, self.last_entry) = (StreamId::MIN, StreamId::MIN);
        (self.max_deleted_id, self.entries_added) = (StreamId::MIN, None);
    }

    /// Reads a stream.
    ///
    /// # Errors
    /// It is none.
    pub fn read(&mut self, json: &mut Json<'_>) -> Result<(), JsonError> {
        json.object(|json, name| {
            match name {
                b"entries" => json.array(|json| self.entry(json))?,
                b"last_id" => self.last_id = Some(id(json)?),
                b"max_deleted_id" => self.max_deleted_id = id(json)?,
                b"entries_added" => self.entries_added = Some(count(json)?),
                b"groups" => json.array(|json| self.group(json))?,
                other => return Err(json.unknown(other)),
            }
            Ok(())
        })?;
        self.end_node().map_err(JsonError::Kept)?;
        let last_id = *self.last_id.get_or_insert(self.last_entry);
        if last_id < self.last_entry {
            return Err(json.wrong("last_id is below the id of an entry"));
        }
        if self.entries_added.is_some_and(|added| added < self.entries) {
            return Err(json.wrong("entries_added is below the number of entries"));
        }
        match self.names.finish().map_err(JsonError::Kept)? {
            Some(line) => Err(JsonError::Wrong {
                line,
                reason: "each group and each consumer of a group stands once; a second one is here"
                    .to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn entry(&mut self, json: &mut Json<'_>) -> Result<(), JsonError> {
        let (mut entry_id, mut words, mut bytes) = (None, Vec::new(), 0);
        json.object(|json, name| {
            match name {
                b"id" => entry_id = Some(id(json)?),
                b"fields" => json.array(|json| {
                    let before = words.len();
                    json.array(|json| {
                        let word = plain_text(json)?;
                        bytes += word.len();
                        words.push(word);
                        Ok(())
                    })?;
                    if words.len() != before + 2 || bytes > ENTRY_MAX_BYTES {
                        return Err(json.wrong("expected pairs of a field and its value"));
                    }
                    Ok(())
                })?,
                other => return Err(json.unknown(other)),
            }
            Ok(())
        })?;
        let Some(entry_id) = entry_id.filter(|_| !words.is_empty()) else {
            return Err(json.wrong("an entry has an id and fields"));
        };
        if entry_id <= self.last_entry {
            return Err(json.wrong("ids of entries ascend from 0-1 on"));
        }
        self.add(entry_id, &words).map_err(JsonError::Kept)
    }

    /// Adds an entry to the node, or to a new one if that is full.
    fn add(&mut self, entry_id: StreamId, words: &[Vec<u8>]) -> io::Result<()> {
        let limits = NodeLimits::new(NODE_BYTES, NODE_ENTRIES);
        let words = words.iter().map(Vec::as_slice);
        self.node.append(entry_id, words.clone(), &limits);
        if self.node.nodes() > 1 {
            self.end_node()?;
            self.node.append(entry_id, words, &limits);
        }
        if self.entries == 0 {
            self.first_entry = entry_id;
        }
        self.last_entry = entry_id;
        self.entries += 1;
        Ok(())
    }

    /// Spools the first node that there is, and forgets what is behind it.
    fn end_node(&mut self) -> io::Result<()> {
        let log = std::mem::take(&mut self.node);
        if let Some((first, pack)) = log.packs().next() {
            save_stream_node(first, pack, &mut self.scratch);
            self.node_count += 1;
        }
        spool(&mut self.nodes, &mut self.scratch)
    }

    fn group(&mut self, json: &mut Json<'_>) -> Result<(), JsonError> {
        let (mut group_name, mut last_id, mut entries_read) = (None, StreamId::MIN, None);
        let mut ownership = Ownership::default();
        self.group_count += 1;
        json.object(|json, name| {
            match name {
                b"name" => group_name = Some(plain_text(json)?),
                b"last_id" => last_id = id(json)?,
                b"entries_read" if json.shape()? == Shape::Null => json.null()?,
                b"entries_read" => entries_read = Some(count(json)?),
                b"pending" => {
                    let mut last = None;
                    json.array(|json| self.pending_entry(&mut last, &mut ownership, json))?;
                }
                b"consumers" => json.array(|json| self.consumer(&mut ownership, json))?,
                other => return Err(json.unknown(other)),
            }
            Ok(())
        })?;
        let Some(group_name) = group_name else {
            return Err(json.wrong("a group has a name"));
        };
        if ownership.pending != ownership.owned || ownership.sum != 0 {
            return Err(json.wrong("each pending entry of a group is pending with one consumer"));
        }
        self.add_name(0, &group_name, json)?;
        self.scratch.string(&group_name);
        self.scratch.number(last_id.ms);
        self.scratch.number(last_id.seq);
        self.scratch.number(entries_read.unwrap_or(u64::MAX));
        self.scratch.number(ownership.pending);
        self.scratch.number(ownership.consumers);
        spool(&mut self.groups, &mut self.scratch).map_err(JsonError::Kept)
    }

    /// Notes a name that stands once among those of its group; groups themselves are of group 0.
    fn add_name(&mut self, group: u64, name: &[u8], json: &Json<'_>) -> Result<(), JsonError> {
        let name = [&group.to_le_bytes(), name].concat();
        let kept = self.names.add(&name, json.line());
        kept.map_err(JsonError::Kept)
    }

    fn pending_entry(
        &mut self,
        last: &mut Option<StreamId>,
        ownership: &mut Ownership,
        json: &mut Json<'_>,
    ) -> Result<(), JsonError> {
        let (mut entry_id, mut delivered_ms, mut deliveries) = (None, 0, 1);
        json.object(|json, name| {
            match name {
                b"id" => entry_id = Some(id(json)?),
                b"delivered_ms" => delivered_ms = json.integer()?,
                b"deliveries" => deliveries = count(json)?,
                other => return Err(json.unknown(other)),
            }
            Ok(())
        })?;
        let Some(entry_id) = entry_id.filter(|it| last.is_none_or(|last| last < *it)) else {
            return Err(json.wrong("a pending entry has an id, and ids ascend"));
        };
        *last = Some(entry_id);
        ownership.pending += 1;
        ownership.sum = ownership.sum.wrapping_add(self.hash(entry_id));
        self.scratch.raw(&bytes_of(entry_id));
        self.scratch.i64(delivered_ms);
        self.scratch.number(deliveries);
        spool(&mut self.pending, &mut self.scratch).map_err(JsonError::Kept)
    }

    fn consumer(
        &mut self,
        ownership: &mut Ownership,
        json: &mut Json<'_>,
    ) -> Result<(), JsonError> {
        let (mut consumer_name, mut seen_ms, mut active_ms) = (None, 0, -1);
        let before = ownership.owned;
        json.object(|json, name| {
            match name {
                b"name" => consumer_name = Some(plain_text(json)?),
                b"seen_ms" => seen_ms = json.integer()?,
                b"active_ms" => active_ms = json.integer()?,
                b"pending" => json.array(|json| {
                    let entry_id = id(json)?;
                    ownership.owned += 1;
                    ownership.sum = ownership.sum.wrapping_sub(self.hash(entry_id));
                    self.scratch.raw(&bytes_of(entry_id));
                    spool(&mut self.owned, &mut self.scratch).map_err(JsonError::Kept)
                })?,
                other => return Err(json.unknown(other)),
            }
            Ok(())
        })?;
        let Some(consumer_name) = consumer_name else {
            return Err(json.wrong("a consumer has a name"));
        };
        ownership.consumers += 1;
        self.add_name(self.group_count, &consumer_name, json)?;
        self.scratch.string(&consumer_name);
        self.scratch.i64(seen_ms);
        self.scratch.i64(active_ms);
        self.scratch.number(ownership.owned - before);
        spool(&mut self.consumers, &mut self.scratch).map_err(JsonError::Kept)
    }

    fn hash(&self, id: StreamId) -> u64 {
        self.hasher.hash(&bytes_of(id))
    }

    /// Writes the body.
    ///
    /// # Errors
    /// What the file says, or the spools.
    pub fn write<W: Write>(&mut self, file: &mut RdbFile<W>) -> io::Result<()> {
        self.write_log(file).map_err(lost)?;
        self.write_groups(file).map_err(lost)
    }

    fn write_log<W: Write>(&mut self, file: &mut RdbFile<W>) -> Result<(), Lost> {
        file.piece.number(self.node_count);
        let bytes = self.nodes.len();
        let mut nodes = Reader::of_source(self.nodes.read()?, bytes);
        while nodes.left() > 0 {
            file.string(nodes.string()?)?;
            file.string(nodes.string()?)?;
        }
        let last_id = self.last_id.unwrap_or_default();
        file.piece.number(self.entries);
        for id in [last_id, self.first_entry, self.max_deleted_id] {
            file.piece.number(id.ms);
            file.piece.number(id.seq);
        }
        file.piece
            .number(self.entries_added.unwrap_or(self.entries));
        file.piece.number(self.group_count);
        Ok(())
    }

    fn write_groups<W: Write>(&mut self, file: &mut RdbFile<W>) -> Result<(), Lost> {
        let bytes = self.groups.len();
        let mut groups = Reader::of_source(self.groups.read()?, bytes);
        let bytes = self.pending.len();
        let mut pending = Reader::of_source(self.pending.read()?, bytes);
        let bytes = self.consumers.len();
        let mut consumers = Reader::of_source(self.consumers.read()?, bytes);
        let bytes = self.owned.len();
        let mut owned = Reader::of_source(self.owned.read()?, bytes);
        for _ in 0..self.group_count {
            file.string(groups.string()?)?;
            // The id in two numbers, and how many entries were read.
            for _ in 0..3 {
                file.piece.number(groups.number()?);
            }
            let (pending_count, consumer_count) = (groups.number()?, groups.number()?);
            file.piece.number(pending_count);
            for _ in 0..pending_count {
                file.piece.raw(&pending.array::<ID_BYTES>()?);
                file.piece.i64(pending.i64()?);
                file.piece.number(pending.number()?);
                file.pass_on()?;
            }
            file.piece.number(consumer_count);
            for _ in 0..consumer_count {
                file.string(consumers.string()?)?;
                file.piece.i64(consumers.i64()?);
                let active_ms = consumers.i64()?;
                if file.edition == Edition::Current {
                    file.piece.i64(active_ms);
                }
                let count = consumers.number()?;
                file.piece.number(count);
                for _ in 0..count {
                    file.piece.raw(&owned.array::<ID_BYTES>()?);
                    file.pass_on()?;
                }
            }
        }
        Ok(())
    }
}

fn spool(to: &mut Spool, scratch: &mut Encoder) -> io::Result<()> {
    let kept = to.write(&scratch.bytes);
    scratch.clear();
    kept
}

fn bytes_of(id: StreamId) -> [u8; ID_BYTES] {
    (u128::from(id.ms) << 64 | u128::from(id.seq)).to_be_bytes()
}

fn id(json: &mut Json<'_>) -> Result<StreamId, JsonError> {
    let mut text = Vec::new();
    json.quoted(&mut text)?;
    StreamId::parse(&text, 0).ok_or_else(|| {
        let text = text.escape_ascii();
        json.wrong(format!("expected an id, found {text}"))
    })
}

/// A count that may grow.
fn count(json: &mut Json<'_>) -> Result<u64, JsonError> {
    match json.integer()? {
        count @ 0..=COUNT_MAX => Ok(count),
        other => Err(json.wrong(format!("{other} is no count"))),
    }
}
