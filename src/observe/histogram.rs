//! A histogram of durations: 16 steps to each power of two, so a value is known to about 6 %.

/// Steps to a power of two.
const STEPS: usize = 16;
/// Powers of two: up to 2^40 ns, some 18 minutes; what is longer counts as that.
const POWERS: usize = 37;

/// Durations in nanoseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u64; STEPS * POWERS]>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: Box::new([0; STEPS * POWERS]),
            total: 0,
        }
    }
}

fn bucket_of(ns: u64) -> usize {
    if ns < STEPS as u64 {
        return ns as usize;
    }
    let power = 63 - ns.leading_zeros() as usize;
    let step = (ns >> (power - 4)) as usize & (STEPS - 1);
    ((power - 3) * STEPS + step).min(STEPS * POWERS - 1)
}

/// The highest duration that falls into a bucket.
fn top_of(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let power = bucket / STEPS + 3;
    let step = (bucket % STEPS) as u64;
    (1 << power) + ((step + 1) << (power - 4)) - 1
}

impl Histogram {
    /// Counts `times` durations of `ns` each.
    pub fn record(&mut self, ns: u64, times: u64) {
        self.counts[bucket_of(ns)] += times;
        self.total += times;
    }

    /// Durations counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The duration below which `percent` of all lie, in nanoseconds.
    pub fn percentile_ns(&self, percent: f64) -> u64 {
        let wanted = ((percent / 100.0 * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return top_of(bucket);
            }
        }
        0
    }

    /// (up to so many microseconds, how many in all) for each power of two that adds some.
    pub fn cumulative_by_power(&self) -> Vec<(u64, u64)> {
        let mut rows = Vec::new();
        let (mut seen, mut limit_us) = (0, 1u64);
        for (bucket, count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let us = top_of(bucket) / 1000;
            if us > limit_us && seen > 0 && rows.last().is_none_or(|(_, before)| *before != seen) {
                rows.push((limit_us, seen));
            }
            limit_us = limit_us.max(us.next_power_of_two());
            seen += count;
        }
        if seen > 0 {
            rows.push((limit_us, seen));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_a_bucket_whose_top_is_close() {
        for ns in (0..100_000).chain([1 << 20, (1 << 30) + 12_345]) {
            let top = top_of(bucket_of(ns));
            assert!(top >= ns && top - ns <= ns / 16 + 1, "{ns} {top}");
        }
        assert_eq!(bucket_of(u64::MAX), STEPS * POWERS - 1);
    }

    #[test]
    fn percentiles_follow_the_counts() {
        let mut histogram = Histogram::default();
        histogram.record(1_000, 99);
        histogram.record(1_000_000, 1);
        assert!((1_000..1_070).contains(&histogram.percentile_ns(50.0)));
        assert!((1_000_000..1_070_000).contains(&histogram.percentile_ns(99.9)));
    }

    #[test]
    fn the_cumulative_form_ends_with_all_of_them() {
        let mut histogram = Histogram::default();
        histogram.record(1_500, 3);
        histogram.record(700_000, 2);
        let rows = histogram.cumulative_by_power();
        assert_eq!(rows.last().map(|row| row.1), Some(5));
        assert!(
            rows.windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1)
        );
    }
}
