//! HSET, HMSET, HSETNX, HDEL, HINCRBY, HINCRBYFLOAT, and where encodings change.

use super::{encodings, on_each, sorted, with_debug};
use crate::harness::Server;

#[test]
fn hset_counts_the_fields_that_are_new() {
    on_each(
        "a 1",
        "HSET h a 2 b 3 c 4 -> (2)
         HMGET h a b c -> [2 3 4]
         HSET h d 1 d 2 -> (1)
         HGET h d -> 2
         HMSET h a 5 e 6 -> OK
         HLEN h -> (5)
         HSET h a 1 b -> !ERR wrong number of arguments for 'hset' command
         HMSET h a 1 b -> !ERR wrong number of arguments for 'hmset' command",
    );
}

#[test]
fn hsetnx_sets_only_what_is_not_there() {
    on_each(
        "a 1",
        "HSETNX h a 2 -> (0)
         HGET h a -> 1
         HSETNX h b 2 -> (1)
         HGET h b -> 2
         HSETNX new b 2 -> (1)
         HGETALL new -> [b 2]",
    );
}

#[test]
fn the_hash_goes_with_its_last_field() {
    on_each(
        "a 1 b 2 c 3",
        "HDEL h x -> (0)
         HDEL h a x c -> (2)
         HDEL h b b -> (1)
         EXISTS h -> (0)
         HDEL h a -> (0)",
    );
}

#[test]
fn numbers_are_added() {
    on_each(
        "a 1 text abc max 9223372036854775807 space \" 1\"",
        "HINCRBY h a 5 -> (6)
         HINCRBY h a -7 -> (-1)
         HGET h a -> -1
         HINCRBY h new 3 -> (3)
         HINCRBY h text 1 -> !ERR hash value is not an integer
         HINCRBY h space 1 -> !ERR hash value is not an integer
         HINCRBY h max 1 -> !ERR increment or decrement would overflow
         HINCRBY h max -1 -> (9223372036854775806)
         HINCRBY h a x -> !ERR value is not an integer or out of range
         HINCRBY none a -9223372036854775808 -> (-9223372036854775808)",
    );
}

#[test]
fn floats_are_added_as_long_doubles() {
    on_each(
        "a 3.0e3 text abc",
        "HINCRBYFLOAT h a 200.5 -> 3200.5
         HINCRBYFLOAT h a -0.5 -> 3200
         HINCRBY h a 1 -> (3201)
         HINCRBYFLOAT h new 0.1 -> 0.1
         HINCRBYFLOAT h new 0.2 -> 0.3
         HINCRBYFLOAT h text 1 -> !ERR hash value is not a float
         HINCRBYFLOAT h a x -> !ERR value is not a valid float
         HINCRBYFLOAT h a inf -> !ERR value is NaN or Infinity",
    );
}

#[test]
fn a_refused_sum_makes_no_key() {
    Server::new().check(
        "HINCRBYFLOAT h a inf -> !ERR value is NaN or Infinity
         EXISTS h -> (0)
         HINCRBY h a x -> !ERR value is not an integer or out of range
         EXISTS h -> (0)",
    );
}

#[test]
fn too_many_or_too_long_fields_make_a_table_and_it_stays_one() {
    let config = "hash-max-listpack-entries 3\nhash-max-listpack-value 8";
    for (script, encoding) in [
        ("HSET h a 1 b 2 c 3", "listpack"),
        ("HSET h a 1 b 2 c 3 d 4", "hashtable"),
        ("HSET h a 12345678", "listpack"),
        ("HSET h a 123456789", "hashtable"),
        ("HSET h 123456789 a", "hashtable"),
        ("HSETNX h a 123456789", "hashtable"),
        ("HINCRBYFLOAT h a 1e9", "hashtable"),
        ("HSETEX h EX 10 FIELDS 3 a 1 b 2 c 3", "listpackex"),
        ("HSETEX h EX 10 FIELDS 4 a 1 b 2 c 3 d 4", "hashtable"),
    ] {
        let mut server = Server::with_config(config);
        server.run(script);
        assert_eq!(server.run("OBJECT ENCODING h"), encoding, "{script}");
    }
    let mut server = Server::with_config(config);
    server.check(
        "HSET h a 1 b 2 c 3 d 4 -> (4)
         HDEL h b c d -> (3)
         OBJECT ENCODING h -> hashtable
         HGETALL h -> [a 1]",
    );
}

#[test]
fn a_hash_of_any_size_is_copied_and_renamed_whole() {
    for count in [1, 40, 400, 2000] {
        let mut server = with_debug("");
        for n in 0..count {
            server.run(&format!("HSET h field:{n} value:{n}"));
        }
        let all = sorted(&server.run("HGETALL h"));
        server.run("COPY h copy");
        server.run("RENAME h other");
        server.run("HSET other field:0 changed");
        assert_eq!(sorted(&server.run("HGETALL copy")), all);
        assert_eq!(server.run("HLEN other"), format!("({count})"));
        assert_ne!(
            server.run("DEBUG DIGEST-VALUE copy"),
            server.run("DEBUG DIGEST-VALUE other")
        );
    }
}

#[test]
fn equal_hashes_have_equal_digests_in_every_encoding() {
    let digests: Vec<String> = encodings("a 1 b two 3 x")
        .into_iter()
        .map(|(_, mut server)| server.run("DEBUG DIGEST-VALUE h"))
        .collect();
    assert!(
        digests.iter().all(|digest| *digest == digests[0]),
        "{digests:?}"
    );
}
