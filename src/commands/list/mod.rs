//! Lists: sequences of strings that grow and shrink at both ends.
//!
//! `push` adds at the ends, `pop` takes from them, `transfer` moves from one list to another; the blocking forms stand
//! beside those that do not block. `range` reads, `change` works on elements in the middle.
//!
//! There is no capped LPUSH or RPUSH (`MAXLEN n`): their elements are free words, so that no option can be told from one.

mod change;
mod pop;
mod push;
mod range;
mod transfer;

use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Block, Error, Flow, elements};
use crate::ds::listpack::WideElement;
use crate::keyspace::event::{self, Event};
use crate::resp::reply::Reply;
use crate::types::Type;
use crate::types::list::{ListRef, Part, Side, Value, Word};
use std::ops::Range;

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const INSERTED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::INSERT)];
const POPPED: &[KeySpec] = &[KeySpec::one(1, POP)];
const POP: u32 = key_flag::RW | key_flag::ACCESS | key_flag::DELETE;
const MOVED: &[KeySpec] = &[
    KeySpec::one(1, POP),
    KeySpec::one(2, key_flag::RW | key_flag::INSERT),
];
const TRIMMED: &[KeySpec] = &[KeySpec::one(1, key_flag::RW | key_flag::DELETE)];

const PUSH_COMPLEXITY: &str = "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.";
const POP_COMPLEXITY: &str = "O(N) where N is the number of elements returned";
const MPOP_COMPLEXITY: &str =
    "O(N+M) where N is the number of provided keys and M is the number of elements returned.";
