//! What Lua calls: natives, and the hook that looks at the clock.

use super::build::Stack;
use super::view::View;
use super::{Fixture, Native};
use crate::script::machine::{HOOK_INSTRUCTIONS, State};
use mlua::ffi::{self, lua_State};
use std::ffi::{c_int, c_void};

/// What Lua calls for each native.
pub(super) unsafe extern "C-unwind" fn enter(lua: *mut lua_State) -> c_int {
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
    state.limit_memory(false);
    let verdict = state.look_at_clock(&View { lua });
    state.limit_memory(true);
    verdict
}

/// Has the clock looked at while Lua runs.
pub(in crate::script) fn arm(state: &State) {
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

/// Where the C stack is now, as an address.
#[inline(never)]
pub(super) fn stack_address() -> usize {
    let here = 0_u8;
    (&raw const here).addr()
}
