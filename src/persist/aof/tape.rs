//! The walk over one file of an append-only file: its snapshot, if it begins with one, then annotations and commands, a
//! batch at a time. Loading runs the commands, the tools look at them; what is whole and what is wrong is decided here, once.
//!
//! ```text
//! file   [RDB preamble]  #TS:1700000000  *3 $3 SET ...  *1 $5 MULTI ... *1 $4 EXEC
//!                                                      ^ unit: all of it or nothing
//! ```
//! At most one batch of commands and [`CHUNK_BYTES`] are in memory; more if one command is longer.

use super::load::LoadError;
use crate::base::number::parse_i64;
use crate::rdb::read::Reader;
use crate::resp::request::{Argv, Batch, Parsed, RequestLimits, RequestParser};
use std::io::{self, Read};

/// Bytes read at once; more if a command does not fit.
const CHUNK_BYTES: usize = 1 << 20;
/// The longest word that is believed.
const WORD_MAX_BYTES: usize = 4 << 30;
/// What a file begins with that begins with a snapshot.
const PREAMBLES: [&[u8]; 2] = [b"REDIS", b"VALKEY"];
/// What an annotation begins with that says when the commands behind it ran.
const STAMP: &[u8] = b"#TS:";

/// What comes next on a tape.
pub enum Item<'t> {
    /// A line that is no command.
    Annotation {
        /// Where it begins.
        offset: u64,
        /// Without its end.
        text: &'t [u8],
    },
    /// Commands.
    Commands(Commands<'t>),
}

/// Commands that follow each other on a tape.
#[derive(Clone, Copy)]
pub struct Commands<'t> {
    /// The commands; there may be others behind the first `count`, which are not meant.
    pub batch: &'t Batch,
    /// The bytes in which their words lie.
    pub input: &'t [u8],
    /// How many they are.
    pub count: usize,
    /// Where the first one begins.
    offset: u64,
}

impl<'t> Commands<'t> {
    /// The words of a command.
    pub fn argv(&self, index: usize) -> Argv<'t> {
        self.batch.argv(index, self.input)
    }

    /// Where in the file a command begins.
    pub fn offset(&self, index: usize) -> u64 {
        let before = index.checked_sub(1);
        self.offset + before.map_or(0, |last| self.batch.input_end(last) as u64)
    }
}

/// A unit that begins within a unit, or ends outside of one. Loading passes over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// Where the command stands.
    pub offset: u64,
    /// What is odd.
    pub what: &'static str,
    /// Up to where everything is whole without it, and the line that begins there.
    pub whole: u64,
    /// See `whole`.
    pub line: u64,
}

/// What the next item is.
enum Plan {
    Annotation { end: usize },
    Commands { count: usize, end: usize },
}

/// See the head of the file.
pub struct Tape {
    file: String,
    source: Box<dyn Read>,
    bytes: u64,
    /// What was read and is not passed; its first byte is at `offset`.
    rest: Vec<u8>,
    offset: u64,
    /// Bytes of `rest` that the last item has.
    taken: usize,
    batch: Batch,
    /// Where the unit begins in whose middle the tape is.
    unit_from: Option<u64>,
    commands: u64,
    /// Lines that were passed, a word in a command being two whatever is in it; and those before the unit.
    lines: u64,
    unit_line: u64,
    oddity: Option<Oddity>,
}

