//! Hashes: fields with values, which may have deadlines of their own.
//!
//! `set` and `get` have the everyday commands, `lifetime` those with deadlines (the HEXPIRE family stands in
//! [`member_expiry`]), `random` and `scan` those that go through fields, `import` HIMPORT.

mod get;
mod import;
mod lifetime;
mod random;
mod scan;
mod set;

use crate::command::help::container;
use crate::command::member_expiry;
use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::keyspace::db::Database;
use crate::keyspace::entry::Key;
use crate::types::hash::Hash;

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const SEEN: &[KeySpec] = &[KeySpec::one(1, key_flag::RO)];
const UPDATED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)];
const DELETED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::DELETE)];
const CHANGED: &[KeySpec] = &[KeySpec::one(
    1,
    key_flag::RW | key_flag::ACCESS | key_flag::UPDATE,
)];
const GETEX_KEYS: &[KeySpec] = &[KeySpec {
    notes: "RW and UPDATE because it changes the TTL",
    ..KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::UPDATE)
}];
const NAMED_COMPLEXITY: &str = "O(N) where N is the number of specified fields";
const SIZE_COMPLEXITY: &str = "O(N) where N is the size of the hash.";

const IMPORT_ROWS: &[Row] = &[
    Row::sub(
        "discard",
        "himport|discard",
        Group::Hash,
        3,
        import::discard,
    )
    .acl(acl::HASH)
    .about(
        "8.10.0",
        "O(N) where N is the number of session-local fieldsets.",
        "Forgets a fieldset of this connection.",
    )
    .syntax("fieldset-name"),
    Row::sub(
        "discardall",
        "himport|discardall",
        Group::Hash,
        2,
        import::discardall,
    )
    .acl(acl::HASH)
    .about(
        "8.10.0",
        "O(N) where N is the number of session-local fieldsets.",
        "Forgets all fieldsets of this connection.",
    ),
    Row::sub(
        "prepare",
        "himport|prepare",
        Group::Hash,
        -4,
        import::prepare,
    )
    .flags(flag::DENYOOM)
    .acl(acl::HASH)
    .about(
        "8.10.0",
        "O(N*log(N)) where N is the number of fields.",
        "Gives a list of fields a name for this connection.",
    )
    .syntax("fieldset-name field..."),
    Row::sub("set", "himport|set", Group::Hash, -5, import::set)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::one(2, key_flag::OW | key_flag::UPDATE)])
        .acl(acl::HASH)
        .about(
            "8.10.0",
            "O(N) where N is the number of fields in the fieldset.",
            "Makes a hash of the fields of a fieldset and of these values.",
        )
        .syntax("key fieldset-name value..."),
];

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("hdel", Group::Hash, -3, set::hdel)
        .flags(flag::WRITE | flag::FAST)
        .keys(DELETED)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(N) where N is the number of fields to be removed.", "Deletes fields of a hash; without fields the hash goes too.")
        .syntax("key field...")
        .history(&[("2.4.0", "Accepts multiple `field` arguments.")]),
    Row::new("hexists", Group::Hash, 3, get::hexists)
        .flags(flag::READONLY | flag::FAST)
        .keys(SEEN)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(1)", "Tells whether a hash has a field.")
        .syntax("key field"),
    Row::new("hexpire", Group::Hash, -6, member_expiry::expire::<Hash>)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Gives fields of a hash a time to live in seconds.")
        .syntax("key seconds:integer [condition:( NX | XX | GT | LT )] FIELDS fields:( numfields:integer field... )"),
    Row::new("hexpireat", Group::Hash, -6, member_expiry::expireat::<Hash>)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Gives fields of a hash a deadline in Unix seconds.")
        .syntax("key unix-time-seconds:unix-time [condition:( NX | XX | GT | LT )] FIELDS fields:( numfields:integer field... )"),
    Row::new("hexpiretime", Group::Hash, -5, member_expiry::expiretime::<Hash>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Returns the deadlines of fields in Unix seconds.")
        .syntax("key FIELDS fields:( numfields:integer field... )"),
    Row::new("hget", Group::Hash, 3, get::hget)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(1)", "Returns the value of a field of a hash.")
        .syntax("key field"),
    Row::new("hgetall", Group::Hash, 2, get::hgetall)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::HASH)
        .about("2.0.0", SIZE_COMPLEXITY, "Returns all fields of a hash and their values.")
        .syntax("key")
        .tips(&["nondeterministic_output_order"]),
    Row::new("hgetdel", Group::Hash, -5, lifetime::hgetdel)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE)])
        .acl(acl::HASH)
        .about("8.0.0", NAMED_COMPLEXITY, "Returns the values of fields and deletes these.")
        .syntax("key FIELDS fields:( numfields:integer field... )"),
    Row::new("hgetex", Group::Hash, -5, lifetime::hgetex)
        .flags(flag::WRITE | flag::FAST)
        .keys(GETEX_KEYS)
        .acl(acl::HASH)
        .about("8.0.0", NAMED_COMPLEXITY, "Returns the values of fields and sets or removes their deadlines.")
        .syntax("key [expiration:( EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST )] FIELDS fields:( numfields:integer field... )"),
    Row::new("himport", Group::Hash, -2, container)
        .acl(acl::HASH)
        .about("8.10.0", "Depends on subcommand.", "A container for the import of many hashes of the same fields.")
        .subcommands(IMPORT_ROWS),
    Row::new("hincrby", Group::Hash, 4, set::hincrby)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(CHANGED)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(1)", "Adds a number to the integer in a field; a missing one counts as 0.")
        .syntax("key field increment:integer"),
    Row::new("hincrbyfloat", Group::Hash, 4, set::hincrbyfloat)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(CHANGED)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.6.0", "O(1)", "Adds a floating point number to the one in a field; a missing one counts as 0.")
        .syntax("key field increment:double"),
    Row::new("hkeys", Group::Hash, 2, get::hkeys)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::HASH)
        .about("2.0.0", SIZE_COMPLEXITY, "Returns the names of all fields of a hash.")
        .syntax("key")
        .tips(&["nondeterministic_output_order"]),
    Row::new("hlen", Group::Hash, 2, get::hlen)
        .flags(flag::READONLY | flag::FAST)
        .keys(SEEN)
        .acl(acl::HASH)
        .about("2.0.0", "O(1)", "Returns how many fields a hash has.")
        .syntax("key"),
    Row::new("hmget", Group::Hash, -3, get::hmget)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(N) where N is the number of fields being requested.", "Returns the values of several fields of a hash.")
        .syntax("key field..."),
    Row::new("hmset", Group::Hash, -4, set::hmset)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(N) where N is the number of fields being set.", "Sets the values of several fields of a hash.")
        .syntax("key data:( field value )...")
        .deprecated("4.0.0", "`HSET` with multiple field-value pairs"),
    Row::new("hpersist", Group::Hash, -5, member_expiry::persist::<Hash>)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Takes the deadlines of fields away.")
        .syntax("key FIELDS fields:( numfields:integer field... )"),
    Row::new("hpexpire", Group::Hash, -6, member_expiry::pexpire::<Hash>)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Gives fields of a hash a time to live in milliseconds.")
        .syntax("key milliseconds:integer [condition:( NX | XX | GT | LT )] FIELDS fields:( numfields:integer field... )"),
    Row::new("hpexpireat", Group::Hash, -6, member_expiry::pexpireat::<Hash>)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Gives fields of a hash a deadline in Unix milliseconds.")
        .syntax("key unix-time-milliseconds:unix-time [condition:( NX | XX | GT | LT )] FIELDS fields:( numfields:integer field... )"),
    Row::new("hpexpiretime", Group::Hash, -5, member_expiry::pexpiretime::<Hash>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Returns the deadlines of fields in Unix milliseconds.")
        .syntax("key FIELDS fields:( numfields:integer field... )"),
    Row::new("hpttl", Group::Hash, -5, member_expiry::pttl::<Hash>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Returns how many milliseconds fields have to live.")
        .syntax("key FIELDS fields:( numfields:integer field... )")
        .tips(&["nondeterministic_output"]),
    Row::new("hrandfield", Group::Hash, -2, random::hrandfield)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::HASH)
        .about("6.2.0", "O(N) where N is the number of fields returned", "Returns fields of a hash by chance.")
        .syntax("key [options:( count:integer [WITHVALUES] )]")
        .tips(&["nondeterministic_output"]),
    Row::new("hscan", Group::Hash, -3, scan::hscan)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::HASH)
        .about("2.8.0", "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.", "Goes through the fields and values of a hash step by step.")
        .syntax("key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOVALUES]")
        .tips(&["nondeterministic_output"]),
    Row::new("hset", Group::Hash, -4, set::hset)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.", "Sets the values of fields of a hash.")
        .syntax("key data:( field value )...")
        .history(&[("4.0.0", "Accepts multiple `field` and `value` arguments.")]),
    Row::new("hsetex", Group::Hash, -6, lifetime::hsetex)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::HASH)
        .about("8.0.0", "O(N) where N is the number of fields being set.", "Sets the values of fields, on a condition if wanted, and their deadline.")
        .syntax("key [key-condition:( NX | XX )] [condition:( FNX | FXX )] [expiration:( EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL )] FIELDS fields:( numfields:integer data:( field value )... )"),
    Row::new("hsetnx", Group::Hash, 4, set::hsetnx)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::INSERT)])
        .members_at(2)
        .acl(acl::HASH)
        .about("2.0.0", "O(1)", "Sets the value of a field that is not there.")
        .syntax("key field value"),
    Row::new("hstrlen", Group::Hash, 3, get::hstrlen)
        .flags(flag::READONLY | flag::FAST)
        .keys(SEEN)
        .members_at(2)
        .acl(acl::HASH)
        .about("3.2.0", "O(1)", "Returns the length of a field's value.")
        .syntax("key field"),
    Row::new("httl", Group::Hash, -5, member_expiry::ttl::<Hash>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::HASH)
        .about("7.4.0", NAMED_COMPLEXITY, "Returns how many seconds fields have to live.")
        .syntax("key FIELDS fields:( numfields:integer field... )")
        .tips(&["nondeterministic_output"]),
    Row::new("hvals", Group::Hash, 2, get::hvals)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::HASH)
        .about("2.0.0", SIZE_COMPLEXITY, "Returns the values of all fields of a hash.")
        .syntax("key")
        .tips(&["nondeterministic_output_order"]),
];

/// A field that a command has found, and whose deadline has passed, goes.
#[cold]
fn expire(db: &mut Database<'_>, key: &Key<'_>, name: &[u8]) {
    db.expire_member::<Hash>(key, name, |hash, name| hash.remove(name));
}

/// Of the fields that a command is about to change those go first whose deadline has passed: what it finds is there, and
/// those who read the stream know so too.
#[inline]
fn expire_named<'n>(
    db: &mut Database<'_>,
    key: &Key<'_>,
    names: impl IntoIterator<Item = &'n [u8]>,
) {
    if db.has_due_members() {
        names
            .into_iter()
            .for_each(|name| expire_if_due(db, key, name));
    }
}

#[cold]
fn expire_if_due(db: &mut Database<'_>, key: &Key<'_>, name: &[u8]) {
    let now_ms = db.now_ms();
    let record = db.peek(key);
    let hash = record.and_then(|record| record.collection::<Hash>());
    let field = hash.and_then(|hash| hash.get(name));
    if field.is_some_and(|field| !field.lives(now_ms)) {
        expire(db, key, name);
    }
}
