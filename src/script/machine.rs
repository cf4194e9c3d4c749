//! A Lua state with its sandbox: compiles, runs, bounds and interrupts.
//!
//! There are two, made when they are first needed: one for EVAL scripts, one for functions. What scripts see is built by
//! `sandbox.lua`; what it needs of the server is in [`super::bridge`].
//!
//! Bounds: [`HEAP_MAX_BYTES`] of memory (reached: the Lua error "not enough memory"), Lua's own 200 nested C calls and
//! 20,000 nested Lua calls, [`COROUTINES_MAX`] coroutines inside one another, [`STRING_MAX_BYTES`] of a repeated string,
//! [`PATTERN_ITEMS_MAX`] items of a pattern, [`C_STACK_MAX_BYTES`] of C stack before more of it is taken by coroutines and
//! `gsub`. Every [`HOOK_INSTRUCTIONS`] instructions the clock is looked at.
//!
//! While Rust works on Lua's values the memory limit is lifted: then no step raises a memory error (see `stack`). It is set
//! again, and checked, before Lua goes on.

use super::door::{DOOR, Door, Verdict};
use super::library::Registered;
use super::prng::Prng;
use super::reply::Writer;
use super::stack::{
    self, Caller, Finished, Fixture, Globals, Kept, Name, Raise, Seen, Stack, View,
};
use super::{bridge, cjson};
use crate::resp::reply::{Protocol, Reply};
use crate::resp::request::{Argv, StoredArgv};
use mlua::{Function, Lua, LuaOptions, StdLib, Table};
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
/// Bytes of C stack in use beyond which no coroutine is resumed and no replacement function of `gsub` called: each takes
/// several KB, and Lua counts only within one coroutine.
pub const C_STACK_MAX_BYTES: usize = 512 << 10;
/// Instructions between two looks at the clock: few, for one may copy half a GB.
pub const HOOK_INSTRUCTIONS: u32 = 1_000;
/// Values that `cjson.encode` and `cmsgpack.pack` write between two looks at the clock.
const NATIVE_STEPS: u32 = 1 << 14;
/// Room for the words of a command larger than this is not kept for the next script.
const ARGV_KEPT_MAX_BYTES: usize = 64 << 10;
/// Elements that one call of `table.insert` or `table.remove` moves.
pub const MOVED_MAX: usize = 1 << 26;

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

/// What a new state is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// Where `math.random` begins.
    pub(super) seed: i32,
    /// Whether scripts get `getfenv`, `setfenv` and `newproxy`.
    pub(super) offers_deprecated: bool,
}

/// What natives share with the machine.
pub(super) struct State {
    pub(super) lua: Lua,
    /// Its main coroutine.
    pub(super) main: Cell<*mut mlua::lua_State>,
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
    pub(super) killed_at: RefCell<Option<(Vec<u8>, i64)>>,
    /// Where the C stack was when the run began.
    pub(super) stack_base: Cell<usize>,
    /// Whether scripts have `getfenv`, `setfenv` and `newproxy`.
    pub(super) offers_deprecated: bool,
    pub(super) prng: Cell<Prng>,
    /// The functions that a library which is being loaded has registered.
    pub(super) registering: RefCell<Option<Vec<Registered>>>,
    /// The settings of each `cjson`.
    pub(super) cjson_settings: RefCell<Vec<cjson::Settings>>,
}

impl State {
    fn new(flavor: Flavor, setup: Setup) -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::OS;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let main = stack::main_state(&lua)?;
        Ok(Self {
            lua,
            main: Cell::new(main),
            flavor,
            argv: RefCell::default(),
            protocol: Cell::new(Protocol::Resp2),
            propagates: Cell::new(true),
            killed: Cell::new(None),
            killed_at: RefCell::new(None),
            stack_base: Cell::new(0),
            offers_deprecated: setup.offers_deprecated,
            prng: Cell::new(Prng::new(setup.seed)),
            registering: RefCell::new(None),
            cjson_settings: RefCell::default(),
        })
    }

    /// Why the script must end, if it must. `view`: where it is.
    pub(super) fn look_at_clock(&self, view: &View) -> Option<&'static str> {
        if self.killed.get().is_none()
            && DOOR.is_set()
            && let Verdict::Stop(text) = DOOR.with(|door| door.look_at_clock())
        {
            self.killed.set(Some(text));
            *self.killed_at.borrow_mut() = view.script_frame();
        }
        self.killed.get()
    }

    /// The same for natives that take long: looks after so many steps of theirs.
    ///
    /// # Errors
    /// It must.
    pub(super) fn check_clock(&self, view: &View, steps: &mut u32) -> Result<(), Raise> {
        *steps += 1;
        if !steps.is_multiple_of(NATIVE_STEPS) {
            return Ok(());
        }
        match self.look_at_clock(view) {
            Some(text) => Err(text.to_owned().into()),
            None => Ok(()),
        }
    }

    /// Limits Lua's memory, or lifts the limit.
    pub(super) fn limit_memory(&self, is_limited: bool) {
        let limit = if is_limited { HEAP_MAX_BYTES } else { 0 };
        let set = self.lua.set_memory_limit(limit);
        debug_assert!(set.is_ok(), "the allocator is mlua's");
    }
}

