//! What stands on Lua's stack and in its tables.

use super::{Fixture, Name, Seen};
use mlua::ffi::{self, lua_State};
use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

/// A stack that is only read: what is read comes and goes, nothing that stands on it changes.
pub(in crate::script) struct View {
    pub(super) lua: *mut lua_State,
}

impl View {
    /// The highest place in use.
    pub(in crate::script) fn top(&self) -> i32 {
        // SAFETY: the pointer lives (see the head).
        unsafe { ffi::lua_gettop(self.lua) }
    }

    /// What stands at a place, counted from 1 on.
    pub(in crate::script) fn seen(&self, at: i32) -> Seen<'_> {
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
    pub(in crate::script) fn number(&self, at: i32) -> Option<f64> {
        // SAFETY: the pointer lives; neither changes what stands there.
        unsafe { (ffi::lua_isnumber(self.lua, at) != 0).then(|| ffi::lua_tonumber(self.lua, at)) }
    }

    /// What stands there as bytes; numbers count.
    pub(in crate::script) fn bytes(&mut self, at: i32) -> Option<&[u8]> {
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

    pub(super) fn is_table(&self, at: i32) -> bool {
        // SAFETY: the pointer lives.
        unsafe { ffi::lua_type(self.lua, at) == ffi::LUA_TTABLE }
    }

    /// The length of a table or text, metamethods aside.
    pub(in crate::script) fn length(&self, at: i32) -> usize {
        // SAFETY: the pointer lives; what has no length has 0.
        unsafe { ffi::lua_objlen(self.lua, at) }
    }

    /// Whether so many values more can be pushed: asked wherever tables are inside tables.
    pub(in crate::script) fn has_room(&self, count: i32) -> bool {
        // SAFETY: the pointer lives; memory is not limited.
        unsafe { ffi::lua_checkstack(self.lua, count) != 0 }
    }

    pub(super) fn need_room(&self, count: i32) {
        assert!(self.has_room(count), "natives bound how deep they nest");
    }

    pub(super) fn pop(&mut self, count: i32) {
        // SAFETY: the pointer lives; callers pop what they have pushed.
        unsafe { ffi::lua_settop(self.lua, -count - 1) }
    }

    /// Looks at an element of the table at `at`, metamethods aside; the closure is given its place.
    pub(in crate::script) fn with_element<R>(
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
    pub(in crate::script) fn with_field<R>(
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
    pub(in crate::script) fn each_pair<E>(
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
    pub(in crate::script) fn is_marked_array(&mut self, at: i32) -> bool {
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
    pub(in crate::script) fn script_frame(&self) -> Option<(Vec<u8>, i64)> {
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
