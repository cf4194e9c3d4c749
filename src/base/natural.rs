//! Natural numbers of any size: just the operations that reading and printing a long double needs.
//!
//! Only numbers far from 1 come here (more than 19 digits, or exponents beyond 27), so this is simple rather than
//! fast. Limbs are little-endian and the last one is never zero; zero has no limbs. The callers bound the size: a long
//! double needs at most some 24,000 bits.

use std::cmp::Ordering;

/// 10^19, the largest power of ten that fits a limb.
const DECIMAL_CHUNK: u64 = 10_000_000_000_000_000_000;
/// Digits in a decimal chunk.
const DECIMAL_CHUNK_DIGITS: usize = 19;

/// A natural number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Natural {
    limbs: Vec<u64>,
}

impl Natural {
    /// The number that decimal digits (values `b'0'` to `b'9'`) spell.
    pub(super) fn from_decimal(digits: &[u8]) -> Natural {
        let mut number = Natural { limbs: Vec::new() };
        for chunk in digits.chunks(DECIMAL_CHUNK_DIGITS) {
            let (mut value, mut scale) = (0_u64, 1_u64);
            for digit in chunk {
                value = value * 10 + u64::from(digit - b'0');
                scale *= 10;
            }
            number.multiply_add(scale, value);
        }
        number
    }

    /// 5^power.
    pub(super) fn power_of_five(power: u32) -> Natural {
        let mut number = Natural { limbs: vec![1] };
        number.multiply_power_of_five(power);
        number
    }

    /// `value x 2^shift`.
    pub(super) fn shifted(value: u64, shift: usize) -> Natural {
        let limbs = if value == 0 { Vec::new() } else { vec![value] };
        let mut number = Natural { limbs };
        number.shift_left(shift);
        number
    }

    /// Multiplies by 5^power.
    pub(super) fn multiply_power_of_five(&mut self, power: u32) {
        const STEP: u32 = 27;
        for _ in 0..power / STEP {
            self.multiply_add(5_u64.pow(STEP), 0);
        }
        self.multiply_add(5_u64.pow(power % STEP), 0);
    }

    /// Bits up to and with the highest set one.
    pub(super) fn bit_length(&self) -> usize {
        match self.limbs.last() {
            Some(top) => self.limbs.len() * 64 - top.leading_zeros() as usize,
            None => 0,
        }
    }

    /// Multiplies by 2^shift.
    pub(super) fn shift_left(&mut self, shift: usize) {
        let (whole, bits) = (shift / 64, shift % 64);
        if self.limbs.is_empty() || shift == 0 {
            return;
        }
        if bits > 0 {
            let mut carry = 0;
            for limb in &mut self.limbs {
                let out = *limb >> (64 - bits);
                *limb = *limb << bits | carry;
                carry = out;
            }
            if carry > 0 {
                self.limbs.push(carry);
            }
        }
        self.limbs.splice(0..0, std::iter::repeat_n(0, whole));
    }

    /// The highest 128 bits, how many bits lie below them, and whether any of those is set.
    pub(super) fn top_bits(&self) -> (u128, usize, bool) {
        let below = self.bit_length().saturating_sub(128);
        let (whole, bits) = (below / 64, below % 64);
        let limb = |at: usize| u128::from(self.limbs.get(at).copied().unwrap_or(0));
        let low = limb(whole) | limb(whole + 1) << 64;
        let top = if bits == 0 {
            low
        } else {
            low >> bits | limb(whole + 2) << (128 - bits)
        };
        let dropped = self.limbs.iter().take(whole).any(|&limb| limb != 0)
            || limb(whole) & ((1 << bits) - 1) != 0;
        (top, below, dropped)
    }

    /// Divides by `divisor` bit by bit: `steps` quotient bits, starting with the one for equal lengths, and whether
    /// there is a rest. Both must have the same bit length.
    pub(super) fn divide_aligned(mut self, divisor: &Natural, steps: u32) -> (u128, bool) {
        assert!(
            self.bit_length() == divisor.bit_length(),
            "the caller aligned both"
        );
        let mut quotient = 0_u128;
        for _ in 0..steps {
            quotient <<= 1;
            if self.compare(divisor) != Ordering::Less {
                self.subtract(divisor);
                quotient |= 1;
            }
            self.shift_left(1);
        }
        (quotient, !self.limbs.is_empty())
    }

