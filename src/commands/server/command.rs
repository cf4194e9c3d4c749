//! COMMAND: the table of commands, told from the rows alone.

use crate::base::glob::glob_match;
use crate::command::help::reply_help;
use crate::command::key_specs::{FoundKey, keys_of, may_have_keys};
use crate::command::row::{Begin, Find, KeySpec, acl, flag, key_flag};
use crate::command::table::{CommandTable, Entry};
use crate::command::{Args, Ctx, Error, Flow};
use crate::resp::reply::Reply;
use crate::resp::request::StoredArgv;

/// The commands that stand on their own and have not been renamed away.
pub(super) fn top_entries(table: &CommandTable) -> impl Iterator<Item = &Entry> {
    let entries = table.entries().map(|(_, entry)| entry);
    entries.filter(|entry| entry.top && !entry.name.is_empty())
}

/// The entries under a container.
pub(super) fn sub_entries<'t>(
    table: &'t CommandTable,
    entry: &'t Entry,
) -> impl ExactSizeIterator<Item = &'t Entry> {
    entry.subcommands.iter().map(|id| table.entry(*id))
}

pub(super) fn all(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let table = &ctx.server.table;
    ctx.reply.array(top_entries(table).count());
    for entry in top_entries(table) {
        describe(&mut ctx.reply, table, entry);
    }
    Ok(Flow::Done)
}

pub(super) fn count(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    let count = top_entries(&ctx.server.table).count();
    ctx.reply.integer(count as i64);
    Ok(Flow::Done)
}

pub(super) fn info(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    if args.is_empty() {
        return all(ctx, args);
    }
    let table = &ctx.server.table;
    let names = args.rest();
    ctx.reply.array(names.len());
    for name in names {
        match table.find_full(name) {
            Some(id) => describe(&mut ctx.reply, table, table.entry(id)),
            None => ctx.reply.null(),
        }
    }
    Ok(Flow::Done)
}

/// The ten elements of a command.
fn describe(reply: &mut Reply<'_>, table: &CommandTable, entry: &Entry) {
    let row = entry.row;
    let (first, last, step) = row.legacy_keys();
    reply.array(10);
    reply.bulk(entry.name.as_bytes());
    reply.integer(i64::from(row.arity));
    statuses(reply, "", named_bits(row.flags, &flag::NAMES));
    [first, last, step]
        .into_iter()
        .for_each(|number| reply.integer(number));
    let categories = row.categories();
    let names = acl::NAMES.iter().enumerate();
    let there = names.filter(|(bit, _)| categories & 1 << bit != 0);
    statuses(reply, "@", there.map(|(_, name)| *name));
    reply.set(row.tips.len());
    row.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(row.keys.len());
    row.keys.iter().for_each(|spec| describe_keys(reply, spec));
    if entry.subcommands.is_empty() {
        reply.set(0);
    } else {
        reply.array(entry.subcommands.len());
    }
    sub_entries(table, entry).for_each(|sub| describe(reply, table, sub));
}

fn named_bits<'n>(
    bits: u32,
    names: &'n [(u32, &'static str)],
) -> impl Iterator<Item = &'static str> + Clone + 'n {
    let there = names.iter().filter(move |(bit, _)| bits & bit != 0);
    there.map(|(_, name)| *name)
}

/// A set of status lines.
pub(super) fn statuses<'n>(
    reply: &mut Reply<'_>,
    prefix: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) {
    reply.set(names.clone().count());
    for name in names {
        reply.simple(&format!("{prefix}{name}"));
    }
}

fn describe_keys(reply: &mut Reply<'_>, spec: &KeySpec) {
    let has_notes = !spec.notes.is_empty();
    reply.map(3 + usize::from(has_notes));
    if has_notes {
        reply.bulk(b"notes");
        reply.bulk(spec.notes.as_bytes());
    }
    reply.bulk(b"flags");
    statuses(reply, "", named_bits(spec.flags, &key_flag::NAMES));
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(at) => search_step(reply, "index", &[("index", at as i64)]),
        Begin::Keyword(keyword, from) => {
            search_head(reply, "keyword", 2);
            reply.bulk(b"keyword");
            reply.bulk(keyword.as_bytes());
            reply.bulk(b"startfrom");
            reply.integer(i64::from(from));
        }
        Begin::Unknown => search_step(reply, "unknown", &[]),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            let numbers = [
                ("lastkey", i64::from(last)),
                ("keystep", step as i64),
                ("limit", limit as i64),
            ];
            search_step(reply, "range", &numbers);
        }
        Find::Count {
            count_at,
            first,
            step,
        } => {
            let numbers = [
                ("keynumidx", count_at as i64),
                ("firstkey", first as i64),
                ("keystep", step as i64),
            ];
            search_step(reply, "keynum", &numbers);
        }
        Find::Unknown => search_step(reply, "unknown", &[]),
    }
}

