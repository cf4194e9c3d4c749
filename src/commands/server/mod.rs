//! The server itself: its configuration, its numbers, its commands, its time and its end.

mod append_only;
mod backup;
mod command;
mod command_docs;
mod config;
mod info;
mod lolwut;
mod save;
mod shutdown;

use crate::command::help::container;
use crate::command::row::{Group, Row, acl, flag};
use crate::command::{Args, Ctx, Error, Flow};

const CALM: u32 = flag::LOADING | flag::STALE;
const CONFIG: u32 = flag::ADMIN | flag::NOSCRIPT | CALM;
const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];
const UNORDERED: &[&str] = &["nondeterministic_output_order"];
const HELP_SUMMARY: &str = "Returns helpful text about the different subcommands.";

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("bgrewriteaof", Group::Server, 1, append_only::bgrewriteaof)
        .flags(flag::ADMIN | flag::NOSCRIPT | flag::NO_ASYNC_LOADING)
        .about(
            "1.0.0",
            "O(1)",
            "Asynchronously rewrites the append-only file to disk.",
        ),
    Row::new("backup", Group::Server, 2, backup::backup)
        .flags(flag::ADMIN | flag::NOSCRIPT | flag::NO_ASYNC_LOADING)
        .about(
            "8.0.0",
            "O(1) with an append-only file, O(N) in the background without",
            "Makes a folder with all data of this moment, to be copied while the server runs.",
        )
        .syntax("path"),
    Row::new("bgsave", Group::Server, -1, save::bgsave)
        .flags(flag::ADMIN | flag::NOSCRIPT | flag::NO_ASYNC_LOADING)
        .about(
            "1.0.0",
            "O(1)",
            "Asynchronously saves the database(s) to disk.",
        )
        .history(&[("3.2.2", "Added the `SCHEDULE` option.")])
        .syntax("[SCHEDULE]^3.2.2"),
    Row::new("command", Group::Server, -1, command::all)
        .flags(CALM)
        .acl(acl::CONNECTION)
        .tips(UNORDERED)
        .about(
            "2.8.13",
            "O(N) where N is the total number of Redis commands",
            "Returns detailed information about all commands.",
        )
        .subcommands(COMMAND_ROWS),
    Row::new("config", Group::Server, -2, container)
        .about(
            "2.0.0",
            "Depends on subcommand.",
            "A container for server configuration commands.",
        )
        .subcommands(CONFIG_ROWS),
    Row::new("info", Group::Server, -1, info::info)
        .flags(CALM)
        .acl(acl::DANGEROUS)
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ])
        .about(
            "1.0.0",
            "O(1)",
            "Returns information and statistics about the server.",
        )
        .history(&[(
            "7.0.0",
            "Added support for taking multiple section arguments.",
        )])
        .syntax("[section...]"),
    Row::new("lastsave", Group::Server, 1, save::lastsave)
        .flags(CALM | flag::FAST)
        .acl(acl::ADMIN | acl::DANGEROUS)
        .tips(&["nondeterministic_output"])
        .about(
            "1.0.0",
            "O(1)",
            "Returns the Unix timestamp of the last successful save to disk.",
        ),
    Row::new("lolwut", Group::Server, -1, lolwut::lolwut)
        .flags(flag::READONLY | flag::FAST)
        .about("5.0.0", "", "Displays computer art and the Redis version")
        .syntax("[VERSION version:integer]"),
    Row::new("save", Group::Server, 1, save::save)
        .flags(flag::ADMIN | flag::NOSCRIPT | flag::NO_ASYNC_LOADING | flag::NO_MULTI)
        .about(
            "1.0.0",
            "O(N) where N is the total number of keys in all databases",
            "Synchronously saves the database(s) to disk.",
        ),
    Row::new("shutdown", Group::Server, -1, shutdown::shutdown)
        .flags(CONFIG | flag::NO_MULTI | flag::ALLOW_BUSY)
        .about(
            "1.0.0",
            "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
            "Synchronously saves the database(s) to disk and shuts down the Redis server.",
        )
        .history(&[("7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers.")])
        .syntax(
            "[save-selector:(NOSAVE | SAVE)] [NOW]^7.0.0 [FORCE]^7.0.0 [ABORT]^7.0.0",
        ),
    Row::new("waitaof", Group::Generic, 4, append_only::waitaof)
        .flags(flag::BLOCKING)
        .acl(acl::CONNECTION)
        .tips(&["request_policy:all_shards", "response_policy:agg_min"])
        .about(
            "7.2.0",
            "O(1)",
            "Blocks until all of the preceding write commands sent by the connection are written to the append-only file of the master and/or replicas.",
        )
        .syntax("numlocal:integer numreplicas:integer timeout:integer"),
    Row::new("time", Group::Server, 1, time)
        .flags(CALM | flag::FAST)
        .tips(&["nondeterministic_output"])
        .about("2.6.0", "O(1)", "Returns the server time."),
];

