//! The process around the server: descriptors, background, process id file, service manager, crash report.

use crate::config::Config;
use crate::config::settings::{Settings, Supervised};
use crate::observe::crash;
use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};
use std::{env, fs, io};

/// Descriptors that are not clients': listeners, files, the log.
const RESERVED_FILES: u64 = 32;

/// Raises the limit of open files so that there is room for so many clients; how many there is room for.
pub(super) fn reserve_clients(clients: u32) -> u32 {
    let wanted = u64::from(clients) + RESERVED_FILES;
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return clients;
    }
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let raise = |files: u64, maximum: Option<u64>| {
        let limit = Rlimit {
            current: Some(files),
            maximum,
        };
        setrlimit(Resource::Nofile, limit).is_ok()
    };
    // Who may raise the hard limit raises it; who may not takes what it allows.
    let reached = if raise(wanted, limit.maximum.map(|hard| hard.max(wanted))) {
        wanted
    } else if raise(hard.min(wanted), limit.maximum) {
        hard.min(wanted)
    } else {
        current
    };
    if reached > current {
        tracing::info!(
            "Increased maximum number of open files to {reached} (it was originally set to {current})."
        );
    }
    let room = reached.saturating_sub(RESERVED_FILES).min(clients.into());
    u32::try_from(room).unwrap_or(clients)
}

/// Lowers `maxclients` to what the system has descriptors for.
///
/// # Errors
/// If there is room for none; the reason stands in the log.
pub(super) fn fit_clients(config: &mut Config) -> Result<(), String> {
    let wanted = config.settings.maxclients;
    let room = reserve_clients(wanted);
    if room == wanted {
        return Ok(());
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let needed = u64::from(wanted) + RESERVED_FILES;
    if room == 0 {
        return Err(format!(
            "Your current 'ulimit -n' of {files} is not enough for the server to start. \
             Please increase your open file limit to at least {needed}. Exiting."
        ));
    }
    tracing::warn!(
        "You requested maxclients of {wanted} requiring at least {needed} max file descriptors."
    );
    tracing::warn!(
        "Current maximum open files is {files}. maxclients has been reduced to {room} to compensate for low ulimit. \
         If you need higher maxclients increase 'ulimit -n'."
    );
    config.put("maxclients", &[room.to_string().as_bytes()])
}

/// The kind of service manager that started the process, if the settings want one to be told.
pub(super) fn find_supervisor(wanted: Supervised) -> Supervised {
    let has = |name| env::var_os(name).is_some();
    match wanted {
        Supervised::Auto if has("UPSTART_JOB") => Supervised::Upstart,
        Supervised::Auto if has("NOTIFY_SOCKET") => Supervised::Systemd,
        Supervised::Auto => Supervised::No,
        Supervised::Upstart if !has("UPSTART_JOB") => {
            tracing::warn!("upstart supervision requested, but UPSTART_JOB not found");
            Supervised::No
        }
        Supervised::Systemd if !has("NOTIFY_SOCKET") => {
            tracing::warn!(
                "systemd supervision requested or auto-detected, but NOTIFY_SOCKET not set"
            );
            Supervised::No
        }
        other => other,
    }
}

/// Tells the service manager that clients can come.
pub(super) fn report_ready(supervisor: Supervised) {
    use sd_notify::NotifyState::{Ready, Status};
    match supervisor {
        Supervised::Systemd => notify(&[Status("Ready to accept connections"), Ready]),
        // upstart waits until the process stops itself, and lets it go on.
        Supervised::Upstart => {
            if let Err(error) = kill_process(getpid(), Signal::STOP) {
                tracing::warn!("Telling upstart: {error}");
            }
        }
        Supervised::No | Supervised::Auto => {}
    }
}

/// Tells the service manager that the server is about to end.
pub(super) fn report_stopping(supervisor: Supervised) {
    use sd_notify::NotifyState::{Status, Stopping};
    if supervisor == Supervised::Systemd {
        notify(&[Status("Shutting down"), Stopping]);
    }
}

fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("Telling systemd: {error}");
    }
}

/// Goes on in the background, without a terminal. There must be no other thread yet.
///
/// # Errors
/// What the system says to forking.
pub(super) fn daemonize() -> io::Result<()> {
    let (keep_directory, keep_stdio) = (true, false);
    fork::daemon(keep_directory, keep_stdio).map(|_| ())
}

/// Writes the process id file.
pub(super) fn write_pidfile(path: &str) {
    if let Err(error) = fs::write(path, format!("{}\n", std::process::id())) {
        tracing::warn!("Failed to write PID file: {error}");
    }
}

/// Where the process id file belongs: where the settings say, or, in the background, at the usual place.
pub(super) fn pidfile_path(settings: &Settings, background: bool) -> Option<&str> {
    let named = settings.pidfile.as_deref().filter(|path| !path.is_empty());
    named.or(background.then_some("/var/run/redis.pid"))
}

/// From now on a panic writes its place and the way to it to the log before it ends the process.
pub(super) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| crash::report(panic)));
}
