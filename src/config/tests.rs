//! The table against the lists of the real servers; CONFIG GET, SET and REWRITE.

use std::collections::BTreeSet;

use super::kind::Kind;
use super::settings::*;
use super::*;

const CLIENT: Access = Access {
    protected: false,
    loading: false,
};
const TRUSTED: Access = Access {
    protected: true,
    loading: false,
};

fn set(config: &mut Config, pairs: &[(&str, &str)]) -> Result<Vec<&'static str>, String> {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    let changed = config
        .set(&pairs, CLIENT)
        .map_err(|error| error.to_string())?;
    Ok(changed.iter().map(|param| param.name).collect())
}

fn get(config: &Config, name: &str) -> String {
    let pairs = config.get(&[name.as_bytes()]);
    let (_, value) = pairs.first().cloned().unwrap_or_default();
    String::from_utf8_lossy(&value).into_owned()
}

fn names(config: &Config, patterns: &[&str]) -> Vec<String> {
    let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
    config
        .get(&patterns)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn every_default_is_accepted_and_printed_so_that_it_reads_back() {
    for param in params::all()
        .iter()
        .filter(|param| !param.kind.is_file_only())
    {
        let value = param.default_value();
        let printed = param.kind.print(&value);
        let again = param.kind.parse(param.name, &[&printed], &value);
        assert_eq!(again, Ok(value), "{}", param.name);
    }
}

#[test]
fn every_field_holds_the_ends_of_its_range() {
    for param in params::all() {
        let ends = match param.kind {
            Kind::Number { min, max } => vec![min, max],
            Kind::Memory { min } => vec![min, i64::MAX],
            _ => continue,
        };
        for end in ends {
            let mut config = Config::default();
            config
                .put(param.name, &[end.to_string().as_bytes()])
                .unwrap_or_else(|reason| {
                    panic!("{} {end}: {reason}", param.name);
                });
            assert_eq!(get(&config, param.name), end.to_string(), "{}", param.name);
        }
    }
}

#[test]
fn every_word_of_a_choice_reaches_its_field() {
    for param in params::all() {
        let Kind::Choice { words, .. } = param.kind else {
            continue;
        };
        for word in words {
            let mut config = Config::default();
            config
                .put(param.name, &[word.as_bytes()])
                .expect("a choice takes its own words");
            assert_eq!(get(&config, param.name), *word);
        }
    }
}

#[test]
fn config_get_star_lists_what_the_three_servers_list_and_our_own() {
    let lists = [
        include_str!("../../tests/compat/config_redis_7.0.txt"),
        include_str!("../../tests/compat/config_redis_8.0.txt"),
        include_str!("../../tests/compat/config_valkey_9.1.txt"),
    ];
    let mut expected: BTreeSet<String> = lists
        .iter()
        .flat_map(|list| list.lines())
        .map(str::to_string)
        .collect();
    expected.extend(["logformat", "rdb-version"].map(str::to_string));
    let listed = names(&Config::default(), &["*"]);
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(unique, expected);
    assert_eq!(unique.len(), listed.len(), "no name twice");
}

#[test]
fn names_are_unique_across_parameters_and_aliases() {
    let mut seen = BTreeSet::new();
    for name in params::all().iter().flat_map(|param| param.names()) {
        assert!(seen.insert(name), "{name} twice");
        assert_eq!(name, name.to_ascii_lowercase());
    }
}

#[test]
fn a_name_is_answered_as_asked_and_a_pattern_finds_aliases_once() {
    let config = Config::default();
    assert_eq!(names(&config, &["HZ", "hz"]), ["HZ"]);
    assert_eq!(names(&config, &["slaveof"]), ["slaveof"]);
    let found = names(&config, &["maxmemory", "maxmemory*", "bind", "*of"]);
    for name in [
        "slaveof",
        "replicaof",
        "maxmemory",
        "maxmemory-samples",
        "bind",
    ] {
        assert_eq!(found.iter().filter(|n| *n == name).count(), 1, "{name}");
    }
    assert_eq!(names(&config, &["D[i]R*"]), ["dir"]);
    assert!(names(&config, &["nosuch", "user", "rename-command"]).is_empty());
}

#[test]
fn a_hidden_parameter_is_found_by_its_name_alone() {
    let config = Config::default();
    assert!(!names(&config, &["*"]).contains(&"key-load-delay".to_string()));
    assert_eq!(names(&config, &["key-load-delay"]), ["key-load-delay"]);
}

#[test]
fn a_set_changes_value_and_field_together_and_names_what_changed() {
    let mut config = Config::default();
    let changed = set(
        &mut config,
        &[
            ("maxmemory", "100mb"),
            ("slave-priority", "7"),
            ("hz", "10"),
            ("save", "60 5 30 1"),
        ],
    );
    assert_eq!(
        changed.map(BTreeSet::from_iter),
        Ok(["maxmemory", "replica-priority", "save"].into())
    );
    assert_eq!(config.settings.maxmemory, 104_857_600);
    assert_eq!(config.settings.replica_priority, 7);
    assert_eq!(
        config.settings.save,
        [
            SavePoint {
                seconds: 60,
                changes: 5
            },
            SavePoint {
                seconds: 30,
                changes: 1
            }
        ]
    );
    assert_eq!(get(&config, "slave-priority"), "7");
    assert_eq!(get(&config, "replica-priority"), "7");
}

#[test]
fn a_set_with_one_bad_value_changes_nothing() {
    let mut config = Config::default();
    set(&mut config, &[("maxmemory", "10000002")]).expect("a good value");
    let refused = set(
        &mut config,
        &[
            ("maxmemory", "10000001"),
            ("maxmemory-clients", "200%"),
            ("client-query-buffer-limit", "invalid"),
        ],
    );
    assert_eq!(
        refused,
        Err(
            "ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - \
             percentage argument must be less or equal to 100"
                .to_string()
        )
    );
    assert_eq!(get(&config, "maxmemory"), "10000002");
    assert_eq!(config.settings.maxmemory, 10_000_002);
}

#[test]
fn a_snapshot_brings_values_and_fields_back() {
    let mut config = Config::default();
    let before = config.snapshot();
    set(&mut config, &[("port", "7000"), ("loglevel", "debug")]).expect("good values");
    assert_eq!(config.settings.loglevel, LogLevel::Debug);
    config.restore(before);
    assert_eq!(
        (get(&config, "port").as_str(), config.settings.port),
        ("6379", 6379)
    );
    assert_eq!(config.settings.loglevel, LogLevel::Notice);
}

#[test]
fn refused_names_say_why() {
    let mut config = Config::default();
    for (pairs, expected) in [
        (
            vec![("nosuch", "1")],
            "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
        ),
        (
            vec![("rename-command", "a b")],
            "ERR Unknown option or number of arguments for CONFIG SET - 'rename-command'",
        ),
        (
            vec![("hz", "1"), ("NoSuch", "1")],
            "ERR Unknown option or number of arguments for CONFIG SET - 'NoSuch'",
        ),
        (
            vec![("slaveof", "x y")],
            "ERR CONFIG SET failed (possibly related to argument 'slaveof') - can't set immutable config",
        ),
        (
            vec![("dir", "/")],
            "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config",
        ),
        (
            vec![("maxmemory", "1"), ("maxmemory", "2")],
            "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate parameter",
        ),
    ] {
        assert_eq!(set(&mut config, &pairs), Err(expected.to_string()));
    }
    assert_eq!(
        set(
            &mut config,
            &[("replica-priority", "1"), ("slave-priority", "2")]
        )
        .map(|c| c.len()),
        Ok(1)
    );
    assert_eq!(get(&config, "replica-priority"), "2");
}

#[test]
fn everything_config_get_lists_can_be_set_to_what_it_is() {
    let mut config = Config::default();
    for (name, value) in config.get(&[b"*"]) {
        let changed = config.set(&[(name.as_bytes(), &value)], TRUSTED);
        let changed = changed.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(changed.is_empty(), "{name}");
    }
}

#[test]
fn immutable_parameters_refuse_any_other_value() {
    let mut config = Config::default();
    let refused = set(&mut config, &[("daemonize", "yes")]).expect_err("it is no now");
    assert!(
        refused.ends_with("'daemonize') - can't set immutable config"),
        "{refused}"
    );
    let refused = set(&mut config, &[("databases", "nonsense")]).expect_err("no number");
    assert!(
        refused.ends_with("'databases') - can't set immutable config"),
        "{refused}"
    );
}

#[test]
fn protected_and_loading_depend_on_the_circumstances() {
    let mut config = Config::default();
    assert!(
        config
            .set(&[(b"dbfilename", b"other.rdb")], TRUSTED)
            .is_ok()
    );
    assert_eq!(config.settings.dbfilename, "other.rdb");
    let loading = Access {
        protected: true,
        loading: true,
    };
    let refused = config
        .set(&[(b"dir", b"/")], loading)
        .expect_err("dir while loading");
    assert_eq!(
        refused.to_string(),
        "LOADING Redis is loading the dataset in memory"
    );
    assert!(config.set(&[(b"loglevel", b"debug")], loading).is_ok());
}

const MEMORY: &str = "argument must be a memory value";
const INTEGER: &str = "argument couldn't be parsed into an integer";

/// (parameter, value, why it is refused).
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "port",
        "65536",
        "argument must be between 0 and 65535 inclusive",
    ),
    ("port", "x", INTEGER),
    ("hz", " 10", INTEGER),
    ("hz", "010", INTEGER),
    ("timeout", "", INTEGER),
    ("timeout", "5mb", INTEGER),
    ("timeout", "99999999999999999999", INTEGER),
    ("maxmemory", "1kk", MEMORY),
    ("maxmemory", "1.5gb", MEMORY),
    ("maxmemory", "1 gb", MEMORY),
    ("maxmemory", "-1", MEMORY),
    (
        "proto-max-bulk-len",
        "1023",
        "argument must be between 1048576 and 9223372036854775807 inclusive",
    ),
    (
        "proto-max-bulk-len",
        "99999999999999gb",
        "argument must be between 1048576 and 9223372036854775807 inclusive",
    ),
    (
        "maxmemory-clients",
        "-5%",
        "argument must be a memory or percent value",
    ),
    ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
    (
        "appendfsync",
        "x",
        "argument(s) must be one of the following: everysec, always, no",
    ),
    ("save", "1", "Invalid save parameters"),
    ("save", "0 1", "Invalid save parameters"),
    ("save", "1 -1", "Invalid save parameters"),
    (
        "client-output-buffer-limit",
        "normal 1 2",
        "Wrong number of arguments in buffer limit configuration.",
    ),
    (
        "client-output-buffer-limit",
        "master 1 2 3",
        "Invalid client class specified in buffer limit configuration.",
    ),
    (
        "client-output-buffer-limit",
        "normal x 2 3",
        "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
    ),
    (
        "notify-keyspace-events",
        "Q",
        "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.",
    ),
    (
        "latency-tracking-info-percentiles",
        "x",
        "Invalid latency-tracking-info-percentiles parameters",
    ),
    (
        "latency-tracking-info-percentiles",
        "101",
        "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
    ),
    ("oom-score-adj-values", "1 2", "wrong number of arguments"),
    (
        "oom-score-adj-values",
        "1 2 3000",
        "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
    ),
    (
        "proc-title-template",
        "{nosuch}",
        "template format is invalid or contains unknown variables",
    ),
    (
        "proc-title-template",
        "{title",
        "template format is invalid or contains unknown variables",
    ),
    (
        "proc-title-template",
        "{title}",
        "template format is invalid or contains unknown variables",
    ),
    (
        "shutdown-on-sigterm",
        "save nosave",
        "shutdown options SAVE and NOSAVE can't be used simultaneously",
    ),
    (
        "cluster-announce-hostname",
        "a_b",
        "Hostnames may only contain alphanumeric characters, hyphens or dots",
    ),
    (
        "cluster-announce-client-ipv4",
        "1.2.3",
        "Invalid IPv4 address",
    ),
    (
        "cluster-announce-client-ipv6",
        "1.2.3.4",
        "Invalid IPv6 address",
    ),
];

