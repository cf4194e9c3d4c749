//! What goes to the append-only file and to replicas.

use crate::harness::{START_MS, Server};

/// Checks lines of `command => what it leaves in the stream`.
#[track_caller]
fn leaves(script: &str) {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    server.run("SET first 1");
    server.stream(reader);
    for line in script.lines().map(str::trim) {
        let (command, expected) = line.split_once(" =>").expect("there is an arrow");
        let reply = server.run(command);
        assert!(!reply.starts_with('!'), "{command}: {reply}");
        let left = server.stream(reader).join(" ; ");
        let expected = expected.replace("{100s}", &(START_MS + 100_000).to_string());
        assert_eq!(left, expected.trim(), "{command}");
    }
}

#[test]
fn changes_go_out_in_their_own_words_and_what_changed_nothing_not_at_all() {
    leaves(
        "ZADD z 1 a 2 b 3 c => ZADD z 1 a 2 b 3 c
         ZADD z 1 a =>
         ZADD z XX 1 x =>
         ZINCRBY z 1 a => ZINCRBY z 1 a
         ZINCRBY z 0 a =>
         ZREM z x =>
         ZREM z a => ZREM z a
         ZRANGESTORE d z 0 0 => ZRANGESTORE d z 0 0
         ZUNIONSTORE d 1 z => ZUNIONSTORE d 1 z
         ZUNIONSTORE d 1 nothing => ZUNIONSTORE d 1 nothing
         ZUNIONSTORE d 1 nothing =>
         ZREMRANGEBYRANK z 7 8 =>
         ZREMRANGEBYSCORE z 3 3 => ZREMRANGEBYSCORE z 3 3",
    );
}

#[test]
fn members_that_were_taken_go_out_as_a_pop_of_the_key_that_had_them() {
    leaves(
        "ZADD z 1 a 2 b 3 c 4 d 5 e 6 f => ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
         ZPOPMIN z => ZPOPMIN z
         ZMPOP 2 nothing z MAX => ZPOPMAX z 1
         BZPOPMIN nothing z 0 => ZPOPMIN z
         BZPOPMAX z 0 => ZPOPMAX z
         BZMPOP 0 1 z MIN COUNT 10 => ZPOPMIN z 2
         ZPOPMIN z =>
         ZMPOP 1 z MIN =>",
    );
}

#[test]
fn deadlines_go_out_absolute_with_the_members_that_got_them() {
    leaves(
        "ZADD z 1 a 2 b 3 c => ZADD z 1 a 2 b 3 c
         ZEXPIRE z 100 MEMBERS 2 a x => ZPEXPIREAT z {100s} MEMBERS 1 a
         ZEXPIRE z 100 NX MEMBERS 2 a b => ZPEXPIREAT z {100s} NX MEMBERS 1 b
         ZEXPIRE z 100 NX MEMBERS 1 a =>
         ZPERSIST z MEMBERS 1 a => ZPERSIST z MEMBERS 1 a
         ZPERSIST z MEMBERS 1 a =>
         ZEXPIRE z 0 MEMBERS 2 a x => ZREM z a
         ZTTL z MEMBERS 1 b =>",
    );
}
