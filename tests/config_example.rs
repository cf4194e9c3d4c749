//! `redis.conf.example` is made from the table of parameters; this test fails when it is stale.
//!
//! `OXIDIS_UPDATE=1 cargo test --test config_example` writes it anew.

use std::path::Path;

use oxidis::config::example::example;
use oxidis::config::{Sources, load};

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("redis.conf.example")
}

#[test]
fn the_example_file_is_what_the_table_gives() {
    let expected = example();
    if std::env::var_os("OXIDIS_UPDATE").is_some() {
        std::fs::write(path(), &expected).expect("the project's folder is writable");
    }
    let found = std::fs::read_to_string(path()).expect("redis.conf.example is part of the project");
    assert_eq!(
        found, expected,
        "run: OXIDIS_UPDATE=1 cargo test --test config_example"
    );
}

#[test]
fn the_example_file_loads_as_it_is_and_with_its_defaults_uncommented() {
    let as_it_is = load(&Sources {
        options: example().into_bytes(),
        ..Sources::default()
    });
    let defaults = as_it_is.expect("a file of comments loads");
    let samples = [
        "user ",
        "rename-command ",
        "loadmodule ",
        "include ",
        "replicaof ",
        "dir ",
    ];
    let known: Vec<&str> = oxidis::config::params::all()
        .iter()
        .map(|param| param.name)
        .collect();
    let mut options = String::new();
    for line in example().lines() {
        let Some(line) = line.strip_prefix("# ") else {
            continue;
        };
        let is_parameter = line
            .split(' ')
            .next()
            .is_some_and(|word| known.contains(&word));
        if is_parameter && !samples.iter().any(|sample| line.starts_with(sample)) {
            options.push_str(line);
            options.push('\n');
        }
    }
    let uncommented = load(&Sources {
        options: options.into_bytes(),
        ..Sources::default()
    });
    let uncommented = uncommented.expect("the defaults of the example load");
    assert_eq!(uncommented.get(&[b"*"]), defaults.get(&[b"*"]));
}
