//! Pub/sub: who listens, who speaks, and PUBSUB, which shows both.
//!
//! (P|S)SUBSCRIBE and their opposites answer a message for each name instead of one reply, so that a client reads its
//! subscriptions and what comes through them from one stream.

use crate::command::help::{container, reply_help, wrong_words};
use crate::command::row::{Group, KeySpec, Row, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow, Handler};
use crate::pubsub::Kind;
use crate::resp::push::Payload;
use crate::session::hindrance;

const LISTEN: u32 = flag::PUBSUB
    | flag::NOSCRIPT
    | flag::LOADING
    | flag::STALE
    | flag::IN_SUBSCRIBER
    | flag::PUSHES;
const SPEAK: u32 = flag::PUBSUB | flag::LOADING | flag::STALE | flag::FAST | flag::MAY_REPLICATE;
const SHOW: u32 = flag::PUBSUB | flag::LOADING | flag::STALE;
const SHARD_CHANNELS: &[KeySpec] = &[KeySpec::range(1, -1, 1, key_flag::NOT_KEY)];

const fn row(name: &'static str, arity: i32, handler: Handler) -> Row {
    Row::new(name, Group::PubSub, arity, handler)
}

const fn show(name: &'static str, full_name: &'static str, arity: i32, handler: Handler) -> Row {
    Row::sub(name, full_name, Group::PubSub, arity, handler).flags(SHOW)
}

/// The rows of this family.
pub const ROWS: &[Row] = &[
    row("psubscribe", -2, psubscribe)
        .flags(LISTEN)
        .about(
            "2.0.0",
            "O(N) where N is the number of patterns to subscribe to.",
            "Listens for messages published to channels that match one or more patterns.",
        )
        .syntax("pattern:pattern..."),
    row("publish", 3, publish)
        .flags(SPEAK)
        .about(
            "2.0.0",
            "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of \
             subscribed patterns (by any client).",
            "Posts a message to a channel.",
        )
        .syntax("channel message"),
    row("pubsub", -2, container)
        .about(
            "2.8.0",
            "Depends on subcommand.",
            "A container for Pub/Sub commands.",
        )
        .subcommands(SUBCOMMANDS),
    row("punsubscribe", -1, punsubscribe)
        .flags(LISTEN)
        .about(
            "2.0.0",
            "O(N) where N is the number of patterns to unsubscribe.",
            "Stops listening to messages published to channels that match one or more patterns.",
        )
        .syntax("[pattern:pattern...]"),
    row("spublish", 3, spublish)
        .flags(SPEAK)
        .keys(&[KeySpec::one(1, key_flag::NOT_KEY)])
        .about(
            "7.0.0",
            "O(N) where N is the number of clients subscribed to the receiving shard channel.",
            "Post a message to a shard channel",
        )
        .syntax("shardchannel message"),
    row("ssubscribe", -2, ssubscribe)
        .flags(LISTEN)
        .keys(SHARD_CHANNELS)
        .about(
            "7.0.0",
            "O(N) where N is the number of shard channels to subscribe to.",
            "Listens for messages published to shard channels.",
        )
        .syntax("shardchannel..."),
    row("subscribe", -2, subscribe)
        .flags(LISTEN)
        .about(
            "2.0.0",
            "O(N) where N is the number of channels to subscribe to.",
            "Listens for messages published to channels.",
        )
        .syntax("channel..."),
    row("sunsubscribe", -1, sunsubscribe)
        .flags(LISTEN)
        .keys(SHARD_CHANNELS)
        .about(
            "7.0.0",
            "O(N) where N is the number of shard channels to unsubscribe.",
            "Stops listening to messages posted to shard channels.",
        )
        .syntax("[shardchannel...]"),
    row("unsubscribe", -1, unsubscribe)
        .flags(LISTEN)
        .about(
            "2.0.0",
            "O(N) where N is the number of channels to unsubscribe.",
            "Stops listening to messages posted to channels.",
        )
        .syntax("[channel...]"),
];

const SUBCOMMANDS: &[Row] = &[
    show("channels", "pubsub|channels", -2, channels)
        .about(
            "2.8.0",
            "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively \
             short channels and patterns)",
            "Returns the active channels.",
        )
        .syntax("[pattern:pattern]"),
    show("help", "pubsub|help", 2, help)
        .flags(flag::LOADING | flag::STALE)
        .about(
            "6.2.0",
            "O(1)",
            "Returns helpful text about the different subcommands.",
        ),
    show("numpat", "pubsub|numpat", 2, numpat).about(
        "2.8.0",
        "O(1)",
        "Returns a count of unique pattern subscriptions.",
    ),
    show("numsub", "pubsub|numsub", -2, numsub)
        .about(
            "2.8.0",
            "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
            "Returns a count of subscribers to channels.",
        )
        .syntax("[channel...]"),
    show("shardchannels", "pubsub|shardchannels", -2, shardchannels)
        .about(
            "7.0.0",
            "O(N) where N is the number of active shard channels, and assuming constant time pattern matching \
             (relatively short shard channels).",
            "Returns the active shard channels.",
        )
        .syntax("[pattern:pattern]"),
    show("shardnumsub", "pubsub|shardnumsub", -2, shardnumsub)
        .about(
            "7.0.0",
            "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
            "Returns the count of subscribers of shard channels.",
        )
        .syntax("[shardchannel...]"),
];

const HELP: &[&str] = &[
    "CHANNELS [<pattern>]",
    "    Name the channels that have subscribers; those that match <pattern>, if it is given.",
    "NUMPAT",
    "    Count the patterns that have subscribers.",
    "NUMSUB [<channel> ...]",
    "    Count the subscribers of each channel, without those who come by a pattern.",
    "SHARDCHANNELS [<pattern>]",
    "    Name the shard channels that have subscribers; those that match <pattern>, if it is given.",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Count the subscribers of each shard channel.",
];

