//! `oxidis export FILE.rdb`: the content of an RDB file as JSON lines, one key a line, on standard output. `README.md`
//! ("As JSON lines") tells the form, `import` makes a file of it again.
//!
//! Values are written while they are read, in the order of the file. Deadlines of members of sets and sorted sets come
//! after the value: a line stays open until it is known that none follow.

use super::json::{put_name, put_text, put_text_until};
use super::output::Output;
use super::progress::{Progress, Watched};
use super::{Failure, Tool, open, snapshot_argument};
use crate::base::glob::glob_match;
use crate::base::hash::Hasher;
use crate::base::number::{format_f64, write_i64, write_u64};
use crate::base::random::seed_from_os;
use crate::persist::records::{Attributes, Record, Records};
use crate::rdb::read::{ReadError, Reader};
use crate::types::load::{Dialect, Room};
use crate::types::rdb::{DeadlineReader, MEMBER_DEADLINES, in_field};
use crate::types::stream::StreamId;
use crate::types::walk::{Item, LogNumbers, type_of_kind, walk_value, with_element};
use crate::types::{TYPES, Type};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;

/// Bytes that are written at once.
const CHUNK_BYTES: usize = 64 << 10;

/// See the head of the file.
pub(super) const TOOL: Tool = Tool {
    name: "export",
    about: "Writes the content of an RDB file as JSON lines",
    define,
    run,
};

fn define(command: Command) -> Command {
    let types = TYPES.map(Type::name);
    command
        .arg(snapshot_argument())
        .arg(
            Arg::new("out")
                .long("out")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Write to this file instead of standard output"),
        )
        .arg(
            Arg::new("db")
                .long("db")
                .value_name("N")
                .value_parser(value_parser!(u64))
                .help("Only keys of this database"),
        )
        .arg(
            Arg::new("match")
                .long("match")
                .value_name("PATTERN")
                .help("Only keys that this pattern fits, as KEYS has them"),
        )
        .arg(
            Arg::new("type")
                .long("type")
                .value_name("TYPE")
                .value_parser(PossibleValuesParser::new(types))
                .help("Only keys of this type"),
        )
        .after_help(
            "Who names a database, a pattern or a type gets keys only: no functions, and nothing of what the file says of \
             itself.\nREADME.md tells the form of the lines; oxidis import makes a file of them again.",
        )
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path: &PathBuf = matches
        .get_one("FILE")
        .expect("clap demands what is required");
    let type_of: Option<&String> = matches.get_one("type");
    let pattern: Option<&String> = matches.get_one("match");
    let filter = Filter {
        db: matches.get_one("db").copied(),
        pattern: pattern.map(|pattern| pattern.clone().into_bytes()),
        type_of: type_of.and_then(|name| TYPES.into_iter().find(|it| it.name() == name)),
    };
    let (file, bytes) = open(path)?;
    let out: Option<&PathBuf> = matches.get_one("out");
    let mut output = Output::open(out.map(PathBuf::as_path))?;
    let progress = RefCell::new(Progress::new(path.display().to_string(), bytes));
    let mut reader = Reader::of_source(Watched::new(file, &progress), bytes);
    let exported = export(&mut reader, &mut output, &filter);
    progress.borrow_mut().clear();
    match exported {
        Ok(()) => output.finish(),
        // Whoever read it has seen enough.
        Err(Stop::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Failure::Reported)
        }
        Err(Stop::Write(error)) => Err(output.failure(&error)),
        Err(Stop::Read(ReadError::Io { source, .. })) => Err(Failure::of_file(path, &source)),
        Err(Stop::Read(ReadError::Corrupt {
            at,
            expected,
            found,
        })) => Err(Failure::At {
            file: path.display().to_string(),
            offset: at,
            reason: format!("expected {expected}, found {found}"),
        }),
    }
}

/// Which keys are exported.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this database.
    pub db: Option<u64>,
    /// Those that this pattern fits.
    pub pattern: Option<Vec<u8>>,
    /// Those of this type.
    pub type_of: Option<Type>,
}

impl Filter {
    /// Whether everything is exported.
    fn is_open(&self) -> bool {
        self.db.is_none() && self.pattern.is_none() && self.type_of.is_none()
    }

    fn takes(&self, db: u64, key: &[u8], type_of: Option<Type>) -> bool {
        let fits = |pattern: &Vec<u8>| glob_match(pattern, key, false);
        self.db.is_none_or(|wanted| wanted == db)
            && (self.type_of.is_none() || self.type_of == type_of)
            && self.pattern.as_ref().is_none_or(fits)
    }
}

