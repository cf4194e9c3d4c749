//! From one list to another.

use super::in_every_encoding;
use crate::harness::Server;

#[test]
fn an_element_moves_between_any_two_ends() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH a 1 2 3 4 five -> (5)
             LMOVE a b LEFT RIGHT -> 1
             LMOVE a b right left -> five
             RPOPLPUSH a b -> 4
             LRANGE a 0 -1 -> [2 3]
             LRANGE b 0 -1 -> [4 five 1]
             LMOVE b b LEFT RIGHT -> 4
             RPOPLPUSH b b -> 4
             LRANGE b 0 -1 -> [4 five 1]
             LMOVE b b LEFT LEFT -> 4
             LMOVE a b LEFT LEFT -> 2
             LMOVE a b LEFT LEFT -> 3
             EXISTS a -> (0)
             LMOVE a b LEFT LEFT -> nil
             RPUSH one x -> (1)
             LMOVE one one LEFT RIGHT -> x
             LRANGE one 0 -1 -> [x]",
        );
    });
}

#[test]
fn several_elements_move_as_a_block_or_one_by_one() {
    in_every_encoding(|server| {
        for (ends, order, moved, source, destination) in [
            ("LEFT LEFT", "OBO", "[2 1]", "[3 4]", "[2 1 x]"),
            ("LEFT LEFT", "BULK", "[1 2]", "[3 4]", "[1 2 x]"),
            ("LEFT RIGHT", "OBO", "[1 2]", "[3 4]", "[x 1 2]"),
            ("LEFT RIGHT", "BULK", "[1 2]", "[3 4]", "[x 1 2]"),
            ("RIGHT LEFT", "OBO", "[3 4]", "[1 2]", "[3 4 x]"),
            ("RIGHT LEFT", "BULK", "[3 4]", "[1 2]", "[3 4 x]"),
            ("RIGHT RIGHT", "OBO", "[4 3]", "[1 2]", "[x 4 3]"),
            ("RIGHT RIGHT", "BULK", "[3 4]", "[1 2]", "[x 3 4]"),
        ] {
            server.check(&format!(
                "RPUSH a 1 2 3 4 -> (4)
                 RPUSH b x -> (1)
                 LMOVEM a b {ends} COUNT 2 {order} -> {moved}
                 LRANGE a 0 -1 -> {source}
                 LRANGE b 0 -1 -> {destination}
                 DEL a b -> (2)"
            ));
        }
        server.check(
            "RPUSH a 1 2 3 -> (3)
             LMOVEM a b LEFT RIGHT -> [1]
             LMOVEM a b LEFT RIGHT EXACTLY 3 BULK -> nil[]
             LMOVEM nokey b LEFT RIGHT -> nil[]
             LMOVEM a a LEFT LEFT EXACTLY 2 OBO -> [3 2]
             LMOVEM a a LEFT LEFT EXACTLY 2 BULK -> [3 2]
             LRANGE a 0 -1 -> [3 2]
             LMOVEM a b LEFT RIGHT COUNT 10 OBO -> [3 2]
             EXISTS a -> (0)
             LRANGE b 0 -1 -> [1 3 2]",
        );
    });
}

#[test]
fn both_keys_must_be_lists_and_the_words_a_direction() {
    let mut server = Server::new();
    server.check(
        "SET s x -> OK
         RPUSH l a -> (1)
         LMOVE l s LEFT LEFT -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LMOVE s l LEFT LEFT -> !WRONGTYPE Operation against a key holding the wrong kind of value
         RPOPLPUSH l s -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LMOVE nokey s LEFT LEFT -> nil
         LMOVE l b UP LEFT -> !ERR syntax error
         LMOVEM l b LEFT LEFT COUNT 1 -> !ERR syntax error
         LMOVEM l b LEFT LEFT COUNT 1 UP -> !ERR syntax error
         LMOVEM l b LEFT LEFT SOME 1 OBO -> !ERR syntax error
         LMOVEM l b LEFT LEFT COUNT 1 OBO BULK -> !ERR syntax error
         LMOVEM l b LEFT LEFT COUNT 0 OBO -> !ERR count should be greater than 0
         LMOVEM l s LEFT LEFT COUNT 1 OBO -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LRANGE l 0 -1 -> [a]",
    );
}
