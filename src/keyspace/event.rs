//! What can happen to a key: the events of keyspace notifications, each with its class.

/// One letter of `notify-keyspace-events` each.
pub mod class {
    /// Published by nobody.
    pub const NONE: u32 = 0;
    /// `K`: publish on `__keyspace@db__:key`.
    pub const KEYSPACE: u32 = 1;
    /// `E`: publish on `__keyevent@db__:event`.
    pub const KEYEVENT: u32 = 1 << 1;
    /// `g`: commands that work on any type.
    pub const GENERIC: u32 = 1 << 2;
    /// `$`
    pub const STRING: u32 = 1 << 3;
    /// `l`
    pub const LIST: u32 = 1 << 4;
    /// `s`
    pub const SET: u32 = 1 << 5;
    /// `h`
    pub const HASH: u32 = 1 << 6;
    /// `z`
    pub const ZSET: u32 = 1 << 7;
    /// `x`
    pub const EXPIRED: u32 = 1 << 8;
    /// `e`
    pub const EVICTED: u32 = 1 << 9;
    /// `t`
    pub const STREAM: u32 = 1 << 10;
    /// `m`: a read found no key; not part of `A`.
    pub const MISS: u32 = 1 << 11;
    /// `d`
    pub const MODULE: u32 = 1 << 12;
    /// `n`: a key was created; not part of `A`.
    pub const NEW: u32 = 1 << 13;

    /// The letters, by bit number.
    const LETTERS: [char; 14] = [
        'K', 'E', 'g', '$', 'l', 's', 'h', 'z', 'x', 'e', 't', 'm', 'd', 'n',
    ];

    /// The bits that these letters name; `A` stands for all classes but `m` and `n`.
    pub fn of_letters(letters: &str) -> u32 {
        letters.chars().fold(0, |bits, letter| {
            match LETTERS.iter().position(|known| *known == letter) {
                Some(bit) => bits | 1 << bit,
                None if letter == 'A' => {
                    bits | (GENERIC
                        | STRING
                        | LIST
                        | SET
                        | HASH
                        | ZSET
                        | EXPIRED
                        | EVICTED
                        | STREAM
                        | MODULE)
                }
                None => bits,
            }
        })
    }
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// One of [`class`].
    pub class: u32,
    /// The word that is published.
    pub name: &'static str,
}

const fn event(class: u32, name: &'static str) -> Event {
    Event { class, name }
}

/// DEL, UNLINK, GETDEL, DELEX, and collections that became empty.
pub const DEL: Event = event(class::GENERIC, "del");
/// A deadline was set.
pub const EXPIRE: Event = event(class::GENERIC, "expire");
/// A deadline was taken away.
pub const PERSIST: Event = event(class::GENERIC, "persist");
/// The old name of a renamed key.
pub const RENAME_FROM: Event = event(class::GENERIC, "rename_from");
/// The new name of a renamed key.
pub const RENAME_TO: Event = event(class::GENERIC, "rename_to");
/// MOVE, in the database that the key left.
pub const MOVE_FROM: Event = event(class::GENERIC, "move_from");
/// MOVE, in the database that the key came to.
pub const MOVE_TO: Event = event(class::GENERIC, "move_to");
/// RESTORE.
pub const RESTORE: Event = event(class::GENERIC, "restore");
/// The copy that COPY made.
pub const COPY_TO: Event = event(class::GENERIC, "copy_to");

/// SET and its relatives.
pub const SET: Event = event(class::STRING, "set");
/// APPEND.
pub const APPEND: Event = event(class::STRING, "append");
/// SETRANGE.
pub const SETRANGE: Event = event(class::STRING, "setrange");
/// INCR, DECR, INCRBY, DECRBY, INCREX.
pub const INCRBY: Event = event(class::STRING, "incrby");
/// INCRBYFLOAT, INCREX with a float.
pub const INCRBYFLOAT: Event = event(class::STRING, "incrbyfloat");
/// SETBIT, BITFIELD.
pub const SETBIT: Event = event(class::STRING, "setbit");
/// PFADD, PFMERGE.
pub const PFADD: Event = event(class::STRING, "pfadd");

/// SORT with STORE.
pub const SORTSTORE: Event = event(class::LIST, "sortstore");
/// Elements were added in front of a list.
pub const LPUSH: Event = event(class::LIST, "lpush");
/// Elements were added at the end of a list.
pub const RPUSH: Event = event(class::LIST, "rpush");
/// Elements were taken from the front of a list.
pub const LPOP: Event = event(class::LIST, "lpop");
/// Elements were taken from the end of a list.
pub const RPOP: Event = event(class::LIST, "rpop");
/// LSET.
pub const LSET: Event = event(class::LIST, "lset");
/// LINSERT.
pub const LINSERT: Event = event(class::LIST, "linsert");
/// LREM.
pub const LREM: Event = event(class::LIST, "lrem");
/// LTRIM.
pub const LTRIM: Event = event(class::LIST, "ltrim");

