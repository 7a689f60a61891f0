//! Money for readers: in yuan, ten thousand yuan or a hundred million yuan.

use crate::decimal::format_scaled;
use crate::{Fen, MoneyUnit, Rounding, div_round};

impl Fen {
    /// Every fen, with thousands separators and without the unit: two decimals in yuan (`1,234.50`), as many
    /// as needed in the larger units (`0.12345`).
    pub fn format_exact(self, unit: MoneyUnit) -> String {
        let full = format_scaled(i128::from(self.fen()), unit.decimals(), true);
        match unit {
            MoneyUnit::Yuan => full,
            _ => full.trim_end_matches('0').trim_end_matches('.').to_owned(),
        }
    }

    /// Rounded to the stated decimals of the unit, with thousands separators and without the unit. More
    /// decimals than the fen has are filled with zeros.
    pub fn format_rounded(self, unit: MoneyUnit, decimals: u8, rounding: Rounding) -> String {
        let fen = i128::from(self.fen());
        let Some(dropped) = unit.decimals().checked_sub(decimals) else {
            let mut full = format_scaled(fen, unit.decimals(), true);
            full.extend(std::iter::repeat_n('0', usize::from(decimals - unit.decimals())));
            return full;
        };
        let rounded = div_round(fen, 10_i128.pow(u32::from(dropped)), rounding)
            .expect("a power of ten from 1 to 10^10 divides any 64-bit amount");
        format_scaled(rounded, decimals, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_exactly() {
        let check = |fen, unit, expected: &str| {
            assert_eq!(Fen::from_fen(fen).format_exact(unit), expected);
        };
        check(123_450, MoneyUnit::Yuan, "1,234.50");
        check(-5, MoneyUnit::Yuan, "-0.05");
        check(0, MoneyUnit::Yuan, "0.00");
        check(123_450, MoneyUnit::WanYuan, "0.12345");
        check(0, MoneyUnit::WanYuan, "0");
        check(1_000_000_000, MoneyUnit::WanYuan, "1,000");
        check(1, MoneyUnit::YiYuan, "0.0000000001");
        check(12_000_000_000, MoneyUnit::YiYuan, "1.2");
        check(i64::MIN, MoneyUnit::Yuan, "-92,233,720,368,547,758.08");
    }

    #[test]
    fn amounts_are_rounded_to_stated_decimals() {
        let check = |fen, unit, decimals, rounding, expected: &str| {
            assert_eq!(Fen::from_fen(fen).format_rounded(unit, decimals, rounding), expected);
        };
        check(123_450, MoneyUnit::Yuan, 0, Rounding::HalfUp, "1,235");
        check(123_450, MoneyUnit::Yuan, 0, Rounding::Down, "1,234");
        check(123_450, MoneyUnit::Yuan, 2, Rounding::Down, "1,234.50");
        check(123_450, MoneyUnit::Yuan, 4, Rounding::Down, "1,234.5000");
        check(123_450, MoneyUnit::WanYuan, 2, Rounding::HalfUp, "0.12");
        check(-1, MoneyUnit::WanYuan, 2, Rounding::HalfUp, "0.00");
        check(-1, MoneyUnit::WanYuan, 2, Rounding::Up, "-0.01");
        check(i64::MAX, MoneyUnit::YiYuan, 1, Rounding::HalfUp, "922,337,203.7");
    }
}
