//! Client-side caching: who is told of which keys, when, and in which form.

use crate::harness::Server;

/// A server whose first client speaks RESP3 and is tracked with these options, and another client.
fn tracking(options: &str) -> (Server, usize) {
    let mut server = Server::new();
    server.run("HELLO 3");
    server.run(&format!("CLIENT TRACKING ON {options}"));
    let other = server.connect();
    (server, other)
}

fn heard(server: &mut Server) -> String {
    server.received(server.client)
}

#[test]
fn whoever_has_read_a_key_is_told_once_of_its_next_change() {
    let (mut server, other) = tracking("");
    server.run("MGET a b missing");
    for line in ["SET a 1", "SET a 2", "SET unread 1", "DEL b"] {
        server.run_as(other, line);
    }
    assert_eq!(heard(&mut server), ">[invalidate [a]]");
    // b was not there, so DEL has changed nothing.
    server.run_as(other, "SETNX b 1");
    server.run_as(other, "SELECT 5");
    server.run_as(other, "APPEND missing 1");
    assert_eq!(
        heard(&mut server),
        ">[invalidate [b]] ; >[invalidate [missing]]"
    );
}

#[test]
fn only_reads_are_remembered() {
    let (mut server, other) = tracking("");
    for line in ["SET a 1", "INCR a", "GETSET a 1", "GETDEL a"] {
        server.run(line);
    }
    server.run_as(other, "SET a 1");
    assert_eq!(heard(&mut server), "");
    for line in ["STRLEN a", "TYPE a", "EXISTS a", "TTL a"] {
        server.run(line);
        server.run_as(other, "INCR a");
        assert_eq!(heard(&mut server), ">[invalidate [a]]", "{line}");
    }
}

#[test]
fn an_own_change_is_told_after_the_reply() {
    let (mut server, _) = tracking("");
    server.check(
        "GET a -> nil
         SET a 1 -> OK ; >[invalidate [a]]
         SET a 2 -> OK
         MGET a b -> [2 nil]
         MULTI -> OK
         INCR a -> QUEUED
         INCR b -> QUEUED
         GET a -> QUEUED
         INCR a -> QUEUED
         EXEC -> [(3) (1) 3 (4)] ; >[invalidate [a]] ; >[invalidate [b]] ; >[invalidate [a]]",
    );
}

#[test]
fn what_a_script_reads_is_remembered_and_told_after_its_reply() {
    let (mut server, other) = tracking("");
    server.check(
        r#"EVAL "redis.call('GET', 'a') return redis.call('SET', KEYS[1], 1)" 1 b -> OK
           EVAL "redis.call('SET', 'a', 1) redis.call('GET', 'a') return redis.call('SET', 'a', 2)" 0 -> OK ; >[invalidate [a]] ; >[invalidate [a]]
           EVAL_RO "return redis.call('EXISTS', 'c')" 2 c d -> (0)"#,
    );
    for line in ["SET b 2", "SET d 1"] {
        server.run_as(other, line);
    }
    assert_eq!(heard(&mut server), "");
    server.run_as(other, "SET c 1");
    assert_eq!(heard(&mut server), ">[invalidate [c]]");
}

#[test]
fn with_noloop_own_changes_are_not_told_but_expiry_is() {
    let (mut server, other) = tracking("NOLOOP");
    server.check("SET a 1 PX 100 -> OK\nGET a -> 1\nSET b 1 -> OK\nGET b -> 1\nSET b 2 -> OK");
    server.run_as(other, "SET b 3");
    assert_eq!(heard(&mut server), "");
    server.clock.advance_ms(200);
    server.check("GET a -> nil ; >[invalidate [a]]");
}

#[test]
fn expired_keys_are_told() {
    let (mut server, other) = tracking("");
    server.run_as(other, "SET a 1 PX 100");
    server.run("GET a");
    server.pass_ms(200);
    assert_eq!(heard(&mut server), ">[invalidate [a]]");
}

