//! Every reason to refuse a command before it runs, in the order in which they are checked. EXEC and scripts obey them too.
//!
//! A command of a client without hindrances, on a server without any, passes unseen: the fast path in `call`.

use super::{Engine, Turn};
use crate::command::Error;
use crate::command::host::Host;
use crate::command::row::{Row, flag};
use crate::resp::reply::Protocol;
use crate::resp::request::Argv;
use crate::script::{self, script_flag};
use crate::session::hindrance;
use crate::session::pause::PauseKind;

/// What a client from outside gets in protected mode.
pub const PROTECTED_MODE: &str = "-DENIED Redis is running in protected mode because protected mode is enabled and no \
password is set for the default user. In this mode connections are only accepted from the loopback interface. If you \
want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable \
protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis \
from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do \
so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by \
editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. \
3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an \
authentication password for the default user. NOTE: You only need to do one of the above things in order for the \
server to start accepting connections from the outside.\r\n";

const DEBUG_NOT_ALLOWED: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", \
you can run it from a local connection, otherwise you need to set this option in the configuration file, and then \
restart the server.";

/// One reason: `Err` refuses.
type Gate = fn(&Engine, &Turn<'_>, &'static Row) -> Result<(), Error>;

const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. \
Commands that may modify the data set are disabled, because this instance is configured to report errors during writes \
if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB \
error.";

const GATES: [Gate; 9] = [
    authenticated,
    data_is_there,
    not_busy,
    debug_enabled,
    allowed_in_transaction,
    memory_left,
    disk_takes_writes,
    allowed_to_monitor,
    allowed_to_subscriber,
];

/// Goes through all gates.
pub(super) fn check(engine: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    if turn.session.hindrances & hindrance::REPLAYED != 0 {
        // It passed them when it was written.
        return Ok(());
    }
    GATES.iter().try_for_each(|gate| gate(engine, turn, row))
}

fn authenticated(_: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    if turn.session.is_authenticated() || row.is(flag::NO_AUTH) {
        Ok(())
    } else {
        Err(Error::NoAuth)
    }
}

/// While a script is busy only few commands run.
fn not_busy(engine: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    match &engine.server.scripts.running {
        Some(running) if !turn.session.is_nested() && !row.is(flag::ALLOW_BUSY) => {
            Err(Error::Busy(running.flavor))
        }
        _ => Ok(()),
    }
}

fn debug_enabled(engine: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    let settings = &engine.server.config.settings;
    if row.is(flag::PROTECTED)
        && !settings
            .enable_debug_command
            .allows(turn.session.peer.loopback)
    {
        return Err(Error::Text(DEBUG_NOT_ALLOWED));
    }
    Ok(())
}

fn allowed_in_transaction(_: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    if turn.session.hindrances & hindrance::IN_TRANSACTION != 0 && row.is(flag::NO_MULTI) {
        return Err(Error::Text("ERR Command not allowed inside a transaction"));
    }
    Ok(())
}

fn memory_left(engine: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    let queue = turn.session.transaction.as_ref();
    let runs_queue = row.full_name == "exec" && queue.is_some_and(|queue| queue.uses_memory);
    if (row.is(flag::DENYOOM) || runs_queue) && engine.memory_is_short {
        return Err(Error::Text(
            "OOM command not allowed when used memory > 'maxmemory'.",
        ));
    }
    Ok(())
}

/// Whoever watches all commands has none of its own about keys. The text calls it what it is elsewhere: a replica of sorts.
fn allowed_to_monitor(_: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    const ABOUT_KEYS: u32 = flag::WRITE | flag::READONLY | flag::MAY_REPLICATE;
    let session = &turn.session;
    if session.is_monitor() && !session.is_nested() && row.is(ABOUT_KEYS) {
        return Err(Error::Text("ERR Replica can't interact with the keyspace"));
    }
    Ok(())
}

