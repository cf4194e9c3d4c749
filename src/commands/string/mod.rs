//! Strings: values of up to `proto-max-bulk-len` bytes, numbers among them.
//!
//! `set` and `get` have the everyday commands, `several` those on many keys, `counters` and `increx` arithmetic, `ranges`
//! parts of strings, `condition` comparisons, `lcs` the longest common subsequence; `lifetime` is the grammar of
//! deadlines that they share.

mod condition;
mod counters;
mod get;
mod increx;
mod lcs;
mod lifetime;
mod ranges;
mod set;
mod several;

use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::resp::reply::Reply;
use crate::types::string::StringRef;

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const UPDATED: &[KeySpec] = &[KeySpec::one(
    1,
    key_flag::RW | key_flag::ACCESS | key_flag::UPDATE,
)];
const OVERWRITTEN: &[KeySpec] = &[KeySpec::one(1, key_flag::OW | key_flag::UPDATE)];
const SET_KEYS: &[KeySpec] = &[KeySpec {
    notes: "RW and ACCESS due to the optional `GET` argument",
    ..KeySpec::one(
        1,
        key_flag::RW | key_flag::ACCESS | key_flag::UPDATE | key_flag::VARIABLE,
    )
}];
const GETEX_KEYS: &[KeySpec] = &[KeySpec {
    notes: "RW and UPDATE because it changes the TTL",
    ..KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::UPDATE)
}];
const ALL_SHARDS: &[&str] = &[
    "request_policy:multi_shard",
    "response_policy:all_succeeded",
];
const RANGE_COMPLEXITY: &str = "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.";

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("append", Group::String, 3, ranges::append)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::INSERT)])
        .acl(acl::STRING)
        .about("2.0.0", "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by Redis will double the free space available on every reallocation.", "Adds bytes to the end of a string; a missing key becomes a string of just these.")
        .syntax("key value"),
    Row::new("decr", Group::String, 2, counters::decr)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Takes one from the integer that a key holds; a missing key counts as 0.")
        .syntax("key"),
    Row::new("decrby", Group::String, 3, counters::decrby)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Takes a number from the integer that a key holds; a missing key counts as 0.")
        .syntax("key decrement:integer"),
    Row::new("delex", Group::String, -2, condition::delex)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::DELETE | key_flag::VARIABLE)])
        .acl(acl::STRING)
        .about("8.4.0", "O(1) for IFEQ/IFNE, O(N) for IFDEQ/IFDNE where N is the length of the string value.", "Deletes a key if its string, or the digest of it, compares as wanted.")
        .syntax("key [condition:( IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest )]"),
    Row::new("delifeq", Group::String, 3, condition::delifeq)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RM | key_flag::DELETE)])
        .acl(acl::STRING)
        .about("9.0.0", "O(1)", "Deletes a key if its string equals the given one.")
        .syntax("key value"),
    Row::new("digest", Group::String, 2, condition::digest)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::STRING)
        .about("8.4.0", "O(N) where N is the length of the string value.", "Returns the XXH3 digest of a string in hexadecimal.")
        .syntax("key"),
    Row::new("get", Group::String, 2, get::get)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Returns the string value of a key.")
        .syntax("key"),
    Row::new("getdel", Group::String, 2, get::getdel)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE)])
        .acl(acl::STRING)
        .about("6.2.0", "O(1)", "Returns the string of a key and deletes the key.")
        .syntax("key"),
    Row::new("getex", Group::String, -2, get::getex)
        .flags(flag::WRITE | flag::FAST)
        .keys(GETEX_KEYS)
        .acl(acl::STRING)
        .about("6.2.0", "O(1)", "Returns the string of a key and sets or removes its deadline.")
        .syntax("key [expiration:( EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST )]"),
    Row::new("getrange", Group::String, 4, ranges::getrange)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::STRING)
        .about("2.4.0", RANGE_COMPLEXITY, "Returns a part of a string.")
        .syntax("key start:integer end:integer"),
    Row::new("getset", Group::String, 3, set::getset)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Returns the string of a key and sets another one.")
        .syntax("key value")
        .deprecated("6.2.0", "`SET` with the `!GET` argument"),
    Row::new("incr", Group::String, 2, counters::incr)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Adds one to the integer that a key holds; a missing key counts as 0.")
        .syntax("key"),
    Row::new("incrby", Group::String, 3, counters::incrby)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Adds a number to the integer that a key holds; a missing key counts as 0.")
        .syntax("key increment:integer"),
    Row::new("incrbyfloat", Group::String, 3, counters::incrbyfloat)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STRING)
        .about("2.6.0", "O(1)", "Adds a floating point number to the one that a key holds; a missing key counts as 0.")
        .syntax("key increment:double"),
    Row::new("increx", Group::String, -2, increx::increx)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::STRING)
        .about("8.8.0", "O(1)", "Adds to the number that a key holds, within bounds, and sets its deadline; a missing key counts as 0.")
        .syntax("key [increment:( BYFLOAT float:double | BYINT integer:integer )] [SATURATE] [LBOUND lowerbound] [UBOUND upperbound] [expiration:( EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST )] [ENX]"),
    Row::new("lcs", Group::String, -3, lcs::lcs)
        .flags(flag::READONLY)
        .keys(&[KeySpec::range(1, 1, 1, key_flag::RO | key_flag::ACCESS)])
        .acl(acl::STRING)
        .about("7.0.0", "O(N*M) where N and M are the lengths of s1 and s2, respectively", "Finds the longest common subsequence of two strings.")
        .syntax("key1:key key2:key [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]"),
    Row::new("mget", Group::String, -2, several::mget)
        .flags(flag::READONLY | flag::FAST)
        .keys(&[KeySpec::range(1, -1, 1, key_flag::RO | key_flag::ACCESS)])
        .acl(acl::STRING)
        .about("1.0.0", "O(N) where N is the number of keys to retrieve.", "Returns the strings of several keys.")
        .syntax("key...")
        .tips(&["request_policy:multi_shard"]),
    Row::new("mset", Group::String, -3, several::mset)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::range(1, -1, 2, key_flag::OW | key_flag::UPDATE)])
        .acl(acl::STRING)
        .about("1.0.1", "O(N) where N is the number of keys to set.", "Sets the strings of several keys at once.")
        .syntax("data:( key value )...")
        .tips(ALL_SHARDS),
    Row::new("msetex", Group::String, -4, several::msetex)
        .flags(flag::WRITE | flag::DENYOOM | flag::MOVABLEKEYS)
        .keys(&[KeySpec::counted(1, 2, key_flag::OW | key_flag::UPDATE)])
        .acl(acl::STRING)
        .about("8.4.0", "O(N) where N is the number of keys to set.", "Sets the strings of several keys at once, on a condition, and their deadline.")
        .syntax("numkeys:integer data:( key value )... [condition:( NX | XX )] [expiration:( EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL )]")
        .tips(ALL_SHARDS),
    Row::new("msetnx", Group::String, -3, several::msetnx)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::range(1, -1, 2, key_flag::OW | key_flag::INSERT)])
        .acl(acl::STRING)
        .about("1.0.1", "O(N) where N is the number of keys to set.", "Sets the strings of several keys at once if none of them exists.")
        .syntax("data:( key value )..."),
    Row::new("psetex", Group::String, 4, set::psetex)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(OVERWRITTEN)
        .acl(acl::STRING)
        .about("2.6.0", "O(1)", "Sets the string of a key and its time to live in milliseconds.")
        .syntax("key milliseconds:integer value")
        .deprecated("2.6.12", "`SET` with the `PX` argument"),
    Row::new("set", Group::String, -3, set::set)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(SET_KEYS)
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Sets the string of a key whatever it held, on a condition if wanted.")
        .syntax("key value [condition:( NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest )] [GET] [expiration:( EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL )]"),
    Row::new("setex", Group::String, 4, set::setex)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(OVERWRITTEN)
        .acl(acl::STRING)
        .about("2.0.0", "O(1)", "Sets the string of a key and its time to live in seconds.")
        .syntax("key seconds:integer value")
        .deprecated("2.6.12", "`SET` with the `EX` argument"),
    Row::new("setnx", Group::String, 3, set::setnx)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::OW | key_flag::INSERT)])
        .acl(acl::STRING)
        .about("1.0.0", "O(1)", "Sets the string of a key that does not exist.")
        .syntax("key value")
        .deprecated("2.6.12", "`SET` with the `NX` argument"),
    Row::new("setrange", Group::String, 4, ranges::setrange)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)])
        .acl(acl::STRING)
        .about("2.2.0", "O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.", "Overwrites a part of a string; what lies before it and is not there becomes zeros.")
        .syntax("key offset:integer value"),
    Row::new("strlen", Group::String, 2, ranges::strlen)
        .flags(flag::READONLY | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RO)])
        .acl(acl::STRING)
        .about("2.2.0", "O(1)", "Returns the length of a string.")
        .syntax("key"),
    Row::new("substr", Group::String, 4, ranges::getrange)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::STRING)
        .about("1.0.0", RANGE_COMPLEXITY, "Returns a part of a string.")
        .syntax("key start:integer end:integer")
        .deprecated("2.0.0", "`GETRANGE`"),
];

/// Answers a string, or null.
#[inline]
fn reply_string(reply: &mut Reply<'_>, value: Option<StringRef<'_>>) {
    match value {
        None => reply.null(),
        Some(StringRef::Int(value)) => reply.bulk_i64(value),
        Some(StringRef::Bytes { bytes, .. }) => reply.bulk(bytes),
        Some(StringRef::Shared(bytes)) => reply.bulk_shared(bytes),
    }
}
