//! Client-side caching: remembers which clients have read which keys, and tells them when a key changes.
//!
//! Two ways, chosen by each client: by default the keys that it reads are remembered ([`table`]) and it hears once of the
//! next change of each; with BCAST nothing is remembered, and it hears of every change of a name with one of its prefixes
//! ([`broadcast`]), all of one turn of the event loop together.
//!
//! Keys are names here, whatever their database: so clients know them. What a client is told may go to another one
//! (REDIRECT). Whoever has gone is found out when it would be told something; its reads are dropped then.

mod broadcast;
mod table;

use crate::base::random::Random;
use crate::observe::Info;
use crate::outbox::Outbox;
use crate::resp::push::PushId;
use broadcast::Prefixes;
use std::collections::BTreeMap;
use table::{Readers, Table};

/// What a client chose with CLIENT TRACKING.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// BCAST: names by prefix, not by what was read.
    pub broadcast: bool,
    /// OPTIN: only reads after CLIENT CACHING YES are remembered.
    pub opt_in: bool,
    /// OPTOUT: only reads after CLIENT CACHING NO are not.
    pub opt_out: bool,
    /// NOLOOP: it does not hear of its own changes.
    pub no_loop: bool,
}

/// Another client that is told in one's stead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Its id.
    pub id: u64,
    /// Its slot; `None`: it is gone.
    pub slot: Option<u32>,
}

/// A client that wants to be told.
#[derive(Clone, Debug)]
pub struct Tracked {
    slot: u32,
    /// What it chose.
    pub options: Options,
    /// Who is told in its stead.
    pub redirect: Option<Redirect>,
    /// It was told that the other one is gone.
    pub broken: bool,
    /// Its prefixes, with BCAST.
    pub prefixes: Vec<Box<[u8]>>,
}

/// Two prefixes of one client overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The new one.
    pub new: Box<[u8]>,
    /// The other one.
    pub other: Box<[u8]>,
    /// The other one was there before.
    pub existed: bool,
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Tracking {
    clients: BTreeMap<u64, Tracked>,
    redirects: usize,
    table: Table,
    prefixes: Prefixes,
}

/// Bytes that a client's prefix takes besides its text.
const PREFIX_BYTES: usize = 64;

/// Keys that are forgotten in one go when there are too many.
pub const FORGOTTEN_MAX: usize = 10_000;

/// No keys at all: everything is to be forgotten.
const EVERYTHING: Option<std::iter::Empty<&[u8]>> = None;

impl Tracking {
    /// Whether any client wants to be told of anything: if not, changes need not be noted.
    #[inline]
    pub fn is_active(&self) -> bool {
        !self.clients.is_empty()
    }

    /// What the client chose, if it is tracked.
    pub fn client(&self, id: u64) -> Option<&Tracked> {
        self.clients.get(&id)
    }

    /// Turns tracking on for a client, or changes its options. New prefixes come to those that it has; without any, BCAST
    /// is about all names.
    pub fn start(
        &mut self,
        id: u64,
        slot: usize,
        options: Options,
        redirect: Option<Redirect>,
        prefixes: &[&[u8]],
    ) {
        let client = self.clients.entry(id).or_insert_with(|| Tracked {
            slot: slot as u32,
            options,
            redirect: None,
            broken: false,
            prefixes: Vec::new(),
        });
        self.redirects += usize::from(redirect.is_some());
        self.redirects -= usize::from(client.redirect.is_some());
        client.options = options;
        client.redirect = redirect;
        client.broken = false;
        if options.broadcast {
            let prefixes = if prefixes.is_empty() {
                &[&b""[..]][..]
            } else {
                prefixes
            };
            for prefix in prefixes {
                if self.prefixes.add(prefix, id) {
                    client.prefixes.push((*prefix).into());
                }
            }
            client.prefixes.sort_unstable();
        }
    }

    /// Bytes of the client's prefixes, and of keeping them.
    pub fn prefix_bytes(&self, id: u64) -> usize {
        let prefixes = self
            .clients
            .get(&id)
            .map_or(&[][..], |client| &client.prefixes);
        prefixes
            .iter()
            .map(|prefix| prefix.len() + PREFIX_BYTES)
            .sum()
    }

    /// Turns tracking off for a client. What it has read is forgotten when it changes.
    pub fn stop(&mut self, id: u64) {
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        self.redirects -= usize::from(client.redirect.is_some());
        for prefix in &client.prefixes {
            self.prefixes.remove(prefix, id);
        }
        if self.clients.is_empty() {
            // Nobody is there who could be told of what was read.
            self.table.clear();
        }
    }

    /// The client is gone, for itself and for those who sent it what they would be told.
    pub fn forget(&mut self, id: u64) {
        self.stop(id);
        if self.redirects == 0 {
            return;
        }
        for client in self.clients.values_mut() {
            if let Some(redirect) = &mut client.redirect
                && redirect.id == id
            {
                redirect.slot = None;
            }
        }
    }

