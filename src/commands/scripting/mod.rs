//! EVAL and its kin, SCRIPT, FUNCTION, FCALL. Handlers find or compile what is to run; the engine runs it
//! (`Flow::RunScript`), since a script calls commands.

mod function;
mod script;

use crate::command::help::container;
use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::script::{Code, Run};
use std::rc::Rc;

const RUNS: u32 =
    flag::NOSCRIPT | flag::STALE | flag::SKIP_MONITOR | flag::NO_MANDATORY_KEYS | flag::MOVABLEKEYS;

const WRITES: u32 = RUNS | flag::MAY_REPLICATE;
const READS: u32 = RUNS | flag::READONLY;

const WORST: &str =
    "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE";
const WORST_RO: &str =
    "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS";

const KEYS: KeySpec = KeySpec::counted(2, 1, key_flag::RW | key_flag::ACCESS | key_flag::UPDATE);
const KEYS_RO: KeySpec = KeySpec::counted(2, 1, key_flag::RO | key_flag::ACCESS);
const KEYS_NOTED: KeySpec = KeySpec {
    notes: WORST,
    ..KEYS
};
const KEYS_RO_NOTED: KeySpec = KeySpec {
    notes: WORST_RO,
    ..KEYS_RO
};

const SCRIPT_COST: &str = "Depends on the script that is executed.";
const FUNCTION_COST: &str = "Depends on the function that is executed.";

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("eval", Group::Scripting, -3, script::eval)
        .flags(WRITES)
        .keys(&[KEYS_NOTED])
        .acl(acl::SCRIPTING)
        .about("2.6.0", SCRIPT_COST, "Executes a server-side Lua script.")
        .syntax("script numkeys:integer [key...] [arg...]"),
    Row::new("evalsha", Group::Scripting, -3, script::evalsha)
        .flags(WRITES)
        .keys(&[KEYS])
        .acl(acl::SCRIPTING)
        .about(
            "2.6.0",
            SCRIPT_COST,
            "Executes a server-side Lua script by SHA1 digest.",
        )
        .syntax("sha1 numkeys:integer [key...] [arg...]"),
    Row::new("eval_ro", Group::Scripting, -3, script::eval_ro)
        .flags(READS)
        .keys(&[KEYS_RO_NOTED])
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            SCRIPT_COST,
            "Executes a read-only server-side Lua script.",
        )
        .syntax("script numkeys:integer [key...] [arg...]"),
    Row::new("evalsha_ro", Group::Scripting, -3, script::evalsha_ro)
        .flags(READS)
        .keys(&[KEYS_RO])
        .acl(acl::SCRIPTING)
        .about(
            "7.0.0",
            SCRIPT_COST,
            "Executes a read-only server-side Lua script by SHA1 digest.",
        )
        .syntax("sha1 numkeys:integer [key...] [arg...]"),
    Row::new("fcall", Group::Scripting, -3, function::fcall)
        .flags(WRITES)
        .keys(&[KEYS_NOTED])
        .acl(acl::SCRIPTING)
        .about("7.0.0", FUNCTION_COST, "Invokes a function.")
        .syntax("function numkeys:integer [key...] [arg...]"),
    Row::new("fcall_ro", Group::Scripting, -3, function::fcall_ro)
        .flags(READS)
        .keys(&[KEYS_RO_NOTED])
        .acl(acl::SCRIPTING)
        .about("7.0.0", FUNCTION_COST, "Invokes a read-only function.")
        .syntax("function numkeys:integer [key...] [arg...]"),
    Row::new("function", Group::Scripting, -2, container)
        .about(
            "7.0.0",
            "Depends on subcommand.",
            "A container for function commands.",
        )
        .subcommands(function::ROWS),
    Row::new("script", Group::Scripting, -2, container)
        .about(
            "2.6.0",
            "Depends on subcommand.",
            "A container for Lua scripts management commands.",
        )
        .subcommands(script::ROWS),
];

/// Reads `numkeys`; the words behind it that are keys must be there.
fn key_count(args: &mut Args<'_>, not_a_number: Error) -> Result<usize, Error> {
    let count = args.int().map_err(|_| not_a_number)?;
    let Ok(count) = usize::try_from(count) else {
        return Err(Error::Text("ERR Number of keys can't be negative"));
    };
    if count > args.left() {
        return Err(Error::Text(
            "ERR Number of keys can't be greater than number of args",
        ));
    }
    Ok(count)
}

/// Where `math.random` of a new Lua state begins.
fn seed(ctx: &mut Ctx<'_>) -> i32 {
    ctx.server.random.next_u64() as i32
}

/// Reads ASYNC or SYNC, or nothing: both are done at once, for nobody can see what is still to be freed.
fn flush_mode(args: &mut Args<'_>, wrong: &'static str) -> Result<(), Error> {
    if !args.is_empty() && !args.flag("ASYNC") && !args.flag("SYNC") {
        return Err(Error::Text(wrong));
    }
    args.finish().map_err(|_| Error::Text(wrong))
}

/// Has the engine run it. Its keys stand behind the command, what it is called by, and their number.
fn run(code: Rc<Code>, keys: usize, read_only: bool) -> Flow {
    const FIRST_KEY: usize = 3;
    Flow::RunScript(Run {
        code,
        first_key: FIRST_KEY,
        keys,
        read_only,
    })
}

/// The line of what is wrong with a library, as an error.
fn failure(line: Vec<u8>) -> Error {
    Error::Message(line.iter().map(|byte| char::from(*byte)).collect())
}
