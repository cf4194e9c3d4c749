//! Keys of any type, and whole databases.
//!
//! `delete` removes and counts keys, `expire` has deadlines, `scan` finds keys, `rename` moves and copies them, `object`
//! looks at how they are kept, `flush` is about whole databases, `payload` makes bytes of values and back, `migrate` moves
//! keys to other servers.

mod delete;
mod expire;
mod flush;
mod migrate;
mod object;
mod payload;
mod rename;
mod scan;

use crate::base::number;
use crate::command::Error;
use crate::command::row::{Begin, Find, Group, KeySpec, Row, acl, flag, key_flag};

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const SEEN: &[KeySpec] = &[KeySpec::range(1, -1, 1, key_flag::RO)];
const REMOVED: &[KeySpec] = &[KeySpec::range(1, -1, 1, key_flag::RM | key_flag::DELETE)];
const UPDATED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)];
const COPIED: &[KeySpec] = &[
    KeySpec::one(1, key_flag::RO | key_flag::ACCESS),
    KeySpec::one(2, key_flag::OW | key_flag::UPDATE),
];
const RENAMED: &[KeySpec] = &[
    KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE),
    KeySpec::one(2, key_flag::OW | key_flag::UPDATE),
];
const RENAMED_IF_FREE: &[KeySpec] = &[
    KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE),
    KeySpec::one(2, key_flag::OW | key_flag::INSERT),
];
const OBJECT_KEY: &[KeySpec] = &[KeySpec::one(2, key_flag::RO)];
const ALL_SHARDS_SUM: &[&str] = &["request_policy:multi_shard", "response_policy:agg_sum"];
const CONDITIONS_HISTORY: &[(&str, &str)] =
    &[("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")];
const FLUSH_HISTORY: &[(&str, &str)] = &[
    ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
    ("6.2.0", "Added the `SYNC` flushing mode modifier."),
];

const DEL: Row = Row::new("del", Group::Generic, -2, delete::del)
        .flags(flag::WRITE)
        .keys(REMOVED)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).", "Removes keys.")
        .syntax("key...")
        .tips(ALL_SHARDS_SUM);

const RESTORE: Row = Row::new("restore", Group::Generic, -4, payload::restore)
    .flags(flag::WRITE | flag::DENYOOM)
    .keys(&[KeySpec::one(1, key_flag::OW | key_flag::UPDATE)])
    .acl(acl::KEYSPACE | acl::DANGEROUS)
    .about("2.6.0", "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).", "Gives a key the value in a payload of DUMP.")
    .syntax("key ttl:integer serialized-value [REPLACE]^3.0.0 [ABSTTL]^5.0.0 [IDLETIME seconds:integer]^5.0.0 [FREQ frequency:integer]^5.0.0")
    .history(&[
        ("3.0.0", "Added the `REPLACE` modifier."),
        ("5.0.0", "Added the `ABSTTL` modifier."),
        ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
    ]);

const RESTORE_ASKING: Row = Row::new("restore-asking", Group::Server, -4, payload::restore)
    .flags(flag::WRITE | flag::DENYOOM | flag::ASKING)
    .keys(&[KeySpec::one(1, key_flag::OW | key_flag::UPDATE)])
    .acl(acl::KEYSPACE | acl::DANGEROUS)
    .about("3.0.0", "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).", "RESTORE to a cluster's node that imports the key's slot.")
    .syntax("key ttl:integer serialized-value [REPLACE]^3.0.0 [ABSTTL]^5.0.0 [IDLETIME seconds:integer]^5.0.0 [FREQ frequency:integer]^5.0.0")
    .history(&[
        ("3.0.0", "Added the `REPLACE` modifier."),
        ("5.0.0", "Added the `ABSTTL` modifier."),
        ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
    ])
    .system();

const MIGRATED: &[KeySpec] = &[
    KeySpec::one(3, key_flag::RW | key_flag::ACCESS | key_flag::DELETE),
    KeySpec {
        begin: Begin::Keyword("KEYS", -2),
        find: Find::Range {
            last: -1,
            step: 1,
            limit: 0,
        },
        flags: key_flag::RW | key_flag::ACCESS | key_flag::DELETE | key_flag::INCOMPLETE,
        notes: "",
    },
];

