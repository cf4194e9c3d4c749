//! Pub/sub: who listens to which channels, patterns and shard channels, and who gets a message.
//!
//! A name is kept once however many subscribe to it; a pattern is matched once per message. Each client knows its place
//! among the subscribers of a name, so that to subscribe and to leave cost the same among ten clients and ten thousand.
//! Clients are slots: whoever goes is forgotten before its slot is used again.

use crate::base::glob::glob_match;
use crate::observe::Info;
use crate::outbox::Outbox;
use crate::resp::push::Payload;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What can be subscribed to. The three do not know of one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A channel, by its name.
    Channel,
    /// All channels whose names match.
    Pattern,
    /// A channel that belongs to a slot of a cluster.
    Shard,
}

const KINDS: [Kind; 3] = [Kind::Channel, Kind::Pattern, Kind::Shard];

type Name = Arc<[u8]>;
/// The name's subscribers.
type Topics = HashMap<Name, Vec<u32>>;

/// One client's subscriptions, by [`Kind`]: its place among the subscribers of each name.
#[derive(Debug, Default)]
struct Client {
    places: [BTreeMap<Name, u32>; 3],
    /// Bytes of the names, and of keeping them.
    bytes: usize,
}

impl Client {
    fn is_empty(&self) -> bool {
        self.places.iter().all(BTreeMap::is_empty)
    }
}

/// Bytes that a subscription takes besides its name: two entries with a pointer each, and the place.
const SUBSCRIPTION_BYTES: usize = 64;

/// How many subscriptions a client has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Channels.
    pub channels: usize,
    /// Patterns.
    pub patterns: usize,
    /// Shard channels.
    pub shards: usize,
}

