//! What those who run the server ask about its work: MEMORY, MONITOR.

use crate::base::number::parse_i64;
use crate::command::help::{container, reply_help};
use crate::command::memory_figures::MemoryFigures;
use crate::command::row::{Group, KeySpec, Row, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::observe::human_bytes;
use crate::session::hindrance;

const SPECIAL: &[&str] = &[
    "nondeterministic_output",
    "request_policy:all_shards",
    "response_policy:special",
];
const BY_ALLOCATED: &str = "Depends on how much memory is allocated, could be slow";

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("memory", Group::Server, -2, container)
        .about(
            "4.0.0",
            "Depends on subcommand.",
            "A container for memory diagnostics commands.",
        )
        .subcommands(MEMORY_ROWS),
    Row::new("monitor", Group::Server, 1, monitor)
        .flags(flag::ADMIN | flag::NOSCRIPT | flag::LOADING | flag::STALE)
        .about(
            "1.0.0",
            "",
            "Listens for all requests received by the server in real-time.",
        ),
];

/// Whoever watches already gets no second answer.
fn monitor(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    if ctx.client.is_nested() {
        return Err(Error::Text(
            "ERR MONITOR isn't allowed for DENY BLOCKING client",
        ));
    }
    if !ctx.client.is_monitor() {
        ctx.client.hinder(hindrance::MONITORS, true);
        ctx.server.monitors.add(ctx.client.slot);
        ctx.reply.ok();
    }
    Ok(Flow::Done)
}

const MEMORY_ROWS: &[Row] = &[
    Row::sub("doctor", "memory|doctor", Group::Server, 2, doctor)
        .tips(SPECIAL)
        .about("4.0.0", "O(1)", "Outputs a memory problems report."),
    Row::sub("help", "memory|help", Group::Server, 2, help)
        .flags(flag::LOADING | flag::STALE)
        .about(
            "4.0.0",
            "O(1)",
            "Returns helpful text about the different subcommands.",
        ),
    Row::sub(
        "malloc-stats",
        "memory|malloc-stats",
        Group::Server,
        2,
        malloc_stats,
    )
    .tips(SPECIAL)
    .about("4.0.0", BY_ALLOCATED, "Returns the allocator statistics."),
    Row::sub("purge", "memory|purge", Group::Server, 2, purge)
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .about(
            "4.0.0",
            BY_ALLOCATED,
            "Asks the allocator to release memory.",
        ),
    Row::sub("stats", "memory|stats", Group::Server, 2, stats)
        .tips(SPECIAL)
        .about("4.0.0", "O(1)", "Returns details about memory usage."),
    Row::sub("usage", "memory|usage", Group::Server, -3, usage)
        .flags(flag::READONLY)
        .keys(&[KeySpec::one(2, key_flag::RO)])
        .about(
            "4.0.0",
            "O(N) where N is the number of samples.",
            "Estimates the memory usage of a key.",
        )
        .syntax("key [SAMPLES count:integer]"),
];

/// Below this many bytes in use there is nothing to be learnt from ratios.
const DIAGNOSED_MIN_BYTES: u64 = 5 << 20;
/// A resident set so many times as large as what is in use is fragmented.
const FRAGMENTED_RATIO: f64 = 1.4;
/// A peak so many times as high as what is in use still shows in the resident set.
const PEAK_RATIO: f64 = 1.5;

