//! The units in which money is written.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Text;

/// The unit in which an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MoneyUnit {
    /// 元, 100 fen.
    #[default]
    Yuan,
    /// 万元, ten thousand yuan.
    WanYuan,
    /// 亿元, a hundred million yuan.
    YiYuan,
}

impl MoneyUnit {
    pub const ALL: [Self; 3] = [Self::Yuan, Self::WanYuan, Self::YiYuan];

    /// The decimals at which one fen is one unit in the last place.
    pub const fn decimals(self) -> u8 {
        match self {
            Self::Yuan => 2,
            Self::WanYuan => 6,
            Self::YiYuan => 10,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yuan => "yuan",
            Self::WanYuan => "wan-yuan",
            Self::YiYuan => "yi-yuan",
        }
    }

    /// The unit as printed after an amount.
    pub fn label(self) -> Text {
        match self {
            Self::Yuan => Text::new("元", "yuan"),
            Self::WanYuan => Text::new("万元", "×10,000 yuan"),
            Self::YiYuan => Text::new("亿元", "×100 million yuan"),
        }
    }

    /// Splits `3.5万元` into `3.5` and its unit. `None` if the text ends in no unit.
    pub(crate) fn split_suffix(text: &str) -> Option<(&str, Self)> {
        const SUFFIXES: [(&str, MoneyUnit); 5] = [
            ("亿元", MoneyUnit::YiYuan),
            ("亿", MoneyUnit::YiYuan),
            ("万元", MoneyUnit::WanYuan),
            ("万", MoneyUnit::WanYuan),
            ("元", MoneyUnit::Yuan),
        ];
        SUFFIXES
            .iter()
            .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number.trim_end(), *unit)))
    }
}

impl fmt::Display for MoneyUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word names no unit of money.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a unit of money; `yuan`, `wan-yuan` and `yi-yuan` are")]
pub struct MoneyUnitError(pub String);

/// Reads the word used in packs or the Chinese unit.
impl FromStr for MoneyUnit {
    type Err = MoneyUnitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|unit| unit.as_str() == text || unit.label().zh == text)
            .ok_or_else(|| MoneyUnitError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_read_in_both_languages() {
        for unit in MoneyUnit::ALL {
            assert_eq!(unit.as_str().parse(), Ok(unit));
            assert_eq!(unit.label().zh.parse(), Ok(unit));
        }
        assert!("角".parse::<MoneyUnit>().is_err());
    }
}
