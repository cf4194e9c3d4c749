//! The connection family: what clients tell of themselves, and what is done to them.

use crate::harness::{Server, replies};

/// One field of a client's CLIENT INFO line.
fn field(line: &str, name: &str) -> String {
    let start = format!("{name}=");
    let found = line
        .trim_end()
        .split(' ')
        .find_map(|f| f.strip_prefix(&start));
    found
        .unwrap_or_else(|| panic!("no {name} in {line}"))
        .to_owned()
}

#[test]
fn ping_and_echo_give_back_what_they_get() {
    Server::new().check(
        "PING -> PONG
         PING a -> a
         PING a b -> !ERR wrong number of arguments for 'ping' command
         ECHO hi -> hi
         ECHO -> !ERR wrong number of arguments for 'echo' command",
    );
}

#[test]
fn select_refuses_what_is_no_database() {
    Server::new().check(
        "SELECT -> !ERR wrong number of arguments for 'select' command
         SELECT a -> !ERR value is not an integer or out of range
         SELECT 99999999999999999999 -> !ERR value is not an integer or out of range
         SELECT 2147483648 -> !ERR value is out of range, value must between -2147483648 and 2147483647
         SELECT -1 -> !ERR DB index is out of range
         SELECT 16 -> !ERR DB index is out of range
         SELECT 15 -> OK",
    );
}

#[test]
fn auth_without_a_password_knows_the_default_user_only() {
    let mut server = Server::new();
    server.check(
        "AUTH -> !ERR wrong number of arguments for 'auth' command
         AUTH x -> !ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
         AUTH default x -> OK
         AUTH nobody x -> !WRONGPASS invalid username-password pair or user is disabled.
         AUTH a b c -> !ERR syntax error",
    );
    assert_eq!(server.engine.server.stats.auth_failures, 1);
}

#[test]
fn with_a_password_nothing_runs_before_it_is_given() {
    let mut server = Server::with_config("requirepass secret");
    server.check(
        "PING -> !NOAUTH Authentication required.
         MULTI -> !NOAUTH Authentication required.
         CLIENT INFO -> !NOAUTH Authentication required.
         NOSUCH -> !ERR unknown command 'NOSUCH', with args beginning with:
         GET -> !ERR wrong number of arguments for 'get' command
         HELLO 9 -> !NOPROTO unsupported protocol version
         HELLO 3 SETNAME x -> !NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time
         AUTH wrong -> !WRONGPASS invalid username-password pair or user is disabled.
         AUTH other secret -> !WRONGPASS invalid username-password pair or user is disabled.
         HELLO 3 AUTH default wrong -> !WRONGPASS invalid username-password pair or user is disabled.
         HELLO 3 AUTH default secret SETNAME \"x y\" -> !ERR Client names cannot contain spaces, newlines or special characters.
         PING -> !NOAUTH Authentication required.
         AUTH secret -> OK
         PING -> PONG
         AUTH wrong -> !WRONGPASS invalid username-password pair or user is disabled.
         PING -> PONG
         RESET -> RESET
         PING -> !NOAUTH Authentication required.
         HELLO 2 AUTH default secret SETNAME xy -> [server redis version 8.0.0 proto (2) id (1) mode standalone role master modules []]
         CLIENT GETNAME -> xy",
    );
    assert_eq!(server.engine.server.stats.auth_failures, 4);
}

#[test]
fn a_new_password_is_asked_of_new_clients_and_no_password_of_none() {
    let mut server = Server::new();
    server.check(
        "CONFIG SET requirepass secret -> OK
         PING -> PONG",
    );
    let late = server.connect();
    assert_eq!(
        server.run_as(late, "PING"),
        "!NOAUTH Authentication required."
    );
    assert_eq!(server.run("CONFIG SET requirepass \"\""), "OK");
    assert_eq!(server.run_as(late, "PING"), "PONG");
    assert!(server.run_as(late, "HELLO").starts_with("[server redis"));
}

