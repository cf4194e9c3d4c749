//! HyperLogLogs: PFADD, PFCOUNT, PFMERGE, and PFDEBUG and PFSELFTEST for tests. What the strings mean is in
//! [`crate::types::hyperloglog`].
//!
//! Any string command may have made the string what it is, so every command looks at it first: a wrong header is the
//! wrong kind of value, wrong runs behind it are a corrupt one. Nothing is changed before all that has been seen.

use crate::command::error::{SHOWN_MAX, shown};
use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::six_bit;
use crate::keyspace::db::{Deadline, Str};
use crate::keyspace::edit::StringEdit;
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::hyperloglog::{self, Corrupt, Encoding, REGISTERS, Registers, Sketch};
use crate::types::string::{NewString, StringRef};

const COUNT_KEYS: &[KeySpec] = &[KeySpec {
    notes: "RW because it may change the internal representation of the key, and propagate to replicas",
    ..KeySpec::range(1, -1, 1, key_flag::RW | key_flag::ACCESS)
}];
const MERGE_KEYS: &[KeySpec] = &[
    KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::INSERT),
    KeySpec::range(2, -1, 1, key_flag::RO | key_flag::ACCESS),
];

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("pfadd", Group::HyperLogLog, -2, pfadd)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::INSERT)])
        .acl(acl::HYPERLOGLOG)
        .about("2.8.9", "O(1) to add every element.", "Adds elements to a HyperLogLog; a missing key becomes one.")
        .syntax("key [element...]"),
    Row::new("pfcount", Group::HyperLogLog, -2, pfcount)
        .flags(flag::READONLY | flag::MAY_REPLICATE)
        .keys(COUNT_KEYS)
        .acl(acl::HYPERLOGLOG)
        .about("2.8.9", "O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.", "Estimates how many different elements were added to one HyperLogLog, or to several together.")
        .syntax("key..."),
    Row::new("pfdebug", Group::HyperLogLog, 3, pfdebug)
        .flags(flag::WRITE | flag::DENYOOM | flag::ADMIN)
        .keys(&[KeySpec::one(2, key_flag::RW | key_flag::ACCESS)])
        .acl(acl::HYPERLOGLOG)
        .about("2.8.9", "N/A", "Shows the inside of a HyperLogLog.")
        .syntax("subcommand key")
        .system(),
    Row::new("pfmerge", Group::HyperLogLog, -2, pfmerge)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(MERGE_KEYS)
        .acl(acl::HYPERLOGLOG)
        .about("2.8.9", "O(N) to merge N HyperLogLogs, but with high constant times.", "Merges HyperLogLogs into one.")
        .syntax("destkey:key [sourcekey:key@1...]"),
    Row::new("pfselftest", Group::HyperLogLog, 1, pfselftest)
        .flags(flag::ADMIN)
        .acl(acl::HYPERLOGLOG)
        .about("2.8.9", "N/A", "Tests the HyperLogLog of this server.")
        .system(),
];

const NOT_ONE: Error = Error::Text("WRONGTYPE Key is not a valid HyperLogLog string value.");

impl From<Corrupt> for Error {
    fn from(_: Corrupt) -> Self {
        Error::Text("INVALIDOBJ Corrupted HLL object detected")
    }
}

/// The bytes of a HyperLogLog and how it keeps its registers.
fn view(value: StringRef<'_>) -> Result<(&[u8], Encoding), Error> {
    let bytes = match value {
        StringRef::Bytes { bytes, .. } => bytes,
        StringRef::Shared(bytes) => bytes,
        StringRef::Int(_) => return Err(NOT_ONE),
    };
    Ok((bytes, hyperloglog::encoding(bytes).ok_or(NOT_ONE)?))
}

fn pfadd(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let sparse_max_bytes = ctx.server.config.settings.hll_sparse_max_bytes;
    let places = args.rest().map(hyperloglog::place);
    let added = if let Some(edit) = ctx.db.edit::<Str>(&key)? {
        add(edit, places, sparse_max_bytes)?
    } else {
        let mut sketch = Sketch::new(hyperloglog::empty(), Encoding::Sparse, sparse_max_bytes);
        for (index, value) in places {
            sketch.raise(index, value)?;
        }
        put(ctx, &key, &sketch.into_changed().unwrap_or_default());
        true
    };
    ctx.reply.integer(i64::from(added));
    Ok(Flow::Done)
}