const OBJECT_ROWS: &[Row] = &[
    Row::sub(
        "encoding",
        "object|encoding",
        Group::Generic,
        3,
        object::encoding,
    )
    .flags(flag::READONLY)
    .keys(OBJECT_KEY)
    .acl(acl::KEYSPACE)
    .about("2.2.3", "O(1)", "How a key's value is kept in memory.")
    .syntax("key")
    .tips(&["nondeterministic_output"]),
    Row::sub("freq", "object|freq", Group::Generic, 3, object::freq)
        .flags(flag::READONLY)
        .keys(OBJECT_KEY)
        .acl(acl::KEYSPACE)
        .about(
            "4.0.0",
            "O(1)",
            "How often a key is used, on a logarithmic scale.",
        )
        .syntax("key")
        .tips(&["nondeterministic_output"]),
    Row::sub("help", "object|help", Group::Generic, 2, object::help)
        .flags(flag::LOADING | flag::STALE)
        .acl(acl::KEYSPACE)
        .about("6.2.0", "O(1)", "Answers what the subcommands do."),
    Row::sub(
        "idletime",
        "object|idletime",
        Group::Generic,
        3,
        object::idletime,
    )
    .flags(flag::READONLY)
    .keys(OBJECT_KEY)
    .acl(acl::KEYSPACE)
    .about("2.2.3", "O(1)", "Seconds since a key was used.")
    .syntax("key")
    .tips(&["nondeterministic_output"]),
    Row::sub(
        "refcount",
        "object|refcount",
        Group::Generic,
        3,
        object::refcount,
    )
    .flags(flag::READONLY)
    .keys(OBJECT_KEY)
    .acl(acl::KEYSPACE)
    .about("2.2.3", "O(1)", "References that a key's value has.")
    .syntax("key")
    .tips(&["nondeterministic_output"]),
];

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("copy", Group::Generic, -3, rename::copy)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(COPIED)
        .acl(acl::KEYSPACE)
        .about("6.2.0", "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.", "Gives another key a copy of a key's value.")
        .syntax("source:key destination:key@1 [DB destination-db:integer] [REPLACE]"),
    Row::new("dbsize", Group::Server, 1, scan::dbsize)
        .flags(flag::READONLY | flag::FAST)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Answers how many keys the database has.")
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    DEL,
    DEL.named("delete"),
    Row::new("dump", Group::Generic, 2, payload::dump)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::KEYSPACE)
        .about("2.6.0", "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).", "Answers a key's value as bytes that RESTORE reads.")
        .syntax("key")
        .tips(&["nondeterministic_output"]),
    Row::new("exists", Group::Generic, -2, delete::exists)
        .flags(flag::READONLY | flag::FAST)
        .keys(SEEN)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(N) where N is the number of keys to check.", "Answers how many of the keys exist.")
        .syntax("key...")
        .tips(ALL_SHARDS_SUM)
        .history(&[("3.0.3", "Accepts multiple `key` arguments.")]),
    Row::new("expire", Group::Generic, -3, expire::expire)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Lets a key live for so many seconds.")
        .syntax("key seconds:integer [condition:( NX | XX | GT | LT )]^7.0.0")
        .history(CONDITIONS_HISTORY),
    Row::new("expireat", Group::Generic, -3, expire::expireat)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::KEYSPACE)
        .about("1.2.0", "O(1)", "Lets a key live up to a moment, in Unix seconds.")
        .syntax("key unix-time-seconds:unix-time [condition:( NX | XX | GT | LT )]^7.0.0")
        .history(CONDITIONS_HISTORY),
    Row::new("expiretime", Group::Generic, 2, expire::expiretime)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::KEYSPACE)
        .about("7.0.0", "O(1)", "Answers when a key expires, in Unix seconds.")
        .syntax("key"),
    Row::new("flushall", Group::Server, -1, flush::flushall)
        .flags(flag::WRITE)
        .acl(acl::KEYSPACE | acl::DANGEROUS)
        .about("1.0.0", "O(N) where N is the total number of keys in all databases", "Removes the keys of all databases.")
        .syntax("[flush-type:( ASYNC^4.0.0 | SYNC^6.2.0 )]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .history(FLUSH_HISTORY),
    Row::new("flushdb", Group::Server, -1, flush::flushdb)
        .flags(flag::WRITE)
        .acl(acl::KEYSPACE | acl::DANGEROUS)
        .about("1.0.0", "O(N) where N is the number of keys in the selected database", "Removes all keys of the database.")
        .syntax("[flush-type:( ASYNC^4.0.0 | SYNC^6.2.0 )]")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .history(FLUSH_HISTORY),
    Row::new("keys", Group::Generic, 2, scan::keys)
        .flags(flag::READONLY)
        .acl(acl::KEYSPACE | acl::DANGEROUS)
        .about("1.0.0", "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.", "Answers all keys that match a pattern.")
        .syntax("pattern:pattern")
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    Row::new("migrate", Group::Generic, -6, migrate::migrate)
        .flags(flag::WRITE | flag::MOVABLEKEYS)
        .keys(MIGRATED)
        .acl(acl::KEYSPACE | acl::DANGEROUS)
        .about("2.6.0", "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance. See the pages of these commands for time complexity. Also an O(N) data transfer between the two instances is performed.", "Moves keys to another server, each as a whole.")
        .syntax("host port:integer key-selector:( key | empty-string:\"\" ) destination-db:integer timeout:integer [COPY]^3.0.0 [REPLACE]^3.0.0 [authentication:( AUTH auth=\"password\"^4.0.7 | auth2:( AUTH2 username password )^6.0.0 )] [KEYS keys=\"key\":key@1...]^3.0.6")
        .tips(&["nondeterministic_output"])
        .history(&[
            ("3.0.0", "Added the `COPY` and `REPLACE` options."),
            ("3.0.6", "Added the `KEYS` option."),
            ("4.0.7", "Added the `AUTH` option."),
            ("6.0.0", "Added the `AUTH2` option."),
        ]),
    Row::new("move", Group::Generic, 3, rename::r#move)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(
            1,
            key_flag::RW | key_flag::ACCESS | key_flag::UPDATE,
        )])
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Moves a key to another database.")
        .syntax("key db:integer"),
    Row::new("object", Group::Generic, -2, object::help)
        .about("2.2.3", "Depends on subcommand.", "What is known about a value besides its content.")
        .subcommands(OBJECT_ROWS),
    Row::new("persist", Group::Generic, 2, expire::persist)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::KEYSPACE)
        .about("2.2.0", "O(1)", "Lets a key live for ever.")
        .syntax("key"),
    Row::new("pexpire", Group::Generic, -3, expire::pexpire)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::KEYSPACE)
        .about("2.6.0", "O(1)", "Lets a key live for so many milliseconds.")
        .syntax("key milliseconds:integer [condition:( NX | XX | GT | LT )]^7.0.0")
        .history(CONDITIONS_HISTORY),
    Row::new("pexpireat", Group::Generic, -3, expire::pexpireat)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::KEYSPACE)
        .about("2.6.0", "O(1)", "Lets a key live up to a moment, in Unix milliseconds.")
        .syntax("key unix-time-milliseconds:unix-time [condition:( NX | XX | GT | LT )]^7.0.0")
        .history(CONDITIONS_HISTORY),
    Row::new("pexpiretime", Group::Generic, 2, expire::pexpiretime)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::KEYSPACE)
        .about("7.0.0", "O(1)", "Answers when a key expires, in Unix milliseconds.")
        .syntax("key"),
    Row::new("pttl", Group::Generic, 2, expire::pttl)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::KEYSPACE)
        .about("2.6.0", "O(1)", "Answers how many milliseconds a key has to live.")
        .syntax("key")
        .tips(&["nondeterministic_output"])
        .history(&[("2.8.0", "Added the -2 reply.")]),
    Row::new("randomkey", Group::Generic, 1, scan::randomkey)
        .flags(flag::READONLY)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Answers some key, each with the same chance.")
        .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    Row::new("rename", Group::Generic, 3, rename::rename)
        .flags(flag::WRITE)
        .keys(RENAMED)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Gives a key another name, whatever had that name.")
        .syntax("key newkey:key@1"),
    Row::new("renamenx", Group::Generic, 3, rename::renamenx)
        .flags(flag::WRITE | flag::FAST)
        .keys(RENAMED_IF_FREE)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Gives a key another name if nothing has that name.")
        .syntax("key newkey:key@1")
        .history(&[("3.2.0", "The command no longer returns an error when source and destination names are the same.")]),
    RESTORE,
    RESTORE_ASKING,
    Row::new("scan", Group::Generic, -2, scan::scan)
        .flags(flag::READONLY)
        .acl(acl::KEYSPACE)
        .about("2.8.0", "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.", "Goes through all keys in many small steps.")
        .syntax("cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type]^6.0.0")
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"])
        .history(&[("6.0.0", "Added the `TYPE` subcommand.")]),
    Row::new("swapdb", Group::Server, 3, flush::swapdb)
        .flags(flag::WRITE | flag::FAST)
        .acl(acl::KEYSPACE | acl::DANGEROUS)
        .about("4.0.0", "O(N) where N is the count of clients watching or blocking on keys from both databases.", "Exchanges the content of two databases.")
        .syntax("index1:integer index2:integer"),
    Row::new("touch", Group::Generic, -2, delete::touch)
        .flags(flag::READONLY | flag::FAST)
        .keys(SEEN)
        .acl(acl::KEYSPACE)
        .about("3.2.1", "O(N) where N is the number of keys that will be touched.", "Counts as a use of keys; answers how many of them exist.")
        .syntax("key...")
        .tips(ALL_SHARDS_SUM),
    Row::new("ttl", Group::Generic, 2, expire::ttl)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Answers how many seconds a key has to live.")
        .syntax("key")
        .tips(&["nondeterministic_output"])
        .history(&[("2.8.0", "Added the -2 reply.")]),
    Row::new("type", Group::Generic, 2, delete::type_of)
        .flags(flag::READONLY | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RO)])
        .acl(acl::KEYSPACE)
        .about("1.0.0", "O(1)", "Answers the type of a key's value.")
        .syntax("key"),
    Row::new("unlink", Group::Generic, -2, delete::del)
        .flags(flag::WRITE | flag::FAST)
        .keys(REMOVED)
        .acl(acl::KEYSPACE)
        .about("4.0.0", "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.", "Removes keys and frees their memory in the background.")
        .syntax("key...")
        .tips(ALL_SHARDS_SUM),
];

/// A database's number given as a word.
fn database_number(word: &[u8], databases: usize) -> Result<usize, Error> {
    let number = number::parse_i64(word).ok_or(Error::NotInteger)?;
    if i32::try_from(number).is_err() {
        return Err(Error::Text(
            "ERR value is out of range, value must between -2147483648 and 2147483647",
        ));
    }
    let number = usize::try_from(number).map_err(|_| Error::DbIndex)?;
    (number < databases).then_some(number).ok_or(Error::DbIndex)
}
