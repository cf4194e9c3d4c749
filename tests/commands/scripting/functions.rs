//! FUNCTION and FCALL.

use crate::harness::{Server, replies};

const LIBRARY: &str = "#!lua name=lib
local calls = 0
redis.register_function('echo', function(keys, args) return {keys[1], args[1]} end)
redis.register_function{function_name='count', description='counts', flags={'no-writes'},
  callback=function() calls = calls + 1 return calls end}
redis.register_function('put', function(keys, args) return redis.call('set', keys[1], args[1]) end)
redis.register_function('fail', function()
  error('no')
end)";

fn loaded() -> Server {
    let mut server = Server::new();
    assert_eq!(load(&mut server, &[], LIBRARY), "lib");
    server
}

fn load(server: &mut Server, options: &[&str], code: &str) -> String {
    let mut words: Vec<&[u8]> = vec![b"FUNCTION", b"LOAD"];
    words.extend(options.iter().map(|option| option.as_bytes()));
    words.push(code.as_bytes());
    let client = server.client;
    replies(&server.raw(client, &words))
}

#[test]
fn functions_are_called_by_name() {
    loaded().check(
        "FCALL echo 1 k v -> [k v]
         FCALL count 0 -> (1)
         FCALL_RO count 0 -> (2)
         FCALL put 1 a b -> OK
         GET a -> b
         FCALL_RO put 1 a b -> !ERR Can not execute a script with write flag using *_ro command.
         FCALL fail 0 -> !ERR user_function:8: no script: fail, on @user_function:8.
         FCALL nosuch 0 -> !ERR Function not found
         FCALL echo x -> !ERR Bad number of keys provided
         FCALL echo -1 -> !ERR Number of keys can't be negative
         FCALL echo 2 a -> !ERR Number of keys can't be greater than number of args",
    );
}

#[test]
fn a_library_that_is_wrong_changes_nothing() {
    let mut server = loaded();
    for (code, error) in [
        ("return 1", "!ERR Missing library metadata"),
        ("#!lua", "!ERR Invalid library metadata"),
        ("#!lua\n", "!ERR Library name was not given"),
        ("#!js name=x\n", "!ERR Engine 'js' not found"),
        (
            "#!lua name=x y=z\n",
            "!ERR Invalid metadata value given: y=z",
        ),
        (
            "#!lua name=x name=y\n",
            "!ERR Invalid metadata value, name argument was given multiple times",
        ),
        ("#!lua name=x\nreturn 1", "!ERR No functions registered"),
        ("#!lua name=lib\nx y", "!ERR Library 'lib' already exists"),
        (
            "#!lua name=x\nx y",
            "!ERR Error compiling function: user_function:2: '=' expected near 'y'",
        ),
        (
            "#!lua name=x\nredis.register_function('echo', function() end)",
            "!ERR Function echo already exists",
        ),
        (
            "#!lua name=x\nredis.register_function('Echo', function() end)",
            "!ERR Function Echo already exists",
        ),
        (
            "#!lua name=x\nredis.register_function('f', function() end) error('x')",
            "!ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global variable 'error'",
        ),
        (
            "#!lua name=x\nredis.call('set', 'a', 'b')",
            "!ERR Error registering functions: ERR user_function:2: Script attempted to access nonexistent global variable 'call'",
        ),
        (
            "#!lua name=x\nredis.register_function('f', function() end, 1)",
            "!ERR Error registering functions: ERR wrong number of arguments to redis.register_function",
        ),
        (
            "#!lua name=x\nredis.register_function{function_name='f', callback=function() end, flags={'fast'}}",
            "!ERR Error registering functions: ERR unknown flag given",
        ),
    ] {
        assert_eq!(load(&mut server, &[], code), error, "{code}");
    }
    let replaced = load(&mut server, &["REPLACE"], "#!lua name=lib\nx y");
    assert!(replaced.starts_with("!ERR Error compiling function"));
    server.check("FCALL echo 1 k v -> [k v]");
    assert!(
        server
            .run("FUNCTION STATS")
            .ends_with("[libraries_count (1) functions_count (4)]]]")
    );
}

#[test]
fn a_library_that_never_ends_loading_is_given_up() {
    let mut server = Server::new();
    let reply = load(&mut server, &[], "#!lua name=x\nwhile true do end");
    assert_eq!(
        reply,
        "!ERR Error registering functions: ERR FUNCTION LOAD timeout"
    );
    server.check("PING -> PONG");
}