/// Why an export ended before the file did.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The file cannot be read, or is none.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// What was made of it cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// Writes the content of a file as JSON lines.
///
/// # Errors
/// Why it ended before the file did; the lines of all that came before are written.
pub fn export(from: &mut Reader<'_>, to: &mut dyn Write, filter: &Filter) -> Result<(), Stop> {
    let mut records = Records::begin(from)?;
    let mut exporter = Exporter {
        lines: Lines {
            bytes: Vec::with_capacity(2 * CHUNK_BYTES),
            open_from: 0,
            to,
        },
        filter,
        hasher: Hasher::new(seed_from_os(), seed_from_os()),
        room: Room::default(),
        db: 0,
        key: Vec::new(),
        line: Line::Closed,
    };
    let exported = exporter.records(&mut records, from);
    if exported.is_err() {
        exporter.lines.drop_open();
    }
    exporter.lines.flush()?;
    exported
}

/// Gathers what is to be written.
struct Lines<'w> {
    bytes: Vec<u8>,
    /// Where in them the line begins that is not whole yet.
    open_from: usize,
    to: &'w mut dyn Write,
}

impl Lines<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes what was gathered, if it is enough.
    #[inline]
    fn pass_on(&mut self) -> io::Result<()> {
        if self.bytes.len() >= CHUNK_BYTES {
            return self.flush();
        }
        Ok(())
    }

    /// Ends a line.
    fn end(&mut self, end: &[u8]) -> io::Result<()> {
        self.put(end);
        self.open_from = self.bytes.len();
        self.pass_on()
    }

    /// Forgets the line that is not whole yet, if nothing of it is written.
    fn drop_open(&mut self) {
        self.bytes.truncate(self.open_from);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.write_all(&self.bytes)?;
        self.bytes.clear();
        self.open_from = 0;
        Ok(())
    }
}

/// Whether the line of the last key can be added to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// There is none.
    Closed,
    /// The key was left out.
    LeftOut,
    /// The value is written.
    Value,
    /// Deadlines of members are being written.
    Deadlines,
}

struct Exporter<'w> {
    lines: Lines<'w>,
    filter: &'w Filter,
    hasher: Hasher,
    room: Room,
    db: u64,
    /// The last key.
    key: Vec<u8>,
    line: Line,
}

