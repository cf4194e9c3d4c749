//! ZADD, ZINCRBY, ZREM, and how a sorted set is kept.

use super::{on_each, on_each_resp3};
use crate::harness::Server;

#[test]
fn zadd_counts_what_is_new_and_with_ch_what_changed_too() {
    on_each(
        "1 a 2 b",
        "ZADD z 3 c -> (1)
         ZADD z 3 c 4 c 5 d -> (1)
         ZADD z CH 4 c 6 d 7 e -> (2)
         ZRANGE z 0 -1 WITHSCORES -> [a 1 b 2 c 4 d 6 e 7]
         ZADD z 1 a -> (0)
         ZADD z -1.5 e -> (0)
         ZRANGE z 0 -1 -> [e a b c d]
         ZCARD z -> (5)",
    );
}

#[test]
fn conditions_decide_which_members_get_a_score() {
    on_each(
        "1 a 2 b",
        "ZADD z NX 9 a 3 c -> (1)
         ZADD z XX 9 x 5 a -> (0)
         ZADD z XX CH 6 a 9 x -> (1)
         ZADD z GT CH 5 a 7 b 1 new -> (2)
         ZADD z LT CH 9 a 3 b 4 c -> (1)
         ZRANGE z 0 -1 WITHSCORES -> [new 1 b 3 c 3 a 6]
         ZADD z XX 1 x -> (0)
         ZADD nothing XX 1 x -> (0)
         EXISTS nothing -> (0)",
    );
}

#[test]
fn zadd_incr_answers_the_score_or_null() {
    on_each(
        "1 a",
        "ZADD z INCR 1.5 a -> 2.5
         ZADD z NX INCR 1 a -> nil
         ZADD z XX INCR 1 x -> nil
         ZADD z GT INCR -1 a -> nil
         ZADD z LT INCR -1 a -> 1.5
         ZADD z INCR 0 a -> 1.5
         ZADD z INCR 1 b 2 c -> !ERR INCR option supports a single increment-element pair
         ZADD z INCR inf a -> inf
         ZADD z INCR -inf a -> !ERR resulting score is not a number (NaN)
         ZSCORE z a -> inf",
    );
    on_each_resp3(
        "1 a",
        "ZADD z INCR 1.5 a -> ,2.5
         ZADD z NX INCR 1 a -> nil
         ZINCRBY z 1 a -> ,3.5",
    );
}

#[test]
fn nothing_is_added_when_one_score_is_no_number() {
    on_each(
        "1 a",
        "ZADD z 2 b x c -> !ERR value is not a valid float
         ZADD z nan b -> !ERR value is not a valid float
         ZADD z 2 b 3 -> !ERR syntax error
         ZADD z NX -> !ERR wrong number of arguments for 'zadd' command
         ZADD z CH 1 -> !ERR syntax error
         ZADD z NX XX 1 b -> !ERR XX and NX options at the same time are not compatible
         ZADD z GT LT 1 b -> !ERR GT, LT, and/or NX options at the same time are not compatible
         ZADD z NX GT 1 b -> !ERR GT, LT, and/or NX options at the same time are not compatible
         ZCARD z -> (1)
         SET s x -> OK
         ZADD s 1 a -> !WRONGTYPE Operation against a key holding the wrong kind of value
         ZINCRBY s 1 a -> !WRONGTYPE Operation against a key holding the wrong kind of value
         ZREM s a -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}

#[test]
fn scores_are_shown_with_the_fewest_digits() {
    on_each(
        "1 a",
        "ZADD z 0.1 b 3e20 c 1e-7 d 123456789012 e -0.25 f -inf g +inf h 0x10 i -> (8)
         ZMSCORE z b c d e f g h i -> [0.1 3e+20 1e-7 123456789012 -0.25 -inf inf 16]",
    );
}

#[test]
fn zincrby_adds_and_creates() {
    on_each(
        "1 a 2 b 3 c",
        "ZINCRBY z 1.5 a -> 2.5
         ZINCRBY z -10 c -> -7
         ZINCRBY z 4 d -> 4
         ZINCRBY z 0 d -> 4
         ZRANGE z 0 -1 -> [c b a d]
         ZINCRBY z x a -> !ERR value is not a valid float
         ZINCRBY new 5 a -> 5",
    );
}

#[test]
fn a_key_goes_with_its_last_member() {
    on_each(
        "1 a 2 b",
        "ZREM z x -> (0)
         ZREM z a x a -> (1)
         ZREM z b c -> (1)
         EXISTS z -> (0)
         ZREM z a -> (0)",
    );
}

#[test]
fn names_may_be_anything() {
    on_each(
        "0 a",
        "ZADD z 0 -5 0 007 0 12 0 \"\" 0 9 -> (5)
         ZRANGE z 0 -1 -> [ -5 007 12 9 a]
         ZSCORE z 12 -> 0
         ZRANK z 9 -> (4)
         ZREM z -5 007 -> (2)
         ZRANGEBYLEX z [1 (a -> [12 9]",
    );
}

#[test]
fn a_sorted_set_becomes_a_table_where_it_is_too_large_for_a_listpack() {
    let mut server = Server::with_config("zset-max-listpack-entries 3\nzset-max-listpack-value 5");
    server.check(
        "ZADD z 1 a 2 b 3 c -> (3)
         OBJECT ENCODING z -> listpack
         ZADD z 4 d -> (1)
         OBJECT ENCODING z -> skiplist
         ZREM z d c b -> (3)
         OBJECT ENCODING z -> skiplist
         ZADD y 1 abcde -> (1)
         OBJECT ENCODING y -> listpack
         ZADD y 1 abcdef -> (1)
         OBJECT ENCODING y -> skiplist
         ZADD many 1 a 1 a 1 a 1 a -> (1)
         OBJECT ENCODING many -> skiplist
         COPY y x -> (1)
         ZRANGE x 0 -1 WITHSCORES -> [abcde 1 abcdef 1]",
    );
}

#[test]
fn a_large_sorted_set_keeps_its_order_through_changes() {
    let mut server = Server::new();
    for number in 0..2000 {
        let score = number * 7919 % 2000;
        server.run(&format!("ZADD z {score} m{score:04}"));
    }
    server.check(
        "ZCARD z -> (2000)
         ZRANK z m0777 -> (777)
         ZREVRANK z m0777 -> (1222)
         ZRANGE z 1000 1002 -> [m1000 m1001 m1002]
         ZRANGE z 1002 1000 BYSCORE REV -> [m1002 m1001 m1000]
         ZINCRBY z 1000.5 m0500 -> 1500.5
         ZRANK z m0500 -> (1500)
         ZREMRANGEBYSCORE z 100 1899 -> (1800)
         ZRANGE z 99 101 WITHSCORES -> [m0099 99 m1900 1900 m1901 1901]
         ZCOUNT z -inf +inf -> (200)
         ZREMRANGEBYRANK z 0 -1 -> (200)
         EXISTS z -> (0)",
    );
}
