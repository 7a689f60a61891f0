//! Money: what is read, what is refused, and that nothing ever wraps.

use model::{Fen, Fixed, MoneyUnit, NumberError, RefusalCode, Rounding};
use proptest::prelude::*;

#[test]
fn yuan_text_is_read_to_the_fen() {
    let check = |text: &str, expected: i64| {
        assert_eq!(text.parse::<Fen>(), Ok(Fen::from_fen(expected)), "{text}");
    };
    check("1,234.5", 123_450);
    check("12元", 1_200);
    check("3.5万元", 3_500_000);
    check("3.5 万", 3_500_000);
    check("1.2亿元", 12_000_000_000);
    check("-3", -300);
    check("－３．０５", -305);
    check("￥１，２３４．５０", 123_450);
    check("¥8", 800);
    check("0.01", 1);
    check("1.230", 123);
    check("0.000001万元", 1);
    check("-92233720368547758.08", i64::MIN);
    check("\u{3000}7 ", 700);
}

#[test]
fn what_is_not_a_whole_number_of_fen_is_refused() {
    let check = |text: &str, expected: RefusalCode| {
        assert_eq!(text.parse::<Fen>().map_err(|error| error.code()), Err(expected), "{text}");
    };
    check("1.005", RefusalCode::TooManyDecimals);
    check("0.0000001万元", RefusalCode::TooManyDecimals);
    check("92233720368547758.08", RefusalCode::OutOfRange);
    check("999999999999亿", RefusalCode::OutOfRange);
    check("", RefusalCode::NotANumber);
    check("元", RefusalCode::NotANumber);
    check("约500", RefusalCode::NotANumber);
    check("五百", RefusalCode::NotANumber);
    check("1,23", RefusalCode::NotANumber);
    check("12元5角", RefusalCode::NotANumber);
    check("1e3", RefusalCode::NotANumber);
}

#[test]
fn spreadsheet_numbers_are_read_in_the_unit_of_their_column() {
    let check = |value, unit, expected: Result<i64, RefusalCode>| {
        let read = Fen::from_f64(value, unit).map(Fen::fen).map_err(|error| error.code());
        assert_eq!(read, expected, "{value}");
    };
    check(33_865.48, MoneyUnit::Yuan, Ok(3_386_548));
    check(-0.0, MoneyUnit::Yuan, Ok(0));
    check(3.5, MoneyUnit::WanYuan, Ok(3_500_000));
    check(0.1 + 0.2, MoneyUnit::Yuan, Ok(30));
    check(1.005, MoneyUnit::Yuan, Err(RefusalCode::TooManyDecimals));
    check(1e18, MoneyUnit::Yuan, Err(RefusalCode::OutOfRange));
    check(f64::MAX, MoneyUnit::Yuan, Err(RefusalCode::OutOfRange));
    check(f64::MIN_POSITIVE, MoneyUnit::Yuan, Err(RefusalCode::TooManyDecimals));
    check(f64::NAN, MoneyUnit::Yuan, Err(RefusalCode::NotANumber));
    check(f64::INFINITY, MoneyUnit::Yuan, Err(RefusalCode::NotANumber));
}

#[test]
fn a_unit_in_the_text_goes_before_that_of_the_column() {
    assert_eq!(Fen::parse_in("2", MoneyUnit::WanYuan), Ok(Fen::from_fen(2_000_000)));
    assert_eq!(Fen::parse_in("2元", MoneyUnit::WanYuan), Ok(Fen::from_fen(200)));
    assert_eq!(
        Fen::parse_in("1.2345678", MoneyUnit::WanYuan),
        Err(NumberError::TooPrecise { text: "1.2345678".into(), decimals: 6 })
    );
}

#[test]
fn amounts_are_printed_as_plain_yuan() {
    let check = |fen, expected: &str| assert_eq!(Fen::from_fen(fen).to_string(), expected);
    check(123_450, "1234.50");
    check(-5, "-0.05");
    check(0, "0.00");
    check(i64::MIN, "-92233720368547758.08");
    assert_eq!(format!("{:>8}", Fen::from_fen(100)), "    1.00");
}

#[test]
fn operations_beyond_64_bits_give_nothing() {
    let one = Fen::from_fen(1);
    assert_eq!(Fen::MAX.checked_add(one), None);
    assert_eq!(Fen::MIN.checked_sub(one), None);
    assert_eq!(Fen::MAX.checked_mul(2), None);
    assert_eq!(Fen::MIN.checked_neg(), None);
    assert_eq!(Fen::from_yuan(i64::MAX), None);
    assert_eq!(Fen::MAX.mul_ratio(2, 1, Rounding::Down), None);
    assert_eq!(Fen::MIN.div_round(-1, Rounding::Down), None);
    assert_eq!(one.div_round(0, Rounding::Down), None);
    assert_eq!(Fen::checked_sum([Fen::MAX, one]), None);
    assert_eq!(Fen::checked_sum([Fen::MAX, one, Fen::from_fen(-1)]), Some(Fen::MAX));
    assert_eq!(Fen::checked_sum([]), Some(Fen::ZERO));
}

