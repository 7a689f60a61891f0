//! Exact quantities with declared decimals: areas, distances, rates.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::decimal::{Decimal, format_scaled, read_f64};
use crate::{NumberError, Rounding, div_round};

/// `mantissa × 10^-decimals`, at most 18 decimals.
///
/// Equality is of the representation: `0.7` and `0.70` differ. Use [`Fixed::cmp_value`] to compare values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fixed {
    mantissa: i64,
    decimals: u8,
}

impl Fixed {
    /// The most decimals that a 64-bit mantissa carries beside a digit before the point.
    pub const DECIMALS_MAX: u8 = 18;

    /// `None` beyond [`Fixed::DECIMALS_MAX`] decimals.
    pub const fn new(mantissa: i64, decimals: u8) -> Option<Self> {
        if decimals <= Self::DECIMALS_MAX { Some(Self { mantissa, decimals }) } else { None }
    }

    /// A whole number at the given decimals; `None` if it doesn't fit.
    pub fn from_integer(value: i64, decimals: u8) -> Option<Self> {
        Self { mantissa: value, decimals: 0 }.rescale(decimals)
    }

    /// Reads decimal text at the declared decimals, exactly: `1,234.5` at 2 is 123450. More decimals than
    /// declared are an error, unless they are zeros.
    pub fn parse(text: &str, decimals: u8) -> Result<Self, NumberError> {
        Self::checked_decimals(decimals)?;
        let decimal =
            Decimal::parse(text).ok_or_else(|| NumberError::NotANumber { text: text.to_owned() })?;
        Ok(Self { mantissa: decimal.at(decimals, text)?, decimals })
    }

    /// Reads a spreadsheet number at the declared decimals, exactly: 33865.48 at 2 is 3386548, while 1.005 is
    /// refused. Noise beyond the 15 digits that a spreadsheet keeps is not taken for decimals.
    pub fn from_f64(value: f64, decimals: u8) -> Result<Self, NumberError> {
        Self::checked_decimals(decimals)?;
        Ok(Self { mantissa: read_f64(value, decimals)?, decimals })
    }

    pub const fn mantissa(self) -> i64 {
        self.mantissa
    }

    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// The same value at other decimals; `None` if a digit would be lost or the value doesn't fit.
    pub fn rescale(self, decimals: u8) -> Option<Self> {
        let same = self.rescale_round(decimals, Rounding::Down)?;
        (same.cmp_value(self) == Ordering::Equal).then_some(same)
    }

    /// The value rounded to other decimals; `None` if it doesn't fit.
    pub fn rescale_round(self, decimals: u8, rounding: Rounding) -> Option<Self> {
        Self::of_ratio(i128::from(self.mantissa), 1, i32::from(self.decimals), decimals, rounding)
    }

    /// The sum, at the larger decimals of both.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let decimals = self.decimals.max(other.decimals);
        let (left, right) = (self.rescale(decimals)?, other.rescale(decimals)?);
        Self::new(left.mantissa.checked_add(right.mantissa)?, decimals)
    }

    /// The difference, at the larger decimals of both.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let decimals = self.decimals.max(other.decimals);
        let (left, right) = (self.rescale(decimals)?, other.rescale(decimals)?);
        Self::new(left.mantissa.checked_sub(right.mantissa)?, decimals)
    }

    /// The product at the given decimals, rounded once.
    pub fn mul_round(self, other: Self, decimals: u8, rounding: Rounding) -> Option<Self> {
        let product = i128::from(self.mantissa) * i128::from(other.mantissa);
        let scale = i32::from(self.decimals) + i32::from(other.decimals);
        Self::of_ratio(product, 1, scale, decimals, rounding)
    }

    /// The quotient at the given decimals, rounded once; `None` by zero.
    pub fn div_round(self, other: Self, decimals: u8, rounding: Rounding) -> Option<Self> {
        let scale = i32::from(self.decimals) - i32::from(other.decimals);
        Self::of_ratio(i128::from(self.mantissa), i128::from(other.mantissa), scale, decimals, rounding)
    }

    /// Compares the values, whatever their decimals.
    pub fn cmp_value(self, other: Self) -> Ordering {
        let widen = |fixed: Self| {
            i128::from(fixed.mantissa) * 10_i128.pow(u32::from(Self::DECIMALS_MAX - fixed.decimals))
        };
        widen(self).cmp(&widen(other))
    }

    /// `numerator / denominator × 10^-scale` at the given decimals.
    fn of_ratio(
        numerator: i128,
        denominator: i128,
        scale: i32,
        decimals: u8,
        rounding: Rounding,
    ) -> Option<Self> {
        let shift = i32::from(decimals) - scale;
        let power = 10_i128.checked_pow(shift.unsigned_abs())?;
        let quotient = if shift < 0 {
            div_round(numerator, denominator.checked_mul(power)?, rounding)?
        } else {
            div_round(numerator.checked_mul(power)?, denominator, rounding)?
        };
        Self::new(i64::try_from(quotient).ok()?, decimals)
    }

    const fn checked_decimals(decimals: u8) -> Result<(), NumberError> {
        if decimals <= Self::DECIMALS_MAX {
            Ok(())
        } else {
            Err(NumberError::DecimalsUnsupported { decimals })
        }
    }
}

/// All declared decimals: `0.70` at 2.
impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_scaled(i128::from(self.mantissa), self.decimals, false))
    }
}

/// Takes the fewest decimals that are exact: `0.70` is 7 at 1.
impl FromStr for Fixed {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let decimal =
            Decimal::parse(text).ok_or_else(|| NumberError::NotANumber { text: text.to_owned() })?;
        let decimals = u8::try_from(decimal.scale()).unwrap_or(u8::MAX);
        Self::checked_decimals(decimals)?;
        Ok(Self { mantissa: decimal.at(decimals, text)?, decimals })
    }
}
