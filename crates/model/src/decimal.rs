//! Decimal text read exactly: the common ground of money and quantities.

use thiserror::Error;

use crate::{Refusal, RefusalCode, normalise_text};

/// Why text or a spreadsheet number is not an exact quantity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumberError {
    #[error("`{text}` is not a number")]
    NotANumber { text: String },
    /// The value has more decimals than declared. It is refused, never rounded.
    #[error("`{text}` has more than `{decimals}` decimals")]
    TooPrecise { text: String, decimals: u8 },
    #[error("`{text}` is out of range")]
    OutOfRange { text: String },
    /// More decimals were declared than a 64-bit mantissa carries.
    #[error("`{decimals}` decimals are too many; `18` is the most")]
    DecimalsUnsupported { decimals: u8 },
}

impl NumberError {
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::NotANumber { .. } => RefusalCode::NotANumber,
            Self::TooPrecise { .. } => RefusalCode::TooManyDecimals,
            Self::OutOfRange { .. } | Self::DecimalsUnsupported { .. } => RefusalCode::OutOfRange,
        }
    }
}

impl From<NumberError> for Refusal {
    fn from(error: NumberError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            NumberError::NotANumber { text } | NumberError::OutOfRange { text } => refusal.value(text),
            // The shape is shown (`0.00`), since a bare count of decimals reads like a limit on the value.
            NumberError::TooPrecise { text, decimals } => {
                refusal.value(text).expected(format_scaled(0, decimals, false))
            }
            NumberError::DecimalsUnsupported { decimals } => refusal.value(decimals).expected("≤ 18"),
        }
    }
}

/// A decimal as written: `mantissa × 10^-scale`, with no trailing zero among its decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Saturates; a saturated mantissa is out of range at every scale that it could be asked for.
    mantissa: u128,
    scale: usize,
}

impl Decimal {
    /// Reads `-1,234.50`. Commas group by threes or are absent; the sign may be `+`, `-` or `−`; there are
    /// digits on both sides of a point; full-width characters count as their half-width ones.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let normal = normalise_text(text);
        let (negative, unsigned) = match normal.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, normal.strip_prefix('+').unwrap_or(&normal)),
        };
        let (whole, decimals) = match unsigned.split_once('.') {
            Some((whole, decimals)) if is_digits(decimals) => (whole, decimals.trim_end_matches('0')),
            Some(_) => return None,
            None => (unsigned, ""),
        };
        if !is_digits(whole) && !is_grouped(whole) {
            return None;
        }
        let digits = whole.bytes().chain(decimals.bytes()).filter(u8::is_ascii_digit);
        let mantissa =
            digits.fold(0_u128, |sum, digit| sum.saturating_mul(10).saturating_add(u128::from(digit - b'0')));
        Some(Self { negative, mantissa, scale: decimals.len() })
    }

    /// The number of decimals written, without trailing zeros.
    pub(crate) const fn scale(&self) -> usize {
        self.scale
    }

    /// The value in units of `10^-decimals`, exactly. `text` is only quoted.
    pub(crate) fn at(&self, decimals: u8, text: &str) -> Result<i64, NumberError> {
        let too_precise = || NumberError::TooPrecise { text: text.to_owned(), decimals };
        let zeros = usize::from(decimals).checked_sub(self.scale).ok_or_else(too_precise)?;
        let out_of_range = || NumberError::OutOfRange { text: text.to_owned() };
        let factor = u32::try_from(zeros).ok().and_then(|zeros| 10_u128.checked_pow(zeros));
        let scaled = match factor.and_then(|factor| self.mantissa.checked_mul(factor)) {
            Some(scaled) => scaled,
            None if self.mantissa == 0 => 0,
            None => return Err(out_of_range()),
        };
        let scaled = i128::try_from(scaled).map_err(|_| out_of_range())?;
        i64::try_from(if self.negative { -scaled } else { scaled }).map_err(|_| out_of_range())
    }
}

