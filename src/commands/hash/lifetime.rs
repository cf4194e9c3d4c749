//! Deadlines of fields: what [`crate::command::member_expiry`] needs of hashes, and HGETEX, HSETEX, HGETDEL, which read
//! or write values with them.

use super::expire_named;
use super::get::read_fields;
use crate::base::number;
use crate::command::error::{SHOWN_MAX, shown};
use crate::command::expiry::{self, Unit};
use crate::command::member_expiry::{self as members, ExpiringMembers, Vocabulary, type_first};
use crate::command::{Args, Ctx, Error, Flow, elements};
use crate::keyspace::edit::Edit;
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::hash::{Hash, HashRef, Lifetime};
use crate::types::{Fate, Limits};

const WORDS: Vocabulary = Vocabulary {
    keyword: "FIELDS",
    noun: "fields",
    count: "numFields",
    expire_at: "HPEXPIREAT",
    remove: "HDEL",
    expires: event::HEXPIRE,
    persists: event::HPERSIST,
    removed: event::HDEL,
};

impl ExpiringMembers for Hash {
    const VOCABULARY: &'static Vocabulary = &WORDS;

    fn deadline_of(view: HashRef<'_>, name: &[u8], now_ms: i64) -> Option<Option<i64>> {
        let field = view.get(name).filter(|field| field.lives(now_ms))?;
        Some(field.deadline)
    }

    fn settle(
        &mut self,
        limits: &Limits,
        name: &[u8],
        fate: impl FnOnce(Option<i64>) -> Fate,
    ) -> Option<Fate> {
        Hash::settle(self, limits.now_ms, name, |field| fate(field.deadline))
    }
}

/// What HGETEX does to the fields that it reads.
fn read_fate(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<Fate, Error> {
    if args.flag("PERSIST") {
        return Ok(Fate::Persist);
    }
    let Some((unit, value)) = expiry::option(args)? else {
        return Ok(Fate::Stay);
    };
    let now_ms = ctx.db.now_ms();
    let deadline = members::deadline(unit, value, ctx.db.wall_ms(), ctx.row.full_name)?;
    Ok(if deadline <= now_ms {
        Fate::Remove
    } else {
        Fate::Expire(deadline)
    })
}

pub(super) fn hgetex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let fate = read_fate(ctx, args).and_then(|fate| {
        if args.left() == 1 {
            // The last word that must come is missing: the count.
            return Err(Error::Arity(ctx.row.full_name.to_owned()));
        }
        members::names_follow(args, &WORDS)?;
        Ok(fate)
    });
    match fate {
        Ok(Fate::Stay) => read_fields(ctx, &key, args),
        Ok(fate) => read_and_settle(ctx, &key, args, fate),
        Err(error) => Err(type_first::<Hash>(ctx, &key, error)),
    }
}

pub(super) fn hgetdel(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    if let Err(error) = members::names_follow(args, &WORDS) {
        return Err(type_first::<Hash>(ctx, &key, error));
    }
    read_and_settle(ctx, &key, args, Fate::Remove)
}

/// Answers the values of all fields that are left in `args`, and does with those that are there what was asked for.
fn read_and_settle(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    args: &mut Args<'_>,
    fate: Fate,
) -> Result<Flow, Error> {
    let names: Vec<&[u8]> = args.rest().collect();
    expire_named(&mut ctx.db, key, names.iter().copied());
    let now_ms = ctx.db.now_ms();
    let Ctx { db, reply, .. } = ctx;
    let edit = db.edit::<Hash>(key)?;
    reply.array(names.len());
    let Some(mut edit) = edit else {
        names.iter().for_each(|_| reply.null());
        return Ok(Flow::Done);
    };
    let hash = edit.value();
    let mut settled: Vec<&[u8]> = Vec::new();
    for name in &names {
        let done = hash.settle(now_ms, name, |field| {
            elements::reply(reply, field.value);
            match fate {
                Fate::Persist if field.deadline.is_none() => Fate::Stay,
                fate => fate,
            }
        });
        match done {
            None => reply.null(),
            Some(Fate::Stay) => {}
            Some(_) => settled.push(name),
        }
    }
    if settled.is_empty() {
        edit.unchanged();
        return Ok(Flow::Done);
    }
    edit.changed(match fate {
        Fate::Expire(_) => event::HEXPIRE,
        Fate::Persist => event::HPERSIST,
        Fate::Remove | Fate::Stay => event::HDEL,
    });
    let propagate = &mut ctx.propagate;
    match fate {
        Fate::Expire(at) => {
            members::propagate_deadline(propagate, &WORDS, key, (at, None), &settled)
        }
        Fate::Remove => members::propagate_removed(propagate, &WORDS, key, &settled),
        Fate::Persist | Fate::Stay => {
            let count = settled.len().to_string();
            let head: [&[u8]; 4] = [b"HPERSIST", key.bytes, b"FIELDS", count.as_bytes()];
            propagate.instead(&[&head, settled.as_slice()].concat());
        }
    }
    Ok(Flow::Done)
}

/// Which fields must be there for HSETEX to do anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// FNX: none of them.
    None,
    /// FXX: all of them.
    All,
}

/// The options of HSETEX.
#[derive(Default)]
struct Options {
    presence: Option<Presence>,
    /// NX: the key must not be there; XX: it must.
    key_exists: Option<bool>,
    lifetime: Option<Lifetime>,
    /// The deadline was not said in Unix milliseconds: the words cannot go out as they are.
    relative: bool,
}