const BPOP_COMPLEXITY: &str = "O(N) where N is the number of provided keys.";
const MOVEM_COMPLEXITY: &str = "O(N) where N is the number of elements moved.";

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("blmove", Group::List, 6, transfer::blmove)
        .flags(flag::WRITE | flag::DENYOOM | flag::BLOCKING)
        .keys(MOVED)
        .acl(acl::LIST)
        .about("6.2.0", "O(1)", "Moves an element from one list to another and returns it; waits for one if there is none.")
        .syntax("source:key destination:key@1 wherefrom:( LEFT | RIGHT ) whereto:( LEFT | RIGHT ) timeout:double"),
    Row::new("blmovem", Group::List, -6, transfer::blmovem)
        .flags(flag::WRITE | flag::DENYOOM | flag::BLOCKING)
        .keys(MOVED)
        .acl(acl::LIST)
        .about("8.10.0", MOVEM_COMPLEXITY, "Moves several elements from one list to another and returns them; waits until there are enough.")
        .syntax("source:key destination:key@1 wherefrom:( LEFT | RIGHT ) whereto:( LEFT | RIGHT ) timeout:double [how-many:( selector:( COUNT count:integer | EXACTLY exactly:integer ) ordering:( OBO | BULK ) )]"),
    Row::new("blmpop", Group::List, -5, pop::blmpop)
        .flags(flag::WRITE | flag::BLOCKING | flag::MOVABLEKEYS)
        .keys(&[KeySpec::counted(2, 1, POP)])
        .acl(acl::LIST)
        .about("7.0.0", MPOP_COMPLEXITY, "Takes elements from the first of several lists that has any; waits for some if none has.")
        .syntax("timeout:double numkeys:integer key... where:( LEFT | RIGHT ) [COUNT count:integer]"),
    Row::new("blpop", Group::List, -3, pop::blpop)
        .flags(flag::WRITE | flag::BLOCKING)
        .keys(&[KeySpec::range(1, -2, 1, POP)])
        .acl(acl::LIST)
        .about("2.0.0", BPOP_COMPLEXITY, "Takes the first element of the first of several lists that has any; waits for one if none has.")
        .history(&[("6.0.0", "The `timeout` may have a fraction.")])
        .syntax("key... timeout:double"),
    Row::new("brpop", Group::List, -3, pop::brpop)
        .flags(flag::WRITE | flag::BLOCKING)
        .keys(&[KeySpec::range(1, -2, 1, POP)])
        .acl(acl::LIST)
        .about("2.0.0", BPOP_COMPLEXITY, "Takes the last element of the first of several lists that has any; waits for one if none has.")
        .history(&[("6.0.0", "The `timeout` may have a fraction.")])
        .syntax("key... timeout:double"),
    Row::new("brpoplpush", Group::List, 4, transfer::brpoplpush)
        .flags(flag::WRITE | flag::DENYOOM | flag::BLOCKING)
        .keys(MOVED)
        .acl(acl::LIST)
        .about("2.2.0", "O(1)", "Moves the last element of a list to the front of another and returns it; waits for one if there is none.")
        .history(&[("6.0.0", "The `timeout` may have a fraction.")])
        .syntax("source:key destination:key@1 timeout:double")
        .deprecated("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
    Row::new("lindex", Group::List, 3, range::lindex)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::LIST)
        .about("1.0.0", "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).", "Returns an element of a list by its index.")
        .syntax("key index:integer"),
    Row::new("linsert", Group::List, 5, change::linsert)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(INSERTED)
        .acl(acl::LIST)
        .about("2.2.0", "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).", "Inserts an element before or after another one of a list.")
        .syntax("key where:( BEFORE | AFTER ) pivot element"),
    Row::new("llen", Group::List, 2, range::llen)
        .flags(flag::READONLY | flag::FAST)
        .keys(&[KeySpec::one(1, key_flag::RO)])
        .acl(acl::LIST)
        .about("1.0.0", "O(1)", "Returns the length of a list.")
        .syntax("key"),
    Row::new("lmove", Group::List, 5, transfer::lmove)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(MOVED)
        .acl(acl::LIST)
        .about("6.2.0", "O(1)", "Moves an element from one list to another and returns it.")
        .syntax("source:key destination:key@1 wherefrom:( LEFT | RIGHT ) whereto:( LEFT | RIGHT )"),
    Row::new("lmovem", Group::List, -5, transfer::lmovem)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(MOVED)
        .acl(acl::LIST)
        .about("8.10.0", MOVEM_COMPLEXITY, "Moves several elements from one list to another and returns them.")
        .syntax("source:key destination:key@1 wherefrom:( LEFT | RIGHT ) whereto:( LEFT | RIGHT ) [how-many:( selector:( COUNT count:integer | EXACTLY exactly:integer ) ordering:( OBO | BULK ) )]"),
    Row::new("lmpop", Group::List, -4, pop::lmpop)
        .flags(flag::WRITE | flag::MOVABLEKEYS)
        .keys(&[KeySpec::counted(1, 1, POP)])
        .acl(acl::LIST)
        .about("7.0.0", MPOP_COMPLEXITY, "Takes elements from the first of several lists that has any.")
        .syntax("numkeys:integer key... where:( LEFT | RIGHT ) [COUNT count:integer]"),
    Row::new("lpop", Group::List, -2, pop::lpop)
        .flags(flag::WRITE | flag::FAST)
        .keys(POPPED)
        .acl(acl::LIST)
        .about("1.0.0", POP_COMPLEXITY, "Takes elements from the front of a list and returns them.")
        .history(&[("6.2.0", "Takes a `count`.")])
        .syntax("key [count:integer^6.2.0]"),
    Row::new("lpos", Group::List, -3, range::lpos)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::LIST)
        .about("6.0.6", "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.", "Returns the indexes of the elements of a list that equal a string.")
        .syntax("key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]"),
    Row::new("lpush", Group::List, -3, push::lpush)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(INSERTED)
        .acl(acl::LIST)
        .about("1.0.0", PUSH_COMPLEXITY, "Adds elements in front of a list; a missing key becomes a list of just these.")
        .history(&[("2.4.0", "Takes several `element` arguments.")])
        .syntax("key element..."),
    Row::new("lpushx", Group::List, -3, push::lpushx)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(INSERTED)
        .acl(acl::LIST)
        .about("2.2.0", PUSH_COMPLEXITY, "Adds elements in front of a list that exists.")
        .history(&[("4.0.0", "Takes several `element` arguments.")])
        .syntax("key element..."),
    Row::new("lrange", Group::List, 4, range::lrange)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::LIST)
        .about("1.0.0", "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.", "Returns a range of the elements of a list.")
        .syntax("key start:integer stop:integer"),
    Row::new("lrem", Group::List, 4, change::lrem)
        .flags(flag::WRITE)
        .keys(TRIMMED)
        .acl(acl::LIST)
        .about("1.0.0", "O(N+M) where N is the length of the list and M is the number of elements removed.", "Removes the elements of a list that equal a string, all or some.")
        .syntax("key count:integer element"),
    Row::new("lset", Group::List, 4, change::lset)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(&[KeySpec::one(1, key_flag::RW | key_flag::UPDATE)])
        .acl(acl::LIST)
        .about("1.0.0", "O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).", "Sets an element of a list by its index.")
        .syntax("key index:integer element"),
    Row::new("ltrim", Group::List, 4, change::ltrim)
        .flags(flag::WRITE)
        .keys(TRIMMED)
        .acl(acl::LIST)
        .about("1.0.0", "O(N) where N is the number of elements to be removed by the operation.", "Removes all elements of a list but those of a range.")
        .syntax("key start:integer stop:integer"),
    Row::new("rpop", Group::List, -2, pop::rpop)
        .flags(flag::WRITE | flag::FAST)
        .keys(POPPED)
        .acl(acl::LIST)
        .about("1.0.0", POP_COMPLEXITY, "Takes elements from the end of a list and returns them.")
        .history(&[("6.2.0", "Takes a `count`.")])
        .syntax("key [count:integer^6.2.0]"),
    Row::new("rpoplpush", Group::List, 3, transfer::rpoplpush)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(MOVED)
        .acl(acl::LIST)
        .about("1.2.0", "O(1)", "Moves the last element of a list to the front of another and returns it.")
        .syntax("source:key destination:key@1")
        .deprecated("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments"),
    Row::new("rpush", Group::List, -3, push::rpush)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(INSERTED)
        .acl(acl::LIST)
        .about("1.0.0", PUSH_COMPLEXITY, "Adds elements at the end of a list; a missing key becomes a list of just these.")
        .history(&[("2.4.0", "Takes several `element` arguments.")])
        .syntax("key element..."),
    Row::new("rpushx", Group::List, -3, push::rpushx)
        .flags(flag::WRITE | flag::DENYOOM | flag::FAST)
        .keys(INSERTED)
        .acl(acl::LIST)
        .about("2.2.0", PUSH_COMPLEXITY, "Adds elements at the end of a list that exists.")
        .history(&[("4.0.0", "Takes several `element` arguments.")])
        .syntax("key element..."),
];

