//! DEBUG. The replies are those of Redis 8.0 but where they show the inside of the server.

use crate::harness::Server;
use std::time::Duration;

fn server() -> Server {
    Server::with_config("enable-debug-command yes")
}

#[test]
fn the_doors_are_shut_unless_the_configuration_opens_them() {
    let reply = Server::new().run("DEBUG HELP");
    assert!(
        reply.starts_with("!ERR DEBUG command not allowed."),
        "{reply}"
    );
    assert!(
        server()
            .run("DEBUG HELP")
            .starts_with("[DEBUG <subcommand>")
    );
}

#[test]
fn what_is_no_subcommand_and_a_wrong_number_of_words_are_one_error() {
    server().check(
        "DEBUG -> !ERR wrong number of arguments for 'debug' command
         DEBUG NoSuch -> !ERR unknown subcommand or wrong number of arguments for 'NoSuch'. Try DEBUG HELP.
         DEBUG OBJECT -> !ERR unknown subcommand or wrong number of arguments for 'OBJECT'. Try DEBUG HELP.
         DEBUG HELP x -> !ERR unknown subcommand or wrong number of arguments for 'HELP'. Try DEBUG HELP.
         DEBUG POPULATE 3 p 20 1 -> !ERR unknown subcommand or wrong number of arguments for 'POPULATE'. Try DEBUG HELP.
         DEBUG replybuffer x 1 -> !ERR unknown subcommand or wrong number of arguments for 'replybuffer'. Try DEBUG HELP.",
    );
}

#[test]
fn populate_makes_keys_that_are_not_there_and_tells_nobody() {
    let mut server = server();
    let reader = server.engine.open_stream();
    server.check(
        "DEBUG POPULATE 3 -> OK
         DBSIZE -> (3)
         GET key:0 -> value:0
         DEBUG POPULATE 11 p 9 -> OK
         GET p:10 -> value:10\\0
         DEBUG POPULATE 2 short 3 -> OK
         GET short:1 -> val
         DEBUG POPULATE 3 q 0 -> OK
         GET q:2 -> value:2
         DEBUG POPULATE 0 -> OK
         DEBUG POPULATE x -> !ERR value is out of range, must be positive
         DEBUG POPULATE -1 -> !ERR value is out of range, must be positive
         DEBUG POPULATE 3 p x -> !ERR value is out of range, must be positive
         DEBUG POPULATE 3 p -1 -> !ERR value is out of range, must be positive"
            .replace("\\0", "\0")
            .as_str(),
    );
    assert!(server.engine.stream.read(reader).is_empty());
    assert_eq!(server.engine.keyspace.dirty(), 0);
    server.check("SET key:1 mine -> OK\n DEBUG POPULATE 3 -> OK\n GET key:1 -> mine");
}

#[test]
fn a_populated_key_spoils_a_transaction_on_it() {
    let mut server = server();
    server.check(
        "WATCH key:0 -> OK
         DEBUG POPULATE 1 -> OK
         MULTI -> OK
         PING -> QUEUED
         EXEC -> nil[]",
    );
}

#[test]
fn sleep_takes_fractions_and_takes_no_text_for_a_time() {
    let mut server = server();
    server.check("DEBUG SLEEP 1.5 -> OK");
    assert_eq!(server.host.slept, Duration::from_millis(1500));
    server.check("DEBUG SLEEP x -> OK\n DEBUG SLEEP -1 -> OK\n DEBUG SLEEP nan -> OK");
    assert_eq!(server.host.slept, Duration::from_millis(1500));
}

#[test]
fn without_active_expiry_expired_keys_stay_until_somebody_looks() {
    let mut server = server();
    server.check("DEBUG SET-ACTIVE-EXPIRE 0 -> OK\n SET a 1 PX 10 -> OK\n SET b 1 PX 10 -> OK");
    server.pass_ms(1000);
    server
        .check("DBSIZE -> (2)\n EXPIRE a 10 -> (0)\n DBSIZE -> (1)\n DEL b -> (0)\n DBSIZE -> (0)");
    server.check("SET a 1 PX 10 -> OK\n DEBUG SET-ACTIVE-EXPIRE 1 -> OK");
    server.pass_ms(1000);
    server.check("DBSIZE -> (0)");
}

