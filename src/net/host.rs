//! The process, as commands see it through [`Host`]: listeners, files, the log, memory, sleep.

use super::freer::Freer;
use super::listener::{Listeners, Place};
use super::process;
use crate::command::host::{Host, Usage};
use crate::config::settings::Settings;
use crate::keyspace::Garbage;
use crate::observe::log::Log;
use crate::observe::memory;
use mio::Registry;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// See the head of the file. It lives beside the engine, so that both can be borrowed.
pub(super) struct ProcessHost {
    pub(super) listeners: Listeners,
    registry: Registry,
    freer: Freer,
    log: Log,
    stopping: bool,
}

impl ProcessHost {
    /// A process that listens nowhere yet.
    pub(super) fn new(registry: Registry, log: Log) -> Self {
        Self {
            listeners: Listeners::default(),
            registry,
            freer: Freer::default(),
            log,
            stopping: false,
        }
    }

    /// Ends the server after this turn.
    pub(super) fn begin_stop(&mut self) {
        self.stopping = true;
    }

    /// Whether the server is to end.
    pub(super) fn stopping(&self) -> bool {
        self.stopping
    }
}

impl Host for ProcessHost {
    fn listen(&mut self, settings: &Settings) -> Result<(), String> {
        let places = Place::all(settings);
        self.listeners
            .replace(&places, settings, &self.registry)
            .map_err(|error| {
                tracing::warn!("Could not create server TCP listening socket {error}");
                "Unable to listen on this port. Check server logs.".to_owned()
            })
    }

    fn reserve_clients(&mut self, clients: u32) -> u32 {
        process::reserve_clients(clients)
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn read_file(&mut self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn replace_file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        let path = std::path::absolute(path)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = folder.join(format!("{name}.{}.tmp", std::process::id()));
        let written = write_draft(&draft, &path, content);
        if written.is_err() {
            // The draft is of no use, and the error is what matters.
            let _ = fs::remove_file(&draft);
        }
        written?;
        File::open(folder)?.sync_all()
    }

    fn change_directory(&mut self, path: &str) -> io::Result<()> {
        std::env::set_current_dir(path)
    }

    fn configure_log(&mut self, settings: &Settings) -> Result<(), String> {
        self.log.configure(settings)
    }

    fn usage(&mut self) -> Usage {
        let (sys, user) = cpu_s(UsageWho::RUSAGE_SELF);
        let (main_sys, main_user) = cpu_s(UsageWho::RUSAGE_THREAD);
        let machine = rustix::system::sysinfo();
        Usage {
            allocated_bytes: memory::allocated_bytes(),
            resident_bytes: resident_bytes(),
            cpu_sys_s: sys,
            cpu_user_s: user,
            main_thread_cpu_sys_s: main_sys,
            main_thread_cpu_user_s: main_user,
            machine_bytes: machine.totalram * u64::from(machine.mem_unit),
            pending_frees: self.freer.pending(),
            freed: self.freer.freed(),
        }
    }

    fn free(&mut self, garbage: Garbage) {
        self.freer.free(garbage);
    }

    fn stop(&mut self) {
        self.begin_stop();
    }
}

/// Writes a file beside the one that it is to replace, with that one's permissions, and puts it in its place.
fn write_draft(draft: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(draft)?;
    if let Ok(metadata) = fs::metadata(path) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

/// CPU seconds in the kernel and in user mode.
fn cpu_s(who: UsageWho) -> (f64, f64) {
    match getrusage(who) {
        Ok(usage) => {
            let seconds = |us: i64| us as f64 / 1e6;
            (
                seconds(usage.system_time().num_microseconds()),
                seconds(usage.user_time().num_microseconds()),
            )
        }
        Err(_) => (0.0, 0.0),
    }
}

/// Bytes of the process in memory, from `/proc/self/statm` (its second number, in pages).
fn resident_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_u64) * rustix::param::page_size() as u64
}
