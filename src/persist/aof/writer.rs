//! What is done on disk for the append-only file, job after job, on a thread of its own, so that it never waits behind a
//! snapshot.
//!
//! ```text
//! backlog  [bytes, end, sync][bytes, end, sync]...   not written, or not safe yet: in memory
//! file     ................................|          length: up to here everything is good
//! ```
//! Bytes leave the backlog when they are written (and on disk, if that was asked for). A write that fails is cut off again
//! and its bytes stay in front; so do bytes whose flush to the disk failed, because what a failed flush has left on the disk
//! nobody knows. They are written anew with the next attempt. Order is never changed, nothing is passed over.

use super::{AofJob, AofReport, Publication};
use crate::persist::draft::Draft;
use crate::persist::{reason, sync_folder};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes that were handed over at once.
struct Chunk {
    bytes: Vec<u8>,
    /// Offset in the stream behind them.
    end: u64,
    sync: bool,
}

/// What may take long, and what the caller carries out where it likes: appending goes on meanwhile. What concerns the
/// manifest must come one after the other, in the order of the jobs.
pub enum Aside {
    /// A flush to the disk of what the file has.
    Flush {
        /// The file.
        file: File,
        /// Up to which offset of the stream it is flushed.
        end: u64,
    },
    /// A new manifest; removing a large file takes longest.
    Publish(Publication),
}

impl Aside {
    /// Does it; what there is to be told.
    pub fn run(self) -> AofReport {
        match self {
            Aside::Flush { file, end } => match file.sync_data() {
                Ok(()) => AofReport::Synced { end },
                Err(error) => AofReport::SyncFailed {
                    reason: reason(&error),
                },
            },
            Aside::Publish(publication) => AofReport::Published {
                error: publish(&publication).err().map(|error| reason(&error)),
            },
        }
    }
}

/// See the head of the file.
#[derive(Default)]
pub struct AofWriter {
    file: Option<File>,
    /// Good bytes of the file.
    length: u64,
    backlog: VecDeque<Chunk>,
    /// Among the good bytes may be some that were never flushed to the disk.
    has_unflushed: bool,
    /// The file is locked against other processes that would append to it.
    locks: bool,
}

impl AofWriter {
    /// One that lets no other process append to its file.
    pub fn locking() -> Self {
        Self {
            locks: true,
            ..Self::default()
        }
    }

    /// Whether something waits for a disk that takes it.
    pub fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Does a job; tells what has come of it. What it hands out is the caller's to run.
    pub fn run(&mut self, job: AofJob, tell: &mut dyn FnMut(AofReport)) -> Option<Aside> {
        match job {
            AofJob::Append { bytes, end, sync } => {
                self.backlog.push_back(Chunk { bytes, end, sync });
                self.drain(tell);
            }
            AofJob::Retry => self.drain(tell),
            AofJob::Sync { end } => return self.begin_flush(end, tell),
            AofJob::Open { path } => {
                let done = self.open(&path, false);
                tell(opened(&path, done));
            }
            AofJob::Create { path, content } => {
                let made = make_folder(&path).and_then(|()| replace(&path, &content));
                tell(opened(&path, made));
            }
            AofJob::Cut { path, length } => {
                let cut = self.cut(&path, length);
                tell(opened(&path, cut));
            }
            AofJob::OpenIncrement { path, manifest } => {
                let opened = self.open_increment(&path, manifest.as_ref(), tell);
                tell(AofReport::Opened {
                    error: opened.err().map(|error| reason(&error)),
                });
            }
            AofJob::Rotate { path, manifest } => {
                let opened = self.open_increment(&path, Some(&manifest), tell);
                tell(AofReport::Rotated {
                    error: opened.err().map(|error| reason(&error)),
                });
            }
            AofJob::Publish(publication) => return Some(Aside::Publish(publication)),
            AofJob::Remove { paths } => {
                for path in paths {
                    // What cannot be removed is no worse than before.
                    let _ = fs::remove_file(path);
                }
            }
            AofJob::Close => self.close(tell),
        }
        None
    }