#[test]
fn timed_duties_rest_while_they_are_paused() {
    let mut server = server();
    server.check("SET a 1 PX 10 -> OK\n DEBUG PAUSE-CRON 1 -> OK");
    server.clock.advance_ms(1000);
    let wait_ms = server.engine.tick(&mut server.host);
    assert!(wait_ms > 0, "the loop would turn without a pause");
    server.check("DBSIZE -> (1)\n DEBUG PAUSE-CRON 0 -> OK");
    server.pass_ms(1);
    server.check("DBSIZE -> (0)");
}

#[test]
fn each_sample_has_its_form_in_both_protocols() {
    let samples = [
        ("string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"),
        ("integer", ":12345\r\n", ":12345\r\n"),
        ("double", "$5\r\n3.141\r\n", ",3.141\r\n"),
        (
            "bignum",
            "$37\r\n1234567999999999999999999999999999999\r\n",
            "(1234567999999999999999999999999999999\r\n",
        ),
        ("null", "$-1\r\n", "_\r\n"),
        (
            "array",
            "*3\r\n:0\r\n:1\r\n:2\r\n",
            "*3\r\n:0\r\n:1\r\n:2\r\n",
        ),
        (
            "set",
            "*3\r\n:0\r\n:1\r\n:2\r\n",
            "~3\r\n:0\r\n:1\r\n:2\r\n",
        ),
        (
            "map",
            "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n",
            "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n",
        ),
        (
            "attrib",
            "$39\r\nSome real reply following the attribute\r\n",
            "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$39\r\nSome real reply following the attribute\r\n",
        ),
        (
            "push",
            "-ERR RESP2 is not supported by this command\r\n",
            "$40\r\nSome real reply following the push reply\r\n>2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n",
        ),
        (
            "verbatim",
            "$25\r\nThis is a verbatim\nstring\r\n",
            "=29\r\ntxt:This is a verbatim\nstring\r\n",
        ),
        ("true", ":1\r\n", "#t\r\n"),
        ("FALSE", ":0\r\n", "#f\r\n"),
    ];
    let mut server = server();
    let resp3 = server.connect();
    server.run_as(resp3, "HELLO 3");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    for (kind, in_resp2, in_resp3) in samples {
        let words = [&b"DEBUG"[..], b"PROTOCOL", kind.as_bytes()];
        assert_eq!(text(server.raw(server.client, &words)), in_resp2, "{kind}");
        assert_eq!(text(server.raw(resp3, &words)), in_resp3, "{kind}");
    }
    server.check(
        "DEBUG PROTOCOL x -> !ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
    );
}

#[test]
fn equal_data_have_equal_digests_and_different_data_have_not() {
    let digest_after = |lines: &[&str]| {
        let mut server = server();
        lines.iter().for_each(|line| drop(server.run(line)));
        server.run("DEBUG DIGEST")
    };
    assert_eq!(digest_after(&[]), "0".repeat(40));
    let data = digest_after(&["SET a 1", "SET b 22", "SET c 3 EX 100"]);
    assert_eq!(data.len(), 40);
    let same = [
        "SET c 3 EX 50",
        "APPEND b 2",
        "SET a 1",
        "APPEND b 2",
        "SET x 1",
        "DEL x",
    ];
    assert_eq!(digest_after(&same), data);
    for other in [
        &["SET a 1", "SET b 22", "SET c 3"][..],
        &["SET a 1", "SET b 22"],
        &["SET a 22", "SET b 1", "SET c 3 EX 100"],
        &["SET a 1", "SET b 22", "SELECT 1", "SET c 3 EX 100"],
        &["SET a1 1", "SET b 22", "SET c 3 EX 100"],
    ] {
        assert_ne!(digest_after(other), data, "{other:?}");
    }
}

