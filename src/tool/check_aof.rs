//! `oxidis check-aof [--fix] FILE|MANIFEST|FOLDER`: whether an append-only file can be loaded, and if not, where and why.
//! With `--fix` the last file is cut off where it stops being whole; with `--truncate-to-timestamp` where its annotations
//! pass that second. The walk is the one that loading uses; the report's lines are those of redis-check-aof.

use super::check_rdb::Check;
use super::log_files::{LogFiles, Opened, open};
use super::progress::Progress;
use super::{Failure, Tool, say};
use crate::base::clock::Clock;
use crate::persist::aof::load::LoadError;
use crate::persist::aof::tape::{Item, Tape, stamp};
use crate::persist::aof::writer::lock;
use crate::persist::draft::Draft;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// See the head of the file.
pub(super) const TOOL: Tool = Tool {
    name: "check-aof",
    about: "Says whether an append-only file is in order, and where it is not",
    define,
    run,
};

fn define(command: Command) -> Command {
    let switch = |name| Arg::new(name).long(name).action(ArgAction::SetTrue);
    command
        .arg(
            Arg::new("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("A manifest, the folder that it is in, or one append-only file"),
        )
        .arg(switch("fix").help("Cut the last file off where it stops being whole"))
        .arg(switch("yes").help("Do not ask before cutting"))
        .arg(
            Arg::new("truncate-to-timestamp")
                .long("truncate-to-timestamp")
                .value_name("SECONDS")
                .value_parser(value_parser!(i64))
                .conflicts_with("fix")
                .help("Cut off what is annotated with a later Unix second (aof-timestamp-enabled)"),
        )
        .after_help("It ends with status 0 if the file is, or was brought, in order, else with 1.")
}

/// What is done about what is found.
#[derive(Clone, Copy)]
struct Remedy {
    fix: bool,
    asks: bool,
    until_s: Option<i64>,
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let remedy = Remedy {
        fix: matches.get_flag("fix"),
        asks: !matches.get_flag("yes"),
        until_s: matches.get_one("truncate-to-timestamp").copied(),
    };
    let path: &PathBuf = matches
        .get_one("FILE")
        .expect("clap demands what is required");
    let files = LogFiles::find(path)?;
    let last = files.all().len();
    let at = |index: usize| index + 1 == last;
    let Some(_) = files.manifest else {
        say("Start checking Old-Style AOF")?;
        return check(path, "AOF", true, remedy);
    };
    say("Start checking Multi Part AOF")?;
    if let Some(base) = &files.base {
        let format = match starts_with_snapshot(base)? {
            true => "RDB",
            false => "RESP",
        };
        say(format_args!("Start to check BASE AOF ({format} format)."))?;
        check(base, "BASE AOF", at(0), remedy)?;
    }
    if !files.increments.is_empty() {
        say("Start to check INCR files.")?;
    }
    let first = usize::from(files.base.is_some());
    for (index, increment) in files.increments.iter().enumerate() {
        check(increment, "INCR AOF", at(first + index), remedy)?;
    }
    say("All AOF files and manifest are valid")
}

/// What a file is like.
struct Finding {
    bytes: u64,
    /// Bytes up to which it is good, and the line that begins there.
    whole: u64,
    line: u64,
    /// What is wrong, and where.
    fault: Option<(u64, String)>,
    /// Where the first annotation stands that is later than wanted.
    later: Option<u64>,
}

fn check(path: &Path, kind: &str, is_last: bool, remedy: Remedy) -> Result<(), Failure> {
    let shown = path.display();
    let found = examine(path, remedy.until_s)?;
    if found.bytes == 0 {
        return say(format_args!("AOF {shown} is empty"));
    }
    if let (Some(offset), Some(until_s)) = (found.later, remedy.until_s) {
        return cut_to_stamp(path, (offset, found.bytes), until_s, is_last);
    }
    if let Some((offset, reason)) = &found.fault {
        say(format_args!("0x{offset:16x}: {reason}"))?;
    }
    let Finding {
        bytes, whole, line, ..
    } = found;
    let extra = bytes - whole;
    if let (Some(until_s), None) = (remedy.until_s, &found.fault) {
        say(format_args!(
            "Truncate nothing in AOF {shown} to timestamp {until_s}"
        ))?;
    }
    say(format_args!(
        "AOF analyzed: filename={shown}, size={bytes}, ok_up_to={whole}, ok_up_to_line={line}, diff={extra}"
    ))?;
    if found.fault.is_none() {
        return say(format_args!("{kind} {shown} is valid"));
    }
    if !remedy.fix {
        say(format_args!(
            "AOF {shown} is not valid. Use the --fix option to try fixing it."
        ))?;
        return Err(Failure::Reported);
    }
    if !is_last {
        say(format_args!(
            "Failed to truncate AOF {shown} because it is not the last file"
        ))?;
        return Err(Failure::Reported);
    }
    say(format_args!(
        "This will shrink the AOF {shown} from {bytes} bytes, with {extra} bytes, to {whole} bytes"
    ))?;
    if remedy.asks && !is_answered_yes()? {
        say("Aborting...")?;
        return Err(Failure::Reported);
    }
    cut(path, whole, bytes)?;
    say(format_args!("Successfully truncated AOF {shown}"))
}

fn cut_to_stamp(
    path: &Path,
    (offset, bytes): (u64, u64),
    until_s: i64,
    is_last: bool,
) -> Result<(), Failure> {
    let shown = path.display();
    if !is_last {
        say(format_args!(
            "Failed to truncate AOF {shown} to timestamp {until_s} to offset {offset} because it is not the last file."
        ))?;
        say("To cut all the same, take the files behind it out of the manifest first.")?;
        return Err(Failure::Reported);
    }
    if offset == 0 {
        say(format_args!(
            "AOF {shown} has nothing before timestamp {until_s}, aborting..."
        ))?;
        return Err(Failure::Reported);
    }
    cut(path, offset, bytes)?;
    say(format_args!(
        "Successfully truncated AOF {shown} to timestamp {until_s}"
    ))
}

/// Looks through a file, up to the first fault or the first annotation that is later than `until_s`.
fn examine(path: &Path, until_s: Option<i64>) -> Result<Finding, Failure> {
    let Opened { mut tape, progress } = open(path)?;
    let mut finding = Finding {
        bytes: tape.bytes(),
        whole: 0,
        line: 1,
        fault: None,
        later: None,
    };
    check_preamble(&mut tape, &progress)?;
    let read = walk(&mut tape, until_s, &mut finding);
    (finding.whole, finding.line) = (tape.whole(), tape.whole_line());
    match read {
        Err(error) => finding.fault = Some(fault_of(error)?),
        Ok(()) if finding.fault.is_none() && finding.later.is_none() => {
            finding.fault = fault_of_end(&tape);
        }
        Ok(()) => {}
    }
    if let Some(oddity) = tape.oddity() {
        (finding.whole, finding.line) = (oddity.whole, oddity.line);
    }
    Ok(finding)
}

fn walk(tape: &mut Tape, until_s: Option<i64>, finding: &mut Finding) -> Result<(), LoadError> {
    while let Some(item) = tape.next_item()? {
        if let (Item::Annotation { offset, text }, Some(until_s)) = (item, until_s)
            && stamp(text).is_some_and(|second_s| second_s > until_s)
        {
            finding.later = Some(offset);
            return Ok(());
        }
        if let Some(oddity) = tape.oddity() {
            finding.fault = Some((oddity.offset, oddity.what.to_owned()));
            return Ok(());
        }
    }
    Ok(())
}

/// What is wrong with the end of a file whose every command is good.
fn fault_of_end(tape: &Tape) -> Option<(u64, String)> {
    let (end, bytes) = (tape.offset(), tape.bytes());
    if end < bytes {
        let reason = format!(
            "the file ends within a command, {} bytes long so far",
            bytes - end
        );
        return Some((end, reason));
    }
    let reason = "Reached EOF before reading EXEC for MULTI";
    tape.is_in_unit().then(|| (tape.whole(), reason.to_owned()))
}

/// What is wrong with the bytes of a file; the failure, if it could not even be read.
fn fault_of(error: LoadError) -> Result<(u64, String), Failure> {
    match error {
        LoadError::Format { offset, reason, .. } => Ok((offset, reason)),
        other => Err(other.into()),
    }
}

/// Checks the snapshot in front, if there is one. What is wrong with it is no fault that can be cut off.
fn check_preamble(tape: &mut Tape, progress: &RefCell<Progress>) -> Result<(), Failure> {
    let name = tape.file().to_owned();
    let mut report = |line: String| {
        progress.borrow_mut().clear();
        say(line)
    };
    let checked = tape.preamble(|reader| {
        let check = Check {
            name,
            now_ms: Clock::system().unix_ms(),
            folder: &std::env::temp_dir(),
            report: &mut report,
        };
        check.run(reader)
    })?;
    match checked {
        None => Ok(()),
        Some(Ok(())) => say("RDB preamble is OK, proceeding with AOF tail..."),
        Some(Err(failure)) => {
            say("RDB preamble of AOF file is not sane, aborting.")?;
            Err(failure)
        }
    }
}

fn starts_with_snapshot(path: &Path) -> Result<bool, Failure> {
    Ok(open(path)?.tape.has_preamble()?)
}

fn is_answered_yes() -> Result<bool, Failure> {
    let failed = |error| Failure::of_file(Path::new("the terminal"), &error);
    let mut out = io::stdout();
    write!(out, "Continue? [y/N]: ")
        .and_then(|()| out.flush())
        .map_err(failed)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim_start().starts_with(['y', 'Y']))
}

/// Cuts a file of `bytes` bytes off, durably.
fn cut(path: &Path, length: u64, bytes: u64) -> Result<(), Failure> {
    cut_file(path, length, bytes).map_err(|error| Failure::of_file(path, &error))
}

fn cut_file(path: &Path, length: u64, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    lock(&file)?;
    let metadata = file.metadata()?;
    if metadata.len() != bytes {
        return Err(io::Error::other("it has changed since it was looked at"));
    }
    if metadata.nlink() > 1 {
        // Backups share files with the log: only the one of this name is meant.
        let mut draft = Draft::beside(path)?;
        io::copy(&mut file.take(length), &mut draft)?;
        draft.sync()?;
        return draft.place();
    }
    file.set_len(length)?;
    file.sync_all()
}
