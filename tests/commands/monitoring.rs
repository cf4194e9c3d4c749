//! MEMORY.

use crate::harness::Server;
use oxidis::keyspace::db::{Database, Deadline};
use oxidis::keyspace::event;
use oxidis::types::string::NewString;

/// A server that has a key `k` with a value of so many bytes.
fn with_value(bytes: usize) -> Server {
    let mut server = Server::new();
    let value = vec![b'x'; bytes];
    let mut db = Database::new(&mut server.engine.keyspace, 0, true);
    let key = db.key(b"k");
    db.put(&key, NewString::Bytes(&value), Deadline::Clear)
        .changed(event::SET);
    server
}

fn usage(server: &mut Server) -> usize {
    let reply = server.run("MEMORY USAGE k");
    let number = reply.trim_matches(['(', ')']);
    number.parse().expect("the usage is a number")
}

#[test]
fn memory_usage_covers_the_value() {
    let sizes = [1, 100, 1000, 100_000].map(|bytes| (bytes, usage(&mut with_value(bytes))));
    for (bytes, used) in sizes {
        assert!(
            (bytes..bytes + bytes / 4 + 64).contains(&used),
            "{bytes} bytes use {used}"
        );
    }
}

#[test]
fn memory_usage_has_its_grammar() {
    with_value(1).check(
        "MEMORY USAGE nosuch -> nil
         MEMORY USAGE k SAMPLES -1 -> !ERR syntax error
         MEMORY USAGE k SAMPLES x -> !ERR value is not an integer or out of range
         MEMORY USAGE k SAMPLES -> !ERR syntax error
         MEMORY USAGE k x -> !ERR syntax error
         MEMORY USAGE -> !ERR wrong number of arguments for 'memory|usage' command
         MEMORY NOSUCH -> !ERR unknown subcommand 'NOSUCH'. Try MEMORY HELP.
         MEMORY PURGE -> OK",
    );
}

#[test]
fn memory_stats_divides_what_is_in_use() {
    let mut server = with_value(1000);
    server.host.usage.allocated_bytes = 1 << 20;
    server.host.usage.resident_bytes = 2 << 20;
    let stats = server.run("MEMORY STATS");
    assert!(stats.contains("keys.count (1)"), "{stats}");
    assert!(stats.starts_with("[peak.allocated ("), "{stats}");
}

#[test]
fn the_doctor_finds_fragmentation_and_a_past_peak() {
    let mut server = Server::new();
    assert!(server.run("MEMORY DOCTOR").contains("too little to tell"));
    server.host.usage.allocated_bytes = 100 << 20;
    server.host.usage.resident_bytes = 110 << 20;
    assert!(server.run("MEMORY DOCTOR").starts_with("No problem"));
    server.host.usage.resident_bytes = 300 << 20;
    assert!(server.run("MEMORY DOCTOR").starts_with("Fragmentation: "));
    server.host.usage.allocated_bytes = 30 << 20;
    assert!(server.run("MEMORY DOCTOR").starts_with("Peak: 100.0"));
}
