//! Clients that wait: served when a key changes, answered when their time is up, let go when a pause ends.

use super::call::mute;
use super::{Engine, Turn};
use crate::command::Error;
use crate::command::host::Host;
use crate::keyspace::db::Database;
use crate::keyspace::waiters::Place;
use crate::session::{Blocked, Closing, ReplyMode, Session, hindrance};

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
            if let Some((place, waiters)) = self.keyspace.waiters.next_ready() {
                self.serve_key(&place, waiters, host);
            }
        }
    }

    /// Serves those who wait for a changed key, as long as there is for them what they wait for. `waiters`: so many of
    /// the queue; who comes to it meanwhile has its turn at the next change.
    fn serve_key(&mut self, place: &Place, waiters: usize, host: &mut dyn Host) {
        let (mut from, mut left) = (0, waiters);
        while left > 0 {
            let (db, name) = place;
            let key = self.keyspace.key(name);
            let found = Database::new(&mut self.keyspace, *db, false)
                .peek(&key)
                .map(|record| record.type_of());
            let Some((at, id)) = self.keyspace.waiters.next_waiter(place, from, found) else {
                return;
            };
            left = left.saturating_sub(at - from + 1);
            self.serve_waiter(id, host);
            let waits_on = self.keyspace.waiters.is_waiting(id, place);
            from = at + usize::from(waits_on);
        }
    }

    /// Marks the transactions of clients that watch a changed key.
    pub(super) fn spoil_watchers(&mut self) {
        while let Some(id) = self.keyspace.waiters.next_spoilt() {
            let clients = &mut self.server.clients;
            let Some(slot) = clients.slot_of(id) else {
                continue;
            };
            match clients.get_mut(slot) {
                Some(session) => spoil(session),
                None => self.spoilt_while_lent = true,
            }
        }
    }

    /// The same for what a running command has changed; `turn` is that command's.
    #[cold]
    pub(super) fn serve_after(&mut self, turn: &mut Turn<'_>) {
        self.serve_ready(turn.host);
        // Of all clients only this one is lent while others are served.
        if std::mem::take(&mut self.spoilt_while_lent) {
            spoil(&mut turn.session);
        }
    }

    /// Runs a waiting client's command again; it may have to go on waiting.
    pub(super) fn serve_waiter(&mut self, id: u64, host: &mut dyn Host) {
        self.end_wait(id, host, |engine, turn, blocked| {
            let argv = blocked.argv.argv();
            if let Some(command) = engine.look_up(argv) {
                turn.session.hinder(hindrance::SERVED, true);
                engine.run(turn, argv, command, (0, 0));
                turn.session.hinder(hindrance::SERVED, false);
                engine.count_run(turn, Some(command), turn.session.blocked.is_none().into());
            }
        });
    }

    /// CLIENT UNBLOCK: a client that waits is answered the error, or what its deadline would have brought.
    pub(super) fn unblock(&mut self, id: u64, error: Option<Error>, host: &mut dyn Host) {
        self.end_wait(id, host, |engine, turn, blocked| {
            let command = engine.look_up(blocked.argv.argv());
            match (&error, command) {
                (Some(error), Some(command)) => {
                    let mark = turn.output.mark();
                    engine.fail(turn, command, mark, error.clone());
                }
                (Some(error), None) => engine.answer_error(turn, error),
                (None, _) => (blocked.on_timeout)(&mut turn.reply()),
            }
            turn.session.commands += 1;
            engine.count_run(turn, command, 1);
        });
    }

    /// A client that waits is answered by `answer`, unless that makes it go on waiting: then its old deadline stands.
    fn end_wait(
        &mut self,
        id: u64,
        host: &mut dyn Host,
        answer: impl FnOnce(&mut Self, &mut Turn<'_>, &Blocked),
    ) {
        let clients = &mut self.server.clients;
        let slot = clients.slot_of(id).filter(|slot| {
            clients
                .get(*slot)
                .is_some_and(|s| s.blocked.is_some() && s.closing == Closing::No)
        });
        let Some(session) = slot.and_then(|slot| clients.lend(slot)) else {
            return;
        };
        let mut turn = self.begin_turn(session, host);
        if let Some(blocked) = turn.session.blocked.take() {
            self.server.clients.count_blocked(false);
            let mark = turn.output.mark();
            answer(self, &mut turn, &blocked);
            match &mut turn.session.blocked {
                Some(again) => {
                    self.clear_alarm(&blocked, id);
                    self.clear_alarm(again, id);
                    again.deadline_ms = blocked.deadline_ms;
                    self.set_alarm(again, id);
                }
                None => self.let_go(&mut turn, &blocked),
            }
            if turn.session.reply_mode != ReplyMode::On {
                mute(&mut turn, mark);
            }
        }
        self.end_turn(turn);
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, blocked: &Blocked) {
        self.keyspace.waiters.stop_waiting(turn.session.id);
        self.clear_alarm(blocked, turn.session.id);
        self.server.clients.queue_resume(turn.session.slot);
    }

    /// Has [`Self::time_out_blocked`] look at the client when its time has come.
    pub(super) fn set_alarm(&mut self, blocked: &Blocked, client: u64) {
        if let Some(alarm_ms) = blocked.alarm_ms() {
            self.timeouts.insert((alarm_ms, client));
        }
    }

    fn clear_alarm(&mut self, blocked: &Blocked, client: u64) {
        if let Some(alarm_ms) = blocked.alarm_ms() {
            self.timeouts.remove(&(alarm_ms, client));
        }
    }

    /// Answers blocked clients whose time is up, and runs the commands of those again who asked for that.
    pub(super) fn time_out_blocked(&mut self, host: &mut dyn Host) {
        let now_ms = self.keyspace.now_ms();
        while let Some((alarm_ms, id)) = self.timeouts.first().copied() {
            if alarm_ms > now_ms {
                return;
            }
            self.timeouts.pop_first();
            if self.is_only_to_run_again(id, now_ms) {
                self.serve_waiter(id, host);
            } else {
                self.unblock(id, None, host);
            }
        }
    }

    /// Whether the client's deadline is still to come.
    fn is_only_to_run_again(&self, id: u64, now_ms: i64) -> bool {
        let clients = &self.server.clients;
        let session = clients.slot_of(id).and_then(|slot| clients.get(slot));
        let blocked = session.and_then(|session| session.blocked.as_ref());
        blocked.is_some_and(|blocked| blocked.deadline_ms.is_none_or(|ms| ms > now_ms))
    }

    /// If a pause has ended: lets clients go on whose command it held back.
    #[inline]
    pub(super) fn end_pause(&mut self) {
        if self.server.pause.take_ended() {
            self.server.clients.resume_postponed();
        }
    }

    /// Runs the command that a pause held back.
    pub(super) fn run_postponed(&mut self, turn: &mut Turn<'_>) {
        if let Some(postponed) = turn.session.postponed.take() {
            self.server.clients.count_blocked(false);
            self.run_alone(turn, postponed.argv());
        }
    }
}

/// The client's transaction must not run any more.
pub(super) fn spoil(session: &mut Session) {
    if let Some(transaction) = &mut session.transaction {
        transaction.spoilt = true;
    }
}
