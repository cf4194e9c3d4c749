//! CLIENT: what a connection tells of itself and asks for itself (names, replies, eviction), and what administrators do
//! to all: list, kill, pause, unblock.

use super::client_filter::{Filter, Purpose};
use super::client_line::{self, Surroundings};
use super::tracking::{caching, getredir, redirect_id, tracking, trackinginfo};
use super::{BAD_NAME, is_printable};
use crate::base::number;
use crate::command::error::{SHOWN_MAX, shown};
use crate::command::help::{container, reply_help, wrong_words};
use crate::command::row::{Group, Row, acl, flag};
use crate::command::{Args, Ctx, Error, Flow, Handler};
use crate::session::pause::PauseKind;
use crate::session::{Closing, ReplyMode, Session};

const ALWAYS: u32 = flag::NOSCRIPT | flag::LOADING | flag::STALE;
const ADMIN: u32 = ALWAYS | flag::ADMIN;
const TO_ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];
const UNSTABLE: &[&str] = &["nondeterministic_output"];
const fn sub(name: &'static str, full_name: &'static str, arity: i32, handler: Handler) -> Row {
    Row::sub(name, full_name, Group::Connection, arity, handler)
        .flags(ALWAYS)
        .acl(acl::CONNECTION)
}

/// The container.
pub const CONTAINER: Row = Row::new("client", Group::Connection, -2, container)
    .about(
        "2.4.0",
        "Depends on subcommand.",
        "A container for client connection commands.",
    )
    .subcommands(ROWS);

const ROWS: &[Row] = &[
    sub("caching", "client|caching", 3, caching)
        .about(
            "6.0.0",
            "O(1)",
            "Instructs the server whether to track the keys in the next request.",
        )
        .syntax("mode:(YES | NO)"),
    sub("capa", "client|capa", -3, capa)
        .flags(ALWAYS | flag::ALLOW_BUSY)
        .about("8.0.0", "O(1)", "A client claims its capability.")
        .syntax("capability..."),
    sub("getname", "client|getname", 2, getname).about(
        "2.6.9",
        "O(1)",
        "Returns the name of the connection.",
    ),
    sub("getredir", "client|getredir", 2, getredir).about(
        "6.0.0",
        "O(1)",
        "Returns the client ID to which the connection's tracking notifications are redirected.",
    ),
    sub("help", "client|help", 2, help)
        .flags(flag::LOADING | flag::STALE)
        .about(
            "5.0.0",
            "O(1)",
            "Returns helpful text about the different subcommands.",
        ),
    sub("id", "client|id", 2, id).about(
        "5.0.0",
        "O(1)",
        "Returns the unique client ID of the connection.",
    ),
    sub("import-source", "client|import-source", 3, import_source)
        .about(
            "8.1.0",
            "O(1)",
            "Marks this client as an import source when the server is in import mode.",
        )
        .syntax("enabled:(ON | OFF)"),
    sub("info", "client|info", 2, info)
        .about("6.2.0", "O(1)", "Returns information about the connection.")
        .tips(UNSTABLE),
    sub("kill", "client|kill", -3, kill)
        .flags(ADMIN)
        .about(
            "2.4.0",
            "O(N) where N is the number of client connections",
            "Terminates open connections.",
        )
        .syntax(KILL_SYNTAX)
        .history(KILL_HISTORY),
    sub("list", "client|list", -2, list)
        .flags(ADMIN)
        .about(
            "2.4.0",
            "O(N) where N is the number of client connections",
            "Lists open connections.",
        )
        .syntax(LIST_SYNTAX)
        .tips(UNSTABLE)
        .history(LIST_HISTORY),
    sub("no-evict", "client|no-evict", 3, no_evict)
        .flags(ADMIN)
        .about(
            "7.0.0",
            "O(1)",
            "Sets the client eviction mode of the connection.",
        )
        .syntax("enabled:(ON | OFF)"),
    sub("no-touch", "client|no-touch", 3, no_touch)
        .about(
            "7.2.0",
            "O(1)",
            "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
        )
        .syntax("enabled:(ON | OFF)"),
    sub("pause", "client|pause", -3, pause)
        .flags(ADMIN)
        .about("3.0.0", "O(1)", "Suspends commands processing.")
        .syntax("timeout:integer [mode:(WRITE | ALL)]")
        .history(&[(
            "6.2.0",
            "`CLIENT PAUSE WRITE` mode added along with the `mode` option.",
        )]),
    // Inside MULTI it would take parts of EXEC's reply away.
    sub("reply", "client|reply", 3, reply)
        .flags(ALWAYS | flag::NO_MULTI)
        .about(
            "3.2.0",
            "O(1)",
            "Instructs the server whether to reply to commands.",
        )
        .syntax("action:(ON | OFF | SKIP)"),
    sub("setinfo", "client|setinfo", 4, setinfo)
        .about(
            "7.2.0",
            "O(1)",
            "Sets information specific to the client or connection.",
        )
        .syntax("attr:(LIB-NAME libname | LIB-VER libver)")
        .tips(TO_ALL_NODES),
    sub("setname", "client|setname", 3, setname)
        .about("2.6.9", "O(1)", "Sets the connection name.")
        .syntax("connection-name")
        .tips(TO_ALL_NODES),
    sub("tracking", "client|tracking", -3, tracking)
        .about(
            "6.0.0",
            "O(1). Some options may introduce additional complexity.",
            "Controls server-assisted client-side caching for the connection.",
        )
        .syntax(
            "status:(ON | OFF) [REDIRECT client-id:integer] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
        ),
    sub("trackinginfo", "client|trackinginfo", 2, trackinginfo).about(
        "6.2.0",
        "O(1)",
        "Returns information about server-assisted client-side caching for the connection.",
    ),
    sub("unblock", "client|unblock", -3, unblock)
        .flags(ADMIN)
        .about(
            "5.0.0",
            "O(log N) where N is the number of client connections",
            "Unblocks a client blocked by a blocking command from a different connection.",
        )
        .syntax("client-id:integer [unblock-type:(TIMEOUT | ERROR)]"),
    sub("unpause", "client|unpause", 2, unpause)
        .flags(ADMIN)
        .about(
            "6.2.0",
            "O(N) Where N is the number of paused clients",
            "Resumes processing commands from paused clients.",
        ),
];

