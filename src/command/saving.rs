//! Saving as commands, signals and timed duties ask for it: what [`Saver`] decides is carried to the host here.

use super::backup;
use super::ctx::{Identity, REDIS_VERSION, Server};
use super::host::Host;
use crate::config::settings::Settings;
use crate::keyspace::Keyspace;
use crate::persist::aof::AofReport;
use crate::persist::backup::staging;
use crate::persist::save::{Author, Saver};
use crate::persist::{Job, QUEUE_MAX_BYTES, Report};
use std::path::PathBuf;

/// Looks at the clock's place between two hand-overs of a save that nobody interrupts.
const LOOKS_A_STEP: usize = 64;

/// How the server is to end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ending {
    /// Save, even without save points.
    pub save: bool,
    /// Do not save.
    pub nosave: bool,
    /// End even if saving fails.
    pub force: bool,
}

/// Begins a save of the data as it is now; none must be under way.
pub fn begin_save(
    server: &mut Server,
    keyspace: &mut Keyspace,
    host: &mut dyn Host,
    in_background: bool,
) {
    begin(server, keyspace, host, |saver, keyspace, from, jobs| {
        saver.begin(keyspace, from.0, from.1, in_background, jobs);
    });
    if in_background {
        tracing::info!("Background saving started");
    }
}

/// Begins the base of an append-only file, of the data as it is now; nothing may be under way.
pub fn begin_base(
    server: &mut Server,
    keyspace: &mut Keyspace,
    host: &mut dyn Host,
    path: PathBuf,
) {
    begin(server, keyspace, host, |saver, keyspace, from, jobs| {
        saver.begin_base(keyspace, from.0, from.1, path, jobs);
    });
}

/// Begins the snapshot that a backup is made of, of the data as it is now; nothing may be under way.
pub fn begin_backup_snapshot(server: &mut Server, keyspace: &mut Keyspace, host: &mut dyn Host) {
    let folder = staging(server.identity.pid);
    begin(server, keyspace, host, |saver, keyspace, from, jobs| {
        saver.begin_backup(keyspace, from.0, from.1, &folder, jobs);
    });
}

