//! Rows of the group "Append-only file": the log of changes (AOF).

use super::{I32_MAX, Param, choice, flag, memory, number, special};
use crate::config::kind::Kind;
use crate::config::settings::AppendFsync;

pub(super) static ROWS: &[Param] = &[
    flag("appendonly", "no", "Keep a log of every change.")
        .deny_loading()
        .field(|s, v| s.appendonly = v.is_yes()),
    special(
        "appendfilename",
        "appendonly.aof",
        Kind::FileName,
        "First part of the names of the append-only files.",
    )
    .immutable()
    .field(|s, v| s.appendfilename = v.to_text()),
    special(
        "appenddirname",
        "appendonlydir",
        Kind::FileName,
        "Folder of the append-only files, inside dir.",
    )
    .immutable()
    .field(|s, v| s.appenddirname = v.to_text()),
    choice(
        "appendfsync",
        "everysec",
        AppendFsync::WORDS,
        "When the log is flushed to disk.",
    )
    .field(|s, v| s.appendfsync = AppendFsync::from_value(v)),
    flag(
        "no-appendfsync-on-rewrite",
        "no",
        "Do not flush the log while a save or rewrite runs.",
    )
    .field(|s, v| s.no_appendfsync_on_rewrite = v.is_yes()),
    number(
        "auto-aof-rewrite-percentage",
        "100",
        0,
        I32_MAX,
        "Growth in percent that starts a rewrite of the log; 0 never.",
    )
    .field(|s, v| s.auto_aof_rewrite_percentage = v.number()),
    memory(
        "auto-aof-rewrite-min-size",
        "67108864",
        0,
        "Bytes below which the log is not rewritten.",
    )
    .field(|s, v| s.auto_aof_rewrite_min_size = v.number()),
    flag(
        "aof-load-truncated",
        "yes",
        "Accept a log whose last command is incomplete.",
    )
    .field(|s, v| s.aof_load_truncated = v.is_yes()),
    flag(
        "aof-use-rdb-preamble",
        "yes",
        "Begin a rewritten log with a snapshot.",
    )
    .field(|s, v| s.aof_use_rdb_preamble = v.is_yes()),
    flag(
        "aof-timestamp-enabled",
        "no",
        "Write the time into the log, to restore to a moment.",
    )
    .field(|s, v| s.aof_timestamp_enabled = v.is_yes()),
    flag(
        "aof-rewrite-incremental-fsync",
        "yes",
        "Flush a rewritten log to disk bit by bit.",
    )
    .field(|s, v| s.aof_rewrite_incremental_fsync = v.is_yes()),
    flag(
        "aof-disable-auto-gc",
        "no",
        "Keep append-only files that are no longer needed.",
    )
    .field(|s, v| s.aof_disable_auto_gc = v.is_yes()),
];
