//! An engine without a server around it: it builds data from files and writes it to one, and nobody is connected to it.

use crate::base::clock::Clock;
use crate::base::random::Seeds;
use crate::command::ctx::Identity;
use crate::commands;
use crate::config::Config;
use crate::engine::Engine;

/// An engine without data, for which it is `now_ms`, Unix milliseconds, until somebody says otherwise.
pub(super) fn engine(now_ms: i64) -> Engine {
    Engine::new(
        Config::default(),
        commands::rows(),
        Clock::manual(now_ms),
        Seeds::from_os(),
        Identity::default(),
    )
}
