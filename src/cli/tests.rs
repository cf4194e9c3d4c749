//! The forms of the command line that are understood, and what is refused.

use super::*;
use crate::config::{Config, load};

fn arguments(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn serve(words: &[&str]) -> Sources {
    match parse(&arguments(words)) {
        Invocation::Serve(sources) => sources,
        other => panic!("{words:?} gives {other:?}"),
    }
}

/// The configuration these words give on top of a file with one save point, as the upstream tests have it.
fn started(words: &[&str]) -> Config {
    let mut sources = serve(words);
    let mut options = b"save 900 1\n".to_vec();
    options.append(&mut sources.options);
    sources.options = options;
    sources.file = None;
    load(&sources).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn refused(words: &[&str]) -> String {
    load(&serve(words))
        .expect_err("the words are wrong")
        .to_string()
}

fn value(config: &Config, name: &str) -> String {
    String::from_utf8_lossy(&config.get(&[name.as_bytes()])[0].1).into_owned()
}

#[test]
fn a_first_word_without_dash_is_the_file_and_a_lone_dash_is_standard_input() {
    let sources = serve(&["my.conf", "--port", "7000", "-"]);
    assert_eq!(sources.file, Some(PathBuf::from("my.conf")));
    assert!(sources.stdin);
    assert_eq!(sources.options, b"port \"7000\" ");
    let sources = serve(&["-", "--port", "1"]);
    assert_eq!((sources.file, sources.stdin), (None, true));
    let sources = serve(&["my.conf", "-"]);
    assert!(sources.stdin && sources.options.is_empty());
    assert_eq!(serve(&[]), Sources::default());
    let sources = serve(&["--masterauth", "-", "--port", "1"]);
    assert!(!sources.stdin, "a dash in the middle is a value");
}

#[test]
fn wrong_words_are_refused_with_the_line_they_make() {
    for (words, line, reason) in [
        (&["--port"][..], ">>> 'port'\n", "wrong number of arguments"),
        (
            &["--port", "6380", "--loglevel"],
            ">>> 'loglevel'\n",
            "wrong number of arguments",
        ),
        (
            &["--port", "6379", "6380"],
            ">>> 'port \"6379\" \"6380\"'\n",
            "wrong number of arguments",
        ),
        (
            &["--port", "--loglevel", "verbose"],
            ">>> 'port \"--loglevel\" \"verbose\"'\n",
            "wrong number of arguments",
        ),
        (
            &["--port", "--bla", "--loglevel", "verbose"],
            ">>> 'port \"--bla\"'\n",
            "argument couldn't be parsed into an integer",
        ),
        (
            &["--logfile", "--my--log--file", "--loglevel", "--bla"],
            ">>> 'loglevel \"--bla\"'\n",
            "argument(s) must be one of the following",
        ),
        (
            &["--shutdown-on-sigint"],
            ">>> 'shutdown-on-sigint'\n",
            "argument(s) must be one of the following",
        ),
        (
            &["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"],
            ">>> 'shutdown-on-sigterm'\n",
            "argument(s) must be one of the following",
        ),
        (
            &["--replicaof", "127.0.0.1", "abc"],
            ">>> 'replicaof \"127.0.0.1\" \"abc\"'\n",
            "Invalid master port",
        ),
        (
            &["--replicaof", "--127.0.0.1", "abc"],
            ">>> 'replicaof \"--127.0.0.1\" \"abc\"'\n",
            "Invalid master port",
        ),
        (
            &["--replicaof", "--127.0.0.1", "--abc"],
            ">>> 'replicaof \"--127.0.0.1\"'\n",
            "wrong number of arguments",
        ),
        (
            &["--invalid"],
            ">>> 'invalid'\n",
            "Bad directive or wrong number of arguments",
        ),
        (
            &["--user", "foo", "--user", "foo"],
            ">>> 'user \"foo\"'\n",
            "Error in user declaration 'foo': Duplicate user found",
        ),
        (
            &["--user", "default", "--user", "default"],
            ">>> 'user \"default\"'\n",
            "Error in user declaration 'default': Duplicate user found",
        ),
    ] {
        let message = refused(words);
        assert!(message.contains(line), "{words:?}: {message}");
        assert!(
            message.contains(&format!("{line}{reason}")),
            "{words:?}: {message}"
        );
        assert!(
            message.contains("FATAL CONFIG FILE ERROR"),
            "{words:?}: {message}"
        );
    }
}

#[test]
fn name_and_value_may_stand_in_one_word() {
    for words in [
        &["c", "--maxmemory 700mb", "--maxmemory-policy volatile-lru"][..],
        &[
            "c",
            "loglevel",
            "verbose",
            "--maxmemory '700mb'",
            "--maxmemory-policy 'volatile-lru'",
        ],
    ] {
        let config = started(words);
        assert_eq!(value(&config, "maxmemory"), "734003200");
        assert_eq!(value(&config, "maxmemory-policy"), "volatile-lru");
    }
    assert_eq!(
        value(&started(&["c", "loglevel", "verbose"]), "loglevel"),
        "verbose"
    );
}

#[test]
fn a_single_value_may_begin_with_dashes() {
    for words in [
        &[
            "c",
            "--proc-title-template",
            "--my--title--template",
            "--loglevel",
            "verbose",
        ][..],
        &[
            "c",
            "--proc-title-template --my--title--template",
            "--loglevel verbose",
        ],
    ] {
        let config = started(words);
        assert_eq!(
            value(&config, "proc-title-template"),
            "--my--title--template"
        );
        assert_eq!(value(&config, "loglevel"), "verbose");
    }
}

#[test]
fn save_without_a_value_means_no_save_points() {
    for words in [
        &["c", "--save", "--loglevel", "verbose"][..],
        &["c", "--loglevel", "verbose", "--save"],
        &["c", "--save", "", "--loglevel", "verbose"],
        &["c", "--loglevel", "verbose", "--save", ""],
        &[
            "c",
            "--proc-title-template",
            "--save",
            "--save",
            "",
            "--loglevel",
            "verbose",
        ],
    ] {
        let config = started(words);
        assert_eq!(value(&config, "save"), "", "{words:?}");
        assert_eq!(value(&config, "loglevel"), "verbose", "{words:?}");
    }
    assert_eq!(
        value(&started(&["c", "--save", "100", "100"]), "save"),
        "900 1 100 100"
    );
}

#[test]
fn several_values_may_be_words_or_one_word_with_blanks() {
    let config = started(&[
        "c",
        "--shutdown-on-sigint",
        "nosave",
        "force",
        "now",
        "--shutdown-on-sigterm",
        "nosave force",
    ]);
    assert_eq!(value(&config, "shutdown-on-sigint"), "nosave now force");
    assert_eq!(value(&config, "shutdown-on-sigterm"), "nosave force");
    let config = started(&[
        "c",
        "--dir",
        "./",
        "--dir",
        "./",
        "--lua-enable-insecure-api",
        "yes",
    ]);
    assert_eq!(value(&config, "lua-enable-insecure-api"), "yes");
}

#[test]
fn host_is_bind() {
    let config = started(&["--host", "127.0.0.1", "::1", "--port", "7001"]);
    assert_eq!(config.settings.bind, ["127.0.0.1", "::1"]);
    assert_eq!(started(&["--host 1.2.3.4"]).settings.bind, ["1.2.3.4"]);
    assert_eq!(config.settings.port, 7001);
}

#[test]
fn the_version_is_one_line_with_its_number() {
    for word in ["--version", "-v"] {
        let Invocation::Print(text) = parse(&arguments(&[word])) else {
            panic!("{word} prints")
        };
        assert_eq!(text.lines().count(), 1);
        assert!(
            text.starts_with(concat!("Oxidis server v=", env!("CARGO_PKG_VERSION"), " ")),
            "{text}"
        );
    }
}

#[test]
fn the_help_has_every_group_and_every_parameter_that_is_shown() {
    let Invocation::Print(text) = parse(&arguments(&["--help"])) else {
        panic!("--help prints")
    };
    for group in &GROUPS {
        assert!(
            text.contains(&format!("\n{}:\n", group.title)),
            "{}",
            group.title
        );
        for param in group.rows {
            let line = format!("--{} <", param.name);
            assert_eq!(text.contains(&line), is_shown(param), "{}", param.name);
        }
    }
    assert!(text.contains("--host <"));
    assert_eq!(parse(&arguments(&["-h"])), Invocation::Print(text));
}

#[test]
fn tests_of_the_machine_are_refused() {
    for word in ["--test-memory", "--check-system"] {
        assert!(matches!(parse(&arguments(&[word])), Invocation::Refuse(_)));
    }
}
