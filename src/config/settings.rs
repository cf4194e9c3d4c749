//! The typed side of the configuration: one plain field for every parameter that code reads.
//!
//! Fields are written by the rows of the table alone (`Param::field`), so they always agree with what
//! CONFIG GET says. Units are in the name, or bytes where the field is a size.

use super::value::Value;
use crate::rdb::Edition;

/// Declares a choice: an enum, the words that stand for its variants, and the way from one to the other.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $(#[$first_doc:meta])* $first:ident = $first_word:literal
        $(, $(#[$variant_doc:meta])* $variant:ident = $word:literal)* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name {
            $(#[$first_doc])*
            #[default]
            $first,
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The words of the file, in the order in which an error lists them.
            pub const WORDS: &'static [&'static str] = &[$first_word $(, $word)*];

            /// The word of the file that stands for this choice.
            pub fn word(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$variant => $word,)*
                }
            }

            pub(super) fn from_value(value: &Value) -> Self {
                match value.word() {
                    $first_word => Self::$first,
                    $($word => Self::$variant,)*
                    other => panic!("a choice holds one of its own words, not {other}"),
                }
            }
        }
    };
}

choice! {
    /// Whether a TLS client must show a certificate.
    TlsAuthClients { No = "no", Yes = "yes", Optional = "optional" }
}
choice! {
    /// The service manager that wants to hear that the server is ready.
    Supervised { Upstart = "upstart", Systemd = "systemd", Auto = "auto", No = "no" }
}
choice! {
    /// The least important messages that are logged.
    LogLevel {
        Debug = "debug", Verbose = "verbose", Notice = "notice", Warning = "warning",
        /// Only what makes the server give up.
        Error = "error",
        Nothing = "nothing",
    }
}
choice! {
    /// The shape of a log line.
    LogFormat {
        /// For people.
        Console = "console",
        /// One JSON object a line.
        Json = "json",
    }
}
choice! {
    /// Valkey's `log-format`.
    LegacyLogFormat { Legacy = "legacy", Logfmt = "logfmt", Json = "json" }
}
choice! {
    /// Valkey's `log-timestamp-format`.
    LogTimestamp { Legacy = "legacy", Iso8601 = "iso8601", Milliseconds = "milliseconds" }
}
choice! {
    /// The channels a new ACL user may use.
    AclPubsubDefault { AllChannels = "allchannels", ResetChannels = "resetchannels" }
}
choice! {
    /// Who may do something dangerous: nobody, anybody, or clients of this machine.
    LocalAccess { No = "no", Yes = "yes", Local = "local" }
}
choice! {
    /// What is evicted when `maxmemory` is reached.
    MaxmemoryPolicy {
        VolatileLru = "volatile-lru", VolatileLfu = "volatile-lfu", VolatileRandom = "volatile-random",
        VolatileTtl = "volatile-ttl", AllkeysLru = "allkeys-lru", AllkeysLfu = "allkeys-lfu",
        AllkeysRandom = "allkeys-random", NoEviction = "noeviction",
    }
}
choice! {
    /// How the kernel's out-of-memory score is set.
    OomScoreAdj { No = "no", Yes = "yes", Relative = "relative", Absolute = "absolute" }
}
choice! {
    /// Whether a dump of a later version is refused.
    RdbVersionCheck { Strict = "strict", Relaxed = "relaxed" }
}
choice! {
    /// Whose dump data is checked in depth.
    SanitizeDumpPayload { No = "no", Yes = "yes", Clients = "clients" }
}
choice! {
    /// The version of the RDB files and DUMP payloads that are written.
    RdbVersion { Eleven = "11", Ten = "10" }
}
choice! {
    /// When the append-only file is flushed to disk.
    AppendFsync { Everysec = "everysec", Always = "always", No = "no" }
}
choice! {
    /// How a replica loads a full sync without a file.
    ReplDisklessLoad {
        Disabled = "disabled", OnEmptyDb = "on-empty-db", SwapDb = "swapdb",
        FlushBeforeLoad = "flush-before-load",
    }
}
choice! {
    /// What happens when a replicated command fails.
    PropagationErrors { Ignore = "ignore", Panic = "panic", PanicOnReplicas = "panic-on-replicas" }
}
choice! {
    /// What happens when the cluster's file cannot be written.
    ClusterConfigSave { Sync = "sync", BestEffort = "best-effort" }
}
choice! {
    /// How clients are told to reach a node.
    ClusterEndpoint { Ip = "ip", Hostname = "hostname", Unknown = "unknown-endpoint" }
}