impl Tape {
    /// The tape of the file called `file`, of `bytes` bytes.
    pub fn new(file: &str, source: Box<dyn Read>, bytes: u64) -> Tape {
        Tape {
            file: file.to_owned(),
            source,
            bytes,
            rest: Vec::new(),
            offset: 0,
            taken: 0,
            batch: Batch::default(),
            unit_from: None,
            commands: 0,
            lines: 0,
            unit_line: 0,
            oddity: None,
        }
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Bytes that the file has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that were passed, those of the last item too.
    pub fn offset(&self) -> u64 {
        self.offset + self.taken as u64
    }

    /// Commands that were passed.
    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// Up to where everything is whole.
    pub fn whole(&self) -> u64 {
        self.unit_from.unwrap_or(self.offset())
    }

    /// The line, from 1, that begins where everything before is whole. Lines of a snapshot do not count.
    pub fn whole_line(&self) -> u64 {
        1 + match self.unit_from {
            Some(_) => self.unit_line,
            None => self.lines,
        }
    }

    /// Whether the tape is in the middle of a unit.
    pub fn is_in_unit(&self) -> bool {
        self.unit_from.is_some()
    }

    /// Whether what is left behind the last item is what a crash leaves: the beginning of a command. A number that has become
    /// too large looks the same, but swallows the commands that follow it. To be asked when there is no other item.
    ///
    /// # Errors
    /// Commands follow it.
    pub fn check_tail(&self) -> Result<(), LoadError> {
        if has_commands(&self.rest) {
            let reason = "expected the end of a command, found other commands before it";
            return Err(self.malformed(self.offset(), reason.to_owned()));
        }
        Ok(())
    }

    /// The first oddity that was passed.
    pub fn oddity(&self) -> Option<Oddity> {
        self.oddity
    }

    /// The error that something is wrong at `offset`.
    pub fn malformed(&self, offset: u64, reason: String) -> LoadError {
        LoadError::Format {
            file: self.file.clone(),
            offset,
            reason,
        }
    }

    /// Whether the file begins with a snapshot. To be asked before the first item.
    ///
    /// # Errors
    /// The file cannot be read, or is empty though its name says that it is a snapshot.
    pub fn has_preamble(&mut self) -> Result<bool, LoadError> {
        if self.rest.is_empty() {
            self.read()?;
        }
        if self.bytes == 0 && self.file.ends_with(".rdb") {
            let nothing = Reader::of_bytes(b"");
            return Err(LoadError::Preamble {
                file: self.file.clone(),
                source: nothing.corrupt("the signature of an RDB file", "an empty file"),
            });
        }
        Ok(PREAMBLES.iter().any(|head| self.rest.starts_with(head)))
    }

    /// Has the snapshot read that the file begins with, if it does; what `read` says of it. To be called before the first
    /// item.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn preamble<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> Result<Option<T>, LoadError> {
        if !self.has_preamble()? {
            return Ok(None);
        }
        let head = std::mem::take(&mut self.rest);
        let mut front = head.as_slice();
        let mut reader = Reader::of_source((&mut front).chain(&mut self.source), self.bytes);
        let value = read(&mut reader);
        (self.offset, self.rest) = (reader.offset(), reader.into_rest());
        self.rest.extend_from_slice(front);
        Ok(Some(value))
    }

