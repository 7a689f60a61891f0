//! Numbers, references and digests that declarations and events are written in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::DayUnit;

/// An expression of the pack, compiled: the number of its column in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExpressionId(pub u32);

/// A parameter of the pack, by its number in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ParameterId(pub u32);

/// A step, by its place in the flow from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct StepIndex(pub u16);

impl StepIndex {
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A second, counted from 1970-01-01T00:00:00Z: procedures need no finer clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct UnixSecond(pub i64);

/// A ratio of whole numbers; the denominator is never 0. Compared and multiplied exactly.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64)", into = "(u64, u64)")]
pub struct Fraction {
    numerator: u64,
    denominator: u64,
}

impl Fraction {
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `None` if the denominator is 0.
    pub const fn new(numerator: u64, denominator: u64) -> Option<Self> {
        if denominator == 0 { None } else { Some(Self { numerator, denominator }) }
    }

    pub const fn whole(number: u64) -> Self {
        Self { numerator: number, denominator: 1 }
    }

    /// The number, if it is whole and fits.
    pub fn as_whole(self) -> Option<u32> {
        let whole = self.numerator.is_multiple_of(self.denominator);
        whole.then(|| u32::try_from(self.numerator / self.denominator).ok()).flatten()
    }

    /// The share of `count`, rounded up: thirty per cent of 11 are 4.
    pub fn of_rounded_up(self, count: u32) -> u32 {
        let product = u128::from(self.numerator) * u128::from(count);
        u32::try_from(product.div_ceil(u128::from(self.denominator))).unwrap_or(u32::MAX)
    }

    /// How `part / whole` compares with the fraction; `part / 0` is taken for more than any.
    pub fn compare(self, part: u32, whole: u32) -> std::cmp::Ordering {
        let left = u128::from(part) * u128::from(self.denominator);
        left.cmp(&(u128::from(whole) * u128::from(self.numerator)))
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        u128::from(self.numerator) * u128::from(other.denominator)
            == u128::from(other.numerator) * u128::from(self.denominator)
    }
}

impl Eq for Fraction {}

impl TryFrom<(u64, u64)> for Fraction {
    type Error = &'static str;

    fn try_from((numerator, denominator): (u64, u64)) -> Result<Self, Self::Error> {
        Self::new(numerator, denominator).ok_or("a fraction's denominator is 0")
    }
}

impl From<Fraction> for (u64, u64) {
    fn from(fraction: Fraction) -> Self {
        (fraction.numerator, fraction.denominator)
    }
}

/// `2/3`, or `7` if it is whole.
impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_whole() {
            Some(whole) => write!(f, "{whole}"),
            None => write!(f, "{}/{}", self.numerator, self.denominator),
        }
    }
}

/// A number as the pack gives it: written out, a parameter, or an expression over the sheet's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quantity {
    Fixed(Fraction),
    /// Its value on the day it is asked for.
    Parameter(ParameterId),
    Expression(ExpressionId),
}

/// A number of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    pub count: Quantity,
    pub unit: DayUnit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_up_and_compare_exactly() {
        let check = |numerator, denominator, count, expected| {
            let share = Fraction::new(numerator, denominator).expect("the denominator is not 0");
            assert_eq!(share.of_rounded_up(count), expected, "{share} of {count}");
        };
        check(3, 10, 11, 4);
        check(3, 10, 10, 3);
        check(1, 1, 7, 7);
        check(3, 10, 0, 0);
        check(1, 1000, 1, 1);
        assert_eq!(Fraction::new(2, 3), Fraction::new(4, 6));
        assert_eq!(Fraction::new(1, 0), None);
        assert_eq!(Fraction::new(14, 2).and_then(Fraction::as_whole), Some(7));
        assert_eq!(Fraction::new(1, 2).and_then(Fraction::as_whole), None);
    }
}
