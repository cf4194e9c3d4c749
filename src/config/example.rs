//! Writes `redis.conf.example` from the table: every parameter with its summary, values and default.

use super::kind::Kind;
use super::params::{GROUPS, Param};

const WIDTH: usize = 100;

const OPENING: &str = "\
# Configuration of Oxidis, made from its table of parameters.
#
# Start the server with a file like this one:   oxidis /path/to/redis.conf
# or give parameters on the command line:       oxidis --port 7777 --maxmemory 2gb
#
# Every parameter is shown with its default; take away the `#` to change it. A value with blanks stands in
# quotes: \"...\" with \\n \\r \\t \\b \\a \\xHH, or '...'. Bytes may have a unit, in any case:
#
#   1k  => 1000 bytes            1kb => 1024 bytes
#   1m  => 1000000 bytes         1mb => 1024*1024 bytes
#   1g  => 1000000000 bytes      1gb => 1024*1024*1024 bytes
";

/// The whole example file.
pub fn example() -> String {
    let mut text = String::from(OPENING);
    for group in &GROUPS {
        let line = "#".repeat(WIDTH);
        text.push_str(&format!(
            "\n{line}\n# {}. {}\n{line}\n",
            group.title, group.about
        ));
        for param in group.rows.iter().filter(|param| is_shown(param)) {
            text.push_str(&entry(param));
        }
    }
    text
}

fn is_shown(param: &Param) -> bool {
    !param.flags.hidden && param.kind != Kind::Retired
}

fn entry(param: &Param) -> String {
    let mut notes = vec![param.summary.to_string()];
    if let Some(values) = values_of(param) {
        notes.push(values);
    }
    if !param.aliases.is_empty() {
        notes.push(format!("Also known as {}.", param.aliases.join(", ")));
    }
    if param.flags.immutable {
        notes.push("Fixed while the server runs.".into());
    }
    let mut text = String::from("\n");
    for line in wrap(&notes.join(" ")) {
        text.push_str(&format!("# {line}\n"));
    }
    for value in default_lines(param) {
        text.push_str(&format!("# {} {value}\n", param.name));
    }
    text
}

fn values_of(param: &Param) -> Option<String> {
    match param.kind {
        Kind::Choice { words, .. } => Some(format!("One of {}.", words.join(", "))),
        Kind::Number { min, max } if max < i64::from(i32::MAX) => {
            Some(format!("From {min} to {max}."))
        }
        Kind::ShutdownOn => {
            Some("Words: default, save, nosave, now, force, safe, failover.".into())
        }
        _ => None,
    }
}

fn default_lines(param: &Param) -> Vec<String> {
    match (param.name, param.kind) {
        ("user", _) => vec!["alice on >secret ~cached:* +@read".into()],
        ("rename-command", _) => vec!["CONFIG \"\"".into()],
        ("loadmodule", _) => vec!["/path/to/module.so".into()],
        ("include", _) => vec!["/path/to/other.conf".into()],
        ("replicaof", _) => vec!["HOST PORT".into()],
        _ => param.kind.file_words(&param.default_value()),
    }
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() + 3 <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}
