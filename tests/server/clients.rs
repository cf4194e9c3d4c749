//! What a connection may do: pipelines, large values, slow reading, limits.

use crate::harness::Server;

#[test]
fn inline_commands_are_answered() {
    let server = Server::start(&[]);
    let mut client = server.client();
    client.ask("get missing\r\n", "$-1\r\n");
    client.ask("GET \"a b\"\n", "$-1\r\n");
}

#[test]
fn a_client_library_is_understood() {
    let server = Server::start(&[]);
    let mut connection = server.redis();
    let value: Option<String> = redis::cmd("GET")
        .arg("missing")
        .query(&mut connection)
        .expect("a reply");
    assert_eq!(value, None);
}

#[test]
fn a_client_library_may_ping() {
    let server = Server::start(&[]);
    let pong: String = redis::cmd("PING")
        .query(&mut server.redis())
        .expect("a reply");
    assert_eq!(pong, "PONG");
}

#[test]
fn a_pipeline_of_ten_thousand_commands_is_answered_in_order() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let commands: String = (0..10_000)
        .map(|n| {
            if n % 3 == 0 {
                format!("unknown{n}\r\n")
            } else {
                "*2\r\n$3\r\nGET\r\n$1\r\na\r\n".to_owned()
            }
        })
        .collect();
    let replies: String = (0..10_000)
        .map(|n| {
            if n % 3 == 0 {
                format!("-ERR unknown command 'unknown{n}', with args beginning with: \r\n")
            } else {
                "$-1\r\n".to_owned()
            }
        })
        .collect();
    client.ask(commands, replies);
}

#[test]
fn a_command_may_come_byte_by_byte() {
    let server = Server::start(&[]);
    let mut client = server.client();
    for byte in b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n" {
        client.send([*byte]);
    }
    client.expect("$-1\r\n");
}

#[test]
fn a_large_argument_is_taken_in_and_the_command_behind_it_runs() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let key = "x".repeat(10 << 20);
    let get = format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len());
    client.ask(format!("{get}GET b\r\n{get}"), "$-1\r\n$-1\r\n$-1\r\n");
}

#[test]
fn a_value_of_ten_mebibytes_goes_in_and_comes_out() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let value: String = (0..10 << 20)
        .map(|n| char::from(b'a' + (n % 23) as u8))
        .collect();
    let bulk = format!("${}\r\n{value}\r\n", value.len());
    client.ask(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n{bulk}"), "+OK\r\n");
    client.ask("GET k\r\nGET k\r\n", format!("{bulk}{bulk}"));
}

#[test]
fn a_client_that_reads_late_gets_everything() {
    const COMMANDS: usize = 50_000;
    let server = Server::start(&[]);
    let mut client = server.client();
    let name = "n".repeat(128);
    let reply = format!("-ERR unknown command '{name}', with args beginning with: '{name}' \r\n");
    client.send(format!("{name} {name}\r\n").repeat(COMMANDS));
    client.expect(reply.repeat(COMMANDS));
    // And others were served while its replies waited.
    server.client().ask("GET a\r\n", "$-1\r\n");
}

#[test]
fn a_client_that_stops_sending_gets_its_replies_before_it_is_closed() {
    let server = Server::start(&[]);
    let mut client = server.client();
    client.send("GET a\r\n".repeat(1000));
    client.finish();
    assert_eq!(client.rest(), "$-1\r\n".repeat(1000));
}

#[test]
fn a_protocol_error_is_answered_and_closes() {
    let server = Server::start(&[]);
    let mut client = server.client();
    client.send("GET a\r\n*1\r\n$x\r\n");
    assert_eq!(
        client.rest(),
        "$-1\r\n-ERR Protocol error: invalid bulk length\r\n"
    );
}

#[test]
fn one_client_more_than_maxclients_is_told_so_and_closed() {
    let server = Server::start(&["--maxclients", "1"]);
    let mut first = server.client();
    first.ask("GET a\r\n", "$-1\r\n");
    assert_eq!(
        server.client().rest(),
        "-ERR max number of clients reached\r\n"
    );
    first.ask("GET a\r\n", "$-1\r\n");
}

#[test]
fn a_place_is_free_again_when_a_client_has_gone() {
    let server = Server::start(&["--maxclients", "1"]);
    for _ in 0..20 {
        let mut client = server.client();
        client.ask("GET a\r\n", "$-1\r\n");
        client.finish();
        assert_eq!(client.rest(), "");
    }
}

#[test]
fn a_client_that_is_silent_for_longer_than_timeout_is_closed() {
    let server = Server::start(&["--timeout", "1"]);
    let mut client = server.client();
    client.ask("GET a\r\n", "$-1\r\n");
    assert_eq!(client.rest(), "");
}

#[test]
fn many_clients_are_taken_in_at_once() {
    let server = Server::start(&["--tcp-backlog", "600"]);
    let mut clients: Vec<_> = (0..500).map(|_| server.client()).collect();
    for client in &mut clients {
        client.send("GET a\r\n");
    }
    for client in &mut clients {
        client.expect("$-1\r\n");
    }
}
