//! A Lua state with its sandbox: compiles, runs, bounds and interrupts.
//!
//! There are two, made when they are first needed: one for EVAL scripts, one for functions. What scripts see is built by
//! `sandbox.lua`; what it needs of the server is in [`super::bridge`].
//!
//! Bounds: [`HEAP_MAX_BYTES`] of memory (reached: the Lua error "not enough memory"), Lua's own 200 nested C calls and
//! 20,000 nested Lua calls, [`COROUTINES_MAX`] coroutines inside one another, [`STRING_MAX_BYTES`] of a repeated string,
//! [`PATTERN_ITEMS_MAX`] items of a pattern. Every [`HOOK_INSTRUCTIONS`] instructions the clock is looked at.
//!
//! While Rust works on Lua's values the memory limit is lifted: mlua then need not protect each step against a memory
//! error, which is what makes calls cheap. It is set again, and checked, before Lua goes on.

use super::bridge;
use super::door::{DOOR, Door, Verdict};
use super::library::Registered;
use super::prng::Prng;
use super::reply::Writer;
use crate::resp::reply::{Protocol, Reply};
use crate::resp::request::{Argv, StoredArgv};
use mlua::{
    Function, HookTriggers, Lua, LuaOptions, LuaString, MultiValue, StdLib, Table, Value, VmState,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Bytes that scripts may use.
pub const HEAP_MAX_BYTES: usize = 1 << 30;
/// Coroutines that may be resumed inside one another.
pub const COROUTINES_MAX: usize = 64;
/// Bytes of what `string.rep` makes.
pub const STRING_MAX_BYTES: usize = 512 << 20;
/// Items of a pattern that may each take C stack.
pub const PATTERN_ITEMS_MAX: usize = 200;
/// Instructions between two looks at the clock.
pub const HOOK_INSTRUCTIONS: u32 = 100_000;

const SANDBOX: &str = include_str!("sandbox.lua");

/// Which of the two states it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// EVAL scripts.
    Script,
    /// Functions.
    Function,
}

impl Flavor {
    /// The name of chunks in error messages.
    pub(super) fn chunk(self) -> &'static str {
        match self {
            Flavor::Script => "user_script",
            Flavor::Function => "user_function",
        }
    }
}

/// What the functions of the bridge share with the machine.
pub(super) struct State {
    pub(super) flavor: Flavor,
    /// The words of the command that is being called: their room is used again and again.
    pub(super) argv: RefCell<StoredArgv>,
    /// `redis.setresp`
    pub(super) protocol: Cell<Protocol>,
    /// `redis.set_repl`
    pub(super) propagates: Cell<bool>,
    /// Why the script must end.
    pub(super) killed: Cell<Option<&'static str>>,
    /// The chunk and line where it was when that was decided.
    killed_at: RefCell<Option<(String, i64)>>,
    pub(super) prng: Cell<Prng>,
    /// The functions that a library which is being loaded has registered.
    pub(super) registering: RefCell<Option<Vec<Registered>>>,
}

/// See the head of the file.
pub struct Machine {
    lua: Lua,
    scope: Table,
    run_script: Function,
    run_few: Function,
    run_call: Function,
    run_load: Function,
    state: Rc<State>,
}

/// Why a script failed: the line after the dash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error's text, code included.
    pub line: Vec<u8>,
    /// Whether it is the error of a command, which was counted when that failed.
    pub is_counted: bool,
}

/// What a script returned.
pub struct Answer {
    value: Value,
    writer: Writer,
}

impl Answer {
    /// Writes it as the client's reply.
    pub fn write(&self, reply: &mut Reply<'_>) {
        self.writer.write(&self.value, reply, 0);
    }

    /// The error that it is, if it is one.
    pub fn error(&self) -> Option<Failure> {
        let Value::Table(table) = &self.value else {
            return None;
        };
        let Ok(Value::String(text)) = table.raw_get::<Value>("err") else {
            return None;
        };
        let is_counted = table.raw_get::<Value>("ignore_error_stats_update");
        Some(Failure {
            line: text.as_bytes().to_vec(),
            is_counted: matches!(is_counted, Ok(Value::Boolean(true))),
        })
    }
}