#[test]
fn a_flush_tells_everybody_to_forget_everything() {
    let (mut server, other) = tracking("");
    server.run("GET a");
    for line in ["FLUSHALL", "FLUSHDB", "FLUSHALL ASYNC"] {
        server.run_as(other, line);
        assert_eq!(heard(&mut server), ">[invalidate nil]", "{line}");
    }
    server.run_as(other, "SET a 1");
    assert_eq!(heard(&mut server), "");
    server.check("FLUSHALL -> OK ; >[invalidate nil]");
}

#[test]
fn with_optin_only_reads_after_caching_yes_are_remembered() {
    let (mut server, other) = tracking("OPTIN");
    server.check("GET a -> nil\nCLIENT CACHING YES -> OK\nGET b -> nil\nGET c -> nil");
    server.run_as(other, "MSET a 1 b 1 c 1");
    assert_eq!(heard(&mut server), ">[invalidate [b]]");
    server.check(
        "CLIENT CACHING YES -> OK
         MULTI -> OK
         GET a -> QUEUED
         GET b -> QUEUED
         EXEC -> [1 1]
         GET c -> 1",
    );
    server.run_as(other, "MSET a 2 b 2 c 2");
    assert_eq!(heard(&mut server), ">[invalidate [a]] ; >[invalidate [b]]");
}

#[test]
fn caching_yes_inside_of_a_transaction_ends_with_it() {
    let (mut server, other) = tracking("OPTIN");
    server.check(
        "MULTI -> OK
         CLIENT CACHING YES -> QUEUED
         GET a -> QUEUED
         EXEC -> [OK nil]
         GET b -> nil",
    );
    server.run_as(other, "MSET a 1 b 1");
    assert_eq!(heard(&mut server), ">[invalidate [a]]");
}

#[test]
fn caching_yes_waits_with_the_command_that_a_pause_holds_back() {
    let (mut server, other) = tracking("OPTIN");
    server.check("CLIENT CACHING YES -> OK");
    server.run_as(other, "CLIENT PAUSE 100 ALL");
    assert_eq!(server.run("GET a"), "");
    server.pass_ms(101);
    assert_eq!(heard(&mut server), "nil");
    server.run_as(other, "SET a 1");
    assert_eq!(heard(&mut server), ">[invalidate [a]]");
}

#[test]
fn with_optout_reads_after_caching_no_are_not_remembered() {
    let (mut server, other) = tracking("OPTOUT");
    server.check("GET a -> nil\nCLIENT CACHING NO -> OK\nGET b -> nil\nGET c -> nil");
    server.run_as(other, "MSET a 1 b 1 c 1");
    assert_eq!(heard(&mut server), ">[invalidate [a]] ; >[invalidate [c]]");
}

#[test]
fn with_bcast_changed_names_with_a_prefix_are_told_once_a_turn() {
    let (mut server, other) = tracking("BCAST PREFIX user: PREFIX item:");
    server.run_as(other, "MSET user:2 x user:1 x item:7 x else x user:2 y");
    assert_eq!(
        heard(&mut server),
        ">[invalidate [item:7]] ; >[invalidate [user:1 user:2]]"
    );
    server.run("GET else");
    server.run_as(other, "SET else 1");
    assert_eq!(heard(&mut server), "");
    server.check("SET user:1 z -> OK ; >[invalidate [user:1]]");
    server.run("CLIENT TRACKING ON BCAST PREFIX else");
    server.run_as(other, "SET else 1");
    assert_eq!(heard(&mut server), ">[invalidate [else]]");
}

#[test]
fn with_bcast_and_noloop_only_the_changes_of_others_are_told() {
    let (mut server, other) = tracking("BCAST NOLOOP");
    server.check(
        "SET a 1 -> OK\nMULTI -> OK\nSET b 1 -> QUEUED\nSET c 1 PX 10 -> QUEUED\nEXEC -> [OK OK]",
    );
    server.run_as(other, "SET d 1");
    assert_eq!(heard(&mut server), ">[invalidate [d]]");
    server.pass_ms(100);
    assert_eq!(heard(&mut server), ">[invalidate [c]]");
}

