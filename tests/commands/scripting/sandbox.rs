//! Inputs that have broken sandboxes: each is refused or bounded, and the server goes on.

use super::{check_all, eval};
use crate::harness::Server;

const READONLY: &str =
    "!ERR user_script:1: Attempt to modify a readonly table script: SHA, on @user_script:1.";
const READONLY_RAW: &str =
    "!ERR Attempt to modify a readonly table script: SHA, on @user_script:1.";

#[test]
fn globals_and_library_tables_are_read_only() {
    for script in [
        "x = 1",
        "_G.x = 1",
        "_G = {}",
        "redis = nil",
        "KEYS = {}",
        "redis.call = 1",
        "redis.nosuch = 1",
        "string.rep = 1",
        "table.x = 1",
        "math.pi = 3",
        "cjson.encode = 1",
        "cmsgpack.pack = 1",
        "bit.band = 1",
        "struct.pack = 1",
        "os.clock = 1",
        "coroutine.wrap = 1",
        "getmetatable('').__index = 1",
        "getmetatable(_G).__index = 1",
        "getmetatable(_G).__newindex = nil",
    ] {
        check_all(&[(script, READONLY)]);
    }
    for script in [
        "rawset(_G, 'x', 1)",
        "rawset(redis, 'call', 1)",
        "setmetatable(_G, {})",
        "setmetatable(redis, {})",
        "setmetatable(string, nil)",
        "table.insert(redis, 1)",
        "table.insert(_G, 1)",
        "table.remove(cjson)",
    ] {
        check_all(&[(script, READONLY_RAW)]);
    }
}

#[test]
fn what_is_copied_out_of_a_library_does_not_lead_back() {
    check_all(&[
        (
            "local f, s = pairs(redis) s.call = 1 return type(redis.call)",
            "function",
        ),
        (
            "local f, s = pairs(_G) s.redis = 1 return type(redis)",
            "table",
        ),
        (
            "for k, v in pairs(_G) do if k == '_G' then v.x = 1 end end",
            READONLY,
        ),
        ("return type(rawget(_G, 'redis'))", "table"),
        ("local real = next(redis) return type(real)", "string"),
        ("return getmetatable(redis)", "nil"),
    ]);
}

#[test]
fn nothing_stays_of_a_script_for_the_next_one() {
    let mut server = Server::new();
    for script in [
        "x = 1",
        "rawset(_G, 'x', 1)",
        "table.insert(_G, 'x')",
        "getfenv(1).x = 1",
        "setfenv(1, {})",
        "local s = getmetatable('') s.x = 1",
        "loadstring('x = 1')()",
        "coroutine.wrap(function() x = 1 end)()",
        "(function(...) x = 1 end)()",
    ] {
        assert!(eval(&mut server, script).starts_with("!ERR "), "{script}");
        assert_eq!(
            eval(&mut server, "return {#_G, tostring(rawget(_G, 'x'))}"),
            "[(0) nil]",
            "{script}"
        );
    }
}

#[test]
fn what_reaches_outside_is_not_there() {
    for name in [
        "io", "package", "debug", "require", "module", "newproxy", "dofile", "loadfile", "print",
        "getfenv", "setfenv", "jit", "arg", "bridge",
    ] {
        let expected = format!(
            "!ERR user_script:1: Script attempted to access nonexistent global variable '{name}' script: SHA, on @user_script:1."
        );
        check_all(&[(&format!("return {name}"), &expected)]);
    }
    check_all(&[
        (
            "local t = {} for k in pairs(os) do t[#t+1] = k end return t",
            "[clock]",
        ),
        ("return type(os.execute)", "nil"),
    ]);
}

#[test]
fn bytecode_is_refused() {
    let refused = "[nil binary chunks are not allowed]";
    check_all(&[
        (
            "local f, e = loadstring('\\27Lua') return {tostring(f), e}",
            refused,
        ),
        (
            "local t = {'\\27', 'LuaQ'} local i = 0 local f, e = load(function() i = i + 1 return t[i] end) return {tostring(f), e}",
            refused,
        ),
        (
            "local f, e = loadstring(string.dump(function() return 1 end)) return {tostring(f), e}",
            refused,
        ),
    ]);
    let mut server = Server::new();
    let client = server.client;
    let reply = server.raw(
        client,
        &[b"EVAL", b"\x1bLuaQ\0\x01\x04\x08\x04\x08\0", b"0"],
    );
    assert!(reply.starts_with(b"-ERR Error compiling script"));
}

