//! One command: refused, queued, held back, or run; its reply, its errors and its propagation.

use super::serve::spoil;
use super::{Engine, Staged, Turn, gates};
use crate::command::args::Args;
use crate::command::ctx::Ctx;
use crate::command::error::{SHOWN_MAX, shown};
use crate::command::propagate::Propagate;
use crate::command::row::{Group, Row, flag};
use crate::command::table::CommandId;
use crate::command::{Block, Error, Flow};
use crate::keyspace::db::Database;
use crate::keyspace::waiters::Wish;
use crate::resp::output::Mark;
use crate::resp::reply::Reply;
use crate::resp::request::{Argv, Batch, StoredArgv, is_http};
use crate::session::transaction::Transaction;
use crate::session::{Blocked, Closing, ReplyMode, hindrance};

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is answered.
    Done,
    /// It is answered with its error.
    Failed,
}

impl Engine {
    /// Answers one command; whether it ran (it may have been refused, queued or held back).
    #[inline]
    pub(super) fn execute(&mut self, turn: &mut Turn<'_>, argv: Argv<'_>, staged: Staged) -> bool {
        let mark = turn.output.mark();
        let ran = match self.admit(turn, argv, staged.command) {
            Ok(Some(command)) => {
                self.run(turn, argv, command, staged.key);
                true
            }
            Ok(None) => false,
            Err(error) => {
                self.refuse(turn, staged.command, &error);
                false
            }
        };
        if turn.session.reply_mode != ReplyMode::On && !self.answers_with_pushes(staged.command) {
            mute(turn, mark);
        }
        if ran
            && self.keyspace.waiters.has_ready()
            && !turn.session.is_nested()
            && self.server.scripts.running.is_none()
            && self.server.loading.is_none()
        {
            self.serve_after(turn);
        }
        if self.server.outbox.has_held() && !turn.session.is_nested() {
            self.release_held(turn);
        }
        ran
    }

    /// The command, if it may run now; `None`: it was queued or held back.
    #[inline]
    fn admit(
        &mut self,
        turn: &mut Turn<'_>,
        argv: Argv<'_>,
        command: Option<CommandId>,
    ) -> Result<Option<CommandId>, Error> {
        let Some(command) = command else {
            return Err(self.unknown(turn, argv));
        };
        let row = self.server.table.entry(command).row;
        if !row.subcommands.is_empty() && argv.len() > 1 {
            return Err(unknown_subcommand(row, argv));
        }
        if !row.accepts(argv.len()) {
            return Err(Error::Arity(row.full_name.to_owned()));
        }
        if turn.session.is_nested() {
            // It passed the gates when it was queued, and EXEC did when it came.
            return Ok(Some(command));
        }
        let hindered = turn.session.hindrances != 0
            || self.server.pause.is_set()
            || self.server.scripts.running.is_some()
            || self.server.loading.is_some()
            || self
                .server
                .saver
                .refuses_writes(&self.server.config.settings)
            || self.server.aof.refusal().is_some()
            || row.is(flag::PROTECTED)
            || (self.server.config.settings.maxmemory > 0 && row.is(flag::DENYOOM));
        if hindered && !self.pass(turn, argv, row)? {
            return Ok(None);
        }
        Ok(Some(command))
    }

    /// The slow path of [`Self::admit`]: gates, pause, and the queue of MULTI. Whether the command runs now.
    #[cold]
    fn pass(
        &mut self,
        turn: &mut Turn<'_>,
        argv: Argv<'_>,
        row: &'static Row,
    ) -> Result<bool, Error> {
        if row.is(flag::DENYOOM) || row.full_name == "exec" {
            self.make_room_for(turn);
        }
        let admitted = gates::check(self, turn, row);
        if admitted.is_ok() && gates::is_paused(self, turn, argv, row) {
            // It comes here again when the pause is over: CLIENT CACHING waits with it.
            turn.session.last_command = row.full_name;
            self.server.clients.postpone(&mut turn.session, argv);
            return Ok(false);
        }
        if turn.session.is_caching() {
            end_caching(turn, row);
        }
        admitted?;
        turn.session.last_command = row.full_name;
        if turn.session.in_transaction() && !row.is(flag::IN_MULTI) {
            let writes = gates::may_write(self, argv, row);
            self.queue(turn, argv, row, writes);
            turn.session.commands += 1;
            turn.reply().simple("QUEUED");
            return Ok(false);
        }
        Ok(true)
    }