impl Machine {
    /// A new state. `seed` is where `math.random` begins.
    ///
    /// # Errors
    /// Lua cannot be set up: only if memory is out.
    pub(super) fn new(flavor: Flavor, seed: i32) -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let state = Rc::new(State {
            flavor,
            argv: RefCell::default(),
            protocol: Cell::new(Protocol::Resp2),
            propagates: Cell::new(true),
            killed: Cell::new(None),
            killed_at: RefCell::new(None),
            prng: Cell::new(Prng::new(seed)),
            registering: RefCell::new(None),
        });
        let bridge = bridge::table(&lua, &state)?;
        let limits = lua.create_table()?;
        limits.raw_set("string_bytes", STRING_MAX_BYTES as i64)?;
        limits.raw_set("pattern_bytes", PATTERN_ITEMS_MAX as i64)?;
        limits.raw_set("coroutines", COROUTINES_MAX as i64)?;
        let kind = match flavor {
            Flavor::Script => "eval",
            Flavor::Function => "functions",
        };
        let sandbox = lua.load(SANDBOX).set_name("=sandbox").into_function()?;
        let (scope, run): (Table, Table) = sandbox.call((bridge, limits, kind))?;
        lua.set_globals(scope.clone())?;
        let machine = Self {
            run_script: run.raw_get("script")?,
            run_few: run.raw_get("few")?,
            run_call: run.raw_get("call")?,
            run_load: run.raw_get("load")?,
            lua,
            scope,
            state,
        };
        machine.set_hook()?;
        machine.lua.gc_collect()?;
        Ok(machine)
    }

    fn set_hook(&self) -> mlua::Result<()> {
        let state = Rc::clone(&self.state);
        let triggers = HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS);
        self.lua.set_global_hook(triggers, move |lua, _| {
            if state.killed.get().is_none() && DOOR.is_set() {
                lua.set_memory_limit(0)?;
                let verdict = DOOR.with(|door| door.look_at_clock());
                lua.set_memory_limit(HEAP_MAX_BYTES)?;
                if let Verdict::Stop(text) = verdict {
                    state.killed.set(Some(text));
                    *state.killed_at.borrow_mut() = bridge::script_frame(lua, 0);
                }
            }
            match state.killed.get() {
                None => Ok(VmState::Continue),
                Some(text) => {
                    // From here on no instruction of this coroutine passes: the error cannot be caught and outlived.
                    let every = HookTriggers::new().every_nth_instruction(1);
                    let stop = move |_: &Lua, _: &mlua::debug::Debug<'_>| {
                        Err::<VmState, _>(mlua::Error::runtime(text))
                    };
                    lua.set_hook(every, stop)?;
                    Err(mlua::Error::runtime(text))
                }
            }
        })
    }

    /// Compiles a script.
    ///
    /// # Errors
    /// What Lua says of it.
    pub(super) fn compile(&self, code: &[u8]) -> Result<Function, String> {
        let chunk = self.lua.load(code).set_mode(mlua::chunk::ChunkMode::Text);
        let chunk = chunk.set_name(format!("@{}", self.state.flavor.chunk()));
        match chunk.set_environment(self.scope.clone()).into_function() {
            Ok(function) => Ok(function),
            Err(mlua::Error::SyntaxError { message, .. }) => Err(message),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Bytes in use.
    pub(super) fn used_bytes(&self) -> usize {
        self.lua.used_memory()
    }

    /// Runs a compiled script or function. Its keys are `keys` words of `argv` from `first_key` on, its arguments the rest.
    pub(super) fn run(
        &self,
        code: &Function,
        argv: Argv<'_>,
        first_key: usize,
        keys: usize,
        door: &mut dyn Door,
    ) -> Result<Answer, RawFailure> {
        self.begin();
        let result = if self.state.flavor == Flavor::Script
            && let Some(words) = Few::of(argv, first_key)
        {
            DOOR.set(door, || {
                self.within_limit(|| words.run(&self.run_few, code, keys))
            })
        } else {
            let tables = self.tables(argv, first_key, keys);
            let (keys, arguments) = tables.map_err(|_| RawFailure::plain("not enough memory"))?;
            let runner = match self.state.flavor {
                Flavor::Script => &self.run_script,
                Flavor::Function => &self.run_call,
            };
            DOOR.set(door, || {
                self.within_limit(|| runner.call((code, keys, arguments)))
            })
        };
        let value = self.end(result)?;
        let writer = Writer {
            protocol: self.state.protocol.get(),
        };
        Ok(Answer { value, writer })
    }

    /// The keys and the arguments as tables.
    fn tables(
        &self,
        argv: Argv<'_>,
        first_key: usize,
        keys: usize,
    ) -> mlua::Result<(Table, Table)> {
        let words = |from: usize, to: usize| -> mlua::Result<Table> {
            let table = self.lua.create_table_with_capacity(to - from, 0)?;
            for at in from..to {
                let word = argv.get(at).unwrap_or_default();
                table.raw_seti(at - from + 1, LuaString::wrap(word))?;
            }
            Ok(table)
        };
        let split = first_key + keys;
        Ok((
            words(first_key, split)?,
            words(split, argv.len().max(split))?,
        ))
    }

    /// Runs the code of a library, which registers its functions.
    pub(super) fn load(
        &self,
        code: &Function,
        door: &mut dyn Door,
    ) -> Result<Vec<Registered>, RawFailure> {
        self.begin();
        *self.state.registering.borrow_mut() = Some(Vec::new());
        let result = DOOR.set(door, || self.within_limit(|| self.run_load.call(code)));
        let registered = self.state.registering.take().unwrap_or_default();
        self.end(result)?;
        Ok(registered)
    }

    fn begin(&self) {
        self.state.protocol.set(Protocol::Resp2);
        self.state.propagates.set(true);
    }

    fn within_limit(
        &self,
        run: impl FnOnce() -> mlua::Result<(bool, Value)>,
    ) -> mlua::Result<(bool, Value)> {
        // These fail only for states whose allocator is not mlua's.
        let limited = self.lua.set_memory_limit(HEAP_MAX_BYTES);
        let result = limited.and_then(|_| run());
        self.lua.set_memory_limit(0)?;
        result
    }

    fn end(&self, result: mlua::Result<(bool, Value)>) -> Result<Value, RawFailure> {
        if let Some(text) = self.state.killed.take() {
            let mut failure = RawFailure::plain(text);
            let place = self.state.killed_at.take();
            failure.place = place.map(|(chunk, line)| (chunk.into_bytes(), line));
            // The hook that lets no instruction pass is replaced.
            return match self.set_hook() {
                Ok(()) => Err(failure),
                Err(error) => Err(RawFailure::plain(&error.to_string())),
            };
        }
        match result {
            Ok((true, value)) => Ok(value),
            Ok((false, value)) => Err(RawFailure::of(&value)),
            Err(error) => Err(RawFailure::plain(&error.to_string())),
        }
    }
}

/// The words of most scripts: few, and text. They go to Lua without a table or a reference between.
enum Few<'a> {
    None,
    One(&'a str),
    Two(&'a str, &'a str),
    Three(&'a str, &'a str, &'a str),
}

impl<'a> Few<'a> {
    /// The words from `first` on, if they are few and text.
    fn of(argv: Argv<'a>, first: usize) -> Option<Self> {
        let word = |at: usize| std::str::from_utf8(argv.get(first + at)?).ok();
        Some(match argv.len().saturating_sub(first) {
            0 => Few::None,
            1 => Few::One(word(0)?),
            2 => Few::Two(word(0)?, word(1)?),
            3 => Few::Three(word(0)?, word(1)?, word(2)?),
            _ => return None,
        })
    }

    fn run(&self, runner: &Function, code: &Function, keys: usize) -> mlua::Result<(bool, Value)> {
        match *self {
            Few::None => runner.call((code, keys)),
            Few::One(a) => runner.call((code, keys, a)),
            Few::Two(a, b) => runner.call((code, keys, a, b)),
            Few::Three(a, b, c) => runner.call((code, keys, a, b, c)),
        }
    }
}

/// What a script has raised, before the script's name is put into it.
pub(super) struct RawFailure {
    text: Vec<u8>,
    /// The chunk and line where it was raised.
    place: Option<(Vec<u8>, i64)>,
    is_counted: bool,
}

impl RawFailure {
    fn plain(text: &str) -> Self {
        Self {
            text: format!("ERR {text}").into_bytes(),
            place: None,
            is_counted: false,
        }
    }

    /// What the failure handler of the sandbox made of the error.
    fn of(value: &Value) -> Self {
        let mut failure = Self::plain("unknown error");
        match value {
            Value::Table(table) => {
                let field = |name: &str| table.raw_get::<Value>(name).unwrap_or(Value::Nil);
                match field("err") {
                    Value::String(text) => failure.text = text.as_bytes().to_vec(),
                    Value::Integer(number) => failure.text = number.to_string().into_bytes(),
                    Value::Number(number) => failure.text = number.to_string().into_bytes(),
                    _ => {}
                }
                if let (Value::String(source), Value::Integer(line)) =
                    (field("source"), field("line"))
                {
                    failure.place = Some((source.as_bytes().to_vec(), line));
                }
                failure.is_counted =
                    matches!(field("ignore_error_stats_update"), Value::Boolean(true));
            }
            Value::String(text) => failure.text = [b"ERR ", &*text.as_bytes()].concat(),
            _ => {}
        }
        failure
    }

    /// The error as the client gets it: with the name of the script, and the place.
    pub(super) fn named(self, name: &str) -> Failure {
        // Errors end at a NUL.
        let end = self.text.iter().position(|byte| *byte == 0);
        let mut line = self.text;
        line.truncate(end.unwrap_or(line.len()));
        if let Some((source, at)) = self.place {
            line.extend_from_slice(format!(" script: {name}, on ").as_bytes());
            line.extend_from_slice(&source);
            line.extend_from_slice(format!(":{at}.").as_bytes());
        }
        Failure {
            line,
            is_counted: self.is_counted,
        }
    }

    /// The bare text.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

/// Several values from a function of the bridge.
pub(super) type Values = mlua::Result<MultiValue>;
