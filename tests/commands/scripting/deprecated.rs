//! The deprecated functions of Lua, and re-entry: what must not lead out of the sandbox where it is allowed at all.

use super::eval;
use crate::harness::Server;

/// A server whose scripts have the deprecated functions of Lua.
fn with_deprecated() -> Server {
    Server::build("lua-enable-deprecated-api yes", [])
}

#[test]
fn deprecated_functions_are_there_where_they_are_asked_for_and_lead_nowhere() {
    let mut server = with_deprecated();
    for (script, reply) in [
        (
            "local f = function() return x end setfenv(f, {x = 1}) return f()",
            "(1)",
        ),
        ("return tostring(getfenv(function() end) == _G)", "true"),
        ("local env = getfenv() return tostring(env == _G)", "true"),
        ("local env = getfenv(1) return tostring(env == _G)", "true"),
        (
            "getmetatable(newproxy(true)).__gc = function() return 1 end return 0",
            "(0)",
        ),
        (
            "local p = newproxy(true) getmetatable(p).__index = {x = 5} return p.x",
            "(5)",
        ),
        (
            "local p = newproxy(true) local q = newproxy(p) getmetatable(p).__tostring = function() return 'p' end return tostring(q)",
            "p",
        ),
    ] {
        assert_eq!(eval(&mut server, script), reply, "{script}");
    }
    for outside in [
        "0",
        "pcall",
        "redis.call",
        "string.gsub",
        "cjson.encode",
        "coroutine.wrap",
        "2",
        "3",
        "getmetatable(redis) or pcall",
        "coroutine.wrap(function() end)",
        "loadstring('return 1')",
    ] {
        let script = format!(
            "local ok, env = pcall(getfenv, {outside}) if not ok then return 'nothing' end return tostring(env == _G)"
        );
        let reply = eval(&mut server, &script);
        assert!(
            matches!(reply.as_str(), "true" | "nothing"),
            "{outside}: {reply}"
        );
        let script = format!("setfenv({outside}, {{pcall = 1}})");
        eval(&mut server, &script);
        assert_eq!(
            eval(&mut server, "return type(pcall)"),
            "function",
            "{outside}"
        );
    }
}

#[test]
fn globals_that_a_script_gives_itself_are_not_there_the_next_time() {
    let mut server = with_deprecated();
    let script = "local before = rawget(getfenv(1), 'x') setfenv(1, {rawget = rawget, getfenv = getfenv, x = 1}) return before";
    for _ in 0..3 {
        assert_eq!(eval(&mut server, script), "nil");
    }
    let script = "setfenv(1, {}) return 1";
    assert_eq!(eval(&mut server, script), "(1)");
    assert_eq!(
        eval(&mut server, "return loadstring('return type(redis)')()"),
        "table"
    );
}

#[test]
fn no_finalizer_of_a_script_runs() {
    let mut server = with_deprecated();
    for script in [
        "for i = 1, 1000 do getmetatable(newproxy(true)).__gc = function() error('raised by the collector') end end collectgarbage() return 1",
        "for i = 1, 1000 do rawset(getmetatable(newproxy(true)), '__gc', error) end collectgarbage() return 1",
        "for i = 1, 1000 do getmetatable(newproxy(true)).__metatable = {__gc = error} end collectgarbage() return 1",
    ] {
        assert_eq!(eval(&mut server, script), "(1)", "{script}");
    }
}

#[test]
fn a_script_runs_no_other_script() {
    let mut server = Server::build("enable-debug-command yes", []);
    server.check("DEBUG SET-DISABLE-DENY-SCRIPTS 1 -> OK");
    assert_eq!(
        eval(&mut server, "return redis.pcall('eval', 'return 1', 0)"),
        "!ERR A script cannot run another script"
    );
    assert_eq!(eval(&mut server, "return redis.call('incr', 'a')"), "(1)");
}
