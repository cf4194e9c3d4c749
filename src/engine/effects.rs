//! What follows from commands for others: messages that services have put into the outbox are handed to clients, changes
//! are told to those who listen or have read, commands to those who watch; and whoever does not read what it is sent is
//! closed.
//!
//! Order: what a command causes reaches other clients before anything that later commands cause, and its own client after
//! its reply. Invalidations by prefix come at the end of the turn, all together.

use super::{Engine, Turn};
use crate::command::key_specs::keys_of;
use crate::command::propagate::Propagate;
use crate::command::row::{Row, flag};
use crate::command::table::CommandId;
use crate::config::settings::OutputBufferLimit;
use crate::keyspace::changes::Change;
use crate::keyspace::event::class;
use crate::keyspace::{Deletion, Notification};
use crate::monitor::Origin;
use crate::outbox::Handed;
use crate::resp::push::Payload;
use crate::resp::request::{Argv, StoredArgv};
use crate::session::{Class, Closing, Session, hindrance};
use crate::types::Type;

/// Bytes of messages that may be held for a client whose command runs, where nothing else bounds what it may be sent.
const HELD_MAX_BYTES: usize = 1 << 30;
/// With more bytes of messages than this those of one command are handed out before it has told all.
const TOLD_AT_ONCE_BYTES: usize = 1 << 20;

/// Whether what waits for a client keeps to its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    Within,
    /// Above the soft limit since just now.
    Slow,
    Above,
}

impl Engine {
    /// Whether the replies of this command are messages out of turn.
    #[cold]
    pub(super) fn answers_with_pushes(&self, command: Option<CommandId>) -> bool {
        command.is_some_and(|id| self.server.table.entry(id).row.is(flag::PUSHES))
    }

    /// Tells what has happened to keys: deletions to the stream, changes to those who have read them, events to
    /// subscribers. `by`: the client whose command it was.
    #[cold]
    pub(super) fn tell_news(&mut self, by: Option<u64>) {
        for deletion in self.keyspace.take_deletions() {
            self.log_deletion(&deletion);
        }
        self.invalidate(by);
        let notifications = self.keyspace.take_notifications();
        if !notifications.is_empty() {
            let classes = class::of_letters(&self.server.config.settings.notify_keyspace_events);
            for notification in &notifications {
                self.publish(notification, classes);
                if self.server.outbox.pushes.bytes() > TOLD_AT_ONCE_BYTES {
                    self.carry_out();
                }
            }
        }
    }

    /// Puts what expiry deleted into the stream.
    fn log_deletion(&mut self, deletion: &Deletion) {
        let (name, members) = match &deletion.members {
            None => ("DEL", [].as_slice()),
            Some((Type::Set, members)) => ("SREM", members.as_slice()),
            Some((Type::Zset, members)) => ("ZREM", members.as_slice()),
            Some((_, members)) => ("HDEL", members.as_slice()),
        };
        let head = [name.as_bytes(), &deletion.key];
        let words = head.into_iter().chain(members.iter().map(|name| &**name));
        let argv = StoredArgv::from_words(words);
        self.stream
            .append(deletion.db, argv.argv(), Propagate::default());
    }

    fn invalidate(&mut self, by: Option<u64>) {
        let changes = self.keyspace.take_changes();
        let hasher = self.keyspace.hasher();
        for change in changes.iter() {
            let (tracking, outbox) = (&mut self.server.tracking, &mut self.server.outbox);
            match change {
                Change::Key(name) => tracking.invalidate(name, hasher.hash(name), by, outbox),
                Change::Removed(name) => tracking.invalidate(name, hasher.hash(name), None, outbox),
                Change::Flush => tracking.invalidate_all(outbox),
            }
            if self.server.outbox.pushes.bytes() > TOLD_AT_ONCE_BYTES {
                self.carry_out();
            }
        }
        self.keyspace.give_back_changes(changes);
    }

    /// Publishes a keyspace notification on its two channels.
    fn publish(&mut self, notification: &Notification, classes: u32) {
        let Notification { db, key, event } = notification;
        let (pubsub, outbox) = (&self.server.pubsub, &mut self.server.outbox);
        if classes & class::KEYSPACE != 0 {
            let mut channel = format!("__keyspace@{db}__:").into_bytes();
            channel.extend_from_slice(key);
            pubsub.publish(&channel, &Payload::Bytes(event.name.as_bytes()), outbox);
        }
        if classes & class::KEYEVENT != 0 {
            let channel = format!("__keyevent@{db}__:{}", event.name);
            let payload = Payload::new(key, None);
            pubsub.publish(channel.as_bytes(), &payload, outbox);
        }
    }

