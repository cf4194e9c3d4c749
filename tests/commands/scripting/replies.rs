//! Replies as Lua values, Lua values as replies, in both protocols.

use super::{check_all, eval};
use crate::harness::Server;

#[test]
fn what_a_script_returns_becomes_a_reply() {
    check_all(&[
        ("return 1", "(1)"),
        ("return 3.99", "(3)"),
        ("return -3.99", "(-3)"),
        ("return 0/0", "(-9223372036854775808)"),
        ("return 2^63", "(-9223372036854775808)"),
        ("return 'x'", "x"),
        ("return '\\0\\255'", "\0\u{fffd}"),
        ("return true", "(1)"),
        ("return false", "nil"),
        ("return nil", "nil"),
        ("return", "nil"),
        ("return function() end", "nil"),
        ("return {}", "[]"),
        ("return {1,'a',{2,{}}}", "[(1) a [(2) []]]"),
        ("return {1,nil,3}", "[(1)]"),
        ("return {1,false,3}", "[(1) nil (3)]"),
        ("return {ok='fine'}", "fine"),
        ("return {ok='a\\r\\nb'}", "a  b"),
        ("return {err='MY\\nerr'}", "!MY err"),
        ("return {1,err='first'}", "!first"),
        ("return {ok=1}", "[]"),
        ("return redis.error_reply('x')", "!ERR x"),
        ("return redis.error_reply('MY x')", "!MY x"),
        ("return redis.error_reply('-MY x')", "!MY x"),
        (
            "return redis.error_reply(1)",
            "!ERR wrong number or type of arguments",
        ),
        ("return redis.status_reply('x')", "x"),
        ("return {double=3.5}", "3.5"),
        ("return {map={a=1}}", "[a (1)]"),
        ("return {set={a=true}}", "[a]"),
        ("return {big_number='12345'}", "12345"),
        ("return {verbatim_string={string='hi',format='txt'}}", "hi"),
    ]);
}

#[test]
fn a_client_of_resp3_gets_the_types_that_a_script_names() {
    let mut server = Server::new();
    server.run("HELLO 3");
    for (script, reply) in [
        ("return {double=3.5}", ",3.5"),
        ("return {map={a=1}}", "{a (1)}"),
        ("return {set={a=true}}", "~[a]"),
        (
            "return {big_number='12345'}",
            "BigNumber([49, 50, 51, 52, 53])",
        ),
        ("return true", "(1)"),
        ("return false", "nil"),
        ("redis.setresp(3) return true", "#t"),
        ("redis.setresp(3) return {false}", "[#f]"),
    ] {
        assert_eq!(eval(&mut server, script), reply, "{script}");
    }
}

#[test]
fn scripts_get_replies_in_the_form_they_ask_for() {
    let mut server = Server::with_config("enable-debug-command yes");
    server.check("DEBUG SET-DISABLE-DENY-SCRIPTS 1 -> OK");
    for (kind, resp2, resp3) in [
        ("string", "string", "string"),
        ("integer", "number", "number"),
        ("double", "string", "table double number"),
        ("bignum", "string", "table big_number string"),
        ("null", "boolean", "nil"),
        ("array", "table", "table"),
        ("set", "table", "table set table"),
        ("map", "table", "table map table"),
        ("verbatim", "string", "table verbatim_string table"),
        ("true", "number", "boolean"),
        ("false", "number", "boolean"),
    ] {
        for (version, expected) in [(2, resp2), (3, resp3)] {
            let script = format!(
                "redis.setresp({version}) local r = redis.call('debug','protocol','{kind}') local s = type(r)
                 if s == 'table' then for _, n in pairs{{'double','big_number','set','map','verbatim_string'}} do
                 if r[n] ~= nil then s = s .. ' ' .. n .. ' ' .. type(r[n]) end end end return s"
            );
            assert_eq!(eval(&mut server, &script), expected, "{kind} RESP{version}");
        }
    }
}

#[test]
fn what_is_nested_too_deep_or_in_itself_ends_in_an_error() {
    let mut server = Server::new();
    let client = server.client;
    for script in [
        "local t = {} t[1] = t return t",
        "local t = {} for i = 1, 100000 do t = {t} end return t",
    ] {
        let reply = server.raw(client, &[b"EVAL", script.as_bytes(), b"0"]);
        let text = String::from_utf8_lossy(&reply);
        assert!(
            text.ends_with("-ERR reached lua stack limit\r\n"),
            "{script}"
        );
        assert!(text.starts_with("*1\r\n*1\r\n"));
    }
    server.check("PING -> PONG");
}

#[test]
fn no_metamethod_runs_while_a_reply_is_written() {
    check_all(&[
        (
            "return setmetatable({}, {__index = function() error('no') end})",
            "[]",
        ),
        (
            "return setmetatable({1}, {__index = function(t, i) return i end})",
            "[(1)]",
        ),
        ("return {map = setmetatable({}, {__pairs = error})}", "[]"),
    ]);
}
