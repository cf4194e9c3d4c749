//! Strings as bitmaps and as rows of integers.
//!
//! `bit` has single bits, `range` counting and finding, `combine` BITOP, `field` BITFIELD. The work on bits itself is in
//! [`crate::ds::bits`]; here are words, keys and replies.

mod bit;
mod combine;
mod field;
mod range;

use crate::base::number;
use crate::command::row::{Group, KeySpec, Row, acl, flag, key_flag};
use crate::command::{Ctx, Error};

const READ: &[KeySpec] = &[KeySpec::one(1, key_flag::RO | key_flag::ACCESS)];
const UPDATED: &[KeySpec] = &[KeySpec::one(
    1,
    key_flag::RW | key_flag::ACCESS | key_flag::UPDATE,
)];
const FIELD_KEYS: &[KeySpec] = &[KeySpec {
    notes: "This command allows both access and modification of the key",
    ..KeySpec::one(
        1,
        key_flag::RW | key_flag::ACCESS | key_flag::UPDATE | key_flag::VARIABLE,
    )
}];
const COMBINED_KEYS: &[KeySpec] = &[
    KeySpec::one(2, key_flag::OW | key_flag::UPDATE),
    KeySpec::range(3, -1, 1, key_flag::RO | key_flag::ACCESS),
];
const UNITS: &[(&str, &str)] = &[("7.0.0", "Added the `BYTE|BIT` option.")];

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("bitcount", Group::Bitmap, -2, range::bitcount)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::BITMAP)
        .about("2.6.0", "O(N)", "Counts the bits of a string, or of a part of it, that are on.")
        .syntax("key [range:( start:integer end:integer [unit:( BYTE | BIT )]^7.0.0 )]")
        .history(UNITS),
    Row::new("bitfield", Group::Bitmap, -2, field::bitfield)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(FIELD_KEYS)
        .acl(acl::BITMAP)
        .about("3.2.0", "O(1) for each subcommand specified", "Reads, writes and increments integers of any width within a string.")
        .syntax("key [operation:( GET get-block:( encoding offset:integer ) | write:( [OVERFLOW overflow-block:( WRAP | SAT | FAIL )] write-operation:( SET set-block:( encoding offset:integer value:integer ) | INCRBY incrby-block:( encoding offset:integer increment:integer ) ) ) )...]"),
    Row::new("bitfield_ro", Group::Bitmap, -2, field::bitfield_ro)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::BITMAP)
        .about("6.0.0", "O(1) for each subcommand specified", "Reads integers of any width within a string.")
        .syntax("key [GET get-block:( encoding offset:integer )]..."),
    Row::new("bitop", Group::Bitmap, -4, combine::bitop)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(COMBINED_KEYS)
        .acl(acl::BITMAP)
        .about("2.6.0", "O(N)", "Combines strings bit by bit and stores the result.")
        .syntax("operation:( AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE ) destkey:key key@1..."),
    Row::new("bitpos", Group::Bitmap, -3, range::bitpos)
        .flags(flag::READONLY)
        .keys(READ)
        .acl(acl::BITMAP)
        .about("2.8.7", "O(N)", "Finds the first bit of a string, or of a part of it, that is on or off.")
        .syntax("key bit:integer [range:( start:integer [end-unit-block:( end:integer [unit:( BYTE | BIT )]^7.0.0 )] )]")
        .history(UNITS),
    Row::new("getbit", Group::Bitmap, 3, bit::getbit)
        .flags(flag::READONLY | flag::FAST)
        .keys(READ)
        .acl(acl::BITMAP)
        .about("2.2.0", "O(1)", "Returns a bit of a string.")
        .syntax("key offset:integer"),
    Row::new("setbit", Group::Bitmap, 4, bit::setbit)
        .flags(flag::WRITE | flag::DENYOOM)
        .keys(UPDATED)
        .acl(acl::BITMAP)
        .about("2.2.0", "O(1)", "Sets a bit of a string; what lies before it and is not there becomes zeros.")
        .syntax("key offset:integer value:integer"),
];

/// Bytes that a string may have.
fn limit_bytes(ctx: &Ctx<'_>) -> u64 {
    ctx.server.config.settings.proto_max_bulk_len as u64
}

/// The bit that a word names, if a string of at most `limit_bytes` may have the byte in which it lies.
fn bit_offset(word: &[u8], limit_bytes: u64) -> Result<u64, Error> {
    number::parse_i64(word)
        .and_then(|offset| within(offset, limit_bytes))
        .ok_or(OFFSET)
}

fn within(offset: i64, limit_bytes: u64) -> Option<u64> {
    u64::try_from(offset)
        .ok()
        .filter(|offset| offset / 8 < limit_bytes)
}

const OFFSET: Error = Error::Text("ERR bit offset is not an integer or out of range");

/// The bytes of a string that reaches up to this bit.
fn bytes_up_to(bit: u64) -> usize {
    usize::try_from(bit / 8 + 1).expect("offsets are bound by the longest string")
}
