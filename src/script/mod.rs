//! Lua scripts and functions: the Lua states, the scripts that EVAL has compiled, the libraries of functions, what runs.
//!
//! A service: it knows no commands and no engine. Whoever runs a script holds a [`Door`] open for it, through which it
//! calls commands. See `machine` for how Lua is held in bounds, `sandbox.lua` for what scripts see.
//!
//! ```text
//! commands::scripting   finds or compiles -> Run -> Flow::RunScript
//! engine::script        Run::execute, with a Door to itself -> Answer -> reply
//! ```

mod arguments;
mod bit;
mod bridge;
mod cache;
mod cjson;
mod cmsgpack;
mod door;
mod library;
mod machine;
mod number_text;
mod packing;
mod prng;
mod reply;
mod shebang;
#[allow(unsafe_code, reason = "Lua's own interface: see the head of the file")]
mod stack;

pub use cache::sha1_of_hex;
pub use door::{Door, Manner, Refusal, Verdict};
pub use library::{Function, Libraries, Library, Restore};
pub use machine::{Answer, Failure, Flavor, Machine};
pub use shebang::script_flag;

use crate::observe::Info;
use crate::resp::request::{Argv, StoredArgv};
use cache::Cache;
use machine::Setup;
use std::rc::Rc;

/// The only engine, as libraries name it.
pub const SERVED_BY: &str = "LUA";

/// A compiled script or function.
pub struct Code {
    function: stack::Kept,
    machine: Rc<Machine>,
    /// The SHA1 of a script, the name of a function.
    pub name: String,
    /// What it is.
    pub flavor: Flavor,
    /// Bits of [`script_flag`]; `None`: an EVAL script without a shebang, which promises nothing.
    pub flags: Option<u32>,
}

impl Code {
    /// Whether it has said so in its flags.
    pub fn is(&self, flag: u32) -> bool {
        self.flags.is_some_and(|flags| flags & flag != 0)
    }
}

/// The flags in the shebang of a script's text; `None`: it has none, or a wrong one.
pub fn flags_of_text(text: &[u8]) -> Option<u32> {
    shebang::of_script(text).ok().flatten()
}

/// A script that is to be run for a command.
pub struct Run {
    /// What runs.
    pub code: Rc<Code>,
    /// Which word of the command is its first key.
    pub first_key: usize,
    /// How many keys there are; the words behind them are its arguments.
    pub keys: usize,
    /// It was called by a command that does not write.
    pub read_only: bool,
}

impl Run {
    /// Runs it for the command of these words.
    ///
    /// # Errors
    /// What it raised, with its name and the place.
    pub fn execute(&self, argv: Argv<'_>, door: &mut dyn Door) -> Result<Answer<'_>, Failure> {
        let code = &self.code;
        let result = code
            .machine
            .run(&code.function, argv, self.first_key, self.keys, door);
        result.map_err(|failure| failure.named(&code.name))
    }
}

/// A script that has run for so long that others are told of it.
pub struct Running {
    /// What it is.
    pub flavor: Flavor,
    /// Its SHA1 or name.
    pub name: String,
    /// The command that started it.
    pub argv: StoredArgv,
    /// When it started, nanoseconds of the monotonic clock.
    pub began_ns: u64,
    /// Whether it has written: then it cannot be killed.
    pub has_written: bool,
    /// Whether somebody has asked to end it.
    pub killed: bool,
}

/// See the head of the file.
#[derive(Default)]
pub struct Scripts {
    cache: Cache,
    /// The libraries of functions.
    pub libraries: Libraries,
    /// The script that is busy.
    pub running: Option<Running>,
    /// Whether scripts get the functions of Lua that are deprecated.
    offers_deprecated: bool,
}

impl Scripts {
    /// None yet. `offers_deprecated`: they get the functions of Lua that are deprecated.
    pub fn new(offers_deprecated: bool) -> Self {
        Self {
            offers_deprecated,
            ..Self::default()
        }
    }

