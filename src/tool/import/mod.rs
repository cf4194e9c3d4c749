//! `oxidis import [FILE.jsonl] --out FILE.rdb`: JSON lines become an RDB file, those of `export` and those that people write.
//! `README.md` ("As JSON lines") tells the form.
//!
//! Collections are written element by element, in the order in which they stand: every server makes of them what its
//! settings want. The version is 11, and 12 where a hash has fields with deadlines, or 10 on request. A line of any length takes no memory;
//! what has to wait for a count waits in a file beside the one that is made.

mod body;
mod file;
mod stream;

use super::json::{Json, JsonError};
use super::output::refuse_existing;
use super::progress::{Progress, Watched};
use super::scratch::Distinct;
use super::{Failure, Tool, open};
use crate::keyspace::entry::KEY_MAX_BYTES;
use crate::persist::draft::Draft;
use crate::rdb::{Edition, opcode};
use crate::types::{TYPES, Type};
use body::{Body, plain_text, put_aux};
use clap::{Arg, ArgMatches, Command, value_parser};
pub use file::HEAD_BYTES;
use file::RdbFile;
use std::cell::RefCell;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// See the head of the file.
pub(super) const TOOL: Tool = Tool {
    name: "import",
    about: "Makes an RDB file of JSON lines, as export writes them",
    define,
    run,
};

