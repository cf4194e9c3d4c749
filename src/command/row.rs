//! A command's declaration: all that COMMAND, ACL, key extraction, arity checks, statistics and propagation need.
//!
//! Rows are constants beside their handlers, made by `const fn` builders that read as a sentence. Subcommands are rows
//! under a container row.

use super::Handler;

/// Bits that say how a command behaves; the names are those of COMMAND INFO.
pub mod flag {
    /// May change keys.
    pub const WRITE: u32 = 1;
    /// Reads keys.
    pub const READONLY: u32 = 1 << 1;
    /// Refused when memory is full.
    pub const DENYOOM: u32 = 1 << 2;
    /// For administrators.
    pub const ADMIN: u32 = 1 << 3;
    /// About pub/sub.
    pub const PUBSUB: u32 = 1 << 4;
    /// Not in scripts.
    pub const NOSCRIPT: u32 = 1 << 5;
    /// May block the client.
    pub const BLOCKING: u32 = 1 << 6;
    /// Allowed while the data set is being loaded.
    pub const LOADING: u32 = 1 << 7;
    /// Allowed on a replica that lost its primary.
    pub const STALE: u32 = 1 << 8;
    /// Not shown in MONITOR.
    pub const SKIP_MONITOR: u32 = 1 << 9;
    /// Not noted in the slow log.
    pub const SKIP_SLOWLOG: u32 = 1 << 10;
    /// Accepted during a slot's import after ASKING.
    pub const ASKING: u32 = 1 << 11;
    /// Answered in constant or logarithmic time.
    pub const FAST: u32 = 1 << 12;
    /// Needs no authentication.
    pub const NO_AUTH: u32 = 1 << 13;
    /// May be a write although it is not flagged so (scripts); COMMAND INFO does not tell.
    pub const MAY_REPLICATE: u32 = 1 << 14;
    /// Keys stand where only the command knows.
    pub const MOVABLEKEYS: u32 = 1 << 15;
    /// Not inside MULTI.
    pub const NO_MULTI: u32 = 1 << 16;
    /// Allowed while a script is busy.
    pub const ALLOW_BUSY: u32 = 1 << 17;
    /// Not while loading in the background.
    pub const NO_ASYNC_LOADING: u32 = 1 << 18;
    /// Part of MULTI's own grammar: runs at once between MULTI and EXEC.
    pub const IN_MULTI: u32 = 1 << 19;
    /// Guarded by `enable-debug-command`.
    pub const PROTECTED: u32 = 1 << 20;
    /// Allowed to a client of RESP2 that is subscribed to something.
    pub const IN_SUBSCRIBER: u32 = 1 << 21;
    /// Its reply is a push, which CLIENT REPLY does not silence.
    pub const PUSHES: u32 = 1 << 22;
    /// Its keys may all be left out.
    pub const NO_MANDATORY_KEYS: u32 = 1 << 23;

    /// The names that COMMAND INFO shows, by bit; internal bits have none.
    pub const NAMES: [(u32, &str); 19] = [
        (WRITE, "write"),
        (READONLY, "readonly"),
        (DENYOOM, "denyoom"),
        (ADMIN, "admin"),
        (PUBSUB, "pubsub"),
        (NOSCRIPT, "noscript"),
        (BLOCKING, "blocking"),
        (LOADING, "loading"),
        (STALE, "stale"),
        (SKIP_MONITOR, "skip_monitor"),
        (SKIP_SLOWLOG, "skip_slowlog"),
        (ASKING, "asking"),
        (FAST, "fast"),
        (NO_AUTH, "no_auth"),
        (NO_MANDATORY_KEYS, "no_mandatory_keys"),
        (MOVABLEKEYS, "movablekeys"),
        (NO_MULTI, "no_multi"),
        (ALLOW_BUSY, "allow_busy"),
        (NO_ASYNC_LOADING, "no_async_loading"),
    ];
}

