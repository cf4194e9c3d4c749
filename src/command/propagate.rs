//! What goes to the append-only file and to replicas for a command that changed something: its own words, unless the
//! handler says otherwise.

use crate::resp::request::StoredArgv;

/// What a command leaves in the propagation stream. Fresh for each command.
#[derive(Debug, Default)]
pub struct Propagate {
    instead: Option<Vec<StoredArgv>>,
    also: Vec<StoredArgv>,
    /// Nobody reads the stream: what is said is not kept.
    ignored: bool,
}

impl Propagate {
    /// For a command while nobody reads the stream.
    #[inline]
    pub fn ignored() -> Self {
        Self {
            ignored: true,
            ..Self::default()
        }
    }

    /// Whether anybody reads: if not, a handler need not make up words.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        !self.ignored
    }

    /// These words in place of the command's own (SET EX becomes SET PXAT). Called again, it replaces what it said.
    pub fn instead(&mut self, words: &[&[u8]]) {
        if self.is_wanted() {
            self.instead = Some(vec![StoredArgv::from_words(words)]);
        }
    }

    /// These words after the command's own.
    pub fn also(&mut self, words: &[&[u8]]) {
        if self.is_wanted() {
            self.also.push(StoredArgv::from_words(words));
        }
    }

    /// Nothing at all.
    pub fn nothing(&mut self) {
        self.instead = Some(Vec::new());
        self.also.clear();
    }

    /// Whether the handler said nothing: the command's own words go out.
    #[inline]
    pub fn is_verbatim(&self) -> bool {
        self.instead.is_none() && self.also.is_empty()
    }

    /// The commands to be sent instead (`None`: the command's own words) and those to be sent after.
    pub fn into_parts(self) -> (Option<Vec<StoredArgv>>, Vec<StoredArgv>) {
        (self.instead, self.also)
    }
}
