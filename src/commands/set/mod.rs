//! Sets: different words in no particular order.
//!
//! `members` adds, removes and asks, `chance` draws, `combine` works on several sets, `scan` iterates, `expiry` has the
//! deadlines of members.

mod chance;
mod combine;
mod expiry;
mod members;
mod scan;

use crate::command::elements;
use crate::command::member_expiry;
use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::resp::reply::Reply;
use crate::types::set::{Set, SetRef};

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const SEEN: &[KeySpec] = &[KeySpec::one(1, key_flag::RO)];
const ALL_READ: &[KeySpec] = &[KeySpec::range(1, -1, 1, key_flag::RO | key_flag::ACCESS)];
const COUNTED: &[KeySpec] = &[KeySpec::counted(1, 1, key_flag::RO | key_flag::ACCESS)];
const STORED: &[KeySpec] = &[
    KeySpec::one(1, key_flag::OW | key_flag::UPDATE),
    KeySpec::range(2, -1, 1, key_flag::RO | key_flag::ACCESS),
];
const MOVED: &[KeySpec] = &[
    KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE),
    KeySpec::one(2, key_flag::RW | key_flag::INSERT),
];
const UPDATED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)];
const NAMED_COMPLEXITY: &str = "O(N) where N is the number of specified members";
const IN_ANY_ORDER: &[&str] = &["nondeterministic_output_order"];
const BY_CHANCE: &[&str] = &["nondeterministic_output"];
const SUM_COMPLEXITY: &str = "O(N) where N is the total number of elements in all given sets.";
const INTER_COMPLEXITY: &str =
    "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.";

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("sadd", Group::Set, -3, members::sadd)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::INSERT)])
        .members_at(2)
        .acl(acl::SET)
        .about("1.0.0", "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.", "Adds members to a set; a missing key becomes a set of them.")
        .syntax("key member...")
        .history(&[("2.4.0", "Accepts multiple `member` arguments.")]),
    Row::new("scard", Group::Set, 2, members::scard)
        .flags(flag::READONLY | flag::FAST)
        .keys(SEEN)
        .acl(acl::SET)
        .about("1.0.0", "O(1)", "Answers how many members a set has.")
        .syntax("key"),
    Row::new("sdiff", Group::Set, -2, combine::sdiff)
        .flags(flag::READONLY)
        .keys(ALL_READ)
        .acl(acl::SET)
        .about("1.0.0", SUM_COMPLEXITY, "Returns the members of the first set that are in none of the others.")
        .syntax("key...")
        .tips(IN_ANY_ORDER),
    Row::new("sdiffcard", Group::Set, -3, combine::sdiffcard)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(COUNTED)
        .acl(acl::SET)
        .about("8.10.0", SUM_COMPLEXITY, "Answers how many members of the first set are in none of the others.")
        .syntax("numkeys:integer key... [LIMIT limit:integer]"),
    Row::new("sdiffstore", Group::Set, -3, combine::sdiffstore)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(STORED)
        .acl(acl::SET)
        .about("1.0.0", SUM_COMPLEXITY, "Makes a set of the members of the first set that are in none of the others.")
        .syntax("destination:key key@1..."),
    Row::new("sexpire", Group::Set, -6, member_expiry::expire::<Set>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Lets members of a set live for so many seconds.")
        .syntax("key seconds:integer [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("sexpireat", Group::Set, -6, member_expiry::expireat::<Set>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Lets members of a set live up to a moment, in Unix seconds.")
        .syntax("key unix-time-seconds:unix-time [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("sexpiretime", Group::Set, -5, member_expiry::expiretime::<Set>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Answers when members of a set expire, in Unix seconds.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("sinter", Group::Set, -2, combine::sinter)
        .flags(flag::READONLY)
        .keys(ALL_READ)
        .acl(acl::SET)
        .about("1.0.0", INTER_COMPLEXITY, "Returns the members that all of the sets have.")
        .syntax("key...")
        .tips(IN_ANY_ORDER),
    Row::new("sintercard", Group::Set, -3, combine::sintercard)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(COUNTED)
        .acl(acl::SET)
        .about("7.0.0", INTER_COMPLEXITY, "Answers how many members all of the sets have.")
        .syntax("numkeys:integer key... [LIMIT limit:integer]"),
    Row::new("sinterstore", Group::Set, -3, combine::sinterstore)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(STORED)
        .acl(acl::SET)
        .about("1.0.0", INTER_COMPLEXITY, "Makes a set of the members that all of the sets have.")
        .syntax("destination:key key@1..."),
    Row::new("sismember", Group::Set, 3, members::sismember)
        .flags(flag::READONLY | flag::FAST)
        .keys(SEEN)
        .members_at(2)
        .acl(acl::SET)
        .about("1.0.0", "O(1)", "Tells whether a set has a member.")
        .syntax("key member"),
    Row::new("smembers", Group::Set, 2, members::smembers)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SET)
        .about("1.0.0", "O(N) where N is the set cardinality.", "Returns all members of a set.")
        .syntax("key")
        .tips(IN_ANY_ORDER),
    Row::new("smismember", Group::Set, -3, members::smismember)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .members_at(2)
        .acl(acl::SET)
        .about("6.2.0", "O(N) where N is the number of elements being checked for membership", "Tells of several words whether a set has them.")
        .syntax("key member..."),
    Row::new("smove", Group::Set, 4, members::smove)
        .flags(flag::WRITE | flag::FAST)
        .keys(MOVED)
        .acl(acl::SET)
        .about("1.0.0", "O(1)", "Moves a member from one set to another.")
        .syntax("source:key destination:key@1 member"),
    Row::new("spersist", Group::Set, -5, member_expiry::persist::<Set>)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Lets members of a set live as long as the set.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("spexpire", Group::Set, -6, member_expiry::pexpire::<Set>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Lets members of a set live for so many milliseconds.")
        .syntax("key milliseconds:integer [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("spexpireat", Group::Set, -6, member_expiry::pexpireat::<Set>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Lets members of a set live up to a moment, in Unix milliseconds.")
        .syntax("key unix-time-milliseconds:unix-time [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("spexpiretime", Group::Set, -5, member_expiry::pexpiretime::<Set>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Answers when members of a set expire, in Unix milliseconds.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("spop", Group::Set, -2, chance::spop)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE)])
        .acl(acl::SET)
        .about("1.0.0", "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.", "Takes random members out of a set and returns them.")
        .syntax("key [count:integer]^3.2.0")
        .tips(BY_CHANCE)
        .history(&[("3.2.0", "Added the `count` argument.")]),
    Row::new("spttl", Group::Set, -5, member_expiry::pttl::<Set>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Answers how many milliseconds members of a set have to live.")
        .syntax("key members:( MEMBERS nummembers:integer member... )")
        .tips(BY_CHANCE),
    Row::new("srandmember", Group::Set, -2, chance::srandmember)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SET)
        .about("1.0.0", "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.", "Returns random members of a set: different ones, or of a negative count such that may repeat.")
        .syntax("key [count:integer]^2.6.0")
        .tips(BY_CHANCE)
        .history(&[("2.6.0", "Added the optional `count` argument.")]),
    Row::new("srem", Group::Set, -3, members::srem)
        .flags(flag::WRITE | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::DELETE)])
        .members_at(2)
        .acl(acl::SET)
        .about("1.0.0", "O(N) where N is the number of members to be removed.", "Removes members from a set.")
        .syntax("key member...")
        .history(&[("2.4.0", "Accepts multiple `member` arguments.")]),
    Row::new("sscan", Group::Set, -3, scan::sscan)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SET)
        .about("2.8.0", "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.", "Goes through the members of a set in many small steps.")
        .syntax("key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]")
        .tips(BY_CHANCE),
    Row::new("sttl", Group::Set, -5, member_expiry::ttl::<Set>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SET)
        .about("8.8.0", NAMED_COMPLEXITY, "Answers how many seconds members of a set have to live.")
        .syntax("key members:( MEMBERS nummembers:integer member... )")
        .tips(BY_CHANCE),
    Row::new("sunion", Group::Set, -2, combine::sunion)
        .flags(flag::READONLY)
        .keys(ALL_READ)
        .acl(acl::SET)
        .about("1.0.0", SUM_COMPLEXITY, "Returns the members that any of the sets has.")
        .syntax("key...")
        .tips(IN_ANY_ORDER),
    Row::new("sunioncard", Group::Set, -3, combine::sunioncard)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(COUNTED)
        .acl(acl::SET)
        .about("8.10.0", SUM_COMPLEXITY, "Answers how many members any of the sets has.")
        .syntax("numkeys:integer key... [APPROX] [LIMIT limit:integer]"),
    Row::new("sunionstore", Group::Set, -3, combine::sunionstore)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(STORED)
        .acl(acl::SET)
        .about("1.0.0", SUM_COMPLEXITY, "Makes a set of the members that any of the sets has.")
        .syntax("destination:key key@1..."),
];

/// Answers all members, behind a header that has been written.
fn reply_members(reply: &mut Reply<'_>, set: SetRef<'_>, now_ms: i64) {
    set.iter(now_ms)
        .for_each(|member| elements::reply(reply, member));
}
