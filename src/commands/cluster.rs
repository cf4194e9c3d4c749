//! What clients of a cluster say to a server that is none: they ask, and go on when they are told.

use crate::command::row::{Group, Row, acl, flag};
use crate::command::{Args, Ctx, Error, Flow};

const DISABLED: Error = Error::Text("ERR This instance has cluster support disabled");

/// The rows of this family.
pub const ROWS: &[Row] = &[
    Row::new("asking", Group::Cluster, 1, refuse)
        .flags(flag::FAST)
        .acl(acl::CONNECTION)
        .about(
            "3.0.0",
            "O(1)",
            "Announces that the next command follows an -ASK redirection.",
        ),
    Row::new("readonly", Group::Cluster, 1, refuse)
        .flags(flag::FAST | flag::LOADING | flag::STALE)
        .acl(acl::CONNECTION)
        .about(
            "3.0.0",
            "O(1)",
            "Lets the connection read from a replica of a cluster.",
        ),
    Row::new("readwrite", Group::Cluster, 1, refuse)
        .flags(flag::FAST | flag::LOADING | flag::STALE)
        .acl(acl::CONNECTION)
        .about("3.0.0", "O(1)", "Ends what READONLY began."),
];

fn refuse(_: &mut Ctx<'_>, _: &mut Args<'_>) -> Result<Flow, Error> {
    Err(DISABLED)
}
