//! ZSCORE, ZMSCORE, ZCARD, ZCOUNT, ZLEXCOUNT, ZRANK, ZREVRANK, ZSCAN.

use super::{encodings, on_each, on_each_resp3};
use crate::harness::Server;

#[test]
fn scores_and_ranks_of_members_and_of_none() {
    on_each(
        "1 a 2.5 b 3 c",
        "ZSCORE z b -> 2.5
         ZSCORE z x -> nil
         ZSCORE nothing a -> nil
         ZMSCORE z a x c -> [1 nil 3]
         ZMSCORE nothing a b -> [nil nil]
         ZRANK z c -> (2)
         ZREVRANK z c -> (0)
         ZRANK z x -> nil
         ZRANK z b WITHSCORE -> [(1) 2.5]
         ZREVRANK z a withscore -> [(2) 1]
         ZRANK z x WITHSCORE -> nil[]
         ZRANK nothing a WITHSCORE -> nil[]
         ZRANK z a WITHSCORES -> !ERR syntax error
         ZRANK z a b c -> !ERR wrong number of arguments for 'zrank' command
         ZCARD z -> (3)
         ZCARD nothing -> (0)",
    );
    on_each_resp3(
        "1 a 2.5 b",
        "ZSCORE z b -> ,2.5
         ZSCORE z x -> nil
         ZMSCORE z a x -> [,1 nil]
         ZRANK z b WITHSCORE -> [(1) ,2.5]
         ZRANK z x WITHSCORE -> nil",
    );
}

#[test]
fn counts_of_ranges() {
    on_each(
        "1 a 2 b 2 c 3 d",
        "ZCOUNT z 1 2 -> (3)
         ZCOUNT z (1 2 -> (2)
         ZCOUNT z 1 (2 -> (1)
         ZCOUNT z -inf +inf -> (4)
         ZCOUNT z 5 1 -> (0)
         ZCOUNT z (2 (2 -> (0)
         ZCOUNT z x 1 -> !ERR min or max is not a float
         ZCOUNT nothing 1 2 -> (0)",
    );
    on_each(
        "0 a 0 b 0 c 0 d",
        "ZLEXCOUNT z - + -> (4)
         ZLEXCOUNT z [b (d -> (2)
         ZLEXCOUNT z (b [d -> (2)
         ZLEXCOUNT z + - -> (0)
         ZLEXCOUNT z [x + -> (0)
         ZLEXCOUNT z b d -> !ERR min or max not valid string range item
         ZLEXCOUNT nothing - + -> (0)",
    );
}

#[test]
fn zscan_meets_every_member_once_in_a_set_that_rests() {
    for (_, mut server) in encodings() {
        for number in 0..100 {
            server.run(&format!("ZADD z {number} m{number}"));
        }
        let (mut cursor, mut seen) = ("0".to_owned(), Vec::new());
        loop {
            let reply = server.run(&format!("ZSCAN z {cursor} COUNT 7"));
            let (next, members) = reply
                .trim_matches(['[', ']'])
                .split_once(' ')
                .expect("a cursor and members");
            let words: Vec<String> = members
                .trim_matches(['[', ']'])
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            for pair in words.chunks(2) {
                assert_eq!(pair[0], format!("m{}", pair[1]));
                seen.push(pair[0].clone());
            }
            cursor = next.to_owned();
            if cursor == "0" {
                break;
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 100);
    }
}

#[test]
fn zscan_filters_and_refuses() {
    on_each(
        "1 a 2 b",
        "ZSCAN z 0 MATCH b* -> [0 [b 2]]
         ZSCAN z 0 MATCH x* COUNT 5 -> [0 []]
         ZSCAN z 0 MATCH b* NOSCORES -> [0 [b]]
         ZSCAN z x -> !ERR invalid cursor
         ZSCAN z 0 NOVALUES -> !ERR NOVALUES option can only be used in HSCAN
         ZSCAN z 0 COUNT 0 -> !ERR syntax error
         ZSCAN nothing 0 FOO -> [0 []]",
    );
}

#[test]
fn zscan_shows_17_digits_of_large_sorted_sets_and_the_fewest_of_small_ones() {
    let expected = [("listpack", "0.1"), ("skiplist", "0.10000000000000001")];
    for ((_, mut server), (_, score)) in encodings().into_iter().zip(expected) {
        server.run("ZADD z 0.1 a");
        assert_eq!(server.run("ZSCAN z 0"), format!("[0 [a {score}]]"));
    }
}

#[test]
fn other_types_are_refused() {
    let mut server = Server::new();
    server.run("SET s x");
    for command in [
        "ZSCORE s a",
        "ZMSCORE s a",
        "ZCARD s",
        "ZCOUNT s 0 1",
        "ZLEXCOUNT s - +",
        "ZRANK s a",
        "ZSCAN s 0",
        "ZRANGE s 0 1",
        "ZPOPMIN s 0",
        "ZRANDMEMBER s",
        "ZUNION 1 s",
        "ZTTL s MEMBERS 1 a",
    ] {
        let wrong_type = "!WRONGTYPE Operation against a key holding the wrong kind of value";
        assert_eq!(server.run(command), wrong_type, "{command}");
    }
}
