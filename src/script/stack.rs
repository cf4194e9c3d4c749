//! Lua's stack, bare: how natives (functions of the server that Lua calls) and the machine read and build Lua's values.
//!
//! The only file of scripts with `unsafe`. mlua keeps a counted handle for each value that Rust touches, and wraps each
//! function of Rust in guards of its own: for `redis.call` that was more than half of the time, for cjson two thirds.
//! Here a value is a place on Lua's stack, as in C.
//!
//! Why the safe functions of this file are sound:
//!
//! - **No step raises.** Lua raises by `longjmp`, which would skip Rust's destructors. Memory is the one thing that these
//!   steps can run out of, and it is not limited while they run ([`enter`] lifts the limit and looks at it afterwards;
//!   [`Caller::run`] limits only Lua's own code; the allocator aborts when the system has no more). Steps that raise for
//!   wrong values (a table's key that is nil, `next` behind a key that is gone) are not reached with such: see
//!   [`Stack::set_pair`] and [`View::each_pair`]. [`enter`] itself raises when nothing is left that would need a destructor.
//! - **No step leaves the stack.** Lua answers nil for a place above the top; a place is asked for its type before it is
//!   taken as a table; a push asks for room first, and asserts it.
//! - **What is borrowed stays.** Texts are borrowed from a `&View`; whatever pops or replaces takes `&mut`.
//! - **The pointer lives**: a [`Caller`] and a [`Kept`] hold the Lua state that it leads to; a `Stack` lives as long as the
//!   call that it was made for. Coroutines are states of their own, each alive while it calls.

use super::door::{DOOR, Verdict};
use super::machine::{HEAP_MAX_BYTES, HOOK_INSTRUCTIONS, State};
use mlua::ffi::{self, lua_State};
use mlua::{Lua, Table};
use std::ffi::{CStr, c_int, c_void};
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::ptr::null_mut;

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

const OUT_OF_MEMORY: &CStr = c"not enough memory";

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

/// A stack that is only read: what is read comes and goes, nothing that stands on it changes.
pub(super) struct View {
    lua: *mut lua_State,
}

impl View {
    /// The highest place in use.
    pub(super) fn top(&self) -> i32 {
        // SAFETY: the pointer lives (see the head).
        unsafe { ffi::lua_gettop(self.lua) }
    }

