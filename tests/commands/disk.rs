//! A disk in memory: it does what the engine wants done at once, or later, or fails at it.

use oxidis::persist::writer::FileBytes;
use oxidis::persist::{Job, Report, SnapshotJob, Target};
use std::collections::{HashMap, VecDeque};

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
            let Job::Snapshot(job) = job;
            self.run(job, files);
        }
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
                let mut bytes = FileBytes::new(target.compress, target.checksum);
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
        }
    }
}

fn append(file: &mut Vec<u8>) -> impl FnMut(&[u8]) -> std::io::Result<()> {
    |bytes| {
        file.extend_from_slice(bytes);
        Ok(())
    }
}
