//! MONITOR: what is shown, and to whom.

use crate::harness::Server;
use crate::rows::TAKE;

/// A server and a client that watches it.
fn watched() -> (Server, usize) {
    let mut server = Server::build("", [&TAKE]);
    let monitor = server.connect();
    assert_eq!(server.run_as(monitor, "MONITOR"), "OK");
    (server, monitor)
}

const FROM: &str = "1704067200.000000 [0 127.0.0.1:50000]";

#[test]
fn a_command_is_shown_as_it_was_sent() {
    let (mut server, monitor) = watched();
    server.run(r#"sEt "a b" "\x00\"\n""#);
    assert_eq!(
        server.received(monitor),
        format!(r#"{FROM} "sEt" "a b" "\x00\"\n""#)
    );
}

#[test]
fn what_did_not_run_and_what_administrators_do_is_not_shown() {
    let (mut server, monitor) = watched();
    for line in ["NOSUCH", "GET", "CONFIG GET port", "CLIENT LIST"] {
        server.run(line);
    }
    assert_eq!(server.received(monitor), "");
}

#[test]
fn a_transaction_shows_its_commands_before_exec() {
    let (mut server, monitor) = watched();
    for line in ["MULTI", "GET a", "EXEC"] {
        server.run(line);
    }
    assert_eq!(
        server.received(monitor),
        format!(r#"{FROM} "MULTI" ; {FROM} "GET" "a" ; {FROM} "EXEC""#)
    );
}

#[test]
fn commands_of_a_script_come_from_lua_after_the_script() {
    let (mut server, monitor) = watched();
    server.run(r#"EVAL "redis.call('select', 3) return redis.call('GET', KEYS[1])" 1 a"#);
    let eval = r#""EVAL" "redis.call('select', 3) return redis.call('GET', KEYS[1])" "1" "a""#;
    let lua = |db: u32| format!("1704067200.000000 [{db} lua]");
    assert_eq!(
        server.received(monitor),
        format!(
            r#"{FROM} {eval} ; {} "select" "3" ; {} "GET" "a""#,
            lua(3),
            lua(3)
        )
    );
    // What a script has selected is over with it.
    server.run("GET a");
    assert_eq!(server.received(monitor), format!(r#"{FROM} "GET" "a""#));
    server.run("SELECT 3");
    assert_eq!(
        server.received(monitor),
        format!(r#"{} "SELECT" "3""#, FROM.replace("[0", "[3"))
    );
}

#[test]
fn a_script_that_cannot_run_is_shown_too() {
    let (mut server, monitor) = watched();
    for line in ["EVALSHA x 0", "FCALL nosuch 0", "EVAL ( 0"] {
        server.run(line);
        let words = line.replace(' ', r#"" ""#);
        assert_eq!(server.received(monitor), format!(r#"{FROM} "{words}""#));
    }
}

#[test]
fn a_command_that_waits_is_shown_once_when_it_comes() {
    let (mut server, monitor) = watched();
    let waiting = server.connect();
    server.run_as(waiting, "TAKE k 0");
    assert_eq!(
        server.received(monitor),
        format!(r#"{FROM} "TAKE" "k" "0""#)
    );
    server.run("SET k v");
    assert_eq!(server.received(waiting), "v");
    assert_eq!(server.received(monitor), format!(r#"{FROM} "SET" "k" "v""#));
}

#[test]
fn passwords_are_not_shown() {
    let (mut server, monitor) = watched();
    for (line, shown) in [
        ("AUTH secret", r#""AUTH" "(redacted)""#),
        ("AUTH me secret", r#""AUTH" "(redacted)" "(redacted)""#),
        (
            "HELLO 2 AUTH me secret SETNAME n",
            r#""HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "n""#,
        ),
    ] {
        server.run(line);
        assert_eq!(server.received(monitor), format!("{FROM} {shown}"));
    }
}

#[test]
fn a_monitor_sees_itself_answers_once_and_ends_with_reset() {
    let (mut server, monitor) = watched();
    assert_eq!(server.run_as(monitor, "MONITOR"), "");
    let shown = server.run_as(monitor, "PING");
    assert_eq!(shown, format!(r#"PONG ; {FROM} "PING""#));
    assert!(server.run("CLIENT LIST").contains("flags=O"));
    assert_eq!(server.run_as(monitor, "RESET"), "RESET");
    server.run("PING");
    assert_eq!(server.received(monitor), "");
}

#[test]
fn a_transaction_cannot_start_to_watch() {
    Server::new().check(
        "MULTI -> OK
         MONITOR -> QUEUED
         EXEC -> [!ERR MONITOR isn't allowed for DENY BLOCKING client]",
    );
}

#[test]
fn a_monitor_has_no_commands_of_its_own_about_keys() {
    let (mut server, monitor) = watched();
    let refused = "!ERR Replica can't interact with the keyspace";
    for line in ["SET a 1", "GET a", "PUBLISH c m", "EVAL 'return 1' 0"] {
        assert!(server.run_as(monitor, line).starts_with(refused), "{line}");
    }
    assert_eq!(server.run_as(monitor, "RESET"), "RESET");
    assert_eq!(server.run_as(monitor, "GET a"), "nil");
}
