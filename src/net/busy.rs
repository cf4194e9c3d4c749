//! A turn in the middle of a command, or of the start: a script has run for long, or data is being loaded, and clients are
//! to learn that, and to be able to end it.
//!
//! The engine is lent by the running command (at the start there is none), whose client's socket is left alone: its
//! session is not among the others, and its input stays where it is. Of everyone else what has arrived is read, also what this turn of the loop has read
//! but not run; the engine refuses all but a few commands.

use super::PORTION_BYTES;
use super::connection::Transfer;
use super::host::ProcessHost;
use super::sockets::Sockets;
use crate::command::host::{AskError, Engaged, Host, Question, Usage};
use crate::config::settings::Settings;
use crate::keyspace::Garbage;
use crate::persist::{Job, Report};
use crate::session::Closing;
use mio::Events;
use std::io;
use std::ops::Range;
use std::time::Duration;

/// Events taken at once.
const EVENTS_MAX: usize = 128;

/// The process as a command sees it that runs in a turn of the loop: what it asks of the sockets is possible.
pub(super) struct HostInTurn<'a> {
    pub(super) host: &'a mut ProcessHost,
    pub(super) sockets: &'a mut Sockets,
    /// Where the input of the turn stands.
    pub(super) buffer: &'a [u8],
}

impl HostInTurn<'_> {
    fn feed(&mut self, slot: usize, input: &[u8], engine: &mut dyn Engaged) {
        // The host itself, without the sockets: there is no turn within this turn.
        let consumed = engine.feed(slot, input, self.host);
        if let Some(connection) = self.sockets.connection(slot) {
            connection.keep(input.get(consumed..).unwrap_or_default());
        }
    }

    /// Runs what was read of a client before the script began.
    fn run_portion(&mut self, slot: usize, portion: Range<usize>, engine: &mut dyn Engaged) {
        let full = portion.len() == PORTION_BYTES;
        let buffer = self.buffer;
        self.feed(slot, buffer.get(portion).unwrap_or_default(), engine);
        let Some(connection) = self.sockets.connection(slot) else {
            return;
        };
        connection.unread = full || connection.peer_closed;
        if connection.unread {
            self.sockets.queue(slot);
        }
    }

    /// Reads a client once.
    fn read(&mut self, slot: usize, engine: &mut dyn Engaged) {
        let is_running = engine.server().clients.get(slot).is_none();
        let Some(connection) = self.sockets.connection(slot) else {
            return;
        };
        connection.queued = false;
        if is_running {
            return self.sockets.queue(slot);
        }
        if !connection.kept.is_empty() {
            if connection.peer_closed {
                self.sockets.end(slot, engine);
            }
            return;
        }
        let mut room = [0; PORTION_BYTES];
        match connection.read(&mut room) {
            Transfer::Bytes(taken) => {
                connection.unread = taken == PORTION_BYTES || connection.peer_closed;
                let unread = connection.unread;
                self.feed(slot, room.get(..taken).unwrap_or_default(), engine);
                let closes = engine.server().clients.get(slot);
                if unread && closes.is_none_or(|session| session.closing == Closing::No) {
                    self.sockets.queue(slot);
                }
            }
            Transfer::Blocked => connection.unread = false,
            Transfer::Ended => self.sockets.end(slot, engine),
        }
    }
}

impl Host for HostInTurn<'_> {
    fn serve_others(&mut self, engine: &mut dyn Engaged) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        // What went wrong now shows in the next turn of the loop.
        let _ = self.sockets.poll.poll(&mut events, Some(Duration::ZERO));
        for event in &events {
            self.sockets.take_event(event, engine, self.host);
        }
        if !self.sockets.signalled.is_empty() {
            // The script is ended, and then the server.
            self.host.begin_stop();
        }
        while let Some((slot, portion)) = self.sockets.group.pop_front() {
            self.run_portion(slot, portion, engine);
        }
        let mut waiting: Vec<usize> = self.sockets.reading.drain(..).collect();
        waiting.append(&mut self.sockets.alone);
        waiting.append(&mut self.sockets.ready);
        for slot in waiting {
            self.read(slot, engine);
        }
        if self.host.stopping() {
            // Nobody gets to see a server that is about to end.
            return;
        }
        let now_ns = engine.server().clock.monotonic_ns();
        if self.host.listeners.has_pending() {
            self.sockets.accept(now_ns, engine, self.host);
        }
        self.sockets.flush(engine);
    }

    fn is_stopping(&self) -> bool {
        self.host.stopping()
    }

    fn listen(&mut self, settings: &Settings) -> Result<(), String> {
        self.host.listen(settings)
    }

    fn reserve_clients(&mut self, clients: u32) -> u32 {
        self.host.reserve_clients(clients)
    }

    fn sleep(&mut self, duration: Duration) {
        self.host.sleep(duration);
    }

    fn read_file(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.host.read_file(path)
    }

    fn replace_file(&mut self, path: &str, content: &[u8]) -> io::Result<()> {
        self.host.replace_file(path, content)
    }

    fn change_directory(&mut self, path: &str) -> io::Result<()> {
        self.host.change_directory(path)
    }

    fn configure_log(&mut self, settings: &Settings) -> Result<(), String> {
        self.host.configure_log(settings)
    }

    fn usage(&mut self) -> Usage {
        self.host.usage()
    }

    fn allocated_bytes(&self) -> u64 {
        self.host.allocated_bytes()
    }

    fn pending_frees(&self) -> usize {
        self.host.pending_frees()
    }

    fn free(&mut self, garbage: Garbage) {
        self.host.free(garbage);
    }

    fn prepare_memory(&mut self) {
        self.host.prepare_memory();
    }

    fn ask(&mut self, question: &Question<'_>) -> Result<Vec<u8>, AskError> {
        self.host.ask(question)
    }

    fn disk(&mut self, job: Job) {
        self.host.disk(job);
    }

    fn disk_queue_bytes(&self) -> usize {
        self.host.disk_queue_bytes()
    }

    fn wait_disk(&mut self, bytes_max: usize) -> Vec<Report> {
        self.host.wait_disk(bytes_max)
    }

    fn open_file(&mut self, path: &str) -> io::Result<(Box<dyn io::Read>, u64)> {
        self.host.open_file(path)
    }

    fn list_folder(&mut self, path: &str) -> io::Result<Vec<String>> {
        self.host.list_folder(path)
    }

    fn stop(&mut self) {
        self.host.stop();
    }
}
