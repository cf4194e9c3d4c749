//! What can happen to a key: the events of keyspace notifications, each with its class.

/// One letter of `notify-keyspace-events` each.
pub mod class {
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

const fn generic(name: &'static str) -> Event {
    Event {
        class: class::GENERIC,
        name,
    }
}

const fn string(name: &'static str) -> Event {
    Event {
        class: class::STRING,
        name,
    }
}

/// DEL, UNLINK, GETDEL, DELEX, and collections that became empty.
pub const DEL: Event = generic("del");
/// A deadline was set.
pub const EXPIRE: Event = generic("expire");
/// A deadline was taken away.
pub const PERSIST: Event = generic("persist");
/// The old name of a renamed key.
pub const RENAME_FROM: Event = generic("rename_from");
/// The new name of a renamed key.
pub const RENAME_TO: Event = generic("rename_to");
/// MOVE, in the database that the key left.
pub const MOVE_FROM: Event = generic("move_from");
/// MOVE, in the database that the key came to.
pub const MOVE_TO: Event = generic("move_to");
/// The copy that COPY made.
pub const COPY_TO: Event = generic("copy_to");
/// SET and its relatives.
pub const SET: Event = string("set");
/// APPEND.
pub const APPEND: Event = string("append");
/// SETRANGE.
pub const SETRANGE: Event = string("setrange");
/// INCR, DECR, INCRBY, DECRBY, INCREX.
pub const INCRBY: Event = string("incrby");
/// INCRBYFLOAT, INCREX with a float.
pub const INCRBYFLOAT: Event = string("incrbyfloat");
/// SETBIT, BITFIELD.
pub const SETBIT: Event = string("setbit");
/// PFADD, PFMERGE.
pub const PFADD: Event = string("pfadd");
/// A change of how a value is kept, or of what it remembers about itself: nothing is published.
pub const UNPUBLISHED: Event = Event { class: 0, name: "" };
/// A deadline passed.
pub const EXPIRED: Event = Event {
    class: class::EXPIRED,
    name: "expired",
};
/// A key came into being.
pub const NEW: Event = Event {
    class: class::NEW,
    name: "new",
};
/// A read found no key.
pub const KEYMISS: Event = Event {
    class: class::MISS,
    name: "keymiss",
};
/// Fields of a hash expired.
pub const HEXPIRED: Event = Event {
    class: class::HASH,
    name: "hexpired",
};
/// Members of a set expired.
pub const SEXPIRED: Event = Event {
    class: class::SET,
    name: "sexpired",
};
const fn set(name: &'static str) -> Event {
    Event {
        class: class::SET,
        name,
    }
}

/// SADD, and the set that SMOVE moves to.
pub const SADD: Event = set("sadd");
/// SREM, and the set that SMOVE moves from.
pub const SREM: Event = set("srem");
/// SPOP.
pub const SPOP: Event = set("spop");
/// SINTERSTORE.
pub const SINTERSTORE: Event = set("sinterstore");
/// SUNIONSTORE.
pub const SUNIONSTORE: Event = set("sunionstore");
/// SDIFFSTORE.
pub const SDIFFSTORE: Event = set("sdiffstore");
/// Members of a set got a deadline.
pub const SEXPIRE: Event = set("sexpire");
/// Members of a set lost their deadline.
pub const SPERSIST: Event = set("spersist");
/// SORT with STORE.
pub const SORTSTORE: Event = Event {
    class: class::LIST,
    name: "sortstore",
};
/// Members of a sorted set expired.
pub const ZEXPIRED: Event = Event {
    class: class::ZSET,
    name: "zexpired",
};

const fn hash(name: &'static str) -> Event {
    Event {
        class: class::HASH,
        name,
    }
}

/// HSET and its relatives.
pub const HSET: Event = hash("hset");
/// Fields were deleted.
pub const HDEL: Event = hash("hdel");
/// HINCRBY.
pub const HINCRBY: Event = hash("hincrby");
/// HINCRBYFLOAT.
pub const HINCRBYFLOAT: Event = hash("hincrbyfloat");
/// Fields got a deadline.
pub const HEXPIRE: Event = hash("hexpire");
/// Fields lost their deadline.
pub const HPERSIST: Event = hash("hpersist");
