//! A disk in memory: it does what the engine wants done at once, or later, or fails at it.

use oxidis::persist::aof::writer::{AofWriter, Aside};
use oxidis::persist::writer::{FileBytes, SnapshotWriter};
use oxidis::persist::{Job, Report, SnapshotJob, Target};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// See the head of the file.
#[derive(Default)]
pub struct TestDisk {
    /// Jobs wait until [`TestDisk::work`] or a wait.
    pub is_held: bool,
    /// Every write fails.
    pub is_full: bool,
    queue: VecDeque<Job>,
    draft: Option<(Target, FileBytes, Vec<u8>)>,
    reports: Vec<Report>,
    /// Files are really written, into this folder.
    pub folder: Option<PathBuf>,
    snapshots: SnapshotWriter,
    log: AofWriter,
    /// Flushes to the disk, and new manifests, that have yet to come to their end.
    pub flushes: Vec<Aside>,
    pub are_flushes_held: bool,
}

impl TestDisk {
    pub fn send(&mut self, job: Job, files: &mut HashMap<String, Vec<u8>>) {
        self.queue.push_back(job);
        if !self.is_held {
            self.work(files);
        }
    }

    pub fn queue_bytes(&self) -> usize {
        self.queue.iter().map(Job::bytes).sum()
    }

    /// Does all that waits.
    pub fn work(&mut self, files: &mut HashMap<String, Vec<u8>>) {
        while let Some(job) = self.queue.pop_front() {
            match job {
                Job::Snapshot(job) if self.folder.is_none() => self.run(job, files),
                job => self.run_in_folder(job),
            }
        }
    }

    fn run_in_folder(&mut self, mut job: Job) {
        let folder = self.folder.as_deref();
        job.resolve(folder.expect("what writes files has a folder"));
        let reports = &mut self.reports;
        match job {
            Job::Snapshot(job) => reports.extend(self.snapshots.run(job)),
            Job::Aof(job) => {
                let flush = self
                    .log
                    .run(job, &mut |report| reports.push(Report::Aof(report)));
                self.flushes.extend(flush);
                if !self.are_flushes_held {
                    self.flush();
                }
            }
        }
    }

    /// Brings flushes to their end.
    pub fn flush(&mut self) {
        let flushes = self.flushes.drain(..);
        self.reports
            .extend(flushes.map(|flush| Report::Aof(flush.run())));
    }

    pub fn open(
        &self,
        path: &str,
        files: &HashMap<String, Vec<u8>>,
    ) -> io::Result<(Box<dyn Read>, u64)> {
        if let Some(folder) = &self.folder {
            let file = File::open(folder.join(path))?;
            let bytes = file.metadata()?.len();
            return Ok((Box::new(file), bytes));
        }
        let content = files.get(path).cloned().ok_or(io::ErrorKind::NotFound)?;
        let bytes = content.len() as u64;
        Ok((Box::new(io::Cursor::new(content)), bytes))
    }

    /// The names of the files of a folder.
    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let root = self.folder.as_deref().ok_or(io::ErrorKind::NotFound)?;
        let entries = std::fs::read_dir(root.join(path))?;
        entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// Whether a file is being written.
    pub fn has_draft(&self) -> bool {
        self.draft.is_some()
    }

    fn run(&mut self, job: SnapshotJob, files: &mut HashMap<String, Vec<u8>>) {
        match job {
            SnapshotJob::Begin(target) => {
                assert!(self.draft.is_none(), "one file at a time");
                let mut bytes = FileBytes::of(&target);
                let mut file = Vec::new();
                let version = target.version;
                bytes
                    .begin(version, &mut append(&mut file))
                    .expect("memory takes it");
                self.draft = Some((target, bytes, file));
            }
            SnapshotJob::Write(part) => {
                if self.is_full
                    && let Some((target, ..)) = self.draft.take()
                {
                    self.reports.push(Report::SnapshotFailed {
                        id: target.id,
                        reason: "Write error saving DB on disk: no room".to_owned(),
                    });
                }
                if let Some((_, bytes, file)) = &mut self.draft {
                    bytes
                        .part(part, &mut append(file))
                        .expect("memory takes it");
                }
            }
            SnapshotJob::Finish => {
                if let Some((target, mut bytes, mut file)) = self.draft.take() {
                    bytes.end(&mut append(&mut file)).expect("memory takes it");
                    self.reports.push(Report::SnapshotSaved {
                        id: target.id,
                        bytes: file.len() as u64,
                    });
                    files.insert(target.path.display().to_string(), file);
                }
            }
            SnapshotJob::Abort => self.draft = None,
            SnapshotJob::Collect(collection) => {
                let staging = collection.staging.display().to_string();
                let path = collection.path.display().to_string();
                let moved: Vec<String> = files
                    .keys()
                    .filter(|name| name.starts_with(&staging))
                    .cloned()
                    .collect();
                let mut bytes = 0;
                for name in moved {
                    let content = files.remove(&name).unwrap_or_default();
                    bytes += content.len() as u64;
                    files.insert(name.replacen(&staging, &path, 1), content);
                }
                self.reports.push(Report::Collected { outcome: Ok(bytes) });
            }
        }
    }
}

fn append(file: &mut Vec<u8>) -> impl FnMut(&[u8]) -> std::io::Result<()> {
    |bytes| {
        file.extend_from_slice(bytes);
        Ok(())
    }
}
