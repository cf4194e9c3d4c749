//! DEBUG RELOAD: the data goes to its file and comes back.

use crate::harness::Server;
use crate::rdb_samples::fill;

const LIBRARY: &str =
    "FUNCTION LOAD \"#!lua name=l\\nredis.register_function('f', function() return 1 end)\" -> l";

fn server() -> Server {
    Server::with_config("enable-debug-command yes\nsave \"\"")
}

#[test]
fn everything_comes_back_with_its_deadline() {
    let mut server = server();
    fill(&mut server);
    server.check(LIBRARY);
    server.check("SELECT 3 -> OK\nSET k v PX 100000 -> OK");
    let digest = server.run("DEBUG DIGEST");
    server.check(
        "DEBUG RELOAD -> OK
         PTTL k -> (100000)
         FCALL f 0 -> (1)",
    );
    assert_eq!(server.run("DEBUG DIGEST"), digest);
}

#[test]
fn nosave_reads_the_file_that_is_there() {
    let mut server = server();
    server.check(
        "DEBUG RELOAD NOSAVE -> !ERR Error trying to load the RDB dump, check server logs.
         SET a 1 -> OK
         SAVE -> OK
         SET a 2 -> OK
         SET b 2 -> OK
         DEBUG RELOAD nosave -> OK
         GET a -> 1
         EXISTS b -> (0)",
    );
}

#[test]
fn noflush_keeps_what_is_in_memory_and_a_key_that_is_there_already_is_an_error() {
    let mut server = server();
    server.check(
        "SET a 1 -> OK
         SAVE -> OK
         DEL a -> (1)
         SET b 2 -> OK
         DEBUG RELOAD NOSAVE NOFLUSH -> OK
         MGET a b -> [1 2]
         DEBUG RELOAD NOSAVE NOFLUSH -> !ERR Error trying to load the RDB dump, check server logs.",
    );
}

#[test]
fn merge_lets_keys_and_functions_of_the_file_take_their_place() {
    let mut server = server();
    server.check(LIBRARY);
    server.check(
        "SET a 1 -> OK
         RPUSH l x -> (1)
         SAVE -> OK
         SET a 2 -> OK
         DEL l -> (1)
         SADD l m -> (1)
         SET b 2 -> OK
         DEBUG RELOAD NOSAVE NOFLUSH MERGE -> OK
         MGET a b -> [1 2]
         LRANGE l 0 -1 -> [x]
         FCALL f 0 -> (1)
         DBSIZE -> (3)",
    );
}

#[test]
fn reading_anew_is_no_change() {
    let mut server = server();
    let reader = server.engine.open_stream();
    server.check("SET a 1 -> OK");
    server.stream(reader);
    server.check("DEBUG RELOAD -> OK");
    assert_eq!(server.stream(reader), Vec::<String>::new());
    let info = server.run("INFO persistence");
    assert!(info.contains("rdb_changes_since_last_save:0"), "{info}");
    assert!(info.contains("rdb_last_load_keys_loaded:1"), "{info}");
}

#[test]
fn those_who_watch_a_key_learn_that_it_was_gone() {
    let mut server = server();
    server.check(
        "SET a 1 -> OK
         WATCH a -> OK
         MULTI -> OK
         GET a -> QUEUED",
    );
    let other = server.connect();
    assert_eq!(server.run_as(other, "DEBUG RELOAD"), "OK");
    server.check("EXEC -> nil[]");
}

#[test]
fn what_cannot_be_saved_is_not_emptied() {
    let mut server = server();
    server.check("SET a 1 -> OK");
    server.host.disk.is_full = true;
    server.check(
        "DEBUG RELOAD -> !ERR
         GET a -> 1",
    );
}
