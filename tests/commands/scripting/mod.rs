//! Lua scripts and functions: what they may call, what they get and give, how they are kept in bounds.

mod busy;
mod calls;
mod deprecated;
mod extremes;
mod functions;
mod libraries;
mod replies;
mod sandbox;
mod scripts;

use crate::harness::{Server, replies as in_short};

/// Runs a script without keys; its reply in short, without the SHA1 of the script.
pub fn eval(server: &mut Server, script: &str) -> String {
    eval_with(server, script, &[])
}

/// The same with words behind the script: `numkeys`, keys and arguments.
pub fn eval_with(server: &mut Server, script: &str, words: &[&str]) -> String {
    let words = if words.is_empty() { &["0"] } else { words };
    let mut argv: Vec<&[u8]> = vec![b"EVAL", script.as_bytes()];
    argv.extend(words.iter().map(|word| word.as_bytes()));
    let client = server.client;
    without_sha1(&in_short(&server.raw(client, &argv)))
}

/// A reply with `SHA` for the SHA1 of a script.
pub fn without_sha1(reply: &str) -> String {
    match reply.split_once(" script: ") {
        Some((before, after)) if after.len() > 40 && after.is_char_boundary(40) => {
            let (sha1, rest) = after.split_at(40);
            let is_sha1 = sha1.bytes().all(|byte| byte.is_ascii_hexdigit());
            let name = if is_sha1 { "SHA" } else { sha1 };
            format!("{before} script: {name}{rest}")
        }
        _ => reply.to_owned(),
    }
}

/// Checks scripts against their replies.
#[track_caller]
pub fn check_all(table: &[(&str, &str)]) {
    let mut server = Server::new();
    for (script, reply) in table {
        assert_eq!(eval(&mut server, script), *reply, "{script}");
    }
}
