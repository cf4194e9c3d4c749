//! SORT and SORT_RO, on sets. The replies are those of Redis 8.0.

use crate::harness::Server;

/// A server with `s` (3 1 2 10), keys `w<n>` with words and `o<n>` with numbers, in one of the encodings.
fn servers() -> impl Iterator<Item = Server> {
    [
        "",
        "set-max-intset-entries 0",
        "set-max-intset-entries 0
         set-max-listpack-entries 0",
    ]
    .into_iter()
    .map(|config| {
        let mut server = Server::with_config(config);
        server.check(
            "SADD s 3 1 2 10 -> (4)
             MSET w1 b w2 a w3 c o1 5 o3 -5 -> OK
             SADD words b aa a -> (3)",
        );
        server
    })
}

#[test]
fn elements_are_sorted_as_numbers_or_as_words() {
    for mut server in servers() {
        server.check(
            "SORT s -> [1 2 3 10]
             SORT s DESC -> [10 3 2 1]
             SORT s DESC ASC -> [1 2 3 10]
             SORT s ALPHA -> [1 10 2 3]
             SORT s ALPHA DESC -> [3 2 10 1]
             SORT words ALPHA -> [a aa b]
             SORT_RO s -> [1 2 3 10]
             SORT words -> !ERR One or more scores can't be converted into double
             SORT none -> []
             SORT w1 -> !WRONGTYPE Operation against a key holding the wrong kind of value",
        );
    }
}

#[test]
fn limit_takes_a_part_of_the_order() {
    for mut server in servers() {
        server.check(
            "SORT s LIMIT 1 2 -> [2 3]
             SORT s LIMIT 0 0 -> []
             SORT s LIMIT 2 -1 -> [3 10]
             SORT s LIMIT -5 2 -> [1 2]
             SORT s LIMIT 5 1 -> []
             SORT s DESC LIMIT 0 1 -> [10]
             SORT s LIMIT 9223372036854775807 9223372036854775807 -> []
             SORT s LIMIT 1 -> !ERR syntax error
             SORT s LIMIT a 1 -> !ERR value is not an integer or out of range",
        );
    }
}

#[test]
fn other_keys_give_the_weights_and_the_answers() {
    for mut server in servers() {
        server.check(
            "SORT s BY o* -> [3 10 2 1]
             SORT s BY o* DESC -> [1 2 10 3]
             SORT s BY w* ALPHA -> [10 2 1 3]
             SORT s BY w* -> !ERR One or more scores can't be converted into double
             SORT s BY none* -> [1 10 2 3]
             SORT s BY # LIMIT 0 1 GET none -> [nil]
             SORT s GET w* -> [b a c nil]
             SORT s GET # GET w* GET no LIMIT 0 2 -> [1 b nil 2 a nil]
             SORT s BY -> !ERR syntax error
             SORT s GET -> !ERR syntax error
             SORT s WHAT -> !ERR syntax error",
        );
    }
}

#[test]
fn results_are_stored_as_a_list() {
    for mut server in servers() {
        server.check(
            "SORT s GET w* STORE d -> (4)
             TYPE d -> list
             SORT s BY nosort STORE s -> (4)
             TYPE s -> list
             SORT s -> [1 2 3 10]
             SORT s BY nosort DESC -> [3 2 10 1]
             SORT s BY nosort DESC LIMIT 1 2 -> [2 10]
             SORT none STORE d -> (0)
             EXISTS d -> (0)
             SORT_RO s STORE d -> !ERR syntax error
             SORT s STORE -> !ERR syntax error",
        );
    }
}

#[test]
fn keys_are_found_among_the_options() {
    Server::new().check(
        "COMMAND GETKEYS SORT a BY x* GET y* STORE d -> [a d]
         COMMAND GETKEYS SORT a STORE c STORE d -> [a d]
         COMMAND GETKEYS SORT_RO a BY x* -> [a]",
    );
}
