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
mod connection;
mod disk;
mod freer;
mod host;
mod listener;
mod loading;
mod log_disk;
mod process;
pub mod start;
#[cfg(test)]
mod tests;

use crate::engine::Engine;
use crate::session::Closing;
use connection::{Connection, Transfer};
use host::ProcessHost;
use mio::{Events, Poll, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
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

/// Token of the signals; those of listeners and connections (by slot) follow.
const SIGNALS: Token = Token(0);
/// Token of the helper threads' reports.
const REPORTS: Token = Token(1);
const LISTENERS_FROM: usize = 2;
const CONNECTIONS_FROM: usize = 64;

/// See the head of the file.
struct Reactor {
    engine: Engine,
    host: ProcessHost,
    poll: Poll,
    signals: Signals,
    /// By slot.
    connections: Vec<Option<Connection>>,
    /// Slots that are read in this turn.
    ready: Vec<usize>,
    /// Slots whose output goes on in the next turn.
    unfinished: Vec<usize>,
    /// Room for the lists of slots that the engine hands out.
    slots: Vec<usize>,
    buffer: Box<[u8]>,
    /// Who has been read in the running group, and where in the buffer.
    group: Vec<(usize, Range<usize>)>,
    /// Slots of the group that are read on their own.
    alone: Vec<usize>,
    /// Milliseconds until the engine's next duty.
    wait_ms: u64,
    /// No connection is accepted before this time (monotonic nanoseconds): there are no file descriptors.
    accept_from_ns: u64,
}

impl Reactor {
    fn new(engine: Engine, host: ProcessHost, poll: Poll, signals: Signals) -> Self {
        Self {
            engine,
            host,
            poll,
            signals,
            connections: Vec::new(),
            ready: Vec::new(),
            unfinished: Vec::new(),
            slots: Vec::new(),
            buffer: vec![0; GROUP_MAX * PORTION_BYTES].into_boxed_slice(),
            group: Vec::with_capacity(GROUP_MAX),
            alone: Vec::new(),
            wait_ms: 0,
            accept_from_ns: 0,
        }
    }

    /// Serves until the server is to stop.
    ///
    /// # Errors
    /// What the system says to waiting for events.
    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.host.stopping() {
            match self.poll.poll(&mut events, Some(self.wait())) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            self.turn(&events);
        }
        Ok(())
    }

    /// How long the next turn may wait for events.
    fn wait(&self) -> Duration {
        let busy = !self.ready.is_empty()
            || !self.unfinished.is_empty()
            || self.engine.server.clients.has_resume()
            || (self.host.listeners.has_pending() && self.accept_from_ns == 0);
        Duration::from_millis(if busy { 0 } else { self.wait_ms })
    }

    fn turn(&mut self, events: &Events) {
        let began = self.engine.server.clock.monotonic_ns();
        let mut reports = false;
        for event in events {
            match event.token() {
                SIGNALS => self.take_signals(),
                REPORTS => reports = true,
                Token(listener) if listener < CONNECTIONS_FROM => {
                    self.host.listeners.wake(Token(listener));
                }
                Token(token) => self.note(token - CONNECTIONS_FROM, event),
            }
        }
        self.read_ready();
        // Replies leave before the timed duties, which may take their whole budget.
        self.flush();
        self.resume();
        if reports {
            self.take_reports();
        }
        self.wait_ms = self.engine.tick(&mut self.host);
        self.flush();
        if self.host.listeners.has_pending() {
            self.accept(began);
        }
        let stats = &mut self.engine.server.stats;
        let took = self.engine.server.clock.monotonic_ns() - began;
        stats.loop_turns += 1;
        stats.loop_ns += took;
        stats.loop_max_ns = stats.loop_max_ns.max(took);
    }

    fn take_reports(&mut self) {
        for report in self.host.disk.take_reports() {
            self.engine.on_disk_report(&report, &mut self.host);
        }
    }

    fn take_signals(&mut self) {
        for signal in self.signals.pending() {
            let settings = &self.engine.server.config.settings;
            let how = match signal {
                SIGINT => {
                    tracing::warn!("Received SIGINT scheduling shutdown...");
                    settings.shutdown_on_sigint
                }
                SIGTERM => {
                    tracing::warn!("Received SIGTERM scheduling shutdown...");
                    settings.shutdown_on_sigterm
                }
                _ => continue,
            };
            self.engine.end(how, &mut self.host);
        }
    }

    /// Notes what an event says of a connection.
    fn note(&mut self, slot: usize, event: &mio::event::Event) {
        let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        if event.is_error() {
            connection.ended = true;
        }
        if event.is_read_closed() {
            connection.peer_closed = true;
        }
        if connection.ended || (event.is_writable() && connection.waits_to_write()) {
            self.engine.server.clients.queue_flush_of(slot);
        }
        if event.is_readable() || event.is_read_closed() {
            connection.unread = true;
            if !connection.queued {
                connection.queued = true;
                self.ready.push(slot);
            }
        }
    }

    fn read_ready(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        let mut rest = ready.as_slice();
        while !rest.is_empty() {
            let taken = self.read_group(rest);
            rest = rest.get(taken..).unwrap_or_default();
        }
        ready.clear();
        // What was queued anew meanwhile waits for the next turn, so that the others come first.
        ready.append(&mut self.ready);
        self.ready = ready;
    }

    /// Reads the first few of `slots` before any of their commands runs, so that the cache misses of several clients
    /// overlap; how many it took care of. A client that sends much is a group of its own.
    fn read_group(&mut self, slots: &[usize]) -> usize {
        let mut group = std::mem::take(&mut self.group);
        group.clear();
        let (mut slots_taken, mut bytes) = (0, 0);
        for slot in slots.iter().take(GROUP_MAX) {
            slots_taken += 1;
            let start = group.len() * PORTION_BYTES;
            match self.read_portion(*slot, start) {
                Some(portion) => {
                    bytes += portion.len();
                    group.push((*slot, portion));
                }
                None => self.alone.push(*slot),
            }
            if bytes >= GROUP_BYTES {
                break;
            }
        }
        if group.len() > 1 {
            let requests = group.iter().map(|(slot, portion)| {
                (*slot, self.buffer.get(portion.clone()).unwrap_or_default())
            });
            self.engine.foresee(requests);
        }
        for (slot, portion) in &group {
            let full = portion.len() == PORTION_BYTES;
            if !self.run_portion(*slot, portion.clone(), full) {
                self.alone.push(*slot);
            }
        }
        self.group = group;
        // These take the whole buffer, so they come when all portions have run.
        while let Some(slot) = self.alone.pop() {
            self.read(slot);
        }
        slots_taken
    }

    /// Reads one portion of what a client sent to `start` in the buffer; `None`: it must be read in another way.
    fn read_portion(&mut self, slot: usize, start: usize) -> Option<Range<usize>> {
        let connection = self.connections.get_mut(slot)?.as_mut()?;
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
        let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else {
            return true;
        };
        let drained = !full && !connection.peer_closed;
        connection.unread = !drained;
        let input = self.buffer.get(portion).unwrap_or_default();
        let consumed = self.engine.feed(slot, input, &mut self.host);
        connection.keep(input.get(consumed..).unwrap_or_default());
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
            let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else {
                return;
            };
            connection.queued = false;
            if !connection.kept.is_empty() {
                // A client that waits and has said all it will is gone for us.
                if connection.peer_closed {
                    self.end(slot);
                }
                return;
            }
            if budget == 0 {
                connection.queued = true;
                self.ready.push(slot);
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
        let connection = self.connections.get_mut(slot)?.as_mut()?;
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
                self.end(slot);
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

    /// The connection is over: what can still be written is, then it is closed.
    fn end(&mut self, slot: usize) {
        if let Some(session) = self.engine.server.clients.get(slot) {
            let (id, address) = (session.id, &session.peer.address);
            tracing::debug!("Client closed connection id={id} addr={address}");
        }
        if let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) {
            connection.ended = true;
            self.engine.server.clients.queue_flush_of(slot);
        }
    }

    /// Feeds the input that was kept of clients whose waiting has ended.
    fn resume(&mut self) {
        for slot in self.engine.take_resume() {
            let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else {
                continue;
            };
            let kept = std::mem::take(&mut connection.kept);
            let consumed = self.engine.feed(slot, &kept, &mut self.host);
            connection.keep(kept.get(consumed..).unwrap_or_default());
            if connection.unread && !connection.queued {
                connection.queued = true;
                self.ready.push(slot);
            }
        }
    }

    /// Writes the output of every client that has some, and closes those that are to be closed.
    fn flush(&mut self) {
        self.engine.log_changes(&mut self.host);
        if self.engine.logs() && self.host.disk.has_reports() {
            self.take_reports();
        }
        let mut slots = std::mem::take(&mut self.slots);
        let unfinished = std::mem::take(&mut self.unfinished);
        for slot in unfinished {
            self.engine.server.clients.queue_flush_of(slot);
        }
        loop {
            self.engine.take_flush(&mut slots);
            if slots.is_empty() {
                break;
            }
            for slot in slots.drain(..) {
                if self.write(slot) {
                    self.close(slot);
                }
            }
        }
        self.slots = slots;
    }

    /// Writes one client's output as far as its socket takes it; whether it is to be closed then.
    fn write(&mut self, slot: usize) -> bool {
        let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else {
            return false;
        };
        let Some(session) = self.engine.server.clients.get_mut(slot) else {
            return true;
        };
        if session.closing == Closing::Now {
            return true;
        }
        let stats = &mut self.engine.server.stats;
        let mut budget = WRITE_BUDGET_BYTES;
        let mut blocked = false;
        let mut writable = session.writable_bytes();
        while writable > 0 && !blocked && budget > 0 {
            let (transfer, offered) = connection.write(&session.output, writable);
            stats.writes += 1;
            let written = match transfer {
                Transfer::Bytes(written) => written,
                Transfer::Blocked => 0,
                Transfer::Ended => return true,
            };
            session.output.advance(written);
            session.net_output_bytes += written as u64;
            stats.net_output_bytes += written as u64;
            budget = budget.saturating_sub(written);
            writable -= written;
            blocked = written < offered;
        }
        let empty = session.output.is_empty();
        let closing = session.closing;
        if empty {
            if let Some(buffer) = session.output.take_buffer() {
                self.engine.server.clients.give_buffer(buffer);
            }
        } else if !blocked && writable > 0 {
            self.unfinished.push(slot);
        }
        let watched = connection.wait_to_write(blocked, slot, self.poll.registry());
        watched.is_err() || connection.ended || (empty && closing == Closing::AfterReply)
    }

    fn close(&mut self, slot: usize) {
        self.engine.disconnect(slot);
        if let Some(place) = self.connections.get_mut(slot) {
            // Closing the socket takes it out of the poll.
            *place = None;
        }
        self.accept_from_ns = 0;
    }
}