impl Options {
    /// Reads up to the fields and values, which are all words that are left then.
    fn read(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<Self, Error> {
        let mut options = Self::default();
        while !args.flag("FIELDS") {
            if args.flag("FNX") {
                options.take_presence(Presence::None)?;
            } else if args.flag("FXX") {
                options.take_presence(Presence::All)?;
            } else if args.flag("NX") {
                options.take_key_exists(false)?;
            } else if args.flag("XX") {
                options.take_key_exists(true)?;
            } else if args.flag("KEEPTTL") {
                options.take_lifetime(|| Ok(Lifetime::Keep))?;
            } else if let Some((unit, value)) = expiry::option(args)? {
                let wall_ms = ctx.db.wall_ms();
                options.relative = unit != Unit::UnixMilliseconds;
                options.take_lifetime(|| {
                    members::deadline(unit, value, wall_ms, ctx.row.full_name).map(Lifetime::Until)
                })?;
            } else {
                let word = shown(args.word()?, SHOWN_MAX);
                return Err(Error::err(format_args!("unknown argument: {word}")));
            }
        }
        // A count, a field and a value.
        if args.left() < 3 {
            return Err(Error::Arity(ctx.row.full_name.to_owned()));
        }
        let count = number::parse_i64(args.word()?).filter(|count| *count > 0);
        let count = count.and_then(|count| i32::try_from(count).ok());
        let count = count.ok_or(Error::Text("ERR invalid number of fields"))?;
        if i64::from(count) * 2 != args.left() as i64 {
            return Err(Error::Arity(ctx.row.full_name.to_owned()));
        }
        Ok(options)
    }

    fn take_presence(&mut self, presence: Presence) -> Result<(), Error> {
        match self.presence.replace(presence) {
            None => Ok(()),
            Some(_) => Err(Error::Text(
                "ERR Only one of FXX or FNX arguments can be specified",
            )),
        }
    }

    fn take_key_exists(&mut self, exists: bool) -> Result<(), Error> {
        match self.key_exists.replace(exists) {
            Some(other) if other != exists => Err(Error::Syntax),
            _ => Ok(()),
        }
    }

    fn take_lifetime(
        &mut self,
        lifetime: impl FnOnce() -> Result<Lifetime, Error>,
    ) -> Result<(), Error> {
        if self.lifetime.is_some() {
            return Err(Error::Text(
                "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
            ));
        }
        self.lifetime = Some(lifetime()?);
        Ok(())
    }
}

impl Options {
    /// Whether the key and the fields are, or are not, there as they must.
    fn allow(&self, edit: &mut Edit<'_, Hash>, words: &[&[u8]]) -> bool {
        if self
            .key_exists
            .is_some_and(|exists| exists == edit.is_new())
        {
            return false;
        }
        let hash = edit.view();
        let mut names = words.iter().step_by(2);
        match self.presence {
            None => true,
            Some(Presence::None) => names.all(|name| hash.get(name).is_none()),
            Some(Presence::All) => names.all(|name| hash.get(name).is_some()),
        }
    }
}

pub(super) fn hsetex(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let options = Options::read(ctx, args)?;
    let words: Vec<&[u8]> = args.rest().collect();
    let lifetime = options.lifetime.unwrap_or(Lifetime::Forever);
    expire_named(&mut ctx.db, &key, words.iter().step_by(2).copied());
    let now_ms = ctx.db.now_ms();
    let mut edit = ctx.db.edit_or_create::<Hash>(&key)?;
    if !options.allow(&mut edit, &words) {
        ctx.reply.integer(0);
        return Ok(Flow::Done);
    }
    ctx.reply.integer(1);
    if matches!(lifetime, Lifetime::Until(at) if at <= now_ms) {
        let names: Vec<&[u8]> = words.iter().step_by(2).copied().collect();
        delete_instead(edit, &names);
        members::propagate_removed(ctx.propagate, &WORDS, &key, &names);
        return Ok(Flow::Done);
    }
    let (hash, limits) = edit.parts();
    for pair in words.chunks_exact(2) {
        if let [name, value] = pair {
            hash.set(limits, name, value, lifetime);
        }
    }
    if let Lifetime::Until(at) = lifetime {
        edit.also(event::HSET);
        edit.changed(event::HEXPIRE);
        if options.relative {
            propagate_until(ctx, &key, options.presence, at, &words);
        }
    } else {
        edit.changed(event::HSET);
    }
    Ok(Flow::Done)
}

/// Fields that are set with a deadline which has passed would be gone at once: announced is, as in Redis, that they were
/// set and deleted.
fn delete_instead(mut edit: Edit<'_, Hash>, names: &[&[u8]]) {
    let is_new = edit.is_new();
    let hash = edit.value();
    for name in names {
        hash.remove(name);
    }
    edit.also(event::HSET);
    if is_new {
        edit.also(event::HDEL);
        edit.changed(event::DEL);
    } else {
        edit.changed(event::HDEL);
    }
}

/// HSETEX goes out with an absolute deadline.
fn propagate_until(
    ctx: &mut Ctx<'_>,
    key: &Key<'_>,
    presence: Option<Presence>,
    at: i64,
    words: &[&[u8]],
) {
    if !ctx.propagate.is_wanted() {
        return;
    }
    let (at, count) = (at.to_string(), (words.len() / 2).to_string());
    let mut all: Vec<&[u8]> = vec![b"HSETEX", key.bytes];
    all.extend(presence.map(|presence| match presence {
        Presence::None => &b"FNX"[..],
        Presence::All => b"FXX",
    }));
    all.extend([b"PXAT", at.as_bytes(), b"FIELDS", count.as_bytes()]);
    all.extend(words);
    ctx.propagate.instead(&all);
}
