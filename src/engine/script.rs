//! Running a script: its client is lent to it, its commands go through gates of their own, their replies to Lua, their
//! changes into one unit of the stream.
//!
//! What must hold while it runs: no other client's command but those that are allowed while a script is busy; time stands
//! still; what the script does to the client (SELECT, the protocol) ends with it.
//!
//! A script that runs longer than `busy-reply-threshold` is interrupted every now and then: the host takes a turn with the
//! other clients (`Host::serve_others`), and the engine answers them through its gates, where [`super::gates`] refuses
//! all but a few. The running client's own input stays where it is.

use super::call::Outcome;
use super::{Engine, Turn, gates};
use crate::command::host::{Engaged, Host};
use crate::command::row::{Row, flag};
use crate::command::table::CommandId;
use crate::command::{Error, Server};
use crate::resp::output::Output;
use crate::resp::request::{Argv, StoredArgv};
use crate::script::{
    Code, Door, Failure, Flavor, Manner, Refusal, Run, Running, Verdict, script_flag,
};
use crate::session::{Peer, hindrance};
use std::rc::Rc;

/// A buffer for replies to scripts larger than this is not kept for the next one.
const REPLY_KEPT_MAX_BYTES: usize = 64 << 10;
/// How often the others are served while a script is busy: after so many looks at the clock (each is 1,000 instructions), and
/// sooner if they take long.
const SERVE_INTERVAL_LOOKS: u32 = 100;
const SERVE_INTERVAL_NS: u64 = 1_000_000;

impl Engine {
    /// Runs the script of a command and answers its client; whether it failed.
    pub(super) fn run_script(&mut self, turn: &mut Turn<'_>, argv: Argv<'_>, run: &Run) -> Outcome {
        if !turn.session.is_nested() {
            self.make_room_for(turn);
        }
        if turn.session.is_scripted() {
            // Where commands that scripts may not call are allowed to them (DEBUG), this one is not.
            self.answer_error(turn, &Error::Text("ERR A script cannot run another script"));
            return Outcome::Failed;
        }
        if let Err(error) = self.may_run_script(run) {
            self.answer_error(turn, &error);
            return Outcome::Failed;
        }
        // A script that EXEC runs is part of EXEC's unit.
        let nested = turn.session.is_nested();
        let (db, protocol, since_ns) = (turn.session.db, turn.session.protocol, turn.since_ns);
        turn.session
            .hinder(hindrance::NESTED | hindrance::SCRIPTED, true);
        self.stream.begin_unit();
        let client_output = std::mem::replace(&mut turn.output, self.script_output.take());
        let mut door = ScriptDoor {
            began_ns: since_ns,
            frozen_ms: self.keyspace.now_ms(),
            has_written: false,
            looks: 0,
            served_ns: 0,
            code: Rc::clone(&run.code),
            read_only: run.read_only || run.code.is(script_flag::NO_WRITES),
            argv,
            engine: self,
            turn,
        };
        let result = run.execute(argv, &mut door);
        let has_written = |running: &Running| running.has_written;
        let is_cut = self
            .server
            .scripts
            .running
            .as_ref()
            .is_some_and(has_written);
        // One that the end of the server has cut short stays: what it has left is no state to be saved.
        if !(is_cut && turn.host.is_stopping()) {
            self.server.scripts.running = None;
        }
        let mut scratch = std::mem::replace(&mut turn.output, client_output);
        scratch.clear();
        if scratch.heap_bytes() <= REPLY_KEPT_MAX_BYTES {
            self.script_output.set(scratch);
        }
        self.stream.end_unit();
        turn.session.hinder(hindrance::SCRIPTED, false);
        turn.session.hinder(hindrance::NESTED, nested);
        (turn.session.db, turn.session.protocol, turn.since_ns) = (db, protocol, since_ns);
        match result {
            Ok(answer) => match answer.write(&mut turn.reply()) {
                Ok(()) => answer
                    .error()
                    .map_or(Outcome::Done, |failure| self.count_failure(&failure)),
                Err(failure) => self.answer_failure(turn, &failure),
            },
            Err(failure) => self.answer_failure(turn, &failure),
        }
    }

