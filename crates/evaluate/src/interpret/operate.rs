//! Operations on known values. `None` is unknown, as from a division by zero.

use std::cmp::Ordering;

use model::Date;
use pack::program::{ColumnId, Comparison, DatePart, Rounding, Value};

use super::EvalError;

/// What went wrong, before it is known where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Overflow,
    NotDigits,
    Malformed,
}

impl Fault {
    pub(super) fn at(self, column: ColumnId) -> EvalError {
        match self {
            Self::Overflow => EvalError::Overflow { column },
            Self::NotDigits => EvalError::NotDigits { column },
            Self::Malformed => EvalError::Malformed { column },
        }
    }
}

pub(crate) type Operated = Result<Option<Value>, Fault>;

fn number(value: Option<i128>) -> Operated {
    value.map(|value| Some(Value::Number(value))).ok_or(Fault::Overflow)
}

fn power_of_ten(exponent: u8) -> Result<i128, Fault> {
    10_i128.checked_pow(u32::from(exponent)).ok_or(Fault::Overflow)
}

/// `a / b` made whole. `None` where the quotient leaves 128 bits. `b` is not zero.
pub(super) fn quotient(a: i128, b: i128, round: Rounding) -> Option<i128> {
    let whole = a.checked_div(b)?;
    let rest = a % b;
    let outward = match round {
        Rounding::Down => false,
        Rounding::Up => rest != 0,
        Rounding::HalfUp => rest.unsigned_abs() >= b.unsigned_abs().div_ceil(2) && rest != 0,
    };
    match (outward, (a < 0) == (b < 0)) {
        (false, _) => Some(whole),
        (true, true) => whole.checked_add(1),
        (true, false) => whole.checked_sub(1),
    }
}

pub(crate) fn add(a: &Value, b: &Value) -> Operated {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => number(a.checked_add(*b)),
        (Value::Index(a), Value::Index(b)) => Ok(Some(Value::Index(a + b))),
        _ => Err(Fault::Malformed),
    }
}

