//! Sets. The replies are those of Redis 8.0.

mod chance;
mod combine;
mod encodings;
mod expiry;
mod members;
mod propagation;

use crate::harness::{Server, short};
use oxidis::resp::value::parse_value;

/// Configurations under which small sets have each of the encodings: as they come, no intsets, tables alone.
const CONFIGS: [&str; 3] = [
    "",
    "set-max-intset-entries 0",
    "set-max-intset-entries 0
     set-max-listpack-entries 0",
];

/// Checks a script under each configuration.
#[track_caller]
fn check_all(script: &str) {
    for config in CONFIGS {
        Server::with_config(config).check(script);
    }
}

/// The words of a reply that has them in no particular order, in order.
fn sorted(server: &mut Server, line: &str) -> String {
    let reply = server.run(line);
    let (kind, words) = reply
        .split_once('[')
        .unwrap_or_else(|| panic!("{line} -> {reply}"));
    let mut words: Vec<&str> = words.trim_end_matches(']').split(' ').collect();
    words.sort_unstable();
    format!("{kind}[{}]", words.join(" "))
}

/// What a command leaves in the propagation stream; of several words in no particular order, in order.
fn commands(mut bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    while !bytes.is_empty() {
        let (value, used) = parse_value(bytes)
            .expect("the stream is well formed")
            .expect("the stream is whole");
        shown.push(short(&value).trim_matches(['[', ']']).to_owned());
        bytes = bytes.get(used..).expect("a command lies within its bytes");
    }
    shown.join(" ; ")
}
