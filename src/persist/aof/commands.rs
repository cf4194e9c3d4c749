//! A snapshot as commands: the base of an append-only file whose settings want no RDB bytes in it
//! (`aof-use-rdb-preamble no`).
//!
//! The walk gives the bytes of an RDB file, piece by piece; here they become commands, piece by piece too: a collection of
//! any size takes no more memory than [`ELEMENTS_A_COMMAND`] of its elements. Runs on the writer's thread.
//!
//! ```text
//! string  SET        list  RPUSH     set  SADD, SPEXPIREAT     zset  ZADD, ZPEXPIREAT
//! hash    HSET, HPEXPIREAT           stream  RESTORE, in the form of Redis 7.0 (no other command can say all that it holds)
//! deadline of a key  PEXPIREAT       database  SELECT
//! ```

use crate::base::number::{Decimal, format_f64, write_u64};
use crate::ds::intset::Ints;
use crate::ds::listpack::{Listpack, Pack};
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::{Edition, kind, opcode, seal_payload};
use crate::types::load::skip_stream;
use crate::types::rdb::{MEMBER_DEADLINES, MemberDeadlines, stream_for_redis_7_0};
use std::io;

/// Elements that one command adds at the most.
const ELEMENTS_A_COMMAND: usize = 64;

/// A collection whose elements are coming.
struct Open {
    kind: u8,
    left: u64,
    /// What deadlines of fields count from.
    earliest: i64,
    /// Words of the command that is being filled.
    words: Vec<Vec<u8>>,
    deadlines: Vec<(Vec<u8>, i64)>,
}

/// See the head of the file.
#[derive(Default)]
pub struct Commands {
    /// RDB bytes that are not commands yet.
    pending: Vec<u8>,
    /// So many of them have to be there before it is tried again: twice as many as at the last attempt. A stream is read
    /// as a whole, and reading it from its beginning with every piece that comes would take time without end.
    wanted_bytes: usize,
    key: Vec<u8>,
    last_kind: u8,
    deadline: Option<i64>,
    open: Option<Open>,
    /// Commands that were made.
    made: Vec<u8>,
}