/// ACL categories, a bit each.
pub mod acl {
    /// Names by bit number, as ACL CAT lists them.
    pub const NAMES: [&str; 21] = [
        "keyspace",
        "read",
        "write",
        "set",
        "sortedset",
        "list",
        "hash",
        "string",
        "bitmap",
        "hyperloglog",
        "geo",
        "stream",
        "pubsub",
        "admin",
        "fast",
        "slow",
        "blocking",
        "dangerous",
        "connection",
        "transaction",
        "scripting",
    ];
    /// `@keyspace`
    pub const KEYSPACE: u32 = 1;
    /// `@read`
    pub const READ: u32 = 1 << 1;
    /// `@write`
    pub const WRITE: u32 = 1 << 2;
    /// `@set`
    pub const SET: u32 = 1 << 3;
    /// `@sortedset`
    pub const SORTEDSET: u32 = 1 << 4;
    /// `@list`
    pub const LIST: u32 = 1 << 5;
    /// `@hash`
    pub const HASH: u32 = 1 << 6;
    /// `@string`
    pub const STRING: u32 = 1 << 7;
    /// `@bitmap`
    pub const BITMAP: u32 = 1 << 8;
    /// `@hyperloglog`
    pub const HYPERLOGLOG: u32 = 1 << 9;
    /// `@geo`
    pub const GEO: u32 = 1 << 10;
    /// `@stream`
    pub const STREAM: u32 = 1 << 11;
    /// `@pubsub`
    pub const PUBSUB: u32 = 1 << 12;
    /// `@admin`
    pub const ADMIN: u32 = 1 << 13;
    /// `@fast`
    pub const FAST: u32 = 1 << 14;
    /// `@slow`
    pub const SLOW: u32 = 1 << 15;
    /// `@blocking`
    pub const BLOCKING: u32 = 1 << 16;
    /// `@dangerous`
    pub const DANGEROUS: u32 = 1 << 17;
    /// `@connection`
    pub const CONNECTION: u32 = 1 << 18;
    /// `@transaction`
    pub const TRANSACTION: u32 = 1 << 19;
    /// `@scripting`
    pub const SCRIPTING: u32 = 1 << 20;
}

/// What a command does to the keys of one key spec, as COMMAND INFO names it.
pub mod key_flag {
    /// Reads the value, changes nothing.
    pub const RO: u32 = 1;
    /// Reads and changes.
    pub const RW: u32 = 1 << 1;
    /// Overwrites.
    pub const OW: u32 = 1 << 2;
    /// Removes.
    pub const RM: u32 = 1 << 3;
    /// Returns, copies or uses the value.
    pub const ACCESS: u32 = 1 << 4;
    /// Updates the value from itself.
    pub const UPDATE: u32 = 1 << 5;
    /// Adds data, old data stays.
    pub const INSERT: u32 = 1 << 6;
    /// Deletes data.
    pub const DELETE: u32 = 1 << 7;
    /// A name that is no key (channels).
    pub const NOT_KEY: u32 = 1 << 8;
    /// Some keys may be missed.
    pub const INCOMPLETE: u32 = 1 << 9;
    /// The flags depend on the options.
    pub const VARIABLE: u32 = 1 << 10;

    /// The names by bit.
    pub const NAMES: [(u32, &str); 11] = [
        (RO, "RO"),
        (RW, "RW"),
        (OW, "OW"),
        (RM, "RM"),
        (ACCESS, "access"),
        (UPDATE, "update"),
        (INSERT, "insert"),
        (DELETE, "delete"),
        (NOT_KEY, "not_key"),
        (INCOMPLETE, "incomplete"),
        (VARIABLE, "variable_flags"),
    ];
}

/// Where a search for keys begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this word (1: the first after the command).
    Index(usize),
    /// After a keyword; the search for it starts at this word, backwards from the end if negative.
    Keyword(&'static str, i32),
    /// Nobody can tell from the words.
    Unknown,
}

/// How keys follow from where the search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// From the beginning to `last` (relative; negative: from the end of the words), every `step` words; `limit` n > 1:
    /// only the first 1/n of what remains.
    Range {
        last: i32,
        step: usize,
        limit: usize,
    },
    /// A word `count_at` after the beginning says how many keys start `first` after it.
    Count {
        count_at: usize,
        first: usize,
        step: usize,
    },
    /// Nobody can tell from the words.
    Unknown,
}

