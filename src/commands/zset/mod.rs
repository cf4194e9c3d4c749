//! Sorted sets: members with scores, in the order of scores.
//!
//! `add` has what adds, changes and removes single members, `read` what only asks, `range` ranges and their removal, `pop`
//! what takes members from either end and waits for them, `combine` unions and the like, `random` ZRANDMEMBER, `expiry`
//! the deadlines of members.

mod add;
mod combine;
mod expiry;
mod pop;
mod random;
mod range;
mod read;

use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{elements, member_expiry};
use crate::ds::listpack::Element;
use crate::resp::reply::{Protocol, Reply};
use crate::types::zset::{Zset, ZsetRef};
use std::ops::Range;

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const COUNTED: &[KeySpec] = &[KeySpec::one(1, key_flag::RO)];
const UPDATED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)];
const POPPED: &[KeySpec] = &[KeySpec::one(
    1,
    key_flag::RW | key_flag::ACCESS | key_flag::DELETE,
)];
const TRIMMED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::DELETE)];
const INPUTS: &[KeySpec] = &[KeySpec::counted(1, 1, key_flag::RO | key_flag::ACCESS)];
const STORED: &[KeySpec] = &[
    KeySpec::one(1, key_flag::OW | key_flag::UPDATE),
    KeySpec::counted(2, 1, key_flag::RO | key_flag::ACCESS),
];

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("bzmpop", Group::SortedSet, -5, pop::bzmpop)
        .flags(flag::WRITE | flag::BLOCKING | flag::MOVABLEKEYS)
        .keys(&[KeySpec::counted(2, 1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE)])
        .acl(acl::SORTEDSET)
        .about("7.0.0", "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.", "Takes members with the lowest or highest scores from the first sorted set that has any, and waits for one.")
        .syntax("timeout:double numkeys:integer key... where:( MIN | MAX ) [COUNT count:integer]"),
    Row::new("bzpopmax", Group::SortedSet, -3, pop::bzpopmax)
        .flags(flag::WRITE | flag::FAST | flag::BLOCKING)
        .keys(&[KeySpec::range(1, -2, 1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE)])
        .acl(acl::SORTEDSET)
        .about("5.0.0", "O(log(N)) with N being the number of elements in the sorted set.", "Takes the member with the highest score from the first sorted set that has any, and waits for one.")
        .history(&[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")])
        .syntax("key... timeout:double"),
    Row::new("bzpopmin", Group::SortedSet, -3, pop::bzpopmin)
        .flags(flag::WRITE | flag::FAST | flag::BLOCKING)
        .keys(&[KeySpec::range(1, -2, 1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE)])
        .acl(acl::SORTEDSET)
        .about("5.0.0", "O(log(N)) with N being the number of elements in the sorted set.", "Takes the member with the lowest score from the first sorted set that has any, and waits for one.")
        .history(&[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")])
        .syntax("key... timeout:double"),
    Row::new("zadd", Group::SortedSet, -4, add::zadd)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)])
        .members_at(3)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(log(N)) for each item added, where N is the number of elements in the sorted set.", "Adds members to a sorted set, or gives them other scores.")
        .history(&[("2.4.0", "Accepts multiple elements."), ("3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."), ("6.2.0", "Added the `GT` and `LT` options.")])
        .syntax("key [condition:( NX | XX )^3.0.2] [comparison:( GT | LT )^6.2.0] [change:CH^3.0.2] [increment:INCR^3.0.2] data:( score:double member )..."),
    Row::new("zcard", Group::SortedSet, 2, read::zcard)
        .flags(flag::READONLY | flag::FAST)
        .keys(COUNTED)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(1)", "Returns the number of members of a sorted set.")
        .syntax("key"),
    Row::new("zcount", Group::SortedSet, 4, read::zcount)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("2.0.0", "O(log(N)) with N being the number of elements in the sorted set.", "Counts the members whose scores lie in a range.")
        .syntax("key min:double max:double"),
    Row::new("zdiff", Group::SortedSet, -3, combine::zdiff)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(INPUTS)
        .acl(acl::SORTEDSET)
        .about("6.2.0", "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.", "Returns the members of the first sorted set that are in none of the others.")
        .syntax("numkeys:integer key... [WITHSCORES]"),
    Row::new("zdiffstore", Group::SortedSet, -4, combine::zdiffstore)
        .flags(flag::WRITE | flag::DENYOOM | flag::MOVABLEKEYS)
        .keys(STORED)
        .acl(acl::SORTEDSET)
        .about("6.2.0", "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.", "Stores the members of the first sorted set that are in none of the others.")
        .syntax("destination:key numkeys:integer key@1..."),
    Row::new("zexpire", Group::SortedSet, -6, member_expiry::expire::<Zset>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Sets how many seconds members have to live.")
        .syntax("key seconds:integer [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("zexpireat", Group::SortedSet, -6, member_expiry::expireat::<Zset>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Sets when members expire, in Unix seconds.")
        .syntax("key unix-time-seconds:unix-time [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("zexpiretime", Group::SortedSet, -5, member_expiry::expiretime::<Zset>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Returns when members expire, in Unix seconds.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("zincrby", Group::SortedSet, 4, add::zincrby)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::ACCESS | key_flag::UPDATE)])
        .members_at(3)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(log(N)) where N is the number of elements in the sorted set.", "Adds to the score of a member; a missing one counts as 0.")
        .syntax("key increment:integer member"),
    Row::new("zinter", Group::SortedSet, -3, combine::zinter)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(INPUTS)
        .acl(acl::SORTEDSET)
        .about("6.2.0", "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.", "Returns the members that several sorted sets have in common.")
        .history(&[("8.8.0", "Added the `COUNT` aggregate.")])
        .syntax("numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate:( SUM | MIN | MAX | COUNT^8.8.0 )] [WITHSCORES]"),
    Row::new("zintercard", Group::SortedSet, -3, combine::zintercard)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(INPUTS)
        .acl(acl::SORTEDSET)
        .about("7.0.0", "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.", "Counts the members that several sorted sets have in common.")
        .syntax("numkeys:integer key... [LIMIT limit:integer]"),
    Row::new("zinterstore", Group::SortedSet, -4, combine::zinterstore)
        .flags(flag::WRITE | flag::DENYOOM | flag::MOVABLEKEYS)
        .keys(STORED)
        .acl(acl::SORTEDSET)
        .about("2.0.0", "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.", "Stores the members that several sorted sets have in common.")
        .history(&[("8.8.0", "Added the `COUNT` aggregate.")])
        .syntax("destination:key numkeys:integer key@1... [WEIGHTS weight:integer...] [AGGREGATE aggregate:( SUM | MIN | MAX | COUNT^8.8.0 )]"),
    Row::new("zlexcount", Group::SortedSet, 4, read::zlexcount)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("2.8.9", "O(log(N)) with N being the number of elements in the sorted set.", "Counts the members whose names lie in a range, where all scores are equal.")
        .syntax("key min max"),
    Row::new("zmpop", Group::SortedSet, -4, pop::zmpop)
        .flags(flag::WRITE | flag::MOVABLEKEYS)
        .keys(&[KeySpec::counted(1, 1, key_flag::RW | key_flag::ACCESS | key_flag::DELETE)])
        .acl(acl::SORTEDSET)
        .about("7.0.0", "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.", "Takes members with the lowest or highest scores from the first sorted set that has any.")
        .syntax("numkeys:integer key... where:( MIN | MAX ) [COUNT count:integer]"),
    Row::new("zmscore", Group::SortedSet, -3, read::zmscore)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .members_at(2)
        .acl(acl::SORTEDSET)
        .about("6.2.0", "O(N) where N is the number of members being requested.", "Returns the scores of several members.")
        .syntax("key member..."),
    Row::new("zpersist", Group::SortedSet, -5, member_expiry::persist::<Zset>)
        .flags(flag::WRITE | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Takes the deadlines of members away.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("zpexpire", Group::SortedSet, -6, member_expiry::pexpire::<Zset>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Sets how many milliseconds members have to live.")
        .syntax("key milliseconds:integer [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("zpexpireat", Group::SortedSet, -6, member_expiry::pexpireat::<Zset>)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(UPDATED)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Sets when members expire, in Unix milliseconds.")
        .syntax("key unix-time-milliseconds:unix-time [condition:( NX | XX | GT | LT )] members:( MEMBERS nummembers:integer member... )"),
    Row::new("zpexpiretime", Group::SortedSet, -5, member_expiry::pexpiretime::<Zset>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Returns when members expire, in Unix milliseconds.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("zpopmax", Group::SortedSet, -2, pop::zpopmax)
        .flags(flag::WRITE | flag::FAST)
        .keys(POPPED)
        .acl(acl::SORTEDSET)
        .about("5.0.0", "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.", "Takes the members with the highest scores.")
        .syntax("key [count:integer]"),
    Row::new("zpopmin", Group::SortedSet, -2, pop::zpopmin)
        .flags(flag::WRITE | flag::FAST)
        .keys(POPPED)
        .acl(acl::SORTEDSET)
        .about("5.0.0", "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.", "Takes the members with the lowest scores.")
        .syntax("key [count:integer]"),
    Row::new("zpttl", Group::SortedSet, -5, member_expiry::pttl::<Zset>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Returns how many milliseconds members have to live.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("zrandmember", Group::SortedSet, -2, random::zrandmember)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("6.2.0", "O(N) where N is the number of members returned", "Returns members by chance.")
        .tips(&["nondeterministic_output"])
        .syntax("key [options:( count:integer [WITHSCORES] )]"),
    Row::new("zrange", Group::SortedSet, -4, range::zrange)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.", "Returns the members in a range of ranks, scores or names.")
        .history(&[("6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.")])
        .syntax("key start stop [sortby:( BYSCORE | BYLEX )^6.2.0] [REV^6.2.0] [LIMIT limit:( offset:integer count:integer )^6.2.0] [WITHSCORES]"),
    Row::new("zrangebylex", Group::SortedSet, -4, range::zrangebylex)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("2.8.9", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).", "Returns the members whose names lie in a range, where all scores are equal.")
        .syntax("key min max [LIMIT offset:integer count:integer]")
        .deprecated("6.2.0", "`ZRANGE` with the `BYLEX` argument"),
    Row::new("zrangebyscore", Group::SortedSet, -4, range::zrangebyscore)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("1.0.5", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).", "Returns the members whose scores lie in a range.")
        .history(&[("2.0.0", "Added the `WITHSCORES` modifier.")])
        .syntax("key min:double max:double [WITHSCORES^2.0.0] [LIMIT offset:integer count:integer]")
        .deprecated("6.2.0", "`ZRANGE` with the `BYSCORE` argument"),
    Row::new("zrangestore", Group::SortedSet, -5, range::zrangestore)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::one(1, key_flag::OW | key_flag::UPDATE), KeySpec::one(2, key_flag::RO | key_flag::ACCESS)])
        .acl(acl::SORTEDSET)
        .about("6.2.0", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key.", "Stores the members in a range of ranks, scores or names under another key.")
        .syntax("dst:key src:key@1 min max [sortby:( BYSCORE | BYLEX )] [REV] [LIMIT offset:integer count:integer]"),
    Row::new("zrank", Group::SortedSet, -3, read::zrank)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .members_at(2)
        .acl(acl::SORTEDSET)
        .about("2.0.0", "O(log(N))", "Returns how many members have a lower place than this one.")
        .history(&[("7.2.0", "Added the optional `WITHSCORE` argument.")])
        .syntax("key member [WITHSCORE]"),
    Row::new("zrem", Group::SortedSet, -3, add::zrem)
        .flags(flag::WRITE | flag::FAST)
        .keys(TRIMMED)
        .members_at(2)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed.", "Takes members out of a sorted set.")
        .history(&[("2.4.0", "Accepts multiple elements.")])
        .syntax("key member..."),
    Row::new("zremrangebylex", Group::SortedSet, 4, range::zremrangebylex)
        .flags(flag::WRITE)
        .keys(TRIMMED)
        .acl(acl::SORTEDSET)
        .about("2.8.9", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.", "Takes out the members whose names lie in a range, where all scores are equal.")
        .syntax("key min max"),
    Row::new("zremrangebyrank", Group::SortedSet, 4, range::zremrangebyrank)
        .flags(flag::WRITE)
        .keys(TRIMMED)
        .acl(acl::SORTEDSET)
        .about("2.0.0", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.", "Takes out the members in a range of ranks.")
        .syntax("key start:integer stop:integer"),
    Row::new("zremrangebyscore", Group::SortedSet, 4, range::zremrangebyscore)
        .flags(flag::WRITE)
        .keys(TRIMMED)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.", "Takes out the members whose scores lie in a range.")
        .syntax("key min:double max:double"),
    Row::new("zrevrange", Group::SortedSet, -4, range::zrevrange)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.", "Returns the members in a range of ranks that are counted from the highest score.")
        .syntax("key start:integer stop:integer [WITHSCORES]")
        .deprecated("6.2.0", "`ZRANGE` with the `REV` argument"),
    Row::new("zrevrangebylex", Group::SortedSet, -4, range::zrevrangebylex)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("2.8.9", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).", "Returns the members whose names lie in a range, the last one first, where all scores are equal.")
        .syntax("key max min [LIMIT offset:integer count:integer]")
        .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments"),
    Row::new("zrevrangebyscore", Group::SortedSet, -4, range::zrevrangebyscore)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("2.2.0", "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).", "Returns the members whose scores lie in a range, the highest first.")
        .history(&[("2.1.6", "`min` and `max` can be exclusive.")])
        .syntax("key max:double min:double [WITHSCORES] [LIMIT offset:integer count:integer]")
        .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments"),
    Row::new("zrevrank", Group::SortedSet, -3, read::zrevrank)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .members_at(2)
        .acl(acl::SORTEDSET)
        .about("2.0.0", "O(log(N))", "Returns how many members have a higher place than this one.")
        .history(&[("7.2.0", "Added the optional `WITHSCORE` argument.")])
        .syntax("key member [WITHSCORE]"),
    Row::new("zscan", Group::SortedSet, -3, read::zscan)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("2.8.0", "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.", "Goes through the members of a sorted set in steps.")
        .tips(&["nondeterministic_output"])
        .syntax("key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOSCORES]"),
    Row::new("zscore", Group::SortedSet, 3, read::zscore)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .members_at(2)
        .acl(acl::SORTEDSET)
        .about("1.2.0", "O(1)", "Returns the score of a member.")
        .syntax("key member"),
    Row::new("zttl", Group::SortedSet, -5, member_expiry::ttl::<Zset>)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::SORTEDSET)
        .about("8.8.0", "O(N) where N is the number of specified members", "Returns how many seconds members have to live.")
        .syntax("key members:( MEMBERS nummembers:integer member... )"),
    Row::new("zunion", Group::SortedSet, -3, combine::zunion)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(INPUTS)
        .acl(acl::SORTEDSET)
        .about("6.2.0", "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.", "Returns the members of several sorted sets together.")
        .history(&[("8.8.0", "Added the `COUNT` aggregate.")])
        .syntax("numkeys:integer key... [WEIGHTS weight:integer...] [AGGREGATE aggregate:( SUM | MIN | MAX | COUNT^8.8.0 )] [WITHSCORES]"),
    Row::new("zunionstore", Group::SortedSet, -4, combine::zunionstore)
        .flags(flag::WRITE | flag::DENYOOM | flag::MOVABLEKEYS)
        .keys(STORED)
        .acl(acl::SORTEDSET)
        .about("2.0.0", "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.", "Stores the members of several sorted sets together.")
        .history(&[("8.8.0", "Added the `COUNT` aggregate.")])
        .syntax("destination:key numkeys:integer key@1... [WEIGHTS weight:integer...] [AGGREGATE aggregate:( SUM | MIN | MAX | COUNT^8.8.0 )]"),
];

/// How a reply shows members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// Names.
    Names,
    /// Names and scores in turn.
    Flat,
    /// Arrays of a name and a score.
    Pairs,
}

/// Begins an array of `count` members; with scores they are pairs in RESP3.
#[inline]
fn begin_members(reply: &mut Reply<'_>, count: usize, with_scores: bool) -> Shown {
    let shown = match (with_scores, reply.protocol()) {
        (false, _) => Shown::Names,
        (true, Protocol::Resp2) => Shown::Flat,
        (true, Protocol::Resp3) => Shown::Pairs,
    };
    reply.array(if shown == Shown::Flat {
        count * 2
    } else {
        count
    });
    shown
}

/// One of the members that follow [`begin_members`].
#[inline]
fn reply_shown(reply: &mut Reply<'_>, shown: Shown, name: Element<'_>, score: f64) {
    if shown == Shown::Pairs {
        reply.array(2);
    }
    elements::reply(reply, name);
    if shown != Shown::Names {
        reply.double(score);
    }
}

/// Answers the members of these ranks.
#[inline]
fn reply_members(
    reply: &mut Reply<'_>,
    zset: ZsetRef<'_>,
    ranks: Range<usize>,
    backwards: bool,
    with_scores: bool,
) {
    let shown = begin_members(reply, ranks.len(), with_scores);
    zset.for_each(ranks, backwards, |name, score| {
        reply_shown(reply, shown, name, score);
    });
}

/// Answers a name and a score, without a header.
fn reply_member(reply: &mut Reply<'_>, name: Element<'_>, score: f64) {
    elements::reply(reply, name);
    reply.double(score);
}
