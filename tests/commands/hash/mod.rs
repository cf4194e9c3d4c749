//! The hash family: each command on each way in which a hash is kept.

mod changes;
mod events;
mod expiry;
mod import;
mod lifetime;
mod propagation;
mod random;
mod reads;

use crate::harness::Server;
use oxidis::resp::reply::Protocol;

/// Servers whose `h` has these fields, one for each encoding, by its name.
fn encodings(fields: &str) -> Vec<(&'static str, Server)> {
    let first = fields.split(' ').next().expect("there is a field");
    let mut servers = vec![
        ("listpack", with_debug("")),
        ("listpackex", with_debug("")),
        ("hashtable", with_debug("hash-max-listpack-entries 0")),
    ];
    for (encoding, server) in &mut servers {
        server.run(&format!("HSET h {fields}"));
        if *encoding == "listpackex" {
            server.run(&format!("HEXPIRE h 1000 FIELDS 1 {first}"));
            server.run(&format!("HPERSIST h FIELDS 1 {first}"));
        }
        assert_eq!(server.run("OBJECT ENCODING h"), *encoding);
    }
    servers
}

/// A server with these lines of configuration that lets clients use DEBUG.
fn with_debug(lines: &str) -> Server {
    Server::with_config(&format!("enable-debug-command yes\n{lines}"))
}

/// Checks a script on an `h` with these fields in each encoding.
#[track_caller]
fn on_each(fields: &str, script: &str) {
    for (_, mut server) in encodings(fields) {
        server.check(script);
    }
}

/// The words of an array or map in the order of the alphabet.
fn sorted(reply: &str) -> String {
    let mut words: Vec<&str> = reply
        .trim_matches(['[', ']', '{', '}'])
        .split(' ')
        .collect();
    words.sort_unstable();
    words.join(" ")
}

/// The client speaks RESP3 from now on.
fn resp3(mut server: Server) -> Server {
    let slot = server.client;
    let clients = &mut server.engine.server.clients;
    let session = clients.get_mut(slot).expect("the client is connected");
    session.protocol = Protocol::Resp3;
    server
}
