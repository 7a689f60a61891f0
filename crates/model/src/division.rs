//! Codes of administrative divisions.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::excel::{WholeNumber, whole_number};
use crate::{Refusal, RefusalCode, normalise_text};

/// A level of the division tree, from the widest to the narrowest. Order: a province is less than a village.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DivisionLevel {
    Province,
    Prefecture,
    County,
    Township,
    Village,
}

impl DivisionLevel {
    pub const ALL: [Self; 5] =
        [Self::Province, Self::Prefecture, Self::County, Self::Township, Self::Village];

    /// How many of the 12 digits name a division of this level.
    pub const fn digits(self) -> u32 {
        match self {
            Self::Province => 2,
            Self::Prefecture => 4,
            Self::County => 6,
            Self::Township => 9,
            Self::Village => 12,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::Prefecture => "prefecture",
            Self::County => "county",
            Self::Township => "township",
            Self::Village => "village",
        }
    }

    const fn unit(self) -> u64 {
        10_u64.pow(12 - self.digits())
    }
}

impl fmt::Display for DivisionLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DivisionLevel {
    type Err = UnknownDivisionLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| UnknownDivisionLevel(text.to_owned()))
    }
}

/// The word names no level of the division tree.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a level of division; `province`, `prefecture`, `county`, `township` and `village` are")]
pub struct UnknownDivisionLevel(pub String);

/// A statistical code of 12 digits: province (2), prefecture (4), county (6), township (9), village (12), the
/// rest zeros. Source: GB/T 2260 for the first six digits, GB/T 10114 for the next three.
///
/// A level in between may be zeros: `460003` is a county right below its province, and the townships of
/// `441900` are right below their prefecture. Whether a code is in use is for the division table to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DivisionCode(u64);

/// Why text is not a division code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DivisionCodeError {
    #[error("a division code has 2, 4, 6, 9 or 12 digits, not `{found}`")]
    WrongLength { found: usize },
    #[error("`{text}` is not a division code: it has other characters than digits")]
    NotDigits { text: String },
    #[error("`{text}` is not a division code: no province begins with `0`")]
    NoProvince { text: String },
}

impl DivisionCodeError {
    pub const fn code(&self) -> RefusalCode {
        RefusalCode::DivisionCodeInvalid
    }
}

impl From<DivisionCodeError> for Refusal {
    fn from(error: DivisionCodeError) -> Self {
        let refusal = Self::new(error.code());
        match error {
            DivisionCodeError::WrongLength { .. } => refusal,
            DivisionCodeError::NotDigits { text } | DivisionCodeError::NoProvince { text } => {
                refusal.value(text)
            }
        }
    }
}

impl DivisionCode {
    /// From a spreadsheet number: the digits as typed, so that 513401 is a county.
    pub fn from_f64(value: f64) -> Result<Self, DivisionCodeError> {
        match whole_number(value) {
            WholeNumber::Exact(number) => number.to_string().parse(),
            _ => Err(DivisionCodeError::NotDigits { text: value.to_string() }),
        }
    }

    /// From the number of 12 digits, as snapshots store it.
    pub fn from_number(number: u64) -> Result<Self, DivisionCodeError> {
        format!("{number:012}").parse()
    }

    /// The number of 12 digits, for stores and snapshots.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The narrowest level whose digits are not all zeros.
    pub fn level(self) -> DivisionLevel {
        let is_level = |level: &DivisionLevel| self.0.is_multiple_of(level.unit());
        DivisionLevel::ALL.into_iter().find(is_level).unwrap_or(DivisionLevel::Village)
    }

    /// The division right above, `None` for a province.
    pub fn parent(self) -> Option<Self> {
        self.ancestors().next()
    }

    /// The divisions above, nearest first, without itself.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        let mut last = self;
        DivisionLevel::ALL.into_iter().rev().filter_map(move |level| {
            let above = last.cut(level);
            (above != last).then(|| {
                last = above;
                above
            })
        })
    }

    /// The division of that level that contains this one, or is it. `None` if this one is wider or its code
    /// has zeros at that level.
    pub fn at(self, level: DivisionLevel) -> Option<Self> {
        let cut = self.cut(level);
        (cut.level() == level).then_some(cut)
    }

    /// Whether this is `other` or lies in it.
    pub fn is_within(self, other: Self) -> bool {
        self.cut(other.level()) == other
    }

    /// The digits that name it, without the zeros of narrower levels: `5134` for a prefecture.
    pub fn short(self) -> String {
        let level = self.level();
        (self.0 / level.unit()).to_string()
    }

    const fn cut(self, level: DivisionLevel) -> Self {
        Self(self.0 - self.0 % level.unit())
    }
}

