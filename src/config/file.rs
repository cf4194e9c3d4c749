//! Loading a configuration: files with their includes, standard input, and the command line's options.
//!
//! The three are read one after the other as if they were one text, the later winning. The server has not
//! started yet, so reading files here disturbs nobody. Whatever is wrong stops the start with the place and
//! the reason, in the form Redis prints.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::kind::Kind;
use super::{Config, Param, params};
use crate::base::glob::glob_match;
use crate::base::quoting::split_args;

/// Files that include files, at most so deep; a file that includes itself ends here.
const INCLUDE_DEPTH_MAX: usize = 16;

/// Where a configuration comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// Whether standard input holds more lines.
    pub stdin: bool,
    /// Lines made of the command line's options.
    pub options: Vec<u8>,
}

/// A line that is no parameter: a user, a renamed command, a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The first word, in lower case.
    pub name: &'static str,
    /// The words after it.
    pub words: Vec<Vec<u8>>,
    /// Where it stands, for errors found only when it is carried out.
    pub place: Place,
}

/// A line of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or what stands for it: standard input, the command line.
    pub source: String,
    /// The line's number, from 1.
    pub line: usize,
    /// The line without blanks around it.
    pub text: String,
}

/// Why the server cannot start with this configuration; printed, it is the message for the operator.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("# Fatal error, can't open config file '{}': {}", path.display(), io_reason(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is wrong.
    #[error(
        "\n*** FATAL CONFIG FILE ERROR (Oxidis {}) ***\n\
         Reading the configuration file, at line {} of {}\n>>> '{}'\n{reason}",
        env!("CARGO_PKG_VERSION"), place.line, place.source, place.text
    )]
    Line {
        /// The line.
        place: Place,
        /// What is wrong with it.
        reason: String,
    },
    /// Lines that are right alone contradict each other.
    #[error("\n*** FATAL CONFIG FILE ERROR (Oxidis {}) ***\n{reason}", env!("CARGO_PKG_VERSION"))]
    Whole {
        /// What is wrong.
        reason: String,
    },
}

impl LoadError {
    /// An error in a line that showed only when it was carried out.
    pub fn at(place: &Place, reason: impl Into<String>) -> LoadError {
        LoadError::Line {
            place: place.clone(),
            reason: reason.into(),
        }
    }
}

/// Loads the configuration from all its sources.
///
/// `dir` is made absolute and must exist; relative includes and folders count from the `dir` before them.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(sources: &Sources) -> Result<Config, LoadError> {
    let mut stdin = Vec::new();
    if sources.stdin {
        let opened = io::stdin().lock().read_to_end(&mut stdin);
        opened.map_err(|source| LoadError::Open {
            path: "standard input".into(),
            source,
        })?;
    }
    load_with(sources, &stdin)
}

fn load_with(sources: &Sources, stdin: &[u8]) -> Result<Config, LoadError> {
    let here = std::env::current_dir().map_err(|source| LoadError::Open {
        path: ".".into(),
        source,
    })?;
    let mut loader = Loader {
        config: Config::default(),
        dir: here,
        has_save: false,
        depth: 0,
    };
    let mut lines_before = 0;
    if let Some(path) = &sources.file {
        let path = loader.dir.join(path);
        let text = read_file(&path)?;
        loader.read_text(&text, &path.display().to_string(), 1)?;
        lines_before += count_lines(&text);
        loader.config.file = Some(path);
    }
    if sources.stdin {
        loader.read_text(stdin, "standard input", lines_before + 1)?;
        lines_before += count_lines(stdin);
    }
    loader.read_text(&sources.options, "the command line", lines_before + 2)?;
    loader.finish()
}

struct Loader {
    config: Config,
    /// The folder relative paths count from; absolute.
    dir: PathBuf,
    /// Whether a `save` line was seen: the first one replaces the defaults, the others add to it.
    has_save: bool,
    depth: usize,
}

impl Loader {
    fn read_text(&mut self, text: &[u8], source: &str, first: usize) -> Result<(), LoadError> {
        for (offset, line) in text.split(|b| *b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let place = Place {
                source: source.to_string(),
                line: first + offset,
                text: String::from_utf8_lossy(line).into_owned(),
            };
            match split_args(line) {
                None => {
                    return Err(LoadError::at(
                        &place,
                        "Unbalanced quotes in configuration line",
                    ));
                }
                Some(words) => self.read_line(&words, &place)?,
            }
        }
        Ok(())
    }