/// Where a command's keys are and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// Where the search begins.
    pub begin: Begin,
    /// How keys are found from there.
    pub find: Find,
    /// Bits of [`key_flag`].
    pub flags: u32,
    /// Remarks for COMMAND DOCS and INFO.
    pub notes: &'static str,
}

impl KeySpec {
    /// One key at word `index`.
    pub const fn one(index: usize, flags: u32) -> Self {
        Self::range(index, 0, 1, flags)
    }

    /// Keys from word `first` to `last` (negative: from the end), every `step` words.
    pub const fn range(first: usize, last: i32, step: usize, flags: u32) -> Self {
        Self {
            begin: Begin::Index(first),
            find: Find::Range {
                last,
                step,
                limit: 0,
            },
            flags,
            notes: "",
        }
    }

    /// Word `index` counts the keys that follow it, every `step` words.
    pub const fn counted(index: usize, step: usize, flags: u32) -> Self {
        let find = Find::Count {
            count_at: 0,
            first: 1,
            step,
        };
        Self {
            begin: Begin::Index(index),
            find,
            flags,
            notes: "",
        }
    }
}

/// The group under which documentation lists a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Bitmaps.
    Bitmap,
    /// Cluster.
    Cluster,
    /// Connections.
    Connection,
    /// Keys of any type.
    Generic,
    /// Geospatial indices.
    Geo,
    /// Hashes.
    Hash,
    /// HyperLogLog.
    HyperLogLog,
    /// Lists.
    List,
    /// Publish and subscribe.
    PubSub,
    /// Scripts and functions.
    Scripting,
    /// Server.
    Server,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
    /// Strings.
    String,
    /// Transactions.
    Transactions,
}

impl Group {
    /// The word that COMMAND DOCS answers.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Bitmap => "bitmap",
            Group::Cluster => "cluster",
            Group::Connection => "connection",
            Group::Generic => "generic",
            Group::Geo => "geo",
            Group::Hash => "hash",
            Group::HyperLogLog => "hyperloglog",
            Group::List => "list",
            Group::PubSub => "pubsub",
            Group::Scripting => "scripting",
            Group::Server => "server",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Stream => "stream",
            Group::String => "string",
            Group::Transactions => "transactions",
        }
    }
}

/// A command or subcommand. See the head of the file.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Lower case; of a subcommand its own word only.
    pub name: &'static str,
    /// The full name, `container|subcommand` for a subcommand.
    pub full_name: &'static str,
    /// What runs.
    pub handler: Handler,
    /// Words with the command; negative: at least so many.
    pub arity: i32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// Where keys are.
    pub keys: &'static [KeySpec],
    /// The word that names a member of the first key's value (0: none does): its cache lines are asked for ahead.
    pub members_at: usize,
    /// Bits of [`acl`] beyond those that follow from the flags.
    pub acl: u32,
    /// The group of the documentation.
    pub group: Group,
    /// The Redis (or Valkey) version that brought it.
    pub since: &'static str,
    /// Big-O of its time.
    pub complexity: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The words after the name, in the notation of [`crate::commands::docs`].
    pub syntax: &'static str,
    /// Hints for proxies and clients, as COMMAND INFO lists them.
    pub tips: &'static [&'static str],
    /// (version, change) pairs.
    pub history: &'static [(&'static str, &'static str)],
    /// Since when it is deprecated and what replaces it.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// Whether it is for the server's own purposes: COMMAND DOCS marks it `syscmd`.
    pub system: bool,
    /// The command that this is another name of.
    pub alias_of: Option<&'static str>,
    /// The rows under a container.
    pub subcommands: &'static [Row],
}

impl Row {
    /// A command. Arity counts the command's own word.
    pub const fn new(name: &'static str, group: Group, arity: i32, handler: Handler) -> Self {
        Self {
            name,
            full_name: name,
            handler,
            arity,
            flags: 0,
            keys: &[],
            members_at: 0,
            acl: 0,
            group,
            since: "1.0.0",
            complexity: "O(1)",
            summary: "",
            syntax: "",
            tips: &[],
            history: &[],
            deprecated: None,
            system: false,
            alias_of: None,
            subcommands: &[],
        }
    }

