//! `oxidis check-rdb FILE`: whether an RDB file can be loaded, and if not, where and why. The report's lines are those of
//! redis-check-rdb, on standard output.
//!
//! Every byte is read by the code that loading uses, but no value is kept. What loading finds because it has all in memory,
//! a key or an element that stands twice, is found by their hashes ([`Distinct`]), and told when the value or the file ends.

use super::progress::{Progress, Watched};
use super::scratch::Distinct;
use super::{Failure, Tool, open, say, snapshot_argument};
use crate::base::clock::Clock;
use crate::base::hash::Hasher;
use crate::base::random::seed_from_os;
use crate::persist::records::{Record, Records, Sum};
use crate::rdb::kind;
use crate::rdb::read::{ReadError, Reader};
use crate::types::Type;
use crate::types::load::Room;
use crate::types::rdb::{DeadlineReader, MEMBER_DEADLINES, in_field};
use crate::types::walk::{Item, type_of_kind, walk_value};
use clap::{ArgMatches, Command};
use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

/// See the head of the file.
pub(super) const TOOL: Tool = Tool {
    name: "check-rdb",
    about: "Says whether an RDB file is in order, and where it is not",
    define,
    run,
};

fn define(command: Command) -> Command {
    command
        .arg(snapshot_argument())
        .after_help("It ends with status 0 if the file is in order, else with 1.")
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path: &PathBuf = matches
        .get_one("FILE")
        .expect("clap demands what is required");
    let (file, bytes) = open(path)?;
    let progress = RefCell::new(Progress::new(path.display().to_string(), bytes));
    let mut report = |line: String| {
        progress.borrow_mut().clear();
        say(line)
    };
    let check = Check {
        name: path.display().to_string(),
        now_ms: Clock::system().unix_ms(),
        folder: &std::env::temp_dir(),
        report: &mut report,
    };
    check.run(&mut Reader::of_source(Watched::new(file, &progress), bytes))
}

/// A file's check, before it is [`run`](Check::run).
pub struct Check<'c> {
    /// What the file is called in the report.
    pub name: String,
    /// Unix milliseconds: what has expired by then is counted.
    pub now_ms: i64,
    /// Where hashes go for which there is no room in memory.
    pub folder: &'c Path,
    /// Is given the report, line by line.
    pub report: &'c mut dyn FnMut(String) -> Result<(), Failure>,
}

/// Why a check ends before the file does.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Scratch(#[from] io::Error),
    #[error("{0}")]
    Report(#[from] Failure),
}

/// What is being done with the file, in the words of redis-check-rdb.
#[derive(Clone, Copy)]
enum Doing {
    Start,
    Type,
    Key,
    Value,
    Aux,
    Library,
    Checksum,
}

impl Doing {
    fn words(self) -> &'static str {
        match self {
            Doing::Start => "start",
            Doing::Type => "read-type",
            Doing::Key => "read-key",
            Doing::Value => "read-object-value",
            Doing::Aux => "read-aux",
            Doing::Library => "read-functions",
            Doing::Checksum => "check-sum",
        }
    }
}

/// How much there is of what.
#[derive(Default)]
struct Counts {
    version: u16,
    keys: u64,
    expires: u64,
    expired: u64,
    subexpires: u64,
    empty: u64,
    functions: u64,
}

struct Checker<'c> {
    check: Check<'c>,
    doing: Doing,
    /// The key that is being read.
    key: Vec<u8>,
    last_key: Vec<u8>,
    last_type: Option<Type>,
    of_kind: u8,
    db: u64,
    counts: Counts,
    keys: Distinct,
    value: ValueCheck,
}

impl Check<'_> {
    /// Checks a file.
    ///
    /// # Errors
    /// [`Failure::Reported`]: it is not in order, which the report says; else why it could not be checked.
    pub fn run(self, from: &mut Reader<'_>) -> Result<(), Failure> {
        let (keys, elements) = (
            Distinct::in_folder(self.folder),
            Distinct::in_folder(self.folder),
        );
        let mut checker = Checker {
            check: self,
            doing: Doing::Start,
            key: Vec::new(),
            last_key: Vec::new(),
            last_type: None,
            of_kind: 0,
            db: 0,
            counts: Counts::default(),
            keys,
            value: ValueCheck {
                hasher: Hasher::new(seed_from_os(), seed_from_os()),
                room: Room::default(),
                elements,
                name: Vec::new(),
                group: 0,
            },
        };
        let checked = checker.file(from);
        checker.conclude(checked)
    }
}

