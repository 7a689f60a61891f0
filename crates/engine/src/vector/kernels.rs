//! What the operations do to vectors. NULL in, NULL out, except where a function says otherwise.

use std::borrow::Cow;
use std::rc::Rc;

use arrow::array::StringArray;
use model::Date;
use pack::program::{Comparison, DatePart};
use strength_reduce::StrengthReducedU64;

use super::program::Lanes as Held;
use super::value::{Lane, Lanes, Nulls, Operand, TextLane, Vector, either, map1, map2};
use crate::scalar::Operator;

fn with<T: Copy>(lane: Lane<'_, T>, nulls: Nulls) -> Lanes<'_, T> {
    Lanes { lane, nulls }
}

pub(super) fn arithmetic<'t>(operator: Operator, held: Held, a: &Vector<'t>, b: &Vector<'t>) -> Vector<'t> {
    match (a, b) {
        (Vector::Int(a), Vector::Int(b)) => {
            let nulls = either(&a.nulls, &b.nulls);
            Vector::Int(with(integers(operator, a.operand(), b.operand()), nulls))
        }
        (Vector::Wide(a), Vector::Wide(b)) => {
            let nulls = either(&a.nulls, &b.nulls);
            let (x, y) = (a.operand(), b.operand());
            Vector::Wide(with(
                match operator {
                    Operator::Add => map2(x, y, i128::wrapping_add),
                    Operator::Subtract => map2(x, y, i128::wrapping_sub),
                    Operator::Multiply => map2(x, y, i128::wrapping_mul),
                    Operator::Quotient => map2(x, y, |x, y| if y == 0 { 0 } else { x.wrapping_div(y) }),
                    Operator::Remainder => map2(x, y, |x, y| if y == 0 { 0 } else { x.wrapping_rem(y) }),
                },
                nulls,
            ))
        }
        (Vector::Float(a), Vector::Float(b)) => {
            let nulls = either(&a.nulls, &b.nulls);
            let (x, y) = (a.operand(), b.operand());
            Vector::Float(with(
                match operator {
                    Operator::Add => map2(x, y, |x, y| x + y),
                    Operator::Subtract => map2(x, y, |x, y| x - y),
                    Operator::Multiply => map2(x, y, |x, y| x * y),
                    Operator::Quotient => map2(x, y, |x, y| x / y),
                    Operator::Remainder => map2(x, y, |x, y| x % y),
                },
                nulls,
            ))
        }
        (Vector::Null, _) | (_, Vector::Null) => Vector::Null,
        // Literals may be held more narrowly than what they meet.
        _ => {
            let (a, b) = (cast(a, held), cast(b, held));
            if std::mem::discriminant(&a) == std::mem::discriminant(&b) {
                arithmetic(operator, held, &a, &b)
            } else {
                Vector::Null
            }
        }
    }
}

fn integers<'r>(operator: Operator, a: Operand<'_, i64>, b: Operand<'_, i64>) -> Lane<'r, i64> {
    match (operator, b) {
        (Operator::Add, _) => map2(a, b, i64::wrapping_add),
        (Operator::Subtract, _) => map2(a, b, i64::wrapping_sub),
        (Operator::Multiply, _) => map2(a, b, i64::wrapping_mul),
        (Operator::Quotient, Operand::Same(divisor)) if divisor > 0 => {
            // Dividing by a number that is the same everywhere is a multiplication.
            let by = StrengthReducedU64::new(divisor as u64);
            map1(a, |a| {
                let size = (a.unsigned_abs() / by) as i64;
                if a < 0 { size.wrapping_neg() } else { size }
            })
        }
        (Operator::Quotient, _) => map2(a, b, |a, b| if b == 0 { 0 } else { a.wrapping_div(b) }),
        (Operator::Remainder, _) => map2(a, b, |a, b| if b == 0 { 0 } else { a.wrapping_rem(b) }),
    }
}

pub(super) fn negate<'t>(a: &Vector<'t>) -> Vector<'t> {
    match a {
        Vector::Int(a) => Vector::Int(with(map1(a.operand(), i64::wrapping_neg), a.nulls.clone())),
        Vector::Wide(a) => Vector::Wide(with(map1(a.operand(), i128::wrapping_neg), a.nulls.clone())),
        Vector::Float(a) => Vector::Float(with(map1(a.operand(), |a| -a), a.nulls.clone())),
        _ => Vector::Null,
    }
}

