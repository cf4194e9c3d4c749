//! THE table of parameters: one row each, in groups; everything else about configuration is derived from it.
//!
//! To add a parameter, write its row into the group's file; if code reads it, give the row a `field` and add
//! that field to `Settings`. The file, the command line with its help, CONFIG GET, SET and REWRITE and
//! `redis.conf.example` follow by themselves.
//!
//! Names, defaults, bounds and choices are those of Redis 8.0, and of Valkey 9.1 for what is Valkey's alone.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::kind::Kind;
use super::settings::Settings;
use super::value::Value;

mod append_only;
mod clients;
mod cluster;
mod data_types;
mod general;
mod logging;
mod memory;
mod network;
mod observability;
mod persistence;
mod replication;
mod scripting;
mod security;
mod testing;
mod tls;

const I32_MAX: i64 = i32::MAX as i64;
const I32_MIN: i64 = i32::MIN as i64;
const U32_MAX: i64 = u32::MAX as i64;

/// One parameter.
pub struct Param {
    /// The name CONFIG REWRITE writes.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// What it accepts.
    pub kind: Kind,
    /// Its value where nothing is configured, in words.
    pub default: &'static str,
    /// How it may be used.
    pub flags: ParamFlags,
    /// One line that says what it is for.
    pub summary: &'static str,
    store: Option<fn(&mut Settings, &Value)>,
}

/// How a parameter may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParamFlags {
    /// CONFIG SET refuses it.
    pub immutable: bool,
    /// CONFIG SET wants `enable-protected-configs`.
    pub protected: bool,
    /// It must not appear in logs.
    pub sensitive: bool,
    /// Patterns do not list it; its own name does.
    pub hidden: bool,
    /// CONFIG SET refuses it while data is loaded.
    pub deny_loading: bool,
}

/// Parameters that belong together, with a headline for help and example file.
pub struct Group {
    /// The headline.
    pub title: &'static str,
    /// One line about the group.
    pub about: &'static str,
    /// Its parameters.
    pub rows: &'static [Param],
}

/// All groups, in the order of the help and of the example file.
pub static GROUPS: [Group; 15] = [
    Group {
        title: "Network",
        about: "Where the server listens and how it treats a connection.",
        rows: network::ROWS,
    },
    Group {
        title: "TLS",
        about: "Encrypted connections.",
        rows: tls::ROWS,
    },
    Group {
        title: "General",
        about: "The process.",
        rows: general::ROWS,
    },
    Group {
        title: "Logging",
        about: "What is written about the server's own work.",
        rows: logging::ROWS,
    },
    Group {
        title: "Security",
        about: "Passwords, users and commands that are out of reach.",
        rows: security::ROWS,
    },
    Group {
        title: "Clients and limits",
        about: "Bounds on what one client may use.",
        rows: clients::ROWS,
    },
    Group {
        title: "Memory",
        about: "How much data is kept and what goes when it is too much.",
        rows: memory::ROWS,
    },
    Group {
        title: "Snapshots",
        about: "Point-in-time files (RDB).",
        rows: persistence::ROWS,
    },
    Group {
        title: "Append-only file",
        about: "The log of changes (AOF).",
        rows: append_only::ROWS,
    },
    Group {
        title: "Replication",
        about: "Copies of the data on other servers.",
        rows: replication::ROWS,
    },
    Group {
        title: "Cluster",
        about: "Many servers as one.",
        rows: cluster::ROWS,
    },
    Group {
        title: "Scripting",
        about: "Lua scripts and functions.",
        rows: scripting::ROWS,
    },
    Group {
        title: "Observability",
        about: "Slow commands and latency.",
        rows: observability::ROWS,
    },
    Group {
        title: "Data types",
        about: "When a compact encoding gives way to the general one.",
        rows: data_types::ROWS,
    },
    Group {
        title: "Placement and test doors",
        about: "CPU lists, and parameters that exist for tests.",
        rows: testing::ROWS,
    },
];

