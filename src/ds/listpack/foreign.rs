//! Listpacks from servers that give some entries a back length of another width.
//!
//! Redis gives the largest size of two, three and four bytes one byte more than it needs, and so do we; Valkey 9 does not.
//! Only entries of exactly 16383, 2097151 and 268435455 bytes differ: such a listpack is made anew, element by element.

use super::entry::{back_length_bytes, checked_size, decode, size_before};
use super::{Corrupt, END, HEADER_BYTES, LISTPACK_MAX_BYTES, Listpack, Pack};

impl Listpack {
    /// The listpack in bytes from outside, if every length in it is true: the same bytes, or, where back lengths have
    /// another width, others with the same elements.
    pub fn of_foreign(bytes: Vec<u8>) -> Result<Self, Corrupt> {
        if bytes.len() > LISTPACK_MAX_BYTES {
            let reason = "longer than any";
            return Err(Corrupt { at: 0, reason });
        }
        match Pack::check(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(corrupt) => rebuilt(&bytes).ok_or(corrupt),
        }
    }
}

/// The same elements with back lengths of our widths.
fn rebuilt(bytes: &[u8]) -> Option<Listpack> {
    let pack = Pack(bytes);
    let mut listpack = Listpack::new();
    let mut at = HEADER_BYTES;
    while *bytes.get(at)? != END {
        let size = checked_size(bytes, at)?;
        let end = at + size;
        let ours = back_length_bytes(size);
        let back = [ours, ours.saturating_sub(1).max(1)]
            .into_iter()
            .find(|back| size_before(bytes, end + back) == Some(size))?;
        listpack.push_back_element(decode(bytes, at).0);
        at = end + back;
    }
    let told = pack.told_count();
    let is_true = at + 1 == bytes.len()
        && pack.told_bytes() == bytes.len()
        && (told == super::COUNT_UNKNOWN || usize::from(told) == listpack.pack().len());
    is_true.then_some(listpack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_with_the_short_back_length_of_valkey_9_is_read() {
        let word = vec![b'x'; 16383 - 5];
        let mut ours = Listpack::new();
        ours.push_back(&word);
        ours.push_back(b"next");
        let mut theirs = ours.pack().bytes().to_vec();
        // [header 6][entry 16383][back length 3]...
        let at = 6 + 16383;
        theirs.splice(at..at + 3, [0x7f, 0xff]);
        let length = u32::try_from(theirs.len()).expect("it is short");
        theirs[..4].copy_from_slice(&length.to_le_bytes());
        assert!(Pack::check(&theirs).is_err());
        let read = Listpack::of_foreign(theirs.clone()).map(|pack| pack.pack().bytes().to_vec());
        assert_eq!(read, Ok(ours.pack().bytes().to_vec()));
        theirs[at] = 0x7e;
        assert!(Listpack::of_foreign(theirs).is_err());
    }
}