/// A server with a listener of RESP2, to which the tracked first client redirects; the listener and its id.
fn redirected(options: &str) -> (Server, usize) {
    let mut server = Server::new();
    let listener = server.connect();
    server.run_as(listener, "SUBSCRIBE __redis__:invalidate");
    server.run(&format!("CLIENT TRACKING ON REDIRECT 2 {options}"));
    (server, listener)
}

#[test]
fn a_redirected_invalidation_comes_as_a_message_of_a_channel() {
    let (mut server, listener) = redirected("");
    server.run("GET a");
    server.check("SET a 1 -> OK\nCLIENT GETREDIR -> (2)");
    assert_eq!(
        server.received(listener),
        "[message __redis__:invalidate [a]]"
    );
    server.run("FLUSHALL");
    assert_eq!(
        server.received(listener),
        "[message __redis__:invalidate nil]"
    );
    // Whoever does not listen in RESP2 could not tell it from a reply.
    server.run_as(listener, "UNSUBSCRIBE");
    server.run("GET a");
    server.run("SET a 1");
    assert_eq!(server.received(listener), "");
}

#[test]
fn when_the_other_client_has_gone_whoever_redirects_is_told() {
    let (mut server, listener) = redirected("");
    server.run("HELLO 3");
    server.check("GET a -> nil\nGET b -> nil");
    server.disconnect(listener);
    let newcomer = server.connect();
    server.run_as(newcomer, "SET a 1");
    assert_eq!(heard(&mut server), ">[tracking-redir-broken (2)]");
    assert_eq!(server.received(newcomer), "");
    server.check(
        "CLIENT TRACKINGINFO -> {flags ~[on broken_redirect] redirect (2) prefixes []}
         CLIENT TRACKING ON REDIRECT 2 -> !ERR The client ID you want redirect to does not exist
         CLIENT TRACKING ON -> OK
         CLIENT TRACKINGINFO -> {flags ~[on] redirect (0) prefixes []}",
    );
    server.run_as(newcomer, "SET b 1");
    assert_eq!(heard(&mut server), ">[invalidate [b]]");
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let mut server = Server::new();
    server.check(
        "CLIENT TRACKING -> !ERR wrong number of arguments for 'client|tracking' command
         CLIENT TRACKING MAYBE -> !ERR syntax error
         CLIENT TRACKING ON NOPE -> !ERR syntax error
         CLIENT TRACKING ON REDIRECT -> !ERR syntax error
         CLIENT TRACKING ON PREFIX -> !ERR syntax error
         CLIENT TRACKING ON REDIRECT x -> !ERR value is not an integer or out of range
         CLIENT TRACKING ON REDIRECT 1 REDIRECT 1 -> !ERR A client can only redirect to a single other client
         CLIENT TRACKING ON REDIRECT -1 -> !ERR The client ID you want redirect to does not exist
         CLIENT TRACKING ON PREFIX a -> !ERR PREFIX option requires BCAST mode to be enabled
         CLIENT TRACKING ON BCAST OPTIN -> !ERR OPTIN and OPTOUT are not compatible with BCAST
         CLIENT TRACKING ON OPTIN OPTOUT -> !ERR You can't specify both OPTIN mode and OPTOUT mode
         CLIENT CACHING YES -> !ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled
         CLIENT TRACKING ON OPTIN -> OK
         CLIENT TRACKING ON OPTOUT -> !ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.
         CLIENT TRACKING ON BCAST -> !ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.
         CLIENT CACHING NO -> !ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.
         CLIENT CACHING MAYBE -> !ERR syntax error
         CLIENT TRACKING OFF -> OK
         CLIENT TRACKING ON OPTOUT -> OK
         CLIENT CACHING YES -> !ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.
         CLIENT TRACKING OFF -> OK
         CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar -> !ERR Prefix 'foo' overlaps with another provided prefix 'foobar'. Prefixes for a single client must not overlap.
         CLIENT TRACKING ON BCAST PREFIX foo -> OK
         CLIENT TRACKING ON BCAST PREFIX foobar -> !ERR Prefix 'foobar' overlaps with an existing prefix 'foo'. Prefixes for a single client must not overlap.
         CLIENT TRACKING ON BCAST PREFIX foo -> !ERR Prefix 'foo' overlaps with an existing prefix 'foo'. Prefixes for a single client must not overlap.
         CLIENT TRACKINGINFO -> [flags [on bcast] redirect (0) prefixes [foo]]",
    );
}

