//! Streams: entries under growing ids, and groups of consumers that share them.
//!
//! `add` adds and trims (`trimming` is the grammar of both), `range` reads by id, `read` and `readgroup` read on and wait,
//! `delete` deletes and acknowledges, `groups` has XGROUP, `claim` and `pending` what consumers owe, `info` XINFO,
//! `settings` what else a stream knows. `ids` reads ids, `entries` answers entries, `told` is what goes out of groups.

mod add;
mod claim;
mod delete;
mod entries;
mod groups;
mod ids;
mod info;
mod pending;
mod range;
mod read;
mod readgroup;
mod settings;
mod told;
mod trimming;

use crate::command::help::container;
use crate::command::row::{Begin, Find, Group, KeySpec, Row, acl, flag, key_flag};

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const UPDATED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)];
const DELETED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::DELETE)];
const READ_SECOND: &[KeySpec] = &[KeySpec::one(2, key_flag::RO | key_flag::ACCESS)];
const INSERTED_SECOND: &[KeySpec] = &[KeySpec::one(2, key_flag::RW | key_flag::INSERT)];
const UPDATED_SECOND: &[KeySpec] = &[KeySpec::one(2, key_flag::RW | key_flag::UPDATE)];
const DELETED_SECOND: &[KeySpec] = &[KeySpec::one(2, key_flag::RW | key_flag::DELETE)];
const ADDED: &[KeySpec] = &[KeySpec {
    notes: "UPDATE instead of INSERT because of the optional trimming feature",
    ..KeySpec::one(1, key_flag::RW | key_flag::UPDATE)
}];

/// The keys after STREAMS: the first half of the words.
const fn streams(from: i32) -> KeySpec {
    KeySpec {
        begin: Begin::Keyword("STREAMS", from),
        find: Find::Range {
            last: -1,
            step: 1,
            limit: 2,
        },
        flags: key_flag::RO | key_flag::ACCESS,
        notes: "",
    }
}

const NONDETERMINISTIC: &[&str] = &["nondeterministic_output"];
const EACH_ID: &str = "O(1) for each message ID processed.";
const EACH_DELETED: &str =
    "O(1) for each single item to delete in the stream, regardless of the stream size.";
