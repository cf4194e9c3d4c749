//! `redis.call` and what else scripts ask of the server; gates, the stream, transactions.

use super::{check_all, eval, eval_with};
use crate::harness::Server;
use crate::rows::{PASS, PUT, TAKE};

#[test]
fn a_script_has_its_keys_and_arguments() {
    let mut server = Server::new();
    let script = "return {KEYS[1],KEYS[2],ARGV[1],#KEYS,#ARGV}";
    assert_eq!(
        eval_with(&mut server, script, &["2", "a", "b", "c"]),
        "[a b c (2) (1)]"
    );
    assert_eq!(
        eval_with(&mut server, "return KEYS[1]", &["x"]),
        "!ERR value is not an integer or out of range"
    );
    assert_eq!(
        eval_with(&mut server, "return 1", &["-1"]),
        "!ERR Number of keys can't be negative"
    );
    assert_eq!(
        eval_with(&mut server, "return 1", &["2", "a"]),
        "!ERR Number of keys can't be greater than number of args"
    );
}

#[test]
fn calls_get_replies_and_raise_errors_with_their_place() {
    check_all(&[
        ("return redis.call('set','a','1')", "OK"),
        ("return redis.call('get','a')", "1"),
        ("return redis.call('get','nosuch')", "nil"),
        ("return redis.call('incrby','a',41)", "(42)"),
        (
            "redis.call('set','s','x') return redis.call('incr','s')",
            "!ERR value is not an integer or out of range script: SHA, on @user_script:1.",
        ),
        (
            "local e = redis.pcall('incr','s') return {e.err, tostring(e.ignore_error_stats_update)}",
            "[ERR value is not an integer or out of range true]",
        ),
        (
            "local ok, e = pcall(redis.call, 'incr', 's') return {tostring(ok), type(e), e}",
            "[false string ERR value is not an integer or out of range]",
        ),
        (
            "return redis.call('nosuch')",
            "!ERR Unknown Redis command called from script script: SHA, on @user_script:1.",
        ),
        (
            "return redis.call('config','nosuch')",
            "!ERR Unknown Redis command called from script script: SHA, on @user_script:1.",
        ),
        (
            "\n\nredis.call('get')",
            "!ERR Wrong number of args calling Redis command from script script: SHA, on @user_script:3.",
        ),
        (
            "return redis.call()",
            "!ERR Please specify at least one argument for this redis lib call script: SHA, on @user_script:1.",
        ),
        (
            "return redis.call('echo', {})",
            "!ERR Lua redis lib command arguments must be strings or integers script: SHA, on @user_script:1.",
        ),
        (
            "return redis.call('eval','return 1','0')",
            "!ERR This Redis command is not allowed from script script: SHA, on @user_script:1.",
        ),
        (
            "return redis.pcall('multi').err",
            "ERR This Redis command is not allowed from script",
        ),
        (
            "local function f()\n error('deep')\nend\nf()",
            "!ERR user_script:2: deep script: SHA, on @user_script:2.",
        ),
        (
            "error({err='MY own'})",
            "!MY own script: SHA, on @user_script:1.",
        ),
        (
            "error({})",
            "!ERR unknown error script: SHA, on @user_script:1.",
        ),
        (
            "x y",
            "!ERR Error compiling script (new function): user_script:1: '=' expected near 'y'",
        ),
    ]);
}

#[test]
fn numbers_become_words_as_they_are_shown() {
    check_all(&[
        ("return redis.call('echo', 3.0)", "3"),
        ("return redis.call('echo', -0.0)", "0"),
        ("return redis.call('echo', 0.1)", "0.1"),
        ("return redis.call('echo', 1e20)", "1e+20"),
        ("return redis.call('echo', 2^53)", "9007199254740992"),
        ("return redis.call('echo', 2^63)", "9223372036854776000"),
        ("return redis.call('echo', 1/0)", "inf"),
        ("return redis.call('echo', 0/0)", "-nan"),
    ]);
}

#[test]
fn what_a_script_does_to_its_client_ends_with_it() {
    let mut server = Server::new();
    server.check("SET a zero -> OK");
    let script = "redis.call('select',1) redis.setresp(3) redis.call('set','a','one') return redis.call('get','a')";
    assert_eq!(eval(&mut server, script), "one");
    server.check("GET a -> zero");
    assert_eq!(
        eval(&mut server, "return redis.call('get','nosuch')"),
        "nil"
    );
}

#[test]
fn a_blocking_command_in_a_script_answers_at_once() {
    let mut server = Server::build("", [&PUT, &TAKE]);
    assert_eq!(
        eval(&mut server, "return redis.call('take','k','0')"),
        "nil"
    );
    assert_eq!(server.engine.server.clients.blocked(), 0);
}

#[test]
fn who_waits_for_what_a_script_has_written_is_served_after_it() {
    let mut server = Server::build("", [&PUT, &TAKE]);
    let waiter = server.connect();
    server.run_as(waiter, "TAKE k 0");
    let script = "redis.call('put','k','v') return redis.call('exists','k')";
    assert_eq!(eval(&mut server, script), "(1)");
    assert_eq!(server.received(waiter), "v");
    server.check("EXISTS k -> (0)");
}

