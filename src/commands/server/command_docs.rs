//! COMMAND DOCS: what people read about commands, from the rows and from the notation of their arguments.

use super::command::{statuses, sub_entries, top_entries};
use crate::command::row::Row;
use crate::command::table::{CommandTable, Entry};
use crate::command::{Args, Ctx, Error, Flow};
use crate::commands::docs::{Argument, Kind, parse};
use crate::resp::reply::Reply;

pub(super) fn docs(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let table = &ctx.server.table;
    let entries: Vec<&Entry> = if args.is_empty() {
        top_entries(table).collect()
    } else {
        let found = args.rest().filter_map(|name| table.find_full(name));
        found.map(|id| table.entry(id)).collect()
    };
    ctx.reply.map(entries.len());
    for entry in entries {
        describe(&mut ctx.reply, table, entry);
    }
    Ok(Flow::Done)
}

/// A map being written: only what there is gets a key.
struct Map<'r, 'o> {
    reply: &'r mut Reply<'o>,
    pairs: usize,
}

impl Map<'_, '_> {
    /// Begins a pair; its value must follow.
    fn key(&mut self, name: &str) -> &mut Self {
        self.pairs += 1;
        self.reply.bulk(name.as_bytes());
        self
    }

    /// A pair, unless the text is empty.
    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.key(name).reply.bulk(text.as_bytes());
        }
    }

    fn optional(&mut self, name: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.key(name).reply.bulk(text.as_bytes());
        }
    }
}

/// Writes a map whose number of pairs is known when it is done.
fn write_map(reply: &mut Reply<'_>, write: impl FnOnce(&mut Map<'_, '_>)) {
    let later = reply.map_later();
    let mut map = Map { reply, pairs: 0 };
    write(&mut map);
    let pairs = map.pairs;
    reply.finish(later, pairs);
}

/// A command's name and its map.
fn describe(reply: &mut Reply<'_>, table: &CommandTable, entry: &Entry) {
    let row = entry.row;
    reply.bulk(entry.name.as_bytes());
    write_map(reply, |map| {
        map.text("summary", row.summary);
        map.text("since", row.since);
        map.text("group", row.group.name());
        map.text("complexity", row.complexity);
        let deprecated = row.deprecated.map(|_| "deprecated");
        let doc_flags = || deprecated.into_iter().chain(row.system.then_some("syscmd"));
        if doc_flags().next().is_some() {
            statuses(map.key("doc_flags").reply, "", doc_flags());
        }
        if let Some((since, replaced_by)) = row.deprecated {
            map.text("deprecated_since", since);
            map.text("replaced_by", replaced_by);
        }
        describe_history(map, row);
        // A test reads every row's notation, so none is broken.
        let arguments = parse(row.syntax).unwrap_or_default();
        describe_arguments(map, row, &arguments);
        if !entry.subcommands.is_empty() {
            let reply = &mut *map.key("subcommands").reply;
            reply.map(entry.subcommands.len());
            sub_entries(table, entry).for_each(|sub| describe(reply, table, sub));
        }
    });
}

fn describe_history(map: &mut Map<'_, '_>, row: &Row) {
    if row.history.is_empty() {
        return;
    }
    let reply = &mut *map.key("history").reply;
    reply.set(row.history.len());
    for (version, change) in row.history {
        reply.array(2);
        reply.bulk(version.as_bytes());
        reply.bulk(change.as_bytes());
    }
}

fn describe_arguments(map: &mut Map<'_, '_>, row: &Row, arguments: &[Argument]) {
    if arguments.is_empty() {
        return;
    }
    let reply = &mut *map.key("arguments").reply;
    reply.array(arguments.len());
    for argument in arguments {
        write_map(reply, |map| describe_argument(map, row, argument));
    }
}

fn describe_argument(map: &mut Map<'_, '_>, row: &Row, argument: &Argument) {
    map.text("name", &argument.name);
    map.text("type", argument.kind.name());
    if !matches!(argument.kind, Kind::OneOf | Kind::Block) {
        map.optional("display_text", argument.display.as_ref());
    }
    if let Some(spec) = argument.key_spec.filter(|spec| *spec < row.keys.len()) {
        map.key("key_spec_index").reply.integer(spec as i64);
    }
    map.optional("token", argument.token.as_ref());
    map.optional("since", argument.since.as_ref());
    map.optional("deprecated_since", argument.deprecated_since.as_ref());
    let flags = [
        (argument.optional, "optional"),
        (argument.multiple, "multiple"),
        (argument.multiple_token, "multiple_token"),
    ];
    let there = flags.iter().filter(|flag| flag.0).map(|flag| flag.1);
    if there.clone().next().is_some() {
        statuses(map.key("flags").reply, "", there);
    }
    describe_arguments(map, row, &argument.children);
}
