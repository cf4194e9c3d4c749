//! Commands, bytes in and bytes out, through an engine without sockets whose clock is set by hand.

mod connection;
mod engine;
mod harness;
mod rows;
mod string;
mod transaction;