    /// The next item; `None`: there is no other whole one.
    ///
    /// # Errors
    /// The file cannot be read, or something else stands where a command should.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, LoadError> {
        self.pass();
        let plan = loop {
            match self.plan()? {
                Some(plan) => break plan,
                None if self.read()? == 0 => return Ok(None),
                None => {}
            }
        };
        let offset = self.offset;
        Ok(Some(match plan {
            Plan::Annotation { end } => {
                self.taken = end;
                self.lines += 1;
                let line = self.rest.get(..end).unwrap_or_default();
                let text = line.strip_suffix(b"\n").unwrap_or(line);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                Item::Annotation { offset, text }
            }
            Plan::Commands { count, end } => {
                self.taken = end;
                self.commands += count as u64;
                self.follow_units(count);
                Item::Commands(Commands {
                    batch: &self.batch,
                    input: &self.rest,
                    count,
                    offset,
                })
            }
        }))
    }

    /// Forgets the last item.
    fn pass(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        self.offset += taken as u64;
        self.rest.drain(..taken);
    }

    /// What stands at the beginning of what was read; `None`: nothing whole.
    fn plan(&mut self) -> Result<Option<Plan>, LoadError> {
        match self.rest.first() {
            None => return Ok(None),
            Some(b'*') => {}
            Some(b'#') => {
                let end = self.rest.iter().position(|byte| *byte == b'\n');
                return Ok(end.map(|end| Plan::Annotation { end: end + 1 }));
            }
            Some(other) => {
                let found = other.escape_ascii();
                let reason = format!("expected '*' or '#', found '{found}'");
                return Err(self.malformed(self.offset, reason));
            }
        }
        let limits = RequestLimits {
            bulk_max_bytes: WORD_MAX_BYTES,
            authenticated: true,
        };
        let parsed = RequestParser::default().parse(&self.rest, &limits, &mut self.batch);
        let (mut count, mut end) = (0, 0);
        while count < self.batch.len() && self.rest.get(end) == Some(&b'*') {
            end = self.batch.input_end(count);
            count += 1;
        }
        match parsed {
            _ if count > 0 => Ok(Some(Plan::Commands { count, end })),
            Parsed::Error { error, .. } => Err(self.malformed(self.offset, error.to_string())),
            Parsed::Progress { .. } => Ok(None),
        }
    }

    /// Takes note of the units that begin and end among the next commands.
    fn follow_units(&mut self, count: usize) {
        let mut from = 0;
        for index in 0..count {
            let argv = self.batch.argv(index, &self.rest);
            let offset = self.offset + from as u64;
            let name = argv.word(0);
            let oddity = match (name.len(), self.unit_from) {
                (5, None) if name.eq_ignore_ascii_case(b"MULTI") => {
                    self.unit_from = Some(offset);
                    self.unit_line = self.lines;
                    None
                }
                (5, Some(_)) if name.eq_ignore_ascii_case(b"MULTI") => Some("Unexpected MULTI"),
                (4, None) if name.eq_ignore_ascii_case(b"EXEC") => Some("Unexpected EXEC"),
                (4, Some(_)) if name.eq_ignore_ascii_case(b"EXEC") => {
                    self.unit_from = None;
                    None
                }
                (7, Some(_)) if name.eq_ignore_ascii_case(b"DISCARD") => {
                    self.unit_from = None;
                    None
                }
                _ => None,
            };
            self.oddity = self.oddity.or(oddity.map(|what| Oddity {
                offset,
                what,
                whole: self.unit_from.unwrap_or(offset),
                line: self.whole_line(),
            }));
            from = self.batch.input_end(index);
            self.lines += 1 + 2 * argv.len() as u64;
        }
    }

    /// Reads on; how many bytes came.
    fn read(&mut self) -> Result<usize, LoadError> {
        let wanted = CHUNK_BYTES.max(self.rest.len()) as u64;
        let read = (&mut self.source).take(wanted).read_to_end(&mut self.rest);
        read.map_err(|source: io::Error| LoadError::Read {
            file: self.file.clone(),
            source,
        })
    }
}

/// The second that an annotation names: what follows it ran then, and what precedes it not later.
pub fn stamp(annotation: &[u8]) -> Option<i64> {
    parse_i64(annotation.strip_prefix(STAMP)?)
}

