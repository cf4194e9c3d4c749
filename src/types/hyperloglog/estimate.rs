//! How many elements, told from how many registers hold which value.
//!
//! Source: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6: no tables, no
//! ranges with corrections of their own. The operations and their order decide the last digit, which clients compare
//! with that of other servers.

use super::{REGISTERS, RUN_BITS};
use crate::ds::six_bit::VALUES;

/// 1 / (2 ln 2).
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The estimate for `counts` registers of each value.
pub fn estimate(counts: &[u32; VALUES]) -> u64 {
    let m = REGISTERS as f64;
    let highest = RUN_BITS as usize + 1;
    let of = |value: usize| f64::from(counts.get(value).copied().unwrap_or(0));
    let mut z = m * tau((m - of(highest)) / m);
    for value in (1..highest).rev() {
        z = (z + of(value)) * 0.5;
    }
    z += m * sigma(of(0) / m);
    // What forged registers would make infinite becomes the largest number that a reply can have.
    let estimate = (ALPHA * m * m / z).round() as i64;
    estimate.max(0).unsigned_abs()
}

/// What the registers that reached the highest value add; `x`: the part of those that did not.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let mut y = 1.0;
    let mut z = 1.0 - x;
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

/// What the registers that hold nothing add; `x`: the part of them.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let mut y = 1.0;
    let mut z = x;
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: usize) -> [u32; VALUES] {
        let mut counts = [0; VALUES];
        counts[value] = REGISTERS as u32;
        counts
    }

    #[test]
    fn nothing_seen_is_nothing_and_forged_registers_are_a_number_too() {
        assert_eq!(estimate(&all(0)), 0);
        let largest = i64::MAX as u64;
        assert_eq!((estimate(&all(51)), estimate(&all(63))), (largest, largest));
        assert!(estimate(&all(40)) > 1 << 50);
    }

    #[test]
    fn one_register_is_one_element() {
        let mut counts = all(0);
        counts[0] -= 1;
        counts[1] = 1;
        assert_eq!(estimate(&counts), 1);
    }
}