#[test]
fn replace_takes_the_old_functions_away() {
    let mut server = loaded();
    let fresh = "#!lua name=lib\nredis.register_function('echo', function() return 'new' end)";
    assert_eq!(load(&mut server, &["REPLACE"], fresh), "lib");
    server.check("FCALL echo 0 -> new\n FCALL put 1 a b -> !ERR Function not found");
}

#[test]
fn libraries_are_listed_with_their_functions() {
    let mut server = loaded();
    server.run("HELLO 3");
    let list = server.run("FUNCTION LIST LIBRARYNAME LI*");
    assert_eq!(
        list,
        "[{library_name lib engine LUA functions [{name count description counts flags ~[no-writes]} \
         {name echo description nil flags ~[]} {name fail description nil flags ~[]} {name put description nil flags ~[]}]}]"
    );
    assert!(
        server
            .run("FUNCTION LIST WITHCODE")
            .contains("library_code #!lua name=lib")
    );
    server.check(
        "FUNCTION LIST LIBRARYNAME nosuch -> []
         FUNCTION LIST LIBRARYNAME -> !ERR library name argument was not given
         FUNCTION LIST foo -> !ERR Unknown argument foo",
    );
}

#[test]
fn a_dump_is_restored_by_each_policy() {
    let mut server = loaded();
    let client = server.client;
    let dump = server.raw(client, &[b"FUNCTION", b"DUMP"]);
    let start = dump.iter().position(|byte| *byte == b'\n').expect("a bulk") + 1;
    let payload = dump[start..dump.len() - 2].to_vec();
    let restore = |server: &mut Server, policy: &[&[u8]]| {
        let mut words: Vec<&[u8]> = vec![b"FUNCTION", b"RESTORE", &payload];
        words.extend(policy);
        replies(&server.raw(client, &words))
    };
    assert_eq!(restore(&mut server, &[]), "!ERR Library lib already exists");
    assert_eq!(restore(&mut server, &[b"REPLACE"]), "OK");
    server.check("FUNCTION DELETE lib -> OK\n FUNCTION DELETE lib -> !ERR Library not found");
    assert_eq!(restore(&mut server, &[b"append"]), "OK");
    server.check("FCALL echo 1 k v -> [k v]");
    load(
        &mut server,
        &[],
        "#!lua name=other\nredis.register_function('o', function() end)",
    );
    assert_eq!(restore(&mut server, &[b"FLUSH"]), "OK");
    server.check("FCALL o 0 -> !ERR Function not found\n FCALL echo 1 k v -> [k v]");
    assert_eq!(
        restore(&mut server, &[b"MERGE"]),
        "!ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
    );
    let mut damaged = payload.clone();
    damaged[3] ^= 1;
    assert_eq!(
        replies(&server.raw(client, &[b"FUNCTION", b"RESTORE", &damaged])),
        "!ERR DUMP payload version or checksum are wrong"
    );
}

#[test]
fn what_changes_libraries_is_in_the_stream() {
    let mut server = Server::new();
    let reader = server.engine.open_stream();
    let code = "#!lua name=l\nredis.register_function('f', function() end)";
    load(&mut server, &[], code);
    server.check("FUNCTION DELETE l -> OK\n FUNCTION DELETE l -> !ERR Library not found\n FUNCTION FLUSH -> OK");
    let stream = server.stream(reader);
    assert_eq!(stream.len(), 4, "{stream:?}");
    assert_eq!(stream[1], format!("FUNCTION LOAD {code}"));
    assert_eq!(stream[2..], ["FUNCTION DELETE l", "FUNCTION FLUSH"]);
}

#[test]
fn functions_do_not_see_what_belongs_to_scripts_and_to_loading() {
    let mut server = Server::new();
    load(
        &mut server,
        &[],
        "#!lua name=l
redis.register_function('keys', function() return KEYS end)
redis.register_function('reg', function() return tostring(redis.register_function) end)
redis.register_function('glob', function() x = 1 end)
redis.register_function('replace', function() redis.call = 1 end)",
    );
    server.check(
        "FCALL keys 0 -> !ERR user_function:2: Script attempted to access nonexistent global variable 'KEYS' script: keys, on @user_function:2.
         FCALL reg 0 -> nil
         FCALL glob 0 -> !ERR user_function:4: Attempt to modify a readonly table script: glob, on @user_function:4.
         FCALL replace 0 -> !ERR user_function:5: Attempt to modify a readonly table script: replace, on @user_function:5.",
    );
}
