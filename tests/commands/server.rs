//! CONFIG, INFO, TIME, LOLWUT, SHUTDOWN.

use crate::harness::{START_MS, Server};
use oxidis::keyspace::db::{Database, Deadline};
use oxidis::keyspace::event;
use oxidis::resp::value::{Value, parse_value};
use oxidis::types::string::NewString;

/// INFO's text for these words after it.
fn info(server: &mut Server, sections: &str) -> String {
    server.run(&format!("INFO {sections}"))
}

/// The value of an INFO field.
fn field(server: &mut Server, section: &str, name: &str) -> String {
    let text = info(server, section);
    let prefix = format!("{name}:");
    let line = text.lines().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .to_owned()
}

fn titles(text: &str) -> String {
    let titles = text.lines().filter_map(|line| line.strip_prefix("# "));
    titles.collect::<Vec<_>>().join(" ")
}

#[test]
fn config_get_takes_names_and_patterns_and_repeats_none() {
    Server::new().check(
        "CONFIG GET maxmemory -> [maxmemory 0]
         CONFIG GET MaxMemory nosuch -> [MaxMemory 0]
         CONFIG GET maxmemory-sampl* maxmemory-samples -> [maxmemory-samples 5]
         CONFIG GET nosuch -> []
         CONFIG GET -> !ERR wrong number of arguments for 'config|get' command
         CONFIG -> !ERR wrong number of arguments for 'config' command
         CONFIG NOSUCH -> !ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.",
    );
}

#[test]
fn config_get_answers_a_map_in_resp3() {
    let mut server = Server::new();
    let slot = server.client;
    let session = server.engine.server.clients.get_mut(slot);
    session.expect("the client is there").protocol = oxidis::resp::reply::Protocol::Resp3;
    server.check("CONFIG GET maxmemory -> {maxmemory 0}");
}

#[test]
fn config_set_is_all_or_nothing() {
    Server::new().check(
        "CONFIG SET maxmemory 1gb timeout 5 -> OK
         CONFIG GET maxmemory timeout -> [maxmemory 1073741824 timeout 5]
         CONFIG SET timeout 6 maxmemory x -> !ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value
         CONFIG SET timeout 6 timeout 7 -> !ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter
         CONFIG SET timeout 6 nosuch 7 -> !ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'
         CONFIG SET timeout 6 databases 3 -> !ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config
         CONFIG SET timeout 6 dir /tmp -> !ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config
         CONFIG SET timeout -> !ERR wrong number of arguments for 'config|set' command
         CONFIG SET timeout 6 maxmemory -> !ERR syntax error
         CONFIG GET maxmemory timeout -> [maxmemory 1073741824 timeout 5]",
    );
}

#[test]
fn a_port_that_cannot_be_listened_on_is_taken_back() {
    let mut server = Server::new();
    server.host.listen_error = Some("Unable to listen on this port. Check server logs.".to_owned());
    server.check(
        "CONFIG SET timeout 7 port 22 -> !ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.
         CONFIG GET timeout port -> [timeout 0 port 6379]",
    );
    assert_eq!(server.host.listened, 1);
    server.host.listen_error = None;
    server.check(
        "CONFIG SET PORT 6380 bind 127.0.0.1 -> OK
         CONFIG GET port -> [port 6380]",
    );
    assert_eq!(server.host.listened, 2, "port and address change at once");
    server.check("CONFIG SET port 6380 timeout 1 -> OK");
    assert_eq!(
        server.host.listened, 2,
        "nothing has changed for the sockets"
    );
}

#[test]
fn more_clients_than_the_system_allows_are_refused() {
    let mut server = Server::new();
    server.host.clients_max = Some(500);
    server.check(
        "CONFIG SET maxclients 501 -> !ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle the specified number of clients, try with 500
         CONFIG GET maxclients -> [maxclients 10000]
         CONFIG SET maxclients 500 -> OK",
    );
}

#[test]
fn what_acted_on_a_change_that_failed_acts_on_the_old_values_again() {
    let mut server = Server::with_config("enable-protected-configs yes");
    server.check("CONFIG SET dir /data -> OK");
    server.host.listen_error = Some("Unable to listen on this port. Check server logs.".to_owned());
    server.check(
        "CONFIG SET dir /other bind 1.2.3.4 -> !ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.
         CONFIG GET dir -> [dir /data]",
    );
    assert_eq!(server.host.directories, ["/data", "/other", "/data"]);
    server.check(
        "CONFIG SET dir /missing -> !ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or directory
         CONFIG SET dir below -> OK
         CONFIG GET dir -> [dir /data/below]",
    );
}