    /// Appends the decimal digits; zero is `0`.
    pub(super) fn write_decimal(mut self, out: &mut Vec<u8>) {
        let mut chunks = Vec::new();
        while !self.limbs.is_empty() {
            chunks.push(self.divide_by_chunk());
        }
        super::number::write_u64(out, chunks.pop().unwrap_or(0));
        for chunk in chunks.into_iter().rev() {
            let missing = DECIMAL_CHUNK_DIGITS - super::number::digits_u64(chunk);
            out.resize(out.len() + missing, b'0');
            super::number::write_u64(out, chunk);
        }
    }

    fn multiply_add(&mut self, factor: u64, summand: u64) {
        let mut carry = u128::from(summand);
        for limb in &mut self.limbs {
            let product = u128::from(*limb) * u128::from(factor) + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
        if carry > 0 {
            self.limbs.push(carry as u64);
        }
    }

    fn divide_by_chunk(&mut self) -> u64 {
        let mut rest = 0_u128;
        for limb in self.limbs.iter_mut().rev() {
            let value = rest << 64 | u128::from(*limb);
            *limb = (value / u128::from(DECIMAL_CHUNK)) as u64;
            rest = value % u128::from(DECIMAL_CHUNK);
        }
        self.trim();
        rest as u64
    }

    fn compare(&self, other: &Natural) -> Ordering {
        let by_length = self.limbs.len().cmp(&other.limbs.len());
        by_length.then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }

    /// Takes away `other`, which must not be larger.
    fn subtract(&mut self, other: &Natural) {
        let mut borrow = false;
        let theirs = other.limbs.iter().copied().chain(std::iter::repeat(0));
        for (limb, their) in self.limbs.iter_mut().zip(theirs) {
            let (once, first) = limb.overflowing_sub(their);
            let (twice, second) = once.overflowing_sub(u64::from(borrow));
            *limb = twice;
            borrow = first || second;
        }
        assert!(!borrow, "the caller compared both");
        self.trim();
    }

    fn trim(&mut self) {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(number: Natural) -> String {
        let mut out = Vec::new();
        number.write_decimal(&mut out);
        String::from_utf8(out).expect("digits are ASCII")
    }

    #[test]
    fn decimal_digits_survive_reading_and_writing() {
        for text in [
            "0",
            "7",
            "18446744073709551615",
            "18446744073709551616",
            "10000000000000000000",
            "100000000000000000000000000000000000000000000000000000000001",
        ] {
            assert_eq!(decimal(Natural::from_decimal(text.as_bytes())), text);
        }
    }

    #[test]
    fn powers_are_exact() {
        assert_eq!(decimal(Natural::power_of_five(0)), "1");
        assert_eq!(
            decimal(Natural::power_of_five(60)),
            "867361737988403547205962240695953369140625"
        );
        assert_eq!(
            decimal(Natural::shifted(3, 130)),
            "4083388403051261561560495289181218537472"
        );
        assert_eq!(decimal(Natural::shifted(0, 130)), "0");
    }

    #[test]
    fn the_top_bits_say_what_lies_below_them() {
        assert_eq!(Natural::shifted(5, 0).top_bits(), (5, 0, false));
        assert_eq!(Natural::shifted(1, 200).top_bits(), (1 << 127, 73, false));
        let mut odd = Natural::shifted(1, 200);
        odd.multiply_add(1, 1);
        assert_eq!(odd.top_bits(), (1 << 127, 73, true));
    }

    #[test]
    fn division_gives_bits_and_a_rest() {
        // 24 / 16 = 1.1 in binary; 20 / 24 (aligned) = 0.110101...
        let (bits, rest) = Natural::shifted(24, 0).divide_aligned(&Natural::shifted(16, 0), 4);
        assert_eq!((bits, rest), (0b1100, false));
        let (bits, rest) = Natural::shifted(20, 0).divide_aligned(&Natural::shifted(24, 0), 7);
        assert_eq!((bits, rest), (0b011_0101, true));
    }
}
