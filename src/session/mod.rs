//! Clients: what the server knows of each connection, and all of them together.
//! A session knows no socket; `net` keeps one connection beside each slot.

pub mod clients;
pub mod fieldsets;
pub mod pause;
pub mod transaction;

use crate::resp::output::Output;
use crate::resp::reply::{Protocol, Reply};
use crate::resp::request::RequestParser;
use crate::resp::request::StoredArgv;
use fieldsets::Fieldsets;
use std::sync::Arc;
use transaction::Transaction;

/// Bits that stand in the way of the fast path: a command of such a client goes through all gates.
pub mod hindrance {
    /// AUTH has yet to come.
    pub const NOT_AUTHENTICATED: u32 = 1;
    /// Between MULTI and EXEC.
    pub const IN_TRANSACTION: u32 = 1 << 1;
    /// A script or EXEC runs commands for it.
    pub const NESTED: u32 = 1 << 3;
    /// It listens to channels or patterns: in RESP2 it may do little else.
    pub const SUBSCRIBED: u32 = 1 << 4;
    /// CLIENT CACHING was said, and holds for the next command.
    pub const CACHING: u32 = 1 << 5;
    /// A script runs commands for it.
    pub const SCRIPTED: u32 = 1 << 6;
    /// The command that it waited in is run again.
    pub const SERVED: u32 = 1 << 7;
    /// Its commands come from the append-only file.
    pub const REPLAYED: u32 = 1 << 8;
    /// It watches all commands, and runs none that is about keys.
    pub const MONITORS: u32 = 1 << 9;
}

/// Where a connection comes from and arrived.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// `ip:port`, or the path of the Unix socket with `:0`.
    pub address: String,
    /// The same of the server's side.
    pub local_address: String,
    /// The file descriptor, as CLIENT LIST shows it.
    pub fd: i32,
    /// Through a Unix socket.
    pub unix: bool,
    /// From this machine: loopback or Unix socket.
    pub loopback: bool,
}

/// What CLIENT REPLY chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    /// Every command is answered.
    #[default]
    On,
    /// None is.
    Off,
    /// The command after CLIENT REPLY SKIP is not; then they are again.
    Skip,
    /// The command that is running is not (it follows CLIENT REPLY SKIP).
    Skipping,
}

/// What CLIENT TRACKING chose, as far as commands of the client have to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrackingMode {
    /// It is off.
    #[default]
    Off,
    /// All reads are remembered.
    Reads,
    /// Reads after CLIENT CACHING YES are.
    OptIn,
    /// Reads but those after CLIENT CACHING NO are.
    OptOut,
    /// None is: names are told by prefix.
    Broadcast,
}

/// The classes of `client-output-buffer-limit`, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// All others.
    Normal,
    /// Replicas.
    Replica,
    /// Clients that listen to channels or patterns.
    PubSub,
}

/// How a connection is about to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closing {
    /// It is not.
    #[default]
    No,
    /// As soon as the pending replies are written.
    AfterReply,
    /// At once.
    Now,
}

/// A command that waits for a change of keys, or for its deadline.
pub struct Blocked {
    /// The command's words: it is run again when a key has changed.
    pub argv: StoredArgv,
    /// When it gives up, in Unix milliseconds; `None`: never.
    pub deadline_ms: Option<i64>,
    /// When it is run again although no key has changed, in Unix milliseconds.
    pub again_ms: Option<i64>,
    /// What is answered at the deadline.
    pub on_timeout: fn(&mut Reply<'_>),
}

impl Blocked {
    /// When something has to be done about it, in Unix milliseconds; `None`: when a key changes.
    pub fn alarm_ms(&self) -> Option<i64> {
        match (self.deadline_ms, self.again_ms) {
            (Some(deadline_ms), Some(again_ms)) => Some(deadline_ms.min(again_ms)),
            (one, other) => one.or(other),
        }
    }
}

/// A part of an output that waits until changes are acknowledged by the append-only file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its first byte, counted from the connection's beginning.
    pub from: u64,
    /// The offset of the stream that it waits for.
    pub offset: u64,
}