    /// What stands at a place, counted from 1 on.
    pub(super) fn seen(&self, at: i32) -> Seen<'_> {
        debug_assert!(at > 0, "places are counted from 1 on");
        // SAFETY: the pointer lives. A number is taken only of a number, a text only of a text: then Lua converts nothing,
        // and the text stays where it is as long as it stands on the stack.
        unsafe {
            match ffi::lua_type(self.lua, at) {
                ffi::LUA_TNONE => Seen::Missing,
                ffi::LUA_TNIL => Seen::Nil,
                ffi::LUA_TBOOLEAN => Seen::Boolean(ffi::lua_toboolean(self.lua, at) != 0),
                ffi::LUA_TNUMBER => Seen::Number(ffi::lua_tonumber(self.lua, at)),
                ffi::LUA_TSTRING => {
                    let mut length = 0;
                    let text = ffi::lua_tolstring(self.lua, at, &mut length);
                    Seen::Text(std::slice::from_raw_parts(text.cast(), length))
                }
                ffi::LUA_TTABLE => Seen::Table,
                ffi::LUA_TFUNCTION => Seen::Function,
                ffi::LUA_TTHREAD => Seen::Thread,
                ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(self.lua, at).is_null() => {
                    Seen::Null
                }
                _ => Seen::Userdata,
            }
        }
    }

    /// What stands there as a number; texts that are numbers count.
    pub(super) fn number(&self, at: i32) -> Option<f64> {
        // SAFETY: the pointer lives; neither changes what stands there.
        unsafe { (ffi::lua_isnumber(self.lua, at) != 0).then(|| ffi::lua_tonumber(self.lua, at)) }
    }

    /// What stands there as bytes; numbers count.
    pub(super) fn bytes(&mut self, at: i32) -> Option<&[u8]> {
        if let Seen::Number(_) = self.seen(at) {
            // SAFETY: the pointer lives. It becomes a text in its place, which no iteration uses as its key: those are
            // in closures that are lent a `View` to look at values with.
            unsafe { ffi::lua_tolstring(self.lua, at, null_mut()) };
        }
        match self.seen(at) {
            Seen::Text(text) => Some(text),
            _ => None,
        }
    }

    fn is_table(&self, at: i32) -> bool {
        // SAFETY: the pointer lives.
        unsafe { ffi::lua_type(self.lua, at) == ffi::LUA_TTABLE }
    }

    /// The length of a table or text, metamethods aside.
    pub(super) fn length(&self, at: i32) -> usize {
        // SAFETY: the pointer lives; what has no length has 0.
        unsafe { ffi::lua_objlen(self.lua, at) }
    }

    /// Whether so many values more can be pushed: asked wherever tables are inside tables.
    pub(super) fn has_room(&self, count: i32) -> bool {
        // SAFETY: the pointer lives; memory is not limited.
        unsafe { ffi::lua_checkstack(self.lua, count) != 0 }
    }

    fn need_room(&self, count: i32) {
        assert!(self.has_room(count), "natives bound how deep they nest");
    }

    fn pop(&mut self, count: i32) {
        // SAFETY: the pointer lives; callers pop what they have pushed.
        unsafe { ffi::lua_settop(self.lua, -count - 1) }
    }

    /// Looks at an element of the table at `at`, metamethods aside; the closure is given its place.
    pub(super) fn with_element<R>(
        &mut self,
        at: i32,
        index: usize,
        look: impl FnOnce(&mut View, i32) -> R,
    ) -> R {
        self.need_room(2);
        // SAFETY: the pointer lives, there is room, and only tables are asked.
        unsafe {
            match (self.is_table(at), c_int::try_from(index)) {
                (true, Ok(index)) => {
                    ffi::lua_rawgeti_(self.lua, at, index);
                }
                (true, Err(_)) => {
                    ffi::lua_pushnumber(self.lua, index as f64);
                    ffi::lua_rawget_(self.lua, at);
                }
                (false, _) => ffi::lua_pushnil(self.lua),
            }
        }
        self.looked(look)
    }

    /// Looks at a field of the table at `at`, metamethods aside.
    pub(super) fn with_field<R>(
        &mut self,
        at: i32,
        name: Name,
        look: impl FnOnce(&mut View, i32) -> R,
    ) -> R {
        self.need_room(2);
        // SAFETY: the pointer lives, there is room, only tables are asked; no key is looked up that is not a text.
        unsafe {
            if self.is_table(at) {
                ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, name as c_int);
                ffi::lua_rawget_(self.lua, at);
            } else {
                ffi::lua_pushnil(self.lua);
            }
        }
        self.looked(look)
    }

    fn looked<R>(&mut self, look: impl FnOnce(&mut View, i32) -> R) -> R {
        let place = self.top();
        let result = look(self, place);
        self.pop(1);
        result
    }

    /// Looks at the pairs of the table at `at`, metamethods aside, until the closure answers an error. It is given the
    /// place of the key; the value stands above it. It must not take a key as [`View::bytes`].
    pub(super) fn each_pair<E>(
        &mut self,
        at: i32,
        mut look: impl FnMut(&mut View, i32) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.is_table(at) {
            return Ok(());
        }
        self.need_room(3);
        // SAFETY: the pointer lives and there is room.
        unsafe { ffi::lua_pushnil(self.lua) };
        let key = self.top();
        // SAFETY: it is a table, and a closure with a `View` can change neither it nor the key (`bytes` of a number would:
        // that is what `assert!` below is for). So `next` finds the key that it gave last, and does not raise.
        while unsafe { ffi::lua_next(self.lua, at) } != 0 {
            // SAFETY: the pointer lives.
            let kind = unsafe { ffi::lua_type(self.lua, key) };
            let result = look(self, key);
            self.pop(1);
            if result.is_err() {
                self.pop(1);
                return result;
            }
            // SAFETY: the pointer lives.
            let same = unsafe { ffi::lua_type(self.lua, key) } == kind;
            assert!(same, "a key stays what it is while a table is looked at");
        }
        Ok(())
    }

    /// Whether the table at `at` has the metatable of arrays.
    pub(super) fn is_marked_array(&mut self, at: i32) -> bool {
        self.need_room(2);
        // SAFETY: the pointer lives and there is room; what has no metatable pushes nothing.
        unsafe {
            if ffi::lua_getmetatable(self.lua, at) == 0 {
                return false;
            }
            let place = Fixture::ArrayMetatable as c_int;
            ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, place);
            let same = ffi::lua_rawequal(self.lua, -1, -2) != 0;
            ffi::lua_settop(self.lua, -3);
            same
        }
    }

    /// The chunk and line of the innermost function that is not the sandbox's.
    pub(super) fn script_frame(&self) -> Option<(Vec<u8>, i64)> {
        for level in 0.. {
            let mut frame = MaybeUninit::<ffi::lua_Debug>::zeroed();
            // SAFETY: the pointer lives. Zeros are a `lua_Debug`; it is read only when Lua has filled it; its texts are
            // C's, and live as long as the function that they speak of.
            unsafe {
                if ffi::lua_getstack(self.lua, level, frame.as_mut_ptr()) == 0 {
                    return None;
                }
                ffi::lua_getinfo(self.lua, c"Sl".as_ptr(), frame.as_mut_ptr());
                let frame = frame.assume_init_ref();
                if frame.source.is_null() || frame.what.is_null() {
                    continue;
                }
                let what = CStr::from_ptr(frame.what).to_bytes();
                let source = CStr::from_ptr(frame.source).to_bytes();
                if matches!(what, b"Lua" | b"main") && source != b"=sandbox" {
                    return Some((source.to_vec(), i64::from(frame.currentline)));
                }
            }
        }
        None
    }
}

