//! MIGRATE: keys move to another server. The values go out as RESTORE commands in one piece, and every key that the other
//! server has taken is deleted here. Clients wait meanwhile, no longer than the timeout between two signs of life.

use crate::base::number::{self, write_u64};
use crate::command::host::{AskError, Question};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use std::time::Duration;

const KEY_NOT_EMPTY: Error = Error::Text(
    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
);
const DEFAULT_TIMEOUT_MS: u64 = 1000;

/// What is to be done.
struct Order<'a> {
    host: &'a [u8],
    port: &'a [u8],
    db: i64,
    timeout: Duration,
    copy: bool,
    replace: bool,
    /// The words of AUTH, if the other server wants it.
    auth: Vec<&'a [u8]>,
    keys: Vec<Key<'a>>,
}

impl<'a> Order<'a> {
    fn read(args: &mut Args<'a>) -> Result<Self, Error> {
        let (host, port, key) = (args.word()?, args.word()?, args.key()?);
        let (db, timeout) = (args.word()?, args.word()?);
        let (mut copy, mut replace) = (false, false);
        let (mut auth, mut keys) = (Vec::new(), vec![key]);
        while !args.is_empty() {
            if args.flag("COPY") {
                copy = true;
            } else if args.flag("REPLACE") {
                replace = true;
            } else if let Some(password) = args.value_of("AUTH")? {
                auth = vec![b"AUTH", password];
            } else if let Some(user) = args.value_of("AUTH2")? {
                auth = vec![b"AUTH", user, args.word()?];
            } else if args.flag("KEYS") {
                if !key.bytes.is_empty() {
                    return Err(KEY_NOT_EMPTY);
                }
                keys = args.keys();
            } else {
                return Err(Error::Syntax);
            }
        }
        let timeout = number::parse_i64(timeout).ok_or(Error::NotInteger)?;
        let db = number::parse_i64(db).ok_or(Error::NotInteger)?;
        let timeout_ms = u64::try_from(timeout).ok().filter(|ms| *ms > 0);
        Ok(Self {
            host,
            port,
            db,
            timeout: Duration::from_millis(timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS)),
            copy,
            replace,
            auth,
            keys,
        })
    }
}

pub(super) fn migrate(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let order = Order::read(args)?;
    let mut request = Vec::new();
    let mut greetings = 0;
    if !order.auth.is_empty() {
        append(&mut request, &order.auth);
        greetings += 1;
    }
    append(&mut request, &[b"SELECT", order.db.to_string().as_bytes()]);
    greetings += 1;
    let sent = append_keys(ctx, &order, &mut request);
    if sent.is_empty() {
        ctx.reply.simple("NOKEY");
        return Ok(Flow::Done);
    }
    let host = String::from_utf8_lossy(order.host);
    let port = std::str::from_utf8(order.port).ok();
    let port = port.and_then(|port| port.parse().ok()).unwrap_or(0);
    let replies = greetings + sent.len();
    let question = Question {
        host: &host,
        port,
        request: &request,
        lines: replies,
        timeout: order.timeout,
    };
    let (answer, failure) = match ctx.host.ask(&question) {
        Ok(answer) => (answer, None),
        Err(AskError::Read(answer)) => (answer, Some("reading from target instance")),
        Err(AskError::Write) => (Vec::new(), Some("writing to target instance")),
        Err(AskError::Connect) => (Vec::new(), Some("connecting to the client")),
    };
    let refused = take_answer(ctx, &order, &sent, greetings, &answer);
    match (refused, failure) {
        (Some(line), _) => {
            let line = String::from_utf8_lossy(&line).into_owned();
            Err(Error::err(format_args!(
                "Target instance replied with error: {line}"
            )))
        }
        (None, Some(doing)) => Err(Error::Message(format!("IOERR error or timeout {doing}"))),
        (None, None) => {
            ctx.reply.ok();
            Ok(Flow::Done)
        }
    }
}

/// Appends a command.
fn append(request: &mut Vec<u8>, words: &[&[u8]]) {
    let length = |request: &mut Vec<u8>, mark: u8, length: usize| {
        request.push(mark);
        write_u64(request, length as u64);
        request.extend_from_slice(b"\r\n");
    };
    length(request, b'*', words.len());
    for word in words {
        length(request, b'$', word.len());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
}

/// Appends a RESTORE for each key that is there; which ones.
fn append_keys<'a>(ctx: &mut Ctx<'_>, order: &Order<'a>, request: &mut Vec<u8>) -> Vec<Key<'a>> {
    let now_ms = ctx.db.now_ms();
    let compress = ctx.server.config.settings.rdbcompression;
    let edition = ctx.server.config.settings.rdb_version.edition();
    let mut sent = Vec::new();
    for key in &order.keys {
        let Some(record) = ctx.db.look_up(key) else {
            continue;
        };
        // What expires in this millisecond has one left: 0 would be for ever.
        let ttl = record
            .deadline()
            .map_or(0, |at| at.saturating_sub(now_ms).max(1));
        let payload = ctx.server.payloads.write(record.value(), compress, edition);
        let ttl = ttl.to_string();
        let mut words: Vec<&[u8]> = vec![b"RESTORE", key.bytes, ttl.as_bytes(), &payload];
        if order.replace {
            words.push(b"REPLACE");
        }
        append(request, &words);
        sent.push(*key);
    }
    sent
}

/// Deletes the keys that the other server has taken; the first error that it answered.
fn take_answer(
    ctx: &mut Ctx<'_>,
    order: &Order<'_>,
    sent: &[Key<'_>],
    greetings: usize,
    answer: &[u8],
) -> Option<Vec<u8>> {
    let mut lines = answer.split_inclusive(|byte| *byte == b'\n');
    let mut lines = std::iter::from_fn(|| lines.next()?.strip_suffix(b"\r\n"));
    let error_of = |line: &[u8]| line.strip_prefix(b"-").map(<[u8]>::to_vec);
    let greeted: Vec<_> = lines.by_ref().take(greetings).map(error_of).collect();
    let unwelcome = greeted.into_iter().flatten().next();
    let mut refused = unwelcome.clone();
    let mut gone: Vec<&[u8]> = vec![b"DEL"];
    for (key, line) in sent.iter().zip(lines) {
        if unwelcome.is_some() || line.starts_with(b"-") {
            refused = refused.or_else(|| error_of(line));
        } else if !order.copy && ctx.db.remove(key, event::DEL) {
            gone.push(key.bytes);
        }
    }
    if gone.len() > 1 {
        ctx.propagate.instead(&gone);
    }
    refused
}
