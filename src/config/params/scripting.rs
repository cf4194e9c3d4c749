//! Rows of the group "Scripting": Lua scripts and functions.

use super::{Param, flag, number};

pub(super) static ROWS: &[Param] = &[
    number(
        "busy-reply-threshold",
        "5000",
        0,
        i64::MAX,
        "Milliseconds after which other clients are told that a script is busy; 0 never.",
    )
    .aka(&["lua-time-limit"])
    .field(|s, v| s.busy_reply_threshold_ms = v.number()),
    flag(
        "lua-enable-deprecated-api",
        "no",
        "Offer old Lua functions to scripts.",
    )
    .protected()
    .hidden()
    .field(|s, v| s.lua_enable_deprecated_api = v.is_yes()),
    flag(
        "lua-enable-insecure-api",
        "no",
        "Offer Lua functions that reach outside the sandbox.",
    )
    .protected()
    .hidden(),
];