#[test]
fn hello_refuses_what_it_does_not_know_and_changes_nothing_then() {
    Server::new().check(
        "HELLO 1 -> !NOPROTO unsupported protocol version
         HELLO 4 -> !NOPROTO unsupported protocol version
         HELLO x -> !ERR Protocol version is not an integer or out of range
         HELLO 2 foo -> !ERR Syntax error in HELLO option 'foo'
         HELLO 2 AUTH default -> !ERR Syntax error in HELLO option 'AUTH'
         HELLO 2 SETNAME -> !ERR Syntax error in HELLO option 'SETNAME'
         HELLO 2 SETNAME \"a b\" -> !ERR Client names cannot contain spaces, newlines or special characters.
         HELLO 3 SETNAME n AUTH foo bar -> !WRONGPASS invalid username-password pair or user is disabled.
         CLIENT GETNAME -> nil
         HELLO 3 setname bob -> {server redis version 8.0.0 proto (3) id (1) mode standalone role master modules []}
         HELLO -> {server redis version 8.0.0 proto (3) id (1) mode standalone role master modules []}
         CLIENT GETNAME -> bob
         CLIENT TRACKINGINFO -> {flags ~[off] redirect (-1) prefixes []}
         HELLO 2 -> [server redis version 8.0.0 proto (2) id (1) mode standalone role master modules []]
         CLIENT TRACKINGINFO -> [flags [off] redirect (-1) prefixes []]
         CLIENT GETREDIR -> (-1)",
    );
}

#[test]
fn hello_tells_the_availability_zone_where_there_is_one() {
    let reply = Server::with_config("availability-zone z1").run("HELLO");
    assert!(
        reply.ends_with("modules [] availability_zone z1]"),
        "{reply}"
    );
}

#[test]
fn names_are_printable_and_errors_say_which() {
    Server::new().check(
        "CLIENT -> !ERR wrong number of arguments for 'client' command
         CLIENT NOSUCH a -> !ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.
         CLIENT ID a -> !ERR wrong number of arguments for 'client|id' command
         CLIENT ID -> (1)
         CLIENT SETNAME \"a b\" -> !ERR Client names cannot contain spaces, newlines or special characters.
         CLIENT SETNAME \"a\\n\" -> !ERR Client names cannot contain spaces, newlines or special characters.
         CLIENT SETNAME \"\\xc3\" -> !ERR Client names cannot contain spaces, newlines or special characters.
         CLIENT SETNAME ~!x -> OK
         CLIENT GETNAME -> ~!x
         CLIENT SETNAME \"\" -> OK
         CLIENT GETNAME -> nil
         CLIENT SETINFO LIB-NAME \"a b\" -> !ERR LIB-NAME cannot contain spaces, newlines or special characters.
         CLIENT SETINFO lib-ver \"a b\" -> !ERR lib-ver cannot contain spaces, newlines or special characters.
         CLIENT SETINFO foo x -> !ERR Unrecognized option 'foo'
         CLIENT SETINFO lib-ver 1.2 -> OK
         CLIENT SETINFO lib-ver -> !ERR wrong number of arguments for 'client|setinfo' command
         CLIENT NO-EVICT foo -> !ERR syntax error
         CLIENT NO-TOUCH foo -> !ERR syntax error
         CLIENT NO-TOUCH -> !ERR wrong number of arguments for 'client|no-touch' command
         CLIENT CAPA foo -> OK
         CLIENT CAPA redirect x -> OK
         CLIENT IMPORT-SOURCE on -> !ERR Server is not in import mode
         CLIENT REPLY foo -> !ERR syntax error",
    );
}