/// Values know their size exactly, so SAMPLES is read and not needed.
fn usage(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    while let Some(count) = args.value_of("SAMPLES")? {
        if parse_i64(count).ok_or(Error::NotInteger)? < 0 {
            return Err(Error::Syntax);
        }
    }
    args.finish()?;
    match ctx.db.peek(&key) {
        Some(record) => ctx.reply.integer(record.memory_bytes() as i64),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

fn stats(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let figures = MemoryFigures::of(ctx);
    let keyspace = ctx.db.keyspace();
    let stores = (0..keyspace.databases()).map(|db| keyspace.store(db));
    let keys: u64 = stores.map(|store| store.len() as u64).sum();
    let grown = figures.used_bytes.saturating_sub(figures.startup_bytes);
    let integers = [
        ("peak.allocated", figures.peak_bytes),
        ("total.allocated", figures.used_bytes),
        ("startup.allocated", figures.startup_bytes),
        ("replication.backlog", 0),
        ("replica.fullsync.buffer", 0),
        ("clients.slaves", 0),
        ("clients.normal", figures.clients_bytes),
        ("cluster.links", 0),
        ("aof.buffer", 0),
        ("lua.caches", 0),
        ("functions.caches", 0),
        ("script.VMs", 0),
        ("overhead.db.hashtable.lut", figures.tables_bytes),
        ("overhead.db.hashtable.rehashing", 0),
        ("overhead.total", figures.overhead_bytes),
        ("db.dict.rehashing.count", 0),
        ("keys.count", keys),
        ("keys.bytes-per-key", grown.checked_div(keys).unwrap_or(0)),
        ("dataset.bytes", figures.dataset_bytes()),
        ("allocator.allocated", figures.used_bytes),
    ];
    let peak_percent = figures.used_bytes as f64 * 100.0 / figures.peak_bytes.max(1) as f64;
    let doubles = [
        ("dataset.percentage", figures.dataset_percent()),
        ("peak.percentage", peak_percent),
        ("fragmentation", figures.fragmentation()),
    ];
    ctx.reply.map(integers.len() + doubles.len() + 1);
    for (name, value) in integers {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.integer(value as i64);
    }
    for (name, value) in doubles {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.double(value);
    }
    ctx.reply.bulk(b"fragmentation.bytes");
    let unused = figures.usage.resident_bytes as i64 - figures.used_bytes as i64;
    ctx.reply.integer(unused);
    Ok(Flow::Done)
}

fn doctor(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let report = diagnosis(&MemoryFigures::of(ctx));
    ctx.reply.verbatim("txt", report.as_bytes());
    Ok(Flow::Done)
}

/// What is wrong, a line for each.
fn diagnosis(figures: &MemoryFigures) -> String {
    let used = human_bytes(figures.used_bytes);
    if figures.used_bytes < DIAGNOSED_MIN_BYTES {
        return format!("Only {used} are in use: too little to tell anything from.\n");
    }
    let mut report = String::new();
    let peak = figures.peak_bytes as f64 / figures.used_bytes as f64;
    if peak > PEAK_RATIO {
        let most = human_bytes(figures.peak_bytes);
        report += &format!(
            "Peak: {most} were in use once, {used} are now; the resident set may still be that of the peak.\n"
        );
    }
    let ratio = figures.fragmentation();
    if ratio > FRAGMENTED_RATIO && peak <= PEAK_RATIO {
        report += &format!(
            "Fragmentation: the resident set is {ratio:.2} times as large as what is in use.\n"
        );
    }
    if figures.clients_bytes > figures.used_bytes / 2 {
        let clients = human_bytes(figures.clients_bytes);
        report += &format!("Clients: their buffers take {clients} of {used}.\n");
    }
    if report.is_empty() {
        report = format!("No problem was found: {used} are in use.\n");
    }
    report
}

fn malloc_stats(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let text = b"Stats not supported for the current allocator";
    ctx.reply.bulk(text);
    Ok(Flow::Done)
}

/// The allocator gives back by itself what it does not need: there is nothing to be asked of it.
fn purge(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "DOCTOR",
            "    Return memory problems reports.",
            "MALLOC-STATS",
            "    Return internal statistics report from the memory allocator.",
            "PURGE",
            "    Attempt to purge dirty pages for reclamation by the allocator.",
            "STATS",
            "    Return information about the memory usage of the server.",
            "USAGE <key> [SAMPLES <count>]",
            "    Return memory in bytes used by <key> and its value. Nested values are",
            "    sampled up to <count> times (default: 5, 0 means sample all).",
        ],
    ))
}
