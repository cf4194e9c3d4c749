//! Oxidis: a Redis-compatible server.
//!
//! The code map, from the bottom up; imports point down only (`tests/house_rules` checks it):
//!
//! ```text
//! 9  net  cli  main  tool   sockets and process, and the tools; know no command names
//! 8  engine              requests in, reply bytes out; opens no socket, no file
//! 7  commands            one file a family: rows on top, handlers below
//! 6  command             the vocabulary handlers are written in
//! 5  session persist pubsub tracking monitor script   services
//! 4  keyspace outbox     databases, expiry, waiters, the change log; what is to be sent to clients
//! 3  config  observe     one row a parameter; one row a metric
//! 2  types               what a key can hold
//! 1  resp  rdb  ds       wire bytes; RDB bytes; data structures (the only home of `unsafe`)
//! 0  base                clock, number, glob, hash, random
//! ```

#![deny(unsafe_code)]
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the docs are for those who read the code: they may lead to what is private"
)]

pub mod base;
pub mod cli;
pub mod command;
pub mod commands;
pub mod config;
#[allow(
    unsafe_code,
    reason = "the data structures are the fence that unsafe lives in"
)]
pub mod ds;
pub mod engine;
pub mod keyspace;
pub mod monitor;
pub mod net;
pub mod observe;
pub mod outbox;
pub mod persist;
pub mod pubsub;
pub mod rdb;
pub mod resp;
pub mod script;
pub mod session;
pub mod tool;
pub mod tracking;
pub mod types;