    /// Remembers which keys a command has read, for the client's cache. `key`: the word and hash of its first key, if known.
    pub(super) fn remember_reads(
        &mut self,
        turn: &Turn<'_>,
        argv: Argv<'_>,
        command: CommandId,
        key: (usize, u64),
    ) {
        let id = turn.session.id;
        let entry = self.server.table.entry(command);
        let hasher = self.keyspace.hasher();
        let tracking = &mut self.server.tracking;
        if entry.only_key && key.0 > 0 {
            tracking.remember(id, argv.word(key.0), key.1);
        } else if !entry.row.is(flag::PUBSUB) {
            for (at, _) in keys_of(entry.row, argv).unwrap_or_default() {
                let name = argv.word(at);
                tracking.remember(id, name, hasher.hash(name));
            }
        }
    }

    /// Shows a command that ran to those who watch; one that has waited was shown when it came.
    #[cold]
    pub(super) fn show(&mut self, turn: &Turn<'_>, argv: Argv<'_>, row: &'static Row, db: usize) {
        let session = &turn.session;
        if session.hindrances & hindrance::SERVED != 0 {
            return;
        }
        let address = session.peer.address.as_str();
        let origin = if session.is_scripted() {
            Origin::Script
        } else if session.peer.unix {
            Origin::Unix(address.strip_suffix(":0").unwrap_or(address))
        } else {
            Origin::Client(address)
        };
        let now_us = self.server.clock.unix_us();
        let (monitors, outbox) = (&self.server.monitors, &mut self.server.outbox);
        monitors.show(now_us, db, origin, row.full_name, argv.iter(), outbox);
    }

    /// Hands the messages in the outbox to their clients.
    pub(super) fn carry_out(&mut self) {
        let now_ms = self.keyspace.now_ms();
        let server = &mut self.server;
        let (clients, stats) = (&mut server.clients, &mut server.stats);
        let limits = &server.config.settings.client_output_buffer_limits;
        let held_max_bytes = held_max_bytes(limits);
        server
            .outbox
            .carry_out(held_max_bytes, |slot, pushes, message| {
                let Some(session) = clients.get(slot) else {
                    return Handed::Later;
                };
                let is_for = pushes.is_for(message, session.protocol, session.is_subscribed());
                if session.closing != Closing::No || !is_for {
                    return Handed::Done;
                }
                let Some(session) = clients.get_to_send(slot) else {
                    return Handed::Later;
                };
                pushes.write(message, session.protocol, &mut session.output);
                session.output.settle();
                let keeping = keep_limit(session, session.output.len(), limits, now_ms);
                match keeping {
                    Keeping::Within => {}
                    Keeping::Slow => clients.note_slow(slot),
                    Keeping::Above => {
                        session.output.clear();
                        stats.output_buffer_closes += 1;
                    }
                }
                if clients.counts_memory() {
                    clients.count_memory_of(slot);
                }
                Handed::Done
            });
    }

    /// Gives a client what was held until its command was answered.
    #[cold]
    pub(super) fn release_held(&mut self, turn: &mut Turn<'_>) {
        let (session, output) = (&mut turn.session, &mut turn.output);
        let (protocol, subscribed) = (session.protocol, session.is_subscribed());
        let within = self.server.outbox.release(session.slot, |pushes, message| {
            if pushes.is_for(message, protocol, subscribed) {
                pushes.write(message, protocol, output);
            }
        });
        if !within {
            close_slow(session);
            output.clear();
            self.server.stats.output_buffer_closes += 1;
        }
    }

    /// What is done once a turn, before outputs are written.
    #[inline]
    pub(super) fn finish_turn(&mut self) {
        if self.server.tracking.has_broadcasts() {
            self.server.tracking.broadcast(&mut self.server.outbox);
        }
        let keys_max = self.server.config.settings.tracking_table_max_keys;
        let server = &mut self.server;
        server
            .tracking
            .limit(keys_max, &mut server.random, &mut server.outbox);
        if self.server.outbox.has_sends() {
            self.carry_out();
        }
    }

    /// The client listens to nothing any more, and nobody is told anything of it.
    pub(super) fn forget_listener(&mut self, session: &Session) {
        let server = &mut self.server;
        if session.is_subscribed() {
            server.pubsub.forget(session.slot);
        }
        if session.is_monitor() {
            server.monitors.forget(session.slot);
        }
        server.tracking.forget(session.id);
        server.outbox.forget(session.slot);
        server.apply_interest(&mut self.keyspace);
    }

    /// `client-output-buffer-limit`: a client for which too much waits is closed, at once above the hard limit, after a
    /// while above the soft one.
    pub(super) fn check_output_limit(&mut self, turn: &mut Turn<'_>) {
        let limits = &self.server.config.settings.client_output_buffer_limits;
        let now_ms = self.keyspace.now_ms();
        match keep_limit(&mut turn.session, turn.output.len(), limits, now_ms) {
            Keeping::Within => {}
            Keeping::Slow => self.server.clients.note_slow(turn.session.slot),
            Keeping::Above => {
                turn.output.clear();
                self.server.stats.output_buffer_closes += 1;
            }
        }
    }

