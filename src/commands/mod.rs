//! All commands: one file a family, rows on top, handlers below in three beats.
//!
//! To add a command: write its row and its function in the family's file. COMMAND, COMMAND DOCS, ACL categories, key
//! extraction, arity, statistics and propagation follow from the row.
//!
//! [`Row::syntax`] says what COMMAND DOCS shows of the arguments, in this notation (`docs` reads it):
//!
//! ```text
//! name             an argument of type string; `key`, or a name that ends in -key, is of type key
//! name:integer     of another type: string integer double key pattern unix-time
//! name="ip:port"   shown in another way (before the type)
//! key@1            a key of the command's second key spec
//! TOKEN            a word that stands for itself
//! change:CH        the same, where the argument's name differs; also equal:= and auto-id:*
//! TOKEN name       an argument that a word precedes; also TOKEN name:( ... )
//! [ ... ]          may be left out; [LIMIT offset count] is a block with a token
//! a | b            one of them; name:( ... ) names a group
//! x...             several times; [GET pattern]... with the word each time
//! x^6.2.0 x!2.8.12 since, and deprecated since, another version than the command
//! ```

mod bitmap;
mod cluster;
mod connection;
mod debug;
pub mod docs;
mod geo;
mod hash;
mod hyperloglog;
mod keys;
mod list;
mod monitoring;
mod pubsub;
mod scripting;
mod server;
mod set;
mod sort;
mod stream;
mod string;
mod throttle;
mod transaction;
mod zset;

use crate::command::Row;

/// The rows of all families.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        bitmap::ROWS,
        cluster::ROWS,
        connection::ROWS,
        debug::ROWS,
        geo::ROWS,
        hash::ROWS,
        hyperloglog::ROWS,
        keys::ROWS,
        list::ROWS,
        monitoring::ROWS,
        pubsub::ROWS,
        scripting::ROWS,
        server::ROWS,
        set::ROWS,
        sort::ROWS,
        stream::ROWS,
        string::ROWS,
        throttle::ROWS,
        transaction::ROWS,
        zset::ROWS,
    ]
    .into_iter()
    .flatten()
}
