//! Pub/sub and keyspace notifications: who hears what, in which form, in which order.

use crate::harness::{Server, replies};

/// A server with a client that listens; its number.
fn listening(server: &mut Server, command: &str) -> usize {
    let client = server.connect();
    server.run_as(client, command);
    client
}

/// The same in RESP3.
fn listening3(server: &mut Server, command: &str) -> usize {
    let client = server.connect();
    server.run_as(client, "HELLO 3");
    server.run_as(client, command);
    client
}

#[test]
fn each_name_is_answered_with_a_message_and_the_count_so_far() {
    let mut server = Server::new();
    server.check(
        "SUBSCRIBE a b a -> [subscribe a (1)] ; [subscribe b (2)] ; [subscribe a (2)]
         PSUBSCRIBE p* -> [psubscribe p* (3)]
         SSUBSCRIBE a -> [ssubscribe a (1)]
         UNSUBSCRIBE b nope -> [unsubscribe b (2)] ; [unsubscribe nope (2)]
         UNSUBSCRIBE -> [unsubscribe a (1)]
         UNSUBSCRIBE -> [unsubscribe nil (1)]
         PUNSUBSCRIBE -> [punsubscribe p* (0)]
         SUNSUBSCRIBE -> [sunsubscribe a (0)]
         SUNSUBSCRIBE -> [sunsubscribe nil (0)]
         HELLO 3 -> {server redis version 8.0.0 proto (3) id (1) mode standalone role master modules []}
         SUBSCRIBE a -> >[subscribe a (1)]
         UNSUBSCRIBE a -> >[unsubscribe a (0)]
         UNSUBSCRIBE -> >[unsubscribe nil (0)]",
    );
}

#[test]
fn a_message_reaches_each_subscription_in_the_form_of_its_protocol() {
    let mut server = Server::new();
    let two = listening(&mut server, "SUBSCRIBE news other");
    let three = listening3(&mut server, "PSUBSCRIBE n* ne?s x*");
    server.check(
        "PUBLISH news hello -> (3)
         PUBLISH NEWS hello -> (0)
         SPUBLISH news hello -> (0)",
    );
    // One of the three patterns does not match.
    assert_eq!(server.received(two), "[message news hello]");
    let got = server.received(three);
    assert!(got.contains(">[pmessage n* news hello]"), "{got}");
    assert!(got.contains(">[pmessage ne?s news hello]"), "{got}");
}

#[test]
fn who_listens_through_several_ways_hears_a_message_several_times() {
    let mut server = Server::new();
    let client = listening(&mut server, "SUBSCRIBE news");
    server.run_as(client, "PSUBSCRIBE n*");
    server.check("PUBLISH news 1 -> (2)");
    assert_eq!(
        server.received(client),
        "[message news 1] ; [pmessage n* news 1]"
    );
}

#[test]
fn shard_channels_are_apart_from_channels() {
    let mut server = Server::new();
    let shard = listening(&mut server, "SSUBSCRIBE c");
    let plain = listening(&mut server, "SUBSCRIBE c");
    server.check("SPUBLISH c s -> (1)\nPUBLISH c p -> (1)");
    assert_eq!(server.received(shard), "[smessage c s]");
    assert_eq!(server.received(plain), "[message c p]");
}

#[test]
fn messages_of_every_size_arrive_whole_and_in_order() {
    let mut server = Server::new();
    let client = listening(&mut server, "SUBSCRIBE c");
    let sizes = [0, 1, 100, 1023, 1024, 1025, 40_000, 3, 100_000];
    let mut expected = Vec::new();
    for size in sizes {
        let message = vec![b'a' + (size % 26) as u8; size];
        let publisher = server.client;
        let reply = server.raw(publisher, &[b"PUBLISH", b"c", &message]);
        assert_eq!(reply, b":1\r\n");
        expected.extend(format!("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n${size}\r\n").bytes());
        expected.extend(message);
        expected.extend(b"\r\n");
    }
    assert!(server.engine.take_output(client) == expected);
}

#[test]
fn an_own_message_comes_after_the_reply_and_after_all_of_exec() {
    let mut server = Server::new();
    server.run("HELLO 3");
    server.check(
        "SUBSCRIBE c -> >[subscribe c (1)]
         PUBLISH c 1 -> (1) ; >[message c 1]
         MULTI -> OK
         PUBLISH c 2 -> QUEUED
         PING -> QUEUED
         EXEC -> [(1) PONG] ; >[message c 2]",
    );
}

