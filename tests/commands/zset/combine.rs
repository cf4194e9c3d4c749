//! ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD.

use super::{encodings, on_each, on_each_resp3};

const OTHER: &str = "ZADD y 10 b 20 c 30 d -> (3)";

#[test]
fn unions_intersections_and_differences_join_scores() {
    on_each(
        "1 a 2 b 3 c",
        &format!(
            "{OTHER}
             ZUNION 2 z y -> [a b c d]
             ZUNION 2 z y WITHSCORES -> [a 1 b 12 c 23 d 30]
             ZINTER 2 z y WITHSCORES -> [b 12 c 23]
             ZDIFF 2 z y WITHSCORES -> [a 1]
             ZDIFF 1 z -> [a b c]
             ZDIFF 2 z z -> []
             ZUNION 2 z nothing WITHSCORES -> [a 1 b 2 c 3]
             ZINTER 2 z nothing -> []
             ZUNION 3 z z z WITHSCORES -> [a 3 b 6 c 9]
             ZINTERCARD 2 z y -> (2)
             ZINTERCARD 2 z y LIMIT 1 -> (1)
             ZINTERCARD 2 z y LIMIT 0 -> (2)
             ZINTERCARD 2 z nothing -> (0)"
        ),
    );
    on_each_resp3(
        "1 a 2 b",
        "ZUNION 1 z WITHSCORES -> [[a ,1] [b ,2]]
         ZINTER 1 z -> [a b]",
    );
}

#[test]
fn weights_and_aggregates_decide_the_score() {
    on_each(
        "1 a 2 b 3 c",
        &format!(
            "{OTHER}
             ZUNION 2 z y WEIGHTS 2 -1 WITHSCORES -> [d -30 c -14 b -6 a 2]
             ZINTER 2 z y AGGREGATE MIN WITHSCORES -> [b 2 c 3]
             ZINTER 2 z y aggregate max weights 100 1 WITHSCORES -> [b 200 c 300]
             ZUNION 2 z y AGGREGATE COUNT WITHSCORES -> [a 1 d 1 b 2 c 2]
             ZUNION 2 z y WEIGHTS 2 3 AGGREGATE COUNT WITHSCORES -> [a 2 d 3 b 5 c 5]
             ZADD inf inf a -inf b -> (2)
             ZUNION 2 inf inf WEIGHTS 1 -1 WITHSCORES -> [a 0 b 0]
             ZUNION 1 inf WEIGHTS 0 WITHSCORES -> [a 0 b 0]"
        ),
    );
}

#[test]
fn results_are_stored_in_place_of_what_was_there() {
    for (encoding, mut server) in encodings() {
        server.check(
            "ZADD z 1 a 2 b 3 c -> (3)
             ZADD y 10 b 20 c 30 d -> (3)
             SET d x -> OK
             ZUNIONSTORE d 2 z y -> (4)
             ZRANGE d 0 -1 WITHSCORES -> [a 1 b 12 c 23 d 30]
             ZINTERSTORE z 2 z y AGGREGATE MAX -> (2)
             ZRANGE z 0 -1 WITHSCORES -> [b 10 c 20]
             ZDIFFSTORE d 2 y z -> (1)
             ZRANGE d 0 -1 WITHSCORES -> [d 30]",
        );
        assert_eq!(server.run("OBJECT ENCODING d"), encoding);
        server.check(
            "ZDIFFSTORE d 2 y y -> (0)
             EXISTS d -> (0)
             ZUNIONSTORE d 1 y WITHSCORES -> !ERR syntax error",
        );
    }
}

#[test]
fn long_names_and_numbers_are_the_same_in_every_encoding() {
    for entries in [0, 128] {
        let mut server =
            crate::harness::Server::with_config(&format!("zset-max-listpack-entries {entries}"));
        server.run("ZADD one 1 12 1 123456789 1 1234567890 1 prefixed:a 1 prefixed:b");
        server.run("CONFIG SET zset-max-listpack-entries 128");
        server.check(
            "ZADD two 2 12 2 1234567890 2 prefixed:b 2 9 -> (4)
             ZUNION 2 one two WITHSCORES -> [123456789 1 prefixed:a 1 9 2 12 3 1234567890 3 prefixed:b 3]
             ZINTER 2 one two -> [12 1234567890 prefixed:b]
             ZDIFF 2 two one -> [9]",
        );
    }
}

#[test]
fn words_that_do_not_fit_are_refused() {
    on_each(
        "1 a",
        "ZUNION 0 z -> !ERR at least 1 input key is needed for 'zunion' command
         ZINTERCARD 0 z -> !ERR at least 1 input key is needed for 'zintercard' command
         ZUNION x z -> !ERR value is not an integer or out of range
         ZUNION 2 z -> !ERR syntax error
         ZUNION 1 z WEIGHTS -> !ERR syntax error
         ZUNION 1 z WEIGHTS x -> !ERR weight value is not a float
         ZUNION 1 z WEIGHTS 1 2 -> !ERR syntax error
         ZUNION 1 z AGGREGATE FOO -> !ERR syntax error
         ZDIFF 1 z WEIGHTS 1 -> !ERR syntax error
         ZINTERCARD 1 z LIMIT -1 -> !ERR LIMIT can't be negative
         ZINTERCARD 1 z LIMIT x -> !ERR LIMIT can't be negative
         ZINTERCARD 1 z FOO -> !ERR syntax error
         SET s x -> OK
         ZUNION 1 s FOO -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}