const KILL_SYNTAX: &str = "filter:(old-format | new-format:([ID client-id:integer...] | [TYPE client-type:(NORMAL | \
    MASTER | PRIMARY | SLAVE | REPLICA | PUBSUB)] | [USER username] | [ADDR addr] | [LADDR laddr] | [SKIPME skipme:(YES \
    | NO)] | [MAXAGE maxage:integer] | [NAME name] | [IDLE idle:integer] | [FLAGS flags] | [LIB-NAME lib-name] | \
    [LIB-VER lib-ver] | [DB db:integer] | [CAPA capa] | [IP ip] | [NOT-TYPE not-client-type:(NORMAL | MASTER | PRIMARY | \
    SLAVE | REPLICA | PUBSUB)] | [NOT-ID not-client-id:integer...] | [NOT-USER not-username] | [NOT-ADDR not-addr] | \
    [NOT-LADDR not-laddr] | [NOT-NAME not-name] | [NOT-FLAGS not-flags] | [NOT-LIB-NAME not-lib-name] | [NOT-LIB-VER \
    not-lib-ver] | [NOT-DB not-db:integer] | [NOT-CAPA not-capa] | [NOT-IP not-ip])...)";

const LIST_SYNTAX: &str = "[TYPE client-type:(NORMAL | MASTER | REPLICA | PUBSUB)] [ID client-id:integer...] [USER \
    username] [ADDR addr] [LADDR laddr] [SKIPME skipme:(YES | NO)] [MAXAGE maxage:integer] [NAME name] [IDLE \
    idle:integer] [FLAGS flags] [LIB-NAME lib-name] [LIB-VER lib-ver] [DB db:integer] [CAPA capa] [IP ip] [NOT-TYPE \
    not-client-type:(NORMAL | MASTER | REPLICA | PUBSUB)] [NOT-ID not-client-id:integer...] [NOT-USER not-username] \
    [NOT-ADDR not-addr] [NOT-LADDR not-laddr] [NOT-NAME not-name] [NOT-FLAGS not-flags] [NOT-LIB-NAME not-lib-name] \
    [NOT-LIB-VER not-lib-ver] [NOT-DB not-db:integer] [NOT-CAPA not-capa] [NOT-IP not-ip]";

