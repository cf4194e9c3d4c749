//! The process, as commands see it through [`Host`]: listeners, files, the log, memory, sleep.

use super::ask::ask;
use super::disk::Disk;
use super::freer::Freer;
use super::listener::{ListenError, Listeners, Place};
use super::process;
use crate::command::host::{AskError, Engaged, Host, Question, Usage};
use crate::config::settings::{LegacyLogFormat, LogFormat, LogLevel, LogTimestamp, Settings};
use crate::keyspace::Garbage;
use crate::observe::log::{Log, Shape, Style, Threshold, Timestamp};
use crate::observe::memory;
use crate::persist::draft::Draft;
use crate::persist::{Job, Report};
use mio::Registry;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs::{self, File};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// See the head of the file. It lives beside the engine, so that both can be borrowed.
pub(super) struct ProcessHost {
    pub(super) listeners: Listeners,
    registry: Registry,
    freer: Freer,
    pub(super) disk: Disk,
    log: Log,
    stopping: bool,
}

impl ProcessHost {
    /// A process that listens nowhere yet.
    pub(super) fn new(registry: Registry, disk: Disk, log: Log) -> Self {
        Self {
            listeners: Listeners::default(),
            registry,
            freer: Freer::default(),
            disk,
            log,
            stopping: false,
        }
    }

    /// Listens where the settings say and nowhere else.
    ///
    /// # Errors
    /// The first place where it cannot; all is as it was then.
    pub(super) fn listen_at(&mut self, settings: &Settings) -> Result<(), ListenError> {
        let places = Place::all(settings);
        self.listeners.replace(&places, settings, &self.registry)
    }

    /// Ends the server after this turn. Nobody can connect any more: who sees its connection end may rely on that.
    pub(super) fn begin_stop(&mut self) {
        self.stopping = true;
        self.listeners.close();
    }

    /// Whether the server is to end.
    pub(super) fn stopping(&self) -> bool {
        self.stopping
    }
}

impl Host for ProcessHost {
    fn listen(&mut self, settings: &Settings) -> Result<(), String> {
        self.listen_at(settings).map_err(|error| {
            tracing::warn!("{error}");
            "Unable to listen on this port. Check server logs.".to_owned()
        })
    }

    fn reserve_clients(&mut self, clients: u32) -> u32 {
        process::reserve_clients(clients)
    }

    fn sleep(&mut self, duration: Duration) {
        let (mut left, end) = (duration, Instant::now() + duration);
        // A signal may wake it early.
        while !left.is_zero() {
            std::thread::park_timeout(left);
            left = end.saturating_duration_since(Instant::now());
        }
    }

    fn read_file(&mut self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn replace_file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        let path = std::path::absolute(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!("{name}.{}.tmp", std::process::id()));
        let mut draft = Draft::create(temporary, path.clone())?;
        if let Ok(metadata) = fs::metadata(&path) {
            draft.file().set_permissions(metadata.permissions())?;
        }
        draft.write_all(content)?;
        draft.sync()?;
        draft.place()
    }

    fn change_directory(&mut self, path: &str) -> io::Result<()> {
        std::env::set_current_dir(path)
    }

    fn configure_log(&mut self, settings: &Settings) -> Result<(), String> {
        configure_log(&self.log, settings)
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

    fn pending_frees(&self) -> usize {
        self.freer.pending()
    }

    fn free(&mut self, garbage: Garbage) {
        self.freer.free(garbage);
    }

    fn allocated_bytes(&self) -> u64 {
        memory::allocated_bytes()
    }

    fn prepare_memory(&mut self) {
        self.freer.prepare_memory();
    }

    fn ask(&mut self, question: &Question<'_>) -> Result<Vec<u8>, AskError> {
        ask(question)
    }

    fn disk(&mut self, job: Job) {
        self.disk.send(job);
    }

    fn disk_queue_bytes(&self) -> usize {
        self.disk.queue_bytes()
    }

    fn wait_disk(&mut self, bytes_max: usize) -> Vec<Report> {
        self.disk.wait(bytes_max)
    }

    fn open_file(&mut self, path: &str) -> io::Result<(Box<dyn io::Read>, u64)> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((Box::new(file), bytes))
    }

    fn list_folder(&mut self, path: &str) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(path)?;
        let name = |entry: io::Result<std::fs::DirEntry>| {
            entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
        };
        entries.map(name).collect()
    }

    fn stop(&mut self) {
        self.begin_stop();
    }

    fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// It has no sockets: there is no turn within the turn that [`super::busy`] takes.
    fn serve_others(&mut self, _: &mut dyn Engaged) {}
}

/// Applies the settings of the log.
///
/// # Errors
/// Why the file cannot be opened; nothing has changed then.
pub(super) fn configure_log(log: &Log, settings: &Settings) -> Result<(), String> {
    let threshold = match settings.loglevel {
        LogLevel::Debug => Threshold::Debug,
        LogLevel::Verbose => Threshold::Verbose,
        LogLevel::Notice => Threshold::Notice,
        LogLevel::Warning => Threshold::Warning,
        LogLevel::Error => Threshold::Error,
        LogLevel::Nothing => Threshold::Nothing,
    };
    let shape = match (settings.logformat, settings.log_format) {
        (LogFormat::Json, _) | (_, LegacyLogFormat::Json) => Shape::Json,
        (_, LegacyLogFormat::Logfmt) => Shape::Logfmt,
        (LogFormat::Console, LegacyLogFormat::Legacy) => Shape::Console,
    };
    let timestamp = match settings.log_timestamp_format {
        LogTimestamp::Legacy => Timestamp::Console,
        LogTimestamp::Iso8601 => Timestamp::Iso8601,
        LogTimestamp::Milliseconds => Timestamp::Milliseconds,
    };
    let file = settings.logfile.as_ref().filter(|name| !name.is_empty());
    let style = Style {
        shape,
        timestamp,
        file: file.map(Into::into),
    };
    log.configure(threshold, style)
        .map_err(|error| format!("Can't open the log file: {error}"))
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
