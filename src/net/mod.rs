//! The reactor: one loop that owns every socket and drives the engine. It knows no command names.
//!
//! One turn: wait for events or the next deadline; read what has arrived and run it; write every client's replies once;
//! timed duties; clients whose waiting has ended, and what they are answered; close who is to be closed; then take new
//! clients in.
//!
//! Events are edge-triggered, and each is used up when it is seen. So whoever may still have something to be read stands
//! in `ready`, and the next turn does not wait: a connection that used up its budget, a client that was held back and
//! goes on. A read that does not fill the buffer has emptied the socket, unless the peer has closed its side.
//!
//! Bounds of one turn: [`READ_BUDGET_BYTES`] and [`WRITE_BUDGET_BYTES`] a connection, `max-new-connections-per-cycle`
//! connections a listener.

mod accept;
mod ask;
mod busy;
mod connection;
mod disk;
mod freer;
mod host;
mod listener;
mod log_disk;
mod process;
mod sockets;
pub mod start;
#[cfg(test)]
mod tests;

use crate::engine::Engine;
use crate::session::Closing;
use busy::HostInTurn;
use connection::Transfer;
use host::ProcessHost;
use mio::{Events, Poll};
use signal_hook::consts::SIGINT;
use signal_hook_mio::v1_0::Signals;
use sockets::Sockets;
use std::io;
use std::ops::Range;
use std::time::Duration;

/// Bytes read from one connection in one turn.
const READ_BUDGET_BYTES: usize = 256 << 10;
/// Bytes after which one connection's writing goes on in the next turn.
const WRITE_BUDGET_BYTES: usize = 1 << 20;
/// Bytes of one read of a connection that is read on its own.
const READ_BUFFER_BYTES: usize = 64 << 10;
/// Connections that are read before any of their commands runs.
const GROUP_MAX: usize = 16;
/// Bytes of one read of a connection in a group, enough for a value of 16 KiB; all of them fit the one buffer.
const PORTION_BYTES: usize = 24 << 10;
/// A group ends when it has read so much: more would not stay in the processor's caches.
const GROUP_BYTES: usize = 8 << 10;
/// Events taken at once.
const EVENTS_MAX: usize = 1024;

/// See the head of the file.
struct Reactor {
    engine: Engine,
    host: ProcessHost,
    sockets: Sockets,
    /// What is read stands here while it runs.
    buffer: Box<[u8]>,
    /// Milliseconds until the engine's next duty.
    wait_ms: u64,
}

impl Reactor {
    fn new(engine: Engine, host: ProcessHost, poll: Poll, signals: Signals) -> Self {
        Self {
            engine,
            host,
            sockets: Sockets::new(poll, signals),
            buffer: vec![0; GROUP_MAX * PORTION_BYTES].into_boxed_slice(),
            wait_ms: 0,
        }
    }

    /// Builds the data of before. Clients can come already, and are told to be patient.
    ///
    /// # Errors
    /// Why not. If the server is told to end meanwhile, that is none.
    fn load(&mut self) -> Result<(), String> {
        let mut host = HostInTurn {
            host: &mut self.host,
            sockets: &mut self.sockets,
            buffer: &self.buffer,
        };
        self.engine.load_data(&mut host)
    }

