//! Where encodings change, as OBJECT ENCODING tells it.

use crate::harness::Server;

fn words(from: usize, to: usize, prefix: &str) -> String {
    let words: Vec<String> = (from..to).map(|n| format!("{prefix}{n}")).collect();
    words.join(" ")
}

#[test]
fn integers_make_an_intset_until_there_are_too_many() {
    let mut server = Server::new();
    server.run(&format!("SADD s {}", words(0, 512, "")));
    server.check("OBJECT ENCODING s -> intset");
    server.check(
        "SADD s 512 -> (1)
         OBJECT ENCODING s -> hashtable
         SCARD s -> (513)",
    );
    server.run(&format!("SADD t {}", words(0, 513, "")));
    server.check("OBJECT ENCODING t -> hashtable");
}

#[test]
fn other_words_make_a_listpack_while_they_are_few_and_short() {
    let mut server = Server::new();
    server.run(&format!("SADD s {}", words(0, 128, "w")));
    server.check(
        "OBJECT ENCODING s -> listpack
         SADD s w1 -> (0)
         OBJECT ENCODING s -> listpack
         SADD s other -> (1)
         OBJECT ENCODING s -> hashtable
         SREM s other -> (1)
         OBJECT ENCODING s -> hashtable",
    );
    let (fits, long) = ("x".repeat(64), "x".repeat(65));
    server.run(&format!("SADD t a {fits}"));
    server.check("OBJECT ENCODING t -> listpack");
    server.run(&format!("SADD t {long}"));
    server.check("OBJECT ENCODING t -> hashtable");
    server.run(&format!("SADD u {}", words(0, 129, "w")));
    server.check("OBJECT ENCODING u -> hashtable");
}

#[test]
fn an_intset_becomes_what_may_hold_all_of_it() {
    let mut server = Server::new();
    server.run(&format!("SADD few {}", words(0, 127, "")));
    server.run(&format!("SADD many {}", words(0, 128, "")));
    server.check(
        "SADD few a -> (1)
         OBJECT ENCODING few -> listpack
         SADD many a -> (1)
         OBJECT ENCODING many -> hashtable
         SADD ints 1 2 -> (2)
         SADD ints 3 a -> (2)
         OBJECT ENCODING ints -> listpack",
    );
    // In view of the words to come a set becomes a table at once.
    server.run(&format!("SADD ints {}", words(0, 129, "")));
    server.check("OBJECT ENCODING ints -> hashtable");
}

#[test]
fn what_is_stored_is_as_small_as_it_can_be() {
    let mut server = Server::new();
    server.run(&format!(
        "SADD a {} {}",
        words(0, 200, ""),
        words(0, 200, "a")
    ));
    server.run(&format!(
        "SADD b {} {}",
        words(0, 200, ""),
        words(0, 200, "b")
    ));
    server.run(&format!("SADD c {} a1 a2 1", words(0, 200, "c")));
    server.check(
        "SINTERSTORE d a b -> (200)
         OBJECT ENCODING d -> intset
         SINTERSTORE d a c -> (3)
         OBJECT ENCODING d -> listpack
         SDIFFSTORE d a b -> (200)
         OBJECT ENCODING d -> hashtable
         SADD small 1 2 -> (2)
         SUNIONSTORE d small small -> (2)
         OBJECT ENCODING d -> intset
         SADD list a -> (1)
         SUNIONSTORE d small list -> (3)
         OBJECT ENCODING d -> listpack
         SADD list 5 -> (1)
         SREM list a -> (1)
         SINTERSTORE d list -> (1)
         OBJECT ENCODING d -> intset",
    );
}

#[test]
fn small_sets_of_any_size_live_as_well_in_the_record_as_behind_it() {
    let mut server = Server::with_config("set-max-listpack-value 2000");
    for (count, length) in [(1, 1), (20, 40), (30, 40), (100, 60), (2, 1500)] {
        let words: Vec<String> = (0..count)
            .map(|n| format!("{n:04}{}", "x".repeat(length)))
            .collect();
        for word in &words {
            assert_eq!(server.run(&format!("SADD s {word}")), "(1)");
        }
        server.check("OBJECT ENCODING s -> listpack");
        assert_eq!(server.run("SCARD s"), format!("({count})"));
        for word in &words {
            assert_eq!(server.run(&format!("SISMEMBER s {word}")), "(1)");
            assert_eq!(server.run(&format!("SREM s {word}")), "(1)");
        }
        assert_eq!(server.run("EXISTS s"), "(0)");
    }
}
