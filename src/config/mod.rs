//! Configuration: the values of all parameters, and their typed twin that code reads.
//!
//! - `params` is the table; `kind` and `value` say how a row's words are understood and printed;
//! - `settings` has a typed field for every parameter that code reads;
//! - `file` loads a configuration at start; `rewrite` brings a file up to date; `example` writes the sample.
//!
//! One funnel changes a value (`Config::assign`), and it refreshes the typed field, so the two never differ.
//! Nothing here acts on a change: [`Config::set`] answers what changed and the caller does the rest.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::base::glob::glob_match;

pub mod example;
pub mod file;
pub mod kind;
pub mod params;
mod rewrite;
pub mod settings;
pub mod value;

pub use file::{Directive, LoadError, Place, Sources, load};
pub use params::Param;
pub use settings::Settings;
pub use value::Value;

/// The configuration of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// The typed fields; written by this module alone.
    pub settings: Settings,
    /// The file that was loaded and that CONFIG REWRITE writes; absolute.
    pub file: Option<PathBuf>,
    values: Vec<Value>,
    directives: Vec<Directive>,
}

/// What was true before a change, to go back to when the change cannot be carried out.
#[derive(Debug, Clone)]
pub struct Snapshot {
    settings: Settings,
    values: Vec<Value>,
}

/// Circumstances that decide which parameters CONFIG SET may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The client may change protected parameters (`enable-protected-configs` allows it).
    pub protected: bool,
    /// The server is loading its data.
    pub loading: bool,
}

/// Why CONFIG SET changed nothing; printed, it is the whole error reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// There is no such parameter.
    #[error("ERR Unknown option or number of arguments for CONFIG SET - '{name}'")]
    Unknown {
        /// The name as it was given.
        name: String,
    },
    /// The value was refused, here or by the caller that tried to act on it.
    #[error("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")]
    Failed {
        /// The name as it was given, in lower case.
        name: String,
        /// The reason, in the words of Redis.
        reason: String,
    },
    /// The parameter may not change while data is loaded.
    #[error("LOADING Redis is loading the dataset in memory")]
    Loading,
}

impl Default for Config {
    fn default() -> Self {
        let params = params::all();
        let mut config = Config {
            settings: Settings::default(),
            file: None,
            values: Vec::with_capacity(params.len()),
            directives: Vec::new(),
        };
        for param in params {
            let value = param.default_value();
            if !param.kind.is_file_only() {
                param.apply(&mut config.settings, &value);
            }
            config.values.push(value);
        }
        config
    }
}

impl Config {
    /// Names and values that match any of the patterns, as CONFIG GET answers them.
    ///
    /// A name without wildcards is answered as it was written and finds hidden parameters too; a pattern is
    /// matched in any case against every name and alias. No name is answered twice.
    pub fn get(&self, patterns: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
        let mut seen = HashSet::new();
        let mut out = Vec::new();
        for pattern in patterns {
            if pattern.iter().any(|b| b"*?[".contains(b)) {
                for (index, name) in listed_names() {
                    if glob_match(pattern, name.as_bytes(), true) && seen.insert(name.to_string()) {
                        out.push((name.to_string(), self.print(index)));
                    }
                }
            } else if let Some(index) = settable(pattern) {
                let name = String::from_utf8_lossy(pattern).into_owned();
                if seen.insert(name.to_ascii_lowercase()) {
                    out.push((name, self.print(index)));
                }
            }
        }
        out
    }

