//! Rows of the group "General": the process.

use super::{I32_MAX, Param, choice, flag, number, special, text};
use crate::config::kind::Kind;
use crate::config::settings::{ShutdownOn, Supervised};

pub(super) static ROWS: &[Param] = &[
    flag("daemonize", "no", "Run in the background.")
        .immutable()
        .field(|s, v| s.daemonize = v.is_yes()),
    choice(
        "supervised",
        "no",
        Supervised::WORDS,
        "How to report readiness to a service manager.",
    )
    .immutable()
    .field(|s, v| s.supervised = Supervised::from_value(v)),
    text(
        "pidfile",
        "",
        "File that holds the process id while the server runs.",
    )
    .immutable()
    .field(|s, v| s.pidfile = v.optional_text()),
    text(
        "dir",
        ".",
        "Working folder: dump, append-only files and relative paths live here.",
    )
    .protected()
    .deny_loading()
    .field(|s, v| s.dir = v.to_text()),
    number("databases", "16", 1, I32_MAX, "Number of databases.")
        .immutable()
        .field(|s, v| s.databases = v.number()),
    flag(
        "always-show-logo",
        "no",
        "Show the start banner in log files too.",
    )
    .immutable()
    .field(|s, v| s.always_show_logo = v.is_yes()),
    flag("set-proc-title", "yes", "Change the process title.")
        .immutable()
        .field(|s, v| s.set_proc_title = v.is_yes()),
    special(
        "proc-title-template",
        "{title} {listen-addr} {server-mode}",
        Kind::ProcTitle,
        "Process title; {title}, {listen-addr}, {server-mode}, {port} and others are filled in.",
    )
    .field(|s, v| s.proc_title_template = v.to_text()),
    text(
        "locale-collate",
        "",
        "Locale that orders strings; empty takes it from the environment.",
    )
    .field(|s, v| s.locale_collate = v.optional_text()),
    special(
        "hz",
        "10",
        Kind::Hz,
        "Background duties per second, 1 to 500.",
    )
    .field(|s, v| s.hz = v.number()),
    flag("dynamic-hz", "yes", "Raise hz with many clients.")
        .field(|s, v| s.dynamic_hz = v.is_yes()),
    number(
        "shutdown-timeout",
        "10",
        0,
        I32_MAX,
        "Seconds a shutdown waits for replicas that lag.",
    )
    .field(|s, v| s.shutdown_timeout_s = v.number()),
    special(
        "shutdown-on-sigint",
        "default",
        Kind::ShutdownOn,
        "What SIGINT does.",
    )
    .field(|s, v| s.shutdown_on_sigint = ShutdownOn::from_value(v)),
    special(
        "shutdown-on-sigterm",
        "default",
        Kind::ShutdownOn,
        "What SIGTERM does.",
    )
    .field(|s, v| s.shutdown_on_sigterm = ShutdownOn::from_value(v)),
    flag(
        "activerehashing",
        "yes",
        "Spend idle time on tidying hash tables.",
    )
    .field(|s, v| s.activerehashing = v.is_yes()),
    text(
        "availability-zone",
        "",
        "Name of the availability zone, told to clients.",
    )
    .field(|s, v| s.availability_zone = v.optional_text()),
    flag(
        "extended-redis-compatibility",
        "no",
        "Answer as Redis where Valkey differs.",
    )
    .field(|s, v| s.extended_redis_compatibility = v.is_yes()),
    text(
        "hash-seed",
        "",
        "Seed of key hashing, to repeat a run; empty takes a random one.",
    )
    .immutable()
    .field(|s, v| s.hash_seed = v.optional_text()),
    text(
        "ignore-warnings",
        "",
        "Start-up warnings that need not be acted on.",
    )
    .field(|s, v| s.ignore_warnings = v.optional_text()),
];
