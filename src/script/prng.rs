//! `math.random`: the 48-bit generator that Redis gives to scripts, so that the same seed leads to the same numbers on
//! every machine (`drand48` of POSIX).

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;
/// The low bits of every seed.
const SEED_TAIL: u64 = 0x330E;
/// One more than the largest number that is drawn.
const RANGE: u64 = 0x7FFF_FFFF;

/// See the head of the file: the state from which the next number comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prng(u64);

impl Prng {
    /// The sequence of this seed.
    pub(super) fn new(seed: i32) -> Self {
        Self((u64::from(seed as u32) << 16) | SEED_TAIL)
    }

    /// The next state, and a number from 0 up to but not including 1.
    pub(super) fn next(self) -> (Self, f64) {
        let state = self.0.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        let drawn = (state >> 17) % RANGE;
        (Self(state), drawn as f64 / RANGE as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_numbers() {
        let (next, first) = Prng::new(5).next();
        assert!((first - 0.524_839_579_372_13).abs() < 1e-12, "{first}");
        assert_ne!(next.next().1, first);
    }
}