/// All parameters in the order of the groups; a position in it is the parameter's index.
static ALL: LazyLock<Vec<&'static Param>> =
    LazyLock::new(|| GROUPS.iter().flat_map(|group| group.rows).collect());

/// Every name and alias with the parameter's index.
static BY_NAME: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let names = ALL.iter().enumerate();
    names
        .flat_map(|(index, param)| param.names().map(move |name| (name, index)))
        .collect()
});

/// All parameters, in the order of the groups.
pub fn all() -> &'static [&'static Param] {
    &ALL
}

/// The index in [`all`] of the parameter with this name or alias, in any case.
pub fn index_of(name: &[u8]) -> Option<usize> {
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    BY_NAME.get(name.as_str()).copied()
}

impl Param {
    const fn new(
        name: &'static str,
        default: &'static str,
        kind: Kind,
        summary: &'static str,
    ) -> Param {
        let flags = ParamFlags {
            immutable: false,
            protected: false,
            sensitive: false,
            hidden: false,
            deny_loading: false,
        };
        Param {
            name,
            aliases: &[],
            kind,
            default,
            flags,
            summary,
            store: None,
        }
    }

    /// The name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The value where nothing is configured.
    pub fn default_value(&self) -> Value {
        if self.kind.is_file_only() {
            return Value::Words(Vec::new());
        }
        let parsed = self.kind.parse(
            self.name,
            &[self.default.as_bytes()],
            &Value::Words(Vec::new()),
        );
        parsed.unwrap_or_else(|reason| panic!("the default of {}: {reason}", self.name))
    }

    pub(super) fn apply(&self, settings: &mut Settings, value: &Value) {
        if let Some(store) = self.store {
            store(settings, value);
        }
    }

    const fn aka(mut self, aliases: &'static [&'static str]) -> Param {
        self.aliases = aliases;
        self
    }

    const fn synonyms(mut self, pairs: &'static [(&'static str, &'static str)]) -> Param {
        if let Kind::Choice { words, .. } = self.kind {
            self.kind = Kind::Choice {
                words,
                synonyms: pairs,
            };
        }
        self
    }

    const fn immutable(mut self) -> Param {
        self.flags.immutable = true;
        self
    }

    const fn protected(mut self) -> Param {
        self.flags.protected = true;
        self
    }

    const fn sensitive(mut self) -> Param {
        self.flags.sensitive = true;
        self
    }

    const fn hidden(mut self) -> Param {
        self.flags.hidden = true;
        self
    }

    const fn deny_loading(mut self) -> Param {
        self.flags.deny_loading = true;
        self
    }

    const fn field(mut self, store: fn(&mut Settings, &Value)) -> Param {
        self.store = Some(store);
        self
    }
}

impl std::fmt::Debug for Param {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Param").field(&self.name).finish()
    }
}

const fn flag(name: &'static str, default: &'static str, summary: &'static str) -> Param {
    Param::new(name, default, Kind::Flag, summary)
}

const fn number(
    name: &'static str,
    default: &'static str,
    min: i64,
    max: i64,
    summary: &'static str,
) -> Param {
    Param::new(name, default, Kind::Number { min, max }, summary)
}

const fn memory(
    name: &'static str,
    default: &'static str,
    min: i64,
    summary: &'static str,
) -> Param {
    Param::new(name, default, Kind::Memory { min }, summary)
}

const fn choice(
    name: &'static str,
    default: &'static str,
    words: &'static [&'static str],
    summary: &'static str,
) -> Param {
    Param::new(
        name,
        default,
        Kind::Choice {
            words,
            synonyms: &[],
        },
        summary,
    )
}

const fn text(name: &'static str, default: &'static str, summary: &'static str) -> Param {
    Param::new(name, default, Kind::Text, summary)
}

const fn special(
    name: &'static str,
    default: &'static str,
    kind: Kind,
    summary: &'static str,
) -> Param {
    Param::new(name, default, kind, summary)
}