/// Begins what `start` begins, with the settings and what the file says of its writer, and hands its jobs over.
fn begin(
    server: &mut Server,
    keyspace: &mut Keyspace,
    host: &mut dyn Host,
    start: impl FnOnce(&mut Saver, &mut Keyspace, (&Settings, Author<'_>), &mut Vec<Job>),
) {
    let texts: Vec<&[u8]> = server.scripts.libraries.texts().collect();
    let used_bytes = host.allocated_bytes() + keyspace.arena_bytes() as u64;
    let author = author(&server.identity, used_bytes, &texts);
    let mut jobs = Vec::new();
    let from = (&server.config.settings, author);
    start(&mut server.saver, keyspace, from, &mut jobs);
    jobs.into_iter().for_each(|job| host.disk(job));
}

/// What a file that is made now says of its writer, with the texts of the function libraries.
pub fn author<'a>(identity: &Identity, used_bytes: u64, libraries: &'a [&'a [u8]]) -> Author<'a> {
    Author {
        redis_version: REDIS_VERSION,
        used_bytes,
        pid: identity.pid,
        libraries,
    }
}

/// Takes a report of the helper threads.
pub fn take_report(
    server: &mut Server,
    keyspace: &mut Keyspace,
    host: &mut dyn Host,
    report: &Report,
) {
    let now_ms = keyspace.now_ms();
    let is_base = server.saver.is_rewriting();
    let is_backup = server.saver.is_backing_up();
    let ended = server.saver.on_report(keyspace, report, now_ms);
    let good = match report {
        Report::SnapshotSaved { bytes, .. } if ended && is_base => {
            let peak_bytes = server.saver.last_peak_bytes();
            server.aof.on_base(*bytes, peak_bytes);
            true
        }
        Report::SnapshotFailed { .. } if ended && is_base => false,
        Report::Aof(AofReport::Opened { error }) => server.aof.on_opened(error.as_deref()),
        Report::Aof(AofReport::Published { error }) => {
            let settings = &server.config.settings;
            server.aof.on_published(error.as_deref(), settings, now_ms);
            true
        }
        Report::Aof(report) => {
            let now_ns = server.clock.monotonic_ns();
            server.aof.on_report(report, now_ns);
            true
        }
        _ => true,
    };
    backup::take_report(server, now_ms, host, report, ended && is_backup);
    if !good {
        if server.saver.is_rewriting() {
            abort_save(&mut server.saver, keyspace, host);
        }
        server.aof.fail_rewrite(now_ms);
    }
    if let Some(job) = server.aof.publish(&server.config.settings) {
        host.disk(Job::Aof(job));
    }
}

/// Ends a save that is under way; its file is not put in place.
pub fn abort_save(saver: &mut Saver, keyspace: &mut Keyspace, host: &mut dyn Host) {
    let mut jobs = Vec::new();
    saver.abort(keyspace, &mut jobs);
    jobs.into_iter().for_each(|job| host.disk(job));
}

/// Saves the data as it is now, from beginning to end; none must be under way. Clients wait.
///
/// # Errors
/// What went wrong. It stands in the log too.
pub fn save_now(
    server: &mut Server,
    keyspace: &mut Keyspace,
    host: &mut dyn Host,
) -> Result<(), String> {
    // One walk at a time: a rewrite of the append-only file comes to its end first.
    walk_to_end(server, keyspace, host);
    begin_save(server, keyspace, host, false);
    walk_to_end(server, keyspace, host);
    if server.saver.is_running() {
        abort_save(&mut server.saver, keyspace, host);
        return Err("the writer of snapshots does not answer".to_owned());
    }
    server
        .saver
        .last_error()
        .map_or(Ok(()), |reason| Err(reason.to_owned()))
}

/// Brings the save of a flush to its end: it is short, and whoever asks for another save does not know of it.
pub fn finish_flush(server: &mut Server, keyspace: &mut Keyspace, host: &mut dyn Host) {
    if server.saver.is_of_flush() {
        walk_to_end(server, keyspace, host);
    }
}

/// Brings what is being saved to its end.
pub fn walk_to_end(server: &mut Server, keyspace: &mut Keyspace, host: &mut dyn Host) {
    let mut jobs = Vec::new();
    while server.saver.is_walking() {
        let mut looks = 0;
        let keep_going = || {
            looks += 1;
            looks < LOOKS_A_STEP
        };
        let waiting = host.disk_queue_bytes();
        server.saver.step(keyspace, waiting, keep_going, &mut jobs);
        jobs.drain(..).for_each(|job| host.disk(job));
        wait(server, keyspace, host, QUEUE_MAX_BYTES);
    }
    wait(server, keyspace, host, 0);
}

/// Waits until no more than so many bytes wait for the disk.
fn wait(server: &mut Server, keyspace: &mut Keyspace, host: &mut dyn Host, bytes_max: usize) {
    for report in host.wait_disk(bytes_max) {
        take_report(server, keyspace, host, &report);
    }
}

/// Ends the server after this turn, its data saved if it is to be; whether it ends.
pub fn end(
    server: &mut Server,
    keyspace: &mut Keyspace,
    host: &mut dyn Host,
    ending: Ending,
) -> bool {
    tracing::info!("User requested shutdown...");
    if server.aof.is_starting() && !ending.force {
        tracing::warn!("Writing initial AOF. Can't exit.");
        return false;
    }
    if let Some(reason) = server.aof.refusal().filter(|_| !ending.force) {
        tracing::warn!("The AOF cannot be written, can't exit: {reason}");
        return false;
    }
    if server.saver.is_running() {
        tracing::warn!("A save is under way: it is abandoned.");
        let is_base = server.saver.is_rewriting();
        abort_save(&mut server.saver, keyspace, host);
        if is_base {
            // The server may not end after all.
            server.aof.fail_rewrite(keyspace.now_ms());
        }
    }
    // What has been loaded of the data must not take the place of the whole, nor what a script has left half done.
    let scripts = &server.scripts;
    let is_torn = scripts
        .running
        .as_ref()
        .is_some_and(|running| running.has_written);
    let is_whole = server.loading.is_none() && !is_torn;
    let wanted = is_whole && (ending.save || !server.config.settings.save.is_empty());
    if wanted && !ending.nosave {
        tracing::info!("Saving the final RDB snapshot before exiting.");
        if save_now(server, keyspace, host).is_err() {
            if !ending.force {
                tracing::warn!("Error trying to save the DB, can't exit.");
                tracing::warn!(
                    "Errors trying to shut down the server. Check the logs for more information."
                );
                return false;
            }
            tracing::warn!("Error trying to save the DB, exiting all the same: it was forced.");
        }
    }
    // What is under way on disk is brought to its end.
    host.wait_disk(0);
    host.stop();
    true
}
