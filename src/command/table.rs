//! The one command table: rows by name, renamed as the configuration says, each with the number under which its
//! statistics are kept.

use super::row::{Begin, Find, KeySpec, Row, key_flag};

/// A command's number: its place in the table and in the statistics.
pub type CommandId = u16;

/// A command under the name it has here.
#[derive(Debug)]
pub struct Entry {
    /// Its declaration.
    pub row: &'static Row,
    /// Its name here: the row's, unless `rename-command` changed it.
    pub name: String,
    /// Its subcommands' numbers.
    pub subcommands: Vec<CommandId>,
    /// Whether it stands on its own (not under a container).
    pub top: bool,
    /// The word that is its first key, where that is always the same; 0: none.
    pub first_key: usize,
    /// Whether that is its only key.
    pub only_key: bool,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct CommandTable {
    entries: Vec<Entry>,
    /// Open addressing by [`name_hash`]; 0: free, else number + 1. Its length is a power of two.
    index: Vec<CommandId>,
}

/// Why a command cannot be renamed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// There is no such command.
    #[error("No such command in rename-command")]
    NoSuchCommand,
    /// The new name is taken.
    #[error("Target command name already exists")]
    NameTaken,
}

/// A hash of a name that does not see case: first and last letters and the length.
#[inline]
fn name_hash(name: &[u8]) -> u64 {
    const LOWER: u64 = 0x2020_2020_2020_2020;
    // The case bits go before the words are turned against each other.
    let read = |bytes: Option<&[u8; 8]>| u64::from_le_bytes(*bytes.unwrap_or(&[0; 8])) | LOWER;
    let read_half =
        |bytes: Option<&[u8; 4]>| u64::from(u32::from_le_bytes(*bytes.unwrap_or(&[0; 4])));
    let word = match name.len() {
        8.. => read(name.first_chunk()) ^ read(name.last_chunk()).rotate_left(29),
        4..8 => read_half(name.first_chunk()) | read_half(name.last_chunk()) << 32,
        _ => name
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let mixed = (word | LOWER)
        .wrapping_add(name.len() as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}

impl CommandTable {
    /// A table of these rows and all their subcommands.
    pub fn new(rows: impl IntoIterator<Item = &'static Row>) -> Self {
        let mut table = Self::default();
        for row in rows {
            table.add(row);
        }
        table.build_index();
        table
    }

    fn add(&mut self, row: &'static Row) {
        let id = self.push(row, true);
        for sub in row.subcommands {
            let sub_id = self.push(sub, false);
            self.entries[usize::from(id)].subcommands.push(sub_id);
        }
    }

    fn push(&mut self, row: &'static Row, top: bool) -> CommandId {
        let name = row.full_name.to_owned();
        let first_key = match row.keys.first().map(|spec| spec.begin) {
            Some(Begin::Index(at)) if row.keys[0].flags & key_flag::NOT_KEY == 0 => at,
            _ => 0,
        };
        let one_word = |spec: &KeySpec| matches!(spec.find, Find::Range { last: 0, .. });
        let only_key = first_key > 0 && matches!(row.keys, [spec] if one_word(spec));
        self.entries.push(Entry {
            row,
            name,
            subcommands: Vec::new(),
            top,
            first_key,
            only_key,
        });
        CommandId::try_from(self.entries.len() - 1)
            .expect("there are far fewer commands than 65,536")
    }

    fn build_index(&mut self) {
        let size = (self.entries.len() * 4).next_power_of_two().max(16);
        self.index = vec![0; size];
        for id in 0..self.entries.len() {
            let entry = &self.entries[id];
            if !entry.top || entry.name.is_empty() {
                continue;
            }
            let mut at = name_hash(entry.name.as_bytes()) as usize & (size - 1);
            while self.index[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.index[at] = id as CommandId + 1;
        }
    }

    /// The command of this name, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<CommandId> {
        let mask = self.index.len().wrapping_sub(1);
        let mut at = name_hash(name) as usize & mask;
        loop {
            match *self.index.get(at)? {
                0 => return None,
                found => {
                    let entry = &self.entries[usize::from(found - 1)];
                    if entry.name.as_bytes().eq_ignore_ascii_case(name) {
                        return Some(found - 1);
                    }
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// The subcommand of a container, in any case.
    pub fn find_sub(&self, container: CommandId, name: &[u8]) -> Option<CommandId> {
        let subcommands = &self.entry(container).subcommands;
        subcommands.iter().copied().find(|id| {
            self.entry(*id)
                .row
                .name
                .as_bytes()
                .eq_ignore_ascii_case(name)
        })
    }

    /// The command that these words name: a subcommand where there is one of that name.
    pub fn resolve(&self, name: &[u8], sub: Option<&[u8]>) -> Option<CommandId> {
        let id = self.find(name)?;
        Some(sub.and_then(|sub| self.find_sub(id, sub)).unwrap_or(id))
    }

    /// The command of a full name, `container|sub` included.
    pub fn find_full(&self, name: &[u8]) -> Option<CommandId> {
        match name.iter().position(|byte| *byte == b'|') {
            None => self.find(name),
            Some(at) => self.find_sub(self.find(name.get(..at)?)?, name.get(at + 1..)?),
        }
    }

    /// A command by its number.
    #[inline]
    pub fn entry(&self, id: CommandId) -> &Entry {
        &self.entries[usize::from(id)]
    }

    /// All commands and subcommands, in order of their numbers.
    pub fn entries(&self) -> impl Iterator<Item = (CommandId, &Entry)> {
        self.entries
            .iter()
            .enumerate()
            .map(|(id, entry)| (id as CommandId, entry))
    }

    /// Commands and subcommands.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds no command.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// `rename-command`: an empty new name takes the command away.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<(), RenameError> {
        let id = self
            .find(old.as_bytes())
            .ok_or(RenameError::NoSuchCommand)?;
        if !new.is_empty() && self.find(new.as_bytes()).is_some() {
            return Err(RenameError::NameTaken);
        }
        let row_name = self.entries[usize::from(id)].row.name;
        self.entries[usize::from(id)].name = new.to_owned();
        // Who takes a command's name away means its other names too.
        for entry in &mut self.entries {
            if entry.row.alias_of == Some(row_name) {
                entry.name.clear();
            }
        }
        self.build_index();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_name_does_not_see_case_at_any_length() {
        let name = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-ABCDEFGHIJ";
        for length in 1..name.len() {
            let (upper, lower) = (&name[..length], name[..length].to_lowercase());
            assert_eq!(
                name_hash(upper.as_bytes()),
                name_hash(lower.as_bytes()),
                "{upper}"
            );
        }
    }
}
