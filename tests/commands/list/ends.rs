//! What is added and taken at the ends.

use super::in_every_encoding;
use crate::harness::Server;

#[test]
fn elements_are_added_one_after_the_other_at_either_end() {
    in_every_encoding(|server| {
        server.check(
            "LPUSH l a b -> (2)
             RPUSH l c 10 -> (4)
             LPUSHX l -5 -> (5)
             RPUSHX l \"\" z -> (7)
             LRANGE l 0 -1 -> [-5 b a c 10  z]
             LLEN l -> (7)
             LPUSHX nokey a -> (0)
             RPUSHX nokey a b -> (0)
             EXISTS nokey -> (0)
             LLEN nokey -> (0)",
        );
    });
}

#[test]
fn what_is_taken_is_gone_and_an_empty_list_goes_with_it() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH l 1 2 3 4 5 6 7 -> (7)
             LPOP l -> 1
             RPOP l -> 7
             LPOP l 2 -> [2 3]
             RPOP l 2 -> [6 5]
             LPOP l 0 -> []
             RPOP l 100 -> [4]
             EXISTS l -> (0)
             LPOP l -> nil
             LPOP l 1 -> nil[]
             RPOP l 0 -> nil[]
             HELLO 3 -> {server redis version 8.0.0 proto (3) id (1) mode standalone role master modules []}
             LPOP l -> nil
             LPOP l 1 -> nil",
        );
    });
}

#[test]
fn elements_are_taken_from_the_first_list_that_has_any() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH b 1 2 3 4 -> (4)
             LMPOP 2 a b LEFT -> [b [1]]
             lmpop 2 a b right count 2 -> [b [4 3]]
             LMPOP 1 b LEFT COUNT 9223372036854775807 -> [b [2]]
             EXISTS b -> (0)
             LMPOP 2 a b LEFT -> nil[]",
        );
    });
}

#[test]
fn a_count_or_key_of_the_wrong_kind_is_refused() {
    let mut server = Server::new();
    server.check(
        "SET s x -> OK
         RPUSH l a -> (1)
         LPUSH s a -> !WRONGTYPE Operation against a key holding the wrong kind of value
         RPUSHX s a -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LPOP s -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LPOP s 0 -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LPOP l x -> !ERR value is out of range, must be positive
         RPOP nokey -1 -> !ERR value is out of range, must be positive
         LPOP l 1 2 -> !ERR wrong number of arguments for 'lpop' command
         LPUSH l -> !ERR wrong number of arguments for 'lpush' command
         LMPOP 0 l LEFT -> !ERR numkeys should be greater than 0
         LMPOP x l LEFT -> !ERR numkeys should be greater than 0
         LMPOP 2 l LEFT -> !ERR syntax error
         LMPOP 1 l UP -> !ERR syntax error
         LMPOP 1 l LEFT COUNT 0 -> !ERR count should be greater than 0
         LMPOP 1 l LEFT COUNT x -> !ERR count should be greater than 0
         LMPOP 1 l LEFT COUNT -> !ERR syntax error
         LMPOP 1 l LEFT COUNT 1 COUNT 1 -> !ERR syntax error
         LMPOP 2 nokey s LEFT -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LRANGE l 0 -1 -> [a]",
    );
}

#[test]
fn a_large_element_goes_in_and_out_without_harm() {
    in_every_encoding(|server| {
        let client = server.client;
        let large = vec![b'x'; 100_000];
        for name in [b"LPUSH", b"RPUSH"] {
            server.raw(client, &[name, b"l", b"small", &large, b"7"]);
        }
        let reply = server.run("LRANGE l 0 -1");
        let x = "x".repeat(100_000);
        assert_eq!(reply, format!("[7 {x} small small {x} 7]"));
        server.check("LPOP l -> 7\n RPOP l -> 7\n LLEN l -> (4)");
        assert_eq!(server.run("LPOP l"), x);
        assert_eq!(server.run("RPOP l 1"), format!("[{x}]"));
    });
}