pub(super) fn cast<'t>(a: &Vector<'t>, held: Held) -> Vector<'t> {
    match (a, held) {
        (Vector::Int(a), Held::Wide) => Vector::Wide(with(map1(a.operand(), i128::from), a.nulls.clone())),
        (Vector::Int(a), Held::Float) => {
            Vector::Float(with(map1(a.operand(), |a| a as f64), a.nulls.clone()))
        }
        (Vector::Wide(a), Held::Int) => Vector::Int(with(map1(a.operand(), |a| a as i64), a.nulls.clone())),
        (Vector::Wide(a), Held::Float) => {
            Vector::Float(with(map1(a.operand(), |a| a as f64), a.nulls.clone()))
        }
        (Vector::Bool(a), Held::Int) => Vector::Int(with(map1(a.operand(), i64::from), a.nulls.clone())),
        _ => a.clone(),
    }
}

fn compared<'r, T: Copy + PartialOrd>(op: Comparison, a: Operand<'_, T>, b: Operand<'_, T>) -> Lane<'r, u8> {
    match op {
        Comparison::Equal => map2(a, b, |a, b| u8::from(a == b)),
        Comparison::NotEqual => map2(a, b, |a, b| u8::from(a != b)),
        Comparison::Less => map2(a, b, |a, b| u8::from(a < b)),
        Comparison::LessOrEqual => map2(a, b, |a, b| u8::from(a <= b)),
        Comparison::Greater => map2(a, b, |a, b| u8::from(a > b)),
        Comparison::GreaterOrEqual => map2(a, b, |a, b| u8::from(a >= b)),
    }
}

pub(super) fn compare<'t>(op: Comparison, a: &Vector<'t>, b: &Vector<'t>, rows: usize) -> Vector<'t> {
    let lane = match (a, b) {
        (Vector::Int(a), Vector::Int(b)) => compared(op, a.operand(), b.operand()),
        (Vector::Wide(a), Vector::Wide(b)) => compared(op, a.operand(), b.operand()),
        (Vector::Float(a), Vector::Float(b)) => compared(op, a.operand(), b.operand()),
        (Vector::Bool(a), Vector::Bool(b)) => compared(op, a.operand(), b.operand()),
        (Vector::Text(_), Vector::Text(_)) => texts_compared(op, a, b, rows),
        (Vector::Int(x), Vector::Wide(_)) => {
            let x = Vector::Wide(with(map1(x.operand(), i128::from), x.nulls.clone()));
            return compare(op, &x, b, rows);
        }
        (Vector::Wide(_), Vector::Int(y)) => {
            let y = Vector::Wide(with(map1(y.operand(), i128::from), y.nulls.clone()));
            return compare(op, a, &y, rows);
        }
        _ => return Vector::Null,
    };
    Vector::Bool(with(lane, either(&a.nulls(), &b.nulls())))
}

fn texts_compared<'r>(op: Comparison, a: &Vector<'_>, b: &Vector<'_>, rows: usize) -> Lane<'r, u8> {
    let holds = |a: &str, b: &str| match op {
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
        Comparison::Less => a < b,
        Comparison::LessOrEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterOrEqual => a >= b,
    };
    match (a, b) {
        (Vector::Text(TextLane::Codes(codes)), Vector::Text(TextLane::Same(b))) => {
            codes.test(|a| holds(a, b))
        }
        (Vector::Text(TextLane::Same(a)), Vector::Text(TextLane::Codes(codes))) => {
            codes.test(|b| holds(a, b))
        }
        _ => {
            let at = |row| match (a.text(row), b.text(row)) {
                (Some(a), Some(b)) => u8::from(holds(a, b)),
                _ => 0,
            };
            Lane::Each(Cow::Owned((0..rows).map(at).collect()))
        }
    }
}