/// A stack on which values are built.
pub(super) struct Stack {
    view: View,
}

impl Deref for Stack {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl DerefMut for Stack {
    fn deref_mut(&mut self) -> &mut View {
        &mut self.view
    }
}

impl Stack {
    /// Pushes what `push` pushes: one value, for which there is room.
    fn pushed(&mut self, push: impl FnOnce(*mut lua_State)) {
        self.view.need_room(1);
        push(self.view.lua);
    }

    pub(super) fn push_nil(&mut self) {
        // SAFETY: the pointer lives and there is room.
        self.pushed(|lua| unsafe { ffi::lua_pushnil(lua) });
    }

    pub(super) fn push_boolean(&mut self, truth: bool) {
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_pushboolean(lua, c_int::from(truth)) });
    }

    pub(super) fn push_number(&mut self, number: f64) {
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_pushnumber(lua, number) });
    }

    pub(super) fn push_text(&mut self, text: &[u8]) {
        // SAFETY: as above; Lua copies the bytes.
        self.pushed(|lua| unsafe { ffi::lua_pushlstring_(lua, text.as_ptr().cast(), text.len()) });
    }

    /// Pushes cjson's null.
    pub(super) fn push_null(&mut self) {
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_pushlightuserdata(lua, null_mut()) });
    }

    /// Pushes a table with room for so many elements and fields, within reason; its place.
    pub(super) fn push_table(&mut self, elements: usize, fields: usize) -> i32 {
        /// Elements that are made room for because they are announced.
        const ROOM_MAX: usize = 1 << 16;
        let room = |count: usize| count.min(ROOM_MAX) as c_int;
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_createtable(lua, room(elements), room(fields)) });
        self.top()
    }

    /// Pushes what stands at a place once more.
    pub(super) fn push_again(&mut self, at: i32) {
        // SAFETY: as above; above the top there is nil.
        self.pushed(|lua| unsafe { ffi::lua_pushvalue(lua, at.max(1)) });
    }

    /// Takes the value from the top and makes it an element of the table at `at`.
    pub(super) fn set_element(&mut self, at: i32, index: usize) {
        // SAFETY: the pointer lives; it is a table below the value, and the key is a number.
        unsafe {
            match c_int::try_from(index) {
                Ok(index) if at < self.top() && self.is_table(at) => {
                    ffi::lua_rawseti_(self.lua, at, index);
                }
                _ => self.pop(1),
            }
        }
    }

    /// Takes the value from the top and makes it a field of the table at `at`.
    pub(super) fn set_field(&mut self, at: i32, name: Name) {
        self.need_room(1);
        // SAFETY: the pointer lives, there is room; it is a table below the value, and the key is a text.
        unsafe {
            if at < self.top() && self.is_table(at) {
                ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, name as c_int);
                ffi::lua_insert(self.lua, -2);
                ffi::lua_rawset(self.lua, at);
            } else {
                self.pop(1);
            }
        }
    }

    /// Takes a value and the key below it and puts them into the table at `at`.
    ///
    /// # Errors
    /// The key is none: what Lua says of that.
    pub(super) fn set_pair(&mut self, at: i32) -> Result<(), &'static str> {
        let key = self.top() - 1;
        let wrong = match self.seen(key.max(1)) {
            Seen::Nil | Seen::Missing => Some("table index is nil"),
            Seen::Number(number) if number.is_nan() => Some("table index is NaN"),
            _ if at >= key || !self.is_table(at) => Some("table expected"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        // SAFETY: the pointer lives; below the two is a table, and the key is one that Lua takes.
        unsafe { ffi::lua_rawset(self.lua, at) };
        Ok(())
    }

    /// Takes the value from the top and makes it a field of the table at `at`.
    pub(super) fn set(&mut self, at: i32, name: &str) {
        self.push_text(name.as_bytes());
        // SAFETY: the pointer lives; there are two values on top.
        unsafe { ffi::lua_insert(self.lua, -2) };
        let set = self.set_pair(at);
        assert!(set.is_ok(), "a text is a key");
    }

    /// Marks the table at `at` as an array.
    pub(super) fn mark_array(&mut self, at: i32) {
        self.need_room(1);
        // SAFETY: the pointer lives, there is room; it is a table, and so is the metatable.
        unsafe {
            if self.is_table(at) {
                let place = Fixture::ArrayMetatable as c_int;
                ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, place);
                ffi::lua_setmetatable(self.lua, at);
            }
        }
    }

    /// Pushes a native. `id`: what it finds as [`Stack::id`].
    pub(super) fn push_native(&mut self, state: &State, native: Native, id: usize) {
        self.need_room(3);
        // SAFETY: the pointer lives and there is room. The state outlives Lua's closures: the machine drops it last.
        unsafe {
            ffi::lua_pushlightuserdata(self.lua, native as *mut c_void);
            ffi::lua_pushlightuserdata(self.lua, (&raw const *state).cast_mut().cast());
            ffi::lua_pushnumber(self.lua, id as f64);
            ffi::lua_pushcclosure(self.lua, enter, 3);
        }
    }

    /// The number that the running native was made with.
    pub(super) fn id(&self) -> usize {
        // SAFETY: the pointer lives; what is no number is 0.
        unsafe { ffi::lua_tonumber(self.lua, ffi::lua_upvalueindex(3)) as usize }
    }

    /// Bytes of the C stack that the running script takes.
    pub(super) fn c_stack_bytes(&self, state: &State) -> usize {
        state.stack_base.get().abs_diff(stack_address())
    }

    /// Takes everything off.
    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Takes off what stands above so many values.
    pub(super) fn truncate(&mut self, count: i32) {
        // SAFETY: the pointer lives; the stack does not get higher.
        unsafe { ffi::lua_settop(self.lua, count.clamp(0, self.top())) }
    }

    /// Keeps what stands at a place.
    pub(super) fn keep(&mut self, state: &State, at: i32) -> Kept {
        self.push_again(at);
        // SAFETY: the pointer lives; there is a value on top.
        let slot = unsafe { ffi::luaL_ref(self.lua, ffi::LUA_REGISTRYINDEX) };
        Kept {
            lua: state.lua.clone(),
            pointer: state.main.get(),
            slot,
        }
    }

    /// Moves the value on top below all others.
    pub(super) fn sink(&mut self) {
        if self.top() > 0 {
            // SAFETY: the pointer lives; there is a value.
            unsafe { ffi::lua_insert(self.lua, 1) }
        }
    }

    /// Pushes what is kept.
    pub(super) fn push_kept(&mut self, kept: &Kept) {
        let place = kept.slot;
        // SAFETY: as above; the slot is one of this registry, or of another one, where it is any value.
        self.pushed(|lua| unsafe {
            ffi::lua_rawgeti_(lua, ffi::LUA_REGISTRYINDEX, place);
        });
    }

    /// Whether more memory is in use than scripts may use: looked at while much is built.
    ///
    /// # Errors
    /// It is.
    pub(super) fn check_memory(&self) -> Result<(), Raise> {
        // SAFETY: the pointer lives; it only counts.
        let kib = unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCCOUNT, 0) };
        if kib as usize > HEAP_MAX_BYTES >> 10 {
            return Err(Raise::Memory);
        }
        Ok(())
    }

    /// Pushes `{err = text}`.
    pub(super) fn push_error(&mut self, text: &[u8], is_counted: bool) {
        let table = self.push_table(0, 2);
        self.push_text(text);
        self.set_field(table, Name::Err);
        if is_counted {
            self.push_boolean(true);
            self.set_field(table, Name::IgnoreErrorStats);
        }
    }

    /// Leaves nothing but the value that is raised.
    fn push_raised(&mut self, raise: Raise) {
        self.clear();
        match raise {
            Raise::Table { text, is_counted } => self.push_error(&text, is_counted),
            Raise::Placed(text) => {
                // SAFETY: the pointer lives; the stack is empty, so there is room for both.
                unsafe { ffi::luaL_where(self.lua, 1) };
                self.push_text(&text);
                // SAFETY: there are two texts on top.
                unsafe { ffi::lua_concat(self.lua, 2) };
            }
            Raise::Memory => self.push_text(OUT_OF_MEMORY.to_bytes()),
        }
    }
}

