//! Every error text that a client can get, in one place.
//!
//! A variant is an answer; its `Display` is the line after the dash, code included. Clients and test suites compare
//! these texts letter by letter with those of Redis 8. The first word is what `errorstat_` counts.

use crate::keyspace::entry::Key;
use crate::script::Flavor;
use crate::types::WrongType;

/// Why a command was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The words do not follow the command's grammar.
    #[error("ERR syntax error")]
    Syntax,
    /// A word that must be a 64-bit integer.
    #[error("ERR value is not an integer or out of range")]
    NotInteger,
    /// A word that must be an integer of a smaller range.
    #[error("ERR value is out of range")]
    OutOfRange,
    /// A word that must be an integer of 0 or more.
    #[error("ERR value is out of range, must be positive")]
    NotPositive,
    /// A word that must be a floating-point number.
    #[error("ERR value is not a valid float")]
    NotFloat,
    /// The key holds another type.
    #[error("{0}")]
    WrongType(#[from] WrongType),
    /// There is no such key, where there must be.
    #[error("ERR no such key")]
    NoSuchKey,
    /// A database number outside the configured range.
    #[error("ERR DB index is out of range")]
    DbIndex,
    /// A database number that is no number.
    #[error("ERR invalid DB index")]
    InvalidDb,
    /// A deadline that is not positive or overflows.
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpire(&'static str),
    /// The result of an increment leaves 64 bits.
    #[error("ERR increment or decrement would overflow")]
    Overflow,
    /// A string longer than `proto-max-bulk-len`.
    #[error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")]
    StringTooLong,
    /// A cursor that is no number.
    #[error("ERR invalid cursor")]
    InvalidCursor,
    /// Wrong number of words.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(String),
    /// No command of that name.
    #[error("ERR unknown command '{name}', with args beginning with: {args}")]
    UnknownCommand {
        /// At most 128 characters of the name.
        name: String,
        /// The first words, quoted, at most 128 characters.
        args: String,
    },
    /// No subcommand of that name.
    #[error("ERR unknown subcommand '{name}'. Try {container} HELP.")]
    UnknownSubcommand {
        /// At most 128 characters of the name.
        name: String,
        /// The container command in capitals.
        container: String,
    },
    /// AUTH has yet to come.
    #[error("NOAUTH Authentication required.")]
    NoAuth,
    /// A wrong password, or a user that there is not.
    #[error("WRONGPASS invalid username-password pair or user is disabled.")]
    WrongPass,
    /// A transaction one of whose commands could not be queued.
    #[error("EXECABORT Transaction discarded because of previous errors.")]
    ExecAbort,
    /// HELLO with a version other than 2 and 3.
    #[error("NOPROTO unsupported protocol version")]
    NoProto,
    /// A script runs and runs.
    #[error("BUSY Redis is busy running a script. You can only call {} KILL or SHUTDOWN NOSAVE.", match .0 {
        Flavor::Script => "SCRIPT",
        Flavor::Function => "FUNCTION",
    })]
    Busy(Flavor),
    /// The data is not there yet.
    #[error("LOADING Redis is loading the dataset in memory")]
    Loading,
    /// Any other text, code included, known where it is raised.
    #[error("{0}")]
    Text(&'static str),
    /// Any other text, code included, with values in it.
    #[error("{0}")]
    Message(String),
}

impl Error {
    /// An error with the code `ERR`.
    pub fn err(text: impl std::fmt::Display) -> Error {
        Error::Message(format!("ERR {text}"))
    }

    /// The text as it goes out: bytes of a client are those that it sent.
    pub fn line(&self) -> Vec<u8> {
        let text = self.to_string();
        text.chars()
            .map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?'))
            .collect()
    }

    /// The code: the first word of the text.
    pub fn code(&self) -> String {
        let text = self.to_string();
        text.split(' ').next().unwrap_or_default().to_owned()
    }
}

/// Bytes of a client's word that an error shows.
pub const SHOWN_MAX: usize = 128;

/// Bytes from a client as they stand in an error: at most `limit` of them, up to the first NUL. Each byte is the character
/// of that number, which [`Error::line`] turns back.
pub fn shown(bytes: &[u8], limit: usize) -> String {
    let bytes = bytes.iter().take(limit).take_while(|byte| **byte != 0);
    bytes.map(|byte| char::from(*byte)).collect()
}

impl From<Key<'_>> for Error {
    /// The key is not there, where it must be.
    fn from(_: Key<'_>) -> Self {
        Error::NoSuchKey
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_client_come_back_as_they_were_up_to_a_nul() {
        let error = Error::err(format_args!("unknown '{}'", shown(b"a\xff\xc3\xa9\0b", 10)));
        assert_eq!(error.line(), b"ERR unknown 'a\xff\xc3\xa9'");
        assert_eq!(shown(b"abcdef", 3), "abc");
    }
}
