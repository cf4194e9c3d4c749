//! The hash of keys and members: SipHash-1-3 under a 128-bit secret.
//!
//! Keyed against flooding: who does not know the secret cannot choose keys that meet in one bucket, so each process
//! draws its own. The hash is no checksum and no signature, and nothing that is stored may depend on it.

/// Hashes byte strings under a fixed secret.
#[derive(Clone, Copy, Debug)]
pub struct Hasher {
    /// The state before the first word.
    start: State,
}

#[derive(Clone, Copy, Debug)]
struct State([u64; 4]);

impl State {
    #[inline(always)]
    fn round(&mut self) {
        let [v0, v1, v2, v3] = &mut self.0;
        *v0 = v0.wrapping_add(*v1);
        *v2 = v2.wrapping_add(*v3);
        *v1 = v1.rotate_left(13) ^ *v0;
        *v3 = v3.rotate_left(16) ^ *v2;
        *v0 = v0.rotate_left(32).wrapping_add(*v3);
        *v2 = v2.wrapping_add(*v1);
        *v3 = v3.rotate_left(21) ^ *v0;
        *v1 = v1.rotate_left(17) ^ *v2;
        *v2 = v2.rotate_left(32);
    }

    #[inline(always)]
    fn absorb(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }
}

impl Hasher {
    /// A hasher with the secret `k0`, `k1`; equal secrets give equal hashes.
    #[inline]
    pub fn new(k0: u64, k1: u64) -> Hasher {
        // "somepseudorandomlygeneratedbytes", the constants of the paper.
        let start = State([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ]);
        Hasher { start }
    }

    /// The 64-bit hash of `bytes`; all 64 bits are equally good.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        let mut state = self.start;
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            state.absorb(u64::from_le_bytes(*word));
        }
        state.absorb(last_word(bytes, tail));
        state.0[2] ^= 0xff;
        (0..3).for_each(|_| state.round());
        let [v0, v1, v2, v3] = state.0;
        v0 ^ v1 ^ v2 ^ v3
    }
}

/// The bytes behind the last whole word, and the length in the highest byte.
#[inline(always)]
fn last_word(bytes: &[u8], tail: &[u8]) -> u64 {
    let length = (bytes.len() as u64) << 56;
    match bytes.last_chunk::<8>() {
        // The end of the last eight bytes is the tail: no loop.
        Some(last) => {
            let unused = 64 - 8 * tail.len() as u32;
            length | u64::from_le_bytes(*last).unbounded_shr(unused)
        }
        None => {
            tail.iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u64::from(*byte))
                | length
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_same_secret_gives_the_same_hash_and_another_secret_another() {
        let hasher = Hasher::new(1, 2);
        assert_eq!(hasher.hash(b"key"), Hasher::new(1, 2).hash(b"key"));
        assert_ne!(hasher.hash(b"key"), Hasher::new(1, 3).hash(b"key"));
        assert_ne!(hasher.hash(b"key"), Hasher::new(2, 2).hash(b"key"));
    }

    #[test]
    fn the_hash_is_siphash_1_3() {
        // The key 00 01 .. 0f of the SipHash paper and the empty text.
        let hasher = Hasher::new(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        assert_eq!(hasher.hash(b""), 0xabac_0158_050f_c4dc);
        assert_eq!(hasher.hash(&[0]), 0xc9f4_9bf3_7d57_ca93);
    }

    #[test]
    fn neighbouring_keys_of_every_length_do_not_collide() {
        let hasher = Hasher::new(7, 8);
        let mut seen = HashSet::new();
        for length in 0..64_usize {
            for last in 0..=255_u8 {
                let mut key = vec![b'k'; length];
                key.push(last);
                assert!(seen.insert(hasher.hash(&key)));
            }
        }
    }

    #[test]
    fn every_length_hashes_as_the_siphasher_crate_has_it() {
        let bytes: Vec<u8> = (0..100_u8).map(|n| n.wrapping_mul(7)).collect();
        for length in 0..bytes.len() {
            let expected = siphasher::sip::SipHasher13::new_with_keys(5, 6).hash(&bytes[..length]);
            assert_eq!(
                Hasher::new(5, 6).hash(&bytes[..length]),
                expected,
                "{length}"
            );
        }
    }
}