#[test]
fn the_digest_of_a_value_knows_neither_key_nor_deadline_nor_encoding() {
    let mut server = server();
    server.check("SET a 123 -> OK\n SET b 12 EX 100 -> OK\n APPEND b 3 -> (3)\n SET c 124 -> OK");
    let reply = server.run("DEBUG DIGEST-VALUE a b c nothing");
    let digests: Vec<&str> = reply.trim_matches(['[', ']']).split(' ').collect();
    let [a, b, c, nothing] = digests[..] else {
        panic!("four digests, not {reply}");
    };
    assert_eq!(a, b);
    assert_ne!(a, c);
    assert_eq!(nothing, "0".repeat(40));
    server.check("DEBUG DIGEST-VALUE -> []");
}

#[test]
fn object_shows_how_a_value_is_kept_and_how_long_it_is_in_a_file() {
    let mut server = server();
    let mut field = |value: &str, name: &str| {
        server.run(&format!("SET k {value}"));
        let reply = server.run("DEBUG OBJECT k");
        assert!(reply.starts_with("Value at:0x"), "{reply}");
        let mut fields = reply.split(' ').filter_map(|field| field.split_once(':'));
        let found = fields.find(|(own, _)| *own == name);
        found.map(|(_, value)| value.to_owned())
    };
    assert_eq!(field("v", "encoding").as_deref(), Some("embstr"));
    assert_eq!(field("v", "refcount").as_deref(), Some("1"));
    assert_eq!(field("v", "lru_seconds_idle").as_deref(), Some("0"));
    for (value, bytes) in [
        ("v", "2"),
        ("-128", "2"),
        ("12345", "3"),
        ("2147483647", "5"),
        ("2147483648", "11"),
        ("abcdefghijklmnop", "17"),
    ] {
        assert_eq!(
            field(value, "serializedlength").as_deref(),
            Some(bytes),
            "{value}"
        );
    }
    server.check("DEBUG OBJECT nothing -> !ERR no such key");
}

#[test]
fn object_shows_an_expired_key_that_nobody_has_met() {
    let mut server = server();
    server.check("SET k v PX 10 -> OK\n DEBUG SET-ACTIVE-EXPIRE 0 -> OK");
    server.pass_ms(20);
    let reply = server.run("DEBUG OBJECT k");
    assert!(reply.starts_with("Value at:0x"), "{reply}");
    server.check("EXISTS k -> (0)\n DEBUG OBJECT k -> !ERR no such key");
}

#[test]
fn a_counter_is_changed_where_it_lies() {
    let mut server = server();
    let address = |server: &mut Server| {
        let reply = server.run("DEBUG OBJECT foo");
        reply.split(' ').nth(1).map(str::to_owned)
    };
    server.check("SET foo 20000 -> OK");
    let before = address(&mut server);
    server.check("INCR foo -> (20001)");
    assert_eq!(address(&mut server), before);
}

#[test]
fn tables_and_strings_show_their_measures() {
    let mut server = server();
    let empty = server.raw(server.client, &[b"DEBUG", b"HTSTATS", b"0"]);
    assert_eq!(empty, b"$29\r\n[Dictionary HT]\n[Expires HT]\n\r\n");
    server.check("DEBUG POPULATE 100 -> OK\n EXPIRE key:1 100 -> (1)");
    let text = server.run("DEBUG HTSTATS 0 full");
    assert!(text.contains("\n number of elements: 100\n"), "{text}");
    assert!(
        text.contains("[Expires HT]\nHeap of deadlines:\n number of elements: 1\n"),
        "{text}"
    );
    server.check(
        "DEBUG HTSTATS 99 -> !ERR Out of range database
         DEBUG HTSTATS -1 -> !ERR Out of range database
         DEBUG HTSTATS x -> !ERR value is not an integer or out of range
         DEBUG HTSTATS-KEY nothing -> !ERR no such key
         DEBUG HTSTATS-KEY key:1 -> !ERR The value stored at the specified key is not represented using an hash table
         SET n 5 -> OK
         DEBUG SDSLEN n -> !ERR Not an sds encoded string.
         DEBUG SDSLEN nothing -> !ERR no such key",
    );
    let text = server.run("DEBUG SDSLEN key:1");
    assert!(
        text.starts_with("key_sds_len:5, key_sds_avail:0, key_zmalloc: "),
        "{text}"
    );
    assert!(text.contains(" val_sds_len:7, val_sds_avail:0, "), "{text}");
    assert!(server.run("DEBUG STRUCTSIZE").starts_with("bits:64 "));
}

