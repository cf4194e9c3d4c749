//! Pub/sub over sockets: messages in and out, readers that are too slow.

use crate::harness::Server;
use std::io::Write;
use std::net::TcpStream;

const SUBSCRIBED: &str = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";

fn message(text: &str) -> String {
    format!(
        "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n${}\r\n{text}\r\n",
        text.len()
    )
}

fn publish(text: &str) -> String {
    format!(
        "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n${}\r\n{text}\r\n",
        text.len()
    )
}

#[test]
fn messages_reach_many_subscribers_in_order() {
    let server = Server::start(&[]);
    let mut subscribers: Vec<_> = (0..200).map(|_| server.client()).collect();
    for subscriber in &mut subscribers {
        subscriber.ask("SUBSCRIBE c\r\n", SUBSCRIBED);
    }
    let texts: Vec<String> = (0..50).map(|n| "x".repeat(n * n * 2)).collect();
    let commands: String = texts.iter().map(|text| publish(text)).collect();
    let messages: String = texts.iter().map(|text| message(text)).collect();
    server
        .client()
        .ask(commands, ":200\r\n".repeat(texts.len()));
    for subscriber in &mut subscribers {
        subscriber.expect(&messages);
    }
}

#[test]
fn a_subscriber_that_does_not_read_is_closed_and_the_others_go_on() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub 4mb 0 0"]);
    let (mut slow, mut quick, mut publisher) = (server.client(), server.client(), server.client());
    slow.ask("SUBSCRIBE c\r\n", SUBSCRIBED);
    quick.ask("SUBSCRIBE c\r\n", SUBSCRIBED);
    let text = "x".repeat(100_000);
    let mut rounds = 0;
    loop {
        publisher.send(publish(&text));
        quick.expect(message(&text));
        let mut received = [0; 4];
        publisher.read(&mut received);
        match &received {
            b":2\r\n" => {}
            b":1\r\n" => break,
            other => panic!("{other:?}"),
        }
        rounds += 1;
        // The sockets of both sides take some megabytes before anything waits in the server.
        assert!(rounds < 2_000, "the slow reader is never closed");
    }
    server
        .log
        .expect("closed for overcoming of output buffer limits");
    assert!(slow.rest().starts_with("*3\r\n$7\r\nmessage"));
    publisher.ask(publish("end"), ":1\r\n");
    quick.expect(message("end"));
}

#[test]
fn a_subscriber_above_its_soft_limit_is_closed_without_any_traffic() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub 0 1mb 1"]);
    let (mut slow, mut publisher) = (server.client(), server.client());
    slow.ask("SUBSCRIBE c\r\n", SUBSCRIBED);
    let text = "x".repeat(1 << 20);
    // More than the sockets of both sides take.
    publisher.ask(publish(&text).repeat(40), ":1\r\n".repeat(40));
    server
        .log
        .expect("closed for overcoming of output buffer limits");
    publisher.ask(publish("end"), ":0\r\n");
}

#[test]
fn events_of_keys_come_when_their_time_is_up() {
    let server = Server::start(&["--notify-keyspace-events", "Ex"]);
    let mut listener = server.client();
    listener.ask(
        "SUBSCRIBE __keyevent@0__:expired\r\n",
        "*3\r\n$9\r\nsubscribe\r\n$22\r\n__keyevent@0__:expired\r\n:1\r\n",
    );
    server.client().ask("SET k v PX 20\r\n", "+OK\r\n");
    listener.expect("*3\r\n$7\r\nmessage\r\n$22\r\n__keyevent@0__:expired\r\n$1\r\nk\r\n");
}

#[test]
fn a_client_cache_is_told_while_its_client_is_silent() {
    let server = Server::start(&[]);
    let mut cache = server.client();
    cache.send("HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX k\r\nPING\r\n");
    cache.skip_behind("+PONG\r\n");
    let mut writer = server.client();
    writer.ask("SET k1 v\r\n", "+OK\r\n");
    cache.expect(">2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\nk1\r\n");
}

#[test]
fn when_clients_take_too_much_the_largest_is_closed() {
    let server = Server::start(&["--maxmemory-clients", "1mb"]);
    let mut small = server.client();
    small.send(format!("*1\r\n$200000\r\n{}", "x".repeat(1000)));
    let mut large = TcpStream::connect(("127.0.0.1", server.port)).expect("the server listens");
    let command = format!("*1\r\n$3000000\r\n{}", "x".repeat(2_000_000));
    // It may be closed before it has said all.
    let _ = large.write_all(command.as_bytes());
    server.log.expect("Evicting client");
    small.ask(
        format!("{}\r\nPING\r\n", "x".repeat(199_000)),
        "-ERR unknown command 'x",
    );
}
