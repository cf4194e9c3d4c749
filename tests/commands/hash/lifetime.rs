//! HGETEX, HSETEX, HGETDEL.

use super::on_each;
use crate::harness::Server;

#[test]
fn hgetex_reads_and_sets_the_deadline_of_what_is_there() {
    on_each(
        "a 1 b 2",
        "HGETEX h FIELDS 2 a x -> [1 nil]
         HTTL h FIELDS 1 a -> [(-1)]
         HGETEX h EX 100 FIELDS 2 a x -> [1 nil]
         HTTL h FIELDS 1 a -> [(100)]
         HGETEX h PX 5000 FIELDS 1 a -> [1]
         HPTTL h FIELDS 1 a -> [(5000)]
         HGETEX h FIELDS 1 a -> [1]
         HPTTL h FIELDS 1 a -> [(5000)]
         HGETEX h PERSIST FIELDS 2 a b -> [1 2]
         HTTL h FIELDS 1 a -> [(-1)]
         HGETEX h EXAT 1 FIELDS 1 a -> [1]
         HGETEX h PX 0 FIELDS 2 a b -> [nil 2]
         EXISTS h -> (0)
         HGETEX h EX 10 FIELDS 2 a b -> [nil nil]",
    );
}

#[test]
fn hgetdel_reads_and_deletes() {
    on_each(
        "a 1 b 2 c 3",
        "HGETDEL h FIELDS 3 a a x -> [1 nil nil]
         HLEN h -> (2)
         HGETDEL h FIELDS 2 b c -> [2 3]
         EXISTS h -> (0)
         HGETDEL h FIELDS 1 b -> [nil]",
    );
}

#[test]
fn hsetex_sets_values_and_their_deadline() {
    on_each(
        "a 1",
        "HSETEX h EX 100 FIELDS 2 a 2 b 3 -> (1)
         HMGET h a b -> [2 3]
         HTTL h FIELDS 2 a b -> [(100) (100)]
         HSETEX h KEEPTTL FIELDS 2 a 4 c 5 -> (1)
         HTTL h FIELDS 2 a c -> [(100) (-1)]
         HSETEX h FIELDS 1 a 6 -> (1)
         HTTL h FIELDS 2 a b -> [(-1) (100)]
         HSETEX h PXAT 1 FIELDS 2 a 7 new 8 -> (1)
         HMGET h a new -> [nil nil]
         HSETEX h EX 0 FIELDS 2 b 1 c 2 -> (1)
         EXISTS h -> (0)
         HSETEX h EX 0 FIELDS 1 b 1 -> (1)
         EXISTS h -> (0)",
    );
}

#[test]
fn hsetex_may_ask_for_all_or_none_of_the_fields() {
    on_each(
        "a 1",
        "HSETEX h FNX FIELDS 2 a 2 b 2 -> (0)
         HSETEX h FXX FIELDS 2 a 2 b 2 -> (0)
         HGET h a -> 1
         HSETEX h FXX EX 10 FIELDS 1 a 2 -> (1)
         HSETEX h PX 10 FNX FIELDS 2 b 3 b 4 -> (1)
         HMGET h a b -> [2 4]
         HSETEX none FXX FIELDS 1 a 1 -> (0)
         EXISTS none -> (0)
         HSETEX none FNX FIELDS 1 a 1 -> (1)",
    );
}

#[test]
fn hsetex_may_ask_for_the_key_to_be_there_or_not() {
    on_each(
        "a 1",
        "HSETEX h NX FIELDS 1 a 2 -> (0)
         HSETEX none XX FIELDS 1 a 2 -> (0)
         EXISTS none -> (0)
         HSETEX h XX FXX EX 10 FIELDS 1 a 3 -> (1)
         HGET h a -> 3
         HSETEX h XX FNX FIELDS 1 a 4 -> (0)
         HSETEX none NX NX FNX FIELDS 1 a 1 -> (1)
         HSETEX none NX XX FIELDS 1 a 1 -> !ERR syntax error",
    );
}

#[test]
fn the_grammar_is_that_of_redis() {
    let missing = "!ERR Mandatory argument FIELDS is missing or not at the right position";
    let arity = "!ERR wrong number of arguments for 'hsetex' command";
    Server::new().check(&format!(
        "HSET h a 1 -> (1)
         HGETEX h EX 10 PX 10 FIELDS 1 a -> {missing}
         HGETEX h KEEPTTL FIELDS 1 a -> {missing}
         HGETEX h EX FIELDS 1 a -> !ERR value is not an integer or out of range
         HGETEX h EX -1 FIELDS 1 a -> !ERR invalid expire time, must be >= 0
         HGETEX h PXAT 70368744177664 FIELDS 1 a -> !ERR invalid expire time in 'hgetex' command
         HGETDEL h NAMES 1 a -> {missing}
         HGETDEL h FIELDS 0 a -> !ERR Number of fields must be a positive integer
         HSETEX h FIELDS 0 a 1 -> !ERR invalid number of fields
         HSETEX h FIELDS 9223372036854775807 a 1 -> !ERR invalid number of fields
         HSETEX h FIELDS 2 a 1 -> {arity}
         HSETEX h FXX FIELDS 0 a -> {arity}
         HGETEX h EX 10 FIELDS -> !ERR wrong number of arguments for 'hgetex' command
         HSETEX h FIELDS 1 a 1 EX 10 -> {arity}
         HSETEX h FNX FXX FIELDS 1 a 1 -> !ERR Only one of FXX or FNX arguments can be specified
         HSETEX h EX 10 KEEPTTL FIELDS 1 a 1 -> !ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
         HSETEX h PERSIST FIELDS 1 a 1 -> !ERR unknown argument: PERSIST
         HSETEX h EX -1 FIELDS 1 a 1 -> !ERR invalid expire time, must be >= 0
         HGETALL h -> [a 1]"
    ));
}
