//! The files that a word on the command line means, where it means an append-only file: a folder with a manifest in it, a
//! manifest, or one file of the time before there were manifests.

use super::Failure;
use super::progress::{Progress, Watched};
use crate::persist::aof::manifest::Manifest;
use crate::persist::aof::tape::Tape;
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What names of manifests end with.
const MANIFEST_SUFFIX: &str = ".manifest";
/// What a manifest begins with, if no comment stands there.
const MANIFEST_HEAD: &[u8] = b"file ";

/// See the head of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LogFiles {
    /// The manifest that names the others; `None`: there is one file and no manifest.
    pub manifest: Option<PathBuf>,
    /// The data as of some moment.
    pub base: Option<PathBuf>,
    /// What changed since, in order.
    pub increments: Vec<PathBuf>,
}

impl LogFiles {
    /// The files that `path` means.
    ///
    /// # Errors
    /// It is not there, or not understood.
    pub fn find(path: &Path) -> Result<LogFiles, Failure> {
        if path.is_dir() {
            return Self::of_manifest(&only_manifest(path)?);
        }
        let is_named = path.to_string_lossy().ends_with(MANIFEST_SUFFIX);
        if is_named || begins(path, MANIFEST_HEAD)? {
            return Self::of_manifest(path);
        }
        Ok(LogFiles {
            manifest: None,
            base: Some(path.to_owned()),
            increments: Vec::new(),
        })
    }

    fn of_manifest(path: &Path) -> Result<LogFiles, Failure> {
        let text = fs::read(path).map_err(|error| Failure::of_file(path, &error))?;
        let manifest = Manifest::parse(&text).map_err(|error| Failure::File {
            file: path.display().to_string(),
            reason: error.to_string(),
        })?;
        let beside = |name: &str| path.with_file_name(name);
        Ok(LogFiles {
            manifest: Some(path.to_owned()),
            base: manifest.base.map(|listed| beside(&listed.name)),
            increments: manifest
                .increments
                .iter()
                .map(|listed| beside(&listed.name))
                .collect(),
        })
    }

    /// All files, in the order in which they are read.
    pub fn all(&self) -> Vec<&Path> {
        let files = self.base.iter().chain(&self.increments);
        files.map(PathBuf::as_path).collect()
    }
}

/// A file that is being read, and the line that says how far.
pub(super) struct Opened {
    pub tape: Tape,
    pub progress: Rc<RefCell<Progress>>,
}

/// Opens a file.
///
/// # Errors
/// What the system says.
pub(super) fn open(path: &Path) -> Result<Opened, Failure> {
    let (file, bytes) = super::open(path)?;
    let name = path.display().to_string();
    let progress = Rc::new(RefCell::new(Progress::new(&name, bytes)));
    let source = Watched::new(file, Rc::clone(&progress));
    Ok(Opened {
        tape: Tape::new(&name, Box::new(source), bytes),
        progress,
    })
}

/// Whether a file begins with these bytes.
fn begins(path: &Path, head: &[u8]) -> Result<bool, Failure> {
    let mut found = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(head.len() as u64).read_to_end(&mut found));
    read.map_err(|error| Failure::of_file(path, &error))?;
    Ok(found == head)
}

fn only_manifest(folder: &Path) -> Result<PathBuf, Failure> {
    let failed = |reason: &str| Failure::File {
        file: folder.display().to_string(),
        reason: reason.to_owned(),
    };
    let entries = fs::read_dir(folder).map_err(|error| Failure::of_file(folder, &error))?;
    let mut manifests = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| Failure::of_file(folder, &error))?
            .path();
        if path.to_string_lossy().ends_with(MANIFEST_SUFFIX) {
            manifests.push(path);
        }
    }
    match manifests.len() {
        0 => Err(failed("there is no manifest in this folder")),
        1 => Ok(manifests.remove(0)),
        _ => Err(failed(
            "there are several manifests in this folder: name the one that is meant",
        )),
    }
}