    fn answer_failure(&mut self, turn: &mut Turn<'_>, failure: &Failure) -> Outcome {
        turn.reply().error(&failure.line);
        self.count_failure(failure)
    }

    /// The error of a command was counted when that failed.
    fn count_failure(&mut self, failure: &Failure) -> Outcome {
        if !failure.is_counted {
            let code = failure.line.split(|byte| *byte == b' ').next();
            let code = String::from_utf8_lossy(code.unwrap_or_default()).into_owned();
            self.server.stats.count_error(&code);
        }
        Outcome::Failed
    }

    /// What a script's flags promise or ask for, checked before it runs.
    fn may_run_script(&self, run: &Run) -> Result<(), Error> {
        let Some(flags) = run.code.flags else {
            return Ok(());
        };
        let writes = flags & script_flag::NO_WRITES == 0;
        if writes && run.read_only {
            return Err(Error::Text(
                "ERR Can not execute a script with write flag using *_ro command.",
            ));
        }
        if writes {
            gates::check_disk(self)?;
        }
        if writes && flags & script_flag::ALLOW_OOM == 0 && self.memory_is_short {
            return Err(Error::Text(
                "OOM command not allowed when used memory > 'maxmemory'.",
            ));
        }
        Ok(())
    }
}

/// The engine and the client whose script runs, as the script reaches them.
struct ScriptDoor<'a, 'h> {
    engine: &'a mut Engine,
    turn: &'a mut Turn<'h>,
    code: Rc<Code>,
    argv: Argv<'a>,
    read_only: bool,
    has_written: bool,
    began_ns: u64,
    /// Looks at the clock since the others were served, and when that was.
    looks: u32,
    served_ns: u64,
    /// The time that the script sees, Unix milliseconds.
    frozen_ms: i64,
}

impl ScriptDoor<'_, '_> {
    /// The command, if it may be called.
    fn admit(&mut self, argv: Argv<'_>) -> Result<(CommandId, &'static Row), Refusal> {
        let unknown = || "ERR Unknown Redis command called from script".to_owned();
        let command = self.engine.look_up(argv).ok_or_else(unknown)?;
        let row = self.engine.server.table.entry(command).row;
        if !row.subcommands.is_empty() && argv.len() > 1 {
            return Err(unknown());
        }
        if let Err(refusal) = self.check(argv, row) {
            self.engine.server.stats.by_command[usize::from(command)].rejected += 1;
            return Err(refusal);
        }
        Ok((command, row))
    }

