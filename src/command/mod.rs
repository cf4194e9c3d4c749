//! The vocabulary that handlers are written in: rows, arguments, the context, flow, errors, propagation.
//!
//! A command is a [`Row`] and a handler, `fn(&mut Ctx, &mut Args) -> Result<Flow, Error>`, in three beats: read all
//! arguments, touch the keyspace, reply. On `Err` the engine cuts the reply back and answers the error; a handler that
//! may fail does so before its first change.

pub mod args;
pub mod backup;
pub mod ctx;
pub mod draws;
pub mod elements;
pub mod error;
pub mod expiry;
pub mod help;
pub mod host;
pub mod key_specs;
pub mod member_expiry;
pub mod memory_figures;
pub mod propagate;
pub mod ranges;
pub mod rewrite;
pub mod row;
pub mod saving;
pub mod scan;
pub mod table;
pub mod timeout;

pub use args::Args;
pub use ctx::{Ctx, Server};
pub use error::Error;
pub use propagate::Propagate;
pub use row::{KeySpec, Row};

use crate::resp::reply::Reply;
use crate::resp::request::StoredArgv;
use crate::script::Run;
use crate::types::Type;

/// How a command ended.
pub enum Flow {
    /// It is answered.
    Done,
    /// There is nothing there yet: run it again when one of its keys changes.
    Block(Block),
    /// The same, but run it again in other words, or at a certain time.
    Await(Box<Await>),
    /// EXEC: run what the client has queued, as one unit.
    RunQueued,
    /// Run a script or function for the same words, as one unit.
    RunScript(Run),
    /// DEBUG LOADAOF: the data is built anew from the append-only file.
    LoadLog,
    /// DEBUG RELOAD: the data is read anew from the snapshot.
    Reload(Reload),
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

/// How the data is read anew.
#[derive(Clone, Copy, Debug)]
pub struct Reload {
    /// What is in memory is saved first.
    pub saves: bool,
    /// What is in memory goes before the file is read.
    pub empties: bool,
    /// A key or library of the file takes the place of one in memory; else that is an error.
    pub replaces: bool,
}

/// What a blocking command waits for.
pub struct Block {
    /// Any of these keys, in the selected database.
    pub keys: Vec<Box<[u8]>>,
    /// The type that it waits for: a key of another one does not wake it.
    pub awaits: Type,
    /// Whether it is also run again when a key goes or becomes another type (XREADGROUP: its group is gone).
    pub on_loss: bool,
    /// When to give up, Unix milliseconds; `None`: never.
    pub deadline_ms: Option<i64>,
    /// What is answered when nothing came: at the deadline, and at once inside MULTI and scripts.
    pub on_timeout: fn(&mut Reply<'_>),
}

/// What a blocking command waits for that is not run again in its own words, or not only when a key changes.
pub struct Await {
    /// The keys and the deadline.
    pub block: Block,
    /// What is run again.
    pub words: StoredArgv,
    /// When it is run again although no key has changed, Unix milliseconds.
    pub again_ms: Option<i64>,
}

/// What every command is.
pub type Handler = for<'a, 'b> fn(&mut Ctx<'a>, &mut Args<'b>) -> Result<Flow, Error>;