#[test]
fn products_and_quotients_round_once() {
    let rate: Fixed = "0.70".parse().unwrap();
    let fen = Fen::from_fen;
    assert_eq!(fen(12_345).mul_fixed(rate, Rounding::HalfUp), Some(fen(8_642)));
    assert_eq!(fen(12_345).mul_fixed(rate, Rounding::Down), Some(fen(8_641)));
    assert_eq!(fen(-12_345).mul_fixed(rate, Rounding::HalfUp), Some(fen(-8_642)));
    assert_eq!(fen(1_000).div_round(3, Rounding::HalfUp), Some(fen(333)));
    assert_eq!(fen(1_000).div_round(3, Rounding::Up), Some(fen(334)));
    // 50,000 yuan at 4.85 % for 184 of 365 days.
    assert_eq!(fen(5_000_000).mul_ratio(485 * 184, 10_000 * 365, Rounding::HalfUp), Some(fen(122_247)));
}

#[test]
fn splits_sum_to_the_whole() {
    let check = |whole, weights: &[u64], expected: Option<Vec<i64>>| {
        let parts = Fen::from_fen(whole).split(weights);
        assert_eq!(parts.map(|parts| parts.into_iter().map(Fen::fen).collect()), expected);
    };
    check(100, &[1, 1, 1], Some(vec![34, 33, 33]));
    check(-100, &[1, 1, 1], Some(vec![-34, -33, -33]));
    check(100, &[1, 2, 0], Some(vec![33, 67, 0]));
    check(i64::MIN, &[1], Some(vec![i64::MIN]));
    check(i64::MAX, &[u64::MAX], Some(vec![i64::MAX]));
    check(100, &[], None);
    check(100, &[0, 0], None);
    check(100, &[u64::MAX, 1], None);
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(fen: i64) {
        let amount = Fen::from_fen(fen);
        prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        for unit in MoneyUnit::ALL {
            prop_assert_eq!(Fen::parse_in(&amount.format_exact(unit), unit), Ok(amount));
            let labelled = format!("{}{}", amount.format_exact(unit), unit.label().zh);
            prop_assert_eq!(labelled.parse(), Ok(amount));
        }
    }

    #[test]
    fn arithmetic_is_exact_or_nothing(left: i64, right: i64) {
        let (a, b) = (Fen::from_fen(left), Fen::from_fen(right));
        let exact = |value: i128| i64::try_from(value).ok().map(Fen::from_fen);
        let (wide_a, wide_b) = (i128::from(left), i128::from(right));
        prop_assert_eq!(a.checked_add(b), exact(wide_a + wide_b));
        prop_assert_eq!(a.checked_sub(b), exact(wide_a - wide_b));
        prop_assert_eq!(a.checked_mul(right), exact(wide_a * wide_b));
        prop_assert_eq!(a.checked_neg(), exact(-wide_a));
        prop_assert_eq!(Fen::checked_sum([a, b]), exact(wide_a + wide_b));
    }

    #[test]
    fn rounded_quotients_differ_by_less_than_one(amount: i64, divisor: i64) {
        prop_assume!(divisor != 0);
        for rounding in Rounding::ALL {
            if let Some(quotient) = Fen::from_fen(amount).div_round(divisor, rounding) {
                let lost = i128::from(amount) - i128::from(quotient.fen()) * i128::from(divisor);
                prop_assert!(lost.unsigned_abs() < u128::from(divisor.unsigned_abs()));
                let half = lost.unsigned_abs() * 2 <= u128::from(divisor.unsigned_abs());
                prop_assert!(rounding != Rounding::HalfUp || half);
            }
        }
    }

    #[test]
    fn splits_lose_nothing_and_differ_by_less_than_a_fen(
        whole: i64,
        weights in prop::collection::vec(0_u64..1_000_000, 1..12),
    ) {
        let total: u64 = weights.iter().sum();
        prop_assume!(total > 0);
        let parts = Fen::from_fen(whole).split(&weights).expect("the weights are positive and small");
        prop_assert_eq!(Fen::checked_sum(parts.iter().copied()), Some(Fen::from_fen(whole)));
        for (part, weight) in parts.iter().zip(weights) {
            let lost = i128::from(part.fen()) * i128::from(total) - i128::from(whole) * i128::from(weight);
            prop_assert!(lost.unsigned_abs() < u128::from(total));
        }
    }

    #[test]
    fn typed_amounts_survive_a_spreadsheet(fen in -99_999_999_999_999_i64..=99_999_999_999_999) {
        // A spreadsheet keeps 15 significant digits, and so does a float.
        let amount = Fen::from_fen(fen);
        let cell: f64 = amount.to_string().parse().expect("plain yuan is a float");
        prop_assert_eq!(Fen::from_f64(cell, MoneyUnit::Yuan), Ok(amount));
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = text.parse::<Fen>();
    }
}
