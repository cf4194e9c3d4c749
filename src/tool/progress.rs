//! One line on standard error that says how far a tool has come: the share of the bytes, and how many there are a second.
//! Only a terminal gets it, and it is gone when the tool has come to its end.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::Deref;
use std::time::{Duration, Instant};

/// Between two lines.
const PERIOD: Duration = Duration::from_millis(100);
/// Bytes of a megabyte, as the line counts them.
const MEGABYTE: f64 = 1e6;

/// See the head of the file.
pub struct Progress {
    doing: String,
    /// Bytes that there are; 0: nobody knows.
    total: u64,
    began: Instant,
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    /// The progress of what is called `doing`, over `total` bytes (0: nobody knows how many).
    pub fn new(doing: impl Into<String>, total: u64) -> Progress {
        Progress {
            doing: doing.into(),
            total,
            began: Instant::now(),
            shown: None,
            is_terminal: io::stderr().is_terminal(),
        }
    }

    /// So many bytes are done.
    pub fn at(&mut self, bytes: u64) {
        if !self.is_terminal || self.shown.is_some_and(|shown| shown.elapsed() < PERIOD) {
            return;
        }
        self.shown = Some(Instant::now());
        let line = line(&self.doing, bytes, self.total, self.began.elapsed());
        // A terminal that is gone wants no line.
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}

impl Progress {
    /// Takes the line away, so that another can be written in its place.
    pub fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A source whose reader is seen to make progress. Others may have the line too, to clear it: `P` is any way to share it.
pub struct Watched<P, R> {
    source: R,
    bytes: u64,
    progress: P,
}

impl<P: Deref<Target = RefCell<Progress>>, R: Read> Watched<P, R> {
    /// This source, from its beginning.
    pub fn new(source: R, progress: P) -> Self {
        Self {
            source,
            bytes: 0,
            progress,
        }
    }
}

impl<P: Deref<Target = RefCell<Progress>>, R: Read> Read for Watched<P, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let came = self.source.read(to)?;
        self.bytes += came as u64;
        self.progress.borrow_mut().at(self.bytes);
        Ok(came)
    }
}

fn line(doing: &str, bytes: u64, total: u64, elapsed: Duration) -> String {
    let done = bytes as f64 / MEGABYTE;
    let rate = done / elapsed.as_secs_f64().max(f64::EPSILON);
    match total {
        0 => format!("{doing}: {done:.1} MB, {rate:.0} MB/s"),
        total => {
            let percent = bytes as f64 * 100.0 / total as f64;
            format!("{doing}: {percent:.0}%, {done:.1} MB, {rate:.0} MB/s")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_share_bytes_and_rate() {
        let second = Duration::from_secs(2);
        assert_eq!(
            line("a.rdb", 5_000_000, 20_000_000, second),
            "a.rdb: 25%, 5.0 MB, 2 MB/s"
        );
        assert_eq!(line("a.rdb", 5_000_000, 0, second), "a.rdb: 5.0 MB, 2 MB/s");
    }
}
