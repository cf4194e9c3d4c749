//! Commands, bytes in and bytes out, through an engine without sockets whose clock is set by hand.

mod command;
mod connection;
mod debug;
mod disk;
mod engine;
mod harness;
mod keys;
mod monitoring;
mod rows;
mod save;
mod server;
mod string;
mod transaction;