/// Raises the registers of a HyperLogLog that is there; whether any was below.
fn add(
    mut edit: StringEdit<'_>,
    mut places: impl Iterator<Item = (usize, u8)>,
    sparse_max_bytes: usize,
) -> Result<bool, Error> {
    let (bytes, encoding) = view(edit.string())?;
    if encoding == Encoding::Sparse {
        let mut sketch = Sketch::new(bytes, encoding, sparse_max_bytes);
        for (index, value) in places {
            sketch.raise(index, value)?;
        }
        let changed = sketch.into_changed();
        let any = changed.is_some();
        if let Some(bytes) = changed {
            replace(edit, &bytes);
        }
        return Ok(any);
    }
    let below = places.find(|(index, value)| hyperloglog::is_below(bytes, *index, *value));
    if let Some(first) = below {
        edit.bytes_mut(hyperloglog::DENSE_BYTES, |bytes| {
            for (index, value) in std::iter::once(first).chain(places) {
                hyperloglog::raise_dense(bytes, index, value);
            }
            hyperloglog::invalidate(bytes);
        });
        edit.changed(event::PFADD);
    }
    Ok(below.is_some())
}

/// A new HyperLogLog where there was no key.
fn put(ctx: &mut Ctx<'_>, key: &Key<'_>, bytes: &[u8]) {
    let edit = ctx.db.put(key, NewString::Raw(bytes), Deadline::Clear);
    edit.changed(event::PFADD);
}

/// Other bytes in the place of a HyperLogLog.
fn replace(mut edit: StringEdit<'_>, bytes: &[u8]) {
    edit.set(NewString::Raw(bytes));
    edit.changed(event::PFADD);
}

fn pfcount(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let count = if args.left() == 1 {
        count_one(ctx, &args.key()?)?
    } else {
        let mut registers = [0; REGISTERS];
        while !args.is_empty() {
            merge(ctx, &args.key()?, &mut registers)?;
        }
        hyperloglog::count_registers(&registers)
    };
    // Estimates are less than 2^63.
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}

/// The estimate of one key: the one in its header, or a new one that is written there.
fn count_one(ctx: &mut Ctx<'_>, key: &Key<'_>) -> Result<u64, Error> {
    let Some(value) = ctx.db.read::<Str>(key)? else {
        return Ok(0);
    };
    let (bytes, encoding) = view(value)?;
    if let Some(cached) = hyperloglog::cached(bytes) {
        return Ok(cached);
    }
    let length = bytes.len();
    let count = hyperloglog::count(bytes, encoding)?;
    if let Some(mut edit) = ctx.db.edit::<Str>(key)? {
        edit.bytes_mut(length, |bytes| hyperloglog::set_cached(bytes, count));
        edit.changed(event::UNPUBLISHED);
    }
    Ok(count)
}

/// Raises `registers` to those of a key; how that one keeps them, `None` if there is no such key.
fn merge(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    registers: &mut Registers,
) -> Result<Option<Encoding>, Error> {
    let Some(value) = ctx.db.read::<Str>(key)? else {
        return Ok(None);
    };
    let (bytes, encoding) = view(value)?;
    hyperloglog::merge_into(registers, bytes, encoding)?;
    Ok(Some(encoding))
}

