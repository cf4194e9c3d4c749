//! Rows of the group "Security": passwords, users and commands that are out of reach.

use super::{Param, choice, number, special, text};
use crate::config::kind::Kind;
use crate::config::settings::{AclPubsubDefault, LocalAccess};

pub(super) static ROWS: &[Param] = &[
    text(
        "requirepass",
        "",
        "Password of the default user; empty means none.",
    )
    .sensitive()
    .field(|s, v| s.requirepass = v.to_bytes()),
    special(
        "user",
        "",
        Kind::Directive { words: 1 },
        "An ACL user and its rules; one line a user.",
    )
    .sensitive(),
    text("aclfile", "", "File that holds the ACL users.")
        .immutable()
        .field(|s, v| s.aclfile = v.optional_text()),
    choice(
        "acl-pubsub-default",
        "resetchannels",
        AclPubsubDefault::WORDS,
        "Channels a new user may use.",
    )
    .field(|s, v| s.acl_pubsub_default = AclPubsubDefault::from_value(v)),
    number(
        "acllog-max-len",
        "128",
        0,
        i64::MAX,
        "Entries of the ACL log.",
    )
    .field(|s, v| s.acllog_max_len = v.number()),
    special(
        "rename-command",
        "",
        Kind::Directive { words: 2 },
        "Give a command another name; the name \"\" removes it.",
    ),
    choice(
        "enable-protected-configs",
        "no",
        LocalAccess::WORDS,
        "Who may change protected parameters.",
    )
    .immutable()
    .field(|s, v| s.enable_protected_configs = LocalAccess::from_value(v)),
    choice(
        "enable-debug-command",
        "no",
        LocalAccess::WORDS,
        "Who may use DEBUG.",
    )
    .immutable()
    .field(|s, v| s.enable_debug_command = LocalAccess::from_value(v)),
    choice(
        "enable-module-command",
        "no",
        LocalAccess::WORDS,
        "Who may use MODULE.",
    )
    .immutable()
    .field(|s, v| s.enable_module_command = LocalAccess::from_value(v)),
    special(
        "loadmodule",
        "",
        Kind::Directive { words: 1 },
        "A module to load when the server starts.",
    ),
    special(
        "include",
        "",
        Kind::Include,
        "Another configuration file, read in place; wildcards are allowed.",
    ),
];