/// Kleene's AND (`every`) or OR.
pub(super) fn junction<'t>(operands: &[&Vector<'t>], every: bool, rows: usize) -> Vector<'t> {
    let mut result: Option<Lanes<'t, u8>> = None;
    let mut unknown = false;
    let decisive = u8::from(!every);
    for operand in operands {
        let Vector::Bool(lanes) = operand else {
            unknown = true;
            continue;
        };
        if let (Lane::Same(value), None) = (&lanes.lane, &lanes.nulls) {
            if *value == decisive {
                return Vector::Bool(Lanes::same(decisive));
            }
            continue;
        }
        result = Some(match result {
            None => lanes.clone(),
            Some(so_far) => joined(&so_far, lanes, every, rows),
        });
    }
    match (result, unknown) {
        (None, false) => Vector::Bool(Lanes::same(u8::from(every))),
        (None, true) => Vector::Null,
        (Some(lanes), false) => Vector::Bool(lanes),
        // An operand that is NULL everywhere leaves only what the others decide.
        (Some(lanes), true) => {
            let null = |row: usize| {
                let known = lanes.nulls.as_ref().is_none_or(|nulls| nulls[row] == 0);
                u8::from(!(known && lanes.at(row) == decisive))
            };
            let nulls = (0..rows).map(null).collect();
            Vector::Bool(Lanes { lane: Lane::Same(decisive), nulls: Some(Rc::new(nulls)) })
        }
    }
}

#[allow(clippy::many_single_char_names, reason = "two operands, and what is NULL in each")]
fn joined<'r>(a: &Lanes<'_, u8>, b: &Lanes<'_, u8>, every: bool, rows: usize) -> Lanes<'r, u8> {
    if a.nulls.is_none() && b.nulls.is_none() {
        let lane = if every {
            map2(a.operand(), b.operand(), |a, b| a & b)
        } else {
            map2(a.operand(), b.operand(), |a, b| a | b)
        };
        return with(lane, None);
    }
    // Slices of one length, so that the loops below run over many rows at once.
    let (x, y) = (spread(a, rows), spread(b, rows));
    let (m, n) = (marks(&a.nulls, rows), marks(&b.nulls, rows));
    let four = || x.iter().zip(y.iter()).zip(m.iter().zip(n.iter()));
    if every {
        let no = |((x, y), (m, n)): ((&u8, &u8), (&u8, &u8))| ((x ^ 1) & (m ^ 1)) | ((y ^ 1) & (n ^ 1));
        let values: Vec<u8> = four().map(|row| no(row) ^ 1).collect();
        let nulls = values.iter().zip(m.iter().zip(n.iter())).map(|(yes, (m, n))| (m | n) & yes).collect();
        Lanes::each(values, Some(Rc::new(nulls)))
    } else {
        let yes = |((x, y), (m, n)): ((&u8, &u8), (&u8, &u8))| (x & (m ^ 1)) | (y & (n ^ 1));
        let values: Vec<u8> = four().map(yes).collect();
        let nulls = values.iter().zip(m.iter().zip(n.iter()));
        let nulls = nulls.map(|(yes, (m, n))| (m | n) & (yes ^ 1)).collect();
        Lanes::each(values, Some(Rc::new(nulls)))
    }
}

/// The values of a vector, one for each row.
fn spread<'v>(lanes: &'v Lanes<'_, u8>, rows: usize) -> Cow<'v, [u8]> {
    match &lanes.lane {
        Lane::Same(value) => Cow::Owned(vec![*value; rows]),
        Lane::Each(values) => Cow::Borrowed(values),
    }
}

/// What is NULL, as a mark for each row.
fn marks(nulls: &Nulls, rows: usize) -> Cow<'_, [u8]> {
    match nulls {
        None => Cow::Owned(vec![0; rows]),
        Some(nulls) => Cow::Borrowed(nulls),
    }
}

pub(super) fn not<'t>(a: &Vector<'t>) -> Vector<'t> {
    match a {
        Vector::Bool(a) => Vector::Bool(with(map1(a.operand(), |a| a ^ 1), a.nulls.clone())),
        _ => Vector::Null,
    }
}

/// Never NULL.
pub(super) fn is_null<'t>(a: &Vector<'t>) -> Vector<'t> {
    Vector::Bool(match (a, a.nulls()) {
        (Vector::Null, _) => Lanes::same(1),
        (_, None) => Lanes::same(0),
        (_, Some(nulls)) => Lanes::each(nulls.to_vec(), None),
    })
}