#[test]
fn config_rewrite_needs_a_file_and_keeps_its_comments() {
    let mut server = Server::new();
    server.check("CONFIG REWRITE -> !ERR The server is running without a config file");
    server.engine.server.identity.config_file = "/etc/o.conf".to_owned();
    let file = "/etc/o.conf".to_owned();
    server
        .host
        .files
        .insert(file.clone(), b"# mine\ntimeout 3\n".to_vec());
    server.check(
        "CONFIG SET timeout 9 -> OK
         CONFIG REWRITE -> OK",
    );
    let text = String::from_utf8_lossy(&server.host.files[&file]).into_owned();
    assert!(text.starts_with("# mine\ntimeout 9\n"), "{text}");
    assert!(!text.contains("tcp-backlog"), "{text}");
    server.engine.server.debug.rewrite_all = true;
    server.check("CONFIG REWRITE -> OK");
    let text = String::from_utf8_lossy(&server.host.files[&file]).into_owned();
    assert!(text.contains("tcp-backlog 511"), "{text}");
}

#[test]
fn config_help_lists_the_subcommands() {
    let help = Server::new().run("CONFIG HELP");
    assert!(
        help.starts_with("[CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are: GET "),
        "{help}"
    );
    assert!(help.ends_with("HELP     Print this help.]"), "{help}");
}

#[test]
fn settings_that_are_not_read_each_time_are_put_into_force() {
    use oxidis::keyspace::access::AccessPolicy;
    let mut server = Server::new();
    server.check("CONFIG SET maxmemory-policy allkeys-lfu lfu-log-factor 3 -> OK");
    let policy = server.engine.keyspace.access_policy();
    assert!(matches!(policy, AccessPolicy::Lfu { log_factor: 3, .. }));
}

#[test]
fn info_chooses_sections_and_knows_no_others() {
    let mut server = Server::new();
    const DEFAULT: &str = "Server Clients Memory Persistence Threads Stats Replication CPU Modules Errorstats Cluster Keyspace";
    const ALL: &str = "Server Clients Memory Persistence Threads Stats Replication CPU Modules Commandstats Errorstats \
                       Latencystats Cluster Keyspace";
    let table = [
        ("", DEFAULT),
        ("default", DEFAULT),
        ("all", ALL),
        ("everything", ALL),
        ("cpu", "CPU"),
        ("KeySpace cpu CPU", "CPU Keyspace"),
        ("cpu default", DEFAULT),
        (
            "default commandstats nosuch",
            &ALL.replace("Latencystats ", ""),
        ),
        ("nosuch", ""),
    ];
    for (words, expected) in table {
        assert_eq!(titles(&info(&mut server, words)), expected, "INFO {words}");
    }
    assert_eq!(info(&mut server, "nosuch"), "");
}

#[test]
fn info_is_verbatim_text_in_resp3() {
    let mut server = Server::new();
    let slot = server.client;
    let session = server.engine.server.clients.get_mut(slot);
    session.expect("the client is there").protocol = oxidis::resp::reply::Protocol::Resp3;
    let bytes = server.raw(slot, &[b"INFO", b"cluster"]);
    let (value, _) = parse_value(&bytes)
        .expect("the reply is well formed")
        .expect("the reply is whole");
    let text = b"# Cluster\r\ncluster_enabled:0\r\n".to_vec();
    assert_eq!(
        value,
        Value::Verbatim {
            format: *b"txt",
            text
        }
    );
}