#[test]
fn in_resp2_a_subscriber_may_do_little_else() {
    let only =
        "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
    let mut server = Server::new();
    server.check(&format!(
        "SUBSCRIBE c -> [subscribe c (1)]
         GET a -> !ERR Can't execute 'get': {only}
         CLIENT LIST -> !ERR Can't execute 'client|list': {only}
         MULTI -> !ERR Can't execute 'multi': {only}
         GET -> !ERR wrong number of arguments for 'get' command
         PING -> [pong ]
         PING hi -> [pong hi]
         PING a b -> !ERR wrong number of arguments for 'ping' command
         UNSUBSCRIBE -> [unsubscribe c (0)]
         PING -> PONG
         SSUBSCRIBE s -> [ssubscribe s (1)]
         GET a -> !ERR Can't execute 'get': {only}
         RESET -> RESET
         GET a -> nil
         PUBSUB SHARDCHANNELS -> []"
    ));
}

#[test]
fn in_resp3_a_subscriber_may_do_everything() {
    let mut server = Server::new();
    server.run("HELLO 3");
    server.check(
        "SUBSCRIBE c -> >[subscribe c (1)]
         SET a 1 -> OK
         PING -> PONG",
    );
    server.run("HELLO 2");
    server.check("PING -> [pong ]");
}

#[test]
fn inside_a_transaction_channels_can_be_subscribed_to_and_shard_channels_cannot() {
    Server::new().check(
        "MULTI -> OK
         SUBSCRIBE a -> QUEUED
         SSUBSCRIBE s -> QUEUED
         GET k -> QUEUED
         UNSUBSCRIBE -> QUEUED
         EXEC -> [[subscribe a (1)] !ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client nil [unsubscribe a (0)]]
         PING -> PONG",
    );
}

#[test]
fn client_reply_off_silences_replies_but_not_messages() {
    let mut server = Server::new();
    let client = server.connect();
    assert_eq!(server.run_as(client, "CLIENT REPLY OFF"), "");
    assert_eq!(server.run_as(client, "SUBSCRIBE c"), "[subscribe c (1)]");
    assert_eq!(server.run_as(client, "PING"), "");
    server.check("PUBLISH c hi -> (1)");
    assert_eq!(server.received(client), "[message c hi]");
}

#[test]
fn pubsub_shows_who_listens() {
    let mut server = Server::new();
    let one = listening(&mut server, "SUBSCRIBE a b");
    let two = listening(&mut server, "SUBSCRIBE b");
    server.run_as(one, "PSUBSCRIBE p* q*");
    server.run_as(two, "PSUBSCRIBE p*");
    server.run_as(two, "SSUBSCRIBE s");
    server.check(
        "PUBSUB CHANNELS -> [a b]
         PUBSUB CHANNELS [b-z] -> [b]
         PUBSUB CHANNELS a b -> !ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.
         PUBSUB NUMSUB -> []
         PUBSUB NUMSUB a b none -> [a (1) b (2) none (0)]
         PUBSUB NUMPAT -> (2)
         PUBSUB SHARDCHANNELS -> [s]
         PUBSUB SHARDNUMSUB s a -> [s (1) a (0)]
         PUBSUB -> !ERR wrong number of arguments for 'pubsub' command
         PUBSUB NOPE -> !ERR unknown subcommand 'NOPE'. Try PUBSUB HELP.",
    );
    let info = server.run("INFO");
    for line in [
        "pubsub_channels:2",
        "pubsub_patterns:2",
        "pubsubshard_channels:1",
        "pubsub_clients:2",
    ] {
        assert!(info.contains(line), "{line}");
    }
    let list = server.run("CLIENT LIST TYPE PUBSUB");
    assert!(list.contains("flags=P db=0 sub=2 psub=2 ssub=0"), "{list}");
    assert!(list.contains("flags=P db=0 sub=1 psub=1 ssub=1"), "{list}");
    server.disconnect(one);
    server.check(
        "PUBSUB CHANNELS -> [b]
         PUBSUB NUMPAT -> (1)
         CLIENT KILL TYPE PUBSUB -> (1)",
    );
    server.close_ended();
    server.check("PUBSUB CHANNELS -> []\nPUBLISH b x -> (0)");
}

#[test]
fn a_subscriber_that_does_not_read_is_closed_at_its_hard_limit_and_nothing_is_kept_for_it() {
    let mut server = Server::with_config("client-output-buffer-limit pubsub 10000 0 0");
    let slow = listening(&mut server, "SUBSCRIBE c");
    server.engine.take_output(slow);
    for size in [5000, 4000] {
        server.run(&format!("PUBLISH c {}", "x".repeat(size)));
        assert!(server.close_ended().is_empty());
    }
    // Long messages are shared, and count all the same.
    server.check(&format!("PUBLISH c {} -> (1)", "x".repeat(5000)));
    let session = server.engine.server.clients.get(slow);
    assert!(session.is_some_and(|session| session.output.is_empty()));
    assert_eq!(server.close_ended(), [slow]);
    server.check("PUBLISH c y -> (0)");
    assert!(
        server
            .run("INFO stats")
            .contains("client_output_buffer_limit_disconnections:1")
    );
}

