//! EVAL, EVALSHA, their read-only forms, and SCRIPT.

use super::{flush_mode, key_count, run, seed};
use crate::command::help::reply_help;
use crate::command::row::{Group, Row, acl, flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::script::{Code, Flavor, sha1_of_hex};
use std::rc::Rc;

const TO_ALL: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];
const NO_SCRIPT: Error = Error::Text("NOSCRIPT No matching script. Please use EVAL.");

/// The rows under SCRIPT.
pub(super) const ROWS: &[Row] = &[
    Row::sub("debug", "script|debug", Group::Scripting, 3, debug)
        .flags(flag::NOSCRIPT)
        .acl(acl::SCRIPTING)
        .about(
            "3.2.0",
            "O(1)",
            "Sets the debug mode of server-side Lua scripts.",
        )
        .syntax("mode:(YES | SYNC | NO)"),
    Row::sub("exists", "script|exists", Group::Scripting, -3, exists)
        .flags(flag::NOSCRIPT)
        .acl(acl::SCRIPTING)
        .about(
            "2.6.0",
            "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
            "Determines whether server-side Lua scripts exist in the script cache.",
        )
        .syntax("sha1...")
        .tips(&[
            "request_policy:all_shards",
            "response_policy:agg_logical_and",
        ]),
    Row::sub("flush", "script|flush", Group::Scripting, -2, flush)
        .flags(flag::NOSCRIPT)
        .acl(acl::SCRIPTING)
        .about(
            "2.6.0",
            "O(N) with N being the number of scripts in cache",
            "Removes all server-side Lua scripts from the script cache.",
        )
        .syntax("[flush-type:(ASYNC | SYNC)]^6.2.0")
        .tips(TO_ALL)
        .history(&[("6.2.0", "Added the `ASYNC` and `SYNC` flushing mode modifiers.")]),
    Row::sub("help", "script|help", Group::Scripting, 2, help)
        .flags(flag::LOADING | flag::STALE)
        .acl(acl::SCRIPTING)
        .about(
            "5.0.0",
            "O(1)",
            "Returns helpful text about the different subcommands.",
        ),
    Row::sub("kill", "script|kill", Group::Scripting, 2, kill)
        .flags(flag::NOSCRIPT | flag::ALLOW_BUSY)
        .acl(acl::SCRIPTING)
        .about(
            "2.6.0",
            "O(1)",
            "Terminates a server-side Lua script during execution.",
        )
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    Row::sub("load", "script|load", Group::Scripting, 3, load)
        .flags(flag::NOSCRIPT | flag::STALE)
        .acl(acl::SCRIPTING)
        .about(
            "2.6.0",
            "O(N) with N being the length in bytes of the script body.",
            "Loads a server-side Lua script to the script cache.",
        )
        .syntax("script")
        .tips(TO_ALL),
    Row::sub("show", "script|show", Group::Scripting, 3, show)
        .flags(flag::NOSCRIPT | flag::STALE)
        .acl(acl::SCRIPTING)
        .about("8.0.0", "O(1).", "Show server-side Lua script in the script cache.")
        .syntax("sha1"),
];

pub(super) fn eval(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    run_script(ctx, args, compiled, false)
}

pub(super) fn eval_ro(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    run_script(ctx, args, compiled, true)
}

pub(super) fn evalsha(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    check_digits(args)?;
    run_script(ctx, args, cached, false)
}

pub(super) fn evalsha_ro(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    check_digits(args)?;
    run_script(ctx, args, cached, true)
}

/// What cannot be a SHA1 is refused before the other words are looked at.
fn check_digits(args: &Args<'_>) -> Result<(), Error> {
    match args.peek() {
        Some(digits) if digits.len() == 40 => Ok(()),
        _ => Err(NO_SCRIPT),
    }
}

fn run_script(
    ctx: &mut Ctx<'_>,
    args: &mut Args<'_>,
    find: fn(&mut Ctx<'_>, &[u8]) -> Result<Rc<Code>, Error>,
    read_only: bool,
) -> Result<Flow, Error> {
    let script = args.word()?;
    let keys = key_count(args, Error::NotInteger)?;
    let code = find(ctx, script)?;
    Ok(run(code, keys, read_only))
}

fn compiled(ctx: &mut Ctx<'_>, text: &[u8]) -> Result<Rc<Code>, Error> {
    let seed = seed(ctx);
    let code = ctx.server.scripts.script(text, false, seed);
    code.map_err(Error::Message)
}

fn cached(ctx: &mut Ctx<'_>, digits: &[u8]) -> Result<Rc<Code>, Error> {
    let sha1 = sha1_of_hex(digits).ok_or(NO_SCRIPT)?;
    ctx.server.scripts.script_by_sha1(&sha1).ok_or(NO_SCRIPT)
}

fn load(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let text = args.word()?;
    let seed = seed(ctx);
    let code = ctx.server.scripts.script(text, true, seed);
    let code = code.map_err(Error::Message)?;
    ctx.reply.bulk(code.name.as_bytes());
    Ok(Flow::Done)
}

fn exists(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.array(args.left());
    for digits in args.rest() {
        let is_there = sha1_of_hex(digits).is_some_and(|sha1| ctx.server.scripts.has_script(&sha1));
        ctx.reply.integer(i64::from(is_there));
    }
    Ok(Flow::Done)
}

fn flush(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    flush_mode(args, "ERR SCRIPT FLUSH only support SYNC|ASYNC option")?;
    ctx.server.scripts.flush_scripts();
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn show(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let sha1 = sha1_of_hex(args.word()?).ok_or(NO_SCRIPT)?;
    let text = ctx.server.scripts.script_text(&sha1).ok_or(NO_SCRIPT)?;
    ctx.reply.bulk(text);
    Ok(Flow::Done)
}

/// There is no debugger: asking for none is fine.
fn debug(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if args.flag("NO") {
        ctx.reply.ok();
        return Ok(Flow::Done);
    }
    if args.flag("YES") || args.flag("SYNC") {
        return Err(Error::Text("ERR The Lua debugger is not supported"));
    }
    Err(Error::Text("ERR Use SCRIPT DEBUG YES/SYNC/NO"))
}

fn kill(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    end_running(ctx, Flavor::Script)
}

/// Has the busy script end, if it is of this kind and has written nothing.
pub(super) fn end_running(ctx: &mut Ctx<'_>, flavor: Flavor) -> Result<Flow, Error> {
    let Some(running) = &mut ctx.server.scripts.running else {
        return Err(Error::Text("NOTBUSY No scripts in execution right now."));
    };
    if running.flavor != flavor {
        return Err(Error::Busy(running.flavor));
    }
    if running.has_written {
        return Err(Error::Text(
            "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
        ));
    }
    running.killed = true;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "DEBUG (YES|SYNC|NO)",
            "    Set the debug mode for subsequent scripts executed.",
            "EXISTS <sha1> [<sha1> ...]",
            "    Return information about the existence of the scripts in the script cache.",
            "FLUSH [ASYNC|SYNC]",
            "    Flush the Lua scripts cache. Very dangerous on replicas.",
            "    When called without the optional mode argument, the behavior is determined by the",
            "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
            "    * ASYNC: Asynchronously flush the scripts cache.",
            "    * SYNC: Synchronously flush the scripts cache.",
            "KILL",
            "    Kill the currently executing Lua script.",
            "LOAD <script>",
            "    Load a script into the scripts cache without executing it.",
            "SHOW <sha1>",
            "    Show a script in the scripts cache.",
        ],
    ))
}
