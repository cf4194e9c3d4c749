//! HIMPORT.

use crate::harness::Server;

#[test]
fn a_fieldset_gives_its_names_to_the_values() {
    Server::new().check(
        "HIMPORT PREPARE user name email age -> OK
         HIMPORT SET one user Ann a@b 30 -> OK
         HGETALL one -> [name Ann email a@b age 30]
         SET one string EX 100 -> OK
         HIMPORT SET one user Bob b@c 31 -> OK
         HGET one name -> Bob
         TTL one -> (-1)
         HIMPORT SET one user Bob -> !ERR value count does not match fieldset
         HIMPORT PREPARE user x -> OK
         HIMPORT SET one user 1 -> OK
         HGETALL one -> [x 1]
         HIMPORT DISCARD user -> (1)
         HIMPORT DISCARD user -> (0)
         HIMPORT SET one user 1 -> !ERR no such fieldset",
    );
}

#[test]
fn fieldsets_have_different_fields_and_end_with_reset() {
    Server::new().check(
        "HIMPORT PREPARE twice a b a -> !ERR duplicate field name in fieldset
         HIMPORT SET one twice 1 2 3 -> !ERR no such fieldset
         HIMPORT PREPARE a x -> OK
         HIMPORT PREPARE b x -> OK
         HIMPORT DISCARDALL -> (2)
         HIMPORT DISCARDALL -> (0)
         HIMPORT PREPARE a x -> OK
         RESET -> RESET
         HIMPORT SET one a 1 -> !ERR no such fieldset",
    );
}

#[test]
fn another_connection_has_its_own() {
    let mut server = Server::new();
    server.run("HIMPORT PREPARE a x");
    let other = server.connect();
    assert_eq!(
        server.run_as(other, "HIMPORT SET one a 1"),
        "!ERR no such fieldset"
    );
}

#[test]
fn an_import_goes_out_as_hset() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.run("HIMPORT PREPARE a x y");
    server.run("HIMPORT SET one a 1 2");
    server.run("HIMPORT SET one a 3 4");
    let stream = server.stream(reader);
    assert_eq!(
        stream,
        [
            "SELECT 0",
            "HSET one x 1 y 2",
            "DEL one",
            "HSET one x 3 y 4"
        ]
    );
}