    fn read_line(&mut self, words: &[Vec<u8>], place: &Place) -> Result<(), LoadError> {
        let Some((name, rest)) = words.split_first() else {
            return Ok(());
        };
        let bad = || LoadError::at(place, "Bad directive or wrong number of arguments");
        let index = params::index_of(name).ok_or_else(bad)?;
        let param = *params::all().get(index).ok_or_else(bad)?;
        match (param.kind, rest) {
            (Kind::Retired, [_]) => Ok(()),
            (Kind::Include, [path]) => self.include(path, place),
            (Kind::Directive { words: 2 }, [_, _]) => self.direct(param, rest, place),
            (Kind::Directive { words: 1 }, [_, ..]) => self.direct(param, rest, place),
            (kind, _) if kind.is_file_only() => Err(bad()),
            _ => self
                .assign(index, param, rest)
                .map_err(|reason| LoadError::at(place, reason)),
        }
    }

    fn assign(&mut self, index: usize, param: &Param, words: &[Vec<u8>]) -> Result<(), String> {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        if param.name == "dir" {
            return self.change_dir(index, &words);
        }
        if param.name == "save" {
            let adds = self.has_save && words.iter().any(|word| !word.is_empty());
            self.has_save = true;
            if adds {
                param
                    .kind
                    .parse(param.name, &words, &param.default_value())?;
                let all = [self.config.print(index), words.join(&b' ')].join(&b' ');
                return self.config.assign(index, &[&all]);
            }
        }
        if param.name == "replicaof" && words.len() != 2 {
            return Err("wrong number of arguments".into());
        }
        self.config.assign(index, &words)
    }

    fn change_dir(&mut self, index: usize, words: &[&[u8]]) -> Result<(), String> {
        let [word] = words else {
            return Err("wrong number of arguments".into());
        };
        let path = self.dir.join(String::from_utf8_lossy(word).as_ref());
        let path = fs::canonicalize(path).map_err(|error| io_reason(&error))?;
        if !path.is_dir() {
            return Err("Not a directory".into());
        }
        self.config
            .assign(index, &[path.as_os_str().as_encoded_bytes()])?;
        self.dir = path;
        Ok(())
    }

    fn direct(&mut self, param: &Param, words: &[Vec<u8>], place: &Place) -> Result<(), LoadError> {
        if param.name == "user"
            && let Some(known) = self
                .config
                .users()
                .find(|user| user.words.first() == words.first())
        {
            let name = String::from_utf8_lossy(known.words.first().map_or(&[], Vec::as_slice));
            return Err(LoadError::at(
                place,
                format!(
                    "Error in user declaration '{name}': Duplicate user found. \
                     A user can only be defined once in config files"
                ),
            ));
        }
        let directive = Directive {
            name: param.name,
            words: words.to_vec(),
            place: place.clone(),
        };
        self.config.directives.push(directive);
        Ok(())
    }

    fn include(&mut self, path: &[u8], place: &Place) -> Result<(), LoadError> {
        if self.depth >= INCLUDE_DEPTH_MAX {
            return Err(LoadError::at(place, "too many files that include files"));
        }
        self.depth += 1;
        for path in expand(&self.dir.join(String::from_utf8_lossy(path).as_ref())) {
            let text = read_file(&path)?;
            self.read_text(&text, &path.display().to_string(), 1)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Config, LoadError> {
        let dir = self.dir.as_os_str().as_encoded_bytes().to_vec();
        let pinned = self.config.put("dir", &[&dir]);
        pinned.map_err(|reason| LoadError::Whole { reason })?;
        let settings = &self.config.settings;
        if settings.cluster_enabled && settings.replicaof.is_some() {
            let reason = "replicaof directive not allowed in cluster mode".into();
            return Err(LoadError::Whole { reason });
        }
        Ok(self.config)
    }
}

fn count_lines(text: &[u8]) -> usize {
    text.iter().filter(|b| **b == b'\n').count()
}

fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|source| LoadError::Open {
        path: path.to_path_buf(),
        source,
    })
}

/// What the system says, without the number Rust adds.
fn io_reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error")
        .map_or(text.as_str(), |(reason, _)| reason)
        .to_string()
}

/// The paths a path with wildcards stands for, sorted; without wildcards, the path itself.
fn expand(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let pattern = part.as_os_str().as_encoded_bytes();
        if !pattern.iter().any(|b| b"*?[".contains(b)) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        found = found
            .iter()
            .flat_map(|dir| matching_entries(dir, pattern))
            .collect();
    }
    if path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .any(|b| b"*?[".contains(b))
    {
        found.retain(|path| path.exists());
    }
    found
}

fn matching_entries(dir: &Path, pattern: &[u8]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            (!name.starts_with(b".") || pattern.starts_with(b"."))
                && glob_match(pattern, name, false)
        })
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
pub(super) mod tests;
