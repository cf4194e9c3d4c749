//! Calling Lua from outside, and what is kept for it in the registry.

use super::build::Stack;
use super::enter::stack_address;
use super::view::View;
use super::{Fixture, NAMES};
use crate::script::machine::State;
use mlua::ffi::{self, lua_State};
use mlua::{Lua, Table};
use std::ffi::c_int;
use std::ptr::null_mut;

/// A value that Lua must not collect.
pub(in crate::script) struct Kept {
    pub(super) lua: Lua,
    pub(super) pointer: *mut lua_State,
    pub(super) slot: c_int,
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
    pub(in crate::script) fn new(state: &State, function: mlua::Function) -> mlua::Result<Self> {
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
pub(in crate::script) fn main_state(lua: &Lua) -> mlua::Result<*mut lua_State> {
    let mut main = null_mut();
    // SAFETY: the closure notes the pointer, which lives as long as `lua`.
    unsafe { lua.exec_raw::<()>((), |state| main = state)? };
    Ok(main)
}

/// A table that `build` leaves on top of the stack.
///
/// # Errors
/// Lua's memory is used up.
pub(in crate::script) fn built(lua: &Lua, build: impl FnOnce(&mut Stack)) -> mlua::Result<Table> {
    // SAFETY: memory is not limited yet, so nothing in `build` raises.
    unsafe {
        lua.exec_raw((), |lua| {
            let mut stack = Stack { view: View { lua } };
            build(&mut stack);
        })
    }
}

/// Lets the hook find the state.
///
/// # Errors
/// Lua's memory is used up.
pub(in crate::script) fn put_state(state: &State) -> mlua::Result<()> {
    let address = (&raw const *state).cast_mut().cast();
    let address = mlua::Value::LightUserData(mlua::LightUserData(address));
    put(&state.lua, Fixture::State as c_int, address)
}

/// Puts the names into the registry.
///
/// # Errors
/// Lua's memory is used up.
pub(in crate::script) fn put_names(lua: &Lua) -> mlua::Result<()> {
    for (name, text) in NAMES {
        put(lua, name as c_int, text)?;
    }
    Ok(())
}

/// Puts a table or function of the sandbox into the registry.
///
/// # Errors
/// Lua's memory is used up.
pub(in crate::script) fn put_fixture(
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
pub(in crate::script) struct Caller<'a> {
    state: &'a State,
}

impl<'a> Caller<'a> {
    pub(in crate::script) fn new(state: &'a State) -> Self {
        Self { state }
    }

    /// Calls a function. `prepare` pushes its arguments and returns how many; it may change the globals.
    pub(in crate::script) fn run(
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
pub(in crate::script) struct Globals {
    pub(in crate::script) at: i32,
}

/// A call that is over; its result, or what it raised, stays on the stack as long as this lives.
pub(in crate::script) struct Finished<'a> {
    state: &'a State,
    base: c_int,
    /// Whether it returned; if not, the value is what it raised.
    pub(in crate::script) is_ok: bool,
}

impl Finished<'_> {
    /// Looks at the value.
    pub(in crate::script) fn look<R>(&self, look: impl FnOnce(&mut View, i32) -> R) -> R {
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
