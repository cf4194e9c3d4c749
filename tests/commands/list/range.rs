//! What is read.

use super::in_every_encoding;
use crate::harness::Server;

#[test]
fn ranges_and_indexes_count_from_either_end() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH l a 1 b 2 c 300 -> (6)
             LRANGE l 0 -1 -> [a 1 b 2 c 300]
             LRANGE l 1 2 -> [1 b]
             LRANGE l -3 -2 -> [2 c]
             LRANGE l -100 100 -> [a 1 b 2 c 300]
             LRANGE l 4 2 -> []
             LRANGE l 6 9 -> []
             LRANGE l -9223372036854775808 9223372036854775807 -> [a 1 b 2 c 300]
             LRANGE nokey 0 -1 -> []
             LINDEX l 0 -> a
             LINDEX l 5 -> 300
             LINDEX l -1 -> 300
             LINDEX l -6 -> a
             LINDEX l 6 -> nil
             LINDEX l -7 -> nil
             LINDEX l -9223372036854775808 -> nil
             LINDEX nokey x -> nil",
        );
    });
}

#[test]
fn long_ranges_are_whole_across_all_nodes() {
    in_every_encoding(|server| {
        let words: Vec<String> = (0..2_000)
            .map(|at| match at % 3 {
                0 => at.to_string(),
                1 => format!("word:{at}"),
                _ => "x".repeat(at % 90),
            })
            .collect();
        for chunk in words.chunks(100) {
            let mut argv: Vec<&[u8]> = vec![b"RPUSH", b"l"];
            argv.extend(chunk.iter().map(|word| word.as_bytes()));
            server.raw(server.client, &argv);
        }
        for (start, stop) in [(0, 1_999), (0, 99), (700, 1_300), (1_950, 1_999)] {
            let expected = words[start..=stop].join(" ");
            let reply = server.run(&format!("LRANGE l {start} {stop}"));
            assert_eq!(reply, format!("[{expected}]"), "{start} to {stop}");
        }
        for at in (0..2_000).step_by(37) {
            assert_eq!(server.run(&format!("LINDEX l {at}")), words[at]);
        }
    });
}

#[test]
fn positions_are_found_by_rank_count_and_length() {
    in_every_encoding(|server| {
        server.check(
            "RPUSH l a b c 1 2 3 c c -> (8)
             LPOS l c -> (2)
             LPOS l 3 -> (5)
             LPOS l c RANK 2 -> (6)
             LPOS l c RANK -1 -> (7)
             LPOS l c RANK -3 -> (2)
             LPOS l c RANK 4 -> nil
             LPOS l z -> nil
             LPOS l c COUNT 2 -> [(2) (6)]
             LPOS l c count 0 -> [(2) (6) (7)]
             LPOS l c COUNT 2 RANK -1 -> [(7) (6)]
             LPOS l c COUNT 0 RANK 2 -> [(6) (7)]
             LPOS l c COUNT 0 MAXLEN 7 -> [(2) (6)]
             LPOS l c MAXLEN 2 -> nil
             LPOS l c MAXLEN 1 RANK -1 COUNT 0 -> [(7)]
             LPOS l z COUNT 1 -> []
             LPOS nokey a -> nil
             LPOS nokey a COUNT 1 -> []",
        );
    });
}

#[test]
fn a_bad_option_or_type_is_refused() {
    let mut server = Server::new();
    server.check(
        "SET s x -> OK
         RPUSH l a -> (1)
         LLEN s -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LINDEX s x -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LINDEX l x -> !ERR value is not an integer or out of range
         LRANGE s 0 x -> !ERR value is not an integer or out of range
         LRANGE s 0 1 -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LPOS s a -> !WRONGTYPE Operation against a key holding the wrong kind of value
         LPOS l a RANK 0 -> !ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
         LPOS l a RANK -9223372036854775808 -> !ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
         LPOS l a RANK x -> !ERR value is not an integer or out of range
         LPOS l a COUNT -1 -> !ERR COUNT can't be negative
         LPOS l a MAXLEN x -> !ERR MAXLEN can't be negative
         LPOS l a COUNT -> !ERR syntax error
         LPOS l a UP 1 -> !ERR syntax error",
    );
}
