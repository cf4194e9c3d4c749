//! SORT and SORT_RO. The replies are those of Redis 8.0.

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
             SADD set 10 9 2 1 -> (4)
             EVAL \"return redis.call('SORT', 'set', 'BY', 'nosort')\" 0 -> [1 10 2 9]
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

#[test]
fn a_list_is_sorted_too_or_keeps_its_order() {
    Server::new().check(
        "RPUSH l 3 1 2 1 -> (4)
         SORT l -> [1 1 2 3]
         SORT l BY nosort -> [3 1 2 1]
         SORT l BY nosort DESC -> [1 2 1 3]
         SORT l BY nosort DESC LIMIT 1 2 -> [2 1]
         SORT l BY nosort LIMIT 1 2 GET # -> [1 2]
         SORT l BY nosort DESC STORE d -> (4)
         LRANGE d 0 -1 -> [1 2 1 3]
         RPUSH words b a -> (2)
         SORT words -> !ERR One or more scores can't be converted into double
         SORT words ALPHA STORE words -> (2)
         LRANGE words 0 -1 -> [a b]",
    );
}

#[test]
fn fields_of_hashes_give_weights_and_answers() {
    let mut server = Server::new();
    let long = "x".repeat(100);
    server.run(&format!("HSET h3 f 1 other {long}"));
    server.check(
        "RPUSH l 1 2 3 -> (3)
         HSET h1 f 3 -> (1)
         HSET h2 f 2 -> (1)
         SORT l BY h*->f -> [3 2 1]
         SORT l BY h*->f GET h*->f GET h*-> GET h*->none -> [1 nil nil 2 nil nil 3 nil nil]
         SORT l BY h*->none -> [1 2 3]
         SORT l BY h* -> [1 2 3]
         SORT l GET h* -> [nil nil nil]
         SORT l GET h*->none STORE d -> (3)
         LRANGE d 0 0 -> []
         HPEXPIRE h2 100 FIELDS 1 f -> [(1)]",
    );
    server.clock.advance_ms(101);
    server.check("SORT l GET h*->f -> [3 nil 1]");
}

#[test]
fn a_large_result_is_a_list_as_any_other() {
    let mut server = Server::new();
    let words: Vec<String> = (0..5000).rev().map(|n| n.to_string()).collect();
    server.run(&format!("RPUSH l {}", words.join(" ")));
    server.check(
        "SORT l STORE d -> (5000)
         OBJECT ENCODING d -> quicklist
         LRANGE d 0 3 -> [0 1 2 3]
         LINDEX d 4321 -> 4321
         SORT d DESC LIMIT 10 3 -> [4989 4988 4987]
         SORT l LIMIT 10 3 STORE d -> (3)
         OBJECT ENCODING d -> listpack
         LRANGE d 0 -1 -> [10 11 12]",
    );
}

#[test]
fn what_is_stored_is_propagated_and_a_sort_alone_is_not() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.run("SADD s 2 1");
    server.stream(reader);
    server.check(
        "SORT s -> [1 2]
         SORT s STORE d -> (2)
         SORT none STORE none -> (0)",
    );
    assert_eq!(server.stream(reader), ["SORT s STORE d"]);
}
