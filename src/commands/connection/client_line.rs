//! A client as CLIENT LIST and CLIENT INFO show it: one line of `field=value`, in the order of Redis 8.
//!
//! Replies lie in one growing buffer (`rbs` its room, `obl` what waits in it); once it is large, or large values are sent
//! without a copy, the whole is a list of pieces (`oll`) and counts as `omem`. The buffer's peak is not kept apart: `rbp`
//! equals `rbs`.

use super::queued;
use crate::pubsub::Counts;
use crate::resp::output::Output;
use crate::resp::reply::Protocol;
use crate::session::{Closing, Session, TrackingMode};
use crate::tracking::Tracking;
use std::fmt::Write;

/// Letters that may stand in `flags=`, here or on other servers.
pub const FLAG_LETTERS: &[u8] = b"ABEIMNOPRSTUbcdeirtux";

/// More than this counts as `omem`: tools watch that field for clients that do not read.
const SMALL_OUTPUT_MAX_BYTES: usize = 16 << 10;

/// What a session does not know of itself.
pub struct Surroundings<'a> {
    /// Unix milliseconds.
    pub now_ms: i64,
    /// Keys that it watches.
    pub watched: usize,
    /// What it listens to.
    pub subscriptions: Counts,
    /// The client that is told of changed keys in its stead.
    pub redirect: i64,
    /// Client-side caching.
    pub tracking: &'a Tracking,
    /// Bytes of the command that is running for it; `None`: none is.
    pub argv_bytes: Option<usize>,
    /// Its pending replies.
    pub output: &'a Output,
}

/// The letters of what is special about a client; `N` if nothing is.
pub fn flags(session: &Session, tracking: &Tracking) -> String {
    let dirty = session
        .transaction
        .as_ref()
        .is_some_and(|transaction| transaction.spoilt);
    let broken = tracking
        .client(session.id)
        .is_some_and(|client| client.broken);
    let letters = [
        ('O', session.is_monitor()),
        ('P', session.is_subscribed()),
        ('x', session.in_transaction()),
        ('b', session.is_waiting()),
        ('t', session.tracking != TrackingMode::Off),
        ('R', broken),
        ('B', session.tracking == TrackingMode::Broadcast),
        ('d', dirty),
        ('c', session.closing == Closing::AfterReply),
        ('A', session.closing == Closing::Now),
        ('U', session.peer.unix),
        ('e', session.no_evict),
        ('T', session.no_touch),
        ('I', session.imports),
    ];
    let flags: String = letters
        .iter()
        .filter_map(|(letter, set)| set.then_some(*letter))
        .collect();
    if flags.is_empty() {
        "N".to_owned()
    } else {
        flags
    }
}

/// Seconds since `since_ms`.
pub fn seconds_since(now_ms: i64, since_ms: i64) -> i64 {
    now_ms.saturating_sub(since_ms).max(0) / 1000
}

/// Appends the client's line, its end included.
pub fn write(out: &mut Vec<u8>, session: &Session, around: &Surroundings<'_>) {
    let mut line = String::new();
    // Writing to a String cannot fail.
    let _ = write_head(&mut line, session);
    out.extend_from_slice(line.as_bytes());
    line.clear();
    out.extend_from_slice(b" name=");
    out.extend_from_slice(&session.name);
    let _ = write_state(&mut line, session, around);
    let _ = write_buffers(&mut line, session, around);
    out.extend_from_slice(line.as_bytes());
    line.clear();
    out.extend_from_slice(b" lib-name=");
    out.extend_from_slice(&session.lib_name);
    out.extend_from_slice(b" lib-ver=");
    out.extend_from_slice(&session.lib_version);
    let _ = writeln!(
        line,
        " io-thread=0 tot-net-in={} tot-net-out={} tot-cmds={}",
        session.net_input_bytes, session.net_output_bytes, session.commands
    );
    out.extend_from_slice(line.as_bytes());
}

fn write_head(line: &mut String, session: &Session) -> std::fmt::Result {
    let peer = &session.peer;
    write!(
        line,
        "id={} addr={} laddr={} fd={}",
        session.id, peer.address, peer.local_address, peer.fd
    )
}

fn write_state(
    line: &mut String,
    session: &Session,
    around: &Surroundings<'_>,
) -> std::fmt::Result {
    let queued = queued(session.transaction.as_deref(), session.in_transaction());
    let multi = queued
        .and_then(|count| i64::try_from(count).ok())
        .unwrap_or(-1);
    write!(
        line,
        " age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={multi} watch={}",
        seconds_since(around.now_ms, session.created_ms),
        seconds_since(around.now_ms, session.active_ms),
        flags(session, around.tracking),
        session.db,
        around.subscriptions.channels,
        around.subscriptions.patterns,
        around.subscriptions.shards,
        around.watched,
    )
}

fn write_buffers(
    line: &mut String,
    session: &Session,
    around: &Surroundings<'_>,
) -> std::fmt::Result {
    let output = around.output;
    let whole = output
        .as_slice()
        .filter(|bytes| bytes.len() <= SMALL_OUTPUT_MAX_BYTES);
    let room = whole.map_or(0, |_| output.heap_bytes());
    let pending = whole.map_or(0, <[u8]>::len);
    let (pieces, listed) = match whole {
        Some(_) => (0, 0),
        None => (output.pieces().count(), output.heap_bytes()),
    };
    let queue_bytes = session
        .transaction
        .as_ref()
        .map_or(0, |transaction| transaction.queue_bytes());
    let events = if output.is_empty() || session.flush_queued || around.argv_bytes.is_some() {
        "r"
    } else {
        "rw"
    };
    let resp = match session.protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    write!(
        line,
        " qbuf={} qbuf-free=0 argv-mem={} multi-mem={queue_bytes} rbs={room} rbp={room} obl={pending} oll={pieces} \
         omem={listed} tot-mem={} events={events} cmd={} user={} redir={} resp={resp}",
        session.parser.unparsed_bytes() + session.running_input_bytes,
        around.argv_bytes.unwrap_or_else(|| waiting_bytes(session)),
        session.memory_bytes(),
        session.last_command,
        session.user,
        around.redirect,
    )
}

/// Bytes of the command that the client waits in.
fn waiting_bytes(session: &Session) -> usize {
    let blocked = session.blocked.as_ref().map(|blocked| &blocked.argv);
    let waiting = blocked.or(session.postponed.as_deref());
    waiting.map_or(0, |argv| argv.argv().wire_bytes())
}
