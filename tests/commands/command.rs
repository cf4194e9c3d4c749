//! COMMAND: the table of commands, and that every row can be described.

use crate::harness::Server;
use oxidis::commands::{docs, rows};
use oxidis::resp::reply::Protocol;

fn resp3() -> Server {
    let mut server = Server::new();
    let slot = server.client;
    let session = server.engine.server.clients.get_mut(slot);
    session.expect("the client is there").protocol = Protocol::Resp3;
    server
}

#[test]
fn the_notation_of_every_row_can_be_read() {
    for row in rows().flat_map(|row| std::iter::once(row).chain(row.subcommands)) {
        let arguments = docs::parse(row.syntax)
            .unwrap_or_else(|error| panic!("{}: {error} in {}", row.full_name, row.syntax));
        let words = row.arity.unsigned_abs() as usize;
        let own = 1 + usize::from(row.full_name.contains('|'));
        assert!(
            words <= own || !row.subcommands.is_empty() || !arguments.is_empty(),
            "{} takes words that its syntax does not show",
            row.full_name
        );
        let all = flatten(&arguments);
        for spec in all.iter().filter_map(|argument| argument.key_spec) {
            assert!(
                spec < row.keys.len(),
                "{}: an argument belongs to key spec {spec}, which is not there",
                row.full_name
            );
        }
    }
}

fn flatten(arguments: &[docs::Argument]) -> Vec<&docs::Argument> {
    arguments
        .iter()
        .flat_map(|argument| std::iter::once(argument).chain(flatten(&argument.children)))
        .collect()
}

#[test]
fn every_row_is_told_about() {
    for row in rows().flat_map(|row| std::iter::once(row).chain(row.subcommands)) {
        assert!(!row.summary.is_empty(), "{} has no summary", row.full_name);
    }
}

#[test]
fn command_info_has_ten_elements() {
    Server::new().check(
        "COMMAND INFO get -> [[get (2) [readonly fast] (1) (1) (1) [@read @string @fast] [] \
[[flags [RO access] begin_search [type index spec [index (1)]] find_keys [type range spec [lastkey (0) keystep (1) limit (0)]]]] []]]
         COMMAND INFO GET nosuch config|nosuch get|x TIME -> [[get (2) [readonly fast] (1) (1) (1) [@read @string @fast] [] \
[[flags [RO access] begin_search [type index spec [index (1)]] find_keys [type range spec [lastkey (0) keystep (1) limit (0)]]]] []] \
nil nil nil [time (1) [loading stale fast] (0) (0) (0) [@fast] [nondeterministic_output] [] []]]",
    );
    resp3().check(
        "COMMAND INFO get -> [[get (2) ~[readonly fast] (1) (1) (1) ~[@read @string @fast] ~[] \
~[{flags ~[RO access] begin_search {type index spec {index (1)}} find_keys {type range spec {lastkey (0) keystep (1) limit (0)}}}] ~[]]]
         COMMAND INFO config|resetstat -> [[config|resetstat (2) ~[admin noscript loading stale] (0) (0) (0) \
~[@admin @slow @dangerous] ~[request_policy:all_nodes response_policy:all_succeeded] ~[] ~[]]]",
    );
}

#[test]
fn a_container_shows_its_subcommands() {
    let reply = resp3().run("COMMAND INFO config");
    assert!(
        reply.starts_with("[[config (-2) ~[] (0) (0) (0) ~[@slow] ~[] ~[] [[config|get (-3) "),
        "{reply}"
    );
}

#[test]
fn count_and_list_agree_with_the_table() {
    let mut server = Server::new();
    let count = rows().count();
    assert_eq!(server.run("COMMAND COUNT"), format!("({count})"));
    let all = server.run("COMMAND LIST");
    let subcommands: usize = rows().map(|row| row.subcommands.len()).sum();
    assert_eq!(all.split(' ').count(), count + subcommands);
    server.check(
        "COMMAND LIST FILTERBY PATTERN GE? -> [get]
         COMMAND LIST FILTERBY pattern config|*re* -> [config|resetstat config|rewrite]
         COMMAND LIST FILTERBY PATTERN nosuch* -> []
         COMMAND LIST FILTERBY ACLCAT transaction -> [discard exec multi unwatch watch]
         COMMAND LIST FILTERBY ACLCAT nosuch -> []
         COMMAND LIST FILTERBY MODULE nosuch -> []
         COMMAND LIST nosuch -> !ERR syntax error
         COMMAND LIST FILTERBY -> !ERR syntax error
         COMMAND LIST FILTERBY PATTERN -> !ERR syntax error
         COMMAND LIST FILTERBY x y -> !ERR syntax error
         COMMAND LIST FILTERBY PATTERN a b -> !ERR syntax error
         COMMAND NOSUCH -> !ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP.
         COMMAND COUNT x -> !ERR wrong number of arguments for 'command|count' command",
    );
}

#[test]
fn a_renamed_command_is_told_under_its_new_name() {
    let mut server = Server::new();
    server
        .engine
        .rename_command("get", "fetch")
        .expect("get is a command");
    server
        .engine
        .rename_command("time", "")
        .expect("time is a command");
    server.check("COMMAND LIST FILTERBY PATTERN fetch -> [fetch]");
    assert_eq!(
        server.run("COMMAND COUNT"),
        format!("({})", rows().count() - 1)
    );
}

#[test]
fn getkeys_finds_the_keys_of_a_whole_command() {
    Server::new().check(
        "COMMAND GETKEYS GET a -> [a]
         COMMAND GETKEYS WATCH a b c -> [a b c]
         COMMAND GETKEYSANDFLAGS GET a -> [[a [RO access]]]
         COMMAND GETKEYS GET -> !ERR Invalid number of arguments specified for command
         COMMAND GETKEYS NOSUCH a -> !ERR Invalid command specified
         COMMAND GETKEYS CONFIG NOSUCH -> !ERR Invalid command specified
         COMMAND GETKEYS CONFIG GET a -> !ERR The command has no key arguments
         COMMAND GETKEYS TIME -> !ERR The command has no key arguments
         COMMAND GETKEYS -> !ERR wrong number of arguments for 'command|getkeys' command",
    );
    resp3().check("COMMAND GETKEYSANDFLAGS WATCH a -> [[a ~[RO]]]");
}

#[test]
fn docs_tell_what_the_rows_say() {
    Server::new().check(
        "COMMAND DOCS nosuch -> []
         COMMAND DOCS Config|Set -> [config|set [summary Sets configuration parameters in-flight. since 2.0.0 group server \
complexity O(N) when N is the number of configuration parameters provided \
history [[7.0.0 Added the ability to set multiple parameters in one call.]] \
arguments [[name data type block flags [multiple] \
arguments [[name parameter type string display_text parameter] [name value type string display_text value]]]]]]",
    );
    resp3().check(
        "COMMAND DOCS get -> {get {summary Returns the string value of a key. since 1.0.0 group string complexity O(1) \
arguments [{name key type key display_text key key_spec_index (0)}]}}
         COMMAND DOCS lolwut -> {lolwut {summary Displays computer art and the Redis version since 5.0.0 group server \
arguments [{name version type integer display_text version token VERSION flags ~[optional]}]}}",
    );
    let config = resp3().run("COMMAND DOCS config");
    assert!(
        config.contains("subcommands {config|get {summary "),
        "{config}"
    );
}