/// Which rows a condition chooses, as 0 and 1; `None` if none.
fn chosen<'v>(when: &'v Vector<'_>) -> Option<Cow<'v, [u8]>> {
    let Vector::Bool(lanes) = when else { return None };
    match (&lanes.lane, &lanes.nulls) {
        (Lane::Same(0), _) => None,
        (Lane::Same(_), None) => Some(Cow::Borrowed(&[])),
        (Lane::Same(_), Some(nulls)) => Some(Cow::Owned(nulls.iter().map(|null| null ^ 1).collect())),
        (Lane::Each(values), None) => Some(Cow::Borrowed(values)),
        (Lane::Each(values), Some(nulls)) => Some(Cow::Owned(
            values.iter().zip(nulls.iter()).map(|(value, null)| value & (null ^ 1)).collect(),
        )),
    }
}

/// The value of the first condition that is true; a NULL condition does not choose.
pub(super) fn case<'t>(
    branches: &[(&Vector<'t>, &Vector<'t>)],
    otherwise: Option<&Vector<'t>>,
    rows: usize,
) -> Vector<'t> {
    let mut result: Vector<'t> = otherwise.cloned().unwrap_or(Vector::Null);
    for (when, then) in branches.iter().rev() {
        let Some(when) = chosen(when) else { continue };
        result = if when.is_empty() { (*then).clone() } else { select(&when, then, &result, rows) };
    }
    result
}

/// `a` where `when` is 1, else `b`.
fn select<'t>(when: &[u8], a: &Vector<'t>, b: &Vector<'t>, rows: usize) -> Vector<'t> {
    match (a, b) {
        (Vector::Int(a), Vector::Int(b)) => Vector::Int(selected(when, a, b)),
        (Vector::Wide(a), Vector::Wide(b)) => Vector::Wide(selected(when, a, b)),
        (Vector::Float(a), Vector::Float(b)) => Vector::Float(selected(when, a, b)),
        (Vector::Bool(a), Vector::Bool(b)) => Vector::Bool(selected(when, a, b)),
        (Vector::Null, Vector::Null) => Vector::Null,
        (Vector::Null, b) => nulled(b, when.to_vec()),
        (a, Vector::Null) => nulled(a, when.iter().map(|when| when ^ 1).collect()),
        (Vector::Wide(_), Vector::Int(_)) => select(when, a, &cast(b, Held::Wide), rows),
        (Vector::Int(_), Vector::Wide(_)) => select(when, &cast(a, Held::Wide), b, rows),
        _ => {
            let text = |row: usize| if when[row] != 0 { a.text(row) } else { b.text(row) };
            Vector::Text(TextLane::Each((0..rows).map(text).collect()))
        }
    }
}

fn selected<'r, T: Copy>(when: &[u8], a: &Lanes<'_, T>, b: &Lanes<'_, T>) -> Lanes<'r, T> {
    let values: Vec<T> = match (a.operand(), b.operand()) {
        (Operand::Same(a), Operand::Same(b)) => when.iter().map(|w| if *w != 0 { a } else { b }).collect(),
        (Operand::Each(a), Operand::Same(b)) => {
            when.iter().zip(a).map(|(w, a)| if *w != 0 { *a } else { b }).collect()
        }
        (Operand::Same(a), Operand::Each(b)) => {
            when.iter().zip(b).map(|(w, b)| if *w != 0 { a } else { *b }).collect()
        }
        (Operand::Each(a), Operand::Each(b)) => {
            when.iter().zip(a.iter().zip(b)).map(|(w, (a, b))| if *w != 0 { *a } else { *b }).collect()
        }
    };
    let nulls = (a.nulls.is_some() || b.nulls.is_some()).then(|| {
        let (m, n) = (marks(&a.nulls, when.len()), marks(&b.nulls, when.len()));
        let rows = when.iter().zip(m.iter().zip(n.iter()));
        Rc::new(rows.map(|(when, (m, n))| if *when != 0 { *m } else { *n }).collect())
    });
    Lanes::each(values, nulls)
}

