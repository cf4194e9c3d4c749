//! What goes when memory is full, and who is told.

use crate::append_only::{Folder, ON};
use crate::harness::Server;

const VALUE_BYTES: usize = 100;

/// A server with `keys` keys `k0`, `k1` ... of 100 bytes, one a second, that is full and evicts by this policy.
fn full(policy: &str, keys: usize) -> Server {
    let mut server = Server::with_config("maxmemory-samples 64\nmaxmemory-eviction-tenacity 100");
    let policy = format!("CONFIG SET maxmemory-policy {policy}");
    assert_eq!(server.run(&policy), "OK");
    for key in 0..keys {
        set(&mut server, &format!("k{key}"));
        server.clock.advance_ms(1000);
    }
    bound_memory(&mut server);
    server
}

fn set(server: &mut Server, key: &str) -> String {
    server.run(&format!("SET {key} {}", "v".repeat(VALUE_BYTES)))
}

/// No more than what is used now may be used.
fn bound_memory(server: &mut Server) {
    let used = info(server, "used_memory");
    let bound = format!("CONFIG SET maxmemory {used}");
    assert_eq!(server.run(&bound), "OK");
}

fn info(server: &mut Server, field: &str) -> u64 {
    let text = server.run("INFO everything");
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = value.unwrap_or_else(|| panic!("INFO has no {field}"));
    value.trim().parse().expect("a number")
}

fn exists(server: &mut Server, key: &str) -> bool {
    server.run(&format!("EXISTS {key}")) == "(1)"
}

const OOM: &str = "!OOM command not allowed when used memory > 'maxmemory'.";

#[test]
fn without_a_policy_writes_are_refused_and_reads_go_on() {
    let mut server = full("noeviction", 10);
    assert_eq!(set(&mut server, "one"), "OK", "memory is full after it");
    assert_eq!(set(&mut server, "two"), OOM);
    server.check("STRLEN k0 -> (100)\nDEL k0 k1 -> (2)");
    assert_eq!(set(&mut server, "two"), "OK");
}

#[test]
fn the_key_that_was_not_used_for_longest_goes() {
    let mut server = full("allkeys-lru", 100);
    for key in 0..50 {
        server.run(&format!("GET k{key}"));
    }
    for key in 0..40 {
        assert_eq!(set(&mut server, &format!("new{key}")), "OK");
    }
    for key in 0..50 {
        assert!(exists(&mut server, &format!("k{key}")), "k{key} was read");
    }
    let gone = (50..100).filter(|key| !exists(&mut server, &format!("k{key}")));
    assert!((38..=41).contains(&gone.count()));
}

#[test]
fn the_key_that_is_used_least_often_goes() {
    let mut server = full("allkeys-lfu", 100);
    for _ in 0..100 {
        for key in 0..20 {
            server.run(&format!("GET k{key}"));
        }
    }
    for key in 0..60 {
        assert_eq!(set(&mut server, &format!("new{key}")), "OK");
        server.run(&format!("GET new{key}"));
    }
    for key in 0..20 {
        assert!(
            exists(&mut server, &format!("k{key}")),
            "k{key} was read often"
        );
    }
}

#[test]
fn the_key_that_expires_first_goes_and_none_without_a_deadline() {
    let mut server = full("volatile-ttl", 60);
    for key in 0..30 {
        let deadline_s = 10_000 - key * 10;
        server.run(&format!("EXPIRE k{key} {deadline_s}"));
    }
    bound_memory(&mut server);
    for key in 0..20 {
        assert_eq!(set(&mut server, &format!("new{key}")), "OK");
    }
    let gone = info(&mut server, "evicted_keys");
    assert!(
        (15..=20).contains(&gone),
        "a record with a deadline is larger"
    );
    for key in 0..60 {
        let expected = !(30 - gone..30).contains(&key);
        assert_eq!(exists(&mut server, &format!("k{key}")), expected, "k{key}");
    }
    for key in 20..40 {
        set(&mut server, &format!("new{key}"));
    }
    assert_eq!(set(&mut server, "more"), OOM, "nothing more may go");
    assert_eq!(info(&mut server, "evicted_keys"), 30);
    assert!(exists(&mut server, "k30") && exists(&mut server, "k59"));
}

#[test]
fn a_policy_for_keys_with_a_deadline_leaves_the_others() {
    for policy in ["volatile-lru", "volatile-lfu", "volatile-random"] {
        let mut server = full(policy, 40);
        for key in 0..20 {
            server.run(&format!("EXPIRE k{key} 100000"));
        }
        bound_memory(&mut server);
        let mut answers = (0..40).map(|key| set(&mut server, &format!("new{key}")));
        assert!(answers.any(|answer| answer == OOM), "{policy}");
        for key in 20..40 {
            assert!(exists(&mut server, &format!("k{key}")), "{policy}: k{key}");
        }
        assert_eq!(info(&mut server, "evicted_keys"), 20, "{policy}");
    }
}

