//! DEBUG: doors for tests and for those who look for faults; shut unless `enable-debug-command` opens them.
//!
//! Its subcommands are no commands of their own (COMMAND does not list them): [`DOORS`] has their names, how many words
//! follow, and their help. What Redis' DEBUG has beyond it answers as an unknown subcommand does.

mod digest;
mod inspect;
mod switches;
mod wire;

use crate::base::glob::glob_match;
use crate::base::number::write_u64;
use crate::command::help::{reply_help, wrong_words};
use crate::command::row::{Group, Row, flag};
use crate::command::{Args, Ctx, Error, Flow, Handler, Reload};
use crate::observe::crash;
use crate::types::string::NewString;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The rows of this family.
pub const ROWS: &[Row] = &[Row::new("debug", Group::Server, -2, debug)
    .flags(flag::ADMIN | flag::NOSCRIPT | flag::LOADING | flag::STALE | flag::PROTECTED)
    .about(
        "1.0.0",
        "Depends on subcommand.",
        "Doors for tests and for those who look for faults.",
    )
    .syntax("subcommand [arg...]")
    .system()];

/// A subcommand.
struct Door {
    name: &'static str,
    /// Words that follow.
    words: RangeInclusive<usize>,
    handler: Handler,
    help: &'static [&'static str],
}

const fn door(
    name: &'static str,
    words: RangeInclusive<usize>,
    handler: Handler,
    help: &'static [&'static str],
) -> Door {
    Door {
        name,
        words,
        handler,
        help,
    }
}

const ANY: usize = usize::MAX;

/// The longest text that STRINGMATCH-LEN makes.
const STRINGMATCH_MAX_BYTES: i64 = 1 << 20;

const DOORS: &[Door] = &[
    door(
        "aof-flush-sleep",
        1..=1,
        switches::aof_flush_sleep,
        &[
            "AOF-FLUSH-SLEEP <microseconds>",
            "    Serve nobody for so long before changes are handed to the append-only file.",
        ],
    ),
    door(
        "assert",
        0..=ANY,
        assert,
        &["ASSERT", "    Crash as a failed assertion does."],
    ),
    door(
        "config-rewrite-force-all",
        0..=0,
        switches::config_rewrite_force_all,
        &[
            "CONFIG-REWRITE-FORCE-ALL",
            "    CONFIG REWRITE, with a line for every parameter, those at their default included.",
        ],
    ),
    door("crash-and-recover", 0..=1, restart, &[]),
    door(
        "dict-resizing",
        1..=1,
        switches::accepted,
        &[
            "DICT-RESIZING <0|1>",
            "    Accepted without effect: tables grow and shrink in small steps at any time.",
        ],
    ),
    door(
        "digest",
        0..=0,
        inspect::digest,
        &[
            "DIGEST",
            "    A fingerprint of all data, in hexadecimal digits.",
        ],
    ),
    door(
        "digest-value",
        0..=ANY,
        inspect::digest_value,
        &[
            "DIGEST-VALUE <key> [<key> ...]",
            "    A fingerprint of the value of each key.",
        ],
    ),
    door(
        "error",
        1..=1,
        error,
        &["ERROR <string>", "    Answer an error of this text."],
    ),
    door("help", 0..=0, help, &[]),
    door(
        "htstats",
        1..=2,
        inspect::htstats,
        &[
            "HTSTATS <dbid> [full]",
            "    The shape of a database's table.",
        ],
    ),
    door(
        "htstats-key",
        1..=2,
        inspect::htstats_key,
        &[
            "HTSTATS-KEY <key> [full]",
            "    The shape of the table that a key's value is.",
        ],
    ),
    door(
        "listpack",
        1..=1,
        inspect::listpack,
        &[
            "LISTPACK <key>",
            "    Writes the elements of a value that is one listpack to the log.",
        ],
    ),
    door(
        "loadaof",
        0..=0,
        loadaof,
        &[
            "LOADAOF",
            "    Flush the append-only file to the disk and build the data anew from it.",
        ],
    ),
    door(
        "log",
        1..=1,
        log,
        &[
            "LOG <message>",
            "    Write a message into the server's log.",
        ],
    ),
    door(
        "object",
        1..=1,
        inspect::object,
        &["OBJECT <key>", "    How a key's value is kept."],
    ),
    door(
        "oom",
        0..=ANY,
        oom,
        &["OOM", "    Crash as a failed allocation does."],
    ),
    door(
        "panic",
        0..=ANY,
        panic,
        &["PANIC", "    Crash as an impossible state does."],
    ),
    door(
        "pause-cron",
        1..=1,
        switches::pause_cron,
        &[
            "PAUSE-CRON <0|1>",
            "    Stop the timed duties, or let them go on.",
        ],
    ),
    door(
        "populate",
        1..=3,
        populate,
        &[
            "POPULATE <count> [<prefix>] [<size>]",
            "    Create <count> strings key:<num>, or <prefix>:<num>, of <size> bytes each. Keys that",
            "    exist stay as they are. Replicas and the append-only file do not learn of it.",
        ],
    ),
    door(
        "protocol",
        1..=1,
        wire::protocol,
        &[
            "PROTOCOL <type>",
            "    Answer a sample of the type: string, integer, double, bignum, null, array, set, map,",
            "    attrib, push, verbatim, true, false.",
        ],
    ),
    door(
        "quicklist-packed-threshold",
        1..=1,
        switches::packed_threshold,
        &[
            "QUICKLIST-PACKED-THRESHOLD <size>",
            "    From which size on an element of a list stands alone; 0 for the default.",
        ],
    ),
    door(
        "reload",
        0..=ANY,
        reload,
        &[
            "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
            "    Save the data, empty the memory and read the data back. NOSAVE: read the file that is",
            "    there. NOFLUSH: keep what is in memory. MERGE: keys of the file replace those in memory.",
        ],
    ),
    door(
        "replybuffer",
        2..=2,
        switches::replybuffer,
        &[
            "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>",
            "REPLYBUFFER RESIZING <0|1>",
            "    Accepted without effect: clients with nothing to be sent hold no buffer.",
        ],
    ),
    door("restart", 0..=1, restart, &[]),
    door(
        "sdslen",
        1..=1,
        inspect::sdslen,
        &[
            "SDSLEN <key>",
            "    Bytes of a key's name and of its string.",
        ],
    ),
    door(
        "segfault",
        0..=ANY,
        segfault,
        &[
            "SEGFAULT",
            "    Crash as an access to a wrong address does.",
        ],
    ),
    door(
        "set-active-expire",
        1..=1,
        switches::set_active_expire,
        &[
            "SET-ACTIVE-EXPIRE <0|1>",
            "    0: keys that expired stay until somebody looks at them. 1: they go by themselves.",
        ],
    ),
    door(
        "set-disable-deny-scripts",
        1..=1,
        switches::set_disable_deny_scripts,
        &[
            "SET-DISABLE-DENY-SCRIPTS <0|1>",
            "    1: scripts may call commands that are denied to them.",
        ],
    ),
    door(
        "set-skip-checksum-validation",
        1..=1,
        switches::set_skip_checksum_validation,
        &[
            "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
            "    1: RESTORE reads payloads whatever their checksum says.",
        ],
    ),
    door(
        "sleep",
        1..=1,
        sleep,
        &[
            "SLEEP <seconds>",
            "    Serve nobody for so long; fractions are allowed.",
        ],
    ),
    door(
        "stringmatch-len",
        2..=2,
        stringmatch_len,
        &[
            "STRINGMATCH-LEN <len> <pattern>",
            "    Whether the pattern matches a string of so many a's, as KEYS would match it.",
        ],
    ),
    door(
        "structsize",
        0..=0,
        inspect::structsize,
        &[
            "STRUCTSIZE",
            "    Bytes of some of the server's structures.",
        ],
    ),
];