    /// The first of these prefixes that overlaps with another one of them or of the client's.
    pub fn overlap(&self, id: u64, prefixes: &[&[u8]]) -> Option<Overlap> {
        let existing = self
            .clients
            .get(&id)
            .map_or(&[][..], |client| &client.prefixes);
        let overlap = |one: &[u8], other: &[u8]| one.starts_with(other) || other.starts_with(one);
        for (at, new) in prefixes.iter().enumerate() {
            let clash = existing.iter().find(|old| overlap(old, new));
            if let Some(old) = clash {
                return Some(Overlap {
                    new: (*new).into(),
                    other: old.clone(),
                    existed: true,
                });
            }
            let later = prefixes.get(at + 1..).unwrap_or_default();
            if let Some(other) = later.iter().find(|other| overlap(other, new)) {
                return Some(Overlap {
                    new: (*new).into(),
                    other: (*other).into(),
                    existed: false,
                });
            }
        }
        None
    }

    /// The client has read the key of this name and hash.
    #[inline]
    pub fn remember(&mut self, id: u64, name: &[u8], hash: u64) {
        let clients = &self.clients;
        self.table
            .add(name, hash, id, |id| clients.contains_key(&id));
    }

    /// Forgets random keys, [`FORGOTTEN_MAX`] at once, until at most `keys_max` (0: no bound) are remembered; whoever read
    /// them is told. Frees a bit of what was forgotten before.
    #[inline]
    pub fn limit(&mut self, keys_max: usize, random: &mut Random, outbox: &mut Outbox) {
        self.table.free_some();
        if keys_max == 0 || self.table.keys() <= keys_max {
            return;
        }
        let above = self.table.keys() - keys_max;
        for _ in 0..above.min(FORGOTTEN_MAX) {
            let Some((name, readers)) = self.table.remove_random(random) else {
                return;
            };
            self.tell_readers(&name, &readers, None, outbox);
        }
    }

    /// A key has changed. `by`: the client whose command did it; `None`: nobody's did.
    pub fn invalidate(&mut self, name: &[u8], hash: u64, by: Option<u64>, outbox: &mut Outbox) {
        self.prefixes.note(name, by);
        if let Some(readers) = self.table.remove(hash) {
            self.tell_readers(name, &readers, by, outbox);
        }
    }

    fn tell_readers(
        &mut self,
        name: &[u8],
        readers: &Readers,
        by: Option<u64>,
        outbox: &mut Outbox,
    ) {
        let mut messages = Messages::default();
        for id in readers.ids() {
            let Some(client) = self.clients.get_mut(id) else {
                continue;
            };
            let own = client.options.no_loop && by == Some(*id);
            if !own && !client.options.broadcast {
                client.tell(&mut messages, outbox, Some([name].into_iter()));
            }
        }
    }

    /// Everything was deleted: every client forgets all that it remembers.
    pub fn invalidate_all(&mut self, outbox: &mut Outbox) {
        let mut messages = Messages::default();
        for client in self.clients.values_mut() {
            client.tell(&mut messages, outbox, EVERYTHING);
        }
        self.table.clear();
    }

    /// Whether [`Self::broadcast`] has something to tell.
    #[inline]
    pub fn has_broadcasts(&self) -> bool {
        self.prefixes.has_news()
    }

    /// Tells clients with BCAST of the names that have changed since the last time.
    pub fn broadcast(&mut self, outbox: &mut Outbox) {
        let clients = &mut self.clients;
        self.prefixes.take_news(|readers, names| {
            let mut messages = Messages::default();
            for id in readers {
                let Some(client) = clients.get_mut(id) else {
                    continue;
                };
                if !client.options.no_loop {
                    client.tell(
                        &mut messages,
                        outbox,
                        Some(names.keys().map(|name| &name[..])),
                    );
                    continue;
                }
                let others = names.iter().filter(|(_, by)| **by != Some(*id));
                let others: Vec<&[u8]> = others.map(|(name, _)| &name[..]).collect();
                if !others.is_empty() {
                    let mut own = Messages::default();
                    client.tell(&mut own, outbox, Some(others.iter().copied()));
                }
            }
        });
    }

    /// Clients that are tracked.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// INFO stats.
    pub fn info(&self, info: &mut Info) {
        info.field("tracking_total_keys", self.table.keys())
            .field("tracking_total_items", self.table.items())
            .field("tracking_total_prefixes", self.prefixes.len());
    }
}

/// One piece of news in the forms in which it was encoded so far: for the readers themselves, and for others.
#[derive(Default)]
struct Messages {
    direct: Option<PushId>,
    redirected: Option<PushId>,
}

impl Tracked {
    /// Tells the client, or the one in its stead, to forget these keys.
    fn tell<'k>(
        &mut self,
        messages: &mut Messages,
        outbox: &mut Outbox,
        keys: Option<impl ExactSizeIterator<Item = &'k [u8]> + Clone>,
    ) {
        let (slot, message) = match self.redirect {
            None => (self.slot, &mut messages.direct),
            Some(Redirect {
                slot: Some(slot), ..
            }) => (slot, &mut messages.redirected),
            Some(Redirect { id, slot: None }) => {
                self.broken = true;
                let message = outbox.pushes.broken_redirect(id);
                return outbox.send(self.slot, message);
            }
        };
        let redirected = self.redirect.is_some();
        let message = *message.get_or_insert_with(|| outbox.pushes.invalidation(keys, redirected));
        outbox.send(slot, message);
    }
}
