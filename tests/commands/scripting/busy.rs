//! A script that runs for long: what others are told, and how it is ended.

use super::{eval, without_sha1};
use crate::harness::{Server, replies};
use crate::rows::{PASS, PUT, TAKE};

const BUSY: &str =
    "!BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const KILLED: &str =
    "!ERR Script killed by user with SCRIPT KILL... script: SHA, on @user_script:1.";

/// A server whose scripts are busy at once (`PASS` lets the time pass), and another client.
fn server() -> (Server, usize) {
    let mut server = Server::build("busy-reply-threshold 10", [&PASS, &PUT, &TAKE]);
    let other = server.connect();
    (server, other)
}

fn busy(server: &mut Server, other: usize, lines: &[&str], script: &str) -> (String, Vec<String>) {
    let others = lines
        .iter()
        .map(|line| (other, format!("{line}\r\n").into_bytes()));
    server.host.others = others.collect();
    let reply = eval(server, &format!("redis.call('pass','100') {script}"));
    (reply, std::mem::take(&mut server.host.answers))
}

#[test]
fn others_are_told_that_a_script_is_busy_and_may_end_it() {
    let (mut server, other) = server();
    let lines = [
        "PING",
        "GET a",
        "NOSUCH",
        "GET",
        "SHUTDOWN",
        "FUNCTION KILL",
        "SCRIPT KILL",
    ];
    let (reply, answers) = busy(&mut server, other, &lines, "while true do end");
    assert_eq!(reply, KILLED);
    assert_eq!(
        answers,
        [
            BUSY,
            BUSY,
            "!ERR unknown command 'NOSUCH', with args beginning with: ",
            "!ERR wrong number of arguments for 'get' command",
            BUSY,
            BUSY,
            "OK"
        ]
    );
    assert_eq!(server.run_as(other, "PING"), "PONG");
    assert_eq!(eval(&mut server, "return 1"), "(1)");
    server.check("SCRIPT KILL -> !NOTBUSY No scripts in execution right now.");
}

#[test]
fn no_way_to_catch_errors_outlives_the_kill() {
    for script in [
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local co = coroutine.create(function() while true do coroutine.yield() end end) while true do coroutine.resume(co) end",
        "local function deep() while true do pcall(coroutine.wrap(deep)) end end deep()",
        "while true do pcall(table.sort, {3,1,2}, function() while true do end end) end",
        "while true do pcall(string.gsub, 'aaa', 'a', function() while true do end end) end",
        "local t = setmetatable({}, {__index = function() while true do end end}) while true do pcall(function() return t.x end) end",
        "while true do redis.pcall('get','a') end",
        "while true do loadstring('while true do end')() end",
    ] {
        let (mut server, other) = server();
        let (reply, answers) = busy(&mut server, other, &["SCRIPT KILL"], script);
        assert!(
            reply.starts_with("!ERR Script killed by user"),
            "{script}: {reply}"
        );
        assert_eq!(answers, ["OK"], "{script}");
        assert_eq!(eval(&mut server, "return 1"), "(1)", "{script}");
    }
}

#[test]
fn a_script_that_has_written_cannot_be_killed() {
    let (mut server, other) = server();
    let lines = ["SCRIPT KILL", "SHUTDOWN NOSAVE"];
    let script = "redis.call('set','a','1') while true do end";
    let (reply, answers) = busy(&mut server, other, &lines, script);
    assert!(answers[0].starts_with("!UNKILLABLE Sorry the script already executed write commands"));
    assert!(server.host.stopped);
    assert!(
        reply.starts_with("!ERR Script killed by the end of the server."),
        "{reply}"
    );
}

#[test]
fn pipelines_and_transactions_of_others_are_refused_command_by_command() {
    let (mut server, other) = server();
    let lines = [
        "PING\r\nMULTI\r\nSET a 1\r\nDISCARD\r\nPING",
        "MULTI\r\nGET a\r\nEXEC",
        "SCRIPT KILL",
    ];
    let (_, answers) = busy(&mut server, other, &lines, "while true do end");
    assert_eq!(answers[0], format!("{BUSY} ; OK ; {BUSY} ; OK ; {BUSY}"));
    let aborted = BUSY.replacen('!', "!EXECABORT Transaction discarded because of: ", 1);
    assert_eq!(answers[1], format!("OK ; {BUSY} ; {aborted}"));
    server.check("GET a -> nil");
}

#[test]
fn nobody_who_waits_is_served_while_a_script_is_busy_and_everybody_afterwards() {
    let (mut server, other) = server();
    let waiter = server.connect();
    server.run_as(waiter, "TAKE k 0");
    let script =
        "redis.call('put','k','v') for i = 1, 1000000 do end return redis.call('exists','k')";
    server.host.others = vec![(other, b"FUNCTION STATS\r\n".to_vec()); 1000].into();
    let reply = eval(&mut server, &format!("redis.call('pass','100') {script}"));
    assert_eq!(reply, "(1)");
    assert!(!server.host.answers.is_empty());
    assert_eq!(server.received(waiter), "v");
}

#[test]
fn the_busy_script_is_shown_with_its_command() {
    let (mut server, other) = server();
    let (_, answers) = busy(
        &mut server,
        other,
        &["FUNCTION STATS", "SCRIPT KILL"],
        "while true do end",
    );
    assert!(
        without_sha1(&answers[0]).contains(
            "command [EVAL redis.call('pass','100') while true do end 0] duration_ms (100)"
        ),
        "{}",
        answers[0]
    );
}

#[test]
fn a_function_is_ended_by_function_kill_alone() {
    let (mut server, other) = server();
    let client = server.client;
    let code = b"#!lua name=l\nredis.register_function('loop', function() redis.call('pass','100') while true do end end)";
    server.raw(client, &[b"FUNCTION", b"LOAD", code]);
    let lines = ["PING", "SCRIPT KILL", "FUNCTION KILL"];
    server.host.others = lines
        .iter()
        .map(|line| (other, format!("{line}\r\n").into_bytes()))
        .collect();
    let reply = replies(&server.raw(client, &[b"FCALL", b"loop", b"0"]));
    assert_eq!(
        reply,
        "!ERR Script killed by user with SCRIPT KILL... script: loop, on @user_function:2."
    );
    let of_functions = BUSY.replace("SCRIPT KILL", "FUNCTION KILL");
    assert_eq!(
        server.host.answers,
        [of_functions.as_str(), of_functions.as_str(), "OK"]
    );
}

#[test]
fn the_commands_behind_a_killed_script_run() {
    let (mut server, other) = server();
    server.host.others = vec![(other, b"SCRIPT KILL\r\n".to_vec())].into();
    let client = server.client;
    let reply = server.feed(
        client,
        b"EVAL \"redis.call('pass','100') while true do end\" 0\r\nSET a 1\r\nGET a\r\n",
    );
    assert!(replies(&reply).ends_with("OK ; 1"), "{}", replies(&reply));
}

#[test]
fn what_is_written_of_few_tables_for_ever_is_ended_like_any_script() {
    // Each table holds the one below twice: 2^60 values.
    let tables = "local t = {} for i = 1, 60 do t = {t, t} end";
    for script in [
        format!("{tables} return cjson.encode(t)"),
        "local t = {} for i = 1, 100 do t[i] = t end return cmsgpack.pack(t)".to_owned(),
    ] {
        let (mut server, other) = server();
        let (reply, answers) = busy(&mut server, other, &["SCRIPT KILL"], &script);
        assert_eq!(reply, KILLED, "{script}");
        assert_eq!(answers, ["OK"], "{script}");
    }
}
