//! XADD and XTRIM.
//!
//! What goes out for XADD names the id that the entry got. A producer's id of it (IDMP) goes out beside it, as
//! XIDMPRECORD: an entry that was recognised and not added leaves nothing in the stream of commands.

use super::entries::reply_id;
use super::ids::{INVALID_ID, parse_id};
use super::trimming::{Trimming, outcome};
use crate::command::{Args, Ctx, Error, Flow, Propagate};
use crate::keyspace::event;
use crate::types::stream::{Log, NodeLimits, Producers, Stream, StreamId};
use std::borrow::Cow;
use xxhash_rust::xxh3::xxh3_128;

/// No listpack takes more.
const WORDS_MAX_BYTES: usize = 1 << 30;

const NOT_LARGER: Error =
    Error::Text("ERR The ID specified in XADD is equal or smaller than the target stream top item");

/// Which id the entry is to have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// `*`: the time, or what comes after the last id.
    Next,
    /// `ms-*`
    NextOf(u64),
    Exactly(StreamId),
}

impl Wanted {
    fn parse(word: &[u8]) -> Result<Self, Error> {
        match word.strip_suffix(b"-*") {
            Some(ms) if !ms.contains(&b'-') => Ok(Wanted::NextOf(parse_id(ms)?.ms)),
            Some(_) => Err(INVALID_ID),
            None => Ok(Wanted::Exactly(parse_id(word)?)),
        }
    }

    /// The id, which must be larger than all before.
    #[inline]
    fn resolve(self, log: &Log, now_ms: i64) -> Result<StreamId, Error> {
        let last = log.last_id;
        let exhausted = Error::Text(
            "ERR The stream has exhausted the last possible ID, unable to add more items",
        );
        let after_last = last.next().ok_or(exhausted)?;
        let id = match self {
            Wanted::Exactly(id) => id,
            Wanted::Next => {
                let now = StreamId::new(u64::try_from(now_ms).unwrap_or(0), 0);
                if now.ms > last.ms { now } else { after_last }
            }
            Wanted::NextOf(ms) if ms == last.ms && after_last.ms == ms => after_last,
            Wanted::NextOf(ms) => StreamId::new(ms, 0),
        };
        if id > last { Ok(id) } else { Err(NOT_LARGER) }
    }
}

/// IDMP and IDMPAUTO: who adds, and under which id of its own.
struct Sender<'a> {
    producer: &'a [u8],
    /// `None`: it is made of the entry's words.
    id: Option<&'a [u8]>,
}

impl<'a> Sender<'a> {
    fn take(args: &mut Args<'a>, said: &mut Option<Self>) -> Result<bool, Error> {
        let is_auto = args.left() >= 2 && args.flag("IDMPAUTO");
        if !(is_auto || args.left() >= 3 && args.flag("IDMP")) {
            return Ok(false);
        }
        let twice = "ERR IDMP/IDMPAUTO specified multiple times";
        if said.is_some() {
            return Err(Error::Text(twice));
        }
        let producer = args.word()?;
        let id = if is_auto { None } else { Some(args.word()?) };
        let text = match id {
            None if producer.is_empty() => "ERR IDMPAUTO requires a non-empty producer ID",
            Some(_) if producer.is_empty() => "ERR IDMP requires a non-empty producer ID",
            Some(b"") => "ERR IDMP requires a non-empty idempotent ID",
            _ => {
                *said = Some(Sender { producer, id });
                return Ok(true);
            }
        };
        Err(Error::Text(text))
    }

    /// The id under which the entry is sent.
    fn id<'w>(&self, words: impl Iterator<Item = &'w [u8]>) -> Cow<'a, [u8]> {
        match self.id {
            Some(id) => Cow::Borrowed(id),
            None => Cow::Owned(digest(words)),
        }
    }
}

/// An id made of fields and values, whatever their order.
fn digest<'w>(mut words: impl Iterator<Item = &'w [u8]>) -> Vec<u8> {
    let mut sum = 0u128;
    let mut pair = Vec::new();
    while let (Some(field), Some(value)) = (words.next(), words.next()) {
        pair.clear();
        pair.extend_from_slice(&(field.len() as u64).to_le_bytes());
        pair.extend_from_slice(field);
        pair.extend_from_slice(value);
        sum = sum.wrapping_add(xxh3_128(&pair));
    }
    sum.to_le_bytes().to_vec()
}

/// What XADD is asked for.
struct Request<'a> {
    trimming: Trimming,
    create: bool,
    sender: Option<Sender<'a>>,
    wanted: Wanted,
}

impl<'a> Request<'a> {
    #[inline]
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        let mut request = Request {
            trimming: Trimming::default(),
            create: true,
            sender: None,
            wanted: Wanted::Next,
        };
        while !args.is_empty() {
            if args.flag("*") {
                break;
            }
            if Sender::take(args, &mut request.sender)? || request.trimming.take(args)? {
                continue;
            }
            if args.flag("NOMKSTREAM") {
                request.create = false;
                continue;
            }
            request.wanted = Wanted::parse(args.word()?)?;
            if request.sender.is_some() {
                return Err(Error::Text(
                    "ERR IDMP/IDMPAUTO can be used only with auto-generated IDs",
                ));
            }
            break;
        }
        Ok(request)
    }
}