/// Outside of RESP3 a reply and a message could not be told apart.
fn allowed_to_subscriber(_: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    let session = &turn.session;
    let must_only_listen = session.is_subscribed()
        && session.protocol == Protocol::Resp2
        && !session.is_nested()
        && !row.is(flag::IN_SUBSCRIBER);
    if must_only_listen {
        let name = row.full_name;
        return Err(Error::err(format_args!(
            "Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
             context"
        )));
    }
    Ok(())
}

/// While the data is being loaded only commands run that do not touch it.
fn data_is_there(engine: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    if engine.server.loading.is_none() {
        return Ok(());
    }
    let transaction = turn.session.transaction.as_ref();
    let runs_queue = row.full_name == "exec";
    let queue_may_not = transaction.is_some_and(|transaction| transaction.needs_data);
    if !row.is(flag::LOADING) || runs_queue && queue_may_not {
        return Err(Error::Loading);
    }
    Ok(())
}

/// While the last save has failed nothing is changed; PING tells those who watch the server.
fn disk_takes_writes(engine: &Engine, turn: &Turn<'_>, row: &'static Row) -> Result<(), Error> {
    if row.is(flag::WRITE) || row.full_name == "ping" || runs_queued_writes(turn, row) {
        check_disk(engine)
    } else {
        Ok(())
    }
}

/// Whether the disk takes what changes keys.
pub(super) fn check_disk(engine: &Engine) -> Result<(), Error> {
    let server = &engine.server;
    let is_save = server.saver.refuses_writes(&server.config.settings);
    match server.aof.refusal() {
        _ if is_save => Err(Error::Text(MISCONF)),
        Some(reason) => Err(Error::Message(format!(
            "MISCONF Errors writing to the AOF file: {reason}"
        ))),
        None => Ok(()),
    }
}

/// Bytes that are used beyond what `maxmemory` allows. What is on its way to the disk does not count: no key is to go because
/// others are being written down.
pub(super) fn excess_bytes(engine: &Engine, host: &dyn Host) -> u64 {
    let limit = engine.server.config.settings.maxmemory;
    if limit == 0 {
        return 0;
    }
    let used_bytes = host.allocated_bytes() + engine.keyspace.arena_bytes() as u64;
    let queued_bytes = engine.stream.memory_bytes() + host.disk_queue_bytes();
    let to_disk_bytes = queued_bytes as u64 + engine.server.aof.buffered_bytes();
    used_bytes
        .saturating_sub(to_disk_bytes)
        .saturating_sub(limit)
}

/// Whether this is the EXEC of a transaction that writes.
fn runs_queued_writes(turn: &Turn<'_>, row: &'static Row) -> bool {
    let transaction = turn.session.transaction.as_ref();
    row.full_name == "exec" && transaction.is_some_and(|transaction| transaction.writes)
}

/// Whether CLIENT PAUSE holds the command back: also one that would only be queued.
pub(super) fn is_paused(
    engine: &Engine,
    turn: &Turn<'_>,
    argv: Argv<'_>,
    row: &'static Row,
) -> bool {
    let Some((kind, _)) = engine.server.pause.at(engine.keyspace.now_ms()) else {
        return false;
    };
    match kind {
        PauseKind::All => true,
        PauseKind::Write => runs_queued_writes(turn, row) || may_write(engine, argv, row),
    }
}

/// Whether the command may change something: a script that promises to write nothing does not.
pub(super) fn may_write(engine: &Engine, argv: Argv<'_>, row: &'static Row) -> bool {
    if !row.is(flag::WRITE | flag::MAY_REPLICATE) {
        return false;
    }
    let word = argv.get(1).unwrap_or_default();
    let flags = match row.full_name {
        "eval" => script::flags_of_text(word),
        "evalsha" => engine.server.scripts.flags_by_sha1(word),
        "fcall" => engine.server.scripts.libraries.flags(word),
        _ => None,
    };
    flags.is_none_or(|flags| flags & script_flag::NO_WRITES == 0)
}
