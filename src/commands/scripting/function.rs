//! FCALL and FUNCTION.

use super::script::end_running;
use super::{failure, flush_mode, key_count, run, seed};
use crate::base::glob::glob_match;
use crate::command::error::shown;
use crate::command::help::{reply_help, wrong_words};
use crate::command::row::{Group, Row, acl, flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::Reply;
use crate::script::{Flavor, Function, Library, Restore, SERVED_BY, script_flag};

const TO_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];
const CHANGES: u32 = flag::WRITE | flag::NOSCRIPT;

/// The rows under FUNCTION.
pub(super) const ROWS: &[Row] = &[
    Row::sub("delete", "function|delete", Group::Scripting, 3, delete)
        .flags(CHANGES)
        .acl(acl::SCRIPTING)
        .about("7.0.0", "O(1)", "Deletes a library and its functions.")
        .syntax("library-name")
        .tips(TO_SHARDS),
    Row::sub("dump", "function|dump", Group::Scripting, 2, dump)
        .flags(flag::NOSCRIPT)
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            "O(N) where N is the number of functions",
            "Dumps all libraries into a serialized binary payload.",
        ),
    Row::sub("flush", "function|flush", Group::Scripting, -2, flush)
        .flags(CHANGES)
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            "O(N) where N is the number of functions deleted",
            "Deletes all libraries and functions.",
        )
        .syntax("[flush-type:(ASYNC | SYNC)]")
        .tips(TO_SHARDS),
    Row::sub("help", "function|help", Group::Scripting, 2, help)
        .flags(flag::LOADING | flag::STALE)
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            "O(1)",
            "Returns helpful text about the different subcommands.",
        ),
    Row::sub("kill", "function|kill", Group::Scripting, 2, kill)
        .flags(flag::NOSCRIPT | flag::ALLOW_BUSY)
        .acl(acl::SCRIPTING)
        .about("7.0.0", "O(1)", "Terminates a function during execution.")
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    Row::sub("list", "function|list", Group::Scripting, -2, list)
        .flags(flag::NOSCRIPT)
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            "O(N) where N is the number of functions",
            "Returns information about all libraries.",
        )
        .syntax("[LIBRARYNAME library-name-pattern] [WITHCODE]")
        .tips(&["nondeterministic_output_order"]),
    Row::sub("load", "function|load", Group::Scripting, -3, load)
        .flags(CHANGES | flag::DENYOOM)
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            "O(1) (considering compilation time is redundant)",
            "Creates a library.",
        )
        .syntax("[REPLACE] function-code")
        .tips(TO_SHARDS),
    Row::sub("restore", "function|restore", Group::Scripting, -3, restore)
        .flags(CHANGES | flag::DENYOOM)
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            "O(N) where N is the number of functions on the payload",
            "Restores all libraries from a payload.",
        )
        .syntax("serialized-value [policy:(FLUSH | APPEND | REPLACE)]")
        .tips(TO_SHARDS),
    Row::sub("stats", "function|stats", Group::Scripting, 2, stats)
        .flags(flag::NOSCRIPT | flag::ALLOW_BUSY)
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            "O(1)",
            "Returns information about a function during execution.",
        )
        .tips(&[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ]),
];

pub(super) fn fcall(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    call(ctx, args, false)
}

pub(super) fn fcall_ro(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    call(ctx, args, true)
}

fn call(ctx: &mut Ctx<'_>, args: &mut Args<'_>, read_only: bool) -> Result<Flow, Error> {
    let name = args.word()?;
    let code = ctx.server.scripts.libraries.find(name);
    let code = code.ok_or(Error::Text("ERR Function not found"))?;
    let keys = key_count(args, Error::Text("ERR Bad number of keys provided"))?;
    Ok(run(code, keys, read_only))
}

fn load(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let mut replace = false;
    while args.left() > 1 {
        if !args.flag("REPLACE") {
            let option = shown(args.word()?, usize::MAX);
            return Err(Error::err(format_args!("Unknown option given: {option}")));
        }
        replace = true;
    }
    let text = args.word()?;
    let seed = seed(ctx);
    let name = ctx.server.scripts.load_library(text, replace, seed);
    let name = name.map_err(failure)?;
    ctx.db.keyspace().add_dirty(1);
    ctx.reply.bulk(name.as_bytes());
    Ok(Flow::Done)
}