#[test]
fn deep_recursion_ends_in_an_error() {
    let mut server = Server::new();
    for script in [
        "local function f() return 1 + f() end return f()",
        "local function f() return pcall(f) end return {f()}",
        "local function f() local ok, e = pcall(f) error(e) end f()",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
        "local t = setmetatable({}, {}) getmetatable(t).__tostring = function(t) return tostring(t) end return tostring(t)",
        "local function f() return coroutine.wrap(f)() end return f()",
        "local function f() return select(2, coroutine.resume(coroutine.create(f))) end return f()",
        "local function f() return string.gsub('a', 'a', f) end return f()",
        "local function f(a, b) table.sort({1,2,3}, f) return a < b end table.sort({3,2,1}, f) return 1",
        "return loadstring('return ' .. string.rep('(', 100000) .. string.rep(')', 100000))",
        "return loadstring(string.rep('do ', 100000) .. string.rep('end ', 100000))",
        "return loadstring('return ' .. string.rep('{', 100000) .. string.rep('}', 100000))",
        "return loadstring('return ' .. string.rep('-', 10) .. string.rep('not ', 100000) .. '1')",
        "return loadstring('return ' .. string.rep('a..', 100000) .. '1')",
        "return #{unpack({}, 1, 1e7)}",
        "return #{string.byte(string.rep('x', 1e6), 1, -1)}",
    ] {
        eval(&mut server, script);
        assert_eq!(server.run("PING"), "PONG", "{script}");
        assert_eq!(eval(&mut server, "return 1"), "(1)", "{script}");
    }
}

#[test]
fn bounds_that_do_not_fit_are_too_many_results() {
    let too_many = "!ERR user_script:1: too many results to unpack script: SHA, on @user_script:1.";
    check_all(&[
        ("return {unpack({1,2,3}, -2, 2147483647)}", too_many),
        ("return {unpack({1,2,3}, 0, 2147483647)}", too_many),
        ("return {unpack({1,2,3}, -2147483648, -2147483640)}", "[]"),
        ("return {unpack({1,2,3}, 2147483640, 2147483650)}", too_many),
        ("return {unpack({1,2,3}, 1, 1/0)}", too_many),
        ("return {unpack({1,2,3}, 0/0, 1)}", too_many),
        ("return {unpack({1,2,3})}", "[(1) (2) (3)]"),
        ("return {unpack({1,2,3}, '2')}", "[(2) (3)]"),
        ("return {unpack({1,2,3}, 3, 1)}", "[]"),
    ]);
}

#[test]
fn patterns_that_would_take_all_of_the_stack_are_refused() {
    let too_complex = "!ERR user_script:1: pattern too complex script: SHA, on @user_script:1.";
    check_all(&[
        (
            "return string.find(string.rep('a', 220000), string.rep('a?', 220000))",
            too_complex,
        ),
        (
            "return string.match(string.rep('a', 220000), string.rep('a*', 220000))",
            too_complex,
        ),
        (
            "return string.gsub(string.rep('a', 220000), string.rep('a-', 220000), '')",
            too_complex,
        ),
        (
            "return (string.gmatch('a', string.rep('(', 220000))())",
            too_complex,
        ),
        ("return ('x'):find(string.rep('a?', 220000))", too_complex),
        ("return string.find('a', string.rep('b', 220000))", "nil"),
        (
            "return string.find(string.rep('a', 50), string.rep('a?', 50))",
            "(1)",
        ),
        (
            "return string.find(string.rep('a?', 1000), string.rep('a?', 1000), 1, true)",
            "(1)",
        ),
    ]);
}

#[test]
fn memory_is_bounded() {
    let mut server = Server::new();
    for script in [
        "return #string.rep('x', 1e10)",
        "return #string.rep('x', 2^53)",
        "return #string.rep('xx', 2^62)",
        "return #('x'):rep(1e18)",
    ] {
        assert_eq!(
            eval(&mut server, script),
            "!ERR user_script:1: resulting string too large script: SHA, on @user_script:1.",
            "{script}"
        );
    }
    assert_eq!(eval(&mut server, "return string.rep('', 1e15)"), "");
    assert_eq!(eval(&mut server, "return string.rep('x', -1e15)"), "");
    let script = "local s = string.rep('x', 2^20) while true do s = s .. s end";
    assert!(eval(&mut server, script).starts_with("!ERR not enough memory"));
    assert_eq!(eval(&mut server, "return 1"), "(1)");
    let script = "local t = {} return #{pcall(function() for i = 1, 2^40 do t[i] = string.rep('x', 2^24) .. i end end)}";
    assert_eq!(eval(&mut server, script), "(2)");
    assert_eq!(
        eval(&mut server, "return #string.rep('x', 1e6)"),
        "(1000000)"
    );
}

#[test]
fn error_objects_with_metamethods_that_raise_are_only_errors() {
    let mut server = Server::new();
    for script in [
        "error(setmetatable({}, {__index = function() error('again') end}))",
        "error(setmetatable({}, {__tostring = function() error('again') end}))",
        "error(setmetatable({}, {__newindex = function() error('again') end}))",
        "error(setmetatable({}, {__metatable = 1, __index = error, __newindex = error}))",
        "error(setmetatable({}, {__tostring = function(t) return tostring(t) end}))",
        "pcall(error, setmetatable({}, {__index = error})) error(setmetatable({}, {__index = error}))",
        "return setmetatable({}, {__index = function() error('again') end}).x",
        "local ok, e = pcall(error, setmetatable({}, {__index = error, __tostring = error})) error(e)",
        "xpcall(error, function(e) error(e) end) error({err = setmetatable({}, {__tostring = error})})",
        "local t = setmetatable({}, {__eq = error, __lt = error, __le = error, __concat = error}) return t .. t",
        "error(coroutine.create(function() end))",
        "error(redis.call)",
    ] {
        assert!(eval(&mut server, script).starts_with("!ERR "), "{script}");
        assert_eq!(eval(&mut server, "return 1"), "(1)", "{script}");
    }
}

