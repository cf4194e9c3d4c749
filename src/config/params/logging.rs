//! Rows of the group "Logging": what is written about the server's own work.

use super::{Param, choice, flag, text};
use crate::config::settings::{LegacyLogFormat, LogFormat, LogLevel, LogTimestamp};

pub(super) static ROWS: &[Param] = &[
    choice(
        "loglevel",
        "notice",
        LogLevel::WORDS,
        "Least important messages that are logged; info, warn and error are understood too.",
    )
    .synonyms(&[("info", "notice"), ("warn", "warning")])
    .field(|s, v| s.loglevel = LogLevel::from_value(v)),
    text(
        "logfile",
        "",
        "File to log to; empty means standard output.",
    )
    .immutable()
    .field(|s, v| s.logfile = v.optional_text()),
    choice(
        "logformat",
        "console",
        LogFormat::WORDS,
        "Shape of a log line: console for people, json for machines.",
    )
    .immutable()
    .field(|s, v| s.logformat = LogFormat::from_value(v)),
    choice(
        "log-format",
        "legacy",
        LegacyLogFormat::WORDS,
        "Valkey's name for the shape of a log line.",
    )
    .field(|s, v| s.log_format = LegacyLogFormat::from_value(v)),
    choice(
        "log-timestamp-format",
        "legacy",
        LogTimestamp::WORDS,
        "Shape of the time in a log line.",
    )
    .field(|s, v| s.log_timestamp_format = LogTimestamp::from_value(v)),
    flag("syslog-enabled", "no", "Log to the system logger too.")
        .immutable()
        .field(|s, v| s.syslog_enabled = v.is_yes()),
    text("syslog-ident", "redis", "Name used with the system logger.")
        .immutable()
        .field(|s, v| s.syslog_ident = v.to_text()),
    choice(
        "syslog-facility",
        "local0",
        &[
            "user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
        ],
        "Facility used with the system logger.",
    )
    .immutable(),
    flag(
        "hide-user-data-from-log",
        "no",
        "Keep keys, values and arguments out of the log.",
    )
    .field(|s, v| s.hide_user_data_from_log = v.is_yes()),
    flag(
        "crash-log-enabled",
        "yes",
        "Log the state of the process when it crashes.",
    )
    .field(|s, v| s.crash_log_enabled = v.is_yes()),
    flag(
        "crash-memcheck-enabled",
        "yes",
        "Test memory after a crash.",
    ),
];