impl RdbVersion {
    /// For whom is written.
    pub fn edition(self) -> Edition {
        match self {
            RdbVersion::Eleven => Edition::Current,
            RdbVersion::Ten => Edition::Redis70,
        }
    }
}

impl LocalAccess {
    /// Whether a client may; `is_local` tells a connection over loopback or a Unix socket.
    pub fn allows(self, is_local: bool) -> bool {
        match self {
            LocalAccess::No => false,
            LocalAccess::Yes => true,
            LocalAccess::Local => is_local,
        }
    }
}

/// Save when so many seconds went by and so many changes were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last save.
    pub seconds: u64,
    /// Changes since the last save.
    pub changes: u64,
}

impl SavePoint {
    pub(super) fn all(value: &Value) -> Vec<SavePoint> {
        let pairs = value.as_numbers().chunks_exact(2);
        pairs
            .filter_map(|pair| match pair {
                [seconds, changes] => Some(SavePoint {
                    seconds: seconds.unsigned_abs(),
                    changes: changes.unsigned_abs(),
                }),
                _ => None,
            })
            .collect()
    }
}

/// The bytes that may wait for one client of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputBufferLimit {
    /// Bytes above which the client is closed at once; 0 means no limit.
    pub hard_bytes: u64,
    /// Bytes above which the client is closed after a while; 0 means no limit.
    pub soft_bytes: u64,
    /// Seconds a client may stay above the soft limit.
    pub soft_seconds: u64,
}

impl OutputBufferLimit {
    /// Hard, soft and seconds of the classes normal, replica and pubsub.
    pub(super) fn default_numbers() -> [i64; 9] {
        let mib = 1024 * 1024;
        [0, 0, 0, 256 * mib, 64 * mib, 60, 32 * mib, 8 * mib, 60]
    }

    /// The classes normal, replica and pubsub, in this order.
    pub(super) fn classes(value: &Value) -> [OutputBufferLimit; 3] {
        let mut classes = [OutputBufferLimit::default(); 3];
        for (class, numbers) in classes.iter_mut().zip(value.as_numbers().chunks_exact(3)) {
            if let [hard, soft, seconds] = numbers {
                *class = OutputBufferLimit {
                    hard_bytes: hard.unsigned_abs(),
                    soft_bytes: soft.unsigned_abs(),
                    soft_seconds: seconds.unsigned_abs(),
                };
            }
        }
        classes
    }
}

/// What a signal to end does; nothing set is the default: save if there are save points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShutdownOn {
    /// Save even without save points.
    pub save: bool,
    /// Do not save.
    pub nosave: bool,
    /// Do not wait for replicas.
    pub now: bool,
    /// End even if something fails.
    pub force: bool,
    /// Refuse to end where data would be lost.
    pub safe: bool,
    /// Hand over to a replica first.
    pub failover: bool,
}

impl ShutdownOn {
    const WORDS: [&'static str; 7] = [
        "default", "save", "nosave", "now", "force", "safe", "failover",
    ];

    /// The canonical words for the words given.
    pub(super) fn parse(words: &[&[u8]]) -> Result<Vec<String>, String> {
        let known = |word: &&[u8]| {
            Self::WORDS
                .iter()
                .any(|w| w.as_bytes().eq_ignore_ascii_case(word))
        };
        if words.is_empty() || !words.iter().all(known) {
            let all = Self::WORDS.join(", ");
            return Err(format!("argument(s) must be one of the following: {all}"));
        }
        let has = |word: &str| {
            words
                .iter()
                .any(|w| word.as_bytes().eq_ignore_ascii_case(w))
        };
        if has("save") && has("nosave") {
            return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
        }
        let mut out: Vec<String> = Self::WORDS
            .iter()
            .skip(1)
            .filter(|word| has(word))
            .map(ToString::to_string)
            .collect();
        if out.is_empty() {
            out.push("default".into());
        }
        Ok(out)
    }

