//! Changes in the middle.

use super::in_every_encoding;
use crate::harness::Server;

#[test]
fn an_element_is_set_and_inserted_beside_another() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH l a b c d -> (4)
             LSET l 1 B -> OK
             LSET l -1 77 -> OK
             LINSERT l BEFORE B x -> (5)
             linsert l after 77 last -> (6)
             LINSERT l BEFORE a first -> (7)
             LINSERT l AFTER nothing x -> (-1)
             LINSERT nokey BEFORE a x -> (0)
             LRANGE l 0 -1 -> [first a x B c 77 last]",
        );
    });
}

#[test]
fn equal_elements_are_removed_from_either_end_or_all() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH l a x b x 5 x x -> (7)
             LREM l 1 x -> (1)
             LREM l -2 x -> (2)
             LRANGE l 0 -1 -> [a b x 5]
             LREM l 0 5 -> (1)
             LREM l 0 nothing -> (0)
             LREM l -9223372036854775808 x -> !ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
             LREM l -9223372036854775807 x -> (1)
             LREM l 0 a -> (1)
             LREM l 0 b -> (1)
             EXISTS l -> (0)
             LREM l 0 b -> (0)",
        );
    });
}

#[test]
fn a_trimmed_list_keeps_what_the_range_holds() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH l 1 2 3 4 5 6 7 8 -> (8)
             LTRIM l 1 -2 -> OK
             LTRIM l 0 -1 -> OK
             LTRIM l -100 4 -> OK
             LRANGE l 0 -1 -> [2 3 4 5 6]
             LTRIM l 3 1 -> OK
             EXISTS l -> (0)
             LTRIM l 0 1 -> OK",
        );
    });
}

#[test]
fn a_bad_index_word_or_type_is_refused() {
    let mut server = Server::new();
    server.check(
        "SET s x -> OK
         RPUSH l a -> (1)
         LSET nokey x a -> !ERR no such key
         LSET s x a -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LSET l x a -> !ERR value is not an integer or out of range
         LSET l 1 a -> !ERR index out of range
         LSET l -2 a -> !ERR index out of range
         LINSERT s BESIDE a b -> !ERR syntax error
         LINSERT s AFTER a b -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LREM s x a -> !ERR value is not an integer or out of range
         LREM s 0 a -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LTRIM s 0 x -> !ERR value is not an integer or out of range
         LTRIM s 0 1 -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LRANGE l 0 -1 -> [a]",
    );
}
