//! Commands, bytes in and bytes out, through an engine without sockets whose clock is set by hand.

mod append_only;
mod bitmap;
mod command;
mod connection;
mod debug;
mod disk;
mod engine;
mod eviction;
mod geo;
#[path = "../differential/grammar.rs"]
#[expect(dead_code, reason = "here nothing is compared reply by reply")]
mod grammar;
mod harness;
mod hash;
mod hyperloglog;
mod keys;
mod list;
mod load;
mod loading;
mod monitor;
mod monitoring;
mod mutations;
mod payload;
mod pubsub;
mod rdb_samples;
mod rdb_tools;
mod reload;
mod replayed;
mod rows;
mod save;
mod scripting;
mod server;
mod set;
mod sort;
mod stream;
mod string;
mod throttle;
mod tracking;
mod transaction;
mod truncation;
mod zset;
