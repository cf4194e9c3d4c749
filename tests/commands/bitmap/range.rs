//! BITCOUNT and BITPOS.

use super::set;
use crate::harness::Server;

#[test]
fn bits_are_counted_in_ranges_of_bytes_and_of_bits() {
    Server::new().check(
        "SET a foobar -> OK
         BITCOUNT a -> (26)
         BITCOUNT a 0 0 -> (4)
         BITCOUNT a 1 1 -> (6)
         BITCOUNT a 0 -5 -> (10)
         BITCOUNT a 5 30 bit -> (17)
         BITCOUNT a -3 -1 BIT -> (1)
         BITCOUNT a -2 -1 Byte -> (7)
         BITCOUNT a 3 2 -> (0)
         BITCOUNT a -2 -100 -> (0)
         BITCOUNT a 0 -100 -> (4)
         BITCOUNT a -9223372036854775808 9223372036854775807 bit -> (26)
         BITCOUNT a 9223372036854775807 9223372036854775807 bit -> (0)
         SET n 124 -> OK
         BITCOUNT n -> (9)
         BITCOUNT nothing -> (0)
         BITCOUNT nothing 0 -1 bit -> (0)",
    );
}

#[test]
fn the_first_bit_is_found_in_ranges_of_bytes_and_of_bits() {
    let mut server = Server::new();
    set(&mut server, "a", b"\xff\xf0\x00");
    set(&mut server, "b", b"\x00\x0f\xff");
    set(&mut server, "ones", b"\xff\xff\xff");
    set(&mut server, "zeros", b"\x00\x00");
    set(&mut server, "empty", b"");
    server.check(
        "BITPOS a 0 -> (12)
         BITPOS a 0 2 -> (16)
         BITPOS a 1 2 -> (-1)
         BITPOS a 0 0 0 -> (-1)
         BITPOS b 1 -> (12)
         BITPOS b 1 2 -> (16)
         BITPOS b 1 -1 -> (16)
         BITPOS b 1 14 16 bit -> (14)
         BITPOS b 0 13 -1 BIT -> (-1)
         BITPOS b 0 3 -1 BIT -> (3)
         BITPOS a 1 -1 -3 BIT -> (-1)
         BITPOS a 1 -3 -100 -> (0)
         BITPOS ones 0 -> (24)
         BITPOS ones 0 1 -> (24)
         BITPOS ones 0 0 -1 -> (-1)
         BITPOS ones 0 3 -> (-1)
         BITPOS zeros 1 -> (-1)
         BITPOS zeros 0 -> (0)
         BITPOS empty 0 -> (-1)
         BITPOS empty 1 -> (-1)
         BITPOS nothing 0 -> (0)
         BITPOS nothing 1 -> (-1)
         BITPOS nothing 0 5 7 bit -> (0)",
    );
}

#[test]
fn what_is_no_range_is_refused_before_the_key_is_looked_at() {
    Server::new().check(
        "SET a foobar -> OK
         BITCOUNT a 1 -> !ERR syntax error
         BITCOUNT nothing 1 -> !ERR syntax error
         BITCOUNT a 1 2 3 -> !ERR syntax error
         BITCOUNT a 1 2 BIT BIT -> !ERR syntax error
         BITCOUNT nothing a b -> !ERR value is not an integer or out of range
         BITCOUNT a 1 b -> !ERR value is not an integer or out of range
         BITPOS a 2 -> !ERR The bit argument must be 1 or 0.
         BITPOS a 2 x -> !ERR The bit argument must be 1 or 0.
         BITPOS a x -> !ERR value is not an integer or out of range
         BITPOS a 1 x -> !ERR value is not an integer or out of range
         BITPOS a 1 0 x -> !ERR value is not an integer or out of range
         BITPOS a 1 0 x FOO -> !ERR syntax error
         BITPOS a 1 x 0 FOO -> !ERR value is not an integer or out of range
         BITPOS a 1 0 0 BIT BIT -> !ERR syntax error",
    );
}