/// What Lua calls for each native.
unsafe extern "C-unwind" fn enter(lua: *mut lua_State) -> c_int {
    // SAFETY: Lua calls with the state that runs. Whatever has a destructor lives inside of `run_native`.
    unsafe {
        match run_native(lua) {
            Some(results) => results,
            None => ffi::lua_error(lua),
        }
    }
}

/// Runs the native of the running closure; `None`: the value on top is to be raised.
#[inline(never)]
unsafe fn run_native(lua: *mut lua_State) -> Option<c_int> {
    // SAFETY: only `push_native` makes closures of `enter`, with these upvalues, which scripts cannot reach: they have no
    // `debug` library. The state lives as long as Lua does.
    let (native, state) = unsafe {
        let native = ffi::lua_touserdata(lua, ffi::lua_upvalueindex(1));
        let state = ffi::lua_touserdata(lua, ffi::lua_upvalueindex(2));
        let native = std::mem::transmute::<*mut c_void, Native>(native);
        (native, &*state.cast::<State>())
    };
    let mut stack = Stack { view: View { lua } };
    state.limit_memory(false);
    let result = native(&mut stack, state);
    let result = match stack.check_memory() {
        Ok(()) => result,
        Err(full) => Err(full),
    };
    let results = result.map_err(|raise| stack.push_raised(raise)).ok();
    state.limit_memory(true);
    results
}