impl Commands {
    /// Takes bytes of a snapshot; the commands that they complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < self.wanted_bytes {
            return Vec::new();
        }
        let pending = std::mem::take(&mut self.pending);
        let mut from = Reader::of_source(pending.as_slice(), pending.len() as u64);
        let mut good = 0;
        // The bytes are our own: what cannot be read yet is not complete yet.
        while from.left() > 0 && self.step(&mut from, &pending).is_ok() {
            good = usize::try_from(from.offset()).unwrap_or(pending.len());
        }
        drop(from);
        self.pending = pending;
        self.pending.drain(..good);
        self.wanted_bytes = self.pending.len() * 2;
        std::mem::take(&mut self.made)
    }

    /// No more bytes come; the commands that are left.
    ///
    /// # Errors
    /// Not all that was taken has become commands.
    pub fn finish(&mut self) -> io::Result<Vec<u8>> {
        self.wanted_bytes = 0;
        let made = self.take(&[]);
        if self.pending.is_empty() && self.open.is_none() {
            return Ok(made);
        }
        Err(io::Error::other("the snapshot ends within a value"))
    }

    /// Reads one record, or one element of an open collection.
    fn step(&mut self, from: &mut Reader<'_>, pending: &[u8]) -> Result<(), ReadError> {
        if let Some(mut open) = self.open.take() {
            let read = open.element(from);
            let is_full = open.words.len() >= 2 * ELEMENTS_A_COMMAND || open.left == 0;
            if read.is_ok() && is_full {
                self.add(&mut open);
            }
            if open.left == 0 && read.is_ok() {
                self.end_key();
            } else {
                self.open = Some(open);
            }
            return read;
        }
        match from.byte()? {
            opcode::EXPIRE_MS => self.deadline = Some(from.i64()?),
            opcode::FREQ => drop(from.byte()?),
            opcode::IDLE => drop(from.number()?),
            opcode::RESIZE_DB => drop((from.number()?, from.number()?)),
            opcode::SELECT_DB => {
                let number = from.number()?.to_string();
                self.command(&[b"SELECT", number.as_bytes()]);
            }
            opcode::FUNCTION => {
                let source = from.string()?.to_vec();
                self.command(&[b"FUNCTION", b"LOAD", &source]);
            }
            opcode::AUX => self.auxiliary(from)?,
            of_kind => self.value(of_kind, from, pending)?,
        }
        Ok(())
    }

    fn auxiliary(&mut self, from: &mut Reader<'_>) -> Result<(), ReadError> {
        let name = from.string()?.to_vec();
        let value = from.string()?;
        if name != MEMBER_DEADLINES {
            return Ok(());
        }
        let command: &[u8] = match self.last_kind {
            kind::ZSET_2 | kind::ZSET_LISTPACK => b"ZPEXPIREAT",
            kind::HASH | kind::HASH_LISTPACK => b"HPEXPIREAT",
            _ => b"SPEXPIREAT",
        };
        let members: &[u8] = match self.last_kind {
            kind::HASH | kind::HASH_LISTPACK => b"FIELDS",
            _ => b"MEMBERS",
        };
        let deadlines = MemberDeadlines::read(value)?;
        for (name, at) in deadlines.members {
            let at = Decimal::new(at);
            self.command(&[command, &deadlines.key, at.bytes(), members, b"1", &name]);
        }
        Ok(())
    }

    fn value(
        &mut self,
        of_kind: u8,
        from: &mut Reader<'_>,
        pending: &[u8],
    ) -> Result<(), ReadError> {
        let key = from.string()?.to_vec();
        match of_kind {
            kind::STRING => {
                let value = from.string()?.to_vec();
                self.command(&[b"SET", &key, &value]);
            }
            kind::SET_INTSET
            | kind::SET_LISTPACK
            | kind::HASH_LISTPACK
            | kind::ZSET_LISTPACK
            | kind::HASH_LISTPACK_EX => self.packed(of_kind, &key, from)?,
            kind::SET
            | kind::HASH
            | kind::ZSET_2
            | kind::HASH_METADATA
            | kind::LIST_QUICKLIST_2
            | kind::LIST => {
                let earliest = match of_kind {
                    kind::HASH_METADATA => from.i64()?,
                    _ => 0,
                };
                let left = from.number()?;
                self.open = Some(Open {
                    kind: of_kind,
                    left,
                    earliest,
                    words: Vec::new(),
                    deadlines: Vec::new(),
                });
            }
            other => self.stream(other, &key, from, pending)?,
        }
        self.key = key;
        self.last_kind = of_kind;
        if self.open.is_none() {
            self.end_key();
        }
        Ok(())
    }

    /// A collection that is one piece of bytes.
    fn packed(&mut self, of_kind: u8, key: &[u8], from: &mut Reader<'_>) -> Result<(), ReadError> {
        match of_kind {
            kind::SET_INTSET => {
                let blob = from.string()?.to_vec();
                let ints = Ints::check(&blob).map_err(|error| from.corrupt("an intset", error))?;
                let words = ints.iter().map(|int| Decimal::new(int).bytes().to_vec());
                self.add_all(b"SADD", key, words.collect(), 1);
            }
            kind::SET_LISTPACK => self.add_all(b"SADD", key, listpack(from)?, 1),
            kind::HASH_LISTPACK => self.add_all(b"HSET", key, listpack(from)?, 2),
            kind::ZSET_LISTPACK => {
                let mut words = listpack(from)?;
                let pairs = words.as_chunks_mut::<2>().0;
                pairs.iter_mut().for_each(|pair| pair.reverse());
                self.add_all(b"ZADD", key, words, 2);
            }
            _ => {
                let _earliest = from.i64()?;
                let words = listpack(from)?;
                let fields = words.as_chunks::<3>().0;
                for [field, value, _] in fields {
                    self.command(&[b"HSET", key, field, value]);
                }
                for [field, _, at] in fields.iter().filter(|[_, _, at]| at != b"0") {
                    self.command(&[b"HPEXPIREAT", key, at, b"FIELDS", b"1", field]);
                }
            }
        }
        Ok(())
    }

    /// A stream, as a payload.
    fn stream(
        &mut self,
        of_kind: u8,
        key: &[u8],
        from: &mut Reader<'_>,
        pending: &[u8],
    ) -> Result<(), ReadError> {
        let place = |from: &Reader<'_>| usize::try_from(from.offset()).unwrap_or(pending.len());
        let start = place(from);
        skip_stream(of_kind, from)?;
        let body = pending.get(start..place(from)).unwrap_or_default();
        let mut payload = vec![kind::STREAM_2];
        match of_kind {
            kind::STREAM_2 => payload.extend_from_slice(body),
            _ => payload.extend(stream_for_redis_7_0(body)?),
        }
        seal_payload(&mut payload, Edition::Redis70.version());
        self.command(&[b"RESTORE", key, b"0", &payload]);
        Ok(())
    }

    fn end_key(&mut self) {
        if let Some(deadline) = self.deadline.take() {
            let key = std::mem::take(&mut self.key);
            let at = Decimal::new(deadline);
            self.command(&[b"PEXPIREAT", &key, at.bytes()]);
        }
    }

    /// Adds what an open collection has gathered.
    fn add(&mut self, open: &mut Open) {
        let (name, stride): (&[u8], usize) = match open.kind {
            kind::SET => (b"SADD", 1),
            kind::HASH | kind::HASH_METADATA => (b"HSET", 2),
            kind::ZSET_2 => (b"ZADD", 2),
            _ => (b"RPUSH", 1),
        };
        let key = std::mem::take(&mut self.key);
        self.add_all(name, &key, std::mem::take(&mut open.words), stride);
        for (field, at) in open.deadlines.drain(..) {
            let at = Decimal::new(at);
            self.command(&[b"HPEXPIREAT", &key, at.bytes(), b"FIELDS", b"1", &field]);
        }
        self.key = key;
    }

    fn add_all(&mut self, name: &[u8], key: &[u8], words: Vec<Vec<u8>>, stride: usize) {
        for words in words.chunks(ELEMENTS_A_COMMAND * stride) {
            let mut command = vec![name, key];
            command.extend(words.iter().map(Vec::as_slice));
            self.command(&command);
        }
    }

    fn command(&mut self, words: &[&[u8]]) {
        self.made.push(b'*');
        write_u64(&mut self.made, words.len() as u64);
        self.made.extend_from_slice(b"\r\n");
        for word in words {
            self.made.push(b'$');
            write_u64(&mut self.made, word.len() as u64);
            self.made.extend_from_slice(b"\r\n");
            self.made.extend_from_slice(word);
            self.made.extend_from_slice(b"\r\n");
        }
    }
}

