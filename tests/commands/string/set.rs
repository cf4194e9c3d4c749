//! SET and its relatives, GET and its relatives. The replies are those of Redis 8.0 and, for IFEQ, of Valkey 9.1.

use crate::harness::Server;

#[test]
fn what_is_set_is_read_whatever_it_is() {
    Server::new().check(
        r#"GET nothing -> nil
         SET a text -> OK
         GET a -> text
         SET a 12 -> OK
         GET a -> 12
         SET a -9223372036854775808 -> OK
         GET a -> -9223372036854775808
         SET a 007 -> OK
         GET a -> 007
         SET a "" -> OK
         GET a -> 
         SET a "two words" -> OK
         GET a -> two words
         SET a -> !ERR wrong number of arguments for 'set' command
         GET -> !ERR wrong number of arguments for 'get' command"#,
    );
}

#[test]
fn nx_and_xx_look_whether_the_key_exists() {
    Server::new().check(
        "SET a 1 XX -> nil
         SET a 1 NX -> OK
         SET a 2 NX -> nil
         SET a 3 xx -> OK
         GET a -> 3
         SET a 1 NX XX -> !ERR syntax error
         SET a 1 NX NX -> nil
         SET a 4 XX XX -> OK
         GET a -> 4",
    );
}

#[test]
fn get_answers_the_old_value_whether_or_not_it_is_replaced() {
    Server::new().check(
        "SET a v NX GET -> nil
         SET a w NX GET -> v
         SET a x XX GET -> v
         SET a y GET GET -> x
         GET a -> y
         SET b w XX GET -> nil
         GET b -> nil",
    );
}

#[test]
fn options_that_contradict_each_other_are_syntax_errors() {
    Server::new().check(
        "SET a 1 EX -> !ERR syntax error
         SET a 1 EX 10 PX 5 -> !ERR syntax error
         SET a 1 EX 10 KEEPTTL -> !ERR syntax error
         SET a 1 KEEPTTL EX 10 -> !ERR syntax error
         SET a 1 KEEPTTL KEEPTTL -> OK
         SET a 1 EX 10 EX 20 -> OK
         SET a 1 EX 0 EX 10 -> OK
         SET a 1 PERSIST -> !ERR syntax error
         SET a 1 FOO -> !ERR syntax error
         SET a 1 EX abc FOO -> !ERR syntax error",
    );
}

#[test]
fn deadlines_must_be_positive_and_must_not_overflow() {
    Server::new().check(
        "SET a 1 EX 0 -> !ERR invalid expire time in 'set' command
         SET a 1 EX -1 -> !ERR invalid expire time in 'set' command
         SET a 1 EX abc -> !ERR value is not an integer or out of range
         SET a 1 EX 9223372036854775807 -> !ERR invalid expire time in 'set' command
         SET a 1 PX 9223372036854775807 -> !ERR invalid expire time in 'set' command
         SET a 1 EXAT 9223372036854775807 -> !ERR invalid expire time in 'set' command
         SET a 1 EXAT 9223372036854775 -> OK
         SET a 1 EX 9223372036854775 GET -> !ERR invalid expire time in 'set' command
         SET a 1 EX 0 GET -> !ERR invalid expire time in 'set' command
         SETEX a 0 v -> !ERR invalid expire time in 'setex' command
         SETEX a -1 v -> !ERR invalid expire time in 'setex' command
         SETEX a abc v -> !ERR value is not an integer or out of range
         SETEX a 9223372036854775807 v -> !ERR invalid expire time in 'setex' command
         PSETEX a 0 v -> !ERR invalid expire time in 'psetex' command
         PSETEX a 9223372036854775807 v -> !ERR invalid expire time in 'psetex' command
         GET a -> 1",
    );
}

#[test]
fn a_deadline_in_the_past_leaves_no_key() {
    Server::new().check(
        "SET a 1 -> OK
         SET a 2 PXAT 1 -> OK
         GET a -> nil
         SET a 1 -> OK
         SET a 2 EXAT 1 GET -> 1
         GET a -> nil
         SET a 1 PXAT 1 NX -> OK
         GET a -> nil",
    );
}

#[test]
fn ifeq_compares_the_value() {
    Server::new().check(
        "SET a 1 IFEQ x -> nil
         SET a 1 IFEQ x GET -> nil
         GET a -> nil
         SET a 1 -> OK
         SET a 2 IFEQ 1 -> OK
         SET a 3 IFEQ 1 -> nil
         SET a 3 ifeq 1 GET -> 2
         SET a 3 IFEQ 2 GET -> 2
         GET a -> 3
         SET a 3 IFEQ -> !ERR syntax error
         SET a 1 IFEQ x NX -> !ERR syntax error
         SET a 1 NX IFEQ x -> !ERR syntax error
         SET a 1 XX IFEQ x -> !ERR syntax error
         SET a 1 IFEQ x IFEQ x -> !ERR syntax error",
    );
}

#[test]
fn setnx_sets_once() {
    Server::new().check(
        "SETNX a 1 -> (1)
         SETNX a 2 -> (0)
         GET a -> 1",
    );
}

#[test]
fn getset_answers_the_old_value() {
    Server::new().check(
        "GETSET a 1 -> nil
         GETSET a 2 -> 1
         GET a -> 2
         GETSET a -> !ERR wrong number of arguments for 'getset' command",
    );
}

#[test]
fn getex_looks_at_the_value_before_it_judges_the_deadline() {
    Server::new().check(
        "GETEX nothing EX 0 -> nil
         GETEX nothing EX abc -> nil
         SET a v -> OK
         GETEX a -> v
         GETEX a EX 0 -> !ERR invalid expire time in 'getex' command
         GETEX a EX abc -> !ERR value is not an integer or out of range
         GETEX a EX -> !ERR syntax error
         GETEX a PERSIST EX 10 -> !ERR syntax error
         GETEX a EX 10 PERSIST -> !ERR syntax error
         GETEX a EX 10 PX 10 -> !ERR syntax error
         GETEX a EX 10 EX 10 -> v
         GETEX a PERSIST PERSIST -> v
         GETEX a KEEPTTL -> !ERR syntax error
         GETEX a NX -> !ERR syntax error
         GETEX nothing FOO -> !ERR syntax error
         GETEX a EXAT 1 -> v
         GET a -> nil",
    );
}

#[test]
fn getdel_takes_the_key_away() {
    Server::new().check(
        "GETDEL a -> nil
         SET a 12 -> OK
         GETDEL a -> 12
         GETDEL a -> nil
         GETDEL a b -> !ERR wrong number of arguments for 'getdel' command",
    );
}
