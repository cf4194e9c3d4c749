//! All clients: their slots, who has output to be written, whom to close, whose input goes on.

use super::{Closing, Peer, Session, hindrance};
use crate::observe::Info;
use crate::resp::request::{Argv, StoredArgv};
use std::collections::HashMap;

/// Reply buffers kept for the next clients that need one, and the bytes of all of them.
const POOL_MAX: usize = 256;
const POOL_MAX_BYTES: usize = 4 << 20;
/// A smaller buffer is not worth keeping; a new one has so much room.
const POOLED_MIN_BYTES: usize = 512;
/// A larger buffer is given back to the allocator instead.
const POOLED_MAX_BYTES: usize = 64 << 10;

/// See the head of the file.
#[derive(Default)]
pub struct Clients {
    slots: Vec<Option<Box<Session>>>,
    free: Vec<usize>,
    by_id: HashMap<u64, usize>,
    last_id: u64,
    pool: Vec<Vec<u8>>,
    pool_bytes: usize,
    flush: Vec<usize>,
    resume: Vec<usize>,
    blocked: usize,
    /// Ids of clients whose commands CLIENT PAUSE holds back, in the order in which they came.
    postponed: Vec<u64>,
    /// Clients whose output is above their soft limit.
    slow: Vec<usize>,
    /// Bytes of all clients as last counted, while `counts_memory`.
    counted_bytes: usize,
    counts_memory: bool,
}

impl Clients {
    /// A new client; its slot.
    pub fn add(&mut self, peer: Peer, authenticated: bool, now_ms: i64) -> usize {
        self.last_id += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let mut session = Box::new(Session::new(self.last_id, slot, peer, now_ms));
        session.hinder(hindrance::NOT_AUTHENTICATED, !authenticated);
        self.by_id.insert(session.id, slot);
        self.slots[slot] = Some(session);
        slot
    }

    /// Takes a client away for good.
    pub fn remove(&mut self, slot: usize) -> Option<Box<Session>> {
        let session = self.slots.get_mut(slot)?.take()?;
        self.by_id.remove(&session.id);
        self.free.push(slot);
        if session.flush_queued {
            self.flush.retain(|queued| *queued != slot);
        }
        if session.postponed.is_some() {
            self.postponed.retain(|id| *id != session.id);
        }
        self.blocked -= usize::from(session.blocked.is_some() || session.postponed.is_some());
        self.counted_bytes = self.counted_bytes.saturating_sub(session.counted_bytes);
        Some(session)
    }

    /// Lends a client out while a command of it runs: it is not among the others then.
    pub fn lend(&mut self, slot: usize) -> Option<Box<Session>> {
        self.slots.get_mut(slot)?.take()
    }

    /// Takes a lent client back.
    pub fn take_back(&mut self, mut session: Box<Session>) {
        if self.counts_memory {
            self.count_memory(&mut session);
        }
        let slot = session.slot;
        self.slots[slot] = Some(session);
    }

    /// The client in a slot.
    pub fn get(&self, slot: usize) -> Option<&Session> {
        self.slots.get(slot)?.as_deref()
    }

    /// The client in a slot.
    pub fn get_mut(&mut self, slot: usize) -> Option<&mut Session> {
        self.slots.get_mut(slot)?.as_deref_mut()
    }

    /// The slot of a client; also of one that is lent.
    pub fn slot_of(&self, id: u64) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// Clients, lent ones included.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The client in a slot, which is about to be sent something: it stands among those whose output is to be written,
    /// and as long as these are few its output has a buffer.
    #[inline]
    pub fn get_to_send(&mut self, slot: usize) -> Option<&mut Session> {
        let session = self.slots.get_mut(slot)?.as_deref_mut()?;
        if !session.flush_queued {
            session.flush_queued = true;
            self.flush.push(slot);
        }
        if !session.output.has_buffer() {
            if let Some(buffer) = self.pool.pop() {
                self.pool_bytes -= buffer.capacity();
                session.output.give_buffer(buffer);
            } else if self.flush.len() < POOL_MAX {
                // It comes to the pool; those of more clients than the pool has room for are as small as can be.
                let buffer = Vec::with_capacity(POOLED_MIN_BYTES);
                session.output.give_buffer(buffer);
            }
        }
        Some(session)
    }

