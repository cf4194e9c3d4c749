//! SINTER, SUNION, SDIFF, their STORE forms, and the counting ones.

use super::sorted;
use crate::harness::Server;

/// Servers with the sets `a` (0 to 299), `b` (100 to 399), `c` (250 to 259) and words beside them, in each encoding.
fn servers() -> impl Iterator<Item = Server> {
    let words = |range: std::ops::Range<i32>| {
        let words: Vec<String> = range.map(|n| n.to_string()).collect();
        words.join(" ")
    };
    [
        "set-max-intset-entries 1000",
        "set-max-listpack-entries 1000",
        "save 1000 1",
    ]
    .into_iter()
    .enumerate()
    .map(move |(index, config)| {
        let mut server = Server::with_config(config);
        let word = if index == 0 { "" } else { " word" };
        server.run(&format!("SADD a {}{word}", words(0..300)));
        server.run(&format!("SADD b {}{word}", words(100..400)));
        server.run(&format!("SADD c {}", words(250..260)));
        server.run("SADD str x");
        server.run("SET str 1");
        server
    })
}

fn count(reply: &str) -> usize {
    let words = reply.trim_matches(['[', ']']).split(' ');
    words.filter(|word| !word.is_empty()).count()
}

#[test]
fn sets_are_combined_in_any_encoding() {
    for mut server in servers() {
        let word = usize::from(server.run("SISMEMBER a word") == "(1)");
        let ten = "[250 251 252 253 254 255 256 257 258 259]";
        assert_eq!(sorted(&mut server, "SINTER a b c"), ten);
        assert_eq!(sorted(&mut server, "SINTER c"), ten);
        assert_eq!(server.run("SINTER a none"), "[]");
        assert_eq!(count(&server.run("SINTER a b")), 200 + word);
        assert_eq!(count(&server.run("SINTER a a")), 300 + word);
        assert_eq!(count(&server.run("SUNION a b")), 400 + word);
        assert_eq!(count(&server.run("SUNION a b c none a b c a")), 400 + word);
        assert_eq!(count(&server.run("SUNION none c")), 10);
        assert_eq!(server.run("SUNION none none"), "[]");
        assert_eq!(count(&server.run("SDIFF a b")), 100);
        assert_eq!(count(&server.run("SDIFF a c c c c c")), 290 + word);
        assert_eq!(count(&server.run("SDIFF a none")), 300 + word);
        assert_eq!(server.run("SDIFF none a"), "[]");
        assert_eq!(server.run("SDIFF a b a"), "[]");
    }
}

#[test]
fn results_are_stored_in_place_of_what_was_there() {
    for mut server in servers() {
        let word = usize::from(server.run("SISMEMBER a word") == "(1)");
        server.check("EXPIRE c 100 -> (1)");
        assert_eq!(server.run("SUNIONSTORE d a b"), format!("({})", 400 + word));
        assert_eq!(server.run("SCARD d"), format!("({})", 400 + word));
        server.check(
            "SINTERSTORE c a c -> (10)
             TTL c -> (-1)
             SINTERSTORE str a c -> (10)
             TYPE str -> set
             SDIFFSTORE a a b -> (100)
             SISMEMBER a 99 -> (1)
             SISMEMBER a 100 -> (0)
             SDIFFSTORE a c c -> (0)
             EXISTS a -> (0)
             SINTERSTORE d none b -> (0)
             EXISTS d -> (0)
             SUNIONSTORE c none -> (0)
             EXISTS c -> (0)",
        );
    }
}

#[test]
fn results_are_counted_up_to_a_limit() {
    for mut server in servers() {
        let word = usize::from(server.run("SISMEMBER a word") == "(1)");
        for (line, all) in [
            ("SINTERCARD 2 a b", 200 + word),
            ("SUNIONCARD 2 a b", 400 + word),
            ("SUNIONCARD 5 a b c none a APPROX", 400 + word),
            ("SDIFFCARD 2 a b", 100),
            ("SDIFFCARD 6 a c c c c c", 290 + word),
            ("SINTERCARD 1 c", 10),
        ] {
            assert_eq!(server.run(line), format!("({all})"), "{line}");
            assert_eq!(server.run(&format!("{line} LIMIT 0")), format!("({all})"));
            for limit in [1, 7, 100, 150, 100_000] {
                let reply = server.run(&format!("{line} LIMIT {limit}"));
                assert_eq!(reply, format!("({})", all.min(limit)), "{line}");
            }
        }
        server.check(
            "SINTERCARD 2 a none -> (0)
             SUNIONCARD 2 none none -> (0)
             SDIFFCARD 2 none a -> (0)",
        );
    }
}

#[test]
fn counting_commands_refuse_what_is_wrong() {
    let mut server = Server::new();
    for name in ["SINTERCARD", "SUNIONCARD", "SDIFFCARD"] {
        for (words, error) in [
            ("0 a", "ERR numkeys should be greater than 0"),
            ("-1 a", "ERR numkeys should be greater than 0"),
            ("x a", "ERR numkeys should be greater than 0"),
            (
                "3 a b",
                "ERR Number of keys can't be greater than number of args",
            ),
            ("1 a LIMIT", "ERR syntax error"),
            ("1 a LIMIT -1", "ERR LIMIT can't be negative"),
            ("1 a LIMIT x", "ERR LIMIT can't be negative"),
            ("1 a b", "ERR syntax error"),
        ] {
            let reply = server.run(&format!("{name} {words}"));
            assert_eq!(reply, format!("!{error}"), "{name} {words}");
        }
    }
    server.check(
        "SDIFFCARD 1 a APPROX -> !ERR syntax error
         SINTERCARD 1 a APPROX -> !ERR syntax error
         SUNIONCARD 1 a LIMIT 5 APPROX -> (0)
         SINTERCARD 1 a LIMIT 1 LIMIT 2 -> (0)",
    );
}

#[test]
fn keys_are_found_behind_their_number() {
    Server::new().check(
        "COMMAND GETKEYS SINTERCARD 2 a b LIMIT 1 -> [a b]
         COMMAND GETKEYS SUNIONCARD 1 a APPROX -> [a]
         COMMAND GETKEYS SDIFFSTORE d a b -> [d a b]
         COMMAND GETKEYS SMOVE a b m -> [a b]
         COMMAND GETKEYS SINTER a b -> [a b]",
    );
}

#[test]
fn a_key_that_expired_is_an_empty_set() {
    let mut server = Server::new();
    server.check(
        "SADD a 1 2 -> (2)
         SADD b 2 3 -> (2)
         PEXPIRE b 10 -> (1)",
    );
    server.clock.advance_ms(11);
    server.check(
        "SINTER a b -> []
         SUNION a b -> [1 2]
         SDIFF a b -> [1 2]
         EXISTS b -> (0)",
    );
}