    /// Closes clients that have been above their soft limit for too long.
    pub(super) fn close_slow_clients(&mut self) {
        let now_ms = self.keyspace.now_ms();
        let limits = self.server.config.settings.client_output_buffer_limits;
        for slot in self.server.clients.take_slow() {
            let clients = &mut self.server.clients;
            let Some(session) = clients.get_mut(slot) else {
                continue;
            };
            let keeping = keep_limit(session, session.output.len(), &limits, now_ms);
            if keeping == Keeping::Above {
                session.output.clear();
                self.server.stats.output_buffer_closes += 1;
                clients.queue_flush_of(slot);
            } else if session.above_soft_limit_since_ms.is_some() {
                clients.note_slow(slot);
            }
        }
    }

    /// `maxmemory-clients` for a client whose commands are about to run, whose words take `argv_bytes`: if it is the largest
    /// and all together take too much, it is closed.
    #[cold]
    pub(super) fn evict_if_largest(&mut self, turn: &mut Turn<'_>, argv_bytes: usize) {
        let settings = &self.server.config.settings;
        let clients = &self.server.clients;
        let session = &mut turn.session;
        let bytes = session.memory_bytes() + turn.output.heap_bytes() + argv_bytes;
        let sum = clients
            .counted_bytes()
            .saturating_sub(session.counted_bytes)
            + bytes;
        let limit = settings.maxmemory_clients.limit_bytes(settings.maxmemory);
        let too_much = limit.is_some_and(|limit| sum as u64 > limit) && !session.no_evict;
        if too_much && clients.iter().all(|other| other.counted_bytes < bytes) {
            tracing::info!(
                "Evicting client: id={} addr={} tot-mem={bytes}",
                session.id,
                session.peer.address
            );
            session.closing = Closing::Now;
            self.server.stats.evicted_clients += 1;
        }
    }

    /// `maxmemory-clients`, after outputs were written: what could be sent takes no memory.
    #[inline]
    pub(super) fn limit_client_memory(&mut self) {
        let settings = &self.server.config.settings;
        if let Some(limit) = settings.maxmemory_clients.limit_bytes(settings.maxmemory)
            && self.server.clients.counted_bytes() as u64 > limit
        {
            self.evict_clients(limit);
        }
    }

    /// Closes clients that take most until all together take no more than `limit_bytes`.
    #[cold]
    fn evict_clients(&mut self, limit_bytes: u64) {
        let clients = &mut self.server.clients;
        clients.recount_memory();
        let mut sum = clients.counted_bytes() as u64;
        if sum <= limit_bytes {
            return;
        }
        let mut largest: Vec<(usize, usize)> = clients
            .iter()
            .filter(|session| !session.no_evict)
            .map(|session| (session.counted_bytes, session.slot))
            .collect();
        largest.sort_unstable_by(|one, other| other.cmp(one));
        for (bytes, slot) in largest {
            if sum <= limit_bytes {
                break;
            }
            sum = sum.saturating_sub(bytes as u64);
            if let Some(session) = clients.get_mut(slot)
                && session.closing != Closing::Now
            {
                tracing::info!(
                    "Evicting client: id={} addr={} tot-mem={bytes}",
                    session.id,
                    session.peer.address
                );
                session.output.clear();
                self.server.stats.evicted_clients += 1;
                clients.close(slot, Closing::Now);
            }
        }
    }
}

/// Whether `pending_bytes` keep to the limits of the client's class; one that is to be closed is marked so.
#[inline]
fn keep_limit(
    session: &mut Session,
    pending_bytes: usize,
    limits: &[OutputBufferLimit; 3],
    now_ms: i64,
) -> Keeping {
    let limit = &limits[match session.class() {
        Class::Normal => 0,
        Class::Replica => 1,
        Class::PubSub => 2,
    }];
    let above = |bytes: u64| bytes > 0 && pending_bytes as u64 > bytes;
    let is_above_soft = above(limit.soft_bytes);
    if !is_above_soft && !above(limit.hard_bytes) {
        session.above_soft_limit_since_ms = None;
        return Keeping::Within;
    }
    let is_new = is_above_soft && session.above_soft_limit_since_ms.is_none();
    let since_ms = *session.above_soft_limit_since_ms.get_or_insert(now_ms);
    let soft_ms = limit.soft_seconds.saturating_mul(1000);
    let too_long = now_ms.saturating_sub(since_ms) > i64::try_from(soft_ms).unwrap_or(i64::MAX);
    if above(limit.hard_bytes) || (is_above_soft && too_long) {
        close_slow(session);
        return Keeping::Above;
    }
    if is_new {
        Keeping::Slow
    } else {
        Keeping::Within
    }
}

#[cold]
fn close_slow(session: &mut Session) {
    tracing::warn!(
        "Client id={} addr={} closed for overcoming of output buffer limits",
        session.id,
        session.peer.address
    );
    session.closing = Closing::Now;
}

/// How much may be held for a client whose command runs: what a subscriber may have pending, if that is bounded.
fn held_max_bytes(limits: &[OutputBufferLimit; 3]) -> usize {
    let hard = limits.last().map_or(0, |limit| limit.hard_bytes);
    usize::try_from(hard)
        .ok()
        .filter(|bytes| *bytes > 0)
        .unwrap_or(HELD_MAX_BYTES)
}
