//! One entry of a listpack: its encodings, drawn at the head of [`super`].

use crate::base::number;

/// The longest decimal form of an `i64`.
const INT_MAX_DIGITS: usize = 20;

/// An element as it is kept: what looks like a number in its shortest form is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    /// A number.
    Int(i64),
    /// Anything else.
    Bytes(&'a [u8]),
}

impl<'a> Element<'a> {
    /// The element's bytes; a number is written into `room`.
    #[inline]
    pub fn bytes<'b>(self, room: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Element::Bytes(bytes) => bytes,
            Element::Int(value) => {
                room.clear();
                number::write_i64(room, value);
                room
            }
        }
    }

    /// The element's bytes in an allocation of their own.
    pub fn to_vec(self) -> Vec<u8> {
        match self {
            Element::Bytes(bytes) => bytes.to_vec(),
            Element::Int(value) => {
                let mut bytes = Vec::with_capacity(INT_MAX_DIGITS);
                number::write_i64(&mut bytes, value);
                bytes
            }
        }
    }

    /// Appends the element's bytes.
    #[inline]
    pub fn append_to(self, to: &mut Vec<u8>) {
        match self {
            Element::Bytes(bytes) => to.extend_from_slice(bytes),
            Element::Int(value) => number::write_i64(to, value),
        }
    }

    /// The number that the element is, if it is one.
    #[inline]
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Element::Int(value) => Some(value),
            Element::Bytes(bytes) => number::parse_i64(bytes),
        }
    }

    /// Bytes of its text.
    #[inline]
    pub fn text_bytes(self) -> usize {
        match self {
            Element::Bytes(bytes) => bytes.len(),
            Element::Int(value) => {
                number::digits_u64(value.unsigned_abs()) + usize::from(value < 0)
            }
        }
    }
}

/// The number whose shortest decimal form `word` is.
#[inline]
pub(super) fn number_of(word: &[u8]) -> Option<i64> {
    if word.len() > INT_MAX_DIGITS || !matches!(word, [b'0'..=b'9' | b'-', ..]) {
        return None;
    }
    number::parse_i64(word)
}

/// An entry on its way into a listpack: encoding and data in front, then the word's bytes, then the back length.
pub(in crate::ds) struct Encoded<'a> {
    head: [u8; 9],
    head_bytes: usize,
    tail: &'a [u8],
}

impl<'a> Encoded<'a> {
    #[inline]
    pub(in crate::ds) fn word(word: &'a [u8]) -> Self {
        match number_of(word) {
            Some(value) => Self::int(value),
            None => Self::string(word),
        }
    }

    #[inline]
    pub(in crate::ds) fn element(element: Element<'a>) -> Self {
        match element {
            Element::Int(value) => Self::int(value),
            Element::Bytes(bytes) => Self::string(bytes),
        }
    }

    #[inline]
    fn string(word: &'a [u8]) -> Self {
        let length = word.len();
        let mut head = [0; 9];
        let head_bytes = match length {
            0..64 => {
                head[0] = 0x80 | length as u8;
                1
            }
            64..4096 => {
                head[..2].copy_from_slice(&(0xe000 | length as u16).to_be_bytes());
                2
            }
            _ => {
                let length = u32::try_from(length).expect("a word is at most 512 MiB");
                head[0] = 0xf0;
                head[1..5].copy_from_slice(&length.to_le_bytes());
                5
            }
        };
        Self {
            head,
            head_bytes,
            tail: word,
        }
    }

    #[inline]
    pub(super) fn int(value: i64) -> Self {
        let mut head = [0; 9];
        let bytes = value.to_le_bytes();
        let wide = |head: &mut [u8; 9], code: u8, width: usize| {
            head[0] = code;
            head[1..=width].copy_from_slice(&bytes[..width]);
            width + 1
        };
        let head_bytes = match value {
            0..=127 => {
                head[0] = value as u8;
                1
            }
            -4096..=4095 => {
                head[..2].copy_from_slice(&(0xc000 | value as u16 & 0x1fff).to_be_bytes());
                2
            }
            -0x8000..=0x7fff => wide(&mut head, 0xf1, 2),
            -0x80_0000..=0x7f_ffff => wide(&mut head, 0xf2, 3),
            -0x8000_0000..=0x7fff_ffff => wide(&mut head, 0xf3, 4),
            _ => wide(&mut head, 0xf4, 8),
        };
        Self {
            head,
            head_bytes,
            tail: &[],
        }
    }

    /// Bytes of the whole entry.
    #[inline]
    pub(in crate::ds) fn bytes(&self) -> usize {
        let size = self.head_bytes + self.tail.len();
        size + back_length_bytes(size)
    }