    /// The gates for commands of scripts.
    fn check(&mut self, argv: Argv<'_>, row: &'static Row) -> Result<(), Refusal> {
        if !row.accepts(argv.len()) || !row.subcommands.is_empty() {
            return Err("ERR Wrong number of args calling Redis command from script".to_owned());
        }
        if row.is(flag::NOSCRIPT) && !self.engine.server.debug.allow_denied_in_scripts {
            return Err("ERR This Redis command is not allowed from script".to_owned());
        }
        if self.read_only && row.is(flag::WRITE | flag::MAY_REPLICATE) {
            return Err("ERR Write commands are not allowed from read-only scripts.".to_owned());
        }
        if row.is(flag::WRITE) && !self.has_written {
            gates::check_disk(self.engine).map_err(|error| error.to_string())?;
        }
        if row.is(flag::DENYOOM) {
            self.check_memory()?;
        }
        if row.is(flag::PROTECTED) {
            gates::check(self.engine, self.turn, row).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// A script that has written may finish what it began. Others may not begin when memory is full.
    fn check_memory(&mut self) -> Result<(), Refusal> {
        if self.has_written || self.code.is(script_flag::ALLOW_OOM) {
            return Ok(());
        }
        if self.engine.memory_is_short {
            return Err("OOM command not allowed when used memory > 'maxmemory'.".to_owned());
        }
        Ok(())
    }

    /// Notes that the script is busy, so that others are told.
    fn begin_busy(&mut self, took_ms: u64) {
        let (flavor, name) = (self.code.flavor, self.code.name.clone());
        let command = match flavor {
            Flavor::Script => "SCRIPT KILL",
            Flavor::Function => "FUNCTION KILL",
        };
        tracing::warn!(
            "Slow script detected: still in execution after {took_ms} milliseconds. You can try killing the script using \
             the {command} command. Script name is: {name}."
        );
        self.engine.server.scripts.running = Some(Running {
            flavor,
            name,
            argv: StoredArgv::from_argv(self.argv),
            began_ns: self.began_ns,
            has_written: self.has_written,
            killed: false,
        });
    }
}

impl Door for ScriptDoor<'_, '_> {
    fn call(&mut self, argv: Argv<'_>, manner: Manner) -> Result<&Output, Refusal> {
        let (command, row) = self.admit(argv).inspect_err(|refusal| {
            let code = refusal.split(' ').next().unwrap_or_default();
            self.engine.server.stats.count_error(code);
        })?;
        self.has_written |= row.is(flag::WRITE);
        let turn = &mut *self.turn;
        turn.output.clear();
        turn.session.protocol = manner.protocol;
        turn.is_silent = !manner.propagates;
        self.engine.run(turn, argv, command, (0, 0));
        turn.is_silent = false;
        self.engine.count_run(turn, Some(command), 1);
        Ok(&turn.output)
    }

    fn look_at_clock(&mut self) -> Verdict {
        let threshold_ms = self.engine.server.config.settings.busy_reply_threshold_ms;
        let now_ns = self.engine.server.clock.monotonic_ns();
        let took_ms = now_ns.saturating_sub(self.began_ns) / 1_000_000;
        if threshold_ms == 0 || took_ms < threshold_ms {
            return Verdict::GoOn;
        }
        if self.engine.server.scripts.running.is_none() {
            self.begin_busy(took_ms);
        }
        if let Some(running) = &mut self.engine.server.scripts.running {
            running.has_written = self.has_written;
        }
        self.looks += 1;
        let is_recent = now_ns.saturating_sub(self.served_ns) < SERVE_INTERVAL_NS;
        if self.served_ns != 0 && self.looks < SERVE_INTERVAL_LOOKS && is_recent {
            return Verdict::GoOn;
        }
        (self.looks, self.served_ns) = (0, now_ns);
        // What the running batch has prepared is needed again when the script is over.
        let staged = std::mem::take(&mut self.engine.staged);
        let turn = &mut *self.turn;
        turn.host.serve_others(self.engine);
        self.engine.staged = staged;
        self.engine.keyspace.set_now_ms(self.frozen_ms);
        let running = self.engine.server.scripts.running.as_ref();
        if running.is_some_and(|running| running.killed) {
            return Verdict::Stop("Script killed by user with SCRIPT KILL...");
        }
        if turn.host.is_stopping() {
            return Verdict::Stop("Script killed by the end of the server.");
        }
        Verdict::GoOn
    }

    fn may_run(&mut self, argv: Argv<'_>) -> Option<bool> {
        let command = self.engine.look_up(argv)?;
        let row = self.engine.server.table.entry(command).row;
        row.subcommands.is_empty().then_some(true)
    }
}

impl Engaged for Engine {
    fn feed(&mut self, slot: usize, input: &[u8], host: &mut dyn Host) -> usize {
        Engine::feed(self, slot, input, host)
    }

    fn server(&mut self) -> &mut Server {
        &mut self.server
    }

    fn take_flush(&mut self, into: &mut Vec<usize>) {
        Engine::take_flush(self, into);
    }

    fn connect(&mut self, peer: Peer) -> Result<usize, &'static str> {
        Engine::connect(self, peer)
    }

    fn disconnect(&mut self, slot: usize) {
        Engine::disconnect(self, slot);
    }
}