/// A value that Lua must not collect.
pub(super) struct Kept {
    lua: Lua,
    pointer: *mut lua_State,
    slot: c_int,
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: `lua` is held until here, so the pointer lives. A slot of the registry is given back by writing to it.
        unsafe { ffi::luaL_unref(self.pointer, ffi::LUA_REGISTRYINDEX, self.slot) };
        let _ = &self.lua;
    }
}

impl Kept {
    /// Keeps a function.
    ///
    /// # Errors
    /// Lua's memory is used up.
    pub(super) fn new(state: &State, function: mlua::Function) -> mlua::Result<Self> {
        let mut slot = 0;
        // SAFETY: the closure takes the one value that it is given, and drops nothing.
        unsafe {
            state.lua.exec_raw::<()>(function, |lua| {
                slot = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
            })?;
        }
        Ok(Self {
            lua: state.lua.clone(),
            pointer: state.main.get(),
            slot,
        })
    }
}

/// The main state that `lua` has.
///
/// # Errors
/// Lua's memory is used up.
pub(super) fn main_state(lua: &Lua) -> mlua::Result<*mut lua_State> {
    let mut main = null_mut();
    // SAFETY: the closure notes the pointer, which lives as long as `lua`.
    unsafe { lua.exec_raw::<()>((), |state| main = state)? };
    Ok(main)
}

