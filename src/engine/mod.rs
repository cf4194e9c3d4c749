//! The engine: requests in, reply bytes out. It opens no socket and no file; time, chance and the process around it are
//! handed in, so that a seed and a clock set by hand replay any run.
//!
//! - [`Engine::feed`] takes what a client sent: commands are parsed in place, looked up and their keys' cache lines asked
//!   for in batches, then run in order.
//! - [`Engine::tick`] does what time asks for: expiry, deadlines of blocked clients, statistics.
//! - [`Engine::take_flush`] says whose [`Session::output`] waits to be written.
//!
//! What must hold: a command runs alone and whole; a failed one leaves neither half a reply nor half a change; every
//! reason to refuse is in `gates`; whatever a command changed is in the propagation stream, in order, once.

mod backing_up;
mod call;
mod cron;
mod effects;
mod evict;
mod gates;
mod loading;
mod logging;
mod reload;
mod replay;
mod saving;
mod script;
mod serve;
pub mod stream;

use crate::base::clock::Clock;
use crate::base::random::{Random, Seeds};
use crate::command::ctx::{DebugSwitches, Identity, Server};
use crate::command::host::Host;
use crate::command::row::{Row, flag};
use crate::command::table::{CommandId, CommandTable, RenameError};
use crate::config::Config;
use crate::keyspace::Keyspace;
use crate::keyspace::entry::LookUpAhead;
use crate::monitor::Monitors;
use crate::observe::stats::Stats;
use crate::outbox::Outbox;
use crate::persist::aof::Aof;
use crate::persist::backup::Backups;
use crate::persist::load::Summary;
use crate::persist::payload::PayloadWriter;
use crate::persist::save::Saver;
use crate::pubsub::PubSub;
use crate::resp::output::Output;
use crate::resp::reply::Reply;
use crate::resp::request::{
    Argv, BATCH_COMMANDS_MAX, Batch, Filling, Parsed, RequestLimits, second_word,
};
use crate::script::Scripts;
use crate::session::clients::Clients;
use crate::session::pause::Pause;
use crate::session::{Closing, Peer, ReplyMode, Session};
use crate::tracking::Tracking;
use crate::types::load::Room;
use cron::Cron;
use std::cell::Cell;
use std::collections::BTreeSet;
use stream::{ReaderId, Stream};

/// Replies that may wait for a client that has not authenticated; one that lets more pile up is closed.
const UNAUTHENTICATED_OUTPUT_MAX_BYTES: usize = 1024;

/// With more replies than this the output limit is looked at between the batches of one turn too.
const OUTPUT_CHECKED_BYTES: usize = 64 << 10;

/// Clients whose first commands are foreseen at once.
const FORESEEN_MAX: usize = 16;

/// Emptied batches that are kept.
const SPARE_BATCHES_MAX: usize = 16;

/// Commands in a row on one key from which on its members are asked for ahead.
const SAME_KEY_MIN: usize = 3;

/// A command that has been parsed and looked up, and whose key has been hashed.
#[derive(Clone, Copy)]
struct Staged {
    command: Option<CommandId>,
    /// The word that is the first key (0: none), and its hash.
    key: (usize, u64),
}

/// Batches that are kept for the next transactions.
#[derive(Default)]
struct SpareBatches(Vec<Batch>);

impl SpareBatches {
    fn take(&mut self) -> Batch {
        self.0.pop().unwrap_or_default()
    }

    fn put(&mut self, mut batch: Batch) {
        if self.0.len() < SPARE_BATCHES_MAX {
            batch.clear();
            self.0.push(batch);
        }
    }
}

/// A client's turn: everything that a running command borrows apart from the engine.
struct Turn<'h> {
    session: Box<Session>,
    output: Output,
    host: &'h mut dyn Host,
    /// When the commands that are being timed began.
    since_ns: u64,
    /// Where its output begins, counted from the connection's beginning.
    output_from: u64,
    /// A script has asked that what it changes is not propagated.
    is_silent: bool,
}

impl<'h> Turn<'h> {
    /// The turn of nobody, whose commands come from a file.
    fn of_replay(session: Box<Session>, host: &'h mut dyn Host) -> Self {
        Turn {
            session,
            output: Output::default(),
            host,
            since_ns: 0,
            output_from: 0,
            is_silent: false,
        }
    }

    fn reply(&mut self) -> Reply<'_> {
        Reply::new(&mut self.output, self.session.protocol)
    }
}

