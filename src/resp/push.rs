//! Messages out of turn, each encoded once for all who get it: pub/sub messages, invalidations of client-side caches,
//! MONITOR's lines.
//!
//! Nearly all of them differ between the protocols in their first byte alone, so they are kept once and that byte is
//! written over; a long payload is shared by all outputs that carry it and never copied. The encodings lie one behind the other in one buffer, which is
//! used again: a message costs no allocation.
//!
//! ```text
//! arena    *3 message chan $5 hello | *4 pmessage ch* chan $5 hello | ...
//! message  the spans for RESP2 and RESP3, their first bytes ('*' and '>'), perhaps a shared payload that follows
//! ```

use bytes::Bytes;

use super::output::Output;
use super::reply::{Protocol, write_header};

/// A payload of so many bytes is shared by the outputs that carry it. Measured with 10,000 outputs: to copy takes 222 ns at
/// 512 bytes and 437 ns at 1,024, to share 140 ns at any size and some 100 ns more in the kernel, for the longer list.
pub const SHARED_PUSH_MIN_BYTES: usize = 1024;
/// Room of the arena that is kept for the next messages.
const ARENA_KEPT_MAX_BYTES: usize = 256 * 1024;
/// The channel on which clients of RESP2 hear of invalidations.
const INVALIDATION_CHANNEL: &[u8] = b"__redis__:invalidate";

/// The number of a message; good until its [`Pushes`] are cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushId(u32);

/// The last word of a message.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// Bytes that are copied.
    Bytes(&'a [u8]),
    /// Bytes that are shared.
    Shared(Bytes),
}

impl<'a> Payload<'a> {
    /// The payload in the form in which many messages can carry it: one that is long is shared from here on.
    pub fn new(bytes: &'a [u8], shared: Option<&Bytes>) -> Self {
        match shared {
            Some(shared) => Payload::Shared(shared.clone()),
            None if bytes.len() >= SHARED_PUSH_MIN_BYTES => {
                Payload::Shared(Bytes::copy_from_slice(bytes))
            }
            None => Payload::Bytes(bytes),
        }
    }
}

/// Bytes of the arena; none: there is no such form of the message.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
}

#[derive(Debug)]
struct Message {
    /// The forms for RESP2 and RESP3.
    spans: [Span; 2],
    /// Their first bytes.
    firsts: [u8; 2],
    /// Follows the span, with a line end behind it.
    payload: Option<Bytes>,
    /// In RESP2 it is only for clients that have subscribed to something.
    for_subscribers: bool,
}

/// The first bytes of pushes.
const PUSH: [u8; 2] = *b"*>";

impl Span {
    fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl Message {
    fn new(spans: [Span; 2], firsts: [u8; 2]) -> Self {
        Message {
            spans,
            firsts,
            payload: None,
            for_subscribers: false,
        }
    }
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Pushes {
    arena: Vec<u8>,
    messages: Vec<Message>,
    shared_bytes: usize,
}

impl Pushes {
    /// A push of byte strings, the last of which is the payload.
    pub fn bulks(&mut self, words: &[&[u8]], payload: &Payload<'_>) -> PushId {
        let span = self.span(|arena| {
            write_count(arena, words.len() + 1);
            words.iter().for_each(|word| write_bulk(arena, word));
            match payload {
                Payload::Bytes(bytes) => write_bulk(arena, bytes),
                Payload::Shared(bytes) => write_header(arena, b'$', bytes.len()),
            }
        });
        let payload = match payload {
            Payload::Bytes(_) => None,
            Payload::Shared(bytes) => Some(bytes.clone()),
        };
        self.shared_bytes += payload.as_ref().map_or(0, Bytes::len);
        self.add(Message {
            payload,
            ..Message::new([span; 2], PUSH)
        })
    }

    /// A status line, which both protocols write alike.
    pub fn line(&mut self, text: &[u8]) -> PushId {
        let span = self.span(|arena| {
            arena.push(b'+');
            arena.extend_from_slice(text);
            arena.extend_from_slice(b"\r\n");
        });
        self.add(Message::new([span; 2], *b"++"))
    }

    /// Tells a client to forget these keys; `None`: all that it remembers. Whoever speaks RESP2 can hear it only if it is
    /// `redirected` from another client: as a message of a channel.
    pub fn invalidation<'k>(
        &mut self,
        keys: Option<impl ExactSizeIterator<Item = &'k [u8]> + Clone>,
        redirected: bool,
    ) -> PushId {
        let resp3 = self.span(|arena| {
            write_count(arena, 2);
            write_bulk(arena, b"invalidate");
            write_keys(arena, keys.clone(), b"_\r\n");
        });
        let mut resp2 = Span::default();
        if redirected {
            resp2 = self.span(|arena| {
                write_count(arena, 3);
                write_bulk(arena, b"message");
                write_bulk(arena, INVALIDATION_CHANNEL);
                write_keys(arena, keys, b"$-1\r\n");
            });
        }
        self.add(Message {
            for_subscribers: true,
            ..Message::new([resp2, resp3], PUSH)
        })
    }

    /// Tells a client that the client of this id, to which its invalidations go, is gone.
    pub fn broken_redirect(&mut self, id: u64) -> PushId {
        let resp3 = self.span(|arena| {
            write_count(arena, 2);
            write_bulk(arena, b"tracking-redir-broken");
            arena.push(b':');
            arena.extend_from_slice(id.to_string().as_bytes());
            arena.extend_from_slice(b"\r\n");
        });
        self.add(Message::new([Span::default(), resp3], PUSH))
    }

    /// Whether the message is for a client of this protocol; `subscribed`: to any channel or pattern.
    #[inline]
    pub fn is_for(&self, id: PushId, protocol: Protocol, subscribed: bool) -> bool {
        let message = &self.messages[id.0 as usize];
        let hears = subscribed || !message.for_subscribers || protocol == Protocol::Resp3;
        hears && !message.spans[form(protocol)].is_empty()
    }

    /// Puts the message behind what a client has yet to receive.
    #[inline]
    pub fn write(&self, id: PushId, protocol: Protocol, out: &mut Output) {
        let message = &self.messages[id.0 as usize];
        let span = message.spans[form(protocol)];
        let bytes = &self.arena[span.start..span.end];
        let buffer = out.buffer();
        let at = buffer.len();
        buffer.extend_from_slice(bytes);
        if let Some(first) = buffer.get_mut(at) {
            *first = message.firsts[form(protocol)];
        }
        if let Some(payload) = &message.payload {
            out.splice(payload.clone());
            out.buffer().extend_from_slice(b"\r\n");
        }
    }

    /// Bytes of all messages, shared payloads and what is noted of each included.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.arena.len() + self.shared_bytes + self.messages.len() * size_of::<Message>()
    }