#[test]
fn client_info_shows_all_fields_in_the_order_of_redis() {
    let mut server = Server::new();
    server.check(
        "CLIENT SETINFO LIB-NAME lib -> OK
         CLIENT SETINFO LIB-VER 1.2 -> OK
         CLIENT SETNAME me -> OK
         SELECT 3 -> OK",
    );
    server.pass_ms(5_300);
    let line = server.run("CLIENT INFO");
    let names: Vec<&str> = line
        .trim_end()
        .split(' ')
        .filter_map(|f| f.split('=').next())
        .collect();
    assert_eq!(
        names.join(" "),
        "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp \
         obl oll omem tot-mem events cmd user redir resp lib-name lib-ver io-thread tot-net-in tot-net-out tot-cmds"
    );
    assert!(line.starts_with(
        "id=1 addr=127.0.0.1:50000 laddr=127.0.0.1:6379 fd=8 name=me age=5 idle=0 flags=N db=3 "
    ));
    for (name, value) in [
        ("argv-mem", "10"),
        ("cmd", "client|info"),
        ("user", "default"),
        ("resp", "2"),
        ("lib-name", "lib"),
        ("lib-ver", "1.2"),
        ("multi", "-1"),
        ("events", "r"),
        ("tot-cmds", "4"),
    ] {
        assert_eq!(field(&line, name), value, "{name}");
    }
    assert!(line.ends_with('\n'));
}

#[test]
fn resp3_clients_get_their_lines_as_text() {
    let mut server = Server::new();
    server.run("HELLO 3");
    let client = server.client;
    let raw = server.raw(client, &[b"CLIENT", b"INFO"]);
    let text = String::from_utf8_lossy(&raw).into_owned();
    assert!(
        text.starts_with('=') && text.contains("txt:id=1 "),
        "{text}"
    );
    assert!(text.contains(" resp=3 "));
}

#[test]
fn flags_say_what_is_special_about_a_client() {
    let mut server = Server::new();
    let watcher = server.connect();
    server.check("CLIENT NO-EVICT on -> OK\n CLIENT NO-TOUCH on -> OK");
    assert_eq!(field(&server.run("CLIENT INFO"), "flags"), "eT");
    server.run_as(watcher, "WATCH a b");
    let line = server.run_as(watcher, "CLIENT INFO");
    assert_eq!(
        (field(&line, "flags"), field(&line, "watch")),
        ("N".into(), "2".into())
    );
    server.run_as(watcher, "MULTI");
    server.run_as(watcher, "CLIENT INFO");
    server.run_as(watcher, "PING");
    let line = server.run("CLIENT LIST ID 2");
    assert_eq!(
        (field(&line, "flags"), field(&line, "multi")),
        ("x".into(), "2".into())
    );
    // Inside EXEC the command is EXEC.
    let line = server.run_as(watcher, "EXEC");
    assert_eq!(field(&line, "cmd"), "exec");
}

#[test]
fn the_list_holds_every_client_in_order_of_id_and_the_caller_among_them() {
    let mut server = Server::new();
    let second = server.connect();
    let third = server.connect();
    server.disconnect(server.client);
    // The fourth client sits in the slot of the first.
    let fourth = server.connect();
    assert_eq!(fourth, server.client);
    let ids =
        |list: String| -> Vec<String> { list.lines().map(|line| field(line, "id")).collect() };
    assert_eq!(ids(server.run_as(third, "CLIENT LIST")), ["2", "3", "4"]);
    assert_eq!(
        ids(server.run_as(second, "CLIENT LIST SKIPME yes")),
        ["3", "4"]
    );
    assert_eq!(
        ids(server.run_as(second, "CLIENT LIST ID 3 2 99")),
        ["2", "3"]
    );
}

