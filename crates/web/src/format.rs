//! Numbers as people read them: thousands apart, money in 元, 万元 and 亿元 with the exact sum beside it.

use model::{Fen, Lang, MoneyUnit, Rounding};

/// A number as it is shown, and as it exactly is where that is more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub text: String,
    /// Empty where the text is exact.
    pub exact: String,
}

/// `27,827`.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// Digits with a comma before every three of the whole part.
pub fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, rest) = digits.find('.').map_or((digits, ""), |at| digits.split_at(at));
    let mut text = String::from(sign);
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// An amount of money: exact below a hundred thousand yuan.
pub fn money(fen: i128, lang: Lang) -> Shown {
    let unit = match lang {
        Lang::Zh => "元",
        Lang::En => "yuan",
    };
    let Ok(fen) = i64::try_from(fen) else {
        return Shown { text: format!("{} {unit}", grouped(&(fen / 100).to_string())), exact: String::new() };
    };
    let amount = Fen::from_fen(fen);
    let exact = format!("{} {unit}", amount.format_exact(MoneyUnit::Yuan));
    let size = fen.unsigned_abs();
    let scaled = |fen: i64, by: i64, word: &str| {
        let amount = Fen::from_fen(fen).div_round(by, Rounding::HalfUp).unwrap_or(Fen::ZERO);
        format!("{} {word}", amount.format_exact(MoneyUnit::Yuan))
    };
    let text = match (lang, size) {
        (Lang::Zh, 10_000_000_000..) => scaled(fen, 100_000_000, "亿元"),
        (Lang::Zh, 10_000_000..) => scaled(fen, 10_000, "万元"),
        (Lang::En, 100_000_000..) => scaled(fen, 1_000_000, "million yuan"),
        _ => return Shown { text: exact, exact: String::new() },
    };
    Shown { text, exact }
}

/// A scaled integer as an exact decimal without separators, for files.
pub fn decimal(number: i128, decimals: u8) -> String {
    let width = usize::from(decimals) + 1;
    let digits = format!("{:0width$}", number.unsigned_abs());
    let (whole, rest) = digits.split_at(digits.len() - usize::from(decimals));
    let sign = if number < 0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// A share in percent with one decimal; never 100 % of what is not all, nor 0 % of what is not none.
pub fn percent(part: u64, of: u64) -> String {
    if of == 0 {
        return "–".to_owned();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(of) / 2) / u128::from(of);
    let tenths = match tenths {
        1000 if part < of => 999,
        0 if part > 0 => 1,
        tenths => tenths,
    };
    match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        tenth => format!("{}.{tenth} %", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (27_827, "27,827"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(grouped("-12345.67"), "-12,345.67");
    }

    #[test]
    fn large_money_is_rounded_and_says_what_it_exactly_is() {
        let check = |fen: i128, zh: &str, en: &str, exact: &str| {
            let shown = money(fen, Lang::Zh);
            assert_eq!((shown.text.as_str(), shown.exact.as_str()), (zh, exact));
            assert_eq!(money(fen, Lang::En).text, en);
        };
        check(6_841_849, "68,418.49 元", "68,418.49 yuan", "");
        check(1_234_567_890, "1,234.57 万元", "12.35 million yuan", "12,345,678.90 元");
        check(2_924_000_000_000, "292.40 亿元", "29,240.00 million yuan", "29,240,000,000.00 元");
    }

    #[test]
    fn a_share_is_whole_only_if_it_is() {
        for (part, of, text) in [
            (1, 3, "33.3 %"),
            (2, 2, "100 %"),
            (9_999, 10_000, "99.9 %"),
            (1, 10_000, "0.1 %"),
            (0, 9, "0 %"),
        ] {
            assert_eq!(percent(part, of), text);
        }
        assert_eq!(percent(0, 0), "–");
    }

    #[test]
    fn scaled_integers_keep_their_decimals() {
        for (number, decimals, text) in [(123, 2, "1.23"), (-5, 2, "-0.05"), (7, 0, "7"), (0, 4, "0.0000")] {
            assert_eq!(decimal(number, decimals), text);
        }
    }
}
