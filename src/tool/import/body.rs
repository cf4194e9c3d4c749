//! The value of a key, from JSON into RDB bytes. How many elements a collection has stands before them: they wait in a
//! [`Spool`] until the last of them is read. An element is never given up again: what stands twice is told by its line.

use super::file::RdbFile;
use super::stream::StreamBody;
use crate::base::number::parse_f64;
use crate::rdb::read::{ReadError, Reader};
use crate::rdb::{Edition, Encoder, kind, opcode};
use crate::tool::json::{Json, JsonError, Shape, name_bytes};
use crate::tool::scratch::{Distinct, Spool};
use crate::types::Type;
use crate::types::hash::DEADLINE_MAX;
use crate::types::rdb::MemberDeadlines;
use std::io::{self, Write};
use std::path::Path;

/// Deadlines of members that stand in one auxiliary field.
const DEADLINES_A_FIELD: u64 = 4096;
/// What stands in the spool for no deadline.
const NO_DEADLINE: i64 = -1;

/// See the head of the file.
pub struct Body {
    /// The value of a string.
    string: Vec<u8>,
    count: u64,
    elements: Spool,
    /// The earliest deadline of a field.
    earliest: Option<i64>,
    deadlines: Spool,
    names: Distinct,
    stream: StreamBody,
    scratch: Encoder,
}

