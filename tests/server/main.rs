//! The real program over real sockets: its start, its listeners, its limits, its end.

mod clients;
mod harness;
mod lifecycle;
mod listeners;
mod pubsub;
