//! DIGEST, DELEX, DELIFEQ, and the same conditions in SET. The digests are those of the XXH3 reference; replies are those
//! that Redis 8.4 documents and tests.

use crate::harness::Server;

#[test]
fn digests_are_xxh3_in_sixteen_hexadecimal_digits() {
    Server::new().check(
        r#"DIGEST a -> nil
           SET a hello -> OK
           DIGEST a -> 9555e8555c62dcfd
           SET a "" -> OK
           DIGEST a -> 2d06800538d394c2
           SET a 123 -> OK
           DIGEST a -> 404a763b3f4c8c9a
           SET a v8 -> OK
           DIGEST a -> 0cc76dbb41381419
           SET a "Hello world" -> OK
           DIGEST a -> b6acb9d84a38ff74
           DIGEST a b -> !ERR wrong number of arguments for 'digest' command"#,
    );
}

#[test]
fn a_digest_of_a_value_is_the_same_in_every_encoding() {
    let mut server = Server::new();
    server.check(
        "SET a 12 -> OK
         APPEND a 3 -> (3)
         DIGEST a -> 404a763b3f4c8c9a",
    );
    let long = "x".repeat(20 << 10);
    server.run(&format!("SET b {long}"));
    server.run(&format!("APPEND c {}", &long[1..]));
    server.run("APPEND c x");
    let digest = server.run("DIGEST b");
    assert_eq!(server.run("DIGEST c"), digest);
    assert_eq!(server.run(&format!("DELEX b IFDEQ {digest}")), "(1)");
}

#[test]
fn set_compares_before_it_sets() {
    Server::new().check(
        "SET a new IFEQ hello -> nil
         SET a new IFDEQ 1234567890 -> nil
         GET a -> nil
         SET a hello IFNE hello -> OK
         SET a new IFNE hello -> nil
         SET a new IFNE hello GET -> hello
         SET a new IFDEQ 9555e8555c62dcfe -> nil
         SET a new IFDNE 9555E8555C62DCFD -> nil
         SET a new IFDEQ 9555E8555C62DCFD GET -> hello
         GET a -> new
         SET a 12345 IFDNE 9555e8555c62dcfd -> OK
         SET a x IFEQ 12345 -> OK
         SET b x IFDNE 1234567890 -> OK
         SET a y IFEQ x EX 10 -> OK
         SET a y IFEQ x IFNE x -> !ERR syntax error
         SET a y IFNE x XX -> !ERR syntax error
         SET a y IFDEQ -> !ERR syntax error",
    );
}

#[test]
fn a_digest_must_have_sixteen_digits_where_it_is_compared() {
    let error = "!ERR The digest must be exactly 16 hexadecimal characters";
    let mut server = Server::new();
    server.run("SET a hello");
    for digest in ["555e8555c62dcfd", "09555e8555c62dcfd", r#""""#] {
        for word in ["IFDEQ", "IFDNE"] {
            assert_eq!(server.run(&format!("SET a new {word} {digest}")), error);
            assert_eq!(server.run(&format!("DELEX a {word} {digest}")), error);
            assert_eq!(server.run(&format!("DELEX b {word} {digest}")), "(0)");
        }
    }
    server.check(
        "GET a -> hello
         DELEX a IFDEQ zzzzzzzzzzzzzzzz -> (0)
         DELEX a IFDNE zzzzzzzzzzzzzzzz -> (1)",
    );
}

#[test]
fn delex_deletes_on_a_condition() {
    Server::new().check(
        "DELEX a -> (0)
         DELEX a IFNE x -> (0)
         DELEX a FOO x -> (0)
         SET a hello -> OK
         DELEX a IFEQ other -> (0)
         DELEX a IFNE hello -> (0)
         DELEX a FOO hello -> !ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE
         DELEX a IFEQ -> !ERR wrong number of arguments for 'delex' command
         DELEX a IFEQ hello extra -> !ERR wrong number of arguments for 'delex' command
         DELEX b IFEQ -> !ERR wrong number of arguments for 'delex' command
         GET a -> hello
         DELEX a IfEq hello -> (1)
         GET a -> nil
         SET a 0123 -> OK
         DELEX a IFEQ 123 -> (0)
         DELEX a IFNE 123 -> (1)
         SET a hello -> OK
         DELEX a IFDEQ 9555e8555c62dcfd -> (1)
         SET a hello -> OK
         DELEX a -> (1)
         GET a -> nil",
    );
}

#[test]
fn delifeq_deletes_an_equal_value() {
    Server::new().check(
        "DELIFEQ a x -> (0)
         SET a 1 -> OK
         DELIFEQ a 2 -> (0)
         DELIFEQ a 1 -> (1)
         GET a -> nil
         DELIFEQ a -> !ERR wrong number of arguments for 'delifeq' command",
    );
}
