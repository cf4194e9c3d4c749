//! The last words of a process that crashes, for whoever is to find out why: in the log, between two lines by which they are
//! found.
//!
//! A panic, an assertion, and SIGABRT come here. A wrong access to memory does not: to be told of it takes a signal handler
//! that no safe code can be; the system's core dump has it.

use std::backtrace::Backtrace;
use std::fmt::Display;

/// Writes the report into the log; the way to its caller is part of it.
pub fn report(reason: impl Display) {
    let (version, pid) = (env!("CARGO_PKG_VERSION"), std::process::id());
    tracing::error!("=== OXIDIS BUG REPORT START: Cut & paste starting from here ===");
    tracing::error!("Oxidis {version} pid={pid}: {reason}");
    tracing::error!("------ STACK TRACE ------\n{}", Backtrace::force_capture());
    tracing::error!("=== OXIDIS BUG REPORT END ===");
}
