//! DUMP and RESTORE: a value as bytes that another server of the family reads, and back.

use crate::base::number;
use crate::command::expiry::Unit;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::event;
use crate::persist::payload::{PayloadError, read_payload};
use crate::rdb::kind;

const BUSY_KEY: Error = Error::Text("BUSYKEY Target key name already exists.");
const BAD_TTL: Error = Error::Text("ERR Invalid TTL value, must be >= 0");
const BAD_IDLE_TIME: Error = Error::Text("ERR Invalid IDLETIME value, must be >= 0");
const BAD_FREQUENCY: Error = Error::Text("ERR Invalid FREQ value, must be >= 0 and <= 255");
const BAD_PAYLOAD: Error = Error::Text("ERR DUMP payload version or checksum are wrong");
const BAD_DATA: Error = Error::Text("ERR Bad data format");

pub(super) fn dump(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let compress = ctx.server.config.settings.rdbcompression;
    let edition = ctx.server.config.settings.rdb_version.edition();
    match ctx.db.look_up(&key) {
        Some(record) => {
            let payload = ctx.server.payloads.write(record.value(), compress, edition);
            ctx.reply.bulk(&payload);
        }
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

/// The options of RESTORE.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    replace: bool,
    /// The time to live is a Unix time.
    absolute: bool,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

impl Options {
    fn read(args: &mut Args<'_>) -> Result<Self, Error> {
        let mut options = Self::default();
        while !args.is_empty() {
            if args.flag("REPLACE") {
                options.replace = true;
            } else if args.flag("ABSTTL") {
                options.absolute = true;
            } else if options.frequency.is_none()
                && let Some(word) = args.value_of("IDLETIME")?
            {
                let idle_s = number::parse_i64(word).ok_or(Error::NotInteger)?;
                options.idle_s = Some(u64::try_from(idle_s).map_err(|_| BAD_IDLE_TIME)?);
            } else if options.idle_s.is_none()
                && let Some(word) = args.value_of("FREQ")?
            {
                let frequency = number::parse_i64(word).ok_or(Error::NotInteger)?;
                options.frequency = Some(u8::try_from(frequency).map_err(|_| BAD_FREQUENCY)?);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

pub(super) fn restore(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, ttl, payload) = (args.key()?, args.word()?, args.word()?);
    let options = Options::read(args)?;
    let is_there = ctx.db.peek(&key).is_some();
    if is_there && !options.replace {
        return Err(BUSY_KEY);
    }
    let ttl = number::parse_i64(ttl).ok_or(Error::NotInteger)?;
    let now_ms = ctx.db.now_ms();
    let deadline = match (ttl, options.absolute) {
        (0, _) => None,
        (..0, _) => return Err(BAD_TTL),
        (at, true) => Some(at),
        // A time to live beyond the end of time has no end.
        (ttl, false) => Some(
            Unit::Milliseconds
                .deadline_ms(ttl, ctx.db.wall_ms())
                .unwrap_or(i64::MAX),
        ),
    };
    let mut room = std::mem::take(&mut ctx.server.payload_room);
    let checked = !ctx.server.debug.skip_checksums;
    let restored = read_payload(payload, checked, ctx.db.limits(), &mut room);
    let value = restored.map_err(|error| match error {
        PayloadError::Bad(_) => BAD_PAYLOAD,
        PayloadError::Corrupt(reason) => {
            let kind = kind::name(payload.first().copied().unwrap_or_default());
            tracing::warn!("RESTORE: {kind} integrity check failed: {reason}");
            BAD_DATA
        }
    })?;
    if deadline.is_some_and(|at| at < now_ms) {
        if is_there {
            ctx.db.remove(&key, event::DEL);
            ctx.propagate.instead(&[b"DEL", key.bytes]);
        }
    } else {
        let access = (options.idle_s.is_some() || options.frequency.is_some()).then(|| {
            let policy = ctx.db.keyspace().access_policy();
            policy.word_of(now_ms, options.idle_s, options.frequency)
        });
        let db = ctx.db.index();
        ctx.db.keyspace().restore(db, &key, value, deadline, access);
        if let Some(at) = deadline.filter(|_| !options.absolute) {
            propagate_at(ctx, args, at);
        }
    }
    ctx.server.payload_room = room;
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// The command goes out with the moment in place of the time to live.
fn propagate_at(ctx: &mut Ctx<'_>, args: &Args<'_>, at: i64) {
    if !ctx.propagate.is_wanted() {
        return;
    }
    let (argv, text) = (args.argv(), at.to_string());
    let mut words: Vec<&[u8]> = (0..argv.len()).map(|at| argv.word(at)).collect();
    if let Some(ttl) = words.get_mut(2) {
        *ttl = text.as_bytes();
    }
    words.push(b"ABSTTL");
    ctx.propagate.instead(&words);
}