#[test]
fn what_the_servers_functions_raise_is_no_userdata_to_scripts() {
    check_all(&[
        (
            "local ok, e = pcall(redis.call, 'get') return type(e)",
            "string",
        ),
        (
            "local ok, e = pcall(cjson.decode, '{') return type(e)",
            "string",
        ),
        (
            "local ok, e = coroutine.resume(coroutine.create(function() redis.call('get') end)) return type(e)",
            "table",
        ),
        (
            "local ok, e = xpcall(function() redis.call('get') end, function(e) return type(e) end) return e",
            "table",
        ),
        (
            "local ok, e = xpcall(function() cjson.decode('{') end, function(e) return e end) return e",
            "user_script:1: Expected object key string but found T_END at character 2",
        ),
    ]);
}

#[test]
fn nesting_in_cjson_and_cmsgpack_is_bounded() {
    // The server's thread has so much, that of a test less.
    const STACK_BYTES: usize = 8 << 20;
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let checked = thread
        .spawn(check_nesting)
        .map(std::thread::JoinHandle::join);
    assert!(matches!(checked, Ok(Ok(()))));
}

fn check_nesting() {
    check_all(&[
        (
            "return cjson.decode(string.rep('[', 1001) .. string.rep(']', 1001))",
            "!ERR user_script:1: Found too many nested data structures (1001) at character 1001 script: SHA, on @user_script:1.",
        ),
        (
            "cjson.decode_max_depth(2^31 - 1) local ok, e = pcall(cjson.decode, string.rep('[', 1e6)) cjson.decode_max_depth(1000) return e",
            "Found too many nested data structures (1001) at character 1001",
        ),
        (
            "local t = {} t.t = t return cjson.encode(t)",
            "!ERR user_script:1: Cannot serialise, excessive nesting (1001) script: SHA, on @user_script:1.",
        ),
        (
            "local ok, e = pcall(cmsgpack.unpack, string.rep('\\145', 1e6)) return e",
            "stack overflow (in function mp_decode_to_lua_array)",
        ),
        (
            "local ok, e = pcall(cmsgpack.unpack, string.rep('\\129\\1', 1e6)) return e",
            "stack overflow (in function mp_decode_to_lua_hash)",
        ),
        (
            "local t = {} for i = 1, 1000 do t = {t} end return #cmsgpack.pack(t)",
            "(17)",
        ),
        (
            "return {pcall(cmsgpack.unpack, '\\221\\255\\255\\255\\255')}",
            "[nil Missing bytes in input.]",
        ),
        (
            "return {pcall(cmsgpack.unpack, '\\219\\255\\255\\255\\255x')}",
            "[nil Missing bytes in input.]",
        ),
    ]);
}

#[test]
fn offsets_and_sizes_of_struct_are_checked() {
    let mut server = Server::new();
    for call in [
        "struct.unpack('i', '')",
        "struct.unpack('i4', 'abcd', 0)",
        "struct.unpack('i4', 'abcd', -1)",
        "struct.unpack('i4', 'abcd', 2^53)",
        "struct.unpack('i4', 'abcd', -2^63)",
        "struct.unpack('c2147483647', 'abcd')",
        "struct.unpack('Ic0', '\\255\\255\\255\\255')",
        "struct.unpack('i33', 'abcd')",
        "struct.unpack('c99999999999', 'a')",
        "struct.pack('!3i', 1)",
        "struct.pack('!0i', 1)",
        "struct.pack('c10', 'short')",
        "struct.size('s')",
    ] {
        let reply = eval(&mut server, &format!("return {{{call}}}"));
        assert!(reply.starts_with("!ERR "), "{call}: {reply}");
    }
    assert_eq!(server.run("PING"), "PONG");
}

#[test]
fn the_collector_is_the_servers() {
    check_all(&[
        (
            "return {collectgarbage('stop'), collectgarbage('setpause', 100000)}",
            "[(0) (0)]",
        ),
        ("return collectgarbage()", "(0)"),
        ("return type(collectgarbage('count'))", "number"),
    ]);
}

#[test]
fn what_is_raised_is_not_written_to() {
    let mut server = Server::new();
    for script in ["error(_G)", "error(redis)", "error(cjson)", "error(string)"] {
        assert!(eval(&mut server, script).starts_with("!ERR "), "{script}");
        let looked = "return {type(rawget(_G, 'source')), type(redis.source), type(cjson.line)}";
        assert_eq!(eval(&mut server, looked), "[nil nil nil]", "{script}");
    }
}
