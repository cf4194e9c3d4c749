//! The content of a server that runs is read anew, for DEBUG: from its snapshot or from its append-only file.
//!
//! Reading anew is no change: neither replicas nor the append-only file learn of it, and it counts as nothing that has yet
//! to be saved. If it fails, what has come in by then stays.

use super::loading::Purpose;
use super::{Engine, Turn};
use crate::command::Reload;
use crate::command::host::Host;
use crate::command::saving::save_now;
use crate::persist::aof::load::LoadError;
use crate::rdb::read::Reader;

impl Engine {
    /// DEBUG RELOAD: the data goes to its file and comes back.
    pub(super) fn reload(&mut self, turn: &mut Turn<'_>, how: Reload) {
        if how.saves && save_now(&mut self.server, &mut self.keyspace, turn.host).is_err() {
            // Why stands in the log.
            return turn.reply().error(b"ERR");
        }
        if how.empties {
            self.empty();
        }
        let purpose = match how.replaces {
            true => Purpose::Merge,
            false => Purpose::Data,
        };
        let read = self.read_snapshot(turn.host, purpose);
        self.end_loading(turn.host);
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
    fn read_snapshot(&mut self, host: &mut dyn Host, purpose: Purpose) -> Result<(), String> {
        let name = self.server.config.settings.dbfilename.clone();
        let failed = |reason: &dyn std::fmt::Display| format!("{name}: {reason}");
        let (source, bytes) = host.open_file(&name).map_err(|error| failed(&error))?;
        self.begin_loading(bytes);
        let mut reader = Reader::of_source(source, bytes);
        let loaded = self.load_snapshot(&mut reader, purpose, host);
        let summary = loaded.map_err(|error| failed(&error))?;
        self.server.last_load = summary.ok_or_else(|| failed(&LoadError::Stopped))?;
        Ok(())
    }

    /// DEBUG LOADAOF: the data of the append-only file takes the place of what is in memory.
    pub(super) fn reload_log(&mut self, turn: &mut Turn<'_>) {
        // Of the client's own batch there may be more to run.
        let staged = std::mem::take(&mut self.staged);
        self.flush_log(turn.host);
        self.empty();
        let loaded = self.replay_listed(turn.host);
        self.end_loading(turn.host);
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