#[test]
fn keys_of_all_databases_may_go_by_chance() {
    let mut server = Server::with_config("maxmemory-policy allkeys-random");
    for db in 0..4 {
        server.run(&format!("SELECT {db}"));
        (0..20).for_each(|key| assert_eq!(set(&mut server, &format!("k{key}")), "OK"));
    }
    bound_memory(&mut server);
    server.run("SELECT 9");
    for key in 0..41 {
        assert_eq!(set(&mut server, &format!("new{key}")), "OK");
    }
    let text = server.run("INFO keyspace");
    for db in 0..4 {
        assert!(!text.contains(&format!("db{db}:keys=20,")), "{text}");
    }
}

#[test]
fn a_lower_bound_is_reached_without_a_command() {
    let mut server = full("allkeys-lru", 100);
    let half = info(&mut server, "used_memory") / 2;
    server.run(&format!("CONFIG SET maxmemory {half}"));
    server.pass_ms(1);
    assert!(info(&mut server, "used_memory") <= half);
    assert_eq!(info(&mut server, "current_eviction_exceeded_time"), 0);
}

#[test]
fn who_waits_for_a_key_that_goes_is_told() {
    let mut server = full("allkeys-lru", 3);
    server.run("CONFIG SET notify-keyspace-events Ee");
    let (listener, other) = (server.connect(), server.connect());
    server.run_as(listener, "SUBSCRIBE __keyevent@0__:evicted");
    server.run_as(other, "HELLO 3");
    server.run_as(other, "CLIENT TRACKING ON");
    server.check("WATCH k0 -> OK\nMULTI -> OK\nSET a b -> QUEUED");
    server.run_as(other, "GET k0");
    // The read made it the one that was used last: the others make room for two, it for the third.
    for key in ["one", "two", "three", "four"] {
        server.clock.advance_ms(1000);
        let line = format!("SET {key} {}", "v".repeat(VALUE_BYTES));
        let third = server.connect();
        assert_eq!(server.run_as(third, &line), "OK");
    }
    let seen = server.received(listener);
    assert!(
        seen.contains("[message __keyevent@0__:evicted k0]"),
        "{seen}"
    );
    assert_eq!(server.received(other), ">[invalidate [k0]]");
    server.check("EXEC -> nil[]");
}

#[test]
fn what_goes_is_deleted_in_the_stream_before_the_command_that_wanted_its_room() {
    let mut server = full("allkeys-lru", 3);
    let reader = server.engine.open_stream();
    server.pass_ms(100);
    set(&mut server, "one");
    server.stream(reader);
    set(&mut server, "two");
    let commands = server.stream(reader);
    assert_eq!(commands.first().map(String::as_str), Some("DEL k0"));
    assert!(
        commands
            .last()
            .is_some_and(|last| last.starts_with("SET two"))
    );
}

#[test]
fn scripts_and_transactions_make_room_before_they_begin() {
    let mut server = full("allkeys-lru", 20);
    assert_eq!(set(&mut server, "one"), "OK");
    server.check(
        "EVAL \"return redis.call('SET', KEYS[1], string.rep('x', 100))\" 1 two -> OK
         MULTI -> OK",
    );
    assert_eq!(set(&mut server, "three"), "QUEUED");
    server.check("EXEC -> [OK]");
    assert!(info(&mut server, "evicted_keys") >= 2);
}

#[test]
fn a_big_value_that_goes_is_freed_elsewhere() {
    let mut server = Server::with_config("maxmemory-policy allkeys-lru\nmaxmemory-samples 64");
    let members: Vec<String> = (0..2000).map(|member| format!("member{member}")).collect();
    server.run(&format!("SADD big {}", members.join(" ")));
    server.clock.advance_ms(5000);
    (0..10).for_each(|key| assert_eq!(set(&mut server, &format!("k{key}")), "OK"));
    bound_memory(&mut server);
    assert_eq!(set(&mut server, "one"), "OK");
    assert_eq!(set(&mut server, "two"), "OK");
    assert!(!exists(&mut server, "big"));
    assert_eq!(server.host.freed, 1);
}

#[test]
fn what_is_on_its_way_to_the_disk_takes_no_room() {
    let folder = Folder::new();
    let mut server = Server::in_folder(folder.root(), ON);
    server.host.disk.is_held = true;
    let writer = server.connect();
    let big = format!("SET big {}", "v".repeat(1 << 20));
    assert_eq!(server.run_as(writer, &big), "", "it waits for the disk");
    assert!(info(&mut server, "mem_not_counted_for_evict") > 1 << 20);
    let used_bytes = info(&mut server, "used_memory") + (4 << 20);
    server.host.usage.allocated_bytes = 4 << 20;
    let bound = used_bytes - (1 << 19);
    assert_eq!(server.run(&format!("CONFIG SET maxmemory {bound}")), "OK");
    assert_eq!(server.run_as(writer, "SET a 1"), "", "so does this");
    server.host.disk.is_held = false;
    let files = &mut server.host.files;
    server.host.disk.work(files);
    server.pass_ms(0);
    assert_eq!(server.received(writer), "OK ; OK");
    assert_eq!(server.run_as(writer, "SET a 1"), OOM);
}
