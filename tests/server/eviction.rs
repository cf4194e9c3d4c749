//! Eviction in a process whose memory is counted for real.

use crate::harness::Server;

const KEYS: usize = 300;
const READERS: usize = 10;

fn info(redis: &mut redis::Connection, field: &str) -> usize {
    let text: String = redis::cmd("INFO").query(redis).expect("a reply");
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = value.expect("the field is there");
    value.parse().expect("a number")
}

#[test]
fn what_readers_are_told_of_keys_that_go_costs_no_further_keys() {
    let server = Server::start(&[
        "--save",
        "",
        "--maxmemory-policy",
        "allkeys-lru",
        "--maxmemory-eviction-tenacity",
        "100",
    ]);
    let mut redis = server.redis();
    let names: Vec<String> = (0..KEYS)
        .map(|key| format!("{key}{}", "x".repeat(1000)))
        .collect();
    for name in &names {
        let _: () = redis::cmd("SET")
            .arg(name)
            .arg("x")
            .query(&mut redis)
            .expect("a reply");
    }
    let mut readers: Vec<_> = (0..READERS).map(|_| server.client()).collect();
    for reader in &mut readers {
        reader.send("HELLO 3\r\nCLIENT TRACKING ON\r\n");
        reader.skip_behind("+OK\r\n");
        for name in &names {
            reader.ask(format!("GET {name}\r\n"), "$1\r\nx\r\n");
        }
    }
    let bound = info(&mut redis, "used_memory") - 40_000;
    let _: () = redis::cmd("CONFIG")
        .arg(&["SET", "maxmemory"])
        .arg(bound)
        .query(&mut redis)
        .expect("a reply");
    let evicted = info(&mut redis, "evicted_keys");
    assert!((10..60).contains(&evicted), "{evicted} keys went");
}