const COMMAND_ROWS: &[Row] = &[
    command_row("count", "command|count", 2, command::count).about(
        "2.8.13",
        "O(1)",
        "Returns a count of commands.",
    ),
    command_row("docs", "command|docs", -2, command_docs::docs)
        .tips(UNORDERED)
        .about(
            "7.0.0",
            "O(N) where N is the number of commands to look up",
            "Returns documentary information about one, multiple or all commands.",
        )
        .syntax("[command-name...]"),
    command_row("getkeys", "command|getkeys", -3, command::getkeys)
        .about(
            "2.8.13",
            "O(N) where N is the number of arguments to the command",
            "Extracts the key names from an arbitrary command.",
        )
        .syntax("command [arg...]"),
    command_row(
        "getkeysandflags",
        "command|getkeysandflags",
        -3,
        command::getkeysandflags,
    )
    .about(
        "7.0.0",
        "O(N) where N is the number of arguments to the command",
        "Extracts the key names and access flags for an arbitrary command.",
    )
    .syntax("command [arg...]"),
    command_row("help", "command|help", 2, command::help).about("5.0.0", "O(1)", HELP_SUMMARY),
    command_row("info", "command|info", -2, command::info)
        .tips(UNORDERED)
        .about(
            "2.8.13",
            "O(N) where N is the number of commands to look up",
            "Returns information about one, multiple or all commands.",
        )
        .history(&[(
            "7.0.0",
            "Allowed to be called with no argument to get info on all commands.",
        )])
        .syntax("[command-name...]"),
    command_row("list", "command|list", -2, command::list)
        .tips(UNORDERED)
        .about(
            "7.0.0",
            "O(N) where N is the total number of Redis commands",
            "Returns a list of command names.",
        )
        .syntax(
            "[FILTERBY filterby:(MODULE module-name | ACLCAT category | PATTERN pattern:pattern)]",
        ),
];

const CONFIG_ROWS: &[Row] = &[
    Row::sub("get", "config|get", Group::Server, -3, config::get)
        .flags(CONFIG)
        .about(
            "2.0.0",
            "O(N) when N is the number of configuration parameters provided",
            "Returns the effective values of configuration parameters.",
        )
        .history(&[(
            "7.0.0",
            "Added the ability to pass multiple pattern parameters in one call",
        )])
        .syntax("parameter..."),
    Row::sub("help", "config|help", Group::Server, 2, config::help)
        .flags(CALM)
        .about("5.0.0", "O(1)", HELP_SUMMARY),
    Row::sub(
        "resetstat",
        "config|resetstat",
        Group::Server,
        2,
        config::resetstat,
    )
    .flags(CONFIG)
    .tips(ALL_NODES)
    .about("2.0.0", "O(1)", "Resets the server's statistics."),
    Row::sub(
        "rewrite",
        "config|rewrite",
        Group::Server,
        2,
        config::rewrite,
    )
    .flags(CONFIG)
    .tips(ALL_NODES)
    .about(
        "2.8.0",
        "O(1)",
        "Persists the effective configuration to file.",
    ),
    Row::sub("set", "config|set", Group::Server, -4, config::set)
        .flags(CONFIG)
        .tips(ALL_NODES)
        .about(
            "2.0.0",
            "O(N) when N is the number of configuration parameters provided",
            "Sets configuration parameters in-flight.",
        )
        .history(&[(
            "7.0.0",
            "Added the ability to set multiple parameters in one call.",
        )])
        .syntax("data:(parameter value)..."),
];

const fn command_row(
    name: &'static str,
    full_name: &'static str,
    arity: i32,
    handler: crate::command::Handler,
) -> Row {
    Row::sub(name, full_name, Group::Server, arity, handler)
        .flags(CALM)
        .acl(acl::CONNECTION)
}

fn time(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let now_us = ctx.server.clock.unix_us();
    ctx.reply.array(2);
    ctx.reply.bulk_i64(now_us.div_euclid(1_000_000));
    ctx.reply.bulk_i64(now_us.rem_euclid(1_000_000));
    Ok(Flow::Done)
}
