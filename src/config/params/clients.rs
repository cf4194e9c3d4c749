//! Rows of the group "Clients and limits": bounds on what one client may use.

use super::{Param, memory, number, special};
use crate::config::kind::Kind;
use crate::config::settings::{MemoryShare, OutputBufferLimit};

pub(super) static ROWS: &[Param] = &[
    memory(
        "proto-max-bulk-len",
        "536870912",
        1_048_576,
        "Longest single argument or value, in bytes.",
    )
    .field(|s, v| s.proto_max_bulk_len = v.number()),
    memory(
        "client-query-buffer-limit",
        "1073741824",
        1_048_576,
        "Unparsed bytes a client may send.",
    )
    .field(|s, v| s.client_query_buffer_limit = v.number()),
    special(
        "client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
        Kind::OutputBufferLimits,
        "Bytes that may wait for a client of a class: hard limit, soft limit, seconds above it.",
    )
    .field(|s, v| s.client_output_buffer_limits = OutputBufferLimit::classes(v)),
    special(
        "maxmemory-clients",
        "0",
        Kind::MemoryOrPercent,
        "Memory of all clients together, bytes or a percentage of maxmemory; 0 means no limit.",
    )
    .field(|s, v| s.maxmemory_clients = MemoryShare::from_value(v)),
    number(
        "tracking-table-max-keys",
        "1000000",
        0,
        i64::MAX,
        "Keys remembered for client-side caching; 0 means no limit.",
    )
    .field(|s, v| s.tracking_table_max_keys = v.number()),
    special(
        "notify-keyspace-events",
        "",
        Kind::KeyspaceEvents,
        "Classes of key events that are published: any of KEg$lshzxetdmnA.",
    )
    .field(|s, v| s.notify_keyspace_events = v.to_text()),
];