/// See the head of the file.
pub struct Engine {
    /// All databases.
    pub keyspace: Keyspace,
    /// Everything else that commands see.
    pub server: Server,
    /// What changed, for the append-only file and replicas.
    pub stream: Stream,
    batch: Batch,
    staged: Vec<Staged>,
    /// The same for the batches that EXEC runs within another one.
    staged_within: Vec<Staged>,
    /// Emptied batches, for the queues of transactions.
    spare_batches: SpareBatches,
    /// (database, hash) of keys that [`Engine::foresee`] asks for.
    foreseen: Vec<(usize, u64)>,
    /// Deadlines of blocked clients: (Unix milliseconds, client id).
    timeouts: BTreeSet<(i64, u64)>,
    /// A watched key of the client whose command runs was changed by a client that it caused to be served.
    spoilt_while_lent: bool,
    /// Where replies to scripts are written, between scripts.
    script_output: Cell<Output>,
    cron: Cron,
    /// The append-only file, as a reader of the stream.
    log_reader: Option<ReaderId>,
    /// Clients whose output waits for the append-only file.
    held_slots: Vec<usize>,
    /// Room is being made, so that writes pass though memory is full.
    evicting: bool,
    /// Memory was full when a command began, and nothing was left that might go.
    memory_is_short: bool,
}

impl Engine {
    /// An engine with these commands. `seeds` decide all chance, the secret of the key hash included.
    pub fn new(
        config: Config,
        rows: impl IntoIterator<Item = &'static Row>,
        clock: Clock,
        seeds: Seeds,
        mut identity: Identity,
    ) -> Self {
        let mut random = Random::from_seed(seeds.ids);
        let mut keyspace = Keyspace::new(config.settings.databases, seeds);
        keyspace.set_now_ms(clock.unix_ms());
        if identity.run_id.is_empty() {
            identity.run_id = random.hex(40);
        }
        identity.started_ms = clock.unix_ms();
        let table = CommandTable::new(rows);
        let stats = Stats::new(table.len());
        let replication_id = random.hex(40);
        let saver = Saver::new(clock.unix_ms());
        let scripts = Scripts::new(config.settings.lua_enable_deprecated_api);
        let mut server = Server {
            config,
            clients: Clients::default(),
            stats,
            table,
            clock,
            random,
            pause: Pause::default(),
            identity,
            replication_id,
            debug: DebugSwitches::default(),
            outbox: Outbox::default(),
            pubsub: PubSub::default(),
            tracking: Tracking::default(),
            monitors: Monitors::default(),
            scripts,
            loading: None,
            saver,
            aof: Aof::default(),
            backups: Backups::default(),
            last_load: Summary::default(),
            payloads: PayloadWriter::default(),
            payload_room: Room::default(),
        };
        server.apply_settings(&mut keyspace);
        Self {
            keyspace,
            server,
            stream: Stream::default(),
            batch: Batch::default(),
            staged: Vec::new(),
            staged_within: Vec::new(),
            spare_batches: SpareBatches::default(),
            foreseen: Vec::new(),
            timeouts: BTreeSet::new(),
            spoilt_while_lent: false,
            script_output: Cell::default(),
            cron: Cron::default(),
            log_reader: None,
            held_slots: Vec::new(),
            evicting: false,
            memory_is_short: false,
        }
    }

    /// `rename-command`.
    pub fn rename_command(&mut self, old: &str, new: &str) -> Result<(), RenameError> {
        self.server.table.rename(old, new)
    }

