//! Numbers as spreadsheets hold them.

/// The largest whole number that a spreadsheet keeps digit by digit: it stores 15 significant digits.
pub(crate) const WHOLE_MAX: f64 = 999_999_999_999_999.0;

/// A spreadsheet number used as a code, or why it isn't one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WholeNumber {
    Exact(u64),
    /// More than 15 digits: the last ones were replaced by zeros when the cell was stored.
    DigitsLost,
    /// Negative, fractional or not finite.
    NotWhole,
}

pub(crate) fn whole_number(value: f64) -> WholeNumber {
    if !value.is_finite() || value < 0.0 || value.fract() != 0.0 {
        WholeNumber::NotWhole
    } else if value > WHOLE_MAX {
        WholeNumber::DigitsLost
    } else {
        WholeNumber::Exact(value as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stored_as_numbers_are_exact_or_refused() {
        let check = |value, expected| assert_eq!(whole_number(value), expected, "{value}");
        check(0.0, WholeNumber::Exact(0));
        check(513_431_100_202.0, WholeNumber::Exact(513_431_100_202));
        check(999_999_999_999_999.0, WholeNumber::Exact(999_999_999_999_999));
        check(1e15, WholeNumber::DigitsLost);
        check(5.134_311_972_101_62e17, WholeNumber::DigitsLost);
        check(1.5, WholeNumber::NotWhole);
        check(-1.0, WholeNumber::NotWhole);
        check(f64::NAN, WholeNumber::NotWhole);
    }
}