/// The 12 digits.
impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:012}", self.0))
    }
}

/// Reads 2, 4, 6, 9 or 12 digits, full-width or not; the short forms are filled with zeros.
impl FromStr for DivisionCode {
    type Err = DivisionCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normal = normalise_text(text);
        if !normal.chars().all(|char| char.is_ascii_digit()) {
            return Err(DivisionCodeError::NotDigits { text: normal.into_owned() });
        }
        let found = normal.len();
        if !DivisionLevel::ALL.iter().any(|level| level.digits() as usize == found) {
            return Err(DivisionCodeError::WrongLength { found });
        }
        if normal.starts_with('0') {
            return Err(DivisionCodeError::NoProvince { text: normal.into_owned() });
        }
        let filled = format!("{normal:0<12}");
        let number = filled.parse().expect("12 digits fit 64 bits");
        Ok(Self(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> DivisionCode {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn codes_read_in_every_length() {
        let check = |text: &str, full: &str, short: &str, level| {
            assert_eq!(code(text).to_string(), full, "{text}");
            assert_eq!(code(text).short(), short, "{text}");
            assert_eq!(code(text).level(), level, "{text}");
        };
        check("51", "510000000000", "51", DivisionLevel::Province);
        check("5134", "513400000000", "5134", DivisionLevel::Prefecture);
        check("513431", "513431000000", "513431", DivisionLevel::County);
        check("513431100", "513431100000", "513431100", DivisionLevel::Township);
        check("513431100202", "513431100202", "513431100202", DivisionLevel::Village);
        check("513400000000", "513400000000", "5134", DivisionLevel::Prefecture);
        check("５１３４３１", "513431000000", "513431", DivisionLevel::County);
    }

    #[test]
    fn malformed_codes_are_refused() {
        let check = |text: &str, expected| assert_eq!(text.parse::<DivisionCode>(), Err(expected), "{text}");
        check("", DivisionCodeError::WrongLength { found: 0 });
        check("513", DivisionCodeError::WrongLength { found: 3 });
        check("5134311002021", DivisionCodeError::WrongLength { found: 13 });
        check("51343x", DivisionCodeError::NotDigits { text: "51343x".into() });
        check("013431", DivisionCodeError::NoProvince { text: "013431".into() });
    }

    #[test]
    fn spreadsheet_numbers_are_codes_if_whole() {
        assert_eq!(DivisionCode::from_f64(513_431_100_202.0), Ok(code("513431100202")));
        assert_eq!(DivisionCode::from_f64(513_431.0), Ok(code("513431")));
        assert!(DivisionCode::from_f64(513_431.5).is_err());
        assert!(DivisionCode::from_f64(1e20).is_err());
        assert_eq!(DivisionCode::from_number(510_000_000_000), Ok(code("51")));
        assert!(DivisionCode::from_number(51).is_err());
    }

    #[test]
    fn ancestors_go_up_nearest_first() {
        let check = |text: &str, expected: &[&str]| {
            let short: Vec<String> = code(text).ancestors().map(DivisionCode::short).collect();
            assert_eq!(short, expected, "{text}");
            assert_eq!(code(text).parent().map(DivisionCode::short).as_deref(), expected.first().copied());
        };
        check("513431100202", &["513431100", "513431", "5134", "51"]);
        check("5134", &["51"]);
        check("51", &[]);
        // A county right below its province, and a township right below its prefecture.
        check("460003", &["46"]);
        check("441900003", &["4419", "44"]);
    }

    #[test]
    fn containment_is_by_prefix() {
        let check = |inner: &str, outer: &str, expected| {
            assert_eq!(code(inner).is_within(code(outer)), expected, "{inner} in {outer}");
        };
        check("513431100202", "51", true);
        check("513431100202", "513431", true);
        check("513431", "513431", true);
        check("513431", "513431100", false);
        check("513431", "5133", false);
        check("51", "5134", false);
        check("441900003", "4419", true);
        assert_eq!(code("513431100202").at(DivisionLevel::County), Some(code("513431")));
        assert_eq!(code("5134").at(DivisionLevel::County), None);
        assert_eq!(code("441900003").at(DivisionLevel::County), None);
    }

    #[test]
    fn levels_round_trip() {
        for level in DivisionLevel::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        assert!("state".parse::<DivisionLevel>().is_err());
    }
}