/// A spreadsheet number in units of `10^-decimals`, exactly.
///
/// The float stands for the shortest decimal that reads back as itself: what was typed. Formulas and writers
/// of files leave noise beyond the 15 significant digits that a spreadsheet keeps (`4230.969999999999` for
/// 4230.97), so if the shortest has too many decimals, the 15 digits that its users see are read instead,
/// provided that at least two of them lie beyond the declared decimals and say that nothing is there.
pub(crate) fn read_f64(value: f64, decimals: u8) -> Result<i64, NumberError> {
    let text = value.to_string();
    let not_a_number = || NumberError::NotANumber { text: text.clone() };
    let read = |digits: &str| Decimal::parse(digits).ok_or_else(not_a_number)?.at(decimals, &text);
    let shortest = read(&text);
    // Two digits beyond the declared decimals leave 13 before and among them.
    let has_spare_digits = value.abs() * 10_f64.powi(i32::from(decimals)) < 1e13;
    if matches!(shortest, Err(NumberError::TooPrecise { .. })) && has_spare_digits {
        // The fifteenth significant digit, counted down from the first, is at this decimal place.
        let place = 14 - value.abs().log10().floor() as i32;
        let shown = format!("{value:.*}", usize::try_from(place).unwrap_or_default());
        return read(&shown).or(shortest);
    }
    shortest
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether commas group the digits by threes: `1,234` but neither `1,23` nor `1234,567`.
fn is_grouped(text: &str) -> bool {
    let mut groups = text.split(',');
    let first = groups.next().unwrap_or_default();
    is_digits(first) && first.len() <= 3 && groups.all(|group| group.len() == 3 && is_digits(group))
}

/// Writes a mantissa with its decimals: `(-5, 2)` is `-0.05`.
pub(crate) fn format_scaled(mantissa: i128, decimals: u8, grouped: bool) -> String {
    let width = usize::from(decimals) + 1;
    let digits = format!("{:0>width$}", mantissa.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let mut out = String::from(if mantissa < 0 { "-" } else { "" });
    for (index, digit) in whole.char_indices() {
        if grouped && index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if decimals > 0 {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_exactly() {
        let check = |text: &str, decimals, expected: i64| {
            let decimal = Decimal::parse(text).unwrap_or_else(|| panic!("`{text}` is a number"));
            assert_eq!(decimal.at(decimals, text), Ok(expected), "{text}");
        };
        check("0", 2, 0);
        check("-0.00", 2, 0);
        check("1,234.5", 2, 123_450);
        check("１，２３４．５", 2, 123_450);
        check(" +7 ", 0, 7);
        check("−3", 0, -3);
        check("1.2300", 2, 123);
        check("00012", 0, 12);
        check("-9223372036854775808", 0, i64::MIN);
        check("0.0", 60, 0);
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        let check = |text: &str| assert_eq!(Decimal::parse(text), None, "{text}");
        for text in [
            "", " ", "-", "--1", "1.", ".5", "1.2.3", "1,23", "1234,567", ",123", "1,234,", "1.2,345", "1e3",
            "十二", "12a", "1 2", "0x1", "NaN",
        ] {
            check(text);
        }
    }

    #[test]
    fn precision_and_range_are_refused_apart() {
        let check = |text: &str, decimals, expected: RefusalCode| {
            let decimal = Decimal::parse(text).unwrap_or_else(|| panic!("`{text}` is a number"));
            assert_eq!(decimal.at(decimals, text).map_err(|error| error.code()), Err(expected), "{text}");
        };
        check("1.005", 2, RefusalCode::TooManyDecimals);
        check("9223372036854775808", 0, RefusalCode::OutOfRange);
        check("99999999999999999999999999999999999999999999999999", 2, RefusalCode::OutOfRange);
        check("1", 60, RefusalCode::OutOfRange);
        check(&format!("0.{}1", "0".repeat(300)), 9, RefusalCode::TooManyDecimals);
    }

    #[test]
    fn floats_read_as_what_was_typed() {
        let check = |value: f64, decimals, expected: Option<i64>| {
            assert_eq!(read_f64(value, decimals).ok(), expected, "{value}");
        };
        check(33_865.48, 2, Some(3_386_548));
        check(4_230.969_999_999_999, 2, Some(423_097));
        check(0.1 + 0.2, 2, Some(30));
        check(-(0.1 + 0.2), 1, Some(-3));
        check(1.005, 2, None);
        check(1.000_000_000_001, 2, None);
        check(0.009_999_999_999_999_99, 2, None);
        check(9.999_999_999_999_998, 2, Some(1_000));
        // Too large for a spare digit: what looks like noise may be the amount.
        check(12_345_678_901_234.566, 2, None);
        check(12_345_678_901_234.56, 2, Some(1_234_567_890_123_456));
        check(0.0, 2, Some(0));
        check(f64::MIN_POSITIVE, 2, None);
    }

    #[test]
    fn mantissas_are_written_with_their_decimals() {
        let check = |mantissa, decimals, grouped, expected: &str| {
            assert_eq!(format_scaled(mantissa, decimals, grouped), expected);
        };
        check(0, 0, false, "0");
        check(-5, 2, false, "-0.05");
        check(123_450, 2, false, "1234.50");
        check(123_450, 2, true, "1,234.50");
        check(-123_456_789, 0, true, "-123,456,789");
        check(100, 0, true, "100");
        check(i128::from(i64::MIN), 2, true, "-92,233,720,368,547,758.08");
    }
}
