//! SPOP and SRANDMEMBER.

use super::{CONFIGS, sorted};
use crate::harness::Server;
use std::collections::{BTreeMap, BTreeSet};

fn words(reply: &str) -> Vec<String> {
    let words = reply.trim_matches(['[', ']']).split(' ');
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A server with the set `s` of `count` numbers.
fn server_with(config: &str, count: usize) -> Server {
    let mut server = Server::with_config(config);
    let numbers: Vec<String> = (0..count).map(|n| n.to_string()).collect();
    server.run(&format!("SADD s {}", numbers.join(" ")));
    server
}

#[test]
fn spop_takes_each_member_once() {
    for config in CONFIGS {
        let mut server = server_with(config, 50);
        let mut popped = BTreeSet::new();
        for left in (0..50).rev() {
            assert!(popped.insert(server.run("SPOP s")));
            assert_eq!(server.run("SCARD s"), format!("({left})"));
        }
        server.check(
            "SPOP s -> nil
             EXISTS s -> (0)",
        );
    }
}

#[test]
fn spop_with_a_count_takes_so_many_different_members_or_all() {
    for config in CONFIGS {
        for count in [1, 5, 20, 49] {
            let mut server = server_with(config, 50);
            let popped: BTreeSet<String> = words(&server.run(&format!("SPOP s {count}")))
                .into_iter()
                .collect();
            assert_eq!(popped.len(), count);
            let left: BTreeSet<String> = words(&server.run("SMEMBERS s")).into_iter().collect();
            assert_eq!(left.len(), 50 - count);
            assert!(left.is_disjoint(&popped));
        }
        for count in [3, 4, 1000] {
            let mut server = server_with(config, 3);
            assert_eq!(sorted(&mut server, &format!("SPOP s {count}")), "[0 1 2]");
            server.check("EXISTS s -> (0)");
        }
    }
    server_with("", 3).check(
        "SPOP s 0 -> []
         SPOP s -1 -> !ERR value is out of range, must be positive
         SPOP s x -> !ERR value is out of range, must be positive
         SPOP s 1 2 -> !ERR syntax error
         SPOP none 0 -> []
         SPOP none 5 -> []
         SCARD s -> (3)",
    );
}

#[test]
fn srandmember_answers_different_members_or_of_a_negative_count_any() {
    for config in CONFIGS {
        let mut server = server_with(config, 50);
        for count in [1, 5, 20, 49, 50, 60] {
            let found = words(&server.run(&format!("SRANDMEMBER s {count}")));
            let different: BTreeSet<&String> = found.iter().collect();
            assert_eq!(
                (found.len(), different.len()),
                (count.min(50), count.min(50))
            );
            let found = words(&server.run(&format!("SRANDMEMBER s -{count}")));
            assert_eq!(found.len(), count);
        }
        let mut seen = BTreeMap::new();
        for word in words(&server.run("SRANDMEMBER s -50000")) {
            *seen.entry(word).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 50);
        assert!(seen.values().all(|times| (800..1200).contains(times)));
        assert_eq!(server.run("SCARD s"), "(50)");
    }
    server_with("", 3).check(
        "SRANDMEMBER s 0 -> []
         SRANDMEMBER none -> nil
         SRANDMEMBER none 3 -> []
         SRANDMEMBER none -3 -> []
         SRANDMEMBER s x -> !ERR value is not an integer or out of range
         SRANDMEMBER s 1 2 -> !ERR syntax error
         SRANDMEMBER s -9223372036854775807 -> !ERR value is out of range
         SRANDMEMBER s -9223372036854775808 -> !ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
}

#[test]
fn large_sets_are_drawn_from_and_emptied() {
    let mut server = server_with("", 5000);
    server.check("OBJECT ENCODING s -> hashtable");
    for count in [10, 1000, 3000] {
        let found: BTreeSet<String> = words(&server.run(&format!("SRANDMEMBER s {count}")))
            .into_iter()
            .collect();
        assert_eq!(found.len(), count);
    }
    let mut popped = BTreeSet::new();
    for count in [1000, 2500, 1000, 499] {
        popped.extend(words(&server.run(&format!("SPOP s {count}"))));
    }
    assert_eq!(popped.len(), 4999);
    assert_eq!(server.run("SCARD s"), "(1)");
}
