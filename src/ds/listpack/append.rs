//! Adds many elements at the end of a listpack in one go: the header and the end mark are written once.

use super::entry::{Encoded, number_of};
use super::{END, Listpack};

/// Adds elements until it is dropped; see the head of the file.
pub struct Appender<'l> {
    listpack: &'l mut Listpack,
    /// Elements when it has ended.
    len: usize,
}

impl Listpack {
    /// Begins to add elements at the end.
    #[inline]
    pub fn append_many(&mut self) -> Appender<'_> {
        self.start();
        let len = self.pack().len();
        self.0.pop();
        Appender {
            listpack: self,
            len,
        }
    }
}

impl Appender<'_> {
    /// Adds a word; a number in its shortest form is kept as one.
    #[inline]
    pub fn push(&mut self, word: &[u8]) {
        match number_of(word) {
            Some(value) => self.push_int(value),
            None if word.len() < 64 => {
                // Most words by far: one byte in front, one behind.
                let length = word.len() as u8;
                let bytes = &mut self.listpack.0;
                bytes.reserve(word.len() + 2);
                bytes.push(0x80 | length);
                bytes.extend_from_slice(word);
                bytes.push(length + 1);
                self.len += 1;
            }
            None => self.put(Encoded::word(word)),
        }
    }

    /// Adds a number.
    #[inline]
    pub fn push_int(&mut self, value: i64) {
        if let 0..=127 = value {
            self.listpack.0.extend_from_slice(&[value as u8, 1]);
            self.len += 1;
            return;
        }
        self.put(Encoded::int(value));
    }

    #[inline]
    fn put(&mut self, entry: Encoded<'_>) {
        entry.append_to(&mut self.listpack.0);
        self.len += 1;
    }
}

impl Drop for Appender<'_> {
    #[inline]
    fn drop(&mut self) {
        self.listpack.0.push(END);
        self.listpack.write_header(self.len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_elements_at_once_give_the_bytes_of_one_after_another() {
        let long = vec![b'x'; 5000];
        let words: [&[u8]; 7] = [
            b"",
            b"a",
            b"12",
            b"-70000",
            &long[..63],
            &long[..200],
            &long,
        ];
        let mut one_by_one = Listpack::new();
        let mut at_once = Listpack::new();
        at_once.append_many();
        assert!(at_once.pack().is_empty());
        for _ in 0..2 {
            words.iter().for_each(|word| one_by_one.push_back(word));
            one_by_one.push_back_int(i64::MIN);
            let mut appender = at_once.append_many();
            words.iter().for_each(|word| appender.push(word));
            appender.push_int(i64::MIN);
        }
        assert_eq!(at_once.pack().bytes(), one_by_one.pack().bytes());
    }
}
