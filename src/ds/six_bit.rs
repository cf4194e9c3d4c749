//! Numbers of six bits, four in three bytes, the lowest bits first: the registers of a dense HyperLogLog.
//!
//! ```text
//! byte   0        1        2
//! bits   11000000 22221111 33333322     (the highest bit first; the digit is the register's number)
//! ```
//! Six bytes are eight registers. They are spread over the bytes of a word, and pressed together again, by three shifts
//! each, or by one instruction where the processor has BMI2; what is done with the eight is vector work.
//!
//! The `unsafe` here is only the call of a function that needs an instruction set, after the question whether the
//! processor has it. It makes raising 16384 registers 2.7 times as fast.

use std::sync::atomic::{AtomicBool, Ordering};

/// Registers that are unpacked together, and their bytes.
const GROUP: usize = 8;
const GROUP_BYTES: usize = 6;
/// What a register can hold.
pub const VALUES: usize = 64;

/// Register `at`; 0 behind the end.
#[inline]
pub fn get(packed: &[u8], at: usize) -> u8 {
    let (byte, shift) = (at * 6 / 8, at * 6 % 8);
    let byte_at = |at: usize| u16::from(packed.get(at).copied().unwrap_or(0));
    ((byte_at(byte) | byte_at(byte + 1) << 8) >> shift & 63) as u8
}

/// Sets register `at` to the lowest six bits of `value`; nothing behind the end.
#[inline]
pub fn set(packed: &mut [u8], at: usize, value: u8) {
    let (byte, shift) = (at * 6 / 8, at * 6 % 8);
    let (mask, value) = (63u16 << shift, u16::from(value & 63) << shift);
    if let Some(low) = packed.get_mut(byte) {
        *low = *low & !(mask as u8) | value as u8;
    }
    if let Some(high) = packed.get_mut(byte + 1) {
        *high = *high & !((mask >> 8) as u8) | (value >> 8) as u8;
    }
}

/// Eight registers, a byte each.
#[inline(always)]
fn spread(group: &[u8; GROUP_BYTES]) -> [u8; GROUP] {
    let [a, b, c, d, e, f] = *group;
    let bits = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
    let bits = bits & 0xff_ffff | bits << 8 & 0xff_ffff_0000_0000;
    let bits = bits & 0x0000_0fff_0000_0fff | bits << 4 & 0x0fff_0000_0fff_0000;
    let bits = bits & 0x003f_003f_003f_003f | bits << 2 & 0x3f00_3f00_3f00_3f00;
    bits.to_le_bytes()
}

/// The other way round; each byte must be less than 64.
#[inline(always)]
fn press(registers: &[u8; GROUP]) -> [u8; GROUP_BYTES] {
    let bits = u64::from_le_bytes(*registers);
    let bits = bits & 0x003f_003f_003f_003f | bits >> 2 & 0x0fc0_0fc0_0fc0_0fc0;
    let bits = bits & 0x0000_0fff_0000_0fff | bits >> 4 & 0x00ff_f000_00ff_f000;
    let bits = bits & 0xff_ffff | bits >> 8 & 0xffff_ff00_0000;
    let [a, b, c, d, e, f, ..] = bits.to_le_bytes();
    [a, b, c, d, e, f]
}

/// Whether only what every processor has is used. For tests: results never depend on it.
static PORTABLE_ONLY: AtomicBool = AtomicBool::new(false);

/// Switches the instructions that not every processor has on or off, for the whole process.
pub fn set_portable_only(portable_only: bool) {
    PORTABLE_ONLY.store(portable_only, Ordering::Relaxed);
}

/// Raises each of `registers` to the packed one of the same number. There must be a multiple of eight of them.
pub fn raise(registers: &mut [u8], packed: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if bmi2::is_usable() {
        // SAFETY: the processor has the instructions, as was just asked.
        return unsafe { bmi2::raise(registers, packed) };
    }
    raise_by(registers, packed, spread);
}

/// Packs `registers`, a multiple of eight numbers below 64.
pub fn pack(registers: &[u8], packed: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if bmi2::is_usable() {
        // SAFETY: the processor has the instructions, as was just asked.
        return unsafe { bmi2::pack(registers, packed) };
    }
    pack_by(registers, packed, press);
}

#[inline(always)]
fn raise_by(
    registers: &mut [u8],
    packed: &[u8],
    spread: impl Fn(&[u8; GROUP_BYTES]) -> [u8; GROUP],
) {
    let (groups, _) = packed.as_chunks::<GROUP_BYTES>();
    let (registers, _) = registers.as_chunks_mut::<GROUP>();
    for (registers, group) in registers.iter_mut().zip(groups) {
        for (register, value) in registers.iter_mut().zip(spread(group)) {
            *register = (*register).max(value);
        }
    }
}

