//! The 24 bits in which a record remembers its use: LRU seconds, or LFU minutes and a logarithmic counter.
//!
//! ```text
//! LRU   seconds, modulo 2^24 (194 days)
//! LFU   minutes of the last decay, 16 bits, modulo 45 days | counter, 8 bits
//! ```
//! Source: the description of LFU mode in Redis' documentation of eviction.

use super::entry::ACCESS_MASK;
use crate::base::random::Random;

/// The counter of a new key under LFU: it shall not be the first victim.
const LFU_INITIAL: u8 = 5;

/// Which word records carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessPolicy {
    /// The time of the last use.
    #[default]
    Lru,
    /// How often it is used.
    Lfu {
        /// The higher, the more uses a step of the counter takes.
        log_factor: u32,
        /// Minutes after which the counter falls by one; 0: never.
        decay_minutes: u32,
    },
}

impl AccessPolicy {
    /// The word of a key that is created now.
    #[inline]
    pub fn word(self, now_ms: i64) -> u32 {
        match self {
            AccessPolicy::Lru => (now_ms / 1000) as u32 & ACCESS_MASK,
            AccessPolicy::Lfu { .. } => lfu_minutes(now_ms) << 8 | u32::from(LFU_INITIAL),
        }
    }

    /// The word of a key with `word` that is used now.
    #[inline]
    pub fn touch(self, word: u32, now: u32, now_ms: i64, random: &mut Random) -> u32 {
        match self {
            AccessPolicy::Lru => now,
            AccessPolicy::Lfu { log_factor, .. } => {
                let counter = increment(self.frequency(word, now_ms), log_factor, random);
                lfu_minutes(now_ms) << 8 | u32::from(counter)
            }
        }
    }

    /// The word of a key that came with a note of its use: seconds without one, or a counter. A note of the other kind
    /// than the policy's says nothing.
    pub fn word_of(self, now_ms: i64, idle_s: Option<u64>, frequency: Option<u8>) -> u32 {
        match (self, idle_s, frequency) {
            (AccessPolicy::Lru, Some(idle_s), _) => {
                let now_s = (now_ms / 1000) as u64;
                now_s.saturating_sub(idle_s) as u32 & ACCESS_MASK
            }
            (AccessPolicy::Lfu { .. }, _, Some(frequency)) => {
                lfu_minutes(now_ms) << 8 | u32::from(frequency)
            }
            _ => self.word(now_ms),
        }
    }

    /// Seconds since the last use, for OBJECT IDLETIME.
    pub fn idle_s(self, word: u32, now_ms: i64) -> u64 {
        let now = (now_ms / 1000) as u32 & ACCESS_MASK;
        u64::from(now.wrapping_sub(word) & ACCESS_MASK)
    }

    /// The counter after decay, for OBJECT FREQ.
    pub fn frequency(self, word: u32, now_ms: i64) -> u8 {
        let counter = word as u8;
        match self {
            AccessPolicy::Lfu { decay_minutes, .. } if decay_minutes > 0 => {
                let elapsed = lfu_minutes(now_ms).wrapping_sub(word >> 8) & 0xffff;
                counter.saturating_sub((elapsed / decay_minutes).min(255) as u8)
            }
            _ => counter,
        }
    }
}

fn lfu_minutes(now_ms: i64) -> u32 {
    (now_ms / 60_000) as u32 & 0xffff
}

/// One more use: the counter rises with a probability that falls with its value.
fn increment(counter: u8, log_factor: u32, random: &mut Random) -> u8 {
    let base = u64::from(counter.saturating_sub(LFU_INITIAL));
    let steps = base * u64::from(log_factor) + 1;
    if counter < u8::MAX && random.below(steps) == 0 {
        counter + 1
    } else {
        counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_survives_the_wrap_of_its_24_bits() {
        let at = |s: i64| AccessPolicy::Lru.word(s * 1000);
        assert_eq!(
            AccessPolicy::Lru.idle_s(at((1 << 24) - 5), ((1 << 24) + 5) * 1000),
            10
        );
    }

    #[test]
    fn a_frequency_grows_with_use_and_decays_with_time() {
        let policy = AccessPolicy::Lfu {
            log_factor: 10,
            decay_minutes: 1,
        };
        let mut random = Random::from_seed(1);
        let mut word = policy.word(0);
        assert_eq!(policy.frequency(word, 0), 5);
        for _ in 0..100_000 {
            word = policy.touch(word, 0, 0, &mut random);
        }
        let counter = policy.frequency(word, 0);
        assert!((100..200).contains(&counter), "{counter}");
        assert_eq!(policy.frequency(word, 10 * 60_000), counter - 10);
        assert_eq!(policy.frequency(word, 1000 * 60_000), 0);
    }
}
