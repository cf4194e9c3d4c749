//! Backups from the loop's side: one that is wanted begins between two turns, when nothing else is being saved.

use super::Engine;
use crate::command::backup::{begin, must_wait, notice_abandoned};
use crate::command::host::Host;

impl Engine {
    /// Begins a backup that is wanted, if it may begin.
    #[cold]
    pub(super) fn back_up(&mut self, host: &mut dyn Host) {
        self.refresh_time();
        if must_wait(&self.server) {
            return;
        }
        // Everything until now belongs to the increment before, and the new one is read on its own.
        self.append_changes(host);
        self.stream.forget_selection();
        begin(&mut self.server, &mut self.keyspace, host);
    }

    /// Timed duties: one that was put off, one that was given up.
    pub(super) fn tend_backup(&mut self, host: &mut dyn Host) {
        notice_abandoned(&mut self.server, self.keyspace.now_ms());
        if self.server.backups.is_wanted() {
            self.back_up(host);
        }
    }
}