#[test]
fn an_error_of_any_text_can_be_had() {
    let mut server = server();
    let reply = server.raw(server.client, &[b"DEBUG", b"ERROR", b"BAD a\r\nb"]);
    assert_eq!(reply, b"-BAD a  b\r\n");
    server.check("DEBUG LOG hello -> OK");
}

#[test]
fn switches_are_accepted_as_suites_set_them() {
    let mut server = server();
    server.check(
        "DEBUG DICT-RESIZING 0 -> OK
         DEBUG SET-DISABLE-DENY-SCRIPTS 1 -> OK
         DEBUG REPLYBUFFER PEAK-RESET-TIME never -> OK
         DEBUG REPLYBUFFER PEAK-RESET-TIME reset -> OK
         DEBUG REPLYBUFFER PEAK-RESET-TIME 100 -> OK
         DEBUG REPLYBUFFER PEAK-RESET-TIME x -> !ERR value is not an integer or out of range
         DEBUG REPLYBUFFER RESIZING 0 -> OK
         DEBUG QUICKLIST-PACKED-THRESHOLD 100b -> OK
         DEBUG QUICKLIST-PACKED-THRESHOLD 5gb -> !ERR argument must be a memory value bigger than 1 and smaller than 4gb
         DEBUG QUICKLIST-PACKED-THRESHOLD x -> !ERR argument must be a memory value bigger than 1 and smaller than 4gb",
    );
    let debug = server.engine.server.debug;
    assert!(debug.allow_denied_in_scripts);
    assert_eq!(debug.packed_threshold_bytes, 100);
}

#[test]
fn what_cannot_be_done_is_refused() {
    server().check(
        "DEBUG RELOAD x -> !ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.
         DEBUG RESTART -> !ERR failed to restart the server. Check server logs.
         DEBUG CRASH-AND-RECOVER 0 -> !ERR failed to restart the server. Check server logs.
         DEBUG CONFIG-REWRITE-FORCE-ALL -> !ERR The server is running without a config file",
    );
}

#[test]
fn a_forced_rewrite_has_a_line_for_every_parameter() {
    let mut server = server();
    server.engine.server.identity.config_file = "oxidis.conf".to_owned();
    let lines = |server: &Server| {
        let file = server.host.files.get("oxidis.conf");
        String::from_utf8_lossy(file.expect("the file was written")).into_owned()
    };
    server.check("CONFIG REWRITE -> OK");
    assert!(!lines(&server).contains("\ntimeout 0"));
    server.check("DEBUG CONFIG-REWRITE-FORCE-ALL -> OK");
    assert!(lines(&server).contains("\ntimeout 0"));
    assert!(!server.engine.server.debug.rewrite_all);
}

#[test]
fn stringmatch_len_matches_a_pattern_against_so_many_letters() {
    let mut server = Server::with_config("enable-debug-command yes");
    server.check(
        "DEBUG STRINGMATCH-LEN 5 a* -> (1)
         DEBUG STRINGMATCH-LEN 5 ???? -> (0)
         DEBUG STRINGMATCH-LEN -1 a -> !ERR value is out of range",
    );
}