const RETURNED_BACKWARDS: &str = "O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).";
const RETURNED: &str = "O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).";

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("xack", Group::Stream, -4, delete::xack)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STREAM)
        .about("5.0.0", EACH_ID, "Acknowledges pending entries of a group; returns how many there were.")
        .syntax("key group id..."),
    Row::new("xackdel", Group::Stream, -6, delete::xackdel)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::UPDATE | key_flag::DELETE)])
        .acl(acl::STREAM)
        .about("8.2.0", EACH_ID, "Acknowledges pending entries of a group and deletes them from the stream.")
        .syntax("key group [condition:( KEEPREF | DELREF | ACKED )] IDS ids:( numids:integer id... )"),
    Row::new("xadd", Group::Stream, -5, add::xadd)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(ADDED)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.", "Adds an entry at the end of a stream, which comes into being if need be.")
        .syntax("key [NOMKSTREAM^6.2.0] [condition:( KEEPREF | DELREF | ACKED )^8.2.0] [idmp:( IDMPAUTO producer-id | IDMP idmp:( producer-id idempotent-id ) )^8.6.0] [trim:( strategy:( MAXLEN | MINID^6.2.0 ) [operator:( equal:= | approximately:~ )] threshold [LIMIT^6.2.0 count:integer] )] id-selector:( auto-id:* | id ) data:( field value )...")
        .tips(NONDETERMINISTIC)
        .history(&[
            ("6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
            ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
            ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
            ("8.6.0", "Added the `IDMP` and `IDMPAUTO` options."),
        ]),
    Row::new("xautoclaim", Group::Stream, -6, claim::xautoclaim)
        .flags(flag::WRITE | flag::FAST)
        .keys(DELETED)
        .acl(acl::STREAM)
        .about("6.2.0", "O(1) if COUNT is small.", "Takes over pending entries that have been idle for long, in the order of their ids.")
        .syntax("key group consumer min-idle-time start [COUNT count:integer] [JUSTID]")
        .tips(NONDETERMINISTIC)
        .history(&[("7.0.0", "Added an element to the reply array, containing deleted entries the command cleared from the PEL")]),
    Row::new("xcfgset", Group::Stream, -2, settings::xcfgset)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STREAM)
        .about("8.6.0", "O(1)", "Sets how long and how many ids of producers a stream remembers.")
        .syntax("key [IDMP-DURATION idmp-duration:integer] [IDMP-MAXSIZE idmp-maxsize:integer]"),
    Row::new("xclaim", Group::Stream, -6, claim::xclaim)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STREAM)
        .about("5.0.0", "O(log N) with N being the number of messages in the PEL of the consumer group.", "Takes over pending entries, as if they had been delivered to this consumer.")
        .syntax("key group consumer min-idle-time id... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]")
        .tips(NONDETERMINISTIC),
    Row::new("xdel", Group::Stream, -3, delete::xdel)
        .flags(flag::WRITE | flag::FAST)
        .keys(DELETED)
        .acl(acl::STREAM)
        .about("5.0.0", EACH_DELETED, "Deletes entries of a stream; returns how many there were.")
        .syntax("key id..."),
    Row::new("xdelex", Group::Stream, -5, delete::xdelex)
        .flags(flag::WRITE | flag::FAST)
        .keys(DELETED)
        .acl(acl::STREAM)
        .about("8.2.0", EACH_DELETED, "Deletes entries of a stream, with or without what groups have pending of them.")
        .syntax("key [condition:( KEEPREF | DELREF | ACKED )] IDS ids:( numids:integer id... )"),
    Row::new("xgroup", Group::Stream, -2, container)
        .about("5.0.0", "Depends on subcommand.", "Commands about consumer groups.")
        .subcommands(XGROUP),
    Row::new("xidmprecord", Group::Stream, 5, settings::xidmprecord)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STREAM)
        .about("8.6.2", "O(1)", "Has a stream remember under which id a producer has sent an entry.")
        .syntax("key pid iid stream-id"),
    Row::new("xinfo", Group::Stream, -2, container)
        .about("5.0.0", "Depends on subcommand.", "Commands that tell what streams and groups are.")
        .subcommands(XINFO),
    Row::new("xlen", Group::Stream, 2, range::xlen)
        .flags(flag::READONLY | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RO)])
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Returns the number of entries of a stream.")
        .syntax("key"),
    Row::new("xnack", Group::Stream, -7, claim::xnack)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STREAM)
        .about("8.8.0", EACH_ID, "Gives pending entries back to their group, for another consumer to take.")
        .syntax("key group mode:( SILENT | FAIL | FATAL ) IDS ids:( numids:integer id... ) [RETRYCOUNT count:integer] [FORCE]"),
    Row::new("xpending", Group::Stream, -3, pending::xpending)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::STREAM)
        .about("5.0.0", "O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.", "Returns what consumers of a group have and not yet acknowledged.")
        .syntax("key group [filters:( [IDLE^6.2.0 min-idle-time:integer] start end count:integer [consumer] )]")
        .tips(NONDETERMINISTIC)
        .history(&[("6.2.0", "Added the `IDLE` option and exclusive range intervals.")]),
    Row::new("xrange", Group::Stream, -4, range::xrange)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::STREAM)
        .about("5.0.0", RETURNED, "Returns the entries between two ids.")
        .syntax("key start end [COUNT count:integer]")
        .history(&[("6.2.0", "Added exclusive ranges.")]),
    Row::new("xread", Group::Stream, -4, read::xread)
        .flags(flag::READONLY | flag::BLOCKING | flag::MOVABLEKEYS)
        .keys(&[streams(1)])
        .acl(acl::STREAM)
        .about("5.0.0", "", "Returns the entries of several streams after given ids, and waits for them if there are none.")
        .syntax("[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams:( key... id... )"),
    Row::new("xreadgroup", Group::Stream, -7, readgroup::xreadgroup)
        .flags(flag::WRITE | flag::BLOCKING | flag::MOVABLEKEYS)
        .keys(&[streams(4)])
        .acl(acl::STREAM)
        .about("5.0.0", "For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.", "Delivers the entries of several streams to a consumer of a group, and waits for them if there are none.")
        .syntax("GROUP group-block:( group consumer ) [COUNT count:integer] [BLOCK milliseconds:integer] [CLAIM^8.4.0 min-idle-time:integer] [NOACK] STREAMS streams:( key... id... )")
        .history(&[("8.4.0", "Added the `CLAIM` option.")]),
    Row::new("xrevrange", Group::Stream, -4, range::xrevrange)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::STREAM)
        .about("5.0.0", RETURNED_BACKWARDS, "Returns the entries between two ids, the last first.")
        .syntax("key end start [COUNT count:integer]")
        .history(&[("6.2.0", "Added exclusive ranges.")]),
    Row::new("xsetid", Group::Stream, -3, settings::xsetid)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Sets the last id of a stream, for replication.")
        .syntax("key last-id [ENTRIESADDED^7.0.0 entries-added:integer] [MAXDELETEDID^7.0.0 max-deleted-id]")
        .history(&[("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")]),
    Row::new("xtrim", Group::Stream, -4, add::xtrim)
        .flags(flag::WRITE)
        .keys(DELETED)
        .acl(acl::STREAM)
        .about("5.0.0", "O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.", "Deletes entries from the beginning of a stream.")
        .syntax("key trim:( strategy:( MAXLEN | MINID^6.2.0 ) [operator:( equal:= | approximately:~ )] threshold [LIMIT^6.2.0 count:integer] ) [condition:( KEEPREF | DELREF | ACKED )^8.2.0]")
        .tips(NONDETERMINISTIC)
        .history(&[
            ("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."),
            ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
        ]),
];

