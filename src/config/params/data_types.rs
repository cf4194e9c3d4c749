//! Rows of the group "Data types": when a compact encoding gives way to the general one.

use super::{I32_MAX, I32_MIN, Param, memory, number, special};
use crate::config::kind::Kind;

pub(super) static ROWS: &[Param] = &[
    number(
        "hash-max-listpack-entries",
        "512",
        0,
        i64::MAX,
        "Fields of a compact hash.",
    )
    .aka(&["hash-max-ziplist-entries"])
    .field(|s, v| s.hash_max_listpack_entries = v.number()),
    memory(
        "hash-max-listpack-value",
        "64",
        0,
        "Bytes of a field or value of a compact hash.",
    )
    .aka(&["hash-max-ziplist-value"])
    .field(|s, v| s.hash_max_listpack_value = v.number()),
    number(
        "list-max-listpack-size",
        "-2",
        I32_MIN,
        I32_MAX,
        "Elements of a list's node; -1 to -5 mean 4, 8, 16, 32 and 64 KiB.",
    )
    .aka(&["list-max-ziplist-size"])
    .field(|s, v| s.list_max_listpack_size = v.number()),
    number(
        "list-compress-depth",
        "0",
        0,
        I32_MAX,
        "Nodes at each end of a list that are not compressed; 0 compresses none.",
    )
    .field(|s, v| s.list_compress_depth = v.number()),
    number(
        "set-max-intset-entries",
        "512",
        0,
        i64::MAX,
        "Members of a compact set of integers.",
    )
    .field(|s, v| s.set_max_intset_entries = v.number()),
    number(
        "set-max-listpack-entries",
        "128",
        0,
        i64::MAX,
        "Members of a compact set.",
    )
    .field(|s, v| s.set_max_listpack_entries = v.number()),
    number(
        "set-max-listpack-value",
        "64",
        0,
        i64::MAX,
        "Bytes of a member of a compact set.",
    )
    .field(|s, v| s.set_max_listpack_value = v.number()),
    number(
        "zset-max-listpack-entries",
        "128",
        0,
        i64::MAX,
        "Members of a compact sorted set.",
    )
    .aka(&["zset-max-ziplist-entries"])
    .field(|s, v| s.zset_max_listpack_entries = v.number()),
    memory(
        "zset-max-listpack-value",
        "64",
        0,
        "Bytes of a member of a compact sorted set.",
    )
    .aka(&["zset-max-ziplist-value"])
    .field(|s, v| s.zset_max_listpack_value = v.number()),
    memory(
        "hll-sparse-max-bytes",
        "3000",
        0,
        "Bytes of a sparse HyperLogLog.",
    )
    .field(|s, v| s.hll_sparse_max_bytes = v.number()),
    memory(
        "stream-node-max-bytes",
        "4096",
        0,
        "Bytes of a stream's node; 0 means no limit.",
    )
    .field(|s, v| s.stream_node_max_bytes = v.number()),
    number(
        "stream-node-max-entries",
        "100",
        0,
        i64::MAX,
        "Entries of a stream's node; 0 means no limit.",
    )
    .field(|s, v| s.stream_node_max_entries = v.number()),
    special(
        "list-max-ziplist-entries",
        "",
        Kind::Retired,
        "No longer has a meaning; accepted in old files.",
    ),
    special(
        "list-max-ziplist-value",
        "",
        Kind::Retired,
        "No longer has a meaning; accepted in old files.",
    ),
    special(
        "lua-replicate-commands",
        "",
        Kind::Retired,
        "No longer has a meaning; accepted in old files.",
    ),
];