#[test]
fn options_choose_clients_and_their_negations_the_others() {
    let mut server = Server::new();
    let other = server.connect();
    server.check("CLIENT SETNAME me -> OK\n CLIENT SETINFO LIB-NAME lib -> OK\n SELECT 2 -> OK");
    server.run_as(other, "CLIENT CAPA redirect");
    server.pass_ms(3_000);
    let mut choose = |options: &str| -> String {
        let list = server.run(&format!("CLIENT LIST {options}"));
        let ids: Vec<String> = list.lines().map(|line| field(line, "id")).collect();
        ids.join(" ")
    };
    for (options, expected) in [
        ("TYPE normal", "1 2"),
        ("TYPE pubsub", ""),
        ("TYPE slave", ""),
        ("TYPE primary", ""),
        ("TYPE pubsub TYPE normal", "1 2"),
        ("NOT-TYPE replica", "1 2"),
        ("NAME me", "1"),
        ("NAME \"\"", ""),
        ("NOT-NAME me", "2"),
        ("LIB-NAME lib", "1"),
        ("NOT-LIB-NAME lib", "2"),
        ("LIB-VER lib", ""),
        ("DB 2", "1"),
        ("NOT-DB 2", "2"),
        ("CAPA r", "2"),
        ("NOT-CAPA r", "1"),
        ("IP 127.0.0.1", "1 2"),
        ("NOT-IP 127.0.0.1", ""),
        ("ADDR 127.0.0.1:50000", "1 2"),
        ("NOT-LADDR 127.0.0.1:6379", ""),
        ("USER default", "1 2"),
        ("NOT-USER default", ""),
        ("FLAGS N", "1 2"),
        ("FLAGS Nx", ""),
        ("NOT-FLAGS Nx", "1 2"),
        ("NOT-FLAGS \"\"", ""),
        ("MAXAGE 3", "1 2"),
        ("MAXAGE 4", ""),
        ("IDLE 3", "2"),
        ("ID 1 2 NOT-ID 1", "2"),
        ("ID 0", ""),
    ] {
        assert_eq!(choose(options), expected, "{options}");
    }
}

#[test]
fn options_of_list_and_kill_are_refused_with_the_texts_of_the_servers() {
    Server::new().check(
        "CLIENT LIST foo -> !ERR syntax error
         CLIENT LIST TYPE -> !ERR syntax error
         CLIENT LIST TYPE foo -> !ERR Unknown client type 'foo'
         CLIENT LIST ID -> !ERR syntax error
         CLIENT LIST ID a -> !ERR Invalid client ID
         CLIENT LIST NOT-ID x -> !ERR syntax error
         CLIENT LIST NOT-ID 0 -> !ERR client-id should be greater than 0
         CLIENT LIST USER foo -> !ERR No such user 'foo'
         CLIENT LIST DB a -> !ERR DB is not an integer or out of range
         CLIENT LIST NOT-DB 99 -> !ERR NOT-DB number should be between 0 and 15
         CLIENT LIST CAPA foo -> !ERR Unknown capa found in the provided filter: foo
         CLIENT LIST NOT-CAPA foo -> !ERR Unknown capa found in the NOT-CAPA filter: foo
         CLIENT LIST FLAGS xx? -> !ERR Unknown flags found in the provided filter: xx?
         CLIENT LIST NOT-FLAGS ? -> !ERR Unknown flags found in the NOT-FLAGS filter: ?
         CLIENT LIST NOT-SKIPME yes -> !ERR syntax error
         CLIENT LIST NOT-MAXAGE 1 -> !ERR syntax error
         CLIENT LIST IDLE 0 -> !ERR idle should be greater than 0
         CLIENT LIST SKIPME foo -> !ERR syntax error
         CLIENT KILL -> !ERR wrong number of arguments for 'client|kill' command
         CLIENT KILL 1.2.3.4:5 -> !ERR No such client
         CLIENT KILL ID -> !ERR No such client
         CLIENT KILL A B C -> !ERR syntax error
         CLIENT KILL ID a -> !ERR client-id should be greater than 0
         CLIENT KILL ID 0 -> !ERR client-id should be greater than 0
         CLIENT KILL ID 999 998 -> (0)
         CLIENT KILL ID 999 TYPE foo -> !ERR Unknown client type 'foo'
         CLIENT KILL USER foo -> !ERR No such user 'foo'
         CLIENT KILL SKIPME foo -> !ERR syntax error
         CLIENT KILL MAXAGE foo -> !ERR maxage is not an integer or out of range
         CLIENT KILL MAXAGE -1 -> !ERR maxage should be greater than 0
         CLIENT KILL FOO bar -> !ERR syntax error
         CLIENT KILL TYPE normal -> (0)
         PING -> PONG",
    );
}

