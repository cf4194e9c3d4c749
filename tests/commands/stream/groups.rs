//! XGROUP and XREADGROUP.

use super::{filled, resp3};
use crate::harness::Server;

#[test]
fn groups_and_consumers_come_and_go() {
    Server::new().check(
        "XGROUP CREATE s g 0 -> !ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
         XGROUP CREATE s g $ MKSTREAM -> OK
         XGROUP CREATE s g $ -> !BUSYGROUP Consumer Group name already exists
         XGROUP CREATECONSUMER s g c -> (1)
         XGROUP CREATECONSUMER s g c -> (0)
         XGROUP DELCONSUMER s g c -> (0)
         XGROUP DELCONSUMER s none c -> !NOGROUP No such consumer group 'none' for key name 's'
         XGROUP SETID s none 0 -> !NOGROUP No such consumer group 'none' for key name 's'
         XGROUP SETID s g x -> !ERR Invalid stream ID specified as stream command argument
         XGROUP SETID s g 5 ENTRIESREAD 2 ENTRIESREAD 2 -> !ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.
         XGROUP CREATE s g9 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM -> !ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.
         XGROUP SETID s g 5 ENTRIESREAD -2 -> !ERR value for ENTRIESREAD must be positive or -1
         XGROUP SETID s g 5 MKSTREAM -> !ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.
         XGROUP SETID s g 5 ENTRIESREAD 2 -> OK
         XGROUP SETID s g - -> OK
         XGROUP DESTROY s g -> (1)
         XGROUP DESTROY s g -> (0)
         XGROUP DESTROY none g -> !ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
         XGROUP FOO s -> !ERR unknown subcommand 'FOO'. Try XGROUP HELP.
         XGROUP CREATE s -> !ERR wrong number of arguments for 'xgroup|create' command
         SET k x -> OK
         XGROUP CREATE k g 0 -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}

#[test]
fn each_entry_goes_to_one_consumer() {
    for mut server in filled(4) {
        server.check(
            "XGROUP CREATE s g 0 -> OK
             XREADGROUP GROUP g a COUNT 1 STREAMS s > -> [[s [[1-0 [f v1]]]]]
             XREADGROUP GROUP g b COUNT 2 STREAMS s > -> [[s [[2-0 [f v2]] [3-0 [f v3]]]]]
             XREADGROUP GROUP g a STREAMS s > -> [[s [[4-0 [f v4]]]]]
             XREADGROUP GROUP g a STREAMS s > -> nil[]
             XREADGROUP GROUP g a STREAMS s 0 -> [[s [[1-0 [f v1]] [4-0 [f v4]]]]]
             XREADGROUP GROUP g a STREAMS s 1 -> [[s [[4-0 [f v4]]]]]
             XREADGROUP GROUP g c STREAMS s 0 -> [[s []]]
             XDEL s 4-0 -> (1)
             XREADGROUP GROUP g a COUNT 5 STREAMS s 1-0 -> [[s [[4-0 nil[]]]]]
             XPENDING s g -> [(4) 1-0 4-0 [[a 2] [b 2]]]
             XACK s g 1-0 2-0 9-0 -> (2)
             XPENDING s g - + 10 -> [[3-0 b (0) (1)] [4-0 a (0) (3)]]
             XGROUP DELCONSUMER s g b -> (1)
             XPENDING s g -> [(1) 4-0 4-0 [[a 1]]]",
        );
    }
}

#[test]
fn entries_count_as_acknowledged_if_that_is_wanted() {
    let mut server = resp3();
    server.run("XADD s 1 f v");
    server.check(
        "XGROUP CREATE s g 0 -> OK
         XREADGROUP GROUP g a NOACK STREAMS s > -> {s [[1-0 [f v]]]}
         XPENDING s g -> [(0) nil nil nil]
         XREADGROUP GROUP g a STREAMS s s > 0 -> {s []}
         XREADGROUP GROUP g a STREAMS s > -> nil",
    );
}

#[test]
fn a_group_that_is_set_back_delivers_again() {
    for mut server in filled(2) {
        server.check(
            "XGROUP CREATE s g 0 -> OK
             XREADGROUP GROUP g a STREAMS s > -> [[s [[1-0 [f v1]] [2-0 [f v2]]]]]
             XGROUP SETID s g 1 -> OK
             XREADGROUP GROUP g b STREAMS s > -> [[s [[2-0 [f v2]]]]]
             XPENDING s g -> [(2) 1-0 2-0 [[a 1] [b 1]]]",
        );
    }
}

#[test]
fn xreadgroup_has_a_grammar() {
    let mut server = Server::new();
    server.run("XADD s 1 f v");
    server.run("XGROUP CREATE s g 0");
    server.check(
        "XREADGROUP GROUP g c STREAMS s -> !ERR wrong number of arguments for 'xreadgroup' command
         XREADGROUP GROUP g c STREAMS s s > -> !ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.
         XREADGROUP COUNT 1 NOACK STREAMS s > -> !ERR Missing GROUP option for XREADGROUP
         XREADGROUP GROUP none c STREAMS s > -> !NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option
         XREADGROUP GROUP g c STREAMS none > -> !NOGROUP No such key 'none' or consumer group 'g' in XREADGROUP with GROUP option
         XREADGROUP GROUP g c STREAMS s $ -> !ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.
         XREADGROUP GROUP g c CLAIM x STREAMS s > -> !ERR min-idle-time is not an integer
         XREADGROUP GROUP g c CLAIM -1 STREAMS s > -> !ERR min-idle-time must be a positive integer
         XREADGROUP GROUP g CLAIM 5 c STREAMS s > -> !ERR syntax error",
    );
}

#[test]
fn what_waits_too_long_for_an_acknowledgement_is_delivered_again() {
    for mut server in filled(3) {
        server.check(
            "XGROUP CREATE s g 0 -> OK
             XREADGROUP GROUP g a COUNT 1 STREAMS s > -> [[s [[1-0 [f v1]]]]]",
        );
        server.pass_ms(30);
        server.check("XREADGROUP GROUP g a COUNT 1 STREAMS s > -> [[s [[2-0 [f v2]]]]]");
        server.pass_ms(20);
        server.check(
            "XREADGROUP GROUP g b CLAIM 60 STREAMS s 0 -> [[s []]]
             XREADGROUP GROUP g b CLAIM 50 COUNT 1 STREAMS s > -> [[s [[1-0 [f v1] (50) (1)]]]]
             XREADGROUP GROUP g b NOACK CLAIM 20 STREAMS s > -> [[s [[2-0 [f v2] (20) (1)] [3-0 [f v3] (0) (0)]]]]
             XREADGROUP GROUP g b CLAIM 20 STREAMS s > -> nil[]
             XPENDING s g - + 10 -> [[1-0 b (0) (2)] [2-0 b (0) (2)]]
             XDEL s 1-0 -> (1)
             XREADGROUP GROUP g c CLAIM 0 STREAMS s > -> [[s [[2-0 [f v2] (0) (2)]]]]
             XPENDING s g -> [(1) 2-0 2-0 [[c 1]]]",
        );
    }
}