    /// Writes the entry; `to` has exactly its size.
    #[inline]
    pub(in crate::ds) fn write(&self, to: &mut [u8]) {
        let size = self.head_bytes + self.tail.len();
        to[..self.head_bytes].copy_from_slice(&self.head[..self.head_bytes]);
        to[self.head_bytes..size].copy_from_slice(self.tail);
        let mut rest = size;
        let (first, others) = to[size..]
            .split_first_mut()
            .expect("a back length has a byte");
        for byte in others.iter_mut().rev() {
            *byte = (rest & 0x7f) as u8 | 0x80;
            rest >>= 7;
        }
        *first = rest as u8;
    }

    /// Appends the entry.
    #[inline]
    pub(super) fn append_to(&self, to: &mut Vec<u8>) {
        let size = self.head_bytes + self.tail.len();
        to.reserve(size + 5);
        to.extend_from_slice(&self.head[..self.head_bytes]);
        to.extend_from_slice(self.tail);
        if size < 0x80 {
            return to.push(size as u8);
        }
        let groups = back_length_bytes(size);
        to.push((size >> (7 * (groups - 1))) as u8);
        for group in (0..groups - 1).rev() {
            to.push((size >> (7 * group)) as u8 & 0x7f | 0x80);
        }
    }
}

/// Bytes of the back length of an entry of `size` bytes. Redis gives the largest size of two to four bytes one more.
#[inline]
pub(super) fn back_length_bytes(size: usize) -> usize {
    match size {
        0..0x80 => 1,
        0x80..0x3fff => 2,
        0x3fff..0x1f_ffff => 3,
        0x1f_ffff..0x0fff_ffff => 4,
        _ => 5,
    }
}

/// The size of the entry whose back length ends before `end`; `None` where it ends nowhere.
#[inline]
pub(super) fn size_before(bytes: &[u8], end: usize) -> Option<usize> {
    let mut size = 0;
    for (position, byte) in bytes.get(..end)?.iter().rev().take(5).enumerate() {
        size |= usize::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

/// Bytes of the entry at `at` without its back length.
#[inline]
pub(super) fn size_of(bytes: &[u8], at: usize) -> usize {
    let first = bytes[at];
    match first {
        0..0x80 => 1,
        0x80..0xc0 => 1 + usize::from(first & 0x3f),
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 2 + (usize::from(first & 0x0f) << 8 | usize::from(bytes[at + 1])),
        0xf0 => 5 + u32::from_le_bytes(fixed(bytes, at + 1)) as usize,
        0xf1 => 3,
        0xf2 => 4,
        0xf3 => 5,
        0xf4 => 9,
        _ => unreachable!("no such encoding"),
    }
}

/// The same for bytes from outside: `None` if the entry does not end within them or has no known encoding.
pub(super) fn checked_size(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at)?;
    let head = match first {
        0xe0..0xf0 => 2,
        0xf0 => 5,
        0xf5.. => return None,
        _ => 1,
    };
    bytes.get(at..at.checked_add(head)?)?;
    let size = size_of(bytes, at);
    bytes.get(at..at.checked_add(size)?)?;
    Some(size)
}

#[inline]
fn fixed<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    match bytes[at..].first_chunk() {
        Some(chunk) => *chunk,
        None => unreachable!("the entry lies in the listpack"),
    }
}

/// The element at `at` and the size of its entry without the back length.
#[inline]
pub(super) fn decode(bytes: &[u8], at: usize) -> (Element<'_>, usize) {
    let first = bytes[at];
    if first & 0xc0 == 0x80 {
        let length = usize::from(first & 0x3f);
        return (Element::Bytes(&bytes[at + 1..at + 1 + length]), 1 + length);
    }
    if first < 0x80 {
        return (Element::Int(i64::from(first)), 1);
    }
    let size = size_of(bytes, at);
    let value = match first {
        0xc0..0xe0 => {
            let bits = u16::from_be_bytes([first, bytes[at + 1]]) << 3;
            i64::from(bits as i16 >> 3)
        }
        0xe0..0xf0 => return (Element::Bytes(&bytes[at + 2..at + size]), size),
        0xf0 => return (Element::Bytes(&bytes[at + 5..at + size]), size),
        0xf1 => i64::from(i16::from_le_bytes(fixed(bytes, at + 1))),
        0xf2 => {
            let [a, b, c] = fixed(bytes, at + 1);
            i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)
        }
        0xf3 => i64::from(i32::from_le_bytes(fixed(bytes, at + 1))),
        _ => i64::from_le_bytes(fixed(bytes, at + 1)),
    };
    (Element::Int(value), size)
}