    fn unknown(&self, turn: &mut Turn<'_>, argv: Argv<'_>) -> Error {
        if is_http(argv) {
            tracing::warn!(
                "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. \
                 This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis \
                 instance. Connection from {} aborted.",
                turn.session.peer.address
            );
            turn.session.closing = Closing::Now;
        }
        let mut args = String::new();
        for word in argv.iter().skip(1) {
            if args.len() >= SHOWN_MAX {
                break;
            }
            args.push_str(&format!("'{}' ", shown(word, SHOWN_MAX - args.len())));
        }
        Error::UnknownCommand {
            name: shown(argv.word(0), SHOWN_MAX),
            args,
        }
    }

    fn refuse(&mut self, turn: &mut Turn<'_>, command: Option<CommandId>, error: &Error) {
        if let Some(command) = command {
            self.server.stats.by_command[usize::from(command)].rejected += 1;
        }
        if command.is_some_and(|id| self.server.table.entry(id).row.full_name == "exec") {
            return self.abort_exec(turn, error);
        }
        if let Some(transaction) = turn
            .session
            .transaction
            .as_mut()
            .filter(|_| turn.session.hindrances & hindrance::IN_TRANSACTION != 0)
        {
            transaction.refused = true;
        }
        self.answer_error(turn, error);
    }

    /// An EXEC that is refused ends its transaction.
    fn abort_exec(&mut self, turn: &mut Turn<'_>, error: &Error) {
        self.keyspace.waiters.unwatch(turn.session.id);
        turn.session.transaction = None;
        turn.session.hinder(hindrance::IN_TRANSACTION, false);
        let text = error.to_string();
        let reason = text.strip_prefix("ERR ").unwrap_or(&text);
        let error = Error::Message(format!(
            "EXECABORT Transaction discarded because of: {reason}"
        ));
        self.answer_error(turn, &error);
    }

    pub(super) fn answer_error(&mut self, turn: &mut Turn<'_>, error: &Error) {
        self.server.stats.count_error(&error.code());
        turn.reply().error(error.line());
    }

    /// Runs a command that was admitted: handler, reply, propagation, what follows for others.
    #[inline]
    pub(super) fn run(
        &mut self,
        turn: &mut Turn<'_>,
        argv: Argv<'_>,
        command: CommandId,
        key: (usize, u64),
    ) {
        let entry = self.server.table.entry(command);
        let row = entry.row;
        if !turn.session.is_nested() {
            turn.session.last_command = row.full_name;
        }
        let mark = turn.output.mark();
        let dirty = self.keyspace.dirty();
        let db = turn.session.db;
        let mut propagate = if self.stream.has_readers() {
            Propagate::default()
        } else {
            Propagate::ignored()
        };
        let skip = if entry.top { 1 } else { 2 };
        let mut args = Args::new(argv, skip, self.keyspace.hasher(), key);
        let mut ctx = Ctx {
            db: Database::new(&mut self.keyspace, db, !turn.session.no_touch),
            reply: Reply::new(&mut turn.output, turn.session.protocol),
            client: &mut turn.session,
            server: &mut self.server,
            host: turn.host,
            propagate: &mut propagate,
            row,
        };
        let result = (row.handler)(&mut ctx, &mut args);
        // A command that waits is counted when it is answered.
        let waits = matches!(result, Ok(Flow::Block(_) | Flow::Await(_)));
        turn.session.commands += u64::from(!turn.session.is_nested() && !waits);
        if self.keyspace.has_news() {
            self.tell_news(Some(turn.session.id));
        }
        if self.keyspace.waiters.has_ready() {
            // The client itself is lent: its own changes spoil its own transaction too.
            if self.keyspace.waiters.take_spoilt(turn.session.id) {
                spoil(&mut turn.session);
            }
            self.spoil_watchers();
        }
        let runs_script = row.group == Group::Scripting && row.is(flag::SKIP_MONITOR);
        if runs_script && !self.server.monitors.is_empty() {
            // A script stands before what it does.
            self.show(turn, argv, row, db);
        }
        let is_unit = match result {
            Ok(Flow::Done) => false,
            Ok(flow) => self.follow(turn, argv, command, flow),
            Err(error) => self.fail(turn, command, mark, error),
        };
        // A script reads nothing itself; what its commands read is remembered as they run.
        let reads = row.is(flag::READONLY) && !runs_script;
        if turn.session.remembers_reads && reads {
            self.remember_reads(turn, argv, command, key);
        }
        if !self.server.monitors.is_empty() && !row.is(flag::SKIP_MONITOR | flag::ADMIN) {
            // SELECT shows where it has led.
            self.show(turn, argv, row, turn.session.db);
        }
        if self.server.outbox.has_sends() {
            self.carry_out();
        }
        let changed = self.keyspace.dirty() != dirty;
        if changed && self.stream.has_readers() && !turn.is_silent {
            if !is_unit {
                self.stream.append(db, argv, propagate);
            }
            turn.session.wrote_until = self.stream.end();
        }
        if self.keyspace.has_garbage() {
            self.keyspace
                .take_garbage()
                .into_iter()
                .for_each(|garbage| turn.host.free(garbage));
        }
    }