    pub(super) fn from_value(value: &Value) -> Self {
        let words = value.words();
        let has = |word: &str| words.iter().any(|w| w == word);
        ShutdownOn {
            save: has("save"),
            nosave: has("nosave"),
            now: has("now"),
            force: has("force"),
            safe: has("safe"),
            failover: has("failover"),
        }
    }
}

/// A bound on memory, in bytes or as a share of `maxmemory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryShare {
    /// So many bytes; 0 means no limit.
    Bytes(u64),
    /// So many percent of `maxmemory`.
    Percent(u8),
}

impl Default for MemoryShare {
    fn default() -> Self {
        MemoryShare::Bytes(0)
    }
}

impl MemoryShare {
    pub(super) fn from_value(value: &Value) -> Self {
        match value {
            Value::Percent(percent) => MemoryShare::Percent(*percent),
            other => MemoryShare::Bytes(other.number()),
        }
    }

    /// The bound in bytes; `None` when there is none.
    pub fn limit_bytes(self, maxmemory_bytes: u64) -> Option<u64> {
        let bytes = match self {
            MemoryShare::Bytes(bytes) => bytes,
            MemoryShare::Percent(percent) => {
                u64::try_from(u128::from(maxmemory_bytes) * u128::from(percent) / 100)
                    .unwrap_or(u64::MAX)
            }
        };
        Some(bytes).filter(|bytes| *bytes > 0)
    }
}

/// Host and port of the primary; `None` when the server is a primary itself.
pub(super) fn primary_address(value: &Value) -> Option<(String, u16)> {
    match value.words().as_slice() {
        [host, port] => Some((host.clone(), port.parse().ok()?)),
        _ => None,
    }
}

/// The percentiles, from 0 to 100.
pub(super) fn percentiles(value: &Value) -> Vec<f64> {
    match value {
        Value::Doubles(numbers) => numbers.clone(),
        other => panic!("the row reads percentiles from {other:?}"),
    }
}

