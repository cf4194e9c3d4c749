//! LCS. The replies are those of Redis 8.0.

use super::resp3;
use crate::harness::Server;

#[test]
fn the_longest_common_subsequence_is_found() {
    Server::new().check(
        "MSET a ohmytext b mynewtext -> OK
         LCS a b -> mytext
         LCS a b LEN -> (6)
         LCS a b IDX -> [matches [[[(4) (7)] [(5) (8)]] [[(2) (3)] [(0) (1)]]] len (6)]
         LCS a b IDX MINMATCHLEN 4 -> [matches [[[(4) (7)] [(5) (8)]]] len (6)]
         LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN -> [matches [[[(4) (7)] [(5) (8)] (4)]] len (6)]
         LCS a b IDX MINMATCHLEN -4 WITHMATCHLEN -> [matches [[[(4) (7)] [(5) (8)] (4)] [[(2) (3)] [(0) (1)] (2)]] len (6)]
         LCS a b MINMATCHLEN 3 -> mytext
         LCS a b WITHMATCHLEN -> mytext
         LCS a a IDX WITHMATCHLEN -> [matches [[[(0) (7)] [(0) (7)] (8)]] len (8)]",
    );
}

#[test]
fn which_of_several_is_found_is_fixed() {
    Server::new().check(
        "MSET a abcabcabc b abxabcxabc -> OK
         LCS a b -> ababcabc
         LCS a b IDX WITHMATCHLEN -> [matches [[[(6) (8)] [(7) (9)] (3)] [[(3) (5)] [(3) (5)] (3)] [[(0) (1)] [(0) (1)] (2)]] len (8)]
         LCS b a IDX WITHMATCHLEN -> [matches [[[(7) (9)] [(6) (8)] (3)] [[(3) (5)] [(3) (5)] (3)] [[(0) (1)] [(0) (1)] (2)]] len (8)]
         MSET a xaxbxcx b aybycy -> OK
         LCS a b IDX WITHMATCHLEN -> [matches [[[(5) (5)] [(4) (4)] (1)] [[(3) (3)] [(2) (2)] (1)] [[(1) (1)] [(0) (0)] (1)]] len (3)]
         LCS a b IDX MINMATCHLEN 2 -> [matches [] len (3)]
         MSET a aaaa b aa -> OK
         LCS a b IDX -> [matches [[[(2) (3)] [(0) (1)]]] len (2)]
         LCS b a IDX -> [matches [[[(0) (1)] [(2) (3)]]] len (2)]
         MSET a axb b bxa -> OK
         LCS a b -> b
         LCS a b IDX -> [matches [[[(2) (2)] [(0) (0)]]] len (1)]
         LCS b a IDX -> [matches [[[(2) (2)] [(0) (0)]]] len (1)]",
    );
}

#[test]
fn missing_keys_are_empty_and_numbers_are_text() {
    Server::new().check(
        "MSET a 12345 b 23 -> OK
         LCS a b -> 23
         LCS a nothing -> 
         LCS a nothing LEN -> (0)
         LCS a nothing IDX -> [matches [] len (0)]
         LCS nothing nothing2 IDX -> [matches [] len (0)]",
    );
}

#[test]
fn options_are_checked() {
    Server::new().check(
        "LCS a b LEN IDX -> !ERR If you want both the length and indexes, please just use IDX.
         LCS a b IDX LEN -> !ERR If you want both the length and indexes, please just use IDX.
         LCS a b MINMATCHLEN -> !ERR syntax error
         LCS a b MINMATCHLEN abc -> !ERR value is not an integer or out of range
         LCS a b FOO -> !ERR syntax error
         LCS a -> !ERR wrong number of arguments for 'lcs' command",
    );
}

#[test]
fn matches_are_a_map_in_resp3() {
    resp3().check(
        "MSET a ohmytext b mynewtext -> OK
         LCS a b IDX WITHMATCHLEN -> {matches [[[(4) (7)] [(5) (8)] (4)] [[(2) (3)] [(0) (1)] (2)]] len (6)}
         LCS a b LEN -> (6)",
    );
}

#[test]
fn the_memory_for_the_table_is_bounded() {
    Server::with_config("proto-max-bulk-len 1048576").check(
        "SETRANGE a 510 x -> (511)
         SETRANGE b 510 x -> (511)
         LCS a b LEN -> (511)
         SETRANGE b 511 x -> (512)
         LCS a b LEN -> !ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len
         LCS a b LEN IDX -> !ERR If you want both the length and indexes, please just use IDX.",
    );
}