    /// Serves until the server is to stop.
    ///
    /// # Errors
    /// What the system says to waiting for events.
    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.host.stopping() {
            match self.sockets.poll.poll(&mut events, Some(self.wait())) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            self.turn(&events);
        }
        // A signal that came in the middle of a command has stopped the loop, but there may be something to be saved.
        self.follow_signals();
        Ok(())
    }

    /// How long the next turn may wait for events.
    fn wait(&self) -> Duration {
        let busy = !self.sockets.ready.is_empty()
            || !self.sockets.unfinished.is_empty()
            || self.engine.server.clients.has_resume()
            || (self.host.listeners.has_pending() && self.sockets.accept_from_ns == 0);
        let wait_ms = match self.engine.has_unlogged() {
            true => self.wait_ms.min(1),
            false => self.wait_ms,
        };
        Duration::from_millis(if busy { 0 } else { wait_ms })
    }

    fn turn(&mut self, events: &Events) {
        let began = self.engine.server.clock.monotonic_ns();
        for event in events {
            self.sockets
                .take_event(event, &mut self.engine, &mut self.host);
        }
        self.follow_signals();
        self.read_ready();
        // Replies leave before the timed duties, which may take their whole budget.
        self.flush();
        self.resume();
        if std::mem::take(&mut self.sockets.reported) {
            self.take_reports();
        }
        self.wait_ms = self.engine.tick(&mut self.host);
        self.flush();
        if self.host.listeners.has_pending() {
            self.sockets.accept(began, &mut self.engine, &mut self.host);
        }
        let stats = &mut self.engine.server.stats;
        let took = self.engine.server.clock.monotonic_ns() - began;
        stats.loop_turns += 1;
        stats.loop_ns += took;
        stats.loop_max_ns = stats.loop_max_ns.max(took);
    }

    /// Hands the turn's changes to the disk, then writes the outputs that do not wait for it.
    fn flush(&mut self) {
        self.engine.log_changes(&mut self.host);
        if self.engine.logs() && self.host.disk.has_reports() {
            self.take_reports();
        }
        self.sockets.flush(&mut self.engine);
    }

    fn take_reports(&mut self) {
        for report in self.host.disk.take_reports() {
            self.engine.on_disk_report(&report, &mut self.host);
        }
    }

    /// Ends the server if a signal has asked for it.
    fn follow_signals(&mut self) {
        for signal in std::mem::take(&mut self.sockets.signalled) {
            let settings = &self.engine.server.config.settings;
            let how = match signal {
                SIGINT => settings.shutdown_on_sigint,
                _ => settings.shutdown_on_sigterm,
            };
            self.engine.end(how, &mut self.host);
        }
    }

    fn read_ready(&mut self) {
        // What is queued anew meanwhile waits for the next turn, so that the others come first.
        self.sockets.reading.extend(self.sockets.ready.drain(..));
        while !self.sockets.reading.is_empty() {
            self.read_group();
        }
    }

    /// Reads the first few slots before any of their commands runs, so that the cache misses of several clients overlap.
    /// A client that sends much is a group of its own.
    fn read_group(&mut self) {
        let mut bytes = 0;
        for _ in 0..GROUP_MAX {
            let Some(slot) = self.sockets.reading.pop_front() else {
                break;
            };
            let start = self.sockets.group.len() * PORTION_BYTES;
            match self.read_portion(slot, start) {
                Some(portion) => {
                    bytes += portion.len();
                    self.sockets.group.push_back((slot, portion));
                }
                None => self.sockets.alone.push(slot),
            }
            if bytes >= GROUP_BYTES {
                break;
            }
        }
        if self.sockets.group.len() > 1 {
            let requests = self.sockets.group.iter().map(|(slot, portion)| {
                (*slot, self.buffer.get(portion.clone()).unwrap_or_default())
            });
            self.engine.foresee(requests);
        }
        while let Some((slot, portion)) = self.sockets.group.pop_front() {
            let full = portion.len() == PORTION_BYTES;
            if !self.run_portion(slot, portion, full) {
                self.sockets.alone.push(slot);
            }
        }
        // These take the whole buffer, so they come when all portions have run.
        while let Some(slot) = self.sockets.alone.pop() {
            self.read(slot);
        }
    }

    /// Reads one portion of what a client sent to `start` in the buffer; `None`: it must be read in another way.
    fn read_portion(&mut self, slot: usize, start: usize) -> Option<Range<usize>> {
        let connection = self.sockets.connections.get_mut(slot)?.as_mut()?;
        if !connection.kept.is_empty() || self.engine.filling(slot).is_some() {
            return None;
        }
        let room = self.buffer.get_mut(start..start + PORTION_BYTES)?;
        self.engine.server.stats.reads += 1;
        match connection.read(room) {
            Transfer::Bytes(taken) => {
                connection.queued = false;
                Some(start..start + taken)
            }
            _ => None,
        }
    }

    /// Runs a portion; whether there is nothing more to be read of the client now.
    fn run_portion(&mut self, slot: usize, portion: Range<usize>, full: bool) -> bool {
        let Some(connection) = self.sockets.connection(slot) else {
            return true;
        };
        let drained = !full && !connection.peer_closed;
        connection.unread = !drained;
        let input = self.buffer.get(portion).unwrap_or_default();
        let mut host = HostInTurn {
            host: &mut self.host,
            sockets: &mut self.sockets,
            buffer: &self.buffer,
        };
        let consumed = self.engine.feed(slot, input, &mut host);
        if let Some(connection) = self.sockets.connection(slot) {
            connection.keep(input.get(consumed..).unwrap_or_default());
        }
        let closes = match self.engine.server.clients.get(slot) {
            Some(session) => session.closing != Closing::No,
            None => true,
        };
        drained || closes
    }

    /// Reads one connection until it is empty, its budget is used up or its client is held.
    fn read(&mut self, slot: usize) {
        let mut budget = READ_BUDGET_BYTES;
        loop {
            let Some(connection) = self.sockets.connection(slot) else {
                return;
            };
            connection.queued = false;
            if !connection.kept.is_empty() {
                // A client that waits and has said all it will is gone for us.
                if connection.peer_closed {
                    self.sockets.end(slot, &mut self.engine);
                }
                return;
            }
            if budget == 0 {
                self.sockets.queue(slot);
                return;
            }
            let Some(taken) = self.read_once(slot) else {
                return;
            };
            budget = budget.saturating_sub(taken);
        }
    }

    /// Reads and runs one buffer; how many bytes it was, or `None` if reading is over for now.
    fn read_once(&mut self, slot: usize) -> Option<usize> {
        let connection = self.sockets.connections.get_mut(slot)?.as_mut()?;
        let stats = &mut self.engine.server.stats;
        stats.reads += 1;
        let filling = self.engine.filling(slot);
        let (transfer, room, direct) = match filling.and_then(|f| connection.read_into(f)) {
            Some((transfer, room)) => (transfer, room, true),
            None => {
                let room = self.buffer.get_mut(..READ_BUFFER_BYTES).unwrap_or_default();
                (connection.read(room), READ_BUFFER_BYTES, false)
            }
        };
        let taken = match transfer {
            Transfer::Bytes(taken) => taken,
            Transfer::Blocked => {
                connection.unread = false;
                return None;
            }
            Transfer::Ended => {
                self.sockets.end(slot, &mut self.engine);
                return None;
            }
        };
        let portion = if direct { 0..0 } else { 0..taken };
        if direct {
            self.count_direct_input(slot, taken);
        }
        // More of a large argument comes as soon as there is room for it in the socket.
        let drained = self.run_portion(slot, portion, taken == room || direct);
        (!drained).then_some(taken)
    }

    /// Input that went past [`Engine::feed`], which counts the rest.
    fn count_direct_input(&mut self, slot: usize, bytes: usize) {
        self.engine.server.stats.net_input_bytes += bytes as u64;
        if let Some(session) = self.engine.server.clients.get_mut(slot) {
            session.net_input_bytes += bytes as u64;
        }
    }

    /// Feeds the input that was kept of clients whose waiting has ended.
    fn resume(&mut self) {
        for slot in self.engine.take_resume() {
            let Some(connection) = self.sockets.connection(slot) else {
                continue;
            };
            let kept = std::mem::take(&mut connection.kept);
            let mut host = HostInTurn {
                host: &mut self.host,
                sockets: &mut self.sockets,
                buffer: &self.buffer,
            };
            let consumed = self.engine.feed(slot, &kept, &mut host);
            let Some(connection) = self.sockets.connection(slot) else {
                continue;
            };
            connection.keep(kept.get(consumed..).unwrap_or_default());
            if connection.unread {
                self.sockets.queue(slot);
            }
        }
    }
}
