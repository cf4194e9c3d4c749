//! Files, includes, options: what is read, and how a wrong line is named.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("oxidis-config-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the temporary folder is writable");
        Folder(fs::canonicalize(path).expect("the folder was just made"))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("the temporary folder is writable");
        path
    }

    fn load(&self, name: &str) -> Result<Config, LoadError> {
        load(&Sources {
            file: Some(self.0.join(name)),
            ..Sources::default()
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays in the temporary folder and harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(in crate::config) fn load_text(text: &str) -> Result<Config, LoadError> {
    load_with(
        &Sources {
            stdin: true,
            ..Sources::default()
        },
        text.as_bytes(),
    )
}

fn value(config: &Config, name: &str) -> String {
    let pairs = config.get(&[name.as_bytes()]);
    String::from_utf8_lossy(&pairs[0].1).into_owned()
}

fn line_error(text: &str) -> (usize, String, String) {
    match load_text(text) {
        Err(LoadError::Line { place, reason }) => (place.line, place.text, reason),
        other => panic!("{text:?} gives {other:?}"),
    }
}

#[test]
fn comments_case_quotes_and_blanks_are_understood() {
    let config = load_text(
        "# comment\n\n  MAXMEMORY   1gb  \r\nmasterauth \"a b\\x41\"\n\tmasteruser 'it\\'s'\nport 7000",
    )
    .expect("a good file");
    assert_eq!(value(&config, "maxmemory"), "1073741824");
    assert_eq!(value(&config, "masterauth"), "a bA");
    assert_eq!(value(&config, "masteruser"), "it's");
    assert_eq!(config.settings.port, 7000);
}

#[test]
fn a_wrong_line_is_named_with_its_number_and_the_reason() {
    let bad = "Bad directive or wrong number of arguments";
    for (text, line, shown, reason) in [
        ("port 1\nnosuch 1\n", 2, "nosuch 1", bad),
        ("port", 1, "port", "wrong number of arguments"),
        ("port 1\nhz 1 2", 2, "hz 1 2", "wrong number of arguments"),
        (
            "\n\n  port x ",
            3,
            "port x",
            "argument couldn't be parsed into an integer",
        ),
        (
            "loglevel \"debug",
            1,
            "loglevel \"debug",
            "Unbalanced quotes in configuration line",
        ),
        ("include", 1, "include", bad),
        ("user", 1, "user", bad),
        ("rename-command a", 1, "rename-command a", bad),
        ("loadmodule", 1, "loadmodule", bad),
        (
            "unixsocketperm 9",
            1,
            "unixsocketperm 9",
            "argument couldn't be parsed as an octal number",
        ),
        (
            "unixsocketperm 1000",
            1,
            "unixsocketperm 1000",
            "argument must be between 0 and 777 inclusive",
        ),
        (
            "replicaof h 99999",
            1,
            "replicaof h 99999",
            "Invalid master port",
        ),
        ("replicaof h", 1, "replicaof h", "wrong number of arguments"),
        (
            "appendfilename a/b",
            1,
            "appendfilename a/b",
            "appendfilename can't be a path, just a filename",
        ),
        (
            "appenddirname \"\"",
            1,
            "appenddirname \"\"",
            "appenddirname can't be empty",
        ),
        (
            "dir /nosuch/folder",
            1,
            "dir /nosuch/folder",
            "No such file or directory",
        ),
        (
            "databases 0",
            1,
            "databases 0",
            "argument must be between 1 and 2147483647 inclusive",
        ),
        (
            "user foo on\nuser foo off",
            2,
            "user foo off",
            "Error in user declaration 'foo': Duplicate user found. A user can only be defined once in config files",
        ),
    ] {
        assert_eq!(
            line_error(text),
            (line, shown.to_string(), reason.to_string()),
            "{text:?}"
        );
    }
}

#[test]
fn the_message_has_the_form_redis_prints() {
    let folder = Folder::new();
    let path = folder.write("a.conf", "port 1\nmaxmemory 1x\n");
    let error = folder.load("a.conf").expect_err("a bad value").to_string();
    let expected = format!(
        "\n*** FATAL CONFIG FILE ERROR (Oxidis {}) ***\n\
         Reading the configuration file, at line 2 of {}\n>>> 'maxmemory 1x'\nargument must be a memory value",
        env!("CARGO_PKG_VERSION"),
        path.display()
    );
    assert_eq!(error, expected);
    let missing = folder
        .load("none.conf")
        .expect_err("no such file")
        .to_string();
    assert!(
        missing.starts_with("# Fatal error, can't open config file '"),
        "{missing}"
    );
    assert!(
        missing.ends_with("none.conf': No such file or directory"),
        "{missing}"
    );
}

#[test]
fn save_lines_replace_the_defaults_and_then_add_up() {
    for (text, expected) in [
        ("", "3600 1 300 100 60 10000"),
        ("save 100 100", "100 100"),
        ("save 900 1\nsave 300 10 60 5", "900 1 300 10 60 5"),
        ("save 900 1\nsave \"\"", ""),
        ("save \"\"\nsave 1 1", "1 1"),
        ("save", ""),
    ] {
        let config = load_text(text).expect("good lines");
        assert_eq!(value(&config, "save"), expected, "{text:?}");
    }
    assert_eq!(
        line_error("save 1 1\nsave 1 x").2,
        "Invalid save parameters"
    );
    assert_eq!(line_error("save 1 1\nsave 7").2, "Invalid save parameters");
}

#[test]
fn several_values_may_be_words_or_one_quoted_word() {
    let config = load_text(
        "shutdown-on-sigint nosave force now\nshutdown-on-sigterm \"nosave force\"\n\
         client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit replica 4 5 6\nbind 1.1.1.1 ::1",
    )
    .expect("good lines");
    assert_eq!(value(&config, "shutdown-on-sigint"), "nosave now force");
    assert_eq!(value(&config, "shutdown-on-sigterm"), "nosave force");
    assert_eq!(
        value(&config, "client-output-buffer-limit"),
        "normal 1 2 3 slave 4 5 6 pubsub 33554432 8388608 60"
    );
    assert_eq!(config.settings.bind, ["1.1.1.1", "::1"]);
}

#[test]
fn the_later_of_two_names_of_a_parameter_wins() {
    for text in [
        "hash-max-listpack-entries 20\nhash-max-ziplist-entries 21",
        "hash-max-ziplist-entries 20\nhash-max-listpack-entries 21",
    ] {
        let config = load_text(text).expect("good lines");
        assert_eq!(value(&config, "hash-max-ziplist-entries"), "21");
        assert_eq!(config.settings.hash_max_listpack_entries, 21);
    }
}

#[test]
fn users_renamed_commands_and_modules_keep_words_and_place() {
    let config = load_text(
        "user alice on >pw ~*\nrename-command FLUSHALL \"\"\nRename-Command GET fetch\nloadmodule /m.so a b\n",
    )
    .expect("good lines");
    let users: Vec<_> = config.users().collect();
    assert_eq!(users.len(), 1);
    assert_eq!(
        users[0].words,
        [
            b"alice".to_vec(),
            b"on".to_vec(),
            b">pw".to_vec(),
            b"~*".to_vec()
        ]
    );
    let renamed: Vec<_> = config
        .renamed_commands()
        .map(|d| (d.words.clone(), d.place.line))
        .collect();
    assert_eq!(
        renamed,
        [
            (vec![b"FLUSHALL".to_vec(), Vec::new()], 2),
            (vec![b"GET".to_vec(), b"fetch".to_vec()], 3)
        ]
    );
    assert_eq!(config.modules().count(), 1);
    let error = LoadError::at(&users[0].place, "no such rule").to_string();
    assert!(
        error.contains("at line 1 of standard input\n>>> 'user alice on >pw ~*'\nno such rule")
    );
}

#[test]
fn retired_names_of_old_files_are_accepted() {
    let text = "list-max-ziplist-entries 512\nlist-max-ziplist-value 64\nlua-replicate-commands yes\n\
                io-threads-do-reads no\ndynamic-hz yes\nslave-read-only yes\n";
    load_text(text).expect("an old file");
}

#[test]
fn includes_are_read_in_place_with_wildcards_and_relative_to_dir() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("conf.d")).expect("the folder is writable");
    folder.write("conf.d/1.conf", "hz 11\nport 1\n");
    folder.write("conf.d/2.conf", "port 2\n");
    folder.write("conf.d/.hidden.conf", "port 3\n");
    folder.write("conf.d/note.txt", "nonsense\n");
    let dir = folder.0.display();
    folder.write(
        "main.conf",
        &format!("hz 12\ndir {dir}\ninclude conf.d/*.conf\ninclude none*.conf\ntimeout 4\n"),
    );
    let config = folder.load("main.conf").expect("good files");
    assert_eq!(
        (
            config.settings.hz,
            config.settings.port,
            config.settings.timeout_s
        ),
        (11, 2, 4)
    );
    assert_eq!(config.settings.dir, dir.to_string());
    assert_eq!(config.file, Some(folder.0.join("main.conf")));

    folder.write("missing.conf", &format!("include {dir}/none.conf\n"));
    assert!(matches!(
        folder.load("missing.conf"),
        Err(LoadError::Open { .. })
    ));
    folder.write("loop.conf", &format!("include {dir}/loop.conf\n"));
    assert!(matches!(
        folder.load("loop.conf"),
        Err(LoadError::Line { .. })
    ));
    let bad = folder.write("bad.conf", "\nport x\n");
    folder.write("outer.conf", &format!("include {dir}/bad.conf\n"));
    match folder.load("outer.conf") {
        Err(LoadError::Line { place, .. }) => {
            assert_eq!((place.source, place.line), (bad.display().to_string(), 2));
        }
        other => panic!("the included file is wrong, but: {other:?}"),
    }
}

#[test]
fn options_come_last_and_are_numbered_after_the_file() {
    let folder = Folder::new();
    let file = folder.write("a.conf", "port 1\nhz 1\nsave 900 1");
    let sources = Sources {
        file: Some(file),
        stdin: true,
        options: b"port \"2\" \nsave \"100\" \"100\"".to_vec(),
    };
    let config = load_with(&sources, b"hz 3\n").expect("good lines");
    assert_eq!((config.settings.port, config.settings.hz), (2, 3));
    assert_eq!(value(&config, "save"), "900 1 100 100");
    let alone = Sources {
        options: b"port".to_vec(),
        ..Sources::default()
    };
    match load_with(&alone, b"") {
        Err(LoadError::Line { place, .. }) => assert_eq!(place.line, 2),
        other => panic!("a port needs a number, but: {other:?}"),
    }
}

#[test]
fn a_cluster_node_cannot_be_told_its_primary() {
    let error = load_text("cluster-enabled yes\nreplicaof h 9").expect_err("a contradiction");
    assert!(
        error
            .to_string()
            .ends_with("replicaof directive not allowed in cluster mode")
    );
}
