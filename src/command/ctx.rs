//! What a handler works with: its database, its reply, its client, and the server around them.

use super::host::Host;
use super::propagate::Propagate;
use super::row::Row;
use super::table::CommandTable;
use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::config::Config;
use crate::config::settings::MaxmemoryPolicy;
use crate::keyspace::Keyspace;
use crate::keyspace::access::AccessPolicy;
use crate::keyspace::db::Database;
use crate::keyspace::event::class;
use crate::monitor::Monitors;
use crate::observe::stats::Stats;
use crate::outbox::Outbox;
use crate::persist::aof::Aof;
use crate::persist::backup::Backups;
use crate::persist::load::Summary;
use crate::persist::payload::PayloadWriter;
use crate::persist::progress::Progress;
use crate::persist::save::Saver;
use crate::pubsub::PubSub;
use crate::resp::reply::Reply;
use crate::script::Scripts;
use crate::session::clients::Clients;
use crate::session::pause::Pause;
use crate::session::{Session, hindrance};
use crate::tracking::Tracking;
use crate::types::Limits;
use crate::types::load::Room;

/// The Redis version whose commands and replies this server has.
pub const REDIS_VERSION: &str = "8.0.0";

/// One command's surroundings. The fields are apart so that handlers borrow them apart.
pub struct Ctx<'a> {
    /// The selected database.
    pub db: Database<'a>,
    /// The client's reply.
    pub reply: Reply<'a>,
    /// The client; it is not among `server.clients` meanwhile.
    pub client: &'a mut Session,
    /// Everything that is neither keys nor this client.
    pub server: &'a mut Server,
    /// The process.
    pub host: &'a mut dyn Host,
    /// What goes to the append-only file and to replicas.
    pub propagate: &'a mut Propagate,
    /// The command's declaration.
    pub row: &'static Row,
}

/// Who this server is.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// 40 hexadecimal digits, new with each start.
    pub run_id: String,
    /// Process id.
    pub pid: u32,
    /// When it started, Unix milliseconds.
    pub started_ms: i64,
    /// Path of the program.
    pub executable: String,
    /// Absolute path of the configuration file; empty: none.
    pub config_file: String,
    /// `Linux 6.1.0 x86_64`.
    pub system: String,
    /// The kind of supervision that was found: `no`, `systemd`, `upstart`, `unknown`.
    pub supervised: String,
}

/// What DEBUG changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct DebugSwitches {
    /// DEBUG CONFIG-REWRITE-FORCE-ALL.
    pub rewrite_all: bool,
    /// DEBUG PAUSE-CRON.
    pub pause_cron: bool,
    /// DEBUG SET-DISABLE-DENY-SCRIPTS: scripts may call what is denied to them.
    pub allow_denied_in_scripts: bool,
    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION: payloads with a wrong checksum are read.
    pub skip_checksums: bool,
    /// DEBUG QUICKLIST-PACKED-THRESHOLD: list elements of so many bytes and more stand alone; 0: the default.
    pub packed_threshold_bytes: u32,
    /// DEBUG AOF-FLUSH-SLEEP: nobody is served for so many microseconds before changes go to the append-only file.
    pub log_pause_us: u64,
}

/// All that is shared between commands besides the keyspace.
pub struct Server {
    /// The configuration.
    pub config: Config,
    /// All clients but the one whose command runs.
    pub clients: Clients,
    /// Counters for INFO.
    pub stats: Stats,
    /// The command table.
    pub table: CommandTable,
    /// Time.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
    /// CLIENT PAUSE.
    pub pause: Pause,
    /// Who this server is.
    pub identity: Identity,
    /// Which history of changes this data belongs to: 40 hexadecimal digits.
    pub replication_id: String,
    /// What DEBUG changed.
    pub debug: DebugSwitches,
    /// What is to be sent to clients besides replies.
    pub outbox: Outbox,
    /// Who listens to what.
    pub pubsub: PubSub,
    /// Client-side caching.
    pub tracking: Tracking,
    /// MONITOR.
    pub monitors: Monitors,
    /// Lua scripts and functions.
    pub scripts: Scripts,
    /// The data is being loaded; what there is of it is no state to be shown or saved.
    pub loading: Option<Progress>,
    /// Snapshots on disk.
    pub saver: Saver,
    /// The append-only file.
    pub aof: Aof,
    /// Backups.
    pub backups: Backups,
    /// What was loaded from disk last.
    pub last_load: Summary,
    /// Makes DUMP payloads.
    pub payloads: PayloadWriter,
    /// Memory for values that RESTORE reads.
    pub payload_room: Room,
}

impl Server {
    /// Has the keyspace note what somebody wants to hear of, and no more: after each change of who listens.
    pub fn apply_interest(&self, keyspace: &mut Keyspace) {
        let classes = class::of_letters(&self.config.settings.notify_keyspace_events);
        let nobody = self.pubsub.is_empty();
        keyspace.set_notify(if nobody { 0 } else { classes });
        keyspace.set_note_changes(self.tracking.is_active());
    }

    /// Makes the settings count where they are not read each time: after the start and after CONFIG SET.
    pub fn apply_settings(&mut self, keyspace: &mut Keyspace) {
        let settings = &self.config.settings;
        let policy = match settings.maxmemory_policy {
            MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu => AccessPolicy::Lfu {
                log_factor: settings.lfu_log_factor,
                decay_minutes: settings.lfu_decay_time_min,
            },
            _ => AccessPolicy::Lru,
        };
        keyspace.set_access_policy(policy);
        keyspace.set_limits(Limits {
            hash_max_listpack_entries: settings.hash_max_listpack_entries,
            hash_max_listpack_value: settings.hash_max_listpack_value,
            list_max_listpack_size: settings.list_max_listpack_size,
            list_packed_threshold: self.debug.packed_threshold_bytes,
            set_max_intset_entries: settings.set_max_intset_entries,
            set_max_listpack_entries: settings.set_max_listpack_entries,
            set_max_listpack_value: settings.set_max_listpack_value,
            zset_max_listpack_entries: settings.zset_max_listpack_entries,
            zset_max_listpack_value: settings.zset_max_listpack_value,
            stream_node_max_bytes: settings.stream_node_max_bytes,
            stream_node_max_entries: settings.stream_node_max_entries,
            ..*keyspace.limits()
        });
        let share = settings.maxmemory_clients.limit_bytes(settings.maxmemory);
        self.clients.set_counts_memory(share.is_some());
        self.apply_interest(keyspace);
        let settings = &self.config.settings;
        if settings.requirepass.is_empty() {
            // Without a password nobody has to authenticate any more.
            self.clients
                .iter_mut()
                .for_each(|session| session.hinder(hindrance::NOT_AUTHENTICATED, false));
        }
        if !settings.latency_tracking {
            self.stats
                .by_command
                .iter_mut()
                .for_each(|stats| stats.latency = None);
        }
    }
}