/// Whether a command seems to begin somewhere behind the first byte.
fn has_commands(bytes: &[u8]) -> bool {
    /// What stands behind a mark, a number and the end of the line.
    fn behind<'b>(bytes: &'b [u8], mark: &[u8]) -> Option<&'b [u8]> {
        let rest = bytes.strip_prefix(mark)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest.get(digits..)?
            .strip_prefix(b"\r\n")
            .filter(|_| digits > 0)
    }
    let mut rest = bytes.get(1..).unwrap_or_default();
    while let Some(at) = rest.windows(3).position(|three| three == b"\r\n*") {
        rest = rest.get(at + 2..).unwrap_or_default();
        if behind(rest, b"*")
            .and_then(|rest| behind(rest, b"$"))
            .is_some()
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is on a tape: annotations, and the words of commands, each with its offset; then where it is whole.
    fn played(bytes: &[u8]) -> (Vec<(u64, String)>, u64) {
        let source = Box::new(io::Cursor::new(bytes.to_vec()));
        let mut tape = Tape::new("a", source, bytes.len() as u64);
        let mut items = Vec::new();
        while let Some(item) = tape.next_item().expect("it is well formed") {
            match item {
                Item::Annotation { offset, text } => {
                    items.push((offset, String::from_utf8_lossy(text).into_owned()));
                }
                Item::Commands(commands) => items.extend((0..commands.count).map(|index| {
                    let words = commands.argv(index).iter().map(<[u8]>::to_vec);
                    let words: Vec<Vec<u8>> = words.collect();
                    let text = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
                    (commands.offset(index), text)
                })),
            }
        }
        (items, tape.whole())
    }

    #[test]
    fn annotations_and_commands_come_with_their_offsets() {
        let bytes = b"#TS:7\r\n*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n#end\n*1\r\n$4\r\nPING\r\n";
        let (items, whole) = played(bytes);
        let items: Vec<(u64, &str)> = items.iter().map(|(at, text)| (*at, &**text)).collect();
        assert_eq!(
            items,
            [
                (0, "#TS:7"),
                (7, "PING"),
                (21, "ECHO x"),
                (42, "#end"),
                (47, "PING")
            ]
        );
        assert_eq!(whole, bytes.len() as u64);
        assert_eq!(
            (stamp(b"#TS:7"), stamp(b"#TS:x"), stamp(b"#end")),
            (Some(7), None, None)
        );
    }

    #[test]
    fn a_command_may_be_longer_than_what_is_read_at_once() {
        let value = "v".repeat(3 * CHUNK_BYTES);
        let bytes = format!(
            "*2\r\n$4\r\nECHO\r\n${}\r\n{value}\r\n*1\r\n$4\r\nPING\r\n",
            value.len()
        );
        let (items, whole) = played(bytes.as_bytes());
        assert_eq!(items.len(), 2);
        assert_eq!(whole, bytes.len() as u64);
    }

    #[test]
    fn what_is_cut_is_whole_up_to_the_last_unit() {
        let unit = "*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nEXEC\r\n";
        let bytes = ["*1\r\n$4\r\nPING\r\n", unit, unit].concat();
        for length in 0..=bytes.len() {
            let good = match length {
                0..14 => 0,
                14..57 => 14,
                57..100 => 57,
                _ => 100,
            };
            assert_eq!(played(&bytes.as_bytes()[..length]).1, good, "{length}");
        }
    }

    /// Where a file stops being whole; whether anything is behind that.
    fn whole_of(bytes: &[u8]) -> (u64, bool) {
        let source = Box::new(io::Cursor::new(bytes.to_vec()));
        let mut tape = Tape::new("a", source, bytes.len() as u64);
        while tape.next_item().is_ok_and(|item| item.is_some()) {
            if let Some(oddity) = tape.oddity() {
                return (oddity.whole, true);
            }
        }
        (tape.whole(), tape.whole() < tape.bytes())
    }

    #[test]
    fn what_is_cut_where_it_stops_being_whole_is_in_order_whatever_was_wrong() {
        const MUTATIONS: usize = 20_000;
        let unit = "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n*1\r\n$4\r\nEXEC\r\n";
        let whole = ["*1\r\n$4\r\nPING\r\n", "#TS:7\r\n", unit, "#TS:8\r\n", unit].concat();
        let mut random = crate::base::random::Random::from_seed(7);
        for _ in 0..MUTATIONS {
            let mut bytes = whole.clone().into_bytes();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len() as u64) as usize;
                match random.below(3) {
                    0 => bytes[at] = random.next_u64() as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"*$\r\n0123456789-#"[random.below(16) as usize]),
                }
            }
            let (good, is_cut) = whole_of(&bytes);
            assert!(good <= bytes.len() as u64 && (is_cut || good == bytes.len() as u64));
            let mended = whole_of(&bytes[..good as usize]);
            assert_eq!(mended, (good, false), "{}", bytes.escape_ascii());
        }
    }
}
