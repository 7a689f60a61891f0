//! Quantities: exact reading, rescaling and arithmetic.

use std::cmp::Ordering;

use model::{Fixed, RefusalCode, Rounding};
use proptest::prelude::*;

fn fixed(mantissa: i64, decimals: u8) -> Fixed {
    Fixed::new(mantissa, decimals).expect("tests use at most 18 decimals")
}

#[test]
fn text_is_read_at_declared_decimals() {
    let check = |text: &str, decimals, expected: Result<i64, RefusalCode>| {
        let read = Fixed::parse(text, decimals).map(Fixed::mantissa).map_err(|error| error.code());
        assert_eq!(read, expected, "{text}");
    };
    check("1,234.5", 2, Ok(123_450));
    check("１２．５", 1, Ok(125));
    check("12.50", 1, Ok(125));
    check("-0.5", 3, Ok(-500));
    check("12.55", 1, Err(RefusalCode::TooManyDecimals));
    check("12.5亩", 1, Err(RefusalCode::NotANumber));
    check("10", 18, Err(RefusalCode::OutOfRange));
    check("0", 19, Err(RefusalCode::OutOfRange));
}

#[test]
fn floats_are_read_as_they_were_typed() {
    let check = |value: f64, decimals, expected: Result<i64, RefusalCode>| {
        let read = Fixed::from_f64(value, decimals).map(Fixed::mantissa).map_err(|error| error.code());
        assert_eq!(read, expected, "{value}");
    };
    check(33_865.48, 2, Ok(3_386_548));
    check(1.005, 2, Err(RefusalCode::TooManyDecimals));
    check(1.005, 3, Ok(1_005));
    check(0.1, 1, Ok(1));
    check(1e15, 0, Ok(1_000_000_000_000_000));
    check(1e300, 0, Err(RefusalCode::OutOfRange));
    check(1e-300, 18, Err(RefusalCode::TooManyDecimals));
    check(f64::NAN, 2, Err(RefusalCode::NotANumber));
}

#[test]
fn undeclared_decimals_are_the_fewest_that_are_exact() {
    let check = |text: &str, expected| assert_eq!(text.parse::<Fixed>().ok(), expected, "{text}");
    check("0.70", Some(fixed(7, 1)));
    check("3", Some(fixed(3, 0)));
    check("-0.0485", Some(fixed(-485, 4)));
    check("0.0000000000000000001", None);
    check("x", None);
}

#[test]
fn rescaling_is_exact_or_nothing() {
    assert_eq!(fixed(70, 2).rescale(1), Some(fixed(7, 1)));
    assert_eq!(fixed(75, 2).rescale(1), None);
    assert_eq!(fixed(75, 2).rescale(4), Some(fixed(7_500, 4)));
    assert_eq!(fixed(i64::MAX, 0).rescale(1), None);
    assert_eq!(fixed(75, 2).rescale_round(1, Rounding::HalfUp), Some(fixed(8, 1)));
    assert_eq!(fixed(-75, 2).rescale_round(1, Rounding::Down), Some(fixed(-7, 1)));
    assert_eq!(fixed(1, 0).rescale(19), None);
    assert_eq!(Fixed::new(0, 19), None);
    assert_eq!(Fixed::from_integer(3, 2), Some(fixed(300, 2)));
}

#[test]
fn arithmetic_keeps_scales() {
    assert_eq!(fixed(15, 1).checked_add(fixed(25, 2)), Some(fixed(175, 2)));
    assert_eq!(fixed(15, 1).checked_sub(fixed(25, 2)), Some(fixed(125, 2)));
    assert_eq!(fixed(15, 1).mul_round(fixed(25, 2), 2, Rounding::HalfUp), Some(fixed(38, 2)));
    assert_eq!(fixed(1, 0).div_round(fixed(3, 0), 4, Rounding::HalfUp), Some(fixed(3_333, 4)));
    assert_eq!(fixed(1, 0).div_round(fixed(3, 1), 2, Rounding::Up), Some(fixed(334, 2)));
    assert_eq!(fixed(1, 0).div_round(fixed(0, 2), 2, Rounding::Up), None);
    assert_eq!(fixed(i64::MAX, 0).checked_add(fixed(1, 0)), None);
    assert_eq!(fixed(i64::MAX, 0).mul_round(fixed(i64::MAX, 18), 18, Rounding::Up), None);
    assert_eq!(fixed(70, 2).cmp_value(fixed(7, 1)), Ordering::Equal);
    assert_eq!(fixed(i64::MIN, 0).cmp_value(fixed(i64::MIN, 18)), Ordering::Less);
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(mantissa: i64, decimals in 0_u8..=18) {
        let value = fixed(mantissa, decimals);
        prop_assert_eq!(Fixed::parse(&value.to_string(), decimals), Ok(value));
    }

    #[test]
    fn fifteen_digits_survive_a_spreadsheet(
        mantissa in -999_999_999_999_999_i64..=999_999_999_999_999,
        decimals in 0_u8..=9,
    ) {
        let value = fixed(mantissa, decimals);
        let cell: f64 = value.to_string().parse().expect("a decimal is a float");
        prop_assert_eq!(Fixed::from_f64(cell, decimals), Ok(value));
    }

    #[test]
    fn rescaling_up_and_down_is_the_identity(mantissa in -1_000_000_i64..1_000_000, from in 0_u8..6, to in 6_u8..12) {
        let value = fixed(mantissa, from);
        let wide = value.rescale(to).expect("a million at 12 decimals fits");
        prop_assert_eq!(wide.rescale(from), Some(value));
        prop_assert_eq!(wide.cmp_value(value), Ordering::Equal);
    }

    #[test]
    fn no_operation_panics(a: i64, b: i64, scales in (0_u8..=18, 0_u8..=18, 0_u8..=18)) {
        let (left, right, decimals) = (fixed(a, scales.0), fixed(b, scales.1), scales.2);
        for rounding in Rounding::ALL {
            let _ = left.mul_round(right, decimals, rounding);
            let _ = left.div_round(right, decimals, rounding);
            let _ = left.rescale_round(decimals, rounding);
        }
        let _ = (left.checked_add(right), left.checked_sub(right), left.cmp_value(right));
    }
}