    /// A subcommand; `full_name` is `container|name`. Arity counts both words.
    pub const fn sub(
        name: &'static str,
        full_name: &'static str,
        group: Group,
        arity: i32,
        handler: Handler,
    ) -> Self {
        let mut row = Self::new(name, group, arity, handler);
        row.full_name = full_name;
        row
    }

    /// Bits of [`flag`].
    pub const fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// Word `index` names a member (field) of the key's value.
    pub const fn members_at(mut self, index: usize) -> Self {
        self.members_at = index;
        self
    }

    /// Where its keys are.
    pub const fn keys(mut self, keys: &'static [KeySpec]) -> Self {
        self.keys = keys;
        self
    }

    /// ACL categories beyond those that follow from the flags.
    pub const fn acl(mut self, acl: u32) -> Self {
        self.acl = acl;
        self
    }

    /// The version that brought it, its complexity and a sentence about it.
    pub const fn about(
        mut self,
        since: &'static str,
        complexity: &'static str,
        summary: &'static str,
    ) -> Self {
        self.since = since;
        self.complexity = complexity;
        self.summary = summary;
        self
    }

    /// The words after the name.
    pub const fn syntax(mut self, syntax: &'static str) -> Self {
        self.syntax = syntax;
        self
    }

    /// Hints for proxies and clients.
    pub const fn tips(mut self, tips: &'static [&'static str]) -> Self {
        self.tips = tips;
        self
    }

    /// (version, change) pairs.
    pub const fn history(mut self, history: &'static [(&'static str, &'static str)]) -> Self {
        self.history = history;
        self
    }

    /// Since when it is deprecated, and in favour of what.
    pub const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Self {
        self.deprecated = Some((since, replaced_by));
        self
    }

    /// For the server's own purposes: nothing that applications should call.
    pub const fn system(mut self) -> Self {
        self.system = true;
        self
    }

    /// The rows of its subcommands.
    pub const fn subcommands(mut self, rows: &'static [Row]) -> Self {
        self.subcommands = rows;
        self
    }

    /// The same command under another name.
    pub const fn named(mut self, name: &'static str) -> Self {
        self.alias_of = Some(self.name);
        self.name = name;
        self.full_name = name;
        self
    }

    /// Whether any of these flag bits is set.
    #[inline]
    pub const fn is(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// Whether a command of `words` words may be this one.
    #[inline]
    pub const fn accepts(&self, words: usize) -> bool {
        if self.arity >= 0 {
            words == self.arity as usize
        } else {
            words >= self.arity.unsigned_abs() as usize
        }
    }

    /// All ACL categories: those given and those that follow from the flags.
    pub const fn categories(&self) -> u32 {
        let mut bits = self.acl;
        if self.is(flag::WRITE) {
            bits |= acl::WRITE;
        }
        if self.is(flag::READONLY) && self.acl & acl::SCRIPTING == 0 {
            bits |= acl::READ;
        }
        if self.is(flag::ADMIN) {
            bits |= acl::ADMIN | acl::DANGEROUS;
        }
        if self.is(flag::PUBSUB) {
            bits |= acl::PUBSUB;
        }
        if self.is(flag::BLOCKING) {
            bits |= acl::BLOCKING;
        }
        bits | if self.is(flag::FAST) {
            acl::FAST
        } else {
            acl::SLOW
        }
    }

    /// (first, last, step) of the keys as the old form of COMMAND INFO has it: ranges that follow one another count as
    /// one; zeros where there is none, or a gap between two.
    pub fn legacy_keys(&self) -> (i64, i64, i64) {
        let ranges = self.keys.iter().filter_map(|spec| match spec {
            KeySpec {
                begin: Begin::Index(first),
                find: Find::Range { last, step, .. },
                ..
            } => {
                let (first, last) = (*first as i64, i64::from(*last));
                let last = if last >= 0 { first + last } else { last };
                Some((first, last, *step as i64))
            }
            _ => None,
        });
        let joined = ranges
            .map(Some)
            .reduce(|before, next| match (before?, next?) {
                ((first, end, 1), (start, last, 1)) if start == end + 1 => Some((first, last, 1)),
                _ => None,
            });
        joined.flatten().unwrap_or((0, 0, 0))
    }
}