/// See the head of the file.
pub struct Machine {
    scope: Table,
    run_load: Kept,
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
pub struct Answer<'a> {
    finished: Finished<'a>,
    writer: Writer,
}

impl Answer<'_> {
    /// Writes it as the client's reply.
    ///
    /// # Errors
    /// It is too large.
    pub fn write(&self, reply: &mut Reply<'_>) -> Result<(), Failure> {
        let mark = reply.output().mark();
        let writer = &self.writer;
        self.finished
            .look(|view, at| writer.write(view, at, reply, 0));
        if !writer.is_full(reply) {
            return Ok(());
        }
        reply.output().truncate(mark);
        Err(Failure {
            line: b"ERR the reply of the script is too large".to_vec(),
            is_counted: false,
        })
    }

    /// The error that it is, if it is one.
    pub fn error(&self) -> Option<Failure> {
        self.finished.look(|view, at| {
            if view.seen(at) != Seen::Table {
                return None;
            }
            Some(Failure {
                line: field(view, at, Name::Err, text_of)?,
                is_counted: is_counted(view, at),
            })
        })
    }
}

fn text_of(seen: Seen<'_>) -> Option<Vec<u8>> {
    match seen {
        Seen::Text(text) => Some(text.to_vec()),
        _ => None,
    }
}

