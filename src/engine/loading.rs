//! The data of before becomes the content of the engine, from its snapshot or from its append-only file ([`super::replay`]),
//! while clients come already.
//!
//! Every `loading-process-events-interval-bytes` bytes the host takes a turn with them (`Host::serve_others`, as while a
//! script is busy): `gates` refuses what touches data, all else is answered.
//!
//! What must hold: a file that is there and cannot be read, or is not what it must be, ends the start, for to begin empty
//! would mean to write an empty file over it; what has come in of a file is never saved in its place, so `server.loading`
//! stays when the server is told to end before all has come in.

use super::Engine;
use crate::command::host::Host;
use crate::persist::aof::load::LoadError;
use crate::persist::load::{Loader, Slice, Summary, Visitor};
use crate::persist::progress::Progress;
use crate::rdb::read::{ReadError, Reader};
use crate::script::Scripts;
use std::io::ErrorKind;
use std::time::Duration;

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

/// What a snapshot is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is the data.
    Data,
    /// It is the base of an append-only file: what has expired comes in too.
    Base,
    /// It is added to what is there: its keys and libraries take the place of others.
    Merge,
}

impl Engine {
    /// Builds the data of before: from the append-only file if there is to be one, else from the snapshot. If the host is
    /// told to end meanwhile, it ends without an error.
    ///
    /// # Errors
    /// Why not: file, offset, what should stand there and what does.
    pub fn load_data(&mut self, host: &mut dyn Host) -> Result<(), String> {
        let loaded = if self.server.config.settings.appendonly {
            self.load_log(host)
        } else {
            let noted = self.note_log(host);
            let loaded = noted.and_then(|()| self.load_dump(host).map(drop));
            self.end_loading(host);
            loaded
        };
        match loaded {
            Err(LoadError::Stopped) => Ok(()),
            loaded => loaded.map_err(|error| format!("{error}. Exiting.")),
        }
    }

    /// Loads the snapshot that the settings name; whether there is one.
    pub(super) fn load_dump(&mut self, host: &mut dyn Host) -> Result<bool, LoadError> {
        let name = self.server.config.settings.dbfilename.clone();
        let began_ns = self.server.clock.monotonic_ns();
        let failed = |source: ReadError| LoadError::Dump {
            file: name.clone(),
            source,
        };
        let (source, bytes) = match host.open_file(&name) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(failed(ReadError::Io { at: 0, source })),
        };
        tracing::info!("Loading the data set from {name}, bytes={bytes}");
        self.begin_loading(bytes);
        let mut reader = Reader::of_source(source, bytes);
        let loaded = self.load_snapshot(&mut reader, Purpose::Data, host);
        if loaded.is_err() {
            tracing::warn!("Terminating server after rdb file reading failure.");
        }
        let summary = loaded.map_err(failed)?.ok_or(LoadError::Stopped)?;
        report(&summary);
        let took_ns = self.server.clock.monotonic_ns() - began_ns;
        tracing::info!("DB loaded from disk: {:.3} seconds", took_ns as f64 / 1e9);
        self.note_loaded(&summary);
        Ok(true)
    }

    /// Adds the keys and functions of a snapshot; `None`: the server is told to end.
    pub(super) fn load_snapshot(
        &mut self,
        reader: &mut Reader<'_>,
        purpose: Purpose,
        host: &mut dyn Host,
    ) -> Result<Option<Summary>, ReadError> {
        let seed = self.server.random.next_u64() as i32;
        let (is_base, replaces) = (purpose == Purpose::Base, purpose == Purpose::Merge);
        let mut loader = Loader::begin(reader, is_base, replaces)?;
        loop {
            let settings = &self.server.config.settings;
            let slice = Slice {
                bytes: settings.loading_process_events_interval_bytes,
                keys: match settings.key_load_delay {
                    0 => u64::MAX,
                    _ => 1,
                },
            };
            let mut functions = Functions {
                scripts: &mut self.server.scripts,
                seed,
                replaces,
            };
            if loader.step(&mut self.keyspace, reader, &mut functions, slice)? {
                return Ok(Some(loader.into_summary()));
            }
            let summary = loader.summary();
            if let Some(progress) = &mut self.server.loading {
                progress.note_writer(summary.field("used-mem"));
            }
            if !self.go_on_loading(reader.offset(), summary.keys, is_base, host) {
                return Ok(None);
            }
        }
    }

    /// From now on the data is not whole; the files have so many bytes.
    pub(super) fn begin_loading(&mut self, bytes: u64) {
        let now_ms = self.server.clock.unix_ms();
        let interval = self
            .server
            .config
            .settings
            .loading_process_events_interval_bytes;
        self.server.loading = Some(Progress::new(now_ms, bytes, interval));
    }

    /// The data is as whole as it will be, unless the server is told to end.
    pub(super) fn end_loading(&mut self, host: &mut dyn Host) {
        if !host.is_stopping() {
            self.server.loading = None;
        }
    }

    /// Loading has come to `offset` in its file, and to so many keys or commands: waits as the settings want it, and looks
    /// at the clients when it is time to. Whether it goes on. `is_replay`: nothing is due meanwhile.
    #[inline]
    pub(super) fn go_on_loading(
        &mut self,
        offset: u64,
        records: u64,
        is_replay: bool,
        host: &mut dyn Host,
    ) -> bool {
        let settings = &self.server.config.settings;
        let (delay, interval) = (
            settings.key_load_delay,
            settings.loading_process_events_interval_bytes,
        );
        let Some(progress) = &mut self.server.loading else {
            return true;
        };
        progress.come_to(offset);
        if delay != 0 {
            let pause_us = pause_us(delay, records);
            host.sleep(Duration::from_micros(pause_us));
            progress.note_pause(pause_us);
        }
        !progress.must_look(interval) || self.look_at_clients(is_replay, host)
    }

    #[cold]
    fn look_at_clients(&mut self, is_replay: bool, host: &mut dyn Host) -> bool {
        // What the running batch has prepared is needed again when all is loaded.
        let staged = std::mem::take(&mut self.staged);
        host.serve_others(self);
        self.staged = staged;
        self.keyspace.set_frozen(self.server.pause.is_set());
        if is_replay {
            let now_ms = self.server.clock.unix_ms();
            self.keyspace.stand_before_deadlines(now_ms);
        } else {
            self.refresh_time();
        }
        !host.is_stopping()
    }
}

/// Microseconds to wait behind the key of this number: as many as the setting says, or one after so many keys.
fn pause_us(delay: i64, number: u64) -> u64 {
    match u64::try_from(delay) {
        Ok(us) => us,
        Err(_) => u64::from(number.is_multiple_of(delay.unsigned_abs())),
    }
}

fn report(summary: &Summary) {
    let (keys, expired, empty) = (summary.keys, summary.expired, summary.empty);
    if empty > 0 {
        tracing::warn!("Passed over collections without elements, keys={empty}");
    }
    tracing::info!(
        "Done loading RDB, keys loaded: {keys}, keys expired: {expired}, empty keys skipped: {empty}."
    );
}
