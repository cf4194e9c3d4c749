//! INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT. The replies are those of Redis 8.0.

use super::resp3;
use crate::harness::Server;

#[test]
fn a_missing_key_counts_as_zero() {
    Server::new().check(
        "INCR a -> (1)
         DECR b -> (-1)
         INCRBY c 0 -> (0)
         GET c -> 0
         INCRBY d 42 -> (42)
         DECRBY e 42 -> (-42)
         INCRBYFLOAT f 1.5 -> 1.5
         DECRBY a -41 -> (42)
         GET a -> 42",
    );
}

#[test]
fn sums_beyond_64_bits_are_refused_and_change_nothing() {
    Server::new().check(
        "SET a 9223372036854775807 -> OK
         INCR a -> !ERR increment or decrement would overflow
         INCRBY a 2 -> !ERR increment or decrement would overflow
         GET a -> 9223372036854775807
         DECR a -> (9223372036854775806)
         SET a -9223372036854775808 -> OK
         DECR a -> !ERR increment or decrement would overflow
         DECRBY a 1 -> !ERR increment or decrement would overflow
         INCRBY a -1 -> !ERR increment or decrement would overflow
         DECRBY a -9223372036854775808 -> !ERR decrement would overflow
         DECRBY nothing -9223372036854775808 -> !ERR decrement would overflow
         GET a -> -9223372036854775808",
    );
}

#[test]
fn only_integers_are_counted() {
    Server::new().check(
        r#"SET a " 1" -> OK
         INCR a -> !ERR value is not an integer or out of range
         SET a 1.5 -> OK
         INCR a -> !ERR value is not an integer or out of range
         SET a 01 -> OK
         INCR a -> !ERR value is not an integer or out of range
         SET a "" -> OK
         INCR a -> !ERR value is not an integer or out of range
         INCRBY b abc -> !ERR value is not an integer or out of range
         INCRBY b 1.5 -> !ERR value is not an integer or out of range
         INCRBY b 9223372036854775808 -> !ERR value is not an integer or out of range
         DECRBY b abc -> !ERR value is not an integer or out of range
         GET b -> nil"#,
    );
}

#[test]
fn a_number_that_was_put_together_counts() {
    Server::new().check(
        "SET a 12 -> OK
         APPEND a 3 -> (3)
         INCR a -> (124)
         SETRANGE a 0 9 -> (3)
         INCR a -> (925)
         GET a -> 925",
    );
}

#[test]
fn floats_are_added_as_long_doubles() {
    Server::new().check(
        "SET a 0.1 -> OK
         INCRBYFLOAT a 0.2 -> 0.3
         INCRBYFLOAT a -0.3 -> 0
         INCRBYFLOAT a -0.1 -> -0.1
         SET a 0 -> OK
         INCRBYFLOAT a -0.1 -> -0.1
         SET a 3.0e3 -> OK
         INCRBYFLOAT a 200 -> 3200
         INCRBYFLOAT a 5.0e-3 -> 3200.00499999999999989
         INCRBYFLOAT a 1. -> 3201.00499999999999989
         SET a -0.00 -> OK
         INCRBYFLOAT a 0 -> 0
         INCR a -> (1)
         INCRBYFLOAT b 1e400 -> 10000000000000000000281880683947586514586453433629052038625910693539685534008629862039363994848324160522094053927317616200295822777259255734023828976593340661017797447434546173917862448116674971723778943824391593338047470675026246684401359237513603830343735485505244955964979021825038280091068414947402456898653040951017512658092615827588920183472511643316591362664138176309734806343732497430221946880",
    );
}

#[test]
fn what_is_no_float_is_refused() {
    Server::new().check(
        r#"SET a abc -> OK
         INCRBYFLOAT a 1 -> !ERR value is not a valid float
         INCRBYFLOAT a abc -> !ERR value is not a valid float
         INCRBYFLOAT b abc -> !ERR value is not a valid float
         INCRBYFLOAT b "" -> !ERR value is not a valid float
         INCRBYFLOAT b " 1" -> !ERR value is not a valid float
         INCRBYFLOAT b nan -> !ERR value is not a valid float
         INCRBYFLOAT b inf -> !ERR increment would produce NaN or Infinity
         INCRBYFLOAT b 1e4933 -> !ERR value is not a valid float
         SET c 1e4932 -> OK
         INCRBYFLOAT c 1.1e4932 -> !ERR increment would produce NaN or Infinity
         GET b -> nil"#,
    );
}

#[test]
fn floats_are_byte_strings_in_resp3_too() {
    resp3().check(
        "INCRBYFLOAT a 1.5 -> 1.5
         INCR b -> (1)",
    );
}
