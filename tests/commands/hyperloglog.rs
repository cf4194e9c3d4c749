//! PFADD, PFCOUNT, PFMERGE, PFDEBUG and PFSELFTEST. The replies are those of Redis 8.0.

use crate::harness::Server;

const NOT_ONE: &str = "!WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPT: &str = "!INVALIDOBJ Corrupted HLL object detected";

/// What the stream has of this family.
fn sent(server: &mut Server, reader: oxidis::engine::stream::ReaderId) -> Vec<String> {
    let mut stream = server.stream(reader);
    stream.retain(|command| command.starts_with("PF"));
    stream
}

#[test]
fn elements_are_added_and_counted_in_both_encodings() {
    for config in ["hll-sparse-max-bytes 3000", "hll-sparse-max-bytes 0"] {
        let mut server = Server::with_config(config);
        server.check(
            r#"PFADD a -> (1)
             PFADD a -> (0)
             PFCOUNT a -> (0)
             PFADD a x y z -> (1)
             PFADD a x y -> (0)
             PFADD a "" -> (1)
             PFCOUNT a -> (4)
             PFCOUNT nothing -> (0)
             EXISTS nothing -> (0)
             OBJECT ENCODING a -> raw
             TYPE a -> string"#,
        );
        let expected = if config.ends_with(" 0") {
            "dense"
        } else {
            "sparse"
        };
        assert_eq!(server.run("PFDEBUG ENCODING a"), expected);
        for number in 0..2000 {
            server.run(&format!("PFADD b e{number}"));
        }
        // The estimates of Redis for the same elements.
        server.check(
            "PFCOUNT b -> (2000)
             PFCOUNT a b -> (2005)
             PFDEBUG ENCODING b -> dense",
        );
    }
}

#[test]
fn the_bytes_are_those_of_redis() {
    let mut server = Server::new();
    let client = server.client;
    server.run("PFADD a");
    let expected = b"$18\r\nHYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff\r\n";
    assert_eq!(server.raw(client, &[b"GET", b"a"]), expected);
    server.run("PFADD a a b c");
    let expected = b"$27\r\nHYLL\x01\0\0\0\0\0\0\0\0\0\0\x80`\xf3\x80P\xb1\x84K\xfb\x80BZ\r\n";
    assert_eq!(server.raw(client, &[b"GET", b"a"]), expected);
    server.run("PFCOUNT a");
    let expected = b"$27\r\nHYLL\x01\0\0\0\x03\0\0\0\0\0\0\0`\xf3\x80P\xb1\x84K\xfb\x80BZ\r\n";
    assert_eq!(server.raw(client, &[b"GET", b"a"]), expected);
    server.check(
        "PFDEBUG DECODE a -> Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603
         PFDEBUG TODENSE a -> (1)
         PFDEBUG TODENSE a -> (0)
         PFDEBUG ENCODING a -> dense
         STRLEN a -> (12304)
         PFCOUNT a -> (3)
         PFDEBUG DECODE a -> !ERR HLL encoding is not sparse",
    );
}

#[test]
fn several_are_merged_with_what_the_target_holds() {
    let mut server = Server::new();
    server.check(
        "PFADD a 1 2 3 -> (1)
         PFADD b 3 4 5 -> (1)
         PFADD c 5 6 7 -> (1)
         PFCOUNT a b c nothing -> (7)
         PFMERGE a b c -> OK
         PFCOUNT a -> (7)
         PFDEBUG ENCODING a -> sparse
         PFMERGE new -> OK
         PFCOUNT new -> (0)
         PFMERGE new a nothing -> OK
         PFCOUNT new -> (7)
         PFDEBUG TODENSE b -> (1)
         PFMERGE new b -> OK
         PFDEBUG ENCODING new -> dense
         PFMERGE other b -> OK
         PFDEBUG ENCODING other -> dense
         PFCOUNT other -> (3)
         EXPIRE a 100 -> (1)
         PFMERGE a b -> OK
         TTL a -> (100)",
    );
}

#[test]
fn registers_are_shown_and_the_key_becomes_dense() {
    let mut server = Server::new();
    server.run("PFADD a a");
    let registers = server.run("PFDEBUG GETREG a");
    assert_eq!(registers.matches("(0)").count(), 16_383);
    assert_eq!(
        registers.matches("(1)").count() + registers.matches("(2)").count(),
        1
    );
    server.check(
        "PFDEBUG ENCODING a -> dense
         PFDEBUG GETREG nothing -> !ERR The specified key does not exist
         PFDEBUG FOO nothing -> !ERR The specified key does not exist
         PFDEBUG FOO a -> !ERR Unknown PFDEBUG subcommand 'FOO'
         PFDEBUG GETREG -> !ERR wrong number of arguments for 'pfdebug' command",
    );
}

