//! XREAD: entries after given ids, of several streams, waiting for them if wanted. Its options are those of XREADGROUP
//! too.

use super::entries::{reply_stream, streams_later};
use super::ids::parse_id;
use crate::base::number;
use crate::command::{Args, Await, Block, Ctx, Error, Flow, timeout};
use crate::keyspace::entry::Key;
use crate::resp::reply::Reply;
use crate::resp::request::{Argv, StoredArgv};
use crate::types::Type;
use crate::types::stream::{Stream, StreamId};

/// What XREAD and XREADGROUP are asked for.
pub(super) struct Request<'a> {
    /// Entries of each stream at most.
    pub(super) count: usize,
    /// BLOCK: up to when to wait, Unix milliseconds; the inner `None`: for ever.
    pub(super) deadline_ms: Option<Option<i64>>,
    /// The group and the consumer.
    pub(super) group: Option<(&'a [u8], &'a [u8])>,
    /// Entries count as acknowledged when they are delivered.
    pub(super) no_ack: bool,
    /// Entries that were pending so long are delivered again.
    pub(super) claim_ms: Option<i64>,
    /// Streams.
    pub(super) keys: usize,
    /// Where the ids begin among all words.
    pub(super) ids_at: usize,
}

impl<'a> Request<'a> {
    /// Reads the options up to the first key. `is_group`: XREADGROUP.
    pub(super) fn read(args: &mut Args<'a>, is_group: bool, now_ms: i64) -> Result<Self, Error> {
        let mut request = Request {
            count: usize::MAX,
            deadline_ms: None,
            group: None,
            no_ack: false,
            claim_ms: None,
            keys: 0,
            ids_at: 0,
        };
        while request.keys == 0 {
            if args.is_empty() {
                return Err(Error::Syntax);
            }
            request.take_option(args, is_group, now_ms)?;
        }
        if is_group && request.group.is_none() {
            return Err(Error::Text("ERR Missing GROUP option for XREADGROUP"));
        }
        Ok(request)
    }

    fn take_option(
        &mut self,
        args: &mut Args<'a>,
        is_group: bool,
        now_ms: i64,
    ) -> Result<(), Error> {
        let left = args.left();
        if left >= 2 && args.flag("BLOCK") {
            self.deadline_ms = Some(timeout::milliseconds(args, now_ms)?);
        } else if left >= 2 && args.flag("COUNT") {
            let count = usize::try_from(args.int()?).unwrap_or(0);
            self.count = if count == 0 { usize::MAX } else { count };
        } else if left >= 2 && args.flag("STREAMS") {
            self.take_keys(args, is_group)?;
        } else if left >= 3 && args.flag("GROUP") {
            if !is_group {
                return Err(Error::Text(
                    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            }
            self.group = Some((args.word()?, args.word()?));
        } else if args.flag("NOACK") {
            if !is_group {
                return Err(Error::Text(
                    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            }
            self.no_ack = true;
        } else if left >= 2 && args.flag("CLAIM") {
            if !is_group {
                return Err(Error::Text(
                    "ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            }
            self.claim_ms = Some(min_idle(args.word()?)?);
        } else {
            return Err(Error::Syntax);
        }
        Ok(())
    }

    fn take_keys(&mut self, args: &mut Args<'a>, is_group: bool) -> Result<(), Error> {
        let words = args.left();
        if !words.is_multiple_of(2) {
            return Err(Error::Text(if is_group {
                "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
            } else {
                "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified."
            }));
        }
        self.keys = words / 2;
        self.ids_at = args.argv().len() - self.keys;
        Ok(())
    }
}

fn min_idle(word: &[u8]) -> Result<i64, Error> {
    match number::parse_i64(word).ok_or(Error::Text("ERR min-idle-time is not an integer"))? {
        ..0 => Err(Error::Text("ERR min-idle-time must be a positive integer")),
        ms => Ok(ms),
    }
}

/// The id after which XREAD reads.
fn after(word: &[u8], stream: Option<&Stream>) -> Result<StreamId, Error> {
    let log = stream.map(|stream| &stream.log);
    match word {
        b"$" => Ok(log.map_or(StreamId::MIN, |log| log.last_id)),
        b"+" => {
            let last = log.and_then(|log| log.last_entry_id());
            let before = last.and_then(StreamId::previous);
            Ok(before.unwrap_or(log.map_or(StreamId::MIN, |log| log.last_id)))
        }
        b">" => Err(Error::Text(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        _ => parse_id(word),
    }
}

/// Answers the entries of one stream, if there are any after `after`. `alone`: nothing else is answered.
fn serve(
    reply: &mut Reply<'_>,
    key: &Key<'_>,
    stream: &Stream,
    after: StreamId,
    count: usize,
    alone: bool,
) -> bool {
    match after.next().filter(|_| stream.log.last_id > after) {
        Some(from) => {
            let range = stream.log.range(from, StreamId::MAX);
            reply_stream(reply, key.bytes, range, count, alone)
        }
        None => false,
    }
}

pub(super) fn xread(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let request = Request::read(args, false, ctx.db.now_ms())?;
    let argv = args.argv();
    let mut targets = Vec::new();
    for at in 0..request.keys {
        let key = args.key()?;
        let stream = ctx.db.read::<Stream>(&key)?;
        let after = after(argv.word(request.ids_at + at), stream)?;
        if request.keys == 1
            && let Some(stream) = stream
            && serve(&mut ctx.reply, &key, stream, after, request.count, true)
        {
            return Ok(Flow::Done);
        }
        targets.push((key, after));
    }
    if request.keys > 1 && serve_several(ctx, &targets, request.count)? {
        return Ok(Flow::Done);
    }
    let Some(deadline_ms) = request.deadline_ms else {
        ctx.reply.null_array();
        return Ok(Flow::Done);
    };
    let ids = targets.iter().map(|(_, id)| id.to_vec()).collect();
    let names = targets.iter().map(|(key, _)| key.bytes.into()).collect();
    let words = again(argv, request.ids_at, ids);
    Ok(wait(names, false, deadline_ms, words, None))
}

/// Answers the entries of those streams that have any; whether one has.
fn serve_several(
    ctx: &mut Ctx<'_>,
    targets: &[(Key<'_>, StreamId)],
    count: usize,
) -> Result<bool, Error> {
    let mark = ctx.reply.output().mark();
    let streams = streams_later(&mut ctx.reply);
    let mut served = 0;
    for (key, after) in targets {
        if let Some(stream) = ctx.db.read::<Stream>(key)? {
            let is_served = serve(&mut ctx.reply, key, stream, *after, count, false);
            served += usize::from(is_served);
        }
    }
    if served == 0 {
        ctx.reply.output().truncate(mark);
        return Ok(false);
    }
    ctx.reply.finish(streams, served);
    Ok(true)
}

/// The words of a command with other ids.
fn again(argv: Argv<'_>, ids_at: usize, ids: Vec<Vec<u8>>) -> StoredArgv {
    let before = argv.iter().take(ids_at).map(<[u8]>::to_vec);
    StoredArgv::from_words(before.chain(ids))
}

/// Waits for new entries of these keys; `on_loss`: or for their end.
pub(super) fn wait(
    keys: Vec<Box<[u8]>>,
    on_loss: bool,
    deadline_ms: Option<i64>,
    words: StoredArgv,
    again_ms: Option<i64>,
) -> Flow {
    let block = Block {
        keys,
        awaits: Type::Stream,
        on_loss,
        deadline_ms,
        on_timeout: |reply| reply.null_array(),
    };
    Flow::Await(Box::new(Await {
        block,
        words,
        again_ms,
    }))
}
