//! Rows of the group "Observability": slow commands and latency.

use super::{Param, flag, number, special};
use crate::config::kind::Kind;
use crate::config::settings::percentiles;

pub(super) static ROWS: &[Param] = &[
    number(
        "slowlog-log-slower-than",
        "10000",
        -1,
        i64::MAX,
        "Microseconds above which a command enters the slow log; -1 turns it off.",
    )
    .aka(&["commandlog-execution-slower-than"])
    .field(|s, v| s.slowlog_log_slower_than_us = v.number()),
    number(
        "slowlog-max-len",
        "128",
        0,
        i64::MAX,
        "Entries of the slow log.",
    )
    .aka(&["commandlog-slow-execution-max-len"])
    .field(|s, v| s.slowlog_max_len = v.number()),
    number(
        "commandlog-request-larger-than",
        "1048576",
        -1,
        i64::MAX,
        "Bytes above which a request enters the log of large requests; -1 turns it off.",
    )
    .field(|s, v| s.commandlog_request_larger_than_bytes = v.number()),
    number(
        "commandlog-large-request-max-len",
        "128",
        0,
        i64::MAX,
        "Entries of the log of large requests.",
    )
    .field(|s, v| s.commandlog_large_request_max_len = v.number()),
    number(
        "commandlog-reply-larger-than",
        "1048576",
        -1,
        i64::MAX,
        "Bytes above which a reply enters the log of large replies; -1 turns it off.",
    )
    .field(|s, v| s.commandlog_reply_larger_than_bytes = v.number()),
    number(
        "commandlog-large-reply-max-len",
        "128",
        0,
        i64::MAX,
        "Entries of the log of large replies.",
    )
    .field(|s, v| s.commandlog_large_reply_max_len = v.number()),
    number(
        "latency-monitor-threshold",
        "0",
        0,
        i64::MAX,
        "Milliseconds above which LATENCY remembers an event; 0 turns it off.",
    )
    .field(|s, v| s.latency_monitor_threshold_ms = v.number()),
    flag(
        "latency-tracking",
        "yes",
        "Keep a latency histogram per command.",
    )
    .field(|s, v| s.latency_tracking = v.is_yes()),
    special(
        "latency-tracking-info-percentiles",
        "50 99 99.9",
        Kind::Percentiles,
        "Percentiles that INFO shows.",
    )
    .field(|s, v| s.latency_tracking_info_percentiles = percentiles(v)),
];
