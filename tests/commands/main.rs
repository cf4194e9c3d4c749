//! Commands, bytes in and bytes out, through an engine without sockets whose clock is set by hand.

mod command;
mod harness;
mod monitoring;
mod server;
mod string;
mod transaction;
