//! XINFO, and what other commands say of a stream.

use super::{filled, resp3};
use crate::harness::Server;

#[test]
fn a_stream_tells_its_counters() {
    let mut server = Server::new();
    server.check(
        "XINFO STREAM s -> !ERR no such key
         XADD s 1 f v -> 1-0
         XADD s 2 f v -> 2-0
         XDEL s 1-0 -> (1)
         XGROUP CREATE s g 2 -> OK
         XINFO STREAM s -> [length (1) radix-tree-keys (1) radix-tree-nodes (2) last-generated-id 2-0 max-deleted-entry-id 1-0 entries-added (2) recorded-first-entry-id 2-0 groups (1) first-entry [2-0 [f v]] last-entry [2-0 [f v]]]
         XINFO STREAM s FOO -> !ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.
         XTRIM s MAXLEN 0 -> (1)
         XCFGSET s IDMP-DURATION 7 -> OK
         XINFO STREAM s -> [length (0) radix-tree-keys (0) radix-tree-nodes (1) last-generated-id 2-0 max-deleted-entry-id 1-0 entries-added (2) recorded-first-entry-id 0-0 idmp-duration (7) idmp-maxsize (100) pids-tracked (0) iids-tracked (0) iids-added (0) iids-duplicates (0) groups (1) first-entry nil last-entry nil]",
    );
}

#[test]
fn groups_tell_how_far_they_have_read() {
    for mut server in filled(5) {
        server.check(
            "XGROUP CREATE s g 0 -> OK
             XINFO GROUPS s -> [[name g consumers (0) pending (0) last-delivered-id 0-0 entries-read nil lag (5)]]
             XREADGROUP GROUP g c COUNT 2 STREAMS s > -> [[s [[1-0 [f v1]] [2-0 [f v2]]]]]
             XINFO GROUPS s -> [[name g consumers (1) pending (2) last-delivered-id 2-0 entries-read (2) lag (3)]]
             XDEL s 4-0 -> (1)
             XINFO GROUPS s -> [[name g consumers (1) pending (2) last-delivered-id 2-0 entries-read (2) lag nil]]
             XREADGROUP GROUP g c STREAMS s > -> [[s [[3-0 [f v3]] [5-0 [f v5]]]]]
             XINFO GROUPS s -> [[name g consumers (1) pending (4) last-delivered-id 5-0 entries-read (5) lag (0)]]",
        );
    }
}

#[test]
fn everything_is_told_at_once() {
    let mut server = resp3();
    server.check(
        "XADD s 1 f v -> 1-0
         XADD s 2 f v -> 2-0
         XGROUP CREATE s g 0 -> OK
         XREADGROUP GROUP g c STREAMS s > -> {s [[1-0 [f v]] [2-0 [f v]]]}",
    );
    server.pass_ms(7);
    server.check(
        "XGROUP CREATECONSUMER s g d -> (1)
         XINFO CONSUMERS s g -> [{name c pending (2) idle (7) inactive (7)} {name d pending (0) idle (0) inactive (-1)}]
         XINFO CONSUMERS s h -> !NOGROUP No such consumer group 'h' for key name 's'
         XINFO STREAM s FULL COUNT 1 -> {length (2) radix-tree-keys (1) radix-tree-nodes (2) last-generated-id 2-0 max-deleted-entry-id 0-0 entries-added (2) recorded-first-entry-id 1-0 entries [[1-0 [f v]]] groups [{name g last-delivered-id 2-0 entries-read (2) lag (0) pel-count (2) pending [[1-0 c (1704067200000) (1)]] consumers [{name c seen-time (1704067200000) active-time (1704067200000) pel-count (2) pending [[1-0 (1704067200000) (1)]]} {name d seen-time (1704067200007) active-time (-1) pel-count (0) pending []}]}]}
         XNACK s g FAIL IDS 1 1-0 -> (1)
         XINFO STREAM s FULL COUNT 1 -> {length (2) radix-tree-keys (1) radix-tree-nodes (2) last-generated-id 2-0 max-deleted-entry-id 0-0 entries-added (2) recorded-first-entry-id 1-0 entries [[1-0 [f v]]] groups [{name g last-delivered-id 2-0 entries-read (2) lag (0) pel-count (2) pending [[1-0  (0) (1)]] consumers [{name c seen-time (1704067200000) active-time (1704067200000) pel-count (1) pending [[2-0 (1704067200000) (1)]]} {name d seen-time (1704067200007) active-time (-1) pel-count (0) pending []}] nacked-count (1)}]}",
    );
}

#[test]
fn a_copy_is_a_stream_of_its_own_with_the_same_digest() {
    for mut server in filled(5) {
        server.run("XGROUP CREATE s g 2");
        server.check("COPY s t -> (1)");
        let digest = server.run("DEBUG DIGEST-VALUE s t");
        let halves = digest.trim_matches(['[', ']']).split_once(' ');
        assert!(halves.is_some_and(|(one, other)| one == other), "{digest}");
        server.check(
            "XDEL s 1-0 -> (1)
             XLEN t -> (5)
             XREADGROUP GROUP g c COUNT 1 STREAMS t > -> [[t [[3-0 [f v3]]]]]
             XPENDING s g -> [(0) nil nil nil[]]",
        );
        let changed = server.run("DEBUG DIGEST-VALUE s");
        assert!(!digest.contains(changed.trim_matches(['[', ']'])));
        let bytes = server.run("MEMORY USAGE t");
        let bytes = bytes.trim_matches(['(', ')']).parse::<u32>();
        assert!(bytes.is_ok_and(|bytes| (100..5_000).contains(&bytes)));
    }
}
