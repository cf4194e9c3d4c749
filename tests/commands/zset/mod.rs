//! The sorted set family: each command on each way in which a sorted set is kept.

mod add;
mod combine;
mod expiry;
mod pop;
mod propagation;
mod random;
mod range;
mod read;

use crate::harness::Server;
use oxidis::resp::reply::Protocol;

/// Servers, one for each encoding, by its name.
fn encodings() -> [(&'static str, Server); 2] {
    [
        ("listpack", Server::new()),
        (
            "skiplist",
            Server::with_config("zset-max-listpack-entries 0"),
        ),
    ]
}

/// Checks a script on a server whose `z` has these members, in each encoding.
#[track_caller]
fn on_each(members: &str, script: &str) {
    for (encoding, mut server) in encodings() {
        server.run(&format!("ZADD z {members}"));
        assert_eq!(server.run("OBJECT ENCODING z"), encoding);
        server.check(script);
    }
}

/// The same for a client that speaks RESP3.
#[track_caller]
fn on_each_resp3(members: &str, script: &str) {
    for (_, server) in encodings() {
        let mut server = resp3(server);
        server.run(&format!("ZADD z {members}"));
        server.check(script);
    }
}

/// The client speaks RESP3 from now on.
fn resp3(mut server: Server) -> Server {
    let slot = server.client;
    let clients = &mut server.engine.server.clients;
    let session = clients.get_mut(slot).expect("the client is connected");
    session.protocol = Protocol::Resp3;
    server
}