pub(crate) fn subtract(a: &Value, b: &Value) -> Operated {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => number(a.checked_sub(*b)),
        (Value::Index(a), Value::Index(b)) => Ok(Some(Value::Index(a - b))),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn multiply(a: &Value, b: &Value, drop: u8, round: Rounding) -> Operated {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let product = a.checked_mul(*b).ok_or(Fault::Overflow)?;
            number(quotient(product, power_of_ten(drop)?, round))
        }
        (Value::Index(a), Value::Index(b)) => Ok(Some(Value::Index(a * b))),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn divide(a: &Value, b: &Value, up: u8, round: Rounding) -> Operated {
    match (a, b) {
        (Value::Number(_), Value::Number(0)) => Ok(None),
        (Value::Number(a), Value::Number(b)) => {
            let scaled = a.checked_mul(power_of_ten(up)?).ok_or(Fault::Overflow)?;
            number(quotient(scaled, *b, round))
        }
        (Value::Index(_), Value::Index(b)) if *b == 0.0 => Ok(None),
        (Value::Index(a), Value::Index(b)) => Ok(Some(Value::Index(a / b))),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn negate(a: &Value) -> Operated {
    match a {
        Value::Number(a) => number(a.checked_neg()),
        Value::Index(a) => Ok(Some(Value::Index(-a))),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn absolute(a: &Value) -> Operated {
    match a {
        Value::Number(a) => number(a.checked_abs()),
        Value::Index(a) => Ok(Some(Value::Index(a.abs()))),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn rescale(a: &Value, up: u8) -> Operated {
    match a {
        Value::Number(a) => number(a.checked_mul(power_of_ten(up)?)),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn round(a: &Value, drop: u8, round: Rounding) -> Operated {
    match a {
        Value::Number(a) => number(quotient(*a, power_of_ten(drop)?, round)),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn to_index(a: &Value, decimals: u8) -> Operated {
    match a {
        Value::Number(a) => Ok(Some(Value::Index(*a as f64 / power_of_ten(decimals)? as f64))),
        Value::Index(_) => Ok(Some(a.clone())),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn not(a: &Value) -> Operated {
    match a {
        Value::Bool(a) => Ok(Some(Value::Bool(!a))),
        _ => Err(Fault::Malformed),
    }
}

/// The order of two values of one type. Texts compare by their bytes, as in the C collation.
pub(super) fn order(a: &Value, b: &Value) -> Result<Ordering, Fault> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => Ok(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Ok(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Index(a), Value::Index(b)) => Ok(a.total_cmp(b)),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn compare(op: Comparison, a: &Value, b: &Value) -> Operated {
    let order = order(a, b)?;
    let holds = match op {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    };
    Ok(Some(Value::Bool(holds)))
}

fn date(a: &Value) -> Result<Date, Fault> {
    match a {
        Value::Date(date) => Ok(*date),
        _ => Err(Fault::Malformed),
    }
}

/// `None` is a number that no calendar reaches.
fn small(a: &Value) -> Result<Option<i32>, Fault> {
    match a {
        Value::Number(a) => Ok(i32::try_from(*a).ok()),
        _ => Err(Fault::Malformed),
    }
}

pub(super) fn date_part(part: DatePart, a: &Value) -> Operated {
    let date = date(a)?;
    let part = match part {
        DatePart::Year => i128::from(date.year()),
        DatePart::Month => i128::from(date.month()),
        DatePart::Day => i128::from(date.day()),
    };
    Ok(Some(Value::Number(part)))
}

pub(super) fn days_between(from: &Value, to: &Value) -> Operated {
    let days = i128::from(date(to)?.days()) - i128::from(date(from)?.days());
    Ok(Some(Value::Number(days)))
}

/// Unknown beyond the years 1 to 9999, as is [`add_months`].
pub(super) fn add_days(a: &Value, days: &Value) -> Operated {
    let (date, days) = (date(a)?, small(days)?);
    Ok(days.and_then(|days| date.add_days(days)).map(Value::Date))
}

pub(super) fn add_months(a: &Value, months: &Value) -> Operated {
    let (year, month, day) = date(a)?.ymd();
    let Some(months) = small(months)? else { return Ok(None) };
    let count = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(months);
    let Ok(year) = i32::try_from(count.div_euclid(12)) else { return Ok(None) };
    let month = count.rem_euclid(12) as u32 + 1;
    // The last days of a month are tried downwards: 31, 30, 29, 28.
    let later = (28..=day.max(28)).rev().find_map(|last| Date::from_ymd(year, month, last.min(day)).ok());
    Ok(later.map(Value::Date))
}

/// Completed years: the difference of the years, less one before the birthday. Negative before birth.
pub(super) fn age(birth: &Value, at: &Value) -> Operated {
    let (birth, at) = (date(birth)?.ymd(), date(at)?.ymd());
    let waiting = (at.1, at.2) < (birth.1, birth.2);
    Ok(Some(Value::Number(i128::from(at.0 - birth.0) - i128::from(waiting))))
}

/// Unknown where no calendar has the day.
pub(super) fn make_date(year: &Value, month: &Value, day: &Value) -> Operated {
    let (Some(year), Some(month), Some(day)) = (small(year)?, small(month)?, small(day)?) else {
        return Ok(None);
    };
    let (Ok(month), Ok(day)) = (u32::try_from(month), u32::try_from(day)) else { return Ok(None) };
    Ok(Date::from_ymd(year, month, day).ok().map(Value::Date))
}

/// Counts characters, not bytes; beyond the end there is nothing.
pub(super) fn substring(a: &Value, from: u32, length: u32) -> Operated {
    let Value::Text(text) = a else { return Err(Fault::Malformed) };
    let skip = from.saturating_sub(1) as usize;
    Ok(Some(Value::Text(text.chars().skip(skip).take(length as usize).collect())))
}

pub(super) fn digits_to_count(a: &Value) -> Operated {
    let Value::Text(text) = a else { return Err(Fault::Malformed) };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::NotDigits);
    }
    number(text.parse().ok())
}