const KILL_HISTORY: &[(&str, &str)] = &[
    ("2.8.12", "Added new filter format."),
    ("2.8.12", "`ID` option."),
    ("3.2.0", "Added `master` type in for `TYPE` option."),
    (
        "5.0.0",
        "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.",
    ),
    ("6.2.0", "`LADDR` option."),
    ("7.4.0", "`MAXAGE` option."),
];

const LIST_HISTORY: &[(&str, &str)] = &[
    ("2.8.12", "Added unique client `id` field."),
    ("5.0.0", "Added optional `TYPE` filter."),
    ("6.0.0", "Added `user` field."),
    (
        "6.2.0",
        "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter.",
    ),
    (
        "7.0.0",
        "Added `resp`, `multi-mem`, `rbs` and `rbp` fields.",
    ),
    ("7.0.3", "Added `ssub` field."),
    ("7.2.0", "Added `lib-name` and `lib-ver` fields."),
    ("7.4.0", "Added `watch` field."),
    ("8.0.0", "Added `io-thread` field."),
];

const HELP: &[&str] = &[
    "CACHING (YES|NO)",
    "    Make the keys that the next command reads an exception from OPTIN or OPTOUT.",
    "CAPA <capability> [<capability> ...]",
    "    Tell what the client can do. Capabilities are:",
    "    * REDIRECT",
    "      It follows a redirection to another server.",
    "GETREDIR",
    "    Return the id of the client that gets this connection's tracking messages.",
    "GETNAME",
    "    Return the name of this connection.",
    "ID",
    "    Return the id of this connection.",
    "IMPORT-SOURCE (ON|OFF)",
    "    Say that this connection imports data, on a server in import mode.",
    "INFO",
    "    Return what CLIENT LIST shows of this connection.",
    "KILL <ip:port>",
    "    Close the connection from this address.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Close all connections for which every option holds: those of LIST. SKIPME is YES unless given.",
    "LIST [<option> <value> [...]]",
    "    Show the connections for which every option holds. Options are:",
    "    * ID <client-id> [<client-id> ...]",
    "    * TYPE (NORMAL|MASTER|PRIMARY|REPLICA|PUBSUB)",
    "    * USER <username>",
    "    * ADDR <ip:port>, LADDR <ip:port>, IP <ip>",
    "    * NAME <name>, LIB-NAME <name>, LIB-VER <version>",
    "    * FLAGS <letters>, CAPA <letters>, DB <index>",
    "    * NOT-<option> for each of those above",
    "    * SKIPME (YES|NO)",
    "    * MAXAGE <seconds>, IDLE <seconds>",
    "NO-EVICT (ON|OFF)",
    "    Spare this connection when clients take too much memory.",
    "NO-TOUCH (ON|OFF)",
    "    Leave the access times of keys as they are.",
    "PAUSE <milliseconds> [WRITE|ALL]",
    "    Hold back all commands, or those that may write.",
    "REPLY (ON|OFF|SKIP)",
    "    Choose whether this connection is answered.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Tell the client library's name or version.",
    "SETNAME <name>",
    "    Name this connection.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
    "    Tell this connection when keys that it has read are changed.",
    "TRACKINGINFO",
    "    Report what is tracked for this connection.",
    "UNBLOCK <client-id> [TIMEOUT|ERROR]",
    "    End the wait of a client that is blocked.",
    "UNPAUSE",
    "    End CLIENT PAUSE.",
];

fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(ctx, HELP))
}

