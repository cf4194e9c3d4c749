//! The order of elements by weights, without moving an element.
//!
//! A weight is 64 bits that compare as the number does, or as the first eight bytes of a word do; where two are equal,
//! the words are compared. Elements of equal numbers are ordered by their bytes; of equal words they stay as they came.
//! Where only a part is wanted, the rest is not sorted.

use super::words::Words;
use std::cmp::Ordering;

/// What decides first between two elements. See the head of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Weight(u64);

impl Weight {
    fn of_number(number: f64) -> Self {
        const SIGN: u64 = 1 << 63;
        // Both zeros are one number.
        let bits = (number + 0.0).to_bits();
        Weight(if bits & SIGN == 0 { bits | SIGN } else { !bits })
    }

    fn of_word(word: &[u8]) -> Self {
        let mut first = [0; 8];
        for (to, byte) in first.iter_mut().zip(word) {
            *to = *byte;
        }
        Weight(u64::from_be_bytes(first))
    }
}

/// A decimal number, up to a NUL; nothing is 0.
fn number_of(value: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(before_nul(value)).ok()?;
    if text.is_empty() {
        return Some(0.0);
    }
    text.parse().ok().filter(|number: &f64| !number.is_nan())
}

fn before_nul(word: &[u8]) -> &[u8] {
    let end = word.iter().position(|byte| *byte == 0);
    word.get(..end.unwrap_or(word.len())).unwrap_or(word)
}

/// How elements are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// As words, not as numbers.
    pub(super) alpha: bool,
    /// Words do not end at a NUL.
    pub(super) whole: bool,
    /// The largest first.
    pub(super) descending: bool,
    /// What is compared are other words than the elements.
    pub(super) by_others: bool,
}

/// See the head of the file.
pub(super) struct Order<'e> {
    elements: &'e Words,
    manner: Manner,
    weights: Vec<(Weight, usize)>,
    /// The words in place of the elements, empty where there is none; whether there is one.
    others: Words,
    is_there: Vec<bool>,
}

impl<'e> Order<'e> {
    pub(super) fn new(elements: &'e Words, manner: Manner) -> Self {
        Self {
            elements,
            manner,
            weights: Vec::with_capacity(elements.len()),
            others: Words::default(),
            is_there: Vec::new(),
        }
    }

    /// Adds the value that decides about the next element: what is not there counts as 0, or stands before all words.
    /// Whether it is a number, where numbers are compared.
    #[must_use = "what is no number ends the command"]
    pub(super) fn push(&mut self, value: Option<&[u8]>) -> bool {
        let index = self.weights.len();
        let word = self.compared(value.unwrap_or_default());
        let weight = if self.manner.alpha {
            Some(Weight::of_word(word))
        } else {
            number_of(word).map(Weight::of_number)
        };
        if self.manner.alpha && self.manner.by_others {
            self.others.push(word);
            self.is_there.push(value.is_some());
        }
        self.weights
            .push((weight.unwrap_or(Weight::of_number(0.0)), index));
        weight.is_some()
    }