/// The vector, NULL also where `nulls` is 1.
fn nulled<'t>(a: &Vector<'t>, nulls: Vec<u8>) -> Vector<'t> {
    if nulls.iter().all(|null| *null == 0) {
        return a.clone();
    }
    let rows = nulls.len();
    let nulls = either(&a.nulls(), &Some(Rc::new(nulls)));
    match a {
        Vector::Null => Vector::Null,
        Vector::Bool(a) => Vector::Bool(with(a.lane.clone(), nulls)),
        Vector::Int(a) => Vector::Int(with(a.lane.clone(), nulls)),
        Vector::Wide(a) => Vector::Wide(with(a.lane.clone(), nulls)),
        Vector::Float(a) => Vector::Float(with(a.lane.clone(), nulls)),
        Vector::Text(_) => {
            let null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls[row] != 0);
            let text = |row: usize| if null(row) { None } else { a.text(row) };
            Vector::Text(TextLane::Each((0..rows).map(text).collect()))
        }
    }
}

/// The first operand that is not NULL.
pub(super) fn coalesce<'t>(operands: &[&Vector<'t>], rows: usize) -> Vector<'t> {
    let mut result = Vector::Null;
    for operand in operands.iter().rev() {
        result = match (operand, operand.nulls()) {
            (Vector::Null, _) => result,
            (operand, None) => (*operand).clone(),
            (operand, Some(nulls)) => {
                let known: Vec<u8> = nulls.iter().map(|null| null ^ 1).collect();
                select(&known, operand, &result, rows)
            }
        };
    }
    result
}

/// The least or greatest of the operands; NULL if one is.
pub(super) fn extreme<'t>(operands: &[&Vector<'t>], least: bool) -> Vector<'t> {
    let first = operands.first().map_or(Vector::Null, |first| (*first).clone());
    operands.iter().skip(1).fold(first, |so_far, operand| match (&so_far, operand) {
        (Vector::Int(a), Vector::Int(b)) => Vector::Int(of_two(a, b, least)),
        (Vector::Wide(a), Vector::Wide(b)) => Vector::Wide(of_two(a, b, least)),
        (Vector::Float(a), Vector::Float(b)) => Vector::Float(of_two(a, b, least)),
        (Vector::Wide(a), Vector::Int(_)) => match cast(operand, Held::Wide) {
            Vector::Wide(b) => Vector::Wide(of_two(a, &b, least)),
            _ => Vector::Null,
        },
        (Vector::Int(_), Vector::Wide(b)) => match cast(&so_far, Held::Wide) {
            Vector::Wide(a) => Vector::Wide(of_two(&a, b, least)),
            _ => Vector::Null,
        },
        _ => Vector::Null,
    })
}

fn of_two<'r, T: Copy + PartialOrd>(a: &Lanes<'_, T>, b: &Lanes<'_, T>, least: bool) -> Lanes<'r, T> {
    let lane = if least {
        map2(a.operand(), b.operand(), |a, b| if b < a { b } else { a })
    } else {
        map2(a.operand(), b.operand(), |a, b| if b > a { b } else { a })
    };
    with(lane, either(&a.nulls, &b.nulls))
}

pub(super) fn null_if_zero<'t>(a: &Vector<'t>) -> Vector<'t> {
    let zero = |each: &mut dyn Iterator<Item = bool>| each.map(u8::from).collect::<Vec<u8>>();
    match a {
        Vector::Int(lanes) => match lanes.operand() {
            Operand::Same(0) => Vector::Null,
            Operand::Same(_) => a.clone(),
            Operand::Each(values) => nulled(a, zero(&mut values.iter().map(|value| *value == 0))),
        },
        Vector::Wide(lanes) => match lanes.operand() {
            Operand::Same(0) => Vector::Null,
            Operand::Same(_) => a.clone(),
            Operand::Each(values) => nulled(a, zero(&mut values.iter().map(|value| *value == 0))),
        },
        Vector::Float(lanes) => match lanes.operand() {
            Operand::Same(0.0) => Vector::Null,
            Operand::Same(_) => a.clone(),
            Operand::Each(values) => nulled(a, zero(&mut values.iter().map(|value| *value == 0.0))),
        },
        _ => Vector::Null,
    }
}

