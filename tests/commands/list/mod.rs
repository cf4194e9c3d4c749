//! Lists: every command in both encodings and both protocols.

mod blocking;
mod change;
mod encodings;
mod ends;
mod propagation;
mod range;
mod transfer;

use crate::harness::Server;

/// Servers under whose limits the same lists are listpacks, chains of listpacks, and chains of elements that stand alone.
fn in_every_encoding(test: impl Fn(&mut Server)) {
    for size in ["-2", "2", "1"] {
        test(&mut Server::with_config(&format!(
            "list-max-listpack-size {size}"
        )));
    }
    let mut server = Server::with_config("list-max-listpack-size 1\n enable-debug-command yes");
    server.check("DEBUG QUICKLIST-PACKED-THRESHOLD 1b -> OK");
    test(&mut server);
}
