//! The manifest of the append-only file: which files hold the data, in which order they are read, which are of no use any
//! more. Names, numbers and lines are those of Redis 7 and later, so that either server reads the other's.
//!
//! ```text
//! file appendonly.aof.2.base.rdb seq 2 type b      the data as of some moment (.aof: as commands)
//! file appendonly.aof.3.incr.aof seq 3 type i      what changed since, in order of the numbers
//! file appendonly.aof.1.incr.aof seq 1 type h      history: contained in the base, to be removed
//! ```
//! At most one base; the numbers of increments grow. Lines that begin with `#` are comments; pairs of words behind the
//! three are passed over (Redis 8 notes replication offsets there).

use crate::base::quoting::{quote, split_args};

/// Bytes that a line may have.
const LINE_MAX_BYTES: usize = 1024;

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ManifestError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name, inside the folder.
    pub name: String,
    /// Its number.
    pub seq: u64,
}

/// See the head of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The data as of some moment.
    pub base: Option<Listed>,
    /// The changes since, oldest first.
    pub increments: Vec<Listed>,
    /// Files to be removed.
    pub history: Vec<Listed>,
    /// The largest number that a base has had.
    base_seq: u64,
    /// The same of increments.
    increment_seq: u64,
}

impl Manifest {
    /// Understands the text of a manifest.
    ///
    /// # Errors
    /// The first line that is wrong, and why.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        let mut manifest = Manifest::default();
        let failed = |line: usize| move |reason| ManifestError { line, reason };
        if text.is_empty() {
            return Err(failed(1)("Found an empty AOF manifest"));
        }
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let is_last = at == text.iter().filter(|byte| **byte == b'\n').count();
            if (is_last && line.is_empty()) || line.first() == Some(&b'#') {
                continue;
            }
            let fail = failed(at + 1);
            if line.len() > LINE_MAX_BYTES || is_last {
                return Err(fail("The AOF manifest file contains too long line"));
            }
            manifest.take_line(line.trim_ascii()).map_err(fail)?;
        }
        Ok(manifest)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        const INVALID: &str = "Invalid AOF manifest file format";
        let words = split_args(line).ok_or(INVALID)?;
        let (pairs, odd) = words.as_chunks::<2>();
        if pairs.len() < 3 || !odd.is_empty() {
            return Err(INVALID);
        }
        let (mut name, mut seq, mut kind) = (None, None, None);
        for [key, value] in pairs {
            let value = String::from_utf8(value.clone()).map_err(|_| INVALID)?;
            match key.to_ascii_lowercase().as_slice() {
                b"file" => name = Some(value),
                b"seq" => seq = value.parse().ok().filter(|seq| *seq > 0),
                b"type" => kind = Some(value),
                _ => {}
            }
        }
        let (Some(name), Some(seq), Some(kind)) = (name, seq, kind) else {
            return Err(INVALID);
        };
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err("File can't be a path, just a filename");
        }
        self.list(Listed { name, seq }, &kind)
    }

    fn list(&mut self, listed: Listed, kind: &str) -> Result<(), &'static str> {
        match kind {
            "b" if self.base.is_some() => Err("Found duplicate base file information"),
            "b" => {
                self.base_seq = listed.seq;
                self.base = Some(listed);
                Ok(())
            }
            "i" if listed.seq <= self.increment_seq => Err("Found a non-monotonic sequence number"),
            "i" => {
                self.increment_seq = listed.seq;
                self.increments.push(listed);
                Ok(())
            }
            "h" => {
                self.history.push(listed);
                Ok(())
            }
            _ => Err("Unknown AOF file type"),
        }
    }

    /// Whether a file of this name can be a base or an increment of the append-only file called `file`.
    pub fn may_list(file: &str, name: &str) -> bool {
        let numbered = name
            .strip_prefix(file)
            .and_then(|rest| rest.strip_prefix('.'));
        numbered
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(seq, kind)| {
                seq.parse::<u64>().is_ok() && matches!(kind, "base.rdb" | "base.aof" | "incr.aof")
            })
    }

    /// A manifest whose base is a file of the time before there were manifests.
    pub fn of_old_file(name: &str) -> Manifest {
        Manifest {
            base: Some(Listed {
                name: name.to_owned(),
                seq: 1,
            }),
            base_seq: 1,
            ..Manifest::default()
        }
    }

    /// Its text.
    pub fn text(&self) -> Vec<u8> {
        let base = self.base.iter().map(|listed| (listed, 'b'));
        let history = self.history.iter().map(|listed| (listed, 'h'));
        let increments = self.increments.iter().map(|listed| (listed, 'i'));
        let mut text = Vec::new();
        for (listed, kind) in base.chain(history).chain(increments) {
            let name = quoted(&listed.name);
            let line = format!("file {name} seq {} type {kind}\n", listed.seq);
            text.extend_from_slice(line.as_bytes());
        }
        text
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.increments.is_empty()
    }

    /// Adds the next increment of the file called `file`.
    pub fn add_increment(&mut self, file: &str) -> Listed {
        self.increment_seq += 1;
        let seq = self.increment_seq;
        let listed = Listed {
            name: format!("{file}.{seq}.incr.aof"),
            seq,
        };
        self.increments.push(listed.clone());
        listed
    }

    /// The next base of the file called `file`; it is not in the manifest yet.
    pub fn next_base(&self, file: &str, as_rdb: bool) -> Listed {
        let seq = self.base_seq + 1;
        let format = if as_rdb { "rdb" } else { "aof" };
        Listed {
            name: format!("{file}.{seq}.base.{format}"),
            seq,
        }
    }

    /// Puts a base in the place of all that it contains: the old one and every increment before number `first_increment`.
    pub fn rebase(&mut self, base: Listed, first_increment: u64) {
        self.base_seq = base.seq;
        let old = self.base.replace(base);
        let contained = self
            .increments
            .extract_if(.., |listed| listed.seq < first_increment);
        self.history.extend(old.into_iter().chain(contained));
    }
}

