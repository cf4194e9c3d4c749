//! The append-only file from the loop's side: what the stream has is handed over once a turn, replies wait for it, and
//! rewrites begin and end here.
//!
//! ```text
//! commands of a turn --> stream --> log_changes --> disk        take_flush --> outputs, each as far as it may go
//!                                        '--- reports --> release: outputs that waited, clients in WAITAOF
//! ```

use super::Engine;
use crate::command::host::Host;
use crate::command::saving::{abort_save, begin_base, take_report};
use crate::persist::aof::{AofJob, AofReport, Names, Wish};
use crate::persist::save::head;
use crate::persist::writer::FileBytes;
use crate::persist::{Job, Report};
use crate::session::{Hold, Session};
use std::time::Duration;

impl Engine {
    /// Hands over what has changed since the last call, and does what commands have wished for. To be called at the end of a
    /// turn, before outputs are written.
    #[inline]
    pub fn log_changes(&mut self, host: &mut dyn Host) {
        if self.server.aof.wish.is_some() {
            self.grant_wish(host);
        }
        if self.server.backups.is_wanted() {
            self.back_up(host);
        }
        self.tell_acknowledged(host);
        if self.has_unlogged() {
            let (settings, clock) = (&self.server.config.settings, &self.server.clock);
            let now_ns = || clock.monotonic_ns();
            if self.server.aof.is_gathered(settings, now_ns) {
                self.append_changes(host);
            }
        }
    }

    /// Whether there are changes that could be handed over now: where they wait for more writers, the loop comes again soon.
    #[inline]
    pub fn has_unlogged(&self) -> bool {
        self.log_reader
            .is_some_and(|reader| self.stream.unread(reader) > 0)
            && self.server.aof.may_append()
    }

    /// Whether changes go to an append-only file.
    #[inline]
    pub fn logs(&self) -> bool {
        self.log_reader.is_some()
    }

    pub(super) fn append_changes(&mut self, host: &mut dyn Host) {
        let Some(reader) = self
            .log_reader
            .filter(|reader| self.stream.unread(*reader) > 0)
        else {
            return;
        };
        if self.server.debug.log_pause_us > 0 {
            host.sleep(Duration::from_micros(self.server.debug.log_pause_us));
        }
        let bytes = self.stream.read(reader);
        let now = (self.keyspace.now_ms(), self.server.clock.monotonic_ns());
        let end = self.stream.end();
        let is_saving = self.server.saver.is_running();
        let settings = &self.server.config.settings;
        let aof = &mut self.server.aof;
        let job = aof.append(bytes, end, settings, now, is_saving);
        host.disk(Job::Aof(job));
    }

    #[cold]
    fn grant_wish(&mut self, host: &mut dyn Host) {
        self.refresh_time();
        match self.server.aof.wish.take() {
            Some(Wish::Start) if !self.server.aof.is_enabled() => {
                let names = Names::of(&self.server.config.settings);
                self.server.aof.start(names);
                self.rewrite_log(host);
            }
            Some(Wish::Stop) => self.stop_log(host),
            Some(Wish::Rewrite) => self.rewrite_log(host),
            Some(Wish::Start) | None => {}
        }
    }

    /// Turns the append-only file off: what has changed until now is still in it.
    fn stop_log(&mut self, host: &mut dyn Host) {
        if !self.server.aof.is_enabled() {
            return;
        }
        if self.server.saver.is_rewriting() {
            tracing::info!("Killing AOF child: there is none, the rewrite is abandoned.");
            abort_save(&mut self.server.saver, &mut self.keyspace, host);
        }
        self.settle_log(host);
        self.append_changes(host);
        let close = self.server.aof.stop();
        host.disk(Job::Aof(close));
        self.close_log_reader();
        self.release_outputs();
        self.serve_durable(host);
    }

    /// Brings what is under way on disk to its end, so that memory knows which files there are.
    fn settle_log(&mut self, host: &mut dyn Host) {
        loop {
            let was_publishing = self.server.aof.is_publishing();
            for report in host.wait_disk(0) {
                self.on_disk_report(&report, host);
            }
            if was_publishing || !self.server.aof.is_publishing() {
                return;
            }
        }
    }

    fn close_log_reader(&mut self) {
        if let Some(reader) = self.log_reader.take() {
            self.stream.close(reader);
        }
    }

    /// Begins a rewrite, or puts it off while something else is being saved.
    pub(super) fn rewrite_log(&mut self, host: &mut dyn Host) {
        let is_busy = self.server.saver.is_running() || self.server.backups.is_running();
        // One whose base is there is a rewrite until its files count.
        if is_busy || self.server.aof.is_rewriting() || self.server.aof.is_opening() {
            if self.server.aof.is_starting() {
                tracing::info!(
                    "AOF was enabled but there is already another background operation. An AOF background was scheduled \
                     to start when possible."
                );
            }
            return self.server.aof.schedule_rewrite();
        }
        // Everything until now belongs to the increment before.
        self.append_changes(host);
        if self.server.aof.is_starting() {
            self.close_log_reader();
            self.log_reader = Some(self.open_stream());
        }
        self.stream.forget_selection();
        let (end, now_ms) = (self.stream.end(), self.keyspace.now_ms());
        let settings = &self.server.config.settings;
        let begin = self.server.aof.begin_rewrite(settings, end, now_ms);
        if let Some(job) = begin.job {
            host.disk(Job::Aof(job));
        }
        begin_base(&mut self.server, &mut self.keyspace, host, begin.base);
    }

