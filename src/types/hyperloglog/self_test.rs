//! What PFSELFTEST runs: registers keep what is put into them, both encodings agree, and estimates are as exact as the
//! theory says.

use super::{DENSE_BYTES, Encoding, REGISTERS, Registers, Sketch};
use super::{count, count_registers, dense_with, empty, is_below, merge_into, place, raise_dense};
use crate::base::random::Random;

/// Rounds over all registers.
const REGISTER_ROUNDS: usize = 20;
/// Different elements that are counted.
const ELEMENTS_MAX: u64 = 1_000_000;
/// The standard error of 16384 registers is 1.04 / 128; an estimate may be off by so many times that.
const ERRORS_MAX: f64 = 6.0;
const STANDARD_ERROR: f64 = 1.04 / 128.0;
/// Bytes up to which the sparse twin stays sparse.
const SPARSE_MAX_BYTES: usize = 3000;

/// Runs all tests; what went wrong.
pub fn self_test(random: &mut Random) -> Result<(), String> {
    registers_keep_their_values(random)?;
    estimates_are_close(random)
}

fn registers_keep_their_values(random: &mut Random) -> Result<(), String> {
    for _ in 0..REGISTER_ROUNDS {
        let mut registers: Registers = [0; REGISTERS];
        let mut bytes = dense_with(&empty(), &registers);
        for (index, register) in registers.iter_mut().enumerate() {
            *register = random.below(64) as u8;
            raise_dense(&mut bytes, index, *register);
        }
        let mut read: Registers = [0; REGISTERS];
        let merged = merge_into(&mut read, &bytes, Encoding::Dense);
        for (index, (is, should)) in read.iter().zip(&registers).enumerate() {
            if is != should || merged.is_err() {
                return Err(format!("Register {index} should be {should} but is {is}"));
            }
        }
        if bytes != dense_with(&bytes, &registers) {
            return Err("registers are packed in two ways".to_owned());
        }
    }
    Ok(())
}

fn estimates_are_close(random: &mut Random) -> Result<(), String> {
    let mut dense = dense_with(&empty(), &[0; REGISTERS]);
    let mut sparse = Sketch::new(empty(), Encoding::Sparse, SPARSE_MAX_BYTES);
    let seed = random.next_u64();
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS_MAX {
        let (index, value) = place(&(number ^ seed).to_le_bytes());
        let raises = is_below(&dense, index, value);
        raise_dense(&mut dense, index, value);
        if sparse.raise(index, value) != Ok(raises) {
            return Err(format!("encodings differ at element {number}"));
        }
        if number != checkpoint {
            continue;
        }
        checkpoint *= 10;
        check_estimate(&dense, number)?;
    }
    let sparse = sparse.into_changed().unwrap_or_default();
    if sparse.len() != DENSE_BYTES || sparse.get(16..) != dense.get(16..) {
        return Err("the sparse encoding did not become the dense one".to_owned());
    }
    Ok(())
}

fn check_estimate(dense: &[u8], elements: u64) -> Result<(), String> {
    let estimate = count(dense, Encoding::Dense).map_err(|error| error.to_string())?;
    let mut registers: Registers = [0; REGISTERS];
    merge_into(&mut registers, dense, Encoding::Dense).map_err(|error| error.to_string())?;
    let error_max = (STANDARD_ERROR * ERRORS_MAX * elements as f64).ceil();
    let error = (estimate as f64 - elements as f64).abs();
    if error > error_max || count_registers(&registers) != estimate {
        return Err(format!("Too big error. card:{elements} abserr:{error}"));
    }
    Ok(())
}