impl Checker<'_> {
    fn say(&mut self, at: u64, line: std::fmt::Arguments<'_>) -> Result<(), Failure> {
        (self.check.report)(format!("[offset {at}] {line}"))
    }

    fn file(&mut self, from: &mut Reader<'_>) -> Result<(), Stop> {
        let name = self.check.name.clone();
        self.say(0, format_args!("Checking RDB file {name}"))?;
        let mut records = Records::begin(from)?;
        self.counts.version = records.version;
        loop {
            self.doing = Doing::Type;
            match records.next(from)? {
                Record::Key(of_kind) => self.key(of_kind, &mut records, from)?,
                Record::Field(name) => self.field(&name, from)?,
                Record::Library => {
                    self.doing = Doing::Library;
                    from.skip_string()?;
                    self.counts.functions += 1;
                }
                Record::Database(number) => {
                    self.db = number;
                    self.say(from.offset(), format_args!("Selecting DB ID {number}"))?;
                }
                Record::Sizes { .. } | Record::Passed => {}
                Record::End => break,
            }
        }
        self.doing = Doing::Checksum;
        self.key.clear();
        let sum = records.end(from)?;
        if let Some(at) = self.keys.finish()? {
            return Err(twice("each key once", at).into());
        }
        self.end(sum, from.offset())
    }

    fn end(&mut self, sum: Sum, at: u64) -> Result<(), Stop> {
        match sum {
            Sum::Unknown => {}
            Sum::Disabled => {
                let line = "RDB file was saved with checksum disabled: no check performed.";
                self.say(at, format_args!("{line}"))?;
            }
            Sum::Right => self.say(at, format_args!("Checksum OK"))?,
        }
        self.say(at, format_args!("\\o/ RDB looks OK! \\o/"))?;
        Ok(())
    }

    fn key(
        &mut self,
        of_kind: u8,
        records: &mut Records,
        from: &mut Reader<'_>,
    ) -> Result<(), Stop> {
        let at = from.offset();
        self.doing = Doing::Key;
        self.of_kind = of_kind;
        self.key.clear();
        self.key.extend_from_slice(from.string()?);
        let name = &mut self.value.name;
        name.clear();
        name.extend_from_slice(&self.db.to_le_bytes());
        name.extend_from_slice(&self.key);
        self.keys.add(name, at)?;
        self.doing = Doing::Value;
        let seen = self.value.walk(of_kind, records, from)?;
        let attributes = records.attributes();
        self.counts.keys += 1;
        self.counts.expires += u64::from(attributes.deadline.is_some());
        let now_ms = self.check.now_ms;
        let is_expired = attributes.deadline.is_some_and(|at| at < now_ms);
        self.counts.expired += u64::from(is_expired);
        self.counts.subexpires += u64::from(seen.has_deadlines);
        self.counts.empty += u64::from(seen.is_empty);
        self.last_type = type_of_kind(of_kind, records.dialect);
        std::mem::swap(&mut self.last_key, &mut self.key);
        self.key.clear();
        Ok(())
    }

    fn field(&mut self, name: &[u8], from: &mut Reader<'_>) -> Result<(), Stop> {
        self.doing = Doing::Aux;
        if name == MEMBER_DEADLINES {
            return Ok(self.deadlines(from)?);
        }
        let value = from.string()?.escape_ascii().to_string();
        let name = name.escape_ascii();
        self.say(from.offset(), format_args!("AUX FIELD {name} = '{value}'"))?;
        Ok(())
    }

    /// Looks at the deadlines of the members of a key, which is mostly the last one.
    fn deadlines(&mut self, from: &mut Reader<'_>) -> Result<(), ReadError> {
        let at = from.offset();
        let key = read_deadlines(from.string()?).map_err(|error| in_field(&error, at))?;
        let has_members = matches!(self.last_type, Some(Type::Set | Type::Zset | Type::Hash));
        if key == self.last_key && !has_members {
            return Err(from.corrupt("a set or sorted set", "a value of another type"));
        }
        Ok(())
    }

    /// Says what was found wrong, and what there is.
    fn conclude(mut self, checked: Result<(), Stop>) -> Result<(), Failure> {
        let result = match checked {
            Ok(()) => Ok(()),
            Err(Stop::Report(failure)) => return Err(failure),
            Err(Stop::Scratch(error)) => {
                return Err(Failure::of_file(self.check.folder, &error));
            }
            Err(Stop::Read(error)) => {
                self.error(&error)?;
                Err(Failure::Reported)
            }
        };
        let counts = &self.counts;
        let mut lines = Vec::new();
        if counts.version > 0 {
            lines.push(format!("RDB version {}", counts.version));
        }
        lines.extend([
            format!("{} keys read", counts.keys),
            format!("{} expires", counts.expires),
            format!("{} already expired", counts.expired),
            format!("{} subexpires", counts.subexpires),
            format!("{} functions", counts.functions),
        ]);
        if counts.empty > 0 {
            lines.push(format!(
                "{} keys without elements, which loading passes over",
                counts.empty
            ));
        }
        let report = self.check.report;
        lines
            .into_iter()
            .try_for_each(|line| report(format!("[info] {line}")))?;
        result
    }

    fn error(&mut self, error: &ReadError) -> Result<(), Failure> {
        let (at, reason) = match error {
            ReadError::Io { at, source } => (*at, source.to_string()),
            ReadError::Corrupt {
                at,
                expected,
                found,
            } => (*at, format!("expected {expected}, found {found}")),
        };
        let report = &mut *self.check.report;
        report("--- RDB ERROR DETECTED ---".to_owned())?;
        report(format!("[offset {at}] {reason}"))?;
        let doing = self.doing.words();
        report(format!("[additional info] While doing: {doing}"))?;
        if !self.key.is_empty() {
            let key = self.key.escape_ascii();
            report(format!("[additional info] Reading key '{key}'"))?;
        }
        if let Doing::Key | Doing::Value = self.doing {
            let (number, name) = (self.of_kind, kind::name(self.of_kind));
            report(format!("[additional info] Reading type {number} ({name})"))?;
        }
        Ok(())
    }
}

