//! HRANDFIELD: fields by chance, each with the same probability.

use super::reply_element;
use crate::base::random::Random;
use crate::command::{Args, Ctx, Error, Flow};
use crate::ds::listpack::Element;
use crate::resp::reply::{Protocol, Reply};
use crate::types::View;
use crate::types::hash::{Hash, HashRef};
use std::collections::HashSet;

/// A sample of less than this part of a table is drawn field by field; a larger one in one pass over all.
const SPARSE_PART: usize = 4;

type Pair<'a> = (Element<'a>, Element<'a>);

pub(super) fn hrandfield(ctx: &mut Ctx<'_>, args: &mut Args<'_>) -> Result<Flow, Error> {
    let key = args.key()?;
    let wanted = Wanted::read(args)?;
    ctx.db.expire_members(&key);
    let now_ms = ctx.db.now_ms();
    let random = &mut ctx.server.random;
    let mut answer = Answer {
        values: wanted.with_values,
        reply: &mut ctx.reply,
    };
    let hash = ctx.db.read::<Hash>(&key)?;
    let Some(count) = wanted.count else {
        let drawn = hash.and_then(|hash| Pool::new(hash, now_ms, 1).one(random));
        match drawn {
            Some((name, _)) => reply_element(answer.reply, name),
            None => answer.reply.null(),
        }
        return Ok(Flow::Done);
    };
    let pool = hash.map(|hash| Pool::new(hash, now_ms, count));
    let Some(pool) = pool.filter(|pool| pool.len() > 0 && count != 0) else {
        answer.reply.empty_array();
        return Ok(Flow::Done);
    };
    let draws = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        draw_again_and_again(&pool, draws, random, &mut answer);
    } else if draws >= pool.len() {
        answer.begin(pool.len());
        pool.for_each(|pair| answer.pair(pair));
    } else {
        answer.begin(draws);
        draw_once_each(&pool, draws, random, &mut answer);
    }
    Ok(Flow::Done)
}

/// The words behind the key.
struct Wanted {
    /// How many: different ones, or if negative any; `None`: one, not in an array.
    count: Option<i64>,
    with_values: bool,
}

impl Wanted {
    fn read(args: &mut Args<'_>) -> Result<Self, Error> {
        if args.is_empty() {
            let (count, with_values) = (None, false);
            return Ok(Self { count, with_values });
        }
        let count = args.draws()?;
        let with_values = args.flag("WITHVALUES");
        args.finish()?;
        if with_values && count > i64::MAX / 2 {
            return Err(Error::OutOfRange);
        }
        let count = Some(count);
        Ok(Self { count, with_values })
    }
}

/// Writes what was drawn.
struct Answer<'r, 'o> {
    values: bool,
    reply: &'r mut Reply<'o>,
}

impl Answer<'_, '_> {
    fn begin(&mut self, count: usize) {
        let flat = self.values && self.reply.protocol() == Protocol::Resp2;
        self.reply.array(if flat { count * 2 } else { count });
    }

    fn pair(&mut self, (name, value): Pair<'_>) {
        if !self.values {
            return reply_element(self.reply, name);
        }
        if self.reply.protocol() == Protocol::Resp3 {
            self.reply.array(2);
        }
        reply_element(self.reply, name);
        reply_element(self.reply, value);
    }
}

/// What is drawn from.
enum Pool<'a> {
    /// The fields of a hash, none of which has expired.
    Hash(HashRef<'a>),
    /// Living fields, which are found by their number.
    Listed(Vec<Pair<'a>>),
}

impl<'a> Pool<'a> {
    /// A short hash is listed where it would be gone through for each of several draws.
    fn new(hash: HashRef<'a>, now_ms: i64, count: i64) -> Self {
        let quick = matches!(hash, HashRef::Table(_)) || count >= -1;
        if quick && !hash.has_expired(now_ms) {
            return Self::Hash(hash);
        }
        let mut pairs = Vec::with_capacity(hash.len());
        hash.for_each(now_ms, |name, value| pairs.push((name, value)));
        Self::Listed(pairs)
    }

    fn len(&self) -> usize {
        match self {
            Pool::Hash(hash) => hash.len(),
            Pool::Listed(pairs) => pairs.len(),
        }
    }

    fn one(&self, random: &mut Random) -> Option<Pair<'a>> {
        match self {
            Pool::Hash(hash) => hash.random(random),
            Pool::Listed(pairs) if pairs.is_empty() => None,
            Pool::Listed(pairs) => pairs
                .get(random.below(pairs.len() as u64) as usize)
                .copied(),
        }
    }

    fn for_each(&self, mut visit: impl FnMut(Pair<'a>)) {
        match self {
            Pool::Hash(hash) => {
                hash.for_each_field(|name, field| visit((name, field.value)));
            }
            Pool::Listed(pairs) => pairs.iter().copied().for_each(visit),
        }
    }
}

fn draw_again_and_again(
    pool: &Pool<'_>,
    draws: usize,
    random: &mut Random,
    answer: &mut Answer<'_, '_>,
) {
    answer.begin(draws);
    for _ in 0..draws {
        let drawn = pool.one(random);
        answer.pair(drawn.expect("a pool that is drawn from is not empty"));
    }
}

/// `draws` different fields, fewer than there are.
fn draw_once_each(pool: &Pool<'_>, draws: usize, random: &mut Random, answer: &mut Answer<'_, '_>) {
    if let Pool::Hash(hash @ HashRef::Table(_)) = pool
        && draws < hash.len() / SPARSE_PART
    {
        return draw_sparsely(*hash, draws, random, answer);
    }
    let (mut left, mut wanted) = (pool.len() as u64, draws as u64);
    pool.for_each(|pair| {
        // Of those that are left each has the same chance to be among the wanted.
        if wanted > 0 && random.below(left) < wanted {
            answer.pair(pair);
            wanted -= 1;
        }
        left -= 1;
    });
}

fn draw_sparsely(
    hash: HashRef<'_>,
    draws: usize,
    random: &mut Random,
    answer: &mut Answer<'_, '_>,
) {
    let mut seen = HashSet::with_capacity(draws);
    while seen.len() < draws {
        let Some((name, value)) = hash.random(random) else {
            return;
        };
        let Element::Bytes(bytes) = name else {
            unreachable!("a long hash keeps names as bytes");
        };
        if seen.insert(bytes) {
            answer.pair((name, value));
        }
    }
}