pub(super) fn in_numbers<'t>(a: &Vector<'t>, list: &[i128]) -> Vector<'t> {
    let lane = match a {
        Vector::Int(a) => {
            let list: Vec<i64> = list.iter().filter_map(|value| i64::try_from(*value).ok()).collect();
            map1(a.operand(), |a| u8::from(list.contains(&a)))
        }
        Vector::Wide(a) => map1(a.operand(), |a| u8::from(list.contains(&a))),
        Vector::Bool(a) => map1(a.operand(), |a| u8::from(list.contains(&i128::from(a)))),
        _ => return Vector::Null,
    };
    Vector::Bool(with(lane, a.nulls()))
}

pub(super) fn in_texts<'t>(a: &Vector<'t>, list: &[String], rows: usize) -> Vector<'t> {
    if !matches!(a, Vector::Text(_)) {
        return Vector::Null;
    }
    if let Vector::Text(TextLane::Codes(codes)) = a {
        return Vector::Bool(with(codes.test(|text| list.iter().any(|item| item == text)), a.nulls()));
    }
    let at = |row| u8::from(a.text(row).is_some_and(|text| list.iter().any(|item| item == text)));
    Vector::Bool(Lanes::each((0..rows).map(at).collect(), a.nulls()))
}

pub(super) fn date_part<'t>(part: DatePart, a: &Vector<'t>) -> Vector<'t> {
    let Vector::Int(a) = a else { return Vector::Null };
    let of = |days: i64| {
        let day = i32::try_from(days).ok().and_then(Date::from_days);
        day.map_or(0, |day| {
            let (year, month, day) = day.ymd();
            match part {
                DatePart::Year => i64::from(year),
                DatePart::Month => i64::from(month),
                DatePart::Day => i64::from(day),
            }
        })
    };
    Vector::Int(with(map1(a.operand(), of), a.nulls.clone()))
}

/// NULL also where the parts make no date.
pub(super) fn make_date<'t>(
    year: &Vector<'t>,
    month: &Vector<'t>,
    day: &Vector<'t>,
    rows: usize,
) -> Vector<'t> {
    let (Vector::Int(y), Vector::Int(m), Vector::Int(d)) = (year, month, day) else { return Vector::Null };
    let nulls = either(&either(&y.nulls, &m.nulls), &d.nulls);
    let mut wrong = vec![0; rows];
    let days = (0..rows).map(|row| {
        let date = Date::from_ymd(y.at(row) as i32, m.at(row) as u32, d.at(row) as u32);
        wrong[row] = u8::from(date.is_err());
        date.map_or(0, |date| i64::from(date.days()))
    });
    let days = days.collect();
    nulled(&Vector::Int(Lanes::each(days, nulls)), wrong)
}

pub(super) fn substring<'t>(a: &Vector<'t>, from: u32, length: u32, rows: usize) -> Vector<'t> {
    if !matches!(a, Vector::Text(_)) {
        return Vector::Null;
    }
    let (from, length) = (from.saturating_sub(1) as usize, length as usize);
    let texts: StringArray = (0..rows).map(|row| a.text(row).map(|text| cut(text, from, length))).collect();
    Vector::Text(TextLane::Each(texts))
}

/// Some characters of a text, from a place on.
fn cut(text: &str, from: usize, length: usize) -> &str {
    if text.is_ascii() {
        // Every character is a byte.
        let end = (from + length).min(text.len());
        return text.get(from.min(end)..end).unwrap_or_default();
    }
    let place =
        |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(place, _)| place);
    &text[place(from)..place(from + length)]
}

/// NULL also where the text is not all digits, or too many.
pub(super) fn digits<'t>(a: &Vector<'t>, rows: usize) -> Vector<'t> {
    if !matches!(a, Vector::Text(_)) {
        return Vector::Null;
    }
    let number = |row: usize| -> Option<i64> {
        let text = a.text(row)?;
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
    };
    let numbers: Vec<Option<i64>> = (0..rows).map(number).collect();
    let nulls: Vec<u8> = numbers.iter().map(|number| u8::from(number.is_none())).collect();
    let nulls = nulls.contains(&1).then(|| Rc::new(nulls));
    Vector::Int(Lanes::each(numbers.into_iter().map(Option::unwrap_or_default).collect(), nulls))
}
