//! Loading takes time, and clients come meanwhile.

use crate::harness::Server;

/// Enough keys that clients are looked at in the middle of loading.
const LINES: &str = "enable-debug-command yes\nsave \"\"\nloading-process-events-interval-bytes 1024\nrdbcompression no";

/// A server whose dump has 200 keys.
fn server() -> Server {
    let mut server = Server::with_config(LINES);
    server.check(
        "DEBUG POPULATE 200 key 100 -> OK
         SAVE -> OK",
    );
    server
}

/// What another client is answered while the data is being loaded.
fn answers(server: &mut Server, lines: &[&str]) -> Vec<String> {
    let other = server.connect();
    let others = lines
        .iter()
        .map(|line| (other, format!("{line}\r\n").into_bytes()));
    server.host.others = others.collect();
    server.check("DEBUG RELOAD NOSAVE -> OK");
    std::mem::take(&mut server.host.answers)
}

const LOADING: &str = "!LOADING Redis is loading the dataset in memory";

#[test]
fn what_touches_data_is_refused_and_the_rest_is_answered() {
    let mut server = server();
    let got = answers(
        &mut server,
        &["GET key:1", "PING", "SET a 1", "SELECT 3", "ECHO x", "SAVE"],
    );
    assert_eq!(got, [LOADING, LOADING, LOADING, "OK", "x", LOADING]);
    server.check("DBSIZE -> (200)\nEXISTS a -> (0)");
}

#[test]
fn a_transaction_that_touches_data_is_given_up() {
    let mut server = server();
    let got = answers(&mut server, &["MULTI", "ECHO x", "GET key:1", "EXEC"]);
    assert_eq!(
        got,
        [
            "OK",
            "QUEUED",
            LOADING,
            "!EXECABORT Transaction discarded because of previous errors."
        ]
    );
    let waiting = server.connect();
    server.run_as(waiting, "MULTI");
    server.run_as(waiting, "GET key:1");
    server.host.others = [(waiting, b"EXEC\r\n".to_vec())].into();
    server.check("DEBUG RELOAD NOSAVE -> OK");
    let expected = "!EXECABORT Transaction discarded because of: LOADING Redis is loading the dataset in memory";
    assert_eq!(server.host.answers, [expected]);
}

#[test]
fn info_shows_how_far_it_has_come() {
    let mut server = server();
    let file = server.host.files["dump.rdb"].len();
    let got = answers(&mut server, &["INFO persistence", "INFO persistence"]);
    let field = |text: &str, name: &str| -> u64 {
        let mut lines = text.split("\r\n");
        let line = lines.find_map(|line| line.strip_prefix(&format!("{name}:")));
        let value = line.and_then(|value| value.parse().ok());
        value.unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    for text in &got {
        assert_eq!(field(text, "loading"), 1);
        assert_eq!(field(text, "loading_start_time"), 1_704_067_200);
        assert_eq!(field(text, "loading_total_bytes"), file as u64);
        assert_eq!(field(text, "loading_eta_seconds"), 1);
    }
    let first = field(&got[0], "loading_loaded_bytes");
    let second = field(&got[1], "loading_loaded_bytes");
    assert!(1024 <= first && first + 1000 < second && second < file as u64);
    let after = server.run("INFO persistence");
    assert!(after.contains("\nloading:0\r\n") && !after.contains("loading_start_time"));
}

#[test]
fn a_server_that_is_told_to_end_meanwhile_saves_nothing_over_its_file() {
    let mut server = server();
    let file = server.host.files["dump.rdb"].clone();
    let other = server.connect();
    server.check("CONFIG SET save \"900 1\" -> OK");
    server.host.others = [(other, b"SHUTDOWN SAVE\r\n".to_vec())].into();
    server.run("DEBUG RELOAD NOSAVE");
    assert!(server.host.stopped);
    assert_eq!(server.host.files["dump.rdb"], file);
    server.check(&format!("DBSIZE -> {LOADING}"));
}

#[test]
fn what_loading_depends_on_stays_as_it_is() {
    let mut server = server();
    let got = answers(
        &mut server,
        &[
            "CONFIG SET appendonly yes",
            "DEBUG RELOAD",
            "DEBUG POPULATE 10",
            "CONFIG SET key-load-delay 0",
        ],
    );
    assert!(got[0].starts_with("!LOADING"), "{}", got[0]);
    assert_eq!(got[1..], [LOADING, LOADING, "OK"]);
}

#[test]
fn the_client_that_has_the_data_read_anew_goes_on_with_what_it_has_sent() {
    let mut server = server();
    let other = server.connect();
    server.host.others = [(other, b"ECHO a\r\nECHO b\r\nECHO c\r\n".to_vec())].into();
    let client = server.client;
    let sent =
        b"GET key:1\r\nDEBUG RELOAD NOSAVE\r\nSTRLEN key:1\r\nSTRLEN key:2\r\nSET x y\r\nGET x\r\n";
    let got = server.feed(client, sent);
    assert!(got.ends_with(b"+OK\r\n:100\r\n:100\r\n+OK\r\n$1\r\ny\r\n"));
    assert_eq!(server.host.answers, ["a ; b ; c"]);
}

#[test]
fn who_waits_for_a_key_is_served_when_all_is_loaded() {
    let folder = std::env::temp_dir().join(format!("oxidis-loading-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    let mut server = Server::in_folder(&folder, &format!("{LINES}\nappendonly yes"));
    let (waiting, other) = (server.connect(), server.connect());
    for number in 0..100 {
        server.run(&format!("RPUSH list {number}:{}", "x".repeat(100)));
    }
    server.check("RENAME list other -> OK\nRPUSH list last -> (1)\nDEL list -> (1)");
    assert_eq!(server.run_as(waiting, "BLPOP list 0"), "");
    server.host.others = vec![(other, b"ECHO x\r\n".to_vec()); 3].into();
    server.check("DEBUG LOADAOF -> OK\nLLEN other -> (100)\nEXISTS list -> (0)");
    assert_eq!(server.host.answers, ["x", "x", "x"]);
    // What stood in the list while it was built anew was not for it.
    assert_eq!(server.received(waiting), "");
    server.check("RPUSH list new -> (1)");
    assert_eq!(server.received(waiting), "[list new]");
    // What cannot be removed harms nobody.
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn a_delay_after_each_key_is_slept_and_clients_are_looked_at_meanwhile() {
    for (delay, slept_us) in [("100", 200 * 100), ("-10", 20)] {
        let mut server = server();
        server.run("CONFIG SET loading-process-events-interval-bytes 1000000");
        server.run(&format!("CONFIG SET key-load-delay {delay}"));
        let before = server.host.slept;
        answers(&mut server, &["ECHO x"]);
        let slept = (server.host.slept - before).as_micros();
        assert!(
            (slept_us - 1..=slept_us).contains(&slept),
            "{delay}: {slept}"
        );
    }
}

#[test]
fn nothing_is_evicted_while_data_is_loaded() {
    let mut server = server();
    server.run("CONFIG SET maxmemory-policy allkeys-random");
    // So many that keys have come in before the last.
    let lines = [&["CONFIG SET maxmemory 1"][..], &["SET a 1"; 15]].concat();
    let got = answers(&mut server, &lines);
    assert_eq!(got[1..], [LOADING; 15]);
    server.check("CONFIG SET maxmemory 0 -> OK\nDBSIZE -> (200)");
}