/// One client.
pub struct Session {
    /// CLIENT ID: never used twice.
    pub id: u64,
    /// Its place among the clients, shared with `net`; used again after it is gone.
    pub slot: usize,
    /// Where it comes from.
    pub peer: Peer,
    /// CLIENT SETNAME.
    pub name: Box<[u8]>,
    /// CLIENT SETINFO LIB-NAME.
    pub lib_name: Box<[u8]>,
    /// CLIENT SETINFO LIB-VER.
    pub lib_version: Box<[u8]>,
    /// The user it is authenticated as.
    pub user: Arc<str>,
    /// The selected database.
    pub db: usize,
    /// The RESP version of its replies.
    pub protocol: Protocol,
    /// Bits of [`hindrance`].
    pub hindrances: u32,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// CLIENT CAPA REDIRECT: it understands being sent to another server.
    pub follows_redirects: bool,
    /// CLIENT TRACKING: what it reads now is remembered.
    pub remembers_reads: bool,
    /// CLIENT TRACKING: how it chose what is remembered.
    pub tracking: TrackingMode,
    /// The command has come for which CLIENT CACHING was said.
    pub caching_used: bool,
    /// Bytes of what it subscribed to.
    pub subscription_bytes: usize,
    /// Bytes of its prefixes of CLIENT TRACKING.
    pub prefix_bytes: usize,
    /// Its bytes as they stand in the sum that `maxmemory-clients` bounds.
    pub counted_bytes: usize,
    /// CLIENT IMPORT-SOURCE: it imports data.
    pub imports: bool,
    /// How it is about to end.
    pub closing: Closing,
    /// Whether it stands in the list of clients whose output waits to be written.
    pub flush_queued: bool,
    /// When it connected, Unix milliseconds.
    pub created_ms: i64,
    /// When its last command ran, Unix milliseconds.
    pub active_ms: i64,
    /// Full name of the last command.
    pub last_command: &'static str,
    /// Commands run or queued; those that EXEC or a script ran for it are not counted.
    pub commands: u64,
    /// Bytes received.
    pub net_input_bytes: u64,
    /// Bytes sent.
    pub net_output_bytes: u64,
    /// Since when more waits for it than the soft output limit, Unix milliseconds.
    pub above_soft_limit_since_ms: Option<i64>,
    /// Bytes of the input whose commands are running.
    pub running_input_bytes: usize,
    /// The unfinished command.
    pub parser: RequestParser,
    /// Replies that are not written yet.
    pub output: Output,
    /// The end of its last change in the stream.
    pub wrote_until: u64,
    /// From where on its output waits, in order.
    pub holds: Vec<Hold>,
    /// The command that CLIENT PAUSE holds back; it runs when the pause ends.
    pub postponed: Option<Box<StoredArgv>>,
    /// What MULTI and WATCH need.
    pub transaction: Option<Box<Transaction>>,
    /// What it waits for.
    pub blocked: Option<Box<Blocked>>,
    /// HIMPORT PREPARE.
    pub fieldsets: Option<Box<Fieldsets>>,
}

impl Session {
    fn new(id: u64, slot: usize, peer: Peer, now_ms: i64) -> Self {
        Self {
            id,
            slot,
            peer,
            name: Box::default(),
            lib_name: Box::default(),
            lib_version: Box::default(),
            user: Arc::from("default"),
            db: 0,
            protocol: Protocol::Resp2,
            hindrances: 0,
            reply_mode: ReplyMode::On,
            no_evict: false,
            no_touch: false,
            follows_redirects: false,
            remembers_reads: false,
            tracking: TrackingMode::Off,
            caching_used: false,
            subscription_bytes: 0,
            prefix_bytes: 0,
            counted_bytes: 0,
            imports: false,
            closing: Closing::No,
            flush_queued: false,
            created_ms: now_ms,
            active_ms: now_ms,
            last_command: "NULL",
            commands: 0,
            net_input_bytes: 0,
            net_output_bytes: 0,
            above_soft_limit_since_ms: None,
            running_input_bytes: 0,
            parser: RequestParser::default(),
            output: Output::default(),
            wrote_until: 0,
            holds: Vec::new(),
            postponed: None,
            transaction: None,
            blocked: None,
            fieldsets: None,
        }
    }

