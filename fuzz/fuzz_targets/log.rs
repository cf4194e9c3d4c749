//! Any bytes as a file of an append-only file: it is walked to its end or to where it is wrong, and nothing else happens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxidis::persist::aof::tape::Tape;
use std::io::Cursor;

fuzz_target!(|bytes: &[u8]| {
    let mut tape = Tape::new("log", Box::new(Cursor::new(bytes.to_vec())), bytes.len() as u64);
    while tape.next_item().is_ok_and(|item| item.is_some()) {}
    assert!(tape.whole() <= tape.bytes());
});
