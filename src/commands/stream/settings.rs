//! XSETID, XCFGSET and XIDMPRECORD: what a stream knows besides its entries is set.

use super::ids::parse_id;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::event;
use crate::types::stream::{Producers, Stream, StreamId};

/// Seconds that ids of producers may be remembered.
const DURATIONS_S: std::ops::RangeInclusive<i64> = 1..=86_400;
/// Ids of a producer that may be remembered.
const MAX_IDS: std::ops::RangeInclusive<i64> = 1..=10_000;

/// The options of XSETID.
#[derive(Default)]
struct Counters {
    entries_added: Option<u64>,
    max_deleted_id: Option<StreamId>,
}

impl Counters {
    fn read(args: &mut Args<'_>, id: StreamId) -> Result<Self, Error> {
        let mut counters = Counters::default();
        while !args.is_empty() {
            if args.left() >= 2 && args.flag("ENTRIESADDED") {
                let added = u64::try_from(args.int()?);
                let added = added.map_err(|_| Error::Text("ERR entries_added must be positive"))?;
                counters.entries_added = Some(added);
            } else if args.left() >= 2 && args.flag("MAXDELETEDID") {
                let max_deleted_id = parse_id(args.word()?)?;
                if id < max_deleted_id {
                    return Err(Error::Text(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                    ));
                }
                counters.max_deleted_id = Some(max_deleted_id);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(counters)
    }
}

pub(super) fn xsetid(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let id = parse_id(args.word()?)?;
    let counters = Counters::read(args, id)?;
    let mut edit = ctx.db.edit::<Stream>(&key)?.ok_or(Error::NoSuchKey)?;
    let log = &edit.view().log;
    if id < log.max_deleted_id {
        return Err(Error::Text(
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
        ));
    }
    if log.last_entry_id().is_some_and(|last| id < last) {
        return Err(Error::Text(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    if counters
        .entries_added
        .is_some_and(|added| added < log.len())
    {
        return Err(Error::Text(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    let log = &mut edit.value().log;
    log.last_id = id;
    if let Some(entries_added) = counters.entries_added {
        log.entries_added = entries_added;
    }
    if let Some(max_deleted_id) = counters.max_deleted_id.filter(|id| *id != StreamId::MIN) {
        log.max_deleted_id = max_deleted_id;
    }
    edit.changed(event::XSETID);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn xcfgset(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    if args.is_empty() {
        return Err(Error::Text("ERR At least one parameter must be specified"));
    }
    let (mut duration_s, mut max_ids) = (None, None);
    while !args.is_empty() {
        if args.flag("IDMP-DURATION") {
            let seconds = args.int()?;
            if !DURATIONS_S.contains(&seconds) {
                return Err(Error::Text(
                    "ERR IDMP-DURATION must be between 1 and 86400 seconds",
                ));
            }
            duration_s = Some(seconds.unsigned_abs());
        } else if args.flag("IDMP-MAXSIZE") {
            let ids = args.int()?;
            if !MAX_IDS.contains(&ids) {
                return Err(Error::Text(
                    "ERR IDMP-MAXSIZE must be between 1 and 10000 entries",
                ));
            }
            max_ids = usize::try_from(ids).ok();
        } else {
            return Err(Error::Syntax);
        }
    }
    let mut edit = ctx.db.edit::<Stream>(&key)?.ok_or(Error::NoSuchKey)?;
    let producers: &mut Producers = edit.value().producers.get_or_insert_default();
    producers.configure(
        duration_s.unwrap_or(producers.duration_s),
        max_ids.unwrap_or(producers.max_ids),
    );
    edit.changed(event::UNPUBLISHED);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn xidmprecord(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, producer, sent_id) = (args.key()?, args.word()?, args.word()?);
    let id = parse_id(args.word()?)?;
    for (word, error) in [
        (producer, "ERR IDMP requires a non-empty producer ID"),
        (sent_id, "ERR IDMP requires a non-empty idempotent ID"),
    ] {
        if word.is_empty() {
            return Err(Error::Text(error));
        }
    }
    let mut edit = ctx.db.edit::<Stream>(&key)?.ok_or(Error::NoSuchKey)?;
    if !edit.view().log.contains(id) {
        return Err(Error::Text(
            "ERR The specified stream ID was deleted or doesn't exist",
        ));
    }
    let known = edit.view().producers.as_ref();
    match known.and_then(|producers| producers.find(producer, sent_id)) {
        Some(before) if before == id => {}
        Some(_) => {
            return Err(Error::Text(
                "ERR The specified IDMP producer-id/idempotent-id pair maps to a different stream ID",
            ));
        }
        None => {
            let producers: &mut Producers = edit.value().producers.get_or_insert_default();
            producers.remember(producer, sent_id, id);
            edit.changed(event::UNPUBLISHED);
        }
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}
