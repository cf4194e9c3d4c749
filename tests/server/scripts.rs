//! A script that never ends, over real sockets: the loop serves others in the middle of it.

use crate::harness::Server;

const BUSY: &str =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
const LOOP: &str = "EVAL \"while true do pcall(function() while true do end end) end\" 0\r\n";
const LOOP_SHA1: &str = "3d7b0cfd4124d0a72b8a39e531e7c806bc453d3e";

#[test]
fn a_script_that_never_ends_is_ended_from_outside() {
    let server = Server::start(&["--busy-reply-threshold", "1"]);
    let mut stuck = server.client();
    let mut other = server.client();
    other.ask("PING\r\n", "+PONG\r\n");
    // What stands behind the script waits for its end, and runs then.
    stuck.send(format!("{LOOP}PING\r\n"));
    server.log.expect("Slow script detected");
    other.ask("GET a\r\nPING\r\n", format!("{BUSY}{BUSY}"));
    // A client that comes only now is taken in.
    let mut late = server.client();
    late.ask("SCRIPT KILL\r\n", "+OK\r\n");
    stuck.expect(format!(
        "-ERR Script killed by user with SCRIPT KILL... script: {LOOP_SHA1}, on @user_script:1.\r\n+PONG\r\n"
    ));
    other.ask("PING\r\n", "+PONG\r\n");
}

#[test]
fn a_script_that_has_written_is_ended_with_the_server() {
    let mut server = Server::start(&["--busy-reply-threshold", "1"]);
    let mut stuck = server.client();
    stuck.send("EVAL \"redis.call('set','a','1') while true do end\" 0\r\n");
    server.log.expect("Slow script detected");
    let mut other = server.client();
    other.ask("SHUTDOWN\r\n", BUSY);
    other.send("SHUTDOWN NOSAVE\r\n");
    assert!(server.wait().success());
}

#[test]
fn a_signal_that_cuts_a_script_short_saves_what_is_whole() {
    for (script, is_saved) in [
        ("while true do end", true),
        ("redis.call('set', 'half', 'done') while true do end", false),
    ] {
        let options = ["--save", "900 100", "--busy-reply-threshold", "10"];
        let mut server = Server::start(&options);
        server.client().ask("SET key value\r\n", "+OK\r\n");
        let mut busy = server.client();
        busy.send(format!("EVAL \"{script}\" 0\r\n"));
        server.log.expect("Slow script detected");
        assert!(server.terminate().success());
        assert_eq!(
            std::path::Path::new(&server.folder.file("dump.rdb")).exists(),
            is_saved,
            "{script}"
        );
    }
}