    /// All clients but lent ones, in order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().filter_map(|slot| slot.as_deref())
    }

    /// All clients but lent ones.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.slots.iter_mut().filter_map(|slot| slot.as_deref_mut())
    }

    /// INFO clients. `current` is the client that is lent; of `special` clients, how many watch keys, are tracked and are
    /// subscribed.
    pub fn info(&self, current: &Session, maxclients: u32, special: [usize; 3], info: &mut Info) {
        let [watching, tracking, subscribed] = special;
        let all = || self.iter().chain([current]);
        let input = all().map(|client| client.parser.buffered_bytes()).max();
        let output = all().map(|client| client.output.heap_bytes()).max();
        let with_deadline = |client: &&Session| {
            let blocked = client.blocked.as_ref();
            blocked.is_some_and(|blocked| blocked.deadline_ms.is_some())
        };
        info.field("connected_clients", self.len())
            .zeros(&["cluster_connections"])
            .field("maxclients", maxclients)
            .field("client_recent_max_input_buffer", input.unwrap_or(0))
            .field("client_recent_max_output_buffer", output.unwrap_or(0))
            .field("blocked_clients", self.blocked)
            .field("tracking_clients", tracking)
            .field("pubsub_clients", subscribed)
            .field("watching_clients", watching)
            .field(
                "clients_in_timeout_table",
                all().filter(with_deadline).count(),
            );
    }

    /// Bytes of all clients' buffers and queues but those of lent clients.
    pub fn memory_bytes(&self) -> usize {
        self.iter().map(Session::memory_bytes).sum()
    }

    /// Whether bytes are summed up as they change, for `maxmemory-clients`.
    pub fn set_counts_memory(&mut self, counts: bool) {
        if counts && !self.counts_memory {
            self.recount_memory();
        }
        self.counts_memory = counts;
    }

    /// Whether bytes are summed up.
    #[inline]
    pub fn counts_memory(&self) -> bool {
        self.counts_memory
    }

    /// Bytes of all clients as they were when each last ran a command or was sent something.
    #[inline]
    pub fn counted_bytes(&self) -> usize {
        self.counted_bytes
    }

    /// Brings the sum of all bytes up to date; lent clients stand in it as they were.
    pub fn recount_memory(&mut self) {
        let mut sum = self.counted_bytes;
        for session in self.iter_mut() {
            sum = sum.saturating_sub(session.counted_bytes);
            session.counted_bytes = session.memory_bytes();
            sum += session.counted_bytes;
        }
        self.counted_bytes = sum;
    }

    fn count_memory(&mut self, session: &mut Session) {
        let bytes = session.memory_bytes();
        self.counted_bytes = self.counted_bytes.saturating_sub(session.counted_bytes) + bytes;
        session.counted_bytes = bytes;
    }

    /// The same for a client that was just sent something.
    #[inline]
    pub fn count_memory_of(&mut self, slot: usize) {
        if !self.counts_memory {
            return;
        }
        let session = self.slots.get_mut(slot).and_then(Option::take);
        if let Some(mut session) = session {
            self.count_memory(&mut session);
            self.slots[slot] = Some(session);
        }
    }

    /// Notes that a client's output is above its soft limit.
    pub fn note_slow(&mut self, slot: usize) {
        self.slow.push(slot);
    }

    /// Clients that were noted as slow since the last call.
    pub fn take_slow(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.slow)
    }

    /// The id of the newest client.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Clients that wait in a blocking command or for the end of CLIENT PAUSE.
    pub fn blocked(&self) -> usize {
        self.blocked
    }

    /// Notes that one more, or one less, waits.
    pub fn count_blocked(&mut self, blocks: bool) {
        self.blocked = if blocks {
            self.blocked + 1
        } else {
            self.blocked - 1
        };
    }

    /// Marks a client as having output to be written (or to be closed).
    pub fn queue_flush(&mut self, session: &mut Session) {
        if !session.flush_queued {
            session.flush_queued = true;
            self.flush.push(session.slot);
        }
    }

    /// The same by slot.
    pub fn queue_flush_of(&mut self, slot: usize) {
        if let Some(session) = self
            .slots
            .get_mut(slot)
            .and_then(|slot| slot.as_deref_mut())
            && !session.flush_queued
        {
            session.flush_queued = true;
            self.flush.push(slot);
        }
    }

    /// Who has output to be written, since the last call. Who is lent stays for a later one.
    pub fn take_flush(&mut self, into: &mut Vec<usize>) {
        into.clear();
        let slots = &mut self.slots;
        self.flush.retain(|slot| {
            let session = slots.get_mut(*slot).and_then(|slot| slot.as_deref_mut());
            let is_lent = session.is_none();
            if let Some(session) = session {
                session.flush_queued = false;
                into.push(*slot);
            }
            is_lent
        });
    }

    /// Closes a client that is not lent.
    pub fn close(&mut self, slot: usize, closing: Closing) {
        if let Some(session) = self.get_mut(slot) {
            session.closing = closing;
        }
        self.queue_flush_of(slot);
    }

    /// CLIENT PAUSE holds the client's command back.
    pub fn postpone(&mut self, session: &mut Session, argv: Argv<'_>) {
        session.postponed = Some(Box::new(StoredArgv::from_argv(argv)));
        self.postponed.push(session.id);
        self.count_blocked(true);
    }

    /// The pause is over: clients whose commands were held back go on, in the order in which they came.
    pub fn resume_postponed(&mut self) {
        for id in std::mem::take(&mut self.postponed) {
            if let Some(slot) = self.slot_of(id) {
                self.queue_resume(slot);
            }
        }
    }

    /// Notes that a client's postponed commands and unread input may go on.
    pub fn queue_resume(&mut self, slot: usize) {
        self.resume.push(slot);
    }

    /// Whose input goes on, since the last call.
    pub fn take_resume(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.resume)
    }

    /// Whether some client's input goes on.
    pub fn has_resume(&self) -> bool {
        !self.resume.is_empty()
    }

    /// An empty reply buffer: clients with nothing to be written hold none.
    pub fn take_buffer(&mut self) -> Vec<u8> {
        let Some(buffer) = self.pool.pop() else {
            return Vec::with_capacity(POOLED_MIN_BYTES);
        };
        self.pool_bytes -= buffer.capacity();
        buffer
    }

    /// Gives a reply buffer back.
    pub fn give_buffer(&mut self, mut buffer: Vec<u8>) {
        let bytes = buffer.capacity();
        if self.pool.len() < POOL_MAX
            && (POOLED_MIN_BYTES..=POOLED_MAX_BYTES).contains(&bytes)
            && self.pool_bytes + bytes <= POOL_MAX_BYTES
        {
            buffer.clear();
            self.pool_bytes += bytes;
            self.pool.push(buffer);
        }
    }
}