#[test]
fn a_subscriber_above_its_soft_limit_is_closed_after_the_seconds_it_has() {
    let mut server = Server::with_config("client-output-buffer-limit pubsub 0 1000 10");
    let slow = listening(&mut server, "SUBSCRIBE c");
    let quick = listening(&mut server, "SUBSCRIBE c");
    server.run(&format!("PUBLISH c {}", "x".repeat(2000)));
    server.engine.take_output(quick);
    server.pass_ms(9_900);
    assert!(server.close_ended().is_empty());
    server.pass_ms(200);
    assert_eq!(server.close_ended(), [slow]);
}

#[test]
fn whoever_reads_in_time_starts_anew_below_the_soft_limit() {
    let mut server = Server::with_config("client-output-buffer-limit pubsub 0 1000 10");
    let client = listening(&mut server, "SUBSCRIBE c");
    for _ in 0..5 {
        server.run(&format!("PUBLISH c {}", "x".repeat(2000)));
        server.pass_ms(6_000);
        server.engine.take_output(client);
        server.pass_ms(200);
    }
    assert!(server.close_ended().is_empty());
}

/// A server that publishes these events, and a client that hears all of them.
fn notified(letters: &str) -> (Server, usize) {
    let mut server = Server::with_config(&format!("notify-keyspace-events {letters}"));
    let client = listening(&mut server, "PSUBSCRIBE __key*");
    server.engine.take_output(client);
    (server, client)
}

/// The events that a client has heard of, as `key:event` or `event:key`.
fn events(server: &mut Server, client: usize) -> String {
    let heard = server.received(client);
    let heard = heard.split(" ; ").filter(|message| !message.is_empty());
    let short = |message: &str| {
        let words: Vec<&str> = message.trim_matches(['[', ']']).split(' ').collect();
        let channel = words[2].split_once(':').expect("a channel of events").1;
        format!("{channel}:{}", words[3])
    };
    heard.map(short).collect::<Vec<_>>().join(" ")
}

#[test]
fn events_go_out_on_the_channel_of_the_key_and_on_that_of_the_event() {
    let (mut server, client) = notified("KEA");
    server.run("SET k v");
    assert_eq!(
        server.received(client),
        "[pmessage __key* __keyspace@0__:k set] ; [pmessage __key* __keyevent@0__:set k]"
    );
    server.check("SELECT 3 -> OK\nDEL k -> (0)\nSET k v EX 10 -> OK");
    assert_eq!(
        server.received(client),
        "[pmessage __key* __keyspace@3__:k set] ; [pmessage __key* __keyevent@3__:set k] ; \
         [pmessage __key* __keyspace@3__:k expire] ; [pmessage __key* __keyevent@3__:expire k]"
    );
}

#[test]
fn only_the_classes_that_were_asked_for_are_published() {
    for (letters, expected) in [
        ("K$", "k:set k:set"),
        ("Kg", "k:expire k:del"),
        ("Km", "none:keymiss"),
        ("Kn", "k:new"),
        ("E$g", "set:k set:k expire:k del:k"),
        ("$g", ""),
    ] {
        let (mut server, client) = notified(letters);
        for line in ["SET k 1", "GET none", "SET k 2 EX 9", "DEL k"] {
            server.run(line);
        }
        assert_eq!(events(&mut server, client), expected, "{letters}");
    }
}

#[test]
fn what_changes_while_nobody_listens_is_not_kept_for_later() {
    let mut server = Server::with_config("notify-keyspace-events KEA");
    server.run("SET k 1");
    let client = listening(&mut server, "PSUBSCRIBE __key*");
    server.engine.take_output(client);
    assert_eq!(events(&mut server, client), "");
    server.run("INCR k");
    assert_eq!(events(&mut server, client), "k:incrby incrby:k");
    server.run("CONFIG SET notify-keyspace-events Kg");
    server.run("INCR k");
    server.run("PERSIST k");
    server.run("EXPIRE k 10");
    assert_eq!(events(&mut server, client), "k:expire");
}

#[test]
fn keys_that_expire_are_told_of_when_their_time_has_come() {
    let (mut server, client) = notified("Kx");
    server.run("SET late v PX 200");
    server.run("SET soon v PX 100");
    server.run("SET read v PX 100");
    server.pass_ms(50);
    assert_eq!(events(&mut server, client), "");
    server.clock.advance_ms(60);
    // Looked at before the timed duties come to it.
    server.check("GET read -> nil");
    assert_eq!(events(&mut server, client), "read:expired");
    server.pass_ms(0);
    assert_eq!(events(&mut server, client), "soon:expired");
    server.pass_ms(150);
    assert_eq!(events(&mut server, client), "late:expired");
    server.check("SET past v EXAT 1 -> OK");
    assert_eq!(events(&mut server, client), "past:expired");
}

