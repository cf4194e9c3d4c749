//! BITFIELD and BITFIELD_RO.

use super::get;
use crate::harness::Server;

#[test]
fn fields_are_read_set_and_incremented() {
    let mut server = Server::new();
    server.check(
        "BITFIELD a SET i8 0 -100 SET u8 #1 200 GET i8 0 GET u8 8 GET i8 8 -> [(0) (0) (-100) (200) (-56)]
         BITFIELD a INCRBY i8 0 10 INCRBY u8 #1 60 GET u4 12 -> [(-90) (4) (4)]
         STRLEN a -> (2)
         BITFIELD a GET u8 1000 GET i64 4294967295 -> [(0) (0)]
         BITFIELD a -> []
         BITFIELD nothing GET u8 0 -> [(0)]
         BITFIELD nothing OVERFLOW SAT -> []
         EXISTS nothing -> (0)
         BITFIELD wide SET i64 3 -1 GET i64 3 GET u63 3 GET i64 0 -> [(0) (-1) (9223372036854775807) (2305843009213693951)]
         SET n 123 -> OK
         BITFIELD n GET u8 0 -> [(49)]
         OBJECT ENCODING n -> int
         BITFIELD n SET u8 0 50 -> [(49)]
         OBJECT ENCODING n -> raw
         INCR n -> (224)",
    );
    assert_eq!(get(&mut server, "a"), b"\xa6\x04");
}

#[test]
fn a_field_that_is_written_makes_the_string_reach_its_end() {
    Server::new().check(
        "BITFIELD a SET u8 100 0 -> [(0)]
         STRLEN a -> (14)
         BITFIELD b INCRBY u8 100 0 -> [(0)]
         STRLEN b -> (14)
         BITFIELD c OVERFLOW FAIL SET u2 100 5 GET u8 0 -> [nil (0)]
         STRLEN c -> (13)",
    );
}

#[test]
fn numbers_that_do_not_fit_wrap_saturate_or_fail() {
    Server::new().check(
        "BITFIELD a SET i8 #1 200 INCRBY i8 #1 100 OVERFLOW SAT INCRBY i8 #1 100 OVERFLOW FAIL INCRBY i8 #1 100 -> [(0) (44) (127) nil]
         BITFIELD b OVERFLOW FAIL SET u4 0 16 OVERFLOW SAT SET u4 0 -1 SET i4 0 -9 OVERFLOW WRAP SET u4 0 -1 -> [nil (0) (-1) (8)]
         BITFIELD b GET u4 0 -> [(15)]
         BITFIELD c SET i64 0 9223372036854775807 INCRBY i64 0 1 OVERFLOW SAT INCRBY i64 0 -1 -> [(0) (-9223372036854775808) (-9223372036854775808)]
         BITFIELD d SET u63 0 9223372036854775807 INCRBY u63 0 1 OVERFLOW SAT INCRBY u63 0 -1 -> [(0) (0) (0)]
         BITFIELD d OVERFLOW sat SET u63 0 -1 overflow fail SET u63 0 -1 GET u63 0 -> [(0) nil (9223372036854775807)]",
    );
}

#[test]
fn mistakes_are_found_before_anything_is_written() {
    const TYPE: &str = "!ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    const OFFSET: &str = "!ERR bit offset is not an integer or out of range";
    const INTEGER: &str = "!ERR value is not an integer or out of range";
    const OVERFLOW: &str = "!ERR Invalid OVERFLOW type specified";
    let mut server = Server::new();
    for (words, error) in [
        ("GET u64 0", TYPE),
        ("GET i65 0", TYPE),
        ("GET u0 0", TYPE),
        ("GET U8 0", TYPE),
        ("GET u08 0", TYPE),
        ("GET u 0", TYPE),
        ("GET x8 0", TYPE),
        ("GET u8 x", OFFSET),
        ("GET u8 -1", OFFSET),
        ("GET u8 #", OFFSET),
        ("GET u8 #-1", OFFSET),
        ("GET u8 4294967296", OFFSET),
        ("GET u8 #536870912", OFFSET),
        ("GET u8 #9223372036854775807", OFFSET),
        ("SET u8 0 x", INTEGER),
        ("SET u8 0 99999999999999999999", INTEGER),
        ("GET u8", "!ERR syntax error"),
        ("SET u8 0", "!ERR syntax error"),
        ("FOO u8 0", "!ERR syntax error"),
        ("OVERFLOW", "!ERR syntax error"),
        ("OVERFLOW foo", OVERFLOW),
    ] {
        assert_eq!(server.run(&format!("BITFIELD a SET u8 0 1 {words}")), error);
        assert_eq!(server.run(&format!("BITFIELD_RO a {words}")), error);
    }
    assert_eq!(server.run("EXISTS a"), "(0)");
}

#[test]
fn bitfield_ro_only_reads() {
    Server::new().check(
        "SET a abc -> OK
         BITFIELD_RO a GET u8 0 GET u8 #2 -> [(97) (99)]
         BITFIELD_RO a OVERFLOW SAT GET u8 0 -> [(97)]
         BITFIELD_RO a -> []
         BITFIELD_RO a GET u8 0 SET u8 0 1 -> !ERR BITFIELD_RO only supports the GET subcommand
         BITFIELD_RO nothing GET u8 0 -> [(0)]
         EXISTS nothing -> (0)",
    );
}

#[test]
fn only_what_changes_goes_out() {
    let mut server = Server::new();
    let reader = server.engine.stream.open();
    for line in [
        "BITFIELD a GET u8 0",
        "BITFIELD a SET u8 0 7",
        "BITFIELD a SET u8 0 7",
        "BITFIELD a INCRBY u8 0 0",
        "BITFIELD a OVERFLOW FAIL INCRBY u8 0 255",
        "BITFIELD a SET u8 8 0",
    ] {
        server.run(line);
    }
    let stream = server.stream(reader);
    assert_eq!(
        stream
            .iter()
            .filter(|command| command.starts_with("BITFIELD"))
            .collect::<Vec<_>>(),
        ["BITFIELD a SET u8 0 7", "BITFIELD a SET u8 8 0"]
    );
}

#[test]
fn a_number_that_is_not_written_is_null_in_both_protocols() {
    let mut server = Server::new();
    let client = server.client;
    let words: [&[u8]; 7] = [
        b"BITFIELD",
        b"a",
        b"OVERFLOW",
        b"FAIL",
        b"INCRBY",
        b"u2",
        b"0",
    ];
    let words = [&words[..], &[b"5"]].concat();
    assert_eq!(server.raw(client, &words), b"*1\r\n$-1\r\n");
    server.run("HELLO 3");
    assert_eq!(server.raw(client, &words), b"*1\r\n_\r\n");
}