const XGROUP: &[Row] = &[
    Row::sub("create", "xgroup|create", Group::Stream, -5, groups::create)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(INSERTED_SECOND)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Creates a consumer group.")
        .syntax(
            r#"key group id-selector:( id | new-id:$ ) [MKSTREAM] [ENTRIESREAD entriesread="entries-read":integer]"#,
        )
        .history(&[("7.0.0", "Added the `entries_read` named argument.")]),
    Row::sub(
        "createconsumer",
        "xgroup|createconsumer",
        Group::Stream,
        5,
        groups::createconsumer,
    )
    .flags(flag::WRITE | flag::DENYOOM)
    .keys(INSERTED_SECOND)
    .acl(acl::STREAM)
    .about("6.2.0", "O(1)", "Creates a consumer in a group.")
    .syntax("key group consumer"),
    Row::sub(
        "delconsumer",
        "xgroup|delconsumer",
        Group::Stream,
        5,
        groups::delconsumer,
    )
    .flags(flag::WRITE)
    .keys(DELETED_SECOND)
    .acl(acl::STREAM)
    .about(
        "5.0.0",
        "O(1)",
        "Deletes a consumer of a group, with what it has pending.",
    )
    .syntax("key group consumer"),
    Row::sub(
        "destroy",
        "xgroup|destroy",
        Group::Stream,
        4,
        groups::destroy,
    )
    .flags(flag::WRITE)
    .keys(DELETED_SECOND)
    .acl(acl::STREAM)
    .about(
        "5.0.0",
        "O(N) where N is the number of entries in the group's pending entries list (PEL).",
        "Deletes a consumer group.",
    )
    .syntax("key group"),
    Row::sub("help", "xgroup|help", Group::Stream, 2, groups::help)
        .flags(flag::LOADING | flag::STALE)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Tells about the subcommands."),
    Row::sub("setid", "xgroup|setid", Group::Stream, -5, groups::setid)
        .flags(flag::WRITE)
        .keys(UPDATED_SECOND)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Sets up to where a group counts as read.")
        .syntax(r#"key group id-selector:( id | new-id:$ ) [ENTRIESREAD entriesread="entries-read":integer]"#)
        .history(&[("7.0.0", "Added the optional `entries_read` argument.")]),
];

const XINFO: &[Row] = &[
    Row::sub("consumers", "xinfo|consumers", Group::Stream, 4, info::consumers)
        .flags(flag::READONLY)
        .keys(READ_SECOND)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Returns the consumers of a group.")
        .syntax("key group")
        .tips(NONDETERMINISTIC)
        .history(&[("7.2.0", "Added the `inactive` field, and changed the meaning of `idle`.")]),
    Row::sub("groups", "xinfo|groups", Group::Stream, 3, info::groups)
        .flags(flag::READONLY)
        .keys(READ_SECOND)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Returns the consumer groups of a stream.")
        .syntax("key")
        .history(&[("7.0.0", "Added the `entries-read` and `lag` fields")]),
    Row::sub("help", "xinfo|help", Group::Stream, 2, info::help)
        .flags(flag::LOADING | flag::STALE)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Tells about the subcommands."),
    Row::sub("stream", "xinfo|stream", Group::Stream, -3, info::stream)
        .flags(flag::READONLY)
        .keys(READ_SECOND)
        .acl(acl::STREAM)
        .about("5.0.0", "O(1)", "Returns what a stream is, with all its groups if wanted.")
        .syntax("key [full-block:( FULL [COUNT count:integer] )]")
        .history(&[
            ("6.0.0", "Added the `FULL` modifier."),
            ("7.0.0", "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag` fields"),
            ("7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."),
            ("8.6.0", "Added the `idmp-duration`, `idmp-maxsize`, `pids-tracked`, `iids-tracked`, `iids-added` and `iids-duplicates` fields, of streams that use them."),
            ("8.8.0", "Added the `nacked-count` field, of groups that have such entries."),
        ]),
];
