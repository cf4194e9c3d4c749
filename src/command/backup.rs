//! Backups as BACKUP asks for them: what [`crate::persist::backup`] decides is carried to the host here.

use super::ctx::Server;
use super::host::Host;
use super::saving::begin_backup_snapshot;
use crate::keyspace::Keyspace;
use crate::persist::aof::AofReport;
use crate::persist::{Job, Report};

/// Whether one that is wanted must wait: something else is being saved.
pub fn must_wait(server: &Server) -> bool {
    server.saver.is_running()
        || server.aof.is_rewriting()
        || server.aof.is_opening()
        || server.aof.is_starting()
        || server.backups.is_running()
}

/// Begins the one that is wanted, of the data as it is now. What the stream has must have been handed over.
pub fn begin(server: &mut Server, keyspace: &mut Keyspace, host: &mut dyn Host) {
    let now_ms = keyspace.now_ms();
    if !server.aof.is_on() {
        server.backups.begin(None, now_ms);
        return begin_backup_snapshot(server, keyspace, host);
    }
    let (job, rotation) = server.aof.begin_rotation();
    server.backups.begin(Some(rotation), now_ms);
    host.disk(Job::Aof(job));
}

/// Takes a report of the helper threads; `of_snapshot`: whether it is that of the snapshot that a backup is made of.
pub fn take_report(
    server: &mut Server,
    now_ms: i64,
    host: &mut dyn Host,
    report: &Report,
    of_snapshot: bool,
) {
    let good = match report {
        Report::Aof(AofReport::Rotated { error: None }) => {
            server.aof.on_rotated();
            Ok(())
        }
        Report::Aof(AofReport::Rotated {
            error: Some(reason),
        }) => Err(reason.clone()),
        Report::SnapshotSaved { .. } if of_snapshot => Ok(()),
        Report::SnapshotFailed { reason, .. } if of_snapshot => Err(reason.clone()),
        Report::Collected { outcome } => return server.backups.end(outcome.clone(), now_ms),
        _ => return,
    };
    match good {
        Ok(()) => {
            let job = server.backups.collect(server.identity.pid);
            job.into_iter()
                .for_each(|job| host.disk(Job::Snapshot(job)));
        }
        Err(reason) => server.backups.end(Err(reason), now_ms),
    }
}

/// Whoever gives up a snapshot gives up the backup that is made of it.
pub fn notice_abandoned(server: &mut Server, now_ms: i64) {
    if server.backups.is_walking() && !server.saver.is_backing_up() {
        let reason = "the snapshot was given up".to_owned();
        server.backups.end(Err(reason), now_ms);
    }
}
