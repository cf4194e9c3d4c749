//! Rows of the group "Memory": how much data is kept and what goes when it is too much.

use super::{I32_MAX, Param, choice, flag, memory, number, special};
use crate::config::kind::Kind;
use crate::config::settings::{MaxmemoryPolicy, OomScoreAdj};

pub(super) static ROWS: &[Param] = &[
    memory(
        "maxmemory",
        "0",
        0,
        "Bytes of memory for data; 0 means no limit.",
    )
    .field(|s, v| s.maxmemory = v.number()),
    choice(
        "maxmemory-policy",
        "noeviction",
        MaxmemoryPolicy::WORDS,
        "What is evicted when maxmemory is reached.",
    )
    .field(|s, v| s.maxmemory_policy = MaxmemoryPolicy::from_value(v)),
    number(
        "maxmemory-samples",
        "5",
        1,
        64,
        "Keys looked at to find one to evict.",
    )
    .field(|s, v| s.maxmemory_samples = v.number()),
    number(
        "maxmemory-eviction-tenacity",
        "10",
        0,
        100,
        "Effort of eviction, from 0 (low latency) to 100 (no matter the latency).",
    )
    .field(|s, v| s.maxmemory_eviction_tenacity = v.number()),
    number(
        "lfu-log-factor",
        "10",
        0,
        I32_MAX,
        "How slowly the access counter of a key grows.",
    )
    .field(|s, v| s.lfu_log_factor = v.number()),
    number(
        "lfu-decay-time",
        "1",
        0,
        I32_MAX,
        "Minutes after which an access counter is halved; 0 never.",
    )
    .field(|s, v| s.lfu_decay_time_min = v.number()),
    number(
        "active-expire-effort",
        "1",
        1,
        10,
        "Effort spent on expired keys, 1 to 10.",
    )
    .field(|s, v| s.active_expire_effort = v.number()),
    flag(
        "lazyfree-lazy-eviction",
        "no",
        "Free evicted values on a helper thread.",
    )
    .field(|s, v| s.lazyfree_lazy_eviction = v.is_yes()),
    flag(
        "lazyfree-lazy-expire",
        "no",
        "Free expired values on a helper thread.",
    )
    .field(|s, v| s.lazyfree_lazy_expire = v.is_yes()),
    flag(
        "lazyfree-lazy-server-del",
        "no",
        "Free values replaced by commands on a helper thread.",
    )
    .field(|s, v| s.lazyfree_lazy_server_del = v.is_yes()),
    flag("lazyfree-lazy-user-del", "no", "Let DEL work as UNLINK.")
        .field(|s, v| s.lazyfree_lazy_user_del = v.is_yes()),
    flag(
        "lazyfree-lazy-user-flush",
        "no",
        "Let FLUSHALL and FLUSHDB work as with ASYNC.",
    )
    .field(|s, v| s.lazyfree_lazy_user_flush = v.is_yes()),
    flag(
        "replica-ignore-maxmemory",
        "yes",
        "Replicas leave eviction to the primary.",
    )
    .aka(&["slave-ignore-maxmemory"])
    .field(|s, v| s.replica_ignore_maxmemory = v.is_yes()),
    flag(
        "activedefrag",
        "no",
        "Move values to give back fragmented memory.",
    )
    .field(|s, v| s.activedefrag = v.is_yes()),
    memory(
        "active-defrag-ignore-bytes",
        "104857600",
        1,
        "Fragmented bytes below which defragmentation rests.",
    ),
    number(
        "active-defrag-threshold-lower",
        "10",
        0,
        1000,
        "Fragmentation in percent at which defragmentation starts.",
    ),
    number(
        "active-defrag-threshold-upper",
        "100",
        0,
        1000,
        "Fragmentation in percent at which it works hardest.",
    ),
    number(
        "active-defrag-cycle-min",
        "1",
        1,
        99,
        "Least CPU share of defragmentation, in percent.",
    ),
    number(
        "active-defrag-cycle-max",
        "25",
        1,
        99,
        "Largest CPU share of defragmentation, in percent.",
    ),
    number(
        "active-defrag-cycle-us",
        "500",
        0,
        100_000,
        "Microseconds of one step of defragmentation.",
    ),
    number(
        "active-defrag-max-scan-fields",
        "1000",
        1,
        i64::MAX,
        "Elements above which a collection is defragmented in steps.",
    ),
    flag(
        "jemalloc-bg-thread",
        "yes",
        "Let jemalloc give back memory from a thread of its own.",
    ),
    flag(
        "disable-thp",
        "yes",
        "Turn transparent huge pages off for the process.",
    )
    .immutable()
    .field(|s, v| s.disable_thp = v.is_yes()),
    choice(
        "oom-score-adj",
        "no",
        OomScoreAdj::WORDS,
        "Let the server set how eagerly the kernel kills it when memory runs out.",
    )
    .field(|s, v| s.oom_score_adj = OomScoreAdj::from_value(v)),
    special(
        "oom-score-adj-values",
        "0 200 800",
        Kind::OomValues,
        "Values for a primary, a replica and a saving process.",
    )
    .field(|s, v| s.oom_score_adj_values = v.numbers()),
];
