//! An engine without a server around it: it builds data from files and writes it to one, and nobody is connected to it.

use crate::base::clock::Clock;
use crate::base::random::Seeds;
use crate::command::ctx::Identity;
use crate::command::host::{AskError, Engaged, Host, Question, Usage};
use crate::command::saving::save_now;
use crate::commands;
use crate::config::Config;
use crate::config::settings::Settings;
use crate::engine::Engine;
use crate::keyspace::Garbage;
use crate::persist::writer::SnapshotWriter;
use crate::persist::{Job, Report, SnapshotJob};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Databases that it has: no file may name one behind them.
const DATABASES: usize = 1 << 14;

/// An engine without data, for which it is `now_ms`, Unix milliseconds.
pub(super) fn engine(now_ms: i64) -> Engine {
    let mut config = Config::default();
    config.settings.databases = DATABASES;
    // Strings may be as long as wherever they come from.
    config.settings.proto_max_bulk_len = usize::MAX >> 1;
    // A FLUSHALL that is replayed saves nothing.
    config.settings.save.clear();
    Engine::new(
        config,
        commands::rows(),
        Clock::manual(now_ms),
        Seeds::from_os(),
        Identity::default(),
    )
}

/// Writes the engine's data to a file, which is there when all of it is.
///
/// # Errors
/// What was being done, and what the system said.
pub(super) fn save(engine: &mut Engine, path: &Path) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut host = Offline {
        path: path.to_owned(),
        temporary: path.with_file_name(format!("temp-{}-{name}", std::process::id())),
        ..Offline::default()
    };
    save_now(&mut engine.server, &mut engine.keyspace, &mut host)
}

/// What is around such an engine: files, and one that it may write.
#[derive(Default)]
pub(super) struct Offline {
    path: PathBuf,
    temporary: PathBuf,
    writer: SnapshotWriter,
    reports: Vec<Report>,
}

impl Host for Offline {
    fn listen(&mut self, _: &Settings) -> Result<(), String> {
        Err("nobody connects to a tool".to_owned())
    }

    fn reserve_clients(&mut self, clients: u32) -> u32 {
        clients
    }

    fn sleep(&mut self, _: Duration) {}

    fn read_file(&mut self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn replace_file(&mut self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn change_directory(&mut self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn configure_log(&mut self, _: &Settings) -> Result<(), String> {
        Ok(())
    }

    fn usage(&mut self) -> Usage {
        Usage::default()
    }

    fn free(&mut self, garbage: Garbage) {
        drop(garbage);
    }

    fn ask(&mut self, _: &Question<'_>) -> Result<Vec<u8>, AskError> {
        Err(AskError::Connect)
    }

    fn disk(&mut self, job: Job) {
        let Job::Snapshot(mut job) = job else {
            // Nothing is logged: whoever replays a file does not write one.
            return;
        };
        if let SnapshotJob::Begin(target) = &mut job {
            target.path.clone_from(&self.path);
            target.temporary.clone_from(&self.temporary);
        }
        self.reports.extend(self.writer.run(job));
    }

    fn disk_queue_bytes(&self) -> usize {
        0
    }

    fn wait_disk(&mut self, _: usize) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    fn open_file(&mut self, path: &str) -> io::Result<(Box<dyn Read>, u64)> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((Box::new(file), bytes))
    }

    fn list_folder(&mut self, _: &str) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn allocated_bytes(&self) -> u64 {
        0
    }

    fn pending_frees(&self) -> usize {
        0
    }

    fn prepare_memory(&mut self) {}

    fn is_stopping(&self) -> bool {
        false
    }

    fn serve_others(&mut self, _: &mut dyn Engaged) {}

    fn stop(&mut self) {}
}
