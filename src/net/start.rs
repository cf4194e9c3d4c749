//! From a configuration to a running server, and from there to its end. Whatever stops the start is logged or printed with
//! its reason, and the program ends with status 1.

use super::disk::Disk;
use super::host::{ProcessHost, configure_log};
use super::listener::{ListenError, Place};
use super::sockets::{REPORTS, SIGNALS};
use super::{Reactor, process};
use crate::base::clock::Clock;
use crate::base::random::Seeds;
use crate::command::ctx::Identity;
use crate::commands;
use crate::config::settings::{Settings, Supervised};
use crate::config::{Config, LoadError};
use crate::engine::Engine;
use crate::observe::log::Log;
use crate::observe::memory;
use crate::persist::writer::remove_stale;
use mio::{Interest, Poll, Waker};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use signal_hook::consts::{SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGTERM, SIGUSR2, SIGXFSZ};
use signal_hook_mio::v1_0::Signals;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::{env, fs};

/// Why the server did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be carried out.
    #[error("{0}")]
    Config(#[from] LoadError),
    /// The log cannot be written.
    #[error("{0}")]
    Log(String),
    /// The system refused something; it says what.
    #[error("{doing}: {source}")]
    System {
        /// What the server was doing.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The reason stands in the log.
    #[error("the reason stands in the log")]
    Logged,
}

fn doing(doing: &'static str) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::System { doing, source }
}

/// Runs a server of this configuration until it is told to end.
///
/// # Errors
/// Why it did not start.
pub fn serve(mut config: Config) -> Result<(), StartError> {
    let executable = env::current_exe().unwrap_or_default();
    env::set_current_dir(&config.settings.dir).map_err(doing("Can't chdir to the dir"))?;
    let log = Log::install().map_err(StartError::Log)?;
    configure_log(&log, &config.settings).map_err(StartError::Log)?;
    let supervisor = process::find_supervisor(config.settings.supervised);
    let background = config.settings.daemonize && supervisor == Supervised::No;
    if background {
        process::daemonize().map_err(doing("Going to the background"))?;
    }
    process::report_panics();
    memory::claim_serving_thread();
    log_start(&config);
    process::fit_clients(&mut config).map_err(|reason| {
        tracing::warn!("{reason}");
        StartError::Logged
    })?;
    let poll = Poll::new().map_err(doing("Creating the event loop"))?;
    let registry = poll.registry().try_clone();
    let waker = Waker::new(poll.registry(), REPORTS).map_err(doing("Creating the event loop"))?;
    let mut host = ProcessHost::new(
        registry.map_err(doing("Creating the event loop"))?,
        Disk::new(waker),
        log,
    );
    let identity = Identity {
        pid: std::process::id(),
        executable: executable.display().to_string(),
        config_file: config
            .file
            .as_ref()
            .map_or_else(String::new, |file| file.display().to_string()),
        system: system_name(),
        supervised: supervisor.word().to_owned(),
        ..Identity::default()
    };
    let engine = create_engine(config, identity)?;
    remove_stale_files();
    let settings = engine.server.config.settings.clone();
    listen(&mut host, &settings)?;
    let signals = watch_signals(&poll).map_err(doing("Watching signals"))?;
    let pidfile = process::pidfile_path(&settings, background);
    pidfile.into_iter().for_each(process::write_pidfile);
    log_initialized(&settings);
    let mut reactor = Reactor::new(engine, host, poll, signals);
    if let Err(reason) = reactor.load() {
        tracing::error!("{reason}");
        remove_traces(&settings, pidfile);
        return Err(StartError::Logged);
    }
    if !reactor.host.stopping() {
        log_ready(&reactor.host);
        process::report_ready(supervisor);
    }
    reactor.run().map_err(doing("Waiting for events"))?;
    reactor.engine.finish_log(&mut reactor.host);
    finish(&reactor.engine.server.config.settings, supervisor, pidfile);
    // The process ends here: the system takes its memory back at once, key by key would take seconds.
    std::mem::forget(reactor);
    Ok(())
}

fn create_engine(config: Config, identity: Identity) -> Result<Engine, StartError> {
    if let Some(user) = config.users().next() {
        // Ignoring it would open a server that its owner has closed.
        return Err(
            LoadError::at(&user.place, "ACL users are not supported by this version").into(),
        );
    }
    let renamed: Vec<_> = config.renamed_commands().cloned().collect();
    let mut engine = Engine::new(
        config,
        commands::rows(),
        Clock::system(),
        Seeds::from_os(),
        identity,
    );
    for directive in renamed {
        let [old, new] = directive.words.as_slice() else {
            let reason = "wrong number of arguments";
            return Err(LoadError::at(&directive.place, reason).into());
        };
        let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
        engine
            .rename_command(&old, &new)
            .map_err(|error| LoadError::at(&directive.place, error.to_string()))?;
    }
    Ok(engine)
}

fn listen(host: &mut ProcessHost, settings: &Settings) -> Result<(), StartError> {
    if Place::all(settings).is_empty() {
        tracing::warn!("Configured to not listen anywhere, exiting.");
        return Err(StartError::Logged);
    }
    if let Err(error) = host.listen_at(settings) {
        tracing::warn!("{error}");
        if let ListenError::Tcp { .. } = error {
            let port = settings.port;
            tracing::warn!("Failed listening on port {port} (tcp), aborting.");
        }
        return Err(StartError::Logged);
    }
    if host.listeners.len() == 0 {
        tracing::warn!("No address of 'bind' is available on this machine, exiting.");
        return Err(StartError::Logged);
    }
    Ok(())
}

/// SIGTERM and SIGINT end the server, SIGABRT crashes it with a report; a second SIGINT or SIGABRT ends it at once.
pub(super) fn watch_signals(poll: &Poll) -> io::Result<Signals> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_shutdown(SIGINT, 1, Arc::clone(&interrupted))?;
    signal_hook::flag::register(SIGINT, interrupted)?;
    let aborted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_default(SIGABRT, Arc::clone(&aborted))?;
    signal_hook::flag::register(SIGABRT, aborted)?;
    // The terminal that started the server may go; the others mean nothing here and would end it.
    // A file that may not become larger is an error of that file.
    for ignored in [SIGHUP, SIGUSR2, SIGALRM, SIGXFSZ] {
        signal_hook::flag::register(ignored, Arc::new(AtomicBool::new(false)))?;
    }
    let mut signals = Signals::new([SIGABRT, SIGINT, SIGTERM])?;
    poll.registry()
        .register(&mut signals, SIGNALS, Interest::READABLE)?;
    Ok(signals)
}

