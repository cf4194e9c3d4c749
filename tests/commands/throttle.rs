//! CL.THROTTLE.

use crate::harness::Server;

#[test]
fn a_burst_is_let_in_and_then_one_action_each_interval() {
    let mut server = Server::new();
    server.check(
        "CL.THROTTLE u 2 30 60 -> [(0) (3) (2) (-1) (2)]
         CL.THROTTLE u 2 30 60 -> [(0) (3) (1) (-1) (4)]
         CL.THROTTLE u 2 30 60 -> [(0) (3) (0) (-1) (6)]
         CL.THROTTLE u 2 30 60 -> [(1) (3) (0) (2) (6)]",
    );
    server.pass_ms(1_999);
    server.check("CL.THROTTLE u 2 30 60 -> [(1) (3) (0) (1) (5)]");
    server.pass_ms(1);
    server.check("CL.THROTTLE u 2 30 60 -> [(0) (3) (0) (-1) (6)]");
    server.pass_ms(6_001);
    server.check("EXISTS u -> (0)\nCL.THROTTLE u 2 30 60 -> [(0) (3) (2) (-1) (2)]");
}

#[test]
fn an_action_may_count_as_several_or_as_none() {
    Server::new().check(
        "CL.THROTTLE u 9 10 10 0 -> [(0) (10) (10) (-1) (0)]
         EXISTS u -> (0)
         CL.THROTTLE u 9 10 10 7 -> [(0) (10) (3) (-1) (7)]
         CL.THROTTLE u 9 10 10 0 -> [(0) (10) (3) (-1) (7)]
         CL.THROTTLE u 9 10 10 4 -> [(1) (10) (3) (1) (7)]
         CL.THROTTLE u 9 10 10 11 -> [(1) (10) (3) (-1) (7)]
         CL.THROTTLE u 9 10 10 3 -> [(0) (10) (0) (-1) (10)]",
    );
}

#[test]
fn bad_words_are_refused_and_change_nothing() {
    let mut server = Server::new();
    server.check(
        "CL.THROTTLE u 1 1 -> !ERR wrong number of arguments for 'cl.throttle' command
         CL.THROTTLE u 1 1 1 1 1 -> !ERR wrong number of arguments for 'cl.throttle' command
         CL.THROTTLE u x 1 1 -> !ERR value is not an integer or out of range
         CL.THROTTLE u -1 1 1 -> !ERR value is out of range, must be positive
         CL.THROTTLE u 1 0 1 -> !ERR value is out of range, must be positive
         CL.THROTTLE u 1 1 0 -> !ERR value is out of range, must be positive
         CL.THROTTLE u 1 1 1 -1 -> !ERR value is out of range, must be positive
         CL.THROTTLE u 9223372036854775807 1 9223372036854775807 9223372036854775807 -> !ERR value is out of range
         SET s text -> OK
         CL.THROTTLE s 1 1 1 -> !ERR value is not an integer or out of range
         EXISTS u -> (0)
         GET s -> text",
    );
}

#[test]
fn what_goes_out_is_the_state_and_its_end() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.run("CL.THROTTLE u 0 1 60");
    server.run("CL.THROTTLE u 0 1 60");
    assert_eq!(
        server.stream(reader),
        ["SELECT 0", "SET u 1704067260000000000 PXAT 1704067260000"]
    );
}