/// A table that `build` leaves on top of the stack.
///
/// # Errors
/// Lua's memory is used up.
pub(super) fn built(lua: &Lua, build: impl FnOnce(&mut Stack)) -> mlua::Result<Table> {
    // SAFETY: memory is not limited yet, so nothing in `build` raises.
    unsafe {
        lua.exec_raw((), |lua| {
            let mut stack = Stack { view: View { lua } };
            build(&mut stack);
        })
    }
}

/// What Lua calls every [`HOOK_INSTRUCTIONS`] instructions of each coroutine: they inherit it.
unsafe extern "C-unwind" fn interrupted(lua: *mut lua_State, _: *mut ffi::lua_Debug) {
    // SAFETY: Lua calls with the state that runs, in which there is room for two values. Whatever has a destructor lives
    // inside of `verdict`.
    unsafe {
        let Some(text) = verdict(lua) else {
            return;
        };
        // From here on no instruction of this coroutine passes: the error cannot be caught and outlived.
        ffi::lua_sethook(lua, Some(interrupted), ffi::LUA_MASKCOUNT, 1);
        ffi::lua_pushlstring_(lua, text.as_ptr().cast(), text.len());
        ffi::lua_error(lua);
    }
}

/// Why the script must end, if it must.
#[inline(never)]
unsafe fn verdict(lua: *mut lua_State) -> Option<&'static str> {
    // SAFETY: the registry holds the address of a state that lives as long as Lua runs (see `put_state`).
    let state = unsafe {
        ffi::lua_rawgeti_(lua, ffi::LUA_REGISTRYINDEX, Fixture::State as c_int);
        let state = ffi::lua_touserdata(lua, -1);
        ffi::lua_settop(lua, -2);
        state.cast::<State>().as_ref()?
    };
    if state.killed.get().is_none() && DOOR.is_set() {
        state.limit_memory(false);
        if let Verdict::Stop(text) = DOOR.with(|door| door.look_at_clock()) {
            state.killed.set(Some(text));
            *state.killed_at.borrow_mut() = View { lua }.script_frame();
        }
        state.limit_memory(true);
    }
    state.killed.get()
}

/// Has the clock looked at while Lua runs.
pub(super) fn arm(state: &State) {
    let count = HOOK_INSTRUCTIONS as c_int;
    // SAFETY: the pointer lives.
    unsafe {
        ffi::lua_sethook(
            state.main.get(),
            Some(interrupted),
            ffi::LUA_MASKCOUNT,
            count,
        );
    }
}

/// Lets the hook find the state.
///
/// # Errors
/// Lua's memory is used up.
pub(super) fn put_state(state: &State) -> mlua::Result<()> {
    let address = (&raw const *state).cast_mut().cast();
    let address = mlua::Value::LightUserData(mlua::LightUserData(address));
    put(&state.lua, Fixture::State as c_int, address)
}

/// Where the C stack is now, as an address.
fn stack_address() -> usize {
    let here = 0_u8;
    (&raw const here).addr()
}