fn delete(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let name = String::from_utf8_lossy(args.word()?);
    if !ctx.server.scripts.libraries.remove(&name) {
        return Err(Error::Text("ERR Library not found"));
    }
    ctx.db.keyspace().add_dirty(1);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn flush(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if args.left() > 1 {
        return Err(wrong_words(args));
    }
    flush_mode(args, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option")?;
    ctx.server.scripts.libraries.clear();
    ctx.db.keyspace().add_dirty(1);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn dump(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let payload = ctx.server.scripts.libraries.dump();
    ctx.reply.bulk(&payload);
    Ok(Flow::Done)
}

fn restore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let payload = args.word()?;
    if args.left() > 1 {
        return Err(wrong_words(args));
    }
    let policy = if args.is_empty() || args.flag("APPEND") {
        Restore::Append
    } else if args.flag("REPLACE") {
        Restore::Replace
    } else if args.flag("FLUSH") {
        Restore::Flush
    } else {
        return Err(Error::Text(
            "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
        ));
    };
    let seed = seed(ctx);
    let restored = ctx.server.scripts.restore_libraries(payload, policy, seed);
    restored.map_err(failure)?;
    ctx.db.keyspace().add_dirty(1);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn kill(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    end_running(ctx, Flavor::Function)
}

fn list(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (mut pattern, mut with_code) = (None, false);
    while !args.is_empty() {
        if !with_code && args.flag("WITHCODE") {
            with_code = true;
        } else if pattern.is_none() && args.flag("LIBRARYNAME") {
            let given = args.word();
            let missing = Error::Text("ERR library name argument was not given");
            pattern = Some(given.map_err(|_| missing)?);
        } else {
            let word = shown(args.word()?, usize::MAX);
            return Err(Error::err(format_args!("Unknown argument {word}")));
        }
    }
    let is_wanted = |library: &&Library| {
        pattern.is_none_or(|pattern| glob_match(pattern, library.name.as_bytes(), true))
    };
    let libraries = &ctx.server.scripts.libraries;
    ctx.reply.array(libraries.iter().filter(is_wanted).count());
    for library in libraries.iter().filter(is_wanted) {
        reply_library(&mut ctx.reply, library, with_code);
    }
    Ok(Flow::Done)
}

fn reply_library(reply: &mut Reply<'_>, library: &Library, with_code: bool) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(library.name.as_bytes());
    reply.bulk(b"engine");
    reply.bulk(SERVED_BY.as_bytes());
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for function in library.functions.values() {
        reply_function(reply, function);
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.text);
    }
}

fn reply_function(reply: &mut Reply<'_>, function: &Function) {
    reply.map(3);
    reply.bulk(b"name");
    reply.bulk(function.code.name.as_bytes());
    reply.bulk(b"description");
    match &function.description {
        Some(text) => reply.bulk(text),
        None => reply.null(),
    }
    reply.bulk(b"flags");
    let set = script_flag::NAMES
        .iter()
        .filter(|(bit, _)| function.code.is(*bit));
    reply.set(set.clone().count());
    set.for_each(|(_, name)| reply.simple(name));
}

fn stats(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.map(2);
    ctx.reply.bulk(b"running_script");
    let now_ns = ctx.server.clock.monotonic_ns();
    match &ctx.server.scripts.running {
        None => ctx.reply.null(),
        Some(running) => {
            ctx.reply.map(3);
            ctx.reply.bulk(b"name");
            ctx.reply.bulk(running.name.as_bytes());
            ctx.reply.bulk(b"command");
            let words = running.argv.argv();
            ctx.reply.array(words.len());
            words.iter().for_each(|word| ctx.reply.bulk(word));
            ctx.reply.bulk(b"duration_ms");
            let took_ms = now_ns.saturating_sub(running.began_ns) / 1_000_000;
            ctx.reply.integer(took_ms as i64);
        }
    }
    let (libraries, functions) = ctx.server.scripts.libraries.counts();
    ctx.reply.bulk(b"engines");
    ctx.reply.map(1);
    ctx.reply.bulk(SERVED_BY.as_bytes());
    ctx.reply.map(2);
    ctx.reply.bulk(b"libraries_count");
    ctx.reply.integer(libraries as i64);
    ctx.reply.bulk(b"functions_count");
    ctx.reply.integer(functions as i64);
    Ok(Flow::Done)
}

fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "LOAD [REPLACE] <FUNCTION CODE>",
            "    Create a new library with the given library name and code.",
            "DELETE <LIBRARY NAME>",
            "    Delete the given library.",
            "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
            "    Return general information on all the libraries:",
            "    * Library name",
            "    * The engine used to run the Library",
            "    * Functions list",
            "    * Library code (if WITHCODE is given)",
            "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
            "STATS",
            "    Return information about the current function running:",
            "    * Function name",
            "    * Command used to run the function",
            "    * Duration in MS that the function is running",
            "    If no function is running, return nil",
            "    In addition, returns a list of available engines.",
            "KILL",
            "    Kill the current running function.",
            "FLUSH [ASYNC|SYNC]",
            "    Delete all the libraries.",
            "    When called without the optional mode argument, the behavior is determined by the",
            "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
            "    * ASYNC: Asynchronously flush the libraries.",
            "    * SYNC: Synchronously flush the libraries.",
            "DUMP",
            "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
            "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
            "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
            "    control how to handle existing libraries (default APPEND):",
            "    * FLUSH: delete all existing libraries.",
            "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
            "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
            "      libraries with the new libraries (notice that even on this option there is a chance of failure",
            "      in case of functions name collision with another library).",
        ],
    ))
}