#[test]
fn kill_ends_others_at_once_and_the_caller_after_its_reply() {
    let mut server = Server::new();
    let others = [server.connect(), server.connect()];
    assert_eq!(server.run("CLIENT KILL ID 2"), "(1)");
    assert_eq!(server.run("CLIENT KILL ID 2"), "(0)", "it is gone already");
    assert!(!server.run("CLIENT LIST").contains("id=2 "));
    assert_eq!(server.close_ended(), [others[0]]);
    assert_eq!(server.run("CLIENT KILL TYPE normal SKIPME no"), "(2)");
    let mut ended = server.close_ended();
    ended.sort_unstable();
    assert_eq!(ended, [server.client, others[1]]);
    assert!(server.engine.server.clients.is_empty());
}

#[test]
fn the_old_form_of_kill_takes_an_address_be_it_the_callers() {
    let mut server = Server::new();
    assert_eq!(server.run("CLIENT KILL 127.0.0.1:50000"), "OK");
    assert_eq!(server.close_ended(), [server.client]);
}

#[test]
fn quit_answers_and_ends_whatever_follows() {
    let mut server = Server::new();
    let client = server.client;
    assert_eq!(replies(&server.feed(client, b"QUIT a b\r\nPING\r\n")), "OK");
    assert_eq!(server.close_ended(), [client]);
}

#[test]
fn replies_can_be_switched_off_and_skipped() {
    let mut server = Server::new();
    let mut reply = |line: &str| server.run(line);
    for (line, expected) in [
        ("CLIENT REPLY ON", "OK"),
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("PING", "PONG"),
        ("CLIENT REPLY OFF", ""),
        ("PING", ""),
        ("CLIENT REPLY FOO", ""),
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("CLIENT REPLY ON", "OK"),
        ("CLIENT REPLY SKIP", ""),
        ("CLIENT REPLY ON", "OK"),
        ("PING", "PONG"),
        ("CLIENT REPLY SKIP", ""),
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("PING", "PONG"),
        ("CLIENT REPLY SKIP", ""),
        ("NOSUCH", ""),
        ("PING", "PONG"),
        ("CLIENT REPLY SKIP", ""),
        ("RESET", ""),
        ("PING", "PONG"),
        ("CLIENT REPLY OFF", ""),
        ("RESET", "RESET"),
        ("PING", "PONG"),
    ] {
        assert_eq!(reply(line), expected, "{line}");
    }
}

#[test]
fn a_skipped_exec_is_skipped_whole() {
    let mut server = Server::new();
    server.check("MULTI -> OK\n PING -> QUEUED\n PING -> QUEUED");
    assert_eq!(
        server.run("CLIENT REPLY SKIP"),
        "!ERR Command not allowed inside a transaction"
    );
    server.run("DISCARD");
    assert_eq!(server.run("CLIENT REPLY SKIP"), "");
    assert_eq!(server.run("MULTI"), "");
    server.check("PING -> QUEUED\n PING -> QUEUED\n EXEC -> [PONG PONG]");
}

#[test]
fn reset_makes_a_connection_as_new_but_for_its_library() {
    let mut server = Server::new();
    for line in [
        "CLIENT SETNAME foo",
        "CLIENT SETINFO LIB-NAME lib",
        "CLIENT NO-EVICT on",
        "CLIENT NO-TOUCH on",
        "SELECT 3",
        "HELLO 3",
        "WATCH a b",
        "MULTI",
    ] {
        server.run(line);
    }
    assert_eq!(server.run("RESET"), "RESET");
    let line = server.run("CLIENT INFO");
    for (name, value) in [
        ("name", ""),
        ("flags", "N"),
        ("db", "0"),
        ("multi", "-1"),
        ("watch", "0"),
        ("resp", "2"),
        ("lib-name", "lib"),
    ] {
        assert_eq!(field(&line, name), value, "{name}");
    }
}

