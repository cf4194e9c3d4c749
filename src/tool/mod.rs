//! The tools in the one binary: `oxidis NAME ...` is a tool if a row of [`TOOLS`] has that name, else the server. They open
//! files and talk to the terminal; they know no sockets.
//!
//! What a tool makes goes to standard output or to the file that was named, what it says of it to standard error; the
//! checks print their report on standard output, as the tools of the C servers do. It ends with status 0 if all was done
//! and is in order, else with 1. Files are read and written as streams.

mod check_aof;
pub mod check_rdb;
pub mod export;
pub mod import;
mod json;
mod log_files;
mod moment;
mod offline;
pub mod output;
pub mod progress;
mod restore;
pub mod scratch;

use crate::persist::aof::load::LoadError;
use crate::persist::reason;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// One tool.
pub struct Tool {
    /// The word by which it is called.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Adds its words to the description of its command line.
    pub define: fn(Command) -> Command,
    /// Does it.
    pub run: fn(&ArgMatches) -> Result<(), Failure>,
}

/// All tools, in the order in which the help shows them.
pub static TOOLS: [Tool; 5] = [
    check_rdb::TOOL,
    check_aof::TOOL,
    export::TOOL,
    import::TOOL,
    restore::TOOL,
];

/// Programs of these families are tools too, when this program is called by their name.
const FAMILIES: [&str; 3] = ["redis-", "valkey-", "oxidis-"];

/// Why a tool did not do what it should, or what it found that is not in order.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file cannot be used.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// What is in a file is not what it must be.
    #[error("{file}, at byte {offset}: {reason}")]
    At {
        /// The file.
        file: String,
        /// Where it is wrong.
        offset: u64,
        /// What should stand there and what does.
        reason: String,
    },
    /// An append-only file cannot be read.
    #[error("{0}")]
    Log(#[from] LoadError),
    /// The words do not make sense together.
    #[error("{0}")]
    Words(String),
    /// The report on standard output says it.
    #[error("not in order")]
    Reported,
}

impl Failure {
    /// What the system said to something done with a file.
    pub fn of_file(file: &Path, error: &io::Error) -> Failure {
        Failure::File {
            file: file.display().to_string(),
            reason: reason(error),
        }
    }
}

impl Tool {
    /// The description of its command line.
    pub fn command(&self) -> Command {
        let command = Command::new(self.name)
            .about(self.about)
            .bin_name(format!("oxidis {}", self.name));
        (self.define)(command)
    }
}

impl std::fmt::Debug for Tool {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

impl PartialEq for Tool {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Tool {}

/// The tool of this name.
pub fn find(name: &OsStr) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| name == tool.name)
}

/// The tool whose name this program was called by: `redis-check-rdb`, `/usr/bin/oxidis-check-aof`.
pub fn find_called(program: &OsStr) -> Option<&'static Tool> {
    let name = Path::new(program).file_name()?.to_str()?;
    let mut families = FAMILIES.iter();
    let name = families.find_map(|family| name.strip_prefix(family))?;
    find(OsStr::new(name))
}

/// The argument of tools that read a snapshot.
fn snapshot_argument() -> Arg {
    Arg::new("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("A snapshot")
}

/// Opens a file; how many bytes it has. A folder has some too: what reads it says what it is.
///
/// # Errors
/// What the system says; or it is a pipe or a device, which does not tell.
fn open(path: &Path) -> Result<(File, u64), Failure> {
    let opened = std::fs::metadata(path).and_then(|metadata| {
        if !metadata.is_file() && !metadata.is_dir() {
            let wanted = "a regular file is wanted, whose length is known";
            return Err(io::Error::other(wanted));
        }
        // To open a pipe would be to wait for whoever writes it.
        Ok((File::open(path)?, metadata.len()))
    });
    opened.map_err(|error| Failure::of_file(path, &error))
}

/// A line of a report, on standard output.
fn say(line: impl std::fmt::Display) -> Result<(), Failure> {
    let said = writeln!(io::stdout(), "{line}");
    said.map_err(|error| Failure::of_file(Path::new("standard output"), &error))
}