#[test]
fn inside_a_transaction_events_come_as_the_commands_run() {
    let (mut server, client) = notified("KA");
    for line in ["MULTI", "SET a 1", "PUBLISH __keyspace@0__:mark x", "DEL a"] {
        server.run(line);
    }
    assert_eq!(events(&mut server, client), "");
    server.run("EXEC");
    assert_eq!(events(&mut server, client), "a:set mark:x a:del");
}

#[test]
fn events_of_two_keys_come_in_the_order_of_redis() {
    let (mut server, client) = notified("KAn");
    for (line, expected) in [
        ("SET a 1", "a:new a:set"),
        ("RENAME a b", "b:new a:rename_from b:rename_to"),
        ("COPY b c", "c:new c:copy_to"),
        ("COPY b c REPLACE", "c:new c:copy_to"),
        ("MOVE c 1", "c:new c:move_from c:move_to"),
        ("GETEX b PERSIST", ""),
        ("SET b 1 KEEPTTL", "b:set"),
        ("SET b 1 PXAT 1", "b:set b:expire b:expired"),
        ("MSET x 1 y 2", "x:new x:set y:new y:set"),
        ("OBJECT ENCODING nothing", ""),
    ] {
        server.run(line);
        assert_eq!(events(&mut server, client), expected, "{line}");
    }
}

#[test]
fn ten_thousand_subscribers_hear_one_message() {
    let mut server = Server::with_config("maxclients 20000");
    let clients: Vec<usize> = (0..10_000)
        .map(|_| listening(&mut server, "SUBSCRIBE c"))
        .collect();
    for client in &clients {
        server.engine.take_output(*client);
    }
    server.check("PUBLISH c hello -> (10000)");
    for client in clients {
        assert_eq!(
            replies(&server.engine.take_output(client)),
            "[message c hello]"
        );
    }
}

#[test]
fn when_clients_take_more_than_their_share_the_largest_go_and_the_spared_stay() {
    let mut server = Server::with_config("maxmemory-clients 100000");
    let spared = server.connect();
    server.run_as(spared, "CLIENT NO-EVICT ON");
    let (large, small) = (server.connect(), server.connect());
    let begin = |size: usize| format!("*1\r\n$90000\r\n{}", "x".repeat(size)).into_bytes();
    server.feed(spared, &begin(80_000));
    server.feed(small, &begin(100));
    server.pass_ms(0);
    assert!(server.close_ended().is_empty());
    server.feed(large, &begin(30_000));
    server.pass_ms(0);
    assert_eq!(server.close_ended(), [large]);
    assert!(server.run("INFO stats").contains("evicted_clients:1"));
    // What a client subscribes to is its own memory.
    let subscriber = server.connect();
    for n in 0..3_000 {
        server.run_as(subscriber, &format!("PSUBSCRIBE pattern-{n}"));
        server.pass_ms(0);
        if !server.close_ended().is_empty() {
            return;
        }
    }
    panic!("a client that subscribes to more and more is never closed");
}

#[test]
fn a_message_is_a_write_to_pauses_and_to_scripts_that_only_read() {
    let mut server = Server::new();
    let refused = "!ERR Write commands are not allowed from read-only scripts";
    for name in ["publish", "spublish"] {
        let reply = server.run(&format!(
            "EVAL_RO \"return redis.call('{name}', 'c', 'm')\" 0"
        ));
        assert!(reply.starts_with(refused), "{reply}");
    }
    let speaker = server.connect();
    server.check("CLIENT PAUSE 1000 WRITE -> OK");
    assert_eq!(server.run_as(speaker, "PUBLISH c m"), "");
    server.check("CLIENT UNPAUSE -> OK");
    assert_eq!(server.received(speaker), "(0)");
}

#[test]
fn who_publishes_too_much_to_itself_in_one_command_is_closed() {
    for (times, ends) in [(50, false), (500, true)] {
        let mut server = Server::with_config("client-output-buffer-limit pubsub 20000 0 0");
        let client = server.connect();
        server.run_as(client, "HELLO 3");
        server.run_as(client, "SUBSCRIBE c");
        let script =
            format!("for i = 1, {times} do redis.call('publish', 'c', string.rep('x', 60)) end");
        server.run_as(client, &format!("EVAL \"{script}\" 0"));
        assert_eq!(server.close_ended() == [client], ends, "{times}");
        assert!(server.engine.server.outbox.pushes.bytes() == 0);
    }
}