impl Open {
    /// Reads the next element.
    fn element(&mut self, from: &mut Reader<'_>) -> Result<(), ReadError> {
        match self.kind {
            kind::SET | kind::LIST => {
                let word = from.string()?.to_vec();
                self.words.push(word);
            }
            kind::LIST_QUICKLIST_2 => {
                const PACKED: u64 = 2;
                if from.number()? == PACKED {
                    self.words.extend(listpack(from)?);
                } else {
                    self.words.push(from.string()?.to_vec());
                }
            }
            kind::ZSET_2 => {
                let name = from.string()?.to_vec();
                let mut score = Vec::new();
                format_f64(from.f64()?, &mut score);
                self.words.extend([score, name]);
            }
            of_kind => {
                let after = match of_kind {
                    kind::HASH_METADATA => from.number()?,
                    _ => 0,
                };
                let name = from.string()?.to_vec();
                let value = from.string()?.to_vec();
                if after > 0 {
                    let at = self.earliest.wrapping_add(after as i64).wrapping_sub(1);
                    self.deadlines.push((name.clone(), at));
                }
                self.words.extend([name, value]);
            }
        }
        self.left = self.left.saturating_sub(1);
        Ok(())
    }
}

/// The elements of a listpack.
fn listpack(from: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, ReadError> {
    let blob = from.string()?.to_vec();
    let pack = Listpack::of_foreign(blob).map_err(|error| from.corrupt("a listpack", error))?;
    let memory = pack.into_memory();
    let mut room = Vec::new();
    let words = Pack::new(&memory).iter();
    Ok(words
        .map(|item| item.element.bytes(&mut room).to_vec())
        .collect())
}
