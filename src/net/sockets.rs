//! The sockets beside the engine: who may be read, who is to be written, who goes. The loop uses them from outside of the
//! engine's commands, and `busy` from the middle of one; so every step here takes the engine as it is lent.

use super::WRITE_BUDGET_BYTES;
use super::connection::{Connection, Transfer};
use super::host::ProcessHost;
use crate::command::host::Engaged;
use crate::observe::crash;
use crate::session::Closing;
use mio::{Poll, Token};
use signal_hook::consts::{SIGABRT, SIGINT, SIGTERM};
use signal_hook::low_level::emulate_default_handler;
use signal_hook_mio::v1_0::Signals;
use std::collections::VecDeque;
use std::ops::Range;

/// Token of the signals; those of the helper threads' reports, listeners and connections (by slot) follow.
pub(super) const SIGNALS: Token = Token(0);
pub(super) const REPORTS: Token = Token(1);
pub(super) const LISTENERS_FROM: usize = 2;
pub(super) const CONNECTIONS_FROM: usize = 64;

/// See the head of the file.
pub(super) struct Sockets {
    pub(super) poll: Poll,
    signals: Signals,
    /// Signals that ask for the end and have not been followed.
    pub(super) signalled: Vec<i32>,
    /// Whether the helper threads have reports that the loop has not taken.
    pub(super) reported: bool,
    /// By slot.
    pub(super) connections: Vec<Option<Connection>>,
    /// Slots that are read in this turn or, queued while it reads, in the next.
    pub(super) ready: Vec<usize>,
    /// Slots that this turn has yet to read.
    pub(super) reading: VecDeque<usize>,
    /// Who has been read in the running group but not run, and where in the buffer.
    pub(super) group: VecDeque<(usize, Range<usize>)>,
    /// Slots of the group that are read on their own.
    pub(super) alone: Vec<usize>,
    /// Slots whose output goes on in the next turn.
    pub(super) unfinished: Vec<usize>,
    /// Room for the lists of slots that the engine hands out.
    slots: Vec<usize>,
    /// No connection is accepted before this time (monotonic nanoseconds): there are no file descriptors.
    pub(super) accept_from_ns: u64,
}

impl Sockets {
    pub(super) fn new(poll: Poll, signals: Signals) -> Self {
        Self {
            poll,
            signals,
            signalled: Vec::new(),
            reported: false,
            connections: Vec::new(),
            ready: Vec::new(),
            reading: VecDeque::new(),
            group: VecDeque::new(),
            alone: Vec::new(),
            unfinished: Vec::new(),
            slots: Vec::new(),
            accept_from_ns: 0,
        }
    }

    pub(super) fn connection(&mut self, slot: usize) -> Option<&mut Connection> {
        self.connections.get_mut(slot).and_then(Option::as_mut)
    }

    /// Takes in what the poll has told.
    pub(super) fn take_event(
        &mut self,
        event: &mio::event::Event,
        engine: &mut dyn Engaged,
        host: &mut ProcessHost,
    ) {
        match event.token() {
            SIGNALS => self.take_signals(engine),
            REPORTS => self.reported = true,
            Token(listener) if listener < CONNECTIONS_FROM => {
                host.listeners.wake(Token(listener));
            }
            Token(token) => self.note(token - CONNECTIONS_FROM, event, engine),
        }
    }

    fn take_signals(&mut self, engine: &mut dyn Engaged) {
        for signal in self.signals.pending() {
            match signal {
                SIGABRT => {
                    if engine.server().config.settings.crash_log_enabled {
                        crash::report("crashed by signal: 6");
                    }
                    let failed = emulate_default_handler(SIGABRT);
                    tracing::error!("Ending by signal 6: {failed:?}");
                }
                SIGINT => tracing::warn!("Received SIGINT scheduling shutdown..."),
                SIGTERM => tracing::warn!("Received SIGTERM scheduling shutdown..."),
                _ => continue,
            }
            self.signalled.push(signal);
        }
    }

    /// Notes what an event says of a connection.
    fn note(&mut self, slot: usize, event: &mio::event::Event, engine: &mut dyn Engaged) {
        let Some(connection) = self.connection(slot) else {
            return;
        };
        if event.is_error() {
            connection.ended = true;
        }
        if event.is_read_closed() {
            connection.peer_closed = true;
        }
        if connection.ended || (event.is_writable() && connection.waits_to_write()) {
            engine.server().clients.queue_flush_of(slot);
        }
        if event.is_readable() || event.is_read_closed() {
            connection.unread = true;
            self.queue(slot);
        }
    }

    /// Has the connection read in the next turn.
    pub(super) fn queue(&mut self, slot: usize) {
        if let Some(connection) = self.connection(slot)
            && !connection.queued
        {
            connection.queued = true;
            self.ready.push(slot);
        }
    }

    /// The connection is over: what can still be written is, then it is closed.
    pub(super) fn end(&mut self, slot: usize, engine: &mut dyn Engaged) {
        if let Some(session) = engine.server().clients.get(slot) {
            let (id, address) = (session.id, &session.peer.address);
            tracing::debug!("Client closed connection id={id} addr={address}");
        }
        if let Some(connection) = self.connection(slot) {
            connection.ended = true;
            engine.server().clients.queue_flush_of(slot);
        }
    }

    /// Writes the output of every client that has some, and closes those that are to be closed.
    pub(super) fn flush(&mut self, engine: &mut dyn Engaged) {
        let mut slots = std::mem::take(&mut self.slots);
        let unfinished = std::mem::take(&mut self.unfinished);
        for slot in unfinished {
            engine.server().clients.queue_flush_of(slot);
        }
        loop {
            engine.take_flush(&mut slots);
            if slots.is_empty() {
                break;
            }
            for slot in slots.drain(..) {
                if self.write(slot, engine) {
                    self.close(slot, engine);
                }
            }
        }
        self.slots = slots;
    }

    /// Writes one client's output as far as its socket takes it; whether it is to be closed then.
    fn write(&mut self, slot: usize, engine: &mut dyn Engaged) -> bool {
        let Some(connection) = self.connections.get_mut(slot).and_then(Option::as_mut) else {
            return false;
        };
        let server = engine.server();
        let Some(session) = server.clients.get_mut(slot) else {
            return true;
        };
        if session.closing == Closing::Now {
            return true;
        }
        let stats = &mut server.stats;
        let mut budget = WRITE_BUDGET_BYTES;
        let mut blocked = false;
        // What waits for the disk stays, and all that comes after it.
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
                server.clients.give_buffer(buffer);
            }
        } else if !blocked && writable > 0 {
            self.unfinished.push(slot);
        }
        let watched = connection.wait_to_write(blocked, slot, self.poll.registry());
        watched.is_err() || connection.ended || (empty && closing == Closing::AfterReply)
    }

    fn close(&mut self, slot: usize, engine: &mut dyn Engaged) {
        engine.disconnect(slot);
        if let Some(place) = self.connections.get_mut(slot) {
            // Closing the socket takes it out of the poll.
            *place = None;
        }
        self.accept_from_ns = 0;
    }
}