#[test]
fn pause_and_unblock_refuse_what_they_do_not_know() {
    Server::new().check(
        "CLIENT PAUSE a -> !ERR timeout is not an integer or out of range
         CLIENT PAUSE 1.5 WRITE -> !ERR timeout is not an integer or out of range
         CLIENT PAUSE -1 -> !ERR timeout is negative
         CLIENT PAUSE 9223372036854775807 WRITE -> !ERR timeout is out of range
         CLIENT PAUSE 0 foo -> !ERR CLIENT PAUSE mode must be WRITE or ALL
         CLIENT PAUSE 0 WRITE x -> !ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.
         CLIENT PAUSE 0 -> OK
         PING -> PONG
         CLIENT UNPAUSE x -> !ERR wrong number of arguments for 'client|unpause' command
         CLIENT UNPAUSE -> OK
         CLIENT UNBLOCK a -> !ERR value is not an integer or out of range
         CLIENT UNBLOCK 999 -> (0)
         CLIENT UNBLOCK 999 foo -> !ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR
         CLIENT UNBLOCK 999 error x -> !ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.
         CLIENT UNBLOCK -1 -> (0)",
    );
}

#[test]
fn help_names_every_subcommand() {
    let mut server = Server::new();
    let help = server.run("CLIENT HELP");
    let rows = oxidis::commands::rows();
    let client = rows.into_iter().find(|row| row.name == "client");
    for sub in client.expect("there is CLIENT").subcommands {
        assert!(help.contains(&sub.name.to_uppercase()), "{}", sub.name);
    }
}

#[test]
fn clearing_the_password_frees_those_who_had_not_given_it() {
    let mut server = Server::with_config("requirepass secret");
    let late = server.connect();
    assert_eq!(server.run("AUTH secret"), "OK");
    assert!(server.run_as(late, "PING").starts_with("!NOAUTH"));
    assert_eq!(server.run("CONFIG SET requirepass \"\""), "OK");
    // More words than a client may send that has yet to authenticate.
    let reply = server.run_as(late, "MSET a 1 b 2 c 3 d 4 e 5 f 6 g 7");
    assert_eq!(reply, "OK");
}

#[test]
fn a_client_for_which_too_much_waits_is_closed() {
    let mut server = Server::with_config("client-output-buffer-limit normal 1000 0 0");
    let reader = server.connect();
    assert_eq!(server.run_as(reader, "SETRANGE k 2000 x"), "(2001)");
    server.feed(reader, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    let session = server
        .engine
        .server
        .clients
        .get(reader)
        .expect("net closes it later");
    assert_eq!(session.closing, oxidis::session::Closing::Now);
    assert_eq!(server.engine.server.stats.output_buffer_closes, 1);
}

#[test]
fn commands_that_a_pause_held_back_run_in_the_order_in_which_they_came() {
    let mut server = Server::new();
    let clients: Vec<usize> = (0..4).map(|_| server.connect()).collect();
    server.check("CLIENT PAUSE 1000 WRITE -> OK");
    for client in clients.iter().rev() {
        assert_eq!(server.run_as(*client, "INCR n"), "");
    }
    // Who has gone meanwhile is out of the order.
    server.disconnect(clients[2]);
    server.check("CLIENT UNPAUSE -> OK");
    let answers: Vec<String> = [3, 1, 0].map(|at| server.received(clients[at])).into();
    assert_eq!(answers, ["(1)", "(2)", "(3)"]);
}

#[test]
fn a_client_that_wants_no_replies_gets_none_to_what_it_gets_wrong() {
    let mut server = Server::new();
    let client = server.connect();
    assert_eq!(server.run_as(client, "CLIENT REPLY OFF"), "");
    assert_eq!(server.feed(client, b"*1\r\n$x\r\n"), b"");
    assert_eq!(server.close_ended(), [client]);
}
