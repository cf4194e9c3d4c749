//! What a running script reaches of the server: a door that whoever runs it holds open.
//!
//! The functions that Lua calls live as long as the Lua state; the engine, the client and the process around it are lent
//! for one run only. The door stands in a slot of the thread for exactly that long.

use crate::resp::output::Output;
use crate::resp::reply::Protocol;
use crate::resp::request::Argv;
use scoped_tls_hkt::scoped_thread_local;

/// How a command that a script calls is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// In which form the script wants the reply.
    pub protocol: Protocol,
    /// Whether its changes go to the append-only file and to replicas.
    pub propagates: bool,
}

/// What comes of looking at the clock in a script that has run for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    GoOn,
    /// It ends with this error.
    Stop(&'static str),
}

/// The text of an error that a script gets for a command that did not run.
pub type Refusal = String;

/// See the head of the file.
pub trait Door {
    /// Runs a command; its reply.
    ///
    /// # Errors
    /// Why it did not run; that is counted already.
    fn call(&mut self, argv: Argv<'_>, manner: Manner) -> Result<&Output, Refusal>;

    /// Called now and then while the script runs: other clients may be served.
    fn look_at_clock(&mut self) -> Verdict;

    /// Whether the client's user may run this command; `None`: there is no such command.
    fn may_run(&mut self, argv: Argv<'_>) -> Option<bool>;
}

scoped_thread_local!(pub(super) static mut DOOR: for<'a> &'a mut (dyn Door + 'a));

/// A door that leads nowhere: for libraries that are being loaded.
#[derive(Default)]
pub(super) struct Shut {
    /// Looks at the clock so far.
    looks: u32,
}

/// Looks at the clock (some 10 microseconds apart) after which loading a library is given up.
const LOAD_LOOKS_MAX: u32 = 50_000;

impl Door for Shut {
    fn call(&mut self, _: Argv<'_>, _: Manner) -> Result<&Output, Refusal> {
        Err("ERR no command can be called while a library is loaded".to_owned())
    }

    fn look_at_clock(&mut self) -> Verdict {
        self.looks += 1;
        if self.looks < LOAD_LOOKS_MAX {
            return Verdict::GoOn;
        }
        Verdict::Stop("FUNCTION LOAD timeout")
    }

    fn may_run(&mut self, _: Argv<'_>) -> Option<bool> {
        None
    }
}
