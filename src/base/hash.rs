//! The hash of keys and members: SipHash-1-3 under a 128-bit secret.
//!
//! Keyed against flooding: who does not know the secret cannot choose keys that meet in one bucket, so each process
//! draws its own. The hash is no checksum and no signature, and nothing that is stored may depend on it.

use siphasher::sip::SipHasher13;

/// Hashes byte strings under a fixed secret.
#[derive(Clone, Copy, Debug)]
pub struct Hasher {
    keyed: SipHasher13,
}

impl Hasher {
    /// A hasher with the secret `k0`, `k1`; equal secrets give equal hashes.
    #[inline]
    pub fn new(k0: u64, k1: u64) -> Hasher {
        let keyed = SipHasher13::new_with_keys(k0, k1);
        Hasher { keyed }
    }

    /// The 64-bit hash of `bytes`; all 64 bits are equally good.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        self.keyed.hash(bytes)
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
}
