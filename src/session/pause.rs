//! CLIENT PAUSE: until when, and which commands wait.

/// Which commands are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseKind {
    /// Those that may write.
    Write,
    /// All.
    All,
}

/// The pause that is in force, if any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pause {
    current: Option<(PauseKind, i64)>,
    /// One has ended, and nobody has asked since.
    ended: bool,
}

impl Pause {
    /// Pauses until `until_ms` (Unix milliseconds). A pause that is in force is never shortened, nor made milder.
    pub fn start(&mut self, kind: PauseKind, until_ms: i64) {
        self.current = Some(match self.current {
            Some((before, end)) => (before.max(kind), end.max(until_ms)),
            None => (kind, until_ms),
        });
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.ended |= self.current.take().is_some();
    }

    /// Whether a pause has ended since the last call: those who were held back may go on.
    #[inline]
    pub fn take_ended(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// What is paused at `now_ms`, and until when.
    pub fn at(&self, now_ms: i64) -> Option<(PauseKind, i64)> {
        self.current.filter(|(_, until_ms)| now_ms < *until_ms)
    }

    /// Whether a pause was started and not yet cleared.
    pub fn is_set(&self) -> bool {
        self.current.is_some()
    }

    /// When the pause that was started ends.
    pub fn end_ms(&self) -> Option<i64> {
        self.current.map(|(_, until_ms)| until_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_neither_shortened_nor_made_milder() {
        let mut pause = Pause::default();
        pause.start(PauseKind::All, 100);
        pause.start(PauseKind::Write, 50);
        assert_eq!(pause.at(99), Some((PauseKind::All, 100)));
        assert_eq!(pause.at(100), None);
        pause.stop();
        assert!(pause.take_ended() && !pause.take_ended());
    }
}