    /// What a handler wants to happen after it; whether it was a unit of other commands, whose changes stand in the stream
    /// already.
    #[cold]
    fn follow(
        &mut self,
        turn: &mut Turn<'_>,
        argv: Argv<'_>,
        command: CommandId,
        flow: Flow,
    ) -> bool {
        let is_unit = matches!(
            flow,
            Flow::RunQueued | Flow::RunScript(_) | Flow::LoadLog | Flow::Reload(_)
        );
        match flow {
            Flow::Done => {}
            Flow::Close => turn.session.closing = Closing::AfterReply,
            Flow::Block(block) => self.block(turn, block, argv, None),
            Flow::Await(wait) => self.block(turn, wait.block, wait.words.argv(), wait.again_ms),
            Flow::RunQueued => self.run_queued(turn),
            Flow::RunScript(run) => {
                if self.run_script(turn, argv, &run) == Outcome::Failed {
                    self.server.stats.by_command[usize::from(command)].failed += 1;
                }
            }
            Flow::LoadLog => self.reload_log(turn),
            Flow::Reload(how) => self.reload(turn, how),
            Flow::Unblock { client, error } => self.unblock(client, error, turn.host),
        }
        is_unit
    }

    /// A handler failed: its reply is cut back to the error.
    #[cold]
    pub(super) fn fail(
        &mut self,
        turn: &mut Turn<'_>,
        command: CommandId,
        mark: Mark,
        error: Error,
    ) -> bool {
        turn.output.truncate(mark);
        self.server.stats.by_command[usize::from(command)].failed += 1;
        self.answer_error(turn, &error);
        false
    }

    /// The client waits; `argv`: what is run again.
    fn block(&mut self, turn: &mut Turn<'_>, block: Block, argv: Argv<'_>, again_ms: Option<i64>) {
        if turn.session.is_nested() {
            return (block.on_timeout)(&mut turn.reply());
        }
        let id = turn.session.id;
        let wish = Wish {
            awaits: block.awaits,
            on_loss: block.on_loss,
        };
        for key in &block.keys {
            self.keyspace.waiters.wait(id, turn.session.db, key, wish);
        }
        let blocked = Blocked {
            argv: StoredArgv::from_argv(argv),
            deadline_ms: block.deadline_ms,
            again_ms,
            on_timeout: block.on_timeout,
        };
        self.set_alarm(&blocked, id);
        self.server.clients.count_blocked(true);
        turn.session.blocked = Some(Box::new(blocked));
    }

