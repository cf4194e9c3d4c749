//! BACKUP: a folder with all data of one moment, to be copied while the server runs.
//!
//! ```text
//! append-only file on    PATH/appendonlydir/   base and increments: links to the files in use, which nobody writes to any
//!                                              more | an increment of its own, empty | a manifest
//! append-only file off   PATH/dump.rdb         a snapshot
//! ```
//! A server started in the folder has exactly that data.
//!
//! Why so: the log goes on with a new increment, and all before it is complete, on the disk, and never written to again;
//! links to it cost no walk, no bytes and no time, whatever the size of the data. (A last increment that is cut or copied
//! would be what every other design needs, and takes time that grows with it.) The increment of its own is for a server
//! that is started in the folder: it appends there, not to a file that the other one shares. Where links cannot be made,
//! files are copied. Without a log there is nothing on disk that is complete, so a snapshot is written.
//!
//! The folder is made under another name and renamed when all of it is on the disk: it is there whole or not at all, and
//! nothing is ever written over. The moment is the end of the loop's turn in which the backup begins. One at a time; it
//! waits while something else is being saved, and no rewrite begins while it needs the files in use.

use super::aof::{Names, Rotation};
use super::{SnapshotJob, sync_folder};
use crate::observe::Info;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Folders of backups that are being made are called `temp-backup-<process id>`.
pub const STAGING_PREFIX: &str = "temp-backup-";

/// What a folder is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// Where it is put together; something may be there already.
    pub staging: PathBuf,
    /// Where it belongs; nothing may be there.
    pub path: PathBuf,
    /// Folders that are made in it, files that it has of others', and files that are made.
    pub folder: Option<PathBuf>,
    /// Files in use, and what they are called in it.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// Files of its own.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

impl Collection {
    /// All paths in it.
    pub fn paths(&mut self) -> Vec<&mut PathBuf> {
        let links = self.links.iter_mut().flat_map(|(from, to)| [from, to]);
        links
            .chain(self.files.iter_mut().map(|(path, _)| path))
            .chain(&mut self.folder)
            .chain([&mut self.staging, &mut self.path])
            .collect()
    }

    /// Makes the folder; its bytes.
    ///
    /// # Errors
    /// What the system says. Nothing is left then.
    pub fn collect(&self) -> io::Result<u64> {
        let collected = self.fill().and_then(|()| self.place());
        if collected.is_err() {
            // What cannot be removed goes with the next start.
            let _ = fs::remove_dir_all(&self.staging);
        }
        collected
    }

    fn fill(&self) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        if self.staging.exists() {
            fs::remove_dir_all(&self.staging)?;
        }
        fs::create_dir_all(folder)?;
        for (from, to) in &self.links {
            if fs::hard_link(from, to).is_err() {
                fs::copy(from, to)?;
                File::open(to)?.sync_all()?;
            }
        }
        for (path, content) in &self.files {
            let mut file = File::create_new(path)?;
            file.write_all(content)?;
            file.sync_all()?;
        }
        File::open(folder)?.sync_all()
    }

    fn place(&self) -> io::Result<u64> {
        File::open(&self.staging)?.sync_all()?;
        let bytes = bytes_below(&self.staging)?;
        if self.path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        super::aof::writer::make_folder(&self.path)?;
        fs::rename(&self.staging, &self.path)?;
        sync_folder(&self.path)?;
        Ok(bytes)
    }
}