/// The words of a subscription's two messages.
fn words(kind: Kind) -> (&'static [u8], &'static [u8]) {
    match kind {
        Kind::Channel => (b"subscribe", b"unsubscribe"),
        Kind::Pattern => (b"psubscribe", b"punsubscribe"),
        Kind::Shard => (b"ssubscribe", b"sunsubscribe"),
    }
}

fn subscribe(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    listen(ctx, args, Kind::Channel)
}

fn psubscribe(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    listen(ctx, args, Kind::Pattern)
}

fn ssubscribe(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if ctx.client.is_nested() {
        return Err(Error::Text(
            "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client",
        ));
    }
    listen(ctx, args, Kind::Shard)
}

fn listen(ctx: &mut Ctx<'_>, args: &mut Args<'_>, kind: Kind) -> Result<Flow, Error> {
    for name in args.rest() {
        ctx.server.pubsub.subscribe(ctx.client.slot, kind, name);
        announce(ctx, words(kind).0, Some(name), kind);
    }
    note_subscriptions(ctx);
    Ok(Flow::Done)
}

fn unsubscribe(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    leave(ctx, args, Kind::Channel)
}

fn punsubscribe(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    leave(ctx, args, Kind::Pattern)
}

fn sunsubscribe(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    leave(ctx, args, Kind::Shard)
}

/// Leaves the names, or all if none is given.
fn leave(ctx: &mut Ctx<'_>, args: &mut Args<'_>, kind: Kind) -> Result<Flow, Error> {
    let slot = ctx.client.slot;
    let word = words(kind).1;
    if args.is_empty() {
        let names = ctx.server.pubsub.names_of(slot, kind);
        for name in &names {
            ctx.server.pubsub.unsubscribe(slot, kind, name);
            announce(ctx, word, Some(name), kind);
        }
        if names.is_empty() {
            announce(ctx, word, None, kind);
        }
    }
    for name in args.rest() {
        ctx.server.pubsub.unsubscribe(slot, kind, name);
        announce(ctx, word, Some(name), kind);
    }
    note_subscriptions(ctx);
    Ok(Flow::Done)
}

/// One message about a change of subscriptions.
fn announce(ctx: &mut Ctx<'_>, word: &[u8], name: Option<&[u8]>, kind: Kind) {
    let count = ctx.server.pubsub.counts(ctx.client.slot).shown(kind);
    ctx.reply.push(3);
    ctx.reply.bulk(word);
    match name {
        Some(name) => ctx.reply.bulk(name),
        None => ctx.reply.null(),
    }
    ctx.reply.integer(i64::try_from(count).unwrap_or(i64::MAX));
}

/// Lets all who have to know that the client's subscriptions have changed.
fn note_subscriptions(ctx: &mut Ctx<'_>) {
    let pubsub = &ctx.server.pubsub;
    let any = pubsub.counts(ctx.client.slot).any();
    ctx.client.hinder(hindrance::SUBSCRIBED, any);
    ctx.client.subscription_bytes = pubsub.bytes_of(ctx.client.slot);
    ctx.server.apply_interest(ctx.db.keyspace());
}

fn publish(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (channel, payload) = message(args)?;
    let server = &mut *ctx.server;
    let received = server.pubsub.publish(channel, &payload, &mut server.outbox);
    ctx.reply
        .integer(i64::try_from(received).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

fn spublish(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (channel, payload) = message(args)?;
    let server = &mut *ctx.server;
    let received = server
        .pubsub
        .publish_to_shard(channel, &payload, &mut server.outbox);
    ctx.reply
        .integer(i64::try_from(received).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

/// The channel, and the message in the form in which all who get it share it.
fn message<'a>(args: &mut Args<'a>) -> Result<(&'a [u8], Payload<'a>), Error> {
    const MESSAGE_AT: usize = 2;
    let (channel, message) = (args.word()?, args.word()?);
    let shared = args.argv().large(MESSAGE_AT);
    Ok((channel, Payload::new(message, shared)))
}

fn channels(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    reply_names(ctx, args, Kind::Channel)
}

fn shardchannels(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    reply_names(ctx, args, Kind::Shard)
}

fn reply_names(ctx: &mut Ctx<'_>, args: &mut Args<'_>, kind: Kind) -> Result<Flow, Error> {
    let pattern = args.peek();
    if args.left() > 1 {
        return Err(wrong_words(args));
    }
    let names = ctx.server.pubsub.matching(kind, pattern);
    ctx.reply.array(names.len());
    names.iter().for_each(|name| ctx.reply.bulk(name));
    Ok(Flow::Done)
}

fn numsub(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    reply_subscribers(ctx, args, Kind::Channel)
}

fn shardnumsub(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    reply_subscribers(ctx, args, Kind::Shard)
}

fn reply_subscribers(ctx: &mut Ctx<'_>, args: &mut Args<'_>, kind: Kind) -> Result<Flow, Error> {
    ctx.reply.array(args.left() * 2);
    for name in args.rest() {
        let subscribers = ctx.server.pubsub.subscribers(kind, name);
        ctx.reply.bulk(name);
        ctx.reply
            .integer(i64::try_from(subscribers).unwrap_or(i64::MAX));
    }
    Ok(Flow::Done)
}

fn numpat(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let patterns = ctx.server.pubsub.patterns();
    ctx.reply
        .integer(i64::try_from(patterns).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(ctx, HELP))
}