#[inline(always)]
fn pack_by(registers: &[u8], packed: &mut [u8], press: impl Fn(&[u8; GROUP]) -> [u8; GROUP_BYTES]) {
    let (registers, _) = registers.as_chunks::<GROUP>();
    let (groups, _) = packed.as_chunks_mut::<GROUP_BYTES>();
    for (registers, group) in registers.iter().zip(groups) {
        *group = press(registers);
    }
}

/// The same loops with the instructions that move bits to where a mask has them, and back.
#[cfg(target_arch = "x86_64")]
mod bmi2 {
    use super::{GROUP, GROUP_BYTES, Ordering, PORTABLE_ONLY, pack_by, raise_by};
    use std::arch::x86_64::{_pdep_u64, _pext_u64};

    /// Where the bits of eight registers are in a word.
    const REGISTER_BITS: u64 = 0x3f3f_3f3f_3f3f_3f3f;

    pub(super) fn is_usable() -> bool {
        is_x86_feature_detected!("bmi2") && !PORTABLE_ONLY.load(Ordering::Relaxed)
    }

    #[target_feature(enable = "bmi2")]
    pub(super) fn raise(registers: &mut [u8], packed: &[u8]) {
        raise_by(registers, packed, |group: &[u8; GROUP_BYTES]| {
            let [a, b, c, d, e, f] = *group;
            let bits = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
            _pdep_u64(bits, REGISTER_BITS).to_le_bytes()
        });
    }

    #[target_feature(enable = "bmi2")]
    pub(super) fn pack(registers: &[u8], packed: &mut [u8]) {
        pack_by(registers, packed, |registers: &[u8; GROUP]| {
            let bits = _pext_u64(u64::from_le_bytes(*registers), REGISTER_BITS);
            let [a, b, c, d, e, f, ..] = bits.to_le_bytes();
            [a, b, c, d, e, f]
        });
    }
}

/// How often each value occurs in the packed registers, a multiple of eight.
pub fn histogram(packed: &[u8]) -> [u32; VALUES] {
    let (groups, _) = packed.as_chunks::<GROUP_BYTES>();
    count(groups.iter().map(spread))
}

/// How often each value below 64 occurs in `registers`, a multiple of eight.
pub fn histogram_of_bytes(registers: &[u8]) -> [u32; VALUES] {
    let (groups, _) = registers.as_chunks::<GROUP>();
    count(groups.iter().copied())
}

/// Neighbours are often equal: with a table for each place of a group, no count waits for the one before it.
#[inline(always)]
fn count(groups: impl Iterator<Item = [u8; GROUP]>) -> [u32; VALUES] {
    let mut tables = [[0u32; VALUES]; GROUP];
    for group in groups {
        for (table, value) in tables.iter_mut().zip(group) {
            table[usize::from(value & 63)] += 1;
        }
    }
    std::array::from_fn(|value| tables.iter().map(|table| table[value]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn registers_are_packed_and_unpacked_as_one_by_one() {
        const COUNT: usize = 1024;
        let mut random = Random::from_seed(9);
        for _ in 0..50 {
            let values: Vec<u8> = (0..COUNT).map(|_| random.next_u64() as u8 & 63).collect();
            let mut one_by_one = vec![0xff; COUNT * 6 / 8];
            for (at, value) in values.iter().enumerate() {
                set(&mut one_by_one, at, *value);
            }
            let mut packed = vec![0; COUNT * 6 / 8];
            pack_by(&values, &mut packed, press);
            assert_eq!(packed, one_by_one);
            packed.fill(0);
            pack(&values, &mut packed);
            assert_eq!(packed, one_by_one);
            assert!(
                values
                    .iter()
                    .enumerate()
                    .all(|(at, value)| get(&packed, at) == *value)
            );
            let before: Vec<u8> = (0..COUNT).map(|_| random.next_u64() as u8 & 63).collect();
            let expected: Vec<u8> = before.iter().zip(&values).map(|(a, b)| *a.max(b)).collect();
            let (mut raised, mut portably) = (before.clone(), before);
            raise(&mut raised, &packed);
            raise_by(&mut portably, &packed, spread);
            assert_eq!((&raised, &portably), (&expected, &expected));
            let mut counts = [0; VALUES];
            values
                .iter()
                .for_each(|value| counts[usize::from(*value)] += 1);
            assert_eq!(
                (histogram(&packed), histogram_of_bytes(&values)),
                (counts, counts)
            );
        }
    }
}