    /// EXEC: the queued commands as one unit, in the reply and in the stream.
    fn run_queued(&mut self, turn: &mut Turn<'_>) {
        let Some(transaction) = turn.session.transaction.take() else {
            return;
        };
        turn.session.hinder(hindrance::IN_TRANSACTION, false);
        turn.reply().array(transaction.len());
        turn.session.hinder(hindrance::NESTED, true);
        self.stream.begin_unit();
        let began_ns = turn.since_ns;
        // What the running batch has prepared is needed again when EXEC is over.
        std::mem::swap(&mut self.staged, &mut self.staged_within);
        for batch in transaction.into_batches() {
            self.run_all(turn, &batch);
            self.spare_batches.put(batch);
        }
        std::mem::swap(&mut self.staged, &mut self.staged_within);
        // EXEC's own time holds that of its commands.
        turn.since_ns = began_ns;
        self.stream.end_unit();
        turn.session.hinder(hindrance::NESTED, false);
        if turn.session.is_caching() {
            // It was for this transaction, whether it was said before MULTI or inside.
            turn.session.set_caching(false);
        }
    }

    /// Runs every command of a queue's batch, whatever comes of those before.
    fn run_all(&mut self, turn: &mut Turn<'_>, batch: &Batch) {
        self.stage(turn.session.db, false, batch, &[]);
        let (mut run, mut calls) = (None, 0);
        for index in 0..batch.len() {
            let staged = self.staged[index];
            if staged.command != run {
                self.count_run(turn, run, calls);
                (run, calls) = (staged.command, 0);
            }
            calls += u64::from(self.execute(turn, batch.argv(index, &[]), staged));
        }
        self.count_run(turn, run, calls);
    }

    /// Adds a command to the client's transaction.
    pub(super) fn queue(
        &mut self,
        turn: &mut Turn<'_>,
        argv: Argv<'_>,
        row: &'static Row,
        writes: bool,
    ) {
        let transaction = turn
            .session
            .transaction
            .get_or_insert_with(|| Box::new(Transaction::default()));
        transaction.writes |= writes;
        transaction.uses_memory |= row.is(flag::DENYOOM);
        transaction.needs_data |= !row.is(flag::LOADING);
        transaction.push(argv, || self.spare_batches.take());
    }

    /// Looks up and answers one command that no batch has prepared.
    pub(super) fn run_alone(&mut self, turn: &mut Turn<'_>, argv: Argv<'_>) {
        let command = self.look_up(argv);
        if self.execute(
            turn,
            argv,
            Staged {
                command,
                key: (0, 0),
            },
        ) {
            self.count_run(turn, command, turn.session.blocked.is_none().into());
        }
    }
}

fn unknown_subcommand(row: &'static Row, argv: Argv<'_>) -> Error {
    let name = argv
        .get(1)
        .map(|sub| shown(sub, SHOWN_MAX))
        .unwrap_or_default();
    Error::UnknownSubcommand {
        name,
        container: row.full_name.to_uppercase(),
    }
}

/// CLIENT CACHING holds for one command, or one whole transaction; the one after that ends it.
#[cold]
fn end_caching(turn: &mut Turn<'_>, row: &'static Row) {
    let session = &mut turn.session;
    if session.in_transaction() || session.is_nested() {
        return;
    }
    if session.caching_used {
        session.set_caching(false);
    } else if !row.full_name.starts_with("client|") {
        session.caching_used = true;
    }
}

/// CLIENT REPLY OFF and SKIP: the reply of the command that just ended is taken back. One that waits has not ended; the
/// commands of EXEC and of scripts answer those, not the client.
#[cold]
pub(super) fn mute(turn: &mut Turn<'_>, mark: Mark) {
    if turn.session.is_nested() || turn.session.is_waiting() {
        return;
    }
    turn.output.truncate(mark);
    turn.session.reply_mode = match turn.session.reply_mode {
        ReplyMode::Skip => ReplyMode::Skipping,
        ReplyMode::Skipping => ReplyMode::On,
        mode => mode,
    };
}
