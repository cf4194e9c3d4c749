//! What a snapshot hands to those who write: parts of a file, in its order. A [`Run`] collects them while they come.

use crate::rdb::Encoder;
use crate::types::Frozen;
use bytes::Bytes;

/// A run cuts off a part when so many bytes have come together.
pub const PART_BYTES: usize = 64 << 10;
/// Smaller parts are appended to what stands before them.
const MERGE_MAX_BYTES: usize = PART_BYTES / 4;

/// A part of a file, whose strings are yet to be compressed.
pub enum Part {
    /// Encoded bytes.
    Encoded(Encoder),
    /// A large string: length and bytes. It belongs to the data set too, so it is no copy.
    String(Bytes),
    /// The body of a value.
    Frozen(Box<dyn Frozen>),
}

impl Part {
    /// Bytes that it keeps from being freed, about.
    pub fn bytes(&self) -> usize {
        match self {
            Part::Encoded(encoder) => encoder.heap_bytes(),
            Part::String(string) => string.len(),
            Part::Frozen(_) => 0,
        }
    }
}

/// Parts in their order; the last one is being written.
#[derive(Default)]
pub(super) struct Run {
    parts: Vec<Part>,
    tail: Encoder,
    /// Nobody wants it any more: whoever would add to it need not.
    pub(super) is_dropped: bool,
}

impl Run {
    /// Where the next bytes go. Who has added some calls [`Self::settle`].
    #[inline]
    pub(super) fn tail(&mut self) -> &mut Encoder {
        &mut self.tail
    }

    /// Cuts the last part off if it is large enough.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.tail.len() >= PART_BYTES {
            self.cut();
        }
    }

    #[cold]
    fn cut(&mut self) {
        let room = PART_BYTES + PART_BYTES / 16;
        let full = self.tail.len() >= PART_BYTES;
        let fresh = if full {
            Encoder::with_capacity(room)
        } else {
            Encoder::default()
        };
        let tail = std::mem::replace(&mut self.tail, fresh);
        self.parts.push(Part::Encoded(tail));
    }

    /// Adds a part that is complete.
    pub(super) fn put(&mut self, part: Part) {
        match part {
            Part::Encoded(encoder) if encoder.len() <= MERGE_MAX_BYTES => {
                self.tail.append(&encoder);
                self.settle();
            }
            part => {
                if !self.tail.is_empty() {
                    self.cut();
                }
                self.parts.push(part);
            }
        }
    }

    /// Adds parts that are complete.
    pub(super) fn put_all(&mut self, parts: impl IntoIterator<Item = Part>) {
        parts.into_iter().for_each(|part| self.put(part));
    }

    /// Moves all that the other has to the end of this.
    pub(super) fn take_from(&mut self, other: &mut Run) {
        other.parts.drain(..).for_each(|part| self.put(part));
        if !other.tail.is_empty() {
            let tail = std::mem::take(&mut other.tail);
            self.put(Part::Encoded(tail));
        }
    }

    /// Moves the parts that the other has completed to the end of this.
    pub(super) fn take_complete_from(&mut self, other: &mut Run) {
        other.parts.drain(..).for_each(|part| self.put(part));
    }

    /// Takes the parts that are complete; `all`: also the one that is being written.
    pub(super) fn take(&mut self, all: bool) -> Vec<Part> {
        if all && !self.tail.is_empty() {
            self.cut();
        }
        std::mem::take(&mut self.parts)
    }

    /// Gives up all it has and will get.
    pub(super) fn abandon(&mut self) {
        *self = Self {
            is_dropped: true,
            ..Self::default()
        };
    }

    /// Bytes that it keeps from being freed, about.
    pub(super) fn bytes(&self) -> usize {
        self.tail.heap_bytes() + self.parts.iter().map(Part::bytes).sum::<usize>()
    }
}
