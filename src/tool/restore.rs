//! `oxidis restore --aof FOLDER --until TIME --out FILE`: the data set as it was at a moment of the past, as an RDB file. An
//! engine replays the append-only file up to that moment.
//!
//! ```text
//! base (made at B)   commands without time   #TS:t1  commands   #TS:t2  commands ...
//!                    '-- between B and t1 --'        of second t1       of second t2
//! ```
//! Annotations have seconds, so the moment is the end of a second: what ran within `TIME` is in. A moment before B cannot
//! be had; nor one before t1, if there are commands whose time nobody has written down. Deadlines are kept as they are and
//! no clock is looked at: what was to expire between then and now is in the file, and expires where that is loaded.

use super::log_files::{LogFiles, open};
use super::output::refuse_existing;
use super::{Failure, Tool, moment, offline};
use crate::engine::Engine;
use crate::persist::aof::load::LoadError;
use crate::persist::aof::tape::{Item, Tape, stamp};
use clap::{Arg, ArgMatches, Command, value_parser};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// See the head of the file.
pub(super) const TOOL: Tool = Tool {
    name: "restore",
    about: "Writes the data set as it was at a moment, from an append-only file, as an RDB file",
    define,
    run,
};

/// What a snapshot says of the second in which it was made.
const MADE_FIELD: &str = "ctime";

fn define(command: Command) -> Command {
    let option = |name| Arg::new(name).long(name).required(true);
    command
        .arg(
            option("aof")
                .value_name("FOLDER|FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The append-only folder, its manifest, or one append-only file"),
        )
        .arg(
            option("until")
                .value_name("TIME")
                .value_parser(moment::parse)
                .allow_negative_numbers(true)
                .help("Unix seconds, RFC 3339, or 2026-11-21 06:00:00 (local; UTC with UTC behind it)"),
        )
        .arg(
            option("out")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The RDB file to be written; it must not be there yet"),
        )
        .after_help(
            "What ran within the second TIME is in. The server must have written timestamps (aof-timestamp-enabled) from \
             TIME on, and TIME must not lie before the last rewrite.",
        )
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path = |name: &str| -> &PathBuf {
        matches
            .get_one(name)
            .expect("clap demands what is required")
    };
    let until_s: i64 = *matches
        .get_one("until")
        .expect("clap demands what is required");
    let (log, out) = (path("aof"), path("out"));
    refuse_existing(out)?;
    let files = LogFiles::find(log)?;
    let mut engine = offline::engine(until_s.saturating_mul(1000));
    let known = replay(&mut engine, &files, until_s)?;
    known.check(log, until_s)?;
    offline::save(&mut engine, out).map_err(|reason| Failure::File {
        file: out.display().to_string(),
        reason,
    })?;
    let databases = 0..engine.keyspace.databases();
    let keys: usize = databases.map(|db| engine.keyspace.store(db).len()).sum();
    let last = known.last_s.or(known.base_s).map(moment::show);
    note(format_args!(
        "{} has the {keys} keys of {}; the last second with changes before that is {}",
        out.display(),
        moment::show(until_s),
        last.unwrap_or_else(|| "not known".to_owned())
    ));
    Ok(())
}

/// What the files say of time, up to the moment that is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    /// When what the file begins with was made.
    base_s: Option<i64>,
    /// The first annotation, be it later than wanted.
    first_s: Option<i64>,
    /// The last one that is not later.
    last_s: Option<i64>,
    /// Commands before the first annotation.
    untimed: u64,
    /// Something has been there.
    has_begun: bool,
}

impl Known {
    /// Takes note of an item; whether it is later than wanted.
    fn take(&mut self, item: &Item<'_>, until_s: i64) -> bool {
        let second_s = match item {
            Item::Annotation { text, .. } => stamp(text),
            Item::Commands(commands) => {
                if self.first_s.is_none() {
                    self.untimed += commands.count as u64;
                }
                self.has_begun = true;
                return false;
            }
        };
        let Some(second_s) = second_s else {
            return false;
        };
        if !self.has_begun && self.base_s.is_none() {
            // A base of commands, or a log from its first day on, says so when it begins.
            self.base_s = Some(second_s);
        }
        self.first_s = self.first_s.or(Some(second_s));
        if second_s > until_s {
            return true;
        }
        self.last_s = Some(second_s);
        false
    }

    /// Whether the moment is one that can be had.
    fn check(&self, log: &Path, until_s: i64) -> Result<(), Failure> {
        let (wanted, refuse) = (moment::show(until_s), |reason: String| {
            Err(Failure::File {
                file: log.display().to_string(),
                reason,
            })
        });
        if let Some(base_s) = self.base_s.filter(|base_s| until_s < *base_s) {
            let begin = moment::show(base_s);
            return refuse(format!(
                "the log begins at {begin}, with what was there then: what was before, at {wanted}, is not in it"
            ));
        }
        match (self.first_s, self.untimed) {
            (None, 0) if self.base_s.is_some() => Ok(()),
            (None, _) => refuse(
                "the log has no timestamps: turn aof-timestamp-enabled on, and moments from then on can be had".to_owned(),
            ),
            (Some(first_s), untimed) if until_s < first_s && (untimed > 0 || self.base_s.is_none()) => {
                let first = moment::show(first_s);
                refuse(format!(
                    "the log has no timestamps before {first}: which of the {untimed} commands before that had run at \
                     {wanted} is not known"
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Replays the files up to the moment; what they say of time.
fn replay(engine: &mut Engine, files: &LogFiles, until_s: i64) -> Result<Known, Failure> {
    let mut known = Known::default();
    let mut host = offline::Offline::default();
    let all = files.all();
    for (index, path) in all.iter().enumerate() {
        let mut tape = open(path)?.tape;
        let is_snapshot = tape.has_preamble()?;
        known.has_begun |= is_snapshot;
        let replayed = engine.replay(&mut tape, &mut host, &mut |item| known.take(item, until_s));
        if is_snapshot && index == 0 {
            let made = engine.server.last_load.field(MADE_FIELD);
            known.base_s = made.and_then(|made| made.parse().ok());
        }
        match replayed {
            Ok(true) => break,
            Ok(false) => check_end(&tape, index + 1 == all.len())?,
            Err(error) => {
                tell_good(&known);
                return Err(error.into());
            }
        }
    }
    Ok(known)
}

/// A file that ends too early is an error, if it is not the last one: that may have been cut by a crash.
fn check_end(tape: &Tape, is_last: bool) -> Result<(), Failure> {
    let (whole, bytes) = (tape.whole(), tape.bytes());
    if whole == bytes {
        return Ok(());
    }
    if !is_last {
        return Err(Failure::Log(LoadError::Truncated {
            file: tape.file().to_owned(),
            offset: whole,
            bytes,
        }));
    }
    note(format_args!(
        "{}: the file ends within a command or a transaction, what is behind byte {whole} of {bytes} is left out",
        tape.file()
    ));
    Ok(())
}

/// Says up to when the log is good, before it is said why it is not.
fn tell_good(known: &Known) {
    if let Some(last_s) = known.last_s {
        note(format_args!(
            "the log is damaged; moments before {} can be had",
            moment::show(last_s)
        ));
    }
}

fn note(text: impl std::fmt::Display) {
    // Who does not listen misses nothing that the status does not say.
    let _ = writeln!(io::stderr(), "{text}");
}