#[test]
fn refused_values_say_why_in_the_words_of_redis() {
    let mut config = Config::default();
    for (name, value, reason) in REFUSED.iter().copied() {
        let expected =
            format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}");
        assert_eq!(
            set(&mut config, &[(name, value)]),
            Err(expected),
            "{name} {value:?}"
        );
    }
}

#[test]
fn accepted_values_are_printed_in_their_canonical_form() {
    for (name, value, printed) in [
        ("maxmemory", "1gb", "1073741824"),
        ("maxmemory", "1G", "1000000000"),
        ("maxmemory", "5k", "5000"),
        ("maxmemory", "", "0"),
        ("maxmemory-clients", "5%", "5%"),
        ("hz", "1000", "500"),
        ("hz", "0", "1"),
        ("appendonly", "YES", "yes"),
        ("loglevel", "DEBUG", "debug"),
        ("loglevel", "info", "notice"),
        ("loglevel", "warn", "warning"),
        ("loglevel", "error", "error"),
        ("save", "", ""),
        ("notify-keyspace-events", "KEA", "AKE"),
        ("notify-keyspace-events", "Ex", "xE"),
        ("notify-keyspace-events", "nmEKdetxzhsl$", "$lshzxetdnKEm"),
        (
            "latency-tracking-info-percentiles",
            "50 100.0 1.123456",
            "50 100 1.123456",
        ),
        ("latency-tracking-info-percentiles", "", ""),
        ("shutdown-on-sigterm", "now nosave", "nosave now"),
        ("shutdown-on-sigterm", "default now", "now"),
        ("shutdown-on-sigint", "FORCE", "force"),
        ("bind", "127.0.0.1 -::1", "127.0.0.1 -::1"),
        ("bind", "", ""),
        ("slot-migration-max-failover-repl-bytes", "-1", "-1"),
        ("requirepass", "a b", "a b"),
        (
            "client-output-buffer-limit",
            "replica 1mb 2 3 pubsub 1 2 3",
            "normal 0 0 0 slave 1048576 2 3 pubsub 1 2 3",
        ),
        (
            "client-output-buffer-limit",
            "",
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        ),
    ] {
        let mut config = Config::default();
        assert!(
            set(&mut config, &[(name, value)]).is_ok(),
            "{name} {value:?}"
        );
        assert_eq!(get(&config, name), printed, "{name} {value:?}");
    }
}