    /// A new client; its slot, or the line that it gets before it is closed.
    pub fn connect(&mut self, peer: Peer) -> Result<usize, &'static str> {
        let settings = &self.server.config.settings;
        if self.server.clients.len() >= settings.maxclients as usize {
            self.server.stats.rejected_connections += 1;
            return Err("-ERR max number of clients reached\r\n");
        }
        let open = settings.requirepass.is_empty();
        if settings.protected_mode && open && !peer.loopback {
            self.server.stats.rejected_connections += 1;
            return Err(gates::PROTECTED_MODE);
        }
        self.server.stats.connections += 1;
        Ok(self
            .server
            .clients
            .add(peer, open, self.server.clock.unix_ms()))
    }

    /// The client is gone.
    pub fn disconnect(&mut self, slot: usize) {
        if let Some(session) = self.server.clients.remove(slot) {
            self.forget_listener(&session);
            self.keyspace.waiters.unwatch(session.id);
            self.keyspace.waiters.stop_waiting(session.id);
            if let Some(alarm_ms) = session.blocked.and_then(|blocked| blocked.alarm_ms()) {
                self.timeouts.remove(&(alarm_ms, session.id));
            }
        }
    }

    /// A reader of the propagation stream, from here on.
    pub fn open_stream(&mut self) -> ReaderId {
        self.keyspace.set_log_deletions(true);
        self.stream.open()
    }

    /// A large argument that is being received: the caller may read the socket straight into it, and feeds nothing
    /// (an empty slice) afterwards.
    pub fn filling(&mut self, slot: usize) -> Option<&mut Filling> {
        self.server.clients.get_mut(slot)?.parser.filling()
    }

    /// Runs what a client sent; how many bytes of `input` are done with. Less than all: the client waits for something
    /// (or is closing); the caller keeps the rest, reads no more, and feeds it when [`Engine::take_resume`] names it.
    pub fn feed(&mut self, slot: usize, input: &[u8], host: &mut dyn Host) -> usize {
        self.limit_client_memory();
        let Some(session) = self.server.clients.lend(slot) else {
            return input.len();
        };
        let mut turn = self.begin_turn(session, host);
        turn.session.net_input_bytes += input.len() as u64;
        turn.session.running_input_bytes = input.len();
        self.server.stats.net_input_bytes += input.len() as u64;
        if turn.session.closing == Closing::No {
            self.run_postponed(&mut turn);
        }
        let consumed = self.run_input(&mut turn, input);
        self.end_turn(turn);
        self.end_pause();
        consumed
    }

    fn begin_turn<'h>(&mut self, mut session: Box<Session>, host: &'h mut dyn Host) -> Turn<'h> {
        let began_ns = self.refresh_time();
        let stands_still = self.server.pause.is_set() || self.server.loading.is_some();
        self.keyspace.set_frozen(stands_still);
        session.active_ms = self.keyspace.now_ms();
        if !session.is_authenticated() && session.output.len() > UNAUTHENTICATED_OUTPUT_MAX_BYTES {
            tracing::warn!(
                "Client id={} does not read its replies and has not authenticated: closed",
                session.id
            );
            self.server.stats.output_buffer_closes += 1;
            session.closing = Closing::Now;
        }
        let mut output = std::mem::take(&mut session.output);
        if let Some(buffer) = output.give_buffer(self.server.clients.take_buffer()) {
            self.server.clients.give_buffer(buffer);
        }
        Turn {
            output_from: session.net_output_bytes + output.len() as u64,
            session,
            output,
            host,
            since_ns: began_ns,
            is_silent: false,
        }
    }

    fn end_turn(&mut self, mut turn: Turn<'_>) {
        if self.server.outbox.has_held() {
            self.release_held(&mut turn);
        }
        let output = &mut turn.output;
        output.settle();
        if let Some(buffer) = output.take_buffer() {
            self.server.clients.give_buffer(buffer);
        }
        if !output.is_empty() {
            self.check_output_limit(&mut turn);
        }
        self.hold_output(&mut turn.session, turn.output_from);
        let wants_flush = !turn.output.is_empty() || turn.session.closing != Closing::No;
        turn.session.output = turn.output;
        turn.session.running_input_bytes = 0;
        if wants_flush {
            self.server.clients.queue_flush(&mut turn.session);
        }
        self.server.clients.take_back(turn.session);
    }

    /// Lets commands see the present; the moment, for durations that start now.
    fn refresh_time(&mut self) -> u64 {
        let now_ns = self.server.clock.monotonic_ns();
        self.keyspace
            .set_now_ms(self.server.clock.unix_ms_at(now_ns));
        now_ns
    }

    fn run_input(&mut self, turn: &mut Turn<'_>, input: &[u8]) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        let mut at = 0;
        while !turn.session.is_held() {
            let rest = input.get(at..).unwrap_or_default();
            let limits = RequestLimits {
                bulk_max_bytes: self.server.config.settings.proto_max_bulk_len,
                authenticated: turn.session.is_authenticated(),
            };
            let parsed = turn.session.parser.parse(rest, &limits, &mut batch);
            if self.server.clients.counts_memory() {
                self.evict_if_largest(turn, batch.heap_bytes());
                if turn.session.is_held() {
                    break;
                }
            }
            let stopped = self.run_batch(turn, &batch, rest);
            if turn.output.len() > OUTPUT_CHECKED_BYTES {
                self.check_output_limit(turn);
            }
            if let Some(stop) = stopped {
                at += batch.input_end(stop);
                turn.session.parser.forget();
                break;
            }
            match parsed {
                Parsed::Progress { consumed } => at += consumed,
                Parsed::Error { error, .. } => {
                    let mut line = b"ERR Protocol error: ".to_vec();
                    error.write_text(&mut line);
                    if turn.session.reply_mode == ReplyMode::On {
                        turn.reply().error(&line);
                    }
                    turn.session.closing = Closing::AfterReply;
                    self.server.stats.count_error("ERR");
                    at = input.len();
                }
            }
            if at >= input.len() {
                break;
            }
        }
        batch.clear();
        self.batch = batch;
        self.check_query_buffer(turn);
        if turn.session.closing == Closing::No {
            at
        } else {
            input.len()
        }
    }

    fn check_query_buffer(&mut self, turn: &mut Turn<'_>) {
        let limit = self.server.config.settings.client_query_buffer_limit;
        let transaction = turn.session.transaction.as_ref();
        let queued = transaction.map_or(0, |transaction| transaction.queue_bytes());
        let is_above = turn.session.parser.buffered_bytes() + queued > limit;
        if is_above && turn.session.closing == Closing::No {
            tracing::warn!(
                "Closing client that reached max query buffer length: id={}",
                turn.session.id
            );
            self.server.stats.query_buffer_closes += 1;
            turn.session.closing = Closing::Now;
        }
    }

    /// Runs the commands of a batch; the number of the one after which the client cannot go on, if there is one.
    fn run_batch(&mut self, turn: &mut Turn<'_>, batch: &Batch, input: &[u8]) -> Option<usize> {
        let queues = turn.session.in_transaction();
        self.stage(turn.session.db, queues, batch, input);
        let (mut run, mut calls) = (None, 0);
        let mut stopped = None;
        for index in 0..batch.len() {
            let staged = self.staged[index];
            if staged.command != run {
                self.count_run(turn, run, calls);
                (run, calls) = (staged.command, 0);
            }
            let ran = self.execute(turn, batch.argv(index, input), staged);
            calls += u64::from(ran && turn.session.blocked.is_none());
            if turn.session.is_held() {
                stopped = Some(index);
                break;
            }
        }
        self.count_run(turn, run, calls);
        stopped
    }

    /// Statistics of the same command, several times in a row; what follows is timed from here.
    fn count_run(&mut self, turn: &mut Turn<'_>, command: Option<CommandId>, calls: u64) {
        let (Some(command), true) = (command, calls > 0) else {
            return;
        };
        let now_ns = self.server.clock.monotonic_ns();
        if !turn.session.is_nested() {
            // Within EXEC and scripts time stands still.
            self.keyspace
                .set_now_ms(self.server.clock.unix_ms_at(now_ns));
        }
        let took_ns = now_ns - turn.since_ns;
        turn.since_ns = now_ns;
        let track_latency = self.server.config.settings.latency_tracking;
        self.server.stats.loop_command_ns += took_ns;
        self.server
            .stats
            .count_calls(command, calls, took_ns, track_latency);
    }

    /// Asks for the cache lines that the first commands of several clients will need, in stages for all of them: their
    /// cache misses overlap. A guess: the second word of a request is most often its key; nothing else depends on it.
    pub fn foresee<'i>(&mut self, requests: impl Iterator<Item = (usize, &'i [u8])>) {
        let hasher = self.keyspace.hasher();
        self.foreseen.clear();
        for (slot, input) in requests.take(FORESEEN_MAX) {
            let Some(session) = self.server.clients.get(slot) else {
                continue;
            };
            if let Some(key) = second_word(input) {
                let hash = hasher.hash(key);
                self.keyspace.store(session.db).prefetch_segment(hash);
                self.foreseen.push((session.db, hash));
            }
        }
        let mut ahead = [None; FORESEEN_MAX];
        for (ahead, (db, hash)) in ahead.iter_mut().zip(&self.foreseen) {
            *ahead = self.keyspace.store(*db).prefetch_bucket(*hash);
        }
        LookUpAhead::prefetch_records(&mut ahead);
    }

    /// Looks up the commands of a batch and asks for their keys' cache lines: in three stages for all of them,
    /// so that cache misses overlap: segments, buckets, records. Those that will only be queued (`queues`: the first are)
    /// have no use for that yet.
    fn stage(&mut self, db: usize, mut queues: bool, batch: &Batch, input: &[u8]) {
        self.staged.clear();
        let store = self.keyspace.store(db);
        let hasher = self.keyspace.hasher();
        for index in 0..batch.len() {
            let argv = batch.argv(index, input);
            let command = self.look_up(argv);
            let entry = command.map(|id| self.server.table.entry(id));
            if let Some(entry) = entry
                && entry.row.is(flag::IN_MULTI)
            {
                queues = entry.row.full_name == "multi";
            }
            let first_key = entry.map_or(0, |entry| if queues { 0 } else { entry.first_key });
            let key = match argv.get(first_key).filter(|_| first_key > 0) {
                Some(key) => (first_key, hasher.hash(key)),
                None => (0, 0),
            };
            if key.0 > 0 && batch.len() > 1 {
                store.prefetch_segment(key.1);
            }
            self.staged.push(Staged { command, key });
        }
        if batch.len() > 1 {
            let mut ahead = [None; BATCH_COMMANDS_MAX];
            for (ahead, staged) in ahead.iter_mut().zip(&self.staged) {
                if staged.key.0 > 0 {
                    *ahead = store.prefetch_bucket(staged.key.1);
                }
            }
            let staged = self.staged.len().min(BATCH_COMMANDS_MAX);
            LookUpAhead::prefetch_records(&mut ahead[..staged]);
            self.stage_members(db, batch, input);
        }
    }

    /// Where several commands in a row name members of the same key's value, asks for the cache lines of those too.
    fn stage_members(&self, db: usize, batch: &Batch, input: &[u8]) {
        let mut hashes = [0; BATCH_COMMANDS_MAX];
        let same_key = |one: &Staged, other: &Staged| one.key.0 > 0 && one.key.1 == other.key.1;
        let mut first = 0;
        for run in self.staged.chunk_by(same_key) {
            let run_at = first;
            first += run.len();
            if run.len() < SAME_KEY_MIN {
                continue;
            }
            let mut named = 0;
            for (index, staged) in run.iter().enumerate() {
                let row = staged.command.map(|id| self.server.table.entry(id).row);
                let at = row.map_or(0, |row| row.members_at);
                let argv = batch.argv(run_at + index, input);
                if let Some(name) = argv.get(at).filter(|_| at > 0)
                    && let Some(hash) = hashes.get_mut(named)
                {
                    *hash = self.keyspace.hasher().hash(name);
                    named += 1;
                }
            }
            let argv = batch.argv(run_at, input);
            if named >= SAME_KEY_MIN
                && let Some(name) = argv.get(run[0].key.0)
            {
                let key = self.keyspace.key(name);
                if let Some((_, record)) = self.keyspace.store(db).find(&key) {
                    record.value().prefetch_members(&hashes[..named]);
                }
            }
        }
    }

    /// The command that these words name; a container stands for itself where the subcommand is missing or unknown.
    #[inline]
    fn look_up(&self, argv: Argv<'_>) -> Option<CommandId> {
        let id = self.server.table.find(argv.get(0)?)?;
        if self.server.table.entry(id).subcommands.is_empty() {
            return Some(id);
        }
        Some(
            argv.get(1)
                .and_then(|sub| self.server.table.find_sub(id, sub))
                .unwrap_or(id),
        )
    }

    /// Whose output waits to be written, or who is to be closed; the list is written over.
    pub fn take_flush(&mut self, into: &mut Vec<usize>) {
        self.finish_turn();
        self.server.clients.take_flush(into);
    }

    /// Whose kept input goes on.
    pub fn take_resume(&mut self) -> Vec<usize> {
        self.server.clients.take_resume()
    }

    /// What a client's replies are by now; they are taken out. For tests and links; `net` writes from the session itself.
    pub fn take_output(&mut self, slot: usize) -> Vec<u8> {
        self.finish_turn();
        let Some(session) = self.server.clients.get_mut(slot) else {
            return Vec::new();
        };
        let mut bytes = session.output.bytes();
        bytes.truncate(session.writable_bytes());
        session.output.advance(bytes.len());
        session.net_output_bytes += bytes.len() as u64;
        bytes
    }
}
