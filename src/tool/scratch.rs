//! What does not fit the bounds of a tool's memory: bytes that wait to be read back ([`Spool`]) and names that must differ
//! ([`Distinct`]). Both keep a named amount in memory and the rest in a file that has no name, so that nothing of it stays
//! whatever ends the tool.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_128;

/// Bytes of a spool that stay in memory.
const SPOOL_MEMORY_BYTES: usize = 1 << 20;
/// Names whose hashes stay in memory: 8 MiB of them.
const NAMES_IN_MEMORY: usize = 1 << 18;
/// Bytes of a name's hash and place.
const NAME_BYTES: usize = 24;
/// Names of a run that are read at once.
const NAMES_AT_ONCE: usize = 256;

/// A file without a name in this folder.
fn nameless_file(folder: &Path) -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (pid, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let path = folder.join(format!("oxidis-{pid}-{number}.tmp"));
    let mut options = File::options();
    options.read(true).write(true).create_new(true).mode(0o600);
    let file = options.open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// Bytes that are written first and then read back once, in the same order.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    memory: Vec<u8>,
    file: Option<File>,
    bytes: u64,
    in_memory_max: usize,
}

impl Spool {
    /// An empty one, whose file, if it needs one, is in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            memory: Vec::new(),
            file: None,
            bytes: 0,
            in_memory_max: SPOOL_MEMORY_BYTES,
        }
    }

    /// The same with another bound for what stays in memory.
    pub fn with_bound(folder: &Path, in_memory_max: usize) -> Self {
        Self {
            in_memory_max,
            ..Self::in_folder(folder)
        }
    }

    /// Bytes that were written.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether none were.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Writes more.
    ///
    /// # Errors
    /// What the system says of its file.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        if self.memory.len() > self.in_memory_max {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(nameless_file(&self.folder)?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    /// All that was written.
    ///
    /// # Errors
    /// What the system says of its file.
    pub fn read(&mut self) -> io::Result<Box<dyn Read + '_>> {
        if self.file.is_some() {
            self.spill()?;
        }
        match &mut self.file {
            Some(file) => {
                file.seek(SeekFrom::Start(0))?;
                Ok(Box::new(file))
            }
            None => Ok(Box::new(self.memory.as_slice())),
        }
    }

    /// Forgets what was written; the memory is used again, the file is gone.
    pub fn clear(&mut self) {
        self.memory.clear();
        self.file = None;
        self.bytes = 0;
    }
}

/// The hash of a name, and where it stands.
type Name = (u128, u64);

/// Finds whether any of many names stands twice. Two names of the same 128 bits of hash are taken for the same one.
#[derive(Debug)]
pub struct Distinct {
    folder: PathBuf,
    recent: Vec<Name>,
    /// Runs of [`Self::in_memory_max`] names each, in order within the run.
    file: Option<File>,
    runs: u64,
    in_memory_max: usize,
}

impl Distinct {
    /// No names yet; the file, if it is needed, is in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            recent: Vec::new(),
            file: None,
            runs: 0,
            in_memory_max: NAMES_IN_MEMORY,
        }
    }

    /// The same with another bound for what stays in memory.
    pub fn with_bound(folder: &Path, in_memory_max: usize) -> Self {
        Self {
            in_memory_max,
            ..Self::in_folder(folder)
        }
    }

    /// Adds the name that stands at `place` (an offset, a line: whatever grows).
    ///
    /// # Errors
    /// What the system says of its file.
    pub fn add(&mut self, name: &[u8], place: u64) -> io::Result<()> {
        self.recent.push((xxh3_128(name), place));
        if self.recent.len() >= self.in_memory_max {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.recent.sort_unstable();
        let mut run = Vec::with_capacity(self.recent.len() * NAME_BYTES);
        for (hash, place) in self.recent.drain(..) {
            run.extend_from_slice(&hash.to_le_bytes());
            run.extend_from_slice(&place.to_le_bytes());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(nameless_file(&self.folder)?),
        };
        self.runs += 1;
        file.write_all(&run)
    }

    /// Where a name stands for the second time, the first such place; then all names are forgotten.
    ///
    /// # Errors
    /// What the system says of its file.
    pub fn finish(&mut self) -> io::Result<Option<u64>> {
        self.recent.sort_unstable();
        let mut seconds = Seconds::default();
        let recent = std::mem::take(&mut self.recent);
        match self.file.take() {
            None => recent.iter().for_each(|name| seconds.see(*name)),
            Some(file) => self.merge(&file, &recent, &mut seconds)?,
        }
        self.runs = 0;
        self.recent = recent;
        self.recent.clear();
        Ok(seconds.first)
    }

    /// Goes through all runs and the names in memory at once, in order.
    fn merge(&self, file: &File, recent: &[Name], seconds: &mut Seconds) -> io::Result<()> {
        let run_bytes = (self.in_memory_max * NAME_BYTES) as u64;
        let runs = (0..self.runs).map(|run| Run {
            file,
            at: run * run_bytes,
            end: (run + 1) * run_bytes,
            names: Vec::new(),
        });
        let mut runs: Vec<Run<'_>> = runs.collect();
        let mut recent = recent.iter().copied();
        let last = runs.len();
        let mut heap = BinaryHeap::new();
        for (index, run) in runs.iter_mut().enumerate() {
            heap.extend(run.next()?.map(|name| Reverse((name, index))));
        }
        heap.extend(recent.next().map(|name| Reverse((name, last))));
        while let Some(Reverse((name, index))) = heap.pop() {
            seconds.see(name);
            let next = match runs.get_mut(index) {
                Some(run) => run.next()?,
                None => recent.next(),
            };
            heap.extend(next.map(|name| Reverse((name, index))));
        }
        Ok(())
    }
}