#[test]
fn info_server_tells_who_and_since_when() {
    let mut server = Server::with_config("port 7000\nbind 127.0.0.1 -::1\nunixsocket /run/o.sock");
    server.pass_ms(86_400_000 * 2 + 1500);
    let mut get = |name: &str| field(&mut server, "server", name);
    assert_eq!(get("redis_version"), "8.0.0");
    assert_eq!(get("oxidis_version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(get("uptime_in_seconds"), "172801");
    assert_eq!(get("uptime_in_days"), "2");
    assert_eq!(get("tcp_port"), "7000");
    assert_eq!(
        get("listener0"),
        "name=tcp,bind=127.0.0.1,bind=-::1,port=7000"
    );
    assert_eq!(get("listener1"), "name=unix,bind=/run/o.sock");
    let now_us = (START_MS + 86_400_000 * 2 + 1500) * 1000;
    assert_eq!(get("server_time_usec"), now_us.to_string());
    assert_eq!(get("run_id").len(), 40);
}

#[test]
fn info_clients_counts_the_asking_client_too() {
    let mut server = Server::new();
    let other = server.connect();
    server.run_as(other, "WATCH a b");
    let mut get = |name: &str| field(&mut server, "clients", name);
    assert_eq!(get("connected_clients"), "2");
    assert_eq!(get("watching_clients"), "1");
    assert_eq!(get("total_watched_keys"), "2");
    assert_eq!(get("blocked_clients"), "0");
}

#[test]
fn info_memory_tells_what_is_used_of_what() {
    let mut server = Server::with_config("maxmemory 1mb");
    server.host.usage.allocated_bytes = 3 << 20;
    server.host.usage.resident_bytes = 6 << 20;
    let mut get = |name: &str| field(&mut server, "memory", name);
    assert_eq!(get("used_memory_rss_human"), "6.00M");
    assert_eq!(get("maxmemory_human"), "1.00M");
    assert_eq!(get("maxmemory_policy"), "noeviction");
    assert_eq!(get("used_memory_peak"), get("used_memory"));
    let used: u64 = get("used_memory").parse().expect("bytes are a number");
    assert!(used >= 3 << 20, "{used}");
}

#[test]
fn info_keyspace_has_a_line_for_each_database_with_keys() {
    let mut server = Server::new();
    assert_eq!(info(&mut server, "keyspace"), "# Keyspace\r\n");
    let deadlines = [
        Deadline::Clear,
        Deadline::At(START_MS + 1000),
        Deadline::At(START_MS + 3000),
    ];
    for (name, deadline) in ["a", "b", "c"].into_iter().zip(deadlines) {
        let mut db = Database::new(&mut server.engine.keyspace, 2, true);
        let key = db.key(name.as_bytes());
        db.put(&key, NewString::Bytes(b"v"), deadline)
            .changed(event::SET);
    }
    assert_eq!(
        info(&mut server, "keyspace"),
        "# Keyspace\r\ndb2:keys=3,expires=2,avg_ttl=2000,subexpiry=0\r\n"
    );
    assert_eq!(
        field(&mut server, "persistence", "rdb_changes_since_last_save"),
        "3"
    );
}

#[test]
fn commands_are_counted_by_how_they_ended() {
    let mut server = Server::new();
    server.check(
        "GET -> !ERR wrong number of arguments for 'get' command
         GET a -> nil
         GET b -> nil
         CONFIG SET nosuch 1 -> !ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'
         EXEC -> !ERR EXEC without MULTI",
    );
    let mut get = |name: &str| field(&mut server, "commandstats", name);
    assert_eq!(
        get("cmdstat_get"),
        "calls=2,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0"
    );
    assert_eq!(
        get("cmdstat_config|set"),
        "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1"
    );
    assert_eq!(field(&mut server, "errorstats", "errorstat_ERR"), "count=3");
    assert_eq!(field(&mut server, "stats", "total_error_replies"), "3");
    assert_eq!(field(&mut server, "stats", "keyspace_misses"), "2");
    server.check("CONFIG RESETSTAT -> OK");
    assert!(!info(&mut server, "commandstats").contains("cmdstat_get"));
    assert!(!info(&mut server, "errorstats").contains("errorstat_ERR"));
    assert_eq!(field(&mut server, "stats", "keyspace_misses"), "0");
}

#[test]
fn latencies_are_shown_at_the_percentiles_that_are_asked_for() {
    let mut server = Server::new();
    server.check("CONFIG SET latency-tracking-info-percentiles \"50 99.9\" -> OK");
    server.run("GET a");
    let line = field(&mut server, "latencystats", "latency_percentiles_usec_get");
    assert_eq!(line, "p50=0.000,p99.9=0.000");
    server.check("CONFIG SET latency-tracking no -> OK");
    assert!(!info(&mut server, "latencystats").contains("usec_get"));
}

#[test]
fn time_is_seconds_and_microseconds() {
    let mut server = Server::new();
    server.pass_ms(1234);
    server.check("TIME -> [1704067201 234000]");
}

#[test]
fn lolwut_ends_with_the_version() {
    let mut server = Server::new();
    let text = server.run("LOLWUT");
    assert!(text.ends_with("Redis ver. 8.0.0\n"), "{text}");
    assert_eq!(text.lines().count(), 12, "{text}");
    assert_ne!(text, server.run("LOLWUT VERSION 5 1 2 3"));
    server.check("LOLWUT VERSION x -> !ERR value is not an integer or out of range");
}

#[test]
fn shutdown_stops_without_a_reply() {
    for line in [
        "SHUTDOWN",
        "shutdown nosave",
        "SHUTDOWN NOW FORCE NOSAVE",
        "SHUTDOWN SAVE FORCE",
    ] {
        let mut server = Server::new();
        assert_eq!(server.run(line), "", "{line}");
        assert!(server.host.stopped, "{line}");
    }
}

#[test]
fn shutdown_refuses_what_it_cannot_do() {
    let mut server = Server::new();
    server.check(
        "SHUTDOWN ABORT -> !ERR No shutdown in progress.
         SHUTDOWN ABORT NOW -> !ERR syntax error
         SHUTDOWN SAVE NOSAVE -> !ERR syntax error
         SHUTDOWN NOSUCH -> !ERR syntax error
         MULTI -> OK
         SHUTDOWN -> !ERR Command not allowed inside a transaction",
    );
    assert!(!server.host.stopped);
}

#[test]
fn what_is_pipelined_behind_shutdown_does_not_run() {
    let mut server = Server::new();
    let client = server.client;
    let replies = server.feed(client, b"SHUTDOWN NOSAVE\r\nSET late 1\r\n");
    assert!(replies.is_empty() && server.host.stopped);
    assert_eq!(server.engine.keyspace.store(0).len(), 0);
}