fn bytes_below(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += match metadata.is_dir() {
            true => bytes_below(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(bytes)
}

/// What is being done for a backup.
#[derive(Debug)]
enum Stage {
    /// The log goes on with a new increment; what is before it.
    Rotating(Rotation),
    /// The snapshot is being made.
    Walking,
    /// The folder is being made.
    Collecting,
}

impl Stage {
    fn word(&self) -> &'static str {
        match self {
            Stage::Rotating(_) => "rotating",
            Stage::Walking => "walking",
            Stage::Collecting => "collecting",
        }
    }
}

#[derive(Debug)]
struct Running {
    path: PathBuf,
    began_ms: i64,
    stage: Stage,
}

/// How one has ended.
#[derive(Debug)]
struct Ended {
    path: PathBuf,
    ended_ms: i64,
    took_ms: i64,
    /// Bytes of its files, or why there are none.
    outcome: Result<u64, String>,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Backups {
    /// The folder of the one that is to begin.
    wanted: Option<PathBuf>,
    running: Option<Running>,
    last: Option<Ended>,
    count: u64,
}

impl Backups {
    /// One is to begin as soon as it can; whether there was none yet.
    pub fn want(&mut self, path: PathBuf) -> bool {
        let is_first = self.wanted.is_none() && self.running.is_none();
        if is_first {
            self.wanted = Some(path);
        }
        is_first
    }

    /// Whether one is to begin.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    /// Whether one is under way.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether a snapshot is being made for it.
    pub fn is_walking(&self) -> bool {
        let stage = self.running.as_ref().map(|running| &running.stage);
        matches!(stage, Some(Stage::Walking))
    }

    /// The one that is wanted begins, of the files that a rotation of the log completes; without a log (`None`) of a
    /// snapshot.
    pub fn begin(&mut self, rotation: Option<Rotation>, now_ms: i64) {
        let Some(path) = self.wanted.take() else {
            return;
        };
        self.count += 1;
        tracing::info!("Background backup to {} started", path.display());
        self.running = Some(Running {
            path,
            began_ms: now_ms,
            stage: rotation.map_or(Stage::Walking, Stage::Rotating),
        });
    }

    /// What it waits for is there: the job that makes the folder.
    pub fn collect(&mut self, pid: u32) -> Option<SnapshotJob> {
        let running = self.running.as_mut()?;
        let staging = staging(pid);
        let path = running.path.clone();
        let collection = match std::mem::replace(&mut running.stage, Stage::Collecting) {
            Stage::Rotating(rotation) => of_log(rotation, staging, path),
            Stage::Walking => Collection {
                staging,
                path,
                ..Collection::default()
            },
            Stage::Collecting => return None,
        };
        Some(SnapshotJob::Collect(collection))
    }

    /// It has ended.
    pub fn end(&mut self, outcome: Result<u64, String>, now_ms: i64) {
        let Some(running) = self.running.take() else {
            return;
        };
        let shown = running.path.display();
        match &outcome {
            Ok(bytes) => tracing::info!("Background backup to {shown} complete, bytes={bytes}"),
            Err(reason) => tracing::warn!("Background backup to {shown} failed: {reason}"),
        }
        self.last = Some(Ended {
            path: running.path,
            ended_ms: now_ms,
            took_ms: (now_ms - running.began_ms).max(0),
            outcome,
        });
    }

    /// INFO persistence: the part of backups. How far a snapshot is stands with the other snapshots.
    pub fn info(&self, now_ms: i64, info: &mut Info) {
        let running = self.running.as_ref();
        info.field("backup_in_progress", u8::from(running.is_some()))
            .field("backup_scheduled", u8::from(self.is_wanted()))
            .field(
                "backup_current_stage",
                running.map_or("none", |running| running.stage.word()),
            )
            .field(
                "backup_current_time_sec",
                running.map_or(-1, |running| (now_ms - running.began_ms).max(0) / 1000),
            )
            .field("backups", self.count);
        let Some(last) = &self.last else {
            info.field("backup_last_status", "none");
            return;
        };
        let status = if last.outcome.is_ok() { "ok" } else { "err" };
        info.field("backup_last_status", status)
            .field("backup_last_path", last.path.display())
            .field("backup_last_time", last.ended_ms / 1000)
            .field("backup_last_time_sec", last.took_ms / 1000);
        match &last.outcome {
            Ok(bytes) => info.field("backup_last_bytes", bytes),
            Err(reason) => info.field("backup_last_error", reason),
        };
    }
}

/// Where the folder of the process `pid` is put together.
pub fn staging(pid: u32) -> PathBuf {
    format!("{STAGING_PREFIX}{pid}").into()
}

/// The folder with all that a log has before its newest increment.
fn of_log(rotation: Rotation, staging: PathBuf, path: PathBuf) -> Collection {
    let Rotation {
        names,
        before: mut manifest,
    } = rotation;
    manifest.history.clear();
    let inside = Names {
        folder: staging.join(&names.folder).display().to_string(),
        file: names.file.clone(),
    };
    let listed = manifest.base.iter().chain(&manifest.increments);
    let links = listed
        .map(|listed| (names.path(&listed.name), inside.path(&listed.name)))
        .collect();
    let own = manifest.add_increment(&names.file);
    Collection {
        folder: Some(PathBuf::from(&inside.folder)),
        files: vec![
            (inside.path(&own.name), Vec::new()),
            (inside.manifest(), manifest.text()),
        ],
        staging,
        path,
        links,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::aof::manifest::Manifest;

    #[test]
    fn one_backup_is_wanted_at_a_time() {
        let mut backups = Backups::default();
        assert!(backups.want("a".into()) && !backups.want("b".into()));
        backups.begin(None, 0);
        assert!(backups.is_walking() && !backups.is_wanted() && !backups.want("b".into()));
        assert!(backups.collect(1).is_some() && backups.collect(1).is_none());
        backups.end(Ok(5), 2000);
        assert!(!backups.is_running() && backups.want("b".into()));
    }

    #[test]
    fn a_folder_of_the_log_has_an_increment_of_its_own() {
        let mut before = Manifest::default();
        before.rebase(before.next_base("a", true), 0);
        before.add_increment("a");
        let names = Names {
            folder: "log".to_owned(),
            file: "a".to_owned(),
        };
        let made = of_log(Rotation { names, before }, staging(7), "b".into());
        let to = |name: &str| PathBuf::from("temp-backup-7/log").join(name);
        let of = |name: &str| PathBuf::from("log").join(name);
        assert_eq!(
            made.links,
            ["a.1.base.rdb", "a.1.incr.aof"].map(|name| (of(name), to(name)))
        );
        let text = "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n";
        assert_eq!(
            made.files,
            [
                (to("a.2.incr.aof"), Vec::new()),
                (to("a.manifest"), text.as_bytes().to_vec())
            ]
        );
    }
}
