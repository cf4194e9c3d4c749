//! Commands, bytes in and bytes out, through an engine without sockets whose clock is set by hand.

mod bitmap;
mod command;
mod connection;
mod debug;
mod disk;
mod engine;
mod geo;
mod harness;
mod hash;
mod hyperloglog;
mod keys;
mod list;
mod monitor;
mod monitoring;
mod pubsub;
mod rows;
mod save;
mod server;
mod set;
mod sort;
mod stream;
mod string;
mod throttle;
mod tracking;
mod transaction;
mod zset;