#[test]
fn typed_fields_say_what_the_words_mean() {
    let mut config = Config::default();
    set(
        &mut config,
        &[
            ("maxmemory-clients", "50%"),
            ("shutdown-on-sigterm", "nosave now"),
            ("client-output-buffer-limit", "pubsub 1kb 2kb 3"),
            ("maxmemory-policy", "allkeys-lfu"),
            ("requirepass", "p\u{1}"),
            ("latency-tracking-info-percentiles", "50 99.9"),
        ],
    )
    .expect("good values");
    let settings = &config.settings;
    assert_eq!(settings.maxmemory_clients.limit_bytes(1000), Some(500));
    assert!(settings.shutdown_on_sigterm.nosave && settings.shutdown_on_sigterm.now);
    assert_eq!(
        settings.client_output_buffer_limits[2],
        OutputBufferLimit {
            hard_bytes: 1024,
            soft_bytes: 2048,
            soft_seconds: 3
        }
    );
    assert_eq!(
        settings.client_output_buffer_limits[1].hard_bytes,
        256 << 20
    );
    assert_eq!(settings.maxmemory_policy, MaxmemoryPolicy::AllkeysLfu);
    assert_eq!(settings.requirepass, b"p\x01");
    assert_eq!(settings.latency_tracking_info_percentiles, [50.0, 99.9]);
    assert!(LocalAccess::Local.allows(true) && !LocalAccess::Local.allows(false));
}

