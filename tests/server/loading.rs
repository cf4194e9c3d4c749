//! The start: clients can come while the data is loaded, and what is loaded is never overwritten by less.

use crate::harness::{Client, PATIENCE, Server};
use std::fs;
use std::net::TcpStream;

/// Loading takes some milliseconds a key with these.
const SLOW: [&str; 4] = [
    "--key-load-delay",
    "5000",
    "--loading-process-events-interval-bytes",
    "1024",
];
const KEYS: usize = 2000;

/// A server that has ended, with a dump of so many keys.
fn saved() -> Server {
    let mut server = Server::start(&["--save", ""]);
    let mut client = server.client();
    for key in 0..KEYS {
        client.send(format!("SET key:{key} value\r\n"));
    }
    client.expect("+OK\r\n".repeat(KEYS));
    client.ask("SAVE\r\n", "+OK\r\n");
    server.terminate();
    server
}

fn connect(server: &Server) -> Client<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("the server listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time that is not zero");
    Client::of(stream)
}

#[test]
fn clients_are_told_to_be_patient_until_all_is_loaded() {
    let mut server = saved();
    let log = server.respawn(&[&SLOW[..], &["--save", ""]].concat());
    log.expect("Loading the data set from dump.rdb");
    let mut client = connect(&server);
    let loading = "-LOADING Redis is loading the dataset in memory\r\n";
    client.ask(
        "PING\r\nGET key:1\r\nECHO x\r\n",
        format!("{loading}{loading}$1\r\nx\r\n"),
    );
    client.send("INFO persistence\r\n");
    client.skip_behind("loading:1\r\n");
    client.skip_behind("loading_eta_seconds:");
    client.skip_behind("\r\n\r\n");
    client.ask("CONFIG SET key-load-delay 0\r\n", "+OK\r\n");
    log.expect("Ready to accept connections");
    client.ask(
        "GET key:1\r\nDBSIZE\r\n",
        format!("$5\r\nvalue\r\n:{KEYS}\r\n"),
    );
}

#[test]
fn a_server_that_is_ended_while_it_loads_leaves_its_file_as_it_was() {
    for by_signal in [true, false] {
        let mut server = saved();
        let file = fs::read(server.folder.file("dump.rdb")).expect("it was saved");
        let log = server.respawn(&[&SLOW[..], &["--save", "900 1"]].concat());
        log.expect("Loading the data set from dump.rdb");
        let status = if by_signal {
            server.terminate()
        } else {
            connect(&server).send("SHUTDOWN SAVE\r\n");
            server.wait()
        };
        assert!(status.success());
        log.expect("bye bye");
        let after = fs::read(server.folder.file("dump.rdb")).expect("it is still there");
        assert!(after == file);
    }
}

#[test]
fn an_append_only_file_is_loaded_with_clients_waiting_too() {
    let options = ["--save", "", "--appendonly", "yes"];
    let mut server = Server::start(&options);
    let mut client = server.client();
    for key in 0..KEYS {
        client.send(format!("SET key:{key} value\r\n"));
    }
    client.expect("+OK\r\n".repeat(KEYS));
    server.terminate();
    let log = server.respawn(&[&SLOW[..], &options[..]].concat());
    log.expect("Server initialized");
    let mut client = connect(&server);
    client.ask(
        "MULTI\r\nPING\r\n",
        "+OK\r\n-LOADING Redis is loading the dataset in memory\r\n",
    );
    client.ask(
        "CONFIG SET key-load-delay 0\r\nDISCARD\r\n",
        "+QUEUED\r\n+OK\r\n",
    );
    client.ask("CONFIG SET key-load-delay 0\r\n", "+OK\r\n");
    log.expect("Ready to accept connections");
    client.ask("DBSIZE\r\n", format!(":{KEYS}\r\n"));
}

#[test]
fn appendonly_yes_takes_the_snapshot_that_is_there() {
    let mut server = saved();
    let options = ["--save", "", "--appendonly", "yes"];
    server.restart(&options);
    server.client().ask(
        "DBSIZE\r\nSET key:1 other\r\n",
        format!(":{KEYS}\r\n+OK\r\n"),
    );
    server.signal(rustix::process::Signal::KILL);
    server.restart(&options);
    server.client().ask(
        "GET key:1\r\nDBSIZE\r\n",
        format!("$5\r\nother\r\n:{KEYS}\r\n"),
    );
}
