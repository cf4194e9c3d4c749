//! Rows of the group "Cluster": many servers as one.

use super::{I32_MAX, Param, choice, flag, memory, number, special, text};
use crate::config::kind::Kind;
use crate::config::settings::{ClusterConfigSave, ClusterEndpoint};

pub(super) static ROWS: &[Param] = &[
    flag("cluster-enabled", "no", "Run as a node of a cluster.")
        .immutable()
        .field(|s, v| s.cluster_enabled = v.is_yes()),
    text(
        "cluster-config-file",
        "nodes.conf",
        "File in which the node keeps the state of the cluster.",
    )
    .immutable()
    .field(|s, v| s.cluster_config_file = v.to_text()),
    choice(
        "cluster-config-save-behavior",
        "sync",
        ClusterConfigSave::WORDS,
        "What happens when that file cannot be written.",
    )
    .field(|s, v| s.cluster_config_save_behavior = ClusterConfigSave::from_value(v)),
    number(
        "cluster-node-timeout",
        "15000",
        0,
        i64::MAX,
        "Milliseconds of silence after which a node counts as failing.",
    )
    .field(|s, v| s.cluster_node_timeout_ms = v.number()),
    number(
        "cluster-port",
        "0",
        0,
        65_535,
        "Port of the cluster bus; 0 means port + 10000.",
    )
    .immutable()
    .field(|s, v| s.cluster_port = v.number()),
    number(
        "cluster-databases",
        "1",
        1,
        I32_MAX,
        "Number of databases in cluster mode.",
    )
    .immutable()
    .field(|s, v| s.cluster_databases = v.number()),
    number(
        "cluster-replica-validity-factor",
        "10",
        0,
        I32_MAX,
        "How old a replica's data may be for it to take over; 0 means any.",
    )
    .aka(&["cluster-slave-validity-factor"])
    .field(|s, v| s.cluster_replica_validity_factor = v.number()),
    number(
        "cluster-migration-barrier",
        "1",
        0,
        I32_MAX,
        "Replicas a primary keeps before one may move to another primary.",
    )
    .field(|s, v| s.cluster_migration_barrier = v.number()),
    flag(
        "cluster-allow-replica-migration",
        "yes",
        "Let replicas move to primaries that have none.",
    )
    .field(|s, v| s.cluster_allow_replica_migration = v.is_yes()),
    flag(
        "cluster-require-full-coverage",
        "yes",
        "Stop answering when a slot has no node.",
    )
    .field(|s, v| s.cluster_require_full_coverage = v.is_yes()),
    flag(
        "cluster-replica-no-failover",
        "no",
        "Keep this replica from taking over.",
    )
    .aka(&["cluster-slave-no-failover"])
    .field(|s, v| s.cluster_replica_no_failover = v.is_yes()),
    flag(
        "cluster-allow-reads-when-down",
        "no",
        "Answer reads while the cluster is down.",
    )
    .field(|s, v| s.cluster_allow_reads_when_down = v.is_yes()),
    flag(
        "cluster-allow-pubsubshard-when-down",
        "yes",
        "Serve sharded channels while the cluster is down.",
    )
    .field(|s, v| s.cluster_allow_pubsubshard_when_down = v.is_yes()),
    memory(
        "cluster-link-sendbuf-limit",
        "0",
        0,
        "Bytes that may wait on one link of the bus; 0 means no limit.",
    )
    .field(|s, v| s.cluster_link_sendbuf_limit = v.number()),
    text(
        "cluster-announce-ip",
        "",
        "Address told to other nodes and clients.",
    )
    .field(|s, v| s.cluster_announce_ip = v.optional_text()),
    number(
        "cluster-announce-port",
        "0",
        0,
        65_535,
        "Port told to other nodes and clients; 0 tells the real one.",
    )
    .field(|s, v| s.cluster_announce_port = v.number()),
    number(
        "cluster-announce-tls-port",
        "0",
        0,
        65_535,
        "TLS port told to other nodes and clients; 0 tells the real one.",
    )
    .field(|s, v| s.cluster_announce_tls_port = v.number()),
    number(
        "cluster-announce-bus-port",
        "0",
        0,
        65_535,
        "Bus port told to other nodes; 0 tells the real one.",
    )
    .field(|s, v| s.cluster_announce_bus_port = v.number()),
    special(
        "cluster-announce-hostname",
        "",
        Kind::Hostname,
        "Host name told to other nodes and clients.",
    )
    .field(|s, v| s.cluster_announce_hostname = v.optional_text()),
    special(
        "cluster-announce-human-nodename",
        "",
        Kind::NodeName,
        "Name of the node for people, used in logs.",
    )
    .field(|s, v| s.cluster_announce_human_nodename = v.optional_text()),
    special(
        "cluster-announce-client-ipv4",
        "",
        Kind::Ipv4,
        "IPv4 address told to clients alone.",
    )
    .field(|s, v| s.cluster_announce_client_ipv4 = v.optional_text()),
    special(
        "cluster-announce-client-ipv6",
        "",
        Kind::Ipv6,
        "IPv6 address told to clients alone.",
    )
    .field(|s, v| s.cluster_announce_client_ipv6 = v.optional_text()),
    number(
        "cluster-announce-client-port",
        "0",
        0,
        65_535,
        "Port told to clients alone; 0 tells what nodes are told.",
    )
    .field(|s, v| s.cluster_announce_client_port = v.number()),
    number(
        "cluster-announce-client-tls-port",
        "0",
        0,
        65_535,
        "TLS port told to clients alone; 0 tells what nodes are told.",
    )
    .field(|s, v| s.cluster_announce_client_tls_port = v.number()),
    choice(
        "cluster-preferred-endpoint-type",
        "ip",
        ClusterEndpoint::WORDS,
        "How clients are told to reach a node.",
    )
    .field(|s, v| s.cluster_preferred_endpoint_type = ClusterEndpoint::from_value(v)),
    number(
        "cluster-blacklist-ttl",
        "60",
        0,
        i64::MAX,
        "Seconds a forgotten node is kept out.",
    )
    .field(|s, v| s.cluster_blacklist_ttl_s = v.number()),
    number(
        "cluster-manual-failover-timeout",
        "5000",
        1,
        I32_MAX,
        "Milliseconds a manual failover may take.",
    )
    .field(|s, v| s.cluster_manual_failover_timeout_ms = v.number()),
    number(
        "cluster-slot-migration-log-max-len",
        "1000",
        0,
        i64::MAX,
        "Slot migrations that are remembered.",
    ),
    flag(
        "cluster-slot-stats-enabled",
        "no",
        "Count CPU time and traffic per slot.",
    )
    .field(|s, v| s.cluster_slot_stats_enabled = v.is_yes()),
    memory(
        "slot-migration-max-failover-repl-bytes",
        "0",
        -1,
        "Bytes in flight at which a slot changes hands; -1 waits for no bound.",
    ),
    number(
        "cluster-compatibility-sample-ratio",
        "0",
        0,
        100,
        "Share of commands checked for use in a cluster, in percent.",
    ),
];
