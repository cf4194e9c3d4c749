//! XGROUP: groups and their consumers come, go, and are set back.

use super::ids::parse_id;
use crate::command::error::shown;
use crate::command::help::{reply_help, wrong_words};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::Database;
use crate::keyspace::edit::Edit;
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::stream::{Group, Stream, StreamId};

/// `id` or `$`.
fn parse_position(word: &[u8], stream: &Stream) -> Result<StreamId, Error> {
    match word {
        b"$" => Ok(stream.log.last_id),
        _ => parse_id(word),
    }
}

/// What may follow the id of XGROUP CREATE and SETID.
#[derive(Default)]
struct Options {
    create_stream: bool,
    /// ENTRIESREAD: how many entries were read up to there; the inner `None`: not known.
    entries_read: Option<Option<u64>>,
}

impl Options {
    fn read(args: &mut Args<'_>, may_create: bool) -> Result<Self, Error> {
        // Repeated options are taken, but no more words than all options once have.
        let words_max = if may_create { 3 } else { 2 };
        if args.left() > words_max {
            return Err(wrong_words(args));
        }
        let mut options = Options::default();
        while !args.is_empty() {
            if may_create && args.flag("MKSTREAM") {
                options.create_stream = true;
            } else if args.left() >= 2 && args.flag("ENTRIESREAD") {
                options.entries_read = Some(match args.int()? {
                    -1 => None,
                    ..-1 => {
                        return Err(Error::Text(
                            "ERR value for ENTRIESREAD must be positive or -1",
                        ));
                    }
                    read => Some(read.unsigned_abs()),
                });
            } else {
                return Err(wrong_words(args));
            }
        }
        Ok(options)
    }
}

fn key_required() -> Error {
    Error::Text(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
    )
}

/// There is no such group of a key that is there.
pub(super) fn no_group_of(key: &[u8], group: &[u8]) -> Error {
    Error::Message(format!(
        "NOGROUP No such consumer group '{}' for key name '{}'",
        shown(group, usize::MAX),
        shown(key, usize::MAX)
    ))
}

/// The stream of a subcommand that needs one and a group of it.
fn edit_group<'k>(
    db: &'k mut Database<'_>,
    key: &Key<'k>,
    name: &[u8],
) -> Result<Edit<'k, Stream>, Error> {
    let edit = db.edit::<Stream>(key)?;
    let mut edit = edit.ok_or_else(key_required)?;
    if !edit.view().groups.contains_key(name) {
        return Err(no_group_of(key.bytes, name));
    }
    Ok(edit)
}

pub(super) fn create(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, position) = (args.key()?, args.word()?, args.word()?);
    let options = Options::read(args, true)?;
    let mut edit = ctx.db.edit_or_create::<Stream>(&key)?;
    if edit.is_new() && !options.create_stream {
        return Err(key_required());
    }
    let last_id = parse_position(position, edit.view())?;
    if edit.view().groups.contains_key(name) {
        return Err(Error::Text("BUSYGROUP Consumer Group name already exists"));
    }
    let group = Group::new(last_id, options.entries_read.flatten());
    edit.value().groups.insert(name.into(), group);
    edit.changed(event::XGROUP_CREATE);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn setid(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, position) = (args.key()?, args.word()?, args.word()?);
    let options = Options::read(args, false)?;
    let mut edit = edit_group(&mut ctx.db, &key, name)?;
    let last_id = match position {
        b"-" => StreamId::MIN,
        b"+" => StreamId::MAX,
        _ => parse_position(position, edit.view())?,
    };
    if let Some(group) = edit.value().groups.get_mut(name) {
        group.last_id = last_id;
        group.entries_read = options.entries_read.flatten();
    }
    edit.changed(event::XGROUP_SETID);
    ctx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn destroy(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name) = (args.key()?, args.word()?);
    let edit = ctx.db.edit::<Stream>(&key)?;
    let mut edit = edit.ok_or_else(key_required)?;
    let is_there = edit.view().groups.contains_key(name);
    if is_there {
        edit.value().groups.remove(name);
        edit.changed(event::XGROUP_DESTROY);
    }
    ctx.reply.integer(i64::from(is_there));
    Ok(Flow::Done)
}

pub(super) fn createconsumer(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let now_ms = ctx.db.wall_ms();
    let (key, name, consumer) = (args.key()?, args.word()?, args.word()?);
    let mut edit = edit_group(&mut ctx.db, &key, name)?;
    let group = edit.value().groups.get_mut(name);
    let is_new = group.is_some_and(|group| {
        let is_new = group.find(consumer).is_none();
        if is_new {
            group.add_consumer(consumer, now_ms);
        }
        is_new
    });
    if is_new {
        edit.changed(event::XGROUP_CREATECONSUMER);
    } else {
        edit.unchanged();
    }
    ctx.reply.integer(i64::from(is_new));
    Ok(Flow::Done)
}

pub(super) fn delconsumer(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (key, name, consumer) = (args.key()?, args.word()?, args.word()?);
    let mut edit = edit_group(&mut ctx.db, &key, name)?;
    let group = edit.value().groups.get_mut(name);
    let pending = group.and_then(|group| group.remove_consumer(consumer));
    if pending.is_some() {
        edit.changed(event::XGROUP_DELCONSUMER);
    } else {
        edit.unchanged();
    }
    let pending = i64::try_from(pending.unwrap_or(0)).unwrap_or(i64::MAX);
    ctx.reply.integer(pending);
    Ok(Flow::Done)
}

pub(super) fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "CREATE <key> <groupname> <id|$> [option]",
            "    Create a new consumer group. Options are:",
            "    * MKSTREAM",
            "      Create the empty stream if it does not exist.",
            "    * ENTRIESREAD entries_read",
            "      Set the group's entries_read counter (internal use).",
            "CREATECONSUMER <key> <groupname> <consumer>",
            "    Create a new consumer in the specified group.",
            "DELCONSUMER <key> <groupname> <consumer>",
            "    Remove the specified consumer.",
            "DESTROY <key> <groupname>",
            "    Remove the specified group.",
            "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
            "    Set the current group ID and entries_read counter.",
        ],
    ))
}