#[test]
fn trackinginfo_and_client_list_show_what_was_chosen() {
    let mut server = Server::new();
    let line = |server: &mut Server| server.run("CLIENT INFO");
    server.check(
        "CLIENT GETREDIR -> (-1)
         CLIENT TRACKINGINFO -> [flags [off] redirect (-1) prefixes []]
         CLIENT TRACKING ON OPTIN NOLOOP -> OK
         CLIENT CACHING YES -> OK
         CLIENT TRACKINGINFO -> [flags [on optin caching-yes noloop] redirect (0) prefixes []]
         GET a -> nil
         CLIENT TRACKINGINFO -> [flags [on optin noloop] redirect (0) prefixes []]
         CLIENT GETREDIR -> (0)",
    );
    let shown = line(&mut server);
    assert!(
        shown.contains(" flags=t ") && shown.contains(" redir=0 "),
        "{shown}"
    );
    server.check("CLIENT TRACKING OFF -> OK\nCLIENT TRACKING ON BCAST REDIRECT 1 -> OK");
    let shown = line(&mut server);
    assert!(
        shown.contains(" flags=tB ") && shown.contains(" redir=1 "),
        "{shown}"
    );
    server.check("RESET -> RESET\nCLIENT TRACKINGINFO -> [flags [off] redirect (-1) prefixes []]");
    assert!(server.run("INFO clients").contains("tracking_clients:0"));
}

#[test]
fn at_most_so_many_keys_are_remembered_and_readers_of_the_others_are_told() {
    let (mut server, other) = tracking("");
    server.run("CONFIG SET tracking-table-max-keys 10");
    let keys: Vec<String> = (0..10).map(|n| format!("k{n}")).collect();
    server.run(&format!("MGET {}", keys.join(" ")));
    assert_eq!(heard(&mut server), "");
    let told = server.run("MGET a b c");
    assert_eq!(told.matches("invalidate").count(), 3, "{told}");
    server.run_as(other, "CONFIG SET tracking-table-max-keys 1");
    assert_eq!(heard(&mut server).matches("invalidate").count(), 9);
    let info = server.run_as(other, "INFO stats");
    for line in [
        "tracking_total_keys:1",
        "tracking_total_items:1",
        "tracking_total_prefixes:0",
    ] {
        assert!(info.contains(line), "{line}");
    }
}

#[test]
fn what_clients_that_have_gone_had_read_is_of_no_account() {
    let (mut server, other) = tracking("");
    server.run_as(other, "CLIENT TRACKING ON");
    server.run_as(other, "GET a");
    server.run("GET a");
    server.disconnect(other);
    let newcomer = server.connect();
    server.run_as(newcomer, "SET a 1");
    assert_eq!(heard(&mut server), ">[invalidate [a]]");
    assert_eq!(server.received(newcomer), "");
}

#[test]
fn a_client_that_went_back_to_resp2_hears_nothing() {
    let (mut server, other) = tracking("");
    server.run("GET a");
    server.run("HELLO 2");
    server.run_as(other, "SET a 1");
    assert_eq!(heard(&mut server), "");
}
