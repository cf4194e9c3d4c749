//! MurmurHash64A, the 64-bit hash of Austin Appleby's MurmurHash2 family, for data whose format prescribes it.
//!
//! It has no secret: who chooses the input can make collisions. Tables use [`super::hash`].

const M: u64 = 0xc6a4_a793_5bd1_e995;
const R: u32 = 47;

/// The hash of `bytes`; words are read with the lowest byte first on every machine.
#[inline]
pub fn murmur64a(bytes: &[u8], seed: u64) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(M);
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(M);
        word ^= word >> R;
        hash = (hash ^ word.wrapping_mul(M)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let word = rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = (hash ^ word).wrapping_mul(M);
    }
    hash = (hash ^ hash >> R).wrapping_mul(M);
    hash ^ hash >> R
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verification value that SMHasher lists for this hash: a hash over hashes of keys of every length to 255.
    #[test]
    fn the_verification_value_is_the_published_one() {
        let mut all = Vec::new();
        let mut key = Vec::new();
        for length in 0..256u64 {
            all.extend_from_slice(&murmur64a(&key, 256 - length).to_le_bytes());
            key.push(length as u8);
        }
        assert_eq!(murmur64a(&all, 0) as u32, 0x1f0d_3804);
    }
}
