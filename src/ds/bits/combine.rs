//! Several rows of bits made into one: what BITOP does.
//!
//! The result is as long as the longest source; shorter ones go on with zeros. It is made block by block: a block of the
//! result stays in the nearest cache while all sources are put into it, so each source is read once and each byte of the
//! result goes to memory once.

/// Bytes of the result that are finished before the next ones are begun.
const BLOCK_BYTES: usize = 8 << 10;

/// How the bits of the sources make a bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// On in all sources.
    And,
    /// On in any.
    Or,
    /// On in an odd number of them.
    Xor,
    /// Off in the only one.
    Not,
    /// On in the first and in no other.
    Diff,
    /// On in any other, but not in the first.
    Diff1,
    /// On in the first and in any other.
    AndOr,
    /// On in exactly one.
    One,
}

/// The sources, combined.
pub fn combine(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
    let total = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = Vec::with_capacity(total);
    // What the block begins with, what is put into it one by one, and what decides in the end.
    let (begin, rest, last) = match (operation, sources) {
        (_, []) => return result,
        (Operation::Diff1 | Operation::AndOr, [first, second, rest @ ..]) => {
            (second, rest, Some(first))
        }
        (_, [first, rest @ ..]) => (first, rest, None),
    };
    let mut twice = if operation == Operation::One {
        vec![0; BLOCK_BYTES.min(total)]
    } else {
        Vec::new()
    };
    while result.len() < total {
        let at = result.len();
        let length = BLOCK_BYTES.min(total - at);
        result.extend_from_slice(part(begin, at, length));
        result.resize(at + length, 0);
        let block = result.get_mut(at..).unwrap_or_default();
        twice.fill(0);
        for source in rest {
            put(operation, block, &mut twice, part(source, at, length));
        }
        match operation {
            Operation::Not => block.iter_mut().for_each(|byte| *byte = !*byte),
            Operation::One => each(block, &twice, |byte, twice| byte & !twice),
            _ => {}
        }
        match last.map(|last| part(last, at, length)) {
            Some(last) if operation == Operation::Diff1 => {
                each(block, last, |byte, last| byte & !last)
            }
            Some(last) => and(block, last),
            None => {}
        }
    }
    result
}

/// Puts one more source into the block.
fn put(operation: Operation, block: &mut [u8], twice: &mut [u8], source: &[u8]) {
    match operation {
        Operation::And => and(block, source),
        Operation::Or | Operation::Diff1 | Operation::AndOr => {
            each(block, source, |byte, more| byte | more)
        }
        Operation::Xor => each(block, source, |byte, more| byte ^ more),
        Operation::Diff => each(block, source, |byte, more| byte & !more),
        Operation::One => {
            for ((twice, byte), more) in twice.iter_mut().zip(block.iter()).zip(source) {
                *twice |= byte & more;
            }
            each(block, source, |byte, more| byte | more);
        }
        Operation::Not => {}
    }
}

/// What a source has of `length` bytes from `at` on.
fn part(source: &[u8], at: usize, length: usize) -> &[u8] {
    let rest = source.get(at..).unwrap_or(&[]);
    rest.get(..length).unwrap_or(rest)
}

fn and(block: &mut [u8], source: &[u8]) {
    each(block, source, |byte, more| byte & more);
    if let Some(beyond) = block.get_mut(source.len()..) {
        beyond.fill(0);
    }
}

/// Every byte of the block that the source reaches.
#[inline(always)]
fn each(block: &mut [u8], source: &[u8], change: impl Fn(u8, u8) -> u8) {
    for (byte, more) in block.iter_mut().zip(source) {
        *byte = change(*byte, *more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    fn model(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
        let total = sources.iter().map(|source| source.len()).max().unwrap_or(0);
        let byte_of = |source: &[u8], at: usize| source.get(at).copied().unwrap_or(0);
        let mut result = vec![0; total];
        for (at, byte) in result.iter_mut().enumerate() {
            for bit in 0..8 {
                let on: Vec<bool> = sources
                    .iter()
                    .map(|source| byte_of(source, at) >> bit & 1 == 1)
                    .collect();
                let (first, others) = on.split_first().expect("there are sources");
                let any_other = others.contains(&true);
                let count = on.iter().filter(|on| **on).count();
                let is_on = match operation {
                    Operation::And => count == on.len(),
                    Operation::Or => count > 0,
                    Operation::Xor => count % 2 == 1,
                    Operation::Not => !first,
                    Operation::Diff => *first && !any_other,
                    Operation::Diff1 => !first && any_other,
                    Operation::AndOr => *first && any_other,
                    Operation::One => count == 1,
                };
                *byte |= u8::from(is_on) << bit;
            }
        }
        result
    }

    #[test]
    fn every_operation_is_that_of_bit_by_bit() {
        let mut random = Random::from_seed(3);
        for round in 0..400 {
            let most = if round % 40 == 0 { 20_000 } else { 50 };
            let count = 2 + random.next_u64() as usize % 4;
            let mut source = || -> Vec<u8> {
                let length = random.next_u64() as usize % most;
                (0..length).map(|_| random.next_u64() as u8).collect()
            };
            let sources: Vec<Vec<u8>> = (0..count).map(|_| source()).collect();
            let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
            for operation in [
                Operation::And,
                Operation::Or,
                Operation::Xor,
                Operation::Diff,
                Operation::Diff1,
                Operation::AndOr,
                Operation::One,
            ] {
                assert_eq!(
                    combine(operation, &sources),
                    model(operation, &sources),
                    "{operation:?}"
                );
            }
            let one = &sources[..1];
            for operation in [
                Operation::Not,
                Operation::And,
                Operation::One,
                Operation::Xor,
            ] {
                assert_eq!(
                    combine(operation, one),
                    model(operation, one),
                    "{operation:?}"
                );
            }
        }
    }
}
