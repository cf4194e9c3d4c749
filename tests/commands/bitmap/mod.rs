//! The bitmap family: one file a theme, as in `src/commands/bitmap`. The replies are those of Redis 8.0, of BITOP's
//! newer operations those of the documentation of 8.2.

mod bit;
mod combine;
mod field;
mod range;

use crate::harness::Server;

/// Gives `key` these bytes.
fn set(server: &mut Server, key: &str, bytes: &[u8]) {
    let client = server.client;
    assert_eq!(
        server.raw(client, &[b"SET", key.as_bytes(), bytes]),
        b"+OK\r\n"
    );
}

/// The bytes of `key`.
fn get(server: &mut Server, key: &str) -> Vec<u8> {
    let client = server.client;
    let reply = server.raw(client, &[b"GET", key.as_bytes()]);
    let start = reply
        .windows(2)
        .position(|pair| pair == b"\r\n")
        .expect("a reply has a first line");
    reply[start + 2..reply.len() - 2].to_vec()
}
