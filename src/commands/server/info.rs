//! INFO: the sections, in their order. What a line says stands with the service that owns the number; here is only who
//! is asked, and what no service owns: the process, and facts about what this server has not got.

use crate::command::ctx::REDIS_VERSION;
use crate::command::memory_figures::MemoryFigures;
use crate::command::{Args, Ctx, Error, Flow};
use crate::config::Settings;
use crate::observe::Info;
use crate::observe::memory::ALLOCATOR;

/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// The LRU clock has 24 bits.
const LRU_CLOCK_MASK: i64 = (1 << 24) - 1;

/// A part of INFO.
struct Section {
    /// How it is asked for.
    name: &'static str,
    title: &'static str,
    /// Whether INFO without arguments has it.
    by_default: bool,
    write: fn(&mut Ctx<'_>, &mut Info),
}

const fn section(
    name: &'static str,
    title: &'static str,
    by_default: bool,
    write: fn(&mut Ctx<'_>, &mut Info),
) -> Section {
    Section {
        name,
        title,
        by_default,
        write,
    }
}

const SECTIONS: [Section; 14] = [
    section("server", "Server", true, server),
    section("clients", "Clients", true, clients),
    section("memory", "Memory", true, memory),
    section("persistence", "Persistence", true, persistence),
    section("threads", "Threads", true, threads),
    section("stats", "Stats", true, stats),
    section("replication", "Replication", true, replication),
    section("cpu", "CPU", true, cpu),
    // There are no modules, so the headline is all.
    section("modules", "Modules", true, |_, _| {}),
    section("commandstats", "Commandstats", false, commandstats),
    section("errorstats", "Errorstats", true, |ctx, info| {
        ctx.server.stats.info_errors(info);
    }),
    section("latencystats", "Latencystats", false, latencystats),
    section("cluster", "Cluster", true, |_, info| {
        info.zeros(&["cluster_enabled"]);
    }),
    section("keyspace", "Keyspace", true, |ctx, info| {
        ctx.db.keyspace().info(info);
    }),
];

pub(super) fn info(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let words: Vec<&[u8]> = args.rest().collect();
    let asked = |name: &str| {
        let mut words = words.iter();
        words.any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let default = words.is_empty() || asked("default");
    let all = asked("all") || asked("everything");
    let mut info = Info::default();
    for section in &SECTIONS {
        if all || (default && section.by_default) || asked(section.name) {
            info.section(section.title);
            (section.write)(ctx, &mut info);
        }
    }
    ctx.reply.verbatim("txt", info.finish().as_bytes());
    Ok(Flow::Done)
}

fn server(ctx: &mut Ctx<'_>, info: &mut Info) {
    let server = &*ctx.server;
    let (identity, settings) = (&server.identity, &server.config.settings);
    let now_us = server.clock.unix_us();
    let uptime_s = (now_us / 1000 - identity.started_ms).max(0) / 1000;
    let port = if settings.port == 0 {
        settings.tls_port
    } else {
        settings.port
    };
    info.field("redis_version", REDIS_VERSION)
        .field("oxidis_version", env!("CARGO_PKG_VERSION"))
        .field("redis_git_sha1", "00000000")
        .field("redis_git_dirty", 0)
        .field("redis_mode", "standalone")
        .field("os", &identity.system)
        .field("arch_bits", usize::BITS)
        .field("monotonic_clock", "POSIX clock_gettime")
        .field("multiplexing_api", "epoll")
        .field("process_id", identity.pid)
        .field("process_supervised", &identity.supervised)
        .field("run_id", &identity.run_id)
        .field("tcp_port", port)
        .field("server_time_usec", now_us)
        .field("uptime_in_seconds", uptime_s)
        .field("uptime_in_days", uptime_s / DAY_S)
        .field("hz", settings.hz)
        .field("configured_hz", settings.hz)
        .field("lru_clock", (now_us / 1_000_000) & LRU_CLOCK_MASK)
        .field("executable", &identity.executable)
        .field("config_file", &identity.config_file)
        .field("io_threads_active", 0);
    listeners(settings, info);
}

/// A line for each kind of socket that is listened on.
fn listeners(settings: &Settings, info: &mut Info) {
    let on = |port: u16| (port != 0).then(|| format!("{},port={port}", addresses(&settings.bind)));
    let unix = settings.unixsocket.as_ref();
    let listeners = [
        ("tcp", on(settings.port)),
        ("unix", unix.map(|path| format!("bind={path}"))),
        ("tls", on(settings.tls_port)),
    ];
    let there = listeners
        .into_iter()
        .filter_map(|(name, place)| Some((name, place?)));
    for (number, (name, place)) in there.enumerate() {
        info.field(
            format_args!("listener{number}"),
            format_args!("name={name},{place}"),
        );
    }
}

fn addresses(bind: &[String]) -> String {
    let addresses: Vec<String> = bind
        .iter()
        .map(|address| format!("bind={address}"))
        .collect();
    addresses.join(",")
}

fn clients(ctx: &mut Ctx<'_>, info: &mut Info) {
    let waiters = &ctx.db.keyspace().waiters;
    let (awaited, awaited_on_loss, watched) = waiters.counts();
    let watching = waiters.watching_clients();
    let maxclients = ctx.server.config.settings.maxclients;
    let special = [
        watching,
        ctx.server.tracking.clients(),
        ctx.server.pubsub.clients(),
    ];
    ctx.server
        .clients
        .info(ctx.client, maxclients, special, info);
    info.field("total_watched_keys", watched)
        .field("total_blocking_keys", awaited)
        .field("total_blocking_keys_on_nokey", awaited_on_loss);
}

fn memory(ctx: &mut Ctx<'_>, info: &mut Info) {
    let figures = MemoryFigures::of(ctx);
    let log_bytes = ctx.server.aof.buffered_bytes();
    let to_disk_bytes = log_bytes + ctx.host.disk_queue_bytes() as u64;
    let (used, resident) = (figures.used_bytes, figures.usage.resident_bytes);
    let settings = &ctx.server.config.settings;
    info.bytes("used_memory", used)
        .bytes("used_memory_rss", resident)
        .bytes("used_memory_peak", figures.peak_bytes)
        .field(
            "used_memory_peak_time",
            ctx.server.stats.peak_memory_ms / 1000,
        )
        .field("used_memory_peak_perc", percent(used, figures.peak_bytes))
        .field("used_memory_overhead", figures.overhead_bytes)
        .field("used_memory_startup", figures.startup_bytes)
        .field("used_memory_dataset", figures.dataset_bytes())
        .field(
            "used_memory_dataset_perc",
            format_args!("{:.2}%", figures.dataset_percent()),
        )
        .field("allocator_allocated", used)
        .bytes("total_system_memory", figures.usage.machine_bytes);
    ctx.server.scripts.info(info);
    info.bytes("maxmemory", settings.maxmemory)
        .field("maxmemory_policy", settings.maxmemory_policy.word())
        .field("mem_fragmentation_ratio", ratio(resident, used))
        .field(
            "mem_fragmentation_bytes",
            i128::from(resident) - i128::from(used),
        )
        .field("mem_not_counted_for_evict", to_disk_bytes)
        .zeros(&[
            "mem_replication_backlog",
            "mem_total_replication_buffers",
            "mem_replica_full_sync_buffer",
            "mem_clients_slaves",
        ])
        .field("mem_clients_normal", figures.clients_bytes)
        .zeros(&["mem_cluster_links"])
        .field("mem_aof_buffer", log_bytes)
        .field("mem_allocator", ALLOCATOR)
        .zeros(&["active_defrag_running"])
        .field("lazyfree_pending_objects", figures.usage.pending_frees)
        .field("lazyfreed_objects", figures.usage.freed);
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2}%", part as f64 * 100.0 / whole.max(1) as f64)
}

fn ratio(part: u64, whole: u64) -> String {
    format!("{:.2}", part as f64 / whole.max(1) as f64)
}

/// Snapshots are told by who makes them; of the append-only file there are the honest lines of a server without one.
fn persistence(ctx: &mut Ctx<'_>, info: &mut Info) {
    let waiting = ctx.host.disk_queue_bytes();
    let loading = ctx.server.loading.as_ref();
    info.field("loading", u8::from(loading.is_some()))
        .zeros(&["async_loading"]);
    ctx.server.saver.info(ctx.db.keyspace(), waiting, info);
    let loaded = &ctx.server.last_load;
    info.field("rdb_last_load_keys_expired", loaded.expired)
        .field("rdb_last_load_keys_loaded", loaded.keys);
    let is_rewriting = ctx.server.aof.is_rewriting();
    let now_ms = ctx.db.now_ms();
    ctx.server.aof.info(is_rewriting, now_ms, info);
    ctx.server.backups.info(now_ms, info);
    if let Some(loading) = &ctx.server.loading {
        loading.info(now_ms, info);
    }
}

/// One thread does all the work of clients.
fn threads(ctx: &mut Ctx<'_>, info: &mut Info) {
    let (clients, stats) = (ctx.server.clients.len(), &ctx.server.stats);
    let (reads, writes) = (stats.reads, stats.writes);
    info.field(
        "io_thread_0",
        format_args!("clients={clients},reads={reads},writes={writes}"),
    );
}

fn stats(ctx: &mut Ctx<'_>, info: &mut Info) {
    ctx.server.stats.info_traffic(info);
    info.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
    ctx.db.keyspace().counters.info_expiry(info);
    let server = &ctx.server;
    info.field("evicted_clients", server.stats.evicted_clients)
        .field("evicted_scripts", server.scripts.evicted());
    let now_ns = server.clock.monotonic_ns();
    server.stats.eviction.info(now_ns, info);
    ctx.db.keyspace().counters.info_reads(info);
    ctx.server.pubsub.info(info);
    info.zeros(&[
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
    ]);
    ctx.server.tracking.info(info);
    info.zeros(&["unexpected_error_replies"]);
    ctx.server.stats.info_work(info);
    info.zeros(&[
        "acl_access_denied_cmd",
        "acl_access_denied_key",
        "acl_access_denied_channel",
    ]);
}

/// The honest lines of a server that has no replicas and follows nobody.
fn replication(ctx: &mut Ctx<'_>, info: &mut Info) {
    info.field("role", "master")
        .zeros(&["connected_slaves"])
        .field("master_failover_state", "no-failover")
        .field("master_replid", &ctx.server.replication_id)
        .field("master_replid2", "0".repeat(40))
        .zeros(&["master_repl_offset"])
        .field("second_repl_offset", -1)
        .zeros(&["repl_backlog_active"])
        .field(
            "repl_backlog_size",
            ctx.server.config.settings.repl_backlog_size,
        )
        .zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}

fn cpu(ctx: &mut Ctx<'_>, info: &mut Info) {
    let usage = ctx.host.usage();
    let seconds = |value: f64| format!("{value:.6}");
    info.field("used_cpu_sys", seconds(usage.cpu_sys_s))
        .field("used_cpu_user", seconds(usage.cpu_user_s))
        .field("used_cpu_sys_children", seconds(0.0))
        .field("used_cpu_user_children", seconds(0.0))
        .field(
            "used_cpu_sys_main_thread",
            seconds(usage.main_thread_cpu_sys_s),
        )
        .field(
            "used_cpu_user_main_thread",
            seconds(usage.main_thread_cpu_user_s),
        );
}

fn commandstats(ctx: &mut Ctx<'_>, info: &mut Info) {
    let commands = ctx.server.table.entries();
    for ((_, entry), stats) in commands.zip(&ctx.server.stats.by_command) {
        stats.info(entry.row.full_name, info);
    }
}

fn latencystats(ctx: &mut Ctx<'_>, info: &mut Info) {
    let percentiles = &ctx.server.config.settings.latency_tracking_info_percentiles;
    let commands = ctx.server.table.entries();
    for ((_, entry), stats) in commands.zip(&ctx.server.stats.by_command) {
        stats.info_latency(entry.row.full_name, percentiles, info);
    }
}
