//! Building values on Lua's stack.

use super::call::Kept;
use super::enter::{enter, stack_address};
use super::view::View;
use super::{Fixture, Name, Native, Raise, Seen};
use crate::script::machine::{HEAP_MAX_BYTES, State};
use mlua::ffi::{self, lua_State};
use std::ffi::{c_int, c_void};
use std::ops::{Deref, DerefMut};
use std::ptr::null_mut;

/// A stack on which values are built.
pub(in crate::script) struct Stack {
    pub(super) view: View,
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

    pub(in crate::script) fn push_nil(&mut self) {
        // SAFETY: the pointer lives and there is room.
        self.pushed(|lua| unsafe { ffi::lua_pushnil(lua) });
    }

    pub(in crate::script) fn push_boolean(&mut self, truth: bool) {
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_pushboolean(lua, c_int::from(truth)) });
    }

    pub(in crate::script) fn push_number(&mut self, number: f64) {
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_pushnumber(lua, number) });
    }

    pub(in crate::script) fn push_text(&mut self, text: &[u8]) {
        // SAFETY: as above; Lua copies the bytes.
        self.pushed(|lua| unsafe { ffi::lua_pushlstring_(lua, text.as_ptr().cast(), text.len()) });
    }

    /// Pushes cjson's null.
    pub(in crate::script) fn push_null(&mut self) {
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_pushlightuserdata(lua, null_mut()) });
    }

    /// Pushes a table with room for so many elements and fields, within reason; its place.
    pub(in crate::script) fn push_table(&mut self, elements: usize, fields: usize) -> i32 {
        /// Elements that are made room for because they are announced.
        const ROOM_MAX: usize = 1 << 16;
        let room = |count: usize| count.min(ROOM_MAX) as c_int;
        // SAFETY: as above.
        self.pushed(|lua| unsafe { ffi::lua_createtable(lua, room(elements), room(fields)) });
        self.top()
    }

    /// Pushes what stands at a place once more.
    pub(in crate::script) fn push_again(&mut self, at: i32) {
        // SAFETY: as above; above the top there is nil.
        self.pushed(|lua| unsafe { ffi::lua_pushvalue(lua, at.max(1)) });
    }

    /// Takes the value from the top and makes it an element of the table at `at`.
    pub(in crate::script) fn set_element(&mut self, at: i32, index: usize) {
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
    pub(in crate::script) fn set_field(&mut self, at: i32, name: Name) {
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
    pub(in crate::script) fn set_pair(&mut self, at: i32) -> Result<(), &'static str> {
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
    pub(in crate::script) fn set(&mut self, at: i32, name: &str) {
        self.push_text(name.as_bytes());
        // SAFETY: the pointer lives; there are two values on top.
        unsafe { ffi::lua_insert(self.lua, -2) };
        let set = self.set_pair(at);
        assert!(set.is_ok(), "a text is a key");
    }

    /// Marks the table at `at` as an array.
    pub(in crate::script) fn mark_array(&mut self, at: i32) {
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
    pub(in crate::script) fn push_native(&mut self, state: &State, native: Native, id: usize) {
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
    pub(in crate::script) fn id(&self) -> usize {
        // SAFETY: the pointer lives; what is no number is 0.
        unsafe { ffi::lua_tonumber(self.lua, ffi::lua_upvalueindex(3)) as usize }
    }

    /// Bytes of the C stack that the running script takes.
    pub(in crate::script) fn c_stack_bytes(&self, state: &State) -> usize {
        state.stack_base.get().abs_diff(stack_address())
    }

    /// Takes everything off.
    pub(in crate::script) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Takes off what stands above so many values.
    pub(in crate::script) fn truncate(&mut self, count: i32) {
        // SAFETY: the pointer lives; the stack does not get higher.
        unsafe { ffi::lua_settop(self.lua, count.clamp(0, self.top())) }
    }

    /// Keeps what stands at a place.
    pub(in crate::script) fn keep(&mut self, state: &State, at: i32) -> Kept {
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
    pub(in crate::script) fn sink(&mut self) {
        if self.top() > 0 {
            // SAFETY: the pointer lives; there is a value.
            unsafe { ffi::lua_insert(self.lua, 1) }
        }
    }

    /// Pushes what is kept.
    pub(in crate::script) fn push_kept(&mut self, kept: &Kept) {
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
    pub(in crate::script) fn check_memory(&self) -> Result<(), Raise> {
        // SAFETY: the pointer lives; it only counts.
        let kib = unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCCOUNT, 0) };
        if kib as usize > HEAP_MAX_BYTES >> 10 {
            return Err(Raise::Memory);
        }
        Ok(())
    }

    /// Pushes `{err = text}`.
    pub(in crate::script) fn push_error(&mut self, text: &[u8], is_counted: bool) {
        let table = self.push_table(0, 2);
        self.push_text(text);
        self.set_field(table, Name::Err);
        if is_counted {
            self.push_boolean(true);
            self.set_field(table, Name::IgnoreErrorStats);
        }
    }

    /// Leaves nothing but the value that is raised.
    pub(super) fn push_raised(&mut self, raise: Raise) {
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
            Raise::Memory => self.push_text(b"not enough memory"),
        }
    }
}
