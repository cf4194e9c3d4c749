//! Rows of the group "Placement and test doors": CPU lists, and parameters that exist for tests.

use super::{I32_MAX, I32_MIN, Param, flag, number, text};

pub(super) static ROWS: &[Param] = &[
    text("server-cpulist", "", "CPUs of the server's main thread.")
        .aka(&["server_cpulist"])
        .immutable(),
    text("bio-cpulist", "", "CPUs of the helper threads.")
        .aka(&["bio_cpulist"])
        .immutable(),
    text(
        "aof-rewrite-cpulist",
        "",
        "CPUs of a rewrite of the append-only file.",
    )
    .aka(&["aof_rewrite_cpulist"])
    .immutable(),
    text("bgsave-cpulist", "", "CPUs of a save.")
        .aka(&["bgsave_cpulist"])
        .immutable(),
    number(
        "key-load-delay",
        "0",
        I32_MIN,
        I32_MAX,
        "Microseconds to wait after each key loaded; a negative number waits after many.",
    )
    .hidden()
    .field(|s, v| s.key_load_delay = v.number()),
    number(
        "rdb-key-save-delay",
        "0",
        I32_MIN,
        I32_MAX,
        "Microseconds to wait after each key saved; a negative number waits after many.",
    )
    .hidden()
    .field(|s, v| s.rdb_key_save_delay = v.number()),
    number(
        "loading-process-events-interval-bytes",
        "524288",
        1024,
        I32_MAX,
        "Bytes loaded between two looks at the sockets.",
    )
    .hidden()
    .field(|s, v| s.loading_process_events_interval_bytes = v.number()),
    number(
        "cluster-ping-interval",
        "0",
        0,
        i64::MAX,
        "Milliseconds between pings on the cluster bus; 0 chooses.",
    )
    .hidden(),
    number(
        "cluster-message-gossip-perc",
        "10",
        1,
        100,
        "Share of nodes told of in one message of the cluster bus, in percent.",
    )
    .hidden(),
    flag(
        "repl-rdb-channel",
        "yes",
        "Send the snapshot of a full sync over a connection of its own.",
    )
    .hidden(),
    flag("io-threads-always-active", "no", "Keep I/O threads awake.").hidden(),
    number(
        "min-io-threads-avoid-copy-reply",
        "7",
        0,
        I32_MAX,
        "I/O threads from which replies are sent without a copy.",
    )
    .hidden(),
    number(
        "min-string-size-avoid-copy-reply",
        "16384",
        0,
        I32_MAX,
        "Bytes from which a reply is sent without a copy.",
    )
    .hidden(),
    number(
        "min-string-size-avoid-copy-reply-threaded",
        "65536",
        0,
        I32_MAX,
        "Bytes from which a reply is sent without a copy by I/O threads.",
    )
    .hidden(),
    text("debug-context", "", "A note that crash reports repeat.").hidden(),
    flag(
        "enable-debug-assert",
        "no",
        "Check internal promises that cost time.",
    )
    .immutable()
    .hidden()
    .field(|s, v| s.enable_debug_assert = v.is_yes()),
    flag(
        "use-exit-on-panic",
        "no",
        "Leave with exit() after a failed internal check.",
    )
    .hidden()
    .field(|s, v| s.use_exit_on_panic = v.is_yes()),
    number(
        "watchdog-period",
        "0",
        0,
        I32_MAX,
        "Milliseconds after which a stuck event loop is reported; 0 never.",
    )
    .hidden(),
];
