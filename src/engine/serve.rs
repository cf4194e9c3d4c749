//! Clients that wait: served when a key changes, answered when their time is up, let go when a pause ends.

use super::{Engine, Staged, Turn};
use crate::command::host::Host;
use crate::session::{Blocked, Session};

/// Rounds of "a served client's command changes a key that others wait for" in one go.
const CHAIN_MAX: usize = 10_000;

impl Engine {
    /// Runs the commands of clients whose keys have changed, first come first served; and marks transactions whose
    /// watched keys have changed.
    pub(super) fn serve_ready(&mut self, host: &mut dyn Host) {
        for _ in 0..CHAIN_MAX {
            if !self.keyspace.waiters.has_ready() {
                return;
            }
            self.spoil_watchers();
            let Some((_, waiters)) = self.keyspace.waiters.next_ready() else {
                continue;
            };
            for id in waiters {
                self.serve_waiter(id, host);
            }
        }
    }

    /// Marks the transactions of clients that watch a changed key.
    pub(super) fn spoil_watchers(&mut self) {
        while let Some(id) = self.keyspace.waiters.next_spoilt() {
            let clients = &mut self.server.clients;
            if let Some(session) = clients.slot_of(id).and_then(|slot| clients.get_mut(slot)) {
                spoil(session);
            }
        }
    }

    /// Runs a waiting client's command again; it may have to go on waiting.
    fn serve_waiter(&mut self, id: u64, host: &mut dyn Host) {
        let clients = &mut self.server.clients;
        let Some(session) = clients.slot_of(id).and_then(|slot| clients.lend(slot)) else {
            return;
        };
        let mut turn = self.begin_turn(session, host);
        if let Some(blocked) = turn.session.blocked.take() {
            self.server.clients.count_blocked(false);
            let argv = blocked.argv.argv();
            let command = self.look_up(argv);
            if let Some(command) = command {
                let since = self.server.clock.monotonic_ns();
                self.run(&mut turn, argv, command, (0, 0));
                self.count_run(Some(command), 1, since);
            }
            match &mut turn.session.blocked {
                Some(again) => again.deadline_ms = blocked.deadline_ms,
                None => self.let_go(&mut turn, &blocked),
            }
        }
        self.end_turn(turn);
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, blocked: &Blocked) {
        self.keyspace.waiters.stop_waiting(turn.session.id);
        if let Some(deadline_ms) = blocked.deadline_ms {
            self.timeouts.remove(&(deadline_ms, turn.session.id));
        }
        self.server.clients.queue_resume(turn.session.slot);
    }

    /// Answers blocked clients whose time is up.
    pub(super) fn time_out_blocked(&mut self, host: &mut dyn Host) {
        while let Some((deadline_ms, id)) = self.timeouts.first().copied() {
            if deadline_ms > self.keyspace.now_ms() {
                return;
            }
            self.timeouts.pop_first();
            let clients = &mut self.server.clients;
            let Some(session) = clients.slot_of(id).and_then(|slot| clients.lend(slot)) else {
                continue;
            };
            let mut turn = self.begin_turn(session, host);
            if let Some(blocked) = turn.session.blocked.take() {
                self.server.clients.count_blocked(false);
                (blocked.on_timeout)(&mut turn.reply());
                self.let_go(&mut turn, &blocked);
            }
            self.end_turn(turn);
        }
    }

    /// Lets clients go on whose command CLIENT PAUSE held back, if the pause has ended.
    pub(super) fn end_pause(&mut self) {
        let clients = &mut self.server.clients;
        let held: Vec<usize> = clients
            .iter()
            .filter(|s| s.postponed.is_some())
            .map(|s| s.slot)
            .collect();
        held.into_iter().for_each(|slot| clients.queue_resume(slot));
    }

    /// Runs the command that a pause held back.
    pub(super) fn run_postponed(&mut self, turn: &mut Turn<'_>) {
        if let Some(postponed) = turn.session.postponed.take() {
            self.server.clients.count_blocked(false);
            let argv = postponed.argv();
            let command = self.look_up(argv);
            let since = self.server.clock.monotonic_ns();
            if self.execute(
                turn,
                argv,
                Staged {
                    command,
                    key: (0, 0),
                },
            ) {
                self.count_run(command, 1, since);
            }
        }
    }
}

/// The client's transaction must not run any more.
pub(super) fn spoil(session: &mut Session) {
    if let Some(transaction) = &mut session.transaction {
        transaction.spoilt = true;
    }
}
