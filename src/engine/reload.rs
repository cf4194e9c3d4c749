//! Snapshots become the content of the engine; and, for DEBUG, the content of a server that runs is read anew: from its
//! snapshot or from its append-only file.
//!
//! Reading anew is no change: neither replicas nor the append-only file learn of it, and it counts as nothing that has yet
//! to be saved. If it fails, what has come in by then stays.

use super::{Engine, Turn};
use crate::command::Reload;
use crate::command::host::Host;
use crate::command::saving::save_now;
use crate::persist::load::{Summary, Visitor, load};
use crate::rdb::read::{ReadError, Reader};
use crate::script::Scripts;

/// Takes what a snapshot has besides keys.
struct Functions<'e> {
    scripts: &'e mut Scripts,
    seed: i32,
    replaces: bool,
}

impl Visitor for Functions<'_> {
    fn library(&mut self, text: &[u8]) -> Result<(), String> {
        let loaded = self.scripts.load_library(text, self.replaces, self.seed);
        let refused = |line: Vec<u8>| String::from_utf8_lossy(&line).into_owned();
        loaded.map(|_| ()).map_err(refused)
    }

    fn replaces(&self) -> bool {
        self.replaces
    }
}

impl Engine {
    /// Adds the keys and functions of a snapshot; `keep_expired`: also those whose deadline has passed; `replaces`: in the
    /// place of those that are there already.
    ///
    /// # Errors
    /// Where the bytes are not what they must be.
    pub fn load_snapshot(
        &mut self,
        reader: &mut Reader<'_>,
        keep_expired: bool,
        replaces: bool,
    ) -> Result<Summary, ReadError> {
        let server = &mut self.server;
        let mut functions = Functions {
            seed: server.random.next_u64() as i32,
            scripts: &mut server.scripts,
            replaces,
        };
        load(&mut self.keyspace, reader, keep_expired, &mut functions)
    }

    /// DEBUG RELOAD: the data goes to its file and comes back.
    pub(super) fn reload(&mut self, turn: &mut Turn<'_>, how: Reload) {
        if how.saves && save_now(&mut self.server, &mut self.keyspace, turn.host).is_err() {
            // Why stands in the log.
            return turn.reply().error(b"ERR");
        }
        if how.empties {
            self.empty();
        }
        let read = self.read_snapshot(turn.host, how.replaces);
        self.free_garbage(turn.host);
        match read {
            Ok(()) => {
                tracing::warn!("DB reloaded by DEBUG RELOAD");
                turn.reply().ok();
            }
            Err(reason) => {
                tracing::error!("{reason}");
                let text = "ERR Error trying to load the RDB dump, check server logs.";
                turn.reply().error(text.as_bytes());
            }
        }
    }

    /// Adds what the file that the settings name has.
    fn read_snapshot(&mut self, host: &mut dyn Host, replaces: bool) -> Result<(), String> {
        let name = self.server.config.settings.dbfilename.clone();
        let failed = |reason: &dyn std::fmt::Display| format!("{name}: {reason}");
        let (source, bytes) = host.open_file(&name).map_err(|error| failed(&error))?;
        let mut reader = Reader::of_source(source, bytes);
        let loaded = self.load_snapshot(&mut reader, false, replaces);
        self.server.last_load = loaded.map_err(|error| failed(&error))?;
        Ok(())
    }

    /// DEBUG LOADAOF: the data of the append-only file takes the place of what is in memory.
    pub(super) fn reload_log(&mut self, turn: &mut Turn<'_>) {
        // Of the client's own batch there may be more to run.
        let staged = std::mem::take(&mut self.staged);
        self.flush_log(turn.host);
        self.empty();
        let loaded = self.replay_listed(turn.host);
        self.staged = staged;
        if self.server.aof.is_on() {
            self.log_reader = Some(self.open_stream());
        }
        let now_ms = self.keyspace.now_ms();
        self.server.saver.mark_saved(&self.keyspace, now_ms);
        self.free_garbage(turn.host);
        match loaded {
            Ok(()) => turn.reply().ok(),
            Err(error) => {
                tracing::error!("{error}");
                let text = "ERR Error trying to load the AOF files, check server logs.";
                turn.reply().error(text.as_bytes());
            }
        }
    }

    /// Keys and functions go.
    fn empty(&mut self) {
        let all = 0..self.keyspace.databases();
        all.for_each(|db| {
            self.keyspace.flush(db, false);
        });
        self.server.scripts.libraries.clear();
    }
}
