//! What goes to the append-only file and to replicas for a command that changed something: its own words, unless the
//! handler says otherwise.

use crate::resp::request::StoredArgv;

/// What a command leaves in the propagation stream. Fresh for each command; most say nothing, and pay for no more.
#[derive(Debug, Default)]
pub struct Propagate {
    said: Option<Box<Said>>,
    /// Nobody reads the stream: what is said is not kept.
    ignored: bool,
}

#[derive(Debug, Default)]
struct Said {
    instead: Option<Vec<StoredArgv>>,
    also: Vec<StoredArgv>,
}

impl Propagate {
    /// For a command while nobody reads the stream.
    #[inline]
    pub fn ignored() -> Self {
        Self {
            said: None,
            ignored: true,
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
            self.said.get_or_insert_default().instead = Some(vec![StoredArgv::from_words(words)]);
        }
    }

    /// These words after the command's own.
    pub fn also(&mut self, words: &[&[u8]]) {
        if self.is_wanted() {
            self.said
                .get_or_insert_default()
                .also
                .push(StoredArgv::from_words(words));
        }
    }

    /// Nothing at all.
    pub fn nothing(&mut self) {
        if self.is_wanted() {
            self.said = Some(Box::new(Said {
                instead: Some(Vec::new()),
                also: Vec::new(),
            }));
        }
    }

    /// The commands to be sent instead (`None`: the command's own words) and those to be sent after.
    pub fn into_parts(self) -> (Option<Vec<StoredArgv>>, Vec<StoredArgv>) {
        self.said
            .map_or((None, Vec::new()), |said| (said.instead, said.also))
    }
}