    /// One that is no client: commands of a file run for it.
    pub fn of_nobody(peer: Peer, now_ms: i64) -> Self {
        Self::new(0, 0, peer, now_ms)
    }

    /// Bytes of its output that may be written now.
    #[inline]
    pub fn writable_bytes(&self) -> usize {
        let pending = self.output.len();
        match self.holds.first() {
            None => pending,
            Some(hold) => {
                let before = hold.from.saturating_sub(self.net_output_bytes);
                usize::try_from(before).map_or(pending, |before| before.min(pending))
            }
        }
    }

    /// Whether AUTH has succeeded or was not needed.
    pub fn is_authenticated(&self) -> bool {
        self.hindrances & hindrance::NOT_AUTHENTICATED == 0
    }

    /// Sets or clears bits of [`hindrance`].
    pub fn hinder(&mut self, bits: u32, on: bool) {
        if on {
            self.hindrances |= bits;
        } else {
            self.hindrances &= !bits;
        }
    }

    /// Whether the client must not run commands now, although it may have sent some.
    pub fn is_held(&self) -> bool {
        self.is_waiting() || self.closing != Closing::No
    }

    /// Whether its command has yet to be answered: it blocks, or CLIENT PAUSE holds it back.
    pub fn is_waiting(&self) -> bool {
        self.blocked.is_some() || self.postponed.is_some()
    }

    /// Whether EXEC or a script runs commands for it.
    #[inline]
    pub fn is_nested(&self) -> bool {
        self.hindrances & hindrance::NESTED != 0
    }

    /// Whether a script runs commands for it.
    #[inline]
    pub fn is_scripted(&self) -> bool {
        self.hindrances & hindrance::SCRIPTED != 0
    }

    /// Whether it listens to channels or patterns.
    #[inline]
    pub fn is_subscribed(&self) -> bool {
        self.hindrances & hindrance::SUBSCRIBED != 0
    }

    /// Whether MONITOR shows it all commands.
    #[inline]
    pub fn is_monitor(&self) -> bool {
        self.hindrances & hindrance::MONITORS != 0
    }

    /// Which of the output limits is about it.
    pub fn class(&self) -> Class {
        if self.is_subscribed() {
            Class::PubSub
        } else {
            Class::Normal
        }
    }

    /// Sets what CLIENT TRACKING chose; CLIENT CACHING has not been said since.
    pub fn track(&mut self, mode: TrackingMode) {
        self.tracking = mode;
        self.set_caching(false);
    }

    /// CLIENT CACHING: the next command is an exception from OPTIN or OPTOUT, or not any more.
    pub fn set_caching(&mut self, said: bool) {
        self.hinder(hindrance::CACHING, said);
        self.caching_used = false;
        self.remembers_reads = match self.tracking {
            TrackingMode::Off | TrackingMode::Broadcast => false,
            TrackingMode::Reads => true,
            TrackingMode::OptIn => said,
            TrackingMode::OptOut => !said,
        };
    }

    /// Whether CLIENT CACHING was said for the next command.
    pub fn is_caching(&self) -> bool {
        self.hindrances & hindrance::CACHING != 0
    }

    /// Whether it is between MULTI and EXEC.
    pub fn in_transaction(&self) -> bool {
        self.hindrances & hindrance::IN_TRANSACTION != 0
    }

    /// Bytes of the command that it waits in.
    fn waiting_bytes(&self) -> usize {
        let blocked = self.blocked.as_ref().map(|blocked| &blocked.argv);
        let waiting = blocked.or(self.postponed.as_deref());
        waiting.map_or(0, StoredArgv::heap_bytes)
    }

    /// Bytes of its input and output buffers, of its queue and of the command that it waits in, as `maxmemory-clients` counts.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Session>()
            + self.parser.buffered_bytes()
            + self.output.heap_bytes()
            + self
                .transaction
                .as_ref()
                .map_or(0, |transaction| transaction.heap_bytes())
            + self.waiting_bytes()
            + self.name.len()
            + self.lib_name.len()
            + self.lib_version.len()
            + self.subscription_bytes
            + self.prefix_bytes
            + self
                .fieldsets
                .as_ref()
                .map_or(0, |fieldsets| fieldsets.heap_bytes())
    }
}
