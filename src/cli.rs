//! The command line: argv becomes an [`Invocation`].
//!
//! `oxidis [FILE] [-] [--parameter value ...] [-]`, by the rules of redis-server: options become lines of
//! configuration that are read after the file, a value may begin with `--` when it is the only one, and a
//! parameter with its values may stand in one word. A first word that names a duty of its own (`--help`, a tool) is
//! told apart here and nowhere else; a tool's own words are understood by clap.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::base::quoting::{quote, split_args};
use crate::config::Sources;
use crate::config::kind::Kind;
use crate::config::params::{GROUPS, Param};
use crate::tool::{self, TOOLS, Tool};

/// What the program was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Print this text and end well.
    Print(String),
    /// Print this text as an error and end badly.
    Refuse(String),
    /// Run the server.
    Serve(Sources),
    /// Run a tool.
    Tool(&'static Tool, ArgMatches),
}

/// Understands the command line of a program that was called by this name, which may be that of a tool.
pub fn parse_called(program: &OsStr, args: &[OsString]) -> Invocation {
    match tool::find_called(program) {
        Some(tool) => parse_tool(tool, args),
        None => parse(args),
    }
}

/// Understands the words after the program's name.
pub fn parse(args: &[OsString]) -> Invocation {
    if let Some((tool, args)) = args
        .split_first()
        .and_then(|(name, args)| Some((tool::find(name)?, args)))
    {
        return parse_tool(tool, args);
    }
    let words: Vec<&[u8]> = args.iter().map(|arg| arg.as_encoded_bytes()).collect();
    match words.first().copied() {
        Some(b"--help" | b"-h") => Invocation::Print(command().render_help().to_string()),
        Some(b"--version" | b"-v") => Invocation::Print(command().render_version()),
        Some(option @ (b"--test-memory" | b"--check-system")) => {
            let option = String::from_utf8_lossy(option);
            Invocation::Refuse(format!(
                "oxidis does not test the machine: {option} is not supported\n"
            ))
        }
        _ => Invocation::Serve(sources(args, &words)),
    }
}

fn parse_tool(tool: &'static Tool, args: &[OsString]) -> Invocation {
    let name = OsString::from(tool.name);
    let matches = tool
        .command()
        .try_get_matches_from([&name].into_iter().chain(args));
    match matches {
        Ok(matches) => Invocation::Tool(tool, matches),
        Err(error) if error.use_stderr() => Invocation::Refuse(error.to_string()),
        Err(help) => Invocation::Print(help.to_string()),
    }
}

fn sources(args: &[OsString], words: &[&[u8]]) -> Sources {
    let file = args
        .first()
        .filter(|arg| !arg.as_encoded_bytes().starts_with(b"-"));
    let mut sources = Sources {
        file: file.map(PathBuf::from),
        ..Sources::default()
    };
    let mut options = Options::default();
    let last = words.len().saturating_sub(1);
    for (at, word) in words.iter().enumerate().skip(usize::from(file.is_some())) {
        if *word == b"-" && (at == 0 || at == last) {
            sources.stdin = true;
        } else {
            options.take(word, words.get(at + 1).copied());
        }
    }
    sources.options = options.text;
    sources
}

/// The options as lines of configuration, while they are collected.
#[derive(Default)]
struct Options {
    text: Vec<u8>,
    /// The word before was a name alone, so the next word is its value whatever it looks like.
    wants_value: bool,
}

impl Options {
    fn take(&mut self, word: &[u8], next: Option<&[u8]>) {
        match word.strip_prefix(b"--").filter(|_| !self.wants_value) {
            Some(option) => self.take_option(option, next),
            None => {
                self.text.extend(quote(word).bytes());
                self.text.push(b' ');
                self.wants_value = false;
            }
        }
    }

    fn take_option(&mut self, option: &[u8], next: Option<&[u8]>) {
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        let (name, values) = match option.iter().position(|b| *b == b' ') {
            Some(blank) => option.split_at_checked(blank).unwrap_or((option, b"")),
            None => (option, b"".as_slice()),
        };
        let is_host = name.eq_ignore_ascii_case(b"host");
        self.text.extend(if is_host { b"bind" } else { name });
        self.text.extend(values);
        self.text.push(b' ');
        if split_args(option).is_some_and(|words| words.len() != 1) {
            return;
        }
        // `--save` may have no value at all, and then means none: the option after it is no value.
        let next_is_option = next.is_none_or(|next| next.starts_with(b"--"));
        if name.eq_ignore_ascii_case(b"save") && next_is_option {
            self.text.extend(b"\"\"");
        } else {
            self.wants_value = true;
        }
    }
}

/// The description from which clap writes help and version; words are parsed by the rules above instead.
fn command() -> Command {
    let version = concat!("server v=", env!("CARGO_PKG_VERSION"), " bits=64");
    let file = Arg::new("FILE").help("Configuration file; - reads more lines from standard input");
    let mut command = Command::new("oxidis")
        .display_name("Oxidis")
        .version(version)
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .override_usage("oxidis [FILE] [-] [--PARAMETER VALUE ...]\n       oxidis TOOL ...")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .after_help(
            "A value with blanks stands in quotes, bytes may have a unit (k kb m mb g gb), and every \
             parameter\ncan stand in FILE too, without the dashes. redis.conf.example has them all.",
        )
        .arg(file)
        .arg(switch("help", 'h', "Print this help"))
        .arg(switch("version", 'v', "Print the version"))
        .subcommands(TOOLS.iter().map(Tool::command))
        .subcommand_help_heading("Tools (oxidis TOOL --help)")
        .disable_help_subcommand(true)
        .arg(
            Arg::new("host")
                .long("host")
                .value_name("ADDRESS")
                .num_args(1..)
                .help("Another name for --bind"),
        );
    for group in &GROUPS {
        for param in group.rows.iter().filter(|param| is_shown(param)) {
            command = command.arg(argument(param, group.title));
        }
    }
    command
}

fn switch(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .short(short)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn is_shown(param: &Param) -> bool {
    !param.flags.hidden && param.kind != Kind::Retired
}

fn argument(param: &'static Param, heading: &'static str) -> Arg {
    let mut help = param.summary.trim_end_matches('.').replace('`', "");
    if let Kind::Choice { words, .. } = param.kind {
        help.push_str(&format!(" [{}]", words.join(", ")));
    }
    if !param.default.is_empty() {
        help.push_str(&format!(" [default: {}]", param.default));
    }
    Arg::new(param.name)
        .long(param.name)
        .value_name(param.kind.placeholder())
        .help(help)
        .help_heading(heading)
        .action(ArgAction::Set)
}

#[cfg(test)]
mod tests;