impl Exporter<'_> {
    fn records(&mut self, records: &mut Records, from: &mut Reader<'_>) -> Result<(), Stop> {
        loop {
            match records.next(from)? {
                Record::Key(of_kind) => {
                    self.close()?;
                    self.key(of_kind, records.dialect, &records.attributes(), from)?;
                }
                Record::Field(name) => self.field(&name, from)?,
                Record::Library => {
                    self.close()?;
                    self.library(from.string()?)?;
                }
                Record::Database(number) => self.db = number,
                Record::Sizes { .. } | Record::Passed => {}
                Record::End => break,
            }
        }
        self.close()?;
        let _sum = records.end(from)?;
        Ok(())
    }

    /// Ends the line of the last key.
    fn close(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.line, Line::Closed) {
            Line::Closed | Line::LeftOut => Ok(()),
            Line::Value => self.lines.end(b"}\n"),
            Line::Deadlines => self.lines.end(b"}}\n"),
        }
    }

    fn key(
        &mut self,
        of_kind: u8,
        dialect: Dialect,
        attributes: &Attributes,
        from: &mut Reader<'_>,
    ) -> Result<(), Stop> {
        self.key.clear();
        self.key.extend_from_slice(from.string()?);
        let type_of = type_of_kind(of_kind, dialect);
        if !self.filter.takes(self.db, &self.key, type_of) {
            self.line = Line::LeftOut;
            let mut pass = |_: Item<'_>| Ok::<(), Stop>(());
            return walk_value(
                of_kind,
                dialect,
                from,
                &self.hasher,
                &mut self.room,
                &mut pass,
            );
        }
        self.line = Line::Value;
        // A kind without a type is refused by the walk, before anything is written.
        if let Some(type_of) = type_of {
            self.head(type_of, attributes);
        }
        let mut value = Value::new(&mut self.lines, type_of);
        walk_value(
            of_kind,
            dialect,
            from,
            &self.hasher,
            &mut self.room,
            &mut |item| Ok::<(), Stop>(value.item(item)?),
        )?;
        if value.end() {
            return Ok(());
        }
        // It has no elements: loading passes over it too.
        self.lines.drop_open();
        self.line = Line::LeftOut;
        Ok(())
    }

    /// Writes a key's line up to its value.
    fn head(&mut self, type_of: Type, attributes: &Attributes) {
        let bytes = &mut self.lines.bytes;
        bytes.extend_from_slice(b"{\"db\":");
        write_u64(bytes, self.db);
        bytes.extend_from_slice(b",\"key\":");
        put_text(bytes, &self.key);
        bytes.extend_from_slice(b",\"type\":\"");
        bytes.extend_from_slice(type_of.name().as_bytes());
        bytes.push(b'"');
        if let Some(deadline) = attributes.deadline {
            bytes.extend_from_slice(b",\"deadline_ms\":");
            write_i64(bytes, deadline);
        }
        if let Some(idle_s) = attributes.idle_s {
            bytes.extend_from_slice(b",\"idle_s\":");
            write_u64(bytes, idle_s);
        }
        if let Some(frequency) = attributes.frequency {
            bytes.extend_from_slice(b",\"frequency\":");
            write_u64(bytes, u64::from(frequency));
        }
        bytes.extend_from_slice(b",\"value\":");
    }

    fn library(&mut self, source: &[u8]) -> io::Result<()> {
        if self.filter.is_open() {
            self.lines.put(b"{\"function\":");
            put_text(&mut self.lines.bytes, source);
            self.lines.end(b"}\n")?;
        }
        Ok(())
    }

    fn field(&mut self, name: &[u8], from: &mut Reader<'_>) -> Result<(), Stop> {
        let at = from.offset();
        let value = from.string()?;
        if name == MEMBER_DEADLINES && self.line != Line::Closed {
            let in_file = |error: ReadError| in_field(&error, at);
            let mut deadlines = DeadlineReader::begin(value).map_err(in_file)?;
            if deadlines.key == self.key {
                while let Some((name, deadline)) = deadlines.next().map_err(in_file)? {
                    self.deadline(name, deadline)?;
                }
                return Ok(());
            }
        }
        self.close()?;
        if self.filter.is_open() {
            self.lines.put(b"{\"aux\":");
            put_text(&mut self.lines.bytes, name);
            self.lines.put(b",\"value\":");
            put_text(&mut self.lines.bytes, value);
            self.lines.end(b"}\n")?;
        }
        Ok(())
    }

    /// Writes the deadline of a member of the last key.
    fn deadline(&mut self, name: &[u8], deadline: i64) -> io::Result<()> {
        let before: &[u8] = match self.line {
            Line::Deadlines => b",",
            Line::Value => b",\"deadlines_ms\":{",
            Line::Closed | Line::LeftOut => return Ok(()),
        };
        self.line = Line::Deadlines;
        self.lines.put(before);
        put_name(&mut self.lines.bytes, name);
        self.lines.put(b":");
        write_i64(&mut self.lines.bytes, deadline);
        self.lines.pass_on()
    }
}

/// Where in a value writing stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before its first element.
    Start,
    /// Behind an element.
    Elements,
    /// Of a stream: behind what is known besides entries.
    Log,
    /// Behind a pending entry of a group, or before the first.
    Pending { any: bool },
    /// Behind an entry that a consumer has, or before the first.
    Owned { any: bool },
}

/// Writes a value piece by piece.
struct Value<'v, 'w> {
    lines: &'v mut Lines<'w>,
    type_of: Option<Type>,
    place: Place,
}

impl<'v, 'w> Value<'v, 'w> {
    fn new(lines: &'v mut Lines<'w>, type_of: Option<Type>) -> Self {
        Self {
            lines,
            type_of,
            place: Place::Start,
        }
    }

    fn item(&mut self, item: Item<'_>) -> io::Result<()> {
        match item {
            Item::String(value) => {
                put_text(&mut self.lines.bytes, value);
                self.place = Place::Elements;
            }
            Item::Element(word) | Item::Member(word) => {
                self.separate(b"[");
                put_text(&mut self.lines.bytes, word);
            }
            Item::Scored(name, score) => {
                self.separate(b"{");
                put_name(&mut self.lines.bytes, name);
                self.lines.put(b":");
                put_score(&mut self.lines.bytes, score);
            }
            Item::Field(name, value, deadline) => {
                self.separate(b"{");
                put_name(&mut self.lines.bytes, name);
                self.lines.put(b":");
                match deadline {
                    Some(deadline) => put_text_until(&mut self.lines.bytes, value, deadline),
                    None => put_text(&mut self.lines.bytes, value),
                }
            }
            Item::Entry(id, pairs) => {
                self.separate(b"{\"entries\":[");
                self.lines.put(b"{\"id\":");
                self.id(id);
                self.lines.put(b",\"fields\":[");
                let mut before: &[u8] = b"[";
                for (field, value) in pairs {
                    self.lines.put(before);
                    let bytes = &mut self.lines.bytes;
                    with_element(*field, |word| put_text(bytes, word));
                    bytes.push(b',');
                    with_element(*value, |word| put_text(bytes, word));
                    bytes.push(b']');
                    before = b",[";
                }
                self.lines.put(b"]}");
            }
            Item::Log(numbers) => self.log(&numbers),
            other => self.of_group(other),
        }
        self.lines.pass_on()
    }

