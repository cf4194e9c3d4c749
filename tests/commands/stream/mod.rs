//! The stream family: one file a theme. Replies are those of Redis 8.0; of commands that are newer, those that Redis
//! documents. The clock stands at 1704067200000.

mod add;
mod blocking;
mod claim;
mod delete;
mod groups;
mod info;
mod propagation;
mod range;

use crate::harness::Server;
use oxidis::resp::reply::Protocol;

/// A server whose client speaks RESP3.
fn resp3() -> Server {
    let mut server = Server::new();
    let slot = server.client;
    let clients = &mut server.engine.server.clients;
    let session = clients.get_mut(slot).expect("the client is connected");
    session.protocol = Protocol::Resp3;
    server
}

/// Configurations under which each node has one entry, a few, or as many as by default.
const NODE_SIZES: [&str; 4] = [
    "stream-node-max-entries 1",
    "stream-node-max-entries 3",
    "stream-node-max-entries 100",
    "stream-node-max-bytes 64",
];

/// A server for each size of nodes, with the entries 1-0 to `entries`-0 in the stream `s`.
fn filled(entries: u64) -> impl Iterator<Item = Server> {
    NODE_SIZES.into_iter().map(move |config| {
        let mut server = Server::with_config(&format!("enable-debug-command yes\n{config}"));
        for ms in 1..=entries {
            server.run(&format!("XADD s {ms}-0 f v{ms}"));
        }
        server
    })
}
