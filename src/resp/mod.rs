//! The wire: requests in, replies out. Knows bytes and the RESP formats; knows no command, no client and no socket.
//!
//! [`request`] takes commands out of whatever pieces the network delivers, [`reply`] is the only code that knows how RESP2
//! and RESP3 differ, [`output`] holds what a client has yet to receive, [`bulks`] writes many short strings fast,
//! [`value`] reads replies for those who are clients themselves. Format: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

pub mod bulks;
pub mod output;
pub mod push;
pub mod reply;
pub mod request;
pub mod value;