    /// What stands before an element: `open` before the first.
    fn separate(&mut self, open: &[u8]) {
        match self.place {
            Place::Start => self.lines.put(open),
            _ => self.lines.put(b","),
        }
        self.place = Place::Elements;
    }

    fn id(&mut self, id: StreamId) {
        self.lines.put(b"\"");
        id.write(&mut self.lines.bytes);
        self.lines.put(b"\"");
    }

    fn number(&mut self, name: &[u8], value: i64) {
        self.lines.put(name);
        write_i64(&mut self.lines.bytes, value);
    }

    fn log(&mut self, numbers: &LogNumbers) {
        if self.place == Place::Start {
            self.lines.put(b"{\"entries\":[");
        }
        self.lines.put(b"],\"last_id\":");
        self.id(numbers.last_id);
        self.lines.put(b",\"max_deleted_id\":");
        self.id(numbers.max_deleted_id);
        self.lines.put(b",\"entries_added\":");
        write_u64(&mut self.lines.bytes, numbers.entries_added);
        self.lines.put(b",\"groups\":[");
        self.place = Place::Log;
    }

    fn of_group(&mut self, item: Item<'_>) {
        match item {
            Item::Group {
                name,
                last_id,
                entries_read,
            } => {
                self.end_group();
                if self.place != Place::Log {
                    self.lines.put(b",");
                }
                self.lines.put(b"{\"name\":");
                put_text(&mut self.lines.bytes, name);
                self.lines.put(b",\"last_id\":");
                self.id(last_id);
                if let Some(entries_read) = entries_read {
                    self.lines.put(b",\"entries_read\":");
                    write_u64(&mut self.lines.bytes, entries_read);
                }
                self.lines.put(b",\"pending\":[");
                self.place = Place::Pending { any: false };
            }
            Item::Pending(id, delivered_ms, deliveries) => {
                if self.place == (Place::Pending { any: true }) {
                    self.lines.put(b",");
                }
                self.lines.put(b"{\"id\":");
                self.id(id);
                self.number(b",\"delivered_ms\":", delivered_ms);
                self.number(b",\"deliveries\":", deliveries);
                self.lines.put(b"}");
                self.place = Place::Pending { any: true };
            }
            Item::Consumer {
                name,
                seen_ms,
                active_ms,
            } => {
                match self.place {
                    Place::Owned { .. } => self.lines.put(b"]},"),
                    _ => self.lines.put(b"],\"consumers\":["),
                }
                self.lines.put(b"{\"name\":");
                put_text(&mut self.lines.bytes, name);
                self.number(b",\"seen_ms\":", seen_ms);
                self.number(b",\"active_ms\":", active_ms);
                self.lines.put(b",\"pending\":[");
                self.place = Place::Owned { any: false };
            }
            Item::Owned(id) => {
                if self.place == (Place::Owned { any: true }) {
                    self.lines.put(b",");
                }
                self.id(id);
                self.place = Place::Owned { any: true };
            }
            _ => {}
        }
    }

    /// Ends the group that is being written.
    fn end_group(&mut self) {
        match self.place {
            Place::Pending { .. } => self.lines.put(b"],\"consumers\":[]}"),
            Place::Owned { .. } => self.lines.put(b"]}]}"),
            _ => {}
        }
    }

    /// Ends the value; whether there is one.
    fn end(mut self) -> bool {
        self.end_group();
        let end: &[u8] = match self.type_of {
            Some(Type::List | Type::Set) => b"]",
            Some(Type::Zset | Type::Hash) => b"}",
            Some(Type::Stream) => b"]}",
            Some(Type::String) | None => b"",
        };
        self.lines.put(end);
        self.place != Place::Start
    }
}

/// Writes a score: a number, which is exact, or a word where JSON has no number.
fn put_score(to: &mut Vec<u8>, score: f64) {
    if score.is_finite() {
        format_f64(score, to);
    } else {
        to.extend_from_slice(if score > 0.0 { b"\"inf\"" } else { b"\"-inf\"" });
    }
}
