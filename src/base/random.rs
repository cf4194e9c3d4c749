//! Chance from a seed: xoshiro256**, filled from the seed by splitmix64.
//!
//! The same seed gives the same draws on every machine, so a seed replays a run. It is fast and evenly spread, and it
//! is no source of secrets: keys and tokens that must not be guessed start from [`seed_from_os`] and are not derived
//! from one another. Source: Blackman and Vigna, <https://prng.di.unimi.it/>.

/// The chance of one server, in parts that tell nothing of one another: what clients see of ids and samples must not lead
/// to the secret of the key hash.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The 128-bit secret of the key hash.
    pub hash: [u64; 2],
    /// Decides samples and random keys.
    pub samples: u64,
    /// Decides ids that are published.
    pub ids: u64,
}

impl Seeds {
    /// Drawn from the operating system, each part on its own.
    pub fn from_os() -> Seeds {
        Seeds {
            hash: [seed_from_os(), seed_from_os()],
            samples: seed_from_os(),
            ids: seed_from_os(),
        }
    }

    /// For tests: a number replays a run.
    pub fn fixed(number: u64) -> Seeds {
        Seeds {
            hash: [number, !number],
            samples: number,
            ids: number,
        }
    }
}

/// A seeded generator of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The generator that `seed` names; every seed is as good as any other.
    pub fn from_seed(seed: u64) -> Random {
        let mut counter = seed;
        let state = std::array::from_fn(|_| splitmix64(&mut counter));
        Random { state }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let s2 = s2 ^ s0;
        let s3 = s3 ^ s1;
        self.state = [s0 ^ s3, s1 ^ s2, s2 ^ (s1 << 17), s3.rotate_left(45)];
        result
    }

    /// A number from 0 to `n - 1`, each equally likely.
    ///
    /// The high half of `random x n` is the draw; the few products whose low half would favour some results are drawn
    /// again (Lemire, "Fast random integer generation in an interval").
    ///
    /// # Panics
    /// If `n` is 0: there is nothing to choose from.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a choice among nothing");
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let uneven = n.wrapping_neg() % n;
            while (product as u64) < uneven {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// Fills `out` with random bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }

    /// `len` random hexadecimal digits in lower case, as run ids and node names are made of.
    pub fn hex(&mut self, len: usize) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        (0..len)
            .map(|_| char::from(DIGITS[(self.next_u64() >> 60) as usize]))
            .collect()
    }
}

/// Chooses some of many in one pass, every choice with the same probability (Knuth's algorithm S).
#[derive(Clone, Debug)]
pub struct Choice {
    wanted: u64,
    left: u64,
}

impl Choice {
    /// `wanted` of `all`; all if there are no more.
    pub fn new(wanted: usize, all: usize) -> Self {
        Self {
            wanted: wanted.min(all) as u64,
            left: all as u64,
        }
    }

    /// Whether the next one is chosen.
    #[inline]
    pub fn takes_next(&mut self, random: &mut Random) -> bool {
        let takes =
            self.wanted == self.left || self.wanted > 0 && random.below(self.left) < self.wanted;
        self.left = self.left.saturating_sub(1);
        self.wanted -= u64::from(takes && self.wanted > 0);
        takes
    }
}

/// A seed from the operating system's entropy.
///
/// # Panics
/// If the kernel has no `getrandom`, which every Linux since 3.17 has.
pub fn seed_from_os() -> u64 {
    let mut bytes = [0; 8];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("no entropy from the operating system: {error}"),
        }
    }
    u64::from_le_bytes(bytes)
}

fn splitmix64(counter: &mut u64) -> u64 {
    *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *counter;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays_its_draws() {
        let mut first = Random::from_seed(42);
        let mut second = Random::from_seed(42);
        let mut other = Random::from_seed(43);
        let draws: Vec<u64> = (0..100).map(|_| first.next_u64()).collect();
        assert!(draws.iter().all(|&draw| draw == second.next_u64()));
        assert!(draws.iter().any(|&draw| draw != other.next_u64()));
    }

    #[test]
    fn the_generator_is_xoshiro256_starstar() {
        // First outputs for the state 1, 2, 3, 4 as computed by hand from the recurrence.
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        assert_eq!(random.next_u64(), 11_520);
        assert_eq!(random.next_u64(), 0);
        assert_eq!(random.next_u64(), 1_509_978_240);
    }

    #[test]
    fn splitmix64_expands_the_seed_as_published() {
        let mut counter = 1_234_567;
        assert_eq!(splitmix64(&mut counter), 6_457_827_717_110_365_317);
        assert_eq!(splitmix64(&mut counter), 3_203_168_211_198_807_973);
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_all_of_it_evenly() {
        let mut random = Random::from_seed(1);
        let mut seen = [0_u32; 7];
        for _ in 0..70_000 {
            seen[random.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (9_500..10_500).contains(&count)));
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn a_bound_near_the_top_does_not_favour_low_numbers() {
        let mut random = Random::from_seed(2);
        let bound = 3 << 62;
        let low = (0..30_000)
            .filter(|_| random.below(bound) < bound / 3)
            .count();
        assert!((9_500..10_500).contains(&low), "{low}");
    }

    #[test]
    fn fill_reaches_every_byte_of_any_length() {
        let mut random = Random::from_seed(3);
        for length in 0..40 {
            let mut touched = vec![false; length];
            for _ in 0..20 {
                let mut bytes = vec![0; length];
                random.fill(&mut bytes);
                for (mark, &byte) in touched.iter_mut().zip(&bytes) {
                    *mark |= byte != 0;
                }
            }
            assert!(touched.iter().all(|&mark| mark));
        }
    }

    #[test]
    fn hex_has_the_length_asked_for_and_lower_case_digits() {
        let id = Random::from_seed(4).hex(40);
        assert_eq!(id.len(), 40);
        assert!(
            id.bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        );
        assert_eq!(Random::from_seed(4).hex(0), "");
    }

    #[test]
    fn the_operating_system_gives_different_seeds() {
        assert_ne!(seed_from_os(), seed_from_os());
    }
}