    /// Timed duties: rewrites that are due, flushes, another attempt at a disk that refuses.
    pub(super) fn tend_log(&mut self, host: &mut dyn Host) {
        let now_ms = self.keyspace.now_ms();
        let server = &mut self.server;
        let is_saving = server.saver.is_running();
        let settings = &server.config.settings;
        if let Some(job) = server.aof.due(settings, now_ms, is_saving) {
            host.disk(Job::Aof(job));
        }
        if server.aof.is_starting() && !server.aof.is_rewriting() && self.log_reader.is_some() {
            // The attempt has failed: what changes until the next one will be in its base.
            self.close_log_reader();
            let close = self.server.aof.close();
            host.disk(Job::Aof(close));
        }
        let server = &mut self.server;
        let settings = &server.config.settings;
        let is_busy = is_saving || server.backups.is_running();
        if !is_busy && server.aof.must_rewrite(settings, now_ms) {
            self.rewrite_log(host);
        }
    }

    /// Takes what the helper threads report.
    pub fn on_disk_report(&mut self, report: &Report, host: &mut dyn Host) {
        self.refresh_time();
        take_report(&mut self.server, &mut self.keyspace, host, report);
        self.free_garbage(host);
        self.tell_acknowledged(host);
    }

    /// Goes on with what has waited for the disk.
    #[inline]
    fn tell_acknowledged(&mut self, host: &mut dyn Host) {
        if self.server.aof.take_news() {
            self.release_outputs();
            self.serve_durable(host);
        }
    }

    /// Lets outputs go that have waited for what is acknowledged now.
    fn release_outputs(&mut self) {
        let acknowledged = self.server.aof.acknowledged();
        let clients = &mut self.server.clients;
        self.held_slots.retain(|slot| {
            let Some(session) = clients.get_mut(*slot) else {
                return false;
            };
            let before = session.holds.len();
            session.holds.retain(|hold| hold.offset > acknowledged);
            let (held, is_free) = (session.holds.len(), session.holds.is_empty());
            if held < before {
                clients.queue_flush_of(*slot);
            }
            !is_free
        });
    }

    /// Runs the commands of clients again that wait until their changes are on the disk.
    fn serve_durable(&mut self, host: &mut dyn Host) {
        if self.server.aof.has_waiting() {
            for client in self.server.aof.take_waiting() {
                self.serve_waiter(client, host);
            }
        }
    }

    /// Makes what a client is answered wait until its changes are acknowledged. `from`: the first byte of it, counted from
    /// the connection's beginning.
    #[inline]
    pub(super) fn hold_output(&mut self, session: &mut Session, from: u64) {
        if session.wrote_until > self.server.aof.acknowledged() {
            self.hold(session, from);
        }
    }

    #[cold]
    fn hold(&mut self, session: &mut Session, from: u64) {
        let acknowledged = self.server.aof.acknowledged();
        session.holds.retain(|hold| hold.offset > acknowledged);
        if session.holds.is_empty() {
            self.held_slots.push(session.slot);
        }
        let offset = session.wrote_until;
        match session.holds.last_mut() {
            // What is not handed over yet comes with one append.
            Some(last) if last.offset > self.server.aof.handed() => last.offset = offset,
            Some(last) if last.offset == offset => {}
            _ => {
                self.server.aof.note_writer(offset);
                session.holds.push(Hold { from, offset });
            }
        }
    }

    /// The file of a data set without keys.
    pub(super) fn empty_base(&self) -> Vec<u8> {
        let author = crate::command::saving::author(&self.server.identity, 0, &[]);
        let edition = self.server.config.settings.rdb_version.edition();
        let mut file = Vec::new();
        let mut bytes = FileBytes::new(false, true);
        let now_ms = self.server.clock.unix_ms();
        let part = crate::keyspace::snapshot::Part::Encoded(head(author, now_ms, true));
        let mut write = |piece: &[u8]| {
            file.extend_from_slice(piece);
            Ok(())
        };
        let written = bytes
            .begin(edition.version(), &mut write)
            .and_then(|()| bytes.part(part, &mut write))
            .and_then(|()| bytes.end(&mut write));
        written.expect("memory takes every write");
        file
    }

    /// Has all changes on the disk, and ends reading the stream.
    pub(super) fn flush_log(&mut self, host: &mut dyn Host) {
        self.append_changes(host);
        for report in host.wait_disk(0) {
            self.on_disk_report(&report, host);
        }
        self.close_log_reader();
        self.keyspace.set_log_deletions(false);
    }

    /// The server ends: what has changed goes to the disk.
    pub fn finish_log(&mut self, host: &mut dyn Host) {
        if self.log_reader.is_none() {
            return;
        }
        tracing::info!("Calling fsync() on the AOF file.");
        self.append_changes(host);
        host.disk(Job::Aof(AofJob::Close));
        for report in host.wait_disk(0) {
            if let Report::Aof(AofReport::Failed { reason } | AofReport::SyncFailed { reason }) =
                report
            {
                tracing::error!("Fail to fsync the AOF file: {reason}.");
            }
        }
    }
}
