//! HRANDFIELD: fields by chance, each with the same probability.

use crate::base::random::{Choice, Random};
use crate::command::draws::Draws;
use crate::command::{Args, Ctx, Error, Flow, elements};
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
    let (draws, with_values) = Draws::read(args, Some("WITHVALUES"))?;
    ctx.db.expire_members(&key);
    let now_ms = ctx.db.now_ms();
    let random = &mut ctx.server.random;
    let mut answer = Answer {
        values: with_values,
        reply: &mut ctx.reply,
    };
    let hash = ctx.db.read::<Hash>(&key)?;
    let pool = hash.map(|hash| Pool::new(hash, now_ms, draws));
    let Some(pool) = pool.filter(|pool| pool.len() > 0) else {
        match draws {
            Draws::One => answer.reply.null(),
            Draws::Different(_) | Draws::Repeated(_) => answer.reply.empty_array(),
        }
        return Ok(Flow::Done);
    };
    match draws {
        Draws::One => match pool.one(random) {
            Some((name, _)) => elements::reply(answer.reply, name),
            None => answer.reply.null(),
        },
        Draws::Repeated(count) => draw_again_and_again(&pool, count, random, &mut answer),
        Draws::Different(count) => {
            let count = count.min(pool.len());
            answer.begin(count);
            draw_once_each(&pool, count, random, &mut answer);
        }
    }
    Ok(Flow::Done)
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
            return elements::reply(self.reply, name);
        }
        if self.reply.protocol() == Protocol::Resp3 {
            self.reply.array(2);
        }
        elements::reply(self.reply, name);
        elements::reply(self.reply, value);
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
    fn new(hash: HashRef<'a>, now_ms: i64, draws: Draws) -> Self {
        let several = matches!(draws, Draws::Repeated(2..));
        let quick = matches!(hash, HashRef::Table(_)) || !several;
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

/// `draws` different fields; there are so many.
fn draw_once_each(pool: &Pool<'_>, draws: usize, random: &mut Random, answer: &mut Answer<'_, '_>) {
    if let Pool::Hash(hash @ HashRef::Table(_)) = pool
        && draws < hash.len() / SPARSE_PART
    {
        return draw_sparsely(*hash, draws, random, answer);
    }
    let mut choice = Choice::new(draws, pool.len());
    pool.for_each(|pair| {
        if choice.takes_next(random) {
            answer.pair(pair);
        }
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
