//! Connections: PING, ECHO, SELECT, QUIT, RESET, and in the files beside: HELLO and AUTH (`hello`), CLIENT (`client`).

mod client;
mod client_filter;
mod client_line;
mod hello;
mod tracking;

use crate::base::number;
use crate::command::row::{Group, Row, acl, flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::Protocol;
use crate::session::transaction::Transaction;
use crate::session::{ReplyMode, hindrance};

/// What a client may do before it has shown who it is.
const OPEN: u32 =
    flag::NOSCRIPT | flag::LOADING | flag::STALE | flag::FAST | flag::NO_AUTH | flag::ALLOW_BUSY;

const fn row(name: &'static str, arity: i32, handler: crate::command::Handler) -> Row {
    Row::new(name, Group::Connection, arity, handler).acl(acl::CONNECTION)
}

/// The rows of this family.
pub const ROWS: &[Row] = &[
    row("auth", -2, hello::auth)
        .flags(OPEN)
        .about(
            "1.0.0",
            "O(N) where N is the number of passwords defined for the user",
            "Authenticates the connection.",
        )
        .syntax("[username] password")
        .history(&[("6.0.0", "Added ACL style (username and password).")]),
    client::CONTAINER,
    row("echo", 2, echo)
        .flags(flag::LOADING | flag::STALE | flag::FAST)
        .about("1.0.0", "O(1)", "Returns the given string.")
        .syntax("message"),
    row("hello", -1, hello::hello)
        .flags(OPEN)
        .about("6.0.0", "O(1)", "Handshakes with the Redis server.")
        .syntax(
            "[arguments:(protover:integer [AUTH auth:(username password)] [SETNAME clientname])]",
        )
        .history(&[(
            "6.2.0",
            "`protover` made optional; when called without arguments the command reports the current connection's \
             context.",
        )]),
    row("ping", -1, ping)
        .flags(flag::FAST | flag::IN_SUBSCRIBER)
        .about("1.0.0", "O(1)", "Returns the server's liveliness response.")
        .syntax("[message]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    row("quit", -1, quit)
        .flags(OPEN | flag::IN_MULTI | flag::IN_SUBSCRIBER)
        .about("1.0.0", "O(1)", "Closes the connection.")
        .deprecated("7.2.0", "just closing the connection"),
    row("reset", 1, reset)
        .flags(OPEN | flag::IN_MULTI | flag::IN_SUBSCRIBER)
        .about("6.2.0", "O(1)", "Resets the connection."),
    row("select", 2, select)
        .flags(flag::LOADING | flag::STALE | flag::FAST)
        .about("1.0.0", "O(1)", "Changes the selected database.")
        .syntax("index:integer"),
];

/// Between messages of RESP2 the answer has the form of one.
fn ping(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    match (args.left(), args.peek()) {
        (0 | 1, message)
            if ctx.client.is_subscribed() && ctx.client.protocol == Protocol::Resp2 =>
        {
            ctx.reply.array(2);
            ctx.reply.bulk(b"pong");
            ctx.reply.bulk(message.unwrap_or_default());
        }
        (0, _) => ctx.reply.simple("PONG"),
        (1, Some(message)) => ctx.reply.bulk(message),
        _ => return Err(Error::Arity(ctx.row.full_name.to_owned())),
    }
    Ok(Flow::Done)
}

fn echo(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let message = args.word()?;
    ctx.reply.bulk(message);
    Ok(Flow::Done)
}

fn select(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let index = i32::try_from(args.int()?).map_err(|_| {
        Error::Text("ERR value is out of range, value must between -2147483648 and 2147483647")
    })?;
    let databases = ctx.server.config.settings.databases;
    ctx.client.db = usize::try_from(index)
        .ok()
        .filter(|index| *index < databases)
        .ok_or(Error::DbIndex)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn quit(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    ctx.reply.ok();
    Ok(Flow::Close)
}

/// The connection as it was when it was new; what CLIENT SETINFO told of the client's library stays true.
fn reset(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    stop_listening(ctx);
    let client = &mut *ctx.client;
    ctx.db.keyspace().waiters.unwatch(client.id);
    client.transaction = None;
    client.hinder(hindrance::IN_TRANSACTION, false);
    client.db = 0;
    client.protocol = Default::default();
    client.name = Box::default();
    client.user = hello::DEFAULT_USER.into();
    let open = ctx.server.config.settings.requirepass.is_empty();
    client.hinder(hindrance::NOT_AUTHENTICATED, !open);
    client.no_evict = false;
    client.no_touch = false;
    client.fieldsets = None;
    // The reply that CLIENT REPLY SKIP leaves out may be this one.
    if client.reply_mode == ReplyMode::Off {
        client.reply_mode = ReplyMode::On;
    }
    ctx.reply.simple("RESET");
    Ok(Flow::Done)
}

/// Ends subscriptions, CLIENT TRACKING and MONITOR.
fn stop_listening(ctx: &mut Ctx<'_>) {
    let slot = ctx.client.slot;
    ctx.server.pubsub.forget(slot);
    ctx.client.hinder(hindrance::SUBSCRIBED, false);
    ctx.client.subscription_bytes = 0;
    ctx.server.monitors.forget(slot);
    ctx.client.hinder(hindrance::MONITORS, false);
    tracking::turn_off(ctx);
}

/// Whether a name can stand in CLIENT LIST: printable ASCII without blanks.
fn is_printable(name: &[u8]) -> bool {
    name.iter().all(u8::is_ascii_graphic)
}

const BAD_NAME: Error =
    Error::Text("ERR Client names cannot contain spaces, newlines or special characters.");

/// A word as a positive client id.
fn positive_id(word: &[u8]) -> Option<u64> {
    number::parse_i64(word)
        .filter(|id| *id > 0)
        .map(i64::unsigned_abs)
}

/// Commands that the client has queued; `None` outside of MULTI.
fn queued(transaction: Option<&Transaction>, in_transaction: bool) -> Option<usize> {
    in_transaction.then(|| transaction.map_or(0, |transaction| transaction.len()))
}