/// Members of a set expired.
pub const SEXPIRED: Event = event(class::SET, "sexpired");
/// SADD, and the set that SMOVE moves to.
pub const SADD: Event = event(class::SET, "sadd");
/// SREM, and the set that SMOVE moves from.
pub const SREM: Event = event(class::SET, "srem");
/// SPOP.
pub const SPOP: Event = event(class::SET, "spop");
/// SINTERSTORE.
pub const SINTERSTORE: Event = event(class::SET, "sinterstore");
/// SUNIONSTORE.
pub const SUNIONSTORE: Event = event(class::SET, "sunionstore");
/// SDIFFSTORE.
pub const SDIFFSTORE: Event = event(class::SET, "sdiffstore");
/// Members of a set got a deadline.
pub const SEXPIRE: Event = event(class::SET, "sexpire");
/// Members of a set lost their deadline.
pub const SPERSIST: Event = event(class::SET, "spersist");

/// Fields of a hash expired.
pub const HEXPIRED: Event = event(class::HASH, "hexpired");
/// HSET and its relatives.
pub const HSET: Event = event(class::HASH, "hset");
/// Fields were deleted.
pub const HDEL: Event = event(class::HASH, "hdel");
/// HINCRBY.
pub const HINCRBY: Event = event(class::HASH, "hincrby");
/// HINCRBYFLOAT.
pub const HINCRBYFLOAT: Event = event(class::HASH, "hincrbyfloat");
/// Fields got a deadline.
pub const HEXPIRE: Event = event(class::HASH, "hexpire");
/// Fields lost their deadline.
pub const HPERSIST: Event = event(class::HASH, "hpersist");

/// Members of a sorted set expired.
pub const ZEXPIRED: Event = event(class::ZSET, "zexpired");
/// ZADD, and GEOADD.
pub const ZADD: Event = event(class::ZSET, "zadd");
/// ZINCRBY, and ZADD with INCR.
pub const ZINCR: Event = event(class::ZSET, "zincr");
/// ZREM, and members whose new deadline has passed.
pub const ZREM: Event = event(class::ZSET, "zrem");
/// ZREMRANGEBYRANK.
pub const ZREMRANGEBYRANK: Event = event(class::ZSET, "zremrangebyrank");
/// ZREMRANGEBYSCORE.
pub const ZREMRANGEBYSCORE: Event = event(class::ZSET, "zremrangebyscore");
/// ZREMRANGEBYLEX.
pub const ZREMRANGEBYLEX: Event = event(class::ZSET, "zremrangebylex");
/// ZPOPMIN, and the others that take lowest members.
pub const ZPOPMIN: Event = event(class::ZSET, "zpopmin");
/// ZPOPMAX, and the others that take highest members.
pub const ZPOPMAX: Event = event(class::ZSET, "zpopmax");
/// ZRANGESTORE.
pub const ZRANGESTORE: Event = event(class::ZSET, "zrangestore");
/// ZUNIONSTORE.
pub const ZUNIONSTORE: Event = event(class::ZSET, "zunionstore");
/// ZINTERSTORE.
pub const ZINTERSTORE: Event = event(class::ZSET, "zinterstore");
/// ZDIFFSTORE.
pub const ZDIFFSTORE: Event = event(class::ZSET, "zdiffstore");
/// Members got a deadline.
pub const ZEXPIRE: Event = event(class::ZSET, "zexpire");
/// Members lost their deadline.
pub const ZPERSIST: Event = event(class::ZSET, "zpersist");
/// GEORADIUS and GEORADIUSBYMEMBER with STORE or STOREDIST.
pub const GEORADIUSSTORE: Event = event(class::ZSET, "georadiusstore");
/// GEOSEARCHSTORE.
pub const GEOSEARCHSTORE: Event = event(class::ZSET, "geosearchstore");

/// XADD.
pub const XADD: Event = event(class::STREAM, "xadd");
/// XTRIM, and XADD that trims.
pub const XTRIM: Event = event(class::STREAM, "xtrim");
/// XDEL, XDELEX, XACKDEL.
pub const XDEL: Event = event(class::STREAM, "xdel");
/// XSETID.
pub const XSETID: Event = event(class::STREAM, "xsetid");
/// XGROUP CREATE.
pub const XGROUP_CREATE: Event = event(class::STREAM, "xgroup-create");
/// XGROUP SETID.
pub const XGROUP_SETID: Event = event(class::STREAM, "xgroup-setid");
/// XGROUP DESTROY.
pub const XGROUP_DESTROY: Event = event(class::STREAM, "xgroup-destroy");
/// A consumer came into being.
pub const XGROUP_CREATECONSUMER: Event = event(class::STREAM, "xgroup-createconsumer");
/// XGROUP DELCONSUMER.
pub const XGROUP_DELCONSUMER: Event = event(class::STREAM, "xgroup-delconsumer");

/// A deadline passed.
pub const EXPIRED: Event = event(class::EXPIRED, "expired");
/// A key went because memory was full.
pub const EVICTED: Event = event(class::EVICTED, "evicted");

/// A key came into being.
pub const NEW: Event = event(class::NEW, "new");

/// A read found no key.
pub const KEYMISS: Event = event(class::MISS, "keymiss");

/// A change of how a value is kept, or of what it remembers about itself: nothing is published.
pub const UNPUBLISHED: Event = event(class::NONE, "");