/// Puts the names into the registry.
///
/// # Errors
/// Lua's memory is used up.
pub(super) fn put_names(lua: &Lua) -> mlua::Result<()> {
    for (name, text) in NAMES {
        put(lua, name as c_int, text)?;
    }
    Ok(())
}

/// Puts a table or function of the sandbox into the registry.
///
/// # Errors
/// Lua's memory is used up.
pub(super) fn put_fixture(
    lua: &Lua,
    fixture: Fixture,
    value: impl mlua::IntoLua,
) -> mlua::Result<()> {
    put(lua, fixture as c_int, value)
}

fn put(lua: &Lua, place: c_int, value: impl mlua::IntoLua) -> mlua::Result<()> {
    // SAFETY: the closure takes the one value that it is given, and drops nothing.
    unsafe {
        lua.exec_raw::<()>(value.into_lua(lua)?, |lua| {
            ffi::lua_rawseti_(lua, ffi::LUA_REGISTRYINDEX, place);
        })
    }
}

/// Calls functions of a Lua state from outside.
pub(super) struct Caller<'a> {
    state: &'a State,
}

impl<'a> Caller<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self { state }
    }

    /// Calls a function. `prepare` pushes its arguments and returns how many; it may change the globals.
    pub(super) fn run(
        &self,
        function: &Kept,
        prepare: impl FnOnce(&mut Stack, Globals) -> i32,
    ) -> Finished<'a> {
        let lua = self.state.main.get();
        let mut stack = Stack { view: View { lua } };
        let base = stack.top();
        stack.need_room(4);
        self.state.stack_base.set(stack_address());
        // SAFETY: the pointer lives; there is room. What is called runs protected; while it does memory is limited, and
        // afterwards there is one value where the handler's function and arguments stood.
        let status = unsafe {
            let registry = ffi::LUA_REGISTRYINDEX;
            ffi::lua_rawgeti_(lua, registry, Fixture::Depth as c_int);
            ffi::lua_pushnumber(lua, 0.0);
            ffi::lua_rawseti_(lua, -2, 1);
            ffi::lua_rawgeti_(lua, registry, Fixture::Globals as c_int);
            ffi::lua_replace(lua, -2);
            ffi::lua_rawgeti_(lua, registry, Fixture::OnFailure as c_int);
            ffi::lua_rawgeti_(lua, registry, function.slot);
            if self.state.offers_deprecated {
                // A script may have given itself other globals when it ran last.
                ffi::lua_rawgeti_(lua, registry, Fixture::Scope as c_int);
                ffi::lua_setfenv(lua, -2);
            }
            let arguments = prepare(&mut stack, Globals { at: base + 1 });
            self.state.limit_memory(true);
            let status = ffi::lua_pcall(lua, arguments, 1, base + 2);
            self.state.limit_memory(false);
            if status == ffi::LUA_ERRMEM {
                ffi::lua_gc(lua, ffi::LUA_GCCOLLECT, 0);
            }
            status
        };
        Finished {
            state: self.state,
            base,
            is_ok: status == ffi::LUA_OK,
        }
    }
}

/// Where the table of globals stands while a call is prepared.
#[derive(Clone, Copy)]
pub(super) struct Globals {
    pub(super) at: i32,
}

/// A call that is over; its result, or what it raised, stays on the stack as long as this lives.
pub(super) struct Finished<'a> {
    state: &'a State,
    base: c_int,
    /// Whether it returned; if not, the value is what it raised.
    pub(super) is_ok: bool,
}

impl Finished<'_> {
    /// Looks at the value.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut View, i32) -> R) -> R {
        let mut view = View {
            lua: self.state.main.get(),
        };
        look(&mut view, self.base + 3)
    }
}

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        let lua = self.state.main.get();
        // SAFETY: the pointer lives; the stack only gets lower.
        unsafe {
            if ffi::lua_gettop(lua) > self.base {
                ffi::lua_settop(lua, self.base);
            }
        }
    }
}
