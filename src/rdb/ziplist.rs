//! What small collections were before listpacks: ziplists (until Redis 6.2) and zipmaps (until 2.4). Only read, and never
//! kept: their elements go into the listpacks of today.
//!
//! ```text
//! ziplist  [ bytes in all u32 | offset of the last entry u32 | entries u16 (65535: count them) | entries | 0xff ]
//! entry    [ size of the one before: 1 byte, or 0xfe + u32 | encoding | data ]
//! encoding 00pppppp | 01pppppp + 1 byte | 0x80 + u32 big-endian: a string of that length
//!          0xc0 i16 | 0xd0 i32 | 0xe0 i64 | 0xf0 i24 | 0xfe i8 | 0xf1 to 0xfd: 0 to 12
//! zipmap   [ pairs u8 | key length, key, value length, free u8, value, free bytes | ... | 0xff ], length: u8 or 0xfe + u32
//! ```

/// An element of a ziplist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A number.
    Int(i64),
    /// Anything else.
    Bytes(&'a [u8]),
}

const HEADER_BYTES: usize = 10;
const END: u8 = 0xff;
const LONG: u8 = 0xfe;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Gives every element of the ziplist in `bytes` to `visit`; `None` if the bytes are none, after some were given perhaps.
pub fn visit_ziplist<'a>(bytes: &'a [u8], mut visit: impl FnMut(Entry<'a>)) -> Option<()> {
    let (head, mut rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let [a, b, c, d, e, f, g, h, low, high] = *head.first_chunk()?;
    let (told_bytes, told_last) = (
        u32::from_le_bytes([a, b, c, d]) as usize,
        u32::from_le_bytes([e, f, g, h]) as usize,
    );
    let told_count = u16::from_le_bytes([low, high]);
    let (mut count, mut before, mut last) = (0usize, 0, HEADER_BYTES);
    loop {
        let (first, after) = rest.split_first()?;
        if *first == END {
            rest = after;
            break;
        }
        let at = bytes.len() - rest.len();
        let (told_before, after) = match *first {
            LONG => {
                let (size, after) = after.split_first_chunk()?;
                (u32::from_le_bytes(*size) as usize, after)
            }
            short => (usize::from(short), after),
        };
        let (entry, after) = entry(after)?;
        if told_before != before {
            return None;
        }
        visit(entry);
        (before, last, count) = (rest.len() - after.len(), at, count + 1);
        rest = after;
    }
    let is_true = rest.is_empty()
        && told_bytes == bytes.len()
        && told_last == last
        && (told_count == COUNT_UNKNOWN || usize::from(told_count) == count);
    is_true.then_some(())
}

fn entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = match first >> 6 {
        0 => (usize::from(first & 0x3f), rest),
        1 => {
            let (low, rest) = rest.split_first()?;
            (usize::from(first & 0x3f) << 8 | usize::from(*low), rest)
        }
        2 if *first == 0x80 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from_be_bytes(*length) as usize, rest)
        }
        _ => return int(*first, rest).map(|(value, rest)| (Entry::Int(value), rest)),
    };
    let (string, rest) = rest.split_at_checked(length)?;
    Some((Entry::Bytes(string), rest))
}

fn int(encoding: u8, rest: &[u8]) -> Option<(i64, &[u8])> {
    fn wide<const N: usize>(rest: &[u8]) -> Option<(i64, &[u8])> {
        let (bytes, rest) = rest.split_first_chunk::<N>()?;
        let mut all = [0; 8];
        all[8 - N..].copy_from_slice(bytes);
        Some((i64::from_le_bytes(all) >> (8 * (8 - N)), rest))
    }
    match encoding {
        0xc0 => wide::<2>(rest),
        0xd0 => wide::<4>(rest),
        0xe0 => wide::<8>(rest),
        0xf0 => wide::<3>(rest),
        0xfe => wide::<1>(rest),
        0xf1..=0xfd => Some((i64::from(encoding - 0xf1), rest)),
        _ => None,
    }
}

/// Gives every key and value of the zipmap in `bytes` to `visit`; `None` if the bytes are none, after some were given
/// perhaps.
pub fn visit_zipmap<'a>(bytes: &'a [u8], mut visit: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
    let (told, mut rest) = bytes.split_first()?;
    let mut count = 0usize;
    loop {
        if let [END] = rest {
            break;
        }
        let (key, after) = zipmap_string(rest, false)?;
        let (value, after) = zipmap_string(after, true)?;
        visit(key, value);
        rest = after;
        count += 1;
    }
    (*told >= LONG || usize::from(*told) == count).then_some(())
}

fn zipmap_string(bytes: &[u8], has_free: bool) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = match *first {
        END => return None,
        LONG => {
            let (length, rest) = rest.split_first_chunk()?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        short => (usize::from(short), rest),
    };
    let (free, rest) = match has_free {
        true => {
            let (free, rest) = rest.split_first()?;
            (usize::from(*free), rest)
        }
        false => (0, rest),
    };
    let (string, rest) = rest.split_at_checked(length)?;
    Some((string, rest.get(free..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(bytes: &[u8]) -> Option<Vec<String>> {
        let mut all = Vec::new();
        visit_ziplist(bytes, |entry| {
            all.push(match entry {
                Entry::Int(value) => value.to_string(),
                Entry::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            });
        })?;
        Some(all)
    }

    /// As Redis 6.2 wrote it for `RPUSH l 0 12 13 -200 70000 hello`.
    fn ziplist() -> Vec<u8> {
        let entries: &[&[u8]] = &[
            &[0, 0xf1],
            &[2, 0xfd],
            &[2, 0xfe, 13],
            &[3, 0xc0, 0x38, 0xff],
            &[4, 0xf0, 0x70, 0x11, 0x01],
            b"\x05\x05hello",
        ];
        let entries = entries.concat();
        let total = HEADER_BYTES + entries.len() + 1;
        let last = total - 1 - 7;
        let mut bytes = (total as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(&(last as u32).to_le_bytes());
        bytes.extend_from_slice(&6u16.to_le_bytes());
        bytes.extend_from_slice(&entries);
        bytes.push(END);
        bytes
    }

    #[test]
    fn every_encoding_is_read() {
        let expected = ["0", "12", "13", "-200", "70000", "hello"].map(String::from);
        assert_eq!(elements(&ziplist()), Some(expected.to_vec()));
    }

    #[test]
    fn a_lie_or_a_cut_is_found() {
        let good = ziplist();
        for at in 0..good.len() {
            assert!(elements(&good[..at]).is_none(), "cut at {at}");
        }
        for at in 0..HEADER_BYTES {
            let mut bad = good.clone();
            bad[at] ^= 3;
            assert!(elements(&bad).is_none(), "byte {at}");
        }
    }

    #[test]
    fn zipmaps_have_free_bytes_behind_values() {
        let bytes = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world..\xff";
        let mut pairs = Vec::new();
        assert!(visit_zipmap(bytes, |key, value| pairs.push((key, value))).is_some());
        assert_eq!(pairs, [(&b"foo"[..], &b"bar"[..]), (b"hello", b"world")]);
        for at in 0..bytes.len() {
            assert!(visit_zipmap(&bytes[..at], |_, _| ()).is_none());
        }
    }
}