fn pfmerge(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let mut registers = [0; REGISTERS];
    // The target is a source too.
    let mut becomes_dense = merge(ctx, &key, &mut registers)? == Some(Encoding::Dense);
    while !args.is_empty() {
        becomes_dense |= merge(ctx, &args.key()?, &mut registers)? == Some(Encoding::Dense);
    }
    let sparse_max_bytes = ctx.server.config.settings.hll_sparse_max_bytes;
    if let Some(mut edit) = ctx.db.edit::<Str>(&key)? {
        let (bytes, encoding) = view(edit.string())?;
        if encoding == Encoding::Dense {
            edit.bytes_mut(hyperloglog::DENSE_BYTES, |bytes| {
                hyperloglog::overwrite_dense(bytes, &registers);
            });
            edit.changed(event::PFADD);
        } else {
            let merged = merged(bytes, &registers, becomes_dense, sparse_max_bytes)?;
            replace(edit, &merged);
        }
    } else {
        let empty = hyperloglog::empty();
        let merged = merged(&empty, &registers, becomes_dense, sparse_max_bytes)?;
        put(ctx, &key, &merged);
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// The HyperLogLog `bytes` with all registers raised to `registers`, which are not below its own.
fn merged(
    bytes: &[u8],
    registers: &Registers,
    becomes_dense: bool,
    sparse_max_bytes: usize,
) -> Result<Vec<u8>, Corrupt> {
    let mut merged = if becomes_dense {
        hyperloglog::dense_with(bytes, registers)
    } else {
        let mut sketch = Sketch::new(bytes, Encoding::Sparse, sparse_max_bytes);
        for (index, value) in registers
            .iter()
            .enumerate()
            .filter(|(_, value)| **value > 0)
        {
            sketch.raise(index, *value)?;
        }
        sketch.into_changed().unwrap_or_else(|| bytes.to_vec())
    };
    hyperloglog::invalidate(&mut merged);
    Ok(merged)
}

fn pfdebug(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let word = args.word()?;
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if is("SIMD") {
        return switch_wide(ctx, args);
    }
    let key = args.key()?;
    let edit = ctx.db.edit::<Str>(&key)?;
    let mut edit = edit.ok_or(Error::Text("ERR The specified key does not exist"))?;
    let (bytes, encoding) = view(edit.string())?;
    let is_sparse = encoding == Encoding::Sparse;
    if is("GETREG") {
        let mut registers = [0; REGISTERS];
        hyperloglog::merge_into(&mut registers, bytes, encoding)?;
        if is_sparse {
            make_dense(&mut edit)?;
            edit.changed(event::UNPUBLISHED);
        }
        ctx.reply.array(REGISTERS);
        for register in registers {
            ctx.reply.integer(i64::from(register));
        }
    } else if is("DECODE") {
        if !is_sparse {
            return Err(Error::Text("ERR HLL encoding is not sparse"));
        }
        let text = hyperloglog::describe(bytes);
        ctx.reply.bulk(text.as_bytes());
    } else if is("ENCODING") {
        ctx.reply.simple(if is_sparse { "sparse" } else { "dense" });
    } else if is("TODENSE") {
        if is_sparse {
            make_dense(&mut edit)?;
            edit.changed(event::UNPUBLISHED);
        }
        ctx.reply.integer(i64::from(is_sparse));
    } else {
        return Err(Error::err(format_args!(
            "Unknown PFDEBUG subcommand '{}'",
            shown(word, SHOWN_MAX)
        )));
    }
    Ok(Flow::Done)
}

/// PFDEBUG SIMD: whether instructions that not every processor has are used.
fn switch_wide(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let on = args.flag("ON");
    if !on && !args.flag("OFF") {
        return Err(Error::Text("ERR Argument must be ON or OFF"));
    }
    six_bit::set_portable_only(!on);
    ctx.reply.simple(if on { "enabled" } else { "disabled" });
    Ok(Flow::Done)
}

/// Makes a sparse HyperLogLog dense; the caller announces it.
fn make_dense(edit: &mut StringEdit<'_>) -> Result<(), Error> {
    let (bytes, _) = view(edit.string())?;
    let dense = hyperloglog::to_dense(bytes)?;
    edit.set(NewString::Raw(&dense));
    Ok(())
}

fn pfselftest(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    match hyperloglog::self_test(&mut ctx.server.random) {
        Ok(()) => ctx.reply.ok(),
        Err(reason) => return Err(Error::Message(format!("TESTFAILED {reason}"))),
    }
    Ok(Flow::Done)
}
