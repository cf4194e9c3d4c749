//! BITOP.

use super::{get, set};
use crate::harness::Server;

/// A server with the sources `a`, `b` and `c`, of different lengths.
fn sources() -> Server {
    let mut server = Server::new();
    set(&mut server, "a", b"\x0f\xff\xaa");
    set(&mut server, "b", b"\x3c\x0f");
    set(&mut server, "c", b"\x55");
    server
}

#[test]
fn strings_are_combined_and_short_ones_go_on_with_zeros() {
    let mut server = sources();
    for (operation, expected) in [
        ("AND", b"\x04\x00\x00"),
        ("or", b"\x7f\xff\xaa"),
        ("XOR", b"\x66\xf0\xaa"),
        ("DIFF", b"\x02\xf0\xaa"),
        ("DIFF1", b"\x70\x00\x00"),
        ("ANDOR", b"\x0d\x0f\x00"),
        ("ONE", b"\x62\xf0\xaa"),
    ] {
        let reply = server.run(&format!("BITOP {operation} result a b c"));
        assert_eq!(reply, "(3)", "{operation}");
        assert_eq!(get(&mut server, "result"), expected, "{operation}");
    }
    assert_eq!(server.run("BITOP NOT result a"), "(3)");
    assert_eq!(get(&mut server, "result"), b"\xf0\x00\x55");
    assert_eq!(server.run("OBJECT ENCODING result"), "raw");
}

#[test]
fn a_key_that_is_not_there_is_an_empty_string() {
    let mut server = sources();
    server.check(
        "BITOP OR result nothing b -> (2)
         BITOP AND result nothing b -> (2)
         BITCOUNT result -> (0)
         BITOP DIFF1 result nothing b -> (2)
         BITCOUNT result -> (8)
         BITOP OR result nothing -> (0)
         EXISTS result -> (0)
         BITOP NOT result nothing -> (0)
         EXISTS result -> (0)",
    );
}

#[test]
fn the_result_may_take_the_place_of_a_source() {
    let mut server = Server::new();
    server.check(
        "SET n 123 EX 100 -> OK
         BITOP OR n n -> (3)
         GET n -> 123
         TTL n -> (-1)
         OBJECT ENCODING n -> raw",
    );
    let long: Vec<u8> = (0..70_000u32).map(|at| (at * 7) as u8).collect();
    set(&mut server, "long", &long);
    assert_eq!(server.run("BITOP NOT long long"), "(70000)");
    let flipped: Vec<u8> = long.iter().map(|byte| !byte).collect();
    assert_eq!(get(&mut server, "long"), flipped);
    assert_eq!(server.run("BITOP XOR long long long"), "(70000)");
    assert_eq!(server.run("BITCOUNT long"), "(0)");
}

#[test]
fn operations_take_so_many_sources_as_they_mean() {
    sources().check(
        "BITOP NOT r a b -> !ERR BITOP NOT must be called with a single source key.
         BITOP diff r a -> !ERR BITOP DIFF must be called with at least two source keys.
         BITOP DIFF1 r a -> !ERR BITOP DIFF1 must be called with at least two source keys.
         BITOP ANDOR r a -> !ERR BITOP ANDOR must be called with at least two source keys.
         BITOP ONE r a -> (3)
         BITOP AND r a -> (3)
         BITOP NOR r a -> !ERR syntax error
         BITOP AND r -> !ERR wrong number of arguments for 'bitop' command",
    );
}

#[test]
fn a_result_goes_out_as_it_was_asked_for() {
    let mut server = sources();
    let reader = server.engine.stream.open();
    server.run("BITOP OR result nothing");
    server.run("BITOP OR result a");
    server.run("BITOP OR result nothing");
    let stream = server.stream(reader);
    assert_eq!(
        stream
            .iter()
            .filter(|command| command.starts_with("BITOP"))
            .collect::<Vec<_>>(),
        ["BITOP OR result a", "BITOP OR result nothing"]
    );
}
