//! Listpack and quicklist: when one becomes the other, and that copies and digests see the same content.

use crate::harness::Server;

#[test]
fn a_list_past_the_limit_of_a_node_is_a_chain_until_half_of_it_is_left() {
    let mut server = Server::with_config("list-max-listpack-size 10");
    server.check(
        "RPUSH l 1 2 3 4 5 6 7 8 9 10 -> (10)
         OBJECT ENCODING l -> listpack
         RPUSH l 11 -> (11)
         OBJECT ENCODING l -> quicklist
         LTRIM l 0 5 -> OK
         OBJECT ENCODING l -> quicklist
         RPOP l -> 6
         OBJECT ENCODING l -> listpack
         LRANGE l 0 -1 -> [1 2 3 4 5]",
    );
}

#[test]
fn a_list_of_more_bytes_than_a_node_is_a_chain_too() {
    let mut server = Server::with_config("list-max-listpack-size -1");
    let word = "x".repeat(4_000);
    server.check(&format!(
        "RPUSH l {word} -> (1)
         OBJECT ENCODING l -> listpack
         RPUSH l {word} -> (2)
         OBJECT ENCODING l -> quicklist
         LPOP l -> {word}
         OBJECT ENCODING l -> quicklist
         LSET l 0 short -> OK
         OBJECT ENCODING l -> listpack
         LSET l 0 {word}{word} -> OK
         OBJECT ENCODING l -> quicklist
         LLEN l -> (1)
         LINDEX l 0 -> {word}{word}
         DEL l -> (1)
         RPUSH l a -> (1)
         LINSERT l AFTER a {word}{word} -> (2)
         OBJECT ENCODING l -> quicklist
         LRANGE l 0 -1 -> [a {word}{word}]"
    ));
}

#[test]
fn copies_are_equal_and_independent_and_digests_do_not_depend_on_the_encoding() {
    let lines = "enable-debug-command yes";
    let digest = |size: &str| {
        let mut server = Server::with_config(&format!("{lines}\n list-max-listpack-size {size}"));
        server.check(
            "RPUSH l a 1 b 2 c -> (5)
             COPY l copy -> (1)
             LPUSH l new -> (6)
             LRANGE copy 0 -1 -> [a 1 b 2 c]
             RENAME copy renamed -> OK
             LRANGE renamed 0 -1 -> [a 1 b 2 c]
             TYPE renamed -> list",
        );
        server.run("DEBUG DIGEST-VALUE renamed")
    };
    assert_eq!(digest("-2"), digest("2"));
}