fn debug(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let name = args.word()?;
    let door = DOORS.iter().find(|door| {
        door.name.as_bytes().eq_ignore_ascii_case(name) && door.words.contains(&args.left())
    });
    match door {
        Some(door) if ctx.server.loading.is_some() && NEED_DATA.contains(&door.name) => {
            Err(Error::Loading)
        }
        Some(door) => (door.handler)(ctx, args),
        None => Err(wrong_words(args)),
    }
}

/// What cannot be done while the data is being loaded, although DEBUG itself may be called.
const NEED_DATA: [&str; 3] = ["loadaof", "populate", "reload"];

fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let lines: Vec<&str> = DOORS.iter().flat_map(|door| door.help).copied().collect();
    Ok(reply_help(ctx, &lines))
}

fn stringmatch_len(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let length = args.int_in(0, STRINGMATCH_MAX_BYTES)?;
    let text = vec![b'a'; usize::try_from(length).map_err(|_| Error::OutOfRange)?];
    let matches = glob_match(args.word()?, &text, false);
    ctx.reply.integer(i64::from(matches));
    Ok(Flow::Done)
}

fn sleep(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    // What is no number, or no time, is no sleep.
    let seconds = args.float().unwrap_or(0.0);
    if let Ok(duration) = Duration::try_from_secs_f64(seconds) {
        ctx.host.sleep(duration);
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn log(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let message = String::from_utf8_lossy(args.word()?);
    tracing::warn!("DEBUG LOG: {message}");
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn error(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let text = args.word()?;
    ctx.reply.error(text);
    Ok(Flow::Done)
}

fn populate(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let count = args.count()?;
    let prefix = if args.is_empty() {
        b"key"
    } else {
        args.word()?
    };
    let size = if args.is_empty() { 0 } else { args.count()? };
    let mut name = [prefix, b":"].concat();
    let name_start = name.len();
    let mut value = Vec::new();
    for number in 0..count as u64 {
        name.truncate(name_start);
        write_u64(&mut name, number);
        value.clear();
        value.extend_from_slice(b"value:");
        write_u64(&mut value, number);
        if size > 0 {
            value.resize(size, 0);
        }
        let key = ctx.db.key(&name);
        ctx.db.plant(&key, NewString::Bytes(&value));
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn loadaof(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(Flow::LoadLog)
}

fn reload(_: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let mut how = Reload {
        saves: true,
        empties: true,
        replaces: false,
    };
    while !args.is_empty() {
        if args.flag("NOSAVE") {
            how.saves = false;
        } else if args.flag("NOFLUSH") {
            how.empties = false;
        } else if args.flag("MERGE") {
            how.replaces = true;
        } else {
            return Err(Error::Text(
                "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
            ));
        }
    }
    Ok(Flow::Reload(how))
}

fn restart(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Err(Error::Text(
        "ERR failed to restart the server. Check server logs.",
    ))
}

fn assert(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    crash("=== ASSERTION FAILED === as DEBUG ASSERT asked for")
}

fn oom(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    crash("Out Of Memory: as DEBUG OOM asked for")
}

fn panic(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    crash("Guru Meditation: called by DEBUG PANIC")
}

fn segfault(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    crash("crashed by signal: 11, as DEBUG SEGFAULT asked for")
}

/// Ends the process at once, with a report in the log.
fn crash(reason: &str) -> ! {
    crash::report(reason);
    std::process::abort();
}
