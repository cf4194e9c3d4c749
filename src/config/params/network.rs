//! Rows of the group "Network": where the server listens and how it treats a connection.

use super::{I32_MAX, Param, U32_MAX, flag, number, special, text};
use crate::config::kind::Kind;

pub(super) static ROWS: &[Param] = &[
    number(
        "port",
        "6379",
        0,
        65_535,
        "TCP port to listen on; 0 listens on none.",
    )
    .field(|s, v| s.port = v.number()),
    special(
        "bind",
        "* -::*",
        Kind::Bind,
        "Addresses to listen on; `*` and `::*` mean all, a leading `-` makes one optional.",
    )
    .field(|s, v| s.bind = v.words()),
    text(
        "bind-source-addr",
        "",
        "Address that outgoing connections leave from.",
    )
    .field(|s, v| s.bind_source_addr = v.optional_text()),
    text("unixsocket", "", "Path of a Unix socket to listen on.")
        .immutable()
        .field(|s, v| s.unixsocket = v.optional_text()),
    special(
        "unixsocketperm",
        "0",
        Kind::Octal,
        "Permissions of the Unix socket, an octal number; 0 leaves what the umask gives.",
    )
    .immutable()
    .field(|s, v| s.unixsocketperm = v.number()),
    text("unixsocketgroup", "", "Group that owns the Unix socket.")
        .immutable()
        .field(|s, v| s.unixsocketgroup = v.optional_text()),
    number(
        "tcp-backlog",
        "511",
        0,
        I32_MAX,
        "Length of the queue of connections waiting to be accepted.",
    )
    .immutable()
    .field(|s, v| s.tcp_backlog = v.number()),
    number(
        "tcp-keepalive",
        "300",
        0,
        I32_MAX,
        "Seconds between keep-alive probes to a silent client; 0 sends none.",
    )
    .field(|s, v| s.tcp_keepalive_s = v.number()),
    number(
        "timeout",
        "0",
        0,
        I32_MAX,
        "Seconds after which an idle client is closed; 0 never.",
    )
    .field(|s, v| s.timeout_s = v.number()),
    number(
        "maxclients",
        "10000",
        1,
        U32_MAX,
        "Clients connected at the same time; one more is refused.",
    )
    .field(|s, v| s.maxclients = v.number()),
    flag(
        "protected-mode",
        "yes",
        "Refuse clients from other machines while neither password nor bind address is set.",
    )
    .field(|s, v| s.protected_mode = v.is_yes()),
    flag("mptcp", "no", "Listen with Multipath TCP.").immutable(),
    number(
        "socket-mark-id",
        "0",
        0,
        U32_MAX,
        "Mark put on listening and outgoing sockets for packet filters; 0 sets none.",
    )
    .immutable(),
    number(
        "max-new-connections-per-cycle",
        "10",
        1,
        1000,
        "Connections accepted in one turn of the event loop.",
    )
    .field(|s, v| s.max_new_connections_per_cycle = v.number()),
    number(
        "max-new-tls-connections-per-cycle",
        "1",
        1,
        1000,
        "TLS connections accepted in one turn of the event loop.",
    )
    .field(|s, v| s.max_new_tls_connections_per_cycle = v.number()),
    number(
        "io-threads",
        "1",
        1,
        256,
        "Threads that read and write sockets; Oxidis uses one and keeps the value.",
    ),
    flag(
        "io-threads-do-reads",
        "no",
        "Read on the I/O threads too; kept for old files.",
    )
    .immutable(),
    number(
        "prefetch-batch-max-size",
        "16",
        0,
        128,
        "Commands whose keys are prefetched together; kept for old files.",
    ),
    text("rdma-bind", "", "Addresses to listen on for RDMA."),
    number(
        "rdma-port",
        "0",
        0,
        65_535,
        "RDMA port to listen on; 0 listens on none.",
    ),
    number(
        "rdma-rx-size",
        "1048576",
        65_536,
        16_777_216,
        "Bytes of the RDMA receive buffer.",
    )
    .immutable(),
    number(
        "rdma-completion-vector",
        "-1",
        -1,
        1024,
        "RDMA completion vector; -1 chooses one.",
    )
    .immutable(),
];
