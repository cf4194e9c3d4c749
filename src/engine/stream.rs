//! The propagation stream: every change as a command, encoded once, in order; the append-only file, the replication
//! backlog and replicas are readers of it.
//!
//! ```text
//! ... *2 SELECT 0  *3 SET k v  *1 MULTI  *2 INCR a  *2 INCR b  *1 EXEC  *2 SELECT 1 ...
//! ```
//! A SELECT stands wherever the database changes. The commands of one unit (EXEC, a script) stand between MULTI and EXEC
//! if there are several. Without readers nothing is encoded. What all readers have read is let go.

use crate::base::number::write_u64;
use crate::command::propagate::Propagate;
use crate::resp::request::{Argv, StoredArgv};

/// A reader's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderId(usize);

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Stream {
    bytes: Vec<u8>,
    /// Offset of the first byte that is kept.
    start: u64,
    /// Offsets up to which readers have read.
    readers: Vec<Option<u64>>,
    selected: Option<usize>,
    unit: Option<Unit>,
}

/// Commands that belong together.
#[derive(Debug, Default)]
struct Unit {
    /// Units begun inside this one and not yet ended.
    inner: usize,
    commands: Vec<(usize, StoredArgv)>,
}

impl Stream {
    /// Whether anybody reads: if not, nothing needs to be appended.
    #[inline]
    pub fn has_readers(&self) -> bool {
        !self.readers.is_empty()
    }

    /// A new reader, from here on. The next command is preceded by SELECT, so that the reader knows its database.
    pub fn open(&mut self) -> ReaderId {
        self.selected = None;
        self.readers.push(Some(self.end()));
        ReaderId(self.readers.len() - 1)
    }

    /// The reader reads no more.
    pub fn close(&mut self, reader: ReaderId) {
        self.readers[reader.0] = None;
        if self.readers.iter().all(Option::is_none) {
            self.readers.clear();
        }
        self.trim();
    }

    /// The offset behind the last byte.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Bytes of memory that it takes.
    #[inline]
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Bytes that the reader has not read yet.
    #[inline]
    pub fn unread(&self, reader: ReaderId) -> u64 {
        let offset = self.readers.get(reader.0).copied().flatten();
        offset.map_or(0, |offset| self.end() - offset)
    }

    /// The next command is preceded by SELECT: what follows begins a new file.
    pub fn forget_selection(&mut self) {
        self.selected = None;
    }

    /// What the reader has not read yet.
    pub fn read(&mut self, reader: ReaderId) -> Vec<u8> {
        let end = self.end();
        if let [Some(offset)] = self.readers.as_mut_slice()
            && reader.0 == 0
            && *offset == self.start
        {
            // Nobody else reads: it can have the bytes themselves.
            (*offset, self.start) = (end, end);
            return std::mem::take(&mut self.bytes);
        }
        let Some(Some(offset)) = self.readers.get_mut(reader.0) else {
            return Vec::new();
        };
        let from = (*offset - self.start) as usize;
        *offset = end;
        let bytes = self.bytes.get(from..).unwrap_or_default().to_vec();
        self.trim();
        bytes
    }

    fn trim(&mut self) {
        let oldest = self
            .readers
            .iter()
            .flatten()
            .min()
            .copied()
            .unwrap_or(self.end());
        self.bytes.drain(..(oldest - self.start) as usize);
        self.start = oldest;
    }

    /// Appends what a command in database `db` leaves: its words, or what it said instead.
    pub fn append(&mut self, db: usize, argv: Argv<'_>, propagate: Propagate) {
        if !self.has_readers() {
            return;
        }
        let (instead, also) = propagate.into_parts();
        match instead {
            None => self.add(db, argv),
            Some(commands) => commands
                .iter()
                .for_each(|command| self.add(db, command.argv())),
        }
        also.iter().for_each(|command| self.add(db, command.argv()));
    }

    fn add(&mut self, db: usize, argv: Argv<'_>) {
        match &mut self.unit {
            Some(unit) => unit.commands.push((db, StoredArgv::from_argv(argv))),
            None => self.encode_in(db, argv),
        }
    }

    /// What is appended from here to [`Self::end_unit`] belongs together. Units do not nest: an inner one is part of the
    /// outer one.
    pub fn begin_unit(&mut self) {
        if let Some(unit) = &mut self.unit {
            unit.inner += 1;
        } else if self.has_readers() {
            self.unit = Some(Unit::default());
        }
    }

    /// Ends the unit: one command stands alone, several stand between MULTI and EXEC.
    pub fn end_unit(&mut self) {
        if let Some(unit) = self.unit.as_mut().filter(|unit| unit.inner > 0) {
            unit.inner -= 1;
            return;
        }
        let commands = self.unit.take().unwrap_or_default().commands;
        let Some((first_db, _)) = commands.first() else {
            return;
        };
        let several = commands.len() > 1;
        self.select(*first_db);
        if several {
            self.encode([&b"MULTI"[..]].into_iter());
        }
        commands
            .iter()
            .for_each(|(db, argv)| self.encode_in(*db, argv.argv()));
        if several {
            self.encode([&b"EXEC"[..]].into_iter());
        }
    }

    fn encode_in(&mut self, db: usize, argv: Argv<'_>) {
        self.select(db);
        self.encode((0..argv.len()).map(|index| argv.word(index)));
    }

    fn select(&mut self, db: usize) {
        if self.selected != Some(db) {
            self.selected = Some(db);
            let number = db.to_string();
            self.encode([&b"SELECT"[..], number.as_bytes()].into_iter());
        }
    }

    fn encode<'w>(&mut self, words: impl ExactSizeIterator<Item = &'w [u8]>) {
        self.bytes.push(b'*');
        write_u64(&mut self.bytes, words.len() as u64);
        self.bytes.extend_from_slice(b"\r\n");
        for word in words {
            self.bytes.push(b'$');
            write_u64(&mut self.bytes, word.len() as u64);
            self.bytes.extend_from_slice(b"\r\n");
            self.bytes.extend_from_slice(word);
            self.bytes.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(stream: &mut Stream, db: usize, line: &str) {
        let argv = StoredArgv::from_words(line.split(' '));
        stream.append(db, argv.argv(), Propagate::default());
    }

    fn lines(bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let words = text
            .split("\r\n")
            .filter(|part| !part.is_empty() && !part.starts_with('$'));
        words
            .map(|part| if part.starts_with('*') { "|" } else { part })
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_select_stands_where_the_database_changes_and_units_stand_together() {
        let mut stream = Stream::default();
        append(&mut stream, 0, "SET a 1");
        let reader = stream.open();
        append(&mut stream, 0, "SET a 2");
        append(&mut stream, 3, "DEL a");
        stream.begin_unit();
        append(&mut stream, 3, "INCR x");
        stream.end_unit();
        stream.begin_unit();
        append(&mut stream, 0, "INCR x");
        append(&mut stream, 0, "INCR y");
        stream.end_unit();
        let expected = "| SELECT 0 | SET a 2 | SELECT 3 | DEL a | INCR x | SELECT 0 | MULTI | INCR x | INCR y | EXEC";
        assert_eq!(lines(&stream.read(reader)), expected);
        assert!(stream.read(reader).is_empty() && stream.bytes.is_empty());
        stream.close(reader);
        assert!(!stream.has_readers());
    }
}
