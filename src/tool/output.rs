//! Where a tool writes what it makes: standard output, or a file that is there when all of it is there and durable, and not
//! before. A file that is there already is not written over.

use super::Failure;
use crate::persist::draft::Draft;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// See the head of the file.
pub struct Output(Target);

enum Target {
    Standard(BufWriter<Stdout>),
    File(PathBuf, Box<BufWriter<Draft>>),
}

impl Output {
    /// Standard output, or the file that was named.
    ///
    /// # Errors
    /// The file is there already, or cannot be made.
    pub fn open(path: Option<&Path>) -> Result<Output, Failure> {
        let Some(path) = path else {
            let writer = BufWriter::with_capacity(BUFFER_BYTES, io::stdout());
            return Ok(Output(Target::Standard(writer)));
        };
        refuse_existing(path)?;
        let draft = Draft::beside(path).map_err(|error| Failure::of_file(path, &error))?;
        let writer = BufWriter::with_capacity(BUFFER_BYTES, draft);
        Ok(Output(Target::File(path.to_owned(), Box::new(writer))))
    }

    /// The failure that it cannot be written.
    pub fn failure(&self, error: &io::Error) -> Failure {
        match &self.0 {
            Target::Standard(_) => Failure::of_file(Path::new("standard output"), error),
            Target::File(path, _) => Failure::of_file(path, error),
        }
    }

    /// All of it was written: puts the file in its place. What is not finished is removed.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.flush();
        flushed.map_err(|error| self.failure(&error))?;
        let Target::File(path, writer) = self.0 else {
            return Ok(());
        };
        let placed = writer
            .into_inner()
            .map_err(io::Error::from)
            .and_then(|draft| {
                draft.sync()?;
                draft.place()
            });
        placed.map_err(|error| Failure::of_file(&path, &error))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::Standard(writer) => writer.write(bytes),
            Target::File(_, writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Target::Standard(writer) => writer.flush(),
            Target::File(_, writer) => writer.flush(),
        }
    }
}

/// Nothing is written over.
///
/// # Errors
/// There is something of this name.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::File {
        file: path.display().to_string(),
        reason: "it is there already, and nothing is written over".to_owned(),
    })
}
