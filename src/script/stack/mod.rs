//! Lua's stack, bare: how natives (functions of the server that Lua calls) and the machine read and build Lua's values.
//!
//! mlua keeps a counted handle for each value that Rust touches, and wraps each function of Rust in guards of its own: for
//! `redis.call` that was more than half of the time, for cjson two thirds. Here a value is a place on Lua's stack, as in C.
//!
//! The only folder of scripts with `unsafe`: `view` reads, `build` builds, `enter` is what Lua calls, `call` calls Lua.
//!
//! Why the safe functions of this folder are sound:
//!
//! - **No step raises.** Lua raises by `longjmp`, which would skip Rust's destructors. Memory is the one thing that these
//!   steps can run out of, and it is not limited while they run ([`enter`] lifts the limit and looks at it afterwards;
//!   [`Caller::run`] limits only Lua's own code; the allocator aborts when the system has no more). Steps that raise for
//!   wrong values (a table's key that is nil, `next` behind a key that is gone) are not reached with such: see
//!   [`Stack::set_pair`] and [`View::each_pair`]. No finalizer of a script runs: none of its userdata can have one.
//!   [`enter`] itself raises when nothing is left that would need a destructor.
//! - **No step leaves the stack.** Lua answers nil for a place above the top; a place is asked for its type before it is
//!   taken as a table; a push asks for room first, and asserts it. A script can call with so many arguments that there is no
//!   room for a result: natives take them off before they push.
//! - **What is borrowed stays.** Texts are borrowed from a `&View`; whatever pops or replaces takes `&mut`.
//! - **The pointer lives**: a [`Caller`] and a [`Kept`] hold the Lua state that it leads to; a `Stack` lives as long as the
//!   call that it was made for. Coroutines are states of their own, each alive while it calls.

#![allow(unsafe_code, reason = "Lua's own interface: see the head of the file")]

mod build;
mod call;
mod enter;
mod view;

pub(super) use build::Stack;
pub(super) use call::{
    Caller, Finished, Globals, Kept, built, main_state, put_fixture, put_names, put_state,
};
pub(super) use enter::arm;
pub(super) use view::View;

use super::machine::State;

/// A function of the server: its arguments are on the stack, from 1 on; how many results it has left on top.
pub(super) type Native = fn(&mut Stack, &State) -> Result<i32, Raise>;

/// What a native raises.
#[derive(Debug)]
pub(super) enum Raise {
    /// `{err = text}`, as `redis.*` raises.
    Table {
        text: Vec<u8>,
        /// Whether it is the error of a command, which was counted when that failed.
        is_counted: bool,
    },
    /// A text that begins with its place, as Lua's own functions raise.
    Placed(Vec<u8>),
    /// More memory is in use than scripts may use.
    Memory,
}

impl From<String> for Raise {
    /// The error of a library's function, a character for each byte.
    fn from(text: String) -> Self {
        Raise::Placed(super::bridge::latin(&text))
    }
}

/// Texts and values that are always at hand: they stand in Lua's registry at negative places.
#[derive(Clone, Copy)]
#[repr(i32)]
pub(super) enum Name {
    Err = -1,
    Ok = -2,
    Double = -3,
    Map = -4,
    Set = -5,
    BigNumber = -6,
    VerbatimString = -7,
    Format = -8,
    String = -9,
    IgnoreErrorStats = -10,
    Source = -11,
    Line = -12,
    Keys = -13,
    Argv = -14,
}

const NAMES: [(Name, &str); 14] = [
    (Name::Err, "err"),
    (Name::Ok, "ok"),
    (Name::Double, "double"),
    (Name::Map, "map"),
    (Name::Set, "set"),
    (Name::BigNumber, "big_number"),
    (Name::VerbatimString, "verbatim_string"),
    (Name::Format, "format"),
    (Name::String, "string"),
    (Name::IgnoreErrorStats, "ignore_error_stats_update"),
    (Name::Source, "source"),
    (Name::Line, "line"),
    (Name::Keys, "KEYS"),
    (Name::Argv, "ARGV"),
];

/// Tables and functions of the sandbox that are at hand in the same way.
#[derive(Clone, Copy)]
#[repr(i32)]
pub(super) enum Fixture {
    /// What becomes of an error where it is raised.
    OnFailure = -101,
    /// The table behind the globals.
    Globals = -102,
    /// `{how many coroutines are resumed inside one another}`
    Depth = -103,
    /// The metatable of arrays that cjson has decoded.
    ArrayMetatable = -104,
    /// The address of the [`State`].
    State = -105,
    /// What scripts have as `_G`.
    Scope = -106,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Seen<'a> {
    /// Nothing: the place is above the top.
    Missing,
    Nil,
    Boolean(bool),
    Number(f64),
    Text(&'a [u8]),
    Table,
    Function,
    /// A light userdata of no address: cjson's null.
    Null,
    Thread,
    Userdata,
}

impl Seen<'_> {
    /// Its type as Lua's errors name it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Seen::Missing => "no value",
            Seen::Nil => "nil",
            Seen::Boolean(_) => "boolean",
            Seen::Number(_) => "number",
            Seen::Text(_) => "string",
            Seen::Table => "table",
            Seen::Function => "function",
            Seen::Thread => "thread",
            Seen::Null | Seen::Userdata => "userdata",
        }
    }
}
