//! SORT and SORT_RO: the elements of a list, a set or a sorted set in an order of one's own.
//!
//! ```text
//! SORT key [BY pattern] [LIMIT offset count] [GET pattern]... [ASC | DESC] [ALPHA] [STORE destination]
//! ```
//! `words` holds byte strings in one run of memory, `pattern` looks up what BY and GET name, `order` sorts. A BY pattern
//! without an asterisk says: leave the order as it is, which is that of the list or of the scores; DESC turns it round.

mod order;
mod pattern;
mod words;

use crate::command::row::{Begin, Find, Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Args, Ctx, Error, Flow};
use crate::keyspace::db::{Database, Deadline};
use crate::keyspace::entry::Key;
use crate::keyspace::event;
use crate::types::list::List;
use crate::types::set::Set;
use crate::types::zset::Zset;
use crate::types::{Collection, Stored, Type, View, WrongType};
use order::{Manner, Order};
use pattern::{Pattern, look_up};
use words::Words;

const COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).";
const SORTED: KeySpec = KeySpec::one(1, key_flag::RO | key_flag::ACCESS);
const LOOKED_UP: KeySpec = KeySpec {
    begin: Begin::Unknown,
    find: Find::Unknown,
    flags: key_flag::RO | key_flag::ACCESS,
    notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort",
};
const STORED: KeySpec = KeySpec {
    begin: Begin::Unknown,
    find: Find::Unknown,
    flags: key_flag::OW | key_flag::UPDATE,
    notes: "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array",
};
const CATEGORIES: u32 = acl::SET | acl::SORTEDSET | acl::LIST | acl::DANGEROUS;

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("sort", Group::Generic, -2, sort)
        .flags(flag::WRITE | flag::DENYOOM | flag::MOVABLEKEYS)
        .keys(&[SORTED, LOOKED_UP, STORED])
        .acl(CATEGORIES)
        .about("1.0.0", COMPLEXITY, "Sorts a list, a set or a sorted set, and returns or stores the result.")
        .syntax("key [BY by-pattern=\"pattern\":pattern@1] [LIMIT offset:integer count:integer] [GET get-pattern=\"pattern\":pattern@1]... [order:( ASC | DESC )] [sorting:ALPHA] [STORE destination:key@2]"),
    Row::new("sort_ro", Group::Generic, -2, sort_ro)
        .flags(flag::READONLY | flag::MOVABLEKEYS)
        .keys(&[SORTED, LOOKED_UP])
        .acl(CATEGORIES)
        .about("7.0.0", COMPLEXITY, "Sorts a list, a set or a sorted set, and returns the result.")
        .syntax("key [BY by-pattern=\"pattern\":pattern@1] [LIMIT offset:integer count:integer] [GET get-pattern=\"pattern\":pattern@1]... [order:( ASC | DESC )] [sorting:ALPHA]"),
];

const NO_NUMBER: Error = Error::Text("ERR One or more scores can't be converted into double");

/// What was asked for.
struct Options<'a> {
    by: Option<Pattern<'a>>,
    gets: Vec<Pattern<'a>>,
    descending: bool,
    alpha: bool,
    offset: i64,
    /// Negative: all.
    count: i64,
    store: Option<Key<'a>>,
}