#[test]
fn other_strings_are_the_wrong_kind_of_value() {
    let mut server = Server::new();
    server.run("PFADD good x");
    for content in [
        "123",
        "abc",
        "HYLL",
        "HYLLxxxxxxxxxxxxxxx",
        "hYLL............",
    ] {
        server.run(&format!("SET a {content}"));
        for command in [
            "PFADD a",
            "PFADD a x",
            "PFCOUNT a",
            "PFCOUNT good a",
            "PFMERGE a",
            "PFMERGE good a",
            "PFDEBUG GETREG a",
        ] {
            assert_eq!(server.run(command), NOT_ONE, "{command} of {content}");
        }
        assert_eq!(server.run("GET a"), content);
    }
    server.run("PFDEBUG TODENSE good");
    server.run("APPEND good x");
    assert_eq!(server.run("PFCOUNT good"), NOT_ONE);
}

#[test]
fn wrong_runs_are_corrupt_and_change_nothing() {
    let mut server = Server::new();
    server.run("PFADD good x");
    server.run("PFADD a x y z");
    server.run("APPEND a hello");
    for command in [
        "PFCOUNT a",
        "PFCOUNT good a",
        "PFMERGE a",
        "PFMERGE good a",
        "PFDEBUG GETREG a",
        "PFDEBUG TODENSE a",
    ] {
        assert_eq!(server.run(command), CORRUPT, "{command}");
    }
    server.run("SETRANGE short 0 HYLL");
    let client = server.client;
    server.raw(
        client,
        &[b"SET", b"short", b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80"],
    );
    for command in ["PFADD short x", "PFCOUNT short", "PFMERGE short good"] {
        assert_eq!(server.run(command), CORRUPT, "{command}");
    }
    assert_eq!(server.run("STRLEN short"), "(16)");
}

#[test]
fn an_estimate_is_kept_in_the_header_until_a_register_changes() {
    let mut server = Server::new();
    server.check(
        r#"PFADD a a b c -> (1)
         PFCOUNT a -> (3)
         SETRANGE a 8 "*" -> (27)
         PFCOUNT a -> (42)
         PFADD a a b c -> (0)
         PFCOUNT a -> (42)
         PFCOUNT a nothing -> (3)
         PFADD a d -> (1)
         PFCOUNT a -> (4)"#,
    );
}

#[test]
fn changes_go_out_and_so_does_a_new_estimate() {
    let mut server = Server::new();
    let reader = server.engine.stream.open();
    for line in [
        "PFADD a x",
        "PFADD a x",
        "PFCOUNT a",
        "PFCOUNT a",
        "PFCOUNT a a",
        "PFCOUNT nothing",
        "PFMERGE b a",
        "PFDEBUG ENCODING b",
        "PFDEBUG TODENSE b",
        "PFDEBUG TODENSE b",
    ] {
        server.run(line);
    }
    assert_eq!(
        sent(&mut server, reader),
        ["PFADD a x", "PFCOUNT a", "PFMERGE b a", "PFDEBUG TODENSE b"]
    );
}

#[test]
fn a_new_estimate_spoils_those_who_watch() {
    let mut server = Server::new();
    server.run("PFADD a x");
    let watcher = server.connect();
    server.run_as(watcher, "WATCH a");
    server.run("PFCOUNT a");
    server.run_as(watcher, "MULTI");
    assert_eq!(server.run_as(watcher, "EXEC"), "nil[]");
}

#[test]
fn estimates_do_not_depend_on_what_the_processor_has() {
    let mut server = Server::new();
    for number in 0..500 {
        server.run(&format!("PFADD a {number}"));
        server.run(&format!("PFADD b {}", number * 2));
    }
    server.run("PFDEBUG TODENSE a");
    server.run("PFDEBUG TODENSE b");
    let count = server.run("PFCOUNT a b");
    server.check(&format!(
        "PFDEBUG SIMD OFF -> disabled
         PFCOUNT a b -> {count}
         PFMERGE portable a b -> OK
         PFDEBUG simd on -> enabled
         PFCOUNT a b -> {count}
         PFMERGE wide a b -> OK
         PFDEBUG SIMD maybe -> !ERR Argument must be ON or OFF"
    ));
    assert_eq!(server.run("GET portable"), server.run("GET wide"));
}

#[test]
fn the_self_test_passes() {
    assert_eq!(Server::new().run("PFSELFTEST"), "OK");
}

#[test]
fn what_is_not_for_applications_says_so_in_its_documentation() {
    let mut server = Server::new();
    for command in ["pfdebug", "pfselftest"] {
        let docs = server.run(&format!("COMMAND DOCS {command}"));
        assert!(docs.contains("doc_flags [syscmd]"), "{docs}");
    }
    assert!(!server.run("COMMAND DOCS pfadd").contains("doc_flags"));
}
