//! The string family: one file a theme, as in `src/commands/string`.

mod condition;
mod counters;
mod encodings;
mod increx;
mod lcs;
mod lifetime;
mod propagation;
mod ranges;
mod set;
mod several;

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
