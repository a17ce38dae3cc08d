//! Numbers, exactly: decimal text to an integer of 10^-scale units, without floating point.

use crate::CellFault;

/// Parses an integer: an optional sign and digits.
pub(crate) fn integer(text: &str) -> Result<i64, CellFault> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CellFault::NotInteger);
    }
    text.parse().map_err(|_| CellFault::TooLarge)
}

/// Parses a decimal such as `-12.50` or `5.00E+05` and returns it in units of 10^-scale.
pub(crate) fn decimal(text: &str, scale: u32) -> Result<i64, CellFault> {
    let (mantissa, exponent) = split_exponent(text)?;
    let (sign, unsigned) = match mantissa.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CellFault::NotDecimal);
    }
    let fraction_digits = i64::try_from(fraction.len()).map_err(|_| CellFault::TooLarge)?;
    let shift = i64::from(scale) + exponent - fraction_digits;
    shifted(&digits, shift, scale)?
        .checked_mul(sign)
        .ok_or(CellFault::TooLarge)?
        .try_into()
        .map_err(|_| CellFault::TooLarge)
}

fn split_exponent(text: &str) -> Result<(&str, i64), CellFault> {
    match text.split_once(['e', 'E']) {
        None => Ok((text, 0)),
        Some((mantissa, exponent)) => {
            let power = integer(exponent).map_err(|_| CellFault::NotDecimal)?;
            if power.abs() > 40 { Err(CellFault::TooLarge) } else { Ok((mantissa, power)) }
        }
    }
}

/// The digits times 10^shift; a negative shift may only drop zeros.
fn shifted(digits: &str, shift: i64, scale: u32) -> Result<i128, CellFault> {
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    if shift >= 0 {
        let value: i128 = significant.parse().map_err(|_| CellFault::TooLarge)?;
        let power = u32::try_from(shift).ok().and_then(|s| 10_i128.checked_pow(s)).ok_or(CellFault::TooLarge)?;
        return value.checked_mul(power).ok_or(CellFault::TooLarge);
    }
    let drop = usize::try_from(shift.unsigned_abs()).map_err(|_| CellFault::TooLarge)?;
    let kept = significant.len().checked_sub(drop).ok_or(CellFault::TooPrecise { scale })?;
    let (head, tail) = significant.split_at_checked(kept).ok_or(CellFault::NotDecimal)?;
    if tail.bytes().any(|b| b != b'0') {
        return Err(CellFault::TooPrecise { scale });
    }
    if head.is_empty() { Ok(0) } else { head.parse().map_err(|_| CellFault::TooLarge) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, scale, want) in [
            ("12.5", 2, 1250),
            ("-0.01", 2, -1),
            ("+7", 0, 7),
            ("5.00E+05", 0, 500_000),
            ("1e-2", 2, 1),
            ("0.1000", 1, 1),
            (".5", 1, 5),
            ("0", 4, 0),
            ("0.000", 0, 0),
            ("9223372036854775807", 0, i64::MAX),
            ("-92233720368547758.08", 2, i64::MIN),
        ] {
            assert_eq!(decimal(text, scale).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn what_would_be_rounded_or_overflows_is_refused() {
        assert!(matches!(decimal("0.005", 2), Err(CellFault::TooPrecise { scale: 2 })));
        assert!(matches!(decimal("1e-30", 2), Err(CellFault::TooPrecise { scale: 2 })));
        assert!(matches!(decimal("92233720368547758.08", 2), Err(CellFault::TooLarge)));
        assert!(matches!(decimal("1e99", 2), Err(CellFault::TooLarge)));
        for text in ["", "-", ".", "1,000", "1.2.3", "--1", "NaN", "1e", "0x10", "１２"] {
            assert!(decimal(text, 2).is_err(), "{text}");
        }
        assert!(matches!(integer("5.0"), Err(CellFault::NotInteger)));
        assert!(matches!(integer("9223372036854775808"), Err(CellFault::TooLarge)));
        assert_eq!(integer("-0012").unwrap(), -12);
    }
}