#[test]
fn the_changes_of_a_script_are_one_unit_of_the_stream() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    eval(
        &mut server,
        "redis.call('set','a','1') redis.call('get','a') redis.pcall('get') redis.call('set','b','2')",
    );
    assert_eq!(
        server.stream(reader),
        ["SELECT 0", "MULTI", "set a 1", "set b 2", "EXEC"]
    );
    eval(&mut server, "redis.call('set','a','2')");
    eval(&mut server, "return redis.call('get','a')");
    assert_eq!(server.stream(reader), ["set a 2"]);
    server.check(
        "MULTI -> OK
         EVAL \"redis.call('set','a','3') return {}\" 0 -> QUEUED
         SET c 3 -> QUEUED
         EXEC -> [[] OK]",
    );
    assert_eq!(
        server.stream(reader),
        ["MULTI", "set a 3", "SET c 3", "EXEC"]
    );
}

#[test]
fn a_script_chooses_what_is_propagated() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    eval(
        &mut server,
        "redis.set_repl(redis.REPL_NONE) redis.call('set','a','1') redis.set_repl(redis.REPL_ALL) redis.call('set','b','2')",
    );
    assert_eq!(server.stream(reader), ["SELECT 0", "set b 2"]);
    server.check("GET a -> 1");
    eval(&mut server, "redis.call('set','c','3')");
    assert_eq!(server.stream(reader), ["set c 3"]);
}

#[test]
fn time_stands_still_in_a_script() {
    let mut server = Server::build("", [&PASS]);
    server.check("SET a 1 PX 100 -> OK");
    let script = "local t = redis.call('time')[1] redis.call('pass','50') redis.call('pass','500')
        return {redis.call('get','a'), redis.call('pttl','a'), redis.call('time')[1] == t}";
    assert_eq!(eval(&mut server, script), "[1 (100) (1)]");
    server.check("GET a -> nil");
}

#[test]
fn read_only_scripts_cannot_write() {
    let mut server = Server::new();
    server.check(
        "EVAL_RO \"return redis.pcall('set','a','1').err\" 0 -> ERR Write commands are not allowed from read-only scripts.
         EVAL_RO \"return redis.call('get','a')\" 0 -> nil
         EVAL_RO \"#!lua\\nreturn 1\" 0 -> !ERR Can not execute a script with write flag using *_ro command.
         EVAL_RO \"#!lua flags=no-writes\\nreturn 1\" 0 -> (1)
         EVAL \"#!lua flags=no-writes\\nreturn redis.pcall('set','a','1').err\" 0 -> ERR Write commands are not allowed from read-only scripts.
         EXISTS a -> (0)",
    );
}

#[test]
fn full_memory_refuses_scripts_that_need_more_unless_they_have_begun_to_write() {
    let mut server = Server::new();
    server.check(
        "SET x 1 -> OK
         CONFIG SET maxmemory 1 -> OK
         EVAL \"return redis.pcall('set','a','1').err\" 0 -> OOM command not allowed when used memory > 'maxmemory'.
         EVAL \"return redis.call('get','a')\" 0 -> nil
         EVAL \"#!lua\\nreturn 1\" 0 -> !OOM command not allowed when used memory > 'maxmemory'.
         EVAL \"#!lua flags=no-writes\\nreturn 1\" 0 -> (1)
         EVAL \"#!lua flags=allow-oom\\nreturn redis.call('set','a','1')\" 0 -> OK
         EVAL \"redis.call('del','a') return redis.call('set','a','2')\" 0 -> OK
         GET a -> 2",
    );
}

#[test]
fn an_error_is_counted_once() {
    let mut server = Server::new();
    server.check("SET s x -> OK\n CONFIG RESETSTAT -> OK");
    eval(&mut server, "return redis.call('incr','s')");
    eval(&mut server, "return redis.call('nosuch')");
    eval(&mut server, "return redis.pcall('incr','s')");
    eval(&mut server, "return redis.pcall('nosuch')['err']");
    eval(&mut server, "return redis.pcall('nosuch')");
    let stats = server.run("INFO errorstats");
    assert!(stats.contains("errorstat_ERR:count=5"), "{stats}");
    let stats = server.run("INFO commandstats");
    let of = |name: &str| {
        stats
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or("")
            .to_owned()
    };
    let eval_line = of("cmdstat_eval:");
    assert!(
        eval_line.contains("calls=5,") && eval_line.contains("failed_calls=4"),
        "{eval_line}"
    );
    let incr = of("cmdstat_incr:");
    assert!(
        incr.contains("calls=2,") && incr.contains("failed_calls=2"),
        "{incr}"
    );
}

#[test]
fn words_that_name_no_keys_have_none() {
    Server::new().check(
        "COMMAND GETKEYS EVAL x 2 a b c -> [a b]
         COMMAND GETKEYS EVAL x 0 -> []
         COMMAND GETKEYS EVAL x 5 a b -> []
         COMMAND GETKEYS FCALL_RO f -1 a -> []
         COMMAND GETKEYS EVALSHA x y -> []
         COMMAND GETKEYS EVALSHA x -> !ERR Invalid number of arguments specified for command",
    );
}