fn field<T>(
    view: &mut View,
    at: i32,
    name: Name,
    read: impl FnOnce(Seen<'_>) -> Option<T>,
) -> Option<T> {
    view.with_field(at, name, |view, field| read(view.seen(field)))
}

/// Whether an error is one of a command, which was counted when that failed.
fn is_counted(view: &mut View, at: i32) -> bool {
    view.with_field(at, Name::IgnoreErrorStats, |view, field| {
        view.seen(field) == Seen::Boolean(true)
    })
}

impl Machine {
    /// A new state.
    ///
    /// # Errors
    /// Lua cannot be set up: only if memory is out.
    pub(super) fn new(flavor: Flavor, setup: Setup) -> mlua::Result<Self> {
        let state = Rc::new(State::new(flavor, setup)?);
        let lua = &state.lua;
        stack::put_names(lua)?;
        stack::put_state(&state)?;
        let array_metatable = lua.create_table()?;
        array_metatable.raw_set("__metatable", false)?;
        stack::put_fixture(lua, Fixture::ArrayMetatable, array_metatable)?;
        let bridge = stack::built(lua, |stack| bridge::push_table(stack, &state))?;
        let limits = lua.create_table()?;
        for (name, limit) in [
            ("string_bytes", STRING_MAX_BYTES),
            ("pattern_bytes", PATTERN_ITEMS_MAX),
            ("coroutines", COROUTINES_MAX),
            ("moved", MOVED_MAX),
        ] {
            limits.raw_set(name, limit as i64)?;
        }
        let kind = match flavor {
            Flavor::Script => "eval",
            Flavor::Function => "functions",
        };
        let sandbox = lua.load(SANDBOX).set_name("=sandbox").into_function()?;
        let (scope, run): (Table, Table) =
            sandbox.call((bridge, limits, kind, setup.offers_deprecated))?;
        // What built the sandbox is not needed again: it is collected below.
        drop(sandbox);
        lua.set_globals(scope.clone())?;
        for (fixture, name) in [
            (Fixture::OnFailure, "on_failure"),
            (Fixture::Globals, "globals"),
            (Fixture::Depth, "depth"),
        ] {
            stack::put_fixture(lua, fixture, run.raw_get::<mlua::Value>(name)?)?;
        }
        stack::put_fixture(lua, Fixture::Scope, scope.clone())?;
        let run_load = Kept::new(&state, run.raw_get("load")?)?;
        let machine = Self {
            scope,
            run_load,
            state,
        };
        stack::arm(&machine.state);
        machine.state.lua.gc_collect()?;
        Ok(machine)
    }

    /// Compiles a script.
    ///
    /// # Errors
    /// What Lua says of it.
    pub(super) fn compile(&self, code: &[u8]) -> Result<Kept, String> {
        let state = &self.state;
        let chunk = state.lua.load(code).set_mode(mlua::chunk::ChunkMode::Text);
        let chunk = chunk.set_name(format!("@{}", state.flavor.chunk()));
        let chunk = chunk.set_environment(self.scope.clone());
        state.limit_memory(true);
        let compiled = chunk.into_function();
        state.limit_memory(false);
        match compiled.and_then(|function: Function| Kept::new(state, function)) {
            Ok(function) => Ok(function),
            Err(mlua::Error::SyntaxError { message, .. }) => Err(message),
            Err(mlua::Error::MemoryError(_)) => Err("not enough memory".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Bytes in use.
    pub(super) fn used_bytes(&self) -> usize {
        self.state.lua.used_memory()
    }

    /// Runs a compiled script or function. Its keys are `keys` words of `argv` from `first_key` on, its arguments the rest.
    pub(super) fn run(
        &self,
        code: &Kept,
        argv: Argv<'_>,
        first_key: usize,
        keys: usize,
        door: &mut dyn Door,
    ) -> Result<Answer<'_>, RawFailure> {
        let state = &*self.state;
        self.begin();
        let split = first_key + keys;
        let prepare = |stack: &mut Stack, globals: Globals| {
            push_words(stack, argv, first_key, split);
            match state.flavor {
                Flavor::Script => {
                    stack.set_field(globals.at, Name::Keys);
                    push_words(stack, argv, split, argv.len());
                    stack.set_field(globals.at, Name::Argv);
                    0
                }
                Flavor::Function => {
                    push_words(stack, argv, split, argv.len());
                    2
                }
            }
        };
        let finished = DOOR.set(door, || Caller::new(state).run(code, prepare));
        if state.argv.borrow().heap_bytes() > ARGV_KEPT_MAX_BYTES {
            state.argv.take();
        }
        let finished = self.end(finished)?;
        let writer = Writer {
            protocol: state.protocol.get(),
            values: Cell::new(0),
        };
        if state.flavor == Flavor::Script {
            // Nothing of a script lives longer than it: its own `cjson` do not either.
            state.cjson_settings.borrow_mut().truncate(1);
        }
        Ok(Answer { finished, writer })
    }

    /// Runs the code of a library, which registers its functions.
    pub(super) fn load(
        &self,
        code: &Kept,
        door: &mut dyn Door,
    ) -> Result<Vec<Registered>, RawFailure> {
        let state = &*self.state;
        self.begin();
        *state.registering.borrow_mut() = Some(Vec::new());
        let prepare = |stack: &mut Stack, _: Globals| {
            stack.push_kept(code);
            1
        };
        let finished = DOOR.set(door, || Caller::new(state).run(&self.run_load, prepare));
        let registered = state.registering.take().unwrap_or_default();
        let finished = self.end(finished)?;
        // What the sandbox caught is handed out as a table.
        finished.look(|view, at| match view.seen(at) {
            Seen::Table => Err(RawFailure::at(view, at)),
            _ => Ok(registered),
        })
    }

    fn begin(&self) {
        self.state.protocol.set(Protocol::Resp2);
        self.state.propagates.set(true);
    }

    fn end<'a>(&self, finished: Finished<'a>) -> Result<Finished<'a>, RawFailure> {
        if let Some(text) = self.state.killed.take() {
            let mut failure = RawFailure::plain(text);
            failure.place = self.state.killed_at.take();
            // The hook that lets no instruction pass is replaced.
            stack::arm(&self.state);
            return Err(failure);
        }
        match finished.is_ok {
            true => Ok(finished),
            false => Err(finished.look(RawFailure::at)),
        }
    }
}

/// Pushes a table of the words from `from` up to `to`.
fn push_words(stack: &mut Stack, argv: Argv<'_>, from: usize, to: usize) {
    let table = stack.push_table(to.saturating_sub(from), 0);
    for at in from..to {
        stack.push_text(argv.get(at).unwrap_or_default());
        stack.set_element(table, at - from + 1);
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
    fn at(view: &mut View, at: i32) -> Self {
        let mut failure = Self::plain("unknown error");
        match view.seen(at) {
            Seen::Table => {
                if let Some(text) = view.with_field(at, Name::Err, |view, field| {
                    view.bytes(field).map(<[u8]>::to_vec)
                }) {
                    failure.text = text;
                }
                let source = field(view, at, Name::Source, text_of);
                let line = field(view, at, Name::Line, |seen| match seen {
                    Seen::Number(line) => Some(line as i64),
                    _ => None,
                });
                failure.place = source.zip(line);
                failure.is_counted = is_counted(view, at);
            }
            Seen::Text(text) => failure.text = [b"ERR ", text].concat(),
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
