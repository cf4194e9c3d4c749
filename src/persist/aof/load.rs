//! What the append-only file consists of when the server starts, and why it cannot be read.
//!
//! Files are opened and read by the engine's host, commands are run by the engine: here is what they need to know of each
//! other, and the texts.

use super::manifest::{Manifest, ManifestError};
use crate::rdb::read::ReadError;
use std::io;

/// Files that have been read, and to which is appended from now on.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// All of them.
    pub manifest: Manifest,
    /// The one to which is appended.
    pub increment: String,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// Why the data cannot be loaded. The server does not start: what it would write would take the place of what is there.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that the manifest names is not there.
    #[error("The AOF file {file} doesn't exist: No such file or directory")]
    Missing {
        /// The file.
        file: String,
    },
    /// There are files with data, and nothing says how they belong together.
    #[error(
        "No AOF manifest {manifest} speaks of {file}, which has data: put the manifest back, or move the file away to \
         begin without it"
    )]
    Stray {
        /// The file.
        file: String,
        /// The manifest.
        manifest: String,
    },
    /// A file cannot be read.
    #[error("Unrecoverable error reading the append only file {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The manifest is not as it must be.
    #[error("The AOF manifest {file} is not understood, {source}")]
    Manifest {
        /// The file.
        file: String,
        /// Which line, and why.
        source: ManifestError,
    },
    /// The snapshot at the beginning is not as it must be.
    #[error("Error reading the RDB preamble of the AOF file {file}: {source}")]
    Preamble {
        /// The file.
        file: String,
        /// Where, what should stand there and what does.
        source: ReadError,
    },
    /// Something else stands where a command should.
    #[error(
        "Bad file format reading the append only file {file}: make a backup of your AOF file, then use oxidis check-aof \
         --fix <filename.manifest>. At byte {offset}: {reason}"
    )]
    Format {
        /// The file.
        file: String,
        /// Where the command begins.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The file ends within a command or transaction.
    #[error(
        "Unexpected end of file reading the append only file {file}. You can: 1) Make a backup of your AOF file, then use \
         oxidis check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration \
         option to yes and restart the server. The last whole command ends at byte {offset} of {bytes}"
    )]
    Truncated {
        /// The file.
        file: String,
        /// Bytes up to which it is good.
        offset: u64,
        /// Bytes that it has.
        bytes: u64,
    },
    /// A command that this server does not know.
    #[error("Unknown command '{name}' reading the append only file {file}, at byte {offset}")]
    Unknown {
        /// The file.
        file: String,
        /// Where the command begins.
        offset: u64,
        /// Its name.
        name: String,
    },
    /// There is a snapshot that cannot be read, or is not as it must be.
    #[error("Fatal error loading the DB, {file}: {}{source}", match source {
        ReadError::Corrupt { .. } => "integrity check failed ",
        ReadError::Io { .. } => "",
    })]
    Dump {
        /// The file.
        file: String,
        /// Where, what should stand there and what does.
        source: ReadError,
    },
    /// The server is to end before all is loaded.
    #[error("The server is told to end")]
    Stopped,
    /// The files cannot be made ready for appending.
    #[error("Can't open the append-only file: {reason}")]
    Open {
        /// What the system said.
        reason: String,
    },
}