    /// Forgets all messages.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.shared_bytes = 0;
        self.arena.clear();
        if self.arena.capacity() > ARENA_KEPT_MAX_BYTES {
            self.arena = Vec::new();
            self.messages = Vec::new();
        }
    }

    /// The span that `write` writes.
    fn span(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.arena.len();
        write(&mut self.arena);
        Span {
            start,
            end: self.arena.len(),
        }
    }

    fn add(&mut self, message: Message) -> PushId {
        self.messages.push(message);
        PushId((self.messages.len() - 1) as u32)
    }
}

/// Which of a message's forms a protocol takes.
#[inline(always)]
fn form(protocol: Protocol) -> usize {
    usize::from(protocol == Protocol::Resp3)
}

/// The header of a push, its first byte to be written over. Pushes have few words.
fn write_count(out: &mut Vec<u8>, count: usize) {
    debug_assert!(count < 10, "the count of a push has one digit");
    out.extend_from_slice(&[b'*', b'0' + count as u8, b'\r', b'\n']);
}

fn write_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    write_header(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn write_keys<'k>(
    out: &mut Vec<u8>,
    keys: Option<impl ExactSizeIterator<Item = &'k [u8]>>,
    null: &[u8],
) {
    match keys {
        None => out.extend_from_slice(null),
        Some(keys) => {
            write_header(out, b'*', keys.len());
            keys.for_each(|key| write_bulk(out, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pushes: &Pushes, id: PushId, protocol: Protocol) -> String {
        let mut out = Output::default();
        pushes.write(id, protocol, &mut out);
        String::from_utf8_lossy(&out.bytes()).into_owned()
    }

    #[test]
    fn a_message_differs_between_the_protocols_in_its_first_byte() {
        let mut pushes = Pushes::default();
        let id = pushes.bulks(&[b"message", b"c"], &Payload::Bytes(b"hi"));
        let tail = "3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
        assert_eq!(written(&pushes, id, Protocol::Resp2), format!("*{tail}"));
        assert_eq!(written(&pushes, id, Protocol::Resp3), format!(">{tail}"));
    }

    #[test]
    fn a_long_payload_is_the_same_memory_in_every_output() {
        let long = vec![b'x'; SHARED_PUSH_MIN_BYTES];
        let payload = Payload::new(&long, None);
        let mut pushes = Pushes::default();
        let id = pushes.bulks(&[b"message", b"c"], &payload);
        let mut outputs = [Output::default(), Output::default()];
        for out in &mut outputs {
            pushes.write(id, Protocol::Resp2, out);
        }
        let Payload::Shared(shared) = payload else {
            panic!("a long payload is shared");
        };
        for out in &outputs {
            assert!(out.pieces().any(|piece| piece.as_ptr() == shared.as_ptr()));
            assert_eq!(out.len(), out.bytes().len());
            assert!(out.len() > long.len());
        }
    }

    #[test]
    fn an_invalidation_reaches_resp2_only_where_it_is_redirected_to_a_subscriber() {
        let mut pushes = Pushes::default();
        let direct = pushes.invalidation(Some([&b"k"[..]].into_iter()), false);
        let redirected = pushes.invalidation(Some([&b"k"[..]].into_iter()), true);
        assert!(pushes.is_for(direct, Protocol::Resp3, false));
        assert!(!pushes.is_for(direct, Protocol::Resp2, true));
        assert!(pushes.is_for(redirected, Protocol::Resp2, true));
        assert!(!pushes.is_for(redirected, Protocol::Resp2, false));
        assert_eq!(
            written(&pushes, redirected, Protocol::Resp2),
            "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n"
        );
        let all = pushes.invalidation(None::<std::array::IntoIter<&[u8], 0>>, false);
        assert_eq!(
            written(&pushes, all, Protocol::Resp3),
            ">2\r\n$10\r\ninvalidate\r\n_\r\n"
        );
    }
}
