//! MGET, MSET, MSETNX, MSETEX. The replies are those of Redis 8.0 and, for MSETEX, of Valkey 9.1.

use super::resp3;
use crate::harness::Server;

#[test]
fn the_last_value_of_a_key_that_comes_twice_counts() {
    Server::new().check(
        "MSET a 1 b 2 a 3 -> OK
         MGET a b nothing a -> [3 2 nil 3]
         MSETNX c 1 d 2 c 3 -> (1)
         MGET c d -> [3 2]",
    );
}

#[test]
fn a_key_without_a_value_is_refused_before_anything_is_set() {
    Server::new().check(
        "MSET a 1 b -> !ERR wrong number of arguments for 'mset' command
         MSETNX a 1 b -> !ERR wrong number of arguments for 'msetnx' command
         MGET a b -> [nil nil]
         MSET a -> !ERR wrong number of arguments for 'mset' command
         MGET -> !ERR wrong number of arguments for 'mget' command",
    );
}

#[test]
fn msetnx_sets_all_or_nothing() {
    Server::new().check(
        "SET b 1 -> OK
         MSETNX a 1 b 2 -> (0)
         MGET a b -> [nil 1]",
    );
}

#[test]
fn msetex_takes_a_condition_and_a_deadline_for_all_keys() {
    Server::new().check(
        "MSETEX 1 a 1 -> (1)
         MSETEX 2 a 1 b 2 EX 10 -> (1)
         MSETEX 2 a 2 b 3 NX -> (0)
         MSETEX 2 a 2 b 3 XX -> (1)
         MGET a b -> [2 3]
         MSETEX 2 a 4 c 4 XX -> (0)
         MSETEX 2 c 4 d 4 nx KEEPTTL -> (1)
         MSETEX 2 a 5 a 6 KEEPTTL XX -> (1)
         MGET a b c d -> [6 3 4 4]
         MSETEX 2 a 1 b 2 PXAT 1 -> (1)
         MGET a b -> [nil nil]",
    );
}

#[test]
fn msetex_refuses_wrong_counts_and_options() {
    Server::new().check(
        "MSETEX 1 a -> !ERR wrong number of arguments for 'msetex' command
         MSETEX 2 a 1 -> !ERR syntax error
         MSETEX 0 a 1 -> !ERR invalid numkeys value or out of range
         MSETEX abc a 1 -> !ERR invalid numkeys value or out of range
         MSETEX -1 a 1 -> !ERR invalid numkeys value or out of range
         MSETEX 2147483648 a 1 -> !ERR invalid numkeys value or out of range
         MSETEX 2147483647 a 1 -> !ERR syntax error
         MSETEX 1 a 1 b -> !ERR syntax error
         MSETEX 1 a 1 NX XX -> !ERR syntax error
         MSETEX 1 a 1 EX 10 KEEPTTL -> !ERR syntax error
         MSETEX 1 a 1 EX 10 PX 10 -> !ERR syntax error
         MSETEX 1 a 1 EX -> !ERR syntax error
         MSETEX 1 a 1 EX 0 -> !ERR invalid expire time in 'msetex' command
         MSETEX 1 a 1 EX abc -> !ERR value is not an integer or out of range
         MSETEX 1 a 1 GET -> !ERR syntax error
         MSETEX 1 a 1 PERSIST -> !ERR syntax error
         MSETEX 1 a 1 IFEQ 1 -> !ERR syntax error
         MSETEX 1 a 1 EX 0 FOO -> !ERR syntax error
         GET a -> nil",
    );
}

#[test]
fn nulls_are_typed_in_resp3() {
    resp3().check(
        "SET a 1 -> OK
         MGET a nothing -> [1 nil]
         GET nothing -> nil
         SET a 1 NX -> nil
         SET b 1 GET -> nil",
    );
}

#[test]
fn more_keys_than_fit_into_one_chunk_are_all_set_and_read() {
    let mut server = Server::new();
    let pairs: Vec<String> = (0..200).map(|i| format!("key:{i} {i}")).collect();
    let keys: Vec<String> = (0..200).map(|i| format!("key:{i}")).collect();
    let values: Vec<String> = (0..200).map(|i| i.to_string()).collect();
    let all = format!("[{}]", values.join(" "));
    let (pairs, keys) = (pairs.join(" "), keys.join(" "));
    for (command, reply) in [
        (format!("MSET {pairs}"), "OK"),
        (format!("MSETNX {pairs}"), "(0)"),
        (format!("MSETEX 200 {pairs} XX"), "(1)"),
    ] {
        assert_eq!(server.run(&command), reply);
        assert_eq!(server.run(&format!("MGET {keys}")), all);
    }
}