impl<'a> Options<'a> {
    fn read(args: &mut Args<'a>, may_store: bool) -> Result<Self, Error> {
        let mut options = Self {
            by: None,
            gets: Vec::new(),
            descending: false,
            alpha: false,
            offset: 0,
            count: -1,
            store: None,
        };
        while !args.is_empty() {
            if args.flag("ASC") {
                options.descending = false;
            } else if args.flag("DESC") {
                options.descending = true;
            } else if args.flag("ALPHA") {
                options.alpha = true;
            } else if args.left() > 2 && args.flag("LIMIT") {
                (options.offset, options.count) = (args.int()?, args.int()?);
            } else if may_store && args.left() > 1 && args.flag("STORE") {
                options.store = Some(args.key()?);
            } else if let Some(pattern) = args.value_of("BY")? {
                options.by = Some(Pattern::of_order(pattern));
            } else if let Some(pattern) = args.value_of("GET")? {
                options.gets.push(Pattern::of(pattern));
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// Whether the order is left as it is.
    fn keeps_order(&self) -> bool {
        matches!(self.by, Some(Pattern::Nothing))
    }

    /// Which of `len` elements are wanted.
    fn range(&self, len: usize) -> std::ops::Range<usize> {
        let start = usize::try_from(self.offset.max(0)).unwrap_or(usize::MAX);
        let start = start.min(len);
        let end = match usize::try_from(self.count) {
            Ok(count) => start.saturating_add(count).min(len),
            Err(_) => len,
        };
        start..end
    }
}

fn sort(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    run(ctx, args, true)
}

fn sort_ro(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    run(ctx, args, false)
}

fn run(ctx: &mut Ctx<'_>, args: &mut Args<'_>, may_store: bool) -> Result<Flow, Error> {
    let key = args.key()?;
    let mut options = Options::read(args, may_store)?;
    let (type_of, elements) = elements_of(&mut ctx.db, &key)?;
    let is_for_keeps = options.store.is_some() || ctx.client.is_scripted();
    if options.keeps_order() && type_of == Some(Type::Set) && is_for_keeps {
        // What is stored, or decides what a script does, must not depend on where a set happens to keep its members.
        (options.by, options.alpha) = (None, true);
    }
    let chosen = if options.keeps_order() {
        let mut all: Vec<usize> = (0..elements.len()).collect();
        if options.descending && type_of != Some(Type::Set) {
            all.reverse();
        }
        all.truncate(options.range(all.len()).end);
        all.split_off(options.range(elements.len()).start)
    } else {
        sorted(&mut ctx.db, &elements, &options)?
    };
    if options.gets.is_empty() {
        options.gets.push(Pattern::Element);
    }
    match &options.store {
        Some(to) => store(ctx, to, &elements, &chosen, &options.gets),
        None => answer(ctx, &elements, &chosen, &options.gets),
    }
    Ok(Flow::Done)
}

/// The elements in their own order, and the type they come from; without a key, none.
fn elements_of(db: &mut Database<'_>, key: &Key<'_>) -> Result<(Option<Type>, Words), WrongType> {
    let mut elements = Words::default();
    let type_of = db.peek(key).map(|record| record.type_of());
    match type_of {
        Some(Type::List) => gather::<List>(db, key, &mut elements)?,
        Some(Type::Set) => gather::<Set>(db, key, &mut elements)?,
        Some(Type::Zset) => gather::<Zset>(db, key, &mut elements)?,
        Some(_) => return Err(WrongType),
        None => gather::<List>(db, key, &mut elements)?,
    }
    Ok((type_of, elements))
}

fn gather<T: Collection>(
    db: &mut Database<'_>,
    key: &Key<'_>,
    elements: &mut Words,
) -> Result<(), WrongType> {
    let now_ms = db.now_ms();
    if let Some(view) = db.read::<T>(key)? {
        view.visit(now_ms, &mut |element| {
            elements.push(element.first().copied().unwrap_or_default());
        });
    }
    Ok(())
}

/// The numbers of the wanted elements in the wanted order.
fn sorted(
    db: &mut Database<'_>,
    elements: &Words,
    options: &Options<'_>,
) -> Result<Vec<usize>, Error> {
    let manner = Manner {
        alpha: options.alpha,
        // What is stored is compared byte by byte; what is answered, as C compares strings: up to a NUL.
        whole: options.store.is_some(),
        descending: options.descending,
        by_others: options.by.is_some(),
    };
    let mut order = Order::new(elements, manner);
    let mut all_numbers = true;
    let by = options.by.unwrap_or(Pattern::Element);
    look_up(db, &[by], elements.iter(), |value| {
        all_numbers &= order.push(value);
    });
    if !all_numbers {
        return Err(NO_NUMBER);
    }
    Ok(order.sorted(options.range(elements.len())))
}

fn answer(ctx: &mut Ctx<'_>, elements: &Words, chosen: &[usize], gets: &[Pattern<'_>]) {
    let Ctx { db, reply, .. } = ctx;
    reply.array(chosen.len() * gets.len());
    let words = chosen.iter().map(|index| elements.get(*index));
    look_up(db, gets, words, |value| match value {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    });
}

/// What GET does not find is stored as an empty string.
fn store(
    ctx: &mut Ctx<'_>,
    to: &Key<'_>,
    elements: &Words,
    chosen: &[usize],
    gets: &[Pattern<'_>],
) {
    let mut result = Words::default();
    let words = chosen.iter().map(|index| elements.get(*index));
    look_up(&mut ctx.db, gets, words, |value| {
        result.push(value.unwrap_or_default());
    });
    let list = List::of_words(result.iter(), ctx.db.limits());
    let count = list.len();
    ctx.db
        .put_collection(to, list, Deadline::Clear, event::SORTSTORE);
    ctx.reply.integer(count as i64);
}