fn define(command: Command) -> Command {
    command
        .arg(
            Arg::new("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("JSON lines; without it they come from standard input"),
        )
        .arg(
            Arg::new("out")
                .long("out")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The snapshot that is made; nothing is written over"),
        )
        .arg(
            Arg::new("rdb-version")
                .long("rdb-version")
                .value_name("VERSION")
                .value_parser(["11", "10"])
                .default_value("11")
                .help("10 is what Redis 7.0 reads: there fields of hashes have no deadlines"),
        )
        .after_help("README.md tells the form of the lines.")
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path: Option<&PathBuf> = matches.get_one("FILE");
    let out: &PathBuf = matches
        .get_one("out")
        .expect("clap demands what is required");
    let name = path.map_or("standard input".to_owned(), |path| {
        path.display().to_string()
    });
    let failed = |error: &io::Error| Failure::of_file(Path::new(&name), error);
    let (source, bytes): (Box<dyn Read>, u64) = match path {
        None => (Box::new(io::stdin()), 0),
        Some(path) => {
            let (file, bytes) = open(path)?;
            (Box::new(file), bytes)
        }
    };
    let version: Option<&String> = matches.get_one("rdb-version");
    let edition = match version.map(String::as_str) {
        Some("10") => Edition::Redis70,
        _ => Edition::Current,
    };
    refuse_existing(out)?;
    let draft = Draft::beside(out).map_err(|error| Failure::of_file(out, &error))?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let progress = RefCell::new(Progress::new(name.clone(), bytes));
    let made = import(
        Watched::new(source, &progress),
        BufWriter::with_capacity(BUFFER_BYTES, draft),
        folder.unwrap_or(Path::new(".")),
        edition,
    );
    progress.borrow_mut().clear();
    let placed = made.and_then(|(writer, head)| {
        let mut draft = writer.into_inner().map_err(io::Error::from)?;
        draft.file().write_all_at(&head, 0)?;
        draft.sync()?;
        Ok(draft.place()?)
    });
    placed.map_err(|stop| match stop {
        Stop::Lines(JsonError::Io(error)) => failed(&error),
        Stop::Lines(JsonError::Kept(error)) | Stop::Write(error) => Failure::of_file(out, &error),
        Stop::Lines(JsonError::Wrong { line, reason }) => Failure::File {
            file: name.clone(),
            reason: format!("line {line}: {reason}"),
        },
    })
}

/// Why an import ended before the lines did.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A line is not what it must be.
    #[error("{0}")]
    Lines(#[from] JsonError),
    /// What was made of them cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// Makes an RDB file of JSON lines: all of it but its head, which is known last and belongs at its beginning. What does
/// not fit memory waits in files without a name in `folder`.
///
/// # Errors
/// Why it ended before the lines did.
pub fn import<W: Write>(
    lines: impl Read,
    to: W,
    folder: &Path,
    edition: Edition,
) -> Result<(W, [u8; HEAD_BYTES]), Stop> {
    let mut json = Json::new(lines);
    let mut importer = Importer {
        file: RdbFile::begin(to, edition)?,
        body: Body::in_folder(folder),
        keys: Distinct::in_folder(folder),
        db: None,
    };
    while !json.is_at_end()? {
        importer.line(&mut json)?;
    }
    if let Some(line) = importer.keys.finish()? {
        let reason = "each key of a database stands once; a second one is here".to_owned();
        return Err(JsonError::Wrong { line, reason }.into());
    }
    Ok(importer.file.end()?)
}

/// What a line says, besides its value.
#[derive(Default)]
struct Line {
    aux: Option<Vec<u8>>,
    function: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    db: Option<u32>,
    type_of: Option<Type>,
    deadline: Option<i64>,
    idle_s: Option<u64>,
    frequency: Option<u8>,
    has_value: bool,
    has_deadlines: bool,
}

struct Importer<W: Write> {
    file: RdbFile<W>,
    body: Body,
    keys: Distinct,
    /// The database that was selected last.
    db: Option<u32>,
}

impl<W: Write> Importer<W> {
    fn line(&mut self, json: &mut Json<'_>) -> Result<(), Stop> {
        let number = json.line();
        let mut line = Line::default();
        self.body.clear();
        json.object(|json, name| self.field(&mut line, name, json))?;
        let wrong = |reason| JsonError::Wrong {
            line: number,
            reason: str::to_owned(reason),
        };
        let key_has_value = line.aux.is_none() && line.function.is_none() && line.has_value;
        match &line {
            Line { key: Some(key), .. } if key_has_value => {
                let may_have = matches!(line.type_of, Some(Type::Set | Type::Zset | Type::Hash));
                if line.has_deadlines && !may_have {
                    return Err(wrong(
                        "only members of sets, sorted sets and hashes have deadlines_ms",
                    )
                    .into());
                }
                Ok(self.key(key, &line, number)?)
            }
            Line { aux: Some(aux), .. } if line.is_no_key() && line.function.is_none() => {
                put_aux(aux, self.body.string(), &mut self.file.piece);
                Ok(self.file.pass_on()?)
            }
            Line {
                function: Some(source),
                ..
            } if line.is_no_key() && line.aux.is_none() && !line.has_value => {
                if !source.starts_with(b"#!") {
                    return Err(wrong("a function library begins with #!").into());
                }
                self.file.piece.byte(opcode::FUNCTION);
                Ok(self.file.string(source)?)
            }
            _ => Err(wrong(
                "a line has a key and its value, an aux field and its value, or a function",
            )
            .into()),
        }
    }

    fn field(
        &mut self,
        line: &mut Line,
        name: &[u8],
        json: &mut Json<'_>,
    ) -> Result<(), JsonError> {
        let is_second = match name {
            b"aux" => line.aux.replace(plain_text(json)?).is_some(),
            b"function" => line.function.replace(plain_text(json)?).is_some(),
            b"key" => line.key.replace(key(json)?).is_some(),
            b"db" => line.db.replace(json.integer()?).is_some(),
            b"type" => {
                if line.has_value {
                    return Err(json.wrong("the type has to stand before the value"));
                }
                line.type_of.replace(type_of(json)?).is_some()
            }
            b"deadline_ms" => line.deadline.replace(json.integer()?).is_some(),
            b"idle_s" => line.idle_s.replace(json.integer()?).is_some(),
            b"frequency" => line.frequency.replace(json.integer()?).is_some(),
            b"value" if !line.has_value => {
                let type_of = line.type_of.unwrap_or(Type::String);
                self.body.read(type_of, json)?;
                std::mem::replace(&mut line.has_value, true)
            }
            b"deadlines_ms" if !line.has_deadlines => {
                self.body.read_deadlines(json)?;
                std::mem::replace(&mut line.has_deadlines, true)
            }
            b"value" | b"deadlines_ms" => true,
            other => return Err(json.unknown(other)),
        };
        match is_second {
            false => Ok(()),
            true => {
                let name = name.escape_ascii();
                Err(json.wrong(format!("the field \"{name}\" stands there twice")))
            }
        }
    }

    /// Adds a key, which stands in this line.
    fn key(&mut self, key: &[u8], line: &Line, number: u64) -> io::Result<()> {
        let db = line.db.unwrap_or(0);
        self.keys.add(&[&db.to_le_bytes(), key].concat(), number)?;
        let edition = self.file.edition;
        let piece = &mut self.file.piece;
        if self.db.replace(db) != Some(db) {
            piece.byte(opcode::SELECT_DB);
            piece.number(u64::from(db));
        }
        if let Some(deadline) = line.deadline {
            piece.byte(opcode::EXPIRE_MS);
            piece.i64(deadline);
        }
        if let Some(idle_s) = line.idle_s {
            piece.byte(opcode::IDLE);
            piece.number(idle_s);
        }
        if let Some(frequency) = line.frequency {
            piece.byte(opcode::FREQ);
            piece.byte(frequency);
        }
        let type_of = line.type_of.unwrap_or(Type::String);
        piece.byte(self.body.kind(type_of, edition));
        self.file.string(key)?;
        self.body.write(type_of, key, &mut self.file)?;
        self.file.pass_on()
    }
}

impl Line {
    /// Whether it has nothing that only keys have.
    fn is_no_key(&self) -> bool {
        let has_attributes =
            self.deadline.is_some() || self.idle_s.is_some() || self.frequency.is_some();
        let is_key = self.key.is_some() || self.db.is_some() || self.has_deadlines;
        !has_attributes && !is_key && matches!(self.type_of, None | Some(Type::String))
    }
}

fn key(json: &mut Json<'_>) -> Result<Vec<u8>, JsonError> {
    let key = plain_text(json)?;
    match key.len() <= KEY_MAX_BYTES {
        true => Ok(key),
        false => Err(json.wrong("no key is so long")),
    }
}

fn type_of(json: &mut Json<'_>) -> Result<Type, JsonError> {
    let mut name = Vec::new();
    json.quoted(&mut name)?;
    let found = TYPES
        .into_iter()
        .find(|it| it.name().as_bytes() == name.as_slice());
    found.ok_or_else(|| json.wrong(format!("unknown type {}", name.escape_ascii())))
}
