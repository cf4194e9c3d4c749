//! SETBIT and GETBIT.

use super::{get, set};
use crate::harness::Server;

#[test]
fn a_bit_is_set_in_a_string_of_any_encoding() {
    let mut server = Server::new();
    server.check(
        "SETBIT new 1 1 -> (0)
         GET new -> @
         SETBIT new 9 1 -> (0)
         STRLEN new -> (2)
         OBJECT ENCODING new -> raw
         SET number 123 -> OK
         OBJECT ENCODING number -> int
         SETBIT number 2 0 -> (1)
         OBJECT ENCODING number -> raw
         GETBIT number 2 -> (0)
         SET number 123 -> OK
         SETBIT number 7 1 -> (1)
         OBJECT ENCODING number -> raw
         INCR number -> (124)
         SET short abc -> OK
         SETBIT short 7 0 -> (1)
         GET short -> `bc",
    );
    for length in [50, 16_383, 16_384, 100_000] {
        let mut bytes = vec![b'x'; length];
        set(&mut server, "long", &bytes);
        let last = length * 8 - 1;
        server.check(&format!(
            "SETBIT long {last} 1 -> (0)
             SETBIT long {last} 1 -> (1)
             GETBIT long {last} -> (1)"
        ));
        bytes[length - 1] |= 1;
        assert_eq!(get(&mut server, "long"), bytes);
    }
}

#[test]
fn bits_behind_the_end_are_zeros() {
    Server::new().check(
        "SETBIT a 7 1 -> (0)
         GETBIT a 7 -> (1)
         GETBIT a 8 -> (0)
         GETBIT a 4294967295 -> (0)
         GETBIT nothing 0 -> (0)
         SETBIT b 100 0 -> (0)
         STRLEN b -> (13)",
    );
}

#[test]
fn offsets_and_bits_have_bounds() {
    Server::new().check(
        "SETBIT a -1 1 -> !ERR bit offset is not an integer or out of range
         SETBIT a abc 1 -> !ERR bit offset is not an integer or out of range
         SETBIT a 01 1 -> !ERR bit offset is not an integer or out of range
         SETBIT a 4294967296 1 -> !ERR bit offset is not an integer or out of range
         SETBIT a 99999999999999999999 1 -> !ERR bit offset is not an integer or out of range
         GETBIT a 4294967296 -> !ERR bit offset is not an integer or out of range
         GETBIT a -1 -> !ERR bit offset is not an integer or out of range
         SETBIT a 4294967295 2 -> !ERR bit is not an integer or out of range
         SETBIT a 1 -1 -> !ERR bit is not an integer or out of range
         SETBIT a 1 01 -> !ERR bit is not an integer or out of range
         EXISTS a -> (0)",
    );
    Server::with_config("proto-max-bulk-len 1048576").check(
        "SETBIT a 8388607 1 -> (0)
         STRLEN a -> (1048576)
         SETBIT a 8388608 1 -> !ERR bit offset is not an integer or out of range",
    );
}

#[test]
fn only_a_change_is_announced() {
    let mut server = Server::with_config("notify-keyspace-events KEA");
    let reader = server.engine.stream.open();
    server.run("SETBIT a 3 0");
    let watcher = server.connect();
    server.run_as(watcher, "WATCH a");
    server.run("SETBIT a 3 0");
    server.run("SETBIT a 4 0");
    server.run_as(watcher, "MULTI");
    assert_eq!(server.run_as(watcher, "EXEC"), "[]");
    server.run_as(watcher, "WATCH a");
    server.run("SETBIT a 4 1");
    server.run_as(watcher, "MULTI");
    assert_eq!(server.run_as(watcher, "EXEC"), "nil[]");
    let stream = server.stream(reader);
    assert_eq!(
        stream
            .iter()
            .filter(|command| command.starts_with("SETBIT"))
            .collect::<Vec<_>>(),
        ["SETBIT a 3 0", "SETBIT a 4 1"]
    );
}
