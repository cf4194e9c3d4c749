//! A file that takes its place whole or not at all: written under another name, made durable, then renamed. What does not
//! come so far is removed.

use super::aof::writer::make_folder;
use super::sync_folder;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// See the head of the file.
#[derive(Debug)]
pub struct Draft {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    is_placed: bool,
}

impl Draft {
    /// A file that is written at `temporary` and belongs at `path`, both on the same file system.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(temporary: PathBuf, path: PathBuf) -> io::Result<Draft> {
        Ok(Draft {
            file: File::create(&temporary)?,
            temporary,
            path,
            is_placed: false,
        })
    }

    /// A file that is written beside the place where it belongs.
    ///
    /// # Errors
    /// What the system says.
    pub fn beside(path: &Path) -> io::Result<Draft> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!("temp-{}-{name}", std::process::id()));
        Self::create(temporary, path.to_owned())
    }

    /// The file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Where it is written.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Where it belongs.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes its bytes durable.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Puts it in its place, after [`Self::sync`]; its folder is made if it is not there.
    ///
    /// # Errors
    /// What the system says. The file is gone then.
    pub fn place(mut self) -> io::Result<()> {
        make_folder(&self.path)?;
        fs::rename(&self.temporary, &self.path)?;
        self.is_placed = true;
        sync_folder(&self.path)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_placed {
            // What is gone already, or cannot be removed, is no worse than before.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
