//! The vocabulary that handlers are written in: rows, arguments, the context, flow, errors, propagation.
//!
//! A command is a [`Row`] and a handler, `fn(&mut Ctx, &mut Args) -> Result<Flow, Error>`, in three beats: read all
//! arguments, touch the keyspace, reply. On `Err` the engine cuts the reply back and answers the error; a handler that
//! may fail does so before its first change.

pub mod args;
pub mod ctx;
pub mod error;
pub mod expiry;
pub mod help;
pub mod host;
pub mod key_specs;
pub mod memory_figures;
pub mod propagate;
pub mod rewrite;
pub mod row;
pub mod saving;
pub mod scan;
pub mod table;

pub use args::Args;
pub use ctx::{Ctx, Server};
pub use error::Error;
pub use propagate::Propagate;
pub use row::{KeySpec, Row};

use crate::resp::reply::Reply;

/// How a command ended.
pub enum Flow {
    /// It is answered.
    Done,
    /// There is nothing there yet: run it again when one of its keys changes.
    Block(Block),
    /// EXEC: run what the client has queued, as one unit.
    RunQueued,
    /// Run a program that calls commands, as one unit.
    RunScript(Box<dyn Script>),
    /// It is answered, and the connection ends.
    Close,
    /// It is answered, and another client's wait ends.
    Unblock {
        /// Who waits in a blocking command.
        client: u64,
        /// What it is answered; `None`: what its command answers at its deadline.
        error: Option<Error>,
    },
}

/// What a blocking command waits for.
pub struct Block {
    /// Any of these keys, in the selected database.
    pub keys: Vec<Box<[u8]>>,
    /// When to give up, Unix milliseconds; `None`: never.
    pub deadline_ms: Option<i64>,
    /// What is answered when nothing came: at the deadline, and at once inside MULTI and scripts.
    pub on_timeout: fn(&mut Reply<'_>),
}

/// A program that calls commands through the engine.
pub trait Script {
    /// Runs to its end; `call` runs one command as the client would and gives its reply as bytes.
    fn run(
        &mut self,
        call: &mut dyn FnMut(crate::resp::request::Argv<'_>) -> Vec<u8>,
    ) -> Result<Vec<u8>, Error>;
}

/// What every command is.
pub type Handler = for<'a, 'b> fn(&mut Ctx<'a>, &mut Args<'b>) -> Result<Flow, Error>;