fn search_head(reply: &mut Reply<'_>, kind: &str, numbers: usize) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(numbers);
}

fn search_step(reply: &mut Reply<'_>, kind: &str, numbers: &[(&str, i64)]) {
    search_head(reply, kind, numbers.len());
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(*number);
    }
}

/// What COMMAND LIST leaves out.
enum Filter<'a> {
    None,
    /// Commands of a module; there are no modules.
    Module,
    /// Bits of [`acl`]; `None`: there is no such category.
    Category(Option<u32>),
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    fn accepts(&self, entry: &Entry) -> bool {
        match self {
            Filter::None => true,
            Filter::Module => false,
            Filter::Category(bits) => bits.is_some_and(|bits| entry.row.categories() & bits != 0),
            Filter::Pattern(pattern) => glob_match(pattern, entry.name.as_bytes(), true),
        }
    }
}

pub(super) fn list(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let filter = if args.is_empty() {
        Filter::None
    } else if !args.flag("FILTERBY") {
        return Err(Error::Syntax);
    } else if args.value_of("MODULE")?.is_some() {
        Filter::Module
    } else if let Some(name) = args.value_of("ACLCAT")? {
        let is_it = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        Filter::Category(
            acl::NAMES
                .iter()
                .position(|known| is_it(known))
                .map(|bit| 1 << bit),
        )
    } else if let Some(pattern) = args.value_of("PATTERN")? {
        Filter::Pattern(pattern)
    } else {
        return Err(Error::Syntax);
    };
    args.finish()?;
    let table = &ctx.server.table;
    let found = top_entries(table)
        .flat_map(|entry| std::iter::once(entry).chain(sub_entries(table, entry)))
        .filter(|entry| filter.accepts(entry));
    let later = ctx.reply.array_later();
    let mut count = 0;
    for entry in found {
        ctx.reply.bulk(entry.name.as_bytes());
        count += 1;
    }
    ctx.reply.finish(later, count);
    Ok(Flow::Done)
}

pub(super) fn getkeys(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (command, keys) = find_keys(ctx, args)?;
    ctx.reply.array(keys.len());
    for (at, _) in keys {
        ctx.reply.bulk(command.argv().word(at));
    }
    Ok(Flow::Done)
}

pub(super) fn getkeysandflags(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let (command, keys) = find_keys(ctx, args)?;
    ctx.reply.array(keys.len());
    for (at, flags) in keys {
        ctx.reply.array(2);
        ctx.reply.bulk(command.argv().word(at));
        statuses(&mut ctx.reply, "", named_bits(flags, &key_flag::NAMES));
    }
    Ok(Flow::Done)
}

/// The command that the words which are left make, and its keys.
fn find_keys(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<(StoredArgv, Vec<FoundKey>), Error> {
    let command = StoredArgv::from_words(args.rest());
    let argv = command.argv();
    let table = &ctx.server.table;
    let name = argv.get(0).unwrap_or_default();
    let id = table.resolve(name, argv.get(1));
    let row = id.map(|id| table.entry(id).row);
    // A container with a word that is none of its subcommands is no command.
    let row = row.filter(|row| row.subcommands.is_empty() || argv.len() == 1);
    let row = row.ok_or(Error::Text("ERR Invalid command specified"))?;
    if !may_have_keys(row) {
        return Err(Error::Text("ERR The command has no key arguments"));
    }
    if !row.accepts(argv.len()) {
        return Err(Error::Text(
            "ERR Invalid number of arguments specified for command",
        ));
    }
    let keys = match keys_of(row, argv) {
        Ok(keys) => keys,
        // Words that name no keys may still be a command that needs none.
        Err(_) if row.is(flag::NO_MANDATORY_KEYS) => Vec::new(),
        Err(error) => return Err(Error::Message(error.to_string())),
    };
    Ok((command, keys))
}

pub(super) fn help(ctx: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Ok(reply_help(
        ctx,
        &[
            "(no subcommand)",
            "    Return details about all Redis commands.",
            "COUNT",
            "    Return the total number of commands in this Redis server.",
            "LIST",
            "    Return a list of all commands in this Redis server.",
            "INFO [<command-name> ...]",
            "    Return details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "DOCS [<command-name> ...]",
            "    Return documentation details about multiple Redis commands.",
            "    If no command names are given, documentation details for all",
            "    commands are returned.",
            "GETKEYS <full-command>",
            "    Return the keys from a full Redis command.",
            "GETKEYSANDFLAGS <full-command>",
            "    Return the keys and the access flags from a full Redis command.",
        ],
    ))
}