/// Goes through deadlines of members; the key that they belong to.
fn read_deadlines(value: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut deadlines = DeadlineReader::begin(value)?;
    while deadlines.next()?.is_some() {}
    Ok(deadlines.key)
}

/// The error that something stands twice.
fn twice(expected: &'static str, at: u64) -> ReadError {
    ReadError::Corrupt {
        at,
        expected,
        found: "one that stands there a second time".to_owned(),
    }
}

/// Looks at values.
struct ValueCheck {
    hasher: Hasher,
    room: Room,
    elements: Distinct,
    name: Vec<u8>,
    /// Groups of the stream so far.
    group: u64,
}

/// What was seen of a value.
struct Seen {
    is_empty: bool,
    has_deadlines: bool,
}

impl ValueCheck {
    fn walk(
        &mut self,
        of_kind: u8,
        records: &Records,
        from: &mut Reader<'_>,
    ) -> Result<Seen, Stop> {
        let at = from.offset();
        let type_of = type_of_kind(of_kind, records.dialect);
        let mut seen = Seen {
            is_empty: !matches!(type_of, Some(Type::String | Type::Stream)),
            has_deadlines: false,
        };
        self.group = 0;
        let (elements, name, group) = (&mut self.elements, &mut self.name, &mut self.group);
        let mut visit = |item: Item<'_>| -> Result<(), Stop> {
            seen.is_empty = false;
            name.clear();
            match item {
                Item::Member(member) | Item::Scored(member, _) => name.extend_from_slice(member),
                Item::Field(field, _, deadline) => {
                    seen.has_deadlines |= deadline.is_some();
                    name.extend_from_slice(field);
                }
                Item::Group { name: word, .. } => {
                    *group += 1;
                    name.extend_from_slice(&0u64.to_le_bytes());
                    name.extend_from_slice(word);
                }
                Item::Consumer { name: word, .. } => {
                    name.extend_from_slice(&group.to_le_bytes());
                    name.extend_from_slice(word);
                }
                _ => return Ok(()),
            }
            Ok(elements.add(name, at)?)
        };
        walk_value(
            of_kind,
            records.dialect,
            from,
            &self.hasher,
            &mut self.room,
            &mut visit,
        )?;
        match self.elements.finish()? {
            Some(at) => Err(twice("each element once", at).into()),
            None => Ok(seen),
        }
    }
}
