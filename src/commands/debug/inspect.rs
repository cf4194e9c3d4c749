//! DEBUG's looks at the data: OBJECT, LISTPACK, SDSLEN, STRUCTSIZE, HTSTATS, DIGEST.

use super::digest::Fingerprint;
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::entry::{RecordRef, Store};
use crate::session::Session;
use crate::types::Object;
use crate::types::string::StringRef;
use std::fmt::Write;

pub(super) fn object(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let now_ms = ctx.db.now_ms();
    let policy = ctx.db.keyspace().access_policy();
    // Also a key whose deadline has passed, and which is still there: nothing is deleted by being looked at.
    let db = ctx.db.index();
    let found = ctx.db.keyspace().store(db).find(&key);
    let (_, record) = found.ok_or(Error::NoSuchKey)?;
    let line = format!(
        "Value at:{:#x} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        record.address(),
        record.value().encoding(),
        serialized_bytes(record, now_ms),
        record.access(),
        policy.idle_s(record.access(), now_ms),
    );
    ctx.reply.simple(&line);
    Ok(Flow::Done)
}

/// Bytes of a value as an RDB file has it before compression: strings, each with its length, and their number.
fn serialized_bytes(record: RecordRef<'_>, now_ms: i64) -> usize {
    if let Some(string) = record.string() {
        return string_bytes(string);
    }
    if let Some((_, packed)) = record.packed() {
        return length_bytes(packed.len()) + packed.len();
    }
    let value = record.value();
    let mut bytes = length_bytes(value.elements());
    value.visit(now_ms, &mut |element| {
        for bytes_of in element.iter() {
            let raw = false;
            bytes += string_bytes(StringRef::Bytes {
                bytes: bytes_of,
                raw,
            });
        }
    });
    bytes
}

/// A length and the bytes, or a short form of an integer.
fn string_bytes(string: StringRef<'_>) -> usize {
    /// The longest decimal form that is stored as an integer.
    const INT_MAX_DIGITS: usize = 11;
    let number = string
        .as_i64()
        .filter(|_| string.len() <= INT_MAX_DIGITS)
        .and_then(|number| i32::try_from(number).ok());
    if let Some(number) = number {
        return match number {
            -0x80..=0x7f => 2,
            -0x8000..=0x7fff => 3,
            _ => 5,
        };
    }
    length_bytes(string.len()) + string.len()
}

/// Bytes that a length takes.
fn length_bytes(length: usize) -> usize {
    match length {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        0x4000..=0xffff_ffff => 5,
        _ => 9,
    }
}

pub(super) fn sdslen(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let record = ctx.db.peek(&key).ok_or(Error::NoSuchKey)?;
    let string = match record.string() {
        Some(StringRef::Int(_)) | None => {
            return Err(Error::Text("ERR Not an sds encoded string."));
        }
        Some(string) => string,
    };
    let (total, heap) = (record.memory_bytes(), heap_bytes(record));
    let line = format!(
        "key_sds_len:{}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{}, val_sds_avail:0, val_zmalloc: {heap}",
        key.bytes.len(),
        total - heap,
        string.len(),
    );
    ctx.reply.simple(&line);
    Ok(Flow::Done)
}

/// Bytes of the value outside the key's record.
fn heap_bytes(record: RecordRef<'_>) -> usize {
    record.object().map_or(0, |object| {
        size_of::<Object>() + object.stored().heap_bytes()
    })
}

pub(super) fn structsize(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let line = format!(
        "bits:{} object:{} client:{} store:{}",
        usize::BITS,
        size_of::<Object>(),
        size_of::<Session>(),
        size_of::<Store>(),
    );
    ctx.reply.simple(&line);
    Ok(Flow::Done)
}

pub(super) fn htstats(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let db = args.int()?;
    let full = args.flag("full");
    let keyspace = ctx.db.keyspace();
    let db = usize::try_from(db)
        .ok()
        .filter(|db| *db < keyspace.databases())
        .ok_or(Error::Text("ERR Out of range database"))?;
    let text = table_text(keyspace.store(db), full);
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

fn table_text(store: &Store, full: bool) -> String {
    let mut text = String::from("[Dictionary HT]\n");
    // Writing to a String cannot fail.
    if !store.is_empty() {
        let (segments, directory, largest, capacity) = store.shape();
        let _ = write!(
            text,
            "Hash table 0 stats (main hash table):\n table size: {capacity}\n number of elements: {}\n",
            store.len()
        );
        if full {
            let _ = write!(
                text,
                " segments: {segments}\n directory entries: {directory}\n buckets of the largest segment: {largest}\n"
            );
        }
    }
    text.push_str("[Expires HT]\n");
    if store.expiring() > 0 {
        let _ = write!(
            text,
            "Heap of deadlines:\n number of elements: {}\n",
            store.expiring()
        );
    }
    text
}

pub(super) fn htstats_key(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let record = ctx.db.peek(&key).ok_or(Error::NoSuchKey)?;
    if record.value().encoding() != "hashtable" {
        return Err(Error::Text(
            "ERR The value stored at the specified key is not represented using an hash table",
        ));
    }
    let text = format!(
        "Hash table 0 stats (main hash table):\n number of elements: {}\n",
        record.value().elements()
    );
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Flow::Done)
}

pub(super) fn listpack(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let record = ctx.db.peek(&key).ok_or(Error::NoSuchKey)?;
    if record.value().encoding() != "listpack" {
        return Err(Error::Text("ERR Not a listpack encoded object."));
    }
    let mut text = String::new();
    record.value().visit(i64::MIN, &mut |element| {
        for word in element {
            // Writing to a String cannot fail.
            let _ = write!(text, " \"{}\"", word.escape_ascii());
        }
    });
    tracing::info!("DEBUG LISTPACK:{text}");
    ctx.reply.simple("Listpack structure printed on stdout");
    Ok(Flow::Done)
}

pub(super) fn digest(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let now_ms = ctx.db.now_ms();
    let mut all = Fingerprint::default();
    for db in 0..ctx.db.keyspace().databases() {
        ctx.db
            .other(db)
            .for_each(|record| all.combine(Fingerprint::of_key(db, record, now_ms)));
    }
    ctx.reply.simple(&all.hex());
    Ok(Flow::Done)
}

pub(super) fn digest_value(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let keys = args.keys();
    let now_ms = ctx.db.now_ms();
    ctx.reply.array(keys.len());
    for key in &keys {
        let record = ctx.db.peek(key);
        let value = record.map(|record| Fingerprint::of_value(record, now_ms));
        ctx.reply.simple(&value.unwrap_or_default().hex());
    }
    Ok(Flow::Done)
}
