//! MONITOR: the line that shows a command to whoever watches.
//!
//! ```text
//! 1704067200.000000 [0 127.0.0.1:50000] "set" "key" "value"
//! 1704067200.000000 [0 lua] "set" "key" "value"
//! 1704067200.000000 [0 unix:/run/redis.sock] "auth" "(redacted)"
//! ```
//! Secrets do not show: what of a command's words is one is decided here, by the command's name.

use crate::base::quoting::quote;
use crate::outbox::Outbox;
use std::fmt::Write;

/// What stands in place of a secret.
const REDACTED: &str = "\"(redacted)\"";

/// Clients that watch, and where a line is put together.
#[derive(Debug, Default)]
pub struct Monitors {
    slots: Vec<u32>,
}

/// Where a command came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A client at this address.
    Client(&'a str),
    /// A client of a Unix socket at this path.
    Unix(&'a str),
    /// A script.
    Script,
}

impl Monitors {
    /// Whether nobody watches.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The client watches from now on.
    pub fn add(&mut self, slot: usize) {
        self.slots.push(slot as u32);
    }

    /// It does not any more.
    pub fn forget(&mut self, slot: usize) {
        self.slots.retain(|watching| *watching as usize != slot);
    }

    /// Shows a command of so many microseconds after 1970 to all who watch. `name` is the command's full name.
    pub fn show<'w>(
        &self,
        unix_us: i64,
        db: usize,
        origin: Origin<'_>,
        name: &str,
        words: impl Iterator<Item = &'w [u8]> + Clone,
        outbox: &mut Outbox,
    ) {
        let mut line = String::new();
        let (s, us) = (unix_us / 1_000_000, unix_us % 1_000_000);
        // Writing to a String cannot fail.
        let _ = match origin {
            Origin::Client(address) => write!(line, "{s}.{us:06} [{db} {address}]"),
            Origin::Unix(path) => write!(line, "{s}.{us:06} [{db} unix:{path}]"),
            Origin::Script => write!(line, "{s}.{us:06} [{db} lua]"),
        };
        let secrets = secrets(name, words.clone());
        for (at, word) in words.enumerate() {
            line.push(' ');
            if secrets.contains(&at) {
                line.push_str(REDACTED);
            } else {
                line.push_str(&quote(word));
            }
        }
        let message = outbox.pushes.line(line.as_bytes());
        outbox.send_all(&self.slots, message);
    }
}

/// Which words are secrets: passwords, wherever a command takes them.
fn secrets<'w>(name: &str, words: impl Iterator<Item = &'w [u8]>) -> Vec<usize> {
    let is = |word: &[u8], keyword: &str| word.eq_ignore_ascii_case(keyword.as_bytes());
    match name {
        "auth" => words.enumerate().skip(1).map(|(at, _)| at).collect(),
        "hello" | "migrate" => {
            let mut secrets = Vec::new();
            for (at, word) in words.enumerate() {
                let is_pair = (name == "hello" && is(word, "auth")) || is(word, "auth2");
                if is_pair {
                    secrets.extend([at + 1, at + 2]);
                } else if is(word, "auth") {
                    secrets.push(at + 1);
                }
            }
            secrets
        }
        _ => Vec::new(),
    }
}