/// LEFT or RIGHT.
fn side(args: &mut Args<'_>) -> Result<Side, Error> {
    if args.flag("LEFT") {
        Ok(Side::Front)
    } else if args.flag("RIGHT") {
        Ok(Side::Back)
    } else {
        Err(Error::Syntax)
    }
}

/// The word of a side.
fn side_name(side: Side) -> &'static [u8] {
    match side {
        Side::Front => b"LEFT",
        Side::Back => b"RIGHT",
    }
}

/// The command that pops at this side.
fn pop_name(side: Side) -> &'static [u8] {
    match side {
        Side::Front => b"LPOP",
        Side::Back => b"RPOP",
    }
}

fn pushed(side: Side) -> Event {
    match side {
        Side::Front => event::LPUSH,
        Side::Back => event::RPUSH,
    }
}

fn popped(side: Side) -> Event {
    match side {
        Side::Front => event::LPOP,
        Side::Back => event::RPOP,
    }
}

/// Word `at` of the whole command as an element.
#[inline]
fn word_at<'a>(args: &Args<'a>, at: usize) -> Word<'a> {
    let argv = args.argv();
    Word {
        bytes: argv.word(at),
        shared: argv.large(at),
    }
}

/// The next word as an element.
fn word<'a>(args: &mut Args<'a>) -> Result<Word<'a>, Error> {
    let word = word_at(args, args.argv().len() - args.left());
    args.word()?;
    Ok(word)
}

/// The index of an element that a client counts from the end if it is negative.
fn index_of(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 {
        index.checked_add(len)?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|_| index < len)
}

#[inline]
fn reply_value(reply: &mut Reply<'_>, value: Value<'_>) {
    match value {
        Value::Packed(element) => elements::reply(reply, element),
        Value::Plain(bytes) => reply.bulk_shared(bytes),
    }
}

/// Answers these elements, which must be there. Their array has been begun.
fn reply_span(reply: &mut Reply<'_>, list: ListRef<'_>, range: Range<usize>) {
    let mut left = range.len();
    for (part, from) in list.parts_from(range.start) {
        match part {
            Part::Plain(bytes) if left > 0 => {
                reply.bulk_shared(bytes);
                left -= 1;
            }
            Part::Packed(pack) if left > 0 => {
                let mut bulks = reply.bulks();
                for element in pack.wide_from(from).take(left) {
                    match element {
                        WideElement::Bytes { from, length } => bulks.word(from, length),
                        WideElement::Int(value) => bulks.int(value),
                    }
                    left -= 1;
                }
            }
            _ => return,
        }
    }
}

/// Answers `count` elements in the order in which they are taken from one side; there must be so many. Their array has
/// been begun.
fn reply_taken(reply: &mut Reply<'_>, list: ListRef<'_>, side: Side, count: usize) {
    match side {
        Side::Front => reply_span(reply, list, 0..count),
        Side::Back => list
            .iter_back()
            .take(count)
            .for_each(|value| reply_value(reply, value)),
    }
}

/// The client waits for a list with elements at one of these keys.
fn block<'k>(
    keys: impl Iterator<Item = &'k [u8]>,
    deadline_ms: Option<i64>,
    on_timeout: fn(&mut Reply<'_>),
) -> Flow {
    Flow::Block(Block {
        keys: keys.map(Box::from).collect(),
        awaits: Type::List,
        on_loss: false,
        deadline_ms,
        on_timeout,
    })
}
