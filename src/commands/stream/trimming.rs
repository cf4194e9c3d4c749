//! The grammar of trimming, which XADD and XTRIM share, and what is propagated of it.
//!
//! How many entries an approximate trimming deletes depends on the sizes of nodes, which another server may have
//! otherwise: it goes out as the exact one that has its outcome.

use super::ids::{parse_id, take_references};
use crate::base::number;
use crate::command::{Args, Error};
use crate::types::stream::{Bound, References, Stream, Trim};

/// Entries that an approximate trimming deletes at most, per entry of a full node.
const NODES_PER_TRIM: u64 = 100;
/// The same where nodes have no limit.
const DEFAULT_LIMIT: u64 = 10_000;
const LIMIT_MAX: u64 = 1_000_000;

/// The options as far as they were read.
#[derive(Default)]
pub(super) struct Trimming {
    bound: Option<Bound>,
    approximate: bool,
    limit: Option<u64>,
    references: Option<References>,
}

impl Trimming {
    /// Takes the next option, if it is one about trimming.
    pub(super) fn take(&mut self, args: &mut Args<'_>) -> Result<bool, Error> {
        // The last word can be no option that has a value: it is read as an id, or is an error.
        if take_references(args, &mut self.references)? {
            return Ok(true);
        }
        if args.left() < 2 {
            return Ok(false);
        }
        if args.flag("MAXLEN") {
            self.begin_bound(args)?;
            let max = args.int()?;
            let max = u64::try_from(max);
            let max = max.map_err(|_| Error::Text("ERR The MAXLEN argument must be >= 0."))?;
            self.bound = Some(Bound::Entries(max));
        } else if args.flag("MINID") {
            self.begin_bound(args)?;
            self.bound = Some(Bound::From(parse_id(args.word()?)?));
        } else if args.flag("LIMIT") {
            let limit = u64::try_from(args.int()?);
            let limit = limit.map_err(|_| Error::Text("ERR The LIMIT argument must be >= 0."))?;
            self.limit = Some(limit);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn begin_bound(&mut self, args: &mut Args<'_>) -> Result<(), Error> {
        if self.bound.is_some() {
            return Err(Error::Text(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        if args.left() >= 2 {
            self.approximate = args.flag("~");
            if !self.approximate {
                args.flag("=");
            }
        }
        Ok(())
    }

    /// What is to be done, when all options are read.
    pub(super) fn finish(self, node_max_entries: usize) -> Result<Option<Trim>, Error> {
        let limited = self.limit.is_some_and(|limit| limit > 0);
        let Some(bound) = self.bound else {
            if limited {
                return Err(Error::Text(
                    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
                ));
            }
            return Ok(None);
        };
        if self.limit.is_some() && !self.approximate {
            return Err(Error::Text(
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ));
        }
        let limit = match self.limit {
            Some(limit) => limit,
            None if self.approximate => default_limit(node_max_entries),
            None => 0,
        };
        Ok(Some(Trim {
            bound,
            approximate: self.approximate,
            limit,
            references: self.references.unwrap_or_default(),
        }))
    }
}

fn default_limit(node_max_entries: usize) -> u64 {
    match (node_max_entries as u64).saturating_mul(NODES_PER_TRIM) {
        0 => DEFAULT_LIMIT,
        limit => limit.min(LIMIT_MAX),
    }
}

/// The words of the exact trimming that has the outcome which `trim` had on this stream.
pub(super) fn outcome(trim: &Trim, stream: &Stream) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    match trim.references {
        References::Keep => {}
        References::Delete => words.push(b"DELREF".to_vec()),
        References::Acknowledged => words.push(b"ACKED".to_vec()),
    }
    let (name, exact) = match trim.bound {
        Bound::Entries(max) => ("MAXLEN", number_word(max)),
        Bound::From(id) => ("MINID", id.to_vec()),
    };
    let threshold = match trim.bound {
        _ if !trim.approximate => exact,
        Bound::Entries(_) => number_word(stream.log.len()),
        Bound::From(_) => stream.log.first_id().to_vec(),
    };
    words.extend([name.into(), b"=".to_vec(), threshold]);
    words
}

fn number_word(value: u64) -> Vec<u8> {
    let mut word = Vec::new();
    number::write_u64(&mut word, value);
    word
}