    /// The part of a word that is compared.
    fn compared<'w>(&self, word: &'w [u8]) -> &'w [u8] {
        if self.manner.whole {
            word
        } else {
            before_nul(word)
        }
    }

    /// The numbers of the elements that come at these places.
    pub(super) fn sorted(mut self, range: std::ops::Range<usize>) -> Vec<usize> {
        let mut weights = std::mem::take(&mut self.weights);
        if range.end < weights.len() {
            weights.select_nth_unstable_by(range.end, |one, other| self.compare(one, other));
            weights.truncate(range.end);
        }
        weights.sort_unstable_by(|one, other| self.compare(one, other));
        let chosen = weights.get(range.start..).unwrap_or_default();
        chosen.iter().map(|(_, index)| *index).collect()
    }

    fn compare(&self, one: &(Weight, usize), other: &(Weight, usize)) -> Ordering {
        let order = one.0.cmp(&other.0);
        let order = order.then_with(|| self.compare_words(one.1, other.1));
        let order = if self.manner.descending {
            order.reverse()
        } else {
            order
        };
        order.then(one.1.cmp(&other.1))
    }

    /// The order of two elements of one weight.
    fn compare_words(&self, one: usize, other: usize) -> Ordering {
        if !self.manner.alpha {
            return self.elements.get(one).cmp(self.elements.get(other));
        }
        if !self.manner.by_others {
            let words = [one, other].map(|index| self.compared(self.elements.get(index)));
            return words[0].cmp(words[1]);
        }
        let there = [one, other].map(|index| self.is_there.get(index));
        let words = || self.others.get(one).cmp(self.others.get(other));
        there[0].cmp(&there[1]).then_with(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Manner = Manner {
        alpha: false,
        whole: false,
        descending: false,
        by_others: false,
    };

    /// The elements in order, of which `range` is wanted; what is compared is `others`, or the elements.
    fn sorted(
        manner: Manner,
        words: &[&str],
        others: Option<&[Option<&str>]>,
        range: std::ops::Range<usize>,
    ) -> String {
        let mut elements = Words::default();
        words.iter().for_each(|word| elements.push(word.as_bytes()));
        let by_others = others.is_some();
        let mut order = Order::new(
            &elements,
            Manner {
                by_others,
                ..manner
            },
        );
        for (index, word) in words.iter().enumerate() {
            let value = others.map_or(Some(*word), |others| others[index]);
            assert!(order.push(value.map(str::as_bytes)), "{value:?}");
        }
        let chosen = order.sorted(range);
        let chosen: Vec<&str> = chosen.iter().map(|index| words[*index]).collect();
        chosen.join(" ")
    }

    #[test]
    fn numbers_are_ordered_by_value_and_equal_ones_by_their_bytes() {
        let words = ["10", "-inf", "2", "-0", "0", "-1.5", "1e1", "inf", "-2"];
        let up = "-inf -2 -1.5 -0 0 2 10 1e1 inf";
        assert_eq!(sorted(NUMBERS, &words, None, 0..9), up);
        let down = Manner {
            descending: true,
            ..NUMBERS
        };
        assert_eq!(
            sorted(down, &words, None, 0..9),
            "inf 1e1 10 2 0 -0 -1.5 -2 -inf"
        );
        assert_eq!(sorted(NUMBERS, &words, None, 2..5), "-1.5 -0 0");
        assert_eq!(sorted(NUMBERS, &words, None, 9..9), "");
    }

    #[test]
    fn words_are_ordered_by_their_bytes_and_equal_ones_stay_as_they_came() {
        let alpha = Manner {
            alpha: true,
            ..NUMBERS
        };
        let words = ["abcdefghi", "abcdefgh", "b", "\u{e9}", "", "abcdefghj", "B"];
        assert_eq!(
            sorted(alpha, &words, None, 0..7),
            " B abcdefgh abcdefghi abcdefghj b \u{e9}"
        );
        let words = ["b\0z", "b\0a", "a"];
        assert_eq!(sorted(alpha, &words, None, 0..3), "a b\0z b\0a");
        let whole = Manner {
            whole: true,
            ..alpha
        };
        assert_eq!(sorted(whole, &words, None, 0..3), "a b\0a b\0z");
        let others = [Some("\u{e9}"), None, Some(""), Some("x"), None];
        let words = ["1", "2", "3", "4", "5"];
        assert_eq!(sorted(alpha, &words, Some(&others), 0..5), "2 5 3 4 1");
        let others = [Some("2"), None, Some("-1"), Some("1"), None];
        assert_eq!(sorted(NUMBERS, &words, Some(&others), 0..5), "3 2 5 4 1");
    }

    #[test]
    fn what_is_no_number_is_told() {
        let elements = Words::default();
        for (word, is_number) in [
            ("", true),
            ("1\0x", true),
            ("+1", true),
            (".5", true),
            ("1e400", true),
            ("Infinity", true),
            (" 1", false),
            ("1 ", false),
            ("0x10", false),
            ("nan", false),
            ("a", false),
        ] {
            let mut order = Order::new(&elements, NUMBERS);
            assert_eq!(order.push(Some(word.as_bytes())), is_number, "{word}");
        }
    }
}