impl Counts {
    /// The number that the reply to a change of such a subscription shows.
    pub fn shown(self, kind: Kind) -> usize {
        match kind {
            Kind::Channel | Kind::Pattern => self.channels + self.patterns,
            Kind::Shard => self.shards,
        }
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self.channels + self.patterns + self.shards > 0
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct PubSub {
    topics: [Topics; 3],
    clients: HashMap<u32, Client>,
}

impl PubSub {
    /// Whether nobody listens to anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// `slot` listens to `name` from now on; whether it did not before.
    pub fn subscribe(&mut self, slot: usize, kind: Kind, name: &[u8]) -> bool {
        let slot = slot as u32;
        let client = self.clients.entry(slot).or_default();
        if client.places[kind as usize].contains_key(name) {
            return false;
        }
        let topics = &mut self.topics[kind as usize];
        let name = match topics.get_key_value(name) {
            Some((name, _)) => name.clone(),
            None => Name::from(name),
        };
        let subscribers = topics.entry(name.clone()).or_default();
        client.bytes += name.len() + SUBSCRIPTION_BYTES;
        client.places[kind as usize].insert(name, subscribers.len() as u32);
        subscribers.push(slot);
        true
    }

    /// `slot` leaves `name`; whether it listened to it.
    pub fn unsubscribe(&mut self, slot: usize, kind: Kind, name: &[u8]) -> bool {
        let slot = slot as u32;
        let Some(client) = self.clients.get_mut(&slot) else {
            return false;
        };
        let Some(place) = client.places[kind as usize].remove(name) else {
            return false;
        };
        client.bytes -= name.len() + SUBSCRIPTION_BYTES;
        if client.is_empty() {
            self.clients.remove(&slot);
        }
        self.leave(kind, name, place);
        true
    }

    /// Takes the subscriber at `place` out; the last one takes its place.
    fn leave(&mut self, kind: Kind, name: &[u8], place: u32) {
        let topics = &mut self.topics[kind as usize];
        let subscribers = topics
            .get_mut(name)
            .expect("a name that a client listens to has subscribers");
        subscribers.swap_remove(place as usize);
        let moved = subscribers.get(place as usize).copied();
        if subscribers.is_empty() {
            topics.remove(name);
        }
        let moved = moved.and_then(|slot| self.clients.get_mut(&slot));
        let its_place = moved.and_then(|client| client.places[kind as usize].get_mut(name));
        if let Some(its_place) = its_place {
            *its_place = place;
        }
    }

    /// The names of one kind that `slot` listens to.
    pub fn names_of(&self, slot: usize, kind: Kind) -> Vec<Arc<[u8]>> {
        let client = self.clients.get(&(slot as u32));
        client.map_or(Vec::new(), |client| {
            client.places[kind as usize].keys().cloned().collect()
        })
    }

    /// The client listens to nothing any more.
    pub fn forget(&mut self, slot: usize) {
        for kind in KINDS {
            for name in self.names_of(slot, kind) {
                self.unsubscribe(slot, kind, &name);
            }
        }
    }

    /// How many subscriptions the client has.
    pub fn counts(&self, slot: usize) -> Counts {
        let Some(client) = self.clients.get(&(slot as u32)) else {
            return Counts::default();
        };
        let [channels, patterns, shards] = &client.places;
        Counts {
            channels: channels.len(),
            patterns: patterns.len(),
            shards: shards.len(),
        }
    }

    /// Bytes of the client's subscriptions.
    pub fn bytes_of(&self, slot: usize) -> usize {
        let client = self.clients.get(&(slot as u32));
        client.map_or(0, |client| client.bytes)
    }

    /// Sends a message to all who listen to the channel, by its name or by a pattern; how many times it is received.
    pub fn publish(&self, channel: &[u8], payload: &Payload<'_>, outbox: &mut Outbox) -> usize {
        let mut received = self.publish_as(Kind::Channel, b"message", channel, payload, outbox);
        for (pattern, subscribers) in &self.topics[Kind::Pattern as usize] {
            if glob_match(pattern, channel, false) {
                let words: [&[u8]; 3] = [b"pmessage", pattern, channel];
                let message = outbox.pushes.bulks(&words, payload);
                outbox.send_all(subscribers, message);
                received += subscribers.len();
            }
        }
        received
    }

    /// The same for a shard channel, which has no patterns.
    pub fn publish_to_shard(
        &self,
        channel: &[u8],
        payload: &Payload<'_>,
        outbox: &mut Outbox,
    ) -> usize {
        self.publish_as(Kind::Shard, b"smessage", channel, payload, outbox)
    }

    fn publish_as(
        &self,
        kind: Kind,
        word: &[u8],
        channel: &[u8],
        payload: &Payload<'_>,
        outbox: &mut Outbox,
    ) -> usize {
        let Some(subscribers) = self.topics[kind as usize].get(channel) else {
            return 0;
        };
        let message = outbox.pushes.bulks(&[word, channel], payload);
        outbox.send_all(subscribers, message);
        subscribers.len()
    }

    /// Names of one kind that have subscribers and match, in alphabetical order.
    pub fn matching(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<&[u8]> {
        let names = self.topics[kind as usize].keys().map(|name| &name[..]);
        let matches = |name: &&[u8]| pattern.is_none_or(|pattern| glob_match(pattern, name, false));
        let mut names: Vec<&[u8]> = names.filter(matches).collect();
        names.sort_unstable();
        names
    }

    /// Subscribers of a name.
    pub fn subscribers(&self, kind: Kind, name: &[u8]) -> usize {
        self.topics[kind as usize].get(name).map_or(0, Vec::len)
    }

    /// Patterns that have subscribers.
    pub fn patterns(&self) -> usize {
        self.topics[Kind::Pattern as usize].len()
    }

    /// Clients that listen to anything.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// INFO stats.
    pub fn info(&self, info: &mut Info) {
        let [channels, patterns, shards] = &self.topics;
        info.field("pubsub_channels", channels.len())
            .field("pubsub_patterns", patterns.len())
            .field("pubsubshard_channels", shards.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_leaves_makes_room_for_the_last_and_nobody_is_lost() {
        let mut pubsub = PubSub::default();
        for slot in 0..50 {
            for name in [&b"a"[..], b"b"] {
                assert!(pubsub.subscribe(slot, Kind::Channel, name));
                assert!(!pubsub.subscribe(slot, Kind::Channel, name));
            }
        }
        for slot in (0..50).step_by(3) {
            assert!(pubsub.unsubscribe(slot, Kind::Channel, b"a"));
            assert!(!pubsub.unsubscribe(slot, Kind::Channel, b"a"));
        }
        let mut left = pubsub.topics[0].get(&b"a"[..]).cloned().unwrap_or_default();
        left.sort_unstable();
        let expected: Vec<u32> = (0..50).filter(|slot| slot % 3 != 0).collect();
        assert_eq!(left, expected);
        (0..50).for_each(|slot| pubsub.forget(slot));
        assert!(pubsub.is_empty() && pubsub.topics.iter().all(HashMap::is_empty));
    }

    #[test]
    fn the_bytes_of_a_client_are_those_of_what_it_listens_to() {
        let mut pubsub = PubSub::default();
        pubsub.subscribe(1, Kind::Pattern, b"p*");
        assert_eq!(pubsub.bytes_of(1), SUBSCRIPTION_BYTES + 2);
        pubsub.subscribe(1, Kind::Shard, b"abc");
        pubsub.unsubscribe(1, Kind::Pattern, b"p*");
        assert_eq!(pubsub.bytes_of(1), SUBSCRIPTION_BYTES + 3);
        pubsub.forget(1);
        assert_eq!(pubsub.bytes_of(1), 0);
    }
}
