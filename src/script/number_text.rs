//! Numbers as C's `printf("%.{precision}g")` writes them: the form of Lua's own numbers and of cjson's.

/// Appends a finite number with at most `precision` significant digits.
pub(super) fn write_g(out: &mut Vec<u8>, number: f64, precision: usize) {
    let precision = precision.max(1);
    if number == number.trunc() && number.abs() < 1e15 && precision >= 14 && number.abs() < 1e14 {
        // The digits of most numbers, without a detour.
        if number == 0.0 && number.is_sign_negative() {
            out.push(b'-');
        }
        return crate::base::number::write_i64(out, number as i64);
    }
    let scientific = format!("{:.*e}", precision - 1, number);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        out.extend_from_slice(without_zeros(digits).as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("e{sign}{:02}", exponent.unsigned_abs()).as_bytes());
        return;
    }
    let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
    let plain = format!("{number:.decimals$}");
    out.extend_from_slice(without_zeros(&plain).as_bytes());
}

/// Without the zeros that follow the last digit behind the point.
fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        let table = [
            (0.1, 14, "0.1"),
            (100.0, 14, "100"),
            (1e14, 14, "1e+14"),
            (123_456_789_012_345.0, 14, "1.2345678901234e+14"),
            (1e-5, 14, "1e-05"),
            (0.0001, 14, "0.0001"),
            (-3.25, 14, "-3.25"),
            (1e300, 14, "1e+300"),
            (1.0 / 3.0, 3, "0.333"),
            (123_456.0, 3, "1.23e+05"),
            (-0.0, 14, "-0"),
        ];
        for (number, precision, text) in table {
            let mut out = Vec::new();
            write_g(&mut out, number, precision);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
