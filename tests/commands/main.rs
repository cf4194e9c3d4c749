//! Commands, bytes in and bytes out, through an engine without sockets whose clock is set by hand.

mod harness;
mod string;
mod transaction;