/// The parameters that code reads, typed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    // Network
    /// TCP port to listen on; 0 listens on none.
    pub port: u16,
    /// Addresses to listen on; `*` and `::*` mean all, a leading `-` makes one optional.
    pub bind: Vec<String>,
    /// Address that outgoing connections leave from.
    pub bind_source_addr: Option<String>,
    /// Path of a Unix socket to listen on.
    pub unixsocket: Option<String>,
    /// Permissions of the Unix socket, an octal number; 0 leaves what the umask gives.
    pub unixsocketperm: u32,
    /// Group that owns the Unix socket.
    pub unixsocketgroup: Option<String>,
    /// Length of the queue of connections waiting to be accepted.
    pub tcp_backlog: u32,
    /// Seconds between keep-alive probes to a silent client; 0 sends none.
    pub tcp_keepalive_s: u32,
    /// Seconds after which an idle client is closed; 0 never.
    pub timeout_s: u64,
    /// Clients connected at the same time; one more is refused.
    pub maxclients: u32,
    /// Refuse clients from other machines while neither password nor bind address is set.
    pub protected_mode: bool,
    /// Connections accepted in one turn of the event loop.
    pub max_new_connections_per_cycle: u32,
    /// TLS connections accepted in one turn of the event loop.
    pub max_new_tls_connections_per_cycle: u32,
    // TLS
    /// TCP port for TLS connections; 0 listens on none.
    pub tls_port: u16,
    /// Certificate the server shows, a PEM file.
    pub tls_cert_file: Option<String>,
    /// Private key of the certificate, a PEM file.
    pub tls_key_file: Option<String>,
    /// Password of the private key.
    pub tls_key_file_pass: Option<String>,
    /// Certificate for outgoing connections, where it differs.
    pub tls_client_cert_file: Option<String>,
    /// Private key for outgoing connections.
    pub tls_client_key_file: Option<String>,
    /// Password of the private key for outgoing connections.
    pub tls_client_key_file_pass: Option<String>,
    /// Certificates of the authorities that are trusted, a PEM file.
    pub tls_ca_cert_file: Option<String>,
    /// Folder of certificates of the authorities that are trusted.
    pub tls_ca_cert_dir: Option<String>,
    /// Whether a client must show a certificate.
    pub tls_auth_clients: TlsAuthClients,
    /// Use TLS on links to the primary.
    pub tls_replication: bool,
    /// Use TLS on the cluster bus.
    pub tls_cluster: bool,
    /// TLS versions that are offered, such as "TLSv1.2 TLSv1.3".
    pub tls_protocols: Option<String>,
    /// Cipher suites up to TLS 1.2.
    pub tls_ciphers: Option<String>,
    /// Cipher suites of TLS 1.3.
    pub tls_ciphersuites: Option<String>,
    /// Choose the cipher by the server's order.
    pub tls_prefer_server_ciphers: bool,
    /// Let clients resume TLS sessions.
    pub tls_session_caching: bool,
    // General
    /// Run in the background.
    pub daemonize: bool,
    /// How to report readiness to a service manager.
    pub supervised: Supervised,
    /// File that holds the process id while the server runs.
    pub pidfile: Option<String>,
    /// Working folder: dump, append-only files and relative paths live here.
    pub dir: String,
    /// Number of databases.
    pub databases: usize,
    /// Show the start banner in log files too.
    pub always_show_logo: bool,
    /// Change the process title.
    pub set_proc_title: bool,
    /// Process title; {title}, {listen-addr}, {server-mode}, {port} and others are filled in.
    pub proc_title_template: String,
    /// Locale that orders strings; empty takes it from the environment.
    pub locale_collate: Option<String>,
    /// Background duties per second, 1 to 500.
    pub hz: u32,
    /// Raise hz with many clients.
    pub dynamic_hz: bool,
    /// Seconds a shutdown waits for replicas that lag.
    pub shutdown_timeout_s: u64,
    /// What SIGINT does.
    pub shutdown_on_sigint: ShutdownOn,
    /// What SIGTERM does.
    pub shutdown_on_sigterm: ShutdownOn,
    /// Spend idle time on tidying hash tables.
    pub activerehashing: bool,
    /// Name of the availability zone, told to clients.
    pub availability_zone: Option<String>,
    /// Answer as Redis where Valkey differs.
    pub extended_redis_compatibility: bool,
    /// Seed of key hashing, to repeat a run; empty takes a random one.
    pub hash_seed: Option<String>,
    /// Start-up warnings that need not be acted on.
    pub ignore_warnings: Option<String>,
    // Logging
    /// Least important messages that are logged; info, warn and error are understood too.
    pub loglevel: LogLevel,
    /// File to log to; empty means standard output.
    pub logfile: Option<String>,
    /// Shape of a log line: console for people, json for machines.
    pub logformat: LogFormat,
    /// Valkey's name for the shape of a log line.
    pub log_format: LegacyLogFormat,
    /// Shape of the time in a log line.
    pub log_timestamp_format: LogTimestamp,
    /// Log to the system logger too.
    pub syslog_enabled: bool,
    /// Name used with the system logger.
    pub syslog_ident: String,
    /// Keep keys, values and arguments out of the log.
    pub hide_user_data_from_log: bool,
    /// Log the state of the process when it crashes.
    pub crash_log_enabled: bool,
    // Security
    /// Password of the default user; empty means none.
    pub requirepass: Vec<u8>,
    /// File that holds the ACL users.
    pub aclfile: Option<String>,
    /// Channels a new user may use.
    pub acl_pubsub_default: AclPubsubDefault,
    /// Entries of the ACL log.
    pub acllog_max_len: usize,
    /// Who may change protected parameters.
    pub enable_protected_configs: LocalAccess,
    /// Who may use DEBUG.
    pub enable_debug_command: LocalAccess,
    /// Who may use MODULE.
    pub enable_module_command: LocalAccess,
    // Clients and limits
    /// Longest single argument or value, in bytes.
    pub proto_max_bulk_len: usize,
    /// Unparsed bytes a client may send.
    pub client_query_buffer_limit: usize,
    /// Bytes that may wait for a client of a class: hard limit, soft limit, seconds above it.
    pub client_output_buffer_limits: [OutputBufferLimit; 3],
    /// Memory of all clients together, bytes or a percentage of maxmemory; 0 means no limit.
    pub maxmemory_clients: MemoryShare,
    /// Keys remembered for client-side caching; 0 means no limit.
    pub tracking_table_max_keys: usize,
    /// Classes of key events that are published: any of KEg$lshzxetdmnA.
    pub notify_keyspace_events: String,
    // Memory
    /// Bytes of memory for data; 0 means no limit.
    pub maxmemory: u64,
    /// What is evicted when maxmemory is reached.
    pub maxmemory_policy: MaxmemoryPolicy,
    /// Keys looked at to find one to evict.
    pub maxmemory_samples: u32,
    /// Effort of eviction, from 0 (low latency) to 100 (no matter the latency).
    pub maxmemory_eviction_tenacity: u32,
    /// How slowly the access counter of a key grows.
    pub lfu_log_factor: u32,
    /// Minutes after which an access counter is halved; 0 never.
    pub lfu_decay_time_min: u32,
    /// Effort spent on expired keys, 1 to 10.
    pub active_expire_effort: u32,
    /// Free evicted values on a helper thread.
    pub lazyfree_lazy_eviction: bool,
    /// Free expired values on a helper thread.
    pub lazyfree_lazy_expire: bool,
    /// Free values replaced by commands on a helper thread.
    pub lazyfree_lazy_server_del: bool,
    /// Let DEL work as UNLINK.
    pub lazyfree_lazy_user_del: bool,
    /// Let FLUSHALL and FLUSHDB work as with ASYNC.
    pub lazyfree_lazy_user_flush: bool,
    /// Replicas leave eviction to the primary.
    pub replica_ignore_maxmemory: bool,
    /// Move values to give back fragmented memory.
    pub activedefrag: bool,
    /// Turn transparent huge pages off for the process.
    pub disable_thp: bool,
    /// Let the server set how eagerly the kernel kills it when memory runs out.
    pub oom_score_adj: OomScoreAdj,
    /// Values for a primary, a replica and a saving process.
    pub oom_score_adj_values: [i32; 3],
    // Snapshots
    /// Save after so many seconds if there were so many changes; pairs; "" means never.
    pub save: Vec<SavePoint>,
    /// Name of the dump file.
    pub dbfilename: String,
    /// Compress strings in the dump file.
    pub rdbcompression: bool,
    /// Put a checksum at the end of the dump file and check it.
    pub rdbchecksum: bool,
    /// The version of RDB files and DUMP payloads that are written.
    pub rdb_version: RdbVersion,
    /// Whether a dump file of a later version is refused.
    pub rdb_version_check: RdbVersionCheck,
    /// Delete dump files that only served a full sync.
    pub rdb_del_sync_files: bool,
    /// Flush the dump file to disk bit by bit.
    pub rdb_save_incremental_fsync: bool,
    /// Refuse writes while the last save has failed.
    pub stop_writes_on_bgsave_error: bool,
    /// Whose dump data is checked in depth.
    pub sanitize_dump_payload: SanitizeDumpPayload,
    // Append-only file
    /// Keep a log of every change.
    pub appendonly: bool,
    /// First part of the names of the append-only files.
    pub appendfilename: String,
    /// Folder of the append-only files, inside dir.
    pub appenddirname: String,
    /// When the log is flushed to disk.
    pub appendfsync: AppendFsync,
    /// Do not flush the log while a save or rewrite runs.
    pub no_appendfsync_on_rewrite: bool,
    /// Growth in percent that starts a rewrite of the log; 0 never.
    pub auto_aof_rewrite_percentage: u32,
    /// Bytes below which the log is not rewritten.
    pub auto_aof_rewrite_min_size: u64,
    /// Accept a log whose last command is incomplete.
    pub aof_load_truncated: bool,
    /// Begin a rewritten log with a snapshot.
    pub aof_use_rdb_preamble: bool,
    /// Write the time into the log, to restore to a moment.
    pub aof_timestamp_enabled: bool,
    /// Flush a rewritten log to disk bit by bit.
    pub aof_rewrite_incremental_fsync: bool,
    /// Keep append-only files that are no longer needed.
    pub aof_disable_auto_gc: bool,
    // Replication
    /// Host and port of the primary to copy from.
    pub replicaof: Option<(String, u16)>,
    /// Password for the primary.
    pub masterauth: Option<String>,
    /// ACL user for the primary.
    pub masteruser: Option<String>,
    /// Answer reads while the link to the primary is down.
    pub replica_serve_stale_data: bool,
    /// Refuse writes on a replica.
    pub replica_read_only: bool,
    /// Free the old data on a helper thread before a full sync.
    pub replica_lazy_flush: bool,
    /// Rank for promotion by Sentinel, the lowest first; 0 never.
    pub replica_priority: u32,
    /// Let Sentinel list this replica.
    pub replica_announced: bool,
    /// Address a replica tells its primary.
    pub replica_announce_ip: Option<String>,
    /// Port a replica tells its primary; 0 tells the real one.
    pub replica_announce_port: u16,
    /// A replica goes on when it cannot write to disk.
    pub replica_ignore_disk_write_errors: bool,
    /// Bytes a replica may hold back during a full sync; 0 means the limit of its output buffer.
    pub replica_full_sync_buffer_limit: u64,
    /// Send the snapshot of a full sync straight to the socket.
    pub repl_diskless_sync: bool,
    /// Seconds to wait for more replicas before a full sync.
    pub repl_diskless_sync_delay_s: u32,
    /// Replicas that end that wait early; 0 means none.
    pub repl_diskless_sync_max_replicas: u32,
    /// How a replica loads a full sync without a file.
    pub repl_diskless_load: ReplDisklessLoad,
    /// Seconds between pings to replicas.
    pub repl_ping_replica_period_s: u32,
    /// Seconds of silence after which a replication link is given up.
    pub repl_timeout_s: u32,
    /// Gather small packets to replicas.
    pub repl_disable_tcp_nodelay: bool,
    /// Bytes of recent changes kept for replicas that come back.
    pub repl_backlog_size: u64,
    /// Seconds the backlog outlives the last replica; 0 keeps it.
    pub repl_backlog_ttl_s: u64,
    /// Replicas that must be near for writes to be accepted; 0 asks for none.
    pub min_replicas_to_write: u32,
    /// Seconds within which a replica must have answered to be near.
    pub min_replicas_max_lag_s: u32,
    /// What happens when a replicated command fails.
    pub propagation_error_behavior: PropagationErrors,
    /// Keep expired keys while data is imported.
    pub import_mode: bool,
    // Cluster
    /// Run as a node of a cluster.
    pub cluster_enabled: bool,
    /// File in which the node keeps the state of the cluster.
    pub cluster_config_file: String,
    /// What happens when that file cannot be written.
    pub cluster_config_save_behavior: ClusterConfigSave,
    /// Milliseconds of silence after which a node counts as failing.
    pub cluster_node_timeout_ms: u64,
    /// Port of the cluster bus; 0 means port + 10000.
    pub cluster_port: u16,
    /// Number of databases in cluster mode.
    pub cluster_databases: usize,
    /// How old a replica's data may be for it to take over; 0 means any.
    pub cluster_replica_validity_factor: u32,
    /// Replicas a primary keeps before one may move to another primary.
    pub cluster_migration_barrier: u32,
    /// Let replicas move to primaries that have none.
    pub cluster_allow_replica_migration: bool,
    /// Stop answering when a slot has no node.
    pub cluster_require_full_coverage: bool,
    /// Keep this replica from taking over.
    pub cluster_replica_no_failover: bool,
    /// Answer reads while the cluster is down.
    pub cluster_allow_reads_when_down: bool,
    /// Serve sharded channels while the cluster is down.
    pub cluster_allow_pubsubshard_when_down: bool,
    /// Bytes that may wait on one link of the bus; 0 means no limit.
    pub cluster_link_sendbuf_limit: u64,
    /// Address told to other nodes and clients.
    pub cluster_announce_ip: Option<String>,
    /// Port told to other nodes and clients; 0 tells the real one.
    pub cluster_announce_port: u16,
    /// TLS port told to other nodes and clients; 0 tells the real one.
    pub cluster_announce_tls_port: u16,
    /// Bus port told to other nodes; 0 tells the real one.
    pub cluster_announce_bus_port: u16,
    /// Host name told to other nodes and clients.
    pub cluster_announce_hostname: Option<String>,
    /// Name of the node for people, used in logs.
    pub cluster_announce_human_nodename: Option<String>,
    /// IPv4 address told to clients alone.
    pub cluster_announce_client_ipv4: Option<String>,
    /// IPv6 address told to clients alone.
    pub cluster_announce_client_ipv6: Option<String>,
    /// Port told to clients alone; 0 tells what nodes are told.
    pub cluster_announce_client_port: u16,
    /// TLS port told to clients alone; 0 tells what nodes are told.
    pub cluster_announce_client_tls_port: u16,
    /// How clients are told to reach a node.
    pub cluster_preferred_endpoint_type: ClusterEndpoint,
    /// Seconds a forgotten node is kept out.
    pub cluster_blacklist_ttl_s: u64,
    /// Milliseconds a manual failover may take.
    pub cluster_manual_failover_timeout_ms: u32,
    /// Count CPU time and traffic per slot.
    pub cluster_slot_stats_enabled: bool,
    // Scripting
    /// Milliseconds after which other clients are told that a script is busy; 0 never.
    pub busy_reply_threshold_ms: u64,
    /// Offer old Lua functions to scripts.
    pub lua_enable_deprecated_api: bool,
    // Observability
    /// Microseconds above which a command enters the slow log; -1 turns it off.
    pub slowlog_log_slower_than_us: i64,
    /// Entries of the slow log.
    pub slowlog_max_len: usize,
    /// Bytes above which a request enters the log of large requests; -1 turns it off.
    pub commandlog_request_larger_than_bytes: i64,
    /// Entries of the log of large requests.
    pub commandlog_large_request_max_len: usize,
    /// Bytes above which a reply enters the log of large replies; -1 turns it off.
    pub commandlog_reply_larger_than_bytes: i64,
    /// Entries of the log of large replies.
    pub commandlog_large_reply_max_len: usize,
    /// Milliseconds above which LATENCY remembers an event; 0 turns it off.
    pub latency_monitor_threshold_ms: u64,
    /// Keep a latency histogram per command.
    pub latency_tracking: bool,
    /// Percentiles that INFO shows.
    pub latency_tracking_info_percentiles: Vec<f64>,
    // Data types
    /// Fields of a compact hash.
    pub hash_max_listpack_entries: usize,
    /// Bytes of a field or value of a compact hash.
    pub hash_max_listpack_value: usize,
    /// Elements of a list's node; -1 to -5 mean 4, 8, 16, 32 and 64 KiB.
    pub list_max_listpack_size: i32,
    /// Nodes at each end of a list that are not compressed; 0 compresses none.
    pub list_compress_depth: u32,
    /// Members of a compact set of integers.
    pub set_max_intset_entries: usize,
    /// Members of a compact set.
    pub set_max_listpack_entries: usize,
    /// Bytes of a member of a compact set.
    pub set_max_listpack_value: usize,
    /// Members of a compact sorted set.
    pub zset_max_listpack_entries: usize,
    /// Bytes of a member of a compact sorted set.
    pub zset_max_listpack_value: usize,
    /// Bytes of a sparse HyperLogLog.
    pub hll_sparse_max_bytes: usize,
    /// Bytes of a stream's node; 0 means no limit.
    pub stream_node_max_bytes: usize,
    /// Entries of a stream's node; 0 means no limit.
    pub stream_node_max_entries: usize,
    // Placement and test doors
    /// Microseconds to wait after each key loaded; a negative number waits after many.
    pub key_load_delay: i64,
    /// Microseconds to wait after each key saved; a negative number waits after many.
    pub rdb_key_save_delay: i64,
    /// Bytes loaded between two looks at the sockets.
    pub loading_process_events_interval_bytes: u64,
    /// Check internal promises that cost time.
    pub enable_debug_assert: bool,
    /// Leave with exit() after a failed internal check.
    pub use_exit_on_panic: bool,
}
