//! The events that changes of hashes publish, in their order.

use crate::harness::Server;

/// Checks lines of `command => events`, each event with its key.
#[track_caller]
fn publishes(server: &mut Server, listener: usize, script: &str) {
    for line in script.lines().map(str::trim) {
        let (command, expected) = line.split_once(" =>").expect("there is an arrow");
        server.run(command);
        assert_eq!(events(server, listener), expected.trim(), "{command}");
    }
}

/// What has been published since.
fn events(server: &mut Server, listener: usize) -> String {
    let received = server.received(listener);
    let messages = received.split(" ; ").filter(|text| !text.is_empty());
    let events = messages.map(|text| {
        let event = text.rsplit("__:").next().unwrap_or_default();
        event.trim_end_matches(']').to_owned()
    });
    events.collect::<Vec<_>>().join(" ; ")
}

#[test]
fn that_a_key_came_into_being_is_published_before_what_happened_to_it() {
    let mut server = Server::with_config("notify-keyspace-events EAn");
    let listener = server.connect();
    server.run_as(listener, "PSUBSCRIBE __keyevent@*");
    publishes(
        &mut server,
        listener,
        "HSET h a 1 => new h ; hset h
         HSET h a 2 => hset h
         HSETEX e EX 100 FIELDS 1 a 1 => new e ; hset e ; hexpire e
         SADD s a => new s ; sadd s
         SMOVE s t a => srem s ; del s ; new t ; sadd t
         ZADD z 1 a => new z ; zadd z
         RPUSH l a => new l ; rpush l
         XADD x 1 a 1 => new x ; xadd x
         ZUNIONSTORE u 1 z => new u ; zunionstore u
         APPEND a 1 => new a ; append a
         HSETEX gone PXAT 1 FIELDS 1 a 1 => new gone ; hset gone ; hdel gone ; del gone",
    );
}

#[test]
fn every_change_is_published_with_its_name() {
    let mut server = Server::with_config("notify-keyspace-events Exhg");
    let listener = server.connect();
    server.run_as(listener, "PSUBSCRIBE __keyevent@*");
    publishes(
        &mut server,
        listener,
        "HSET h a 1 b 2 c 3 => hset h
         HSETNX h a 1 =>
         HSETNX h d 1 => hset h
         HMSET h d 2 => hset h
         HINCRBY h a 1 => hincrby h
         HINCRBYFLOAT h a 1 => hincrbyfloat h
         HDEL h d x => hdel h
         HEXPIRE h 100 FIELDS 1 a => hexpire h
         HEXPIRE h 100 NX FIELDS 1 a =>
         HPERSIST h FIELDS 2 a b => hpersist h
         HPERSIST h FIELDS 1 a =>
         HGETEX h EX 100 FIELDS 1 a => hexpire h
         HGETEX h PERSIST FIELDS 1 a => hpersist h
         HSETEX h EX 100 FIELDS 1 a 1 => hset h ; hexpire h
         HSETEX h FIELDS 1 a 1 => hset h
         HSETEX h PXAT 1 FIELDS 2 a 1 new 1 => hset h ; hdel h
         HGETDEL h FIELDS 1 b => hdel h
         HEXPIRE h 0 FIELDS 1 c => hdel h ; del h
         HSETEX h PXAT 1 FIELDS 1 a 1 => hset h ; hdel h ; del h
         HSET h a 1 b 2 => hset h
         HPEXPIRE h 10 FIELDS 1 a => hexpire h
         HPEXPIRE h 20 FIELDS 1 b => hexpire h",
    );
    server.pass_ms(11);
    assert_eq!(events(&mut server, listener), "hexpired h");
    server.pass_ms(10);
    assert_eq!(events(&mut server, listener), "hexpired h ; del h");
}
