//! What goes to the append-only file and to replicas: ids that were chosen, trimming as it came out, deliveries with their
//! time and count, and nothing where nothing changed.

use crate::harness::Server;

/// Runs lines of `command => what it leaves in the stream`.
#[track_caller]
fn leaves(setup: &[&str], script: &str) {
    let mut server = Server::with_config("stream-node-max-entries 2");
    for line in setup {
        server.run(line);
    }
    let reader = server.engine.open_stream();
    server.run("SET first 1");
    server.stream(reader);
    for line in script.lines().map(str::trim) {
        let (command, expected) = line.split_once(" =>").expect("there is an arrow");
        let reply = server.run(command);
        assert!(!reply.starts_with('!'), "{command}: {reply}");
        assert_eq!(
            server.stream(reader).join(" ; "),
            expected.trim(),
            "{command}"
        );
    }
}

#[test]
fn entries_go_out_with_the_id_that_they_got() {
    leaves(
        &[],
        "XADD s 1-1 f v => XADD s 1-1 f v
         XADD s 1-* f v => XADD s 1-2 f v
         XADD s * f v => XADD s 1704067200000-0 f v
         XADD s NOMKSTREAM * f v => XADD s 1704067200000-1 f v
         XADD none NOMKSTREAM * f v =>
         XADD s IDMP p 1 * f v => XADD s 1704067200000-2 f v ; XIDMPRECORD s p 1 1704067200000-2
         XADD s IDMP p 1 * f v =>",
    );
}

#[test]
fn trimming_goes_out_as_it_came_out() {
    leaves(
        &[
            "XADD s 1 f v",
            "XADD s 2 f v",
            "XADD s 3 f v",
            "XADD s 4 f v",
        ],
        "XADD s MAXLEN ~ 3 5-0 f v => XADD s MAXLEN = 3 5-0 f v
         XADD s MAXLEN 3 6-0 f v => XADD s MAXLEN 3 6-0 f v
         XADD s MINID ~ 5 * f v => XADD s MINID = 5-0 1704067200000-0 f v
         XTRIM s MAXLEN ~ 1 => XTRIM s MAXLEN = 1
         XTRIM s MAXLEN ~ 1 =>
         XTRIM s MAXLEN 0 => XTRIM s MAXLEN 0
         XDEL s 9-0 =>",
    );
}

#[test]
fn deliveries_go_out_as_claims_with_their_time_and_count() {
    leaves(
        &["XADD s 1 f v", "XADD s 2 f v", "XADD s 3 f v", "XGROUP CREATE s g 0"],
        "XREADGROUP GROUP g a COUNT 1 STREAMS s > => XGROUP CREATECONSUMER s g a ; XCLAIM s g a 0 1-0 TIME 1704067200000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-0 ; XGROUP SETID s g 1-0 ENTRIESREAD 1
         XREADGROUP GROUP g a NOACK COUNT 1 STREAMS s > => XGROUP SETID s g 2-0 ENTRIESREAD 2
         XREADGROUP GROUP g a STREAMS s 0 =>
         XREADGROUP GROUP g b STREAMS s 0 => XGROUP CREATECONSUMER s g b
         XCLAIM s g b 0 1-0 => XCLAIM s g b 0 1-0 TIME 1704067200000 RETRYCOUNT 3 FORCE JUSTID LASTID 2-0
         XCLAIM s g b 0 9-0 =>
         XAUTOCLAIM s g b 0 0 JUSTID => XCLAIM s g b 0 1-0 TIME 1704067200000 RETRYCOUNT 3 FORCE JUSTID LASTID 2-0
         XNACK s g FAIL IDS 1 1-0 => XNACK s g FAIL IDS 1 1-0
         XACK s g 1-0 => XACK s g 1-0
         XACK s g 1-0 =>
         XGROUP CREATECONSUMER s g b =>
         XGROUP DESTROY s g => XGROUP DESTROY s g",
    );
}
