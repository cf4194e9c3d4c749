//! HRANDFIELD.

use super::{encodings, on_each, resp3, sorted};
use crate::harness::Server;
use std::collections::BTreeMap;

#[test]
fn one_field_or_an_array_of_them() {
    on_each(
        "a 1",
        "HRANDFIELD h -> a
         HRANDFIELD h 1 -> [a]
         HRANDFIELD h 5 -> [a]
         HRANDFIELD h 5 WITHVALUES -> [a 1]
         HRANDFIELD h -3 -> [a a a]
         HRANDFIELD h -2 WITHVALUES -> [a 1 a 1]
         HRANDFIELD h 0 -> []
         HRANDFIELD none -> nil
         HRANDFIELD none 3 -> []",
    );
    for (_, server) in encodings("a 1") {
        resp3(server).check(
            "HRANDFIELD h -2 WITHVALUES -> [[a 1] [a 1]]
             HRANDFIELD h 2 WITHVALUES -> [[a 1]]
             HRANDFIELD h 2 -> [a]",
        );
    }
}

#[test]
fn counts_out_of_range_and_other_words_are_refused() {
    Server::new().check(
        "HRANDFIELD h x -> !ERR value is not an integer or out of range
         HRANDFIELD h 1 FOO -> !ERR syntax error
         HRANDFIELD h 1 WITHVALUES x -> !ERR syntax error
         HRANDFIELD h -9223372036854775808 -> !ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
         HRANDFIELD h 9223372036854775807 WITHVALUES -> !ERR value is out of range
         HRANDFIELD h 9223372036854775807 -> []",
    );
}

/// How often each field came in draws of `count` fields.
fn draws(server: &mut Server, count: i32, times: usize) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for _ in 0..times {
        let reply = server.run(&format!("HRANDFIELD h {count}"));
        let words: Vec<&str> = reply.trim_matches(['[', ']']).split(' ').collect();
        assert_eq!(words.len(), count.unsigned_abs() as usize);
        if count > 0 {
            let mut different = words.clone();
            different.sort_unstable();
            different.dedup();
            assert_eq!(different.len(), words.len(), "{reply}");
        }
        for word in words {
            *seen.entry(word.to_owned()).or_default() += 1;
        }
    }
    seen
}

#[test]
fn every_field_has_the_same_chance() {
    let fields: Vec<String> = (0..40).map(|n| format!("field:{n} {n}")).collect();
    for (encoding, mut server) in encodings(&fields.join(" ")) {
        for count in [1_i32, 5, 20, 39, -1, -10] {
            let times = 8000 / count.unsigned_abs() as usize;
            let seen = draws(&mut server, count, times);
            let expected = times * count.unsigned_abs() as usize / 40;
            assert_eq!(seen.len(), 40, "{encoding} {count}");
            for (field, often) in seen {
                assert!(
                    often > expected / 2 && often < expected * 2,
                    "{encoding} {count} {field}: {often} of {expected}"
                );
            }
        }
        let all = server.run("HRANDFIELD h 40");
        assert_eq!(sorted(&all), sorted(&server.run("HKEYS h")));
    }
}