#[test]
fn the_primary_is_kept_as_the_server_changes_it() {
    let mut config = Config::default();
    config
        .put("replicaof", &[b"db.example", b"6380"])
        .expect("a host and a port");
    assert_eq!(
        config.settings.replicaof,
        Some(("db.example".to_string(), 6380))
    );
    assert_eq!(get(&config, "slaveof"), "db.example 6380");
    config
        .put("replicaof", &[b"no", b"one"])
        .expect("no primary");
    assert_eq!(config.settings.replicaof, None);
}

mod rewriting {
    use super::*;

    #[test]
    fn lines_are_replaced_where_they_stand_and_new_ones_go_below_the_marker() {
        let mut config = Config::default();
        set(
            &mut config,
            &[
                ("port", "7000"),
                ("maxmemory", "1073741825"),
                ("replica-priority", "60"),
                ("lfu-decay-time", "3"),
                ("proto-max-bulk-len", "2097153"),
                ("client-query-buffer-limit", "2mb"),
                ("masterauth", "a b\u{1}"),
                ("notify-keyspace-events", "Ex"),
                ("shutdown-on-sigterm", "nosave now"),
                ("bind", "127.0.0.1 -::1"),
            ],
        )
        .expect("good values");
        config.put("dir", &[b"/data"]).expect("a folder");
        let old = "# my conf\nport 1\n\n# mem\nmaxmemory 1gb\nslave-priority 50\nhz 20\ntimeout 5\n\
                   rename-command flushall \"\"\ninclude other.conf\nbind *\n# tail\n\n\n";
        let expected = "# my conf\nport 7000\n\n# mem\nmaxmemory 1073741825\nreplica-priority 60\n\
                        hz 10\ntimeout 0\nrename-command flushall \"\"\ninclude other.conf\n\
                        bind 127.0.0.1 -::1\n# tail\n\n# Generated by CONFIG REWRITE\ndir \"/data\"\n\
                        shutdown-on-sigterm nosave now\nproto-max-bulk-len 2097153\n\
                        client-query-buffer-limit 2mb\nnotify-keyspace-events \"xE\"\n\
                        lfu-decay-time 3\nmasterauth \"a b\\x01\"\n";
        let new = config.rewrite(old, None);
        assert_eq!(new, expected);
        assert_eq!(
            config.rewrite(&new, None),
            new,
            "a second rewrite changes nothing"
        );
    }

