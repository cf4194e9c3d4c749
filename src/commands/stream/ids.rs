//! How commands spell ids: one id, the ends of an interval, and `IDS numids id...`.

use crate::command::{Args, Error};
use crate::types::stream::{References, StreamId};

/// A word that is no id.
pub(super) const INVALID_ID: Error =
    Error::Text("ERR Invalid stream ID specified as stream command argument");
/// Bytes of the longest word that is looked at as an id.
const ID_MAX_BYTES: usize = 127;

/// One id; `ms` alone means its first.
pub(super) fn parse_id(word: &[u8]) -> Result<StreamId, Error> {
    parse_with(word, 0)
}

fn parse_with(word: &[u8], missing_seq: u64) -> Result<StreamId, Error> {
    if word.len() > ID_MAX_BYTES {
        return Err(INVALID_ID);
    }
    StreamId::parse(word, missing_seq).ok_or(INVALID_ID)
}

/// An end of an interval.
struct End {
    id: StreamId,
    /// `(id`: the interval does not have it.
    is_open: bool,
}

impl End {
    fn parse(word: &[u8], missing_seq: u64) -> Result<Self, Error> {
        if let Some(id) = word.strip_prefix(b"(") {
            let id = parse_with(id, missing_seq)?;
            return Ok(Self { id, is_open: true });
        }
        let id = match word {
            b"-" => StreamId::MIN,
            b"+" => StreamId::MAX,
            _ => parse_with(word, missing_seq)?,
        };
        Ok(Self { id, is_open: false })
    }
}

/// Where an interval begins: `-`, an id, or `(` and an id that it does not have.
pub(super) fn parse_start(word: &[u8]) -> Result<StreamId, Error> {
    let end = End::parse(word, 0)?;
    if !end.is_open {
        return Ok(end.id);
    }
    let error = Error::Text("ERR invalid start ID for the interval");
    end.id.next().ok_or(error)
}

/// Where an interval ends: `+`, an id (`ms` alone means its last), or `(` and an id that it does not have.
pub(super) fn parse_end(word: &[u8]) -> Result<StreamId, Error> {
    let end = End::parse(word, u64::MAX)?;
    if !end.is_open {
        return Ok(end.id);
    }
    let error = Error::Text("ERR invalid end ID for the interval");
    end.id.previous().ok_or(error)
}

/// All words that are left, as ids.
pub(super) fn rest_of_ids(args: &mut Args<'_>) -> Result<Vec<StreamId>, Error> {
    args.rest().map(parse_id).collect()
}

/// `IDS numids id...`, behind the word IDS. More words may follow.
pub(super) fn counted_ids(args: &mut Args<'_>) -> Result<Vec<StreamId>, Error> {
    let count = args.positive(Error::Text("ERR Number of IDs must be a positive integer"))?;
    if count > args.left() {
        return Err(Error::Text(
            "ERR The `numids` parameter must match the number of arguments",
        ));
    }
    (0..count).map(|_| parse_id(args.word()?)).collect()
}

/// Takes KEEPREF, DELREF or ACKED, which may be said once.
pub(super) fn take_references(
    args: &mut Args<'_>,
    said: &mut Option<References>,
) -> Result<bool, Error> {
    const WORDS: [(&str, References); 3] = [
        ("KEEPREF", References::Keep),
        ("DELREF", References::Delete),
        ("ACKED", References::Acknowledged),
    ];
    for (word, references) in WORDS {
        if args.flag(word) {
            if said.is_some() {
                return Err(Error::Syntax);
            }
            *said = Some(references);
            return Ok(true);
        }
    }
    Ok(false)
}
