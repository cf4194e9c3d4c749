//! Where the server listens, and what it says where it cannot.

use crate::harness::{Client, Folder, PATIENCE, Server, free_port, program, run};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

#[test]
fn the_unix_socket_has_the_permissions_asked_for_and_goes_at_the_end() {
    let mut server = Server::start(&["--unixsocket", "s.sock", "--unixsocketperm", "700"]);
    server.log.expect("Ready to accept connections unix");
    let path = server.folder.file("s.sock");
    let mode = std::fs::metadata(&path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    let stream = UnixStream::connect(&path).expect("the server listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time that is not zero");
    Client::over(stream).ask("GET a\r\n", "$-1\r\n");
    assert!(server.terminate().success());
    assert!(!std::fs::exists(&path).expect("the folder is readable"));
}

#[test]
fn every_address_of_bind_is_listened_to() {
    let server = Server::start(&["--bind", "127.0.0.1", "127.0.0.2", "-192.0.2.1"]);
    for address in ["127.0.0.1", "127.0.0.2"] {
        let stream = TcpStream::connect((address, server.port)).expect("the server listens");
        Client::of(stream).ask("GET a\r\n", "$-1\r\n");
    }
    assert!(TcpStream::connect(("127.0.0.3", server.port)).is_err());
}

#[test]
fn a_port_in_use_ends_the_start_with_status_1() {
    let other = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let port = other.local_addr().expect("it is bound").port().to_string();
    let (status, log, _) = run(program().args(["--port", &port, "--bind", "127.0.0.1"]));
    assert_eq!(status.code(), Some(1));
    let wanted = format!(
        "# Warning: Could not create server TCP listening socket 127.0.0.1:{port}: Address already in use\n"
    );
    assert!(log.contains(&wanted), "{log}");
    assert!(log.contains(&format!(
        "# Failed listening on port {port} (tcp), aborting.\n"
    )));
}

#[test]
fn an_address_that_the_machine_does_not_have_ends_the_start_with_status_1() {
    // 192.0.2.0/24 is reserved for documentation (RFC 5737).
    let (status, log, _) = run(program().args(["--port", "6379", "--bind", "192.0.2.1"]));
    assert_eq!(status.code(), Some(1));
    assert!(
        log.contains("Failed listening on port 6379 (tcp), aborting."),
        "{log}"
    );
}

#[test]
fn without_any_address_the_start_ends_with_status_1() {
    let (status, log, _) = run(program().args(["--port", "0"]));
    assert_eq!(status.code(), Some(1));
    assert!(
        log.contains("Configured to not listen anywhere, exiting."),
        "{log}"
    );
}

#[test]
fn a_unix_socket_alone_is_enough() {
    let folder = Folder::new();
    let path = folder.file("s.sock");
    let mut command = program();
    command.args(["--port", "0", "--unixsocket", &path]);
    let mut child = command.spawn().expect("the program runs");
    let log = crate::harness::Lines::of(child.stdout.take().expect("it is piped"));
    log.expect("Ready to accept connections unix");
    let stream = UnixStream::connect(&path).expect("the server listens");
    Client::over(stream).ask("GET a\r\n", "$-1\r\n");
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
}

#[test]
fn the_port_can_be_changed_while_clients_stay_connected() {
    let server = Server::start(&[]);
    let mut client = server.client();
    let port = free_port();
    client.ask(format!("CONFIG SET port {port}\r\n"), "+OK\r\n");
    client.ask("GET a\r\n", "$-1\r\n");
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    Client::of(stream).ask("GET a\r\n", "$-1\r\n");
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

#[test]
fn a_port_that_cannot_be_had_leaves_everything_as_it_was() {
    let server = Server::start(&[]);
    let other = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let taken = other.local_addr().expect("it is bound").port();
    let mut client = server.client();
    client.ask(
        format!("CONFIG SET port {taken}\r\n"),
        "-ERR CONFIG SET failed (possibly related to argument 'port') - \
         Unable to listen on this port. Check server logs.\r\n",
    );
    let port = server.port.to_string();
    let reply = format!("*2\r\n$4\r\nport\r\n${}\r\n{port}\r\n", port.len());
    server.client().ask("CONFIG GET port\r\n", reply);
}

#[test]
fn the_addresses_can_be_changed_from_one_to_all() {
    let server = Server::start(&[]);
    server
        .client()
        .ask("CONFIG SET bind \"* -::*\"\r\n", "+OK\r\n");
    let stream = TcpStream::connect(("127.0.0.2", server.port)).expect("the server listens");
    Client::of(stream).ask("GET a\r\n", "$-1\r\n");
}
