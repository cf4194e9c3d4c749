//! Rows of the group "Replication": copies of the data on other servers.

use super::{I32_MAX, Param, choice, flag, memory, number, special, text};
use crate::config::kind::Kind;
use crate::config::settings::{PropagationErrors, ReplDisklessLoad, primary_address};

pub(super) static ROWS: &[Param] = &[
    special(
        "replicaof",
        "",
        Kind::PrimaryAddress,
        "Host and port of the primary to copy from.",
    )
    .aka(&["slaveof"])
    .immutable()
    .field(|s, v| s.replicaof = primary_address(v)),
    text("masterauth", "", "Password for the primary.")
        .aka(&["primaryauth"])
        .sensitive()
        .field(|s, v| s.masterauth = v.optional_text()),
    text("masteruser", "", "ACL user for the primary.")
        .aka(&["primaryuser"])
        .sensitive()
        .field(|s, v| s.masteruser = v.optional_text()),
    flag(
        "replica-serve-stale-data",
        "yes",
        "Answer reads while the link to the primary is down.",
    )
    .aka(&["slave-serve-stale-data"])
    .field(|s, v| s.replica_serve_stale_data = v.is_yes()),
    flag("replica-read-only", "yes", "Refuse writes on a replica.")
        .aka(&["slave-read-only"])
        .field(|s, v| s.replica_read_only = v.is_yes()),
    flag(
        "replica-lazy-flush",
        "no",
        "Free the old data on a helper thread before a full sync.",
    )
    .aka(&["slave-lazy-flush"])
    .field(|s, v| s.replica_lazy_flush = v.is_yes()),
    number(
        "replica-priority",
        "100",
        0,
        I32_MAX,
        "Rank for promotion by Sentinel, the lowest first; 0 never.",
    )
    .aka(&["slave-priority"])
    .field(|s, v| s.replica_priority = v.number()),
    flag(
        "replica-announced",
        "yes",
        "Let Sentinel list this replica.",
    )
    .field(|s, v| s.replica_announced = v.is_yes()),
    text(
        "replica-announce-ip",
        "",
        "Address a replica tells its primary.",
    )
    .aka(&["slave-announce-ip"])
    .field(|s, v| s.replica_announce_ip = v.optional_text()),
    number(
        "replica-announce-port",
        "0",
        0,
        65_535,
        "Port a replica tells its primary; 0 tells the real one.",
    )
    .aka(&["slave-announce-port"])
    .field(|s, v| s.replica_announce_port = v.number()),
    flag(
        "replica-ignore-disk-write-errors",
        "no",
        "A replica goes on when it cannot write to disk.",
    )
    .field(|s, v| s.replica_ignore_disk_write_errors = v.is_yes()),
    memory(
        "replica-full-sync-buffer-limit",
        "0",
        0,
        "Bytes a replica may hold back during a full sync; 0 means the limit of its output buffer.",
    )
    .field(|s, v| s.replica_full_sync_buffer_limit = v.number()),
    flag(
        "repl-diskless-sync",
        "yes",
        "Send the snapshot of a full sync straight to the socket.",
    )
    .field(|s, v| s.repl_diskless_sync = v.is_yes()),
    number(
        "repl-diskless-sync-delay",
        "5",
        0,
        I32_MAX,
        "Seconds to wait for more replicas before a full sync.",
    )
    .field(|s, v| s.repl_diskless_sync_delay_s = v.number()),
    number(
        "repl-diskless-sync-max-replicas",
        "0",
        0,
        I32_MAX,
        "Replicas that end that wait early; 0 means none.",
    )
    .field(|s, v| s.repl_diskless_sync_max_replicas = v.number()),
    choice(
        "repl-diskless-load",
        "disabled",
        ReplDisklessLoad::WORDS,
        "How a replica loads a full sync without a file.",
    )
    .field(|s, v| s.repl_diskless_load = ReplDisklessLoad::from_value(v)),
    number(
        "repl-ping-replica-period",
        "10",
        1,
        I32_MAX,
        "Seconds between pings to replicas.",
    )
    .aka(&["repl-ping-slave-period"])
    .field(|s, v| s.repl_ping_replica_period_s = v.number()),
    number(
        "repl-timeout",
        "60",
        1,
        I32_MAX,
        "Seconds of silence after which a replication link is given up.",
    )
    .field(|s, v| s.repl_timeout_s = v.number()),
    flag(
        "repl-disable-tcp-nodelay",
        "no",
        "Gather small packets to replicas.",
    )
    .field(|s, v| s.repl_disable_tcp_nodelay = v.is_yes()),
    memory(
        "repl-backlog-size",
        "1048576",
        1,
        "Bytes of recent changes kept for replicas that come back.",
    )
    .field(|s, v| s.repl_backlog_size = v.number()),
    number(
        "repl-backlog-ttl",
        "3600",
        0,
        i64::MAX,
        "Seconds the backlog outlives the last replica; 0 keeps it.",
    )
    .field(|s, v| s.repl_backlog_ttl_s = v.number()),
    flag("repl-mptcp", "no", "Use Multipath TCP to the primary.").immutable(),
    flag(
        "dual-channel-replication-enabled",
        "no",
        "Send snapshot and changes over two connections.",
    ),
    number(
        "min-replicas-to-write",
        "0",
        0,
        I32_MAX,
        "Replicas that must be near for writes to be accepted; 0 asks for none.",
    )
    .aka(&["min-slaves-to-write"])
    .field(|s, v| s.min_replicas_to_write = v.number()),
    number(
        "min-replicas-max-lag",
        "10",
        0,
        I32_MAX,
        "Seconds within which a replica must have answered to be near.",
    )
    .aka(&["min-slaves-max-lag"])
    .field(|s, v| s.min_replicas_max_lag_s = v.number()),
    choice(
        "propagation-error-behavior",
        "ignore",
        PropagationErrors::WORDS,
        "What happens when a replicated command fails.",
    )
    .field(|s, v| s.propagation_error_behavior = PropagationErrors::from_value(v)),
    flag(
        "import-mode",
        "no",
        "Keep expired keys while data is imported.",
    )
    .field(|s, v| s.import_mode = v.is_yes()),
];