/// Removes what servers left in the working folder that were killed while they saved.
fn remove_stale_files() {
    let own = std::process::id();
    let is_alive = |pid: u32| {
        let pid = i32::try_from(pid)
            .ok()
            .filter(|pid| *pid != own.cast_signed());
        pid.and_then(Pid::from_raw).is_some_and(|pid| {
            // Who may not be asked lives.
            !matches!(test_kill_process(pid), Err(Errno::SRCH))
        })
    };
    match remove_stale(Path::new("."), is_alive) {
        Ok(names) => names
            .iter()
            .for_each(|name| tracing::info!("Removed the temporary file {name}.")),
        Err(error) => tracing::warn!("Looking for temporary files: {error}"),
    }
}

fn log_start(config: &Config) {
    let version = env!("CARGO_PKG_VERSION");
    let pid = std::process::id();
    tracing::info!("Oxidis is starting, version={version}, bits=64, pid={pid}");
    let settings = &config.settings;
    for (name, is_set) in [
        ("tls-port", settings.tls_port > 0),
        ("cluster-enabled", settings.cluster_enabled),
        ("aclfile", settings.aclfile.is_some()),
        ("replicaof", settings.replicaof.is_some()),
        ("loadmodule", config.modules().next().is_some()),
    ] {
        if is_set {
            tracing::warn!("'{name}' has no effect in this version.");
        }
    }
    match &config.file {
        Some(file) => tracing::info!("Configuration loaded from {}", file.display()),
        None => tracing::info!("No configuration file, using the defaults and the command line."),
    }
}

fn log_initialized(settings: &Settings) {
    let terminal = io::stdout().is_terminal() && settings.logfile.is_none();
    if settings.always_show_logo || terminal {
        tracing::info!("{}", banner(settings));
    } else {
        tracing::info!("Running mode=standalone, port={}.", settings.port);
    }
    tracing::info!("Server initialized");
}

fn log_ready(host: &ProcessHost) {
    let (tcp, unix) = host.listeners.kinds();
    if tcp {
        tracing::info!("Ready to accept connections tcp");
    }
    if unix {
        tracing::info!("Ready to accept connections unix");
    }
}

fn banner(settings: &Settings) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (pid, port) = (std::process::id(), settings.port);
    format!(
        "\n\n\
         \x20    .-------.\n\
         \x20   /   O2   /|     Oxidis {version} (64 bit)\n\
         \x20  .-------. |     standalone\n\
         \x20  |  K V  | |     Port: {port}\n\
         \x20  |       | '     PID: {pid}\n\
         \x20  |       |/\n\
         \x20  '-------'\n"
    )
}

/// `Linux 6.1.0 x86_64`.
fn system_name() -> String {
    let system = rustix::system::uname();
    [system.sysname(), system.release(), system.machine()]
        .map(|part| part.to_string_lossy())
        .join(" ")
}

fn finish(settings: &Settings, supervisor: Supervised, pidfile: Option<&str>) {
    process::report_stopping(supervisor);
    if pidfile.is_some() {
        tracing::info!("Removing the pid file.");
    }
    if settings.unixsocket.is_some() {
        tracing::info!("Removing the unix socket file.");
    }
    remove_traces(settings, pidfile);
    tracing::warn!("Oxidis is now ready to exit, bye bye...");
}

/// Removes the files that say that the server runs.
fn remove_traces(settings: &Settings, pidfile: Option<&str>) {
    let socket = settings.unixsocket.as_deref();
    for path in pidfile.into_iter().chain(socket) {
        // Nothing is left to be done if it is gone already.
        let _ = fs::remove_file(path);
    }
}