    fn setup(&self, seed: i32) -> Setup {
        Setup {
            seed,
            offers_deprecated: self.offers_deprecated,
        }
    }

    /// The script of this text, compiled if it is not known yet. `stays`: it is never dropped for newer ones. `seed`:
    /// where `math.random` begins, if that makes a Lua state.
    ///
    /// # Errors
    /// The line of what is wrong with it.
    pub fn script(&mut self, text: &[u8], stays: bool, seed: i32) -> Result<Rc<Code>, String> {
        let setup = self.setup(seed);
        self.cache.load(text, stays, setup)
    }

    /// The script with this SHA1.
    pub fn script_by_sha1(&mut self, sha1: &[u8; 20]) -> Option<Rc<Code>> {
        self.cache.find(sha1)
    }

    /// The flags of the script that these digits name, if it is known and has a shebang.
    pub fn flags_by_sha1(&self, digits: &[u8]) -> Option<u32> {
        self.cache.flags(&sha1_of_hex(digits)?)
    }

    /// Whether there is a script with this SHA1.
    pub fn has_script(&self, sha1: &[u8; 20]) -> bool {
        self.cache.contains(sha1)
    }

    /// The text of the script with this SHA1.
    pub fn script_text(&self, sha1: &[u8; 20]) -> Option<&[u8]> {
        self.cache.text(sha1)
    }

    /// SCRIPT FLUSH.
    pub fn flush_scripts(&mut self) {
        self.cache.clear();
    }

    /// Loads a library; its name.
    ///
    /// # Errors
    /// The line of what is wrong with it.
    pub fn load_library(
        &mut self,
        text: &[u8],
        replace: bool,
        seed: i32,
    ) -> Result<String, Vec<u8>> {
        let setup = self.setup(seed);
        self.libraries
            .load(text, replace, setup, &mut door::Shut::default())
    }

    /// Takes in what FUNCTION DUMP gave out.
    ///
    /// # Errors
    /// The line of what is wrong with it.
    pub fn restore_libraries(
        &mut self,
        payload: &[u8],
        policy: Restore,
        seed: i32,
    ) -> Result<(), Vec<u8>> {
        let setup = self.setup(seed);
        let door = &mut door::Shut::default();
        self.libraries.restore(payload, policy, setup, door)
    }

    /// Bytes of the Lua state of scripts and of that of functions.
    pub fn machine_bytes(&self) -> (usize, usize) {
        (self.cache.machine_bytes(), self.libraries.machine_bytes())
    }

    /// Bytes of the texts and of what is known of them: scripts, functions.
    pub fn text_bytes(&self) -> (usize, usize) {
        (self.cache.text_bytes(), self.libraries.text_bytes())
    }

    /// Scripts that newer ones have displaced.
    pub fn evicted(&self) -> u64 {
        self.cache.evicted()
    }

    /// INFO memory.
    pub fn info(&self, info: &mut Info) {
        let (eval_bytes, function_bytes) = self.machine_bytes();
        let (script_bytes, library_bytes) = self.text_bytes();
        let (libraries, functions) = self.libraries.counts();
        info.field("used_memory_lua", eval_bytes)
            .field("used_memory_vm_eval", eval_bytes)
            .field(
                "used_memory_lua_human",
                crate::observe::human_bytes(eval_bytes as u64),
            )
            .field("used_memory_scripts_eval", script_bytes)
            .field("number_of_cached_scripts", self.cache.len())
            .field("number_of_functions", functions)
            .field("number_of_libraries", libraries)
            .field("used_memory_vm_functions", function_bytes)
            .bytes("used_memory_vm_total", (eval_bytes + function_bytes) as u64)
            .field("used_memory_functions", library_bytes)
            .bytes("used_memory_scripts", (script_bytes + library_bytes) as u64);
    }
}