    fn open(&mut self, path: &Path, anew: bool) -> io::Result<()> {
        make_folder(path)?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).open(path)?;
        self.lock(&file)?;
        if anew {
            file.set_len(0)?;
        }
        self.length = file.metadata()?.len();
        sync_folder(path)?;
        self.file = Some(file);
        Ok(())
    }

    /// Two processes that append to one file would write over each other.
    fn lock(&self, file: &File) -> io::Result<()> {
        if !self.locks {
            return Ok(());
        }
        lock(file)
    }

    fn cut(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        self.lock(&file)?;
        file.set_len(length)?;
        file.sync_all()
    }

    /// What comes from here on goes to a new file. The old one stays, and stays in use, if that cannot be.
    fn open_increment(
        &mut self,
        path: &Path,
        manifest: Option<&(PathBuf, Vec<u8>)>,
        tell: &mut dyn FnMut(AofReport),
    ) -> io::Result<()> {
        if self.has_backlog() {
            return Err(io::Error::other("the increment before is not complete"));
        }
        if let Some(old) = &self.file {
            // The old increment is read before the new one: it must not end earlier than it did in memory.
            old.sync_data().inspect_err(|error| {
                tell(AofReport::SyncFailed {
                    reason: reason(error),
                });
            })?;
            self.has_unflushed = false;
        }
        let before = (self.file.take(), self.length);
        let opened = self.open(path, true).and_then(|()| match manifest {
            Some((path, text)) => replace(path, text),
            None => Ok(()),
        });
        if opened.is_err() {
            // The new file stays, empty: whether a manifest names it already is not certain.
            (self.file, self.length) = before;
        }
        opened
    }

    /// Writes what waits, as far as the disk takes it.
    fn drain(&mut self, tell: &mut dyn FnMut(AofReport)) {
        let Some(file) = &self.file else {
            // Nothing can have been written to nowhere; the opening has told why.
            return;
        };
        let (mut length, mut end, mut sync) = (self.length, None, false);
        let mut failure = None;
        let mut written = 0;
        for chunk in &self.backlog {
            if let Err(error) = file.write_all_at(&chunk.bytes, length) {
                // What follows the good bytes would be read as commands after the next start.
                let _ = file.set_len(length);
                failure = Some(error);
                break;
            }
            length += chunk.bytes.len() as u64;
            end = Some(chunk.end);
            sync |= chunk.sync;
            written += 1;
        }
        if sync && let Err(error) = file.sync_data() {
            let _ = file.set_len(self.length);
            let reason = reason(&error);
            // What waits is written anew; what was written before and not flushed yet is not.
            return tell(match self.has_unflushed {
                true => AofReport::SyncFailed { reason },
                false => AofReport::Failed { reason },
            });
        }
        self.has_unflushed = !sync && (self.has_unflushed || written > 0);
        self.length = length;
        self.backlog.drain(..written);
        if let Some(end) = end {
            tell(AofReport::Appended { end, synced: sync });
        }
        if let Some(error) = failure {
            tell(AofReport::Failed {
                reason: reason(&error),
            });
        }
    }

    fn begin_flush(&mut self, end: u64, tell: &mut dyn FnMut(AofReport)) -> Option<Aside> {
        let closed = || io::Error::other("the file is closed");
        match self
            .file
            .as_ref()
            .map_or_else(|| Err(closed()), File::try_clone)
        {
            Ok(file) => Some(Aside::Flush { file, end }),
            Err(error) => {
                tell(AofReport::SyncFailed {
                    reason: reason(&error),
                });
                None
            }
        }
    }

    fn close(&mut self, tell: &mut dyn FnMut(AofReport)) {
        self.drain(tell);
        if let Some(file) = self.file.take()
            && let Err(error) = file.sync_data()
        {
            tell(AofReport::SyncFailed {
                reason: reason(&error),
            });
        }
        self.backlog.clear();
    }
}

/// Keeps servers from appending to a file, and says whether one does. It lasts as long as the file is open.
///
/// # Errors
/// Another server appends to it.
pub fn lock(file: &File) -> io::Result<()> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another server appends to it",
        )),
        // There are file systems without locks.
        _ => Ok(()),
    }
}

/// The report that a file is there, or why it is not.
fn opened(path: &Path, done: io::Result<()>) -> AofReport {
    let error = done.err();
    AofReport::Opened {
        error: error.map(|error| format!("{}: {}", path.display(), reason(&error))),
    }
}

/// Carries out a publication: the manifest first, then what it makes superfluous. When the manifest is in its place the
/// publication has succeeded, whatever becomes of the files that it no longer needs.
fn publish(publication: &Publication) -> io::Result<()> {
    make_folder(&publication.manifest)?;
    let published = publication
        .rename
        .as_ref()
        .map_or(Ok(()), |(from, to)| {
            // A manifest must not be on the disk before the name that it has.
            fs::rename(from, to).and_then(|()| sync_folder(to))
        })
        .and_then(|()| replace(&publication.manifest, &publication.text));
    if published.is_err() {
        retract(publication);
    }
    published?;
    if publication.remove.is_empty() {
        return Ok(());
    }
    for path in &publication.remove {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // It stays in the manifest as history, and goes with the next start.
            Err(_) => return Ok(()),
        }
    }
    // A manifest that still names them is as good: what is not there any more is passed over at the next start.
    let _ = replace(&publication.manifest, &publication.text_after);
    Ok(())
}

/// Takes back what came before a manifest that is not in its place. What the manifest may name all the same, because only
/// the flush behind it failed, stays.
fn retract(publication: &Publication) {
    if fs::read(&publication.manifest).is_ok_and(|text| text == publication.text) {
        return;
    }
    // It is in no manifest: nobody will miss it. What cannot be undone is no worse than before.
    if let Some(path) = &publication.on_failure_remove {
        let _ = fs::remove_file(path);
    }
    if let Some((from, to)) = &publication.rename {
        let _ = fs::rename(to, from);
    }
}

/// Puts a file of this content in its place, whole or not at all, durable.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!("temp-{name}"));
    let mut draft = Draft::create(temporary, path.to_owned())?;
    draft.write_all(content)?;
    draft.sync()?;
    draft.place()
}

/// Makes the folder of a file, if it is not there.
pub(in crate::persist) fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) else {
        return Ok(());
    };
    fs::create_dir_all(folder)?;
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_publication_has_succeeded_when_its_manifest_is_in_place() {
        let root = std::env::temp_dir().join(format!("oxidis-publication-{}", std::process::id()));
        let (folder, link) = (root.join("folder"), root.join("link"));
        fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
        symlink(&folder, &link).expect("it is writable");
        // The way to the manifest goes with what is removed: the second one cannot be written.
        let publication = Publication {
            manifest: link.join("manifest"),
            text: b"new".to_vec(),
            remove: vec![link],
            text_after: b"after".to_vec(),
            on_failure_remove: Some(folder.join("base")),
            ..Publication::default()
        };
        fs::write(folder.join("base"), "").expect("it is writable");
        let report = Aside::Publish(publication).run();
        let (text, base) = (
            fs::read(folder.join("manifest")),
            folder.join("base").exists(),
        );
        let _ = fs::remove_dir_all(&root);
        assert_eq!(report, AofReport::Published { error: None });
        assert_eq!((text.ok(), base), (Some(b"new".to_vec()), true));
    }
}