pub(super) fn xadd(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let request = Request::read(args)?;
    let node_max_entries = ctx.db.limits().stream_node_max_entries;
    let trim = request.trimming.finish(node_max_entries)?;
    let words = args.rest();
    if words.len() < 2 || !words.len().is_multiple_of(2) {
        return Err(Error::Arity("xadd".to_owned()));
    }
    if request.wanted == Wanted::Exactly(StreamId::MIN) {
        return Err(Error::Text(
            "ERR The ID specified in XADD must be greater than 0-0",
        ));
    }
    let now_ms = ctx.db.wall_ms();
    let mut edit = ctx.db.edit_or_create::<Stream>(&key)?;
    if edit.is_new() && !request.create {
        ctx.reply.null();
        return Ok(Flow::Done);
    }
    let id = request.wanted.resolve(&edit.view().log, now_ms)?;
    if words.clone().map(<[u8]>::len).sum::<usize>() > WORDS_MAX_BYTES {
        return Err(Error::Text("ERR Elements are too large to be stored"));
    }
    let (stream, limits) = edit.parts();
    let sent = request
        .sender
        .map(|sender| (sender.producer, sender.id(words.clone())));
    if let Some((producer, sent_id)) = &sent
        && let Some(before) = recognise(stream, producer, sent_id, id, now_ms)
    {
        edit.unchanged();
        reply_id(&mut ctx.reply, before);
        return Ok(Flow::Done);
    }
    stream
        .log
        .append(id, words.clone(), &NodeLimits::from(limits));
    reply_id(&mut ctx.reply, id);
    let trimmed = trim.as_ref().map_or(0, |trim| stream.trim(trim));
    let is_exact = request.wanted == Wanted::Exactly(id)
        && sent.is_none()
        && trim.as_ref().is_none_or(|trim| !trim.approximate);
    if !is_exact && ctx.propagate.is_wanted() {
        let trimming = trim.map_or(Vec::new(), |trim| outcome(&trim, stream));
        tell(ctx.propagate, key.bytes, &trimming, id, words.collect());
        if let Some((producer, sent_id)) = &sent {
            let id = id.to_vec();
            ctx.propagate
                .also(&[b"XIDMPRECORD", key.bytes, producer, sent_id, &id]);
        }
    }
    if trimmed > 0 {
        edit.also(event::XADD);
        edit.changed(event::XTRIM);
    } else {
        edit.changed(event::XADD);
    }
    Ok(Flow::Done)
}

/// What goes out for an XADD: the id that the entry got, and what trimming came to.
fn tell(
    propagate: &mut Propagate,
    key: &[u8],
    trimming: &[Vec<u8>],
    id: StreamId,
    words: Vec<&[u8]>,
) {
    let id = id.to_vec();
    let mut said: Vec<&[u8]> = vec![b"XADD", key];
    said.extend(trimming.iter().map(Vec::as_slice));
    said.push(&id);
    said.extend(words);
    propagate.instead(&said);
}

/// The entry that was sent under this id before; else the id is remembered as that of the entry `id`.
fn recognise(
    stream: &mut Stream,
    producer: &[u8],
    sent_id: &[u8],
    id: StreamId,
    now_ms: i64,
) -> Option<StreamId> {
    let producers: &mut Producers = stream.producers.get_or_insert_default();
    producers.expire(now_ms);
    let before = producers.find(producer, sent_id);
    match before {
        Some(_) => producers.duplicates += 1,
        None => producers.remember(producer, sent_id, id),
    }
    before
}

pub(super) fn xtrim(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let mut trimming = Trimming::default();
    while !args.is_empty() {
        if !trimming.take(args)? {
            return Err(Error::Syntax);
        }
    }
    let node_max_entries = ctx.db.limits().stream_node_max_entries;
    let trim = trimming.finish(node_max_entries)?;
    let trim = trim.ok_or(Error::Text(
        "ERR syntax error, XTRIM must be called with a trimming strategy",
    ))?;
    let Some(mut edit) = ctx.db.edit::<Stream>(&key)? else {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    };
    let deleted = edit.value().trim(&trim);
    ctx.reply
        .integer(i64::try_from(deleted).unwrap_or(i64::MAX));
    if deleted == 0 {
        edit.unchanged();
        return Ok(Flow::Done);
    }
    if trim.approximate && ctx.propagate.is_wanted() {
        let mut said = vec![b"XTRIM".to_vec(), key.bytes.to_vec()];
        said.extend(outcome(&trim, edit.view()));
        let said: Vec<&[u8]> = said.iter().map(Vec::as_slice).collect();
        ctx.propagate.instead(&said);
    }
    edit.changed(event::XTRIM);
    Ok(Flow::Done)
}