/// Is shown names in order; remembers the first place where one stands again.
#[derive(Default)]
struct Seconds {
    last: Option<u128>,
    first: Option<u64>,
}

impl Seconds {
    fn see(&mut self, (hash, place): Name) {
        if self.last.replace(hash) == Some(hash) {
            self.first = Some(self.first.map_or(place, |first| first.min(place)));
        }
    }
}

/// A run of names in the file.
struct Run<'f> {
    file: &'f File,
    at: u64,
    end: u64,
    /// Names that were read, the next one last.
    names: Vec<Name>,
}

impl Run<'_> {
    fn next(&mut self) -> io::Result<Option<Name>> {
        if self.names.is_empty() && self.at < self.end {
            let mut bytes = [0; NAMES_AT_ONCE * NAME_BYTES];
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let wanted = left.min(bytes.len());
            let bytes = &mut bytes[..wanted];
            self.file.read_exact_at(bytes, self.at)?;
            self.at += wanted as u64;
            let names = bytes.as_chunks::<NAME_BYTES>().0.iter().rev();
            self.names.extend(names.map(name_of));
        }
        Ok(self.names.pop())
    }
}

fn name_of(bytes: &[u8; NAME_BYTES]) -> Name {
    let mut hash = [0; 16];
    let mut place = [0; 8];
    hash.copy_from_slice(&bytes[..16]);
    place.copy_from_slice(&bytes[16..]);
    (u128::from_le_bytes(hash), u64::from_le_bytes(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn what_is_spooled_comes_back_whether_it_fits_memory_or_not() {
        let folder = std::env::temp_dir();
        for bound in [0, 10, 1000, 1 << 20] {
            let mut spool = Spool::with_bound(&folder, bound);
            for round in 0..2 {
                let mut all = Vec::new();
                for number in 0..100u8 {
                    let piece = vec![number ^ round; usize::from(number)];
                    spool.write(&piece).expect("there is room");
                    all.extend(piece);
                }
                let mut back = Vec::new();
                let read = spool
                    .read()
                    .and_then(|mut from| from.read_to_end(&mut back));
                assert_eq!(read.expect("it was written"), all.len());
                assert_eq!((spool.len(), &back), (all.len() as u64, &all));
                spool.clear();
                assert!(spool.is_empty());
            }
        }
    }

    #[test]
    fn the_first_name_that_stands_again_is_found_among_any_number() {
        let folder = std::env::temp_dir();
        let mut random = Random::from_seed(5);
        for bound in [2, 7, 300, 5000] {
            let mut names = Distinct::with_bound(&folder, bound);
            for _ in 0..20 {
                let mut seen = std::collections::HashSet::new();
                let mut first = None;
                for place in 0..1 + random.below(1000) {
                    let name = random.below(60_000);
                    if !seen.insert(name) && first.is_none() {
                        first = Some(place);
                    }
                    names
                        .add(&name.to_le_bytes(), place)
                        .expect("there is room");
                }
                assert_eq!(names.finish().expect("it was written"), first);
            }
        }
    }
}
