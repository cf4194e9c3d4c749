//! INCREX. The replies are those that the documentation of Redis 8.8 gives.

use super::resp3;
use crate::harness::{START_MS, Server};

#[test]
fn a_counter_counts_by_one_or_by_a_number_of_either_kind() {
    Server::new().check(
        "INCREX a -> [(1) (1)]
         INCREX a BYINT 5 -> [(6) (5)]
         INCREX a BYINT -10 -> [(-4) (-10)]
         INCREX a BYFLOAT 0.25 -> [-3.75 0.25]
         INCREX a -> !ERR value is not an integer or out of range
         GET a -> -3.75
         SET a hello -> OK
         INCREX a BYFLOAT 1 -> !ERR value is not a valid float
         INCREX zero BYINT 0 -> [(0) (0)]
         GET zero -> 0",
    );
    resp3().check(
        "INCREX a -> [(1) (1)]
         INCREX a BYFLOAT 0.5 -> [,1.5 ,0.5]",
    );
}

#[test]
fn a_result_out_of_bounds_is_refused_or_brought_to_the_bound() {
    Server::new().check(
        "INCREX a BYINT 15 UBOUND 10 -> [(0) (0)]
         INCREX a BYINT 5 LBOUND 10 -> [(0) (0)]
         INCREX a BYFLOAT -0.5 UBOUND -1.5 -> [0 0]
         GET a -> nil
         SET a 99 -> OK
         INCREX a BYINT 5 UBOUND 100 -> [(99) (0)]
         INCREX a BYINT 5 UBOUND 100 SATURATE -> [(100) (1)]
         INCREX a BYINT -200 LBOUND 0 SATURATE -> [(0) (-100)]
         INCREX a BYINT 7 LBOUND 0 UBOUND 7 -> [(7) (7)]
         SET a 50 -> OK
         INCREX a BYINT 5 UBOUND 30 -> [(50) (0)]
         INCREX a BYINT 5 UBOUND 30 SATURATE -> [(30) (-20)]
         SET a 50.5 -> OK
         INCREX a BYFLOAT 5.5 UBOUND 30 -> [50.5 0]
         INCREX a BYFLOAT 5.5 UBOUND 30 SATURATE -> [30 -20.5]
         INCREX a BYFLOAT -10 LBOUND 20 -> [20 -10]
         INCREX a BYFLOAT -1 LBOUND 19.5 -> [20 0]",
    );
}

#[test]
fn the_limits_of_the_type_are_bounds_too() {
    Server::new().check(
        "SET a 9223372036854775800 -> OK
         INCREX a BYINT 9223372036854775800 -> [(9223372036854775800) (0)]
         INCREX a BYINT 9223372036854775800 SATURATE -> [(9223372036854775807) (7)]
         SET a -9223372036854775800 -> OK
         INCREX a BYINT -9223372036854775800 SATURATE -> [(-9223372036854775808) (-8)]
         INCREX a BYINT -1 LBOUND 9223372036854775807 SATURATE -> !ERR increment or decrement would overflow
         SET a inf -> OK
         INCREX a BYFLOAT -inf -> !ERR increment would produce NaN or Infinity
         INCREX a BYFLOAT 1 -> [inf 0]",
    );
}

#[test]
fn no_option_may_come_twice_or_against_another() {
    let mut server = Server::new();
    for words in [
        "FOO",
        "BYINT",
        "BYINT 1 BYFLOAT 1.5",
        "BYINT 1 BYINT 2",
        "LBOUND 0 LBOUND 1",
        "UBOUND 9 UBOUND 8",
        "SATURATE SATURATE LBOUND 0",
        "EX 10 PX 5000",
        "EX 10 EX 20",
        "EX 10 PERSIST",
        "PERSIST EX 10",
        "PERSIST PERSIST",
        "PERSIST ENX",
        "ENX PERSIST",
        "ENX ENX EX 10",
    ] {
        assert_eq!(
            server.run(&format!("INCREX a {words}")),
            "!ERR syntax error",
            "{words}"
        );
    }
    server.check(
        "INCREX a ENX -> !ERR ENX flag requires an expiration
         INCREX a BYINT abc -> !ERR Increment is not an integer or out of range
         INCREX a BYINT 1.5 -> !ERR Increment is not an integer or out of range
         INCREX a BYFLOAT abc -> !ERR Increment is not a valid float
         INCREX a UBOUND abc -> !ERR UBOUND is not an integer or out of range
         INCREX a BYFLOAT 1 LBOUND abc -> !ERR LBOUND is not a valid float
         INCREX a LBOUND 10 UBOUND 5 -> !ERR LBOUND can't be greater than UBOUND
         INCREX a BYFLOAT 1 LBOUND 10.5 UBOUND 1.5 -> !ERR LBOUND can't be greater than UBOUND
         INCREX a EX 0 -> !ERR invalid expire time in 'increx' command
         INCREX a PX abc -> !ERR value is not an integer or out of range
         GET a -> nil",
    );
}

#[test]
fn enx_leaves_a_deadline_that_is_there() {
    let mut server = Server::new();
    server.check(
        "INCREX a PX 100 ENX -> [(1) (1)]
         INCREX a PX 1000 ENX -> [(2) (1)]",
    );
    server.pass_ms(101);
    server.check(
        "GET a -> nil
         INCREX a PX 100 -> [(1) (1)]
         INCREX a -> [(2) (1)]
         INCREX a PXAT 1 ENX -> [(3) (1)]
         INCREX a PERSIST -> [(4) (1)]",
    );
    server.pass_ms(101);
    server.check("GET a -> 4");
}

#[test]
fn a_refused_increment_leaves_the_deadline_and_a_saturated_one_sets_it() {
    let mut server = Server::new();
    server.check(
        "SET a 10 -> OK
         SET b 10 -> OK
         INCREX a BYINT 100 UBOUND 15 PX 100 -> [(10) (0)]
         INCREX b BYINT 100 UBOUND 15 SATURATE PX 100 -> [(15) (5)]",
    );
    server.pass_ms(101);
    server.check("MGET a b -> [10 nil]");
}

#[test]
fn a_deadline_in_the_past_deletes() {
    let mut server = Server::new();
    server.check(
        "SET a 10 -> OK
         INCREX a EXAT 1 -> [(11) (1)]
         GET a -> nil
         INCREX nothing PXAT 1 -> [(1) (1)]
         GET nothing -> nil",
    );
    server.run(&format!("INCREX a PXAT {START_MS}"));
    server.check("GET a -> nil");
}
