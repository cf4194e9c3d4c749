//! LZF, the compression of strings in RDB files: literals and references to what came before.
//!
//! ```text
//! 000LLLLL bytes...               L + 1 literal bytes
//! LLLooooo oooooooo               L + 2 bytes from o + 1 before (L from 1 to 6)
//! 111ooooo LLLLLLLL oooooooo      L + 9 bytes from o + 1 before
//! ```

/// The `length` bytes that were compressed; `None`: they cannot be had from these.
pub(super) fn decompress(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    // Three bytes give at most 264: a longer announcement is a lie that must not take memory.
    if length > bytes.len().saturating_mul(264) {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(length);
    let mut rest = bytes;
    while let Some((control, after)) = rest.split_first() {
        rest = after;
        let control = usize::from(*control);
        if control < 32 {
            let (literal, after) = rest.split_at_checked(control + 1)?;
            out.extend_from_slice(literal);
            rest = after;
        } else {
            let mut count = (control >> 5) + 2;
            if count == 9 {
                let (more, after) = rest.split_first()?;
                count += usize::from(*more);
                rest = after;
            }
            let (low, after) = rest.split_first()?;
            rest = after;
            let back = ((control & 31) << 8) + usize::from(*low) + 1;
            let from = out.len().checked_sub(back)?;
            // What is copied may be what this very copy has just written.
            for at in from..from + count {
                out.push(*out.get(at)?);
            }
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_references_are_read() {
        assert_eq!(decompress(b"\x02abc", 3).as_deref(), Some(&b"abc"[..]));
        assert_eq!(
            decompress(b"\x01ab\x40\x01", 6).as_deref(),
            Some(&b"ababab"[..])
        );
        let long = decompress(b"\x00a\xe0\x03\x00", 13);
        assert_eq!(long.as_deref(), Some(&b"aaaaaaaaaaaaa"[..]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (bytes, length) in [
            (&b"\x02ab"[..], 3),
            (b"\x02abc", 4),
            (b"\x02abc", 2),
            (b"\x00a\x20\x01", 4),
            (b"\xe0", 10),
            (b"", usize::MAX),
        ] {
            assert_eq!(decompress(bytes, length), None, "{bytes:?}");
        }
    }
}