impl Body {
    /// An empty one; what does not fit memory goes into this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            string: Vec::new(),
            count: 0,
            elements: Spool::in_folder(folder),
            earliest: None,
            deadlines: Spool::in_folder(folder),
            names: Distinct::in_folder(folder),
            stream: StreamBody::in_folder(folder),
            scratch: Encoder::default(),
        }
    }

    /// Forgets the last value.
    pub fn clear(&mut self) {
        self.string.clear();
        self.count = 0;
        self.elements.clear();
        self.earliest = None;
        self.deadlines.clear();
        self.stream.clear();
    }

    /// The value of a string.
    pub fn string(&self) -> &[u8] {
        &self.string
    }

    /// Reads a value of this type.
    ///
    /// # Errors
    /// It is none.
    pub fn read(&mut self, type_of: Type, json: &mut Json<'_>) -> Result<(), JsonError> {
        match type_of {
            Type::String => {
                if json.shape()? == Shape::Array {
                    return Err(json.wrong("a list has to be told its type before its value"));
                }
                self.string = plain_text(json)?;
                return Ok(());
            }
            Type::List | Type::Set => json.array(|json| {
                let word = plain_text(json)?;
                if type_of == Type::Set {
                    self.name(&word, json)?;
                }
                self.scratch.string(&word);
                self.push()
            })?,
            Type::Zset => json.object(|json, name| {
                let name = self.word(name, json)?;
                let score = score(json)?;
                self.scratch.string(&name);
                self.scratch.f64(score);
                self.push()
            })?,
            Type::Hash => json.object(|json, name| {
                let name = self.word(name, json)?;
                let value = json.text()?;
                if let Some(deadline) = value.deadline {
                    check_deadline(deadline, json)?;
                    let earliest = self.earliest.unwrap_or(deadline);
                    self.earliest = Some(earliest.min(deadline));
                }
                self.scratch.i64(value.deadline.unwrap_or(NO_DEADLINE));
                self.scratch.string(&name);
                self.scratch.string(&value.bytes);
                self.push()
            })?,
            Type::Stream => return self.stream.read(json),
        }
        if self.count == 0 {
            return Err(json.wrong(format!("a {} has elements", type_of.name())));
        }
        self.check_names("each element stands once; a second one is here")
    }

    /// Reads deadlines of members.
    ///
    /// # Errors
    /// They are none.
    pub fn read_deadlines(&mut self, json: &mut Json<'_>) -> Result<(), JsonError> {
        json.object(|json, name| {
            let name = self.word(name, json)?;
            let deadline = json.integer()?;
            check_deadline(deadline, json)?;
            self.scratch.string(&name);
            self.scratch.i64(deadline);
            let kept = self.deadlines.write(&self.scratch.bytes);
            self.scratch.clear();
            kept.map_err(JsonError::Kept)
        })?;
        self.check_names("each member has one deadline; a second one is here")
    }

    /// The bytes of a name that must not stand twice.
    fn word(&mut self, name: &[u8], json: &Json<'_>) -> Result<Vec<u8>, JsonError> {
        let bytes = name_bytes(name);
        let bytes = bytes.ok_or_else(|| {
            json.wrong("a name that begins with base64: has to be base64 behind it")
        })?;
        self.name(&bytes, json)?;
        Ok(bytes)
    }

    fn name(&mut self, name: &[u8], json: &Json<'_>) -> Result<(), JsonError> {
        let kept = self.names.add(name, json.line());
        kept.map_err(JsonError::Kept)
    }

    fn check_names(&mut self, reason: &str) -> Result<(), JsonError> {
        match self.names.finish().map_err(JsonError::Kept)? {
            Some(line) => Err(JsonError::Wrong {
                line,
                reason: reason.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Spools the element that was written.
    fn push(&mut self) -> Result<(), JsonError> {
        self.count += 1;
        let kept = self.elements.write(&self.scratch.bytes);
        self.scratch.clear();
        kept.map_err(JsonError::Kept)
    }

    /// The kind of the body that [`Self::write`] writes.
    pub fn kind(&self, type_of: Type, edition: Edition) -> u8 {
        let is_current = edition == Edition::Current;
        match type_of {
            Type::String => kind::STRING,
            Type::List => kind::LIST,
            Type::Set => kind::SET,
            Type::Zset => kind::ZSET_2,
            Type::Hash if is_current && self.earliest.is_some() => kind::HASH_METADATA,
            Type::Hash => kind::HASH,
            Type::Stream if is_current => kind::STREAM_3,
            Type::Stream => kind::STREAM_2,
        }
    }

    /// Writes the body, and behind it the deadlines of the members of `key`.
    ///
    /// # Errors
    /// What the file says, or the spools.
    pub fn write<W: Write>(
        &mut self,
        type_of: Type,
        key: &[u8],
        file: &mut RdbFile<W>,
    ) -> io::Result<()> {
        match type_of {
            Type::String => file.string(&self.string)?,
            Type::Stream => self.stream.write(file)?,
            _ => self.write_elements(type_of, file).map_err(lost)?,
        }
        self.write_deadlines(type_of, key, file).map_err(lost)
    }

    fn write_elements<W: Write>(
        &mut self,
        type_of: Type,
        file: &mut RdbFile<W>,
    ) -> Result<(), Lost> {
        let earliest = self.earliest.filter(|_| file.edition == Edition::Current);
        if let Some(earliest) = earliest {
            file.has_field_deadlines = true;
            file.piece.i64(earliest);
        }
        file.piece.number(self.count);
        let bytes = self.elements.len();
        let mut from = Reader::of_source(self.elements.read()?, bytes);
        for _ in 0..self.count {
            if type_of == Type::Hash {
                let deadline = Some(from.i64()?).filter(|at| *at != NO_DEADLINE);
                if let Some(earliest) = earliest {
                    // They count from 1 on; 0 is none.
                    let after = deadline.map_or(0, |at| at.abs_diff(earliest) + 1);
                    file.piece.number(after);
                }
                file.string(from.string()?)?;
            }
            file.string(from.string()?)?;
            if type_of == Type::Zset {
                file.piece.f64(from.f64()?);
            }
        }
        Ok(())
    }

    /// Writes the deadlines for which the body has no place.
    fn write_deadlines<W: Write>(
        &mut self,
        type_of: Type,
        key: &[u8],
        file: &mut RdbFile<W>,
    ) -> Result<(), Lost> {
        let mut apart = Apart {
            key,
            deadlines: MemberDeadlines::default(),
            count: 0,
        };
        if type_of == Type::Hash && self.earliest.is_some() && file.edition == Edition::Redis70 {
            let bytes = self.elements.len();
            let mut from = Reader::of_source(self.elements.read()?, bytes);
            for _ in 0..self.count {
                let deadline = from.i64()?;
                let name = from.string()?.to_vec();
                from.skip_string()?;
                if deadline != NO_DEADLINE {
                    apart.add(&name, deadline, file)?;
                }
            }
        }
        let bytes = self.deadlines.len();
        let mut from = Reader::of_source(self.deadlines.read()?, bytes);
        while from.left() > 0 {
            let name = from.string()?.to_vec();
            apart.add(&name, from.i64()?, file)?;
        }
        apart.deadlines.encode(key, &mut file.piece);
        Ok(file.pass_on()?)
    }
}

/// Deadlines that follow the value of a key, a field for every [`DEADLINES_A_FIELD`].
struct Apart<'k> {
    key: &'k [u8],
    deadlines: MemberDeadlines,
    count: u64,
}

impl Apart<'_> {
    fn add<W: Write>(
        &mut self,
        name: &[u8],
        deadline: i64,
        file: &mut RdbFile<W>,
    ) -> io::Result<()> {
        self.deadlines.add(name, deadline);
        self.count += 1;
        if self.count.is_multiple_of(DEADLINES_A_FIELD) {
            self.deadlines.encode(self.key, &mut file.piece);
        }
        file.pass_on()
    }
}

/// Why what was spooled cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The file says so, this one or that of the spool.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It came back as something else.
    #[error("{0}")]
    Read(#[from] ReadError),
}

/// As an error of files.
pub fn lost(lost: Lost) -> io::Error {
    match lost {
        Lost::Io(error) | Lost::Read(ReadError::Io { source: error, .. }) => error,
        Lost::Read(error) => io::Error::other(error.to_string()),
    }
}

/// A string without a deadline.
pub fn plain_text(json: &mut Json<'_>) -> Result<Vec<u8>, JsonError> {
    let text = json.text()?;
    match text.deadline {
        None => Ok(text.bytes),
        Some(_) => Err(json.wrong("only fields of hashes have a deadline here")),
    }
}

fn score(json: &mut Json<'_>) -> Result<f64, JsonError> {
    let (text, may_be_infinite) = match json.shape()? {
        Shape::Number => (json.number()?, false),
        _ => {
            let mut text = Vec::new();
            json.quoted(&mut text)?;
            (text, true)
        }
    };
    let score = parse_f64(&text).filter(|it| !it.is_nan() && (it.is_finite() || may_be_infinite));
    score.ok_or_else(|| {
        let text = text.escape_ascii();
        json.wrong(format!("expected a score, found {text}"))
    })
}

fn check_deadline(deadline: i64, json: &Json<'_>) -> Result<(), JsonError> {
    match deadline {
        0..=DEADLINE_MAX => Ok(()),
        other => Err(json.wrong(format!("{other} is out of range for a deadline"))),
    }
}

/// The field that other servers pass over.
pub fn put_aux(name: &[u8], value: &[u8], to: &mut Encoder) {
    to.byte(opcode::AUX);
    to.string(name);
    to.string(value);
}
