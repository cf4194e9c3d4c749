//! APPEND, STRLEN, GETRANGE, SUBSTR, SETRANGE. The replies are those of Redis 8.0.

use crate::harness::Server;

#[test]
fn append_grows_a_string_and_creates_it() {
    Server::new().check(
        r#"APPEND a "" -> (0)
         GET a -> 
         STRLEN a -> (0)
         APPEND a foo -> (3)
         APPEND a bar -> (6)
         GET a -> foobar
         APPEND b 12 -> (2)
         APPEND b 34 -> (4)
         INCR b -> (1235)
         STRLEN nothing -> (0)
         STRLEN b -> (4)"#,
    );
}

#[test]
fn a_range_counts_from_either_end() {
    Server::new().check(
        "SET a hello -> OK
         GETRANGE a 0 -1 -> hello
         GETRANGE a -2 -1 -> lo
         GETRANGE a -1 -2 -> 
         GETRANGE a -100 -99 -> h
         GETRANGE a -100 1 -> he
         GETRANGE a 3 100 -> lo
         GETRANGE a 5 100 -> 
         GETRANGE a 4 2 -> 
         GETRANGE a 9223372036854775807 9223372036854775807 -> 
         GETRANGE a -9223372036854775808 9223372036854775807 -> hello
         GETRANGE a abc 1 -> !ERR value is not an integer or out of range
         GETRANGE a 0 abc -> !ERR value is not an integer or out of range
         GETRANGE nothing 0 -1 -> 
         SUBSTR a 1 3 -> ell
         SET a 12345 -> OK
         GETRANGE a 1 2 -> 23",
    );
}

#[test]
fn setrange_overwrites_and_fills_up_with_zeros() {
    Server::new().check(
        "SETRANGE a 0 foo -> (3)
         SETRANGE a 1 ABCD -> (5)
         GET a -> fABCD
         SETRANGE a 2 x -> (5)
         GET a -> fAxCD
         SET n 12345 -> OK
         SETRANGE n 1 9 -> (5)
         INCR n -> (19346)
         SETRANGE z 2 x -> (3)
         SETRANGE z 0 ab -> (3)
         GET z -> abx",
    );
}

#[test]
fn setrange_of_nothing_changes_nothing() {
    Server::new().check(
        r#"SETRANGE a 0 "" -> (0)
         GET a -> nil
         SET a hello -> OK
         SETRANGE a 1000000 "" -> (5)
         GET a -> hello"#,
    );
}

#[test]
fn offsets_and_lengths_have_bounds() {
    Server::new().check(
        r#"SETRANGE a -1 x -> !ERR offset is out of range
         SETRANGE a -1 "" -> !ERR offset is out of range
         SETRANGE a abc x -> !ERR value is not an integer or out of range
         SETRANGE a 536870912 x -> !ERR string exceeds maximum allowed size (proto-max-bulk-len)
         SETRANGE a 536870912 "" -> (0)
         SETRANGE a 536870911 xx -> !ERR string exceeds maximum allowed size (proto-max-bulk-len)
         SETRANGE a 9223372036854775807 xx -> !ERR string exceeds maximum allowed size (proto-max-bulk-len)
         GET a -> nil"#,
    );
}

#[test]
fn the_gap_that_setrange_leaves_is_zeros() {
    let mut server = Server::new();
    let client = server.client;
    server.run("SETRANGE a 3 xy");
    assert_eq!(server.raw(client, &[b"GET", b"a"]), b"$5\r\n\0\0\0xy\r\n");
    server.run("SETRANGE b 30000 x");
    server.check(
        "STRLEN b -> (30001)
         GETRANGE b 30000 -1 -> x",
    );
}

#[test]
fn no_string_grows_beyond_proto_max_bulk_len() {
    Server::with_config("proto-max-bulk-len 1048576").check(
        "SETRANGE a 1048575 x -> (1048576)
         SETRANGE a 1048576 x -> !ERR string exceeds maximum allowed size (proto-max-bulk-len)
         APPEND a x -> !ERR string exceeds maximum allowed size (proto-max-bulk-len)
         STRLEN a -> (1048576)",
    );
}
