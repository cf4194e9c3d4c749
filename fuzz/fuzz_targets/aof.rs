//! Any bytes as an append-only file: it is replayed or refused, and nothing else happens. Lines of words are commands too, so
//! that there is something to be found in them.
#![no_main]
#![allow(dead_code, reason = "the harness of the tests can do more")]

#[path = "../../tests/commands/disk.rs"]
mod disk;
#[path = "../../tests/commands/harness.rs"]
mod harness;

use harness::Server;
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::path::PathBuf;

/// What ends the process, or lets it sleep, as it should.
const ENDS: [&[u8]; 4] = [b"debug", b"shutdown", b"eval", b"function"];
const CONFIG: &str = "appendonly yes\nsave \"\"\nproto-max-bulk-len 1mb\nenable-debug-command yes";

thread_local! {
    static SERVER: RefCell<(Server, PathBuf)> = RefCell::new(start());
}

fn start() -> (Server, PathBuf) {
    let folder = std::env::temp_dir().join(format!("oxidis-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    let server = Server::in_folder(&folder, CONFIG);
    (server, folder.join("appendonlydir/appendonly.aof.1.incr.aof"))
}

/// Lines as commands.
fn encoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        bytes.extend(format!("*{}\r\n", words.len()).into_bytes());
        for word in words {
            bytes.extend(format!("${}\r\n", word.len()).into_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    let lower = bytes.to_ascii_lowercase();
    if ENDS.iter().any(|word| lower.windows(word.len()).any(|part| part == *word)) {
        return;
    }
    let is_raw = bytes.first().is_none_or(|byte| b"*#RV".contains(byte));
    let content = if is_raw { bytes.to_vec() } else { encoded(bytes) };
    SERVER.with_borrow_mut(|(server, path)| {
        std::fs::write(path, content).expect("it is writable");
        server.run("DEBUG LOADAOF");
    });
});
