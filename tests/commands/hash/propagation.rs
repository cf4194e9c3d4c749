//! What goes to the append-only file and to replicas: absolute deadlines, results of floats, and what has expired.

use super::with_debug;
use crate::harness::{START_MS, Server};

/// Runs lines of `command => what it leaves in the stream`.
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
        let expected = expected.replace("{100s}", &(START_MS + 100_000).to_string());
        assert_eq!(
            server.stream(reader).join(" ; "),
            expected.trim(),
            "{command}"
        );
    }
}

#[test]
fn changes_of_values_go_out_as_they_are_and_floats_as_results() {
    leaves(
        "HSET h a 1 b 2 => HSET h a 1 b 2
         HSETNX h a 2 =>
         HSETNX h c 2 => HSETNX h c 2
         HINCRBY h a 5 => HINCRBY h a 5
         HINCRBYFLOAT h a 0.5 => HSETEX h KEEPTTL FIELDS 1 a 6.5
         HDEL h x =>
         HDEL h a x => HDEL h a x
         HGETALL h =>
         HRANDFIELD h 5 =>",
    );
}

#[test]
fn deadlines_go_out_in_absolute_time_for_those_that_got_them() {
    leaves(
        "HSET h a 1 b 2 c 3 d 4 => HSET h a 1 b 2 c 3 d 4
         HEXPIRE h 100 FIELDS 2 a x => HPEXPIREAT h {100s} FIELDS 1 a
         HPEXPIRE h 100000 NX FIELDS 2 a b => HPEXPIREAT h {100s} NX FIELDS 1 b
         HEXPIRE h 100 NX FIELDS 2 a b =>
         HEXPIRE h 100 FIELDS 1 x =>
         HPERSIST h FIELDS 2 a c => HPERSIST h FIELDS 2 a c
         HPERSIST h FIELDS 1 a =>
         HEXPIRE h 0 FIELDS 2 a x => HDEL h a
         HEXPIREAT h 1 FIELDS 2 b c => HDEL h b c
         HTTL h FIELDS 1 d =>",
    );
}

#[test]
fn reads_that_change_go_out_as_what_they_change() {
    leaves(
        "HSET h a 1 b 2 c 3 => HSET h a 1 b 2 c 3
         HGETEX h FIELDS 1 a =>
         HGETEX h EX 100 FIELDS 2 a x => HPEXPIREAT h {100s} FIELDS 1 a
         HGETEX h PERSIST FIELDS 2 a b => HPERSIST h FIELDS 1 a
         HGETEX h PERSIST FIELDS 2 a b =>
         HGETEX h PXAT 1 FIELDS 2 a x => HDEL h a
         HGETDEL h FIELDS 2 b x => HDEL h b
         HGETDEL h FIELDS 1 x =>
         HSETEX h EX 100 FIELDS 2 a 1 b 2 => HSETEX h PXAT {100s} FIELDS 2 a 1 b 2
         HSETEX h FXX PX 100000 FIELDS 1 a 1 => HSETEX h FXX PXAT {100s} FIELDS 1 a 1
         HSETEX h FNX FIELDS 1 a 1 =>
         HSETEX new NX EX 100 FIELDS 1 a 1 => HSETEX new PXAT {100s} FIELDS 1 a 1
         HSETEX h KEEPTTL FIELDS 1 a 1 => HSETEX h KEEPTTL FIELDS 1 a 1
         HSETEX h PXAT 9999999999999 FNX FIELDS 1 z 1 => HSETEX h PXAT 9999999999999 FNX FIELDS 1 z 1",
    );
    leaves("HSETEX h PXAT 1 FIELDS 2 a 1 b 2 => HDEL h a b");
}

#[test]
fn fields_that_expire_go_out_as_deleted() {
    let mut server = with_debug("");
    let reader = server.engine.open_stream();
    server.run("HSET h a 1 b 2");
    server.run("HPEXPIRE h 10 FIELDS 1 a");
    server.run("DEBUG SET-ACTIVE-EXPIRE 0");
    server.stream(reader);
    server.pass_ms(11);
    assert!(server.stream(reader).is_empty());
    server.run("HINCRBY h a 1");
    assert_eq!(server.stream(reader), ["HDEL h a", "HINCRBY h a 1"]);
    server.run("HPEXPIRE h 10 FIELDS 1 a");
    server.stream(reader);
    server.pass_ms(11);
    assert_eq!(server.run("HGET h a"), "nil");
    assert_eq!(server.stream(reader), ["HDEL h a"]);
    server.run("DEBUG SET-ACTIVE-EXPIRE 1");
    server.run("HPEXPIRE h 10 FIELDS 1 b");
    server.stream(reader);
    server.pass_ms(11);
    assert_eq!(server.stream(reader), ["HDEL h b"]);
}

#[test]
fn who_watches_a_hash_learns_that_a_field_has_expired() {
    let mut server = Server::new();
    server.check(
        "HSET h a 1 b 2 -> (2)
         HPEXPIRE h 10 FIELDS 1 a -> [(1)]
         WATCH h -> OK",
    );
    server.pass_ms(11);
    server.check(
        "MULTI -> OK
         HLEN h -> QUEUED
         EXEC -> nil[]",
    );
}