fn id(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply
        .integer(i64::try_from(ctx.client.id).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

fn getname(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    if ctx.client.name.is_empty() {
        ctx.reply.null();
    } else {
        ctx.reply.bulk(&ctx.client.name);
    }
    Ok(Flow::Done)
}

fn setname(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let name = args.word()?;
    if !is_printable(name) {
        return Err(BAD_NAME);
    }
    ctx.client.name = name.into();
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn setinfo(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (option, value) = (args.word()?, args.word()?);
    let is_name = option.eq_ignore_ascii_case(b"LIB-NAME");
    if !is_name && !option.eq_ignore_ascii_case(b"LIB-VER") {
        let option = shown(option, SHOWN_MAX);
        return Err(Error::err(format!("Unrecognized option '{option}'")));
    }
    if !is_printable(value) {
        let option = shown(option, SHOWN_MAX);
        return Err(Error::err(format!(
            "{option} cannot contain spaces, newlines or special characters."
        )));
    }
    if is_name {
        ctx.client.lib_name = value.into();
    } else {
        ctx.client.lib_version = value.into();
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn on_or_off(args: &mut Args<'_>) -> Result<bool, Error> {
    let on = args.flag("ON");
    if on || args.flag("OFF") {
        Ok(on)
    } else {
        Err(Error::Syntax)
    }
}

fn no_evict(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.client.no_evict = on_or_off(args)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn no_touch(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.client.no_touch = on_or_off(args)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// Capabilities that this server does not know are accepted: newer clients may have them.
fn capa(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let redirect = args
        .rest()
        .any(|capability| capability.eq_ignore_ascii_case(b"REDIRECT"));
    ctx.client.follows_redirects |= redirect;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn import_source(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if !ctx.server.config.settings.import_mode {
        return Err(Error::Text("ERR Server is not in import mode"));
    }
    ctx.client.imports = on_or_off(args)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn reply(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let mode = &mut ctx.client.reply_mode;
    if args.flag("ON") {
        *mode = ReplyMode::On;
        ctx.reply.ok();
    } else if args.flag("OFF") {
        *mode = ReplyMode::Off;
    } else if !args.flag("SKIP") {
        return Err(Error::Syntax);
    } else if *mode != ReplyMode::Off {
        *mode = ReplyMode::Skip;
    }
    Ok(Flow::Done)
}

fn pause(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let timeout = args.word()?;
    let kind = match args.peek() {
        None => PauseKind::All,
        Some(_) if args.left() > 1 => return Err(wrong_words(args)),
        Some(_) if args.flag("WRITE") => PauseKind::Write,
        Some(_) if args.flag("ALL") => PauseKind::All,
        Some(_) => return Err(Error::Text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let timeout_ms = number::parse_i64(timeout)
        .ok_or(Error::Text("ERR timeout is not an integer or out of range"))?;
    if timeout_ms < 0 {
        return Err(Error::Text("ERR timeout is negative"));
    }
    let now_ms = ctx.db.now_ms();
    let until_ms = now_ms
        .checked_add(timeout_ms)
        .ok_or(Error::Text("ERR timeout is out of range"))?;
    if ctx.server.pause.at(now_ms).is_none() {
        ctx.server.pause.stop();
    }
    ctx.server.pause.start(kind, until_ms);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn unpause(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.server.pause.stop();
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn unblock(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let id = args.word()?;
    let error = match args.peek() {
        None => None,
        Some(_) if args.left() > 1 => return Err(wrong_words(args)),
        Some(_) if args.flag("TIMEOUT") => None,
        Some(_) if args.flag("ERROR") => {
            Some(Error::Text("UNBLOCKED client unblocked via CLIENT UNBLOCK"))
        }
        Some(_) => {
            return Err(Error::Text(
                "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
            ));
        }
    };
    let id = number::parse_i64(id).ok_or(Error::NotInteger)?;
    let clients = &ctx.server.clients;
    let waiting = u64::try_from(id)
        .ok()
        .and_then(|id| clients.get(clients.slot_of(id)?))
        .filter(|session| session.blocked.is_some() && session.closing != Closing::Now)
        .map(|session| session.id);
    ctx.reply.integer(i64::from(waiting.is_some()));
    Ok(match waiting {
        Some(client) => Flow::Unblock { client, error },
        None => Flow::Done,
    })
}

fn info(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let mut text = Vec::new();
    write_caller(&mut text, ctx, args);
    ctx.reply.verbatim("txt", &text);
    Ok(Flow::Done)
}

fn write_caller(out: &mut Vec<u8>, ctx: &mut Ctx<'_>, args: &Args<'_>) {
    let around = Surroundings {
        now_ms: ctx.db.now_ms(),
        watched: ctx.db.keyspace().waiters.watched_by(ctx.client.id).len(),
        subscriptions: ctx.server.pubsub.counts(ctx.client.slot),
        redirect: redirect_id(ctx, ctx.client.id),
        tracking: &ctx.server.tracking,
        argv_bytes: Some(args.argv().wire_bytes()),
        output: ctx.reply.output(),
    };
    client_line::write(out, ctx.client, &around);
}

fn write_other(out: &mut Vec<u8>, ctx: &mut Ctx<'_>, id: u64) {
    let now_ms = ctx.db.now_ms();
    let watched = ctx.db.keyspace().waiters.watched_by(id).len();
    let redirect = redirect_id(ctx, id);
    let clients = &ctx.server.clients;
    if let Some(session) = clients.slot_of(id).and_then(|slot| clients.get(slot)) {
        let around = Surroundings {
            now_ms,
            watched,
            subscriptions: ctx.server.pubsub.counts(session.slot),
            redirect,
            tracking: &ctx.server.tracking,
            argv_bytes: None,
            output: &session.output,
        };
        client_line::write(out, session, &around);
    }
}

/// Ids of the clients that a filter chooses, the caller perhaps among them, in order. Who is being killed is gone.
fn chosen(ctx: &Ctx<'_>, skip_caller: bool, accepts: impl Fn(&Session) -> bool) -> Vec<u64> {
    let caller = Some(&*ctx.client).filter(|_| !skip_caller);
    let mut ids: Vec<u64> = ctx
        .server
        .clients
        .iter()
        .filter(|session| session.closing != Closing::Now)
        .chain(caller)
        .filter(|session| accepts(session))
        .map(|session| session.id)
        .collect();
    ids.sort_unstable();
    ids
}

fn list(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let databases = ctx.server.config.settings.databases;
    let filter = Filter::read(args, Purpose::List, databases)?;
    let now_ms = ctx.db.now_ms();
    let skip_caller = filter.skip_caller.unwrap_or(false);
    let ids = chosen(ctx, skip_caller, |session| {
        filter.accepts(session, now_ms, &ctx.server.tracking)
    });
    let mut text = Vec::new();
    for id in ids {
        if id == ctx.client.id {
            write_caller(&mut text, ctx, args);
        } else {
            write_other(&mut text, ctx, id);
        }
    }
    ctx.reply.verbatim("txt", &text);
    Ok(Flow::Done)
}

fn kill(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if args.left() == 1 {
        return kill_address(ctx, args);
    }
    let databases = ctx.server.config.settings.databases;
    let filter = Filter::read(args, Purpose::Kill, databases)?;
    let now_ms = ctx.db.now_ms();
    let skip_caller = filter.skip_caller.unwrap_or(true);
    let ids = chosen(ctx, skip_caller, |session| {
        filter.accepts(session, now_ms, &ctx.server.tracking)
    });
    ctx.reply
        .integer(i64::try_from(ids.len()).unwrap_or(i64::MAX));
    Ok(end(ctx, &ids))
}

/// The old form: one address, the caller's own included.
fn kill_address(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let address = args.word()?;
    let mut ids = chosen(ctx, false, |session| {
        session.peer.address.as_bytes() == address
    });
    ids.truncate(1);
    if ids.is_empty() {
        return Err(Error::Text("ERR No such client"));
    }
    ctx.reply.ok();
    Ok(end(ctx, &ids))
}

/// Closes these clients: others at once, the caller after its reply.
fn end(ctx: &mut Ctx<'_>, ids: &[u64]) -> Flow {
    let mut flow = Flow::Done;
    for id in ids {
        if *id == ctx.client.id {
            flow = Flow::Close;
        } else if let Some(slot) = ctx.server.clients.slot_of(*id) {
            ctx.server.clients.close(slot, Closing::Now);
        }
    }
    flow
}