/// The name as it stands in a line: quoted only if it must be.
fn quoted(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if name.bytes().all(is_plain) {
        name.to_owned()
    } else {
        quote(name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut manifest = Manifest::default();
        let base = manifest.next_base("a file", true);
        let first = manifest.add_increment("a file");
        manifest.rebase(base, first.seq);
        let second = manifest.add_increment("a file");
        let text = "file \"a file.1.base.rdb\" seq 1 type b\nfile \"a file.1.incr.aof\" seq 1 type i\n\
                    file \"a file.2.incr.aof\" seq 2 type i\n";
        assert_eq!(String::from_utf8_lossy(&manifest.text()), text);
        assert_eq!(parse(text), Ok(manifest.clone()));
        manifest.rebase(manifest.next_base("a file", false), second.seq);
        let names: Vec<&str> = manifest.history.iter().map(|old| &*old.name).collect();
        assert_eq!(names, ["a file.1.base.rdb", "a file.1.incr.aof"]);
        let base = manifest.base.map(|base| base.name);
        assert_eq!(base.as_deref(), Some("a file.2.base.aof"));
    }

    #[test]
    fn files_of_another_name_are_not_its() {
        for (name, is_its) in [
            ("a.aof.1.base.rdb", true),
            ("a.aof.12.base.aof", true),
            ("a.aof.3.incr.aof", true),
            ("a.aof.manifest", false),
            ("a.aof2.1.base.rdb", false),
            ("temp-a.aof.incr", false),
            ("a.aof.x.incr.aof", false),
        ] {
            assert_eq!(Manifest::may_list("a.aof", name), is_its, "{name}");
        }
    }

    #[test]
    fn lines_of_later_versions_and_comments_are_understood() {
        let text = "# of Redis 8\nfile a.2.base.rdb seq 2 type b\nfile a.3.incr.aof seq 3 type i startoffset 4 endoffset 9\n";
        let manifest = parse(text).expect("it is well formed");
        assert_eq!(manifest.increments.len(), 1);
        assert_eq!(manifest.next_base("a", true).seq, 3);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            ("", "line 1: Found an empty AOF manifest"),
            ("file a seq 1\n", "line 1: Invalid AOF manifest file format"),
            ("\n", "line 1: Invalid AOF manifest file format"),
            (
                "file a seq 0 type b\n",
                "line 1: Invalid AOF manifest file format",
            ),
            (
                "file x/a seq 1 type b\n",
                "line 1: File can't be a path, just a filename",
            ),
            ("file a seq 1 type x\n", "line 1: Unknown AOF file type"),
            (
                "file a seq 1 type b\nfile b seq 2 type b\n",
                "line 2: Found duplicate base file information",
            ),
            (
                "file a seq 2 type i\nfile b seq 2 type i\n",
                "line 2: Found a non-monotonic sequence number",
            ),
            (
                "file a seq 1 type b",
                "line 1: The AOF manifest file contains too long line",
            ),
        ] {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }
}
