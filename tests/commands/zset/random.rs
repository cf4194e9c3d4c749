//! ZRANDMEMBER.

use super::{encodings, on_each, on_each_resp3};
use std::collections::HashMap;

fn words(reply: &str) -> Vec<&str> {
    reply.trim_matches(['[', ']']).split_whitespace().collect()
}

#[test]
fn a_positive_count_gives_different_members_and_a_negative_one_so_many_draws() {
    for (_, mut server) in encodings() {
        for number in 0..60 {
            server.run(&format!("ZADD z {number} m{number}"));
        }
        for count in [1, 5, 19, 20, 40, 59] {
            let reply = server.run(&format!("ZRANDMEMBER z {count}"));
            let mut members = words(&reply);
            members.sort_unstable();
            members.dedup();
            assert_eq!(members.len(), count);
        }
        assert_eq!(words(&server.run("ZRANDMEMBER z 100")).len(), 60);
        let reply = server.run("ZRANDMEMBER z -200 WITHSCORES");
        let pairs = words(&reply);
        assert_eq!(pairs.len(), 400);
        for pair in pairs.chunks(2) {
            assert_eq!(pair[0], format!("m{}", pair[1]));
        }
    }
}

#[test]
fn every_member_is_as_likely_as_any_other() {
    for (_, mut server) in encodings() {
        server.run("ZADD z 1 a 2 b 3 c 4 d 5 e");
        let mut seen: HashMap<String, usize> = HashMap::new();
        for command in ["ZRANDMEMBER z", "ZRANDMEMBER z 2", "ZRANDMEMBER z -3"] {
            for _ in 0..1000 {
                let reply = server.run(command);
                for word in words(&reply) {
                    *seen.entry(word.to_owned()).or_default() += 1;
                }
            }
        }
        assert_eq!(seen.len(), 5);
        let fair = seen.values().all(|count| (1050..1350).contains(count));
        assert!(fair, "{seen:?}");
    }
}

#[test]
fn edges_and_refusals() {
    on_each(
        "1 a",
        "ZRANDMEMBER z -> a
         ZRANDMEMBER z 0 -> []
         ZRANDMEMBER z -2 -> [a a]
         ZRANDMEMBER z 5 WITHSCORES -> [a 1]
         ZRANDMEMBER nothing -> nil
         ZRANDMEMBER nothing 1 -> []
         ZRANDMEMBER z x -> !ERR value is not an integer or out of range
         ZRANDMEMBER z 1 FOO -> !ERR syntax error
         ZRANDMEMBER z 9223372036854775807 WITHSCORES -> !ERR value is out of range
         ZRANDMEMBER z -9223372036854775807 -> !ERR value is out of range
         ZRANDMEMBER z -1000000000000 WITHSCORES -> !ERR value is out of range
         ZRANDMEMBER z -9223372036854775808 -> !ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
    on_each_resp3("1 a", "ZRANDMEMBER z 1 WITHSCORES -> [[a ,1]]");
}
