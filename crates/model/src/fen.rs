//! Money as a whole number of fen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decimal::{Decimal, format_scaled, read_f64};
use crate::{Fixed, MoneyUnit, NumberError, Rounding, div_round, normalise_text};

/// An amount of money in fen (1 yuan = 100 fen), negative for what is owed.
///
/// There are no operators: every operation that could exceed 64 bits returns `None` instead of wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Fen(i64);

impl Fen {
    pub const ZERO: Self = Self(0);
    pub const MIN: Self = Self(i64::MIN);
    pub const MAX: Self = Self(i64::MAX);

    pub const fn from_fen(fen: i64) -> Self {
        Self(fen)
    }

    /// Whole yuan.
    pub const fn from_yuan(yuan: i64) -> Option<Self> {
        match yuan.checked_mul(100) {
            Some(fen) => Some(Self(fen)),
            None => None,
        }
    }

    /// A spreadsheet number in the column's unit, exactly: 33865.48 yuan is 3386548 fen, while 1.005 yuan
    /// is refused. Noise beyond the 15 digits that a spreadsheet keeps is not taken for decimals.
    pub fn from_f64(value: f64, unit: MoneyUnit) -> Result<Self, NumberError> {
        read_f64(value, unit.decimals()).map(Self)
    }

    /// Text in the column's unit, exactly. A unit in the text itself (`3.5万元`) goes before the column's.
    pub fn parse_in(text: &str, unit: MoneyUnit) -> Result<Self, NumberError> {
        let normal = normalise_text(text);
        let amount = normal.strip_prefix(['¥', '￥']).unwrap_or(&normal);
        let (number, unit) = MoneyUnit::split_suffix(amount).unwrap_or((amount, unit));
        let decimal =
            Decimal::parse(number).ok_or_else(|| NumberError::NotANumber { text: text.to_owned() })?;
        decimal.at(unit.decimals(), text).map(Self)
    }

    /// The amount in fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::wrap(self.0.checked_add(other.0))
    }

    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        Self::wrap(self.0.checked_sub(other.0))
    }

    /// Times a count.
    pub const fn checked_mul(self, times: i64) -> Option<Self> {
        Self::wrap(self.0.checked_mul(times))
    }

    pub const fn checked_neg(self) -> Option<Self> {
        Self::wrap(self.0.checked_neg())
    }

    /// The sum, `None` only if the sum itself exceeds 64 bits: a partial sum may.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut sum = 0_i128;
        for amount in amounts {
            sum = sum.checked_add(i128::from(amount.0))?;
        }
        i64::try_from(sum).ok().map(Self)
    }

    /// Divided by a count: per person, per month. `None` by zero.
    pub fn div_round(self, divisor: i64, rounding: Rounding) -> Option<Self> {
        self.mul_ratio(1, divisor, rounding)
    }

    /// Times `numerator / denominator`, rounded once, at the end. `None` if the denominator is zero.
    pub fn mul_ratio(self, numerator: i64, denominator: i64, rounding: Rounding) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(numerator);
        let quotient = div_round(product, i128::from(denominator), rounding)?;
        i64::try_from(quotient).ok().map(Self)
    }

    /// Times a rate or a quantity, rounded to the fen.
    pub fn mul_fixed(self, factor: Fixed, rounding: Rounding) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(factor.mantissa());
        let quotient = div_round(product, 10_i128.pow(u32::from(factor.decimals())), rounding)?;
        i64::try_from(quotient).ok().map(Self)
    }

    /// Splits by weight into parts that sum to the whole, to the fen. Each part is first rounded toward
    /// zero, then the fen left over go one each to the largest remainders, ties to the earlier part (the
    /// largest-remainder method of Hamilton). `None` if the weights sum to zero or beyond 64 bits.
    pub fn split(self, weights: &[u64]) -> Option<Vec<Self>> {
        let total = weights.iter().try_fold(0_u64, |sum, weight| sum.checked_add(*weight))?;
        if total == 0 {
            return None;
        }
        let whole = u128::from(self.0.unsigned_abs());
        let product = |weight: u64| whole * u128::from(weight);
        let mut parts: Vec<u128> = weights.iter().map(|w| product(*w) / u128::from(total)).collect();
        let left = whole - parts.iter().sum::<u128>();
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(product(weights[*index]) % u128::from(total)));
        // Fewer fen are left over than there are parts, since each part lost less than one.
        for index in order.into_iter().take(left as usize) {
            parts[index] += 1;
        }
        let sign = if self.0 < 0 { -1 } else { 1 };
        parts.into_iter().map(|part| i64::try_from(sign * part as i128).ok().map(Self)).collect()
    }

    const fn wrap(fen: Option<i64>) -> Option<Self> {
        match fen {
            Some(fen) => Some(Self(fen)),
            None => None,
        }
    }
}

/// Plain yuan with two decimals: `1234.50`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_scaled(i128::from(self.0), 2, false))
    }
}

/// Yuan unless the text says otherwise: `1,234.5`, `12元`, `3.5万元`, `1.2亿元`, `-3`, `¥8`, full-width
/// digits. What is not a whole number of fen is refused.
impl FromStr for Fen {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse_in(text, MoneyUnit::Yuan)
    }
}
