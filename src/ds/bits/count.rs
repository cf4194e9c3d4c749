//! How many bits are on.
//!
//! One loop, compiled three times: for any processor, for one with AVX2, and for one that counts the bits of whole vectors
//! (AVX-512 VPOPCNTDQ). Which one runs is decided while running.
//!
//! The `unsafe` here is only the call of a function that needs an instruction set, right after the question whether the
//! processor has it.

/// From this length on a wide loop is worth the question for it.
const WIDE_MIN_BYTES: usize = 64;

/// Bits that are on.
#[inline]
pub fn count(bytes: &[u8]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() >= WIDE_MIN_BYTES {
        if is_x86_feature_detected!("avx512vpopcntdq") && is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has the instructions, as was just asked.
            return unsafe { count_avx512(bytes) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
            // SAFETY: as above.
            return unsafe { count_avx2(bytes) };
        }
    }
    count_words(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
fn count_avx512(bytes: &[u8]) -> u64 {
    count_words(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn count_avx2(bytes: &[u8]) -> u64 {
    count_words(bytes)
}

#[inline(always)]
fn count_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words
        .iter()
        .map(|word| u64::from(u64::from_le_bytes(*word).count_ones()));
    let rest = rest.iter().map(|byte| u64::from(byte.count_ones()));
    words.sum::<u64>() + rest.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn every_loop_counts_the_same() {
        let mut random = Random::from_seed(11);
        for length in (0..300).chain([4095, 4096, 10_001]) {
            let bytes: Vec<u8> = (0..length).map(|_| random.next_u64() as u8).collect();
            let expected: u64 = bytes.iter().map(|byte| u64::from(byte.count_ones())).sum();
            assert_eq!((count(&bytes), count_words(&bytes)), (expected, expected));
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                // SAFETY: the processor has the instructions, as was just asked.
                assert_eq!(unsafe { count_avx2(&bytes) }, expected);
            }
        }
    }
}