    /// The value of one parameter, by its name or an alias.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(params::index_of(name.as_bytes())?)
    }

    /// Sets several parameters, all or none, and answers those whose value is another one now.
    ///
    /// # Errors
    /// The first pair that is refused; nothing has changed then.
    pub fn set(
        &mut self,
        pairs: &[(&[u8], &[u8])],
        access: Access,
    ) -> Result<Vec<&'static Param>, SetError> {
        let indices = self.check_names(pairs, access)?;
        let before = self.snapshot();
        for (index, (name, value)) in indices.iter().zip(pairs) {
            if let Err(reason) = self.assign(*index, &[value]) {
                self.restore(before);
                return Err(SetError::failed(name, reason));
            }
        }
        Ok(self.changed_since(&before))
    }

    /// Sets one parameter that the server itself changes (`replicaof` after REPLICAOF, `dir` once absolute).
    ///
    /// # Errors
    /// The reason, in the words of Redis.
    pub fn put(&mut self, name: &str, words: &[&[u8]]) -> Result<(), String> {
        let index = settable(name.as_bytes()).ok_or("no such parameter")?;
        self.assign(index, words)
    }

    /// What [`Config::restore`] needs to come back to this moment.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            settings: self.settings.clone(),
            values: self.values.clone(),
        }
    }

    /// Goes back to a snapshot.
    pub fn restore(&mut self, snapshot: Snapshot) {
        self.settings = snapshot.settings;
        self.values = snapshot.values;
    }

    /// The parameters whose value differs from the snapshot's, in the order of the table.
    pub fn changed_since(&self, snapshot: &Snapshot) -> Vec<&'static Param> {
        let values = self.values.iter().zip(&snapshot.values);
        let params = params::all().iter().zip(values);
        params
            .filter(|(_, (now, before))| now != before)
            .map(|(param, _)| *param)
            .collect()
    }

    /// The text of a configuration file brought up to date, for CONFIG REWRITE.
    ///
    /// Comments, order, includes and renamed commands stay; `users` are the ACL users as `name rule ...`, or
    /// `None` when they live in a file of their own and the lines here must not change.
    pub fn rewrite(&self, old_text: &str, users: Option<&[String]>) -> String {
        rewrite::rewrite(self, old_text, users, false)
    }

    /// The same with a line for every parameter, also for those at their default (DEBUG CONFIG-REWRITE-FORCE-ALL).
    pub fn rewrite_all(&self, old_text: &str, users: Option<&[String]>) -> String {
        rewrite::rewrite(self, old_text, users, true)
    }

    /// The lines `user NAME RULE...`, in the order of the file.
    pub fn users(&self) -> impl Iterator<Item = &Directive> {
        self.directives_named("user")
    }

    /// The lines `rename-command NAME NEW-NAME`, in the order of the file.
    pub fn renamed_commands(&self) -> impl Iterator<Item = &Directive> {
        self.directives_named("rename-command")
    }

    /// The lines `loadmodule PATH ARG...`, in the order of the file.
    pub fn modules(&self) -> impl Iterator<Item = &Directive> {
        self.directives_named("loadmodule")
    }

    fn directives_named(&self, name: &'static str) -> impl Iterator<Item = &Directive> {
        self.directives
            .iter()
            .filter(move |directive| directive.name == name)
    }

    /// The one way a value changes: parses it, keeps it, refreshes the typed field.
    fn assign(&mut self, index: usize, words: &[&[u8]]) -> Result<(), String> {
        let (Some(param), Some(slot)) = (params::all().get(index), self.values.get_mut(index))
        else {
            return Err("no such parameter".into());
        };
        let value = param.kind.parse(param.name, words, slot)?;
        param.apply(&mut self.settings, &value);
        *slot = value;
        Ok(())
    }

    /// Finds the parameters of a set and refuses those that may not change.
    ///
    /// An immutable parameter accepts the value it has: tools that write back what CONFIG GET listed know only
    /// the immutable names of their own server, and we list those of several.
    fn check_names(
        &self,
        pairs: &[(&[u8], &[u8])],
        access: Access,
    ) -> Result<Vec<usize>, SetError> {
        let mut seen = HashSet::new();
        let mut indices = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            let unknown = || SetError::Unknown {
                name: String::from_utf8_lossy(name).into_owned(),
            };
            let index = settable(name).ok_or_else(unknown)?;
            let param = params::all().get(index).ok_or_else(unknown)?;
            if param.flags.immutable && !self.holds(index, value) {
                return Err(SetError::failed(name, "can't set immutable config"));
            }
            if param.flags.protected && !access.protected {
                return Err(SetError::failed(name, "can't set protected config"));
            }
            if param.flags.deny_loading && access.loading {
                return Err(SetError::Loading);
            }
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(SetError::failed(name, "duplicate parameter"));
            }
            indices.push(index);
        }
        Ok(indices)
    }

    /// Whether the word given stands for the value the parameter has.
    fn holds(&self, index: usize, word: &[u8]) -> bool {
        let (Some(param), Some(now)) = (params::all().get(index), self.values.get(index)) else {
            return false;
        };
        param
            .kind
            .parse(param.name, &[word], now)
            .is_ok_and(|value| value == *now)
    }

    fn print(&self, index: usize) -> Vec<u8> {
        match (params::all().get(index), self.values.get(index)) {
            (Some(param), Some(value)) => param.kind.print(value),
            _ => Vec::new(),
        }
    }
}

impl SetError {
    /// The refusal of one argument, also for reasons that only acting on it can find.
    pub fn failed(name: &[u8], reason: impl Into<String>) -> SetError {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        SetError::Failed {
            name,
            reason: reason.into(),
        }
    }
}

/// The index of a parameter that CONFIG knows.
fn settable(name: &[u8]) -> Option<usize> {
    let index = params::index_of(name)?;
    let param = params::all().get(index)?;
    (!param.kind.is_file_only()).then_some(index)
}

/// Every name and alias a pattern may find, with the index of its parameter.
fn listed_names() -> impl Iterator<Item = (usize, &'static str)> {
    let listed = |param: &Param| !param.flags.hidden && !param.kind.is_file_only();
    let params = params::all()
        .iter()
        .enumerate()
        .filter(move |(_, param)| listed(param));
    params.flat_map(|(index, param)| param.names().map(move |name| (index, name)))
}

#[cfg(test)]
mod tests;