    #[test]
    fn a_file_without_a_blank_end_gets_one_before_the_marker() {
        let config = Config::default();
        assert_eq!(
            config.rewrite("port 6379\n", None),
            "port 6379\n\n# Generated by CONFIG REWRITE\ndir \".\"\n"
        );
    }

    #[test]
    fn save_points_take_the_places_of_the_old_ones() {
        let mut config = Config::default();
        config.put("dir", &[b"/d"]).expect("a folder");
        let old = "save 900 1\n# between\nsave 300 10\nhz 10\ndir /d\n";
        set(&mut config, &[("save", "60 10")]).expect("a save point");
        assert_eq!(
            config.rewrite(old, None),
            "save 60 10\n# between\n\nhz 10\ndir \"/d\"\n"
        );
        set(&mut config, &[("save", "")]).expect("none");
        assert_eq!(
            config.rewrite(old, None),
            "save \"\"\n# between\n\nhz 10\ndir \"/d\"\n"
        );
        set(&mut config, &[("save", "1 1 2 2 3 3")]).expect("three");
        assert_eq!(
            config.rewrite(old, None),
            "save 1 1\n# between\nsave 2 2\nhz 10\ndir \"/d\"\n\n# Generated by CONFIG REWRITE\nsave 3 3\n"
        );
    }

    #[test]
    fn an_unset_text_loses_its_line_and_alias_lines_become_one() {
        let mut config = Config::default();
        config.put("dir", &[b"/d"]).expect("a folder");
        set(&mut config, &[("hash-max-listpack-entries", "100")]).expect("a number");
        let old =
            "hash-max-ziplist-entries 20\nhash-max-listpack-entries 21\nmasterauth x\ndir /d\n";
        assert_eq!(
            config.rewrite(old, None),
            "hash-max-listpack-entries 100\n\ndir \"/d\"\n"
        );
    }

    #[test]
    fn classes_of_buffer_limits_and_users_are_many_lines() {
        let mut config = Config::default();
        config.put("dir", &[b"/d"]).expect("a folder");
        set(
            &mut config,
            &[("client-output-buffer-limit", "normal 1 2 3 replica 4 5 6")],
        )
        .expect("limits");
        let users = [
            "default on nopass ~* &* +@all".to_string(),
            "bob off -@all".to_string(),
        ];
        let old = "client-output-buffer-limit pubsub 1 1 1\nuser alice on\ndir /d\n";
        assert_eq!(
            config.rewrite(old, Some(&users)),
            "client-output-buffer-limit normal 1 2 3\nuser default on nopass ~* &* +@all\ndir \"/d\"\n\n\
             # Generated by CONFIG REWRITE\nuser bob off -@all\nclient-output-buffer-limit replica 4 5 6\n"
        );
        assert!(config.rewrite(old, None).contains("user alice on\n"));
    }

    #[test]
    fn every_parameter_written_out_is_read_back_as_it_was() {
        let mut text = String::new();
        for param in params::all()
            .iter()
            .filter(|p| !p.kind.is_file_only() && p.name != "dir")
        {
            text.push_str(&format!("{} x\n", param.name));
        }
        let mut config = Config::default();
        set(
            &mut config,
            &[("save", ""), ("maxmemory-clients", "7%"), ("bind", "")],
        )
        .expect("values");
        let rewritten = config.rewrite(&text, None);
        let again = file::tests::load_text(&rewritten).expect("the server reads what it wrote");
        for (index, param) in params::all().iter().enumerate() {
            if param.name != "dir" {
                assert_eq!(
                    again.values.get(index),
                    config.values.get(index),
                    "{}",
                    param.name
                );
            }
        }
    }
}
